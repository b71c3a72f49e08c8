"""Hidden tests of vae.py. Instructors read this file; students never see it.

Expected values come from torch.distributions or from a closed form, in float64. The VAE's networks are replaced, inside
the looks, by affine maps, so that all that follows from them can be computed. Where a method calls earlier exercises,
these are replaced by stand-ins that are right (KNOWN), so that it is judged on its own merits whatever it calls and
whatever it writes out.
"""

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from autograder.grading.exercise import NO_GRADIENT, Exercise, Wrong, described, gradients, leaves, number, weight

# ---------------------------------------------------------------- stand-ins for earlier exercises


def normal_of(distribution) -> Normal:
    return Normal(distribution.mean, distribution.std, validate_args=False)


def known_sample(self, noise=None):
    return normal_of(self).rsample() if noise is None else torch.addcmul(self.mean, self.std, noise)


def known_kl(self):
    standard = Normal(torch.zeros_like(self.mean), 1.0, validate_args=False)
    return kl_divergence(normal_of(self), standard).flatten(1).sum(dim=1)


def known_nll(self, sample, dims=(1, 2, 3)):
    return -normal_of(self).log_prob(sample).sum(dim=tuple(dims))


def known_mode(self):
    return normal_of(self).mode


class Known:
    """A distribution as encode and decode return it, when they are replaced."""

    def __init__(self, mean: Tensor, logvar: Tensor | None = None):
        self.mean, self.logvar = mean, torch.zeros_like(mean) if logvar is None else logvar
        self.std, self.var = (0.5 * self.logvar).exp(), self.logvar.exp()

    sample, kl, nll, mode = known_sample, known_kl, known_nll, known_mode


DISTRIBUTION = {
    "DiagonalGaussianDistribution.sample": known_sample,
    "DiagonalGaussianDistribution.kl": known_kl,
    "DiagonalGaussianDistribution.nll": known_nll,
    "DiagonalGaussianDistribution.mode": known_mode,
}
KNOWN = DISTRIBUTION | {
    "VAE.encode": lambda self, x: self.probes.encode(x),
    "VAE.decode": lambda self, z: self.probes.decode(z),
}


# ---------------------------------------------------------------- networks whose results can be computed


class Affine(nn.Module):
    """h (B, F) -> h A + a, as (B, *shape); bent: through a tanh."""

    def __init__(self, matrix: Tensor, shift: Tensor, shape: tuple[int, ...], bent: bool = False):
        super().__init__()
        self.matrix, self.shift = nn.Parameter(matrix.clone()), nn.Parameter(shift.clone())
        self.shape, self.bent = shape, bent

    def forward(self, h: Tensor) -> Tensor:
        result = (h.flatten(1) @ self.matrix + self.shift).reshape(-1, *self.shape)
        return result.tanh() if self.bent else result


class Probes:
    """Networks for images of `shape` and D latent dimensions, made from matrices and shifts by name."""

    def __init__(self, numbers: Mapping[str, Tensor], shape: tuple[int, ...], bent: bool = False):
        latent = (len(numbers["mean shift"]),)
        self.mean = Affine(numbers["mean"], numbers["mean shift"], latent)
        self.logvar = Affine(numbers["logvar"], numbers["logvar shift"], latent)
        self.decoder = Affine(numbers["decoder"], numbers["decoder shift"], shape, bent)

    def encode(self, x: Tensor) -> Known:
        return Known(self.mean(x), self.logvar(x))

    def decode(self, z: Tensor) -> Known:
        return Known(self.decoder(z))

    def into(self, vae, dtype: torch.dtype = torch.float32):
        """The module's VAE with these networks."""
        model = vae.VAE(in_channels=2, decoder_features=1, encoder_features=1, z_dim=len(self.mean.shift),
                        input_size=8, device="cpu")  # fmt: skip
        model.encoder, model.mean, model.logvar, model.decoder = nn.Flatten(), self.mean, self.logvar, self.decoder
        object.__setattr__(model, "probes", self)  # not as a part of the model
        return model.to(dtype)

    def parameters(self) -> list[Tensor]:
        networks = self.mean, self.logvar, self.decoder
        return [parameter for network in networks for parameter in network.parameters()]


def parameters_of(distribution):
    """What crosses the border of a distribution; of anything else, that."""
    names = ("mean", "logvar", "std", "var")
    if not all(isinstance(getattr(distribution, name, None), Tensor) for name in names):
        return distribution
    return {name: getattr(distribution, name) for name in names}


