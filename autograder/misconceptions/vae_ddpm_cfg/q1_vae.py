"""What students get wrong in q1_vae.py."""

from autograder.grading.variants import wrong

# ---------------------------------------------------------------- Q1.1


@wrong("Q1.1", "log_likelihood_bernoulli")
def bernoulli_mean_over_pixels(mu, target):
    """The log-likelihood of a sample is the sum over its D entries, and this is their mean: independent
    probabilities multiply, so their logarithms add up."""
    return (target * mu.log() + (1 - target) * (1 - mu).log()).flatten(1).mean(dim=1)


@wrong("Q1.1", "log_likelihood_bernoulli")
def bernoulli_sign(mu, target):
    """The sign is wrong: this is the binary cross-entropy, the negative of the log-likelihood."""
    return torch.nn.functional.binary_cross_entropy(mu, target, reduction="none").flatten(1).sum(dim=1)


@wrong("Q1.1", "log_likelihood_bernoulli")
def bernoulli_one_number_for_the_batch(mu, target):
    """You sum over the batch too: every sample has a log-likelihood of its own, so keep dimension 0."""
    return (target * mu.log() + (1 - target) * (1 - mu).log()).sum()


@wrong("Q1.1", "log_likelihood_bernoulli")
def bernoulli_no_sum(mu, target):
    """You return one number for each entry: the sum over all dimensions but the batch is missing."""
    return target * mu.log() + (1 - target) * (1 - mu).log()


@wrong("Q1.1", "log_likelihood_bernoulli")
def bernoulli_forgets_the_zeros(mu, target):
    """Only entries with x = 1 count here: a 0 has a probability too, 1 - mu."""
    return (target * mu.log()).flatten(1).sum(dim=1)


@wrong("Q1.1", "log_likelihood_bernoulli")
def bernoulli_mu_as_logits(mu, target):
    """mu is taken for a logit: it is already a probability, so no sigmoid (and no `with_logits`) belongs here."""
    loss = torch.nn.functional.binary_cross_entropy_with_logits(mu, target, reduction="none")
    return -loss.flatten(1).sum(dim=1)


@wrong("Q1.1", "log_likelihood_bernoulli")
def bernoulli_arguments_swapped(mu, target):
    """mu and target have changed places: the logarithm belongs to the probabilities, the samples are the weights."""
    return (mu * (target + 1e-8).log() + (1 - mu) * (1 - target + 1e-8).log()).flatten(1).sum(dim=1)


@wrong("Q1.1", "log_likelihood_bernoulli")
def bernoulli_likelihood_without_log(mu, target):
    """This is the likelihood itself, and for real images it underflows to 0: its logarithm is asked for."""
    return (mu**target * (1 - mu) ** (1 - target)).flatten(1).prod(dim=1)


@wrong("Q1.1", "log_likelihood_bernoulli")
def bernoulli_refuses_grey_values(mu, target):
    """torch.distributions.Bernoulli refuses samples other than 0 and 1 unless validate_args=False; the pixels of MNIST
    are grey values in [0, 1]."""
    return torch.distributions.Bernoulli(mu).log_prob(target).flatten(1).sum(dim=1)


@wrong("Q1.1", "log_likelihood_bernoulli")
def bernoulli_rounds_the_target(mu, target):
    """The target is used as a yes-or-no question: a grey value x must weigh both terms, x and 1 - x."""
    return torch.where(target > 0.5, mu.log(), (1 - mu).log()).flatten(1).sum(dim=1)


@wrong("Q1.1", "log_likelihood_bernoulli")
def bernoulli_sums_the_last_dimension_only(mu, target):
    """Only the last dimension is summed: images (B, C, H, W) must be flattened to (B, D) first."""
    return (target * mu.log() + (1 - target) * (1 - mu).log()).sum(dim=-1)


@wrong("Q1.1", "log_likelihood_bernoulli")
def bernoulli_caret(mu, target):
    """`^` is Python's exclusive or: a power is written `**`."""
    return ((mu ^ target) * ((1 - mu) ^ (1 - target))).log().flatten(1).sum(dim=1)


@wrong("Q1.1", "log_likelihood_bernoulli")
def bernoulli_returns_none(mu, target):
    """The result is None: what is computed has to be handed back with `return`, on every way through."""
    (target * mu.log() + (1 - target) * (1 - mu).log()).flatten(1).sum(dim=1)


@wrong("Q1.1", "log_likelihood_bernoulli")
def bernoulli_subtracts_the_zeros(mu, target):
    """The term of the zeros, (1 - x) log(1 - mu), is subtracted: both terms are added."""
    return (target * mu.log() - (1 - target) * (1 - mu).log()).flatten(1).sum(dim=1)


@wrong("Q1.1", "log_likelihood_bernoulli")
def bernoulli_mean_over_everything(mu, target):
    """This is one mean over the whole batch (binary_cross_entropy's default): sum over each sample's entries."""
    return -torch.nn.functional.binary_cross_entropy(mu, target)


@wrong("Q1.1", "log_likelihood_bernoulli")
def bernoulli_averages_the_samples(mu, target):
    """The log-likelihoods are averaged over the batch: every sample has one of its own, so keep dimension 0."""
    return (target * mu.log() + (1 - target) * (1 - mu).log()).flatten(1).sum(dim=1).mean()


@wrong("Q1.1", "log_likelihood_bernoulli")
def bernoulli_without_gradient(mu, target):
    """The value has lost its gradient (detach(), item() or no_grad()): nothing can be learned through it."""
    return (target * mu.log() + (1 - target) * (1 - mu).log()).flatten(1).sum(dim=1).detach()


@wrong("Q1.1", "log_likelihood_bernoulli")
def bernoulli_log_of_mu_minus_one(mu, target):
    """The logarithm of mu - 1, which is negative, is not a number: the probability of a 0 is 1 - mu."""
    return (target * mu.log() + (1 - target) * (mu - 1).log()).flatten(1).sum(dim=1)


