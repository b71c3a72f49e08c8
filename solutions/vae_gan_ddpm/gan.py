"""Question 2: the generative adversarial network (GAN; Goodfellow et al. 2014, https://arxiv.org/abs/1406.2661).

You complete this file; train_gan.py and the grader read it. The networks are given, in networks/dcgan.py.

Shapes: N images (N, C, H, W) with values in [-1, 1]; latents (N, z_dim, 1, 1). The discriminator gives logits
(N, 1, 1, 1): D(x) = sigmoid(logit) is the probability that x is real.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn


def make_optimizers(
    discriminator: nn.Module, generator: nn.Module, lr_d: float, lr_g: float
) -> tuple[torch.optim.Optimizer, torch.optim.Optimizer]:
    """Two optimizers, torch.optim.Adam with betas (0.5, 0.999), and no other change of its defaults.

    lr_d, lr_g: the learning rates of the discriminator and of the generator.
    Returns the discriminator's optimizer first, then the generator's. Each holds the parameters of its network only.
    """
    # BEGIN SOLUTION Q2.1: one Adam for each network, with its own learning rate.
    betas = (0.5, 0.999)
    optimizer_d = torch.optim.Adam(discriminator.parameters(), lr=lr_d, betas=betas)
    optimizer_g = torch.optim.Adam(generator.parameters(), lr=lr_g, betas=betas)
    return optimizer_d, optimizer_g
    # END SOLUTION


def make_criterion() -> Callable[[Tensor, Tensor], Tensor]:
    """The loss that the GAN objective needs: PyTorch's binary cross-entropy, for a discriminator that gives logits.

        criterion(l, y) = mean of  - y log sigmoid(l) - (1 - y) log(1 - sigmoid(l))

    Returns a callable, criterion(logits, targets) -> scalar: the mean over all entries of two tensors of one shape.
    The pitfall: there is no sigmoid in the discriminator, and sigmoid followed by log is not exact for large logits.
    """
    # BEGIN SOLUTION Q2.2: which of PyTorch's losses takes logits?
    return nn.BCEWithLogitsLoss()
    # END SOLUTION


def discriminator_train(
    discriminator: nn.Module, generator: nn.Module, criterion: Callable, real_samples: Tensor, fake_samples: Tensor
) -> Tensor:
    """The loss of the discriminator: it wants to call real images real, and fake ones fake.

        loss = - E[ log D(x) ] - E[ log(1 - D(G(z))) ]                    [Goodfellow et al. 2014, eq. (1), negated]

    criterion: the binary cross-entropy of make_criterion, criterion(logits, targets).
    real_samples, fake_samples: (N, C, H, W), x and G(z).
    Returns a scalar: the sum of the two means, or half of it (their mean); both are accepted. No backward() here.
    The pitfall: the targets are tensors of the logits' shape, 1 for real and 0 for fake.
    """
    # BEGIN SOLUTION Q2.3: the criterion for real samples with target 1, and for fake samples with target 0.
    real_logits, fake_logits = discriminator(real_samples), discriminator(fake_samples)
    real_loss = criterion(real_logits, torch.ones_like(real_logits))
    fake_loss = criterion(fake_logits, torch.zeros_like(fake_logits))
    return real_loss + fake_loss
    # END SOLUTION


def generator_train(
    discriminator: nn.Module, generator: nn.Module, criterion: Callable, fake_samples: Tensor
) -> Tensor:
    """The non-saturating loss of the generator: it wants the discriminator to call its images real.

        loss = - E[ log D(G(z)) ]                                         [Goodfellow et al. 2014, sec. 3, end]

    and not E[log(1 - D(G(z)))], whose gradient vanishes where the discriminator is sure that the images are fake.

    criterion: as in discriminator_train.
    fake_samples: (N, C, H, W), G(z): the generator's output as it is, so that gradients can flow back into it.
    Returns a scalar, the mean. No backward() here.
    """
    # BEGIN SOLUTION Q2.4: the criterion for fake samples, with the target that the generator wants.
    logits = discriminator(fake_samples)
    return criterion(logits, torch.ones_like(logits))
    # END SOLUTION


def sample(generator: nn.Module, num_samples: int, noise: Tensor | None = None) -> Tensor:
    """New images G(z), z ~ N(0, I).

    generator: its attribute z_dim is the number of latent dimensions (100 by default).
    num_samples: how many.  noise: the z, (num_samples, z_dim, 1, 1); drawn here, on the generator's device, if None.
    Returns (num_samples, C, H, W).
    """
    # BEGIN SOLUTION Q2.5: draw the latents if none are given; they go through the generator.
    if noise is None:
        noise = torch.randn(num_samples, generator.z_dim, 1, 1, device=next(generator.parameters()).device)
    return generator(noise)
    # END SOLUTION


def interpolate(generator: nn.Module, z_1: Tensor, z_2: Tensor, n_samples: int) -> Tensor:
    """The images along the straight line between two points of the latent space.

        G(z),   z = (1 - a) z_1 + a z_2,   a = 0, 1 / (n_samples - 1), ..., 1

    z_1, z_2: (1, z_dim, 1, 1).  n_samples: number of points, both ends included.
    Returns (n_samples, C, H, W), ordered along the line (from either end).
    """
    # BEGIN SOLUTION Q2.6: n_samples evenly spaced weights, one for each point; mix, generate.
    a = torch.linspace(0.0, 1.0, n_samples, device=z_1.device, dtype=z_1.dtype).reshape(-1, 1, 1, 1)
    return generator((1 - a) * z_1 + a * z_2)
    # END SOLUTION
