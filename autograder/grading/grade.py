"""grade(): one submission, one report. Everything that grades anything calls this.

The order is the design: results that say "not run" come first; then torch, the submission's files as bytes, and the
sandbox; only after the sandbox has been forked does this process read tests, solutions and the course secret.
"""

import gc
import hashlib
import hmac
import importlib
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from autograder.course import HIDDEN_TESTS, MISCONCEPTIONS, ROOT, SECRET, Assignment, load_assignment
from autograder.grading.results import Report, TestResult, expected_tests

if TYPE_CHECKING:  # for annotations only: what these import comes after the sandbox
    from autograder.grading.exercise import Exercise, Runner
    from autograder.grading.explain import Explainer
    from autograder.grading.submission import Submission
    from autograder.sandbox.client import Sandbox
    from autograder.sandbox.isolation import Limits

TOTAL_SECONDS = 480  # of a whole grade: Gradescope's own limit is ten minutes
NOT_RUN_AFTER_TIMEOUT = "Not run: an earlier test of this exercise already ran out of time."


def grade(
    slug: str,
    path: Path,
    *,
    output: Path | None = None,
    submission_id: str | None = None,
    student_number: str | None = None,
    only: frozenset[str] | None = None,
    without: frozenset[str] = frozenset(),
    slots: int = 2,
    limits: "Limits | None" = None,
    progress: Callable[[TestResult], None] = lambda test: None,
) -> Report:
    """Grade one submission. Call it in a process that has not read hidden tests, and only once in it.

    Args:
        slug: the assignment.
        path: a folder, a .zip, a .py or an .ipynb.
        output: where results.json goes; it exists, complete, from the first second.
        submission_id: keys the inputs; the default is the path's name.
        student_number: for assignments whose data are made from it; the default is the one that the submission states.
            Where there is none, it is the key of the inputs: with the same id, the same everywhere.
        only: grade these exercises and leave the others out of the report.
        without: isolation layers to switch off (benchmarks and tests).
        slots: how many looks may be taken at once; a batch that keeps every core busy anyway takes one.
        limits: of a look, if not the usual ones (tests).
        progress: called after each test.
    Raises:
        CourseError: if the assignment itself is not in order. A submission never raises.
    """
    started = time.monotonic()
    assignment = load_assignment(slug)
    submission_id = submission_id or path.resolve().stem
    if output:
        in_a_child(lambda: Report(assignment, submission_id, expected_tests(assignment)).write(output))

    single_threaded()
    from autograder.grading.submission import understand
    from autograder.grading.upload import collect
    from autograder.sandbox.client import Sandbox, isolation

    files = collect(path)
    at_once, deadline = min(slots, os.cpu_count() or 1), started + TOTAL_SECONDS
    with Sandbox(assignment.given, ROOT, at_once, limits or isolation.Limits(), without, deadline) as sandbox:
        layers = sandbox.layers
        private = [HIDDEN_TESTS / slug, MISCONCEPTIONS / slug, assignment.solutions, SECRET]
        if reason := isolation.exposed(layers, private):
            layers.missing["closed files"] = reason
        submission = understand(files, assignment, sandbox)
        tests = [test for test in expected_tests(assignment) if only is None or test.exercise.id in only]
        report = Report(assignment, submission_id, tests, list(submission.notes))
        run_tests(report, submission, student_number, sandbox, deadline, progress)
        report.extra |= {
            "isolation": {"active": layers.active, "missing": layers.missing},
            "files": submission.taken,
            "looks": dict(sandbox.taken),
            "versions": versions(),
        }
    report.seconds = time.monotonic() - started
    report.extra["seconds"] = round(report.seconds, 3)
    if output:
        report.write(output)
    return report


def run_tests(
    report: Report,
    submission: "Submission",
    student_number: str | None,
    sandbox: "Sandbox",
    deadline: float,
    progress: Callable[[TestResult], None],
) -> None:
    from autograder.course import course, course_secret
    from autograder.grading.explain import Budget, Explainer
    from autograder.grading.runner import Reference, SandboxRunner

    key = hmac.new(course_secret(), report.submission_id.encode(), hashlib.sha256).digest()
    report.extra["key"] = hashlib.sha256(key).hexdigest()[:16]
    used = student_number or submission.student_number or report.extra["key"]
    report.extra["student_number"] = {"used": used, "stated": submission.student_number}
    reference = Reference(report.assignment)
    runner = SandboxRunner(sandbox, reference, key, used)
    classes = load_hidden_tests(report.assignment)
    explainer = Explainer(
        reference, runner, lambda test, where: attempt(classes[test.class_name], test, where), Budget(), course().hints
    )

    files: dict[str, list[list[TestResult]]] = {}
    for tests in filter(None, report.by_exercise().values()):
        files.setdefault(tests[0].exercise.module, []).append(tests)

    def file(exercises: list[list[TestResult]]) -> None:
        for tests in exercises:
            run_exercise(tests, classes, runner, explainer, submission, deadline, progress)

    with ThreadPoolExecutor(sandbox.slots) as pool:  # a slot for a file, since the looks at a file share a process
        list(pool.map(file, files.values()))
    report.tell_once()
    if explainer.budget.spent:
        report.extra["repair_seconds"] = [round(seconds, 2) for seconds in explainer.budget.spent]


