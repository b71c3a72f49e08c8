"""Public tests of answers.py: small examples that you can redo by hand. The hidden tests check more.

pytest public_tests                                     # in a second or two
pytest public_tests -k q2_4                             # the exercises of Q2.4 alone
"""

import math

import pytest
from theory_models import Chain, Joint

HALF_LOG_2_PI = 0.5 * math.log(2 * math.pi)


@pytest.fixture
def answers(student):
    return student("answers")


def numbers(value):
    """An answer as a flat list of numbers: floats, tensors, arrays, SymPy numbers and matrices, lists of these."""
    assert value is not None, "it returned None: is a return missing?"
    assert not isinstance(value, str), "it returned a string: return numbers"
    if hasattr(value, "detach"):
        value = value.detach()
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, list | tuple):
        return [number for entry in value for number in numbers(entry)]
    value = complex(value)
    return [value.real if abs(value.imag) < 1e-9 else value]


def shown(values):
    return ", ".join(f"{value:.4g}" for value in values)


def check(value, *expected):
    found = numbers(value)
    assert len(found) == len(expected), f"{len(found)} numbers instead of {len(expected)}"
    for actual, right in zip(found, expected, strict=True):
        assert abs(actual - right) <= 1e-4 * (1 + abs(right)), f"{shown(found)}, not {shown(expected)}"


# ---------------------------------------------------------------- Question 1


def test_q1a_equal_deviations(answers):
    """p = N(0, 1), q = N(1, 1): E_q[x - 1/2] = 1/2."""
    check(answers.kl_q_p(mu_1=0.0, sigma_1=1.0, mu_2=1.0, sigma_2=1.0), 0.5)


def test_q1a_equal_means(answers):
    """p = N(0, 1), q = N(0, 2^2): (3 - log 4) / 2."""
    check(answers.kl_q_p(mu_1=0.0, sigma_1=1.0, mu_2=0.0, sigma_2=2.0), (3 - math.log(4)) / 2)


def test_q1b_equal_means(answers):
    """The same p and q: log 2 + 1/8 - 1/2."""
    check(answers.kl_p_q(mu_1=0.0, sigma_1=1.0, mu_2=0.0, sigma_2=2.0), math.log(2) - 3 / 8)


def test_q1c_four_numbers(answers):
    """Two Gaussians: means anywhere, deviations positive."""
    _, sigma_1, _, sigma_2 = numbers(answers.kl_witness())
    assert sigma_1 > 0 and sigma_2 > 0, "a standard deviation is positive"


# ---------------------------------------------------------------- Question 2


@pytest.mark.parametrize("b", [2.0, -2.0, 0.0])
def test_q2_1_two_points(answers, b):
    """g(z) = max(0, b z + 3)."""
    z_1, z_2 = numbers(answers.relu_collision(a=1.0, b=b, c=3.0))
    assert abs(z_1 - z_2) >= 0.001, "the points are the same"
    assert abs(max(0, b * z_1 + 3) - max(0, b * z_2 + 3)) < 1e-6, "g differs"


def test_q2_2a_one_sigmoid(answers):
    """With one sigmoid g(z) = 3 z + 1."""
    check(answers.mixture_slope(z=0.4, w=[1.0], a=[3.0], b=[1.0]), 3.0)


def test_q2_2a_two_sigmoids(answers):
    """At z = 0 both sigmoids are 1/2: (1/2 * 1 * 1/4 + 1/2 * 3 * 1/4) / (1/4) = 2."""
    check(answers.mixture_slope(z=0.0, w=[0.5, 0.5], a=[1.0, 3.0], b=[0.0, 0.0]), 2.0)


def test_q2_2b_one_sigmoid(answers):
    """3 z + 1 = 2.5 for z = 1/2."""
    check(answers.mixture_inverse(y=2.5, w=[1.0], a=[3.0], b=[1.0]), 0.5)


def test_q2_3_a_cube(answers):
    """z + z^3 = 10 for z = 2."""
    check(answers.residual_inverse(y=10.0, f=lambda z: z**3), 2.0)


def test_q2_4a_without_stretching(answers):
    """beta = 0: g is the identity, and r = |(3, 4)| = 5."""
    check(answers.radial_radius(y=[4.0, 6.0], z_0=[1.0, 2.0], alpha=1.0, beta=0.0), 5.0)


def test_q2_4a_at_the_bound(answers):
    """alpha = 1, beta = -1: |y - z_0| = r^2 / (1 + r), which is 1/2 for r = 1."""
    check(answers.radial_radius(y=[0.5, 0.0], z_0=[0.0, 0.0], alpha=1.0, beta=-1.0), 1.0)


