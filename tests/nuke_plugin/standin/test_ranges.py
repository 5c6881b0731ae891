"""Frame ranges and frame numbers in paths."""

import pytest
from nuke_standin import ranges


@pytest.mark.parametrize(
    ("text", "frames"),
    [("5", [5]), ("1-4", [1, 2, 3, 4]), ("1-10x4", [1, 5, 9]), ("-2-1", [-2, -1, 0, 1]), ("4-2", [4, 3, 2])],
)
def test_a_range_is_read_as_people_write_it(nuke, text, frames):
    found = nuke.FrameRange(text)
    assert list(found) == frames
    assert found.frames() == len(frames)


def test_a_range_of_numbers(nuke):
    found = nuke.FrameRange(1001, 1010, 3)
    assert (found.first(), found.last(), found.increment(), found.maxFrame()) == (1001, 1010, 3, 1010)
    assert found.isInRange(1004)
    assert not found.isInRange(1005)
    assert str(found) == "1001-1010x3"


@pytest.mark.parametrize("text", ["", "a", "1-", "1-2-3x", "1,2"])
def test_nonsense_is_no_range(nuke, text):
    with pytest.raises(RuntimeError, match="Invalid frame range"):
        nuke.FrameRange(text)


def test_ranges_make_one_list_without_doubles(nuke):
    found = nuke.FrameRanges(["1-5x2", " 4", " 3"])
    assert found.toFrameList() == [1, 3, 4, 5]
    assert (found.size(), found.minFrame(), found.maxFrame()) == (3, 1, 5)
    found.compact()
    assert [str(one) for one in found] == ["1", "3-5"]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/a.%04d.exr", "/a.0007.exr"),
        ("/a.####.exr", "/a.0007.exr"),
        ("/a.%d.exr", "/a.7.exr"),
        ("/a.#.exr", "/a.7.exr"),
    ],
)
def test_every_kind_of_padding_takes_the_frame(path, found):
    assert ranges.with_frame(path, 7) == found
    assert ranges.has_padding(path)


def test_a_path_without_padding_has_none():
    assert not ranges.has_padding("/a.exr")
    assert ranges.with_frame("/a.exr", 7) == "/a.exr"


def test_views_are_put_in_whole_or_by_letter():
    assert ranges.with_view("/%V/%v.exr", "left") == "/left/l.exr"
