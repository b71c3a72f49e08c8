"""Hidden tests of score.py. Instructors read this file; students never see it.

The mixtures come from the assignment's own student_mixture, for a number drawn for each submission. Samplers get
a score field that is known in closed form; what is random is judged from the path that they return, step by step: the
step minus the drift must be noise of the right variance, fresh for each point, coordinate and step.
"""

import math

import torch
from torch import Tensor, nn

from autograder.grading.exercise import Exercise, Wrong, number, weight


class Field(nn.Module):
    """model(x, sigma): a known field that depends on both, times a parameter; writes down what it was asked."""

    def __init__(self, scale: float = 0.4):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(scale))
        self.asked: list[tuple[Tensor, Tensor, float]] = []

    def forward(self, x, sigma):
        sigma = torch.as_tensor(sigma, dtype=torch.float64)
        self.asked.append((x.detach().clone(), sigma.clone(), float(self.scale.detach())))
        return self.scale * unit_field(x, sigma)


class Gaussian(nn.Module):
    """The score of N(0, var I)."""

    def __init__(self, var: float):
        super().__init__()
        self.var = var

    def forward(self, x, sigma):
        return -x / self.var


def unit_field(x, sigma):
    """Field with the parameter 1."""
    sigma = torch.as_tensor(sigma, dtype=torch.float64).reshape(-1, 1)
    return (1 - x - 0.5 * x.flip(1)) / (1 + sigma).to(x)


class Descent:
    """An optimizer: plain gradient descent. (The first torch.optim in a process takes a second to import.)"""

    def __init__(self, parameters, lr: float = 0.05):
        self.param_groups = [{"params": list(parameters), "lr": lr}]
        self.state: dict = {}

    def zero_grad(self, set_to_none: bool = True):
        for parameter in self.param_groups[0]["params"]:
            parameter.grad = None

    def step(self, closure=None):
        with torch.no_grad():
            for parameter in self.param_groups[0]["params"]:
                if parameter.grad is not None:
                    parameter -= self.param_groups[0]["lr"] * parameter.grad


def doubled_noise(x, sigma):
    """In the place of add_noise: noise of another size."""
    epsilon = 2 * sigma * torch.randn_like(x)
    return x + epsilon, epsilon


def simple_loss(model, x_noisy, epsilon, sigma):
    """In the place of score_matching_loss."""
    return (model(x_noisy, sigma) + epsilon).square().mean()


def uphill(model, start_point, sigma_t, step_size, num_steps):
    """In the place of langevin_sampling: without noise."""
    path = [start_point]
    for _ in range(num_steps):
        path.append(path[-1] + step_size * model(path[-1], sigma_t))
    return path


class ScoreExercise(Exercise):
    module = "score"

    def mixture(self, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor, Tensor]:
        """weights, means, covs of this student's mixture."""
        from mixture import student_mixture  # given code, importable once the reference is

        return tuple(student_mixture(self.runner.student_number, dtype))

    def assertFresh(self, noise, about: str) -> None:
        """(N, ...): N independent draws of independent standard normal numbers."""
        noise = self._numbers(noise, about)
        self.assertMean(noise, 0.0, 1.0, f"The mean of many draws is wrong: {about}")
        self.assertVariance(noise, 1.0, f"The variance of many draws is wrong: {about}")
        flat = noise.flatten(1)
        along = flat.sum(dim=1, keepdim=True) / math.sqrt(flat.shape[1])
        self.assertVariance(along, 1.0, f"Numbers that must be independent are shared: {about}")
        pairs = len(noise) // 2 * 2
        across = (noise[0:pairs:2] + noise[1:pairs:2]) / math.sqrt(2)
        self.assertVariance(across, 1.0, f"Points share their noise: {about}")


def mixture_score(x: Tensor, weights: Tensor, means: Tensor, covs: Tensor) -> Tensor:
    """In float64, through logarithms."""
    x, weights, means, covs = (v.double() for v in (x, weights, means, covs))
    precision = torch.linalg.inv(covs)
    pull = torch.einsum("kij,bkj->bki", precision, means - x[:, None])
    squared = torch.einsum("bki,kij,bkj->bk", x[:, None] - means, precision, x[:, None] - means)
    log_joint = weights.log() - 0.5 * squared - 0.5 * torch.linalg.slogdet(covs)[1]
    return torch.einsum("bk,bki->bi", log_joint.softmax(dim=1), pull)


