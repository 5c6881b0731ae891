"""How a job is made to fit into memory: frames per pass, then offload, then canvas, from measured peaks.

Peaks are those of the network's own code (see `footprint`), never of a formula. What cannot be measured so is allowed
for: workspaces of convolutions and matrix products, the context of the card and gaps between blocks of memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from videomama_client.errors import OutOfMemory
from videomama_client.wording import counted

from videomama_server.engines.runtime.device import Device, is_card, resident_bytes
from videomama_server.engines.videomama.memory.footprint import peak_of, stand_ins
from videomama_server.engines.videomama.memory.known_peaks import KnownPeaks
from videomama_server.engines.videomama.memory.offload import PARTS, WAYS, blocks_of
from videomama_server.engines.videomama.network.fused import kernels
from videomama_server.engines.videomama.network.network import Network
from videomama_server.engines.videomama.network.shape import NetworkShape

peaks = KnownPeaks()  # one for the process, as is the engine

Canvas = tuple[int, int]  # height, width in pixels, multiples of 64

_ANCHORS = ((128, 128), (768, 768))  # canvases that are measured
_GB = 1e9
_ALLOWANCE = 512 * 1024 * 1024  # bytes, whatever the size: cuBLAS, cuDNN and the context hold some hundred MB
_MOST_NUMBERS = 2**31 - 1  # of one tensor: beyond that kernels count wrongly, or take another and slower way
_ALLOWANCE_SHARE = 0.05  # of the activations: gaps, and workspaces that grow with the picture


@dataclass(frozen=True)
class Workload:
    """What decides about the peaks, besides the canvas and the plan.

    Attributes:
        shape: of the network.
        device: where it runs.
        window: frames that the UNet sees at once.
        group: frames that are decoded together.
    """

    shape: NetworkShape
    device: Device
    window: int
    group: int

    @property
    def on_card(self) -> bool:
        """Whether passes and offload may follow the memory; on a CPU the bits must not depend on what is free."""
        return is_card(self.device.device)


@dataclass(frozen=True)
class MemoryPlan:
    """How a job runs within `budget_bytes`.

    Attributes:
        passes_encode: pictures encoded at once, plates or masks.
        passes_unet: frames that the UNet's per-frame operations work on at once.
        passes_decode: the same for the decoder.
        offload: "none", "parts" or "blocks": what of the weights is away from the card.
        canvas: (H, W) that the network works on.
        peak_bytes: planned peak, allowance included; at most this.
        budget_bytes: what there is.
        workload: what it was planned for.
    """

    passes_encode: int
    passes_unet: int
    passes_decode: int
    offload: str
    canvas: Canvas
    peak_bytes: int
    budget_bytes: int
    workload: Workload

    @property
    def passes(self) -> dict[str, int]:
        """Frames per pass by part of the network."""
        return {"encoder": self.passes_encode, "unet": self.passes_unet, "decoder": self.passes_decode}

    def describe(self) -> str:
        """Return one line for the job's result and the log."""
        height, width = self.canvas
        passes = f"{self.passes_encode}/{self.passes_unet}/{self.passes_decode} frames a pass"
        peak = f"{self.peak_bytes / _GB:.1f} of {self.budget_bytes / _GB:.1f} GB"
        return f"{self.workload.device.describe()}, canvas {width}x{height}, {passes}, offload {self.offload}, {peak}"


def nothing(_: Canvas) -> int:
    """Return 0: nothing is held beside the network."""
    return 0


