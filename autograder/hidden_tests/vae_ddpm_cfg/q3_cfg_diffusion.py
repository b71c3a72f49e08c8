"""Hidden tests of q3_cfg_diffusion.py: laws of Gaussians, in float64, computed here from alpha^2 = sigmoid(lambda).

Where an exercise may call an earlier one, that one is replaced by a table: its right values at the levels of the test,
NaN everywhere else. So an answer that calls it, one that computes the same inline and any mixture see the same
numbers, and a mistake in an earlier exercise costs nothing here. The tables give nothing away but these numbers.

Levels stay within +-8, where 1 - alpha^2 does not cancel in float32.
"""

import math

import torch

from autograder.grading.exercise import Exercise, Wrong, number, weight
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
        return torch.exp((1 - v) * self.var_q_x.log() + v * self.var_q.log())

    def tables(self, *names):
        """Stand-ins for these methods, right at these levels."""
        l, l_prim = self.l.flatten().double(), self.l_prim.flatten().double()
        both = torch.cat([l, l_prim, -l, -l_prim])
        of_level = {"alpha_lambda": alpha_of(both), "sigma_lambda": sigma_of(both)}
        of_pair = {"sigma_q": self.var_q.sqrt(), "sigma_q_x": self.var_q_x.sqrt(), "var_p_theta": self.variance(0.3)}
        made = {}
        for name in names:
            if name in of_level:
                made[f"{D}.{name}"] = table_of_levels(both, of_level[name])
            elif name == "var_p_theta":
                made[f"{D}.{name}"] = variance_table(l, l_prim, of_pair[name].flatten())
            elif name == "mu_p_theta":
                made[f"{D}.{name}"] = mean_table(l, l_prim, self.of_z.flatten(), self.of_x.flatten())
            else:
                made[f"{D}.{name}"] = table_of_pairs(l, l_prim, of_pair[name].flatten())
        return made


def table_of_levels(levels, values):
    def stand_in(self, lambda_t):
        distance = (lambda_t.detach().double().reshape(-1, 1) - levels).abs()
        found = values[distance.argmin(dim=1)].masked_fill(distance.amin(dim=1) > 1e-4, math.nan)
        return found.reshape(lambda_t.shape).to(lambda_t.dtype)

    return stand_in


def looked_up(l, l_prim, values, lambda_t, lambda_t_prim):
    """values at the pairs (lambda_t, lambda_t_prim), NaN for a pair that is not in the table."""
    one, other = torch.broadcast_tensors(lambda_t.detach().double(), lambda_t_prim.detach().double())
    distance = (one.reshape(-1, 1) - l).abs() + (other.reshape(-1, 1) - l_prim).abs()
    found = values[distance.argmin(dim=1)].masked_fill(distance.amin(dim=1) > 1e-4, math.nan)
    return found.reshape(one.shape).to(lambda_t.dtype)


def table_of_pairs(l, l_prim, values):
    def stand_in(self, lambda_t, lambda_t_prim):
        return looked_up(l, l_prim, values, lambda_t, lambda_t_prim)

    return stand_in


def variance_table(l, l_prim, values):
    def stand_in(self, lambda_t, lambda_t_prim, v=0.3):
        return looked_up(l, l_prim, values, lambda_t, lambda_t_prim) * (1.0 if v == 0.3 else math.nan)

    return stand_in


