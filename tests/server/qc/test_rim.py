"""A mask that ends just before the frame does is told from a subject that ends there."""

import cv2
import numpy as np
import pytest
from videomama_server.qc.rim import gaps, uncovered

SIZE = (1080, 1920)


def same(plate):
    return plate


@pytest.fixture(scope="module")
def scene():
    """A plate whose subject, jeans say, is cut by the frame's lower edge, and its mask."""
    grain = np.random.default_rng(2).normal(0, 0.02, (*SIZE, 3)).astype(np.float32)
    mask = np.zeros(SIZE, np.float32)
    mask[600:, 700:1000] = 1
    return np.where(mask[..., None] > 0, np.float32(0.2), np.float32(0.7)) + grain, mask


@pytest.mark.parametrize("rows", [1, 2, 8])
@pytest.mark.parametrize("turns", range(4))
def test_a_gap_is_found_on_every_side(scene, turns, rows):
    plate, mask = scene
    short = mask.copy()
    short[-rows:] = 0
    found = gaps(np.rot90(plate, turns), np.rot90(short, turns), same)
    assert [gap.rows for gap in found] == [rows]
    assert uncovered(np.rot90(short, turns), found) == pytest.approx(300 / 1920, abs=0.002)
    assert uncovered(np.rot90(mask, turns), found) == 0


def test_a_mask_that_reaches_the_edge_has_none(scene):
    assert gaps(*scene, same) == ()


def test_a_subject_that_ends_there_in_the_plate_has_none(scene):
    plate, mask = scene[0].copy(), scene[1].copy()
    plate[-6:] = 0.7
    mask[-6:] = 0
    assert gaps(plate, mask, same) == ()


def test_an_outline_that_is_not_straight_has_none(scene):
    plate, mask = scene[0], cv2.circle(np.zeros(SIZE, np.float32), (850, 1080 - 204), 200, 1, -1)
    assert gaps(plate, mask, same) == ()


def test_empty_masks_and_tiny_frames_have_none():
    plate = np.zeros((2, 3, 3), np.float32)
    assert gaps(plate, np.zeros((2, 3), np.float32), same) == ()
    assert gaps(plate, np.ones((2, 3), np.float32), same) == ()
    assert gaps(np.zeros((*SIZE, 3), np.float32), np.zeros(SIZE, np.float32), same) == ()


def strip(gap, length, width=960, height=540):
    """A flat plate of half the size that lengths are stated at, and a mask that ends `gap` rows before its top."""
    mask = np.zeros((height, width), np.float32)
    mask[gap:300, 200 : 200 + length] = 1
    return np.full((height, width, 3), 0.4, np.float32), mask


@pytest.mark.parametrize(
    ("gap", "length", "found"),
    [(1, 30, True), (8, 30, True), (9, 30, False), (4, 29, False), (0, 300, False)],
)
def test_a_gap_is_at_most_sixteen_wide_and_at_least_sixty_long_at_1920(gap, length, found):
    plate, mask = strip(gap, length)
    assert [(one.turns, one.rows, one.columns) for one in gaps(plate, mask, same)] == (
        [(0, gap, slice(200, 200 + length))] if found else []
    )


@pytest.mark.parametrize(("step", "found"), [(0.059, True), (0.061, False)])
def test_the_plate_goes_on_as_it_is_within_six_hundredths(step, found):
    plate, mask = strip(4, 60)
    plate[0] += step
    assert bool(gaps(plate, mask, same)) == found


@pytest.mark.parametrize(("fall", "share"), [(0.29, 0), (0.31, 60 / 960)])
def test_an_alpha_that_falls_by_less_than_three_tenths_leaves_nothing_open(fall, share):
    plate, mask = strip(4, 60)
    alpha = mask * np.float32(fall)
    assert uncovered(alpha, gaps(plate, mask, same)) == pytest.approx(share)
    assert uncovered(alpha, ()) == 0


@pytest.mark.parametrize(("rows", "found"), [(3, False), (4, True)])
def test_a_frame_needs_three_rows_more_than_the_widest_gap(rows, found):
    mask = np.zeros((rows, 60), np.float32)
    mask[1:] = 1
    assert bool(gaps(np.full((rows, 60, 3), 0.4, np.float32), mask, same)) == found


def test_a_rim_may_waver_by_a_row_and_the_longest_run_counts():
    plate, mask = strip(4, 200)
    mask[4, 240:260] = 0
    mask[4:7, 340:] = 0
    assert [(gap.rows, gap.columns) for gap in gaps(plate, mask, same)] == [(4, slice(200, 340))]
    mask[3:5, 210:212] = mask[2, 210:212] = 1
    assert [(gap.rows, gap.columns) for gap in gaps(plate, mask, same)] == [(4, slice(212, 340))]
