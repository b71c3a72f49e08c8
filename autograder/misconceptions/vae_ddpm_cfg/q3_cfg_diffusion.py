"""What students get wrong in q3_cfg_diffusion.py."""

from autograder.grading.variants import wrong

# ---------------------------------------------------------------- Q3.1 get_lambda


@wrong("Q3.1", "CFGDiffusion.get_lambda")
def lambda_is_linear(self, t):
    """This schedule is linear in t; lambda is -2 log tan(a u + b), which is steep at both ends."""
    u = t.reshape(-1, 1, 1, 1) / self.n_steps
    return self.lambda_max + u * (self.lambda_min - self.lambda_max)


@wrong("Q3.1", "CFGDiffusion.get_lambda")
def lambda_rises_with_time(self, t):
    """The schedule is reversed: t = 0 is the clean end, lambda_max. Is a sign lost, or are the ends swapped?"""
    u = 1 - t.reshape(-1, 1, 1, 1) / self.n_steps
    b = torch.tensor(-self.lambda_max / 2).exp().atan()
    a = torch.tensor(-self.lambda_min / 2).exp().atan() - b
    return -2 * torch.log(torch.tan(a * u + b))


@wrong("Q3.1", "CFGDiffusion.get_lambda")
def lambda_divides_by_one_step_less(self, t):
    """u is t / n_steps, not t / (n_steps - 1): the last time of the loop does not reach lambda_min."""
    u = t.reshape(-1, 1, 1, 1) / (self.n_steps - 1)
    b = torch.tensor(-self.lambda_max / 2).exp().atan()
    a = torch.tensor(-self.lambda_min / 2).exp().atan() - b
    return -2 * torch.log(torch.tan(a * u + b))


@wrong("Q3.1", "CFGDiffusion.get_lambda")
def lambda_uses_t_for_u(self, t):
    """t is put in where u belongs: u = t / n_steps runs from 0 to 1."""
    b = torch.tensor(-self.lambda_max / 2).exp().atan()
    a = torch.tensor(-self.lambda_min / 2).exp().atan() - b
    return -2 * torch.log(torch.tan(a * t.reshape(-1, 1, 1, 1) + b))


@wrong("Q3.1", "CFGDiffusion.get_lambda")
def lambda_without_the_factor_two(self, t):
    """This is -log tan(a u + b); lambda is twice that, since it is the logarithm of alpha^2 / sigma^2."""
    u = t.reshape(-1, 1, 1, 1) / self.n_steps
    b = torch.tensor(-self.lambda_max / 2).exp().atan()
    a = torch.tensor(-self.lambda_min / 2).exp().atan() - b
    return -torch.log(torch.tan(a * u + b))


@wrong("Q3.1", "CFGDiffusion.get_lambda")
def lambda_forgets_to_subtract_b(self, t):
    """a is arctan(exp(-lambda_min / 2)) - b: without - b the angle goes past its end."""
    u = t.reshape(-1, 1, 1, 1) / self.n_steps
    b = torch.tensor(-self.lambda_max / 2).exp().atan()
    a = torch.tensor(-self.lambda_min / 2).exp().atan()
    return -2 * torch.log(torch.tan(a * u + b))


@wrong("Q3.1", "CFGDiffusion.get_lambda")
def lambda_without_halving_its_ends(self, t):
    """The ends are halved in the formula: arctan(exp(-lambda_max / 2)), and the same with lambda_min."""
    u = t.reshape(-1, 1, 1, 1) / self.n_steps
    b = torch.tensor(-self.lambda_max, dtype=torch.float64).exp().atan()
    a = torch.tensor(-self.lambda_min, dtype=torch.float64).exp().atan() - b
    return -2 * torch.log(torch.tan(a * u + b))


@wrong("Q3.1", "CFGDiffusion.get_lambda")
def lambda_in_one_dimension(self, t):
    """The values are right, but of shape (B,): images need (B, 1, 1, 1), or they broadcast along the width."""
    u = t / self.n_steps
    b = torch.tensor(-self.lambda_max / 2).exp().atan()
    a = torch.tensor(-self.lambda_min / 2).exp().atan() - b
    return -2 * torch.log(torch.tan(a * u + b))


@wrong("Q3.1", "CFGDiffusion.get_lambda")
def lambda_counts_time_from_one(self, t):
    """u is (t + 1) / n_steps: the code counts from 0, so u = t / n_steps."""
    u = (t + 1).reshape(-1, 1, 1, 1) / self.n_steps
    b = torch.tensor(-self.lambda_max / 2).exp().atan()
    a = torch.tensor(-self.lambda_min / 2).exp().atan() - b
    return -2 * torch.log(torch.tan(a * u + b))


@wrong("Q3.1", "CFGDiffusion.get_lambda")
def lambda_takes_tan_for_arctan(self, t):
    """a and b are made with tan: they are arctangents, atan(exp(-lambda_max / 2)) and the other end's."""
    u = t.reshape(-1, 1, 1, 1) / self.n_steps
    b = torch.tensor(-self.lambda_max / 2).exp().tan()
    a = torch.tensor(-self.lambda_min / 2).exp().tan() - b
    return -2 * torch.log(torch.tan(a * u + b))


@wrong("Q3.1", "CFGDiffusion.get_lambda")
def lambda_without_the_logarithm(self, t):
    """The logarithm is missing: lambda is -2 log tan(a u + b)."""
    u = t.reshape(-1, 1, 1, 1) / self.n_steps
    b = torch.tensor(-self.lambda_max / 2).exp().atan()
    a = torch.tensor(-self.lambda_min / 2).exp().atan() - b
    return -2 * torch.tan(a * u + b)


# ---------------------------------------------------------------- Q3.2 alpha_lambda


@wrong("Q3.2", "CFGDiffusion.alpha_lambda")
def alpha_is_squared(self, lambda_t):
    """This is sigmoid(lambda), which is alpha^2: its square root is missing."""
    return torch.sigmoid(lambda_t)


@wrong("Q3.2", "CFGDiffusion.alpha_lambda")
def alpha_is_sigma(self, lambda_t):
    """This is sigma_lambda: the sign of lambda is turned. A larger lambda means more image."""
    return torch.sigmoid(-lambda_t).sqrt()


@wrong("Q3.2", "CFGDiffusion.alpha_lambda")
def alpha_is_squared_sigma(self, lambda_t):
    """This is sigma^2: both the sign of lambda and the square root are missing."""
    return torch.sigmoid(-lambda_t)


