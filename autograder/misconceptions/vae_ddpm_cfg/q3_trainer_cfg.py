"""What students get wrong in q3_trainer_cfg.py."""

from autograder.grading.variants import wrong


@wrong("Q3.11", "Trainer.sample")
def guided_time_goes_forward(self, labels=None, cfg_scale=3.0, n_steps=None, set_seed=False):
    """Time runs upwards here; the reverse process starts at the noisy end, t = n_steps - 1, and ends at t = 0."""
    n = self.args.n_samples
    z_t = torch.randn(n, self.args.image_channels, self.args.image_size, self.args.image_size, device=self.args.device)
    labels = torch.randint(0, 10, (n,), device=self.args.device) if labels is None else labels
    for step in range(n_steps or self.args.n_steps):
        t = torch.full((n,), step, device=self.args.device)
        lambda_t, lambda_t_prim = self.diffusion.get_lambda(t), self.diffusion.get_lambda(t - 1)
        eps_cond, eps_uncond = self.eps_model(z_t, labels), self.eps_model(z_t, None)
        eps = (1 + cfg_scale) * eps_cond - cfg_scale * eps_uncond
        alpha, sigma = self.diffusion.alpha_lambda(lambda_t), self.diffusion.sigma_lambda(lambda_t)
        x_t = (z_t - sigma * eps) / alpha
        z_t = self.diffusion.p_sample(z_t, lambda_t, lambda_t_prim, x_t)
    return x_t.detach()


@wrong("Q3.11", "Trainer.sample")
def guided_time_counts_from_one(self, labels=None, cfg_scale=3.0, n_steps=None, set_seed=False):
    """The times here are n_steps down to 1; the code counts them n_steps - 1 down to 0."""
    n = self.args.n_samples
    z_t = torch.randn(n, self.args.image_channels, self.args.image_size, self.args.image_size, device=self.args.device)
    labels = torch.randint(0, 10, (n,), device=self.args.device) if labels is None else labels
    for step in range(n_steps or self.args.n_steps, 0, -1):
        t = torch.full((n,), step, device=self.args.device)
        lambda_t, lambda_t_prim = self.diffusion.get_lambda(t), self.diffusion.get_lambda(t - 1)
        eps_cond, eps_uncond = self.eps_model(z_t, labels), self.eps_model(z_t, None)
        eps = (1 + cfg_scale) * eps_cond - cfg_scale * eps_uncond
        alpha, sigma = self.diffusion.alpha_lambda(lambda_t), self.diffusion.sigma_lambda(lambda_t)
        x_t = (z_t - sigma * eps) / alpha
        z_t = self.diffusion.p_sample(z_t, lambda_t, lambda_t_prim, x_t)
    return x_t.detach()


@wrong("Q3.11", "Trainer.sample")
def guided_levels_are_swapped(self, labels=None, cfg_scale=3.0, n_steps=None, set_seed=False):
    """The two levels are swapped in the call of p_sample: a step goes from lambda_t, noisier, to lambda_t_prim,
    cleaner."""
    n = self.args.n_samples
    z_t = torch.randn(n, self.args.image_channels, self.args.image_size, self.args.image_size, device=self.args.device)
    labels = torch.randint(0, 10, (n,), device=self.args.device) if labels is None else labels
    for step in reversed(range(n_steps or self.args.n_steps)):
        t = torch.full((n,), step, device=self.args.device)
        lambda_t, lambda_t_prim = self.diffusion.get_lambda(t), self.diffusion.get_lambda(t - 1)
        eps_cond, eps_uncond = self.eps_model(z_t, labels), self.eps_model(z_t, None)
        eps = (1 + cfg_scale) * eps_cond - cfg_scale * eps_uncond
        alpha, sigma = self.diffusion.alpha_lambda(lambda_t), self.diffusion.sigma_lambda(lambda_t)
        x_t = (z_t - sigma * eps) / alpha
        z_t = self.diffusion.p_sample(z_t, lambda_t_prim, lambda_t, x_t)
    return x_t.detach()


@wrong("Q3.11", "Trainer.sample")
def guided_next_level_is_noisier(self, labels=None, cfg_scale=3.0, n_steps=None, set_seed=False):
    """lambda_t_prim is the level of t + 1 here, which is noisier; the reverse process goes on to t - 1."""
    n = self.args.n_samples
    z_t = torch.randn(n, self.args.image_channels, self.args.image_size, self.args.image_size, device=self.args.device)
    labels = torch.randint(0, 10, (n,), device=self.args.device) if labels is None else labels
    for step in reversed(range(n_steps or self.args.n_steps)):
        t = torch.full((n,), step, device=self.args.device)
        lambda_t, lambda_t_prim = self.diffusion.get_lambda(t), self.diffusion.get_lambda(t + 1)
        eps_cond, eps_uncond = self.eps_model(z_t, labels), self.eps_model(z_t, None)
        eps = (1 + cfg_scale) * eps_cond - cfg_scale * eps_uncond
        alpha, sigma = self.diffusion.alpha_lambda(lambda_t), self.diffusion.sigma_lambda(lambda_t)
        x_t = (z_t - sigma * eps) / alpha
        z_t = self.diffusion.p_sample(z_t, lambda_t, lambda_t_prim, x_t)
    return x_t.detach()


