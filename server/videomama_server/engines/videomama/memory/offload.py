"""Where the weights are while the network runs: all on the device, one part of the network, or one block at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import torch
from torch import nn

from videomama_server.engines.runtime import uploads
from videomama_server.engines.videomama.network.attention import PictureAttention, Transformer
from videomama_server.engines.videomama.network.blocks import SpatialBlock, TemporalBlock
from videomama_server.engines.videomama.network.network import Network

PARTS = ("encoder", "unet", "decoder")
WAYS = ("none", "parts", "blocks")  # each holds less on the device than the one before, and copies more
_BLOCKS = (SpatialBlock, TemporalBlock, Transformer, PictureAttention)  # nobody reaches into these from outside


class Copies(Protocol):
    """How weights are brought to a device."""

    ahead: bool  # whether the next block's are brought while one runs

    def bring(self, hosts: list[torch.Tensor]) -> list[torch.Tensor]:
        """Return copies on the device that may not be there yet."""
        ...

    def await_all(self, copies: list[torch.Tensor]) -> None:
        """Have what runs from now on wait until they are there."""
        ...


class PlainCopies:
    """Copies where the network runs, one after the other."""

    ahead = False

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def bring(self, hosts: list[torch.Tensor]) -> list[torch.Tensor]:
        """Return the copies."""
        return [host.to(self._device, non_blocking=True, copy=True) for host in hosts]

    def await_all(self, copies: list[torch.Tensor]) -> None:
        """Do nothing: they come in the order in which they are used."""


class StreamCopies:
    """Copies on a stream of a card's own, beside the network's."""

    ahead = True

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def bring(self, hosts: list[torch.Tensor]) -> list[torch.Tensor]:
        """Return copies that are on their way."""
        with torch.cuda.stream(self._stream):
            return [host.to(self._device, non_blocking=True, copy=True) for host in hosts]

    def await_all(self, copies: list[torch.Tensor]) -> None:
        """Have the network's stream wait for the copies, and their memory not be given away while it reads them."""
        running = torch.cuda.current_stream(self._device)
        running.wait_stream(self._stream)
        for copy in copies:
            copy.record_stream(running)


def copies_for(device: torch.device, offload: str) -> Copies:
    """Return how weights are brought to a device."""
    return StreamCopies(device) if device.type == "cuda" and offload == "blocks" else PlainCopies(device)


class Placement:
    """A network whose weights stay on the host, and the copies of them that are on the device.

    The host's tensors may be memory-mapped and are never written to. While a copy is there the module holds it in the
    place of the host's tensor, so the network is run as ever, inside `using`.
    """

    def __init__(self, network: Network, device: torch.device, offload: str, copies: Copies | None = None) -> None:
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
        self._copies = copies_for(device, offload) if copies is None else copies
        self._following: dict[_Slots, _Slots] = {}  # the block that ran after each, the last time
        self._running: _Slots | None = None
        way = torch.device("cpu") if offload == "none" else device  # weights that go once need no memory of their own
        self._parts = {name: _Slots(rest_of(network, name, offload), PlainCopies(device), way) for name in PARTS}
        if offload == "none" and device != network.unet.conv_in.weight.device:
            self._place(PARTS)
        if offload == "blocks":
            for name in PARTS:
                for block in blocks_of(network, name):
                    self._hook(block, _Slots([block], self._copies, way))

    @property
    def copied_bytes(self) -> int:
        """Bytes of the copies that are on the device now."""
        return sum(slots.copied_bytes for slots in (*self._parts.values(), *self._blocks))

    @contextmanager
    def using(self, part: str) -> Iterator[None]:
        """Have "encoder", "unet" or "decoder" ready to run inside; it stays until another part is asked for."""
        self._running = None
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
        self._following.clear()

    def _place(self, parts: Iterable[str]) -> None:
        try:
            for part in parts:
                self._parts[part].place()
        except BaseException:
            self.release()
            raise

    def _hook(self, block: nn.Module, slots: _Slots) -> None:
        self._blocks.append(slots)
        self._hooks.append(block.register_forward_pre_hook(lambda *_: self._enter(slots)))
        self._hooks.append(block.register_forward_hook(lambda *_: slots.drop(), always_call=True))

    def _enter(self, slots: _Slots) -> None:
        """Have a block's weights there, and those of the block that ran after it last time on their way."""
        expected = self._following.get(self._running) if self._running is not None else None
        if expected is not None and expected is not slots:
            expected.drop()
        slots.place()
        if self._running is not None:
            self._following[self._running] = slots
        self._running = slots
        following = self._following.get(slots)
        if self._copies.ahead and following is not None:
            following.fetch()


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

    def __init__(self, modules: Iterable[nn.Module], copies: Copies, pinned_for: torch.device) -> None:
        self._copies = copies
        self._coming: list[torch.Tensor] = []
        reached = {id(inner): inner for module in modules for inner in _owners(module)}
        self._hosts = {
            (inner, name): _pinned(weight, pinned_for)
            for inner in reached.values()
            for name, weight in inner._parameters.items()
            if weight is not None
        }

    @property
    def copied_bytes(self) -> int:
        return sum(copy.nbytes for copy in self._coming)

    def fetch(self) -> None:
        """Have the copies come."""
        if not self._coming:
            self._coming = self._copies.bring([host.data for host in self._hosts.values()])

    def place(self) -> None:
        """Put the copies in the place of the host's tensors."""
        self.fetch()
        self._copies.await_all(self._coming)
        for (module, name), copy in zip(self._hosts, self._coming, strict=True):
            module._parameters[name] = nn.Parameter(copy, requires_grad=False)

    def drop(self) -> None:
        for (module, name), host in self._hosts.items():
            module._parameters[name] = host
        self._coming = []


def _pinned(weight: nn.Parameter, device: torch.device) -> nn.Parameter:
    """Return a weight in memory that a card copies from by itself; the weight as it is for any other device."""
    if device.type != "cuda":
        return weight
    return nn.Parameter(uploads.pinned(weight.data, device), requires_grad=False)


def _owners(module: nn.Module) -> Iterator[nn.Module]:
    """Yield a block with all inside it, and any other module by itself."""
    if isinstance(module, _BLOCKS):
        yield from module.modules()
    else:
        yield module
