"""Which small edit of the student's own function would make every test of the exercise pass?

Trusted side. The edits are made by rule inside the sandbox (sandbox/edits.py), from nothing but the student's source,
and are numbers here; the tests run here as always, with a runner whose student is the edited function. An edit that
all tests of the exercise accept is a proof that the mistake can be put right in its line. Nothing that is expected
ever travels into the sandbox, and no score depends on any of this.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import combinations
from types import FunctionType
from typing import Any

import torch
from torch import Tensor

from autograder.grading.compare import difference, unsound
from autograder.grading.exercise import Wrong, lines_of
from autograder.grading.runner import OutOfTime
from autograder.sandbox.client import wire
from autograder.sandbox.look_tools import Watched
from autograder.sandbox.messages import Failure, Look
from autograder.sandbox.workbench import LOOK_SECONDS

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
SYMPTOMS = {  # which kinds of edits are tried first
    "nothing": frozenset({"return", "early return"}),
    "shape": frozenset({"reduction", "dim", "keepdim", "shape", "functions", "extra call", "subscript"}),
    "alike": frozenset({"random shape", "fresh", "one for each", "extra call"}),
    "raises": frozenset({"shape", "dim", "name", "functions", "extra call", "operator", "keepdim", "argument"}),
}
Path = tuple[int | str, ...]  # to a part of what a look saw
CHUNK = 48  # edits whose looks are taken in one request
EXERCISE_SECONDS, GRADE_SECONDS = 1.0, 20.0
BUSY = 3  # seconds by the clock for one of computing, at most
BLIND = 40  # edits of which a test has to see some
CONFIRMED = 2  # edits after which a test has to expect the same, until most others need no test to be refused
PROOF_SECONDS = 1.0  # more, to prove an edit that was found in time


@dataclass
class Budget:
    """Seconds that a grade has for repairs; exercises of several files may spend it at once."""

    left: float = GRADE_SECONDS
    busy: float = BUSY
    spent: list[float] = field(default_factory=list)  # by failed exercise, for measurements


@dataclass(frozen=True)
class Repair:
    """Edits, in the words for students (`kinds`, by line) and for TAs (`edit`).

    fixed: the numbers of the tests that failed and pass with it; empty where all tests of the exercise pass.
    """

    places: tuple[str, ...]  # "q1_vae.py, line 12"
    kinds: tuple[str, ...]  # one of KINDS each
    edit: str
    fixed: tuple[str, ...] = ()

    def sentence(self, hints: str) -> str:
        """What the student reads. hints: "line" or "kind"."""
        one = "one small change" if len(self.places) == 1 else f"{len(self.places)} small changes"
        passing = "every test of this exercise passes"
        if self.fixed:
            *several, last = self.fixed
            passing = f"{', '.join(several)} and {last} pass" if several else f"{last} passes"
            passing += "; what else fails here has another cause"
        proof = f"(with {one} there, {passing})"
        if hints == "line":
            return f"{' and '.join(self.places)} {proof}."
        said = "; ".join(f"{place}: {kind}" for place, kind in zip(self.places, self.kinds, strict=True))
        return f"{said} {proof}."


class Edited:
    """A runner whose student is the student's function with some edits made."""

    def __init__(self, search: "Search", numbers: tuple[int, ...]):
        self.search, self.numbers = search, numbers
        self.key, self.student_number = search.runner.key, search.runner.student_number
        self.seen: list[tuple] = []  # keys of the looks that were taken

    def student(self, look: Look) -> Any:
        self.seen.append(key_of(look))
        return self.search.outcome(look, self.numbers)

    def reference(self, look: Look) -> Any:
        return self.search.expected(look)


@dataclass(frozen=True)
class Screen:
    """What a test compared of one look, and with what."""

    key: tuple  # of the look
    path: Path
    expected: Any
    terms: int
    beside: bytes  # what the look saw beside it, of which a test may make what it expects

    def lets_through(self, seen: dict[tuple, dict[tuple[int, ...], Any]], numbers: tuple[int, ...]) -> bool:
        """Whether a test may accept what was seen with some edits."""
        outcome = seen[self.key].get(numbers)
        if isinstance(outcome, Failure):
            return False
        try:
            found = part_at(outcome, self.path)
        except (KeyError, IndexError, TypeError):
            return True
        right = difference(found, self.expected, self.terms, infinite=True) is None
        return right or bytes_of(without(outcome, self.path)) != self.beside


