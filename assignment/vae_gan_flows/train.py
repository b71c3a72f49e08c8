"""Given: the experiments of question 3.

    python train.py                                   everything: both launchers, both targets, k = 2, 8, 32
    python train.py --task samples --target arcs      question 3.8, one target
    python train.py --task density                    question 3.9
    python train.py --iterations 2000                 a quick look

Or in a notebook:  launch_experiments_from_samples(data_arcs),  launch_experiments_from_density(density_sine).
Densities, samples and tables go to the folder --out. On a CPU, 20,000 iterations of k = 32 take some minutes.
"""

import dataclasses
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from flow import Flow, arcs, sine
from solution import loss1, loss2
from torch import Tensor

TARGETS = {"arcs": arcs, "sine": sine}


@dataclasses.dataclass(frozen=True)
class Config:
    """The settings; each is an option of the command line."""

    task: str = "both"  # samples (question 3.8), density (question 3.9) or both
    target: str = "both"  # arcs, sine or both
    iterations: int = 20_000  # optimizer steps
    batch_size: int = 128  # points in one step
    lr: float = 5e-4  # RMSprop's learning rate
    invertible: bool = True  # hold every u where its transformation is invertible (see flow.py)
    seed: int = 0  # of the weights and of all points
    out: str = "runs/flows"  # folder for the figures and tables


def launch_experiments_from_samples(
    draw: Callable[[int], Tensor], config: Config | None = None, ks: Sequence[int] = (2, 8, 32), name: str = "data"
) -> dict[int, float]:
    """Question 3.8: fit flows g from the data to N(0, I) to samples draw(n) (n, 2), plot the densities learned.

    A density has the mass 1. In flows not held invertible (config.invertible), exp(-loss1) may have more; it is
    no density then, and its "negative log-likelihood" can fall below the data's entropy, which bounds every true one.

    Returns {k: negative log-likelihood of 20,000 fresh samples, in nats}.
    """
    config, densities, nll = config or Config(), {}, {}
    axis = torch.linspace(-8, 8, 401)
    for k in ks:
        torch.manual_seed(config.seed)
        pool = draw(200_000)
        flow = Flow(2, k, config.invertible)
        loss = lambda flow=flow, pool=pool: likelihood_loss(flow, batch_of(pool, config))  # noqa: E731
        fit(flow, loss, config, f"{name}, k = {k}")
        with torch.inference_mode():
            nll[k] = float(likelihood_loss(flow, draw(20_000)))
            density = (-loss1(*flow(torch.cartesian_prod(axis, axis)))).exp().view(401, 401).T
            mass = float(density.sum()) * float(axis[1] - axis[0]) ** 2
            densities[f"k = {k}: NLL {nll[k]:.3f}, mass {mass:.2f}"] = density[100:301, 100:301]  # [-4, 4]^2
    draw_maps({"data": histogram(draw(200_000)), **densities}, Path(config.out) / f"{name}_densities.png")
    return nll


def launch_experiments_from_density(
    density: Callable[[Tensor], Tensor],
    config: Config | None = None,
    ks: Sequence[int] = (2, 8, 32),
    name: str = "target",
) -> dict[int, float]:
    """Question 3.9: fit flows f from N(0, I) to a density (B, 2) -> (B,), plot the samples that they generate.

    Returns {k: KL(q || p) by 20,000 fresh samples, in nats}.
    """
    config, maps, divergence = config or Config(), {}, {}
    axis = torch.linspace(-4, 4, 200)
    with torch.inference_mode():
        maps["target"] = density(torch.cartesian_prod(axis, axis)).view(200, 200).T
    for k in ks:
        torch.manual_seed(config.seed)
        flow = Flow(2, k, config.invertible)
        loss = lambda flow=flow: divergence_loss(flow, density, torch.randn(config.batch_size, 2))  # noqa: E731
        fit(flow, loss, config, f"{name}, k = {k}")
        with torch.inference_mode():
            divergence[k] = float(divergence_loss(flow, density, torch.randn(20_000, 2)))
            maps[f"k = {k}: KL {divergence[k]:.3f}"] = histogram(flow(torch.randn(200_000, 2))[0])
    draw_maps(maps, Path(config.out) / f"{name}_samples.png")
    return divergence


