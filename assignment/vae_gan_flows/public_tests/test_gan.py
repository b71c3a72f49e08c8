"""Public tests of question 2: small examples that you can redo by hand. The hidden tests check more.

pytest public_tests/test_gan.py                         # all of question 2, in a second or two
pytest public_tests/test_gan.py -k q2_3                 # exercise Q2.3 alone
"""

import itertools
import math

import pytest
import torch
from torch import nn, tensor


@pytest.fixture
def gan(student):
    return student("gan")


class Linear(nn.Module):
    """The critic c(x) = w.x, whose gradient is w everywhere."""

    def __init__(self, w):
        super().__init__()
        self.w = nn.Parameter(tensor(w))

    def forward(self, x):
        return (self.w * x).flatten(1).sum(dim=1, keepdim=True)


class Square(nn.Module):
    """The critic c(x) = |x|^2 / 2, whose gradient at x is x."""

    def forward(self, x):
        return 0.5 * x.flatten(1).square().sum(dim=1, keepdim=True)


def test_q2_1_jsd_of_a_critic_that_knows_nothing(gan):
    """c = 0: s(0) = 1/2, and (log 1/2 + log 1/2 + log 4) / 2 = 0."""
    assert gan.jsd(cp=torch.zeros(4, 1), cq=torch.zeros(4, 1)).item() == pytest.approx(0, abs=1e-6)


def test_q2_1_jsd_of_a_critic_that_knows_all(gan):
    """c = 100 on P and -100 on Q: no doubt is left, and the divergence is log 2."""
    value = gan.jsd(torch.full((4, 1), 100.0), torch.full((4, 1), -100.0))
    assert value.item() == pytest.approx(math.log(2), rel=1e-5)


def test_q2_1_jsd_of_a_critic_that_is_wrong(gan):
    """c = -100 on P and 100 on Q: log s(-100) = -100, and (-100 - 100 + log 4) / 2 = -100 + log 2."""
    value = gan.jsd(torch.full((4, 1), -100.0), torch.full((4, 1), 100.0))
    assert value.item() == pytest.approx(-100 + math.log(2), rel=1e-5), "values must stay finite at |c| = 100"


def test_q2_2_w1(gan):
    """Means 3 and 1/2."""
    assert gan.w1(cp=tensor([[2.0], [4.0]]), cq=tensor([[1.0], [0.0]])).item() == pytest.approx(2.5)


def call(penalty, p, q, critic):
    return penalty(p=p, cp=critic(p), q=q, cq=critic(q), critic=critic)


def test_q2_3_ogp_of_a_linear_critic(gan):
    """w = (3, 4): |w| = 5 everywhere, and (5 - 1)^2 = 16."""
    p, q = tensor([[1.0, 2.0], [0.0, 1.0]]), tensor([[-1.0, 0.0], [5.0, 5.0]])
    assert call(gan.ogp, p, q, Linear([3.0, 4.0])).item() == pytest.approx(16, rel=1e-5)


def test_q2_3_ogp_of_images(gan):
    """All 12 entries of w are 1/2: |w| = sqrt(12 / 4) for images 3 x 2 x 2, whatever their number."""
    critic = Linear([[[0.5] * 2] * 2] * 3)
    value = call(gan.ogp, torch.ones(5, 3, 2, 2), torch.zeros(5, 3, 2, 2), critic)
    assert value.item() == pytest.approx((math.sqrt(3) - 1) ** 2, rel=1e-5), (
        "the norm is over all dimensions of a sample"
    )


def test_q2_3_ogp_is_taken_between_p_and_q(gan):
    """c(x) = |x|^2 / 2, p = 3 and q = 1: (x - 1)^2 for x between 1 and 3 is 4/3 on average, 0 to 4 for one draw."""
    p, q = torch.full((4000, 1), 3.0), torch.full((4000, 1), 1.0)
    value = call(gan.ogp, p, q, Square()).item()
    assert value == pytest.approx(4 / 3, abs=0.12), "a uniform random point between each p and its q"


