"""Public tests of ddpm_ddim.py: small examples that can be checked by hand.

Passing here is needed, not sufficient: the grader looks at more cases, with other numbers.
"""

import pytest
import torch
from torch import nn, tensor

from student.public_tests import close


@pytest.fixture
def q1(student):
    return student("ddpm_ddim")


@pytest.fixture
def schedule(q1):
    """Two steps with round numbers: alpha_bar = (0.81, 0.81 x 0.64)."""
    return q1.Schedule(tensor([0.19, 0.36]), tensor([0.81, 0.64]), tensor([0.81, 0.5184]))


class Recorder(nn.Module):
    """A network that predicts its parameter, 1 at first, in every pixel; and writes down its times."""

    def __init__(self):
        super().__init__()
        self.one = nn.Parameter(torch.ones(()))
        self.times = []

    def forward(self, x, t):
        self.times.append(torch.as_tensor(t).reshape(-1)[0].item())
        return self.one * torch.ones_like(x)


def images(*values: float) -> torch.Tensor:
    """One 1 x 3 x 5 image per value, constant."""
    return tensor(values).reshape(-1, 1, 1, 1) * torch.ones(1, 1, 3, 5)


def test_q1_1_schedule(q1):
    """Three betas 0.1, 0.2, 0.3: alphas 0.9, 0.8, 0.7, running product 0.9, 0.72, 0.504."""
    b_t, a_t, ab_t = q1.linear_schedule(timesteps=3, beta1=0.1, beta2=0.3)
    close(b_t, tensor([0.1, 0.2, 0.3]), "b_t")
    close(a_t, tensor([0.9, 0.8, 0.7]), "a_t")
    close(ab_t, tensor([0.9, 0.72, 0.504]), "ab_t")


def test_q1_2_noisy_images(q1, schedule):
    """sqrt(0.81) = 0.9, sqrt(0.5184) = 0.72; every image has its own time."""
    found = q1.perturb_input(x=images(1.0, -2.0), t=tensor([0, 1]), noise=images(0.0, 0.0), ab_t=schedule.ab_t)
    close(found, images(0.9, -1.44), "x_t without noise")
    found = q1.perturb_input(x=images(0.0, 0.0), t=tensor([0, 1]), noise=images(1.0, 1.0), ab_t=schedule.ab_t)
    close(found, images(0.19**0.5, 0.4816**0.5), "x_t of noise alone")


def test_q1_3_train_step(q1, schedule, monkeypatch):
    """Noise 3, prediction 1: the loss is 4, its slope 2 (1 - 3) = -4, so gradient descent of 0.1 leads to 1.4."""
    monkeypatch.setattr(q1, "perturb_input", lambda x, t, noise, ab_t: x)
    model = Recorder()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model.one.grad = tensor(100.0)  # of an earlier batch
    loss = q1.train_step(model, optimizer, images(0.5, 0.5), schedule, t=tensor([1, 1]), noise=images(3.0, 3.0))
    close(torch.as_tensor(loss).detach(), tensor(4.0), "the loss")
    close(model.one.detach(), tensor(1.4), "the weight after one step")
    assert model.times == [0.5], "the network is given t / T"


def test_q1_4_ddpm_of_one_step(q1):
    """T = 1: x_0 = (x - 0.19 / sqrt(0.19)) / 0.9, without noise."""
    schedule = q1.Schedule(tensor([0.19]), tensor([0.81]), tensor([0.81]))
    found = q1.sample_ddpm(Recorder(), schedule, (1, 1, 3, 5), noise=images(2.0))
    close(found, images((2 - 0.19**0.5) / 0.9), "the result of the last step")


def test_q1_4_ddpm_times_and_shape(q1, schedule):
    model = Recorder()
    found = q1.sample_ddpm(model, schedule, (4, 1, 3, 5))
    assert found.shape == (4, 1, 3, 5)
    assert model.times == [0.5, 0.0], "t = T - 1, ..., 0, divided by T"


def test_q1_5_ddim_in_one_jump(q1, schedule):
    """From t = 1 at once to the clean image: (x - sqrt(0.4816)) / 0.72."""
    found = q1.sample_ddim(Recorder(), schedule, (1, 1, 3, 5), n_steps=1, noise=images(2.0))
    close(found, images((2 - 0.4816**0.5) / 0.72), "the result of one jump")


def test_q1_5_ddim_in_two_jumps(q1, schedule):
    """A network that always predicts 1: the noise of t = 0 is added again, and removed by the second jump."""
    model = Recorder()
    found = q1.sample_ddim(model, schedule, (1, 1, 3, 5), n_steps=2, noise=images(2.0))
    close(found, images((2 - 0.4816**0.5) / 0.72), "the result of two jumps")
    assert model.times == [0.5, 0.0], "the times of ddim_times, divided by T"
