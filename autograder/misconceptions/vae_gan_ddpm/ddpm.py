"""Wrong answers that students give in ddpm.py, and what they are told. Grader and tests read it."""

from autograder.grading.variants import wrong

# ---------------------------------------------------------------- Q3.1 precompute


@wrong("Q3.1", "precompute")
def squares_linear_square_roots(timesteps, beta_start=1e-4, beta_end=0.02):
    """The square roots of the betas are linear; the betas themselves are."""
    betas = torch.linspace(beta_start**0.5, beta_end**0.5, timesteps) ** 2
    alphas = 1 - betas
    bar = alphas.cumprod(dim=0)
    previous = torch.cat([torch.ones(1), bar[:-1]])
    variance = betas * (1 - previous) / (1 - bar)
    return Schedule(betas, alphas, alphas**-0.5, bar, bar**0.5, (1 - bar) ** 0.5, previous, variance)


@wrong("Q3.1", "precompute")
def never_reaches_beta_end(timesteps, beta_start=1e-4, beta_end=0.02):
    """The last beta is not beta_end: both ends are included."""
    betas = torch.linspace(beta_start, beta_end, timesteps + 1)[:-1]
    alphas = 1 - betas
    bar = alphas.cumprod(dim=0)
    previous = torch.cat([torch.ones(1), bar[:-1]])
    variance = betas * (1 - previous) / (1 - bar)
    return Schedule(betas, alphas, alphas**-0.5, bar, bar**0.5, (1 - bar) ** 0.5, previous, variance)


@wrong("Q3.1", "precompute")
def ignores_beta_start_and_beta_end(timesteps, beta_start=1e-4, beta_end=0.02):
    """beta_start and beta_end are not used: 0.0001 and 0.02 are only their defaults."""
    betas = torch.linspace(1e-4, 0.02, timesteps)
    alphas = 1 - betas
    bar = alphas.cumprod(dim=0)
    previous = torch.cat([torch.ones(1), bar[:-1]])
    variance = betas * (1 - previous) / (1 - bar)
    return Schedule(betas, alphas, alphas**-0.5, bar, bar**0.5, (1 - bar) ** 0.5, previous, variance)


@wrong("Q3.1", "precompute")
def accumulates_the_betas(timesteps, beta_start=1e-4, beta_end=0.02):
    """alphas_cumprod is the cumulative product of the betas; it is that of the alphas."""
    betas = torch.linspace(beta_start, beta_end, timesteps)
    alphas = 1 - betas
    bar = betas.cumprod(dim=0)
    previous = torch.cat([torch.ones(1), bar[:-1]])
    variance = betas * (1 - previous) / (1 - bar)
    return Schedule(betas, alphas, alphas**-0.5, bar, bar**0.5, (1 - bar) ** 0.5, previous, variance)


@wrong("Q3.1", "precompute")
def takes_a_cumulative_sum(timesteps, beta_start=1e-4, beta_end=0.02):
    """alphas_cumprod is a cumulative sum; a cumulative product is asked for."""
    betas = torch.linspace(beta_start, beta_end, timesteps)
    alphas = 1 - betas
    bar = 1 - betas.cumsum(dim=0)
    previous = torch.cat([torch.ones(1), bar[:-1]])
    variance = betas * (1 - previous) / (1 - bar)
    return Schedule(betas, alphas, alphas**-0.5, bar, bar**0.5, (1 - bar) ** 0.5, previous, variance)


@wrong("Q3.1", "precompute")
def forgets_the_square_root_of_the_noise(timesteps, beta_start=1e-4, beta_end=0.02):
    """sqrt_one_minus_alphas_cumprod has no square root."""
    betas = torch.linspace(beta_start, beta_end, timesteps)
    alphas = 1 - betas
    bar = alphas.cumprod(dim=0)
    previous = torch.cat([torch.ones(1), bar[:-1]])
    variance = betas * (1 - previous) / (1 - bar)
    return Schedule(betas, alphas, alphas**-0.5, bar, bar**0.5, 1 - bar, previous, variance)


@wrong("Q3.1", "precompute")
def takes_the_reciprocal_alone(timesteps, beta_start=1e-4, beta_end=0.02):
    """sqrt_recip_alphas is 1 / alphas, without the square root."""
    betas = torch.linspace(beta_start, beta_end, timesteps)
    alphas = 1 - betas
    bar = alphas.cumprod(dim=0)
    previous = torch.cat([torch.ones(1), bar[:-1]])
    variance = betas * (1 - previous) / (1 - bar)
    return Schedule(betas, alphas, 1 / alphas, bar, bar**0.5, (1 - bar) ** 0.5, previous, variance)


@wrong("Q3.1", "precompute")
def does_not_shift(timesteps, beta_start=1e-4, beta_end=0.02):
    """alphas_cumprod_prev is alphas_cumprod itself: it must be shifted to the right by one."""
    betas = torch.linspace(beta_start, beta_end, timesteps)
    alphas = 1 - betas
    bar = alphas.cumprod(dim=0)
    return Schedule(betas, alphas, alphas**-0.5, bar, bar**0.5, (1 - bar) ** 0.5, bar, betas)


