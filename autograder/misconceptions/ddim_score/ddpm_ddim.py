"""What students get wrong in ddpm_ddim.py."""

import torch

from autograder.grading.variants import wrong

# ---------------------------------------------------------------- Q1.1


@wrong("Q1.1", "linear_schedule")
def schedule_puts_one_in_front(timesteps, beta1, beta2):
    """ab_t begins with 1, as if entry 0 belonged to the clean image: in this assignment ab_t[0] is a_t[0]."""
    b_t = torch.linspace(beta1, beta2, timesteps)
    a_t = 1 - b_t
    return Schedule(b_t, a_t, torch.cat([torch.ones(1), a_t.cumprod(0)[:-1]]))


@wrong("Q1.1", "linear_schedule")
def schedule_has_an_entry_for_the_clean_image(timesteps, beta1, beta2):
    """There are timesteps + 1 entries: the entries are those of t = 0 .. T - 1, and the clean image has none."""
    b_t = torch.linspace(beta1, beta2, timesteps + 1)
    a_t = 1 - b_t
    return Schedule(b_t, a_t, a_t.cumprod(0))


@wrong("Q1.1", "linear_schedule")
def schedule_multiplies_betas(timesteps, beta1, beta2):
    """alpha-bar is the running product of the alphas; this is the one of the betas, or 1 minus it."""
    b_t = torch.linspace(beta1, beta2, timesteps)
    return Schedule(b_t, 1 - b_t, 1 - b_t.cumprod(0))


@wrong("Q1.1", "linear_schedule")
def schedule_sums_alphas(timesteps, beta1, beta2):
    """cumsum adds: alpha-bar is a running product."""
    b_t = torch.linspace(beta1, beta2, timesteps)
    a_t = 1 - b_t
    return Schedule(b_t, a_t, a_t.cumsum(0))


@wrong("Q1.1", "linear_schedule")
def schedule_sums_logarithms(timesteps, beta1, beta2):
    """This is the logarithm of alpha-bar: exp() of the running sum is missing."""
    b_t = torch.linspace(beta1, beta2, timesteps)
    a_t = 1 - b_t
    return Schedule(b_t, a_t, a_t.log().cumsum(0))


@wrong("Q1.1", "linear_schedule")
def schedule_without_its_last_beta(timesteps, beta1, beta2):
    """The betas stop short of beta2: both ends are included."""
    b_t = beta1 + (beta2 - beta1) * torch.arange(timesteps) / timesteps
    a_t = 1 - b_t
    return Schedule(b_t, a_t, a_t.cumprod(0))


@wrong("Q1.1", "linear_schedule")
def schedule_linear_in_the_root(timesteps, beta1, beta2):
    """The square roots of the betas are linear here (the "scaled linear" schedule): the betas themselves should be."""
    b_t = torch.linspace(beta1**0.5, beta2**0.5, timesteps) ** 2
    a_t = 1 - b_t
    return Schedule(b_t, a_t, a_t.cumprod(0))


@wrong("Q1.1", "linear_schedule")
def schedule_with_roots_of_alpha(timesteps, beta1, beta2):
    """a_t is the square root of 1 - b_t: the root comes later, where images are mixed."""
    b_t = torch.linspace(beta1, beta2, timesteps)
    a_t = (1 - b_t).sqrt()
    return Schedule(b_t, a_t, a_t.cumprod(0))


@wrong("Q1.1", "linear_schedule")
def schedule_backwards(timesteps, beta1, beta2):
    """The betas fall: the first step adds the least noise, beta1."""
    b_t = torch.linspace(beta2, beta1, timesteps)
    a_t = 1 - b_t
    return Schedule(b_t, a_t, a_t.cumprod(0))


@wrong("Q1.1", "linear_schedule")
def schedule_takes_sums_of_betas(timesteps, beta1, beta2):
    """1 minus the running sum of the betas is only about the running product of 1 - b_t: take cumprod."""
    b_t = torch.linspace(beta1, beta2, timesteps)
    return Schedule(b_t, 1 - b_t, 1 - b_t.cumsum(0))


@wrong("Q1.1", "linear_schedule")
def schedule_without_running_product(timesteps, beta1, beta2):
    """ab_t is a_t itself: it is the product of all a up to t."""
    b_t = torch.linspace(beta1, beta2, timesteps)
    return Schedule(b_t, 1 - b_t, 1 - b_t)


@wrong("Q1.1", "linear_schedule")
def schedule_with_roots_of_alpha_bar(timesteps, beta1, beta2):
    """ab_t is the square root of the running product: the root comes later, where images are mixed."""
    b_t = torch.linspace(beta1, beta2, timesteps)
    return Schedule(b_t, 1 - b_t, (1 - b_t).cumprod(0).sqrt())


@wrong("Q1.1", "linear_schedule")
def schedule_multiplies_from_the_end(timesteps, beta1, beta2):
    """The running product goes from the last step back: ab_t[t] is the product of a_t[0] .. a_t[t]."""
    b_t = torch.linspace(beta1, beta2, timesteps)
    return Schedule(b_t, 1 - b_t, (1 - b_t).flip(0).cumprod(0).flip(0))


@wrong("Q1.1", "linear_schedule")
def schedule_in_another_order(timesteps, beta1, beta2):
    """The results are in the wrong order: b_t, a_t, ab_t."""
    b_t = torch.linspace(beta1, beta2, timesteps)
    return Schedule((1 - b_t).cumprod(0), 1 - b_t, b_t)


# ---------------------------------------------------------------- Q1.2


@wrong("Q1.2", "perturb_input")
def perturb_noise_without_root(x, t, noise, ab_t):
    """The noise is scaled by 1 - alpha-bar, which is its variance: the square root of it belongs there."""
    ab = ab_t[t].reshape(-1, 1, 1, 1)
    return ab.sqrt() * x + (1 - ab) * noise


@wrong("Q1.2", "perturb_input")
def perturb_image_without_root(x, t, noise, ab_t):
    """The image is scaled by alpha-bar: its square root belongs there, so that the variances add up to 1."""
    ab = ab_t[t].reshape(-1, 1, 1, 1)
    return ab * x + (1 - ab).sqrt() * noise


@wrong("Q1.2", "perturb_input")
def perturb_without_roots(x, t, noise, ab_t):
    """Both coefficients lack their square root: variances add up to 1, not the coefficients."""
    ab = ab_t[t].reshape(-1, 1, 1, 1)
    return ab * x + (1 - ab) * noise


@wrong("Q1.2", "perturb_input")
def perturb_swapped(x, t, noise, ab_t):
    """The coefficients are swapped: as t grows, the image fades and the noise comes."""
    ab = ab_t[t].reshape(-1, 1, 1, 1)
    return (1 - ab).sqrt() * x + ab.sqrt() * noise


@wrong("Q1.2", "perturb_input")
def perturb_minus(x, t, noise, ab_t):
    """The noise is subtracted: the network learns to predict the noise that was added."""
    ab = ab_t[t].reshape(-1, 1, 1, 1)
    return ab.sqrt() * x - (1 - ab).sqrt() * noise


