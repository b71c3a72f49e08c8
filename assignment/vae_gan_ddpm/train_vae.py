"""Given: train the VAE of vae.py, draw the report's figures.

    python train_vae.py                                       20 epochs on SVHN
    python train_vae.py --data digits_rgb --epochs 30         a quick look, without a download
    python train_vae.py --resume --epochs 30                  goes on from the last checkpoint

Figures in --out: samples_epoch_*.png, samples.png, reconstructions.png, interpolation.png, loss.png.
"""

from dataclasses import dataclass
from pathlib import Path

import fit
import torch
from vae import VAE, interpolate

import training


@dataclass(frozen=True)
class Config:
    """The settings; each is an option of the command line."""

    data: str = "svhn"  # data set: svhn, or digits_rgb (small, needs no download)
    data_root: str = "data"  # folder of the downloaded data
    out: str = "runs/vae"  # folder for the checkpoint, the history and the figures
    device: str = "auto"  # auto (the GPU when there is one), cpu, cuda
    seed: int = 0  # of the initial weights, the order of the images and all noise
    epochs: int = 20  # passes over the training set, those of a resumed run included
    batch_size: int = 128  # images in one step
    resume: bool = False  # go on from the checkpoint in the folder --out
    precision: str = "auto"  # auto (bf16 where the hardware has it), or float32
    sample_every: int = 1  # epochs between two figures of samples
    max_steps: int = 0  # stop after so many steps of this run, for a quick look; 0: no limit
    lr: float = 1e-3  # learning rate of Adam
    z_dim: int = 100  # latent dimensions
    features: int = 32  # channels of the largest layer; the others have multiples of it
    importance_samples: int = 100  # K, of the estimated log-likelihood


def train(config: Config) -> VAE:
    """Train as the settings say, write everything into config.out, return the model."""
    device, out = training.pick_device(config.device), Path(config.out)
    torch.manual_seed(config.seed)
    images, test_images = (fit.load_images(config, split, device) for split in ("train", "test"))
    model = VAE(decoder_features=config.features, encoder_features=config.features, z_dim=config.z_dim, device=device)
    model = training.placed(model, device)
    optimizer = torch.optim.Adam(model.parameters(), lr=config.lr, fused=True)
    precision = training.Precision(device, config.precision)
    precision.inside(model.encoder, model.mean, model.logvar, model.decoder)  # between them stays float32

    def step(x):
        _, nll, kl = model(x)
        loss = (nll + kl).mean()
        precision.backward_and_step(loss, optimizer)
        return {"negative ELBO": loss, "KL divergence": kl.mean()}

    def draw_samples(path, title):
        fit.save_images(model.sample(64), path, title=f"Samples {title}")

    parts = {"model": model, "optimizer": optimizer}
    print(f"on {device} in {precision}")
    fit.fit(config, images, parts, step, draw_samples)

    with fit.drawing(parts):
        draw_samples(out / "samples.png", "at the end of training")
        x = test_images[:10]
        pairs = torch.cat([x, model(x)[0]])
        rows = {"row_labels": ["test image", "reconstruction"]}
        fit.save_images(pairs, out / "reconstructions.png", columns=10, title="Reconstructions", **rows)
        lines = [interpolate(model, *torch.randn(2, 1, config.z_dim, device=device), n_samples=10) for _ in range(5)]
        fit.save_images(torch.cat(lines), out / "interpolation.png", columns=10, title="Interpolations")
        elbo, log_p = [], []
        for x in test_images[:500].split(100):
            _, nll, kl = model(x)
            elbo.append(-(nll + kl))
            log_p.append(model.log_likelihood(x, K=config.importance_samples))
        print(f"test images: ELBO {torch.cat(elbo).mean():.1f}, log p(x) {torch.cat(log_p).mean():.1f} nats")
    return model.eval()


if __name__ == "__main__":
    fit.run(train, Config, "Train the VAE; draw its figures.")
