"""What crosses the border between the sandbox and the grader, and in which form.

Towards the sandbox: functions and inputs, by cloudpickle (`pack`). From the sandbox: plain JSON and raw tensors
(`encode`, `decode`), never a pickle, since the other side may be hostile. `decode` believes nothing: whatever is
not exactly what `encode` writes is a `ValueError`.
"""

import json
import math
import struct
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from types import CodeType, ModuleType
from typing import Any

import cloudpickle
import numpy as np
import torch
from safetensors.numpy import save as save_arrays
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from autograder.sandbox.text import plain_text as plain_text

MAX_ELEMENTS = 2_000_000
MAX_LEAVES = 20_000
MAX_DEPTH = 9
MAX_TEXT = 2_000
MAX_HEAD = 1 << 20  # bytes of JSON: what they describe takes much more memory than they do
DTYPES = {
    torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.bool,
    torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64,
}  # fmt: skip


@dataclass(frozen=True)
class Opaque:
    """Something that a look returned and that is no number: only its description crosses the border."""

    description: str

    def __repr__(self) -> str:
        return self.description


class NoGradient:
    """In the place of a gradient: none reaches this input."""

    def __repr__(self) -> str:
        return "no gradient"

    def __reduce__(self) -> str:  # there is only one
        return "NO_GRADIENT"


NO_GRADIENT = NoGradient()


def pack(function: Any) -> bytes:
    """Serialize a look with all that it closes over; for the way to the sandbox only.

    The same look and inputs give the same bytes, so that what was seen of it can be found again.
    """
    packed = BytesIO()
    Packer(packed).dump(function)
    return packed.getvalue()


class Packer(cloudpickle.Pickler):
    """Tensors travel as arrays: torch's own pickles hold addresses, and take three times as long."""

    def reducer_override(self, item: Any) -> Any:
        if type(item) is torch.Tensor and not item.requires_grad and item.is_cpu and item.layout == torch.strided:
            with suppress(TypeError, RuntimeError):  # a dtype that numpy lacks
                return torch.from_numpy, (item.resolve_neg().numpy(),)
        return super().reducer_override(item)


def submodules_named(code: CodeType, values: Iterable[Any]) -> list[ModuleType]:
    """The imported modules below the packages among `values` that a function's code can reach by the names in it.

    cloudpickle has this too, and walks through all of sys.modules for every function: a quarter of a grader's time.
    """
    found: list[ModuleType] = []
    packages = [value for value in values if isinstance(value, ModuleType) and value.__package__]
    for package in packages:
        below = [f"{package.__name__}.{name}" for name in code.co_names]
        found += (inner := [sys.modules[name] for name in below if sys.modules.get(name)])
        packages += [module for module in inner if module not in packages]
    return found


setattr(cloudpickle.cloudpickle, "_find_imported_submodules", submodules_named)  # noqa: B010


