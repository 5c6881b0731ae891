"""The network on its device: loaded when it is needed, and run within the memory plan of a canvas."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor

from videomama_server import heartbeat
from videomama_server.engines.base import EngineConfig, EngineUsage
from videomama_server.engines.runtime import device, load_watch, precision, uploads
from videomama_server.engines.videomama.canvas import Size
from videomama_server.engines.videomama.checkpoint import layouts, weights
from videomama_server.engines.videomama.memory import planner
from videomama_server.engines.videomama.memory.canvas_plans import CanvasPlans
from videomama_server.engines.videomama.memory.offload import Placement
from videomama_server.engines.videomama.memory.planner import MemoryPlan
from videomama_server.engines.videomama.network.fused import kernels
from videomama_server.engines.videomama.network.graph import CudaRecorder, Replayed
from videomama_server.engines.videomama.network.network import Network
from videomama_server.engines.videomama.network.shape import shape_of

log = logging.getLogger(__name__)

PUBLISHED_GROUP = 8  # frames that the published inference decodes together


class Model:
    """VideoMaMa's network and what runs it.

    Args:
        config: where the weights are and what may be used of the machine.

    Raises:
        WeightsError: there are no weights, or they are not VideoMaMa's.
        BadInput: the device or number format is not there.

    Attributes:
        plans: the memory plans of the canvases that it works on.
    """

    def __init__(self, config: EngineConfig) -> None:
        self._config = config
        self._device = device.choose(config.device, config.dtype)
        self._checkpoint = layouts.find(config.weights)
        weights.check(self._checkpoint)
        shape = shape_of(self._checkpoint.unet_config, self._checkpoint.vae_config)
        self._placement: Placement | None = None
        planner.peaks.use(config.folded_dir / "peaks.json")
        digest = weights.source_digest(self._checkpoint, config.folded_dir)
        precision.hold()
        kernels.choose(config.compile, self._device.device)
        records = config.compile != "off" and self._device.device.type == "cuda"
        self._replayed = Replayed(CudaRecorder() if records else None)
        self.plans = CanvasPlans(config, shape, self._device, self._resident_bytes, self._replayed.forget)
        formats = f"{self._device.storage} {self._device.arithmetic}"
        self.fingerprint = f"{digest} {self._device.device.type} {formats} {kernels.name}"

    @property
    def device(self) -> torch.device:
        """Where the network runs."""
        return self._device.device

    def encode(self, pictures: Sequence[Tensor | None]) -> list[Tensor]:
        """Return the moments (8, h, w), float32, on the host, of plates (3, H, W) or of masks (1, H, W), -1..1.

        All pictures are on the host, or all on the device.
        """
        left = deque(picture for picture in pictures if picture is not None)
        found: list[Tensor] = []

        def work(plan: MemoryPlan) -> Tensor:
            at_once = torch.stack([left[index] for index in range(min(plan.passes_encode, len(left)))])
            with self._using("encoder", plan) as network:
                encoder = network.encoder.plate if at_once.shape[1] > 1 else network.encoder.mask
                return self._back(encoder(self._there(at_once)))

        while left:
            moments = self.plans.within_memory(_size_of(left[0]), work)
            found += moments
            for _ in moments:
                left.popleft()
        return found

    def estimate(self, latents: Tensor) -> Tensor:
        """Return the alphas' latents (T, 4, h, w), scaled, float32, on the host, of (T, 12, h, w)."""

        def work(plan: MemoryPlan) -> Tensor:
            with self._using("unet", plan) as network:
                run, steady = partial(network.unet, passes=plan.passes_unet), (plan.passes_unet, plan.offload)
                room = planner.has_room_for_recording(plan)
                return self._back(self._replayed(run, self._there(latents), steady, room=room))

        return self.plans.within_memory(_canvas_of(latents), work)

    def decode(self, latents: Tensor, reach: int, *, stay: bool = False) -> Tensor:
        """Return the alphas (T, H, W), 0..1, float32, on the host, of unscaled latents (T, 4, h, w) of a group.

        Args:
            latents: of consecutive frames.
            reach: statistics in time come from so many frames before and after each.
            stay: leave them on the device.
        """

        def work(plan: MemoryPlan) -> Tensor:
            with self._using("decoder", plan) as network:
                found = network.decoder.grey(self._there(latents), plan.passes_decode, reach)
                return found.float() if stay else self._back(found)

        grey = self.plans.within_memory(_canvas_of(latents), work)
        return (grey[:, 0] / 2 + 0.5).clamp_(0, 1)

    def decode_as_published(self, latents: Tensor) -> Tensor:
        """Return the same as `decode`, as the published inference does: in groups of 8, clamped, then grey."""

        def work(plan: MemoryPlan) -> Tensor:
            with self._using("decoder", plan) as network:
                groups = torch.split(self._there(latents), PUBLISHED_GROUP)
                return torch.cat([self._back(network.decoder.rgb(group, plan.passes_decode)) for group in groups])

        colour = self.plans.within_memory(_canvas_of(latents), work)
        return (colour / 2 + 0.5).clamp_(0, 1).mean(dim=1)

    def usage(self) -> EngineUsage | None:
        """Return what is held of the device; None while nothing is loaded."""
        if self._placement is None:
            return None
        name, _, arithmetic = self._device.describe().partition(", ")
        return EngineUsage(
            device=name,
            dtype=arithmetic,
            resident_bytes=self._resident_bytes(),
            peak_bytes=device.peak_bytes(self._device.device),
        )

    def give_back_memory(self) -> None:
        """Return memory of the device that no tensor is in to other programs, such as Nuke."""
        if self._placement is None:
            return
        try:
            device.give_back(self._device.device)
        except RuntimeError as error:  # a device that is lost; the next job says so
            log.warning("%s gave no memory back: %s", self._device.device, error)

    def release(self) -> None:
        """Free the network; the next call loads it again, also that of a job which was planned before."""
        self._replayed.forget()
        if self._placement is not None:
            self._placement.release()
        self._placement = None
        self.plans.forget_too_large()

    def _resident_bytes(self) -> int:
        """Return the bytes of weights that are on the device; on a CPU they are mapped from their file."""
        if self._placement is None:
            return 0
        if self._device.device.type == "cpu":
            return device.resident_bytes(self._placement.network)
        return self._placement.copied_bytes

    @contextmanager
    def _using(self, part: str, plan: MemoryPlan) -> Iterator[Network]:
        """Yield the network, loaded and placed as the plan says, with one of its parts ready to run."""
        placement = self._placed(plan.offload)
        with placement.using(part):
            yield placement.network

    def _placed(self, offload: str) -> Placement:
        if self._placement is not None and self._placement.offload == offload:
            return self._placement
        self._replayed.forget()
        if self._placement is None:
            path = weights.folded(self._checkpoint, self._config.folded_dir, self._device.storage)
            with load_watch.loading(self._config.tell_loading, path.stat().st_size):
                network = weights.load(path)
            _beat_with(network)
            device.limit(self._device.device, self.plans.asked_bytes)
        else:
            self._placement.release()
            network, self._placement = self._placement.network, None
        self._placement = Placement(network, self._device.device, offload)
        return self._placement

    def _there(self, tensor: Tensor) -> Tensor:
        """Return a host's tensor on the device, in whose number format it crosses; a card copies it meanwhile."""
        return uploads.sent(tensor.to(self._device.arithmetic), self._device.device)

    @staticmethod
    def _back(tensor: Tensor) -> Tensor:
        """Return a device's tensor on the host, float32; it crosses in the format that it has."""
        return tensor.to("cpu").to(torch.float32)


def _beat_with(network: Network) -> None:
    """Have every layer that was run beat, so that a slow device is not taken for one that hangs."""
    for module in network.modules():
        module.register_forward_hook(lambda *_: heartbeat.beat())


def _size_of(picture: Tensor) -> Size:
    return picture.shape[-2], picture.shape[-1]


def _canvas_of(latents: Tensor) -> Size:
    return 8 * latents.shape[-2], 8 * latents.shape[-1]
