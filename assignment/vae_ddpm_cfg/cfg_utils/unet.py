"""Given: the U-Net of question 3, told the class in place of the time. Its blocks are those of question 2."""

import torch
import torch.nn.functional as F
from ddpm_utils.unet import UNetBody
from torch import Tensor, nn


class UNet(nn.Module):
    """eps_theta(z, labels): the noise in z (B, C, H, W), same shape as z.

    labels: (B,) integers 0 .. n_classes - 1, or None for the unconditional prediction, which has a row of its
    own in the table of embeddings. There is no time argument: the network reads the noise level off z.

    The body predicts v in eps = alpha v + sigma z, with the network's own guesses of alpha and sigma. In almost pure
    noise (alpha near 0) the prediction is then almost z, as it must be: sampling divides its error by alpha, which
    is 5e-5 at the start.
    """

    def __init__(self, channels: int = 1, width: int = 64, n_classes: int = 10):
        super().__init__()
        emb_dim = 4 * width
        self.n_classes = n_classes
        self.label = nn.Embedding(n_classes + 1, emb_dim)
        self.level = nn.Sequential(nn.Linear(3, emb_dim), nn.SiLU(), nn.Linear(emb_dim, emb_dim))
        self.log_snr = nn.Sequential(nn.SiLU(), nn.Linear(emb_dim, 1))
        self.mix = nn.Sequential(nn.SiLU(), nn.Linear(emb_dim, emb_dim), nn.SiLU())
        self.body = UNetBody(channels, width, emb_dim)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        if labels is None:
            labels = torch.full((z.shape[0],), self.n_classes, device=z.device)
        level = self.level(self.noise_level(z))
        v = self.body(z, self.mix(self.label(labels) + level))
        log_snr = self.log_snr(level).float()[:, :, None, None]  # log(alpha^2 / sigma^2), (B, 1, 1, 1)
        # Not by sqrt(1 - alpha^2): its slope is infinite at alpha = 1, where bf16 soon arrives.
        alpha, sigma = (F.logsigmoid(log_snr) / 2).exp(), (F.logsigmoid(-log_snr) / 2).exp()
        return alpha * v + sigma * z

    @staticmethod
    def noise_level(z: Tensor) -> Tensor:
        """What tells the level: the mean of z, and the log size of steps between neighbours, mean and median."""
        step = (z[..., 1:] - z[..., :-1]).abs().flatten(start_dim=1)
        spread = torch.stack([step.mean(dim=1), step.median(dim=1).values], dim=1).clamp(min=1e-5).log()
        return torch.cat([z.flatten(start_dim=1).mean(dim=1, keepdim=True), spread], dim=1)  # (B, 3)
