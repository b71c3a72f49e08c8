"""Hidden tests of q1_vae.py. Instructors read this file; students never see it.

Every expected value comes from torch.distributions or from a closed form, in float64. It is compared in float32, so
that a small epsilon inside a logarithm, or a rounded constant, costs nobody points.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.distributions import Bernoulli, Normal, kl_divergence

from autograder.grading.exercise import (
    NO_GRADIENT,
    Exercise,
    gradients,
    inputs_survive,
    leaves,
    number,
    special,
    weight,
)  # fmt: skip


def columns(wide: Tensor) -> Tensor:
    """Every second column of a transposed copy: (B, D) from (2 D, B), in no simple order in memory."""
    return wide.t()[:, ::2]


def derivatives(function: Callable, *inputs: Tensor) -> dict:
    """In a look: a value, its gradients, the inputs afterwards, and whether the function called backward() itself."""
    mine = leaves(*inputs)
    value = function(*mine)
    touched = any(leaf.grad is not None for leaf in mine)
    found = tuple(NO_GRADIENT for _ in mine) if touched else gradients(value, *mine)
    return {"value": value, "gradients": found, "inputs": mine, "touched": touched}


class Differentiable(Exercise):
    """What the exercises of this file share. It has no tests."""

    module = "q1_vae"
    about = ""  # what a wrong value is told

    def check_gradient(self, look: Callable, value: Tensor, expected: tuple, inputs: tuple) -> None:
        """`look` gives `derivatives`. Where the value is wrong, that is what is said."""
        found = self.observe(look)
        self.assertClose(found["value"], value, self.about)
        self.assertFalse(
            found["touched"], "It calls backward() itself: return the result, and leave that to the caller"
        )
        self.assertClose(found["inputs"], inputs, "The inputs are changed in place")
        self.tearDown()  # what is changed in place has another gradient too
        sentence = "The value is right, but its gradient is not: no detach(), no item(), no torch.no_grad()"
        self.assertClose(found["gradients"], expected, sentence)


class LogLikelihoodBernoulli(Differentiable):
    about = "This is not sum_i log p(x_i), one number per sample"

    @number("Q1.1")
    @weight(3)
    def test_binary_samples(self):
        """It is the log-probability of each binary sample."""
        mu, target = self.rand(97, 5, low=0.02, high=0.98), self.randint(0, 2, (97, 5)).float()
        found = self.observe(lambda q1: q1.log_likelihood_bernoulli(mu=mu, target=target))
        expected = Bernoulli(mu.double()).log_prob(target.double()).sum(dim=1)
        self.assertClose(found, expected.float(), self.about)

    @number("Q1.1")
    @weight(1)
    @special
    def test_grey_samples(self):
        """The formula also holds for grey values in [0, 1]."""
        mu, target = self.rand(7, 4, low=0.02, high=0.98), self.rand(7, 4)
        found = self.observe(lambda q1: q1.log_likelihood_bernoulli(mu, target))
        self.assertClose(
            found,
            self.law(mu, target),
            "For grey values it is not sum_i x_i log mu_i + (1 - x_i) log(1 - mu_i): both terms must weigh in",
        )

    @number("Q1.1")
    @weight(1)
    @special
    def test_odd_inputs(self):
        """A batch of one, float64, a tensor that is not contiguous, images."""
        one = self.rand(1, 6, low=0.02, high=0.98, dtype=torch.float64), self.rand(1, 6, dtype=torch.float64).round()
        strided = columns(self.rand(6, 5, low=0.02, high=0.98)), columns(self.rand(6, 5)).round()
        images = self.rand(4, 2, 3, 5, low=0.02, high=0.98), self.rand(4, 2, 3, 5).round()
        found = self.observe(lambda q1: tuple(q1.log_likelihood_bernoulli(m, x) for m, x in (one, strided, images)))
        self.assertClose(
            found,
            tuple(self.law(m, x) for m, x in (one, strided, images)),
            "It fails on other shapes: sum over everything but the batch dimension, and set no size by hand",
        )

    @number("Q1.1")
    @weight(1)
    @special
    @inputs_survive
    def test_gradient(self):
        """Its gradient with respect to mu is right, and it leaves its inputs alone."""
        mu, target = self.rand(5, 3, low=0.1, high=0.9), self.randint(0, 2, (5, 3)).float()
        expected = (target / mu - (1 - target) / (1 - mu),)
        look = lambda q1: derivatives(lambda m: q1.log_likelihood_bernoulli(m, target), mu)  # noqa: E731
        self.check_gradient(look, self.law(mu, target), expected, (mu,))

    @staticmethod
    def law(mu: Tensor, target: Tensor) -> Tensor:
        mu, target = mu.double().flatten(1), target.double().flatten(1)
        return (target * mu.log() + (1 - target) * (1 - mu).log()).sum(dim=1).float()


class LogLikelihoodNormal(Differentiable):
    about = "This is not sum_i log N(z_i; mu_i, exp(logvar_i)), one number per sample"

    @number("Q1.2")
    @weight(3)
    def test_density(self):
        """It is the log-density of each sample."""
        mu, logvar, z = self.randn(97, 5), self.rand(97, 5, low=-2, high=2), self.randn(97, 5)
        found = self.observe(lambda q1: q1.log_likelihood_normal(mu=mu, logvar=logvar, z=z))
        self.assertClose(found, self.law(mu, logvar, z), self.about)

    @number("Q1.2")
    @weight(1)
    @special
    def test_normalizing_constant(self):
        """At the mean, only the normalizing constant is left."""
        mu, logvar = self.randn(11, 3), self.rand(11, 3, low=-2, high=2)
        found = self.observe(lambda q1: q1.log_likelihood_normal(mu, logvar, mu.clone()))
        expected = -0.5 * (math.log(2 * math.pi) + logvar.double()).sum(dim=1)
        self.assertClose(found, expected.float(), "The density at z = mu is wrong: look at the normalizing constant")

    @number("Q1.2")
    @weight(1)
    @special
    def test_odd_inputs(self):
        """A batch of one, float64, tensors that are not contiguous, images, wide and narrow densities."""
        one = tuple(self.randn(1, 6, dtype=torch.float64) for _ in range(3))
        strided = tuple(columns(self.randn(6, 5)) for _ in range(3))
        images = tuple(self.randn(4, 2, 3, 5) for _ in range(3))
        wide, narrow = ((self.randn(3, 2), self.randn(3, 2) + shift, self.randn(3, 2)) for shift in (9, -5))
        inputs = one, strided, images, wide, narrow
        found = self.observe(lambda q1: tuple(q1.log_likelihood_normal(*a) for a in inputs))
        self.assertClose(
            found,
            tuple(self.law(*a) for a in inputs),
            "It fails on other shapes: sum over everything but the batch dimension, and set no size by hand",
        )

    @number("Q1.2")
    @weight(1)
    @special
    @inputs_survive
    def test_gradient(self):
        """Its gradients are right, and it leaves its inputs alone."""
        inputs = mu, logvar, z = self.randn(5, 3), self.rand(5, 3, low=-1, high=1), self.randn(5, 3)
        score = (z - mu) / logvar.exp()
        expected = score, 0.5 * (score * (z - mu) - 1), -score
        look = lambda q1: derivatives(q1.log_likelihood_normal, *inputs)  # noqa: E731
        self.check_gradient(look, self.law(*inputs), expected, inputs)

    @staticmethod
    def law(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
        normal = Normal(mu.double(), (0.5 * logvar.double()).exp())
        return normal.log_prob(z.double()).flatten(1).sum(dim=1).float()


class LogMeanExp(Differentiable):
    about = "This is not log(1/K sum_k exp(y_k)), one number per row"

    @number("Q1.3")
    @weight(3)
    def test_moderate_values(self):
        """It is log(mean(exp(y))) of each row."""
        y = self.randn(97, 5) * 2
        found = self.observe(lambda q1: q1.log_mean_exp(y=y))
        expected = y.double().exp().mean(dim=1).log()
        self.assertClose(found, expected.float(), self.about)

    @number("Q1.3")
    @weight(3)
    @special
    def test_extreme_values(self):
        """It stays exact where exp() overflows or underflows."""
        y = self.randn(5, 4)
        y[0] += 1000
        y[1] -= 1000
        y[2, :2] += 1000
        y[2, 2:] -= 1000
        y[3, 1] += 90
        found = self.observe(lambda q1: q1.log_mean_exp(y))
        expected = y.double().logsumexp(dim=1) - math.log(4)
        self.assertClose(
            found,
            expected.float(),
            "With numbers like 1000 and -1000 it overflows or underflows: each row needs its own shift",
            terms=8,
        )

    @number("Q1.3")
    @weight(1)
    @special
    def test_odd_inputs(self):
        """A single row, a single column, float64, a tensor that is not contiguous."""
        # Two more than standard normal: no result is so near to 0 that its rounding looks large beside it.
        one, column, double = self.randn(1, 7) + 2, self.randn(6, 1) + 2, self.randn(3, 3, dtype=torch.float64) + 2
        inputs = one, column, double, columns(self.randn(6, 5) + 2)
        found = self.observe(lambda q1: tuple(q1.log_mean_exp(y) for y in inputs))
        expected = tuple((y.double().logsumexp(dim=1) - math.log(y.shape[1])).float() for y in inputs)
        self.assertClose(found, expected, "It fails on other shapes, such as one row (1, K) or one sample (B, 1)")

    @number("Q1.3")
    @weight(1)
    @special
    @inputs_survive
    def test_gradient(self):
        """Its gradient is the softmax of the row, and it leaves y alone."""
        y = self.randn(5, 3) + 2  # no result is near 0, beside which its rounding would look large
        value = (y.double().logsumexp(dim=1) - math.log(3)).float()
        look = lambda q1: derivatives(q1.log_mean_exp, y)  # noqa: E731
        self.check_gradient(look, value, (y.softmax(dim=1),), (y,))


class KLAnalytic(Differentiable):
    about = "This is not KL(q || p), summed over D, one number per sample"

    @number("Q1.4")
    @weight(3)
    def test_divergence(self):
        """It is KL(q || p)."""
        q_and_p = self.gaussians(97, 5)
        found = self.observe(
            lambda q1: q1.kl_gaussian_gaussian_analytic(
                mu_q=q_and_p[0], logvar_q=q_and_p[1], mu_p=q_and_p[2], logvar_p=q_and_p[3]
            )
        )
        self.assertClose(found, self.law(*q_and_p), self.about)

    @number("Q1.4")
    @weight(1)
    @special
    def test_zero_where_equal(self):
        """It is 0 where q = p, and positive elsewhere."""
        mu_q, logvar_q, mu_p, logvar_p = self.gaussians(9, 4)
        mu_p[::2], logvar_p[::2] = mu_q[::2], logvar_q[::2]
        mu_p[1], logvar_p[3] = mu_q[1], logvar_q[3]  # rows that differ in the variance only, in the mean only
        found = self.observe(lambda q1: q1.kl_gaussian_gaussian_analytic(mu_q, logvar_q, mu_p, logvar_p))
        expected = self.law(mu_q, logvar_q, mu_p, logvar_p)
        self.assertClose(found, expected, "It is not 0 where q = p, or wrong where only mean or variance differ")

    @number("Q1.4")
    @weight(1)
    @special
    def test_odd_inputs(self):
        """A batch of one, float64, tensors that are not contiguous, images, variances far from 1."""
        one = tuple(self.randn(1, 6, dtype=torch.float64) for _ in range(4))
        strided = tuple(columns(self.randn(6, 5)) for _ in range(4))
        images = self.gaussians(4, 2, 3, 5)
        narrow, wide = (tuple(self.randn(3, 2) + shift for shift in shifts) for shifts in ((0, -7, 0, 1), (0, 0, 0, 8)))
        inputs = one, strided, images, narrow, wide
        found = self.observe(lambda q1: tuple(q1.kl_gaussian_gaussian_analytic(*a) for a in inputs))
        self.assertClose(
            found,
            tuple(self.law(*a) for a in inputs),
            "It fails on other shapes: sum over everything but the batch dimension, and set no size by hand",
        )

    @number("Q1.4")
    @weight(1)
    @special
    @inputs_survive
    def test_gradient(self):
        """Its gradients are right, and it leaves its inputs alone."""
        q_and_p = self.gaussians(5, 3)
        inputs = leaves(*q_and_p)
        mu_q, logvar_q, mu_p, logvar_p = inputs
        law = kl_divergence(Normal(mu_q, (0.5 * logvar_q).exp()), Normal(mu_p, (0.5 * logvar_p).exp()))
        look = lambda q1: derivatives(q1.kl_gaussian_gaussian_analytic, *q_and_p)  # noqa: E731
        self.check_gradient(look, self.law(*q_and_p), gradients(law, *inputs), q_and_p)

    def gaussians(self, *shape: int) -> tuple[Tensor, ...]:
        logvar_q, logvar_p = self.rand(*shape, low=-1.5, high=1.5), self.rand(*shape, low=-1.5, high=1.5)
        return self.randn(*shape), logvar_q, self.randn(*shape), logvar_p

    @staticmethod
    def law(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
        q = Normal(mu_q.double(), (0.5 * logvar_q.double()).exp())
        p = Normal(mu_p.double(), (0.5 * logvar_p.double()).exp())
        return kl_divergence(q, p).flatten(1).sum(dim=1).float()


class QuadraticLaw:
    """The law of  l_q(z) - l_p(z), z ~ q,  for l(z) = sum_i (w_i (z_i - mu_i)^2 + c_i), by dimension.

    Such are the normal log-density (w = -1/2 exp(-logvar), c = -1/2 logvar) and the stand-in (w = k logvar, c = 0).
    """

    def __init__(self, q_and_p: tuple[Tensor, ...], stand_in: float = 0.0):
        """stand_in: its k; 0 for the normal log-density."""
        mu_q, logvar_q, mu_p, logvar_p = (parameter.double() for parameter in q_and_p)
        variance, shift, k = logvar_q.exp(), mu_q - mu_p, stand_in
        w_q, w_p = (k * logvar_q, k * logvar_p) if k else (-0.5 * (-logvar_q).exp(), -0.5 * (-logvar_p).exp())
        constant = 0.0 if k else 0.5 * (logvar_p - logvar_q)
        self.mean = ((w_q - w_p) * variance - w_p * shift.square() + constant).sum(dim=1)
        spread = 2 * ((w_q - w_p) * variance).square() + 4 * w_p.square() * variance * shift.square()
        self.variance = spread.sum(dim=1)
        # Through z = mu_q + sigma_q eps, the first term does not depend on mu_q, and the second is linear.
        self.gradient_mean = -2 * w_p * shift
        self.gradient_std = 2 * w_p.abs() * variance.sqrt()
        # By logvar_q it is a eps^2 + b eps + c in each dimension, with (w_q variance)' in a and c_q' = c.
        a = (k * variance * (1 + logvar_q) if k else 0.0) - w_p * variance
        self.logvar_mean = a + (0.0 if k else -0.5)
        self.logvar_std = (2 * a.square() + (w_p * shift).square() * variance).sqrt()


def weighted_distance(k: float) -> Callable:
    """In the place of log_likelihood_normal: as simple, and also quadratic in z, so that the laws above hold for it."""

    def stand_in(mu, logvar, z):
        return (k * logvar * (z - mu).square()).flatten(1).sum(dim=1)

    return stand_in


class KLMonteCarlo(Exercise):
    """Statistics of many repeated rows. The estimates are sums of chi-squared variables: with thousands of repetitions
    their mean has a tail only slightly above a normal one (at most 5e-7 where 1e-7 is asked for)."""

    module = "q1_vae"

    @number("Q1.5")
    @weight(2)
    def test_one_sample_is_unbiased(self):
        """With one sample, the expected value is KL(q || p)."""
        repetitions, q_and_p = self.repeated(4000)
        look = self.look(q_and_p, repetitions)
        sentence = "The mean over many estimates with num_samples=1 is not KL(q || p)"

        def law(found, truth):
            self.assertEqual(found.shape, (4000, 3), "The result has not one number for each element of the batch")
            alike = bool((found.double().std(dim=0) <= 1e-4 * found.double().abs().amax(dim=0)).all())
            self.assertFalse(alike, "All rows of equal parameters give the same number: each needs noise of its own")
            self.assertMean(found, truth.mean, truth.variance.sqrt(), sentence)
            # Far outside of what chance does to the variance of 4000 estimates (a standard error of at most 6 %).
            apart = bool((found.double().var(dim=0) > 0.5 * truth.variance).all())
            self.assertTrue(apart, "The estimates vary too little: does every element of the batch have its own noise?")

        self.observe_law(look, law, self.cases(q_and_p))

    @number("Q1.5")
    @weight(2)
    def test_samples_are_averaged(self):
        """With many samples it is unbiased too, and the variance falls as 1 / num_samples."""
        repetitions, q_and_p = self.repeated(500)
        mu_q, _, mu_p, _ = q_and_p
        mu_p[2] = mu_q[2]  # with equal means only squares of the noise are left: those of Gaussian numbers
        look = self.look(q_and_p, repetitions, num_samples=40)
        biased = "The mean over many estimates with num_samples=40 is not KL(q || p)"
        noisy = "The variance does not fall as 1 / num_samples: are all samples drawn, each for itself, and averaged?"

        def law(found, truth):
            self.assertEqual(found.shape, (500, 3), "With num_samples=40 the result has not the shape (B,)")
            self.assertMean(found, truth.mean, None, biased)  # however many samples there are
            # A chi-squared variable has 12 more than a Gaussian's kurtosis, the mean of 40 has 12 / 40.
            self.assertVariance(found, truth.variance / 40, noisy, excess=12 / 40)

        self.observe_law(look, law, self.cases(q_and_p))

    @number("Q1.5")
    @weight(1)
    def test_rows_stay_apart(self):
        """Every element of the batch is estimated from its own samples: 0 where q = p, whatever the shape."""
        mu_q, logvar_q, mu_p, logvar_p = self.randn(97, 3), self.randn(97, 3), self.randn(97, 3) + 3, self.randn(97, 3)
        mu_p[::2], logvar_p[::2] = mu_q[::2], logvar_q[::2]
        q_and_p = mu_q, logvar_q, mu_p, logvar_p
        one = tuple(0.5 * self.randn(1, 2, dtype=torch.float64) for _ in range(4))
        images = tuple(0.5 * self.randn(4, 2, 1, 3) for _ in range(4))

        def look(q1):
            kl = q1.kl_gaussian_gaussian_mc
            many = (kl(*inputs, num_samples=2000) for inputs in (one, images))
            return kl(*(v.clone() for v in q_and_p), 1), kl(*(v.clone() for v in q_and_p), num_samples=4), *many

        def law(found, k):
            sentence = "The result has not the shape (B,) for every batch size, num_samples and shape of the inputs"
            shapes = [tuple(v.shape) if isinstance(v, Tensor) else None for v in found]
            self.assertEqual(shapes, [(97,), (97,), (1,), (4,)], sentence)
            for estimates in found[:2]:
                zero = estimates[::2].abs().max() < 1e-4 * estimates.abs().max()
                self.assertTrue(bool(zero), "It is not 0 in the rows where q = p: are rows mixed with each other?")
            sentence = "For one row in float64, or for images, the mean of 2000 samples is too far from KL(q || p)"
            for estimates, inputs in zip(found[2:], (one, images), strict=True):
                truth = QuadraticLaw(tuple(v.flatten(1) for v in inputs), k)
                self.assertMean(estimates.reshape(1, -1), truth.mean, (truth.variance / 2000).sqrt(), sentence)

        k = self.number(0.5, 2)
        self.observe_law(look, law, [({"log_likelihood_normal": weighted_distance(k)}, [k, 0.0]), ({}, [0.0])])

    @number("Q1.5")
    @weight(1)
    @special
    @inputs_survive
    def test_gradient(self):
        """Its gradients by mu_q and logvar_q are unbiased; each call draws new noise, and leaves its inputs alone."""
        repetitions, q_and_p = self.repeated(1000)
        batch, inputs = len(q_and_p[0]), tuple(parameter.repeat(repetitions, 1) for parameter in q_and_p)

        def look(q1):
            found = derivatives(lambda *a: q1.kl_gaussian_gaussian_mc(*a, num_samples=2), *inputs)
            return found | {"gradients": found["gradients"][:2], "inputs": tuple(v[:batch] for v in found["inputs"])}

        def law(found, truth):
            value = found["value"]
            shaped = isinstance(value, Tensor) and value.shape == (3 * repetitions,)
            self.assertTrue(shaped, "The result has not one number for each element of the batch")
            biased = "The mean over many estimates with num_samples=2 is not KL(q || p)"
            self.assertMean(value.reshape(repetitions, 3), truth.mean, (truth.variance / 2).sqrt(), biased)
            self.assertFalse(found["touched"], "It calls backward() itself: leave that to the caller")
            sentence = "The gradient does not reach the parameters of q as it should: z must be mu_q + sigma_q * eps"
            self.assertTrue(all(isinstance(g, Tensor) for g in found["gradients"]), sentence)
            mu, logvar = (g.reshape(repetitions, *q_and_p[0].shape) for g in found["gradients"])
            self.assertMean(mu, truth.gradient_mean, truth.gradient_std / math.sqrt(2), sentence)
            self.assertMean(logvar, truth.logvar_mean, truth.logvar_std / math.sqrt(2), sentence)
            self.assertClose(found["inputs"], q_and_p, "The inputs are changed in place")

        self.observe_law(look, law, self.cases(q_and_p))
        many = tuple(parameter.repeat(10, 1) for parameter in q_and_p)
        draw = lambda q1: q1.kl_gaussian_gaussian_mc(*many)  # noqa: E731
        self.check_random(draw, "kl_gaussian_gaussian_mc", replacing={"log_likelihood_normal": weighted_distance(1.0)})

    # ------------------------------------------------------------

    def repeated(self, repetitions: int) -> tuple[int, tuple[Tensor, ...]]:
        """Three pairs of q and p in two dimensions, well apart."""
        logvars = [self.rand(3, 2, low=0.3, high=1.2) * torch.tensor([[1, -1], [-1, 1], [1, 1]]) for _ in range(2)]
        return repetitions, (self.randn(3, 2), logvars[0], self.randn(3, 2) + 2, logvars[1])

    @staticmethod
    def look(q_and_p: tuple[Tensor, ...], repetitions: int, **options) -> Callable:
        """(repetitions, 3) estimates, from one call with as many rows."""

        def look(q1):
            found = q1.kl_gaussian_gaussian_mc(*(parameter.repeat(repetitions, 1) for parameter in q_and_p), **options)
            if not isinstance(found, Tensor) or found.shape != (3 * repetitions,):
                return found
            return found.reshape(repetitions, 3)

        return look

    def cases(self, q_and_p: tuple[Tensor, ...]) -> list[tuple]:
        """With a stand-in for log_likelihood_normal, or, for code that calls none, with the density.

        Last, the student's own function counts too, if everything is right with it.
        """
        flat = tuple(parameter.flatten(1) for parameter in q_and_p)
        k = self.number(0.5, 2)
        normal, other = QuadraticLaw(flat), QuadraticLaw(flat, k)
        return [({"log_likelihood_normal": weighted_distance(k)}, [other, normal]), ({}, [normal])]
