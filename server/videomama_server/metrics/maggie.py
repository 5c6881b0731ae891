"""MaGGIe's convention (Huynh et al., 2024): the same measures under other scales, and how one follows from the other.

With HW the pixels of a frame, against `mad`, `mse`, `mad_t`, `sad`, `grad`, `conn`, `dtssd` and `messddt`:

- of the alpha to judge, what is within 1/255 of 0 or 1 is put there first;
- MAD, MSE and MAD-T (there MAD_unk) are divided by the area twice: times 1e7 / HW. Never compare them across sizes;
- dtSSD is not divided by the area: times sqrt(HW) / 1000 for a pair of frames;
- GRAD takes 0 for pixels beyond the picture, and stretches both alphas to 0..1 first;
- SAD, CONN and MESSDdt are as here. The script that computes its MESSDdt swaps rows and columns where it follows the
  motion; that is not repeated, so its printed figures do not compare.
"""

from __future__ import annotations

import math

import cv2

from videomama_server.arrays import FloatArray
from videomama_server.metrics import band, difference, gradient, temporal
from videomama_server.metrics.inputs import as_float

_AREA = 1e7


def mad(pred: FloatArray, truth: FloatArray) -> float:
    """`difference.mad` times 1e7 / HW."""
    return difference.mad(pred, truth) * _AREA / truth.size


def mse(pred: FloatArray, truth: FloatArray) -> float:
    """`difference.mse` times 1e7 / HW."""
    return difference.mse(pred, truth) * _AREA / truth.size


def mad_t(pred: FloatArray, truth: FloatArray) -> float | None:
    """`band.mad_t` times 1e7 / HW."""
    measured = band.mad_t(pred, truth)
    return None if measured is None else measured * _AREA / truth.size


def grad(pred: FloatArray, truth: FloatArray) -> float:
    """`gradient.grad` of stretched alphas, with 0 beyond the picture."""
    return gradient.grad(pred, truth, normalise=True, border=cv2.BORDER_CONSTANT)


def dtssd(pred: FloatArray, truth: FloatArray, previous_pred: FloatArray, previous_truth: FloatArray) -> float:
    """`temporal.dtssd` times sqrt(HW) / 1000."""
    return temporal.dtssd(pred, truth, previous_pred, previous_truth) * math.sqrt(truth.size) / 1e3


def prepared(pred: FloatArray) -> FloatArray:
    """Return an alpha to judge as this convention wants it."""
    return band.snapped(as_float(pred))
