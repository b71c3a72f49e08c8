"""Hidden tests of vae.py. Instructors read this file; students never see it.

Expected values come from torch.distributions or from a closed form, in float64. The VAE's networks are replaced by
linear ones (ours), so that all that follows from them can be computed. Where a method calls earlier exercises, these
are replaced by stand-ins: affine maps with coefficients drawn for each submission, which are no right answers. A method
is right when its result follows from the stand-ins, from the same computed inline, or from a mixture of both; or from
the student's own earlier methods.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor, nn
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from autograder.grading.exercise import (
    NO_GRADIENT,
    Exercise,
    Wrong,
    described,
    difference,
    gradients,
    inputs_survive,
    leaves,
    number,
    special,
    weight,
)  # fmt: skip
from autograder.sandbox.look_tools import uses_its_device
from autograder.sandbox.stand_ins import asked_anew

# ---------------------------------------------------------------- networks and stand-ins: what travels into the sandbox


def linear(matrix: Tensor, shift: Tensor) -> nn.Linear:
    """h (B, F) -> h A + a."""
    layer = nn.Linear(*matrix.shape)
    layer.weight, layer.bias = nn.Parameter(matrix.T.clone()), nn.Parameter(shift.clone())
    return layer


def built(vae, numbers: dict[str, Tensor], shape: tuple[int, ...], bent: bool = False):
    """The module's VAE with linear networks for images of `shape`; `asked` holds every z that is decoded."""
    encoder, mean, logvar, decoder = (
        linear(numbers[name], numbers[f"{name} shift"]) for name in ("encoder", "mean", "logvar", "decoder")
    )
    model = vae.VAE(in_channels=2, decoder_features=1, encoder_features=1, z_dim=mean.out_features, input_size=8,
                    device="cpu")  # fmt: skip
    model.encoder, model.mean, model.logvar = nn.Sequential(nn.Flatten(), encoder), mean, logvar
    model.decoder = nn.Sequential(decoder, nn.Unflatten(1, shape), *[nn.Tanh()] * bent)
    model.asked = []
    model.decoder.register_forward_pre_hook(lambda _, inputs: model.asked.append(inputs[0].detach().clone()))
    return model


def stand_ins(known: dict[str, float], matrices: dict[str, Tensor], shape: tuple[int, ...], bent: bool) -> dict:
    """In the place of earlier exercises: affine maps. encode and decode return the student's (given) class."""

    def sample(self, noise=None):
        noise = torch.randn_like(self.mean) if noise is None else noise
        return known["s0"] * self.mean + known["s1"] * self.logvar + known["s2"] * noise

    def kl(self):
        return (known["k0"] * self.mean + known["k1"] * self.logvar).flatten(1).sum(dim=1)

    def nll(self, sample, dims=(1, 2, 3)):
        entries = known["n0"] * sample + known["n1"] * self.mean + known["n2"] * self.logvar + known["n3"]
        return entries.sum(dim=dims)

    def mode(self):
        return known["m0"] * self.mean + known["m1"]

    def distribution(model, *moments):
        return type(model).__init__.__globals__["DiagonalGaussianDistribution"](*moments)

    def encode(self, x):
        h = x.flatten(1)
        affine = (h @ matrices[name].to(h) + matrices[f"{name} shift"].to(h) for name in ("mean", "logvar"))
        return distribution(self, *affine)

    def decode(self, z):
        self.asked.append(z.detach().clone())
        images = (z @ matrices["decoder"].to(z) + matrices["decoder shift"].to(z)).reshape(-1, *shape)
        images = images.tanh() if bent else images
        return distribution(self, images, matrices["spread"].to(z).expand_as(images))

    return {
        "DiagonalGaussianDistribution.sample": sample,
        "DiagonalGaussianDistribution.kl": kl,
        "DiagonalGaussianDistribution.nll": nll,
        "DiagonalGaussianDistribution.mode": mode,
        "VAE.encode": encode,
        "VAE.decode": decode,
    }


def parameters_of(distribution):
    """What crosses the border of a distribution; of anything else, that."""
    names = ("mean", "logvar", "std", "var")
    if not all(isinstance(getattr(distribution, name, None), Tensor) for name in names):
        return distribution
    return {name: getattr(distribution, name) for name in names}


# ---------------------------------------------------------------- what is right then: this stays outside


