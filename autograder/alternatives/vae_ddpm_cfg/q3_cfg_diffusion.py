"""Right answers to q3_cfg_diffusion.py that look different."""

from autograder.grading.variants import right


@right("Q3.1", "CFGDiffusion.get_lambda")
def lambda_image_by_image(self, t):
    """A loop over the batch, in Python's own floats."""
    import math

    b = math.atan(math.exp(-self.lambda_max / 2))
    a = math.atan(math.exp(-self.lambda_min / 2)) - b
    values = [-2 * math.log(math.tan(a * float(one) / self.n_steps + b)) for one in t]
    return torch.tensor(values).view(-1, 1, 1, 1)


@right("Q3.1", "CFGDiffusion.get_lambda")
def lambda_in_float64(self, t):
    """The angle in double precision, by sine and cosine."""
    ends = torch.tensor([-self.lambda_max / 2, -self.lambda_min / 2], dtype=torch.float64).exp().atan()
    angle = ends[0] + (ends[1] - ends[0]) * t.double() / self.n_steps
    return (2 * (angle.cos().log() - angle.sin().log()))[:, None, None, None]


@right("Q3.2", "CFGDiffusion.alpha_lambda")
def alpha_by_its_equation(self, lambda_t):
    """The equation as it stands."""
    return 1 / torch.sqrt(1 + torch.exp(-lambda_t))


@right("Q3.2", "CFGDiffusion.alpha_lambda")
def alpha_by_logsigmoid(self, lambda_t):
    """Half the logarithm, then exp."""
    return torch.exp(0.5 * torch.nn.functional.logsigmoid(lambda_t))


@right("Q3.3", "CFGDiffusion.sigma_lambda")
def sigma_from_alpha(self, lambda_t):
    """By alpha, as the docstring has it, although it cancels."""
    return torch.sqrt(1 - self.alpha_lambda(lambda_t) ** 2)


@right("Q3.3", "CFGDiffusion.sigma_lambda")
def sigma_is_alpha_of_the_opposite_level(self, lambda_t):
    """1 - sigmoid(l) = sigmoid(-l)."""
    return self.alpha_lambda(-lambda_t)


@right("Q3.4", "CFGDiffusion.q_sample")
def q_sample_inlined(self, x, lambda_t, noise):
    """Without the two methods, in place of new tensors."""
    z = torch.sigmoid(lambda_t).sqrt() * x
    return z.add_(torch.sigmoid(-lambda_t).sqrt() * noise)


@right("Q3.4", "CFGDiffusion.q_sample")
def q_sample_image_by_image(self, x, lambda_t, noise):
    """A loop over the batch."""
    alpha, sigma = self.alpha_lambda(lambda_t).flatten(), self.sigma_lambda(lambda_t).flatten()
    return torch.stack([alpha[i] * x[i] + sigma[i] * noise[i] for i in range(len(x))])


@right("Q3.5", "CFGDiffusion.sigma_q")
def sigma_q_by_expm1(self, lambda_t, lambda_t_prim):
    """No ratio, no sigma_lambda: expm1 and the sigmoid."""
    return torch.sqrt(-torch.expm1(lambda_t - lambda_t_prim)) * torch.sqrt(torch.sigmoid(-lambda_t))


@right("Q3.5", "CFGDiffusion.sigma_q")
def sigma_q_by_what_is_missing(self, lambda_t, lambda_t_prim):
    """What the noise of lambda' lacks to that of lambda, some of it by methods and some inline."""
    slope = self.alpha_lambda(lambda_t) / self.alpha_lambda(lambda_t_prim)
    return (torch.sigmoid(-lambda_t) - slope**2 * self.sigma_lambda(lambda_t_prim) ** 2).sqrt()


@right("Q3.6", "CFGDiffusion.sigma_q_x")
def sigma_q_x_from_sigma_q(self, lambda_t, lambda_t_prim):
    """sigma_q, with its sigma exchanged."""
    return self.sigma_q(lambda_t, lambda_t_prim) * self.sigma_lambda(lambda_t_prim) / self.sigma_lambda(lambda_t)


@right("Q3.6", "CFGDiffusion.sigma_q_x")
def sigma_q_x_by_alpha(self, lambda_t, lambda_t_prim):
    """sigma^2 as 1 - alpha^2, the square root first."""
    ratio = torch.exp(lambda_t) / torch.exp(lambda_t_prim)
    return torch.sqrt(1 - ratio) * torch.sqrt(1 - self.alpha_lambda(lambda_t_prim).pow(2))


