"""What a class's results become: grades.csv, the late policy, and what a new grading changed."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from autograder.classroom.roster import Entry, Student
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

    @property
    def score(self) -> float:
        return self.results["score"]

    @property
    def tests(self) -> list[dict]:
        return [test for test in self.results["tests"] if test["number"] != LATE]

    @property
    def late(self) -> float:
        """Points taken off, as a number of 0 or less."""
        return sum(test["score"] for test in self.results["tests"] if test["number"] == LATE)

    @property
    def exercises(self) -> dict[str, float]:
        points: dict[str, float] = {}
        for test in self.tests:
            name = exercise_of(test)
            points[name] = points.get(name, 0.0) + test["score"]
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
            row.flags.append(f"{counted(late['days'], 'day')} late")
        partners: dict[str, float] = {}
        for pair in pairs:
            if row.entry.id in (pair.left.id, pair.right.id):
                other = pair.right.id if pair.left.id == row.entry.id else pair.left.id
                partners[other] = max(pair.share, partners.get(other, 0))
        listed = sorted(partners.items(), key=lambda item: -item[1])
        row.flags += [f"similar to {other} ({share:.0%})" for other, share in listed[:3]]
        row.flags += [f"and {len(listed) - 3} others"] if len(listed) > 3 else []


def write_grades(path: Path, assignment: Assignment, rows: list[Row]) -> None:
    """One row a student; groups give one row each, with the same points."""
    file = io.StringIO()
    table = csv.writer(file, lineterminator="\n")
    exercises = list(assignment.exercises)
    table.writerow(["id", "name", "sid", "email", "submitted", "total", *exercises, "late", "flags"])
    for row in rows:
        points = [f"{row.exercises[e]:g}" if e in row.exercises else "" for e in exercises]
        when = row.entry.submitted.isoformat() if row.entry.submitted else ""
        for student in row.entry.students or [Student()]:
            who = [safe_cell(value) for value in (row.entry.id, student.name, student.sid, student.email)]
            table.writerow([*who, when, f"{row.score:g}", *points, f"{row.late:g}", safe_cell("; ".join(row.flags))])
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
