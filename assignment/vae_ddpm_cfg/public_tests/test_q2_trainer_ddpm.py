"""Public tests of q2_trainer_ddpm.py. The diffusion model is a stand-in that writes down its calls."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

ARGS = SimpleNamespace(
    n_steps=5,
    n_samples=9,
    image_size=8,
    image_channels=1,
    device="cpu",
    learning_rate=1e-3,
    batch_size=4,
    epochs=1,
)


class AddOne:
    """A reverse step that adds 1 to every pixel."""

    n_steps = 5

    def __init__(self):
        self.times = []

    def p_sample(self, xt, t, set_seed=False):
        return self.p_xt_prev_xt(xt, t)[0]

    def p_xt_prev_xt(self, xt, t):
        self.times.append(t)
        return xt + 1, torch.zeros(len(xt), 1, 1, 1)


@pytest.fixture
def trainer(student):
    return student("q2_trainer_ddpm").Trainer(args=ARGS, eps_model=nn.Linear(1, 1), diffusion_model=AddOne())


def test_q2_6_times_fall_from_the_last_to_the_first(trainer):
    trainer.sample()
    assert [t.tolist() for t in trainer.diffusion.times] == [[4] * 9, [3] * 9, [2] * 9, [1] * 9, [0] * 9], (
        "p_sample is called with t = n_steps - 1, ..., 0, one time per image"
    )


def test_q2_6_each_step_starts_from_the_one_before(trainer):
    """The noise has mean 0 within 1 (24 standard errors), and 20 steps add 20."""
    x = trainer.sample(n_steps=20, set_seed=True)
    assert x.shape == (9, 1, 8, 8)
    assert x.mean().item() == pytest.approx(20, abs=1), "start from standard normal noise, take n_steps steps"


def test_q2_7_images_in_the_order_of_the_steps(trainer):
    """Kept: the noise, then after 2 and after 5 steps, where 2 and 5 have been added to it."""
    images = trainer.generate_intermediate_samples(n_samples=9, img_size=6, steps_to_show=[0, 2, 5])
    assert [image.shape for image in images] == [(9, 1, 6, 6)] * 3, "the noise, then one array per step to show"
    steps_taken = [round(float((image - images[0]).mean()), 3) for image in images]
    assert steps_taken == [0, 2, 5], "kept after as many steps as steps_to_show says, the noise unchanged"


def test_q2_7_times_fall_from_the_last_to_the_first(trainer):
    trainer.generate_intermediate_samples(n_samples=9, img_size=6, n_steps=3)
    assert [t.tolist() for t in trainer.diffusion.times] == [[2] * 9, [1] * 9, [0] * 9]
