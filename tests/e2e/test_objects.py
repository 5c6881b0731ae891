"""Several objects in one job through a real server: layers of one file, files of their own, and what goes wrong."""

import json
import os
import time
from pathlib import Path

import numpy as np
import pytest
from videomama_client import submission
from videomama_client.engine_options import EngineOption
from videomama_client.errors import BadInput, Cancelled
from videomama_client.inline import InlineFrames
from videomama_client.messages import BATCH, FrameDone, MatteDone, StageBegun, StageFrameDone
from videomama_client.objects import MaskObject
from videomama_client.stages import Stage
from videomama_server.media import frames

FAST = (EngineOption("quality", "fast"),)
CLASSIC = {"engine": "classic", "engine_options": FAST, "mask_quality": "rough"}
REGION = "0,0,96,64"


@pytest.fixture
def clip(make_clip):
    """Five frames of a plate, and masks of a hero on the left and a dog on the right beside the one mask."""
    made = make_clip(count=5)
    for index, number in enumerate(made.numbers):
        for name, left in (("hero", 12), ("dog", 58)):
            mask = np.zeros((64, 96), np.float32)
            mask[20:44, left + index : left + 24 + index] = 1.0
            frames.write_picture(made.file(name, number), mask, ("A",), "half")
    for path in made.folder.glob("*.exr"):
        os.utime(path, (time.time() - 60.0,) * 2)
    return made


def objects(clip, *names, **changes):
    """Return objects whose masks lie in files of their names."""
    found = (names or ("hero", "dog"), str(clip.folder))
    return tuple(MaskObject(name, f"{found[1]}/{name}.####.exr", **changes.get(name, {})) for name in found[0])


def asked(clip, *names, **more):
    return {"mask": "", "objects": objects(clip, *names), "roi": REGION, **CLASSIC, **more}


def layers(clip, numbers=None):
    """Return the pixels of each layer by frame, read as any program reads them."""
    return {
        frame: {
            name: frames.read_mask(clip.alpha_file(frame), f"{name}.A").pixels.tobytes() for name in ("hero", "dog")
        }
        for frame in numbers or clip.numbers
    }


def alone(server, clip, name, **more):
    """Return the alphas of one object as a job of its own, and its result."""
    mask, out = str(clip.folder / f"{name}.####.exr"), str(clip.folder / f"alone_{name}" / "alpha.####.exr")
    outcome = server.refine(clip, mask=mask, out=out, **{"roi": REGION, **CLASSIC, **more})
    where = {event.frame: event.path for event in outcome.frames}
    return {frame: frames.read_mask(Path(path), "A").pixels.tobytes() for frame, path in where.items()}, outcome


def test_objects_become_layers_of_one_file_that_hold_what_each_has_alone(server, clip, read_file):
    outcome = server.refine(clip, **asked(clip))
    assert outcome.numbers == list(clip.numbers)
    names, kind, _ = read_file(clip.alpha_file(1001))
    assert (sorted(names), kind) == (["dog.A", "hero.A"], "float")
    assert [(one.name, one.computed, one.cached) for one in outcome.done.objects] == [("hero", 5, 0), ("dog", 5, 0)]
    assert (outcome.done.frame_count, outcome.done.computed, outcome.done.judged) == (5, 5, 5)
    made = layers(clip)
    for name in ("hero", "dog"):
        own, single = alone(server, clip, name)
        assert single.done.computed == 0  # its entries are those of the job of objects
        assert own == {frame: made[frame][name] for frame in clip.numbers}
    again = server.refine(clip, **asked(clip))
    assert [(one.computed, one.cached) for one in again.done.objects] == [(0, 5), (0, 5)]
    assert (again.done.computed, again.done.cached) == (0, 5)
    assert layers(clip) == made


def test_an_object_that_is_added_computes_itself_alone(server, clip):
    server.refine(clip, **asked(clip, "hero"))
    outcome = server.refine(clip, **asked(clip))
    assert [(one.name, one.computed, one.cached) for one in outcome.done.objects] == [("hero", 0, 5), ("dog", 5, 0)]
    assert outcome.done.computed == 5


