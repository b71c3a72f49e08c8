"""MNIST: 60,000 training and 10,000 test images of handwritten digits, 28 x 28, grey.

Addresses and archives' MD5 are torchvision's, and so is the layout, <root>/MNIST/raw/*.gz: whoever has
MNIST from torchvision has it here. The files are decoded in memory, so a shared, read-only root will do.

MNIST has no validation set of its own. The assignments call its test set the validation set, as the classes
did that they come from: "valid" and "test" are the same 10,000 images.
"""

import gzip
import hashlib
import struct
import zlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from data_loaders import DataError, pad_or_shrink
from data_loaders.download import download as fetch

SPLITS = ("train", "valid", "test")
HINT = "or pass --data digits, a small data set that needs no download"
CONTENT_MD5 = {  # of the decompressed files: an archive that was packed again has the same content
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}


def load(
    split: str, *, root: str = "data", image_size: int | None = None, download: bool = True
) -> tuple[Tensor, Tensor]:
    """Images (N, 1, 28, 28), grey values in [0, 1], and labels (N,); image_size=32 adds a border of 2."""
    from torchvision.datasets import MNIST  # its table of (file name, MD5) and its mirrors

    folder, prefix = Path(root) / "MNIST" / "raw", "train" if split == "train" else "t10k"
    images, labels = (
        _array(folder / name, md5, [mirror + name for mirror in MNIST.mirrors], download)
        for name, md5 in MNIST.resources
        if name.startswith(prefix)
    )
    images = torch.from_numpy(images).unsqueeze(1).to(torch.float32).div_(255)
    return pad_or_shrink(images, image_size), torch.from_numpy(labels).to(torch.int64)


def _array(path: Path, md5: str, urls: list[str], download: bool) -> np.ndarray:
    """What is in the archive `path`, or in the decompressed file beside it, or in a fresh download."""
    for candidate in (path, path.with_suffix("")):
        content = _intact(candidate, md5)
        if content is not None:
            return decode_idx(content)
    if not download:
        state = "damaged" if path.exists() else "missing"
        raise DataError(f"{path} is {state}: allow the download, give another --data-root, {HINT}.")
    return decode_idx(_intact(fetch(urls, path, md5=md5, hint=HINT), md5))


def _intact(path: Path, md5: str) -> bytes | None:
    """The file's decompressed content, if there is such a file and its checksum is right."""
    if not path.is_file():
        return None
    content = path.read_bytes()
    as_published = _md5(content) == md5
    if path.suffix == ".gz":
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error):
            return None
    if as_published or _md5(content) == CONTENT_MD5[path.name.removesuffix(".gz")]:
        return content
    return None


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def decode_idx(content: bytes) -> np.ndarray:
    """Decode the IDX format, of bytes: two zero bytes, type 8, rank, the sizes (big-endian), the values."""
    zeros, dtype, rank = struct.unpack_from(">HBB", content)
    if (zeros, dtype) != (0, 8):
        raise ValueError("this is not an IDX file of bytes")
    shape = struct.unpack_from(f">{rank}I", content, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape).copy()
