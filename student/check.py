"""How far you are: every exercise, still to do, wrong (and why), or right, by the public tests.

    python check.py                 everything, in .py files and in notebooks
    python check.py Q1.3 q2_ddpm    an exercise, a file
    python check.py lab.ipynb       what a notebook's cells define, and nothing else
    python check.py --watch         again whenever you save: it says what changed
    %check Q1.3                     the same in a notebook, with what its cells define

The public tests are small examples. The grader looks at more cases, with other numbers: all right here does not
promise full marks, something wrong here is wrong there too.
"""

import argparse
import contextlib
import io
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from student.answers import candidates, contents, importable, read
from student.assignment import Assignment, StudentError, find_assignment

TEST_SECONDS = 30  # of one public test; they take milliseconds
TODO, WAITING, WRONG, RIGHT, UNTESTED = "to do", "waiting", "wrong", "right", "no public test"
STYLES = {TODO: "yellow", WAITING: "yellow", WRONG: "bold red", RIGHT: "green", UNTESTED: "dim"}


@dataclass
class Row:
    """One exercise and what its public tests say."""

    exercise: str
    target: str
    passed: int = 0
    reasons: list[str] = field(default_factory=list)

    @property
    def state(self) -> str:
        if any(reason.startswith(f"{self.exercise} is still to do") for reason in self.reasons):
            return TODO
        if self.reasons:  # another exercise that this one calls may be the one that is to do
            return WAITING if all("is still to do" in reason for reason in self.reasons) else WRONG
        return RIGHT if self.passed else UNTESTED


def check(
    assignment: Assignment,
    only: list[str] | None = None,
    submission: Path | None = None,
    files: Mapping[str, bytes] | None = None,
    cells: Sequence[str] = (),
    say: Callable[[str], None] = lambda note: None,
) -> list[Row]:
    """Run the public tests in this process and return a row for each exercise, in the handout's order.

    Args:
        assignment: whose public tests.
        only: exercises ("Q1.3", "Q1") or files ("q1_vae"); everything by default.
        submission: the folder with the student's files; the assignment's own by default.
        files: where the answers stand, {name: bytes}; by default all that may hold some in the student's folder.
        cells: that were run in a notebook; what they define counts where the files leave it undone.
        say: called with what is to be known about where answers were found.
    Raises:
        StudentError: if something in `only` is unknown, or a file cannot be read.
    """
    chosen = choose(assignment, only or [])
    rows = {exercise: Row(exercise, assignment.exercises[exercise]) for exercise in chosen}
    folder = submission or assignment.folder
    answers = read(assignment, contents(candidates(assignment, folder)) if files is None else files, cells)
    for note in answers.notes:
        say(note)
    collector = Collector(rows, answers.labels)
    folders = [assignment.folder, *([submission] if submission else [])]
    modules = {name.removesuffix(".py") for name in assignment.files}
    printed = io.StringIO()
    with (
        fresh_modules(folders, modules),
        importable(answers),
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
    ):
        status = run_pytest(assignment.folder / "public_tests", collector, submission)
    if status == 2:
        raise StudentError("stopped.")
    if status > 2:  # 0: all passed, 1: some failed; the rest is about pytest itself
        raise StudentError(f"The public tests could not be run:\n{printed.getvalue()[-2000:]}")
    return list(rows.values())


def choose(assignment: Assignment, only: list[str]) -> list[str]:
    """The exercises that are meant, in the handout's order."""
    chosen = set()
    for wanted in only:
        name = wanted.removesuffix(".py").lower()
        found = {
            exercise
            for exercise, target in assignment.exercises.items()
            if re.match(rf"{re.escape(name)}(?!(?<=\d)\d)", exercise.lower())  # Q2 means Q2.1, not Q20
            or target.lower().split(".")[0] == name
            or target.lower().split(".")[-1] == name
        }
        if not found:
            files = " ".join(file.removesuffix(".py") for file in assignment.files)
            raise StudentError(f"There is no exercise {wanted}. There are: {' '.join(assignment.exercises)}; {files}.")
        chosen |= found
    return [exercise for exercise in assignment.exercises if not only or exercise in chosen]


