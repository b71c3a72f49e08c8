"""Question 1: the probabilities a VAE is built from. You complete this file; q1_train_vae.py uses it.

B is the batch size, D the dimension, K the number of samples. Inputs are float tensors (B, D), or (B, ...) with more
dimensions, such as images (B, 1, 28, 28), which each function flattens to (B, D) itself.

[K&W] D. P. Kingma, M. Welling: Auto-Encoding Variational Bayes. ICLR 2014, arXiv:1312.6114.
"""

import math

import torch
from torch import Tensor


def log_likelihood_bernoulli(mu: Tensor, target: Tensor) -> Tensor:
    """Log-likelihood of each sample under a product of D independent Bernoulli distributions.

        log p(x) = sum_i  x_i log mu_i + (1 - x_i) log(1 - mu_i)                     [K&W, eq. (11)]

    Args:
        mu: (B, D) or (B, ...), which the function flattens itself. The means, mu_i = p(x_i = 1), in (0, 1).
        target: as mu. The samples x, in {0, 1}; the same formula is used for grey values in [0, 1].

    Returns:
        (B,): the sum over D, one number per sample.

    Note: not tested at the edge, mu exactly 0 or 1. A network's sigmoid can get there, however, and one
    log(0) makes the whole training NaN.
    """
    # TODO Q1.1: the log-probability of each entry, then the sum over all but the batch dimension.
    raise NotImplementedError("Q1.1: log_likelihood_bernoulli")


def log_likelihood_normal(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    """Log-likelihood of each sample under a normal distribution with diagonal covariance.

        log p(z) = log N(z; mu, diag(sigma^2)),   logvar = log sigma^2               [K&W, eq. (12)]

    Args:
        mu: (B, D) or (B, ...), which the function flattens itself. The means.
        logvar: as mu. The logarithms of the variances (not of the standard deviations).
        z: as mu. The samples.

    Returns:
        (B,): the sum over D, one number per sample, with the normalizing constant.
    """
    # TODO Q1.2: the log-density of each coordinate, then the sum over all but the batch dimension.
    raise NotImplementedError("Q1.2: log_likelihood_normal")


def log_mean_exp(y: Tensor) -> Tensor:
    """Logarithm of the mean of the exponentials of each row, without overflow or underflow.

        log( 1/K sum_k exp(y_k - a) ) + a,   a = max_k y_k                            [the handout's equation]

    Args:
        y: (B, K) finite numbers; exp(y) may be far outside of what a float can hold.

    Returns:
        (B,): one number per row. Its gradient reaches y (it is the softmax of the row).

    Note: mind the shapes. (B,) plus (B, 1) is (B, B).
    """
    # TODO Q1.3: shift each row by its maximum, average the exponentials, shift back.
    raise NotImplementedError("Q1.3: log_mean_exp")


def kl_gaussian_gaussian_analytic(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    """Kullback-Leibler divergence KL(q || p) of two normal distributions with diagonal covariance, exactly.

        KL(q || p) = E_q[ log q(z) - log p(z) ],   q = N(mu_q, diag(sigma_q^2)),  p = N(mu_p, diag(sigma_p^2))

    For p = N(0, I) it is [K&W, eq. (10) and appendix B]; you derive the general case.

    Args:
        mu_q, mu_p: (B, D) or (B, ...), which the function flattens itself. The means.
        logvar_q, logvar_p: as mu_q. The logarithms of the variances.

    Returns:
        (B,): the sum over D, one number per sample; 0 where q = p, never negative.

    Note: KL(q || p) is not KL(p || q).
    """
    # TODO Q1.4: each coordinate's divergence in closed form, then the sum over all but the batch.
    raise NotImplementedError("Q1.4: kl_gaussian_gaussian_analytic")


def kl_gaussian_gaussian_mc(
    mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor, num_samples: int = 1
) -> Tensor:
    """Monte Carlo estimate of KL(q || p) for two normal distributions with diagonal covariance.

        E_q[ f(z) ]  ~  1/K sum_k f(z_k),   z_k = mu_q + sigma_q * eps_k,   eps_k ~ N(0, I)   [K&W, eq. (5)]

    with f(z) = log q(z) - log p(z) and K = num_samples.

    Args:
        mu_q, mu_p: (B, D) or (B, ...), which the function flattens itself. The means.
        logvar_q, logvar_p: as mu_q. The logarithms of the variances.
        num_samples: how many z are drawn for each element of the batch.

    Returns:
        (B,): the sum over D and the mean over the K samples, one number per element of the batch.

    Note: z is drawn so that gradients reach mu_q and logvar_q.
    """
    # TODO Q1.5: draw num_samples z from q for each element, average log q(z) - log p(z) over them.
    raise NotImplementedError("Q1.5: kl_gaussian_gaussian_mc")
