"""Right answers to q3_trainer_cfg.py that look different."""

import torch

from autograder.grading.variants import right


@right("Q3.11", "Trainer.sample")
@torch.no_grad()
def guided_sample_skips_the_last_step(self, labels=None, cfg_scale=3.0, n_steps=None, set_seed=False):
    """No p_sample at t = 0; a while loop; keywords; labels=None means no label at all."""
    steps = self.args.n_steps if n_steps is None else n_steps
    shape = self.args.n_samples, self.args.image_channels, self.args.image_size, self.args.image_size
    z = torch.randn(shape, device=self.args.device)
    while True:
        steps -= 1
        t = z.new_full((z.shape[0],), steps, dtype=torch.long)
        lambda_t = self.diffusion.get_lambda(t=t)
        conditional, unconditional = self.eps_model(z, labels), self.eps_model(z, labels=None)
        eps = conditional + cfg_scale * (conditional - unconditional)
        x = (z - self.diffusion.sigma_lambda(lambda_t=lambda_t) * eps) / self.diffusion.alpha_lambda(lambda_t=lambda_t)
        if steps == 0:
            return x
        lambda_t_prim = self.diffusion.get_lambda(t - 1)
        z = self.diffusion.p_sample(z_lambda_t=z, lambda_t=lambda_t, lambda_t_prim=lambda_t_prim, x_t=x)


@right("Q3.11", "Trainer.sample")
def guided_sample_goes_on_to_time_minus_one(self, labels=None, cfg_scale=3.0, n_steps=None, set_seed=False):
    """lambda' of the last step from t = -1; one (1,) time for all; the unconditional pass only where w is not 0."""
    n_steps = n_steps or self.diffusion.n_steps
    size = self.args.image_size
    with torch.no_grad():
        z_t = torch.randn(self.args.n_samples, self.args.image_channels, size, size, device=self.args.device)
        if labels is None:
            labels = torch.randint(0, 9, (self.args.n_samples,), device=z_t.device)
        for t_ in range(n_steps):
            t = torch.tensor([n_steps - t_ - 1], device=z_t.device)
            lambda_t, lambda_t_prim = self.diffusion.get_lambda(t), self.diffusion.get_lambda(t - 1)
            eps = self.eps_model(z_t, labels)
            if cfg_scale != 0:
                eps = (1 + cfg_scale) * eps - cfg_scale * self.eps_model(z_t, None)
            x_t = (z_t - self.diffusion.sigma_lambda(lambda_t) * eps) / self.diffusion.alpha_lambda(lambda_t)
            z_t = self.diffusion.p_sample(z_t, lambda_t, lambda_t_prim, x_t, set_seed=False)
    return x_t


@right("Q3.11", "Trainer.sample")
@torch.inference_mode()
def guided_sample_inlines_p_sample(self, labels=None, cfg_scale=3.0, n_steps=None, set_seed=False):
    """All levels computed before the loop; the step drawn from mu_p_theta and var_p_theta; unconditional pass first."""
    n = self.args.n_samples
    n_steps = n_steps or self.args.n_steps
    size, device = self.args.image_size, self.args.device
    labels = torch.zeros(n, dtype=torch.long, device=device) if labels is None else labels
    z = torch.randn(n, self.args.image_channels, size, size, device=device)
    levels = self.diffusion.get_lambda(torch.arange(n_steps, device=device))
    for t in reversed(range(n_steps)):
        l, l_prim = levels[t].expand(n, 1, 1, 1), levels[max(t - 1, 0)].expand(n, 1, 1, 1)
        without = self.eps_model(z, None)
        eps = without + (1 + cfg_scale) * (self.eps_model(z, labels) - without)
        x = z.sub(self.diffusion.sigma_lambda(l) * eps).div(self.diffusion.alpha_lambda(l))
        std = self.diffusion.var_p_theta(l, l_prim).sqrt()
        z = self.diffusion.mu_p_theta(z, x, l, l_prim) + std * torch.randn_like(z)
    return x.clone()


@right("Q3.11", "Trainer.sample")
@torch.no_grad()
def guided_sample_in_parts(self, labels=None, cfg_scale=3.0, n_steps=None, set_seed=False):
    """Three images at a time, predictions and reverse steps alike."""
    args, model = self.args, self.diffusion
    n_steps = args.n_steps if n_steps is None else n_steps
    if labels is None:
        labels = torch.randint(0, args.n_classes, (args.n_samples,), device=args.device)
    z = torch.randn(args.n_samples, args.image_channels, args.image_size, args.image_size, device=args.device)
    for step in range(n_steps - 1, -1, -1):
        new = []
        x = []
        for part, chosen in zip(z.split(3), labels.split(3), strict=True):
            t = torch.full((len(part),), step, device=args.device, dtype=torch.long)
            now, following = model.get_lambda(t), model.get_lambda((t - 1).clamp(min=0))
            eps = (1 + cfg_scale) * self.eps_model(part, chosen) - cfg_scale * self.eps_model(part, None)
            x.append((part - model.sigma_lambda(now) * eps) / model.alpha_lambda(now))
            new.append(model.p_sample(part, now, following, x[-1]))
        z = torch.cat(new)
    return torch.cat(x)


@right("Q3.11", "Trainer.sample")
@torch.no_grad()
def guided_sample_one_image_after_another(self, labels=None, cfg_scale=3.0, n_steps=None, set_seed=False):
    """A whole reverse process for each image."""
    args, model = self.args, self.diffusion
    n_steps = args.n_steps if n_steps is None else n_steps
    if labels is None:
        labels = torch.randint(0, args.n_classes, (args.n_samples,), device=args.device)
    images = []
    for label in labels:
        z = torch.randn(1, args.image_channels, args.image_size, args.image_size, device=args.device)
        for step in range(n_steps - 1, -1, -1):
            t = torch.full((1,), step, device=args.device, dtype=torch.long)
            now, following = model.get_lambda(t), model.get_lambda((t - 1).clamp(min=0))
            eps = (1 + cfg_scale) * self.eps_model(z, label[None]) - cfg_scale * self.eps_model(z, None)
            x = (z - model.sigma_lambda(now) * eps) / model.alpha_lambda(now)
            z = model.p_sample(z, now, following, x)
        images.append(x)
    return torch.cat(images)