# ---------------------------------------------------------------- Q1.2


@wrong("Q1.2", "log_likelihood_normal")
def normal_forgets_two_pi(mu, logvar, z):
    """The constant log(2 pi) is lost: the density is normalized, and every dimension has this factor."""
    return -0.5 * (logvar + (z - mu) ** 2 / logvar.exp()).flatten(1).sum(dim=1)


@wrong("Q1.2", "log_likelihood_normal")
def normal_two_pi_once(mu, logvar, z):
    """log(2 pi) / 2 is counted once for the whole sample: each of the D dimensions has this factor."""
    quadratic = (logvar + (z - mu) ** 2 / logvar.exp()).flatten(1).sum(dim=1)
    return -0.5 * (math.log(2 * math.pi) + quadratic)


@wrong("Q1.2", "log_likelihood_normal")
def normal_two_pi_without_half(mu, logvar, z):
    """log(2 pi) is subtracted in full for each dimension: half of it belongs to each."""
    return -(math.log(2 * math.pi) + 0.5 * (logvar + (z - mu) ** 2 / logvar.exp())).flatten(1).sum(dim=1)


@wrong("Q1.2", "log_likelihood_normal")
def normal_forgets_the_half(mu, logvar, z):
    """The factor 1/2 in front of the squared distance is lost."""
    log_density = -0.5 * (math.log(2 * math.pi) + logvar) - (z - mu) ** 2 / logvar.exp()
    return log_density.flatten(1).sum(dim=1)


@wrong("Q1.2", "log_likelihood_normal")
def normal_log_of_std_without_half(mu, logvar, z):
    """The normalizing constant has log sigma, which is logvar / 2: the half is lost there."""
    log_density = -0.5 * (math.log(2 * math.pi) + (z - mu) ** 2 / logvar.exp()) - logvar
    return log_density.flatten(1).sum(dim=1)


@wrong("Q1.2", "log_likelihood_normal")
def normal_forgets_the_log_determinant(mu, logvar, z):
    """The term with logvar alone is lost: a wide normal distribution has a low density."""
    return -0.5 * (math.log(2 * math.pi) + (z - mu) ** 2 / logvar.exp()).flatten(1).sum(dim=1)


@wrong("Q1.2", "log_likelihood_normal")
def normal_logvar_as_std(mu, logvar, z):
    """exp(logvar) is used as the standard deviation: it is the variance, so sigma = exp(logvar / 2)."""
    return torch.distributions.Normal(mu, logvar.exp()).log_prob(z).flatten(1).sum(dim=1)


@wrong("Q1.2", "log_likelihood_normal")
def normal_logvar_as_variance(mu, logvar, z):
    """logvar is used as if it were the variance: it is its logarithm."""
    log_density = -0.5 * (math.log(2 * math.pi) + logvar + (z - mu) ** 2 / logvar)
    return log_density.flatten(1).sum(dim=1)


@wrong("Q1.2", "log_likelihood_normal")
def normal_sign(mu, logvar, z):
    """The sign is wrong: this is the negative log-likelihood."""
    return 0.5 * (math.log(2 * math.pi) + logvar + (z - mu) ** 2 / logvar.exp()).flatten(1).sum(dim=1)


@wrong("Q1.2", "log_likelihood_normal")
def normal_mean_over_dimensions(mu, logvar, z):
    """The log-likelihood of a sample is the sum over its D dimensions, and this is their mean."""
    return -0.5 * (math.log(2 * math.pi) + logvar + (z - mu) ** 2 / logvar.exp()).flatten(1).mean(dim=1)


@wrong("Q1.2", "log_likelihood_normal")
def normal_one_number_for_the_batch(mu, logvar, z):
    """You sum over the batch too: every sample has a log-likelihood of its own, so keep dimension 0."""
    return -0.5 * (math.log(2 * math.pi) + logvar + (z - mu) ** 2 / logvar.exp()).sum()


@wrong("Q1.2", "log_likelihood_normal")
def normal_sums_the_last_dimension_only(mu, logvar, z):
    """Only the last dimension is summed: flatten to (B, D) first."""
    return -0.5 * (math.log(2 * math.pi) + logvar + (z - mu) ** 2 / logvar.exp()).sum(dim=-1)


@wrong("Q1.2", "log_likelihood_normal")
def normal_caret(mu, logvar, z):
    """`^` is Python's exclusive or: a square is written `** 2`."""
    return -0.5 * (math.log(2 * math.pi) + logvar + ((z - mu) ^ 2) / logvar.exp()).flatten(1).sum(dim=1)


@wrong("Q1.2", "log_likelihood_normal")
def normal_returns_none(mu, logvar, z):
    """The result is None: what is computed has to be handed back with `return`, on every way through."""
    -0.5 * (math.log(2 * math.pi) + logvar + (z - mu) ** 2 / logvar.exp()).flatten(1).sum(dim=1)


@wrong("Q1.2", "log_likelihood_normal")
def normal_variance_squared(mu, logvar, z):
    """The squared distance is divided by the square of the variance: exp(logvar) is the variance already."""
    return -0.5 * (math.log(2 * math.pi) + logvar + (z - mu) ** 2 / logvar.exp() ** 2).flatten(1).sum(dim=1)


@wrong("Q1.2", "log_likelihood_normal")
def normal_multiplies_by_the_variance(mu, logvar, z):
    """The squared distance is multiplied by the variance: it is divided by it."""
    return -0.5 * (math.log(2 * math.pi) + logvar + (z - mu) ** 2 * logvar.exp()).flatten(1).sum(dim=1)


@wrong("Q1.2", "log_likelihood_normal")
def normal_divides_by_the_std(mu, logvar, z):
    """The squared distance is divided by the standard deviation: the variance, exp(logvar), belongs there."""
    return -0.5 * (math.log(2 * math.pi) + logvar + (z - mu) ** 2 / (0.5 * logvar).exp()).flatten(1).sum(dim=1)


