import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from videomama_server.engines.adjust.edges import feathered, grown, levelled, shifted


def soft_disc(radius, size=(101, 101), middle=(50, 50), softness=4.0):
    y, x = np.mgrid[: size[0], : size[1]]
    return np.clip((radius - np.hypot(x - middle[1], y - middle[0])) / softness + 0.5, 0, 1).astype(np.float32)


def ramp(width=60, slope=0.05):
    return np.tile(np.clip((np.arange(width, dtype=np.float32) - 20) * slope, 0, 1), (40, 1)).astype(np.float32)


@pytest.mark.parametrize("work", [grown, feathered])
def test_nothing_asked_returns_the_very_alpha(work):
    alpha = soft_disc(30)
    assert work(alpha, 0.0) is alpha
    assert shifted(alpha, 0.0, 0.0) is alpha
    assert levelled(alpha, 0.0, 1.0) is alpha


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31), st.floats(-6, 6), st.floats(0, 3))
@example(0, 0.0, 0.3)
@example(1, -1.0, 1.0)
@example(2, 1.999, 0.002)
def test_a_larger_radius_never_gives_less_alpha(seed, radius, more):
    alpha = np.random.default_rng(seed).random((19, 23), np.float32) ** 4
    alpha[alpha < 0.2] = 0
    smaller, larger = grown(alpha, radius), grown(alpha, radius + more)
    assert (larger >= smaller - 1e-6).all()
    assert larger.min() >= 0
    assert larger.max() <= 1
    assert larger.shape == alpha.shape
    assert larger.dtype == np.float32


@pytest.mark.parametrize("radius", [-7.0, -2.6, -1.0, -0.35, 0.35, 0.5, 1.0, 2.6, 7.0])
def test_a_straight_soft_edge_moves_by_the_very_distance_and_stays_as_soft(radius):
    moved = grown(ramp(), radius)
    inner = np.s_[10:-10, 29:32]  # where the ramp is straight on both sides
    np.testing.assert_allclose(moved[inner], ramp()[inner] + 0.05 * radius, atol=1e-6)


def extent(alpha, angle):
    """Return how far an alpha reaches from the middle, in pixels, in one direction."""
    places = np.arange(0, 48, 0.05, dtype=np.float32)[None]
    x, y = 50 + places * np.float32(np.cos(angle)), 50 + places * np.float32(np.sin(angle))
    return 0.05 * cv2.remap(alpha, x, y, cv2.INTER_LINEAR).sum(dtype=float)


@pytest.mark.parametrize("radius", [-5.5, -2.0, -1.25, 0.75, 1.5, 2.0, 3.5, 6.0])
def test_a_disc_grows_by_the_same_distance_all_around(radius):
    alpha = soft_disc(25)
    changed = grown(alpha, radius)
    angles = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    by = np.array([extent(changed, angle) - extent(alpha, angle) for angle in angles])
    assert np.abs(by - radius).max() < 0.36
    assert abs(by.mean() - radius) < 0.2


def test_shrinking_is_growing_what_is_around():
    alpha = soft_disc(30)
    np.testing.assert_allclose(grown(alpha, -2.5), 1 - grown(1 - alpha, 2.5), atol=1e-6)


def test_what_is_cut_by_the_picture_stays_cut_by_it():
    half = np.zeros((40, 60), np.float32)
    half[:, :20] = 1
    assert grown(half, -3.5)[:, :16].min() == 1
    assert feathered(half, 3.0)[:, :4].min() == 1
    assert shifted(half, 5.5, 0)[:, :24].min() == 1
    full = np.ones((40, 60), np.float32)
    for same in (grown(full, -9.3), feathered(full, 4.0), shifted(full, 3.3, -7.7), levelled(full, 0.1, 0.9)):
        np.testing.assert_array_equal(same, full)


def test_where_the_alpha_lies_in_the_picture_makes_no_difference_to_growth():
    alone = soft_disc(8, (60, 60), (30, 30))
    wide = np.zeros((150, 140), np.float32)
    wide[70:130, 20:80] = alone
    for radius in (4.4, -2.2):
        np.testing.assert_array_equal(grown(wide, radius)[70:130, 20:80], grown(alone, radius))


def test_an_empty_alpha_stays_empty():
    empty = np.zeros((30, 40), np.float32)
    for same in (grown(empty, 5.5), grown(empty, -5.5), feathered(empty, 3), shifted(empty, 2.5, 1)):
        np.testing.assert_array_equal(same, empty)


def test_feather_widens_the_edge_as_a_gaussian_does():
    step = np.zeros((40, 80), np.float32)
    step[:, 40:] = 1
    profile = np.diff(feathered(step, 3.0)[20].astype(float))
    places = np.arange(79) - 39
    assert np.sqrt((profile * places**2).sum()) == pytest.approx(3.0, rel=0.02)
    assert (profile * places).sum() == pytest.approx(0.0, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.integers(-30, 30), st.integers(-30, 30))
@example(1, 0)
@example(0, -1)
@example(25, -30)
def test_an_offset_of_whole_pixels_moves_values_and_changes_none(right, down):
    alpha = np.random.default_rng(4).random((24, 28), np.float32)
    rows, columns = np.arange(24) - down, np.arange(28) - right
    expected = alpha[np.ix_(rows.clip(0, 23), columns.clip(0, 27))]
    np.testing.assert_array_equal(shifted(alpha, float(right), float(down)), expected)


@pytest.mark.parametrize(("right", "down"), [(0.25, 0.0), (-0.5, 0.0), (3.7, -1.3), (0.0, 2.01)])
def test_an_offset_of_part_of_a_pixel_moves_the_middle_by_as_much(right, down):
    alpha = soft_disc(18)
    moved = shifted(alpha, right, down).astype(float)
    y, x = np.mgrid[:101, :101] - 50
    assert (moved * x).sum() / moved.sum() == pytest.approx(right, abs=0.01)
    assert (moved * y).sum() / moved.sum() == pytest.approx(down, abs=0.01)
    assert moved.sum() == pytest.approx(alpha.sum(dtype=float), rel=1e-3)


def test_a_straight_ramp_is_moved_exactly():
    moved = shifted(ramp(), 1.3, 0)
    np.testing.assert_allclose(moved[:, 25:36], ramp()[:, 25:36] - 0.05 * 1.3, atol=1e-6)


def test_a_fine_hair_keeps_more_than_linear_interpolation_would_leave():
    hair = np.zeros((20, 21), np.float32)
    hair[:, 10] = 1
    assert shifted(hair, 0.5, 0).max() > 0.55


def test_levels_map_black_to_0_and_white_to_1_and_keep_the_order():
    values = np.linspace(0, 1, 11, dtype=np.float32)[None]
    found = levelled(values, 0.2, 0.8)
    np.testing.assert_allclose(found[0], np.clip((values[0] - 0.2) / 0.6, 0, 1), atol=1e-6)
    assert (np.diff(found) >= 0).all()
    assert found[0, 2] == 0
    assert found[0, 8] == 1


@pytest.mark.parametrize("place", [(0, 0), (0, 40), (0, 59), (20, 0), (20, 59), (39, 0), (39, 30), (39, 59)])
@pytest.mark.parametrize("radius", [-1.5, 2.0, 3.5])
def test_at_the_rim_it_is_as_if_the_picture_went_on_like_its_rim(place, radius):
    alpha = soft_disc(6, (40, 60), place)
    wide = np.pad(alpha, 12, mode="edge")
    np.testing.assert_allclose(grown(alpha, radius), grown(wide, radius)[12:-12, 12:-12], atol=1e-6)
