"""Hidden tests of answers.py. Instructors read this file; students never see it.

Every expected value is found in another way than the reference's: divergences from torch.distributions, inverses by
going forwards through g, question 3 from the joint Gaussian law of all variables, question 4 by automatic
differentiation. Answers are compared in float32, so that single precision and root finders cost nobody points.
"""

import math
import sys
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.distributions import Categorical, MultivariateNormal, Normal, kl_divergence

from autograder.grading.exercise import Exercise, Failure, Wrong, difference, number, weight
from autograder.sandbox.wire import plain_text

VERDICTS = "asymptotically stable", "inconclusive", "unstable"
APART = 1e-3  # how far two points of a witness must be from each other; the docstrings say so

# ---------------------------------------------------------------- in the sandbox: any answer as numbers


def leaves(value, point: dict) -> list[complex]:
    """The numbers in an answer, in their order.

    Args:
        value: numbers, tensors, arrays, SymPy expressions or matrices, or lists and tuples of these.
        point: values of the symbols that an expression may hold, by name.
    Raises:
        TypeError: with a sentence, for everything else.
    """
    sympy = sys.modules.get("sympy")
    if value is None:
        raise TypeError("It returned None: is a return missing?")
    if isinstance(value, str | bytes):
        raise TypeError("It returned a string. Return numbers, or a SymPy expression (not its text).")
    if sympy and isinstance(value, sympy.Expr):
        unknown = sorted(str(s) for s in value.free_symbols if s.name not in point)
        if unknown:
            raise TypeError(f"It returned an expression in {', '.join(unknown)}, which is no argument of the function.")
        value = value.subs({s: point[s.name] for s in value.free_symbols}).evalf()
        if not value.is_number or value.has(sympy.zoo):
            raise TypeError("It returned a SymPy expression that cannot be evaluated to a number.")
        return [complex(value)]
    if isinstance(value, bool) or callable(value) and not hasattr(value, "tolist"):
        raise TypeError(f"It returned an object of type {type(value).__name__} where a number is expected.")
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().to_dense()
    if hasattr(value, "tolist"):  # tensors, arrays, SymPy matrices
        value = value.tolist()
    if isinstance(value, set | frozenset | dict) or hasattr(value, "send"):
        raise TypeError(f"It returned a {type(value).__name__}. Return numbers in a list, in the order asked for.")
    if isinstance(value, list | tuple) or hasattr(value, "__iter__"):
        return [number for entry in value for number in leaves(entry, point)]
    try:
        return [complex(value)]
    except TypeError:
        kind = type(value).__name__
        raise TypeError(f"It returned an object of type {kind} where a number is expected.") from None


def real(values: list[complex]) -> list[float]:
    if any(abs(v.imag) > 1e-6 * (1 + abs(v.real)) for v in values):
        raise TypeError("It returned complex numbers where real ones are expected.")
    return [v.real for v in values]


def expect_length(values: list, length: int) -> None:
    if len(values) != length:
        count = f"{len(values)} number{'' if len(values) == 1 else 's'}"
        raise TypeError(f"It returned {count} instead of {length}.")


def table(function: Callable, points: list[dict], length: int = 1):
    """What `function` returns at each point: (points, length) float32; or a sentence about what cannot be read."""
    rows = []
    for point in points:
        value = function(**point)
        try:
            row = real(leaves(value, point))
            expect_length(row, length)
        except TypeError as sentence:
            return str(sentence)
        rows.append(row)
    return torch.tensor(rows, dtype=torch.float64).reshape(len(points), length).float()


def spectrum(value, point: dict):
    """Three eigenvalues as the coefficients of their polynomial, which do not depend on their order: (6,) float32."""
    sympy = sys.modules.get("sympy")
    if isinstance(value, dict):  # SymPy's Matrix.eigenvals: {eigenvalue: multiplicity}
        value = [root for root, multiplicity in value.items() for _ in range(int(multiplicity))]
    elif isinstance(value, set | frozenset) or sympy and isinstance(value, sympy.FiniteSet):
        value = list(value)
    try:
        roots = leaves(value, point)
        expect_length(roots, 3)
    except TypeError as sentence:
        return str(sentence)
    a, b, c = roots
    coefficients = a + b + c, a * b + b * c + c * a, a * b * c
    return torch.tensor([part for v in coefficients for part in (v.real, v.imag)], dtype=torch.float64).float()


def verdicts(function: Callable, points: list[dict]):
    """(points, 2) float32: the place of the verdict among VERDICTS, and the rate; or a sentence."""
    rows = []
    for point in points:
        value = function(**point)
        if not isinstance(value, list | tuple) or len(value) != 2 or not isinstance(value[0], str):
            return "It did not return a pair: the verdict as a string, then the rate as a number."
        verdict = " ".join(value[0].lower().split())
        if verdict not in VERDICTS:
            return f"The verdict is none of {', '.join(repr(v) for v in VERDICTS)}."
        try:
            rate = real(leaves(value[1], point))
            expect_length(rate, 1)
        except TypeError as sentence:
            return str(sentence)
        rows.append([VERDICTS.index(verdict), rate[0]])
    return torch.tensor(rows, dtype=torch.float64).float()


def build_chain(betas, slopes, offsets, variances):
    from theory_models import Chain

    return Chain(*(tuple(values) for values in (betas, slopes, offsets, variances)))


