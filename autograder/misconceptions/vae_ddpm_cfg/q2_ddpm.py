"""What students get wrong in q2_ddpm.py."""

from autograder.grading.variants import wrong

# ---------------------------------------------------------------- Q2.1


@wrong("Q2.1", "DenoiseDiffusion.q_xt_x0")
def forward_alpha_for_alpha_bar(self, x0, t):
    """alpha_t belongs to a single step: from x_0 to x_t it is the product of all of them, alpha_bar_t."""
    alpha = self.gather(self.alpha, t)
    return alpha.sqrt() * x0, 1 - alpha


@wrong("Q2.1", "DenoiseDiffusion.q_xt_x0")
def forward_mean_without_root(self, x0, t):
    """x_0 is multiplied by alpha_bar_t: its square root belongs there, so that the variances add up to 1."""
    alpha_bar = self.gather(self.alpha_bar, t)
    return alpha_bar * x0, 1 - alpha_bar


@wrong("Q2.1", "DenoiseDiffusion.q_xt_x0")
def forward_std_for_variance(self, x0, t):
    """You return the standard deviation where the variance is asked for: no square root there."""
    alpha_bar = self.gather(self.alpha_bar, t)
    return alpha_bar.sqrt() * x0, (1 - alpha_bar).sqrt()


@wrong("Q2.1", "DenoiseDiffusion.q_xt_x0")
def forward_variance_squared(self, x0, t):
    """The variance is squared: 1 - alpha_bar_t is already a variance."""
    alpha_bar = self.gather(self.alpha_bar, t)
    return alpha_bar.sqrt() * x0, (1 - alpha_bar) ** 2


@wrong("Q2.1", "DenoiseDiffusion.q_xt_x0")
def forward_beta_as_variance(self, x0, t):
    """beta_t is the variance of one step: from x_0 to x_t, the noise of all steps has come together."""
    return self.gather(self.alpha_bar, t).sqrt() * x0, self.gather(self.beta, t)


@wrong("Q2.1", "DenoiseDiffusion.q_xt_x0")
def forward_alpha_bar_as_variance(self, x0, t):
    """alpha_bar_t is the part of the image that is left: the variance of the noise is the rest of 1."""
    alpha_bar = self.gather(self.alpha_bar, t)
    return alpha_bar.sqrt() * x0, alpha_bar


@wrong("Q2.1", "DenoiseDiffusion.q_xt_x0")
def forward_one_step_early(self, x0, t):
    """The schedule is read at t - 1: the code counts from 0, so alpha_bar[t] belongs to time t."""
    alpha_bar = self.gather(self.alpha_bar, t - 1)
    return alpha_bar.sqrt() * x0, 1 - alpha_bar


@wrong("Q2.1", "DenoiseDiffusion.q_xt_x0")
def forward_one_time_for_the_batch(self, x0, t):
    """Only the first time, t[0], is used: every image of the batch has its own."""
    alpha_bar = self.alpha_bar[t[0]].reshape(1, 1, 1, 1)
    return alpha_bar.sqrt() * x0, 1 - alpha_bar


@wrong("Q2.1", "DenoiseDiffusion.q_xt_x0")
def forward_schedule_not_broadcast(self, x0, t):
    """self.alpha_bar[t] has the shape (B,), which meets the images' last dimension: gather() gives (B, 1, 1, 1)."""
    alpha_bar = self.alpha_bar[t]
    return alpha_bar.sqrt() * x0, 1 - alpha_bar


@wrong("Q2.1", "DenoiseDiffusion.q_xt_x0")
def forward_mean_only(self, x0, t):
    """Only the mean is returned: the variance belongs to it, as `return mean, var`."""
    return self.gather(self.alpha_bar, t).sqrt() * x0


@wrong("Q2.1", "DenoiseDiffusion.q_xt_x0")
def forward_in_place(self, x0, t):
    """What the caller handed in is changed in place, as by `x0 *= ...`: make a new tensor."""
    alpha_bar = self.gather(self.alpha_bar, t)
    x0 *= alpha_bar.sqrt()
    return x0, 1 - alpha_bar


@wrong("Q2.1", "DenoiseDiffusion.q_xt_x0")
def forward_returns_none(self, x0, t):
    """The result is None: what is computed has to be handed back with `return`, on every way through."""
    alpha_bar = self.gather(self.alpha_bar, t)
    alpha_bar.sqrt() * x0, 1 - alpha_bar


@wrong("Q2.1", "DenoiseDiffusion.q_xt_x0")
def forward_coefficients_swapped(self, x0, t):
    """alpha_bar_t and 1 - alpha_bar_t are exchanged: as t grows, the image fades and the noise comes."""
    alpha_bar = self.gather(self.alpha_bar, t)
    return (1 - alpha_bar).sqrt() * x0, alpha_bar


@wrong("Q2.1", "DenoiseDiffusion.q_xt_x0")
def forward_schedule_reversed(self, x0, t):
    """The schedule is read at n_steps - 1 - t: time t has alpha_bar[t]."""
    alpha_bar = self.gather(self.alpha_bar, self.n_steps - 1 - t)
    return alpha_bar.sqrt() * x0, 1 - alpha_bar


