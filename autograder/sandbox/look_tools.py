"""What looks do inside the sandbox beside calling the student's code: gradients, seeds, and watching over the inputs.

Imported by the worker, so that a look names these functions instead of carrying them. Nothing here is an answer.
"""

import inspect
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy
import torch
from torch import Tensor

from autograder.sandbox.wire import NO_GRADIENT, Opaque


def leaves(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Copies of the same shapes that gradients are wanted for."""
    return tuple(t.clone().requires_grad_() for t in tensors)


def gradients(value: Any, *inputs: Tensor) -> tuple:
    """The gradient of sum(value) for each input, or NO_GRADIENT for an input that none reaches.

    Where `value` is no tensor, it comes back itself, as often as there are inputs: it says more than a missing
    gradient does. Where the student's code has called backward() itself, it is that which comes back.
    """
    if not isinstance(value, Tensor):
        return tuple(value for _ in inputs)
    if any(t.grad is not None for t in inputs):
        return tuple(Opaque("a value after it called backward() itself, which is the caller's to do") for _ in inputs)
    if not value.requires_grad:
        return tuple(NO_GRADIENT for _ in inputs)
    found = torch.autograd.grad(value.sum(), inputs, allow_unused=True)
    return tuple(NO_GRADIENT if g is None else g for g in found)


# ---------------------------------------------------------------- random code


def seed_everything(seed: int) -> None:
    """Seed all three global generators, as a caller does who wants to repeat a run."""
    random.seed(seed)
    numpy.random.seed(seed % 2**32)
    torch.default_generator.manual_seed(seed)  # torch.manual_seed seeds GPUs, too, and is slow where there are none


def three_questions(draw: Callable[[], Any], seed: int) -> dict[str, Any]:
    """What `draw` gives without a seed, twice; with the same seed, twice; and what a caller draws after it.

    Every call gets the inputs as they were: one that changes them in place is not said to be seeded wrongly for it.

    Returns: {"unseeded": (a, b), "seeded": (c, d), "after": (numbers drawn after a call with one seed, with another)}.
    """
    inputs = Inputs(draw)

    def anew() -> Any:
        inputs.restore()
        return draw()

    unseeded = anew(), anew()
    seeded, after = [], []
    for chosen in (seed, seed, seed + 1):
        seed_everything(chosen)
        seeded.append(anew())
        after.append(torch.rand(4))
    return {"unseeded": unseeded, "seeded": tuple(seeded[:2]), "after": tuple(after[1:])}


# ---------------------------------------------------------------- inputs survive


class Inputs:
    """The tensors and lists that a look hands in, and what they held."""

    def __init__(self, look: Callable):
        self.held: list[tuple[Any, Any]] = [(thing, held_by(thing)) for thing in tensors_and_lists(look)]

    def changed(self) -> bool:
        return any(not holds(thing, before) for thing, before in self.held)

    def restore(self) -> None:
        for thing, before in self.held:
            if holds(thing, before):
                continue
            if isinstance(thing, Tensor):
                thing.data = before.clone()
            else:
                thing[:] = before


@dataclass(frozen=True)
class Watched:
    """A look that also says whether something that it handed in was changed in place: returns (value, changed)."""

    look: Callable[[Any], Any]

    def __call__(self, module: Any) -> tuple[Any, bool]:
        inputs = Inputs(self.look)
        value = self.look(module)
        return value, inputs.changed()


def tensors_and_lists(look: Callable) -> Iterator[Tensor | list]:
    """What a look closes over or has as defaults, also inside of collections and inner functions."""
    seen: set[int] = set()

    def walk(thing: Any) -> Iterator[Tensor | list]:
        if id(thing) in seen:
            return
        seen.add(id(thing))
        if type(thing) is Tensor or type(thing) is list:
            yield thing
        if isinstance(thing, tuple | list | dict):
            for item in thing.values() if isinstance(thing, dict) else thing:
                yield from walk(item)
        elif inspect.isfunction(thing):
            for cell in thing.__closure__ or ():
                yield from walk(cell.cell_contents)
            yield from walk((thing.__defaults__, thing.__kwdefaults__))

    yield from walk(look)


def held_by(thing: Tensor | list) -> Tensor | list:
    """A copy: of a list without what is in it."""
    return thing.detach().clone() if isinstance(thing, Tensor) else list(thing)


def holds(thing: Tensor | list, before: Any) -> bool:
    """Whether a tensor has the shape and the numbers that it had, NaN being what it is; a list, the same items."""
    if isinstance(thing, Tensor):
        return thing.shape == before.shape and torch.equal(torch.nan_to_num(thing.detach()), torch.nan_to_num(before))
    numbers = (int, float)
    return len(thing) == len(before) and all(
        now is then or (type(now) in numbers and type(then) in numbers and now == then)
        for now, then in zip(thing, before, strict=True)
    )


# ---------------------------------------------------------------- devices


@contextmanager
def elsewhere(module: Any) -> Iterator[None]:
    """Code inside runs on the meta device, where nothing is computed: to see on which device it makes its tensors.

    A module-level `device`, as real files have it, says "meta" for this time. What raises there is no mistake (numbers
    cannot be read on that device): whoever uses this writes down what happened before.
    """
    names = [name for name in ("device", "DEVICE") if isinstance(getattr(module, name, None), str | torch.device)]
    before = {name: getattr(module, name) for name in names}
    try:
        for name in names:
            setattr(module, name, torch.device("meta"))
        yield
    except Exception:
        pass
    finally:
        for name, device in before.items():
            setattr(module, name, device)