def mean_table(l, l_prim, of_z, of_x):
    def stand_in(self, z_lambda_t, x, lambda_t, lambda_t_prim):
        factor_z = looked_up(l, l_prim, of_z, lambda_t, lambda_t_prim)
        return factor_z * z_lambda_t + looked_up(l, l_prim, of_x, lambda_t, lambda_t_prim) * x

    return stand_in


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
    def test_falls_with_time(self):
        """lambda falls as time goes on, and has the shape (B, 1, 1, 1)."""
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
    def test_levels_of_both_signs(self):
        """alpha^2 at lambda and alpha^2 at -lambda make 1: the signal of one level is the noise of the other."""
        l = self.levels(11, dtype=torch.float32)

        def look(q3):
            diffusion = q3.CFGDiffusion(None, STEPS, "cpu")
            return diffusion.alpha_lambda(l), diffusion.alpha_lambda(-l)

        one, other = pair_of_tensors(self.observe(look))
        self.assertClose(one**2 + other**2, torch.ones(11, 1, 1, 1), "alpha(lambda)^2 + alpha(-lambda)^2 is not 1")

    @number("Q3.2")
    @weight(1)
    def test_both_ends(self):
        """alpha_lambda grows from almost 0 at lambda_min to almost 1 at lambda_max."""
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
        l = self.levels(97)
        value = self.observe(
            lambda q3: q3.CFGDiffusion(None, STEPS, "cpu").sigma_lambda(l),
            replacing=Step(l, l).tables("alpha_lambda"),
        )
        self.assertClose(value, sigma_of(l), "sigma_lambda is not the square root of 1 - alpha^2")

    @number("Q3.3")
    @weight(1)
    def test_float32(self):
        """sigma_lambda is right in float32, for one image too."""
        l = self.levels(1, dtype=torch.float32)
        value = self.observe(
            lambda q3: q3.CFGDiffusion(None, STEPS, "cpu").sigma_lambda(l),
            replacing=Step(l, l).tables("alpha_lambda"),
        )
        self.assertClose(value, sigma_of(l).float(), "sigma_lambda is not the square root of 1 - alpha^2", terms=4096)

    @number("Q3.3")
    @weight(1)
    def test_falls_with_lambda(self):
        """sigma_lambda falls from 1, all noise, to 0, all image."""
        l = torch.linspace(-12, 12, 13, dtype=torch.float64).reshape(-1, 1, 1, 1)
        value = self.observe(
            lambda q3: q3.CFGDiffusion(None, STEPS, "cpu").sigma_lambda(l),
            replacing=Step(l, l).tables("alpha_lambda"),
        )
        right = isinstance(value, torch.Tensor) and value.shape == l.shape
        self.assertTrue(right, "sigma_lambda has the shape of lambda")
        self.assertTrue(bool((value.flatten().diff() < 0).all()), "a larger lambda means less noise")
        near = abs(float(value[0]) - 1) < 1e-2 and abs(float(value[-1])) < 1e-2
        self.assertTrue(near, "sigma_lambda is almost 1 at lambda = -12 and almost 0 at lambda = 12")


class CfgQSample(CfgExercise):
    @number("Q3.4")
    @weight(1)
    def test_mean(self):
        """Without noise, q_sample scales the image by alpha."""
        l, x = self.levels(4), self.randn(4, 1, 3, 5, dtype=torch.float64)
        value = self.q_sample(l, x, torch.zeros_like(x))
        self.assertClose(value, alpha_of(l) * x, "with zero noise, q_sample is alpha_lambda x")

    @number("Q3.4")
    @weight(1)
    def test_noise(self):
        """q_sample scales the noise that it is given by sigma, a standard deviation."""
        l, noise = self.levels(4), self.randn(4, 1, 3, 5, dtype=torch.float64)
        value = self.q_sample(l, torch.zeros_like(noise), noise)
        self.assertClose(
            value, sigma_of(l) * noise, "with a zero image, q_sample is sigma_lambda times the given noise"
        )

    @number("Q3.4")
    @weight(1)
    def test_every_image_has_its_level(self):
        """q_sample is right for 97 images of 3 channels, every one at its own level."""
        l = self.levels(97, dtype=torch.float32)
        x, noise = self.randn(97, 3, 2, 3), self.randn(97, 3, 2, 3)
        value = self.q_sample(l, x, noise)
        expected = alpha_of(l) * x + sigma_of(l) * noise
        self.assertClose(value, expected, "q_sample is not alpha x + sigma noise for every image at its own level")

    def q_sample(self, l, x, noise):
        return self.observe(
            lambda q3: q3.CFGDiffusion(None, STEPS, "cpu").q_sample(x, l, noise),
            replacing=Step(l, l).tables("alpha_lambda", "sigma_lambda"),
        )


class SigmaQ(CfgExercise):
    @number("Q3.5")
    @weight(2)
    def test_forward_step_composes(self):
        """Going to level lambda' and on to lambda is the same as going to lambda at once."""
        step = self.step(97)
        sentence = "(alpha / alpha')^2 sigma'^2 + sigma_q^2 is not sigma^2: sigma_q is not the std of z given z'"
        self.assertClose(self.sigma_q(step), step.var_q.sqrt(), sentence)

    @number("Q3.5")
    @weight(1)
    def test_from_an_almost_clean_image(self):
        """From an almost clean image, nearly all noise of lambda is new."""
        step = self.far_step(11)
        sentence = (
            "from an almost clean level, sigma_q is almost sigma_lambda, the standard deviation of the noisier one"
        )
        self.assertClose(self.sigma_q(step), step.var_q.sqrt(), sentence)

    @number("Q3.5")
    @weight(1)
    def test_float32(self):
        """sigma_q is right in float32, for one image too."""
        step = self.step(1, torch.float32)
        self.assertClose(self.sigma_q(step), step.var_q.sqrt(), "sigma_q is not the std of z given z'", terms=4096)

    def sigma_q(self, step):
        l, l_prim = step.l, step.l_prim
        return self.observe(
            lambda q3: q3.CFGDiffusion(None, STEPS, "cpu").sigma_q(l, l_prim),
            replacing=step.tables("alpha_lambda", "sigma_lambda"),
        )


