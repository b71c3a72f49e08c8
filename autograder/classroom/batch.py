"""A class at a time: every submission of a folder graded, each in a process of its own, with a gradebook and a report.

    OUT/<id>.json   one submission's results, in Gradescope's schema, written in one step when its grade is complete
    OUT/grades.csv, OUT/report.html, OUT/students/<id>.html, and OUT/compare.csv with --compare
    OUT/rekeyed/<word>/<id>.json with --rekey: the same submissions, asked about other numbers

Whatever stops a batch, the next run grades only what is missing or has changed: every result carries a hash of all that
it depends on. This process reads no submission but its bytes; grades run in processes forked by forkserver.py.
"""

import difflib
import hashlib
import json
import multiprocessing
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from functools import cache
from importlib import metadata
from pathlib import Path

from autograder.classroom.roster import Entry, content_hash, read_roster
from autograder.course import ROOT, CourseError, course, course_secret, grading_files, load_assignment
from autograder.files import TEMPORARY, write_text
from autograder.grading import forkserver
from autograder.grading.results import Report, expected_tests

ATTEMPTS = 2
LIBRARIES = ("torch", "torchvision", "numpy", "cloudpickle", "safetensors", "matplotlib", "pyseccomp", "sympy", "scipy")


@dataclass(frozen=True)
class Task:
    """One grade: all that a worker needs, here or on another machine."""

    slug: str
    id: str
    path: str
    key: str  # hash of the submission and of all that grades it
    only: frozenset[str] | None = None
    slots: int = 1
    scratch: str = ""
    word: str = ""  # changes the numbers that are asked about, as another id would

    @property
    def keyed_by(self) -> str:
        """For `grade --id`."""
        return f"{self.id}#{self.word}" if self.word else self.id


def batch(
    slug: str,
    folder: Path,
    output: Path,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    compare: Path | None = None,
    only: frozenset[str] | None = None,
    students: list[str] | None = None,
    extensions: Path | None = None,
    overrides: Path | None = None,
    slip_days: Path | None = None,
    rekey: str = "",
    earlier: list[Path] | None = None,
    anonymous: bool = False,
    say: Callable[[str], None] = print,
) -> int:
    """Grade a class. Returns the command's exit status: 0, 1 where a submission could not be graded, 130 after Ctrl-C.

    Args:
        only: these exercises; an OUT holds grades of the same exercises for everybody.
        students: ids of the submissions to grade; the gradebook keeps what OUT holds of the others.
        extensions, overrides, slip_days: tables of what people decided (decisions.py); without them extensions.csv,
            overrides.csv and slip_days.csv in OUT, where there are such files.
        rekey: a word; everybody is also graded on other numbers, and whose points differ is flagged.
        earlier: folders of earlier years' submissions, for similarity.
        anonymous: write the report and the pages once more without names, to OUT/anonymous.
    Raises:
        CourseError: if the assignment, the folder, a choice or the scheduler is not in order.
    """
    from autograder.classroom import decisions, gradebook, pages, report

    assignment = load_assignment(slug)
    expected_tests(assignment)  # complains now, not once a submission
    course_secret()
    entries, notes = read_roster(folder)
    decided = decisions.read(output, assignment, entries, extensions, overrides, slip_days)
    notes += decided.notes
    for note in notes:
        say(note)
    chosen = choose_students(entries, students)
    refuse_other_exercises(output, entries, only)
    output.mkdir(parents=True, exist_ok=True)
    for left_over in output.glob(f"{TEMPORARY}*"):  # half a result, from a run that was killed
        left_over.unlink(missing_ok=True)

    workers = max(1, workers or os.cpu_count() or 1)
    slots = 2 if workers * 2 <= (os.cpu_count() or 1) else 1
    paths = {entry.id: entry for entry in entries}
    rooms = {"": output} | ({rekey: rekeyed_room(output, rekey)} if rekey else {})
    try:
        for word, room in rooms.items():
            tasks = [task_of(slug, entry, only, slots, word) for entry in chosen]
            open_tasks = [task for task in tasks if not is_current(room, task)]
            if len(open_tasks) < len(tasks):
                say(f"{len(tasks) - len(open_tasks)} are graded already and unchanged")
            started = time.monotonic()
            grades = on_cluster(open_tasks, scheduler) if scheduler else on_this_machine(open_tasks, workers)
            with closing(grades):
                for task, results in with_progress(grades, len(open_tasks)):
                    write_json(room / f"{task.id}.json", decided.amended(results, paths[task.id]))
            if open_tasks:
                seconds = time.monotonic() - started
                again = f" on other numbers ({word})" if word else ""
                say(f"{len(open_tasks)} graded{again} in {seconds:.1f} s ({seconds / len(open_tasks):.2f} s each)")
    except KeyboardInterrupt:
        say("\nStopped. What is graded is kept; the same command goes on from here.")
        return 130

    rows = []
    for entry in entries:
        path = output / f"{entry.id}.json"
        if entry not in chosen and not path.exists():
            continue
        old = json.loads(path.read_text(encoding="utf-8"))
        new = decided.amended(old, entry)  # what people decided may have changed since
        if new != old:
            write_json(path, new)
        rows.append(gradebook.Row(entry, new, other_numbers=rekeyed(output, task_of(slug, entry, only))))
    pairs, similarity_note = similar_pairs(assignment, rows, earlier or [])
    gradebook.add_flags(rows, pairs)
    zone = decided.policy.due.tzinfo if decided.policy else None
    gradebook.write_grades(output / "grades.csv", assignment, rows, zone)
    texts = forkserver.apart(pages.source_texts, [(row.entry.id, str(row.entry.path), row.files) for row in rows])
    for room in [output, *([output / "anonymous"] if anonymous else [])]:
        labels = pages.Labels(rows, hidden=room != output)
        pages.write_pages(room / "students", assignment, rows, labels, texts, zone)
        page = report.page(assignment, rows, pairs, [*notes, similarity_note], labels)
        write_text(room / "report.html", page)
    say(similarity_note)
    if compare:
        gradebook.compare(compare, output, rows, say)
    died = [row for row in rows if row.died]
    for row in died:
        say(f"NOT GRADED: {row.entry.id}: {row.died}")
    mean = sum(row.score for row in rows) / len(rows)
    points = rows[0].results["extra_data"]["max_score"]
    say(f"{len(rows)} submissions, mean {mean:.2f} of {points:g}: {output}/grades.csv, {output}/report.html")
    return 1 if died else 0


