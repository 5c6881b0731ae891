"""Chains of stages through a real server: the engines of this project, and recording ones of another package."""

import os
import time
from collections import Counter

import numpy as np
import pytest
from videomama_client import submission
from videomama_client.engine_options import EngineOption
from videomama_client.errors import BadInput, Cancelled
from videomama_client.inline import InlineFrames
from videomama_client.messages import FrameDone, MatteDone, StageBegun, StageFrameDone
from videomama_client.stages import MOST_STAGES, Stage
from videomama_server.media import frames
from videomama_server.pipeline.window_grid import lay

STUBS = """
import time
from pathlib import Path
import numpy as np
from videomama_client.setting_spec import NUMBER, SettingSpec
from videomama_server.engines.base import PlainEngine, WindowShape

class Stub(PlainEngine):
    protocol = 1

    @classmethod
    def options(cls):
        return (SettingSpec("share", NUMBER, 0.25, "Of the neighbours.", 0, 1), SettingSpec("pause", NUMBER, 0, "s"))

    def prepare(self, frame, settings):
        return frame.number, frame.mask, frame.plate

    def refine(self, prepared, settings):
        with Path({folder!r}, self.name).open("a") as record:
            record.write(" ".join(str(number) for number, _, _ in prepared) + chr(10))
        own = settings.options_of(self.options())
        time.sleep(own["pause"])
        masks = np.stack([mask for _, mask, _ in prepared])
        plates = np.stack([plate.mean(axis=2) for _, _, plate in prepared])
        return ((1 - own["share"]) * masks + own["share"] * (masks * plates).mean(axis=0)).astype(np.float32)

class Maker(Stub):
    name, role, fingerprint, window = "stub-maker", "maker", "maker-1", WindowShape(6, 2)

    def prepare(self, frame, settings):
        number, mask, plate = super().prepare(frame, settings)
        if not mask.any():
            mask = np.zeros_like(mask)
            mask[20:40, 30:60] = 1
        return number, mask, plate

class Refiner(Stub):
    name, role, fingerprint, window = "stub-refiner", "refiner", "refiner-1", WindowShape(3, 1)

class Strange(Stub):
    name, role, fingerprint, window = "stub-strange", "painter", "strange-1", WindowShape(3, 1)
"""
ENGINES = {"stub-maker": "Maker", "stub-refiner": "Refiner", "stub-strange": "Strange"}
MODEL = Stage("videomama", (EngineOption("canvas", "128x64"),), window=6, overlap=2)
LONG_AGO_S = 60.0


@pytest.fixture(scope="module")
def studio(studio_server, tiny_checkpoint, tmp_path_factory):
    """A server with a tiny model and the stubs; `studio.windows("stub-maker")` are those that one computed."""
    folder = tmp_path_factory.mktemp("chains")
    (folder / "records").mkdir()
    code = STUBS.replace("{folder!r}", repr(str(folder / "records")))
    flags = ("--device", "cpu", "--dtype", "fp32", "--weights", str(tiny_checkpoint))
    running = studio_server(folder, {"studio-stubs": (code, ENGINES)}, *flags)

    def windows(engine):
        record = folder / "records" / engine
        found = [tuple(map(int, line.split())) for line in record.read_text().splitlines()] if record.exists() else []
        record.unlink(missing_ok=True)
        return found

    running.windows = windows
    yield running
    running.end()


CLASSIC = Stage("classic", (EngineOption("quality", "fast"),))


@pytest.fixture
def clip(make_clip, studio):
    """Nine frames that are not new, so that they are known by their stat."""
    made = make_clip(count=9)
    for path in made.folder.glob("*.exr"):
        os.utime(path, (time.time() - LONG_AGO_S,) * 2)
    for engine in ENGINES:
        studio.windows(engine)
    return made


def chain(*, share=0.25, last=0.25, **more):
    """Return the request of a maker, `classic` and a refiner."""
    options = {"engine": "stub-maker", "engine_options": (EngineOption("share", share),)}
    then = (CLASSIC, Stage("stub-refiner", (EngineOption("share", last),)))
    return {"roi": "16,8,64,48", **options, "then": then, **more}


def computed(outcome):
    return [stage.computed for stage in outcome.done.stages]


def alphas(clip, numbers=None):
    return {frame: clip.read_alpha(frame).tobytes() for frame in numbers or clip.numbers}


