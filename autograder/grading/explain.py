"""Why an exercise's tests failed, in the order of certainty: a misconception, a repair, a relation, a crash.

Each is checked before it is said: a misconception gives the student's numbers, a repair makes all tests pass, a
relation holds between what was found and what is right, a crash is a fact. What none explains stays unexplained: a
sentence that is not true of the code is worse than none.
"""

from collections.abc import Callable
from dataclasses import dataclass

from autograder.grading.compare import same_outcome
from autograder.grading.crashes import crash
from autograder.grading.exercise import Exercise, Runner, Seen
from autograder.grading.relations import relation
from autograder.grading.repair import Budget, repair
from autograder.grading.results import TestResult
from autograder.grading.runner import Reference
from autograder.grading.variants import Variant, misconceptions


@dataclass
class Ran:
    """A hidden test that ran: what it saw, and why it failed, if it did."""

    test: TestResult
    case: Exercise
    error: Exception | None

    @property
    def seen(self) -> list[Seen]:
        return self.case.seen


@dataclass
class Explainer:
    """What a grade explains its failures with.

    Args:
        runner: the one that the tests ran with.
        run: run(test, runner) takes a test again -> (case, error).
        hints: how much of a repair students are told: "none", "line" or "kind".
        unknown: names of misconceptions to leave out, for measurements; None leaves out all.
    """

    reference: Reference
    runner: Runner
    run: Callable
    budget: Budget
    hints: str = "kind"
    unknown: frozenset[str] | None = frozenset()

    def explain(self, runs: list[Ran]) -> None:
        """Say what is wrong in one exercise, on those of its tests that failed and can be explained."""
        failed = [ran for ran in runs if ran.error and ran.seen and not hopeless(ran)]
        self.by_misconception(failed)
        if waiting := [ran for ran in failed if not ran.test.explained_by]:
            self.by_repair(runs, waiting)
        crashes: dict[str, str] = {}  # one place is told once, with the shapes of the first time
        for ran in [ran for ran in failed if not ran.test.explained_by]:
            failure = getattr(ran.error, "failure", None)
            if failure and (sentence := crash(failure)):
                ran.test.explained("crash", crashes.setdefault(failure.type + failure.place, sentence))
            elif sentence := self.related(ran):
                ran.test.explained("relation", sentence)

    def by_misconception(self, failed: list[Ran]) -> None:
        """The misconception that gives the student's numbers; the one that explains most tests of the exercise wins."""
        found = {id(ran): self.misconceptions(ran) for ran in failed}
        votes = [m.name for candidates in found.values() for m in candidates]
        for ran in failed:
            if candidates := found[id(ran)]:
                best = max(candidates, key=lambda m: votes.count(m.name))
                ran.test.explained("misconception", best.sentence, misconception=best.name)

    def misconceptions(self, ran: Ran) -> list[Variant]:
        """The misconceptions of a test's exercise that give the student's numbers, look for look."""
        spec = ran.test.exercise
        if self.unknown is None:
            return []
        known = [m for m in misconceptions(self.reference.assignment, spec.module) if m.name not in self.unknown]
        return [m for m in known if m.exercise == spec.id and self.gives(m, ran.seen)]

    def gives(self, misconception: Variant, seen: list[Seen]) -> bool:
        module = self.reference.variant(misconception)
        return all(same_outcome(s.outcome, self.reference.see(s.look, module)) for s in seen)

    def by_repair(self, runs: list[Ran], waiting: list[Ran]) -> None:
        failed = [ran.test for ran in waiting]
        failed += [ran.test for ran in runs if ran.error and ran not in waiting]
        if not any(ran.error and hopeless(ran) for ran in runs) and (
            found := repair([ran.test for ran in runs], failed, self.run, self.runner, self.budget)
        ):
            sentence = "" if self.hints == "none" else found.sentence(self.hints)
            for ran in waiting:
                ran.test.explained("repair", sentence, edit=found.edit)

    def related(self, ran: Ran) -> str | None:
        """What relates the numbers that were found to those that are right, if that can be said in one way only."""
        if compared := getattr(ran.error, "compared", None):
            found, expected, terms = compared
            look = ran.seen[-1].look
            if sentence := relation(found, expected, look, terms):
                return sentence
        said = {relation(seen.outcome, self.reference.see(seen.look), seen.look) for seen in ran.seen}
        said.discard(None)
        return said.pop() if len(said) == 1 else None


def hopeless(ran: Ran) -> bool:
    """Nothing to explain: it hangs, or it is not written yet."""
    failure = getattr(ran.error, "failure", None)
    return failure is not None and (failure.kind == "time" or failure.unfinished)