def test_q2_4b_direction(answers):
    """The same point: z~ = (1, 0)."""
    check(answers.radial_direction(y=[0.5, 0.0], r=1.0, z_0=[0.0, 0.0], alpha=1.0, beta=-1.0), 1.0, 0.0)


def test_q2_4c_inverse(answers):
    """The same point: z = (1, 0). It uses your Q2.4a and Q2.4b, if you call them."""
    check(answers.radial_inverse(y=[0.5, 0.0], z_0=[0.0, 0.0], alpha=1.0, beta=-1.0), 1.0, 0.0)


def test_q2_4d_below_the_bound(answers):
    """beta < -alpha, and two radii."""
    beta, r_1, r_2 = numbers(answers.radial_collision(alpha=1.0))
    assert beta < -1 and min(r_1, r_2) >= 0 and abs(r_1 - r_2) >= 0.001


# ---------------------------------------------------------------- Question 3


@pytest.fixture
def independent():
    """x_0 ~ N(0, 1) whatever x_1 is; one step with beta = 1/2."""
    return Chain(betas=(0.5,), slopes=(0.0,), offsets=(0.0,), variances=(1.0,))


@pytest.fixture
def exact():
    """p(x_0 | x_1) is the true posterior for x_0 ~ N(0, 1), so that the bound is tight and p(x_0) = N(0, 1)."""
    return Chain(betas=(0.5,), slopes=(math.sqrt(0.5),), offsets=(0.0,), variances=(0.5,))


def test_q3a1_evidence(answers, independent, exact):
    """log N(0; 0, 1) and log N(1; 0, 1)."""
    check(answers.log_evidence(x_0=0.0, chain=independent), -HALF_LOG_2_PI)
    check(answers.log_evidence(x_0=1.0, chain=exact), -HALF_LOG_2_PI - 0.5)


def test_q3a2_ratio(answers, independent):
    """x = (0, 0): log N(0; 0, 1) + log N(0; 0, 1) - log N(0; 0, 1/2) = -1/2 log(4 pi)."""
    check(answers.log_ratio(x=[0.0, 0.0], chain=independent), -0.5 * math.log(4 * math.pi))


def test_q3a3_tight_bound(answers, exact):
    """The bound is log N(1; 0, 1)."""
    check(answers.elbo(x_0=1.0, chain=exact), -HALF_LOG_2_PI - 0.5)


def test_q3b1_posterior(answers):
    """alpha-bar_1 = 1/2, alpha-bar_2 = 1/4: variance 1/2 * 1/2 / (3/4) = 1/3, mean sqrt(1/2) * 1/2 / (3/4)."""
    mean = math.sqrt(0.5) * 0.5 / 0.75
    check(answers.posterior(x_t=1.0, x_0=0.0, t=2, betas=[0.5, 0.5]), mean, 1 / 3)


def test_q3b2_reconstruction(answers, independent):
    """p(x_0 | x_1) = N(0, 1) for every x_1."""
    check(answers.reconstruction_term(x_0=2.0, chain=independent), -HALF_LOG_2_PI - 2.0)


def test_q3b3_one_term(answers):
    """At x_0 = 0 the posterior of t = 2 is N(sqrt(2)/3 x_2, 1/3): here p(x_1 | x_2) is the same, then twice as wide."""
    slope = math.sqrt(2) / 3
    same = Chain(betas=(0.5, 0.5), slopes=(0.3, slope), offsets=(0.1, 0.0), variances=(0.7, 1 / 3))
    wide = Chain(betas=(0.5, 0.5), slopes=(0.3, slope), offsets=(0.1, 0.0), variances=(0.7, 2 / 3))
    check(answers.kl_terms(x_0=0.0, chain=same), 0.0)
    check(answers.kl_terms(x_0=0.0, chain=wide), 0.5 * (math.log(2) + 1 / 2 - 1))


def test_q3b4_prior(answers, independent):
    """q(x_1 | x_0 = 0) = N(0, 1/2) against N(0, 1)."""
    check(answers.prior_term(x_0=0.0, chain=independent), 0.5 * (0.5 - 1 + math.log(2)))


def test_q3c1_bound(answers):
    """1/2 log(1/8 / 1/2) + 1/2 log(1/4 / 1/2)."""
    check(answers.joint_elbo(p=[[1 / 8, 1 / 4]], q=[[0.5, 0.5]]), 0.5 * math.log(1 / 8))


def test_q3c2_gap(answers):
    """0 where q is the posterior (1/3, 2/3)."""
    check(answers.elbo_gap(p=[[1 / 8, 1 / 4]], q=[[1 / 3, 2 / 3]]), 0.0)