@wrong("Q3.2", "CFGDiffusion.alpha_lambda")
def alpha_is_the_signal_to_noise_ratio(self, lambda_t):
    """exp(lambda / 2) is alpha / sigma; alpha alone follows from alpha^2 + sigma^2 = 1."""
    return torch.exp(lambda_t / 2)


@wrong("Q3.2", "CFGDiffusion.alpha_lambda")
def alpha_is_the_square_of_the_sigmoid(self, lambda_t):
    """The sigmoid is squared here; alpha_lambda is its square root."""
    return torch.sigmoid(lambda_t) ** 2


@wrong("Q3.2", "CFGDiffusion.alpha_lambda")
def alpha_halves_lambda(self, lambda_t):
    """This is sigmoid(lambda / 2): the square root is taken of the sigmoid, which is not the same."""
    return torch.sigmoid(lambda_t / 2)


@wrong("Q3.2", "CFGDiffusion.alpha_lambda")
def alpha_loses_small_numbers(self, lambda_t):
    """alpha^2 is computed as 1 minus a number near 1, which loses its digits where lambda is small: use the sigmoid."""
    return (1 - 1 / (1 + torch.exp(lambda_t))).sqrt()


# ---------------------------------------------------------------- Q3.3 sigma_lambda


@wrong("Q3.3", "CFGDiffusion.sigma_lambda")
def sigma_is_a_variance(self, lambda_t):
    """This is sigma^2 = 1 - alpha^2; sigma_lambda is its square root."""
    return 1 - self.alpha_lambda(lambda_t) ** 2


@wrong("Q3.3", "CFGDiffusion.sigma_lambda")
def sigma_is_one_minus_alpha(self, lambda_t):
    """This is 1 - alpha; it is the squares of alpha and sigma that add up to 1."""
    return 1 - self.alpha_lambda(lambda_t)


@wrong("Q3.3", "CFGDiffusion.sigma_lambda")
def sigma_forgets_to_square_alpha(self, lambda_t):
    """This is sqrt(1 - alpha): alpha must be squared first, since alpha_lambda gives a root."""
    return (1 - self.alpha_lambda(lambda_t)).sqrt()


@wrong("Q3.3", "CFGDiffusion.sigma_lambda")
def sigma_has_a_lower_bound(self, lambda_t):
    """sigma is kept above a bound, also where it is right that it is almost 0: at large lambda, almost all image."""
    return (1 - self.alpha_lambda(lambda_t) ** 2).clamp(min=1e-2).sqrt()


@wrong("Q3.3", "CFGDiffusion.sigma_lambda")
def sigma_is_alpha(self, lambda_t):
    """This is alpha_lambda: sigma falls as lambda grows."""
    return torch.sigmoid(lambda_t).sqrt()


@wrong("Q3.3", "CFGDiffusion.sigma_lambda")
def sigma_squares_alpha_twice(self, lambda_t):
    """alpha is squared twice: sigmoid(lambda) is alpha^2 already."""
    return (1 - torch.sigmoid(lambda_t) ** 2).sqrt()


@wrong("Q3.3", "CFGDiffusion.sigma_lambda")
def sigma_adds_alpha(self, lambda_t):
    """This is sqrt(1 + alpha^2): sigma^2 is 1 - alpha^2."""
    return (1 + self.alpha_lambda(lambda_t) ** 2).sqrt()


@wrong("Q3.3", "CFGDiffusion.sigma_lambda")
def sigma_is_the_noise_to_signal_ratio(self, lambda_t):
    """exp(-lambda / 2) is sigma / alpha; sigma alone follows from alpha^2 + sigma^2 = 1."""
    return torch.exp(-lambda_t / 2)


# ---------------------------------------------------------------- Q3.4 q_sample


@wrong("Q3.4", "CFGDiffusion.q_sample")
def q_sample_swaps_alpha_and_sigma(self, x, lambda_t, noise):
    """alpha and sigma are swapped: alpha belongs to the image, sigma to the noise."""
    return self.sigma_lambda(lambda_t) * x + self.alpha_lambda(lambda_t) * noise


@wrong("Q3.4", "CFGDiffusion.q_sample")
def q_sample_scales_noise_by_the_variance(self, x, lambda_t, noise):
    """The noise is scaled by sigma^2; a standard deviation is sigma."""
    return self.alpha_lambda(lambda_t) * x + self.sigma_lambda(lambda_t) ** 2 * noise


@wrong("Q3.4", "CFGDiffusion.q_sample")
def q_sample_takes_the_root_of_sigma(self, x, lambda_t, noise):
    """sigma_lambda is a standard deviation already: no square root is needed."""
    return self.alpha_lambda(lambda_t) * x + self.sigma_lambda(lambda_t).sqrt() * noise


@wrong("Q3.4", "CFGDiffusion.q_sample")
def q_sample_takes_roots_of_both(self, x, lambda_t, noise):
    """alpha_lambda and sigma_lambda are roots already: z is alpha x + sigma noise, without square roots."""
    return self.alpha_lambda(lambda_t).sqrt() * x + self.sigma_lambda(lambda_t).sqrt() * noise


@wrong("Q3.4", "CFGDiffusion.q_sample")
def q_sample_draws_its_own_noise(self, x, lambda_t, noise):
    """The noise that is handed in is not used: other noise is drawn instead."""
    return self.alpha_lambda(lambda_t) * x + self.sigma_lambda(lambda_t) * torch.randn_like(x)


@wrong("Q3.4", "CFGDiffusion.q_sample")
def q_sample_keeps_the_whole_image(self, x, lambda_t, noise):
    """The image is not scaled: its factor is alpha_lambda."""
    return x + self.sigma_lambda(lambda_t) * noise


@wrong("Q3.4", "CFGDiffusion.q_sample")
def q_sample_subtracts_the_noise(self, x, lambda_t, noise):
    """The noise is subtracted: the model learns to predict the noise that was added."""
    return self.alpha_lambda(lambda_t) * x - self.sigma_lambda(lambda_t) * noise


@wrong("Q3.4", "CFGDiffusion.q_sample")
def q_sample_squares_alpha_and_sigma(self, x, lambda_t, noise):
    """alpha and sigma are squared: z is alpha x + sigma noise."""
    return self.alpha_lambda(lambda_t) ** 2 * x + self.sigma_lambda(lambda_t) ** 2 * noise


@wrong("Q3.4", "CFGDiffusion.q_sample")
def q_sample_squares_alpha(self, x, lambda_t, noise):
    """The image is scaled by alpha^2: its factor is alpha."""
    return self.alpha_lambda(lambda_t) ** 2 * x + self.sigma_lambda(lambda_t) * noise


