"""Says where colour can tell foreground from background, and elsewhere puts a safer alpha in place of a sharp guess."""

from __future__ import annotations

import cv2
import numpy as np

from videomama_server.arrays import BoolArray, FloatArray
from videomama_server.engines.classic.shared import SharedMatte
from videomama_server.media.srgb import to_display

_ALIKE = 0.03  # display-referred distance of two colours under which a mix of them says nothing
_CLEAR = 0.13  # and from which it says all
_SPREAD = 6.0  # pixels of a plate 1920 wide


def separability(matte: SharedMatte, band: BoolArray, scale: float) -> FloatArray:
    """Return (H, W), 0..1: 1 where a matte's two colours are far apart, 0 where they are alike.

    Args:
        matte: with its colours.
        band: (H, W), where it has two: elsewhere both are the plate's.
        scale: pixels per pixel of a plate 1920 wide.
    """
    apart = to_display(matte.foreground[band]) - to_display(matte.background[band])
    distance = np.sqrt(np.einsum("nc,nc->n", apart, apart))
    clear = np.zeros(band.shape, np.float32)
    clear[band] = np.clip((distance - _ALIKE) / (_CLEAR - _ALIKE), 0, 1)
    return around(clear, scale)


def blended(matte: SharedMatte, safe: FloatArray, clear: FloatArray) -> FloatArray:
    """Return alpha (H, W), 0..1: the matte's as far as colours are `clear` (H, W), else `safe` (H, W).

    Sampling is the sharpest method where colours differ and worse than the mask where they do not.
    """
    return np.asarray(safe + clear * (matte.alpha - safe), np.float32)


def around(pixels: FloatArray, scale: float) -> FloatArray:
    """Return the mean (H, W) of some evidence (H, W) around every pixel: a single one says little."""
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), _SPREAD * scale), np.float32)
