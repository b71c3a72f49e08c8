"""Given: train the GAN of gan.py, draw the report's figures.

    python train_gan.py                                       30 epochs on SVHN
    python train_gan.py --data digits_rgb --epochs 40 --batch-size 32 --features 32    a quick look, without a download
    python train_gan.py --resume --epochs 50                  goes on from the last checkpoint

Figures in --out: samples_epoch_*.png, samples.png, interpolation.png, loss.png.
"""

from dataclasses import dataclass
from pathlib import Path

import fit
import torch
from gan import discriminator_train, generator_train, interpolate, make_criterion, make_optimizers, sample
from networks.dcgan import Discriminator, Generator

import training


@dataclass(frozen=True)
class Config:
    """The settings; each is an option of the command line."""

    data: str = "svhn"  # data set: svhn, or digits_rgb (small, needs no download)
    data_root: str = "data"  # folder of the downloaded data
    out: str = "runs/gan"  # folder for the checkpoint, the history and the figures
    device: str = "auto"  # auto (the GPU when there is one), cpu, cuda
    seed: int = 0  # of the initial weights, the order of the images and all noise
    epochs: int = 30  # passes over the training set, those of a resumed run included
    batch_size: int = 128  # images in one step
    resume: bool = False  # go on from the checkpoint in the folder --out
    precision: str = "auto"  # auto (bf16 where the hardware has it), or float32
    sample_every: int = 1  # epochs between two figures of samples
    max_steps: int = 0  # stop after so many steps of this run, for a quick look; 0: no limit
    lr_d: float = 2e-4  # learning rate of the discriminator's Adam
    lr_g: float = 2e-4  # learning rate of the generator's Adam
    z_dim: int = 100  # latent dimensions
    features: int = 64  # channels of the largest layer; the others have multiples of it


def train(config: Config) -> Generator:
    """Train as the settings say, write everything into config.out, return the generator."""
    device, out = training.pick_device(config.device), Path(config.out)
    torch.manual_seed(config.seed)
    images = fit.load_images(config, "train", device)
    generator = training.placed(Generator(config.z_dim, config.features), device)
    discriminator = training.placed(Discriminator(config.features), device)
    optimizer_d, optimizer_g = make_optimizers(discriminator, generator, lr_d=config.lr_d, lr_g=config.lr_g)
    criterion = make_criterion()
    precision = training.Precision(device, config.precision)
    if precision.dtype is torch.float16:  # it would need a scale for each of the two losses
        precision = training.Precision(device, "float32")
    precision.inside(generator, discriminator)

    def step(x):
        # The same fake images train both, one step each.
        fake = generator(torch.randn(len(x), config.z_dim, 1, 1, device=device))

        optimizer_d.zero_grad(set_to_none=True)
        loss_d = discriminator_train(discriminator, generator, criterion, real_samples=x, fake_samples=fake.detach())
        loss_d.backward()
        optimizer_d.step()

        optimizer_g.zero_grad(set_to_none=True)
        loss_g = generator_train(discriminator, generator, criterion, fake_samples=fake)
        loss_g.backward()
        optimizer_g.step()
        return {"discriminator": loss_d, "generator": loss_g}

    def draw_samples(path, title):
        fit.save_images(sample(generator, num_samples=64), path, title=f"Samples {title}")

    parts = {"generator": generator, "discriminator": discriminator}
    parts |= {"optimizer_d": optimizer_d, "optimizer_g": optimizer_g}
    print(f"on {device} in {precision}")
    fit.fit(config, images, parts, step, draw_samples)

    with fit.drawing(parts):
        draw_samples(out / "samples.png", "at the end of training")
        latents = torch.randn(5, 2, 1, config.z_dim, 1, 1, device=device)
        lines = [interpolate(generator, z_1, z_2, n_samples=10) for z_1, z_2 in latents]
        fit.save_images(torch.cat(lines), out / "interpolation.png", columns=10, title="Interpolations")
    return generator.eval()


if __name__ == "__main__":
    fit.run(train, Config, "Train the GAN; draw its figures.")