@wrong("Q3.1", "precompute")
def turns_the_betas_around(timesteps, beta_start=1e-4, beta_end=0.02):
    """The schedule runs backwards: beta grows from beta_start to beta_end."""
    betas = torch.linspace(beta_end, beta_start, timesteps)
    alphas = 1 - betas
    bar = alphas.cumprod(dim=0)
    before = torch.cat([torch.ones(1), bar[:-1]])
    return Schedule(
        betas, alphas, alphas**-0.5, bar, bar**0.5, (1 - bar) ** 0.5, before, betas * (1 - before) / (1 - bar)
    )


@wrong("Q3.1", "precompute")
def pads_with_zero(timesteps, beta_start=1e-4, beta_end=0.02):
    """alphas_cumprod_prev begins with 0; before the first step nothing is lost, so that it begins with 1."""
    betas = torch.linspace(beta_start, beta_end, timesteps)
    alphas = 1 - betas
    bar = alphas.cumprod(dim=0)
    previous = torch.cat([torch.zeros(1), bar[:-1]])
    variance = betas * (1 - previous) / (1 - bar)
    return Schedule(betas, alphas, alphas**-0.5, bar, bar**0.5, (1 - bar) ** 0.5, previous, variance)


@wrong("Q3.1", "precompute")
def shifts_to_the_left(timesteps, beta_start=1e-4, beta_end=0.02):
    """alphas_cumprod_prev is shifted to the left: its entry t is alphas_cumprod's entry t - 1."""
    betas = torch.linspace(beta_start, beta_end, timesteps)
    alphas = 1 - betas
    bar = alphas.cumprod(dim=0)
    previous = torch.cat([bar[1:], torch.ones(1)])
    variance = betas * (1 - previous) / (1 - bar)
    return Schedule(betas, alphas, alphas**-0.5, bar, bar**0.5, (1 - bar) ** 0.5, previous, variance)


@wrong("Q3.1", "precompute")
def takes_beta_for_the_posterior_variance(timesteps, beta_start=1e-4, beta_end=0.02):
    """posterior_variance is beta_t, the paper's other choice: asked for is the variance of q(x_{t-1} | x_t, x_0)."""
    betas = torch.linspace(beta_start, beta_end, timesteps)
    alphas = 1 - betas
    bar = alphas.cumprod(dim=0)
    previous = torch.cat([torch.ones(1), bar[:-1]])
    return Schedule(betas, alphas, alphas**-0.5, bar, bar**0.5, (1 - bar) ** 0.5, previous, betas)


@wrong("Q3.1", "precompute")
def turns_the_posterior_fraction_over(timesteps, beta_start=1e-4, beta_end=0.02):
    """In posterior_variance, the fraction is upside down."""
    betas = torch.linspace(beta_start, beta_end, timesteps)
    alphas = 1 - betas
    bar = alphas.cumprod(dim=0)
    previous = torch.cat([torch.ones(1), bar[:-1]])
    variance = betas * (1 - bar) / (1 - previous)
    return Schedule(betas, alphas, alphas**-0.5, bar, bar**0.5, (1 - bar) ** 0.5, previous, variance)


@wrong("Q3.1", "precompute")
def has_one_entry_too_many(timesteps, beta_start=1e-4, beta_end=0.02):
    """There are timesteps + 1 entries: they belong to t = 0 .. timesteps - 1."""
    betas = torch.linspace(beta_start, beta_end, timesteps + 1)
    alphas = 1 - betas
    bar = alphas.cumprod(dim=0)
    previous = torch.cat([torch.ones(1), bar[:-1]])
    variance = betas * (1 - previous) / (1 - bar)
    return Schedule(betas, alphas, alphas**-0.5, bar, bar**0.5, (1 - bar) ** 0.5, previous, variance)


@wrong("Q3.1", "precompute")
def takes_the_root_of_alphas(timesteps, beta_start=1e-4, beta_end=0.02):
    """sqrt_recip_alphas is sqrt(alphas): it is 1 / sqrt(alphas)."""
    betas = torch.linspace(beta_start, beta_end, timesteps)
    alphas = 1 - betas
    bar = alphas.cumprod(dim=0)
    previous = torch.cat([torch.ones(1), bar[:-1]])
    variance = betas * (1 - previous) / (1 - bar)
    return Schedule(betas, alphas, alphas**0.5, bar, bar**0.5, (1 - bar) ** 0.5, previous, variance)


@wrong("Q3.1", "precompute")
def takes_the_root_of_the_posterior_variance(timesteps, beta_start=1e-4, beta_end=0.02):
    """posterior_variance is the standard deviation: no square root there."""
    betas = torch.linspace(beta_start, beta_end, timesteps)
    alphas = 1 - betas
    bar = alphas.cumprod(dim=0)
    previous = torch.cat([torch.ones(1), bar[:-1]])
    deviation = (betas * (1 - previous) / (1 - bar)).sqrt()
    return Schedule(betas, alphas, alphas**-0.5, bar, bar**0.5, (1 - bar) ** 0.5, previous, deviation)


@wrong("Q3.1", "precompute")
def takes_the_root_of_1_minus_the_root(timesteps, beta_start=1e-4, beta_end=0.02):
    """sqrt_one_minus_alphas_cumprod is 1 - sqrt(alphas_cumprod): the root is that of 1 - alphas_cumprod."""
    betas = torch.linspace(beta_start, beta_end, timesteps)
    alphas = 1 - betas
    bar = alphas.cumprod(dim=0)
    previous = torch.cat([torch.ones(1), bar[:-1]])
    variance = betas * (1 - previous) / (1 - bar)
    return Schedule(betas, alphas, alphas**-0.5, bar, bar**0.5, 1 - bar**0.5, previous, variance)


