import threading
import weakref
from concurrent.futures import wait

import numpy as np
import pytest
from videomama_client.errors import BadInput, Cancelled
from videomama_server.pipeline.frame_store import FrameStore
from videomama_server.pipeline.window_grid import Window, blend_weights

FIRST, SECOND = Window(1001, 1004), Window(1002, 1005)  # as the engine's windows lie over the clip
CANVAS = (32, 48)  # of the region


@pytest.fixture
def make_store(bench, shot, surveyed):
    """Make the store of a new job."""

    def make(engine, readers=None, judged=lambda _: False, cancelled=None, **asked):
        order, survey = surveyed(shot, engine, **asked)
        return FrameStore(order, survey, readers or bench.readers, judged, cancelled or threading.Event())

    return make


@pytest.fixture
def frames_seen(temporal):
    """A class of engines that keep the frames they prepared."""

    class Seeing(temporal):
        def prepare(self, frame, settings):
            self.seen = [*getattr(self, "seen", []), frame]
            return super().prepare(frame, settings)

    return Seeing


def test_a_frame_is_read_once_however_often_it_is_asked_for(make_store, temporal, take):
    store = make_store(temporal())
    begun = store.load(1001)
    take(store.read([1001, 1002]))
    assert store.load(1001) is begun
    assert store.loaded(1001) is begun.result()
    assert store.loaded(1002).number == 1002


def test_only_frames_that_are_to_be_judged_are_looked_at_for_it(make_store, temporal, take):
    store = make_store(temporal(), judged=lambda frame: frame == 1002)
    take(store.read([1001, 1002]))
    assert store.loaded(1001).glimpse is None
    assert store.loaded(1002).glimpse is not None


def test_a_read_that_is_under_way_is_yielded(make_store, temporal, blocked):
    store = make_store(temporal(), readers=blocked)
    steps = store.read([1001])
    assert next(steps) is store.load(1001)
    blocked.go.set()
    wait([store.load(1001)])
    assert list(steps) == []


def test_a_frame_that_cannot_be_read_is_an_error_once_it_is_waited_for(make_store, temporal, shot, take):
    store = make_store(temporal())
    shot.plate_file(1002).write_bytes(b"no picture")
    store.load(1002)
    take(store.read([1001]))
    with pytest.raises(BadInput, match="plate frame 1002"):
        take(store.read([1002]))


def test_a_cancel_ends_reading_and_preparing(make_store, temporal, take):
    cancelled, engine = threading.Event(), temporal()
    store = make_store(engine, cancelled=cancelled)
    take(store.read(FIRST.frames))
    cancelled.set()
    with pytest.raises(Cancelled):
        take(store.states(FIRST))
    with pytest.raises(Cancelled):
        take(store.read([1005]))
    assert engine.prepared == []


def test_reads_that_have_not_begun_are_cancelled(make_store, temporal, blocked):
    store = make_store(temporal(), readers=blocked)
    for frame in FIRST.frames:
        store.prepare(frame)
    reads = [store.load(frame) for frame in FIRST.frames]
    store.cancel()
    assert all(read.cancelled() for read in reads)


def test_frames_after_a_window_are_counted_from_the_begin_of_their_read(make_store, temporal, blocked):
    store = make_store(temporal(), readers=blocked)
    for frame in range(1003, 1008):
        store.load(frame)
    assert store.count_ahead(FIRST) == 3  # 1005 to 1007
    assert store.count_ahead(Window(1005, 1008)) == 0  # what lies before is held for those that are to be completed


def test_a_frame_is_prepared_once_for_all_its_windows(make_store, temporal, take):
    engine = temporal()
    store = make_store(engine)
    take(store.read(range(1001, 1006)))
    first, second = take(store.states(FIRST)), take(store.states(SECOND))
    assert sorted(engine.prepared) == list(range(1001, 1006))
    assert all(one is other for one, other in zip(first[1:], second, strict=False))


@pytest.fixture
def two_at_once(temporal):
    """A class of engines whose frames are prepared only when two are at it; `name_of` tells which thread it was."""

    class Meeting(temporal):
        def __init__(self):
            super().__init__()
            self.meet, self.threads = threading.Barrier(2, timeout=60), set()

        def prepare(self, frame, settings):
            self.threads.add(threading.current_thread())
            self.meet.wait()
            return super().prepare(frame, settings)

    return Meeting


@pytest.mark.parametrize("ahead", [True, False])
@pytest.mark.parametrize("roi", ["8,8,48,32", "off"])
def test_several_frames_are_prepared_at_once_and_none_by_the_jobs_own_thread(make_store, two_at_once, take, ahead, roi):
    engine = two_at_once()
    store = make_store(engine, roi=roi)
    for frame in FIRST.frames if ahead else ():
        store.prepare(frame)
    take(store.read(FIRST.frames))
    assert len(take(store.states(FIRST))) == 4
    assert threading.current_thread() not in engine.threads


@pytest.mark.parametrize("roi", ["8,8,48,32", "off"])
def test_whether_or_not_its_region_is_known_a_frame_to_prepare_is_read_ahead(make_store, temporal, blocked, roi):
    store = make_store(temporal(), readers=blocked, roi=roi)
    for frame in FIRST.frames:
        store.prepare(frame)
    assert blocked.given == list(FIRST.frames)


