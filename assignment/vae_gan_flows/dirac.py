"""Given: the Dirac experiments of question 2.8. The smallest GAN there is, and pictures of how it moves.

The data are one point, the target 0. The generator's samples are one point theta, the critic is C(x) = psi x. So the
state of the game is a point (theta, psi) in the plane, and (0, 0) is its only equilibrium (Mescheder et al., 2018).
"""

import copy
import itertools
import math
from pathlib import Path

import torch
from gan import make_losses, make_train_step
from torch import Tensor, nn

TARGET = 0.0


class DiracGenerator(nn.Module):
    """Every sample is the point theta; `generator()` is a batch (1, 1)."""

    def __init__(self, theta: float):
        super().__init__()
        self.theta = nn.Parameter(torch.tensor([[theta]]))

    def forward(self) -> Tensor:
        return self.theta * 1  # a batch of its own, not the parameter itself


class DiracCritic(nn.Module):
    """C(x) = psi x."""

    def __init__(self, psi: float):
        super().__init__()
        self.psi = nn.Parameter(torch.tensor([[psi]]))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.psi


def play(config, seed: int, iterations: int | None = None) -> Tensor:
    """Train as a configuration of run_exp.py says, from a point of the unit circle that the seed chooses.

    Returns (iterations + 1, 3): theta, psi and the moving average of theta (theta itself without one), start first.
    """
    torch.manual_seed(seed)
    angle = 2 * math.pi * torch.rand(()).item()
    generator, critic = DiracGenerator(math.cos(angle)), DiracCritic(math.sin(angle))
    test_generator = copy.deepcopy(generator) if config.alpha_ema is not None else generator
    critic_optim = torch.optim.SGD(critic.parameters(), lr=config.lr_critic, weight_decay=config.critic_weight_decay)
    generator_optim = torch.optim.SGD(generator.parameters(), lr=config.lr_generator)
    train_step = make_train_step(
        config.loss_type, config.critic_inner_iters, config.reg_type, config.reg_cf, config.alpha_ema
    )
    data = itertools.repeat(torch.full((1, 1), TARGET))
    path = torch.empty(config.iterations + 1 if iterations is None else iterations + 1, 3)
    for step in range(len(path)):
        if step:
            train_step(data, critic, critic_optim, generator, test_generator, generator_optim)
        path[step] = torch.stack([generator.theta, critic.psi, test_generator.theta]).detach().flatten()
    return path


def vector_field(config, theta: Tensor, psi: Tensor) -> tuple[Tensor, Tensor]:
    """Where gradient descent of both sides pulls at points (theta, psi): minus each one's gradient, same shapes."""
    metric, critic_loss = make_losses(config.loss_type, config.reg_type, config.reg_cf)
    p, pull = torch.full((1, 1), TARGET), torch.empty(2, theta.numel())
    for number, point in enumerate(zip(theta.flatten().tolist(), psi.flatten().tolist(), strict=True)):
        generator, critic = DiracGenerator(point[0]), DiracCritic(point[1])
        (pull[0, number],) = torch.autograd.grad(metric(p, generator(), critic), generator.theta)
        (pull[1, number],) = torch.autograd.grad(critic_loss(p, generator().detach(), critic), critic.psi)
    return -pull[0].view_as(theta), -pull[1].view_as(psi)


def title_of(config) -> str:
    penalty = f"{config.reg_type} {config.reg_cf:g}" if config.reg_type else "no penalty"
    return f"{config.loss_type}, {penalty}" + (", EMA" if config.alpha_ema is not None else "")


def draw_trajectories(paths: dict, path: str | Path) -> None:
    """theta, psi and the average against the iteration: a panel for each {config: trajectory}, five in a row."""
    import training

    figure, axes = _panels(len(paths), width=3.2, height=2.0)
    for panel, (config, trajectory) in zip(axes, paths.items(), strict=False):
        panel.axhline(0, color="0.6", linewidth=0.8)
        panel.plot(trajectory[:, 1], color="tab:orange", linewidth=0.6, label=r"$\psi$ (critic)")
        panel.plot(trajectory[:, 0], color="tab:blue", linewidth=0.6, label=r"$\theta$ (generator)")
        if config.alpha_ema is not None:
            panel.plot(trajectory[:, 2], color="black", linewidth=1.4, label=r"moving average of $\theta$")
        panel.set_title(title_of(config), fontsize=9)
        panel.set_xlabel("iteration", fontsize=8)
        panel.tick_params(labelsize=7)
    handles = {}
    for panel in axes:
        handles |= {line.get_label(): line for line in panel.get_lines() if not line.get_label().startswith("_")}
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=3)
    training.save_figure(figure, path)


def draw_phase_portraits(paths: dict, path: str | Path) -> None:
    """The trajectory in the plane of theta and psi, on the vector field that it follows: a panel for each."""
    import training

    figure, axes = _panels(len(paths), width=3.0, height=3.0)
    for panel, (config, trajectory) in zip(axes, paths.items(), strict=False):
        reach = 1.15 * float(trajectory[:, :2].abs().max().clamp(min=0.5))
        grid = torch.linspace(-reach, reach, 17)
        psi, theta = torch.meshgrid(grid, grid, indexing="ij")
        panel.streamplot(
            grid.numpy(), grid.numpy(), *(v.numpy() for v in vector_field(config, theta, psi)),
            color="0.75", linewidth=0.7, arrowsize=0.7, density=0.9,
        )  # fmt: skip
        panel.plot(trajectory[:, 0], trajectory[:, 1], color="tab:blue", linewidth=0.5, alpha=0.7)
        panel.plot(*trajectory[0, :2], "o", color="tab:green", markersize=5)
        panel.plot(*trajectory[-1, :2], "s", color="tab:red", markersize=5)
        panel.plot(TARGET, 0, "k+", markersize=9)
        panel.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
        panel.set_xlabel(r"$\theta$", fontsize=8)
        panel.set_ylabel(r"$\psi$", fontsize=8)
        panel.set_title(title_of(config), fontsize=9)
        panel.tick_params(labelsize=7)
    figure.suptitle("green: start, red: end, +: equilibrium", fontsize=9)
    training.save_figure(figure, path)


def _panels(count: int, width: float, height: float):
    """A figure with `count` axes, five in a row."""
    from matplotlib.figure import Figure

    columns = min(5, count)
    rows = -(-count // columns)
    figure = Figure(figsize=(width * columns, height * rows + 0.5), layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for panel in axes[count:]:
        panel.set_visible(False)
    return figure, axes