@dataclass
class Gaussian:
    """N(mean, diag(exp(logvar))), whose methods are the stand-ins' (`known` coefficients) or right (None)."""

    mean: Tensor
    logvar: Tensor

    def sample(self, noise: Tensor, known: dict | None) -> Tensor:
        if known:
            return known["s0"] * self.mean + known["s1"] * self.logvar + known["s2"] * noise
        return self.mean + (0.5 * self.logvar).exp() * noise

    def noise(self, sample: Tensor, known: dict | None) -> Tensor:
        """The noise that a sample was made of."""
        shift, scale = self.sample(torch.zeros_like(sample), known), self.sample(torch.ones_like(sample), known)
        return (sample - shift) / (scale - shift)

    def kl(self, known: dict | None) -> Tensor:
        if known:
            return (known["k0"] * self.mean + known["k1"] * self.logvar).flatten(1).sum(dim=1)
        return 0.5 * (self.mean.square() + self.logvar.exp() - 1 - self.logvar).flatten(1).sum(dim=1)

    def nll(self, sample: Tensor, known: dict | None) -> Tensor:
        if known:
            entries = known["n0"] * sample + known["n1"] * self.mean + known["n2"] * self.logvar + known["n3"]
        else:
            entries = -Normal(self.mean, (0.5 * self.logvar).exp(), validate_args=False).log_prob(sample)
        return entries.flatten(1).sum(dim=1)

    def mode(self, known: dict | None) -> Tensor:
        return known["m0"] * self.mean + known["m1"] if known else self.mean

    def repeat(self, times: int) -> "Gaussian":
        return Gaussian(self.mean.repeat(times, 1), self.logvar.expand_as(self.mean).repeat(times, 1))


class Networks:
    """Linear networks for images of `shape` and D latent dimensions: what goes into a look, and what is right then."""

    def __init__(self, numbers: dict[str, Tensor], shape: tuple[int, ...], bent: bool, known: dict, spread: Tensor):
        self.numbers, self.shape, self.bent, self.known, self.spread = numbers, shape, bent, known, spread
        self.exact = {name: value.double() for name, value in numbers.items()}

    def look(self, use: Callable) -> Callable:
        """A look at use(vae, model)."""
        numbers, shape, bent = self.numbers, self.shape, self.bent
        return lambda vae: use(vae, built(vae, numbers, shape, bent))

    def stand_ins(self) -> dict:
        n = self.exact
        matrices = {name: n["encoder"] @ n[name] for name in ("mean", "logvar")}
        matrices |= {f"{k} shift": n["encoder shift"] @ n[k] + n[f"{k} shift"] for k in ("mean", "logvar")}
        matrices |= {"decoder": n["decoder"], "decoder shift": n["decoder shift"], "spread": self.spread}
        return stand_ins(self.known, matrices, self.shape, self.bent)

    def posterior(self, x: Tensor) -> Gaussian:
        n = self.exact
        hidden = x.double().flatten(1) @ n["encoder"] + n["encoder shift"]
        return Gaussian(hidden @ n["mean"] + n["mean shift"], hidden @ n["logvar"] + n["logvar shift"])

    def likelihood(self, z: Tensor, known: dict | None = None) -> Gaussian:
        """p(x|z); the stand-in of decode has other variances."""
        images = (z.double() @ self.exact["decoder"] + self.exact["decoder shift"]).reshape(-1, *self.shape)
        images = images.tanh() if self.bent else images
        return Gaussian(images, self.spread.double().expand_as(images) if known else torch.zeros_like(images))

    def mixtures(self, parts: int) -> list[tuple]:
        """Every way in which an answer may call some of the stand-ins, and compute the others inline."""
        return list(product((self.known, None), repeat=parts))

    def cases(self, truth: Callable, parts: int) -> list[tuple]:
        """For observe_law: truth(*which of the parts are stand-ins) with stand-ins, or with the student's own."""
        return [(self.stand_ins(), [truth(*mix) for mix in self.mixtures(parts)]), ({}, [truth(*(None,) * parts)])]


class VaeExercise(Exercise):
    module = "vae"

    def gaussian(self, *shape: int) -> tuple[Tensor, Tensor]:
        return self.randn(*shape), self.rand(*shape, low=-1.5, high=1.5)

    def known(self) -> dict[str, float]:
        """Coefficients of the stand-ins, far from those of right answers."""
        low, high = zip(*[(1.3, 1.9), (0.3, 0.6), (1.4, 1.8), (0.5, 1.5), (-2, -1), (1, 2), (-3, -2.2), (0.3, 0.8),
                          (2, 2.5), (1.3, 1.8), (0.5, 1)], strict=True)  # fmt: skip
        names = ("s0", "s1", "s2", "k0", "k1", "n0", "n1", "n2", "n3", "m0", "m1")
        return {name: self.number(a, b) for name, a, b in zip(names, low, high, strict=True)}

    def demand_distribution(self, found) -> None:
        if not isinstance(found, dict):
            raise Wrong(f"It returned {described(found)} instead of a DiagonalGaussianDistribution")

    def networks(self, shape: tuple[int, ...] = (2, 3, 2), latent: int = 3, bent: bool = False) -> Networks:
        pixels = math.prod(shape)
        numbers = {
            "encoder": torch.linalg.qr(self.randn(pixels, pixels, dtype=torch.float64)).Q.float(),
            "encoder shift": self.randn(pixels),
            "mean": self.randn(pixels, latent) / pixels**0.5,
            "mean shift": self.randn(latent),
            "logvar": 0.3 * self.randn(pixels, latent) / pixels**0.5,
            "logvar shift": self.rand(latent, low=-1.2, high=0.5),
            "decoder": self.randn(latent, pixels),
            "decoder shift": self.randn(pixels),
        }
        return Networks(numbers, shape, bent, self.known(), self.rand(*shape, low=0.5, high=1.5))


