"""Measures of two neighbouring frames against the truth: dtSSD and MESSDdt."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from videomama_server.arrays import FloatArray
from videomama_server.metrics.inputs import checked


def dtssd(pred: FloatArray, truth: FloatArray, previous_pred: FloatArray, previous_truth: FloatArray) -> float:
    """Root mean square of the wrong change since the previous frame, times 1e2; four alphas (H, W), 0..1.

    A matte that is wrong in the same way on every frame scores 0, one that flickers does not (Erofeev et al., 2015).
    """
    # (p1 - p0) - (t1 - t0) is (p1 - t1) - (p0 - t0).
    error, previous = checked(_error(pred, truth), _error(previous_pred, previous_truth))
    return 1e2 * math.sqrt(float(cv2.norm(error, previous, cv2.NORM_L2SQR)) / error.size)


def messddt(pred: FloatArray, truth: FloatArray, previous_pred: FloatArray, previous_truth: FloatArray) -> float:
    """How much the squared error changes along the truth's motion, averaged and times 1e4; four alphas (H, W), 0..1.

    Each pixel of the previous frame is followed to this one by the optical flow (Farnebäck, 2003) of the true alphas,
    rounded to whole pixels and kept inside the picture. The definition is Erofeev et al.'s (2015) with the
    parameters that MaGGIe's evaluation uses, on float alphas, each frame followed into the one after it.
    """
    error, previous = checked(_error(pred, truth), _error(previous_pred, previous_truth))
    rows, columns = _followed(*checked(previous_truth, truth))
    drifted: FloatArray = np.abs(np.square(previous) - np.square(error)[rows, columns])
    return 1e4 * float(drifted.sum(dtype=np.float64)) / (drifted.size + 1)  # the 1 is part of the definition


def _error(pred: FloatArray, truth: FloatArray) -> FloatArray:
    pred, truth = checked(pred, truth)
    error: FloatArray = pred - truth
    return error


def _followed(start: FloatArray, end: FloatArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return in which row and in which column of `end` each pixel of `start` is found, both (H, W)."""
    height, width = start.shape
    flow = cv2.calcOpticalFlowFarneback(
        start * np.float32(255),
        end * np.float32(255),
        np.empty((height, width, 2), np.float32),
        pyr_scale=0.5,
        levels=5,
        winsize=10,
        iterations=2,
        poly_n=7,
        poly_sigma=1.5,
        flags=cv2.OPTFLOW_FARNEBACK_GAUSSIAN,
    )
    step = np.rint(np.asarray(flow)).astype(np.int64)
    rows = np.clip(np.arange(height)[:, None] + step[..., 1], 0, height - 1)
    columns = np.clip(np.arange(width)[None, :] + step[..., 0], 0, width - 1)
    return rows, columns