@wrong("Q3.4", "CFGDiffusion.q_sample")
def q_sample_takes_the_root_of_alpha(self, x, lambda_t, noise):
    """alpha_lambda is a root already: z is alpha x + sigma noise, without a square root."""
    return self.alpha_lambda(lambda_t).sqrt() * x + self.sigma_lambda(lambda_t) * noise


@wrong("Q3.4", "CFGDiffusion.q_sample")
def q_sample_adds_noise_unscaled(self, x, lambda_t, noise):
    """The noise is not scaled: its factor is sigma_lambda."""
    return self.alpha_lambda(lambda_t) * x + noise


@wrong("Q3.4", "CFGDiffusion.q_sample")
def q_sample_scales_the_noise_by_alpha_too(self, x, lambda_t, noise):
    """The noise is multiplied by alpha as well: alpha belongs to the image alone."""
    return self.alpha_lambda(lambda_t) * (x + self.sigma_lambda(lambda_t) * noise)


@wrong("Q3.4", "CFGDiffusion.q_sample")
def q_sample_is_clipped(self, x, lambda_t, noise):
    """The result is clipped to [-1, 1]: z is noisy, and its noise goes beyond that."""
    return (self.alpha_lambda(lambda_t) * x + self.sigma_lambda(lambda_t) * noise).clamp(-1, 1)


# ---------------------------------------------------------------- Q3.5 sigma_q


@wrong("Q3.5", "CFGDiffusion.sigma_q")
def sigma_q_is_a_variance(self, lambda_t, lambda_t_prim):
    """This is the variance of eq. 2; sigma_q is its square root."""
    return (1 - self.get_exp_ratio(lambda_t, lambda_t_prim)) * self.sigma_lambda(lambda_t) ** 2


@wrong("Q3.5", "CFGDiffusion.sigma_q")
def sigma_q_is_sigma_q_x(self, lambda_t, lambda_t_prim):
    """This has sigma of lambda', as sigma_q_x; in sigma_q it is that of lambda, the noisier level."""
    return (1 - self.get_exp_ratio(lambda_t, lambda_t_prim)).sqrt() * self.sigma_lambda(lambda_t_prim)


@wrong("Q3.5", "CFGDiffusion.sigma_q")
def sigma_q_inverts_the_ratio(self, lambda_t, lambda_t_prim):
    """The ratio is upside down: exp(lambda' - lambda) is above 1, so its root is not a number."""
    return (1 - self.get_exp_ratio(lambda_t_prim, lambda_t)).sqrt() * self.sigma_lambda(lambda_t)


@wrong("Q3.5", "CFGDiffusion.sigma_q")
def sigma_q_forgets_one_minus(self, lambda_t, lambda_t_prim):
    """The factor is 1 - exp(lambda - lambda'), not the ratio itself."""
    return self.get_exp_ratio(lambda_t, lambda_t_prim).sqrt() * self.sigma_lambda(lambda_t)


@wrong("Q3.5", "CFGDiffusion.sigma_q")
def sigma_q_roots_only_sigma(self, lambda_t, lambda_t_prim):
    """The factor 1 - exp(lambda - lambda') belongs under the square root too."""
    return (1 - self.get_exp_ratio(lambda_t, lambda_t_prim)) * self.sigma_lambda(lambda_t)


@wrong("Q3.5", "CFGDiffusion.sigma_q")
def sigma_q_forgets_to_square_sigma(self, lambda_t, lambda_t_prim):
    """Under the square root stands sigma_lambda^2; sigma_lambda is not squared here."""
    return ((1 - self.get_exp_ratio(lambda_t, lambda_t_prim)) * self.sigma_lambda(lambda_t)).sqrt()


@wrong("Q3.5", "CFGDiffusion.sigma_q")
def sigma_q_adds_the_ratio(self, lambda_t, lambda_t_prim):
    """The factor is 1 - exp(lambda - lambda'): here the ratio is added."""
    return (1 + self.get_exp_ratio(lambda_t, lambda_t_prim)).sqrt() * self.sigma_lambda(lambda_t)


@wrong("Q3.5", "CFGDiffusion.sigma_q")
def sigma_q_scales_the_ratio_only(self, lambda_t, lambda_t_prim):
    """Only the ratio is multiplied by sigma^2: mind the brackets, it is (1 - exp(lambda - lambda')) sigma^2."""
    return (1 - self.get_exp_ratio(lambda_t, lambda_t_prim) * self.sigma_lambda(lambda_t) ** 2).sqrt()


@wrong("Q3.5", "CFGDiffusion.sigma_q")
def sigma_q_takes_alpha(self, lambda_t, lambda_t_prim):
    """alpha_lambda stands where sigma_lambda belongs."""
    return (1 - self.get_exp_ratio(lambda_t, lambda_t_prim)).sqrt() * self.alpha_lambda(lambda_t)


@wrong("Q3.5", "CFGDiffusion.sigma_q")
def sigma_q_is_sigma(self, lambda_t, lambda_t_prim):
    """This is sigma_lambda alone: the factor sqrt(1 - exp(lambda - lambda')) is missing."""
    return self.sigma_lambda(lambda_t) + 0 * lambda_t_prim


# ---------------------------------------------------------------- Q3.6 sigma_q_x


@wrong("Q3.6", "CFGDiffusion.sigma_q_x")
def sigma_q_x_is_a_variance(self, lambda_t, lambda_t_prim):
    """This is the variance of eq. 3; sigma_q_x is its square root."""
    return (1 - self.get_exp_ratio(lambda_t, lambda_t_prim)) * self.sigma_lambda(lambda_t_prim) ** 2


@wrong("Q3.6", "CFGDiffusion.sigma_q_x")
def sigma_q_x_is_sigma_q(self, lambda_t, lambda_t_prim):
    """This has sigma of lambda, as sigma_q; in sigma_q_x it is that of lambda', the cleaner level."""
    return (1 - self.get_exp_ratio(lambda_t, lambda_t_prim)).sqrt() * self.sigma_lambda(lambda_t)


@wrong("Q3.6", "CFGDiffusion.sigma_q_x")
def sigma_q_x_inverts_the_ratio(self, lambda_t, lambda_t_prim):
    """The ratio is upside down: exp(lambda' - lambda) is above 1, so its root is not a number."""
    return (1 - self.get_exp_ratio(lambda_t_prim, lambda_t)).sqrt() * self.sigma_lambda(lambda_t_prim)


@wrong("Q3.6", "CFGDiffusion.sigma_q_x")
def sigma_q_x_roots_only_sigma(self, lambda_t, lambda_t_prim):
    """The factor 1 - exp(lambda - lambda') belongs under the square root too."""
    return (1 - self.get_exp_ratio(lambda_t, lambda_t_prim)) * self.sigma_lambda(lambda_t_prim)


