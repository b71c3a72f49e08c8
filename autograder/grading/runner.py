"""Who takes a look at what: the sandbox at the student's module, this process at the reference and our own answers."""

import hashlib
import importlib
import linecache
import os
import random
import sys
import threading
import time
from collections.abc import Sequence
from copy import copy
from pathlib import Path
from types import ModuleType
from typing import Any, Self

import cloudpickle
import numpy
import torch

from autograder.course import ROOT, Assignment, ExerciseSpec
from autograder.grading.variants import Variant
from autograder.sandbox.client import Sandbox, read_answer, wire
from autograder.sandbox.messages import Attempts, Failure, Look
from autograder.sandbox.raised import described_error
from autograder.sandbox.stand_ins import replaced
from autograder.sandbox.workbench import TooSlow, Workbench, at_most

MOST_REMEMBERED = 100_000_000  # bytes of the answers of our own modules
MOST_IN_A_REPLY = 1_000_000  # bytes of outcomes that are asked for at once


class Reference:
    """The solutions laid over the given code, importable in this process: the oracle. Trusted."""

    def __init__(self, assignment: Assignment, solutions: Path | None = None):
        self.assignment = assignment
        self.solutions = solutions or assignment.solutions
        self.lock = threading.RLock()  # looks draw from torch's global generator
        self.variants: dict[str, ModuleType] = {}
        self.packed: tuple[Look | None, bytes] = None, b""
        self.remembered: dict[tuple[int, int, bytes], bytes] = {}
        self.remembers = 0  # bytes
        self.modules = import_student_files(assignment, [self.solutions, assignment.given])

    def variant(self, misconception: Variant) -> ModuleType:
        """A copy of the reference's module that holds one misconception."""
        if misconception.name not in self.variants:
            source = (self.solutions / f"{misconception.module}.py").read_text(encoding="utf-8")
            module = ModuleType(misconception.module)
            exec(compile(misconception.applied_to(source), f"{misconception.module}.py", "exec"), vars(module))
            self.variants[misconception.name] = module
        return self.variants[misconception.name]

    def see(self, look: Look, module: ModuleType | None = None, folder: Path | None = None) -> Any:
        """Take a look here, at the solution or at another module, in the same circumstances as in the sandbox.

        It gets copies of its inputs, as in the sandbox: code that changes them in place spoils only its own.
        What the reference and its variants answer is remembered: an explanation asks them the same again, and so does a
        bench, for every answer that it grades.

        Args:
            folder: where the module's source lies, if an exception shall say its line.
        Returns: a value, or a Failure.
        """
        module = module or self.modules[look.module]
        packed = self.packed
        if packed[0] is not look:  # a search for a repair takes one look many times
            self.packed = packed = look, wire.pack((look.function, dict(look.replacing)))
        if module is not self.modules[look.module] and module not in self.variants.values():
            return read_answer(self.answer(look, packed[1], module, folder))
        with self.lock:
            key = id(module), look.seed, hashlib.sha256(packed[1]).digest()
            if key not in self.remembered:
                answer = self.answer(look, packed[1], module, folder)
                if self.remembers + len(answer) > MOST_REMEMBERED:
                    self.remembered, self.remembers = {}, 0
                self.remembered[key] = answer
                self.remembers += len(answer)
            return read_answer(self.remembered[key])

    def answer(self, look: Look, packed: bytes, module: ModuleType, folder: Path | None) -> bytes:
        """What a worker would write."""
        function, replacing = cloudpickle.loads(packed)
        with self.lock, replaced(module, replacing):
            random.seed(look.seed)
            numpy.random.seed(look.seed % 2**32)
            torch.default_generator.manual_seed(look.seed)
            torch.set_grad_enabled(True)  # code that was interrupted may have left it off
            try:
                answer = {"value": function(module)}
            except Exception as error:
                answer = {"error": described_error(error, [], lambda file, number: line_in(folder, file, number))}
        return wire.encode(answer)


