"""Right answers to q2_ddpm.py that look different: full marks for each of them."""

from autograder.grading.variants import right


@right("Q2.1", "DenoiseDiffusion.q_xt_x0")
def forward_in_full(self, x0, t):
    """The variance in the full shape, the schedule by plain indexing, the result as a list."""
    alpha_bar = self.alpha_bar[t][:, None, None, None]
    return [x0 * torch.sqrt(alpha_bar), (1.0 - alpha_bar) * torch.ones_like(x0)]


@right("Q2.1", "DenoiseDiffusion.q_xt_x0")
def forward_from_the_logarithms(self, x0, t):
    """alpha_bar as a sum of logarithms, in float64."""
    log_alpha_bar = torch.log1p(-self.beta.double()).cumsum(0)[t].view(-1, 1, 1, 1)
    return torch.exp(0.5 * log_alpha_bar) * x0, -torch.expm1(log_alpha_bar)


@right("Q2.2", "DenoiseDiffusion.q_sample")
def q_sample_inline(self, x0, t, eps=None):
    """q_xt_x0 is not called."""
    if eps is None:
        eps = torch.randn(x0.shape, dtype=x0.dtype)
    alpha_bar = self.gather(self.alpha_bar, t)
    return alpha_bar**0.5 * x0 + (1 - alpha_bar) ** 0.5 * eps


@right("Q2.2", "DenoiseDiffusion.q_sample")
def q_sample_by_normal(self, x0, t, eps=None):
    """torch.normal where no eps is given."""
    mean, var = self.q_xt_x0(x0=x0, t=t)
    std = torch.sqrt(var).expand_as(mean)
    return torch.normal(mean, std) if eps is None else torch.addcmul(mean, std, eps)


@right("Q2.3", "DenoiseDiffusion.p_xt_prev_xt")
def reverse_through_x0(self, xt, t):
    """The mean of the posterior at the estimated x_0 (DDPM, eqs. 7 and 15): the same on paper. No gradient."""
    with torch.no_grad():
        beta, alpha, alpha_bar = (self.gather(c, t) for c in (self.beta, self.alpha, self.alpha_bar))
        before = alpha_bar / alpha
        x0 = (xt - (1 - alpha_bar).sqrt() * self.eps_model(x=xt, t=t)) / alpha_bar.sqrt()
        mean = (before.sqrt() * beta * x0 + alpha.sqrt() * (1 - before) * xt) / (1 - alpha_bar)
        return mean, beta.expand_as(xt)


@right("Q2.3", "DenoiseDiffusion.p_xt_prev_xt")
def reverse_image_by_image(self, xt, t):
    """A loop over the batch, one - alpha for beta."""
    means, variances = [], []
    for x, s in zip(xt, t, strict=True):
        eps = self.eps_model(x[None], s[None])[0]
        coefficient = (1 - self.alpha[s]) / torch.sqrt(1 - self.alpha_bar[s])
        means.append((x - coefficient * eps) / torch.sqrt(self.alpha[s]))
        variances.append(self.sigma2[s].reshape(1, 1, 1))
    return torch.stack(means), torch.stack(variances)


@right("Q2.4", "DenoiseDiffusion.p_sample")
def p_sample_noise_left_out_by_the_first_time(self, xt, t, set_seed=False):
    """The noise of the whole batch is left out when t[0] == 0."""
    if set_seed:
        torch.manual_seed(42)
    mean, var = self.p_xt_prev_xt(xt, t)
    if t[0] == 0:
        return mean
    return mean + torch.sqrt(var) * torch.randn(xt.shape, dtype=xt.dtype, device=xt.device)


@right("Q2.4", "DenoiseDiffusion.p_sample")
def p_sample_noise_left_out_by_the_smallest_time(self, xt, t, set_seed=False):
    """The noise of the whole batch is left out when t.min() == 0; drawn first, in no_grad."""
    if set_seed:
        torch.manual_seed(42)
    with torch.no_grad():
        z = torch.randn_like(xt) if t.min() > 0 else torch.zeros_like(xt)
        mean, var = self.p_xt_prev_xt(xt, t)
        return mean + var**0.5 * z


@right("Q2.4", "DenoiseDiffusion.p_sample")
def p_sample_noise_kept(self, xt, t, set_seed=False):
    """The noise stays at t = 0; torch.normal draws it."""
    if set_seed:
        torch.manual_seed(42)
    mean, var = self.p_xt_prev_xt(xt=xt, t=t)
    return torch.normal(mean, var.sqrt().expand_as(mean))


@right("Q2.4", "DenoiseDiffusion.p_sample")
def p_sample_inline(self, xt, t, set_seed=False):
    """p_xt_prev_xt is not called."""
    if set_seed:
        torch.manual_seed(42)
    beta, alpha, alpha_bar = (self.gather(c, t) for c in (self.beta, self.alpha, self.alpha_bar))
    mean = (xt - beta / (1 - alpha_bar).sqrt() * self.eps_model(xt, t)) / alpha.sqrt()
    return mean + beta.sqrt() * torch.randn_like(xt)