@wrong("Q1.2", "log_likelihood_normal")
def normal_sign_of_logvar(mu, logvar, z):
    """logvar has the wrong sign: a wide normal distribution has a low density."""
    return -0.5 * (math.log(2 * math.pi) - logvar + (z - mu) ** 2 / logvar.exp()).flatten(1).sum(dim=1)


@wrong("Q1.2", "log_likelihood_normal")
def normal_two_pi_times_dimensions_squared(mu, logvar, z):
    """log(2 pi) is multiplied by D and then summed over the D dimensions too: each dimension has it once."""
    size = mu.flatten(1).shape[1]
    return -0.5 * (size * math.log(2 * math.pi) + logvar + (z - mu) ** 2 / logvar.exp()).flatten(1).sum(dim=1)


@wrong("Q1.2", "log_likelihood_normal")
def normal_two_pi_for_the_batch(mu, logvar, z):
    """log(2 pi) is counted for every entry of the batch: each sample has it once for each of its own dimensions."""
    quadratic = (logvar + (z - mu) ** 2 / logvar.exp()).flatten(1).sum(dim=1)
    return -0.5 * (mu.numel() * math.log(2 * math.pi) + quadratic)


@wrong("Q1.2", "log_likelihood_normal")
def normal_distance_not_squared(mu, logvar, z):
    """The distance of z and mu is not squared."""
    return -0.5 * (math.log(2 * math.pi) + logvar + (z - mu) / logvar.exp()).flatten(1).sum(dim=1)


@wrong("Q1.2", "log_likelihood_normal")
def normal_two_pi_without_log(mu, logvar, z):
    """2 pi stands where its logarithm belongs."""
    return -0.5 * (2 * math.pi + logvar + (z - mu) ** 2 / logvar.exp()).flatten(1).sum(dim=1)


@wrong("Q1.2", "log_likelihood_normal")
def normal_sums_over_the_batch_dimension(mu, logvar, z):
    """The sum goes over dimension 0, the batch: sum over all dimensions but that one."""
    return -0.5 * (math.log(2 * math.pi) + logvar + (z - mu) ** 2 / logvar.exp()).sum(dim=0)


@wrong("Q1.2", "log_likelihood_normal")
def normal_without_gradient(mu, logvar, z):
    """The value has lost its gradient (detach(), item() or no_grad()): nothing can be learned through it."""
    return -0.5 * (math.log(2 * math.pi) + logvar + (z - mu) ** 2 / logvar.exp()).flatten(1).sum(dim=1).detach()


@wrong("Q1.2", "log_likelihood_normal")
def normal_sums_before_it_divides(mu, logvar, z):
    """The squared distances are summed and then divided by the sum of the variances: each is divided by its own."""
    mu, logvar, z = (v.flatten(1) for v in (mu, logvar, z))
    quadratic = ((z - mu) ** 2).sum(dim=1) / logvar.exp().sum(dim=1)
    return -0.5 * (mu.shape[1] * math.log(2 * math.pi) + logvar.sum(dim=1) + quadratic)


@wrong("Q1.2", "log_likelihood_normal")
def normal_averages_the_samples(mu, logvar, z):
    """The log-likelihoods are averaged over the batch: every sample has one of its own, so keep dimension 0."""
    return -0.5 * (math.log(2 * math.pi) + logvar + (z - mu) ** 2 / logvar.exp()).flatten(1).sum(dim=1).mean()


@wrong("Q1.2", "log_likelihood_normal")
def normal_logvar_is_the_variance(mu, logvar, z):
    """logvar is taken for the variance: that is exp(logvar), which is positive."""
    return (-0.5 * (math.log(2 * math.pi) + logvar.abs().log() + (z - mu) ** 2 / logvar)).flatten(1).sum(dim=1)


# ---------------------------------------------------------------- Q1.3


@wrong("Q1.3", "log_mean_exp")
def log_mean_exp_b_by_b(y):
    """A maximum with keepdim, (B, 1), is added to a mean without, (B,): broadcasting makes that (B, B)."""
    maximum = y.max(dim=1, keepdim=True).values
    return (y - maximum).exp().mean(dim=1).log() + maximum


@wrong("Q1.3", "log_mean_exp")
def log_mean_exp_keeps_a_column(y):
    """The result is (B, 1): the dimension that `keepdim` kept must go at the end."""
    maximum = y.max(dim=1, keepdim=True).values
    return (y - maximum).exp().mean(dim=1, keepdim=True).log() + maximum


@wrong("Q1.3", "log_mean_exp")
def log_mean_exp_overflows(y):
    """exp() is taken of the numbers as they are, so it overflows or underflows: subtract each row's maximum before."""
    return y.exp().mean(dim=1).log()


@wrong("Q1.3", "log_mean_exp")
def log_mean_exp_sum_for_mean(y):
    """This is log-sum-exp: the mean divides by K, which takes log K off the result."""
    return torch.logsumexp(y, dim=1)


@wrong("Q1.3", "log_mean_exp")
def log_mean_exp_subtracts_k(y):
    """K is subtracted outside of the logarithm: there, dividing by K means subtracting log K."""
    return torch.logsumexp(y, dim=1) - y.shape[1]


@wrong("Q1.3", "log_mean_exp")
def log_mean_exp_divides_by_k_outside(y):
    """The division by K stands outside of the logarithm: the mean is taken of the exponentials."""
    return torch.logsumexp(y, dim=1) / y.shape[1]


@wrong("Q1.3", "log_mean_exp")
def log_mean_exp_maximum_not_added(y):
    """The maximum that was subtracted is not added back."""
    return (y - y.max(dim=1, keepdim=True).values).exp().mean(dim=1).log()


