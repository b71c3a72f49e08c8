"""What the public tests of all assignments share: where your files are, and short answers instead of long tracebacks.

Your files are looked for in the assignment's folder, or in the one that the environment variable SUBMISSION names:

    pytest public_tests                                     # in the assignment's folder
    SUBMISSION=path/to/my/files pytest public_tests
"""

import importlib
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from student.answers import CannotRead


def find_files(assignment: Path) -> None:
    """Put the student's files, then the given ones, first on Python's path."""
    chosen = os.environ.get("SUBMISSION") or assignment
    sys.path[:0] = [str(Path(chosen).resolve()), str(assignment)]
    without_compiler()


def without_compiler() -> None:
    """The first optimizer that a process makes imports torch's compiler, which takes longer than all tests together."""
    import torch

    optimizer = torch.optim.Optimizer
    for name in ("add_param_group", "load_state_dict"):
        method = getattr(optimizer, name)
        setattr(optimizer, name, getattr(method, "__wrapped__", method))


class Differs(AssertionError):
    """What was found is not what is right."""


def close(actual: Any, expected: Any, what: str, atol: float = 1e-5, rtol: float = 1e-4) -> None:
    """Fail in one short sentence where `what` has another shape or value; any floating point dtype will do.

    expected: a tensor, or one number for all entries.
    """
    import torch

    if not isinstance(actual, torch.Tensor):
        got = "None: is a return missing?" if actual is None else f"a {type(actual).__name__}, no tensor"
        if not isinstance(actual, int | float):
            raise Differs(f"{what} is {got}")
    actual = torch.as_tensor(actual).detach()
    if actual.dtype in (torch.float16, torch.bfloat16):
        raise Differs(f"{what} is a tensor of {str(actual.dtype).removeprefix('torch.')}: single or double precision.")
    expected = torch.full(actual.shape, float(expected)) if isinstance(expected, int | float) else expected
    if actual.shape != expected.shape and not (expected.dim() == 0 and actual.numel() == 1):
        raise Differs(f"{what} has the shape {tuple(actual.shape)}, not {tuple(expected.shape)}.")
    found, right = actual.double().reshape(expected.shape), expected.double()
    wrong = ~torch.isclose(found, right, atol=atol, rtol=rtol, equal_nan=False)
    if bool(wrong.any()):
        place = tuple(int(i) for i in wrong.nonzero()[0])
        at = f" at {list(place)}" if expected.numel() > 1 else ""
        raise Differs(f"{what} is {float(found[place]):.4g}, not {float(right[place]):.4g}{at}.")


@pytest.fixture(scope="session")
def student():
    """student("q1_vae") is your module; a file that cannot be imported is said in one sentence."""

    def import_module(name: str):
        try:
            return importlib.import_module(name)
        except SyntaxError as error:
            file = Path(error.filename or f"{name}.py").name
            reason = f"Python cannot read {file}: {error.msg} (line {error.lineno})."
        except CannotRead as error:
            reason = str(error)
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
    except Differs as error:
        case = " ".join((item.function.__doc__ or "").split())
        reason = f"{error} The example: {case}" if case else f"{error}"
    raise pytest.fail.Exception(reason, pytrace=False)