class Search:
    """For the edit that makes an exercise's tests pass."""

    def __init__(self, tests: list, failed: list, run: Any, runner: Any, budget: Budget):
        self.failed = failed
        self.passed = [test for test in tests if test not in failed]
        self.run, self.runner = run, runner
        self.started, self.busy = (time.monotonic(), time.thread_time()), budget.busy
        self.deadline = min(EXERCISE_SECONDS, budget.left)
        self.bench = runner.workbench(failed[0].exercise)
        self.seen: dict[tuple, dict[tuple[int, ...], Any]] = {}  # look -> edits -> outcome
        self.looks: dict[tuple, Look] = {}
        self.patience: dict[tuple, float] = {}  # seconds that a look may take with an edit: many times what it takes
        self.truth: dict[tuple, Any] = {}
        self.order: list[int] = []
        self.screens: list[Screen] = []
        self.telling: set[tuple] = set()  # the looks that a test failed with: what every edit is seen by first
        self.confirmed = 0  # how often a test expected the same after an edit
        self.tried: set[tuple] = set()  # what the looks saw with edits that a test was run on
        self.unedited: dict[tuple, Any] = {}
        self.in_time = True
        self.blind = False  # whether a test saw next to nothing of many edits: then another one is asked first
        self.proving = False
        self.lines: dict[Any, tuple[int, ...]] = {}  # how far a test gets without an edit
        self.left_over: list = []  # tests that fail still, of another cause

    def elapsed(self) -> float:
        """Seconds of computing, here and in the worker, or by the clock where these are many more: on a busy machine a
        search tries as much as on a quiet one, but may not hold a grade up."""
        computed = time.thread_time() - self.started[1] + self.bench.seconds
        return max(computed, (time.monotonic() - self.started[0]) / self.busy)

    # ------------------------------------------------------------ looks, each taken once

    def outcome(self, look: Look, numbers: tuple[int, ...]) -> Any:
        key = key_of(look)
        self.looks.setdefault(key, look)
        taken = self.seen.setdefault(key, {})
        if numbers not in taken:
            started = self.elapsed()
            patience = PROOF_SECONDS if self.proving else self.patience.get(key, LOOK_SECONDS)
            (taken[numbers],) = self.bench.outcomes(look, [numbers], self.left(), patience)
            self.patience.setdefault(key, min(LOOK_SECONDS, 0.02 + 10 * (self.elapsed() - started)))
        return taken[numbers]

    def left(self) -> float:
        """Seconds by the clock that the search may still take."""
        return self.busy * (self.deadline - self.elapsed())

    def expected(self, look: Look) -> Any:
        key = key_of(look)
        if key not in self.truth:
            self.truth[key] = self.runner.reference(look)
        return self.truth[key]

    def passes(self, test: Any, numbers: tuple[int, ...]) -> bool:
        return self.error(test, numbers) is None

    def advances(self, test: Any, numbers: tuple[int, ...]) -> bool:
        """Whether a test passes with an edit, or fails further on, where it has another cause."""
        error = self.error(test, numbers)
        return error is None or self.reached(test) < lines_of(error)

    def reached(self, test: Any) -> tuple[int, ...]:
        """How far a test gets without an edit."""
        if test not in self.lines:
            _, error = self.run(test, Edited(self, ()))
            if not isinstance(error, AssertionError):
                raise OutOfTime
            self.lines[test] = lines_of(error)
        return self.lines[test]

    def error(self, test: Any, numbers: tuple[int, ...]) -> Any:
        """What a test says of an edit."""
        if self.elapsed() > self.deadline:
            raise OutOfTime
        _, error = self.run(test, Edited(self, numbers))
        if isinstance(error, OutOfTime):
            raise error
        if self.screens and self.confirmed < CONFIRMED:
            self.confirm(error, numbers)
        if error is not None and not isinstance(error, AssertionError):
            return Wrong("")  # what came back was none of what the test can look at
        return error

    # ------------------------------------------------------------ searching

    def proven(self) -> tuple[int, ...] | None:
        """The first edit, or the first two, that mend what fails, by `mends`; None where there are none in time."""
        try:
            for first in self.failed:
                case, error = self.run(first, Edited(self, ()))
                if error is None or isinstance(error, OutOfTime):
                    return None  # it fails only beside other looks: no edit of this function could show anything
                self.screens, self.confirmed = self.screens_of(error), 0
                self.telling = {screen.key for screen in self.screens} or self.told_by(case)
                self.order = self.order or self.likeliest_first()
                others = [test for test in self.failed if test is not first]
                if (found := self.proven_by(first, others)) or not self.blind:
                    return found
        except OutOfTime:
            self.in_time = False
        return None

    def proven_by(self, first: Any, others: list) -> tuple[int, ...] | None:
        """The same where one test is asked first, for each edit, and the others only about what it accepts."""
        partial = []
        singles: list[tuple[int, ...]] = [(number,) for number in self.order]
        for numbers in self.accepted(first, singles):
            if self.mends(numbers):
                return numbers
            partial.append(numbers)
        for start in partial[:3]:  # one mistake found: the other one
            rest = [test for test in others if not self.passes(test, start)]
            if not rest:
                continue
            pairs = [(*start, number) for number in self.order if number not in start]
            self.screens = []  # of another test
            for numbers in self.accepted(rest[0], pairs, start):
                if self.mends(numbers):
                    return numbers
        if not partial and not self.blind:
            for numbers in self.accepted(first, self.pairs()):
                if self.mends(numbers):
                    return numbers
        return None

    def accepted(
        self, test: Any, tries: list[tuple[int, ...]], base: tuple[int, ...] = ()
    ) -> Iterator[tuple[int, ...]]:
        """Those that make one test pass. The looks that it takes with the edits `base` are taken for many at once."""
        looks = [(key, look) for key, look in self.looks.items() if base in self.seen[key]]
        if not base:
            looks = [(key, look) for key, look in looks if key in self.telling] or looks
        at, size, changed, self.blind = 0, 6, 0, False
        self.tried.clear()
        while at < len(tries):
            if not base and BLIND <= at <= 2 * BLIND and changed < at / 8 and test is not self.failed[-1]:
                self.blind = True
                return
            some = tries[at : at + size]
            at, size = at + size, min(2 * size, CHUNK)  # what takes long is not begun in large numbers
            for key, look in looks:
                wanted = [numbers for numbers in some if numbers not in self.seen[key]]
                outcomes = self.bench.outcomes(look, wanted, self.left(), self.patience[key])
                self.seen[key] |= dict(zip(wanted, outcomes, strict=True))
            if not base and at <= 2 * BLIND:
                changed += sum(self.has_effect(numbers, looks) for numbers in some)
            for numbers in some:
                if self.may_pass(numbers) and self.is_new(numbers, looks, base) and self.advances(test, numbers):
                    yield numbers

    def is_new(self, numbers: tuple[int, ...], looks: list, base: tuple[int, ...] = ()) -> bool:
        """Whether an edit changes what any of these looks sees, as no edit before it, other than by raising in all."""
        if not self.has_effect(numbers, looks, base):
            return False
        saw = tuple(bytes_of(self.seen[key][numbers]) for key, _ in looks)
        if saw in self.tried:
            return False  # the test said no
        self.tried.add(saw)
        return True

    def has_effect(self, numbers: tuple[int, ...], looks: list, base: tuple[int, ...] = ()) -> bool:
        """Whether an edit changes what any of these looks sees, other than by raising in all of them."""
        outcomes = [(self.seen[key][numbers], self.before(key, base)) for key, _ in looks]
        if all(isinstance(outcome, Failure) or unsound(outcome) for outcome, _ in outcomes):
            return False  # nor does a test have to cope with numbers that are none
        return any(bytes_of(outcome) != before for outcome, before in outcomes)

    def may_pass(self, numbers: tuple[int, ...]) -> bool:
        """Whether an edit gives what the test compared with; True where that is not known."""
        screens = self.screens if self.confirmed >= CONFIRMED else []
        return not screens or any(screen.lets_through(self.seen, numbers) for screen in screens)

    def confirm(self, error: Exception | None, numbers: tuple[int, ...]) -> None:
        """Look whether a test expects the same after an edit, or makes what it expects of what the code did."""
        compared = getattr(error, "compared", None)
        if compared is None:
            return
        found, expected, terms = compared
        screen = self.screens[0]
        part = path_to(found, self.seen[screen.key].get(numbers))
        if part == screen.path and difference(expected, screen.expected, terms, infinite=True) is None:
            self.confirmed += 1
        elif part == screen.path:
            self.screens = []

    def screens_of(self, error: Exception | None) -> list["Screen"]:
        """What a test compared, where that is a part of what one look saw; then most edits need no test to be refused.

        They count after `confirm`. Should a test accept something else after another edit, then this misses a repair,
        but says nothing false.
        """
        compared = getattr(error, "compared", None)
        if compared is None:
            return []
        found, expected, terms = compared
        for key, taken in self.seen.items():
            if (path := path_to(found, taken[()])) is not None:
                screens = [Screen(key, path, expected, terms, bytes_of(without(taken[()], path)))]
                for other in self.seen:  # code that calls no stand-in is compared without them, in a look unwatched
                    look = self.looks[other]
                    if key[1] == ("watched", other[1]) and not look.replacing:
                        beside = bytes_of(without(self.seen[other][()], path[1:]))
                        screens.append(Screen(other, path[1:], self.expected(look), terms, beside))
                return screens
        return []

    def told_by(self, case: Any) -> set[tuple]:
        """The look that a test failed with, which an edit has to change."""
        if not case.seen:
            return set()
        look = case.seen[-1].look
        seed, function, replacing = key_of(look)
        return {(seed, ("watched", function), replacing)}

    def before(self, key: tuple, base: tuple[int, ...]) -> Any:
        if (key, base) not in self.unedited:
            self.unedited[key, base] = bytes_of(self.seen[key][base])
        return self.unedited[key, base]

    def pairs(self) -> list[tuple[int, ...]]:
        """Two edits at once that each change something, the likeliest first."""
        looks = [(key, look) for key, look in self.looks.items() if key in self.telling]
        alive = [n for n in self.order
                 if all((n,) in self.seen[key] for key, _ in looks) and self.has_effect((n,), looks)]  # fmt: skip
        places = sorted(combinations(range(min(150, len(alive))), 2), key=sum)
        found = [(alive[one], alive[other]) for one, other in places]
        kinds = self.bench.kinds
        return sorted(found, key=lambda pair: kinds[pair[0]] != kinds[pair[1]])  # one mistake made twice

    def likeliest_first(self) -> list[int]:
        """All edits, those first that fit what the first look at the function showed."""
        wanted: frozenset[str] = frozenset()
        for key, look in self.looks.items():
            found, expected = self.seen[key][()], self.expected(look)
            if isinstance(found, Failure):
                wanted = SYMPTOMS["raises"]
            elif missing(found):
                wanted = SYMPTOMS["nothing"]
            elif shapes_of(found) != shapes_of(expected):
                wanted = SYMPTOMS["shape"]
            elif alike(found) and not alike(expected):
                wanted = SYMPTOMS["alike"]
            else:
                continue
            break
        kinds = self.bench.kinds
        if not wanted:  # the shapes are right
            return sorted(range(len(kinds)), key=lambda number: kinds[number] == "shape")
        return sorted(range(len(kinds)), key=lambda number: kinds[number] not in wanted)

    def mends(self, numbers: tuple[int, ...]) -> bool:
        """Whether every test of the exercise accepts an edit, or all but those that still fail of another cause.

        That is so where a test sees exactly what it saw before, or gets further than before. The proof of an edit that
        was found may take longer.
        """
        searching, self.deadline = self.deadline, self.elapsed() + PROOF_SECONDS
        self.proving = True
        try:
            self.left_over = []
            if not all(self.passes(test, numbers) for test in self.passed):
                return False
            for test in self.failed:
                if not self.passes(test, numbers):
                    if not self.advances(test, numbers) and not self.unaffected(test, numbers):
                        return False
                    self.left_over.append(test)
            return len(self.left_over) < len(self.failed)
        finally:
            self.deadline, self.proving = max(searching, self.elapsed()), False

    def unaffected(self, test: Any, numbers: tuple[int, ...]) -> bool:
        """Whether a test sees the same with an edit as without, or says the same of something that is no value."""
        one, other = Edited(self, numbers), Edited(self, ())
        errors = [self.run(test, edited)[1] for edited in (one, other)]
        if str(errors[0]) == str(errors[1]) and not any(getattr(error, "compared", None) for error in errors):
            return True
        if one.seen != other.seen:
            return False
        return all(bytes_of(self.seen[key][numbers]) == self.before(key, ()) for key in one.seen)


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
        search = Search(tests, failed, run, runner, budget)
        numbers = search.proven()
        if not numbers:
            return None
        look = next(iter(search.looks.values()))
        left = search.left_over
        fixed = tuple(test.number for test in failed if test not in left) if left else ()
        return replace(worded(search.bench.describe(look, numbers, PROOF_SECONDS)), fixed=fixed)
    except OutOfTime:
        return None
    finally:
        took = search.elapsed() if search else 0.0
        budget.left -= took
        budget.spent.append(took)


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