@wrong("Q3.11", "Trainer.sample")
def guided_next_level_is_the_same(self, labels=None, cfg_scale=3.0, n_steps=None, set_seed=False):
    """lambda_t_prim equals lambda_t here, so no step gets anywhere: the next level is the one of t - 1."""
    n = self.args.n_samples
    z_t = torch.randn(n, self.args.image_channels, self.args.image_size, self.args.image_size, device=self.args.device)
    labels = torch.randint(0, 10, (n,), device=self.args.device) if labels is None else labels
    for step in reversed(range(n_steps or self.args.n_steps)):
        t = torch.full((n,), step, device=self.args.device)
        lambda_t = lambda_t_prim = self.diffusion.get_lambda(t)
        eps_cond, eps_uncond = self.eps_model(z_t, labels), self.eps_model(z_t, None)
        eps = (1 + cfg_scale) * eps_cond - cfg_scale * eps_uncond
        alpha, sigma = self.diffusion.alpha_lambda(lambda_t), self.diffusion.sigma_lambda(lambda_t)
        x_t = (z_t - sigma * eps) / alpha
        z_t = self.diffusion.p_sample(z_t, lambda_t, lambda_t_prim, x_t)
    return x_t.detach()


@wrong("Q3.11", "Trainer.sample")
def guidance_from_the_unconditional(self, labels=None, cfg_scale=3.0, n_steps=None, set_seed=False):
    """This is u + w (c - u), another convention of the scale: in this paper w = 0 means no guidance, and w adds to
    the conditional prediction."""
    n = self.args.n_samples
    z_t = torch.randn(n, self.args.image_channels, self.args.image_size, self.args.image_size, device=self.args.device)
    labels = torch.randint(0, 10, (n,), device=self.args.device) if labels is None else labels
    for step in reversed(range(n_steps or self.args.n_steps)):
        t = torch.full((n,), step, device=self.args.device)
        lambda_t, lambda_t_prim = self.diffusion.get_lambda(t), self.diffusion.get_lambda(t - 1)
        eps_cond, eps_uncond = self.eps_model(z_t, labels), self.eps_model(z_t, None)
        eps = eps_uncond + cfg_scale * (eps_cond - eps_uncond)
        alpha, sigma = self.diffusion.alpha_lambda(lambda_t), self.diffusion.sigma_lambda(lambda_t)
        x_t = (z_t - sigma * eps) / alpha
        z_t = self.diffusion.p_sample(z_t, lambda_t, lambda_t_prim, x_t)
    return x_t.detach()


@wrong("Q3.11", "Trainer.sample")
def guidance_has_its_predictions_swapped(self, labels=None, cfg_scale=3.0, n_steps=None, set_seed=False):
    """The two predictions are swapped: this pushes away from the wanted label."""
    n = self.args.n_samples
    z_t = torch.randn(n, self.args.image_channels, self.args.image_size, self.args.image_size, device=self.args.device)
    labels = torch.randint(0, 10, (n,), device=self.args.device) if labels is None else labels
    for step in reversed(range(n_steps or self.args.n_steps)):
        t = torch.full((n,), step, device=self.args.device)
        lambda_t, lambda_t_prim = self.diffusion.get_lambda(t), self.diffusion.get_lambda(t - 1)
        eps_cond, eps_uncond = self.eps_model(z_t, labels), self.eps_model(z_t, None)
        eps = (1 + cfg_scale) * eps_uncond - cfg_scale * eps_cond
        alpha, sigma = self.diffusion.alpha_lambda(lambda_t), self.diffusion.sigma_lambda(lambda_t)
        x_t = (z_t - sigma * eps) / alpha
        z_t = self.diffusion.p_sample(z_t, lambda_t, lambda_t_prim, x_t)
    return x_t.detach()


@wrong("Q3.11", "Trainer.sample")
def guidance_adds_both_predictions(self, labels=None, cfg_scale=3.0, n_steps=None, set_seed=False):
    """Both predictions are added; guidance subtracts w times the unconditional one."""
    n = self.args.n_samples
    z_t = torch.randn(n, self.args.image_channels, self.args.image_size, self.args.image_size, device=self.args.device)
    labels = torch.randint(0, 10, (n,), device=self.args.device) if labels is None else labels
    for step in reversed(range(n_steps or self.args.n_steps)):
        t = torch.full((n,), step, device=self.args.device)
        lambda_t, lambda_t_prim = self.diffusion.get_lambda(t), self.diffusion.get_lambda(t - 1)
        eps_cond, eps_uncond = self.eps_model(z_t, labels), self.eps_model(z_t, None)
        eps = (1 + cfg_scale) * eps_cond + cfg_scale * eps_uncond
        alpha, sigma = self.diffusion.alpha_lambda(lambda_t), self.diffusion.sigma_lambda(lambda_t)
        x_t = (z_t - sigma * eps) / alpha
        z_t = self.diffusion.p_sample(z_t, lambda_t, lambda_t_prim, x_t)
    return x_t.detach()


