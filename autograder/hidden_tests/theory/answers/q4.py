"""Hidden tests of answers.py, question 4: the dynamics of Dirac GANs."""

import math

import torch
from torch import Tensor

from autograder.grading.exercise import number, special, weight

from .common import Derivation, leaves, real, spectrum, table, verdicts


def objective(psi_0: Tensor, psi_1: Tensor, theta: Tensor) -> Tensor:
    """L for the two Dirac distributions."""
    log_sigma = torch.nn.functional.logsigmoid
    return log_sigma(psi_1) + log_sigma(-(psi_0 * theta + psi_1))


def velocity_law(points: Tensor, gamma: float | Tensor = 0.0) -> Tensor:
    """v at points (..., 3) = (psi_0, psi_1, theta), by automatic differentiation; differentiable again."""
    points = points if points.requires_grad else points.clone().requires_grad_()
    plain = objective(*points.unbind(-1))
    penalized = plain - gamma / 2 * points[..., 0] ** 2
    up, down = (torch.autograd.grad(f.sum(), points, create_graph=True)[0] for f in (penalized, plain))
    return torch.stack([up[..., 0], up[..., 1], -down[..., 2]], dim=-1)


def jacobian_law(gamma: float = 0.0) -> Tensor:
    origin = torch.zeros(3, dtype=torch.float64)
    return torch.autograd.functional.jacobian(lambda point: velocity_law(point, gamma), origin)


def polynomial(matrix: Tensor) -> Tensor:
    roots = torch.linalg.eigvals(matrix.double()).tolist()
    return spectrum(roots, {})


class Linear:
    """What stands in for the velocity and its Jacobian: a linear field with secret coefficients.

    velocity and jacobian belong together; velocity_r1 and jacobian_r1 too. As in the true matrix one eigenvalue stands
    alone, and the entries are quarters, so that a computer algebra system finds exact eigenvalues at once.
    """

    def __init__(self, case: Derivation):
        a, b, c, d, e, f = (case.randint(2, 13, (6,)).double() / 4).tolist()

        def velocity_r1(psi_0, psi_1, theta, gamma):
            return a * psi_0 - c * theta, b * psi_1 + gamma * e * theta, d * psi_0 + f * theta

        def velocity(psi_0, psi_1, theta):
            return a * psi_0 - c * theta, b * psi_1 + e * theta, d * psi_0 + f * theta

        def jacobian_r1(gamma):
            return [[a, 0.0, -c], [0.0, b, gamma * e], [d, 0.0, f]]

        def jacobian():
            return [[a, 0.0, -c], [0.0, b, e], [d, 0.0, f]]

        self.velocity, self.velocity_r1, self.jacobian, self.jacobian_r1 = velocity, velocity_r1, jacobian, jacobian_r1
        self.matrix = torch.tensor(jacobian(), dtype=torch.float64)

    def regularized(self, gamma: float) -> Tensor:
        return torch.tensor(self.jacobian_r1(gamma), dtype=torch.float64)


class Dynamics(Derivation):
    """What the system without and with the penalty share; its own tests are in the two classes below."""

    def parameters(self, count: int, **more: tuple[float, float]) -> list[dict]:
        wide = (-1.5, 1.5)
        return self.points(count, psi_0=wide, psi_1=wide, theta=wide, **more)

    def only_the_origin(self, found: Tensor) -> None:
        """`found` (points, 3) is the origin, once. Where psi_0 is not 0, v_theta is not; then v_psi_0 where theta is
        not 0, then v_psi_1."""
        for component, value in (("v_theta", found[:, 0]), ("v_psi_0", found[:, 2]), ("v_psi_1", found[:, 1])):
            zero = bool((value.abs() <= 1e-4).all())
            self.assertTrue(zero, f"A point of the list is not stationary: {component} is not 0 there")
        self.assertEqual(found.shape[0], 1, "A point is listed more than once")


def listed(value):
    """A list of points as (points, 3) float64, or a sentence; one point alone counts as a list of one."""
    try:
        found = real(leaves(value, {}))
    except TypeError as sentence:
        return str(sentence)
    if not found or len(found) % 3:
        return f"It returned {len(found)} numbers: each stationary point has three, psi_0, psi_1 and theta."
    return torch.tensor(found, dtype=torch.float64).reshape(-1, 3)


