"""The end results of your derivations, as functions. You complete this file; the derivations go into your PDF.

Arguments are Python numbers, and lists of numbers. A function returns numbers in any of these forms: Python numbers,
tensors, NumPy arrays, SymPy numbers or matrices, or SymPy expressions in symbols that are named like the function's
arguments (Symbol("gamma")). Several numbers come as a list, tuple, vector or matrix. Write formulas, or compute: a
right number is right. A relative error of 1e-4 is forgiven, so single precision and a root finder are good enough.

Steps are counted as in the handout, t = 1 .. T: betas[t - 1] is beta_t. A trajectory x has T + 1 entries: x[t] is x_t.
"""

import math
from collections.abc import Callable, Sequence

from theory_models import Chain, Joint, log_normal, logit, sigmoid

# ================================================================ Question 1: KL divergence


def kl_q_p(mu_1: float, sigma_1: float, mu_2: float, sigma_2: float) -> float:
    """KL[q || p] of two univariate Gaussians, in closed form.

        KL[q || p] = E_q[ log( q(x) / p(x) ) ],    p = N(mu_1, sigma_1^2),  q = N(mu_2, sigma_2^2)

    Args:
        mu_1, sigma_1: mean and standard deviation of p.
        mu_2, sigma_2: mean and standard deviation of q.
    Returns:
        One number, 0 where p = q.

    Note: p has the index 1 and q the index 2, and the expectation is under q. sigma is a standard deviation.
    """
    # TODO Q1a: the closed form of your derivation.
    raise NotImplementedError("Q1a: kl_q_p")


def kl_p_q(mu_1: float, sigma_1: float, mu_2: float, sigma_2: float) -> float:
    """KL[p || q] of the same two Gaussians: the other direction.

        KL[p || q] = E_p[ log p(x) / q(x) ],    p = N(mu_1, sigma_1^2),  q = N(mu_2, sigma_2^2)

    Args:
        mu_1, sigma_1: mean and standard deviation of p.
        mu_2, sigma_2: mean and standard deviation of q.
    Returns:
        One number.

    Note: the arguments stand in the same order as in kl_q_p.
    """
    # TODO Q1b: the closed form of the other direction.
    raise NotImplementedError("Q1b: kl_p_q")


def kl_witness() -> tuple[float, float, float, float]:
    """Two Gaussians for which KL[q || p] is not KL[p || q]: they are not the same.

    Returns:
        mu_1, sigma_1, mu_2, sigma_2 with both sigmas positive: p = N(mu_1, sigma_1^2), q = N(mu_2, sigma_2^2). The two
        divergences differ by at least 1 % of the larger one.
    """
    # TODO Q1c: four numbers; ask yourself when the two directions do agree.
    raise NotImplementedError("Q1c: kl_witness")


# ================================================================ Question 2: normalizing flows


def relu_collision(a: float, b: float, c: float) -> tuple[float, float]:
    """Two different points that g(z) = a f(b z + c), f(x) = max(0, x), maps to the same value.

    Args:
        a, b, c: any numbers, of either sign; each of them may be 0.
    Returns:
        z_1, z_2 with g(z_1) = g(z_2), at least 0.001 apart.

    Note: where is g constant? This depends on the sign of b, and b = 0 is a case of its own.
    """
    # TODO Q2.1: two points of the half-line on which the rectifier is 0.
    raise NotImplementedError("Q2.1: relu_collision")


def mixture_slope(z: float, w: Sequence[float], a: Sequence[float], b: Sequence[float]) -> float:
    """The derivative dg/dz of the mixture of sigmoids, whose sign shows that g is strictly increasing.

        g(z) = sigma^{-1}( sum_i w_i sigma(a_i z + b_i) )

    Args:
        z: where.
        w: the N weights, 0 < w_i < 1, with sum 1 (N = 1: w = [1]).
        a: the N slopes, positive.
        b: the N shifts.
    Returns:
        One number, dg/dz at z.

    Note: the outer function's derivative is taken at the inner sum.
    """
    # TODO Q2.2a: the chain rule, with the derivatives of sigma and of its inverse.
    raise NotImplementedError("Q2.2a: mixture_slope")


