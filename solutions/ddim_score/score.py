"""Question 2: score-based models, on a mixture of two Gaussians that is made from your student number.

    score matching   Vincent 2011, "A connection between score matching and denoising autoencoders"
    annealing        Song and Ermon 2019, https://arxiv.org/abs/1907.05600

You complete this file; train_score.py and the grader read it. Given: mixture.py (your mixture and its data set) and
score_network.py (the network). The score of a density p is the vector field grad_x log p(x).

model(x, sigma) is a network s_theta: x (B, 2) -> (B, 2), the score of the data with noise of standard deviation sigma.
sigma is a number for all points, or a tensor (B, 1) with one for each.

Convention of Langevin dynamics, everywhere in this file:  x <- x + step * score + sqrt(2 step) z.
(Song and Ermon write step / 2 and sqrt(step): the same with half the step.)
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

# Your student number, in quotes: "810100123". It makes your mixture and your data set, here and when you are graded.
STUDENT_NUMBER = ""


def score_function_gt(x: Tensor, weights: Tensor, means: Tensor, covs: Tensor) -> Tensor:
    """The true score of the mixture, in closed form.

        p(x) = w_1 N(x; mu_1, Sigma_1) + w_2 N(x; mu_2, Sigma_2)
        grad log p(x) = sum_k r_k(x) (-Sigma_k^{-1} (x - mu_k)),   r_k(x) = w_k N(x; mu_k, Sigma_k) / p(x)

    x: (B, 2).  weights: (2,), positive, sum 1.  means: (2, 2), a row for each Gaussian.  covs: (2, 2, 2), covariances.
    Returns (B, 2), of the dtype of x.
    The pitfall: far from both means the densities are 0 in floating-point numbers, and 0 / 0 is NaN; their logarithms
    are harmless. The score there is finite, and graded.
    """
    # BEGIN SOLUTION Q2.1: log w_k + log N_k for both; responsibilities by softmax; the weighted sum of both scores.
    diff = x[:, None, :] - means  # (B, 2, 2): point, Gaussian, coordinate
    pull = -(torch.linalg.inv(covs) @ diff[..., None]).squeeze(-1)  # (B, 2, 2): the score of each Gaussian
    log_joint = weights.log() + 0.5 * (diff * pull).sum(dim=-1) - 0.5 * torch.logdet(covs)  # (B, 2), up to a constant
    responsibilities = log_joint.softmax(dim=1)
    return (responsibilities[..., None] * pull).sum(dim=1)
    # END SOLUTION


def add_noise(x: Tensor, sigma: float | Tensor) -> tuple[Tensor, Tensor]:
    """Perturb the data.

        x~ = x + epsilon,   epsilon ~ N(0, sigma^2 I)

    x: (B, 2).  sigma: standard deviation, a number or a tensor (B, 1).
    Returns x~ (B, 2) and epsilon (B, 2): epsilon has the standard deviation sigma already. x stays as it is.
    """
    # BEGIN SOLUTION Q2.2: standard normal noise, scaled once; return the sum and the scaled noise.
    epsilon = sigma * torch.randn_like(x)
    return x + epsilon, epsilon
    # END SOLUTION


def score_matching_loss(model: nn.Module, x_noisy: Tensor, epsilon: Tensor, sigma: float | Tensor) -> Tensor:
    """Denoising score matching.

        L = 1/2 E || s_theta(x~, sigma) + epsilon / sigma^2 ||^2                                  [Vincent, eq. (11)]

    since grad log N(x~; x, sigma^2 I) = -(x~ - x) / sigma^2 = -epsilon / sigma^2.

    x_noisy, epsilon: (B, 2), from add_noise.  sigma: a number or a tensor (B, 1).
    Returns a scalar: half the squared norm, summed over the coordinates, averaged over the batch.
    """
    # BEGIN SOLUTION Q2.3: the score at the noisy points, its distance from the target, squared norm, half the mean.
    error = model(x_noisy, sigma) + epsilon / sigma**2
    return 0.5 * error.square().sum(dim=1).mean()
    # END SOLUTION


def train_score_model(
    model: nn.Module,
    data: Tensor,
    sigma_range: tuple[float, float],
    n_steps: int = 3000,
    batch_size: int = 512,
    optimizer: torch.optim.Optimizer | None = None,
) -> list[float]:
    """Train the network by denoising score matching.

    data: (N, 2).  sigma_range: (smallest, largest) noise. Each point of a batch gets a sigma of its own, uniform in
    this range; (3.0, 3.0) is the constant sigma = 3.
    n_steps: steps of the optimizer.  batch_size: points in each, drawn at random from the data.
    optimizer: None takes Adam with learning rate 1e-3.
    Returns the loss of each step, n_steps numbers.
    """
    if optimizer is None:
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    losses = []
    for _ in range(n_steps):
        # BEGIN SOLUTION Q2.4: a random batch, a sigma (B, 1), noise, loss; clear, backward, step; keep the loss.
        low, high = sigma_range
        x = data[torch.randint(0, len(data), (batch_size,), device=data.device)]
        sigma = low + (high - low) * torch.rand(batch_size, 1, device=data.device, dtype=data.dtype)
        x_noisy, epsilon = add_noise(x=x, sigma=sigma)
        loss = score_matching_loss(model=model, x_noisy=x_noisy, epsilon=epsilon, sigma=sigma)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        # END SOLUTION
    return losses


@torch.no_grad()
def deterministic_sampling(
    model: nn.Module, start_point: Tensor, sigma_t: float, step_size: float, num_steps: int
) -> list[Tensor]:
    """Follow the score uphill, without noise.

        x_{k+1} = x_k + step_size * s_theta(x_k, sigma_t)

    start_point: (B, 2), all points at once.
    Returns the path: a list of num_steps + 1 tensors (B, 2), the start first. start_point stays as it is.
    The pitfall: `x += ...` changes the tensors that are in the list already.
    """
    # BEGIN SOLUTION Q2.5: in each step move along the score, and keep the new points.
    path = [start_point]
    for _ in range(num_steps):
        x = path[-1]
        path.append(x + step_size * model(x, sigma_t))
    return path
    # END SOLUTION


@torch.no_grad()
def langevin_sampling(
    model: nn.Module, start_point: Tensor, sigma_t: float, step_size: float, num_steps: int
) -> list[Tensor]:
    """Langevin dynamics: follow the score, and add noise, so that the points become samples.

        x_{k+1} = x_k + step_size * s_theta(x_k, sigma_t) + sqrt(2 step_size) z,   z ~ N(0, I)

    start_point: (B, 2), all points at once; every point has noise of its own.
    Returns the path: a list of num_steps + 1 tensors (B, 2), the start first. start_point stays as it is.
    The pitfall: sqrt(2 step_size) is the standard deviation of the noise.
    """
    # BEGIN SOLUTION Q2.6: as before, with fresh noise in each step.
    path = [start_point]
    for _ in range(num_steps):
        x = path[-1]
        path.append(x + step_size * model(x, sigma_t) + (2 * step_size) ** 0.5 * torch.randn_like(x))
    return path
    # END SOLUTION


@torch.no_grad()
def annealed_langevin_sampling(
    model: nn.Module, start_point: Tensor, sigmas: Sequence[float], step_size: float, num_steps: int
) -> list[Tensor]:
    """Annealed Langevin dynamics: Langevin dynamics at one noise level after the other, large ones first.

        at level i:  num_steps steps of Langevin dynamics with s_theta(., sigma_i) and the step
        step_i = step_size * sigma_i^2 / sigma_L^2                               [Song and Ermon 2019, Algorithm 1]

    start_point: (B, 2), all points at once.
    sigmas: sigma_1 > ... > sigma_L, the levels, in the order in which they are used.
    step_size: the step of the last level, sigma_L.  num_steps: steps at each level.
    Returns the path: a list of len(sigmas) * num_steps + 1 tensors (B, 2), the start first.
    Each level goes on where the one before ended. The pitfall: that point is in the path only once.
    """
    # BEGIN SOLUTION Q2.8: for each level its step, then langevin_sampling from the last point; join the paths.
    path = [start_point]
    for sigma in sigmas:
        step = step_size * (sigma / sigmas[-1]) ** 2
        level = langevin_sampling(model=model, start_point=path[-1], sigma_t=sigma, step_size=step, num_steps=num_steps)
        path += level[1:]
    return path
    # END SOLUTION