@wrong("Q1.2", "perturb_input")
def perturb_one_step_early(x, t, noise, ab_t):
    """alpha-bar is read at t - 1: the code counts from 0, so ab_t[t] belongs to time t."""
    ab = ab_t[t - 1].reshape(-1, 1, 1, 1)
    return ab.sqrt() * x + (1 - ab).sqrt() * noise


@wrong("Q1.2", "perturb_input")
def perturb_one_time_for_the_batch(x, t, noise, ab_t):
    """Only the first time, t[0], is used: every image of the batch has its own."""
    ab = ab_t[t[0]]
    return ab.sqrt() * x + (1 - ab).sqrt() * noise


@wrong("Q1.2", "perturb_input")
def perturb_not_broadcast(x, t, noise, ab_t):
    """ab_t[t] has shape (B,), which meets the images' last dimension: make it (B, 1, 1, 1)."""
    ab = ab_t[t]
    return ab.sqrt() * x + (1 - ab).sqrt() * noise


@wrong("Q1.2", "perturb_input")
def perturb_in_place(x, t, noise, ab_t):
    """What the caller handed in is changed in place, as by `x *= ...`: make a new tensor."""
    ab = ab_t[t].reshape(-1, 1, 1, 1)
    x *= ab.sqrt()
    return x + (1 - ab).sqrt() * noise


@wrong("Q1.2", "perturb_input")
def perturb_alpha_of_one_step(x, t, noise, ab_t):
    """This uses alpha_t, the coefficient of a single step: from the clean image to time t it is alpha-bar_t."""
    ab = (ab_t / torch.cat([torch.ones(1), ab_t[:-1]]))[t].reshape(-1, 1, 1, 1)
    return ab.sqrt() * x + (1 - ab).sqrt() * noise


@wrong("Q1.2", "perturb_input")
def perturb_subtracts_the_root(x, t, noise, ab_t):
    """The noise is scaled by 1 - sqrt(alpha-bar): the root is that of 1 - alpha-bar."""
    ab = ab_t[t].reshape(-1, 1, 1, 1)
    return ab.sqrt() * x + (1 - ab.sqrt()) * noise


@wrong("Q1.2", "perturb_input")
def perturb_noise_not_scaled(x, t, noise, ab_t):
    """The noise is added as it is: its factor is sqrt(1 - alpha-bar)."""
    return ab_t[t].reshape(-1, 1, 1, 1).sqrt() * x + noise


@wrong("Q1.2", "perturb_input")
def perturb_image_not_scaled(x, t, noise, ab_t):
    """The image is not scaled: its factor is sqrt(alpha-bar)."""
    return x + (1 - ab_t[t].reshape(-1, 1, 1, 1)).sqrt() * noise


@wrong("Q1.2", "perturb_input")
def perturb_one_step_late(x, t, noise, ab_t):
    """alpha-bar is read at t + 1: ab_t[t] belongs to time t."""
    ab = ab_t[(t + 1).clamp(max=len(ab_t) - 1)].reshape(-1, 1, 1, 1)
    return ab.sqrt() * x + (1 - ab).sqrt() * noise


@wrong("Q1.2", "perturb_input")
def perturb_schedule_reversed(x, t, noise, ab_t):
    """alpha-bar is read at T - 1 - t: ab_t[t] belongs to time t."""
    ab = ab_t.flip(0)[t].reshape(-1, 1, 1, 1)
    return ab.sqrt() * x + (1 - ab).sqrt() * noise


@wrong("Q1.2", "perturb_input")
def perturb_draws_its_own_noise(x, t, noise, ab_t):
    """The noise that is handed in is not used: other noise is drawn instead."""
    ab = ab_t[t].reshape(-1, 1, 1, 1)
    return ab.sqrt() * x + (1 - ab).sqrt() * torch.randn_like(x)


@wrong("Q1.2", "perturb_input")
def perturb_clipped(x, t, noise, ab_t):
    """The result is clipped to [-1, 1]: x_t is noisy, and its noise goes beyond that."""
    ab = ab_t[t].reshape(-1, 1, 1, 1)
    return (ab.sqrt() * x + (1 - ab).sqrt() * noise).clamp(-1, 1)


@wrong("Q1.2", "perturb_input")
def perturb_not_indexed(x, t, noise, ab_t):
    """The whole schedule (T,) meets the images: take its entries at t, as (B, 1, 1, 1)."""
    return ab_t.sqrt() * x + (1 - ab_t).sqrt() * noise


# ---------------------------------------------------------------- Q1.3


@wrong("Q1.3", "train_step")
def train_time_not_divided(model, optimizer, x, schedule, t=None, noise=None):
    """The network is given t: it takes t / T."""
    t = torch.randint(0, len(schedule.ab_t), (len(x),), device=x.device) if t is None else t
    noise = torch.randn_like(x) if noise is None else noise
    loss = nn.functional.mse_loss(model(perturb_input(x, t, noise, schedule.ab_t), t), noise)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


@wrong("Q1.3", "train_step")
def train_time_counted_from_one(model, optimizer, x, schedule, t=None, noise=None):
    """The network is given (t + 1) / T: in the code times count from 0, in training and in sampling."""
    t = torch.randint(0, len(schedule.ab_t), (len(x),), device=x.device) if t is None else t
    noise = torch.randn_like(x) if noise is None else noise
    predicted = model(perturb_input(x, t, noise, schedule.ab_t), (t + 1) / len(schedule.ab_t))
    loss = nn.functional.mse_loss(predicted, noise)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


@wrong("Q1.3", "train_step")
def train_sums_the_error(model, optimizer, x, schedule, t=None, noise=None):
    """The squared error is summed over the pixels: the loss is the mean over batch, channels and pixels."""
    t = torch.randint(0, len(schedule.ab_t), (len(x),), device=x.device) if t is None else t
    noise = torch.randn_like(x) if noise is None else noise
    error = model(perturb_input(x, t, noise, schedule.ab_t), t / len(schedule.ab_t)) - noise
    loss = error.square().flatten(1).sum(dim=1).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


@wrong("Q1.3", "train_step")
def train_predicts_the_image(model, optimizer, x, schedule, t=None, noise=None):
    """The prediction is compared with the clean image: this network predicts the noise."""
    t = torch.randint(0, len(schedule.ab_t), (len(x),), device=x.device) if t is None else t
    noise = torch.randn_like(x) if noise is None else noise
    loss = nn.functional.mse_loss(model(perturb_input(x, t, noise, schedule.ab_t), t / len(schedule.ab_t)), x)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


@wrong("Q1.3", "train_step")
def train_predicts_other_noise(model, optimizer, x, schedule, t=None, noise=None):
    """The prediction is compared with other noise than that which is in x_t: both must be the same."""
    t = torch.randint(0, len(schedule.ab_t), (len(x),), device=x.device) if t is None else t
    noise = torch.randn_like(x) if noise is None else noise
    predicted = model(perturb_input(x, t, noise, schedule.ab_t), t / len(schedule.ab_t))
    loss = nn.functional.mse_loss(predicted, torch.randn_like(x))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


