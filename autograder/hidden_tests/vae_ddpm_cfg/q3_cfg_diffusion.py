"""Hidden tests of q3_cfg_diffusion.py: laws of Gaussians, in float64, computed here from alpha^2 = sigmoid(lambda).

Where an exercise may call earlier ones, these are replaced by simple functions that are known here and wrong (`Known`).
An answer may call them, or compute the same inline: every way has a truth of its own. Last, an answer counts that is
right with the student's own earlier functions, so a mistake in one of these costs nothing here.

Levels stay within +-8, where 1 - alpha^2 does not cancel in float32.
"""

import math
from itertools import product
from types import SimpleNamespace

import torch

from autograder.grading.exercise import NO_GRADIENT, Exercise, Wrong, gradients, inputs_survive, number, special, weight
from autograder.sandbox import stand_ins

STEPS = 7  # of the diffusion models whose number of steps does not matter
D = "CFGDiffusion"


def alpha_of(lambda_t):
    return torch.sigmoid(lambda_t.double()).sqrt()


def sigma_of(lambda_t):
    return torch.sigmoid(-lambda_t.double()).sqrt()


class Step:
    """The Gaussians between a noisier level l and a cleaner one l', from first principles: (B, 1, 1, 1), float64.

    z' = alpha' x + sigma' e' and z = alpha x + sigma e, so z = slope z' + noise, the noise fills up sigma^2; z' given z
    and x by Bayes' rule: precisions add, means are weighted by precisions.
    """

    def __init__(self, l, l_prim):
        self.l, self.l_prim = l, l_prim
        self.alpha, self.alpha_prim, self.sigma_prim = alpha_of(l), alpha_of(l_prim), sigma_of(l_prim)
        self.slope = self.alpha / self.alpha_prim
        self.var_q = sigma_of(l) ** 2 - self.slope**2 * self.sigma_prim**2
        precision = 1 / self.sigma_prim**2 + self.slope**2 / self.var_q
        self.var_q_x = 1 / precision
        self.of_z = self.slope / self.var_q / precision
        self.of_x = self.alpha_prim / self.sigma_prim**2 / precision

    def mean(self, z, x):
        return self.of_z * z.double() + self.of_x * x.double()

    def variance(self, v):
        return between(self.var_q_x, self.var_q, v)


def between(var_q_x, var_q, v):
    """CFG, eq. (4)."""
    return torch.exp((1 - v) * var_q_x.log() + v * var_q.log())


class Known:
    """Wrong functions in the place of right ones, with coefficients drawn for each test, and what follows from them.

    The squares of alpha and sigma add up to 1, and alpha at -lambda is sigma at lambda, as for the right ones; within
    +-12 both come near to 0, so that a bound at 0.01 shows.
    """

    def __init__(self, case):
        a, (b, c, d) = case.number(0.0412, 0.0416), (case.number(0.02, 0.04) for _ in range(3))
        e, f, g, h = case.number(0.3, 0.6), case.number(0.2, 0.5), case.number(0.3, 0.4), case.number(0.3, 0.5)

        def alpha_lambda(self, lambda_t):
            return (0.5 + a * lambda_t).sqrt()

        def sigma_lambda(self, lambda_t):
            return (0.5 - a * lambda_t).sqrt()

        def sigma_q(self, lambda_t, lambda_t_prim):
            return 0.6 + b * lambda_t_prim + c * lambda_t

        def sigma_q_x(self, lambda_t, lambda_t_prim):
            return 0.7 - b * lambda_t_prim + d * lambda_t

        def mu_p_theta(self, z_lambda_t, x, lambda_t, lambda_t_prim):
            return e * z_lambda_t + f * x + g * (2 * lambda_t_prim - lambda_t)

        def var_p_theta(self, lambda_t, lambda_t_prim, v=0.3):
            return 0.9 + g * (lambda_t_prim - lambda_t) + h * v

        functions = alpha_lambda, sigma_lambda, sigma_q, sigma_q_x, mu_p_theta, var_p_theta
        self.functions = {function.__name__: function for function in functions}

    def replacing(self, *names):
        return {f"{D}.{name}": self.functions[name] for name in names}

    def __call__(self, name, *arguments):
        return self.functions[name](None, *(v.double() if isinstance(v, torch.Tensor) else v for v in arguments))

    def sigmas(self, step):
        """sigma and sigma' as sigma_lambda gives them, and as alpha_lambda does."""
        return [(self("sigma_lambda", step.l), self("sigma_lambda", step.l_prim)), (sigma_of(step.l), step.sigma_prim)]

    def variances(self, step):
        """var_q_x and var_q: by the earlier functions, by sigma_lambda or alpha_lambda, inline."""
        by_functions = self("sigma_q_x", step.l, step.l_prim) ** 2, self("sigma_q", step.l, step.l_prim) ** 2
        new = 1 - torch.exp(step.l.double() - step.l_prim.double())
        by_levels = [(new * sigma_prim**2, new * sigma**2) for sigma, sigma_prim in self.sigmas(step)]
        return [by_functions, *by_levels]

    def means(self, step, z, x):
        """Of z' given z and x: by alpha_lambda, inline."""
        ratio, z, x = torch.exp(step.l.double() - step.l_prim.double()), z.double(), x.double()
        alphas = [tuple(self("alpha_lambda", l) for l in (step.l, step.l_prim)), (step.alpha, step.alpha_prim)]
        return [ratio * alpha_prim / alpha * z + (1 - ratio) * alpha_prim * x for alpha, alpha_prim in alphas]


