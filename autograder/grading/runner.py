"""Who takes a look at what: the sandbox at the student's module, this process at the reference and our own answers."""

import importlib
import os
import random
import sys
import threading
from copy import copy
from pathlib import Path
from types import ModuleType
from typing import Any, Self

import cloudpickle
import numpy
import torch

from autograder.course import ROOT, Assignment
from autograder.grading.variants import Variant
from autograder.sandbox.client import Sandbox, wire
from autograder.sandbox.messages import Failure, Look
from autograder.sandbox.stand_ins import replaced


class Reference:
    """The solutions laid over the given code, importable in this process: the oracle. Trusted."""

    def __init__(self, assignment: Assignment, solutions: Path | None = None):
        self.assignment = assignment
        self.solutions = solutions or assignment.solutions
        self.lock = threading.RLock()  # looks draw from torch's global generator
        self.variants: dict[str, ModuleType] = {}
        self.modules = import_student_files(assignment, [self.solutions, assignment.given])

    def variant(self, misconception: Variant) -> ModuleType:
        """A copy of the reference's module that holds one misconception."""
        if misconception.name not in self.variants:
            source = (self.solutions / f"{misconception.module}.py").read_text(encoding="utf-8")
            module = ModuleType(misconception.module)
            exec(compile(misconception.applied_to(source), f"{misconception.module}.py", "exec"), vars(module))
            self.variants[misconception.name] = module
        return self.variants[misconception.name]

    def see(self, look: Look, module: ModuleType | None = None) -> Any:
        """Take a look here, at the solution or at another module, in the same circumstances as in the sandbox.

        Returns: a value, or a Failure.
        """
        module = module or self.modules[look.module]
        function, replacing = fresh(look.function), fresh(dict(look.replacing))
        with self.lock, replaced(module, replacing):
            random.seed(look.seed)
            numpy.random.seed(look.seed % 2**32)
            torch.manual_seed(look.seed)
            try:
                value = function(module)
            except Exception as error:
                return Failure("exception", wire.plain_text(error), type(error).__name__)
        return wire.decode(wire.encode(value))


def fresh(thing: Any) -> Any:
    """A copy as the sandbox gets one: code that changes its inputs in place spoils only its own."""
    return cloudpickle.loads(wire.pack(thing))


class SandboxRunner:
    """The engine's runner: the student's side is the sandbox."""

    def __init__(self, sandbox: Sandbox, oracle: Reference, key: bytes, student_number: str):
        self.sandbox, self.oracle = sandbox, oracle
        self.key, self.student_number = key, student_number
        self.session = ""

    def shared(self, module: str) -> Self:
        """The same runner, with one process for all looks at a file."""
        if "shared process" in self.sandbox.without:  # benchmarks
            return self
        runner = copy(self)
        runner.session = module
        return runner

    def student(self, look: Look) -> Any:
        return self.sandbox.look(look, self.session)

    def reference(self, look: Look) -> Any:
        outcome = self.oracle.see(look)
        if isinstance(outcome, Failure):
            raise RuntimeError(f"the reference fails: {outcome.type}: {outcome.message}")
        return outcome


class LocalRunner:
    """Everything in this process, for our own files only: benches, and plain pytest on the hidden tests."""

    def __init__(self, oracle: Reference, folder: Path | None = None, key: bytes = b"local"):
        self.key, self.student_number = key, "local"
        self.oracle = oracle
        folders = [folder or oracle.solutions, oracle.assignment.given]
        self.subject = import_student_files(oracle.assignment, folders)

    def shared(self, module: str) -> Self:
        return self

    def student(self, look: Look) -> Any:
        return self.oracle.see(look, self.subject[look.module])

    def reference(self, look: Look) -> Any:
        return self.oracle.see(look)


def import_student_files(assignment: Assignment, folders: list[Path]) -> dict[str, ModuleType]:
    """Import an assignment's student files afresh, with `folders` first on the path: {name: module}.

    Two assignments, or two versions of one, may each have a gan.py; so nothing imported before is used again.
    """
    forget_modules_of(assignment)
    added = [str(folder) for folder in folders]
    sys.path[:0] = added
    try:
        return {name: importlib.import_module(name) for name in assignment.modules}
    finally:
        # Given code may import more of itself later, inside functions: only the student's folder leaves the path.
        sys.path.remove(added[0])


def forget_modules_of(assignment: Assignment) -> None:
    rooms = tuple(str(ROOT / room) + os.sep for room in ("assignment", "solutions"))
    for name, module in list(sys.modules.items()):
        if name in assignment.modules or (getattr(module, "__file__", None) or "").startswith(rooms):
            del sys.modules[name]
    sys.path[:] = [entry for entry in sys.path if not (entry + os.sep).startswith(rooms)]
