"""Given: the U-Net of question 1, for 16 x 16 images. It predicts the noise in an image.

    grid      channels     down                       up
    16 x 16   width        residual block ----------> residual block
     8 x  8   2 width      residual block ----------> residual block
     4 x  4   2 width              residual block, attention, residual block

Its blocks are those of the other assignments (training/unet.py). The exercises do not need its inside:
model(x, t), with x (B, C, 16, 16) and t the times divided by T.
"""

import math

import torch
from torch import Tensor, nn

from training.unet import Attention, ResidualBlock, doubled


class UNet(nn.Module):
    """eps_theta(x, t): the noise in x (B, C, H, W); H and W are multiples of 4.

    t: times divided by T, numbers in [0, 1]: (B,), or in any shape with B entries, or one number for all images.
    width: channels of the first level, a multiple of 8; 32 for a run on a CPU.
    """

    def __init__(self, channels: int = 3, width: int = 64):
        super().__init__()
        w, emb_dim = width, 4 * width
        self.width = width
        self.time = nn.Sequential(nn.Linear(w, emb_dim), nn.SiLU(), nn.Linear(emb_dim, emb_dim), nn.SiLU())
        self.stem = nn.Conv2d(channels, w, 3, padding=1)
        self.down1 = ResidualBlock(w, w, emb_dim)
        self.half1 = nn.Conv2d(w, w, 3, stride=2, padding=1)
        self.down2 = ResidualBlock(w, 2 * w, emb_dim)
        self.half2 = nn.Conv2d(2 * w, 2 * w, 3, stride=2, padding=1)
        self.middle1 = ResidualBlock(2 * w, 2 * w, emb_dim)
        self.attention = Attention(2 * w)
        self.middle2 = ResidualBlock(2 * w, 2 * w, emb_dim)
        self.up2 = ResidualBlock(4 * w, w, emb_dim)
        self.up1 = ResidualBlock(2 * w, w, emb_dim)
        self.head = nn.Sequential(nn.GroupNorm(8, w), nn.SiLU(), nn.Conv2d(w, channels, 3, padding=1))

    def forward(self, x: Tensor, t: Tensor | float) -> Tensor:
        t = torch.as_tensor(t, dtype=torch.float32, device=x.device).reshape(-1).expand(len(x))
        emb = self.time(self.sinusoids(t))
        h1 = self.down1(self.stem(x), emb)  # (B, w, H, W)
        h2 = self.down2(self.half1(h1), emb)  # (B, 2w, H/2, W/2)
        h = self.middle1(self.half2(h2), emb)  # (B, 2w, H/4, W/4)
        h = self.middle2(self.attention(h), emb)
        h = self.up2(torch.cat([doubled(h), h2], dim=1), emb)  # (B, w, H/2, W/2)
        h = self.up1(torch.cat([doubled(h), h1], dim=1), emb)  # (B, w, H, W)
        # Late in the process x is nearly all noise: then the network only corrects eps = x. (image_part is close to the
        # schedule's sqrt(alpha_bar). DDIM divides errors by it, so they must be small there: Salimans and Ho 2022.)
        image_part = torch.exp(-5 * t**2).reshape(-1, 1, 1, 1)
        return (1 - image_part**2).sqrt() * x + image_part * self.head(h)

    def sinusoids(self, t: Tensor) -> Tensor:
        """Sines and cosines of 1000 t at geometrically spaced frequencies, as for positions in a transformer."""
        half = self.width // 2
        frequency = torch.exp(-math.log(10_000) * torch.arange(half, device=t.device) / half)
        angle = 1000 * t[:, None] * frequency
        return torch.cat([angle.sin(), angle.cos()], dim=1)  # (B, width)
