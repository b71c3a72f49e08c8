"""Hidden tests of q2_ddpm.py. Instructors read this file; students never see it.

Expected values are the paper's formulas in float64. All times are at least 1: what happens to the noise at t = 0 is
done in several right ways. Times below 5 are left out too where forms that are equal on paper differ by rounding.
"""

from collections.abc import Mapping
from types import SimpleNamespace

import torch
from torch import Tensor, nn

from autograder.grading.exercise import (
    NO_GRADIENT,
    Exercise,
    Wrong,
    described,
    gradients,
    inputs_survive,
    leaves,
    number,
    special,
    weight,
)  # fmt: skip
from autograder.sandbox import stand_ins

T = 50
# ---------------------------------------------------------------- what looks hand to student code


class Probe(nn.Module):
    """An eps_model that remembers what it was asked, and answers with something simple."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(0.3))
        self.asked = []

    def forward(self, x, t):
        self.asked.append((x.detach().clone(), t.detach().clone()))
        return self.scale * x + t.reshape(-1, 1, 1, 1).to(x) / 20

    def inputs(self):
        """All x and all t, as if they had come in one batch."""
        if not self.asked:
            return "nothing", "nothing"
        return torch.cat([x for x, _ in self.asked]), torch.cat([t.reshape(-1) for _, t in self.asked])


def diffusion(q2, eps_model=None, n_steps=T):
    return q2.DenoiseDiffusion(eps_model=eps_model or Probe(), n_steps=n_steps, device=torch.device("cpu"))


def moments(pair, like):
    """(mean, variance), the variance in the full shape of the images; anything else as it is."""
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        return pair
    mean, variance = pair
    fits = isinstance(variance, Tensor) and variance.dim() == like.dim()
    if fits and all(size in (1, whole) for size, whole in zip(variance.shape, like.shape, strict=True)):
        variance = variance.expand_as(like)
    return mean, variance


def draws(function, *inputs, repetitions=3000):
    """In a look: (repetitions, B, ...) results of one call with as many copies of the inputs."""
    many = function(*(v.repeat(repetitions, *(1 for _ in v.shape[1:])) for v in inputs))
    if isinstance(many, Tensor) and many.dim() and len(many) == repetitions * len(inputs[0]):
        return many.reshape(repetitions, *inputs[0].shape[:1], *many.shape[1:])
    return many


def calls(function, *inputs, repetitions=300):
    """In a look: (repetitions, B, ...) results of as many calls."""
    many = [function(*(v.clone() for v in inputs)) for _ in range(repetitions)]
    return torch.stack(many) if all(isinstance(one, Tensor) for one in many) else many[0]


D = "DenoiseDiffusion"


class Known:
    """Wrong functions in the place of earlier exercises, with coefficients drawn for each test: none fits another.

    moments, drawn, reversed: mean and variance that q_xt_x0, q_sample and p_xt_prev_xt belong to, in their full shape.
    """

    def __init__(self, case):
        a, b, c, d, e, f = (case.number(0.4, 0.9) for _ in range(6))
        u, v, w = (case.number(0.08, 0.15) for _ in range(3))

        def q_xt_x0(self, x0, t):
            return a * x0 + b, u * (t.reshape(-1, 1, 1, 1) + 1) + torch.zeros_like(x0[:, :1, :1, :1])

        def q_sample(self, x0, t, eps=None):
            eps = torch.randn_like(x0) if eps is None else eps
            return c * x0 - d + (v * (t.reshape(-1, 1, 1, 1) + 1)).sqrt() * eps

        def p_xt_prev_xt(self, xt, t):
            return e * xt - f, w * (t.reshape(-1, 1, 1, 1) + 1) + torch.zeros_like(xt[:, :1, :1, :1])

        def drawn(x0, t):
            return c * x0 - d, (v * (t.reshape(-1, 1, 1, 1) + 1)).expand_as(x0)

        self.drawn = drawn
        self.moments = lambda x0, t: in_full(q_xt_x0(None, x0, t), x0)
        self.reversed = lambda xt, t: in_full(p_xt_prev_xt(None, xt, t), xt)
        self.forward = {f"{D}.q_xt_x0": q_xt_x0}
        self.reverse = {f"{D}.p_xt_prev_xt": p_xt_prev_xt}
        self.noising = {f"{D}.q_sample": q_sample, **self.forward}


def in_full(pair: tuple[Tensor, Tensor], like: Tensor) -> tuple[Tensor, Tensor]:
    return pair[0], pair[1].expand_as(like)


# ---------------------------------------------------------------- the paper's formulas


def schedule(t: Tensor, n_steps: int = T) -> SimpleNamespace:
    """beta, alpha and alpha_bar at times t, (B, 1, 1, 1), in float64."""
    beta = torch.linspace(1e-4, 0.02, n_steps, dtype=torch.float64)
    at = {"beta": beta, "alpha": 1 - beta, "alpha_bar": (1 - beta).cumprod(dim=0)}
    return SimpleNamespace(**{name: values[t].reshape(-1, 1, 1, 1) for name, values in at.items()})


def forward_moments(x0: Tensor, t: Tensor, n_steps: int = T) -> tuple[Tensor, Tensor]:
    """DDPM, eq. (4)."""
    alpha_bar = schedule(t, n_steps).alpha_bar
    return alpha_bar.sqrt() * x0, (1 - alpha_bar).expand_as(x0)


def reverse_moments(xt: Tensor, t: Tensor, n_steps: int = T) -> tuple[Tensor, Tensor]:
    """DDPM, eq. (11) with the Probe's noise, and sigma^2 = beta."""
    s, xt = schedule(t, n_steps), xt.double()
    eps = 0.3 * xt + t.reshape(-1, 1, 1, 1) / 20
    return (xt - s.beta / (1 - s.alpha_bar).sqrt() * eps) / s.alpha.sqrt(), s.beta.expand_as(xt)