def build_joint(chain: dict, **others):
    from theory_models import Joint

    return Joint(chain=build_chain(**chain), **others)


# ---------------------------------------------------------------- here: laws


class Derivation(Exercise):
    """What the exercises of this file share."""

    def _observe(self, look: Callable, replacing: dict, cpu_seconds: int | None):
        outcome = super()._observe(look, replacing, cpu_seconds)
        return Failure("file", plain_text(outcome)) if isinstance(outcome, str) else outcome

    def holds(self, look: Callable, expected: Tensor, sentence: str) -> None:
        """The look sees `expected`, compared in float32."""
        self.assertClose(self.observe(look), expected.float(), sentence)

    def either(self, look: Callable, truths: Sequence[Tensor], sentence: str, replacing: dict) -> None:
        """The look sees the first of `truths`, or, with stand-ins in the place of other exercises, any of them.

        So an answer may call the others, or write their formula out; and one that only works with the student's own
        types is judged with these.
        """
        first = None
        attempts = [(replacing, truths), ({}, truths[:1])] if replacing else [({}, truths)]
        for stand_ins, accepted in attempts:
            try:
                found = self.observe(look, replacing=stand_ins)
            except Wrong as wrong:
                first = first or wrong
                if wrong.failure.kind == "time":
                    break
                continue
            problems = [difference(found, truth.float()) for truth in accepted]
            if None in problems:
                return
            first = first or Wrong(f"{sentence} ({problems[0]})")
        del self.seen[1:]  # what explains a failure is the first look
        raise first

    def points(self, count: int, **ranges: tuple[float, float]) -> list[dict]:
        """`count` points, each number uniform in its range."""
        return [{name: self.number(*bounds) for name, bounds in ranges.items()} for _ in range(count)]

    def numbers(self, count: int, low: float, high: float) -> list[float]:
        return [self.number(low, high) for _ in range(count)]


def column(values: Sequence) -> Tensor:
    """(N, 1), float64."""
    return torch.stack([torch.as_tensor(v, dtype=torch.float64).reshape(()) for v in values]).reshape(-1, 1)


# ================================================================ Question 1


def kl_law(points: list[dict], q_first: bool) -> Tensor:
    """(N, 1): KL[q || p], or KL[p || q]."""
    p = Normal(*(torch.tensor([point[name] for point in points]).double() for name in ("mu_1", "sigma_1")))
    q = Normal(*(torch.tensor([point[name] for point in points]).double() for name in ("mu_2", "sigma_2")))
    return (kl_divergence(q, p) if q_first else kl_divergence(p, q)).reshape(-1, 1)


class KLOfGaussians(Derivation):
    module = "answers"

    def gaussians(self, count: int) -> list[dict]:
        mu, sigma = (-1.5, 1.5), (0.5, 2)
        return self.points(count, mu_1=mu, sigma_1=sigma, mu_2=mu, sigma_2=sigma)

    def edges(self) -> list[dict]:
        """Equal means, equal deviations, both."""
        points = self.gaussians(6)
        for point in points[:4]:
            point["mu_2"] = point["mu_1"]
        for point in points[2:]:
            point["sigma_2"] = point["sigma_1"]
        return points

    @number("Q1a")
    @weight(2)
    def test_q_p(self):
        """It is KL[q || p] for any two Gaussians."""
        points = self.gaussians(30)
        sentence = "This is not E_q[log q(x) - log p(x)], with p = N(mu_1, sigma_1^2) and q = N(mu_2, sigma_2^2)"
        self.holds(lambda a: table(a.kl_q_p, points), kl_law(points, q_first=True), sentence)

    @number("Q1a")
    @weight(1)
    def test_q_p_where_something_is_equal(self):
        """It is 0 where p = q, and right where only the means or only the deviations differ."""
        points = self.edges()
        sentence = "It is wrong where the means are equal, where the deviations are, or where both are (then it is 0)"
        self.holds(lambda a: table(a.kl_q_p, points), kl_law(points, q_first=True), sentence)

    @number("Q1b")
    @weight(1)
    def test_p_q(self):
        """It is KL[p || q] for any two Gaussians."""
        points = self.gaussians(30) + self.edges()
        sentence = "This is not E_p[log p(x) - log q(x)], with p = N(mu_1, sigma_1^2) and q = N(mu_2, sigma_2^2)"

        def stand_in(mu_1, sigma_1, mu_2, sigma_2):
            return mu_1 + 2 * sigma_1 + 3 * mu_2 + 4 * sigma_2

        swapped = [
            {"mu_1": p["mu_2"], "sigma_1": p["sigma_2"], "mu_2": p["mu_1"], "sigma_2": p["sigma_1"]} for p in points
        ]
        truths = kl_law(points, q_first=False), column([stand_in(**point) for point in swapped])
        self.either(lambda a: table(a.kl_p_q, points), truths, sentence, {"kl_q_p": stand_in})

    @number("Q1c")
    @weight(1)
    def test_witness(self):
        """The two divergences of the pair differ."""
        found = self.observe(lambda a: table(a.kl_witness, [{}], 4))[0].double()
        self.assertTrue(bool(found.isfinite().all()), "The four numbers are not all finite")
        point = dict(zip(("mu_1", "sigma_1", "mu_2", "sigma_2"), found.tolist(), strict=True))
        positive = point["sigma_1"] > 0 and point["sigma_2"] > 0
        self.assertTrue(positive, "A standard deviation is not positive; the order is mu_1, sigma_1, mu_2, sigma_2")
        one, other = (float(kl_law([point], q_first)) for q_first in (True, False))
        apart = abs(one - other) >= 0.01 * max(one, other) > 0
        self.assertTrue(apart, "For this pair KL[q || p] and KL[p || q] are equal, or differ by less than 1 %")


