"""Hidden tests of ddpm_ddim.py. Instructors read this file; students never see it.

Every function but `linear_schedule` gets a schedule of ours, short and with large steps: its coefficients differ much,
and rounding matters little. A sampler is judged by what it asks the network: each x that the network sees must follow
from the one before. Noise at the last step of DDPM, and both of the paper's variances, are right.
Expected values are the papers' formulas in float64.
"""

import math
from collections import namedtuple

import torch
from torch import Tensor, nn

from autograder.grading.exercise import Exercise, Wrong, inputs_survive, number, special, weight
from autograder.sandbox.look_tools import uses_its_device
from autograder.sandbox.stand_ins import Descent, asked_anew, in_parts
from autograder.sandbox.stand_ins import together as in_one

Coefficients = namedtuple("Coefficients", "b_t a_t ab_t")
Batch = namedtuple("Batch", "x noise t")
T = 8


class Network(nn.Module):
    """model(x, t): a known map of both, times a parameter; writes down what it was asked."""

    def __init__(self, scale: float = 0.3):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(scale))
        self.asked: list[tuple[Tensor, Tensor]] = []

    def forward(self, x, t):
        t = torch.as_tensor(t, dtype=torch.float64)
        self.asked.append((x.detach().clone(), t.clone()))
        return self.scale * (x + 1) + (2 * t.reshape(-1, 1, 1, 1)).to(x)

    def of(self, x: Tensor, time) -> Tensor:
        """The answer in float64, without a note."""
        time = torch.as_tensor(time, dtype=torch.float64).reshape(-1, 1, 1, 1)
        return self.scale.detach().double() * (x.double() + 1) + 2 * time


class Affine(nn.Module):
    """model(x, t): scale[t] x + shift[t], from tables; no formula."""

    def __init__(self, scale: Tensor, shift: Tensor):
        super().__init__()
        self.scale, self.shift = scale, shift.reshape(len(scale), *shift.shape[1:])

    def forward(self, x, t):
        time = (torch.as_tensor(t, dtype=torch.float64) * len(self.scale)).round().long()
        time = time.reshape(-1).clamp(0, len(self.scale) - 1)
        return self.scale[time].reshape(-1, 1, 1, 1).to(x) * x + self.shift[time].to(x)


def oracle(image: Tensor, ab_t: Tensor) -> Affine:
    """Knows that the clean image is `image`, and so the noise in any x."""
    ab = ab_t.double().reshape(-1, 1, 1, 1)
    return Affine((1 - ab).rsqrt(), -(ab / (1 - ab)).sqrt() * image.double())


def of_gaussian(mean: float, var: float, ab_t: Tensor) -> Affine:
    """The true noise model where the clean pixels are N(mean, var)."""
    ab = ab_t.double().reshape(-1, 1, 1, 1)
    scale = (1 - ab).sqrt() / (ab * var + 1 - ab)
    return Affine(scale, -scale * ab.sqrt() * mean)


def shifted_mix(x, t, noise, ab_t):
    """In the place of perturb_input: as simple a mixture, with other coefficients."""
    return (0.5 + ab_t[t].reshape(-1, 1, 1, 1)) * x + 1 + noise


class DiffusionExercise(Exercise):
    module = "ddpm_ddim"

    def schedule(self, timesteps: int = T, low: float = 0.05, high: float = 0.4) -> Coefficients:
        b_t = self.rand(timesteps, low=low, high=high, dtype=torch.float64)
        return Coefficients(b_t.float(), (1 - b_t).float(), (1 - b_t).cumprod(dim=0).float())

    def image_times(self, t, batch: int, timesteps: int) -> Tensor:
        """What the network got as t, times T: (B,) integers."""
        sentence = "The network is not given t / T, with t in 0 .. T - 1: a number for each image"
        if not isinstance(t, Tensor) or t.numel() not in (1, batch):
            raise Wrong(sentence)
        times = t.double().reshape(-1).expand(batch) * timesteps
        if (
            not bool(((times - times.round()).abs() < 1e-3).all())
            or times.min() < -0.5
            or times.max() > timesteps - 0.5
        ):
            raise Wrong(sentence)
        return times.round().long()


