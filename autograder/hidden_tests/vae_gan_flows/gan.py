"""Hidden tests of gan.py. Instructors read this file; students never see it.

The penalties are compared with closed forms: a linear critic has the same gradient everywhere, and with q = p the
random point between them is p. The train step is watched through an iterator, modules and optimizers that are built
inside the look and write down what happens to them.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from autograder.grading.exercise import Exercise, Wrong, gradients, inputs_survive, leaves, number, special, weight
from autograder.sandbox.look_tools import uses_its_device
from autograder.sandbox.stand_ins import Descent


def closed_jsd(cp: Tensor, cq: Tensor) -> Tensor:
    """log s(c) = -softplus(-c), in float64."""
    return 0.5 * (math.log(4) - softplus(-cp.double()).mean() - softplus(cq.double()).mean())


def plus_one(values):
    """1 beside each value gives the scale for rounding: a value's terms may cancel out."""
    return tuple(1 + v if isinstance(v, Tensor | float) else v for v in values) if isinstance(values, tuple) else values


class JensenShannon(Exercise):
    module = "gan"

    @number("Q2.1")
    @weight(3)
    @inputs_survive
    def test_value(self):
        """It is (E log s(c(p)) + E log s(-c(q)) + log 4) / 2, for batches of any size and shape."""
        pairs = (
            (2 * self.randn(97, 1) + 1, 2 * self.randn(97, 1)),
            (self.randn(61), self.randn(33)),
            (self.randn(1, 1, dtype=torch.float64), self.randn(1, 1, dtype=torch.float64)),
        )
        found = self.observe(lambda gan: tuple(gan.jsd(cp=cp, cq=cq) for cp, cq in pairs))
        expected = tuple(closed_jsd(*pair).float() for pair in pairs)
        sentence = "This is not (E_p[log s(c)] + E_q[log s(-c)] + log 4) / 2, one number"
        self.assertClose(plus_one(found), plus_one(expected), sentence)

    @number("Q2.1")
    @weight(1)
    @special
    def test_known_critics(self):
        """It is 0 for a critic that is 0 everywhere, and negative for one that is wrong about everything."""
        zero, wrong = torch.zeros(8, 1), self.rand(8, 1, low=1, high=3)
        found = self.observe(lambda gan: (gan.jsd(zero, zero), gan.jsd(-wrong, wrong)))
        expected = torch.zeros(()), closed_jsd(-wrong, wrong).float()
        sentence = "It is not 0 for a critic of zeros, or not the formula's value for one that is wrong everywhere"
        self.assertClose(plus_one(found), plus_one(expected), sentence)

    @number("Q2.1")
    @weight(3)
    @special
    def test_sure_critics(self):
        """Values stay exact at |c| = 100 and 1000."""
        right, wrong = self.rand(9, 1, low=90, high=110), self.rand(9, 1, low=90, high=110)
        found = self.observe(
            lambda gan: (gan.jsd(right, -right), gan.jsd(-wrong, wrong), gan.jsd(-10 * wrong, -10 * right))
        )
        pairs = (right, -right), (-wrong, wrong), (-10 * wrong, -10 * right)
        sentence = "It overflows or loses its digits where |c| is large: the logarithm of a sigmoid needs a stable form"
        self.assertClose(found, tuple(closed_jsd(*pair).float() for pair in pairs), sentence)

    @number("Q2.1")
    @weight(1)
    @special
    def test_gradient(self):
        """Its gradients are right, also at |c| = 100."""
        cp = torch.cat([self.randn(5, 1), torch.tensor([[100.0], [-100.0]])])
        cq = torch.cat([self.randn(5, 1), torch.tensor([[100.0], [-100.0]])])

        def look(gan):
            inputs = leaves(cp, cq)
            value = gan.jsd(*inputs)
            return value, *gradients(value, *inputs)

        slopes = torch.sigmoid(-cp) / (2 * len(cp)), -torch.sigmoid(cq) / (2 * len(cq))
        sentence = "A gradient is wrong, or lost: no clamp, detach() or item()"
        self.assertGradients(self.observe(look), closed_jsd(cp, cq).float(), slopes, sentence)