# ================================================================ Question 2


def two_points(found: Tensor, case: Exercise) -> None:
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
        # A point on the kink is right up to the rounding of -c / b.
        allowed = 1e-5 * (a * b).abs().squeeze(1) * (1 + found.abs().amax(dim=1))
        self.assertTrue(bool(((g[:, 0] - g[:, 1]).abs() <= allowed).all()), sentence)


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
    def test_slope_of_one_sigmoid(self):
        """With one sigmoid, g is the line a z + b, whose slope is a."""
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
    def test_far_inverse(self):
        """Also where z is far from 0."""
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
    def test_steep(self):
        """Also where df/dz is much larger than 1."""
        functions = [cubic(self.number(1, 3), self.number(-1, 1)) for _ in range(8)]
        self.inverts(functions, "It fails where df/dz is large: only df/dz > -1 may be used")

    @number("Q2.3")
    @weight(1)
    def test_bounded_image(self):
        """Also where the image of z + f(z) is only an interval."""
        functions = [bounded(self.number(1, 3), self.number(-1, 1)) for _ in range(8)]
        self.inverts(functions, "It fails where z + f(z) is almost flat far from the root: widen, bracket, then halve")

    def inverts(self, functions: list[Callable], sentence: str) -> None:
        roots = [self.number(-2.5, 2.5) for _ in functions]
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
    def test_radius_at_the_bound(self):
        """Also for beta = -alpha, and for y = z_0."""
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
    def test_inverse_at_the_centre(self):
        """g(z_0) = z_0."""
        flows = self.flows(4, 3)
        for flow in flows:
            flow["y"], flow["z"] = list(flow["z_0"]), torch.tensor(flow["z_0"], dtype=torch.float64)
        self.inverts(flows, "It fails for y = z_0, where r = 0 and z~ is not defined, but z = z_0 is")

    def inverts(self, flows: list[dict], sentence: str) -> None:
        points = [{name: f[name] for name in ("y", "z_0", "alpha", "beta")} for f in flows]

        def radius(y, z_0, alpha, beta):  # known and simple, but not the answer; 0 where the answer is
            return alpha * sum(abs(p - q) for p, q in zip(y, z_0, strict=True))

        def direction(y, r, z_0, alpha, beta):  # for r = 0 it fails, as the answer does
            return [(p - c) / r + alpha - 0.1 * beta for p, c in zip(y, z_0, strict=True)]

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
        scale = r.amax(dim=1) + beta.abs().squeeze(1)
        same = (rho[:, 0] - rho[:, 1]).abs() <= 1e-5 * scale
        self.assertTrue(bool(same.all()), "The two radii do not give the same |y - z_0| = |r + beta r / (alpha + r)|")


# ================================================================ Question 3


def law_of_p(joint: dict) -> MultivariateNormal:
    """The law of (x_0, ..., x_T, z, c); for a chain alone, z and c do not act on x."""
    chain = joint["chain"]
    T = len(chain["betas"])
    a, b, s, k, l = (chain["slopes"], chain["offsets"], chain["variances"], joint["z_slopes"], joint["c_slopes"])
    noise, mean = torch.zeros(T + 3, T + 3, dtype=torch.float64), torch.zeros(T + 3, dtype=torch.float64)
    noise[T + 1, T + 1] = 1.0
    noise[T + 2] = joint["decoder_slope"] * noise[T + 1]
    noise[T + 2, T + 2] = joint["decoder_variance"] ** 0.5
    noise[T, T] = 1.0
    for t in range(T, 0, -1):
        noise[t - 1] = a[t - 1] * noise[t] + k[t - 1] * noise[T + 1] + l[t - 1] * noise[T + 2]
        noise[t - 1, t - 1] += s[t - 1] ** 0.5
        mean[t - 1] = a[t - 1] * mean[t] + b[t - 1]
    return MultivariateNormal(mean, noise @ noise.T)


def law_of_trajectory(x_0: float, betas: Sequence[float]) -> tuple[Tensor, Tensor]:
    """Mean (T + 1,) and covariance (T + 1, T + 1) of (x_0, x_1, ..., x_T) under q; x_0 is fixed."""
    T = len(betas)
    noise, mean = torch.zeros(T + 1, T, dtype=torch.float64), torch.zeros(T + 1, dtype=torch.float64)
    mean[0] = x_0
    for t, beta in enumerate(betas, start=1):
        noise[t] = math.sqrt(1 - beta) * noise[t - 1]
        noise[t, t - 1] += beta**0.5
        mean[t] = math.sqrt(1 - beta) * mean[t - 1]
    return mean, noise @ noise.T


def law_of_q(x_0: float, betas: Sequence[float]) -> MultivariateNormal:
    """The law of (x_1, ..., x_T) given x_0."""
    mean, covariance = law_of_trajectory(x_0, betas)
    return MultivariateNormal(mean[1:], covariance[1:, 1:])


def expected_log_density(p: MultivariateNormal, mean: Tensor, covariance: Tensor) -> Tensor:
    """E[log p(u)] for u with this mean and covariance."""
    return p.log_prob(mean) - 0.5 * torch.trace(p.precision_matrix @ covariance)


