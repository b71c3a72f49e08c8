"""Hidden tests of answers.py, question 2: normalizing flows."""

from collections.abc import Callable

import torch
from torch import Tensor

from autograder.grading.exercise import inputs_survive, number, special, weight

from .common import APART, Derivation, column, table


def two_points(found: Tensor, case: Derivation) -> None:
    case.assertTrue(bool(found.isfinite().all()), "A point is not a finite number")
    apart = (found[:, 0] - found[:, 1]).abs() >= APART
    case.assertTrue(bool(apart.all()), "The two points are the same, or closer than 0.001")


class ReluIsNotInvertible(Derivation):
    module = "answers"

    @number("Q2.1")
    @weight(2)
    def test_collision(self):
        """Two different points with the same g, for slopes b of either sign."""
        low, high = (0.5, 2), (-2, -0.5)
        points = [p for b in (low, high) for a in (low, high) for p in self.points(4, a=a, b=b, c=(-2, 2))]
        points += [p for b in (low, high) for p in self.points(2, a=low, b=b, c=(500, 1000))]  # the kink is far from 0
        self.collide(points, "The two points do not have the same value of g: where is b z + c negative?")

    @number("Q2.1")
    @weight(1)
    @special
    def test_constant(self):
        """Also where a or b is 0, and g is constant."""
        a = self.points(2, a=(-2, 2), b=(0, 1e-300), c=(-2, 2)) + self.points(1, a=(0, 1e-300), b=(0.5, 2), c=(-2, 2))
        points = [{name: 0.0 if abs(v) < 1e-200 else v for name, v in point.items()} for point in a]
        self.collide(points, "It does not work where b = 0 or a = 0: g is constant there, and any two points do")

    def collide(self, points: list[dict], sentence: str) -> None:
        found = self.observe(lambda answers: table(answers.relu_collision, points, 2)).double()
        two_points(found, self)
        a, b, c = (torch.tensor([[p[name]] for p in points], dtype=torch.float64) for name in "abc")
        g = a * (b * found + c).clamp(min=0)
        # A point on the kink is right up to the rounding of -c / b, wherever the points of the answer are.
        allowed = 1e-5 * a.abs() * (b.abs() + c.abs())
        wrong = ((g[:, :1] - g[:, 1:]).abs() > allowed).squeeze(1)
        for side, where in (
            (b > 0, "b > 0, where g is constant for z below"),
            (b < 0, "b < 0, where g is constant for z above"),
        ):
            if bool(wrong.any()) and not bool(wrong[~side.squeeze(1)].any()):
                sentence = f"The two points do not have the same value of g for {where} the kink at -c / b"
        self.assertFalse(bool(wrong.any()), sentence)


class MixtureOfSigmoids(Derivation):
    module = "answers"

    @number("Q2.2a")
    @weight(2)
    def test_slope(self):
        """It is dg/dz."""
        points = [point for n in (2, 3, 5) for point in self.mixtures(8, n)]
        sentence = "This is not the derivative of g: chain rule, with the derivatives of sigma and of its inverse"
        self.holds(lambda a: table(a.mixture_slope, points), column([self.slope(**p) for p in points]), sentence)

    @number("Q2.2a")
    @weight(1)
    @special
    @inputs_survive
    def test_slope_of_one_sigmoid(self):
        """With one sigmoid, g is the line a z + b, whose slope is a; the lists w, a and b stay as they are."""
        self.test_slope()  # an echo of a has this slope too
        points = self.mixtures(6, 1)
        sentence = "With N = 1 and w = 1 the slope is not a_1, although g(z) = a_1 z + b_1"
        self.holds(lambda a: table(a.mixture_slope, points), column([p["a"][0] for p in points]), sentence)

    @number("Q2.2b")
    @weight(2)
    def test_inverse(self):
        """Put into g, the answer gives y."""
        points = [point for n in (1, 2, 4) for point in self.mixtures(5, n)]
        self.inverts(points, "g(z) is not y: find the z where the increasing function g(z) - y is 0")

    @number("Q2.2b")
    @weight(1)
    @special
    @inputs_survive
    def test_far_inverse(self):
        """Also where z is far from 0; the lists w, a and b stay as they are."""
        points = self.mixtures(5, 2)
        for point in points:
            point["a"] = [0.02 * a for a in point["a"]]
        self.inverts(points, "It fails where z is far from 0: is the interval wide enough to hold the root?")

    def inverts(self, points: list[dict], sentence: str) -> None:
        roots = [self.number(-3, 3) / max(p["a"]) for p in points]
        asked = [{"y": float(self.g(z, p["w"], p["a"], p["b"])), "w": p["w"], "a": p["a"], "b": p["b"]}
                 for z, p in zip(roots, points, strict=True)]  # fmt: skip
        self.holds(lambda a: table(a.mixture_inverse, asked), column(roots), sentence)

    def mixtures(self, count: int, n: int) -> list[dict]:
        found = []
        for _ in range(count):
            w = self.rand(n, low=0.2, high=1, dtype=torch.float64)
            found.append({"z": self.number(-2, 2), "w": (w / w.sum()).tolist(), "a": self.numbers(n, 0.5, 2),
                          "b": self.numbers(n, -1, 1)})  # fmt: skip
        return found

    @staticmethod
    def g(z, w, a, b):
        w, a, b = (torch.tensor(v, dtype=torch.float64) for v in (w, a, b))
        return torch.logit((w * torch.sigmoid(a * z + b)).sum())

    @classmethod
    def slope(cls, z, w, a, b):
        z = torch.tensor(z, dtype=torch.float64, requires_grad=True)
        return torch.autograd.grad(cls.g(z, w, a, b), z)[0]


