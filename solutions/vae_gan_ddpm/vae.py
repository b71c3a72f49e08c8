"""Question 1: the variational autoencoder (VAE; Kingma and Welling 2013, https://arxiv.org/abs/1312.6114).

You complete this file; train_vae.py and the grader read it.

    q(z|x) = N(mean(x), diag(exp(logvar(x)))),    p(x|z) = N(decoder(z), I),    p(z) = N(0, I)

Shapes: B batch, D latent dimensions (z_dim), C channels, H x W pixels. Images (B, C, H, W) have values in [-1, 1].
Work with basic torch operations: torch.distributions is not allowed in this assignment.
"""

# BEGIN SOLUTION
import math

# END SOLUTION
import torch
from networks.conv import encoder_outputs, make_decoder, make_encoder
from torch import Tensor, nn


class DiagonalGaussianDistribution:
    """N(mean, diag(exp(logvar))): a Gaussian with a diagonal covariance matrix, for each element of a batch."""

    def __init__(self, mean: Tensor, logvar: Tensor | None = None):
        """Given. mean: (B, ...).  logvar: the logarithm of the variance, same shape; None: the identity covariance."""
        self.mean = mean
        self.logvar = torch.zeros_like(mean) if logvar is None else logvar.clamp(-30.0, 20.0)
        self.std = torch.exp(0.5 * self.logvar)  # same shape: standard deviation
        self.var = torch.exp(self.logvar)  # same shape: variance

    def sample(self, noise: Tensor | None = None) -> Tensor:
        """A sample by the reparameterization trick: a deterministic map of standard normal noise.

            z = mean + std * noise,    noise ~ N(0, I)                             [Kingma and Welling 2013, sec. 2.4]

        noise: same shape as the mean; drawn here if None. Returns a tensor of that shape.
        The pitfall: gradients must reach mean and logvar through the sample.
        """
        # BEGIN SOLUTION Q1.1: draw noise if none is given; scale and shift it.
        if noise is None:
            noise = torch.randn_like(self.mean)
        return self.mean + self.std * noise
        # END SOLUTION

    def kl(self) -> Tensor:
        """The Kullback-Leibler divergence from the standard normal, KL(N(mean, diag(var)) || N(0, I)).

            KL(q || p) = E_q[ log q(z) - log p(z) ],   in closed form              [Kingma and Welling 2013, app. B]

        For the latents' distribution: mean and logvar are (B, D) here.
        Returns (B,): summed over D, one number for each element of the batch. It is 0 where mean = 0 and logvar = 0.
        """
        # BEGIN SOLUTION Q1.2: the closed form for each dimension, then the sum over the dimensions.
        return 0.5 * (self.mean.square() + self.var - 1 - self.logvar).flatten(1).sum(dim=1)
        # END SOLUTION

    def nll(self, sample: Tensor, dims: list[int] = [1, 2, 3]) -> Tensor:  # noqa: B006  (never changed)
        """The negative log-likelihood of `sample` under this distribution.

            - log N(z; mean, diag(var)) = sum_i  1/2 log(2 pi var_i) + (z_i - mean_i)^2 / (2 var_i)

        sample: same shape as the mean.
        dims: the dimensions to sum over: [1, 2, 3] for images (B, C, H, W), [1] for latents (B, D). No other
            dimension is summed: [2, 3] gives (B, C).
        Returns (B,): the sum over `dims`. The pitfall: the constant log(2 pi) belongs to every dimension.
        """
        # BEGIN SOLUTION Q1.3: the negative log-density of each entry, then the sum over dims.
        entries = math.log(2 * math.pi) + self.logvar + (sample - self.mean).square() / self.var
        return 0.5 * entries.sum(dim=dims)
        # END SOLUTION

    def mode(self) -> Tensor:
        """The mode of the distribution: the point where its density is highest. Same shape as the mean."""
        # BEGIN SOLUTION Q1.4: where is a Gaussian density highest?
        return self.mean
        # END SOLUTION