def marginal(p: MultivariateNormal, indices: list[int]) -> MultivariateNormal:
    return MultivariateNormal(p.mean[indices], p.covariance_matrix[indices][:, indices])


def alone(chain: dict) -> dict:
    """A chain as a joint in which z and c do not act."""
    zeros = [0.0] * len(chain["betas"])
    return {"chain": chain, "z_slopes": zeros, "c_slopes": zeros, "decoder_slope": 0.0, "decoder_variance": 1.0}


def law_of_x(chain: dict) -> MultivariateNormal:
    return marginal(law_of_p(alone(chain)), list(range(len(chain["betas"]) + 1)))


def elbo_law(x_0: float, chain: dict) -> Tensor:
    law = law_of_trajectory(x_0, chain["betas"])
    return expected_log_density(law_of_x(chain), *law) + law_of_q(x_0, chain["betas"]).entropy()


def step_law(x_0: float, chain: dict, t: int) -> Tensor:
    """E_q[log p(x_{t-1} | x_t)] given x_0."""
    a, b, s = (chain[name][t - 1] for name in ("slopes", "offsets", "variances"))
    mean, covariance = law_of_trajectory(x_0, chain["betas"])
    row = torch.zeros_like(mean)
    row[t - 1], row[t] = 1.0, -a
    error = row @ mean - b
    return -0.5 * math.log(2 * math.pi * s) - (error**2 + row @ covariance @ row) / (2 * s)


def posterior_law(x_0: float, betas: Sequence[float], t: int) -> tuple[Tensor, Tensor, Tensor]:
    """q(x_{t-1} | x_t, x_0), t >= 2, as N(slope x_t + shift, variance)."""
    q = law_of_q(x_0, betas)
    (m_before, m), c = q.mean[t - 2 : t], q.covariance_matrix[t - 2 : t, t - 2 : t]
    slope = c[0, 1] / c[1, 1]
    return slope, m_before - slope * m, c[0, 0] - slope * c[0, 1]


def kl_law_of_step(x_0: float, chain: dict, t: int) -> Tensor:
    """The expected divergence of step t >= 2: minus the posterior's entropy, minus the expected log p."""
    _, _, variance = posterior_law(x_0, chain["betas"], t)
    return -0.5 * torch.log(2 * math.pi * math.e * variance) - step_law(x_0, chain, t)