def plan(
    workload: Workload, canvases: Sequence[Canvas], budget_bytes: int, beside: Callable[[Canvas], int] = nothing
) -> MemoryPlan:
    """Return the plan with the largest canvas that fits; with the least offload and the largest passes for it.

    Args:
        workload: what is to run.
        canvases: those that may be taken, by descending area; at least one.
        budget_bytes: what may be held on the device, weights included.
        beside: says how many of these bytes are taken beside the network on a canvas; not more on a smaller one.

    Raises:
        OutOfMemory: not even the last canvas fits.
    """
    area, most = float("inf"), budget_bytes - beside(canvases[-1])
    for canvas in canvases:
        if canvas[0] * canvas[1] > area and canvas != canvases[-1]:
            continue
        budget = budget_bytes - beside(canvas)
        least = _least(workload, canvas, budget)
        if least <= budget:
            return next(_fitting(workload, canvas, budget))
        # Peaks grow with the area at most in proportion, so no canvas larger than this can fit.
        area = canvas[0] * canvas[1] * _room(workload, most) / _room(workload, least)
    height, width = canvases[-1]
    raise OutOfMemory(
        f"{width}x{height} pixels with windows of {counted(workload.window, 'frame')}, "
        f"{workload.group} decoded together, take {least / _GB:.1f} GB on "
        f"{workload.device.device}; there are {most / _GB:.1f} GB",
        "Free memory on the device, raise max_vram_gb, or choose a shorter window, a smaller canvas or fp16.",
    )


