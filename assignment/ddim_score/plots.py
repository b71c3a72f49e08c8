"""Given: the figures of question 2."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from mixture import Mixture, log_density
from torch import Tensor

import training


def panels(count: int, size: float = 3.6):
    """A figure with `count` square axes in a row, all over the same part of the plane."""
    from matplotlib.figure import Figure  # not pyplot: no global state, no backend to choose

    figure = Figure(figsize=(size * count, size + 0.3), layout="constrained")
    return figure, figure.subplots(1, count, squeeze=False, sharex=True, sharey=True)[0]


def grid(limit: float, n: int) -> Tensor:
    """(n, n, 2): points of a square around the origin."""
    axis = torch.linspace(-limit, limit, n)
    return torch.stack(torch.meshgrid(axis, axis, indexing="xy"), dim=-1)


def contours(axes, mixture: Mixture, limit: float) -> None:
    points = grid(limit, 120)
    density = log_density(points.reshape(-1, 2), mixture).exp().reshape(120, 120)
    levels = (density.max() * torch.tensor([0.05, 0.25, 0.5, 0.75])).tolist()
    axes.contour(points[..., 0], points[..., 1], density, levels=levels, colors="0.6", linewidths=0.8)
    axes.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xlabel="$x_1$", ylabel="$x_2$")


def draw_fields(
    path: Path,
    fields: dict[str, Callable[[Tensor], Tensor]],
    mixture: Mixture,
    limit: float,
    data: Tensor | None = None,
) -> None:
    """Score fields side by side. Arrows show the direction; their length grows with the root of the score's."""
    figure, all_axes = panels(len(fields))
    points = grid(limit, 21)
    for axes, (title, field) in zip(all_axes, fields.items(), strict=True):
        with torch.no_grad():
            score = field(points.reshape(-1, 2)).reshape(points.shape)
        length = score.norm(dim=-1, keepdim=True).clamp(min=1e-12)
        arrow = score / length.sqrt()
        if data is not None:
            axes.scatter(*data[:1500].T, s=1, color="tab:orange", alpha=0.4)
        contours(axes, mixture, limit)
        longest = 1.5 * 2 * limit / 20  # in units of the plane: one and a half spacings of the arrows
        scale = float(arrow.norm(dim=-1).max()) / longest
        style = {"cmap": "viridis_r", "angles": "xy", "scale_units": "xy", "scale": scale, "width": 0.004}
        colours = axes.quiver(*points.unbind(-1), *arrow.unbind(-1), length[..., 0], **style)
        figure.colorbar(colours, ax=axes, shrink=0.8, label="length of the score")
        axes.set_title(title, fontsize=10)
    training.save_figure(figure, path)


def draw_paths(path: Path, walks: dict[str, list[Tensor]], mixture: Mixture, limit: float) -> None:
    """Trajectories side by side: a circle at each start, a cross at each end."""
    figure, all_axes = panels(len(walks))
    for axes, (title, walk) in zip(all_axes, walks.items(), strict=True):
        contours(axes, mixture, limit)
        for line in torch.stack(walk).unbind(dim=1):  # (steps + 1, 2) each
            (drawn,) = axes.plot(*line.T, linewidth=0.6, alpha=0.8)
            axes.plot(*line[0], "o", color=drawn.get_color(), markersize=4)
            axes.plot(*line[-1], "X", color=drawn.get_color(), markeredgecolor="black", markersize=6)
        axes.set_title(title, fontsize=10)
    training.save_figure(figure, path)


def draw_scatters(path: Path, clouds: dict[str, Tensor], mixture: Mixture, limit: float) -> None:
    """Points side by side; below each, the share of points that are nearer to the first mean."""
    figure, all_axes = panels(len(clouds), size=3.2)
    for axes, (title, points) in zip(all_axes, clouds.items(), strict=True):
        axes.scatter(*points.T, s=3, alpha=0.5)
        contours(axes, mixture, limit)
        share = (torch.cdist(points, mixture.means).argmin(dim=1) == 0).float().mean()
        axes.set_title(title, fontsize=10)
        axes.set_xlabel(f"nearer to mean 1: {share:.2f}  (w_1 = {mixture.weights[0]:.2f})", fontsize=9)
    training.save_figure(figure, path)


def draw_losses(path: Path, losses: dict[str, Sequence[float]], window: int = 100) -> None:
    """Losses, averaged over windows of steps."""
    figure, (axes,) = panels(1, size=4.5)
    for name, values in losses.items():
        means = torch.tensor(values)[: len(values) // window * window].reshape(-1, window).mean(dim=1)
        axes.plot(window * torch.arange(1, len(means) + 1), means, label=name)
    axes.set(xlabel="step", ylabel="score matching loss", yscale="log")
    axes.grid(alpha=0.3)
    axes.legend()
    training.save_figure(figure, path)