@wrong("Q3.6", "CFGDiffusion.sigma_q_x")
def sigma_q_x_forgets_to_square_sigma(self, lambda_t, lambda_t_prim):
    """Under the square root stands sigma_lambda'^2; sigma_lambda' is not squared here."""
    return ((1 - self.get_exp_ratio(lambda_t, lambda_t_prim)) * self.sigma_lambda(lambda_t_prim)).sqrt()


@wrong("Q3.6", "CFGDiffusion.sigma_q_x")
def sigma_q_x_forgets_one_minus(self, lambda_t, lambda_t_prim):
    """The factor is 1 - exp(lambda - lambda'), not the ratio itself."""
    return self.get_exp_ratio(lambda_t, lambda_t_prim).sqrt() * self.sigma_lambda(lambda_t_prim)


@wrong("Q3.6", "CFGDiffusion.sigma_q_x")
def sigma_q_x_takes_alpha(self, lambda_t, lambda_t_prim):
    """alpha stands where sigma of lambda' belongs."""
    return (1 - self.get_exp_ratio(lambda_t, lambda_t_prim)).sqrt() * self.alpha_lambda(lambda_t_prim)


@wrong("Q3.6", "CFGDiffusion.sigma_q_x")
def sigma_q_x_scales_the_ratio_only(self, lambda_t, lambda_t_prim):
    """Only the ratio is multiplied by sigma'^2: mind the brackets, it is (1 - exp(lambda - lambda')) sigma'^2."""
    return (1 - self.get_exp_ratio(lambda_t, lambda_t_prim) * self.sigma_lambda(lambda_t_prim) ** 2).sqrt()


# ---------------------------------------------------------------- Q3.7 mu_p_theta


@wrong("Q3.7", "CFGDiffusion.mu_p_theta")
def mean_swaps_z_and_x(self, z_lambda_t, x, lambda_t, lambda_t_prim):
    """z and x have changed places: exp(lambda - lambda') alpha' / alpha belongs to z."""
    ratio = self.get_exp_ratio(lambda_t, lambda_t_prim)
    alpha, alpha_prim = self.alpha_lambda(lambda_t), self.alpha_lambda(lambda_t_prim)
    return ratio * (alpha_prim / alpha) * x + (1 - ratio) * alpha_prim * z_lambda_t


@wrong("Q3.7", "CFGDiffusion.mu_p_theta")
def mean_swaps_its_weights(self, z_lambda_t, x, lambda_t, lambda_t_prim):
    """The weights exp(lambda - lambda') and 1 - exp(lambda - lambda') are swapped."""
    ratio = self.get_exp_ratio(lambda_t, lambda_t_prim)
    alpha, alpha_prim = self.alpha_lambda(lambda_t), self.alpha_lambda(lambda_t_prim)
    return (1 - ratio) * (alpha_prim / alpha) * z_lambda_t + ratio * alpha_prim * x


@wrong("Q3.7", "CFGDiffusion.mu_p_theta")
def mean_inverts_the_alphas(self, z_lambda_t, x, lambda_t, lambda_t_prim):
    """z is scaled by alpha / alpha'; it goes to the cleaner level, so the factor is alpha' / alpha."""
    ratio = self.get_exp_ratio(lambda_t, lambda_t_prim)
    alpha, alpha_prim = self.alpha_lambda(lambda_t), self.alpha_lambda(lambda_t_prim)
    return ratio * (alpha / alpha_prim) * z_lambda_t + (1 - ratio) * alpha_prim * x


@wrong("Q3.7", "CFGDiffusion.mu_p_theta")
def mean_scales_x_by_alpha_of_lambda(self, z_lambda_t, x, lambda_t, lambda_t_prim):
    """x is scaled by alpha of lambda; the mean is at the cleaner level, so it is alpha of lambda'."""
    ratio = self.get_exp_ratio(lambda_t, lambda_t_prim)
    alpha, alpha_prim = self.alpha_lambda(lambda_t), self.alpha_lambda(lambda_t_prim)
    return ratio * (alpha_prim / alpha) * z_lambda_t + (1 - ratio) * alpha * x


@wrong("Q3.7", "CFGDiffusion.mu_p_theta")
def mean_forgets_alpha_of_x(self, z_lambda_t, x, lambda_t, lambda_t_prim):
    """x is not scaled by alpha': the mean of a level has its images scaled."""
    ratio = self.get_exp_ratio(lambda_t, lambda_t_prim)
    alpha, alpha_prim = self.alpha_lambda(lambda_t), self.alpha_lambda(lambda_t_prim)
    return ratio * (alpha_prim / alpha) * z_lambda_t + (1 - ratio) * x


@wrong("Q3.7", "CFGDiffusion.mu_p_theta")
def mean_inverts_the_ratio(self, z_lambda_t, x, lambda_t, lambda_t_prim):
    """The ratio is upside down: exp(lambda' - lambda) is above 1 and cannot be a weight."""
    ratio = self.get_exp_ratio(lambda_t_prim, lambda_t)
    alpha, alpha_prim = self.alpha_lambda(lambda_t), self.alpha_lambda(lambda_t_prim)
    return ratio * (alpha_prim / alpha) * z_lambda_t + (1 - ratio) * alpha_prim * x


@wrong("Q3.7", "CFGDiffusion.mu_p_theta")
def mean_is_that_of_the_forward_process(self, z_lambda_t, x, lambda_t, lambda_t_prim):
    """This is alpha' x, the mean when z is not known; the mean of eq. 3 uses z too."""
    return self.alpha_lambda(lambda_t_prim) * x + 0 * z_lambda_t


@wrong("Q3.7", "CFGDiffusion.mu_p_theta")
def mean_scales_x_by_both_alphas(self, z_lambda_t, x, lambda_t, lambda_t_prim):
    """x is scaled by alpha' / alpha: its factor is alpha' alone, only z has been scaled by alpha."""
    ratio = self.get_exp_ratio(lambda_t, lambda_t_prim)
    scale = self.alpha_lambda(lambda_t_prim) / self.alpha_lambda(lambda_t)
    return ratio * scale * z_lambda_t + (1 - ratio) * scale * x


@wrong("Q3.7", "CFGDiffusion.mu_p_theta")
def mean_subtracts_x(self, z_lambda_t, x, lambda_t, lambda_t_prim):
    """The term of x is subtracted: both terms are added."""
    ratio = self.get_exp_ratio(lambda_t, lambda_t_prim)
    alpha, alpha_prim = self.alpha_lambda(lambda_t), self.alpha_lambda(lambda_t_prim)
    return ratio * (alpha_prim / alpha) * z_lambda_t - (1 - ratio) * alpha_prim * x


