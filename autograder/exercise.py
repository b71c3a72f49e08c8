"""What a hidden test is written with. Instructors read this file to write one; students never see it.

    class LogMeanExp(Exercise):
        module = "q1_vae"

        @number("Q1.3") @weight(4)
        def test_large_values_do_not_overflow(self):
            \"\"\"log_mean_exp is exact where exp() alone would overflow.\"\"\"
            y = self.randn(97, 5) + 1000
            self.check(lambda q1: q1.log_mean_exp(y))

A *look* is a function of the student's module. It travels to the sandbox with the inputs it closes over, so it must
not mention `self`. `check` also runs it on the reference and compares; `observe` only returns what it saw, for tests of
a law. Every unittest assertion works; the message given to it is the sentence that the student reads.
"""

import hashlib
import hmac
import math
import unittest
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any, Protocol

import torch
from gradescope_utils.autograder_utils.decorators import number, visibility, weight
from torch import Tensor

from autograder.isolation import Limits
from autograder.sandbox import Failure
from autograder.wire import Opaque

__all__ = ["Exercise", "Failure", "Opaque", "Wrong", "difference", "number", "visibility", "weight"]

FALSE_ALARM = 1e-7  # of one statistical assertion; a test makes at most ten, so 1e-6 a test
TERMS = 256  # how many rounding errors add up in an ordinary look


class Wrong(AssertionError):
    """The student's code did not do what was asked; the message is a sentence for the student."""

    def __init__(self, sentence: str, failure: Failure | None = None):
        super().__init__(sentence)
        self.failure = failure


@dataclass(frozen=True)
class Look:
    """One look and what it saw, kept so that a failed test can be explained."""

    module: str
    function: Callable
    replacing: Mapping[str, Callable]
    seed: int
    outcome: Any  # a value, or a Failure


class Desk(Protocol):
    """Where looks are taken: the engine's, or the one that plain pytest gets (autograder/desk.py)."""

    key: bytes  # of this submission's inputs
    student_number: str  # for assignments whose data are made from it

    def student(self, module: str, look: Callable, replacing: Mapping, seed: int, limits: Limits) -> Any: ...

    def reference(self, module: str, look: Callable, replacing: Mapping, seed: int) -> Any: ...


