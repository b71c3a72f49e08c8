"""Wrong answers that students give in vae.py, and what they are told. Grader and tests read it."""

from autograder.grading.variants import wrong

# ---------------------------------------------------------------- Q1.1 sample


@wrong("Q1.1", "DiagonalGaussianDistribution.sample")
def scales_noise_by_the_variance(self, noise=None):
    """The noise is multiplied by the variance; a standard deviation belongs there."""
    noise = torch.randn_like(self.mean) if noise is None else noise
    return self.mean + self.var * noise


@wrong("Q1.1", "DiagonalGaussianDistribution.sample")
def scales_noise_by_logvar(self, noise=None):
    """The noise is multiplied by logvar itself: it is the logarithm of the variance."""
    noise = torch.randn_like(self.mean) if noise is None else noise
    return self.mean + self.logvar * noise


@wrong("Q1.1", "DiagonalGaussianDistribution.sample")
def ignores_given_noise(self, noise=None):
    """The argument `noise` is not used: when it is given, no other noise may be drawn."""
    return self.mean + self.std * torch.randn_like(self.mean)


@wrong("Q1.1", "DiagonalGaussianDistribution.sample")
def samples_without_gradient(self, noise=None):
    """The sample is cut off from mean and logvar (detach, no_grad, torch.normal): nothing is learned through it."""
    noise = torch.randn_like(self.mean) if noise is None else noise
    return (self.mean + self.std * noise).detach()


@wrong("Q1.1", "DiagonalGaussianDistribution.sample")
def draws_uniform_noise(self, noise=None):
    """The noise comes from torch.rand, which is uniform; a Gaussian needs torch.randn."""
    noise = torch.rand_like(self.mean) if noise is None else noise
    return self.mean + self.std * noise


@wrong("Q1.1", "DiagonalGaussianDistribution.sample")
def shares_noise_over_the_batch(self, noise=None):
    """One noise is drawn for the whole batch: every row needs its own, torch.randn_like(self.mean)."""
    noise = torch.randn_like(self.mean[:1]) if noise is None else noise
    return self.mean + self.std * noise


@wrong("Q1.1", "DiagonalGaussianDistribution.sample")
def sample_multiplies_the_mean(self, noise=None):
    """The mean is multiplied by the noise: the noise is scaled by the standard deviation and added to the mean."""
    noise = torch.randn_like(self.mean) if noise is None else noise
    return self.mean * noise + self.std


@wrong("Q1.1", "DiagonalGaussianDistribution.sample")
def sample_forgets_the_mean(self, noise=None):
    """The mean is not added."""
    noise = torch.randn_like(self.mean) if noise is None else noise
    return self.std * noise


@wrong("Q1.1", "DiagonalGaussianDistribution.sample")
def sample_noise_not_scaled(self, noise=None):
    """The noise is added as it is: the standard deviation scales it."""
    noise = torch.randn_like(self.mean) if noise is None else noise
    return self.mean + noise


@wrong("Q1.1", "DiagonalGaussianDistribution.sample")
def sample_needs_noise(self, noise=None):
    """`noise` may be None, and then it has to be drawn: torch.randn_like(self.mean)."""
    return self.mean + self.std * noise


@wrong("Q1.1", "DiagonalGaussianDistribution.sample")
def sample_exponentiates_half_the_deviation(self, noise=None):
    """The noise is scaled by exp(std / 2): std is the standard deviation already."""
    noise = torch.randn_like(self.mean) if noise is None else noise
    return self.mean + torch.exp(0.5 * self.std) * noise


@wrong("Q1.1", "DiagonalGaussianDistribution.sample")
def sample_cut_off_from_its_moments(self, noise=None):
    """torch.normal(mean, std) has no gradient by mean and std: scale and shift standard normal noise."""
    return torch.normal(self.mean, self.std) if noise is None else self.mean + self.std * noise


# ---------------------------------------------------------------- Q1.2 kl


@wrong("Q1.2", "DiagonalGaussianDistribution.kl")
def swaps_prior_and_posterior(self):
    """This is KL(N(0, I) || q): the two distributions are swapped."""
    return 0.5 * ((1 + self.mean.square()) / self.var - 1 + self.logvar).sum(dim=1)


@wrong("Q1.2", "DiagonalGaussianDistribution.kl")
def negates_the_divergence(self):
    """The sign is flipped: a divergence is never negative."""
    return 0.5 * (1 + self.logvar - self.mean.square() - self.var).sum(dim=1)