def law(mean: Tensor, logvar: Tensor) -> Normal:
    return Normal(mean.double(), (0.5 * logvar.double()).exp())


def narrow(values):
    """In float32."""
    return tuple(v.float() for v in values) if isinstance(values, tuple) else values.float()


# ---------------------------------------------------------------- DiagonalGaussianDistribution


class Sample(VaeExercise):
    @number("Q1.1")
    @weight(3)
    @inputs_survive
    def test_given_noise(self):
        """With noise given, it is a scaled and shifted copy of the noise: for latents and for images."""
        cases = [(*self.gaussian(*s), self.randn(*s)) for s in ((97, 5), (3, 2, 4, 3))]

        def look(vae):
            found = []
            for m, v, e in cases:
                distribution = vae.DiagonalGaussianDistribution(m, v)
                distribution.sample(noise=-e)  # to draw a sample leaves a distribution as it is
                found.append(distribution.sample(noise=e))
            return tuple(found)

        expected = tuple((m.double() + (0.5 * v.double()).exp() * e).float() for m, v, e in cases)
        self.assertClose(self.observe(look), expected, "With noise given, it is not mean + std * noise")

    @number("Q1.1")
    @weight(2)
    @special
    def test_gradient(self):
        """It is reparameterized: gradients reach mean and logvar through the sample, also with noise of its own."""
        mean, logvar = self.gaussian(5, 3)
        noise = self.randn(5, 3)

        def look(vae):
            found = []
            for given in ({"noise": noise}, {}):
                m, v = leaves(mean, logvar)
                sample = vae.DiagonalGaussianDistribution(m, v).sample(**given)
                found += [sample, *gradients(sample, m, v)]
            return found

        given, by_mean, by_logvar, own, own_by_mean, own_by_logvar = self.several(self.observe(look), 6)
        value = mean + (0.5 * logvar).exp() * noise
        sentence = "The gradient of the sample by mean or logvar is missing or wrong"
        ones = torch.ones(5, 3)
        self.assertGradients((given, by_mean, by_logvar), value, (ones, 0.5 * (value - mean)), sentence)
        self.assertShape(own, (5, 3))
        # Whatever the noise was: d(mean + std e) / dlogvar = std e / 2.
        sentence = "With noise of its own, the sample is cut off from mean or logvar: scale and shift the noise"
        self.assertClose((own_by_mean, own_by_logvar), (ones, 0.5 * (own - mean)), sentence)

    @number("Q1.1")
    @weight(2)
    def test_own_noise(self):
        """Without noise given, it draws standard normal noise, for every entry."""
        mean, logvar = self.gaussian(3, 2)

        def look(vae):
            return vae.DiagonalGaussianDistribution(mean.repeat(4000, 1), logvar.repeat(4000, 1)).sample()

        found = self.observe(look)
        self.assertShape(found, (12000, 2))
        about = "without noise it must follow N(mean, diag(exp(logvar)))"
        self.assertDraws(found.reshape(4000, 3, 2), mean, logvar.double().exp(), about)
        more = mean.repeat(3, 1), logvar.repeat(3, 1)
        self.check_random(lambda vae: vae.DiagonalGaussianDistribution(*more).sample(), "sample()")


class Divergence(VaeExercise):
    @number("Q1.2")
    @weight(3)
    def test_divergence(self):
        """It is KL(N(mean, diag(var)) || N(0, I)), one number for each element of the batch."""
        cases = [self.gaussian(97, 5) for _ in range(2)]

        def look(vae):
            return tuple(vae.DiagonalGaussianDistribution(mean=mean, logvar=logvar).kl() for mean, logvar in cases)

        expected = tuple(self.truth(*case) for case in cases)
        self.assertClose(self.observe(look), expected, "This is not the divergence from N(0, I), summed over D")

    @number("Q1.2")
    @weight(1)
    @special
    def test_zero_for_the_standard_normal(self):
        """It is 0 for N(0, I) itself; right where only the mean, or only the variance, differs from it."""
        mean, logvar = self.gaussian(6, 4)
        mean[:4], logvar[:2], logvar[4:] = 0, 0, 0
        found = self.observe(lambda vae: vae.DiagonalGaussianDistribution(mean, logvar).kl())
        self.assertClose(found, self.truth(mean, logvar), "It is not 0 for N(0, I), or wrong where one of both differs")

    @number("Q1.2")
    @weight(1)
    @special
    @inputs_survive
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
    @special
    def test_gradient(self):
        """Its gradients are right, and it leaves mean and logvar alone."""
        mean, logvar = self.gaussian(5, 3)

        def look(vae):
            m, v = leaves(mean, logvar)
            divergence = vae.DiagonalGaussianDistribution(m, v).kl()
            return divergence, *gradients(divergence, m, v), m, v

        slopes = mean, 0.5 * (logvar.exp() - 1), mean, logvar
        sentence = "A gradient is wrong: no detach(), no item(), nothing in place"
        self.assertGradients(self.observe(look), self.truth(mean, logvar), slopes, sentence)

    @staticmethod
    def truth(mean: Tensor, logvar: Tensor) -> Tensor:
        standard = Normal(torch.zeros(mean.shape, dtype=torch.float64), 1.0)
        return kl_divergence(law(mean, logvar), standard).sum(dim=1).float()


