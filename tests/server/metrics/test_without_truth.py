"""What is measured where nobody knows the exact alpha: against the mask alone."""

import numpy as np
import pytest
from videomama_client.errors import BadInput
from videomama_server.metrics import (
    WITHOUT_TRUTH,
    chatter_inside,
    haze_outside,
    transparent_inside,
    without_truth,
)

WIDTH = 854  # at which depths are pixels


def square(side=100, width=WIDTH, height=480, left=200, top=200):
    mask = np.zeros((height, width), np.float32)
    mask[top : top + side, left : left + side] = 1
    return mask


def test_the_mask_itself_has_none_of_what_is_measured():
    mask = square()
    figures = without_truth(mask, mask, (mask, mask))
    assert tuple(figures) == WITHOUT_TRUTH
    assert set(figures.values()) == {0.0}


def test_the_interior_begins_so_many_pixels_from_the_outline():
    mask = square()
    alpha = mask.copy()
    alpha[200, 200:300] = 0  # the outermost row of a hundred
    alpha[203, 203:297] = 0.7  # the outermost row of the interior, which is 94 pixels wide
    assert transparent_inside(alpha, mask, 3, 0.9) == pytest.approx(100 * 94 / 94**2)
    assert transparent_inside(alpha, mask, 3, 0.5) == 0
    assert transparent_inside(alpha, mask, 6, 0.9) == 0


def test_haze_is_counted_beyond_so_many_pixels():
    mask = square()
    alpha = mask.copy()
    alpha[200:300, 300:310] = 0.03  # ten columns beside the mask, of which four are further than six pixels
    alpha[0, 0] = 0.5
    alpha[1, 1] = 0.02  # not above
    assert haze_outside(alpha, mask) == 4 * 100 + 1


def test_chatter_is_the_change_inside_both_masks():
    mask, moved = square(), square(left=210)
    shared = np.zeros_like(mask)
    shared[203:297, 213:297] = 1  # their interior
    before = mask - 0.25 * shared
    assert chatter_inside(mask, before, mask, moved) == pytest.approx(250)
    flicker_at_the_edge = mask.copy()
    flicker_at_the_edge[200:203] = 0
    assert chatter_inside(flicker_at_the_edge, mask, mask, mask) == 0


@pytest.mark.parametrize("scale", [1, 2])
def test_depths_grow_with_the_picture(scale):
    def grown(picture):
        return np.kron(picture, np.ones((scale, scale), np.float32))

    mask = square()
    alpha = mask.copy()
    alpha[204:210, 204:296] = 0.3
    alpha[250:, 310:] = 0.1
    one, large = without_truth(alpha, mask), without_truth(grown(alpha), grown(mask))
    assert large["haze"] == pytest.approx(one["haze"] * scale**2, rel=0.02)
    for name in ("inside_90", "inside_50", "deep_90"):
        assert large[name] == pytest.approx(one[name], rel=0.05)


def test_the_edge_of_the_frame_is_no_outline():
    mask = np.zeros((480, WIDTH), np.float32)
    mask[300:] = 1
    alpha = mask.copy()
    alpha[-1] = 0  # the last row is as deep as it gets
    assert transparent_inside(alpha, mask, 6, 0.9) > 0
    full = np.ones_like(mask)
    assert transparent_inside(full * 0.5, full, 6, 0.9) == 100
    assert haze_outside(full, full * 0) == full.size


def test_a_mask_without_interior_has_no_figure():
    thin = square(side=2)
    assert transparent_inside(thin, thin, 3, 0.9) is None
    assert chatter_inside(thin, thin, thin, thin) is None
    assert without_truth(thin, thin)["chatter"] is None


def test_pictures_that_do_not_fit_are_refused():
    mask = square()
    with pytest.raises(BadInput):
        transparent_inside(mask[:-1], mask, 3, 0.9)
    with pytest.raises(BadInput):
        chatter_inside(mask, mask, mask, mask[:-1])
    with pytest.raises(BadInput, match="NaN"):
        without_truth(np.full_like(mask, np.nan), mask)


def test_each_figure_has_its_own_depth_and_level():
    mask, before = square(), square()
    alpha = mask.copy()
    for depth, level in ((1, 0.1), (3, 0.49), (4, 0.89), (6, 0.49), (8, 0.89), (10, 0.51)):
        alpha[200 + depth, 200 + 6 : 300 - 6] = level
    figures = without_truth(alpha, mask, (before, mask))
    inside, deep = 94**2, 88**2
    assert figures["inside_90"] == pytest.approx(100 * 5 * 88 / inside)
    assert figures["inside_50"] == pytest.approx(100 * 2 * 88 / inside)
    assert figures["deep_90"] == pytest.approx(100 * 3 * 88 / deep)
    assert figures["deep_50"] == pytest.approx(100 * 88 / deep)
    lacking = 2 * 0.51 + 2 * 0.11 + 0.49
    assert figures["chatter"] == pytest.approx(1e3 * 88 * lacking / inside, rel=1e-4)


def test_a_mask_is_subject_from_a_half_on():
    alpha = np.zeros((480, WIDTH), np.float32)
    assert transparent_inside(alpha, square() * np.float32(0.5), 3, 0.9) == 100
    assert transparent_inside(alpha, square() * np.float32(0.49), 3, 0.9) is None
    assert haze_outside(alpha + np.float32(0.021), square() * np.float32(0.49)) == alpha.size
    assert haze_outside(alpha + np.float32(0.019), square()) == 0