class CfgExercise(Exercise):
    """What the exercises of this file share. It has no tests."""

    module = "q3_cfg_diffusion"

    def levels(self, n, low=-8.0, high=8.0, dtype=torch.float64):
        return self.rand(n, 1, 1, 1, low=low, high=high, dtype=dtype)

    def step(self, n, dtype=torch.float64):
        """A Step between n pairs of levels, neither too near nor too far."""
        l = self.levels(n, -6.0, 4.0, dtype)
        return Step(l, l + self.levels(n, 0.5, 4.0, dtype))

    def far_step(self, n):
        """A Step from almost pure noise to an almost clean image."""
        return Step(self.levels(n, -8.0, -6.0), self.levels(n, 6.0, 8.0))

    def agrees(self, look, replacing, truths, sentence, terms=256):
        """`look` sees one of the truths; the last of them where the student's own functions are called."""

        def law(found, truth):
            self.assertClose(found, truth, sentence, terms)

        self.observe_law(look, law, [(replacing, truths), ({}, truths[-1:])])


class GetLambda(CfgExercise):
    @number("Q3.1")
    @weight(2)
    def test_formula(self):
        """get_lambda is -2 log tan(a u + b) at u = t / n_steps, for every image its own t."""
        n_steps = int(self.randint(20, 200, (1,)))
        t = self.randint(1, n_steps, (97,))
        value = self.observe(lambda q3: q3.CFGDiffusion(None, n_steps, "cpu").get_lambda(t))
        b = math.atan(math.exp(-10))
        angle = (math.atan(math.exp(10)) - b) * t.double().reshape(-1, 1, 1, 1) / n_steps + b
        self.assertClose(value, -2 * angle.tan().log(), "get_lambda(t) is not the cosine schedule of the docstring")

    @number("Q3.1")
    @weight(1)
    def test_ends(self):
        """get_lambda starts from lambda_max at t = 0 and would reach lambda_min at t = n_steps, one step too far."""
        n_steps = int(self.randint(20, 200, (1,)))
        t = torch.tensor([0, n_steps - 1])
        value = self.observe(lambda q3: q3.CFGDiffusion(None, n_steps, "cpu").get_lambda(t))
        b = math.atan(math.exp(-10))
        last = -2 * math.log(math.tan((math.atan(math.exp(10)) - b) * (n_steps - 1) / n_steps + b))
        sentence = (
            "lambda is lambda_max = 20 at t = 0 and would be lambda_min = -20 at t = n_steps: is u = t / n_steps?"
        )
        self.assertClose(value, torch.tensor([20.0, last]).reshape(2, 1, 1, 1), sentence, terms=4096)

    @number("Q3.1")
    @weight(1)
    @inputs_survive
    def test_falls_with_time(self):
        """lambda falls as time goes on, and has the shape (B, 1, 1, 1); t stays as it is."""
        n_steps = int(self.randint(20, 200, (1,)))
        t = torch.arange(n_steps)
        value = self.observe(lambda q3: q3.CFGDiffusion(None, n_steps, "cpu").get_lambda(t))
        right = isinstance(value, torch.Tensor) and value.shape == (n_steps, 1, 1, 1)
        self.assertTrue(right, "get_lambda returns (B, 1, 1, 1), to broadcast over images")
        self.assertTrue(bool((value.flatten().diff() < 0).all()), "lambda falls with t: time 0 is the cleanest level")