def encode(value: Any) -> bytes:
    """Tensors, arrays, numbers, strings, None, and lists, tuples and dicts of these, as bytes."""
    tensors: dict[str, torch.Tensor] = {}
    leaves = elements = 0

    def tree(item: Any, depth: int) -> Any:
        nonlocal leaves
        leaves += 1
        if leaves > MAX_LEAVES or depth > MAX_DEPTH:
            return {"opaque": "a structure that is too large to look at"}
        if item is NO_GRADIENT:
            return {"no gradient": True}
        if isinstance(item, Opaque):
            return {"opaque": item.description}
        if item is None or isinstance(item, bool | str):
            return item[:MAX_TEXT] if isinstance(item, str) else item
        if isinstance(item, int):
            return int(item) if abs(item) < 2**63 else {"opaque": "an enormous integer"}
        if isinstance(item, float):
            return float(item) if math.isfinite(item) else {"float": repr(float(item))}
        if isinstance(item, np.ndarray | np.generic):
            try:
                item = torch.from_numpy(np.array(item))
            except TypeError:
                return {"opaque": f"a numpy array of {item.dtype}"}
        if isinstance(item, torch.Tensor):
            return tensor(item)
        if isinstance(item, list | tuple):
            return {"list": [tree(entry, depth + 1) for entry in item]}
        if isinstance(item, dict):
            return {"dict": [[str(key)[:MAX_TEXT], tree(entry, depth + 1)] for key, entry in item.items()]}
        return {"opaque": f"an object of type {type(item).__name__}"}

    def tensor(item: torch.Tensor) -> dict:
        kind = f"a tensor of {str(item.dtype).removeprefix('torch.')} and shape {tuple(item.shape)}"
        nonlocal elements
        if item.numel() > MAX_ELEMENTS or elements > MAX_ELEMENTS:
            return {"opaque": f"{kind}, which is too large"}
        if item.layout != torch.strided:
            return {"opaque": f"{kind} that is sparse"}
        if item.device.type == "meta" or item.dtype not in DTYPES:
            return {"opaque": f"{kind} that holds no real numbers"}
        name = str(len(tensors))
        elements += item.numel()
        plain = item.detach().cpu().as_subclass(torch.Tensor)
        tensors[name] = plain.resolve_neg().clone(memory_format=torch.contiguous_format)
        return {"tensor": name}

    head = json.dumps(tree(value, 0)).encode()
    if any(each.dtype == torch.bfloat16 for each in tensors.values()):  # numpy has none
        return struct.pack("<I", len(head)) + head + save_tensors(tensors)
    return struct.pack("<I", len(head)) + head + save_arrays({name: each.numpy() for name, each in tensors.items()})


def decode(data: bytes) -> Any:
    """The value that `encode` wrote; a namedtuple or list comes back as a tuple, an array as a tensor.

    Raises:
        ValueError: if the bytes are anything else.
    """
    try:
        (size,) = struct.unpack_from("<I", data)
        (tensor_head,) = struct.unpack_from("<Q", data, 4 + size)
        if size > MAX_HEAD or tensor_head > MAX_HEAD:
            raise ValueError("too many values")
        head = json.loads(data[4 : 4 + size].decode())
        tensors = load_tensors(data[4 + size :])
        for tensor in tensors.values():
            # Also without elements a shape can be a bomb: the sum of (10**10, 0) over its rows has 10**10 elements.
            if tensor.dtype not in DTYPES or math.prod(max(1, size) for size in tensor.shape) > MAX_ELEMENTS:
                raise ValueError("not a tensor that encode writes")
        return Reading(tensors).value(head, 0)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    except Exception as error:  # safetensors, json and struct each have their own
        raise ValueError(str(error)[:200]) from error


class Reading:
    """One reply being read. What is counted is what the grader will have to walk through: a tensor, every time that the
    reply names it."""

    def __init__(self, tensors: dict[str, torch.Tensor]):
        self.tensors = tensors
        self.leaves = self.elements = 0

    def value(self, head: Any, depth: int) -> Any:
        self.leaves += 1
        if depth > MAX_DEPTH:
            raise ValueError("nested too deeply")
        if self.leaves > MAX_LEAVES:
            raise ValueError("too many values")
        match head:
            case None | bool() | float():
                return head
            case int() if abs(head) < 2**63:
                return head
            case str() if len(head) <= MAX_TEXT:
                return head.encode(errors="replace").decode()
            case {"float": str(text)}:
                return float(text)
            case {"no gradient": True}:
                return NO_GRADIENT
            case {"opaque": str(text)}:
                return Opaque(plain_text(text))
            case {"tensor": str(name)}:
                self.elements += self.tensors[name].numel()
                if self.elements > MAX_ELEMENTS:
                    raise ValueError("too many numbers")
                return self.tensors[name]
            case {"list": list(items)}:
                return tuple(self.value(item, depth + 1) for item in items)
            case {"dict": list(items)}:
                return {self.value(str(key), depth): self.value(item, depth + 1) for key, item in items}
        raise ValueError("not a value")
