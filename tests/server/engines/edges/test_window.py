from __future__ import annotations

import numpy as np
from videomama_server.engines.edges.reuse import ReuseCount
from videomama_server.engines.edges.trimap import UNKNOWN
from videomama_server.engines.edges.window import EdgeFrame, EdgeWindow

SIZE = (64, 96)


def frame(value=0.5, alpha=0.5):
    trimap = np.zeros(SIZE, np.uint8)
    trimap[:, 30:60] = UNKNOWN
    before = np.zeros(SIZE, np.float32)
    before[:, 30:60] = alpha
    return EdgeFrame(before, trimap == UNKNOWN, 0.05, trimap, np.full((*SIZE, 3), value, np.float16))


def window(tolerance):
    asked = []

    def estimate(plate, trimap):
        asked.append(float(plate.mean()))
        return np.full(trimap.shape, plate.mean(), np.float32)

    count = ReuseCount()
    return EdgeWindow(estimate, 384, tolerance, count), count, asked


def test_without_a_tolerance_every_frame_is_computed():
    work, count, asked = window(0.0)
    for _ in range(3):
        work.alpha_of(frame())
    work.measure()
    assert len(asked) == 3
    assert (count.computed, count.reused) == (3, 0)


def test_an_edge_is_taken_from_the_frame_that_was_computed_last_so_that_small_changes_do_not_add_up():
    work, count, asked = window(0.011)
    alphas = [work.alpha_of(frame(0.5 + 0.006 * step)) for step in range(4)]
    assert (count.computed, count.reused) == (2, 2)
    assert np.array_equal(alphas[1], alphas[0])
    assert not np.array_equal(alphas[2], alphas[0])
    assert np.array_equal(alphas[3], alphas[2])
    assert len(asked) == 2


def test_an_alpha_that_changed_is_refined_again():
    work, count, _ = window(0.01)
    work.alpha_of(frame(alpha=0.5))
    work.alpha_of(frame(alpha=0.6))
    assert count.reused == 0


def test_how_far_a_reused_edge_is_off_is_measured_where_the_plate_changed_most():
    work, count, asked = window(0.02)
    for value in (0.5, 0.505, 0.515):
        work.alpha_of(frame(value))
    work.measure()
    assert count.difference == np.float32(asked[1]) - np.float32(asked[2])
    assert 0.01 < count.difference < 0.02
    assert len(asked) == 3


def test_a_frame_without_a_band_passes():
    work, count, asked = window(0.01)
    empty = EdgeFrame(np.ones(SIZE, np.float32), np.zeros(SIZE, bool), 1.0)
    assert work.alpha_of(empty) is empty.alpha
    work.measure()
    assert asked == []
    assert count.computed == 0