def path_to(part: Any, whole: Any) -> Path | None:
    """Where a part stands in what a look saw, by identity; None where it was computed of it, or is a small number."""
    if part is whole:
        return ()
    if isinstance(whole, tuple | dict):
        for name, item in whole.items() if isinstance(whole, dict) else enumerate(whole):
            if not isinstance(item, int) and (found := path_to(part, item)) is not None:
                return name, *found
    return None


def part_at(whole: Any, path: Path) -> Any:
    for name in path:
        whole = whole[name]
    return whole


def without(whole: Any, path: Path) -> Any:
    """What a look saw but for one part of it; whether inputs were changed in place does not count."""
    if not path:
        return None
    if isinstance(whole, dict):
        return {name: without(item, path[1:]) if name == path[0] else item for name, item in whole.items()}
    items = whole[:1] if len(whole) == 2 and is_changed(whole[1]) else whole
    return tuple(without(item, path[1:]) if name == path[0] else item for name, item in enumerate(items))


def is_changed(part: Any) -> bool:
    """Whether this is what Watched says beside a look's value: the names of inputs that were changed in place."""
    return isinstance(part, dict) and all(isinstance(name, str) for name in part.values())


def missing(value: Any) -> bool:
    """Whether None came back, alone or among other things."""
    return value is None or isinstance(value, tuple) and any(map(missing, value))


