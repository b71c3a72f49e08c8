"""A student's function on the bench: its source, the edits that could mend it, and looks at it with an edit made.

Runs inside the sandbox only. An edit takes the place of the function's code object, so closures, decorators and
whoever holds the function see it, and undoing it leaves nothing behind.
"""

import ast
import inspect
import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy

from autograder.sandbox import wire
from autograder.sandbox.edits import Edit, edits
from autograder.sandbox.messages import Attempts

MOST_FUNCTIONS = 6  # the exercise's own and those that it calls
MOST_BYTES = 500_000  # of one outcome
LOOK_SECONDS = 0.5  # of computing, for one look at an edit, which may hang, at most

Sources = Callable[[str], Iterable[tuple[int, str]]]  # of a file: (first line, text) of its pieces


class TooSlow(BaseException):
    """A look at an edit ran out of time. No Exception, so that no answer and no look catches it."""


@dataclass
class Subject:
    """A function and where it is defined."""

    function: FunctionType
    node: ast.FunctionDef
    owner: str  # the class's name, for private names and super(); "" for a plain function

    def compiled(self) -> CodeType:
        """The code of the function as its tree is now."""
        original = self.function.__code__
        body: ast.stmt = self.node
        if self.owner:
            body = ast.parse(f"class {self.owner}: pass").body[0]
            body.body = [self.node]  # type: ignore[attr-defined]
            ast.fix_missing_locations(ast.copy_location(body, self.node))
        code = compile(ast.Module([body], type_ignores=[]), original.co_filename, "exec", dont_inherit=True)
        for found in every_code(code):
            if found.co_name == original.co_name and found.co_firstlineno == original.co_firstlineno:
                return found
        raise ValueError("the function is not there any more")


def every_code(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from every_code(constant)


class Workbench:
    """The edits of one exercise.

    Args:
        module: the student's.
        target: "function" or "Class.method".
        others: targets of the other exercises, which are left alone.
        sources: where the text of a file is.
    """

    def __init__(self, module: ModuleType, target: str, others: Iterable[str], sources: Sources):
        self.subjects = subjects(module, target, others, sources)
        self.edits: list[tuple[Subject, Edit]] = []
        for place, (subject, tree) in enumerate(self.subjects):
            modules = [name for name, value in subject.function.__globals__.items() if isinstance(value, ModuleType)]
            self.edits += [(subject, edit) for edit in edits(subject.node, tree, place > 0, modules)]
        self.edits.sort(key=lambda entry: entry[1].place)

    @contextmanager
    def edited(self, numbers: Iterable[int]) -> Iterator[None]:
        """With these edits made.

        Raises:
            SyntaxError, ValueError, TypeError, RecursionError: if what comes out is no function.
        """
        warnings.simplefilter("ignore")  # whatever is said of an edit is not about the student's code
        chosen = [self.edits[number] for number in numbers]
        before = []
        for _, edit in chosen:
            edit.make()
        try:
            for subject in {id(subject): subject for subject, _ in chosen}.values():
                before.append((subject.function, subject.function.__code__))
                subject.function.__code__ = subject.compiled()
            for _, edit in reversed(chosen):  # the trees at once, so that nothing that a look does finds them changed
                edit.undo()
            chosen = []
            yield
        finally:
            for _, edit in reversed(chosen):
                edit.undo()
            for function, code in before:
                function.__code__ = code

    def answer(self, wanted: Attempts, take: Callable[[], dict]) -> dict:
        """What `take`, a look, returns with each of the wanted edits made; each outcome is encoded on its own."""
        if wanted.describe:
            return {"edits": self.described(wanted.tries[0])}
        outcomes, started = [], time.process_time()
        for numbers in wanted.tries:
            try:
                with at_most(wanted.patience), self.edited(numbers):
                    outcome = wire.encode(take())
            except BaseException as error:
                outcome = wire.encode({"error": failed(error)})
            if len(outcome) > MOST_BYTES:
                outcome = wire.encode({"error": failed(ValueError("too large"))})
            outcomes.append(numpy.frombuffer(outcome, dtype=numpy.uint8))
        seconds = time.process_time() - started
        return {"kinds": [edit.kind for _, edit in self.edits], "outcomes": outcomes, "seconds": seconds}

    def described(self, numbers: Iterable[int]) -> list[dict]:
        """Edits as plain data."""
        found = []
        for number in numbers:
            subject, edit = self.edits[number]
            before, after = edit.texts()
            file = os.path.basename(subject.function.__code__.co_filename)
            found.append({"file": file, "line": edit.line, "kind": edit.kind, "words": list(edit.words),
                          "before": before, "after": after})  # fmt: skip
        return found


def failed(error: BaseException) -> dict:
    """An edit that makes no function, or ends no look: nothing more is asked of it."""
    return {"type": type(error).__name__, "message": "", "place": "", "notes": [], "line": "", "shapes": []}


def subjects(module: ModuleType, target: str, others: Iterable[str], sources: Sources) -> list[tuple[Subject, ast.AST]]:
    """The exercise's function, and those of the student's that it calls, unless they are exercises themselves."""
    owner, _, name = target.rpartition(".")
    holder = getattr(module, owner, None) if owner else module
    start = plain_function(holder, name)
    taken = set()
    for other in others:
        other_owner, _, other_name = other.rpartition(".")
        with suppress(Exception):
            function = plain_function(getattr(module, other_owner) if other_owner else module, other_name)
            if function is not start:
                taken.add(function)
    waiting = [(start, owner)]
    found: list[tuple[Subject, ast.AST]] = []
    while waiting and len(found) < MOST_FUNCTIONS:
        function, owner = waiting.pop(0)
        if function is None or function in taken:
            continue
        taken.add(function)
        node_and_tree = definition(function.__code__, sources)
        if node_and_tree is None:
            continue
        node, tree = node_and_tree
        if set(function.__code__.co_freevars) <= {"__class__"}:
            found.append((Subject(function, node, owner), tree))
        for code in (function.__code__, *every_code(function.__code__)):
            for called in code.co_names:
                if isinstance(function.__globals__.get(called), FunctionType):
                    waiting.append((plain_function(None, called, function.__globals__), ""))
                elif owner and isinstance(holder, type):
                    waiting.append((plain_function(holder, called), owner))
    return found


def plain_function(holder: Any, name: str, names: dict | None = None) -> FunctionType | None:
    """The function itself, below its decorators; None where there is none."""
    try:
        found = names[name] if names is not None else inspect.getattr_static(holder, name)
        found = getattr(found, "__func__", found)
        found = inspect.unwrap(found)
    except Exception:
        return None
    return found if isinstance(found, FunctionType) else None


def definition(code: CodeType, sources: Sources) -> tuple[ast.FunctionDef, ast.AST] | None:
    """The statement that defined a function, with the line numbers of the student's file, and what it stands in."""
    for first, text in sources(code.co_filename):
        if first <= code.co_firstlineno < first + text.count("\n") + 1:
            try:
                tree = ast.parse("\n" * (first - 1) + text, code.co_filename)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                return None
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef) and node.name == code.co_name:
                    start = min([node.lineno, *(d.lineno for d in node.decorator_list)])
                    if start == code.co_firstlineno:
                        return node, tree
    return None


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raises TooSlow after so many seconds of computing, where the platform can; a busy machine changes nothing."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: Any) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds, 0.1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