@wrong("Q3.7", "CFGDiffusion.mu_p_theta")
def mean_forgets_the_alphas_of_z(self, z_lambda_t, x, lambda_t, lambda_t_prim):
    """z is not rescaled: its factor is exp(lambda - lambda') alpha' / alpha, and the alphas are missing."""
    ratio = self.get_exp_ratio(lambda_t, lambda_t_prim)
    return ratio * z_lambda_t + (1 - ratio) * self.alpha_lambda(lambda_t_prim) * x


@wrong("Q3.7", "CFGDiffusion.mu_p_theta")
def mean_forgets_the_ratio_of_z(self, z_lambda_t, x, lambda_t, lambda_t_prim):
    """The weight exp(lambda - lambda') of z is missing."""
    ratio = self.get_exp_ratio(lambda_t, lambda_t_prim)
    alpha, alpha_prim = self.alpha_lambda(lambda_t), self.alpha_lambda(lambda_t_prim)
    return alpha_prim / alpha * z_lambda_t + (1 - ratio) * alpha_prim * x


@wrong("Q3.7", "CFGDiffusion.mu_p_theta")
def mean_forgets_brackets(self, z_lambda_t, x, lambda_t, lambda_t_prim):
    """The brackets of 1 - exp(lambda - lambda') are missing: here 1 is added, and the ratio's product with x
    subtracted."""
    ratio = self.get_exp_ratio(lambda_t, lambda_t_prim)
    alpha, alpha_prim = self.alpha_lambda(lambda_t), self.alpha_lambda(lambda_t_prim)
    return ratio * (alpha_prim / alpha) * z_lambda_t + 1 - ratio * alpha_prim * x


@wrong("Q3.7", "CFGDiffusion.mu_p_theta")
def mean_clips_x(self, z_lambda_t, x, lambda_t, lambda_t_prim):
    """x is clipped to [-1, 1]: the mean takes it as it is."""
    ratio = self.get_exp_ratio(lambda_t, lambda_t_prim)
    alpha, alpha_prim = self.alpha_lambda(lambda_t), self.alpha_lambda(lambda_t_prim)
    return ratio * (alpha_prim / alpha) * z_lambda_t + (1 - ratio) * alpha_prim * x.clamp(-1, 1)


@wrong("Q3.7", "CFGDiffusion.mu_p_theta")
def mean_exchanges_the_levels(self, z_lambda_t, x, lambda_t, lambda_t_prim):
    """lambda and lambda' are exchanged: lambda is the level of z, and lambda' the cleaner one, which the step goes
    to."""
    ratio = self.get_exp_ratio(lambda_t_prim, lambda_t)
    alpha, alpha_prim = self.alpha_lambda(lambda_t_prim), self.alpha_lambda(lambda_t)
    return ratio * (alpha_prim / alpha) * z_lambda_t + (1 - ratio) * alpha_prim * x


# ---------------------------------------------------------------- Q3.8 var_p_theta


@wrong("Q3.8", "CFGDiffusion.var_p_theta")
def variance_is_an_arithmetic_mean(self, lambda_t, lambda_t_prim, v=0.3):
    """The two variances are averaged; eq. 4 multiplies powers of them (the mean of their logarithms)."""
    return (1 - v) * self.sigma_q_x(lambda_t, lambda_t_prim) ** 2 + v * self.sigma_q(lambda_t, lambda_t_prim) ** 2


@wrong("Q3.8", "CFGDiffusion.var_p_theta")
def variance_swaps_v(self, lambda_t, lambda_t_prim, v=0.3):
    """v and 1 - v are swapped: v = 0 gives sigma_q_x^2."""
    variance_q, variance_q_x = self.sigma_q(lambda_t, lambda_t_prim) ** 2, self.sigma_q_x(lambda_t, lambda_t_prim) ** 2
    return variance_q_x**v * variance_q ** (1 - v)


@wrong("Q3.8", "CFGDiffusion.var_p_theta")
def variance_ignores_v(self, lambda_t, lambda_t_prim, v=0.3):
    """The power is always 0.3, whatever v is."""
    variance_q, variance_q_x = self.sigma_q(lambda_t, lambda_t_prim) ** 2, self.sigma_q_x(lambda_t, lambda_t_prim) ** 2
    return variance_q_x**0.7 * variance_q**0.3


@wrong("Q3.8", "CFGDiffusion.var_p_theta")
def variance_is_a_standard_deviation(self, lambda_t, lambda_t_prim, v=0.3):
    """sigma_q and sigma_q_x are standard deviations: square them, or the result is one too."""
    return self.sigma_q_x(lambda_t, lambda_t_prim) ** (1 - v) * self.sigma_q(lambda_t, lambda_t_prim) ** v


@wrong("Q3.8", "CFGDiffusion.var_p_theta")
def variance_adds_its_factors(self, lambda_t, lambda_t_prim, v=0.3):
    """The two powers are added; eq. 4 multiplies them."""
    variance_q, variance_q_x = self.sigma_q(lambda_t, lambda_t_prim) ** 2, self.sigma_q_x(lambda_t, lambda_t_prim) ** 2
    return variance_q_x ** (1 - v) + variance_q**v


@wrong("Q3.8", "CFGDiffusion.var_p_theta")
def variance_is_only_sigma_q_x(self, lambda_t, lambda_t_prim, v=0.3):
    """This is sigma_q_x^2 for every v; eq. 4 goes on to sigma_q^2 as v grows."""
    return self.sigma_q_x(lambda_t, lambda_t_prim) ** 2


@wrong("Q3.8", "CFGDiffusion.var_p_theta")
def variance_multiplies_by_v(self, lambda_t, lambda_t_prim, v=0.3):
    """The variances are multiplied by 1 - v and v: these are their powers."""
    variance_q, variance_q_x = self.sigma_q(lambda_t, lambda_t_prim) ** 2, self.sigma_q_x(lambda_t, lambda_t_prim) ** 2
    return variance_q_x * (1 - v) * variance_q * v


@wrong("Q3.8", "CFGDiffusion.var_p_theta")
def variance_is_only_sigma_q(self, lambda_t, lambda_t_prim, v=0.3):
    """This is sigma_q^2 for every v; eq. 4 starts from sigma_q_x^2 at v = 0."""
    return self.sigma_q(lambda_t, lambda_t_prim) ** 2


