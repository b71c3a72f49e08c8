"""Wrong answers by the thousand: the reference with one small change, made by rule.

A misconception is a mistake that somebody foresaw. A mutant is one that nobody had to foresee: in a solution region one
sign, one constant, one `dim`, one call, one statement is another. Where the hidden tests do not notice, they are too
weak, or the change makes no difference that a right answer must make; then autograder/equivalents/<slug>.toml says why,
by the name of the student's file and the mutant's key:

    [q2_trainer_ddpm]
    "Trainer.sample: tqdm(..., leave=False) -> tqdm(..., leave=True)" = "Only the progress bar looks different."

`python -m autograder accuracy` grades them all.
"""

import ast
import textwrap
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from autograder.course import EQUIVALENTS, Assignment, CourseError, read_toml
from autograder.grading.variants import Variant
from autograder.regions import spans
from autograder.sandbox.operators import changes, imported


@dataclass(frozen=True)
class Mutant(Variant):
    """A variant that takes the place of its function's lines, so that closures, super() and decorators work."""

    key: str  # target and change, without the line: "log_mean_exp: y - maximum -> y + maximum"
    lines: tuple[int, int]  # of the function in the reference's file, first and last

    def applied_to(self, source: str) -> str:
        lines = source.splitlines(keepends=True)
        return "".join([*lines[: self.lines[0] - 1], f"{self.body}\n", *lines[self.lines[1] :]])


def mutants(assignment: Assignment, module: str) -> list[Mutant]:
    """All mutants of one student file, in the order of its lines."""
    return mutants_of((assignment.solutions / f"{module}.py").read_text(encoding="utf-8"), module)


def mutants_of(source: str, module: str) -> list[Mutant]:
    """All mutants of the solution regions of one file's source.

    The exercise of a mutant is that of its region; "" in a region without one, such as a helper of several exercises.
    """
    tree = ast.parse(source)
    found: list[Mutant] = []
    number: Counter[str] = Counter()
    modules = imported(tree)
    for first, last, exercise in spans(source):
        for target, function in functions(tree):
            start = min([function.lineno, *(d.lineno for d in function.decorator_list)])
            end = function.end_lineno or start
            if start > last or end < first:
                continue
            seen = {ast.unparse(function)}
            for line, before, after, body in changes(function, range(first, last + 1), modules):
                number[target] += 1
                if body in seen:
                    continue
                seen.add(body)
                sentence = f'{target}, line {line}: "{before}" becomes "{after}"'
                body = textwrap.indent(body, " " * function.col_offset)
                key = f"{target}: {before} -> {after}"
                lines = start, end
                name = f"{target}:{number[target]}"
                found.append(Mutant(name, exercise, target, sentence, module, body, start, key, lines))
    return numbered([mutant for mutant in found if compiles(mutant.applied_to(source))])


def numbered(found: list[Mutant]) -> list[Mutant]:
    """With keys that are unique: the second mutant of one key gets "#2"."""
    seen: Counter = Counter()
    result = []
    for mutant in found:
        seen[mutant.key] += 1
        key = mutant.key if seen[mutant.key] == 1 else f"{mutant.key} #{seen[mutant.key]}"
        result.append(Mutant(**vars(mutant) | {"key": key}))
    return result


def compiles(source: str) -> bool:
    try:
        compile(source, "mutant", "exec")
    except (SyntaxError, ValueError):
        return False
    return True


def functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    """The functions of a file and the methods of its classes, by name; what they define inside belongs to them."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from ((f"{node.name}.{d.name}", d) for d in node.body if isinstance(d, ast.FunctionDef))


# ---------------------------------------------------------------- mutants that make no difference


def equivalents(assignment: Assignment, module: str) -> dict[str, str]:
    """{key of a mutant: why no test can tell it from the reference}; two files that share tests share these too.

    Raises:
        CourseError: if the file names a student file that the assignment does not have.
    """
    slug, _, name = assignment.same_as.get(module, f"{assignment.slug}/{module}").partition("/")
    path = EQUIVALENTS / f"{slug}.toml"
    if not path.exists():
        return {}
    data = read_toml(path)
    if slug == assignment.slug and (unknown := set(data) - set(assignment.modules)):
        raise CourseError(f"autograder/equivalents/{slug}.toml has {', '.join(sorted(unknown))}: no such student file.")
    return data.get(name, {})