@wrong("Q1.3", "log_mean_exp")
def log_mean_exp_maximum_added_inside(y):
    """The maximum is added inside of the logarithm: it belongs outside."""
    maximum = y.max(dim=1).values
    return ((y - maximum.unsqueeze(1)).exp().mean(dim=1) + maximum).log()


@wrong("Q1.3", "log_mean_exp")
def log_mean_exp_one_maximum_for_all(y):
    """One maximum is subtracted from the whole batch: rows far below it underflow, so each row needs its own."""
    return (y - y.max()).exp().mean(dim=1).log() + y.max()


@wrong("Q1.3", "log_mean_exp")
def log_mean_exp_wrong_dimension(y):
    """Maximum and mean are taken over the batch, dimension 0: they belong to the K numbers of a row, dimension 1."""
    maximum = y.max(dim=0).values
    return (y - maximum).exp().mean(dim=0).log() + maximum


@wrong("Q1.3", "log_mean_exp")
def log_mean_exp_mean_of_logs(y):
    """Mean and logarithm have changed places: log(exp(y)) is y, so this is only the mean of the row."""
    maximum = y.max(dim=1, keepdim=True).values
    return (y - maximum).exp().log().mean(dim=1) + maximum.squeeze(1)


@wrong("Q1.3", "log_mean_exp")
def log_mean_exp_changes_its_input(y):
    """The caller's tensor is changed in place, as by `y -= maximum`: write `y - maximum`."""
    maximum = y.max(dim=1, keepdim=True).values
    y -= maximum
    return y.exp().mean(dim=1).log() + maximum.squeeze(1)


@wrong("Q1.3", "log_mean_exp")
def log_mean_exp_squeezes_everything(y):
    """`squeeze()` without a dimension also removes the batch dimension of a batch of one: name the dimension."""
    maximum = y.max(dim=1, keepdim=True).values
    return ((y - maximum).exp().mean(dim=1, keepdim=True).log() + maximum).squeeze()


@wrong("Q1.3", "log_mean_exp")
def log_mean_exp_returns_none(y):
    """The result is None: what is computed has to be handed back with `return`, on every way through."""
    torch.logsumexp(y, dim=1) - math.log(y.shape[1])


@wrong("Q1.3", "log_mean_exp")
def log_mean_exp_divides_by_the_batch(y):
    """The sum is divided by B, the number of rows: the mean is over the K numbers of a row."""
    return torch.logsumexp(y, dim=1) - math.log(y.shape[0])


@wrong("Q1.3", "log_mean_exp")
def log_mean_exp_adds_log_k(y):
    """log K is added: dividing by K inside of the logarithm subtracts it."""
    return torch.logsumexp(y, dim=1) + math.log(y.shape[1])


@wrong("Q1.3", "log_mean_exp")
def log_mean_exp_subtracts_the_mean(y):
    """The mean of each row is subtracted, not its maximum: numbers far above the mean still overflow."""
    middle = y.mean(dim=1, keepdim=True)
    return (y - middle).exp().mean(dim=1).log() + middle.squeeze(1)


@wrong("Q1.3", "log_mean_exp")
def log_mean_exp_epsilon(y):
    """A small number inside the logarithm avoids log(0), but the result is wrong, and large numbers still overflow:
    subtract each row's maximum before."""
    return (y.exp().mean(dim=1) + 1e-8).log()


@wrong("Q1.3", "log_mean_exp")
def log_mean_exp_takes_values_and_indices(y):
    """torch.max with a dimension returns values and indices: take .values, or torch.amax."""
    maximum = y.max(dim=1, keepdim=True)
    return (y - maximum).exp().mean(dim=1).log() + maximum


@wrong("Q1.3", "log_mean_exp")
def log_mean_exp_log10_of_k(y):
    """The logarithm of K is to base 10: the natural one is asked for."""
    return torch.logsumexp(y, dim=1) - math.log10(y.shape[1])


# ---------------------------------------------------------------- Q1.4


@wrong("Q1.4", "kl_gaussian_gaussian_analytic")
def kl_swapped(mu_q, logvar_q, mu_p, logvar_p):
    """This is KL(p || q): q and p have changed places. The expectation is over q, so p's variance is the divisor."""
    kl = 0.5 * (logvar_q - logvar_p + (logvar_p.exp() + (mu_q - mu_p) ** 2) / logvar_q.exp() - 1)
    return kl.flatten(1).sum(dim=1)


@wrong("Q1.4", "kl_gaussian_gaussian_analytic")
def kl_without_half(mu_q, logvar_q, mu_p, logvar_p):
    """The factor 1/2 of the whole expression is lost."""
    kl = logvar_p - logvar_q + (logvar_q.exp() + (mu_q - mu_p) ** 2) / logvar_p.exp() - 1
    return kl.flatten(1).sum(dim=1)


@wrong("Q1.4", "kl_gaussian_gaussian_analytic")
def kl_log_ratio_without_half(mu_q, logvar_q, mu_p, logvar_p):
    """log(sigma_p / sigma_q) is half of logvar_p - logvar_q: the half is lost there."""
    kl = logvar_p - logvar_q + 0.5 * ((logvar_q.exp() + (mu_q - mu_p) ** 2) / logvar_p.exp() - 1)
    return kl.flatten(1).sum(dim=1)


@wrong("Q1.4", "kl_gaussian_gaussian_analytic")
def kl_without_minus_one(mu_q, logvar_q, mu_p, logvar_p):
    """The -1 in every dimension is lost: without it, the divergence is not 0 where q = p."""
    kl = 0.5 * (logvar_p - logvar_q + (logvar_q.exp() + (mu_q - mu_p) ** 2) / logvar_p.exp())
    return kl.flatten(1).sum(dim=1)


@wrong("Q1.4", "kl_gaussian_gaussian_analytic")
def kl_minus_one_once(mu_q, logvar_q, mu_p, logvar_p):
    """The -1 is counted once for the whole sample: each of the D dimensions has it."""
    kl = logvar_p - logvar_q + (logvar_q.exp() + (mu_q - mu_p) ** 2) / logvar_p.exp()
    return 0.5 * (kl.flatten(1).sum(dim=1) - 1)