def test_a_part_has_the_bits_of_the_whole_for_each_object(start_server, clip):
    server = start_server()
    server.refine(clip, **asked(clip, frame_ranges="1003"))
    part = layers(clip, [1003])
    assert not clip.alpha_file(1002).exists()
    with server.client() as client:
        client.clear_cache()
    server.refine(clip, **asked(clip))
    assert layers(clip, [1003]) == part


def test_objects_share_one_region_that_holds_all_of_them(server, clip):
    outcome = server.refine(clip, **asked(clip, roi="auto"))
    x, y, w, h = outcome.done.roi
    hero, dog = (alone(server, clip, name, roi="auto")[1].done.roi for name in ("hero", "dog"))
    assert (x, y) == (min(hero[0], dog[0]), min(hero[1], dog[1]))
    assert (x + w, y + h) == (max(hero[0] + hero[2], dog[0] + dog[2]), max(hero[1] + hero[3], dog[1] + dog[3]))
    again = server.refine(clip, **asked(clip, roi=",".join(map(str, outcome.done.roi)), frame_ranges="1003"))
    assert [one.computed for one in again.done.objects] == [0, 0]


def test_objects_become_files_of_their_own(server, clip):
    out = str(clip.folder / "{object}" / "{object}_alpha.####.exr")
    outcome = server.refine(clip, **asked(clip, out=out))
    assert {(event.object, event.frame) for event in outcome.frames} == {
        (name, frame) for name in ("hero", "dog") for frame in clip.numbers
    }
    assert (outcome.done.frame_count, outcome.done.computed) == (5, 5)
    for name in ("hero", "dog"):
        own, _ = alone(server, clip, name)
        path = clip.folder / name / f"{name}_alpha.1003.exr"
        assert frames.read_mask(path, "A").pixels.tobytes() == own[1003]


def test_an_object_may_have_a_chain_of_its_own(server, clip):
    own = {"dog": {"stages": (Stage("passthrough"), Stage("adjust", (EngineOption("grow", 2.0),)))}}
    outcome = server.refine(clip, **asked(clip, objects=objects(clip, dog=own["dog"])))
    hero, dog = outcome.done.objects
    assert [stage.engine for stage in hero.stages] == ["classic"]
    assert [(stage.engine, stage.computed) for stage in dog.stages] == [("passthrough", 5), ("adjust", 5)]
    grown = frames.read_mask(clip.alpha_file(1001), "dog.A").pixels
    assert grown.sum() > frames.read_mask(clip.file("dog", 1001)).pixels.sum()


def test_masks_may_be_layers_of_one_file(server, clip):
    for number in clip.numbers:
        both = [frames.read_mask(clip.file(name, number)).pixels for name in ("hero", "dog")]
        path = clip.folder / f"roto.{number}.exr"
        frames.write_picture(path, np.concatenate(both, axis=2), ("hero.A", "dog.A"), "half")
    text = str(clip.folder / "roto.####.exr")
    both = tuple(MaskObject(name, text, mask_channel=f"{name}.alpha") for name in ("hero", "dog"))
    by_layers = server.refine(clip, **asked(clip, objects=both))
    made = layers(clip)
    by_files = server.refine(clip, **asked(clip))
    assert [one.cached for one in by_files.done.objects] == [5, 5]  # the same pixels, wherever they lie
    assert layers(clip) == made
    assert by_layers.done.computed == 5


