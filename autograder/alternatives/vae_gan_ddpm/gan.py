"""Right answers to gan.py that look different: full marks for each."""

from autograder.grading.variants import right


@right("Q2.1", "make_optimizers")
def optimizers_by_keyword(discriminator, generator, lr_d, lr_g):
    """Parameters as lists, betas as a tuple, results as a list."""
    made = []
    for network, rate in ((discriminator, lr_d), (generator, lr_g)):
        made.append(torch.optim.Adam(params=list(network.parameters()), lr=rate, betas=(0.5, 0.999)))
    return made


@right("Q2.1", "make_optimizers")
def optimizers_for_each_implementation(discriminator, generator, lr_d, lr_g):
    """foreach is an implementation, not another optimizer."""
    options = {"betas": (0.5, 0.999), "foreach": True}
    optimizer_d = torch.optim.Adam([{"params": discriminator.parameters()}], lr=lr_d, **options)
    return optimizer_d, torch.optim.Adam([{"params": generator.parameters(), "lr": lr_g}], **options)


@right("Q2.2", "make_criterion")
def criterion_as_a_function():
    """The functional form."""
    return nn.functional.binary_cross_entropy_with_logits


@right("Q2.2", "make_criterion")
def criterion_by_softplus():
    """The formula in its stable form."""
    return lambda logits, targets: (nn.functional.softplus(logits) - targets * logits).mean()


@right("Q2.3", "discriminator_train")
def discriminator_loss_with_detached_images(discriminator, generator, criterion, real_samples, fake_samples):
    """detach() here, as well as in the loop that hands them over."""
    real, fake = discriminator(real_samples), discriminator(fake_samples.detach())
    return criterion(real, torch.ones_like(real)) + criterion(fake, torch.zeros_like(fake))


@right("Q2.3", "discriminator_train")
def discriminator_loss_halved(discriminator, generator, criterion, real_samples, fake_samples):
    """The mean of both terms; flat logits and flat targets."""
    real = discriminator(real_samples).view(-1)
    fake = discriminator(fake_samples.detach()).view(-1)
    ones, zeros = torch.ones(real.shape[0]), torch.zeros(fake.shape[0])
    return (criterion(real, ones) + criterion(fake, zeros)) / 2


@right("Q2.3", "discriminator_train")
def discriminator_loss_in_one_batch(discriminator, generator, criterion, real_samples, fake_samples):
    """Real and fake images in one batch: half of the sum."""
    logits = discriminator(torch.cat([real_samples, fake_samples.detach()]))
    targets = torch.zeros_like(logits)
    targets[: len(real_samples)] = 1
    return criterion(logits, targets)


@right("Q2.3", "discriminator_train")
def discriminator_loss_by_softplus(discriminator, generator, criterion, real_samples, fake_samples):
    """Without the criterion."""
    fake_samples = fake_samples.clone().detach()
    real_loss = nn.functional.softplus(-discriminator(real_samples)).mean()
    return real_loss + nn.functional.softplus(discriminator(fake_samples)).mean()


@right("Q2.4", "generator_train")
def generator_loss_by_logsigmoid(discriminator, generator, criterion, fake_samples):
    """Without the criterion."""
    return -nn.functional.logsigmoid(discriminator(fake_samples)).mean()


@right("Q2.4", "generator_train")
def generator_loss_with_full_targets(discriminator, generator, criterion, fake_samples):
    """Targets by torch.full."""
    logits = discriminator(fake_samples)
    labels = torch.full((fake_samples.size(0), 1, 1, 1), 1.0, device=fake_samples.device)
    return criterion(logits, labels)


@right("Q2.5", "sample")
def samples_in_evaluation_mode(generator, num_samples, noise=None):
    """Evaluation mode, no gradients."""
    generator.eval()
    with torch.no_grad():
        device = next(generator.parameters()).device
        z = torch.randn(num_samples, generator.z_dim, 1, 1).to(device) if noise is None else noise
        return generator(z)


@right("Q2.6", "interpolate")
def gan_interpolates_backwards(generator, z_1, z_2, n_samples):
    """From z_2 to z_1."""
    a = torch.linspace(0, 1, steps=n_samples)[:, None, None, None]
    return generator(a * z_1 + (1 - a) * z_2).detach()


@right("Q2.6", "interpolate")
def gan_interpolates_in_a_loop(generator, z_1, z_2, n_samples):
    """One image at a time."""
    images = [generator(z_1 + (z_2 - z_1) * i / (n_samples - 1)) for i in range(n_samples)]
    return torch.cat(images, dim=0)


@right("Q2.3", "discriminator_train")
def discriminator_loss_by_new_tensors(discriminator, generator, criterion, real_samples, fake_samples):
    """Targets by new_ones and new_zeros; the two halves by a comprehension and sum()."""
    pairs = [(real_samples, 1.0), (fake_samples.detach(), 0.0)]
    return sum(criterion(logits := discriminator(batch), torch.full_like(logits, label)) for batch, label in pairs)


@right("Q2.5", "sample")
def samples_by_normal_noise(generator, num_samples, noise=None):
    """torch.normal on the device of the parameters."""
    device = next(iter(generator.state_dict().values())).device
    shape = (num_samples, generator.z_dim, 1, 1)
    return generator(torch.normal(0.0, 1.0, shape, device=device) if noise is None else noise)


@right("Q2.6", "interpolate")
def gan_interpolates_by_einsum(generator, z_1, z_2, n_samples):
    """Weights (n, 2) times the two ends."""
    a = torch.linspace(0, 1, n_samples).to(z_1)
    ends = torch.stack([z_1.expand_as(z_2).reshape(-1), z_2.reshape(-1)])
    return generator(torch.einsum("nk,kd->nd", torch.stack([1 - a, a], dim=1), ends).reshape(n_samples, -1, 1, 1))


@right("Q2.5", "sample")
def samples_image_by_image(generator, num_samples, noise=None):
    """One image at a time."""
    device = next(generator.parameters()).device
    noise = torch.randn(num_samples, generator.z_dim, 1, 1, device=device) if noise is None else noise
    with torch.no_grad():
        return torch.cat([generator(z) for z in noise.split(1)])
