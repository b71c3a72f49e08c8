"""What students get wrong in q2_trainer_ddpm.py."""

from autograder.grading.variants import wrong

# ---------------------------------------------------------------- Q2.6 Trainer.sample


@wrong("Q2.6", "Trainer.sample")
def sample_goes_forward_in_time(self, n_steps=None, set_seed=False):
    """Time runs upwards here; the reverse process starts at the last time and ends at 0."""
    args = self.args
    n_steps = n_steps or args.n_steps
    x = torch.randn(args.n_samples, args.image_channels, args.image_size, args.image_size, device=self.args.device)
    for step in range(n_steps):
        x = self.diffusion.p_sample(x, torch.full((args.n_samples,), step, device=self.args.device))
    return x.detach()


@wrong("Q2.6", "Trainer.sample")
def sample_counts_time_from_one(self, n_steps=None, set_seed=False):
    """The times here are n_steps down to 1, as in the paper; the code counts them n_steps - 1 down to 0."""
    args = self.args
    n_steps = n_steps or args.n_steps
    x = torch.randn(args.n_samples, args.image_channels, args.image_size, args.image_size, device=self.args.device)
    for step in range(n_steps, 0, -1):
        x = self.diffusion.p_sample(x, torch.full((args.n_samples,), step, device=self.args.device))
    return x.detach()


@wrong("Q2.6", "Trainer.sample")
def sample_leaves_out_time_zero(self, n_steps=None, set_seed=False):
    """The step from time 0 is missing, as in range(n_steps - 1, 0, -1), which stops before 0."""
    args = self.args
    n_steps = n_steps or args.n_steps
    x = torch.randn(args.n_samples, args.image_channels, args.image_size, args.image_size, device=self.args.device)
    for step in range(n_steps - 1, 0, -1):
        x = self.diffusion.p_sample(x, torch.full((args.n_samples,), step, device=self.args.device))
    return x.detach()


@wrong("Q2.6", "Trainer.sample")
def sample_calls_q_sample(self, n_steps=None, set_seed=False):
    """q_sample adds noise (the forward process); a reverse step is p_sample."""
    args = self.args
    n_steps = n_steps or args.n_steps
    x = torch.randn(args.n_samples, args.image_channels, args.image_size, args.image_size, device=self.args.device)
    for step in reversed(range(n_steps)):
        x = self.diffusion.q_sample(x, torch.full((args.n_samples,), step, device=self.args.device))
    return x.detach()


@wrong("Q2.6", "Trainer.sample")
def sample_passes_one_time(self, n_steps=None, set_seed=False):
    """t is a single number here; p_sample wants a (B,) tensor with the time of every image."""
    args = self.args
    n_steps = n_steps or args.n_steps
    x = torch.randn(args.n_samples, args.image_channels, args.image_size, args.image_size, device=self.args.device)
    for step in reversed(range(n_steps)):
        x = self.diffusion.p_sample(x, torch.tensor(step, device=self.args.device))
    return x.detach()


@wrong("Q2.6", "Trainer.sample")
def sample_passes_float_times(self, n_steps=None, set_seed=False):
    """The times are floats here; they index the schedule, so they must be integers (torch.long)."""
    args = self.args
    n_steps = n_steps or args.n_steps
    x = torch.randn(args.n_samples, args.image_channels, args.image_size, args.image_size, device=self.args.device)
    for step in reversed(range(n_steps)):
        x = self.diffusion.p_sample(x, torch.ones(args.n_samples, device=self.args.device) * step)
    return x.detach()


@wrong("Q2.6", "Trainer.sample")
def sample_forgets_to_update_x(self, n_steps=None, set_seed=False):
    """Every reverse step starts from the initial noise again: its result must become the next x."""
    args = self.args
    n_steps = n_steps or args.n_steps
    x = torch.randn(args.n_samples, args.image_channels, args.image_size, args.image_size, device=self.args.device)
    for step in reversed(range(n_steps)):
        result = self.diffusion.p_sample(x, torch.full((args.n_samples,), step, device=self.args.device))
    return result.detach()


