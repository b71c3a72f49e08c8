"""What people decide about grades, in tables that they write: extensions, slip days, overrides.

Every table is a CSV with a header. Its column `student` holds a submission's id, an email or a student number;
`assignment`, if there is such a column, says which rows are meant. Nothing in them is ever part of a graded result: the
batch applies them anew each time, so they survive every regrade.
"""

import math
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, time
from pathlib import Path

from autograder.classroom.roster import Entry, Student, plain_number
from autograder.classroom.tables import read_table, table_text
from autograder.course import Assignment, CourseError, course
from autograder.files import write_text
from autograder.grading.lateness import Extension, LatePolicy, counted, days_late, late_policy, line, with_late_line

OVERRIDE = ".override"  # how the number of an override's line ends, after its exercise


@dataclass(frozen=True)
class Override:
    """The points of one exercise, by a person."""

    exercise: str
    points: float
    reason: str
    who: str
    when: str


@dataclass
class Decisions:
    """All that was decided about one assignment's submissions, by the students' keys."""

    policy: LatePolicy | None = None
    extensions: dict[str, Extension] = field(default_factory=dict)
    overrides: dict[str, dict[str, Override]] = field(default_factory=dict)  # student's key -> exercise -> override
    slip_days: dict[str, int] = field(default_factory=dict)  # submission's id -> days that it spends
    notes: list[str] = field(default_factory=list)

    def amended(self, results: dict, entry: Entry) -> dict:
        """The results with overrides and lateness as lines of their own, in the place of earlier ones."""
        found = {name: o for key in keys_of(entry) for name, o in self.overrides.get(key, {}).items()}
        changed = with_overrides(results, found)
        return with_late_line(
            changed, entry.submitted, self.policy, self.extension_of(entry), self.slip_days.get(entry.id, 0)
        )

    def extension_of(self, entry: Entry) -> Extension | None:
        """Of a group, that of the member who has most time."""
        found = [self.extensions[key] for key in keys_of(entry) if key in self.extensions]
        if not found or not self.policy:
            return None
        due = self.policy.due
        return max(found, key=lambda extension: extension.end(due))


def read(
    output: Path,
    assignment: Assignment,
    entries: list[Entry],
    extensions: Path | None = None,
    overrides: Path | None = None,
    slip_days: Path | None = None,
) -> Decisions:
    """Everything that course.toml and the tables say; tables that are not given are looked for in a batch's output.

    Raises:
        CourseError: naming the file, the line and what cannot be understood.
    """
    found = Decisions(late_policy(assignment.slug))
    extensions, overrides, slip_days = (
        path or (output / name if (output / name).exists() else None)
        for path, name in ((extensions, "extensions.csv"), (overrides, "overrides.csv"), (slip_days, "slip_days.csv"))
    )
    if extensions:
        found.extensions = read_extensions(extensions, assignment.slug, found.policy)
        found.notes.append(f"{extensions.name}: {counted(len(found.extensions), 'extension')}")
        found.notes += ["extensions change nothing: [late] is not enabled in course.toml"] if not found.policy else []
    if overrides:
        found.overrides = read_overrides(overrides, assignment)
        count = sum(map(len, found.overrides.values()))
        found.notes.append(f"{overrides.name}: {counted(count, 'override')}")
    if slip_days:
        found.slip_days = spend_slip_days(slip_days, assignment.slug, entries, found, course().late.slip_days)
        found.notes.append(f"{slip_days.name}: {counted(sum(found.slip_days.values()), 'day')} spent here")
    owners: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        for key in keys_of(entry):
            owners[key].add(entry.id)
    for name in sorted({*found.extensions, *found.overrides}):
        if not owners[name]:
            found.notes.append(f"no submission is of {name}, whom a table names: mistyped, or nothing was handed in")
        elif len(owners[name]) > 1 and len(people_of(name, entries)) > 1:
            raise CourseError(f"{name}, whom a table names, may be {' or '.join(sorted(owners[name]))}: use an email.")
    return found


def people_of(key: str, entries: list[Entry]) -> set[tuple[str, ...]]:
    """The different people, or submissions without people, that a key may mean."""
    found = set()
    for entry in entries:
        found |= {tuple(keys_of_student(s)) for s in entry.students if key in keys_of_student(s)}
        found |= {(entry.id,)} if key == plain_number(entry.id) else set()
    return found


def keys_of(entry: Entry) -> list[str]:
    """All by which a table may name a submission."""
    people = [key for student in entry.students for key in keys_of_student(student)]
    return list(dict.fromkeys([plain_number(entry.id), *people]))


def keys_of_student(student: Student) -> list[str]:
    return [plain_number(value) for value in (student.sid, student.email) if value]


def with_overrides(results: dict, overrides: dict[str, Override]) -> dict:
    tests = [test for test in results["tests"] if not test["number"].endswith(OVERRIDE)]
    graded = {test["number"].rpartition(".")[0] for test in tests}
    for name, override in sorted(overrides.items()):
        if name in graded:
            own = sum(test["score"] for test in tests if test["number"].rpartition(".")[0] == name)
            sentence = (
                f"{name}: {override.points:g} points instead of {own:g}: {override.reason}"
                f" ({override.who}, {override.when})."
            )
            tests.append(line(name + OVERRIDE, f"{name} by hand", override.points - own, sentence))
    return results | {"tests": tests, "score": round(sum(test["score"] for test in tests), 4)}