@wrong("Q2.1", "DenoiseDiffusion.q_xt_x0")
def forward_alpha_bar_squared(self, x0, t):
    """In the variance alpha_bar_t is squared: it is 1 - alpha_bar_t, since the mean's factor is its square root."""
    alpha_bar = self.gather(self.alpha_bar, t)
    return alpha_bar.sqrt() * x0, 1 - alpha_bar**2


@wrong("Q2.1", "DenoiseDiffusion.q_xt_x0")
def forward_schedule_not_indexed(self, x0, t):
    """The whole schedule (n_steps,) meets the images: take its entries at t, by gather()."""
    return self.alpha_bar.sqrt() * x0, 1 - self.alpha_bar


@wrong("Q2.1", "DenoiseDiffusion.q_xt_x0")
def forward_squares_beta(self, x0, t):
    """The variance is beta_t^2: it is 1 - alpha_bar_t, in which the noise of all steps has come together."""
    return self.gather(self.alpha_bar, t).sqrt() * x0, self.gather(self.beta, t) ** 2


# ---------------------------------------------------------------- Q2.2


@wrong("Q2.2", "DenoiseDiffusion.q_sample")
def q_sample_scales_by_variance(self, x0, t, eps=None):
    """The noise is multiplied by the variance: its square root, the standard deviation, scales it."""
    eps = torch.randn_like(x0) if eps is None else eps
    mean, var = self.q_xt_x0(x0, t)
    return mean + var * eps


@wrong("Q2.2", "DenoiseDiffusion.q_sample")
def q_sample_log_variance(self, x0, t, eps=None):
    """exp(var / 2) treats the variance as a log-variance: q_xt_x0 gives the variance itself."""
    eps = torch.randn_like(x0) if eps is None else eps
    mean, var = self.q_xt_x0(x0, t)
    return mean + (0.5 * var).exp() * eps


@wrong("Q2.2", "DenoiseDiffusion.q_sample")
def q_sample_noise_not_scaled(self, x0, t, eps=None):
    """The noise is added as it is: it must have the standard deviation of q(x_t | x_0)."""
    eps = torch.randn_like(x0) if eps is None else eps
    mean, _ = self.q_xt_x0(x0, t)
    return mean + eps


@wrong("Q2.2", "DenoiseDiffusion.q_sample")
def q_sample_minus(self, x0, t, eps=None):
    """The noise is subtracted: the model learns to predict the eps that was added."""
    eps = torch.randn_like(x0) if eps is None else eps
    mean, var = self.q_xt_x0(x0, t)
    return mean - var.sqrt() * eps


@wrong("Q2.2", "DenoiseDiffusion.q_sample")
def q_sample_ignores_eps(self, x0, t, eps=None):
    """The eps that was passed in is ignored: draw noise only where it is None."""
    mean, var = self.q_xt_x0(x0, t)
    return mean + var.sqrt() * torch.randn_like(x0)


@wrong("Q2.2", "DenoiseDiffusion.q_sample")
def q_sample_is_the_mean(self, x0, t, eps=None):
    """This is the mean alone: the noise is missing."""
    return self.q_xt_x0(x0, t)[0]


@wrong("Q2.2", "DenoiseDiffusion.q_sample")
def q_sample_image_added_twice(self, x0, t, eps=None):
    """x_0 is added to the mean, which already contains it."""
    eps = torch.randn_like(x0) if eps is None else eps
    mean, var = self.q_xt_x0(x0, t)
    return x0 + mean + var.sqrt() * eps


@wrong("Q2.2", "DenoiseDiffusion.q_sample")
def q_sample_one_number_per_image(self, x0, t, eps=None):
    """One noise number is drawn for each image: every pixel needs its own, in the shape of x0."""
    eps = torch.randn(x0.shape[0], 1, 1, 1, device=x0.device) if eps is None else eps
    mean, var = self.q_xt_x0(x0, t)
    return mean + var.sqrt() * eps


@wrong("Q2.2", "DenoiseDiffusion.q_sample")
def q_sample_uniform_noise(self, x0, t, eps=None):
    """torch.rand draws uniform numbers in [0, 1): the noise is normal, torch.randn."""
    eps = torch.rand_like(x0) if eps is None else eps
    mean, var = self.q_xt_x0(x0, t)
    return mean + var.sqrt() * eps


@wrong("Q2.2", "DenoiseDiffusion.q_sample")
def q_sample_same_noise_for_the_batch(self, x0, t, eps=None):
    """All images share one noise image: every image needs its own, torch.randn_like(x0)."""
    eps = torch.randn(1, *x0.shape[1:], device=x0.device) if eps is None else eps
    mean, var = self.q_xt_x0(x0, t)
    return mean + var.sqrt() * eps


@wrong("Q2.2", "DenoiseDiffusion.q_sample")
def q_sample_returns_none(self, x0, t, eps=None):
    """The result is None: what is computed has to be handed back with `return`, on every way through."""
    mean, var = self.q_xt_x0(x0, t)
    mean + var.sqrt() * torch.randn_like(x0)


@wrong("Q2.2", "DenoiseDiffusion.q_sample")
def q_sample_needs_eps(self, x0, t, eps=None):
    """eps may be None, and then it has to be drawn: torch.randn_like(x0)."""
    mean, var = self.q_xt_x0(x0, t)
    return mean + var.sqrt() * eps


@wrong("Q2.2", "DenoiseDiffusion.q_sample")
def q_sample_clips_the_result(self, x0, t, eps=None):
    """The result is clipped to [-1, 1]: x_t is noisy, and its noise goes beyond that."""
    eps = torch.randn_like(x0) if eps is None else eps
    mean, var = self.q_xt_x0(x0, t)
    return (mean + var.sqrt() * eps).clamp(-1, 1)


