"""Samples of a diffusion model come from an average of its weights: single steps jump about, their average does not."""

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn


class MovingAverage:
    """The exponential moving average of a network's parameters, applied to the network itself for a while.

    In place, since the samplers that students write ask the network that they were given (AveragedModel of
    torch.optim.swa_utils is another one). After few steps it forgets faster: 1 - decay is at least 9 / (10 + steps).
    """

    def __init__(self, network: nn.Module, decay: float = 0.999):
        self.parameters: list[torch.Tensor] = list(network.parameters())
        self.average = [parameter.detach().clone() for parameter in self.parameters]
        self.decay, self.steps = decay, 0

    @torch.no_grad()
    def update(self) -> None:
        """After each step of the optimizer."""
        self.steps += 1
        torch._foreach_lerp_(self.average, self.parameters, 1 - min(self.decay, (1 + self.steps) / (10 + self.steps)))

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Within, the network has the average's parameters."""
        kept = [parameter.detach().clone() for parameter in self.parameters]
        self.apply()
        try:
            yield
        finally:
            self._set(kept)

    def apply(self) -> None:
        """From now on: when training is over."""
        self._set(self.average)

    @torch.no_grad()
    def _set(self, values: list[torch.Tensor]) -> None:
        for parameter, value in zip(self.parameters, values, strict=True):
            parameter.copy_(value)

    def state_dict(self) -> dict[str, Any]:
        return {"average": self.average, "steps": self.steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if [value.shape for value in state["average"]] != [value.shape for value in self.average]:
            raise ValueError("the average of another network")
        self.average = [value.to(own.device) for value, own in zip(state["average"], self.average, strict=True)]
        self.steps = state["steps"]
