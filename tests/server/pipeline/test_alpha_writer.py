import threading
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace

import numpy as np
import pytest
from videomama_client.messages import FrameDone
from videomama_server.media import frames
from videomama_server.media.color import display_transform
from videomama_server.media.geometry import Geometry, Rect
from videomama_server.pipeline.alpha_writer import AlphaWriter
from videomama_server.pipeline.quality_control import Control

FULL = Geometry(Rect(0, 0, 64, 48), Rect(0, 0, 64, 48))


class Writing:
    """The writer of a new job, with what it stands on."""

    def __init__(self, bench, order, survey, writers):
        self.events, self.order, self.display = [], order, survey.display
        self.control = Control(bench.cache)
        self.control.begin(survey.plan.places)
        services = replace(bench.services, writers=writers or bench.writers)
        self.writer = AlphaWriter(order, services, self.control, self.events.append)

    def glimpse(self, frame, judged=True):
        to_display = display_transform("lin_rec709", 0.0) if judged else None
        return self.order.reader.load(frame, None, self.display, to_display).glimpse

    def publish(self, frame, alpha, judged=False):
        glimpse = self.glimpse(frame, judged)
        self.writer.publish(frame, f"{frame:040x}", glimpse, lambda: alpha, FULL)


@pytest.fixture
def make_writing(bench, shot, surveyed, temporal):
    """Make the writer of a new job."""
    return lambda writers=None: Writing(bench, *surveyed(shot, temporal()), writers)


def test_a_new_alpha_goes_to_the_cache_and_to_its_file_and_is_judged(make_writing, bench, pictures):
    writing, alpha = make_writing(), pictures.disc(24, 24) * np.float32(0.75)
    writing.publish(1001, alpha, judged=True)
    writing.publish(1002, alpha)  # without a glimpse
    writing.writer.wait()
    entry = bench.cache.lookup(f"{1001:040x}")
    assert entry is not None
    out = writing.order.delivery.pattern.path(1001)
    assert FrameDone(writing.order.job, 1001, False, str(out)) in writing.events
    for path in (entry, out):
        np.testing.assert_array_equal(frames.read_mask(path, "A").pixels[..., 0], alpha)
    verdict = writing.control.result([1001, 1002])
    assert verdict.judged == 1
    assert "frames 1002" in verdict.warnings[0]


def test_an_alpha_is_finished_by_a_writing_thread(make_writing, pictures):
    writing, threads = make_writing(), []

    def finish():
        threads.append(threading.current_thread())
        return pictures.disc(24, 24)

    writing.writer.publish(1001, "0" * 40, None, finish, FULL)
    writing.writer.wait()
    assert threads != [threading.current_thread()]
    assert len(writing.events) == 1


def test_an_alpha_that_cannot_be_finished_is_neither_cached_nor_waited_for_by_the_next(make_writing, bench, pictures):
    writing, both = make_writing(), threading.Event()

    def fail():
        both.wait()
        raise MemoryError("no room")

    writing.writer.publish(1001, f"{1001:040x}", writing.glimpse(1001), fail, FULL)
    writing.publish(1002, pictures.disc(24, 24), judged=True)
    both.set()
    with pytest.raises(MemoryError, match="no room"):
        writing.writer.wait()
    writing.writer.close()
    assert bench.cache.lookup(f"{1001:040x}") is None
    assert [event.frame for event in writing.events] == [1002]
    assert writing.control.result([1002]).judged == 1


def test_nobody_waits_to_see_a_frame_whose_write_never_begins(make_writing, pictures, blocked, monkeypatch):
    writing, scenes = make_writing(blocked), []
    expect = writing.control.expect

    def kept(*arguments):
        scenes.append(expect(*arguments))
        return scenes[-1]

    monkeypatch.setattr(writing.control, "expect", kept)
    for frame in (1001, 1002):
        writing.publish(frame, pictures.disc(24, 24), judged=True)
    assert scenes[1].before is scenes[0]
    writing.writer.close()
    assert [scene.sight.result(timeout=0) for scene in scenes] == [None, None]


def test_a_cached_alpha_is_delivered_with_the_scores_that_it_had(make_writing, bench, pictures):
    first = make_writing()
    first.publish(1001, pictures.disc(24, 24), judged=True)
    first.writer.wait()
    second = make_writing()
    key = f"{1001:040x}"
    second.writer.deliver_cached(bench.cache.lookup(key), 1001, key)
    second.writer.wait()
    out = second.order.delivery.pattern.path(1001)
    assert second.events == [FrameDone(second.order.job, 1001, True, str(out))]
    assert out.is_file()
    assert second.control.result([1001]).judged == 1


def test_no_more_writes_wait_than_the_limit_allows(make_writing, pictures, blocked):
    writing = make_writing(blocked)
    with ThreadPoolExecutor(1) as job:
        given = [job.submit(writing.publish, frame, pictures.disc(24, 24)) for frame in range(1001, 1007)]
        allowed, sixth = given[:5], given[5]  # twice the two threads, and the one that is let in then
        assert wait(allowed, 60).not_done == set()
        assert wait([sixth], 0.3).done == set()
        blocked.go.set()
        sixth.result()
    writing.writer.wait()
    assert sorted(event.frame for event in writing.events) == list(range(1001, 1007))


def test_as_many_writes_may_wait_as_are_handed_over_at_once(make_writing, pictures, blocked):
    writing = make_writing(blocked)
    writing.writer.allow(8)
    writing.writer.allow(3)
    with ThreadPoolExecutor(1) as job:
        given = [job.submit(writing.publish, frame, pictures.disc(24, 24)) for frame in range(1001, 1011)]
        assert wait(given[:9], 60).not_done == set()
        assert wait([given[9]], 0.3).done == set()
        blocked.go.set()
        given[9].result()
    writing.writer.wait()
    assert len(writing.events) == 10


def test_what_a_write_raised_is_raised_to_who_waits(make_writing, bench, pictures, monkeypatch):
    def fail(*_):
        raise OSError("disk full")

    writing = make_writing()
    monkeypatch.setattr(bench.cache, "publish", fail)
    writing.publish(1001, pictures.disc(24, 24))
    with pytest.raises(OSError, match="disk full"):
        writing.writer.wait()
    assert writing.events == []


def test_closing_cancels_what_has_not_begun_and_waits_for_what_has(make_writing, bench, pictures, monkeypatch):
    begun, go, real = threading.Event(), threading.Event(), bench.cache.publish

    def publish_slowly(*arguments):
        begun.set()
        go.wait()
        return real(*arguments)

    monkeypatch.setattr(bench.cache, "publish", publish_slowly)
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as closing:
        writing = make_writing(one)
        for frame in (1001, 1002, 1003):
            writing.publish(frame, pictures.disc(24, 24))
        begun.wait()
        closed = closing.submit(writing.writer.close)
        assert not wait([closed], 0.2).done
        go.set()
        closed.result()
    assert [event.frame for event in writing.events] == [1001]


def test_what_is_left_out_stands_for_these_values(numbers_left_out):
    assert numbers_left_out(AlphaWriter.wait) == {"allowed": 0}
