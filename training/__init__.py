"""Helpers shared by the training scripts and notebooks of all assignments. Given code."""

from training.average import MovingAverage
from training.checkpoint import load_checkpoint, restore, save_checkpoint
from training.compiling import Compiler
from training.config import parse_config
from training.device import Precision, one_thread, pick_device, placed, tune_cpu
from training.errors import TrainingError
from training.figures import save_curves, save_figure, save_grid
from training.progress import progress

__all__ = [
    "Compiler",
    "MovingAverage",
    "Precision",
    "TrainingError",
    "load_checkpoint",
    "one_thread",
    "parse_config",
    "pick_device",
    "placed",
    "progress",
    "restore",
    "save_checkpoint",
    "save_curves",
    "save_figure",
    "save_grid",
    "tune_cpu",
]
