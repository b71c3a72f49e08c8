"""The search for an edit of the student's function that mends what fails: which edits, in which order, how long.

Trusted side. Edits are numbers here; what a look sees with one made comes from the workbench (sandbox/workbench.py).
Most edits are refused by what the failing test compared, without running the test: that is what makes a second suffice.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from types import FunctionType
from typing import Any

import torch
from torch import Tensor

from autograder.grading.compare import difference, numbers_in, unsound
from autograder.grading.exercise import Wrong, lines_of
from autograder.grading.runner import OutOfTime
from autograder.sandbox.client import wire
from autograder.sandbox.look_tools import Watched
from autograder.sandbox.messages import Failure, Look
from autograder.sandbox.workbench import LOOK_SECONDS

SYMPTOMS = {  # which kinds of edits are tried first
    "nothing": frozenset({"return", "early return"}),
    "shape": frozenset({"reduction", "dim", "keepdim", "shape", "functions", "extra call", "subscript"}),
    "alike": frozenset({"random shape", "fresh", "one for each", "extra call"}),
    "raises": frozenset({"shape", "dim", "name", "functions", "extra call", "operator", "keepdim", "argument"}),
}
OF_SIZE = frozenset({"functions", "extra call", "dim", "reduction"}), frozenset({"factor", "constant"})
Path = tuple[int | str, ...]  # to a part of what a look saw
Numbers = tuple[int, ...]  # of edits that are made together
CHUNK = 48  # edits whose looks are taken in one request
BLIND = 40  # edits of which a test has to see some
CONFIRMED = 2  # edits after which a test has to expect the same, until most others need no test to be refused
FIRST_SECONDS = 2.0  # that a look may take without an edit, and for the proof of one
PROOF_SECONDS = 1.0  # more, to prove an edit that was found in time


class Edited:
    """A runner whose student is the student's function with some edits made."""

    def __init__(self, search: "Search", numbers: Numbers):
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

    def lets_through(self, seen: dict[tuple, dict[Numbers, Any]], numbers: Numbers) -> bool:
        """Whether a test may accept what was seen with some edits."""
        outcome = seen[self.key].get(numbers)
        if isinstance(outcome, Failure):
            return False
        try:
            found = part_at(outcome, self.path)
        except (KeyError, IndexError, TypeError):
            return True
        right = difference(found, self.expected, self.terms, infinite=True) is None
        return right or bytes_of(all_but(outcome, self.path)) != self.beside


