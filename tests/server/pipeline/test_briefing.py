import threading
from dataclasses import replace

import numpy as np
import pytest
from videomama_client.errors import BadInput
from videomama_client.prompts import BOX, MASK, POINT, TEXT, Prompt
from videomama_server.media.geometry import Rect
from videomama_server.pipeline import briefing
from videomama_server.pipeline.walking import walks_of

CLICK = Prompt(POINT, 1002, (20.0, 10.0))
BACK = Prompt(POINT, 1002, (3.5, 4.0), subject=False)
FRAMED = Prompt(BOX, 1003, (1.0, 2.0, 10.0, 20.0))
WORDS = Prompt(TEXT, text="the dog")


@pytest.fixture
def make(bench, make_shot, remembering):
    shot = make_shot(range(1001, 1005))
    return lambda *prompts, **asked: bench.order(shot, remembering(), mask="", prompts=prompts, **asked)


@pytest.fixture
def key(pictures, tmp_path):
    file = tmp_path / "key.exr"
    pictures.settle(pictures.write(file, pictures.disc(20, 24), "A"))
    return Prompt(MASK, 1004, file=str(file))


def test_an_engine_is_told_all_prompts_by_frame(make, key, bench, take, take_survey, pictures):
    order = make(FRAMED, BACK, WORDS, key, CLICK)
    survey = take(take_survey(order, bench.readers, threading.Event()))
    walk = walks_of(survey).backward[1]
    told = briefing.brief(order, survey, walk, encoded=str)
    assert (told.start, told.backward, told.text, told.encoded(7)) == (1003, True, "the dog", "7")
    first, second, third = told.prompts
    assert [one.frame for one in told.prompts] == [1002, 1003, 1004]
    np.testing.assert_array_equal(first.points, np.array([[3.5, 4], [20, 10]], np.float32))
    assert first.labels.tolist() == [False, True]
    assert (first.box, first.load_mask) == (None, None)
    assert second.box == (1, 2, 11, 22)
    np.testing.assert_array_equal(third.load_mask(), pictures.disc(20, 24))


def test_the_same_prompts_in_another_order_of_frames_are_the_same(make, key):
    said = briefing.digest(make(FRAMED, CLICK, BACK, WORDS, key), ["row"])
    assert briefing.digest(make(key, WORDS, CLICK, BACK, FRAMED), ["row"]) == said
    assert briefing.digest(make(FRAMED, BACK, CLICK, WORDS, key), ["row"]) != said  # on one frame their order counts
    assert briefing.digest(make(FRAMED, CLICK, BACK, WORDS, key), ["other"]) != said
    named = [replace(one, object="dog") for one in (FRAMED, CLICK, BACK, WORDS, key)]
    assert briefing.digest(make(*named), ["row"]) == said


def test_a_key_mask_counts_by_its_pixels(make, key, pictures):
    said = briefing.digest(make(key), [])
    pictures.settle(pictures.write(key.file, pictures.disc(20, 24), "A", dtype="float"))
    assert briefing.digest(make(key), []) == said
    pictures.settle(pictures.write(key.file, pictures.disc(21, 24), "A"))
    assert briefing.digest(make(key), []) != said


def test_places_are_checked_against_the_plate_with_its_overscan(make):
    briefing.check(make(Prompt(POINT, 1002, (-3.0, 0.0))), Rect(0, 0, 64, 48), Rect(-4, 0, 68, 48))
    with pytest.raises(BadInput, match="lies outside the plate"):
        briefing.check(make(Prompt(POINT, 1002, (-3.0, 0.0))), Rect(0, 0, 64, 48), Rect(0, 0, 64, 48))
    briefing.check(make(CLICK), Rect(100, 100, 64, 48), Rect(100, 100, 64, 48))  # they count from the plate's corner