def law(mean: Tensor, logvar: Tensor) -> Normal:
    return Normal(mean.double(), (0.5 * logvar.double()).exp())


class VaeExercise(Exercise):
    module = "vae"

    def gaussian(self, *shape: int) -> tuple[Tensor, Tensor]:
        return self.randn(*shape), self.rand(*shape, low=-1.5, high=1.5)

    def probes(self, shape: tuple[int, ...] = (2, 3, 2), latent: int = 3, bent: bool = False) -> Probes:
        pixels = math.prod(shape)
        return Probes(
            {
                "mean": self.randn(pixels, latent) / pixels**0.5,
                "mean shift": self.randn(latent),
                "logvar": 0.3 * self.randn(pixels, latent) / pixels**0.5,
                "logvar shift": self.rand(latent, low=-1.2, high=0.5),
                "decoder": self.randn(latent, pixels),
                "decoder shift": self.randn(pixels),
            },
            shape,
            bent,
        )

    def either(self, look: Callable, law: Callable, replacing: Mapping = KNOWN) -> None:
        """`law(found)` must hold with stand-ins, or with the student's own; the first failure is told."""
        first = None
        for stand_ins in (replacing, {}):
            try:
                return law(self.observe(look, replacing=stand_ins))
            except AssertionError as wrong:
                first = first or wrong
                if isinstance(wrong, Wrong) and wrong.failure and wrong.failure.kind == "time":
                    raise
        del self.seen[1:]  # what explains a failure is the first look
        raise first

    def assertNoise(self, samples, mean: Tensor, variance: Tensor | float, about: str) -> None:
        """(N, ...): N independent draws with these moments, each entry of a draw with noise of its own."""
        samples = self._numbers(samples, about)
        if samples.shape[1:] != mean.shape:
            raise Wrong(about)
        variance = torch.as_tensor(variance, dtype=torch.float64).expand(mean.shape)
        self.assertMean(samples, mean.double(), variance.sqrt(), f"The mean of many draws is wrong: {about}")
        self.assertVariance(samples, variance, f"The variance of many draws is wrong: {about}")
        noise = ((samples - mean) / variance.sqrt()).flatten(1)
        together = noise.sum(dim=1) / math.sqrt(noise.shape[1])
        self.assertVariance(together, 1.0, f"Entries of one draw share their noise: {about}")


# ---------------------------------------------------------------- DiagonalGaussianDistribution


class Sample(VaeExercise):
    @number("Q1.1")
    @weight(3)
    def test_given_noise(self):
        """With noise given, it is a scaled and shifted copy of the noise: for latents and for images."""
        cases = [(*self.gaussian(*s), self.randn(*s)) for s in ((97, 5), (3, 2, 4, 3))]

        def look(vae):
            return tuple(vae.DiagonalGaussianDistribution(m, v).sample(noise=e) for m, v, e in cases)

        expected = tuple((m.double() + (0.5 * v.double()).exp() * e).float() for m, v, e in cases)
        self.assertClose(self.observe(look), expected, "With noise given, it is not mean + std * noise")

    @number("Q1.1")
    @weight(2)
    def test_gradient(self):
        """It is reparameterized: gradients reach mean and logvar through the sample."""
        mean, logvar = self.gaussian(5, 3)
        noise = self.randn(5, 3)

        def look(vae):
            m, v = leaves(mean, logvar)
            return gradients(vae.DiagonalGaussianDistribution(m, v).sample(noise=noise), m, v)

        expected = torch.ones(5, 3), 0.5 * (0.5 * logvar).exp() * noise
        self.assertClose(
            self.observe(look), expected, "The gradient of the sample by mean or logvar is missing or wrong"
        )

    @number("Q1.1")
    @weight(2)
    def test_own_noise(self):
        """Without noise given, it draws standard normal noise, for every entry."""
        mean, logvar = self.gaussian(3, 2)

        def look(vae):
            many = vae.DiagonalGaussianDistribution(mean.repeat(4000, 1), logvar.repeat(4000, 1)).sample()
            return many.reshape(4000, 3, 2) if isinstance(many, Tensor) and many.shape == (12000, 2) else many

        about = "without noise it must follow N(mean, diag(exp(logvar)))"
        self.assertNoise(self.observe(look), mean, logvar.double().exp(), about)


