"""Given: questions 1.6 and 1.7. Train a VAE on binarized MNIST, evaluate the ELBO and log p(x).

    python train_vae.py                                        20 epochs, then log p(x) of the whole test set
    python train_vae.py --data digits --epochs 3 --importance-samples 20      a quick look, without a download
    python train_vae.py --resume --epochs 30                   goes on from the last checkpoint

Everything goes to the folder --out: history.json, checkpoint.pt, loss.png, samples.png, reconstructions.png. It uses
your functions of q1_solution.py; nothing runs at import.
"""

import dataclasses
import json
import sys
import time
from pathlib import Path

import q1_solution as q1
import torch
from torch import Tensor, nn


@dataclasses.dataclass(frozen=True)
class Config:
    """The settings; each is an option of the command line."""

    data: str = "binarized_mnist"  # data set: binarized_mnist, or digits (small, needs no download)
    data_root: str = "data"  # folder of the downloaded data
    epochs: int = 20  # passes over the training set, those of a resumed run included
    batch_size: int = 64  # images in one step
    lr: float = 3e-4  # Adam's learning rate
    importance_samples: int = 200  # K, samples of z for log p(x) of one test image; 0 leaves log p(x) out
    device: str = "auto"  # auto (the GPU when there is one), cpu, cuda
    seed: int = 0  # of the initial weights and of all noise
    out: str = "runs/vae"  # folder for the checkpoint, the history and the figures
    resume: bool = False  # go on from the checkpoint in the folder --out
    precision: str = "auto"  # auto (bf16 in the networks, on CPUs that have it), or float32


class VAE(nn.Module):
    """q(z|x) = N(mu, diag(exp(logvar))) and a Bernoulli mean for each pixel, by two small convolutional networks."""

    def __init__(self, latent: int = 100):
        super().__init__()
        self.latent = latent
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 32, 4, stride=2, padding=1), nn.ELU(),  # 28 x 28 -> 14 x 14
            nn.Conv2d(32, 64, 4, stride=2, padding=1), nn.ELU(),  # -> 7 x 7
            nn.Flatten(), nn.Linear(64 * 7 * 7, 256), nn.ELU(), nn.Linear(256, 2 * latent),
        )  # fmt: skip
        self.decoder = nn.Sequential(
            nn.Linear(latent, 256), nn.ELU(), nn.Linear(256, 64 * 7 * 7), nn.ELU(), nn.Unflatten(1, (64, 7, 7)),
            nn.ConvTranspose2d(64, 32, 4, stride=2, padding=1), nn.ELU(),  # 7 x 7 -> 14 x 14
            nn.ConvTranspose2d(32, 1, 4, stride=2, padding=1),  # -> 28 x 28
        )  # fmt: skip

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x (B, 1, 28, 28) -> mu (B, L), logvar (B, L)"""
        mu, logvar = self.encoder(x).chunk(2, dim=1)
        return mu, logvar

    def decode(self, z: Tensor) -> Tensor:
        """z (B, L) -> the pixels' means (B, 784)"""
        # A little away from 0 and 1, where a logarithm would be infinite.
        return 1e-6 + (1 - 2e-6) * torch.sigmoid(self.decoder(z).flatten(1))

    def sample(self, n: int) -> Tensor:
        """n images (n, 1, 28, 28): the pixels' means for z from the prior."""
        z = torch.randn(n, self.latent, device=next(self.parameters()).device)
        return self.decode(z).view(-1, 1, 28, 28)


def elbo(model: VAE, x: Tensor) -> Tensor:
    """E_q[log p(x|z)] - KL(q(z|x) || p(z)) of each image, (B,), by one z for each; x (B, 1, 28, 28)."""
    mu, logvar = model.encode(x)
    z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
    zero = torch.zeros_like(mu)
    kl = q1.kl_gaussian_gaussian_analytic(mu_q=mu, logvar_q=logvar, mu_p=zero, logvar_p=zero)
    return q1.log_likelihood_bernoulli(mu=model.decode(z), target=x.flatten(1)) - kl


def log_likelihood(model: VAE, x: Tensor, n_samples: int) -> Tensor:
    """log p(x) of each image, (B,), estimated by importance sampling with K = n_samples; x (B, 1, 28, 28).

    log 1/K sum_k p(x|z_k) p(z_k) / q(z_k|x),   z_k ~ q(z|x)
    """
    mu, logvar = (parameter.repeat_interleave(n_samples, dim=0) for parameter in model.encode(x))  # (B K, L)
    z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
    zero = torch.zeros_like(mu)
    x = x.flatten(1).repeat_interleave(n_samples, dim=0)
    log_weight = q1.log_likelihood_bernoulli(mu=model.decode(z), target=x)
    log_weight = log_weight + q1.log_likelihood_normal(mu=zero, logvar=zero, z=z)
    log_weight = log_weight - q1.log_likelihood_normal(mu=mu, logvar=logvar, z=z)
    return q1.log_mean_exp(log_weight.view(-1, n_samples))


