"""The reference with one thing done differently: wrongly (a misconception) or rightly (an alternative).

autograder/misconceptions/<slug>/ holds the wrong answers that students really give, as data: one file for each
student file, same name. autograder/alternatives/<slug>/ holds right answers that look different, in the same form:

    @wrong("Q1.4", "kl_gaussian_gaussian_analytic")
    def swaps_q_and_p(mu_q, logvar_q, mu_p, logvar_p):
        \"\"\"This is KL(p || q): q and p are swapped.\"\"\"
        ...

The function's name names the variant, its docstring is a sentence (a misconception's is what the student reads),
its body is the answer. It takes the place of the target ("function" or "Class.method") in the reference's file, so
it may use all that the reference's file imports and defines, and nothing else of its own file (import inside the
body what is missing there).
"""

import ast
import importlib.util
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from autograder.course import Assignment


@dataclass(frozen=True)
class Variant:
    name: str
    exercise: str  # "Q1.4"
    target: str  # "kl_gaussian_gaussian_analytic" or "DenoiseDiffusion.loss"
    sentence: str
    module: str  # the student's file, without .py
    body: str  # source of the function

    def applied_to(self, source: str) -> str:
        """The reference's source with this variant in the place of its target."""
        return f"{source}\n\n{self.body}\n\n{self.target} = {self.name}\n"


def wrong(exercise: str, target: str) -> Callable:
    """Mark a function as a misconception of an exercise."""

    def mark(function: Callable) -> Callable:
        function.variant_of = (exercise, target)
        return function

    return mark


right = wrong  # in autograder/alternatives the same mark means that the answer is right


def load_variants(path: Path, module: str = "") -> tuple[Variant, ...]:
    """All variants written in one file, in their order; none where there is no such file.

    Args:
        path: the file with the variants.
        module: the student file that they are about, where it has another name.
    """
    if not path.exists():
        return ()
    spec = importlib.util.spec_from_file_location(f"variants_{path.parent.name}_{path.stem}", path)
    namespace = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(namespace)
    found = []
    for name, function in vars(namespace).items():
        if hasattr(function, "variant_of"):
            exercise, target = function.variant_of
            source = textwrap.dedent(inspect.getsource(function))
            mark_ends = ast.parse(source).body[0].decorator_list[0].end_lineno  # other decorators belong to the body
            sentence = " ".join(inspect.getdoc(function).split())
            body = "".join(source.splitlines(keepends=True)[mark_ends:]).rstrip()
            found.append(Variant(name, exercise, target, sentence, module or path.stem, body))
    return tuple(found)


@cache
def misconceptions(assignment: Assignment, module: str) -> tuple[Variant, ...]:
    """What students get wrong in one file."""
    return load_variants(assignment.misconceptions_file(module), module)
