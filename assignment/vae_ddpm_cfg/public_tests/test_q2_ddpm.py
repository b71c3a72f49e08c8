"""Public tests of q2_ddpm.py: small examples that can be checked by hand.

The schedule is replaced by two steps with round numbers. Passing here is needed, not sufficient: the
grader looks at more cases.
"""

import pytest
import torch
from torch import tensor

from student.public_tests import close

BETA = tensor([0.19, 0.36])
ALPHA = tensor([0.81, 0.64])
ALPHA_BAR = tensor([0.81, 0.5184])  # 0.81 x 0.64


@pytest.fixture
def diffusion(student):
    diffusion = student("q2_ddpm").DenoiseDiffusion(eps_model=None, n_steps=2, device="cpu")
    diffusion.beta, diffusion.alpha, diffusion.alpha_bar, diffusion.sigma2 = BETA, ALPHA, ALPHA_BAR, BETA
    return diffusion


def images(*values: float) -> torch.Tensor:
    """One 1 x 3 x 5 image per value, constant."""
    return tensor(values).reshape(-1, 1, 1, 1) * torch.ones(1, 1, 3, 5)


def test_q2_1_moments_of_the_noisy_image(diffusion):
    """alpha_bar = (0.81, 0.5184): the mean is 0.9 x0 and 0.72 x0, the variance 0.19 and 0.4816."""
    mean, var = diffusion.q_xt_x0(images(1.0, -2.0), tensor([0, 1]))
    close(mean, images(0.9, -1.44), "the mean")
    close(var.expand(2, 1, 3, 5), images(0.19, 0.4816), "the variance")


def test_q2_2_sample_with_given_noise(diffusion):
    """With mean 0.9 x0 and variance 0.19, x0 = 1 and eps = 2 give 0.9 + 2 sqrt(0.19)."""
    diffusion.q_xt_x0 = lambda x0, t: (0.9 * x0, torch.full((len(x0), 1, 1, 1), 0.19))
    actual = diffusion.q_sample(images(1.0), tensor([0]), eps=images(2.0))
    close(actual, images(0.9 + 2 * 0.19**0.5), "x_t")


def test_q2_2_sample_draws_its_own_noise(diffusion):
    x0, t = images(1.0), tensor([1])
    first, second = diffusion.q_sample(x0, t), diffusion.q_sample(x0, t)
    assert not torch.equal(first, second), "without eps, each call draws anew"


def test_q2_3_moments_of_the_reverse_step(diffusion):
    """A model of ones: at t = 0, (x - 0.19 / sqrt(0.19)) / 0.9, at t = 1, (x - 0.36 / sqrt(0.4816)) / 0.8."""
    seen = []
    diffusion.eps_model = lambda x, t: seen.append((x, t)) or torch.ones_like(x)
    xt, t = images(1.0, -2.0), tensor([0, 1])
    mean, var = diffusion.p_xt_prev_xt(xt, t)
    assert torch.equal(seen[0][0], xt) and torch.equal(seen[0][1], t), "eps_model is called with xt and t"
    expected = images((1 - 0.19 / 0.19**0.5) / 0.9, (-2 - 0.36 / 0.4816**0.5) / 0.8)
    close(mean, expected, "the mean")
    close(var.expand(2, 1, 3, 5), images(0.19, 0.36), "the variance")


def test_q2_4_sample_of_the_reverse_step(diffusion):
    """60,000 draws at t = 1 from 1.6, with no noise predicted: mean 1.6 / 0.8, variance 0.36,
    within 5 standard errors."""
    diffusion.eps_model = lambda x, t: torch.zeros_like(x)
    diffusion.p_xt_prev_xt = lambda xt, t: (xt / 0.8, torch.full((len(xt), 1, 1, 1), 0.36))
    sample = diffusion.p_sample(torch.full((4000, 1, 3, 5), 1.6), torch.ones(4000, dtype=torch.long))
    assert sample.shape == (4000, 1, 3, 5)
    close(sample.mean(), 2.0, "the mean of many draws", atol=5 * 0.6 / 60_000**0.5)
    close(sample.var(), 0.36, "the variance of many draws", atol=5 * 0.36 * (2 / 60_000) ** 0.5)


def test_q2_4_set_seed_repeats_the_draw(diffusion):
    diffusion.eps_model = lambda x, t: torch.zeros_like(x)
    diffusion.p_xt_prev_xt = lambda xt, t: (xt, torch.ones(len(xt), 1, 1, 1))
    xt, t = images(0.0), tensor([1])
    assert torch.equal(diffusion.p_sample(xt, t, set_seed=True), diffusion.p_sample(xt, t, set_seed=True))


def test_q2_5_loss_sums_pixels_and_averages_images(diffusion):
    """A model that always says 0, and noise of 1 and 2 on 15 pixels: (15 x 1 + 15 x 4) / 2."""
    diffusion.eps_model = lambda x, t: torch.zeros_like(x)
    loss = diffusion.loss(images(0.5, 0.5), noise=images(1.0, 2.0))
    assert loss.shape == (), "the loss is a scalar"
    close(loss, tensor(37.5), "the loss")


def test_q2_5_each_image_has_its_own_time(diffusion):
    """Of 200 uniform times in {0, 1}, both occur."""
    times = []
    diffusion.eps_model = lambda x, t: times.append(t) or torch.zeros_like(x)
    diffusion.q_sample = lambda x0, t, eps=None: x0
    diffusion.loss(torch.zeros(200, 1, 3, 5))
    assert times[0].shape == (200,), "eps_model gets one time per image"
    assert set(times[0].tolist()) == {0, 1}, "times are uniform on 0 .. n_steps - 1"