class LinearSchedule(DiffusionExercise):
    """Each field by its relation to the one that it is made of, so that one mistake costs its points only once."""

    @number("Q1.1")
    @weight(2)
    def test_betas(self):
        """b_t is linear from beta1 to beta2, both included, with T entries."""
        for found, (steps, first, last) in zip(self.computed(), self.options, strict=True):
            expected = torch.linspace(first, last, steps, dtype=torch.float64)
            sentence = "b_t is not linear from beta1 to beta2, both included, in timesteps entries"
            self.assertClose(found[0], expected.float(), sentence)

    @number("Q1.1")
    @weight(1)
    def test_alphas(self):
        """a_t = 1 - b_t."""
        for b_t, a_t, _ in self.computed():
            self.demand_varied(b_t, "b_t")
            self.assertClose(a_t, (1 - b_t.double()).float(), "a_t is not 1 - b_t")

    @number("Q1.1")
    @weight(2)
    def test_running_product(self):
        """ab_t[t] is the product of a_t[0] .. a_t[t]."""
        for _, a_t, ab_t in self.computed():
            self.demand_varied(a_t, "a_t")
            product = torch.stack([a_t.double()[: t + 1].prod() for t in range(len(a_t))])
            sentence = "ab_t is not the running product of a_t, its first entry a_t[0]"
            self.assertClose(ab_t, product.float(), sentence)
            self.assertClose(ab_t[-1:], product[-1:].float(), sentence, terms=3000)

    def computed(self) -> list[tuple[Tensor, Tensor, Tensor]]:
        short = int(self.randint(7, 15, (1,))), self.number(0.01, 0.05), self.number(0.3, 0.5)
        self.options = [short, (1000, 1e-4, 0.02)]
        options = [dict(zip(("timesteps", "beta1", "beta2"), values, strict=True)) for values in self.options]

        def look(ddpm):
            schedules = [ddpm.linear_schedule(**chosen) for chosen in options]
            return [list(s) if isinstance(s, tuple | list) else s for s in schedules]

        found, sentence = self.observe(look), "It does not return b_t, a_t, ab_t, three tensors of shape (timesteps,)"
        for (steps, _, _), fields in zip(self.options, self.several(found, 2), strict=True):
            if not all(isinstance(v, Tensor) and v.shape == (steps,) for v in self.several(fields, 3, sentence)):
                raise Wrong(sentence)
        return [tuple(v.float() for v in fields) for fields in found]

    def demand_varied(self, values: Tensor, name: str) -> None:
        """A schedule that is the same at every time keeps many a relation, and is none."""
        values = self._numbers(values, f"{name} is not finite")
        self.assertGreater(float(values.std()), 1e-4 * float(values.abs().mean()), f"{name} never changes")


