"""OUT/students/<id>.html: one submission's page: code, feedback, causes, and the command that replays it.

Every text in it is a stranger's and is escaped by the template; submissions are read in a process of its own.
"""

import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path, PurePosixPath

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from autograder.classroom.gradebook import Row, exercise_of
from autograder.course import Assignment
from autograder.files import write_text

LONGEST = 200_000  # of a file that is shown
PLACE = re.compile(r"(?:([\w .()-]+\.(?:py|ipynb))(?: cell (\d+))?[^.\d]{0,12})?\bline (\d+)")


def environment() -> Environment:
    """Templates in which every value is escaped, and a name that is not there is an error."""
    folder = Path(__file__).parent / "templates"
    found = Environment(loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    found.filters["percent"] = lambda share: f"{share:.0%}"
    return found


class Labels:
    """How submissions are called on a page, and where theirs is; hidden: without names, ids and numbers."""

    def __init__(self, rows: list[Row], hidden: bool = False):
        self.hidden = hidden
        self.entries = {row.entry.id: row.entry for row in rows}
        ordered = sorted(self.entries, key=lambda id: hashlib.sha256(f"a page {id}".encode()).digest())
        self.numbers = {id: place for place, id in enumerate(ordered, 1)}

    def __getitem__(self, id: str) -> str:
        if id not in self.entries:
            return "an earlier submission" if self.hidden else id
        if self.hidden:
            return f"submission {self.numbers[id]}"
        names = ", ".join(student.name for student in self.entries[id].students if student.name)
        return f"{names} ({id})" if names else id

    def file(self, id: str) -> str:
        return f"{self.numbers[id]}.html" if self.hidden else f"{id}.html"

    def private(self, row: Row) -> list[str]:
        """What tells who a student is, the longest first."""
        entry, stated = row.entry, row.results["extra_data"].get("student_number", {}).get("stated", "")
        words = [entry.id, stated] + [w for s in entry.students for w in (s.name, s.sid, s.email, *s.name.split())]
        return sorted({word for word in words if len(word) > 2}, key=len, reverse=True)

    def text(self, row: Row, text: str) -> str:
        """A text as it may be shown."""
        words = self.private(row) if self.hidden else []
        return re.sub("|".join(map(re.escape, words)), "…", text, flags=re.IGNORECASE) if words else text

    def without_names(self, row: Row, flags: list[str]) -> list[str]:
        if not self.hidden:
            return flags
        ids = sorted(self.entries, key=len, reverse=True)
        others = re.compile(r"(?<=similar to )(?:" + "|".join(map(re.escape, ids)) + r")(?= \()")
        return [self.text(row, others.sub(lambda found: self[found[0]], flag)) for flag in flags]


@dataclass
class Line:
    number: str
    text: str
    marks: list[str] = field(default_factory=list)  # why: the numbers of the tests that name it


@dataclass
class File:
    name: str
    lines: list[Line]


def source_texts(work: list[tuple[str, str, dict[str, str]]]) -> dict[str, dict[str, str]]:
    """The text of every graded file: {id: {path in the submission: text}}. Call it in a process of its own."""
    from autograder.grading.upload import collect
    from autograder.sandbox import isolation

    isolation.bound_own_memory()
    found: dict[str, dict[str, str]] = {}
    for id, where, files in work:
        upload = collect(Path(where)).files if files else {}
        found[id] = {}
        for path in dict.fromkeys(files.values()):
            found[id][path] = upload.get(path, b"")[:LONGEST].decode("utf-8-sig", errors="replace")
    return found


def write_pages(
    folder: Path, assignment: Assignment, rows: list[Row], labels: Labels, texts: dict, zone: tzinfo | None = None
) -> None:
    """A page for every submission. Times are in one zone, UTC without any."""
    folder.mkdir(parents=True, exist_ok=True)
    template = environment().get_template("student.html")
    for row in rows:
        page = template.render(
            assignment=assignment,
            row=row,
            label=labels[row.entry.id],
            hidden=labels.hidden,
            zone=zone or UTC,
            exercises=by_exercise(assignment, row),
            files=marked_files(row, {name: labels.text(row, text) for name, text in texts[row.entry.id].items()}),
            said=lambda text, row=row: labels.text(row, text),
            command="" if labels.hidden else replay(assignment, row),
        )
        write_text(folder / labels.file(row.entry.id), page)


def by_exercise(assignment: Assignment, row: Row) -> list[tuple]:
    """(exercise, its points now, its tests) of those that were graded."""
    tests: dict[str, list[dict]] = {}
    for test in row.tests:
        tests.setdefault(exercise_of(test), []).append(test)
    return [(assignment.exercises[name], row.exercises[name], found) for name, found in tests.items()]


def replay(assignment: Assignment, row: Row) -> str:
    """The command that asks for the same numbers again."""
    extra = row.results["extra_data"]
    number = extra.get("student_number", {}).get("used", "")
    stated = extra.get("student_number", {}).get("stated", "")
    words = ["python -m autograder grade", assignment.slug, quoted(str(row.entry.path))]
    words += ["--id", quoted(extra["submission"])]
    words += ["--student", quoted(number)] if stated and number else []
    return " ".join(words)


def quoted(word: str) -> str:
    import shlex

    return shlex.quote(word)


# ---------------------------------------------------------------- code


def marked_files(row: Row, texts: dict[str, str]) -> list[File]:
    """The graded files in lines; those that a failed test names are marked."""
    marks: dict[tuple[str, str, int], list[str]] = {}
    for test in row.tests:
        if test["status"] == "passed":
            continue
        own = PurePosixPath(row.files.get(f"{test['tags'][0].partition('.')[0]}.py", "")).name if test["tags"] else ""
        named = PLACE.findall(test["output"]) or defined(test, own, texts)
        for name, cell, place in named:
            where = PurePosixPath(name.strip()).name if name else own
            found = marks.setdefault((where, cell, int(place)), [])
            found += [test["number"]] if test["number"] not in found else []
    files = []
    for path, text in texts.items():
        name = PurePosixPath(path).name
        lines = [
            Line(f"{cell}:{place}" if cell else str(place), line, marks.get((name, cell, place), []))
            for cell, code in cells(name, text)
            for place, line in enumerate(code.splitlines(), 1)
        ]
        files.append(File(path, lines))
    return files


def defined(test: dict, own: str, texts: dict[str, str]) -> list[tuple[str, str, str]]:
    """Where the function of a test is defined, for a test whose feedback names no line."""
    _, *owner, name = test["tags"][0].split(".") if test["tags"] else ["", ""]
    found = []
    for path, text in texts.items():
        for cell, code in cells(PurePosixPath(path).name, text) if PurePosixPath(path).name == own else []:
            inside = ""
            for place, line in enumerate(code.splitlines(), 1):
                if line[:1].strip():  # the top level
                    inside = match[1] if (match := re.match(r"class\s+(\w+)", line)) else ""
                if inside == "".join(owner) and re.match(rf"\s*(?:async\s+)?def\s+{re.escape(name)}\b", line):
                    found.append((own, cell, str(place)))
    return found[-1:]


def cells(name: str, text: str) -> list[tuple[str, str]]:
    """(number, code) of a notebook's code cells; a .py is one cell without a number."""
    if not name.lower().endswith(".ipynb"):
        return [("", text)]
    try:
        found = json.loads(text)["cells"]
        code = [("".join(cell["source"]) if cell["cell_type"] == "code" else None) for cell in found]
    except (ValueError, KeyError, TypeError):
        return [("", text)]
    return [(str(place), source) for place, source in enumerate(code, 1) if source is not None]