class DiffusionBound(Derivation):
    module = "answers"

    def chain(self, steps: int) -> dict:
        return {
            "betas": self.numbers(steps, 0.1, 0.6),
            "slopes": self.numbers(steps, 0.4, 1.2),
            "offsets": self.numbers(steps, -0.5, 0.5),
            "variances": self.numbers(steps, 0.2, 0.8),
        }

    def cases(self, *steps: int) -> list[tuple[float, dict]]:
        return [(self.number(-1.5, 1.5), self.chain(n)) for n in steps]

    def at_each(self, name: str, cases: list, law: Callable, sentence: str, length: int = 1, replacing=None) -> None:
        """The function `name` of (x_0, chain) gives what `law` of (x_0, description of the chain) gives."""

        def look(answers):
            points = [{"x_0": x_0, "chain": build_chain(**chain)} for x_0, chain in cases]
            return table(getattr(answers, name), points, length)

        truth = torch.stack([torch.as_tensor(law(*case)).reshape(length) for case in cases])
        self.either(look, [truth], sentence, replacing or {})

    @number("Q3a1")
    @weight(1)
    def test_evidence(self):
        """It is log p(x_0)."""
        sentence = "This is not log p(x_0): carry mean and variance from x_T down to x_0, every step adds its s_t"
        law = lambda x_0, chain: marginal(law_of_x(chain), [0]).log_prob(torch.tensor([x_0]).double())  # noqa: E731
        self.at_each("log_evidence", self.cases(1, 2, 3, 4, 5, 6, 4, 4), law, sentence)

    @number("Q3a2")
    @weight(1)
    def test_ratio(self):
        """It is log p(x_{0:T}) - log q(x_{1:T} | x_0) of a trajectory."""
        cases = [
            (self.randn(len(chain["betas"]) + 1, dtype=torch.float64), chain)
            for _, chain in self.cases(1, 3, 4, 5, 4, 4)
        ]
        truth = [law_of_x(c).log_prob(x) - law_of_q(float(x[0]), c["betas"]).log_prob(x[1:]) for x, c in cases]

        def look(answers):
            return table(answers.log_ratio, [{"x": x.tolist(), "chain": build_chain(**chain)} for x, chain in cases])

        sentence = "This is not log p(x_T) + sum_t log p(x_{t-1} | x_t) - log q(x_t | x_{t-1})"
        self.holds(look, column(truth), sentence)

    @number("Q3a3")
    @weight(2)
    def test_elbo(self):
        """It is the expectation of the log-ratio under q, exactly."""
        sentence = "This is not E_q[log p(x_{0:T}) - log q(x_{1:T} | x_0)], the expectation of every term"
        self.at_each("elbo", self.cases(1, 2, 3, 4, 5, 4, 4), elbo_law, sentence)

    @number("Q3a3")
    @weight(1)
    def test_elbo_is_tight(self):
        """It is log p(x_0) where q is the model's own posterior, and never above it."""
        (x_0, chain), (x_1, other) = self.cases(1, 3)
        # One step back from x_1 ~ N(0, 1) with a = sqrt(1 - beta), s = beta is the forward process read backwards.
        chain |= {"slopes": [math.sqrt(1 - chain["betas"][0])], "offsets": [0.0], "variances": list(chain["betas"])}

        def look(answers):
            points = [{"x_0": x, "chain": build_chain(**c)} for x, c in ((x_0, chain), (x_1, other))]
            return table(answers.elbo, points)

        found = self.observe(look).double()
        bound = [
            marginal(law_of_x(c), [0]).log_prob(torch.tensor([x]).double()) for x, c in ((x_0, chain), (x_1, other))
        ]
        rounding = 1e-4 * (1 + float(bound[1].abs()))
        self.assertClose(found[:1].float(), column(bound[:1]).float(), "Where the bound is tight, it is not log p(x_0)")
        self.assertTrue(float(found[1]) <= float(bound[1]) + rounding, "It exceeds log p(x_0): no lower bound")

    @number("Q3b1")
    @weight(1)
    def test_posterior(self):
        """It is the law of x_{t-1} given x_t and x_0."""
        points = []
        for t, steps in ((2, 2), (2, 4), (3, 4), (4, 4), (3, 5), (5, 6)):
            points.append(
                {"x_t": self.number(-2, 2), "x_0": self.number(-2, 2), "t": t, "betas": self.numbers(steps, 0.1, 0.6)}
            )
        rows = [(*posterior_law(p["x_0"], p["betas"], p["t"]), p["x_t"]) for p in points]
        truth = torch.stack([torch.stack([slope * x_t + shift, variance]) for slope, shift, variance, x_t in rows])
        sentence = "This is not mean and variance of q(x_{t-1} | x_t, x_0): check alpha-bar_{t-1} against alpha-bar_t"
        self.holds(lambda a: table(a.posterior, points, 2), truth, sentence)

    @number("Q3b2")
    @weight(1)
    def test_reconstruction(self):
        """It is E_q[log p(x_0 | x_1)]."""
        sentence = "This is not E_q[log p(x_0 | x_1)], with x_1 ~ N(sqrt(1 - beta_1) x_0, beta_1)"
        self.at_each("reconstruction_term", self.cases(1, 2, 3, 4, 4, 4), lambda x, c: step_law(x, c, 1), sentence)

    @number("Q3b3")
    @weight(1)
    def test_kl_terms(self):
        """They are the expected divergences of t = 2 .. T."""
        law = lambda x_0, chain: torch.stack([kl_law_of_step(x_0, chain, t) for t in range(2, 5)])  # noqa: E731
        sentence = "These are not E_q KL[q(x_{t-1} | x_t, x_0) || p(x_{t-1} | x_t)], t = 2 .. T"

        # With this posterior every divergence is as simple to write down as with the true one.
        def stand_in(x_t, x_0, t, betas):
            return 0.5 * x_t + 0.25 * x_0, betas[t - 1]

        def law_with_stand_in(x_0, chain):
            terms = []
            for t in range(2, 5):
                a, b, s = (chain[name][t - 1] for name in ("slopes", "offsets", "variances"))
                q = law_of_q(x_0, chain["betas"])
                m, v = q.mean[t - 1], q.covariance_matrix[t - 1, t - 1]
                square = ((0.5 - a) * m + 0.25 * x_0 - b) ** 2 + (0.5 - a) ** 2 * v
                variance = chain["betas"][t - 1]
                terms.append(0.5 * (math.log(s / variance) + (variance + square) / s - 1))
            return torch.stack(terms)

        cases = self.cases(4, 4, 4, 4)

        def look(answers):
            points = [{"x_0": x_0, "chain": build_chain(**chain)} for x_0, chain in cases]
            return table(answers.kl_terms, points, 3)

        truths = [torch.stack([l(*case) for case in cases]) for l in (law, law_with_stand_in)]
        self.either(look, truths, sentence, {"posterior": stand_in})

    @number("Q3b4")
    @weight(1)
    def test_prior(self):
        """It is KL[q(x_T | x_0) || N(0, 1)]."""

        def law(x_0, chain):
            q = marginal(law_of_q(x_0, chain["betas"]), [len(chain["betas"]) - 1])
            return kl_divergence(q, MultivariateNormal(torch.zeros(1).double(), torch.eye(1).double()))

        sentence = "This is not KL[q(x_T | x_0) || p(x_T)], with x_T ~ N(sqrt(alpha-bar_T) x_0, 1 - alpha-bar_T)"
        self.at_each("prior_term", self.cases(1, 2, 3, 4, 5), law, sentence)


