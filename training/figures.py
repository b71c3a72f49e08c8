"""The report's figures as PNG files. No window opens, and matplotlib is imported only when one is drawn."""

from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor


def save_grid(
    images: Tensor,
    path: str | Path,
    columns: int,
    title: str | None = None,
    row_labels: Sequence[str] | None = None,
    column_labels: Sequence[str] | None = None,
) -> Path:
    """Save images (N, C, H, W) in [0, 1], row by row, `columns` in a row; C is 1 (grey) or 3 (RGB)."""
    images = images.detach().to("cpu", torch.float32).clamp(0, 1)
    n, channels, height, width = images.shape
    rows = -(-n // columns)
    gap = max(1, width // 14)
    # All images become one picture: many times faster than an axes for each.
    tiles = images.new_ones(rows * columns, channels, height, width)
    tiles[:n] = images
    tiles = F.pad(tiles, (0, gap, 0, gap), value=1.0).unflatten(0, (rows, columns))
    mosaic = tiles.permute(0, 3, 1, 4, 2).reshape(rows * (height + gap), columns * (width + gap), channels)
    mosaic = mosaic[:-gap, :-gap]

    inches = min(0.7, 12 / columns)
    figure = _figure(columns * inches + 1.2, rows * inches * height / width + 0.8)
    axes = figure.subplots()
    axes.imshow(mosaic.expand(-1, -1, 3).numpy(), interpolation="nearest")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, labelsize=8)
    axes.xaxis.tick_top()
    centre = lambda count, size: [(size + gap) * i + size / 2 - 0.5 for i in range(count)]  # noqa: E731
    axes.set_xticks(centre(columns, width) if column_labels else [], column_labels or [])
    axes.set_yticks(centre(rows, height) if row_labels else [], row_labels or [])
    if title:
        axes.set_title(title, fontsize=10)
    return save_figure(figure, path)


def save_curves(
    history: dict[str, list[float]],
    path: str | Path,
    xlabel: str = "epoch",
    ylabel: str = "loss",
    title: str | None = None,
) -> Path:
    """Save one curve per entry of `history`, against 1, 2, 3, ..."""
    figure = _figure(6.0, 4.0)
    axes = figure.subplots()
    for name, values in history.items():
        axes.plot(range(1, len(values) + 1), values, marker=".", label=name)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.grid(alpha=0.3)
    if history:
        axes.legend()
    if title:
        axes.set_title(title, fontsize=10)
    return save_figure(figure, path)


def _figure(width: float, height: float):
    from matplotlib.figure import Figure  # not pyplot: no global state, no backend to choose

    return Figure(figsize=(width, height), layout="constrained")


def save_figure(figure, path: str | Path) -> Path:
    """Save a matplotlib figure as PNG. In a folder runs/smoke-... it says that nothing was learned here."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if any(part.startswith("smoke-") for part in path.parts):
        figure.text(0.5, 0, "smoke run: tiny settings, only to see that it runs", ha="center", va="top", fontsize=8)
    figure.savefig(path, dpi=120, bbox_inches="tight")
    return path
