"""Given: the U-Net of the DDPMs of two assignments. It predicts the noise in an image. No exercise needs its inside.

    grid      channels     down                       up
    32 x 32   C            2 x 2 patches to channels  channels to 2 x 2 patches
    16 x 16   width        residual block ----------> residual block
     8 x  8   2 width      residual block ----------> residual block
     4 x  4   2 width              residual block, attention, residual block

Working on 2 x 2 patches makes it four times cheaper, at little cost in quality for images this small. The U-Net of
classifier-free guidance has the same blocks, and is told the class in place of the time (cfg_utils/unet.py).
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ResidualBlock(nn.Module):
    """Two convolutions and a skip connection; the embedding of the condition scales and shifts in between."""

    def __init__(self, in_channels: int, out_channels: int, emb_dim: int):
        super().__init__()
        self.norm1 = nn.GroupNorm(8, in_channels)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.scale_shift = nn.Linear(emb_dim, 2 * out_channels)
        self.norm2 = nn.GroupNorm(8, out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.skip = nn.Conv2d(in_channels, out_channels, 1) if in_channels != out_channels else nn.Identity()
        for parameter in self.conv2.parameters():
            nn.init.zeros_(parameter)  # each block starts as the identity: stable from the first step

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


class UNetBody(nn.Module):
    """The U of the picture above: forward(x (B, C, H, W), emb (B, emb_dim)) -> (B, C, H, W)."""

    def __init__(self, channels: int, width: int, emb_dim: int):
        super().__init__()
        w = width
        self.stem = nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(4 * channels, w, 3, padding=1))
        self.down1 = ResidualBlock(w, w, emb_dim)
        self.half1 = nn.Conv2d(w, w, 3, stride=2, padding=1)
        self.down2 = ResidualBlock(w, 2 * w, emb_dim)
        self.half2 = nn.Conv2d(2 * w, 2 * w, 3, stride=2, padding=1)
        self.middle1 = ResidualBlock(2 * w, 2 * w, emb_dim)
        self.attention = Attention(2 * w)
        self.middle2 = ResidualBlock(2 * w, 2 * w, emb_dim)
        self.up2 = ResidualBlock(4 * w, w, emb_dim)
        self.up1 = ResidualBlock(2 * w, w, emb_dim)
        self.head = nn.Sequential(
            nn.GroupNorm(8, w), nn.SiLU(), nn.Conv2d(w, 4 * channels, 3, padding=1), nn.PixelShuffle(2)
        )
        # The four pixels of a patch are four channels of this convolution. It starts with 0: what is random in them and
        # not the same for all four, is seen in samples as a checkerboard.
        for parameter in self.head[2].parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor, emb: Tensor) -> Tensor:
        h1 = self.down1(self.stem(x), emb)  # (B, w, H/2, W/2)
        h2 = self.down2(self.half1(h1), emb)  # (B, 2w, H/4, W/4)
        h = self.middle1(self.half2(h2), emb)  # (B, 2w, H/8, W/8)
        h = self.middle2(self.attention(h), emb)
        h = self.up2(torch.cat([doubled(h), h2], dim=1), emb)  # (B, w, H/4, W/4)
        h = self.up1(torch.cat([doubled(h), h1], dim=1), emb)  # (B, w, H/2, W/2)
        return self.head(h)


def doubled(h: Tensor) -> Tensor:
    """Each pixel of h (B, C, H, W) four times: (B, C, 2H, 2W). Compiled, faster than F.interpolate by a good deal."""
    B, C, H, W = h.shape
    return h[:, :, :, None, :, None].expand(B, C, H, 2, W, 2).reshape(B, C, 2 * H, 2 * W)


class UNet(nn.Module):
    """eps_theta(x, t): the noise in x (B, C, H, W) at times t (B,), same shape as x."""

    def __init__(self, channels: int = 3, width: int = 64):
        super().__init__()
        emb_dim = 4 * width
        self.width = width
        self.time = nn.Sequential(nn.Linear(width, emb_dim), nn.SiLU(), nn.Linear(emb_dim, emb_dim), nn.SiLU())
        self.body = UNetBody(channels, width, emb_dim)
        # Late in the process x is nearly all noise: then the body has little to add to a multiple of x that depends on
        # the time alone (in float32, whatever the precision of the rest: errors of a thousand steps add up).
        self.noise_share = nn.Parameter(torch.zeros(emb_dim))

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        emb = self.time(self.sinusoids(t))
        share = (emb.float() * self.noise_share).sum(dim=1)[:, None, None, None]  # (B, 1, 1, 1)
        return self.body(x, emb) + share * x

    def sinusoids(self, t: Tensor) -> Tensor:
        """Sines and cosines of t at geometrically spaced frequencies, as for positions in a transformer."""
        half = self.width // 2
        frequency = torch.exp(-math.log(10_000) * torch.arange(half, device=t.device) / half)
        angle = t[:, None].float() * frequency
        return torch.cat([angle.sin(), angle.cos()], dim=1)  # (B, width)
