"""Right answers to q1_vae.py that look different: full marks for each of them."""

from autograder.grading.variants import right


@right("Q1.1", "log_likelihood_bernoulli")
def bernoulli_by_the_formula(mu, target):
    """No epsilon anywhere, views as in many courses' starter code."""
    batch_size = mu.size(0)
    mu = mu.view(batch_size, -1)
    target = target.view(batch_size, -1)
    return torch.sum(target * torch.log(mu) + (1.0 - target) * torch.log(1.0 - mu), dim=1)


@right("Q1.1", "log_likelihood_bernoulli")
def bernoulli_with_an_epsilon(mu, target):
    """A small number keeps the logarithms finite."""
    mu, target = mu.flatten(1), target.flatten(1)
    return (target * (mu + 1e-6).log() + (1 - target) * (1 - mu + 1e-6).log()).sum(-1)


@right("Q1.1", "log_likelihood_bernoulli")
def bernoulli_by_distributions(mu, target):
    """torch.distributions, told to accept grey values."""
    from torch.distributions import Bernoulli, Independent

    bernoulli = Bernoulli(mu, validate_args=False)
    return Independent(bernoulli, mu.dim() - 1, validate_args=False).log_prob(target)


@right("Q1.1", "log_likelihood_bernoulli")
def bernoulli_row_by_row(mu, target):
    """A loop over the batch, in float64, clamped."""
    rows = []
    for m, x in zip(mu.double(), target.double(), strict=True):
        m = m.clamp(1e-7, 1 - 1e-7)
        rows.append(torch.where(x == 1, m.log(), x * m.log() + (1 - x) * torch.log1p(-m)).sum())
    return torch.stack(rows)


@right("Q1.2", "log_likelihood_normal")
def normal_by_distributions(mu, logvar, z):
    """torch.distributions."""
    normal = torch.distributions.Normal(mu, torch.exp(logvar / 2))
    return normal.log_prob(z).reshape(len(mu), -1).sum(1)


@right("Q1.2", "log_likelihood_normal")
def normal_by_einsum(mu, logvar, z):
    """The squared distance as an einsum, the constant once for D dimensions, an epsilon at the variance."""
    import numpy as np

    mu, logvar, z = (v.reshape(v.shape[0], -1) for v in (mu, logvar, z))
    difference, precision = z - mu, 1 / (logvar.exp() + 1e-8)
    quadratic = torch.einsum("bi,bi,bi->b", difference, difference, precision)
    return -0.5 * (mu.shape[1] * np.log(2 * np.pi) + logvar.sum(dim=1) + quadratic)


@right("Q1.3", "log_mean_exp")
def log_mean_exp_by_logsumexp(y):
    """torch.logsumexp less log K."""
    return torch.logsumexp(y, 1) - torch.log(torch.tensor(float(y.size(1))))


@right("Q1.3", "log_mean_exp")
def log_mean_exp_row_by_row(y):
    """A loop; the maximum is detached, which does not change the gradient."""
    rows = []
    for row in y:
        a = row.max().detach()
        rows.append(torch.log(torch.mean(torch.exp(row - a))) + a)
    return torch.stack(rows)


@right("Q1.3", "log_mean_exp")
def log_mean_exp_by_sorting(y):
    """amax, and a sum that is divided by K."""
    a = torch.amax(y, dim=-1)
    return a + torch.log(torch.exp(y - a[:, None]).sum(dim=-1) / y.shape[-1])


@right("Q1.4", "kl_gaussian_gaussian_analytic")
def kl_by_distributions(mu_q, logvar_q, mu_p, logvar_p):
    """torch.distributions."""
    from torch.distributions import Independent, Normal, kl_divergence

    dims = mu_q.dim() - 1
    q, p = Normal(mu_q, logvar_q.mul(0.5).exp()), Normal(mu_p, (logvar_p / 2).exp())
    return kl_divergence(Independent(q, dims), Independent(p, dims))


