"""What looks do inside the sandbox beside calling the student's code: gradients, seeds, and watching over the inputs.

Imported by the worker, so that a look names these functions instead of carrying them. Nothing here is an answer.
"""

import inspect
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from autograder.sandbox.stand_ins import ignores_device
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


FEW = 6


def three_questions(draw: Callable[[], Any], seed: int) -> dict[str, Any]:
    """What `draw` gives without a seed, twice; with the same seed, twice; and what a caller draws after it.

    Every call gets the inputs as they were: one that changes them in place is not said to be seeded wrongly for it.
    Two single numbers may be close by chance: where a call gives less than FEW, each answer is made of so many calls.

    Returns: {"unseeded": (a, b), "seeded": (c, d), "after": (numbers drawn after a call with one seed, with another)}.
    """
    inputs = Inputs(draw)

    def once() -> Any:
        inputs.restore()
        return draw()

    first = once()
    more = FEW - 1 if count_of(first) < FEW else 0

    def anew(begun: Any = None) -> Any:
        begun = once() if begun is None else begun
        return (begun, *(once() for _ in range(more))) if more else begun

    unseeded = anew(first), anew()
    seeded, after = [], []
    for chosen in (seed, seed, seed + 1):
        seed_everything(chosen)
        seeded.append(anew())
        after.append(torch.rand(4))
    return {"unseeded": unseeded, "seeded": tuple(seeded[:2]), "after": tuple(after[1:])}


def count_of(value: Any) -> int:
    """How many numbers there are in a value."""
    if isinstance(value, Tensor):
        return value.numel()
    if isinstance(value, tuple | list | dict):
        return sum(map(count_of, value.values() if isinstance(value, dict) else value))
    return 1


# ---------------------------------------------------------------- inputs survive


class Inputs:
    """The tensors and lists that a look hands in, and what they held."""

    def __init__(self, look: Callable):
        self.held: list[tuple[Any, Any]] = [(thing, held_by(thing)) for thing in tensors_and_lists(look)]

    def changed(self) -> dict[int, Any]:
        return {number: thing for number, (thing, before) in enumerate(self.held) if not holds(thing, before)}

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
    """A look that also says what it handed in was changed in place.

    Returns (value, {number of such a thing: the name of the student's parameter that it was}).
    """

    look: Callable[[Any], Any]

    def __call__(self, module: Any) -> tuple[Any, dict[str, str]]:
        inputs = Inputs(self.look)
        value = self.look(module)
        changed = inputs.changed()
        if not changed:
            return value, {}
        value = own_copy(value)  # it may hold what is restored
        inputs.restore()
        return value, parameters_of(changed, self.look, module)


def tensors_and_lists(look: Callable) -> Iterator[Tensor | list]:
    """What a look closes over or has as defaults, also inside of collections, networks and inner functions."""
    seen: set[int] = set()

    def walk(thing: Any) -> Iterator[Tensor | list]:
        if id(thing) in seen:
            return
        seen.add(id(thing))
        if type(thing) in (Tensor, nn.Parameter, list):
            yield thing
        if isinstance(thing, tuple | list | dict):
            for item in thing.values() if isinstance(thing, dict) else thing:
                yield from walk(item)
        elif isinstance(thing, nn.Module):
            yield from walk((*thing.parameters(), *thing.buffers()))
        elif inspect.isfunction(thing):
            for cell in thing.__closure__ or ():
                yield from walk(cell.cell_contents)
            yield from walk((thing.__defaults__, thing.__kwdefaults__))

    yield from walk(look)


def held_by(thing: Tensor | list) -> Tensor | list:
    """A copy: of a list without what is in it."""
    return thing.detach().clone() if isinstance(thing, Tensor) else list(thing)


def own_copy(value: Any) -> Any:
    """A value with tensors and collections of its own."""
    if isinstance(value, Tensor):
        return value.clone()
    if isinstance(value, list | tuple):
        return [own_copy(item) for item in value]
    return {key: own_copy(item) for key, item in value.items()} if isinstance(value, dict) else value


