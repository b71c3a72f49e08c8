"""Given: what the three training scripts share. The loop over epochs, checkpoints, errors in one sentence.

`config` is a script's own Config: its settings, each an option of the command line.
"""

import contextlib
import itertools
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

sys.path += map(str, Path(__file__).resolve().parents[:3])  # data_loaders and training: found without installation

import data_loaders
import training


def load_images(config: Any, split: str, device: torch.device) -> Tensor:
    """All images of a split, (N, 3, 32, 32), with values in [-1, 1]."""
    data = data_loaders.load(config.data, split, root=config.data_root, device=device)
    return data.images.mul_(2).sub_(1)  # in place: the training images of SVHN take a gigabyte


def fit(
    config: Any,
    images: Tensor,
    parts: dict[str, Any],
    step: Callable[[Tensor], dict[str, Tensor]],
    draw_samples: Callable[[Path, str], None],
    compiler: training.Compiler | None = None,
) -> dict[str, list[float]]:
    """Train for config.epochs, with a checkpoint after every epoch and samples after every config.sample_every.

    Args:
        images: (N, 3, 32, 32), on the device where they are used.
        parts: what a checkpoint holds: networks and optimizers, by name.
        step: one training step on a batch (B, 3, 32, 32); returns losses by name, scalars.
        draw_samples: draws a figure, given its path and its title.
        compiler: of the networks, where compiling can pay.
    Returns:
        The history: for each loss its average in each epoch.
    """
    training.tune_cpu()
    out, history = Path(config.out), {}
    checkpoint = training.load_checkpoint(out / "checkpoint.pt", images.device) if config.resume else None
    if checkpoint:
        training.restore(checkpoint, **parts)
        history = checkpoint["history"]
        print(f"going on from {out / 'checkpoint.pt'}, after epoch {checkpoint['epoch']}")
    started, left = time.monotonic(), config.max_steps or None
    data = data_loaders.ResidentDataset(images, torch.zeros(len(images)))
    for epoch in range(checkpoint["epoch"] if checkpoint else 0, config.epochs):
        # Each epoch has an order of its own, so that a resumed run goes on as if it had not stopped.
        order = torch.Generator().manual_seed(config.seed + epoch)
        batches = data.batches(min(config.batch_size, len(data)), shuffle=True, generator=order, drop_last=True)
        total, count = {}, 0
        steps = left or (config.epochs - epoch) * len(batches)  # at most, from here on
        bar = itertools.islice(batches, left)
        bar = training.progress(bar, desc=f"epoch {epoch + 1}/{config.epochs}", total=len(batches))
        for x, _ in bar:
            losses = step(x)
            total = {name: total.get(name, 0.0) + loss.detach() for name, loss in losses.items()}
            count += 1
            if compiler:
                compiler.after_step(steps - count)
            if count % 50 == 0:  # to read a loss means to wait for the GPU: now and then only
                bar.set_postfix({name: f"{float(loss):.3g}" for name, loss in losses.items()}, refresh=False)
        for name, value in total.items():
            history.setdefault(name, []).append(float(value) / count)
        left = left and left - count
        is_last = epoch + 1 == config.epochs or left == 0
        training.save_checkpoint(out / "checkpoint.pt", **parts, epoch=epoch + 1, history=history)
        (out / "history.json").write_text(json.dumps({"config": asdict(config), "history": history}, indent=1))
        if is_last or (epoch + 1) % config.sample_every == 0:
            with drawing(parts):
                draw_samples(out / f"samples_epoch_{epoch + 1:03}.png", f"after epoch {epoch + 1}")
        if is_last:
            break
    training.save_curves(history, out / "loss.png")
    print(f"{time.monotonic() - started:.0f} seconds; figures, history and checkpoint: {out}")
    return history


@contextlib.contextmanager
def drawing(parts: dict[str, Any]):
    """Evaluation mode, no gradients, a random state of its own: to draw a figure leaves the training alone."""
    networks = [part for part in parts.values() if isinstance(part, torch.nn.Module)]
    with torch.random.fork_rng(), torch.inference_mode():
        torch.manual_seed(0)  # the same noise in every figure, so that progress shows
        for network in networks:
            network.eval()
        yield
        for network in networks:
            network.train()


def save_images(images: Tensor, path: Path, columns: int = 8, title: str | None = None, **labels: list[str]) -> None:
    """A figure of images (N, 3, H, W) with values in [-1, 1]."""
    training.save_grid(images / 2 + 0.5, path, columns=columns, title=title, **labels)


def run(train: Callable[[Any], Any], config: type, description: str, argv: list[str] | None = None) -> None:
    """Read the settings from the command line and train; what goes wrong is said in one sentence."""
    settings = training.parse_config(config, argv, description=description)
    try:
        train(settings)
    except (data_loaders.DataError, training.TrainingError) as error:
        sys.exit(f"error: {error}")
    except NotImplementedError as error:
        sys.exit(f"still to do: {error}")
    except KeyboardInterrupt:
        sys.exit(f"stopped: the same command with --resume goes on from the last epoch in {settings.out}")