@wrong("Q1.4", "kl_gaussian_gaussian_analytic")
def kl_without_logs(mu_q, logvar_q, mu_p, logvar_p):
    """The difference of the log-variances is lost."""
    return 0.5 * ((logvar_q.exp() + (mu_q - mu_p) ** 2) / logvar_p.exp() - 1).flatten(1).sum(dim=1)


@wrong("Q1.4", "kl_gaussian_gaussian_analytic")
def kl_sign_of_logs(mu_q, logvar_q, mu_p, logvar_p):
    """The log-variances have the wrong sign: it is log(sigma_p / sigma_q), which grows with p's width."""
    kl = 0.5 * (logvar_q - logvar_p + (logvar_q.exp() + (mu_q - mu_p) ** 2) / logvar_p.exp() - 1)
    return kl.flatten(1).sum(dim=1)


@wrong("Q1.4", "kl_gaussian_gaussian_analytic")
def kl_distance_not_scaled(mu_q, logvar_q, mu_p, logvar_p):
    """The squared distance of the means is not divided by p's variance: mind the brackets."""
    kl = 0.5 * (logvar_p - logvar_q + logvar_q.exp() / logvar_p.exp() + (mu_q - mu_p) ** 2 - 1)
    return kl.flatten(1).sum(dim=1)


@wrong("Q1.4", "kl_gaussian_gaussian_analytic")
def kl_distance_not_squared(mu_q, logvar_q, mu_p, logvar_p):
    """The distance of the means is not squared."""
    kl = 0.5 * (logvar_p - logvar_q + (logvar_q.exp() + (mu_q - mu_p).abs()) / logvar_p.exp() - 1)
    return kl.flatten(1).sum(dim=1)


@wrong("Q1.4", "kl_gaussian_gaussian_analytic")
def kl_logvar_as_std(mu_q, logvar_q, mu_p, logvar_p):
    """exp(logvar) is used as the standard deviation: it is the variance, so sigma = exp(logvar / 2)."""
    q = torch.distributions.Normal(mu_q, logvar_q.exp())
    p = torch.distributions.Normal(mu_p, logvar_p.exp())
    return torch.distributions.kl_divergence(q, p).flatten(1).sum(dim=1)


@wrong("Q1.4", "kl_gaussian_gaussian_analytic")
def kl_logvar_as_variance(mu_q, logvar_q, mu_p, logvar_p):
    """logvar is used as if it were the variance: it is its logarithm."""
    kl = 0.5 * (logvar_p - logvar_q + (logvar_q + (mu_q - mu_p) ** 2) / logvar_p - 1)
    return kl.flatten(1).sum(dim=1)


@wrong("Q1.4", "kl_gaussian_gaussian_analytic")
def kl_to_standard_normal(mu_q, logvar_q, mu_p, logvar_p):
    """p is ignored: this is the divergence from a standard normal prior, a special case."""
    return -0.5 * (1 + logvar_q - mu_q**2 - logvar_q.exp()).flatten(1).sum(dim=1)


@wrong("Q1.4", "kl_gaussian_gaussian_analytic")
def kl_mean_over_dimensions(mu_q, logvar_q, mu_p, logvar_p):
    """The divergence is the sum over the D dimensions, and this is their mean."""
    kl = 0.5 * (logvar_p - logvar_q + (logvar_q.exp() + (mu_q - mu_p) ** 2) / logvar_p.exp() - 1)
    return kl.flatten(1).mean(dim=1)


@wrong("Q1.4", "kl_gaussian_gaussian_analytic")
def kl_one_number_for_the_batch(mu_q, logvar_q, mu_p, logvar_p):
    """You sum over the batch too: every sample has a divergence of its own, so keep dimension 0."""
    return 0.5 * (logvar_p - logvar_q + (logvar_q.exp() + (mu_q - mu_p) ** 2) / logvar_p.exp() - 1).sum()


@wrong("Q1.4", "kl_gaussian_gaussian_analytic")
def kl_sums_the_last_dimension_only(mu_q, logvar_q, mu_p, logvar_p):
    """Only the last dimension is summed: flatten to (B, D) first."""
    return 0.5 * (logvar_p - logvar_q + (logvar_q.exp() + (mu_q - mu_p) ** 2) / logvar_p.exp() - 1).sum(dim=-1)


@wrong("Q1.4", "kl_gaussian_gaussian_analytic")
def kl_caret(mu_q, logvar_q, mu_p, logvar_p):
    """`^` is Python's exclusive or: a square is written `** 2`."""
    kl = 0.5 * (logvar_p - logvar_q + (logvar_q.exp() + ((mu_q - mu_p) ^ 2)) / logvar_p.exp() - 1)
    return kl.flatten(1).sum(dim=1)


@wrong("Q1.4", "kl_gaussian_gaussian_analytic")
def kl_returns_none(mu_q, logvar_q, mu_p, logvar_p):
    """The result is None: what is computed has to be handed back with `return`, on every way through."""
    0.5 * (logvar_p - logvar_q + (logvar_q.exp() + (mu_q - mu_p) ** 2) / logvar_p.exp() - 1).flatten(1).sum(dim=1)


@wrong("Q1.4", "kl_gaussian_gaussian_analytic")
def kl_plus_one(mu_q, logvar_q, mu_p, logvar_p):
    """1 is added in every dimension: it is subtracted."""
    kl = 0.5 * (logvar_p - logvar_q + (logvar_q.exp() + (mu_q - mu_p) ** 2) / logvar_p.exp() + 1)
    return kl.flatten(1).sum(dim=1)