@wrong("Q2.2", "DenoiseDiffusion.q_sample")
def q_sample_forgets_the_mean(self, x0, t, eps=None):
    """This is the noise alone: the mean is missing."""
    eps = torch.randn_like(x0) if eps is None else eps
    return self.q_xt_x0(x0, t)[1].sqrt() * eps + 0 * x0


@wrong("Q2.2", "DenoiseDiffusion.q_sample")
def q_sample_multiplies_the_mean_by_noise(self, x0, t, eps=None):
    """The mean is multiplied by eps, and the standard deviation added: it is mean + std * eps."""
    eps = torch.randn_like(x0) if eps is None else eps
    mean, var = self.q_xt_x0(x0, t)
    return mean * eps + var.sqrt()


# ---------------------------------------------------------------- Q2.3


@wrong("Q2.3", "DenoiseDiffusion.p_xt_prev_xt")
def reverse_posterior_variance(self, xt, t):
    """The variance is the posterior's, beta_t (1 - alpha_bar_{t-1}) / (1 - alpha_bar_t): this exercise takes the
    paper's first choice, sigma2_t = beta_t."""
    eps_theta = self.eps_model(xt, t)
    beta, alpha, alpha_bar = (self.gather(c, t) for c in (self.beta, self.alpha, self.alpha_bar))
    mean = (xt - beta / (1 - alpha_bar).sqrt() * eps_theta) / alpha.sqrt()
    return mean, beta * (1 - alpha_bar / alpha) / (1 - alpha_bar)


@wrong("Q2.3", "DenoiseDiffusion.p_xt_prev_xt")
def reverse_std_for_variance(self, xt, t):
    """You return the standard deviation where the variance is asked for: sigma2 is already squared."""
    eps_theta = self.eps_model(xt, t)
    beta, alpha, alpha_bar = (self.gather(c, t) for c in (self.beta, self.alpha, self.alpha_bar))
    return (xt - beta / (1 - alpha_bar).sqrt() * eps_theta) / alpha.sqrt(), self.gather(self.sigma2, t).sqrt()


@wrong("Q2.3", "DenoiseDiffusion.p_xt_prev_xt")
def reverse_variance_squared(self, xt, t):
    """sigma2 is squared once more: it is already the variance."""
    eps_theta = self.eps_model(xt, t)
    beta, alpha, alpha_bar = (self.gather(c, t) for c in (self.beta, self.alpha, self.alpha_bar))
    return (xt - beta / (1 - alpha_bar).sqrt() * eps_theta) / alpha.sqrt(), self.gather(self.sigma2, t) ** 2


@wrong("Q2.3", "DenoiseDiffusion.p_xt_prev_xt")
def reverse_forward_variance(self, xt, t):
    """1 - alpha_bar_t is the variance of x_t given x_0: one step back has the variance sigma2_t."""
    eps_theta = self.eps_model(xt, t)
    beta, alpha, alpha_bar = (self.gather(c, t) for c in (self.beta, self.alpha, self.alpha_bar))
    return (xt - beta / (1 - alpha_bar).sqrt() * eps_theta) / alpha.sqrt(), 1 - alpha_bar


@wrong("Q2.3", "DenoiseDiffusion.p_xt_prev_xt")
def reverse_plus_sign(self, xt, t):
    """The predicted noise is added: the way back removes it."""
    eps_theta = self.eps_model(xt, t)
    beta, alpha, alpha_bar = (self.gather(c, t) for c in (self.beta, self.alpha, self.alpha_bar))
    return (xt + beta / (1 - alpha_bar).sqrt() * eps_theta) / alpha.sqrt(), self.gather(self.sigma2, t)


@wrong("Q2.3", "DenoiseDiffusion.p_xt_prev_xt")
def reverse_scaled_by_alpha_bar(self, xt, t):
    """The factor in front divides by sqrt(alpha_bar_t): one step back only undoes one step, sqrt(alpha_t)."""
    eps_theta = self.eps_model(xt, t)
    beta, alpha_bar = (self.gather(c, t) for c in (self.beta, self.alpha_bar))
    return (xt - beta / (1 - alpha_bar).sqrt() * eps_theta) / alpha_bar.sqrt(), self.gather(self.sigma2, t)


@wrong("Q2.3", "DenoiseDiffusion.p_xt_prev_xt")
def reverse_alpha_without_root(self, xt, t):
    """The factor in front divides by alpha_t: its square root belongs there."""
    eps_theta = self.eps_model(xt, t)
    beta, alpha, alpha_bar = (self.gather(c, t) for c in (self.beta, self.alpha, self.alpha_bar))
    return (xt - beta / (1 - alpha_bar).sqrt() * eps_theta) / alpha, self.gather(self.sigma2, t)


@wrong("Q2.3", "DenoiseDiffusion.p_xt_prev_xt")
def reverse_not_rescaled(self, xt, t):
    """The factor 1 / sqrt(alpha_t) in front is lost."""
    eps_theta = self.eps_model(xt, t)
    beta, alpha_bar = (self.gather(c, t) for c in (self.beta, self.alpha_bar))
    return xt - beta / (1 - alpha_bar).sqrt() * eps_theta, self.gather(self.sigma2, t)


