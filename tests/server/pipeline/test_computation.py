import threading
import weakref
from dataclasses import replace

import pytest
from videomama_client.errors import OutOfMemory
from videomama_client.messages import FrameDone
from videomama_server.pipeline.alpha_writer import AlphaWriter
from videomama_server.pipeline.computation import Computation
from videomama_server.pipeline.quality_control import Control

CLIP = range(1001, 1015)
ROI = "8,8,48,32"  # of every job here


@pytest.fixture
def compute(bench, shot, surveyed):
    """Make the computation of a new job; its events are in `bench.events`."""

    def make(engine, readers=None, **asked):
        order, survey = surveyed(shot, engine, **asked)
        services = replace(bench.services, readers=readers or bench.readers)
        control = Control(bench.cache)
        control.begin(survey.plan.places)
        writer = AlphaWriter(order, services, control, bench.events.append)
        return Computation(order, survey, services, writer, threading.Event())

    return make


def test_every_frame_is_computed_and_then_found_in_the_cache(compute, bench, temporal, take):
    first = compute(temporal())
    take(first.run())
    assert first.cached == 0
    assert sorted(event.frame for event in bench.events if isinstance(event, FrameDone)) == list(CLIP)
    engine = temporal()
    again = compute(engine)
    take(again.run())
    assert again.cached == len(CLIP)
    assert engine.prepared == []


def test_another_job_may_go_first_between_reading_a_window_and_computing_it(compute, temporal):
    engine = temporal()
    pauses = 0
    for pause in compute(engine, frame_ranges="1001-1003").run():
        if pause is None:
            assert len(engine.windows) == pauses
            pauses += 1
    assert pauses == len(engine.windows) == 2


def test_what_another_job_finished_at_such_a_pause_is_not_computed(compute, bench, shot, temporal):
    engine = temporal()
    computation = compute(engine, frame_ranges="1001")
    for pause in computation.run():
        if pause is None:
            bench.run(shot, temporal(), frame_ranges="1001", roi=ROI)
    assert computation.cached == 1
    assert engine.prepared == []


def test_frames_are_read_ahead_as_far_as_the_longest_window_reaches(compute, temporal, blocked):
    computation = compute(temporal(), readers=blocked)
    steps = computation.run()
    assert next(steps) is not None
    assert blocked.given == list(range(1001, 1009))  # the window's four and four more
    computation.cancel()
    steps.close()


def test_frames_that_the_cache_has_are_not_read_ahead(compute, bench, shot, temporal, blocked):
    bench.run(shot, temporal(), roi=ROI)
    steps = compute(temporal(), readers=blocked).run()
    assert list(steps) == []
    assert blocked.given == []


def test_out_of_memory_is_raised_and_all_frames_can_be_freed(compute, temporal, take):
    masks = []

    class Huge(temporal):
        def prepare(self, frame, settings):
            masks.append(weakref.ref(frame.mask))
            return super().prepare(frame, settings)

        def refine(self, prepared, settings):
            raise OutOfMemory("it does not fit", "Take less.")

    computation = compute(Huge())
    with pytest.raises(OutOfMemory, match="does not fit"):
        take(computation.run())
    assert len(masks) == 4
    assert any(mask() is not None for mask in masks)
    computation.release()
    assert [mask() for mask in masks] == [None] * 4


def test_reads_that_have_not_begun_are_cancelled(compute, temporal, blocked):
    computation = compute(temporal(), readers=blocked)
    reading = next(computation.run())
    computation.cancel()
    assert reading.cancelled()
