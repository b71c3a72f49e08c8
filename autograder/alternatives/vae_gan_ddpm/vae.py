"""Right answers to vae.py that look different: full marks for each."""

from autograder.grading.variants import right


@right("Q1.1", "DiagonalGaussianDistribution.sample")
def samples_from_the_variance(self, noise=None):
    """The standard deviation from var; noise by torch.randn and the mean's shape."""
    if noise is None:
        noise = torch.randn(self.mean.shape, dtype=self.mean.dtype, device=self.mean.device)
    return torch.sqrt(self.var) * noise + self.mean


@right("Q1.2", "DiagonalGaussianDistribution.kl")
def kl_by_parts(self):
    """One sum for each term, in a loop over the batch."""
    rows = []
    for mean, logvar in zip(self.mean, self.logvar, strict=True):
        rows.append(-0.5 * torch.sum(1 + logvar - mean**2 - torch.exp(logvar)))
    return torch.stack(rows)


@right("Q1.2", "DiagonalGaussianDistribution.kl")
def kl_by_log_std(self):
    """With log std, flattened."""
    entries = -torch.log(self.std) + (self.std**2 + self.mean**2) / 2 - 0.5
    return entries.view(entries.shape[0], -1).sum(-1)


@right("Q1.3", "DiagonalGaussianDistribution.nll")
def nll_as_minus_log_of_the_density(self, sample, dims=(1, 2, 3)):
    """Normalized residuals, a tensor for 2 pi, constants last."""
    residual = (sample - self.mean) / self.std
    log_density = -0.5 * residual.pow(2) - self.std.log() - 0.5 * torch.log(torch.tensor(2 * torch.pi))
    return -torch.sum(log_density, dim=tuple(dims))


@right("Q1.3", "DiagonalGaussianDistribution.nll")
def nll_by_gaussian_nll_loss(self, sample, dims=(1, 2, 3)):
    """PyTorch's loss function does it too, given a small eps."""
    full = nn.functional.gaussian_nll_loss(self.mean, sample, self.var, full=True, eps=1e-30, reduction="none")
    for dim in sorted(dims, reverse=True):
        full = full.sum(dim)
    return full


@right("Q1.4", "DiagonalGaussianDistribution.mode")
def mode_as_a_copy(self):
    """A copy."""
    return self.mean.clone()


@right("Q1.5", "VAE.encode")
def encodes_a_flat_hidden(self, x):
    """Flattens once more, and passes arguments by position."""
    hidden = self.encoder(x).view(x.size(0), -1)
    mean = self.mean(hidden)
    logvar = self.logvar(hidden)
    return DiagonalGaussianDistribution(mean, logvar)


@right("Q1.6", "VAE.decode")
def decodes_with_logvar_zero(self, z):
    """The identity covariance, spelled out."""
    mean = self.decoder(z)
    return DiagonalGaussianDistribution(mean, logvar=torch.zeros_like(mean))


@right("Q1.7", "VAE.sample")
def samples_through_a_prior(self, batch_size, noise=None):
    """z through the class, and without gradients."""
    with torch.no_grad():
        prior = DiagonalGaussianDistribution(torch.zeros(batch_size, self.z_dim).to(self.device))
        return self.decode(prior.sample(noise)).mode()


@right("Q1.7", "VAE.sample")
def samples_by_the_decoder_alone(self, batch_size, noise=None):
    """No class at all."""
    z = noise if noise is not None else torch.normal(0.0, 1.0, size=(batch_size, self.z_dim), device=self.device)
    return self.decoder(z)


@right("Q1.8", "VAE.log_likelihood")
def log_likelihood_in_columns(self, x, K=100):
    """The starter code's way: a (B, K) tensor, filled column by column; log-sum-exp by hand."""
    posterior = self.encode(x)
    prior = DiagonalGaussianDistribution(torch.zeros_like(posterior.mean))
    columns = torch.zeros(x.shape[0], K).to(self.device)
    for k in range(K):
        z = posterior.sample()
        recon = self.decode(z)
        columns[:, k] = -recon.nll(x) - prior.nll(z, dims=[1]) + posterior.nll(z, dims=[1])
    highest = columns.max(dim=1)[0]
    return highest + torch.log(torch.mean(torch.exp(columns - highest[:, None]), dim=1))


