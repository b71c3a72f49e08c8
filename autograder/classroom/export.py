"""Grades out: one total of the automatic points and the report's, as files that Canvas, Moodle and Gradescope know.

    OUT/export/total.csv        a row a student: automatic points, the report's, their sum, what to look at
    OUT/export/canvas.csv       Canvas's own export with one column filled
    OUT/export/moodle.csv       for Moodle's "Import from CSV": map email or ID number, the points, the feedback
    OUT/export/gradescope.csv   the columns of Gradescope's "Download Grades"

Canvas: https://community.canvaslms.com/t5/Instructor-Guide/How-do-I-import-grades-in-the-Gradebook/ta-p/807
Moodle: https://docs.moodle.org/en/Grade_import
What is not documented follows the exports that they write: look at the first import before you save it.
"""

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from autograder.classroom.roster import Student, plain_number
from autograder.classroom.tables import Cell, read_table, rows_in, table_text
from autograder.course import Assignment, CourseError, course, load_assignment
from autograder.files import write_text
from autograder.grading.lateness import counted

IDENTITY = ("Student", "ID", "SIS User ID", "SIS Login ID", "Integration ID", "Root Account", "Section")  # Canvas's own
NOT_GRADED = "the report is not graded yet"


@dataclass
class Grade:
    """One student's points in one assignment."""

    student: Student
    id: str = ""  # of the submission
    submitted: datetime | None = None
    exercises: dict[str, float] = field(default_factory=dict)
    automatic: float | None = None
    report: float | None = None
    flags: list[str] = field(default_factory=list)

    @property
    def total(self) -> float | None:
        """None where there is nothing to export: nothing was handed in, or the report waits to be graded."""
        if NOT_GRADED in self.flags or (self.automatic is None and self.report is None):
            return None
        return (self.automatic or 0.0) + (self.report or 0.0)

    @property
    def keys(self) -> list[str]:
        return [plain_number(value) for value in (self.student.sid, self.student.email, self.id) if value]


@dataclass
class Gradebook:
    assignment: Assignment
    grades: list[Grade]
    points: float  # of the automatic part
    report_points: float = 0.0

    @property
    def total_points(self) -> float:
        return self.points + self.report_points


def export(
    output: Path,
    *,
    report: Path | None = None,
    canvas: Path | None = None,
    name: str = "",
    say: Callable[[str], None] = print,
) -> Path:
    """Write the files of this module's head, from what a batch wrote; returns their folder.

    Args:
        output: of a batch.
        report: Gradescope's "Download Grades" of the written assignment.
        canvas: Canvas's gradebook export.
        name: of the column; the default is the assignment's title. In Canvas, that of the column to fill.
    Raises:
        CourseError: if a file cannot be understood, or a name in it means two students.
    """
    book = read_gradebook(output, say)
    name = name or book.assignment.title
    if report:
        add_report(book, report, say)
    folder = output / "export"
    folder.mkdir(exist_ok=True)
    if canvas:
        write_text(folder / "canvas.csv", canvas_table(book, canvas, name, say))
    write_text(folder / "moodle.csv", moodle_table(book, name))
    write_text(folder / "gradescope.csv", gradescope_table(book))
    write_text(folder / "total.csv", total_table(book))
    for grade in book.grades:
        if grade.flags:
            say(f"  {full_name(grade)}: {'; '.join(grade.flags)}")
    ready = [grade.total for grade in book.grades if grade.total is not None]
    mean = f", mean {sum(ready) / len(ready):.2f} of {book.total_points:g}" if ready else ""
    say(f"{counted(len(ready), 'total')} of {counted(len(book.grades), 'student')}{mean}: {folder}/")
    return folder


# ---------------------------------------------------------------- in


