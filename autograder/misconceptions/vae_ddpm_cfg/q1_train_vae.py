"""What students get wrong in q1_train_vae.py."""

from autograder.grading.variants import wrong


@wrong("Q1.6", "loss_function")
def elbo_mean_over_the_batch(recon_x, x, mu, logvar):
    """You average over the batch: the script expects the sum, and divides by the batch size itself."""
    log_likelihood = log_likelihood_bernoulli(recon_x, x.flatten(1))
    kl = kl_gaussian_gaussian_analytic(mu, logvar, torch.zeros_like(mu), torch.zeros_like(logvar))
    return (kl - log_likelihood).mean()


@wrong("Q1.6", "loss_function")
def elbo_mean_over_the_pixels(recon_x, x, mu, logvar):
    """The reconstruction term is a mean over pixels (binary_cross_entropy's default): it is a sum, or the KL term
    outweighs it."""
    kl = kl_gaussian_gaussian_analytic(mu, logvar, torch.zeros_like(mu), torch.zeros_like(logvar))
    return F.binary_cross_entropy(recon_x, x.flatten(1)) + kl.sum()


@wrong("Q1.6", "loss_function")
def elbo_for_each_image(recon_x, x, mu, logvar):
    """You return one number for each image: the loss is one number, their sum."""
    log_likelihood = log_likelihood_bernoulli(recon_x, x.flatten(1))
    kl = kl_gaussian_gaussian_analytic(mu, logvar, torch.zeros_like(mu), torch.zeros_like(logvar))
    return kl - log_likelihood


@wrong("Q1.6", "loss_function")
def elbo_not_negated(recon_x, x, mu, logvar):
    """This is the ELBO, which is to grow: the loss is its negative."""
    log_likelihood = log_likelihood_bernoulli(recon_x, x.flatten(1))
    kl = kl_gaussian_gaussian_analytic(mu, logvar, torch.zeros_like(mu), torch.zeros_like(logvar))
    return (log_likelihood - kl).sum()


@wrong("Q1.6", "loss_function")
def elbo_sign_of_kl(recon_x, x, mu, logvar):
    """The KL term has the wrong sign: the loss must push q(z|x) towards the prior."""
    log_likelihood = log_likelihood_bernoulli(recon_x, x.flatten(1))
    kl = kl_gaussian_gaussian_analytic(mu, logvar, torch.zeros_like(mu), torch.zeros_like(logvar))
    return (-log_likelihood - kl).sum()


@wrong("Q1.6", "loss_function")
def elbo_sign_of_likelihood(recon_x, x, mu, logvar):
    """The log-likelihood is added: the loss must fall when the reconstruction gets more likely."""
    log_likelihood = log_likelihood_bernoulli(recon_x, x.flatten(1))
    kl = kl_gaussian_gaussian_analytic(mu, logvar, torch.zeros_like(mu), torch.zeros_like(logvar))
    return (log_likelihood + kl).sum()


@wrong("Q1.6", "loss_function")
def elbo_without_kl(recon_x, x, mu, logvar):
    """The KL term is missing: this trains an autoencoder, and samples from the prior will look like nothing."""
    return -log_likelihood_bernoulli(recon_x, x.flatten(1)).sum()


@wrong("Q1.6", "loss_function")
def elbo_prior_log_variance_one(recon_x, x, mu, logvar):
    """The prior has variance 1, so its log-variance is 0: you pass 1."""
    log_likelihood = log_likelihood_bernoulli(recon_x, x.flatten(1))
    kl = kl_gaussian_gaussian_analytic(mu, logvar, torch.zeros_like(mu), torch.ones_like(logvar))
    return (kl - log_likelihood).sum()


@wrong("Q1.6", "loss_function")
def elbo_kl_swapped(recon_x, x, mu, logvar):
    """This is KL(prior || q): the first two arguments belong to q(z|x), the last two to the prior."""
    log_likelihood = log_likelihood_bernoulli(recon_x, x.flatten(1))
    kl = kl_gaussian_gaussian_analytic(torch.zeros_like(mu), torch.zeros_like(logvar), mu, logvar)
    return (kl - log_likelihood).sum()