class VAE(nn.Module):
    def __init__(
        self,
        in_channels: int = 3,
        decoder_features: int = 32,
        encoder_features: int = 32,
        z_dim: int = 100,
        input_size: int = 32,
        device: torch.device | str = "cpu",
    ):
        """Given. The networks stand in networks/conv.py; F = encoder_outputs(...) is what the encoder gives."""
        super().__init__()
        self.z_dim = z_dim
        self.device = device
        outputs = encoder_outputs(encoder_features, input_size)
        self.encoder = make_encoder(in_channels, encoder_features, input_size)  # (B, C, H, W) -> (B, F)
        self.mean = nn.Linear(outputs, z_dim)  # (B, F) -> (B, z_dim)
        self.logvar = nn.Linear(outputs, z_dim)  # (B, F) -> (B, z_dim)
        self.decoder = make_decoder(z_dim, in_channels, decoder_features, input_size)  # (B, z_dim) -> (B, C, H, W)
        self.to(device)

    def encode(self, x: Tensor) -> DiagonalGaussianDistribution:
        """The approximate posterior q(z|x) = N(mean, diag(exp(logvar))), both from the hidden output of the encoder.

        x: (B, C, H, W) images. Returns a DiagonalGaussianDistribution with mean and logvar (B, z_dim).
        """
        # BEGIN SOLUTION Q1.5: encode once, then let self.mean and self.logvar read the hidden output.
        hidden = self.encoder(x)
        return DiagonalGaussianDistribution(mean=self.mean(hidden), logvar=self.logvar(hidden))
        # END SOLUTION

    def decode(self, z: Tensor) -> DiagonalGaussianDistribution:
        """The conditional likelihood p(x|z) = N(decoder(z), I).

        z: (B, z_dim) latents. Returns a DiagonalGaussianDistribution with mean (B, C, H, W) and identity covariance.
        """
        # BEGIN SOLUTION Q1.6: the decoder gives the mean; see what the distribution does without logvar.
        return DiagonalGaussianDistribution(mean=self.decoder(z))
        # END SOLUTION

    def sample(self, batch_size: int, noise: Tensor | None = None) -> Tensor:
        """New images: z from the prior p(z) = N(0, I), then the mode of p(x|z).

        batch_size: how many.  noise: (batch_size, z_dim), the z to decode; drawn here, on self.device, if None.
        Returns (batch_size, C, H, W). The pitfall: the mode of p(x|z), not a sample from it.
        """
        # BEGIN SOLUTION Q1.7: z is standard normal noise; decode it, and take the mode.
        if noise is None:
            noise = torch.randn(batch_size, self.z_dim, device=self.device)
        return self.decode(noise).mode()
        # END SOLUTION

    def log_likelihood(self, x: Tensor, K: int = 100) -> Tensor:
        """An estimate of log p(x) by importance sampling, with q(z|x) as the proposal.

            log p(x) ~ log 1/K sum_k  p(x, z_k) / q(z_k|x),    z_k ~ q(z|x)        [Burda et al. 2016, eq. (8)]

        where p(x, z) = p(x|z) p(z).

        x: (B, C, H, W).  K: number of samples z_k for each image, each drawn independently.
        Returns (B,): one estimate for each image. With K = 1 its expected value is the ELBO; it rises with K.
        The pitfall: the densities are far too small to be represented. Compute with their logarithms, and use
        torch.logsumexp.
        """
        # BEGIN SOLUTION Q1.8: log p(x|z_k) + log p(z_k) - log q(z_k|x) for each k; then the log of the mean of exp.
        posterior = self.encode(x)
        prior = DiagonalGaussianDistribution(torch.zeros_like(posterior.mean))
        log_ratios = []
        for _ in range(K):
            z = posterior.sample()
            log_joint = -self.decode(z).nll(x) - prior.nll(z, dims=[1])
            log_ratios.append(log_joint + posterior.nll(z, dims=[1]))
        return torch.stack(log_ratios, dim=1).logsumexp(dim=1) - math.log(K)
        # END SOLUTION

    def forward(self, x: Tensor, noise: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Encode x, draw one z ~ q(z|x) by reparameterization, decode it. What the ELBO of x is made of:

            - ELBO(x) = nll + kl,    nll = - log p(x|z),    kl = KL(q(z|x) || p(z))

        x: (B, C, H, W).  noise: (B, z_dim), the noise of the reparameterization; drawn if None.
        Returns mode (B, C, H, W) of p(x|z), nll (B,), kl (B,).
        """
        # BEGIN SOLUTION Q1.9: encode, sample with the noise, decode; return mode, nll of x, and kl.
        posterior = self.encode(x)
        likelihood = self.decode(posterior.sample(noise))
        return likelihood.mode(), likelihood.nll(x), posterior.kl()
        # END SOLUTION


def interpolate(model: VAE, z_1: Tensor, z_2: Tensor, n_samples: int) -> Tensor:
    """The images along the straight line between two points of the latent space.

        mode of p(x | z),   z = (1 - a) z_1 + a z_2,   a = 0, 1 / (n_samples - 1), ..., 1

    z_1, z_2: (1, z_dim).  n_samples: number of points, both ends included.
    Returns (n_samples, C, H, W), ordered along the line (from either end).
    """
    a = torch.linspace(0.0, 1.0, n_samples, device=z_1.device, dtype=z_1.dtype).unsqueeze(1)
    # BEGIN SOLUTION Q1.10: with the weights a (n_samples, 1), given as a start: mix, decode, take the mode.
    return model.decode((1 - a) * z_1 + a * z_2).mode()
    # END SOLUTION
