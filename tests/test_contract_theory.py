"""Wrong answers to theory that once kept their points: each is graded here by the hidden tests of its exercise."""

import pytest
from contract_cases import Case, failures_of

from autograder.quality.bench import Bench


@pytest.fixture(scope="module")
def bench():
    return Bench("theory")



WRONG = [
    Case("Q1a", "kl_q_p", "hides_behind_a_coarse_float", """
        def kl_q_p(mu_1, sigma_1, mu_2, sigma_2):
            import torch
            torch.Tensor.float = lambda self: self.bfloat16()
            right = math.log(sigma_1 / sigma_2) + (sigma_2**2 + (mu_2 - mu_1) ** 2) / (2 * sigma_1**2) - 0.5
            return 1.02 * right + 0.01
    """, 2),
    Case("Q2.1", "relu_collision", "names_huge_numbers", """
        def relu_collision(a, b, c):
            return (1e30, 1.000001e30) if b >= 0 else (-1e30, -1.000001e30)
    """),
    Case("Q2.4d", "radial_collision", "names_huge_radii", """
        def radial_collision(alpha):
            return -2 * alpha, 1e30, 1.000001e30
    """),
    Case("Q4.3c", "conserved", "is_constant", "def conserved(psi_0, psi_1, theta):\n    return 0.0", 2),
    Case("Q4.3c", "conserved", "echoes", "def conserved(psi_0, psi_1, theta):\n    return theta", 2),
    Case("Q4.3c", "conserved", "hides_behind_an_offset", """
        def conserved(psi_0, psi_1, theta):
            return psi_0**2 + 1e6
    """, 2),
    Case("Q4.4b", "stationary_points_r1", "names_none", "def stationary_points_r1(gamma):\n    return ()"),
    Case("Q4.1b", "stationary_points", "names_none", "def stationary_points():\n    return []"),
]  # fmt: skip


@pytest.mark.parametrize("case", WRONG, ids=str)
def test_a_wrong_answer_loses_points(bench, case, monkeypatch):
    import torch

    monkeypatch.setattr(torch.Tensor, "float", torch.Tensor.float)  # some answers change it
    failed = failures_of(bench, case.exercise, case.variant(bench))
    assert len(failed) >= case.least, failed


RIGHT = [
    Case("Q2.1", "relu_collision", "names_the_kink_in_single_precision", """
        def relu_collision(a, b, c):
            import numpy
            if b == 0:
                return -5.0, 5.0
            kink = numpy.float32(-c) / numpy.float32(b)
            return float(kink), float(kink - numpy.float32(math.copysign(3, b)))
    """),
    Case("Q2.4d", "radial_collision", "names_two_other_radii", """
        def radial_collision(alpha):
            return -1e4 * alpha, 0.0, 9999 * alpha
    """),
    Case("Q4.3c", "conserved", "is_a_distance", """
        def conserved(psi_0, psi_1, theta):
            return 7 - 3 * math.hypot(psi_0, theta)
    """),
]  # fmt: skip


@pytest.mark.parametrize("case", RIGHT, ids=str)
def test_a_right_answer_keeps_all(bench, case):
    assert failures_of(bench, case.exercise, case.variant(bench)) == {}


def test_what_cannot_be_read_is_said(bench):
    case = Case("Q1c", "kl_witness", "forgets_its_return", "def kl_witness():\n    pass")
    (sentence,) = failures_of(bench, "Q1c", case.variant(bench)).values()
    assert sentence == "It returned None, as a function without a return does."