@wrong("Q1.2", "DiagonalGaussianDistribution.kl")
def forgets_the_half_of_kl(self):
    """The factor 1/2 is missing."""
    return (self.mean.square() + self.var - 1 - self.logvar).sum(dim=1)


@wrong("Q1.2", "DiagonalGaussianDistribution.kl")
def averages_kl_over_dimensions(self):
    """It is averaged over the latent dimensions; the divergence is their sum."""
    return 0.5 * (self.mean.square() + self.var - 1 - self.logvar).mean(dim=1)


@wrong("Q1.2", "DiagonalGaussianDistribution.kl")
def sums_kl_over_the_batch(self):
    """It is summed over the batch too: each element of the batch has its own divergence, (B,)."""
    return 0.5 * (self.mean.square() + self.var - 1 - self.logvar).sum()


@wrong("Q1.2", "DiagonalGaussianDistribution.kl")
def takes_std_for_variance_in_kl(self):
    """The standard deviation stands where the variance belongs."""
    return 0.5 * (self.mean.square() + self.std - 1 - self.logvar).sum(dim=1)


@wrong("Q1.2", "DiagonalGaussianDistribution.kl")
def kl_flips_logvar(self):
    """logvar has the wrong sign: it is subtracted, so that a narrow q is far from the prior."""
    return 0.5 * (self.mean.square() + self.var - 1 + self.logvar).sum(dim=1)


@wrong("Q1.2", "DiagonalGaussianDistribution.kl")
def kl_loses_the_one(self):
    """The -1 of every dimension is lost: the divergence is 0 for N(0, I)."""
    return 0.5 * (self.mean.square() + self.var - self.logvar).sum(dim=1)


@wrong("Q1.2", "DiagonalGaussianDistribution.kl")
def kl_does_not_square_the_mean(self):
    """The mean is not squared."""
    return 0.5 * (self.mean + self.var - 1 - self.logvar).sum(dim=1)


@wrong("Q1.2", "DiagonalGaussianDistribution.kl")
def kl_averages_over_the_batch(self):
    """It is averaged over the batch too: each element of the batch has its own divergence, (B,)."""
    return 0.5 * (self.mean.square() + self.var - 1 - self.logvar).sum(dim=1).mean()


@wrong("Q1.2", "DiagonalGaussianDistribution.kl")
def kl_keeps_the_dimensions(self):
    """The sum over the latent dimensions is missing."""
    return 0.5 * (self.mean.square() + self.var - 1 - self.logvar)


@wrong("Q1.2", "DiagonalGaussianDistribution.kl")
def kl_squares_the_variance(self):
    """The variance is squared: it stands as it is in the divergence."""
    return 0.5 * (self.mean.square() + self.var.square() - 1 - self.logvar).sum(dim=1)


# ---------------------------------------------------------------- Q1.3 nll


@wrong("Q1.3", "DiagonalGaussianDistribution.nll")
def nll_without_log_2_pi(self, sample, dims=(1, 2, 3)):
    """The constant log(2 pi), once for each dimension that is summed, is missing."""
    return 0.5 * (self.logvar + (sample - self.mean).square() / self.var).sum(dim=dims)


@wrong("Q1.3", "DiagonalGaussianDistribution.nll")
def adds_log_2_pi_once(self, sample, dims=(1, 2, 3)):
    """log(2 pi) is added once for the whole sum; it belongs to every dimension that is summed."""
    entries = self.logvar + (sample - self.mean).square() / self.var
    return 0.5 * (entries.sum(dim=dims) + math.log(2 * math.pi))


@wrong("Q1.3", "DiagonalGaussianDistribution.nll")
def adds_log_2_pi_twice(self, sample, dims=(1, 2, 3)):
    """log(2 pi) is added in full for each dimension: half of it belongs to each."""
    entries = 2 * math.log(2 * math.pi) + self.logvar + (sample - self.mean).square() / self.var
    return 0.5 * entries.sum(dim=dims)


@wrong("Q1.3", "DiagonalGaussianDistribution.nll")
def adds_log_2_pi_for_every_entry_of_the_batch(self, sample, dims=(1, 2, 3)):
    """log(2 pi) is counted for every entry of the batch: each image has it once for each of its own dimensions."""
    entries = self.logvar + (sample - self.mean).square() / self.var
    return 0.5 * (entries.sum(dim=dims) + sample.numel() * math.log(2 * math.pi))


