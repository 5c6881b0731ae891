"""The classic engine: joins the per-frame matte and the temporal filter behind the Engine Protocol."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from videomama_client.settings import MatteSettings

from videomama_server.engines.base import EngineFrame, FloatArray, PlainEngine, WindowShape
from videomama_server.engines.classic.matte import fast_lines, fine_matte, reduced
from videomama_server.engines.classic.temporal import PreparedFrame, steadied
from videomama_server.engines.classic.trimap import Trimap, trimap_of
from videomama_server.engines.guided import lift_lines

_REFERENCE = 1920  # long side, in pixels, of the plate that radii are given for; no larger one is solved
_VIEW = 960  # and of the one that motion is followed in


class ClassicEngine(PlainEngine):
    """Mattes from the colours of the plate around the mask's outline; deterministic, on the CPU, without weights.

    `quality` "fast" bends the mask to the edges of the plate; "high" explains each colour near the outline as
    a mix of foreground and background. Both steady the result along optical flow.
    """

    name = "classic"
    fingerprint = "classic-1"
    window = WindowShape(length=8, overlap=2)

    def prepare(self, frame: EngineFrame, settings: MatteSettings) -> PreparedFrame:
        """Solve one frame on its own; the plate is not asked for when the mask leaves nothing to find."""
        long_side = max(frame.full_size)
        trimap = _trimap(frame.mask, settings, long_side)
        if not trimap.foreground.any() or not trimap.background.any():
            return PreparedFrame(trimap.foreground.astype(np.float32), trimap, None)
        plate = np.ascontiguousarray(frame.plate, np.float32)
        alpha = trimap.hold(_alpha(plate, frame.mask, settings, long_side))
        view = plate if long_side <= _VIEW else reduced(plate, _VIEW / long_side)
        return PreparedFrame(alpha, trimap, view)

    def refine(self, prepared: Sequence[PreparedFrame], settings: MatteSettings) -> FloatArray:  # noqa: ARG002
        """Return the alphas (T, H, W), float32, 0..1, of one window, steadied in time."""
        return steadied(prepared)


def _alpha(plate: FloatArray, mask: FloatArray, settings: MatteSettings, long_side: int) -> FloatArray:
    """Alpha (H, W) of a plate (H, W, 3): solved at 1920 pixels at most and lifted from there."""
    shrink = _REFERENCE / long_side
    if shrink >= 1:
        return _solved(plate, mask, settings, long_side)
    small_plate, small_mask = reduced(plate, shrink), reduced(mask, shrink)
    alpha = _solved(small_plate, small_mask, settings, _REFERENCE)
    return lift_lines(small_plate, alpha).resized(*mask.shape).of(plate)


def _solved(plate: FloatArray, mask: FloatArray, settings: MatteSettings, long_side: int) -> FloatArray:
    scale = long_side / _REFERENCE
    if settings.quality == "fast":
        return fast_lines(plate, mask, scale).of(plate)
    return fine_matte(plate, mask, _trimap(mask, settings, long_side), scale)


def _trimap(mask: FloatArray, settings: MatteSettings, long_side: int) -> Trimap:
    scale = long_side / _REFERENCE
    subject = mask >= settings.mask_threshold
    return trimap_of(subject, settings.trimap_erode * scale, settings.trimap_dilate * scale)
