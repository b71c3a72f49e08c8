"""How well do the hidden tests tell right from wrong? Both errors, measured.

Wrong answers must lose points: every misconception (caught, nothing else hurt, explained by its own sentence), and
every mutant (autograder/mutants.py). Right answers must not: every alternative, and the reference with other inputs, as
every submission has its own.

All of it is our own code, so there is nothing to isolate: hidden tests and answers meet in one process, which is some
ten times as fast as the sandbox. tests/test_accuracy.py sends some of them through the sandbox too.
"""

import contextlib
import math
import os
import re
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from autograder.course import ROOT, Assignment, CourseError, load_assignment
from autograder.farm import Verdict, fork_server, verdict_of
from autograder.mutants import Mutant, equivalents, mutants
from autograder.results import Report, expected_tests
from autograder.variants import Variant, load_variants, misconceptions

ALTERNATIVES = ROOT / "tests" / "alternatives"
KEYS = 200  # other inputs that the reference is graded with
WORKERS = 2  # processes at once
TEST_SECONDS = 10  # of computing, that one test may take; the sandbox gives one look of it 5
MEMORY = 4 << 30  # bytes that a test may allocate on top of what the worker holds


def misconceptions_of(assignment: Assignment, only: str = "") -> list[Variant]:
    """All misconceptions of an assignment; `only` restricts them to an exercise, a file or a name."""
    every = [m for module in assignment.modules for m in misconceptions(assignment, module)]
    return [m for m in every if not only or only in (m.exercise, m.module, m.name)]


def alternatives_of(assignment: Assignment) -> list[list[Variant]]:
    """All alternatives in groups, each of which goes into one submission: no function has two in one group."""
    groups: list[list[Variant]] = []
    for module in assignment.modules:
        for variant in load_variants(ALTERNATIVES / assignment.slug / f"{module}.py", module):
            taken = (variant.module, variant.target)
            free = (group for group in groups if taken not in [(other.module, other.target) for other in group])
            group = next(free, None)
            if group is None:
                groups.append([variant])
            else:
                group.append(variant)
    return groups


def mutants_of(assignment: Assignment) -> list[Mutant]:
    return [mutant for module in assignment.modules for mutant in mutants(assignment, module)]


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


# ---------------------------------------------------------------- grading our own answers


class TooLong(BaseException):
    """A test ran out of time. No Exception, so that no answer and no look catches it."""


@dataclass(frozen=True)
class Kill:
    """The first hidden test that fails on a mutant."""

    test: str  # its number
    how: str  # "value": what came back is wrong; "error": the code raised; "time"; "import"


class Bench:
    """An assignment's hidden tests and reference, loaded once, and what can be measured with them."""

    def __init__(self, slug: str):
        from autograder.engine import load_hidden_tests, single_threaded

        single_threaded()  # before anything imports torch
        from autograder.desk import Reference

        self.assignment = load_assignment(slug)
        self.classes = load_hidden_tests(self.assignment)
        self.reference = Reference(self.assignment)

    @contextlib.contextmanager
    def desk(self, variants: list[Variant]):
        """Where the reference with these variants is looked at."""
        from autograder.desk import LocalDesk

        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):  # some answers write pictures
            yield LocalDesk(self.reference, write_submission(self.assignment, Path(folder), variants))

    def tests(self, variants: list[Variant]) -> list:
        only = reached(self.assignment, {variant.module for variant in variants})
        return [test for test in expected_tests(self.assignment) if test.exercise.id in only or not variants]

    def verdict(self, variants: list[Variant]) -> Verdict:
        """What a grade says of the reference with these variants in it."""
        from autograder.engine import run_exercise
        from autograder.reader import Submission

        report = Report(self.assignment, "+".join(variant.name for variant in variants), self.tests(variants))
        with self.desk(variants) as desk:
            for group in filter(None, report.by_exercise().values()):
                run_exercise(group, self.classes, desk, self.reference, Submission(), math.inf, lambda test: None)
        return verdict_of(report)

    def kill(self, mutant: Mutant) -> Kill | None:
        """The first test that fails on a mutant, its own exercise's tests before all others; None if it survives."""
        tests = sorted(self.tests([mutant]), key=lambda test: test.exercise.id != mutant.exercise)
        try:
            with limited(), self.desk([mutant]) as desk:
                found = self.failures(tests, desk)
                return next(found, None)
        except (Exception, SystemExit, TooLong):
            return Kill(tests[0].number, "import")

    def false_alarms(self, variants: list[Variant], key: int) -> tuple[int, list[str]]:
        """How many tests ran on a right answer with the inputs of one key, and the numbers of those that failed."""
        tests = self.tests(variants)
        with self.desk(variants) as desk:
            desk.key, desk.student_number = f"key {key}".encode(), f"student {key}"
            return len(tests), [kill.test for kill in self.failures(tests, desk)]

    def failures(self, tests: list, desk: Any) -> Iterator[Kill]:
        for test in tests:
            case = self.classes[test.class_name](test.method)
            case.desk, case.module = desk, test.exercise.module
            try:
                with limited():
                    case.setUp()
                    getattr(case, test.method)()
            except TooLong:
                yield Kill(test.number, "time")
            except (Exception, SystemExit) as error:
                yield Kill(test.number, "error" if getattr(error, "failure", None) else "value")


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


