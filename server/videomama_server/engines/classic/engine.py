"""The classic engine: joins outline, per-frame matte and temporal filter behind the Engine Protocol."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from videomama_client.engine_settings import ClassicSettings
from videomama_client.mask_presets import outline_of
from videomama_client.settings import MatteSettings, Resolved

from videomama_server.arrays import REFERENCE_SIDE, FloatArray, HalfArray
from videomama_server.engines.base import PROTOCOL, EngineFrame, PlainEngine, RegionRule, WindowShape
from videomama_server.engines.classic import preview
from videomama_server.engines.classic.band import FAR, widened
from videomama_server.engines.classic.correction import (
    WORKING,
    SmallFrame,
    corrected,
    likelihood,
    small_frame,
    small_size,
)
from videomama_server.engines.classic.grain import GrainyPlate
from videomama_server.engines.classic.matte import fast_lines, fine_matte, reduced
from videomama_server.engines.classic.temporal import SolvedFrame, steadied
from videomama_server.engines.classic.trimap import Trimap, carried, trimap_of
from videomama_server.engines.guided_filter import lift_lines
from videomama_server.engines.motion import REACH
from videomama_server.media.reduction import averaged

_LARGEST = REFERENCE_SIDE  # long side, in pixels, of the largest plate that is solved
_VIEW = 960  # and of the one that motion is followed in
_SOLVERS = min(4, os.cpu_count() or 1)  # frames solved at a time: each takes one core, and memory


@dataclass
class PreparedFrame:
    """One frame before its outline is known.

    Attributes:
        mask: (H, W), 0..1.
        plate: (H, W, 3), 0..1, display-referred, in half precision, as many wait; None when the mask leaves nothing
            to find.
        view: what its outline is corrected in; None when it has none there.
        long_side: of the whole plate, pixels.
        small: the plate (h, w, 3) that `fast` solves; None where that is the plate itself.
    """

    mask: FloatArray
    plate: HalfArray | None
    view: SmallFrame | None
    long_side: int
    small: HalfArray | None = None
    _solved: tuple[FloatArray, SolvedFrame] | None = field(default=None, repr=False)

    def solved(self, likely: FloatArray, settings: ClassicSettings) -> SolvedFrame:
        """Return the frame solved on its own; kept, as its neighbours ask for it too.

        Args:
            likely: (h, w), 0..1, how likely each pixel of the view is to be subject.
            settings: of the engine.
        """
        if self._solved is None or self._solved[0] is not likely:
            self._solved = (likely, _solved(self, likely, settings))
        return self._solved[1]


class ClassicEngine(PlainEngine):
    """Mattes from the colours of the plate around the mask's outline; deterministic, on the CPU, without weights.

    The outline of a rough mask is corrected first, by the colours of all frames of a window. `quality` "fast" then
    bends it to the edges of the plate; "high" explains each colour near it as a mix of foreground and background. Both
    steady the result along optical flow.
    """

    name = "classic"
    protocol = PROTOCOL
    fingerprint = "classic-13"
    record = ClassicSettings
    window = WindowShape(length=8, overlap=2, context=REACH)

    def rule(self, settings: MatteSettings) -> RegionRule:
        """Return the common rule with room for an outline that moves, and one rectangle for all frames of a window."""
        outline = outline_of(ClassicSettings.of(settings))
        followed = max(FAR, outline.trimap_dilate) if outline.trimap_dilate else 0.0
        reach = followed + max(0.0, settings.mask_grow) + outline.mask_slack
        padding = max(RegionRule.padding_pixels, 1.2 * reach)
        return RegionRule(padding_pixels=padding, reach=outline.trimap_dilate, fixed=True)

    def prepare(self, frame: EngineFrame, settings: Resolved) -> PreparedFrame:
        """Make the view of one frame; the plate is not asked for when the mask leaves nothing to find."""
        own = ClassicSettings.of(settings)
        long_side, subject = max(frame.full_size), frame.mask >= own.mask_threshold
        if subject.all() or not subject.any():
            return PreparedFrame(frame.mask, None, None, long_side)
        plate = np.ascontiguousarray(frame.plate, np.float32)
        slack = outline_of(own).mask_slack
        view = small_frame(plate, subject, long_side, _working(own, long_side)) if slack else None
        small = preview.small_plate(plate, frame.mask, own, long_side) if own.quality == "fast" else None
        return PreparedFrame(frame.mask, plate.astype(np.float16), view, long_side, small)

    def refine(self, prepared: Sequence[PreparedFrame], settings: Resolved) -> FloatArray:
        """Return (T, h, w), float32, 0..1: how likely each pixel of the views is to be subject; 0 without a view."""
        own = ClassicSettings.of(settings)
        found = likelihood([frame.view for frame in prepared], outline_of(own).mask_slack)
        (height, width), long_side = prepared[0].mask.shape, prepared[0].long_side
        size = small_size((height, width), long_side, _working(own, long_side))
        return np.stack([np.zeros(size, np.float32) if likely is None else likely for likely in found])

    def complete(
        self,
        estimates: Sequence[FloatArray],
        prepared: Sequence[PreparedFrame],
        wanted: Sequence[int],
        settings: Resolved,
    ) -> list[FloatArray]:
        """Solve the wanted frames and their neighbours, and steady them."""
        own = ClassicSettings.of(settings)
        near = {place for position in wanted for place in range(position - REACH, position + REACH + 1)}
        places = sorted(near & set(range(len(prepared))))
        with ThreadPoolExecutor(_SOLVERS) as solvers:
            done = solvers.map(lambda place: prepared[place].solved(estimates[place], own), places)
            solved = dict(zip(places, done, strict=True))
        alphas = steadied(solved, wanted)
        return [_lifted(prepared[place], solved[place], alpha) for place, alpha in zip(wanted, alphas, strict=True)]


def _solved(frame: PreparedFrame, likely: FloatArray, settings: ClassicSettings) -> SolvedFrame:
    if frame.plate is None:
        certain = _trimap(frame.mask, settings, frame.long_side)
        return SolvedFrame(certain.foreground.astype(np.float32), certain, None)
    mask, long_side = frame.mask, frame.long_side
    if frame.small is not None:
        mask, long_side = averaged(mask, frame.small.shape[:2]), preview.side(long_side)
    plate = GrainyPlate(np.asarray(frame.plate if frame.small is None else frame.small, np.float32))
    if frame.view is not None:
        mask = corrected(mask, settings.mask_threshold, frame.view, likely, outline_of(settings).mask_slack)
    trimap = _followed(plate, mask, settings, long_side)
    alpha = trimap.hold(_alpha(plate, carried(mask, long_side / REFERENCE_SIDE), trimap, settings, long_side))
    largest = preview.VIEW if settings.quality == "fast" else _VIEW
    view = plate if long_side <= largest else GrainyPlate(reduced(plate.pixels, largest / long_side))
    return SolvedFrame(alpha, trimap, view.smooth)


def _working(settings: ClassicSettings, long_side: int) -> int:
    return preview.working(long_side) if settings.quality == "fast" else WORKING


def _lifted(frame: PreparedFrame, solved: SolvedFrame, alpha: FloatArray) -> FloatArray:
    """Return an alpha at the size of its plate (H, W), where `fast` solved it smaller."""
    if frame.plate is None or frame.small is None:
        return alpha
    return preview.lifted(frame.plate, frame.small.astype(np.float32), alpha, solved.trimap)


def _alpha(
    plate: GrainyPlate, mask: FloatArray, trimap: Trimap, settings: ClassicSettings, long_side: int
) -> FloatArray:
    """Alpha (H, W) of a plate: solved at 1920 pixels at most and lifted from there."""
    shrink = _LARGEST / long_side
    if shrink >= 1:
        return _matte(plate, mask, trimap, settings, long_side / REFERENCE_SIDE)
    small_plate, small_mask = GrainyPlate(reduced(plate.pixels, shrink)), reduced(mask, shrink)
    small_trimap = _followed(small_plate, small_mask, settings, _LARGEST)
    alpha = _matte(small_plate, small_mask, small_trimap, settings, 1.0)
    return lift_lines(small_plate.pixels, alpha).resized(*mask.shape).of(plate.pixels)


def _matte(plate: GrainyPlate, mask: FloatArray, trimap: Trimap, settings: ClassicSettings, scale: float) -> FloatArray:
    if not trimap.foreground.any() or not trimap.background.any():
        return trimap.foreground.astype(np.float32)
    if settings.quality == "fast":
        return fast_lines(plate.smooth, mask, scale).of(plate.smooth)
    return fine_matte(plate, mask, trimap, scale, outline_of(settings).mask_slack)


def _followed(plate: GrainyPlate, mask: FloatArray, settings: ClassicSettings, long_side: int) -> Trimap:
    """Return the trimap of a mask (H, W) whose band follows the plate; in a preview it does not."""
    trimap = _trimap(mask, settings, long_side)
    subject = mask >= settings.mask_threshold
    if settings.quality == "fast" or subject.all() or not subject.any():
        return trimap
    return widened(trimap, plate.smooth, subject, outline_of(settings), long_side)


def _trimap(mask: FloatArray, settings: ClassicSettings, long_side: int) -> Trimap:
    scale = long_side / REFERENCE_SIDE
    outline = outline_of(settings)
    subject = mask >= settings.mask_threshold
    return trimap_of(subject, outline.trimap_erode * scale, outline.trimap_dilate * scale, scale)