@wrong("Q1.4", "kl_gaussian_gaussian_analytic")
def kl_divides_logvars(mu_q, logvar_q, mu_p, logvar_p):
    """The log-variances are divided: the logarithm of a ratio is their difference."""
    kl = 0.5 * (logvar_p / logvar_q + (logvar_q.exp() + (mu_q - mu_p) ** 2) / logvar_p.exp() - 1)
    return kl.flatten(1).sum(dim=1)


@wrong("Q1.4", "kl_gaussian_gaussian_analytic")
def kl_half_twice(mu_q, logvar_q, mu_p, logvar_p):
    """The fraction is divided by 2 although 1/2 stands before the whole expression: it is halved twice."""
    kl = 0.5 * (logvar_p - logvar_q + (logvar_q.exp() + (mu_q - mu_p) ** 2) / (2 * logvar_p.exp()) - 1)
    return kl.flatten(1).sum(dim=1)


@wrong("Q1.4", "kl_gaussian_gaussian_analytic")
def kl_subtracts_the_distance(mu_q, logvar_q, mu_p, logvar_p):
    """The squared distance of the means is subtracted: it makes a divergence larger."""
    kl = 0.5 * (logvar_p - logvar_q + (logvar_q.exp() - (mu_q - mu_p) ** 2) / logvar_p.exp() - 1)
    return kl.flatten(1).sum(dim=1)


@wrong("Q1.4", "kl_gaussian_gaussian_analytic")
def kl_divides_by_the_variance_of_q(mu_q, logvar_q, mu_p, logvar_p):
    """The fraction is divided by q's variance: the divisor is p's."""
    kl = 0.5 * (logvar_p - logvar_q + (logvar_q.exp() + (mu_q - mu_p) ** 2) / logvar_q.exp() - 1)
    return kl.flatten(1).sum(dim=1)


@wrong("Q1.4", "kl_gaussian_gaussian_analytic")
def kl_without_the_variance_of_q(mu_q, logvar_q, mu_p, logvar_p):
    """The ratio of the variances, exp(logvar_q) / exp(logvar_p), is missing."""
    kl = 0.5 * (logvar_p - logvar_q + (mu_q - mu_p) ** 2 / logvar_p.exp() - 1)
    return kl.flatten(1).sum(dim=1)


@wrong("Q1.4", "kl_gaussian_gaussian_analytic")
def kl_variance_of_q_not_divided(mu_q, logvar_q, mu_p, logvar_p):
    """Only the squared distance is divided by p's variance: that of q stands in the same numerator, mind the
    brackets."""
    kl = 0.5 * (logvar_p - logvar_q + logvar_q.exp() + (mu_q - mu_p) ** 2 / logvar_p.exp() - 1)
    return kl.flatten(1).sum(dim=1)


@wrong("Q1.4", "kl_gaussian_gaussian_analytic")
def kl_sums_over_the_batch_dimension(mu_q, logvar_q, mu_p, logvar_p):
    """The sum goes over dimension 0, the batch: sum over all dimensions but that one."""
    return 0.5 * (logvar_p - logvar_q + (logvar_q.exp() + (mu_q - mu_p) ** 2) / logvar_p.exp() - 1).sum(dim=0)


@wrong("Q1.4", "kl_gaussian_gaussian_analytic")
def kl_averages_the_samples(mu_q, logvar_q, mu_p, logvar_p):
    """The divergences are averaged over the batch: every sample has one of its own, so keep dimension 0."""
    kl = 0.5 * (logvar_p - logvar_q + (logvar_q.exp() + (mu_q - mu_p) ** 2) / logvar_p.exp() - 1)
    return kl.flatten(1).sum(dim=1).mean()


@wrong("Q1.4", "kl_gaussian_gaussian_analytic")
def kl_negative(mu_q, logvar_q, mu_p, logvar_p):
    """The sign is wrong: a divergence is never negative."""
    kl = 0.5 * (logvar_p - logvar_q + (logvar_q.exp() + (mu_q - mu_p) ** 2) / logvar_p.exp() - 1)
    return -kl.flatten(1).sum(dim=1)


# ---------------------------------------------------------------- Q1.5


@wrong("Q1.5", "kl_gaussian_gaussian_mc")
def mc_uses_one_sample(mu_q, logvar_q, mu_p, logvar_p, num_samples=1):
    """num_samples has no effect: a single z is drawn for each element of the batch, or copies of one are averaged.
    Expand first, then draw noise of the expanded shape."""
    z = mu_q + torch.exp(0.5 * logvar_q) * torch.randn_like(mu_q)
    return log_likelihood_normal(mu_q, logvar_q, z) - log_likelihood_normal(mu_p, logvar_p, z)


@wrong("Q1.5", "kl_gaussian_gaussian_mc")
def mc_same_noise_for_the_batch(mu_q, logvar_q, mu_p, logvar_p, num_samples=1):
    """All elements of the batch share their noise: every one needs its own samples."""
    total = 0
    for _ in range(num_samples):
        z = mu_q + torch.exp(0.5 * logvar_q) * torch.randn_like(mu_q[:1])
        total = total + log_likelihood_normal(mu_q, logvar_q, z) - log_likelihood_normal(mu_p, logvar_p, z)
    return total / num_samples


@wrong("Q1.5", "kl_gaussian_gaussian_mc")
def mc_fails_for_many_samples(mu_q, logvar_q, mu_p, logvar_p, num_samples=1):
    """The shapes only fit for num_samples=1: give the parameters a dimension for the samples, or repeat their rows."""
    batch = mu_q.shape[0]
    mu_q, logvar_q = mu_q.reshape(batch, -1), logvar_q.reshape(batch, -1)
    mu_p, logvar_p = mu_p.reshape(batch, -1), logvar_p.reshape(batch, -1)
    z = mu_q + torch.exp(0.5 * logvar_q) * torch.randn(
        num_samples * batch, mu_q.shape[1], dtype=mu_q.dtype, device=mu_q.device
    )
    return log_likelihood_normal(mu_q, logvar_q, z) - log_likelihood_normal(mu_p, logvar_p, z)