class JointBound(Derivation):
    module = "answers"

    def tables(self, rows: int, columns: int) -> dict:
        q = self.rand(rows, columns, low=0.1, high=1, dtype=torch.float64)
        return {"p": self.rand(rows, columns, low=0.02, high=0.3, dtype=torch.float64), "q": q / q.sum()}

    def cases(self) -> list[dict]:
        return [self.tables(2, 2), self.tables(1, 5), self.tables(3, 4), self.tables(4, 1)]

    def edges(self) -> list[dict]:
        """q that is 0 somewhere, and q that is the true posterior."""
        zero, exact = self.tables(3, 3), self.tables(3, 2)
        zero["q"][0, 1] = zero["q"][2, 2] = 0.0
        zero["q"] /= zero["q"].sum()
        exact["q"] = exact["p"] / exact["p"].sum()
        return [zero, exact]

    @number("Q3c1")
    @weight(2)
    def test_bound(self):
        """It is E_q[log p / q]."""
        self.is_bound(self.cases(), "This is not the sum of q log(p / q) over all values of the latent variables")

    @number("Q3c1")
    @weight(1)
    def test_bound_at_edges(self):
        """Also where q is 0 somewhere; and it is log p(x_0, c) where q is the true posterior."""
        self.is_bound(self.edges(), "It is wrong where an entry of q is 0, or where q is the true posterior")

    @number("Q3c2")
    @weight(2)
    def test_gap(self):
        """It is the divergence between q and the posterior."""
        self.is_gap(self.cases(), "This is not log p(x_0, c) minus the bound: which KL is it, and of what?")

    @number("Q3c2")
    @weight(1)
    def test_gap_at_edges(self):
        """Also where q is 0 somewhere; and it is 0 where q is the true posterior."""
        self.is_gap(self.edges(), "It is wrong where an entry of q is 0, or not 0 where q is the true posterior")

    @staticmethod
    def gap(p: Tensor, q: Tensor) -> Tensor:
        return kl_divergence(Categorical(q.flatten()), Categorical(p.flatten() / p.sum()))

    def is_bound(self, cases: list[dict], sentence: str) -> None:
        points = [{name: v.tolist() for name, v in case.items()} for case in cases]
        truth = column([case["p"].sum().log() - self.gap(**case) for case in cases])

        def stand_in(p, q):
            return p[0][0] + 2 * q[0][0]

        other = column([case["p"].sum().log() - stand_in(**case) for case in cases])
        self.either(lambda a: table(a.joint_elbo, points), (truth, other), sentence, {"elbo_gap": stand_in})

    def is_gap(self, cases: list[dict], sentence: str) -> None:
        points = [{name: v.tolist() for name, v in case.items()} for case in cases]
        truth = column([self.gap(**case) for case in cases])

        def stand_in(p, q):
            return p[0][0] + 2 * q[0][0]

        other = column([case["p"].sum().log() - stand_in(**case) for case in cases])
        self.either(lambda a: table(a.elbo_gap, points), (truth, other), sentence, {"joint_elbo": stand_in})


class VaeAndDiffusion(Derivation):
    module = "answers"

    def joint(self, steps: int) -> dict:
        return {
            "chain": DiffusionBound.chain(self, steps),
            "z_slopes": self.numbers(steps, 0.3, 0.9),
            "c_slopes": self.numbers(steps, -0.5, 0.5),
            "decoder_slope": self.number(0.5, 1.5),
            "decoder_variance": self.number(0.3, 0.8),
            "encoder_c": self.number(0.3, 0.8),
            "encoder_x": self.number(-0.8, -0.3),
            "encoder_variance": self.number(0.2, 0.7),
        }

    def cases(self, *steps: int) -> list[tuple[float, float, dict]]:
        return [(self.number(-1.5, 1.5), self.number(-1.5, 1.5), self.joint(n)) for n in steps]

    @staticmethod
    def encoder(x_0: float, c: float, joint: dict) -> Normal:
        mean = joint["encoder_c"] * c + joint["encoder_x"] * x_0
        variance = torch.tensor(joint["encoder_variance"], dtype=torch.float64)
        return Normal(torch.tensor(mean, dtype=torch.float64), variance.sqrt())

    @staticmethod
    def vae(x_0: float, c: float, joint: dict) -> Tensor:
        q = VaeAndDiffusion.encoder(x_0, c, joint)
        error = (c - joint["decoder_slope"] * q.mean) ** 2 + joint["decoder_slope"] ** 2 * q.variance
        v = joint["decoder_variance"]
        divergence = kl_divergence(q, Normal(torch.zeros(()).double(), torch.ones(()).double()))
        return -0.5 * math.log(2 * math.pi * v) - error / (2 * v) - divergence

    @staticmethod
    def bound(x_0: float, c: float, joint: dict) -> Tensor:
        """E_q[log p(x_{0:T}, c, z)] plus the entropy of q(x_{1:T}, z | c, x_0), from the joint law."""
        betas, q_z = joint["chain"]["betas"], VaeAndDiffusion.encoder(x_0, c, joint)
        T = len(betas)
        mean, covariance = law_of_trajectory(x_0, betas)
        mean = torch.cat([mean, q_z.mean.reshape(1), torch.tensor([c]).double()])
        covariance = torch.nn.functional.pad(covariance, (0, 2, 0, 2))
        covariance[T + 1, T + 1] = q_z.variance
        return expected_log_density(law_of_p(joint), mean, covariance) + law_of_q(x_0, betas).entropy() + q_z.entropy()

    @number("Q3d")
    @weight(1)
    def test_factorization(self):
        """It is the encoder's log-density plus that of the forward process."""
        cases = [
            (self.randn(n + 1, dtype=torch.float64), self.number(-2, 2), self.number(-2, 2), self.joint(n))
            for n in (1, 2, 3, 4, 4)
        ]
        truth = [
            self.encoder(float(x[0]), c, joint).log_prob(torch.tensor(z).double())
            + law_of_q(float(x[0]), joint["chain"]["betas"]).log_prob(x[1:])
            for x, z, c, joint in cases
        ]

        def look(answers):
            return table(
                answers.log_q, [{"x": x.tolist(), "z": z, "c": c, "joint": build_joint(**j)} for x, z, c, j in cases]
            )

        sentence = "This is not log q_psi(z | c, x_0) + sum_{t=1}^T log q(x_t | x_{t-1})"
        self.holds(look, column(truth), sentence)

    @number("Q3e1")
    @weight(1)
    def test_vae_part(self):
        """It is E_q[log p(c | z)] - KL[q(z | c, x_0) || p(z)]."""
        cases = self.cases(2, 2, 3, 3, 3, 3)

        def look(answers):
            return table(answers.vae_part, [{"x_0": x_0, "c": c, "joint": build_joint(**j)} for x_0, c, j in cases])

        sentence = "This is not the VAE's bound: the expected log-likelihood of c, minus the divergence from the prior"
        self.holds(look, column([self.vae(*case) for case in cases]), sentence)

    @number("Q3e2")
    @weight(1)
    def test_ddpm_part(self):
        """With the VAE component it adds up to the bound of (c)."""
        cases = self.cases(1, 2, 3, 4, 3, 3)

        def look(answers):
            return table(answers.ddpm_part, [{"x_0": x_0, "c": c, "joint": build_joint(**j)} for x_0, c, j in cases])

        # Quadratic in the offsets, as the true one is; without the other terms.
        def stand_in(x_0, chain):
            return x_0 - 0.5 * sum(b**2 / s for b, s in zip(chain.offsets, chain.variances, strict=True))

        def law_with_stand_in(x_0, c, joint):
            q, chain, total = self.encoder(x_0, c, joint), joint["chain"], x_0
            for b, s, k, l in zip(
                chain["offsets"], chain["variances"], joint["z_slopes"], joint["c_slopes"], strict=True
            ):
                total -= 0.5 * ((b + k * q.mean + l * c) ** 2 + k**2 * q.variance) / s
            return total

        truths = (
            column([self.bound(*case) - self.vae(*case) for case in cases]),
            column([law_with_stand_in(*case) for case in cases]),
        )
        sentence = "This is not the expected bound of the diffusion, with z from the encoder"
        self.either(look, truths, sentence, {"elbo": stand_in})


