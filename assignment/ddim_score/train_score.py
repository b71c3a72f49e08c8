"""Given: all figures of question 2, for your student number. On a CPU: about a minute.

    python train_score.py                      your number is read from score.py: STUDENT_NUMBER
    python train_score.py --n-steps 300        a quick look

Figures in --out: score_true.png (Q2.1), losses.png and score_fixed_sigma.png (Q2.4), paths.png (Q2.6), scatter.png
(Q2.7), score_many_sigmas.png and paths_annealed.png (Q2.8).
"""

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import score
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
from torch import Tensor

sys.path += map(str, Path(__file__).resolve().parents[:3])  # training: found without installation

import plots

import training


@dataclass(frozen=True)
class Config:
    """The settings; each is an option of the command line."""

    student: str = ""  # a student number, which makes mixture and data; without it, the one that score.py states
    out: str = "runs/score"  # folder for the figures
    seed: int = 0  # of the weights and all noise
    n_steps: int = 2000  # steps of each training
    starts: int = 1000  # points that are sampled at once in scatter.png


# The noise that each model sees in training: constant, or all of a range.
SIGMAS = {"1": (1.0, 1.0), "3": (3.0, 3.0), "7": (7.0, 7.0), "in [1, 20]": (1.0, 20.0)}
ALL = "in [1, 20]"


class Lab:
    """A student's mixture and data, and the models trained so far: one step of the question after the other.

    Raises:
        training.TrainingError: the settings lack the student number.
    """

    def __init__(self, config: Config):
        student = config.student or str(getattr(score, "STUDENT_NUMBER", ""))
        if not student:
            raise training.TrainingError('state your student number in score.py: STUDENT_NUMBER = "810100123".')
        self.config, self.out = config, Path(config.out)
        torch.manual_seed(config.seed)
        self.mixture, self.data = student_mixture(student), student_data(student)
        self.limit = 1 + float(self.data.abs().max())  # half the side of the figures' square
        self.models: dict[str, ScoreNetwork] = {}
        self.losses: dict[str, list[float]] = {}

    def true_score(self, x: Tensor) -> Tensor:
        return score_function_gt(x, *self.mixture)

    def draw_true_score(self) -> None:
        """score_true.png"""
        fields = {"true score, data": self.true_score}
        plots.draw_fields(self.out / "score_true.png", fields, self.mixture, self.limit, self.data)

    def train(self, *names: str) -> None:
        """Train the models of these names, the keys of SIGMAS; losses.png shows all models trained so far."""
        for name in names:
            started, sigma_range, n_steps = time.monotonic(), SIGMAS[name], self.config.n_steps
            model = self.models[name] = ScoreNetwork()
            with training.one_thread():
                losses = train_score_model(model, self.data, sigma_range, n_steps=n_steps)
                if sigma_range[0] < sigma_range[1]:
                    # One model for all sigmas has more to learn, and small sigmas, whose losses are large, disturb the
                    # others: a second phase of small steps and large batches.
                    gently = torch.optim.Adam(model.parameters(), lr=2e-4)
                    losses += train_score_model(
                        model, self.data, sigma_range, n_steps=n_steps, batch_size=2048, optimizer=gently
                    )
            self.losses[f"sigma {name}"] = losses
            print(f"sigma {name}: trained in {time.monotonic() - started:.0f} s")
        plots.draw_losses(self.out / "losses.png", self.losses)
        (self.out / "losses.json").write_text(json.dumps(self.losses))

    def draw_fixed_scores(self) -> None:
        """score_fixed_sigma.png"""
        fields = {f"sigma = {s}": lambda x, s=s: self.models[s](x, float(s)) for s in ("1", "3", "7")}
        fields = {"true score": self.true_score} | fields
        plots.draw_fields(self.out / "score_fixed_sigma.png", fields, self.mixture, self.limit)

    def draw_many_scores(self) -> None:
        """score_many_sigmas.png"""
        fields = {f"one model, sigma = {s}": lambda x, s=s: self.models[ALL](x, s) for s in (20.0, 7.0, 3.0, 1.0)}
        plots.draw_fields(self.out / "score_many_sigmas.png", fields, self.mixture, self.limit)

    def walks(self, start: Tensor) -> dict[str, list[Tensor]]:
        """The paths of both samplers at constant sigma, by their titles, from start (B, 2)."""
        walk = {"step_size": 0.1, "num_steps": 400}
        return {
            "deterministic, sigma = 1": deterministic_sampling(self.models["1"], start, sigma_t=1.0, **walk),
            "Langevin, sigma = 1": langevin_sampling(self.models["1"], start, sigma_t=1.0, **walk),
            "Langevin, sigma = 7": langevin_sampling(self.models["7"], start, sigma_t=7.0, **walk),
        }

    def annealed_walk(self, start: Tensor) -> list[Tensor]:
        """The annealed sampler's points at the start (B, 2) and at the end of each level."""
        levels = torch.logspace(torch.tensor(20.0).log10(), 0, 12).tolist()  # 20, ..., 1
        path = annealed_langevin_sampling(self.models[ALL], start, sigmas=levels, step_size=0.1, num_steps=60)
        return path[::60]

    def few_starts(self) -> Tensor:
        """(6, 2), on a circle"""
        angle = torch.arange(6) * torch.pi / 3
        return 0.8 * self.limit * torch.stack([angle.cos(), angle.sin()], dim=1)

    def draw_paths(self) -> None:
        """paths.png"""
        plots.draw_paths(self.out / "paths.png", self.walks(self.few_starts()), self.mixture, self.limit)

    def draw_annealed_paths(self) -> None:
        """paths_annealed.png"""
        walks = {"annealed, the end of each level": self.annealed_walk(self.few_starts())}
        plots.draw_paths(self.out / "paths_annealed.png", walks, self.mixture, 2 * self.limit)

    def draw_scatter(self) -> None:
        """scatter.png: the data, and where each method brings points that start all over the square."""
        start = self.limit * (2 * torch.rand(self.config.starts, 2) - 1)
        walks = self.walks(start)
        if ALL in self.models:
            walks["annealed Langevin"] = self.annealed_walk(start)
        clouds = {"data": self.data[: self.config.starts]} | {title: path[-1] for title, path in walks.items()}
        plots.draw_scatters(self.out / "scatter.png", clouds, self.mixture, self.limit)


def main(config: Config) -> None:
    started, lab = time.monotonic(), Lab(config)
    weights, means, covs = lab.mixture
    print(f"weights {weights.tolist()}\nmeans {means.tolist()}\ncovariances {covs.tolist()}")
    lab.draw_true_score()
    lab.train(*SIGMAS)
    lab.draw_fixed_scores()
    lab.draw_many_scores()
    lab.draw_paths()
    lab.draw_annealed_paths()
    lab.draw_scatter()
    print(f"{time.monotonic() - started:.0f} seconds; figures: {config.out}")


if __name__ == "__main__":
    try:
        main(training.parse_config(Config, description=__doc__.splitlines()[0]))
    except training.TrainingError as error:
        sys.exit(f"error: {error}")
    except NotImplementedError as error:
        sys.exit(f"still to do: {error}")
