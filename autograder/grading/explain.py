"""Why a test failed: the misconception that gives the student's numbers."""

from autograder.grading.compare import same_outcome
from autograder.grading.exercise import Seen
from autograder.grading.results import TestResult
from autograder.grading.runner import Reference
from autograder.grading.variants import Variant, misconceptions


def explain(failed: dict[TestResult, list[Seen]], reference: Reference) -> None:
    """Say which misconception gives the student's numbers; the one that explains most tests of the exercise wins."""
    found = {test: explanations(reference, test, seen) for test, seen in failed.items()}
    votes = [m.name for candidates in found.values() for m in candidates]
    for test, candidates in found.items():
        if candidates:
            best = max(candidates, key=lambda m: votes.count(m.name))
            test.explained(best.name, best.sentence)


def explanations(reference: Reference, test: TestResult, seen: list[Seen]) -> list[Variant]:
    """The misconceptions of a test's exercise that give the student's numbers, look for look."""
    known = misconceptions(reference.assignment, test.exercise.module)
    return [m for m in known if m.exercise == test.exercise.id and gives(reference, m, seen)]


def gives(reference: Reference, misconception: Variant, seen: list[Seen]) -> bool:
    if not seen:
        return False
    module = reference.variant(misconception)
    return all(same_outcome(s.outcome, reference.see(s.look, module)) for s in seen)
