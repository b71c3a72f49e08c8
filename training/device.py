"""Where a model trains, and in which precision."""

import contextlib

import torch
from torch import Tensor

from training.errors import TrainingError


def pick_device(name: str = "auto") -> torch.device:
    """The device of that name; "auto" is the GPU when there is one, else the CPU.

    Raises:
        TrainingError: no such device here.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise TrainingError(f"there is no device {name!r} here: pass --device auto or cpu.") from error
    return device


@contextlib.contextmanager
def one_thread():
    """For tiny networks: several threads wait for each other longer than they compute, on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Precision:
    """Mixed precision where it pays: bf16 on GPUs that have it, else fp16 and a scaled loss; float32 on CPUs.

    with precision.autocast():
        loss = ...
    precision.backward_and_step(loss, optimizer)
    """

    def __init__(self, device: torch.device | str):
        self.device = torch.device(device)
        self.dtype = torch.float32
        if self.device.type == "cuda":
            # Without the argument, a GPU that only emulates bf16 (slowly) says yes too.
            bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
            self.dtype = torch.bfloat16 if bf16 else torch.float16
        # Disabled, the scaler hands everything through. fp16 needs it: small gradients would become 0.
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.dtype is torch.float16)

    def autocast(self) -> contextlib.AbstractContextManager:
        if self.dtype is torch.float32:
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, dtype=self.dtype)

    def backward_and_step(self, loss: Tensor, optimizer: torch.optim.Optimizer) -> None:
        """Clear the gradients, compute those of the loss (a scalar), take one step."""
        optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        self.scaler.step(optimizer)
        self.scaler.update()