def alike(value: Any) -> bool:
    """Whether all rows of something that came back are the same."""
    if isinstance(value, tuple):
        return any(map(alike, value))
    return isinstance(value, Tensor) and value.dim() > 0 and len(value) > 2 and bool((value == value[:1]).all())


def shapes_of(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(shapes_of(item) for item in value)
    return tuple(value.shape) if isinstance(value, Tensor) else ()


def key_of(look: Look) -> tuple:
    """The same for a look that is taken again with the same inputs; packing it would say so too, but takes longer."""
    return look.seed, frozen(look.function), frozen(dict(look.replacing))


def frozen(value: Any) -> Any:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Tensor() if not value.requires_grad:
            return value.dtype, tuple(value.shape), value.contiguous().view(torch.uint8).numpy().tobytes() if (
                value.dim()) else value.item()  # fmt: skip
        case tuple() | list():
            return tuple(map(frozen, value))
        case dict():
            return tuple((key, frozen(item)) for key, item in value.items())
        case Watched():
            return "watched", frozen(value.look)
        case FunctionType():
            cells = tuple(cell.cell_contents for cell in value.__closure__ or ())
            return value.__code__, frozen(cells), frozen(value.__defaults__)
    return wire.pack(value)


def bytes_of(outcome: Any) -> Any:
    return outcome if isinstance(outcome, Failure) else wire.encode(outcome)
