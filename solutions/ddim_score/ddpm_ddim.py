"""Question 1: one diffusion model, two samplers.

    DDPM   Ho, Jain and Abbeel 2020, https://arxiv.org/abs/2006.11239
    DDIM   Song, Meng and Ermon 2021, https://arxiv.org/abs/2010.02502

You complete this file; train_sprites.py, compare_samplers.py and the grader read it. The network is given, in unet.py:
model(x, t) predicts the noise in x (B, C, H, W), where t (B,) are times divided by T: numbers in [0, 1).

Index convention: the code counts t = 0 .. T - 1 where the papers count t = 1 .. T. So entry 0 of each coefficient
belongs to the first, smallest bit of noise. The clean image (the papers' x_0) has no index; its alpha-bar is 1.
Shapes: B batch, C channels, H x W pixels, T = len(ab_t) steps.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn


class Schedule(NamedTuple):
    """Given. The coefficients of the diffusion process, (T,) tensors; also b_t, a_t, ab_t = schedule."""

    b_t: Tensor  # beta_t: the variance that step t adds
    a_t: Tensor  # alpha_t = 1 - beta_t
    ab_t: Tensor  # alpha_bar_t = alpha_0 alpha_1 ... alpha_t


def linear_schedule(timesteps: int, beta1: float, beta2: float) -> Schedule:
    """The noise schedule.

        beta_t: linear from beta1 to beta2, both included                                            [DDPM, sec. 4]
        alpha_t = 1 - beta_t,   alpha_bar_t = alpha_0 alpha_1 ... alpha_t                            [DDPM, eq. (4)]

    timesteps: T, at least 2. Returns Schedule(b_t, a_t, ab_t), three (T,) tensors.
    The pitfall: alpha_bar is a running product; its first entry is alpha_0, not 1.
    """
    # BEGIN SOLUTION Q1.1: the betas, then the alphas, then their running product.
    b_t = torch.linspace(beta1, beta2, timesteps)
    a_t = 1 - b_t
    return Schedule(b_t, a_t, a_t.cumprod(dim=0))
    # END SOLUTION


def perturb_input(x: Tensor, t: Tensor, noise: Tensor, ab_t: Tensor) -> Tensor:
    """The forward process in one step, from the clean image to time t.

        x_t = sqrt(alpha_bar_t) x + sqrt(1 - alpha_bar_t) noise                                      [DDPM, eq. (4)]

    x: (B, C, H, W) clean images.  t: (B,) integers in 0 .. T - 1, a time for each image.
    noise: (B, C, H, W), standard normal.  ab_t: (T,), alpha_bar.
    Returns x_t (B, C, H, W); x and noise stay as they are.
    The pitfall: ab_t[t] has shape (B,), and the images need (B, 1, 1, 1).
    """
    # BEGIN SOLUTION Q1.2: read alpha_bar at each image's time, shape it to go with the images, mix.
    ab = ab_t[t].reshape(-1, 1, 1, 1)
    return ab.sqrt() * x + (1 - ab).sqrt() * noise
    # END SOLUTION


def train_step(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    x: Tensor,
    schedule: Schedule,
    t: Tensor | None = None,
    noise: Tensor | None = None,
) -> Tensor:
    """One step of training: predict the noise of a batch, and move the parameters once down the gradient.

        mean over the batch, channels and pixels of (noise - eps_theta(x_t, t / T))^2         [DDPM, Algorithm 1]

    model: model(x_t, t / T) is eps_theta; the times given to it are divided by T.
    optimizer: of the model's parameters; it may still hold the gradients of an earlier step.
    x: (B, C, H, W) clean images in [-1, 1].  schedule: three (T,) tensors on the device of x.
    t: (B,) integers, drawn here if None: uniform on 0 .. T - 1, a time for each image.
    noise: (B, C, H, W), standard normal, drawn here if None.
    Returns the loss of this batch before the step: a scalar tensor, detached from its graph.
    The pitfall: the noise in x_t and the noise to be predicted are the same.
    """
    # BEGIN SOLUTION Q1.3: draw what is not given; perturb; predict; mean squared error; clear, backward, step.
    timesteps = len(schedule.ab_t)
    if t is None:
        t = torch.randint(0, timesteps, (len(x),), device=x.device)
    if noise is None:
        noise = torch.randn_like(x)
    x_t = perturb_input(x=x, t=t, noise=noise, ab_t=schedule.ab_t)
    loss = nn.functional.mse_loss(model(x_t, t / timesteps), noise)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()
    # END SOLUTION


@torch.no_grad()
def sample_ddpm(model: nn.Module, schedule: Schedule, shape: tuple[int, ...], noise: Tensor | None = None) -> Tensor:
    """New images by T small random steps from pure noise.

        x_{t-1} = 1 / sqrt(alpha_t) (x_t - (1 - alpha_t) / sqrt(1 - alpha_bar_t) eps_theta(x_t, t / T)) + sigma_t z
        z ~ N(0, I),   sigma_t^2 = beta_t                                                     [DDPM, Algorithm 2]

    model: model(x, t / T) is eps_theta, with t (B,).  schedule: three (T,) tensors, on the device of the result.
    shape: (B, C, H, W) of the images.  noise: (B, C, H, W), the x to start from; standard normal, drawn here if None.
    Returns the finished images (B, C, H, W), not clipped.
    At the edge: the last step, t = 0 in the code, adds no noise. (Graded kindly: noise there costs nothing, nor does
    the paper's other choice of sigma_t^2, the variance of q(x_{t-1} | x_t, x_0).)
    The pitfall: alpha and alpha_bar both occur.
    """
    # BEGIN SOLUTION Q1.4: start from noise; for t = T - 1, ..., 0 predict the noise, take the mean, add fresh noise.
    b_t, a_t, ab_t = schedule
    x = torch.randn(shape, device=ab_t.device) if noise is None else noise
    timesteps = len(ab_t)
    for t in reversed(range(timesteps)):
        times = torch.full((len(x),), t / timesteps, device=x.device)
        eps = model(x, times)
        x = (x - (1 - a_t[t]) / (1 - ab_t[t]).sqrt() * eps) / a_t[t].sqrt()
        if t > 0:
            x = x + b_t[t].sqrt() * torch.randn_like(x)
    return x
    # END SOLUTION


def ddim_times(timesteps: int, n_steps: int) -> list[tuple[int, int]]:
    """Given. The n_steps jumps (t, t_prev) of DDIM, evenly spaced, from time T - 1 down to the clean image.

    The clean image has no index: where a jump ends there, t_prev is -1. ddim_times(1000, 50) is
    [(999, 979), (979, 959), ..., (39, 19), (19, -1)].  n_steps: from 1 to timesteps.
    """
    ends = [timesteps * i // n_steps - 1 for i in range(n_steps + 1)]  # -1, ..., T - 1
    return list(zip(ends[:0:-1], ends[-2::-1], strict=True))


@torch.no_grad()
def sample_ddim(
    model: nn.Module, schedule: Schedule, shape: tuple[int, ...], n_steps: int, noise: Tensor | None = None
) -> Tensor:
    """New images by n_steps jumps without randomness: DDIM with eta = 0, for the network that DDPM trained.

        x0 = (x_t - sqrt(1 - alpha_bar_t) eps_theta(x_t, t / T)) / sqrt(alpha_bar_t)             [DDIM, eq. (9)]
        x_{t_prev} = sqrt(alpha_bar_{t_prev}) x0 + sqrt(1 - alpha_bar_{t_prev}) eps_theta        [DDIM, eq. (12)]

    model, schedule, shape, noise: as in sample_ddpm.  n_steps: from 1 to T; how often the network is asked.
    The jumps (t, t_prev) are those of ddim_times(T, n_steps).
    Returns the finished images (B, C, H, W), not clipped. The same noise gives the same images.
    At the edge: the last jump ends at the clean image, t_prev = -1, where alpha_bar is 1.
    The pitfall: schedule.ab_t[-1] is not 1, but the alpha_bar of time T - 1.
    """
    # BEGIN SOLUTION Q1.5: start from noise; for each jump estimate the clean image, and add the noise of t_prev again.
    ab_t = schedule.ab_t
    x = torch.randn(shape, device=ab_t.device) if noise is None else noise
    timesteps = len(ab_t)
    for t, t_prev in ddim_times(timesteps, n_steps):
        times = torch.full((len(x),), t / timesteps, device=x.device)
        eps = model(x, times)
        x0 = (x - (1 - ab_t[t]).sqrt() * eps) / ab_t[t].sqrt()
        ab_prev = ab_t[t_prev] if t_prev >= 0 else torch.ones_like(ab_t[t])
        x = ab_prev.sqrt() * x0 + (1 - ab_prev).sqrt() * eps
    return x
    # END SOLUTION
