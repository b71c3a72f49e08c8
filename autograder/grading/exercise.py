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

A test that passes answers one more question, which its author cannot forget: everything that it observed must be sound,
which is to say there, finite, and in no narrower dtype than float32 (`tearDown`). Every test also asks whether a tensor
or a list that a look handed in was changed in place, or only those that are marked `@inputs_survive`, where some of
the exercise are, so that this one mistake does not cost all of its points. What its author has to think of:

- an expected value that is made of what the student's own code did (a chain of samples, a recorded call) goes through
  `plausible` first, which says of which size that may be;
- code that draws random numbers is asked three questions besides its law: `check_random`;
- noise is independent over batch, channels, pixels and steps: `assertNoise`;
- a law that zeros, an echo or a constant keep only counts together with a value.
"""

import hashlib
import hmac
import math
import traceback
import unittest
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any, NoReturn, Protocol

import torch
from gradescope_utils.autograder_utils.decorators import number, visibility, weight
from torch import Tensor

from autograder.grading.compare import TERMS, coarse, described, difference, numbers_in, unsound
from autograder.sandbox.isolation import Limits
from autograder.sandbox.look_tools import Watched, gradients, leaves, three_questions
from autograder.sandbox.messages import Failure, Look
from autograder.sandbox.wire import NO_GRADIENT, Opaque

__all__ = [
    "NO_GRADIENT", "Exercise", "Failure", "Opaque", "Wrong", "described", "difference", "gradients", "inputs_survive",
    "leaves", "number", "special", "visibility", "weight",
]  # fmt: skip

FALSE_ALARM = 1e-7  # of one statistical assertion; a test makes at most ten, so 1e-6 a test


def inputs_survive(test: Callable) -> Callable:
    """Mark the test of an exercise that asks whether what its looks hand in stays as it is. Its docstring says so."""
    test.__inputs_survive__ = True  # type: ignore[attr-defined]
    return test


def special(test: Callable) -> Callable:
    """Mark a test that asks about gradients or special inputs, such as large numbers, other shapes, or a batch of one.

    Where another test of the exercise says that the value itself is wrong, what this one has to say would mislead, and
    is not said.
    """
    test.__special__ = True  # type: ignore[attr-defined]
    return test


class Wrong(AssertionError):
    """The student's code did not do what was asked; the message is a sentence for the student."""

    def __init__(self, sentence: str, failure: Failure | None = None, compared: tuple[Any, Any, int] | None = None):
        super().__init__(sentence)
        self.failure = failure
        self.compared = compared  # what was found, what was expected, and terms: for relations.py


@dataclass(frozen=True)
class Seen:
    """A look and what it saw, kept so that a failed test can be explained."""

    look: Look
    outcome: Any  # a value, or a Failure


class Runner(Protocol):
    """Takes looks: in the sandbox, or in this process (autograder/grading/runner.py)."""

    key: bytes  # of this submission's inputs
    student_number: str  # for assignments whose data are made from it

    def student(self, look: Look) -> Any: ...

    def reference(self, look: Look) -> Any: ...

    def shared(self, module: str) -> "Runner":
        """The same, with one process for all looks at a file."""
        ...