def run_exercise(
    tests: list[TestResult],
    classes: dict[str, type],
    runner: "Runner",
    explainer: "Explainer",
    submission: "Submission",
    deadline: float,
    progress: Callable[[TestResult], None],
) -> None:
    """All tests of one exercise in their order; a function that hangs is not tried again."""
    from autograder.grading.explain import Ran

    timed_out = False
    runs: list[Ran] = []
    for test in tests:
        refusal = submission.refusals.get(test.exercise.id) or submission.refusals.get(f"{test.exercise.module}.py")
        if refusal:
            test.failed(refusal, "refused")
        elif timed_out or time.monotonic() > deadline:
            test.failed(NOT_RUN_AFTER_TIMEOUT if timed_out else "Not run: the grade took too long.", "not run")
        else:
            started = time.monotonic()
            case, error = run_test(classes[test.class_name], test, runner)
            failure = failure_of(error)
            timed_out = failure == "time"
            if error is None:
                test.passed()
            elif isinstance(error, AssertionError):
                said = submission.explained(str(error), test.exercise, failure in ("exception", "wrong value"))
                test.failed(said, failure or "wrong value")
            else:
                # A stranger's value that a test did not foresee, or our own mistake: no points, and said as it is.
                test.failed(f"What your code returned could not be checked ({type(error).__name__}).", "wrong value")
                report_internal(error)
            runs.append(Ran(test, case, error, time.monotonic() - started))
        progress(test)
    if time.monotonic() > deadline:
        return
    try:
        explainer.explain(runs)
    except Exception as error:
        report_internal(error)


def run_test(kind: type, test: TestResult, runner: "Runner") -> "tuple[Exercise, Exception | None]":
    """One test with the shared runner; if it fails there, once more with a process for each look, and that counts.

    So what earlier looks at a file left behind in their process costs nobody points.
    """
    shared = runner.shared(test.exercise.module)
    case, error = attempt(kind, test, shared)
    if error is None or shared is runner or failure_of(error) == "unfinished":
        return case, error
    return attempt(kind, test, runner)


def attempt(kind: type, test: TestResult, runner: "Runner") -> "tuple[Exercise, Exception | None]":
    """One test, once."""
    case = kind(test.method)
    case.runner, case.module = runner, test.exercise.module
    try:
        case.setUp()
        getattr(case, test.method)()
        case.tearDown()
    except Exception as error:
        return case, error
    return case, None


def failure_of(error: Exception | None) -> str | None:
    """Why a test failed, in a word or two for statistics over a class (TestResult.failure)."""
    failure = getattr(error, "failure", None)
    if failure is None:
        return None if error is None else "wrong value"
    return "unfinished" if failure.unfinished else failure.kind


def load_hidden_tests(assignment: Assignment) -> dict[str, type]:
    """Import the hidden tests: {class name: class}."""
    import cloudpickle

    classes: dict[str, type] = {}
    for student_file in assignment.modules:  # each a package, whose files import from each other relatively
        room = f"hidden_{assignment.slug}_{student_file}"
        for name in [name for name in sys.modules if name.startswith(f"{room}.")]:
            del sys.modules[name]
        files = assignment.tests_files(student_file)
        sys.modules[room] = package = ModuleType(room)
        package.__path__ = [str(files[0].parent)]
        cloudpickle.register_pickle_by_value(package)  # and what is inside of it
        for path in files:
            module = importlib.import_module(f"{room}.{path.stem}")
            classes |= {
                n: c for n, c in vars(module).items() if isinstance(c, type) and c.__module__ == module.__name__
            }
    return classes


def single_threaded() -> None:
    """A process that has run a parallel operation of torch must not be forked: its child would hang at its first."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    os.environ |= {"CUDA_VISIBLE_DEVICES": "", "TQDM_DISABLE": "1"}  # no GPU and no progress bars while grading
    collecting = gc.isenabled()
    gc.disable()  # torch makes half a million objects that stay: to look for garbage among them is a waste of time,
    import torch

    gc.freeze()  # now and ever after
    if collecting:
        gc.enable()
    torch.set_num_threads(1)


def in_a_child(work: Callable[[], None]) -> None:
    """Do something in a process of its own, so that nothing that it read stays in this one's memory."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        if status:
            expected = "the message above says why"
            raise SystemExit(f"grading could not start: {expected}")
        return
    status = 1
    try:
        work()
        status = 0
    except Exception as error:
        print(f"{error}", file=sys.stderr, flush=True)
    finally:
        os._exit(status)


def report_internal(error: Exception) -> None:
    """For the TA's log, never for the student."""
    import traceback

    traceback.print_exception(error, file=sys.stderr)


def versions() -> dict[str, str]:
    import platform

    import torch

    return {"python": platform.python_version(), "torch": torch.__version__}
