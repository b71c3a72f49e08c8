"""Public tests of ddpm.py: small examples that can be checked by hand.

The schedule has two steps with round numbers. Passing here is needed, not sufficient: the grader looks at more cases.
"""

import pytest
import torch
from torch import nn, tensor

from student.public_tests import close


@pytest.fixture
def schedule(student):
    """beta = (0.19, 0.36), so that alpha = (0.81, 0.64) and alpha_bar = (0.81, 0.5184)."""
    return student("ddpm").Schedule(
        betas=tensor([0.19, 0.36]),
        alphas=tensor([0.81, 0.64]),
        sqrt_recip_alphas=tensor([1 / 0.9, 1 / 0.8]),
        alphas_cumprod=tensor([0.81, 0.5184]),
        sqrt_alphas_cumprod=tensor([0.9, 0.72]),
        sqrt_one_minus_alphas_cumprod=tensor([0.19, 0.4816]).sqrt(),
        alphas_cumprod_prev=tensor([1.0, 0.81]),
        posterior_variance=tensor([0.0, 0.36 * 0.19 / 0.4816]),
    )


class Says(nn.Module):
    """A network that predicts one number everywhere, and remembers its inputs."""

    def __init__(self, number: float):
        super().__init__()
        self.number, self.asked = nn.Parameter(tensor(number)), []

    def forward(self, x, t):
        self.asked.append((x, t))
        return self.number * torch.ones_like(x)


def images(*values: float) -> torch.Tensor:
    """One 1 x 3 x 5 image per value, constant."""
    return tensor(values).reshape(-1, 1, 1, 1) * torch.ones(1, 1, 3, 5)


def test_q3_1_precompute(student, schedule):
    """Two steps, with beta 0.19 and 0.36."""
    found = student("ddpm").precompute(2, beta_start=0.19, beta_end=0.36)
    for name in schedule._fields:
        close(getattr(found, name), getattr(schedule, name), f"{name}")
    assert len(student("ddpm").precompute(1000).betas) == 1000


def test_q3_2_q_sample(student, schedule):
    """0.9 x 1 + sqrt(0.19) x 2, and 0.72 x (-2) + sqrt(0.4816) x 2."""
    found = student("ddpm").q_sample(schedule, images(1.0, -2.0), tensor([0, 1]), noise=images(2.0, 2.0))
    close(found, images(0.9 + 2 * 0.19**0.5, -1.44 + 2 * 0.4816**0.5), "x_t")
    draw = lambda: student("ddpm").q_sample(schedule, images(1.0), tensor([1]))  # noqa: E731
    assert not torch.equal(draw(), draw()), "without noise, each call draws anew"


def test_q3_3_p_sample(student, schedule):
    """(1.6 - 0.36 / sqrt(0.4816) x 1) / 0.8, plus one standard deviation, sqrt(0.36 x 0.19 / 0.4816)."""
    found = student("ddpm").p_sample(schedule, Says(1.0), images(1.6), tensor([1]), 1, noise=images(1.0))
    expected = (1.6 - 0.36 / 0.4816**0.5) / 0.8 + (0.36 * 0.19 / 0.4816) ** 0.5
    close(found, images(expected), "x_{t-1}")


def test_q3_4_p_sample_loop(student, schedule):
    """No noise predicted, and none added: 1.44 becomes 1.44 / 0.8 = 1.8, then 1.8 / 0.9 = 2."""
    schedule = schedule._replace(posterior_variance=torch.zeros(2))
    found = student("ddpm").p_sample_loop(schedule, Says(0.0), (1, 1, 3, 5), noise=images(1.44))
    assert found.shape == (2, 1, 1, 3, 5), "(T, B, C, H, W)"
    close(found[:, 0], images(1.8, 2.0), "the list of images")


def test_q3_5_p_losses(student, schedule):
    """Prediction 0: errors of 0.5 and 3 cost 0.5^2 / 2 and 3 - 1/2, on average."""
    model = Says(0.0)
    x, t = images(1.0, 1.0), tensor([0, 1])
    loss = student("ddpm").p_losses(schedule, model, x, t, noise=images(0.5, 3.0))
    close(loss, tensor((0.125 + 2.5) / 2), "the loss")
    seen, times = model.asked[0]
    close(seen, images(0.9 + 0.5 * 0.19**0.5, 0.72 + 3 * 0.4816**0.5), "what the network sees")
    assert torch.equal(times, t), "the network is told the times"


def test_q3_6_t_sample(student):
    t = student("ddpm").t_sample(3, 200)
    assert t.shape == (200,) and t.dtype == torch.long
    assert set(t.tolist()) == {0, 1, 2}, "every time from 0 to timesteps - 1 occurs"
