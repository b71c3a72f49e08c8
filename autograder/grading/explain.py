"""Why an exercise's tests failed, in the order of certainty: a misconception, a repair, a relation, a crash.

Each is checked before it is said: a misconception gives the student's numbers and passes what the student passes, a
repair makes all tests pass, a relation holds between what was found and what is right, a crash is a fact. What none
explains stays unexplained: a sentence that is not true of the code is worse than none.
"""

import time
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from autograder.grading.compare import numbers_in, same_outcome
from autograder.grading.crashes import crash
from autograder.grading.exercise import Exercise, Runner, Seen
from autograder.grading.relations import relations, the_one
from autograder.grading.repair import EXERCISE_SECONDS, Budget, repair
from autograder.grading.results import TestResult
from autograder.grading.runner import Reference
from autograder.grading.variants import Variant, misconceptions
from autograder.sandbox.messages import Failure, Look

MANY = 200  # rows that a law can be seen in


@dataclass
class Ran:
    """A hidden test that ran: what it saw, and why it failed, if it did."""

    test: TestResult
    case: Exercise
    error: Exception | None
    seconds: float = 0.0

    @property
    def seen(self) -> list[Seen]:
        return self.case.seen

    @property
    def alone(self) -> list[Seen]:
        """What it saw, the look that failed without stand-ins; empty where this look had none."""
        return [*self.seen[:-1], self.case.alone] if self.case.alone else []

    @property
    def special(self) -> bool:
        """Whether it asks about gradients or special inputs."""
        return hasattr(getattr(self.case, self.test.method), "__special__")

    @property
    def failure(self) -> Failure | None:
        return getattr(self.error, "failure", None)


