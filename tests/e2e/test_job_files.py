"""`job.json` of every engine, run again by `--job` on a server that has never seen the job: the same pixels."""

import json
import shutil

import numpy as np
import pytest
from videomama_server.media import frames

CPU = ("--device", "cpu", "--dtype", "fp32", "--threads", "1")
TINY = ("--canvas", "128x64", "--window", "6", "--overlap", "2")
STUB = """
import numpy as np
from videomama_client.setting_spec import NUMBER, SettingSpec
from videomama_server.engines.base import PlainEngine, WindowShape
from videomama_server.engines.sequential import PlainSequentialEngine

class Walker(PlainSequentialEngine):
    name, protocol, fingerprint, prompts, keep_every = "stub-walker", 1, "walker-1", ("point", "box", "text"), 4

    def encode(self, frame, settings):
        return frame.plate.mean(axis=2)

    def begin(self, brief, settings):
        held = 0.1 * brief.encoded(brief.start) + 0.01 * len(brief.text)
        for told in brief.prompts:
            for (x, y), label in zip(told.points, told.labels):
                held[max(int(y) - 9, 0) : int(y) + 9, max(int(x) - 9, 0) : int(x) + 9] = float(label) * (x % 1 + 0.4)
            if told.box is not None:
                held[int(told.box[1]) :, int(told.box[0]) :] += 0.25
        return {"held": held.astype(np.float32)}

    def step(self, state, number, encoded, settings):
        state["held"] = np.float32(0.9) * state["held"] + np.float32(0.1) * encoded
        return np.where(state["held"] > 0.1, np.clip(state["held"], 0, 1), 0).astype(np.float32)

    def export(self, state):
        return {"held": state["held"].copy()}

    def restore(self, kept, brief, settings):
        return dict(kept)

class Stub(PlainEngine):
    name, protocol, fingerprint, window = "stub", 1, "stub-1", WindowShape(3, 1)

    @classmethod
    def options(cls):
        return (SettingSpec("share", NUMBER, 0.25, "Of the plate.", 0, 1),)

    def prepare(self, frame, settings):
        return frame.mask, frame.plate

    def refine(self, prepared, settings):
        share = settings.options_of(self.options())["share"]
        masks = np.stack([mask * (1 - share * plate.mean(axis=2)) for mask, plate in prepared])
        return (masks.mean(axis=0) * 0.5 + masks * 0.5).astype(np.float32)
"""


@pytest.fixture(scope="module")
def weights(tiny_checkpoint, tiny_edge_networks, tmp_path_factory):
    """One folder with all networks, as a server has them."""
    folder = tmp_path_factory.mktemp("weights")
    shutil.copytree(tiny_checkpoint, folder, dirs_exist_ok=True)
    return shutil.copytree(tiny_edge_networks, folder, dirs_exist_ok=True)


@pytest.fixture(scope="module")
def servers(studio_server, weights, tmp_path_factory):
    """Two servers that share nothing but weights and engines."""
    running = []
    for name in ("first", "fresh"):
        folder, flags = tmp_path_factory.mktemp(name), (*CPU, "--weights", str(weights))
        running.append(
            studio_server(folder, {"studio-stub": (STUB, {"stub": "Stub", "stub-walker": "Walker"})}, *flags)
        )
    yield running
    for server in running:
        server.end()


@pytest.fixture
def run(videomama, servers):
    """Run a command on the first server, or on the fresh one, and return its result."""

    def call(*words, fresh=False):
        said = videomama(*words, "--json", "--connection-file", servers[fresh].connection_file)
        assert said.code == 0, said.err
        return json.loads(said.out)

    return call


@pytest.fixture
def again(run):
    """Run a job on the first server, then its `job.json` on the fresh one; return both results, pixels compared."""

    def both(clip, *words):
        first = run(*words, "--out", clip.out)
        folder = clip.folder / "out"
        kept = folder.rename(clip.folder / "first")
        second = run(words[0], "--job", kept / "job.json", fresh=True)
        names = sorted(path.name for path in kept.glob("*.exr"))
        assert sorted(path.name for path in folder.glob("*.exr")) == names != []
        for name in names:
            for channel in channels_of(kept / name):
                was, now = (frames.read_mask(place / name, channel).pixels for place in (kept, folder))
                np.testing.assert_array_equal(now, was)
                assert now.max() > now.min()
        assert second["cached"] == 0
        assert second["warnings"] == [warning for warning in first["warnings"] if warning in second["warnings"]]
        return first, second, json.loads((kept / "job.json").read_text())

    return both


def channels_of(path):
    return [channel.name for channel in frames.probe(path).channels]


def named(clip, *more):
    return ("matte", "--plate", clip.plate, "--mask", clip.mask, *more)


JOBS = {
    "passthrough": ("--engine", "passthrough", "--roi", "off"),
    "classic": ("--engine", "classic", "--frames", "1002-1004", "--mask-grow", "2.5"),
    "classic-fast": ("--engine", "classic", "--quality", "fast", "--mask-slack", "0", "--trimap-erode", "3.25"),
    "adjust": ("--engine", "adjust", "--feather", "20.5", "--deflicker", "0.5"),
    "stub": ("--engine", "stub", "--set", "share=0.75", "--window", "4", "--overlap", "0"),
    "chain": ("--engine", "classic", "--then", "stub share=0.125 window=2", "--then", "adjust feather=1.5 grow=-2"),
    "held": ("--maker", "held", "--key-mask", "{key}", "--engine", "classic", "--quality", "fast"),
    "prompts": (
        *("--maker", "stub-walker", "--click", "1003:40.125,32", "--click", "1001:-5,5", "--box", "1003:60,40,20,9.5"),
        *("--say", "the 'old' dog", "--engine", "classic", "--quality", "fast", "--frames", "1001-1005x2"),
    ),
    "preview": ("--engine", "classic", "--quality", "fast", "--preview", "2"),
}
NETWORKS = {
    "videomama": ("--engine", "videomama", *TINY),
    "vitmatte": ("--engine", "classic", "--quality", "fast", "--then", "vitmatte trimap_preset=wide"),
    "mematte": ("--engine", "classic", "--quality", "fast", "--then", "mematte steady=0.5"),
}


