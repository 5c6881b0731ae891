"""Paintings at a size that shows their details, compared with what they were to a hundred millionth.

Engines were measured on these pixels: a change that nobody meant must not pass as rounding.
"""

import platform
from pathlib import Path

import cv2
import numpy as np
import pytest
from videomama_server.synthetic.paint.canvas import Stage

PINS = (Path(__file__).parents[3] / "install" / "constraints.txt").read_text(encoding="utf-8").splitlines()
# Of OpenCV's version the package adds the build: 5.0.0.93.
PINNED = f"numpy=={np.__version__}" in PINS and any(f"headless=={cv2.__version__}." in line for line in PINS)
COMPARED = platform.system() == "Linux" and platform.machine() == "x86_64"


@pytest.fixture(scope="session")
def large():
    """The stage of a picture of 1280x720: a part that moves by one unit moves by two thirds of a pixel."""
    return Stage(1280, 720, 5)


@pytest.fixture(scope="session")
def unchanged():
    """Compare pixels (H, W, C) with those of old by one number per channel, in billionths: `unchanged(pixels, [...])`.

    Each number is the mean of the channel under weights that look random, so that what moves or changes anywhere
    shows. With and without the vector units of a processor they differ by less than one; another OpenCV changes
    thousands, so that nothing can be said with other libraries than the pinned ones.
    """
    if not (PINNED and COMPARED):
        pytest.skip("the numbers are those of Linux on x86-64 with the NumPy and OpenCV of install/constraints.txt")

    def compare(pixels, known):
        rows, columns = np.mgrid[: pixels.shape[0], : pixels.shape[1]].astype(np.int64)
        weights = (rows * 7919 + columns * 104729 + rows * columns * 31) * 2654435761 % 2**32 / 2**31 - 1
        found = 1e9 * (pixels.astype(np.float64) * weights[..., None]).mean((0, 1))
        np.testing.assert_allclose(found, known, rtol=0, atol=10, err_msg=str([round(value) for value in found]))

    return compare
