"""Hidden tests of ddpm.py. Instructors read this file; students never see it.

Every function but `precompute` gets a schedule of ours, short and with large steps: its coefficients differ much, and
rounding matters little. Times are at least 1 wherever noise is drawn: the last step is done in several right ways.
Expected values are the paper's formulas in float64.
"""

import math
from collections import namedtuple
from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from autograder.grading.exercise import Exercise, Wrong, gradients, inputs_survive, leaves, number, special, weight
from autograder.sandbox.look_tools import uses_its_device
from autograder.sandbox.stand_ins import asked_anew, in_parts, together

FIELDS = (
    "betas alphas sqrt_recip_alphas alphas_cumprod sqrt_alphas_cumprod sqrt_one_minus_alphas_cumprod "
    "alphas_cumprod_prev posterior_variance"
)
Coefficients = namedtuple("Coefficients", FIELDS)


def coefficients(betas: Tensor) -> Coefficients:
    """The paper's coefficients for these betas (T,)."""
    alphas = 1 - betas
    bar = alphas.cumprod(dim=0)
    previous = torch.cat([torch.ones_like(bar[:1]), bar[:-1]])
    variance = betas * (1 - previous) / (1 - bar)
    return Coefficients(betas, alphas, alphas**-0.5, bar, bar**0.5, (1 - bar) ** 0.5, previous, variance)


def at(values: Tensor, t) -> Tensor:
    """values[t] as (B, 1, 1, 1), in float64."""
    return values.double()[t].reshape(-1, 1, 1, 1)


class Network(nn.Module):
    """model(x, t): a known map of both, times a parameter; writes down what it was asked."""

    def __init__(self, scale: float = 0.3, by_time: float = 0.1):
        super().__init__()
        self.scale, self.by_time = nn.Parameter(torch.tensor(scale)), by_time
        self.asked: list[tuple[Tensor, Tensor]] = []

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        t = torch.as_tensor(t)
        self.asked.append((x.detach().clone(), t.clone()))
        return self.scale * (x + 1) + self.by_time * t.reshape(-1, 1, 1, 1).to(x)

    def of(self, x: Tensor, t) -> Tensor:
        """The answer in float64, without a note."""
        return self.scale.detach().double() * (x.double() + 1) + self.by_time * torch.as_tensor(t).reshape(-1, 1, 1, 1)


class DdpmExercise(Exercise):
    module = "ddpm"

    def schedule(self, timesteps: int = 8) -> Coefficients:
        betas = self.rand(timesteps, low=0.05, high=0.4, dtype=torch.float64)
        return Coefficients(*(values.float() for values in coefficients(betas)))

    def demand_varied(self, found: dict, *names: str) -> None:
        """A schedule that is the same at every time keeps many a relation, and is none."""
        for name in names:
            values = self._numbers(found[name], f"{name} is not finite")
            self.assertGreater(float(values.std()), 1e-4 * float(values.abs().mean()), f"{name} never changes")