class Mistaken:
    """A runner whose student is the reference with one misconception in it."""

    def __init__(self, reference: Reference, misconception: Variant, like: Runner):
        self.oracle, self.module = reference, reference.variant(misconception)
        self.key, self.student_number = like.key, like.student_number

    def student(self, look: Look) -> Any:
        return self.oracle.see(look, self.module)

    def reference(self, look: Look) -> Any:
        return self.oracle.see(look)

    def shared(self, module: str) -> "Mistaken":
        return copy(self)


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
        for way in (self.by_misconception, self.by_repair, self.by_relation, self.by_crash, self.by_law):
            if waiting := [ran for ran in failed if not ran.test.explained_by]:
                way(runs, waiting)
        told: dict[str, str] = {}
        for ran in failed:  # the same cause is told once
            if ran.test.cause:
                ran.test.told_at = told.get(ran.test.cause, "")
                told.setdefault(ran.test.cause, ran.test.number)
        plain = [ran for ran in runs if ran.error and not ran.special]
        for ran in failed:  # nor is a wrong value told as if gradients, shapes or large numbers were to blame
            if plain and ran.special and not ran.failure and not ran.test.cause:
                ran.test.output = f"It is wrong in this test, too: look at {plain[0].test.number} first."

    # ------------------------------------------------------------ misconceptions

    def by_misconception(self, runs: list[Ran], waiting: list[Ran]) -> None:
        """The misconception that gives the student's numbers, if it passes what the student passes."""
        matches: dict[str, list[Ran]] = {}
        known = {m.name: m for m in self.known(waiting[0])}
        for ran in waiting:
            for m in known.values():
                if self.gives(m, ran.seen) or (ran.alone and self.gives(m, ran.alone)):
                    matches.setdefault(m.name, []).append(ran)
        passed = [ran for ran in runs if not ran.error]
        for name in sorted(matches, key=lambda name: -len(matches[name])):
            told = [ran for ran in matches[name] if not yes_or_no(ran.seen[-1])] or matches[name]
            left = [ran for ran in told if not ran.test.explained_by]
            if not left or not self.passes_with(known[name], passed):
                continue
            some = len(matches[name]) < len(waiting)  # the student makes another mistake, and this may be a trace of it
            if some and all(ran.special for ran in matches[name]):
                continue  # where inputs are special, different formulas come to the same
            if not any(informative(self.wrong(ran.seen)) for ran in left):
                if some:
                    continue
                rivals = [other for other, found in matches.items() if found == matches[name] and other != name]
                if any(self.passes_with(known[other], passed) for other in rivals):
                    continue  # several mistakes come to this
            sure = any(has_one_cause(ran.seen) for ran in matches[name])
            sentence = known[name].sentence if sure else f"probably: {known[name].sentence}"
            for ran in left:
                ran.test.explained("misconception", sentence, misconception=name)

    def known(self, ran: Ran) -> list[Variant]:
        if self.unknown is None:
            return []
        spec = ran.test.exercise
        known = misconceptions(self.reference.assignment, spec.module)
        return [m for m in known if m.exercise == spec.id and m.name not in self.unknown]

    def wrong(self, seen: list[Seen]) -> list[Seen]:
        """Those that did not see what they see on the reference: right numbers are no evidence of a mistake."""
        return [s for s in seen if not same_outcome(s.outcome, self.reference.see(s.look))]

    def gives(self, misconception: Variant, seen: list[Seen]) -> bool:
        module = self.reference.variant(misconception)
        return all(same_outcome(s.outcome, self.reference.see(s.look, module)) for s in seen)

    def passes_with(self, misconception: Variant, passed: list[Ran]) -> bool:
        """Whether a misconception passes the tests that the student passed; else the mistake is another one."""
        mistaken = Mistaken(self.reference, misconception, self.runner)
        return all(self.run(ran.test, mistaken)[1] is None for ran in passed)

    def by_law(self, runs: list[Ran], waiting: list[Ran]) -> None:
        """The one misconception whose random numbers follow the law of the student's, drawn in another order or way."""
        for seen in filter(None, (waiting[0].seen, waiting[0].alone)):
            if found := self.follows(runs, waiting[0], [s for s in seen if not isinstance(s.outcome, Failure)]):
                sentence = f"probably: {found.sentence}"
                return waiting[0].test.explained("misconception", sentence, misconception=found.name)

    def follows(self, runs: list[Ran], ran: Ran, seen: list[Seen]) -> Variant | None:
        """The misconception whose samples follow the law of those that were seen; None where none or several do."""
        if not any(len(numbers) >= MANY for s in seen for numbers in numbers_in(s.outcome) if numbers.dim()):
            return None
        if all(same_law(s.outcome, self.reference.see(s.look)) for s in seen):
            return None  # this law is right
        started, found = time.thread_time(), []
        for misconception in self.known(ran):
            if time.thread_time() > started + EXERCISE_SECONDS:
                return None
            module = self.reference.variant(misconception)
            if all(same_law(s.outcome, self.reference.see(s.look, module)) for s in seen):
                found.append(misconception)
        alone = len(found) == 1 and self.passes_with(found[0], [ran for ran in runs if not ran.error])
        return found[0] if alone else None

    # ------------------------------------------------------------ the other ways

    def by_repair(self, runs: list[Ran], waiting: list[Ran]) -> None:
        """The edit of the student's function that makes all tests of the exercise pass."""
        if any(ran.error and hopeless(ran) for ran in runs):
            return
        # First those that compare a value, which is seen at once, then the quickest.
        wrong = [ran for ran in runs if ran.error]
        wrong.sort(key=lambda ran: (ran not in waiting, not comparing(ran), ran.seconds))
        failed = [ran.test for ran in wrong]
        if found := repair([ran.test for ran in runs], failed, self.run, self.runner, self.budget):
            sentence = "" if self.hints == "none" else found.sentence(self.hints)
            for ran in waiting:
                if ran.test.number not in found.beside:
                    ran.test.explained("repair", sentence, edit=found.edit)

    def by_crash(self, runs: list[Ran], waiting: list[Ran]) -> None:
        """What usually causes the exception."""
        places: dict[str, str] = {}  # one place is told once, with the shapes of the first time
        for ran in waiting:
            if ran.failure and (sentence := crash(ran.failure)):
                ran.test.explained("crash", places.setdefault(ran.failure.type + ran.failure.place, sentence))

    def by_relation(self, runs: list[Ran], waiting: list[Ran]) -> None:
        """What relates the numbers that were found to those that are right, in every test that compares values."""
        passes = any(not ran.error for ran in runs)
        related = {ran.test.number: self.relations(ran, passes) for ran in waiting if not ran.failure}
        shown = [said for said in related.values() if said is not None]
        if shown and (sentence := the_one(set.intersection(*shown))):
            for ran in waiting:
                if related.get(ran.test.number):
                    ran.test.explained("relation", sentence)

    def relations(self, ran: Ran, elsewhere: bool) -> set[str] | None:
        """The relations that one test shows; None where it could not show any. elsewhere: other tests pass."""
        if any(is_about_gradients(seen.look) for seen in ran.seen):
            return None
        if compared := getattr(ran.error, "compared", None):
            found, expected, terms = compared
            if said := relations(found, expected, ran.seen[-1].look, terms, elsewhere):
                return said
        pairs = [(seen, self.reference.see(seen.look)) for seen in ran.seen]
        told = [relations(seen.outcome, expected, seen.look, elsewhere=elsewhere) for seen, expected in pairs]
        wrong = [said for said, (seen, expected) in zip(told, pairs, strict=True)
                 if said or not same_outcome(seen.outcome, expected)]  # fmt: skip
        return set.intersection(*wrong) if wrong else set()


