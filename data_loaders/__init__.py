"""The data sets, behind one interface: `data_loaders.load(name, split, ...)`.

Given code: read by students, changed by instructors who add a data set. A data set is one module with

    SPLITS = (...)
    load(split, *, root, image_size, download) -> images (N, C, H, W) float32 in [0, 1], labels (N,) int64

and one line in LOADERS. The tensors stay in memory, on the GPU when there is one, and are served by
index: decoding images one at a time costs more than training a small model on them.
"""

import importlib
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

LOADERS = {  # name: the module that loads it, imported when it is asked for
    "mnist": "data_loaders.mnist",
    "digits": "data_loaders.digits",
    "binarized_mnist": "data_loaders.binarized_mnist",
    "cifar10": "data_loaders.cifar10",
    "svhn": "data_loaders.svhn",
    "digits_rgb": "data_loaders.digits_rgb",
    "sprites": "data_loaders.sprites",
    "drawn_sprites": "data_loaders.drawn_sprites",
}


class DataError(RuntimeError):
    """The data cannot be had; the message says why, and the next step, in a sentence meant for the user."""


def load(
    name: str,
    split: str = "train",
    *,
    root: str = "data",
    image_size: int | None = None,
    device: torch.device | str = "cpu",
    download: bool = True,
) -> "ResidentDataset":
    """Load one split of a data set into memory.

    Args:
        name: a key of LOADERS. "digits" ships with the repository and needs neither network nor `root`.
        split: "train", "valid" or "test"; what each of them is stands in the data set's module.
        root: the folder that downloads go to and are read from (read only, when the files are there).
        image_size: height and width of the images; None keeps the data set's own.
        device: where the tensors live.
        download: fetch missing files from the data set's home. False: missing files are an error.

    Raises:
        DataError: unknown name or split, or files that are missing, damaged or out of reach.
    """
    if name not in LOADERS:
        raise DataError(f"there is no data set {name!r}: choose one of {', '.join(LOADERS)}.")
    module = importlib.import_module(LOADERS[name])
    if split not in module.SPLITS:
        raise DataError(f"{name} has no split {split!r}: choose one of {', '.join(module.SPLITS)}.")
    images, labels = module.load(split, root=root, image_size=image_size, download=download)
    return ResidentDataset(images, labels).to(device)


class ResidentDataset:
    """Images (N, C, H, W) float32 in [0, 1] and labels (N,) int64, resident on one device."""

    def __init__(self, images: Tensor, labels: Tensor):
        if len(images) != len(labels):
            raise ValueError(f"{len(images)} images but {len(labels)} labels")
        self.images, self.labels = images, labels

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index) -> tuple[Tensor, Tensor]:
        return self.images[index], self.labels[index]

    def to(self, device: torch.device | str) -> "ResidentDataset":
        return ResidentDataset(self.images.to(device), self.labels.to(device))

    def batches(
        self,
        batch_size: int,
        shuffle: bool = False,
        generator: torch.Generator | None = None,
        drop_last: bool = False,
    ) -> "Batches":
        """Batches of (images, labels), to be iterated as often as wanted, like a DataLoader.

        Args:
            shuffle: draw a new permutation in each pass, from `generator` (on the CPU; None: torch's own).
            drop_last: leave out the last batch when it is smaller than the others.
        """
        return Batches(self, batch_size, shuffle, generator, drop_last)


class Batches:
    """What ResidentDataset.batches returns; its length is the number of batches in one pass."""

    def __init__(self, dataset: ResidentDataset, batch_size: int, shuffle: bool, generator, drop_last: bool):
        if batch_size < 1:
            raise DataError(f"the batch size is {batch_size}: it must be at least 1.")
        self.dataset, self.batch_size = dataset, batch_size
        self.shuffle, self.generator, self.drop_last = shuffle, generator, drop_last

    def __len__(self) -> int:
        full, rest = divmod(len(self.dataset), self.batch_size)
        return full + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        order = None
        if self.shuffle:  # drawn on the CPU: the same order on every device
            order = torch.randperm(len(self.dataset), generator=self.generator).to(self.dataset.images.device)
        for number in range(len(self)):
            chosen = slice(number * self.batch_size, (number + 1) * self.batch_size)
            yield self.dataset[chosen if order is None else order[chosen]]


def pad_or_shrink(images: Tensor, image_size: int | None) -> Tensor:
    """Bring square images on a black ground, (N, C, S, S), to `image_size`: a black border, or averaging."""
    size = images.shape[-1]
    if image_size is None or image_size == size:
        return images
    if image_size < 1:
        raise DataError(f"the image size is {image_size}: it must be at least 1.")
    if image_size < size:
        return F.interpolate(images, size=(image_size, image_size), mode="area")
    before = (image_size - size) // 2
    after = image_size - size - before
    return F.pad(images, (before, after, before, after))