@wrong("Q3.1", "precompute")
def turns_the_fraction_of_the_variance_over(timesteps, beta_start=1e-4, beta_end=0.02):
    """The fraction in posterior_variance is upside down: it is (1 - alpha-bar_{t-1}) / (1 - alpha-bar_t)."""
    betas = torch.linspace(beta_start, beta_end, timesteps)
    alphas = 1 - betas
    bar = alphas.cumprod(dim=0)
    previous = torch.cat([torch.ones(1), bar[:-1]])
    variance = betas * (1 - bar) / (1 - previous).clamp(min=1e-5)
    return Schedule(betas, alphas, alphas**-0.5, bar, bar**0.5, (1 - bar) ** 0.5, previous, variance)


# ---------------------------------------------------------------- Q3.2 q_sample


@wrong("Q3.2", "q_sample")
def ignores_the_given_noise(schedule, x_start, t, noise=None):
    """The argument `noise` is not used: when it is given, no other noise may be drawn."""
    scale = extract(schedule.sqrt_alphas_cumprod, t, x_start)
    return scale * x_start + extract(schedule.sqrt_one_minus_alphas_cumprod, t, x_start) * torch.randn_like(x_start)


@wrong("Q3.2", "q_sample")
def scales_by_the_variance(schedule, x_start, t, noise=None):
    """The noise is multiplied by the variance 1 - alpha_bar_t: its square root belongs there."""
    noise = torch.randn_like(x_start) if noise is None else noise
    std = extract(schedule.sqrt_one_minus_alphas_cumprod, t, x_start)
    return extract(schedule.sqrt_alphas_cumprod, t, x_start) * x_start + std.square() * noise


@wrong("Q3.2", "q_sample")
def scales_by_alpha_bar(schedule, x_start, t, noise=None):
    """x_0 is multiplied by alpha_bar_t: its square root belongs there."""
    noise = torch.randn_like(x_start) if noise is None else noise
    std = extract(schedule.sqrt_one_minus_alphas_cumprod, t, x_start)
    return extract(schedule.alphas_cumprod, t, x_start) * x_start + std * noise


@wrong("Q3.2", "q_sample")
def takes_a_single_step(schedule, x_start, t, noise=None):
    """These are alpha_t and beta_t, the coefficients of one step; from x_0 to x_t there are many: alpha_bar_t."""
    noise = torch.randn_like(x_start) if noise is None else noise
    alpha, beta = extract(schedule.alphas, t, x_start), extract(schedule.betas, t, x_start)
    return alpha.sqrt() * x_start + beta.sqrt() * noise


@wrong("Q3.2", "q_sample")
def uses_one_time_for_all(schedule, x_start, t, noise=None):
    """The coefficients of the first image's time are used for all images: every image has its own t."""
    noise = torch.randn_like(x_start) if noise is None else noise
    return schedule.sqrt_alphas_cumprod[t[0]] * x_start + schedule.sqrt_one_minus_alphas_cumprod[t[0]] * noise


@wrong("Q3.2", "q_sample")
def swaps_the_coefficients(schedule, x_start, t, noise=None):
    """The coefficients of x_0 and of the noise are swapped."""
    noise = torch.randn_like(x_start) if noise is None else noise
    scale = extract(schedule.sqrt_one_minus_alphas_cumprod, t, x_start)
    return scale * x_start + extract(schedule.sqrt_alphas_cumprod, t, x_start) * noise


@wrong("Q3.2", "q_sample")
def shares_one_noise(schedule, x_start, t, noise=None):
    """One noise image is drawn for the whole batch: every image needs its own, torch.randn_like(x_start)."""
    noise = torch.randn_like(x_start[:1]) if noise is None else noise
    scale = extract(schedule.sqrt_alphas_cumprod, t, x_start)
    return scale * x_start + extract(schedule.sqrt_one_minus_alphas_cumprod, t, x_start) * noise


@wrong("Q3.2", "q_sample")
def does_not_index_by_time(schedule, x_start, t, noise=None):
    """The coefficients are not indexed by t: a (T,) tensor cannot go with images."""
    noise = torch.randn_like(x_start) if noise is None else noise
    return schedule.sqrt_alphas_cumprod * x_start + schedule.sqrt_one_minus_alphas_cumprod * noise


@wrong("Q3.2", "q_sample")
def subtracts_the_noise(schedule, x_start, t, noise=None):
    """The noise is subtracted: the network learns to predict the noise that was added."""
    noise = torch.randn_like(x_start) if noise is None else noise
    scale = extract(schedule.sqrt_alphas_cumprod, t, x_start)
    return scale * x_start - extract(schedule.sqrt_one_minus_alphas_cumprod, t, x_start) * noise


@wrong("Q3.2", "q_sample")
def adds_the_noise_unscaled(schedule, x_start, t, noise=None):
    """The noise is added as it is: its factor is sqrt(1 - alpha_bar_t)."""
    noise = torch.randn_like(x_start) if noise is None else noise
    return extract(schedule.sqrt_alphas_cumprod, t, x_start) * x_start + noise


