"""dist/student/<slug>.zip and dist/student/<slug>/: what a student receives, verified to hold no answer.

The folders together are what a course publishes as its students' repository, which course.toml names: Colab's badges
lead there. A release is refused when it holds the course secret, a figure of a rubric, or a line of a solution, of a
hidden test, of a misconception, of an alternative or of a rubric, and when a generated file differs from its source.
"""

import hashlib
import json
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from autograder.course import ROOT, SECRET, Assignment, CourseError, load_assignment
from autograder.files import write_zip
from autograder.publish.handout import student_course, write_handouts
from autograder.publish.notebooks import sources, write_notebooks
from autograder.publish.stubs import write_stubs
from autograder.regions import regions
from student.assignment import MANIFEST

DIST = ROOT / "dist" / "student"
ROOMS = ("data_loaders", "student", "training")
# What reads answers, for the grader and for the students' check alike; no test and no solution is in it.
READER = (
    "__init__", "grading/__init__", "grading/matching", "sandbox/__init__", "sandbox/cells", "sandbox/extract",
    "sandbox/importer", "sandbox/outline", "sandbox/text",
)  # fmt: skip
SHARED = ("check.py", "submit.py", "GUIDE.md", "CHANGELOG.md")  # of assignment/, for every assignment
# Of assignment/, too: for a repository that is one assignment's folder (GitHub Classroom), or all of dist/student.
REPOSITORY = (".github/workflows/check.yml", ".devcontainer/devcontainer.json", ".devcontainer/install.sh")
LEFT_OUT = {"__pycache__", ".pytest_cache", ".ipynb_checkpoints", "runs", "data"}
FIGURE = ".png"  # of a rubric: as private as its text
TELLING = 32  # characters, without spaces: a shorter line may stand anywhere by chance


def release(slug: str) -> Path:
    """Write dist/student/<slug>/ and <slug>.zip, verify them, and return the zip's path.

    Raises:
        CourseError: if a generated file has drifted, or something that students must not see would go out.
    """
    assignment = load_assignment(slug)
    if drifted := [n for write in (write_stubs, write_handouts, write_notebooks) for n in write(slug, check=True)]:
        raise CourseError(f"{', '.join(drifted)} differs from its source: run make stubs, and look at what changed.")
    files = dict(student_files(assignment))
    given = {name: hashlib.sha256(data).hexdigest() for name, data in files.items() if name not in assignment.files}
    files[MANIFEST] = json.dumps(given, indent=1).encode() + b"\n"
    if leaks := find_leaks(assignment, files):
        raise CourseError("Nothing was released. Students would see\n  " + "\n  ".join(leaks))

    folder, target = DIST / slug, DIST / f"{slug}.zip"
    shutil.rmtree(folder, ignore_errors=True)
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    for name in REPOSITORY:
        (DIST / name).parent.mkdir(parents=True, exist_ok=True)
        (DIST / name).write_bytes(files[name])
    write_zip(target, ((f"{slug}/{name}", data, 0o644) for name, data in files.items()))
    return target


def student_files(assignment: Assignment) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of everything that a student receives, at its place in the assignment's folder."""
    for path in walk(assignment.given):
        yield path.relative_to(assignment.given).as_posix(), path.read_bytes()
    for name in (*SHARED, *REPOSITORY):
        yield name, (ROOT / "assignment" / name).read_bytes()
    yield "course.toml", student_course(assignment.slug)
    for room in ROOMS:
        for path in walk(ROOT / room):
            yield path.relative_to(ROOT).as_posix(), path.read_bytes()
    for name in READER:
        yield f"autograder/{name}.py", (ROOT / "autograder" / f"{name}.py").read_bytes()
    for source in sources(assignment.slug):
        yield f"notebooks/{source.stem}.ipynb", source.with_suffix(".ipynb").read_bytes()


def walk(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        hidden = path.name.startswith(".")
        if path.is_file() and not hidden and not LEFT_OUT.intersection(path.relative_to(folder).parts):
            yield path


def find_leaks(assignment: Assignment, files: dict[str, bytes]) -> list[str]:
    """Each place in `files` that says what students must not see: "name, line 3: a line of solutions/..."."""
    answers, tests = private_lines(assignment)
    figures = {path.read_bytes(): path for path in walk(ROOT / "solutions") if path.suffix == FIGURE}
    leaks = []
    for name, data in files.items():
        if data in figures:
            leaks.append(f"{name}: the figure {figures[data].relative_to(ROOT).as_posix()}")
        if SECRET.exists() and SECRET.read_bytes().strip() in data:
            leaks.append(f"{name}: the course secret")
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            continue  # a data set
        if name.endswith(".ipynb"):
            cells = json.loads(text)["cells"]
            text = "\n".join("".join(cell["source"]) for cell in cells)
            if any(cell.get("outputs") for cell in cells):
                leaks.append(f"{name}: outputs")
        lines = {n: line for n, line in enumerate(text.splitlines(), start=1) if telling(line.lstrip(" \t#"))}
        found = {number: (answers.get(squeezed(line)), tests.get(squeezed(line))) for number, line in lines.items()}
        # One line of a test may be given code's too; two of the same file are no accident.
        copied = {source for _, source in found.values()}
        copied = {s for s in copied if s and len({squeezed(lines[n]) for n, (_, t) in found.items() if t == s}) > 1}
        for number, (answer, test) in found.items():
            if answer or test in copied:
                leaks.append(f"{name}, line {number}: a line of {answer or test}: {lines[number].strip()}")
    return leaks


def private_lines(assignment: Assignment) -> tuple[dict[str, str], dict[str, str]]:
    """The telling lines of the answers, and those of all else that is private; each with the file where it stands."""
    kinds = (assignment.misconceptions_file, assignment.alternatives_file)
    private = [file_of(module) for module in assignment.modules for file_of in kinds]
    private += [path for module in assignment.modules for path in assignment.tests_files(module)]

    def lines(path: Path, choose: Callable[[str], list[str]]) -> dict[str, str]:
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        return {squeezed(line): path.relative_to(ROOT).as_posix() for line in choose(text) if telling(line)}

    answers: dict[str, str] = {}
    others: dict[str, str] = {}
    for name in assignment.files:
        answers |= lines(assignment.solutions / name, regions)
    worked = [path for path in walk(assignment.solutions) if path.suffix not in (".py", FIGURE)]  # rubrics, theory
    for path in [*private, *worked]:
        others |= lines(path, str.splitlines)
    return answers, others


def telling(line: str) -> bool:
    """Whether a line gives something away: it is long enough, and no import, signature, comment or heading."""
    structure = r"\s*((import|from|def|class)\b|[@#]|\\(question|answerto)\b)"
    return len(squeezed(line)) >= TELLING and not re.match(structure, line)


def squeezed(line: str) -> str:
    """A line without its spaces, without its comment, and not commented out, so that formatting hides nothing."""
    return re.sub(r"\s+", "", line.lstrip(" \t#").partition("  #")[0])


def print_releases(slugs: list[str], listing: bool = False) -> None:
    """Release assignments; print a line for each zip, or all that it holds."""
    for slug in slugs:
        target = release(slug)
        with zipfile.ZipFile(target) as archive:
            entries = archive.infolist()
        print(
            f"{target.relative_to(ROOT)}  {target.stat().st_size / 1e3:.0f} KB, {len(entries)} files, no answer found"
        )
        for entry in entries if listing else ():
            print(f"    {entry.file_size:8}  {entry.filename}")
