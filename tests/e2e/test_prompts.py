"""Masks from prompts through a real server: a recording maker of another package that walks through the clip."""

import json
import os
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from videomama_client import submission
from videomama_client.engine_options import EngineOption
from videomama_client.errors import BadInput
from videomama_client.inline import InlineFrames
from videomama_client.messages import FOREGROUND, FrameDone, MatteDone, SideResult, StageBegun, StageFrameDone
from videomama_client.objects import MaskObject
from videomama_client.prompts import MASK, POINT, TEXT, Prompt
from videomama_client.stages import Stage
from videomama_server.media import frames

WALKER = """
import time
from pathlib import Path
import numpy as np
from videomama_client.setting_spec import NUMBER, SettingSpec
from videomama_server.engines.sequential import PlainSequentialEngine

class Walker(PlainSequentialEngine):
    name, protocol, fingerprint, prompts, keep_every = "stub-walker", 1, "walker-1", ("point", "mask"), 4

    @classmethod
    def options(cls):
        return (SettingSpec("pause", NUMBER, 0, "s"),)

    def encode(self, frame, settings):
        return frame.plate.mean(axis=2)

    def begin(self, brief, settings):
        held = 0.1 * brief.encoded(brief.start)
        for told in brief.prompts:
            for (x, y), label in zip(told.points.astype(int), told.labels):
                held[max(y - 9, 0) : y + 9, max(x - 9, 0) : x + 9] = float(label)
            if told.load_mask:
                held = np.maximum(held, told.load_mask())
        return {"held": held.astype(np.float32)}

    def step(self, state, number, encoded, settings):
        with Path({folder!r}, self.name).open("a") as record:
            record.write(f"{number}" + chr(10))
        time.sleep(settings.options_of(self.options())["pause"])
        state["held"] = np.float32(0.9) * state["held"] + np.float32(0.1) * encoded
        return np.where(state["held"] > 0.3, np.clip(state["held"], 0, 1), 0).astype(np.float32)

    def export(self, state):
        return {"held": state["held"].copy()}

    def restore(self, kept, brief, settings):
        return dict(kept)
"""
LONG_AGO_S = 60.0
CLICK = Prompt(POINT, 1003, (48.0, 32.0))


@pytest.fixture(scope="module")
def studio(studio_server, tmp_path_factory):
    """A server with the maker; `studio.steps()` are the frames that it stepped to since they were last asked for."""
    folder = tmp_path_factory.mktemp("prompts")
    code = WALKER.replace("{folder!r}", repr(str(folder)))
    running = studio_server(folder, {"studio-walker": (code, {"stub-walker": "Walker"})})

    def steps():
        record = folder / "stub-walker"
        found = [int(line) for line in record.read_text().splitlines()] if record.exists() else []
        record.unlink(missing_ok=True)
        return found

    running.steps = steps
    yield running
    running.end()


@pytest.fixture
def clip(make_clip, studio):
    """Nine frames that are not new, so that they are known by their stat."""
    made = make_clip(count=9)
    for path in made.folder.glob("*.exr"):
        os.utime(path, (time.time() - LONG_AGO_S,) * 2)
    studio.steps()
    return made


def chain(*prompts, **more):
    """Return a request that begins with the maker, and goes on with `passthrough`."""
    named = {"engine": "stub-walker", "mask": "", "roi": "auto", "then": (Stage("passthrough"),)}
    return {**named, "prompts": prompts or (CLICK,), **more}


def computed(outcome):
    return [stage.computed for stage in outcome.done.stages]


def alphas(clip, numbers=None):
    return {frame: clip.read_alpha(frame).tobytes() for frame in numbers or clip.numbers}


def test_a_second_run_computes_nothing_and_other_prompts_compute_all_after_them(studio, clip):
    first = studio.refine(clip, **chain())
    assert computed(first) == [9, 9]
    assert studio.steps() == [*range(1003, 1010), 1003, 1002, 1001]
    assert first.planned.roi == first.done.roi
    made = alphas(clip)
    assert computed(studio.refine(clip, **chain())) == [0, 0]
    assert computed(studio.refine(clip, **chain(then=(Stage("passthrough"), Stage("adjust"))))) == [0, 0, 9]
    assert studio.steps() == []
    other = replace(CLICK, place=(20.0, 20.0))
    assert computed(studio.refine(clip, **chain(CLICK, other))) == [9, 9]
    assert computed(studio.refine(clip, **chain())) == [0, 0]
    assert alphas(clip) == made


def test_a_part_has_the_bits_of_the_whole_and_goes_on_from_a_kept_state(studio, clip):
    pinned = chain(roi="8,8,64,48", frame_ranges="1006")
    studio.refine(clip, **pinned)
    assert studio.steps() == [1003, 1004, 1005, 1006]
    some = alphas(clip, [1006])
    studio.refine(clip, **{**pinned, "frame_ranges": "1008"})
    assert studio.steps() == [1007, 1008]
    some |= alphas(clip, [1008])
    with studio.client() as client:
        planned = client.plan_frames(clip.order(**pinned).settings, "1001-1009", "1006", (), (CLICK,))
        assert planned.needed_ranges == "1003-1006"
        client.clear_cache()
    studio.refine(clip, **chain(roi="8,8,64,48"))
    assert alphas(clip, [1006, 1008]) == some


