"""SVHN: 73,257 training and 26,032 test images of house numbers, 32 x 32, RGB (the cropped digits, "format 2").

Addresses and MD5 are those that torchvision publishes; files are found where torchvision leaves them, too. They are
MATLAB files of version 5. `decode_mat` below reads that format as far as it is used here: half a page, while
scipy would be one more package for every student to install. There is no validation set. A digit 0 has the label
10 in the files, and 0 here.
"""

import hashlib
import struct
import zlib
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from data_loaders import DataError
from data_loaders.download import download as fetch

SPLITS = ("train", "test")
HOME = "http://ufldl.stanford.edu/housenumbers/"
MD5 = {"train": "e26dedcc434d2e4c54c9b2d4a06d8373", "test": "eb5a983be6a315427106f1b164d9cef3"}
HINT = "or pass --data digits_rgb, a small data set that needs no download"


def load(
    split: str, *, root: str = "data", image_size: int | None = None, download: bool = True
) -> tuple[Tensor, Tensor]:
    """Images (N, 3, 32, 32), RGB in [0, 1], and labels (N,) 0 .. 9; another image_size shrinks or enlarges them.

    The training set takes 0.9 GB of memory, and 1.5 GB while it is loaded.
    """
    arrays = decode_mat(_content(split, Path(root), download))
    images = np.ascontiguousarray(arrays["X"].transpose(3, 2, 0, 1))  # (H, W, C, N) in the file
    images = torch.from_numpy(images).to(torch.float32).div_(255)
    if image_size is not None and image_size != images.shape[-1]:
        images = F.interpolate(images, size=(image_size, image_size), mode="bilinear", antialias=True)
    return images, torch.from_numpy(arrays["y"].ravel().astype(np.int64) % 10)


def _content(split: str, root: Path, download: bool) -> bytes:
    name = f"{split}_32x32.mat"
    path = root / "SVHN" / name
    for candidate in (path, root / name):  # the second is where torchvision puts it
        if candidate.is_file():
            content = candidate.read_bytes()
            if hashlib.md5(content, usedforsecurity=False).hexdigest() == MD5[split]:
                return content
    if not download:
        state = "damaged" if path.exists() else "missing"
        raise DataError(f"{path} is {state}: allow the download, give another --data-root, {HINT}.")
    return fetch(HOME + name, path, md5=MD5[split], hint=HINT).read_bytes()


# ---------------------------------------------------------------- MATLAB files, version 5

NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
MATRIX, COMPRESSED = 14, 15


def decode_mat(content: bytes) -> dict[str, np.ndarray]:
    """The numeric arrays of a MATLAB file, by name, in the shape that they have in MATLAB.

    "MAT-File Level 5 File Format" (The MathWorks): after a header of 128 bytes comes one element for each variable,
    usually compressed; an element is a tag (its type and size) and data.

    Raises:
        ValueError: if it is no such file.
    """
    order = {b"IM": "<", b"MI": ">"}.get(content[126:128])
    if order is None:
        raise ValueError("this is not a MATLAB file of version 5")
    arrays = {}
    for kind, data in _elements(memoryview(content)[128:], order):
        if kind == COMPRESSED:
            kind, data = next(_elements(memoryview(zlib.decompress(data)), order))
        if kind == MATRIX:
            _, (_, shape), (_, name), (number, values), *_ = _elements(data, order)
            array = np.frombuffer(values, order + NUMBERS[number])
            shape = np.frombuffer(shape, order + "i4")
            arrays[bytes(name).decode()] = array.reshape(shape, order="F")  # MATLAB's first index runs fastest
    return arrays


def _elements(data: memoryview, order: str):
    """(type, data) of each element in turn."""
    position = 0
    while position < len(data):
        kind, size = struct.unpack_from(order + "II", data, position)
        if kind >> 16:  # a small element: its size shares a word with its type, up to four bytes of data follow
            kind, size = kind & 0xFFFF, kind >> 16
            yield kind, data[position + 4 : position + 4 + size]
            position += 8
            continue
        position += 8
        yield kind, data[position : position + size]
        position += size if kind == COMPRESSED else size + -size % 8  # padded to multiples of 8 bytes
