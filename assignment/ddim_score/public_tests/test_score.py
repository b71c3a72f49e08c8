"""Public tests of score.py: small examples that can be checked by hand.

Passing here is needed, not sufficient: the grader looks at more cases, with other numbers.
"""

import pytest
import torch
from torch import nn, tensor

from student.public_tests import close


@pytest.fixture
def q2(student):
    return student("score")


def pull(x, sigma):
    """A score model: the score of N(0, I), whatever sigma."""
    return -x


def test_q2_1_score_of_a_mixture(q2):
    """N((-3, 0), I) and N((3, 0), I), equal weights: half way between them the score is 0, at (1, 2) the second
    Gaussian has the responsibility 1 / (1 + e^-6)."""
    weights, means, covs = tensor([0.5, 0.5]), tensor([[-3.0, 0.0], [3.0, 0.0]]), torch.eye(2).repeat(2, 1, 1)
    found = q2.score_function_gt(tensor([[0.0, 0.0], [1.0, 2.0]]), weights, means, covs)
    r = 1 / (1 + torch.exp(tensor(-6.0)))
    expected = torch.stack([tensor([0.0, 0.0]), tensor([float(r * 2 - (1 - r) * 4), -2.0])])
    close(found, expected, "the score")


def test_q2_1_far_from_both_means(q2):
    """N((-3, 0), I) and N((3, 0), I), equal weights, far to the right of both."""
    weights, means, covs = tensor([0.5, 0.5]), tensor([[-3.0, 0.0], [3.0, 0.0]]), torch.eye(2).repeat(2, 1, 1)
    found = q2.score_function_gt(tensor([[100.0, 0.0]]), weights, means, covs)
    close(found, tensor([[-97.0, 0.0]]), "the score at (100, 0)")


def test_q2_2_noise(q2):
    """20,000 numbers of standard deviation 3, within 5 standard errors."""
    x = torch.ones(10_000, 2)
    noisy, epsilon = q2.add_noise(x, 3.0)
    close(noisy, x + epsilon, "the noisy x")
    assert epsilon.std().item() == pytest.approx(3.0, abs=5 * 3 / 40_000**0.5)


def test_q2_3_loss(q2):
    """s = (1, 1), epsilon = (2, 4), sigma = 2: 1/2 ((1 + 0.5)^2 + (1 + 1)^2) = 3.125, the same for both points."""
    epsilon = tensor([[2.0, 4.0], [2.0, 4.0]])
    loss = q2.score_matching_loss(lambda x, sigma: torch.ones_like(x), epsilon, epsilon, 2.0)
    close(loss, tensor(3.125), "the loss")


def test_q2_4_training_finds_the_score_of_a_gaussian(q2):
    """For data N(0, I) and sigma = 1 the noisy score is -x / 2."""

    class Linear(nn.Module):
        def __init__(self):
            super().__init__()
            self.slope = nn.Parameter(torch.zeros(()))

        def forward(self, x, sigma):
            return self.slope * x

    torch.manual_seed(0)
    model = Linear()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    losses = q2.train_score_model(model, torch.randn(5000, 2), (1.0, 1.0), n_steps=300, optimizer=optimizer)
    assert len(losses) == 300
    assert model.slope.item() == pytest.approx(-0.5, abs=0.05)


def test_q2_5_deterministic_path(q2):
    """Two steps of 0.5 along -x: 4, 2, 1."""
    path = q2.deterministic_sampling(pull, tensor([[4.0, -8.0]]), sigma_t=1.0, step_size=0.5, num_steps=2)
    close(torch.stack(list(path)), tensor([[[4.0, -8.0]], [[2.0, -4.0]], [[1.0, -2.0]]]), "the path")


def test_q2_6_langevin_noise(q2):
    """One step of 0.5 from 4: mean 2, variance 2 x 0.5, within 5 standard errors of 20,000 numbers."""
    path = q2.langevin_sampling(pull, torch.full((10_000, 2), 4.0), sigma_t=1.0, step_size=0.5, num_steps=1)
    assert len(path) == 2
    assert path[1].mean().item() == pytest.approx(2.0, abs=5 / 20_000**0.5)
    assert path[1].var().item() == pytest.approx(1.0, abs=5 * (2 / 20_000) ** 0.5)


def test_q2_8_levels(q2, monkeypatch):
    """Levels 4, 2, 1 with the steps 0.16, 0.04, 0.01: sigma^2 / sigma_L^2 times 0.01."""
    calls = []

    def recorded(model, start_point, sigma_t, step_size, num_steps):
        calls.append((sigma_t, round(step_size, 6)))
        return [start_point] + [start_point + k for k in range(1, num_steps + 1)]

    monkeypatch.setattr(q2, "langevin_sampling", recorded)
    path = q2.annealed_langevin_sampling(pull, torch.zeros(1, 2), sigmas=[4.0, 2.0, 1.0], step_size=0.01, num_steps=2)
    assert calls in ([(4.0, 0.16), (2.0, 0.04), (1.0, 0.01)], []), "each level with its own step"
    assert len(path) == 3 * 2 + 1, "the start, then two steps at each level"
    if calls:
        close(torch.cat(list(path))[:, 0], torch.arange(7.0), "the path")
