"""Reads MEMatte's published weights, whatever they are wrapped in, and puts them into the network."""

from __future__ import annotations

import pickle  # for its error alone: torch unpickles nothing but tensors here
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from videomama_client.errors import WeightsError

from videomama_server.engines.mematte.network import MEMatte
from videomama_server.engines.runtime.pretrained import reason_of

_WRAPPERS = ("model", "state_dict")
_PREFIX = "module."
_TEACHER = "teacher_backbone."  # of its training alone
_AGAIN = "Copy the file again: `python install weights --with mematte --from FILE`."


def load(path: Path) -> MEMatte:
    """Return the network with the weights of a file, on the processor, in float32.

    Raises:
        WeightsError: the file cannot be read, or its tensors are not those of MEMatte.
    """
    network = MEMatte()
    fill(network, unwrapped(_read(path)), path)
    return network


def unwrapped(content: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return the tensors by the names of the network, without what only its training needs."""
    for wrapper in _WRAPPERS:
        inner = content.get(wrapper)
        if isinstance(inner, Mapping):
            content = inner
    named = {name.removeprefix(_PREFIX): value for name, value in content.items() if isinstance(value, Tensor)}
    return {name: tensor for name, tensor in named.items() if not name.startswith(_TEACHER)}


def fill(network: MEMatte, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Put tensors into the network; raises `WeightsError` unless each has its place and each place its tensor."""
    places = network.state_dict()
    lacking = sorted(places.keys() - tensors.keys())
    strange = sorted(tensors.keys() - places.keys())
    other = sorted(name for name in places.keys() & tensors.keys() if places[name].shape != tensors[name].shape)
    for what, names in (("lacks", lacking), ("has besides", strange), ("has in another shape", other)):
        if names:
            raise WeightsError(
                f"{path} is not MEMatte with ViT-S: it {what} {len(names)} tensors, such as {names[0]}", _AGAIN
            )
    network.load_state_dict({name: tensor.to(places[name].dtype) for name, tensor in tensors.items()})


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.suffix == ".safetensors":
            return dict(load_file(path))
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, OSError, EOFError, ValueError) as error:
        raise WeightsError(f"cannot read {path}: {reason_of(error)}", _AGAIN) from error
    if not isinstance(content, Mapping):
        raise WeightsError(f"{path} holds no tensors by name", _AGAIN)
    return dict(content)