class Question:
    """A test that failed, which edits are put to."""

    def __init__(self, search: "Search", test: Any, base: Numbers = ()):
        """base: edits that are made anyway."""
        self.search, self.test, self.base = search, test, base
        case, error = search.run(test, Edited(search, base))
        if error is None or isinstance(error, OutOfTime):
            raise OutOfTime  # it fails only beside other looks: no edit of this function could show anything
        self.screens = self.screens_of(error)
        self.confirmed = 0  # how often it expected the same after an edit
        self.telling = {screen.key for screen in self.screens} or self.told_by(case)
        self.put = self.changed = 0  # edits that were put to it, and those that it saw anything of
        self.refused: set[tuple] = set()  # what was seen with edits that it refused

    @property
    def blind(self) -> bool:
        """Whether it sees next to nothing of many edits, so that another test has to be asked, too."""
        return self.put >= BLIND and self.changed < self.put / 8

    def accepted(self, tries: list[Numbers]) -> Iterator[Numbers | None]:
        """Edits that let the test pass, or get further; None after each chunk. A look is taken for many at once."""
        search, at, size = self.search, 0, 6
        while at < len(tries):
            some = tries[at : at + size]
            at, size = at + size, min(2 * size, CHUNK)  # what takes long is not begun in large numbers
            for key in self.telling:
                wanted = [numbers for numbers in some if numbers not in search.seen[key]]
                outcomes = search.bench.outcomes(search.looks[key], wanted, search.left(), search.patience[key])
                search.seen[key] |= dict(zip(wanted, outcomes, strict=True))
            for numbers in some:
                if self.accepts(numbers):
                    yield numbers
            yield None

    def accepts(self, numbers: Numbers) -> bool:
        self.put += 1
        if not self.may_pass(numbers) or not self.has_effect(numbers):
            return False
        self.changed += 1
        saw = tuple(bytes_of(self.search.seen[key][numbers]) for key in self.telling)
        if saw in self.refused:
            return False
        error = self.search.error(self.test, numbers)
        if self.screens and self.confirmed < CONFIRMED:
            self.confirm(error, numbers)
        if error is None or self.search.reached(self.test, self.base) < lines_of(error):
            return True
        self.refused.add(saw)
        return False

    def has_effect(self, numbers: Numbers) -> bool:
        """Whether an edit changes what any of its looks sees, other than by raising in all of them."""
        search = self.search
        outcomes = [(search.seen[key][numbers], search.before(key, self.base)) for key in self.telling]
        if all(isinstance(outcome, Failure) or unsound(outcome) for outcome, _ in outcomes):
            return False  # nor does a test have to cope with numbers that are none
        return any(bytes_of(outcome) != before for outcome, before in outcomes)

    def may_pass(self, numbers: Numbers) -> bool:
        """Whether an edit gives what the test compared with; True where that is not known."""
        screens = self.screens if self.confirmed >= CONFIRMED else []
        return not screens or any(screen.lets_through(self.search.seen, numbers) for screen in screens)

    def confirm(self, error: Exception | None, numbers: Numbers) -> None:
        """Look whether the test expects the same after an edit, or makes what it expects of what the code did."""
        compared = getattr(error, "compared", None)
        if compared is None:
            return
        found, expected, terms = compared
        screen = self.screens[0]
        part = path_to(found, self.search.seen[screen.key].get(numbers))
        if part == screen.path and difference(expected, screen.expected, terms, infinite=True) is None:
            self.confirmed += 1
        elif part == screen.path:
            self.screens = []

    def screens_of(self, error: Exception) -> list[Screen]:
        """What the test compared, where that is a part of what one look saw: then it need not run to refuse an edit.

        They count after `confirm`. Should a test accept something else after another edit, then this misses a repair,
        but says nothing false.
        """
        compared, search = getattr(error, "compared", None), self.search
        if compared is None:
            return []
        found, expected, terms = compared
        for key, taken in search.seen.items():
            if self.base in taken and (path := path_to(found, taken[self.base])) is not None:
                screens = [Screen(key, path, expected, terms, bytes_of(all_but(taken[self.base], path)))]
                for other, look in search.looks.items():  # code that calls no stand-in is compared without: unwatched
                    if key[1] == ("watched", other[1]) and not look.replacing and self.base in search.seen[other]:
                        beside = bytes_of(all_but(search.seen[other][self.base], path[1:]))
                        screens.append(Screen(other, path[1:], search.expected(look), terms, beside))
                return screens
        return []

    def told_by(self, case: Any) -> set[tuple]:
        """The look that the test failed with, which an edit has to change; all looks where it may have been any."""
        if len(case.seen) == 1:
            seed, function, replacing = key_of(case.seen[0].look)
            if (key := (seed, ("watched", function), replacing)) in self.search.looks:
                return {key}
        return {key for key, taken in self.search.seen.items() if self.base in taken}


