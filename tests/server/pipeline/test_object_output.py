"""Where the alphas of one object go, and which of them are judged."""

import threading
from dataclasses import replace

import pytest
from videomama_client.messages import SideResult
from videomama_server.engines.passthrough import PassthroughEngine
from videomama_server.media.geometry import Geometry, Rect
from videomama_server.pipeline.object_output import ObjectOutput

FULL = Geometry(Rect(0, 0, 64, 48), Rect(0, 0, 64, 48))


@pytest.fixture
def output(bench, surveyed, shot):
    """The output of an order with a side result, about to be computed; fields of the services may be given."""

    def make(**services):
        colour = SideResult("foreground", str(bench.folder / "colour" / "fg.####.exr"))
        order, survey = surveyed(shot, PassthroughEngine(), side_results=(colour,))
        made = ObjectOutput(order, replace(bench.services, **services), bench.events.append, threading.Event())
        for frame in survey.plan.wanted:
            order.reader.digest_plate(frame)
        made.begin(survey, survey)
        return made

    return make


def publish(made, pictures, *frames):
    for frame in frames:
        made.writers[0].publish(frame, f"{frame:040x}", None, lambda: pictures.disc(24, 24), FULL)


def test_each_stage_has_a_writer_and_the_frames_of_the_last_one_are_judged(object_work, shot, take, spoiling):
    work = object_work(shot, spoiling(f1005=0.0), then=[PassthroughEngine()])
    assert len(work.output.writers) == 2
    take(work.compute())
    take(work.finish())
    assert work.output.verdict(()).judged == 0
    verdict = work.output.verdict(work.wanted)
    assert (verdict.judged, verdict.warnings) == (len(work.wanted), [])


def test_side_results_follow_the_alphas_and_are_waited_for(output, take, pictures):
    made = output()
    publish(made, pictures, 1001, 1002)
    made.writers[0].wait()
    take(made.finish_sides())
    (done,) = made.sides_done()
    assert (done.kind, done.computed) == ("foreground", 2)
    made.close()


def test_settling_waits_for_all_that_is_on_its_way(output, take, pictures, bench):
    made = output()
    publish(made, pictures, *range(1001, 1005))
    take(made.settle())
    assert all(bench.cache.lookup(f"{frame:040x}") for frame in range(1001, 1005))
    made.close()


def test_closing_lets_nothing_land_that_has_not_begun(output, pictures, bench, blocked):
    made = output(writers=blocked)
    publish(made, pictures, 1001, 1002)
    made.close()
    blocked.go.set()
    blocked.shutdown()
    assert [bench.cache.lookup(f"{frame:040x}") for frame in (1001, 1002)] == [None, None]
