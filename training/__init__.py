"""Helpers shared by the training scripts and notebooks of all assignments. Given code."""

from training.checkpoint import load_checkpoint, restore, save_checkpoint
from training.config import parse_config
from training.device import Precision, pick_device
from training.errors import TrainingError
from training.figures import save_curves, save_grid

__all__ = [
    "Precision",
    "TrainingError",
    "load_checkpoint",
    "parse_config",
    "pick_device",
    "restore",
    "save_checkpoint",
    "save_curves",
    "save_grid",
]
