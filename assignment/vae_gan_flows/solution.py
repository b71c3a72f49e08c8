"""Question 3: planar flows. You complete this file; flow.py and train.py use it.

B is the batch size, D the dimension. A planar transformation f has the parameters u and w, tensors (D,) or (1, D), and
b, a number as a tensor () or (1,). Nothing may depend on a particular B or D.

[R&M] D. J. Rezende, S. Mohamed: Variational Inference with Normalizing Flows. ICML 2015, arXiv:1505.05770.
"""

import math

import torch
from torch import Tensor


def planar_transformation(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Tensor:
    """Move every point along u, by an amount that depends on where it lies along w.

        f(z) = z + u tanh(w^T z + b)                                                        [R&M, eq. (10)]

    Args:
        z: (B, D) the points.
        u, w: (D,) or (1, D).
        b: () or (1,).

    Returns:
        (B, D): the transformed points.
    """
    # TODO Q3.1: one number w.z + b for each point, through tanh, times u.
    raise NotImplementedError("Q3.1: planar_transformation")


def get_logdet(z: Tensor, u: Tensor, w: Tensor, b: Tensor) -> Tensor:
    """Logarithm of the absolute value of the determinant of the Jacobian of f at each point.

        ln | det df/dz |,   by   det(A + V W^T) = det(I + W^T A^-1 V) det(A)             [R&M, eq. (12)]

    Args:
        z: (B, D) the points at which the Jacobian is taken (before the transformation).
        u, w: (D,) or (1, D).
        b: () or (1,).

    Returns:
        (B,): one number for each point. Where f turns space over, the determinant is negative: its absolute value
        counts. Not tested where it is 0.
    """
    # TODO Q3.2: with the lemma, the determinant takes one scalar product for each point.
    raise NotImplementedError("Q3.2: get_logdet")


def loss1(x: Tensor, logdet: Tensor) -> Tensor:
    """Negative log-likelihood of data under a flow g from the data to the base distribution N(0, I).

        -ln P_{g^-1(U)}(x_data),   x = g(x_data),   logdet = ln |det dg/dx_data|                  [R&M, eq. (5)]

    Args:
        x: (B, D) the images of the data under the whole flow.
        logdet: (B,) the flow's log-determinants at the data.

    Returns:
        (B,): one number for each point, in nats, with all constants.
    """
    # TODO Q3.3: change of variables: the density of the base distribution at x, and the change of volume.
    raise NotImplementedError("Q3.3: loss1")


def loss2(density: Tensor, z0: Tensor, logdet: Tensor) -> Tensor:
    """Loss of a flow f from the base distribution N(0, I) that shall produce samples of a given density p.

        ln q(z) - ln p(z),   z = f(z0),   z0 ~ N(0, I),   q the density of z               [R&M, eq. (13) and (15)]

    Its mean over z0 is KL(q || p) when p is normalized.

    Args:
        density: (B,) the target's density p(z) at the flow's outputs; positive, not its logarithm.
        z0: (B, D) the points that the flow started from.
        logdet: (B,) ln |det df/dz0|, the flow's log-determinants at z0.

    Returns:
        (B,): one number for each point, in nats, with all constants. Not tested where the density is 0.
    """
    # TODO Q3.4: the density of z by change of variables from z0, against the target's.
    raise NotImplementedError("Q3.4: loss2")
