"""Do the hidden tests tell right from wrong? Grade every misconception and see.

Each misconception is a submission: the reference with one wrong function. It must lose points of its own exercise, keep
all others, and be explained by its own sentence.
"""

import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from autograder.course import Assignment, load_assignment
from autograder.farm import Verdict, grade_apart
from autograder.variants import Variant, misconceptions


def misconceptions_of(assignment: Assignment, only: str = "") -> list[Variant]:
    """All misconceptions of an assignment; `only` restricts them to an exercise, a file or a name."""
    every = [m for module in assignment.modules for m in misconceptions(assignment, module)]
    return [m for m in every if not only or only in (m.exercise, m.module, m.name)]


def write_submission(assignment: Assignment, folder: Path, variants: Iterable[Variant] = ()) -> Path:
    """The reference's student files in `folder`, with some variants in them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in assignment.files:
        source = (assignment.solutions / name).read_text(encoding="utf-8")
        for variant in variants:
            if f"{variant.module}.py" == name:
                source = variant.applied_to(source)
        (folder / name).write_text(source, encoding="utf-8")
    return folder


def grade_variants(slug: str, variants: list[list[Variant]]) -> Iterator[Verdict]:
    """Grade the reference with each of these lists of variants in it, in their order."""
    assignment = load_assignment(slug)

    def one(chosen: list[Variant]) -> Verdict:
        with tempfile.TemporaryDirectory() as folder:
            submission = write_submission(assignment, Path(folder) / "submission", chosen)
            return grade_apart(slug, submission, only=reached(assignment, {v.module for v in chosen}))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(one, variants)


def reached(assignment: Assignment, modules: set[str]) -> frozenset[str]:
    """The exercises that a change of some files can touch: theirs, and those of the files that import them."""
    for module in assignment.modules:  # in their order: a file imports earlier ones
        source = (assignment.solutions / f"{module}.py").read_text(encoding="utf-8")
        if any(re.search(rf"\b{changed}\b", source) for changed in modules):
            modules = modules | {module}
    return frozenset(spec.id for spec in assignment.exercises.values() if spec.module in modules)


def judge(variant: Variant, verdict: Verdict) -> str:
    """What is wrong with the tests, given the verdict on a misconception; empty when nothing is."""
    if variant.exercise not in verdict.failed:
        return "not caught"
    others = [exercise for exercise in verdict.failed if exercise != variant.exercise]
    if others:
        return f"also costs {', '.join(others)}"
    if variant.name not in verdict.explained_by:
        return f"not explained (said: {', '.join(dict.fromkeys(verdict.explained_by)) or 'nothing'})"
    return ""


def print_accuracy(slug: str, only: str = "") -> int:
    """Print one row a misconception. Returns how many are not as they should be."""
    variants = misconceptions_of(load_assignment(slug), only)
    problems = 0
    for variant, verdict in zip(variants, grade_variants(slug, [[v] for v in variants]), strict=True):
        problem = judge(variant, verdict)
        problems += bool(problem)
        mark, lost = "FAIL" if problem else "ok  ", sum(verdict.lost.values())
        print(f"{mark} {variant.exercise:6} {variant.name:45} -{lost:<5.2f} {problem}", flush=True)
        if problem:
            for output in verdict.outputs[:4]:
                print(f"            {output}")
    print(f"{len(variants)} misconceptions, {len(variants) - problems} caught, alone and explained")
    return problems
