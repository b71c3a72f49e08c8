"""Wrong answers that students give in gan.py, and what they are told. Grader and tests read it."""

from autograder.grading.variants import wrong

# ---------------------------------------------------------------- Q2.1 make_optimizers


@wrong("Q2.1", "make_optimizers")
def keeps_default_betas(discriminator, generator, lr_d, lr_g):
    """The betas are Adam's defaults; the GAN needs (0.5, 0.999)."""
    optimizers = [torch.optim.Adam(discriminator.parameters(), lr=lr_d)]
    return *optimizers, torch.optim.Adam(generator.parameters(), lr=lr_g)


@wrong("Q2.1", "make_optimizers")
def uses_one_learning_rate(discriminator, generator, lr_d, lr_g):
    """Both optimizers have the learning rate of the discriminator; the generator's is lr_g."""
    betas = (0.5, 0.999)
    optimizer_d = torch.optim.Adam(discriminator.parameters(), lr=lr_d, betas=betas)
    return optimizer_d, torch.optim.Adam(generator.parameters(), lr=lr_d, betas=betas)


@wrong("Q2.1", "make_optimizers")
def swaps_learning_rates(discriminator, generator, lr_d, lr_g):
    """The learning rates are swapped: lr_d is the discriminator's."""
    betas = (0.5, 0.999)
    optimizer_d = torch.optim.Adam(discriminator.parameters(), lr=lr_g, betas=betas)
    return optimizer_d, torch.optim.Adam(generator.parameters(), lr=lr_d, betas=betas)


@wrong("Q2.1", "make_optimizers")
def returns_the_generators_first(discriminator, generator, lr_d, lr_g):
    """The generator's optimizer comes first; the discriminator's does."""
    betas = (0.5, 0.999)
    optimizer_d = torch.optim.Adam(discriminator.parameters(), lr=lr_d, betas=betas)
    return torch.optim.Adam(generator.parameters(), lr=lr_g, betas=betas), optimizer_d


@wrong("Q2.1", "make_optimizers")
def trains_both_networks_together(discriminator, generator, lr_d, lr_g):
    """The generator's optimizer holds the discriminator's parameters too: it would train it to be fooled."""
    betas = (0.5, 0.999)
    both = [*generator.parameters(), *discriminator.parameters()]
    optimizer_d = torch.optim.Adam(discriminator.parameters(), lr=lr_d, betas=betas)
    return optimizer_d, torch.optim.Adam(both, lr=lr_g, betas=betas)


@wrong("Q2.1", "make_optimizers")
def uses_sgd(discriminator, generator, lr_d, lr_g):
    """These are SGD optimizers; Adam is asked for."""
    return torch.optim.SGD(discriminator.parameters(), lr=lr_d), torch.optim.SGD(generator.parameters(), lr=lr_g)


@wrong("Q2.1", "make_optimizers")
def sets_the_first_beta_only(discriminator, generator, lr_d, lr_g):
    """The second beta is not 0.999, although the first is 0.5."""
    optimizer_d = torch.optim.Adam(discriminator.parameters(), lr=lr_d, betas=(0.5, 0.5))
    return optimizer_d, torch.optim.Adam(generator.parameters(), lr=lr_g, betas=(0.5, 0.5))


@wrong("Q2.1", "make_optimizers")
def sets_the_betas_of_one_only(discriminator, generator, lr_d, lr_g):
    """The generator's betas are Adam's defaults: both optimizers have (0.5, 0.999)."""
    optimizer_d = torch.optim.Adam(discriminator.parameters(), lr=lr_d, betas=(0.5, 0.999))
    return optimizer_d, torch.optim.Adam(generator.parameters(), lr=lr_g)


@wrong("Q2.1", "make_optimizers")
def writes_out_the_learning_rates(discriminator, generator, lr_d, lr_g):
    """The learning rates are written out: they are lr_d and lr_g."""
    betas = (0.5, 0.999)
    optimizer_d = torch.optim.Adam(discriminator.parameters(), lr=2e-4, betas=betas)
    return optimizer_d, torch.optim.Adam(generator.parameters(), lr=2e-4, betas=betas)


# ---------------------------------------------------------------- Q2.2 make_criterion