# ================================================================ Question 4


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


def some_velocity(psi_0, psi_1, theta):
    """In the place of velocity: linear, and with another stationary point's Jacobian."""
    return 2 * psi_0 - theta, 3 * psi_1 + theta, theta + 4 * psi_0


SOME_JACOBIAN = torch.tensor([[2.0, 0, -1], [0, 3, 1], [4, 0, 1]], dtype=torch.float64)


def some_jacobian():
    return [[2.0, 0.0, -1.0], [0.0, 3.0, 1.0], [4.0, 0.0, 1.0]]


def some_velocity_r1(psi_0, psi_1, theta, gamma):
    return 2 * psi_0 - theta, 3 * psi_1 + theta * gamma, theta + 4 * psi_0


def some_jacobian_r1(gamma):
    return [[2.0, 0.0, -1.0], [0.0, 3.0, gamma], [4.0, 0.0, 1.0]]


def shifted_jacobian(gamma: float) -> Tensor:
    return torch.tensor(some_jacobian_r1(gamma), dtype=torch.float64)


class Dynamics(Derivation):
    """What the system without and with the penalty share; its own tests are in the two classes below."""

    def parameters(self, count: int, **more: tuple[float, float]) -> list[dict]:
        wide = (-1.5, 1.5)
        return self.points(count, psi_0=wide, psi_1=wide, theta=wide, **more)

    def only_the_origin(self, look: Callable, sentence: str) -> None:
        found = self.observe(look)
        origin = bool((found.abs() <= 1e-4).all())
        self.assertTrue(origin, sentence)
        self.assertEqual(found.shape[0], 1, "A point is listed more than once")


def listed(value):
    """A list of points as (points, 3) float32, or a sentence; one point alone counts as a list of one."""
    try:
        found = real(leaves(value, {}))
    except TypeError as sentence:
        return str(sentence)
    if not found or len(found) % 3:
        return f"It returned {len(found)} numbers: each stationary point has three, psi_0, psi_1 and theta."
    return torch.tensor(found, dtype=torch.float64).reshape(-1, 3).float()


