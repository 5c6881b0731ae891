"""Which engine takes a job whose subject is small: by the masks at fixed places of the clip, and only where it may."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import OpenImageIO as oiio
import pytest
from videomama_client.messages import FrameDone
from videomama_client.settings import MatteSettings
from videomama_server.engines.passthrough import PassthroughEngine
from videomama_server.pipeline.order import LICENCE, LightEngine
from videomama_server.pipeline.run import Matte
from videomama_server.pipeline.small_subject import settled, thickness

CLIP = range(1001, 1011)
DECIDE = (1002, 1004, 1006, 1008, 1010)
LIGHT = LightEngine("passthrough", PassthroughEngine(), MatteSettings(exposure=1.0), ("--seed has no effect",))
SIZE = (90, 160)


def bar(thick, size=SIZE):
    mask = np.zeros(size, np.float32)
    mask[20 : 20 + thick, 10:150] = 1
    return mask


@pytest.fixture
def shot(make_shot):
    """Ten frames of a long bar, 13 pixels thick."""
    made = make_shot(CLIP)
    for frame in CLIP:
        made.put_plate(frame, np.full((*SIZE, 3), 0.3, np.float32))
        made.put_mask(frame, bar(13))
    return made


@pytest.fixture
def engine(temporal):
    """The heavier engine."""
    return temporal()


@pytest.fixture
def taken(bench, take):
    def make(shot, engine, **asked):
        order = replace(bench.order(shot, engine, **asked), light=LIGHT)
        return take(settled(order, bench.readers))

    return make


@pytest.mark.parametrize("frames", ["", "1001", "1009-1010"])
def test_a_thin_subject_is_given_to_the_light_engine_whatever_frames_are_wanted(taken, shot, engine, frames):
    order = taken(shot, engine, frame_ranges=frames)
    assert (order.engine_name, order.engine, order.light) == ("passthrough", LIGHT.engine, None)
    assert order.request.settings == LIGHT.settings
    assert "at most 13 px thick" in order.notes[0]
    assert f"--engine {engine.name}" in order.notes[0]
    assert order.notes[1:] == LIGHT.notes


def test_frames_that_do_not_decide_may_hold_what_they_like(taken, shot, engine):
    for frame in set(CLIP) - set(DECIDE):
        shot.put_mask(frame, bar(60))
    assert taken(shot, engine, frame_ranges="1001").engine_name == "passthrough"


@pytest.mark.parametrize("frame", DECIDE)
def test_one_thick_subject_keeps_the_engine(taken, shot, engine, frame):
    shot.put_mask(frame, bar(26))
    order = taken(shot, engine, frame_ranges="1001")
    assert (order.engine_name, order.notes) == (engine.name, ())


def test_no_subject_and_a_missing_frame_keep_the_engine(taken, shot, engine):
    for frame in CLIP:
        shot.put_mask(frame, bar(0))
    assert taken(shot, engine).engine_name == engine.name
    for frame in CLIP:
        shot.put_mask(frame, bar(13))
    (shot.folder / "mask.1004.exr").unlink()
    assert taken(shot, engine, clip="1001-1010", frame_ranges="1001").engine_name == engine.name


def test_the_mask_counts_as_it_is_shaped(taken, shot, engine):
    assert taken(shot, engine, mask_grow=120.0).engine_name == engine.name


def test_where_no_light_engine_may_take_over_no_mask_is_looked_at(bench, take, shot, engine, monkeypatch):
    monkeypatch.setattr("videomama_server.pipeline.small_subject._thickness", None)
    order = bench.order(shot, engine)
    assert take(settled(order, bench.readers)) is order


def test_the_job_says_which_engine_took_it_and_why(bench, take, shot, engine):
    order = replace(bench.order(shot, engine), light=LIGHT)
    take(Matte(order, bench.services, bench.events.append, threading.Event()).run())
    planned, done = bench.events[0], bench.events[-1]
    assert (planned.engine, done.engine) == ("passthrough", "passthrough")
    assert done.warnings[0].startswith("the subject is at most 13 px thick")


def test_the_alpha_has_no_licence_of_the_engine_that_left(bench, take, shot, engine):
    engine.licence = lambda settings: "that of the heavier engine"
    order = replace(bench.order(shot, engine, dtype="half"), light=LIGHT)
    assert LICENCE in order.attributes
    take(Matte(order, bench.services, bench.events.append, threading.Event()).run())
    written = [event.path for event in bench.events if isinstance(event, FrameDone)]
    written += bench.cache.folder.glob("entries/*/*.exr")
    assert {oiio.ImageInput.open(str(path)).spec().getattribute(LICENCE) for path in written} == {None}


def test_in_a_chain_the_notes_of_other_stages_stay_and_each_names_its_stage(bench, take, shot, engine):
    order = bench.order(shot, engine, then=[PassthroughEngine()])
    then = tuple(replace(stage, notes=("stage 2, passthrough: a note",)) for stage in order.then)
    order = replace(order, light=LIGHT, notes=("stage 1, temporal: of the engine that leaves",), then=then)
    take(Matte(order, bench.services, bench.events.append, threading.Event()).run())
    took, *others = bench.events[-1].warnings[:3]
    assert took.startswith("stage 1, passthrough: the subject is at most 13 px thick")
    assert others == ["stage 1, passthrough: --seed has no effect", "stage 2, passthrough: a note"]


@pytest.mark.parametrize("thick", [1, 2, 13, 25])
def test_thickness_is_that_of_the_widest_place(thick):
    assert thickness(bar(thick) > 0) == pytest.approx(thick, abs=1)
    assert thickness(bar(thick)[:, 50:60] > 0) <= 10  # one that the frame cuts is as thick as what is seen


def test_nothing_has_no_thickness():
    assert thickness(bar(0) > 0) == 0