def test_an_inline_job_of_objects_sends_each_plate_and_mask_and_gets_the_same(server, clip):
    server.refine(clip, **asked(clip))
    by_path = layers(clip)
    for out, place in ((clip.out, ""), (str(clip.folder / "sent" / "{object}.####.exr"), "{object}")):
        for frame in clip.numbers:
            clip.alpha_file(frame).unlink(missing_ok=True)
        request = clip.order(**asked(clip, out=out))
        files = {name: {frame: clip.file(name, frame) for frame in clip.numbers} for name in ("hero", "dog")}
        sent = InlineFrames({frame: clip.file("plate", frame) for frame in clip.numbers}, objects=files)
        apart = {name: (lambda frame, name=name: clip.folder / f"{name}.sent.{frame}.exr") for name in files}
        with server.client() as client:
            client.clear_cache()
            *_, done = submission.submit(
                client, request, sent, clip.alpha_file, alphas=apart if place else None
            ).events()
        assert [one.computed for one in done.objects] == [5, 5]
        if place:
            read = {name: frames.read_mask(clip.folder / f"{name}.sent.1004.exr", "A").pixels for name in files}
            assert {name: pixels.tobytes() for name, pixels in read.items()} == by_path[1004]
        else:
            assert layers(clip) == by_path


def test_a_broken_mask_of_an_inline_object_is_named_with_this_sides_file(server, clip):
    broken = clip.file("dog", 1003)
    broken.write_bytes(b"no picture")
    files = {name: {frame: clip.file(name, frame) for frame in clip.numbers} for name in ("hero", "dog")}
    sent = InlineFrames({frame: clip.file("plate", frame) for frame in clip.numbers}, objects=files)
    with server.client() as client, pytest.raises(BadInput, match="object dog: mask frame 1003") as refused:
        list(submission.submit(client, clip.order(**asked(clip)), sent, clip.alpha_file).events())
    assert (refused.value.object, refused.value.file) == ("dog", str(broken))


def test_an_object_that_is_out_of_the_picture_has_alpha_nothing_and_a_warning(server, clip):
    for number in clip.numbers:
        frames.write_picture(clip.file("dog", number), np.zeros((64, 96), np.float32), ("A",), "half")
    outcome = server.refine(clip, **asked(clip, roi="auto"))
    assert any(said.startswith("object dog: the mask is empty on frames 1001-1005") for said in outcome.done.warnings)
    assert not frames.read_mask(clip.alpha_file(1003), "dog.A").pixels.any()
    assert frames.read_mask(clip.alpha_file(1003), "hero.A").pixels.any()
    assert outcome.done.roi == alone(server, clip, "hero", roi="auto")[1].done.roi
    with pytest.raises(BadInput, match="all masks are empty"):
        server.refine(clip, **asked(clip, "dog"))


def test_missing_frames_are_named_with_their_object(server, clip):
    clip.file("dog", 1004).unlink()
    with pytest.raises(BadInput, match=r"object dog: .*1004") as refused:
        server.refine(clip, **asked(clip))
    assert (refused.value.object, refused.value.role, refused.value.frame) == ("dog", "mask", 1004)
    assert not list((clip.folder / "out").glob("*.exr"))


ENGINES = """
from videomama_client.errors import BadInput
from videomama_client.setting_spec import NUMBER, SettingSpec
from videomama_server.engines.base import PlainEngine, WindowShape

class Failing(PlainEngine):
    name, fingerprint, protocol, window = "failing", "failing-1", 1, WindowShape(1, 0)

    def prepare(self, frame, settings):
        return frame

    def refine(self, prepared, settings):
        if prepared[0].number == 1003:
            raise BadInput("it cannot be done", "Leave it.").at("mask", 1003)
        return prepared[0].mask[None]

class Painting(Failing):
    name, fingerprint, role = "painting", "painting-1", "maker"

    @classmethod
    def options(cls):
        return (SettingSpec("above", NUMBER, 0.5, "Value.", 0, 1),)

    def refine(self, prepared, settings):
        own = settings.options_of(self.options())
        return (prepared[0].plate.mean(axis=2) > own["above"]).astype("float32")[None]
"""


@pytest.fixture
def studio(studio_server, tmp_path):
    running = studio_server(
        tmp_path / "studio", {"studio-engines": (ENGINES, {"failing": "Failing", "painting": "Painting"})}
    )
    yield running
    running.end()


