"""Hidden tests of solution.py. Instructors read this file; students never see it.

Expected values come from independent float64 arithmetic: the log-determinant from each whole D x D
Jacobian, the densities from torch.distributions. They are compared in float32, so that a small epsilon inside a
logarithm costs nobody points.
"""

import math

import torch
from torch import Tensor
from torch.distributions import Normal

from autograder.grading.exercise import (
    NO_GRADIENT,
    Exercise,
    gradients,
    inputs_survive,
    leaves,
    number,
    special,
    weight,
)


def joined(tensors: tuple):
    """All in one vector, so that the tolerance is relative to the largest entry: single ones may cancel out."""
    if not tensors or not all(isinstance(t, Tensor) for t in tensors):
        return NO_GRADIENT
    return torch.cat([t.flatten() for t in tensors])


def moved(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Tensor:
    """The transformation in float64, one point at a time."""
    u, w, b = u.double().flatten(), w.double().flatten(), b.double().flatten()
    return torch.stack([point + u * torch.tanh(torch.dot(w, point) + b) for point in z.double()])


def whole_logdet(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Tensor:
    """ln |det| of the whole D x D Jacobian at each point."""
    u, w, b = u.double().flatten(), w.double().flatten(), b.double().flatten()
    slope = 1 - torch.tanh(z.double() @ w + b).square()
    jacobian = torch.eye(len(u), dtype=torch.float64) + slope.reshape(-1, 1, 1) * torch.outer(u, w)
    return torch.linalg.slogdet(jacobian).logabsdet


def base(x: Tensor) -> Tensor:
    """ln N(x; 0, I), (B,)"""
    return Normal(0.0, 1.0).log_prob(x.double()).sum(dim=1)


def plus_one(values):
    """1 beside each value gives the scale for rounding, which a value close to 0 has not."""
    return tuple(1 + v if isinstance(v, Tensor) else v for v in values) if isinstance(values, tuple) else values


class PlanarTests:
    """Parameters of a transformation, in every shape that they may have; mixed into an Exercise."""

    def parameters(self, dimension: int, row: bool, vector: bool, dtype: torch.dtype = torch.float32) -> tuple:
        shape = (1, dimension) if row else (dimension,)
        u, w = self.randn(*shape, dtype=dtype), self.randn(*shape, dtype=dtype)
        b = self.randn(1, dtype=dtype)
        return u, w, b if vector else b.squeeze()


class PlanarTransformation(PlanarTests, Exercise):
    module = "solution"

    @number("Q3.1")
    @weight(3)
    def test_points(self):
        """Each point z becomes z + u tanh(w.z + b)."""
        cases = [(self.randn(97, 3), *self.parameters(3, row=False, vector=False)) for _ in range(2)]

        def look(solution):
            return tuple(solution.planar_transformation(z=z, u=u, w=w, b=b) for z, u, w, b in cases)

        expected = tuple(moved(*case).float() for case in cases)
        self.assertClose(self.observe(look), expected, "This is not z + u tanh(w.z + b) for each point z")

    @number("Q3.1")
    @weight(2)
    @special
    @inputs_survive
    def test_shapes(self):
        """u and w may be (D,) or (1, D), b () or (1,), for any B and D."""
        cases = []
        for batch, dimension, row, vector in (
            (97, 2, True, True),
            (1, 5, True, False),
            (4, 4, False, True),
            (3, 1, 1, 1),
        ):
            cases.append((self.randn(batch, dimension), *self.parameters(dimension, row, vector)))
        cases.append((self.randn(6, 3, dtype=torch.float64), *self.parameters(3, True, True, torch.float64)))
        found = self.observe(lambda solution: tuple(solution.planar_transformation(*case) for case in cases))
        expected = tuple(moved(*case).float() for case in cases)
        self.assertClose(
            found, expected, "It fails for u, w as (1, D) or b as (1,), or for some B and D: set no size by hand"
        )

    @number("Q3.1")
    @weight(1)
    @special
    def test_gradient(self):
        """Its gradients reach z, u, w and b."""
        z = self.randn(5, 2)
        inputs = z, *self.parameters(2, row=True, vector=True)

        def look(solution):
            mine = leaves(*inputs)
            value = solution.planar_transformation(*mine)
            slopes = gradients(value.square(), *mine) if isinstance(value, Tensor) else ()
            return value, joined(slopes)

        own = leaves(*inputs)
        value = moved(*own)
        expected = joined(gradients(value.square(), *own))
        sentence = "A gradient is wrong or lost: no detach(), no item()"
        self.assertGradients(self.observe(look), value.detach().float(), (expected,), sentence)


class LogDeterminant(PlanarTests, Exercise):
    module = "solution"

    @number("Q3.2")
    @weight(3)
    def test_determinant(self):
        """It is ln |det df/dz| at each point."""
        z = self.randn(97, 3)
        u, w, b = self.parameters(3, row=False, vector=False)
        b = b.tanh()
        # Determinants above 1, and determinants between 0.4 and 1, whose logarithm is negative. u.w is chosen, not
        # drawn: near 0 all logarithms would be too, and every way to compute them would round differently.
        across = u - (u @ w) / (w @ w) * w
        grows, shrinks = (across + product * w / (w @ w) for product in (self.number(0.5, 3), -0.6))
        found = self.observe(lambda solution: tuple(solution.get_logdet(z=z, u=v, w=w, b=b) for v in (grows, shrinks)))
        expected = tuple(whole_logdet(z, v, w, b).float() for v in (grows, shrinks))
        sentence = "This is not the logarithm of the Jacobian's determinant, one number for each point"
        self.assertClose(found, expected, sentence)

    @number("Q3.2")
    @weight(2)
    @special
    def test_negative_determinant(self):
        """Where the determinant is negative, its absolute value counts."""
        w, b = self.randn(3), self.rand(1, low=-0.1, high=0.1).squeeze()
        z = self.randn(40, 3)
        z = z - (z @ w).unsqueeze(1) * w / (w @ w)  # w.z = 0: the slope is close to 1
        z = z + self.rand(40, 1, low=-0.2, high=0.2) * w / (w @ w)
        u = -self.number(3, 5) * w / (w @ w)
        found = self.observe(lambda solution: solution.get_logdet(z, u, w, b))
        sentence = "Where 1 + u.psi(z) is negative it is wrong or NaN: the absolute value of the determinant counts"
        self.assertClose(found, whole_logdet(z, u, w, b).float(), sentence)

    @number("Q3.2")
    @weight(2)
    @special
    @inputs_survive
    def test_shapes(self):
        """u and w may be (D,) or (1, D), b () or (1,), for any B and D."""
        cases = []
        for batch, dimension, row, vector in (
            (97, 2, True, True),
            (1, 5, True, False),
            (4, 4, False, True),
            (3, 1, 1, 1),
        ):
            u, w, b = self.parameters(dimension, row, vector)
            u = u * (2 * ((u * w).sum() > 0) - 1)
            cases.append((self.randn(batch, dimension), u, w, b))
        found = self.observe(lambda solution: tuple(solution.get_logdet(*case) for case in cases))
        expected = tuple(whole_logdet(*case).float() for case in cases)
        sentence = "It fails for u, w as (1, D) or b as (1,), or for some B and D; the result is (B,)"
        self.assertClose(plus_one(found), plus_one(expected), sentence)

    @number("Q3.2")
    @weight(1)
    @special
    def test_gradient(self):
        """Its gradients reach z, u, w and b."""
        z = self.randn(5, 2)
        u, w, b = self.parameters(2, row=True, vector=True)
        inputs = z, u * (2 * ((u * w).sum() > 0) - 1), w, b

        def look(solution):
            mine = leaves(*inputs)
            value = solution.get_logdet(*mine)
            return value, joined(gradients(value, *mine))

        own = leaves(*inputs)
        value = whole_logdet(*own)
        expected = joined(gradients(value, *own))
        sentence = "A gradient is wrong or lost: no detach(), no item()"
        self.assertGradients(self.observe(look), value.detach().float(), (expected,), sentence)


class NegativeLogLikelihood(Exercise):
    module = "solution"

    @number("Q3.3")
    @weight(3)
    @inputs_survive
    def test_loss(self):
        """It is -ln p of each data point, by the change of variables."""
        cases = [(1.5 * self.randn(97, 2), self.randn(97)) for _ in range(2)]
        found = self.observe(lambda solution: tuple(solution.loss1(x=x, logdet=logdet) for x, logdet in cases))
        expected = tuple(-(base(x) + logdet.double()).float() for x, logdet in cases)
        self.assertClose(found, expected, "This is not -ln p(x), one number for each point: base density and logdet")

    @number("Q3.3")
    @weight(2)
    @special
    def test_identity(self):
        """For the identity, whose logdet is 0, it is the base distribution's -ln N(x; 0, I), in any dimension."""
        cases = [self.randn(4, 1), self.randn(1, 3), self.randn(5, 7, dtype=torch.float64)]
        found = self.observe(
            lambda solution: tuple(solution.loss1(x, torch.zeros(len(x), dtype=x.dtype)) for x in cases)
        )
        expected = tuple(-base(x).float() for x in cases)
        sentence = (
            "With logdet = 0 it is not -ln N(x; 0, I) in D dimensions: look at the constant and at the sum over D"
        )
        self.assertClose(found, expected, sentence)

    @number("Q3.3")
    @weight(1)
    @special
    def test_gradient(self):
        """Its gradients reach x and logdet."""
        x, logdet = self.randn(5, 2), self.randn(5)

        def look(solution):
            mine = leaves(x, logdet)
            value = solution.loss1(*mine)
            return value, *gradients(value, *mine)

        value = -(base(x) + logdet.double()).float()
        sentence = "A gradient is wrong or lost: no detach(), no item()"
        self.assertGradients(self.observe(look), value, (x, -torch.ones(5)), sentence)


class ReverseDivergence(Exercise):
    module = "solution"

    @number("Q3.4")
    @weight(3)
    @inputs_survive
    def test_loss(self):
        """It is ln q(z) - ln p(z) for each sample."""
        cases = [(self.rand(97, low=0.05, high=2), self.randn(97, 2), self.randn(97)) for _ in range(2)]

        def look(solution):
            return tuple(solution.loss2(density=density, z0=z0, logdet=logdet) for density, z0, logdet in cases)

        expected = tuple(self.law(*case) for case in cases)
        self.assertClose(self.observe(look), expected, "This is not ln q(z) - ln p(z), one number for each sample")

    @number("Q3.4")
    @weight(2)
    @special
    def test_zero_where_equal(self):
        """It is 0 where the flow's density is the target's, and ln 2 where it is twice that, in any dimension."""
        z0s = [0.5 * self.randn(4, 1), 0.5 * self.randn(1, 3), 0.5 * self.randn(5, 4, dtype=torch.float64)]
        # Such that the densities are about 1: a small epsilon inside the logarithm is no mistake.
        logdets = [0.3 * self.randn(len(z0), dtype=z0.dtype) - z0.shape[1] for z0 in z0s]
        cases = [
            ((base(z0) - logdet.double()).exp().to(z0.dtype), z0, logdet)
            for z0, logdet in zip(z0s, logdets, strict=True)
        ]
        cases += [(0.5 * density, z0, logdet) for density, z0, logdet in cases]
        found = plus_one(self.observe(lambda solution: tuple(solution.loss2(*case) for case in cases)))
        expected = tuple(torch.full((len(z0),), value) for value in (1.0, 1 + math.log(2)) for z0 in z0s)
        sentence = (
            "For samples whose density is the target's it is not 0, or not ln 2 where it is twice that: each term and "
            "its sign count, in D dimensions"
        )
        self.assertClose(found, expected, sentence)

    @number("Q3.4")
    @weight(1)
    @special
    def test_gradient(self):
        """Its gradients reach the density and logdet."""
        density, z0, logdet = self.rand(5, low=0.5, high=2), self.randn(5, 2), self.randn(5)

        def look(solution):
            mine = leaves(density, logdet)
            value = solution.loss2(mine[0], z0, mine[1])
            return value, *gradients(value, *mine)

        slopes = -1 / density, -torch.ones(5)
        sentence = "A gradient is wrong or lost: no detach(), no item()"
        self.assertGradients(self.observe(look), self.law(density, z0, logdet), slopes, sentence)

    @staticmethod
    def law(density: Tensor, z0: Tensor, logdet: Tensor) -> Tensor:
        return (base(z0) - logdet.double() - density.double().log()).float()