def mixture_inverse(y: float, w: Sequence[float], a: Sequence[float], b: Sequence[float]) -> float:
    """The z with g(z) = y, for the mixture of sigmoids of Q2.2: since g increases, a root finder is enough.

    Args:
        y: any number with |y| < 5.
        w, a, b: as in mixture_slope.
    Returns:
        One number z, with a relative error below 1e-4.

    Note: z may be far from 0 where all a_i are small; widen the interval before you halve it.
    """

    # TODO Q2.2b: bracket the root, then bisect.
    raise NotImplementedError("Q2.2b: mixture_inverse")


def residual_inverse(y: float, f: Callable[[float], float]) -> float:
    """The z with z + f(z) = y, where df/dz > -1 everywhere.

    Args:
        y: a number in the image of g(z) = z + f(z).
        f: a function of one number; arithmetic only, so it also takes tensors, arrays and SymPy symbols.
    Returns:
        One number z, with a relative error below 1e-4.

    Note: only df/dz > -1 is known. |df/dz| may be larger than 1, so that z <- y - f(z) need not converge.
    """
    # TODO Q2.3: which function of z increases, and where is it 0?
    raise NotImplementedError("Q2.3: residual_inverse")


def radial_radius(y: Sequence[float], z_0: Sequence[float], alpha: float, beta: float) -> float:
    """r = |z - z_0| from y = g(z), for the radial flow: part (i).

        g(z) = z + beta h(alpha, r) (z - z_0),    h(alpha, r) = 1 / (alpha + r)                        (1)

    Args:
        y, z_0: D numbers each.
        alpha, beta: alpha > 0, beta >= -alpha.
    Returns:
        One number r >= 0.

    Note: take the norm of y - z_0 first; what remains is an equation in r alone. beta = -alpha and y = z_0 are tested.
    """
    # TODO Q2.4a: the norm on both sides of (1), a quadratic equation in r, its root that is not negative.
    raise NotImplementedError("Q2.4a: radial_radius")


def radial_direction(y: Sequence[float], r: float, z_0: Sequence[float], alpha: float, beta: float) -> Sequence[float]:
    """z~ = (z - z_0) / r from y = g(z) and r, for the radial flow: part (ii).

    Args:
        y, z_0: D numbers each.
        r: the radius |z - z_0| that belongs to y, positive.
        alpha, beta: alpha > 0, beta >= -alpha.
    Returns:
        D numbers, the unit vector z~ of z = z_0 + r z~.

    Note: use the r that is given; this exercise does not need Q2.4a.
    """
    # TODO Q2.4b: put z = z_0 + r z~ into (1) and solve for z~.
    raise NotImplementedError("Q2.4b: radial_direction")


def radial_inverse(y: Sequence[float], z_0: Sequence[float], alpha: float, beta: float) -> Sequence[float]:
    """The z with g(z) = y, for the radial flow (1).

    Args:
        y, z_0: D numbers each.
        alpha, beta: alpha > 0, beta >= -alpha.
    Returns:
        D numbers z.

    Note: y = z_0 is tested; there r = 0 and z~ is not defined, but z is.
    """
    # TODO Q2.4c: put (i) and (ii) together.
    raise NotImplementedError("Q2.4c: radial_inverse")


def radial_collision(alpha: float) -> tuple[float, float, float]:
    """A beta below the bound of (i), and two radii that then belong to the same y.

    Args:
        alpha: positive.
    Returns:
        beta, r_1, r_2 with beta < -alpha, r_1 and r_2 not negative and at least 0.001 apart, such that
        |y - z_0| is the same for |z - z_0| = r_1 and for |z - z_0| = r_2.

    Note: the equation of (i) holds for the norm, so a radius may belong to the opposite direction.
    """
    # TODO Q2.4d: find a radius other than 0 that is mapped to z_0, for instance.
    raise NotImplementedError("Q2.4d: radial_collision")


# ================================================================ Question 3: VAE and diffusion
# Chain and Joint are defined, with all symbols, in theory_models.py.


def log_evidence(x_0: float, chain: Chain) -> float:
    """log p(x_0), exactly: the left side of the bound (a).

        p(x_0) = integral of p(x_T) prod_t p(x_{t-1} | x_t) over x_1 .. x_T

    Args:
        x_0: a number.
        chain: the model.
    Returns:
        One number.

    Note: a linear map of a Gaussian plus Gaussian noise is Gaussian. Go from x_T to x_0.
    """
    # TODO Q3a1: mean and variance of x_T, then of each x_{t-1}, then the log-density.
    raise NotImplementedError("Q3a1: log_evidence")