def likelihood_loss(flow: Flow, data: Tensor) -> Tensor:
    x, logdet = flow(data)
    return loss1(x=x, logdet=logdet).mean()


def divergence_loss(flow: Flow, density: Callable[[Tensor], Tensor], z0: Tensor) -> Tensor:
    z, logdet = flow(z0)
    return loss2(density=density(z), z0=z0, logdet=logdet).mean()


def batch_of(pool: Tensor, config: Config) -> Tensor:
    return pool[torch.randint(len(pool), (config.batch_size,))]


def fit(flow: Flow, loss_of_a_batch: Callable[[], Tensor], config: Config, title: str) -> None:
    """RMSprop on fresh batches."""
    import training

    optimizer = torch.optim.RMSprop(flow.parameters(), lr=config.lr)
    bar = training.progress(range(config.iterations), desc=title)
    with training.one_thread():
        for step in bar:
            loss = loss_of_a_batch()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            if step % 500 == 0:
                bar.set_postfix(loss=f"{loss.item():.3f}", refresh=False)


def histogram(points: Tensor) -> Tensor:
    """The density of points (N, 2) on 100 x 100 cells of [-4, 4]^2."""
    counts = torch.histogramdd(points, bins=[100, 100], range=[-4.0, 4.0, -4.0, 4.0]).hist
    return (counts / len(points) / 0.08**2).T


def draw_maps(maps: dict[str, Tensor], path: Path) -> None:
    """One picture of the plane [-4, 4]^2 for each {title: density (n, n)}, on the scale of the first one."""
    from matplotlib.figure import Figure

    import training

    figure = Figure(figsize=(3.2 * len(maps), 3.4), layout="constrained")
    top = float(next(iter(maps.values())).max())
    for axes, (title, values) in zip(figure.subplots(1, len(maps), squeeze=False)[0], maps.items(), strict=True):
        axes.imshow(values.numpy(), origin="lower", extent=(-4, 4, -4, 4), vmin=0, vmax=top, cmap="viridis")
        axes.set_title(title, fontsize=10)
        axes.tick_params(labelsize=7)
        axes.set(xlabel="$x_1$", ylabel="$x_2$")
    training.save_figure(figure, path)


def main(argv: list[str] | None = None) -> None:
    # The repository's own packages are found from any folder, installed or not.
    sys.path += map(str, Path(__file__).resolve().parents[:3])
    import training

    config = training.parse_config(Config, argv, description="Train the planar flows of question 3.")
    tasks = {
        "samples": lambda target, name: launch_experiments_from_samples(target.sample, config, name=f"data_{name}"),
        "density": lambda target, name: launch_experiments_from_density(target.density, config, name=f"density_{name}"),
    }
    rows = {}
    try:
        for task in tasks if config.task == "both" else [config.task]:
            for name in TARGETS if config.target == "both" else [config.target]:
                rows[f"{task} {name}"] = tasks[task](TARGETS[name], name)
    except KeyError as error:
        sys.exit(f"error: there is no task or target {error}: see --help")
    except NotImplementedError as error:
        sys.exit(f"still to do: {error}")
    Path(config.out, "table.json").write_text(json.dumps({"config": dataclasses.asdict(config), **rows}, indent=1))
    print("samples: negative log-likelihood (bound: the target's entropy); density: KL(q || p) (bound: 0); in nats")
    for row, values in rows.items():
        bound = TARGETS[row.split()[1]].entropy if row.startswith("samples") else 0.0
        print(f"{row:15}", *(f"k = {k}: {value:.3f}  " for k, value in values.items()), f"bound: {bound:.3f}")


if __name__ == "__main__":
    main()