@wrong("Q3.8", "CFGDiffusion.var_p_theta")
def variance_powers_of_powers(self, lambda_t, lambda_t_prim, v=0.3):
    """`s ** 2 ** v` is s ** (2 ** v): powers are taken from the right, so put s ** 2 into brackets."""
    return self.sigma_q_x(lambda_t, lambda_t_prim) ** 2 ** (1 - v) * self.sigma_q(lambda_t, lambda_t_prim) ** 2**v


# ---------------------------------------------------------------- Q3.9 p_sample


@wrong("Q3.9", "CFGDiffusion.p_sample")
def p_sample_scales_noise_by_the_variance(self, z_lambda_t, lambda_t, lambda_t_prim, x_t, set_seed=False):
    """The noise is multiplied by the variance; its standard deviation is the square root of var_p_theta."""
    mean = self.mu_p_theta(z_lambda_t, x_t, lambda_t, lambda_t_prim)
    return mean + self.var_p_theta(lambda_t, lambda_t_prim) * torch.randn_like(z_lambda_t)


@wrong("Q3.9", "CFGDiffusion.p_sample")
def p_sample_adds_no_noise(self, z_lambda_t, lambda_t, lambda_t_prim, x_t, set_seed=False):
    """This is the mean of the step; a draw from it has noise of variance var_p_theta too."""
    return self.mu_p_theta(z_lambda_t, x_t, lambda_t, lambda_t_prim)


@wrong("Q3.9", "CFGDiffusion.p_sample")
def p_sample_returns_x(self, z_lambda_t, lambda_t, lambda_t_prim, x_t, set_seed=False):
    """What is returned is around x_t, the predicted image; the step's mean is mu_p_theta of z and x_t."""
    return x_t + self.var_p_theta(lambda_t, lambda_t_prim).sqrt() * torch.randn_like(z_lambda_t)


@wrong("Q3.9", "CFGDiffusion.p_sample")
def p_sample_stays_at_z(self, z_lambda_t, lambda_t, lambda_t_prim, x_t, set_seed=False):
    """The noise is added to z_lambda_t; the step's mean is mu_p_theta of z and x_t."""
    return z_lambda_t + self.var_p_theta(lambda_t, lambda_t_prim).sqrt() * torch.randn_like(z_lambda_t)


@wrong("Q3.9", "CFGDiffusion.p_sample")
def p_sample_swaps_z_and_x(self, z_lambda_t, lambda_t, lambda_t_prim, x_t, set_seed=False):
    """z and x_t are swapped in the call of mu_p_theta: z_lambda_t comes first."""
    mean = self.mu_p_theta(x_t, z_lambda_t, lambda_t, lambda_t_prim)
    return mean + self.var_p_theta(lambda_t, lambda_t_prim).sqrt() * torch.randn_like(z_lambda_t)


@wrong("Q3.9", "CFGDiffusion.p_sample")
def p_sample_draws_uniform_noise(self, z_lambda_t, lambda_t, lambda_t_prim, x_t, set_seed=False):
    """torch.rand_like is uniform on [0, 1); the noise is normal: torch.randn_like."""
    mean = self.mu_p_theta(z_lambda_t, x_t, lambda_t, lambda_t_prim)
    return mean + self.var_p_theta(lambda_t, lambda_t_prim).sqrt() * torch.rand_like(z_lambda_t)


@wrong("Q3.9", "CFGDiffusion.p_sample")
def p_sample_shares_its_noise(self, z_lambda_t, lambda_t, lambda_t_prim, x_t, set_seed=False):
    """All images share one noise image: every image needs its own, torch.randn_like(z_lambda_t)."""
    mean = self.mu_p_theta(z_lambda_t, x_t, lambda_t, lambda_t_prim)
    return mean + self.var_p_theta(lambda_t, lambda_t_prim).sqrt() * torch.randn(
        1, *z_lambda_t.shape[1:], device=z_lambda_t.device
    )


@wrong("Q3.9", "CFGDiffusion.p_sample")
def p_sample_draws_one_number_per_image(self, z_lambda_t, lambda_t, lambda_t_prim, x_t, set_seed=False):
    """The noise has the shape of lambda, one number for a whole image: draw it in the shape of z."""
    mean = self.mu_p_theta(z_lambda_t, x_t, lambda_t, lambda_t_prim)
    return mean + self.var_p_theta(lambda_t, lambda_t_prim).sqrt() * torch.randn_like(lambda_t)


@wrong("Q3.9", "CFGDiffusion.p_sample")
def p_sample_uses_the_noise_of_sigma_q_x(self, z_lambda_t, lambda_t, lambda_t_prim, x_t, set_seed=False):
    """The noise has the standard deviation sigma_q_x; the reverse step of eq. 4 takes var_p_theta."""
    mean = self.mu_p_theta(z_lambda_t, x_t, lambda_t, lambda_t_prim)
    return mean + self.sigma_q_x(lambda_t, lambda_t_prim) * torch.randn_like(z_lambda_t)


@wrong("Q3.9", "CFGDiffusion.p_sample")
def p_sample_uses_the_noise_of_sigma_q(self, z_lambda_t, lambda_t, lambda_t_prim, x_t, set_seed=False):
    """The noise has the standard deviation sigma_q; the reverse step of eq. 4 takes var_p_theta."""
    if set_seed:
        torch.manual_seed(42)
    mean = self.mu_p_theta(z_lambda_t, x_t, lambda_t, lambda_t_prim)
    return mean + self.sigma_q(lambda_t, lambda_t_prim) * torch.randn_like(z_lambda_t)


@wrong("Q3.9", "CFGDiffusion.p_sample")
def p_sample_clips_x(self, z_lambda_t, lambda_t, lambda_t_prim, x_t, set_seed=False):
    """x_t is clipped to [-1, 1]: Algorithm 2 takes it as it is."""
    if set_seed:
        torch.manual_seed(42)
    mean = self.mu_p_theta(z_lambda_t, x_t.clamp(-1, 1), lambda_t, lambda_t_prim)
    return mean + self.var_p_theta(lambda_t, lambda_t_prim).sqrt() * torch.randn_like(z_lambda_t)


@wrong("Q3.9", "CFGDiffusion.p_sample")
def p_sample_clips_z(self, z_lambda_t, lambda_t, lambda_t_prim, x_t, set_seed=False):
    """The result is clipped to [-1, 1]: the next z is noisy, and its noise goes beyond that."""
    if set_seed:
        torch.manual_seed(42)
    mean = self.mu_p_theta(z_lambda_t, x_t, lambda_t, lambda_t_prim)
    return (mean + self.var_p_theta(lambda_t, lambda_t_prim).sqrt() * torch.randn_like(z_lambda_t)).clamp(-1, 1)