@wrong("Q1.3", "DiagonalGaussianDistribution.nll")
def takes_torch_log_of_a_number(self, sample, dims=(1, 2, 3)):
    """torch.log takes a tensor: use math.log for the number 2 pi, or make a tensor of it."""
    return 0.5 * (torch.log(2 * math.pi) + self.logvar + (sample - self.mean).square() / self.var).sum(dim=dims)


@wrong("Q1.3", "DiagonalGaussianDistribution.nll")
def ignores_dims(self, sample, dims=(1, 2, 3)):
    """The argument `dims` is not used: sum over these dimensions, whichever they are."""
    entries = math.log(2 * math.pi) + self.logvar + (sample - self.mean).square() / self.var
    return 0.5 * entries.flatten(1).sum(dim=1)


@wrong("Q1.3", "DiagonalGaussianDistribution.nll")
def returns_the_log_likelihood(self, sample, dims=(1, 2, 3)):
    """The sign is flipped: this is the log-likelihood, not the negative log-likelihood."""
    entries = math.log(2 * math.pi) + self.logvar + (sample - self.mean).square() / self.var
    return -0.5 * entries.sum(dim=dims)


@wrong("Q1.3", "DiagonalGaussianDistribution.nll")
def divides_by_the_std(self, sample, dims=(1, 2, 3)):
    """The squared distance is divided by the standard deviation; the variance belongs there."""
    entries = math.log(2 * math.pi) + self.logvar + (sample - self.mean).square() / self.std
    return 0.5 * entries.sum(dim=dims)


@wrong("Q1.3", "DiagonalGaussianDistribution.nll")
def takes_logvar_for_the_variance(self, sample, dims=(1, 2, 3)):
    """logvar stands where the variance belongs: take its exponential first."""
    entries = math.log(2 * math.pi) + self.logvar + (sample - self.mean).square() / self.logvar
    return 0.5 * entries.sum(dim=dims)


@wrong("Q1.3", "DiagonalGaussianDistribution.nll")
def averages_nll_over_dims(self, sample, dims=(1, 2, 3)):
    """It is averaged over `dims`; the negative log-likelihood is their sum."""
    entries = math.log(2 * math.pi) + self.logvar + (sample - self.mean).square() / self.var
    return 0.5 * entries.mean(dim=dims)


@wrong("Q1.3", "DiagonalGaussianDistribution.nll")
def nll_loses_the_half(self, sample, dims=(1, 2, 3)):
    """The factor 1/2 is missing."""
    entries = math.log(2 * math.pi) + self.logvar + (sample - self.mean).square() / self.var
    return entries.sum(dim=dims)


@wrong("Q1.3", "DiagonalGaussianDistribution.nll")
def nll_loses_logvar(self, sample, dims=(1, 2, 3)):
    """The term with logvar alone is missing: a wide distribution has a low density."""
    entries = math.log(2 * math.pi) + (sample - self.mean).square() / self.var
    return 0.5 * entries.sum(dim=dims)


@wrong("Q1.3", "DiagonalGaussianDistribution.nll")
def nll_flips_logvar(self, sample, dims=(1, 2, 3)):
    """logvar has the wrong sign: a wide distribution has a low density."""
    entries = math.log(2 * math.pi) - self.logvar + (sample - self.mean).square() / self.var
    return 0.5 * entries.sum(dim=dims)


@wrong("Q1.3", "DiagonalGaussianDistribution.nll")
def nll_does_not_square_the_distance(self, sample, dims=(1, 2, 3)):
    """The distance of sample and mean is not squared."""
    entries = math.log(2 * math.pi) + self.logvar + (sample - self.mean) / self.var
    return 0.5 * entries.sum(dim=dims)


@wrong("Q1.3", "DiagonalGaussianDistribution.nll")
def nll_sums_over_the_batch_too(self, sample, dims=(1, 2, 3)):
    """It is summed over the batch too: sum over `dims` alone."""
    entries = math.log(2 * math.pi) + self.logvar + (sample - self.mean).square() / self.var
    return 0.5 * entries.sum()


@wrong("Q1.3", "DiagonalGaussianDistribution.nll")
def nll_is_the_squared_error(self, sample, dims=(1, 2, 3)):
    """This is half the squared distance alone: the variance and the normalizing constant are missing."""
    return 0.5 * (sample - self.mean).square().sum(dim=dims)


