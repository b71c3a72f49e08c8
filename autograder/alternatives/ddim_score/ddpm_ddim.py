"""Right answers to ddpm_ddim.py that look different: full marks for each."""

import torch

from autograder.grading.variants import right


@right("Q1.1", "linear_schedule")
def schedule_as_plain_tensors(timesteps, beta1, beta2):
    """A plain tuple; alpha-bar as the exponential of summed logarithms, as in many notebooks."""
    b_t = (beta2 - beta1) * torch.linspace(0, 1, timesteps) + beta1
    a_t = 1 - b_t
    ab_t = torch.cumsum(a_t.log(), dim=0).exp()
    return b_t, a_t, ab_t


@right("Q1.1", "linear_schedule")
def schedule_in_float64(timesteps, beta1, beta2):
    """In float64, with the product in a loop."""
    b_t = torch.linspace(beta1, beta2, timesteps, dtype=torch.float64)
    product, products = 1.0, []
    for b in b_t.tolist():
        product *= 1 - b
        products.append(product)
    return Schedule(b_t, 1 - b_t, torch.tensor(products, dtype=torch.float64))


@right("Q1.2", "perturb_input")
def perturb_by_roots_first(x, t, noise, ab_t):
    """Roots of the whole schedule, then indexing with None."""
    return ab_t.sqrt()[t, None, None, None] * x + (1 - ab_t).sqrt()[t, None, None, None] * noise


@right("Q1.2", "perturb_input")
def perturb_image_by_image(x, t, noise, ab_t):
    """A loop over the batch."""
    pairs = zip(x, noise, t.tolist(), strict=True)
    return torch.stack([ab_t[i] ** 0.5 * image + (1 - ab_t[i]) ** 0.5 * e for image, e, i in pairs])


@right("Q1.3", "train_step")
def train_inline(model, optimizer, x, schedule, t=None, noise=None):
    """perturb_input written out again; the error by hand; gradients cleared first; a float is returned."""
    optimizer.zero_grad(set_to_none=True)
    noise = torch.randn(x.shape) if noise is None else noise
    T = schedule.ab_t.shape[0]
    t = torch.randint(low=0, high=T, size=(x.shape[0],)) if t is None else t
    ab = schedule.ab_t[t].view(-1, 1, 1, 1)
    prediction = model(ab.sqrt() * x + torch.sqrt(1 - ab) * noise, t.float() / T)
    loss = ((prediction - noise) ** 2).mean()
    loss.backward()
    optimizer.step()
    return loss.item()


@right("Q1.3", "train_step")
def train_with_unpacked_schedule(model, optimizer, x, schedule, t=None, noise=None):
    """The schedule unpacked; perturb_input by position; model.zero_grad(); the loss as loss.data."""
    b_t, a_t, ab_t = schedule
    t = torch.randint(0, len(b_t), [len(x)]) if t is None else t
    noise = torch.randn_like(x) if noise is None else noise
    loss = nn.MSELoss()(model(perturb_input(x, t, noise, ab_t), t / len(b_t)), noise)
    model.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.data


@right("Q1.4", "sample_ddpm")
@torch.no_grad()
def ddpm_noise_to_the_end(model, schedule, shape, noise=None):
    """The last step adds noise too; t as one number for all, (1, 1, 1, 1), as in many notebooks."""
    x = torch.randn(*shape, device=schedule.ab_t.device) if noise is None else noise
    T = len(schedule.ab_t)
    for i in range(T - 1, -1, -1):
        t = torch.tensor([i / T])[:, None, None, None]
        eps = model(x, t)
        mean = (x - eps * ((1 - schedule.a_t[i]) / (1 - schedule.ab_t[i]).sqrt())) / schedule.a_t[i].sqrt()
        x = mean + schedule.b_t.sqrt()[i] * torch.randn_like(x)
    return x