def line_in(folder: Path | None, file: str, number: int) -> str | None:
    """A line of a file in a folder."""
    return linecache.getline(file, number) if folder and Path(file).parent == folder else None


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

    def workbench(self, spec: ExerciseSpec) -> "SandboxWorkbench":
        return SandboxWorkbench(self.sandbox, spec, others_of(self.oracle.assignment, spec))

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
        self.folder = folders[0]
        self.subject = import_student_files(oracle.assignment, folders)

    def shared(self, module: str) -> Self:
        return self

    def student(self, look: Look) -> Any:
        return self.oracle.see(look, self.subject[look.module], self.folder)

    def workbench(self, spec: ExerciseSpec) -> "LocalWorkbench":
        return LocalWorkbench(self, spec)

    def reference(self, look: Look) -> Any:
        return self.oracle.see(look)


# ---------------------------------------------------------------- looks at a function with an edit made


class OutOfTime(Exception):
    """A search for a repair has used up its time, or its worker."""


class SandboxWorkbench:
    """The edits of one exercise's function, which only the sandbox knows: here they are numbers."""

    def __init__(self, sandbox: Sandbox, spec: ExerciseSpec, others: tuple[str, ...]):
        self.sandbox, self.spec, self.others = sandbox, spec, others
        self.kinds: list[str] = []  # of the edits; known after the first look
        self.seconds = 0.0  # of computing in the worker, as it says itself

    def outcomes(self, look: Look, tries: Sequence[tuple[int, ...]], seconds: float, patience: float) -> list[Any]:
        """What the look sees with each of these lists of edits made, if it takes no more than `patience` seconds.

        Raises:
            OutOfTime: after so many seconds, or where the worker has ended.
        """
        found: list[Any] = []
        deadline = time.monotonic() + seconds
        size = 1
        while len(found) < len(tries):
            seconds = deadline - time.monotonic()
            some = tuple(tries[len(found) : len(found) + size])
            wanted = Attempts(self.spec.target, self.others, some, patience)
            self.kinds, outcomes, computed = self.ask(look, wanted, seconds)
            self.seconds += max(0.0, computed)
            if len(outcomes) != len(some):
                raise OutOfTime
            found += outcomes
            if size == 1:  # the first says how much there is to send
                size = max(1, min(64, MOST_IN_A_REPLY // (len(wire.encode(outcomes[0])) + 200)))
        return found

    def describe(self, look: Look, numbers: tuple[int, ...], seconds: float) -> list[dict]:
        return self.ask(look, Attempts(self.spec.target, self.others, (numbers,), describe=True), seconds)

    def ask(self, look: Look, wanted: Attempts, seconds: float) -> Any:
        if seconds <= 0:
            raise OutOfTime
        answer = self.sandbox.attempts(look, wanted, f"repair {self.spec.id}", seconds)
        if isinstance(answer, Failure):
            raise OutOfTime(answer.message)
        return answer


class LocalWorkbench:
    """The same in this process."""

    def __init__(self, runner: LocalRunner, spec: ExerciseSpec):
        self.runner, self.subject = runner, runner.subject[spec.module]
        others = others_of(runner.oracle.assignment, spec)
        self.bench = Workbench(self.subject, spec.target, others, self.sources)
        self.kinds = [edit.kind for _, edit in self.bench.edits]
        self.seconds = 0.0  # all of them are this thread's own

    def sources(self, filename: str) -> list[tuple[int, str]]:
        path = Path(filename)
        return [(1, path.read_text(encoding="utf-8"))] if path.parent == self.runner.folder else []

    def outcomes(self, look: Look, tries: Sequence[tuple[int, ...]], seconds: float, patience: float) -> list[Any]:
        deadline = time.monotonic() + seconds
        found: list[Any] = []
        for numbers in tries:
            if time.monotonic() > deadline:
                raise OutOfTime
            try:
                with at_most(patience), self.bench.edited(numbers):
                    outcome = self.runner.oracle.see(look, self.subject)
            except (Exception, TooSlow) as error:
                outcome = Failure("exception", "", type(error).__name__)
            found.append(outcome)
        return found

    def describe(self, look: Look, numbers: tuple[int, ...], seconds: float) -> list[dict]:
        return self.bench.described(numbers)


def others_of(assignment: Assignment, spec: ExerciseSpec) -> tuple[str, ...]:
    """The targets of the other exercises in the same file."""
    return tuple(e.target for e in assignment.in_file(f"{spec.module}.py") if e.id != spec.id)


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
