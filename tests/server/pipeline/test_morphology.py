import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from videomama_server.pipeline.morphology import shaped


def disc(radius, size=101):
    y, x = np.mgrid[:size, :size] - size // 2
    return (np.hypot(x, y) <= radius).astype(np.float32)


def test_nothing_asked_changes_nothing():
    mask = np.random.default_rng(0).random((20, 30)).astype(np.float32)
    assert shaped(mask, 0, 0, 1920) is mask


@pytest.mark.parametrize(("grow", "radius"), [(10, 40), (-10, 20)])
def test_a_disc_grows_and_shrinks_by_the_distance(grow, radius):
    area = shaped(disc(30), 0, grow, 1920).sum()
    assert area == pytest.approx(np.pi * radius**2, rel=0.03)


def test_distances_scale_with_the_plate():
    assert shaped(disc(30), 0, 20, 960).sum() == shaped(disc(30), 0, 10, 1920).sum()


def test_a_hole_is_closed_when_it_is_narrow_enough():
    mask = disc(40)
    mask[45:53, 45:53] = 0
    np.testing.assert_array_equal(shaped(mask, 16, 0, 1920), disc(40))
    assert shaped(mask, 4, 0, 1920)[49, 49] == 0


def test_grey_values_stay():
    mask = 0.25 * disc(30)
    assert set(np.unique(shaped(mask, 3, 5, 1920))) == {np.float32(0), np.float32(0.25)}


def test_a_subject_cut_by_the_frame_stays_cut_by_it():
    mask = np.zeros((60, 80), np.float32)
    mask[:, :30] = 1
    shrunk = shaped(mask, 0, -5, 1920)
    assert shrunk[:, :24].min() == 1
    assert shrunk[:, 26:].max() == 0
    np.testing.assert_array_equal(shaped(mask, 20, 0, 1920), mask)


@settings(max_examples=40)
@given(st.floats(0, 200), st.floats(-200, 200), st.integers(1, 40), st.integers(1, 40), st.floats(0.01, 0.6))
@example(0, 0.5, 30, 40, 1.0)  # a plate 1920 wide: half a pixel
@example(1, 0, 30, 40, 1.0)
@example(0, -1, 30, 40, 0.5)
@example(2.5, -0.75, 1, 1, 2.0)
@example(200, -200, 1, 40, 2.2)
def test_every_radius_at_every_size_leaves_a_mask_of_the_same_size(close, grow, height, width, scale):
    """The plate is larger than the mask's array here, as when a region is cut out."""
    mask = np.zeros((height, width), np.float32)
    mask[height // 3 : height // 2 + 1, width // 3 :] = 0.7
    found = shaped(mask, close, grow, round(1920 * scale))
    assert (found.shape, found.dtype) == (mask.shape, np.float32)
    assert set(np.unique(found)) <= {np.float32(0), np.float32(0.7)}
    if grow >= 0:
        assert (found >= mask).all()
    elif close == 0:
        assert (found <= mask).all()


@settings(max_examples=40)
@given(st.floats(1, 25), st.booleans(), st.integers(1, 30), st.integers(1, 30))
@example(1.0, True, 1, 1)
@example(5.0, False, 12, 9)
@example(25.0, True, 30, 3)
@example(1.9999999999999964, False, 1, 1)  # as a product with the plate's size may come out
def test_growth_and_shrinking_are_those_of_a_disk(radius, grows, height, width):
    mask = np.random.default_rng(3).random((height, width), np.float32) ** 6
    reach = int(np.sqrt(radius * radius + 1e-6))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disk = (x * x + y * y <= radius * radius + 1e-6).astype(np.uint8)
    padded = cv2.copyMakeBorder(mask, reach, reach, reach, reach, cv2.BORDER_REPLICATE)
    expected = (cv2.dilate if grows else cv2.erode)(padded, disk)[reach:-reach, reach:-reach]
    np.testing.assert_array_equal(shaped(mask, 0, radius if grows else -radius, 1920), expected)
    padded = cv2.copyMakeBorder(mask, *[2 * reach] * 4, cv2.BORDER_REPLICATE)
    expected = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, disk)[2 * reach : -2 * reach, 2 * reach : -2 * reach]
    np.testing.assert_array_equal(shaped(mask, 2 * radius, 0, 1920), expected)


@pytest.mark.parametrize("grow", np.arange(-3, 3.01, 0.25))
def test_growth_never_falls_as_the_radius_rises_and_less_than_a_pixel_is_none(grow):
    mask = disc(30)
    area = shaped(mask, 0, grow, 1920).sum()
    assert area <= shaped(mask, 0, grow + 0.25, 1920).sum()
    assert (area == mask.sum()) == (abs(grow) < 1)
