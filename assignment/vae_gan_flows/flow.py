"""Given: a planar flow, and the two targets of question 3.

A planar transformation is invertible if u.w >= -1: its Jacobian's determinant 1 + h' u.w stays positive, since the
slope h' of tanh lies in (0, 1]. Training may leave this region; then two points can have the same image, and the change
of variables no longer gives the density of a distribution that sums to one. `Flow(..., invertible=True)` puts the part
of u along w where it belongs (Rezende and Mohamed 2015, appendix A.1).
"""

import math

import torch
import torch.nn.functional as F
from solution import get_logdet, planar_transformation
from torch import Tensor, nn


class Flow(nn.Module):
    """A composition of planar transformations: z (B, D) -> x (B, D) and the sum of their log-determinants (B,)."""

    def __init__(self, dim: int, num_layers: int, invertible: bool = False):
        super().__init__()
        self.invertible = invertible
        self.u = nn.Parameter(0.1 * torch.randn(num_layers, dim))
        self.w = nn.Parameter(torch.randn(num_layers, dim))
        self.b = nn.Parameter(torch.zeros(num_layers, 1))

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        logdet = z.new_zeros(len(z))
        for u, w, b in zip(self.u, self.w, self.b, strict=True):
            if self.invertible:
                u = constrained(u, w)
            logdet = logdet + get_logdet(z=z, u=u, w=w, b=b)
            z = planar_transformation(z=z, u=u, w=w, b=b)
        return z, logdet


def constrained(u: Tensor, w: Tensor) -> Tensor:
    """The u (D,) with u.w > -1: u.w becomes m(u.w) = softplus(u.w + log(e - 1)) - 1, by a step along w.

    The paper's m has no log(e - 1). With it m(0) = 0: small u stay small, and a new flow is close to the identity.
    """
    inner = u @ w
    return u + (F.softplus(inner + math.log(math.e - 1)) - 1 - inner) * w / (w @ w)


# ---------------------------------------------------------------- targets


def shape_of_arcs(z: Tensor) -> Tensor:
    """Two arcs of the circle of radius 2, left and right: the shape of a density, (B,), not normalized."""
    radius = z.norm(dim=1)
    sides = torch.stack([z[:, 0] - 2, z[:, 0] + 2])
    return torch.exp(-0.5 * ((radius - 2) / 0.4) ** 2) * torch.exp(-0.5 * (sides / 0.6) ** 2).sum(dim=0)


def shape_of_sine(z: Tensor) -> Tensor:
    """A ridge along a sine wave that fades out on both sides: the shape of a density, (B,), not normalized."""
    ridge = torch.exp(-0.5 * ((z[:, 1] - torch.sin(0.5 * math.pi * z[:, 0])) / 0.4) ** 2)
    return ridge * torch.exp(-0.5 * (z[:, 0] / 1.8) ** 4)


class Target:
    """A density of the plane, from its shape: `density(z)` (B,) normalized, `sample(n)` (n, 2), `entropy` in nats.

    All on a fine grid of [-5, 5]^2, outside of which there is nothing.
    """

    REACH, CELLS = 5.0, 800

    def __init__(self, shape):
        self.shape = shape
        self.cell = 2 * self.REACH / self.CELLS
        axis = -self.REACH + self.cell * (torch.arange(self.CELLS) + 0.5)
        self.grid = torch.cartesian_prod(axis, axis)
        mass = shape(self.grid)
        self.constant = float(mass.sum()) * self.cell**2
        self.probability = mass / mass.sum()
        log_density = (self.probability / self.cell**2).clamp(min=1e-30).log()
        self.entropy = -float((self.probability * log_density).sum())

    def density(self, z: Tensor) -> Tensor:
        # Far out, where the shape is 0 in single precision, a logarithm would be infinite.
        return (self.shape(z) / self.constant).clamp(min=1e-30)

    def sample(self, n: int) -> Tensor:
        chosen = torch.multinomial(self.probability, n, replacement=True)
        return self.grid[chosen] + self.cell * (torch.rand(n, 2) - 0.5)


arcs = Target(shape_of_arcs)
sine = Target(shape_of_sine)
data_arcs, data_sine = arcs.sample, sine.sample
density_arcs, density_sine = arcs.density, sine.density
