"""Rows are resized as OpenCV resizes them."""

import cv2
import numpy as np
import pytest
from videomama_server.engines.videomama.taps import averaged, interpolated, taps


def resized(pixels, size):
    """Return pixels (h, w) resized by taps, columns first."""
    for axis, wanted in ((1, size[1]), (0, size[0])):
        found = taps(pixels.shape[axis], wanted)
        shares = found.shares if axis == 1 else found.shares[..., None]
        pixels = sum(np.take(pixels, place, axis) * share for place, share in zip(found.places, shares, strict=True))
    return pixels


@pytest.mark.parametrize(
    ("own", "wanted"), [((271, 483), (144, 256)), ((301, 200), (128, 85)), ((90, 2000), (45, 999)), ((3, 7), (1, 2))]
)
def test_a_row_that_shrinks_is_averaged_as_opencv_averages_it(own, wanted):
    pixels = np.random.default_rng(0).random(own, dtype=np.float32)
    expected = cv2.resize(pixels, wanted[::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(resized(pixels, wanted) - expected).max() <= 2e-7


@pytest.mark.parametrize(
    ("own", "wanted"), [((144, 256), (271, 483)), ((1, 3), (5, 64)), ((128, 85), (301, 200)), ((4, 1856), (4, 3840))]
)
def test_a_row_that_grows_is_interpolated_as_opencv_interpolates_it(own, wanted):
    pixels = np.random.default_rng(0).random(own, dtype=np.float32)
    expected = cv2.resize(pixels, wanted[::-1], interpolation=cv2.INTER_LINEAR)
    assert np.abs(resized(pixels, wanted) - expected).max() <= 5e-7


@pytest.mark.parametrize("make", [averaged, interpolated])
@pytest.mark.parametrize(("own", "wanted"), [(100, 64), (65, 64), (64, 2), (1001, 333)])
def test_shares_of_a_pixel_sum_up_to_one_and_places_lie_within_the_row(make, own, wanted):
    found = make(own, wanted) if make is averaged else make(wanted, own)
    inside = own if make is averaged else wanted
    np.testing.assert_allclose(found.shares.sum(axis=0), 1, atol=2e-6)
    assert found.places.min() >= 0
    assert found.places.max() < inside
    assert found.places.shape == found.shares.shape
