import pytest
from videomama_server.evaluate.report.worst import MANY, SHOWN, how_many, worst_frames


def of(*figures):
    return {"mad": list(figures)}


def test_the_worst_frame_is_that_of_all_engines_together():
    one, other = of(1.0, 5.0, None), of(1.0, 0.0, 7.0)
    assert worst_frames([11, 12, 13], [one]) == [12]
    assert worst_frames([11, 12, 13], [one, other]) == [13]


def test_worst_frames_come_in_order_and_apart_from_each_other():
    wrong = [0.0] * 24
    wrong[5:8] = [8.0, 9.0, 8.5]
    wrong[20] = 4.0
    assert worst_frames(range(1001, 1025), [of(*wrong)], 2) == [1007, 1021]


def test_a_short_clip_has_fewer():
    assert worst_frames([7], [of(1.0)], 3) == [7]


def test_without_a_truth_each_measure_counts_by_its_mean():
    scores = {"inside_90": [0.0, 0.0, 3.0], "haze": [900.0, 1000.0, 900.0], "chatter": [None, 1.0, 1.0]}
    assert worst_frames([1, 2, 3], [scores]) == [3]


@pytest.mark.parametrize(("clips", "count"), [(1, SHOWN), (MANY, SHOWN), (MANY + 1, 1)])
def test_many_clips_have_one_each(clips, count):
    assert how_many(clips) == count