# ---------------------------------------------------------------- Q1.4 mode


@wrong("Q1.4", "DiagonalGaussianDistribution.mode")
def samples_in_place_of_the_mode(self):
    """This is a sample, another one at every call; the mode is one fixed point."""
    return self.mean + self.std * torch.randn_like(self.mean)


@wrong("Q1.4", "DiagonalGaussianDistribution.mode")
def gives_the_highest_density(self):
    """This is the value of the density at the mode; the point itself is asked for."""
    return torch.exp(-0.5 * (math.log(2 * math.pi) + self.logvar))


@wrong("Q1.4", "DiagonalGaussianDistribution.mode")
def takes_the_mode_of_a_log_normal(self):
    """exp(mean - var) is the mode of a log-normal distribution; this one is normal."""
    return torch.exp(self.mean - self.var)


# ---------------------------------------------------------------- Q1.5 encode


@wrong("Q1.5", "VAE.encode")
def returns_mean_and_logvar(self, x):
    """It returns mean and logvar as they are: put them into a DiagonalGaussianDistribution."""
    hidden = self.encoder(x)
    return self.mean(hidden), self.logvar(hidden)


@wrong("Q1.5", "VAE.encode")
def uses_logvar_as_variance(self, x):
    """The output of self.logvar is taken for the variance: it is its logarithm already, hand it over as it is."""
    hidden = self.encoder(x)
    return DiagonalGaussianDistribution(self.mean(hidden), torch.log(self.logvar(hidden).abs()))


@wrong("Q1.5", "VAE.encode")
def uses_logvar_as_standard_deviation(self, x):
    """self.logvar's output is taken for the logarithm of the standard deviation, and doubled: it is the variance's."""
    hidden = self.encoder(x)
    return DiagonalGaussianDistribution(self.mean(hidden), 2 * self.logvar(hidden))


@wrong("Q1.5", "VAE.encode")
def exponentiates_logvar(self, x):
    """The exponential of self.logvar's output is handed over as logvar: the distribution takes it itself."""
    hidden = self.encoder(x)
    return DiagonalGaussianDistribution(self.mean(hidden), self.logvar(hidden).exp())


@wrong("Q1.5", "VAE.encode")
def encodes_without_variance(self, x):
    """logvar is not handed over, so that q(z|x) has the variance 1 for every image."""
    return DiagonalGaussianDistribution(self.mean(self.encoder(x)))


@wrong("Q1.5", "VAE.encode")
def swaps_mean_and_logvar(self, x):
    """mean and logvar are swapped."""
    hidden = self.encoder(x)
    return DiagonalGaussianDistribution(self.logvar(hidden), self.mean(hidden))


# ---------------------------------------------------------------- Q1.6 decode


@wrong("Q1.6", "VAE.decode")
def returns_the_decoder_output(self, z):
    """It returns the decoder's output: that is the mean, put it into a DiagonalGaussianDistribution."""
    return self.decoder(z)


@wrong("Q1.6", "VAE.decode")
def sets_logvar_to_one(self, z):
    """logvar is set to 1, which makes the variance e: the identity covariance has the logarithm 0."""
    mean = self.decoder(z)
    return DiagonalGaussianDistribution(mean, torch.ones_like(mean))


@wrong("Q1.6", "VAE.decode")
def uses_the_mean_as_logvar(self, z):
    """The decoder's output is used for logvar too; p(x|z) has the identity covariance."""
    mean = self.decoder(z)
    return DiagonalGaussianDistribution(mean, mean)


@wrong("Q1.6", "VAE.decode")
def squashes_the_mean(self, z):
    """A sigmoid is applied to the decoder's output, which is the mean as it is."""
    return DiagonalGaussianDistribution(torch.sigmoid(self.decoder(z)))


# ---------------------------------------------------------------- Q1.7 sample


@wrong("Q1.7", "VAE.sample")
def samples_the_pixels_too(self, batch_size, noise=None):
    """It draws a sample from p(x|z), which adds noise to every pixel: return its mode."""
    noise = torch.randn(batch_size, self.z_dim, device=self.device) if noise is None else noise
    return self.decode(noise).sample()


@wrong("Q1.7", "VAE.sample")
def ignores_the_given_latents(self, batch_size, noise=None):
    """The argument `noise` is not used: when it is given, it is the z to decode."""
    return self.decode(torch.randn(batch_size, self.z_dim, device=self.device)).mode()


