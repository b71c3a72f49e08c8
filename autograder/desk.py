"""Where looks are taken: on the student's module, on the reference, on each misconception."""

import importlib
import os
import random
import sys
import threading
from collections.abc import Callable, Mapping
from copy import copy
from pathlib import Path
from types import ModuleType
from typing import Any

import cloudpickle
import numpy
import torch

from autograder import wire
from autograder.course import Assignment, load_assignment
from autograder.exercise import Look, difference
from autograder.isolation import Limits
from autograder.sandbox import Failure, Sandbox, replaced
from autograder.variants import Variant, misconceptions


class Reference:
    """The solutions laid over the given code, importable in this process. Trusted."""

    def __init__(self, assignment: Assignment, solutions: Path | None = None):
        self.assignment = assignment
        self.solutions = solutions or assignment.solutions
        self.lock = threading.RLock()  # looks draw from torch's global generator
        self.variants: dict[str, ModuleType] = {}
        self.modules = import_student_files(assignment, [self.solutions, assignment.given])

    def module(self, name: str) -> ModuleType:
        return self.modules[name]

    def variant(self, misconception: Variant) -> ModuleType:
        """A copy of the reference's module that holds one misconception."""
        if misconception.name not in self.variants:
            source = (self.solutions / f"{misconception.module}.py").read_text(encoding="utf-8")
            module = ModuleType(misconception.module)
            exec(compile(misconception.applied_to(source), f"{misconception.module}.py", "exec"), vars(module))
            self.variants[misconception.name] = module
        return self.variants[misconception.name]

    def run(self, module: ModuleType, look: Callable, replacing: Mapping[str, Callable], seed: int) -> Any:
        """Take a look here, in the same circumstances as in the sandbox. Returns a value or a Failure."""
        with self.lock, replaced(module, replacing):
            random.seed(seed)
            numpy.random.seed(seed % 2**32)
            torch.manual_seed(seed)
            try:
                value = look(module)
            except Exception as error:
                return Failure("exception", wire.plain_text(error), type(error).__name__)
        return wire.decode(wire.encode(value))

    def explains(self, misconception: Variant, looks: list[Look]) -> bool:
        """Whether a misconception gives, look for look, what the student's code gave."""
        if not looks:
            return False
        module = self.variant(misconception)
        for look in looks:
            function, replacing = fresh(look.function), fresh(look.replacing)
            if not same(look.outcome, self.run(module, function, replacing, look.seed)):
                return False
        return True


def fresh(thing: Any) -> Any:
    """A copy as the sandbox gets one: code that changes its inputs in place spoils only its own."""
    return cloudpickle.loads(wire.pack(thing))


def same(one: Any, other: Any) -> bool:
    if isinstance(one, Failure) or isinstance(other, Failure):
        both = isinstance(one, Failure) and isinstance(other, Failure)
        return both and one.kind == other.kind == "exception" and (one.type, one.message) == (other.type, other.message)
    return type(one) is type(other) and difference(one, other) is None


class GradingDesk:
    """The engine's desk: the student's side is the sandbox."""

    def __init__(self, sandbox: Sandbox, reference: Reference, key: bytes, student_number: str):
        self.sandbox, self._reference = sandbox, reference
        self.key, self.student_number = key, student_number
        self.session = ""

    def shared(self, module: str) -> "GradingDesk":
        """The same desk, with one process for all looks at a file."""
        if "shared process" in self.sandbox.without:  # benchmarks
            return self
        desk = copy(self)
        desk.session = module
        return desk

    def student(self, module: str, look: Callable, replacing: Mapping, seed: int, limits: Limits) -> Any:
        packed = wire.pack(dict(replacing)) if replacing else b""
        session = self.session if limits == Limits() else ""  # limits are a process's, so others need another one
        return self.sandbox.look(module, wire.pack(look), replacing=packed, seed=seed, limits=limits, session=session)

    def reference(self, module: str, look: Callable, replacing: Mapping, seed: int) -> Any:
        outcome = self._reference.run(self._reference.module(module), fresh(look), fresh(replacing), seed)
        if isinstance(outcome, Failure):
            raise RuntimeError(f"the reference fails: {outcome.type}: {outcome.message}")
        return outcome


class LocalDesk:
    """For plain pytest on the hidden tests: everything in one process, for our own files only.

    `SUBMISSION=folder pytest autograder/hidden_tests/<slug>/<file>.py`; without SUBMISSION, the reference.
    """

    def __init__(self, library: Reference, folder: Path | None):
        self.key, self.student_number = b"local", "local"
        self.library = library
        assignment = library.assignment
        folders = [folder, assignment.given] if folder else [library.solutions, assignment.given]
        self.subject = import_student_files(assignment, folders)

    _desks: dict[str, "LocalDesk"] = {}

    @classmethod
    def for_test_file(cls, module_name: str) -> "LocalDesk":
        path = Path(sys.modules[module_name].__file__)
        slug = path.parent.name
        if slug not in cls._desks:
            folder = os.environ.get("SUBMISSION")
            cloudpickle.register_pickle_by_value(sys.modules[module_name])
            cls._desks[slug] = cls(Reference(load_assignment(slug)), Path(folder).resolve() if folder else None)
        return cls._desks[slug]

    def shared(self, module: str) -> "LocalDesk":
        return self

    def student(self, module: str, look: Callable, replacing: Mapping, seed: int, limits: Limits) -> Any:
        return self.library.run(self.subject[module], fresh(look), fresh(replacing), seed)

    def reference(self, module: str, look: Callable, replacing: Mapping, seed: int) -> Any:
        return self.library.run(self.library.module(module), fresh(look), fresh(replacing), seed)


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
    rooms = tuple(str(Path(__file__).resolve().parents[1] / room) + os.sep for room in ("assignment", "solutions"))
    for name, module in list(sys.modules.items()):
        if name in assignment.modules or (getattr(module, "__file__", None) or "").startswith(rooms):
            del sys.modules[name]
    sys.path[:] = [entry for entry in sys.path if not (entry + os.sep).startswith(rooms)]


def explanations(reference: Reference, exercise: str, module: str, looks: list[Look]) -> list[Variant]:
    """The misconceptions of an exercise that give the student's numbers."""
    known = [m for m in misconceptions(reference.assignment, module) if m.exercise == exercise]
    return [m for m in known if reference.explains(m, looks)]
