import pytest
from videomama_client.messages import FrameDone
from videomama_server.pipeline.alpha_writer import AlphaWriter
from videomama_server.pipeline.look_ups import LookUps
from videomama_server.pipeline.quality_control import Control
from videomama_server.pipeline.window_grid import Window

FIRST, SECOND = Window(1001, 1004), Window(1002, 1005)  # as the engine's windows lie over the clip


class Asking:
    """The look-ups of a new job, with what they stand on."""

    def __init__(self, bench, order, survey):
        self.events = []
        self.reader, self.plan = order.reader, survey.plan
        self.display, self.region = survey.display, survey.region
        control = Control(bench.cache)
        control.begin(survey.plan.places)
        self.writer = AlphaWriter(order, bench.services, control, self.events.append)
        self.look_ups = LookUps(order, survey, bench.cache, self.writer)

    def digest(self, frames):
        for frame in frames:
            self.reader.load(frame, self.region, self.display)

    def group(self, frame):
        """Return the group that a frame is completed in."""
        return next(group for group in self.plan.groups if frame in group.wanted)

    def delivered(self):
        self.writer.wait()
        return sorted(event.frame for event in self.events if isinstance(event, FrameDone) and event.cached)


@pytest.fixture
def ask(bench, shot, surveyed, temporal):
    """Make the look-ups of a new job."""
    return lambda **asked: Asking(bench, *surveyed(shot, temporal(), **asked))


@pytest.fixture
def count_look_ups(bench, monkeypatch):
    """List the keys that the cache is asked for."""
    keys, real = [], bench.cache.lookup
    monkeypatch.setattr(bench.cache, "lookup", lambda key: (keys.append(key), real(key))[1])
    return keys


def test_the_cache_is_not_asked_before_the_plates_are_digested(ask, count_look_ups):
    asking = ask(frame_ranges="1001")
    assert asking.look_ups.undigested(asking.group(1001)) == list(FIRST.frames)
    asking.look_ups.look_up_all(FIRST)
    assert count_look_ups == []
    assert not asking.look_ups.has_missing(FIRST)
    asking.digest([1001, 1003])
    assert asking.look_ups.undigested(asking.group(1001)) == [1002, 1004]


def test_what_the_cache_does_not_have_is_missing_and_asked_for_once(ask, count_look_ups):
    asking = ask(frame_ranges="1001,1009")
    asking.digest(FIRST.frames)
    asking.look_ups.look_up_all(FIRST)
    asking.look_ups.look_up_all(FIRST)
    assert len(count_look_ups) == 1
    assert asking.look_ups.has_missing(FIRST)
    assert not asking.look_ups.has_missing(Window(1006, 1009))
    assert asking.look_ups.pending(asking.group(1001)) == [1001]
    assert (asking.look_ups.cached, asking.delivered()) == (0, [])


def test_what_the_cache_has_is_delivered_and_done(ask, bench, shot, temporal):
    bench.run(shot, temporal(), roi="8,8,48,32", frame_ranges="1001-1003")
    asking = ask()
    asking.digest(range(1001, 1008))
    for _ in range(2):
        asking.look_ups.look_up_all(FIRST)
    assert asking.delivered() == [1001, 1002, 1003]
    assert asking.look_ups.cached == 3
    assert [frame for frame in FIRST.frames if asking.look_ups.is_wanted(frame)] == [1004]
    assert asking.look_ups.pending_groups(FIRST) == [asking.group(1004)]


def test_a_look_up_that_is_forgotten_finds_what_another_job_finished_meanwhile(ask, bench, shot, temporal):
    asking = ask(frame_ranges="1001,1002")
    asking.digest(range(1001, 1006))
    asking.look_ups.look_up_all(FIRST)
    bench.run(shot, temporal(), roi="8,8,48,32", frame_ranges="1001")
    asking.look_ups.look_up_all(FIRST)
    assert asking.look_ups.cached == 0
    asking.look_ups.forget(FIRST)
    assert not asking.look_ups.has_missing(FIRST)
    asking.look_ups.look_up_all(FIRST)
    assert (asking.look_ups.cached, asking.delivered()) == (1, [1001])
    assert asking.look_ups.has_missing(FIRST)


def test_a_frame_that_was_computed_is_not_looked_up_again(ask, count_look_ups):
    asking = ask(frame_ranges="1001,1002")
    asking.digest(range(1001, 1006))
    asking.look_ups.finish(1001)
    asking.look_ups.look_up_all(FIRST)
    assert len(count_look_ups) == 1
    assert not asking.look_ups.is_wanted(1001)
    assert asking.look_ups.is_wanted(1002)
    assert asking.look_ups.pending_groups(FIRST) == [asking.group(1002)]
    assert asking.look_ups.cached == 0


def test_frames_that_are_only_read_are_not_wanted(ask):
    asking = ask(frame_ranges="1001")
    assert [frame for frame in asking.plan.frames if asking.look_ups.is_wanted(frame)] == [1001]


def test_a_key_names_the_entry_and_follows_every_frame_of_its_windows(ask, bench, shot, temporal, pictures):
    bench.run(shot, temporal(), roi="8,8,48,32", frame_ranges="1001,1003")
    asking = ask(frame_ranges="1001,1003")
    asking.digest(range(1001, 1006))
    before = [asking.look_ups.key(frame, asking.group(frame)) for frame in (1001, 1003)]
    assert all(bench.cache.lookup(key) for key in before)
    shot.put_mask(1005, pictures.disc(30, 20))
    edited = ask(frame_ranges="1001,1003")
    edited.digest(range(1001, 1006))
    after = [edited.look_ups.key(frame, edited.group(frame)) for frame in (1001, 1003)]
    assert after[0] == before[0]
    assert bench.cache.lookup(after[1]) is None