class Precompute(DdpmExercise):
    """Each field by its relation to the fields that it is made of, so that one mistake costs its points only once."""

    @number("Q3.1")
    @weight(2)
    def test_betas_and_alphas(self):
        """betas are linear from beta_start to beta_end, both included; alphas = 1 - betas; 1000 steps by default."""
        short, long = self.computed()
        betas = torch.linspace(self.start, self.end, self.steps, dtype=torch.float64)
        sentence = "betas are not linear from beta_start to beta_end, both included"
        self.assertClose(short["betas"], betas.float(), sentence)
        self.assertClose(long["betas"], torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64).float(), sentence)
        self.assertClose(short["alphas"], (1 - short["betas"].double()).float(), "alphas are not 1 - betas")

    @number("Q3.1")
    @weight(2)
    def test_cumulative_product(self):
        """alphas_cumprod is the product of alphas up to t, with its two square roots; sqrt_recip_alphas."""
        for found in self.computed():
            self.demand_varied(found, "alphas")
            alphas, bar = found["alphas"].double(), found["alphas_cumprod"].double()
            product = torch.stack([alphas[: t + 1].prod() for t in range(len(alphas))])
            self.assertClose(found["alphas_cumprod"], product.float(), "alphas_cumprod is not the running product")
            for name, law in {
                "sqrt_alphas_cumprod": bar**0.5,
                "sqrt_one_minus_alphas_cumprod": (1 - bar) ** 0.5,
                "sqrt_recip_alphas": alphas**-0.5,
            }.items():
                self.assertClose(found[name], law.float(), f"{name} is not what its name says")

    @number("Q3.1")
    @weight(2)
    def test_previous(self):
        """alphas_cumprod_prev is alphas_cumprod shifted to the right by one, with 1 in front."""
        for found in self.computed():
            self.demand_varied(found, "alphas_cumprod")
            bar = found["alphas_cumprod"]
            expected = torch.cat([torch.ones_like(bar[:1]), bar[:-1]])
            self.assertClose(
                found["alphas_cumprod_prev"], expected, "It is not 1, then alphas_cumprod without its last"
            )

    @number("Q3.1")
    @weight(2)
    def test_posterior_variance(self):
        """posterior_variance is the variance of q(x_{t-1} | x_t, x_0)."""
        for found in self.computed():
            self.demand_varied(found, "betas", "alphas_cumprod")
            betas, bar, previous = (found[n].double() for n in ("betas", "alphas_cumprod", "alphas_cumprod_prev"))
            expected = betas * (1 - previous) / (1 - bar)
            sentence = "posterior_variance is not betas (1 - alphas_cumprod_prev) / (1 - alphas_cumprod)"
            self.assertClose(found["posterior_variance"], expected.float(), sentence)

    def computed(self) -> tuple[dict, dict]:
        """The fields for few steps with other ends, and for 1000 with the default ones."""
        self.steps, self.start, self.end = (
            int(self.randint(7, 15, (1,))),
            self.number(0.01, 0.05),
            self.number(0.3, 0.5),
        )
        options, names = {"timesteps": self.steps, "beta_start": self.start, "beta_end": self.end}, FIELDS.split()

        def look(ddpm):
            schedules = ddpm.precompute(**options), ddpm.precompute(1000)
            return tuple({name: getattr(s, name, None) for name in names} for s in schedules)

        found = self.several(self.observe(look), 2)
        for length, schedule in zip((self.steps, 1000), found, strict=True):
            for name in names:
                values = schedule.get(name) if isinstance(schedule, dict) else None
                if not isinstance(values, Tensor) or values.shape != (length,):
                    raise Wrong(f"The result has no field {name} that is a tensor of shape (timesteps,)")
        return found


def trained(loss, network: Network) -> tuple:
    """A loss and its gradient by the network's parameter; in its place, what else was done to the network."""
    if network.scale.grad is not None:
        return loss, "gradients"
    return loss, *(gradients(loss, network.scale) if network.training else ("mode",))


def shifted_draw(schedule, x_start, t, noise=None):
    """In the place of q_sample: as simple a mixture, with other coefficients."""
    noise = torch.randn_like(x_start) if noise is None else noise
    time = t.reshape(-1, 1, 1, 1)
    return (1 - 0.1 * time) * x_start + (0.5 + 0.1 * time) * noise