class Divergence(VaeExercise):
    @number("Q1.2")
    @weight(3)
    def test_divergence(self):
        """It is KL(N(mean, diag(var)) || N(0, I)), one number for each element of the batch."""
        mean, logvar = self.gaussian(97, 5)
        found = self.observe(lambda vae: vae.DiagonalGaussianDistribution(mean=mean, logvar=logvar).kl())
        self.assertClose(found, self.truth(mean, logvar), "This is not the divergence from N(0, I), summed over D")

    @number("Q1.2")
    @weight(1)
    def test_zero_for_the_standard_normal(self):
        """It is 0 for N(0, I) itself; right where only the mean, or only the variance, differs from it."""
        mean, logvar = self.gaussian(6, 4)
        mean[:4], logvar[:2], logvar[4:] = 0, 0, 0
        found = self.observe(lambda vae: vae.DiagonalGaussianDistribution(mean, logvar).kl())
        self.assertClose(found, self.truth(mean, logvar), "It is not 0 for N(0, I), or wrong where one of both differs")

    @number("Q1.2")
    @weight(1)
    def test_odd_inputs(self):
        """A batch of one, in float64; a distribution without logvar."""
        mean, logvar = self.randn(1, 6, dtype=torch.float64), self.randn(1, 6, dtype=torch.float64)
        wide = self.randn(3, 7)

        def look(vae):
            make = vae.DiagonalGaussianDistribution
            return make(mean, logvar).kl(), make(wide).kl()

        expected = self.truth(mean, logvar), self.truth(wide, torch.zeros_like(wide))
        self.assertClose(self.observe(look), expected, "It is wrong for one float64 element, or without logvar")

    @number("Q1.2")
    @weight(1)
    def test_gradient(self):
        """Its gradients are right, and it leaves mean and logvar alone."""
        mean, logvar = self.gaussian(5, 3)

        def look(vae):
            m, v = leaves(mean, logvar)
            return *gradients(vae.DiagonalGaussianDistribution(m, v).kl(), m, v), m, v

        expected = mean, 0.5 * (logvar.exp() - 1), mean, logvar
        self.assertClose(self.observe(look), expected, "A gradient is wrong: no detach(), no item(), nothing in place")

    @staticmethod
    def truth(mean: Tensor, logvar: Tensor) -> Tensor:
        standard = Normal(torch.zeros(mean.shape, dtype=torch.float64), 1.0)
        return kl_divergence(law(mean, logvar), standard).sum(dim=1).float()


class NegativeLogLikelihood(VaeExercise):
    @number("Q1.3")
    @weight(3)
    def test_images(self):
        """For images, it is the negative log-density, summed over channels and pixels."""
        mean, logvar = self.gaussian(7, 3, 4, 5)
        x = self.randn(7, 3, 4, 5)
        found = self.observe(lambda vae: vae.DiagonalGaussianDistribution(mean=mean, logvar=logvar).nll(sample=x))
        self.assertClose(found, self.truth(mean, logvar, x, (1, 2, 3)), "This is not - log N(x; mean, diag(var))")

    @number("Q1.3")
    @weight(1)
    def test_normalizing_constant(self):
        """At the mean, only the normalizing constant is left."""
        mean, logvar = self.gaussian(5, 2, 3, 2)
        found = self.observe(lambda vae: vae.DiagonalGaussianDistribution(mean, logvar).nll(mean.clone()))
        expected = self.truth(mean, logvar, mean, (1, 2, 3))
        self.assertClose(found, expected, "At sample = mean it is wrong: look at the normalizing constant")

    @number("Q1.3")
    @weight(2)
    def test_dims(self):
        """`dims` says which dimensions are summed: [1] for latents, [2, 3] leaves the channels."""
        latents, images = (
            (*self.gaussian(11, 6), self.randn(11, 6)),
            (*self.gaussian(4, 3, 2, 5), self.randn(4, 3, 2, 5)),
        )

        def look(vae):
            (m, v, z), (mean, logvar, x) = latents, images
            make = vae.DiagonalGaussianDistribution
            return make(m, v).nll(z, dims=[1]), make(mean, logvar).nll(x, dims=[2, 3])

        expected = self.truth(*latents, (1,)), self.truth(*images, (2, 3))
        self.assertClose(self.observe(look), expected, "With dims=[1] or dims=[2, 3] it does not sum over just these")

    @number("Q1.3")
    @weight(1)
    def test_gradient(self):
        """Its gradients are right, also in float64, and it leaves its inputs alone."""
        mean, logvar, z = (self.randn(1, 4, dtype=torch.float64) for _ in range(3))

        def look(vae):
            m, v, s = leaves(mean, logvar, z)
            return *gradients(vae.DiagonalGaussianDistribution(m, v).nll(s, dims=[1]), m, v, s), m, v, s

        score = (z - mean) / logvar.exp()
        expected = tuple(t.float() for t in (-score, 0.5 - 0.5 * score * (z - mean), score, mean, logvar, z))
        self.assertClose(self.observe(look), expected, "A gradient is wrong: no detach(), no item(), nothing in place")

    @staticmethod
    def truth(mean: Tensor, logvar: Tensor, sample: Tensor, dims: tuple[int, ...]) -> Tensor:
        return -law(mean, logvar).log_prob(sample.double()).sum(dim=dims).float()


