"""Drawn sprites: 6,000 little figures of 16 x 16 pixels, RGB, drawn by this file; the same everywhere.

In the place of the sprites where there is no network: the same shapes and as many classes, a white ground, few colours,
symmetric figures, and much easier, so do not compare losses or FIDs. Classes: 0 hero, 1 slime, 2 fruit, 3 potion,
4 ghost. One split, "train".
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

SPLITS = ("train",)
COUNT = 6000
y, x = np.mgrid[0:16, 0:16].astype(np.float64)
off = np.abs(x - 7.5)  # distance from the axis of symmetry: 0.5, 1.5, ..., 7.5
DARK = np.array([0.13, 0.11, 0.18])


def load(
    split: str, *, root: str = "data", image_size: int | None = None, download: bool = True
) -> tuple[Tensor, Tensor]:
    """Images (N, 3, 16, 16), RGB in [0, 1], and labels (N,); `root` and `download` are not used."""
    random = np.random.RandomState(1788)  # its streams are frozen: the same drawings on every machine
    labels = np.arange(COUNT) % len(FIGURES)
    images = np.stack([FIGURES[label](random) for label in labels])  # (N, 16, 16, 3)
    images = torch.from_numpy(images).permute(0, 3, 1, 2).float().contiguous()
    if image_size is not None and image_size != 16:
        images = F.interpolate(images, size=(image_size, image_size), mode="nearest")
    return images, torch.from_numpy(labels)


def colour(random, low: float = 0.15, high: float = 0.95) -> np.ndarray:
    """A saturated colour (3,)."""
    values = random.uniform(low, high, 3)
    values[random.randint(3)] = low
    return values


def paint(image: np.ndarray, where: np.ndarray, tone: np.ndarray) -> None:
    image[where] = tone


def outlined(image: np.ndarray, where: np.ndarray, tone: np.ndarray) -> None:
    """Fill a shape, with a dark line around it."""
    padded = np.pad(where, 1)
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    paint(image, where, DARK)
    paint(image, where & inner, tone)


def eyes(image: np.ndarray, row: int, out: float) -> None:
    paint(image, (y == row) & (off == out), DARK)


def hero(random) -> np.ndarray:
    image, shirt, hair = np.ones((16, 16, 3)), colour(random), colour(random)
    skin = np.array([0.95, 0.78, 0.6]) * random.uniform(0.55, 1)
    width = random.choice([3.5, 4.5])
    outlined(image, (y >= 8) & (y <= 13) & (width >= off), shirt)
    paint(image, (y >= 14) & (off >= 1) & (off <= 2.5), DARK)
    outlined(image, (y >= 1) & (y <= 8) & (off <= 4.5), skin)
    paint(image, (y >= 2) & (y <= random.choice([3, 4])) & (off <= 3.5), hair)
    eyes(image, 6, random.choice([1.5, 2.5]))
    return image


def slime(random) -> np.ndarray:
    image, radius = np.ones((16, 16, 3)), random.uniform(5, 7.5)
    outlined(image, (off**2 + (y - 14) ** 2 <= radius**2) & (y <= 14), colour(random))
    eyes(image, 11, random.choice([1.5, 2.5]))
    if random.rand() < 0.5:
        paint(image, (y == 13) & (off <= 1.5), DARK)
    return image


def fruit(random) -> np.ndarray:
    image, radius = np.ones((16, 16, 3)), random.uniform(4.2, 6)
    outlined(image, off**2 + (y - 9) ** 2 <= radius**2, colour(random))
    paint(image, (y >= 2) & (y <= 9 - radius) & (x == 8), DARK)
    paint(image, (y == 3) & (x >= 9) & (x <= random.choice([10, 11, 12])), np.array([0.2, 0.65, 0.25]))
    paint(image, (y == 7) & (x == 6), np.ones(3))
    return image


def potion(random) -> np.ndarray:
    image, radius, level = np.ones((16, 16, 3)), random.uniform(4.5, 6), random.randint(8, 12)
    flask = (off**2 + (y - 10) ** 2 <= radius**2) | ((y >= 2) & (y <= 8) & (off <= 1.5))
    outlined(image, flask, np.array([0.85, 0.92, 0.97]))
    paint(image, (image == np.array([0.85, 0.92, 0.97])).all(axis=2) & (level <= y), colour(random))
    paint(image, (y == 2) & (off <= 2.5), np.array([0.55, 0.35, 0.2]))
    return image


def ghost(random) -> np.ndarray:
    image, width = np.ones((16, 16, 3)), random.choice([4.5, 5.5])
    body = (off**2 + (y - 7) ** 2 <= (width + 0.6) ** 2) & (y <= 7) | (y > 7) & (y <= 13) & (width >= off)
    body |= (y == 14) & (width >= off) & (off % 2 < 1)
    outlined(image, body, 0.55 + 0.45 * colour(random))
    eyes(image, random.choice([6, 7]), 1.5)
    return image


FIGURES = (hero, slime, fruit, potion, ghost)