class AlphaLambda(CfgExercise):
    @number("Q3.2")
    @weight(2)
    def test_formula(self):
        """alpha_lambda^2 is 1 / (1 + exp(-lambda))."""
        l = self.levels(97)
        value = self.observe(lambda q3: q3.CFGDiffusion(None, STEPS, "cpu").alpha_lambda(l))
        self.assertClose(
            value, 1 / (1 + torch.exp(-l)).sqrt(), "alpha_lambda is not the square root of sigmoid(lambda)"
        )

    @number("Q3.2")
    @weight(1)
    @special
    def test_levels_of_both_signs(self):
        """alpha^2 at lambda and alpha^2 at -lambda make 1: the signal of one level is the noise of the other."""
        l = self.levels(11, dtype=torch.float32)

        def look(q3):
            diffusion = q3.CFGDiffusion(None, STEPS, "cpu")
            return diffusion.alpha_lambda(l.clone()), diffusion.alpha_lambda(-l)

        one, other = pair_of_tensors(self.observe(look))
        self.assertClose(one**2 + other**2, torch.ones(11, 1, 1, 1), "alpha(lambda)^2 + alpha(-lambda)^2 is not 1")

    @number("Q3.2")
    @weight(1)
    @special
    @inputs_survive
    def test_both_ends(self):
        """alpha_lambda grows from almost 0 at lambda_min to almost 1 at lambda_max, and leaves lambda as it is."""
        l = torch.tensor([-20.0, 20.0]).reshape(2, 1, 1, 1)
        value = self.observe(lambda q3: q3.CFGDiffusion(None, STEPS, "cpu").alpha_lambda(l))
        sentence = "alpha_lambda is exp(-10) at lambda = -20, all noise, and 1 at lambda = 20, all image"
        right = isinstance(value, torch.Tensor) and value.shape == (2, 1, 1, 1)
        self.assertTrue(right, "alpha_lambda has the shape of lambda")
        self.assertClose(value[0].clone(), torch.full((1, 1, 1), math.exp(-10)), sentence)
        self.assertClose(value[1].clone(), torch.ones(1, 1, 1), sentence)


class SigmaLambda(CfgExercise):
    @number("Q3.3")
    @weight(2)
    def test_formula(self):
        """sigma_lambda^2 is 1 - alpha_lambda^2."""
        self.is_sigma(self.levels(97), "sigma_lambda is not the square root of 1 - alpha^2")

    @number("Q3.3")
    @weight(1)
    @special
    def test_float32(self):
        """sigma_lambda is right in float32, for one image too."""
        l = self.levels(1, dtype=torch.float32)
        self.is_sigma(l, "sigma_lambda is not the square root of 1 - alpha^2", terms=4096)

    @number("Q3.3")
    @weight(1)
    @special
    @inputs_survive
    def test_falls_with_lambda(self):
        """sigma_lambda falls from 1, all noise, to 0, all image, and leaves lambda as it is."""
        l = torch.linspace(-12, 12, 13, dtype=torch.float64).reshape(-1, 1, 1, 1)
        sentence = "sigma_lambda does not fall from almost 1 at lambda = -12 to almost 0 at lambda = 12"
        self.is_sigma(l, sentence)

    def is_sigma(self, l, sentence, terms=256):
        known = Known(self)
        truths = [known("sigma_lambda", l), sigma_of(l)]
        look = lambda q3: q3.CFGDiffusion(None, STEPS, "cpu").sigma_lambda(l)  # noqa: E731
        self.agrees(look, known.replacing("alpha_lambda"), truths, sentence, terms)


class CfgQSample(CfgExercise):
    @number("Q3.4")
    @weight(1)
    def test_mean(self):
        """Without noise, q_sample scales the image by alpha."""
        l, x = self.levels(4), self.randn(4, 1, 3, 5, dtype=torch.float64)
        self.is_sample(l, x, torch.zeros_like(x), "with zero noise, q_sample is not alpha_lambda x")

    @number("Q3.4")
    @weight(1)
    def test_noise(self):
        """q_sample scales the noise that it is given by sigma, a standard deviation."""
        l, noise = self.levels(4), self.randn(4, 1, 3, 5, dtype=torch.float64)
        sentence = "with a zero image, q_sample is not sigma_lambda times the given noise"
        self.is_sample(l, torch.zeros_like(noise), noise, sentence)

    @number("Q3.4")
    @weight(1)
    @inputs_survive
    def test_every_image_has_its_level(self):
        """q_sample is right for 97 images of 3 channels, every one at its own level, and leaves its inputs alone."""
        l = self.levels(97, dtype=torch.float32)
        x, noise = self.randn(97, 3, 2, 3), self.randn(97, 3, 2, 3)
        sentence = "q_sample is not alpha x + sigma noise for every image at its own level"
        self.is_sample(l, x, noise, sentence)

    def is_sample(self, l, x, noise, sentence):
        known = Known(self)
        alphas, sigmas = (known("alpha_lambda", l), alpha_of(l)), (known("sigma_lambda", l), sigma_of(l))
        truths = [alpha * x.double() + sigma * noise.double() for alpha, sigma in product(alphas, sigmas)]

        look = lambda q3: q3.CFGDiffusion(None, STEPS, "cpu").q_sample(x, l, noise)  # noqa: E731
        self.agrees(look, known.replacing("alpha_lambda", "sigma_lambda"), truths, sentence)