@wrong("Q3.2", "q_sample")
def needs_noise_for_the_images(schedule, x_start, t, noise=None):
    """`noise` may be None, and then it has to be drawn: torch.randn_like(x_start)."""
    scale = extract(schedule.sqrt_alphas_cumprod, t, x_start)
    return scale * x_start + extract(schedule.sqrt_one_minus_alphas_cumprod, t, x_start) * noise


@wrong("Q3.2", "q_sample")
def clips_the_noisy_image(schedule, x_start, t, noise=None):
    """The result is clipped to [-1, 1]: x_t is noisy, and its noise goes beyond that."""
    noise = torch.randn_like(x_start) if noise is None else noise
    scale = extract(schedule.sqrt_alphas_cumprod, t, x_start)
    return (scale * x_start + extract(schedule.sqrt_one_minus_alphas_cumprod, t, x_start) * noise).clamp(-1, 1)


@wrong("Q3.2", "q_sample")
def reads_the_schedule_backwards(schedule, x_start, t, noise=None):
    """The schedule is read at T - 1 - t: time t has the entries at t."""
    noise = torch.randn_like(x_start) if noise is None else noise
    t = len(schedule.betas) - 1 - t
    scale = extract(schedule.sqrt_alphas_cumprod, t, x_start)
    return scale * x_start + extract(schedule.sqrt_one_minus_alphas_cumprod, t, x_start) * noise


@wrong("Q3.2", "q_sample")
def scales_all_images_by_the_first_time(schedule, x_start, t, noise=None):
    """All images are scaled by sqrt(alpha-bar) of the first one's time: each has its own, extract it at t."""
    noise = torch.randn_like(x_start) if noise is None else noise
    std = extract(schedule.sqrt_one_minus_alphas_cumprod, t, x_start)
    return schedule.sqrt_alphas_cumprod[t[0]] * x_start + std * noise


# ---------------------------------------------------------------- Q3.3 p_sample


@wrong("Q3.3", "p_sample")
def adds_the_variance(schedule, model, x, t, t_index, noise=None):
    """The noise is multiplied by the posterior variance: its square root belongs there."""
    beta, std = extract(schedule.betas, t, x), extract(schedule.sqrt_one_minus_alphas_cumprod, t, x)
    mean = extract(schedule.sqrt_recip_alphas, t, x) * (x - beta / std * model(x, t))
    noise = torch.randn_like(x) if noise is None else noise
    return mean if t_index == 0 else mean + extract(schedule.posterior_variance, t, x) * noise


@wrong("Q3.3", "p_sample")
def takes_beta_for_the_variance(schedule, model, x, t, t_index, noise=None):
    """The noise has the variance beta_t; this exercise asks for that of the posterior, beta_tilde_t."""
    beta, std = extract(schedule.betas, t, x), extract(schedule.sqrt_one_minus_alphas_cumprod, t, x)
    mean = extract(schedule.sqrt_recip_alphas, t, x) * (x - beta / std * model(x, t))
    noise = torch.randn_like(x) if noise is None else noise
    return mean if t_index == 0 else mean + beta.sqrt() * noise


@wrong("Q3.3", "p_sample")
def never_adds_noise(schedule, model, x, t, t_index, noise=None):
    """Before the last step no noise is added: only that one, t_index = 0, has none."""
    beta, std = extract(schedule.betas, t, x), extract(schedule.sqrt_one_minus_alphas_cumprod, t, x)
    return extract(schedule.sqrt_recip_alphas, t, x) * (x - beta / std * model(x, t))


@wrong("Q3.3", "p_sample")
def needs_the_noise(schedule, model, x, t, t_index, noise=None):
    """`noise` may be None, and then it has to be drawn: torch.randn_like(x)."""
    beta, std = extract(schedule.betas, t, x), extract(schedule.sqrt_one_minus_alphas_cumprod, t, x)
    mean = extract(schedule.sqrt_recip_alphas, t, x) * (x - beta / std * model(x, t))
    return mean if t_index == 0 else mean + extract(schedule.posterior_variance, t, x).sqrt() * noise


@wrong("Q3.3", "p_sample")
def clips_the_mean(schedule, model, x, t, t_index, noise=None):
    """The mean is clipped to [-1, 1]: this exercise's reverse step clips nothing."""
    beta, std = extract(schedule.betas, t, x), extract(schedule.sqrt_one_minus_alphas_cumprod, t, x)
    mean = (extract(schedule.sqrt_recip_alphas, t, x) * (x - beta / std * model(x, t))).clamp(-1, 1)
    noise = torch.randn_like(x) if noise is None else noise
    return mean if t_index == 0 else mean + extract(schedule.posterior_variance, t, x).sqrt() * noise


@wrong("Q3.3", "p_sample")
def ignores_noise_of_the_step(schedule, model, x, t, t_index, noise=None):
    """The argument `noise` is not used: when it is given, no other noise may be drawn."""
    beta, std = extract(schedule.betas, t, x), extract(schedule.sqrt_one_minus_alphas_cumprod, t, x)
    mean = extract(schedule.sqrt_recip_alphas, t, x) * (x - beta / std * model(x, t))
    return mean if t_index == 0 else mean + extract(schedule.posterior_variance, t, x).sqrt() * torch.randn_like(x)


