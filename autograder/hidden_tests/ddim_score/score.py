"""Hidden tests of score.py. Instructors read this file; students never see it.

The mixtures come from the assignment's own student_mixture, for a number drawn for each submission. Samplers get
a score field that is known in closed form; what is random is judged from the path that they return, step by step: the
step minus the drift must be noise of the right variance, fresh for each point, coordinate and step.
"""

import math

import torch
from torch import Tensor, nn

from autograder.grading.exercise import Exercise, Wrong, difference, gradients, inputs_survive, number, special, weight
from autograder.sandbox.stand_ins import Descent, asked_anew, in_parts
from autograder.sandbox.stand_ins import together as in_one


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


class Linear(nn.Module):
    """model(x, sigma): slope * x."""

    def __init__(self, slope: float):
        super().__init__()
        self.slope = slope

    def forward(self, x, sigma):
        return self.slope * x


def unit_field(x, sigma):
    """Field with the parameter 1."""
    sigma = torch.as_tensor(sigma, dtype=torch.float64).reshape(-1, 1)
    return (1 - x - 0.5 * x.flip(1)) / (1 + sigma).to(x)


def stand_ins(known: list[float], noise: float = 0.0) -> dict:
    """In the place of earlier exercises: other functions, with known coefficients. noise: in a step of the walk."""
    a, b, c = known

    def add_noise(x, sigma):
        epsilon = a * sigma * torch.randn_like(x)
        return b * x + 1 + epsilon, c * epsilon

    def score_matching_loss(model, x_noisy, epsilon, sigma):
        predicted = model(x_noisy, sigma)
        return (a * predicted * epsilon + c * predicted.square()).mean() + b

    def langevin_sampling(model, start_point, sigma_t, step_size, num_steps):
        path = [start_point]
        for _ in range(num_steps):
            step = a * step_size * model(path[-1], sigma_t) + c
            path.append(b * path[-1] + step + noise * torch.randn_like(path[-1]))
        return path

    return {"add_noise": add_noise, "score_matching_loss": score_matching_loss, "langevin_sampling": langevin_sampling}


class ScoreExercise(Exercise):
    module = "score"

    def mixture(self, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor, Tensor]:
        """weights, means, covs of this student's mixture."""
        from mixture import student_mixture  # given code, importable once the reference is

        return tuple(student_mixture(self.runner.student_number, dtype))

    def assertFresh(self, noise, about: str) -> None:
        """(N, ...): N independent draws of independent standard normal numbers."""
        noise = self._numbers(noise, about)
        self.assertDraws(noise, torch.zeros(noise.shape[1:]), 1.0, about)

    def stand_ins(self, *names: str) -> dict:
        """Of earlier exercises, with coefficients that are drawn once a test."""
        self.known = [self.number(1.6, 2), self.number(0.6, 0.8), self.number(0.2, 0.4)]
        return {name: stand_in for name, stand_in in stand_ins(self.known).items() if name in names}


def mixture_score(x: Tensor, weights: Tensor, means: Tensor, covs: Tensor) -> Tensor:
    """In float64, through logarithms."""
    x, weights, means, covs = (v.double() for v in (x, weights, means, covs))
    pull = torch.einsum("kij,bkj->bki", torch.linalg.inv(covs), means - x[:, None])
    return torch.einsum("bk,bki->bi", responsibilities(x, weights, means, covs), pull)