@right("Q3.7", "CFGDiffusion.mu_p_theta")
def mean_as_ddpm_has_it(self, z_lambda_t, x, lambda_t, lambda_t_prim):
    """By variances: (slope sigma'^2 z + alpha' sigma_q^2 x) / sigma^2."""
    alpha_prim = self.alpha_lambda(lambda_t_prim)
    slope = self.alpha_lambda(lambda_t) / alpha_prim
    of_z = slope * self.sigma_lambda(lambda_t_prim) ** 2
    of_x = alpha_prim * self.sigma_q(lambda_t, lambda_t_prim) ** 2
    return (of_z * z_lambda_t + of_x * x) / self.sigma_lambda(lambda_t) ** 2


@right("Q3.7", "CFGDiffusion.mu_p_theta")
def mean_in_full_shape(self, z_lambda_t, x, lambda_t, lambda_t_prim):
    """The levels expanded to the images first, and everything inline."""
    l, l_prim = lambda_t.expand_as(z_lambda_t), lambda_t_prim.expand_as(x)
    alpha, alpha_prim = torch.sigmoid(l).sqrt(), torch.sigmoid(l_prim).sqrt()
    return alpha_prim * (x + torch.exp(l - l_prim) * (z_lambda_t / alpha - x))


@right("Q3.8", "CFGDiffusion.var_p_theta")
def variance_by_lerp_of_logarithms(self, lambda_t, lambda_t_prim, v=0.3):
    """A straight line between the logarithms."""
    low, high = self.sigma_q_x(lambda_t, lambda_t_prim).log(), self.sigma_q(lambda_t, lambda_t_prim).log()
    return torch.exp(2 * torch.lerp(low, high, float(v)))


@right("Q3.8", "CFGDiffusion.var_p_theta")
def variance_inlined(self, lambda_t, lambda_t_prim, v=0.3):
    """One common factor, and the two noises to their powers."""
    common = 1 - torch.exp(lambda_t - lambda_t_prim)
    return common * torch.sigmoid(-lambda_t_prim) ** (1 - v) * torch.sigmoid(-lambda_t) ** v


@right("Q3.9", "CFGDiffusion.p_sample")
def p_sample_by_torch_normal(self, z_lambda_t, lambda_t, lambda_t_prim, x_t, set_seed=False):
    """torch.normal; v handed over; seeds only when asked."""
    if set_seed:
        torch.manual_seed(42)
    mean = self.mu_p_theta(z_lambda_t, x_t, lambda_t, lambda_t_prim)
    std = self.var_p_theta(lambda_t, lambda_t_prim, v=0.3).sqrt().expand_as(mean)
    return torch.normal(mean, std)


@right("Q3.9", "CFGDiffusion.p_sample")
def p_sample_inlined(self, z_lambda_t, lambda_t, lambda_t_prim, x_t, set_seed=False):
    """Everything inline; noise drawn image by image in float32, the last image first; none at the cleanest level."""
    ratio = self.get_exp_ratio(lambda_t, lambda_t_prim)
    alpha_prim = self.alpha_lambda(lambda_t_prim)
    mean = ratio * alpha_prim / self.alpha_lambda(lambda_t) * z_lambda_t + (1 - ratio) * alpha_prim * x_t
    variance = self.sigma_q_x(lambda_t, lambda_t_prim) ** 1.4 * self.sigma_q(lambda_t, lambda_t_prim) ** 0.6
    noise = torch.stack([torch.randn(z_lambda_t.shape[1:]) for _ in range(len(z_lambda_t))]).flip(0)
    return mean + torch.where(lambda_t < self.lambda_max, variance.sqrt(), torch.zeros_like(variance)) * noise


@right("Q3.10", "CFGDiffusion.loss")
def cfg_loss_by_mse(self, x0, labels, noise=None, set_seed=False):
    """mse_loss and the batch size; times drawn before the noise; keywords."""
    if set_seed:
        torch.manual_seed(42)
    t = torch.randint(low=0, high=self.n_steps, size=(x0.size(0),), dtype=torch.long, device=x0.device)
    if noise is None:
        noise = torch.empty_like(x0).normal_()
    z = self.q_sample(x=x0, lambda_t=self.get_lambda(t=t), noise=noise)
    return torch.nn.functional.mse_loss(self.eps_model(z, labels=labels), noise, reduction="sum") / x0.shape[0]