class Wasserstein(Exercise):
    module = "gan"

    @number("Q2.2")
    @weight(3)
    @inputs_survive
    def test_value(self):
        """It is E c(p) - E c(q), for batches of any size and shape."""
        # E_p is the larger one, then E_q: for every key, so that a wrong sign never passes.
        pairs = (
            (3 * self.randn(97, 1) + 2, 3 * self.randn(97, 1) - 2),
            (self.randn(61) - 2, self.randn(33) + 2),
            (self.rand(1, 1, low=100, high=200, dtype=torch.float64), self.randn(1, 1, dtype=torch.float64)),
        )
        found = self.observe(lambda gan: tuple(gan.w1(cp=cp, cq=cq) for cp, cq in pairs))
        expected = tuple((cp.double().mean() - cq.double().mean()).float() for cp, cq in pairs)
        self.assertClose(
            found, expected, "This is not E_p[c] - E_q[c], one number that is positive when c is larger on P"
        )

    @number("Q2.2")
    @weight(1)
    @special
    def test_gradient(self):
        """Its gradients are right."""
        cp, cq = self.rand(5, 1, low=-2, high=-1), self.rand(5, 1, low=1, high=2)

        def look(gan):
            inputs = leaves(cp, cq)
            value = gan.w1(*inputs)
            return value, *gradients(value, *inputs)

        slopes = torch.full((5, 1), 0.2), torch.full((5, 1), -0.2)
        sentence = "A gradient is wrong, or lost: no detach() or item()"
        self.assertGradients(self.observe(look), cp.mean() - cq.mean(), slopes, sentence)


# ---------------------------------------------------------------- penalties


class Critic(nn.Module):
    """c(x) = sum_i (w_i x_i + a_i x_i^2 / 2): its gradient is w + a x. `flat`: one number for a sample as (B,)."""

    def __init__(self, w: Tensor, a: Tensor, flat: bool = False):
        super().__init__()
        self.w, self.a, self.flat = nn.Parameter(w.clone()), nn.Parameter(a.clone()), flat
        self.seen: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(plain(x))
        value = (self.w * x + 0.5 * self.a * x**2).flatten(1).sum(dim=1)
        return value if self.flat else value.unsqueeze(1)


def plain(x: Tensor) -> Tensor:
    """The numbers in x, also where torch.func has wrapped them."""
    functorch = torch._C._functorch
    while functorch.is_functorch_wrapped_tensor(x):
        x = functorch.get_unwrapped(x)
    return x.detach().clone()


def penalty(gan, name: str, p: Tensor, q: Tensor, critic: Critic):
    """ogp or r1gp, called as make_losses calls it."""
    return getattr(gan, name)(p=p, cp=critic(p), q=q, cq=critic(q), critic=critic)


def gradient_norm(critic: Critic, x: Tensor) -> Tensor:
    """The closed form of || grad c(x) ||, (B,)."""
    gradient = critic.w.detach().double() + critic.a.detach().double() * x.double()
    return gradient.expand(x.shape).flatten(1).norm(dim=1)


SHAPES = (7, 1), (5, 3), (4, 2, 5), (3, 2, 4, 3)


class PenaltyTests:
    """What both penalties have in common; mixed into an Exercise."""

    def linear(self) -> list[tuple]:
        """Samples of every shape with a linear critic, whose gradient's norm is far from 1, in the first below."""
        cases = []
        for number_, shape in enumerate(SHAPES):
            w = self.rand(*shape[1:], low=0.75, high=1.5) * (2 + number_ if number_ else 0.3)
            critic = Critic(w, torch.zeros_like(w), flat=number_ == 1)
            cases.append((self.randn(*shape), self.randn(*shape), critic))
        return cases

    def gradient(self, name: str, p: Tensor, q: Tensor, critic: Critic, value: Tensor, **slopes: Tensor) -> None:
        """The penalty and its gradients by the critic's parameters, in which it has left nothing itself."""
        names = list(slopes)

        def look(gan):
            outputs = critic(p), critic(q)
            before = [output.detach().clone() for output in outputs]
            value = getattr(gan, name)(p=p, cp=outputs[0], q=q, cq=outputs[1], critic=critic)
            left = any(parameter.grad is not None for parameter in critic.parameters())
            intact = critic.training and all(map(torch.equal, outputs, before))
            return left, intact, value, *(() if left else gradients(value, *(getattr(critic, n) for n in names)))

        left, intact, *found = self.observe(look)
        if left is not False:
            raise Wrong("It leaves gradients in the critic: take them by torch.autograd.grad, not by backward()")
        self.assertTrue(intact, "It changes cp or cq in place, or leaves the critic in another mode than it was in")
        sentence = "The penalty cannot train the critic: its own gradient is wrong or missing (create_graph?)"
        self.assertGradients(tuple(found), value, tuple(slopes.values()), sentence)

    def quadratic(self) -> list[tuple]:
        """A critic whose gradient differs from sample to sample; at the first of all its norm is 0.3, below 1."""
        cases = []
        for shape in SHAPES:
            critic = Critic(self.randn(*shape[1:]), self.rand(*shape[1:], low=0.5, high=2))
            cases.append((self.randn(*shape), self.randn(*shape), critic))
        p, _, critic = cases[0]
        p[0] = (0.3 - critic.w.detach()) / critic.a.detach()
        return cases


