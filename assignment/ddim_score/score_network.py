"""Given: the network of question 2, s_theta(x, sigma)."""

import torch
from torch import Tensor, nn


class ScoreNetwork(nn.Module):
    """The score of the noisy data, for points x (B, 2): (B, 2).

    sigma: the noise, one number for all points or a tensor (B, 1).

    A network of moderate numbers: the point is scaled down, log sigma is a third input, and the output is divided by
    sigma, since scores of noisy data are of the size 1 / sigma.
    """

    def __init__(self, width: int = 128, scale: float = 10.0):
        super().__init__()
        self.scale = scale
        self.layers = nn.Sequential(
            nn.Linear(3, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(),
            nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 2),
        )  # fmt: skip

    def forward(self, x: Tensor, sigma: float | Tensor) -> Tensor:
        sigma = torch.as_tensor(sigma, dtype=x.dtype, device=x.device).reshape(-1, 1).expand(len(x), 1)
        return self.layers(torch.cat([x / self.scale, sigma.log()], dim=1)) / sigma