def is_about_gradients(look: Look) -> bool:
    """Whether a look returns gradients, which relate to the right ones in another way than values do."""
    code = getattr(look.function, "__code__", None)
    return code is not None and any(name in ("gradients", "backward", "grad") for name in code.co_names)


def comparing(ran: Ran) -> bool:
    """Whether a test failed where it compared a value, or where there was none."""
    return ran.failure is not None or getattr(ran.error, "compared", None) is not None


def hopeless(ran: Ran) -> bool:
    """Nothing to explain: it hangs, or it is not written yet."""
    return ran.failure is not None and (ran.failure.kind == "time" or ran.failure.unfinished)


def informative(seen: list[Seen]) -> bool:
    """Whether no two mistakes give these numbers by chance: some of them are no whole numbers, and differ."""
    numbers = [n.double().flatten() for s in seen if not isinstance(s.outcome, Failure) for n in numbers_in(s.outcome)]
    flat = torch.cat(numbers) if numbers else torch.empty(0)
    return len(flat[flat.isfinite() & (flat != flat.round())].unique()) >= 3


def yes_or_no(seen: Seen) -> bool:
    """Whether it is an answer that any mistake may give, such as "on another device: no", or a count."""
    values = seen.outcome if isinstance(seen.outcome, tuple) else (seen.outcome,)
    return all(isinstance(value, bool | int | str) for value in values)


def has_one_cause(seen: list[Seen]) -> bool:
    """Whether what was seen has one cause: not only an exception or NaN, which other mistakes lead to as well."""
    values = [s.outcome for s in seen if not isinstance(s.outcome, Failure)]
    numbers = [n for value in values for n in numbers_in(value)]
    return any(bool(n.isfinite().any()) for n in numbers) or bool(values and not numbers)


def same_law(one: Any, other: Any) -> bool:
    """Whether two sets of samples may come from one law: means and variances agree; everything else is the same."""
    if isinstance(one, tuple) and isinstance(other, tuple) and len(one) == len(other):
        return all(same_law(a, b) for a, b in zip(one, other, strict=True))
    if not (isinstance(one, Tensor) and isinstance(other, Tensor) and one.shape == other.shape and one.dim()):
        return same_outcome(one, other)
    if same_outcome(one, other):
        return True
    if len(one) < MANY or not one.is_floating_point() or not bool((one.isfinite() & other.isfinite()).all()):
        return False
    a, b = one.double().reshape(len(one), -1), other.double().reshape(len(other), -1)
    variance = (a.var(0) + b.var(0)) / 2
    near = (a.mean(0) - b.mean(0)).abs() <= 5 * (2 * variance / len(a)).sqrt() + 1e-6
    ratio = (a.var(0) / b.var(0)).log().abs() <= 5 * (4 / len(a)) ** 0.5
    return bool((near & (ratio | (variance < 1e-12))).all())