class OriginalPenalty(PenaltyTests, Exercise):
    module = "gan"

    @number("Q2.3")
    @weight(2)
    def test_linear_critic(self):
        """For a linear critic c(x) = w.x it is (||w|| - 1)^2, whatever the shape of the samples."""
        cases = self.linear()
        found = self.observe(lambda gan: tuple(penalty(gan, "ogp", p, q, critic) for p, q, critic in cases))
        expected = tuple((gradient_norm(critic, p) - 1).square().mean().float() for p, _, critic in cases)
        sentence = "For c(x) = w.x this is not (||w|| - 1)^2: the norm is over all dimensions of a sample"
        self.assertClose(found, expected, sentence)

    @number("Q2.3")
    @weight(2)
    def test_mean_over_samples(self):
        """Where the gradients differ, it is the mean over the samples of each one's penalty."""
        cases = [(p, p.clone(), critic) for p, _, critic in self.quadratic()]  # between p and p there is only p
        found = self.observe(lambda gan: tuple(penalty(gan, "ogp", p, q, critic) for p, q, critic in cases))
        expected = tuple((gradient_norm(critic, p) - 1).square().mean().float() for p, _, critic in cases)
        sentence = "With q = p this is not the mean over the samples of (||grad c(p)|| - 1)^2"
        self.assertClose(found, expected, sentence)

    @number("Q2.3")
    @weight(2)
    def test_points_between(self):
        """The gradient is taken at a uniform random point between each q and its p."""
        shape = (1500, 2, 2)
        p, q = self.randn(*shape) + 3, self.randn(*shape) - 3
        critic = Critic(self.randn(2, 2), self.rand(2, 2, low=0.5, high=2))

        def look(gan):
            value = penalty(gan, "ogp", p, q, critic)
            between = [x for x in critic.seen if not torch.equal(x, p) and not torch.equal(x, q)]
            rows = torch.cat([p[:0], *(x.reshape(-1, *p.shape[1:]) for x in between)])  # one by one, or mapped over

            def run(device, seen):
                far, there = Critic(critic.w, critic.a).to(device), (p.to(device), q.to(device))
                outputs = [far(x) for x in there]
                far.seen = seen
                return gan.ogp(there[0], outputs[0], there[1], outputs[1], far)

            points = rows[-len(p) :] if len(rows) >= len(p) else None
            return value, points, uses_its_device(gan, run)

        value, points, follows = self.several(self.observe(look), 3)
        if not isinstance(points, Tensor):
            raise Wrong("The critic is not asked about random points between p and q, where its gradient belongs")
        self.assertShape(points, shape)
        self.plausible(points, "A point does not lie between its p and its q")
        direction = (p - q).flatten(1).double()
        offset = (points - q).flatten(1).double()
        epsilon = (offset * direction).sum(dim=1) / direction.square().sum(dim=1)
        residual = (offset - epsilon.unsqueeze(1) * direction).abs().max()
        sentence = "A point does not lie between its p and its q: e is one number in [0, 1] for each sample"
        self.assertTrue(bool(residual < 1e-4), sentence)
        self.assertTrue(bool((epsilon > -1e-4).all() and (epsilon < 1 + 1e-4).all()), sentence)
        sentence = "e is not uniform in [0, 1] and independent for each sample"
        epsilon = epsilon.unsqueeze(1)
        fifths = ((5 * epsilon).long().clamp(0, 4) == torch.arange(5)).double()
        self.assertMean(fifths, 0.2, 0.4, sentence)
        neighbours = (epsilon[::2] - 0.5) * (epsilon[1::2] - 0.5)
        self.assertMean(neighbours, 0.0, 1 / 12, sentence)
        expected = (gradient_norm(critic, points) - 1).square().mean().float()
        self.assertClose(value, expected, "It is not the mean penalty of the points where you call the critic last")
        self.assertTrue(follows, "e is not drawn on the device of p")
        few = p[:5], q[:5]
        self.check_random(lambda gan: penalty(gan, "ogp", *few, critic), "ogp")

    @number("Q2.3")
    @weight(2)
    @special
    @inputs_survive
    def test_gradient_reaches_the_critic(self):
        """Its gradient reaches the critic's parameters, and it leaves p and q alone."""
        p, q, critic = self.linear()[1]
        norm = critic.w.detach().norm()
        slope = 2 * (norm - 1) * critic.w.detach() / norm
        self.gradient("ogp", p, q, critic, (norm - 1).square(), w=slope)