@pytest.mark.parametrize("job", [*JOBS, *(pytest.param(name, marks=pytest.mark.slow) for name in NETWORKS)])
def test_the_job_file_of_an_engine_gives_the_same_pixels_on_another_server(again, make_clip, job):
    clip = make_clip(count=5)
    words = [word.format(key=f"1003:{clip.file('mask', 1003)}") for word in {**JOBS, **NETWORKS}[job]]
    masked = [] if "--maker" in words else ["--mask", clip.mask]
    first, second, said = again(clip, "matte", "--plate", clip.plate, *masked, *words)
    assert second["roi"] == first["roi"]
    assert [stage["fingerprint"] for stage in said["made"]["stages"]] == [one["fingerprint"] for one in first["stages"]]
    assert said["made"]["digests"] == {"plate": second["plate_digest"], "mask": second["mask_digest"]}
    assert said["made"]["digests"]["plate"]


def test_objects_with_masks_and_chains_of_their_own_are_made_again(again, make_clip):
    clip = make_clip(count=3)
    words = ["--object", f"hero={clip.mask}", "--object", f"dog={clip.mask}", "--engine", "classic", "--quality=fast"]
    _, second, said = again(clip, "matte", "--plate", clip.plate, *words, "--object-stage", "dog=adjust feather=8")
    assert said["object"]["dog"]["stage"] == ["adjust feather=8 window=1 overlap=0"]
    assert [one["name"] for one in second["objects"]] == ["hero", "dog"]


def test_objects_that_were_clicked_are_made_again(again, make_clip):
    clip = make_clip(count=3)
    clicks = ("--object", "hero", "--click", "1001:40.75,32", "--object", "dog", "--click", "1002:20.875,20")
    words = ("--maker", "stub-walker", *clicks, "--say", "the dog", "--engine", "classic", "--quality", "fast")
    first, second, said = again(clip, "matte", "--plate", clip.plate, *words)
    assert second["roi"] == first["roi"]
    assert said["object"]["dog"]["click"] == ["1002:20.875,20"]
    assert [stage.partition(" ")[0] for stage in said["object"]["dog"]["stage"]] == ["stub-walker", "classic"]


def test_masks_alone_are_made_again_by_their_own_command(run, again, videomama, make_clip):
    clip = make_clip(count=3)
    key = f"1002:{clip.file('mask', 1002)}"
    _, _, said = again(clip, "masks", "--plate", clip.plate, "--maker", "held", "--key-mask", key)
    assert said["made"]["command"] == "masks"
    told = videomama("matte", "--job", clip.folder / "first" / "job.json")
    assert told.code == 1
    assert "is a job of `videomama masks`" in told.err


def test_a_plate_with_overscan_is_made_again_in_all_its_canvas(again, make_clip):
    clip = make_clip(count=2)
    for frame in clip.numbers:
        plate = frames.read_plate(clip.file("plate", frame))
        rect = type(plate.geometry.display)(-8, -8, 112, 80)
        geometry = type(plate.geometry)(plate.geometry.display, rect)
        pixels = np.random.default_rng(frame).random((80, 112, 3), np.float32)
        frames.write_picture(clip.file("plate", frame), pixels, geometry=geometry)
    again(clip, *named(clip, "--engine", "classic", "--quality", "fast", "--roi", "off"))


def test_the_foreground_and_the_layer_of_a_job_are_made_again(run, make_clip):
    clip = make_clip(count=2)
    colour = clip.folder / "colour" / "fg.####.exr"
    more = ("--layer", "matte", "--dtype", "half", "--foreground", colour, "--foreground-premultiplied")
    run(*named(clip, "--engine", "passthrough", *more), "--out", clip.out)
    before = [frames.read_plate(path).pixels for path in sorted(colour.parent.iterdir())]
    shutil.rmtree(colour.parent)
    run("matte", "--job", clip.folder / "out" / "job.json", fresh=True)
    after = [frames.read_plate(path).pixels for path in sorted(colour.parent.iterdir())]
    np.testing.assert_array_equal(after, before)
    assert "matte.A" in [channel.name for channel in frames.probe(clip.alpha_file(1001)).channels]


def test_a_changed_frame_is_said_when_a_job_file_is_run_again(run, make_clip):
    clip = make_clip(count=2)
    run(*named(clip, "--engine", "passthrough"), "--out", clip.out)
    shutil.copy(clip.file("mask", 1001), clip.file("mask", 1002))
    warnings = run("matte", "--job", clip.folder / "out" / "job.json", fresh=True)["warnings"]
    assert [warning for warning in warnings if "changed since" in warning] == [
        "the mask has changed since the job file was written"
    ]


def test_an_inline_job_leaves_its_file_with_the_client_and_none_is_left_where_none_is_wanted(run, make_clip):
    clip = make_clip(count=2)
    run(*named(clip, "--engine", "passthrough", "--transport", "inline"), "--out", clip.out)
    assert (clip.folder / "out" / "job.json").exists()
    other = clip.folder / "other"
    run(*named(clip, "--engine", "passthrough", "--no-job-file"), "--out", other / "alpha.####.exr")
    assert sorted(path.suffix for path in other.iterdir()) == [".exr", ".exr"]