class NegativeLogLikelihood(VaeExercise):
    @number("Q1.3")
    @weight(3)
    def test_images(self):
        """For images, it is the negative log-density, summed over channels and pixels."""
        cases = [(*self.gaussian(7, 3, 4, 5), self.randn(7, 3, 4, 5)) for _ in range(2)]

        def look(vae):
            return tuple(vae.DiagonalGaussianDistribution(mean=m, logvar=v).nll(sample=x) for m, v, x in cases)

        expected = tuple(self.truth(*case, (1, 2, 3)) for case in cases)
        self.assertClose(self.observe(look), expected, "This is not - log N(x; mean, diag(var))")

    @number("Q1.3")
    @weight(1)
    @special
    def test_normalizing_constant(self):
        """At the mean, only the normalizing constant is left."""
        mean, logvar = self.gaussian(5, 2, 3, 2)
        found = self.observe(lambda vae: vae.DiagonalGaussianDistribution(mean, logvar).nll(mean.clone()))
        expected = self.truth(mean, logvar, mean, (1, 2, 3))
        self.assertClose(found, expected, "At sample = mean it is wrong: look at the normalizing constant")

    @number("Q1.3")
    @weight(2)
    @inputs_survive
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
    @special
    def test_gradient(self):
        """Its gradients are right, also in float64, and it leaves its inputs alone."""
        mean, logvar, z = (self.randn(1, 4, dtype=torch.float64) for _ in range(3))

        def look(vae):
            m, v, s = leaves(mean, logvar, z)
            likelihood = vae.DiagonalGaussianDistribution(m, v).nll(s, dims=[1])
            return likelihood, *gradients(likelihood, m, v, s), m, v, s

        score = (z - mean) / logvar.exp()
        slopes = narrow((-score, 0.5 - 0.5 * score * (z - mean), score, mean, logvar, z))
        sentence = "A gradient is wrong: no detach(), no item(), nothing in place"
        self.assertGradients(self.observe(look), self.truth(mean, logvar, z, (1,)), slopes, sentence)

    @staticmethod
    def truth(mean: Tensor, logvar: Tensor, sample: Tensor, dims: tuple[int, ...]) -> Tensor:
        return -law(mean, logvar).log_prob(sample.double()).sum(dim=dims).float()


class Mode(VaeExercise):
    @number("Q1.4")
    @weight(1)
    def test_mode(self):
        """It is where the density is highest: for latents and for images, whatever the variance."""
        cases = [self.gaussian(*shape) for shape in ((9, 4), (2, 3, 4, 5), (9, 4))]

        def look(vae):
            return tuple(vae.DiagonalGaussianDistribution(mean, logvar).mode() for mean, logvar in cases)

        expected = tuple(mean for mean, _ in cases)
        self.assertClose(self.observe(look), expected, "This is not the point with the highest density")


# ---------------------------------------------------------------- VAE


class Encode(VaeExercise):
    @number("Q1.5")
    @weight(2)
    @inputs_survive
    def test_mean(self):
        """The mean of q(z|x) is what self.mean makes of the hidden output of the encoder."""
        found, expected = self.encoded()
        self.assertClose(found["mean"], expected.mean.float(), "The mean is not self.mean of self.encoder(x)")

    @number("Q1.5")
    @weight(2)
    def test_log_variance(self):
        """The logarithm of the variance of q(z|x) is what self.logvar makes of it."""
        found, expected = self.encoded()
        self.assertClose(found["logvar"], expected.logvar.float(), "The logvar is not self.logvar of self.encoder(x)")

    @number("Q1.5")
    @weight(1)
    def test_networks(self):
        """With the given networks: the right shapes, and all three networks are trained through it."""
        x = self.randn(3, 3, 32, 32)

        def look(vae):
            model = vae.VAE(decoder_features=2, encoder_features=2, z_dim=7, device="cpu")
            posterior = model.encode(x)
            hidden = model.encoder(x)
            found, slopes = parameters_of(posterior), ()
            if isinstance(found, dict):
                used = [p for network in (model.encoder, model.mean, model.logvar) for p in network.parameters()]
                slopes = gradients(posterior.mean.square().sum() + posterior.logvar.sum(), *used)
            return found, model.mean(hidden), model.logvar(hidden), slopes

        found, mean, logvar, slopes = self.several(self.observe(look), 4)
        self.demand_distribution(found)
        # What the networks say comes from the student's process: numbers that differ from entry to entry.
        for said in (mean, logvar):
            self.assertShape(said, (3, 7))
            self.assertGreater(float(self._numbers(said, "It is not finite").std()), 1e-4, "A network is flat")
        sentence = "With the given networks, mean or logvar is not what the networks say"
        self.assertClose((found["mean"], found["logvar"]), (mean, logvar), sentence)
        trained = isinstance(slopes, tuple) and len(slopes) > 4 and NO_GRADIENT not in slopes
        self.assertTrue(trained, "A network gets no gradient: no detach()")

    def encoded(self) -> tuple[dict, Gaussian]:
        """The second of two calls."""
        networks, xs = self.networks(), [self.randn(5, 2, 3, 2) for _ in range(2)]
        look = networks.look(lambda vae, model: [parameters_of(model.encode(x=x)) for x in xs][-1])
        found = self.observe(look)
        self.demand_distribution(found)
        return found, networks.posterior(xs[-1])


