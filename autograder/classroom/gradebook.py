"""What a class's results become: grades.csv, the late policy, and what a new grading changed."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path

from autograder.classroom.decisions import OVERRIDE
from autograder.classroom.roster import Entry, Student, plain_number
from autograder.classroom.tables import safe_cell
from autograder.course import Assignment, CourseError
from autograder.files import write_text
from autograder.grading.lateness import LATE, counted


@dataclass
class Row:
    """One submission and its results.json."""

    entry: Entry
    results: dict
    flags: list[str] = field(default_factory=list)
    other_numbers: list[dict] = field(default_factory=list)  # its results when it is asked about others

    @property
    def score(self) -> float:
        return self.results["score"]

    @property
    def tests(self) -> list[dict]:
        return [test for test in self.results["tests"] if not is_line(test)]

    @property
    def lines(self) -> list[dict]:
        """What people or the late policy added or took away."""
        return [test for test in self.results["tests"] if is_line(test)]

    @property
    def late(self) -> float:
        """Points taken off, as a number of 0 or less."""
        return sum(test["score"] for test in self.results["tests"] if test["number"] == LATE)

    @property
    def exercises(self) -> dict[str, float]:
        points: dict[str, float] = {}
        for test in self.results["tests"]:
            if test["number"] != LATE:
                points[exercise_of(test)] = points.get(exercise_of(test), 0.0) + test["score"]
        return points

    @property
    def died(self) -> str:
        return self.results["extra_data"].get("died", "")

    @property
    def files(self) -> dict[str, str]:
        return self.results["extra_data"].get("files", {})

    @property
    def seconds(self) -> float:
        return float(self.results.get("execution_time", 0))


def is_line(test: dict) -> bool:
    return test["number"] == LATE or test["number"].endswith(OVERRIDE)


def exercise_of(test: dict) -> str:
    return test["number"].rpartition(".")[0]


# ---------------------------------------------------------------- grades.csv


def add_flags(rows: list[Row], pairs: list) -> None:
    """What a person should look at. Never a verdict."""
    for row in rows:
        kinds = {test.get("extra_data", {}).get("failure") for test in row.tests}
        if row.died:
            row.flags.append("not graded")
        row.flags += [f"{kind} limit" for kind in ("time", "memory") if kind in kinds]
        row.flags += [kind for kind in ("crash", "sandbox", "not run") if kind in kinds]
        if "refused" in kinds:
            row.flags.append("file or function missing or unreadable")
        if late := row.results["extra_data"].get("late"):
            row.flags.append(f"{counted(late['days'], 'day')} late" if late["days"] else "in time, by an extension")
        row.flags += [f"by hand: {test['output'].rstrip('.')}" for test in row.lines if test["number"] != LATE]
        row.flags += [f"other numbers, other points: {change}" for change in changes_with_other_numbers(row)]
        row.flags += number_flags(row)
        partners: dict[str, float] = {}
        for pair in pairs:
            if row.entry.id in (pair.left.id, pair.right.id):
                other = pair.right.id if pair.left.id == row.entry.id else pair.left.id
                partners[other] = max(pair.share, partners.get(other, 0))
        listed = sorted(partners.items(), key=lambda item: -item[1])
        row.flags += [f"similar to {other} ({share:.0%})" for other, share in listed[:3]]
        row.flags += [f"and {len(listed) - 3} others"] if len(listed) > 3 else []


def changes_with_other_numbers(row: Row) -> list[str]:
    """Exercises whose points were others when the submission was asked about other numbers: "Q1.3 4 -> 2"."""
    found = []
    for results in row.other_numbers:
        own: dict[str, float] = {}
        other: dict[str, float] = {}
        for points, tests in ((own, row.tests), (other, [t for t in results["tests"] if not is_line(t)])):
            for test in tests:
                points[exercise_of(test)] = points.get(exercise_of(test), 0.0) + test["score"]
        found += [f"{e} {own[e]:g} -> {other[e]:g}" for e in own if e in other and abs(own[e] - other[e]) > 1e-6]
    return list(dict.fromkeys(found))


def number_flags(row: Row) -> list[str]:
    """Where the files state a student number, and the roster knows another."""
    stated = row.results["extra_data"].get("student_number", {}).get("stated", "")
    known = {plain_number(student.sid) for student in row.entry.students if student.sid}
    if not stated or not known or plain_number(stated) in known:
        return []
    return [f"states the student number {stated}, which is not the roster's"]


def write_grades(path: Path, assignment: Assignment, rows: list[Row], zone: tzinfo | None = None) -> None:
    """One row a student; groups give one row each, with the same points. Times in one zone, UTC without any."""
    file = io.StringIO()
    table = csv.writer(file, lineterminator="\n")
    exercises = list(assignment.exercises)
    table.writerow(["id", "name", "sid", "email", "submitted", "total", "of", *exercises, "late", "flags"])
    for row in rows:
        points = [f"{row.exercises[e]:g}" if e in row.exercises else "" for e in exercises]
        when = row.entry.submitted.astimezone(zone or UTC).isoformat() if row.entry.submitted else ""
        for student in row.entry.students or [Student()]:
            who = [safe_cell(value) for value in (row.entry.id, student.name, student.sid, student.email)]
            total = [f"{row.score:g}", f"{row.results['extra_data']['max_score']:g}"]
            table.writerow([*who, when, *total, *points, f"{row.late:g}", safe_cell("; ".join(row.flags))])
    write_text(path, file.getvalue())


# ---------------------------------------------------------------- --compare


def compare(old: Path, new: Path, rows: list[Row], say: Callable[[str], None]) -> None:
    """Say whose score differs from an earlier output, and by which test; the same as `new`/compare.csv."""
    if not old.is_dir():
        raise CourseError(f"--compare: there is no folder {old}.")
    file = io.StringIO()
    table = csv.writer(file, lineterminator="\n")
    table.writerow(
        ["id", "name", "old total", "new total", "test", "old score", "new score", "old output", "new output"]
    )
    changed = 0
    for row in rows:
        names = "; ".join(student.name for student in row.entry.students)
        try:
            before = json.loads((old / f"{row.entry.id}.json").read_text(encoding="utf-8"))
            earlier = {test["number"]: test for test in before["tests"]}
        except (OSError, ValueError, KeyError, TypeError):
            say(f"  {row.entry.id} {names}: not in {old}")
            table.writerow([safe_cell(row.entry.id), safe_cell(names), "", f"{row.score:g}", "", "", "", "", ""])
            continue
        later = {test["number"]: test for test in row.results["tests"]}
        differing = [n for n in dict.fromkeys([*earlier, *later]) if points_of(earlier, n) != points_of(later, n)]
        if not differing:
            continue
        changed += 1
        say(f"  {row.entry.id} {names}: {before['score']:g} -> {row.score:g}")
        for number in differing:
            one, other = points_of(earlier, number), points_of(later, number)
            test = later.get(number) or earlier[number]
            say(f"      {test['name']}: {shown_points(one)} -> {shown_points(other)}")
            cells = [row.entry.id, names, f"{before['score']:g}", f"{row.score:g}", test["name"], shown_points(one)]
            cells += [shown_points(other), *(side.get(number, {}).get("output", "") for side in (earlier, later))]
            table.writerow([safe_cell(cell) for cell in cells])
    gone = sorted({p.stem for p in old.glob("*.json")} - {row.entry.id for row in rows})
    for name in gone:
        say(f"  {name}: only in {old}")
    write_text(new / "compare.csv", file.getvalue())
    say(f"{changed} of {len(rows)} scores differ from {old}: {new}/compare.csv")


def points_of(tests: dict[str, dict], number: str) -> float | None:
    return tests[number]["score"] if number in tests else None


def shown_points(value: float | None) -> str:
    return "no such test" if value is None else f"{value:g}"
