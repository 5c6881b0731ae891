"""The engine `videomama`: settings to a canvas and a memory plan, frames to latents, latents to alphas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor
from videomama_client.engine_options import settled
from videomama_client.engine_settings import VideoMaMaSettings
from videomama_client.errors import BadInput
from videomama_client.setting_spec import SettingSpec, specs_of
from videomama_client.settings import MatteSettings, Resolved

from videomama_server.arrays import FloatArray
from videomama_server.engines.base import EngineConfig, EngineFrame, EngineUsage, RegionRule, WindowShape
from videomama_server.engines.runtime import uploads
from videomama_server.engines.videomama import canvas as canvases
from videomama_server.engines.videomama import noise, on_device
from videomama_server.engines.videomama.canvas import Canvas, Size
from videomama_server.engines.videomama.checkpoint.published import SCALING
from videomama_server.engines.videomama.latents import LatentStore
from videomama_server.engines.videomama.lift import Guide
from videomama_server.engines.videomama.memory import planner
from videomama_server.engines.videomama.model import Model
from videomama_server.engines.videomama.modes import DEVICE, NAME, REFERENCE, rule, shape
from videomama_server.engines.videomama.on_device import DeviceGuide, HostPlate

LONGEST_WINDOW = 25  # frame indices that the network was trained on
REACH = 4  # the decoder's statistics in time come from so many frames before and after each: nine, as eight in a group
PUBLISHED_CANVAS = (576, 1024)
PUBLISHED_THRESHOLD = 127 / 255
_LATENTS_BYTES = 512 * 2**20


@dataclass
class PreparedFrame:
    """One frame on the model's canvas.

    Attributes:
        number: absolute frame number.
        canvas: how the region lies on it.
        plate, mask: (3, H, W) and (1, H, W) of the canvas, -1..1; None once their moments are there.
        plate_key, mask_key: of the moments; empty where it is not known what they are of.
        plate_moments, mask_moments: (8, h, w), mean and log variance of the latents.
        guide: the region's plate; None where the canvas shows all there is.
        waiting: the plate, where it is laid on the canvas by the device, until that was done.
    """

    number: int
    canvas: Canvas
    plate: Tensor | None
    mask: Tensor | None
    plate_key: str
    mask_key: str
    plate_moments: Tensor | None
    mask_moments: Tensor | None
    guide: Guide | DeviceGuide | None
    waiting: HostPlate | None = None


class VideoMamaEngine:
    """VideoMaMa: one pass of a video diffusion UNet between the encoder and the decoder of a VAE.

    Args:
        config: where the weights are and what may be used of the machine.

    Raises:
        WeightsError: there are no weights, or they are not VideoMaMa's.
        BadInput: the device or number format is not there.
    """

    name = NAME
    needs_device = True
    _on_device = False  # whether colour, placing, guide and lifting are done there, in production mode

    def __init__(self, config: EngineConfig) -> None:
        self._model = Model(config)
        self._on_device = self._model.device.type == "cuda"
        pictures = " pictures-2 on the device" if self._on_device else ""
        self.fingerprint = f"videomama-3 {self._model.fingerprint}{pictures}"
        self._latents = LatentStore(_LATENTS_BYTES)

    def licence(self, settings: MatteSettings) -> str:  # noqa: ARG002
        """Return that of the published UNet and VAE."""
        return "Stability AI Community License"

    def options(self) -> tuple[SettingSpec, ...]:
        """Return what is known of the settings in its record."""
        return specs_of(VideoMaMaSettings)

    def shape(self, settings: MatteSettings) -> WindowShape:
        """Return what the mode works with."""
        return shape(settings)

    def rule(self, settings: MatteSettings) -> RegionRule:
        """Return what the mode works with."""
        return rule(settings)

    def resolve(self, settings: MatteSettings, size: Size) -> Resolved:
        """Return the settings with the canvas decided; see `Engine.resolve`."""
        assert settings.window is not None  # both decided by the plan
        assert settings.overlap is not None
        if settings.window > LONGEST_WINDOW:
            raise BadInput(
                f"--window {settings.window} is too long for the engine videomama",
                f"Choose 1 to {LONGEST_WINDOW} frames.",
            )
        asked = settled(self.name, self.options(), settings.engine_options)
        own = VideoMaMaSettings.of(settings)
        if own.mode == REFERENCE and own.feedback:
            raise BadInput(
                "feedback does not work in the reference mode", "Set --feedback 0, or choose --mode production."
            )
        if own.mode != REFERENCE and own.noise == DEVICE:
            raise BadInput(
                "only the reference mode draws its noise on the device", "Leave noise at host, or choose reference."
            )
        group = settings.window + max(0, 2 * (shape(settings).context or 0) - settings.overlap)
        wanted = _wanted_canvases(own, size)
        has_pictures = self._on_device and own.mode != REFERENCE
        beside = partial(on_device.held_bytes, size, window=settings.window) if has_pictures else planner.nothing
        height, width = self._model.plans.settle(wanted, settings.window, group, beside)
        unused = ["quality", "weights"]  # the canvas stands for the one, the fingerprint for the other
        if own.mode == REFERENCE or own.soft_mask:
            unused.append("mask_threshold")
        decided = replace(settings, engine_options=asked).with_options(canvas=f"{width}x{height}")
        return Resolved(decided.with_options(**dict.fromkeys(unused)))

    def describe(self, settings: Resolved) -> str:
        """Say what the job runs on: device, number format, canvas, passes, memory."""
        return self._model.plans.describe(_size(VideoMaMaSettings.of(settings)))

    def prepare(self, frame: EngineFrame, settings: Resolved) -> PreparedFrame:
        """Lay a frame on the canvas; a plate whose latents are known is not even looked at, unless edges need it."""
        own = VideoMaMaSettings.of(settings)
        canvas = Canvas(frame.mask.shape, _size(own), stretched=own.mode == REFERENCE)
        plate_key = frame.plate_key and f"plate {frame.plate_key} {canvas}"  # fitted or stretched, too
        cut = "soft" if own.soft_mask else _threshold(own)
        mask_key = frame.mask_key and f"mask {frame.mask_key} {canvas} {cut}"
        plate_moments, mask_moments = self._latents.find(plate_key), self._latents.find(mask_key)
        looks = plate_moments is None or canvas.guides
        waits = looks and self._on_device and not canvas.stretched
        small = canvas.reduced(frame.plate) if looks and not waits else None
        return PreparedFrame(
            number=frame.number,
            canvas=canvas,
            plate=None if plate_moments is not None or small is None else _centred(canvas.placed(small)),
            mask=None if mask_moments is not None else _centred(_placed_mask(canvas, frame.mask, own)),
            plate_key=plate_key,
            mask_key=mask_key,
            plate_moments=plate_moments,
            mask_moments=mask_moments,
            guide=Guide.of(frame.plate, small) if canvas.guides and small is not None else None,
            waiting=_waiting(frame, self._model.device) if waits else None,
        )

    def refine(self, prepared: Sequence[PreparedFrame], settings: Resolved) -> FloatArray:
        """Return the latents of the alphas (T, 4, h, w) of one window, as the UNet gives them."""
        own = VideoMaMaSettings.of(settings)
        with torch.inference_mode():
            self._lay(prepared)
            self._encode(prepared)
            plates, masks = _moments(prepared)
            h, w = plates.shape[2:]
            if own.mode == REFERENCE:
                start = self._published_noise(own, len(prepared), (h, w))
                spread = noise.posterior(own.seed, 2 * len(prepared), (h, w))
                latents = _sampled(torch.cat((plates, masks)), spread)
                plates, masks = latents.chunk(2)
            else:
                start = noise.keyed(own.seed, [frame.number for frame in prepared], (h, w))
                plates, masks = plates[:, :4], masks[:, :4]
            alphas = self._model.estimate(torch.cat((start, plates, masks), dim=1))
            for _ in range(own.feedback):
                alphas = self._model.estimate(torch.cat((start, plates, alphas / SCALING), dim=1))
            return np.asarray(alphas.numpy(), np.float32)

    def _published_noise(self, own: VideoMaMaSettings, frames: int, size: Size) -> Tensor:
        if own.noise == DEVICE:
            return noise.published_on(self._model.device, own.seed, frames, size)
        return noise.published(own.seed, frames, size)

    def complete(
        self,
        estimates: Sequence[FloatArray],
        prepared: Sequence[PreparedFrame],
        wanted: Sequence[int],
        settings: Resolved,
    ) -> list[FloatArray]:
        """Decode a group of frames and return the canvases' alphas of those wanted; see `Engine.complete`.

        Where pictures are the device's work, the alphas are those of the region already.
        """
        with torch.inference_mode():
            latents = torch.from_numpy(np.stack(estimates)) / SCALING
            if VideoMaMaSettings.of(settings).mode == REFERENCE:
                alphas = self._model.decode_as_published(latents)
            elif self._on_device:
                alphas = self._model.decode(latents, REACH, stay=True)
                return [self._lifted(alphas[at], prepared[at]) for at in wanted]
            else:
                alphas = self._model.decode(latents, REACH)
            return [alphas[at].numpy() for at in wanted]

    def finish(self, completed: FloatArray, prepared: PreparedFrame, settings: Resolved) -> FloatArray:  # noqa: ARG002
        """Lift an alpha of the canvas to the region's resolution, unless the device did; see `Engine.finish`."""
        if self._on_device and not prepared.canvas.stretched:
            return completed
        assert not isinstance(prepared.guide, DeviceGuide)
        return prepared.canvas.lift(completed, prepared.guide)

    def fits(self, settings: Resolved) -> bool:
        """Whether the network can work now, beside what other engines hold; see `base.fits`."""
        return self._model.plans.fits(_size(VideoMaMaSettings.of(settings)))

    def usage(self) -> EngineUsage | None:
        """Return what the network holds of its device; None while it is not loaded."""
        return self._model.usage()

    def give_back_memory(self) -> None:
        """Return memory of the device that no tensor is in to other programs; see `base.give_back_memory`."""
        self._model.give_back_memory()

    def release(self) -> None:
        """Free the network and all latents; the next window loads it again."""
        self._model.release()
        self._latents.clear()

    def _lay(self, prepared: Sequence[PreparedFrame]) -> None:
        """Have the device lay the plates on their canvas that wait for it."""
        for frame in prepared:
            if frame.waiting is None:
                continue
            plate, frame.guide = self._placed(frame.waiting, frame.canvas)
            frame.plate = plate if frame.plate_moments is None else None
            frame.waiting = None

    def _placed(self, plate: HostPlate, canvas: Canvas) -> tuple[Tensor, DeviceGuide | None]:
        device = self._model.device
        return self._model.plans.within_memory(canvas.size, lambda _: on_device.placed(plate, canvas, device))

    def _lifted(self, alpha: Tensor, frame: PreparedFrame) -> FloatArray:
        """Return an alpha (H, W) of the canvas, which is on the device, at the region's resolution on the host."""
        assert not isinstance(frame.guide, Guide)
        canvas, guide = frame.canvas, frame.guide
        whole = self._model.plans.within_memory(canvas.size, lambda _: on_device.lifted(alpha, canvas, guide))
        return np.asarray(whole.cpu().numpy(), np.float32)

    def _encode(self, prepared: Sequence[PreparedFrame]) -> None:
        """Find the moments that are not there yet."""
        plates = [frame for frame in prepared if frame.plate_moments is None]
        masks = [frame for frame in prepared if frame.mask_moments is None]
        for frame, moments in zip(plates, self._model.encode([frame.plate for frame in plates]), strict=True):
            frame.plate, frame.plate_moments = None, moments
            self._latents.keep(frame.plate_key, moments)
        for frame, moments in zip(masks, self._model.encode([frame.mask for frame in masks]), strict=True):
            frame.mask, frame.mask_moments = None, moments
            self._latents.keep(frame.mask_key, moments)