@wrong("Q1.7", "VAE.sample")
def draws_latents_uniformly(self, batch_size, noise=None):
    """z comes from torch.rand, which is uniform on [0, 1); the prior is N(0, I)."""
    noise = torch.rand(batch_size, self.z_dim, device=self.device) if noise is None else noise
    return self.decode(noise).mode()


@wrong("Q1.7", "VAE.sample")
def repeats_one_latent(self, batch_size, noise=None):
    """All images of the batch come from one and the same z."""
    noise = torch.randn(1, self.z_dim, device=self.device).expand(batch_size, -1) if noise is None else noise
    return self.decode(noise).mode()


@wrong("Q1.7", "VAE.sample")
def returns_a_distribution(self, batch_size, noise=None):
    """It returns the distribution p(x|z), not its mode."""
    noise = torch.randn(batch_size, self.z_dim, device=self.device) if noise is None else noise
    return self.decode(noise)


@wrong("Q1.7", "VAE.sample")
def draws_a_hundred_numbers(self, batch_size, noise=None):
    """The latents have 100 dimensions, whatever the VAE: self.z_dim says how many."""
    noise = torch.randn(batch_size, 100, device=self.device) if noise is None else noise
    return self.decode(noise).mode()


# ---------------------------------------------------------------- Q1.8 log_likelihood


@wrong("Q1.8", "VAE.log_likelihood")
def flips_the_sign_of_the_likelihood(self, x, K=100):
    """This is - log p(x): the sign of the result is flipped."""
    posterior = self.encode(x)
    prior = DiagonalGaussianDistribution(torch.zeros_like(posterior.mean))
    zs = [posterior.sample() for _ in range(K)]
    terms = [-self.decode(z).nll(x) - prior.nll(z, dims=[1]) + posterior.nll(z, dims=[1]) for z in zs]
    return math.log(K) - torch.stack(terms, dim=1).logsumexp(dim=1)


@wrong("Q1.8", "VAE.log_likelihood")
def adds_negative_log_likelihoods(self, x, K=100):
    """nll is used as if it were the log-likelihood: p(x|z) and p(z) need a minus sign, q(z|x) a plus sign."""
    posterior = self.encode(x)
    prior = DiagonalGaussianDistribution(torch.zeros_like(posterior.mean))
    zs = [posterior.sample() for _ in range(K)]
    terms = [self.decode(z).nll(x) + prior.nll(z, dims=[1]) - posterior.nll(z, dims=[1]) for z in zs]
    return torch.stack(terms, dim=1).logsumexp(dim=1) - math.log(K)


@wrong("Q1.8", "VAE.log_likelihood")
def leaves_out_the_prior(self, x, K=100):
    """The prior p(z) is missing: p(x, z) = p(x|z) p(z)."""
    posterior = self.encode(x)
    zs = [posterior.sample() for _ in range(K)]
    terms = [-self.decode(z).nll(x) + posterior.nll(z, dims=[1]) for z in zs]
    return torch.stack(terms, dim=1).logsumexp(dim=1) - math.log(K)


@wrong("Q1.8", "VAE.log_likelihood")
def leaves_out_the_likelihood(self, x, K=100):
    """The likelihood p(x|z) is missing: p(x, z) = p(x|z) p(z)."""
    posterior = self.encode(x)
    prior = DiagonalGaussianDistribution(torch.zeros_like(posterior.mean))
    zs = [posterior.sample() for _ in range(K)]
    terms = [-prior.nll(z, dims=[1]) + posterior.nll(z, dims=[1]) for z in zs]
    return torch.stack(terms, dim=1).logsumexp(dim=1) - math.log(K)


@wrong("Q1.8", "VAE.log_likelihood")
def leaves_out_the_proposal(self, x, K=100):
    """The density q(z|x), by which importance sampling divides, is missing."""
    posterior = self.encode(x)
    prior = DiagonalGaussianDistribution(torch.zeros_like(posterior.mean))
    zs = [posterior.sample() for _ in range(K)]
    terms = [-self.decode(z).nll(x) - prior.nll(z, dims=[1]) for z in zs]
    return torch.stack(terms, dim=1).logsumexp(dim=1) - math.log(K)