@wrong("Q3.9", "CFGDiffusion.p_sample")
def p_sample_exchanges_the_levels(self, z_lambda_t, lambda_t, lambda_t_prim, x_t, set_seed=False):
    """lambda and lambda' are exchanged in the calls: the step goes from lambda_t, noisier, to lambda_t_prim,
    cleaner."""
    if set_seed:
        torch.manual_seed(42)
    mean = self.mu_p_theta(z_lambda_t, x_t, lambda_t_prim, lambda_t)
    return mean + self.var_p_theta(lambda_t_prim, lambda_t).sqrt() * torch.randn_like(z_lambda_t)


# ---------------------------------------------------------------- Q3.10 loss


@wrong("Q3.10", "CFGDiffusion.loss")
def cfg_loss_averages_over_pixels(self, x0, labels, noise=None, set_seed=False):
    """The squared error is averaged over pixels; it is summed over channels and pixels, and averaged over images."""
    noise = torch.randn_like(x0) if noise is None else noise
    t = torch.randint(0, self.n_steps, (x0.shape[0],), device=x0.device)
    return (noise - self.eps_model(self.q_sample(x0, self.get_lambda(t), noise), labels)).square().mean()


@wrong("Q3.10", "CFGDiffusion.loss")
def cfg_loss_sums_over_images(self, x0, labels, noise=None, set_seed=False):
    """The squared error is summed over the images too: average over the batch, or the loss grows with it."""
    noise = torch.randn_like(x0) if noise is None else noise
    t = torch.randint(0, self.n_steps, (x0.shape[0],), device=x0.device)
    return (noise - self.eps_model(self.q_sample(x0, self.get_lambda(t), noise), labels)).square().sum()


@wrong("Q3.10", "CFGDiffusion.loss")
def cfg_loss_gives_one_number_per_image(self, x0, labels, noise=None, set_seed=False):
    """There is one loss for every image; average them to a scalar."""
    noise = torch.randn_like(x0) if noise is None else noise
    t = torch.randint(0, self.n_steps, (x0.shape[0],), device=x0.device)
    eps_theta = self.eps_model(self.q_sample(x0, self.get_lambda(t), noise), labels)
    return (noise - eps_theta).square().sum(dim=(1, 2, 3))


@wrong("Q3.10", "CFGDiffusion.loss")
def cfg_loss_swaps_level_and_noise(self, x0, labels, noise=None, set_seed=False):
    """Noise and lambda are handed to q_sample in the wrong order: it takes x, lambda_t, noise."""
    noise = torch.randn_like(x0) if noise is None else noise
    t = torch.randint(0, self.n_steps, (x0.shape[0],), device=x0.device)
    eps_theta = self.eps_model(self.q_sample(x0, noise, self.get_lambda(t)), labels)
    return (noise - eps_theta).square().sum(dim=(1, 2, 3)).mean()


@wrong("Q3.10", "CFGDiffusion.loss")
def cfg_loss_forgets_the_square(self, x0, labels, noise=None, set_seed=False):
    """This is the absolute error; the loss is the squared one."""
    noise = torch.randn_like(x0) if noise is None else noise
    t = torch.randint(0, self.n_steps, (x0.shape[0],), device=x0.device)
    eps_theta = self.eps_model(self.q_sample(x0, self.get_lambda(t), noise), labels)
    return (noise - eps_theta).abs().sum(dim=(1, 2, 3)).mean()


@wrong("Q3.10", "CFGDiffusion.loss")
def cfg_loss_compares_with_the_image(self, x0, labels, noise=None, set_seed=False):
    """The prediction is compared with x0; the model predicts the noise."""
    noise = torch.randn_like(x0) if noise is None else noise
    t = torch.randint(0, self.n_steps, (x0.shape[0],), device=x0.device)
    eps_theta = self.eps_model(self.q_sample(x0, self.get_lambda(t), noise), labels)
    return (x0 - eps_theta).square().sum(dim=(1, 2, 3)).mean()


@wrong("Q3.10", "CFGDiffusion.loss")
def cfg_loss_drops_the_labels(self, x0, labels, noise=None, set_seed=False):
    """The model is asked without labels, so it never learns what they mean: eps_model(z, labels)."""
    noise = torch.randn_like(x0) if noise is None else noise
    t = torch.randint(0, self.n_steps, (x0.shape[0],), device=x0.device)
    eps_theta = self.eps_model(self.q_sample(x0, self.get_lambda(t), noise), None)
    return (noise - eps_theta).square().sum(dim=(1, 2, 3)).mean()


@wrong("Q3.10", "CFGDiffusion.loss")
def cfg_loss_passes_the_time(self, x0, labels, noise=None, set_seed=False):
    """eps_model gets a time or a level here, but this network is called as eps_model(z, labels)."""
    noise = torch.randn_like(x0) if noise is None else noise
    t = torch.randint(0, self.n_steps, (x0.shape[0],), device=x0.device)
    eps_theta = self.eps_model(self.q_sample(x0, self.get_lambda(t), noise), t, labels)
    return (noise - eps_theta).square().sum(dim=(1, 2, 3)).mean()


@wrong("Q3.10", "CFGDiffusion.loss")
def cfg_loss_needs_labels(self, x0, labels, noise=None, set_seed=False):
    """labels=None is not handled: hand it on to eps_model, which then makes its unconditional prediction."""
    noise = torch.randn_like(x0) if noise is None else noise
    t = torch.randint(0, self.n_steps, (x0.shape[0],), device=x0.device)
    eps_theta = self.eps_model(self.q_sample(x0, self.get_lambda(t), noise), labels.long())
    return (noise - eps_theta).square().sum(dim=(1, 2, 3)).mean()


@wrong("Q3.10", "CFGDiffusion.loss")
def cfg_loss_takes_label_zero_for_none(self, x0, labels, noise=None, set_seed=False):
    """Without labels the class 0 is asked for; hand None on to eps_model instead."""
    noise = torch.randn_like(x0) if noise is None else noise
    labels = torch.zeros(x0.shape[0], dtype=torch.long, device=x0.device) if labels is None else labels
    t = torch.randint(0, self.n_steps, (x0.shape[0],), device=x0.device)
    eps_theta = self.eps_model(self.q_sample(x0, self.get_lambda(t), noise), labels)
    return (noise - eps_theta).square().sum(dim=(1, 2, 3)).mean()


