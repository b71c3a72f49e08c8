"""Which small edit of the student's own function would make every test of the exercise pass?

Trusted side. The edits are made by rule inside the sandbox (sandbox/edits.py), from nothing but the student's source,
and are numbers here; the tests run here as always, with a runner whose student is the edited function. An edit that
all tests of the exercise accept is a proof that the mistake can be put right in its line. Nothing that is expected
ever travels into the sandbox, and no score depends on any of this.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from autograder.grading.runner import OutOfTime
from autograder.grading.search import PROOF_SECONDS, Search
from autograder.sandbox.client import wire

KINDS = {  # what a student reads of an edit; {0} and {1} are words of the student's own line
    "sign": "a sign is wrong",
    "operator": "an arithmetic operator is wrong",
    "order": "two operands are the wrong way round",
    "brackets": "the brackets group the wrong terms",
    "arguments": "the arguments of `{0}` are in the wrong order",
    "argument": "an argument of `{0}` is missing, or one too many",
    "constant": "a number is wrong",
    "factor": "a number is missing as a factor or a term",
    "index": "an index or a bound is off by one",
    "functions": "`{0}` and `{1}` are confused",
    "extra call": "`{0}` does not belong here",
    "missing call": "{0} is missing",
    "name": "`{0}` stands where something else belongs",
    "dim": "`dim` is wrong or missing",
    "keepdim": "`keepdim` is wrong or missing",
    "shape": "a value has the wrong shape: a dimension is missing, or is in the wrong place",
    "reduction": "a sum or a mean is missing",
    "extra": "`{0}` does not belong here",
    "missing": "a term or a factor is missing",
    "detach": "a gradient has to be stopped here",
    "return": "a `return` is missing",
    "early return": "`return` stands inside the loop, which so ends in its first pass",
    "condition": "the condition is wrong",
    "branch": "this must not depend on the condition",
    "no gradient": "no gradient flows through what stands under `no_grad`",
    "statement": "this statement does not belong here",
    "missing statement": "a call of `{0}` is missing before this line",
    "sequence": "two statements are in the wrong order",
    "sequence of values": "two values are in the wrong order",
    "loop": "the loop runs in the wrong direction",
    "subscript": "the index in `{0}` does not belong here",
    "accumulated": "what is added up here has to be replaced instead",
    "overwritten": "what is replaced here has to be added up (or multiplied) instead",
    "unused": "the argument `{0}` is not used",
    "exchanged": "what belongs to `{0}` and what belongs to `{1}` is confused",
    "signs": "the signs of several values are wrong",
    "moved": "`{0}` is taken at the wrong place of the formula: too early, or too late",
    "random shape": "the random numbers have another shape than they should, so that they are shared",
    "fresh": "`{0}` is used where new random numbers belong",
    "not fresh": "random numbers are drawn anew where `{0}` belongs",
    "not None": "`{0}` is handed over where None belongs",
    "target": "what is computed here goes to `{0}`, and the code goes on with another name, `{1}`",
    "one for each": "one number stands where one for each row belongs",
    "missing condition": "what is added here depends on a condition that is missing",
    "needs no gradient": "this has to run without gradients, under `torch.no_grad()`",
    "copy": "`{0}` is changed, or handed on, where a copy of it belongs",
    "default": "`{0}` may be None, and then nothing takes its place",
    "in place": "this changes a tensor in place that others still need",
}
AMBIGUOUS = "a factor is wrong or missing, or a sum or a mean is another one than it should be"
EXERCISE_SECONDS, GRADE_SECONDS = 1.0, 20.0
BUSY = 3  # seconds by the clock for one of computing, at most


@dataclass
class Budget:
    """Seconds that a grade has for repairs; exercises of several files may spend it at once."""

    left: float = GRADE_SECONDS
    busy: float = BUSY
    spent: list[float] = field(default_factory=list)  # by failed exercise, for measurements
    late: int = 0  # searches that ran out of time


@dataclass(frozen=True)
class Repair:
    """Edits, in the words for students (`kinds`, by line) and for TAs (`edit`).

    fixed, further, beside: numbers of tests that failed; with it they pass, get further, or see nothing of it.
    """

    places: tuple[str, ...]  # "q1_vae.py, line 12"
    kinds: tuple[str, ...]  # one of KINDS each
    edit: str
    fixed: tuple[str, ...] = ()
    further: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()

    def sentence(self, hints: str) -> str:
        """What the student reads. hints: "line" or "kind"."""
        one = "one small change" if len(self.places) == 1 else f"{len(self.places)} small changes"
        passing = "every test of this exercise passes"
        if self.further or self.beside:
            passing = f"{several(self.fixed)} {'pass' if self.fixed[1:] else 'passes'}"
        if self.further:
            gets = "get" if self.further[1:] else "gets"
            passing += f", and {several(self.further)} {gets} further, to another mistake"
        if self.beside:
            passing += "; what else fails here has another cause"
        proof = f"(with {one} there, {passing})"
        if hints == "line":
            return f"{' and '.join(self.places)} {proof}."
        said = "; ".join(f"{place}: {kind}" for place, kind in zip(self.places, self.kinds, strict=True))
        return f"{said} {proof}."


def repair(tests: list, failed: list, run: Any, runner: Any, budget: Budget) -> Repair | None:
    """The edit of the student's function that all tests of an exercise accept.

    Args:
        tests: all tests of the exercise; failed: those that failed, in their order.
        run: run(test, runner) -> (case, error).
        runner: the one that the tests ran with.
    """
    if budget.left <= 0:
        return None
    search = None
    try:
        search = Search(tests, failed, run, runner, min(EXERCISE_SECONDS, budget.left), budget.busy)
        numbers = search.proven()
        if not numbers:
            return None
        look = next(iter(search.looks.values()))
        said = worded(search.bench.describe(look, numbers, PROOF_SECONDS))
        further, beside = (tuple(test.number for test in tests) for tests in (search.further, search.beside))
        fixed = tuple(sorted({test.number for test in failed} - {*further, *beside}))
        if search.is_ambiguous(numbers):
            said = replace(said, kinds=(AMBIGUOUS,))
        return replace(said, fixed=fixed, further=further, beside=beside)
    except OutOfTime:
        return None
    finally:
        took = search.elapsed() if search else 0.0
        budget.left -= took
        budget.spent.append(took)
        budget.late += search is None or not search.in_time


def several(numbers: tuple[str, ...]) -> str:
    return f"{', '.join(numbers[:-1])} and {numbers[-1]}" if numbers[1:] else numbers[0]


def worded(described: list[dict]) -> Repair:
    """A description from the sandbox, as text that can be shown."""
    places, kinds, changes = [], [], []
    for entry in described:
        place = f"{wire.plain_text(entry['file'], 60)}, line {int(entry['line'])}"
        words = [wire.plain_text(word, 40) for word in entry["words"]] + ["", ""]
        places.append(place)
        kinds.append(KINDS.get(entry["kind"], KINDS["statement"]).format(*words))
        changes.append(f"{place}: {wire.plain_text(entry['before'], 160)} -> {wire.plain_text(entry['after'], 160)}")
    return Repair(tuple(places), tuple(kinds), "; ".join(changes))