@wrong("Q2.3", "DenoiseDiffusion.p_xt_prev_xt")
def reverse_rescales_the_image_only(self, xt, t):
    """The factor 1 / sqrt(alpha_t) multiplies x_t alone: the brackets hold the noise too."""
    eps_theta = self.eps_model(xt, t)
    beta, alpha, alpha_bar = (self.gather(c, t) for c in (self.beta, self.alpha, self.alpha_bar))
    return xt / alpha.sqrt() - beta / (1 - alpha_bar).sqrt() * eps_theta, self.gather(self.sigma2, t)


@wrong("Q2.3", "DenoiseDiffusion.p_xt_prev_xt")
def reverse_coefficient_without_root(self, xt, t):
    """The noise is divided by 1 - alpha_bar_t: its square root belongs there."""
    eps_theta = self.eps_model(xt, t)
    beta, alpha, alpha_bar = (self.gather(c, t) for c in (self.beta, self.alpha, self.alpha_bar))
    return (xt - beta / (1 - alpha_bar) * eps_theta) / alpha.sqrt(), self.gather(self.sigma2, t)


@wrong("Q2.3", "DenoiseDiffusion.p_xt_prev_xt")
def reverse_coefficient_with_alpha(self, xt, t):
    """The noise is divided by sqrt(1 - alpha_t): there the equation has alpha_bar_t."""
    eps_theta = self.eps_model(xt, t)
    beta, alpha = (self.gather(c, t) for c in (self.beta, self.alpha))
    return (xt - beta / (1 - alpha).sqrt() * eps_theta) / alpha.sqrt(), self.gather(self.sigma2, t)


@wrong("Q2.3", "DenoiseDiffusion.p_xt_prev_xt")
def reverse_predicts_x0(self, xt, t):
    """This is the estimate of x_0: the mean of x_{t-1} takes only one step back."""
    alpha_bar = self.gather(self.alpha_bar, t)
    mean = (xt - (1 - alpha_bar).sqrt() * self.eps_model(xt, t)) / alpha_bar.sqrt()
    return mean, self.gather(self.sigma2, t)


@wrong("Q2.3", "DenoiseDiffusion.p_xt_prev_xt")
def reverse_time_scaled(self, xt, t):
    """The model is given t / n_steps: it takes the integer t as it is."""
    eps_theta = self.eps_model(xt, t / self.n_steps)
    beta, alpha, alpha_bar = (self.gather(c, t) for c in (self.beta, self.alpha, self.alpha_bar))
    return (xt - beta / (1 - alpha_bar).sqrt() * eps_theta) / alpha.sqrt(), self.gather(self.sigma2, t)


@wrong("Q2.3", "DenoiseDiffusion.p_xt_prev_xt")
def reverse_mean_only(self, xt, t):
    """Only the mean is returned: the variance belongs to it, as `return mean, var`."""
    beta, alpha, alpha_bar = (self.gather(c, t) for c in (self.beta, self.alpha, self.alpha_bar))
    return (xt - beta / (1 - alpha_bar).sqrt() * self.eps_model(xt, t)) / alpha.sqrt()


@wrong("Q2.3", "DenoiseDiffusion.p_xt_prev_xt")
def reverse_root_inside(self, xt, t):
    """The noise is divided by 1 - sqrt(alpha_bar_t): the root is that of 1 - alpha_bar_t."""
    eps_theta = self.eps_model(xt, t)
    beta, alpha, alpha_bar = (self.gather(c, t) for c in (self.beta, self.alpha, self.alpha_bar))
    return (xt - beta / (1 - alpha_bar.sqrt()) * eps_theta) / alpha.sqrt(), self.gather(self.sigma2, t)


@wrong("Q2.3", "DenoiseDiffusion.p_xt_prev_xt")
def reverse_alpha_for_beta(self, xt, t):
    """The predicted noise has the factor alpha_t: beta_t = 1 - alpha_t belongs there."""
    eps_theta = self.eps_model(xt, t)
    alpha, alpha_bar = (self.gather(c, t) for c in (self.alpha, self.alpha_bar))
    return (xt - alpha / (1 - alpha_bar).sqrt() * eps_theta) / alpha.sqrt(), self.gather(self.sigma2, t)


@wrong("Q2.3", "DenoiseDiffusion.p_xt_prev_xt")
def reverse_multiplies_by_the_root_of_alpha(self, xt, t):
    """The factor in front is sqrt(alpha_t) in place of 1 / sqrt(alpha_t)."""
    eps_theta = self.eps_model(xt, t)
    beta, alpha, alpha_bar = (self.gather(c, t) for c in (self.beta, self.alpha, self.alpha_bar))
    return (xt - beta / (1 - alpha_bar).sqrt() * eps_theta) * alpha.sqrt(), self.gather(self.sigma2, t)


@wrong("Q2.3", "DenoiseDiffusion.p_xt_prev_xt")
def reverse_clips_x0(self, xt, t):
    """The estimate of x_0 is clipped to [-1, 1] on the way to the mean: eq. (11) clips nothing."""
    eps_theta = self.eps_model(xt, t)
    beta, alpha, alpha_bar = (self.gather(c, t) for c in (self.beta, self.alpha, self.alpha_bar))
    x0 = ((xt - (1 - alpha_bar).sqrt() * eps_theta) / alpha_bar.sqrt()).clamp(-1, 1)
    before = alpha_bar / alpha
    mean = (before.sqrt() * beta * x0 + alpha.sqrt() * (1 - before) * xt) / (1 - alpha_bar)
    return mean, self.gather(self.sigma2, t)