class Exercise(unittest.TestCase):
    """One exercise. `module` names the student's file; the methods carry @number and @weight."""

    module = ""
    longMessage = False  # the message of an assertion is shown alone
    desk: Desk | None = None

    def setUp(self) -> None:
        if self.desk is None:
            from autograder.desk import LocalDesk

            self.desk = LocalDesk.for_test_file(type(self).__module__)
        self.looks: list[Look] = []
        self._random = torch.Generator().manual_seed(self._seed("inputs"))

    def __reduce__(self):
        raise TypeError("a look must not use self: put what it needs into local variables first")

    # ------------------------------------------------------------ looking

    def observe(
        self,
        look: Callable[[Any], Any],
        *,
        replacing: Mapping[str, Callable] | None = None,
        cpu_seconds: int | None = None,
    ) -> Any:
        """What `look(module)` returns in the sandbox, as tensors, numbers, strings, tuples and dicts.

        Args:
            look: a function of the student's module.
            replacing: {"function" or "Class.method": stand-in}: earlier exercises that this one may call.
            cpu_seconds: a limit other than the usual one.
        Raises:
            Wrong: if the student's code raises, hangs, or crashes.
        """
        outcome = self._observe(look, dict(replacing or {}), cpu_seconds)
        if isinstance(outcome, Failure):
            raise Wrong(sentence_of(outcome, self.module), outcome)
        return outcome

    def check(
        self,
        look: Callable[[Any], Any],
        sentence: str = "",
        *,
        replacing: Mapping[str, Callable] | None = None,
        terms: int = TERMS,
        cpu_seconds: int | None = None,
    ) -> None:
        """`look` must see on the student's module what it sees on the reference.

        Where `replacing` puts stand-ins in the place of earlier exercises, an answer that does not call them (since it
        computes the same inline, say) is right too, and so is one that is right with the student's own.

        Args:
            sentence: what does not hold when the values differ; a general one is made when empty.
            terms: how many rounding errors add up; the tolerance is 4 terms eps relative to the largest value.
        """
        replacing = dict(replacing or {})
        outcome = self._observe(look, replacing, cpu_seconds)
        problem = self._against_reference(look, replacing, outcome, terms)
        hangs = isinstance(outcome, Failure) and outcome.kind == "time"
        if problem and replacing and not hangs:
            with_own_seed = self.looks[-1].seed
            own = self.desk.student(self.module, look, {}, with_own_seed, self._limits(cpu_seconds))
            if self._against_reference(look, {}, own, terms) is None:
                return
        if problem:
            failure = outcome if isinstance(outcome, Failure) else None
            said = f"{sentence} ({problem})" if sentence and failure is None else problem
            raise Wrong(said, failure)

    def observe_law(self, look: Callable[[Any], Any], law: Callable[[Any, Any], None], cases: Sequence[tuple]) -> None:
        """`law(found, truth)` must hold for one truth of one case; of several failures, the first is told.

        Args:
            look: a function of the student's module.
            law: raises an AssertionError where what was found is not in keeping with a truth.
            cases: (stand-ins, truths) each: what may replace earlier exercises, and what is right then, for code that
                calls them and for code that computes the same inline. A last case ({}, truths) lets the student's own
                earlier exercises count where they are right.
        """
        first: AssertionError | None = None
        for replacing, truths in cases:
            try:
                found = self.observe(look, replacing=replacing)
                if found is None or isinstance(found, str | Opaque):
                    raise Wrong(f"It returned {kind_of(found)}: is a return missing?")
            except Wrong as wrong:
                first = first or wrong
                if wrong.failure is not None and wrong.failure.kind == "time":
                    raise
                continue
            for truth in truths:
                try:
                    return law(found, truth)
                except AssertionError as wrong:
                    first = first or wrong
        del self.looks[1:]  # what explains a failure is the first look
        raise first

    def _against_reference(self, look: Callable, replacing: dict, outcome: Any, terms: int) -> str | None:
        if isinstance(outcome, Failure):
            return sentence_of(outcome, self.module)
        seed = self.looks[-1].seed
        problem = difference(outcome, self.desk.reference(self.module, look, replacing, seed), terms)
        if problem and replacing:
            unreplaced = self.desk.reference(self.module, look, {}, seed)
            problem = problem if difference(outcome, unreplaced, terms) else None
        return problem

    def _observe(self, look: Callable, replacing: dict, cpu_seconds: int | None) -> Any:
        seed = self._seed(f"look {len(self.looks)}")
        outcome = self.desk.student(self.module, look, replacing, seed, self._limits(cpu_seconds))
        self.looks.append(Look(self.module, look, replacing, seed, outcome))
        return outcome

    def _limits(self, cpu_seconds: int | None) -> Limits:
        if cpu_seconds is None:
            return Limits()
        return replace(Limits(), cpu_seconds=cpu_seconds, wall_seconds=4.0 * cpu_seconds)

    # ------------------------------------------------------------ inputs, other ones for every submission

    def _seed(self, purpose: str) -> int:
        text = f"{type(self).__name__}.{self._testMethodName} {purpose}"
        return int.from_bytes(hmac.new(self.desk.key, text.encode(), hashlib.sha256).digest()[:8], "big") >> 2

    def randn(self, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """Standard normal numbers; the same for this submission at every run, others for every other."""
        return torch.randn(*shape, generator=self._random, dtype=torch.float64).to(dtype)

    def rand(self, *shape: int, low: float = 0.0, high: float = 1.0, dtype: torch.dtype = torch.float32) -> Tensor:
        """Uniform numbers in [low, high)."""
        numbers = torch.rand(*shape, generator=self._random, dtype=torch.float64)
        return (low + (high - low) * numbers).to(dtype)

    def randint(self, low: int, high: int, shape: Sequence[int]) -> Tensor:
        """Integers in [low, high), int64."""
        return torch.randint(low, high, tuple(shape), generator=self._random)

    def number(self, low: float, high: float) -> float:
        """One uniform number in [low, high)."""
        return float(self.rand(1, low=low, high=high, dtype=torch.float64))

    # ------------------------------------------------------------ assertions on numbers

    def assertClose(self, actual: Any, expected: Any, sentence: str, terms: int = TERMS) -> None:
        """Equal but for rounding: 4 `terms` eps of the narrower dtype, relative to the largest expected value."""
        problem = difference(actual, expected, terms)
        if problem:
            raise Wrong(f"{sentence} ({problem})")

    def assertMean(self, samples: Tensor, mean: Any, std: Any, sentence: str) -> None:
        """The mean of N independent rows is `mean`, within what chance allows for rows of standard deviation `std`.

        Args:
            samples: (N, ...); mean, std: broadcastable to samples[0].
        """
        samples = self._numbers(samples, sentence)
        mean, std = (torch.as_tensor(v, dtype=torch.float64).expand(samples.shape[1:]) for v in (mean, std))
        error = (samples.mean(dim=0) - mean).abs()
        limit = deviations(samples[0].numel()) * std / math.sqrt(len(samples))
        rounding = 1e-6 * (mean.abs() + std)
        if not bool((error <= limit + rounding).all()):
            raise Wrong(sentence)

    def assertVariance(self, samples: Tensor, variance: Any, sentence: str) -> None:
        """The variance of N independent Gaussian rows is `variance`, within what chance allows.

        By Wilson and Hilferty (1931): the cube root of a chi-squared over its degrees of freedom is close to normal,
        far into the tails. samples (N, ...); variance: positive, broadcastable to samples[0].
        """
        samples = self._numbers(samples, sentence)
        variance = torch.as_tensor(variance, dtype=torch.float64).expand(samples.shape[1:])
        spread = 2 / (9 * (len(samples) - 1))
        score = ((samples.var(dim=0) / variance) ** (1 / 3) - (1 - spread)) / math.sqrt(spread)
        if not bool((score.abs() <= deviations(samples[0].numel())).all()):
            raise Wrong(sentence)

    def _numbers(self, samples: Any, sentence: str) -> Tensor:
        if not isinstance(samples, Tensor) or samples.dim() == 0 or not bool(samples.double().isfinite().all()):
            raise Wrong(sentence)
        return samples.double()


def deviations(entries: int) -> float:
    """How many standard errors chance alone exceeds with probability FALSE_ALARM somewhere in `entries` numbers."""
    return NormalDist().inv_cdf(1 - FALSE_ALARM / (2 * max(1, entries)))


def difference(actual: Any, expected: Any, terms: int = TERMS) -> str | None:
    """Why `actual` is not `expected`, without giving `expected` away; None when it is, but for rounding.

    Numbers may come as Python numbers, arrays or tensors of any dtype; a scalar may have one element more.
    """
    if isinstance(actual, Opaque) and not isinstance(expected, Opaque):
        return f"it returned {actual}"
    if isinstance(expected, Tensor | float | int) and not isinstance(expected, bool):
        return number_difference(actual, expected, terms)
    if isinstance(expected, tuple):
        if not isinstance(actual, tuple):
            return f"it returned {kind_of(actual)} instead of {len(expected)} values"
        if len(actual) != len(expected):
            return f"it returned {len(actual)} values instead of {len(expected)}"
        pairs = zip(actual, expected, strict=True)
    elif isinstance(expected, dict):
        if not isinstance(actual, dict) or actual.keys() != expected.keys():
            return "it returned other entries than it should"
        pairs = ((actual[key], expected[key]) for key in expected)
    else:
        return None if type(actual) is type(expected) and actual == expected else "it is not what it should be"
    return next((problem for pair in pairs if (problem := difference(*pair, terms))), None)


def number_difference(actual: Any, expected: Any, terms: int) -> str | None:
    if actual is None:
        return "it returned None: is a return missing?"
    if not isinstance(actual, Tensor | float | int):
        return f"it returned {kind_of(actual)} instead of a tensor"
    double = torch.float64
    actual, expected = (v if isinstance(v, Tensor) else torch.tensor(v, dtype=double) for v in (actual, expected))
    scalar = expected.dim() == 0 and actual.numel() == 1
    if actual.shape != expected.shape and not scalar:
        return f"it has shape {tuple(actual.shape)} instead of {tuple(expected.shape)}"
    dtypes = [v.dtype for v in (actual, expected) if v.is_floating_point()]
    precision = max((torch.finfo(dtype).eps for dtype in dtypes), default=torch.finfo(double).eps)
    a, e = actual.double().reshape(expected.shape), expected.double()
    finite = e.isfinite()
    if bool(a[finite].isnan().any()):
        return "it contains NaN"
    largest = float(e[finite].abs().max()) if bool(finite.any()) else 0.0
    right = torch.where(finite, (a - e).abs() <= 4 * terms * precision * largest, (a == e) | (a.isnan() & e.isnan()))
    count = int((~right).sum())
    if count == 0:
        return None
    if bool(a[finite].isinf().any()):
        return "it contains infinite values"
    return "its value is wrong" if a.numel() == 1 else f"{count} of its {a.numel()} values are wrong"


def kind_of(value: Any) -> str:
    if isinstance(value, Opaque):
        return str(value)
    if isinstance(value, Tensor):
        return f"one tensor of shape {tuple(value.shape)}"
    return {"NoneType": "None", "tuple": f"{len(value) if isinstance(value, tuple) else 0} values"}.get(
        type(value).__name__, f"a {type(value).__name__}"
    )


def is_unfinished(failure: Failure) -> bool:
    """A stub's own exception; torch raises the same for an operation that a dtype lacks, such as `^` between floats."""
    return failure.type == "NotImplementedError" and " not implemented for '" not in failure.message


def sentence_of(failure: Failure, module: str) -> str:
    """One sentence for a student whose code gave no value."""
    where = f" ({failure.place})" if failure.place else ""
    match failure.kind, failure.type:
        case "exception", _ if is_unfinished(failure):
            return f"Not implemented yet: {failure.message or 'NotImplementedError'}{where}."
        case "exception", "TypeError" if "unexpected keyword argument" in failure.message:
            return f"It raised TypeError: {failure.message}: keep the given parameter names{where}."
        case "exception", _:
            return f"It raised {failure.type}: {failure.message}{where}"
        case _:
            return f"{failure.message[:1].upper()}{failure.message[1:]}{where}."
