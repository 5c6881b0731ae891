import numpy as np
import pytest
from videomama_server.media import frames
from videomama_server.train.data import drawn


@pytest.mark.parametrize(
    ("count", "start", "expected"),
    [(1, 0, [0, 0, 0, 0]), (3, 0, [0, 1, 2, 1]), (3, 2, [2, 1, 0, 1]), (9, 4, [4, 5, 6, 7]), (2, 1, [1, 0, 1, 0])],
)
def test_at_the_end_of_a_clip_the_way_turns_round(count, start, expected):
    assert drawn.there_and_back(count, start, 4) == expected


def test_plates_of_floats_are_linear_and_others_are_not(tmp_path):
    grey = np.full((16, 16, 3), 0.214, np.float32)
    frames.write_picture(tmp_path / "a.exr", grey)
    frames.write_picture(tmp_path / "a.png", grey, dtype="uint16")
    assert np.allclose(drawn.read_display(tmp_path / "a.exr"), 0.5, atol=0.002)
    assert np.allclose(drawn.read_display(tmp_path / "a.png"), 0.214, atol=0.002)
    assert np.allclose(drawn.read_light(tmp_path / "a.exr"), 0.214, atol=0.002)


def test_an_alpha_is_held_in_its_range(tmp_path):
    wild = np.repeat(np.array([[np.nan, -3, 0.25, 7]], np.float32), 16, axis=0).repeat(4, axis=1)
    frames.write_picture(tmp_path / "a.exr", wild, ("A",), "float")
    assert drawn.read_alpha(tmp_path / "a.exr")[0, ::4].tolist() == [0, 0, 0.25, 1]


def test_pictures_keep_their_mean_when_they_shrink():
    picture = np.random.default_rng(0).random((64, 96, 3), dtype=np.float32)
    small = drawn.resized(picture, (24, 16))
    assert small.shape == (16, 24, 3)
    assert small.mean() == pytest.approx(picture.mean(), abs=1e-4)
    assert drawn.resized(picture, (96, 64)) is picture


@pytest.mark.parametrize(
    ("wanted", "share", "expected"),
    [((96, 96), 1, (64, 64)), ((160, 90), 1, (96, 54)), ((160, 90), 0.5, (48, 27)), ((9000, 9), 0.5, (48, 1))],
)
def test_the_largest_part_of_an_aspect_touches_two_sides(wanted, share, expected):
    assert drawn.Request(1, *wanted).within((64, 96, 3), share) == expected
