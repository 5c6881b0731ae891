import cv2
import numpy as np
import pytest
from videomama_server.engines.adjust.specks import despeckled


@pytest.fixture
def subject():
    """A disc with a soft edge and soft hair, all of one piece."""
    y, x = np.mgrid[:120, :160].astype(np.float32)
    alpha = np.clip((30 - np.hypot(x - 80, y - 60)) / 6 + 0.5, 0, 1).astype(np.float32)
    hair = np.zeros((120, 160), np.uint8)
    for end in (20, 50, 80, 110, 140):
        cv2.line(hair, (80, 60), (end, 12), 120, 1, cv2.LINE_AA)
    return np.maximum(alpha, hair.astype(np.float32) / 255)


def soft_spot(at, radius=2.0, size=(120, 160)):
    y, x = np.mgrid[: size[0], : size[1]]
    return np.clip((radius - np.hypot(x - at[1], y - at[0])) / 2 + 0.5, 0, 1).astype(np.float32)


def test_no_area_returns_the_very_alpha(subject):
    assert despeckled(subject, 0.0) is subject


@pytest.mark.parametrize("area", [1, 30, 500])
def test_soft_edges_and_hair_of_the_subject_keep_their_bits(subject, area):
    np.testing.assert_array_equal(despeckled(subject, area), subject)


def test_an_island_goes_with_its_soft_rim_and_nothing_else_changes(subject):
    np.testing.assert_array_equal(despeckled(np.maximum(subject, soft_spot((100, 20))), 40), subject)


def test_a_hole_is_filled_with_its_soft_rim_and_nothing_else_changes(subject):
    np.testing.assert_array_equal(despeckled(np.minimum(subject, 1 - soft_spot((62, 78))), 40), subject)


def test_what_is_as_large_as_the_area_stays():
    alpha = np.zeros((40, 40), np.float32)
    alpha[10:13, 10:14] = 0.6
    np.testing.assert_array_equal(despeckled(alpha, 12), alpha)
    assert despeckled(alpha, 12.5).max() == 0
    np.testing.assert_array_equal(despeckled(1 - alpha, 12), 1 - alpha)
    assert despeckled(1 - alpha, 12.5).min() == 1


def test_what_touches_the_pictures_rim_stays():
    alpha = np.zeros((40, 40), np.float32)
    alpha[0:2, 10:12] = alpha[20:22, 38:] = 0.7
    np.testing.assert_array_equal(despeckled(alpha, 100), alpha)
    np.testing.assert_array_equal(despeckled(1 - alpha, 100), 1 - alpha)


@pytest.mark.parametrize("rim", [(0, 10), (39, 10), (10, 0), (10, 39)])
def test_a_single_pixel_on_any_rim_stays(rim):
    alpha = np.zeros((40, 40), np.float32)
    alpha[rim] = 0.7
    np.testing.assert_array_equal(despeckled(alpha, 100), alpha)
    np.testing.assert_array_equal(despeckled(1 - alpha, 100), 1 - alpha)


@pytest.mark.parametrize("beside", [(1, 10), (38, 10), (10, 1), (10, 38)])
def test_a_single_pixel_beside_a_rim_goes(beside):
    alpha = np.zeros((40, 40), np.float32)
    alpha[beside] = 0.7
    assert despeckled(alpha, 100).max() == 0
    assert despeckled(1 - alpha, 100).min() == 1


def test_an_island_in_a_veil_too_faint_to_be_seen_goes_too(subject):
    veil = np.random.default_rng(2).random(subject.shape, np.float32) * np.float32(0.9 / 255)
    found = despeckled(np.maximum(np.maximum(subject, soft_spot((100, 20))), veil), 40)
    assert found[90:110, 10:30].max() <= 1 / 255
    seen = subject > 1 / 255
    np.testing.assert_array_equal(found[seen], subject[seen])


def test_pieces_that_touch_at_a_corner_are_one():
    alpha = np.zeros((20, 20), np.float32)
    alpha[5:8, 5:8] = alpha[8:11, 8:11] = 1
    np.testing.assert_array_equal(despeckled(alpha, 18), alpha)
    assert despeckled(alpha, 19).max() == 0


def test_an_empty_alpha_and_a_full_one_stay():
    for value in (0, 1, 0.5):
        same = np.full((9, 9), value, np.float32)
        np.testing.assert_array_equal(despeckled(same, 1000), same)


@pytest.mark.parametrize(("step", "goes"), [(-1, True), (0, True), (1, False)])
def test_what_is_no_more_than_a_code_of_eight_bits_off_shows_nowhere(step, goes):
    """Twelve pixels are no speck for an area of five, unless none of them shows."""
    island = np.zeros((20, 20), np.float32)
    hole = np.ones((20, 20), np.float32)
    island[5:8, 5:9] = np.nextafter(np.float32(1 / 255), np.float32(step), dtype=np.float32) if step else 1 / 255
    least = np.float32(1 - 1 / 255)
    hole[5:8, 5:9] = np.nextafter(least, np.float32(1 - step), dtype=np.float32) if step else least
    assert (despeckled(island, 5).max() == 0) == goes
    assert (despeckled(hole, 5).min() == 1) == goes
