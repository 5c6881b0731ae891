import numpy as np
import pytest
from videomama_client.errors import BadInput
from videomama_server.engines.segment.people import MOST_SAMPLES, FoundBox, is_near_black, samples, steadiest

AREA = 1920.0 * 1080.0


def box(x, y=100.0, width=400.0, height=800.0, score=0.9):
    return FoundBox(x, y, x + width, y + height, score)


def test_the_person_that_most_frames_show_is_taken_not_the_one_that_passes():
    clip = {at: [box(100 + 20 * at)] for at in range(8)}
    clip[3].append(box(900, width=700))
    found = steadiest(clip, AREA)
    assert found.coverage == 1.0
    assert list(found.boxes) == list(range(8))
    assert found.boxes[7].left == 240


def test_of_two_steady_people_the_larger_is_taken():
    found = steadiest({at: [box(100, width=200), box(900, width=500)] for at in range(4)}, AREA)
    assert found.box.left == 900


def test_the_frame_where_the_person_is_seen_best_gives_the_box():
    found = steadiest({10: [box(100, score=0.6)], 20: [box(110, score=0.95)], 30: [box(120, score=0.7)]}, AREA)
    assert (found.frame, found.box.left) == (20, 110)


def test_a_person_that_is_lost_for_a_sample_is_another_from_then_on():
    found = steadiest({0: [box(100)], 1: [], 2: [box(100)], 3: [box(100)]}, AREA)
    assert list(found.boxes) == [2, 3]
    assert found.coverage == 0.5


@pytest.mark.parametrize("clip", [{1001: [], 1020: []}, {1001: [box(5, width=20, height=30)], 1020: []}])
def test_nobody_or_somebody_tiny_is_an_error_that_names_the_frames(clip):
    with pytest.raises(BadInput, match="no person was found in 2 frames from 1001 to 1020"):
        steadiest(clip, AREA)


def test_boxes_overlap_by_their_common_share():
    assert box(0).iou(box(0)) == 1.0
    assert box(0).iou(box(200)) == pytest.approx(1 / 3)
    assert box(0).iou(box(400)) == 0.0


def test_few_frames_are_all_looked_at_and_many_evenly():
    assert samples([4, 5, 9]) == [4, 5, 9]
    found = samples(range(1001, 1301))
    assert (len(found), found[0], found[-1]) == (MOST_SAMPLES, 1001, 1300)
    assert set(np.diff(found)) <= {19, 20}


@pytest.mark.parametrize(("value", "black"), [(0.0, True), (0.015, True), (0.03, False)])
def test_a_frame_that_shows_nothing_is_nearly_black(value, black):
    assert is_near_black(np.full((4, 4, 3), value, np.float32)) is black