@wrong("Q2.2", "make_criterion")
def takes_probabilities():
    """nn.BCELoss takes probabilities; the discriminator gives logits, so that it fails on them or gives nonsense."""
    return nn.BCELoss()


@wrong("Q2.2", "make_criterion")
def takes_a_sigmoid_first():
    """A sigmoid, then the cross-entropy of probabilities: for large logits it is cut off and its gradient vanishes.
    PyTorch has one loss that does both exactly."""
    return lambda logits, targets: nn.functional.binary_cross_entropy(torch.sigmoid(logits), targets)


@wrong("Q2.2", "make_criterion")
def uses_squared_errors():
    """This is the squared error, which suits another kind of GAN; the objective has logarithms."""
    return nn.MSELoss()


@wrong("Q2.2", "make_criterion")
def sums_over_the_batch():
    """The loss is summed over the batch; the objective is an expectation, that is the mean."""
    return nn.BCEWithLogitsLoss(reduction="sum")


@wrong("Q2.2", "make_criterion")
def returns_the_class():
    """It returns the class of the loss; make an object of it, with parentheses."""
    return nn.BCEWithLogitsLoss


# ---------------------------------------------------------------- Q2.3 discriminator_train


@wrong("Q2.3", "discriminator_train")
def calls_real_images_fake(discriminator, generator, criterion, real_samples, fake_samples):
    """The targets are swapped: 1 stands for real, 0 for fake."""
    real, fake = discriminator(real_samples), discriminator(fake_samples.detach())
    return criterion(real, torch.zeros_like(real)) + criterion(fake, torch.ones_like(fake))


@wrong("Q2.3", "discriminator_train")
def gives_all_images_target_one(discriminator, generator, criterion, real_samples, fake_samples):
    """Real and fake images have the same target: the fake ones' is 0."""
    real, fake = discriminator(real_samples), discriminator(fake_samples.detach())
    return criterion(real, torch.ones_like(real)) + criterion(fake, torch.ones_like(fake))


@wrong("Q2.3", "discriminator_train")
def leaves_out_the_fake_images(discriminator, generator, criterion, real_samples, fake_samples):
    """The term of the fake images is missing."""
    real = discriminator(real_samples)
    return criterion(real, torch.ones_like(real))


@wrong("Q2.3", "discriminator_train")
def leaves_out_the_real_images(discriminator, generator, criterion, real_samples, fake_samples):
    """The term of the real images is missing."""
    fake = discriminator(fake_samples.detach())
    return criterion(fake, torch.zeros_like(fake))


@wrong("Q2.3", "discriminator_train")
def detaches_the_logits(discriminator, generator, criterion, real_samples, fake_samples):
    """The logits of the fake images are detached, so that nothing is learned from them."""
    real, fake = discriminator(real_samples), discriminator(fake_samples).detach()
    return criterion(real, torch.ones_like(real)) + criterion(fake, torch.zeros_like(fake))


@wrong("Q2.3", "discriminator_train")
def makes_flat_targets(discriminator, generator, criterion, real_samples, fake_samples):
    """The targets have the shape (N,), the logits (N, 1, 1, 1): give them one shape."""
    real, fake = discriminator(real_samples), discriminator(fake_samples.detach())
    return criterion(real, torch.ones(len(real))) + criterion(fake, torch.zeros(len(fake)))


@wrong("Q2.3", "discriminator_train")
def takes_the_sigmoid_twice(discriminator, generator, criterion, real_samples, fake_samples):
    """A sigmoid is applied before the criterion, which takes logits and applies its own."""
    real, fake = torch.sigmoid(discriminator(real_samples)), torch.sigmoid(discriminator(fake_samples.detach()))
    return criterion(real, torch.ones_like(real)) + criterion(fake, torch.zeros_like(fake))


@wrong("Q2.3", "discriminator_train")
def smooths_the_labels(discriminator, generator, criterion, real_samples, fake_samples):
    """Real images get the target 0.9 (label smoothing): the loss that is asked for has targets 1 and 0."""
    real, fake = discriminator(real_samples), discriminator(fake_samples.detach())
    return criterion(real, 0.9 * torch.ones_like(real)) + criterion(fake, torch.zeros_like(fake))