class Exercise(unittest.TestCase):
    """One exercise. `module` names the student's file; the methods carry @number and @weight."""

    module = ""
    longMessage = False  # the message of an assertion is shown alone
    runner: Runner  # set by whoever runs the test: the engine, a bench, or the tests' own conftest.py

    def setUp(self) -> None:
        self.seen: list[Seen] = []
        self.alone: Seen | None = None  # the look that failed, without stand-ins, where it had some
        self.answers: list[tuple[Any, bool]] = []  # what the test relies on, and whether it may be infinite
        self.changed: dict[str, str] = {}  # what a look handed in and found changed in place: {number: name}
        self._random = torch.Generator().manual_seed(self._seed("inputs"))

    def tearDown(self) -> None:
        """What every test asks, after all that it asks itself: is everything that was observed sound?

        Raises:
            Wrong: if something is missing, infinite, or half precision. So no comparison with NaN, no all() of nothing,
                and no tolerance made wide by a narrow dtype earns a point. Or, where the test asks for it, if a look
                handed in a tensor or a list that came out with other numbers, and the reference leaves it alone.
        """
        if self.changed and self._asks_for_inputs():
            named = [f"`{name}`" for name in dict.fromkeys(self.changed.values()) if name]
            what = " and ".join(named) or "what it was handed"
            sentence = f"It changes {what} in place: compute something new"
            raise Wrong(f"{sentence} (no +=, no x[...] = ..., no sort(), no function with _)")
        for value, infinite in self.answers:
            if problem := unsound(value, infinite=infinite):
                raise Wrong(f"{problem[:1].upper()}{problem[1:]}")

    def _asks_for_inputs(self) -> bool:
        """Whether this test is marked `inputs_survive`, or no test of its exercise is."""
        own = getattr(self, self._testMethodName)
        exercise = getattr(own, "__number__", None)
        tests = [getattr(type(self), name, None) for name in dir(type(self))]
        of_exercise = [test for test in tests if test and getattr(test, "__number__", None) == exercise]
        marked = any(hasattr(test, "__inputs_survive__") for test in of_exercise)
        return hasattr(own, "__inputs_survive__") or not marked

    def __reduce__(self) -> NoReturn:
        raise TypeError("a look must not use self: put what it needs into local variables first")

    # ------------------------------------------------------------ looking

    def observe(
        self,
        look: Callable[[Any], Any],
        *,
        replacing: Mapping[str, Callable] | None = None,
        cpu_seconds: int | None = None,
        infinite: bool = False,
    ) -> Any:
        """What `look(module)` returns in the sandbox, as tensors, numbers, strings, tuples and dicts.

        Args:
            look: a function of the student's module.
            replacing: {"function" or "Class.method": stand-in}: earlier exercises that this one may call.
            cpu_seconds: a limit other than the usual one.
            infinite: whether infinity and NaN may be right; otherwise a test that passes fails for them (`tearDown`).
        Raises:
            Wrong: if the student's code raises, hangs, or crashes.
        """
        outcome = self._look(look, replacing, cpu_seconds).outcome
        if isinstance(outcome, Failure):
            raise Wrong(sentence_of(outcome), outcome)
        self.answers.append((outcome, infinite))
        return outcome

    def check(
        self,
        look: Callable[[Any], Any],
        sentence: str = "",
        *,
        replacing: Mapping[str, Callable] | None = None,
        terms: int = TERMS,
        cpu_seconds: int | None = None,
        precision: torch.dtype = torch.float32,
        infinite: bool = False,
    ) -> None:
        """`look` must see on the student's module what it sees on the reference.

        Where `replacing` puts stand-ins in the place of earlier exercises, an answer that does not call them (since it
        computes the same inline, say) is right too, and so is one that is right with the student's own.

        Args:
            sentence: what does not hold when the values differ; a general one is made when empty.
            terms, precision, infinite: see `difference` (compare.py).
        """

        def against_reference(seen: Seen) -> str | None:
            if isinstance(seen.outcome, Failure):
                return sentence_of(seen.outcome)
            first = None
            for as_taken in [seen.look, replace(seen.look, replacing={})] if seen.look.replacing else [seen.look]:
                expected = self.runner.reference(as_taken)
                problem = difference(seen.outcome, expected, terms, precision=precision, infinite=infinite)
                if problem is None:
                    return None
                first = first or problem
            return first

        seen = self._look(look, replacing, cpu_seconds)
        problem = against_reference(seen)
        hangs = isinstance(seen.outcome, Failure) and seen.outcome.kind == "time"
        if problem and replacing and not hangs:
            alone = replace(seen.look, replacing={})
            self.alone = Seen(alone, self.runner.student(alone))
            if against_reference(self.alone) is None:
                return
        if problem:
            failure = seen.outcome if isinstance(seen.outcome, Failure) else None
            said = f"{sentence} ({problem})" if sentence and failure is None else problem
            raise Wrong(said, failure, (seen.outcome, self.runner.reference(seen.look), terms))

    def observe_law(
        self,
        look: Callable[[Any], Any],
        law: Callable[[Any, Any], None],
        cases: Sequence[tuple],
        *,
        infinite: bool = False,
    ) -> None:
        """`law(found, truth)` must hold for one truth of one case; the failure told is that which got furthest.

        Args:
            look: a function of the student's module.
            law: raises an AssertionError where what was found is not in keeping with a truth.
            cases: (stand-ins, truths) each: what may replace earlier exercises, and what is right then, for code that
                calls them and for code that computes the same inline. A last case ({}, truths) lets the student's own
                earlier exercises count where they are right.
            infinite: as for `observe`.
        """
        best: tuple[tuple[int, ...], AssertionError, Seen] | None = None

        def failed(error: AssertionError, reached: tuple[int, ...]) -> None:
            nonlocal best
            if best is None or reached > best[0]:
                best = reached, error, self.seen[-1]

        for replacing, truths in cases:
            try:
                found = self.observe(look, replacing=replacing, infinite=infinite)
                if found is None or isinstance(found, str | Opaque):
                    none = ": is a return missing?" if found is None else ", which is no answer"
                    raise Wrong(f"It returned {described(found)}{none}")
            except Wrong as wrong:
                if wrong.failure is not None and wrong.failure.kind == "time":
                    raise
                failed(wrong, ())
                continue
            for truth in truths:
                try:
                    law(found, truth)
                except AssertionError as error:
                    failed(error, lines_of(error))
                else:
                    return self.tearDown()
            self.answers.clear()  # another case counts
        assert best is not None, "observe_law needs a case"
        self.alone = next((seen for seen in self.seen if not seen.look.replacing), None)
        self.seen = [best[2]]  # what explains a failure is the look that is told
        raise best[1]

    def _look(self, function: Callable, replacing: Mapping[str, Callable] | None, cpu_seconds: int | None) -> Seen:
        seed = self._seed(f"look {len(self.seen)}")
        look = Look(self.module, function, dict(replacing or {}), seed, self._limits(cpu_seconds))
        watched = replace(look, function=Watched(function))
        match self.runner.student(watched):
            case Failure() as outcome:
                pass
            case (outcome, dict(changed)):
                if changed and not self.changed:
                    _, usual = self.runner.reference(watched)
                    self.changed = {number: identifier(name) for number, name in changed.items() if number not in usual}
            case _:
                outcome = Failure("reply", "what it returned cannot be read")
        self.seen.append(Seen(look, outcome))
        return self.seen[-1]

    def _limits(self, cpu_seconds: int | None) -> Limits | None:
        if cpu_seconds is None:
            return None
        return replace(Limits(), cpu_seconds=cpu_seconds, wall_seconds=4.0 * cpu_seconds)

    def check_random(
        self,
        draw: Callable[[Any], Any],
        what: str,
        *,
        replacing: Mapping[str, Callable] | None = None,
        cpu_seconds: int | None = None,
    ) -> None:
        """The three questions to random code: two calls differ, two calls with the same seed agree, and what a caller
        draws afterwards depends on the caller's seed.

        Args:
            draw: a look that returns something in which the noise shows (continuous numbers; no mean of them all).
            what: the student's function, as the sentences name it.
            replacing, cpu_seconds: as for `observe`.
        """
        seed = self._seed("three questions") >> 8
        found = self.observe(
            lambda module: three_questions(lambda: draw(module), seed), replacing=replacing, cpu_seconds=cpu_seconds
        )
        if problem := unsound(found) or coarse(found["unseeded"]):
            raise Wrong(f"What {what} returns is no answer: {problem}")
        (a, b), (c, d), (e, f) = found["unseeded"], found["seeded"], found["after"]
        sentence = f"{what} gives the same numbers in every call: it draws none, or seeds a generator of its own"
        self.assertIsNotNone(difference(a, b), sentence)
        sentence = f"{what} gives other numbers after the same torch.manual_seed: draw them from the global generator"
        self.assertIsNone(difference(c, d), sentence)
        sentence = f"{what} seeds the global generator, so that its caller draws the same numbers ever after"
        self.assertIsNotNone(difference(e, f), sentence)

    # ------------------------------------------------------------ inputs, other ones for every submission

    def _seed(self, purpose: str) -> int:
        text = f"{type(self).__name__}.{self._testMethodName} {purpose}"
        return int.from_bytes(hmac.new(self.runner.key, text.encode(), hashlib.sha256).digest()[:8], "big") >> 2

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

    def assertClose(
        self,
        actual: Any,
        expected: Any,
        sentence: str,
        terms: int = TERMS,
        *,
        precision: torch.dtype = torch.float32,
        infinite: bool = False,
    ) -> None:
        """Equal but for rounding, as `difference` (compare.py) says, where the arguments are explained.

        The tolerance is 4 `terms` eps of float32 relative to the largest expected value, whatever the dtypes are. So an
        expected value that is made of what the student's code did goes through `plausible` first.
        """
        if problem := difference(actual, expected, terms, precision=precision, infinite=infinite):
            raise Wrong(f"{sentence} ({problem})", compared=(actual, expected, terms))

    def plausible(self, found: Any, sentence: str, largest: float = 100.0) -> Any:
        """What the student's code did, before an expected value is made of it: something, finite, of the right size.

        Args:
            found: samples, recorded calls, anything that was observed.
            largest: that any number of it may be, in absolute value: a tolerance grows with the largest number.
        Returns: `found`.
        Raises:
            Wrong: if there is nothing, or NaN, infinity, half precision or a larger number.
        """
        problem = unsound(found)
        if problem is None and any(float(numbers.double().abs().max()) > largest for numbers in numbers_in(found)):
            problem = "it contains far too large values"
        if problem:
            raise Wrong(f"{sentence} ({problem})")
        return found

    def assertMean(self, samples: Tensor, mean: Any, std: Any, sentence: str) -> None:
        """The mean of N independent rows is `mean`, within what chance allows for rows of standard deviation `std`.

        Args:
            samples: (N, ...); mean, std: broadcastable to samples[0]. std None: the samples' own, whatever it should
                be, and the rows are Gaussian; N is a hundred or more.
        """
        samples = self._numbers(samples, sentence)
        chance = deviations(samples[0].numel())
        if std is None:
            std, chance = samples.std(dim=0) + 1e-3, students(chance, len(samples) - 1)
        mean, std = (self._truth(v, samples, sentence) for v in (mean, std))
        error = (samples.mean(dim=0) - mean).abs()
        limit = chance * std / math.sqrt(len(samples))
        rounding = 1e-6 * (mean.abs() + std)
        if not bool((error <= limit + rounding).all()):
            raise Wrong(rows_alike(samples, sentence) or sentence)

    def assertVariance(self, samples: Tensor, variance: Any, sentence: str, excess: float = 0.0) -> None:
        """The variance of N independent Gaussian rows is `variance`, within what chance allows.

        By Wilson and Hilferty (1931): the cube root of a chi-squared over its degrees of freedom is close to normal,
        far into the tails. samples (N, ...); variance: positive, broadcastable to samples[0]. excess: the kurtosis of
        rows that are only nearly Gaussian, at most, beyond that of a Gaussian.
        """
        samples = self._numbers(samples, sentence)
        variance = self._truth(variance, samples, sentence)
        spread = 2 * (1 + excess / 2) / (9 * (len(samples) - 1))
        score = ((samples.var(dim=0) / variance) ** (1 / 3) - (1 - spread)) / math.sqrt(spread)
        if not bool((score.abs() <= deviations(samples[0].numel())).all()):
            raise Wrong(rows_alike(samples, sentence) or sentence)

    def assertNoise(self, noise: Tensor, sentence: str, *, normal: bool = True) -> None:
        """Standard normal numbers, independent along every dimension: none shared by a batch, by pixels or by steps.

        Args:
            noise: (N, ...), such as (steps, B, C, H, W); beside each dimension of more than one entry there have to be
                dozens of entries, since only then chance allows for little.
            normal: False for numbers that were divided by a deviation that was estimated from few of them.
        """
        noise = self._numbers(noise, sentence)
        self.assertMean(noise.reshape(-1, 1), 0.0, 1.0, sentence)
        self.assertVariance(noise.reshape(-1, 1), 1.0, sentence)
        if normal:
            self.assertNormal(noise, f"It is not normal, {sentence}")
        for dim, size in enumerate(noise.shape):
            if size > 1 and noise.numel() >= 8 * size:
                self.assertVariance(noise.mean(dim).reshape(-1, 1), 1 / size, sentence)

    def assertDraws(self, samples: Any, mean: Tensor, variance: Any, about: str) -> None:
        """(N, ...): N independent Gaussian draws with these moments, each entry of a draw with noise of its own.

        Shared noise is told first: it would make the mean of many draws look wrong.
        """
        samples = self._numbers(samples, about)
        if samples.shape[1:] != mean.shape:
            raise Wrong(f"It has the shape {tuple(samples.shape)}: {about}")
        mean, variance = (torch.as_tensor(v, dtype=torch.float64).expand(samples.shape[1:]) for v in (mean, variance))
        spread = samples.std(dim=0)
        if not bool((spread > 1e-5 * variance.sqrt()).any()):
            raise Wrong(f"All draws are the same: {about}")
        own = ((samples - samples.mean(dim=0)) / spread.clamp(min=1e-30)).flatten(1)
        half = len(own) // 2
        for pairs in (own[: 2 * half : 2] + own[1 : 2 * half : 2], own[:half] + own[half : 2 * half]):
            self.assertVariance(pairs / math.sqrt(2), 1.0, f"Draws share their noise: {about}")
        if own.shape[1] > 1:
            together = own.sum(dim=1) / math.sqrt(own.shape[1])
            self.assertVariance(together, 1.0, f"Entries of one draw share their noise: {about}")
        self.assertMean(samples, mean, variance.sqrt(), f"The mean of many draws is wrong: {about}")
        self.assertVariance(samples, variance, f"The variance of many draws is wrong: {about}")
        self.assertNormal((samples - mean) / variance.sqrt(), f"The draws are not normal: {about}")

    def assertNormal(self, noise: Tensor, sentence: str) -> None:
        """Independent numbers of mean 0 and variance 1 are normal: half of them lie within the quartiles.

        Of uniform numbers 39 % do, of the sum of two uniform ones 47 %, of signs none, of Laplace's law 61 %.
        """
        inside = (noise.abs() < NormalDist().inv_cdf(0.75)).double()
        if abs(float(inside.mean()) - 0.5) > deviations(1) * 0.5 / math.sqrt(inside.numel()):
            raise Wrong(sentence)

    def assertGradients(self, found: Any, value: Any, slopes: tuple, sentence: str, terms: int = TERMS) -> None:
        """`found` is (value, *slopes). `sentence` is about gradients, and is only said where the value is right."""
        found = self.several(found, 1 + len(slopes))
        problem = difference(found[0], value, terms)
        if problem:
            raise Wrong(f"The value is wrong in this test too, and so is its gradient ({problem})")
        self.assertClose(found[1:], slopes, sentence, terms)

    def assertLine(self, found: Any, expected: Tensor, shown: Any, sentence: str) -> None:
        """The images `expected`, in this order or back; `shown` picks those that are compared."""
        self.assertShape(found, expected.shape)
        back = found.flip(0)
        from_1 = (found - expected).abs().max() <= (back - expected).abs().max()
        self.assertClose((found if from_1 else back)[shown], expected[shown], sentence)

    def assertShape(self, found: Any, shape: Sequence[int]) -> None:
        """It is one tensor of this shape."""
        if not isinstance(found, Tensor) or found.shape != tuple(shape):
            raise Wrong(f"It returned {described(found)}; the shape is {tuple(shape)}")

    def several(self, found: Any, count: int, sentence: str = "") -> tuple:
        """`found` as a tuple of so many values, which it has to be."""
        if not isinstance(found, tuple) or len(found) != count:
            raise Wrong(sentence or f"It returned {described(found)} where {count} values were to be seen")
        return found

    def joined(self, calls: Any, shape: Sequence[int], sentence: str) -> Tensor:
        """What a network was asked in its last calls, as one tensor of this shape: a batch may come in parts.

        What it is asked once more right away (decode(z).mode(), decode(z).nll(x)) counts once; times may be alike.
        """
        parts = calls if isinstance(calls, tuple) else ()
        if not parts or not all(isinstance(x, Tensor) and x.shape[1:] == tuple(shape[1:]) for x in parts):
            raise Wrong(sentence)
        fresh = [x for before, x in zip(parts, parts[1:], strict=False) if x.dim() < 2 or not torch.equal(before, x)]
        x = torch.cat([parts[0], *fresh])[-shape[0] :]
        if x.shape != tuple(shape):
            raise Wrong(sentence)
        return x

    def _numbers(self, samples: Any, sentence: str) -> Tensor:
        if not isinstance(samples, Tensor) or samples.dim() == 0 or len(samples) < 1 or unsound(samples):
            raise Wrong(sentence)
        return samples.double()

    def _truth(self, value: Any, samples: Tensor, sentence: str) -> Tensor:
        """A mean, standard deviation or variance of one row; it may have been made of what the student's code did."""
        value = torch.as_tensor(value, dtype=torch.float64)
        if unsound(value):
            raise Wrong(sentence)
        return value.expand(samples.shape[1:])