class Decode(VaeExercise):
    @number("Q1.6")
    @weight(2)
    @inputs_survive
    def test_mean(self):
        """The mean of p(x|z) is what the decoder makes of z."""
        found, expected = self.decoded()
        self.assertClose(found["mean"], expected, "The mean is not self.decoder(z)")

    @number("Q1.6")
    @weight(2)
    def test_identity_covariance(self):
        """The covariance of p(x|z) is exactly the identity, in the shape of the images."""
        found, expected = self.decoded()
        zeros = torch.zeros_like(expected)
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
            likelihood = model.decode(leaf)
            found = parameters_of(likelihood)
            whole = isinstance(found, dict)
            slopes = gradients(likelihood.mean.square(), leaf, *model.decoder.parameters()) if whole else ()
            return found, model.decoder(z), slopes

        found, mean, slopes = self.several(self.observe(look), 3)
        self.demand_distribution(found)
        self.assertShape(mean, (3, 3, 32, 32))
        self.assertGreater(float(self._numbers(mean, "It is not finite").std()), 1e-4, "The decoder is flat")
        self.assertClose(found["mean"], mean, "With the given decoder, the mean is not self.decoder(z)")
        trained = isinstance(slopes, tuple) and len(slopes) > 2 and NO_GRADIENT not in slopes
        self.assertTrue(trained, "The decoder or z gets no gradient")

    def decoded(self) -> tuple[dict, Tensor]:
        """The second of two calls."""
        networks, zs = self.networks(), [self.randn(5, 3) for _ in range(2)]
        look = networks.look(lambda vae, model: [parameters_of(model.decode(z=z)) for z in zs][-1])
        found = self.observe(look)
        self.demand_distribution(found)
        return found, networks.likelihood(zs[-1]).mean.float()


class Generate(VaeExercise):
    @number("Q1.7")
    @weight(2)
    @inputs_survive
    def test_given_noise(self):
        """With noise given, that is the z which is decoded; the image is the mode of p(x|z)."""
        networks, noise = self.networks(bent=True), self.randn(5, 3)
        likelihood = networks.likelihood(noise)

        def law(found, truth):
            self.assertClose(found, truth, "It is not the mode of p(x|z) for z = noise")

        cases = networks.cases(lambda mode: likelihood.mode(mode).float(), parts=1)
        self.observe_law(networks.look(lambda vae, model: model.sample(batch_size=5, noise=noise)), law, cases)

    @number("Q1.7")
    @weight(2)
    def test_own_noise(self):
        """Without noise given, z comes from the prior N(0, I), another one for each image."""
        networks = self.networks(shape=(3, 1, 1))

        def look(vae, model):
            return model.sample(batch_size=4000), model.asked

        def law(found, mode):
            image, asked = self.several(found, 2)
            z = self.joined(asked, (4000, 3), "It does not decode one z for each image")
            about = "z must be standard normal, (batch_size, z_dim), another one for each image"
            self.assertDraws(z, torch.zeros(3), 1.0, about)
            sentence = "It is not the mode of p(x|z) for the z that is drawn: no noise is added to the pixels"
            self.assertClose(image, networks.likelihood(z).mode(mode).float(), sentence)

        self.observe_law(networks.look(look), law, networks.cases(lambda mode: mode, parts=1))
        self.check_random(networks.look(lambda vae, model: model.sample(6)), "sample", replacing=networks.stand_ins())

    @number("Q1.7")
    @weight(1)
    def test_networks(self):
        """With the given networks: one image of 3 x 32 x 32, and 5 of them; on the model's device."""

        def look(vae):
            def model(device, seen):
                made = vae.VAE(decoder_features=2, encoder_features=2, z_dim=7, device=device).eval()
                made.decoder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
                return made

            found, asked = [], []
            here = model("cpu", asked)
            for batch in (1, 5):
                asked.clear()
                images = here.sample(batch_size=batch)
                z = torch.cat(asked)[-batch:].detach() if asked else None
                found.append((images, None if z is None else here.decoder(z)))
            left = any(p.grad is not None for p in here.parameters())
            return found, left, uses_its_device(vae, lambda device, seen: model(device, seen).sample(2))

        def law(found, shift):
            found, left, follows = self.several(found, 3)
            for one, batch in zip(self.several(found, 2), (1, 5), strict=True):
                image, truth = self.several(one, 2)
                self.assertShape(image, (batch, 3, 32, 32))
                if not isinstance(truth, Tensor):
                    raise Wrong("It does not decode one z for each image")
                self.plausible(truth, "The decoder gives no images")
                self.assertClose(image, truth + shift, "It is not the mode of p(x|z) for the z that it decodes")
            self.assertFalse(left, "backward() is called inside: the training loop does that")
            self.assertTrue(follows, "z is not drawn on self.device")

        self.observe_law(look, law, [(SHIFTED, [2.0, 1.0, 0.0]), ({}, [0.0])])


