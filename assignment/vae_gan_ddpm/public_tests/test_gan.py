"""Public tests of gan.py: small examples that can be checked by hand.

Images have one pixel, and the discriminator's logit is twice its value. Passing here is needed, not sufficient: the
grader looks at more cases.
"""

import math

import pytest
import torch
from torch import nn, tensor

from student.public_tests import close


def log_1_plus_exp(x: float) -> float:
    return math.log(1 + math.exp(x))


def pixels(*values: float) -> torch.Tensor:
    return tensor(values).reshape(-1, 1, 1, 1)


@pytest.fixture
def critic():
    critic = nn.Conv2d(1, 1, 1, bias=False)
    nn.init.constant_(critic.weight, 2.0)
    return critic


class Sum(nn.Module):
    """A generator: the sum of its 100 latents, squared."""

    z_dim = 100

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(tensor(1.0))

    def forward(self, z):
        return self.scale * z.sum(dim=1, keepdim=True) ** 2


def test_q2_1_optimizers(student):
    D, G = nn.Linear(2, 3), nn.Linear(4, 5)
    optimizer_d, optimizer_g = student("gan").make_optimizers(D, G, lr_d=0.01, lr_g=0.02)
    for optimizer, network, lr in ((optimizer_d, D, 0.01), (optimizer_g, G, 0.02)):
        assert isinstance(optimizer, torch.optim.Adam)
        (group,) = optimizer.param_groups
        assert group["params"] == list(network.parameters()) and group["lr"] == lr
        assert tuple(group["betas"]) == (0.5, 0.999)


def test_q2_2_criterion(student):
    """Logits 0 and 200, both wrongly called: log 2 and 200, on average."""
    found = student("gan").make_criterion()(pixels(0.0, 200.0), pixels(1.0, 0.0))
    assert found.item() == pytest.approx((math.log(2) + 200) / 2)


def test_q2_3_discriminator(student, critic):
    """Logits 2 and 6 on real images, -2 and 0 on fake ones. The sum of the two means, or half of it."""
    real, fake = pixels(1.0, 3.0), pixels(-1.0, 0.0)
    loss = student("gan").discriminator_train(critic, Sum(), nn.BCEWithLogitsLoss(), real, fake)
    expected = (log_1_plus_exp(-2) + log_1_plus_exp(-6)) / 2 + (log_1_plus_exp(-2) + log_1_plus_exp(0)) / 2
    assert loss.item() in (pytest.approx(expected), pytest.approx(expected / 2))
    loss.backward()
    assert critic.weight.grad.abs() > 0, "the loss trains the discriminator"


def test_q2_4_generator(student, critic):
    """Logits -2 and 0 on fake images: the generator wants the target 1."""
    fake = pixels(-1.0, 0.0).requires_grad_()
    loss = student("gan").generator_train(critic, Sum(), nn.BCEWithLogitsLoss(), fake)
    assert loss.item() == pytest.approx((log_1_plus_exp(2) + math.log(2)) / 2)
    loss.backward()
    assert (fake.grad < 0).all(), "brighter images are more real: the gradient says so"


def test_q2_5_sample(student):
    noise = torch.full((2, 100, 1, 1), 0.01)
    close(student("gan").sample(Sum(), 2, noise=noise), pixels(1.0, 1.0), "the sample")
    assert student("gan").sample(Sum(), num_samples=5).shape == (5, 1, 1, 1)


def test_q2_6_interpolate(student):
    """Sums 0, 1, 2, squared: in this order or back."""
    z_1, z_2 = torch.zeros(1, 100, 1, 1), torch.full((1, 100, 1, 1), 0.02)
    images = student("gan").interpolate(Sum(), z_1, z_2, 3)
    assert images.shape == (3, 1, 1, 1), "one image for each point"
    assert sorted(images.flatten().tolist()) == pytest.approx([0.0, 1.0, 4.0], abs=1e-4)
