"""Given: Inception Score and FID, by torchmetrics (optional: `pip install torchmetrics torch-fidelity`).

Why torchmetrics: it is maintained with PyTorch Lightning, takes tensors from memory batch by batch (no folders of
files), keeps the real images' statistics for a whole training, and takes any other network in Inception's place. The
Inception weights come from torch-fidelity, the reproduction of the original TensorFlow network: other weights give
other numbers, and published ones are comparable only with these. They are downloaded once (91 MB).

FID depends on the number of samples: compare runs only at the same one.
"""

import warnings
from collections.abc import Callable

import torch
from torch import Tensor, nn


class Evaluator:
    """evaluator(draw, n) -> {"fid", "inception_score"} of n images draw(batch) (B, 3, H, W) in [0, 1].

    Args:
        real: (N, 3, H, W) in [0, 1], the images to compare with; their statistics are computed once.
        device: where the networks run.
        features: a network in Inception's place, (B, 3, H, W) in [0, 1] -> (B, F), with an attribute num_features.

    Raises:
        training.TrainingError: torchmetrics is not installed, or the weights cannot be downloaded.
    """

    def __init__(self, real: Tensor, device: torch.device | str, features: nn.Module | None = None, batch: int = 250):
        from training import TrainingError

        self.device, self.batch = torch.device(device), batch
        try:
            from torchmetrics.image.fid import FrechetInceptionDistance
            from torchmetrics.image.inception import InceptionScore

            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that features are kept in memory: 40 MB for 10,000 images
                self.fid = FrechetInceptionDistance(
                    feature=2048 if features is None else features, normalize=True, reset_real_features=False
                ).to(self.device)
                self.score = InceptionScore(
                    feature="logits_unbiased" if features is None else features, normalize=features is None
                ).to(self.device)
        except ModuleNotFoundError as error:
            raise TrainingError(
                "FID and Inception Score need two more packages: pip install torchmetrics torch-fidelity, "
                "or train without them: --no-evaluate."
            ) from error
        except OSError as error:  # also urllib's errors
            raise TrainingError(
                f"the Inception weights could not be downloaded ({error}): run again with a network, they are kept in "
                f"{torch.hub.get_dir()}/checkpoints, or train without FID and Inception Score: --no-evaluate."
            ) from error
        for images in real.split(batch):
            self.fid.update(images.to(self.device), real=True)

    @torch.inference_mode()
    def __call__(self, draw: Callable[[int], Tensor], n: int) -> dict[str, float]:
        self.fid.reset()
        self.score.reset()
        for start in range(0, n, self.batch):
            images = draw(min(self.batch, n - start)).to(self.device)
            self.fid.update(images, real=False)
            self.score.update(images)
        return {"fid": float(self.fid.compute()), "inception_score": float(self.score.compute()[0])}


class SmallFeatures(nn.Module):
    """Random convolutions with fixed weights in Inception's place, without a download: to see that everything runs.

    Its numbers are comparable with nothing.
    """

    num_features = 16

    def __init__(self):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.net = nn.Sequential(
                nn.Conv2d(3, 16, 4, stride=4), nn.ReLU(), nn.Conv2d(16, 16, 2, stride=2),
                nn.AdaptiveAvgPool2d(1), nn.Flatten(),
            )  # fmt: skip

    def forward(self, images: Tensor) -> Tensor:
        return self.net(images)