def responsibilities(x: Tensor, weights: Tensor, means: Tensor, covs: Tensor) -> Tensor:
    """Of each Gaussian at each point, (B, K); all in float64."""
    squared = torch.einsum("bki,kij,bkj->bk", x[:, None] - means, torch.linalg.inv(covs), x[:, None] - means)
    return (weights.log() - 0.5 * squared - 0.5 * torch.linalg.slogdet(covs)[1]).softmax(dim=1)


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
        self.assertClose(self.observe(look), expected, "It is not the score of the mixture between its means")

    @number("Q2.1")
    @weight(2)
    def test_single_gaussian(self):
        """Where both Gaussians are the same, it is the score of one: -Sigma^{-1} (x - mu)."""
        weights, means, covs = self.mixture()
        cases = []
        for mean, cov in zip(means, covs, strict=True):  # each of them in turn
            # Up to 30 away: densities down to exp(-450), which float64 holds, and an epsilon does not.
            angle = self.rand(31, 1, high=2 * math.pi, dtype=torch.float64)
            far = torch.linspace(0.5, 30, 31, dtype=torch.float64)[:, None]
            x = mean + far * torch.cat([angle.cos(), angle.sin()], dim=1)
            cases.append((x, weights, mean.repeat(2, 1), cov.repeat(2, 1, 1)))
        found = self.observe(lambda score: tuple(score.score_function_gt(*case) for case in cases))
        expected = tuple(torch.linalg.solve(cov[0], (mean[0] - x).T).T for x, _, mean, cov in cases)
        self.assertClose(found, expected, "For two equal Gaussians it is not -Sigma^{-1} (x - mu)")

    @number("Q2.1")
    @weight(2)
    @special
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
    @special
    @inputs_survive
    def test_one_point(self):
        """For one point the result is (1, 2); the inputs stay as they are."""
        weights, means, covs = self.mixture()
        along = torch.linspace(0, 1, 1001, dtype=torch.float64)[:, None]
        line = along * means[0] + (1 - along) * means[1]
        balance = (responsibilities(line, weights, means, covs)[:, :1] - self.number(0.3, 0.7)).abs()
        x = line[balance.argmin()].unsqueeze(0)  # both Gaussians matter there

        found = self.observe(lambda score: score.score_function_gt(x, weights, means, covs))
        self.assertClose(found, mixture_score(x, weights, means, covs), "For one point it is wrong")


def look_at_pair(x: Tensor, sigma):
    """A look at what add_noise returns."""

    def look(score):
        found = score.add_noise(x=x, sigma=sigma)
        return list(found) if isinstance(found, tuple | list) else found

    return look