def _waiting(frame: EngineFrame, device: torch.device) -> HostPlate:
    """Return a frame's plate for the device, pinned by the thread that read it.

    It is converted already where only OpenColorIO itself can do it.
    """
    if frame.as_read is None or frame.lookup is None:
        plate = HostPlate.of(frame.plate, None)
    else:
        plate = HostPlate.of(frame.as_read, frame.lookup)
    return replace(plate, pixels=uploads.pinned(plate.pixels, device))


def _wanted_canvases(settings: VideoMaMaSettings, size: Size) -> list[Size]:
    """Return the canvases to choose from, the best first."""
    named = canvases.parse(settings.canvas)
    if named is not None:
        return [named]
    if settings.mode == REFERENCE:
        return [PUBLISHED_CANVAS]
    return list(canvases.candidates(size, settings.quality == "fast"))


def _size(settings: VideoMaMaSettings) -> Size:
    size = canvases.parse(settings.canvas)
    assert size is not None  # decided by `resolve`
    return size


def _threshold(settings: VideoMaMaSettings) -> float:
    return PUBLISHED_THRESHOLD if settings.mode == REFERENCE else settings.mask_threshold


def _placed_mask(canvas: Canvas, mask: FloatArray, settings: VideoMaMaSettings) -> Tensor:
    """Return a mask (1, H, W) of the canvas, 0..1: cut at the threshold unless soft masks are asked for."""
    placed = canvas.place(mask)
    if settings.soft_mask:
        return placed
    threshold = _threshold(settings)
    over = placed > threshold if settings.mode == REFERENCE else placed >= threshold
    return over.to(torch.float32)


def _centred(picture: Tensor) -> Tensor:
    """Return a picture of 0..1 as -1..1, in place."""
    return picture.mul_(2).sub_(1)


def _moments(prepared: Sequence[PreparedFrame]) -> tuple[Tensor, Tensor]:
    plates = [frame.plate_moments for frame in prepared if frame.plate_moments is not None]
    masks = [frame.mask_moments for frame in prepared if frame.mask_moments is not None]
    return torch.stack(plates), torch.stack(masks)


def _sampled(moments: Tensor, spread: Tensor) -> Tensor:
    """Return latents (N, 4, h, w) drawn from a posterior given by its moments (N, 8, h, w)."""
    mean, log_variance = moments.chunk(2, dim=1)
    return mean + torch.exp(0.5 * log_variance.clamp(-30, 20)) * spread
