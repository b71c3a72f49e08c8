"""Given: the experiments of questions 2.8 and 2.9, by name.

    python run_exp.py --config dirac --seed 20123456           all twenty Dirac games, in two figures: some minutes
    python run_exp.py --config dirac-jsd-3 --seed 20123456     one of them
    python run_exp.py --config cifar10-jsd-3                   train on CIFAR10 (a GPU is needed), with FID over time
    python run_exp.py --config cifar10-jsd-3 --resume          goes on from the last checkpoint
    python run_exp.py --config cifar10-jsd-3 --data digits_rgb --iterations 20 --width 16 --no-evaluate     does it run?
    python run_exp.py --config list                            all names

A name, or the beginning of several: `cifar10-w1` runs two, one after the other. The seed of the Dirac games is your
student number. Everything goes to the folder --out, in a folder for each CIFAR10 configuration.

    dirac-{jsd,w1}-1..5     without moving average: no penalty; R1 0.01; R1 0.1; GP 0.01; GP 0.1
    dirac-{jsd,w1}-6..10    the same with a moving average, alpha 0.998
    cifar10-jsd-1, -2, -3   plain; spectral normalization; R1 1.0
    cifar10-w1-2, -3        spectral normalization; R1 1.0
"""

import copy
import dataclasses
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from gan import make_train_step
from torch import Tensor


@dataclasses.dataclass(frozen=True)
class Experiment:
    """One named configuration."""

    loss_type: str  # JSD or W1
    reg_type: str | None = None  # R1, GP or None
    reg_cf: float = 1.0  # the penalty's coefficient
    spectral_norm: bool = False  # in the critic
    alpha_ema: float | None = None  # of the generator's moving average; None: without
    iterations: int = 5000  # steps of the generator
    critic_inner_iters: int = 1  # steps of the critic for each of them
    lr_generator: float = 0.1  # SGD for Dirac, Adam with betas (0, 0.99) for CIFAR10
    lr_critic: float = 0.1
    critic_weight_decay: float = 0.0


def experiments() -> dict[str, Experiment]:
    """{name: configuration}, in the order of the names above."""
    found = {}
    penalties = ((None, 1.0), ("R1", 0.01), ("R1", 0.1), ("GP", 0.01), ("GP", 0.1))
    for loss_type in ("JSD", "W1"):
        for first, alpha in ((1, None), (6, 0.998)):
            for number, (reg_type, reg_cf) in enumerate(penalties, start=first):
                name = f"dirac-{loss_type.lower()}-{number}"
                found[name] = Experiment(loss_type, reg_type, reg_cf, alpha_ema=alpha)
    images = {
        "alpha_ema": 0.998, "iterations": 100_000, "critic_inner_iters": 2,
        "lr_generator": 2e-4, "lr_critic": 4e-4, "critic_weight_decay": 1e-6,
    }  # fmt: skip
    found["cifar10-jsd-1"] = Experiment("JSD", **images)
    found["cifar10-jsd-2"] = Experiment("JSD", spectral_norm=True, **images)
    found["cifar10-jsd-3"] = Experiment("JSD", "R1", 1.0, **images)
    found["cifar10-w1-2"] = Experiment("W1", spectral_norm=True, **images)
    found["cifar10-w1-3"] = Experiment("W1", "R1", 1.0, **images)
    return found


@dataclasses.dataclass(frozen=True)
class Config:
    """The settings; each is an option of the command line."""

    config: str = "dirac"  # name of a configuration, or the beginning of several; list prints them
    seed: int = 0  # your student number: where the Dirac games start; weights and noise for CIFAR10
    iterations: int = 0  # steps of the generator; 0: those of the configuration
    out: str = "runs/gan"  # folder for checkpoints, histories and figures
    device: str = "auto"  # CIFAR10: auto (the GPU when there is one), cpu, cuda
    data: str = "cifar10"  # CIFAR10: data set; any other one with RGB images of 32 x 32
    data_root: str = "data"  # CIFAR10: folder of the downloaded data
    batch_size: int = 64  # CIFAR10: images in one batch
    z_dim: int = 100  # CIFAR10: dimensions of z
    width: int = 128  # CIFAR10: channels of the networks' widest feature maps
    evaluate: bool = True  # CIFAR10: Inception Score and FID over time (needs torchmetrics and torch-fidelity)
    features: str = "inception"  # CIFAR10: inception (downloaded once), or small (only to see that all runs)
    eval_every: int = 5000  # CIFAR10: steps of the generator between two evaluations, figures and checkpoints
    eval_samples: int = 10_000  # CIFAR10: generated images for one evaluation
    resume: bool = False  # CIFAR10: go on from the checkpoint


