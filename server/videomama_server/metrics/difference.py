"""Measures of one frame, pixel against pixel: MAD, MSE and SAD of alphas, MAD and MSE of foreground colour."""

from __future__ import annotations

import cv2
import numpy as np
from videomama_client.errors import BadInput

from videomama_server.arrays import FloatArray
from videomama_server.metrics.inputs import as_float, checked


def mad(pred: FloatArray, truth: FloatArray) -> float:
    """Mean absolute difference of two alphas (H, W), 0..1, times 1e3.

    Example:
        >>> mad(np.full((4, 4), 0.5, np.float32), np.ones((4, 4), np.float32))
        500.0
    """
    pred, truth = checked(pred, truth)
    return 1e3 * float(cv2.norm(pred, truth, cv2.NORM_L1)) / pred.size


def mse(pred: FloatArray, truth: FloatArray) -> float:
    """Mean squared difference of two alphas (H, W), 0..1, times 1e3.

    Example:
        >>> mse(np.full((4, 4), 0.5, np.float32), np.ones((4, 4), np.float32))
        250.0
    """
    pred, truth = checked(pred, truth)
    return 1e3 * float(cv2.norm(pred, truth, cv2.NORM_L2SQR)) / pred.size


def sad(pred: FloatArray, truth: FloatArray) -> float:
    """Sum of absolute differences of two alphas (H, W), 0..1, divided by 1000; it grows with the picture size.

    Example:
        >>> sad(np.full((4, 4), 0.5, np.float32), np.ones((4, 4), np.float32))
        0.008
    """
    pred, truth = checked(pred, truth)
    return float(cv2.norm(pred, truth, cv2.NORM_L1)) / 1e3


def foreground_mad(pred: FloatArray, truth: FloatArray, true_alpha: FloatArray) -> float | None:
    """Mean absolute difference of two colours (H, W, 3) where the true alpha (H, W) is above 0, times 1e3.

    Published figures are of display-referred colour in 0..1; of scene-linear colour the figure is in its units.
    None when the true alpha is 0 everywhere.
    """
    error = _colour_error(pred, truth, true_alpha)
    return 1e3 * float(np.abs(error).mean(dtype=np.float64)) if error.size else None


def foreground_mse(pred: FloatArray, truth: FloatArray, true_alpha: FloatArray) -> float | None:
    """Mean squared difference of two colours, times 1e3; see `foreground_mad`."""
    error = _colour_error(pred, truth, true_alpha)
    return 1e3 * float(np.square(error, dtype=np.float64).mean()) if error.size else None


def _colour_error(pred: FloatArray, truth: FloatArray, true_alpha: FloatArray) -> FloatArray:
    """Return what differs, (N, 3), in the pixels that have a foreground."""
    if pred.shape != truth.shape or pred.shape != (*true_alpha.shape, 3):
        raise BadInput(
            f"Cannot compare a foreground of shape {pred.shape} with one of shape {truth.shape} "
            f"under an alpha of shape {true_alpha.shape}",
            "Both must be (height, width, 3), of the alpha's size.",
        )
    covered = true_alpha > 0
    error: FloatArray = as_float(pred)[covered] - as_float(truth)[covered]
    return error