# ---------------------------------------------------------------- measuring, in processes of their own


class Pool:
    """Worker processes with an assignment's Bench in each; a bar on the terminal says how far they are."""

    def __init__(self, slug: str, workers: int = WORKERS):
        self.slug = slug
        self.executor = ProcessPoolExecutor(workers, fork_server(), initializer=start_worker, initargs=(slug,))

    def map(self, what: str, method: Callable, *arguments: list) -> list:
        """`method(bench, *one of each of the arguments)` for all of them, in their order."""
        name = method.__name__
        outcomes = self.executor.map(work, [name] * len(arguments[0]), *arguments)
        return list(
            tqdm(outcomes, f"{self.slug}: {what}", len(arguments[0]), disable=not sys.stderr.isatty(), leave=False)
        )

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, *exc) -> None:
        self.executor.shutdown(cancel_futures=True)


def start_worker(slug: str) -> None:
    global bench
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):  # answers print, and so does what is below torch
        os.dup2(nowhere, stream)
    bench = Bench(slug)
    if Path("/proc/self/statm").exists():
        held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (held + MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))


def work(method: str, *arguments: Any) -> Any:
    return getattr(bench, method)(*arguments)


@dataclass
class FalseAlarms:
    """Hidden tests that ran on right answers, and those that failed."""

    tests: int = 0  # how many different ones
    runs: int = 0
    failures: list[str] = field(default_factory=list)  # of which answer, with which key, which test

    @property
    def bound(self) -> float:
        """The upper bound of the rate, at 95 % confidence: with no failure, 3 / runs."""
        return poisson_bound(len(self.failures)) / max(1, self.runs)


def poisson_bound(count: int) -> float:
    """The largest mean for which `count` or fewer events still have a probability of 5 %."""
    low, high = 0.0, 10.0 + 3 * count
    for _ in range(60):
        mean = (low + high) / 2
        likely = sum(math.exp(-mean + k * math.log(mean) - math.lgamma(k + 1)) for k in range(count + 1)) > 0.05
        low, high = (mean, high) if likely else (low, mean)
    return high


