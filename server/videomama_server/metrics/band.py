"""MAD-T: the error inside the band where the true alpha is neither surely 0 nor surely 1."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from videomama_server.arrays import FloatArray
from videomama_server.metrics.inputs import as_float, checked

KERNEL = 25  # pixels: diameter of the ellipse in MaGGIe's evaluation trimap
_STEP = np.float32(1 / 255)  # what an 8-bit truth cannot hold is no transparency


def mad_t(pred: FloatArray, truth: FloatArray, k: int = KERNEL) -> float | None:
    """Mean absolute difference of two alphas (H, W), 0..1, within `unknown_band`, times 1e3; None for no band.

    This is our definition: tables with a column of this name are published without one. Theirs were very
    probably made in the same way with k = 25.
    """
    pred, truth = checked(pred, truth)
    band = unknown_band(truth, k)
    return 1e3 * float(np.abs(pred[band] - truth[band]).mean(dtype=np.float64)) if band.any() else None


def unknown_band(truth: FloatArray, k: int = KERNEL) -> NDArray[np.bool_]:
    """Return (H, W): where the true alpha differs within an ellipse of `k` by `k` pixels about the pixel.

    Alpha up to 1/255 counts as 0, from 254/255 as 1, so that the tails of float alphas do not widen the band.
    A region whose alpha is the same all over is in no band, also where it is half transparent.
    """
    alpha = snapped(as_float(truth))
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (k, k))
    band: NDArray[np.bool_] = np.asarray(cv2.dilate(alpha, ellipse)) > np.asarray(cv2.erode(alpha, ellipse))
    return band


def snapped(alpha: FloatArray) -> FloatArray:
    """Return `alpha` with what is within 1/255 of 0 or 1 put there."""
    alpha = np.where(alpha <= _STEP, np.float32(0), alpha)
    return np.where(alpha >= 1 - _STEP, np.float32(1), alpha)