class SigmaQ(CfgExercise):
    @number("Q3.5")
    @weight(2)
    def test_forward_step_composes(self):
        """Going to level lambda' and on to lambda is the same as going to lambda at once."""
        sentence = "(alpha / alpha')^2 sigma'^2 + sigma_q^2 is not sigma^2: sigma_q is not the std of z given z'"
        self.is_sigma_q(self.step(97), sentence)

    @number("Q3.5")
    @weight(1)
    @special
    @inputs_survive
    def test_from_an_almost_clean_image(self):
        """From an almost clean image, nearly all noise of lambda is new; both levels stay as they are."""
        sentence = "from an almost clean level, sigma_q is not almost sigma_lambda, the std of the noisier one"
        self.is_sigma_q(self.far_step(11), sentence)

    @number("Q3.5")
    @weight(1)
    @special
    def test_float32(self):
        """sigma_q is right in float32, for one image too."""
        self.is_sigma_q(self.step(1, torch.float32), "sigma_q is not the std of z given z'", terms=4096)

    def is_sigma_q(self, step, sentence, terms=256):
        known, l, l_prim = Known(self), step.l, step.l_prim
        new = (1 - torch.exp(l.double() - l_prim.double())).sqrt()
        alpha, alpha_prim = known("alpha_lambda", l), known("alpha_lambda", l_prim)
        composed = known("sigma_lambda", l) ** 2 - (alpha / alpha_prim * known("sigma_lambda", l_prim)) ** 2
        truths = [new * known("sigma_lambda", l), composed.sqrt(), step.var_q.sqrt()]
        look = lambda q3: q3.CFGDiffusion(None, STEPS, "cpu").sigma_q(l, l_prim)  # noqa: E731
        self.agrees(look, known.replacing("alpha_lambda", "sigma_lambda"), truths, sentence, terms)


class SigmaQX(CfgExercise):
    @number("Q3.6")
    @weight(2)
    def test_bayes_rule(self):
        """sigma_q_x is the standard deviation of z' given z and x, by Bayes' rule."""
        self.is_sigma_q_x(self.step(97), "sigma_q_x is not the std of z' given z and x")

    @number("Q3.6")
    @weight(1)
    @special
    @inputs_survive
    def test_from_almost_pure_noise(self):
        """From almost pure noise, z tells nothing: z' has the noise of its own level; both levels stay as they are."""
        sentence = "from almost pure noise, sigma_q_x is not almost sigma_lambda', the std of the cleaner level"
        self.is_sigma_q_x(self.far_step(11), sentence)

    @number("Q3.6")
    @weight(1)
    @special
    def test_float32(self):
        """sigma_q_x is right in float32, for one image too."""
        self.is_sigma_q_x(self.step(1, torch.float32), "sigma_q_x is not the std of z' given z and x", terms=4096)

    def is_sigma_q_x(self, step, sentence, terms=256):
        known, l, l_prim = Known(self), step.l, step.l_prim
        new = (1 - torch.exp(l.double() - l_prim.double())).sqrt()
        truths = [new * known("sigma_lambda", l_prim)]
        truths += [known("sigma_q", l, l_prim) * sigma_prim / sigma for sigma, sigma_prim in known.sigmas(step)]
        truths.append(step.var_q_x.sqrt())
        look = lambda q3: q3.CFGDiffusion(None, STEPS, "cpu").sigma_q_x(l, l_prim)  # noqa: E731
        self.agrees(look, known.replacing("alpha_lambda", "sigma_lambda", "sigma_q"), truths, sentence, terms)