@wrong("Q2.6", "Trainer.sample")
def sample_returns_the_noise(self, n_steps=None, set_seed=False):
    """What is returned is the initial noise, not the x of the last reverse step."""
    args = self.args
    n_steps = n_steps or args.n_steps
    noise = torch.randn(args.n_samples, args.image_channels, args.image_size, args.image_size, device=self.args.device)
    x = noise
    for step in reversed(range(n_steps)):
        x = self.diffusion.p_sample(x, torch.full((args.n_samples,), step, device=self.args.device))
    return noise


@wrong("Q2.6", "Trainer.sample")
def sample_returns_nothing(self, n_steps=None, set_seed=False):
    """There is no return: x is computed, then lost."""
    args = self.args
    n_steps = n_steps or args.n_steps
    x = torch.randn(args.n_samples, args.image_channels, args.image_size, args.image_size, device=self.args.device)
    for step in reversed(range(n_steps)):
        x = self.diffusion.p_sample(x, torch.full((args.n_samples,), step, device=self.args.device))


@wrong("Q2.6", "Trainer.sample")
def sample_keeps_the_graph(self, n_steps=None, set_seed=False):
    """Gradients are recorded through all reverse steps, for nothing: sample under torch.no_grad()."""
    args = self.args
    n_steps = n_steps or args.n_steps
    x = torch.randn(args.n_samples, args.image_channels, args.image_size, args.image_size, device=self.args.device)
    for step in reversed(range(n_steps)):
        x = self.diffusion.p_sample(x, torch.full((args.n_samples,), step, device=self.args.device))
    return x


@wrong("Q2.6", "Trainer.sample")
def sample_starts_from_zeros(self, n_steps=None, set_seed=False):
    """The first x is all zeros here; the reverse process starts from noise, so that every image differs."""
    args = self.args
    n_steps = n_steps or args.n_steps
    x = torch.zeros(args.n_samples, args.image_channels, args.image_size, args.image_size, device=self.args.device)
    for step in reversed(range(n_steps)):
        x = self.diffusion.p_sample(x, torch.full((args.n_samples,), step, device=self.args.device))
    return x.detach()


@wrong("Q2.6", "Trainer.sample")
def sample_clips_the_images(self, n_steps=None, set_seed=False):
    """The images are clipped: return them as the last reverse step leaves them."""
    args = self.args
    n_steps = n_steps or args.n_steps
    x = torch.randn(args.n_samples, args.image_channels, args.image_size, args.image_size, device=self.args.device)
    for step in reversed(range(n_steps)):
        x = self.diffusion.p_sample(x, torch.full((args.n_samples,), step, device=self.args.device))
    return x.detach().clamp(-1, 1)


@wrong("Q2.6", "Trainer.sample")
def sample_starts_from_uniform_noise(self, n_steps=None, set_seed=False):
    """torch.rand is uniform on [0, 1); the reverse process starts from normal noise, torch.randn."""
    args = self.args
    n_steps = n_steps or args.n_steps
    x = torch.rand(args.n_samples, args.image_channels, args.image_size, args.image_size, device=self.args.device)
    for step in reversed(range(n_steps)):
        x = self.diffusion.p_sample(x, torch.full((args.n_samples,), step, device=self.args.device))
    return x.detach()


@wrong("Q2.6", "Trainer.sample")
def sample_ignores_n_steps(self, n_steps=None, set_seed=False):
    """The loop always runs over args.n_steps; the argument n_steps comes first, args.n_steps only if it is None."""
    args = self.args
    x = torch.randn(args.n_samples, args.image_channels, args.image_size, args.image_size, device=self.args.device)
    for step in reversed(range(args.n_steps)):
        x = self.diffusion.p_sample(x, torch.full((args.n_samples,), step, device=self.args.device))
    return x.detach()


@wrong("Q2.6", "Trainer.sample")
def sample_hands_set_seed_on(self, n_steps=None, set_seed=False):
    """set_seed is handed on to p_sample, so every reverse step draws the same noise: seed once, before the loop."""
    args = self.args
    n_steps = n_steps or args.n_steps
    x = torch.randn(args.n_samples, args.image_channels, args.image_size, args.image_size, device=self.args.device)
    for step in reversed(range(n_steps)):
        x = self.diffusion.p_sample(x, torch.full((args.n_samples,), step, device=self.args.device), set_seed=set_seed)
    return x.detach()