@torch.inference_mode()
def mean_over(batches, value) -> float:
    """The mean over all images of value(x) (B,)."""
    total, count = 0.0, 0
    for x, _ in batches:
        total, count = total + value(x).double().sum(), count + len(x)
    return float(total) / count


def train(config: Config) -> dict:
    """Train and evaluate as the settings say, write everything into config.out, return the history."""
    import data_loaders
    import training

    training.tune_cpu()
    device, out = training.pick_device(config.device), Path(config.out)
    sets = {
        split: data_loaders.load(config.data, split, root=config.data_root, device=device)
        for split in ("train", "valid", "test")
    }
    for data in sets.values():
        data.images = data.images.round()  # nothing to do for binarized MNIST; other data become binary too
    torch.manual_seed(config.seed)
    model = VAE().to(device)
    # Not the sigmoid and the ELBO, which need float32. On a GPU so small a model gains nothing from less.
    precision = training.Precision(device, config.precision if device.type == "cpu" else "float32")
    precision.inside(model.encoder, model.decoder)
    print(f"on {device} in {precision}")
    optimizer = torch.optim.Adam(model.parameters(), lr=config.lr, fused=True)
    history = {"train": [], "valid": [], "seconds": []}
    checkpoint = training.load_checkpoint(out / "checkpoint.pt", device) if config.resume else None
    if checkpoint:
        training.restore(checkpoint, model=model, optimizer=optimizer)
        history = checkpoint["history"]

    def write_history() -> None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "history.json").write_text(json.dumps({"config": dataclasses.asdict(config), **history}, indent=1))

    bar = training.progress(range(len(history["valid"]), config.epochs), desc="epochs", unit="epoch")
    for epoch in bar:
        start, total = time.perf_counter(), 0.0
        for x, _ in sets["train"].batches(config.batch_size, shuffle=True):
            loss = -elbo(model, x).mean()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            total = total - loss.detach() * len(x)  # a tensor: no wait for the GPU in each step
        history["train"].append(float(total) / len(sets["train"]))
        history["seconds"].append(time.perf_counter() - start)
        history["valid"].append(mean_over(sets["valid"].batches(1000), lambda x: elbo(model, x)))
        bar.set_postfix(train=f"{history['train'][-1]:.2f}", valid=f"{history['valid'][-1]:.2f}", refresh=False)
        training.save_checkpoint(
            out / "checkpoint.pt", model=model, optimizer=optimizer, epoch=epoch + 1, history=history
        )
        write_history()
    draw_figures(model, sets["valid"], history, out)
    if history["valid"]:
        print(f"ELBO on the validation set after {len(history['valid'])} epochs: {history['valid'][-1]:.2f}")

    if config.importance_samples:
        rows = max(1, 1000 // config.importance_samples)  # 1,000 images decoded at a time: they fit into a cache
        batches = sets["test"].batches(rows)
        bar = training.progress(batches, desc=f"log p(x), K = {config.importance_samples}")
        history["test_log_likelihood"] = mean_over(bar, lambda x: log_likelihood(model, x, config.importance_samples))
        write_history()
        print(f"log p(x) on the test set, K = {config.importance_samples}: {history['test_log_likelihood']:.2f}")
    return history


@torch.inference_mode()
def draw_figures(model: VAE, data, history: dict, out: Path) -> None:
    """loss.png, samples.png and reconstructions.png."""
    import training

    curves = {"training": history["train"], "validation": history["valid"]}
    training.save_curves(curves, out / "loss.png", ylabel="ELBO per image (nats)")
    training.save_grid(model.sample(64), out / "samples.png", columns=8, title="Samples from the prior (means)")
    x = data.images[:10]
    means = model.decode(model.encode(x)[0]).view(-1, 1, 28, 28)
    training.save_grid(torch.cat([x, means]), out / "reconstructions.png", columns=10, row_labels=["data", "decoded"])


def main(argv: list[str] | None = None) -> None:
    # The repository's own packages are found from any folder, installed or not.
    sys.path += map(str, Path(__file__).resolve().parents[:3])
    import data_loaders
    import training

    config = training.parse_config(Config, argv, description="Train the VAE of question 1 and evaluate it.")
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
