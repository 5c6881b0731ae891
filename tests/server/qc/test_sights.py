"""What is kept of a frame: small, and the same whatever the size."""

import numpy as np
import pytest
from videomama_client.errors import BadInput
from videomama_server.qc import sights
from videomama_server.qc.sights import WORKING, Glimpse, glimpse, sight


def same(plate):
    return plate


def test_frames_that_are_large_are_kept_small():
    plate, mask = np.full((1000, 2000, 3), 0.5, np.float32), np.zeros((1000, 2000), np.float32)
    mask[:, :500] = 1
    seen = glimpse(plate, mask, same)
    assert (seen.size, seen.mask.shape, seen.view.shape) == (
        (1000, 2000),
        (WORKING // 2, WORKING),
        (WORKING // 2, WORKING),
    )
    assert (seen.mask.dtype, seen.view.dtype) == (bool, np.uint8)
    assert sight(7, seen, mask).alpha.shape == (WORKING // 2, WORKING)


def test_frames_that_are_small_are_kept_as_they_are():
    mask = np.random.default_rng(1).random((WORKING, 90), np.float32)
    seen = glimpse(np.zeros((WORKING, 90, 3), np.float32), mask, same)
    np.testing.assert_array_equal(seen.mask, mask >= 0.5)
    np.testing.assert_array_equal(sight(1, seen, mask).alpha, mask)
    assert seen.view.shape == (WORKING, 90)


@pytest.mark.parametrize(("size", "step"), [((1080, 1920), 2), ((2160, 3840), 8)])
def test_of_a_large_frame_some_rows_are_looked_at(size, step):
    plate, mask = np.zeros((*size, 3), np.float32), np.zeros(size, np.float32)
    plate[::step] = mask[::step] = 1
    seen = glimpse(plate, mask, same)
    assert seen.covered == 1
    assert (seen.view == 255).all()


def test_the_mask_is_cut_at_a_half_and_its_grey_counts_in_what_it_covers():
    mask = np.float32([[0.49, 0.5, 0.51, 0.0]])
    seen = glimpse(np.zeros((1, 4, 3), np.float32), mask, same)
    assert seen.mask.tolist() == [[False, True, True, False]]
    assert seen.covered == pytest.approx(0.375)


def test_the_view_is_of_the_plate_as_it_is_displayed():
    plate = np.full((8, 8, 3), 0.25, np.float32)
    seen = glimpse(plate, np.zeros((8, 8), np.float32), lambda pixels: pixels * 2)
    assert abs(int(seen.view[4, 4]) - 128) <= 1


def test_sizes_that_differ_are_refused():
    plate, mask = np.zeros((20, 30, 3), np.float32), np.zeros((20, 30), np.float32)
    with pytest.raises(BadInput, match="the plate is 30x20, the mask 29x20"):
        glimpse(plate, mask[:, 1:], same)
    with pytest.raises(BadInput, match="plate and mask are 30x20, the alpha 30x19"):
        sight(1, glimpse(plate, mask, same), mask[1:])


def test_of_a_large_frame_every_other_row_or_so_is_read():
    picture = np.zeros((1920, 960), np.float32)
    picture[1::2] = 1
    assert sights._reduced(picture, (480, 240)).max() == 0  # of four rows two are read
    assert sights._reduced(picture[:1919], (480, 240)).max() > 0
    assert sights._reduced(picture[:480, :240], (480, 240)).max() == 1


def test_grey_of_a_mask_lies_between_a_tenth_and_nine_tenths():
    mask = np.float32([[0.09, 0.11, 0.5, 0.89, 0.91]])
    assert glimpse(np.zeros((1, 5, 3), np.float32), mask, same).grey == pytest.approx(0.6)
    assert (Glimpse((1, 1), None, None, 0.0).grey, Glimpse((1, 1), None, None, 0.0).gaps) == (0, ())


def test_gaps_go_along_and_what_the_alpha_leaves_of_them_is_told():
    plate, mask = np.full((180, 320, 3), 0.3, np.float32), np.zeros((180, 320), np.float32)
    mask[2:100, 100:200] = 1
    seen = glimpse(plate, mask, same)
    assert [(gap.turns, gap.rows) for gap in seen.gaps] == [(0, 2)]
    assert sight(1, seen, mask).uncovered == pytest.approx(100 / 320)


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(sights.Glimpse) == {"grey": 0.0}
    assert numbers_left_out(sights.Sight) == {"uncovered": 0.0}
