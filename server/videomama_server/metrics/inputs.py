"""What every measure asks of the pictures that it compares."""

from __future__ import annotations

import numpy as np
from videomama_client.errors import BadInput

from videomama_server.arrays import FloatArray


def checked(pred: FloatArray, truth: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return two alphas (H, W) as float32.

    Raises:
        BadInput: they differ in shape, or are not float (H, W).
    """
    if pred.shape != truth.shape or pred.ndim != 2 or pred.size == 0:
        raise BadInput(
            f"Cannot compare an alpha of shape {pred.shape} with a truth of shape {truth.shape}",
            "Both must be (height, width), of the same size on every frame.",
        )
    return as_float(pred), as_float(truth)


def as_float(pixels: FloatArray) -> FloatArray:
    """Return `pixels` as float32; raise `BadInput` for integers, whose scale nothing here knows."""
    if pixels.dtype.kind != "f":
        raise BadInput(f"Cannot measure pixels of type {pixels.dtype}", "Convert them to float in 0..1 first.")
    return pixels.astype(np.float32, copy=False)