@pytest.mark.parametrize("apart", [False, True])
def test_an_object_that_fails_loses_nobody_elses_frames_and_no_file_is_half(studio, clip, apart):
    out = str(clip.folder / "out" / ("{object}.####.exr" if apart else "alpha.####.exr"))
    both = objects(clip, "dog", "hero", dog={"stages": (Stage("failing"),)})
    with pytest.raises(BadInput, match=r"^object dog: mask frame 1003: it cannot be done"):
        studio.refine(clip, **asked(clip, objects=both, out=out))
    there = sorted(path.name for path in (clip.folder / "out").iterdir())
    if apart:
        assert there == [f"dog.{frame}.exr" for frame in (1001, 1002)] + [f"hero.{frame}.exr" for frame in clip.numbers]
    else:
        assert there == [f"alpha.{frame}.exr" for frame in (1001, 1002)]
        assert len(layers(clip, [1001, 1002])) == 2
    mended = studio.refine(clip, **asked(clip, objects=objects(clip, "dog", "hero"), out=out))
    assert [(one.name, one.cached) for one in mended.done.objects] == [("dog", 0), ("hero", 5)]


def test_masks_of_objects_may_come_from_a_maker_of_each(studio, clip):
    then = (Stage("passthrough"),)
    bright, dark = (
        MaskObject(name, "", stages=(Stage("painting", (EngineOption("above", above),)), *then))
        for name, above in (("hero", 0.75), ("dog", 0.25))
    )
    outcome = studio.refine(clip, **asked(clip, objects=(bright, dark), roi="auto"))
    assert [[stage.computed for stage in one.stages] for one in outcome.done.objects] == [[5, 5], [5, 5]]
    hero, dog = (frames.read_mask(clip.alpha_file(1003), f"{name}.A").pixels.mean() for name in ("hero", "dog"))
    assert 0 < hero < dog
    mixed = studio.refine(clip, **asked(clip, objects=(bright, *objects(clip, "dog")), roi="auto"))
    assert [one.computed for one in mixed.done.objects] == [0, 5]
    assert mixed.done.roi == [0, 0, 96, 64]  # that of the first object


def heard_until_killed(server, request, kill_worker):
    """Follow a job whose worker is killed when its second object begins; return all events."""
    heard = []
    with server.client() as client:
        for event in client.events(client.submit(request)):
            heard.append(event)
            begun = [one for one in heard if isinstance(one, StageBegun) and one.object == "dog"]
            if isinstance(event, StageBegun) and event.object == "dog" and len(begun) == 1:
                kill_worker(client)
    return heard


def test_a_worker_that_is_killed_between_objects_does_nothing_finished_twice(start_server, kill_worker, clip):
    server = start_server()
    heard = heard_until_killed(server, clip.order(**asked(clip)), kill_worker)
    done = heard[-1]
    assert isinstance(done, MatteDone)
    assert [(one.name, one.computed, one.cached) for one in done.objects] == [("hero", 5, 0), ("dog", 5, 0)]
    kept = [(event.object, event.frame) for event in heard if isinstance(event, StageFrameDone)]
    assert sorted(kept) == sorted({*kept})
    assert sorted(event.frame for event in heard if isinstance(event, FrameDone)) == list(clip.numbers)
    assert len(layers(clip)) == 5


def test_a_job_says_which_object_it_is_at_and_keeps_what_was_finished_when_it_is_cancelled(server, clip):
    with server.client() as client:
        job = client.submit(clip.order(**asked(clip)))
        with pytest.raises(Cancelled):
            cancelled_at(client, job, "dog")
        (state,) = [state for state in client.jobs() if state.job == job]
    assert state.stage == "dog, classic"
    assert [one.name for one in server.refine(clip, **asked(clip)).done.objects if one.cached == 5][:1] == ["hero"]


def cancelled_at(client, job, name):
    for event in client.events(job):
        if isinstance(event, StageBegun) and event.object == name:
            client.cancel(job)