@wrong("Q2.3", "DenoiseDiffusion.p_xt_prev_xt")
def reverse_variance_not_indexed(self, xt, t):
    """The variance is the whole schedule, (n_steps,): take its entries at t, by gather()."""
    eps_theta = self.eps_model(xt, t)
    beta, alpha, alpha_bar = (self.gather(c, t) for c in (self.beta, self.alpha, self.alpha_bar))
    return (xt - beta / (1 - alpha_bar).sqrt() * eps_theta) / alpha.sqrt(), self.sigma2


@wrong("Q2.3", "DenoiseDiffusion.p_xt_prev_xt")
def reverse_one_step_early(self, xt, t):
    """The schedule is read at t - 1: the code counts from 0, so time t has beta[t], alpha[t] and alpha_bar[t]."""
    eps_theta = self.eps_model(xt, t)
    beta, alpha, alpha_bar = (self.gather(c, t - 1) for c in (self.beta, self.alpha, self.alpha_bar))
    return (xt - beta / (1 - alpha_bar).sqrt() * eps_theta) / alpha.sqrt(), self.gather(self.sigma2, t - 1)


@wrong("Q2.3", "DenoiseDiffusion.p_xt_prev_xt")
def reverse_root_of_beta(self, xt, t):
    """The predicted noise has the factor sqrt(beta_t): it is beta_t itself."""
    eps_theta = self.eps_model(xt, t)
    beta, alpha, alpha_bar = (self.gather(c, t) for c in (self.beta, self.alpha, self.alpha_bar))
    return (xt - beta.sqrt() / (1 - alpha_bar).sqrt() * eps_theta) / alpha.sqrt(), self.gather(self.sigma2, t)


@wrong("Q2.3", "DenoiseDiffusion.p_xt_prev_xt")
def reverse_multiplies_by_the_deviation(self, xt, t):
    """The noise is multiplied by sqrt(1 - alpha_bar_t): it is divided by it."""
    eps_theta = self.eps_model(xt, t)
    beta, alpha, alpha_bar = (self.gather(c, t) for c in (self.beta, self.alpha, self.alpha_bar))
    return (xt - beta * (1 - alpha_bar).sqrt() * eps_theta) / alpha.sqrt(), self.gather(self.sigma2, t)


# ---------------------------------------------------------------- Q2.4


@wrong("Q2.4", "DenoiseDiffusion.p_sample")
def p_sample_scales_by_variance(self, xt, t, set_seed=False):
    """The noise is multiplied by the variance: its square root, the standard deviation, scales it."""
    if set_seed:
        torch.manual_seed(42)
    mean, var = self.p_xt_prev_xt(xt, t)
    return mean + var * torch.randn_like(xt)


@wrong("Q2.4", "DenoiseDiffusion.p_sample")
def p_sample_log_variance(self, xt, t, set_seed=False):
    """exp(var / 2) treats the variance as a log-variance: p_xt_prev_xt gives the variance itself."""
    if set_seed:
        torch.manual_seed(42)
    mean, var = self.p_xt_prev_xt(xt, t)
    return mean + (0.5 * var).exp() * torch.randn_like(xt)


@wrong("Q2.4", "DenoiseDiffusion.p_sample")
def p_sample_without_noise(self, xt, t, set_seed=False):
    """For t > 0 this is the mean alone, without noise: it is missing, or the condition that leaves it out is turned
    round."""
    return self.p_xt_prev_xt(xt, t)[0]


@wrong("Q2.4", "DenoiseDiffusion.p_sample")
def p_sample_counts_from_one(self, xt, t, set_seed=False):
    """At t = 1 the noise is missing. The paper counts from 1 and leaves it out at its t = 1, which is t = 0 in the
    code."""
    if set_seed:
        torch.manual_seed(42)
    mean, var = self.p_xt_prev_xt(xt, t)
    return mean + (t > 1).reshape(-1, 1, 1, 1) * var.sqrt() * torch.randn_like(xt)


@wrong("Q2.4", "DenoiseDiffusion.p_sample")
def p_sample_noise_not_scaled(self, xt, t, set_seed=False):
    """The noise is added as it is: it must have the standard deviation sqrt(var)."""
    if set_seed:
        torch.manual_seed(42)
    mean, _ = self.p_xt_prev_xt(xt, t)
    return mean + torch.randn_like(xt)


@wrong("Q2.4", "DenoiseDiffusion.p_sample")
def p_sample_same_noise_for_the_batch(self, xt, t, set_seed=False):
    """All images share one noise image: every image needs its own."""
    if set_seed:
        torch.manual_seed(42)
    mean, var = self.p_xt_prev_xt(xt, t)
    return mean + var.sqrt() * torch.randn(1, *xt.shape[1:], device=xt.device)


@wrong("Q2.4", "DenoiseDiffusion.p_sample")
def p_sample_clips_the_result(self, xt, t, set_seed=False):
    """The result is clipped to [-1, 1]: x_{t-1} is noisy, and its noise goes beyond that."""
    if set_seed:
        torch.manual_seed(42)
    mean, var = self.p_xt_prev_xt(xt, t)
    return (mean + var.sqrt() * torch.randn_like(xt)).clamp(-1, 1)


