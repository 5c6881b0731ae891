"""Says how much each estimate of an alpha counts, pixel by pixel, by what it explains and by what colours tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from videomama_server.arrays import BoolArray, FloatArray
from videomama_server.engines.classic.likeness import sufficient
from videomama_server.engines.classic.separability import around
from videomama_server.engines.classic.shared import SharedMatte
from videomama_server.media.srgb import to_display

# Display-referred colour that a mix of two samples leaves over: where it explains the plate, and where not at all.
_EXPLAINED, _UNEXPLAINED = 0.01, 0.1
_ALIKE = np.float32(0.02)  # difference of two alphas below which they agree
_MOST = np.float32(0.6)  # share of closed form
_EVEN = np.float32(0.5)  # its share where colours are alike, and sampling says no more than the mask
_LEAST = np.float32(1e-6)  # keeps a logarithm finite
# How far colours tell the sides apart: where nothing but the mask counts, and from where on the solvers do as usual.
_MASK_ALONE, _BENT_MASK = 0.4, 0.7
_BENT_MASK_ALONE, _SOLVERS = 0.4, 0.68
_USUAL, _USUAL_SLACK = (
    0.25,
    10.0,
)  # share of the bent mask where the mask is exact, and the slack from which it has none
# Weight of the bent mask in closed form: usually, and at most, in a small plate.
_PULL, _MOST_PULL = 0.01, 0.15
_FIRM_SLACK, _LOOSE_SLACK = 8.0, 16.0  # up to which a small plate has that much, and from which no more than usual
_FLAT, _TEXTURED = 0.006, 0.012  # colour left over: texture that can feign alpha is there, or not


@dataclass(frozen=True)
class Estimates:
    """What three methods say of one alpha, each (H, W), 0..1.

    Attributes:
        safe: the mask, bent to the edges of the plate.
        sampled: by colour sampling.
        spread: by closed form.
    """

    safe: FloatArray
    sampled: FloatArray
    spread: FloatArray


def share_of_spread(found: Estimates, left_over: FloatArray, clear: FloatArray, scale: float) -> FloatArray:
    """Return how much closed form counts (H, W), 0..1; sampling has the rest.

    The more, the more colour sampling leaves unexplained and the nearer closed form is, of the two, to the bent mask:
    texture of the background leads closed form astray, and a mask that is too small leads sampling astray. Where the
    colours of both sides are alike, both count the same.

    Args:
        found: by the three methods.
        left_over: (H, W), as of `unexplained`.
        clear: (H, W), 0..1, how far colours tell the sides apart.
        scale: pixels per pixel of a plate 1920 wide.
    """
    doubt = np.log((left_over + _LEAST) / np.float32(_EXPLAINED)) / np.log(np.float32(_UNEXPLAINED / _EXPLAINED))
    of_sampled = around(np.abs(found.safe - found.sampled), scale)
    of_spread = around(np.abs(found.safe - found.spread), scale)
    nearer = (of_sampled + _ALIKE) / (of_sampled + of_spread + _ALIKE)
    told = np.minimum(np.clip(doubt, 0, 1) * nearer, _MOST)
    square = clear * clear
    sure = square * square  # unless they are clearly apart, sampling says little more than the mask
    return np.asarray(_EVEN + sure * (told - _EVEN), np.float32)


def evidence(told: FloatArray, left_over: FloatArray, slack: float) -> FloatArray:
    """Return how much the plate may say against a mask, (H, W), by what its colours tell.

    A mask that is said to be exact is believed. One that may be off is doubted all the more, and where there is no
    texture that could lead the solvers astray.

    Args:
        told: (H, W), as of `likeness.told`.
        left_over: (H, W), as of `unexplained`.
        slack: how far the mask's outline may be off, pixels at 1920 wide.
    """
    flat = 1 - _ramp(left_over, _FLAT, _TEXTURED) if slack else np.float32(0)
    return np.asarray(np.maximum(sufficient(told, slack), flat), np.float32)


def share_of_mask(enough: FloatArray, slack: float) -> FloatArray:
    """Return how much the bent mask counts (H, W), 0..1, beside the solvers; `enough` as of `evidence`."""
    usual = max(0.0, _USUAL * (1 - slack / _USUAL_SLACK))
    return np.asarray(1 - (1 - usual) * _ramp(enough, _BENT_MASK_ALONE, _SOLVERS), np.float32)


def pull_of_mask(slack: float, scale: float) -> float:
    """Return how much the bent mask weighs in closed form.

    Alpha leaks over a number of pixels, so over more of a small picture; there the mask weighs more. One that may be
    far off does not: it would take away the strands that it has lost.

    Args:
        slack: how far the mask's outline may be off, pixels at 1920 wide.
        scale: pixels per pixel of a plate 1920 wide.
    """
    firm = min(max((_LOOSE_SLACK - slack) / (_LOOSE_SLACK - _FIRM_SLACK), 0.0), 1.0)
    return _PULL + firm * (min(max(_PULL / scale**2, _PULL), _MOST_PULL) - _PULL)


def share_of_bending(enough: FloatArray) -> FloatArray:
    """Return how much (H, W), 0..1, the mask may be bent to the edges of the plate."""
    return _ramp(enough, _MASK_ALONE, _BENT_MASK)


def unexplained(plate: FloatArray, matte: SharedMatte, band: BoolArray, scale: float) -> FloatArray:
    """Return the colour (H, W), display-referred, that a mix by a matte leaves over around every pixel.

    Args:
        plate: (H, W, 3), 0..1, display-referred.
        matte: its alpha and colours.
        band: (H, W), where it mixes two.
        scale: pixels per pixel of a plate 1920 wide.
    """
    alpha = matte.alpha[band][:, None]
    mix = alpha * matte.foreground[band] + (1 - alpha) * matte.background[band]
    rest = to_display(np.clip(mix, 0, 1)) - plate[band]
    amount = np.zeros(band.shape, np.float32)
    amount[band] = np.sqrt(np.einsum("nc,nc->n", rest, rest))
    return around(amount, scale)


def _ramp(amount: FloatArray, none: float, full: float) -> FloatArray:
    return np.asarray(np.clip((amount - none) / (full - none), 0, 1), np.float32)