class TrueScore(ScoreExercise):
    @number("Q2.1")
    @weight(3)
    def test_between_the_modes(self):
        """It is the score of the mixture, where both Gaussians matter."""
        weights, means, covs = self.mixture()
        along = self.rand(97, 1, low=0.3, high=0.7, dtype=torch.float64)
        x = along * means[0] + (1 - along) * means[1] + self.randn(97, 2, dtype=torch.float64)

        def look(score):
            return score.score_function_gt(x=x, weights=weights, means=means, covs=covs)

        expected = mixture_score(x, weights, means, covs)
        self.assertClose(self.observe(look), expected, "It is not the score of the mixture between its means", 10_000)

    @number("Q2.1")
    @weight(2)
    def test_single_gaussian(self):
        """Where both Gaussians are the same, it is the score of one: -Sigma^{-1} (x - mu)."""
        weights, means, covs = self.mixture()
        means, covs = means[:1].repeat(2, 1), covs[:1].repeat(2, 1, 1)
        x = means[0] + 3 * self.randn(31, 2, dtype=torch.float64)
        found = self.observe(lambda score: score.score_function_gt(x, weights, means, covs))
        expected = torch.linalg.solve(covs[0], (means[0] - x).T).T
        self.assertClose(found, expected, "For two equal Gaussians it is not -Sigma^{-1} (x - mu)", 10_000)

    @number("Q2.1")
    @weight(2)
    def test_far_away(self):
        """Far from both means it is still right, in single precision: no NaN."""
        weights, means, covs = self.mixture(torch.float32)
        angle = self.rand(12, 1, high=2 * math.pi)
        x = 150 * torch.cat([angle.cos(), angle.sin()], dim=1)
        found = self.observe(lambda score: score.score_function_gt(x, weights, means, covs))
        sentence = "Far from both means it is wrong: the densities underflow there, their logarithms do not"
        # Responsibilities follow from differences of logarithms near 10^4: 1e-3, where they are not 0 or 1 anyway.
        self.assertClose(found, mixture_score(x, weights, means, covs).float(), sentence, terms=5000)

    @number("Q2.1")
    @weight(1)
    def test_one_point(self):
        """For one point the result is (1, 2); the inputs stay as they are."""
        weights, means, covs = self.mixture()
        x = means.mean(dim=0, keepdim=True) + self.randn(1, 2, dtype=torch.float64)

        def look(score):
            mine = [v.clone() for v in (x, weights, means, covs)]
            return score.score_function_gt(*mine), *mine

        expected = mixture_score(x, weights, means, covs), x, weights, means, covs
        sentence = "For one point it is wrong, or an input was changed in place"
        self.assertClose(self.observe(look), expected, sentence, 10_000)


class AddNoise(ScoreExercise):
    @number("Q2.2")
    @weight(2)
    def test_sum(self):
        """It returns x + epsilon first, then epsilon; x stays as it is."""
        x, sigma = self.randn(97, 2), self.number(1, 5)

        def look(score):
            mine = x.clone()
            noisy, epsilon = score.add_noise(x=mine, sigma=sigma)
            return noisy, epsilon, mine

        noisy, epsilon, mine = self.observe(look)
        for found in (noisy, epsilon):
            if not isinstance(found, Tensor) or found.shape != x.shape:
                raise Wrong("It does not return two tensors (B, 2): the noisy points and the noise")
        self.assertClose(noisy, x + epsilon, "The first is not x plus the second")
        self.assertClose(mine, x, "x was changed in place")

    @number("Q2.2")
    @weight(2)
    def test_noise(self):
        """epsilon is normal with standard deviation sigma, fresh for each point and coordinate."""
        sigma = self.number(2, 7)
        _, epsilon = self.pair(torch.zeros(6000, 2), sigma)
        self.assertFresh(self.shaped(epsilon) / sigma, "epsilon must follow N(0, sigma^2 I)")

    @number("Q2.2")
    @weight(1)
    def test_sigma_of_each_point(self):
        """sigma may be a tensor (B, 1): each point has its own."""
        sigma = self.rand(6000, 1, low=1, high=20)
        noisy, epsilon = self.pair(torch.zeros(6000, 2), sigma)
        about = "with sigma (B, 1), each point has noise of its own sigma"
        self.assertFresh(self.shaped(epsilon) / sigma, about)
        self.assertFresh(self.shaped(noisy) / sigma, about)

    def pair(self, x: Tensor, sigma):
        found = self.observe(lambda score: tuple(score.add_noise(x, sigma)))
        if len(found) != 2:
            raise Wrong("It does not return two tensors: the noisy points and the noise")
        return found

    @staticmethod
    def shaped(epsilon) -> Tensor:
        if not isinstance(epsilon, Tensor) or epsilon.shape != (6000, 2):
            raise Wrong("The noise has not the shape of x")
        return epsilon