@wrong("Q2.3", "discriminator_train")
def hands_the_targets_over_first(discriminator, generator, criterion, real_samples, fake_samples):
    """The criterion's arguments are swapped: the logits come first, then the targets."""
    real, fake = discriminator(real_samples), discriminator(fake_samples.detach())
    return criterion(torch.ones_like(real), real) + criterion(torch.zeros_like(fake), fake)


@wrong("Q2.3", "discriminator_train")
def negates_the_loss(discriminator, generator, criterion, real_samples, fake_samples):
    """The sign is flipped: the criterion is a loss already, and the optimizer makes it smaller."""
    real, fake = discriminator(real_samples), discriminator(fake_samples.detach())
    return -criterion(real, torch.ones_like(real)) - criterion(fake, torch.zeros_like(fake))


@wrong("Q2.3", "discriminator_train")
def subtracts_the_fake_term(discriminator, generator, criterion, real_samples, fake_samples):
    """The fake images' term is subtracted; both terms are losses, and they are added."""
    real, fake = discriminator(real_samples), discriminator(fake_samples.detach())
    return criterion(real, torch.ones_like(real)) - criterion(fake, torch.zeros_like(fake))


@wrong("Q2.3", "discriminator_train")
def takes_a_quarter_of_the_loss(discriminator, generator, criterion, real_samples, fake_samples):
    """The loss is a quarter of the sum of its two terms: it is their sum, or half of it."""
    real, fake = discriminator(real_samples), discriminator(fake_samples.detach())
    return 0.25 * (criterion(real, torch.ones_like(real)) + criterion(fake, torch.zeros_like(fake)))


@wrong("Q2.3", "discriminator_train")
def smooths_both_labels(discriminator, generator, criterion, real_samples, fake_samples):
    """The targets are 0.9 and 0.1 (label smoothing): the loss that is asked for has targets 1 and 0."""
    real, fake = discriminator(real_samples), discriminator(fake_samples.detach())
    return criterion(real, 0.9 * torch.ones_like(real)) + criterion(fake, 0.1 * torch.ones_like(fake))


@wrong("Q2.3", "discriminator_train")
def returns_a_number(discriminator, generator, criterion, real_samples, fake_samples):
    """The loss has lost its gradient (item(), detach() or no_grad()): nothing can be learned from it."""
    real, fake = discriminator(real_samples), discriminator(fake_samples.detach())
    return (criterion(real, torch.ones_like(real)) + criterion(fake, torch.zeros_like(fake))).detach()


@wrong("Q2.3", "discriminator_train")
def makes_fakes_for_the_discriminator(discriminator, generator, criterion, real_samples, fake_samples):
    """New fake images are drawn: the loss is about the fake_samples that are handed in."""
    z = torch.randn(len(real_samples), generator.z_dim, 1, 1, device=real_samples.device)
    real, fake = discriminator(real_samples), discriminator(generator(z).detach())
    return criterion(real, torch.ones_like(real)) + criterion(fake, torch.zeros_like(fake))


# ---------------------------------------------------------------- Q2.4 generator_train


@wrong("Q2.4", "generator_train")
def saturates(discriminator, generator, criterion, fake_samples):
    """This is the saturating loss, log(1 - D(G(z))): its gradient vanishes where the discriminator is sure."""
    logits = discriminator(fake_samples)
    return -criterion(logits, torch.zeros_like(logits))


@wrong("Q2.4", "generator_train")
def wants_to_be_found_out(discriminator, generator, criterion, fake_samples):
    """The target is 0, as for the discriminator: the generator would learn to make images that look fake."""
    logits = discriminator(fake_samples)
    return criterion(logits, torch.zeros_like(logits))


@wrong("Q2.4", "generator_train")
def negates_the_generators_loss(discriminator, generator, criterion, fake_samples):
    """The sign is flipped: the criterion is a loss already, and the optimizer makes it smaller."""
    logits = discriminator(fake_samples)
    return -criterion(logits, torch.ones_like(logits))


@wrong("Q2.4", "generator_train")
def detaches_the_fake_images(discriminator, generator, criterion, fake_samples):
    """The gradient is cut (detach(), item() or no_grad()): it must flow through the fake images, into the generator."""
    logits = discriminator(fake_samples.detach())
    return criterion(logits, torch.ones_like(logits))


