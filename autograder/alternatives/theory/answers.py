"""Right answers that look different: floats, tensors, NumPy and SymPy, formulas and numerical methods."""

from autograder.grading.variants import right


@right("Q1a", "kl_q_p")
def kl_by_torch_distributions(mu_1, sigma_1, mu_2, sigma_2):
    """A tensor in single precision."""
    import torch
    from torch.distributions import Normal, kl_divergence

    return kl_divergence(Normal(torch.tensor(mu_2), sigma_2), Normal(torch.tensor(mu_1), sigma_1))


@right("Q1a", "kl_q_p")
def kl_by_numpy_integration(mu_1, sigma_1, mu_2, sigma_2):
    """A sum over a fine grid."""
    import numpy as np

    x = np.linspace(mu_2 - 12 * sigma_2, mu_2 + 12 * sigma_2, 20001)
    log_p = -np.log(sigma_1) - (x - mu_1) ** 2 / (2 * sigma_1**2)
    log_q = -np.log(sigma_2) - (x - mu_2) ** 2 / (2 * sigma_2**2)
    q = np.exp(log_q) / np.sqrt(2 * np.pi)
    return np.array([(q * (log_q - log_p)).sum() * (x[1] - x[0])])


@right("Q1b", "kl_p_q")
def kl_by_the_other_direction(mu_1, sigma_1, mu_2, sigma_2):
    """The other function with its arguments swapped."""
    return kl_q_p(mu_2, sigma_2, mu_1, sigma_1)


@right("Q1b", "kl_p_q")
def kl_as_a_sympy_expression(mu_1, sigma_1, mu_2, sigma_2):
    """An expression in symbols that are named like the arguments; the arguments themselves are not used."""
    import sympy

    m1, s1, m2, s2 = sympy.symbols("mu_1 sigma_1 mu_2 sigma_2", positive=True)
    return sympy.log(s2 / s1) + (s1**2 + (m1 - m2) ** 2) / (2 * s2**2) - sympy.Rational(1, 2)


@right("Q1c", "kl_witness")
def witness_as_rationals():
    """SymPy's and Python's fractions."""
    from fractions import Fraction

    import sympy

    return sympy.Integer(3), sympy.Rational(1, 2), Fraction(3), 5


@right("Q2.1", "relu_collision")
def collision_at_the_kink(a, b, c):
    """One point is the kink itself, up to rounding; a NumPy array."""
    import numpy as np

    return np.array([3.0, -4.0]) if a == 0 or b == 0 else np.array([-c / b, -c / b - np.sign(b)])


@right("Q2.2a", "mixture_slope")
def slope_by_autograd(z, w, a, b):
    """Automatic differentiation in single precision."""
    import torch

    z = torch.tensor(z, requires_grad=True)
    w, a, b = (torch.tensor(v) for v in (w, a, b))
    g = torch.logit((w * torch.sigmoid(a * z + b)).sum())
    return torch.autograd.grad(g, z)[0]


@right("Q2.2a", "mixture_slope")
def slope_by_sympy(z, w, a, b):
    """Symbolic differentiation."""
    import sympy

    x = sympy.Symbol("z")
    s = sum(w_i / (1 + sympy.exp(-(a_i * x + b_i))) for w_i, a_i, b_i in zip(w, a, b, strict=True))
    return sympy.diff(sympy.log(s / (1 - s)), x)


@right("Q2.2b", "mixture_inverse")
def inverse_by_newton(y, w, a, b):
    """Newton's method on g, whose slope lies between the smallest and the largest a_i."""
    z = 0.0
    for _ in range(100):
        g = logit(sum(w_i * sigmoid(a_i * z + b_i) for w_i, a_i, b_i in zip(w, a, b, strict=True)))
        z -= 0.5 * (g - y) / mixture_slope(z, w, a, b)
    return z


@right("Q2.3", "residual_inverse")
def inverse_by_secants(y, f):
    """A bracket in NumPy numbers, halved only 40 times."""
    import numpy as np

    low, high = np.float64(-1e4), np.float64(1e4)
    for _ in range(40):
        middle = 0.5 * (low + high)
        if middle + f(middle) > y:
            high = middle
        else:
            low = middle
    return np.asarray(middle)


@right("Q2.4a", "radial_radius")
def radius_by_sympy(y, z_0, alpha, beta):
    """The quadratic equation solved by SymPy."""
    import sympy

    r, rho = sympy.Symbol("r"), sympy.Float(math.dist(y, z_0))
    return max(sympy.re(v) for v in sympy.roots(r**2 + (alpha + beta - rho) * r - alpha * rho, r, multiple=True))


