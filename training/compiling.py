"""Compiled networks: where a run is long enough that compiling pays, and only where a compiler is there."""

import time

import torch
from torch import nn

from training.errors import TrainingError

PAYS_AFTER = 15 * 60  # seconds of training still to come: compiling takes a minute or two, and saves a part of them
WARM_UP, MEASURED = 5, 20  # steps that are not timed, then those that are


class Compiler:
    """Compiles networks in place, at once or as soon as the first steps show that the run is a long one.

        compiler = Compiler("auto", device, network)
        for ...:
            compiler.after_step(steps_left)

    setting: "on", "off", or "auto". Where compiling is not possible, training goes on without it, and says why.

    Raises:
        TrainingError: there is no such setting.
    """

    def __init__(self, setting: str, device: torch.device | str, *networks: nn.Module):
        if setting not in ("auto", "on", "off"):
            raise TrainingError(f"there is no setting {setting!r}: pass --compile auto, on or off.")
        self.device, self.networks = torch.device(device), networks
        self.undecided, self.steps, self.started = setting == "auto", 0, 0.0
        if setting == "on":
            self.compile()

    def after_step(self, steps_left: int) -> None:
        """Count a training step; after the first ones, estimate what is left, and compile if that is long."""
        if not self.undecided:
            return
        self.steps += 1
        if self.steps == WARM_UP:
            self.started = self._now()
        elif self.steps == WARM_UP + MEASURED:
            self.undecided = False
            seconds = (self._now() - self.started) / MEASURED * steps_left
            if seconds > PAYS_AFTER:
                print(f"about {seconds / 60:.0f} minutes to go: the networks are compiled first (--compile off: not)")
                self.compile()

    def compile(self) -> None:
        """The networks' parameters, and checkpoints of them, stay what they are."""
        self.undecided = False
        if reason := why_not(self.device):
            print(f"not compiled, since {reason}; training goes on as it is, only slower")
            return
        import torch._dynamo  # a second; compiling imports it anyway

        torch._dynamo.config.suppress_errors = True  # a part that cannot be compiled runs as it is
        for network in self.networks:
            network.compile(dynamic=False)  # for each size of a batch: training has one, and a figure another

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        return time.monotonic()


def why_not(device: torch.device | str) -> str:
    """Why nothing can be compiled here (no C++ compiler, no Triton, a new Python, ...); "" when it can."""
    try:
        torch.compile(lambda x: x.sin() + 1)(torch.ones(8, device=device))
    except Exception as error:  # whatever goes wrong in a compiler that is not ours
        return f"torch.compile does not work here ({type(error).__name__}: {str(error).strip().splitlines()[0][:120]})"
    return ""
