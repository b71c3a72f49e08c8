"""Given: the encoder and the decoder of the VAE. Each stride of 2 halves, or doubles, the image's height and width.

encoder   3 x 32 x 32 -> f x 16 x 16 -> 2f x 8 x 8 -> 4f x 4 x 4 -> a vector of 64 f numbers
decoder   z -> 4f x 4 x 4 -> 2f x 8 x 8 -> f x 16 x 16 -> 3 x 32 x 32
"""

from torch import nn


def make_encoder(in_channels: int, features: int, input_size: int) -> nn.Sequential:
    """Images (B, in_channels, input_size, input_size) -> hidden (B, encoder_outputs(features, input_size))."""
    f = features
    check_size(input_size)
    return nn.Sequential(
        nn.Conv2d(in_channels, f, kernel_size=4, stride=2, padding=1), nn.ReLU(),
        nn.Conv2d(f, 2 * f, kernel_size=4, stride=2, padding=1), nn.ReLU(),
        nn.Conv2d(2 * f, 4 * f, kernel_size=4, stride=2, padding=1), nn.ReLU(),
        nn.Flatten(),
    )  # fmt: skip


def encoder_outputs(features: int, input_size: int) -> int:
    """How many numbers the encoder gives for an image."""
    return 4 * features * (input_size // 8) ** 2


def make_decoder(z_dim: int, out_channels: int, features: int, output_size: int) -> nn.Sequential:
    """Latent vectors (B, z_dim) -> means of the pixels (B, out_channels, output_size, output_size), in (-1, 1)."""
    f, grid = features, output_size // 8
    check_size(output_size)
    return nn.Sequential(
        nn.Linear(z_dim, 4 * f * grid * grid), nn.ReLU(),
        nn.Unflatten(1, (4 * f, grid, grid)),
        nn.ConvTranspose2d(4 * f, 2 * f, kernel_size=4, stride=2, padding=1), nn.ReLU(),
        nn.ConvTranspose2d(2 * f, f, kernel_size=4, stride=2, padding=1), nn.ReLU(),
        nn.ConvTranspose2d(f, out_channels, kernel_size=4, stride=2, padding=1), nn.Tanh(),
    )  # fmt: skip


def check_size(size: int) -> None:
    if size < 8 or size % 8:
        raise ValueError(f"the image size is {size}: it must be a multiple of 8, since it is halved three times")