class Search:
    """For the edit that makes an exercise's tests pass."""

    def __init__(self, tests: list, failed: list, run: Any, runner: Any, seconds: float, busy: float):
        self.failed = failed
        self.passed = [test for test in tests if test not in failed]
        self.run, self.runner = run, runner
        self.started, self.busy = (time.monotonic(), time.thread_time()), busy
        self.deadline = seconds
        self.bench = runner.workbench(failed[0].exercise)
        self.seen: dict[tuple, dict[Numbers, Any]] = {}  # look -> edits -> outcome
        self.looks: dict[tuple, Look] = {}
        self.patience: dict[tuple, float] = {}  # seconds that a look may take with an edit: many times what it takes
        self.truth: dict[tuple, Any] = {}
        self.unedited: dict[tuple, Any] = {}
        self.lines: dict[Any, tuple[int, ...]] = {}  # how far a test gets
        self.order: list[int] = []
        self.in_time = True
        self.proving = False
        self.further: list = []  # tests that fail still, further on
        self.beside: list = []  # tests that fail still, and see the same as before

    def elapsed(self) -> float:
        """Seconds of computing, here and in the worker, or by the clock where these are many more: on a busy machine a
        search tries as much as on a quiet one, but may not hold a grade up."""
        computed = time.thread_time() - self.started[1] + self.bench.seconds
        return max(computed, (time.monotonic() - self.started[0]) / self.busy)

    # ------------------------------------------------------------ looks, each taken once

    def outcome(self, look: Look, numbers: Numbers) -> Any:
        key = key_of(look)
        self.looks.setdefault(key, look)
        taken = self.seen.setdefault(key, {})
        if numbers not in taken:
            started = self.elapsed()
            patience = self.patience.get(key, LOOK_SECONDS)
            if self.proving or not numbers:  # the first look may import what takes a second, as optimizers do
                patience = FIRST_SECONDS
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

    def before(self, key: tuple, base: Numbers) -> Any:
        if (key, base) not in self.unedited:
            self.unedited[key, base] = bytes_of(self.seen[key][base])
        return self.unedited[key, base]

    # ------------------------------------------------------------ tests

    def error(self, test: Any, numbers: Numbers) -> Any:
        """What a test says with some edits made; None where it passes."""
        if self.elapsed() > self.deadline:
            raise OutOfTime
        _, error = self.run(test, Edited(self, numbers))
        if isinstance(error, OutOfTime):
            raise error
        if error is not None and not isinstance(error, AssertionError):
            return Wrong("")  # what came back was none of what the test can look at
        return error

    def passes(self, test: Any, numbers: Numbers) -> bool:
        return self.error(test, numbers) is None

    def reached(self, test: Any, base: Numbers = ()) -> tuple[int, ...]:
        """How far a test gets without an edit."""
        if (test, base) not in self.lines:
            self.lines[test, base] = lines_of(self.error(test, base) or Wrong(""))
        return self.lines[test, base]

    # ------------------------------------------------------------ searching

    def proven(self) -> Numbers | None:
        """The first edit, or the first two, that mend what fails, by `mends`; None where there are none in time."""
        try:
            question = Question(self, self.failed[0])
            self.deadline += min(self.elapsed(), FIRST_SECONDS)
            self.order = self.likeliest_first(question)
            partial = []
            for numbers in self.accepted(question):
                if self.mends(numbers):
                    return numbers
                partial.append(numbers)
            for start in partial[:3]:  # one mistake found: the other one
                rest = [test for test in self.failed[1:] if not self.passes(test, start)]
                tries = [(*start, number) for number in self.order if number not in start]
                for pair in Question(self, rest[0], start).accepted(tries) if rest else ():
                    if pair and self.mends(pair):
                        return pair
            for pair in question.accepted(self.pairs(question)) if not partial else ():
                if pair and self.mends(pair):
                    return pair
        except OutOfTime:
            self.in_time = False
        return None

    def is_ambiguous(self, numbers: Numbers) -> bool:
        """Whether another factor mends as much as another sum or mean does: then nobody knows which one is wrong."""
        kinds = next((kinds for kinds in OF_SIZE if self.bench.kinds[numbers[0]] in kinds), None)
        if len(numbers) != 1 or kinds is None or not self.is_of_size(numbers):
            return False
        others: list[Numbers] = [(n,) for n in self.order if self.bench.kinds[n] in set().union(*OF_SIZE) - kinds]
        try:
            question = Question(self, self.failed[0])
            accepted = question.accepted(others[:100])
            return any(other and self.is_of_size(other) and self.mends(other) for other in accepted)
        except OutOfTime:
            return False

    def is_of_size(self, numbers: Numbers) -> bool:
        """Whether an edit is about a factor, a sum or a mean."""
        if self.bench.kinds[numbers[0]] not in ("functions", "extra call"):
            return True
        (said,) = self.bench.describe(next(iter(self.looks.values())), numbers, PROOF_SECONDS)
        return not {"sum", "mean"}.isdisjoint(said["words"])

    def accepted(self, question: Question) -> Iterator[Numbers]:
        """Single edits that a test accepts; those of another one, too, where the first compares nothing or is blind."""
        singles: list[Numbers] = [(number,) for number in self.order]
        others = self.failed[1:]
        asked = [(question, question.accepted(singles))]
        while asked:
            for entry in list(asked):
                while (numbers := next(entry[1], ())) is not None:
                    if not numbers:
                        asked.remove(entry)
                        break
                    yield numbers
            if others and all(one.blind or len(asked) == 1 and not one.screens for one, _ in asked):
                another = Question(self, others.pop(0))
                asked.append((another, another.accepted(singles)))

    def pairs(self, question: Question) -> list[Numbers]:
        """Two edits at once that each change something, the likeliest first, and those first that are of one kind."""
        alive = [n for n in self.order
                 if all((n,) in self.seen[key] for key in question.telling) and question.has_effect((n,))]  # fmt: skip
        places = sorted(combinations(range(min(150, len(alive))), 2), key=sum)
        found = [(alive[one], alive[other]) for one, other in places]
        kinds = self.bench.kinds
        return sorted(found, key=lambda pair: kinds[pair[0]] != kinds[pair[1]])  # one mistake made twice

    def likeliest_first(self, question: Question) -> list[int]:
        """All edits, those first that fit what the first look at the function showed."""
        wanted: frozenset[str] = frozenset()
        for key in question.telling:
            found, expected = self.seen[key][()], self.expected(self.looks[key])
            if isinstance(found, Failure):
                wanted = SYMPTOMS["raises"]
            elif missing(found):
                wanted = SYMPTOMS["nothing"]
            elif shapes_of(found) != shapes_of(expected):
                wanted = SYMPTOMS["shape"]
            elif rows_are_equal(found) and not rows_are_equal(expected):
                wanted = SYMPTOMS["alike"]
            else:
                continue
            break
        kinds = self.bench.kinds
        if not wanted:  # the shapes are right
            return sorted(range(len(kinds)), key=lambda number: kinds[number] == "shape")
        return sorted(range(len(kinds)), key=lambda number: kinds[number] not in wanted)

    def mends(self, numbers: Numbers) -> bool:
        """Whether every test of the exercise accepts an edit, or all but those that still fail of another cause.

        That is so where a test sees exactly what it saw before, or gets further than before; never where the function
        raises, since what only goes around the exception mends nothing. The proof of an edit that was found may take
        longer.
        """
        searching, self.deadline = self.deadline, self.elapsed() + PROOF_SECONDS
        self.proving = True
        try:
            self.further, self.beside = [], []
            if not all(self.passes(test, numbers) for test in self.passed):
                return False
            for test in self.failed:
                if (error := self.error(test, numbers)) is not None:
                    if self.reached(test) < lines_of(error):
                        self.further.append(test)
                    elif self.unaffected(test, numbers):
                        self.beside.append(test)
                    else:
                        return False
            left = len(self.further) + len(self.beside)
            raises = any(isinstance(taken[()], Failure) for taken in self.seen.values() if () in taken)
            return left == 0 or (left < len(self.failed) and not raises)
        finally:
            self.deadline, self.proving = max(searching, self.elapsed()), False

    def unaffected(self, test: Any, numbers: Numbers) -> bool:
        """Whether a test sees the same with an edit as without, or says the same of what holds no values."""
        one, other = Edited(self, numbers), Edited(self, ())
        (case, error), (_, before) = self.run(test, one), self.run(test, other)
        seen = case.seen[-1].outcome if case.seen else None
        has_values = isinstance(seen, Failure) or any(part.is_floating_point() for part in numbers_in(seen))
        if str(error) == str(before) and not has_values:
            return True
        if one.seen != other.seen:
            return False
        return all(bytes_of(self.seen[key][numbers]) == self.before(key, ()) for key in one.seen)


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


def all_but(whole: Any, path: Path) -> Any:
    """What a look saw but for one part of it; whether inputs were changed in place does not count."""
    if not path:
        return None
    if isinstance(whole, dict):
        return {name: all_but(item, path[1:]) if name == path[0] else item for name, item in whole.items()}
    items = whole[:1] if len(whole) == 2 and is_changed(whole[1]) else whole
    return tuple(all_but(item, path[1:]) if name == path[0] else item for name, item in enumerate(items))


def is_changed(part: Any) -> bool:
    """Whether this is what Watched says beside a look's value: the names of inputs that were changed in place."""
    return isinstance(part, dict) and all(isinstance(name, str) for name in part.values())


def missing(value: Any) -> bool:
    """Whether None came back, alone or among other things."""
    return value is None or isinstance(value, tuple) and any(map(missing, value))


def rows_are_equal(value: Any) -> bool:
    """Whether all rows of something that came back are the same."""
    if isinstance(value, tuple):
        return any(map(rows_are_equal, value))
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
