"""Public tests of question 3: small examples that you can redo by hand. The hidden tests check more.

pytest public_tests/test_solution.py                    # all of question 3, in a second or two
pytest public_tests/test_solution.py -k q3_4            # one item alone
"""

import math

import pytest
import torch
from torch import tensor

from student.public_tests import close


@pytest.fixture
def solution(student):
    return student("solution")


U, W, B = tensor([2.0, 0.0]), tensor([1.0, 1.0]), tensor(-1.0)


def test_q3_1_planar_transformation(solution):
    """w.z + b is 0 at (1, 0), which stays; it is 1 at (1, 1), which moves by 2 tanh(1) along the first axis."""
    z = tensor([[1.0, 0.0], [1.0, 1.0]])
    expected = tensor([[1.0, 0.0], [1 + 2 * math.tanh(1), 1.0]])
    close(solution.planar_transformation(z=z, u=U, w=W, b=B), expected, "f(z)")


def test_q3_1_rows_are_taken_too(solution):
    """u and w as (1, D), b as (1,)."""
    z = tensor([[1.0, 1.0]])
    found = solution.planar_transformation(z, U.unsqueeze(0), W.unsqueeze(0), B.unsqueeze(0))
    close(found, tensor([[1 + 2 * math.tanh(1), 1.0]]), "f(z)")


def test_q3_2_logdet_in_one_dimension(solution):
    """f(z) = z + 3 tanh(z): f'(0) = 4, and at z = 1 it is 1 + 3 (1 - tanh(1)^2)."""
    z, three, one = tensor([[0.0], [1.0]]), tensor([3.0]), tensor([1.0])
    expected = tensor([4.0, 1 + 3 * (1 - math.tanh(1) ** 2)]).log()
    close(solution.get_logdet(z=z, u=three, w=one, b=tensor(0.0)), expected, "the log-determinant")


def test_q3_2_logdet_of_a_negative_determinant(solution):
    """f(z) = z - 3 tanh(z): f'(0) = -2, whose absolute value counts."""
    found = solution.get_logdet(tensor([[0.0]]), tensor([-3.0]), tensor([1.0]), tensor(0.0))
    close(found, tensor([math.log(2)]), "the log-determinant")


def test_q3_3_loss1(solution):
    """At x = 0 in two dimensions, -ln N(x; 0, I) = ln(2 pi); at (1, 2) it is 5/2 more; logdet makes it smaller."""
    x, logdet = tensor([[0.0, 0.0], [1.0, 2.0]]), tensor([0.0, 0.5])
    expected = tensor([math.log(2 * math.pi), math.log(2 * math.pi) + 2.5 - 0.5])
    close(solution.loss1(x=x, logdet=logdet), expected, "the negative log-likelihood")


def test_q3_4_loss2_is_zero_for_the_base_itself(solution):
    """The identity, and the target N(0, I), whose density at 0 is 1 / (2 pi) in two dimensions."""
    found = solution.loss2(density=tensor([1 / (2 * math.pi)]), z0=tensor([[0.0, 0.0]]), logdet=tensor([0.0]))
    close(found, tensor([0.0]), "ln q - ln p")


def test_q3_4_loss2(solution):
    """logdet = 1: space is stretched by e, so the samples are less dense than the base; p = e^2 / (2 pi)."""
    density, z0 = tensor([math.exp(2) / (2 * math.pi)]), tensor([[0.0, 0.0]])
    close(solution.loss2(density=density, z0=z0, logdet=tensor([1.0])), tensor([-3.0]), "ln q - ln p")