class Collector:
    """A pytest plugin: chooses the tests of the wanted exercises, and keeps what they say."""

    def __init__(self, rows: dict[str, Row], labels: Collection[str] = ()):
        self.labels = labels
        # The longest name first: test_q3_10_loss belongs to Q3.10.
        keys = {f"test_{exercise.lower().replace('.', '_')}_": row for exercise, row in rows.items()}
        self.keys = dict(sorted(keys.items(), key=lambda item: -len(item[0])))

    def row_of(self, test: str) -> Row | None:
        return next((row for key, row in self.keys.items() if test.startswith(key)), None)

    def pytest_collection_modifyitems(self, items: list) -> None:
        items[:] = [item for item in items if self.row_of(item.name)]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item):
        """A test that never ends is ended, where the system has alarms: after so long computing, or waiting."""
        if not hasattr(signal, "SIGALRM"):
            return (yield)

        def stop(*_):
            raise TimeoutError(f"It did not finish within {TEST_SECONDS} seconds: is there a loop without an end?")

        before = {kind: signal.signal(kind, stop) for kind in (signal.SIGVTALRM, signal.SIGALRM)}
        signal.setitimer(signal.ITIMER_VIRTUAL, TEST_SECONDS)  # a busy machine makes nothing wrong
        signal.setitimer(signal.ITIMER_REAL, 10 * TEST_SECONDS)
        try:
            return (yield)
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)
            for kind, handler in before.items():
                signal.signal(kind, handler)

    def pytest_runtest_logreport(self, report) -> None:
        row = self.row_of(report.nodeid.rpartition("::")[2])
        if row is None:
            return
        if report.passed:
            row.passed += report.when == "call"
        elif report.failed:
            reason = reason_of(report, self.labels)
            if reason not in row.reasons:
                row.reasons.append(reason)


def reason_of(report: Any, labels: Collection[str]) -> str:
    """A failure in one line: what the test says, or the exception and its last place in the student's files."""
    crash = getattr(report.longrepr, "reprcrash", None)
    if not crash:
        return str(report.longrepr).strip().splitlines()[-1]
    message = crash.message.splitlines()[0].removeprefix("AssertionError: ").removeprefix("Failed: ")
    frames = [entry.reprfileloc for entry in report.longrepr.reprtraceback.reprentries if entry.reprfileloc]
    own = [frame for frame in frames if str(frame.path).startswith(tuple(labels)) and labels]
    return f"{hint_of(message)} ({own[-1].path}, line {own[-1].lineno})" if own else message


def hint_of(message: str) -> str:
    """A message of torch's about memory, with what it usually means."""
    if "can't allocate memory" in message or "not enough memory" in message or "out of memory" in message:
        return "It asks for an enormous tensor: were two shapes broadcast, (B,) with (B, 1), say?"
    return message


def run_pytest(tests: Path, collector: Collector, submission: Path | None) -> int:
    before = os.environ.get("SUBMISSION")
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # other packages' plugins cost time, and change nothing here
    if submission:
        os.environ["SUBMISSION"] = str(submission)
    try:
        quiet = [f"-pno:{name}" for name in ("cacheprovider", "terminal", "unraisableexception", "threadexception")]
        quiet += ["--import-mode=importlib", "--rootdir", str(tests)]
        status = pytest.main([*quiet, "-c", os.devnull, str(tests)], plugins=[collector])
    finally:
        if submission:
            os.environ.pop("SUBMISSION")
            os.environ |= {"SUBMISSION": before} if before else {}
    return 0 if status == pytest.ExitCode.NO_TESTS_COLLECTED else int(status)


@contextlib.contextmanager
def fresh_modules(folders: list[Path], more: Collection[str] = ()) -> Iterator[None]:
    """Import the modules of some folders anew, as a new process would; afterwards all is as it was before.

    A notebook has the student's modules loaded already, perhaps half updated. It also has a random state to keep.
    """
    import torch

    names = ({path.stem for folder in folders for path in folder.glob("*")} | set(more)) - KEPT
    places = tuple(f"{place}{os.sep}" for folder in folders for place in (folder.absolute(), folder.resolve()))

    def ours() -> dict:
        found = {}
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None) or ""
            inside = file.startswith(places) and "site-packages" not in file  # an environment may well lie in there
            if name.partition(".")[0] in names or (inside and name.partition(".")[0] not in KEPT):
                found[name] = module
        return found

    path, kept = list(sys.path), ours()
    for name in kept:
        del sys.modules[name]
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # two saves within a second look alike to Python
    try:
        with torch.random.fork_rng():
            yield
    finally:
        sys.dont_write_bytecode = written
        for name in ours():
            del sys.modules[name]
        sys.modules.update(kept)
        sys.path[:] = path


# Given packages: in a release they lie in the assignment's folder.
KEPT = {"student", "training", "data_loaders", "autograder"}


def markdown(title: str, rows: list[Row]) -> str:
    """The table as Markdown, for the summary of a job on GitHub."""

    def cell(text: str) -> str:
        return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")

    lines = [f"### {title}", "", "| exercise | what | state | why |", "| --- | --- | --- | --- |"]
    for row in rows:
        why = "" if row.state == TODO else "; ".join(row.reasons)
        lines.append(f"| {row.exercise} | `{row.target.partition('.')[2]}` | {row.state} | {cell(why)} |")
    return "\n".join([*lines, "", f"{counted(rows)}.", ""])