class AddNoise(ScoreExercise):
    @number("Q2.2")
    @weight(2)
    @inputs_survive
    def test_sum(self):
        """It returns x + epsilon first, then epsilon; x stays as it is."""
        x, sigma = self.randn(97, 2), self.number(1, 5)

        found = self.observe(look_at_pair(x, sigma))
        for part in self.several(found, 2, "It does not return two tensors (B, 2): the noisy points and the noise"):
            self.assertShape(part, x.shape)
        noisy, epsilon = self.plausible(found, "The noise is far too large")
        self.assertClose(noisy, x + epsilon, "The first is not x plus the second")
        self.assertGreater(float(epsilon.std()), 1e-3, "There is no noise")

    @number("Q2.2")
    @weight(2)
    def test_noise(self):
        """epsilon is normal with standard deviation sigma, fresh for each point and coordinate."""
        sigma = self.number(2, 7)
        _, epsilon = self.pair(torch.zeros(6000, 2), sigma)
        self.assertFresh(self.shaped(epsilon) / sigma, "epsilon must follow N(0, sigma^2 I)")
        self.check_random(look_at_pair(torch.zeros(9, 2), sigma), "add_noise")

    @number("Q2.2")
    @weight(1)
    @special
    @inputs_survive
    def test_sigma_of_each_point(self):
        """sigma may be a tensor (B, 1): each point has its own."""
        sigma = self.rand(6000, 1, low=1, high=20)
        noisy, epsilon = self.pair(torch.zeros(6000, 2), sigma)
        about = "with sigma (B, 1), each point has noise of its own sigma"
        self.assertFresh(self.shaped(epsilon) / sigma, about)
        self.assertFresh(self.shaped(noisy) / sigma, about)

    def pair(self, x: Tensor, sigma):
        sentence = "It does not return two tensors: the noisy points and the noise"
        return self.several(self.observe(look_at_pair(x, sigma)), 2, sentence)

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
    @special
    def test_sigma_of_each_point(self):
        """sigma may be a tensor (B, 1): each point has its own."""
        x, epsilon, sigma = self.randn(97, 2), self.randn(97, 2), self.rand(97, 1, low=0.5, high=3)
        self.assertLoss(x, epsilon, sigma, "With a sigma (B, 1) for each point, it is wrong")

    @number("Q2.3")
    @weight(1)
    def test_perfect_model(self):
        """It is 0 for a model that answers -epsilon / sigma^2, and 1 for one that is off by 1 in both coordinates."""
        epsilon, sigma = self.randn(31, 2), self.rand(31, 1, low=0.5, high=3)

        def look(score):
            models = [lambda x, sigma, off=off: off - (x - 1) / sigma**2 for off in (0, 1)]
            return [score.score_matching_loss(model, epsilon + 1, epsilon, sigma) for model in models]

        found = self.several(self.observe(look), 2)
        sentence = "It is not 0 for a model that answers -epsilon / sigma^2, or not 1 for one that is off by 1"
        beside = tuple(1 + v if isinstance(v, Tensor | float) else v for v in found)  # 1 gives the scale for rounding
        self.assertClose(beside, (torch.tensor(1.0), torch.tensor(2.0)), sentence)

    @number("Q2.3")
    @weight(2)
    @inputs_survive
    def test_training(self):
        """The model is asked about the noisy points and their sigma; the gradient trains it."""
        x, epsilon, sigma = self.randn(31, 2), self.randn(31, 2), self.rand(31, 1, low=0.5, high=3)

        def look(score):
            model = Field()
            loss = score.score_matching_loss(model, x, epsilon, sigma)
            left = model.scale.grad is not None or not model.training
            asked = [points for points, _, _ in model.asked], [level.reshape(-1) for _, level, _ in model.asked]
            return left, asked, loss, *(() if left else gradients(loss, model.scale))

        left, asked, *found = self.observe(look)
        if left is not False:
            raise Wrong("It calls backward(), which the training loop does, or leaves the model in evaluation mode")
        sentence = "The model is not asked about x_noisy and sigma"
        truth = x, sigma.double().reshape(-1)
        asked = tuple(self.joined(a, b.shape, sentence) for a, b in zip(asked, truth, strict=True))
        self.assertClose(asked, truth, sentence)
        unit = unit_field(x.double(), sigma)
        error = 0.4 * unit + epsilon / sigma.double() ** 2
        value, slope = 0.5 * error.square().sum(dim=1).mean(), (error * unit).sum(dim=1).mean()
        self.assertGradients(tuple(found), value.float(), (slope.float(),), "The model gets a wrong gradient, or none")

    def assertLoss(self, x: Tensor, epsilon: Tensor, sigma, sentence: str) -> None:
        def look(score):
            return score.score_matching_loss(model=Field(), x_noisy=x, epsilon=epsilon, sigma=sigma)

        level = torch.as_tensor(sigma, dtype=torch.float64)
        error = 0.4 * unit_field(x.double(), level) + epsilon / level**2
        self.assertClose(self.observe(look), (0.5 * error.square().sum(dim=1).mean()).float(), sentence)


