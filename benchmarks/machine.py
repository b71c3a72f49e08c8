"""What every benchmark prints first: the machine, and the versions."""

import os
import platform
from pathlib import Path

import torch


def describe() -> str:
    """Two lines: processor and cores; Python and torch."""
    versions = f"Python {platform.python_version()}, torch {torch.__version__}"
    return f"{processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}\n{versions}"


def processor() -> str:
    """The processor's name, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
