"""The drawing tools: where ink falls, what lies over what, and fields of noise."""

import numpy as np
import pytest
from videomama_server.synthetic.paint.canvas import (
    Ink,
    Layer,
    Stage,
    blurred,
    cloud_noise,
    lit,
    relief,
    smooth_noise,
)

BOX = (10, 20, 50, 40)


def test_the_stage_has_its_origin_at_the_middle_of_the_upper_edge():
    stage = Stage(320, 270, 5)
    assert stage.scale == 0.5
    np.testing.assert_allclose(stage.pixels(np.array([[0, 0], [10, 540]])), [[160, 0], [165, 270]])


def test_a_stream_depends_on_the_seed_and_on_each_key():
    draws = {Stage(8, 8, seed).generator(*keys).random() for seed in (5, 6) for keys in ((1,), (2,), (1, 1))}
    assert len(draws) == 6
    assert Stage(8, 8, 5).generator(1).random() == Stage(99, 9, 5).generator(1).random()


def test_a_filled_rectangle_covers_its_pixels_to_their_edges():
    ink = Ink(BOX)
    ink.fill(np.float32([[20, 25], [30, 25], [30, 35], [20, 35]]), np.float32([0.5, 0.25, 1]))
    layer = ink.layer()
    assert (layer.left, layer.top, layer.rgba.shape) == (10, 20, (20, 40, 4))
    np.testing.assert_allclose(layer.rgba[8, 15], [0.5, 0.25, 1, 1], atol=1 / 255)
    assert layer.rgba[..., 3].sum() == pytest.approx(100, rel=0.08)
    assert not layer.rgba[:4].any()
    assert not layer.rgba[:, 22:].any()


@pytest.mark.parametrize("width", [1.0, 3.0, 6.0])
def test_a_line_is_as_wide_as_it_is_asked_for_and_lies_where_it_is_drawn(width):
    ink = Ink(BOX)
    ink.lines(np.float32([[[15, 30], [45, 30]]]), np.float32([[1, 1, 1]]), np.array([width]))
    cover = ink.layer().rgba[:, 20, 3]
    assert cover.sum() == pytest.approx(width, abs=0.5)  # OpenCV's own lines are a little wide
    assert (cover * np.arange(20.5, 40)).sum() / cover.sum() == pytest.approx(30, abs=0.15)


def test_lines_of_several_points_stay_open():
    ink = Ink(BOX)
    ink.lines(np.float32([[[20, 25], [40, 25], [40, 35]]]), np.float32([[1, 1, 1]]), np.array([1.0]))
    cover = ink.layer().rgba[..., 3]
    assert (cover[5, 20], cover[10, 30]) == pytest.approx((1, 1), abs=0.6)  # the two sides that were drawn
    assert cover[9:11, 15:25].max() == 0  # from the end back to the beginning


def test_ink_may_be_brighter_than_1():
    ink = Ink(BOX, peak=4.0)
    ink.fill(np.float32([[10, 20], [50, 20], [50, 40], [10, 40]]), np.float32([3, 1, 5]))
    np.testing.assert_allclose(ink.layer().rgba[10, 20], [3, 1, 4, 1], atol=4 / 255)


@pytest.mark.parametrize(
    ("left", "top", "seen"), [(2, 1, 6), (-1, 0, 4), (4, 2, 1), (5, 0, 0), (0, -2, 0), (-3, 0, 0), (0, 3, 0)]
)
def test_a_layer_is_cut_off_at_the_sides_of_the_picture(left, top, seen):
    picture = np.zeros((3, 5, 4), np.float32)
    Layer(np.ones((2, 3, 4), np.float32), left, top).over(picture)
    assert picture[..., 3].sum() == seen


def test_a_layer_hides_what_is_below_by_its_alpha():
    picture = np.full((1, 2, 4), 0.8, np.float32)
    Layer(np.float32([[[0.1, 0.2, 0.3, 0.25]]]), 1, 0).over(picture)
    np.testing.assert_allclose(picture[0], [[0.8] * 4, [0.7, 0.8, 0.9, 0.85]], rtol=1e-6)


def test_noise_is_as_coarse_as_its_cell_and_clouds_have_all_sizes():
    def steps(field):
        return np.abs(np.diff(field, axis=1)).mean() / field.std()

    rng = np.random.default_rng(3)
    fine, coarse = (smooth_noise(rng, (200, 300), (cell, cell)) for cell in (8, 40))
    assert coarse.shape == (200, 300)
    assert np.abs(coarse).max() < 1.5
    assert steps(fine) > 3 * steps(coarse)
    one, four = (cloud_noise(np.random.default_rng(3), (200, 300), 40, octaves) for octaves in (1, 4))
    assert steps(four) > 1.25 * steps(one)
    assert np.abs(one).max() < 0.75