def read_gradebook(output: Path, say: Callable[[str], None] = print) -> Gradebook:
    """grades.csv of a batch. Where a student has two submissions, the later counts.

    Raises:
        CourseError: if there is none.
    """
    if not (output / "grades.csv").exists():
        raise CourseError(f"There is no {output / 'grades.csv'}: grade the class first, with `batch`.")
    found: dict[str, Grade] = {}
    grades: list[Grade] = []
    points, slug = 0.0, ""
    for place, row in read_table(output / "grades.csv", {"id", "name", "sid", "email", "submitted", "total", "of"}):
        student = Student(row["name"], row["sid"], row["email"])
        when = datetime.fromisoformat(row["submitted"]) if row["submitted"] else None
        if not slug:
            slug = json.loads((output / f"{row['id']}.json").read_text(encoding="utf-8"))["extra_data"]["assignment"]
        assignment = load_assignment(slug)
        names = {name.lower(): name for name in assignment.exercises}
        try:
            exercises = {names[key]: float(value) for key, value in row.items() if key in names and value}
            grade = Grade(student, row["id"], when, exercises, float(row["total"]))
            points = float(row["of"])
        except ValueError as error:
            raise CourseError(f"grades.csv, line {place}: {error}.") from None
        earlier = next((found[key] for key in grade.keys[:-1] if key in found), None)
        if earlier:
            first, last = sorted((earlier, grade), key=lambda g: g.submitted or datetime.min.replace(tzinfo=UTC))
            say(f"  {full_name(grade)} has two submissions, {first.id} and {last.id}: the later counts")
            if last is earlier:
                continue
            grades.remove(earlier)
        grades.append(grade)
        found |= dict.fromkeys(grade.keys[:-1], grade)
    if not grades:
        raise CourseError(f"{output / 'grades.csv'} has no row.")
    return Gradebook(assignment, grades, points)


def add_report(book: Gradebook, path: Path, say: Callable[[str], None]) -> None:
    """The points of the written part, from Gradescope's "Download Grades"."""
    rows = read_table(path, {"email", "total score", "max points", "status"})
    index = index_of(book.grades, path.name)
    reported: set[int] = set()
    for place, row in rows:
        name = row.get("name") or f"{row.get('first name', '')} {row.get('last name', '')}".strip()
        student = Student(name, row.get("sid", ""), row["email"])
        grade = next((index[key] for key in Grade(student).keys if key in index), None)
        if grade is None:
            grade = Grade(student, flags=["a report, but nothing that is graded automatically"])
            book.grades.append(grade)
        if id(grade) in reported:
            raise CourseError(f"{path.name}, line {place}: {full_name(grade)} stands there twice.")
        reported.add(id(grade))
        try:
            book.report_points = max(book.report_points, float(row["max points"] or 0))
            if row["status"].lower() == "graded":
                grade.report = float(row["total score"])
        except ValueError as error:
            raise CourseError(f"{path.name}, line {place}: {error}.") from None
        if row["status"].lower() == "missing":
            grade.flags = ["no report"] if grade.id else ["handed in nothing"]
        elif grade.report is None:
            grade.flags.append(NOT_GRADED)
    for grade in book.grades:
        if id(grade) not in reported:
            grade.flags.append(f"not in {path.name}")
    say(f"{path.name}: {counted(len(rows), 'student')}, {book.report_points:g} points")


def index_of(grades: list[Grade], what: str) -> dict[str, Grade]:
    """Grades by every key of their students.

    Raises:
        CourseError: if two students have the same.
    """
    found: dict[str, Grade] = {}
    for grade in grades:
        for value in filter(None, (grade.student.sid, grade.student.email)):
            other = found.setdefault(plain_number(value), grade)
            if other is not grade:
                both = f"{full_name(other)} and of {full_name(grade)}"
                raise CourseError(f"{what}: {value} is the number or email of {both}.")
    return found


def full_name(grade: Grade) -> str:
    return grade.student.name or grade.student.email or grade.student.sid or grade.id


# ---------------------------------------------------------------- out


def total_table(book: Gradebook) -> str:
    rows: list[list[Cell]] = [["name", "sid", "email", "id", "automatic", "report", "total", "of", "flags"]]
    for grade in book.grades:
        who: list[Cell] = [grade.student.name, grade.student.sid, grade.student.email, grade.id]
        flags = "; ".join(grade.flags)
        rows.append([*who, grade.automatic, grade.report, grade.total, book.total_points, flags])
    return table_text(rows)