# ---------------------------------------------------------------- Dirac


def run_dirac(chosen: dict[str, Experiment], config: Config) -> None:
    """Play the games, draw dirac_trajectories.png and dirac_phase.png."""
    import dirac

    import training

    out, paths = Path(config.out), {}
    with training.one_thread():
        for experiment in training.progress(chosen.values(), desc="games"):
            paths[experiment] = dirac.play(experiment, config.seed, config.iterations or None)
    for (name, experiment), path in zip(chosen.items(), paths.values(), strict=True):
        theta, psi, average = path[-1].tolist()
        title = dirac.title_of(experiment)
        print(f"{name:13} {title:22} theta {theta:+.4f}  psi {psi:+.4f}  average {average:+.4f}")
    dirac.draw_trajectories(paths, out / "dirac_trajectories.png")
    without_average = {e: path for e, path in paths.items() if e.alpha_ema is None}  # with one, theta moves alike
    dirac.draw_phase_portraits(without_average or paths, out / "dirac_phase.png")
    print(f"figures: {out}")


# ---------------------------------------------------------------- CIFAR10


def endless(data, batch_size: int) -> Iterator[Tensor]:
    """Batches of images (B, 3, 32, 32), scaled to [-1, 1], pass after pass, without end."""
    while True:
        for images, _ in data.batches(batch_size, shuffle=True, drop_last=True):
            yield 2 * images - 1


def run_images(name: str, experiment: Experiment, config: Config, data=None, features=None) -> dict[str, list[float]]:
    """Train one configuration on images, evaluate it on the way, write everything into config.out/name.

    data: a data_loaders.ResidentDataset in the place of config.data. features: a network in the place of Inception.
    Returns the history: "metric", its mean since the last evaluation, "fid", "inception_score" and "step".
    """
    from evaluation import Evaluator, SmallFeatures
    from model import Critic, Generator

    import data_loaders
    import training

    device, out = training.pick_device(config.device), Path(config.out) / name
    training.tune_cpu()
    torch.set_float32_matmul_precision("high")  # TF32 where the GPU has it; convolutions use it anyway
    if data is None:
        data = data_loaders.load(config.data, "train", root=config.data_root, device=device)
    if config.features not in ("inception", "small"):
        raise training.TrainingError(f"there are no features {config.features!r}: choose inception or small.")
    if features is None and config.features == "small":
        features = SmallFeatures()
    # Before the training: whatever is missing for the evaluation is said now, not hours later.
    evaluator = Evaluator(data.images, device, features) if config.evaluate else None

    torch.manual_seed(config.seed)
    generator = Generator(config.z_dim, config.width, config.batch_size).to(device)
    critic = Critic(config.width, experiment.spectral_norm).to(device)
    test_generator = copy.deepcopy(generator)
    adam = {"betas": (0.0, 0.99), "fused": True}
    generator_optim = torch.optim.Adam(generator.parameters(), lr=experiment.lr_generator, **adam)
    decay = experiment.critic_weight_decay
    critic_optim = torch.optim.Adam(critic.parameters(), lr=experiment.lr_critic, weight_decay=decay, **adam)
    state = {
        "generator": generator, "critic": critic, "test_generator": test_generator,
        "generator_optim": generator_optim, "critic_optim": critic_optim,
    }  # fmt: skip
    history: dict[str, list[float]] = {"step": [], "metric": [], "fid": [], "inception_score": []}
    checkpoint = training.load_checkpoint(out / "checkpoint.pt", device) if config.resume else None
    if checkpoint:
        training.restore(checkpoint, **state)
        history = checkpoint["history"]

    penalty = experiment.reg_type, experiment.reg_cf
    train_step = make_train_step(experiment.loss_type, experiment.critic_inner_iters, *penalty, experiment.alpha_ema)
    batches, z = endless(data, config.batch_size), torch.randn(64, config.z_dim, device=device)
    last = config.iterations or experiment.iterations
    metrics: list[Tensor] = []  # tensors, so that no step waits for the GPU
    bar = training.progress(range(int(history["step"][-1]) if history["step"] else 0, last), desc=name)
    for step in bar:
        value = train_step(batches, critic, critic_optim, generator, test_generator, generator_optim)
        metrics.append(torch.as_tensor(value).detach())
        if (step + 1) % config.eval_every and step + 1 != last:
            continue
        history["step"].append(step + 1)
        history["metric"].append(float(torch.stack(metrics).mean()))
        metrics.clear()
        if evaluator:
            for key, number in evaluator(lambda n: draw(test_generator, n), config.eval_samples).items():
                history[key].append(number)
        bar.set_postfix({key: f"{values[-1]:.3f}" for key, values in history.items() if values and key != "step"})
        training.save_checkpoint(out / "checkpoint.pt", history=history, **state)
        log = {"experiment": dataclasses.asdict(experiment), **history}
        (out / "history.json").write_text(json.dumps(log, indent=1))
        images = draw(test_generator, 64, z)
        training.save_grid(images, out / f"samples_{step + 1:06}.png", columns=8, title=f"{name}, step {step + 1}")
        draw_history(history, experiment, out / "metric_and_fid.png", name)
    return history


