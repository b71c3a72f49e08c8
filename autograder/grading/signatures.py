"""Whether a student's function can be called as ours is, and a sentence where it cannot.

Files written for an original course bring its signatures along (no `noise` argument, the coefficients last): whatever
such a function raises, what helps is what ours takes. Parameters are compared by name and place, as extract() lists
them: "self, x, /, *, noise=...".
"""

import ast
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from autograder.sandbox.outline import functions_of, parameters

CALL = re.compile(r"([\w.]+)\(\) (?:got|takes|missing)\b")  # what Python says of a call that does not fit


def given_signatures(stub: Path) -> dict[str, str]:
    """{"Class.method": "x, t, noise=None"} of a file as it was handed out, with its defaults."""
    functions = functions_of(ast.parse(stub.read_text(encoding="utf-8")).body)
    return {name: ast.unparse(bare(function.args)) for name, function in functions.items()}


def bare(arguments: ast.arguments) -> ast.arguments:
    """Without annotations."""
    for argument in ast.walk(arguments):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    return arguments


def listed(signature: str) -> list[str]:
    """The parameters of a given signature, as extract() lists those of a student's."""
    (function,) = functions_of(ast.parse(f"def f({signature}): pass").body).values()
    return parameters(function)


def fits(theirs: list[str], ours: list[str]) -> bool:
    """Whether every call that ours takes by place means the same to theirs: as many, in the same order."""
    if any(name.startswith("*") and not name.startswith("**") and name != "*" for name in theirs):
        return True  # *args take anything
    places = [name for name in theirs if name != "/" and not name.startswith("**")]
    places = places[: places.index("*")] if "*" in places else places
    wanted = [name.removesuffix("=...") for name in ours if name not in ("*", "/")]
    names = [name.removesuffix("=...") for name in places]
    moved = any(names.index(name) != wanted.index(name) for name in names if name in wanted)
    required = [name for name in theirs[len(wanted) :] if not name.endswith("=...") and not name.startswith("*")]
    return len(places) >= len(wanted) and not moved and not required


def misfits(signatures: Iterable[str], given: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """{function: (theirs, ours)} of those that are called otherwise than as handed out, be it only by other names."""
    theirs = dict(entry.split(": ", 1) for entry in signatures if ": " in entry)
    found = {}
    for name in theirs.keys() & given.keys():
        student, ours = theirs[name].split(", "), listed(given[name])
        if student[: len(ours)] != ours or not fits(student, ours):
            found[name] = theirs[name], given[name]
    return found


def signature_hint(sentence: str, target: str, differing: Mapping[str, tuple[str, str]], failed: bool) -> str:
    """What to add to a failed test's sentence where a signature explains it: what ours is; else nothing.

    Args:
        sentence: what the test says.
        target: of the exercise, "Class.method".
        differing: misfits() of the student's file.
        failed: whether it raised something, or its value is wrong.
    """
    called = CALL.search(sentence)
    suspects = [name for name in differing if called and called[1].split(".<locals>")[0] in (name, name.split(".")[-1])]
    if not suspects and failed and target in differing:
        student, ours = differing[target]
        suspects = [] if fits(student.split(", "), listed(ours)) else [target]
    for name in suspects[:1]:
        student, ours = differing[name]
        return f"Ours is {name}({without_self(ours)}), yours is {name}({without_self(student)})."
    return ""


def without_self(signature: str) -> str:
    return re.sub(r"^self(, |$)", "", signature)
