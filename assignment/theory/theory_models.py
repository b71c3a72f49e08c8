"""Given: the small models of question 3, and three functions that many answers need. Read it; leave it as it is.

Everything is one-dimensional and linear-Gaussian, so that each expectation of question 3 is a closed formula. Tuples
have one entry for each step: entry [t - 1] belongs to the handout's t = 1 .. T.
"""

import math
from dataclasses import dataclass, replace


def sigmoid(x: float) -> float:
    """The logistic function sigma(x) = 1 / (1 + exp(-x)), of a number."""
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def logit(p: float) -> float:
    """Its inverse, for p in (0, 1)."""
    return math.log(p) - math.log1p(-p)


def log_normal(x: float, mean: float, variance: float) -> float:
    """log N(x; mean, variance). The last argument is a variance, not a standard deviation."""
    return -0.5 * math.log(2 * math.pi * variance) - (x - mean) ** 2 / (2 * variance)


@dataclass(frozen=True)
class Chain:
    """A diffusion of T steps, and a model that goes back.

    q(x_t | x_{t-1}) = N(sqrt(1 - beta_t) x_{t-1}, beta_t)
    p(x_{t-1} | x_t) = N(a_t x_t + b_t, s_t),        p(x_T) = N(0, 1)
    """

    betas: tuple[float, ...]  # beta_t, in (0, 1)
    slopes: tuple[float, ...]  # a_t
    offsets: tuple[float, ...]  # b_t
    variances: tuple[float, ...]  # s_t > 0

    @property
    def T(self) -> int:
        return len(self.betas)


@dataclass(frozen=True)
class Joint:
    """A VAE for (c, z) and, given both, a diffusion for x.

    p(z) = N(0, 1),     p_theta(c | z) = N(decoder_slope z, decoder_variance),      p(x_T | c, z) = N(0, 1)
    p_phi(x_{t-1} | x_t, c, z) = N(a_t x_t + b_t + k_t z + l_t c, s_t)
    q_psi(z | c, x_0) = N(encoder_c c + encoder_x x_0, encoder_variance)
    """

    chain: Chain  # the betas, a_t, b_t, s_t
    z_slopes: tuple[float, ...]  # k_t
    c_slopes: tuple[float, ...]  # l_t
    decoder_slope: float
    decoder_variance: float
    encoder_c: float
    encoder_x: float
    encoder_variance: float

    def encoder_mean(self, c: float, x_0: float) -> float:
        """The mean of q_psi(z | c, x_0)."""
        return self.encoder_c * c + self.encoder_x * x_0

    def chain_given(self, z: float, c: float) -> Chain:
        """The diffusion for fixed z and c: a Chain with the offsets b_t + k_t z + l_t c."""
        terms = zip(self.chain.offsets, self.z_slopes, self.c_slopes, strict=True)
        return replace(self.chain, offsets=tuple(b + k * z + l * c for b, k, l in terms))