@pytest.fixture
def joint(exact):
    """z does nothing; the encoder is the prior."""
    return Joint(exact, z_slopes=(0.0,), c_slopes=(0.0,), decoder_slope=0.0, decoder_variance=1.0, encoder_c=0.0,
                 encoder_x=0.0, encoder_variance=1.0)  # fmt: skip


def test_q3d_factorization(answers, joint):
    """log N(1; 0, 1) of the encoder, log N(0; 0, 1/2) of the step."""
    check(answers.log_q(x=[0.0, 0.0], z=1.0, c=0.0, joint=joint), -HALF_LOG_2_PI - 0.5 - 0.5 * math.log(math.pi))


def test_q3e1_vae(answers, joint):
    """log N(1; 0, 1), and no divergence."""
    check(answers.vae_part(x_0=0.3, c=1.0, joint=joint), -HALF_LOG_2_PI - 0.5)


def test_q3e2_ddpm(answers, joint):
    """The tight bound above: log N(1; 0, 1)."""
    check(answers.ddpm_part(x_0=1.0, c=0.3, joint=joint), -HALF_LOG_2_PI - 0.5)


# ---------------------------------------------------------------- Question 4


def test_q4_1a_velocity(answers):
    """sigma(0) = 1/2 at each of these points."""
    check(answers.velocity(psi_0=0.0, psi_1=0.0, theta=2.0), -1.0, 0.0, 0.0)
    check(answers.velocity(psi_0=1.0, psi_1=0.0, theta=0.0), 0.0, 0.0, 0.5)


def test_q4_1b_points(answers):
    """Your velocity is 0 at each of your points."""
    found = numbers(answers.stationary_points())
    assert found and len(found) % 3 == 0, "each point has three numbers"
    for at in range(0, len(found), 3):
        check(answers.velocity(*found[at : at + 3]), 0.0, 0.0, 0.0)


def test_q4_2_jacobian(answers):
    """Nine numbers; the trace is -1/2."""
    matrix = numbers(answers.jacobian())
    assert len(matrix) == 9
    check(matrix[0] + matrix[4] + matrix[8], -0.5)


def test_q4_3a_eigenvalues(answers):
    """Three numbers; the sum is the trace."""
    values = answers.eigenvalues()
    values = [v for v, count in values.items() for _ in range(count)] if isinstance(values, dict) else numbers(values)
    assert len(values) == 3
    check(sum(complex(v) for v in values), -0.5)


def test_q4_3b_verdict(answers):
    """A verdict and a rate."""
    verdict, rate = answers.stability()
    assert verdict in ("asymptotically stable", "unstable", "inconclusive")
    numbers(rate)


def test_q4_3c_conserved(answers):
    """A small step along your velocity does not change it, to first order."""
    point, h = (0.5, -0.3, 1.2), 1e-3
    assert len(numbers(answers.conserved(*point))) == 1, "it is one number"
    v = numbers(answers.velocity(*point))
    there, back = ([p + s * h * d for p, d in zip(point, v, strict=True)] for s in (1, -1))
    slope = (numbers(answers.conserved(*there))[0] - numbers(answers.conserved(*back))[0]) / (2 * h)
    assert abs(slope) < 1e-3, f"its time derivative is {slope:.3f}, not 0"


def test_q4_4a_velocity(answers):
    """Only the first component feels the penalty."""
    check(answers.velocity_r1(psi_0=1.0, psi_1=0.0, theta=0.0, gamma=3.0), -3.0, 0.0, 0.5)


def test_q4_4b_points(answers):
    """Your velocity_r1 is 0 at each of your points."""
    found = numbers(answers.stationary_points_r1(gamma=2.0))
    assert found and len(found) % 3 == 0, "each point has three numbers"
    for at in range(0, len(found), 3):
        check(answers.velocity_r1(*found[at : at + 3], gamma=2.0), 0.0, 0.0, 0.0)


def test_q4_5_jacobian(answers):
    """Nine numbers; the trace is -1/2 - gamma."""
    matrix = numbers(answers.jacobian_r1(gamma=2.0))
    assert len(matrix) == 9
    check(matrix[0] + matrix[4] + matrix[8], -2.5)


def test_q4_6a_eigenvalues(answers):
    """For gamma = 1 they are all -1/2."""
    check(answers.eigenvalues_r1(gamma=1.0), -0.5, -0.5, -0.5)


def test_q4_6b_verdict(answers):
    """For gamma = 1 the rate is -1/2."""
    verdict, rate = answers.stability_r1(gamma=1.0)
    assert verdict in ("asymptotically stable", "unstable", "inconclusive")
    check(rate, -0.5)
