"""Question 3: denoising diffusion (DDPM; Ho, Jain and Abbeel 2020, https://arxiv.org/abs/2006.11239).

You complete this file; train_ddpm.py and the grader read it. The network is given, in training/unet.py:
model(x, t), with x (B, C, H, W) and t (B,), predicts the noise in x.

Index convention: the code counts t = 0 .. T - 1 where the paper counts t = 1 .. T. So entry 0 of each coefficient
belongs to the first, smallest bit of noise; the clean image x_start (the paper's x_0) has no index.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn


class Schedule(NamedTuple):
    """Given. The coefficients of the diffusion process, (T,) tensors."""

    betas: Tensor  # beta_t: the variance that step t adds
    alphas: Tensor  # alpha_t = 1 - beta_t
    sqrt_recip_alphas: Tensor  # 1 / sqrt(alpha_t)
    alphas_cumprod: Tensor  # alpha_bar_t = alpha_0 alpha_1 ... alpha_t
    sqrt_alphas_cumprod: Tensor  # sqrt(alpha_bar_t)
    sqrt_one_minus_alphas_cumprod: Tensor  # sqrt(1 - alpha_bar_t)
    alphas_cumprod_prev: Tensor  # alpha_bar_{t-1}, with 1 in the place of alpha_bar_{-1}
    posterior_variance: Tensor  # beta_tilde_t, the variance of q(x_{t-1} | x_t, x_0)


def extract(coefficients: Tensor, t: Tensor, x: Tensor) -> Tensor:
    """Given. The entries coefficients[t] of a (T,) tensor at times t (B,), as (B, 1, 1, 1), to go with x."""
    return coefficients.to(x.device)[t].reshape(-1, *(1,) * (x.dim() - 1))


def precompute(timesteps: int, beta_start: float = 1e-4, beta_end: float = 0.02) -> Schedule:
    """All coefficients that depend on time alone.

        beta_t: linear from beta_start to beta_end, both included                                    [DDPM, sec. 4]
        beta_tilde_t = beta_t (1 - alpha_bar_{t-1}) / (1 - alpha_bar_t),   alpha_bar_{-1} = 1        [DDPM, eq. (7)]

    timesteps: T. Returns a Schedule of eight (T,) tensors; its fields say what each of them is.
    The pitfall: alphas_cumprod_prev is alphas_cumprod shifted to the right by one, padded with 1 on the left.
    """
    # TODO Q3.1: betas first, then each field from those before it.
    raise NotImplementedError("Q3.1: precompute")


def q_sample(schedule: Schedule, x_start: Tensor, t: Tensor, noise: Tensor | None = None) -> Tensor:
    """A draw from q(x_t | x_0), by the reparameterization trick.

        x_t = sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t) noise                                    [DDPM, eq. (4)]

    x_start: (B, C, H, W) clean images.  t: (B,) integers in 0 .. T - 1, a time for each image.
    noise: (B, C, H, W) standard normal noise, drawn here if None.
    Returns x_t (B, C, H, W).
    """
    # TODO Q3.2: draw the noise if none is given; extract both coefficients at t; mix.
    raise NotImplementedError("Q3.2: q_sample")


@torch.no_grad()
def p_sample(
    schedule: Schedule, model: nn.Module, x: Tensor, t: Tensor, t_index: int, noise: Tensor | None = None
) -> Tensor:
    """A draw from p_theta(x_{t-1} | x_t), one step of Algorithm 2.

        mean = 1 / sqrt(alpha_t) (x_t - beta_t / sqrt(1 - alpha_bar_t) eps_theta(x_t, t))           [DDPM, eq. (11)]
        x_{t-1} = mean + sqrt(beta_tilde_t) noise

    model: model(x, t) is eps_theta, the predicted noise.  x: (B, C, H, W), x_t.
    t: (B,) integers, all equal to t_index.  noise: (B, C, H, W) standard normal noise, drawn here if None.
    Returns x_{t-1} (B, C, H, W). At t_index = 0 it is the mean: the last step adds no noise.
    The pitfall: beta_tilde_t is a variance.
    """
    # TODO Q3.3: the mean of eq. (11) with the coefficients at t; add noise of the right standard deviation.
    raise NotImplementedError("Q3.3: p_sample")


@torch.no_grad()
def p_sample_loop(schedule: Schedule, model: nn.Module, shape: tuple[int, ...], noise: Tensor | None = None) -> Tensor:
    """New images from noise: all steps of Algorithm 2, from time T - 1 down to time 0.

    shape: (B, C, H, W) of the images.
    noise: (B, C, H, W), where to start; standard normal noise drawn here, on the schedule's device, if None.
    Returns (T, B, C, H, W): the result of each step in the order in which they are made. The initial noise is not
    among them, and the finished image x_0 comes last.
    """
    # TODO Q3.4: start from noise; call p_sample for each time, t as (B,) long tensor; collect, stack.
    raise NotImplementedError("Q3.4: p_sample_loop")


def p_losses(
    schedule: Schedule, denoise_model: nn.Module, x_start: Tensor, t: Tensor, noise: Tensor | None = None
) -> Tensor:
    """The training loss: how well the model recognizes the noise in x_t.

        E[ smooth_l1(noise - eps_theta(sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t) noise, t)) ]
        smooth_l1(d) = d^2 / 2 where |d| < 1,  |d| - 1/2 elsewhere

    that is, DDPM's eq. (14) with the smooth L1 loss in the place of the square.

    x_start: (B, C, H, W) clean images.  t: (B,) times.  noise: (B, C, H, W), standard normal, drawn here if None.
    Returns a scalar: the mean over pixels, channels and the batch.
    The pitfall: the noise in x_t and the noise to be predicted are the same.
    """
    # TODO Q3.5: draw the noise if none is given; make x_t with it; compare it with the prediction.
    raise NotImplementedError("Q3.5: p_losses")


def t_sample(timesteps: int, batch_size: int, device: torch.device | str | None = None) -> Tensor:
    """Random times for a batch: independent, uniform on 0 .. timesteps - 1.

    Returns (batch_size,) of dtype long, on `device` (None: the CPU).
    """
    # TODO Q3.6: random integers; mind the upper end.
    raise NotImplementedError("Q3.6: t_sample")
