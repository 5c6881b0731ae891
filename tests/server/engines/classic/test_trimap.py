from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from videomama_server.engines.classic.trimap import Trimap, carried, local_depth, trimap_of


def disc(height=100, width=100, radius=30):
    y, x = np.mgrid[:height, :width]
    return np.hypot(x - width / 2, y - height / 2) < radius


def test_band_reaches_inwards_and_outwards_by_the_radii():
    trimap = trimap_of(disc(), 5, 12)
    y, x = np.mgrid[:100, :100]
    radius = np.hypot(x - 50, y - 50)
    assert trimap.foreground[radius < 23.5].all()
    assert not trimap.foreground[radius > 26.5].any()
    assert trimap.background[radius > 43.5].all()
    assert not trimap.background[radius < 40.5].any()


def test_the_plate_border_is_no_outline():
    subject = np.zeros((60, 80), bool)
    subject[:, :40] = True
    trimap = trimap_of(subject, 5, 5)
    assert trimap.foreground[:, :30].all()
    assert trimap.background[:, 50:].all()


@pytest.mark.parametrize("value", [False, True])
def test_an_empty_or_full_mask_leaves_nothing_unknown(value):
    trimap = trimap_of(np.full((8, 9), value), 10, 40)
    assert not trimap.unknown.any()
    assert (trimap.foreground == value).all()


def test_no_radius_no_band():
    assert not trimap_of(disc(), 0, 0).unknown.any()


def test_a_thin_region_keeps_a_core_of_its_own():
    subject = disc(200, 200, 60)
    subject[5:8, 5:50] = True
    trimap = trimap_of(subject, 10, 10)
    assert trimap.foreground[6, 5:50].any()
    assert not trimap.foreground[45:50, 95:105].any()  # 10 to 15 pixels inside the disc, minus the radius


def test_hold_keeps_what_is_certain_and_clips_the_rest():
    trimap = trimap_of(disc(), 5, 5)
    held = trimap.hold(np.full((100, 100), 1.5, np.float32))
    assert held.dtype == np.float32
    assert set(np.unique(held)) == {0.0, 1.0}
    assert (held[trimap.background] == 0).all()


@given(
    arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=24)), st.floats(0, 50), st.floats(0, 50)
)
def test_any_mask_has_certain_pixels_on_both_sides_and_they_agree_with_it(subject, erode, dilate):
    trimap = trimap_of(subject, erode, dilate)
    assert trimap.foreground.any() == subject.any()
    assert trimap.background.any() == (not subject.all())
    assert subject[trimap.foreground].all()
    assert not subject[trimap.background].any()


def test_a_thin_part_keeps_a_core_and_a_mere_line_does_not():
    subject = disc(200, 200, 60)
    subject[98:104, 150:198] = True
    assert trimap_of(subject, 10, 10).foreground[98:104, 190].any()
    subject = disc(200, 200, 60)
    subject[100:102, 150:198] = True
    assert not trimap_of(subject, 10, 10).foreground[:, 175:].any()


@pytest.mark.parametrize("turns", range(4))
def test_a_mask_that_ends_just_before_the_edge_is_carried_there(turns):
    mask = np.zeros((60, 80), np.float32)
    mask[20:58, 30:50] = 1
    whole = mask.copy()
    whole[58:, 30:50] = 1
    assert np.array_equal(carried(np.rot90(mask, turns), 0.5), np.rot90(whole, turns))


def test_a_mask_that_ends_further_inside_is_left_as_it_is():
    mask = np.zeros((60, 80), np.float32)
    mask[20:55, 30:50] = 1
    assert np.array_equal(carried(mask, 0.5), mask)


@pytest.mark.parametrize("radius", [1, 2, 3, 6, 12])
def test_a_core_is_what_is_left_of_a_disc(radius):
    """At most half of its depth is taken off; all of it where that is under a pixel."""
    y, x = np.mgrid[:61, :61]
    subject = np.hypot(x - 30, y - 30) <= radius
    found = trimap_of(subject, 8.0, 5.0)
    depth = cv2.distanceTransform(subject.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    off = depth.max() / 2
    core = depth > min(8.0, off) if off >= 1 or depth.max() <= 8 else depth > 8.0
    np.testing.assert_array_equal(found.foreground, core)


def test_trimaps_are_what_they_always_were(scene, unchanged):
    subject = scene.mask >= 0.5
    subject[100:104, 20:60] = subject[10:30, 100:103] = True
    for scale, known in ((1.0, [1897284, -2518776]), (0.2, [1655199, -2518776])):
        found = trimap_of(subject, 9.0, 14.0, scale)
        unchanged(np.dstack([found.foreground, found.background]), known)
    unchanged(local_depth(scene.mask * 5, 0.3), [-532961])


@pytest.mark.parametrize(("scale", "reach"), [(0.1, 2), (1.0, 4), (2.0, 8)])
def test_a_mask_is_carried_over_the_last_few_pixels_and_no_more(scale, reach):
    for gap in (reach, reach + 1):
        mask = np.zeros((40, 50), np.float32)
        mask[gap:, 20:30] = 1
        assert carried(mask, scale)[0, 25] == (gap == reach)
    for height in (2 * reach, 2 * reach + 1):
        mask = np.zeros((height, 50), np.float32)
        mask[reach, 20:30] = 1
        assert carried(mask, scale)[0, 25] == (height > 2 * reach)


def test_certain_alphas_hold_and_others_are_cut():
    trimap = Trimap(np.array([[True, False, False, False]]), np.array([[False, True, False, False]]))
    assert trimap.unknown.tolist() == [[False, False, True, True]]
    assert trimap.hold(np.float32([[0.2, 0.9, -0.5, 1.5]])).tolist() == [[1, 0, 0, 1]]


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(trimap_of) == {"scale": 1.0}
