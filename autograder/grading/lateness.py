"""Late work: one policy, applied in the run on Gradescope and in a batch by the same function.

course.toml says the policy; the times come from Gradescope's metadata. Everything is compared as moments in UTC and
printed in the zone of the due date, whichever zones the metadata are written in.
"""

import json
import math
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from autograder.course import CourseError, course

LATE = "Late"  # the number of the line in results.json
DAY = timedelta(days=1)


@dataclass(frozen=True)
class LatePolicy:
    due: datetime
    grace_days: float  # started days that cost nothing
    penalty_per_day: float  # of what the submission scored


@dataclass(frozen=True)
class Extension:
    """More time for one student: a later due date, days after the usual one, or days that cost nothing."""

    due: datetime | None = None
    days: float = 0
    reason: str = ""

    def end(self, due: datetime) -> datetime:
        """The due date of this student; never before everybody's."""
        return max(due, self.due or due, due + self.days * DAY)


@dataclass(frozen=True)
class Metadata:
    """What Gradescope's submission_metadata.json says that a grade needs."""

    id: str | None = None
    submitted: datetime | None = None
    due: datetime | None = None


def read_metadata(path: Path | None) -> Metadata:
    """https://gradescope-autograders.readthedocs.io/en/latest/submission_metadata/; no grade fails for want of it."""
    try:
        data = json.loads(path.read_text(encoding="utf-8")) if path else {}
        due = moment((data.get("assignment") or {}).get("due_date"))
        return Metadata(str(data["id"]) if data.get("id") else None, moment(data.get("created_at")), due)
    except (OSError, ValueError, AttributeError) as error:
        print(f"{path} cannot be read ({error}); the folder's name is used as id", file=sys.stderr)
        return Metadata()


def moment(value: Any) -> datetime | None:
    """A time as Gradescope writes it; without a zone it is UTC. None where it is no time."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip().replace(" UTC", "+00:00"))
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def late_policy(slug: str, due: datetime | None = None) -> LatePolicy | None:
    """The policy in course.toml; None where it is off.

    Args:
        due: as the platform says it, which knows of the student's own extension; else course.toml's counts.
    Raises:
        CourseError: if it is on, and nothing says when the assignment is due.
    """
    settings = course()
    due = due or settings.due.get(slug)
    if not settings.late.enabled:
        return None
    if due is None:
        raise CourseError(f"course.toml: [late] is enabled, so [due] needs {slug}, as a time with a zone.")
    return LatePolicy(due, settings.late.grace_days, settings.late.penalty_per_day)


def days_late(submitted: datetime | None, due: datetime) -> int:
    """Started days after the due date."""
    return max(0, math.ceil((submitted - due) / DAY)) if submitted else 0


def with_late_line(
    results: dict,
    submitted: datetime | None,
    policy: LatePolicy | None,
    extension: Extension | None = None,
    slip_days: int = 0,
) -> dict:
    """The results with the policy applied as a line of its own, in the place of an earlier one.

    Args:
        results: as in results.json.
        submitted: when it was handed in; None where nobody knows.
        policy: None takes the line away.
        extension: of this student.
        slip_days: days that this student spends of those that everybody has over the term.
    """
    tests = [test for test in results["tests"] if test["number"] != LATE]
    score = round(sum(test["score"] for test in tests), 4)
    extra = {key: value for key, value in results["extra_data"].items() if key != "late"}
    penalty = 0.0
    if policy and submitted and submitted > policy.due:
        extension = extension or Extension()
        due = extension.end(policy.due)
        days = days_late(submitted, due)
        share = min(1.0, max(0.0, days - policy.grace_days - slip_days) * policy.penalty_per_day)
        penalty = round(share * max(0.0, score), 4)
        zone = policy.due.tzinfo
        shown = [m.astimezone(zone).strftime("%Y-%m-%d %H:%M %Z") for m in (submitted, policy.due, due)]
        parts = [f"Handed in {shown[0]}, due {shown[1]}"]
        if due > policy.due:
            parts.append(f"extended to {shown[2]}" + (f" ({extension.reason})" if extension.reason else ""))
        parts.append(f"{counted(days, 'started day')} late" if days else "in time")
        if days:
            parts += [f"{policy.grace_days:g} of grace"] if policy.grace_days else []
            parts += [counted(slip_days, "slip day")] if slip_days else []
            parts.append(f"{policy.penalty_per_day:.0%} a day: {share:.0%} of {score:g} points")
        extra["late"] = {"days": days, "grace_days": policy.grace_days, "slip_days": slip_days, "penalty": penalty}
        extra["late"] |= {"extension": extension.reason or "extended"} if due > policy.due else {}
        tests.append(line(LATE, "Late work", -penalty, ", ".join(parts) + "."))
    return results | {"tests": tests, "score": round(score - penalty, 4), "extra_data": extra}


def counted(number: int, noun: str) -> str:
    """1 day, 2 days"""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def line(number: str, name: str, points: float, sentence: str) -> dict:
    """A line of results.json that is no test: points added or taken away, and why."""
    said = {"number": number, "name": name, "score": round(points, 4) + 0.0, "max_score": 0.0}
    said |= {"status": "passed" if points >= 0 else "failed", "output": sentence, "output_format": "text"}
    return said | {"visibility": "visible", "tags": [], "extra_data": {}}