def bump(scale: float, shift: float) -> Callable:
    """df/dz > -scale, and close to -scale at `shift`; the slope of z + f(z) is at least 1 - scale."""
    return lambda z: -scale * (z - shift) / (1 + (z - shift) ** 2) ** 0.5


def cubic(scale: float, shift: float) -> Callable:
    """df/dz >= 0, and large away from `shift`."""
    return lambda z: scale * (z - shift) ** 3


def bounded(scale: float, shift: float) -> Callable:
    """z + f(z) = scale * z / sqrt(1 + z^2) + shift: increasing, and its image is an interval."""
    return lambda z: scale * z / (1 + z**2) ** 0.5 + shift - z


class ResidualInverse(Derivation):
    module = "answers"

    @number("Q2.3")
    @weight(2)
    def test_bounded_slope(self):
        """Put into z + f(z), the answer gives y, for -1 < df/dz < 0."""
        functions = [bump(self.number(0.5, 0.9), self.number(-1, 1)) for _ in range(8)]
        self.inverts(functions, "z + f(z) is not y: find the z where the increasing function z + f(z) - y is 0")

    @number("Q2.3")
    @weight(1)
    @special
    def test_steep(self):
        """Also where df/dz is much larger than 1."""
        functions = [cubic(self.number(1, 3), self.number(-1, 1)) for _ in range(8)]
        self.inverts(functions, "It fails where df/dz is large: only df/dz > -1 may be used")

    @number("Q2.3")
    @weight(1)
    @special
    def test_bounded_image(self):
        """Also where the image of z + f(z) is only an interval."""
        functions = [bounded(self.number(1, 3), self.number(-1, 1)) for _ in range(8)]
        self.inverts(functions, "It fails where z + f(z) is almost flat far from the root: widen, bracket, then halve")

    @number("Q2.3")
    @weight(1)
    def test_far_away(self):
        """Also where z is far from 0."""
        functions = [bump(self.number(0.5, 0.9), far) for far in (60, -60)]
        roots = [self.number(50, 70), self.number(-70, -50)]
        self.inverts(functions, "It fails where z is far from 0: widen the bracket until y lies within", roots)

    def inverts(self, functions: list[Callable], sentence: str, roots: list[float] | None = None) -> None:
        roots = roots or [self.number(-2.5, 2.5) for _ in functions]
        points = [{"y": z + f(z), "f": f} for z, f in zip(roots, functions, strict=True)]
        self.holds(lambda a: table(a.residual_inverse, points), column(roots), sentence)


