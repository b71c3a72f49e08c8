"""Questions 1.6 to 1.9: train a VAE, draw the report's figures. You complete `loss_function`.

    python q1_train_vae.py                                  20 epochs on MNIST: some minutes on a CPU
    python q1_train_vae.py --data digits --epochs 5         a quick look, without a download
    python q1_train_vae.py --resume --epochs 30             goes on from the last checkpoint

Everything goes to the folder --out: history.json, checkpoint.pt and the figures as PNG. The rest is given;
nothing runs at import.
"""

import dataclasses
import json
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from q1_vae import kl_gaussian_gaussian_analytic, log_likelihood_bernoulli
from torch import Tensor, nn


@dataclasses.dataclass(frozen=True)
class Config:
    """The settings; each is an option of the command line."""

    data: str = "mnist"  # data set: mnist, or digits (small, needs no download)
    data_root: str = "data"  # folder of the downloaded data
    epochs: int = 20  # passes over the training set, those of a resumed run included
    batch_size: int = 128  # images in one step
    lr: float = 1e-3  # Adam's learning rate
    device: str = "auto"  # auto (the GPU when there is one), cpu, cuda
    seed: int = 0  # of the initial weights and of all noise
    out: str = "runs/vae"  # folder for the checkpoint, the history and the figures
    resume: bool = False  # go on from the checkpoint in the folder --out
    precision: str = "auto"  # auto (bf16 in the networks, on CPUs that have it), or float32


class VAE(nn.Module):
    """784-400-20-400-784: q(z|x) = N(mu, diag(exp(logvar))), and a Bernoulli mean for each pixel."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, 2 * 20))
        self.decoder = nn.Sequential(nn.Linear(20, 400), nn.ReLU(), nn.Linear(400, 784))

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x (B, 784) -> mu (B, 20), logvar (B, 20)"""
        return self.encoder(x).chunk(2, dim=1)

    def reparameterize(self, mu: Tensor, logvar: Tensor) -> Tensor:
        """mu, logvar (B, 20) -> z (B, 20), drawn so that gradients reach mu and logvar"""
        return mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)

    def decode(self, z: Tensor) -> Tensor:
        """z (B, 20) -> the pixels' means (B, 784)"""
        return F.sigmoid(self.decoder(z))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """x (B, 1, 28, 28) or (B, 784) -> recon (B, 784), mu (B, 20), logvar (B, 20)"""
        mu, logvar = self.encode(x.flatten(1))
        return self.decode(self.reparameterize(mu, logvar)), mu, logvar