def test_a_second_run_computes_nothing_and_another_last_stage_only_itself(studio, clip):
    first = studio.refine(clip, **chain())
    assert first.planned.stages == ["stub-maker", "classic", "stub-refiner"]
    assert computed(first) == [9, 9, 9]
    assert len(studio.windows("stub-maker")) == len(lay(range(1001, 1010), 6, 2))
    made = alphas(clip)
    studio.windows("stub-refiner")
    again = studio.refine(clip, **chain())
    assert computed(again) == [0, 0, 0]
    assert (again.done.computed, again.done.cached) == (0, 9)
    other = studio.refine(clip, **chain(last=0.75))
    assert computed(other) == [0, 0, 9]
    assert studio.windows("stub-maker") == []
    assert alphas(clip) != made
    assert computed(studio.refine(clip, **chain(share=0.75, last=0.75))) == [9, 9, 9]
    assert computed(studio.refine(clip, **chain())) == [0, 0, 0]
    assert alphas(clip) == made


def test_a_hit_at_the_top_opens_no_plate_and_needs_no_alpha_below(studio, clip):
    studio.refine(clip, **chain())
    known = alphas(clip)
    for path in clip.folder.glob("*.exr"):
        stat = path.stat()
        path.write_bytes(bytes(stat.st_size))
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    kept = {path.read_bytes() for path in (clip.folder / "out").iterdir()}
    for entry in studio.entries():
        if entry.read_bytes() not in kept:
            entry.unlink()
    assert computed(studio.refine(clip, **chain())) == [0, 0, 0]
    assert alphas(clip) == known


def test_an_edited_mask_recomputes_what_its_windows_hold_in_every_stage(studio, clip, make_clip):
    studio.refine(clip, **chain())
    frames.write_picture(clip.file("mask", 1001), np.ones((64, 96), np.float32), ("A",), "half")
    edited = studio.refine(clip, **chain())
    touched = [1001]
    for stage, (length, overlap, context) in zip(edited.done.stages, [(6, 2, 0), (8, 2, 2), (3, 1, 0)], strict=True):
        laid = [window.frames for window in lay(range(1001, 1010), length, overlap)]
        hit = {frame for window in laid if set(window) & set(touched) for frame in window}
        reach = {frame + step for frame in hit for step in range(-context, context + 1)} & set(clip.numbers)
        assert len(hit) <= stage.computed <= len(reach)
        touched = sorted(reach)
    assert edited.done.stages[0].computed == 6
    warm = alphas(clip)
    studio.refine(clip, **chain(rehash=True))
    assert alphas(clip) == warm


def test_a_part_has_the_bits_of_the_whole_in_every_stage(studio, start_server, clip):
    part = studio.refine(clip, **chain(frame_ranges="1003-1004"))
    assert part.done.frame_count == part.done.stages[-1].computed == 2
    assert part.done.stages[0].computed >= part.done.stages[1].computed >= 2
    some = alphas(clip, [1003, 1004])
    entries = {path.name: frames.read_mask(path, "A").pixels.tobytes() for path in studio.entries()}
    with studio.client() as client:
        client.clear_cache()
    whole = studio.refine(clip, **chain())
    assert computed(whole) == [9, 9, 9]
    assert alphas(clip, [1003, 1004]) == some
    now = {path.name: path for path in studio.entries()}
    shared = [name for name in entries if name in now]
    assert len(shared) >= sum(computed(part))
    assert all(frames.read_mask(now[name], "A").pixels.tobytes() == entries[name] for name in shared)
    with studio.client() as client:
        planned = client.plan_frames(clip.order(**chain()).settings, "1001-1009", "1003-1004", chain()["then"])
    assert planned.engine == "stub-maker"


@pytest.mark.slow
def test_the_model_works_between_a_maker_and_a_refiner(studio, clip):
    then = (MODEL, Stage("stub-refiner"))
    first = studio.refine(clip, engine="stub-maker", then=then)
    assert computed(first) == [9, 9, 9]
    assert "128x64" in first.done.stages[1].plan
    made = alphas(clip)
    other = (MODEL, Stage("stub-refiner", (EngineOption("share", 0.5),)))
    assert computed(studio.refine(clip, engine="stub-maker", then=other)) == [0, 0, 9]
    assert computed(studio.refine(clip, engine="stub-maker", then=then, frame_ranges="1004")) == [0, 0, 0]
    with studio.client() as client:
        client.clear_cache()
    studio.refine(clip, engine="stub-maker", then=then, frame_ranges="1004")
    assert alphas(clip, [1004])[1004] == made[1004]


