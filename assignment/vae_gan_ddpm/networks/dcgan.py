"""Given: the two networks of the GAN, after DCGAN (Radford, Metz and Chintala 2016, https://arxiv.org/abs/1511.06434).

generator       z x 1 x 1 -> 4f x 4 x 4 -> 2f x 8 x 8 -> f x 16 x 16 -> 3 x 32 x 32
discriminator   3 x 32 x 32 -> f x 16 x 16 -> 2f x 8 x 8 -> 4f x 4 x 4 -> 1 x 1 x 1
"""

from torch import Tensor, nn


class Generator(nn.Module):
    """Latents z (N, z_dim, 1, 1) -> images (N, channels, 32, 32) with values in (-1, 1)."""

    def __init__(self, z_dim: int = 100, features: int = 64, channels: int = 3):
        super().__init__()
        self.z_dim = z_dim
        f = features
        self.net = nn.Sequential(
            nn.ConvTranspose2d(z_dim, 4 * f, kernel_size=4, bias=False), nn.BatchNorm2d(4 * f), nn.ReLU(),
            nn.ConvTranspose2d(4 * f, 2 * f, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(2 * f), nn.ReLU(),
            nn.ConvTranspose2d(2 * f, f, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(f), nn.ReLU(),
            nn.ConvTranspose2d(f, channels, 4, stride=2, padding=1), nn.Tanh(),
        )  # fmt: skip
        self.apply(initialize)

    def forward(self, z: Tensor) -> Tensor:
        return self.net(z)


class Discriminator(nn.Module):
    """Images (N, channels, 32, 32) -> logits (N, 1, 1, 1): sigmoid(logit) is the probability that the image is real."""

    def __init__(self, features: int = 64, channels: int = 3):
        super().__init__()
        f = features
        self.net = nn.Sequential(
            nn.Conv2d(channels, f, kernel_size=4, stride=2, padding=1), nn.LeakyReLU(0.2),
            nn.Conv2d(f, 2 * f, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(2 * f), nn.LeakyReLU(0.2),
            nn.Conv2d(2 * f, 4 * f, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(4 * f), nn.LeakyReLU(0.2),
            nn.Conv2d(4 * f, 1, kernel_size=4),
        )  # fmt: skip
        self.apply(initialize)

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


def initialize(module: nn.Module) -> None:
    """DCGAN's initial weights: small, so that neither network wins at the start."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