@wrong("Q2.4", "DenoiseDiffusion.p_sample")
def p_sample_one_number_per_image(self, xt, t, set_seed=False):
    """One noise number is drawn for each image: every pixel needs its own, in the shape of xt."""
    if set_seed:
        torch.manual_seed(42)
    mean, var = self.p_xt_prev_xt(xt, t)
    return mean + var.sqrt() * torch.randn(xt.shape[0], 1, 1, 1, device=xt.device)


@wrong("Q2.4", "DenoiseDiffusion.p_sample")
def p_sample_uniform_noise(self, xt, t, set_seed=False):
    """torch.rand draws uniform numbers in [0, 1): the noise is normal, torch.randn."""
    if set_seed:
        torch.manual_seed(42)
    mean, var = self.p_xt_prev_xt(xt, t)
    return mean + var.sqrt() * torch.rand_like(xt)


@wrong("Q2.4", "DenoiseDiffusion.p_sample")
def p_sample_goes_forward(self, xt, t, set_seed=False):
    """q_sample adds the noise of the forward process: the way back uses p_xt_prev_xt."""
    if set_seed:
        torch.manual_seed(42)
    return self.q_sample(xt, t)


@wrong("Q2.4", "DenoiseDiffusion.p_sample")
def p_sample_around_xt(self, xt, t, set_seed=False):
    """The noise is added to x_t: it belongs around the mean of x_{t-1}."""
    if set_seed:
        torch.manual_seed(42)
    _, var = self.p_xt_prev_xt(xt, t)
    return xt + var.sqrt() * torch.randn_like(xt)


@wrong("Q2.4", "DenoiseDiffusion.p_sample")
def p_sample_seed_ignored(self, xt, t, set_seed=False):
    """set_seed=True changes nothing: keep the given lines that set the seed before the noise is drawn."""
    mean, var = self.p_xt_prev_xt(xt, t)
    return mean + var.sqrt() * torch.randn_like(xt)


@wrong("Q2.4", "DenoiseDiffusion.p_sample")
def p_sample_returns_none(self, xt, t, set_seed=False):
    """The result is None: what is computed has to be handed back with `return`, on every way through."""
    mean, var = self.p_xt_prev_xt(xt, t)
    mean + var.sqrt() * torch.randn_like(xt)


@wrong("Q2.4", "DenoiseDiffusion.p_sample")
def p_sample_is_always_seeded(self, xt, t, set_seed=False):
    """A seed is set in every call, so that every step draws the same noise: only if set_seed is True."""
    torch.manual_seed(42)
    mean, var = self.p_xt_prev_xt(xt, t)
    return mean + var.sqrt() * torch.randn_like(xt)


# ---------------------------------------------------------------- Q2.5


@wrong("Q2.5", "DenoiseDiffusion.loss")
def loss_mean_over_pixels(self, x0, noise=None, set_seed=False):
    """The mean is taken over the pixels too (mse_loss's default): sum over them, and average over the batch only."""
    if set_seed:
        torch.manual_seed(42)
    noise = torch.randn_like(x0) if noise is None else noise
    t = torch.randint(0, self.n_steps, (x0.shape[0],), device=x0.device)
    return nn.functional.mse_loss(self.eps_model(self.q_sample(x0, t, eps=noise), t), noise)


@wrong("Q2.5", "DenoiseDiffusion.loss")
def loss_sum_over_the_batch(self, x0, noise=None, set_seed=False):
    """You sum over the batch: the loss is the mean over its images."""
    if set_seed:
        torch.manual_seed(42)
    noise = torch.randn_like(x0) if noise is None else noise
    t = torch.randint(0, self.n_steps, (x0.shape[0],), device=x0.device)
    return (noise - self.eps_model(self.q_sample(x0, t, eps=noise), t)).square().sum()


@wrong("Q2.5", "DenoiseDiffusion.loss")
def loss_mean_over_channels(self, x0, noise=None, set_seed=False):
    """The sum leaves out the channels: sum over all of C, H and W."""
    if set_seed:
        torch.manual_seed(42)
    noise = torch.randn_like(x0) if noise is None else noise
    t = torch.randint(0, self.n_steps, (x0.shape[0],), device=x0.device)
    return (noise - self.eps_model(self.q_sample(x0, t, eps=noise), t)).square().sum(dim=(2, 3)).mean()


@wrong("Q2.5", "DenoiseDiffusion.loss")
def loss_for_each_image(self, x0, noise=None, set_seed=False):
    """You return one number for each image: the loss is one number, their mean."""
    if set_seed:
        torch.manual_seed(42)
    noise = torch.randn_like(x0) if noise is None else noise
    t = torch.randint(0, self.n_steps, (x0.shape[0],), device=x0.device)
    return (noise - self.eps_model(self.q_sample(x0, t, eps=noise), t)).square().sum(dim=(1, 2, 3))


@wrong("Q2.5", "DenoiseDiffusion.loss")
def loss_absolute_error(self, x0, noise=None, set_seed=False):
    """This is the absolute error: the paper's objective squares it."""
    if set_seed:
        torch.manual_seed(42)
    noise = torch.randn_like(x0) if noise is None else noise
    t = torch.randint(0, self.n_steps, (x0.shape[0],), device=x0.device)
    return (noise - self.eps_model(self.q_sample(x0, t, eps=noise), t)).abs().sum(dim=(1, 2, 3)).mean()