class Mode(VaeExercise):
    @number("Q1.4")
    @weight(1)
    def test_mode(self):
        """It is where the density is highest: for latents and for images, whatever the variance."""
        (m, v), (mean, logvar) = self.gaussian(9, 4), self.gaussian(2, 3, 4, 5)

        def look(vae):
            return vae.DiagonalGaussianDistribution(m, v).mode(), vae.DiagonalGaussianDistribution(mean, logvar).mode()

        self.assertClose(self.observe(look), (m, mean), "This is not the point with the highest density")


# ---------------------------------------------------------------- VAE


class Encode(VaeExercise):
    @number("Q1.5")
    @weight(2)
    def test_mean(self):
        """The mean of q(z|x) is what self.mean makes of the hidden output of the encoder."""
        self.assertClose(self.encoded()["mean"], self.expected.mean, "The mean is not self.mean of self.encoder(x)")

    @number("Q1.5")
    @weight(2)
    def test_log_variance(self):
        """The logarithm of the variance of q(z|x) is what self.logvar makes of it."""
        self.assertClose(
            self.encoded()["logvar"], self.expected.logvar, "The logvar is not self.logvar of self.encoder(x)"
        )

    @number("Q1.5")
    @weight(1)
    def test_networks(self):
        """With the given networks: the right shapes, and all three networks are trained through it."""
        x = self.randn(3, 3, 32, 32)

        def look(vae):
            model = vae.VAE(decoder_features=2, encoder_features=2, z_dim=7, device="cpu")
            posterior = model.encode(x)
            hidden = model.encoder(x)
            value = posterior.mean.square().sum() + posterior.logvar.sum()
            used = [p for network in (model.encoder, model.mean, model.logvar) for p in network.parameters()]
            return posterior.mean, model.mean(hidden), posterior.logvar, model.logvar(hidden), gradients(value, *used)

        mean, mean_law, logvar, logvar_law, slopes = self.observe(look)
        sentence = "With the given networks, mean or logvar is not what the networks say"
        self.assertClose((mean, logvar), (mean_law, logvar_law), sentence)
        self.assertNotIn(NO_GRADIENT, slopes, "A network gets no gradient: no detach()")

    def encoded(self) -> dict:
        probes, x = self.probes(), self.randn(5, 2, 3, 2)
        with torch.no_grad():
            self.expected = probes.encode(x)
        found = self.observe(lambda vae: parameters_of(probes.into(vae).encode(x=x)))
        if not isinstance(found, dict):
            raise Wrong(f"It returned {described(found)} instead of a DiagonalGaussianDistribution")
        return found


class Decode(VaeExercise):
    @number("Q1.6")
    @weight(2)
    def test_mean(self):
        """The mean of p(x|z) is what the decoder makes of z."""
        self.assertClose(self.decoded()["mean"], self.expected, "The mean is not self.decoder(z)")

    @number("Q1.6")
    @weight(2)
    def test_identity_covariance(self):
        """The covariance of p(x|z) is exactly the identity, in the shape of the images."""
        found, zeros = self.decoded(), torch.zeros_like(self.expected)
        actual = tuple(found[name] for name in ("logvar", "std", "var"))
        self.assertClose(actual, (zeros, zeros + 1, zeros + 1), "The variance of p(x|z) is not 1 for every pixel")

    @number("Q1.6")
    @weight(1)
    def test_networks(self):
        """With the given decoder: images of the right shape, and gradients that reach it and z."""
        z = self.randn(3, 7)

        def look(vae):
            model = vae.VAE(decoder_features=2, encoder_features=2, z_dim=7, device="cpu")
            (leaf,) = leaves(z)
            mean = model.decode(leaf).mean
            return mean, model.decoder(z), gradients(mean, leaf, *model.decoder.parameters())

        mean, mean_law, slopes = self.observe(look)
        self.assertClose(mean, mean_law, "With the given decoder, the mean is not self.decoder(z)")
        self.assertNotIn(NO_GRADIENT, slopes, "The decoder or z gets no gradient")

    def decoded(self) -> dict:
        probes, z = self.probes(), self.randn(5, 3)
        with torch.no_grad():
            self.expected = probes.decoder(z)
        found = self.observe(lambda vae: parameters_of(probes.into(vae).decode(z=z)))
        if not isinstance(found, dict):
            raise Wrong(f"It returned {described(found)} instead of a DiagonalGaussianDistribution")
        return found


