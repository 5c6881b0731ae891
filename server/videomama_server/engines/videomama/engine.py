"""The engine `videomama`: settings to a canvas and a memory plan, frames to latents, latents to alphas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

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
from videomama_server.engines.videomama import canvas as canvases
from videomama_server.engines.videomama import noise
from videomama_server.engines.videomama.canvas import Canvas, Size
from videomama_server.engines.videomama.checkpoint.published import SCALING
from videomama_server.engines.videomama.latents import LatentStore
from videomama_server.engines.videomama.lift import Guide
from videomama_server.engines.videomama.model import Model
from videomama_server.engines.videomama.modes import NAME, REFERENCE, rule, shape

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
    """

    number: int
    canvas: Canvas
    plate: Tensor | None
    mask: Tensor | None
    plate_key: str
    mask_key: str
    plate_moments: Tensor | None
    mask_moments: Tensor | None
    guide: Guide | None


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

    def __init__(self, config: EngineConfig) -> None:
        self._model = Model(config)
        self.fingerprint = f"videomama-2 {self._model.fingerprint}"
        self._latents = LatentStore(_LATENTS_BYTES)

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
                f"--window {settings.window} is longer than VideoMaMa knows", f"Choose 1 to {LONGEST_WINDOW} frames."
            )
        asked = settled(self.name, self.options(), settings.engine_options)
        own = VideoMaMaSettings.of(settings)
        if own.mode == REFERENCE and own.feedback:
            raise BadInput("the reference mode knows no feedback", "Leave it 0, or choose the production mode.")
        group = settings.window + max(0, 2 * (shape(settings).context or 0) - settings.overlap)
        height, width = self._model.settle(_wanted_canvases(own, size), settings.window, group)
        unused = ["quality", "weights"]  # the canvas stands for the one, the fingerprint for the other
        if own.mode == REFERENCE or own.soft_mask:
            unused.append("mask_threshold")
        decided = replace(settings, engine_options=asked).with_options(canvas=f"{width}x{height}")
        return Resolved(decided.with_options(**dict.fromkeys(unused)))

    def describe(self, settings: Resolved) -> str:
        """Say what the job runs on: device, number format, canvas, passes, memory."""
        return self._model.describe(_size(VideoMaMaSettings.of(settings)))

    def prepare(self, frame: EngineFrame, settings: Resolved) -> PreparedFrame:
        """Lay a frame on the canvas; a plate whose latents are known is not even looked at, unless edges need it."""
        own = VideoMaMaSettings.of(settings)
        canvas = Canvas(frame.mask.shape, _size(own), stretched=own.mode == REFERENCE)
        plate_key = frame.plate_key and f"plate {frame.plate_key} {canvas}"  # fitted or stretched, too
        cut = "soft" if own.soft_mask else _threshold(own)
        mask_key = frame.mask_key and f"mask {frame.mask_key} {canvas} {cut}"
        plate_moments, mask_moments = self._latents.find(plate_key), self._latents.find(mask_key)
        looks = plate_moments is None or canvas.guides
        small = canvas.reduced(frame.plate) if looks else None
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
        )

    def refine(self, prepared: Sequence[PreparedFrame], settings: Resolved) -> FloatArray:
        """Return the latents of the alphas (T, 4, h, w) of one window, as the UNet gives them."""
        own = VideoMaMaSettings.of(settings)
        with torch.inference_mode():
            self._encode(prepared)
            plates, masks = _moments(prepared)
            h, w = plates.shape[2:]
            if own.mode == REFERENCE:
                start = noise.published(own.seed, len(prepared), (h, w))
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

    def complete(
        self,
        estimates: Sequence[FloatArray],
        prepared: Sequence[PreparedFrame],  # noqa: ARG002
        wanted: Sequence[int],
        settings: Resolved,
    ) -> list[FloatArray]:
        """Decode a group of frames and return the canvases' alphas of those wanted; see `Engine.complete`."""
        with torch.inference_mode():
            latents = torch.from_numpy(np.stack(estimates)) / SCALING
            if VideoMaMaSettings.of(settings).mode == REFERENCE:
                alphas = self._model.decode_as_published(latents)
            else:
                alphas = self._model.decode(latents, REACH)
            return [alphas[at].numpy() for at in wanted]

    def finish(self, completed: FloatArray, prepared: PreparedFrame, settings: Resolved) -> FloatArray:  # noqa: ARG002
        """Lift an alpha of the canvas to the region's resolution; see `Engine.finish`."""
        return prepared.canvas.lift(completed, prepared.guide)

    def usage(self) -> EngineUsage | None:
        """Return what the network holds of its device; None while it is not loaded."""
        return self._model.usage()

    def release(self) -> None:
        """Free the network and all latents; the next window loads it again."""
        self._model.release()
        self._latents.clear()

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