class MuPTheta(CfgExercise):
    @number("Q3.7")
    @weight(1)
    def test_without_an_image(self):
        """For x = 0, the mean is a multiple of z: how much of it the step keeps."""
        step, z = self.step(4), self.randn(4, 1, 3, 5, dtype=torch.float64)
        sentence = "for x = 0, the mean is not exp(lambda - lambda') alpha' / alpha times z"
        self.is_mean(step, z, torch.zeros_like(z), sentence)

    @number("Q3.7")
    @weight(1)
    def test_without_z(self):
        """For z = 0, the mean is a multiple of x."""
        step, x = self.step(4), self.randn(4, 1, 3, 5, dtype=torch.float64)
        sentence = "for z = 0, the mean is not (1 - exp(lambda - lambda')) alpha' times x"
        self.is_mean(step, torch.zeros_like(x), x, sentence)

    @number("Q3.7")
    @weight(1)
    def test_without_noise(self):
        """An image without noise, z = alpha x, stays one: the mean is alpha' x."""
        step, x = self.step(4), self.randn(4, 1, 3, 5, dtype=torch.float64)
        self.is_mean(step, step.alpha * x, x, "for z = alpha x, a z without noise, the mean is not alpha' x")

    @number("Q3.7")
    @weight(1)
    @inputs_survive
    def test_bayes_rule(self):
        """By Bayes' rule it is the mean of z' given z and x, each image at its own levels; inputs stay as they are."""
        step, z, x = self.step(97, torch.float32), self.randn(97, 3, 2, 3), self.randn(97, 3, 2, 3)
        self.is_mean(step, z, x, "mu_p_theta is not the mean of z' given z and x", terms=2048)

    def is_mean(self, step, z, x, sentence, terms=256):
        known, l, l_prim = Known(self), step.l, step.l_prim
        truths = known.means(step, z, x)
        truths[-1] = step.mean(z, x)
        look = lambda q3: q3.CFGDiffusion(None, STEPS, "cpu").mu_p_theta(z, x, l, l_prim)  # noqa: E731
        replacing = known.replacing("alpha_lambda", "sigma_lambda", "sigma_q", "sigma_q_x")
        self.agrees(look, replacing, truths, sentence, terms)


class VarPTheta(CfgExercise):
    @number("Q3.8")
    @weight(1)
    def test_v_0(self):
        """v = 0 gives sigma_q_x^2."""
        self.is_variance(0.0, "for v = 0, var_p_theta is not sigma_q_x^2")

    @number("Q3.8")
    @weight(1)
    def test_v_1(self):
        """v = 1 gives sigma_q^2."""
        self.is_variance(1.0, "for v = 1, var_p_theta is not sigma_q^2")

    @number("Q3.8")
    @weight(1)
    def test_between(self):
        """In between, the logarithm of the variance goes in a straight line."""
        sentence = "between v = 0 and v = 1, log(var_p_theta) is not (1 - v) log(sigma_q_x^2) + v log(sigma_q^2)"
        self.is_variance(self.number(0.4, 0.9), sentence)

    @number("Q3.8")
    @weight(1)
    @special
    @inputs_survive
    def test_default(self):
        """v is 0.3 unless said otherwise; both levels stay as they are."""
        self.is_variance(None, "var_p_theta without v is not that of v = 0.3")

    def is_variance(self, v, sentence):
        step, known = self.step(97), Known(self)
        l, l_prim, chosen, v = step.l, step.l_prim, {} if v is None else {"v": v}, 0.3 if v is None else v
        ways = product(*zip(*known.variances(step), strict=True))
        truths = [between(var_q_x, var_q, v) for var_q_x, var_q in ways]
        truths.append(step.variance(v))
        look = lambda q3: q3.CFGDiffusion(None, STEPS, "cpu").var_p_theta(l, l_prim, **chosen)  # noqa: E731
        replacing = known.replacing("alpha_lambda", "sigma_lambda", "sigma_q", "sigma_q_x")
        self.agrees(look, replacing, truths, sentence)