class R1Penalty(PenaltyTests, Exercise):
    module = "gan"

    @number("Q2.4")
    @weight(2)
    def test_linear_critic(self):
        """For a linear critic c(x) = w.x it is ||w||^2, whatever the shape of the samples."""
        cases = self.linear()
        found = self.observe(lambda gan: tuple(penalty(gan, "r1gp", p, q, critic) for p, q, critic in cases))
        expected = tuple(gradient_norm(critic, p).square().mean().float() for p, _, critic in cases)
        sentence = "For c(x) = w.x this is not ||w||^2: the square of the norm over all dimensions of a sample"
        self.assertClose(found, expected, sentence)

    @number("Q2.4")
    @weight(3)
    def test_at_real_samples(self):
        """Where the gradients differ, it is the mean of their squared norms at the samples of P."""
        cases = self.quadratic()
        found = self.observe(lambda gan: tuple(penalty(gan, "r1gp", p, q, critic) for p, q, critic in cases))
        expected = tuple(gradient_norm(critic, p).square().mean().float() for p, _, critic in cases)
        sentence = "This is not the mean of ||grad c(p)||^2 over the samples p of the data"
        self.assertClose(found, expected, sentence)

    @number("Q2.4")
    @weight(2)
    @special
    @inputs_survive
    def test_gradient_reaches_the_critic(self):
        """Its gradient reaches the critic's parameters, and it leaves p and q alone."""
        p, q, critic = self.quadratic()[3]
        gradient = (critic.w + critic.a * p).detach()
        value = gradient.flatten(1).square().sum(dim=1).mean()
        self.gradient("r1gp", p, q, critic, value, w=2 * gradient.mean(dim=0), a=2 * (gradient * p).mean(dim=0))


# ---------------------------------------------------------------- make_losses


def together(*values) -> Tensor:
    """Scalars in one tensor, so that the tolerance is relative to the largest: single ones may cancel out."""
    return torch.stack([torch.as_tensor(value).reshape(()) for value in values]) if values else torch.zeros(0)


def stand_ins(known: list[float]) -> dict:
    """In the place of earlier exercises: other functions, with known coefficients."""
    a, b, c, d = known

    def jsd(cp, cq):
        return a * cp.mean() - b * cq.square().mean()

    def w1(cp, cq):
        return c * cp.square().mean() - d * cq.mean()

    def ogp(p, cp, q, cq, critic):
        return critic(p + a * q).square().mean()

    def r1gp(p, cp, q, cq, critic):
        return critic(b * p).square().mean()

    return {"jsd": jsd, "w1": w1, "ogp": ogp, "r1gp": r1gp}