class RadialFlow(Derivation):
    module = "answers"

    def flows(self, count: int, dim: int, boundary: bool = False) -> list[dict]:
        """Points with all that belongs to them: z, y = g(z), r, z_0, alpha, beta."""
        found = []
        for _ in range(count):
            alpha = self.number(0.5, 2)
            beta = -alpha if boundary else self.number(-0.9 * alpha, 2)
            z, z_0 = (self.randn(dim, dtype=torch.float64) for _ in range(2))
            r = (z - z_0).norm()
            y = z + beta / (alpha + r) * (z - z_0)
            found.append({"y": y.tolist(), "z_0": z_0.tolist(), "alpha": alpha, "beta": beta, "r": float(r), "z": z})
        return found

    @number("Q2.4a")
    @weight(2)
    def test_radius(self):
        """It is the radius |z - z_0| that belongs to y."""
        flows = self.flows(8, 2) + self.flows(8, 5) + self.flows(4, 1)
        sentence = "This r does not solve |y - z_0| = r + beta r / (alpha + r)"
        self.radius(flows, sentence)

    @number("Q2.4a")
    @weight(1)
    @special
    @inputs_survive
    def test_radius_at_the_bound(self):
        """Also for beta = -alpha, and for y = z_0; the lists y and z_0 stay as they are."""
        flows = self.flows(6, 3, boundary=True) + self.flows(3, 3)
        for flow in flows[-3:]:
            flow["y"], flow["r"] = list(flow["z_0"]), 0.0
        self.radius(flows, "It fails for beta = -alpha, or for y = z_0, where r = 0")

    def radius(self, flows: list[dict], sentence: str) -> None:
        points = [{name: f[name] for name in ("y", "z_0", "alpha", "beta")} for f in flows]
        self.holds(lambda a: table(a.radial_radius, points), column([f["r"] for f in flows]), sentence)

    @number("Q2.4b")
    @weight(1)
    def test_direction(self):
        """It is the unit vector from z_0 to z."""
        flows = self.flows(8, 3) + self.flows(4, 3, boundary=True)
        points = [{name: f[name] for name in ("y", "r", "z_0", "alpha", "beta")} for f in flows]
        truth = torch.stack([(f["z"] - torch.tensor(f["z_0"], dtype=torch.float64)) / f["r"] for f in flows])
        sentence = "This z~ does not solve y = z_0 + (r + beta r / (alpha + r)) z~"
        self.holds(lambda a: table(a.radial_direction, points, 3), truth, sentence)

    @number("Q2.4c")
    @weight(2)
    def test_inverse(self):
        """Put into g, the answer gives y."""
        self.inverts(self.flows(10, 3), "g(z) is not y: z = z_0 + r z~ with r from (i) and z~ from (ii)")

    @number("Q2.4c")
    @weight(1)
    @special
    @inputs_survive
    def test_inverse_at_the_centre(self):
        """g(z_0) = z_0; the lists y and z_0 stay as they are."""
        self.test_inverse()  # an echo of y is right at the centre too
        flows = self.flows(4, 3)
        for flow in flows:
            flow["y"], flow["z"] = list(flow["z_0"]), torch.tensor(flow["z_0"], dtype=torch.float64)
        self.inverts(flows, "It fails for y = z_0, where r = 0 and z~ is not defined, but z = z_0 is")

    def inverts(self, flows: list[dict], sentence: str) -> None:
        points = [{name: f[name] for name in ("y", "z_0", "alpha", "beta")} for f in flows]

        k, l, m = self.secrets(3)

        def radius(y, z_0, alpha, beta):  # 0 where the answer is
            return k * alpha * sum(abs(p - q) for p, q in zip(y, z_0, strict=True))

        def direction(y, r, z_0, alpha, beta):  # for r = 0 it fails, as the answer does
            return [(p - c) / r + l * alpha - m * beta for p, c in zip(y, z_0, strict=True)]

        truth = torch.stack([f["z"] for f in flows])
        with_stand_ins = []
        for p in points:
            r = radius(**p)
            steps = [r * u for u in direction(r=r, **p)] if r else [0.0 for _ in p["y"]]
            with_stand_ins.append([c + step for c, step in zip(p["z_0"], steps, strict=True)])
        with_stand_ins = torch.tensor(with_stand_ins, dtype=torch.float64)
        look = lambda a: table(a.radial_inverse, points, 3)  # noqa: E731
        replacing = {"radial_radius": radius, "radial_direction": direction}
        self.either(look, (truth, with_stand_ins), sentence, replacing)

    @number("Q2.4d")
    @weight(1)
    def test_collision(self):
        """Below the bound, two radii belong to one y."""
        points = self.points(6, alpha=(0.5, 3))
        found = self.observe(lambda a: table(a.radial_collision, points, 3)).double()
        alpha, beta, r = torch.tensor([[p["alpha"]] for p in points]).double(), found[:, :1], found[:, 1:]
        two_points(r, self)
        self.assertTrue(bool((beta < -alpha).all()), "beta is not below -alpha; the order is beta, r_1, r_2")
        self.assertTrue(bool((r >= 0).all()), "A radius is negative: |z - z_0| cannot be")
        rho = (r + beta * r / (alpha + r)).abs()
        # Rounding, but not so much of it that it is what keeps two large radii together.
        scale, apart = r.amax(dim=1) + beta.abs().squeeze(1), (r[:, 0] - r[:, 1]).abs()
        same = (rho[:, 0] - rho[:, 1]).abs() <= torch.minimum(1e-5 * scale, 1e-2 * apart)
        self.assertTrue(bool(same.all()), "The two radii do not give the same |y - z_0| = |r + beta r / (alpha + r)|")
