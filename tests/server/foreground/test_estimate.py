"""The estimate alone: exact where it can be, close where it must guess, and never thrown by odd plates."""

import cv2
import numpy as np
import pytest
from videomama_server.foreground.estimate import LARGEST, _calm, _Level, _sizes, _solve, estimate, sane_alpha
from videomama_server.synthetic.demo_clip import ClipShape, render_frame

RED, BLUE = np.float32([0.8, 0.2, 0.1]), np.float32([0.1, 0.2, 0.9])


def soft_disc(height=120, width=160, softness=12.0):
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return np.clip((height / 3 - np.hypot(x - width / 2, y - height / 2)) / softness + 0.5, 0, 1)


def over(foreground, alpha, background):
    cover = alpha[..., None]
    return (foreground * cover + background * (1 - cover)).astype(np.float32)


def waves(height, width, low, high):
    """A colour (height, width, 3) that changes slowly from one to another."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    share = 0.5 + 0.5 * np.sin(x / 40 + y / 60)
    return low + (high - low) * share[..., None]


def edge_error(found, true, alpha):
    soft = (alpha > 0.02) & (alpha < 0.98)
    return float(np.abs(found - true)[soft].mean())


@pytest.mark.parametrize("size", [(120, 160), (700, 300)], ids=["whole", "band"])
def test_two_flat_colours_are_taken_apart(size):
    alpha = soft_disc(*size)
    found = estimate(over(RED, alpha, BLUE), alpha)
    assert found.shape == (*size, 3)
    assert found.dtype == np.float32
    assert found.flags.c_contiguous
    assert np.abs(found - RED)[alpha > 0.05].max() < 0.02


@pytest.mark.parametrize("size", [(120, 160), (540, 700)], ids=["whole", "band"])
def test_colours_that_vary_come_out_close(size):
    alpha = soft_disc(*size)
    front, back = waves(*size, RED, RED[::-1]), waves(*size, BLUE, BLUE * 0.3)
    plate = over(front, alpha, back)
    assert edge_error(estimate(plate, alpha), front, alpha) < 0.15 * edge_error(plate, front, alpha)


def test_what_was_taken_apart_adds_up_again_over_a_new_background():
    alpha = soft_disc()
    green = np.float32([0.05, 0.4, 0.1])
    comp = over(estimate(over(RED, alpha, BLUE), alpha), alpha, green)
    np.testing.assert_allclose(comp, over(RED, alpha, green), atol=0.01)


def test_the_demo_clip_s_edges():
    frame = render_frame(ClipShape(480, 270), 1005)
    plain = edge_error(frame.plate, frame.foreground, frame.alpha)
    assert edge_error(estimate(frame.plate, frame.alpha), frame.foreground, frame.alpha) < 0.45 * plain


def test_the_plate_is_passed_through_where_alpha_is_one():
    alpha = soft_disc()
    plate = over(RED, alpha, BLUE) + np.random.default_rng(1).normal(0, 0.05, (120, 160, 3)).astype(np.float32)
    solid = alpha == 1
    assert solid.any()
    np.testing.assert_array_equal(estimate(plate, alpha)[solid], plate[solid])


def test_colour_runs_on_beyond_the_edge():
    alpha = soft_disc()
    ring = cv2.dilate((alpha > 0).astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool) & (alpha == 0)
    assert np.abs(estimate(over(RED, alpha, BLUE), alpha) - RED)[ring].max() < 0.1


@pytest.mark.parametrize("gain", [0.001, 40.0])
def test_more_light_is_as_much_more_foreground(gain):
    alpha = soft_disc()
    plate = over(RED, alpha, waves(120, 160, BLUE, RED))
    np.testing.assert_allclose(
        estimate(plate * gain, alpha), estimate(plate, alpha) * gain, rtol=1e-3, atol=1e-5 * gain
    )


def test_highlights_above_one_are_kept():
    alpha = soft_disc()
    found = estimate(over(RED * 12, alpha, BLUE), alpha)
    assert np.abs(found - RED * 12)[alpha > 0.1].max() < 0.3


def test_the_result_stays_within_the_plate_s_range():
    rng = np.random.default_rng(3)
    plate = rng.random((90, 130, 3), np.float32) * 3
    found = estimate(plate, rng.random((90, 130), np.float32))
    assert found.min() >= 0
    assert found.max() <= plate.max()


def test_nothing_odd_in_a_plate_or_an_alpha_comes_out():
    alpha = soft_disc()
    plate = over(RED, alpha, BLUE)
    calm = estimate(plate, alpha)
    plate[60, 40] = np.nan
    plate[60, 120] = np.inf
    plate[20, 80] = -np.inf
    alpha[50, 50] = np.nan
    alpha[10, 10], alpha[11, 11] = np.inf, -3
    found = estimate(plate, alpha)
    assert np.isfinite(found).all()
    assert np.abs(found).max() <= LARGEST
    np.testing.assert_allclose(found[60, 70:90], calm[60, 70:90])


def test_the_arguments_stay_as_they_are():
    alpha = soft_disc()
    plate = over(RED, alpha, BLUE)
    plate[0, 0] = np.nan
    before = plate.copy(), alpha.copy()
    estimate(plate, alpha)
    np.testing.assert_array_equal(plate, before[0])
    np.testing.assert_array_equal(alpha, before[1])


def test_the_same_bits_every_time():
    alpha = soft_disc(300, 400)
    plate = waves(300, 400, RED, BLUE).astype(np.float32)
    np.testing.assert_array_equal(estimate(plate, alpha), estimate(plate, alpha))


def test_without_foreground_there_is_none_and_without_background_it_is_the_plate():
    plate = waves(64, 96, RED, BLUE).astype(np.float32)
    assert not estimate(plate, np.zeros((64, 96), np.float32)).any()
    np.testing.assert_array_equal(estimate(plate, np.ones((64, 96), np.float32)), plate)


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (2, 3), (17, 900), (900, 17)])
def test_any_size(size):
    alpha = np.full(size, 0.5, np.float32)
    found = estimate(np.broadcast_to(RED, (*size, 3)), alpha)
    np.testing.assert_allclose(found, np.broadcast_to(RED, (*size, 3)), atol=1e-3)


@pytest.mark.parametrize("value", [6e4, np.inf, -np.inf])
def test_a_single_pixel_does_no_harm_far_away(value):
    alpha = soft_disc(300, 400, 40.0)
    plate = over(RED, alpha, BLUE)
    calm = estimate(plate, alpha)
    for row, column in ((150, 200), (149, 199), (150, 70), (96, 128)):
        harmed = plate.copy()
        harmed[row, column] = value
        changed = np.argwhere(np.abs(estimate(harmed, alpha) - calm).max(axis=2) > 0.02)
        assert np.abs(changed - (row, column)).max(initial=0) <= 16


def test_a_sane_alpha_is_between_0_and_1_and_has_no_nan():
    found = sane_alpha(np.float32([[np.nan, -0.5, 0.25, 1.5, np.inf, -np.inf]]))
    assert found.tolist() == [[0, 0, 0.25, 1, 1, 0]]
    assert found.flags.c_contiguous


@pytest.mark.parametrize(
    ("side", "rounds", "everywhere"), [(32, 10, True), (33, 4, True), (256, 4, True), (257, 4, False)]
)
def test_small_levels_are_solved_often_and_large_ones_in_the_band_alone(side, rounds, everywhere):
    level = _Level(np.zeros((3, side, 3), np.float32), np.ones((3, side), np.float32))
    assert level.rounds == rounds
    assert (len(level.unknown()[0]) == 3 * side) is everywhere


@pytest.mark.parametrize(
    ("size", "known"), [((40, 60), [-3452141, -3077113, -10620141]), ((300, 90), [-1690318, -565429, -869888])]
)
def test_colours_are_what_they_always_were(unchanged, size, known):
    """What is cached under one version may not change; large pictures are solved in the band alone."""
    rng = np.random.default_rng(7)
    alpha = cv2.GaussianBlur((rng.random(size) > 0.6).astype(np.float32), (0, 0), 3) * 3 - 1
    alpha = np.clip(alpha, 0, 1)
    plate = over(waves(*size, RED, RED[::-1]), alpha, waves(*size, BLUE, BLUE * 0.3))
    plate += rng.normal(0, 0.01, plate.shape).astype(np.float32)
    plate[::17, ::13] *= 9
    unchanged(estimate(plate, alpha), known, within=1000)


def test_of_an_infinite_plate_the_largest_half_is_left():
    plate, alpha = np.full((8, 8, 3), 0.5, np.float32), np.ones((8, 8), np.float32)
    plate[2, 3], plate[4, 4], plate[5, 5] = np.inf, -np.inf, np.nan
    found = estimate(plate, alpha)
    assert (found[2, 3, 0], found[4, 4, 0], found[5, 5, 0]) == (65504, -65504, 0)


def test_a_pixel_outshines_those_around_from_four_times_their_light_on():
    light = np.full((9, 9, 3), 0.5, np.float32)
    light[2, 2], light[6, 6] = 1.99, 2.01
    calm = _calm(light)
    assert (calm[2, 2, 0], calm[6, 6, 0]) == (np.float32(1.99), 0.5)
    light[0:2, 4:6] = 1.0
    assert _calm(light)[2, 2, 0] == np.float32(1.99)


def test_levels_double_at_most_and_end_at_the_whole_picture():
    assert list(_sizes((1, 1))) == [(1, 1), (1, 1)]
    assert list(_sizes((3, 5))) == [(1, 1), (2, 1), (3, 2), (5, 3)]
    assert list(_sizes((8, 2))) == [(1, 1), (1, 2), (2, 4), (2, 8)]


@pytest.mark.parametrize(("cover", "known"), [(1.0, np.s_[..., :3]), (0.0, np.s_[..., 3:])])
def test_where_a_large_level_is_solid_or_clear_the_plate_is_what_is_seen(cover, known):
    light = waves(4, 257, RED, BLUE)
    mix = np.zeros((4, 257, 6), np.float32)
    _solve(_Level(light, np.full((4, 257), cover, np.float32)), mix, (0.0, 2.0))
    np.testing.assert_array_equal(mix[known], light)
