"""Names and frame numbers from the command line to the files: what is asked for is read, written and judged."""

import json

import pytest
from videomama_server.media import frames


@pytest.fixture
def matte(videomama, server):
    """Run `matte` with the passthrough engine on a clip, with other words after its own."""

    def run(clip, *more):
        return videomama(*clip.flags("--connection-file", str(server.connection_file), *map(str, more)))

    return run


def rename(clip, name):
    """Give the frames of a clip other names: `name` of role and frame."""
    for role in ("plate", "mask"):
        for frame in clip.numbers:
            clip.file(role, frame).rename(clip.folder / name(role, frame))


def written(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith("job.json"))


@pytest.mark.parametrize("transport", ["path", "inline"])
@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("{}1####.exr", "{}1{:04d}.exr"),
        ("sh010-{}-%d.exr", "sh010-{}-{}.exr"),
        ("{}@2x.$F4.EXR", "{}@2x.{:04d}.EXR"),
        ("take3{}#.exr", "take3{}{:06d}.exr"),
        ("{},@@@@_main.exr", "{},{:04d}_main.exr"),
    ],
)
def test_ordinary_names_are_read_and_written(matte, make_clip, transport, pattern, name):
    clip = make_clip(count=2)
    rename(clip, name.format)
    named = [word for role in ("plate", "mask") for word in (f"--{role}", clip.folder / pattern.format(role))]
    out = clip.folder / "out" / pattern.format("alpha")
    said = matte(clip, *named, "--out", out, "--transport", transport)
    assert said.code == 0, said.err
    padded = name.replace("06d", "04d")  # a single hash writes four digits
    assert written(clip.folder / "out") == [padded.format("alpha", frame) for frame in clip.numbers]


def test_outputs_that_end_in_a_digit_do_not_collide(matte, make_clip):
    clip = make_clip(count=1)
    for take in (1, 2):
        assert matte(clip, "--out", clip.folder / "out" / f"alpha{take}####.exr").code == 0
    assert written(clip.folder / "out") == ["alpha11001.exr", "alpha21001.exr"]


@pytest.mark.parametrize("transport", ["path", "inline"])
def test_negative_frames_of_either_padding_are_all_refined(matte, make_clip, transport):
    clip = make_clip(count=4)
    new = {1001: "-0002", 1002: "-001", 1003: "0000", 1004: "0001"}
    rename(clip, lambda role, frame: f"{role}.{new[frame]}.exr")
    said = matte(clip, "--frames", "-2-1", "--json", "--transport", transport)
    assert said.code == 0, said.err
    assert json.loads(said.out)["frames"] == 4
    assert written(clip.folder / "out") == ["alpha.-001.exr", "alpha.-002.exr", "alpha.0000.exr", "alpha.0001.exr"]


@pytest.mark.parametrize("transport", ["path", "inline"])
def test_one_range_has_one_meaning_in_the_job_its_foreground_and_its_control(matte, make_clip, transport):
    clip = make_clip(count=7)
    for role in ("plate", "mask"):
        for frame in (1002, 1004, 1006):
            clip.file(role, frame).unlink()
    told = matte(clip, "--transport", transport)
    assert told.code == 1
    assert "missing: plate frames 1002-1006x2" in told.err
    assert "--clip 1001-1007x2" in told.err
    (clip.folder / "out").mkdir(exist_ok=True)
    (clip.folder / "out" / "alpha.1002.exr").write_bytes(b"an older alpha")
    more = ["--qc", clip.folder / "qc", "--foreground", clip.folder / "fg" / "fg.####.exr"]
    said = matte(clip, "--clip", "1001-1007x2", "--json", "--transport", transport, *more)
    assert said.code == 0, said.err
    result = json.loads(said.out)
    assert (result["frames"], result["judged"], result["qc"]["frames"]) == (4, 4, 4)
    assert written(clip.folder / "out") == [f"alpha.{frame}.exr" for frame in (1001, 1002, 1003, 1005, 1007)]
    assert written(clip.folder / "fg") == [f"fg.{frame}.exr" for frame in (1001, 1003, 1005, 1007)]
    assert [found["alike"] is None for found in result["qc"]["scores"]] == [True, False, False, False]


@pytest.mark.parametrize("transport", ["path", "inline"])
def test_frames_that_are_links_into_a_store_without_endings_are_read(matte, make_clip, transport):
    clip = make_clip(count=2)
    for role in ("plate", "mask"):
        for frame in clip.numbers:
            file = clip.file(role, frame)
            file.symlink_to(file.rename(clip.folder / f"{role}{frame}"))
    assert matte(clip, "--transport", transport).code == 0
    assert (clip.read_alpha(1001) == clip.read_mask(1001)).all()


@pytest.mark.parametrize("transport", ["path", "inline"])
def test_a_dead_link_is_called_one(matte, make_clip, transport):
    clip = make_clip(count=3)
    clip.file("plate", 1002).unlink()
    clip.file("plate", 1002).symlink_to("/nowhere/p.exr")
    said = matte(clip, "--transport", transport)
    assert said.code == 1
    assert "plate frame 1002: " in said.err
    assert "is a link to /nowhere/p.exr, which does not exist" in said.err
    assert "permission" not in said.err


@pytest.mark.parametrize("command", ["matte", "qc", "foreground", "metrics"])
def test_a_single_frame_beside_a_sequence_gets_the_pattern(videomama, matte, make_clip, command):
    clip = make_clip(count=3)
    single, alphas = clip.file("plate", 1002), clip.mask
    words = {
        "qc": ["--plate", single, "--mask", clip.mask, "--alpha", alphas],
        "foreground": ["--plate", single, "--alpha", alphas, "--out", clip.folder / "fg.####.exr"],
        "metrics": [single, alphas],
    }
    said = matte(clip, "--plate", single) if command == "matte" else videomama(command, *words[command])
    assert said.code == 1
    assert "is a single frame of plate.####.exr (1001-1003)" in said.err
    assert f"Did you mean {clip.plate}?" in said.err


def test_a_still_is_refined_alone(matte, make_clip):
    clip = make_clip(count=3)
    out = clip.folder / "out" / "still.exr"
    said = matte(clip, "--plate", clip.file("plate", 1002), "--mask", clip.file("mask", 1002), "--out", out)
    assert said.code == 0, said.err
    assert (frames.read_mask(out).pixels[..., 0] == clip.read_mask(1002)).all()
