import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from videomama_server.media.geometry import EMPTY, Geometry, Rect

sides = st.integers(1, 50)
places = st.integers(-60, 60)
rects = st.builds(Rect, places, places, sides, sides)


def pixels_of(rect):
    return {(x, y) for x in range(rect.x, rect.right) for y in range(rect.y, rect.bottom)}


def test_right_and_bottom_are_one_past_the_last_pixel():
    rect = Rect(-3, 5, 10, 4)
    assert (rect.right, rect.bottom) == (7, 9)


@pytest.mark.parametrize(("w", "h"), [(0, 5), (5, 0), (0, 0), (-1, 5)])
def test_a_rectangle_without_pixels_is_empty(w, h):
    assert Rect(0, 0, w, h).empty


@given(rects, rects)
def test_intersection_holds_exactly_the_shared_pixels(one, other):
    shared = one.intersect(other)
    assert shared.empty == (not pixels_of(one) & pixels_of(other))
    assert pixels_of(shared) == pixels_of(one) & pixels_of(other)


@given(rects, rects)
def test_union_is_the_smallest_rectangle_that_holds_both(one, other):
    both = one.union(other)
    assert both.holds(one)
    assert both.holds(other)
    assert {both.x, both.y} <= {one.x, one.y, other.x, other.y}
    assert both.right in (one.right, other.right)
    assert both.bottom in (one.bottom, other.bottom)


@given(rects)
def test_an_empty_rectangle_adds_nothing_to_a_union(rect):
    assert rect.union(EMPTY) == rect == EMPTY.union(rect)
    assert Rect(0, 0, 0, 0) == EMPTY
    assert rect.union(Rect(500, 500, 0, 3)) == rect


@given(rects, rects)
def test_holds_means_every_pixel(one, other):
    assert one.holds(other) == (pixels_of(other) <= pixels_of(one))


def test_grow_adds_on_every_side():
    assert Rect(10, 20, 30, 40).grow(2, 3) == Rect(8, 17, 34, 46)


@given(rects, st.integers(0, 9), st.integers(0, 9))
def test_slices_pick_the_rectangle_out_of_an_array_around_it(rect, x, y):
    around = rect.grow(x, y)
    marked = np.zeros((around.h, around.w), bool)
    marked[rect.slices(around)] = True
    rows, columns = np.nonzero(marked)
    assert {(int(c) + around.x, int(r) + around.y) for r, c in zip(rows, columns, strict=True)} == pixels_of(rect)


def test_canvas_is_the_full_frame_when_the_data_window_is_inside():
    display = Rect(0, 0, 100, 50)
    assert Geometry(display, Rect(10, 10, 20, 20)).canvas == display


def test_canvas_reaches_over_the_display_window_where_there_is_overscan():
    assert Geometry(Rect(0, 0, 100, 50), Rect(-8, 10, 50, 60)).canvas == Rect(-8, 0, 108, 70)


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(Geometry) == {"pixel_aspect": 1.0}
