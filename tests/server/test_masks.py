import numpy as np
import pytest
from videomama_server.masks import shaped


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
