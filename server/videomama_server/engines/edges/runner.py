"""Runs an edge network on tiles: on which device, in which format, how large they are, and what if memory runs out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from videomama_client.errors import OutOfMemory

from videomama_server import heartbeat
from videomama_server.arrays import ByteArray, FloatArray
from videomama_server.engines.base import EngineConfig, EngineUsage
from videomama_server.engines.runtime import device, load_watch, precision

log = logging.getLogger(__name__)

_GB = 1e9
_SHARE = 0.8  # of what is free that a tile may take


@dataclass(frozen=True)
class Footprint:
    """What a network takes while it runs, in bytes of float32; measured by `bench/edges.py`.

    Attributes:
        weights: resident.
        per_pixel: of a tile.
        per_pair: of tokens, of which there is one for 16 x 16 pixels; 0 where attention takes no memory of that kind.
    """

    weights: int
    per_pixel: float
    per_pair: float

    def of(self, height: int, width: int) -> int:
        """Return the bytes that a tile takes, weights included."""
        tokens = height * width / 256
        return int(self.weights + self.per_pixel * height * width + self.per_pair * tokens * tokens)


class TileRunner:
    """One network and its device; loaded when it is first needed.

    Args:
        config: what may be used of the machine.
        load: makes the network, on the processor, in float32: plate (1, 3, h, w) and trimap (1, 1, h, w) to alpha.
        footprint: of the network.

    Raises:
        BadInput: the config names a device or number format that is not there.
    """

    def __init__(self, config: EngineConfig, load: Callable[[], nn.Module], footprint: Footprint) -> None:
        self._config = config
        self._load = load
        self._footprint = footprint
        chosen = device.choose(config.device, "fp32" if config.dtype == "auto" else config.dtype)
        self._device = chosen.device
        self._format = chosen.arithmetic if device.is_card(chosen.device) else torch.float32
        self._network: nn.Module | None = None
        self._too_large: set[int] = set()  # tiles that did not fit, whatever was computed before

    @property
    def name(self) -> str:
        """The device and its number format, such as `cpu, float32`."""
        return f"{self._device}, {str(self._format).removeprefix('torch.')}"

    @property
    def arithmetic(self) -> str:
        """What pixels depend on beside weights and tile: the kind of device and the number format."""
        return f"{self._device.type} {str(self._format).removeprefix('torch.')}"

    def side(self, sides: Sequence[int], size: tuple[int, int]) -> int:
        """Return the largest side of a tile that fits in memory, once other engines have let go of what they hold.

        Args:
            sides: that may be taken, the best first.
            size: (height, width) of the region.

        Raises:
            OutOfMemory: none fits.
        """
        left = [side for side in sides if side not in self._too_large]
        fitting = self._fitting(left, size)
        while fitting[:1] != left[:1] and self._config.make_room():
            fitting = self._fitting(left, size)
        if fitting:
            return fitting[0]
        least, free = sides[-1], self._free()
        raise OutOfMemory(
            f"a tile of {least} pixels takes {self._bytes(least, size) / _GB:.1f} GB on {self._device}, "
            f"and {free / _GB:.1f} GB are free",
            "Close other programs that use the memory, choose a smaller --tile, or raise max_vram_gb.",
        )

    def estimate(self, plate: FloatArray, trimap: ByteArray) -> FloatArray:
        """Return the alpha (h, w), 0..1, float32, of one tile.

        Args:
            plate: (h, w, 3), 0..1, display-referred.
            trimap: (h, w): 0, 128 or 255.

        Raises:
            OutOfMemory: it does not fit; `side` takes a smaller one from now on.
            DeviceLost: a fault on the card, after which this process cannot use it any more.
        """
        try:
            with torch.inference_mode(), device.faults():
                picture = self._there(plate).permute(2, 0, 1)[None]
                found: torch.Tensor = self._ready()(picture, self._there(trimap / 255.0)[None, None])
                return found[0, 0].to("cpu", torch.float32).clamp_(0, 1).numpy()
        except torch.OutOfMemoryError as error:
            raise self._does_not_fit(trimap) from error

    def usage(self) -> EngineUsage | None:
        """Return what the network holds; None while it is not loaded."""
        if self._network is None:
            return None
        form = str(self._format).removeprefix("torch.")
        held = device.resident_bytes(self._network)
        return EngineUsage(str(self._device), form, held, device.peak_bytes(self._device))

    def give_back_memory(self) -> None:
        """Return memory of the device that no tensor is in to other programs."""
        if self._network is None:
            return
        try:
            device.give_back(self._device)
        except RuntimeError as error:  # a device that is lost; the next job says so
            log.warning("%s gave no memory back: %s", self._device, error)

    def release(self) -> None:
        """Free the network; the next tile loads it again."""
        self._network = None
        self._too_large.clear()
        device.give_back(self._device)

    def _fitting(self, sides: Sequence[int], size: tuple[int, int]) -> list[int]:
        free = self._free()
        return [side for side in sides if self._bytes(side, size) <= free]

    def _ready(self) -> nn.Module:
        if self._network is None:
            precision.hold()
            with load_watch.loading(self._config.tell_loading, int(self._footprint.weights)):
                network = self._load().eval().requires_grad_(False)
                self._network = network.to(self._device, self._format)
            for module in self._network.modules():
                module.register_forward_hook(lambda *_: heartbeat.beat())
        return self._network

    def _there(self, values: Any) -> torch.Tensor:
        return torch.as_tensor(values).to(self._device, self._format)

    def _free(self) -> float:
        held = 0 if self._network is None else self._footprint.weights
        free = (device.free_bytes(self._device) + held) * _SHARE
        asked = self._config.max_vram_gb * _GB if device.is_card(self._device) else 0
        return min(free, asked) if asked else free

    def _bytes(self, side: int, size: tuple[int, int]) -> int:
        height, width = (min(side, -(-length // 32) * 32) for length in size)
        return self._footprint.of(height, width)

    def _does_not_fit(self, trimap: ByteArray) -> OutOfMemory:
        side = max(trimap.shape)
        self._too_large.update(range(side, 4096))
        device.give_back(self._device)
        return OutOfMemory(
            f"a tile of {side} pixels does not fit in the memory of {self._device}",
            "Choose a smaller --tile, or close other programs that use the memory.",
        )
