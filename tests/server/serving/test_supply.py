import time

from videomama_server.serving.supply import Supply


def test_a_frame_is_awaited_from_when_it_was_first_asked_for_until_it_arrives():
    supply = Supply()
    supply.note_wanted("plate", 1)
    since = supply.wanted["plate", 1]
    time.sleep(0.01)
    supply.note_wanted("plate", 1)
    assert supply.wanted == {("plate", 1): since}
    supply.note_arrived("plate", 1)
    assert supply.wanted == {}
    supply.note_wanted("plate", 1)
    assert supply.wanted["plate", 1] > since


def test_plate_and_mask_of_one_frame_are_awaited_apart():
    supply = Supply()
    supply.note_wanted("plate", 1)
    supply.note_wanted("mask", 1)
    supply.note_arrived("mask", 1)
    assert list(supply.wanted) == [("plate", 1)]


def test_a_frame_that_nobody_awaits_may_arrive():
    supply = Supply()
    supply.note_arrived("plate", 1)
    assert supply.wanted == {}


def test_an_ended_job_awaits_nothing():
    supply = Supply()
    supply.note_wanted("plate", 1)
    supply.forget()
    assert supply.wanted == {}