@wrong("Q1.3", "train_step")
def train_forgets_zero_grad(model, optimizer, x, schedule, t=None, noise=None):
    """Gradients of earlier batches are still there and add up: clear them before backward()."""
    t = torch.randint(0, len(schedule.ab_t), (len(x),), device=x.device) if t is None else t
    noise = torch.randn_like(x) if noise is None else noise
    loss = nn.functional.mse_loss(model(perturb_input(x, t, noise, schedule.ab_t), t / len(schedule.ab_t)), noise)
    loss.backward()
    optimizer.step()
    return loss.detach()


@wrong("Q1.3", "train_step")
def train_never_steps(model, optimizer, x, schedule, t=None, noise=None):
    """The parameters never change: zero_grad(), backward(), step(), in this order."""
    t = torch.randint(0, len(schedule.ab_t), (len(x),), device=x.device) if t is None else t
    noise = torch.randn_like(x) if noise is None else noise
    loss = nn.functional.mse_loss(model(perturb_input(x, t, noise, schedule.ab_t), t / len(schedule.ab_t)), noise)
    optimizer.zero_grad()
    loss.backward()
    return loss.detach()


@wrong("Q1.3", "train_step")
def train_shows_the_clean_image(model, optimizer, x, schedule, t=None, noise=None):
    """The network is shown the clean image: it has to find the noise in x_t."""
    t = torch.randint(0, len(schedule.ab_t), (len(x),), device=x.device) if t is None else t
    noise = torch.randn_like(x) if noise is None else noise
    loss = nn.functional.mse_loss(model(x, t / len(schedule.ab_t)), noise)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


@wrong("Q1.3", "train_step")
def train_one_time_for_the_batch(model, optimizer, x, schedule, t=None, noise=None):
    """One time is drawn for the whole batch: each image gets its own."""
    t = torch.randint(0, len(schedule.ab_t), (1,), device=x.device).repeat(len(x)) if t is None else t
    noise = torch.randn_like(x) if noise is None else noise
    loss = nn.functional.mse_loss(model(perturb_input(x, t, noise, schedule.ab_t), t / len(schedule.ab_t)), noise)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


@wrong("Q1.3", "train_step")
def train_never_draws_time_zero(model, optimizer, x, schedule, t=None, noise=None):
    """t is drawn from 1 on, so the network never learns the first bit of noise, t = 0: the code counts from 0."""
    t = torch.randint(1, len(schedule.ab_t), (len(x),), device=x.device) if t is None else t
    noise = torch.randn_like(x) if noise is None else noise
    loss = nn.functional.mse_loss(model(perturb_input(x, t, noise, schedule.ab_t), t / len(schedule.ab_t)), noise)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


@wrong("Q1.3", "train_step")
def train_uniform_noise(model, optimizer, x, schedule, t=None, noise=None):
    """torch.rand draws uniform numbers in [0, 1): the noise is normal, torch.randn."""
    t = torch.randint(0, len(schedule.ab_t), (len(x),), device=x.device) if t is None else t
    noise = torch.rand_like(x) if noise is None else noise
    loss = nn.functional.mse_loss(model(perturb_input(x, t, noise, schedule.ab_t), t / len(schedule.ab_t)), noise)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


@wrong("Q1.3", "train_step")
def train_shares_its_noise(model, optimizer, x, schedule, t=None, noise=None):
    """All images share one noise image: each needs its own, torch.randn_like(x)."""
    t = torch.randint(0, len(schedule.ab_t), (len(x),), device=x.device) if t is None else t
    noise = torch.randn_like(x[:1]).expand_as(x) if noise is None else noise
    loss = nn.functional.mse_loss(model(perturb_input(x, t, noise, schedule.ab_t), t / len(schedule.ab_t)), noise)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


@wrong("Q1.3", "train_step")
def train_absolute_error(model, optimizer, x, schedule, t=None, noise=None):
    """This is the absolute error: the loss is the mean squared error."""
    t = torch.randint(0, len(schedule.ab_t), (len(x),), device=x.device) if t is None else t
    noise = torch.randn_like(x) if noise is None else noise
    loss = nn.functional.l1_loss(model(perturb_input(x, t, noise, schedule.ab_t), t / len(schedule.ab_t)), noise)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


@wrong("Q1.3", "train_step")
def train_ignores_t(model, optimizer, x, schedule, t=None, noise=None):
    """The times that were passed in are ignored: draw them only where t is None."""
    t = torch.randint(0, len(schedule.ab_t), (len(x),), device=x.device)
    noise = torch.randn_like(x) if noise is None else noise
    loss = nn.functional.mse_loss(model(perturb_input(x, t, noise, schedule.ab_t), t / len(schedule.ab_t)), noise)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


@wrong("Q1.3", "train_step")
def train_ignores_noise(model, optimizer, x, schedule, t=None, noise=None):
    """The noise that was passed in is ignored: draw it only where noise is None."""
    t = torch.randint(0, len(schedule.ab_t), (len(x),), device=x.device) if t is None else t
    noise = torch.randn_like(x)
    loss = nn.functional.mse_loss(model(perturb_input(x, t, noise, schedule.ab_t), t / len(schedule.ab_t)), noise)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


@wrong("Q1.3", "train_step")
def train_returns_nothing(model, optimizer, x, schedule, t=None, noise=None):
    """The result is None: the loss has to be handed back with `return`."""
    t = torch.randint(0, len(schedule.ab_t), (len(x),), device=x.device) if t is None else t
    noise = torch.randn_like(x) if noise is None else noise
    loss = nn.functional.mse_loss(model(perturb_input(x, t, noise, schedule.ab_t), t / len(schedule.ab_t)), noise)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


@wrong("Q1.3", "train_step")
def train_times_up_to_T(model, optimizer, x, schedule, t=None, noise=None):
    """The times are 1 .. T, as the paper counts, and T is no index: the code counts 0 .. T - 1."""
    t = torch.randint(1, len(schedule.ab_t) + 1, (len(x),), device=x.device) if t is None else t
    noise = torch.randn_like(x) if noise is None else noise
    loss = nn.functional.mse_loss(model(perturb_input(x, t, noise, schedule.ab_t), t / len(schedule.ab_t)), noise)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


@wrong("Q1.3", "train_step")
def train_perturbs_with_alpha(model, optimizer, x, schedule, t=None, noise=None):
    """perturb_input gets a_t: it takes ab_t, the running products."""
    timesteps = len(schedule.ab_t)
    t = torch.randint(0, timesteps, (len(x),), device=x.device) if t is None else t
    noise = torch.randn_like(x) if noise is None else noise
    loss = nn.functional.mse_loss(model(perturb_input(x, t, noise, schedule.a_t), t / timesteps), noise)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


@wrong("Q1.3", "train_step")
def train_returns_the_loss_after_the_step(model, optimizer, x, schedule, t=None, noise=None):
    """The loss is computed anew after the step: the one whose gradient was followed is asked for."""
    timesteps = len(schedule.ab_t)
    t = torch.randint(0, timesteps, (len(x),), device=x.device) if t is None else t
    noise = torch.randn_like(x) if noise is None else noise
    x_t = perturb_input(x, t, noise, schedule.ab_t)
    optimizer.zero_grad()
    nn.functional.mse_loss(model(x_t, t / timesteps), noise).backward()
    optimizer.step()
    return nn.functional.mse_loss(model(x_t, t / timesteps), noise).detach()


