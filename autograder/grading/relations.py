"""How what was found relates to what is right: the negative of it, its square, twice of it, shifted by one, transposed.

Trusted side; nothing of it leaves. A relation is said only when it holds to the tolerance of the test itself and no
other relation does, so that it is a fact about the student's numbers; it never tells the right ones.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from autograder.grading.compare import TERMS, difference
from autograder.sandbox.messages import Failure, Look

WAYS: list[tuple[str, Callable[[Tensor], Tensor]]] = [  # what a student gets who makes the mistake, from what is right
    ("This is the negative of what is right: a sign is wrong.", lambda e: -e),
    ("This is the square of what is right: a square root is missing, or a square is one too many.", lambda e: e**2),
    ("This is the square root of what is right: a square is missing, or a root is one too many.", lambda e: e.sqrt()),
    ("This is the exponential of what is right: a logarithm is missing.", lambda e: e.exp()),
    ("This is the logarithm of what is right: an exponential is missing.", lambda e: e.log()),
    ("This is one divided by what is right.", lambda e: 1 / e),
    ("This is 1 minus what is right.", lambda e: 1 - e),
    ("This is the absolute value of what is right: the sign is lost.", lambda e: e.abs()),
    ("This is exp of half of what is right: a log-variance is taken for the log of a standard deviation.",
     lambda e: (e / 2).exp()),
    ("Square it and what is right, and they add up to 1: sqrt(a) and sqrt(1 - a) are confused.",
     lambda e: (1 - e**2).sqrt()),
]  # fmt: skip
ARRANGEMENTS: list[tuple[str, Callable[[Tensor], Tensor]]] = [
    ("The right numbers, but transposed.", lambda e: e.transpose(-1, -2)),
    ("The right numbers in reverse order along the first dimension.", lambda e: e.flip(0)),
    ("The right numbers, but the last dimension runs backwards.", lambda e: e.flip(-1)),
]
SUMS: list[tuple[str, Callable[[Tensor], Tensor]]] = [  # what a student should have done with what came back
    ("Summed over all but the first dimension it is right: a sum is missing.", lambda f: f.flatten(1).sum(1)),
    ("Averaged over all but the first dimension it is right: a mean is missing.", lambda f: f.flatten(1).mean(1)),
    ("Its sum is right: sum over all dimensions.", lambda f: f.sum()),
    ("Its mean is right: take the mean over all of it.", lambda f: f.mean()),
    ("Summed over its last dimension it is right: a sum is missing.", lambda f: f.sum(-1)),
    ("Averaged over its last dimension it is right: a mean is missing.", lambda f: f.mean(-1)),
    ("Summed over its first dimension it is right: a sum is missing.", lambda f: f.sum(0)),
    ("Averaged over its first dimension it is right: a mean is missing.", lambda f: f.mean(0)),
]
TOO_FEW: list[tuple[str, Callable[[Tensor], Tensor]]] = [  # of what is right, what a student has made
    ("This is the sum of the right numbers over the batch, too: keep one for each element of it.", lambda e: e.sum()),
    ("This is the mean of the right numbers over the batch, too: keep one for each element of it.", lambda e: e.mean()),
    ("This is the sum of the right numbers over their first dimension, which has to stay.", lambda e: e.sum(0)),
    ("This is the mean of the right numbers over their first dimension, which has to stay.", lambda e: e.mean(0)),
    ("This is the sum of the right numbers over their last dimension, which has to stay.", lambda e: e.sum(-1)),
    ("This is the mean of the right numbers over their last dimension, which has to stay.", lambda e: e.mean(-1)),
]  # fmt: skip
UNDEFINED = ("What is wrong is infinite or NaN: on the way to it a number outgrows what a float holds, or something "
             "undefined is computed (0 / 0, log 0, the root of a negative number).")  # fmt: skip
A_FACTOR = "Everything is right but for one constant factor."
AN_OFFSET = "It is wrong by the same amount everywhere: a term that is the same for all inputs is wrong or missing."
Sizes = list[tuple[int, str]]


def relation(found: Any, expected: Any, look: Look | None = None, terms: int = TERMS) -> str | None:
    """The one sentence that is true of what was found, beside what is right; None where there is none, or several."""
    return the_one(relations(found, expected, look, terms))


def the_one(said: set[str]) -> str | None:
    """One of the sentences that hold, if only one does, or if the others only give what it says a name."""
    named = said - {A_FACTOR, AN_OFFSET}
    if len(named) == 1:
        return named.pop()
    general = said & {A_FACTOR, AN_OFFSET}
    about = "what is right" if A_FACTOR in general else "This is too"
    return general.pop() if len(general) == 1 and all(about in sentence for sentence in named) else None


def relations(
    found: Any, expected: Any, look: Look | None = None, terms: int = TERMS, elsewhere: bool = False
) -> set[str]:
    """All sentences that are true of what was found, beside what is right.

    Args:
        found, expected: values, tuples or dicts of them, as a test compares them.
        look: what was seen; the sizes of its inputs give a factor its name.
        terms: of the test's own tolerance.
        elsewhere: whether the same code is right in another test.
    """
    if isinstance(found, Failure) or isinstance(expected, Failure):
        return set()
    if found is None and expected is not None:
        return {"Nothing came back (None): a result is handed back by `return`, on every way through the function."}
    if isinstance(expected, tuple):
        if not isinstance(found, tuple) or len(found) != len(expected):
            return set()
        if len(expected) == 2 and close(found[0], expected[1], terms) and close(found[1], expected[0], terms):
            return {"The two values are right, but in the wrong order."}
        return of_parts(list(zip(found, expected, strict=True)), look, terms, elsewhere)
    if isinstance(expected, dict):
        if not isinstance(found, dict) or found.keys() != expected.keys():
            return set()
        return of_parts([(found[key], expected[key]) for key in expected], look, terms, elsewhere)
    f, e = tensor(found), tensor(expected)
    if f is None or e is None or not bool(e.isfinite().all()) or close(f, e, terms):
        return set()
    if not bool(f.isfinite().all()):
        finite = f.isfinite()
        right = f.shape == e.shape and bool(((f - e)[finite].abs() <= 1e-4 * float(e.abs().max())).all())
        return {UNDEFINED} if right and (elsewhere or bool(finite.any())) else set()
    return set(sentences(f, e, sizes(look), terms))


def of_parts(pairs: list[tuple[Any, Any]], look: Look | None, terms: int, elsewhere: bool) -> set[str]:
    """What holds for every part that is wrong."""
    said = [relations(f, e, look, terms, elsewhere) for f, e in pairs if not close(f, e, terms)]
    return set.intersection(*said) if said else set()


def tensor(value: Any) -> Tensor | None:
    """As float64, if these are numbers."""
    if isinstance(value, bool) or not isinstance(value, Tensor | float | int):
        return None
    value = torch.as_tensor(value)
    if value.is_complex() or value.dtype is torch.bool or value.numel() == 0:
        return None
    return value.double()


def close(found: Any, expected: Any, terms: int) -> bool:
    found, expected = (v.double() if isinstance(v, Tensor) and not v.is_complex() else v for v in (found, expected))
    if isinstance(expected, Tensor) and not bool(expected.isfinite().all()):
        return False
    return difference(found, expected, terms) is None


def sentences(f: Tensor, e: Tensor, known: Sizes, terms: int) -> Iterator[str]:
    """All relations that hold."""
    if f.shape != e.shape:
        yield from of_shapes(f, e, terms)
        return
    many = e.numel() >= 3 and float(e.std()) > 1e-3 * float(e.abs().max())
    if not many and simple(e):
        return  # 0 or 1 or 2: everything is the square, the root or twice of something
    held = False
    for sentence, way in WAYS:
        mistaken = way(e)
        if bool(mistaken.isfinite().all()) and close(f, mistaken, terms):
            held = True
            yield sentence
    if many:
        for sentence, way in ARRANGEMENTS:
            enough = e.dim() >= (2 if "transposed" in sentence else 1)
            if enough and way(e).shape == f.shape and close(f, way(e), terms):
                held = True
                yield sentence
        yield from of_rows(f, e, terms)
        if not held:
            yield from where_wrong(f, e, terms)
    yield from factors(f, e, known, many, terms)
    yield from offsets(f, e, known, many, terms)


def where_wrong(f: Tensor, e: Tensor, terms: int) -> Iterator[str]:
    """What relates those numbers that are wrong to the right ones, where others are right."""
    wrong = (f - e).abs() > 1e-4 * float(e.abs().max())
    f, e, rest = f[wrong], e[wrong], e[~wrong]
    if len(e) < 3 or len(rest) < 3 or float(e.std()) <= 1e-3 * float(e.abs().max()) or simple(e):
        return
    for sentence, way in WAYS:
        mistaken = way(e)
        if bool(mistaken.isfinite().all()) and close(f, mistaken, terms):
            yield f"Where it is wrong, t{sentence[1:]}" if sentence.startswith("This") else sentence


def simple(e: Tensor) -> bool:
    """Numbers of which too much is true."""
    return bool((e == e.round()).all()) or float(e.abs().max()) < 1e-6


def of_shapes(f: Tensor, e: Tensor, terms: int) -> Iterator[str]:
    if f.numel() == e.numel() and f.squeeze().shape == e.squeeze().shape and close(f.reshape(e.shape), e, terms):
        yield "The numbers are right, their shape is not."
    elif f.dim() == 2 and f.T.shape == e.shape and close(f.T, e, terms):
        yield "The right numbers, but transposed."
    elif e.numel() >= 3 and f.numel() > e.numel() and f.shape[-e.dim() :] == e.shape and all_alike(f, e, terms):
        yield "The right numbers, repeated along a dimension that must not be there."
    else:
        for sentence, way in SUMS:
            if f.dim() >= (2 if "all but" in sentence else 1) and way(f).shape == e.shape and close(way(f), e, terms):
                yield sentence
                return
        for sentence, way in TOO_FEW:
            if e.dim() >= 1 and f.numel() == 1 and close(f.reshape(()), way(e), terms):
                yield sentence
                return


def all_alike(f: Tensor, e: Tensor, terms: int) -> bool:
    return close(f, e.expand(f.shape).clone(), terms)


def of_rows(f: Tensor, e: Tensor, terms: int) -> Iterator[str]:
    """Which rows are right, and whether they are each other's."""
    rows = len(e)
    if rows < 3 or e.dim() == 0:
        return
    tolerance = 1e-4 * float(e.abs().max())
    if float((e[1:] - e[:1]).abs().max()) <= tolerance:
        return  # all rows are the same anyway
    right = ((f - e).abs() <= tolerance).reshape(rows, -1).all(dim=1)
    if float((f[1:] - f[:1]).abs().max()) <= tolerance:
        yield "Whatever was compared (rows, calls or inputs), it is the same for all of them, and should not be."
    elif close(f[1:], e[:-1], terms):
        yield "The right numbers, one place too late: an index or a time step is off by one."
    elif close(f[:-1], e[1:], terms):
        yield "The right numbers, one place too early: an index or a time step is off by one."
    elif bool(right[0]) and not bool(right[1:].any()):
        yield "Of what was compared (rows, calls or inputs), only the first is right, and all others are wrong."
    elif bool(right[:-1].all()):
        yield "All rows but the last are right."
    elif bool(right[1:].all()):
        yield "All rows but the first are right."