class Loss(ScoreExercise):
    @number("Q2.3")
    @weight(3)
    def test_value(self):
        """It is half the squared norm of s(x~) + epsilon / sigma^2, averaged over the batch."""
        x, epsilon, sigma = self.randn(97, 2), self.randn(97, 2), self.number(0.5, 3)
        self.assertLoss(x, epsilon, sigma, "It is not 1/2 the mean of || s(x~, sigma) + epsilon / sigma^2 ||^2")

    @number("Q2.3")
    @weight(1)
    def test_sigma_of_each_point(self):
        """sigma may be a tensor (B, 1): each point has its own."""
        x, epsilon, sigma = self.randn(97, 2), self.randn(97, 2), self.rand(97, 1, low=0.5, high=3)
        self.assertLoss(x, epsilon, sigma, "With a sigma (B, 1) for each point, it is wrong")

    @number("Q2.3")
    @weight(1)
    def test_perfect_model(self):
        """It is 0 for a model that answers -epsilon / sigma^2."""
        epsilon, sigma = self.randn(31, 2), self.rand(31, 1, low=0.5, high=3)

        def look(score):
            return score.score_matching_loss(lambda x, sigma: -epsilon / sigma**2, epsilon + 1, epsilon, sigma)

        found = self.observe(look)
        sentence = "It is not 0 for a model that answers -epsilon / sigma^2"
        self.assertIsInstance(found, Tensor | float, sentence)
        self.assertLess(abs(float(found)), 1e-9, sentence)

    @number("Q2.3")
    @weight(2)
    def test_training(self):
        """The model is asked about the noisy points and their sigma, once; the gradient trains it."""
        x, epsilon, sigma = self.randn(31, 2), self.randn(31, 2), self.rand(31, 1, low=0.5, high=3)

        def look(score):
            model = Field()
            loss = score.score_matching_loss(model, x, epsilon, sigma)
            (slope,) = torch.autograd.grad(loss, model.scale)
            asked, level, _ = model.asked[-1]
            return len(model.asked), asked, level.reshape(-1), slope

        unit = unit_field(x.double(), sigma)
        slope = ((0.4 * unit + epsilon / sigma.double() ** 2) * unit).sum(dim=1).mean()
        expected = 1, x, sigma.reshape(-1), slope.float()
        sentence = "The model is not asked once about x_noisy and sigma, or it gets a wrong gradient"
        self.assertClose(self.observe(look), expected, sentence)

    def assertLoss(self, x: Tensor, epsilon: Tensor, sigma, sentence: str) -> None:
        def look(score):
            return score.score_matching_loss(model=Field(), x_noisy=x, epsilon=epsilon, sigma=sigma)

        level = torch.as_tensor(sigma, dtype=torch.float64)
        error = 0.4 * unit_field(x.double(), level) + epsilon / level**2
        self.assertClose(self.observe(look), (0.5 * error.square().sum(dim=1).mean()).float(), sentence)


