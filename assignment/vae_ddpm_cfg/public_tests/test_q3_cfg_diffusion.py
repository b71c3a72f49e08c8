"""Public tests of q3_cfg_diffusion.py: small examples that can be checked by hand.

Two levels occur throughout, the noisier one with alpha^2 = 9/25, sigma^2 = 16/25, so lambda = log(9/16); the
cleaner one with alpha^2 = 9/13, sigma^2 = 4/13, so lambda' = log(9/4). Then exp(lambda - lambda') = 1/4.
Passing here is needed, not sufficient: the grader looks at more cases.
"""

import math

import pytest
import torch
from torch import tensor

from student.public_tests import close


def level(value: float) -> torch.Tensor:
    return torch.full((1, 1, 1, 1), value)


NOISY, CLEAN = level(math.log(9 / 16)), level(math.log(9 / 4))
IMAGE = torch.ones(1, 1, 3, 5)


@pytest.fixture
def diffusion(student):
    return student("q3_cfg_diffusion").CFGDiffusion(eps_model=None, n_steps=1000, device="cpu")


def test_q3_1_lambda_at_the_start_and_in_the_middle(diffusion):
    """At u = 0 it is lambda_max = 20; at u = 1/2, by symmetry, the tangent of pi / 4: 0."""
    actual = diffusion.get_lambda(tensor([0, 500]))
    assert actual.shape == (2, 1, 1, 1)
    close(actual.flatten(), tensor([20.0, 0.0]), "lambda")


def test_q3_1_lambda_falls_with_time(diffusion):
    assert (diffusion.get_lambda(torch.arange(1000)).flatten().diff() < 0).all(), "later times are noisier"


def test_q3_2_alpha(diffusion):
    """The level whose sigmoid is 9/25."""
    close(diffusion.alpha_lambda(NOISY), 3 / 5, "alpha")


def test_q3_3_sigma(diffusion):
    """At alpha = 3/5."""
    diffusion.alpha_lambda = lambda lambda_t: level(3 / 5)
    close(diffusion.sigma_lambda(NOISY), 4 / 5, "sigma")


def test_q3_4_sample_of_the_forward_process(diffusion):
    """3/5 x + 4/5 noise, for x = 2 and noise = 5."""
    diffusion.alpha_lambda = lambda lambda_t: level(3 / 5)
    diffusion.sigma_lambda = lambda lambda_t: level(4 / 5)
    close(diffusion.q_sample(2 * IMAGE, NOISY, 5 * IMAGE), 5.2, "z")


def test_q3_5_sigma_q(diffusion):
    """At sigma^2 = 16/25, with e^(lambda - lambda') = 1/4."""
    close(diffusion.sigma_q(NOISY, CLEAN), math.sqrt(3 / 4 * 16 / 25), "sigma_q")


def test_q3_6_sigma_q_x(diffusion):
    """At sigma'^2 = 4/13, with e^(lambda - lambda') = 1/4."""
    close(diffusion.sigma_q_x(NOISY, CLEAN), math.sqrt(3 / 4 * 4 / 13), "sigma_q_x")


def test_q3_7_mean_of_the_reverse_step(diffusion):
    """For z = 5 and x = 2, with alpha = 3/5 and alpha' = 3 / sqrt(13)."""
    expected = (1 / 4 * 5 / (3 / 5) + 3 / 4 * 2) * 3 / math.sqrt(13)
    close(diffusion.mu_p_theta(5 * IMAGE, 2 * IMAGE, NOISY, CLEAN), expected, "the mean")


def test_q3_8_variance_of_the_reverse_step(diffusion):
    """3/13 for v = 0, 12/25 for v = 1, in between a geometric mean: for v = 0.3, (3/13)^0.7 (12/25)^0.3."""
    close(diffusion.var_p_theta(NOISY, CLEAN, v=0.0), 3 / 13, "the variance for v = 0")
    close(diffusion.var_p_theta(NOISY, CLEAN, v=1.0), 12 / 25, "the variance for v = 1")
    close(diffusion.var_p_theta(NOISY, CLEAN), (3 / 13) ** 0.7 * (12 / 25) ** 0.3, "the variance without v")


def test_q3_9_sample_of_the_reverse_step(diffusion):
    """60,000 draws with the mean of Q3.7 and the variance of Q3.8, within 5 standard errors."""
    mean, variance = (1 / 4 * 5 / (3 / 5) + 3 / 4 * 2) * 3 / math.sqrt(13), (3 / 13) ** 0.7 * (12 / 25) ** 0.3
    diffusion.mu_p_theta = lambda z_lambda_t, x, lambda_t, lambda_t_prim: torch.full_like(z_lambda_t, mean)
    diffusion.var_p_theta = lambda lambda_t, lambda_t_prim, v=0.3: torch.full_like(lambda_t, variance)
    z, x = 5 * IMAGE.expand(4000, 1, 3, 5), 2 * IMAGE.expand(4000, 1, 3, 5)
    sample = diffusion.p_sample(z, NOISY.expand(4000, 1, 1, 1), CLEAN.expand(4000, 1, 1, 1), x)
    close(sample.mean(), mean, "the mean of many draws", atol=5 * (variance / 60_000) ** 0.5)
    close(sample.var(), variance, "the variance of many draws", atol=5 * variance * (2 / 60_000) ** 0.5)


@pytest.mark.parametrize("labels", [tensor([3, 7]), None])
def test_q3_10_loss_sums_pixels_and_averages_images(diffusion, labels):
    """A model of zeros, and noise of 1 and 2 on 15 pixels: (15 x 1 + 15 x 4) / 2; labels reach the model."""
    seen = []
    diffusion.eps_model = lambda z, labels=None: seen.append(labels) or torch.zeros_like(z)
    noise = torch.cat([IMAGE, 2 * IMAGE])
    loss = diffusion.loss(torch.zeros_like(noise), labels, noise=noise)
    assert loss.shape == (), "the loss is a scalar"
    close(loss, 37.5, "the loss")
    assert seen == [labels] or torch.equal(seen[0], labels), "eps_model gets the labels as they came"