@wrong("Q3.11", "Trainer.sample")
def guidance_interpolates(self, labels=None, cfg_scale=3.0, n_steps=None, set_seed=False):
    """This mixes the two predictions, (1 - w) c + w u; guidance goes beyond the conditional one, away from the
    other."""
    n = self.args.n_samples
    z_t = torch.randn(n, self.args.image_channels, self.args.image_size, self.args.image_size, device=self.args.device)
    labels = torch.randint(0, 10, (n,), device=self.args.device) if labels is None else labels
    for step in reversed(range(n_steps or self.args.n_steps)):
        t = torch.full((n,), step, device=self.args.device)
        lambda_t, lambda_t_prim = self.diffusion.get_lambda(t), self.diffusion.get_lambda(t - 1)
        eps_cond, eps_uncond = self.eps_model(z_t, labels), self.eps_model(z_t, None)
        eps = (1 - cfg_scale) * eps_cond + cfg_scale * eps_uncond
        alpha, sigma = self.diffusion.alpha_lambda(lambda_t), self.diffusion.sigma_lambda(lambda_t)
        x_t = (z_t - sigma * eps) / alpha
        z_t = self.diffusion.p_sample(z_t, lambda_t, lambda_t_prim, x_t)
    return x_t.detach()


@wrong("Q3.11", "Trainer.sample")
def guidance_is_ignored(self, labels=None, cfg_scale=3.0, n_steps=None, set_seed=False):
    """cfg_scale has no effect: only the conditional prediction is used."""
    n = self.args.n_samples
    z_t = torch.randn(n, self.args.image_channels, self.args.image_size, self.args.image_size, device=self.args.device)
    labels = torch.randint(0, 10, (n,), device=self.args.device) if labels is None else labels
    for step in reversed(range(n_steps or self.args.n_steps)):
        t = torch.full((n,), step, device=self.args.device)
        lambda_t, lambda_t_prim = self.diffusion.get_lambda(t), self.diffusion.get_lambda(t - 1)
        eps = self.eps_model(z_t, labels)
        alpha, sigma = self.diffusion.alpha_lambda(lambda_t), self.diffusion.sigma_lambda(lambda_t)
        x_t = (z_t - sigma * eps) / alpha
        z_t = self.diffusion.p_sample(z_t, lambda_t, lambda_t_prim, x_t)
    return x_t.detach()


@wrong("Q3.11", "Trainer.sample")
def guidance_ignores_the_labels(self, labels=None, cfg_scale=3.0, n_steps=None, set_seed=False):
    """Both predictions are made without labels, so there is no conditional one."""
    n = self.args.n_samples
    z_t = torch.randn(n, self.args.image_channels, self.args.image_size, self.args.image_size, device=self.args.device)
    labels = torch.randint(0, 10, (n,), device=self.args.device) if labels is None else labels
    for step in reversed(range(n_steps or self.args.n_steps)):
        t = torch.full((n,), step, device=self.args.device)
        lambda_t, lambda_t_prim = self.diffusion.get_lambda(t), self.diffusion.get_lambda(t - 1)
        eps_cond, eps_uncond = self.eps_model(z_t, None), self.eps_model(z_t, None)
        eps = (1 + cfg_scale) * eps_cond - cfg_scale * eps_uncond
        alpha, sigma = self.diffusion.alpha_lambda(lambda_t), self.diffusion.sigma_lambda(lambda_t)
        x_t = (z_t - sigma * eps) / alpha
        z_t = self.diffusion.p_sample(z_t, lambda_t, lambda_t_prim, x_t)
    return x_t.detach()


@wrong("Q3.11", "Trainer.sample")
def guidance_takes_label_zero_for_none(self, labels=None, cfg_scale=3.0, n_steps=None, set_seed=False):
    """The unconditional prediction is made with labels of zeros, which is the class 0: no label is labels=None."""
    n = self.args.n_samples
    z_t = torch.randn(n, self.args.image_channels, self.args.image_size, self.args.image_size, device=self.args.device)
    labels = torch.randint(0, 10, (n,), device=self.args.device) if labels is None else labels
    for step in reversed(range(n_steps or self.args.n_steps)):
        t = torch.full((n,), step, device=self.args.device)
        lambda_t, lambda_t_prim = self.diffusion.get_lambda(t), self.diffusion.get_lambda(t - 1)
        eps_cond, eps_uncond = self.eps_model(z_t, labels), self.eps_model(z_t, torch.zeros_like(labels))
        eps = (1 + cfg_scale) * eps_cond - cfg_scale * eps_uncond
        alpha, sigma = self.diffusion.alpha_lambda(lambda_t), self.diffusion.sigma_lambda(lambda_t)
        x_t = (z_t - sigma * eps) / alpha
        z_t = self.diffusion.p_sample(z_t, lambda_t, lambda_t_prim, x_t)
    return x_t.detach()