# ---------------------------------------------------------------- Q1.4


@wrong("Q1.4", "sample_ddpm")
@torch.no_grad()
def ddpm_time_not_divided(model, schedule, shape, noise=None):
    """The network is given t: it takes t / T, as in training."""
    b_t, a_t, ab_t = schedule
    x = torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise
    for t in reversed(range(len(ab_t))):
        eps = model(x, torch.full((len(x),), float(t), device=schedule.ab_t.device))
        x = (x - (1 - a_t[t]) / (1 - ab_t[t]).sqrt() * eps) / a_t[t].sqrt()
        x = x + b_t[t].sqrt() * torch.randn_like(x) if t > 0 else x
    return x


@wrong("Q1.4", "sample_ddpm")
@torch.no_grad()
def ddpm_time_counted_from_one(model, schedule, shape, noise=None):
    """The network is given (t + 1) / T: in the code times count from 0, in training and in sampling."""
    b_t, a_t, ab_t = schedule
    x = torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise
    for t in reversed(range(len(ab_t))):
        eps = model(x, torch.full((len(x),), (t + 1) / len(ab_t), device=schedule.ab_t.device))
        x = (x - (1 - a_t[t]) / (1 - ab_t[t]).sqrt() * eps) / a_t[t].sqrt()
        x = x + b_t[t].sqrt() * torch.randn_like(x) if t > 0 else x
    return x


@wrong("Q1.4", "sample_ddpm")
@torch.no_grad()
def ddpm_alpha_for_alpha_bar(model, schedule, shape, noise=None):
    """The noise is divided by sqrt(1 - alpha_t): there the algorithm has alpha-bar_t."""
    b_t, a_t, ab_t = schedule
    x = torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise
    for t in reversed(range(len(ab_t))):
        eps = model(x, torch.full((len(x),), t / len(ab_t), device=schedule.ab_t.device))
        x = (x - (1 - a_t[t]) / (1 - a_t[t]).sqrt() * eps) / a_t[t].sqrt()
        x = x + b_t[t].sqrt() * torch.randn_like(x) if t > 0 else x
    return x


@wrong("Q1.4", "sample_ddpm")
@torch.no_grad()
def ddpm_alpha_bar_in_front(model, schedule, shape, noise=None):
    """The factor in front divides by sqrt(alpha-bar_t): one step back only undoes one step, sqrt(alpha_t)."""
    b_t, a_t, ab_t = schedule
    x = torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise
    for t in reversed(range(len(ab_t))):
        eps = model(x, torch.full((len(x),), t / len(ab_t), device=schedule.ab_t.device))
        x = (x - (1 - a_t[t]) / (1 - ab_t[t]).sqrt() * eps) / ab_t[t].sqrt()
        x = x + b_t[t].sqrt() * torch.randn_like(x) if t > 0 else x
    return x


@wrong("Q1.4", "sample_ddpm")
@torch.no_grad()
def ddpm_coefficient_without_root(model, schedule, shape, noise=None):
    """The noise is divided by 1 - alpha-bar_t: its square root belongs there."""
    b_t, a_t, ab_t = schedule
    x = torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise
    for t in reversed(range(len(ab_t))):
        eps = model(x, torch.full((len(x),), t / len(ab_t), device=schedule.ab_t.device))
        x = (x - (1 - a_t[t]) / (1 - ab_t[t]) * eps) / a_t[t].sqrt()
        x = x + b_t[t].sqrt() * torch.randn_like(x) if t > 0 else x
    return x


@wrong("Q1.4", "sample_ddpm")
@torch.no_grad()
def ddpm_not_rescaled(model, schedule, shape, noise=None):
    """The factor 1 / sqrt(alpha_t) in front is lost."""
    b_t, a_t, ab_t = schedule
    x = torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise
    for t in reversed(range(len(ab_t))):
        eps = model(x, torch.full((len(x),), t / len(ab_t), device=schedule.ab_t.device))
        x = x - (1 - a_t[t]) / (1 - ab_t[t]).sqrt() * eps
        x = x + b_t[t].sqrt() * torch.randn_like(x) if t > 0 else x
    return x


@wrong("Q1.4", "sample_ddpm")
@torch.no_grad()
def ddpm_adds_the_predicted_noise(model, schedule, shape, noise=None):
    """The predicted noise is added: the way back removes it."""
    b_t, a_t, ab_t = schedule
    x = torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise
    for t in reversed(range(len(ab_t))):
        eps = model(x, torch.full((len(x),), t / len(ab_t), device=schedule.ab_t.device))
        x = (x + (1 - a_t[t]) / (1 - ab_t[t]).sqrt() * eps) / a_t[t].sqrt()
        x = x + b_t[t].sqrt() * torch.randn_like(x) if t > 0 else x
    return x


@wrong("Q1.4", "sample_ddpm")
@torch.no_grad()
def ddpm_noise_scaled_by_variance(model, schedule, shape, noise=None):
    """z is multiplied by beta_t, the variance: its square root, sigma_t, scales it."""
    b_t, a_t, ab_t = schedule
    x = torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise
    for t in reversed(range(len(ab_t))):
        eps = model(x, torch.full((len(x),), t / len(ab_t), device=schedule.ab_t.device))
        x = (x - (1 - a_t[t]) / (1 - ab_t[t]).sqrt() * eps) / a_t[t].sqrt()
        x = x + b_t[t] * torch.randn_like(x) if t > 0 else x
    return x


@wrong("Q1.4", "sample_ddpm")
@torch.no_grad()
def ddpm_without_noise(model, schedule, shape, noise=None):
    """No noise is added in the steps: each is a draw from a Gaussian, not its mean."""
    b_t, a_t, ab_t = schedule
    x = torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise
    for t in reversed(range(len(ab_t))):
        eps = model(x, torch.full((len(x),), t / len(ab_t), device=schedule.ab_t.device))
        x = (x - (1 - a_t[t]) / (1 - ab_t[t]).sqrt() * eps) / a_t[t].sqrt()
    return x


@wrong("Q1.4", "sample_ddpm")
@torch.no_grad()
def ddpm_drops_noise_too_early(model, schedule, shape, noise=None):
    """The noise is left out at t = 1 already: the paper's last step, t = 1, is t = 0 in the code."""
    b_t, a_t, ab_t = schedule
    x = torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise
    for t in reversed(range(len(ab_t))):
        eps = model(x, torch.full((len(x),), t / len(ab_t), device=schedule.ab_t.device))
        x = (x - (1 - a_t[t]) / (1 - ab_t[t]).sqrt() * eps) / a_t[t].sqrt()
        x = x + b_t[t].sqrt() * torch.randn_like(x) if t > 1 else x
    return x