class Train(ScoreExercise):
    """Data of one point: the noise of every batch is then what the model sees, minus that point."""

    stand_ins = {"add_noise": doubled_noise, "score_matching_loss": simple_loss}

    @number("Q2.4")
    @weight(3)
    def test_steps(self):
        """Each step moves the parameters along the gradient of that batch's loss; the losses are returned."""
        point = self.randn(1, 2)
        look = self.training(point.repeat(50, 1), (1.5, 2.5), n_steps=3, batch_size=200)

        def law(found, truth):
            _, loss_of = truth
            losses, asked, last = found
            if len(losses) != 3 or len(asked) != 3:
                raise Wrong("It does not take n_steps steps, or does not return a loss for each")
            scales = [scale for _, _, scale in asked] + [float(last)]
            for loss, (x, sigma, scale), following in zip(losses, asked, scales[1:], strict=True):
                parameter = torch.tensor(scale, dtype=torch.float64, requires_grad=True)
                s = parameter * unit_field(x.double(), sigma)
                expected = loss_of(s, x.double() - point, sigma.reshape(-1, 1))
                (slope,) = torch.autograd.grad(expected, parameter)
                sentence = "A returned loss is not the score matching loss of its batch"
                self.assertClose(torch.as_tensor(loss).float(), expected.detach().float(), sentence, terms=2000)
                close = abs((scale - following) / 0.05 - float(slope)) <= 1e-3 * (
                    float(expected.detach()) + abs(float(slope))
                )
                self.assertTrue(close, "A step does not follow the gradient of its batch (cleared before?)")

        self.observe_law(look, law, self.cases())

    @number("Q2.4")
    @weight(2)
    def test_sigmas(self):
        """Every point has a sigma of its own, uniform in sigma_range, and noise of that size; (3, 3) is constant."""
        point = self.randn(1, 2)
        data = point.repeat(50, 1)
        varied, constant = (
            self.training(data, levels, n_steps=2, batch_size=2000) for levels in ((1.0, 20.0), (3.0, 3.0))
        )

        def law(found, truth):
            size, _ = truth
            for (_, asked, _), is_constant in zip(found, (False, True), strict=True):
                if len(asked) != 2:
                    raise Wrong("It does not take n_steps steps")
                for x, sigma, _ in asked:
                    if x.shape != (2000, 2) or (not is_constant and sigma.numel() != 2000):
                        raise Wrong("A batch has not batch_size points with a sigma (B, 1) for them")
                    sigma = sigma.reshape(-1, 1).expand(2000, 1)
                    low, high = (3.0, 3.0) if is_constant else (1.0, 20.0)
                    inside = float(sigma.min()) >= low - 1e-4 and float(sigma.max()) <= high + 1e-4
                    self.assertTrue(inside, "A sigma is outside of sigma_range")
                    if not is_constant:
                        place = (sigma - low) / (high - low)
                        bins = ((place * 5).long().clamp(0, 4) == torch.arange(5)).double()
                        self.assertMean(bins, 0.2, 0.4, "The sigmas are not uniform in sigma_range, one for each point")
                    self.assertFresh((x.double() - point) / (size * sigma), "the points must have noise of their sigma")

        self.observe_law(lambda score: (varied(score), constant(score)), law, self.cases())

    @number("Q2.4")
    @weight(1)
    def test_batches(self):
        """Each batch is drawn at random from all of the data, every point as often as the others."""
        data = 10 * torch.stack([torch.arange(16.0), self.randint(0, 9, (16,)).float()], dim=1)
        look = self.training(data, (0.01, 0.01), n_steps=150, batch_size=16)

        def law(found, truth):
            _, asked, _ = found
            drawn = [(x / 10).round() * 10 for x, _, _ in asked]
            everything = torch.cat(drawn) if drawn else data[:0]
            known = (everything[:, None] == data).all(dim=2)
            self.assertTrue(bool(known.any(dim=1).all()), "The points of a batch are not points of the data")
            # Of 2400 draws, 150 are expected for each of 16 points: once in 1e7, one of them has less than 75 or more
            # than 225.
            often = known.double().mean(dim=0) * 16
            self.assertTrue(bool((often > 0.5).all()), "Some of the data never come into a batch, or too rarely")
            self.assertTrue(bool((often < 1.5).all()), "Some of the data come into batches more often than others")
            same = len(drawn) > 1 and torch.equal(drawn[0], drawn[1])
            self.assertFalse(same, "Every step sees the same batch: draw a new one in each")

        # With such a loss the scale may overflow on the way, which says nothing of the batches.
        self.observe_law(look, law, self.cases(), infinite=True)

    def training(self, data: Tensor, levels: tuple[float, float], n_steps: int, batch_size: int):
        def look(score):
            model = Field()
            model.scale.grad = torch.tensor(5.0)  # of an earlier training
            losses = score.train_score_model(
                model=model,
                data=data.clone(),
                sigma_range=levels,
                n_steps=n_steps,
                batch_size=batch_size,
                optimizer=Descent(model.parameters()),
            )
            losses = [float(loss) for loss in losses]
            return losses, model.asked, model.scale.detach()

        return look

    def cases(self):
        """(stand-ins, [(size of the noise over sigma, the loss) that they may lead to])."""

        def simple(s, epsilon, sigma):
            return (s + epsilon).square().mean()

        def right(s, epsilon, sigma):
            return 0.5 * (s + epsilon / sigma**2).square().sum(dim=1).mean()

        mixed = [(size, loss) for loss in (simple, right) for size in (2.0, 1.0)]
        return [(self.stand_ins, mixed), ({}, [(1.0, right)])]