@wrong("Q1.5", "kl_gaussian_gaussian_mc")
def mc_mixes_rows(mu_q, logvar_q, mu_p, logvar_p, num_samples=1):
    """Rows are repeated in one order and taken apart in another: after repeat(K, 1) the rows lie as (K, B), and after
    repeat_interleave(K) as (B, K)."""
    batch = mu_q.shape[0]
    mu_q, logvar_q, mu_p, logvar_p = (v.flatten(1).repeat(num_samples, 1) for v in (mu_q, logvar_q, mu_p, logvar_p))
    z = mu_q + torch.exp(0.5 * logvar_q) * torch.randn_like(mu_q)
    log_ratio = log_likelihood_normal(mu_q, logvar_q, z) - log_likelihood_normal(mu_p, logvar_p, z)
    return log_ratio.view(batch, num_samples).mean(dim=1)


@wrong("Q1.5", "kl_gaussian_gaussian_mc")
def mc_keeps_the_samples(mu_q, logvar_q, mu_p, logvar_p, num_samples=1):
    """The mean over the samples is missing: you return one number for each sample, not one for each element."""
    draws = []
    for _ in range(num_samples):
        z = mu_q + torch.exp(0.5 * logvar_q) * torch.randn_like(mu_q)
        draws.append(log_likelihood_normal(mu_q, logvar_q, z) - log_likelihood_normal(mu_p, logvar_p, z))
    return torch.stack(draws, dim=1)


@wrong("Q1.5", "kl_gaussian_gaussian_mc")
def mc_sums_the_samples(mu_q, logvar_q, mu_p, logvar_p, num_samples=1):
    """The samples are summed: their mean is the estimate of the expectation."""
    total = 0
    for _ in range(num_samples):
        z = mu_q + torch.exp(0.5 * logvar_q) * torch.randn_like(mu_q)
        total = total + log_likelihood_normal(mu_q, logvar_q, z) - log_likelihood_normal(mu_p, logvar_p, z)
    return total


@wrong("Q1.5", "kl_gaussian_gaussian_mc")
def mc_mean_over_dimensions(mu_q, logvar_q, mu_p, logvar_p, num_samples=1):
    """The mean is taken over the D dimensions too: there it is a sum, and the mean is over the samples only."""
    mu_q, logvar_q, mu_p, logvar_p = (v.flatten(1).unsqueeze(1) for v in (mu_q, logvar_q, mu_p, logvar_p))
    size = mu_q.shape[0], num_samples, mu_q.shape[2]
    z = mu_q + torch.exp(0.5 * logvar_q) * torch.randn(size, dtype=mu_q.dtype, device=mu_q.device)
    log_q = -0.5 * (logvar_q + (z - mu_q) ** 2 / logvar_q.exp())
    log_p = -0.5 * (logvar_p + (z - mu_p) ** 2 / logvar_p.exp())
    return (log_q - log_p).mean(dim=(1, 2))


@wrong("Q1.5", "kl_gaussian_gaussian_mc")
def mc_one_number_for_the_batch(mu_q, logvar_q, mu_p, logvar_p, num_samples=1):
    """You average over the batch too: every element has a divergence of its own."""
    draws = []
    for _ in range(num_samples):
        z = mu_q + torch.exp(0.5 * logvar_q) * torch.randn_like(mu_q)
        draws.append(log_likelihood_normal(mu_q, logvar_q, z) - log_likelihood_normal(mu_p, logvar_p, z))
    return torch.stack(draws).mean()


@wrong("Q1.5", "kl_gaussian_gaussian_mc")
def mc_samples_from_p(mu_q, logvar_q, mu_p, logvar_p, num_samples=1):
    """z is drawn from p: in KL(q || p) the expectation is over q."""
    total = 0
    for _ in range(num_samples):
        z = mu_p + torch.exp(0.5 * logvar_p) * torch.randn_like(mu_p)
        total = total + log_likelihood_normal(mu_q, logvar_q, z) - log_likelihood_normal(mu_p, logvar_p, z)
    return total / num_samples


@wrong("Q1.5", "kl_gaussian_gaussian_mc")
def mc_samples_from_standard_normal(mu_q, logvar_q, mu_p, logvar_p, num_samples=1):
    """z is plain standard normal noise: it still has to be scaled by sigma_q and shifted by mu_q."""
    total = 0
    for _ in range(num_samples):
        z = torch.randn_like(mu_q)
        total = total + log_likelihood_normal(mu_q, logvar_q, z) - log_likelihood_normal(mu_p, logvar_p, z)
    return total / num_samples


@wrong("Q1.5", "kl_gaussian_gaussian_mc")
def mc_variance_for_std(mu_q, logvar_q, mu_p, logvar_p, num_samples=1):
    """The noise is scaled by exp(logvar_q), the variance: the standard deviation is exp(logvar_q / 2)."""
    total = 0
    for _ in range(num_samples):
        z = mu_q + torch.exp(logvar_q) * torch.randn_like(mu_q)
        total = total + log_likelihood_normal(mu_q, logvar_q, z) - log_likelihood_normal(mu_p, logvar_p, z)
    return total / num_samples


@wrong("Q1.5", "kl_gaussian_gaussian_mc")
def mc_sign(mu_q, logvar_q, mu_p, logvar_p, num_samples=1):
    """The sign is wrong: it is log q(z) - log p(z)."""
    total = 0
    for _ in range(num_samples):
        z = mu_q + torch.exp(0.5 * logvar_q) * torch.randn_like(mu_q)
        total = total + log_likelihood_normal(mu_p, logvar_p, z) - log_likelihood_normal(mu_q, logvar_q, z)
    return total / num_samples


