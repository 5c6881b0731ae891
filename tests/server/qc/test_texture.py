"""What is ragged inside or faint outside is told from soft edges, however wide."""

import cv2
import numpy as np
import pytest
from videomama_server.qc.regions import regions
from videomama_server.qc.texture import texture

SIZE = (270, 480)


def disc(x, y, radius, soft=1.0):
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float32)
    return np.clip((radius - np.hypot(columns - x, rows - y)) / soft + 0.5, 0, 1).astype(np.float32)


MASK = disc(240, 135, 80) >= 0.5


def measured(alpha, mask=MASK):
    return texture(regions(mask, alpha), alpha)


@pytest.mark.parametrize("soft", [1, 12, 40])
def test_soft_edges_are_not_ragged(soft):
    found = measured(disc(240, 135, 80, soft))
    assert found.ragged < 0.005
    assert (found.strands, found.remains) == (0, 0)


def test_a_see_through_patch_is_ragged_wherever_it_lies():
    for x in (240, 300):
        found = measured(disc(240, 135, 80, 2) * (1 - 0.5 * disc(x, 135, 16, 6)))
        assert found.ragged > 0.1
        assert found.see_through > 0.03


def test_a_veil_is_even_and_strands_are_not():
    clean = disc(240, 135, 80, 2)
    veil = measured(np.maximum(clean, 0.1 * disc(240, 135, 96)))
    assert veil.veil > 0.5
    assert veil.strands == 0
    drawn = clean.copy()
    for angle in np.linspace(0, 2 * np.pi, 20):
        end = round(240 + 110 * np.cos(angle)), round(135 + 110 * np.sin(angle))
        drawn = np.maximum(drawn, cv2.line(np.zeros_like(clean), (240, 135), end, 0.4, 1))
    found = measured(drawn)
    assert found.strands > 0.02
    assert found.veil < 0.02
    assert found.remains == 0


def test_around_a_mask_of_a_few_pixels_nothing_is_called_a_strand():
    small = cv2.resize(disc(240, 135, 80, 2), (64, 36), interpolation=cv2.INTER_AREA)
    small[18, 30:] = 0.6
    found = measured(small, small >= 0.5)
    assert (found.strands, found.veil) == (0, 0)


def test_remains_hang_together_with_no_subject():
    clean = disc(240, 135, 80, 2)
    assert measured(np.maximum(clean, 0.2 * disc(360, 135, 5))).remains > 0.003
    assert measured(np.maximum(clean, disc(360, 135, 5))).remains == 0  # a ball, say, that the mask lost


def test_of_almost_no_mask_nothing_is_said():
    assert measured(disc(240, 135, 80), disc(10, 10, 1) >= 0.5).see_through is None
    assert measured(np.zeros(SIZE, np.float32), np.zeros(SIZE, bool)).veil == 0