class CfgPSample(CfgExercise):
    @number("Q3.9")
    @weight(1)
    def test_mean(self):
        """Averaged over many draws, p_sample is mu_p_theta of z and x_t."""

        self.draws(4, 300, self.has_mean, in_calls=True)

    def has_mean(self, samples, truth):
        sentence = "the mean of p_sample is not mu_p_theta(z_lambda_t, x_t, lambda, lambda')"
        self.assertMean(samples, truth.mean, None, sentence)  # however wrong the variance is

    @number("Q3.9")
    @weight(1)
    def test_variance(self):
        """The variance of p_sample is var_p_theta."""
        sentence = "the variance of p_sample's noise is not var_p_theta: its standard deviation is the square root"

        def law(samples, truth):
            noise = samples.double() - samples.double().mean(dim=0)
            for image in range(3):
                self.assertVariance(noise[:, image].reshape(-1, 1), truth.variance[image].reshape(1), sentence)

        self.draws(3, 1000, law)

    @number("Q3.9")
    @weight(1)
    @inputs_survive
    def test_independent_noise(self):
        """Every pixel of every image gets noise of its own; every call draws anew, and leaves its inputs alone."""
        sentence = "the pixels' noise is not independent: draw it in the shape of the images, torch.randn_like"

        def law(samples, truth):
            noise = samples.double() - samples.double().mean(dim=0)
            noise = noise / noise.square().mean(dim=(0, 2, 3, 4), keepdim=True).sqrt()  # whatever the variance is
            self.has_mean(samples, truth)
            self.assertTrue(bool(noise.isfinite().all()), "p_sample draws no noise")
            # The mean over independent pixels has a variance 15 times smaller; over images, 40 times.
            self.assertVariance(noise.mean(dim=(2, 3, 4)).reshape(-1, 1), 1 / 15, sentence)
            self.assertVariance(noise.mean(dim=1).reshape(-1, 1), 1 / 40, sentence)
            self.assertVariance((noise[:50] + noise[50:]) / math.sqrt(2), 1.0, sentence)
            self.assertNormal(noise, "p_sample's noise is not normal: torch.randn_like")

        self.draws(40, 100, law)
        self.calls()

    def calls(self):
        """What random code is asked for."""
        l = self.levels(2, -3.0, 0.0)
        l_prim, x = l + self.levels(2, 0.5, 1.5), self.randn(2, 1, 3, 5, dtype=torch.float64)
        z = torch.flip(x, dims=(0,))
        replacing = Known(self).replacing("mu_p_theta", "var_p_theta")
        draw = lambda q3: q3.CFGDiffusion(None, STEPS, "cpu").p_sample(z, l, l_prim, x)  # noqa: E731
        self.check_random(draw, "p_sample", replacing=replacing)

    def draws(self, images, repetitions, law, in_calls=False):
        """`law` holds for (repetitions, images, 1, 3, 5) samples of p_sample and their moments.

        in_calls: drawn in as many calls, instead of in one with as many copies of the inputs.
        """
        l = self.levels(images, -3.0, 0.0)
        l_prim = l + self.levels(images, 0.5, 1.5)
        z, x = self.randn(images, 1, 3, 5, dtype=torch.float64), self.randn(images, 1, 3, 5, dtype=torch.float64)

        def look(q3):
            p_sample, inputs = q3.CFGDiffusion(None, STEPS, "cpu").p_sample, (z, l, l_prim, x)
            if in_calls:
                many = [p_sample(*(v.clone() for v in inputs)) for _ in range(repetitions)]
                return torch.cat(many) if all(isinstance(one, torch.Tensor) for one in many) else many[0]
            return p_sample(*(v.repeat(repetitions, 1, 1, 1) for v in inputs))

        def whole_law(samples, truth):
            right = isinstance(samples, torch.Tensor) and samples.shape == (repetitions * images, 1, 3, 5)
            self.assertTrue(right, "p_sample returns a tensor of the shape of z_lambda_t")
            law(samples.reshape(repetitions, images, 1, 3, 5), truth)

        step, known = Step(l, l_prim), Known(self)
        means = [known("mu_p_theta", z, x, l, l_prim), *known.means(step, z, x)]
        variances = [known("var_p_theta", l, l_prim)]
        variances += [between(*pair, 0.3) for pair in product(*zip(*known.variances(step), strict=True))]
        truths = [SimpleNamespace(mean=mean, variance=variance) for mean, variance in product(means, variances)]
        self.observe_law(look, whole_law, [(known.replacing(*known.functions), truths), ({}, truths[-1:])])


# ---------------------------------------------------------------- the loss


class Simple:
    """In the place of what the loss calls: lambda = u (t + 1), alpha = 1, sigma = lambda^2, for a secret u.

    one_level: lambda is the same at all times.
    """

    def __init__(self, case, one_level=False):
        u = self.u = case.number(0.08, 0.13)

        def get_lambda(self, t):
            t = torch.as_tensor(t).reshape(-1, 1, 1, 1).float()
            return u * (torch.full_like(t, STEPS) if one_level else t + 1)

        def alpha_lambda(self, lambda_t):
            return torch.ones_like(lambda_t)

        def sigma_lambda(self, lambda_t):
            return lambda_t**2

        def q_sample(self, x, lambda_t, noise):
            return x + lambda_t**2 * noise

        functions = get_lambda, alpha_lambda, sigma_lambda, q_sample
        self.replacing = {f"{D}.{function.__name__}": function for function in functions}

    def times(self, z, x0, noise):
        """The time of every image, from z = x0 + u^2 (t + 1)^2 noise; None where z is something else."""
        if z is None or z.shape != x0.shape:
            return None
        return whole_times(((z - x0).double() / noise.double()).sqrt() / self.u - 1)


