"""An exception of the student's code as plain data: where it was raised, the line's text and the shapes that met there.

Used inside the sandbox, and here for our own wrong answers.
"""

import os
import re
from collections.abc import Callable
from typing import Any

import torch

MOST_SHAPES = 6
MISSING = object()


def described_error(error: BaseException, notes: list[str], line_of: Callable[[str, int], str | None]) -> dict:
    """What wire.py can send of an exception.

    Args:
        notes: why something is missing that the code may have looked for.
        line_of: the text of a line of a file; None where the file is not the student's.
    """
    place, text, shapes, trace, ours = "", "", [], error.__traceback__, False
    while trace:
        code = trace.tb_frame.f_code
        line = line_of(code.co_filename, trace.tb_lineno)
        if line is not None:
            place = f"{os.path.basename(code.co_filename)}, line {trace.tb_lineno}, in {code.co_name}"
            text, shapes = line.strip(), shapes_in(line, trace.tb_frame.f_locals)
        ours = is_ours(code.co_filename)
        trace = trace.tb_next
    if ours:
        text, shapes = "", []  # a stand-in or a test's model raised it: the student's line is not to blame alone
    try:
        message = str(error)
    except BaseException:
        message = "(its message cannot be printed)"
    looked_up = isinstance(error, NameError | AttributeError | ImportError)
    return {"type": type(error).__name__, "message": message, "place": place, "notes": notes[:3] if looked_up else [],
            "line": text, "shapes": shapes}  # fmt: skip


def is_ours(filename: str) -> bool:
    return f"{os.sep}hidden_tests{os.sep}" in filename or filename.endswith(f"sandbox{os.sep}stand_ins.py")


def shapes_in(line: str, variables: dict[str, Any]) -> list[str]:
    """`x (4, 3)` for the tensors that a line names, and `noise is None`."""
    found: list[str] = []
    for name in dict.fromkeys(re.findall(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)?", line)):
        owner, _, attribute = name.partition(".")
        value = variables.get(owner, MISSING)
        if isinstance(value, torch.Tensor):
            name = owner
        elif attribute and value is not MISSING:
            value = getattr(value, "__dict__", {}).get(attribute, MISSING)
        said = f"{name} is None" if value is None else ""
        if isinstance(value, torch.Tensor):
            said = f"{name} {tuple(value.shape)}"
        if said and said not in found and len(found) < MOST_SHAPES:
            found.append(said)
    return found
