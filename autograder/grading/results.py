"""results.json: Gradescope's schema, complete from the first second, replaced atomically.

https://gradescope-autograders.readthedocs.io/en/latest/specs/
"""

import ast
import json
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from autograder.course import Assignment, CourseError, ExerciseSpec
from autograder.files import write_text

LEADS = {"misconception": "Likely cause: ", "repair": "Look at ", "relation": "", "crash": ""}  # before a cause


@dataclass(eq=False)
class TestResult:
    """One hidden test: what is known before it runs, and what came out."""

    exercise: ExerciseSpec
    class_name: str
    method: str
    place: int  # within its exercise, from 1
    title: str
    max_score: float
    score: float = 0.0
    output: str = "Not run: grading stopped before this test."
    misconception: str | None = None
    cause: str = ""  # what was said of the mistake, in whichever of the four ways of explain.py
    explained_by: str | None = None  # "misconception", "repair", "relation" or "crash"
    edit: str | None = None  # of a repair, for TAs only
    told_at: str = ""  # the number of an earlier test that was told the same cause
    status: str = "failed"
    failure: str | None = "not run"  # why, in one of few words: "wrong value", "refused", or the kind of a Failure

    @property
    def number(self) -> str:
        return f"{self.exercise.id}.{self.place}"

    def passed(self) -> None:
        self.score, self.output, self.status, self.failure = self.max_score, "Passed.", "passed", None

    def failed(self, sentence: str, failure: str) -> None:
        end = "" if sentence.endswith("?") else "."
        self.score, self.output, self.status, self.failure = 0.0, sentence.rstrip(".") + end, "failed", failure

    def explained(self, by: str, cause: str, *, misconception: str | None = None, edit: str | None = None) -> None:
        self.explained_by, self.cause, self.misconception, self.edit = by, cause, misconception, edit

    @property
    def hint(self) -> str:
        """The cause as students read it; "" where there is none."""
        return f"{LEADS[self.explained_by]}{self.cause}" if self.explained_by and self.cause else ""

    @property
    def told(self) -> str:
        """What students read of this test, before any cause: what was told once is not told again."""
        return f"Fails for the same reason as {self.told_at}." if self.told_at else self.output

    def to_json(self) -> dict:
        return {
            "number": self.number,
            "name": f"{self.number} {self.exercise.target}: {self.title}",
            "score": round(self.score, 4),
            "max_score": round(self.max_score, 4),
            "status": self.status,
            "output": f"{self.told} {'' if self.told_at else self.hint}".rstrip(),
            "output_format": "text",
            "visibility": "visible",
            "tags": [self.exercise.of],
            "extra_data": {
                "misconception": self.misconception,
                "cause": self.cause or None,
                "explained_by": self.explained_by,
                "edit": self.edit,
                "failure": self.failure,
            },
        }


@dataclass
class Report:
    """Everything that a grade has to say."""

    assignment: Assignment
    submission_id: str
    tests: list[TestResult]
    notes: list[str] = field(default_factory=list)
    extra: dict = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def score(self) -> float:
        return round(sum(test.score for test in self.tests), 4)

    @property
    def max_score(self) -> float:
        return round(sum(test.max_score for test in self.tests), 4)

    def by_exercise(self) -> dict[str, list[TestResult]]:
        groups: dict[str, list[TestResult]] = {name: [] for name in self.assignment.exercises}
        for test in self.tests:
            groups[test.exercise.id].append(test)
        return groups

    def tell_once(self) -> None:
        """Why a file or an exercise was not graded stands once, at its first test."""
        told: dict[str, str] = {}
        for test in self.tests:
            if test.failure == "refused":
                test.told_at = told.get(test.output, "")
                told.setdefault(test.output, test.number)

    def to_json(self) -> dict:
        return {
            "score": self.score,
            "execution_time": round(self.seconds, 3),
            "output": "\n".join(self.notes),
            "output_format": "text",
            "visibility": "visible",
            "stdout_visibility": "hidden",
            "tests": [test.to_json() for test in self.tests],
            "extra_data": {
                "assignment": self.assignment.slug,
                "submission": self.submission_id,
                "max_score": self.max_score,
                **self.extra,
            },
        }

    def write(self, path: Path) -> None:
        """Replace `path` in one step: whoever reads it finds the old results or the new, whole."""
        write_text(path, json.dumps(self.to_json(), indent=1, allow_nan=False))


