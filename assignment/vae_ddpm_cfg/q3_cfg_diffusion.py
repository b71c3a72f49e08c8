"""Question 3, part 1: classifier-free guidance (CFG; Ho and Salimans 2022, https://arxiv.org/abs/2207.12598).

You complete this file; q3_trainer_cfg.py and the grader read it.

The noise level is lambda, the log signal-to-noise ratio log(alpha^2 / sigma^2), instead of a time: 20 is
almost clean, -20 almost pure noise. In every function lambda_t is the noisier level (the paper's lambda),
lambda_t_prim the cleaner one (the paper's lambda'): lambda_t < lambda_t_prim, and a reverse step goes from
the first to the second. Code counts t = 0 .. n_steps - 1, clean to noisy.
Shapes: images (B, C, H, W), levels (B, 1, 1, 1), times (B,) integers, labels (B,) integers 0 .. 9.
"""

import torch
from torch import Tensor, nn


class CFGDiffusion:
    def __init__(self, eps_model: nn.Module, n_steps: int, device: torch.device | str):
        """Given. eps_model(z, labels) predicts the noise in z; labels None or left out: without a condition."""
        self.eps_model = eps_model
        self.n_steps = n_steps
        self.device = device
        self.lambda_min = -20
        self.lambda_max = 20

    def get_exp_ratio(self, l: Tensor, l_prim: Tensor) -> Tensor:
        """Given. exp(lambda - lambda'): in most formulas of section 2; in (0, 1) when lambda < lambda'."""
        return torch.exp(l - l_prim)

    def get_lambda(self, t: Tensor) -> Tensor:
        """The noise level at time t  (CFG, section 2: the cosine schedule, on a grid of times).

        lambda = -2 log tan(a u + b),  u = t / n_steps,
        b = arctan(exp(-lambda_max / 2)),  a = arctan(exp(-lambda_min / 2)) - b

        t: (B,) integers. t = 0 gives lambda_max, t = n_steps would give lambda_min: lambda falls as t grows.
        Returns (B, 1, 1, 1).
        """
        # TODO Q3.1: u from t, the two constants a and b, then the formula; mind the shape.
        raise NotImplementedError("Q3.1: CFGDiffusion.get_lambda")

    def alpha_lambda(self, lambda_t: Tensor) -> Tensor:
        """The factor alpha of the image in z_lambda = alpha x + sigma eps  (CFG, eq. 1).

        alpha_lambda^2 = 1 / (1 + exp(-lambda))

        lambda_t: (B, 1, 1, 1).  Returns (B, 1, 1, 1). The pitfall: the equation gives the square of alpha.
        """
        # TODO Q3.2: the square root of the sigmoid.
        raise NotImplementedError("Q3.2: CFGDiffusion.alpha_lambda")

    def sigma_lambda(self, lambda_t: Tensor) -> Tensor:
        """The factor sigma of the noise in z_lambda = alpha x + sigma eps  (CFG, eq. 1).

        sigma_lambda^2 = 1 - alpha_lambda^2

        lambda_t: (B, 1, 1, 1).  Returns (B, 1, 1, 1), a standard deviation. In float32 the difference is
        exactly 0 close to lambda_max, which is accepted.
        """
        # TODO Q3.3: from alpha_lambda, or from a formula that does not cancel near lambda_max.
        raise NotImplementedError("Q3.3: CFGDiffusion.sigma_lambda")

    def q_sample(self, x: Tensor, lambda_t: Tensor, noise: Tensor) -> Tensor:
        """A draw from the forward process at level lambda_t  (CFG, eq. 1).

        q(z_lambda | x) = N(z_lambda; alpha_lambda x, sigma_lambda^2 I)

        x: (B, C, H, W).  lambda_t: (B, 1, 1, 1).  noise: (B, C, H, W) standard normal.
        Returns z_lambda (B, C, H, W).
        """
        # TODO Q3.4: combine x and the noise with the factors of Q3.2 and Q3.3.
        raise NotImplementedError("Q3.4: CFGDiffusion.q_sample")

    def sigma_q(self, lambda_t: Tensor, lambda_t_prim: Tensor) -> Tensor:
        """Standard deviation of the forward step, from the cleaner level to the noisier one  (CFG, eq. 2).

        sigma_{lambda|lambda'}^2 = (1 - exp(lambda - lambda')) sigma_lambda^2

        lambda_t, lambda_t_prim: (B, 1, 1, 1), lambda_t < lambda_t_prim.  Returns (B, 1, 1, 1).
        The pitfall: the equation gives the square. 0 where the two levels are equal.
        """
        # TODO Q3.5: the square root of eq. 2, with get_exp_ratio.
        raise NotImplementedError("Q3.5: CFGDiffusion.sigma_q")

    def sigma_q_x(self, lambda_t: Tensor, lambda_t_prim: Tensor) -> Tensor:
        """Standard deviation of z_{lambda'} when both z_lambda and the image x are known  (CFG, eq. 3).

        sigma~_{lambda'|lambda}^2 = (1 - exp(lambda - lambda')) sigma_{lambda'}^2

        lambda_t, lambda_t_prim: (B, 1, 1, 1), lambda_t < lambda_t_prim.  Returns (B, 1, 1, 1).
        The pitfall: the last factor belongs to lambda', in eq. 2 to lambda.
        """
        # TODO Q3.6: as Q3.5, with the noise of the cleaner level.
        raise NotImplementedError("Q3.6: CFGDiffusion.sigma_q_x")

    def mu_p_theta(self, z_lambda_t: Tensor, x: Tensor, lambda_t: Tensor, lambda_t_prim: Tensor) -> Tensor:
        """Mean of the reverse step from z_lambda, for the image x (sampling: its prediction)  (CFG, eq. 3).

        mu~_{lambda'|lambda}(z_lambda, x)
            = exp(lambda - lambda') (alpha_{lambda'} / alpha_lambda) z_lambda
              + (1 - exp(lambda - lambda')) alpha_{lambda'} x

        z_lambda_t, x: (B, C, H, W).  lambda_t, lambda_t_prim: (B, 1, 1, 1).  Returns (B, C, H, W).
        """
        # TODO Q3.7: eq. 3, term by term.
        raise NotImplementedError("Q3.7: CFGDiffusion.mu_p_theta")

    def var_p_theta(self, lambda_t: Tensor, lambda_t_prim: Tensor, v: float = 0.3) -> Tensor:
        """Variance of the reverse step: between the variances of eq. 3 and eq. 2  (CFG, eq. 4).

        (sigma~_{lambda'|lambda}^2)^(1 - v) (sigma_{lambda|lambda'}^2)^v

        lambda_t, lambda_t_prim: (B, 1, 1, 1).  v: 0 gives sigma_q_x^2, 1 gives sigma_q^2.
        Returns (B, 1, 1, 1), a variance.
        """
        # TODO Q3.8: the geometric interpolation of the two variances.
        raise NotImplementedError("Q3.8: CFGDiffusion.var_p_theta")

    def p_sample(
        self, z_lambda_t: Tensor, lambda_t: Tensor, lambda_t_prim: Tensor, x_t: Tensor, set_seed: bool = False
    ) -> Tensor:
        """A draw from the reverse step p_theta(z_{lambda'} | z_lambda)  (CFG, eq. 4 and Algorithm 2).

        z_lambda_t: (B, C, H, W).  lambda_t, lambda_t_prim: (B, 1, 1, 1).  x_t: (B, C, H, W) predicted x.
        set_seed: start from seed 42, so that a call can be repeated.
        Returns z_{lambda'} (B, C, H, W).
        """
        if set_seed:
            torch.manual_seed(42)
        # TODO Q3.9: the mean of Q3.7, plus noise with the variance of Q3.8 (its default v).
        raise NotImplementedError("Q3.9: CFGDiffusion.p_sample")

    def loss(self, x0: Tensor, labels: Tensor | None, noise: Tensor | None = None, set_seed: bool = False) -> Tensor:
        """The training objective  (CFG, Algorithm 1, with lambda = get_lambda(t) for a uniform time t).

        E_{t, x, eps} || eps_theta(z_lambda, labels) - eps ||^2

        x0: (B, C, H, W).  labels: (B,) integers, or None: the trainer drops the labels of some batches, so
        that one network learns both predictions; hand on to eps_model what you were given.
        noise: (B, C, H, W) the eps of the equation, drawn here if None.  set_seed: start from seed 42.
        Each image gets a time of its own, uniform on 0 .. n_steps - 1, on x0's device.
        Returns a scalar: the squared error summed over channels and pixels, then averaged over the batch.
        """
        if set_seed:
            torch.manual_seed(42)
        if noise is None:
            noise = torch.randn_like(x0)
        # TODO Q3.10: draw t (B,), get its lambda, make z, compare its noise with the prediction.
        raise NotImplementedError("Q3.10: CFGDiffusion.loss")