def log_ratio(x: Sequence[float], chain: Chain) -> float:
    """What stands inside of the expectation of (a), for one trajectory.

        log p(x_{0:T}) / q(x_{1:T} | x_0)  =  log p(x_T) + sum_{t=1}^T log p(x_{t-1} | x_t) / q(x_t | x_{t-1})

    Args:
        x: x_0, ..., x_T.
        chain: the model.
    Returns:
        One number.

    Note: log_normal takes variances, and all s_t and beta_t are variances.
    """
    # TODO Q3a2: the right side, one step at a time.
    raise NotImplementedError("Q3a2: log_ratio")


def elbo(x_0: float, chain: Chain) -> float:
    """L_DDPM of (a), exactly: the expectation of log_ratio under q(x_{1:T} | x_0).

        L_DDPM = E_q[ log p(x_{0:T}) / q(x_{1:T} | x_0) ]  <=  log p(x_0)

    Args:
        x_0: a number.
        chain: the model.
    Returns:
        One number: exact, not an average over samples.

    Note: E_q[(x - m)^2] is a squared mean plus a variance, and x_{t-1} and x_t are correlated.
    """
    # TODO Q3a3: the expectation of every term, from the joint law of x_{t-1} and x_t given x_0.
    raise NotImplementedError("Q3a3: elbo")


def posterior(x_t: float, x_0: float, t: int, betas: Sequence[float]) -> tuple[float, float]:
    """Mean and variance of q(x_{t-1} | x_t, x_0), which (b) compares with p.

    Args:
        x_t, x_0: numbers.
        t: 2 .. T.
        betas: beta_1 .. beta_T.
    Returns:
        mean, variance.

    Note: alpha-bar_{t-1} and alpha-bar_t both occur. betas[t - 1] is beta_t.
    """
    # TODO Q3b1: Bayes' rule for two Gaussians; complete the square in x_{t-1}.
    raise NotImplementedError("Q3b1: posterior")


def reconstruction_term(x_0: float, chain: Chain) -> float:
    """The first term of (b): E_q[ log p(x_0 | x_1) ], exactly.

    Args:
        x_0: a number.
        chain: the model.
    Returns:
        One number.

    Note: x_1 is random under q(x_1 | x_0); its mean alone is not enough.
    """
    # TODO Q3b2: the expected square of x_0 - a_1 x_1 - b_1.
    raise NotImplementedError("Q3b2: reconstruction_term")


def kl_terms(x_0: float, chain: Chain) -> Sequence[float]:
    """The terms of the sum in (b), exactly: E_q KL[ q(x_{t-1} | x_t, x_0) || p(x_{t-1} | x_t) ] for t = 2 .. T.

    Args:
        x_0: a number.
        chain: the model, T >= 2.
    Returns:
        T - 1 numbers, each not negative, in the order t = 2, ..., T.

    Note: the divergence depends on x_t: its expectation under q(x_t | x_0) is meant.
    """
    # TODO Q3b3: the divergence of two Gaussians, whose means are linear in x_t; then the expectation.
    raise NotImplementedError("Q3b3: kl_terms")


def prior_term(x_0: float, chain: Chain) -> float:
    """The last term of (b): KL[ q(x_T | x_0) || p(x_T) ].

    Args:
        x_0: a number.
        chain: the model.
    Returns:
        One number, not negative: the decomposition subtracts it.
    """
    # TODO Q3b4: the law of x_T given x_0, and its divergence from N(0, 1).
    raise NotImplementedError("Q3b4: prior_term")


def joint_elbo(p: Sequence[Sequence[float]], q: Sequence[Sequence[float]]) -> float:
    """The bound of (c), for latent variables with finitely many values.

        log p(x_0, c)  >=  E_q[ log p(x_{0:T}, c, z) / q(x_{1:T}, z | c, x_0) ]

    Args:
        p: p[i][j] = p(x_0, c, z = i, x_{1:T} = j) at the observed x_0 and c; the sum of all entries is p(x_0, c).
        q: q[i][j] = q(z = i, x_{1:T} = j | c, x_0), any law, with sum 1; an entry may be 0.
    Returns:
        One number, the right side.

    Note: an entry with q = 0 contributes 0, the limit of q log q.
    """
    # TODO Q3c1: the expectation as a sum over i and j.
    raise NotImplementedError("Q3c1: joint_elbo")