def canvas_table(book: Gradebook, path: Path, name: str, say: Callable[[str], None]) -> str:
    """Canvas's export with nothing but who is who and one column; cells stay blank where there is no total."""
    header, lines = rows_in(path)
    kept = [place for place, title in enumerate(header) if title.strip() in IDENTITY]
    titles = [header[place].strip() for place in kept]
    if "Student" not in titles or not {"ID", "SIS User ID", "SIS Login ID"} & set(titles):
        raise CourseError(f"{path.name} is no export of Canvas's gradebook: it needs Student, and ID or SIS User ID.")
    column = next((t for t in header if t == name or t.rpartition(" (")[0] == name), name)
    index = index_of(book.grades, path.name)
    logins = defaultdict(list)  # "ada" of ada@example.org, where only one has it
    for one in book.grades:
        logins[plain_number(one.student.email.partition("@")[0])].append(one)
    matched: set[int] = set()
    rows: list[list[Cell]] = [[*titles, column]]
    rows.append(["    Points Possible", *[""] * (len(titles) - 1), book.total_points])
    for _, cells in lines:
        who = dict(zip(titles, (cells[place] for place in kept), strict=True))
        if who["Student"].strip() in ("Points Possible", ""):
            continue  # written above; or the row that says how grades are posted
        keys = [plain_number(who.get(title, "")) for title in ("SIS User ID", "SIS Login ID")]
        grade: Grade | None = next((index[key] for key in keys if key and key in index), None)
        if grade is None and len(alone := logins[keys[1]] if keys[1] else []) == 1:
            grade = alone[0]
        if grade:
            matched.add(id(grade))
        rows.append([*who.values(), grade.total if grade else None])
    for missed in [grade for grade in book.grades if id(grade) not in matched]:
        say(f"  {full_name(missed)} is not in {path.name}")
    where = "a column that is there" if column in header else "a new column"
    say(f"canvas.csv: {len(matched)} of {counted(len(rows) - 2, 'student')}; {column!r} is {where}")
    return table_text(rows)


def moodle_table(book: Gradebook, name: str) -> str:
    rows: list[list[Cell]] = [["Email address", "ID number", "Full name", name, f"{name} (feedback)"]]
    for grade in book.grades:
        parts = [f"automatic {grade.automatic:g} of {book.points:g}"] if grade.automatic is not None else []
        parts += [f"report {grade.report:g} of {book.report_points:g}"] if grade.report is not None else []
        student = grade.student
        rows.append([student.email, student.sid, student.name, grade.total, "; ".join(parts)])
    return table_text(rows)


def gradescope_table(book: Gradebook) -> str:
    """The columns of "Download Grades": a question for each exercise, and one for the report."""
    head = "First Name,Last Name,SID,Email,Sections,Total Score,Max Points,Status,Submission ID,Submission Time"
    questions = [(name, f"{name} {spec.target}", spec.points) for name, spec in book.assignment.exercises.items()]
    there = {name for grade in book.grades for name in grade.exercises}
    questions = [question for question in questions if question[0] in there]
    titles = [f"{place}: {title} ({points:.1f} pts)" for place, (_, title, points) in enumerate(questions, 1)]
    if book.report_points:
        titles.append(f"{len(titles) + 1}: Report ({book.report_points:.1f} pts)")
    due = course().due.get(book.assignment.slug)
    rows: list[list[Cell]] = [[*head.split(","), "Lateness (H:M:S)", *titles]]
    for grade in book.grades:
        first, _, last = grade.student.name.rpartition(" ")
        status = "Graded" if grade.total is not None else "Ungraded" if NOT_GRADED in grade.flags else "Missing"
        when = grade.submitted.isoformat(sep=" ", timespec="seconds") if grade.submitted else ""
        late = max(timedelta(), grade.submitted - due) if due and grade.submitted else timedelta()
        hours, seconds = divmod(int(late.total_seconds()), 3600)
        cells: list[Cell] = [first, last, grade.student.sid, grade.student.email, "", grade.total, book.total_points]
        cells += [status, grade.id, when, f"{hours:02d}:{seconds // 60:02d}:{seconds % 60:02d}"]
        cells += [grade.exercises.get(name) for name, *_ in questions]
        rows.append([*cells, *([grade.report] if book.report_points else [])])
    return table_text(rows)
