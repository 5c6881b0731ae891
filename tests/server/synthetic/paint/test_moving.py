import numpy as np
import pytest
from videomama_server.synthetic.paint.canvas import Layer, Stage
from videomama_server.synthetic.paint.moving import (
    chained,
    defocused,
    exposed,
    in_pixels,
    moved,
    rotation,
    scaling,
    shift,
)

SIZE = (64, 48)


def square(left=10, top=12):
    return Layer(np.ones((8, 6, 4), np.float32), left, top)


def on_picture(layer):
    picture = np.zeros((SIZE[1], SIZE[0], 4), np.float32)
    layer.over(picture)
    return picture


def at(matrix, x, y):
    return matrix[:, :2] @ np.array([x, y]) + matrix[:, 2]


def test_the_last_matrix_comes_first():
    np.testing.assert_allclose(at(chained(shift(5, 0), rotation(np.pi / 2)), 1, 0), (5, 1), atol=1e-6)
    np.testing.assert_allclose(at(chained(rotation(np.pi / 2), shift(5, 0)), 1, 0), (0, 6), atol=1e-6)
    np.testing.assert_allclose(at(chained(scaling(2, 3), shift(1, 1)), 1, 1), (4, 6))


def test_in_pixels_puts_the_origin_where_the_stage_says():
    stage = Stage(192, 108, 1)
    np.testing.assert_allclose(at(in_pixels(stage, shift(50, 100)), 0, 0), (96 + 10, 20))
    np.testing.assert_allclose(at(in_pixels(stage, shift(50, 100)), 3, 0), (96 + 13, 20))  # sprites are in pixels


@pytest.mark.parametrize("step", [(0, 0), (7, -3), (-4, 20)])
def test_whole_pixels_move_without_a_loss(step):
    there = on_picture(moved(square(), shift(*step), SIZE))
    np.testing.assert_array_equal(there, on_picture(square(10 + step[0], 12 + step[1])))


def test_half_a_pixel_is_shared():
    alpha = on_picture(moved(square(), shift(0.5, 0), SIZE))[..., 3]
    np.testing.assert_allclose(alpha[15, [9, 10, 11, 15, 16, 17]], [0, 0.5, 1, 1, 0.5, 0], atol=0.02)


@pytest.mark.parametrize("step", [(-500, 0), (0, 400), (60, 0), (-13, -16)])
def test_what_leaves_the_picture_is_cut_off(step):
    there = on_picture(moved(square(), shift(*step), SIZE))
    np.testing.assert_array_equal(there, on_picture(square(10 + step[0], 12 + step[1])))


def test_a_turn_keeps_the_area():
    turned = on_picture(moved(square(-3, -4), chained(shift(30, 24), rotation(0.7)), SIZE))
    assert turned[..., 3].sum() == pytest.approx(48, rel=0.03)
    assert turned[24, 30, 3] == pytest.approx(1)


def test_exposed_is_the_mean_over_the_open_shutter():
    seen = []

    def draw(time):
        seen.append(time)
        return np.full((2, 2, 4), time, np.float32)

    np.testing.assert_allclose(exposed(draw, 10.0, 0.5, 5), 10.0)
    assert seen == pytest.approx([9.8, 9.9, 10.0, 10.1, 10.2])


def test_defocus_is_a_disc_that_keeps_the_light():
    dot = np.zeros((81, 81, 4), np.float32)
    dot[40, 40] = 1
    spread = defocused(dot, 12.0)
    y, x = np.mgrid[-40:41, -40:41]
    radius = np.hypot(x, y)
    assert spread[..., 3].sum() == pytest.approx(1, rel=1e-4)
    assert spread.min() >= 0
    assert spread[radius > 13.5].max() < 1e-6
    assert np.ptp(spread[radius < 11][:, 3]) < 1e-5
    np.testing.assert_array_equal(defocused(dot, 0.2), dot)


def test_a_point_is_spread_over_a_disc_of_the_radius():
    point = np.zeros((41, 41, 4), np.float32)
    point[20, 20] = 1
    spread = defocused(point, 6.0)[..., 3]
    assert spread.sum() == pytest.approx(1, rel=1e-4)
    assert 1 / spread.max() == pytest.approx(np.pi * 6**2, rel=0.03)


def test_a_lens_spreads_from_half_a_pixel_on():
    dot = np.zeros((9, 9, 4), np.float32)
    dot[4, 4] = 1
    assert defocused(dot, 0.49) is dot
    spread = defocused(dot, 0.7)[..., 3]
    assert spread[4, 5] == pytest.approx(0.2 / 1.8)
    assert spread[5, 5] == 0
