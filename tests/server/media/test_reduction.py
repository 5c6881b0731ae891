import numpy as np
import pytest
from videomama_server.media.reduction import averaged, fitted_size, reduced_sides, reduced_size

SIDES = np.arange(1, 4201)


@pytest.mark.parametrize("longest", [480, 960, 1920])
def test_every_size_up_to_4200_keeps_its_aspect_to_half_a_pixel_and_never_vanishes(longest):
    for long_side in range(longest + 1, 4201):
        short = SIDES[:long_side]
        reduced = reduced_sides(short, longest / long_side)
        assert reduced[-1] == longest
        assert reduced.min() >= 1
        wide = short * longest >= long_side / 2  # what would be less than half a pixel is one
        assert (np.abs(reduced * long_side - short * longest)[wide] * 2 <= long_side + 1e-6).all()


def test_what_is_measured_at_480_is_nowhere_larger_than_what_is_measured_at_960():
    """An alpha goes to 480 from 960, and averaging only makes smaller."""
    for long_side in range(481, 4201):
        short = SIDES[:long_side]
        working = reduced_sides(short, min(1.0, 960 / long_side))
        assert (reduced_sides(short, 480 / long_side) <= working).all()


@pytest.mark.parametrize(
    ("size", "at_960", "at_480"),
    [
        ((1556, 2048), (729, 960), (365, 480)),
        ((1080, 1998), (519, 960), (259, 480)),
        ((16, 1025), (15, 960), (7, 480)),
        ((4200, 1), (960, 1), (480, 1)),
        ((300, 480), (300, 480), (300, 480)),
    ],
)
def test_sizes_come_from_the_whole_frame(size, at_960, at_480):
    assert (fitted_size(size, 960), fitted_size(size, 480)) == (at_960, at_480)


def test_a_scale_counts_for_both_sides():
    assert reduced_size((100, 50), 0.33) == (33, 16)
    assert reduced_size((1, 1), 0.001) == (1, 1)


def test_a_picture_is_averaged_to_the_size_that_was_asked_for():
    picture = np.arange(16, dtype=np.float32).reshape(4, 4)
    np.testing.assert_allclose(averaged(picture, (2, 2)), [[2.5, 4.5], [10.5, 12.5]])
    assert averaged(np.ones((9, 7, 3), np.float32), (4, 5)).shape == (4, 5, 3)
    assert averaged(picture, (4, 4)) is picture
