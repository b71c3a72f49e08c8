"""A rule of a handout at run time: a module that an answer may not use raises wherever it is reached, by whatever name.

A supervisor calls `forbid` before it forks a worker, so student code never finds the module in another state. What is
changed are the functions themselves, not the names that lead to them: an alias, a `from` import, getattr, importlib, a
subclass or a helper file all end at the same functions. A look at the syntax (extract.py) finds the plain cases before,
with file and line; this is what makes the rule true.
"""

import importlib.abc
import inspect
import sys
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any

REFUSAL = """\
def refusal(*args, **kwargs):
    raise RuntimeError("this assignment rules {name} out: write it with basic torch operations")
"""


def forbid(name: str) -> None:
    """From now on every function and method of a package raises RuntimeError in this process and its children.

    Args:
        name: "torch.distributions". It has to be imported already, or it cannot be any more.
    """
    code = refusal(name)
    for module in [m for found, m in list(sys.modules.items()) if within(found, name)]:
        for function in functions_reached(vars(module), name, set()):
            function.__code__ = code.replace(co_freevars=function.__code__.co_freevars)
    sys.meta_path.insert(0, NoFreshCopy(name))


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def refusal(name: str) -> CodeType:
    namespace: dict[str, Any] = {}
    exec(compile(REFUSAL.format(name=name), "<a rule of the handout>", "exec"), namespace)
    return namespace["refusal"].__code__


def functions_reached(names: dict[str, Any], package: str, seen: set[int]) -> Iterator[FunctionType]:
    """The functions defined in a package that a namespace holds, in its classes, properties, tables and decorators."""
    for value in list(names.values()):
        yield from functions_in(value, package, seen)


def functions_in(value: Any, package: str, seen: set[int]) -> Iterator[FunctionType]:
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, FunctionType):
        if within(value.__module__ or "", package) or within(value.__globals__.get("__name__", ""), package):
            yield value
        yield from functions_in(getattr(value, "__wrapped__", None), package, seen)
    elif inspect.isclass(value):
        if within(value.__module__, package):
            yield from functions_reached(dict(vars(value)), package, seen)
    elif isinstance(value, staticmethod | classmethod):
        yield from functions_in(value.__func__, package, seen)
    elif isinstance(value, property):
        for part in (value.fget, value.fset, value.fdel):
            yield from functions_in(part, package, seen)
    elif isinstance(value, dict):  # a table, such as the one of known divergences
        yield from functions_reached(value, package, seen)
    elif within(type(value).__module__, package):  # a lazy property
        yield from functions_reached(getattr(value, "__dict__", {}), package, seen)


class NoFreshCopy(importlib.abc.MetaPathFinder):
    """importlib.reload would bring the functions back as they were."""

    def __init__(self, name: str):
        self.name = name

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:
        if within(fullname, self.name):
            raise ImportError(f"this assignment rules {self.name} out")
        return None
