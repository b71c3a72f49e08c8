"""Many grades, one after another or at once, each in a process of its own.

`grade()` may run only once in a process, and only in one that has read nothing secret. Python's own fork server gives
such processes cheaply: it imports torch once, and every grade is forked from it.
"""

import multiprocessing
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from autograder.grading.results import Report

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # inherited by the fork server: it must never run a parallel operation


@dataclass
class Verdict:
    """What became of one graded submission, without what cannot travel between processes."""

    name: str
    score: float
    lost: dict[str, float]  # exercise -> points lost
    failed: list[str]  # exercises with a failed test (those without points too)
    explained_by: list[str]
    outputs: list[str]  # of the failed tests
    notes: list[str]
    results: dict  # what results.json says


class GradeDied(RuntimeError):
    """The grader's own process ended without a report."""


@cache
def fork_server() -> multiprocessing.context.ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["autograder.grading.forkserver_preload"])
    return context


def apart(work: Callable, *arguments: Any, seconds: float = 900) -> Any:
    """`work(*arguments)` in a fresh process that has imported torch and nothing secret.

    Raises:
        GradeDied: if that process ends without an answer, or takes too long.
        Exception: whatever `work` raises.
    """
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = fork_server().Process(target=answer, args=(sender, work, arguments))
    process.start()
    sender.close()
    try:
        if not receiver.poll(seconds):
            raise GradeDied(f"grading took longer than {seconds:g} seconds")
        error, value = receiver.recv()
    except EOFError:
        process.join(5)
        raise GradeDied(f"the grading process ended without a report (exit status {process.exitcode})") from None
    finally:
        process.kill()
        process.join()
    if error:
        raise error
    return value


def answer(sender: Connection, work: Callable, arguments: tuple) -> None:
    try:
        sender.send((None, work(*arguments)))
    except Exception as error:
        sender.send((error, None))


def grade_apart(slug: str, path: Path, **options: Any) -> Verdict:
    """grade() in a process of its own."""
    return apart(grade_here, slug, path, options)


def grade_here(slug: str, path: Path, options: dict) -> Verdict:
    from autograder.grading.grade import grade

    return verdict_of(grade(slug, path, **options))


def verdict_of(report: Report) -> Verdict:
    groups = report.by_exercise()
    failed = [exercise for exercise, tests in groups.items() if any(t.status != "passed" for t in tests)]
    lost = {e: sum(t.max_score - t.score for t in groups[e]) for e in failed}
    wrong = [t for t in report.tests if t.status != "passed"]
    return Verdict(
        name=report.submission_id,
        score=report.score,
        lost=lost,
        failed=failed,
        explained_by=[t.misconception for t in wrong if t.misconception],
        outputs=[f"{t.output} {t.cause}".strip() for t in wrong],
        notes=report.notes,
        results=report.to_json(),
    )