def test_a_worker_that_is_killed_in_a_walk_does_nothing_finished_twice(studio, clip, kill_worker):
    heard = []
    slow = chain(engine_options=(EngineOption("pause", 0.3),))
    worker = studio.worker()
    with studio.client() as client:
        for event in client.events(client.submit(clip.order(**slow))):
            heard.append(event)
            if isinstance(event, StageFrameDone) and event.frame == 1007:
                worker.suspend()  # it gets no further until it is killed
                killed_after = studio.steps()
                kill_worker(client)
    done = heard[-1]
    assert isinstance(done, MatteDone)
    assert [stage.computed for stage in done.stages] == [9, 9]
    kept = Counter((event.stage, event.frame) for event in heard if isinstance(event, StageFrameDone))
    assert set(kept.values()) == {1}
    assert len([event for event in heard if isinstance(event, FrameDone)]) == 9
    assert next(event.engine for event in heard if isinstance(event, StageBegun)) == "stub-walker"
    again = studio.steps()
    assert 1003 in killed_after
    assert again[0] >= 1007  # a state was kept on 1006
    assert {1008, 1009} <= {*again, *killed_after}


def test_a_key_mask_travels_with_the_plates_of_an_inline_job(studio, clip):
    key = Prompt(MASK, 1004, file=str(clip.file("mask", 1004)), object="dog")
    assert computed(studio.refine(clip, **chain(key))) == [9, 9]
    by_path = alphas(clip)
    files = InlineFrames({frame: clip.file("plate", frame) for frame in clip.numbers})
    with studio.client() as client:
        client.clear_cache()
        *_, done = submission.submit(client, clip.order(**chain(key)), files, clip.alpha_file).events()
    assert [stage.computed for stage in done.stages] == [9, 9]
    assert alphas(clip) == by_path


HERO = Prompt(POINT, 1003, (20.0, 20.0), object="hero")
DOG = Prompt(POINT, 1005, (70.0, 44.0), object="dog")
BOTH = (MaskObject("hero", ""), MaskObject("dog", ""))


def layer(clip, name, numbers=None):
    return {
        frame: frames.read_mask(clip.alpha_file(frame), f"{name}.A").pixels.tobytes()
        for frame in numbers or clip.numbers
    }


def test_two_clicked_objects_are_layers_of_one_file_each_as_if_it_were_alone(studio, clip):
    outcome = studio.refine(clip, **chain(HERO, DOG, objects=BOTH))
    assert [[stage.computed for stage in one.stages] for one in outcome.done.objects] == [[9, 9], [9, 9]]
    assert (outcome.done.computed, outcome.numbers) == (9, list(clip.numbers))
    made = {name: layer(clip, name) for name in ("hero", "dog")}
    assert made["hero"] != made["dog"]
    studio.steps()
    for told in (HERO, DOG):
        alone = studio.refine(clip, **chain(told))
        assert computed(alone) == [0, 0]  # its entries are those of the job of objects
        assert alphas(clip) == made[told.object]
    again = studio.refine(clip, **chain(replace(HERO, place=(30.0, 20.0)), DOG, objects=BOTH))
    assert [one.computed for one in again.done.objects] == [9, 0]
    assert studio.steps() == [*range(1003, 1010), 1003, 1002, 1001]


def test_a_part_of_clicked_objects_has_the_bits_of_the_whole(studio, clip):
    pinned = chain(HERO, DOG, objects=BOTH, roi="8,8,64,48")
    studio.refine(clip, **{**pinned, "frame_ranges": "1006"})
    some = [layer(clip, name, [1006]) for name in ("hero", "dog")]
    with studio.client() as client:
        planned = client.plan_frames(clip.order(**pinned).settings, "1001-1009", "1006", (), (HERO, DOG), BOTH)
        assert planned.needed_ranges == "1003-1006"
        client.clear_cache()
    studio.refine(clip, **pinned)
    assert [layer(clip, name, [1006]) for name in ("hero", "dog")] == some


def test_a_painted_object_and_one_with_masks_travel_inline_with_the_plates(studio, clip):
    keys = [Prompt(MASK, frame, file=str(clip.file("mask", frame)), object="dog") for frame in (1003, 1007)]
    keys.append(Prompt(MASK, 1003, file=str(clip.file("mask", 1009)), object="hero"))
    masked = MaskObject("cat", str(clip.folder / "mask.####.exr"), stages=(Stage("passthrough"),))
    asked = chain(*keys, objects=(*BOTH, masked), out=str(clip.folder / "{object}" / "alpha.####.exr"))
    files = {
        name: lambda frame, name=name: clip.folder / name / f"alpha.{frame}.exr" for name in ("hero", "dog", "cat")
    }

    def pixels():
        return {name: frames.read_mask(file(1004), "A").pixels.tobytes() for name, file in files.items()}

    studio.refine(clip, **asked)
    by_path = pixels()
    plates, masks = ({frame: clip.file(role, frame) for frame in clip.numbers} for role in ("plate", "mask"))
    offered = InlineFrames(plates, objects={"cat": masks})
    with studio.client() as client:
        client.clear_cache()
        sent = submission.submit(client, clip.order(**asked), offered, files["hero"], None, files)
        *_, done = sent.events()
    assert [one.computed for one in done.objects] == [9, 9, 9]
    assert pixels() == by_path
    assert len(set(by_path.values())) == 3