@right("Q1.4", "sample_ddpm")
@torch.no_grad()
def ddpm_posterior_variance(model, schedule, shape, noise=None):
    """The paper's other choice of sigma, and the mean through the estimate of the clean image, eq. (7)."""
    b_t, a_t, ab_t = schedule
    x = torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise.clone()
    for t in reversed(range(len(ab_t))):
        eps = model(x=x, t=torch.full((len(x),), t) / len(ab_t))
        previous = ab_t[t - 1] if t > 0 else torch.ones(())
        x0 = (x - (1 - ab_t[t]).sqrt() * eps) / ab_t[t].sqrt()
        mean = (previous.sqrt() * b_t[t] * x0 + a_t[t].sqrt() * (1 - previous) * x) / (1 - ab_t[t])
        z = torch.randn_like(x) if t > 0 else torch.zeros_like(x)
        x = mean + (b_t[t] * (1 - previous) / (1 - ab_t[t])).sqrt() * z
    return x


@right("Q1.5", "sample_ddim")
@torch.no_grad()
def ddim_with_ones_behind(model, schedule, shape, n_steps, noise=None):
    """A 1 behind the schedule, so that index -1 is the clean image."""
    T = len(schedule.ab_t)
    ab = torch.cat([schedule.ab_t, schedule.ab_t.new_ones(1)])
    x = torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise.clone()
    for t, t_prev in ddim_times(timesteps=T, n_steps=n_steps):
        eps = model(x, torch.full((shape[0],), t / T))
        estimate = ab[t_prev].sqrt() / ab[t].sqrt() * (x - (1 - ab[t]).sqrt() * eps)
        x = estimate + (1 - ab[t_prev]).sqrt() * eps
    return x


@right("Q1.5", "sample_ddim")
@torch.no_grad()
def ddim_in_scaled_variables(model, schedule, shape, n_steps, noise=None):
    """As an Euler step of x / sqrt(alpha-bar) in the variable sqrt((1 - alpha-bar) / alpha-bar), DDIM eq. (13)."""
    x, T = torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise, len(schedule.ab_t)
    for t, t_prev in ddim_times(T, n_steps):
        ab = schedule.ab_t[t]
        ab_prev = schedule.ab_t[t_prev] if t_prev >= 0 else torch.tensor(1.0, dtype=ab.dtype)
        slope = model(x, torch.full((len(x),), t / T))
        level, level_prev = ((1 - a).sqrt() / a.sqrt() for a in (ab, ab_prev))
        x = ab_prev.sqrt() * (x / ab.sqrt() + (level_prev - level) * slope)
    return x


