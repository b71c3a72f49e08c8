"""Public tests of q3_trainer_cfg.py. Network and diffusion model are stand-ins with simple answers."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from student.public_tests import close

ARGS = SimpleNamespace(
    n_steps=4,
    n_samples=9,
    image_size=8,
    image_channels=1,
    device="cpu",
    learning_rate=1e-3,
    batch_size=4,
    epochs=1,
)


class Network(nn.Module):
    """Predicts the label in every pixel, and 10 when there is none."""

    def __init__(self):
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, z, labels=None):
        value = torch.full((len(z),), 10.0) if labels is None else labels.float()
        return value.reshape(-1, 1, 1, 1).expand(z.shape)


class Diffusion:
    """alpha = 0.6 and sigma = 0.8 at every level; lambda is -t; a reverse step always gives z = 1."""

    n_steps = 4

    def __init__(self):
        self.levels, self.predictions = [], []

    def get_lambda(self, t):
        return -t.float().reshape(-1, 1, 1, 1)

    def alpha_lambda(self, lambda_t):
        return torch.full_like(lambda_t, 0.6)

    def sigma_lambda(self, lambda_t):
        return torch.full_like(lambda_t, 0.8)

    def p_sample(self, z_lambda_t, lambda_t, lambda_t_prim, x_t, set_seed=False):
        self.levels.append((lambda_t.flatten().tolist(), lambda_t_prim.flatten().tolist()))
        return torch.ones_like(z_lambda_t)


@pytest.fixture
def trainer(student):
    return student("q3_trainer_cfg").Trainer(args=ARGS, eps_model=Network(), diffusion_model=Diffusion())


def test_q3_11_levels_go_from_noisy_to_clean(trainer):
    """From lambda_3 = -3 to lambda_2 = -2, and so on; the next level of the last step does not matter."""
    trainer.sample(torch.arange(9))
    levels = [(set(lambda_t), set(lambda_t_prim)) for lambda_t, lambda_t_prim in trainer.diffusion.levels]
    assert levels[:3] == [({-3}, {-2}), ({-2}, {-1}), ({-1}, {0})]


@pytest.mark.parametrize("w", [0.0, 2.0])
def test_q3_11_guidance(trainer, w):
    """Label 3 against 10 without: eps = 3 (1 + w) - 10 w, and z = 1, so x = (1 - 0.8 eps) / 0.6."""
    labels = torch.arange(9)
    x = trainer.sample(labels, cfg_scale=w)
    assert x.shape == (9, 1, 8, 8)
    eps = (1 + w) * labels.float() - w * 10
    expected = ((1 - 0.8 * eps) / 0.6).reshape(-1, 1, 1, 1).expand(x.shape)
    close(x, expected, f"x for w = {w:g}")