class SigmaQX(CfgExercise):
    @number("Q3.6")
    @weight(2)
    def test_bayes_rule(self):
        """sigma_q_x is the standard deviation of z' given z and x, by Bayes' rule."""
        step = self.step(97)
        self.assertClose(self.sigma_q_x(step), step.var_q_x.sqrt(), "sigma_q_x is not the std of z' given z and x")

    @number("Q3.6")
    @weight(1)
    def test_from_almost_pure_noise(self):
        """From almost pure noise, z tells nothing: z' has the noise of its own level."""
        step = self.far_step(11)
        sentence = (
            "from almost pure noise, sigma_q_x is almost sigma_lambda', the standard deviation of the cleaner level"
        )
        self.assertClose(self.sigma_q_x(step), step.var_q_x.sqrt(), sentence)

    @number("Q3.6")
    @weight(1)
    def test_float32(self):
        """sigma_q_x is right in float32, for one image too."""
        step = self.step(1, torch.float32)
        sentence = "sigma_q_x is not the std of z' given z and x"
        self.assertClose(self.sigma_q_x(step), step.var_q_x.sqrt(), sentence, terms=4096)

    def sigma_q_x(self, step):
        l, l_prim = step.l, step.l_prim
        return self.observe(
            lambda q3: q3.CFGDiffusion(None, STEPS, "cpu").sigma_q_x(l, l_prim),
            replacing=step.tables("alpha_lambda", "sigma_lambda", "sigma_q"),
        )


class MuPTheta(CfgExercise):
    @number("Q3.7")
    @weight(1)
    def test_without_an_image(self):
        """For x = 0, the mean is a multiple of z: how much of it the step keeps."""
        step, z = self.step(4), self.randn(4, 1, 3, 5, dtype=torch.float64)
        sentence = "for x = 0, the mean is not exp(lambda - lambda') alpha' / alpha times z"
        self.assertClose(self.mu(step, z, torch.zeros_like(z)), step.mean(z, torch.zeros_like(z)), sentence)

    @number("Q3.7")
    @weight(1)
    def test_without_z(self):
        """For z = 0, the mean is a multiple of x."""
        step, x = self.step(4), self.randn(4, 1, 3, 5, dtype=torch.float64)
        sentence = "for z = 0, the mean is not (1 - exp(lambda - lambda')) alpha' times x"
        self.assertClose(self.mu(step, torch.zeros_like(x), x), step.mean(torch.zeros_like(x), x), sentence)

    @number("Q3.7")
    @weight(1)
    def test_without_noise(self):
        """An image without noise, z = alpha x, stays one: the mean is alpha' x."""
        step, x = self.step(4), self.randn(4, 1, 3, 5, dtype=torch.float64)
        value = self.mu(step, step.alpha * x, x)
        self.assertClose(value, step.alpha_prim * x, "for z = alpha x, a z without noise, the mean is not alpha' x")

    @number("Q3.7")
    @weight(1)
    def test_bayes_rule(self):
        """The mean is that of z' given z and x, by Bayes' rule, for every image at its own levels."""
        step, z, x = self.step(97, torch.float32), self.randn(97, 3, 2, 3), self.randn(97, 3, 2, 3)
        sentence = "mu_p_theta is not the mean of z' given z and x"
        self.assertClose(self.mu(step, z, x), step.mean(z, x), sentence, terms=2048)

    def mu(self, step, z, x):
        l, l_prim = step.l, step.l_prim
        return self.observe(
            lambda q3: q3.CFGDiffusion(None, STEPS, "cpu").mu_p_theta(z, x, l, l_prim),
            replacing=step.tables("alpha_lambda", "sigma_lambda", "sigma_q", "sigma_q_x"),
        )


