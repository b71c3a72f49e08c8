"""What looks do inside the sandbox beside calling the student's code: gradients, and copies that want them.

Imported by the worker, so that a look names these functions instead of carrying them. Nothing here is an answer.
"""

from typing import Any

import torch
from torch import Tensor

from autograder.sandbox.wire import NO_GRADIENT


def leaves(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Copies of the same shapes that gradients are wanted for."""
    return tuple(t.clone().requires_grad_() for t in tensors)


def gradients(value: Any, *inputs: Tensor) -> tuple:
    """The gradient of sum(value) for each input, or NO_GRADIENT for an input that none reaches.

    Where `value` is no tensor, it comes back itself, as often as there are inputs: it says more than a missing
    gradient does.
    """
    if not isinstance(value, Tensor):
        return tuple(value for _ in inputs)
    if not value.requires_grad:
        return tuple(NO_GRADIENT for _ in inputs)
    found = torch.autograd.grad(value.sum(), inputs, allow_unused=True)
    return tuple(NO_GRADIENT if g is None else g for g in found)