class Generate(VaeExercise):
    @number("Q1.7")
    @weight(2)
    def test_given_noise(self):
        """With noise given, that is the z which is decoded; the image is the mode of p(x|z)."""
        probes, noise = self.probes(bent=True), self.randn(5, 3)
        self.check(
            lambda vae: probes.into(vae).sample(batch_size=5, noise=noise),
            "It is not the mode of p(x|z) for z = noise",
            replacing=KNOWN,
        )

    @number("Q1.7")
    @weight(2)
    def test_own_noise(self):
        """Without noise given, z comes from the prior N(0, I), another one for each image."""
        probes = self.probes(shape=(3, 1, 1))
        with torch.no_grad():
            probes.decoder.matrix.copy_(torch.eye(3)), probes.decoder.shift.zero_()

        def law(found):
            about = "z must be standard normal, (batch_size, z_dim), and the mode of p(x|z) is returned, not a sample"
            self.assertNoise(found, torch.zeros(3, 1, 1), 1.0, about)

        self.either(lambda vae: probes.into(vae).sample(batch_size=4000), law)

    @number("Q1.7")
    @weight(1)
    def test_networks(self):
        """With the given networks: one image of 3 x 32 x 32, and 5 of them."""

        def look(vae):
            model = vae.VAE(decoder_features=2, encoder_features=2, z_dim=7, device="cpu")
            object.__setattr__(model, "probes", Straight(model.decoder))
            images = model.sample(batch_size=1), model.sample(5)
            return tuple(tuple(i.shape) if isinstance(i, Tensor) else i for i in images)

        def law(found):
            self.assertEqual(found, ((1, 3, 32, 32), (5, 3, 32, 32)), "It does not return (batch_size, C, H, W)")

        self.either(look, law)


class Straight:
    """For KNOWN's decode, around a VAE's own decoder."""

    def __init__(self, decoder: nn.Module):
        self.decoder = decoder

    def decode(self, z: Tensor) -> Known:
        return Known(self.decoder(z))


class LinearGaussian:
    """A VAE with p(x|z) = N(W z + b, I), the columns of W orthogonal: evidence and posterior have a closed form.

        log p(x) = log N(x; b, W W' + I),    p(z|x) = N(S W'(x - b), S),    S = (I + W' W)^-1, diagonal

    The encoder is that posterior, with `wider` times its variance and moved by `moved` of its standard deviations.
    For any z, p(x, z) / p(z|x) = p(x): with the exact posterior the estimate has no noise at all.
    """

    def __init__(self, columns: Tensor, scales: Tensor, b: Tensor, shape: tuple, wider: float = 1.0, moved: float = 0):
        W = torch.linalg.qr(columns.double()).Q * scales.double()  # (P, D)
        variance = 1 / (1 + scales.double().square())
        self.b, self.W, self.wider, self.moved, self.latent = b.double(), W, wider, moved, len(scales)
        numbers = {
            "mean": W * variance,
            "mean shift": -(self.b @ W) * variance + moved * variance.sqrt(),
            "logvar": torch.zeros_like(W),
            "logvar shift": (wider * variance).log(),
            "decoder": W.T,
            "decoder shift": self.b,
        }
        self.probes = Probes({name: value.float() for name, value in numbers.items()}, shape)

    def log_evidence(self, x: Tensor) -> Tensor:
        covariance = self.W @ self.W.T + torch.eye(len(self.W), dtype=torch.float64)
        return MultivariateNormal(self.b, covariance).log_prob(x.double().flatten(1))

    def weight_variance(self) -> float:
        """Of w = p(z|x) / q(z|x), z ~ q, whose mean is 1. For each dimension, in units of the posterior's deviation,
        E[w^2] = int N(u; 0, 1)^2 / N(u; moved, wider) du."""
        rest = 2 * self.wider - 1
        square = self.wider / math.sqrt(rest) * math.exp(self.moved**2 / rest)
        return square**self.latent - 1

    def log_weight_moments(self) -> tuple[float, float]:
        """Mean and variance of log w, z ~ q: for each dimension, with u = moved + sqrt(wider) e and e standard normal,
        log w = log sqrt(wider) + e^2 / 2 - u^2 / 2."""
        s = self.wider
        mean = 0.5 * math.log(s) + 0.5 - 0.5 * (s + self.moved**2)
        variance = 0.5 * (1 - s) ** 2 + self.moved**2 * s
        return self.latent * mean, self.latent * variance


