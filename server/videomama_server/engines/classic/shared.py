"""Shared matting: explains every colour of the unknown band as a mix of one foreground and one background sample."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from videomama_server.engines.base import FloatArray
from videomama_server.engines.classic.sampling import IndexArray, sample_pixels
from videomama_server.engines.classic.trimap import BoolArray, Trimap

# Background has texture that the border of the band does not show: look behind it too (pixels of a plate 1920 wide).
_BACKGROUND_DEPTHS = (8.0, 20.0, 36.0, 60.0, 90.0, 130.0)
_GRAIN = np.float32(1e-4)  # squared linear colour difference below which two explanations are equally good
_REACH = (-5, -3, -1, 0, 1, 3, 5)  # pixels: whose samples a pixel may share, along either axis
_FIT = np.float32(1e-5)  # squared colour left over at which a neighbour's explanation has lost most of its weight
_SMOOTHING = 1.5  # sigma in pixels
_DOUBT = np.float32(10)  # how fast confidence falls with the colour that an explanation leaves over


@dataclass(frozen=True)
class SharedMatte:
    """Alpha and the two colours that it mixes.

    Attributes:
        alpha: (H, W), 0..1; 1 and 0 where the trimap is certain.
        foreground: (H, W, 3), linear; the plate itself outside the unknown band.
        background: (H, W, 3), likewise.
    """

    alpha: FloatArray
    foreground: FloatArray
    background: FloatArray


@dataclass(frozen=True)
class _Mix:
    """One foreground and one background colour (3, N) for each of N pixels."""

    foreground: FloatArray
    background: FloatArray

    def explain(self, colour: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the alpha (N,) that comes nearest to `colour` (3, N), and the squared difference left over (N,)."""
        span = self.foreground - self.background
        offset = colour - self.background
        alpha = _dot(span, offset) / (_dot(span, span) + _GRAIN)
        alpha = np.clip(alpha, 0, 1)
        rest = offset - alpha * span
        return alpha, _dot(rest, rest)

    def contrast(self) -> FloatArray:
        """Distance (N,) of the two colours."""
        span = self.foreground - self.background
        return np.sqrt(_dot(span, span))


def shared_matte(plate: FloatArray, trimap: Trimap, prior: FloatArray, scale: float) -> SharedMatte:
    """Estimate alpha by sharing colour samples (Gastal and Oliveira, Shared Sampling for Alpha Matting, 2010).

    Differs from the paper in what it knows: the mask, as `prior`, takes the place of the guess from the
    shortest path, the nearest known pixels are always among the samples, and the background is sampled in depth.

    Args:
        plate: (H, W, 3), 0..1, linear light, in which colours mix as they do in a lens.
        trimap: with some foreground, some background and some unknown.
        prior: (H, W), 0..1, the alpha expected before the colours are looked at.
        scale: pixels per pixel of a plate 1920 wide.
    """
    band = trimap.unknown
    colours = np.ascontiguousarray(plate.reshape(-1, 3).T)
    here = colours[:, np.flatnonzero(band)]
    depths = tuple(depth * scale for depth in _BACKGROUND_DEPTHS)
    foreground = sample_pixels(trimap.foreground, band, ())
    background = sample_pixels(trimap.background, band, depths)
    mix = _gathered(colours, here, (foreground, background), prior[band])
    mix = _shared(here, mix, band)
    return _smoothed(plate, here, mix, trimap)


def _gathered(colours: FloatArray, here: FloatArray, samples: tuple[IndexArray, IndexArray], prior: FloatArray) -> _Mix:
    """Choose the best pair of samples for every pixel on its own (section 3.2 of the paper).

    The cost of a pair is the colour it leaves over times a power of how much its alpha contradicts the prior;
    the power leaves no say to a pair that fits by accident where the mask is sure.
    """
    count = here.shape[1]
    best = np.full(count, np.inf, np.float32)
    chosen = np.zeros((2, count), np.intp)
    # Relative to the pixel's own colour, half of the products below vanish and rounding stays small.
    fronts = [np.take(colours, index, axis=1) - here for index in samples[0]]
    for index in samples[1]:
        back = np.take(colours, index, axis=1) - here
        back_square = _dot(back, back)
        for front, front_index in zip(fronts, samples[0], strict=True):
            product = _dot(front, back)
            span = _dot(front, front) - 2 * product + back_square
            along = back_square - product
            alpha = np.clip(along / (span + _GRAIN), 0, 1)
            rest = np.maximum(back_square - 2 * alpha * along + alpha * alpha * span, 0) + _GRAIN
            doubt = prior + (1 - 2 * prior) * alpha + np.float32(1e-3)
            cost = rest * (doubt * doubt) ** 2 * doubt
            better = cost < best
            best = np.where(better, cost, best)
            chosen = np.where(better, np.stack([front_index, index]), chosen)
    return _Mix(np.take(colours, chosen[0], axis=1), np.take(colours, chosen[1], axis=1))