@wrong("Q1.8", "VAE.log_likelihood")
def averages_the_logarithms(self, x, K=100):
    """It is the mean of the logarithms, which is the ELBO for every K; the logarithm of the mean is asked for."""
    posterior = self.encode(x)
    prior = DiagonalGaussianDistribution(torch.zeros_like(posterior.mean))
    zs = [posterior.sample() for _ in range(K)]
    terms = [-self.decode(z).nll(x) - prior.nll(z, dims=[1]) + posterior.nll(z, dims=[1]) for z in zs]
    return torch.stack(terms, dim=1).mean(dim=1)


@wrong("Q1.8", "VAE.log_likelihood")
def divides_the_logarithm_by_K(self, x, K=100):
    """1/K stands outside of the logarithm; inside, it is a subtraction of log K."""
    posterior = self.encode(x)
    prior = DiagonalGaussianDistribution(torch.zeros_like(posterior.mean))
    zs = [posterior.sample() for _ in range(K)]
    terms = [-self.decode(z).nll(x) - prior.nll(z, dims=[1]) + posterior.nll(z, dims=[1]) for z in zs]
    return torch.stack(terms, dim=1).logsumexp(dim=1) / K


@wrong("Q1.8", "VAE.log_likelihood")
def forgets_to_divide_by_K(self, x, K=100):
    """The factor 1/K is missing: this is the logarithm of the sum, not of the mean."""
    posterior = self.encode(x)
    prior = DiagonalGaussianDistribution(torch.zeros_like(posterior.mean))
    zs = [posterior.sample() for _ in range(K)]
    terms = [-self.decode(z).nll(x) - prior.nll(z, dims=[1]) + posterior.nll(z, dims=[1]) for z in zs]
    return torch.stack(terms, dim=1).logsumexp(dim=1)


@wrong("Q1.8", "VAE.log_likelihood")
def samples_from_the_prior(self, x, K=100):
    """z is drawn from the prior; importance sampling draws it from q(z|x), by which it divides."""
    posterior = self.encode(x)
    prior = DiagonalGaussianDistribution(torch.zeros_like(posterior.mean))
    zs = [prior.sample() for _ in range(K)]
    terms = [-self.decode(z).nll(x) - prior.nll(z, dims=[1]) + posterior.nll(z, dims=[1]) for z in zs]
    return torch.stack(terms, dim=1).logsumexp(dim=1) - math.log(K)


@wrong("Q1.8", "VAE.log_likelihood")
def draws_one_latent_for_all_k(self, x, K=100):
    """z is drawn once, and the same z is used for every k."""
    posterior = self.encode(x)
    prior = DiagonalGaussianDistribution(torch.zeros_like(posterior.mean))
    z = posterior.sample()
    terms = [-self.decode(z).nll(x) - prior.nll(z, dims=[1]) + posterior.nll(z, dims=[1])] * K
    return torch.stack(terms, dim=1).logsumexp(dim=1) - math.log(K)


@wrong("Q1.8", "VAE.log_likelihood")
def multiplies_densities(self, x, K=100):
    """exp comes before the mean, without logsumexp: for images it underflows to 0, whose log is -inf."""
    posterior = self.encode(x)
    prior = DiagonalGaussianDistribution(torch.zeros_like(posterior.mean))
    zs = [posterior.sample() for _ in range(K)]
    terms = [-self.decode(z).nll(x) - prior.nll(z, dims=[1]) + posterior.nll(z, dims=[1]) for z in zs]
    return torch.stack(terms, dim=1).exp().mean(dim=1).log()


@wrong("Q1.8", "VAE.log_likelihood")
def averages_over_the_batch_instead_of_k(self, x, K=100):
    """The mean over the batch is returned: each image has its own estimate, (B,)."""
    posterior = self.encode(x)
    prior = DiagonalGaussianDistribution(torch.zeros_like(posterior.mean))
    zs = [posterior.sample() for _ in range(K)]
    terms = [-self.decode(z).nll(x) - prior.nll(z, dims=[1]) + posterior.nll(z, dims=[1]) for z in zs]
    return (torch.stack(terms, dim=1).logsumexp(dim=1) - math.log(K)).mean()


@wrong("Q1.8", "VAE.log_likelihood")
def subtracts_K(self, x, K=100):
    """K is subtracted: dividing by K inside of the logarithm subtracts log K."""
    posterior = self.encode(x)
    prior = DiagonalGaussianDistribution(torch.zeros_like(posterior.mean))
    zs = [posterior.sample() for _ in range(K)]
    terms = [-self.decode(z).nll(x) - prior.nll(z, dims=[1]) + posterior.nll(z, dims=[1]) for z in zs]
    return torch.stack(terms, dim=1).logsumexp(dim=1) - K


