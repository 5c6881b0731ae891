import math

import cv2
import numpy as np
import pytest
from videomama_server.metrics import mad_t, unknown_band
from videomama_server.metrics.band import snapped


def step(shape=(60, 80), at=40):
    alpha = np.zeros(shape, np.float32)
    alpha[:, at:] = 1
    return alpha


def naive_band(alpha, k):
    """The definition, one pixel at a time; the picture ends at its border."""
    ellipse, reach = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (k, k)), k // 2
    inside = [(int(row) - reach, int(column) - reach) for row, column in np.argwhere(ellipse)]
    band = np.zeros(alpha.shape, bool)
    for y, x in np.ndindex(alpha.shape):
        near = [
            alpha[y + down, x + across]
            for down, across in inside
            if 0 <= y + down < alpha.shape[0] and 0 <= x + across < alpha.shape[1]
        ]
        band[y, x] = max(near) > min(near)
    return band


def test_the_band_of_an_edge_is_as_wide_as_the_ellipse():
    band = unknown_band(step(), 25)
    assert np.flatnonzero(band[30]).tolist() == list(range(28, 52))


def test_the_band_agrees_with_the_naive_definition(blob):
    alpha = blob(2, (48, 64))
    alpha = np.where(alpha <= np.float32(1 / 255), 0, np.where(alpha >= np.float32(254 / 255), 1, alpha))
    np.testing.assert_array_equal(unknown_band(alpha, 7), naive_band(alpha, 7))


def test_tails_that_8_bits_cannot_hold_do_not_widen_the_band():
    alpha = step()
    alpha[:, :10] = 0.003
    alpha[:, 70:] = 0.997
    np.testing.assert_array_equal(unknown_band(alpha), unknown_band(step()))


def test_mad_t_looks_at_nothing_but_the_band():
    truth = step()
    pred = truth.copy()
    pred[:, :20] = 1  # far from the edge
    assert mad_t(pred, truth) == 0
    pred = truth.copy()
    pred[:, 40:46] = 0.5
    assert mad_t(pred, truth) == pytest.approx(1e3 * 6 * 0.5 / 24)
    assert mad_t(pred, truth, k=5) == pytest.approx(1e3 * 2 * 0.5 / 4)


def test_without_an_edge_there_is_no_figure():
    half = np.full((30, 30), 0.5, np.float32)
    assert mad_t(half, half) is None


def test_mad_t_counts_differences_finer_than_8_bits():
    truth = step()
    assert math.isclose(mad_t(truth + np.float32(0.001), truth), 1.0, rel_tol=1e-3)


def test_what_8_bits_would_take_for_0_or_1_is_snapped():
    step = 1 / 255
    found = snapped(np.float32([0, 0.9 * step, 1.1 * step, 0.5, 1 - 1.1 * step, 1 - 0.9 * step, 1]))
    np.testing.assert_allclose(found, [0, 0, 1.1 * step, 0.5, 1 - 1.1 * step, 1, 1], rtol=1e-6)
