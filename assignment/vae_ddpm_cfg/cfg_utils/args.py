"""Given: the configuration of question 3. `from cfg_utils.args import *` brings `args`, the defaults.

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
    out: str = "runs/cfg"  # folder for the checkpoint, the history and the figures
    device: str = DEVICE  # cpu, cuda, or on the command line auto
    seed: int = 0  # of the weights, the order of the data and the noise
    image_size: int = 32  # height and width; the U-Net halves it three times, so a multiple of 8
    image_channels: int = 1  # 1 for gray images
    n_classes: int = 10  # labels are the integers 0 .. n_classes - 1
    width: int = 64  # channels of the U-Net's first level; 32 for a run on a CPU
    n_steps: int = 1000  # diffusion steps T
    epochs: int = 20  # passes through the training data
    batch_size: int = 128  # images in one optimizer step
    learning_rate: float = 5e-4  # of Adam
    p_uncond: float = 0.15  # share of the batches whose labels are dropped (the paper tries 10, 20 and 50 %)
    cfg_scale: float = 3.0  # guidance strength w in the figures of samples; 0: no guidance
    n_samples: int = 40  # images that Trainer.sample draws; a multiple of n_classes
    sample_every: int = 1  # epochs between two figures of samples
    resume: bool = False  # go on from the checkpoint in --out, where there is one
    max_minutes: float = 0.0  # stop training after so many minutes, figures not counted; 0: no limit
    precision: str = "auto"  # auto (bf16 where the hardware has it), or float32
    compile: str = "auto"  # auto (where the run is long enough to pay), on or off
    max_steps: int = 0  # stop at this number of optimizer steps, earlier runs included; 0: no limit


args = Args()