@wrong("Q1.4", "sample_ddpm")
@torch.no_grad()
def ddpm_skips_the_last_step(model, schedule, shape, noise=None):
    """The loop ends before t = 0: the last bit of noise is still in the images."""
    b_t, a_t, ab_t = schedule
    x = torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise
    for t in range(len(ab_t) - 1, 0, -1):
        eps = model(x, torch.full((len(x),), t / len(ab_t), device=schedule.ab_t.device))
        x = (x - (1 - a_t[t]) / (1 - ab_t[t]).sqrt() * eps) / a_t[t].sqrt()
        x = x + b_t[t].sqrt() * torch.randn_like(x)
    return x


@wrong("Q1.4", "sample_ddpm")
@torch.no_grad()
def ddpm_goes_forward(model, schedule, shape, noise=None):
    """The times rise: sampling goes from the last time, T - 1, down to 0."""
    b_t, a_t, ab_t = schedule
    x = torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise
    for t in range(len(ab_t)):
        eps = model(x, torch.full((len(x),), t / len(ab_t), device=schedule.ab_t.device))
        x = (x - (1 - a_t[t]) / (1 - ab_t[t]).sqrt() * eps) / a_t[t].sqrt()
        x = x + b_t[t].sqrt() * torch.randn_like(x) if t > 0 else x
    return x


@wrong("Q1.4", "sample_ddpm")
@torch.no_grad()
def ddpm_same_noise_in_every_step(model, schedule, shape, noise=None):
    """The same z is added in every step: draw it anew in each."""
    b_t, a_t, ab_t = schedule
    x = torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise
    z = torch.randn_like(x)
    for t in reversed(range(len(ab_t))):
        eps = model(x, torch.full((len(x),), t / len(ab_t), device=schedule.ab_t.device))
        x = (x - (1 - a_t[t]) / (1 - ab_t[t]).sqrt() * eps) / a_t[t].sqrt()
        x = x + b_t[t].sqrt() * z if t > 0 else x
    return x


@wrong("Q1.4", "sample_ddpm")
@torch.no_grad()
def ddpm_adds_the_starting_noise(model, schedule, shape, noise=None):
    """The start is used again as the noise of the steps: every step needs fresh z ~ N(0, I)."""
    b_t, a_t, ab_t = schedule
    noise = torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise
    x = noise
    for t in reversed(range(len(ab_t))):
        eps = model(x, torch.full((len(x),), t / len(ab_t), device=schedule.ab_t.device))
        x = (x - (1 - a_t[t]) / (1 - ab_t[t]).sqrt() * eps) / a_t[t].sqrt()
        x = x + b_t[t].sqrt() * noise if t > 0 else x
    return x


@wrong("Q1.4", "sample_ddpm")
@torch.no_grad()
def ddpm_ignores_the_start(model, schedule, shape, noise=None):
    """The noise that was passed in is ignored: draw the start only where it is None."""
    b_t, a_t, ab_t = schedule
    x = torch.randn(shape, device=schedule.ab_t.device)
    for t in reversed(range(len(ab_t))):
        eps = model(x, torch.full((len(x),), t / len(ab_t), device=schedule.ab_t.device))
        x = (x - (1 - a_t[t]) / (1 - ab_t[t]).sqrt() * eps) / a_t[t].sqrt()
        x = x + b_t[t].sqrt() * torch.randn_like(x) if t > 0 else x
    return x


@wrong("Q1.4", "sample_ddpm")
@torch.no_grad()
def ddpm_root_inside(model, schedule, shape, noise=None):
    """The noise is divided by 1 - sqrt(alpha-bar_t): the root is that of 1 - alpha-bar_t."""
    b_t, a_t, ab_t = schedule
    x = torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise
    for t in reversed(range(len(ab_t))):
        eps = model(x, torch.full((len(x),), t / len(ab_t), device=schedule.ab_t.device))
        x = (x - (1 - a_t[t]) / (1 - ab_t[t].sqrt()) * eps) / a_t[t].sqrt()
        x = x + b_t[t].sqrt() * torch.randn_like(x) if t > 0 else x
    return x


@wrong("Q1.4", "sample_ddpm")
@torch.no_grad()
def ddpm_alpha_without_root(model, schedule, shape, noise=None):
    """The factor in front divides by alpha_t: its square root belongs there."""
    b_t, a_t, ab_t = schedule
    x = torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise
    for t in reversed(range(len(ab_t))):
        eps = model(x, torch.full((len(x),), t / len(ab_t), device=schedule.ab_t.device))
        x = (x - (1 - a_t[t]) / (1 - ab_t[t]).sqrt() * eps) / a_t[t]
        x = x + b_t[t].sqrt() * torch.randn_like(x) if t > 0 else x
    return x


@wrong("Q1.4", "sample_ddpm")
@torch.no_grad()
def ddpm_clips_every_step(model, schedule, shape, noise=None):
    """x is clipped to [-1, 1] in every step: the algorithm clips nothing."""
    b_t, a_t, ab_t = schedule
    x = torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise
    for t in reversed(range(len(ab_t))):
        eps = model(x, torch.full((len(x),), t / len(ab_t), device=schedule.ab_t.device))
        x = (x - (1 - a_t[t]) / (1 - ab_t[t]).sqrt() * eps) / a_t[t].sqrt()
        x = (x + b_t[t].sqrt() * torch.randn_like(x) if t > 0 else x).clamp(-1, 1)
    return x


@wrong("Q1.4", "sample_ddpm")
@torch.no_grad()
def ddpm_shares_its_noise(model, schedule, shape, noise=None):
    """All images get the same z in a step: each needs its own, torch.randn_like(x)."""
    b_t, a_t, ab_t = schedule
    x = torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise
    for t in reversed(range(len(ab_t))):
        eps = model(x, torch.full((len(x),), t / len(ab_t), device=schedule.ab_t.device))
        x = (x - (1 - a_t[t]) / (1 - ab_t[t]).sqrt() * eps) / a_t[t].sqrt()
        x = x + b_t[t].sqrt() * torch.randn_like(x[:1]) if t > 0 else x
    return x


@wrong("Q1.4", "sample_ddpm")
@torch.no_grad()
def ddpm_starts_from_uniform_noise(model, schedule, shape, noise=None):
    """The start comes from torch.rand, which is uniform: x_T is standard normal, torch.randn."""
    b_t, a_t, ab_t = schedule
    x = torch.rand(shape, device=schedule.ab_t.device) if noise is None else noise
    for t in reversed(range(len(ab_t))):
        eps = model(x, torch.full((len(x),), t / len(ab_t), device=schedule.ab_t.device))
        x = (x - (1 - a_t[t]) / (1 - ab_t[t]).sqrt() * eps) / a_t[t].sqrt()
        x = x + b_t[t].sqrt() * torch.randn_like(x) if t > 0 else x
    return x


# ---------------------------------------------------------------- Q1.5


@wrong("Q1.5", "sample_ddim")
@torch.no_grad()
def ddim_time_not_divided(model, schedule, shape, n_steps, noise=None):
    """The network is given t: it takes t / T, as in training."""
    x, ab_t = torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise, schedule.ab_t
    for t, t_prev in ddim_times(len(ab_t), n_steps):
        eps = model(x, torch.full((len(x),), float(t), device=schedule.ab_t.device))
        x0 = (x - (1 - ab_t[t]).sqrt() * eps) / ab_t[t].sqrt()
        ab_prev = ab_t[t_prev] if t_prev >= 0 else torch.tensor(1.0)
        x = ab_prev.sqrt() * x0 + (1 - ab_prev).sqrt() * eps
    return x