@wrong("Q3.11", "Trainer.sample")
def guidance_uses_its_default_scale(self, labels=None, cfg_scale=3.0, n_steps=None, set_seed=False):
    """The guidance is always 3, whatever cfg_scale says."""
    n = self.args.n_samples
    z_t = torch.randn(n, self.args.image_channels, self.args.image_size, self.args.image_size, device=self.args.device)
    labels = torch.randint(0, 10, (n,), device=self.args.device) if labels is None else labels
    for step in reversed(range(n_steps or self.args.n_steps)):
        t = torch.full((n,), step, device=self.args.device)
        lambda_t, lambda_t_prim = self.diffusion.get_lambda(t), self.diffusion.get_lambda(t - 1)
        eps_cond, eps_uncond = self.eps_model(z_t, labels), self.eps_model(z_t, None)
        eps = 4.0 * eps_cond - 3.0 * eps_uncond
        alpha, sigma = self.diffusion.alpha_lambda(lambda_t), self.diffusion.sigma_lambda(lambda_t)
        x_t = (z_t - sigma * eps) / alpha
        z_t = self.diffusion.p_sample(z_t, lambda_t, lambda_t_prim, x_t)
    return x_t.detach()


@wrong("Q3.11", "Trainer.sample")
def guided_model_gets_the_time(self, labels=None, cfg_scale=3.0, n_steps=None, set_seed=False):
    """eps_model gets a time here, but this network is called as eps_model(z, labels): it reads the noise level off
    z."""
    n = self.args.n_samples
    z_t = torch.randn(n, self.args.image_channels, self.args.image_size, self.args.image_size, device=self.args.device)
    labels = torch.randint(0, 10, (n,), device=self.args.device) if labels is None else labels
    for step in reversed(range(n_steps or self.args.n_steps)):
        t = torch.full((n,), step, device=self.args.device)
        lambda_t, lambda_t_prim = self.diffusion.get_lambda(t), self.diffusion.get_lambda(t - 1)
        eps_cond, eps_uncond = self.eps_model(z_t, t, labels), self.eps_model(z_t, t, None)
        eps = (1 + cfg_scale) * eps_cond - cfg_scale * eps_uncond
        alpha, sigma = self.diffusion.alpha_lambda(lambda_t), self.diffusion.sigma_lambda(lambda_t)
        x_t = (z_t - sigma * eps) / alpha
        z_t = self.diffusion.p_sample(z_t, lambda_t, lambda_t_prim, x_t)
    return x_t.detach()


@wrong("Q3.11", "Trainer.sample")
def x_estimate_is_not_divided_by_alpha(self, labels=None, cfg_scale=3.0, n_steps=None, set_seed=False):
    """x_t = z_t - sigma eps is still scaled by alpha: divide by alpha_lambda."""
    n = self.args.n_samples
    z_t = torch.randn(n, self.args.image_channels, self.args.image_size, self.args.image_size, device=self.args.device)
    labels = torch.randint(0, 10, (n,), device=self.args.device) if labels is None else labels
    for step in reversed(range(n_steps or self.args.n_steps)):
        t = torch.full((n,), step, device=self.args.device)
        lambda_t, lambda_t_prim = self.diffusion.get_lambda(t), self.diffusion.get_lambda(t - 1)
        eps_cond, eps_uncond = self.eps_model(z_t, labels), self.eps_model(z_t, None)
        eps = (1 + cfg_scale) * eps_cond - cfg_scale * eps_uncond
        sigma = self.diffusion.sigma_lambda(lambda_t)
        x_t = z_t - sigma * eps
        z_t = self.diffusion.p_sample(z_t, lambda_t, lambda_t_prim, x_t)
    return x_t.detach()


@wrong("Q3.11", "Trainer.sample")
def x_estimate_swaps_alpha_and_sigma(self, labels=None, cfg_scale=3.0, n_steps=None, set_seed=False):
    """alpha and sigma are swapped in x_t: sigma belongs to the noise, alpha to the image."""
    n = self.args.n_samples
    z_t = torch.randn(n, self.args.image_channels, self.args.image_size, self.args.image_size, device=self.args.device)
    labels = torch.randint(0, 10, (n,), device=self.args.device) if labels is None else labels
    for step in reversed(range(n_steps or self.args.n_steps)):
        t = torch.full((n,), step, device=self.args.device)
        lambda_t, lambda_t_prim = self.diffusion.get_lambda(t), self.diffusion.get_lambda(t - 1)
        eps_cond, eps_uncond = self.eps_model(z_t, labels), self.eps_model(z_t, None)
        eps = (1 + cfg_scale) * eps_cond - cfg_scale * eps_uncond
        alpha, sigma = self.diffusion.alpha_lambda(lambda_t), self.diffusion.sigma_lambda(lambda_t)
        x_t = (z_t - alpha * eps) / sigma
        z_t = self.diffusion.p_sample(z_t, lambda_t, lambda_t_prim, x_t)
    return x_t.detach()


