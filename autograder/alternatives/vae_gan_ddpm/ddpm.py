"""Right answers to ddpm.py that look different: full marks for each."""

from autograder.grading.variants import right


@right("Q3.1", "precompute")
def precomputes_in_float64(timesteps, beta_start=1e-4, beta_end=0.02):
    """In float64, with running products in a loop, and the posterior variance from its numerator and denominator."""
    betas = beta_start + (beta_end - beta_start) * torch.arange(timesteps, dtype=torch.float64) / (timesteps - 1)
    alphas, bars, product = 1.0 - betas, [], 1.0
    for alpha in alphas.tolist():
        product *= alpha
        bars.append(product)
    bar = torch.tensor(bars, dtype=torch.float64)
    previous = torch.roll(bar, 1)
    previous[0] = 1.0
    return Schedule(
        betas=betas,
        alphas=alphas,
        sqrt_recip_alphas=torch.sqrt(1.0 / alphas),
        alphas_cumprod=bar,
        sqrt_alphas_cumprod=torch.sqrt(bar),
        sqrt_one_minus_alphas_cumprod=torch.sqrt(1.0 - bar),
        alphas_cumprod_prev=previous,
        posterior_variance=(1 - previous) / (1 - bar) * betas,
    )


@right("Q3.1", "precompute")
def precomputes_by_logarithms(timesteps, beta_start=1e-4, beta_end=0.02):
    """exp of a cumulative sum of logarithms; padding by torch.nn.functional."""
    betas = torch.linspace(beta_start, beta_end, timesteps)
    log_bar = torch.log1p(-betas.double()).cumsum(0)
    bar = log_bar.exp()
    previous = nn.functional.pad(bar[:-1], (1, 0), value=1.0)
    variance = betas * (1 - previous) / -torch.expm1(log_bar)
    values = betas, 1 - betas, (1 - betas) ** -0.5, bar, (log_bar / 2).exp(), (1 - bar).sqrt(), previous, variance
    return Schedule(*(v.float() for v in values))


@right("Q3.2", "q_sample")
def q_sample_by_gather(schedule, x_start, t, noise=None):
    """Coefficients by gather and view."""
    if noise is None:
        noise = torch.randn(x_start.shape)
    a = schedule.sqrt_alphas_cumprod.gather(0, t).view(-1, 1, 1, 1)
    b = schedule.sqrt_one_minus_alphas_cumprod.gather(0, t).view(-1, 1, 1, 1)
    return a * x_start + b * noise


@right("Q3.2", "q_sample")
def q_sample_image_by_image(schedule, x_start, t, noise=None):
    """A loop over the batch, from alphas_cumprod."""
    noise = torch.randn_like(x_start) if noise is None else noise
    images = []
    for x, e, i in zip(x_start, noise, t.tolist(), strict=True):
        bar = schedule.alphas_cumprod[i]
        images.append(bar.sqrt() * x + (1 - bar).sqrt() * e)
    return torch.stack(images)


@right("Q3.3", "p_sample")
def p_sample_with_noise_at_the_end(schedule, model, x, t, t_index, noise=None):
    """No special case at t_index 0, where the posterior variance is 0 anyway; coefficients by t_index."""
    with torch.no_grad():
        eps = model(x, t)
    noise = torch.randn_like(x) if noise is None else noise
    alpha, bar = schedule.alphas[t_index], schedule.alphas_cumprod[t_index]
    mean = (x - (1 - alpha) / torch.sqrt(1 - bar) * eps) / torch.sqrt(alpha)
    return mean + torch.sqrt(schedule.posterior_variance[t_index]) * noise


@right("Q3.3", "p_sample")
def p_sample_through_the_predicted_image(schedule, model, x, t, t_index, noise=None):
    """The mean of the posterior at the predicted x_0, eq. (7)."""
    bar, previous = extract(schedule.alphas_cumprod, t, x), extract(schedule.alphas_cumprod_prev, t, x)
    beta = extract(schedule.betas, t, x)
    x0 = (x - (1 - bar).sqrt() * model(x, t)) / bar.sqrt()
    mean = (previous.sqrt() * beta * x0 + (1 - beta).sqrt() * (1 - previous) * x) / (1 - bar)
    if t_index == 0:
        return mean
    noise = torch.randn_like(x) if noise is None else noise
    return mean + torch.sqrt(extract(schedule.posterior_variance, t, x)) * noise


@right("Q3.4", "p_sample_loop")
def p_sample_loop_into_a_tensor(schedule, model, shape, noise=None):
    """Results into a tensor made beforehand."""
    T = schedule.betas.shape[0]
    img = torch.randn(*shape).to(schedule.betas.device) if noise is None else noise.clone()
    imgs = torch.empty(T, *shape)
    for step, i in enumerate(range(T - 1, -1, -1)):
        img = p_sample(schedule, model, img, torch.full((shape[0],), i, dtype=torch.long), i)
        imgs[step] = img
    return imgs


@right("Q3.4", "p_sample_loop")
def p_sample_loop_written_out(schedule, model, shape, noise=None):
    """Without p_sample."""
    x, images = torch.randn(shape, device=schedule.betas.device) if noise is None else noise, []
    for i in range(len(schedule.betas) - 1, -1, -1):
        t = torch.ones(shape[0], dtype=torch.long) * i
        eps = model(x, t)
        x = schedule.sqrt_recip_alphas[i] * (x - schedule.betas[i] * eps / schedule.sqrt_one_minus_alphas_cumprod[i])
        if i > 0:
            x = x + schedule.posterior_variance[i].sqrt() * torch.randn_like(x)
        images.append(x.detach())
    return torch.stack(images, dim=0)


