"""Public tests of vae.py: small examples that can be checked by hand.

Passing here is needed, not sufficient: the grader looks at more cases.
"""

import math

import pytest
import torch
from torch import nn, tensor

from student.public_tests import close

HALF_LOG_2_PI = 0.5 * math.log(2 * math.pi)


@pytest.fixture
def gaussian(student):
    """Means (3, -1), variances (4, 1)."""
    return student("vae").DiagonalGaussianDistribution(tensor([[3.0, -1.0]]), tensor([[4.0, 1.0]]).log())


@pytest.fixture
def model(student):
    """A VAE for images of 1 x 1 x 2 pixels: x = 2 z + 1, and q(z|x) = N((x - 1) / 2, 1/4)."""
    model = student("vae").VAE(z_dim=2, encoder_features=1, decoder_features=1, input_size=8)
    model.encoder = nn.Flatten()
    model.mean, model.logvar, linear = nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 2)
    model.decoder = nn.Sequential(linear, nn.Unflatten(1, (1, 1, 2)))
    with torch.no_grad():
        for layer, weight, bias in ((model.mean, 0.5, -0.5), (model.logvar, 0.0, math.log(0.25)), (linear, 2.0, 1.0)):
            layer.weight.copy_(weight * torch.eye(2)), layer.bias.fill_(bias)
    return model


def test_q1_1_sample(gaussian):
    """Noise (1, 2): 3 + 2 x 1, and -1 + 1 x 2."""
    close(gaussian.sample(noise=tensor([[1.0, 2.0]])), tensor([[5.0, 1.0]]), "the sample")
    assert not torch.equal(gaussian.sample(), gaussian.sample()), "without noise, each call draws anew"


def test_q1_2_kl(gaussian, student):
    """(9 + 4 - 1 - log 4) / 2 + (1 + 1 - 1 - 0) / 2, and 0 for the standard normal."""
    close(gaussian.kl(), tensor([(12 - math.log(4)) / 2 + 0.5]), "the divergence")
    standard = student("vae").DiagonalGaussianDistribution(torch.zeros(4, 3))
    close(standard.kl(), torch.zeros(4), "the divergence of N(0, I) from itself")


def test_q1_3_nll(gaussian, student):
    """One standard deviation off in both dimensions: log(2 pi) / 2 + log(std) + 1/2 for each."""
    expected = tensor([2 * HALF_LOG_2_PI + math.log(2) + 1.0])
    close(gaussian.nll(tensor([[5.0, 0.0]]), dims=[1]), expected, "the nll")
    images = student("vae").DiagonalGaussianDistribution(torch.zeros(2, 3, 4, 5))
    close(images.nll(torch.zeros(2, 3, 4, 5)), torch.full((2,), 60 * HALF_LOG_2_PI), "the nll of images")


def test_q1_4_mode(gaussian):
    """Mean (3, -1)."""
    close(gaussian.mode(), tensor([[3.0, -1.0]]), "the mode")


def test_q1_5_encode(model):
    posterior = model.encode(tensor([[[[2.0, -4.0]]]]))
    close(posterior.mean, tensor([[0.5, -2.5]]), "the posterior's mean")
    close(posterior.logvar, torch.full((1, 2), math.log(0.25)), "the posterior's logvar")


def test_q1_6_decode(model):
    likelihood = model.decode(tensor([[1.0, -1.0]]))
    close(likelihood.mean, tensor([[[[3.0, -1.0]]]]), "the mean of p(x|z)")
    close(likelihood.var, torch.ones(1, 1, 1, 2), "the variance of p(x|z)")


def test_q1_7_sample(model):
    close(model.sample(1, noise=tensor([[1.0, -1.0]])), tensor([[[[3.0, -1.0]]]]), "the image")
    assert model.sample(batch_size=5).shape == (5, 1, 1, 2)


def test_q1_8_log_likelihood(model):
    """x = 2 z + 1 + noise, so that p(x) = N(1, 2^2 + 1). With 5,000 samples, almost."""
    x = tensor([[[[1.0, 3.0]]]])
    expected = -2 * HALF_LOG_2_PI - math.log(5) - 0.5 * 4 / 5
    with torch.no_grad():
        found = model.log_likelihood(x, K=5000)
    assert found.shape == (1,), "one number for each image"
    assert found.item() == pytest.approx(expected, abs=0.05)


def test_q1_9_forward(model):
    """x = (2, -4): q = N((0.5, -2.5), 1/4); noise (2, 0): z = (1.5, -2.5), and the reconstruction is (4, -4)."""
    mode, nll, kl = model(tensor([[[[2.0, -4.0]]]]), noise=tensor([[2.0, 0.0]]))
    close(mode, tensor([[[[4.0, -4.0]]]]), "the image")
    close(nll, tensor([2 * HALF_LOG_2_PI + 0.5 * (4 + 0)]), "the nll")
    close(kl, tensor([0.5 * (0.25 + 6.25 + 2 * (0.25 - 1 + math.log(4)))]), "the divergence")


def test_q1_10_interpolate(model, student):
    """z from (0, 0) to (1, 2) in three points, or back."""
    images = student("vae").interpolate(model, tensor([[0.0, 0.0]]), tensor([[1.0, 2.0]]), 3)
    expected = tensor([[1.0, 1.0], [2.0, 3.0], [3.0, 5.0]]).reshape(3, 1, 1, 2)
    if images.shape == expected.shape and images[0].sum() > images[-1].sum():
        images = images.flip(0)
    close(images, expected, "the line of images")
