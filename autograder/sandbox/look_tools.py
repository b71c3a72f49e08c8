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
    torch.manual_seed(seed)


def three_questions(draw: Callable[[], Any], seed: int) -> dict[str, Any]:
    """What `draw` gives without a seed, twice; with the same seed, twice; and what a caller draws after it.

    Returns: {"unseeded": (a, b), "seeded": (c, d), "after": (numbers drawn after a call with one seed, with another)}.
    """
    unseeded = draw(), draw()
    seeded, after = [], []
    for chosen in (seed, seed, seed + 1):
        seed_everything(chosen)
        seeded.append(draw())
        after.append(torch.rand(4))
    return {"unseeded": unseeded, "seeded": tuple(seeded[:2]), "after": tuple(after[1:])}


# ---------------------------------------------------------------- inputs survive


@dataclass(frozen=True)
class Watched:
    """A look that also says whether something that it handed in was changed in place: returns (value, changed)."""

    look: Callable[[Any], Any]

    def __call__(self, module: Any) -> tuple[Any, bool]:
        inputs = [(tensor, tensor.detach().clone()) for tensor in tensors_in(self.look)]
        value = self.look(module)
        return value, any(not unchanged(tensor, before) for tensor, before in inputs)


def tensors_in(look: Callable) -> Iterator[Tensor]:
    """The tensors that a look closes over or has as defaults, also those inside of collections and inner functions."""
    seen: set[int] = set()

    def walk(thing: Any) -> Iterator[Tensor]:
        if id(thing) in seen:
            return
        seen.add(id(thing))
        if type(thing) is Tensor:
            yield thing
        elif isinstance(thing, tuple | list | dict):
            for item in thing.values() if isinstance(thing, dict) else thing:
                yield from walk(item)
        elif inspect.isfunction(thing):
            for cell in thing.__closure__ or ():
                yield from walk(cell.cell_contents)
            yield from walk((thing.__defaults__, thing.__kwdefaults__))

    yield from walk(look)


def unchanged(tensor: Tensor, before: Tensor) -> bool:
    """Whether a tensor holds what it held, in the same shape; NaN is what it is."""
    return tensor.shape == before.shape and torch.equal(torch.nan_to_num(tensor.detach()), torch.nan_to_num(before))


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
