import numpy as np
import pytest
from videomama_server.media.geometry import Geometry, Rect
from videomama_server.media.orientation import UPRIGHT, is_transposed, turned, upright, valid

SEEN = np.arange(12, dtype=np.float32).reshape(3, 4, 1)  # a picture 4 wide and 3 high

# What a file stores for that picture, row by row, as the TIFF standard words it: where its first row and column lie.
STORED = {
    1: SEEN,
    2: SEEN[:, ::-1],
    3: SEEN[::-1, ::-1],
    4: SEEN[::-1],
    5: SEEN.swapaxes(0, 1),
    6: SEEN.swapaxes(0, 1)[::-1],
    7: SEEN.swapaxes(0, 1)[::-1, ::-1],
    8: SEEN.swapaxes(0, 1)[:, ::-1],
}
FIRST_ROW_AND_COLUMN = {1: "top left", 2: "top right", 3: "bottom right", 4: "bottom left"}
FIRST_ROW_AND_COLUMN |= {5: "left top", 6: "right top", 7: "right bottom", 8: "left bottom"}
SIDES = {"top": SEEN[0, :, 0], "bottom": SEEN[-1, :, 0], "left": SEEN[:, 0, 0], "right": SEEN[:, -1, 0]}


@pytest.mark.parametrize("tag", STORED)
def test_the_table_of_this_test_is_that_of_the_standard(tag):
    row, column = FIRST_ROW_AND_COLUMN[tag].split()
    assert set(STORED[tag][0, :, 0]) == set(SIDES[row])
    assert set(STORED[tag][:, 0, 0]) == set(SIDES[column])


@pytest.mark.parametrize("tag", STORED)
def test_pixels_are_turned_as_the_tag_says(tag):
    found = upright(np.ascontiguousarray(STORED[tag]), tag)
    np.testing.assert_array_equal(found, SEEN)
    assert found.flags["C_CONTIGUOUS"]


@pytest.mark.parametrize("tag", STORED)
def test_windows_turn_with_the_pixels(tag):
    """A data window marked in the picture lies where the turned geometry says."""
    stored = np.zeros(STORED[tag].shape, np.float32)
    data = Rect(1, 0, 2, 1)
    stored[data.slices(Rect(0, 0, stored.shape[1], stored.shape[0]))] = 1
    display = Rect(0, 0, stored.shape[1], stored.shape[0])
    found = turned(Geometry(display, data, 2.0), tag)
    marked = np.zeros(SEEN.shape, np.float32)
    marked[found.data.slices(found.display)] = 1
    np.testing.assert_array_equal(upright(stored, tag), marked)
    assert found.display == Rect(0, 0, 4, 3)
    assert found.pixel_aspect == (0.5 if is_transposed(tag) else 2.0)


def test_windows_count_from_the_display_windows_origin():
    geometry = Geometry(Rect(100, 50, 64, 48), Rect(90, 50, 20, 10))
    assert turned(geometry, 2) == Geometry(Rect(100, 50, 64, 48), Rect(154, 50, 20, 10))


@pytest.mark.parametrize("tag", [None, 0, 9, -1, "6", 2.0])
def test_a_tag_that_is_none_of_the_eight_turns_nothing(tag):
    assert valid(tag) == UPRIGHT