@torch.inference_mode()
def draw(generator, n: int, z: Tensor | None = None) -> Tensor:
    """n images in [0, 1]."""
    return (generator(n, z) + 1) / 2


def draw_history(history: dict[str, list[float]], experiment: Experiment, path: Path, title: str) -> None:
    """The metric and FID over the steps of the generator, in one plot with two scales."""
    from matplotlib.figure import Figure

    import training

    figure = Figure(figsize=(6.5, 4.0), layout="constrained")
    left = figure.subplots()
    left.plot(history["step"], history["metric"], "o-", color="tab:blue", markersize=3)
    left.set_xlabel("steps of the generator")
    left.set_ylabel(f"{experiment.loss_type}, estimated by the critic", color="tab:blue")
    left.set_title(title, fontsize=10)
    if history["fid"]:
        right = left.twinx()
        right.plot(history["step"], history["fid"], "s-", color="tab:red", markersize=3)
        right.set_ylabel("FID (smaller is better)", color="tab:red")
    training.save_figure(figure, path)


def main(argv: list[str] | None = None) -> None:
    # The repository's own packages are found from any folder, installed or not.
    sys.path += map(str, Path(__file__).resolve().parents[:3])
    import data_loaders
    import training

    config = training.parse_config(Config, argv, description="Run the GAN experiments of question 2, by name.")
    known = experiments()
    exact = {name: e for name, e in known.items() if name == config.config}
    chosen = exact or {name: e for name, e in known.items() if name.startswith(config.config)}
    if not chosen:
        sys.exit("\n".join(["the names are:", *known]))
    try:
        games = {name: e for name, e in chosen.items() if name.startswith("dirac")}
        if games:
            run_dirac(games, config)
        started = time.monotonic()
        results = {name: run_images(name, e, config) for name, e in chosen.items() if name not in games}
        for name, history in results.items():
            last = "  ".join(f"{key} {values[-1]:.3f}" for key, values in history.items() if values and key != "step")
            print(f"{name}: step {history['step'][-1]}  {last}")
        if results:
            print(f"{(time.monotonic() - started) / 60:.1f} minutes; figures, histories and checkpoints: {config.out}")
    except (data_loaders.DataError, training.TrainingError) as error:
        sys.exit(f"error: {error}")
    except NotImplementedError as error:
        sys.exit(f"still to do: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped: the same command with --resume goes on from the last checkpoint")


if __name__ == "__main__":
    main()
