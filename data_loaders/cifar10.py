"""CIFAR10: 50,000 training and 10,000 test images of ten classes, 32 x 32, RGB (A. Krizhevsky, 2009).

Address, checksums and layout are torchvision's, <root>/cifar-10-batches-py: whoever has CIFAR10 from torchvision has
it here. "valid" and "test" are the same 10,000 images.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from data_loaders import DataError
from data_loaders.download import download as fetch

SPLITS = ("train", "valid", "test")
HINT = "or pass --data digits_rgb, a small data set that needs no download"


def load(
    split: str, *, root: str = "data", image_size: int | None = None, download: bool = True
) -> tuple[Tensor, Tensor]:
    """Images (N, 3, 32, 32) in [0, 1] and labels (N,); another image_size averages or interpolates."""
    from torchvision.datasets import CIFAR10

    folder = Path(root)
    try:
        dataset = CIFAR10(folder, train=split == "train", download=False)
    except RuntimeError:  # missing, or a checksum is wrong
        if not download:
            where = folder / CIFAR10.base_folder
            raise DataError(
                f"{where} is missing or damaged: allow the download, give another --data-root, {HINT}."
            ) from None
        # The archive comes through our own download, which resumes; torchvision checks it and unpacks it.
        fetch(CIFAR10.url, folder / CIFAR10.filename, md5=CIFAR10.tgz_md5, hint=HINT)
        dataset = CIFAR10(folder, train=split == "train", download=True)
    images = torch.from_numpy(dataset.data).permute(0, 3, 1, 2).to(torch.float32).div_(255)
    if image_size is not None and image_size != 32:
        mode, options = ("area", {}) if image_size < 32 else ("bilinear", {"align_corners": False})
        images = F.interpolate(images, size=(image_size, image_size), mode=mode, **options)
    return images.contiguous(), torch.tensor(dataset.targets, dtype=torch.int64)
