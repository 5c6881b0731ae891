"""Puts the weights of a network that segments into its modules, and says what is wrong with those that do not fit.

transformers takes seconds to import, and the base installation does not have it: it is imported inside functions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import nn
from videomama_client.errors import OutOfMemory, WeightsError

from videomama_server import heartbeat
from videomama_server.engines.base import EngineConfig
from videomama_server.engines.runtime import device, load_watch, precision, pretrained
from videomama_server.engines.runtime.device import Device
from videomama_server.engines.segment import original_layout
from videomama_server.engines.segment.families import SAM2, SAM3, SPOKEN, NetworkFiles
from videomama_server.engines.segment.pictures import Normalisation
from videomama_server.engines.segment.tracker import Network

_ANOTHER = "Download the network again, or use another checkpoint of the same family."
_WORKING_BYTES = 1536 * 2**20  # of one picture of 1024 x 1024 on its way through SAM 2 large, roughly


def load_tracker(files: NetworkFiles, config: EngineConfig, engine: str) -> Network:
    """Load the network of SAM 2, or the tracker of SAM 3.

    Raises:
        WeightsError: it is of another family, or its tensors do not fit.
        OutOfMemory: the device has no room for it.
        BadInput: the config names a device that is not there.
    """
    make = _tracker_of(files)
    folder = files.path.parent if files.is_original else files.path
    normalisation = Normalisation.of(files.family, folder)
    model = _placed(files, config, engine, make)
    return Network(model, normalisation, device_of(config), partial(_placed, files, config, engine, make))


def load_model(files: NetworkFiles, config: EngineConfig, engine: str, kind: str) -> Any:
    """Load a network of transformers by the name of its class; see `load_tracker` for what is raised."""
    return _placed(files, config, engine, lambda: _from_hub(files, kind))


def device_of(config: EngineConfig) -> torch.device:
    """Return the device of the config; raises `BadInput` where it is not there."""
    return device.choose(config.device, "fp32").device


def _placed(files: NetworkFiles, config: EngineConfig, engine: str, make: Callable[[], Any]) -> Any:
    """Return a network on the device of the config; others let go of their memory where that is short."""
    chosen = device.choose(config.device, "fp32")  # masks are logits: half a number format would band them
    precision.hold()
    while True:
        try:
            require_room(files, chosen, config)
            with load_watch.loading(config.tell_loading, files.stored_bytes()):
                return make().to(chosen.device, torch.float32).eval().requires_grad_(False)
        except torch.OutOfMemoryError as error:
            raise _too_little(files, engine, "the device ran out of memory") from error
        except OutOfMemory as error:
            if not config.make_room():
                raise _too_little(files, engine, error.message) from error
        heartbeat.beat()


def require_room(files: NetworkFiles, chosen: Device, config: EngineConfig) -> None:
    """Raise `OutOfMemory` where a network and a picture on its way through it do not fit."""
    needed = needed_bytes(files)
    free = min(device.free_bytes(chosen.device), _allowed(chosen.device, config))
    if needed > free:
        raise OutOfMemory(f"{needed / 1e9:.1f} GB are needed and {free / 1e9:.1f} GB are free on {chosen.device}")


def needed_bytes(files: NetworkFiles, is_loaded: bool = False) -> int:
    """Return the bytes that a network and a picture on its way through it take beside what is loaded of it."""
    return _WORKING_BYTES + (0 if is_loaded else files.stored_bytes())


def fits(files: NetworkFiles, network: Network, config: EngineConfig) -> bool:
    """Whether a network can work on a picture now, beside what other engines hold."""
    is_free = needed_bytes(files, network.is_loaded) <= device.free_bytes(network.device)
    return is_free and needed_bytes(files) <= _allowed(network.device, config)


def _allowed(place: torch.device, config: EngineConfig) -> float:
    """Return the bytes of a device that the config lets an engine hold now, infinite where it says nothing."""
    if not config.max_vram_gb or not device.is_card(place):
        return math.inf
    return config.max_vram_gb * 1e9 - config.others_hold(str(place))


def _too_little(files: NetworkFiles, engine: str, why: str) -> OutOfMemory:
    return OutOfMemory(
        f"engine {engine}: {files.path} does not fit: {why}",
        "Close other programs that use the device, use a smaller network of the family, or run it with device cpu.",
    )


def _tracker_of(files: NetworkFiles) -> Callable[[], Any]:
    if files.family == SAM2:
        return lambda: _original(files) if files.is_original else _from_hub(files, "Sam2VideoModel")
    if files.family == SAM3:
        return lambda: _from_hub(files, "Sam3TrackerVideoModel")
    raise WeightsError(
        f"{files.path} is {SPOKEN.get(files.family, files.family)}, which cannot follow objects", _ANOTHER
    )


def _from_hub(files: NetworkFiles, kind: str) -> nn.Module:
    """Return a network in the layout of the hub, whose tensors all have a place and whose places all have a tensor."""
    model, report = pretrained.load(
        kind,
        files.path,
        lambda why: WeightsError(f"{files.path} cannot be loaded as {SPOKEN[files.family]} ({why})", _ANOTHER),
    )
    wrong = [*report["missing_keys"], *(row[0] for row in report["mismatched_keys"])]
    _refuse(files, sorted(wrong), sorted(report["unexpected_keys"]))
    return model  # type: ignore[no-any-return]


def _original(files: NetworkFiles) -> nn.Module:
    """Return SAM 2 from a `.pt` file of its authors; a config.json beside it may describe another size."""
    from transformers import Sam2VideoConfig, Sam2VideoModel

    tensors = original_layout.read(files.path)
    config = Sam2VideoConfig(**files.config) if files.config else original_layout.config_of(files.path, tensors)
    model = Sam2VideoModel(config)
    named = original_layout.renamed(tensors)
    places = model.state_dict()
    wrong = [name for name, place in places.items() if name not in named or named[name].shape != place.shape]
    _refuse(files, sorted(wrong), sorted(set(named) - set(places)))
    model.load_state_dict({name: tensor.float() for name, tensor in named.items()}, strict=True)
    return model


def _refuse(files: NetworkFiles, wrong: Sequence[str], unexpected: Sequence[str]) -> None:
    """Raise `WeightsError` where tensors are missing, have another shape, or have no place."""
    if wrong:
        rest = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        raise WeightsError(
            f"{files.path} is not a whole {SPOKEN[files.family]}: {wrong[0]}{rest} are missing or of another shape",
            _ANOTHER,
        )
    if unexpected:
        rest = f" and {len(unexpected) - 1} more" if len(unexpected) > 1 else ""
        raise WeightsError(
            f"{files.path} holds {unexpected[0]}{rest}, for which {SPOKEN[files.family]} has no place", _ANOTHER
        )
