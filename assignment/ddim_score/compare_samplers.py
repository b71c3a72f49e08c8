"""Given: DDPM against DDIM, in time and in FID (Q1.6, Q1.7); needs a checkpoint of train_sprites.py.

    python compare_samplers.py --features inception            FID by pytorch-fid (pip install pytorch-fid)
    python compare_samplers.py --features small --count 500    without it: a small extractor, for a quick look

Prints one table (also comparison.md in --run) and draws one plot, comparison.png: quality and time against steps.

FID is the Frechet distance of two Gaussians, fitted to the features of real and of sampled images:

    |mu_1 - mu_2|^2 + tr(C_1 + C_2 - 2 (C_1 C_2)^{1/2})              [Heusel et al. 2017, arXiv:1706.08500, eq. (6)]

It depends on the features and on the number of images: compare only within one run of this script.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import torch
from ddpm_ddim import Schedule, sample_ddim, sample_ddpm
from torch import Tensor, nn
from train_sprites import load_images, make_schedule, run
from unet import UNet

import training


@dataclass(frozen=True)
class Config:
    """The settings; each is an option of the command line."""

    run: str = "runs/sprites"  # folder of the training, with checkpoint.pt
    steps: str = "2 5 10 20 50 100 200"  # steps of DDIM to try; DDPM always takes all T
    timed: int = 50  # images whose sampling is timed
    count: int = 2048  # images for each FID, real and sampled; 10000 where a GPU makes it quick
    batch: int = 256  # images that are sampled at once for the FID
    features: str = "inception"  # inception (of pytorch-fid), or small (comes with this file)
    device: str = "auto"  # auto (the GPU when there is one), cpu, cuda
    seed: int = 0  # of all noise


def compare(config: Config) -> None:
    training.tune_cpu()
    device, folder = training.pick_device(config.device), Path(config.run)
    model, schedule, images = load_run(folder, device)
    extractor = make_extractor(config.features, device)
    chosen = torch.randperm(len(images), generator=torch.Generator().manual_seed(config.seed))[: config.count]
    real = moments(extractor, images[chosen.to(device)].split(config.batch))

    samplers = {("DDPM", len(schedule.ab_t)): lambda shape: sample_ddpm(model, schedule, shape)}
    for n in map(int, config.steps.split()):
        samplers["DDIM", n] = lambda shape, n=n: sample_ddim(model, schedule, shape, n_steps=n)
    rows = []
    for (name, steps), sample in samplers.items():
        torch.manual_seed(config.seed)
        seconds = timed(sample, (config.timed, *images.shape[1:]), device)
        sizes = [len(part) for part in chosen.split(config.batch)]
        batches = (sample((size, *images.shape[1:])).clamp(-1, 1) for size in sizes)
        fid = frechet_distance(*real, *moments(extractor, batches))
        rows.append((name, steps, seconds, fid))
        print(f"{name} {steps:5} steps   {seconds:8.2f} s   FID {fid:9.3f}", flush=True)
    table = as_table(rows, config, device)
    (folder / "comparison.md").write_text(table)
    draw(rows, folder / "comparison.png", config)
    print(f"\n{table}\ntable and plot: {folder}/comparison.md, comparison.png")


def load_run(folder: str | Path, device: torch.device | str = "cpu") -> tuple[UNet, Schedule, Tensor]:
    """The network, the schedule and the training images (N, 3, 16, 16) in [-1, 1] of a run of train_sprites.py.

    Raises:
        training.TrainingError: there is no checkpoint.
    """
    checkpoint = training.load_checkpoint(Path(folder, "checkpoint.pt"), device)
    if checkpoint is None:
        raise training.TrainingError(f"there is no checkpoint in {folder}: run train_sprites.py first, or give --run.")
    trained = SimpleNamespace(**checkpoint["config"])
    images, schedule = load_images(trained, device), make_schedule(trained, device)
    model = UNet(images.shape[1], trained.width).to(device).eval()
    model.load_state_dict(checkpoint["model"])
    return model, schedule, images


def timed(sample: Callable[[tuple], Tensor], shape: tuple, device: torch.device) -> float:
    """Seconds to sample images of this shape; a GPU works in the background, so wait for it."""
    sample((2, *shape[1:])) if device.type == "cuda" else None  # the first call on a GPU loads its kernels
    started = time.perf_counter()
    sample(shape)
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started


# ---------------------------------------------------------------- FID


def make_extractor(name: str, device: torch.device) -> Callable[[Tensor], Tensor]:
    """Images (B, 3, 16, 16) in [-1, 1] -> features (B, F)."""
    if name == "small":
        return small_extractor().to(device)
    if name != "inception":
        raise training.TrainingError(f"there are no features {name!r}: choose inception or small.")
    try:
        from pytorch_fid.inception import InceptionV3
    except ModuleNotFoundError:
        raise training.TrainingError(
            "FID by Inception features needs one more package: pip install pytorch-fid, or pass --features small."
        ) from None
    try:
        network = InceptionV3([InceptionV3.BLOCK_INDEX_BY_DIM[2048]]).to(device).eval()
    except OSError as error:  # also urllib's errors
        raise training.TrainingError(
            f"the Inception weights could not be downloaded ({error}): run again with a network, or pass "
            "--features small."
        ) from error
    return lambda x: network(x / 2 + 0.5)[0].flatten(1)  # it takes [0, 1], and enlarges to its own size


def small_extractor() -> nn.Module:
    """Random convolutions with fixed weights: enough to rank samplers, comparable with nothing else."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1788)
        network = nn.Sequential(
            nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 32, 3, stride=2), nn.ReLU(),
            nn.Conv2d(32, 16, 3, stride=2), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(),
        )  # fmt: skip
        for layer in network[::2][:3]:
            nn.init.kaiming_normal_(layer.weight)  # keeps the features of the images' size
    return network.eval()


