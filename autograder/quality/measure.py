"""How well do the hidden tests tell right from wrong? Both errors of one assignment, measured.

Wrong answers must lose points: every misconception (caught, nothing else hurt, explained by its own sentence), every
mutant, and every degenerate or wrapped answer. Right answers must not: every alternative, and the reference with other
inputs, as every submission has its own.
"""

import math
import time
from dataclasses import dataclass, field

from autograder.course import Assignment, load_assignment
from autograder.grading.forkserver import Verdict
from autograder.grading.variants import Variant
from autograder.quality.alternatives import alternatives_in_groups
from autograder.quality.bench import Bench, Fate, Kill, Pool
from autograder.quality.degenerate import Made, argument_for, arguments_about, made_answers, problems_of
from autograder.quality.false_alarms import FalseAlarms, false_alarms
from autograder.quality.misconceptions import judge, known_misconceptions
from autograder.quality.mutants import Mutant, equivalents, mutants

KEYS = 200  # other inputs that the reference is graded with


@dataclass
class Accuracy:
    """What was measured on one assignment."""

    assignment: Assignment
    misconceptions: list[tuple[Variant, Verdict]] = field(default_factory=list)
    mutants: list[tuple[Mutant, Kill | None]] = field(default_factory=list)
    argued: dict[str, dict[str, str]] = field(default_factory=dict)  # module -> {key: argument}
    made: list[tuple[Made, Fate]] = field(default_factory=list)  # degenerate and wrapped answers
    made_argued: dict[str, str] = field(default_factory=dict)  # pattern of keys -> argument
    alternatives: list[tuple[Variant, list[str]]] = field(default_factory=list)  # and what it is told, wrongly
    reference: FalseAlarms = field(default_factory=FalseAlarms)
    others: FalseAlarms = field(default_factory=FalseAlarms)  # of alternatives, with other keys
    seconds: float = 0.0

    def survivors(self) -> list[Mutant]:
        """Mutants that no test notices, and that nobody has argued about."""
        return [m for m, kill in self.mutants if kill is None and m.key not in self.argued.get(m.module, {})]

    def equivalent(self) -> list[tuple[Mutant, str]]:
        """Mutants that no test notices, each with the argument why none should."""
        alive = [m for m, kill in self.mutants if kill is None and m.key in self.argued.get(m.module, {})]
        return [(mutant, self.argued[mutant.module][mutant.key]) for mutant in alive]

    def stale(self) -> list[str]:
        """Arguments about mutants that do not exist, or that a test kills."""
        alive = {(m.module, m.key) for m, kill in self.mutants if kill is None}
        known = {(m.module, m.key) for m, _ in self.mutants}
        return [
            f"{module}: {key}: {'a test kills this mutant' if (module, key) in known else 'there is no such mutant'}"
            for module, arguments in self.argued.items()
            for key in arguments
            if (module, key) not in alive
        ]

    def made_problems(self) -> tuple[list[str], list[tuple[str, str]]]:
        """What is wrong about degenerate and wrapped answers: keys without an argument, and (key, argument) pairs."""
        keys = [key for answer, fate in self.made for key in problems_of(answer, fate)]
        patterns = {key: argument_for(key, self.made_argued) for key in keys}
        open_ones = [key for key in keys if patterns[key] is None]
        return open_ones, [(key, self.made_argued[pattern]) for key, pattern in patterns.items() if pattern]

    def problems(self) -> list[str]:
        """All that is not as it should be, one sentence each."""
        found = [f"misconception {v.name}: {said}" for v, verdict in self.misconceptions if (said := judge(v, verdict))]
        found += [f"mutant {m.name} survives: {m.module}.py: {m.sentence}" for m in self.survivors()]
        found += [f"equivalents/{self.assignment.slug}.toml: {entry}" for entry in self.stale()]
        found += [f"degenerate or wrapped answer: {key}" for key in self.made_problems()[0]]
        found += [f"alternative {v.name}: {said[0]}" for v, said in self.alternatives if said]
        return found + [f"false alarm: {failure}" for failure in [*self.reference.failures, *self.others.failures]]


def measure(slug: str, keys: int = KEYS) -> Accuracy:
    """Everything about one assignment."""
    started = time.monotonic()
    assignment = load_assignment(slug)
    groups = alternatives_in_groups(assignment)
    found = Accuracy(assignment, argued={module: equivalents(assignment, module) for module in assignment.modules})
    with Pool(slug) as pool:
        wrong = known_misconceptions(assignment)
        found.misconceptions = list(
            zip(wrong, pool.map("misconceptions", Bench.verdict, [[v] for v in wrong]), strict=True)
        )
        changed = [mutant for module in assignment.modules for mutant in mutants(assignment, module)]
        found.mutants = list(zip(changed, pool.map("mutants", Bench.kill, changed), strict=True))
        rule_made = [answer for module in assignment.modules for answer in made_answers(assignment, module)]
        found.made = list(zip(rule_made, pool.map("degenerate", Bench.fate, rule_made), strict=True))
        found.made_argued = arguments_about(assignment)
        alone = [[variant] for group in groups for variant in group]
        verdicts = pool.map("alternatives", Bench.verdict, alone)
        found.alternatives = [(v, verdict.outputs) for (v,), verdict in zip(alone, verdicts, strict=True)]
        found.reference = false_alarms(pool, [[]], keys)
        found.others = false_alarms(pool, groups, math.ceil(keys / 10))
    found.seconds = time.monotonic() - started
    return found
