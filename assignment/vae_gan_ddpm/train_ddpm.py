"""Given: train the diffusion model of ddpm.py, draw the report's figures.

    python train_ddpm.py                                      20 epochs on SVHN
    python train_ddpm.py --data digits_rgb --epochs 30 --batch-size 32 --width 32 --timesteps 500 --lr 1e-3
                                                              a quick look, without a download
    python train_ddpm.py --resume --epochs 40                 goes on from the last checkpoint

Figures in --out: samples_epoch_*.png, samples.png, denoising.png, loss.png.
"""

from dataclasses import dataclass
from pathlib import Path

import fit
import torch
from ddpm import Schedule, p_losses, p_sample_loop, precompute, t_sample

import training
from training.unet import UNet


@dataclass(frozen=True)
class Config:
    """The settings; each is an option of the command line."""

    data: str = "svhn"  # data set: svhn, or digits_rgb (small, needs no download)
    data_root: str = "data"  # folder of the downloaded data
    out: str = "runs/ddpm"  # folder for the checkpoint, the history and the figures
    device: str = "auto"  # auto (the GPU when there is one), cpu, cuda
    seed: int = 0  # of the initial weights, the order of the images and all noise
    epochs: int = 20  # passes over the training set, those of a resumed run included
    batch_size: int = 128  # images in one step
    resume: bool = False  # go on from the checkpoint in the folder --out
    precision: str = "auto"  # auto (bf16 where the hardware has it), or float32
    compile: str = "auto"  # auto (where the run is long enough to pay), on or off
    sample_every: int = 1  # epochs between two figures of samples
    max_steps: int = 0  # stop after so many steps of this run, for a quick look; 0: no limit
    lr: float = 5e-4  # learning rate of Adam
    timesteps: int = 1000  # T, steps of the diffusion process
    width: int = 64  # channels of the U-Net's first level; 32 for a run on a CPU


def train(config: Config) -> UNet:
    """Train as the settings say, write everything into config.out, return the network.

    Figures are drawn with the moving average of the network's parameters, which the network has afterwards.
    """
    device, out = training.pick_device(config.device), Path(config.out)
    torch.manual_seed(config.seed)
    images = fit.load_images(config, "train", device)
    schedule = Schedule(*(coefficients.to(device) for coefficients in precompute(config.timesteps)))
    model = training.placed(UNet(channels=3, width=config.width), device)
    optimizer = torch.optim.Adam(model.parameters(), lr=config.lr, fused=True)
    precision = training.Precision(device, config.precision)
    compiler = training.Compiler(config.compile, device, model)
    average = training.MovingAverage(model)

    def step(x):
        t = t_sample(config.timesteps, len(x), device=device)
        with precision.autocast():
            loss = p_losses(schedule, denoise_model=model, x_start=x, t=t)
        precision.backward_and_step(loss, optimizer)
        average.update()
        return {"smooth L1": loss}

    def denoise(count):
        with average.applied(), precision.autocast():
            return p_sample_loop(schedule, model, shape=(count, *images.shape[1:]))

    def draw_samples(path, title):
        fit.save_images(denoise(64)[-1], path, title=f"Samples {title}")

    parts = {"model": model, "optimizer": optimizer, "average": average}
    print(f"on {device} in {precision}")
    fit.fit(config, images, parts, step, draw_samples, compiler)

    with fit.drawing(parts):
        draw_samples(out / "samples.png", "at the end of training")
        shown = torch.linspace(0, config.timesteps - 1, 10).long()
        steps = denoise(5)[shown].transpose(0, 1).flatten(0, 1)  # a row for each image
        labels = {"column_labels": [f"t = {config.timesteps - 1 - i}" for i in shown.tolist()]}
        fit.save_images(steps, out / "denoising.png", columns=10, title="The reverse process", **labels)
    average.apply()
    return model.eval()


if __name__ == "__main__":
    fit.run(train, Config, "Train the diffusion model; draw its figures.")
