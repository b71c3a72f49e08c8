"""report.html: what a lecturer shows of a graded class, as data for its template. The page loads and runs nothing."""

import math
import re
import statistics
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

from autograder.classroom.gradebook import Row, exercise_of
from autograder.classroom.pages import Labels, environment
from autograder.classroom.similarity import Pair
from autograder.course import Assignment

KINDS = {
    "wrong value": "returned a wrong value",
    "unfinished": "not implemented yet",
    "exception": "raised an exception",
    "time": "ran out of time",
    "memory": "ran out of memory",
    "threads": "started too many threads",
    "disk": "wrote too much",
    "crash": "crashed the interpreter",
    "exit": "ended the interpreter",
    "reply": "returned what cannot be read",
    "refused": "missing, unreadable or ruled out",
    "not run": "not run, after a time limit",
    "sandbox": "the sandbox failed (ours)",
    "not graded": "the grader died (ours)",
}


@dataclass
class Item:
    """One exercise in the item analysis."""

    name: str
    of: str
    points: float
    difficulty: float | None  # the part of the points that the class got
    full: int | None  # submissions with full marks
    discrimination: float | None
    hardest: str  # the test that most failed
    hardest_share: float


@dataclass
class Cause:
    """A mistake, and who made it."""

    exercise: str
    sentence: str
    way: str  # how it was found: "misconception", "repair", "relation" or "crash"
    name: str  # of a misconception, or the edit of a repair
    who: set[str]


def page(assignment: Assignment, rows: list[Row], pairs: list[Pair], notes: list[str], labels: Labels) -> str:
    """The whole page.

    Args:
        rows: one a submission, at least one.
        pairs: similar files, the most alike first.
        notes: what was understood of the input; printed as they are, but not where names are hidden.
        labels: how submissions are called.
    """
    scores = [row.score for row in rows]
    points = rows[0].results["extra_data"]["max_score"]  # of the exercises that were graded
    numbers = {
        "submissions": f"{len(rows)}",
        "mean": f"{statistics.mean(scores):.1f}",
        "median": f"{statistics.median(scores):.1f}",
        "spread (s.d.)": f"{statistics.pstdev(scores):.1f}",
        "full marks": f"{sum(row.score >= points - 1e-6 for row in rows)}" if points else "–",
        "zero": f"{sum(row.score <= 0 for row in rows)}",
    }
    return (
        environment()
        .get_template("report.html")
        .render(
            assignment=assignment,
            points=points,
            numbers=numbers,
            bins=histogram(scores, points),
            items=items(assignment, rows),
            causes=causes(rows),
            failures=failures(rows),
            flagged=[(row, labels.without_names(row, row.flags)) for row in rows if row.flags],
            slowest=sorted(rows, key=lambda row: -row.seconds)[:10],
            rows=sorted(rows, key=lambda row: labels[row.entry.id].lower()),
            pairs=pairs,
            notes=[] if labels.hidden else notes,
            labels=labels,
        )
    )


def histogram(scores: list[float], points: float) -> list[dict[str, Any]]:
    """Twenty bins: how many, and the places of bar and label in a drawing of 1000 x 220."""
    counts = [0] * 20
    for score in scores:
        counts[min(19, max(0, int(20 * score / points))) if points else 0] += 1
    tall = [196 * count / max(counts) for count in counts]
    places = zip(range(2, 1000, 50), counts, tall, strict=True)
    return [{"count": count, "x": x, "y": 220 - high, "height": high} for x, count, high in places]


def items(assignment: Assignment, rows: list[Row]) -> list[Item]:
    """The item analysis. An exercise without points has neither difficulty nor full marks."""
    graded = [row for row in rows if not row.died]
    found = []
    for name, spec in assignment.exercises.items():
        if not any(name in row.exercises for row in graded):
            continue
        item = [row.exercises.get(name, 0.0) for row in graded]
        rest = [sum(row.exercises.values()) - own for row, own in zip(graded, item, strict=True)]
        tests = [t for row in graded for t in row.tests if exercise_of(t) == name]
        lost = Counter(test["name"] for test in tests if test["status"] != "passed")
        hardest, count = lost.most_common(1)[0] if lost else ("", 0)
        found.append(
            Item(
                name,
                spec.of,
                spec.points,
                statistics.mean(item) / spec.points if spec.points else None,
                sum(value >= spec.points - 1e-6 for value in item) if spec.points else None,
                correlation(item, rest),
                hardest,
                count / len(graded),
            )
        )
    return found


def correlation(one: list[float], other: list[float]) -> float | None:
    """Pearson's; None where either does not vary."""
    if len(one) < 3:
        return None
    mean, other_mean = statistics.mean(one), statistics.mean(other)
    first, second = [a - mean for a in one], [b - other_mean for b in other]
    norm = math.sqrt(sum(a * a for a in first) * sum(b * b for b in second))
    return sum(a * b for a, b in zip(first, second, strict=True)) / norm if norm > 1e-9 else None


def causes(rows: list[Row]) -> list[Cause]:
    """What went wrong, the most frequent first, each with how it was found."""
    found: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    told: dict[tuple[str, str, str], tuple[str, str]] = {}
    for row in rows:
        for test in row.tests:
            extra = test.get("extra_data", {})
            way, name = extra.get("explained_by") or "", extra.get("misconception") or extra.get("edit") or ""
            if way or name:
                # The same mistake stands in other lines, and meets other shapes.
                key = exercise_of(test), PLACE.sub("", name or extra.get("cause") or ""), way
                found[key].add(row.entry.id)
                told.setdefault(key, (extra.get("cause") or "", name))
    ordered = sorted(found.items(), key=lambda entry: (-len(entry[1]), entry[0]))
    return [Cause(key[0], told[key][0], key[2], told[key][1], who) for key, who in ordered]


PLACE = re.compile(r"[\w.]+, line \d+:? ?|in `.*` \(.*?\): |Shapes there: .*")


def failures(rows: list[Row]) -> list[tuple[str, int, int]]:
    """(what the code did, tests, submissions), the most frequent first."""
    tests: Counter = Counter()
    who: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        for test in row.tests:
            if kind := test.get("extra_data", {}).get("failure"):
                tests[kind] += 1
                who[kind].add(row.entry.id)
    return [(KINDS.get(kind, kind), count, len(who[kind])) for kind, count in tests.most_common()]
