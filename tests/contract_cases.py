"""What the tests of single answers share (test_contract_<slug>.py): an answer as text, and what it is told."""

import textwrap
from dataclasses import dataclass

from autograder.grading.grade import attempt
from autograder.grading.results import expected_tests
from autograder.grading.variants import Variant
from autograder.quality.bench import Bench


@dataclass(frozen=True)
class Case:
    """One function in the place of the reference's. `least`: how many tests have to fail."""

    exercise: str
    target: str
    name: str
    text: str
    least: int = 1

    def variant(self, bench: Bench) -> Variant:
        module = bench.assignment.exercises[self.exercise].module
        body = textwrap.dedent(self.text).strip()
        name = body.partition("(")[0].removeprefix("def ").strip()
        return Variant(name, self.exercise, self.target, "", module, body, 0)

    def __str__(self) -> str:
        return f"{self.exercise}-{self.name}"


def failures_of(bench: Bench, exercise: str, *variants: Variant) -> dict[str, str]:
    """{number: what is said} of the tests of an exercise that fail on the reference with these variants in it."""
    failed = {}
    with bench.runner(list(variants)) as runner:
        for test in expected_tests(bench.assignment):
            if test.exercise.id == exercise:
                _, error = attempt(bench.classes[test.class_name], test, runner)
                if error is not None:
                    failed[test.number] = str(error)
    return failed
