"""Our own answers, graded by the hundred: hidden tests and answers meet in one process.

There is nothing to isolate, and it is some ten times as fast as the sandbox. tests/test_accuracy.py sends some of them
through the sandbox too.
"""

import contextlib
import math
import os
import re
import resource
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from autograder.course import Assignment, load_assignment
from autograder.grading.forkserver import Verdict, fork_server, verdict_of
from autograder.grading.results import Report, TestResult, expected_tests
from autograder.grading.variants import Variant
from autograder.quality.mutants import Mutant

if TYPE_CHECKING:
    from autograder.grading.repair import Budget
    from autograder.grading.runner import LocalRunner

WORKERS = 2  # processes at once
TEST_SECONDS = 10  # of computing, that one test may take; the sandbox gives one look of it 5
effects: set[str] = set()  # names of made answers that behaved otherwise than the reference, in this process
MEMORY = 4 << 30  # bytes that a test may allocate on top of what the worker holds


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


def reached(assignment: Assignment, modules: set[str]) -> frozenset[str]:
    """The exercises that a change of some files can touch: theirs, and those of the files that import them."""
    for module in assignment.modules:  # in their order: a file imports earlier ones
        source = (assignment.solutions / f"{module}.py").read_text(encoding="utf-8")
        if any(re.search(rf"\b{changed}\b", source) for changed in modules):
            modules = modules | {module}
    return frozenset(spec.id for spec in assignment.exercises.values() if spec.module in modules)


class TooLong(BaseException):
    """A test ran out of time. No Exception, so that no answer and no look catches it."""


@dataclass(frozen=True)
class Kill:
    """The first hidden test that fails on a mutant."""

    test: str  # its number
    how: str  # "value": what came back is wrong; "error": the code raised; "time"; "import"


@dataclass(frozen=True)
class Fate:
    """What the hidden tests make of an answer that a rule made (autograder/quality/degenerate.py)."""

    applies: bool  # whether it ever behaved otherwise than the reference
    kill: Kill | None  # the first test that fails on it
    earned: tuple[str, ...]  # the tests of its own exercise that pass


class Bench:
    """An assignment's hidden tests and reference, loaded once, and what can be measured with them."""

    def __init__(self, slug: str):
        from autograder.grading.grade import load_hidden_tests, single_threaded

        single_threaded()  # before anything imports torch
        from autograder.grading.runner import Reference

        self.assignment = load_assignment(slug)
        self.every = expected_tests(self.assignment)
        self.run_by: dict[str, set[tuple[str, str]]] = {}  # test -> functions; as far as `find_out` was asked
        self.classes = load_hidden_tests(self.assignment)
        self.reference = Reference(self.assignment)

    @contextlib.contextmanager
    def runner(self, variants: list[Variant]) -> "Iterator[LocalRunner]":
        """Who looks at the reference with these variants in it."""
        from autograder.grading.runner import LocalRunner

        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):  # some answers write pictures
            yield LocalRunner(self.reference, write_submission(self.assignment, Path(folder), variants))

    def tests(self, variants: list[Variant]) -> list[TestResult]:
        """The tests that these variants can make a difference to.

        Their exercises' own, and those in which the reference runs what they take the place of. With the same key and
        seeds all others go as they go on the reference.
        """

        def concerns(test: TestResult, variant: Variant) -> bool:
            return test.exercise.id == variant.exercise or any(
                module == variant.module and f"{name}.".startswith(f"{variant.target}.")
                for module, name in self.run_by[test.number]
            )

        near = self.tests_near(variants)
        if variants:
            self.find_out(near)
            near = [test for test in near if any(concerns(test, variant) for variant in variants)]
        return [replace(test) for test in near]

    def tests_near(self, variants: list[Variant]) -> list[TestResult]:
        """The tests of the files that these variants are in, and of those that import them; without any, all tests."""
        only = reached(self.assignment, {variant.module for variant in variants})
        return [test for test in self.every if test.exercise.id in only or not variants]

    def find_out(self, tests: list[TestResult]) -> None:
        """Which functions of the student files, as (module, "Class.method"), these tests run on the reference."""
        from autograder.grading.grade import attempt

        if new := [test for test in tests if test.number not in self.run_by]:
            with self.runner([]) as runner:
                for test in new:
                    with functions_run(runner.folder) as self.run_by[test.number]:
                        attempt(self.classes[test.class_name], test, runner)

    def verdict(self, variants: list[Variant]) -> Verdict:
        """What a grade says of the reference with these variants in it."""
        return self.explained(variants)[0]

    def explained(
        self, variants: list[Variant], unknown: frozenset[str] | None = frozenset(), hints: str = "kind"
    ) -> "tuple[Verdict, Budget]":
        """The same where these misconceptions (None: all) are not known, and what the search for repairs took."""
        from autograder.grading.explain import Budget, Explainer
        from autograder.grading.grade import attempt, run_exercise
        from autograder.grading.submission import Submission

        report = Report(self.assignment, "+".join(variant.name for variant in variants), self.tests(variants))
        with self.runner(variants) as runner:
            explainer = Explainer(
                self.reference, runner, lambda test, where: attempt(self.classes[test.class_name], test, where),
                Budget(busy=100), hints, unknown,
            )  # fmt: skip
            for group in filter(None, report.by_exercise().values()):
                run_exercise(group, self.classes, runner, explainer, Submission(), math.inf, lambda test: None)
        return verdict_of(report), explainer.budget

    def kill(self, mutant: Mutant) -> Kill | None:
        """The first test that fails on a mutant, its own exercise's tests before all others; None if it survives."""
        tests = sorted(self.tests([mutant]), key=lambda test: test.exercise.id != mutant.exercise)
        try:
            with limited(), self.runner([mutant]) as runner:
                found = self.failures(tests, runner)
                return next(found, None)
        except (Exception, SystemExit, TooLong):
            return Kill(tests[0].number, "import")

    def fate(self, answer: Variant) -> Fate:
        """What the tests of its own exercise say of a degenerate or wrapped answer."""
        own = [test for test in self.tests([answer]) if test.exercise.id == answer.exercise]
        effects.discard(answer.name)
        try:
            with self.runner([answer]) as runner:
                kills = list(self.failures(own, runner))
        except (Exception, SystemExit, TooLong):
            return Fate(True, Kill(own[0].number, "import"), ())
        failed = {kill.test for kill in kills}
        earned = tuple(test.number for test in own if test.number not in failed)
        return Fate(bool(kills) or answer.name in effects, kills[0] if kills else None, earned)

    def false_alarms(self, variants: list[Variant], key: int) -> tuple[int, list[str]]:
        """How many tests ran on a right answer with the inputs of one key, and the numbers of those that failed."""
        tests = self.tests_near(variants)
        with self.runner(variants) as runner:
            runner.key, runner.student_number = f"key {key}".encode(), f"student {key}"
            return len(tests), [kill.test for kill in self.failures(tests, runner)]

    def failures(self, tests: list[TestResult], runner: "LocalRunner") -> Iterator[Kill]:
        for test in tests:
            case = self.classes[test.class_name](test.method)
            case.runner, case.module = runner, test.exercise.module
            try:
                with limited():
                    case.setUp()
                    getattr(case, test.method)()
                    case.tearDown()
            except TooLong:
                yield Kill(test.number, "time")
            except (Exception, SystemExit) as error:
                yield Kill(test.number, "error" if getattr(error, "failure", None) else "value")


