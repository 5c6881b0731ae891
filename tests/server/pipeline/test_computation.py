import threading
import weakref
from dataclasses import replace

import numpy as np
import pytest
from videomama_client.errors import InternalError, OutOfMemory
from videomama_client.messages import FrameDone, Phase
from videomama_server.engines.base import FrameRefused
from videomama_server.media.geometry import Geometry, Rect
from videomama_server.media.sequences import format_range
from videomama_server.pipeline.alpha_writer import AlphaWriter
from videomama_server.pipeline.computation import Computation, on_canvas
from videomama_server.pipeline.quality_control import Control
from videomama_server.pipeline.reader import LoadedFrame

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


@pytest.mark.parametrize(
    ("wrong", "named"),
    [({1003}, "mask frame 1003: no edge"), ({1003, 1010, 1011}, "mask frames 1003, 1010-1011: no edge")],
)
def test_all_frames_that_an_engine_refuses_are_named_together(compute, temporal, take, wrong, named):
    class Strict(temporal):
        def prepare(self, frame, settings):
            if frame.number in wrong:
                raise FrameRefused("no edge", "Draw one.").at("mask", frame.number)
            return super().prepare(frame, settings)

    with pytest.raises(FrameRefused) as refused:
        take(compute(Strict()).run())
    assert (refused.value.message, refused.value.hint) == (named, "Draw one.")
    assert (refused.value.code, refused.value.frame) == ("bad-input", 1003)


def test_reads_that_have_not_begun_are_cancelled(compute, temporal, blocked):
    computation = compute(temporal(), readers=blocked)
    reading = next(computation.run())
    computation.cancel()
    assert reading.cancelled()


def test_an_engine_that_returns_too_few_estimates_is_named(compute, temporal, take, monkeypatch, raises_with_hint):
    refine = temporal.refine
    monkeypatch.setattr(temporal, "refine", lambda *asked: refine(*asked)[:-1])
    with raises_with_hint(InternalError, "temporal", "3 estimates", "4 frames"):
        take(compute(temporal()).run())


def test_an_engine_that_returns_too_few_alphas_is_named(compute, temporal, take, monkeypatch, raises_with_hint):
    monkeypatch.setattr(temporal, "complete", lambda *asked: [])
    with raises_with_hint(InternalError, "temporal", "0 alphas"):
        take(compute(temporal()).run())


def test_an_engine_that_returns_alphas_of_another_size_is_named(compute, temporal, take, monkeypatch, raises_with_hint):
    complete = temporal.complete
    monkeypatch.setattr(temporal, "complete", lambda *asked: [alpha[:-1] for alpha in complete(*asked)])
    with raises_with_hint(InternalError, "temporal", "(31, 48)", "48x32"):
        take(compute(temporal()).run())


def test_where_digests_are_not_known_plates_are_read_and_nothing_else_is_done(compute, bench, shot, temporal, blocked):
    bench.run(shot, temporal(), roi=ROI)
    engine = temporal()
    computation = compute(engine, readers=blocked, rehash=True)
    steps = computation.run()
    assert next(steps) is not None  # plates are read
    blocked.go.set()
    assert None not in list(steps)  # and no other job is let go first
    assert (computation.cached, engine.prepared) == (len(CLIP), [])


def test_no_frame_is_pending_once_all_are_done(compute, temporal, take):
    computation = compute(temporal())
    groups = {
        group for window in computation.survey.plan.windows for group in computation.survey.plan.groups_of[window]
    }
    take(computation.run())
    assert all(not computation._look_ups.pending(group) for group in groups)


def test_an_alpha_is_put_into_the_canvas_and_odd_values_become_0_to_1():
    canvas, region = Rect(-2, 0, 8, 6), Rect(4, 3, 4, 5)  # the region leaves the canvas
    outside = np.full((6, 8), 0.25, np.float32)
    alpha = np.full((5, 4), np.nan, np.float32)
    alpha[:, 0], alpha[:, 1] = 2.0, -1.0
    for mask, around in ((None, 0.0), (outside, 0.25)):
        loaded = LoadedFrame(1, None, None, Geometry(Rect(0, 0, 6, 6), canvas), mask, False, None)
        found = on_canvas(alpha, loaded, region)
        assert found[3:, 6:].tolist() == [[1, 0]] * 3
        assert (found[:3] == around).all()
        assert (found[:, :6] == around).all()
    assert (outside == 0.25).all()
    far = LoadedFrame(1, None, None, Geometry(canvas, canvas), None, False, None)
    assert not on_canvas(alpha, far, Rect(100, 100, 4, 5)).any()
    assert on_canvas(alpha, far, None).shape == (5, 4)


def test_a_head_start_begins_all_reads_of_the_first_group_at_once(compute, latent, blocked):
    computation = compute(latent(), readers=blocked)
    steps = computation.head_start()
    assert next(steps) is not None
    group = computation.survey.plan.groups[0]
    assert len(group.windows) == 2
    assert blocked.given == group.read
    computation.cancel()
    steps.close()


def test_a_head_start_prepares_the_frames_of_the_windows_after_it(compute, latent, take):
    computation = compute(latent())
    take(computation.head_start())
    group = computation.survey.plan.groups[0]
    later = [frame for frame in computation.survey.plan.frames if frame > group.windows[-1].last]
    assert later
    assert all(computation._frames._prepared[frame][1].result() is not None for frame in later[:2])
    computation.release()


def test_a_computation_says_which_plates_it_waits_for_and_which_window_it_computes(compute, temporal, take, blocked):
    computation, told = compute(temporal(), readers=blocked, frame_ranges="1001-1003"), []
    computation._order = replace(computation._order, tell=told.append)
    steps = computation.run()
    assert next(steps) is not None
    assert told == [Phase("reading-plates", 0, len(computation.survey.plan.frames))]
    blocked.go.set()
    take(steps)
    computing = [phase.subject for phase in told if phase.code == "computing"]
    assert computing == [format_range(window.frames) for window in computation.survey.plan.windows]
