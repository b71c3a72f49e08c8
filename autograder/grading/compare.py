"""What "equal" means: a value that came back from the sandbox against the one that is expected.

Trusted side. Every value from the sandbox is a stranger's, so nothing here believes it, and every comparison asks in
this order: is it the kind of thing that was asked for, is it finite, is there anything, is it right. The tolerance
comes from the arithmetic that was asked for and from the expected value, never from what came back.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from autograder.sandbox.messages import Failure
from autograder.sandbox.wire import NO_GRADIENT, NoGradient, Opaque

TERMS = 256  # how many rounding errors add up in an ordinary look


def difference(
    actual: Any,
    expected: Any,
    terms: int = TERMS,
    *,
    precision: torch.dtype = torch.float32,
    infinite: bool = False,
) -> str | None:
    """Why `actual` is not `expected`, without giving `expected` away; None when it is, but for rounding.

    Numbers may come as Python numbers, arrays or tensors; where a scalar is expected, (1,) may stand for ().

    Args:
        terms: how many rounding errors add up; the tolerance is 4 terms eps relative to the largest expected value.
        precision: of the arithmetic that was asked for: its eps is the tolerance's, and an answer in a narrower dtype
            is none. float64 for functions of Python numbers or of float64 tensors, where a test is about that.
        infinite: whether infinity and NaN may be right; otherwise an expected value that holds one (it was made of what
            the student's own code did) is a mistake of the student's, as well as one that came back.
    """
    if has_only_collections(expected):
        return "there is nothing to compare"
    return _difference(actual, expected, terms, precision, infinite)


def _difference(actual: Any, expected: Any, terms: int, precision: torch.dtype, infinite: bool) -> str | None:
    if isinstance(actual, Opaque) and not isinstance(expected, Opaque):
        return f"it returned {actual}"
    if isinstance(expected, bool):
        return None if is_truth(actual, expected) else "it is not what it should be"
    if isinstance(expected, Tensor | float | int):
        return number_difference(actual, expected, terms, precision, infinite)
    if isinstance(expected, tuple):
        if not isinstance(actual, tuple):
            return f"it returned {described(actual)} instead of {len(expected)} values"
        if len(actual) != len(expected):
            return f"it returned {len(actual)} values instead of {len(expected)}"
        pairs = list(zip(actual, expected, strict=True))
    elif isinstance(expected, dict):
        if not isinstance(actual, dict) or actual.keys() != expected.keys():
            return "it returned other entries than it should"
        pairs = [(actual[key], expected[key]) for key in expected]
    else:
        return None if type(actual) is type(expected) and actual == expected else "it is not what it should be"
    return next((problem for pair in pairs if (problem := _difference(*pair, terms, precision, infinite))), None)


def number_difference(actual: Any, expected: Any, terms: int, precision: torch.dtype, infinite: bool) -> str | None:
    if actual is None:
        return "it returned None: is a return missing?"
    if actual is NO_GRADIENT:
        return "there is no gradient"
    if not isinstance(actual, Tensor | float | int) or isinstance(actual, bool):
        wanted = "a tensor" if isinstance(expected, Tensor) else "a number"
        return f"it returned {described(actual)} instead of {wanted}"
    python_number = not isinstance(actual, Tensor)
    actual, expected = (v if isinstance(v, Tensor) else as_tensor(v) for v in (actual, expected))
    scalar = expected.dim() == 0 and actual.shape == (1,)
    if actual.shape != expected.shape and not scalar:
        return f"it has shape {tuple(actual.shape)} instead of {tuple(expected.shape)}"
    if expected.is_floating_point() and not python_number and (problem := wrong_dtype(actual, precision)):
        return problem
    if not expected.is_floating_point() and (problem := half_precision(actual)):
        return problem
    a, e = actual.double().reshape(expected.shape), expected.double()
    finite = e.isfinite()
    if not infinite and not bool(finite.all()):
        return "what it has to agree with, made of what your code did before, contains NaN or infinite values"
    if bool(a[finite].isnan().any()):
        return "it contains NaN"
    largest = float(e[finite].abs().max()) if bool(finite.any()) else 0.0
    tolerance = 4 * terms * torch.finfo(precision).eps * largest
    right = torch.where(finite, (a - e).abs() <= tolerance, (a == e) | (a.isnan() & e.isnan()))
    count = int((~right).sum())
    if count == 0:
        return None
    if bool(a[finite].isinf().any()):
        return "it contains infinite values"
    return "its value is wrong" if a.numel() == 1 else f"{count} of its {a.numel()} values are wrong"


def as_tensor(number: float | int) -> Tensor:
    return torch.tensor(number, dtype=torch.float64 if isinstance(number, float) else torch.int64)


def is_truth(value: Any, expected: bool) -> bool:
    """Whether a value is this bool; numpy's own arrives as a tensor without dimensions."""
    if isinstance(value, Tensor) and value.dtype is torch.bool and value.dim() == 0:
        value = bool(value)
    return value is expected


def wrong_dtype(value: Tensor, precision: torch.dtype) -> str | None:
    """Why a tensor has no numbers of this precision, in words; None when it has."""
    if not value.is_floating_point():
        return f"it holds {name_of(value.dtype)} instead of floating point numbers"
    if torch.finfo(value.dtype).eps > torch.finfo(precision).eps:
        return f"it comes in {name_of(value.dtype)}, which is too coarse: compute in {name_of(precision)}"
    return None


def half_precision(value: Tensor) -> str | None:
    return wrong_dtype(value, torch.float32) if value.is_floating_point() else None


def name_of(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


# ---------------------------------------------------------------- without anything to compare with


def unsound(value: Any, *, infinite: bool = False) -> str | None:
    """Why a value that was seen is no answer, whatever is right; None when it may be one.

    It has to hold something, in float32 or float64 where it is floating point, and all of it finite unless `infinite`.
    """
    if has_only_collections(value):
        return "it returned nothing to look at"
    for numbers in numbers_in(value):
        if problem := half_precision(numbers):
            return problem
        if not infinite and not bool(numbers.double().isfinite().all()):
            return "it contains NaN" if bool(numbers.double().isnan().any()) else "it contains infinite values"
    return None


def coarse(value: Any) -> str | None:
    """Why random numbers are half precision in a wider dtype; None when they are not, or are too few to tell."""
    for numbers in numbers_in(value):
        for narrow in (torch.float16, torch.bfloat16):
            there_and_back = numbers.to(narrow).to(numbers.dtype)
            if numbers.is_floating_point() and numbers.numel() >= 16 and torch.equal(there_and_back, numbers):
                return f"it was computed in {name_of(narrow)}, which is too coarse"
    return None


def numbers_in(value: Any) -> Iterator[Tensor]:
    """All numbers somewhere in a value, as tensors that are not empty."""
    if isinstance(value, Tensor):
        if value.numel():
            yield value
    elif isinstance(value, float | int):
        yield as_tensor(value) if not isinstance(value, bool) else torch.tensor(value)
    elif isinstance(value, tuple | list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from numbers_in(item)


def has_only_collections(value: Any) -> bool:
    """Whether there is nothing in a value but empty tensors, tuples and dicts."""
    if isinstance(value, Tensor):
        return value.numel() == 0
    if isinstance(value, tuple | list | dict):
        return all(has_only_collections(item) for item in (value.values() if isinstance(value, dict) else value))
    return False


def described(value: Any) -> str:
    if isinstance(value, Opaque | NoGradient):
        return str(value)
    if isinstance(value, Tensor):
        return f"one tensor of shape {tuple(value.shape)}"
    return {"NoneType": "None", "tuple": f"{len(value) if isinstance(value, tuple) else 0} values"}.get(
        type(value).__name__, f"a {type(value).__name__}"
    )


def same_outcome(one: Any, other: Any) -> bool:
    """Whether two looks saw the same: the same exception, or values that are equal but for rounding.

    Also where both are infinite or NaN in the same places, as after the same overflow, so long as something is finite.
    """
    if isinstance(one, Failure) or isinstance(other, Failure):
        both = isinstance(one, Failure) and isinstance(other, Failure)
        return both and one.kind == other.kind == "exception" and (one.type, one.message) == (other.type, other.message)
    return type(one) is type(other) and difference(one, other, infinite=True) is None