def _shared(here: FloatArray, mix: _Mix, band: BoolArray) -> _Mix:
    """Let every pixel adopt the explanations of its neighbourhood, the more the better they fit it (section 3.3).

    The paper averages the best three; weights do the same without a sort, and change smoothly with the plate.
    """
    y, x = np.nonzero(band)
    rim = max(_REACH)
    number = np.full((band.shape[0] + 2 * rim, band.shape[1] + 2 * rim), -1, np.intp)
    number[y + rim, x + rim] = np.arange(y.size)
    foreground, background = np.zeros_like(here), np.zeros_like(here)
    weights = np.zeros(y.size, np.float32)
    for dy in _REACH:
        for dx in _REACH:
            other = number[y + rim + dy, x + rim + dx]
            theirs = _Mix(np.take(mix.foreground, other, axis=1), np.take(mix.background, other, axis=1))
            _, rest = theirs.explain(here)
            fit = _FIT / (rest + _FIT)
            weight = np.where(other < 0, np.float32(0), fit * fit * fit)
            foreground += weight * theirs.foreground
            background += weight * theirs.background
            weights += weight
    return _Mix(foreground / weights, background / weights)


def _smoothed(plate: FloatArray, here: FloatArray, mix: _Mix, trimap: Trimap) -> SharedMatte:
    """Smooth the two colours and fall back on a smoothed alpha where they explain little (section 3.4)."""
    band = trimap.unknown
    alpha, rest = mix.explain(here)
    trust = np.exp(-_DOUBT * np.sqrt(rest))
    foreground = _spread(plate, mix.foreground, alpha * trust, trimap.foreground, band)
    background = _spread(plate, mix.background, (1 - alpha) * trust, trimap.background, band)
    smooth = _Mix(np.ascontiguousarray(foreground[band].T), np.ascontiguousarray(background[band].T))
    fine, rest = smooth.explain(here)
    confidence = np.exp(-_DOUBT * np.sqrt(rest)) * _kept_contrast(mix, smooth, alpha, band)
    matte = trimap.foreground.astype(np.float32)
    matte[band] = alpha
    matte[band] = confidence * fine + (1 - confidence) * _blurred(matte)[band]
    return SharedMatte(matte, foreground, background)


def _kept_contrast(mix: _Mix, smooth: _Mix, alpha: FloatArray, band: BoolArray) -> FloatArray:
    """How far apart the smoothed colours still are, as a share (N,) of what is usual where alpha is fractional."""
    weight, weighted = np.zeros(band.shape, np.float32), np.zeros(band.shape, np.float32)
    weight[band] = alpha * (1 - alpha) + np.float32(1e-3)
    weighted[band] = weight[band] * mix.contrast()
    usual = _blurred(weighted)[band] / np.maximum(_blurred(weight)[band], np.float32(1e-9))
    return np.asarray(np.minimum(1, smooth.contrast() / np.maximum(usual, np.float32(1e-6))), np.float32)


def _spread(
    plate: FloatArray, colour: FloatArray, weight: FloatArray, certain: BoolArray, band: BoolArray
) -> FloatArray:
    """Weighted local mean (H, W, 3), inside the band, of `colour` (3, N) there and of the plate where it is certain."""
    weights = certain.astype(np.float32)
    weights[band] = weight + np.float32(1e-5)
    total = np.where(certain[..., None], plate, 0).astype(np.float32)
    total[band] = (colour * weights[band]).T
    mean = _blurred(total) / np.maximum(_blurred(weights), np.float32(1e-9))[..., None]
    return np.where(band[..., None], mean, plate).astype(np.float32)


def _blurred(pixels: FloatArray) -> FloatArray:
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), _SMOOTHING), np.float32)


def _dot(one: FloatArray, other: FloatArray) -> FloatArray:
    """Dot product (N,) of colours (3, N)."""
    return np.asarray(one[0] * other[0] + one[1] * other[1] + one[2] * other[2], np.float32)