class MakeLosses(Exercise):
    module = "gan"

    @number("Q2.5")
    @weight(2)
    def test_metrics(self):
        """The metric is jsd or w1 of the critic's outputs, whatever the penalty."""
        p, q, critic = self.setting()

        def look(gan):
            values = []
            for loss_type, reg_type in (("JSD", None), ("W1", None), ("JSD", "R1"), ("W1", "R1")):
                metric, _ = gan.make_losses(loss_type, reg_type=reg_type)
                values.append(metric(p=p, q=q, critic=critic))
            return together(*values)

        sentence = "The metric is not jsd, or w1, of the critic's outputs on p and on q"
        self.check(look, sentence, replacing=self.stand_ins())

    @number("Q2.5")
    @weight(2)
    def test_critic_losses(self):
        """Without a penalty, the critic's loss is minus the metric."""
        p, q, critic = self.setting()

        def look(gan):
            losses = [gan.make_losses(loss_type)[1] for loss_type in ("JSD", "W1")]
            return together(*(loss(p=p, q=q, critic=critic) for loss in losses))

        sentence = "The critic minimizes its loss, and it shall make the metric large: without a penalty it is -metric"
        self.check(look, sentence, replacing=self.stand_ins())

    @number("Q2.5")
    @weight(3)
    @inputs_survive
    def test_penalties(self):
        """With a penalty, the critic's loss is minus the metric plus reg_cf times the penalty, GP or R1."""
        p, q, critic = self.setting()
        reg_cf = self.number(0.2, 0.6)

        def look(gan):
            values = []
            for loss_type in ("JSD", "W1"):
                for reg_type in ("GP", "R1"):
                    _, loss = gan.make_losses(loss_type=loss_type, reg_type=reg_type, reg_cf=reg_cf)
                    values.append(loss(p, q, critic))
            return together(*values, gan.make_losses("W1", "R1")[1](p, q, critic))

        sentence = "The critic's loss is not -metric + reg_cf * penalty, with ogp for GP and r1gp for R1"
        self.check(look, sentence, replacing=self.stand_ins())

    @number("Q2.5")
    @weight(1)
    @special
    def test_gradients(self):
        """The metric's gradient reaches the samples q, the critic's loss that of the critic."""
        p, q, critic = self.setting()

        def look(gan):
            metric, loss = gan.make_losses("W1", reg_type="R1", reg_cf=0.5)
            (leaf,) = leaves(q)
            values = metric(p, leaf, critic), loss(p, q, critic)
            return together(*values), *gradients(values[0], leaf), *gradients(values[1], critic.w)

        replacing = self.stand_ins()
        sentence = "The metric or the critic's loss is wrong in this test too, and so are their gradients"
        self.check(lambda gan: look(gan)[0], sentence, replacing=replacing)
        sentence = "A gradient is lost: the metric trains the generator through q, the loss trains the critic"
        self.check(look, sentence, replacing=replacing)

    @number("Q2.5")
    @weight(1)
    def test_other_names(self):
        """Any other loss_type or reg_type raises NotImplementedError."""
        p, q, critic = self.setting()

        def look(gan):
            value = gan.make_losses("W1")[0](p, q, critic)  # a known name works: it is not just still to do
            answers = []
            for names in (("HINGE", None), ("W1", "R2"), ("JSD", "none")):
                try:
                    gan.make_losses(*names)[1](p, q, critic)
                    answers.append("accepted")
                except NotImplementedError:
                    answers.append("refused")
                except Exception as error:
                    answers.append(type(error).__name__)
            return isinstance(value, Tensor), *answers

        known, *answers = self.observe(look, replacing=self.stand_ins())
        self.assertTrue(known, "The metric is no tensor")
        sentence = "An unknown loss_type, or an unknown reg_type, does not raise NotImplementedError"
        self.assertEqual(answers, ["refused"] * 3, sentence)

    def stand_ins(self) -> dict:
        return stand_ins([self.number(low, low + 0.5) for low in (2, 3, 1.2, 0.3)])

    def setting(self) -> tuple[Tensor, Tensor, Critic]:
        return self.randn(6, 3), self.randn(6, 3) + 1, Critic(self.randn(3), self.rand(3, low=0.5, high=1))


# ---------------------------------------------------------------- exponential moving average


class Net(nn.Module):
    """Parameters of different shapes, nested."""

    def __init__(self, tensors: list[Tensor]):
        super().__init__()
        self.first, self.scale = nn.Linear(3, 2), nn.Parameter(tensors[2].clone())
        self.inner = nn.ModuleDict({"last": nn.Linear(2, 4, bias=False)})
        with torch.no_grad():
            self.first.weight.copy_(tensors[0])
            self.first.bias.copy_(tensors[1])
            self.inner["last"].weight.copy_(tensors[3])