@wrong("Q3.3", "p_sample")
def divides_by_the_variance_of_x(schedule, model, x, t, t_index, noise=None):
    """The predicted noise is divided by 1 - alpha_bar_t: its square root belongs there."""
    beta, std = extract(schedule.betas, t, x), extract(schedule.sqrt_one_minus_alphas_cumprod, t, x)
    mean = extract(schedule.sqrt_recip_alphas, t, x) * (x - beta / std.square() * model(x, t))
    noise = torch.randn_like(x) if noise is None else noise
    return mean if t_index == 0 else mean + extract(schedule.posterior_variance, t, x).sqrt() * noise


@wrong("Q3.3", "p_sample")
def uses_alpha_bar_for_alpha(schedule, model, x, t, t_index, noise=None):
    """The factor in front is 1 / sqrt(alpha_bar_t); one step back needs alpha_t."""
    beta, std = extract(schedule.betas, t, x), extract(schedule.sqrt_one_minus_alphas_cumprod, t, x)
    mean = (x - beta / std * model(x, t)) / extract(schedule.sqrt_alphas_cumprod, t, x)
    noise = torch.randn_like(x) if noise is None else noise
    return mean if t_index == 0 else mean + extract(schedule.posterior_variance, t, x).sqrt() * noise


@wrong("Q3.3", "p_sample")
def multiplies_by_the_square_root(schedule, model, x, t, t_index, noise=None):
    """The factor in front is sqrt(alpha_t) in place of 1 / sqrt(alpha_t)."""
    beta, std = extract(schedule.betas, t, x), extract(schedule.sqrt_one_minus_alphas_cumprod, t, x)
    mean = (x - beta / std * model(x, t)) / extract(schedule.sqrt_recip_alphas, t, x)
    noise = torch.randn_like(x) if noise is None else noise
    return mean if t_index == 0 else mean + extract(schedule.posterior_variance, t, x).sqrt() * noise


@wrong("Q3.3", "p_sample")
def adds_the_predicted_noise(schedule, model, x, t, t_index, noise=None):
    """The predicted noise is added; it must be taken away."""
    beta, std = extract(schedule.betas, t, x), extract(schedule.sqrt_one_minus_alphas_cumprod, t, x)
    mean = extract(schedule.sqrt_recip_alphas, t, x) * (x + beta / std * model(x, t))
    noise = torch.randn_like(x) if noise is None else noise
    return mean if t_index == 0 else mean + extract(schedule.posterior_variance, t, x).sqrt() * noise


@wrong("Q3.3", "p_sample")
def leaves_the_noise_out_too_early(schedule, model, x, t, t_index, noise=None):
    """At t_index = 1 the noise is missing: the paper, counting from 1, leaves it out at its t = 1, which is t_index =
    0."""
    beta, std = extract(schedule.betas, t, x), extract(schedule.sqrt_one_minus_alphas_cumprod, t, x)
    mean = extract(schedule.sqrt_recip_alphas, t, x) * (x - beta / std * model(x, t))
    noise = torch.randn_like(x) if noise is None else noise
    return mean + extract(schedule.posterior_variance, t, x).sqrt() * noise if t_index > 1 else mean


@wrong("Q3.3", "p_sample")
def shares_the_noise_of_the_step(schedule, model, x, t, t_index, noise=None):
    """One noise image is drawn for the whole batch: every image needs its own, torch.randn_like(x)."""
    beta, std = extract(schedule.betas, t, x), extract(schedule.sqrt_one_minus_alphas_cumprod, t, x)
    mean = extract(schedule.sqrt_recip_alphas, t, x) * (x - beta / std * model(x, t))
    noise = torch.randn_like(x[:1]) if noise is None else noise
    return mean if t_index == 0 else mean + extract(schedule.posterior_variance, t, x).sqrt() * noise


@wrong("Q3.3", "p_sample")
def does_not_index_the_variance(schedule, model, x, t, t_index, noise=None):
    """posterior_variance is not indexed by t: a (T,) tensor cannot go with images."""
    beta, std = extract(schedule.betas, t, x), extract(schedule.sqrt_one_minus_alphas_cumprod, t, x)
    mean = extract(schedule.sqrt_recip_alphas, t, x) * (x - beta / std * model(x, t))
    noise = torch.randn_like(x) if noise is None else noise
    return mean if t_index == 0 else mean + schedule.posterior_variance.sqrt() * noise


@wrong("Q3.3", "p_sample")
def takes_the_root_of_beta(schedule, model, x, t, t_index, noise=None):
    """The predicted noise has the factor sqrt(beta_t): it is beta_t itself."""
    beta, std = extract(schedule.betas, t, x), extract(schedule.sqrt_one_minus_alphas_cumprod, t, x)
    mean = extract(schedule.sqrt_recip_alphas, t, x) * (x - beta.sqrt() / std * model(x, t))
    noise = torch.randn_like(x) if noise is None else noise
    return mean if t_index == 0 else mean + extract(schedule.posterior_variance, t, x).sqrt() * noise


@wrong("Q3.3", "p_sample")
def multiplies_by_the_deviation(schedule, model, x, t, t_index, noise=None):
    """The predicted noise is multiplied by sqrt(1 - alpha_bar_t): it is divided by it."""
    beta, std = extract(schedule.betas, t, x), extract(schedule.sqrt_one_minus_alphas_cumprod, t, x)
    mean = extract(schedule.sqrt_recip_alphas, t, x) * (x - beta * std * model(x, t))
    noise = torch.randn_like(x) if noise is None else noise
    return mean if t_index == 0 else mean + extract(schedule.posterior_variance, t, x).sqrt() * noise


