"""Hidden tests that fail on right answers, which they must not: the reference and the alternatives with many keys."""

import math
from dataclasses import dataclass, field

from autograder.grading.variants import Variant
from autograder.quality.bench import Bench, Pool


@dataclass
class FalseAlarms:
    """Hidden tests that ran on right answers, and those that failed."""

    tests: int = 0  # how many different ones
    runs: int = 0
    failures: list[str] = field(default_factory=list)  # of which answer, with which key, which test

    @property
    def bound(self) -> float:
        """The upper bound of the rate, at 95 % confidence: with no failure, 3 / runs."""
        return poisson_bound(len(self.failures)) / max(1, self.runs)


def poisson_bound(count: int) -> float:
    """The largest mean for which `count` or fewer events still have a probability of 5 %."""
    low, high = 0.0, 10.0 + 3 * count
    for _ in range(60):
        mean = (low + high) / 2
        likely = sum(math.exp(-mean + k * math.log(mean) - math.lgamma(k + 1)) for k in range(count + 1)) > 0.05
        low, high = (mean, high) if likely else (low, mean)
    return high


def false_alarms(pool: Pool, answers: list[list[Variant]], keys: int) -> FalseAlarms:
    """Grade right answers with the inputs of many keys."""
    cases = [(answer, key) for answer in answers for key in range(keys)]
    found = FalseAlarms()
    outcomes = pool.map("false alarms", Bench.false_alarms, *map(list, zip(*cases, strict=True))) if cases else []
    for (answer, key), (tests, failures) in zip(cases, outcomes, strict=True):
        found.tests = max(found.tests, tests)
        found.runs += tests
        name = "+".join(variant.name for variant in answer) or "the reference"
        found.failures += [f"{test} on {name}, key {key}" for test in failures]
    return found
