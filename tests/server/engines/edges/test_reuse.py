from __future__ import annotations

import numpy as np
import pytest
from videomama_server.engines.edges.reuse import ReuseCount, changed, most_changed, plate_change


def test_what_reuse_came_to_is_told_in_numbers():
    count = ReuseCount(computed=4, reused=2, seconds=8.0, difference=0.0123)
    assert count.saved == 4.0
    assert count.describe() == (
        "2 of 6 frames reused, 4.0 s saved, largest alpha difference 0.0123 where it was measured"
    )
    assert ReuseCount().describe() == ""
    assert ReuseCount().saved == 0


def test_the_largest_change_of_an_alpha_counts():
    one = np.zeros((4, 4), np.float32)
    other = one.copy()
    other[2, 1] = 0.25
    assert changed(one, other) == 0.25


def test_a_change_of_the_plate_counts_within_the_band_and_says_where_it_is_largest():
    band = np.ones((100, 200), bool)
    one = np.full((100, 200, 3), 0.5, np.float16)
    other = one.copy()
    other[60:80, 130:150, 1] = 0.75
    change = plate_change(one, other, band)
    assert change.shape == (2, 4)
    assert change.max() == pytest.approx(0.25, abs=1e-3)
    assert most_changed(change) in [(32, 160), (96, 160)]
    band[50:90, 120:160] = False
    assert plate_change(one, other, band).max() < 0.01


def test_grain_is_no_change():
    draw = np.random.default_rng(0)
    one, other = ((0.5 + draw.normal(0, 0.01, (60, 60, 3))).astype(np.float16) for _ in range(2))
    assert plate_change(one, other, np.ones((60, 60), bool)).max() < 0.02
    assert np.abs(one - other).max() > 0.04


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(ReuseCount) == {"computed": 0, "reused": 0, "seconds": 0.0, "difference": 0.0}