class Train(ScoreExercise):
    """Data of one point: the noise of every batch is then what the model sees, minus that point."""

    @number("Q2.4")
    @weight(3)
    def test_steps(self):
        """Each step moves the parameters along the gradient of that batch's loss; the losses are returned."""
        point = self.randn(1, 2)
        look = self.training(point.repeat(300, 1), (1.5, 2.5), n_steps=3, batch_size=200)

        def law(found, truth):
            noise_of, loss_of = truth
            losses, asked, last = self.demand_batches(found, 3, 200)
            scales = [scale for _, _, scale in asked] + [float(last)]
            for loss, (x, sigma, scale), following in zip(losses, asked, scales[1:], strict=True):
                parameter = torch.tensor(scale, dtype=torch.float64, requires_grad=True)
                s = parameter * unit_field(x.double(), sigma)
                _, epsilon = noise_of(x.double(), point, sigma)
                expected = loss_of(s, epsilon, sigma)
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
        data = point.repeat(2500, 1)
        varied, constant = (
            self.training(data, levels, n_steps=2, batch_size=2000) for levels in ((1.0, 20.0), (3.0, 3.0))
        )

        def law(found, truth):
            noise_of, _ = truth
            for one, is_constant in zip(self.several(found, 2), (False, True), strict=True):
                _, asked, _ = self.demand_batches(one, 2, 2000)
                for x, sigma, _ in asked:
                    low, high = (3.0, 3.0) if is_constant else (1.0, 20.0)
                    inside = float(sigma.min()) >= low - 1e-4 and float(sigma.max()) <= high + 1e-4
                    self.assertTrue(inside, "A sigma is outside of sigma_range")
                    if not is_constant:
                        place = (sigma - low) / (high - low)
                        bins = ((place * 5).long().clamp(0, 4) == torch.arange(5)).double()
                        self.assertMean(bins, 0.2, 0.4, "The sigmas are not uniform in sigma_range, one for each point")
                    standard, _ = noise_of(x.double(), point, sigma)
                    self.assertFresh(standard, "the points must have noise of their sigma")

        self.observe_law(lambda score: (varied(score), constant(score)), law, self.cases())

    @number("Q2.4")
    @weight(1)
    @inputs_survive
    def test_batches(self):
        """Each batch is drawn at random from all of the data, every point as often as the others."""
        data = 10 * torch.stack([torch.arange(16.0), self.randint(0, 9, (16,)).float()], dim=1)
        look = self.training(data, (0.3, 0.3), n_steps=150, batch_size=16, rate=0.0)

        def law(found, truth):
            (place, shift), (_, asked, _) = truth, self.demand_batches(found, 150, 16)
            drawn = [((x - shift) / place / 10).round() * 10 for x, _, _ in asked]
            everything = torch.cat(drawn)
            known = (everything[:, None] == data).all(dim=2)
            self.assertTrue(bool(known.any(dim=1).all()), "The points of a batch are not points of the data")
            # Of 2400 draws, 150 are expected for each of 16 points: once in 1e7, one of them has less than 75 or more
            # than 225.
            often = known.double().mean(dim=0) * 16
            self.assertTrue(bool((often > 0.5).all()), "Some of the data never come into a batch, or too rarely")
            self.assertTrue(bool((often < 1.5).all()), "Some of the data come into batches more often than others")
            same = torch.equal(drawn[0], drawn[1])
            self.assertFalse(same, "Every step sees the same batch: draw a new one in each")

        replacing, own = self.stand_ins("add_noise", "score_matching_loss"), (1.0, 0.0)
        self.observe_law(look, law, [(replacing, [(self.known[1], 1.0), own]), ({}, [own])])
        draw = self.training(data, (0.5, 0.9), n_steps=1, batch_size=8, rate=0.0)
        self.check_random(lambda score: draw(score)[0], "train_score_model", replacing=replacing)

    def training(self, data: Tensor, levels: tuple[float, float], n_steps: int, batch_size: int, rate: float = 0.05):
        def look(score):
            model = Field()
            model.scale.grad = torch.tensor(5.0)  # of an earlier training
            losses = score.train_score_model(
                model=model,
                data=data,
                sigma_range=levels,
                n_steps=n_steps,
                batch_size=batch_size,
                optimizer=Descent(model.parameters(), rate),
            )
            losses = list(losses) if isinstance(losses, tuple | list) else [losses]
            graph = any(isinstance(loss, Tensor) and loss.requires_grad for loss in losses)
            losses = [loss.detach() if isinstance(loss, Tensor) else loss for loss in losses]
            return losses, model.asked, model.scale.detach(), graph

        return look

    def demand_batches(self, found, steps: int, size: int) -> tuple:
        """The losses, what the model was asked, with sigma (size, 1), and its parameter in the end."""
        losses, asked, last, graph = self.several(found, 4)
        sentence = "It does not take n_steps steps, or does not return a loss for each"
        self.several(losses, steps, sentence)
        calls = list(zip(*(self.several(one, 3) for one in asked), strict=True)) if asked else ([], [], [])
        calls = asked_anew(*calls)
        groups = in_parts(calls[0], size)
        batches = []
        for one in self.several(tuple(zip(*(in_one(groups, v) for v in calls), strict=True)), steps, sentence):
            x, sigma, scale = self.plausible(one, "The points of a batch are no points", largest=1e3)
            if x.shape != (size, 2) or sigma.numel() not in (1, size):
                raise Wrong("A batch has not batch_size points with a sigma (B, 1) for them")
            batches.append((x, sigma.reshape(-1, 1).expand(size, 1), float(scale)))
        self.assertFalse(graph, "The returned losses still hold their graphs: item() or detach() them")
        return losses, batches, last

    def cases(self):
        """(stand-ins, [(the noise in x, the loss) that they may lead to])."""
        replacing = self.stand_ins("add_noise", "score_matching_loss")
        a, b, c = self.known

        def shifted(x, point, sigma):
            """The standard normal noise that x was made of, and epsilon as add_noise returns it."""
            noise = x - b * point - 1
            return noise / (a * sigma), c * noise

        def added(x, point, sigma):
            return (x - point) / sigma, x - point

        def known(s, epsilon, sigma):
            return (a * s * epsilon + c * s.square()).mean() + b

        def right(s, epsilon, sigma):
            return 0.5 * (s + epsilon / sigma**2).square().sum(dim=1).mean()

        mixed = [(noise, loss) for loss in (known, right) for noise in (shifted, added)]
        return [(replacing, mixed), ({}, [(added, right)])]