def shifted(model, z):
    """In the place of decode, around the given decoder."""
    return type(model).__init__.__globals__["DiagonalGaussianDistribution"](model.decoder(z) + 1)


SHIFTED = {"VAE.decode": shifted, "DiagonalGaussianDistribution.mode": lambda self: self.mean + 1}


class LinearGaussian(Networks):
    """A VAE with p(x|z) = N(W z + b, I), the columns of W orthogonal: evidence and posterior have a closed form.

        log p(x) = log N(x; b, W W' + I),    p(z|x) = N(S W'(x - b), S),    S = (I + W' W)^-1, diagonal

    The encoder is that posterior, with `wider` times its variance and moved by `moved` of its standard deviations.
    For any z, p(x, z) / p(z|x) = p(x): with the exact posterior the estimate has no noise at all.
    """

    def __init__(self, case: VaeExercise, shape: tuple[int, ...], wider: float = 1.0, moved: float = 0.0):
        pixels = math.prod(shape)
        columns, scales, b = case.randn(pixels, 3), case.rand(3, low=0.7, high=1.5).double(), case.randn(pixels)
        W = torch.linalg.qr(columns.double()).Q * scales  # (P, D)
        variance = 1 / (1 + scales.square())
        self.b, self.W, self.wider, self.moved, self.latent = b.double(), W, wider, moved, len(scales)
        numbers = {
            "encoder": torch.eye(pixels),
            "encoder shift": torch.zeros(pixels),
            "mean": W * variance,
            "mean shift": -(self.b @ W) * variance + moved * variance.sqrt(),
            "logvar": torch.zeros_like(W),
            "logvar shift": (wider * variance).log(),
            "decoder": W.T,
            "decoder shift": self.b,
        }
        numbers = {name: value.float() for name, value in numbers.items()}
        super().__init__(numbers, shape, False, case.known(), case.rand(*shape, low=0.5, high=1.5))

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
    """With stand-ins, the z_k that are decoded are watched: they must be draws from q(z|x), and the estimate that of
    these z_k, whichever densities are stand-ins. With the student's own, a closed form must come out."""

    @number("Q1.8")
    @weight(3)
    def test_exact_posterior(self):
        """Where the encoder is the exact posterior, every sample gives log p(x), whatever K is."""
        model, x = LinearGaussian(self, (2, 3, 2)), self.randn(7, 2, 3, 2)
        expected = model.log_evidence(x).float()
        sentence = "In a linear-Gaussian VAE with the exact posterior, it is not log p(x), one number for each image"

        def law(estimates):
            self.assertClose(estimates, (expected, expected), sentence)

        self.estimates(model, x, (1, 7), law)

    @number("Q1.8")
    @weight(2)
    @special
    @inputs_survive
    def test_large_images(self):
        """It is exact for images whose probability is too small to be represented."""
        model, x = LinearGaussian(self, (3, 8, 8)), 2 * self.randn(1, 3, 8, 8)
        expected = model.log_evidence(x).float()
        sentence = "For larger images it is wrong: add the logarithms of the densities, and let logsumexp average them"
        self.estimates(model, x, (5,), lambda estimates: self.assertClose(estimates, (expected,), sentence))

    @number("Q1.8")
    @weight(3)
    def test_unbiased(self):
        """exp of the estimate is an unbiased estimate of p(x): with a q that is not the posterior, K = 5."""
        model, x = LinearGaussian(self, (2, 2, 2), wider=1.6, moved=0.5), self.randn(1, 2, 2, 2)
        truth = model.log_evidence(x)
        sentence = "exp of the estimate is not p(x) on average: is each z_k drawn from q(z|x), and exp averaged over k?"

        def law(estimates):
            relative = (estimates[0].double() - truth).clamp(max=20).exp()
            self.assertMean(relative, 1.0, math.sqrt(model.weight_variance() / 5), sentence)

        self.estimates(model, x.repeat(1500, 1, 1, 1), (5,), law)
        look = model.look(lambda vae, vae_model: vae_model.log_likelihood(x, K=3))
        self.check_random(look, "log_likelihood", replacing=model.stand_ins())

    @number("Q1.8")
    @weight(2)
    def test_bound(self):
        """With K = 1 it is the ELBO on average; with K = 50 it comes closer to log p(x)."""
        model, x = LinearGaussian(self, (2, 2, 2), wider=2.0, moved=0.8), self.randn(1, 2, 2, 2)
        truth = model.log_evidence(x)
        gap, variance = model.log_weight_moments()

        def law(estimates):
            one, fifty = (e.double() for e in estimates)
            self.assertMean(one - truth, gap, math.sqrt(variance), "With K = 1 the mean is not the ELBO")
            closer = float((fifty - truth).mean())
            sentence = "With K = 50 it is not closer to log p(x) than the ELBO: K different z_k are needed"
            self.assertLess(closer, 0.1, "With K = 50 the mean of the estimates is above log p(x): it is a lower bound")
            self.assertGreater(closer, 0.5 * gap, sentence)

        self.estimates(model, x.repeat(600, 1, 1, 1), (1, 50), law, many=100)

    def estimates(
        self, model: LinearGaussian, x: Tensor, Ks: Sequence[int], closed_form: Callable, many: int | None = None
    ) -> None:
        """Look at the estimates for several K, and judge them; from the second K on, of as `many` images.

        A loop over images and samples decodes K times for each image, one after another: there is time for thousands.
        """
        xs = [x, *(x[:many] for _ in Ks[1:])]

        def look(vae, vae_model):
            found = []
            for x, K in zip(xs, Ks, strict=True):
                vae_model.asked.clear()
                estimate = vae_model.log_likelihood(x=x, K=K)
                found.append((estimate, *asked_anew(vae_model.asked)))
            return found

        def law(found, judge):
            found = [self.several(one, 2) for one in self.several(found, len(Ks))]
            for x, (estimate, _) in zip(xs, found, strict=True):
                self.assertShape(estimate, (len(x),))
                self._numbers(estimate, "It is not finite")
            judge(found)

        def watched(found):
            for x, K, (estimate, asked) in zip(xs, Ks, found, strict=True):
                self.assertEstimate(model, x, K, estimate, asked)

        def own(found):
            closed_form(tuple(estimate for estimate, _ in found))
            for x, K, (_, asked) in zip(xs, Ks, found, strict=True):
                z = self.joined(asked, (K * len(x), 3), "It does not decode K samples z_k for each image")
                self.assertOneDrawnFrom(model.posterior(x).repeat(K), self.orders(z, K, asked), {})

        self.observe_law(model.look(look), law, [(model.stand_ins(), [watched]), ({}, [own])])

    def assertEstimate(self, model: LinearGaussian, x: Tensor, K: int, estimate: Tensor, asked) -> None:
        """The estimate is that of the z that were decoded, and these are draws from q."""
        sentence = "It does not decode K samples z_k for each image"
        z = self.joined(asked, (K * len(x), 3), sentence).double()
        self._numbers(z, "A z_k is not finite")
        q = model.posterior(x).repeat(K)
        for zs in self.orders(z, K, asked):
            found = (self.log_mean(model, x, q, zs, K, *mix) for mix in product((model.known, None), repeat=4))
            if any(difference(estimate, right.float()) is None for right in found):
                return self.assertOneDrawnFrom(q, [zs], model.known)
        raise Wrong("It is not log 1/K sum_k p(x|z_k) p(z_k) / q(z_k|x) of the z_k that it decodes")

    @staticmethod
    def orders(z: Tensor, K: int, calls: tuple[Tensor, ...]) -> list[Tensor]:
        """Row by row a z of each image in turn: as they are, or where all K samples of an image come together, or K
        calls for each chunk of images."""
        by_chunk = torch.cat([call for k in range(K) for call in calls[k::K]]).to(z)
        by_image = z.reshape(-1, K, *z.shape[1:]).transpose(0, 1).reshape(z.shape)
        return [z, by_image, *[by_chunk] * (by_chunk.shape == z.shape)]

    @staticmethod
    def log_mean(model: LinearGaussian, x: Tensor, q: Gaussian, z: Tensor, K: int, decode, likelihood, prior, proposal):
        p = model.likelihood(z, decode)
        standard = Gaussian(torch.zeros_like(z), torch.zeros_like(z))
        log_weights = q.nll(z, proposal) - standard.nll(z, prior)
        log_weights = log_weights - p.nll(x.double().repeat(K, 1, 1, 1), likelihood)
        return log_weights.reshape(K, len(x)).logsumexp(dim=0) - math.log(K)

    def assertOneDrawnFrom(self, q: Gaussian, orders: list[Tensor], known: dict) -> None:
        """Draws from q in one of these orders, by the stand-in of sample or by its own formula; of few there is little
        to say."""
        first = None
        for z, mix in product(orders, (known, None)):
            try:
                noise = q.noise(z.double(), mix)
                return self.assertDraws(noise, torch.zeros(3), 1.0, "the z_k must be independent draws from q(z|x)")
            except Wrong as wrong:
                first = first or wrong
        raise first