@right("Q1.5", "sample_ddim")
@torch.no_grad()
def ddim_by_range(model, schedule, shape, n_steps, noise=None):
    """Its own times, which are the same."""
    ab_t = schedule.ab_t
    T = len(ab_t)
    times = [T * i // n_steps - 1 for i in range(n_steps, 0, -1)] + [None]
    x = torch.randn(shape, device=schedule.ab_t.device) if noise is None else noise
    for t, t_prev in zip(times[:-1], times[1:], strict=True):
        eps = model(x, torch.tensor([t / T]).expand(len(x)))
        x = (x - (1 - ab_t[t]).sqrt() * eps) / ab_t[t].sqrt()
        if t_prev is not None:
            x = ab_t[t_prev].sqrt() * x + (1 - ab_t[t_prev]).sqrt() * eps
    return x


@right("Q1.1", "linear_schedule")
def schedule_by_numpy(timesteps, beta1, beta2):
    """NumPy's linspace and cumprod."""
    import numpy as np

    b = np.linspace(beta1, beta2, timesteps)
    return Schedule(*(torch.from_numpy(v).float() for v in (b, 1 - b, np.cumprod(1 - b))))


@right("Q1.2", "perturb_input")
def perturb_by_angles(x, t, noise, ab_t):
    """cos and sin of an angle: cos^2 = ab."""
    angle = torch.acos(torch.take(ab_t, t).double().sqrt())[(...,) + (None,) * (x.dim() - 1)]
    return (torch.cos(angle) * x + torch.sin(angle) * noise).to(x.dtype)


@right("Q1.3", "train_step")
def train_with_the_mean_written_out(model, optimizer, x, schedule, t=None, noise=None):
    """Squares and their mean, gradients set to None first."""
    steps = schedule.ab_t.numel()
    t = torch.randint(high=steps, size=(x.size(0),)) if t is None else t
    noise = torch.normal(0.0, 1.0, tuple(x.shape)).to(x) if noise is None else noise
    optimizer.zero_grad(set_to_none=True)
    error = model(perturb_input(x, t, noise, schedule.ab_t), t.float() / steps).sub(noise)
    (loss := error.pow(2).mean()).backward()
    optimizer.step()
    return loss.detach()


@right("Q1.3", "train_step")
def train_step_image_by_image(model, optimizer, x, schedule, t=None, noise=None):
    """Gradients of one image after another, added up; one step."""
    timesteps = len(schedule.ab_t)
    t = torch.randint(0, timesteps, (len(x),), device=x.device) if t is None else t
    noise = torch.randn_like(x) if noise is None else noise
    optimizer.zero_grad()
    total = 0.0
    for i in range(len(x)):
        one = slice(i, i + 1)
        x_t = perturb_input(x[one], t[one], noise[one], schedule.ab_t)
        loss = nn.functional.mse_loss(model(x_t, t[one] / timesteps), noise[one]) / len(x)
        loss.backward()
        total = total + loss.detach()
    optimizer.step()
    return total


@right("Q1.4", "sample_ddpm")
@torch.no_grad()
def samples_ddpm_image_after_image(model, schedule, shape, noise=None):
    """All steps of one image, then the next image."""
    b_t, a_t, ab_t = schedule
    start = torch.randn(shape, device=ab_t.device) if noise is None else noise
    images = []
    for x in start.split(1):
        for t in reversed(range(len(ab_t))):
            eps = model(x, torch.full((1,), t / len(ab_t), device=x.device))
            x = (x - (1 - a_t[t]) / (1 - ab_t[t]).sqrt() * eps) / a_t[t].sqrt()
            if t > 0:
                x = x + b_t[t].sqrt() * torch.randn_like(x)
        images.append(x)
    return torch.cat(images)


@right("Q1.5", "sample_ddim")
@torch.no_grad()
def samples_ddim_in_halves(model, schedule, shape, n_steps, noise=None):
    """Every jump for one half of the images, then for the other."""
    ab_t, timesteps = schedule.ab_t, len(schedule.ab_t)
    x = torch.randn(shape, device=ab_t.device) if noise is None else noise
    for t, t_prev in ddim_times(timesteps, n_steps):
        ab_prev = ab_t[t_prev] if t_prev >= 0 else torch.ones_like(ab_t[t])
        halves = []
        for half in x.chunk(2):
            eps = model(half, torch.full((len(half),), t / timesteps, device=x.device))
            x0 = (half - (1 - ab_t[t]).sqrt() * eps) / ab_t[t].sqrt()
            halves.append(ab_prev.sqrt() * x0 + (1 - ab_prev).sqrt() * eps)
        x = torch.cat(halves)
    return x


@right("Q1.5", "sample_ddim")
@torch.no_grad()
def ddim_that_asks_twice(model, schedule, shape, n_steps, noise=None):
    """The network is called once for the clean image, and once more for the direction."""
    ab_t, timesteps = schedule.ab_t, len(schedule.ab_t)
    x = torch.randn(shape, device=ab_t.device) if noise is None else noise
    for t, t_prev in ddim_times(timesteps, n_steps):
        times = torch.full((len(x),), t / timesteps, device=x.device)
        ab_prev = ab_t[t_prev] if t_prev >= 0 else torch.ones_like(ab_t[t])
        x0 = (x - (1 - ab_t[t]).sqrt() * model(x, times)) / ab_t[t].sqrt()
        x = ab_prev.sqrt() * x0 + (1 - ab_prev).sqrt() * model(x, times)
    return x