def steps_of(points: list[Tensor], start: Tensor) -> list[list[int]]:
    """Which calls make a step of all points: where they are asked about in parts, all parts of a step come one after
    another, or all steps of a part."""

    def begins(groups: list[list[int]]) -> bool:
        return bool(groups) and torch.equal(torch.cat([points[i] for i in groups[0]]), start)

    by_step = in_parts(points, len(start))
    if not begins(by_step):
        for steps in range(1, len(points) + 1):
            firsts = points[::steps]
            if len(points) % steps == 0 and sum(map(len, firsts)) == len(start):
                by_part = [list(range(first, len(points), steps)) for first in range(steps)]
                return by_part if begins(by_part) else by_step
    return by_step


class SamplingExercise(ScoreExercise):
    def walk(self, sampler: str, *, start: Tensor, num_steps: int, **arguments):
        """A look at a path, and at what the model was asked."""

        def look(score):
            model = Field()
            path = getattr(score, sampler)(model=model, start_point=start, num_steps=num_steps, **arguments)
            path = torch.stack(list(path)) if isinstance(path, list | tuple) and path else path
            points, levels = [x for x, _, _ in model.asked], [sigma.reshape(-1)[:1] for _, sigma, _ in model.asked]
            if isinstance(path, Tensor) and len(points) > len(path) - 1:
                points, levels = asked_anew(points, levels)
            groups = steps_of(points, start)
            alike = [all(torch.equal(levels[i], levels[group[0]]) for i in group) for group in groups]
            asked = [
                levels[group[0]] if one else torch.full((1,), torch.nan)
                for group, one in zip(groups, alike, strict=True)
            ]
            return {"path": path, "asked": asked, "points": in_one(groups, points)}

        return look

    def demand_path(self, found, start: Tensor, steps: int | None) -> Tensor:
        """The path in float64; steps None: of any length, so that a missing step costs one test only, and with its
        start, whether the student's path has it or not."""
        path = found["path"]
        if not isinstance(path, Tensor) or path.dim() != 3 or path.shape[1:] != start.shape or len(path) < 3:
            raise Wrong("It does not return a list of tensors (B, 2), all points at once")
        if steps is None:
            self.plausible(path, "The path leads far away", largest=1e4)
            begins = difference(path[0], start) is None
            return (path if begins else torch.cat([start[None], path])).double()
        self.assertEqual(len(path), steps + 1, "The path does not have the start and one entry for each step")
        self.assertClose(path[0], start, "The path does not begin with start_point")
        return self.plausible(path, "The path leads far away", largest=1e4).double()

    def demand_points(self, found, path: Tensor) -> None:
        """The score is taken where the point is, before noise is added."""
        sentence = "The score is not taken at the point that the step starts from"
        self.assertEqual(len(found["points"]), len(path) - 1, "The model is not asked once in each step")
        for asked, point in zip(found["points"], path, strict=False):
            self.assertClose(asked.double(), point.double(), sentence)

    def demand_sigma(self, found, sigmas: list[float], sentence: str) -> None:
        self.assertEqual(len(found["asked"]), len(sigmas), "The model is not asked once in each step, about all points")
        told = torch.cat(found["asked"]) if found["asked"] else torch.zeros(0)
        self.assertClose(told.float(), torch.tensor(sigmas), sentence)

    def far_start(self, n: int) -> Tensor:
        """Points around one that is far out, where a wrong drift shows."""
        return self.randn(n, 2) + self.rand(1, 2, low=30, high=60)