def test_the_region_of_an_object_is_found_from_what_was_made_of_its_own_prompts(studio, clip):
    small = {"frame_ranges": "1005", "then": (Stage("classic"),)}
    hero = studio.refine(clip, **chain(HERO, **small)).planned.roi
    dog = studio.refine(clip, **chain(DOG, **small)).planned.roi
    both = studio.refine(clip, **chain(HERO, DOG, objects=BOTH, **small))
    assert both.planned.roi == both.done.roi == hero
    assert [one.cached for one in both.done.objects] == [1, 1]
    other = studio.refine(clip, **chain(HERO, DOG, objects=BOTH[::-1], **small))
    assert (other.done.roi, other.done.computed) == (dog, 0)


def test_the_command_line_makes_layers_of_clicked_objects(studio, clip, read_file, videomama):
    words = ["matte", "--plate", clip.plate, "--out", clip.out, "--connection-file", studio.connection_file]
    words += ["--maker", "stub-walker", "--engine", "passthrough", "--object", "hero"]
    words += ["--click", "1003:20,20", "--object", "dog", "--click", "1005:70,44", "--object", f"cat={clip.mask}"]
    said = videomama(*words, "--json")
    assert said.code == 0, said.err
    done = json.loads(said.out)
    assert [(one["name"], len(one["stages"])) for one in done["objects"]] == [("hero", 2), ("dog", 2), ("cat", 1)]
    names, _, _ = read_file(clip.alpha_file(1005))
    assert sorted(names) == ["cat.A", "dog.A", "hero.A"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"prompts": (CLICK, HERO), "objects": BOTH},
            "the click 1003:48,32 is of no object of the job, which has hero, dog",
        ),
        ({"prompts": (HERO,), "objects": BOTH}, "object dog: stage 1, stub-walker: .* makes masks from prompts"),
        (
            {"prompts": (HERO, replace(DOG, place=(96.0, 5.0))), "objects": BOTH},
            "object dog: the click 1005:96,5 of dog lies outside the plate",
        ),
        (
            {"prompts": (HERO, DOG), "objects": BOTH, "side_results": (SideResult(FOREGROUND, "/fg.####.exr"),)},
            "the foreground /fg.####.exr would be the same file for all objects",
        ),
        ({"prompts": (replace(CLICK, place=(96.0, 5.0)),)}, "click 1003:96,5 lies outside the plate, which is 96x64"),
        ({"prompts": (replace(CLICK, frame=1200),)}, "is on frame 1200, and the clip is 1001-1009"),
        ({"prompts": (Prompt(TEXT, text="dog"),)}, "stage 1, stub-walker: the engine stub-walker takes no words"),
        ({"prompts": ()}, "the engine stub-walker makes masks from prompts, and the job has no prompt and no mask"),
        ({"engine": "passthrough"}, "the engine passthrough takes no prompts"),
        ({"prompts": (CLICK, replace(CLICK, object="dog"))}, "the prompts are of several objects: .*dog"),
        ({"prompts": (Prompt(MASK, 1003, file="/none.exr"),)}, "the key mask /none.exr is not there"),
        ({"window": 3}, "stub-walker takes one frame after the other, and has no windows"),
        ({"then": (Stage("held"),)}, "stage 2, held: an engine that walks through the clip .* can only come first"),
    ],
)
def test_prompts_that_cannot_be_are_refused_by_a_sentence(studio, clip, changes, said):
    with pytest.raises(BadInput, match=said) as refused:
        studio.refine(clip, **{**chain(), **changes})
    assert refused.value.hint
    assert studio.steps() == []


@pytest.mark.slow
def test_memory_does_not_grow_with_the_length_of_a_walk(studio, clip, make_clip):
    long = make_clip(count=400, size=(192, 128))
    studio.refine(long, **chain(frame_ranges="1003-1020"))
    worker = psutil.Process(studio.status().worker_pid)
    before = worker.memory_info().rss
    assert computed(studio.refine(long, **chain())) == [400 - 18, 400 - 18]
    assert worker.memory_info().rss - before < 100 << 20  # a clip of 400 plates is 118 MB, and as much in masks
    assert Path(studio.cache_dir, "states").is_dir()


def test_the_masks_alone_are_delivered_too(studio, clip):
    alone = studio.refine(clip, **chain(then=()))
    assert (alone.done.computed, alone.done.judged) == (9, 0)
    assert np.count_nonzero(clip.read_alpha(1003)) > 100