@wrong("Q2.5", "DenoiseDiffusion.loss")
def loss_norm_not_squared(self, x0, noise=None, set_seed=False):
    """This is the distance of noise and prediction: the objective is its square."""
    if set_seed:
        torch.manual_seed(42)
    noise = torch.randn_like(x0) if noise is None else noise
    t = torch.randint(0, self.n_steps, (x0.shape[0],), device=x0.device)
    return (noise - self.eps_model(self.q_sample(x0, t, eps=noise), t)).flatten(1).norm(dim=1).mean()


@wrong("Q2.5", "DenoiseDiffusion.loss")
def loss_half(self, x0, noise=None, set_seed=False):
    """A factor 1/2 stands in front: the objective has none."""
    if set_seed:
        torch.manual_seed(42)
    noise = torch.randn_like(x0) if noise is None else noise
    t = torch.randint(0, self.n_steps, (x0.shape[0],), device=x0.device)
    return 0.5 * (noise - self.eps_model(self.q_sample(x0, t, eps=noise), t)).square().sum(dim=(1, 2, 3)).mean()


@wrong("Q2.5", "DenoiseDiffusion.loss")
def loss_one_time_for_the_batch(self, x0, noise=None, set_seed=False):
    """One time is drawn for the whole batch: every image needs its own, so draw (B,) of them."""
    if set_seed:
        torch.manual_seed(42)
    noise = torch.randn_like(x0) if noise is None else noise
    t = torch.randint(0, self.n_steps, (1,), device=x0.device).repeat(x0.shape[0])
    return (noise - self.eps_model(self.q_sample(x0, t, eps=noise), t)).square().sum(dim=(1, 2, 3)).mean()


@wrong("Q2.5", "DenoiseDiffusion.loss")
def loss_one_time_not_expanded(self, x0, noise=None, set_seed=False):
    """t has a single entry: every image needs a time of its own, so draw (B,) of them."""
    if set_seed:
        torch.manual_seed(42)
    noise = torch.randn_like(x0) if noise is None else noise
    t = torch.randint(0, self.n_steps, (1,), device=x0.device)
    return (noise - self.eps_model(self.q_sample(x0, t, eps=noise), t)).square().sum(dim=(1, 2, 3)).mean()


@wrong("Q2.5", "DenoiseDiffusion.loss")
def loss_times_from_one(self, x0, noise=None, set_seed=False):
    """The times run from 1 to n_steps, as the paper counts: the code counts 0 .. n_steps - 1."""
    if set_seed:
        torch.manual_seed(42)
    noise = torch.randn_like(x0) if noise is None else noise
    t = torch.randint(1, self.n_steps + 1, (x0.shape[0],), device=x0.device)
    return (noise - self.eps_model(self.q_sample(x0, t, eps=noise), t)).square().sum(dim=(1, 2, 3)).mean()


@wrong("Q2.5", "DenoiseDiffusion.loss")
def loss_without_the_first_time(self, x0, noise=None, set_seed=False):
    """t = 0 is never drawn: the times start at 0."""
    if set_seed:
        torch.manual_seed(42)
    noise = torch.randn_like(x0) if noise is None else noise
    t = torch.randint(1, self.n_steps, (x0.shape[0],), device=x0.device)
    return (noise - self.eps_model(self.q_sample(x0, t, eps=noise), t)).square().sum(dim=(1, 2, 3)).mean()


@wrong("Q2.5", "DenoiseDiffusion.loss")
def loss_without_the_last_time(self, x0, noise=None, set_seed=False):
    """t = n_steps - 1 is never drawn: the upper end of torch.randint is already left out."""
    if set_seed:
        torch.manual_seed(42)
    noise = torch.randn_like(x0) if noise is None else noise
    t = torch.randint(0, self.n_steps - 1, (x0.shape[0],), device=x0.device)
    return (noise - self.eps_model(self.q_sample(x0, t, eps=noise), t)).square().sum(dim=(1, 2, 3)).mean()


@wrong("Q2.5", "DenoiseDiffusion.loss")
def loss_predicts_x0(self, x0, noise=None, set_seed=False):
    """The prediction is compared with x_0: the model predicts the noise."""
    if set_seed:
        torch.manual_seed(42)
    noise = torch.randn_like(x0) if noise is None else noise
    t = torch.randint(0, self.n_steps, (x0.shape[0],), device=x0.device)
    return (x0 - self.eps_model(self.q_sample(x0, t, eps=noise), t)).square().sum(dim=(1, 2, 3)).mean()


@wrong("Q2.5", "DenoiseDiffusion.loss")
def loss_predicts_xt(self, x0, noise=None, set_seed=False):
    """The prediction is compared with x_t: the model predicts the noise in it."""
    if set_seed:
        torch.manual_seed(42)
    noise = torch.randn_like(x0) if noise is None else noise
    t = torch.randint(0, self.n_steps, (x0.shape[0],), device=x0.device)
    xt = self.q_sample(x0, t, eps=noise)
    return (xt - self.eps_model(xt, t)).square().sum(dim=(1, 2, 3)).mean()


