"""Given: the networks of question 2.9 (images). A DCGAN without batch statistics that outlive a batch."""

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm


class Generator(nn.Module):
    """Draws images (B, 3, 32, 32) in [-1, 1] from z ~ N(0, I): `generator()` is a batch, as many as `batch_size`."""

    def __init__(self, z_dim: int = 100, width: int = 128, batch_size: int = 64):
        super().__init__()
        self.z_dim, self.batch_size = z_dim, batch_size

        def up(inputs: int, outputs: int) -> list[nn.Module]:
            # Without running statistics a batch is always normalized by itself. So the moving average of the parameters
            # is the whole model: there are no buffers that would have to be averaged too.
            norm = nn.BatchNorm2d(outputs, track_running_stats=False)
            return [nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=False), norm, nn.ReLU()]

        self.net = nn.Sequential(
            nn.Linear(z_dim, 4 * width * 16), nn.Unflatten(1, (4 * width, 4, 4)), nn.ReLU(),
            *up(4 * width, 2 * width),  # 4 x 4 -> 8 x 8
            *up(2 * width, width),  # -> 16 x 16
            nn.ConvTranspose2d(width, 3, 4, stride=2, padding=1), nn.Tanh(),  # -> 32 x 32
        )  # fmt: skip

    def forward(self, n: int | None = None, z: Tensor | None = None) -> Tensor:
        """n images (default: batch_size), or those of given z (n, z_dim)."""
        if z is None:
            z = torch.randn(n or self.batch_size, self.z_dim, device=self.net[0].weight.device)
        return self.net(z)


class Critic(nn.Module):
    """Maps images (B, 3, 32, 32) to one number each, (B, 1); optionally with spectral normalization in each layer.

    Spectral normalization divides each weight by its largest singular value, so that each layer, and with it the whole
    critic, is about 1-Lipschitz (Miyato et al., ICLR 2018).
    """

    def __init__(self, width: int = 128, with_spectral_norm: bool = False):
        super().__init__()
        norm = spectral_norm if with_spectral_norm else lambda layer: layer
        layers: list[nn.Module] = []
        for inputs, outputs in ((3, width), (width, 2 * width), (2 * width, 4 * width)):
            layers += [norm(nn.Conv2d(inputs, outputs, 4, stride=2, padding=1)), nn.LeakyReLU(0.2)]
        self.net = nn.Sequential(*layers, nn.Flatten(), norm(nn.Linear(4 * width * 16, 1)))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)
