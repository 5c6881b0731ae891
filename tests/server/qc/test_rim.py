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
