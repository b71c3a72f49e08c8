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


@right("Q1.1", "log_likelihood_bernoulli")
def bernoulli_by_where_on_logs(mu, target):
    """Logarithms stacked and blended by lerp; a walrus, einsum for the sum."""
    batch = (p := mu.reshape(len(mu), -1)).shape[0]
    x = target.reshape(batch, -1).to(p.dtype)
    log_p = torch.lerp(torch.log1p(-p), torch.log(p), x)
    return torch.einsum("bd->b", log_p)


@right("Q1.1", "log_likelihood_bernoulli")
def bernoulli_by_vmap(mu, target):
    """One sample's log-probability, mapped over the batch."""

    def one(p, x):
        return torch.xlogy(x, p).sum() + torch.xlogy(1 - x, 1 - p).sum()

    return torch.vmap(one)(mu.flatten(1), target.flatten(1).to(mu.dtype))


@right("Q1.2", "log_likelihood_normal")
def normal_by_gaussian_nll_loss(mu, logvar, z):
    """nn.functional's loss with its constant, without its floor for the variance."""
    losses = torch.nn.functional.gaussian_nll_loss(mu, z, logvar.exp(), full=True, eps=0.0, reduction="none")
    return losses.flatten(1).sum(-1).neg()


@right("Q1.2", "log_likelihood_normal")
def normal_in_place(mu, logvar, z):
    """In-place operations on tensors of its own; float64 inside."""
    total = z.double() - mu.double()
    total = total.mul(torch.exp(-0.5 * logvar.double()))
    total = total.pow_(2).add_(logvar.double()).add_(math.log(2 * math.pi)).mul_(-0.5)
    return total.reshape(total.size(0), -1).sum(1).to(mu.dtype)


@right("Q1.3", "log_mean_exp")
def log_mean_exp_by_logaddexp(y):
    """Column by column: a running logaddexp."""
    from functools import reduce

    return reduce(torch.logaddexp, y.unbind(dim=1)) - math.log(y.shape[1])


@right("Q1.3", "log_mean_exp")
def log_mean_exp_by_recursion(y):
    """Halves of the columns, recursively, with their numbers of columns as weights."""

    def log_sum(part):
        if part.shape[1] == 1:
            return part[:, 0]
        half = part.shape[1] // 2
        return torch.logaddexp(log_sum(part[:, :half]), log_sum(part[:, half:]))

    return log_sum(y) - torch.tensor(float(y.shape[1]), dtype=y.dtype).log()


@right("Q1.3", "log_mean_exp")
def log_mean_exp_by_softmax(y):
    """log sum exp is any entry minus its own log-softmax: the largest one, found by gather."""
    largest = y.argmax(dim=1, keepdim=True)
    log_share = torch.log_softmax(y, dim=1).gather(1, largest)
    return (y.gather(1, largest) - log_share - math.log(y.size(1)))[:, 0]


@right("Q1.4", "kl_gaussian_gaussian_analytic")
def kl_with_a_helper_class(mu_q, logvar_q, mu_p, logvar_p):
    """A dataclass with a method for the cross entropy; KL is cross entropy minus entropy."""
    from dataclasses import dataclass

    @dataclass(frozen=True)
    class Gaussian:
        mean: Tensor
        logvar: Tensor

        def cross_entropy(self, other: "Gaussian") -> Tensor:
            scaled = ((self.mean - other.mean) ** 2 + self.logvar.exp()) / other.logvar.exp()
            return 0.5 * (math.log(2 * math.pi) + other.logvar + scaled)

    q, p = Gaussian(mu_q, logvar_q), Gaussian(mu_p, logvar_p)
    return (q.cross_entropy(p) - q.cross_entropy(q)).flatten(start_dim=1).sum(dim=-1)


@right("Q1.4", "kl_gaussian_gaussian_analytic")
def kl_by_expm1(mu_q, logvar_q, mu_p, logvar_p):
    """r - 1 - log r by expm1, which keeps small differences; squares by torch.float_power in float64."""
    log_ratio = (logvar_q - logvar_p).double()
    distance = torch.float_power(mu_q - mu_p, 2) * torch.exp(-logvar_p.double())
    kl = 0.5 * (torch.expm1(log_ratio) - log_ratio + distance)
    return kl.view(kl.shape[0], -1).sum(dim=1).to(mu_q.dtype)


@right("Q1.5", "kl_gaussian_gaussian_mc")
def mc_in_a_generator_expression(mu_q, logvar_q, mu_p, logvar_p, num_samples=1):
    """Built-in sum() over samples that a generator draws by torch.normal."""

    def draws():
        for _ in range(num_samples):
            noise = torch.normal(0.0, 1.0, size=tuple(mu_q.shape)).to(mu_q)
            yield torch.addcmul(mu_q, (logvar_q / 2).exp(), noise)

    ratios = (log_likelihood_normal(mu_q, logvar_q, z) - log_likelihood_normal(mu_p, logvar_p, z) for z in draws())
    return sum(ratios) / num_samples


@right("Q1.5", "kl_gaussian_gaussian_mc")
def mc_by_rsample_of_a_standard_normal(mu_q, logvar_q, mu_p, logvar_p, num_samples=1):
    """Noise from a distribution object, the samples as the last dimension."""
    standard = torch.distributions.Normal(torch.zeros(()), torch.ones(()))
    noise = standard.rsample((*mu_q.shape, num_samples)).to(mu_q)
    z = mu_q[..., None] + torch.exp(0.5 * logvar_q)[..., None] * noise
    log_q = -0.5 * (logvar_q[..., None] + noise**2)
    log_p = -0.5 * (logvar_p[..., None] + (z - mu_p[..., None]) ** 2 / logvar_p.exp()[..., None])
    return (log_q - log_p).flatten(1, -2).sum(dim=1).mean(dim=-1)
