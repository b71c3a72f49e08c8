"""Given: train the diffusion model of question 1, and draw samples with both samplers.

    python train_sprites.py --data sprites                              40 epochs
    python train_sprites.py --data drawn_sprites --width 32 --epochs 12     a quick look, without a download
    python train_sprites.py --resume --epochs 60                        goes on from the last checkpoint

Figures in --out: loss.png, samples_ddpm.png and samples_ddim.png (50 images each, from the same noise).
"""

import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from ddpm_ddim import Schedule, linear_schedule, sample_ddim, sample_ddpm, train_step
from torch import Tensor
from unet import UNet

sys.path += map(str, Path(__file__).resolve().parents[:3])  # data_loaders and training: found without installation

import data_loaders
import training


@dataclass(frozen=True)
class Config:
    """The settings; each is an option of the command line."""

    data: str = "sprites"  # data set: sprites, or drawn_sprites (small, needs no download)
    data_root: str = "data"  # folder of the downloaded data
    out: str = "runs/sprites"  # folder for the checkpoint, the history and the figures
    device: str = "auto"  # auto (the GPU when there is one), cpu, cuda
    seed: int = 0  # of the weights, the order of the images and all noise
    epochs: int = 40  # passes over the training set, those of a resumed run included
    batch_size: int = 128  # images in one step
    lr: float = 1e-3  # learning rate of Adam; it falls linearly to 0 over the epochs
    timesteps: int = 1000  # T, steps of the diffusion process
    beta1: float = 1e-4  # beta of the first step
    beta2: float = 0.02  # beta of the last step
    width: int = 64  # channels of the U-Net's first level; 32 for a run on a CPU
    ddim_steps: int = 50  # steps of DDIM in samples_ddim.png
    resume: bool = False  # go on from the checkpoint in --out, where there is one
    precision: str = "auto"  # auto (bf16 where the hardware has it), or float32
    compile: str = "auto"  # auto (where the run is long enough to pay), on or off
    max_minutes: float = 0.0  # stop training after the epoch in which so many minutes are over; 0: no limit


def load_images(config, device: torch.device) -> Tensor:
    """All images (N, 3, 16, 16), with values in [-1, 1]."""
    return 2 * data_loaders.load(config.data, "train", root=config.data_root, device=device).images - 1


def plot_sample(images: Tensor, path: str | Path, title: str | None = None, columns: int = 10) -> None:
    """A figure of images (N, 3, 16, 16) with values in [-1, 1], such as a sampler gives."""
    training.save_grid(images / 2 + 0.5, path, columns=columns, title=title)


def make_schedule(config, device: torch.device) -> Schedule:
    values = linear_schedule(timesteps=config.timesteps, beta1=config.beta1, beta2=config.beta2)
    return Schedule(*(value.to(device) for value in values))


def train(config: Config) -> None:
    torch.manual_seed(config.seed)
    training.tune_cpu()
    device, out = training.pick_device(config.device), Path(config.out)
    images, schedule = load_images(config, device), make_schedule(config, device)
    model = training.placed(UNet(images.shape[1], config.width), device)
    optimizer = torch.optim.Adam(model.parameters(), lr=config.lr, fused=True)
    precision = training.Precision(device, config.precision)
    if precision.dtype is torch.float16:  # train_step does not scale the loss
        precision = training.Precision(device, "float32")
    precision.inside(model)
    compiler = training.Compiler(config.compile, device, model)
    print(f"on {device} in {precision}")
    first, history = 0, {"training loss": []}
    checkpoint = training.load_checkpoint(out / "checkpoint.pt", device) if config.resume else None
    if checkpoint:
        training.restore(checkpoint, model=model, optimizer=optimizer)
        first, history = checkpoint["epoch"], checkpoint["history"]
    data = data_loaders.ResidentDataset(images, torch.zeros(len(images), device=device))
    started = time.monotonic()
    for epoch in range(first, config.epochs):
        optimizer.param_groups[0]["lr"] = config.lr * (1 - epoch / config.epochs)
        # Each epoch has an order of its own, so that a resumed run goes on as if it had not stopped.
        order = torch.Generator().manual_seed(config.seed + epoch)
        batches = data.batches(config.batch_size, shuffle=True, generator=order, drop_last=True)
        losses = []
        for x, _ in training.progress(batches, desc=f"epoch {epoch + 1}/{config.epochs}"):
            losses.append(torch.as_tensor(train_step(model, optimizer, x, schedule)).detach())
            compiler.after_step(len(batches) * (config.epochs - epoch) - len(losses))
        history["training loss"].append(float(torch.stack(losses).mean()))
        training.save_checkpoint(
            out / "checkpoint.pt",
            model=model,
            optimizer=optimizer,
            epoch=epoch + 1,
            history=history,
            config=asdict(config),
        )
        (out / "history.json").write_text(json.dumps(history))
        training.save_curves(history, out / "loss.png", ylabel="mean squared error of the noise")
        if config.max_minutes and time.monotonic() - started > 60 * config.max_minutes:
            break
    print(f"{time.monotonic() - started:.0f} s of training; the last loss {history['training loss'][-1]:.4f}")
    model.eval()
    noise = torch.randn(50, *images.shape[1:], device=device)
    draw = {
        "ddpm": lambda: sample_ddpm(model, schedule, tuple(noise.shape), noise=noise),
        "ddim": lambda: sample_ddim(model, schedule, tuple(noise.shape), n_steps=config.ddim_steps, noise=noise),
    }
    for name, sample in draw.items():
        title = f"{name.upper()}, {config.timesteps if name == 'ddpm' else config.ddim_steps} steps"
        with torch.inference_mode():
            images = sample()
        plot_sample(images, out / f"samples_{name}.png", title)
    print(f"figures and checkpoint: {out}")


def run(main, config: type, description: str) -> None:
    """Read the settings from the command line; what goes wrong is said in one sentence."""
    try:
        main(training.parse_config(config, description=description))
    except (data_loaders.DataError, training.TrainingError) as error:
        sys.exit(f"error: {error}")
    except NotImplementedError as error:
        sys.exit(f"still to do: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped: the same command with --resume goes on from the last epoch")


if __name__ == "__main__":
    run(train, Config, __doc__.splitlines()[0])