@wrong("Q1.5", "kl_gaussian_gaussian_mc")
def mc_weights_by_the_density(mu_q, logvar_q, mu_p, logvar_p, num_samples=1):
    """The log-ratio is weighted by q(z) once more: samples that come from q already bring that weight."""
    total = 0
    for _ in range(num_samples):
        z = mu_q + torch.exp(0.5 * logvar_q) * torch.randn_like(mu_q)
        log_q, log_p = log_likelihood_normal(mu_q, logvar_q, z), log_likelihood_normal(mu_p, logvar_p, z)
        total = total + log_q.exp() * (log_q - log_p)
    return total / num_samples


@wrong("Q1.5", "kl_gaussian_gaussian_mc")
def mc_no_gradient_through_z(mu_q, logvar_q, mu_p, logvar_p, num_samples=1):
    """z is drawn without its gradient (sample(), detach() or no_grad()): mu_q + sigma_q * eps keeps it."""
    total = 0
    for _ in range(num_samples):
        z = (mu_q + torch.exp(0.5 * logvar_q) * torch.randn_like(mu_q)).detach()
        total = total + log_likelihood_normal(mu_q, logvar_q, z) - log_likelihood_normal(mu_p, logvar_p, z)
    return total / num_samples


@wrong("Q1.5", "kl_gaussian_gaussian_mc")
def mc_returns_none(mu_q, logvar_q, mu_p, logvar_p, num_samples=1):
    """The result is None: what is computed has to be handed back with `return`, on every way through."""
    z = mu_q + torch.exp(0.5 * logvar_q) * torch.randn_like(mu_q)
    log_likelihood_normal(mu_q, logvar_q, z) - log_likelihood_normal(mu_p, logvar_p, z)


@wrong("Q1.5", "kl_gaussian_gaussian_mc")
def mc_mixes_interleaved_rows(mu_q, logvar_q, mu_p, logvar_p, num_samples=1):
    """Rows are repeated in one order and taken apart in another: after repeat_interleave(K) the rows lie as (B, K), and
    after repeat(K, 1) as (K, B)."""
    batch = mu_q.shape[0]
    mu_q, logvar_q, mu_p, logvar_p = (
        v.flatten(1).repeat_interleave(num_samples, dim=0) for v in (mu_q, logvar_q, mu_p, logvar_p)
    )
    z = mu_q + torch.exp(0.5 * logvar_q) * torch.randn_like(mu_q)
    log_ratio = log_likelihood_normal(mu_q, logvar_q, z) - log_likelihood_normal(mu_p, logvar_p, z)
    return log_ratio.view(num_samples, batch).mean(dim=0)


@wrong("Q1.5", "kl_gaussian_gaussian_mc")
def mc_uniform_noise(mu_q, logvar_q, mu_p, logvar_p, num_samples=1):
    """torch.rand draws uniform numbers in [0, 1): the noise is normal, torch.randn."""
    total = 0
    for _ in range(num_samples):
        z = mu_q + torch.exp(0.5 * logvar_q) * torch.rand_like(mu_q)
        total = total + log_likelihood_normal(mu_q, logvar_q, z) - log_likelihood_normal(mu_p, logvar_p, z)
    return total / num_samples


@wrong("Q1.5", "kl_gaussian_gaussian_mc")
def mc_is_the_closed_form(mu_q, logvar_q, mu_p, logvar_p, num_samples=1):
    """This is the closed form: the estimate from samples is asked for."""
    kl = 0.5 * (logvar_p - logvar_q + (logvar_q.exp() + (mu_q - mu_p) ** 2) / logvar_p.exp() - 1)
    return kl.flatten(1).sum(dim=1)


@wrong("Q1.5", "kl_gaussian_gaussian_mc")
def mc_seeds_itself(mu_q, logvar_q, mu_p, logvar_p, num_samples=1):
    """The function sets a seed, so that every call draws the same noise: leave that to whoever calls."""
    torch.manual_seed(0)
    total = 0
    for _ in range(num_samples):
        z = mu_q + torch.exp(0.5 * logvar_q) * torch.randn_like(mu_q)
        total = total + log_likelihood_normal(mu_q, logvar_q, z) - log_likelihood_normal(mu_p, logvar_p, z)
    return total / num_samples


@wrong("Q1.5", "kl_gaussian_gaussian_mc")
def mc_logarithm_of_the_mean_ratio(mu_q, logvar_q, mu_p, logvar_p, num_samples=1):
    """This is the logarithm of the mean of q/p: the mean of the log-ratio is the divergence."""
    ratios = []
    for _ in range(num_samples):
        z = mu_q + torch.exp(0.5 * logvar_q) * torch.randn_like(mu_q)
        ratios.append(log_likelihood_normal(mu_q, logvar_q, z) - log_likelihood_normal(mu_p, logvar_p, z))
    return torch.stack(ratios).logsumexp(dim=0) - math.log(num_samples)


@wrong("Q1.5", "kl_gaussian_gaussian_mc")
def mc_logvar_for_std(mu_q, logvar_q, mu_p, logvar_p, num_samples=1):
    """The noise is scaled by logvar_q itself: the standard deviation is exp(logvar_q / 2)."""
    total = 0
    for _ in range(num_samples):
        z = mu_q + logvar_q * torch.randn_like(mu_q)
        total = total + log_likelihood_normal(mu_q, logvar_q, z) - log_likelihood_normal(mu_p, logvar_p, z)
    return total / num_samples


@wrong("Q1.5", "kl_gaussian_gaussian_mc")
def mc_leaves_out_p(mu_q, logvar_q, mu_p, logvar_p, num_samples=1):
    """log p(z) is missing: the mean is that of log q(z) - log p(z)."""
    batch = mu_q.shape[0]
    mu_q, logvar_q = (v.flatten(1).repeat(num_samples, 1) for v in (mu_q, logvar_q))
    z = mu_q + torch.exp(0.5 * logvar_q) * torch.randn_like(mu_q)
    return log_likelihood_normal(mu_q, logvar_q, z).view(num_samples, batch).mean(dim=0)