class PerturbInput(DiffusionExercise):
    @number("Q1.2")
    @weight(3)
    def test_mixture(self):
        """x_t mixes the image and the noise with the square roots of alpha-bar and of the rest, in every call."""
        ab_t, times = self.schedule().ab_t, torch.randperm(T, generator=self._random)[:2]
        dtypes = torch.float32, torch.float64
        cases = [
            (self.randn(5, 3, 4, 6, dtype=d), t.repeat(5), self.randn(5, 3, 4, 6, dtype=d))
            for t, d in zip(times, dtypes, strict=True)
        ]

        def look(ddpm):
            return tuple(ddpm.perturb_input(x=x, t=t, noise=noise, ab_t=ab_t) for x, t, noise in cases)

        expected = tuple(self.truth(*case, ab_t) for case in cases)
        self.assertClose(self.observe(look), expected, "It is not eq. (4) of the DDPM paper")

    @number("Q1.2")
    @weight(2)
    def test_times_differ(self):
        """Every image of a batch has its own time."""
        ab_t, t = self.schedule().ab_t, torch.randperm(T, generator=self._random)
        x, noise = self.randn(T, 3, 5, T), self.randn(T, 3, 5, T)
        found = self.observe(lambda ddpm: ddpm.perturb_input(x, t, noise, ab_t))
        self.assertClose(found, self.truth(x, t, noise, ab_t), "With another time for each image, it is wrong")

    @number("Q1.2")
    @weight(1)
    @special
    @inputs_survive
    def test_one_image_and_no_trace(self):
        """It works for one image, not contiguous in memory, and leaves its inputs as they are."""
        ab_t, t = self.schedule().ab_t, self.randint(0, T, (1,))
        x, noise = (self.randn(1, 5, 3, 2).transpose(1, 3) for _ in range(2))
        found = self.observe(lambda ddpm: ddpm.perturb_input(x, t, noise, ab_t))
        self.assertClose(found, self.truth(x, t, noise, ab_t), "For one image, not contiguous in memory, it is wrong")

    @staticmethod
    def truth(x: Tensor, t: Tensor, noise: Tensor, ab_t: Tensor) -> Tensor:
        ab = ab_t.double()[t].reshape(-1, 1, 1, 1)
        return (ab.sqrt() * x + (1 - ab).sqrt() * noise).float()


