"""Hole masks: binary, closed and grown from alphas, in the files that were asked for."""

import numpy as np
import pytest
from videomama_client.errors import BadInput, NotPermitted
from videomama_server.hole_masks import HoleMasks, hole
from videomama_server.media import frames


def spot(size=64):
    alpha = np.zeros((size, size), np.float32)
    alpha[20:40, 20:40] = 0.5
    alpha[28:32, 28:32] = 0  # a hole in the subject
    alpha[5, 5] = 0.01
    return alpha


def test_a_hole_is_binary_and_takes_what_is_soft():
    made = hole(spot(), HoleMasks("h.####.png", close=0, grow=0), 1920)
    assert made.dtype == np.float32
    np.testing.assert_array_equal(made, (spot() >= 0.02).astype(np.float32))
    assert hole(spot(), HoleMasks("h.####.png", threshold=0.005, close=0, grow=0), 1920)[5, 5] == 1
    assert not hole(spot(), HoleMasks("h.####.png", threshold=0.6, close=0, grow=0), 1920).any()


def test_gaps_are_closed_and_the_rest_grows():
    closed = hole(spot(), HoleMasks("h.####.png", close=8, grow=0), 1920)
    assert closed[20:40, 20:40].all()
    assert closed.sum() == 400
    grown = hole(spot(), HoleMasks("h.####.png", close=8, grow=3), 1920)
    assert grown[30, 17] == 1
    assert grown[30, 16] == 0
    assert set(np.unique(grown)) == {0, 1}


def test_distances_are_of_a_plate_1920_wide():
    grown = hole(spot(), HoleMasks("h.####.png", close=0, grow=3), 3840)
    assert (grown[35, 14], grown[35, 13]) == (1, 0)


@pytest.mark.parametrize(("suffix", "channel"), [(".png", ""), (".exr", ""), (".tif", ""), (".exr", "matte.A")])
def test_files_hold_zeros_and_ones_with_the_geometry_of_the_alphas(tmp_path, suffix, channel):
    alpha = tmp_path / "alpha.1001.exr"
    frames.write_picture(alpha, spot(), (channel or "A",), "half")
    masks = HoleMasks(str(tmp_path / "holes" / f"hole.####{suffix}"), grow=0, close=0)
    masks.check([1001])
    told = []
    masks.write({1001: alpha}, channel, told.append)
    made = frames.read_mask(tmp_path / "holes" / f"hole.1001{suffix}")
    np.testing.assert_array_equal(made.pixels[..., 0], (spot() >= 0.02).astype(np.float32))
    assert told == [1001]


def test_what_cannot_be_written_is_refused_before_any_work(tmp_path):
    with pytest.raises(BadInput, match="cannot write"):
        HoleMasks(str(tmp_path / "hole.####.jpg")).check([1])
    with pytest.raises(BadInput, match="single file, and 2 frames"):
        HoleMasks(str(tmp_path / "hole.png")).check([1, 2])
    (tmp_path / "file").touch()
    with pytest.raises(NotPermitted):
        HoleMasks(str(tmp_path / "file" / "hole.####.png")).check([1])


def test_an_alpha_that_is_not_there_is_named(tmp_path):
    masks = HoleMasks(str(tmp_path / "hole.####.png"))
    with pytest.raises(BadInput, match="alpha frame 7"):
        masks.write({7: tmp_path / "alpha.0007.exr"}, "", lambda _: None)


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(HoleMasks) == {"threshold": 0.02, "close": 8.0, "grow": 8.0}