class DiracGan(Dynamics):
    module = "answers"

    @number("Q4.1a")
    @weight(3)
    def test_velocity(self):
        """It is the velocity field at any point."""
        self.is_velocity(self.parameters(20), "This is not (dL/dpsi_0, dL/dpsi_1, -dL/dtheta)")

    @number("Q4.1a")
    @weight(1)
    @special
    def test_velocity_of_the_critic(self):
        """The critic's components are right where theta = 0, and the generator's where psi_0 = 0."""
        points = self.parameters(8)
        for point in points[:4]:
            point["theta"] = 0.0
        for point in points[4:]:
            point["psi_0"] = 0.0
        self.is_velocity(points, "It is wrong where theta = 0, or where psi_0 = 0")

    def is_velocity(self, points: list[dict], sentence: str) -> None:
        truth = velocity_law(torch.tensor([list(p.values()) for p in points], dtype=torch.float64)).detach()
        self.holds(lambda a: table(a.velocity, points, 3), truth, sentence)

    @number("Q4.1b")
    @weight(1)
    def test_stationary(self):
        """It lists all stationary points, and nothing else."""
        self.only_the_origin(self.observe(lambda a: listed(a.stationary_points())))

    @number("Q4.2")
    @weight(1)
    def test_jacobian(self):
        """It is the Jacobian of v at the stationary point."""
        sentence = "This is not the 3 x 3 matrix of the derivatives of v at the stationary point"
        linear = Linear(self)
        truths = jacobian_law().reshape(1, 9), linear.matrix.reshape(1, 9)
        self.either(lambda a: table(a.jacobian, [{}], 9), truths, sentence, {"velocity": linear.velocity})

    @number("Q4.3a")
    @weight(1)
    def test_eigenvalues(self):
        """They are the three eigenvalues of J*."""
        sentence = "These are not the three roots of det(J* - lambda I)"
        linear = Linear(self)
        truths = polynomial(jacobian_law()), polynomial(linear.matrix)
        look = lambda a: spectrum(a.eigenvalues(), {})  # noqa: E731
        self.either(look, truths, sentence, {"jacobian": linear.jacobian})

    @number("Q4.3b")
    @weight(1)
    def test_verdict(self):
        """Verdict and rate follow from the eigenvalues."""
        low, rate, lower = self.secrets(3)
        truths = torch.tensor([[1.0, 0.0]]), torch.tensor([[2.0, rate]])
        sentence = "Verdict or rate do not follow from the real parts of the eigenvalues"

        def stand_in():
            return [-low, rate, -lower]

        self.either(lambda a: verdicts(a.stability, [{}]), truths, sentence, {"eigenvalues": stand_in})

    @number("Q4.3c")
    @weight(2)
    def test_constant_on_trajectories(self):
        """It has one value on each trajectory, and not the same one on all."""
        self.is_conserved(self.on_trajectories())

    @number("Q4.3c")
    @weight(1)
    def test_tells_trajectories_apart(self):
        """It has other values on trajectories at other distances."""
        values = self.on_trajectories()
        self.is_conserved(values)
        means, order = values.mean(dim=1).sort()
        spread = (values.amax(dim=1) - values.amin(dim=1))[order]  # by the rounding of points and of V
        apart = means.diff() > 3 * (spread[1:] + spread[:-1]) + 1e-9 * means.abs().max()
        self.assertTrue(bool(apart.all()), "It has the same value at different distances")

    def is_conserved(self, values: Tensor) -> None:
        whole = float(values.max() - values.min())
        self.assertGreater(whole, 1e-3 * float(values.abs().max()), "It has the same value everywhere, or almost")
        spread = float((values - values.mean(dim=1, keepdim=True)).abs().max())
        sentence = "Along a trajectory it changes: its time derivative, grad V times v, is not 0"
        self.assertLessEqual(spread, 2e-4 * whole, sentence)

    def on_trajectories(self) -> Tensor:
        """(8, 6) values on eight trajectories whose distances sqrt(psi_0^2 + theta^2) differ."""
        starts = []
        for index in range(8):
            angle, radius = self.number(0, 2 * math.pi), 0.2 * (index + 1) + self.number(0, 0.05)
            starts.append([radius * math.cos(angle), self.number(-0.5, 0.5), radius * math.sin(angle)])
        paths = trajectories(torch.tensor(starts, dtype=torch.float64)).reshape(-1, 3)
        points = [dict(zip(("psi_0", "psi_1", "theta"), p, strict=True)) for p in paths.tolist()]
        found = self.observe(lambda a: table(a.conserved, points)).double()
        self.assertTrue(bool(found.isfinite().all()), "It is not finite everywhere")
        return found.reshape(8, 6)


def trajectories(points: Tensor, step: float = 0.1, between: int = 5) -> Tensor:
    """(..., 6, 3): the starts (..., 3) and five later points, by Runge-Kutta steps of order 4 (error below 1e-6)."""
    found = [points]
    for _ in range(5):
        for _ in range(between):
            k_1 = velocity_law(points).detach()
            k_2 = velocity_law(points + step / 2 * k_1).detach()
            k_3 = velocity_law(points + step / 2 * k_2).detach()
            k_4 = velocity_law(points + step * k_3).detach()
            points = points + step / 6 * (k_1 + 2 * k_2 + 2 * k_3 + k_4)
        found.append(points)
    return torch.stack(found, dim=-2)