@wrong("Q2.6", "Trainer.sample")
def sample_is_always_seeded(self, n_steps=None, set_seed=False):
    """The generator is seeded in every call: all samples of a training are the same. Seed only if set_seed is True."""
    args = self.args
    torch.manual_seed(42)
    n_steps = n_steps or args.n_steps
    x = torch.randn(args.n_samples, args.image_channels, args.image_size, args.image_size, device=self.args.device)
    for step in reversed(range(n_steps)):
        x = self.diffusion.p_sample(x, torch.full((args.n_samples,), step, device=self.args.device))
    return x.detach()


@wrong("Q2.6", "Trainer.sample")
def sample_repeats_one_noise(self, n_steps=None, set_seed=False):
    """All images start from the same noise: each needs its own, so draw n_samples of them."""
    args = self.args
    n_steps = n_steps or args.n_steps
    x = torch.randn(1, args.image_channels, args.image_size, args.image_size, device=self.args.device).repeat(
        args.n_samples, 1, 1, 1
    )
    for step in reversed(range(n_steps)):
        x = self.diffusion.p_sample(x, torch.full((args.n_samples,), step, device=self.args.device))
    return x.detach()


@wrong("Q2.6", "Trainer.sample")
def sample_leaves_out_the_first_time(self, n_steps=None, set_seed=False):
    """The step from time n_steps - 1, the noisiest one, is missing."""
    args = self.args
    n_steps = n_steps or args.n_steps
    x = torch.randn(args.n_samples, args.image_channels, args.image_size, args.image_size, device=self.args.device)
    for step in reversed(range(n_steps - 1)):
        x = self.diffusion.p_sample(x, torch.full((args.n_samples,), step, device=self.args.device))
    return x.detach()


@wrong("Q2.6", "Trainer.sample")
def sample_rescales_the_images(self, n_steps=None, set_seed=False):
    """The images are moved from [-1, 1] to [0, 1]: return them as the last reverse step leaves them."""
    args = self.args
    n_steps = n_steps or args.n_steps
    x = torch.randn(args.n_samples, args.image_channels, args.image_size, args.image_size, device=self.args.device)
    for step in reversed(range(n_steps)):
        x = self.diffusion.p_sample(x, torch.full((args.n_samples,), step, device=self.args.device))
    return (x.detach() + 1) / 2


# ---------------------------------------------------------------- Q2.7 generate_intermediate_samples


@wrong("Q2.7", "Trainer.generate_intermediate_samples")
def intermediate_goes_forward_in_time(
    self, n_samples=4, img_size=32, steps_to_show=(0, 999), n_steps=None, set_seed=False
):
    """The number of the step is used as its time: step 1 starts from time n_steps - 1, the last one from time 0."""
    x = torch.randn(n_samples, self.args.image_channels, img_size, img_size, device=self.args.device)
    images = [x.detach().numpy()]
    for step in range(1, (n_steps or self.args.n_steps) + 1):
        x = self.diffusion.p_sample(x, torch.full((n_samples,), step - 1, device=self.args.device))
        if step in steps_to_show:
            images.append(x.detach().numpy())
    return images


@wrong("Q2.7", "Trainer.generate_intermediate_samples")
def intermediate_uses_the_step_as_time(
    self, n_samples=4, img_size=32, steps_to_show=(0, 999), n_steps=None, set_seed=False
):
    """The loop's step, 1 .. n_steps, is handed on as the time; times are n_steps - 1 .. 0 and fall."""
    x = torch.randn(n_samples, self.args.image_channels, img_size, img_size, device=self.args.device)
    images = [x.detach().numpy()]
    for step in range(1, (n_steps or self.args.n_steps) + 1):
        x = self.diffusion.p_sample(x, torch.full((n_samples,), step, device=self.args.device))
        if step in steps_to_show:
            images.append(x.detach().numpy())
    return images


@wrong("Q2.7", "Trainer.generate_intermediate_samples")
def intermediate_is_one_time_late(self, n_samples=4, img_size=32, steps_to_show=(0, 999), n_steps=None, set_seed=False):
    """Off by one: the step numbered 1 starts from time n_steps - 1, and these times end at 1 instead of 0."""
    n_steps = n_steps or self.args.n_steps
    x = torch.randn(n_samples, self.args.image_channels, img_size, img_size, device=self.args.device)
    images = [x.detach().numpy()]
    for step in range(1, n_steps + 1):
        x = self.diffusion.p_sample(x, torch.full((n_samples,), n_steps - step + 1, device=self.args.device))
        if step in steps_to_show:
            images.append(x.detach().numpy())
    return images