def identifier(name: Any) -> str:
    """A stranger's name of a parameter; empty where it is none."""
    return name if isinstance(name, str) and name.isidentifier() and len(name) < 60 else ""


def lines_of(error: AssertionError) -> tuple[int, ...]:
    """The lines on the way to an assertion, from the law inwards: the larger, the further a straight law got."""
    return tuple(line for _, line in traceback.walk_tb(error.__traceback__))[1:]


def rows_alike(samples: Tensor, sentence: str) -> str | None:
    """What is wrong before any mean is, and what follows from it: rows that ought to be independent are the same."""
    if len(samples) > 1 and float((samples[1:] - samples[:1]).abs().max()) == 0:
        return f"All draws are the same: {sentence[:1].lower()}{sentence[1:]}"
    return None


def deviations(entries: int) -> float:
    """How many standard errors chance alone exceeds with probability FALSE_ALARM somewhere in `entries` numbers."""
    return NormalDist().inv_cdf(1 - FALSE_ALARM / (2 * max(1, entries)))


def students(normal: float, freedom: int) -> float:
    """Student's t at the probability at which a standard normal variable is `normal` (Cornish and Fisher, 1937)."""
    z, n = normal, freedom
    first, second = (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96
    return z + first / n + second / n**2 + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * n**3)


def sentence_of(failure: Failure) -> str:
    """One sentence for a student whose code gave no value."""
    where = f" ({failure.place})" if failure.place else ""
    match failure.kind, failure.type:
        case "exception", _ if failure.unfinished:
            return f"Not implemented yet: {failure.message or 'NotImplementedError'}{where}."
        case "exception", "TypeError" if "unexpected keyword argument" in failure.message:
            return f"It raised TypeError: {failure.message}: keep the given parameter names{where}."
        case "exception", _:
            return f"It raised {failure.type}: {failure.message}{where}"
        case _:
            return f"{failure.message[:1].upper()}{failure.message[1:]}{where}."