class MovingAverage(Exercise):
    module = "gan"

    @number("Q2.6")
    @weight(2)
    def test_update(self):
        """Each parameter of target becomes alpha * target + (1 - alpha) * source, for any alpha in [0, 1]; source stays
        as it is."""
        source, target = self.net(), self.net()

        def look(gan):
            found = []
            for alpha in (0.8, 0.0, 1.0):
                mine, average = Net(source), Net(target)
                gan.apply_exponential_moving_average(source=mine, target=average, alpha=alpha)
                found += [p.detach() for net in (average, mine) for p in net.parameters()]
            return found

        sentence = "target is not alpha * target + (1 - alpha) * source, or source was changed"
        self.check(look, sentence)

    @number("Q2.6")
    @weight(1)
    @special
    def test_repeated_updates(self):
        """After 50 updates towards the same source with the default alpha, 0.998^50 of the beginning is left."""
        source, target = self.net(), self.net()

        def look(gan):
            mine, average = Net(source), Net(target)
            for _ in range(50):
                gan.apply_exponential_moving_average(mine, average)
            return [p.detach() for p in average.parameters()]

        left = 0.998**50
        expected = tuple(
            left * old + (1 - left) * new for old, new in zip(in_order(target), in_order(source), strict=True)
        )
        sentence = (
            "After 50 updates target is not where it should be: is the default 0.998, and alpha the weight of the past?"
        )
        self.assertClose(self.observe(look), expected, sentence)

    @number("Q2.6")
    @weight(2)
    @special
    def test_in_place(self):
        """It changes target's own parameters: the same objects, no memory shared with source, no graph."""
        source, target = self.net(), self.net()

        def look(gan):
            mine, average = Net(source), Net(target)
            before = list(average.parameters())
            gan.apply_exponential_moving_average(mine, average, 0.5)
            after = list(average.parameters())
            values = [p.detach().clone() for p in after]
            with torch.no_grad():
                for parameter in mine.parameters():
                    parameter.zero_()
            return {
                "same objects": len(before) == len(after) and all(a is b for a, b in zip(before, after, strict=True)),
                "leaves": all(p.is_leaf and p.grad_fn is None for p in after),
                "values": values,
                "later": [p.detach() for p in after],
            }

        found = self.observe(look)
        self.assertTrue(found["same objects"], "target has other parameters than before: change its own ones in place")
        self.assertTrue(found["leaves"], "target's parameters carry a graph: update them without gradients")
        self.assertClose(found["later"], found["values"], "target changes when source does: they must share no memory")
        expected = tuple(0.5 * old + 0.5 * new for old, new in zip(in_order(target), in_order(source), strict=True))
        self.assertClose(found["values"], expected, "target is not 0.5 * target + 0.5 * source for alpha = 0.5")

    def net(self) -> list[Tensor]:
        return [self.randn(2, 3), self.randn(2), self.randn(4), self.randn(4, 2)]


def in_order(tensors: list[Tensor]) -> list[Tensor]:
    """The tensors in the order of Net.parameters()."""
    return [p.detach() for p in Net(tensors).parameters()]


# ---------------------------------------------------------------- the train step


class Slope(nn.Module):
    """The critic c(x) = slope * x, as in the Dirac experiments."""

    def __init__(self, slope: float):
        super().__init__()
        self.slope = nn.Parameter(torch.tensor([[slope]]))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.slope


class Point(nn.Module):
    """A generator that always draws the same point, but for some noise; `calls` counts the batches."""

    def __init__(self, theta: float, noise: float = 0.0):
        super().__init__()
        self.theta, self.noise = nn.Parameter(torch.tensor([[theta]])), noise
        self.calls = 0

    def forward(self) -> Tensor:
        self.calls += 1
        return self.theta + self.noise * torch.randn(4, 1)


class Steps(Descent):
    """Gradient descent that writes into `log` what happened, as (name, the stage's numbers, the parameter after)."""

    def __init__(self, name: str, parameter: Tensor, rate: float, log: list, stage):
        super().__init__([parameter], rate)
        self.name, self.parameter, self.log, self.stage = name, parameter, log, stage

    def move(self) -> None:
        stage = self.stage()
        super().move()
        self.log.append((self.name, stage, self.parameter.detach().clone()))


class Data:
    """An iterator without end over batches of known points; `drawn` counts them."""

    def __init__(self, points: list[float]):
        self.points, self.drawn = points, 0

    def __iter__(self):
        return self

    def __next__(self) -> Tensor:
        point = self.points[self.drawn % len(self.points)]
        self.drawn += 1
        return torch.full((4, 1), point)


