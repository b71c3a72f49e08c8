"""Do the hidden tests tell right from wrong? Grade every misconception and see.

Each misconception is a submission: the reference with one wrong function. It must lose points of its own exercise, keep
all others, and be explained by its own sentence.
"""

import contextlib
import math
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from autograder.course import Assignment, load_assignment
from autograder.farm import Verdict, verdict_of
from autograder.results import Report, expected_tests
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
    """Grade the reference with each of these lists of variants in it, in their order.

    They are ours, so there is nothing to isolate: the same hidden tests, all in one process, which is some ten times as
    fast. tests/test_accuracy.py sends some of them through the sandbox too.
    """
    from autograder.engine import load_hidden_tests, run_exercise, single_threaded

    single_threaded()  # before anything imports torch
    from autograder.desk import LocalDesk, Reference
    from autograder.reader import Submission

    assignment = load_assignment(slug)
    classes = load_hidden_tests(assignment)
    reference = Reference(assignment)
    for chosen in variants:
        only = reached(assignment, {variant.module for variant in chosen})
        tests = [test for test in expected_tests(assignment) if test.exercise.id in only]
        report = Report(assignment, "+".join(variant.name for variant in chosen), tests)
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):  # some answers write pictures
            desk = LocalDesk(reference, write_submission(assignment, Path(folder), chosen))
            for group in report.by_exercise().values():
                run_exercise(group, classes, desk, reference, Submission(), math.inf, lambda test: None)
        yield verdict_of(report)


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