def expected_tests(assignment: Assignment) -> list[TestResult]:
    """All hidden tests of an assignment, read from their source without running or importing anything.

    Raises:
        CourseError: if a test has no number or an unknown one, or an exercise has no test.
    """
    found: dict[str, list[tuple[str, str, str, float]]] = {name: [] for name in assignment.exercises}
    files = [(module, path) for module in assignment.modules for path in assignment.tests_files(module)]
    for module, path in files:
        if not path.exists():
            raise CourseError(f"{path.name} has no hidden tests: write {path}.")
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except SyntaxError as error:
            raise CourseError(f"{'/'.join(path.parts[-3:])}, line {error.lineno}: {error.msg}.") from None
        for definition in tree.body:
            if isinstance(definition, ast.ClassDef):
                for method in definition.body:
                    if isinstance(method, ast.FunctionDef) and method.name.startswith("test_"):
                        exercise, weight = marks(method, path, module, assignment)
                        title = " ".join((ast.get_docstring(method) or method.name).split("\n\n")[0].split())
                        found[exercise].append((definition.name, method.name, title, weight))
    tests = []
    for name, entries in found.items():
        if not entries:
            raise CourseError(f"{assignment.slug} has no hidden test for {name}.")
        spec = assignment.exercises[name]
        points = shares(spec.points, [weight for *_, weight in entries])
        for place, ((class_name, method_name, title, _), most) in enumerate(zip(entries, points, strict=True), start=1):
            tests.append(TestResult(spec, class_name, method_name, place, title.rstrip("."), most))
    return tests


def shares(points: float, weights: list[float]) -> list[float]:
    """Points in proportion to weights, in steps of 0.0001, so that those of a results.json add up to `points`."""
    total = sum(weights) or 1.0
    ends = [round(points * sum(weights[:count]) / total, 4) for count in range(len(weights) + 1)]
    return [round(end - start, 4) for start, end in pairwise(ends)]


def marks(method: ast.FunctionDef, path: Path, module: str, assignment: Assignment) -> tuple[str, float]:
    """The exercise and the weight of a test, from its @number and @weight."""
    values: dict[str, Any] = {
        d.func.id: d.args[0].value
        for d in method.decorator_list
        if isinstance(d, ast.Call) and isinstance(d.func, ast.Name) and d.args and isinstance(d.args[0], ast.Constant)
    }
    exercise = values.get("number")
    if exercise not in assignment.exercises:
        where = f"{path.name}, line {method.lineno}: {method.name}"
        raise CourseError(f"{where} needs @number with an exercise of {assignment.slug}, not {exercise!r}.")
    if assignment.exercises[exercise].module != module:
        raise CourseError(f"{path.name}, line {method.lineno}: {exercise} belongs to another file.")
    return exercise, float(values.get("weight", 1))


# ---------------------------------------------------------------- for people


def table(report: Report) -> str:
    """The grade as a person reads it in a terminal: one row an exercise, and what went wrong under it."""
    lines = [f"{report.assignment.title}  [{report.assignment.slug}]  submission {report.submission_id}", ""]
    missing = report.extra.get("isolation", {}).get("missing", {})
    notes = [*report.notes, *(f"isolation: no {name} ({reason})" for name, reason in missing.items())]
    lines += [f"  note: {note}" for note in notes] + ([""] if notes else [])
    width = max(len(spec.of) for spec in report.assignment.exercises.values())
    for name, tests in report.by_exercise().items():
        if not tests:
            continue  # --only: it was left out
        spec = report.assignment.exercises[name]
        score, passed = sum(test.score for test in tests), sum(test.status == "passed" for test in tests)
        mark = "ok  " if passed == len(tests) else "FAIL"
        counted = f"{passed}/{len(tests)} tests"
        lines.append(f"  {mark}  {name:<6} {spec.of:<{width}}  {counted:>11}  {score:6.2f} / {spec.points:g}")
        said: dict[str, list[str]] = {}
        for test in tests:
            if test.status != "passed":
                said.setdefault(test.told, []).append(test.number)
        lines += [f"          {' '.join(numbers)}: {sentence}" for sentence, numbers in said.items()]
        lines += [f"          {hint}" for hint in dict.fromkeys(test.hint for test in tests) if hint]
    lines += ["", f"  total {report.score:g} / {report.max_score:g}   ({report.seconds:.1f} s)"]
    return "\n".join(lines)
