"""Says where colour can tell foreground from background, and elsewhere puts a safer alpha in place of a sharp guess."""

from __future__ import annotations

import cv2
import numpy as np

from videomama_server.arrays import FloatArray
from videomama_server.engines.classic.shared import SharedMatte
from videomama_server.media.srgb import to_display

_ALIKE = 0.03  # display-referred distance of two colours under which a mix of them says nothing
_CLEAR = 0.13  # and from which it says all
_SPREAD = 6.0  # pixels of a plate 1920 wide


def blended(matte: SharedMatte, safe: FloatArray, scale: float) -> FloatArray:
    """Return alpha (H, W), 0..1: the matte's where its two colours are far apart, `safe` (H, W) where they are alike.

    Sampling is the sharpest method where colours differ and worse than the mask where they do not.
    """
    apart = to_display(matte.foreground) - to_display(matte.background)
    distance = np.sqrt(np.einsum("hwc,hwc->hw", apart, apart))
    weight = np.clip((distance - _ALIKE) / (_CLEAR - _ALIKE), 0, 1).astype(np.float32)
    weight = np.asarray(cv2.GaussianBlur(weight, (0, 0), _SPREAD * scale), np.float32)
    return np.asarray(weight * matte.alpha + (1 - weight) * safe, np.float32)
