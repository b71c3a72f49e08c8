"""Right answers to q1_solution.py that look different from the reference."""

from autograder.grading.variants import right


@right("Q1.1", "log_likelihood_bernoulli")
def bernoulli_by_distributions(mu, target):
    """torch.distributions over all but the batch dimension."""
    mu, target = mu.reshape(mu.shape[0], -1), target.reshape(target.shape[0], -1)
    return torch.distributions.Bernoulli(mu, validate_args=False).log_prob(target).sum(-1)


@right("Q1.2", "log_likelihood_normal")
def normal_by_terms(mu, logvar, z):
    """Three sums, with the standard deviation."""
    mu, logvar, z = (tensor.reshape(tensor.shape[0], -1) for tensor in (mu, logvar, z))
    scaled = (z - mu) / torch.exp(logvar / 2)
    return -(scaled**2).sum(1) / 2 - logvar.sum(1) / 2 - mu.shape[1] * math.log(2 * math.pi) / 2


@right("Q1.3", "log_mean_exp")
def mean_by_logsumexp(y):
    """PyTorch's own."""
    return torch.logsumexp(y, dim=-1) - math.log(y.shape[-1])


@right("Q1.4", "kl_gaussian_gaussian_analytic")
def analytic_by_distributions(mu_q, logvar_q, mu_p, logvar_p):
    """torch.distributions."""
    q = torch.distributions.Normal(mu_q.flatten(1), (logvar_q.flatten(1) / 2).exp())
    p = torch.distributions.Normal(mu_p.flatten(1), (logvar_p.flatten(1) / 2).exp())
    return torch.distributions.kl_divergence(q, p).sum(dim=1)


@right("Q1.5", "kl_gaussian_gaussian_mc")
def mc_by_a_loop(mu_q, logvar_q, mu_p, logvar_p, num_samples=1):
    """A loop over the samples."""
    total = 0
    for _ in range(num_samples):
        z = mu_q + torch.randn_like(mu_q) * (logvar_q / 2).exp()
        total = total + log_likelihood_normal(mu_q, logvar_q, z) - log_likelihood_normal(mu_p, logvar_p, z)
    return total / num_samples
