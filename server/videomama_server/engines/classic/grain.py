"""Smooths the grain of a plate, as strong as it is: no method that looks at single pixels can tell it from detail."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from videomama_server.arrays import FloatArray
from videomama_server.media.reduction import averaged, reduced_size

UNSEEN = 0.006  # standard deviation of grain, display-referred, up to which it does no harm
_SMOOTHING = 110.0  # sigma in pixels for each unit of grain above that
_MOST_SMOOTHING = 1.0  # sigma in pixels: more costs strands where they stand out from it
_LEAST_SMOOTHING = 0.3  # sigma in pixels, below which a blur changes nothing
_BLOCK = 16  # pixels a side
_FLATTEST = 0.25  # quantile of the blocks: grain is everywhere, texture is not
_OF_MEAN = 1.2533  # standard deviation of a normal distribution, of its mean distance from 0
_CURVATURE = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / 6


@dataclass(frozen=True)
class GrainyPlate:
    """A plate as it is, and smoothed by its grain once somebody asks for that.

    Attributes:
        pixels: (H, W, 3), 0..1, display-referred.
    """

    pixels: FloatArray

    @cached_property
    def smooth(self) -> FloatArray:
        """(H, W, 3), for what takes grain for detail: closed form, motion, and what bends masks and bands."""
        return without_grain(self.pixels, _MOST_SMOOTHING)


def without_grain(plate: FloatArray, most: float) -> FloatArray:
    """Return a plate (H, W, 3), 0..1, display-referred, smoothed by its grain; itself where it has little.

    Args:
        plate: (H, W, 3).
        most: sigma in pixels of the strongest smoothing.
    """
    return smoothed(plate, grain_of(plate), most)


def smoothed(plate: FloatArray, grain: float, most: float) -> FloatArray:
    """Return what `without_grain` does of a plate whose grain is known."""
    sigma = min((grain - UNSEEN) * _SMOOTHING, most)
    return plate if sigma < _LEAST_SMOOTHING else np.asarray(cv2.GaussianBlur(plate, (0, 0), sigma), np.float32)


def grain_of(plate: FloatArray) -> float:
    """Return the standard deviation of the grain of each channel of a plate (H, W, 3).

    By differences of channels, which have little texture of their own, and the curvature of these in the flatter blocks
    of the plate, where texture that is there counts little (after Immerkaer, Fast Noise Variance Estimation, 1996).
    """
    chroma = (plate[..., 0] - plate[..., 1], plate[..., 1] - plate[..., 2])
    size = reduced_size((plate.shape[0], plate.shape[1]), 1 / _BLOCK)
    blocks = [averaged(np.abs(cv2.filter2D(of, -1, _CURVATURE)), size) for of in chroma]
    return min(float(np.quantile(of, _FLATTEST)) * _OF_MEAN for of in blocks) / 2**0.5
