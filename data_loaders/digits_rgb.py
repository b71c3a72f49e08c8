"""Coloured digits: those of data_loaders/digits.py, bright on dark or dark on bright, in colours, 32 x 32.

In the place of SVHN where there is no network: the same shapes, a thousandth of the work, and much easier, so do
not compare losses. Colours follow from an image's number alone, so the data are the same everywhere. The splits are
those of the digits: 1,500 for "train", 297 for both "valid" and "test".
"""

import torch
from torch import Tensor

from data_loaders import digits

SPLITS = digits.SPLITS


def load(
    split: str, *, root: str = "data", image_size: int | None = None, download: bool = True
) -> tuple[Tensor, Tensor]:
    """Images (N, 3, 32, 32), RGB in [0, 1], and labels (N,); `root` and `download` are not used."""
    ink, labels = digits.load(split, image_size=image_size or 32)  # (N, 1, S, S): 0 is background, 1 is digit
    number = torch.arange(len(labels)) + (0 if split == "train" else digits.TRAIN)
    # Multiples of an irrational number, modulo 1, spread evenly over the hues.
    hue = number * 0.618034
    dark, bright = 0.3 * tint(hue), 0.55 + 0.45 * tint(hue + 0.5 + 0.2 * (number * 0.414214).cos())
    swap = (number // 2 % 2 == 0).reshape(-1, 1, 1, 1)  # every other pair of images has dark digits
    digit, ground = torch.where(swap, dark, bright), torch.where(swap, bright, dark)
    return ground + (digit - ground) * ink, labels


def tint(hue: Tensor) -> Tensor:
    """Hues (N,), of period 1, as saturated colours (N, 3, 1, 1) in [0, 1]."""
    phase = hue.unsqueeze(1) + torch.tensor([0.0, 1 / 3, 2 / 3])
    return (0.5 + 0.5 * torch.cos(2 * torch.pi * phase)).reshape(-1, 3, 1, 1)
