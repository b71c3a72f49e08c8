"""What "equal" means: a value that came back from the sandbox against the one that is expected.

Trusted side. Every value from the sandbox is a stranger's; nothing here believes it.
"""

from typing import Any

import torch
from torch import Tensor

from autograder.sandbox.messages import Failure
from autograder.sandbox.wire import NO_GRADIENT, NoGradient, Opaque

TERMS = 256  # how many rounding errors add up in an ordinary look


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
    return next((problem for pair in pairs if (problem := difference(*pair, terms))), None)


def number_difference(actual: Any, expected: Any, terms: int) -> str | None:
    if actual is None:
        return "it returned None: is a return missing?"
    if actual is NO_GRADIENT:
        return "there is no gradient"
    if not isinstance(actual, Tensor | float | int):
        return f"it returned {described(actual)} instead of a tensor"
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


def described(value: Any) -> str:
    if isinstance(value, Opaque | NoGradient):
        return str(value)
    if isinstance(value, Tensor):
        return f"one tensor of shape {tuple(value.shape)}"
    return {"NoneType": "None", "tuple": f"{len(value) if isinstance(value, tuple) else 0} values"}.get(
        type(value).__name__, f"a {type(value).__name__}"
    )


def same_outcome(one: Any, other: Any) -> bool:
    """Whether two looks saw the same: the same exception, or values that are equal but for rounding."""
    if isinstance(one, Failure) or isinstance(other, Failure):
        both = isinstance(one, Failure) and isinstance(other, Failure)
        return both and one.kind == other.kind == "exception" and (one.type, one.message) == (other.type, other.message)
    return type(one) is type(other) and difference(one, other) is None