class CfgLoss(CfgExercise):
    about = (
        "loss is not the squared error between noise and eps_model(z, labels), summed over channels and pixels, "
        "averaged over the batch, as a scalar"
    )

    @number("Q3.10")
    @weight(3)
    def test_sum_over_pixels_mean_over_images(self):
        """The loss is the squared error of the noise, summed over pixels, averaged over images, for their labels."""
        labels, noise = self.randint(0, 3, (7,)), self.randn(7, 2, 3, 5)
        answers = [self.number(-1, 1) for _ in range(4)]
        value = self.loss(answers, self.randn(7, 2, 3, 5), labels, noise)["loss"]
        predicted = torch.tensor(answers)[labels].reshape(-1, 1, 1, 1)
        expected = (noise - predicted).double().square().sum() / 7
        self.assertClose(value, expected, self.about)

    @number("Q3.10")
    @weight(1)
    def test_without_labels(self):
        """labels=None asks for the unconditional prediction."""
        noise, answers = self.randn(7, 2, 3, 5), [self.number(-1, 1) for _ in range(4)]
        value = self.loss(answers, self.randn(7, 2, 3, 5), None, noise)["loss"]
        expected = (noise - answers[-1]).double().square().sum() / 7
        self.assertClose(value, expected, "for labels=None, loss does not compare with eps_model(z, None)")

    @number("Q3.10")
    @weight(2)
    def test_times(self):
        """Every image is noised to the level of a time of its own, uniform on 0 .. n_steps - 1."""
        x0, noise = self.randn(2000, 1, 1, 3), self.rand(2000, 1, 1, 3, low=0.5, high=2.0)  # it is divided by
        labels = self.randint(0, 3, (2000,))
        simple = Simple(self)
        times = simple.times(self.loss([0.0] * 4, x0, labels, noise, simple.replacing)["z"], x0, noise)
        if times is None:  # the schedule is computed inline: look again at the student's own methods
            times = times_from_cosine_levels(self.loss([0.0] * 4, x0, labels, noise, {})["z"], x0, noise)
        sentence = "eps_model does not get q_sample(x0, get_lambda(t), noise) for times t in 0 .. n_steps - 1"
        self.assertIsNotNone(times, sentence)
        drawn = torch.nn.functional.one_hot(times, STEPS)
        sentence = (
            "the times are not uniform on 0 .. n_steps - 1, drawn for every image: torch.randint(0, n_steps, (B,))"
        )
        share = 1 / STEPS
        self.assertMean(drawn, share, math.sqrt(share * (1 - share)), sentence)

    @number("Q3.10")
    @weight(1)
    def test_labels(self):
        """The labels that were handed in reach the model in every call: it is the trainer who drops some."""
        x0, noise, labels = self.randn(2, 1, 1, 2), self.randn(2, 1, 1, 2), self.randint(0, 3, (2,))

        def look(q3):
            eps_model = stand_ins.Answers([0.0] * 4)
            diffusion = q3.CFGDiffusion(eps_model, STEPS, "cpu")
            for _ in range(150):
                diffusion.loss(x0, labels, noise=noise)
            handed_on = tuple("dropped" if seen is None else seen for seen in eps_model.labels)
            return sum(len(z) for z in eps_model.inputs), handed_on

        images, handed_on = self.observe(look, replacing=Simple(self).replacing)
        self.assertEqual(images, 150 * len(x0), "loss does not ask eps_model once about every image of the batch")
        sentence = (
            "loss drops or changes labels in some calls: hand them on as they came, the trainer drops some already"
        )
        self.assertTrue(all(isinstance(given, torch.Tensor) for given in handed_on), sentence)
        together = torch.cat([given.reshape(-1) for given in handed_on])  # the images may be asked about one by one
        self.assertTrue(torch.equal(together, labels.repeat(150)), sentence)

    @number("Q3.10")
    @weight(1)
    def test_draws_noise(self):
        """Without given noise, the loss draws standard normal noise, anew in every call."""
        x0, labels, a = torch.zeros(1000, 1, 3, 5), self.randint(0, 3, (1000,)), 0.5
        seen = self.loss([a] * 4, x0, labels, None, Simple(self, one_level=True).replacing)
        # For a prediction of a, the loss is the mean of 1000 sums of 15 (eps - a)^2, and its gradient of 2 a (a - eps).
        sentence = "without given noise, the loss does not compare with standard normal noise (torch.randn_like)"
        std = math.sqrt(15 * (2 + 4 * a**2) / 1000)
        self.assertMean(self.one_row(seen["loss"]), 15 * (1 + a**2), std, sentence)
        once = isinstance(seen["z"], torch.Tensor) and seen["z"].shape == x0.shape
        self.assertTrue(once, "eps_model is not asked once about every image of the batch")
        z = seen["z"].double()  # a multiple of the noise, since the images are 0
        sizes = z.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
        levels = float(sizes.max()) > 30 * float(sizes.min())  # the schedule is computed inline: each image has its own
        own = "without given noise, the pixels' noise is not independent and normal: torch.randn_like(x0)"
        self.assertNoise(z / (sizes if levels else z.square().mean().sqrt()), own, normal=not levels)
        sentence = "without given noise, the gradient of the loss does not reach the model"
        self.assertMean(self.one_row(seen["gradient"], sentence), 30 * a**2, 2 * a * math.sqrt(15 / 1000), sentence)

        def noisy(q3):  # no single number: two of them may be close by chance
            eps_model = stand_ins.Answers([a] * 4)
            q3.CFGDiffusion(eps_model, STEPS, "cpu").loss(x0, labels)
            return eps_model.seen()

        self.check_random(noisy, "loss", replacing=Simple(self).replacing)

    @number("Q3.10")
    @weight(1)
    @special
    def test_device(self):
        """It is right, and works on another device than the CPU."""
        self.test_sum_over_pixels_mean_over_images()  # what ignores its inputs ignores the device too
        x0, labels = self.randn(3, 1, 2, 2), self.randint(0, 3, (3,))

        def look(q3):
            diffusion = q3.CFGDiffusion(stand_ins.LabelOrNot(), STEPS, "cpu")
            return stand_ins.ignores_device(lambda: diffusion.loss(x0, labels))

        sentence = "loss makes tensors on the CPU, wherever x0 is: device=x0.device, randn_like(x0)"
        self.assertIs(self.observe(look, replacing=Simple(self).replacing), False, sentence)

    @number("Q3.10")
    @weight(1)
    @special
    @inputs_survive
    def test_gradient(self):
        """The gradient of the loss reaches the model; x_0, labels and noise stay as they are."""
        labels, noise = self.randint(0, 3, (7,)), self.randn(7, 2, 3, 5)
        answers = [self.number(0.2, 1) for _ in range(4)]
        seen = self.loss(answers, self.randn(7, 2, 3, 5), labels, noise)
        predicted = torch.tensor(answers)[labels].reshape(-1, 1, 1, 1)
        self.assertClose(seen["loss"], (noise - predicted).double().square().sum() / 7, self.about)
        self.assertFalse(seen["touched"], "loss calls backward() itself: return the loss, the training loop does that")
        expected = (2 * (predicted - noise) * predicted).double().sum() / 7
        sentence = "the loss is right, but its gradient does not reach the model: no item(), detach() or no_grad()"
        self.assertClose(seen["gradient"], expected, sentence, terms=2048)

    def one_row(self, value, sentence="the loss is not a scalar"):
        self.assertTrue(isinstance(value, torch.Tensor) and value.numel() == 1, sentence)
        return value.reshape(1, 1)

    def loss(self, answers, x0, labels, noise, replacing=None):
        """What the student's loss is, its gradient by the answers, and the z that eps_model was called with."""

        def look(q3):
            eps_model = stand_ins.Answers(answers)
            diffusion = q3.CFGDiffusion(eps_model, STEPS, "cpu")
            given = {} if noise is None else {"noise": noise}
            diffusion.loss(-x0, labels, **{name: 2 * value for name, value in given.items()})
            eps_model.inputs.clear()  # nothing is kept of an earlier call
            loss = diffusion.loss(x0, labels, **given)
            touched = eps_model.one.grad is not None
            (gradient,) = (NO_GRADIENT,) if touched else gradients(loss, eps_model.one)
            return {"loss": loss, "z": eps_model.seen(), "touched": touched, "gradient": gradient}

        return self.observe(look, replacing=Simple(self).replacing if replacing is None else replacing)