def test_a_more_urgent_job_goes_between_the_windows_of_an_object(server, clip, make_clip):
    urgent = make_clip(count=2)
    with server.client() as farm, server.client() as artist:
        batch = farm.submit(clip.order(**asked(clip, priority=BATCH, window=2, overlap=1, engine_options=())))
        events = farm.events(batch)
        while not isinstance(next(events), StageBegun):
            continue
        *_, done = artist.events(artist.submit(urgent.order()))
        assert isinstance(done, MatteDone)
        (state,) = [state for state in artist.jobs() if state.job == batch]
        assert state.state == "running"
        *_, last = events
    assert [(one.name, one.computed) for one in last.objects] == [("hero", 5), ("dog", 5)]


def test_files_of_each_object_are_counted_over_all_workers(start_server, kill_worker, clip):
    server = start_server()
    out = str(clip.folder / "out" / "{object}.####.exr")
    heard = heard_until_killed(server, clip.order(**asked(clip, out=out)), kill_worker)
    assert [(one.name, one.computed, one.cached) for one in heard[-1].objects] == [("hero", 5, 0), ("dog", 5, 0)]
    assert (heard[-1].computed, heard[-1].cached) == (5, 0)
    files = [(event.object, event.frame) for event in heard if isinstance(event, FrameDone)]
    assert sorted(files) == [(name, frame) for name in ("dog", "hero") for frame in clip.numbers]


def test_flags_and_the_list_of_jobs_name_the_object(server, clip):
    for number in clip.numbers:
        whole = np.ones((64, 96), np.float32)
        frames.write_picture(clip.file("dog", number), whole if number % 2 else 1 - whole, ("A",), "half")
    outcome = server.refine(clip, **asked(clip, engine="passthrough", engine_options=(), mask_quality=None))
    assert {flag.object for flag in outcome.done.flags} == {"dog"}
    with server.client() as client:
        (state,) = [state for state in client.jobs() if state.job == outcome.done.job]
    assert state.flags.startswith("dog: ")


def test_the_frames_of_all_chains_are_planned(server, clip):
    both = objects(clip, dog={"stages": (Stage("classic", FAST, window=3, overlap=1),)})
    request = clip.order(**asked(clip, objects=both))
    with server.client() as client:
        one, other, *together = (
            client.plan_frames(request.settings, "1001-1100", "1050", objects=some).needed_ranges
            for some in (both[:1], both[1:], both, both[::-1])
        )
    assert (one, other) == ("1038-1057", "1011, 1031, 1046-1054, 1071, 1091")
    assert together == ["1011, 1031, 1038-1057, 1071, 1091"] * 2


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"objects": lambda clip: objects(clip, "hero", "hero")}, "two objects are called 'hero' and 'hero'"),
        ({"objects": lambda clip: objects(clip, "hero", "Hero")}, "two objects are called 'hero' and 'Hero'"),
        ({"objects": lambda clip: objects(clip, "the hero")}, "'the hero' is not a valid name"),
        ({"objects": lambda clip: objects(clip, "hero.left")}, "'hero.left' is not a valid name"),
        ({"objects": lambda clip: objects(clip, "rgba")}, "cannot be called 'rgba'"),
        ({"objects": lambda _: (MaskObject("hero", ""),)}, "object hero: the job has no mask"),
        ({"out": lambda clip: str(clip.folder / "out" / "a.####.png")}, r"\.png has no layers for the objects"),
        ({"mask": lambda clip: clip.mask}, "both a mask and objects"),
        ({"layer": lambda _: "matte"}, "the layer 'matte' for all of them"),
        ({"out": lambda clip: str(clip.folder / "hero.####.exr")}, "would overwrite the mask"),
        ({"out": lambda clip: str(clip.folder / "dog.####.exr")}, "would overwrite the mask"),
        ({"out": lambda clip: str(clip.folder / "plate.####.exr")}, "would overwrite the plate"),
        ({"out": lambda clip: str(clip.folder / "{object}.####.exr")}, "would overwrite the mask"),
        (
            {"objects": lambda _: (), "mask": lambda c: c.mask, "out": lambda c: f"{c.folder}/{{object}}.exr"},
            "no objects",
        ),
        ({"objects": lambda clip: objects(clip, dog={"mask_channel": "cat.A"})}, "object dog: .*no channel 'cat.A'"),
        (
            {"objects": lambda clip: objects(clip, dog={"stages": (Stage("nobody"),)})},
            "object dog: unknown engine",
        ),
    ],
)
def test_objects_that_cannot_be_are_refused_by_a_sentence(server, clip, changes, said):
    with pytest.raises(BadInput, match=said) as refused:
        server.refine(clip, **asked(clip, **{name: make(clip) for name, make in changes.items()}))
    assert refused.value.hint


