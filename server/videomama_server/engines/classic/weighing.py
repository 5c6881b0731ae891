"""Weighs the estimates of one alpha, pixel by pixel, by what was learned on generated clips.

A network of three small layers, in numpy. `bench/learned_weights.py` made its numbers, which lie beside this module;
the clips that it learned from are in no suite.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from videomama_server.arrays import BoolArray, FloatArray
from videomama_server.distances import distance_to, signed_depth
from videomama_server.engines.classic.trimap import Trimap

# All lengths are in pixels of a plate 1920 wide.
_AROUND = 24.0  # half the width of the window of means
_FINE = 4.0  # sigma of what is no texture
_SOFT = 6.0  # sigma of a mask's outline
_FAR = 40.0  # a distance that counts as 1
_DOUBT = np.float32(0.02)  # no estimate is more certain of an unknown pixel than this
_MOST = np.float32(0.3)  # that the result may lie beside any mix of the estimates
_BLOCK = 1 << 14  # pixels weighed at a time
_LIMIT = np.float32(4)  # standard deviations that a clue counts at most
_CLOSE = 12.0  # slack, up to which what was learned has more of a say; for masks further off it gained nothing
_MORE, _HALF = np.float32(0.65), np.float32(0.5)  # share of what was learned beside the pool; all made some far worse
_FILE = Path(__file__).with_name("weighing.npz")


@dataclass(frozen=True)
class Known:
    """What is known of a frame whose alpha was estimated.

    Attributes:
        plate: (H, W, 3), 0..1, display-referred.
        mask: (H, W), 0..1, its outline corrected.
        trimap: of that mask.
        left_over: (H, W), as of `evidence.unexplained`.
        clear: (H, W), as of `separability`.
        enough: (H, W), as of `evidence.evidence`.
        scale: pixels per pixel of a plate 1920 wide.
        slack: how far the mask's outline may be off, pixels at 1920 wide.
    """

    plate: FloatArray
    mask: FloatArray
    trimap: Trimap
    left_over: FloatArray
    clear: FloatArray
    enough: FloatArray
    scale: float
    slack: float


@dataclass(frozen=True)
class Estimated:
    """Estimates of one alpha, each (H, W), 0..1: by sampling, by closed form, of the bent mask, and pooled by rule."""

    sampled: FloatArray
    spread: FloatArray
    firm: FloatArray
    pooled: FloatArray

    def inside(self, band: BoolArray) -> FloatArray:
        """Return the four of the N pixels of a band (H, W), (4, N)."""
        return np.stack([self.sampled[band], self.spread[band], self.firm[band], self.pooled[band]])


def clues(known: Known, found: Estimated, safe: FloatArray) -> FloatArray:
    """Return what the weights follow from, (C, N), of the N unknown pixels.

    Args:
        known: of the frame.
        found: the estimates.
        safe: (H, W), 0..1, the mask bent to the edges of the plate.
    """
    scale, band, trimap = known.scale, known.trimap.unknown, known.trimap
    side = 2 * max(1, round(_AROUND * scale)) + 1

    def mean(pixels: FloatArray) -> FloatArray:
        return np.asarray(cv2.blur(pixels, (side, side), borderType=cv2.BORDER_REFLECT), np.float32)

    sampled, spread, firm, pooled = found.sampled, found.spread, found.firm, found.pooled
    colour = np.asarray(cv2.cvtColor(known.plate, cv2.COLOR_RGB2Lab), np.float32)
    smooth = cv2.GaussianBlur(colour, (0, 0), max(1.2, _FINE * scale))
    across, down = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    rest = colour - smooth
    subject = known.mask >= 0.5
    outline = np.asarray(cv2.GaussianBlur(known.mask, (0, 0), max(1.0, _SOFT * scale)), np.float32)
    uncertain = mean(pooled * (1 - pooled) * 4)
    planes = [
        *(_odds(estimate) for estimate in (sampled, spread, firm, pooled, trimap.hold(safe), outline)),
        np.log(known.left_over + np.float32(1e-3)) / 2 + 2,
        known.clear,
        np.minimum(known.enough, 2),
        np.clip(_depth(subject) / (_FAR / 2 * scale), -4, 4),
        np.minimum(distance_to(trimap.foreground) / (_FAR * scale), 3),
        np.minimum(distance_to(trimap.background) / (_FAR * scale), 3),
        *(mean(np.abs(one - other)) for one, other in ((sampled, spread), (sampled, firm), (spread, firm))),
        mean(sampled),
        mean(spread),
        uncertain,
        np.sqrt((across * across + down * down).sum(axis=2)) / 8,
        np.sqrt(mean(np.einsum("hwc,hwc->hw", rest, rest))) / 10,
        colour[..., 0] / 100,
    ]
    slack = np.full(int(band.sum()), known.slack / 32, np.float32)
    return np.stack([*(np.asarray(plane, np.float32)[band] for plane in planes), slack])


def _odds(alpha: FloatArray) -> FloatArray:
    held = np.clip(alpha, _DOUBT, 1 - _DOUBT)
    return np.asarray(np.log(held / (1 - held)) / 4, np.float32)


def _depth(subject: BoolArray) -> FloatArray:
    return np.zeros(subject.shape, np.float32) if subject.all() or not subject.any() else signed_depth(subject)


@dataclass(frozen=True)
class Layers:
    """What was learned: the usual clues, and weights and offsets of the three layers.

    Attributes:
        mean, spread: (C,), of each clue.
        weights: (C, H), (H, H) and (H, 5).
        offsets: (H,), (H,) and (5,).
    """

    mean: FloatArray
    spread: FloatArray
    weights: tuple[FloatArray, ...]
    offsets: tuple[FloatArray, ...]

    def of(self, given: FloatArray) -> FloatArray:
        """Return what follows from clues (C, N): (5, N)."""
        values = np.clip((given - self.mean[:, None]) / self.spread[:, None], -_LIMIT, _LIMIT)
        for number, (weight, offset) in enumerate(zip(self.weights, self.offsets, strict=True)):
            if number:
                values = np.maximum(values, 0)
            # Not by a BLAS: the number of its threads would show in the last bits.
            values = np.einsum("in,io->on", values, weight) + offset[:, None]
        return np.asarray(values, np.float32)


@cache
def learned() -> Layers:
    """Return what was learned, from its file."""
    with np.load(_FILE, allow_pickle=False) as kept:
        named = {name: kept[name].astype(np.float32) for name in kept.files}
    weights, offsets = (tuple(named[f"{kind}{layer}"] for layer in range(3)) for kind in ("weight", "offset"))
    return Layers(named["mean"], named["spread"], weights, offsets)


def weighed(known: Known, found: Estimated, safe: FloatArray, told: FloatArray) -> FloatArray:
    """Return alpha (H, W), 0..1: the pool, moved towards the estimates weighed by what was learned.

    Args:
        known, found, safe: as for `clues`.
        told: (H, W), 0..1, how far colours tell the sides apart. Where they do not, what was learned has no say.
    """
    band = known.trimap.unknown
    given, estimates, layers = clues(known, found, safe), found.inside(band), learned()
    mixed = np.empty(estimates.shape[1], np.float32)
    for first in range(0, mixed.size, _BLOCK):
        block = slice(first, first + _BLOCK)
        mixed[block] = _mix(layers.of(given[:, block]), estimates[:, block])
    alpha = found.pooled.copy()
    trust = _MORE if known.slack <= _CLOSE else _HALF
    alpha[band] += trust * told[band] * (mixed - alpha[band])
    return alpha


def _mix(answer: FloatArray, estimates: FloatArray) -> FloatArray:
    """Return alpha (N,), 0..1: estimates (4, N) mixed as an answer (5, N) says, whose last row is what lies beside."""
    share = np.exp(answer[:-1] - answer[:-1].max(axis=0))
    mixed = (share * estimates).sum(axis=0) / share.sum(axis=0) + _MOST * np.tanh(answer[-1])
    return np.asarray(np.clip((mixed - _DOUBT) / (1 - 2 * _DOUBT), 0, 1), np.float32)
