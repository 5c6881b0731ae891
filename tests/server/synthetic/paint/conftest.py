"""Paintings in figures: the clips' pixels are what recorded qualities of engines rest on, so they may not drift."""

import numpy as np
import pytest
from videomama_server.synthetic.paint.canvas import Stage


@pytest.fixture(scope="session")
def stage():
    """A picture small enough to be painted in no time, and large enough to show every part."""
    return Stage(320, 180, 5)


def figures(picture):
    """Return mean, balance from left to right and from top to bottom, and root mean square, of each channel."""
    rows, columns = (np.linspace(-1, 1, count) for count in picture.shape[:2])
    pixels = picture.astype(np.float64)
    across, down = pixels * columns[:, None], pixels * rows[:, None, None]
    parts = (pixels.mean((0, 1)), across.mean((0, 1)), down.mean((0, 1)), np.sqrt((pixels**2).mean((0, 1))))
    return np.concatenate(parts)


@pytest.fixture(scope="session")
def looks_like():
    """Compare a painting (H, W, C) with its figures of old, in millionths: `looks_like(picture, [...])`.

    The bound leaves room for what other builds of OpenCV and other processors round otherwise, and for no more.
    """

    def compare(picture, known):
        found = figures(picture) * 1e6
        np.testing.assert_allclose(found, known, rtol=2e-4, atol=3, err_msg=str([round(value) for value in found]))

    return compare