def test_a_blur_too_small_to_see_is_none():
    pixels = np.random.default_rng(1).random((9, 9), np.float32)
    assert blurred(pixels, 0.19) is pixels
    assert blurred(pixels, 0.2) is not pixels
    line = np.zeros((41, 41), np.float32)
    line[:, 20] = 1
    spread = blurred(line, 3)[20]
    assert (spread * (np.arange(41) - 20) ** 2).sum() == pytest.approx(9, rel=0.05)


def test_a_relief_turns_from_its_outline_to_the_camera():
    y, x = np.mgrid[:81, :81] - 40
    normal = relief((np.hypot(x, y) < 35).astype(np.float32), 20)
    np.testing.assert_allclose(np.linalg.norm(normal, axis=-1), 1, rtol=1e-5)
    np.testing.assert_allclose(normal[40, 40], [0, 0, 1], atol=0.05)
    assert normal[40, 70, 0] > 0.3  # on the right it faces right
    assert normal[70, 40, 1] > 0.3
    bumped = relief((np.hypot(x, y) < 35).astype(np.float32), 20, (x * 0.5).astype(np.float32))
    assert bumped[40, 40, 0] < -0.3


def test_the_sun_is_at_the_upper_right_and_shade_is_cool():
    albedo = np.ones((1, 3, 3), np.float32)
    towards = np.float32([[[0.7, -0.55, 0.45], [0, 0, 1], [-0.7, 0.55, 0.45]]])
    sun, front, shade = lit(albedo, towards)[0]
    assert (sun > front).all()
    assert (front > shade).all()
    assert sun[0] > sun[2]
    assert shade[0] < shade[2]
    np.testing.assert_allclose(lit(albedo * 2, towards)[0, 1], 2 * front, rtol=0.1)


def test_light_and_relief_are_those_that_they_always_were():
    """Every painter uses both; see conftest.py on why they may not drift."""
    towards = np.float32([[[0.6, -0.5, 0.62], [0.0, 0.0, 1.0], [-0.7, 0.6, 0.39], [0.9, -0.3, 0.3]]])
    towards /= np.linalg.norm(towards, axis=-1, keepdims=True)
    shaded = lit(np.float32([0.5, 0.25, 0.125]) * np.ones((1, 4, 3), np.float32), towards)
    known = [[0.8994, 0.4583, 0.2341], [0.4129, 0.1969, 0.0923], [0.0961, 0.0505, 0.027], [1.2485, 0.7732, 0.4808]]
    np.testing.assert_allclose(shaded[0], known, atol=2e-4)
    y, x = np.mgrid[:41, :41] - 20
    cushion = relief((np.hypot(x, y) < 15).astype(np.float32), 8)[20, [24, 28, 32]]
    np.testing.assert_allclose(cushion, [[0.0046, 0, 1], [0.1785, 0, 0.9839], [0.7107, 0, 0.7035]], atol=5e-4)


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(Layer) == {"left": 0, "top": 0}
    assert numbers_left_out(Ink) == {"finer": 4, "peak": 1.0}


def test_ink_keeps_its_levels_and_ends_at_1():
    ink = Ink(BOX)
    ink.lines(np.float32([[[10, 30], [50, 30]]]), np.float32([[0.6, 0, 1.5]]), np.array([6.0]))
    np.testing.assert_allclose(ink.layer().rgba[10, 20], [0.6, 0, 1, 1], atol=1e-6)
    ink.fill(np.float32([[10, 20], [50, 20], [50, 40], [10, 40]]), np.float32([0.6, -1, 1.5]))
    np.testing.assert_allclose(ink.layer().rgba[10, 20], [0.6, 0, 1, 1], atol=1e-6)


def test_the_thinnest_line_is_a_quarter_of_a_pixel_wide():
    cover = []
    for width in (0.01, 0.25, 0.5):
        ink = Ink(BOX)
        ink.lines(np.float32([[[10, 30.125], [50, 30.125]]]), np.float32([[1, 1, 1]]), np.array([width]))
        cover.append(ink.layer().rgba[:, 20, 3].sum())
    assert cover[0] == cover[1] < cover[2]


def test_every_line_needs_a_colour_and_a_width():
    line, white = np.float32([[[10, 30], [50, 30]]]), np.float32([[1, 1, 1]])
    with pytest.raises(ValueError, match="shorter"):
        Ink(BOX).lines(np.concatenate([line, line]), white, np.array([1.0]))
