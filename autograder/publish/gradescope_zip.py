"""dist/gradescope/<slug>.zip: what a TA uploads to Gradescope, verified by running it.

The zip holds this package, one assignment's hidden tests, misconceptions, solutions and given code, the course secret,
and Gradescope's two scripts. `emulate` unpacks it in Gradescope's layout and runs it for real.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from autograder.course import (
    HIDDEN_TESTS,
    MISCONCEPTIONS,
    ROOT,
    Assignment,
    CourseError,
    course_secret,
    grading_files,
    load_assignment,
)
from autograder.files import write_zip
from autograder.grading.lateness import LATE

DIST = ROOT / "dist" / "gradescope"
NEEDED_PACKAGES = (
    "cloudpickle",
    "gradescope-utils",
    "ipython",
    "numpy",
    "pyseccomp",
    "safetensors",
    "matplotlib",
    "msgspec",
    "tqdm",
    "sympy",
)
TORCH_PACKAGES = ("torch", "torchvision")
SMALLEST_CONTAINER_MB = 768


def build(slug: str, target: Path | None = None) -> Path:
    """Write an assignment's zip, unverified, and return its path: dist/gradescope/<slug>.zip, or another."""
    assignment = load_assignment(slug)
    target = target or DIST / f"{slug}.zip"
    write_zip(target, grader_files(assignment))
    return target


def grader_files(assignment: Assignment) -> Iterator[tuple[str, bytes, int]]:
    """(name, bytes, mode) of everything in the zip, at the places that this package expects."""
    course_secret()  # made now, so that the zip and `make grade` use the same one
    scripts = Path(__file__).with_name("gradescope")
    yield "setup.sh", (scripts / "setup.sh").read_bytes(), 0o755
    run = (scripts / "run_autograder").read_text(encoding="utf-8").replace("@SLUG@", assignment.slug)
    yield "run_autograder", run.encode(), 0o755
    yield "requirements.txt", pinned(NEEDED_PACKAGES), 0o644
    yield "requirements-torch.txt", pinned(TORCH_PACKAGES, alone=True), 0o644
    private = (ROOT / "autograder" / "course.secret", HIDDEN_TESTS, MISCONCEPTIONS, assignment.solutions)
    for path in [ROOT / "autograder" / "course.secret", *grading_files(assignment)]:
        closed = any(path.is_relative_to(place) for place in private)  # to every other user
        yield path.relative_to(ROOT).as_posix(), path.read_bytes(), 0o600 if closed else 0o644


def pinned(packages: tuple[str, ...], alone: bool = False) -> bytes:
    """The lock file's lines of some packages and, unless `alone`, of all that they need: the lock that TAs have.

    Raises:
        CourseError: if the lock does not pin one of the packages.
    """
    lock: dict[str, list[str]] = {}
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines():
        lock.setdefault(canonicalize_name(line.partition("==")[0].strip()), []).append(line)
    if missing := [package for package in packages if package not in lock]:
        raise CourseError(f"requirements.lock does not pin {', '.join(missing)}: run make lock.")
    names = set(packages) if alone else needed_by({*packages, *TORCH_PACKAGES}) - {*TORCH_PACKAGES}
    return "".join(f"{line}\n" for name in sorted(names) for line in lock.get(name, ())).encode()


def needed_by(packages: set[str]) -> set[str]:
    """These packages and all that they need, as far as it is installed here; without what only CUDA needs."""
    found: set[str] = set()
    waiting = list(packages)
    while waiting:
        name = waiting.pop()
        if name in found or name.startswith(("nvidia-", "cuda-", "triton")):
            continue
        found.add(name)
        with suppress(metadata.PackageNotFoundError):
            for text in metadata.requires(name) or ():
                requirement = Requirement(text)
                if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                    waiting.append(canonicalize_name(requirement.name))
    return found