class Forward(VaeExercise):
    @number("Q1.9")
    @weight(1)
    @inputs_survive
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
    @special
    def test_gradient(self):
        """The gradient of nll + kl reaches the encoder, through the sample; with the noise given, and with its own."""
        networks, x, given = self.networks(), self.randn(5, 2, 3, 2), self.randn(5, 3)

        def look(vae, model):
            found = []
            for noise in (given, None):
                (leaf,) = leaves(x)
                model.asked.clear()
                results = model(leaf) if noise is None else model(leaf, noise=noise)
                whole = isinstance(results, tuple | list) and len(results) == 3
                found.append((results, *gradients(results[1] + results[2] if whole else results, leaf), [*model.asked]))
            return found

        def law(found, mix):
            for noise, one in zip((given, None), self.several(found, 2), strict=True):
                results, slope, asked = self.several(one, 3)
                z = self.joined(asked, (5, 3), "It does not decode one z for each image")
                leaf = x.double().requires_grad_()
                q = networks.posterior(leaf)
                noise = q.noise(self._numbers(z, "z is not finite"), mix[0]).detach() if noise is None else noise
                values = self.results(networks, leaf, noise.double(), *mix)
                (expected,) = torch.autograd.grad((values[1] + values[2]).sum(), leaf)
                about = "with noise of its own" if noise is not given else "with the given noise"
                sentence = f"The gradient of nll + kl by x is wrong or lost, {about}: it flows through the sample"
                self.assertGradients((results, slope), tuple(v.detach() for v in values), (expected,), sentence)

        self.observe_law(networks.look(look), law, networks.cases(lambda *mix: mix, parts=5))

    @number("Q1.9")
    @weight(1)
    def test_own_noise(self):
        """Without noise given, z is drawn from q(z|x)."""
        networks, x = self.networks(shape=(3, 1, 1)), self.randn(1, 3, 1, 1)
        q = networks.posterior(x)

        def look(vae, model):
            return model(x.repeat(3000, 1, 1, 1))[0], model.asked

        def law(found, mix):
            mode, asked = self.several(found, 2)
            z = self.joined(asked, (3000, 3), "It does not decode one z for each image")
            about = "without noise, z must follow q(z|x)"
            self.assertDraws(q.noise(self._numbers(z, about), mix[0]), torch.zeros(3), 1.0, about)
            expected = networks.likelihood(z, mix[1]).mode(mix[2]).float()
            self.assertClose(mode, expected, "The first result is not the mode of p(x|z)")

        self.observe_law(networks.look(look), law, networks.cases(lambda *mix: mix, parts=3))
        many = x.repeat(6, 1, 1, 1)
        self.check_random(networks.look(lambda vae, model: model(many)[0]), "forward", replacing=networks.stand_ins())

    def component(self, index: int, sentence: str) -> None:
        batch = 5 if index else 1
        networks, x, noise = self.networks(bent=True), self.randn(batch, 2, 3, 2), self.randn(batch, 3)

        def look(vae, model):
            found = model.forward(x=x, noise=noise)
            return tuple(found) if isinstance(found, tuple | list) and len(found) == 3 else found

        def law(found, truth):
            if not isinstance(found, tuple) or len(found) != 3:
                raise Wrong(f"It returned {described(found)} instead of three values: mode, nll and kl")
            self.assertClose(found[index], truth[index].float(), sentence)

        cases = networks.cases(lambda *mix: self.results(networks, x, noise, *mix), parts=5)
        self.observe_law(networks.look(look), law, cases)

    @staticmethod
    def results(networks: Networks, x: Tensor, noise: Tensor, sample, decode, mode, nll, kl) -> tuple:
        """The three results, each part by its stand-in or inline."""
        q = networks.posterior(x)
        p = networks.likelihood(q.sample(noise.double(), sample), decode)
        return p.mode(mode), p.nll(x.double(), nll), q.kl(kl)


