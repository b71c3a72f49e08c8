"""What every notebook has once the assignment's folder is found: paths, automatic reloading, `%check`, pictures."""

import contextlib
import importlib.metadata
import inspect
import json
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

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
    with contextlib.suppress(ImportError), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # without ipywidgets its bars are plain: no reason for a warning
        import tqdm.auto  # noqa: F401
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
        name = re.split(r"[^\w.-]", line)[0]
        try:
            importlib.metadata.version(name) if name and name != "jupyter" else None
        except importlib.metadata.PackageNotFoundError:
            missing.append(line)
    return missing


def check(line: str) -> None:
    """`%check Q1.3`: the public tests of an exercise, a question or a file, on your files as they are saved now.

    The cells that you ran count for what the files leave undone.
    """
    from student.answers import candidates, contents
    from student.check import check, say, show

    submission = os.environ.get("SUBMISSION")
    try:
        assignment = find_assignment(Path.cwd())
        folder = Path(submission) if submission else None
        own = candidates(assignment, folder or assignment.folder)
        files = contents({name: path for name, path in own.items() if path.suffix == ".py"})
        rows = check(assignment, line.split(), folder, files, cells_run(), say)
    except StudentError as error:
        print(f"%check: {error}", file=sys.stderr)
    else:
        show(rows, width=120)


def cells_run() -> list[str]:
    """The cells that were run in this kernel, in their order, as they were typed."""
    from IPython import get_ipython

    shell = get_ipython()
    return list(shell.history_manager.input_hist_raw) if shell else []


def device() -> str:
    import torch

    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"CPU, {os.cpu_count()} cores (the times are in the text above; SMOKE = True is for a first try)"


def figures(folder: str | Path, *names: str) -> None:
    """Show figures("runs/vae", "loss", "samples") of a training run, or a given figures("figures", "model.svg")."""
    from IPython.display import SVG, Image, display

    for name in names:
        path = Path(folder, name if name.endswith(".svg") else f"{name}.png")
        if not path.is_file():
            print(f"{path} is not there: run the cell that draws it (the training) first.")
        else:
            display(SVG(str(path)) if path.suffix == ".svg" else Image(filename=str(path)))


def curves(
    history: dict[str, list[float]], ours: str, config: Any, xlabel: str = "epoch", ylabel: str = "loss"
) -> None:
    """Plot your curves, and behind them, faintly, those of our own run of that name (figures/curves.json).

    Ours are left out where they would mislead: for a smoke run, and for other data than ours.

    Args:
        history: your curves, by the names that ours have.
        ours: the name of our run.
        config: your run's settings.
    """
    import matplotlib.pyplot as plt

    smoke = Path(config.out).name.startswith("smoke-")
    run = {} if smoke else json.loads(Path("figures", "curves.json").read_text(encoding="utf-8"))[ours]
    shown = not smoke and getattr(config, "data", run["data"]) == run["data"]
    for number, (name, values) in enumerate(history.items()):
        colour = f"C{number}"
        if shown:
            expected = run["curves"][name]
            plt.plot(range(1, len(expected) + 1), expected, color=colour, alpha=0.3, linewidth=4, label=f"{name}, ours")
        plt.plot(range(1, len(values) + 1), values, ".-", color=colour, label=name)
    plt.gca().locator_params(axis="x", integer=True)
    plt.xlabel(xlabel)
    plt.ylabel(ylabel)
    plt.legend()
    plt.title("A smoke run: tiny settings, only to see that it runs" if smoke else "")
    plt.show()
    if shown:
        print(f"ours: {run['command']}")
    elif not smoke:
        print(f"no curve of ours: it was trained on {run['data']} ({run['command']})")


def choose(draw: Callable[[Any], None], name: str, values: Sequence[Any]) -> None:
    """Call draw(value) for the value that a slider chooses; without ipywidgets, for each value in turn."""
    try:
        from ipywidgets import SelectionSlider, interact
    except ImportError:
        for value in values:
            draw(value)
        return
    slider = SelectionSlider(options=list(values), value=values[0], description=name, continuous_update=False)
    interact(draw, **{next(iter(inspect.signature(draw).parameters)): slider})
