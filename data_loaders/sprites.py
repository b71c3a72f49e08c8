"""Sprites: 89,400 drawings of 16 x 16 pixels, RGB, in five classes; the arrays sprites_1788_16x16.npy and
sprite_labels_nc_1788_16x16.npy that a well-known short course on diffusion models distributes.

They have no home of their own on the network that we could vouch for, and we know no published checksum. So a course
names the home, and, if wanted, the checksums:

    course.toml, [data.sprites]    home = the address of the folder that holds both files, such as
                                   "https://example.org/sprites"; sha256 = the checksums of both
    SPRITES_HOME, SPRITES_SHA256   the same as environment variables, the checksums with a comma in between; these win

or whoever has both files puts them into the folder --data-root (or its subfolder "sprites"). In any case their dtype
and shape are checked. There is one split, "train": none is held out.
"""

import os
import tomllib
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from data_loaders import DataError
from data_loaders.download import download as fetch
from data_loaders.download import has_checksum

SPLITS = ("train",)
IMAGES, LABELS = "sprites_1788_16x16.npy", "sprite_labels_nc_1788_16x16.npy"
COURSE = Path(__file__).resolve().parents[1] / "course.toml"  # in this repository, and in what students receive
HINT = "or pass --data drawn_sprites, drawings that come with the repository"


def load(
    split: str, *, root: str = "data", image_size: int | None = None, download: bool = True
) -> tuple[Tensor, Tensor]:
    """Images (N, 3, 16, 16), RGB in [0, 1], and labels (N,) 0 .. 4; another image_size shrinks or enlarges them.

    The file (69 MB) is mapped into memory, not read; as floats the images take 275 MB.
    """
    home, checksums = _place()
    paths = [
        _path(name, Path(root), home, checksum, download)
        for name, checksum in zip((IMAGES, LABELS), checksums or (None, None), strict=True)
    ]
    images, labels = (_mapped(path) for path in paths)
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != (16, 16, 3):
        raise DataError(
            f"{paths[0]} holds {images.dtype} {images.shape}, not uint8 (N, 16, 16, 3): it is another file."
        )
    if len(labels) != len(images) or labels.ndim not in (1, 2):
        raise DataError(f"{paths[1]} has shape {labels.shape}: it does not belong to {len(images)} images.")
    floats = torch.empty(len(images), 3, 16, 16)
    for start in range(0, len(images), 4096):  # piece by piece: the bytes are never all in memory
        piece = torch.from_numpy(np.array(images[start : start + 4096]))
        floats[start : start + 4096] = piece.permute(0, 3, 1, 2).float().div_(255)
    if image_size is not None and image_size != 16:
        floats = F.interpolate(floats, size=(image_size, image_size), mode="nearest")
    numbers = labels.argmax(axis=1) if labels.ndim == 2 else np.asarray(labels)  # one-hot in the published file
    return floats, torch.from_numpy(numbers.astype(np.int64))


def _place() -> tuple[str, list[str]]:
    """The home, "" where none is named, and the checksums, two or none."""
    try:
        place = tomllib.loads(COURSE.read_text(encoding="utf-8")).get("data", {}).get("sprites", {})
    except FileNotFoundError:
        place = {}
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{COURSE} cannot be read: {error}.") from None
    home = os.environ.get("SPRITES_HOME") or place.get("home", "")
    asked = os.environ.get("SPRITES_SHA256")
    checksums = asked.split(",") if asked else place.get("sha256", [])
    checksums = [value.strip() for value in checksums if value.strip()]
    if len(checksums) not in (0, 2):
        name = "SPRITES_SHA256" if asked else "course.toml, [data.sprites] sha256,"
        raise DataError(f"{name} names two checksums: the images', then the labels'.")
    return home.rstrip("/"), checksums


def _path(name: str, root: Path, home: str, checksum: str | None, download: bool) -> Path:
    path = root / "sprites" / name
    for candidate in (path, root / name):
        if candidate.is_file() and has_checksum(candidate, sha256=checksum):
            return candidate
    if home and download:
        return fetch(f"{home}/{name}", path, sha256=checksum, hint=HINT)
    state = "damaged" if path.exists() or (root / name).exists() else "missing"
    ask = "put the file there by hand"
    if not home:
        ask = (
            "and course.toml names no place to get it from: ask your course where the sprites are; then put the file "
            "there, or set SPRITES_HOME to the address of its folder"
        )
    raise DataError(f"{path} is {state}{',' if not home else ':'} {ask}, {HINT}.")


def _mapped(path: Path) -> np.ndarray:
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise DataError(f"{path} is no .npy file ({error}): delete it and get it again, {HINT}.") from error