@wrong("Q2.7", "Trainer.generate_intermediate_samples")
def intermediate_passes_one_time(self, n_samples=4, img_size=32, steps_to_show=(0, 999), n_steps=None, set_seed=False):
    """t is a single number here; p_sample wants a (B,) tensor with the time of every one of the n_samples images."""
    n_steps = n_steps or self.args.n_steps
    x = torch.randn(n_samples, self.args.image_channels, img_size, img_size, device=self.args.device)
    images = [x.detach().numpy()]
    for step in range(1, n_steps + 1):
        x = self.diffusion.p_sample(x, torch.tensor(n_steps - step, device=self.args.device))
        if step in steps_to_show:
            images.append(x.detach().numpy())
    return images


@wrong("Q2.7", "Trainer.generate_intermediate_samples")
def intermediate_takes_n_samples_of_args(
    self, n_samples=4, img_size=32, steps_to_show=(0, 999), n_steps=None, set_seed=False
):
    """t has args.n_samples entries, but this method draws the number of images in its own argument n_samples."""
    n_steps = n_steps or self.args.n_steps
    x = torch.randn(n_samples, self.args.image_channels, img_size, img_size, device=self.args.device)
    images = [x.detach().numpy()]
    for step in range(1, n_steps + 1):
        x = self.diffusion.p_sample(x, torch.full((self.args.n_samples,), n_steps - step, device=self.args.device))
        if step in steps_to_show:
            images.append(x.detach().numpy())
    return images


@wrong("Q2.7", "Trainer.generate_intermediate_samples")
def intermediate_forgets_to_update_x(
    self, n_samples=4, img_size=32, steps_to_show=(0, 999), n_steps=None, set_seed=False
):
    """The result of p_sample is dropped, so x stays the initial noise and all arrays are the same."""
    n_steps = n_steps or self.args.n_steps
    x = torch.randn(n_samples, self.args.image_channels, img_size, img_size, device=self.args.device)
    images = [x.detach().numpy()]
    for step in range(1, n_steps + 1):
        self.diffusion.p_sample(x, torch.full((n_samples,), n_steps - step, device=self.args.device))
        if step in steps_to_show:
            images.append(x.detach().numpy())
    return images


@wrong("Q2.7", "Trainer.generate_intermediate_samples")
def intermediate_calls_q_sample(self, n_samples=4, img_size=32, steps_to_show=(0, 999), n_steps=None, set_seed=False):
    """q_sample adds noise (the forward process); a reverse step is p_sample."""
    n_steps = n_steps or self.args.n_steps
    x = torch.randn(n_samples, self.args.image_channels, img_size, img_size, device=self.args.device)
    images = [x.detach().numpy()]
    for step in range(1, n_steps + 1):
        x = self.diffusion.q_sample(x, torch.full((n_samples,), n_steps - step, device=self.args.device))
        if step in steps_to_show:
            images.append(x.detach().numpy())
    return images


@wrong("Q2.7", "Trainer.generate_intermediate_samples")
def intermediate_shows_every_step(self, n_samples=4, img_size=32, steps_to_show=(0, 999), n_steps=None, set_seed=False):
    """Every step is kept, whatever steps_to_show says."""
    n_steps = n_steps or self.args.n_steps
    x = torch.randn(n_samples, self.args.image_channels, img_size, img_size, device=self.args.device)
    images = [x.detach().numpy()]
    for step in range(1, n_steps + 1):
        x = self.diffusion.p_sample(x, torch.full((n_samples,), n_steps - step, device=self.args.device))
        images.append(x.detach().numpy())
    return images


@wrong("Q2.7", "Trainer.generate_intermediate_samples")
def intermediate_loses_the_noise(self, n_samples=4, img_size=32, steps_to_show=(0, 999), n_steps=None, set_seed=False):
    """The list begins with the result of a step; the initial noise belongs before it."""
    n_steps = n_steps or self.args.n_steps
    x = torch.randn(n_samples, self.args.image_channels, img_size, img_size, device=self.args.device)
    images = []
    for step in range(1, n_steps + 1):
        x = self.diffusion.p_sample(x, torch.full((n_samples,), n_steps - step, device=self.args.device))
        if step in steps_to_show:
            images.append(x.detach().numpy())
    return images