@wrong("Q3.3", "p_sample")
def forgets_the_factor_in_front(schedule, model, x, t, t_index, noise=None):
    """The factor 1 / sqrt(alpha_t) in front is lost."""
    beta, std = extract(schedule.betas, t, x), extract(schedule.sqrt_one_minus_alphas_cumprod, t, x)
    mean = x - beta / std * model(x, t)
    noise = torch.randn_like(x) if noise is None else noise
    return mean if t_index == 0 else mean + extract(schedule.posterior_variance, t, x).sqrt() * noise


# ---------------------------------------------------------------- Q3.4 p_sample_loop


@wrong("Q3.4", "p_sample_loop")
def starts_on_the_cpu(schedule, model, shape, noise=None):
    """The start is drawn on the CPU wherever the schedule is: hand its device to torch.randn."""
    x, images = torch.randn(shape) if noise is None else noise, []
    for i in reversed(range(len(schedule.betas))):
        x = p_sample(schedule, model, x, torch.full((shape[0],), i), i)
        images.append(x)
    return torch.stack(images)


@wrong("Q3.4", "p_sample_loop")
def hands_the_start_to_every_step(schedule, model, shape, noise=None):
    """The initial noise is handed to every step, so that all steps share it: each needs noise of its own."""
    noise = torch.randn(shape, device=schedule.betas.device) if noise is None else noise
    x, images = noise, []
    for i in reversed(range(len(schedule.betas))):
        x = p_sample(schedule, model, x, torch.full((shape[0],), i, device=x.device), i, noise=noise)
        images.append(x)
    return torch.stack(images)


@wrong("Q3.4", "p_sample_loop")
def runs_forwards(schedule, model, shape, noise=None):
    """The times go up from 0; sampling goes down from T - 1."""
    x, images = torch.randn(shape, device=schedule.betas.device) if noise is None else noise, []
    for i in range(len(schedule.betas)):
        x = p_sample(schedule, model, x, torch.full((shape[0],), i, device=schedule.betas.device), i)
        images.append(x)
    return torch.stack(images)


@wrong("Q3.4", "p_sample_loop")
def stops_before_time_zero(schedule, model, shape, noise=None):
    """The step at t = 0 is missing, as in range(T - 1, 0, -1), which ends at 1."""
    x, images = torch.randn(shape, device=schedule.betas.device) if noise is None else noise, []
    for i in range(len(schedule.betas) - 1, 0, -1):
        x = p_sample(schedule, model, x, torch.full((shape[0],), i, device=schedule.betas.device), i)
        images.append(x)
    return torch.stack(images)


@wrong("Q3.4", "p_sample_loop")
def starts_every_step_from_the_noise(schedule, model, shape, noise=None):
    """Every step starts from the initial noise; it must go on from the result of the step before."""
    start, images = torch.randn(shape, device=schedule.betas.device) if noise is None else noise, []
    for i in reversed(range(len(schedule.betas))):
        images.append(p_sample(schedule, model, start, torch.full((shape[0],), i, device=schedule.betas.device), i))
    return torch.stack(images)


@wrong("Q3.4", "p_sample_loop")
def includes_the_initial_noise(schedule, model, shape, noise=None):
    """The initial noise is among the results, which makes T + 1: only the results of the T steps are asked for."""
    images = [torch.randn(shape, device=schedule.betas.device) if noise is None else noise]
    for i in reversed(range(len(schedule.betas))):
        images.append(
            p_sample(schedule, model, images[-1], torch.full((shape[0],), i, device=schedule.betas.device), i)
        )
    return torch.stack(images)


@wrong("Q3.4", "p_sample_loop")
def returns_the_image_only(schedule, model, shape, noise=None):
    """It returns only the finished image: collect the result of every step, (T, B, C, H, W)."""
    x = torch.randn(shape, device=schedule.betas.device) if noise is None else noise
    for i in reversed(range(len(schedule.betas))):
        x = p_sample(schedule, model, x, torch.full((shape[0],), i, device=schedule.betas.device), i)
    return x


@wrong("Q3.4", "p_sample_loop")
def puts_the_image_first(schedule, model, shape, noise=None):
    """The order is reversed: the finished image x_0 comes last."""
    x, images = torch.randn(shape, device=schedule.betas.device) if noise is None else noise, []
    for i in reversed(range(len(schedule.betas))):
        x = p_sample(schedule, model, x, torch.full((shape[0],), i, device=schedule.betas.device), i)
        images.insert(0, x)
    return torch.stack(images)


@wrong("Q3.4", "p_sample_loop")
def ignores_the_given_start(schedule, model, shape, noise=None):
    """The argument `noise` is not used: when it is given, sampling starts from it."""
    x, images = torch.randn(shape, device=schedule.betas.device), []
    for i in reversed(range(len(schedule.betas))):
        x = p_sample(schedule, model, x, torch.full((shape[0],), i, device=schedule.betas.device), i)
        images.append(x)
    return torch.stack(images)


@wrong("Q3.4", "p_sample_loop")
def draws_a_uniform_start(schedule, model, shape, noise=None):
    """The start comes from torch.rand, which is uniform; x_T is standard normal."""
    x, images = torch.rand(shape, device=schedule.betas.device) if noise is None else noise, []
    for i in reversed(range(len(schedule.betas))):
        x = p_sample(schedule, model, x, torch.full((shape[0],), i, device=schedule.betas.device), i)
        images.append(x)
    return torch.stack(images)


