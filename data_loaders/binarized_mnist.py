"""Binarized MNIST: MNIST with every pixel drawn once as 0 or 1, with the grey value as its probability.

The fixed binarization of H. Larochelle and I. Murray (2011; sampled by R. Salakhutdinov), on which log-likelihoods are
compared: 50,000 training, 10,000 validation and 10,000 test images. It is published as text, a line of 784 zeros
and ones for an image. The text is parsed once and kept beside it as bits, <root>/binarized_mnist/*.npz
(98 bytes an image): once the .npz is there, the text is not needed any more. A read-only folder will do, with the text
(.amat, or .amat.gz) in it; it is then parsed at every start, which takes a second.

There are no labels: they are all 0.
"""

import gzip
import os
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from data_loaders import DataError, pad_or_shrink
from data_loaders.download import download as fetch

SPLITS = ("train", "valid", "test")
IMAGES = {"train": 50_000, "valid": 10_000, "test": 10_000}
PIXELS = 28 * 28
HOME = "http://www.cs.toronto.edu/~larocheh/public/datasets/binarized_mnist/"
HINT = "or pass --data digits, a small data set that needs no download"


def load(
    split: str, *, root: str = "data", image_size: int | None = None, download: bool = True
) -> tuple[Tensor, Tensor]:
    """Images (N, 1, 28, 28) of zeros and ones, and labels (N,), all 0; image_size=32 adds a border of 2."""
    text = Path(root) / "binarized_mnist" / f"binarized_mnist_{split}.amat"
    cache = text.with_suffix(".npz")
    bits = _cached(cache, IMAGES[split])
    if bits is None:
        bits = np.packbits(_parsed(text, IMAGES[split], download), axis=1)
        with suppress(OSError):  # a shared folder may be read-only
            _write(cache, bits)
    images = np.unpackbits(bits, axis=1, count=PIXELS).reshape(-1, 1, 28, 28)
    images = torch.from_numpy(images).to(torch.float32)
    return pad_or_shrink(images, image_size), torch.zeros(len(images), dtype=torch.int64)


def parse_amat(content: bytes, images: int) -> np.ndarray:
    """Zeros and ones (images, 784), from text with as many, whatever stands between them.

    Raises:
        ValueError: there are more or fewer, or something else.
    """
    digits = np.frombuffer(content.translate(None, b" \t\r\n"), np.uint8) - ord("0")
    if digits.size and digits.max() > 1:
        raise ValueError("it holds something else than zeros and ones")
    if digits.size != images * PIXELS:
        raise ValueError(f"it holds {digits.size:,} numbers, not {images:,} x {PIXELS}")
    return digits.reshape(images, PIXELS)


def _parsed(text: Path, images: int, download: bool) -> np.ndarray:
    """The content of the text file, of its archive, or of a fresh download."""
    # Upstream publishes no checksum. The size and the kind of all characters are checked instead.
    problem = "missing"
    for candidate in (text, text.with_name(text.name + ".gz")):
        if candidate.is_file():
            try:
                content = candidate.read_bytes()
                return parse_amat(gzip.decompress(content) if candidate.suffix == ".gz" else content, images)
            except (ValueError, OSError, EOFError, zlib.error) as error:
                problem = f"damaged ({error})"
    if not download:
        raise DataError(f"{text} is {problem}: allow the download, give another --data-root, {HINT}.")
    if text.is_file():
        with suppress(OSError):
            text.unlink()  # without a checksum, the download would take the damaged file for whole
    path = fetch(HOME + text.name, text, hint=HINT)
    try:
        return parse_amat(path.read_bytes(), images)
    except ValueError as error:
        raise DataError(f"{path}, just downloaded, is damaged ({error}): delete it and try again, {HINT}.") from error


def _cached(cache: Path, images: int) -> np.ndarray | None:
    """The packed bits (images, 98), when there is an intact cache (a .npz carries checksums of its own)."""
    with suppress(OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error), np.load(cache) as file:
        bits = file["bits"]
        if bits.dtype == np.uint8 and bits.shape == (images, PIXELS // 8):
            return bits
    return None


def _write(cache: Path, bits: np.ndarray) -> None:
    part = cache.with_name(f"{cache.name}.{os.getpid()}.tmp.npz")
    try:
        np.savez_compressed(part, bits=bits)
        os.replace(part, cache)
    finally:
        part.unlink(missing_ok=True)
