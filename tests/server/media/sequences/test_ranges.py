import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from videomama_client.errors import BadInput
from videomama_server.media.sequences import (
    clip_frames,
    consecutive,
    even_step,
    format_range,
    gap_hint,
    parse,
    parse_range,
    ranges,
    runs,
    spread,
    whole_range,
)

FRAMES = st.sets(st.integers(-60, 60), min_size=1, max_size=30) | st.sets(st.integers(-2000, 2000), min_size=1)


@pytest.mark.parametrize(
    ("text", "frames"),
    [
        ("1001-1003", [1001, 1002, 1003]),
        ("1001-1005x2", [1001, 1003, 1005]),
        ("1-10x3, 20", [1, 4, 7, 10, 20]),
        ("5", [5]),
        ("-3--1", [-3, -2, -1]),
        ("-2-1", [-2, -1, 0, 1]),
        ("-5--1x2", [-5, -3, -1]),
        ("3-1", [1, 2, 3]),
        ("1,1,1-2", [1, 2]),
        ("5000000-5000002x2", [5000000, 5000002]),
    ],
)
def test_frame_ranges(text, frames):
    assert parse_range(text) == frames


@pytest.mark.parametrize("text", ["", ",", "a", "1-", "1-2-3", "1-10x0", "1.5", "1-5x0.5", "1-x", "9" * 5000])
def test_what_is_not_a_frame_range_is_an_error(text, raises_with_hint):
    with raises_with_hint(BadInput, text):
        parse_range(text)


@pytest.mark.parametrize("read", [parse_range, lambda text: parse(f"p.{text}#.exr")])
@pytest.mark.parametrize("text", ["1-9999999", "-9000000-9000", ",".join(["1-999999"] * 9)])
def test_a_range_that_is_too_long_is_refused_at_once(read, text, raises_with_hint):
    started = time.process_time()
    with raises_with_hint(BadInput, text):
        read(text)
    assert time.process_time() - started < 0.5


def test_a_range_may_have_as_many_frames_as_the_limit_and_no_more(monkeypatch, raises_with_hint):
    monkeypatch.setattr(ranges, "MAX_FRAMES", 5)
    assert parse_range("1-3, 8-9") == [1, 2, 3, 8, 9]
    with raises_with_hint(BadInput, "1-3, 8-10"):
        parse_range("1-3, 8-10")


def test_a_range_of_many_pieces_is_read_at_once():
    started = time.process_time()
    assert len(parse_range(",".join(f"{first}-{first + 1}" for first in range(0, 40000, 5)))) == 16000
    assert time.process_time() - started < 5


@given(FRAMES)
def test_ranges_round_trip(frames):
    assert parse_range(whole_range(frames)) == sorted(frames)


@given(st.sets(st.integers(-2000, 2000), min_size=1, max_size=30))
def test_a_short_list_is_written_in_full(frames):
    assert whole_range(frames) == format_range(frames)


@given(st.integers(-500, 500), st.integers(1, 9), st.integers(3, 40))
def test_frames_of_one_step_are_one_piece(first, step, count):
    frames = range(first, first + step * count, step)
    assert runs(frames) == [frames]
    assert even_step(frames) == step
    assert len(whole_range(frames).split(",")) == 1


def test_ranges_are_written_as_a_person_would():
    assert format_range([1003, 1001, 1002, 1007]) == "1001-1003, 1007"
    assert format_range([-3, -2, 5, 6]) == "-3--2, 5-6"
    assert format_range([1001, 1003, 1005]) == "1001-1005x2"
    assert format_range([1001, 1003]) == "1001, 1003"
    assert format_range([1, 11, 12, 13, 15]) == "1, 11-13, 15"
    assert format_range([]) == ""


def test_long_lists_are_cut_with_a_count():
    frames = [frame for frame in range(400) if frame % 8 in (0, 1, 3)]
    assert parse_range(whole_range(frames)) == frames
    text = format_range(frames)
    assert text.endswith("and more (150 frames in all)")
    assert len(text) < 300


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([], []),
        ([7], [range(7, 8)]),
        ([1, 3], [range(1, 4, 2)]),
        ([1, 3, 5, 7, 9, 20], [range(1, 10, 2), range(20, 21)]),
        ([*range(1, 11), 12, 14, 16], [range(1, 11), range(12, 17, 2)]),
        ([1, 5, 6, 7], [range(1, 2), range(5, 8)]),
        ([1, 2, 3, 7, 8, 9], [range(1, 4), range(7, 10)]),
    ],
)
def test_frames_fall_into_runs_of_equal_step(frames, expected):
    assert runs(frames) == expected


@given(FRAMES)
def test_runs_hold_every_frame_once_in_order(frames):
    assert [frame for run in runs(frames) for frame in run] == sorted(frames)


@given(FRAMES)
def test_places_are_neighbours_exactly_within_a_run(frames):
    places = consecutive(frames)
    assert list(places) == sorted(frames)
    begins = {run[0] for run in runs(frames)}
    for before, after in pairwise(places):
        assert (places[after] - places[before] == 1) == (after not in begins)
        assert places[after] > places[before]


@given(st.integers(-500, 500), st.integers(1, 50))
def test_frames_one_apart_keep_their_numbers(first, count):
    assert consecutive(range(first, first + count)) == {frame: frame for frame in range(first, first + count)}


@pytest.mark.parametrize(
    ("frames", "step"), [([5], 1), ([5, 6], 1), ([5, 7], 0), ([5, 7, 9], 2), ([5, 7, 10], 0), ([], 0)]
)
def test_an_even_step_is_told_from_missing_frames(frames, step):
    assert even_step(frames) == step


def test_a_clip_is_what_is_named_else_all_from_the_first_plate_to_the_last(raises_with_hint):
    assert clip_frames("1001-1005x2", [1, 2]) == [1001, 1003, 1005]
    assert clip_frames("", {1003: "c", 1001: "a"}) == [1001, 1002, 1003]
    with raises_with_hint(BadInput, "99999999"):
        clip_frames("", [1, 99999999])


@pytest.mark.parametrize(
    ("there", "said"),
    [
        ([1001, 1003, 1005], "--clip 1001-1005x2."),
        ([1, 2, 5, 6], "--clip 1-2,5-6."),
        ([1, 3], "--clip 1,3."),
        ([frame for frame in range(99) if frame % 7], "such as"),
        ([], "share no frame"),
    ],
)
def test_missing_frames_come_with_what_to_do(there, said):
    assert said in gap_hint(there)


@pytest.mark.parametrize(
    ("count", "found"),
    [(1, [1006]), (2, [1001, 1010]), (3, [1001, 1005, 1010]), (10, list(range(1001, 1011))), (11, None)],
)
def test_some_frames_are_spread_evenly_with_the_first_and_the_last(count, found):
    assert spread(range(1001, 1011), count) == (found or list(range(1001, 1011)))