@wrong("Q3.4", "p_sample_loop")
def needs_the_start(schedule, model, shape, noise=None):
    """`noise` may be None, and then x_T has to be drawn: torch.randn(shape)."""
    x, images = noise.clone(), []
    for i in reversed(range(len(schedule.betas))):
        x = p_sample(schedule, model, x, torch.full((shape[0],), i, device=schedule.betas.device), i)
        images.append(x)
    return torch.stack(images)


@wrong("Q3.4", "p_sample_loop")
def clips_every_image(schedule, model, shape, noise=None):
    """The images are clipped to [-1, 1] after each step: only what is shown is clipped, not the chain."""
    x, images = torch.randn(shape, device=schedule.betas.device) if noise is None else noise, []
    for i in reversed(range(len(schedule.betas))):
        x = p_sample(schedule, model, x, torch.full((shape[0],), i, device=schedule.betas.device), i).clamp(-1, 1)
        images.append(x)
    return torch.stack(images)


@wrong("Q3.4", "p_sample_loop")
def leaves_out_the_noisiest_step(schedule, model, shape, noise=None):
    """The step from time T - 1 is missing."""
    x, images = torch.randn(shape, device=schedule.betas.device) if noise is None else noise, []
    for i in reversed(range(len(schedule.betas) - 1)):
        x = p_sample(schedule, model, x, torch.full((shape[0],), i, device=schedule.betas.device), i)
        images.append(x)
    return torch.stack(images)


@wrong("Q3.4", "p_sample_loop")
def repeats_one_start(schedule, model, shape, noise=None):
    """All images start from the same noise: each needs its own, torch.randn(shape)."""
    x, images = (
        torch.randn(1, *shape[1:], device=schedule.betas.device).repeat(shape[0], 1, 1, 1) if noise is None else noise,
        [],
    )
    for i in reversed(range(len(schedule.betas))):
        x = p_sample(schedule, model, x, torch.full((shape[0],), i, device=schedule.betas.device), i)
        images.append(x)
    return torch.stack(images)


@wrong("Q3.4", "p_sample_loop")
def returns_a_list(schedule, model, shape, noise=None):
    """It returns a list of tensors: stack them to one, (T, B, C, H, W)."""
    x, images = torch.randn(shape, device=schedule.betas.device) if noise is None else noise, []
    for i in reversed(range(len(schedule.betas))):
        x = p_sample(schedule, model, x, torch.full((shape[0],), i, device=schedule.betas.device), i)
        images.append(x)
    return images


@wrong("Q3.4", "p_sample_loop")
def float_times(schedule, model, shape, noise=None):
    """t is made of floating point numbers: an index has to be whole (dtype long)."""
    x = torch.randn(shape, device=schedule.betas.device) if noise is None else noise
    path = []
    for i in reversed(range(len(schedule.betas))):
        t = torch.full((shape[0],), i, device=x.device, dtype=torch.float)
        x = p_sample(schedule, model, x, t, i)
        path.append(x)
    return torch.stack(path)


# ---------------------------------------------------------------- Q3.5 p_losses


@wrong("Q3.5", "p_losses")
def takes_squared_errors(schedule, denoise_model, x_start, t, noise=None):
    """This is the squared error; the smooth L1 loss is asked for."""
    noise = torch.randn_like(x_start) if noise is None else noise
    x_t = q_sample(schedule, x_start, t, noise)
    return nn.functional.mse_loss(denoise_model(x_t, t), noise)


@wrong("Q3.5", "p_losses")
def takes_absolute_errors(schedule, denoise_model, x_start, t, noise=None):
    """This is the L1 loss, which is not smooth at 0; the smooth L1 loss is asked for."""
    noise = torch.randn_like(x_start) if noise is None else noise
    x_t = q_sample(schedule, x_start, t, noise)
    return nn.functional.l1_loss(denoise_model(x_t, t), noise)


@wrong("Q3.5", "p_losses")
def sums_the_errors(schedule, denoise_model, x_start, t, noise=None):
    """The errors are summed; the loss is their mean."""
    noise = torch.randn_like(x_start) if noise is None else noise
    x_t = q_sample(schedule, x_start, t, noise)
    return nn.functional.smooth_l1_loss(denoise_model(x_t, t), noise, reduction="sum")


@wrong("Q3.5", "p_losses")
def predicts_the_image(schedule, denoise_model, x_start, t, noise=None):
    """The prediction is compared with the clean image; the model predicts the noise."""
    noise = torch.randn_like(x_start) if noise is None else noise
    x_t = q_sample(schedule, x_start, t, noise)
    return nn.functional.smooth_l1_loss(denoise_model(x_t, t), x_start)


@wrong("Q3.5", "p_losses")
def shows_the_clean_image(schedule, denoise_model, x_start, t, noise=None):
    """The model gets the clean image: make x_t with q_sample first."""
    noise = torch.randn_like(x_start) if noise is None else noise
    return nn.functional.smooth_l1_loss(denoise_model(x_start, t), noise)


@wrong("Q3.5", "p_losses")
def draws_noise_twice(schedule, denoise_model, x_start, t, noise=None):
    """x_t is made with other noise than that which the prediction is compared with: hand it on to q_sample."""
    noise = torch.randn_like(x_start) if noise is None else noise
    x_t = q_sample(schedule, x_start, t)
    return nn.functional.smooth_l1_loss(denoise_model(x_t, t), noise)