@right("Q2.5", "DenoiseDiffusion.loss")
def loss_by_mse(self, x0, noise=None, set_seed=False):
    """mse_loss with a sum, divided by the batch size; times from uniform numbers, noise after them."""
    if set_seed:
        torch.manual_seed(42)
    batch_size = x0.shape[0]
    t = (torch.rand(batch_size, device=x0.device) * self.n_steps).long()
    if noise is None:
        noise = torch.randn_like(x0)
    predicted = self.eps_model(x=self.q_sample(x0, t, noise), t=t)
    return nn.functional.mse_loss(predicted, noise, reduction="sum") / batch_size


@right("Q2.5", "DenoiseDiffusion.loss")
def loss_inline(self, x0, noise=None, set_seed=False):
    """q_sample is not called."""
    if set_seed:
        torch.manual_seed(42)
    if noise is None:
        noise = torch.randn_like(x0)
    t = torch.randint(self.n_steps, (len(x0),), dtype=torch.long, device=x0.device)
    alpha_bar = self.gather(self.alpha_bar, t)
    xt = alpha_bar.sqrt() * x0 + (1 - alpha_bar).sqrt() * noise
    error = nn.functional.mse_loss(self.eps_model(xt, t), noise, reduction="none")
    return error.sum(dim=(1, 2, 3)).mean(0)


@right("Q2.5", "DenoiseDiffusion.loss")
def loss_by_moments(self, x0, noise=None, set_seed=False):
    """q_xt_x0 is called directly; antithetic pairs of times, each uniform."""
    if set_seed:
        torch.manual_seed(42)
    if noise is None:
        noise = torch.randn_like(x0)
    half = torch.randint(0, self.n_steps, (x0.shape[0] // 2 + 1,), device=x0.device)
    t = torch.cat([half, self.n_steps - 1 - half])[: x0.shape[0]]
    mean, var = self.q_xt_x0(x0, t)
    eps_theta = self.eps_model(mean + var.sqrt() * noise, t)
    return torch.einsum("bchw,bchw->", noise - eps_theta, noise - eps_theta) / x0.shape[0]


@right("Q2.5", "DenoiseDiffusion.loss")
def loss_image_by_image(self, x0, noise=None, set_seed=False):
    """A loop over the batch, one call of the model for each image."""
    if set_seed:
        torch.manual_seed(42)
    if noise is None:
        noise = torch.randn_like(x0)
    losses = []
    for x, eps in zip(x0, noise, strict=True):
        t = torch.randint(0, self.n_steps, (1,), device=x0.device)
        xt = self.q_sample(x[None], t, eps=eps[None])
        losses.append(((eps[None] - self.eps_model(xt, t)) ** 2).sum())
    return sum(losses) / len(losses)


@right("Q2.1", "DenoiseDiffusion.q_xt_x0")
def forward_by_index_select(self, x0, t):
    """index_select, unflattened; both moments as a tuple from a generator."""
    alpha_bar = self.alpha_bar.index_select(0, t.reshape(-1)).unflatten(0, (-1, 1, 1, 1))
    scale, var = (f(alpha_bar) for f in (torch.sqrt, lambda a: 1 - a))
    return scale.mul(x0), var


@right("Q2.2", "DenoiseDiffusion.q_sample")
def q_sample_by_addcmul(self, x0, t, eps=None):
    """A walrus for the moments, addcmul for the sum."""
    noise = torch.empty_like(x0).normal_() if eps is None else eps
    mean, std = (moments := self.q_xt_x0(x0, t))[0], torch.sqrt(moments[1])
    return torch.addcmul(mean, std, noise)


@right("Q2.3", "DenoiseDiffusion.p_xt_prev_xt")
def reverse_by_take(self, xt, t):
    """torch.take, and a dictionary of coefficients; the model is called by keyword."""
    at_t = {name: torch.take(getattr(self, name), t)[:, None, None, None] for name in ("beta", "alpha", "alpha_bar")}
    predicted = self.eps_model(x=xt, t=t)
    step = at_t["beta"] * torch.rsqrt(1 - at_t["alpha_bar"])
    return torch.rsqrt(at_t["alpha"]) * torch.sub(xt, step * predicted), at_t["beta"]


@right("Q2.4", "DenoiseDiffusion.p_sample")
def p_sample_by_a_mask(self, xt, t, set_seed=False):
    """Noise of torch.normal, masked image by image where t is 0."""
    if set_seed:
        torch.manual_seed(42)
    mean, var = self.p_xt_prev_xt(xt, t)
    noise = torch.normal(torch.zeros_like(xt), torch.ones_like(xt))
    return mean + (t > 0).view(-1, 1, 1, 1) * var.sqrt() * noise


@right("Q2.5", "DenoiseDiffusion.loss")
def loss_by_vector_norms(self, x0, noise=None, set_seed=False):
    """linalg.vector_norm squared, by a comprehension over the batch."""
    if set_seed:
        torch.manual_seed(42)
    t = torch.randint(self.n_steps, size=(len(x0),), device=x0.device)
    noise = noise if noise is not None else torch.randn(x0.size()).to(x0)
    residual = noise - self.eps_model(self.q_sample(x0, t, eps=noise), t)
    norms = [torch.linalg.vector_norm(each) ** 2 for each in residual]
    return torch.stack(norms).mean()