class ForwardSample(DdpmExercise):
    @number("Q3.2")
    @weight(3)
    def test_given_noise(self):
        """With noise given, x_t = sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t) noise, each image at its own time."""
        schedule, x, noise = self.schedule(), self.randn(9, 3, 4, 6), self.randn(9, 3, 4, 6)
        t = self.randint(0, 8, (9,))
        found = self.observe(lambda ddpm: ddpm.q_sample(schedule=schedule, x_start=x, t=t, noise=noise))
        self.assertClose(found, self.truth(schedule, x, t, noise), "x_t is not the mixture of x_0 and noise of eq. (4)")

    @number("Q3.2")
    @weight(2)
    def test_own_noise(self):
        """Without noise given, it draws its own, for every pixel of every image: mean and variance of q(x_t | x_0)."""
        schedule, x, t = self.schedule(), self.randn(2, 1, 2, 3), torch.tensor([2, 7])

        def look(ddpm):
            return ddpm.q_sample(schedule, x.repeat(3000, 1, 1, 1), t.repeat(3000))

        mean, variance = at(schedule.sqrt_alphas_cumprod, t) * x, 1 - at(schedule.alphas_cumprod, t)
        found = self.observe(look)
        self.assertShape(found, (6000, 1, 2, 3))
        about = "without noise, x_t must follow q(x_t | x_0)"
        self.assertDraws(found.reshape(3000, *x.shape), mean, variance, about)
        more = x.repeat(2, 1, 1, 1), t.repeat(2)
        self.check_random(lambda ddpm: ddpm.q_sample(schedule, *more), "q_sample")

    @number("Q3.2")
    @weight(1)
    @special
    @inputs_survive
    def test_odd_inputs(self):
        """A batch of one, not contiguous; x_start and noise stay as they are; the gradient reaches x_start."""
        schedule, t = self.schedule(), self.randint(1, 8, (1,))
        x, noise = (self.randn(1, 5, 3, 2).transpose(1, 3) for _ in range(2))

        def look(ddpm):
            found = ddpm.q_sample(schedule, x, t, noise)
            (leaf,) = leaves(x)
            return found, *gradients(ddpm.q_sample(schedule, leaf, t, noise), leaf)

        slope = at(schedule.sqrt_alphas_cumprod, t).float().expand_as(x)
        sentence = "For one image its gradient by x_start is wrong or lost"
        self.assertGradients(self.observe(look), self.truth(schedule, x, t, noise), (slope,), sentence)

    @staticmethod
    def truth(schedule: Coefficients, x: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        std = at(schedule.sqrt_one_minus_alphas_cumprod, t)
        return (at(schedule.sqrt_alphas_cumprod, t) * x + std * noise).float()


class ReverseSample(DdpmExercise):
    @number("Q3.3")
    @weight(3)
    def test_mean(self):
        """With noise of zero, it is the mean of p(x_{t-1} | x_t), for a known network."""
        schedule, network, x = self.schedule(), Network(), self.randn(4, 3, 4, 6)
        zeros = torch.zeros_like(x)

        def look(ddpm):
            return tuple(
                ddpm.p_sample(schedule=schedule, model=network, x=x, t=torch.full((4,), i), t_index=i, noise=zeros)
                for i in (0, 1, 4, 7)  # with this noise, all right ways to do the last step are one
            )

        expected = tuple(self.moments(schedule, network, x, i)[0].float() for i in (0, 1, 4, 7))
        self.assertClose(self.observe(look), expected, "With noise = 0 it is not the mean of eq. (11)")

    @number("Q3.3")
    @weight(2)
    @special
    def test_posterior(self):
        """Where the network knows the true noise, it is the posterior q(x_{t-1} | x_t, x_0): mean and variance."""
        schedule, times = self.schedule(), (1, int(self.randint(2, 8, (1,))))  # 1: the last time that has noise
        x0, eps, noise = (self.randn(1, 2, 4, 5) for _ in range(3))
        scale, std = schedule.sqrt_alphas_cumprod, schedule.sqrt_one_minus_alphas_cumprod
        noisy = {i: (at(scale, [i]) * x0 + at(std, [i]) * eps).float() for i in times}
        network = Oracle(eps)

        def look(ddpm):
            return tuple(ddpm.p_sample(schedule, network, noisy[i], torch.full((1,), i), i, noise=noise) for i in times)

        def draw(i):
            bar, previous, beta = (
                float(v[i]) for v in (schedule.alphas_cumprod, schedule.alphas_cumprod_prev, schedule.betas)
            )
            # DDPM, eq. (7)
            mean = (math.sqrt(previous) * beta * x0 + math.sqrt(1 - beta) * (1 - previous) * noisy[i]) / (1 - bar)
            return mean + math.sqrt(beta * (1 - previous) / (1 - bar)) * noise

        sentence = (
            "With a network that knows the noise, it is not a draw from q(x_{t-1} | x_t, x_0) with the given noise"
        )
        self.assertClose(self.observe(look), tuple(draw(i).float() for i in times), sentence)
        known, x, i, noise = Network(), self.randn(3, 2, 4, 5), times[1], self.randn(3, 2, 4, 5)
        found = self.observe(lambda ddpm: ddpm.p_sample(schedule, known, x, torch.full((3,), i), i, noise=noise))
        mean, variance = self.moments(schedule, known, x, i)
        sentence = "For three images it is not mean + sqrt(variance) * noise, with the given noise of each image"
        self.assertClose(found, (mean + variance**0.5 * noise).float(), sentence)

    @number("Q3.3")
    @weight(2)
    def test_own_noise(self):
        """Without noise given, it draws its own, for every pixel: mean and variance of p(x_{t-1} | x_t)."""
        network, x, i = Network(), self.randn(1, 2, 3, 2), 1
        # A small beta and then a large one: there the posterior's variance is far from beta, and noise still counts.
        betas = torch.cat(
            [self.rand(1, low=low, high=low + 0.05, dtype=torch.float64) for low in (0.05, 0.3, 0.1, 0.2)]
        )
        schedule = Coefficients(*(values.float() for values in coefficients(betas)))

        def look(ddpm):
            return ddpm.p_sample(schedule, network, x.repeat(4000, 1, 1, 1), torch.full((4000,), i), i)

        mean, variance = self.moments(schedule, network, x, i)
        about = "without noise, x_{t-1} must follow p(x_{t-1} | x_t)"
        self.assertDraws(self.observe(look), mean[0], variance[0], about)
        more = x.repeat(2, 1, 1, 1), torch.tensor([i, i])
        self.check_random(lambda ddpm: ddpm.p_sample(schedule, network, *more, i), "p_sample")

    @number("Q3.3")
    @weight(1)
    @inputs_survive
    def test_network_is_asked_rightly(self):
        """The network sees x_t and the times (B,), and x_t stays as it is."""
        schedule, x, i = self.schedule(), self.randn(3, 2, 4, 5), int(self.randint(1, 8, (1,)))

        def look(ddpm):
            network = Network()
            ddpm.p_sample(schedule, network, x, torch.full((3,), i), i)
            return network.asked, True

        asked, _ = self.several(self.observe(look), 2)
        self.assertTrue(isinstance(asked, tuple) and asked, "The network is never asked")
        sentence, truth = "The network is not called with x and t (B,)", (x, torch.full((3,), i))
        calls = zip(*(self.several(one, 2) for one in asked), strict=True)
        seen = tuple(self.joined(a, b.shape, sentence) for a, b in zip(calls, truth, strict=True))
        self.assertClose(seen, truth, sentence)

    @staticmethod
    def moments(schedule: Coefficients, network: Network, x: Tensor, i: int) -> tuple[Tensor, Tensor]:
        """Of p(x_{t-1} | x_t), DDPM, eq. (11), with the posterior's variance."""
        c = Coefficients(*(at(values, [i]) for values in schedule))
        noise = network.of(x, torch.tensor([i]))
        mean = (x.double() - c.betas / c.sqrt_one_minus_alphas_cumprod * noise) / c.alphas.sqrt()
        return mean, c.posterior_variance


class Oracle(nn.Module):
    """A network that knows the noise."""

    def __init__(self, eps: Tensor):
        super().__init__()
        self.eps = nn.Parameter(eps.clone())

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        return self.eps.clone()


def known_step(schedule, model, x, t, t_index, noise=None):
    """In the place of p_sample: a known map that depends on the time; steps do not commute. The schedule's posterior
    variance says how much noise there is; where it is 0, there is none. It writes down what it gets."""
    schedule.betas[torch.as_tensor(t)]  # as in extract: an index, whole and within the schedule
    time = torch.as_tensor(t).reshape(-1, 1, 1, 1).to(x)
    model.asked.append((x.detach().clone(), time))
    noise = torch.randn_like(x) if noise is None else noise
    shift = 0.5 * math.sin(2 * t_index + 1) + schedule.betas[t_index]
    return (1 + 0.3 * torch.cos(time + 1)) * x + shift + 3 * schedule.posterior_variance[t_index] * noise


class Loop(DdpmExercise):
    """Where the schedule's posterior variance is 0, there is no noise, whether p_sample is called or written out."""

    @number("Q3.4")
    @weight(3)
    @inputs_survive
    def test_steps(self):
        """From the given noise, it takes every step from T - 1 down to 0 once, each from the one before."""
        sentence = "These are not the results of the steps t = T - 1, ..., 0, each from the one before, x_0 last"

        def law(found, truth):
            self.assertShape(found, truth.shape)
            self.assertClose(found, truth.float(), sentence)

        self.without_noise(law)

    @number("Q3.4")
    @weight(2)
    def test_last_is_the_finished_image(self):
        """The last of them is x_0."""
        sentence = "The last image is not x_0, the result of the step at t = 0"

        def law(found, truth):
            self.assertIsInstance(found, Tensor, "It does not return the images as one tensor")
            self.assertTrue(found.dim() in (4, 5) and len(found), "It returns no images")
            last = found[-1] if found.dim() == 5 else found
            self.assertClose(last, truth[-1].float(), sentence)

        self.without_noise(law)

    @number("Q3.4")
    @weight(2)
    def test_fresh_noise(self):
        """Every step has noise of its own, which is not that of the start either."""
        schedule, network, noise = self.schedule(5), Network(), self.randn(1500, 2, 1, 2)

        def look(ddpm):
            found = ddpm.p_sample_loop(schedule=schedule, model=network, shape=(1500, 2, 1, 2), noise=noise)
            return torch.stack(list(found)) if isinstance(found, list | tuple) else found

        def law(found, truth):
            step, deviation = truth
            self.assertShape(found, (5, 1500, 2, 1, 2))
            images = [noise.double(), *self._numbers(found, "An image is not finite")]
            steps = zip(range(4, 0, -1), images, images[1:], strict=False)  # the last step has no noise
            draws = [(after - step(before, i)) / deviation(i) for i, before, after in steps]
            about = "each step goes on from the one before, with noise of its own"
            self.assertDraws(torch.stack([noise.double(), *draws], dim=1), torch.zeros(5, 2, 1, 2), 1.0, about)

        variance = schedule.posterior_variance.double()
        quiet = schedule._replace(posterior_variance=torch.zeros(5))
        deviations = (lambda i: 3 * variance[i]), (lambda i: variance[i].sqrt())
        steps = self.steps(quiet, network)
        cases = [(s, [(step, deviation)]) for (s, step), deviation in zip(steps, deviations, strict=True)]
        self.observe_law(look, law, cases)

    @number("Q3.4")
    @weight(1)
    def test_own_noise(self):
        """Without noise given, it starts from standard normal noise of the given shape, on the schedule's device."""
        schedule, network = self.schedule(2), Network()
        schedule = schedule._replace(posterior_variance=torch.zeros(2))

        def look(ddpm):
            def run(device, seen):
                far = Network().to(device)
                far.asked = seen
                ddpm.p_sample_loop(type(schedule)(*(values.to(device) for values in schedule)), far, (2, 1, 2, 3))

            network.asked.clear()
            images = ddpm.p_sample_loop(schedule, network, (2000, 1, 2, 3))
            x, t = asked_anew([x for x, _ in network.asked], [t for _, t in network.asked])
            start = together(in_parts(x, 2000, t)[:1], x)
            return images, start, uses_its_device(ddpm, run)

        def law(found, _):
            images, start, follows = self.several(found, 3)
            self.assertShape(images, (2, 2000, 1, 2, 3))
            start = self.joined(start, (2000, 1, 2, 3), "The first step is not taken for all images")
            self.assertDraws(start, torch.zeros(1, 2, 3), 1.0, "the start must be N(0, I)")
            self.assertTrue(follows, "The start is not drawn on the schedule's device")

        self.observe_law(look, law, [(replacing, [step]) for replacing, step in self.steps(schedule, network)])
        draw = lambda ddpm: ddpm.p_sample_loop(schedule, network, (3, 1, 2, 3))[-1]  # noqa: E731
        self.check_random(draw, "p_sample_loop", replacing={"p_sample": known_step})

    def without_noise(self, law: Callable) -> None:
        schedule, network, noise = self.schedule(6), Network(), self.randn(3, 2, 4, 5)
        schedule = schedule._replace(posterior_variance=torch.zeros(6))

        def look(ddpm):
            found = ddpm.p_sample_loop(schedule=schedule, model=network, shape=(3, 2, 4, 5), noise=noise)
            return torch.stack(list(found)) if isinstance(found, list | tuple) else found

        cases = []
        for replacing, step in self.steps(schedule, network):
            x, images = noise.double(), []
            for i in reversed(range(6)):
                x = step(x, i)
                images.append(x)
            cases.append((replacing, [torch.stack(images)]))
        self.observe_law(look, law, cases)

    @staticmethod
    def steps(schedule: Coefficients, network: Network):
        """(stand-ins, the step that then must be taken, but for its noise)."""
        moments = ReverseSample.moments
        return [
            ({"p_sample": known_step}, lambda x, i: known_step(schedule, network, x, torch.tensor([i]), i)),
            ({}, lambda x, i: moments(schedule, network, x, i)[0]),
        ]


class Losses(DdpmExercise):
    @number("Q3.5")
    @weight(3)
    def test_loss(self):
        """It is the smooth L1 distance of the noise and its prediction, averaged over everything."""
        schedule, x, noise = self.schedule(), self.randn(7, 3, 4, 6), 2 * self.randn(7, 3, 4, 6)
        t = self.randint(0, 8, (7,))

        def look(ddpm):
            return ddpm.p_losses(schedule=schedule, denoise_model=Network(), x_start=x, t=t, noise=noise)

        def law(found, x_t):
            expected = F.smooth_l1_loss(Network().of(x_t, t), noise.double())
            self.assertClose(found, expected.float(), "It is not the mean smooth L1 distance of noise and prediction")

        self.observe_law(look, law, self.noisy(schedule, x, t, noise))

    @number("Q3.5")
    @weight(1)
    @special
    def test_large_errors(self):
        """It is quadratic for small errors, and linear for large ones."""
        schedule, x, noise = self.schedule(), self.randn(2, 1, 2, 2), self.rand(2, 1, 2, 2, low=-0.9, high=0.9)
        noise[1] = 10 + noise[1]
        network, t = Network(0.0, 0.0), torch.tensor([3, 5])

        def look(ddpm):
            one = slice(0, 1), slice(1, 2)
            return tuple(ddpm.p_losses(schedule, network, x[i], t[i], noise[i]) for i in one)

        expected = 0.5 * noise[0].square().mean(), noise[1].mean() - 0.5
        sentence = "It is not d^2 / 2 where |d| < 1, or not |d| - 1/2 elsewhere"
        cases = [({"q_sample": shifted_draw}, [expected]), ({}, [expected])]
        self.observe_law(look, lambda found, truth: self.assertClose(found, truth, sentence), cases)

    @number("Q3.5")
    @weight(2)
    def test_own_noise(self):
        """Without noise given, it draws standard normal noise, and compares with that same noise."""
        schedule, x, t = self.schedule(), self.randn(1, 2, 3, 2), torch.tensor([5])

        def look(ddpm):
            network = Network()
            loss = ddpm.p_losses(schedule, network, x.repeat(2000, 1, 1, 1), t.repeat(2000))
            return *trained(loss, network), [asked for asked, _ in network.asked], [told for _, told in network.asked]

        def law(found, mixture):
            loss, slope, asked, told = self.several(found, 4)
            x_t = self.joined(asked, (2000, 2, 3, 2), "The network is not asked about each image once")
            noise = (x_t.double() - mixture[0] * x) / mixture[1]
            about = "without noise given, the noise must be N(0, I)"
            self.assertDraws(noise, torch.zeros(2, 3, 2), 1.0, about)
            times = [bool((v == t).all()) for v in told]
            self.assertTrue(all(times), "The network is not given the times t of the noisy images")
            self.demand_training(loss, slope, x_t.double(), t, noise)

        own = [at(v, t) for v in (schedule.sqrt_alphas_cumprod, schedule.sqrt_one_minus_alphas_cumprod)]
        stand_in = {"q_sample": shifted_draw}
        self.observe_law(look, law, [(stand_in, [(0.5, 1.0), own]), ({}, [own])])
        self.check_random(lambda ddpm: ddpm.p_losses(schedule, Network(), x, t), "p_losses", replacing=stand_in)

    @number("Q3.5")
    @weight(2)
    @inputs_survive
    def test_network(self):
        """The network sees the noisy images and their times, and the gradient trains it."""
        schedule, x, noise = self.schedule(), self.randn(5, 1, 4, 3), self.randn(5, 1, 4, 3)
        t = self.randint(0, 8, (5,))

        def look(ddpm):
            network = Network()
            found = trained(ddpm.p_losses(schedule, network, x, t, noise), network)
            return *found, [x for x, _ in network.asked], [t for _, t in network.asked]

        def law(found, x_t):
            loss, slope, *asked = self.several(found, 4)
            self.assertTrue(all(asked), "The network is never asked")
            sentence = "The network does not see x_t and t"
            seen = tuple(self.joined(a, b.shape, sentence) for a, b in zip(asked, (x_t, t), strict=True))
            self.assertClose(seen, (x_t.float(), t), sentence)
            self.demand_training(loss, slope, x_t, t, noise)

        self.observe_law(look, law, self.noisy(schedule, x, t, noise))

    def demand_training(self, loss, slope, x_t: Tensor, t: Tensor, noise: Tensor) -> None:
        """The loss compares the prediction with this noise, and its gradient trains the network."""
        if isinstance(slope, str):
            backward = "backward() is called inside: the training loop does that"
            raise Wrong(backward if slope == "gradients" else "It leaves the network in evaluation mode")
        network = Network().double()
        expected = F.smooth_l1_loss(network(x_t, t), noise.double())
        (truth,) = torch.autograd.grad(expected, network.scale)
        sentence = "It is not the mean smooth L1 distance of what the network says of x_t, and the noise in x_t"
        self.assertClose(loss, expected.detach().float(), sentence)
        self.assertClose(slope, truth.float(), "The gradient of the loss by the network's parameter is wrong or lost")

    @staticmethod
    def noisy(schedule: Coefficients, x: Tensor, t: Tensor, noise: Tensor) -> list[tuple[Mapping, list[Tensor]]]:
        """(stand-ins, the x_t that they may lead to)."""
        own = at(schedule.sqrt_alphas_cumprod, t) * x + at(schedule.sqrt_one_minus_alphas_cumprod, t) * noise
        simple = shifted_draw(None, x.double(), t, noise.double())
        stand_in = {"q_sample": shifted_draw}
        return [(stand_in, [simple, own]), ({}, [own])]


class Times(DdpmExercise):
    @number("Q3.6")
    @weight(1)
    def test_shape(self):
        """It returns (batch_size,) integers of dtype long, 0 .. timesteps - 1, new ones at each call, on `device`."""

        def look(ddpm):
            times = ddpm.t_sample(timesteps=8, batch_size=97, device="cpu")  # so many that each time is among them
            return times, str(getattr(ddpm.t_sample(1000, 5, device="meta"), "device", None))

        t, device = self.several(self.observe(look), 2)
        self.assertIsInstance(t, Tensor, "It does not return a tensor")
        self.assertEqual((t.dtype, tuple(t.shape)), (torch.int64, (97,)), "It is not (batch_size,) of dtype long")
        self.assertTrue(int(t.min()) >= 0 and int(t.max()) < 8, "A time is not within 0 .. timesteps - 1")
        self.check_random(lambda ddpm: ddpm.t_sample(1000, 97), "t_sample")
        self.assertEqual(device, "meta", "The times are not on the given device")

    @number("Q3.6")
    @weight(2)
    def test_uniform(self):
        """Every time from 0 to timesteps - 1 is equally likely, for every element of the batch."""
        timesteps, batch = int(self.randint(4, 9, (1,))), 4
        found = self.observe(lambda ddpm: torch.stack([ddpm.t_sample(timesteps, batch) for _ in range(2000)]))
        t = self._numbers(found, "It does not return a tensor of times")
        self.assertEqual(t.shape, (2000, batch), "It does not return one time for each element of the batch")
        hit = (t.reshape(-1, 1) == torch.arange(timesteps)).double()  # (8000, timesteps)
        p = 1 / timesteps
        sentence = "Not every time from 0 to timesteps - 1 is equally likely"
        self.assertMean(hit, p, math.sqrt(p * (1 - p)), sentence)
        self.assertTrue(bool((hit.sum(dim=1) == 1).all()), sentence)
        same = (t[:, 0] == t[:, 1]).double().unsqueeze(1)
        self.assertMean(same, p, math.sqrt(p * (1 - p)), "The times within a batch are not independent of each other")