class VaeInterpolate(VaeExercise):
    @number("Q1.10")
    @weight(2)
    def test_line(self):
        """The images are those of evenly spaced points on the line between the two latents."""
        sentence = "These are not the images of evenly spaced points on the straight line in the latent space"
        self.line(7, slice(None), sentence)

    @number("Q1.10")
    @weight(1)
    @special
    @inputs_survive
    def test_ends(self):
        """Both ends are included."""
        self.line(5, [0, -1], "The first and the last image are not those of z_1 and z_2")

    @number("Q1.10")
    @weight(1)
    @special
    def test_two_points(self):
        """With n_samples=2, there are just the two ends."""
        self.line(2, slice(None), "With n_samples=2, it does not return the images of z_1 and z_2")

    def line(self, n: int, shown, sentence: str) -> None:
        """From z_1 to z_2 or back."""
        networks, pairs = self.networks(bent=True), [(self.randn(1, 3), self.randn(1, 3)) for _ in range(2)]
        steps = torch.linspace(0, 1, n, dtype=torch.float64).unsqueeze(1)
        likelihoods = [networks.likelihood(z_1 + steps * (z_2 - z_1)) for z_1, z_2 in pairs]

        def look(vae, model):
            return [vae.interpolate(model=model, z_1=z_1, z_2=z_2, n_samples=n) for z_1, z_2 in pairs]

        def law(found, expected):
            for one, truth in zip(self.several(found, 2), expected, strict=True):
                self.assertLine(one, truth.float(), shown, sentence)

        cases = networks.cases(lambda mode: [likelihood.mode(mode) for likelihood in likelihoods], parts=1)
        self.observe_law(networks.look(look), law, cases)