class TrainStep(DiffusionExercise):
    """What is asserted of x_t may hold for the stand-in of perturb_input, or for the right formula written inline.

    Two steps are taken, of a batch of seven and of one image: each has to be right by itself.
    """

    stand_in = {"perturb_input": shifted_mix}

    @number("Q1.3")
    @weight(2)
    def test_loss(self):
        """It returns the mean squared error of the predicted noise."""

        def law(found, batch, x_t):
            expected = (batch.noise - Network().of(x_t, batch.t / T)).square().mean()
            self.assertClose(found["loss"], expected.float(), "It is not the mean squared error of the noise")
            self.assertFalse(found["graph"], "The loss that it returns still holds its graph: detach() it")
            self.assertTrue(found["trains"], "It leaves the network in evaluation mode")

        self.two_steps(law)

    @number("Q1.3")
    @weight(2)
    @inputs_survive
    def test_what_the_network_sees(self):
        """The network is asked about x_t made of x and the given noise, at t / T."""

        def law(found, batch, x_t):
            sentence = "The network is not asked about each image of the batch"
            seen = self.joined(found["x"], x_t.shape, sentence)
            self.assertClose(seen, x_t.float(), "The network is not asked about perturb_input(x, t, noise, ab_t)")
            times = self.image_times(self.joined(found["t"], batch.t.shape, sentence), len(batch.x), T)
            self.assertTrue(torch.equal(times, batch.t), "The network is not given the times of x_t, divided by T")

        self.two_steps(law)

    @number("Q1.3")
    @weight(2)
    def test_step(self):
        """The parameters take one step along the gradient of this batch alone."""

        def law(found, batch, x_t):
            error = Network().of(x_t, batch.t / T) - batch.noise
            slope = 2 * (error * (x_t + 1)).mean()
            size = 2 * (error * (x_t + 1)).abs().mean()
            moved = (0.3 - float(found["parameter"])) / 0.1
            sentence = "The parameters do not move by one step along the gradient of this batch (cleared before?)"
            self.assertLessEqual(abs(moved - float(slope)), 1e-3 * float(size) + 1e-5, sentence)

        self.two_steps(law)

    @number("Q1.3")
    @weight(2)
    def test_draws_its_own(self):
        """Without t and noise it draws them: t uniform on 0 .. T - 1 for each image, noise for each pixel."""
        schedule, x = self.schedule(), self.randn(1, 1, 2, 3)

        def look(ddpm):
            network = Network()
            loss = ddpm.train_step(network, Descent(network.parameters()), x.repeat(3000, 1, 1, 1), schedule)
            loss = loss.detach() if isinstance(loss, Tensor) else loss
            asked = [x for x, _ in network.asked], [t.reshape(-1) for _, t in network.asked]
            return loss, *asked

        def law(found, formula):
            loss, x_t, times = self.several(found, 3)
            sentence = "The network is not asked about each image of the batch"
            x_t = self.joined(x_t, (3000, 1, 2, 3), sentence)
            t = self.image_times(self.joined(times, (3000,), sentence), 3000, T)
            hit = (t[:, None] == torch.arange(T)).double()
            sentence = "t is not uniform on 0 .. T - 1, drawn for each image of the batch"
            self.assertMean(hit, 1 / T, math.sqrt(1 / T * (1 - 1 / T)), sentence)
            scale, shift, std = formula(t)
            noise = (x_t.double() - scale * x - shift) / std
            self.assertDraws(noise, torch.zeros(1, 2, 3), 1.0, "without noise given, it must be N(0, I)")
            expected = (noise - Network().of(x_t, t / T)).square().mean()
            sentence = "It is not the mean squared error of what the network says of x_t, and the noise in x_t"
            self.assertClose(loss, expected.float(), sentence, terms=2000)

        ab_t = schedule.ab_t.double()

        def own(t):
            ab = ab_t[t].reshape(-1, 1, 1, 1)
            return ab.sqrt(), 0.0, (1 - ab).sqrt()

        def simple(t):
            return 0.5 + ab_t[t].reshape(-1, 1, 1, 1), 1.0, 1.0

        self.observe_law(look, law, [(self.stand_in, [simple, own]), ({}, [own])])
        self.check_random(self.asked(schedule, x.repeat(3, 1, 1, 1)), "train_step", replacing=self.stand_in)

    @staticmethod
    def asked(schedule, x: Tensor):
        def look(ddpm):
            network = Network()
            ddpm.train_step(network, Descent(network.parameters()), x, schedule)
            return network.asked

        return look

    def two_steps(self, law) -> None:
        """law(found, batch, x_t) must hold for a batch of seven, and then for one image."""
        schedule, shapes = self.schedule(), ((7, 3, 4, 6), (1, 3, 4, 6))
        batches = [Batch(self.randn(*s), self.randn(*s), self.randint(0, T, s[:1])) for s in shapes]

        def look(ddpm):
            found = []
            for x, noise, t in batches:
                network = Network()
                network.scale.grad = torch.tensor(5.0)  # of an earlier batch
                loss = ddpm.train_step(
                    model=network, optimizer=Descent(network.parameters()), x=x, schedule=schedule, t=t, noise=noise
                )
                graph = isinstance(loss, Tensor) and loss.requires_grad
                loss = loss.detach() if isinstance(loss, Tensor) else loss
                seen = {"loss": loss, "graph": graph, "trains": network.training}
                seen |= {"x": [x for x, _ in network.asked], "t": [t.reshape(-1) for _, t in network.asked]}
                found.append(seen | {"parameter": network.scale.detach()})
            return found

        def both(found, x_ts):
            for one, batch, x_t in zip(self.several(found, 2), batches, x_ts, strict=True):
                law(one, batch, x_t)

        own = [PerturbInput.truth(x, t, noise, schedule.ab_t).double() for x, noise, t in batches]
        simple = [shifted_mix(x.double(), t, noise.double(), schedule.ab_t) for x, noise, t in batches]
        self.observe_law(look, both, [(self.stand_in, [simple, own]), ({}, [own])])


def watched(ddpm, sampler, schedule, network, shape, **more):
    """What a sampler returned, and all x and all t that it asked the network about, step by step: a batch may be taken
    in parts, and be asked about again."""
    result = getattr(ddpm, sampler)(model=network, schedule=schedule, shape=shape, **more)
    x, t = asked_anew([x for x, _ in network.asked], [t for _, t in network.asked])
    groups = in_parts(x, shape[0], t)
    return {"result": result, "x": in_one(groups, x), "t": in_one(groups, t)}