@wrong("Q1.5", "sample_ddim")
@torch.no_grad()
def ddim_reads_the_last_entry_at_the_end(model, schedule, shape, n_steps, noise=None):
    """At the end ab_t[-1] is read, the alpha-bar of time T - 1: the last jump goes to the clean image, alpha-bar 1."""
    x, ab_t = torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise, schedule.ab_t
    for t, t_prev in ddim_times(len(ab_t), n_steps):
        eps = model(x, torch.full((len(x),), t / len(ab_t), device=schedule.ab_t.device))
        x0 = (x - (1 - ab_t[t]).sqrt() * eps) / ab_t[t].sqrt()
        x = ab_t[t_prev].sqrt() * x0 + (1 - ab_t[t_prev]).sqrt() * eps
    return x


@wrong("Q1.5", "sample_ddim")
@torch.no_grad()
def ddim_skips_the_last_jump(model, schedule, shape, n_steps, noise=None):
    """The jump to the clean image is missing: the noise of the last time is still in the images."""
    x, ab_t = torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise, schedule.ab_t
    for t, t_prev in ddim_times(len(ab_t), n_steps):
        if t_prev < 0:
            break
        eps = model(x, torch.full((len(x),), t / len(ab_t), device=schedule.ab_t.device))
        x0 = (x - (1 - ab_t[t]).sqrt() * eps) / ab_t[t].sqrt()
        x = ab_t[t_prev].sqrt() * x0 + (1 - ab_t[t_prev]).sqrt() * eps
    return x


@wrong("Q1.5", "sample_ddim")
@torch.no_grad()
def ddim_ends_at_time_zero(model, schedule, shape, n_steps, noise=None):
    """The last jump ends at time 0, where a bit of noise is left: the clean image has no index, its alpha-bar is 1."""
    x, ab_t = torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise, schedule.ab_t
    for t, t_prev in ddim_times(len(ab_t), n_steps):
        eps = model(x, torch.full((len(x),), t / len(ab_t), device=schedule.ab_t.device))
        x0 = (x - (1 - ab_t[t]).sqrt() * eps) / ab_t[t].sqrt()
        ab_prev = ab_t[max(t_prev, 0)]
        x = ab_prev.sqrt() * x0 + (1 - ab_prev).sqrt() * eps
    return x


@wrong("Q1.5", "sample_ddim")
@torch.no_grad()
def ddim_with_fresh_noise(model, schedule, shape, n_steps, noise=None):
    """Fresh noise is added after each jump: DDIM adds the predicted noise again, so that nothing is random."""
    x, ab_t = torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise, schedule.ab_t
    for t, t_prev in ddim_times(len(ab_t), n_steps):
        eps = model(x, torch.full((len(x),), t / len(ab_t), device=schedule.ab_t.device))
        x0 = (x - (1 - ab_t[t]).sqrt() * eps) / ab_t[t].sqrt()
        ab_prev = ab_t[t_prev] if t_prev >= 0 else torch.tensor(1.0)
        x = ab_prev.sqrt() * x0 + (1 - ab_prev).sqrt() * torch.randn_like(x)
    return x


@wrong("Q1.5", "sample_ddim")
def ddim_adds_the_noise_of_both_times(model, schedule, shape, n_steps, noise=None):
    """The predicted noise is added twice: only sqrt(1 - ab) of the time that the jump leads to belongs to it."""
    x, ab_t = torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise, schedule.ab_t
    for t, t_prev in ddim_times(len(ab_t), n_steps):
        eps = model(x, torch.full((len(x),), t / len(ab_t), device=schedule.ab_t.device))
        x0 = (x - (1 - ab_t[t]).sqrt() * eps) / ab_t[t].sqrt()
        ab_prev = ab_t[t_prev] if t_prev >= 0 else torch.tensor(1.0)
        x = ab_prev.sqrt() * x0 + ((1 - ab_prev).sqrt() + (1 - ab_t[t]).sqrt()) * eps
    return x


@wrong("Q1.5", "sample_ddim")
@torch.no_grad()
def ddim_as_random_as_ddpm(model, schedule, shape, n_steps, noise=None):
    """This is DDIM with eta = 1, as random as DDPM: in this exercise sigma is 0."""
    x, ab_t = torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise, schedule.ab_t
    for t, t_prev in ddim_times(len(ab_t), n_steps):
        eps = model(x, torch.full((len(x),), t / len(ab_t), device=schedule.ab_t.device))
        x0 = (x - (1 - ab_t[t]).sqrt() * eps) / ab_t[t].sqrt()
        ab_prev = ab_t[t_prev] if t_prev >= 0 else torch.tensor(1.0)
        sigma = ((1 - ab_prev) / (1 - ab_t[t]) * (1 - ab_t[t] / ab_prev)).sqrt()
        x = ab_prev.sqrt() * x0 + (1 - ab_prev - sigma**2).sqrt() * eps + sigma * torch.randn_like(x)
    return x


@wrong("Q1.5", "sample_ddim")
@torch.no_grad()
def ddim_alpha_for_alpha_bar(model, schedule, shape, n_steps, noise=None):
    """alpha_t is used in the place of alpha-bar_t: in the DDIM paper alpha stands for what DDPM calls alpha-bar."""
    x, a_t = torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise, schedule.a_t
    for t, t_prev in ddim_times(len(a_t), n_steps):
        eps = model(x, torch.full((len(x),), t / len(a_t), device=schedule.ab_t.device))
        x0 = (x - (1 - a_t[t]).sqrt() * eps) / a_t[t].sqrt()
        a_prev = a_t[t_prev] if t_prev >= 0 else torch.tensor(1.0)
        x = a_prev.sqrt() * x0 + (1 - a_prev).sqrt() * eps
    return x


@wrong("Q1.5", "sample_ddim")
@torch.no_grad()
def ddim_estimate_not_rescaled(model, schedule, shape, n_steps, noise=None):
    """The estimate of the clean image is not divided by sqrt(alpha-bar_t)."""
    x, ab_t = torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise, schedule.ab_t
    for t, t_prev in ddim_times(len(ab_t), n_steps):
        eps = model(x, torch.full((len(x),), t / len(ab_t), device=schedule.ab_t.device))
        x0 = x - (1 - ab_t[t]).sqrt() * eps
        ab_prev = ab_t[t_prev] if t_prev >= 0 else torch.tensor(1.0)
        x = ab_prev.sqrt() * x0 + (1 - ab_prev).sqrt() * eps
    return x


@wrong("Q1.5", "sample_ddim")
@torch.no_grad()
def ddim_without_roots(model, schedule, shape, n_steps, noise=None):
    """The coefficients of the jump lack their square roots: alpha-bar and 1 - alpha-bar are squares."""
    x, ab_t = torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise, schedule.ab_t
    for t, t_prev in ddim_times(len(ab_t), n_steps):
        eps = model(x, torch.full((len(x),), t / len(ab_t), device=schedule.ab_t.device))
        x0 = (x - (1 - ab_t[t]).sqrt() * eps) / ab_t[t].sqrt()
        ab_prev = ab_t[t_prev] if t_prev >= 0 else torch.tensor(1.0)
        x = ab_prev * x0 + (1 - ab_prev) * eps
    return x


