"""Import a submission's extracted files inside a worker.

Runs inside the sandbox only. The student's graded files and, behind all that is installed, the student's own
helper modules are found here; each statement runs on its own, so that one that fails (a dataset that is not
there, a package that is not installed) takes nothing else with it.
"""

import contextlib
import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import itertools
import marshal
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

OTHERS_SECONDS = 1.0  # for definitions that no graded name needs, all together


class Missing:
    """Stands for something that could not be imported; it says so when somebody uses it."""

    def __init__(self, name: str, reason: str):
        self.__dict__.update(_name=name, _reason=reason)

    def __getattr__(self, attribute: str) -> NoReturn:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        raise ImportError(f"{self._name} is used here, but it could not be imported: {self._reason}")

    def __call__(self, *args: object, **kwargs: object) -> NoReturn:
        self.__getattr__("call")


class UploadedModules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds modules in a table {dotted name: parts of extracted code, the later ones over the earlier ones}."""

    def __init__(self, table: dict[str, list[bytes]]):
        self.table = table
        self.failures: dict[str, list[str]] = {}

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        package = any(name.startswith(fullname + ".") for name in self.table)
        if fullname not in self.table and f"{fullname}.__init__" not in self.table and not package:
            return None
        return ModuleSpec(fullname, self, origin="submission", is_package=package)

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        parts = [marshal.loads(data) for data in self.table.get(name) or self.table.get(f"{name}.__init__") or []]
        module.__file__ = name.rpartition(".")[2] + ".py"
        failures = self.failures.setdefault(name, [])
        for graded, _ in parts:
            execute(graded, module, failures)
        with bounded(OTHERS_SECONDS):
            for _, others in parts:
                execute(others, module, failures)

    def sources(self, filename: str) -> Iterator[tuple[int, str]]:
        """First line and text of the definitions in a file, as the student wrote them."""
        for data in itertools.chain(*self.table.values()):
            for *_, code, first, text in itertools.chain(*marshal.loads(data)):
                if text and code.co_filename == filename:
                    yield first, text

    def line(self, filename: str, number: int) -> str | None:
        """The text of a line of the student's; "" where it is not known, None where the file is not theirs."""
        if os.path.isabs(filename) or filename.startswith("<"):
            return None
        for first, text in self.sources(filename):
            if first <= number < first + text.count("\n") + 1:
                return text.split("\n")[number - first]
        return ""


def execute(statements: list[tuple], module: ModuleType, failures: list[str]) -> None:
    """Execute the statements of a module, each on its own; what is said of those that fail goes to `failures`."""
    for line, names, is_import, code, *_ in statements:
        try:
            waiting = eval(code, module.__dict__)
            if code.co_flags & inspect.CO_COROUTINE:  # a notebook's `await`
                importlib.import_module("asyncio").run(waiting)
        except Exception as error:
            failures.append(f"line {line} failed when the file was loaded: {describe(error)}")
            for missing in names if is_import else []:
                module.__dict__.setdefault(missing, Missing(missing, describe(error)))
        except TakesTooLong:
            raise
        except BaseException as error:  # also sys.exit() at module level
            failures.append(f"line {line} failed when the file was loaded: {describe(error)}")


class TakesTooLong(BaseException):
    """What nothing graded needs takes too long. No Exception, so that no student's code catches it."""


@contextlib.contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """Leave the block when it has computed or waited for so long; only the main thread can be told to."""

    def stop(*_: object) -> None:
        raise TakesTooLong

    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGALRM"):
        yield
        return
    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    except TakesTooLong:
        pass
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Given(importlib.abc.MetaPathFinder):
    """Finds given code: any module of the assignment's folder, and the shared packages beside it."""

    def __init__(self, folder: Path, root: Path, packages: tuple[str, ...] = ("data_loaders", "training")):
        self.folder, self.root, self.packages = folder, root, packages

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if path is not None:
            return None  # a submodule: its package's own path leads to it
        where = self.root if fullname in self.packages else self.folder
        return importlib.machinery.PathFinder.find_spec(fullname, [str(where)])


def install(graded: dict[str, list[bytes]], helpers: dict[str, list[bytes]], given: Given) -> UploadedModules:
    """Make a submission importable: graded files and given code first, helpers behind everything installed."""
    submission = UploadedModules(graded)
    sys.meta_path[:] = [submission, given, *sys.meta_path, UploadedModules(helpers)]
    sys.dont_write_bytecode = True
    return submission


def describe(error: BaseException) -> str:
    try:
        return "".join(traceback.format_exception_only(error)).strip().splitlines()[-1][:300]
    except BaseException:  # a stranger's exception may raise where it is printed
        return f"{type(error)} that cannot be printed"
