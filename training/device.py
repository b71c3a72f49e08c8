"""Where a model trains, and in which precision."""

import contextlib
import ctypes
import functools
from collections.abc import Callable

import torch
from torch import Tensor, nn

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


def tune_cpu() -> None:
    """Two settings of this process with which a CPU computes faster, and the same: before training or sampling."""
    torch.set_flush_denormal(True)  # it is slow on tiny numbers, such as Adam ends up with; they mean nothing here
    # glibc returns freed memory to the system, from which every activation of a network comes page by page and set to
    # zero: a third of the time of a forward pass. It may keep it. (Other systems have no mallopt.)
    with contextlib.suppress(OSError, TypeError, AttributeError):
        mallopt, M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = ctypes.CDLL(None).mallopt, -1, -3
        mallopt(M_MMAP_THRESHOLD, 32 << 20)  # bytes; what is larger, such as data sets, is returned
        mallopt(M_TRIM_THRESHOLD, (1 << 31) - 1)


def placed(network: nn.Module, device: torch.device | str) -> nn.Module:
    """The network on the device; on a GPU with channels last in memory, which its fast convolutions want."""
    network = network.to(device)
    return network.to(memory_format=torch.channels_last) if torch.device(device).type == "cuda" else network


@contextlib.contextmanager
def one_thread():
    """For tiny networks: several threads wait for each other longer than they compute, on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def cpu_has_bf16() -> bool:
    """Does this processor multiply bf16 numbers, and does this build of torch let it? Without both, bf16 is slower."""
    names = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")  # private, and not in every build
    processor = any(getattr(torch.cpu, name, lambda: False)() for name in names)
    try:
        return processor and torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    except (AttributeError, RuntimeError):
        return False


class Precision:
    """Mixed precision where it pays: bf16 where the hardware has it, else fp16 and a scaled loss on a GPU.

    with precision.autocast():
        loss = ...
    precision.backward_and_step(loss, optimizer)

    setting: "auto", or "float32", which is slower and the same everywhere.

    Raises:
        TrainingError: there is no such setting.
    """

    def __init__(self, device: torch.device | str, setting: str = "auto"):
        self.device = torch.device(device)
        if setting not in ("auto", "float32"):
            raise TrainingError(f"there is no precision {setting!r}: pass --precision auto or float32.")
        self.dtype = torch.float32
        if setting == "auto" and self.device.type == "cuda":
            # Without the argument, a GPU that only emulates bf16 (slowly) says yes too.
            bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
            self.dtype = torch.bfloat16 if bf16 else torch.float16
        elif setting == "auto" and self.device.type == "cpu" and cpu_has_bf16():
            self.dtype = torch.bfloat16
        # Disabled, the scaler hands everything through. fp16 needs it: small gradients would become 0.
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.dtype is torch.float16)

    def __str__(self) -> str:
        name = str(self.dtype).removeprefix("torch.")
        return name if self.dtype is torch.float32 else f"{name} in matrix products and convolutions, float32 elsewhere"

    def autocast(self) -> contextlib.AbstractContextManager:
        if self.dtype is torch.float32:
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, dtype=self.dtype)

    def inside(self, *networks: nn.Module) -> None:
        """Let these networks compute in this precision and give float32: formulas around them lose nothing."""
        for network in networks:
            network.forward = self._wrapped(network.forward)

    def _wrapped(self, forward: Callable[..., Tensor]) -> Callable[..., Tensor]:
        if self.dtype is torch.float32:
            return forward

        @functools.wraps(forward)
        def forward_inside(*args, **kwargs):
            with self.autocast():
                return forward(*args, **kwargs).float()

        return forward_inside

    def backward_and_step(self, loss: Tensor, optimizer: torch.optim.Optimizer) -> None:
        """Clear the gradients, compute those of the loss (a scalar), take one step."""
        optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        self.scaler.step(optimizer)
        self.scaler.update()