class Deterministic(SamplingExercise):
    @number("Q2.5")
    @weight(1)
    @inputs_survive
    def test_path(self):
        """It returns num_steps + 1 tensors for all points, the start first, and asks the model at sigma_t."""
        start, sigma = self.randn(1000, 2), self.number(1, 4)
        found = self.observe(
            self.walk("deterministic_sampling", start=start, sigma_t=sigma, step_size=0.1, num_steps=4)
        )
        path = self.demand_path(found, start, 4)
        self.demand_sigma(found, [sigma] * 4, "The model is not asked at sigma_t")
        self.demand_points(found, path)

    @number("Q2.5")
    @weight(2)
    def test_steps(self):
        """Each point moves by step_size times the score at the point before."""
        starts, sigma, step = [self.far_start(7) for _ in range(2)], self.number(1, 4), self.number(0.05, 0.3)
        walks = [
            self.walk("deterministic_sampling", start=start, sigma_t=sigma, step_size=step, num_steps=5)
            for start in starts
        ]
        found = self.several(self.observe(lambda score: [walk(score) for walk in walks]), 2)
        for one, start in zip(found, starts, strict=True):
            path = self.demand_path(one, start, None)
            for before, after in zip(path, path[1:], strict=False):
                expected = before + step * 0.4 * unit_field(before, sigma)
                sentence = "A step is not step_size times the score at the point before, without noise"
                self.assertClose(after.float(), expected.float(), sentence)


class Langevin(SamplingExercise):
    @number("Q2.6")
    @weight(1)
    @inputs_survive
    def test_path(self):
        """It returns num_steps + 1 tensors for all points, the start first, and asks the model at sigma_t."""
        start, sigma = self.randn(1000, 2), self.number(1, 4)
        found = self.observe(self.walk("langevin_sampling", start=start, sigma_t=sigma, step_size=0.1, num_steps=4))
        path = self.demand_path(found, start, 4)
        self.demand_sigma(found, [sigma] * 4, "The model is not asked at sigma_t")
        self.demand_points(found, path)

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
        draw = self.walk("langevin_sampling", start=self.randn(5, 2), sigma_t=1.0, step_size=0.1, num_steps=2)
        self.check_random(lambda score: draw(score)["path"], "langevin_sampling")

    @number("Q2.6")
    @weight(1)
    def test_stationary_variance(self):
        """With the score of a Gaussian, the points become samples of it (but for the error of finite steps)."""
        var, step = self.number(2, 3), 0.1
        start = self.randn(1000, 2)

        def look(score):
            path = score.langevin_sampling(Linear(-1 / var), start, sigma_t=1.0, step_size=step, num_steps=40)
            return list(path)[-1:] if isinstance(path, list | tuple) else path

        keep = (1 - step / var) ** 2
        stationary = 2 * step / (1 - keep)  # of x <- (1 - step / var) x + sqrt(2 step) z
        variance = keep**40 + (1 - keep**40) * stationary
        sentence = "With the score of N(0, v), the points do not take on the variance v"
        (last,) = self.several(self.observe(look), 1, "It does not return a list of tensors (B, 2)")
        self.assertShape(last, (1000, 2))
        self.assertVariance(last, variance, sentence)

    def residuals(self, start: Tensor) -> tuple[float, Tensor]:
        """step_size, and (steps, B, 2): each step minus its drift."""
        sigma, step = self.number(5, 8), self.number(0.05, 0.3)
        found = self.observe(self.walk("langevin_sampling", start=start, sigma_t=sigma, step_size=step, num_steps=4))
        path = self.demand_path(found, start, None)
        drift = torch.stack([step * 0.4 * unit_field(before, sigma) for before in path[:-1]])
        return step, path[1:] - path[:-1] - drift


