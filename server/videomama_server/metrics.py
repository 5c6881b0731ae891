"""Measures how far an alpha is from the truth: MAD, MSE, GRAD and dtSSD, the only place that defines them.

The convention is that of the RobustVideoMatting high-resolution evaluation (Lin et al., 2021), on float alphas:
no 8-bit step, no normalisation before the gradient, and dtSSD averaged over the frame pairs that exist.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from videomama_client.errors import BadInput

FloatArray = NDArray[np.float32]

_SIGMA = 1.4
_RADIUS = 4  # where the Gaussian of sigma 1.4 falls below 1e-2


def mad(pred: FloatArray, truth: FloatArray) -> float:
    """Mean absolute difference of two alphas (H, W), 0..1, times 1e3."""
    pred, truth = _checked(pred, truth)
    return 1e3 * float(cv2.norm(pred, truth, cv2.NORM_L1)) / pred.size


def mse(pred: FloatArray, truth: FloatArray) -> float:
    """Mean squared difference of two alphas (H, W), 0..1, times 1e3."""
    pred, truth = _checked(pred, truth)
    return 1e3 * float(cv2.norm(pred, truth, cv2.NORM_L2SQR)) / pred.size


def grad(pred: FloatArray, truth: FloatArray) -> float:
    """Squared difference of the gradient magnitudes of two alphas (H, W), 0..1: a sum over pixels, divided by 1000.

    It grows with the picture size, so compare it only between pictures of one size. The gradient is the
    derivative of a Gaussian (sigma 1.4, 9 x 9, unit Frobenius norm, replicated border), after Rhemann et al., 2009.
    """
    pred, truth = _checked(pred, truth)
    return float(cv2.norm(_slope(pred), _slope(truth), cv2.NORM_L2SQR)) / 1e3


def dtssd(pred: FloatArray, truth: FloatArray, previous_pred: FloatArray, previous_truth: FloatArray) -> float:
    """Root mean square of the wrong change since the previous frame, times 1e2; four alphas (H, W), 0..1.

    A matte that is wrong in the same way on every frame scores 0, one that flickers does not (Erofeev et al., 2015).
    """
    error, previous = _error(pred, truth), _error(previous_pred, previous_truth)
    return _dtssd_of_errors(*_checked(error, previous))


@dataclass(frozen=True)
class MetricsResult:
    """Means over the frames of a clip, in the units of `mad`, `mse`, `grad` and `dtssd`; lower is better.

    Attributes:
        dtssd: mean over neighbouring frames, None when the clip has a single frame.
        frames: how many frames were measured.
    """

    mad: float
    mse: float
    grad: float
    dtssd: float | None
    frames: int


class ClipMetrics:
    """Accumulates the measures of a clip frame by frame, in memory that does not grow with its length."""

    def __init__(self) -> None:
        self._frames = 0
        self._mad = self._mse = self._grad = self._dtssd = 0.0
        self._previous_error: FloatArray | None = None

    def add(self, pred: FloatArray, truth: FloatArray) -> None:
        """Measure the next frame, in clip order.

        Args:
            pred: (H, W) float, 0..1, the alpha to judge.
            truth: (H, W) float, 0..1, the exact alpha.

        Raises:
            BadInput: the two differ in shape, from each other or from the frames before, or are not float (H, W).
        """
        error = _error(pred, truth)
        if self._previous_error is not None:
            self._dtssd += _dtssd_of_errors(*_checked(error, self._previous_error))
        self._mad += mad(pred, truth)
        self._mse += mse(pred, truth)
        self._grad += grad(pred, truth)
        self._previous_error = error
        self._frames += 1

    def result(self) -> MetricsResult:
        """Return the means over all frames added so far.

        Raises:
            BadInput: no frame was added.
        """
        count = self._frames
        if count == 0:
            raise BadInput("No frame was measured", "Check that the alpha and the truth share frame numbers.")
        pairs = count - 1
        return MetricsResult(
            mad=self._mad / count,
            mse=self._mse / count,
            grad=self._grad / count,
            dtssd=self._dtssd / pairs if pairs else None,
            frames=count,
        )


def _checked(pred: FloatArray, truth: FloatArray) -> tuple[FloatArray, FloatArray]:
    if pred.shape != truth.shape or pred.ndim != 2 or pred.size == 0:
        raise BadInput(
            f"Cannot compare an alpha of shape {pred.shape} with a truth of shape {truth.shape}",
            "Both must be (height, width), of the same size on every frame.",
        )
    if pred.dtype.kind != "f" or truth.dtype.kind != "f":
        raise BadInput(
            f"Cannot compare alphas of type {pred.dtype} and {truth.dtype}", "Convert both to float in 0..1 first."
        )
    return pred.astype(np.float32, copy=False), truth.astype(np.float32, copy=False)


def _error(pred: FloatArray, truth: FloatArray) -> FloatArray:
    pred, truth = _checked(pred, truth)
    return pred - truth


def _dtssd_of_errors(error: FloatArray, previous: FloatArray) -> float:
    # (p1 - p0) - (t1 - t0) is (p1 - t1) - (p0 - t0): one array to remember instead of two.
    return 1e2 * math.sqrt(float(cv2.norm(error, previous, cv2.NORM_L2SQR)) / error.size)


def _slope(alpha: FloatArray) -> FloatArray:
    """Gradient magnitude (H, W); the 9 x 9 kernel is an outer product, so it is applied as two 1-D passes."""
    offset = np.arange(-_RADIUS, _RADIUS + 1, dtype=np.float64)
    bell = np.exp(-(offset**2) / (2 * _SIGMA**2))
    ramp = -offset * bell
    # The Frobenius norm of an outer product is the product of the norms, so constant factors fall out here.
    bell /= np.linalg.norm(bell)
    ramp /= np.linalg.norm(ramp)
    across = cv2.sepFilter2D(alpha, cv2.CV_32F, ramp, bell, borderType=cv2.BORDER_REPLICATE)
    down = cv2.sepFilter2D(alpha, cv2.CV_32F, bell, ramp, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.magnitude(across, down), np.float32)