class SamplerExercise(DiffusionExercise):
    def path(self, seen, batch: int, timesteps: int) -> tuple[list[Tensor], list[int]]:
        """All x, the result last, in float64; and the time at which the network saw each of them, but the result."""
        if not isinstance(seen["result"], Tensor):
            raise Wrong("It does not return the finished images as one tensor (B, C, H, W)")
        if not seen["x"]:
            raise Wrong("The network is never asked")
        times = [self.image_times(t, batch, timesteps) for t in seen["t"]]
        if any(bool((t != t[0]).any()) for t in times):
            raise Wrong("Within one step all images have the same time")
        self.plausible((seen["x"], seen["result"]), "The x that the network sees are no images", largest=1e5)
        images = [x.double() for x in (*seen["x"], seen["result"])]
        if any(x.shape != images[0].shape for x in images) or len(images[0]) != batch:
            raise Wrong("The x that the network sees, or the result, has not the asked shape")
        return images, [int(t[0]) for t in times]

    def own_start(self, sampler: str, timesteps: int, **more) -> None:
        schedule = self.schedule(timesteps)

        def look(ddpm):
            def run(device, seen):
                far = Network().to(device)
                far.asked = seen
                there = type(schedule)(*(v.to(device) for v in schedule))
                return getattr(ddpm, sampler)(far, there, (2, 1, 2, 3), **more)

            return watched(ddpm, sampler, schedule, Network(), (2000, 1, 2, 3), **more), uses_its_device(ddpm, run)

        seen, follows = self.several(self.observe(look), 2)
        images, _ = self.path(seen, 2000, timesteps)
        self.assertDraws(images[0], torch.zeros(1, 2, 3), 1.0, "without noise given, the start must be N(0, I)")
        draw = lambda ddpm: getattr(ddpm, sampler)(Network(), schedule, (3, 1, 2, 3), **more)  # noqa: E731
        self.check_random(draw, sampler)
        self.assertTrue(follows, "The noise is not drawn on the schedule's device")