@wrong("Q3.5", "p_losses")
def ignores_noise_of_the_loss(schedule, denoise_model, x_start, t, noise=None):
    """The argument `noise` is not used: when it is given, no other noise may be drawn."""
    noise = torch.randn_like(x_start)
    x_t = q_sample(schedule, x_start, t, noise)
    return nn.functional.smooth_l1_loss(denoise_model(x_t, t), noise)


@wrong("Q3.5", "p_losses")
def draws_uniform_noise_for_the_loss(schedule, denoise_model, x_start, t, noise=None):
    """The noise comes from torch.rand, which is uniform; it is standard normal."""
    noise = torch.rand_like(x_start) if noise is None else noise
    x_t = q_sample(schedule, x_start, t, noise)
    return nn.functional.smooth_l1_loss(denoise_model(x_t, t), noise)


@wrong("Q3.5", "p_losses")
def shares_the_noise_of_the_loss(schedule, denoise_model, x_start, t, noise=None):
    """One noise image is drawn for the whole batch: every image needs its own, torch.randn_like(x_start)."""
    noise = torch.randn_like(x_start[:1]).expand_as(x_start) if noise is None else noise
    x_t = q_sample(schedule, x_start, t, noise)
    return nn.functional.smooth_l1_loss(denoise_model(x_t, t), noise)


@wrong("Q3.5", "p_losses")
def compares_with_the_noisy_image(schedule, denoise_model, x_start, t, noise=None):
    """The prediction is compared with x_t; the model predicts the noise in it."""
    noise = torch.randn_like(x_start) if noise is None else noise
    x_t = q_sample(schedule, x_start, t, noise)
    return nn.functional.smooth_l1_loss(denoise_model(x_t, t), x_t)


@wrong("Q3.5", "p_losses")
def keeps_one_loss_for_each_image(schedule, denoise_model, x_start, t, noise=None):
    """There is one number for each image: the loss is the mean over everything."""
    noise = torch.randn_like(x_start) if noise is None else noise
    x_t = q_sample(schedule, x_start, t, noise)
    return nn.functional.smooth_l1_loss(denoise_model(x_t, t), noise, reduction="none").flatten(1).mean(dim=1)


@wrong("Q3.5", "p_losses")
def loses_the_gradient_of_the_model(schedule, denoise_model, x_start, t, noise=None):
    """The loss has lost its gradient (item(), detach() or no_grad()): the model cannot learn from it."""
    noise = torch.randn_like(x_start) if noise is None else noise
    x_t = q_sample(schedule, x_start, t, noise)
    return nn.functional.smooth_l1_loss(denoise_model(x_t, t).detach(), noise)


@wrong("Q3.5", "p_losses")
def tells_the_next_time(schedule, denoise_model, x_start, t, noise=None):
    """The network is told t + 1: it is asked about x_t at the time t."""
    noise = torch.randn_like(x_start) if noise is None else noise
    x_t = q_sample(schedule, x_start, t, noise)
    return nn.functional.smooth_l1_loss(denoise_model(x_t, t + 1), noise)


@wrong("Q3.5", "p_losses")
def tells_the_share_of_the_time(schedule, denoise_model, x_start, t, noise=None):
    """The network is told t / T: it takes the whole number t."""
    noise = torch.randn_like(x_start) if noise is None else noise
    x_t = q_sample(schedule, x_start, t, noise)
    return nn.functional.smooth_l1_loss(denoise_model(x_t, t / len(schedule.betas)), noise)


# ---------------------------------------------------------------- Q3.6 t_sample


@wrong("Q3.6", "t_sample")
def never_draws_the_last_time(timesteps, batch_size, device=None):
    """The time timesteps - 1 never occurs: torch.randint excludes its upper end itself."""
    return torch.randint(0, timesteps - 1, (batch_size,), device=device)


@wrong("Q3.6", "t_sample")
def counts_from_one(timesteps, batch_size, device=None):
    """The times are 1 .. timesteps, as in the paper; the code counts 0 .. timesteps - 1."""
    return torch.randint(1, timesteps + 1, (batch_size,), device=device)


@wrong("Q3.6", "t_sample")
def draws_one_time(timesteps, batch_size, device=None):
    """One time is drawn for the whole batch: every image has its own."""
    return torch.randint(0, timesteps, (1,), device=device).repeat(batch_size)


@wrong("Q3.6", "t_sample")
def draws_real_numbers(timesteps, batch_size, device=None):
    """The times are real numbers; they index coefficients, and must be of dtype long."""
    return torch.rand(batch_size, device=device) * timesteps


@wrong("Q3.6", "t_sample")
def counts_through_the_times(timesteps, batch_size, device=None):
    """The times are counted through, the same ones at every call: draw them at random."""
    return torch.arange(batch_size, device=device) % timesteps


@wrong("Q3.6", "t_sample")
def never_draws_time_zero(timesteps, batch_size, device=None):
    """t = 0 is never drawn: the times are 0 .. timesteps - 1."""
    return torch.randint(1, timesteps, (batch_size,), device=device)


@wrong("Q3.6", "t_sample")
def returns_one_column(timesteps, batch_size, device=None):
    """The shape is (batch_size, 1): it is (batch_size,)."""
    return torch.randint(0, timesteps, (batch_size, 1), device=device)
