"""Digits: 1,797 small handwritten digits that ship with the repository, for work without a network.

The pictures are those of scikit-learn's load_digits, in turn the test part of the UCI data set "Optical
Recognition of Handwritten Digits" (E. Alpaydin, C. Kaynak, 1998; CC BY 4.0): 8 x 8, values 0 to 16. They are
enlarged to 28 x 28 here, so that everything that takes MNIST takes them. They are easier than MNIST: do not
compare losses. The first 1,500 are "train", the last 297 both "valid" and "test", as with MNIST.

`python -m data_loaders.digits` remakes digits.npz (this alone needs scikit-learn).
"""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from data_loaders import pad_or_shrink

SPLITS = ("train", "valid", "test")
FILE = Path(__file__).with_name("digits.npz")
TRAIN = 1500


def load(
    split: str, *, root: str = "data", image_size: int | None = None, download: bool = True
) -> tuple[Tensor, Tensor]:
    """Images (N, 1, 28, 28) in [0, 1] and labels (N,); `root` and `download` are not used."""
    chosen = slice(TRAIN) if split == "train" else slice(TRAIN, None)
    with np.load(FILE) as file:
        images = torch.from_numpy(file["images"][chosen]).unsqueeze(1).to(torch.float32) / 16
        labels = torch.from_numpy(file["labels"][chosen]).to(torch.int64)
    images = F.interpolate(images, size=(28, 28), mode="bilinear", align_corners=False)
    return pad_or_shrink(images, image_size), labels


def make(path: Path = FILE) -> None:
    """Write digits.npz from scikit-learn's copy."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    np.savez_compressed(path, images=digits.images.astype(np.uint8), labels=digits.target.astype(np.uint8))


if __name__ == "__main__":
    make()
