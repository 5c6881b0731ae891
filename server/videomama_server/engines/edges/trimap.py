"""Makes the trimap of an alpha: which pixels a refiner may change, by distance, by probability, or both."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import cv2
import numpy as np
from videomama_client.engine_settings import TrimapSettings
from videomama_client.trimap_presets import numbers_of

from videomama_server.arrays import BoolArray, ByteArray, FloatArray, HalfArray
from videomama_server.distances import distance_to
from videomama_server.engines.edges.blocks import SIDE, blocks

BACKGROUND, UNKNOWN, FOREGROUND = 0, 128, 255
_HALF = 0.5  # alpha at which the outline runs
_AROUND = 16.0  # pixels of a plate 1920 wide, within which an edge counts as soft or busy
_SOFT = (0.1, 0.4)  # share of soft pixels around: a clean edge has less than the first
_BUSY = (0.03, 0.1)  # mean gradient around, per pixel of a plate 1920 wide: a single edge has less than the first
_LUMA = (0.2126, 0.7152, 0.0722)


@dataclass(frozen=True)
class Widths:
    """How a trimap is made of an alpha of one size.

    Attributes:
        by_distance, by_alpha: what makes a pixel unknown.
        foreground, background: alphas, 0..1, from which on a pixel is certain.
        inside, outside: of the outline, pixels, from which on a pixel is certain.
        widen: pixels that the band grows by at most.
        scale: pixels per pixel of a plate 1920 wide.
    """

    by_distance: bool
    by_alpha: bool
    foreground: float
    background: float
    inside: float
    outside: float
    widen: float
    scale: float

    @classmethod
    def of(cls, settings: TrimapSettings, scale: float) -> Widths:
        """Return what settings ask for on a plate of `scale` pixels per pixel of one 1920 wide."""
        numbers = numbers_of(settings)
        return cls(
            by_distance=settings.trimap_mode != "probability",
            by_alpha=settings.trimap_mode != "distance",
            foreground=numbers.foreground,
            background=numbers.background,
            inside=_pixels(numbers.inside, scale),
            outside=_pixels(numbers.outside, scale),
            widen=settings.trimap_widen * scale,
            scale=scale,
        )

    @property
    def reach(self) -> int:
        """How far, in pixels, a pixel's value in the trimap depends on others."""
        return ceil(max(self.inside, self.outside) + self.widen + _AROUND * self.scale) + 4


def trimap_of(alpha: FloatArray, plate: FloatArray | HalfArray, widths: Widths, side: int = SIDE) -> ByteArray:
    """Return the trimap (H, W) of an alpha: 0 certain background, 128 unknown, 255 certain subject.

    Args:
        alpha: (H, W), 0..1.
        plate: (H, W, 3), 0..1, display-referred; looked at only where the band may be widened.
        widths: how wide the band is.
        side: of the blocks that are worked on, pixels.
    """
    found = np.empty(alpha.shape, np.uint8)
    for block in blocks((alpha.shape[0], alpha.shape[1]), widths.reach, side):
        around = np.asarray(alpha[block.around], np.float32)
        if around.min() > max(_HALF, widths.foreground):
            found[block.own] = FOREGROUND
        elif around.max() < min(_HALF, widths.background):
            found[block.own] = BACKGROUND
        else:
            found[block.own] = _trimap(around, plate[block.around], widths)[block.inner]
    return found


def has_edge(alpha: FloatArray, widths: Widths) -> bool:
    """Whether an alpha (H, W) shows an edge of a subject: it is neither all background nor all subject."""
    return bool(alpha.max() > widths.background and alpha.min() < widths.foreground)


def _pixels(width: float, scale: float) -> float:
    """Return a width on the plate: a pixel at least, as small plates would have no band else, or 0 for none."""
    return max(1.0, width * scale) if width else 0.0


def _trimap(alpha: FloatArray, plate: FloatArray | HalfArray, widths: Widths) -> ByteArray:
    subject = alpha >= _HALF
    unknown = np.zeros(alpha.shape, np.bool_)
    if widths.by_distance and subject.any() and not subject.all():
        unknown |= subject & (distance_to(~subject) <= widths.inside)
        unknown |= ~subject & (distance_to(subject) <= widths.outside)
    if widths.by_alpha:
        unknown |= _is_soft(alpha, widths)
    if widths.widen and unknown.any():
        unknown |= distance_to(unknown) <= widths.widen * _wanting(alpha, plate, widths)
    return np.where(unknown, UNKNOWN, np.where(subject, FOREGROUND, BACKGROUND)).astype(np.uint8)


def _is_soft(alpha: FloatArray, widths: Widths) -> BoolArray:
    return (alpha > widths.background) & (alpha < widths.foreground)


def _wanting(alpha: FloatArray, plate: FloatArray | HalfArray, widths: Widths) -> FloatArray:
    """Return how much (H, W), 0..1, each place wants a wider band: for its soft alpha, or its busy plate."""
    soft = _box(_is_soft(alpha, widths).astype(np.float32), widths)
    luma = cv2.GaussianBlur(np.asarray(plate, np.float32) @ np.asarray(_LUMA, np.float32), (0, 0), 1.0)
    across, down = (cv2.Sobel(luma, cv2.CV_32F, *order, scale=0.125) for order in ((1, 0), (0, 1)))
    busy = _box(np.hypot(across, down) * np.float32(widths.scale), widths)
    return np.maximum(_ramp(soft, *_SOFT), _ramp(busy, *_BUSY))


def _ramp(values: FloatArray, low: float, high: float) -> FloatArray:
    return np.asarray(np.clip((values - np.float32(low)) / np.float32(high - low), 0, 1), np.float32)


def _box(values: FloatArray, widths: Widths) -> FloatArray:
    side = 2 * round(_AROUND * widths.scale) + 1
    return np.asarray(cv2.blur(values, (side, side), borderType=cv2.BORDER_REPLICATE), np.float32)
