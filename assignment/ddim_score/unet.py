"""Given: the U-Net of question 1, for 16 x 16 images. It predicts the noise in an image.

    grid      channels     down                       up
    16 x 16   width        residual block ----------> residual block
     8 x  8   2 width      residual block ----------> residual block
     4 x  4   2 width              residual block, attention, residual block

The exercises do not need its inside: model(x, t), with x (B, C, 16, 16) and t the times divided by T.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ResidualBlock(nn.Module):
    """Two convolutions and a skip connection; the embedding of the time scales and shifts in between."""

    def __init__(self, in_channels: int, out_channels: int, emb_dim: int):
        super().__init__()
        self.norm1 = nn.GroupNorm(8, in_channels)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.scale_shift = nn.Linear(emb_dim, 2 * out_channels)
        self.norm2 = nn.GroupNorm(8, out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.skip = nn.Conv2d(in_channels, out_channels, 1) if in_channels != out_channels else nn.Identity()
        nn.init.zeros_(self.conv2.weight)  # each block starts as the identity: stable from the first step
        nn.init.zeros_(self.conv2.bias)

    def forward(self, x: Tensor, emb: Tensor) -> Tensor:
        h = self.conv1(F.silu(self.norm1(x)))
        scale, shift = self.scale_shift(emb)[:, :, None, None].chunk(2, dim=1)  # (B, out_channels, 1, 1) each
        h = self.norm2(h) * (1 + scale) + shift
        return self.skip(x) + self.conv2(F.silu(h))


class Attention(nn.Module):
    """Self-attention between all positions of the grid, with a skip connection."""

    def __init__(self, channels: int, heads: int = 4):
        super().__init__()
        self.heads = heads
        self.norm = nn.GroupNorm(8, channels)
        self.qkv = nn.Conv2d(channels, 3 * channels, 1)
        self.out = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        B, C, H, W = x.shape
        qkv = self.qkv(self.norm(x)).reshape(B, 3, self.heads, C // self.heads, H * W)
        q, k, v = qkv.transpose(-1, -2).unbind(dim=1)  # (B, heads, H W, C / heads) each
        h = F.scaled_dot_product_attention(q, k, v)
        return x + self.out(h.transpose(-1, -2).reshape(B, C, H, W))


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
        h = self.up2(torch.cat([F.interpolate(h, scale_factor=2), h2], dim=1), emb)  # (B, w, H/2, W/2)
        h = self.up1(torch.cat([F.interpolate(h, scale_factor=2), h1], dim=1), emb)  # (B, w, H, W)
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