def choose_students(entries: list[Entry], ids: list[str] | None) -> list[Entry]:
    """The submissions with these ids; all of them without any.

    Raises:
        CourseError: if there is no such submission.
    """
    there = [entry.id for entry in entries]
    for id in ids or ():
        if id not in there:
            near = difflib.get_close_matches(id, there, n=3, cutoff=0.4) or there[:3]
            raise CourseError(f"There is no submission {id!r} among {len(there)}; there is {', '.join(near)}.")
    return [entry for entry in entries if not ids or entry.id in ids]


def refuse_other_exercises(output: Path, entries: list[Entry], only: frozenset[str] | None) -> None:
    """A grade of some exercises must not take the place of a whole one, nor stand beside one in a gradebook."""
    wanted = sorted(only) if only is not None else None
    for entry in entries:
        path = output / f"{entry.id}.json"
        with suppress(OSError, ValueError, KeyError, TypeError):
            held = json.loads(path.read_text(encoding="utf-8"))["extra_data"].get("only")
            if held != wanted:
                said = "all exercises" if held is None else ", ".join(held)
                raise CourseError(f"{output} holds grades of {said}: give --output another folder for other exercises.")


# ---------------------------------------------------------------- what is graded already


def task_of(slug: str, entry: Entry, only: frozenset[str] | None, slots: int = 1, word: str = "") -> Task:
    key = task_key(slug, entry.path, only, word)
    return Task(slug, entry.id, str(entry.path.resolve()), key, only, slots, word=word)


def rekeyed_room(output: Path, word: str) -> Path:
    """Where the grades on other numbers go.

    Raises:
        CourseError: if the word is no plain word.
    """
    if not re.fullmatch(r"\w{1,40}", word, re.ASCII):
        raise CourseError(f"--rekey: {word!r} is no plain word: letters and digits.")
    room = output / "rekeyed" / word
    room.mkdir(parents=True, exist_ok=True)
    return room