@wrong("Q1.6", "loss_function")
def elbo_reconstruction_swapped(recon_x, x, mu, logvar):
    """Image and reconstruction have changed places: recon_x is the mean, x is what was observed."""
    log_likelihood = log_likelihood_bernoulli(x.flatten(1), recon_x)
    kl = kl_gaussian_gaussian_analytic(mu, logvar, torch.zeros_like(mu), torch.zeros_like(logvar))
    return (kl - log_likelihood).sum()


@wrong("Q1.6", "loss_function")
def elbo_images_not_flattened(recon_x, x, mu, logvar):
    """x may come as images (B, 1, 28, 28) while recon_x is (B, 784): bring it into the same shape."""
    kl = kl_gaussian_gaussian_analytic(mu, logvar, torch.zeros_like(mu), torch.zeros_like(logvar))
    return F.binary_cross_entropy(recon_x, x, reduction="sum") + kl.sum()


@wrong("Q1.6", "loss_function")
def elbo_without_gradient(recon_x, x, mu, logvar):
    """item() makes a plain number of the loss, which has no gradient: return the tensor."""
    log_likelihood = log_likelihood_bernoulli(recon_x, x.flatten(1))
    kl = kl_gaussian_gaussian_analytic(mu, logvar, torch.zeros_like(mu), torch.zeros_like(logvar))
    return (kl - log_likelihood).sum().item()


@wrong("Q1.6", "loss_function")
def elbo_returns_none(recon_x, x, mu, logvar):
    """The result is None: what is computed has to be handed back with `return`, on every way through."""
    log_likelihood = log_likelihood_bernoulli(recon_x, x.flatten(1))
    kl = kl_gaussian_gaussian_analytic(mu, logvar, torch.zeros_like(mu), torch.zeros_like(logvar))
    (kl - log_likelihood).sum()


@wrong("Q1.6", "loss_function")
def elbo_sigmoid_twice(recon_x, x, mu, logvar):
    """recon_x is taken for logits: the decoder ends with a sigmoid, so it holds probabilities (no `with_logits`)."""
    kl = kl_gaussian_gaussian_analytic(mu, logvar, torch.zeros_like(mu), torch.zeros_like(logvar))
    return F.binary_cross_entropy_with_logits(recon_x, x.flatten(1), reduction="sum") + kl.sum()


@wrong("Q1.6", "loss_function")
def elbo_squared_error(recon_x, x, mu, logvar):
    """The reconstruction term is the squared error: p(x|z) is a Bernoulli distribution, so it is the cross-entropy."""
    kl = kl_gaussian_gaussian_analytic(mu, logvar, torch.zeros_like(mu), torch.zeros_like(logvar))
    return F.mse_loss(recon_x, x.flatten(1), reduction="sum") + kl.sum()


@wrong("Q1.6", "loss_function")
def elbo_kl_without_half(recon_x, x, mu, logvar):
    """The factor 1/2 of the KL term is lost."""
    kl = mu**2 + logvar.exp() - 1 - logvar
    return kl.sum() - log_likelihood_bernoulli(recon_x, x.flatten(1)).sum()


@wrong("Q1.6", "loss_function")
def elbo_kl_averaged(recon_x, x, mu, logvar):
    """The KL term is averaged, over the latent dimensions and the batch: it is summed, as the likelihood is."""
    kl = 0.5 * (mu**2 + logvar.exp() - 1 - logvar)
    return kl.mean() - log_likelihood_bernoulli(recon_x, x.flatten(1)).sum()


@wrong("Q1.6", "loss_function")
def elbo_kl_sign_of_the_variance(recon_x, x, mu, logvar):
    """In the KL term the variance, exp(logvar), has the wrong sign: it is (mu^2 + exp(logvar) - 1 - logvar) / 2."""
    kl = 0.5 * (mu**2 - logvar.exp() - 1 - logvar)
    return kl.sum() - log_likelihood_bernoulli(recon_x, x.flatten(1)).sum()