@right("Q1.4", "kl_gaussian_gaussian_analytic")
def kl_by_standard_deviations(mu_q, logvar_q, mu_p, logvar_p):
    """Standard deviations instead of logarithms, one row at a time."""
    rows = []
    for m_q, l_q, m_p, l_p in zip(mu_q, logvar_q, mu_p, logvar_p, strict=True):
        s_q, s_p = torch.sqrt(torch.exp(l_q)), torch.sqrt(torch.exp(l_p))
        kl = torch.log(s_p / s_q) + (s_q**2 + (m_q - m_p) ** 2) / (2 * s_p**2) - 0.5
        rows.append(kl.sum())
    return torch.stack(rows)


@right("Q1.5", "kl_gaussian_gaussian_mc")
def mc_by_distributions(mu_q, logvar_q, mu_p, logvar_p, num_samples=1):
    """torch.distributions, without the functions above: samples come first."""
    from torch.distributions import Normal

    q, p = Normal(mu_q, (0.5 * logvar_q).exp()), Normal(mu_p, (0.5 * logvar_p).exp())
    z = q.rsample((num_samples,))
    return (q.log_prob(z) - p.log_prob(z)).flatten(2).sum(2).mean(0)


@right("Q1.5", "kl_gaussian_gaussian_mc")
def mc_in_a_loop(mu_q, logvar_q, mu_p, logvar_p, num_samples=1):
    """One draw after the other, with the functions above by keyword."""
    total = torch.zeros(mu_q.size(0), dtype=mu_q.dtype)
    for _ in range(num_samples):
        z = mu_q + torch.randn(mu_q.shape, dtype=mu_q.dtype) * torch.exp(logvar_q / 2)
        total = total + log_likelihood_normal(mu=mu_q, logvar=logvar_q, z=z)
        total = total - log_likelihood_normal(mu=mu_p, logvar=logvar_p, z=z)
    return total / num_samples


@right("Q1.5", "kl_gaussian_gaussian_mc")
def mc_expanded(mu_q, logvar_q, mu_p, logvar_p, num_samples=1):
    """(B, K, D) by expand, as in many courses' starter code; then rows of (B * K, D) for the function above."""
    batch_size = mu_q.size(0)
    input_size = mu_q[0].numel()
    mu_q, logvar_q, mu_p, logvar_p = (
        v.reshape(batch_size, -1).unsqueeze(1).expand(batch_size, num_samples, input_size)
        for v in (mu_q, logvar_q, mu_p, logvar_p)
    )
    z = torch.normal(mu_q, torch.exp(0.5 * logvar_q))  # no gradient through z yet
    z = mu_q + torch.exp(0.5 * logvar_q) * ((z - mu_q) / torch.exp(0.5 * logvar_q)).detach()
    mu_q, logvar_q, mu_p, logvar_p, z = (v.reshape(-1, input_size) for v in (mu_q, logvar_q, mu_p, logvar_p, z))
    ratio = log_likelihood_normal(mu_q, logvar_q, z) - log_likelihood_normal(mu_p, logvar_p, z)
    return ratio.reshape(batch_size, num_samples).mean(dim=1)


@right("Q1.5", "kl_gaussian_gaussian_mc")
def mc_formula_inline(mu_q, logvar_q, mu_p, logvar_p, num_samples=1):
    """The difference of the log-densities written out: the constants cancel."""
    shape = (mu_q.shape[0], num_samples, -1)
    mu_q, logvar_q, mu_p, logvar_p = (v.flatten(1).unsqueeze(1) for v in (mu_q, logvar_q, mu_p, logvar_p))
    eps = torch.randn(shape[0], num_samples, mu_q.shape[2], dtype=mu_q.dtype)
    z = mu_q + (0.5 * logvar_q).exp() * eps
    ratio = 0.5 * (logvar_p - logvar_q + (z - mu_p).pow(2) / logvar_p.exp() - eps.pow(2))
    return ratio.sum(dim=-1).mean(dim=1)