@right("Q2.4b", "radial_direction")
def direction_by_normalizing(y, r, z_0, alpha, beta):
    """For beta >= -alpha the direction of y - z_0 is that of z - z_0."""
    import torch

    shift = torch.tensor(y) - torch.tensor(z_0)
    return shift / shift.norm()


@right("Q2.4c", "radial_inverse")
def inverse_inline(y, z_0, alpha, beta):
    """Without the two earlier functions; a column matrix."""
    import sympy

    rho = math.dist(y, z_0)
    half = (rho - alpha - beta) / 2
    r = half + math.sqrt(half**2 + alpha * rho)
    scale = r / rho if rho else 0.0
    return sympy.Matrix(z_0) + scale * (sympy.Matrix(y) - sympy.Matrix(z_0))


@right("Q2.4d", "radial_collision")
def collision_in_opposite_directions(alpha):
    """r_1 is mapped forwards and r_2 backwards, to the same distance."""
    beta = -3 * alpha
    # r + beta r / (alpha + r) is alpha / 2 at r_1 and -alpha / 2 at r_2 = alpha / 2.
    r_1 = alpha * (2.5 + math.sqrt(8.25)) / 2
    return beta, r_1, alpha / 2


@right("Q3a1", "log_evidence")
def evidence_by_dense_algebra(x_0, chain):
    """Mean and variance as products and sums, in tensors."""
    import torch

    a, b, s = (torch.tensor(v, dtype=torch.float64) for v in (chain.slopes, chain.offsets, chain.variances))
    before = torch.cat([torch.ones(1), a.cumprod(0)])
    mean, variance = (b * before[:-1]).sum(), (s * before[:-1] ** 2).sum() + before[-1] ** 2
    return torch.distributions.Normal(mean, variance.sqrt()).log_prob(torch.tensor(x_0))


@right("Q3a3", "elbo")
def elbo_as_a_decomposition(x_0, chain):
    """(b) in the place of (a)."""
    return reconstruction_term(x_0, chain) - sum(kl_terms(x_0, chain)) - prior_term(x_0, chain)


@right("Q3a3", "elbo")
def elbo_by_quadrature(x_0, chain):
    """The exact expectation of a quadratic function from its values at the mean and at sigma points."""
    mean = [x_0]
    columns = []
    for t, beta in enumerate(chain.betas):
        scale = math.sqrt(1 - beta)
        mean.append(scale * mean[-1])
        columns = [column + [scale * column[-1]] for column in columns]
        columns.append([0.0] * (t + 1) + [math.sqrt(beta)])
    centre = log_ratio(mean, chain)
    total = centre
    for column in columns:
        plus = log_ratio([m + v for m, v in zip(mean, column, strict=True)], chain)
        minus = log_ratio([m - v for m, v in zip(mean, column, strict=True)], chain)
        total += (plus + minus) / 2 - centre
    return total


@right("Q3b1", "posterior")
def posterior_by_precisions(x_t, x_0, t, betas):
    """Precisions add up; a NumPy array."""
    import numpy as np

    before, beta = np.prod(1 - np.array(betas[: t - 1])), betas[t - 1]
    precision = (1 - beta) / beta + 1 / (1 - before)
    mean = (np.sqrt(1 - beta) * x_t / beta + np.sqrt(before) * x_0 / (1 - before)) / precision
    return np.array([mean, 1 / precision])


@right("Q3b3", "kl_terms")
def kl_terms_with_the_posterior(x_0, chain):
    """Slope and shift of the posterior's mean, from calls of posterior; a generator's list of tensors."""
    import torch

    terms = []
    for t in range(2, chain.T + 1):
        after = alpha_bar(t, chain.betas)
        a, b, s = chain.slopes[t - 1], chain.offsets[t - 1], chain.variances[t - 1]
        shift, variance = posterior(0.0, x_0, t, chain.betas)
        slope = posterior(1.0, x_0, t, chain.betas)[0] - shift
        square = ((slope - a) * math.sqrt(after) * x_0 + shift - b) ** 2 + (slope - a) ** 2 * (1 - after)
        terms.append(torch.tensor(0.5 * (math.log(s / variance) + (variance + square) / s - 1)))
    return terms


@right("Q3c1", "joint_elbo")
def bound_by_torch(p, q):
    """With xlogy, which is 0 at 0."""
    import torch

    p, q = torch.tensor(p), torch.tensor(q)
    return (torch.xlogy(q, p) - torch.xlogy(q, q)).sum()


@right("Q3c2", "elbo_gap")
def gap_as_a_difference(p, q):
    """log p(x_0, c) minus the bound."""
    return math.log(sum(map(sum, p))) - joint_elbo(p, q)