def factors(f: Tensor, e: Tensor, known: Sizes, many: bool, terms: int) -> Iterator[str]:
    large = e.abs() > 1e-3 * e.abs().max()
    ratio = float((f[large] / e[large]).median()) if bool(large.any()) else 0.0
    if ratio == 0 or abs(ratio + 1) < 1e-6 or not close(f, ratio * e, terms):
        return
    for factor in named_factors(ratio, known):
        yield f"This is {factor}; everything else about it is right."
    if many and not is_a_factor_of(e):
        yield A_FACTOR


def is_a_factor_of(e: Tensor) -> bool:
    """Whether all entries are the same, so that any number is a factor away."""
    return float((e - e.flatten()[0]).abs().max()) < 1e-6 * float(e.abs().max())


def named_factors(ratio: float, known: Sizes) -> Iterator[str]:
    sign = "minus " if ratio < 0 else ""
    ratio = abs(ratio)
    names = {2.0: "twice", 0.5: "half of", 4.0: "4 times", 0.25: "a quarter of", math.pi: "pi times",
             2 * math.pi: "2 pi times", 1 / (2 * math.pi): "1 / (2 pi) times", math.sqrt(2): "sqrt(2) times",
             1 / math.sqrt(2): "1 / sqrt(2) times", math.log(2): "log 2 times",
             1 / math.log(2): "1 / log 2 times"}  # fmt: skip
    for value, name in names.items():
        if abs(ratio / value - 1) < 1e-5:
            yield f"{sign}{name} what is right"
    for size, name in known:
        if abs(ratio / size - 1) < 1e-5:
            yield f"{sign}n times what is right, where n is {name}"
        if abs(ratio * size - 1) < 1e-5:
            yield f"{sign}1/n of what is right, where n is {name}"