@right("Q3.10", "CFGDiffusion.loss")
def cfg_loss_without_q_sample(self, x0, labels, noise=None, set_seed=False):
    """z from alpha and sigma; times as rounded uniform numbers; a loop over images for the sum."""
    noise = torch.randn(x0.shape, device=x0.device) if noise is None else noise
    t = (torch.rand(x0.shape[0], device=x0.device) * self.n_steps).long()
    lambda_t = self.get_lambda(t)
    z = self.alpha_lambda(lambda_t) * x0 + self.sigma_lambda(lambda_t) * noise
    predicted = self.eps_model(z, labels) if labels is not None else self.eps_model(z, None)
    return torch.stack([torch.dist(noise[i], predicted[i]) ** 2 for i in range(len(x0))]).mean()


@right("Q3.10", "CFGDiffusion.loss")
def cfg_loss_with_everything_inline(self, x0, labels, noise=None, set_seed=False):
    """The schedule too: z by cosine and sine of the angle."""
    noise = torch.randn_like(x0) if noise is None else noise
    ends = torch.tensor([-self.lambda_max / 2, -self.lambda_min / 2]).exp().atan()
    u = torch.randint(self.n_steps, (len(x0), 1, 1, 1), device=x0.device) / self.n_steps
    angle = ends[0] + (ends[1] - ends[0]) * u
    z = torch.cos(angle) * x0 + torch.sin(angle) * noise
    return (self.eps_model(z, labels) - noise).pow(2).sum(dim=[1, 2, 3]).mean(dim=0)


@right("Q3.1", "CFGDiffusion.get_lambda")
def lambda_by_numpy(self, t):
    """NumPy in the middle: no gradient is wanted through a time."""
    import numpy as np

    u = t.cpu().numpy().astype(np.float64) / self.n_steps
    b = np.arctan(np.exp(-self.lambda_max / 2))
    a = np.arctan(np.exp(-self.lambda_min / 2)) - b
    return torch.from_numpy(-2 * np.log(np.tan(a * u + b))).float().reshape(-1, 1, 1, 1)


@right("Q3.2", "CFGDiffusion.alpha_lambda")
def alpha_by_rsqrt(self, lambda_t):
    """rsqrt(1 + exp(-lambda))."""
    return torch.rsqrt(torch.exp(torch.neg(lambda_t)) + 1)


@right("Q3.3", "CFGDiffusion.sigma_lambda")
def sigma_by_softplus(self, lambda_t):
    """log sigma = -softplus(lambda) / 2."""
    return torch.nn.functional.softplus(lambda_t).div(-2).exp()


@right("Q3.4", "CFGDiffusion.q_sample")
def q_sample_by_a_matrix_product(self, x, lambda_t, noise):
    """[alpha, sigma] times [x, noise], batched."""
    weights = torch.cat([self.alpha_lambda(lambda_t), self.sigma_lambda(lambda_t)], dim=1).flatten(2)
    pair = torch.stack([x.flatten(1), noise.flatten(1)], dim=1)
    return torch.bmm(weights.reshape(-1, 1, 2).to(pair.dtype), pair).reshape(x.shape)


@right("Q3.7", "CFGDiffusion.mu_p_theta")
def mean_by_lerp(self, z_lambda_t, x, lambda_t, lambda_t_prim):
    """Between alpha' x and alpha'/alpha z, by lerp."""
    alpha, alpha_prim = map(self.alpha_lambda, (lambda_t, lambda_t_prim))
    ratio = self.get_exp_ratio(lambda_t, lambda_t_prim)
    return torch.lerp(alpha_prim * x, alpha_prim / alpha * z_lambda_t, ratio.expand_as(x))


@right("Q3.10", "CFGDiffusion.loss")
def cfg_loss_by_einsum(self, x0, labels, noise=None, set_seed=False):
    """einsum for the squares; the noise first, then the times."""
    if set_seed:
        torch.manual_seed(42)
    noise = torch.normal(0.0, 1.0, tuple(x0.shape)).to(x0) if noise is None else noise
    t = torch.randint(low=0, high=self.n_steps, size=x0.shape[:1], device=x0.device)
    residual = (self.eps_model(self.q_sample(x0, self.get_lambda(t), noise), labels) - noise).flatten(1)
    return torch.einsum("bd,bd->", residual, residual) / x0.shape[0]
