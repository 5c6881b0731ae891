"""Shared matting: explains every colour of the unknown band as a mix of one foreground and one background sample."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from videomama_server.arrays import BoolArray, FloatArray
from videomama_server.engines.classic.sampling import IndexArray, surroundings
from videomama_server.engines.classic.trimap import Trimap

# Background has texture that the border of the band does not show: look behind it too (pixels of a plate 1920 wide).
_BACKGROUND_DEPTHS = (8.0, 24.0, 56.0, 120.0)
_GRAIN = np.float32(1e-4)  # squared linear colour difference below which two explanations are equally good
_REACH = (-5, -2, 0, 2, 5)  # pixels: whose samples a pixel may share, along either axis
_FIT = np.float32(1e-5)  # squared colour left over at which a neighbour's explanation has lost most of its weight
_SMOOTHING = 1.5  # sigma in pixels
_DOUBT = np.float32(10)  # how fast confidence falls with the colour that an explanation leaves over
_BLOCK = 1 << 16  # pixels explained at a time: as many as stay in the processor's cache


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
    here = np.take(colours, np.flatnonzero(band), axis=1)
    depths = tuple(depth * scale for depth in _BACKGROUND_DEPTHS)
    mix = _gathered(colours, here, trimap, prior[band], depths)
    mix = _shared(here, mix, band)
    return _smoothed(plate, here, mix, trimap)


def _gathered(
    colours: FloatArray, here: FloatArray, trimap: Trimap, prior: FloatArray, depths: tuple[float, ...]
) -> _Mix:
    """Choose the best pair of samples for every pixel on its own (section 3.2 of the paper)."""
    y, x = np.nonzero(trimap.unknown)
    fronts, backs = surroundings(trimap.foreground), surroundings(trimap.background)
    mix = _Mix(np.empty_like(here), np.empty_like(here))
    for block in _blocks(y.size):
        front, back = fronts.samples(y[block], x[block], ()), backs.samples(y[block], x[block], depths)
        pair = _best_pair(colours, here[:, block], (front, back), prior[block])
        place = np.arange(pair.size)
        mix.foreground[:, block] = np.take(colours, front[pair % len(front), place], axis=1)
        mix.background[:, block] = np.take(colours, back[pair // len(front), place], axis=1)
    return mix


def _best_pair(
    colours: FloatArray, here: FloatArray, samples: tuple[IndexArray, IndexArray], prior: FloatArray
) -> IndexArray:
    """Return which pair (N,) of samples explains each of N pixels best, counted background by background.

    The cost of a pair is the colour it leaves over times a power of how much its alpha contradicts the prior;
    the power leaves no say to a pair that fits by accident where the mask is sure.
    """
    least = np.full(here.shape[1], np.inf, np.float32)
    best = np.zeros(here.shape[1], np.intp)
    # Relative to the pixel's own colour, half of the products below vanish and rounding stays small.
    fronts = [np.take(colours, index, axis=1) - here for index in samples[0]]
    front_squares = [_dot(front, front) for front in fronts]
    agreement, turn = prior + np.float32(1e-3), 1 - 2 * prior
    pair = 0
    for index in samples[1]:
        back = np.take(colours, index, axis=1) - here
        back_square = _dot(back, back)
        for front, front_square in zip(fronts, front_squares, strict=True):
            product = _dot(front, back)
            along = back_square - product
            span = front_square - product + along
            alpha = np.clip(along / (span + _GRAIN), 0, 1)
            rest = np.maximum(back_square - alpha * (2 * along - alpha * span), 0) + _GRAIN
            doubt = agreement + turn * alpha
            square = doubt * doubt
            cost = rest * square * square * doubt
            better = cost < least
            np.copyto(least, cost, where=better)
            np.copyto(best, pair, where=better)
            pair += 1
    return best


def _shared(here: FloatArray, mix: _Mix, band: BoolArray) -> _Mix:
    """Let every pixel adopt the explanations of its neighbourhood, the more the better they fit it (section 3.3).

    The paper averages the best three; weights do the same without a sort, and change smoothly with the plate.
    """
    y, x = np.nonzero(band)
    rim = max(_REACH)
    number = np.full((band.shape[0] + 2 * rim, band.shape[1] + 2 * rim), -1, np.intp)
    number[y + rim, x + rim] = np.arange(y.size)
    place = (y + rim) * number.shape[1] + x + rim
    shared = _Mix(np.empty_like(here), np.empty_like(here))
    for block in _blocks(y.size):
        own = here[:, block]
        foreground, background = np.zeros_like(own), np.zeros_like(own)
        weights = np.zeros(own.shape[1], np.float32)
        for reach in np.add.outer(np.multiply(_REACH, number.shape[1]), _REACH).ravel():
            other = np.take(number, place[block] + reach)
            theirs = _Mix(np.take(mix.foreground, other, axis=1), np.take(mix.background, other, axis=1))
            _, rest = theirs.explain(own)
            fit = _FIT / (rest + _FIT)
            weight = np.where(other < 0, np.float32(0), fit * fit * fit)
            foreground += weight * theirs.foreground
            background += weight * theirs.background
            weights += weight
        shared.foreground[:, block], shared.background[:, block] = foreground / weights, background / weights
    return shared


def _blocks(count: int) -> Iterator[slice]:
    return (slice(first, first + _BLOCK) for first in range(0, count, _BLOCK))


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
