"""What the hidden tests of answers.py share; they stand in q1.py to q4.py. Instructors read these, students never.

Every expected value is found in another way than the reference's: divergences from torch.distributions, inverses by
going forwards through g, question 3 from the joint Gaussian law of all variables, question 4 by automatic
differentiation. The tolerance is that of float32, so that single precision and root finders cost nobody points.
"""

import sys
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from autograder.grading.exercise import Exercise, Failure, Seen
from autograder.sandbox.wire import plain_text

VERDICTS = "asymptotically stable", "inconclusive", "unstable"
APART = 1e-3  # how far two points of a witness must be from each other; the docstrings say so

# ---------------------------------------------------------------- in the sandbox: any answer as numbers


def leaves(value, point: dict) -> list[complex]:
    """The numbers in an answer, in their order.

    Args:
        value: numbers, tensors, arrays, SymPy expressions or matrices, or lists and tuples of these.
        point: values of the symbols that an expression may hold, by name.
    Raises:
        TypeError: with a sentence, for everything else.
    """
    sympy = sys.modules.get("sympy")
    if value is None:
        raise TypeError("It returned None, as a function without a return does.")
    if isinstance(value, str | bytes):
        raise TypeError("It returned a string. Return numbers, or a SymPy expression (not its text).")
    if sympy and isinstance(value, sympy.Expr):
        unknown = sorted(str(s) for s in value.free_symbols if s.name not in point)
        if unknown:
            raise TypeError(f"It returned an expression in {', '.join(unknown)}, which is no argument of the function.")
        value = value.subs({s: point[s.name] for s in value.free_symbols}).evalf()
        if not value.is_number or value.has(sympy.zoo):
            raise TypeError("It returned a SymPy expression that cannot be evaluated to a number.")
        return [complex(value)]
    if isinstance(value, bool) or callable(value) and not hasattr(value, "tolist"):
        raise TypeError(f"It returned an object of type {type(value).__name__} where a number is expected.")
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().to_dense()
    if hasattr(value, "tolist"):  # tensors, arrays, SymPy matrices
        value = value.tolist()
    if isinstance(value, set | frozenset | dict) or hasattr(value, "send"):
        raise TypeError(f"It returned a {type(value).__name__}. Return numbers in a list, in the order asked for.")
    if isinstance(value, list | tuple) or hasattr(value, "__iter__"):
        return [number for entry in value for number in leaves(entry, point)]
    try:
        return [complex(value)]
    except TypeError:
        kind = type(value).__name__
        raise TypeError(f"It returned an object of type {kind} where a number is expected.") from None


def real(values: list[complex]) -> list[float]:
    if any(abs(v.imag) > 1e-6 * (1 + abs(v.real)) for v in values):
        raise TypeError("It returned complex numbers where real ones are expected.")
    return [v.real for v in values]


def expect_length(values: list, length: int) -> None:
    if len(values) != length:
        count = f"{len(values)} number{'' if len(values) == 1 else 's'}"
        raise TypeError(f"It returned {count} instead of {length}.")


def table(function: Callable, points: list[dict], length: int = 1):
    """What `function` returns at each point: (points, length) float64; or a sentence about what cannot be read."""
    rows = []
    for point in points:
        value = function(**point)
        try:
            row = real(leaves(value, point))
            expect_length(row, length)
        except TypeError as sentence:
            return str(sentence)
        rows.append(row)
    return torch.tensor(rows, dtype=torch.float64).reshape(len(points), length)


def spectrum(value, point: dict):
    """Three eigenvalues as the coefficients of their polynomial, which do not depend on their order: (6,) float64."""
    sympy = sys.modules.get("sympy")
    if isinstance(value, dict):  # SymPy's Matrix.eigenvals: {eigenvalue: multiplicity}
        value = [root for root, multiplicity in value.items() for _ in range(int(multiplicity))]
    elif isinstance(value, set | frozenset) or sympy and isinstance(value, sympy.FiniteSet):
        value = list(value)
    try:
        roots = leaves(value, point)
        expect_length(roots, 3)
    except TypeError as sentence:
        return str(sentence)
    a, b, c = roots
    coefficients = a + b + c, a * b + b * c + c * a, a * b * c
    return torch.tensor([part for v in coefficients for part in (v.real, v.imag)], dtype=torch.float64)


def verdicts(function: Callable, points: list[dict]):
    """(points, 2) float64: the place of the verdict among VERDICTS, and the rate; or a sentence."""
    rows = []
    for point in points:
        value = function(**point)
        if not isinstance(value, list | tuple) or len(value) != 2 or not isinstance(value[0], str):
            return "It did not return a pair: the verdict as a string, then the rate as a number."
        verdict = " ".join(value[0].lower().split())
        if verdict not in VERDICTS:
            return f"The verdict is none of {', '.join(repr(v) for v in VERDICTS)}."
        try:
            rate = real(leaves(value[1], point))
            expect_length(rate, 1)
        except TypeError as sentence:
            return str(sentence)
        rows.append([VERDICTS.index(verdict), rate[0]])
    return torch.tensor(rows, dtype=torch.float64)


def build_chain(betas, slopes, offsets, variances):
    from theory_models import Chain

    return Chain(*(tuple(values) for values in (betas, slopes, offsets, variances)))


def build_joint(chain: dict, **others):
    from theory_models import Joint

    return Joint(chain=build_chain(**chain), **others)


# ---------------------------------------------------------------- here: laws


class Derivation(Exercise):
    """What the exercises of this file share."""

    def _look(self, function: Callable, replacing: Mapping[str, Callable] | None, cpu_seconds: int | None) -> Seen:
        """A sentence about what cannot be read is what the student is told."""
        seen = super()._look(function, replacing, cpu_seconds)
        unread = isinstance(seen.outcome, str)
        return Seen(seen.look, Failure("file", plain_text(seen.outcome).rstrip("."))) if unread else seen

    def holds(self, look: Callable, expected: Tensor, sentence: str) -> None:
        self.assertClose(self.observe(look), expected, sentence)

    def either(self, look: Callable, truths: Sequence[Tensor], sentence: str, replacing: dict) -> None:
        """The look sees the first of `truths`, or, with stand-ins in the place of other exercises, any of them.

        So an answer may call the others, or write their formula out; and one that only works with the student's own
        types is judged with these.
        """

        def law(found: object, truth: Tensor) -> None:
            self.assertClose(found, truth, sentence)

        self.observe_law(look, law, [(replacing, truths), ({}, truths[:1])] if replacing else [({}, truths)])

    def points(self, count: int, **ranges: tuple[float, float]) -> list[dict]:
        """`count` points, each number uniform in its range."""
        return [{name: self.number(*bounds) for name, bounds in ranges.items()} for _ in range(count)]

    def numbers(self, count: int, low: float, high: float) -> list[float]:
        return [self.number(low, high) for _ in range(count)]

    def secrets(self, count: int) -> list[float]:
        """Coefficients of what stands in for another exercise: nobody can know its values without calling it."""
        return self.numbers(count, 0.5, 3)


def column(values: Sequence) -> Tensor:
    """(N, 1), float64."""
    return torch.stack([torch.as_tensor(v, dtype=torch.float64).reshape(()) for v in values]).reshape(-1, 1)