@wrong("Q1.8", "VAE.log_likelihood")
def multiplies_by_the_proposal(self, x, K=100):
    """q(z|x) is multiplied: importance sampling divides by it."""
    posterior = self.encode(x)
    prior = DiagonalGaussianDistribution(torch.zeros_like(posterior.mean))
    zs = [posterior.sample() for _ in range(K)]
    terms = [-self.decode(z).nll(x) - prior.nll(z, dims=[1]) - posterior.nll(z, dims=[1]) for z in zs]
    return torch.stack(terms, dim=1).logsumexp(dim=1) - math.log(K)


@wrong("Q1.8", "VAE.log_likelihood")
def gives_the_elbo(self, x, K=100):
    """This is the ELBO, with the divergence in closed form: log p(x) itself is asked for, by importance sampling."""
    posterior = self.encode(x)
    return -torch.stack([self.decode(posterior.sample()).nll(x) for _ in range(K)]).mean(dim=0) - posterior.kl()


@wrong("Q1.8", "VAE.log_likelihood")
def asks_about_images_of_its_own(self, x, K=100):
    """log p(x|z) is taken at a sample of the decoder: it belongs to the images x that were handed in."""
    posterior = self.encode(x)
    prior = DiagonalGaussianDistribution(torch.zeros_like(posterior.mean))
    log_ratios = []
    for _ in range(K):
        z = posterior.sample()
        likelihood = self.decode(z)
        log_joint = -likelihood.nll(likelihood.sample()) - prior.nll(z, dims=[1])
        log_ratios.append(log_joint + posterior.nll(z, dims=[1]))
    return torch.stack(log_ratios, dim=1).logsumexp(dim=1) - math.log(K)


# ---------------------------------------------------------------- Q1.9 forward


@wrong("Q1.9", "VAE.forward")
def swaps_nll_and_kl(self, x, noise=None):
    """nll and kl are swapped: the order is mode, nll, kl."""
    posterior = self.encode(x)
    likelihood = self.decode(posterior.sample(noise))
    return likelihood.mode(), posterior.kl(), likelihood.nll(x)


@wrong("Q1.9", "VAE.forward")
def gives_the_log_likelihood(self, x, noise=None):
    """The second result is log p(x|z); the negative log-likelihood is asked for."""
    posterior = self.encode(x)
    likelihood = self.decode(posterior.sample(noise))
    return likelihood.mode(), -likelihood.nll(x), posterior.kl()


@wrong("Q1.9", "VAE.forward")
def averages_over_the_batch(self, x, noise=None):
    """nll and kl are averaged over the batch: return one number for each image, (B,)."""
    posterior = self.encode(x)
    likelihood = self.decode(posterior.sample(noise))
    return likelihood.mode(), likelihood.nll(x).mean(), posterior.kl().mean()


@wrong("Q1.9", "VAE.forward")
def drops_the_noise(self, x, noise=None):
    """`noise` is not handed on to the posterior's sample."""
    posterior = self.encode(x)
    likelihood = self.decode(posterior.sample())
    return likelihood.mode(), likelihood.nll(x), posterior.kl()


@wrong("Q1.9", "VAE.forward")
def decodes_the_mean_of_q(self, x, noise=None):
    """The mean of q(z|x) is decoded; a sample of it is asked for."""
    posterior = self.encode(x)
    likelihood = self.decode(posterior.mode())
    return likelihood.mode(), likelihood.nll(x), posterior.kl()


@wrong("Q1.9", "VAE.forward")
def samples_the_reconstruction(self, x, noise=None):
    """The first result is a sample of p(x|z); its mode is asked for."""
    posterior = self.encode(x)
    likelihood = self.decode(posterior.sample(noise))
    return likelihood.sample(), likelihood.nll(x), posterior.kl()


@wrong("Q1.9", "VAE.forward")
def detaches_the_sample(self, x, noise=None):
    """The sample is detached: the encoder learns nothing from the reconstruction."""
    posterior = self.encode(x)
    likelihood = self.decode(posterior.sample(noise).detach())
    return likelihood.mode(), likelihood.nll(x), posterior.kl()


