"""A rough mask of an exact alpha."""

import numpy as np
import pytest
from videomama_server.synthetic.demo_clip import ClipShape, render_frame
from videomama_server.synthetic.rough_mask import rough_mask


def test_rough_mask_keeps_holes_and_drops_specks():
    alpha = np.zeros((270, 480), np.float32)
    alpha[40:230, 100:380] = 1
    alpha[100:170, 200:280] = 0
    alpha[10:14, 10:14] = 1
    mask = rough_mask(alpha, np.random.default_rng(1))
    assert mask[135, 240] == 0
    assert mask[70, 150] == 1
    assert mask[:30, :30].sum() == 0


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_rough_mask_of_a_flat_alpha(value):
    alpha = np.full((90, 160), value, np.float32)
    np.testing.assert_array_equal(rough_mask(alpha, np.random.default_rng(1)), alpha)


def test_it_strays_from_the_outline_by_a_few_units_and_otherwise_each_time():
    y, x = np.mgrid[:270, :480]
    alpha = (np.hypot(x - 240, y - 135) < 90).astype(np.float32)
    one, other = (rough_mask(alpha, np.random.default_rng(seed)) for seed in (1, 2))
    for mask in (one, other):
        assert set(np.unique(mask)) == {0.0, 1.0}
        assert 0.005 < np.abs(mask - alpha).mean() / alpha.mean() < 0.08
        assert (mask[np.hypot(x - 240, y - 135) < 80] == 1).all()
    assert not np.array_equal(one, other)
    np.testing.assert_array_equal(one, rough_mask(alpha, np.random.default_rng(1)))


def test_a_shape_that_leaves_the_picture_is_drawn_past_its_edge():
    alpha = np.zeros((270, 480), np.float32)
    alpha[150:, 100:300] = 1
    assert (rough_mask(alpha, np.random.default_rng(3))[-1, 120:280] == 1).all()


def test_what_is_thinner_than_a_lock_of_hair_or_less_than_half_covered_is_left_out():
    alpha = np.zeros((540, 960), np.float32)
    alpha[:, 100:107] = 1
    alpha[100:400, 500:800] = 0.49
    assert not rough_mask(alpha, np.random.default_rng(4)).any()
    alpha[100:400, 500:800] = 0.5
    assert rough_mask(alpha, np.random.default_rng(4))[250, 650] == 1


def test_it_is_the_mask_that_it_always_was():
    y, x = np.mgrid[:270, :480]
    alpha = np.clip(60 - np.hypot((x - 200) / 2, y - 120), 0, 1).astype(np.float32)
    alpha[110:150, 180:260] = 0
    mask = rough_mask(alpha, np.random.default_rng(7))
    assert [int(mask.sum()), int((mask * x).sum() / mask.sum()), int((mask * y).sum() / mask.sum())] == [
        18544,
        195,
        118,
    ]


@pytest.mark.parametrize(("side", "drawn"), [(19, False), (25, True)])
def test_a_shape_is_drawn_from_four_hundred_square_units_on(side, drawn):
    alpha = np.zeros((540, 400), np.float32)  # a pixel is a unit
    alpha[200 : 200 + side, 160 : 160 + side] = 1
    assert rough_mask(alpha, np.random.default_rng(5)).any() == drawn


def test_the_details_of_the_demos_mask_are_what_they_always_were(unchanged):
    alpha = render_frame(ClipShape(), 1009).alpha
    unchanged(rough_mask(alpha, np.random.default_rng(9))[..., None], [-101937])


def test_its_every_pixel_is_where_it_always_was(unchanged):
    y, x = np.mgrid[:540, :960]
    alpha = np.clip(120 - np.hypot((x - 400) / 2, y - 240), 0, 1).astype(np.float32)
    alpha[220:300, 360:520] = 0
    alpha[400:, 700:800] = alpha[20:34, 800:820] = alpha[60:67, 600:900] = 1
    unchanged(rough_mask(alpha, np.random.default_rng(7)), [36272])