@right("Q3.5", "p_losses")
def p_losses_by_huber(schedule, denoise_model, x_start, t, noise=None):
    """The Huber loss with delta = 1 is the smooth L1 loss."""
    noise = torch.randn_like(x_start) if noise is None else noise
    predicted = denoise_model(q_sample(schedule, x_start, t, noise=noise), t)
    return nn.functional.huber_loss(noise, predicted)


@right("Q3.5", "p_losses")
def p_losses_written_out(schedule, denoise_model, x_start, t, noise=None):
    """Neither q_sample nor a loss of PyTorch's."""
    noise = torch.randn_like(x_start) if noise is None else noise
    a, b = schedule.sqrt_alphas_cumprod[t], schedule.sqrt_one_minus_alphas_cumprod[t]
    x_t = a[:, None, None, None] * x_start + b[:, None, None, None] * noise
    d = (noise - denoise_model(x_t, t)).abs()
    return torch.where(d < 1, d**2 / 2, d - 0.5).mean()


@right("Q3.6", "t_sample")
def t_sample_by_flooring(timesteps, batch_size, device=None):
    """Real numbers, rounded down."""
    return torch.floor(torch.rand(batch_size, device=device) * timesteps).clamp(max=timesteps - 1).long()


@right("Q3.1", "precompute")
def precomputes_with_helpers(timesteps, beta_start=1e-4, beta_end=0.02):
    """roll for the previous product; a dictionary that becomes the schedule."""
    fields = {"betas": torch.linspace(beta_start, beta_end, steps=timesteps)}
    fields["alphas"] = 1.0 - fields["betas"]
    fields["sqrt_recip_alphas"] = torch.sqrt(1.0 / fields["alphas"])
    bar = fields["alphas_cumprod"] = torch.cumprod(fields["alphas"], 0)
    fields["sqrt_alphas_cumprod"], fields["sqrt_one_minus_alphas_cumprod"] = bar**0.5, (1.0 - bar) ** 0.5
    before = bar.roll(1)
    before[0] = 1.0
    fields["alphas_cumprod_prev"] = before
    fields["posterior_variance"] = fields["betas"] * (1.0 - before) / (1.0 - bar)
    return Schedule(**fields)


@right("Q3.2", "q_sample")
def q_sample_by_lookup(schedule, x_start, t, noise=None):
    """index_select, broadcast by einsum."""
    noise = torch.normal(0.0, 1.0, tuple(x_start.shape)).to(x_start) if noise is None else noise
    scale, std = (c.index_select(0, t) for c in (schedule.sqrt_alphas_cumprod, schedule.sqrt_one_minus_alphas_cumprod))
    return torch.einsum("b,b...->b...", scale, x_start) + torch.einsum("b,b...->b...", std, noise)


@right("Q3.5", "p_losses")
def p_losses_by_a_module(schedule, denoise_model, x_start, t, noise=None):
    """The loss as a module; everything by keyword where it is our own function."""
    if (eps := noise) is None:
        eps = torch.randn(*x_start.shape).to(x_start)
    return nn.SmoothL1Loss()(denoise_model(q_sample(schedule, x_start, t, noise=eps), t), eps)


@right("Q3.6", "t_sample")
def t_sample_by_a_generator_of_floats(timesteps, batch_size, device=None):
    """Uniform numbers, scaled and truncated, int64."""
    return torch.empty(batch_size, device=device).uniform_(0, 1).mul(timesteps).long().clamp(max=timesteps - 1)


@right("Q3.5", "p_losses")
def losses_image_by_image(schedule, denoise_model, x_start, t, noise=None):
    """A loop over the images, whose losses are averaged."""
    noise = torch.randn_like(x_start) if noise is None else noise
    losses = []
    for i in range(len(x_start)):
        one = slice(i, i + 1)
        predicted = denoise_model(q_sample(schedule, x_start[one], t[one], noise[one]), t[one])
        losses.append(nn.functional.smooth_l1_loss(predicted, noise[one]))
    return torch.stack(losses).mean()


@right("Q3.3", "p_sample")
def p_sample_image_by_image(schedule, model, x, t, t_index, noise=None):
    """One image at a time."""
    noise = torch.randn_like(x) if noise is None else noise
    images = []
    with torch.no_grad():
        for i in range(len(x)):
            e = model(x[i : i + 1], t[i : i + 1])
            mean = schedule.sqrt_recip_alphas[t_index] * (
                x[i : i + 1] - schedule.betas[t_index] / schedule.sqrt_one_minus_alphas_cumprod[t_index] * e
            )
            images.append(mean + schedule.posterior_variance[t_index].sqrt() * noise[i : i + 1])
    return torch.cat(images)


@right("Q3.4", "p_sample_loop")
def p_sample_loop_image_by_image(schedule, model, shape, noise=None):
    """All steps of one image, then the next image."""
    start = torch.randn(shape, device=schedule.betas.device) if noise is None else noise
    paths = []
    for x in start.split(1):
        path = []
        for i in reversed(range(len(schedule.betas))):
            t = torch.full((1,), i, device=x.device, dtype=torch.long)
            x = p_sample(schedule, model, x, t, i)
            path.append(x)
        paths.append(torch.stack(path))
    return torch.cat(paths, dim=1)