@wrong("Q1.9", "VAE.forward")
def returns_their_sum(self, x, noise=None):
    """nll and kl are added: three results are asked for, mode, nll and kl."""
    posterior = self.encode(x)
    likelihood = self.decode(posterior.sample(noise))
    return likelihood.mode(), likelihood.nll(x) + posterior.kl()


@wrong("Q1.9", "VAE.forward")
def gives_the_negative_divergence(self, x, noise=None):
    """The third result is -KL: the divergence itself is asked for."""
    posterior = self.encode(x)
    likelihood = self.decode(posterior.sample(noise))
    return likelihood.mode(), likelihood.nll(x), -posterior.kl()


# ---------------------------------------------------------------- Q1.10 interpolate


@wrong("Q1.10", "interpolate")
def interpolates_pixels(model, z_1, z_2, n_samples):
    """The two images are blended: interpolate between the latents, and decode every point."""
    a = torch.linspace(0, 1, n_samples, device=z_1.device).reshape(-1, 1, 1, 1)
    return (1 - a) * model.decode(z_1).mode() + a * model.decode(z_2).mode()


@wrong("Q1.10", "interpolate")
def leaves_out_the_ends(model, z_1, z_2, n_samples):
    """The ends of the line are left out; z_1 and z_2 are the first and the last point."""
    a = torch.linspace(0, 1, n_samples + 2, device=z_1.device)[1:-1].unsqueeze(1)
    return model.decode((1 - a) * z_1 + a * z_2).mode()


@wrong("Q1.10", "interpolate")
def stops_before_the_second_end(model, z_1, z_2, n_samples):
    """The steps are 1 / n_samples wide, so that the second end is missed: n_samples points make n_samples - 1 steps."""
    a = (torch.arange(n_samples, device=z_1.device) / n_samples).unsqueeze(1)
    return model.decode((1 - a) * z_1 + a * z_2).mode()


@wrong("Q1.10", "interpolate")
def adds_the_second_latent(model, z_1, z_2, n_samples):
    """z_1 + a z_2 goes from z_1 to z_1 + z_2: the weight of z_1 must fall as that of z_2 rises."""
    a = torch.linspace(0, 1, n_samples, device=z_1.device).unsqueeze(1)
    return model.decode(z_1 + a * z_2).mode()


@wrong("Q1.10", "interpolate")
def gives_the_middle_only(model, z_1, z_2, n_samples):
    """All points are half-way: their weights go from 0 to 1."""
    a = torch.full((n_samples, 1), 0.5, device=z_1.device)
    return model.decode((1 - a) * z_1 + a * z_2).mode()


@wrong("Q1.10", "interpolate")
def returns_the_distribution_of_the_line(model, z_1, z_2, n_samples):
    """It returns distributions p(x|z), not their modes, which are the images."""
    a = torch.linspace(0, 1, n_samples, device=z_1.device).unsqueeze(1)
    return model.decode((1 - a) * z_1 + a * z_2)


@wrong("Q1.10", "interpolate")
def samples_the_pixels_of_the_line(model, z_1, z_2, n_samples):
    """It draws samples from p(x|z), which adds noise to every pixel: return the modes."""
    a = torch.linspace(0, 1, n_samples, device=z_1.device).unsqueeze(1)
    return model.decode((1 - a) * z_1 + a * z_2).sample()


@wrong("Q1.10", "interpolate")
def makes_one_point_too_many(model, z_1, z_2, n_samples):
    """There are n_samples + 1 points: n_samples are asked for, both ends included."""
    a = torch.linspace(0, 1, n_samples + 1, device=z_1.device).unsqueeze(1)
    return model.decode((1 - a) * z_1 + a * z_2).mode()


@wrong("Q1.10", "interpolate")
def weights_meet_the_latent_dimensions(model, z_1, z_2, n_samples):
    """The weights have the shape (n,), which meets the latent dimensions of (1, z): they need (n, 1)."""
    a = torch.linspace(0, 1, n_samples, device=z_1.device)
    return model.decode((1 - a) * z_1 + a * z_2).mode()


@wrong("Q1.10", "interpolate")
def misses_the_first_end(model, z_1, z_2, n_samples):
    """The first end is missed: the weights are 1/n_samples .. 1, and n_samples points make n_samples - 1 steps."""
    a = (torch.arange(1, n_samples + 1, device=z_1.device) / n_samples).unsqueeze(1)
    return model.decode((1 - a) * z_1 + a * z_2).mode()