class RegularizedDiracGan(Dynamics):
    module = "answers"

    def gammas(self) -> list[dict]:
        below, above = self.points(4, gamma=(0.1, 0.9)), self.points(4, gamma=(1.2, 4))
        return [*below, {"gamma": 1.0}, *above]

    @number("Q4.4a")
    @weight(1)
    def test_velocity(self):
        """It is the regularized velocity field at any point."""
        points = self.parameters(20, gamma=(0.1, 3))
        rows = torch.tensor([list(point.values()) for point in points], dtype=torch.float64)
        plain, truth = (velocity_law(rows[:, :3], gamma).detach() for gamma in (0.0, rows[:, 3]))
        linear = Linear(self)
        sentence = "This is not grad_psi (L - gamma/2 R_1) for the critic and -dL/dtheta for the generator"
        truths = truth, rows[:, :3] @ linear.matrix.T + truth - plain
        self.either(lambda a: table(a.velocity_r1, points, 3), truths, sentence, {"velocity": linear.velocity})

    @number("Q4.4b")
    @weight(1)
    def test_stationary(self):
        """It lists all stationary points, and nothing else, for every gamma."""
        gammas = [point["gamma"] for point in self.gammas()[::4]]

        def look(answers):
            found = [listed(answers.stationary_points_r1(gamma=gamma)) for gamma in gammas]
            return next((f for f in found if isinstance(f, str)), found)

        found = self.observe(look)
        self.assertEqual(len(found), len(gammas), "It does not return a list of points for every gamma")
        for points in found:
            self.only_the_origin(points)

    @number("Q4.5")
    @weight(1)
    def test_jacobian(self):
        """It is the Jacobian at the stationary point, for every gamma."""
        points, linear = self.gammas(), Linear(self)
        laws = jacobian_law, linear.regularized
        truths = [torch.stack([law(p["gamma"]).reshape(9) for p in points]) for law in laws]
        sentence = "This is not the 3 x 3 matrix of the derivatives of the regularized v at the stationary point"
        penalty = torch.zeros(len(points), 9).double()
        penalty[:, 0] = torch.tensor([-p["gamma"] for p in points]).double()
        truths.append(linear.matrix.reshape(1, 9) + penalty)
        replacing = {"velocity_r1": linear.velocity_r1, "jacobian": linear.jacobian}
        self.either(lambda a: table(a.jacobian_r1, points, 9), truths, sentence, replacing)

    @number("Q4.6a")
    @weight(2)
    def test_eigenvalues(self):
        """They are the three eigenvalues, complex for gamma < 1 and real above."""
        points, linear = self.gammas(), Linear(self)

        def look(answers):
            found = [spectrum(answers.eigenvalues_r1(**point), point) for point in points]
            return next((f for f in found if isinstance(f, str)), None) or torch.stack(found)

        laws = jacobian_law, linear.regularized
        truths = [torch.stack([polynomial(law(p["gamma"])) for p in points]) for law in laws]
        sentence = "These are not the three roots of det(J* - lambda I)"
        self.either(look, truths, sentence, {"jacobian_r1": linear.jacobian_r1})

    @number("Q4.6b")
    @weight(1)
    def test_verdict_with_weak_penalty(self):
        """Verdict and rate for gamma < 1."""
        self.is_verdict(
            self.gammas()[:4], "For gamma < 1 the verdict is wrong, or the rate is not the largest real part"
        )

    @number("Q4.6b")
    @weight(1)
    def test_verdict_with_strong_penalty(self):
        """Verdict and rate for gamma >= 1."""
        self.is_verdict(
            self.gammas()[4:], "For gamma >= 1 the verdict is wrong, or the rate is not the largest real part"
        )

    def is_verdict(self, points: list[dict], sentence: str) -> None:
        rates = [max(v.real for v in torch.linalg.eigvals(jacobian_law(p["gamma"])).tolist()) for p in points]
        # At gamma = 1 the matrix has a triple eigenvalue, which is found only to the cube root of the rounding error.
        rates = [-0.5 if p["gamma"] == 1 else rate for p, rate in zip(points, rates, strict=True)]

        low, slope, rate, lower = self.secrets(4)

        def stand_in(gamma):
            return [-low, rate + slope * gamma, -lower]

        truths = [
            torch.tensor([[0.0, rate] for rate in rates]),
            torch.tensor([[2.0, rate + slope * p["gamma"]] for p in points]),
        ]
        self.either(lambda a: verdicts(a.stability_r1, points), truths, sentence, {"eigenvalues_r1": stand_in})