def holds(thing: Tensor | list, before: Any) -> bool:
    """Whether a tensor has the shape and the numbers that it had, NaN being what it is; a list, the same items."""
    if isinstance(thing, Tensor):
        return thing.shape == before.shape and torch.equal(torch.nan_to_num(thing.detach()), torch.nan_to_num(before))
    numbers = (int, float)
    return len(thing) == len(before) and all(
        now is then or (type(now) in numbers and type(then) in numbers and now == then)
        for now, then in zip(thing, before, strict=True)
    )


def parameters_of(things: dict[int, Any], look: Callable, module: Any) -> dict[str, str]:
    """Which parameters of the student's functions some inputs of a look are: the look is taken once more, to see.

    Returns: {number of the thing: name}, "" where it is no argument by itself.
    """
    names = {str(number): "" for number in things}

    def watch(frame: Any, event: str, _: Any) -> None:
        if event != "call" or frame.f_globals is not vars(module):
            return
        code, arguments = frame.f_code, frame.f_locals
        for name in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]:
            value = arguments.get(name)
            held = [value, *value] if isinstance(value, tuple | list) else [value]
            held += [*value.parameters(), *value.buffers()] if isinstance(value, nn.Module) else []
            for number, thing in things.items():
                if not names[str(number)] and any(item is thing for item in held):
                    names[str(number)] = name

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        look(module)
    except Exception:
        pass  # it saw what it could
    finally:
        sys.setprofile(before)
    return names


# ---------------------------------------------------------------- devices


class OnDevice(TorchFunctionMode):
    """Every torch call while this is active, with GPU devices among its arguments replaced by this device.

    `.cuda()` and `device="cuda"` mean the CPU where student code runs: to ask for a GPU is no mistake.
    """

    def __init__(self, device: str):
        super().__init__()
        self.device = device

    def __torch_function__(self, function: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        if function is Tensor.cuda:
            return args[0].to(self.device)
        kwargs = {key: self.moved(value) for key, value in (kwargs or {}).items()}
        return function(*map(self.moved, args), **kwargs)

    def moved(self, value: Any) -> Any:
        is_gpu = isinstance(value, str | torch.device) and str(value).startswith("cuda")
        return self.device if is_gpu else value


def uses_its_device(module: Any, run: Callable[[str, list], Any]) -> bool:
    """Whether code makes its tensors where those are that it was given.

    Args:
        run: run(device, seen) calls the student's code with everything on this device, and sees to it that `seen` gets
            the tensors that are handed to a network. Of several arguments the first counts.
    """
    seen: list[Any] = []

    def tensors() -> list[Tensor]:
        firsts = [one[0] if isinstance(one, tuple) else one for one in seen]
        return [item for item in firsts if isinstance(item, Tensor) and item.dim()]

    with elsewhere(module):
        run("meta", seen)
    if tensors():
        return all(tensor.device.type == "meta" for tensor in tensors())
    # Nothing is computed there, and who reads a number before the network is asked gets no further: followed here.
    seen.clear()
    return not ignores_device(lambda: run("cpu", seen), tensors)


@contextmanager
def elsewhere(module: Any) -> Iterator[None]:
    """Code inside runs on a machine whose GPU is the meta device: to see on which device it makes its tensors.

    A module-level `device`, as real files have it, says "meta" for this time. What raises there is no mistake (numbers
    cannot be read on that device): whoever uses this writes down what happened before.
    """
    names = [name for name in ("device", "DEVICE") if isinstance(getattr(module, name, None), str | torch.device)]
    before = {name: getattr(module, name) for name in names}
    available = torch.cuda.is_available
    try:
        for name in names:
            setattr(module, name, torch.device("meta"))
        torch.cuda.is_available = lambda: True
        with OnDevice("meta"):
            yield
    except Exception:
        pass
    finally:
        torch.cuda.is_available = available
        for name, device in before.items():
            setattr(module, name, device)