@wrong("Q3.11", "Trainer.sample")
def x_estimate_adds_the_noise(self, labels=None, cfg_scale=3.0, n_steps=None, set_seed=False):
    """The predicted noise is added to z_t; x_t is what remains without it."""
    n = self.args.n_samples
    z_t = torch.randn(n, self.args.image_channels, self.args.image_size, self.args.image_size, device=self.args.device)
    labels = torch.randint(0, 10, (n,), device=self.args.device) if labels is None else labels
    for step in reversed(range(n_steps or self.args.n_steps)):
        t = torch.full((n,), step, device=self.args.device)
        lambda_t, lambda_t_prim = self.diffusion.get_lambda(t), self.diffusion.get_lambda(t - 1)
        eps_cond, eps_uncond = self.eps_model(z_t, labels), self.eps_model(z_t, None)
        eps = (1 + cfg_scale) * eps_cond - cfg_scale * eps_uncond
        alpha, sigma = self.diffusion.alpha_lambda(lambda_t), self.diffusion.sigma_lambda(lambda_t)
        x_t = (z_t + sigma * eps) / alpha
        z_t = self.diffusion.p_sample(z_t, lambda_t, lambda_t_prim, x_t)
    return x_t.detach()


@wrong("Q3.11", "Trainer.sample")
def x_estimate_uses_variances(self, labels=None, cfg_scale=3.0, n_steps=None, set_seed=False):
    """x_t takes the squares of alpha and sigma; z = alpha x + sigma eps has them without squares."""
    n = self.args.n_samples
    z_t = torch.randn(n, self.args.image_channels, self.args.image_size, self.args.image_size, device=self.args.device)
    labels = torch.randint(0, 10, (n,), device=self.args.device) if labels is None else labels
    for step in reversed(range(n_steps or self.args.n_steps)):
        t = torch.full((n,), step, device=self.args.device)
        lambda_t, lambda_t_prim = self.diffusion.get_lambda(t), self.diffusion.get_lambda(t - 1)
        eps_cond, eps_uncond = self.eps_model(z_t, labels), self.eps_model(z_t, None)
        eps = (1 + cfg_scale) * eps_cond - cfg_scale * eps_uncond
        alpha, sigma = self.diffusion.alpha_lambda(lambda_t), self.diffusion.sigma_lambda(lambda_t)
        x_t = (z_t - sigma**2 * eps) / alpha**2
        z_t = self.diffusion.p_sample(z_t, lambda_t, lambda_t_prim, x_t)
    return x_t.detach()


@wrong("Q3.11", "Trainer.sample")
def x_estimate_is_clipped(self, labels=None, cfg_scale=3.0, n_steps=None, set_seed=False):
    """x_t is clipped to [-1, 1] here, which Algorithm 2 does not do: the reverse step gets another image than
    predicted."""
    n = self.args.n_samples
    z_t = torch.randn(n, self.args.image_channels, self.args.image_size, self.args.image_size, device=self.args.device)
    labels = torch.randint(0, 10, (n,), device=self.args.device) if labels is None else labels
    for step in reversed(range(n_steps or self.args.n_steps)):
        t = torch.full((n,), step, device=self.args.device)
        lambda_t, lambda_t_prim = self.diffusion.get_lambda(t), self.diffusion.get_lambda(t - 1)
        eps_cond, eps_uncond = self.eps_model(z_t, labels), self.eps_model(z_t, None)
        eps = (1 + cfg_scale) * eps_cond - cfg_scale * eps_uncond
        alpha, sigma = self.diffusion.alpha_lambda(lambda_t), self.diffusion.sigma_lambda(lambda_t)
        x_t = ((z_t - sigma * eps) / alpha).clamp(-1, 1)
        z_t = self.diffusion.p_sample(z_t, lambda_t, lambda_t_prim, x_t)
    return x_t.detach()


@wrong("Q3.11", "Trainer.sample")
def guided_sample_forgets_to_update_z(self, labels=None, cfg_scale=3.0, n_steps=None, set_seed=False):
    """Every step starts from the initial noise again: what p_sample returns must become the next z_t."""
    n = self.args.n_samples
    z_t = torch.randn(n, self.args.image_channels, self.args.image_size, self.args.image_size, device=self.args.device)
    labels = torch.randint(0, 10, (n,), device=self.args.device) if labels is None else labels
    for step in reversed(range(n_steps or self.args.n_steps)):
        t = torch.full((n,), step, device=self.args.device)
        lambda_t, lambda_t_prim = self.diffusion.get_lambda(t), self.diffusion.get_lambda(t - 1)
        eps_cond, eps_uncond = self.eps_model(z_t, labels), self.eps_model(z_t, None)
        eps = (1 + cfg_scale) * eps_cond - cfg_scale * eps_uncond
        alpha, sigma = self.diffusion.alpha_lambda(lambda_t), self.diffusion.sigma_lambda(lambda_t)
        x_t = (z_t - sigma * eps) / alpha
        self.diffusion.p_sample(z_t, lambda_t, lambda_t_prim, x_t)
    return x_t.detach()