def elbo_gap(p: Sequence[Sequence[float]], q: Sequence[Sequence[float]]) -> float:
    """How far the bound of (c) is from log p(x_0, c): a divergence between q and the true posterior.

    Args:
        p, q: as in joint_elbo.
    Returns:
        One number, not negative, 0 where q is p(x_{1:T}, z | x_0, c).
    """
    # TODO Q3c2: the divergence that you dropped to get the inequality; normalize p to get the posterior.
    raise NotImplementedError("Q3c2: elbo_gap")


def log_q(x: Sequence[float], z: float, c: float, joint: Joint) -> float:
    """Your factorization of (d): log q(x_{1:T}, z | c, x_0) for one trajectory and one z.

    Args:
        x: x_0, ..., x_T.
        z, c: numbers.
        joint: encoder and diffusion. The forward process is the one of Chain; it does not look at z and c.
    Returns:
        One number.

    Note: x_0 is given, not a latent variable: it has no factor of its own.
    """
    # TODO Q3d: the encoder's factor, and one factor for each step of the forward process.
    raise NotImplementedError("Q3d: log_q")


def vae_part(x_0: float, c: float, joint: Joint) -> float:
    """The VAE component of (e), exactly.

        E_{q_psi(z | c, x_0)}[ log p_theta(c | z) ]  -  KL[ q_psi(z | c, x_0) || p(z) ]

    Args:
        x_0, c: numbers.
        joint: the model.
    Returns:
        One number. vae_part + ddpm_part is the bound of (c), so it is at most log p(x_0, c).
    """
    # TODO Q3e1: both terms for Gaussians; z has a mean and a variance under the encoder.
    raise NotImplementedError("Q3e1: vae_part")


def ddpm_part(x_0: float, c: float, joint: Joint) -> float:
    """The DDPM component of (e), exactly.

        E_{q_psi(z | c, x_0)} E_{q(x_{1:T} | x_0)}[ log p_phi(x_{0:T} | c, z) / q(x_{1:T} | x_0) ]

    Args:
        x_0, c: numbers.
        joint: the model; joint.chain_given(z, c) is the diffusion for one z.
    Returns:
        One number.

    Note: for one z this is elbo(x_0, joint.chain_given(z, c)), which is quadratic in z. Its expectation is not its
    value at the encoder's mean.
    """
    # TODO Q3e2: the value at the encoder's mean, and what the variance of z adds.
    raise NotImplementedError("Q3e2: ddpm_part")


# ================================================================ Question 4: the Dirac GAN
# Everywhere in this question the parameters have the order (psi_0, psi_1, theta).


def velocity(psi_0: float, psi_1: float, theta: float) -> Sequence[float]:
    """The velocity field of gradient ascent (critic) and descent (generator) on the same objective.

        v = (dL/dpsi_0, dL/dpsi_1, -dL/dtheta),    L = E_{p_D} log sigma(C(x)) + E_{p_theta} log sigma(-C(x))

    Args:
        psi_0, psi_1, theta: the parameters; C(x) = psi_0 x + psi_1, p_D = delta_0, p_theta = delta_theta.
    Returns:
        Three numbers: v_psi_0, v_psi_1, v_theta.

    Note: the generator descends: mind the sign of the last one.
    """
    # TODO Q4.1a: L for the two Dirac distributions, and its three derivatives.
    raise NotImplementedError("Q4.1a: velocity")


def stationary_points() -> Sequence[Sequence[float]]:
    """All stationary points of velocity.

    Returns:
        A list of points, each with three numbers psi_0*, psi_1*, theta*.

    Note: all, and only these: solve v = 0 for each parameter.
    """
    # TODO Q4.1b: set v = 0; sigma is never 0.
    raise NotImplementedError("Q4.1b: stationary_points")