@wrong("Q3.10", "CFGDiffusion.loss")
def cfg_loss_draws_one_time(self, x0, labels, noise=None, set_seed=False):
    """One time is drawn for the whole batch; every image has a time of its own."""
    noise = torch.randn_like(x0) if noise is None else noise
    t = torch.randint(0, self.n_steps, (1,), device=x0.device).expand(x0.shape[0])
    eps_theta = self.eps_model(self.q_sample(x0, self.get_lambda(t), noise), labels)
    return (noise - eps_theta).square().sum(dim=(1, 2, 3)).mean()


@wrong("Q3.10", "CFGDiffusion.loss")
def cfg_loss_draws_times_from_one(self, x0, labels, noise=None, set_seed=False):
    """The times are 1 .. n_steps here; they are 0 .. n_steps - 1."""
    noise = torch.randn_like(x0) if noise is None else noise
    t = torch.randint(1, self.n_steps + 1, (x0.shape[0],), device=x0.device)
    eps_theta = self.eps_model(self.q_sample(x0, self.get_lambda(t), noise), labels)
    return (noise - eps_theta).square().sum(dim=(1, 2, 3)).mean()


@wrong("Q3.10", "CFGDiffusion.loss")
def cfg_loss_never_draws_the_last_time(self, x0, labels, noise=None, set_seed=False):
    """The last time never occurs: the upper end of torch.randint is not among its numbers already."""
    noise = torch.randn_like(x0) if noise is None else noise
    t = torch.randint(0, self.n_steps - 1, (x0.shape[0],), device=x0.device)
    eps_theta = self.eps_model(self.q_sample(x0, self.get_lambda(t), noise), labels)
    return (noise - eps_theta).square().sum(dim=(1, 2, 3)).mean()


@wrong("Q3.10", "CFGDiffusion.loss")
def cfg_loss_hands_the_clean_image_over(self, x0, labels, noise=None, set_seed=False):
    """The model gets x0 itself; it has to find the noise in z, so it gets q_sample's result."""
    noise = torch.randn_like(x0) if noise is None else noise
    return (noise - self.eps_model(x0, labels)).square().sum(dim=(1, 2, 3)).mean()


@wrong("Q3.10", "CFGDiffusion.loss")
def cfg_loss_takes_the_time_for_lambda(self, x0, labels, noise=None, set_seed=False):
    """q_sample gets the time t; it wants the level, get_lambda(t)."""
    noise = torch.randn_like(x0) if noise is None else noise
    t = torch.randint(0, self.n_steps, (x0.shape[0],), device=x0.device)
    eps_theta = self.eps_model(self.q_sample(x0, t.reshape(-1, 1, 1, 1), noise), labels)
    return (noise - eps_theta).square().sum(dim=(1, 2, 3)).mean()


@wrong("Q3.10", "CFGDiffusion.loss")
def cfg_loss_draws_noise_again(self, x0, labels, noise=None, set_seed=False):
    """The noise handed in is replaced by a new draw: draw only where noise is None."""
    noise = torch.randn_like(x0)
    t = torch.randint(0, self.n_steps, (x0.shape[0],), device=x0.device)
    eps_theta = self.eps_model(self.q_sample(x0, self.get_lambda(t), noise), labels)
    return (noise - eps_theta).square().sum(dim=(1, 2, 3)).mean()


@wrong("Q3.10", "CFGDiffusion.loss")
def cfg_loss_draws_uniform_noise(self, x0, labels, noise=None, set_seed=False):
    """torch.rand_like is uniform on [0, 1); the noise is normal: torch.randn_like."""
    noise = torch.rand_like(x0) if noise is None else noise
    t = torch.randint(0, self.n_steps, (x0.shape[0],), device=x0.device)
    eps_theta = self.eps_model(self.q_sample(x0, self.get_lambda(t), noise), labels)
    return (noise - eps_theta).square().sum(dim=(1, 2, 3)).mean()


@wrong("Q3.10", "CFGDiffusion.loss")
def cfg_loss_is_detached(self, x0, labels, noise=None, set_seed=False):
    """The loss is cut off from the model (detach, item or no_grad), so nothing can be learned from it."""
    noise = torch.randn_like(x0) if noise is None else noise
    t = torch.randint(0, self.n_steps, (x0.shape[0],), device=x0.device)
    eps_theta = self.eps_model(self.q_sample(x0, self.get_lambda(t), noise), labels).detach()
    return (noise - eps_theta).square().sum(dim=(1, 2, 3)).mean()


@wrong("Q3.10", "CFGDiffusion.loss")
def cfg_loss_shares_its_noise(self, x0, labels, noise=None, set_seed=False):
    """All images share one noise image: every image needs its own, torch.randn_like(x0)."""
    noise = torch.randn_like(x0[:1]).expand_as(x0) if noise is None else noise
    t = torch.randint(0, self.n_steps, (x0.shape[0],), device=x0.device)
    eps_theta = self.eps_model(self.q_sample(x0, self.get_lambda(t), noise), labels)
    return (noise - eps_theta).square().sum(dim=(1, 2, 3)).mean()


@wrong("Q3.10", "CFGDiffusion.loss")
def cfg_loss_hides_other_noise(self, x0, labels, noise=None, set_seed=False):
    """z is made with other noise than the one that the prediction is compared with: hand it on to q_sample."""
    noise = torch.randn_like(x0) if noise is None else noise
    t = torch.randint(0, self.n_steps, (x0.shape[0],), device=x0.device)
    eps_theta = self.eps_model(self.q_sample(x0, self.get_lambda(t), torch.randn_like(x0)), labels)
    return (noise - eps_theta).square().sum(dim=(1, 2, 3)).mean()


@wrong("Q3.10", "CFGDiffusion.loss")
def cfg_loss_draws_times_between_zero_and_one(self, x0, labels, noise=None, set_seed=False):
    """The times are real numbers between 0 and 1: get_lambda takes the integers 0 .. n_steps - 1, torch.randint."""
    noise = torch.randn_like(x0) if noise is None else noise
    eps_theta = self.eps_model(
        self.q_sample(x0, self.get_lambda(torch.rand(x0.shape[0], device=x0.device)), noise), labels
    )
    return (noise - eps_theta).square().sum(dim=(1, 2, 3)).mean()


@wrong("Q3.10", "CFGDiffusion.loss")
def cfg_loss_half(self, x0, labels, noise=None, set_seed=False):
    """A factor 1/2 stands in front: the loss has none."""
    noise = torch.randn_like(x0) if noise is None else noise
    t = torch.randint(0, self.n_steps, (x0.shape[0],), device=x0.device)
    eps_theta = self.eps_model(self.q_sample(x0, self.get_lambda(t), noise), labels)
    return 0.5 * (noise - eps_theta).square().sum(dim=(1, 2, 3)).mean()