class SamplingExercise(ScoreExercise):
    def walk(self, sampler: str, *, start: Tensor, num_steps: int, **arguments):
        """A look at a path, and at what the model was asked."""

        def look(score):
            model, mine = Field(), start.clone()
            path = getattr(score, sampler)(model=model, start_point=mine, num_steps=num_steps, **arguments)
            asked = [sigma.reshape(-1)[:1] for _, sigma, _ in model.asked]
            return {"path": torch.stack(list(path)), "asked": asked, "start": mine}

        return look

    def demand_path(self, found, start: Tensor, steps: int) -> Tensor:
        path = found["path"]
        if not isinstance(path, Tensor) or path.dim() != 3 or path.shape[1:] != start.shape:
            raise Wrong("It does not return a list of tensors (B, 2), all points at once")
        self.assertEqual(len(path), steps + 1, "The path does not have the start and one entry for each step")
        sentence = "The path does not begin with start_point, or start_point was changed in place"
        self.assertClose((path[0], found["start"]), (start, start), sentence)
        return path.double()

    def demand_sigma(self, found, sigmas: list[float], sentence: str) -> None:
        self.assertEqual(len(found["asked"]), len(sigmas), "The model is not asked once in each step, about all points")
        told = torch.cat(found["asked"]) if found["asked"] else torch.zeros(0)
        self.assertClose(told.float(), torch.tensor(sigmas), sentence)

    def far_start(self, n: int) -> Tensor:
        """Points around one that is far out, where a wrong drift shows."""
        return self.randn(n, 2) + 30 * self.randn(1, 2)


class Deterministic(SamplingExercise):
    @number("Q2.5")
    @weight(1)
    def test_path(self):
        """It returns num_steps + 1 tensors for all points, the start first, and asks the model at sigma_t."""
        start, sigma = self.randn(1000, 2), self.number(1, 4)
        found = self.observe(
            self.walk("deterministic_sampling", start=start, sigma_t=sigma, step_size=0.1, num_steps=4)
        )
        self.demand_path(found, start, 4)
        self.demand_sigma(found, [sigma] * 4, "The model is not asked at sigma_t")

    @number("Q2.5")
    @weight(2)
    def test_steps(self):
        """Each point moves by step_size times the score at the point before."""
        start, sigma, step = self.far_start(7), self.number(1, 4), self.number(0.05, 0.3)
        found = self.observe(
            self.walk("deterministic_sampling", start=start, sigma_t=sigma, step_size=step, num_steps=5)
        )
        path = found["path"].double()
        if path.dim() != 3 or len(path) < 3:
            raise Wrong("It does not return the path as a list of tensors (B, 2)")
        for before, after in zip(path, path[1:], strict=False):
            expected = before + step * 0.4 * unit_field(before, sigma)
            sentence = "A step is not step_size times the score at the point before, without noise"
            self.assertClose(after.float(), expected.float(), sentence)


