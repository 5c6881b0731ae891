import pytest
from hypothesis import given
from hypothesis import strategies as st
from videomama_server.engines.base import WindowShape
from videomama_server.pipeline.walks import Walks, WalkShape

CLIP = tuple(range(1001, 1011))


def walks(*starts, clip=CLIP, remembers=True):
    return Walks(clip, WalkShape(1, 0, starts=starts, remembers=remembers))


def ways(walks, frame):
    return [(walk.start, walk.backward, pytest.approx(share)) for walk, share in walks.through(frame)]


def test_a_walk_shape_is_a_shape_of_windows_of_one_frame():
    shape = WalkShape(1, 0, starts=(1004,))
    assert isinstance(shape, WindowShape)
    assert (shape.length, shape.overlap, shape.context) == (1, 0, None)


def test_a_frame_comes_from_the_walks_of_the_prompts_around_it():
    laid = walks(1003, 1007)
    assert ways(laid, 1001) == [(1003, True, 1.0)]
    assert ways(laid, 1003) == [(1003, False, 1.0)]
    assert ways(laid, 1004) == [(1003, False, 0.75), (1007, True, 0.25)]
    assert ways(laid, 1007) == [(1007, False, 1.0)]
    assert ways(laid, 1010) == [(1007, False, 1.0)]


def test_distances_are_of_frame_numbers_so_that_a_gap_counts():
    laid = walks(1001, 1010, clip=(1001, 1002, 1009, 1010))
    assert ways(laid, 1009) == [(1001, False, pytest.approx(1 / 9)), (1010, True, pytest.approx(8 / 9))]
    assert laid.forward[0].frames == (1001, 1002, 1009)


def test_without_prompts_on_frames_the_walk_goes_forward_from_the_first():
    laid = walks()
    assert laid.starts == (1001,)
    assert [walk.frames for walk in laid.forward] == [CLIP]
    assert ways(laid, 1010) == [(1001, False, 1.0)]


def test_a_wanted_frame_needs_all_that_is_walked_over_before_it_and_every_frame_with_prompts():
    laid = walks(1003, 1007)
    assert laid.read([1001]) == [1001, 1002, 1003, 1007]
    assert laid.read([1004]) == [1003, 1004, 1005, 1006, 1007]
    assert laid.read([1009]) == [1003, 1007, 1008, 1009]
    assert laid.read([]) == [1003, 1007]
    assert walks(1003, 1007, remembers=False).read([1005, 1009]) == [1003, 1005, 1007, 1009]


@given(st.sets(st.integers(1, 40), min_size=1, max_size=30), st.data())
def test_every_frame_of_any_clip_comes_from_walks_that_hold_it(numbers, data):
    clip = tuple(sorted(numbers))
    starts = tuple(sorted(data.draw(st.sets(st.sampled_from(clip), max_size=5))))
    laid = walks(*starts, clip=clip)
    for frame in clip:
        through = laid.through(frame)
        assert sum(share for _, share in through) == pytest.approx(1.0)
        assert all(0 < share <= 1 for _, share in through)
        for walk, _ in through:
            assert walk.frames[laid.place(walk, frame)] == frame
            assert walk.frames[0] == walk.start
    for walk in (*laid.forward, *laid.backward):
        assert list(walk.frames) == sorted(walk.frames, reverse=walk.backward)
        assert not set(walk.frames[1:]) & set(laid.starts)


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(WalkShape) == {"remembers": True}