def test_q2_3_ogp_trains_the_critic(gan):
    """d/dw (|w| - 1)^2 = 2 (|w| - 1) w / |w| = 2 * 4 * (3, 4) / 5."""
    critic = Linear([3.0, 4.0])
    call(gan.ogp, torch.ones(2, 2), torch.zeros(2, 2), critic).backward()
    assert critic.w.grad.tolist() == pytest.approx([4.8, 6.4], rel=1e-4)


def test_q2_4_r1_is_taken_at_the_data(gan):
    """c(x) = |x|^2 / 2: the gradient at p is p, and (5^2 + 1^2) / 2 = 13."""
    p, q = tensor([[3.0, 4.0], [0.0, 1.0]]), tensor([[10.0, 0.0], [0.0, 10.0]])
    assert call(gan.r1gp, p, q, Square()).item() == pytest.approx(13, rel=1e-5)


def test_q2_4_r1_trains_the_critic(gan):
    """d/dw |w|^2 = 2 w."""
    critic = Linear([3.0, 4.0])
    call(gan.r1gp, torch.ones(2, 2), torch.zeros(2, 2), critic).backward()
    assert critic.w.grad.tolist() == pytest.approx([6.0, 8.0], rel=1e-4)


def test_q2_5_losses(gan):
    """c(x) = 2x, p = 3, q = 1: W1 is 4; with R1, whose value is 4, and reg_cf = 10 the critic's loss is -4 + 40.

    This uses your w1 and r1gp.
    """
    p, q, critic = tensor([[3.0]]), tensor([[1.0]]), Linear([2.0])
    metric, critic_loss = gan.make_losses("W1", reg_type="R1", reg_cf=10.0)
    assert metric(p, q, critic).item() == pytest.approx(4)
    assert critic_loss(p, q, critic).item() == pytest.approx(36)
    _, critic_loss = gan.make_losses("W1")
    assert critic_loss(p, q, critic).item() == pytest.approx(-4)


def test_q2_5_other_names_are_refused(gan):
    gan.make_losses("JSD", "GP")
    with pytest.raises(NotImplementedError):
        gan.make_losses("HINGE")[0](tensor([[3.0]]), tensor([[1.0]]), Linear([2.0]))


def test_q2_6_moving_average(gan):
    """0.9 * 10 + 0.1 * 20 = 11; the source stays as it is."""
    source, target = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    nn.init.constant_(source.weight, 20.0)
    nn.init.constant_(target.weight, 10.0)
    held = target.weight
    gan.apply_exponential_moving_average(source=source, target=target, alpha=0.9)
    assert held.item() == pytest.approx(11), "target's own parameters change, in place"
    assert source.weight.item() == 20


class Point(nn.Module):
    def __init__(self, theta):
        super().__init__()
        self.theta = nn.Parameter(tensor([[theta]]))

    def forward(self):
        return self.theta * 1


def test_q2_7_train_step(gan):
    """c(x) = psi x, psi = 1; theta = 2; data at 0; W1, learning rates 0.1, two steps of the critic.

    Each raises W1 = -psi theta by its gradient -theta: psi = 1 - 0.2 - 0.2. Then the generator lowers -psi theta by the
    gradient -psi: theta = 2 + 0.06. The average with alpha 1/2 starts at 0. This uses your w1 and make_losses.
    """
    critic, generator, test_generator = Linear([1.0]), Point(2.0), Point(0.0)
    critic_optim = torch.optim.SGD(critic.parameters(), lr=0.1)
    generator_optim = torch.optim.SGD(generator.parameters(), lr=0.1)
    train_step = gan.make_train_step("W1", critic_inner_iters=2, alpha_ema=0.5)
    data = itertools.repeat(torch.zeros(1, 1))
    train_step(data, critic, critic_optim, generator, test_generator, generator_optim)
    assert critic.w.item() == pytest.approx(0.6), "the critic makes two steps that raise the metric"
    assert generator.theta.item() == pytest.approx(2.06), "then the generator makes one that lowers it"
    assert test_generator.theta.item() == pytest.approx(1.03), "then the moving average follows"
