import threading
from concurrent.futures import wait
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from videomama_client.errors import BadInput, InternalError, OutOfMemory
from videomama_client.messages import FrameDone, MatteDone, MattePlanned, StageBegun, StageFrameDone
from videomama_server.engines.passthrough import PassthroughEngine
from videomama_server.media import sequences
from videomama_server.media.delivery import Delivery
from videomama_server.media.frames import read_mask
from videomama_server.pipeline import run
from videomama_server.pipeline.object_layers import ObjectLayers
from videomama_server.pipeline.run import Matte
from videomama_server.pipeline.sources import DiskSource

CLIP = range(1001, 1007)


class Shared(PassthroughEngine):
    """Gives masks back, and does something else at a frame where it is asked to."""

    def __init__(self, name="shared", at=None):
        self.name = self.fingerprint = name
        self.at = at or (lambda _: None)

    def prepare(self, frame, settings):
        return frame.number, super().prepare(frame, settings)

    def refine(self, prepared, settings):
        self.at(prepared[0][0])
        return super().refine([mask for _, mask in prepared], settings)


@pytest.fixture
def shot(make_shot):
    """A shot with the masks of a dog beside its own."""
    made = make_shot(CLIP)
    for frame in CLIP:
        path = made.mask_file(frame)
        path.with_name(path.name.replace("mask", "dog")).write_bytes(path.read_bytes())
    return made


@pytest.fixture
def job(bench, shot):
    """Run a job of objects with an engine each: `job(hero=Shared(), dog=Shared())`; gives the events."""

    def run_job(layered=True, **engines):
        orders = {}
        names = tuple(engines)
        shared = None
        for name, engine in engines.items():
            order = bench.order(shot, engine)
            mask = shot.mask.replace("mask", "dog") if name == "dog" else shot.mask
            delivery = Delivery(sequences.parse(str(bench.folder / "out" / "a.####.exr")), layers=names)
            if not layered:
                delivery = Delivery(sequences.parse(str(bench.folder / name / "a.####.exr")))
            shared = shared or ObjectLayers(delivery, names)
            orders[name] = replace(
                order,
                job="job",
                reader=order.reader.over(DiskSource("mask", mask, ())),
                delivery=delivery,
                object=name,
                layers=shared if layered else None,
            )
        first, *others = orders.values()
        bench.events.clear()
        whole = replace(first, siblings=tuple(others))
        for pause in Matte(whole, bench.services, bench.events.append, threading.Event()).run():
            wait([pause] if pause else [])
        return bench.events

    return run_job


def whole_entries(bench):
    return [path for path in bench.cache.folder.glob("entries/*/*.exr") if path.name[0] != "."]


def told(events, kind):
    return [event for event in events if isinstance(event, kind)]


def test_each_object_is_told_of_and_a_frame_once_it_is_whole(job, bench):
    events = job(hero=Shared(), dog=Shared("other"))
    (planned,) = told(events, MattePlanned)
    assert [(one.name, one.engine, one.stages) for one in planned.objects] == [
        ("hero", "shared", ["shared"]),
        ("dog", "other", ["other"]),
    ]
    assert [(event.object, event.engine, event.frame_count) for event in told(events, StageBegun)] == [
        ("hero", "shared", 6),
        ("dog", "other", 6),
    ]
    assert len(told(events, StageFrameDone)) == 12
    assert [event.object for event in told(events, FrameDone)] == [""] * 6
    done = events[-1]
    assert isinstance(done, MatteDone)
    assert [(one.name, one.computed, one.cached, one.judged) for one in done.objects] == [
        ("hero", 6, 0, 6),
        ("dog", 6, 0, 6),
    ]


def test_what_is_said_of_all_objects_is_said_once(job, shot, monkeypatch):
    monkeypatch.setattr("videomama_server.pipeline.doubts.of_plate", lambda *_: ["the plate is odd"])
    for frame in CLIP[:2]:
        shot.put_mask(frame, np.zeros((48, 64), np.float32))
    warnings = job(hero=Shared(), dog=Shared())[-1].warnings
    assert warnings == ["the plate is odd", "object hero: the mask is empty on frames 1001-1002; alpha is 0 there"]


def test_an_alpha_that_is_lost_before_its_file_is_written_is_computed_again(job, bench):
    lost = []

    def remove(frame):
        if not lost:
            lost.extend(whole_entries(bench))
            for entry in lost:
                entry.unlink()

    events = job(hero=Shared(), dog=Shared("other", remove))
    assert len(lost) == 6
    assert isinstance(events[-1], MatteDone)
    assert sorted(event.frame for event in told(events, FrameDone)) == list(CLIP)
    assert all(read_mask(Path(event.path), "hero.A").pixels.any() for event in told(events, FrameDone))


def test_alphas_that_are_removed_again_and_again_end_the_job(job, bench, monkeypatch):
    monkeypatch.setattr(run, "_MOST_LOSSES", 0)

    def remove(_):
        for entry in whole_entries(bench):
            entry.unlink()

    with pytest.raises(InternalError, match="object hero was removed or damaged in the cache"):
        job(hero=Shared(), dog=Shared("other", remove))


def test_memory_that_runs_out_is_named_with_its_object(job):
    def full(_):
        raise OutOfMemory("it does not fit", "Less.")

    with pytest.raises(OutOfMemory, match=r"^object dog: it does not fit") as raised:
        job(hero=Shared(), dog=Shared("other", full))
    assert raised.value.object == "dog"


def failing(frame):
    if frame == 1004:
        raise BadInput("it cannot be done", "Leave it.")


def test_objects_that_fail_are_all_named_and_the_others_are_finished(job, bench):
    with pytest.raises(BadInput, match=r"^object hero: it cannot be done") as raised:
        job(layered=False, hero=Shared("one", failing), dog=Shared("two"), cat=Shared("three", failing))
    assert raised.value.hint == "Leave it. Failed as well: cat."
    found = {name: len(told_of(bench.events, name)) for name in ("hero", "dog", "cat")}
    assert found["dog"] == 6
    assert found["hero"] < 6
    assert len(list((bench.folder / "dog").iterdir())) == 6


def told_of(events, name):
    return [event for event in told(events, FrameDone) if event.object == name]


def test_another_kind_of_error_ends_the_job_at_once(job, bench):
    def broken(_):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as raised:
        job(hero=Shared("one", broken), dog=Shared("two"))
    assert raised.value.__notes__ == ["object hero"]
    assert not [event for event in told(bench.events, StageBegun) if event.object == "dog"]
