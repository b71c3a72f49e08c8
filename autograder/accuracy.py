"""Do the hidden tests tell right from wrong? Grade every misconception and see.

Each misconception is a submission: the reference with one wrong function. It must lose points of its own exercise, keep
all others, and be explained by its own sentence (or by one that gives the same numbers).
"""

import os
import pickle
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.course import Assignment, load_assignment


@dataclass
class Verdict:
    """What became of one graded submission, without what cannot travel between processes."""

    name: str
    score: float
    lost: dict[str, float]  # exercise -> points lost
    failed: list[str]  # exercises with a failed test (those without points too)
    explained_by: list[str]
    outputs: list[str]
    notes: list[str]


def variants_of(assignment: Assignment) -> list:
    from autograder.variants import misconceptions

    return [m for name in assignment.files for m in misconceptions(assignment, name.removesuffix(".py"))]


def write_submission(assignment: Assignment, folder: Path, variants: Iterable = ()) -> Path:
    """The reference's student files in `folder`, with some variants in them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in assignment.files:
        source = (assignment.solutions / name).read_text(encoding="utf-8")
        for variant in variants:
            if f"{variant.module}.py" == name:
                source = variant.applied_to(source)
        (folder / name).write_text(source, encoding="utf-8")
    return folder


def grade_in_child(slug: str, path: Path, name: str = "", **options) -> Verdict:
    """grade() in a forked process, since it may be called only once in one. The parent needs nothing but torch."""
    return run_in_child(lambda: verdict_of(slug, path, name or path.name, options))


def verdict_of(slug: str, path: Path, name: str, options: dict) -> Verdict:
    from autograder.engine import grade

    report = grade(slug, path, **options)
    groups = report.by_exercise()
    failed = [exercise for exercise, tests in groups.items() if any(t.status != "passed" for t in tests)]
    lost = {e: sum(t.max_score - t.score for t in groups[e]) for e in failed}
    wrong = [t for t in report.tests if t.status != "passed"]
    explained = [t.misconception for t in wrong if t.misconception]
    return Verdict(name, report.score, lost, failed, explained, [t.output for t in wrong], report.notes)


def run_in_child(work: Callable):
    """The result of `work()`, called in a forked process that has imported torch and nothing secret."""
    from autograder.engine import single_threaded

    single_threaded()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reader)
            with os.fdopen(writer, "wb") as file:
                pickle.dump(work(), file)
            status = 0
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        data = file.read()
    os.waitpid(child, 0)
    if not data:
        raise RuntimeError("the grading process ended without a result")
    return pickle.loads(data)


def grade_misconceptions(slug: str, only: str = "") -> Iterator[tuple]:
    """Every misconception with its verdict; `only` restricts to an exercise, a file or a name."""
    assignment = load_assignment(slug)
    # Their sources are secret, so they are read in a child: this process must stay clean to fork graders from.
    for variant in run_in_child(lambda: variants_of(assignment)):
        if only and only not in (variant.exercise, variant.module, variant.name):
            continue
        with tempfile.TemporaryDirectory() as folder:
            path = write_submission(assignment, Path(folder) / variant.name, [variant])
            yield variant, grade_in_child(slug, path, variant.name)


def judge(variant, verdict: Verdict) -> str:
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
    problems = 0
    for variant, verdict in grade_misconceptions(slug, only):
        problem = judge(variant, verdict)
        problems += bool(problem)
        mark, lost = "FAIL" if problem else "ok  ", sum(verdict.lost.values())
        print(f"{mark} {variant.exercise:6} {variant.name:45} -{lost:<5.2f} {problem}", flush=True)
        if problem:
            for output in verdict.outputs[:4]:
                print(f"            {output}")
    return problems