class Langevin(SamplingExercise):
    @number("Q2.6")
    @weight(1)
    def test_path(self):
        """It returns num_steps + 1 tensors for all points, the start first, and asks the model at sigma_t."""
        start, sigma = self.randn(1000, 2), self.number(1, 4)
        found = self.observe(self.walk("langevin_sampling", start=start, sigma_t=sigma, step_size=0.1, num_steps=4))
        self.demand_path(found, start, 4)
        self.demand_sigma(found, [sigma] * 4, "The model is not asked at sigma_t")

    @number("Q2.6")
    @weight(2)
    def test_drift(self):
        """On average, each point moves by step_size times the score at the point before."""
        step, residuals = self.residuals(self.far_start(1500))
        for residual in residuals:
            sentence = "The mean of a step is not step_size times the score at the point before"
            self.assertMean(residual, 0.0, math.sqrt(2 * step), sentence)

    @number("Q2.6")
    @weight(2)
    def test_noise(self):
        """Each step adds fresh noise of variance 2 step_size to every coordinate of every point."""
        step, residuals = self.residuals(self.randn(3000, 2))
        noise = residuals.transpose(0, 1) / math.sqrt(2 * step)  # (points, steps, 2)
        self.assertFresh(noise, "each step adds sqrt(2 step_size) z, with z ~ N(0, I)")

    @number("Q2.6")
    @weight(1)
    def test_stationary_variance(self):
        """With the score of a Gaussian, the points become samples of it (but for the error of finite steps)."""
        var, step = self.number(0.5, 3), 0.1
        start = self.randn(1000, 2)

        def look(score):
            model = Gaussian(var)
            path = score.langevin_sampling(model, start, sigma_t=1.0, step_size=step, num_steps=150)
            return list(path)[-1]

        keep = (1 - step / var) ** 2
        stationary = 2 * step / (1 - keep)  # of x <- (1 - step / var) x + sqrt(2 step) z
        variance = keep**150 + (1 - keep**150) * stationary
        sentence = "With the score of N(0, v), the points do not take on the variance v"
        self.assertVariance(self.observe(look), variance, sentence)

    def residuals(self, start: Tensor) -> tuple[float, Tensor]:
        """step_size, and (steps, B, 2): each step minus its drift."""
        sigma, step = self.number(1, 4), self.number(0.05, 0.3)
        found = self.observe(self.walk("langevin_sampling", start=start, sigma_t=sigma, step_size=step, num_steps=4))
        path = found["path"].double()
        if path.dim() != 3 or len(path) < 3 or path.shape[1:] != start.shape:
            raise Wrong("It does not return the path as a list of tensors (B, 2)")
        drift = torch.stack([step * 0.4 * unit_field(before, sigma) for before in path[:-1]])
        return step, path[1:] - path[:-1] - drift


class Annealed(SamplingExercise):
    """langevin_sampling is replaced by a walk without noise; code that does not call it is judged with noise."""

    stand_in = {"langevin_sampling": uphill}
    cases = [({"langevin_sampling": uphill}, [False, True]), ({}, [True])]  # is there noise in the path?

    @number("Q2.8")
    @weight(2)
    def test_levels(self):
        """The model is asked num_steps times at each of sigmas, in their order."""
        _, sigmas, look = self.given(3)
        sentence = "The model is not asked num_steps times at each of sigmas, in their order"
        self.observe_law(
            look, lambda found, _: self.demand_sigma(found, [s for s in sigmas for _ in range(3)], sentence), self.cases
        )

    @number("Q2.8")
    @weight(2)
    def test_path(self):
        """It returns len(sigmas) * num_steps + 1 tensors for all points, the start first."""
        start, sigmas, look = self.given(3)
        self.observe_law(look, lambda found, _: self.demand_path(found, start, 3 * len(sigmas)), self.cases)

    @number("Q2.8")
    @weight(3)
    def test_steps(self):
        """Each step starts where the one before ended, with step_size sigma_i^2 / sigma_L^2 at level i."""
        _, sigmas, look = self.given(1500)

        def law(found, is_noisy):
            path = found["path"].double()
            told = [float(sigma) for sigma in found["asked"]]
            if path.dim() != 3 or len(path) < 3 or len(told) != len(path) - 1:
                raise Wrong("It does not return the path as a list of tensors (B, 2), one for each step")
            for before, after, sigma in zip(path, path[1:], told, strict=False):
                step = self.step * sigma**2 / sigmas[-1] ** 2
                expected = before + step * 0.4 * unit_field(before, sigma)
                sentence = "A step is not step_size sigma_i^2 / sigma_L^2 times the score at the point before"
                if is_noisy:
                    self.assertMean(after - expected, 0.0, math.sqrt(2 * step), sentence)
                    noise = (after - expected) / math.sqrt(2 * step)
                    self.assertFresh(noise, "each step adds sqrt(2 step_i) z, with z ~ N(0, I)")
                else:
                    self.assertClose(after.float(), expected.float(), sentence)

        self.observe_law(look, law, self.cases)

    def given(self, points: int):
        start = self.far_start(points)
        sigmas = [self.number(6, 9), self.number(3, 5), self.number(1, 2)]
        self.step = self.number(0.02, 0.06)
        look = self.walk("annealed_langevin_sampling", start=start, sigmas=sigmas, step_size=self.step, num_steps=3)
        return start, sigmas, look
