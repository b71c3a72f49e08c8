"""Given: the configuration of question 2. `from ddpm_utils.args import *` brings `args`, the defaults.

It is frozen: dataclasses.replace(args, epochs=5) makes a changed copy; on the command line it is --epochs 5.
"""

from dataclasses import dataclass

import torch

__all__ = ["Args", "args"]

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


@dataclass(frozen=True)
class Args:
    data: str = "mnist"  # data set: mnist, or digits (small, needs no network)
    data_root: str = "data"  # folder that holds the data sets, or receives the download
    out: str = "runs/ddpm"  # folder for the checkpoint, the history and the figures
    device: str = DEVICE  # cpu, cuda, or on the command line auto
    seed: int = 0  # of the weights, the order of the data and the noise
    image_size: int = 32  # height and width; the U-Net halves it three times, so a multiple of 8
    image_channels: int = 1  # 1 for gray images
    width: int = 64  # channels of the U-Net's first level; 32 for a run on a CPU
    n_steps: int = 1000  # diffusion steps T
    epochs: int = 20  # passes through the training data
    batch_size: int = 128  # images in one optimizer step
    learning_rate: float = 5e-4  # of Adam
    n_samples: int = 16  # images that Trainer.sample draws
    sample_every: int = 1  # epochs between two figures of samples
    nb_save: int = 11  # moments of the reverse process in the intermediate-steps figure
    resume: bool = False  # go on from the checkpoint in --out, where there is one
    max_minutes: float = 0.0  # stop training after so many minutes, figures not counted; 0: no limit
    precision: str = "auto"  # auto (bf16 where the hardware has it), or float32
    compile: str = "auto"  # auto (where the run is long enough to pay), on or off
    max_steps: int = 0  # stop at this number of optimizer steps, earlier runs included; 0: no limit


args = Args()
