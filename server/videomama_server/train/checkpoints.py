"""Keeps a training on disk: whole or not at all, with all that the next step needs to be the same one.

A checkpoint is a folder `checkpoint-000500` with the network in the layout that its engine loads (`unet/`), its
averaged weights (`unet_ema/`), what else has learnt, and what resuming needs (`trainer.pt`).
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.distributed.checkpoint import state_dict as states
from torch.distributed.tensor import DTensor, distribute_tensor
from videomama_client.errors import BadInput, WeightsError

from videomama_server.train.recipe import differing, read_recipe
from videomama_server.train.trainer import Trained, Trainer, learning

_TRAINER = "trainer.pt"
_AVERAGED = "_ema"
_PREFIX = "checkpoint-"
_WHOLE = states.StateDictOptions(full_state_dict=True, cpu_offload=True)


def folder_of(run: Path, step: int) -> Path:
    """Return where the checkpoint of a step lies."""
    return run / f"{_PREFIX}{step:06d}"


def latest(run: Path) -> Path | None:
    """Return the newest whole checkpoint of a run, or None."""
    found = _all(run)
    return found[-1] if found else None


def save(run: Path, trainer: Trainer) -> Path | None:
    """Write a checkpoint and remove those that are too many; only the leading process writes.

    Returns:
        its folder, or None in the other processes.
    """
    state = _state(trainer)  # all processes take part in gathering it
    target = folder_of(run, trainer.step)
    if trainer.processes.leads:
        _write(target, trainer, state)
        for old in _all(run)[: -trainer.recipe.keep]:
            shutil.rmtree(old)
    trainer.processes.wait()
    return target if trainer.processes.leads else None


def resume(checkpoint: Path, trainer: Trainer) -> None:
    """Put a training into the state that a checkpoint was saved in.

    Raises:
        BadInput: the checkpoint was made by another recipe.
        WeightsError: it cannot be read.
    """
    changed = differing(read_recipe(checkpoint), trainer.recipe)
    if changed:
        raise BadInput(
            f"{checkpoint} was trained with another {changed[0]}", "Resume with the same options, or begin a new run."
        )
    try:
        state: dict[str, Any] = torch.load(checkpoint / _TRAINER, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError) as error:
        raise WeightsError(f"{checkpoint} cannot be read: {error}", "Resume from the checkpoint before it.") from error
    states.set_state_dict(
        trainer.objective,
        trainer.optimizer,
        model_state_dict=state["model"],
        optim_state_dict=state["optimizer"],
        options=states.StateDictOptions(full_state_dict=True, cpu_offload=True, strict=False),
    )
    if trainer.averaged is not None:
        trainer.averaged.optimization_step = state["averaged"]["steps"]
        for shadow, values in zip(trainer.averaged.shadow_params, state["averaged"]["weights"], strict=True):
            shadow.copy_(_spread_like(shadow, values.to(shadow.device)))
    torch.set_rng_state(state["random"])
    trainer.step = state["step"]


def network_in(checkpoint: Path, objective: Trained) -> Path:
    """Return the folder of a checkpoint's averaged weights, or of its own where there are none."""
    averaged = checkpoint / f"{objective.kept_as}{_AVERAGED}"
    return averaged if averaged.is_dir() else checkpoint / objective.kept_as


def _state(trainer: Trainer) -> dict[str, Any]:
    model, optimizer = states.get_state_dict(trainer.objective, trainer.optimizer, options=_WHOLE)
    learns = learning(trainer.objective)
    return {
        "step": trainer.step,
        "model": {name: values for name, values in model.items() if name in learns},
        "network": _own(trainer.objective, model),
        "optimizer": optimizer,
        "averaged": _averages(trainer),
        "random": torch.get_rng_state(),
    }


def _averages(trainer: Trainer) -> dict[str, Any]:
    if trainer.averaged is None:
        return {}
    weights = [_gathered(shadow).cpu() for shadow in trainer.averaged.shadow_params]
    return {"steps": trainer.averaged.optimization_step, "weights": weights}


def _write(target: Path, trainer: Trainer, state: dict[str, Any]) -> None:
    """Write into a folder of another name and rename it, so that a checkpoint is never half there."""
    objective, network = trainer.objective, state.pop("network")
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    objective.export(network, draft / objective.kept_as)
    if state["averaged"]:
        averaged = dict(zip(learning(objective), state["averaged"]["weights"], strict=True))
        objective.export({**network, **_own(objective, averaged)}, draft / f"{objective.kept_as}{_AVERAGED}")
    objective.export_beside(state["model"], draft)
    torch.save(state, draft / _TRAINER)
    trainer.recipe.write(draft)
    _flush(draft)
    shutil.rmtree(target, ignore_errors=True)
    draft.rename(target)


def _own(objective: Trained, weights: dict[str, Any]) -> dict[str, Any]:
    """Return those weights that an engine loads, by the engine's names."""
    part = objective.part
    return {name.removeprefix(part): values for name, values in weights.items() if name.startswith(part)}


def _flush(folder: Path) -> None:
    """Wait until everything in a folder is on the disk."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())


def _all(run: Path) -> list[Path]:
    """Return the checkpoints of a run, oldest first."""
    return sorted(path for path in run.glob(f"{_PREFIX}*") if (path / _TRAINER).is_file())


def _gathered(values: Tensor) -> Tensor:
    return values.full_tensor() if isinstance(values, DTensor) else values


def _spread_like(shadow: Tensor, values: Tensor) -> Tensor:
    if not isinstance(shadow, DTensor):
        return values
    return distribute_tensor(values, shadow.device_mesh, shadow.placements)