@wrong("Q2.5", "DenoiseDiffusion.loss")
def loss_ignores_noise(self, x0, noise=None, set_seed=False):
    """The noise that was passed in is ignored: draw it only where it is None."""
    if set_seed:
        torch.manual_seed(42)
    noise = torch.randn_like(x0)
    t = torch.randint(0, self.n_steps, (x0.shape[0],), device=x0.device)
    return (noise - self.eps_model(self.q_sample(x0, t, eps=noise), t)).square().sum(dim=(1, 2, 3)).mean()


@wrong("Q2.5", "DenoiseDiffusion.loss")
def loss_q_sample_without_eps(self, x0, noise=None, set_seed=False):
    """q_sample is called without eps, so x_t holds other noise than the one the model is to predict."""
    if set_seed:
        torch.manual_seed(42)
    noise = torch.randn_like(x0) if noise is None else noise
    t = torch.randint(0, self.n_steps, (x0.shape[0],), device=x0.device)
    return (noise - self.eps_model(self.q_sample(x0, t), t)).square().sum(dim=(1, 2, 3)).mean()


@wrong("Q2.5", "DenoiseDiffusion.loss")
def loss_asks_about_x0(self, x0, noise=None, set_seed=False):
    """The model is shown x_0, which holds no noise to predict: it must be asked about x_t."""
    if set_seed:
        torch.manual_seed(42)
    noise = torch.randn_like(x0) if noise is None else noise
    t = torch.randint(0, self.n_steps, (x0.shape[0],), device=x0.device)
    return (noise - self.eps_model(x0, t)).square().sum(dim=(1, 2, 3)).mean()


@wrong("Q2.5", "DenoiseDiffusion.loss")
def loss_time_scaled(self, x0, noise=None, set_seed=False):
    """The model is given t / n_steps: it takes the integer t as it is."""
    if set_seed:
        torch.manual_seed(42)
    noise = torch.randn_like(x0) if noise is None else noise
    t = torch.randint(0, self.n_steps, (x0.shape[0],), device=x0.device)
    eps_theta = self.eps_model(self.q_sample(x0, t, eps=noise), t / self.n_steps)
    return (noise - eps_theta).square().sum(dim=(1, 2, 3)).mean()


@wrong("Q2.5", "DenoiseDiffusion.loss")
def loss_without_gradient(self, x0, noise=None, set_seed=False):
    """The loss has no gradient (item(), detach() or no_grad()): nothing can be learned from it."""
    if set_seed:
        torch.manual_seed(42)
    noise = torch.randn_like(x0) if noise is None else noise
    t = torch.randint(0, self.n_steps, (x0.shape[0],), device=x0.device)
    return (noise - self.eps_model(self.q_sample(x0, t, eps=noise), t)).square().sum(dim=(1, 2, 3)).mean().detach()


@wrong("Q2.5", "DenoiseDiffusion.loss")
def loss_returns_none(self, x0, noise=None, set_seed=False):
    """The result is None: what is computed has to be handed back with `return`, on every way through."""
    if set_seed:
        torch.manual_seed(42)
    noise = torch.randn_like(x0) if noise is None else noise
    t = torch.randint(0, self.n_steps, (x0.shape[0],), device=x0.device)
    (noise - self.eps_model(self.q_sample(x0, t, eps=noise), t)).square().sum(dim=(1, 2, 3)).mean()


@wrong("Q2.5", "DenoiseDiffusion.loss")
def loss_needs_noise(self, x0, noise=None, set_seed=False):
    """noise may be None, and then it has to be drawn: torch.randn_like(x0)."""
    if set_seed:
        torch.manual_seed(42)
    t = torch.randint(0, self.n_steps, (x0.shape[0],), device=x0.device)
    return (noise - self.eps_model(self.q_sample(x0, t, eps=noise), t)).square().sum(dim=(1, 2, 3)).mean()


@wrong("Q2.5", "DenoiseDiffusion.loss")
def loss_draws_uniform_noise(self, x0, noise=None, set_seed=False):
    """torch.rand draws uniform numbers in [0, 1): the noise is normal, torch.randn."""
    if set_seed:
        torch.manual_seed(42)
    noise = torch.rand_like(x0) if noise is None else noise
    t = torch.randint(0, self.n_steps, (x0.shape[0],), device=x0.device)
    return (noise - self.eps_model(self.q_sample(x0, t, eps=noise), t)).square().sum(dim=(1, 2, 3)).mean()


@wrong("Q2.5", "DenoiseDiffusion.loss")
def loss_shares_its_noise(self, x0, noise=None, set_seed=False):
    """All images share one noise image: every image needs its own, torch.randn_like(x0)."""
    if set_seed:
        torch.manual_seed(42)
    noise = torch.randn_like(x0[:1]).expand_as(x0) if noise is None else noise
    t = torch.randint(0, self.n_steps, (x0.shape[0],), device=x0.device)
    return (noise - self.eps_model(self.q_sample(x0, t, eps=noise), t)).square().sum(dim=(1, 2, 3)).mean()


@wrong("Q2.5", "DenoiseDiffusion.loss")
def loss_adds_the_noise_unscaled(self, x0, noise=None, set_seed=False):
    """The model is asked about x0 + noise: x_t is made by q_sample(x0, t, eps=noise)."""
    if set_seed:
        torch.manual_seed(42)
    noise = torch.randn_like(x0) if noise is None else noise
    t = torch.randint(0, self.n_steps, (x0.shape[0],), device=x0.device)
    return (noise - self.eps_model(x0 + noise, t)).square().sum(dim=(1, 2, 3)).mean()