class SampleDdpm(SamplerExercise):
    @number("Q1.4")
    @weight(2)
    @inputs_survive
    def test_times(self):
        """The network is asked once at every time, from T - 1 down to 0, as t / T."""
        schedule, noise = self.schedule(), self.randn(3, 2, 4, 5)
        seen = self.observe(lambda ddpm: watched(ddpm, "sample_ddpm", schedule, Network(), (3, 2, 4, 5), noise=noise))
        images, times = self.path(seen, 3, T)
        self.assertEqual(times, list(range(T - 1, -1, -1)), "The times are not T - 1, ..., 0, each of them once")
        self.assertClose(images[0].float(), noise, "It does not start from the given noise")

    @number("Q1.4")
    @weight(3)
    def test_mean_of_each_step(self):
        """The mean of x_{t-1} is that of Algorithm 2, at every time."""
        residuals = self.residuals(batch=1500)
        for sigma, residual in residuals:
            sentence = "The mean of a step is not that of Algorithm 2: 1 / sqrt(alpha_t) (x_t - ... eps_theta)"
            self.assertMean(residual, 0.0, sigma, sentence)
            self.assertLess(float(residual.abs().max()), 8 * sigma, "An image of the batch is not like the others")
        quiet = residuals[-1][1].abs() < 1e-3  # no noise in the last step: then nowhere
        self.assertTrue(float(quiet.double().mean()) < 0.5 or bool(quiet.all()), "Not all images are finished alike")

    @number("Q1.4")
    @weight(3)
    def test_noise_of_each_step(self):
        """Every step but the last adds fresh noise of variance sigma_t^2 to every pixel."""
        draws = []
        for t, (sigma, residual) in zip(range(T - 1, 0, -1), self.residuals(batch=1500)[:-1], strict=True):
            ab, previous = float(self.ab_t[t]), float(self.ab_t[t - 1])
            posterior = sigma * math.sqrt((1 - previous) / (1 - ab))
            scale = sigma if abs(float(residual.std()) - sigma) < abs(float(residual.std()) - posterior) else posterior
            draws.append(residual / scale)
        about = "every step but the last adds fresh noise sigma_t z"
        self.assertDraws(torch.stack(draws, dim=1), torch.zeros(T - 1, 2, 1, 2), 1.0, about)

    @number("Q1.4")
    @weight(1)
    def test_true_noise(self):
        """A network that knows the one clean image leads exactly to it."""
        schedule, image, noise = self.schedule(), self.randn(1, 3, 2, 4), self.randn(400, 3, 2, 4)
        network = oracle(image, schedule.ab_t)

        def look(ddpm):
            return ddpm.sample_ddpm(network, schedule, (400, 3, 2, 4), noise)

        found = self.observe(look)
        sentence = "With a network that knows the clean image, it does not arrive there"
        if not isinstance(found, Tensor) or found.shape != (400, 3, 2, 4):
            raise Wrong("It does not return the finished images as one tensor (B, C, H, W)")
        self.assertMean(found - image, 0.0, math.sqrt(float(schedule.b_t[0])), sentence)

    @number("Q1.4")
    @weight(1)
    def test_own_start(self):
        """Without noise given, it starts from standard normal noise of the given shape, on the schedule's device."""
        self.own_start("sample_ddpm", 3)

    def residuals(self, batch: int) -> list[tuple[float, Tensor]]:
        """(sqrt(beta_t), x_{t-1} - mean) of each step; the start is far out, where wrong coefficients show."""
        schedule, noise = self.schedule(), self.randn(batch, 2, 1, 2) + 40 * self.randn(1, 2, 1, 2)
        shape = tuple(noise.shape)
        seen = self.observe(lambda ddpm: watched(ddpm, "sample_ddpm", schedule, Network(), shape, noise=noise))
        images, times = self.path(seen, batch, T)
        self.ab_t = schedule.ab_t
        b, ab = schedule.b_t.double(), schedule.ab_t.double()
        found = []
        for x, after, t in zip(images, images[1:], times, strict=False):
            mean = (x - b[t] / (1 - ab[t]).sqrt() * Network().of(x, t / T)) / (1 - b[t]).sqrt()
            found.append((math.sqrt(float(b[t])), after - mean))
        self.assertEqual(len(found), T, "It does not take T steps")
        return found