@contextlib.contextmanager
def functions_run(folder: Path) -> Iterator[set[tuple[str, str]]]:
    """A set that fills with what is run of a folder's files: (module, "Class.method")."""
    found: set[tuple[str, str]] = set()
    inside = f"{folder}{os.sep}"

    def trace(frame: FrameType, event: str, argument: Any) -> None:
        code = frame.f_code
        if code.co_filename.startswith(inside):
            found.add((Path(code.co_filename).stem, code.co_qualname))

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield found
    finally:
        sys.settrace(before)


@contextlib.contextmanager
def limited():
    """Raises TooLong after TEST_SECONDS of computing, and again each second, lest something swallow it."""

    def stop(*_) -> None:
        raise TooLong

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, TEST_SECONDS, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def grade_variants(slug: str, variants: list[list[Variant]]) -> Iterator[Verdict]:
    """Grade the reference with each of these lists of variants in it, in their order, in this process."""
    bench = Bench(slug)
    for chosen in variants:
        yield bench.verdict(chosen)


class Pool:
    """Worker processes with an assignment's Bench in each; a bar on the terminal says how far they are."""

    def __init__(self, slug: str, workers: int = WORKERS):
        self.slug = slug
        self.executor = ProcessPoolExecutor(workers, fork_server(), initializer=start_worker, initargs=(slug,))

    def map(self, what: str, method: Callable, *arguments: list) -> list:
        """`method(bench, *one of each of the arguments)` for all of them, in their order."""
        outcomes = self.executor.map(work, [method] * len(arguments[0]), *arguments)
        return list(
            tqdm(outcomes, f"{self.slug}: {what}", len(arguments[0]), disable=not sys.stderr.isatty(), leave=False)
        )

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, *exc) -> None:
        self.executor.shutdown(cancel_futures=True)


bench: Bench  # of this worker


def start_worker(slug: str) -> None:
    global bench
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):  # answers print, and so does what is below torch
        os.dup2(nowhere, stream)
    bench = Bench(slug)
    if Path("/proc/self/statm").exists():
        held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (held + MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))


def work(method: Callable, *arguments: Any) -> Any:
    return method(bench, *arguments)