class LogLikelihood(VaeExercise):
    @number("Q1.8")
    @weight(3)
    def test_exact_posterior(self):
        """Where the encoder is the exact posterior, every sample gives log p(x), whatever K is."""
        model, x = self.linear_gaussian(shape=(2, 3, 2)), self.randn(7, 2, 3, 2)

        def look(vae):
            vae_model = model.probes.into(vae)
            return tuple(vae_model.log_likelihood(x=x, K=K) for K in (1, 7))

        expected = model.log_evidence(x).float()
        sentence = "In a linear-Gaussian VAE with the exact posterior, it is not log p(x), one number for each image"
        self.either(look, lambda found: self.assertClose(found, (expected, expected), sentence))

    @number("Q1.8")
    @weight(2)
    def test_large_images(self):
        """It is exact for images whose probability is too small to be represented."""
        model, x = self.linear_gaussian(shape=(3, 8, 8)), 2 * self.randn(3, 3, 8, 8)
        expected = model.log_evidence(x).float()
        sentence = "For larger images it is wrong: add logarithms, and let logsumexp do the exponentials"
        look = lambda vae: model.probes.into(vae).log_likelihood(x, K=5)  # noqa: E731
        self.either(look, lambda found: self.assertClose(found, expected, sentence))

    @number("Q1.8")
    @weight(3)
    def test_unbiased(self):
        """exp of the estimate is an unbiased estimate of p(x): with a q that is not the posterior, K = 5."""
        model, x = self.linear_gaussian(shape=(2, 2, 2), wider=1.6, moved=0.5), self.randn(1, 2, 2, 2)
        truth = model.log_evidence(x)
        sentence = "exp of the estimate is not p(x) on average: is each z_k drawn from q(z|x), and exp averaged over k?"

        def law(found):
            found = self._numbers(found, "It does not return one number for each image")
            self.assertEqual(found.shape, (3000,), "It does not return one number for each image")
            relative = (found - truth).clamp(max=20).exp()
            self.assertMean(relative, 1.0, math.sqrt(model.weight_variance() / 5), sentence)

        self.either(lambda vae: model.probes.into(vae).log_likelihood(x.repeat(3000, 1, 1, 1), K=5), law)

    @number("Q1.8")
    @weight(2)
    def test_bound(self):
        """With K = 1 it is the ELBO on average; with K = 50 it comes closer to log p(x)."""
        model, x = self.linear_gaussian(shape=(2, 2, 2), wider=2.0, moved=0.8), self.randn(1, 2, 2, 2)
        truth = model.log_evidence(x)
        gap, variance = model.log_weight_moments()

        def look(vae):
            vae_model, many = model.probes.into(vae), x.repeat(1500, 1, 1, 1)
            return vae_model.log_likelihood(many, K=1), vae_model.log_likelihood(many, K=50)

        def law(found):
            one, fifty = (self._numbers(f, "It does not return one number for each image") for f in found)
            self.assertMean(one - truth, gap, math.sqrt(variance), "With K = 1 the mean is not the ELBO")
            closer = float((fifty - truth).mean())
            sentence = "With K = 50 it is not closer to log p(x) than the ELBO: K different z_k are needed"
            self.assertTrue(0.5 * gap < closer < 0.1, sentence)

        self.either(look, law)

    def linear_gaussian(self, shape: tuple[int, ...], **options: float) -> LinearGaussian:
        pixels = math.prod(shape)
        scales = self.rand(3, low=0.7, high=1.5)
        return LinearGaussian(self.randn(pixels, 3), scales, self.randn(pixels), shape, **options)


