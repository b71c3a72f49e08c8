"""Question 2, part 1: denoising diffusion (DDPM; Ho, Jain and Abbeel 2020, https://arxiv.org/abs/2006.11239).

You complete this file; q2_trainer_ddpm.py and the grader read it.

Index convention: the code counts t = 0 .. n_steps - 1 where the paper counts t = 1 .. T. So alpha_bar[0]
belongs to the image with the first, smallest bit of noise; the clean image x0 has no index.
Shapes: B batch, C channels, H x W pixels. t is a (B,) tensor of integers: every image has its own time.
"""

import torch
from torch import Tensor, nn


class DenoiseDiffusion:
    def __init__(self, eps_model: nn.Module, n_steps: int, device: torch.device | str):
        """Given. eps_model(x, t) predicts the noise in x; the schedule is the paper's (section 4)."""
        self.eps_model = eps_model
        self.n_steps = n_steps
        self.device = device
        self.beta = torch.linspace(1e-4, 0.02, n_steps, device=device)  # (T,) variance that each step adds
        self.alpha = 1.0 - self.beta  # (T,)
        self.alpha_bar = torch.cumprod(self.alpha, dim=0)  # (T,) product of alpha[0] .. alpha[t]
        self.sigma2 = self.beta  # (T,) variance of the reverse step

    def gather(self, c: Tensor, t: Tensor) -> Tensor:
        """Given. The entries c[t] of a (T,) tensor at times t (B,), as (B, 1, 1, 1), to broadcast."""
        return c.gather(-1, t).reshape(-1, 1, 1, 1)

    def q_xt_x0(self, x0: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance of the noisy image at time t, given the clean one.

        q(x_t | x_0) = N(x_t; sqrt(alpha_bar_t) x_0, (1 - alpha_bar_t) I)  (DDPM, eq. 4)

        x0: (B, C, H, W) clean images.  t: (B,) integers in 0 .. n_steps - 1.
        Returns mean (B, C, H, W) and var (B, 1, 1, 1). The pitfall: var is no standard deviation.
        """
        # TODO Q2.1: gather alpha_bar at t, then the mean and the variance of eq. 4.
        raise NotImplementedError("Q2.1: DenoiseDiffusion.q_xt_x0")

    def q_sample(self, x0: Tensor, t: Tensor, eps: Tensor | None = None) -> Tensor:
        """A draw from q(x_t | x_0), reparameterized: x_t = mean + sqrt(var) eps  (DDPM, section 3.2).

        x0: (B, C, H, W).  t: (B,).  eps: (B, C, H, W) standard normal noise, drawn here if None.
        Returns x_t (B, C, H, W). With the same eps it is deterministic.
        """
        if eps is None:
            eps = torch.randn_like(x0)
        # TODO Q2.2: shift and scale eps by the moments of q(x_t | x_0).
        raise NotImplementedError("Q2.2: DenoiseDiffusion.q_sample")

    def p_xt_prev_xt(self, xt: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance of the learned reverse step, from time t to t - 1.

        p_theta(x_{t-1} | x_t) = N(x_{t-1}; mu_theta(x_t, t), sigma2_t I)  (DDPM, eq. 1), with
        mu_theta(x_t, t) = 1 / sqrt(alpha_t) (x_t - beta_t / sqrt(1 - alpha_bar_t) eps_theta(x_t, t))  (11)

        xt: (B, C, H, W).  t: (B,).
        Returns mean (B, C, H, W) and var (B, 1, 1, 1): sigma2_t = beta_t, the paper's first choice.
        The pitfall: alpha_t and alpha_bar_t both occur.
        """
        # TODO Q2.3: predict the noise with eps_model, then eq. 11; the variance is sigma2 at t.
        raise NotImplementedError("Q2.3: DenoiseDiffusion.p_xt_prev_xt")

    def p_sample(self, xt: Tensor, t: Tensor, set_seed: bool = False) -> Tensor:
        """A draw from p_theta(x_{t-1} | x_t)  (DDPM, Algorithm 2, line 4).

        xt: (B, C, H, W).  t: (B,).  set_seed: start from seed 42, so that a call can be repeated.
        Returns x_{t-1} (B, C, H, W), on xt's device. At t = 0 the paper leaves the noise out: the mean is the image.
        """
        if set_seed:
            torch.manual_seed(42)
        # TODO Q2.4: the mean, plus noise of the right standard deviation; no noise where t = 0.
        raise NotImplementedError("Q2.4: DenoiseDiffusion.p_sample")

    def loss(self, x0: Tensor, noise: Tensor | None = None, set_seed: bool = False) -> Tensor:
        """The simplified training objective  (DDPM, eq. 14 and Algorithm 1).

        E_{t, x_0, eps} || eps - eps_theta(sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t) eps, t) ||^2

        x0: (B, C, H, W).  noise: (B, C, H, W) the eps of the equation, drawn here if None.
        set_seed: start from seed 42.  Each image gets a time of its own, uniform on 0 .. n_steps - 1, on x0's device.
        Returns a scalar: the squared error summed over channels and pixels, then averaged over the batch.
        """
        if set_seed:
            torch.manual_seed(42)
        if noise is None:
            noise = torch.randn_like(x0)
        # TODO Q2.5: draw t (B,), make x_t, compare its noise with the prediction.
        raise NotImplementedError("Q2.5: DenoiseDiffusion.loss")