class DiffusionExercise(Exercise):
    module = "q2_ddpm"

    def stays_on_device(self, method: str, *inputs: Tensor, replacing: Mapping) -> None:
        def look(q2):
            probe = Probe()
            run = getattr(diffusion(q2, probe), method)
            return stand_ins.ignores_device(lambda: run(*inputs), lambda: [t for _, t in probe.asked])

        sentence = "It makes tensors on the CPU, wherever its inputs are: randn_like(x), or device=x.device"
        self.assertIs(self.observe(look, replacing=replacing), False, sentence)

    def images(self, samples, mean: Tensor) -> Tensor:
        """Many draws, one image for each image."""
        sentence = "It does not return one image, of the same shape, for each image of the batch"
        samples = self._numbers(samples, sentence)
        self.assertEqual(samples.shape[1:], mean.shape, sentence)
        return samples


class ForwardMoments(DiffusionExercise):
    @number("Q2.1")
    @weight(2)
    def test_mean(self):
        """The mean of q(x_t | x_0), for other images than MNIST's, each with its own time."""
        x0, t = self.randn(9, 3, 4, 6), self.randint(5, T, (9,))
        found = self.observe(lambda q2: moments(diffusion(q2).q_xt_x0(x0=x0, t=t), x0))
        self.assertPair(found)
        expected = forward_moments(x0, t)[0].float()
        self.assertClose(found[0], expected, "The mean is not sqrt(alpha_bar_t) x_0")

    @number("Q2.1")
    @weight(2)
    def test_variance(self):
        """The variance of q(x_t | x_0)."""
        x0, t = self.randn(9, 3, 4, 6), self.randint(5, T, (9,))
        found = self.observe(lambda q2: moments(diffusion(q2).q_xt_x0(x0, t), x0))
        self.assertPair(found)
        expected = forward_moments(x0, t)[1].float()
        self.assertClose(found[1], expected, "The variance is not 1 - alpha_bar_t, as (B, 1, 1, 1) or (B, C, H, W)")

    @number("Q2.1")
    @weight(1)
    @special
    @inputs_survive
    def test_odd_inputs(self):
        """Another number of steps, a batch of one, float64, not contiguous; x_0 stays as it is."""
        x0, t = self.randn(1, 5, 3, 2, dtype=torch.float64).transpose(1, 3), self.randint(5, 1000, (1,))
        found = self.observe(lambda q2: moments(diffusion(q2, n_steps=1000).q_xt_x0(x0, t), x0))
        expected = tuple(v.float() for v in forward_moments(x0, t, 1000))
        self.assertClose(found, expected, "With n_steps=1000 and one float64 image it is wrong")

    def assertPair(self, found) -> None:
        if not isinstance(found, tuple) or len(found) != 2:
            none = ": is a return missing?" if found is None else ""
            raise Wrong(f"It returned {described(found)} instead of a mean and a variance{none}")