def tighter(tight: MemoryPlan) -> MemoryPlan | None:
    """Return the next plan to try after a real out-of-memory error; None when only the canvas is left.

    The part of the highest peak takes half the frames per pass, and with one everywhere the next offload is taken.
    """
    workload, canvas = tight.workload, tight.canvas
    if not workload.on_card:
        return None
    by_peak = sorted(PARTS, key=lambda part: _peak(workload, canvas, part, tight.passes[part]), reverse=True)
    for part in by_peak:
        if tight.passes[part] > 1:
            return _planned(tight, {**tight.passes, part: tight.passes[part] // 2}, tight.offload)
    following = WAYS[WAYS.index(tight.offload) + 1 :]
    return _planned(tight, tight.passes, following[0]) if following else None


def has_room_for_recording(found: MemoryPlan) -> bool:
    """Whether all that the UNet works with may stay held beside what a plan needs anyway."""
    if not found.workload.on_card or found.offload != "none":
        return False
    held = int(_peak(found.workload, found.canvas, "unet", found.passes_unet) * (1 + _ALLOWANCE_SHARE))
    return found.peak_bytes + held <= found.budget_bytes


def _planned(tight: MemoryPlan, passes: dict[str, int], offload: str) -> MemoryPlan:
    peak = max(_total(tight.workload, tight.canvas, part, passes[part], offload) for part in PARTS)
    encode, unet, decode = (passes[part] for part in PARTS)
    return replace(
        tight, passes_encode=encode, passes_unet=unet, passes_decode=decode, offload=offload, peak_bytes=peak
    )


def _fitting(workload: Workload, canvas: Canvas, budget: int) -> Iterator[MemoryPlan]:
    """Yield the plans of a canvas that fit, least offload first."""
    for offload in _ways(workload):
        found: dict[str, int] = {}
        for part in PARTS:
            fits = (n for n in _ladder(workload, canvas, part) if _total(workload, canvas, part, n, offload) <= budget)
            found[part] = next(fits, 0)
            if not found[part]:
                break
        else:
            peak = max(_total(workload, canvas, part, found[part], offload) for part in PARTS)
            encode, unet, decode = (found[part] for part in PARTS)
            yield MemoryPlan(encode, unet, decode, offload, canvas, peak, budget, workload)


def _least(workload: Workload, canvas: Canvas, budget: int) -> int:
    """Return the bytes that the first part which does not fit takes at least; 0 when all fit."""
    offload = _ways(workload)[-1]
    for part in ("encoder", "decoder", "unet"):  # quickest to measure first
        ladder = _ladder(workload, canvas, part)
        if all(_total(workload, canvas, part, passes, offload) > budget for passes in (ladder[0], ladder[-1])):
            return _total(workload, canvas, part, ladder[-1], offload)
    return 0


def _ladder(workload: Workload, canvas: Canvas, part: str) -> list[int]:
    """Return the frames per pass that may be taken, most first: as many as no tensor grows too long for, at least one.

    On a CPU there is no choice: one, which stays in its cache; all for the UNet, whose small pictures would wait for
    the weights otherwise.
    """
    frames = workload.group if part == "decoder" else workload.window
    if not workload.on_card:
        return [frames] if part == "unet" else [1]
    rungs = [frames]
    while rungs[-1] > 1:
        rungs.append(rungs[-1] // 2)
    longest = _numbers_a_pixel(workload.shape, part) * canvas[0] * canvas[1]
    return [rung for rung in rungs if rung * longest <= _MOST_NUMBERS or rung == 1]


def _numbers_a_pixel(shape: NetworkShape, part: str) -> float:
    """Return how many numbers the longest tensor of a part has for each pixel of the canvas and frame."""
    if part == "unet":  # what a transformer's feed-forward layer makes, of the finest level's latent pixels
        return 8 * shape.channels[0] / float(4 ** (len(shape.vae_channels) - 1))
    return shape.vae_channels[0] if part == "encoder" else max(shape.vae_channels[:2])  # before the last doubling


def _ways(workload: Workload) -> tuple[str, ...]:
    return WAYS if workload.on_card else WAYS[:1]


def _total(workload: Workload, canvas: Canvas, part: str, passes: int, offload: str) -> int:
    """Return the bytes on the device while a part runs, allowance included."""
    activations = _peak(workload, canvas, part, passes)
    return (
        _weights(workload.shape, workload.device.storage, part, offload)
        + _ALLOWANCE
        + int(activations * (1 + _ALLOWANCE_SHARE))
    )


def _room(workload: Workload, total: int) -> float:
    """Return what of a total there is for activations when as few weights as possible are there, at least 1 byte."""
    kept = min(_weights(workload.shape, workload.device.storage, part, _ways(workload)[-1]) for part in PARTS)
    return max(1.0, total - kept - _ALLOWANCE)


@lru_cache(maxsize=64)
def _weights(shape: NetworkShape, storage: torch.dtype, part: str, offload: str) -> int:
    """Return the bytes of weights on the device while a part runs."""
    network = _network(shape, storage)
    if offload == "none":
        return resident_bytes(network)
    whole = resident_bytes(getattr(network, part))
    if offload == "parts":
        return whole
    blocks = [resident_bytes(block) for block in blocks_of(network, part)]
    return whole - sum(blocks) + sum(sorted(blocks)[-2:])  # one runs while the next is brought


@lru_cache(maxsize=4)
def _network(shape: NetworkShape, storage: torch.dtype) -> Network:
    with torch.device("meta"):
        return Network(shape).to(storage)


def _peak(workload: Workload, canvas: Canvas, part: str, passes: int) -> int:
    """Return the peak of a part's activations, its input and result included, for any canvas.

    It lies on the line through the peaks of two canvases that are measured: all that is large grows with the area.
    """
    low, high = (_measured(workload, anchor, part, passes) for anchor in _ANCHORS)
    below, above = (h * w for h, w in _ANCHORS)
    slope = (high - low) / (above - below)
    return round(high + slope * (canvas[0] * canvas[1] - above))


def _measured(workload: Workload, canvas: Canvas, part: str, passes: int) -> int:
    """Return what `_peak` says for one canvas, by running the part on stand-ins: about a second, once per machine."""
    of = f"{workload} {kernels.name} {canvas} {part} {passes}"
    known = peaks.find(of)
    if known is not None:
        return known
    with stand_ins(card=workload.on_card):
        found = peak_of(_call(workload, canvas, part, passes, _network(workload.shape, workload.device.storage)))
    peaks.keep(of, found)
    return found


def _call(workload: Workload, canvas: Canvas, part: str, passes: int, network: Network) -> Callable[[], object]:
    dtype = workload.device.arithmetic
    height, width = canvas
    step = 2 ** (len(workload.shape.vae_channels) - 1)
    latent = (height // step, width // step)

    def encode() -> object:
        return network.encoder.plate(torch.empty((passes, 3, height, width), dtype=dtype))

    def denoise() -> object:
        return network.unet(torch.empty((workload.window, workload.shape.inputs, *latent), dtype=dtype), passes)

    def decode() -> object:
        return network.decoder.grey(
            torch.empty((workload.group, workload.shape.latents, *latent), dtype=dtype), passes, 2
        )

    return {"encoder": encode, "unet": denoise, "decoder": decode}[part]