class DiracGan(Dynamics):
    module = "answers"

    @number("Q4.1a")
    @weight(3)
    def test_velocity(self):
        """It is the velocity field at any point."""
        self.is_velocity(self.parameters(20), "This is not (dL/dpsi_0, dL/dpsi_1, -dL/dtheta)")

    @number("Q4.1a")
    @weight(1)
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
        sentence = "A point of the list is not stationary: v is not 0 in all three components there"
        self.only_the_origin(lambda a: listed(a.stationary_points()), sentence)

    @number("Q4.2")
    @weight(1)
    def test_jacobian(self):
        """It is the Jacobian of v at the stationary point."""
        sentence = "This is not the 3 x 3 matrix of the derivatives of v at the stationary point"
        truths = jacobian_law().reshape(1, 9), SOME_JACOBIAN.reshape(1, 9)
        self.either(lambda a: table(a.jacobian, [{}], 9), truths, sentence, {"velocity": some_velocity})

    @number("Q4.3a")
    @weight(1)
    def test_eigenvalues(self):
        """They are the three eigenvalues of J*."""
        sentence = "These are not the three roots of det(J* - lambda I)"
        truths = polynomial(jacobian_law()), polynomial(SOME_JACOBIAN)
        look = lambda a: spectrum(a.eigenvalues(), {})  # noqa: E731
        self.either(look, truths, sentence, {"jacobian": some_jacobian})

    @number("Q4.3b")
    @weight(1)
    def test_verdict(self):
        """Verdict and rate follow from the eigenvalues."""
        truths = torch.tensor([[1.0, 0.0]]), torch.tensor([[2.0, 3.0]])
        sentence = "Verdict or rate do not follow from the real parts of the eigenvalues"

        def stand_in():
            return [-1.0, 3.0, -2.0]

        self.either(lambda a: verdicts(a.stability, [{}]), truths, sentence, {"eigenvalues": stand_in})

    @number("Q4.3c")
    @weight(2)
    def test_constant_on_trajectories(self):
        """It has one value on each trajectory."""
        values = self.on_trajectories()
        spread = (values - values.mean(dim=1, keepdim=True)).abs().max()
        largest = (values.max() - values.min()).abs()
        sentence = "Along a trajectory it changes: its time derivative, grad V times v, is not 0"
        self.assertTrue(bool(spread <= 1e-4 * largest + 1e-6 * values.abs().max()), sentence)

    @number("Q4.3c")
    @weight(1)
    def test_tells_trajectories_apart(self):
        """It has other values on trajectories at other distances."""
        means = self.on_trajectories().mean(dim=1).sort().values
        whole, gap = means[-1] - means[0], (means[1:] - means[:-1]).min()
        differs = gap > 1e-3 * whole and whole > 1e-4 * means.abs().max()
        self.assertTrue(bool(differs), "It has the same value at different distances")

    def on_trajectories(self) -> Tensor:
        """(4, 6) values on four trajectories whose distances sqrt(psi_0^2 + theta^2) differ."""
        starts = []
        for index in range(4):
            angle, radius = self.number(0, 2 * math.pi), 0.4 * (index + 1) + self.number(0, 0.1)
            starts.append([radius * math.cos(angle), self.number(-0.5, 0.5), radius * math.sin(angle)])
        paths = trajectories(torch.tensor(starts, dtype=torch.float64)).reshape(-1, 3)
        points = [dict(zip(("psi_0", "psi_1", "theta"), p, strict=True)) for p in paths.tolist()]
        found = self.observe(lambda a: table(a.conserved, points)).double()
        self.assertTrue(bool(found.isfinite().all()), "It is not finite everywhere")
        return found.reshape(4, 6)


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
        stand_in = torch.tensor([some_velocity(p["psi_0"], p["psi_1"], p["theta"]) for p in points]).double()
        sentence = "This is not grad_psi (L - gamma/2 R_1) for the critic and -dL/dtheta for the generator"
        truths = truth, stand_in + truth - plain
        self.either(lambda a: table(a.velocity_r1, points, 3), truths, sentence, {"velocity": some_velocity})

    @number("Q4.4b")
    @weight(1)
    def test_stationary(self):
        """It lists all stationary points, and nothing else, for every gamma."""
        gammas = [point["gamma"] for point in self.gammas()[::4]]

        def look(answers):
            found = [listed(answers.stationary_points_r1(gamma=gamma)) for gamma in gammas]
            return next((f for f in found if isinstance(f, str)), found)

        found = self.observe(look)
        sentence = "A point of the list is not stationary: v is not 0 in all three components there"
        self.assertTrue(all(bool((f.abs() <= 1e-4).all()) for f in found), sentence)
        self.assertTrue(all(f.shape[0] == 1 for f in found), "A point is listed more than once")

    @number("Q4.5")
    @weight(1)
    def test_jacobian(self):
        """It is the Jacobian at the stationary point, for every gamma."""
        points = self.gammas()
        truths = [torch.stack([law(p["gamma"]).reshape(9) for p in points]) for law in (jacobian_law, shifted_jacobian)]
        sentence = "This is not the 3 x 3 matrix of the derivatives of the regularized v at the stationary point"
        penalty = torch.zeros(len(points), 9).double()
        penalty[:, 0] = torch.tensor([-p["gamma"] for p in points]).double()
        truths.append(SOME_JACOBIAN.reshape(1, 9) + penalty)
        replacing = {"velocity_r1": some_velocity_r1, "jacobian": some_jacobian}
        self.either(lambda a: table(a.jacobian_r1, points, 9), truths, sentence, replacing)

    @number("Q4.6a")
    @weight(2)
    def test_eigenvalues(self):
        """They are the three eigenvalues, complex for gamma < 1 and real above."""
        points = self.gammas()

        def look(answers):
            found = [spectrum(answers.eigenvalues_r1(**point), point) for point in points]
            return next((f for f in found if isinstance(f, str)), None) or torch.stack(found)

        truths = [
            torch.stack([polynomial(law(p["gamma"])) for p in points]) for law in (jacobian_law, shifted_jacobian)
        ]
        self.either(
            look, truths, "These are not the three roots of det(J* - lambda I)", {"jacobian_r1": some_jacobian_r1}
        )

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

        def stand_in(gamma):
            return [-1.0, 3.0 + gamma, -2.0]

        truths = [
            torch.tensor([[0.0, rate] for rate in rates]),
            torch.tensor([[2.0, 3 + p["gamma"]] for p in points]),
        ]
        self.either(lambda a: verdicts(a.stability_r1, points), truths, sentence, {"eigenvalues_r1": stand_in})
