"""Checkpoints: written atomically, read without running code, enough to go on as if nothing had happened."""

import os
import pickle
from pathlib import Path
from typing import Any

import torch

from training.errors import TrainingError


def save_checkpoint(path: str | Path, **state: Any) -> None:
    """Save `state` and torch's random state; a run that is killed meanwhile leaves the previous file whole.

    Whatever has a `state_dict()` (model, optimizer, ...) is saved as that; the rest must be tensors, numbers,
    strings, or lists and dictionaries of them:

        save_checkpoint(path, model=model, optimizer=optimizer, epoch=epoch, history=history)

    Raises:
        TrainingError: a network's parameters are not finite any more. The file stays as it was.
    """
    path = Path(path)
    for name, value in state.items():
        if isinstance(value, torch.nn.Module) and not all_finite(value):
            kept = f"{path} holds the state before" if path.exists() else "nothing was saved"
            raise TrainingError(
                f"training has failed: parameters of the {name} are NaN or infinite; {kept}. Look in your loss for "
                "what can be infinite or NaN, or has such a slope (log or sqrt of 0, a division by 0), or lower the "
                "learning rate."
            )
    for name, value in state.items():
        state[name] = value.state_dict() if hasattr(value, "state_dict") else value
    state["rng"] = {"cpu": torch.get_rng_state(), "cuda": torch.cuda.get_rng_state_all()}
    path.parent.mkdir(parents=True, exist_ok=True)
    # In the same folder, since os.replace is atomic only within one file system.
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        torch.save(state, temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@torch.no_grad()
def all_finite(network: torch.nn.Module) -> bool:
    return all(parameter.isfinite().all() for parameter in network.parameters())


def load_checkpoint(path: str | Path, device: torch.device | str = "cpu") -> dict[str, Any] | None:
    """What save_checkpoint wrote, its tensors on `device`; None when there is no such file.

    Raises:
        TrainingError: the file is no checkpoint, or is damaged.
    """
    path = Path(path)
    if not path.exists():
        return None
    try:
        checkpoint = torch.load(path, map_location=device, weights_only=True)
    except (OSError, EOFError, RuntimeError, ValueError, KeyError, pickle.UnpicklingError) as error:
        checkpoint = error
    if not isinstance(checkpoint, dict):
        raise TrainingError(f"{path} cannot be read as a checkpoint: delete it, or start without --resume.")
    return checkpoint


def restore(checkpoint: dict[str, Any], **objects: Any) -> None:
    """Load each object's state from the checkpoint's entry of that name, then torch's random state.

        restore(checkpoint, model=model, optimizer=optimizer)

    Raises:
        TrainingError: the checkpoint lacks an entry, or was written by another kind of model.
    """
    try:
        for name, target in objects.items():
            target.load_state_dict(checkpoint[name])
        rng = checkpoint["rng"]
    except (KeyError, RuntimeError, ValueError) as error:
        raise TrainingError(
            "the checkpoint is another model's: choose another folder with --out, or start without --resume."
        ) from error
    torch.set_rng_state(rng["cpu"].cpu())
    if len(rng["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all([state.cpu() for state in rng["cuda"]])
