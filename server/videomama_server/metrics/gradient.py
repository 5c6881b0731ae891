"""GRAD: how far the slopes of two alphas are apart."""

from __future__ import annotations

import cv2
import numpy as np

from videomama_server.arrays import FloatArray
from videomama_server.metrics.inputs import checked

_SIGMA = 1.4
_RADIUS = 4  # where the Gaussian of sigma 1.4 falls below 1e-2


def grad(pred: FloatArray, truth: FloatArray, *, normalise: bool = False, border: int = cv2.BORDER_REPLICATE) -> float:
    """Squared difference of the gradient magnitudes of two alphas (H, W), 0..1: a sum over pixels, divided by 1000.

    It grows with the picture size, so compare it only between pictures of one size. The gradient is the
    derivative of a Gaussian (sigma 1.4, 9 x 9, unit Frobenius norm), after Rhemann et al., 2009.

    Args:
        pred: the alpha to judge.
        truth: the exact alpha.
        normalise: first stretch each of the two to 0..1, as most evaluations of small pictures do. A flat alpha
            becomes 0 then, also one that is 1 everywhere.
        border: what OpenCV is to take for pixels beyond the picture.
    """
    pred, truth = checked(pred, truth)
    if normalise:
        pred, truth = _stretched(pred), _stretched(truth)
    return float(cv2.norm(_slope(pred, border), _slope(truth, border), cv2.NORM_L2SQR)) / 1e3


def _stretched(alpha: FloatArray) -> FloatArray:
    low, high = float(alpha.min()), float(alpha.max())
    if low == high:
        return np.zeros_like(alpha)
    stretched: FloatArray = (alpha - np.float32(low)) / np.float32(high - low)
    return stretched


def _slope(alpha: FloatArray, border: int) -> FloatArray:
    """Gradient magnitude (H, W); the 9 x 9 kernel is an outer product, so it is applied as two 1-D passes."""
    offset = np.arange(-_RADIUS, _RADIUS + 1, dtype=np.float64)
    bell = np.exp(-(offset**2) / (2 * _SIGMA**2))
    ramp = -offset * bell
    # The Frobenius norm of an outer product is the product of the norms, so constant factors fall out here.
    bell /= np.linalg.norm(bell)
    ramp /= np.linalg.norm(ramp)
    across = cv2.sepFilter2D(alpha, cv2.CV_32F, ramp, bell, borderType=border)
    down = cv2.sepFilter2D(alpha, cv2.CV_32F, bell, ramp, borderType=border)
    return np.asarray(cv2.magnitude(across, down), np.float32)
