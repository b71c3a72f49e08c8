"""Public tests of question 1: small examples that you can redo by hand. The hidden tests check more.

pytest public_tests/test_q1_solution.py                      # all of question 1, in a second or two
pytest public_tests/test_q1_solution.py -k q1_3              # exercise Q1.3 alone
"""

import math

import pytest
import torch
from torch import tensor

from student.public_tests import close


@pytest.fixture
def q1_solution(student):
    return student("q1_solution")


def test_q1_1_bernoulli(q1_solution):
    """x = (1, 0), mu = (3/4, 1/2): p(x) = 3/4 * 1/2. x = (0, 1), mu = (3/4, 1/5): p(x) = 1/4 * 1/5."""
    mu = tensor([[0.75, 0.5], [0.75, 0.2]])
    target = tensor([[1.0, 0.0], [0.0, 1.0]])
    expected = tensor([3 / 8, 1 / 20]).log()
    close(q1_solution.log_likelihood_bernoulli(mu=mu, target=target), expected, "log p(x)")


def test_q1_1_bernoulli_takes_grey_values(q1_solution):
    """x = 1/2: log p = 1/2 log mu + 1/2 log(1 - mu), so that mu = 1/2 gives -log 2 per pixel."""
    mu, target = torch.full((1, 3), 0.5), torch.full((1, 3), 0.5)
    expected = tensor([-3 * math.log(2)])
    close(q1_solution.log_likelihood_bernoulli(mu=mu, target=target), expected, "log p(x)")


def test_q1_2_normal(q1_solution):
    """At z = mu only the constant stays: -1/2 log(2 pi sigma^2) per dimension; one sigma away: -1/2 more."""
    mu = tensor([[1.0, -2.0], [1.0, -2.0]])
    logvar = tensor([[0.0, math.log(4)], [0.0, math.log(4)]])  # sigma = 1 and 2
    z = tensor([[1.0, -2.0], [2.0, 0.0]])
    at_mean = -math.log(2 * math.pi) - 0.5 * math.log(4)
    close(q1_solution.log_likelihood_normal(mu=mu, logvar=logvar, z=z), tensor([at_mean, at_mean - 1]), "log p(z)")


def test_q1_1_flattens_images(q1_solution):
    """Two images of 1 x 2 x 2 pixels: one number for each image. mu = 1/2 gives -log 2 per pixel."""
    half, zero = torch.full((2, 1, 2, 2), 0.5), torch.zeros(2, 1, 2, 2)
    close(q1_solution.log_likelihood_bernoulli(mu=half, target=zero), torch.full((2,), -4 * math.log(2)), "log p(x)")


def test_q1_2_flattens_images(q1_solution):
    """Two images of 1 x 2 x 2 pixels: one number for each. z = mu = 0, sigma = 1 give -1/2 log(2 pi) per pixel."""
    zero, expected = torch.zeros(2, 1, 2, 2), torch.full((2,), -2 * math.log(2 * math.pi))
    close(q1_solution.log_likelihood_normal(mu=zero, logvar=zero, z=zero), expected, "log p(z)")


def test_q1_4_flattens_images(q1_solution):
    """KL(N(1, 1) || N(0, 1)) = 1/2 for each of 4 pixels."""
    zero = torch.zeros(2, 1, 2, 2)
    close(q1_solution.kl_gaussian_gaussian_analytic(zero + 1, zero, zero, zero), torch.full((2,), 2.0), "KL(q || p)")


def test_q1_5_flattens_images(q1_solution):
    """Two images of 1 x 2 x 2 pixels: one number for each image."""
    zero = torch.zeros(2, 1, 2, 2)
    kl = q1_solution.kl_gaussian_gaussian_mc(zero + 1, zero, zero, zero, num_samples=3)
    assert kl.shape == (2,), f"shape {tuple(kl.shape)}, not (2,)"


def test_q1_3_log_mean_exp(q1_solution):
    """log of the mean of 1, 2, 6 is log 3; of two equal numbers it is the number itself."""
    y = tensor([[1.0, 2.0, 6.0], [5.0, 5.0, 5.0]]).log()
    close(q1_solution.log_mean_exp(y=y), tensor([3.0, 5.0]).log(), "log_mean_exp")


def test_q1_3_log_mean_exp_does_not_overflow(q1_solution):
    """exp(1000) is infinite in float32; the logarithm of the mean is 1000 all the same."""
    close(q1_solution.log_mean_exp(y=tensor([[1000.0, 1000.0]])), tensor([1000.0]), "log_mean_exp")


def test_q1_4_kl_of_equal_distributions_is_zero(q1_solution):
    """KL(p || p) = 0."""
    mu, logvar = tensor([[0.5, -1.0]]), tensor([[0.3, -0.7]])
    close(q1_solution.kl_gaussian_gaussian_analytic(mu, logvar, mu, logvar), tensor([0.0]), "KL(p || p)")


def test_q1_4_kl_analytic(q1_solution):
    """Dimension 1: KL(N(1, 1) || N(0, 1)) = 1/2. Dimension 2: KL(N(0, 4) || N(0, 1)) = (3 - log 4) / 2."""
    mu_q, logvar_q = tensor([[1.0, 0.0]]), tensor([[0.0, math.log(4)]])
    zero = torch.zeros(1, 2)
    expected = tensor([0.5 + (3 - math.log(4)) / 2])
    actual = q1_solution.kl_gaussian_gaussian_analytic(mu_q=mu_q, logvar_q=logvar_q, mu_p=zero, logvar_p=zero)
    close(actual, expected, "KL(q || p)")


def test_q1_5_kl_monte_carlo_shape(q1_solution):
    """One number per element of the batch, however many samples are drawn."""
    mu, logvar = torch.zeros(3, 2), torch.zeros(3, 2)
    for num_samples in (1, 5):
        kl = q1_solution.kl_gaussian_gaussian_mc(mu, logvar, mu + 1, logvar, num_samples=num_samples)
        assert kl.shape == (3,), f"num_samples={num_samples}: shape {tuple(kl.shape)}, not (3,)"


def test_q1_5_kl_monte_carlo_mean(q1_solution):
    """q = N(1, 1), p = N(0, 1): log q(z) - log p(z) = z - 1/2 has mean 1/2 and standard deviation 1 under q.

    So the estimate by 40,000 samples is within 0.03, six standard errors, of 1/2.
    """
    one, zero = torch.ones(1, 1), torch.zeros(1, 1)
    kl = q1_solution.kl_gaussian_gaussian_mc(mu_q=one, logvar_q=zero, mu_p=zero, logvar_p=zero, num_samples=40_000)
    assert abs(kl.item() - 0.5) < 0.03, f"the estimate is {kl.item():.3f}; it must be close to 0.5"
