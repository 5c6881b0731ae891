"""Where a subject should be and where it should not, at every size of frame."""

import cv2
import numpy as np
import pytest
from videomama_server.qc.regions import DEPTH, EDGE, FAR, REACH, _on_frame, distance, far_outside, holes, regions

SIZE = (180, 320)


def rectangle(top, bottom, left, right):
    picture = np.zeros(SIZE, bool)
    picture[top:bottom, left:right] = True
    return picture


def test_distances_are_at_1920_wide():
    solid = np.zeros((1080, 1920), bool)
    solid[400:600, 900:1100] = True
    far, deep = far_outside(solid)[500], (distance(solid) > DEPTH)[500]
    assert np.flatnonzero(~far)[[0, -1]].tolist() == pytest.approx([900 - REACH, 1099 + REACH], abs=1)
    assert np.flatnonzero(deep)[[0, -1]].tolist() == pytest.approx([900 + DEPTH, 1099 - DEPTH], abs=1)


def test_a_hole_reaches_deep_into_the_mask_and_nowhere_out_of_it():
    mask, inner, bay = rectangle(20, 160, 40, 280), rectangle(80, 100, 100, 140), rectangle(60, 180, 200, 240)
    assert (holes(mask, (mask & ~inner).astype(np.float32)) == inner).all()
    assert not holes(mask, (mask & ~bay).astype(np.float32)).any()


def test_the_core_leaves_out_background_that_a_mask_too_large_takes():
    mask, bay = rectangle(20, 160, 40, 280), rectangle(60, 180, 200, 240)
    where = regions(mask, (mask & ~bay).astype(np.float32))
    assert not where.core[bay].any()
    assert where.core[90, 198] < where.inside[90, 198]
    solid = regions(mask, mask.astype(np.float32))
    assert solid.core is solid.inside


def test_a_subject_that_the_frame_cuts_goes_on_beyond_it():
    assert (distance(np.ones(SIZE, bool)) > DEPTH).all()
    assert distance(rectangle(0, 180, 0, 100))[0, 0] == pytest.approx(100 * 6, rel=0.05)


def test_a_place_without_alpha_is_one_below_a_tenth_and_a_hole_needs_forty_pixels_of_depth():
    mask = np.ones((1080, 1920), bool)
    mask[:, :600] = False
    alpha = mask.astype(np.float32)
    alpha[500:510, 641:650], alpha[600:610, 630:640] = 0.09, 0.09  # the latter is not deep enough
    alpha[700:710, 700:710] = 0.11
    found = holes(mask, alpha)
    assert found.sum() == 90
    assert found[505, 645]
    assert (REACH, DEPTH, EDGE) == (60, 40, 14)
    assert distance(np.ones(SIZE, bool)).max() == 10_000


def test_regions_stay_what_they_are(clip, unchanged):
    alpha = clip.alpha[1001].copy()
    alpha[60:80, 110:130] = 0
    where = regions(clip.mask[1001] >= 0.5, alpha)
    parts = [where.mask, where.inside / 100, where.outside / 1000, where.closed, where.core / 100]
    unchanged(np.dstack(parts), [-346853, -2268185, -8269443, -256742, -2268185])


def test_looking_near_the_mask_alone_gives_what_looking_everywhere_gives():
    rng = np.random.default_rng(4)
    for _ in range(8):
        cloud = cv2.GaussianBlur(rng.random(SIZE).astype(np.float32), (0, 0), rng.uniform(3, 12))
        low, high = np.quantile(cloud, [0.3, 0.7])
        mask, alpha = cloud > high, np.clip((cloud - low) / (high - low), 0, 1).astype(np.float32)
        alpha[60:90, 100:140] = 0
        where = regions(mask, alpha)
        count, places = cv2.connectedComponents((alpha < 0.1).astype(np.uint8), connectivity=4)
        leaving = {number for number in range(1, count) if (places == number)[~mask].any()}
        taken = mask & np.isin(places, list(leaving))
        np.testing.assert_array_equal(where.inside, distance(mask))
        np.testing.assert_array_equal(where.core, distance(mask & ~taken))
        np.testing.assert_array_equal(np.minimum(where.outside, FAR), np.minimum(distance(~mask), FAR))
        assert not (where.closed & taken).any()


@pytest.mark.parametrize("full", [False, True])
def test_a_frame_without_an_outline_has_no_distances_to_it(full):
    mask = np.full(SIZE, full)
    where = regions(mask, mask.astype(np.float32))
    assert (where.inside > DEPTH).all() == full
    assert (where.outside > REACH).all() == (not full)
    assert not where.closed.any()


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(_on_frame) == {"beyond": 0}