def jacobian() -> Sequence[Sequence[float]]:
    """The Jacobian J* of velocity at the stationary point.

    Returns:
        3 x 3 numbers: row i is the gradient of the i-th component of v, in the order psi_0, psi_1, theta.
    """
    # TODO Q4.2: differentiate each component by each parameter, then insert the point.
    raise NotImplementedError("Q4.2: jacobian")


def eigenvalues() -> Sequence[complex]:
    """The eigenvalues of J*.

    Returns:
        Three numbers, complex ones where needed, in any order; a double one is listed twice.
    """
    # TODO Q4.3a: the roots of the characteristic polynomial.
    raise NotImplementedError("Q4.3a: eigenvalues")


def stability() -> tuple[str, float]:
    """What the eigenvalues of J* say about the stationary point.

    Returns:
        verdict, rate. rate is the largest real part of the eigenvalues. verdict is
        "asymptotically stable" if all real parts are negative, "unstable" if one is positive, and
        "inconclusive" if the largest is 0: the linearization does not decide.
    """
    # TODO Q4.3b: compare the real parts with 0.
    raise NotImplementedError("Q4.3b: stability")


def conserved(psi_0: float, psi_1: float, theta: float) -> float:
    """A quantity that stays constant along every trajectory, so that none of them is attracted by the stationary point.

    Args:
        psi_0, psi_1, theta: a point.
    Returns:
        One number V(psi_0, psi_1, theta), where dV/dt = 0 for (psi_0, psi_1, theta)' = velocity(psi_0, psi_1, theta).
        V takes different values at different distances |(psi_0, theta)| from the stationary point.

    Note: this decides the question that the linearization leaves open. Compare the components of the velocity.
    """
    # TODO Q4.3c: combine psi_0 and theta so that their time derivatives cancel.
    raise NotImplementedError("Q4.3c: conserved")


def velocity_r1(psi_0: float, psi_1: float, theta: float, gamma: float) -> Sequence[float]:
    """The velocity field with a gradient penalty on the critic.

        v_psi = grad_psi L - gamma/2 grad_psi R_1,    v_theta = -dL/dtheta,    R_1 = E_{p_D} |grad_x C(x)|^2

    Args:
        psi_0, psi_1, theta: as in velocity.
        gamma: the penalty's weight, positive.
    Returns:
        Three numbers.
    """
    # TODO Q4.4a: R_1 for this critic, its gradient, and velocity.
    raise NotImplementedError("Q4.4a: velocity_r1")


def stationary_points_r1(gamma: float) -> Sequence[Sequence[float]]:
    """All stationary points of velocity_r1.

    Args:
        gamma: positive.
    Returns:
        A list of points, each with three numbers psi_0*, psi_1*, theta*.
    """
    # TODO Q4.4b: set v = 0 once more.
    raise NotImplementedError("Q4.4b: stationary_points_r1")


def jacobian_r1(gamma: float) -> Sequence[Sequence[float]]:
    """The Jacobian J* of velocity_r1 at its stationary point.

    Args:
        gamma: positive.
    Returns:
        3 x 3 numbers, rows and columns as in jacobian.
    """
    # TODO Q4.5: what does the penalty add to the Jacobian?
    raise NotImplementedError("Q4.5: jacobian_r1")


def eigenvalues_r1(gamma: float) -> Sequence[complex]:
    """The eigenvalues of this J*.

    Args:
        gamma: positive; below, at and above 1 is tested.
    Returns:
        Three numbers, complex ones where needed, in any order; a multiple one is listed as often as it occurs.

    Note: math.sqrt refuses negative numbers; cmath.sqrt does not.
    """
    # TODO Q4.6a: the roots of the characteristic polynomial, which may be complex.
    raise NotImplementedError("Q4.6a: eigenvalues_r1")


def stability_r1(gamma: float) -> tuple[str, float]:
    """What the eigenvalues say about the stationary point of the regularized system.

    Args:
        gamma: positive.
    Returns:
        verdict, rate: as in stability. The rate says how fast the system converges, and depends on gamma.

    Note: which of the three eigenvalues is the slowest one? It is not the same for every gamma.
    """
    # TODO Q4.6b: the largest of the three real parts, below and above gamma = 1.
    raise NotImplementedError("Q4.6b: stability_r1")