def test_a_worker_that_is_killed_between_stages_does_nothing_finished_twice(studio, clip, kill_worker):
    slow = Stage("stub-refiner", (EngineOption("pause", 0.5),))
    heard = []
    with studio.client() as client:
        for event in client.events(client.submit(clip.order(**chain(then=(CLASSIC, slow))))):
            heard.append(event)
            if isinstance(event, StageBegun) and event.stage == 2 and len(begins_of_the_last(heard)) == 1:
                kill_worker(client)
    done = heard[-1]
    assert isinstance(done, MatteDone)
    assert [stage.computed for stage in done.stages] == [9, 9, 9]
    assert len(begins_of_the_last(heard)) == 2  # the last stage began again
    kept = Counter((event.stage, event.frame) for event in heard if isinstance(event, StageFrameDone))
    assert set(kept.values()) == {1}
    assert len([event for event in heard if isinstance(event, FrameDone)]) == 9
    assert len(studio.windows("stub-maker")) == len(lay(range(1001, 1010), 6, 2))
    assert studio.status().worker_restarts >= 1


def begins_of_the_last(heard):
    return [event for event in heard if isinstance(event, StageBegun) and event.stage == 2]


def cancelled_in_the_last_stage(client, job):
    """Follow a job of two stages and cancel it when the second begins."""
    for event in client.events(job):
        if isinstance(event, StageBegun) and event.stage == 1:
            client.cancel(job)


def test_a_cancelled_chain_keeps_its_finished_stages_and_says_which_it_is_at(studio, clip):
    then = (Stage("stub-refiner", (EngineOption("pause", 2.0),)),)
    with studio.client() as client:
        job = client.submit(clip.order(**chain(then=then)))
        with pytest.raises(Cancelled):
            cancelled_in_the_last_stage(client, job)
        (state,) = [state for state in client.jobs() if state.job == job]
    assert state.stage == "2 of 2, stub-refiner"
    assert computed(studio.refine(clip, **chain(then=(Stage("stub-refiner"),)))) == [0, 9]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"then": (Stage("stub-refiner"), Stage("stub-maker"))}, "stage 3, stub-maker: a mask maker cannot come after"),
        ({"engine": "stub-refiner", "then": (Stage("classic"),)}, "a matting engine cannot come after stub-refiner"),
        ({"then": (Stage("nobody"),)}, "stage 2, nobody: unknown engine"),
        ({"then": (Stage("stub-strange"),)}, "stub-strange .*role is 'painter'"),
        ({"then": (Stage("classic", (EngineOption("share", 0.5),)),)}, "stage 2, classic: .*no option 'share'"),
        ({"then": (Stage("stub-refiner", (EngineOption("share", 5.0),)),)}, "stage 2, stub-refiner: .*share 5"),
        ({"then": (Stage("classic"),) * MOST_STAGES}, f"the job has {MOST_STAGES + 1} stages"),
        ({"engine": "classic", "mask": ""}, "no mask"),
    ],
)
def test_a_chain_that_cannot_be_is_refused_by_a_sentence(studio, clip, changes, said):
    with pytest.raises(BadInput, match=said) as refused:
        studio.refine(clip, **{"engine": "passthrough", **changes})
    assert refused.value.hint


def test_an_inline_job_sends_its_plates_for_each_stage_that_computes(studio, clip, videomama):
    words = ["--connection-file", str(studio.connection_file), "--transport", "inline", "--then", "stub-refiner"]
    said = videomama(*clip.flags(*words))
    assert said.code == 0, said.err
    assert "by passthrough, then stub-refiner, region" in said.out
    sent = alphas(clip)
    assert "9 cached" in videomama(*clip.flags(*words[:2], *words[4:])).out
    assert alphas(clip) == sent


def test_a_maker_needs_no_mask(studio, clip):
    then = (Stage("passthrough"),)
    options = (EngineOption("share", 0.5),)
    outcome = studio.refine(clip, engine="stub-maker", engine_options=options, mask="", roi="auto", then=then)
    assert computed(outcome) == [9, 9]
    x, y, width, height = outcome.done.roi
    assert (x, y) <= (30, 20)
    assert (x + width, y + height) >= (60, 40)
    assert width * height < 96 * 64
    by_path = alphas(clip)
    assert computed(
        studio.refine(clip, engine="stub-maker", engine_options=options, mask="", roi="auto", then=then)
    ) == [0, 0]
    files = InlineFrames({frame: clip.file("plate", frame) for frame in clip.numbers})
    request = clip.order(engine="stub-maker", engine_options=options, mask="", roi="auto", then=then)
    with studio.client() as client:
        client.clear_cache()
        *_, done = submission.submit(client, request, files, clip.alpha_file).events()
    assert [stage.computed for stage in done.stages] == [9, 9]
    assert alphas(clip) == by_path