def test_a_mask_of_another_aspect_is_refused_with_its_object(server, clip):
    for number in clip.numbers:
        frames.write_picture(clip.file("dog", number), np.ones((64, 40), np.float32), ("A",), "half")
    with pytest.raises(BadInput, match="object dog: mask frame 1001: it is 40x64"):
        server.refine(clip, **asked(clip))


def test_a_mask_of_another_size_is_fitted_to_the_plate(server, clip):
    for number in clip.numbers:
        frames.write_picture(clip.file("dog", number), np.eye(32, 48, dtype=np.float32), ("A",), "half")
    server.refine(clip, **asked(clip))
    assert frames.read_mask(clip.alpha_file(1001), "dog.A").pixels.shape == (64, 96, 1)


def test_the_command_line_makes_objects(server, clip, videomama, tmp_path):
    words = ["matte", "--plate", clip.plate, "--out", clip.out, "--engine", "classic", "--quality", "fast"]
    words += ["--object", f"hero={clip.folder}/hero.####.exr", "--object", f"dog={clip.folder}/dog.####.exr:A"]
    words += ["--object-stage", "dog=classic quality=fast mask_quality=rough", "--object-stage", "dog=adjust grow=1"]
    words += ["--connection-file", str(server.connection_file), "--mask-quality", "rough"]
    said = videomama(*words, "--qc", tmp_path / "qc")
    assert said.code == 0, said.err
    assert "hero: 5 computed, 0 cached, by classic" in said.out
    assert "dog: stage 2, adjust: 5 computed, 0 cached" in said.out
    assert {path.parent.name for path in (tmp_path / "qc").rglob("*.png")} == {"hero", "dog"}
    result = videomama(*words, "--json", "--transport", "inline")
    told = json.loads(result.out)
    assert [(one["name"], one["cached"]) for one in told["objects"]] == [("hero", 5), ("dog", 5)]
    assert len(layers(clip)) == 5


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--object", "hero"], "no prompt comes after --object hero"),
        (["--object", "hero="], "--object 'hero=' has no mask"),
        (["--object", "hero=h.####.exr", "--object-stage", "dog=classic"], "a stage of no object"),
        (["--object", "hero=h.####.exr", "--mask", "m.####.exr"], "both a mask and objects"),
        (
            ["--object", "hero=h.####.exr", "--foreground", "f.####.exr"],
            "f.####.exr would be the same file for all objects",
        ),
        (
            ["--object", "hero=h.####.exr", "--trimap", "t.####.exr"],
            "t.####.exr would be the same file for all objects",
        ),
        (["--object", "hero=h.####.exr", "--object", "dog", "--click", "1001:1,1"], "needs an engine that makes masks"),
        (["--object", "a-b=h.####.exr"], "'a-b' is not a valid name"),
        (["--object", "hero=none.####.exr"], "object hero: "),
    ],
)
def test_wrong_words_are_refused(server, clip, videomama, words, said):
    job = ["matte", "--plate", clip.plate, "--out", clip.out, "--connection-file", str(server.connection_file)]
    refused = videomama(*job, *words)
    assert refused.code != 0
    assert said in refused.err


def test_an_error_of_an_object_names_it_for_programs(server, clip, videomama):
    clip.file("dog", 1004).unlink()
    words = ["matte", "--plate", clip.plate, "--out", clip.out, "--connection-file", str(server.connection_file)]
    said = videomama(*words, *(f"--object={name}={clip.folder}/{name}.####.exr" for name in ("hero", "dog")), "--json")
    assert said.code == 1
    told = json.loads(said.out)
    assert (told["object"], told["role"], told["frame"]) == ("dog", "mask", 1004)
