"""Right answers to q2_trainer_ddpm.py that look different."""

import torch

from autograder.grading.variants import right


@right("Q2.6", "Trainer.sample")
@torch.no_grad()
def sample_in_a_while_loop(self, n_steps=None, set_seed=False):
    """A while loop, under no_grad instead of inference_mode, the shape taken from x."""
    if n_steps is None:
        n_steps = self.args.n_steps
    self.eps_model.eval()
    shape = self.args.n_samples, self.args.image_channels, self.args.image_size, self.args.image_size
    x = torch.randn(shape, device=self.args.device)
    t = n_steps - 1
    while t >= 0:
        x = self.diffusion.p_sample(xt=x, t=x.new_full((x.shape[0],), t, dtype=torch.long), set_seed=False)
        t -= 1
    self.eps_model.train()
    return x


@right("Q2.6", "Trainer.sample")
def sample_counts_steps_and_inlines_p_sample(self, n_steps=None, set_seed=False):
    """Counts steps upwards, times down; draws from the moments of p_xt_prev_xt itself; shows its images."""
    n_steps = n_steps or self.diffusion.n_steps
    with torch.no_grad():
        shape = (self.args["n_samples"], self.args.image_channels, self.args.image_size, self.args.image_size)
        x = torch.cat([torch.randn(1, *shape[1:]).to(self.args.device) for _ in range(shape[0])])
        for step in range(n_steps):
            t = torch.tensor([n_steps - 1 - step] * shape[0], dtype=torch.int64, device=x.device)
            mean, var = self.diffusion.p_xt_prev_xt(x, t)
            x = mean + torch.sqrt(var) * torch.randn(x.shape, device=x.device)
    import matplotlib.pyplot as plt

    plt.imshow(x[0, 0])
    plt.savefig("samples.png")
    plt.close()
    return x


@right("Q2.6", "Trainer.sample")
def sample_detaches_at_every_step(self, n_steps=None, set_seed=False):
    """No context manager: each result is detached; n_steps is counted from a tensor."""
    n_steps = self.args.n_steps if n_steps is None else n_steps
    x = torch.randn(
        [self.args.n_samples, self.args.image_channels] + [self.args.image_size] * 2, device=self.args.device
    )
    for t in torch.arange(n_steps, device=x.device).flip(0):
        x = self.diffusion.p_sample(x, t.repeat(self.args.n_samples)).detach()
    return x


@right("Q2.7", "Trainer.generate_intermediate_samples")
def intermediate_by_time(self, n_samples=4, img_size=32, steps_to_show=(0, 999), n_steps=None, set_seed=False):
    """Reads steps_to_show as times, t = 0 for the final image; copies every array."""
    if n_steps is None:
        n_steps = self.args.n_steps
    x = torch.randn(n_samples, 1, img_size, img_size, device=self.args.device, requires_grad=False)
    images = [x.detach().cpu().numpy().copy()]
    for t in range(n_steps - 1, -1, -1):
        with torch.no_grad():
            x = self.diffusion.p_sample(x, torch.ones(n_samples, dtype=torch.long, device=x.device) * t)
        if t in steps_to_show:
            images.append(x.detach().cpu().numpy().copy())
    return images


@right("Q2.7", "Trainer.generate_intermediate_samples")
def intermediate_by_loop_index(self, n_samples=4, img_size=32, steps_to_show=(0, 999), n_steps=None, set_seed=False):
    """Reads steps_to_show as indices of a loop from 0; never leaves the graph before the arrays."""
    n_steps = n_steps or self.args.n_steps
    x = torch.randn(n_samples, self.args.image_channels, img_size, img_size, device=self.args.device)
    images = [x.cpu().numpy()]
    for index, t in enumerate(reversed(range(n_steps))):
        x = self.diffusion.p_sample(x, torch.full([n_samples], t, device=x.device))
        if index in steps_to_show:
            images.append(x.detach().cpu().numpy())
    return images


@right("Q2.7", "Trainer.generate_intermediate_samples")
def intermediate_keeps_everything_and_chooses(
    self, n_samples=4, img_size=32, steps_to_show=(0, 999), n_steps=None, set_seed=False
):
    """First the whole path, then the steps taken that are to be shown."""
    n_steps = n_steps or self.args.n_steps
    device = self.args.device
    path = [torch.randn(n_samples, self.args.image_channels, img_size, img_size, device=device)]
    for step in range(1, n_steps + 1):
        path.append(self.diffusion.p_sample(path[-1], torch.full((n_samples,), n_steps - step, device=device)).detach())
    return [x.cpu().numpy() for taken, x in enumerate(path) if taken == 0 or taken in steps_to_show]


@right("Q2.6", "Trainer.sample")
@torch.no_grad()
def sample_takes_steps_in_parts(self, n_steps=None, set_seed=False):
    """Four images at a time in every reverse step, for little memory."""
    args = self.args
    n_steps = args.n_steps if n_steps is None else n_steps
    x = torch.randn(args.n_samples, args.image_channels, args.image_size, args.image_size, device=args.device)
    for step in range(n_steps - 1, -1, -1):
        t = torch.full((args.n_samples,), step, device=args.device, dtype=torch.long)
        x = torch.cat([self.diffusion.p_sample(xs, ts) for xs, ts in zip(x.split(4), t.split(4), strict=True)])
    return x


@right("Q2.6", "Trainer.sample")
@torch.no_grad()
def sample_draws_one_image_after_another(self, n_steps=None, set_seed=False):
    """A whole reverse process for each image."""
    args = self.args
    n_steps = args.n_steps if n_steps is None else n_steps
    images = []
    for _ in range(args.n_samples):
        x = torch.randn(1, args.image_channels, args.image_size, args.image_size, device=args.device)
        for step in reversed(range(n_steps)):
            x = self.diffusion.p_sample(x, torch.full((1,), step, device=args.device, dtype=torch.long))
        images.append(x)
    return torch.cat(images)


@right("Q2.7", "Trainer.generate_intermediate_samples")
@torch.no_grad()
def intermediate_samples_in_parts(self, n_samples=4, img_size=32, steps_to_show=(0, 999), n_steps=None, set_seed=False):
    """Half of the images at a time in every reverse step."""
    args = self.args
    n_steps = args.n_steps if n_steps is None else n_steps
    x = torch.randn(n_samples, args.image_channels, img_size, img_size, device=args.device)
    images = [x.cpu().numpy()]
    for taken in range(1, n_steps + 1):
        t = torch.full((n_samples,), n_steps - taken, device=args.device, dtype=torch.long)
        x = torch.cat([self.diffusion.p_sample(*half) for half in zip(x.chunk(2), t.chunk(2), strict=True)])
        if taken in steps_to_show:
            images.append(x.cpu().numpy())
    return images