@right("Q1.8", "VAE.log_likelihood")
def log_likelihood_in_one_batch(self, x, K=100):
    """All K samples at once, with the densities written out."""
    q = self.encode(x)
    B, D = q.mean.shape
    noise = torch.randn(K, B, D, device=x.device, dtype=x.dtype)
    z = q.mean + q.std * noise
    log_q = -0.5 * (math.log(2 * math.pi) + q.logvar + noise**2).sum(dim=2)
    log_prior = -0.5 * (math.log(2 * math.pi) + z**2).sum(dim=2)
    mean = self.decode(z.reshape(K * B, D)).mode().reshape(K, *x.shape)
    log_x = -0.5 * (math.log(2 * math.pi) + (x - mean) ** 2).flatten(2).sum(dim=2)
    return torch.logsumexp(log_x + log_prior - log_q - math.log(K), dim=0)


@right("Q1.9", "VAE.forward")
def forward_written_out(self, x, noise=None):
    """No helper but the networks."""
    hidden = self.encoder(x)
    mean, logvar = self.mean(hidden), self.logvar(hidden)
    noise = torch.randn_like(mean) if noise is None else noise
    recon = self.decoder(mean + torch.exp(logvar / 2) * noise)
    nll = 0.5 * ((x - recon) ** 2 + math.log(2 * math.pi)).flatten(1).sum(1)
    kl = 0.5 * (mean**2 + logvar.exp() - 1 - logvar).sum(1)
    return recon, nll, kl


@right("Q1.9", "VAE.forward")
def forward_half_and_half(self, x, noise=None):
    """The divergence written out, all else by the class; dims given."""
    posterior = self.encode(x)
    recon = self.decode(posterior.sample(noise=noise))
    kl = 0.5 * (posterior.mean**2 + posterior.var - 1 - posterior.logvar).sum(dim=1)
    return [recon.mode(), recon.nll(x, dims=[1, 2, 3]), kl]


@right("Q1.10", "interpolate")
def interpolates_backwards(model, z_1, z_2, n_samples):
    """From z_2 to z_1, by lerp."""
    points = [torch.lerp(z_2, z_1, i / (n_samples - 1)) for i in range(n_samples)]
    return model.decode(torch.cat(points)).mode()


@right("Q1.10", "interpolate")
def interpolates_one_by_one(model, z_1, z_2, n_samples):
    """One image at a time, without gradients."""
    with torch.no_grad():
        weights = torch.linspace(0, 1, n_samples).tolist()
        return torch.cat([model.decode(z_1 + w * (z_2 - z_1)).mode() for w in weights])


@right("Q1.1", "DiagonalGaussianDistribution.sample")
def samples_by_addcmul(self, noise=None):
    """addcmul, noise drawn in place."""
    return torch.addcmul(self.mean, self.std, torch.empty_like(self.mean).normal_() if noise is None else noise)


@right("Q1.2", "DiagonalGaussianDistribution.kl")
def kl_by_kl_divergence(self):
    """By torch.distributions, with the entries of an image as one event."""
    from torch.distributions import Independent, Normal, kl_divergence

    def flat(mean, std):
        return Independent(Normal(mean.flatten(1), std.flatten(1)), 1)

    return kl_divergence(flat(self.mean, self.std), flat(torch.zeros_like(self.mean), torch.ones_like(self.std)))


@right("Q1.6", "VAE.decode")
def decodes_through_a_local_name(self, z):
    """The decoder's output under a name, the class looked up by type()."""
    return (mean := self.decoder(z)) is not None and DiagonalGaussianDistribution(mean)


