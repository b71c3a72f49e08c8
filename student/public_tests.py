"""What the public tests of all assignments share: where your files are, and short answers instead of long tracebacks.

Your files are looked for in the assignment's folder, or in the one that the environment variable SUBMISSION names:

    pytest public_tests                                     # in the assignment's folder
    SUBMISSION=path/to/my/files pytest public_tests
"""

import importlib
import os
import sys
from pathlib import Path

import pytest


def find_files(assignment: Path) -> None:
    """Put the student's files, then the given ones, first on Python's path."""
    chosen = os.environ.get("SUBMISSION") or assignment
    sys.path[:0] = [str(Path(chosen).resolve()), str(assignment)]


@pytest.fixture(scope="session")
def student():
    """student("q1_vae") is your module; a file that cannot be imported is said in one sentence."""

    def import_module(name: str):
        try:
            return importlib.import_module(name)
        except SyntaxError as error:
            file = Path(error.filename or f"{name}.py").name
            reason = f"Python cannot read {file}: {error.msg} (line {error.lineno})."
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
            reason = f"There is no {name}.py in this folder; SUBMISSION=folder names another one."
        raise pytest.fail.Exception(reason, pytrace=False)

    return import_module


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    try:
        return (yield)
    except NotImplementedError as error:
        exercise, _, function = str(error).partition(": ")
        reason = f"{exercise or 'This exercise'} is still to do ({function or item.name})."
    raise pytest.fail.Exception(reason, pytrace=False)