def loss_function(recon_x: Tensor, x: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    """The negative ELBO of a batch, by your functions of q1_vae.py.

        - ELBO = KL(q(z|x) || p(z)) - E_q[ log p(x|z) ],   p(z) = N(0, I)         [K&W, eq. (10), with L = 1]

    Args:
        recon_x: (B, 784) the pixels' Bernoulli means, the decoder's output for one z ~ q(z|x).
        x: (B, 1, 28, 28) or (B, 784) the images, in [0, 1].
        mu, logvar: (B, 20) the parameters of q(z|x).

    Returns:
        scalar: the sum over pixels, latent dimensions and the batch. (The script divides by the batch size.)
    """
    # TODO Q1.6: reconstruction term plus KL to the standard normal prior, summed over the batch.
    raise NotImplementedError("Q1.6: loss_function")


def train_epoch(model: VAE, batches, optimizer: torch.optim.Optimizer) -> float:
    """One pass over the batches; returns the mean loss per image."""
    model.train()
    total, count = 0.0, 0
    for x, _ in batches:
        loss = loss_function(*_with_input(model, x))
        optimizer.zero_grad(set_to_none=True)
        (loss / len(x)).backward()
        optimizer.step()
        total, count = total + loss.detach(), count + len(x)  # a tensor: no wait for the GPU in each step
    return float(total) / count


@torch.inference_mode()
def evaluate(model: VAE, batches) -> float:
    """The mean loss per image, one z per image."""
    model.eval()
    total, count = 0.0, 0
    for x, _ in batches:
        total, count = total + loss_function(*_with_input(model, x)), count + len(x)
    return float(total) / count


def _with_input(model: VAE, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    recon, mu, logvar = model(x)
    return recon, x, mu, logvar


@torch.inference_mode()
def samples(model: VAE, n: int = 64) -> Tensor:
    """Question 1.7: n images (n, 1, 28, 28) of z drawn from the prior."""
    return _images(model, torch.randn(n, 20))


@torch.inference_mode()
def traversals(model: VAE, z: Tensor, offsets: Tensor) -> Tensor:
    """Question 1.8: decode z (20,) with each offset added to each coordinate, one at a time.

    Returns images (20 * len(offsets), 1, 28, 28): one row of images per latent factor.
    """
    moved = z + offsets.view(1, -1, 1) * torch.eye(20).view(20, 1, 20)  # (factor, offset, coordinate)
    return _images(model, moved.reshape(-1, 20))


@torch.inference_mode()
def interpolations(model: VAE, z_0: Tensor, z_1: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
    """Question 1.9: g(alpha z_0 + (1 - alpha) z_1), and alpha g(z_0) + (1 - alpha) g(z_1).

    z_0, z_1 (20,), alpha (A,); returns images (A, 1, 28, 28) of the latent and of the data space.
    """
    in_latent_space = _images(model, torch.lerp(z_1, z_0, alpha.unsqueeze(1)))
    x_0, x_1 = _images(model, torch.stack([z_0, z_1]))
    return in_latent_space, torch.lerp(x_1, x_0, alpha.view(-1, 1, 1, 1).to(x_0.device))


def _images(model: VAE, z: Tensor) -> Tensor:
    device = next(model.parameters()).device
    return model.decode(z.to(device)).view(-1, 1, 28, 28)


def draw_figures(model: VAE, batches, history: dict[str, list[float]], config: Config) -> None:
    """Write the report's figures into the folder config.out."""
    import training

    out = Path(config.out)
    torch.manual_seed(config.seed)  # the figures of a checkpoint are the same whenever they are drawn
    model.eval()
    curves = {"training": history["train"], "validation": history["valid"]}
    training.save_curves(curves, out / "loss.png", ylabel="negative ELBO per image (nats)")
    training.save_grid(samples(model), out / "samples.png", columns=8, title="Samples from the prior")

    offsets = torch.linspace(-3, 3, 5)
    training.save_grid(
        traversals(model, torch.randn(20), offsets),
        out / "traversals.png",
        columns=5,
        title="Latent traversals: z_i + epsilon",
        row_labels=[f"z[{i}]" for i in range(20)],
        column_labels=[f"{offset:+.1f}" for offset in offsets.tolist()],
    )
    alpha = torch.linspace(0, 1, 11)
    training.save_grid(
        torch.cat(interpolations(model, torch.randn(20), torch.randn(20), alpha)),
        out / "interpolation.png",
        columns=11,
        title="Interpolation, by alpha",
        row_labels=["latent space", "data space"],
        column_labels=[f"{a:.1f}" for a in alpha.tolist()],
    )
    x, _ = next(iter(batches))
    with torch.inference_mode():
        recon, _, _ = model(x[:10])
    training.save_grid(
        torch.cat([x[:10], recon.view(-1, 1, 28, 28)]),
        out / "reconstructions.png",
        columns=10,
        title="Reconstructions",
        row_labels=["data", "recon"],
    )


def train(config: Config) -> dict[str, list[float]]:
    """Train as the settings say, write everything into config.out, return the history of the losses."""
    import data_loaders
    import training

    training.tune_cpu()
    device, out = training.pick_device(config.device), Path(config.out)
    train_set = data_loaders.load(config.data, "train", root=config.data_root, device=device)
    valid_set = data_loaders.load(config.data, "valid", root=config.data_root, device=device)
    train_batches = train_set.batches(config.batch_size, shuffle=True)
    valid_batches = valid_set.batches(1000)

    torch.manual_seed(config.seed)
    model = VAE().to(device)
    # The layers only: the sigmoid and the ELBO need float32. On a GPU so small a model gains nothing from less.
    precision = training.Precision(device, config.precision if device.type == "cpu" else "float32")
    precision.inside(model.encoder, model.decoder)
    print(f"on {device} in {precision}")
    optimizer = torch.optim.Adam(model.parameters(), lr=config.lr, fused=True)
    history = {"train": [], "valid": [], "seconds": []}
    checkpoint = training.load_checkpoint(out / "checkpoint.pt", device) if config.resume else None
    if checkpoint:
        training.restore(checkpoint, model=model, optimizer=optimizer)
        history = checkpoint["history"]
        print(f"going on from {out / 'checkpoint.pt'}, after epoch {len(history['valid'])}")

    bar = training.progress(range(len(history["valid"]), config.epochs), desc="epochs", unit="epoch")
    for epoch in bar:
        start = time.perf_counter()
        history["train"].append(train_epoch(model, train_batches, optimizer))
        history["seconds"].append(time.perf_counter() - start)
        history["valid"].append(evaluate(model, valid_batches))
        bar.set_postfix(train=f"{history['train'][-1]:.2f}", valid=f"{history['valid'][-1]:.2f}", refresh=False)
        training.save_checkpoint(
            out / "checkpoint.pt", model=model, optimizer=optimizer, epoch=epoch + 1, history=history
        )
        log = {"config": dataclasses.asdict(config), "history": history}
        (out / "history.json").write_text(json.dumps(log, indent=1))

    draw_figures(model, valid_batches, history, config)
    if history["valid"]:
        print(f"validation loss after {len(history['valid'])} epochs: {history['valid'][-1]:.2f} per image")
    print(f"figures, history and checkpoint: {out}")
    return history


def main(argv: list[str] | None = None) -> None:
    # The repository's own packages are imported only when training: to grade this file takes torch alone.
    sys.path += map(str, Path(__file__).resolve().parents[:3])  # found from any folder, installed or not
    import data_loaders
    import training

    config = training.parse_config(Config, argv, description="Train the VAE of question 1; draw its figures.")
    try:
        train(config)
    except (data_loaders.DataError, training.TrainingError) as error:
        sys.exit(f"error: {error}")
    except NotImplementedError as error:
        sys.exit(f"still to do: {error}")
    except KeyboardInterrupt:
        sys.exit(f"stopped: the same command with --resume goes on from the last epoch in {config.out}")


if __name__ == "__main__":
    main()