class ForwardSample(DiffusionExercise):
    @number("Q2.2")
    @weight(2)
    def test_given_noise(self):
        """With eps given it is mean + sqrt(variance) * eps."""
        x0, t, eps = self.randn(9, 3, 4, 6), self.randint(1, T, (9,)), self.randn(9, 3, 4, 6)
        self.check(
            lambda q2: diffusion(q2).q_sample(x0=x0, t=t, eps=eps),
            "With eps given, x_t is not mean + sqrt(variance) * eps",
            replacing=Known(self).forward,
        )

    @number("Q2.2")
    @weight(1)
    def test_own_noise(self):
        """Without eps it draws its own, for every pixel of every image."""
        x0, t = self.randn(2, 2, 2, 3), torch.tensor([T // 2, T - 1])
        known, truth = Known(self), forward_moments(x0, t)
        self.observe_law(
            lambda q2: draws(diffusion(q2).q_sample, x0, t),
            lambda found, moments: self.assertDraws(found, *moments, "without eps, x_t must follow q(x_t | x_0)"),
            [(known.forward, [known.moments(x0, t), truth]), ({}, [truth])],
        )
        self.check_random(lambda q2: diffusion(q2).q_sample(x0, t), "q_sample", replacing=known.forward)

    @number("Q2.2")
    @weight(1)
    @special
    def test_gradient(self):
        """It is reparameterized: with eps given, its gradient reaches x_0 and eps."""
        x0, t, eps = self.randn(3, 2, 2, 3), self.randint(5, T, (3,)), self.randn(3, 2, 2, 3)

        def look(q2):
            mine = leaves(x0, eps)
            return gradients(diffusion(q2).q_sample(mine[0], t, mine[1]), *mine)

        def law(found, formula):
            slope = formula(torch.ones_like(x0), t)[0] - formula(torch.zeros_like(x0), t)[0]
            expected = tuple(v.expand_as(x0).float() for v in (slope, formula(x0, t)[1].sqrt()))
            self.assertClose(found, expected, "The gradient of x_t by x_0 or by eps is wrong, or there is none")

        known = Known(self)
        self.observe_law(look, law, [(known.forward, [known.moments, forward_moments]), ({}, [forward_moments])])

    @number("Q2.2")
    @weight(1)
    @special
    @inputs_survive
    def test_odd_inputs(self):
        """A batch of one, float64, not contiguous; x_0 and eps stay as they are."""
        x0, eps = (self.randn(1, 5, 3, 2, dtype=torch.float64).transpose(1, 3) for _ in range(2))
        t = self.randint(1, T, (1,))
        look = lambda q2: diffusion(q2).q_sample(x0, t, eps)  # noqa: E731
        self.check(look, "With one float64 image it is wrong", replacing=Known(self).forward)


class ReverseMoments(DiffusionExercise):
    @number("Q2.3")
    @weight(2)
    def test_mean(self):
        """The mean of p(x_{t-1} | x_t), for other images than MNIST's, each with its own time."""
        xt, t = self.randn(9, 3, 4, 6), self.randint(5, T, (9,))
        found = self.observe(lambda q2: moments(diffusion(q2).p_xt_prev_xt(xt=xt, t=t), xt))
        self.assertPair(found)
        expected = reverse_moments(xt, t)[0].float()
        self.assertClose(found[0], expected, "The mean is not that of the paper's eq. (11)")

    @number("Q2.3")
    @weight(2)
    def test_variance(self):
        """The variance of p(x_{t-1} | x_t) is beta_t."""
        xt, t = self.randn(9, 3, 4, 6), self.randint(5, T, (9,))
        found = self.observe(lambda q2: moments(diffusion(q2).p_xt_prev_xt(xt, t), xt))
        self.assertPair(found)
        expected = reverse_moments(xt, t)[1].float()
        self.assertClose(found[1], expected, "The variance is not sigma2_t = beta_t, as (B, 1, 1, 1) or (B, C, H, W)")

    @number("Q2.3")
    @weight(1)
    @special
    @inputs_survive
    def test_odd_inputs(self):
        """Another number of steps, a batch of one, float64, not contiguous; x_t stays as it is."""
        xt, t = self.randn(1, 5, 3, 2, dtype=torch.float64).transpose(1, 3), self.randint(20, 300, (1,))

        def look(q2):
            probe = Probe()
            pair = diffusion(q2, probe, n_steps=1000).p_xt_prev_xt(xt, t)
            return moments(pair, xt), probe.scale.grad is not None

        found, touched = self.observe(look)
        expected = tuple(v.float() for v in reverse_moments(xt, t, 1000))
        self.assertClose(found, expected, "With n_steps=1000 and one float64 image it is wrong")
        self.assertFalse(touched, "It calls backward(), which only training does")

    assertPair = ForwardMoments.assertPair


class ReverseSample(DiffusionExercise):
    @number("Q2.4")
    @weight(3)
    def test_noise(self):
        """x_{t-1} follows p(x_{t-1} | x_t): its mean, its variance, every pixel for itself."""
        xt, t = self.randn(3, 2, 2, 3), torch.tensor([1, T // 2, T - 1])
        self.observe_law(
            lambda q2: draws(diffusion(q2).p_sample, xt, t),
            lambda found, moments: self.assertDraws(found, *moments, "x_{t-1} must follow p(x_{t-1} | x_t) for t > 0"),
            self.cases(xt, t),
        )

    @number("Q2.4")
    @weight(1)
    def test_mean(self):
        """On average it is the mean of p(x_{t-1} | x_t), for one image in float64 too."""
        for xt in (self.randn(3, 2, 1, 2), self.randn(1, 2, 1, 2, dtype=torch.float64)):
            self.is_mean(xt, self.randint(1, T, (len(xt),)))

    def is_mean(self, xt: Tensor, t: Tensor) -> None:
        def law(found, moments):
            samples = self.images(found, moments[0])
            sentence = "The mean over many draws is not that of p(x_{t-1} | x_t)"
            self.assertMean(samples, moments[0], None, sentence)  # however wrong its variance is

        self.observe_law(lambda q2: calls(diffusion(q2).p_sample, xt, t), law, self.cases(xt, t))

    @number("Q2.4")
    @weight(1)
    @inputs_survive
    def test_seed_and_shape(self):
        """A batch of one in float64; x_t stays as it is; calls differ, but with set_seed=True one can be repeated."""
        xt, t = self.randn(1, 5, 3, 2, dtype=torch.float64).transpose(1, 3), self.randint(1, T, (1,))
        replacing = Known(self).reverse

        def look(q2):
            model = diffusion(q2)
            return tuple(model.p_sample(xt.clone(), t, set_seed=True) for _ in range(2))

        first, second = self.observe(look, replacing=replacing)
        shaped = isinstance(first, Tensor) and first.shape == (1, 2, 3, 5)
        self.assertTrue(shaped, "It does not return x_{t-1} in the shape of x_t")
        self.assertClose(second, first, "Two calls with set_seed=True differ")
        self.check_random(lambda q2: diffusion(q2).p_sample(xt, t), "p_sample", replacing=replacing)

    @number("Q2.4")
    @weight(1)
    @special
    def test_device(self):
        """It is right, and works on another device than the CPU."""
        self.test_mean()  # what ignores its inputs ignores the device too
        replacing = Known(self).reverse
        self.stays_on_device("p_sample", self.randn(3, 1, 2, 2), self.randint(1, T, (3,)), replacing=replacing)

    def cases(self, xt: Tensor, t: Tensor) -> list[tuple[Mapping, list]]:
        known, truth = Known(self), reverse_moments(xt, t)
        return [(known.reverse, [known.reversed(xt, t), truth]), ({}, [truth])]


class Loss(DiffusionExercise):
    """The times are drawn by the student's code: the probe tells which, and every expected value follows from them."""

    @number("Q2.5")
    @weight(2)
    def test_squared_error(self):
        """It is the squared error of the predicted noise: the sum over pixels, the mean over the batch."""
        x0, noise = self.randn(7, 3, 4, 6), self.randn(7, 3, 4, 6)

        def look(q2):
            probe = Probe()
            return diffusion(q2, probe).loss(x0=x0, noise=noise), *probe.inputs()

        loss, x, t = self.observe(look, replacing=Known(self).noising)
        self.assertAsked(x, t, 7)
        error = noise.double() - self.answer(x, t)
        expected = error.square().sum() / 7
        self.assertClose(
            loss,
            expected.float(),
            "It is not the squared distance of noise and prediction, summed over pixels and averaged over the batch",
        )

    @number("Q2.5")
    @weight(2)
    def test_what_the_model_sees(self):
        """The model is asked about x_t, made of x_0 and the given noise, at its own time."""
        x0, noise = self.randn(7, 3, 4, 6), self.randn(7, 3, 4, 6)

        def look(q2):
            probe = Probe()
            diffusion(q2, probe).loss(x0, noise=noise)
            return probe.inputs()

        def law(found, formula):
            x, t = found
            self.assertAsked(x, t, 7)
            self.assertTimes(t)
            mean, variance = formula(x0.double(), t)
            expected = mean + variance.sqrt() * noise.double()
            self.assertClose(x.float(), expected.float(), "The model was not asked about q_sample(x0, t, eps=noise)")

        self.observe_law(look, law, self.cases())

    @number("Q2.5")
    @weight(1)
    @inputs_survive
    def test_times(self):
        """Each image gets a time of its own, uniform on 0 .. n_steps - 1; x_0 and noise stay as they are."""
        x0, noise = self.randn(5000, 1, 1, 1), self.randn(5000, 1, 1, 1)

        def look(q2):
            probe = Probe()
            diffusion(q2, probe, n_steps=10).loss(x0, noise)
            return probe.inputs()[1]

        t = self.observe(look, replacing=Known(self).noising)
        self.assertAsked(x0, t, 5000)
        self.assertTimes(t, 10)
        counts = nn.functional.one_hot(t.long(), 10).double()
        self.assertMean(
            counts, 0.1, 0.3, "The times are not uniform on 0 .. n_steps - 1, drawn for each image of the batch"
        )

    @number("Q2.5")
    @weight(2)
    def test_training(self):
        """Without noise it draws its own; the gradient reaches the model; set_seed=True repeats a call."""
        x0 = self.randn(100, 2, 4, 9)

        def look(q2):
            probe = Probe()
            model = diffusion(q2, probe)
            model.loss(x0[:7].clone())  # nothing is kept of an earlier call
            probe.asked.clear()
            loss = model.loss(x0.clone())
            touched = probe.scale.grad is not None
            (gradient,) = (NO_GRADIENT,) if touched else gradients(loss, probe.scale)
            return loss, touched, gradient, *probe.inputs()

        def law(found, formula):
            loss, touched, gradient, x, t = found
            self.assertAsked(x, t, 100)
            self.assertTimes(t)
            mean, variance = formula(x0.double(), t)
            noise = (x.double() - mean) / variance.sqrt()
            self.assertNoise(
                noise, "Without noise x_t is not made with standard normal noise of its own in every pixel"
            )
            error = noise - self.answer(x, t)
            sentence = "Without noise the loss is wrong: the noise in x_t and the noise to predict must be the same"
            self.assertClose(loss, (error.square().sum() / 100).float(), sentence, terms=2000)
            self.assertFalse(touched, "loss calls backward() itself: return the loss, the training loop does that")
            self.assertIsInstance(gradient, Tensor, "No gradient reaches the model: no item(), detach() or no_grad()")
            slope = -2 * (error * x).sum() / 100
            size = 2 * (error * x).abs().sum() / 100
            right = bool((gradient.double() - slope).abs() <= 1e-3 * size)
            self.assertTrue(right, "The gradient with respect to the model's parameters is wrong")

        self.observe_law(look, law, self.cases())
        twice = lambda q2: tuple(diffusion(q2).loss(x0.clone(), set_seed=True) for _ in range(2))  # noqa: E731
        seeded = self.observe(twice, replacing=Known(self).noising)
        self.assertClose(seeded[1], seeded[0], "Two calls with set_seed=True differ")

        def noisy(q2):  # no single number: two of them may be close by chance
            probe = Probe()
            diffusion(q2, probe).loss(x0)
            return probe.inputs()[0]

        self.check_random(noisy, "loss", replacing=Known(self).noising)

    @number("Q2.5")
    @weight(1)
    @special
    def test_device(self):
        """It is right, and works on another device than the CPU."""
        self.test_squared_error()  # what ignores its inputs ignores the device too
        self.stays_on_device("loss", self.randn(3, 1, 2, 2), replacing=Known(self).noising)

    def cases(self) -> list[tuple]:
        """What stands in for q_sample and q_xt_x0, and the moments of x_t then."""
        known = Known(self)
        return [(known.noising, [known.drawn, known.moments, forward_moments]), ({}, [forward_moments])]

    # ------------------------------------------------------------

    @staticmethod
    def answer(x: Tensor, t: Tensor) -> Tensor:
        """What the probe predicts."""
        return 0.3 * x.double() + t.reshape(-1, 1, 1, 1) / 20

    def assertAsked(self, x, t, batch: int) -> None:
        sentence = "eps_model was not asked once about each image of the batch, with a time for each"
        if not isinstance(x, Tensor) or not isinstance(t, Tensor) or x.dim() != 4:
            raise Wrong(sentence)
        self.assertEqual((len(x), len(t)), (batch, batch), sentence)
        self.plausible(x, "eps_model is not asked about noisy images")

    def assertTimes(self, t: Tensor, n_steps: int = T) -> None:
        inside = bool((t >= 0).all()) and bool((t < n_steps).all())
        self.assertTrue(inside and not t.is_floating_point(), "The times are not integers in 0 .. n_steps - 1")