@wrong("Q3.11", "Trainer.sample")
def guided_sample_goes_on_from_x(self, labels=None, cfg_scale=3.0, n_steps=None, set_seed=False):
    """The next step starts from x_t; it starts from what p_sample returns."""
    n = self.args.n_samples
    z_t = torch.randn(n, self.args.image_channels, self.args.image_size, self.args.image_size, device=self.args.device)
    labels = torch.randint(0, 10, (n,), device=self.args.device) if labels is None else labels
    for step in reversed(range(n_steps or self.args.n_steps)):
        t = torch.full((n,), step, device=self.args.device)
        lambda_t, lambda_t_prim = self.diffusion.get_lambda(t), self.diffusion.get_lambda(t - 1)
        eps_cond, eps_uncond = self.eps_model(z_t, labels), self.eps_model(z_t, None)
        eps = (1 + cfg_scale) * eps_cond - cfg_scale * eps_uncond
        alpha, sigma = self.diffusion.alpha_lambda(lambda_t), self.diffusion.sigma_lambda(lambda_t)
        x_t = (z_t - sigma * eps) / alpha
        self.diffusion.p_sample(z_t, lambda_t, lambda_t_prim, x_t)
        z_t = x_t
    return x_t.detach()


@wrong("Q3.11", "Trainer.sample")
def guided_sample_returns_z(self, labels=None, cfg_scale=3.0, n_steps=None, set_seed=False):
    """What is returned is the last z_t; asked for is x_t, the image without noise."""
    n = self.args.n_samples
    z_t = torch.randn(n, self.args.image_channels, self.args.image_size, self.args.image_size, device=self.args.device)
    labels = torch.randint(0, 10, (n,), device=self.args.device) if labels is None else labels
    for step in reversed(range(n_steps or self.args.n_steps)):
        t = torch.full((n,), step, device=self.args.device)
        lambda_t, lambda_t_prim = self.diffusion.get_lambda(t), self.diffusion.get_lambda(t - 1)
        eps_cond, eps_uncond = self.eps_model(z_t, labels), self.eps_model(z_t, None)
        eps = (1 + cfg_scale) * eps_cond - cfg_scale * eps_uncond
        alpha, sigma = self.diffusion.alpha_lambda(lambda_t), self.diffusion.sigma_lambda(lambda_t)
        x_t = (z_t - sigma * eps) / alpha
        z_t = self.diffusion.p_sample(z_t, lambda_t, lambda_t_prim, x_t)
    return z_t.detach()


@wrong("Q3.11", "Trainer.sample")
def guided_sample_returns_nothing(self, labels=None, cfg_scale=3.0, n_steps=None, set_seed=False):
    """There is no return: x_t is computed, then lost."""
    n = self.args.n_samples
    z_t = torch.randn(n, self.args.image_channels, self.args.image_size, self.args.image_size, device=self.args.device)
    labels = torch.randint(0, 10, (n,), device=self.args.device) if labels is None else labels
    for step in reversed(range(n_steps or self.args.n_steps)):
        t = torch.full((n,), step, device=self.args.device)
        lambda_t, lambda_t_prim = self.diffusion.get_lambda(t), self.diffusion.get_lambda(t - 1)
        eps_cond, eps_uncond = self.eps_model(z_t, labels), self.eps_model(z_t, None)
        eps = (1 + cfg_scale) * eps_cond - cfg_scale * eps_uncond
        alpha, sigma = self.diffusion.alpha_lambda(lambda_t), self.diffusion.sigma_lambda(lambda_t)
        x_t = (z_t - sigma * eps) / alpha
        z_t = self.diffusion.p_sample(z_t, lambda_t, lambda_t_prim, x_t)


@wrong("Q3.11", "Trainer.sample")
def guided_sample_keeps_the_graph(self, labels=None, cfg_scale=3.0, n_steps=None, set_seed=False):
    """Gradients are recorded through all steps, for nothing: sample under torch.no_grad()."""
    n = self.args.n_samples
    z_t = torch.randn(n, self.args.image_channels, self.args.image_size, self.args.image_size, device=self.args.device)
    labels = torch.randint(0, 10, (n,), device=self.args.device) if labels is None else labels
    for step in reversed(range(n_steps or self.args.n_steps)):
        t = torch.full((n,), step, device=self.args.device)
        lambda_t, lambda_t_prim = self.diffusion.get_lambda(t), self.diffusion.get_lambda(t - 1)
        eps_cond, eps_uncond = self.eps_model(z_t, labels), self.eps_model(z_t, None)
        eps = (1 + cfg_scale) * eps_cond - cfg_scale * eps_uncond
        alpha, sigma = self.diffusion.alpha_lambda(lambda_t), self.diffusion.sigma_lambda(lambda_t)
        x_t = (z_t - sigma * eps) / alpha
        z_t = self.diffusion.p_sample(z_t, lambda_t, lambda_t_prim, x_t)
    return x_t


