"""Given: the mixture of two Gaussians of question 2, and its data set, made from a student number.

Read by train_score.py and by the grader. The numbers follow from a hash of the student number, and the points from
numpy's RandomState, whose streams are frozen: so they are the same on every machine. No global random state is touched.
"""

import hashlib
import math
import unicodedata
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor


class Mixture(NamedTuple):
    """w_1 N(mu_1, Sigma_1) + w_2 N(mu_2, Sigma_2); also weights, means, covs = mixture."""

    weights: Tensor  # (2,)
    means: Tensor  # (2, 2), a row for each Gaussian
    covs: Tensor  # (2, 2, 2)


def canonical(student_number: int | str) -> str:
    """The number in plain digits: " 810100123 ", or the same in Persian digits, is 810100123; a word stays a word."""
    text = unicodedata.normalize("NFKC", str(student_number)).strip()
    return "".join(str(unicodedata.digit(c, c)) for c in text)


def uniform_numbers(text: str, count: int) -> list[float]:
    """Numbers in [0, 1) that follow from a text, 32 random bits each."""
    blocks = (hashlib.sha256(f"{text} {i}".encode()).digest() for i in range(count))
    return [int.from_bytes(block[:4], "big") / 2**32 for block in blocks]


def student_mixture(student_number: int | str, dtype: torch.dtype = torch.float32) -> Mixture:
    """The mixture of a student: two well separated Gaussians, one heavier, with correlated coordinates.

    The means are 12 to 18 apart; the standard deviations along the axes of each Gaussian are 1 to 2.5; the larger
    weight is 0.65 to 0.8.
    """
    u = uniform_numbers(f"ddim_score mixture of {canonical(student_number)}", 12)
    heavy = 0.65 + 0.15 * u[0]
    weights = [heavy, 1 - heavy] if u[1] < 0.5 else [1 - heavy, heavy]
    angle, distance = 2 * math.pi * u[2], 12 + 6 * u[3]
    centre = torch.tensor([6 * u[4] - 3, 6 * u[5] - 3], dtype=torch.float64)
    arm = distance / 2 * torch.tensor([math.cos(angle), math.sin(angle)], dtype=torch.float64)
    covs = [covariance(1 + 1.5 * u[i], 1 + 1.5 * u[i + 1], math.pi * u[i + 2]) for i in (6, 9)]
    values = torch.tensor(weights, dtype=torch.float64), torch.stack([centre + arm, centre - arm]), torch.stack(covs)
    return Mixture(*(value.to(dtype) for value in values))


def covariance(std1: float, std2: float, angle: float) -> Tensor:
    """(2, 2): standard deviations std1 and std2 along two axes that are turned by an angle."""
    c, s = math.cos(angle), math.sin(angle)
    cross = c * s * (std1**2 - std2**2)
    first, second = (c * std1) ** 2 + (s * std2) ** 2, (s * std1) ** 2 + (c * std2) ** 2
    return torch.tensor([[first, cross], [cross, second]], dtype=torch.float64)


def student_data(student_number: int | str, count: int = 10_000) -> Tensor:
    """(count, 2) float32: independent draws from the student's mixture."""
    seed = hashlib.sha256(f"ddim_score data of {canonical(student_number)}".encode()).digest()
    random = np.random.RandomState(np.frombuffer(seed, dtype="<u4"))
    weights, means, covs = student_mixture(student_number, torch.float64)
    first = torch.from_numpy(random.random_sample(count)) < weights[0]
    normal = torch.from_numpy(random.standard_normal((count, 2)))
    points = means[:, None] + normal @ torch.linalg.cholesky(covs).mT  # (2, count, 2): every point in both Gaussians
    return torch.where(first[:, None], points[0], points[1]).float()


def log_density(x: Tensor, mixture: Mixture) -> Tensor:
    """log p(x) (B,) of points x (B, 2): for contour lines. (Its gradient is what you derive in Q2.1.)"""
    weights, means, covs = mixture
    gaussians = torch.distributions.MultivariateNormal(means, covs)
    return (weights.log() + gaussians.log_prob(x[:, None])).logsumexp(dim=1)