def rekeyed(output: Path, task: Task) -> list[dict]:
    """The results of the same submission on other numbers, as far as nothing has changed since."""
    found = []
    for room in sorted((output / "rekeyed").glob("*/")):
        other = replace(task, key=task_key(task.slug, Path(task.path), task.only, room.name))
        if is_current(room, other):
            found.append(json.loads((room / f"{task.id}.json").read_text(encoding="utf-8")))
    return found


def task_key(slug: str, path: Path, only: frozenset[str] | None, word: str = "") -> str:
    chosen = "all" if only is None else ",".join(sorted(only))
    return hashlib.sha256(f"{grading_key(slug)} {content_hash(path)} {chosen} {word}".encode()).hexdigest()


@cache
def grading_key(slug: str) -> str:
    """A hash of all that a grade depends on beside the submission: hidden tests, misconceptions, reference and given
    code, points, the engine, the course secret, and the libraries' versions. Of the two toml files only what can
    change a grade: a due date, a title or a comment grades nobody again."""
    assignment = load_assignment(slug)
    files = [path for path in grading_files(assignment) if path.suffix != ".toml"]
    digest = hashlib.sha256(hashlib.sha256(course_secret()).digest())
    for path in files:
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    settings = [(spec.id, spec.of, spec.points) for spec in assignment.exercises.values()]
    digest.update(repr((settings, assignment.forbidden, sorted(assignment.same_as.items()), course().hints)).encode())
    digest.update(repr((sys.version_info[:3], [(name, version(name)) for name in LIBRARIES])).encode())
    return digest.hexdigest()


def version(library: str) -> str:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return ""


def is_current(output: Path, task: Task) -> bool:
    try:
        results = json.loads((output / f"{task.id}.json").read_text(encoding="utf-8"))
        return results["extra_data"]["batch_key"] == task.key
    except (OSError, ValueError, KeyError, TypeError):
        return False


# ---------------------------------------------------------------- grading


def graded(task: Task, stopping: threading.Event | None = None) -> dict | None:
    """One task's results, from a process of its own; if that or its sandbox dies, from a second one; if that dies too,
    at 0, with the reason. None when the batch is being stopped."""
    spoiled = None
    for _ in range(ATTEMPTS):
        if stopping and stopping.is_set():
            return None
        try:
            results = forkserver.apart(grade_task, task)
            if not any(test["extra_data"]["failure"] == "sandbox" for test in results["tests"]):
                results["extra_data"] |= {"batch_key": task.key, "only": sorted(task.only) if task.only else None}
                return results
            spoiled, reason = results, "its sandbox died"  # our fault, or a new attack: the next run tries once more
        except Exception as error:  # GradeDied, or a mistake of ours: it costs one submission, not the class
            foreseen = isinstance(error, forkserver.GradeDied | CourseError)
            reason = f"{error}" if foreseen else f"{type(error).__name__}: {error}"
    if stopping and stopping.is_set():
        return None
    return spoiled or not_graded(task, reason)


def grade_task(task: Task) -> dict:
    """In the process of the grade. It has a session of its own, so that a Ctrl-C for the batch is none for the
    student's code, and it ends with the batch."""
    from autograder.sandbox import isolation

    os.setsid()
    if isolation.LINUX:
        isolation.prctl(isolation.PR_SET_PDEATHSIG, signal.SIGKILL)  # its parent, the fork server, ends with the batch
        if os.getppid() == 1:
            os._exit(1)
    tempfile.tempdir = task.scratch or None
    options = {"submission_id": task.keyed_by, "only": task.only, "slots": task.slots}
    return forkserver.grade_here(task.slug, Path(task.path), options).results


def not_graded(task: Task, reason: str) -> dict:
    """Valid results at 0 that say why. They carry no key: the next run tries again."""
    assignment = load_assignment(task.slug)
    tests = [test for test in expected_tests(assignment) if task.only is None or test.exercise.id in task.only]
    for test in tests:
        sentence = "Not graded: the grader stopped while it graded this submission; course staff have been told"
        test.failed(sentence, "not graded")
    report = Report(
        assignment,
        task.id,
        tests,
        [f"Not graded, twice: {reason}."],
        {"died": reason, "only": sorted(task.only) if task.only else None},
    )
    return report.to_json()


