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
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

from autograder.course import Assignment, CourseError


@dataclass(frozen=True)
class Variant:
    name: str
    exercise: str  # "Q1.4"
    target: str  # "kl_gaussian_gaussian_analytic" or "DenoiseDiffusion.loss"
    sentence: str
    module: str  # the student's file, without .py
    body: str  # source of the function
    line: int  # of its definition, in its file

    def applied_to(self, source: str) -> str:
        """The reference's source with this variant in the place of its target."""
        return f"{source}\n\n{self.body}\n\n{self.target} = {self.name}\n"


def wrong(exercise: str, target: str) -> Callable:
    """Mark a function as a misconception of an exercise."""

    def mark(function: Callable) -> Callable:
        vars(function)["variant_of"] = (exercise, target)
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
    try:
        loader = SourceFileLoader(f"variants_{path.parent.name}_{path.stem}", str(path))
        namespace = ModuleType(loader.name)
        namespace.__file__ = str(path)
        loader.exec_module(namespace)
    except SyntaxError as error:
        raise CourseError(f"{place_of_content(path)}, line {error.lineno}: {error.msg}.") from None
    found = []
    for name, function in vars(namespace).items():
        if hasattr(function, "variant_of"):
            exercise, target = function.variant_of
            lines, line = inspect.getsourcelines(function)
            source = textwrap.dedent("".join(lines))
            head = ast.parse(source).body[0]
            assert isinstance(head, ast.FunctionDef)
            line += head.lineno - 1
            told = inspect.getdoc(function)
            if not told:
                raise CourseError(
                    f"{place_of_content(path)}, line {line}: {name} needs a docstring: the sentence that is told."
                )
            mark_ends = head.decorator_list[0].end_lineno  # other decorators belong to the body
            sentence = " ".join(told.split())
            body = "".join(source.splitlines(keepends=True)[mark_ends:]).rstrip()
            found.append(Variant(name, exercise, target, sentence, module or path.stem, body, line))
    return tuple(found)


@cache
def misconceptions(assignment: Assignment, module: str) -> tuple[Variant, ...]:
    """What students get wrong in one file.

    Raises:
        CourseError: if one has no sentence, or is about an exercise or a function that does not exist.
    """
    path = assignment.misconceptions_file(module)
    found = load_variants(path, module)
    defined = targets_of(assignment.solutions / f"{module}.py") if found else set()
    for variant in found:
        where = f"{place_of_content(path)}, line {variant.line}: {variant.name}"
        if variant.exercise not in assignment.exercises:
            raise CourseError(f"{where} is about {variant.exercise}, which is no exercise of {assignment.slug}.")
        if variant.target not in defined:
            solution = f"solutions/{assignment.slug}/{module}.py"
            raise CourseError(f"{where} takes the place of {variant.target}, which {solution} does not define.")
    return found


def targets_of(path: Path) -> set[str]:
    """The functions, classes and methods that a file defines: "f", "Class", "Class.method"."""
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}.{inner.name}" for inner in node.body if isinstance(inner, ast.FunctionDef)}
    return names


def place_of_content(path: Path) -> str:
    """A file of the content, from autograder/ on."""
    return "/".join(path.parts[-3:])