class Forward(VaeExercise):
    @number("Q1.9")
    @weight(1)
    def test_mode(self):
        """The first result is the mode of p(x|z), for z = mean + std * noise."""
        self.component(0, "The first result is not the mode of p(x|z), with z drawn from q(z|x) by the given noise")

    @number("Q1.9")
    @weight(2)
    def test_nll(self):
        """The second is - log p(x|z), one number for each image."""
        self.component(1, "The second result is not - log p(x|z), (B,)")

    @number("Q1.9")
    @weight(2)
    def test_kl(self):
        """The third is KL(q(z|x) || p(z)), one number for each image."""
        self.component(2, "The third result is not the divergence of q(z|x) from the prior, (B,)")

    @number("Q1.9")
    @weight(2)
    def test_gradient(self):
        """The gradient of nll + kl reaches all networks, through the sample."""
        probes, x, noise = self.probes(), self.randn(5, 2, 3, 2), self.randn(5, 3)

        def look(vae):
            model = probes.into(vae)
            _, nll, kl = model(x, noise=noise)
            return gradients(nll + kl, *probes.parameters())

        self.check(look, "The gradient of nll + kl is wrong or does not reach every network", replacing=KNOWN)

    @number("Q1.9")
    @weight(1)
    def test_own_noise(self):
        """Without noise given, z is drawn from q(z|x)."""
        probes, x = self.probes(shape=(3, 1, 1)), self.randn(1, 3, 1, 1)
        with torch.no_grad():
            probes.decoder.matrix.copy_(torch.eye(3)), probes.decoder.shift.zero_()
            q = probes.encode(x)

        def look(vae):
            return probes.into(vae)(x.repeat(4000, 1, 1, 1))[0]

        def law(found):
            about = "without noise, z must follow q(z|x)"
            self.assertNoise(found, q.mean.reshape(3, 1, 1), q.var.double().reshape(3, 1, 1), about)

        self.either(look, law)

    def component(self, index: int, sentence: str) -> None:
        probes, x, noise = self.probes(bent=True), self.randn(5, 2, 3, 2), self.randn(5, 3)

        def look(vae):
            found = probes.into(vae).forward(x=x, noise=noise)
            return tuple(found) if isinstance(found, tuple | list) and len(found) == 3 else found

        with torch.no_grad():
            q = probes.encode(x)
            p = probes.decode(q.sample(noise))
            expected = (p.mean, p.nll(x), q.kl())

        def law(found):
            if not isinstance(found, tuple) or len(found) != 3:
                raise Wrong(f"It returned {described(found)} instead of three values: mode, nll and kl")
            self.assertClose(found[index], expected[index], sentence)

        self.either(look, law)


class VaeInterpolate(VaeExercise):
    @number("Q1.10")
    @weight(2)
    def test_line(self):
        """The images are those of evenly spaced points on the line between the two latents."""
        sentence = "These are not the images of evenly spaced points on the straight line in the latent space"
        self.line(7, slice(None), sentence)

    @number("Q1.10")
    @weight(1)
    def test_ends(self):
        """Both ends are included."""
        self.line(5, [0, -1], "The first and the last image are not those of z_1 and z_2")

    @number("Q1.10")
    @weight(1)
    def test_two_points(self):
        """With n_samples=2, there are just the two ends."""
        self.line(2, slice(None), "With n_samples=2, it does not return the images of z_1 and z_2")

    def line(self, n: int, shown, sentence: str) -> None:
        """From z_1 to z_2 or back."""
        probes, z_1, z_2 = self.probes(bent=True), self.randn(1, 3), self.randn(1, 3)
        with torch.no_grad():
            steps = torch.linspace(0, 1, n, dtype=torch.float64).unsqueeze(1)
            expected = probes.decoder((z_1 + steps * (z_2 - z_1)).float())

        def law(found):
            self.assertIsInstance(found, Tensor, "It does not return the images as one tensor")
            self.assertEqual(found.shape, expected.shape, f"With n_samples={n} it has the shape {tuple(found.shape)}")
            back = found.flip(0)
            from_1 = (found - expected).abs().max() <= (back - expected).abs().max()
            self.assertClose((found if from_1 else back)[shown], expected[shown], sentence)

        look = lambda vae: vae.interpolate(model=probes.into(vae), z_1=z_1, z_2=z_2, n_samples=n)  # noqa: E731
        self.either(look, law)
