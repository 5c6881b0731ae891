from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from videomama_client.errors import BadInput
from videomama_server.pipeline.window_grid import Window, blend_weights, check_shape, home, lay, touching


@st.composite
def layouts(draw):
    """Return a clip, a window length and an overlap that fit each other."""
    first, step = draw(st.integers(-200, 2000)), draw(st.integers(1, 5))
    length = draw(st.integers(1, 24))
    return range(first, first + step * draw(st.integers(0, 120)) + 1, step), length, draw(st.integers(0, length // 2))


def spans(windows):
    return [(window.first, window.last) for window in windows]


def test_the_grid_is_anchored_at_absolute_frame_numbers():
    assert spans(lay(range(1001, 1021), 8, 2)) == [(1001, 1008), (1002, 1009), (1008, 1015), (1013, 1020)]
    assert spans(lay(range(1002, 1016), 8, 2)) == [(1002, 1009), (1008, 1015)]


def test_windows_on_twos_count_the_frames_that_exist():
    laid = lay(range(1001, 1020, 2), 4, 2)
    assert [list(window.frames) for window in laid] == [
        [1001, 1003, 1005, 1007],
        [1005, 1007, 1009, 1011],
        [1009, 1011, 1013, 1015],
        [1013, 1015, 1017, 1019],
    ]


@given(layouts())
def test_a_clip_on_steps_has_the_windows_of_its_places(layout):
    clip, length, overlap = layout
    places = lay(range(clip[0] // clip.step, clip[-1] // clip.step + 1), length, overlap)
    laid = lay(clip, length, overlap)
    assert [[frame // clip.step for frame in window.frames] for window in laid] == [list(one.frames) for one in places]


@given(layouts(), st.data())
def test_weights_on_steps_are_those_of_the_places(layout, data):
    clip, length, overlap = layout
    frame = data.draw(st.sampled_from(clip))
    shares = blend_weights(lay(clip, length, overlap), frame, overlap)
    places = lay(range(clip[0] // clip.step, clip[-1] // clip.step + 1), length, overlap)
    assert list(shares.values()) == list(blend_weights(places, frame // clip.step, overlap).values())


def test_a_clip_shorter_than_a_window_is_one_window():
    assert spans(lay(range(5, 10), 8, 2)) == [(5, 9)]
    assert spans(lay(range(5, 13), 8, 2)) == [(5, 12)]


def test_windows_of_one_frame():
    assert spans(lay(range(-1, 2), 1, 0)) == [(-1, -1), (0, 0), (1, 1)]


@given(layouts())
def test_every_frame_is_covered_and_no_window_leaves_the_clip(layout):
    clip, length, overlap = layout
    windows = lay(clip, length, overlap)
    assert sorted({frame for window in windows for frame in window.frames}) == list(clip)


@given(layouts())
def test_windows_are_ascending_and_keep_their_full_length(layout):
    clip, length, overlap = layout
    windows = lay(clip, length, overlap)
    assert windows == sorted(set(windows))
    assert {len(window.frames) for window in windows} == {min(length, len(clip))}


@given(layouts())
def test_neighbours_share_at_least_the_overlap(layout):
    clip, length, overlap = layout
    windows = lay(clip, length, overlap)
    for before, after in pairwise(windows):
        assert len(set(before.frames) & set(after.frames)) >= overlap


@given(layouts())
def test_all_but_the_outermost_windows_lie_on_the_grid(layout):
    clip, length, overlap = layout
    inside = lay(clip, length, overlap)[1:-1]
    assert all(window.first // clip.step % (length - overlap) == 0 for window in inside)


@given(layouts(), st.integers(0, 60), st.integers(0, 60))
def test_a_longer_clip_has_the_same_windows_inside(layout, before, after):
    clip, length, overlap = layout
    first, last = clip[0] - before * clip.step, clip[-1] + after * clip.step
    longer = set(lay(range(first, last + 1, clip.step), length, overlap))
    assert set(lay(clip, length, overlap)[1:-1]) <= longer


@given(layouts(), st.data())
def test_weights_of_every_frame_are_positive_and_sum_to_one(layout, data):
    clip, length, overlap = layout
    windows = lay(clip, length, overlap)
    frame = data.draw(st.sampled_from(clip))
    shares = blend_weights(windows, frame, overlap)
    assert set(shares) == {window for window in windows if frame in window.frames}
    assert min(shares.values()) > 0
    assert sum(shares.values()) == pytest.approx(1, abs=1e-12)


@given(layouts(), st.data())
def test_weights_do_not_depend_on_which_frames_are_wanted(layout, data):
    clip, length, overlap = layout
    windows = lay(clip, length, overlap)
    wanted = data.draw(st.sets(st.sampled_from(clip), min_size=1, max_size=5))
    frame = data.draw(st.sampled_from(sorted(wanted)))
    assert blend_weights(touching(windows, min(wanted), max(wanted)), frame, overlap) == blend_weights(
        windows, frame, overlap
    )


def test_on_the_plain_grid_neighbours_cross_fade_linearly():
    one, other = Window(0, 7), Window(6, 13)
    assert blend_weights([one, other], 5, 2) == {one: 1.0}
    assert blend_weights([one, other], 6, 2) == {one: pytest.approx(2 / 3), other: pytest.approx(1 / 3)}
    assert blend_weights([one, other], 7, 2) == {one: pytest.approx(1 / 3), other: pytest.approx(2 / 3)}
    assert blend_weights([one, other], 8, 2) == {other: 1.0}


def test_touching_keeps_the_windows_that_hold_a_wanted_frame():
    windows = [Window(0, 7), Window(6, 13), Window(12, 19)]
    assert touching(windows, 6, 7) == windows[:2]
    assert touching(windows, 8, 8) == windows[1:2]
    assert touching(windows, 19, 19) == windows[2:]
    assert touching(windows, 20, 30) == []


@given(layouts())
def test_every_frame_is_at_home_where_it_lies_most_centrally(layout):
    clip, length, overlap = layout
    windows = lay(clip, length, overlap)
    homes = [home(windows, frame) for frame in clip]
    assert homes == sorted(homes)
    for frame, found in zip(clip, homes, strict=True):
        margin = min(frame - found.first, found.last - frame)
        assert margin == max(min(frame - other.first, other.last - frame) for other in windows)


@pytest.mark.parametrize("length", [0, -1, 257])
def test_a_length_that_cannot_be_laid_is_an_error(length, raises_with_hint):
    with raises_with_hint(BadInput, length):
        check_shape(length, 0)


@pytest.mark.parametrize(("length", "overlap"), [(1, 1), (8, 5), (8, -1)])
def test_an_overlap_that_cannot_be_laid_is_an_error(length, overlap, raises_with_hint):
    with raises_with_hint(BadInput, length, overlap):
        lay(range(101), length, overlap)


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(Window) == {"step": 1}
