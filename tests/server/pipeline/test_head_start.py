import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from videomama_client.errors import BadInput, OutOfMemory
from videomama_client.messages import FrameDone
from videomama_server.engines.base import RegionRule
from videomama_server.media import frames
from videomama_server.pipeline.head_start import in_background

CLIP = range(1001, 1021)
ROI = "8,8,48,32"
WAIT_S = 60


@pytest.fixture
def shot(make_shot):
    return make_shot(CLIP, "twenty")


@pytest.fixture
def on_device(latent):
    """The class of an engine that needs a device; `refined` is set once it computes."""

    class OnDevice(latent):
        needs_device = True

        def __init__(self, *shape):
            super().__init__(*shape)
            self.refined = threading.Event()

        def refine(self, prepared, settings):
            self.refined.set()
            return super().refine(prepared, settings)

    return OnDevice


@pytest.fixture
def hold_last_mask(monkeypatch):
    """Have the read of the last mask wait until an event is set; returns a list of what came of the waiting."""

    def hold(event):
        real, waited = frames.read_mask, []

        def read(path, *chosen):
            if path.name == f"mask.{CLIP[-1]}.exr":
                waited.append(event.wait(WAIT_S))
            return real(path, *chosen)

        monkeypatch.setattr(frames, "read_mask", read)
        return waited

    return hold


def entries(bench):
    return sorted(path.name for path in bench.cache.write_root.rglob("*.v*.exr"))


@pytest.mark.parametrize("settings", [{"roi": ROI}, {"roi": "off"}, {"roi": ROI, "frame_ranges": "1009-1015"}])
def test_with_a_head_start_alphas_and_keys_are_the_same(make_bench, shot, latent, on_device, settings):
    plain, early = make_bench("plain"), make_bench("early")
    expected, found = plain.run(shot, latent(), **settings), early.run(shot, on_device(), **settings)
    assert entries(plain) == entries(early) != []
    assert found.done.computed == expected.done.computed == len(found.frames)
    for frame in expected.frames:
        np.testing.assert_array_equal(expected.alpha(frame), found.alpha(frame))


@pytest.mark.parametrize("roi", [ROI, "off"])
def test_the_device_computes_before_all_masks_were_looked_at(bench, shot, on_device, hold_last_mask, roi):
    engine = on_device()
    waited = hold_last_mask(engine.refined)
    assert bench.run(shot, engine, roi=roi).done.computed == len(CLIP)
    assert waited[0]
    assert engine.windows == sorted(set(engine.windows))


def test_the_device_computes_early_where_the_first_masks_leave_no_region(bench, shot, on_device, hold_last_mask):
    class Sparing(on_device):
        def rule(self, settings):
            return RegionRule(minimum_gain=0.9, fixed=True)

    engine = Sparing()
    waited = hold_last_mask(engine.refined)
    assert bench.run(shot, engine, roi="auto").done.roi == [0, 0, 64, 48]
    assert waited[0]


def test_where_masks_decide_about_the_region_the_device_waits_for_all(bench, shot, on_device, monkeypatch):
    read, real, counted = set(), frames.read_mask, []
    monkeypatch.setattr(frames, "read_mask", lambda path, *chosen: (read.add(path.name), real(path, *chosen))[1])

    class Counting(on_device):
        def refine(self, prepared, settings):
            counted.append(len(read))
            return super().refine(prepared, settings)

    assert bench.run(shot, Counting(), roi="auto").done.roi != [0, 0, 64, 48]
    assert counted[0] == len(CLIP)


def test_an_error_of_the_survey_comes_before_anything_is_delivered(bench, shot, on_device, pictures):
    shot.put_mask(CLIP[-1], pictures.disc(24, 24)[:20])
    engine = on_device()
    with pytest.raises(BadInput, match=f"mask frame {CLIP[-1]}: .*another aspect"):
        bench.run(shot, engine, roi=ROI)
    assert engine.refined.is_set()
    assert engine.groups == []
    assert not [event for event in bench.events if isinstance(event, FrameDone)]
    assert entries(bench) == []


def test_an_error_of_the_survey_comes_before_one_of_the_head_start(bench, shot, on_device, pictures):
    shot.put_mask(CLIP[-1], pictures.disc(24, 24)[:20])
    shot.plate_file(CLIP[1]).write_bytes(shot.plate_file(CLIP[1]).read_bytes()[:600])
    with pytest.raises(BadInput, match=f"mask frame {CLIP[-1]}: "):
        bench.run(shot, on_device(), roi=ROI)
    shot.put_mask(CLIP[-1], pictures.disc(24, 24))
    with pytest.raises(BadInput, match=f"plate frame {CLIP[1]}: "):
        bench.run(shot, on_device(), roi=ROI)


def test_nothing_is_computed_early_that_the_cache_has(make_bench, bench, shot, on_device):
    bench.run(shot, on_device(), roi=ROI)
    for again in ({}, {"rehash": True}):
        engine = on_device()
        assert bench.run(shot, engine, roi=ROI, **again).done.cached == len(CLIP)
        assert engine.windows == []


def test_memory_that_runs_out_in_the_head_start_is_told_like_any_other(bench, shot, on_device):
    class Large(on_device):
        canvas = "128x128"

        def resolve(self, settings, size):
            return settings.with_options(canvas=self.canvas)

        def refine(self, prepared, settings):
            if self.canvas == "128x128":
                self.canvas = "64x64"
                raise OutOfMemory("it does not fit", "Take less.")
            return super().refine(prepared, settings)

    done = bench.run(shot, Large(), roi=ROI).done
    assert done.computed == len(CLIP)
    assert "canvas 128x128 did not fit in memory, 64x64 was taken instead" in done.warnings


def test_what_goes_on_in_the_background_gives_way_and_ends_with_the_block():
    done, all_done = [], threading.Event()

    def work(frame):
        done.append(frame)
        if frame == 3:
            all_done.set()

    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(all_done.is_set)
        with in_background(work, [1, 2, 3], threads, 1):
            assert first.result() is False
            assert all_done.wait(WAIT_S)
        assert done == [1, 2, 3]
        held, going = threading.Event(), threading.Event()
        with in_background(lambda frame: (done.append(frame), going.set(), held.wait(WAIT_S)), [4, 5], threads, 1):
            assert going.wait(WAIT_S)
        held.set()
    assert done == [1, 2, 3, 4]


def test_work_in_the_background_ends_at_the_first_failure():
    tried, failed = [], threading.Event()

    def work(frame):
        tried.append(frame)
        if frame == 2:
            failed.set()
            raise BadInput("it is damaged", "Write it again.")

    with ThreadPoolExecutor(1) as threads:
        with in_background(work, [1, 2, 3], threads, 1):
            assert failed.wait(WAIT_S)
            threads.submit(bool).result()
        assert tried == [1, 2]
