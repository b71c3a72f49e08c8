"""Given: all figures of question 2, for your student number. On a CPU: under three minutes.

    python train_score.py --student 810100123
    python train_score.py --student 810100123 --n-steps 300        a quick look

Figures in --out: score_true.png (Q2.1), losses.png and score_fixed_sigma.png (Q2.4), paths.png (Q2.6), scatter.png
(Q2.7), score_many_sigmas.png and paths_annealed.png (Q2.8).
"""

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import plots
import torch
from mixture import student_data, student_mixture
from score import (
    annealed_langevin_sampling,
    deterministic_sampling,
    langevin_sampling,
    score_function_gt,
    train_score_model,
)
from score_network import ScoreNetwork

sys.path += map(str, Path(__file__).resolve().parents[:3])  # training: found without installation

import training


@dataclass(frozen=True)
class Config:
    """The settings; each is an option of the command line."""

    student: str = ""  # your student number: it makes your mixture and your data
    out: str = "runs/score"  # folder for the figures
    seed: int = 0  # of the weights and all noise
    n_steps: int = 2000  # steps of each training
    starts: int = 1000  # points that are sampled at once in scatter.png


def main(config: Config) -> None:
    if not config.student:
        raise training.TrainingError("give your student number: --student 810100123.")
    torch.manual_seed(config.seed)
    out, started = Path(config.out), time.monotonic()
    mixture, data = student_mixture(config.student), student_data(config.student)
    limit = 1 + float(data.abs().max())
    print(f"weights {mixture.weights.tolist()}\nmeans {mixture.means.tolist()}\ncovariances {mixture.covs.tolist()}")

    def true_score(x):
        return score_function_gt(x, *mixture)

    plots.draw_fields(out / "score_true.png", {"true score, data": true_score}, mixture, limit, data)

    models, losses = {}, {}
    for name, sigma_range in {"1": (1.0, 1.0), "3": (3.0, 3.0), "7": (7.0, 7.0), "in [1, 20]": (1.0, 20.0)}.items():
        model = models[name] = ScoreNetwork()
        losses[f"sigma {name}"] = train_score_model(model, data, sigma_range, n_steps=config.n_steps)
        if sigma_range[0] < sigma_range[1]:
            # One model for all sigmas has more to learn, and small sigmas, whose losses are large, disturb the others:
            # a second phase of small steps and large batches.
            gently = torch.optim.Adam(model.parameters(), lr=2e-4)
            losses[f"sigma {name}"] += train_score_model(
                model, data, sigma_range, n_steps=config.n_steps, batch_size=2048, optimizer=gently
            )
        print(f"sigma {name}: trained, {time.monotonic() - started:.0f} s so far")
    plots.draw_losses(out / "losses.png", losses)
    fields = {f"sigma = {s}": lambda x, s=s: models[s](x, float(s)) for s in ("1", "3", "7")}
    plots.draw_fields(out / "score_fixed_sigma.png", {"true score": true_score} | fields, mixture, limit)
    many = {f"one model, sigma = {s}": lambda x, s=s: models["in [1, 20]"](x, s) for s in (20.0, 7.0, 3.0, 1.0)}
    plots.draw_fields(out / "score_many_sigmas.png", many, mixture, limit)

    angle = torch.arange(6) * torch.pi / 3
    few = 0.8 * limit * torch.stack([angle.cos(), angle.sin()], dim=1)
    cloud = limit * (2 * torch.rand(config.starts, 2) - 1)
    walk = {"step_size": 0.1, "num_steps": 400}
    levels = torch.logspace(torch.tensor(20.0).log10(), 0, 12).tolist()  # 20, ..., 1
    annealed = {"sigmas": levels, "step_size": 0.1, "num_steps": 60}

    def samples(start):
        """The path of each method, by its title."""
        return {
            "deterministic, sigma = 1": deterministic_sampling(models["1"], start, sigma_t=1.0, **walk),
            "Langevin, sigma = 1": langevin_sampling(models["1"], start, sigma_t=1.0, **walk),
            "Langevin, sigma = 7": langevin_sampling(models["7"], start, sigma_t=7.0, **walk),
            "annealed Langevin": annealed_langevin_sampling(models["in [1, 20]"], start, **annealed),
        }

    walks = samples(few)
    level_ends = walks.pop("annealed Langevin")[:: annealed["num_steps"]]
    plots.draw_paths(out / "paths.png", walks, mixture, limit)
    plots.draw_paths(out / "paths_annealed.png", {"annealed, the end of each level": level_ends}, mixture, 2 * limit)
    ends = {title: path[-1] for title, path in samples(cloud).items()}
    plots.draw_scatters(out / "scatter.png", {"data": data[: config.starts]} | ends, mixture, limit)
    print(f"{time.monotonic() - started:.0f} seconds; figures: {out}")


if __name__ == "__main__":
    try:
        main(training.parse_config(Config, description=__doc__.splitlines()[0]))
    except training.TrainingError as error:
        sys.exit(f"error: {error}")
    except NotImplementedError as error:
        sys.exit(f"still to do: {error}")