def counted(rows: list[Row]) -> str:
    """3 to do, 1 wrong, 9 right"""
    counts = {state: sum(row.state == state for row in rows) for state in STYLES}
    return ", ".join(f"{count} {state}" for state, count in counts.items() if count)


def show(rows: list[Row], width: int | None = None) -> None:
    """Print the table."""
    from rich.console import Console, Group
    from rich.table import Table
    from rich.text import Text

    table = Table("exercise", "what", "state", "why", box=None, header_style="bold", pad_edge=False)
    for row in rows:
        why = "" if row.state == TODO else "\n".join(row.reasons)
        table.add_row(row.exercise, row.target.partition(".")[2], Text(row.state, style=STYLES[row.state]), Text(why))
    Console(width=width, highlight=False).print(Group(table, Text(counted(rows))))


def say(note: str) -> None:
    print(f"note: {note}")


def is_place(text: str, assignment: Assignment) -> bool:
    """Whether something that was typed is a file that holds answers, not the name of an exercise or of a file to do.

    Raises:
        StudentError: if it can only be a file, and there is none.
    """
    if text.endswith(".ipynb") or (text.endswith(".py") and Path(text).name not in assignment.files):
        if not Path(text).is_file():
            raise StudentError(f"There is no file {text}.")
        return True
    return False


def watch(assignment: Assignment, only: list[str], submission: Path | None, named: list[Path], rounds: int = 0) -> int:
    """Check, then again after every save, and say what has changed. Until Ctrl-C, or for so many saves.

    The first to be checked are the exercises of the file that was saved.
    """
    folder = submission or assignment.folder
    known: dict[str, tuple[str, list[str]]] = {}
    stamps: dict[Path, int] = {}

    def tell(rows: list[Row], all_of_them: bool) -> None:
        changed = [row for row in rows if known.get(row.exercise) != (row.state, row.reasons)]
        known.update({row.exercise: (row.state, row.reasons) for row in rows})
        if all_of_them or changed:
            show(rows if all_of_them else changed)

    try:
        while True:
            now = {path: path.stat().st_mtime_ns for path in named or candidates(assignment, folder).values()}
            saved = [path for path in now if stamps.get(path) != now[path]] + [p for p in stamps if p not in now]
            first, stamps = not stamps, now
            if saved:
                files = contents({path.name: path for path in named}) if named else None
                if not first:
                    print(f"\n{time.strftime('%H:%M:%S')}  {', '.join(path.name for path in saved)} saved", flush=True)
                    theirs = [e for path in saved for e in assignment.in_file(path.name)]
                    theirs = [e for e in theirs if e in choose(assignment, only)]
                    if theirs:
                        tell(check(assignment, theirs, submission, files), all_of_them=False)
                rows = check(assignment, only, submission, files)
                tell(rows, all_of_them=first)
                if not first:
                    print(counted(rows), flush=True)
                    rounds -= 1
                    if rounds == 0:
                        return 0
            time.sleep(0.1)
    except KeyboardInterrupt:
        print()
        return 0


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="check.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "only",
        nargs="*",
        metavar="WHAT",
        help="an exercise (Q1.3), a question (Q1), a file to complete (q1_vae); or a notebook that holds answers",
    )
    parser.add_argument("--watch", action="store_true", help="check again whenever you save, until Ctrl-C")
    parser.add_argument(
        "--assignment", type=Path, default=Path.cwd(), help="the assignment's folder (default: this one)"
    )
    parser.add_argument("--submission", type=Path, help="the folder with your files, where it is another one")
    parser.add_argument(
        "--markdown", action="store_true", help="print a Markdown table, and fail only where something is wrong (CI)"
    )
    options = parser.parse_args(arguments)
    try:
        if options.submission and not options.submission.is_dir():
            raise StudentError(f"There is no folder {options.submission}.")
        submission = options.submission.resolve() if options.submission else None
        assignment = find_assignment(options.assignment)
        named = [Path(text) for text in options.only if is_place(text, assignment)]
        only = [text for text in options.only if not is_place(text, assignment)]
        files = contents({path.name: path for path in named}) if named else None
        choose(assignment, only)
        if options.watch:
            return watch(assignment, only, submission, named)
        rows = check(assignment, only, submission, files, say=say)
    except (StudentError, OSError) as error:
        print(f"check.py: {error}", file=sys.stderr)
        return 2
    if options.markdown:
        print(markdown(assignment.folder.name, rows))
        return 1 if any(row.state == WRONG for row in rows) else 0
    show(rows)
    return 0 if all(row.state in (RIGHT, UNTESTED) for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
