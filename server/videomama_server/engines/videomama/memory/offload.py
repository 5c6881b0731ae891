"""Where the weights are while the network runs: all on the device, one part of the network, or one block at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from videomama_server.engines.videomama.network.attention import PictureAttention, Transformer
from videomama_server.engines.videomama.network.blocks import SpatialBlock, TemporalBlock
from videomama_server.engines.videomama.network.network import Network

PARTS = ("encoder", "unet", "decoder")
WAYS = ("none", "parts", "blocks")  # each holds less on the device than the one before, and copies more
_BLOCKS = (SpatialBlock, TemporalBlock, Transformer, PictureAttention)  # nobody reaches into these from outside


class Placement:
    """A network whose weights stay on the host, and the copies of them that are on the device.

    The host's tensors may be memory-mapped and are never written to. While a copy is there the module holds it in the
    place of the host's tensor, so the network is run as ever, inside `using`.
    """

    def __init__(self, network: Network, device: torch.device, offload: str) -> None:
        """Place what `offload` ("none", "parts" or "blocks") keeps on the device for good.

        Raises:
            ValueError: there is no such way.
            torch.OutOfMemoryError: the weights do not fit.
        """
        if offload not in WAYS:
            raise ValueError(f"offload is one of {', '.join(WAYS)}, not {offload!r}")
        self.network = network
        self.offload = offload
        self._hooks: list[Any] = []
        self._blocks: list[_Slots] = []
        pinned = device.type == "cuda" and offload != "none"
        self._parts = {name: _Slots(rest_of(network, name, offload), device, pinned=pinned) for name in PARTS}
        if offload == "none" and device != network.unet.conv_in.weight.device:
            self._place(PARTS)
        if offload == "blocks":
            for name in PARTS:
                for block in blocks_of(network, name):
                    self._hook(block, _Slots([block], device, pinned=pinned))

    @property
    def copied_bytes(self) -> int:
        """Bytes of the copies that are on the device now."""
        return sum(slots.copied_bytes for slots in (*self._parts.values(), *self._blocks))

    @contextmanager
    def using(self, part: str) -> Iterator[None]:
        """Have "encoder", "unet" or "decoder" ready to run inside; it stays until another part is asked for."""
        if self.offload != "none":
            for name, slots in self._parts.items():
                if name != part:
                    slots.drop()
            self._place([part])
        yield

    def release(self) -> None:
        """Drop every copy; the network is then as it was before, on the host."""
        for hook in self._hooks:
            hook.remove()
        for slots in (*self._parts.values(), *self._blocks):
            slots.drop()
        self._hooks.clear()
        self._blocks.clear()

    def _place(self, parts: Iterable[str]) -> None:
        try:
            for part in parts:
                self._parts[part].place()
        except BaseException:
            self.release()
            raise

    def _hook(self, block: nn.Module, slots: _Slots) -> None:
        self._blocks.append(slots)
        self._hooks.append(block.register_forward_pre_hook(lambda *_: slots.place()))
        self._hooks.append(block.register_forward_hook(lambda *_: slots.drop(), always_call=True))


def blocks_of(network: Network, part: str) -> list[nn.Module]:
    """Return the blocks of a part that "blocks" brings in one at a time."""
    return [module for module in getattr(network, part).modules() if isinstance(module, _BLOCKS)]


def rest_of(network: Network, part: str, offload: str) -> list[nn.Module]:
    """Return the modules of a part whose weights are on the device as long as the part is in use."""
    whole = list(getattr(network, part).modules())
    if offload != "blocks":
        return whole
    apart = {module for block in blocks_of(network, part) for module in block.modules()}
    return [module for module in whole if module not in apart]


class _Slots:
    """The places of some modules' weights, which hold either the host's tensors or copies on the device."""

    def __init__(self, modules: Iterable[nn.Module], device: torch.device, *, pinned: bool) -> None:
        self._device = device
        self._copied = False
        reached = {id(inner): inner for module in modules for inner in _owners(module)}
        self._hosts = {
            (inner, name): nn.Parameter(weight.data.pin_memory(), requires_grad=False) if pinned else weight
            for inner in reached.values()
            for name, weight in inner._parameters.items()
            if weight is not None
        }

    @property
    def copied_bytes(self) -> int:
        if not self._copied:
            return 0
        return sum(weight.numel() * weight.element_size() for weight in self._hosts.values())

    def place(self) -> None:
        self._copied = True  # before the first copy, so that `drop` after an error takes back those that were made
        for (module, name), host in self._hosts.items():
            copy = host.data.to(self._device, non_blocking=True, copy=True)
            module._parameters[name] = nn.Parameter(copy, requires_grad=False)

    def drop(self) -> None:
        for (module, name), host in self._hosts.items():
            module._parameters[name] = host
        self._copied = False


def _owners(module: nn.Module) -> Iterator[nn.Module]:
    """Yield a block with all inside it, and any other module by itself."""
    if isinstance(module, _BLOCKS):
        yield from module.modules()
    else:
        yield module