@wrong("Q3.11", "Trainer.sample")
def guided_sample_starts_from_zeros(self, labels=None, cfg_scale=3.0, n_steps=None, set_seed=False):
    """The first z is all zeros here; the reverse process starts from noise, so that every image differs."""
    n = self.args.n_samples
    z_t = torch.zeros(n, self.args.image_channels, self.args.image_size, self.args.image_size, device=self.args.device)
    labels = torch.randint(0, 10, (n,), device=self.args.device) if labels is None else labels
    for step in reversed(range(n_steps or self.args.n_steps)):
        t = torch.full((n,), step, device=self.args.device)
        lambda_t, lambda_t_prim = self.diffusion.get_lambda(t), self.diffusion.get_lambda(t - 1)
        eps_cond, eps_uncond = self.eps_model(z_t, labels), self.eps_model(z_t, None)
        eps = (1 + cfg_scale) * eps_cond - cfg_scale * eps_uncond
        alpha, sigma = self.diffusion.alpha_lambda(lambda_t), self.diffusion.sigma_lambda(lambda_t)
        x_t = (z_t - sigma * eps) / alpha
        z_t = self.diffusion.p_sample(z_t, lambda_t, lambda_t_prim, x_t)
    return x_t.detach()


@wrong("Q3.11", "Trainer.sample")
def guided_sample_starts_from_uniform_noise(self, labels=None, cfg_scale=3.0, n_steps=None, set_seed=False):
    """torch.rand is uniform on [0, 1); the reverse process starts from normal noise, torch.randn."""
    n = self.args.n_samples
    z_t = torch.rand(n, self.args.image_channels, self.args.image_size, self.args.image_size, device=self.args.device)
    labels = torch.randint(0, 10, (n,), device=self.args.device) if labels is None else labels
    for step in reversed(range(n_steps or self.args.n_steps)):
        t = torch.full((n,), step, device=self.args.device)
        lambda_t, lambda_t_prim = self.diffusion.get_lambda(t), self.diffusion.get_lambda(t - 1)
        eps_cond, eps_uncond = self.eps_model(z_t, labels), self.eps_model(z_t, None)
        eps = (1 + cfg_scale) * eps_cond - cfg_scale * eps_uncond
        alpha, sigma = self.diffusion.alpha_lambda(lambda_t), self.diffusion.sigma_lambda(lambda_t)
        x_t = (z_t - sigma * eps) / alpha
        z_t = self.diffusion.p_sample(z_t, lambda_t, lambda_t_prim, x_t)
    return x_t.detach()


@wrong("Q3.11", "Trainer.sample")
def guided_sample_ignores_n_steps(self, labels=None, cfg_scale=3.0, n_steps=None, set_seed=False):
    """The loop always runs over args.n_steps; the argument n_steps comes first, args.n_steps only if it is None."""
    n = self.args.n_samples
    z_t = torch.randn(n, self.args.image_channels, self.args.image_size, self.args.image_size, device=self.args.device)
    labels = torch.randint(0, 10, (n,), device=self.args.device) if labels is None else labels
    for step in reversed(range(self.args.n_steps)):
        t = torch.full((n,), step, device=self.args.device)
        lambda_t, lambda_t_prim = self.diffusion.get_lambda(t), self.diffusion.get_lambda(t - 1)
        eps_cond, eps_uncond = self.eps_model(z_t, labels), self.eps_model(z_t, None)
        eps = (1 + cfg_scale) * eps_cond - cfg_scale * eps_uncond
        alpha, sigma = self.diffusion.alpha_lambda(lambda_t), self.diffusion.sigma_lambda(lambda_t)
        x_t = (z_t - sigma * eps) / alpha
        z_t = self.diffusion.p_sample(z_t, lambda_t, lambda_t_prim, x_t)
    return x_t.detach()


@wrong("Q3.11", "Trainer.sample")
def guided_sample_needs_labels(self, labels=None, cfg_scale=3.0, n_steps=None, set_seed=False):
    """labels=None is not handled: draw random labels then, one for each image."""
    n = self.args.n_samples
    z_t = torch.randn(n, self.args.image_channels, self.args.image_size, self.args.image_size, device=self.args.device)
    labels = labels.long()
    for step in reversed(range(n_steps or self.args.n_steps)):
        t = torch.full((n,), step, device=self.args.device)
        lambda_t, lambda_t_prim = self.diffusion.get_lambda(t), self.diffusion.get_lambda(t - 1)
        eps_cond, eps_uncond = self.eps_model(z_t, labels), self.eps_model(z_t, None)
        eps = (1 + cfg_scale) * eps_cond - cfg_scale * eps_uncond
        alpha, sigma = self.diffusion.alpha_lambda(lambda_t), self.diffusion.sigma_lambda(lambda_t)
        x_t = (z_t - sigma * eps) / alpha
        z_t = self.diffusion.p_sample(z_t, lambda_t, lambda_t_prim, x_t)
    return x_t.detach()