class VarPTheta(CfgExercise):
    @number("Q3.8")
    @weight(1)
    def test_v_0(self):
        """v = 0 gives sigma_q_x^2."""
        self.demand(self.step(97), 0.0, "for v = 0, var_p_theta is not sigma_q_x^2")

    @number("Q3.8")
    @weight(1)
    def test_v_1(self):
        """v = 1 gives sigma_q^2."""
        self.demand(self.step(97), 1.0, "for v = 1, var_p_theta is not sigma_q^2")

    @number("Q3.8")
    @weight(1)
    def test_between(self):
        """In between, the logarithm of the variance goes in a straight line."""
        sentence = "between v = 0 and v = 1, log(var_p_theta) is not (1 - v) log(sigma_q_x^2) + v log(sigma_q^2)"
        self.demand(self.step(97), self.number(0.4, 0.9), sentence)

    @number("Q3.8")
    @weight(1)
    def test_default(self):
        """v is 0.3 unless said otherwise."""
        self.demand(self.step(97), None, "var_p_theta without v is not that of v = 0.3")

    def demand(self, step, v, sentence):
        l, l_prim = step.l, step.l_prim
        chosen = {} if v is None else {"v": v}
        value = self.observe(
            lambda q3: q3.CFGDiffusion(None, STEPS, "cpu").var_p_theta(l, l_prim, **chosen),
            replacing=step.tables("alpha_lambda", "sigma_lambda", "sigma_q", "sigma_q_x"),
        )
        self.assertClose(value, step.variance(0.3 if v is None else v), sentence)


class CfgPSample(CfgExercise):
    @number("Q3.9")
    @weight(1)
    def test_mean(self):
        """Averaged over many draws, p_sample is mu_p_theta of z and x_t."""
        step, samples, z, x = self.draws(4, 500)
        mean, std = step.mean(z, x), step.variance(0.3).sqrt()
        self.assertMean(samples, mean, std, "the mean of p_sample is not mu_p_theta(z_lambda_t, x_t, lambda, lambda')")

    @number("Q3.9")
    @weight(1)
    def test_variance(self):
        """The variance of p_sample is var_p_theta."""
        step, samples, z, x = self.draws(3, 1000)
        sentence = "the variance of p_sample's noise is not var_p_theta: its standard deviation is the square root"
        for image in range(3):
            noise = (samples.double() - samples.double().mean(dim=0))[:, image].reshape(-1, 1)
            self.assertVariance(noise, step.variance(0.3)[image].reshape(1), sentence)

    @number("Q3.9")
    @weight(1)
    def test_independent_noise(self):
        """Every pixel of every image gets noise of its own."""
        step, samples, z, x = self.draws(40, 100)
        noise = (samples.double() - step.mean(z, x)) / step.variance(0.3).sqrt()
        # The mean over independent pixels has a variance 15 times smaller; over images, 40 times.
        sentence = "the pixels' noise is not independent: draw it in the shape of the images, torch.randn_like"
        self.assertVariance(noise.mean(dim=(2, 3, 4)).reshape(-1, 1), 1 / 15, sentence)
        self.assertVariance(noise.mean(dim=1).reshape(-1, 1), 1 / 40, sentence)

    def draws(self, images, repetitions):
        """A Step for each image, and (repetitions, images, 1, 3, 5) samples of p_sample, drawn in one call."""
        l = self.levels(images, -3.0, 0.0)
        step = Step(l, l + self.levels(images, 0.5, 1.5))
        z, x = self.randn(images, 1, 3, 5, dtype=torch.float64), self.randn(images, 1, 3, 5, dtype=torch.float64)

        def look(q3):
            repeated = [v.repeat(repetitions, 1, 1, 1) for v in (z, l, step.l_prim, x)]
            return q3.CFGDiffusion(None, STEPS, "cpu").p_sample(*repeated)

        names = ("alpha_lambda", "sigma_lambda", "sigma_q", "sigma_q_x", "mu_p_theta", "var_p_theta")
        samples = self.observe(look, replacing=step.tables(*names))
        right = isinstance(samples, torch.Tensor) and samples.shape == (repetitions * images, 1, 3, 5)
        self.assertTrue(right, "p_sample returns a tensor of the shape of z_lambda_t")
        return step, samples.reshape(repetitions, images, 1, 3, 5), z, x


# ---------------------------------------------------------------- the loss


def simple_lambda(self, t):
    """Stands in for get_lambda."""
    return (torch.as_tensor(t).reshape(-1, 1, 1, 1).float() + 1) / 10


def simple_sigma(self, lambda_t):
    return lambda_t**2


def simple_alpha(self, lambda_t):
    return torch.ones_like(lambda_t)