@right("Q1.7", "VAE.sample")
def samples_by_normal_sample(self, batch_size, noise=None):
    """Normal(0, 1).sample for the latent."""
    if noise is None:
        standard = torch.distributions.Normal(0.0, 1.0)
        noise = standard.sample((batch_size, self.z_dim)).to(self.device)
    return self.decode(noise).mean


@right("Q1.8", "VAE.log_likelihood")
def log_likelihood_by_logaddexp(self, x, K=100):
    """A running logaddexp, so that no list of K tensors is kept."""
    q, total = self.encode(x), None
    prior = DiagonalGaussianDistribution(torch.zeros_like(q.mean))
    for _ in range(K):
        z = q.sample()
        log_w = q.nll(z, dims=[1]) - prior.nll(z, dims=[1]) - self.decode(z).nll(x)
        total = log_w if total is None else torch.logaddexp(total, log_w)
    return total - math.log(K)


@right("Q1.10", "interpolate")
def interpolates_by_lerp(model, z_1, z_2, n_samples):
    """torch.lerp with weights from arange."""
    weights = torch.arange(n_samples, dtype=z_1.dtype, device=z_1.device)[:, None] / (n_samples - 1)
    return model.decode(torch.lerp(z_1, z_2, weights)).mode()


@right("Q1.9", "VAE.forward")
def forward_that_decodes_twice(self, x, noise=None):
    """The same z is decoded once for each result."""
    posterior = self.encode(x)
    z = posterior.sample(noise)
    return self.decode(z).mode(), self.decode(z).nll(x), posterior.kl()


@right("Q1.9", "VAE.forward")
def forward_image_by_image(self, x, noise=None):
    """One image at a time."""
    modes, nlls, kls = [], [], []
    for i in range(len(x)):
        posterior = self.encode(x[i : i + 1])
        p = self.decode(posterior.sample(None if noise is None else noise[i : i + 1]))
        modes.append(p.mode())
        nlls.append(p.nll(x[i : i + 1]))
        kls.append(posterior.kl())
    return torch.cat(modes), torch.cat(nlls), torch.cat(kls)


@right("Q1.7", "VAE.sample")
def samples_image_by_image(self, batch_size, noise=None):
    """One image at a time."""
    noise = torch.randn(batch_size, self.z_dim, device=self.device) if noise is None else noise
    return torch.cat([self.decode(z.unsqueeze(0)).mode() for z in noise])


@right("Q1.7", "VAE.sample")
def samples_and_decodes_again(self, batch_size, noise=None):
    """The shape is taken from an image that is decoded before."""
    noise = torch.randn(batch_size, self.z_dim, device=self.device) if noise is None else noise
    shape = self.decode(noise).mode().shape
    return self.decode(noise).mode().reshape(shape)


@right("Q1.8", "VAE.log_likelihood")
def log_likelihood_in_two_loops(self, x, K=100):
    """Over images, and over the samples of each."""
    estimates = []
    for image in x.split(1):
        posterior = self.encode(image)
        prior = DiagonalGaussianDistribution(torch.zeros_like(posterior.mean))
        log_weights = []
        for _ in range(K):
            z = posterior.sample()
            log_joint = -self.decode(z).nll(image) - prior.nll(z, dims=[1])
            log_weights.append(log_joint + posterior.nll(z, dims=[1]))
        estimates.append(torch.logsumexp(torch.stack(log_weights), dim=0) - math.log(K))
    return torch.cat(estimates)


@right("Q1.8", "VAE.log_likelihood")
def log_likelihood_in_chunks(self, x, K=100):
    """Images in chunks, and over k within each."""
    estimates = []
    for images in x.split(64):
        posterior = self.encode(images)
        prior = DiagonalGaussianDistribution(torch.zeros_like(posterior.mean))
        log_weights = []
        for _ in range(K):
            z = posterior.sample()
            log_joint = -self.decode(z).nll(images) - prior.nll(z, dims=[1])
            log_weights.append(log_joint + posterior.nll(z, dims=[1]))
        estimates.append(torch.logsumexp(torch.stack(log_weights), dim=0) - math.log(K))
    return torch.cat(estimates)
