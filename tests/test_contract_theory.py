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
    Case("Q2.3", "residual_inverse", "searches_nearby", """
        def residual_inverse(y, f):
            low, high = -2.5, 2.5
            for _ in range(100):
                middle = (low + high) / 2
                low, high = (middle, high) if middle + f(middle) < y else (low, middle)
            return middle
    """),
    Case("Q4.3c", "conserved", "is_rounded", """
        def conserved(psi_0, psi_1, theta):
            return float(round(psi_0**2 + theta**2))
    """),
    # -------------------------------------------------------- what once stood in for other exercises
    Case("Q1b", "kl_p_q", "gives_a_stand_ins_values", """
        def kl_p_q(mu_1, sigma_1, mu_2, sigma_2):
            return mu_2 + 2 * sigma_2 + 3 * mu_1 + 4 * sigma_1
    """),
    Case("Q3c2", "elbo_gap", "gives_a_stand_ins_values", """
        def elbo_gap(p, q):
            return math.log(sum(map(sum, p))) - p[0][0] - 2 * q[0][0]
    """, 2),
    Case("Q4.2", "jacobian", "gives_a_stand_ins_values", """
        def jacobian():
            return [[2.0, 0.0, -1.0], [0.0, 3.0, 1.0], [4.0, 0.0, 1.0]]
    """),
    Case("Q4.3b", "stability", "gives_a_stand_ins_values", "def stability():\n    return 'unstable', 3.0"),
    Case("Q4.6b", "stability_r1", "gives_a_stand_ins_values", """
        def stability_r1(gamma):
            return "unstable", 3.0 + gamma
    """, 2),
    # -------------------------------------------------------- a law that an echo keeps
    Case("Q2.2a", "mixture_slope", "echoes", "def mixture_slope(z, w, a, b):\n    return a[0]", 2),
    Case("Q2.4c", "radial_inverse", "echoes", "def radial_inverse(y, z_0, alpha, beta):\n    return y", 2),
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
    Case("Q4.3c", "conserved", "is_a_high_power", """
        def conserved(psi_0, psi_1, theta):
            return (psi_0**2 + theta**2) ** 4
    """),
    Case("Q2.2a", "mixture_slope", "is_symbolic", """
        def mixture_slope(z, w, a, b):
            import sympy
            x = sympy.Symbol("z")
            s = sum(w_i / (1 + sympy.exp(-(a_i * x + b_i))) for w_i, a_i, b_i in zip(w, a, b))
            return sympy.diff(sympy.log(s / (1 - s)), x)
    """),
    Case("Q3a3", "elbo", "takes_sigma_points", """
        def elbo(x_0, chain):
            import itertools
            import numpy
            points, weights = numpy.polynomial.hermite_e.hermegauss(3)
            weights, total = weights / weights.sum(), 0.0
            for chosen in itertools.product(range(3), repeat=chain.T):
                x = [x_0]
                for beta, i in zip(chain.betas, chosen):
                    x.append(math.sqrt(1 - beta) * x[-1] + math.sqrt(beta) * points[i])
                total += math.prod(weights[i] for i in chosen) * log_ratio(x, chain)
            return total
    """),
    Case("Q4.3a", "eigenvalues", "asks_for_exact_ones", """
        def eigenvalues():
            import sympy
            return sympy.Matrix(jacobian()).applyfunc(sympy.nsimplify).eigenvals()
    """),
    Case("Q4.6a", "eigenvalues_r1", "asks_for_exact_ones", """
        def eigenvalues_r1(gamma):
            import sympy
            return sympy.Matrix(jacobian_r1(gamma)).applyfunc(sympy.nsimplify).eigenvals()
    """),
    Case("Q4.2", "jacobian", "differentiates_its_velocity", """
        def jacobian():
            h = 1e-4
            points = [(velocity(*p), velocity(*(-v for v in p))) for p in ((h, 0.0, 0.0), (0.0, h, 0.0), (0.0, 0.0, h))]
            return [[(up[i] - down[i]) / (2 * h) for up, down in points] for i in range(3)]
    """),
]  # fmt: skip


@pytest.mark.parametrize("case", RIGHT, ids=str)
def test_a_right_answer_keeps_all(bench, case):
    assert failures_of(bench, case.exercise, case.variant(bench)) == {}


@pytest.mark.parametrize(
    ("case", "asks"),
    [
        (Case("Q2.2b", "mixture_inverse", "sorts_its_lists", """
            def mixture_inverse(y, w, a, b):
                triples = sorted(zip(a, w, b))
                a[:], w[:], b[:] = ([triple[i] for triple in triples] for i in range(3))
                return root(lambda z: logit(sum(p * sigmoid(q * z + r) for p, q, r in zip(w, a, b))) - y)
        """), "Q2.2b.2"),
        (Case("Q3c2", "elbo_gap", "normalizes_in_place", """
            def elbo_gap(p, q):
                evidence = sum(map(sum, p))
                for row in p:
                    row[:] = [v / evidence for v in row]
                return sum(b * math.log(b / a) for r, s in zip(p, q) for a, b in zip(r, s) if b > 0)
        """), "Q3c2.2"),
    ],
    ids=str,
)  # fmt: skip
def test_a_change_in_place_costs_one_test_and_is_named(bench, case, asks):
    failed = failures_of(bench, case.exercise, case.variant(bench))
    assert list(failed) == [asks]
    assert "in place" in failed[asks]


def test_what_cannot_be_read_is_said(bench):
    case = Case("Q1c", "kl_witness", "forgets_its_return", "def kl_witness():\n    pass")
    (sentence,) = failures_of(bench, "Q1c", case.variant(bench)).values()
    assert sentence == "It returned None, as a function without a return does."
