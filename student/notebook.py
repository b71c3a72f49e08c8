"""What every notebook does after it has found the assignment's folder: paths, automatic reloading, `%check`."""

import importlib.metadata
import os
import re
import subprocess
import sys
from pathlib import Path

from student.assignment import StudentError, find_assignment


def start(folder: Path, install: bool = False) -> None:
    """Work in the assignment's folder: import its files, reload them when they change, offer `%check Q1.3`.

    The environment variable SUBMISSION names another folder with the student's files. Calling it twice does no harm.

    Args:
        folder: the assignment's.
        install: add the packages of its requirements.txt that are not there (never another version of one that is).
    """
    from IPython import get_ipython

    assignment = find_assignment(folder)
    os.chdir(assignment.folder)
    if install and (packages := missing_packages(assignment.folder / "requirements.txt")):
        subprocess.run([sys.executable, "-m", "pip", "install", "-q", *packages], check=True)
    submission = os.environ.get("SUBMISSION")
    first = [submission, str(assignment.folder)] if submission else [str(assignment.folder)]
    sys.path[:] = first + [entry for entry in sys.path if entry not in first]
    shell = get_ipython()
    if "autoreload" not in shell.magics_manager.magics["line"]:
        shell.run_line_magic("load_ext", "autoreload")
    shell.run_line_magic("autoreload", "2")
    shell.run_line_magic("matplotlib", "inline")
    shell.register_magic_function(check, "line", "check")
    print(f"your files: {submission or assignment.folder}")
    print(f"device: {device()}")


def missing_packages(requirements: Path) -> list[str]:
    """The lines of requirements.txt whose package is not installed. Jupyter is there: a notebook is running."""
    missing = []
    for line in requirements.read_text(encoding="utf-8").splitlines():
        name = re.match(r"[\w.-]*", line)[0]
        try:
            importlib.metadata.version(name) if name and name != "jupyter" else None
        except importlib.metadata.PackageNotFoundError:
            missing.append(line)
    return missing


def check(line: str) -> None:
    """`%check Q1.3`: the public tests of an exercise, a question or a file, on your files as they are saved now."""
    from student.check import check, show

    submission = os.environ.get("SUBMISSION")
    try:
        rows = check(find_assignment(Path.cwd()), line.split(), Path(submission) if submission else None)
    except StudentError as error:
        print(f"%check: {error}", file=sys.stderr)
    else:
        show(rows, width=120)


def device() -> str:
    import torch

    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"CPU, {os.cpu_count()} cores (the times are in the text above; SMOKE = True is for a first try)"


def figures(folder: str | Path, *names: str) -> None:
    """Show figures that a training run has written: figures("runs/vae", "loss", "samples")."""
    from IPython.display import Image, display

    for name in names:
        display(Image(filename=str(Path(folder) / f"{name}.png")))