@wrong("Q1.5", "sample_ddim")
@torch.no_grad()
def ddim_keeps_the_noise_of_t(model, schedule, shape, n_steps, noise=None):
    """The noise of time t is added again: the jump ends at t_prev, where there is less."""
    x, ab_t = torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise, schedule.ab_t
    for t, t_prev in ddim_times(len(ab_t), n_steps):
        eps = model(x, torch.full((len(x),), t / len(ab_t), device=schedule.ab_t.device))
        x0 = (x - (1 - ab_t[t]).sqrt() * eps) / ab_t[t].sqrt()
        ab_prev = ab_t[t_prev] if t_prev >= 0 else torch.tensor(1.0)
        x = ab_prev.sqrt() * x0 + (1 - ab_t[t]).sqrt() * eps
    return x


@wrong("Q1.5", "sample_ddim")
@torch.no_grad()
def ddim_takes_one_step_at_a_time(model, schedule, shape, n_steps, noise=None):
    """alpha-bar is read at t - 1 and not at t_prev: with fewer steps, a jump goes over many times at once."""
    x, ab_t = torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise, schedule.ab_t
    for t, _ in ddim_times(len(ab_t), n_steps):
        eps = model(x, torch.full((len(x),), t / len(ab_t), device=schedule.ab_t.device))
        x0 = (x - (1 - ab_t[t]).sqrt() * eps) / ab_t[t].sqrt()
        ab_prev = ab_t[t - 1] if t >= 1 else torch.tensor(1.0)
        x = ab_prev.sqrt() * x0 + (1 - ab_prev).sqrt() * eps
    return x


@wrong("Q1.5", "sample_ddim")
@torch.no_grad()
def ddim_ignores_n_steps(model, schedule, shape, n_steps, noise=None):
    """All T steps are taken: n_steps is not used."""
    x, ab_t = torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise, schedule.ab_t
    for t, t_prev in ddim_times(len(ab_t), len(ab_t)):
        eps = model(x, torch.full((len(x),), t / len(ab_t), device=schedule.ab_t.device))
        x0 = (x - (1 - ab_t[t]).sqrt() * eps) / ab_t[t].sqrt()
        ab_prev = ab_t[t_prev] if t_prev >= 0 else torch.tensor(1.0)
        x = ab_prev.sqrt() * x0 + (1 - ab_prev).sqrt() * eps
    return x


@wrong("Q1.5", "sample_ddim")
@torch.no_grad()
def ddim_only_the_last_times(model, schedule, shape, n_steps, noise=None):
    """The times are n_steps - 1, ..., 0: they have to be spread over all T, since the start is pure noise."""
    x, ab_t = torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise, schedule.ab_t
    for t in reversed(range(n_steps)):
        eps = model(x, torch.full((len(x),), t / len(ab_t), device=schedule.ab_t.device))
        x0 = (x - (1 - ab_t[t]).sqrt() * eps) / ab_t[t].sqrt()
        ab_prev = ab_t[t - 1] if t >= 1 else torch.tensor(1.0)
        x = ab_prev.sqrt() * x0 + (1 - ab_prev).sqrt() * eps
    return x


@wrong("Q1.5", "sample_ddim")
@torch.no_grad()
def ddim_ignores_the_start(model, schedule, shape, n_steps, noise=None):
    """The noise that was passed in is ignored: draw the start only where it is None."""
    x, ab_t = torch.randn(shape, device=schedule.ab_t.device), schedule.ab_t
    for t, t_prev in ddim_times(len(ab_t), n_steps):
        eps = model(x, torch.full((len(x),), t / len(ab_t), device=schedule.ab_t.device))
        x0 = (x - (1 - ab_t[t]).sqrt() * eps) / ab_t[t].sqrt()
        ab_prev = ab_t[t_prev] if t_prev >= 0 else torch.tensor(1.0)
        x = ab_prev.sqrt() * x0 + (1 - ab_prev).sqrt() * eps
    return x


@wrong("Q1.5", "sample_ddim")
@torch.no_grad()
def ddim_clips_the_estimate(model, schedule, shape, n_steps, noise=None):
    """The estimate of the clean image is clipped to [-1, 1]: the algorithm clips nothing."""
    x, ab_t = torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise, schedule.ab_t
    for t, t_prev in ddim_times(len(ab_t), n_steps):
        eps = model(x, torch.full((len(x),), t / len(ab_t), device=schedule.ab_t.device))
        x0 = ((x - (1 - ab_t[t]).sqrt() * eps) / ab_t[t].sqrt()).clamp(-1, 1)
        ab_prev = ab_t[t_prev] if t_prev >= 0 else torch.tensor(1.0)
        x = ab_prev.sqrt() * x0 + (1 - ab_prev).sqrt() * eps
    return x


@wrong("Q1.5", "sample_ddim")
@torch.no_grad()
def ddim_estimate_adds_the_noise(model, schedule, shape, n_steps, noise=None):
    """In the estimate of the clean image the predicted noise is added: it is taken away."""
    x, ab_t = torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise, schedule.ab_t
    for t, t_prev in ddim_times(len(ab_t), n_steps):
        eps = model(x, torch.full((len(x),), t / len(ab_t), device=schedule.ab_t.device))
        x0 = (x + (1 - ab_t[t]).sqrt() * eps) / ab_t[t].sqrt()
        ab_prev = ab_t[t_prev] if t_prev >= 0 else torch.tensor(1.0)
        x = ab_prev.sqrt() * x0 + (1 - ab_prev).sqrt() * eps
    return x


@wrong("Q1.5", "sample_ddim")
@torch.no_grad()
def ddim_estimate_without_root(model, schedule, shape, n_steps, noise=None):
    """In the estimate of the clean image, 1 - alpha-bar_t lacks its square root."""
    x, ab_t = torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise, schedule.ab_t
    for t, t_prev in ddim_times(len(ab_t), n_steps):
        eps = model(x, torch.full((len(x),), t / len(ab_t), device=schedule.ab_t.device))
        x0 = (x - (1 - ab_t[t]) * eps) / ab_t[t].sqrt()
        ab_prev = ab_t[t_prev] if t_prev >= 0 else torch.tensor(1.0)
        x = ab_prev.sqrt() * x0 + (1 - ab_prev).sqrt() * eps
    return x


@wrong("Q1.5", "sample_ddim")
@torch.no_grad()
def ddim_forgets_the_noise_of_the_next_time(model, schedule, shape, n_steps, noise=None):
    """The jump ends at sqrt(alpha-bar) times the estimate: the predicted noise of the next time is missing."""
    x, ab_t = torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise, schedule.ab_t
    for t, t_prev in ddim_times(len(ab_t), n_steps):
        eps = model(x, torch.full((len(x),), t / len(ab_t), device=schedule.ab_t.device))
        ab_prev = ab_t[t_prev] if t_prev >= 0 else torch.tensor(1.0)
        x = ab_prev.sqrt() * (x - (1 - ab_t[t]).sqrt() * eps) / ab_t[t].sqrt()
    return x