def emulate(
    archive: Path, submission: Path, *, memory_mb: int | None = SMALLEST_CONTAINER_MB, python: str = ""
) -> dict:
    """Run a Gradescope zip as Gradescope would, in a temporary root, and return its results.json.

    Args:
        archive: the zip.
        submission: a folder whose content the student uploaded, or a single file.
        memory_mb: the container's memory, where the host lets us set one (cgroups, as root); None for no limit.
        python: the interpreter that setup.sh would have made; this one by default.
    Raises:
        CourseError: if the scripts fail or leave no valid results.json.
    """
    with tempfile.TemporaryDirectory(prefix="gradescope-") as folder:
        root = Path(folder)
        root.chmod(0o755)
        unpack(archive, root / "source")
        if submission.is_dir():
            shutil.copytree(submission, root / "submission", symlinks=True)
        else:
            (root / "submission").mkdir()
            shutil.copy(submission, root / "submission")
        (root / "results").mkdir()
        metadata = {
            "id": 123456,
            "users": [{"email": "student@example.org", "id": 1, "name": "A Student", "sid": "100"}],
        }
        (root / "submission_metadata.json").write_text(json.dumps(metadata))
        environment = {**os.environ, "AUTOGRADER_ROOT": str(root), "GRADER_PYTHON": python or sys.executable}
        started = time.monotonic()
        with container(memory_mb) as enter:
            done = subprocess.run(
                ["bash", str(root / "source" / "run_autograder")],
                env=environment, capture_output=True, text=True, preexec_fn=enter, timeout=900, cwd=root,
            )  # fmt: skip
        results = root / "results" / "results.json"
        if not results.exists():
            raise CourseError(f"{archive.name} left no results.json:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        found = json.loads(results.read_text())
        validate(found)
        return found | {
            "emulation": {
                "seconds": time.monotonic() - started,
                "stdout": done.stdout,
                "stderr": done.stderr,
                "exit": done.returncode,
                "memory_limited": enter is not None,
            }
        }


def unpack(archive: Path, folder: Path) -> None:
    """Unpack with the modes that are in the zip."""
    with zipfile.ZipFile(archive) as file:
        file.extractall(folder)
        for entry in file.infolist():
            (folder / entry.filename).chmod(entry.external_attr >> 16 & 0o777)


@contextmanager
def container(memory_mb: int | None):
    """A function for `preexec_fn` that puts the new process into a memory cgroup, or None where that is impossible."""
    v1, v2 = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")
    group = None
    try:
        base = v1 if v1.is_dir() else v2
        group = base / f"grader-{os.getpid()}"
        if memory_mb is None:
            raise OSError
        group.mkdir()
        limit = "memory.limit_in_bytes" if base == v1 else "memory.max"
        (group / limit).write_text(str(memory_mb << 20))
    except OSError:
        yield None
        return
    try:
        yield lambda: (group / "cgroup.procs").write_text(str(os.getpid()))
    finally:
        for _ in range(100):
            try:
                group.rmdir()
                break
            except OSError:
                time.sleep(0.05)


def validate(results: dict) -> None:
    """Check what Gradescope requires of results.json.

    Raises:
        CourseError: naming the first thing that is wrong.
    """

    def require(condition: bool, what: str) -> None:
        if not condition:
            raise CourseError(f"results.json is not what Gradescope reads: {what}.")

    visibilities = {"hidden", "after_due_date", "after_published", "visible"}
    require(isinstance(results, dict), "it is no object")
    require(isinstance(results.get("score"), int | float), "score is no number")
    require(isinstance(results.get("output"), str), "output is no text")
    require(results.get("stdout_visibility") in visibilities, "stdout_visibility is unknown")
    require(isinstance(results.get("tests"), list) and results["tests"], "there are no tests")
    for test in results["tests"]:
        numbers, texts = ("score", "max_score"), ("name", "number", "output")
        for key, kind in [*((k, (int, float)) for k in numbers), *((k, (str,)) for k in texts)]:
            require(isinstance(test.get(key), kind), f"a test's {key} is missing or of the wrong type")
        require(test.get("status") in {"passed", "failed"}, "a test's status is unknown")
        require(test.get("visibility") in visibilities, "a test's visibility is unknown")
        require(
            test.get("output_format") in {"text", "html", "simple_format", "md", "ansi"}, "a test's format is unknown"
        )
        require(all(isinstance(tag, str) for tag in test.get("tags", [])), "a tag is no text")
        line = test["number"] == LATE  # takes points off, and is worth none
        require(line or 0 <= test["score"] <= test["max_score"] + 1e-9, "a score is out of range")
    total = sum(test["score"] for test in results["tests"])
    require(abs(total - results["score"]) < 0.01, "the score is not the sum of the tests'")


def verify(slug: str) -> dict:
    """Build a zip and grade the reference and the untouched stubs through it.

    Returns: one row of the table of `make autograder`.
    Raises:
        CourseError: if the reference does not get full marks, or the stubs get any.
    """
    assignment = load_assignment(slug)
    archive = build(slug, DIST / f".{slug}.unverified.zip")  # not yet in the last good one's place
    try:
        row = examined(assignment, archive)
    except BaseException:
        archive.unlink(missing_ok=True)
        raise
    os.replace(archive, DIST / f"{slug}.zip")
    return row | {"archive": DIST / f"{slug}.zip"}


def examined(assignment: Assignment, archive: Path) -> dict:
    """What a zip gives the reference and the untouched stubs.

    Raises:
        CourseError: if the reference does not get full marks, or the stubs get any.
    """
    slug = assignment.slug
    with tempfile.TemporaryDirectory() as folder:
        stubs = Path(folder)
        for name in assignment.files:
            shutil.copy(assignment.given / name, stubs / name)
        rows = {
            "reference": emulate(archive, assignment.solutions, memory_mb=None),
            "stubs": emulate(archive, stubs, memory_mb=None),
        }
    reference, stub = rows["reference"], rows["stubs"]
    row = {
        "slug": slug,
        "reference": reference["score"],
        "stubs": stub["score"],
        "points": assignment.points,
        "tests": len(reference["tests"]),
        "seconds": reference["emulation"]["seconds"],
    }
    failed = [f"{t['name']}: {t['output']}" for t in reference["tests"] if t["status"] != "passed"]
    if failed:
        raise CourseError(f"the reference of {slug} fails {len(failed)} tests:\n  " + "\n  ".join(failed[:10]))
    passed = [t["name"] for t in stub["tests"] if t["status"] == "passed"]
    if passed:
        raise CourseError(f"an untouched stub of {slug} passes:\n  " + "\n  ".join(passed[:10]))
    return row


def print_table(slugs: list[str]) -> None:
    """Build and verify assignment after assignment, one row each as it is done."""
    print(f"\n{'assignment':<16}{'reference':>12}{'stubs':>10}{'tests':>8}{'seconds':>10}   Gradescope zip", flush=True)
    for row in map(verify, slugs):
        reference, stubs = (f"{row[key]:g}/{row['points']:g}" for key in ("reference", "stubs"))
        archive = row["archive"]
        size = f"{archive.relative_to(ROOT)} ({archive.stat().st_size / 1024:.0f} KB)"
        numbers = f"{reference:>12}{stubs:>10}{row['tests']:>8}{row['seconds']:>10.1f}"
        print(f"{row['slug']:<16}{numbers}   {size}", flush=True)