def play(
    gan, arguments: dict, points: list[float], start: tuple[float, float, float], train_steps: int, noise: float = 0.0
) -> dict:
    """Train critic, generator and test generator for some steps; what happened, as plain data."""
    slope, theta, average = start
    critic, generator, test_generator, data, log = Slope(slope), Point(theta, noise), Point(average), Data(points), []

    def stage() -> dict:
        gradient = generator.theta.grad
        return {
            "slope": critic.slope.detach().clone(),
            "theta": generator.theta.detach().clone(),
            "drawn": data.drawn,
            "generator's gradient": 0.0 if gradient is None else float(gradient.abs().max()),
        }

    critic_optim = Steps("critic", critic.slope, 0.3, log, stage)
    generator_optim = Steps("generator", generator.theta, 0.2, log, stage)
    train_step = gan.make_train_step(**arguments)
    path, values = [], []
    for _ in range(train_steps):
        values.append(
            train_step(
                train_data_iter=data,
                critic=critic,
                critic_optim=critic_optim,
                generator=generator,
                test_generator=test_generator,
                generator_optim=generator_optim,
            )
        )
        path.append([m.detach().clone() for m in (critic.slope, generator.theta, test_generator.theta)])
    return {
        "steps": " ".join(name for name, _, _ in log),
        "slopes": [after for name, _, after in log if name == "critic"],
        "stages": [before for _, before, _ in log],
        "path": path,
        "values": values,
        "drawn": data.drawn,
        "generated": generator.calls,
    }


def stand_ins_of_the_step(known: list[float]) -> dict:
    """In the place of make_losses and of the average: other functions, with known coefficients."""
    a, b, c, d = known

    def make_losses(loss_type, reg_type=None, reg_cf=1.0):
        scale = {"JSD": 0.7, "W1": 1.0}[loss_type]
        pull = {"GP": 0.5, "R1": 0.25, None: 0.0}[reg_type]

        def metric(p, q, critic):
            return scale * (a * critic(p).mean() - b * critic(q).mean())

        def critic_loss(p, q, critic):
            penalty = (0.1 + reg_cf * pull) * critic(p + q).square().mean()
            return c * critic(q).mean() - d * scale * critic(p).mean() + penalty

        return metric, critic_loss

    def apply_exponential_moving_average(source, target, alpha=0.998):
        with torch.no_grad():
            for new, old in zip(source.parameters(), target.parameters(), strict=True):
                old.copy_(2 * alpha - 0.5 * old + 0.3 * new)

    return {"make_losses": make_losses, "apply_exponential_moving_average": apply_exponential_moving_average}