def test_what_goes_wrong_in_preparing_is_raised_by_the_window_that_needs_it(make_store, temporal, take):
    class Failing(temporal):
        def prepare(self, frame, settings):
            if frame.number == 1003:
                raise MemoryError("no room")
            return super().prepare(frame, settings)

    store = make_store(Failing())
    for frame in FIRST.frames:
        store.prepare(frame)
    take(store.read(FIRST.frames))
    with pytest.raises(MemoryError, match="no room"):
        take(store.states(FIRST))


def test_a_frame_that_cannot_be_read_is_not_prepared(make_store, temporal, shot, take):
    engine = temporal()
    store = make_store(engine)
    shot.plate_file(1002).write_bytes(b"no picture")
    store.prepare(1002)
    with pytest.raises(BadInput, match="plate frame 1002"):
        take(store.read([1002]))
    assert engine.prepared == []


def test_with_a_region_a_plate_is_freed_once_it_is_prepared(make_store, temporal, take):
    store = make_store(temporal())
    take(store.read(FIRST.frames))
    assert store.loaded(1001).plate.shape == (*CANVAS, 3)
    take(store.states(FIRST))
    assert [store.loaded(frame).plate.size for frame in FIRST.frames] == [0] * 4


def test_without_a_region_frames_are_prepared_again_where_a_canvas_reaches_further(
    make_store, temporal, shot, pictures, take
):
    shot.put_plate(1005, pictures.scene(1005, 56, 80), display=(0, 0, 64, 48), origin=(-8, -4))
    engine = temporal()
    store = make_store(engine, roi="off")
    take(store.read(range(1001, 1006)))
    assert take(store.states(FIRST))[0][1].shape == (48, 64)
    assert take(store.states(SECOND))[0][1].shape == (56, 80)
    assert sorted(engine.prepared) == [1001, 1002, 1002, 1003, 1003, 1004, 1004, 1005]
    store.add(SECOND, [1004, 1005], np.ones((4, 56, 80), np.float32))
    assert [estimate.shape for estimate in store.estimated([1004, 1005])[0]] == [(48, 64), (56, 80)]


def test_an_engine_is_given_display_referred_plates_shaped_masks_and_keys_of_both(
    make_store, frames_seen, shot, pictures, take
):
    shot.put_plate(1002, pictures.scene(1001))  # the plate of the frame before
    engine = frames_seen()
    store = make_store(engine, mask_grow=60.0)
    take(store.read(FIRST.frames))
    take(store.states(FIRST))
    first, second = sorted(engine.seen, key=lambda frame: frame.number)[:2]
    assert (first.number, first.full_size, first.mask.shape) == (1001, (48, 64), CANVAS)
    assert first.mask.sum() > pictures.disc(24, 24)[8:40, 8:56].sum()
    assert first.plate.max() <= 1 < pictures.scene(1001).max()
    assert first.plate_key == second.plate_key
    assert first.mask_key != second.mask_key
    assert first.mask_key.endswith(" 8,8,48,32 0 60")


def test_estimates_are_cross_faded_by_the_weights_of_their_windows(make_store, temporal, take):
    store = make_store(temporal(4, 2))
    take(store.read(range(1001, 1006)))
    for value, window in ((1, FIRST), (2, SECOND)):
        take(store.states(window))
        store.add(window, [1003], np.full((4, *CANVAS), value, np.float32))
    shares = blend_weights([FIRST, SECOND], 1003, 2)
    (estimate,), _ = store.estimated([1003])
    np.testing.assert_allclose(estimate, shares[FIRST] * 1 + shares[SECOND] * 2, rtol=1e-6)


def test_the_estimate_of_a_frame_in_one_window_stays_as_it_is(make_store, temporal, take):
    store = make_store(temporal(4, 0))
    window = Window(1004, 1007)
    take(store.read(window.frames))
    states = take(store.states(window))
    estimates = np.random.default_rng(1).random((4, *CANVAS), dtype=np.float32)
    store.add(window, [1005, 1006], estimates)
    found, prepared = store.estimated([1005, 1006])
    np.testing.assert_array_equal(found, estimates[1:3])
    assert prepared[0] is states[1]
    with pytest.raises(KeyError):
        store.estimated([1007])


def test_frames_before_the_coming_window_are_freed(make_store, temporal, take):
    store = make_store(temporal())
    take(store.read(FIRST.frames))
    take(store.states(FIRST))
    frames = {number: weakref.ref(store.loaded(number)) for number in FIRST.frames}
    store.release(Window(1004, 1007))
    assert [number for number, frame in frames.items() if frame() is not None] == [1004]
    assert store.count_ahead(Window(1, 1)) == 1
    store.release(None)
    assert frames[1004]() is None
    assert store.count_ahead(Window(1, 1)) == 0


def test_frames_that_a_group_will_look_at_are_kept(make_store, latent, take):
    store = make_store(latent())
    take(store.read(range(1001, 1010)))
    store.release(Window(1008, 1013))  # it contributes to 1006, for which 1005 is looked at
    with pytest.raises(KeyError):
        store.loaded(1004)
    assert store.loaded(1005).number == 1005