def times_from_cosine_levels(z, x0, noise):
    """The time of every image, from z = cos(angle) x0 + sin(angle) noise; None where z is something else."""
    if z is None or z.shape != x0.shape or not bool(z.isfinite().all()):
        return None
    factors = torch.linalg.lstsq(torch.stack([x0, noise], dim=-1).flatten(1, 3).double(), z.flatten(1).double())
    cosine, sine = factors.solution.unbind(dim=1)
    b = math.atan(math.exp(-10))
    times = (torch.atan2(sine, cosine) - b) / (math.atan(math.exp(10)) - b) * STEPS
    return whole_times(torch.where((cosine**2 + sine**2 - 1).abs() < 1e-3, times, math.nan).reshape(-1, 1, 1, 1))


def whole_times(times):
    """(B,) integers where every pixel (B, C, H, W) tells the same one, within 0 .. STEPS - 1; otherwise None."""
    near = (times - times.round()).abs() < 0.01
    same = (times - times[:, :1, :1, :1]).abs() < 0.02
    if not bool((near & same).all()) or times.min() < -0.5 or times.max() > STEPS - 0.5:
        return None
    return times[:, 0, 0, 0].round().long()


def pair_of_tensors(value):
    if isinstance(value, tuple) and len(value) == 2 and all(isinstance(v, torch.Tensor) for v in value):
        return value
    raise Wrong("it does not return a tensor of the shape of lambda")