@right("Q3e2", "ddpm_part")
def ddpm_part_by_three_points(x_0, c, joint):
    """The expectation of a quadratic function of z by Gauss-Hermite quadrature with three nodes."""
    mean, std = joint.encoder_mean(c, x_0), math.sqrt(joint.encoder_variance)
    nodes = ((-math.sqrt(3), 1 / 6), (0.0, 2 / 3), (math.sqrt(3), 1 / 6))
    return sum(weight * elbo(x_0, joint.chain_given(mean + std * u, c)) for u, weight in nodes)


@right("Q4.1a", "velocity")
def velocity_by_autograd(psi_0, psi_1, theta):
    """Derivatives of the objective, as a tensor."""
    import torch

    point = torch.tensor([psi_0, psi_1, theta], requires_grad=True)
    log_sigma = torch.nn.functional.logsigmoid
    objective = log_sigma(point[1]) + log_sigma(-(point[0] * point[2] + point[1]))
    return torch.autograd.grad(objective, point)[0] * torch.tensor([1.0, 1.0, -1.0])


@right("Q4.1a", "velocity")
def velocity_in_symbols(psi_0, psi_1, theta):
    """A SymPy column in symbols that are named like the arguments."""
    import sympy

    p0, p1, th = sympy.symbols("psi_0 psi_1 theta", real=True)
    objective = -sympy.log(1 + sympy.exp(-p1)) - sympy.log(1 + sympy.exp(p0 * th + p1))
    return sympy.Matrix([objective.diff(p0), objective.diff(p1), -objective.diff(th)])


@right("Q4.1b", "stationary_points")
def one_point_alone():
    """A single tuple."""
    return 0, 0, 0


@right("Q4.2", "jacobian")
def jacobian_by_differences():
    """Central differences of velocity, in NumPy."""
    import numpy as np

    steps = 1e-4 * np.eye(3)
    return np.stack([(np.array(velocity(*h)) - np.array(velocity(*-h))) / 2e-4 for h in steps], axis=1)


@right("Q4.3a", "eigenvalues")
def eigenvalues_by_numpy():
    """Of the other function's matrix."""
    import numpy as np

    return np.linalg.eigvals(np.array(jacobian()))


@right("Q4.3a", "eigenvalues")
def eigenvalues_by_sympy():
    """SymPy's dictionary of eigenvalues with their multiplicities."""
    import sympy

    half = sympy.Rational(1, 2)
    return sympy.Matrix([[0, 0, -half], [0, -half, 0], [half, 0, 0]]).eigenvals()


@right("Q4.3b", "stability")
def stability_from_the_eigenvalues():
    """Computed, with a capital letter and a tensor."""
    import torch

    return "Inconclusive", torch.tensor(max(complex(v).real for v in eigenvalues()))


@right("Q4.3c", "conserved")
def distance_in_float32(psi_0, psi_1, theta):
    """Any function of psi_0^2 + theta^2 will do."""
    import torch

    return torch.tensor([psi_0, theta]).norm()


@right("Q4.4a", "velocity_r1")
def penalty_on_top(psi_0, psi_1, theta, gamma):
    """velocity, and minus gamma psi_0 for the first component."""
    v_0, v_1, v_2 = velocity(psi_0, psi_1, theta)
    return [v_0 - gamma * psi_0, v_1, v_2]


@right("Q4.5", "jacobian_r1")
def jacobian_in_symbols(gamma):
    """A SymPy matrix in Symbol("gamma")."""
    import sympy

    half = sympy.Rational(1, 2)
    return sympy.Matrix([[-sympy.Symbol("gamma"), 0, -half], [0, -half, 0], [half, 0, 0]])


@right("Q4.5", "jacobian_r1")
def jacobian_on_top(gamma):
    """jacobian, and minus gamma in the first entry; a tensor."""
    import torch

    matrix = torch.tensor(jacobian())
    matrix[0, 0] -= gamma
    return matrix


@right("Q4.6a", "eigenvalues_r1")
def eigenvalues_in_symbols(gamma):
    """SymPy expressions in Symbol("gamma"), complex where the root is."""
    import sympy

    g = sympy.Symbol("gamma", positive=True)
    return [(-g - sympy.sqrt(g**2 - 1)) / 2, -sympy.Rational(1, 2), (-g + sympy.sqrt(g**2 - 1)) / 2]


@right("Q4.6a", "eigenvalues_r1")
def eigenvalues_by_torch(gamma):
    """Of the other function's matrix, in single precision."""
    import torch

    return torch.linalg.eigvals(torch.tensor(jacobian_r1(gamma), dtype=torch.float64))


@right("Q4.6b", "stability_r1")
def stability_from_the_other_function(gamma):
    """Computed from eigenvalues_r1."""
    rate = max(complex(v).real for v in eigenvalues_r1(gamma))
    verdict = "inconclusive" if abs(rate) < 1e-9 else "unstable" if rate > 0 else "asymptotically stable"
    return [verdict, rate]