@wrong("Q2.7", "Trainer.generate_intermediate_samples")
def intermediate_ignores_img_size(self, n_samples=4, img_size=32, steps_to_show=(0, 999), n_steps=None, set_seed=False):
    """The images have args.image_size; their height and width is the argument img_size."""
    n_steps = n_steps or self.args.n_steps
    x = torch.randn(
        n_samples, self.args.image_channels, self.args.image_size, self.args.image_size, device=self.args.device
    )
    images = [x.detach().numpy()]
    for step in range(1, n_steps + 1):
        x = self.diffusion.p_sample(x, torch.full((n_samples,), n_steps - step, device=self.args.device))
        if step in steps_to_show:
            images.append(x.detach().numpy())
    return images


@wrong("Q2.7", "Trainer.generate_intermediate_samples")
def intermediate_returns_tensors(self, n_samples=4, img_size=32, steps_to_show=(0, 999), n_steps=None, set_seed=False):
    """The list holds tensors, which stay on the device; what is asked for are numpy arrays."""
    n_steps = n_steps or self.args.n_steps
    x = torch.randn(n_samples, self.args.image_channels, img_size, img_size, device=self.args.device)
    images = [x]
    for step in range(1, n_steps + 1):
        x = self.diffusion.p_sample(x, torch.full((n_samples,), n_steps - step, device=self.args.device))
        if step in steps_to_show:
            images.append(x.detach())
    return images


@wrong("Q2.7", "Trainer.generate_intermediate_samples")
def intermediate_returns_the_last_only(
    self, n_samples=4, img_size=32, steps_to_show=(0, 999), n_steps=None, set_seed=False
):
    """Only the final images come back; what is asked for is the list of images on the way."""
    n_steps = n_steps or self.args.n_steps
    x = torch.randn(n_samples, self.args.image_channels, img_size, img_size, device=self.args.device)
    for step in range(1, n_steps + 1):
        x = self.diffusion.p_sample(x, torch.full((n_samples,), n_steps - step, device=self.args.device))
    return [x.detach().numpy()]


@wrong("Q2.7", "Trainer.generate_intermediate_samples")
def intermediate_ignores_n_steps(self, n_samples=4, img_size=32, steps_to_show=(0, 999), n_steps=None, set_seed=False):
    """The loop always runs over args.n_steps; the argument n_steps comes first, args.n_steps only if it is None."""
    x = torch.randn(n_samples, self.args.image_channels, img_size, img_size, device=self.args.device)
    images = [x.detach().numpy()]
    for step in range(1, self.args.n_steps + 1):
        x = self.diffusion.p_sample(x, torch.full((n_samples,), self.args.n_steps - step, device=self.args.device))
        if step in steps_to_show:
            images.append(x.detach().numpy())
    return images


@wrong("Q2.7", "Trainer.generate_intermediate_samples")
def intermediate_hands_set_seed_on(
    self, n_samples=4, img_size=32, steps_to_show=(0, 999), n_steps=None, set_seed=False
):
    """set_seed is handed on to p_sample, so every reverse step draws the same noise: seed once, before the loop."""
    n_steps = n_steps or self.args.n_steps
    x = torch.randn(n_samples, self.args.image_channels, img_size, img_size, device=self.args.device)
    images = [x.numpy()]
    for step in range(1, n_steps + 1):
        x = self.diffusion.p_sample(
            x, torch.full((n_samples,), n_steps - step, device=self.args.device), set_seed=set_seed
        ).detach()
        if step in steps_to_show:
            images.append(x.numpy())
    return images


@wrong("Q2.7", "Trainer.generate_intermediate_samples")
def intermediate_leaves_out_the_last_step(
    self, n_samples=4, img_size=32, steps_to_show=(0, 999), n_steps=None, set_seed=False
):
    """The last reverse step, from time 0, is missing: there are n_steps of them."""
    n_steps = n_steps or self.args.n_steps
    x = torch.randn(n_samples, self.args.image_channels, img_size, img_size, device=self.args.device)
    images = [x.detach().numpy()]
    for step in range(1, n_steps):
        x = self.diffusion.p_sample(x, torch.full((n_samples,), n_steps - step, device=self.args.device))
        if step in steps_to_show:
            images.append(x.detach().numpy())
    return images