# ---------------------------------------------------------------- the tables


def read_extensions(path: Path, slug: str, policy: LatePolicy | None) -> dict[str, Extension]:
    """Columns: student; due or days; reason; assignment.

    A due date is in ISO 8601; without a zone it is in that of the course's, and a day alone lasts until its end.

    Raises:
        CourseError: naming the line that cannot be understood.
    """
    found: dict[str, Extension] = {}
    for where, row in rows_of(path, slug, {"student"}, {"due", "days", "reason", "assignment"}):
        due, days = None, 0.0
        if bool(row["due"]) == bool(row["days"]):
            raise CourseError(f"{where}: give either a new due date (due) or a number of days (days).")
        if row["days"]:
            days = number(row["days"], where, "days")
        else:
            try:
                due = datetime.fromisoformat(row["due"])
            except ValueError:
                raise CourseError(f"{where}: due: {row['due']!r} is no time: write 2026-10-09T23:00-04:00.") from None
            if len(row["due"]) <= len("2026-10-09"):
                due = datetime.combine(due.date(), time(23, 59, 59))
            if due.tzinfo is None:
                if policy is None:
                    continue  # no policy, nothing to extend
                due = due.replace(tzinfo=policy.due.tzinfo)
        key = plain_number(row["student"])
        if key in found:
            raise CourseError(f"{where}: {row['student']} has an extension in an earlier line.")
        found[key] = Extension(due, days, row["reason"])
    return found


def read_overrides(path: Path, assignment: Assignment) -> dict[str, dict[str, Override]]:
    """Columns: student, exercise, points, reason, who, when; assignment.

    Raises:
        CourseError: naming the line that cannot be understood.
    """
    found: dict[str, dict[str, Override]] = defaultdict(dict)
    needed = {"student", "exercise", "points", "reason", "who", "when"}
    for where, row in rows_of(path, assignment.slug, needed, {"assignment"}):
        if row["exercise"] not in assignment.exercises:
            raise CourseError(f"{where}: {assignment.slug} has no exercise {row['exercise']!r}.")
        if missing := [name for name in ("reason", "who", "when") if not row[name]]:
            raise CourseError(f"{where}: {missing[0]} is empty: an override says why, who and when.")
        key, points = plain_number(row["student"]), number(row["points"], where, "points")
        if row["exercise"] in found[key]:
            raise CourseError(f"{where}: {row['student']} has an override of {row['exercise']} in an earlier line.")
        found[key][row["exercise"]] = Override(row["exercise"], points, row["reason"], row["who"], row["when"])
    return dict(found)


def rows_of(path: Path, slug: str, needed: set[str], more: set[str]) -> list[tuple[str, dict[str, str]]]:
    """(file and line, row) of those rows that are about an assignment."""
    rows = []
    for place, row in read_table(path, needed, more):
        where = f"{path.name}, line {place}"
        if not row["student"]:
            raise CourseError(f"{where}: student is empty: give an id, an email or a student number.")
        if row.get("assignment", "") in ("", slug):
            rows.append((where, {name: row.get(name, "") for name in needed | more}))
    return rows


def number(text: str, where: str, column: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < 1e6:
        raise CourseError(f"{where}: {column}: {text!r} is no number of 0 or more.")
    return value


# ---------------------------------------------------------------- slip days


def spend_slip_days(
    ledger: Path, slug: str, entries: list[Entry], decisions: Decisions, allowance: int
) -> dict[str, int]:
    """How many of the days that every student has over the term each late submission spends: {id: days}.

    The ledger (columns student, assignment, days) holds what was spent; this assignment's rows are written anew, so
    that a second run spends nothing twice. Of a group everybody pays, and the member with fewest days left decides.
    """
    if decisions.policy is None:
        return {}
    spent: dict[str, int] = defaultdict(int)
    others: list[list[str | float | None]] = []
    for place, row in read_table(ledger, {"student", "assignment", "days"}, set()) if ledger.exists() else []:
        if row["assignment"] != slug:
            days = int(number(row["days"], f"{ledger.name}, line {place}", "days"))
            spent[plain_number(row["student"])] += days
            others.append([row["student"], row["assignment"], days])
    spends: dict[str, int] = {}
    rows: list[list[str | float | None]] = []
    for entry in entries:
        extension = decisions.extension_of(entry) or Extension()
        late = days_late(entry.submitted, extension.end(decisions.policy.due))
        people = [(keys_of_student(student) or keys_of(entry))[0] for student in entry.students] or keys_of(entry)[:1]
        left = min(allowance - spent[person] for person in people)
        days = max(0, min(left, math.ceil(late - decisions.policy.grace_days)))
        if days:
            spends[entry.id] = days
            rows += [[person, slug, days] for person in people]
    write_text(ledger, table_text([["student", "assignment", "days"], *others, *rows]))
    return spends