def simple_q_sample(self, x, lambda_t, noise):
    """alpha = 1 and sigma = lambda^2, so that noise of zeros changes nothing and the rest shows lambda."""
    return x + lambda_t**2 * noise


SIMPLE = {
    f"{D}.get_lambda": simple_lambda,
    f"{D}.alpha_lambda": simple_alpha,
    f"{D}.sigma_lambda": simple_sigma,
    f"{D}.q_sample": simple_q_sample,
}


class CfgLoss(CfgExercise):
    @number("Q3.10")
    @weight(3)
    def test_sum_over_pixels_mean_over_images(self):
        """The loss is the squared error of the noise, summed over pixels, averaged over images, for their labels."""
        labels, noise = self.randint(0, 3, (7,)), self.randn(7, 2, 3, 5)
        answers = [self.number(-1, 1) for _ in range(4)]
        value = self.loss(answers, self.randn(7, 2, 3, 5), labels, noise)["loss"]
        predicted = torch.tensor(answers)[labels].reshape(-1, 1, 1, 1)
        expected = (noise - predicted).double().square().sum() / 7
        sentence = (
            "loss is not the squared error between noise and eps_model(z, labels), summed over channels and pixels, "
            "averaged over the batch, as a scalar"
        )
        self.assertClose(value, expected, sentence)

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
        seen = self.loss([0.0] * 4, x0, labels, noise)["inputs"]
        times = times_from_simple_levels(seen, x0, noise)
        if times is None:  # the schedule is computed inline: look again at the student's own methods
            seen = self.loss([0.0] * 4, x0, labels, noise, replacing={})["inputs"]
            times = times_from_cosine_levels(seen, x0, noise)
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
    def test_draws_noise(self):
        """Without given noise, the loss draws standard normal noise."""
        value = self.loss([0.0] * 4, torch.zeros(1000, 1, 3, 5), self.randint(0, 3, (1000,)), None)["loss"]
        # With a prediction of zeros, the loss is the mean of 1000 squared norms: 15, with a variance of 2 * 15 each.
        self.assertTrue(isinstance(value, torch.Tensor | float) and torch.as_tensor(value).numel() == 1, "not a scalar")
        sentence = "without given noise, the loss does not compare with standard normal noise (torch.randn_like)"
        self.assertMean(torch.as_tensor(value).reshape(1, 1), 15.0, math.sqrt(2 * 15 / 1000), sentence)

    @number("Q3.10")
    @weight(1)
    def test_gradient(self):
        """The gradient of the loss reaches the model."""
        labels, noise = self.randint(0, 3, (7,)), self.randn(7, 2, 3, 5)
        answers = [self.number(0.2, 1) for _ in range(4)]
        seen = self.loss(answers, self.randn(7, 2, 3, 5), labels, noise, gradient=True)
        predicted = torch.tensor(answers)[labels].reshape(-1, 1, 1, 1)
        expected = (2 * (predicted - noise) * predicted).double().sum() / 7
        sentence = "loss.backward() does not give the model the gradient of the squared error"
        self.assertClose(seen["gradient"], expected, sentence, terms=2048)

    def loss(self, answers, x0, labels, noise, gradient=False, replacing=SIMPLE):
        """What the student's loss is, and the z that eps_model was called with."""

        def look(q3):
            eps_model = stand_ins.Answers(answers)
            diffusion = q3.CFGDiffusion(eps_model, STEPS, "cpu")
            loss = diffusion.loss(x0, labels) if noise is None else diffusion.loss(x0, labels, noise=noise)
            if gradient:
                loss.sum().backward()
            return {"loss": loss, "inputs": eps_model.inputs, "gradient": eps_model.one.grad}

        return self.observe(look, replacing=replacing)


def times_from_simple_levels(inputs, x0, noise):
    """The time of every image, from z = x0 + ((t + 1) / 10)^2 noise; None where z is something else."""
    if len(inputs) != 1 or inputs[0].shape != x0.shape:
        return None
    return whole_times(10 * ((inputs[0] - x0).double() / noise.double()).sqrt() - 1)


def times_from_cosine_levels(inputs, x0, noise):
    """The time of every image, from z = cos(angle) x0 + sin(angle) noise; None where z is something else."""
    if len(inputs) != 1 or inputs[0].shape != x0.shape:
        return None
    factors = torch.linalg.lstsq(torch.stack([x0, noise], dim=-1).flatten(1, 3).double(), inputs[0].flatten(1).double())
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