class Annealed(SamplingExercise):
    """langevin_sampling is replaced by a walk without noise; code that does not call it is judged with noise."""

    def cases(self) -> list[tuple]:
        """Is there noise in the path?"""
        return [(self.stand_ins("langevin_sampling"), [False, True]), ({}, [True])]

    @number("Q2.8")
    @weight(2)
    def test_levels(self):
        """The model is asked num_steps times at each of sigmas, in their order."""
        _, sigmas, look = self.given(3)
        sentence = "The model is not asked num_steps times at each of sigmas, in their order"
        told = [sigma for sigma in sigmas for _ in range(3)]
        self.observe_law(look, lambda found, _: self.demand_sigma(found, told, sentence), self.cases())

    @number("Q2.8")
    @weight(2)
    @inputs_survive
    def test_path(self):
        """It returns len(sigmas) * num_steps + 1 tensors for all points, the start first."""
        cases = [self.given(3) for _ in range(2)]

        def law(found, _):
            for one, (start, sigmas, _) in zip(self.several(found, 2), cases, strict=True):
                self.demand_path(one, start, 3 * len(sigmas))

        self.observe_law(lambda score: [look(score) for *_, look in cases], law, self.cases())
        draw, noisy = cases[0][-1], stand_ins(self.known, noise=0.5)["langevin_sampling"]
        replacing = {"langevin_sampling": noisy}
        self.check_random(lambda score: draw(score)["path"], "annealed_langevin_sampling", replacing=replacing)

    @number("Q2.8")
    @weight(3)
    def test_steps(self):
        """Each step starts where the one before ended, with step_size sigma_i^2 / sigma_L^2 at level i."""
        start, sigmas, look = self.given(1500)

        def law(found, is_noisy):
            path = self.demand_path(found, start, None)
            told = [float(sigma) for sigma in found["asked"]]
            if len(told) != len(path) - 1:
                raise Wrong("The model is not asked once for each step of the path")
            for before, after, sigma in zip(path, path[1:], told, strict=False):
                step = self.step * sigma**2 / sigmas[-1] ** 2
                a, b, c = (1.0, 1.0, 0.0) if is_noisy else self.known
                expected = b * before + a * step * 0.4 * unit_field(before, sigma) + c
                sentence = "A step is not step_size sigma_i^2 / sigma_L^2 times the score at the point before"
                if is_noisy:
                    self.assertMean(after - expected, 0.0, math.sqrt(2 * step), sentence)
                    noise = (after - expected) / math.sqrt(2 * step)
                    self.assertFresh(noise, "each step adds sqrt(2 step_i) z, with z ~ N(0, I)")
                else:
                    self.assertClose(after.float(), expected.float(), sentence)

        self.observe_law(look, law, self.cases())

    def given(self, points: int):
        start = self.far_start(points)
        sigmas = [self.number(6, 9), self.number(3, 5), self.number(1, 2)]
        self.step = self.number(0.02, 0.06)
        look = self.walk("annealed_langevin_sampling", start=start, sigmas=sigmas, step_size=self.step, num_steps=3)
        return start, sigmas, look