@wrong("Q2.4", "generator_train")
def makes_flat_targets_for_the_generator(discriminator, generator, criterion, fake_samples):
    """The targets have the shape (N,), the logits (N, 1, 1, 1): give them one shape."""
    logits = discriminator(fake_samples)
    return criterion(logits, torch.ones(len(logits)))


@wrong("Q2.4", "generator_train")
def applies_a_sigmoid_before_the_criterion(discriminator, generator, criterion, fake_samples):
    """A sigmoid is applied before the criterion, which takes logits and applies its own."""
    logits = discriminator(fake_samples)
    return criterion(torch.sigmoid(logits), torch.ones_like(logits))


@wrong("Q2.4", "generator_train")
def maximizes_the_logit(discriminator, generator, criterion, fake_samples):
    """This is - mean of the logits: the criterion that is handed over is not used."""
    return -discriminator(fake_samples).mean()


@wrong("Q2.4", "generator_train")
def hands_the_generators_targets_over_first(discriminator, generator, criterion, fake_samples):
    """The criterion's arguments are swapped: the logits come first, then the targets."""
    logits = discriminator(fake_samples)
    return criterion(torch.ones_like(logits), logits)


@wrong("Q2.4", "generator_train")
def smooths_the_generators_labels(discriminator, generator, criterion, fake_samples):
    """The target is 0.9 (label smoothing): it is 1."""
    logits = discriminator(fake_samples)
    return criterion(logits, 0.9 * torch.ones_like(logits))


@wrong("Q2.4", "generator_train")
def halves_the_generators_loss(discriminator, generator, criterion, fake_samples):
    """A factor 1/2 stands in front: the generator's loss has none."""
    logits = discriminator(fake_samples)
    return 0.5 * criterion(logits, torch.ones_like(logits))


@wrong("Q2.4", "generator_train")
def makes_fakes_of_its_own(discriminator, generator, criterion, fake_samples):
    """New fake images are drawn: the loss is about the fake_samples that are handed in."""
    z = torch.randn(len(fake_samples), generator.z_dim, 1, 1, device=fake_samples.device)
    logits = discriminator(generator(z))
    return criterion(logits, torch.ones_like(logits))


# ---------------------------------------------------------------- Q2.5 sample


@wrong("Q2.5", "sample")
def ignores_the_noise(generator, num_samples, noise=None):
    """The argument `noise` is not used: when it is given, it is the generator's input."""
    return generator(torch.randn(num_samples, generator.z_dim, 1, 1, device=next(generator.parameters()).device))


@wrong("Q2.5", "sample")
def writes_out_the_latent_size(generator, num_samples, noise=None):
    """100 is written out: the number of latent dimensions is generator.z_dim."""
    noise = torch.randn(num_samples, 100, 1, 1, device=next(generator.parameters()).device) if noise is None else noise
    return generator(noise)


@wrong("Q2.5", "sample")
def sets_a_seed_in_every_call(generator, num_samples, noise=None):
    """A seed is set inside, so that every call draws the same latents: leave that to whoever calls."""
    torch.manual_seed(42)
    device = next(generator.parameters()).device
    noise = torch.randn(num_samples, generator.z_dim, 1, 1, device=device) if noise is None else noise
    return generator(noise)


@wrong("Q2.5", "sample")
def draws_uniform_latents(generator, num_samples, noise=None):
    """The latents come from torch.rand, which is uniform; they are standard normal."""
    noise = (
        torch.rand(num_samples, generator.z_dim, 1, 1, device=next(generator.parameters()).device)
        if noise is None
        else noise
    )
    return generator(noise)


@wrong("Q2.5", "sample")
def repeats_one_latent_vector(generator, num_samples, noise=None):
    """All images come from one and the same latent vector."""
    noise = (
        torch.randn(1, generator.z_dim, 1, 1, device=next(generator.parameters()).device).repeat(num_samples, 1, 1, 1)
        if noise is None
        else noise
    )
    return generator(noise)


@wrong("Q2.5", "sample")
def repeats_one_number(generator, num_samples, noise=None):
    """One number is drawn for each image, and repeated for all latent dimensions."""
    noise = (
        torch.randn(num_samples, 1, 1, 1, device=next(generator.parameters()).device).repeat(1, generator.z_dim, 1, 1)
        if noise is None
        else noise
    )
    return generator(noise)