@torch.inference_mode()
def moments(extractor: Callable[[Tensor], Tensor], batches) -> tuple[Tensor, Tensor]:
    """Mean (F,) and covariance (F, F) of the features, in float64."""
    features = torch.cat([extractor(x).double().cpu() for x in batches])
    return features.mean(dim=0), torch.cov(features.T)


def frechet_distance(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> float:
    """Of two Gaussians. tr (C_1 C_2)^{1/2} is the sum of the roots of the eigenvalues of C_1^{1/2} C_2 C_1^{1/2}."""
    values, vectors = torch.linalg.eigh(cov1)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    overlap = torch.linalg.eigvalsh(root @ cov2 @ root).clamp(min=0).sqrt().sum()
    return float((mean1 - mean2).square().sum() + cov1.trace() + cov2.trace() - 2 * overlap)


# ---------------------------------------------------------------- the table and the plot


def as_table(rows: list[tuple], config: Config, device: torch.device) -> str:
    lines = [
        f"| sampler | steps | seconds for {config.timed} images ({device.type}) | speed-up | FID ({config.features}) |",
        "| --- | --- | --- | --- | --- |",
    ]
    slowest = rows[0][2]
    lines += [f"| {name} | {steps} | {s:.2f} | {slowest / s:.1f} | {fid:.3f} |" for name, steps, s, fid in rows]
    return "\n".join([*lines, "", f"FID of {config.count} samples against as many training images.", ""])


def draw(rows: list[tuple], path: Path, config: Config) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    quality, speed = figure.subplots(1, 2)
    for name, marker in (("DDIM", "o-"), ("DDPM", "s")):
        chosen = [row for row in rows if row[0] == name]
        steps = [row[1] for row in chosen]
        quality.plot(steps, [row[3] for row in chosen], marker, label=name)
        speed.plot(steps, [row[2] for row in chosen], marker, label=name)
    quality.set(xscale="log", yscale="log", xlabel="steps", ylabel=f"FID ({config.features})")
    speed.set(xscale="log", yscale="log", xlabel="steps", ylabel=f"seconds for {config.timed} images")
    for axes in (quality, speed):
        axes.grid(alpha=0.3, which="both")
        axes.legend()
    training.save_figure(figure, path)


if __name__ == "__main__":
    run(compare, Config, __doc__.splitlines()[0])