def on_this_machine(tasks: list[Task], workers: int) -> Generator[tuple[Task, dict], None, None]:
    """Results in the order in which they are ready. Leaves no process behind, however it ends."""
    stopping = threading.Event()
    scratch = tempfile.mkdtemp(prefix="batch-")
    os.chmod(scratch, 0o711)  # a submission's own user passes through to its scratch folder
    pool = ThreadPoolExecutor(workers)
    try:
        running = {pool.submit(graded, with_scratch(task, scratch), stopping): task for task in tasks}
        for future in as_completed(running):
            task, results = running.pop(future), future.result()  # popped, so that results do not pile up
            if results is not None:
                yield task, results
    finally:
        stopping.set()
        pool.shutdown(wait=False, cancel_futures=True)
        for process in multiprocessing.active_children():
            process.kill()
        pool.shutdown(wait=True)
        shutil.rmtree(scratch, ignore_errors=True)


def with_scratch(task: Task, scratch: str) -> Task:
    return replace(task, scratch=scratch)


def on_cluster(tasks: list[Task], scheduler: str) -> Generator[tuple[Task, dict], None, None]:
    """The same through Dask. Its scheduler gives the tasks of a worker that dies to another.

    Raises:
        CourseError: if Dask is missing, the scheduler is not there, or a worker's repository is another.
    """
    try:
        from distributed import Client
        from distributed import as_completed as as_ready
    except ImportError:
        raise CourseError("--scheduler needs Dask: pip install distributed (or the extra `cluster`).") from None
    try:
        client = Client(scheduler, timeout=20, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise CourseError(f"No Dask scheduler answers at {scheduler} ({error}).") from None
    with client:
        futures = {client.submit(graded_on_worker, task, pure=False, retries=1): task for task in tasks}
        for future in as_ready(list(futures), loop=client.loop):
            task = futures.pop(future)
            failure = future.exception() if future.status == "error" else None
            if isinstance(failure, CourseError):
                raise failure
            if failure or future.status != "finished":
                why = type(failure).__name__ if failure else future.status
                yield task, not_graded(task, f"the cluster gave it up ({why})")
            else:
                yield task, future.result()


def graded_on_worker(task: Task) -> dict:
    """On a worker of a cluster: the same grade, if it has the same submission and the same repository."""
    if task_key(task.slug, Path(task.path), task.only, task.word) != task.key:
        import socket

        raise CourseError(
            f"The worker on {socket.gethostname()} sees another submission, repository, course secret or library"
            f" version than this machine ({task.id}): see docs/batch.md."
        )
    # Dask's nannies start workers as daemons, to which multiprocessing would refuse children.
    vars(multiprocessing.current_process())["_config"]["daemon"] = False
    results = graded(task)
    assert results is not None  # only a batch that is being stopped has none
    return results


def with_progress(results: Iterator, total: int) -> Iterator:
    from tqdm import tqdm

    return tqdm(results, total=total, unit="submission", disable=not total, smoothing=0.05, dynamic_ncols=True)


# ---------------------------------------------------------------- afterwards


def similar_pairs(assignment, rows: list, earlier: list[Path]) -> tuple[list, str]:
    """Pairs of similar submissions, found in a process of its own, and a sentence about it."""
    from autograder.classroom import similarity

    if not similarity.available():
        return [], "similarity: not looked at; pip install copydetect (or the extra `batch`) for it"
    work = [(row.entry.id, str(row.entry.path), row.files) for row in rows]
    for folder in earlier:  # their ids are marked, and no pair is made of two of them
        work += [(f"{folder.name}/{e.id}", str(e.path), None) for e in read_roster(folder)[0]]
    try:
        pairs, skipped = forkserver.apart(similarity.find, assignment.slug, work, seconds=1800)
    except Exception as error:
        return [], f"similarity: could not be looked at ({type(error).__name__}: {error})"
    said = f"similarity: {len(pairs)} pairs of files are alike in {similarity.THRESHOLD:.0%} or more"
    said += ", stubs, reference and alternatives left out"
    return pairs, said + (f"; {skipped} files could not be read" if skipped else "")


def write_json(path: Path, value: dict) -> None:
    write_text(path, json.dumps(value, indent=1, allow_nan=False))