@wrong("Q2.5", "sample")
def latents_without_pixels(generator, num_samples, noise=None):
    """The latents have the shape (num_samples, z_dim); the generator's convolutions take (num_samples, z_dim, 1, 1)."""
    return generator(
        torch.randn(num_samples, generator.z_dim, device=next(generator.parameters()).device)
        if noise is None
        else noise
    )


@wrong("Q2.5", "sample")
def needs_the_latents(generator, num_samples, noise=None):
    """`noise` may be None, and then it has to be drawn: (num_samples, z_dim, 1, 1) standard normal numbers."""
    return generator(noise)


@wrong("Q2.5", "sample")
def rescales_the_images(generator, num_samples, noise=None):
    """The images are rescaled: return them as the generator makes them."""
    if noise is None:
        noise = torch.randn(num_samples, generator.z_dim, 1, 1, device=next(generator.parameters()).device)
    return (generator(noise) + 1) / 2


# ---------------------------------------------------------------- Q2.6 interpolate


@wrong("Q2.6", "interpolate")
def blends_images(generator, z_1, z_2, n_samples):
    """The two images are blended: interpolate between the latents, and generate from every point."""
    a = torch.linspace(0, 1, n_samples, device=z_1.device).reshape(-1, 1, 1, 1)
    return (1 - a) * generator(z_1) + a * generator(z_2)


@wrong("Q2.6", "interpolate")
def excludes_the_ends(generator, z_1, z_2, n_samples):
    """The ends of the line are left out; z_1 and z_2 are the first and the last point."""
    a = torch.linspace(0, 1, n_samples + 2, device=z_1.device)[1:-1].reshape(-1, 1, 1, 1)
    return generator((1 - a) * z_1 + a * z_2)


@wrong("Q2.6", "interpolate")
def misses_the_second_end(generator, z_1, z_2, n_samples):
    """The steps are 1 / n_samples wide, so that the second end is missed: n_samples points make n_samples - 1 steps."""
    a = (torch.arange(n_samples, device=z_1.device) / n_samples).reshape(-1, 1, 1, 1)
    return generator((1 - a) * z_1 + a * z_2)


@wrong("Q2.6", "interpolate")
def adds_the_difference_backwards(generator, z_1, z_2, n_samples):
    """z_1 + a (z_1 - z_2) leads away from z_2: the difference is taken the wrong way round."""
    a = torch.linspace(0, 1, n_samples, device=z_1.device).reshape(-1, 1, 1, 1)
    return generator(z_1 + a * (z_1 - z_2))


@wrong("Q2.6", "interpolate")
def weights_meet_the_wrong_dimensions(generator, z_1, z_2, n_samples):
    """The weights have the shape (n, 1), which meets the last dimensions of (1, z, 1, 1): they need (n, 1, 1, 1)."""
    a = torch.linspace(0, 1, n_samples, device=z_1.device).reshape(-1, 1)
    return generator((1 - a) * z_1 + a * z_2)


@wrong("Q2.6", "interpolate")
def makes_one_image_too_many(generator, z_1, z_2, n_samples):
    """There are n_samples + 1 points: n_samples are asked for, both ends included."""
    a = torch.linspace(0, 1, n_samples + 1, device=z_1.device).reshape(-1, 1, 1, 1)
    return generator((1 - a) * z_1 + a * z_2)


@wrong("Q2.6", "interpolate")
def adds_the_whole_second_latent(generator, z_1, z_2, n_samples):
    """z_1 + a z_2 goes from z_1 to z_1 + z_2: the weight of z_1 must fall as that of z_2 rises."""
    a = torch.linspace(0, 1, n_samples, device=z_1.device).reshape(-1, 1, 1, 1)
    return generator(z_1 + a * z_2)


@wrong("Q2.6", "interpolate")
def leaves_out_the_first_end(generator, z_1, z_2, n_samples):
    """The first end is missed: the weights are 1/n_samples .. 1, and n_samples points make n_samples - 1 steps."""
    a = (torch.arange(1, n_samples + 1, device=z_1.device) / n_samples).reshape(-1, 1, 1, 1)
    return generator((1 - a) * z_1 + a * z_2)