class SampleDdim(SamplerExercise):
    """Judged along the student's own times, so that a wrong choice of times costs its own test only."""

    @number("Q1.5")
    @weight(4)
    def test_each_jump(self):
        """Each jump goes to the estimated clean image, with the predicted noise of the next time added again."""
        schedule, noise = self.schedule(12), self.randn(3, 2, 4, 5)
        images, times = self.observed(schedule, noise, n_steps=4)
        ab = schedule.ab_t.double()
        self.assertClose(images[0].float(), noise, "It does not start from the given noise")
        self.assertEqual(times, sorted(set(times), reverse=True), "The times do not fall from jump to jump")
        for x, after, t, following in zip(images, images[1:], times, times[1:], strict=False):
            expected = self.jump(x, t, ab[t], ab[following])
            self.assertClose(after.float(), expected.float(), "A jump is not that of DDIM, eq. (12), with sigma = 0")

    @number("Q1.5")
    @weight(2)
    def test_last_jump(self):
        """The last jump ends at the clean image, without noise; so does the only one, with n_steps=1."""
        schedule, noise = self.schedule(12), self.randn(3, 2, 4, 5)

        def look(ddpm):
            return tuple(
                watched(ddpm, "sample_ddim", schedule, Network(), (3, 2, 4, 5), n_steps=n, noise=noise) for n in (4, 1)
            )

        one = torch.ones(())
        for seen in self.several(self.observe(look), 2):
            images, times = self.path(seen, 3, 12)
            expected = self.jump(images[-2], times[-1], schedule.ab_t.double()[times[-1]], one)
            sentence = "The last jump does not end at the estimate of the clean image (alpha-bar 1)"
            self.assertClose(images[-1].float(), expected.float(), sentence)

    @number("Q1.5")
    @weight(2)
    @inputs_survive
    def test_times(self):
        """The network is asked n_steps times, at the times of ddim_times, as t / T; n_steps need not divide T."""
        schedule, noise, steps = self.schedule(12), self.randn(3, 2, 4, 5), (1, 4, 5, 12)

        def look(ddpm):
            return tuple(
                watched(ddpm, "sample_ddim", schedule, Network(), (3, 2, 4, 5), n_steps=n, noise=noise) for n in steps
            )

        for n, seen in zip(steps, self.several(self.observe(look), len(steps)), strict=True):
            _, times = self.path(seen, 3, 12)
            self.assertEqual(len(times), n, "The network is not asked n_steps times")
            expected = [12 * i // n - 1 for i in range(n, 0, -1)]
            self.assertEqual(times, expected, "The times are not those of ddim_times(T, n_steps)")

    @number("Q1.5")
    @weight(2)
    def test_gaussian(self):
        """With the true noise model of Gaussian pixels, it lands on the right mean and variance; repeatably."""
        schedule, mean, var = self.schedule(60, 0.05, 0.2), self.number(1, 2), self.number(0.3, 3)
        schedule = Coefficients(*(v.double() for v in schedule))
        noise, network = self.randn(2, 1, 2, 3, dtype=torch.float64), of_gaussian(mean, var, schedule.ab_t)

        def look(ddpm):
            return tuple(ddpm.sample_ddim(network, schedule, (2, 1, 2, 3), 60, noise=noise.clone()) for _ in range(2))

        first, second = self.several(self.observe(look), 2)
        for found in (first, second):
            if not isinstance(found, Tensor) or found.shape != noise.shape:
                raise Wrong("It does not return the finished images as one tensor (B, C, H, W)")
        self.plausible(second, "With the true noise model of a Gaussian, it lands far away")
        self.assertClose(first, second, "Two calls with the same noise differ: DDIM is deterministic")
        # Each jump only multiplies the distance from the mean, by a factor in closed form. (In single precision,
        # since an answer may make tensors of its own.)
        ab = torch.cat([schedule.ab_t.flip(0), torch.ones(1, dtype=torch.float64)])
        here, after = ab[:-1], ab[1:]
        factors = ((after * here).sqrt() * var + ((1 - after) * (1 - here)).sqrt()) / (here * var + 1 - here)
        expected = mean + (noise - ab[0].sqrt() * mean) * factors.prod()
        sentence = "With the true noise model of a Gaussian, it lands on a wrong mean or variance"
        self.assertClose(first.float(), expected.float(), sentence)

    @number("Q1.5")
    @weight(1)
    def test_own_start(self):
        """Without noise given, it starts from standard normal noise of the given shape, on the schedule's device."""
        self.own_start("sample_ddim", 6, n_steps=2)

    def observed(self, schedule, noise, n_steps: int):
        shape, timesteps = tuple(noise.shape), len(schedule.ab_t)

        def look(ddpm):
            return watched(ddpm, "sample_ddim", schedule, Network(), shape, n_steps=n_steps, noise=noise)

        return self.path(self.observe(look), len(noise), timesteps)

    @staticmethod
    def jump(x: Tensor, t: int, ab: Tensor, ab_prev: Tensor, timesteps: int = 12) -> Tensor:
        eps = Network().of(x, t / timesteps)
        return ab_prev.sqrt() * (x - (1 - ab).sqrt() * eps) / ab.sqrt() + (1 - ab_prev).sqrt() * eps