@wrong("Q3.11", "Trainer.sample")
def guided_sample_hands_set_seed_on(self, labels=None, cfg_scale=3.0, n_steps=None, set_seed=False):
    """set_seed is handed on to p_sample, so every reverse step draws the same noise: seed once, before the loop."""
    n = self.args.n_samples
    z_t = torch.randn(n, self.args.image_channels, self.args.image_size, self.args.image_size, device=self.args.device)
    labels = torch.randint(0, 10, (n,), device=self.args.device) if labels is None else labels
    for step in reversed(range(n_steps or self.args.n_steps)):
        t = torch.full((n,), step, device=self.args.device)
        lambda_t, lambda_t_prim = self.diffusion.get_lambda(t), self.diffusion.get_lambda(t - 1)
        eps_cond, eps_uncond = self.eps_model(z_t, labels), self.eps_model(z_t, None)
        eps = (1 + cfg_scale) * eps_cond - cfg_scale * eps_uncond
        alpha, sigma = self.diffusion.alpha_lambda(lambda_t), self.diffusion.sigma_lambda(lambda_t)
        x_t = (z_t - sigma * eps) / alpha
        z_t = self.diffusion.p_sample(z_t, lambda_t, lambda_t_prim, x_t, set_seed=set_seed)
    return x_t.detach()


@wrong("Q3.11", "Trainer.sample")
def guided_sample_leaves_out_time_zero(self, labels=None, cfg_scale=3.0, n_steps=None, set_seed=False):
    """The step from time 0 is missing, as in range(n_steps - 1, 0, -1), which stops before 0."""
    n = self.args.n_samples
    z_t = torch.randn(n, self.args.image_channels, self.args.image_size, self.args.image_size, device=self.args.device)
    labels = torch.randint(0, 10, (n,), device=self.args.device) if labels is None else labels
    for step in range((n_steps or self.args.n_steps) - 1, 0, -1):
        t = torch.full((n,), step, device=self.args.device)
        lambda_t, lambda_t_prim = self.diffusion.get_lambda(t), self.diffusion.get_lambda(t - 1)
        eps_cond, eps_uncond = self.eps_model(z_t, labels), self.eps_model(z_t, None)
        eps = (1 + cfg_scale) * eps_cond - cfg_scale * eps_uncond
        alpha, sigma = self.diffusion.alpha_lambda(lambda_t), self.diffusion.sigma_lambda(lambda_t)
        x_t = (z_t - sigma * eps) / alpha
        z_t = self.diffusion.p_sample(z_t, lambda_t, lambda_t_prim, x_t)
    return x_t.detach()


@wrong("Q3.11", "Trainer.sample")
def guided_sample_repeats_one_noise(self, labels=None, cfg_scale=3.0, n_steps=None, set_seed=False):
    """All images start from the same noise: each needs its own, so draw n_samples of them."""
    n = self.args.n_samples
    z_t = torch.randn(
        1, self.args.image_channels, self.args.image_size, self.args.image_size, device=self.args.device
    ).repeat(n, 1, 1, 1)
    labels = torch.randint(0, 10, (n,), device=self.args.device) if labels is None else labels
    for step in reversed(range(n_steps or self.args.n_steps)):
        t = torch.full((n,), step, device=self.args.device)
        lambda_t, lambda_t_prim = self.diffusion.get_lambda(t), self.diffusion.get_lambda(t - 1)
        eps_cond, eps_uncond = self.eps_model(z_t, labels), self.eps_model(z_t, None)
        eps = (1 + cfg_scale) * eps_cond - cfg_scale * eps_uncond
        alpha, sigma = self.diffusion.alpha_lambda(lambda_t), self.diffusion.sigma_lambda(lambda_t)
        x_t = (z_t - sigma * eps) / alpha
        z_t = self.diffusion.p_sample(z_t, lambda_t, lambda_t_prim, x_t)
    return x_t.detach()


@wrong("Q3.11", "Trainer.sample")
def x_estimate_divides_the_noise_only(self, labels=None, cfg_scale=3.0, n_steps=None, set_seed=False):
    """Only the noise is divided by alpha: all of z_t - sigma eps is, so mind the brackets."""
    n = self.args.n_samples
    z_t = torch.randn(n, self.args.image_channels, self.args.image_size, self.args.image_size, device=self.args.device)
    labels = torch.randint(0, 10, (n,), device=self.args.device) if labels is None else labels
    for step in reversed(range(n_steps or self.args.n_steps)):
        t = torch.full((n,), step, device=self.args.device)
        lambda_t, lambda_t_prim = self.diffusion.get_lambda(t), self.diffusion.get_lambda(t - 1)
        eps_cond, eps_uncond = self.eps_model(z_t, labels), self.eps_model(z_t, None)
        eps = (1 + cfg_scale) * eps_cond - cfg_scale * eps_uncond
        alpha, sigma = self.diffusion.alpha_lambda(lambda_t), self.diffusion.sigma_lambda(lambda_t)
        x_t = z_t - sigma * eps / alpha
        z_t = self.diffusion.p_sample(z_t, lambda_t, lambda_t_prim, x_t)
    return x_t.detach()