class TrainStep(Exercise):
    module = "gan"

    @number("Q2.7")
    @weight(2)
    def test_order(self):
        """The critic makes critic_inner_iters steps, then the generator makes one."""
        start = self.start()

        def look(gan):
            one = play(gan, {"loss_type": "W1"}, [0.5], start, 2)
            three = play(gan, {"loss_type": "W1", "critic_inner_iters": 3}, [0.5], start, 2)
            return one["steps"], three["steps"]

        expected = " ".join(["critic generator"] * 2), " ".join(["critic critic critic generator"] * 2)
        sentence = "The optimizers' steps are not critic_inner_iters of the critic and then one of the generator"
        self.assertEqual(self.observe(look, replacing=self.stand_ins()), expected, sentence)

    @number("Q2.7")
    @weight(2)
    def test_fresh_batches(self):
        """Every step of the critic sees a fresh batch of data and a fresh batch of the generator."""
        start, points = self.start(), [self.number(-2, 2) for _ in range(5)]

        def look(gan):
            seen = play(gan, {"loss_type": "W1", "critic_inner_iters": 3}, points, start, 1)
            return {
                "slopes": together(*seen["slopes"]),
                "enough data": seen["drawn"] >= 3,
                "enough fakes": seen["generated"] >= 3,
            }

        def enough(gan):
            seen = look(gan)
            return seen["enough data"], seen["enough fakes"]

        sentence = "The critic's steps do not use fresh batches: next(train_data_iter), generator() belong in the loop"
        replacing = self.stand_ins()
        self.check(enough, sentence, replacing=replacing)
        sentence = "The critic's steps are not critic_inner_iters steps along its loss, each on the next batch of data"
        self.check(look, sentence, replacing=replacing)
        draw = lambda gan: play(gan, {"loss_type": "W1"}, points, start, 2, noise=0.5)["path"]  # noqa: E731
        self.check_random(draw, "train_step", replacing=replacing)

    @number("Q2.7")
    @weight(2)
    def test_trajectory(self):
        """Critic and generator move as their losses say, step after step, each by its own gradient alone."""
        start, point, reg_cf = self.start(), self.number(0.3, 0.8), self.number(0.5, 1.5)
        arguments = {"loss_type": "JSD", "critic_inner_iters": 2, "reg_type": "R1", "reg_cf": reg_cf}

        def look(gan):
            return together(*(m for moved in play(gan, arguments, [point], start, 4)["path"] for m in moved[:2]))

        sentence = (
            "Critic or generator do not move as they should: is each one's loss its own, and are old gradients cleared?"
        )
        self.check(look, sentence, replacing=self.stand_ins())

    @number("Q2.7")
    @weight(1)
    def test_fakes_are_detached(self):
        """The critic's steps leave no gradient in the generator."""
        start = self.start()

        def look(gan):
            seen = play(gan, {"loss_type": "W1", "critic_inner_iters": 2}, [0.5], start, 1)
            return seen["steps"], [stage["generator's gradient"] for stage in seen["stages"][:2]]

        steps, left = self.several(self.observe(look, replacing=self.stand_ins()), 2)
        self.assertTrue(str(steps).startswith("critic critic"), "The first steps are not the critic's")
        sentence = "The critic's loss sends gradients into the generator: detach the samples in the critic's steps"
        self.assertEqual(left, (0.0, 0.0), sentence)

    @number("Q2.7")
    @weight(1)
    def test_moving_average(self):
        """The moving average follows the generator's step, with alpha_ema, 0 too; None leaves test_generator alone."""
        start, alpha = self.start(), self.number(0.2, 0.4)

        def look(gan):
            averaged = play(gan, {"loss_type": "W1", "critic_inner_iters": 2, "alpha_ema": alpha}, [0.5], start, 3)
            forgetful = play(gan, {"loss_type": "W1", "alpha_ema": 0.0}, [0.5], start, 1)
            alone = play(gan, {"loss_type": "W1"}, [0.5], start, 3)
            return together(*(moved[2] for moved in averaged["path"] + forgetful["path"] + alone["path"]))

        sentence = (
            "test_generator is not the moving average (alpha_ema) of the generator after its steps, or it moves at None"
        )
        self.check(look, sentence, replacing=self.stand_ins())

    @number("Q2.7")
    @weight(1)
    def test_returns_the_metric(self):
        """train_step returns the metric, without a graph."""
        start, point = self.start(), self.number(1, 2)

        def look(gan):
            seen = play(gan, {"loss_type": "W1", "critic_inner_iters": 2}, [point], start, 1)
            stages = [(stage["slope"], stage["theta"]) for stage in seen["stages"]]
            value = seen["values"][0]
            return value, bool(isinstance(value, Tensor) and value.requires_grad), stages

        value, has_graph, stages = self.several(self.observe(look, replacing=self.stand_ins()), 3)
        stages = [self.several(stage, 2) for stage in self.several(stages, 3, "There are not three optimizer steps")]
        # The metric of the generator's step; the last one that the critic's steps saw is taken as well. By the stand-in
        # of make_losses, or by W1's own formula.
        factors = self.known[:2], (1, 1)
        accepted = [float(slope * (a * point - b * theta)) for slope, theta in stages[1:] for a, b in factors]
        found = float(value) if isinstance(value, float) or (isinstance(value, Tensor) and value.numel() == 1) else None
        close = found is not None and any(abs(found - right) < 1e-4 * (1 + abs(right)) for right in accepted)
        self.assertTrue(close, "It does not return the metric of its generator step (its sign, the critic's loss?)")
        self.assertFalse(has_graph, "What it returns still holds the graph: detach() it, or return a number")

    def stand_ins(self) -> dict:
        self.known = [self.number(low, low + 0.3) for low in (1.4, 0.6, 0.7, 1.2)]
        return stand_ins_of_the_step(self.known)

    def start(self) -> tuple[float, float, float]:
        return self.number(0.5, 1), self.number(-1, -0.5), self.number(2, 3)