def offsets(f: Tensor, e: Tensor, known: Sizes, many: bool, terms: int) -> Iterator[str]:
    gap = float((f - e).median())
    if abs(gap) < 1e-9 or not close(f, e + gap, terms):
        return
    names = [(0.5, "1/2"), (1.0, "1"), (2.0, "2"), (math.log(2), "log 2"), (math.log(4), "log 4"),
             (math.log(math.pi), "log pi"), (math.log(2 * math.pi) / 2, "1/2 log(2 pi)"),
             (math.log(2 * math.pi), "log(2 pi)")]  # fmt: skip
    for size, name in known:
        where = f", where n is {name}"
        names += [(size / 2 * math.log(2 * math.pi), f"n/2 log(2 pi){where}"), (size / 2, f"n/2{where}"),
                  ((size - 1) / 2 * math.log(2 * math.pi), f"(n - 1)/2 log(2 pi){where}"),
                  (size * math.log(2 * math.pi), f"n log(2 pi){where}"), (size * math.log(2), f"n log 2{where}"),
                  (math.log(size), f"log n{where}"), (float(size), f"n{where}")]  # fmt: skip
    for value, name in names:
        if abs(abs(gap) - value) < 1e-5 * max(1.0, value) and (many or value not in (0.5, 1.0, 2.0)):
            yield f"This is too {'large' if gap > 0 else 'small'} by {name}; everything else about it is right."
    if many:
        yield AN_OFFSET


def sizes(look: Look | None) -> Sizes:
    """The sizes of a look's inputs, and what they are."""
    found: dict[tuple[int, str], None] = {}
    function = look.function if look else None
    for cell in getattr(function, "__closure__", None) or ():
        try:
            value = cell.cell_contents
        except ValueError:
            continue
        for item in value if isinstance(value, list | tuple) else [value]:
            if isinstance(item, Tensor) and item.dim():
                found[len(item), "the number of rows of an input"] = None
                if item.dim() > 1:
                    found[item[0].numel(), "the number of values in a row of an input"] = None
                found[item.numel(), "the number of values of an input"] = None
            elif isinstance(item, int) and not isinstance(item, bool) and 3 <= item <= 10_000:
                found[item, "a number that the function was given"] = None
    return [(size, name) for size, name in found if size >= 3]