@wrong("Q1.5", "sample_ddim")
@torch.no_grad()
def ddim_keeps_alpha_bar_of_t(model, schedule, shape, n_steps, noise=None):
    """The estimate is scaled by sqrt(alpha-bar_t) again: the jump ends at t_prev, whose alpha-bar belongs there."""
    x, ab_t = torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise, schedule.ab_t
    for t, t_prev in ddim_times(len(ab_t), n_steps):
        eps = model(x, torch.full((len(x),), t / len(ab_t), device=schedule.ab_t.device))
        x0 = (x - (1 - ab_t[t]).sqrt() * eps) / ab_t[t].sqrt()
        ab_prev = ab_t[t_prev] if t_prev >= 0 else torch.tensor(1.0)
        x = ab_t[t].sqrt() * x0 + (1 - ab_prev).sqrt() * eps
    return x


@wrong("Q1.5", "sample_ddim")
@torch.no_grad()
def ddim_returns_the_last_estimate_scaled(model, schedule, shape, n_steps, noise=None):
    """The times rise: sampling goes from the last time down to the clean image."""
    x, ab_t = torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise, schedule.ab_t
    for t, t_prev in reversed(list(ddim_times(len(ab_t), n_steps))):
        eps = model(x, torch.full((len(x),), t / len(ab_t), device=schedule.ab_t.device))
        x0 = (x - (1 - ab_t[t]).sqrt() * eps) / ab_t[t].sqrt()
        ab_prev = ab_t[t_prev] if t_prev >= 0 else torch.tensor(1.0)
        x = ab_prev.sqrt() * x0 + (1 - ab_prev).sqrt() * eps
    return x


@wrong("Q1.5", "sample_ddim")
@torch.no_grad()
def ddim_next_noise_without_root(model, schedule, shape, n_steps, noise=None):
    """In the jump, 1 - alpha-bar of the next time lacks its square root."""
    ab_t, timesteps = schedule.ab_t, len(schedule.ab_t)
    x = torch.randn(shape, device=ab_t.device) if noise is None else noise
    for t, t_prev in ddim_times(timesteps, n_steps):
        eps = model(x, torch.full((len(x),), t / timesteps, device=x.device))
        x0 = (x - (1 - ab_t[t]).sqrt() * eps) / ab_t[t].sqrt()
        ab_prev = ab_t[t_prev] if t_prev >= 0 else torch.ones_like(ab_t[t])
        x = ab_prev.sqrt() * x0 + (1 - ab_prev) * eps
    return x


@wrong("Q1.5", "sample_ddim")
@torch.no_grad()
def ddim_estimate_with_alpha(model, schedule, shape, n_steps, noise=None):
    """In the estimate of the clean image alpha_t stands for alpha-bar_t."""
    ab_t, timesteps = schedule.ab_t, len(schedule.ab_t)
    x = torch.randn(shape, device=ab_t.device) if noise is None else noise
    for t, t_prev in ddim_times(timesteps, n_steps):
        eps = model(x, torch.full((len(x),), t / timesteps, device=x.device))
        x0 = (x - (1 - schedule.a_t[t]).sqrt() * eps) / schedule.a_t[t].sqrt()
        ab_prev = ab_t[t_prev] if t_prev >= 0 else torch.ones_like(ab_t[t])
        x = ab_prev.sqrt() * x0 + (1 - ab_prev).sqrt() * eps
    return x


@wrong("Q1.5", "sample_ddim")
@torch.no_grad()
def ddim_tells_the_next_time(model, schedule, shape, n_steps, noise=None):
    """The network is told t_prev, to which the jump leads: x is an image of time t."""
    ab_t, timesteps = schedule.ab_t, len(schedule.ab_t)
    x = torch.randn(shape, device=ab_t.device) if noise is None else noise
    for t, t_prev in ddim_times(timesteps, n_steps):
        eps = model(x, torch.full((len(x),), t_prev / timesteps, device=x.device))
        x0 = (x - (1 - ab_t[t]).sqrt() * eps) / ab_t[t].sqrt()
        ab_prev = ab_t[t_prev] if t_prev >= 0 else torch.ones_like(ab_t[t])
        x = ab_prev.sqrt() * x0 + (1 - ab_prev).sqrt() * eps
    return x


@wrong("Q1.5", "sample_ddim")
@torch.no_grad()
def ddim_asks_about_the_estimate(model, schedule, shape, n_steps, noise=None):
    """The noise of the next time is predicted anew, from the clean image: it is what was predicted from x."""
    ab_t, timesteps = schedule.ab_t, len(schedule.ab_t)
    x = torch.randn(shape, device=ab_t.device) if noise is None else noise
    for t, t_prev in ddim_times(timesteps, n_steps):
        eps = model(x, torch.full((len(x),), t / timesteps, device=x.device))
        x0 = (x - (1 - ab_t[t]).sqrt() * eps) / ab_t[t].sqrt()
        ab_prev = ab_t[t_prev] if t_prev >= 0 else torch.ones_like(ab_t[t])
        x = ab_prev.sqrt() * x0 + (1 - ab_prev).sqrt() * model(
            x0, torch.full((len(x),), t / timesteps, device=schedule.ab_t.device)
        )
    return x


@wrong("Q1.5", "sample_ddim")
@torch.no_grad()
def ddim_returns_a_tuple(model, schedule, shape, n_steps, noise=None):
    """Other results come with the images: the images alone are asked for."""
    ab_t, timesteps = schedule.ab_t, len(schedule.ab_t)
    x = torch.randn(shape, device=ab_t.device) if noise is None else noise
    for t, t_prev in ddim_times(timesteps, n_steps):
        eps = model(x, torch.full((len(x),), t / timesteps, device=x.device))
        x0 = (x - (1 - ab_t[t]).sqrt() * eps) / ab_t[t].sqrt()
        ab_prev = ab_t[t_prev] if t_prev >= 0 else torch.ones_like(ab_t[t])
        x = ab_prev.sqrt() * x0 + (1 - ab_prev).sqrt() * eps
    return x, []


@wrong("Q1.5", "sample_ddim")
@torch.no_grad()
def ddim_by_a_range(model, schedule, shape, n_steps, noise=None):
    """The times are T // n_steps apart, which goes wrong where n_steps does not divide T: take those of ddim_times."""
    ab_t, timesteps = schedule.ab_t, len(schedule.ab_t)
    x = torch.randn(shape, device=ab_t.device) if noise is None else noise
    jump = timesteps // n_steps
    for t in range(timesteps - 1, -1, -jump):
        eps = model(x, torch.full((len(x),), t / timesteps, device=x.device))
        x0 = (x - (1 - ab_t[t]).sqrt() * eps) / ab_t[t].sqrt()
        ab_prev = ab_t[t - jump] if t - jump >= 0 else torch.ones_like(ab_t[t])
        x = ab_prev.sqrt() * x0 + (1 - ab_prev).sqrt() * eps
    return x