@dataclass
class Accuracy:
    """What was measured on one assignment."""

    assignment: Assignment
    misconceptions: list[tuple[Variant, Verdict]] = field(default_factory=list)
    mutants: list[tuple[Mutant, Kill | None]] = field(default_factory=list)
    argued: dict[str, dict[str, str]] = field(default_factory=dict)  # module -> {key: argument}
    alternatives: list[tuple[Variant, list[str]]] = field(default_factory=list)  # and what it is told, wrongly
    reference: FalseAlarms = field(default_factory=FalseAlarms)
    others: FalseAlarms = field(default_factory=FalseAlarms)  # of alternatives, with other keys
    seconds: float = 0.0

    def survivors(self) -> list[Mutant]:
        """Mutants that no test notices, and that nobody has argued about."""
        return [m for m, kill in self.mutants if kill is None and m.key not in self.argued.get(m.module, {})]

    def equivalent(self) -> list[tuple[Mutant, str]]:
        """Mutants that no test notices, each with the argument why none should."""
        alive = [m for m, kill in self.mutants if kill is None and m.key in self.argued.get(m.module, {})]
        return [(mutant, self.argued[mutant.module][mutant.key]) for mutant in alive]

    def stale(self) -> list[str]:
        """Arguments about mutants that do not exist, or that a test kills."""
        alive = {(m.module, m.key) for m, kill in self.mutants if kill is None}
        known = {(m.module, m.key) for m, _ in self.mutants}
        return [
            f"{module}: {key}: {'a test kills this mutant' if (module, key) in known else 'there is no such mutant'}"
            for module, arguments in self.argued.items()
            for key in arguments
            if (module, key) not in alive
        ]

    def problems(self) -> list[str]:
        """All that is not as it should be, one sentence each."""
        found = [f"misconception {v.name}: {said}" for v, verdict in self.misconceptions if (said := judge(v, verdict))]
        found += [f"mutant {m.name} survives: {m.module}.py: {m.sentence}" for m in self.survivors()]
        found += [f"equivalents/{self.assignment.slug}.toml: {entry}" for entry in self.stale()]
        found += [f"alternative {v.name}: {said[0]}" for v, said in self.alternatives if said]
        return found + [f"false alarm: {failure}" for failure in [*self.reference.failures, *self.others.failures]]


def refuse_wrong_reference(slug: str) -> None:
    """Nothing can be measured with a solution that its own tests refuse.

    Raises:
        CourseError: with what the tests say.
    """
    (verdict,) = grade_variants(slug, [[]])
    if verdict.outputs:
        said = "\n  ".join(verdict.outputs[:8])
        raise CourseError(f"the solutions of {slug} fail their own tests, {', '.join(verdict.failed)}:\n  {said}")


def measure(slug: str, keys: int = KEYS) -> Accuracy:
    """Everything about one assignment."""
    started = time.monotonic()
    assignment = load_assignment(slug)
    groups = alternatives_of(assignment)
    found = Accuracy(assignment, argued={module: equivalents(assignment, module) for module in assignment.modules})
    with Pool(slug) as pool:
        wrong = misconceptions_of(assignment)
        found.misconceptions = list(
            zip(wrong, pool.map("misconceptions", Bench.verdict, [[v] for v in wrong]), strict=True)
        )
        changed = mutants_of(assignment)
        found.mutants = list(zip(changed, pool.map("mutants", Bench.kill, changed), strict=True))
        alone = [[variant] for group in groups for variant in group]
        verdicts = pool.map("alternatives", Bench.verdict, alone)
        found.alternatives = [(v, verdict.outputs) for (v,), verdict in zip(alone, verdicts, strict=True)]
        found.reference = false_alarms(pool, [[]], keys)
        found.others = false_alarms(pool, groups, math.ceil(keys / 10))
    found.seconds = time.monotonic() - started
    return found


def false_alarms(pool: Pool, answers: list[list[Variant]], keys: int) -> FalseAlarms:
    """Grade right answers with the inputs of many keys."""
    cases = [(answer, key) for answer in answers for key in range(keys)]
    found = FalseAlarms()
    outcomes = pool.map("false alarms", Bench.false_alarms, *map(list, zip(*cases, strict=True))) if cases else []
    for (answer, key), (tests, failures) in zip(cases, outcomes, strict=True):
        found.tests = max(found.tests, tests)
        found.runs += tests
        name = "+".join(variant.name for variant in answer) or "the reference"
        found.failures += [f"{test} on {name}, key {key}" for test in failures]
    return found


# ---------------------------------------------------------------- for people


def print_misconceptions(slug: str, only: str) -> int:
    """Print one row a misconception. Returns how many are not as they should be."""
    variants = misconceptions_of(load_assignment(slug), only)
    if not variants:
        raise CourseError(f"{slug} has no misconception, exercise or file {only!r}.")
    refuse_wrong_reference(slug)
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
