"""`videomama matte`: what it prints of a job, and that a bad value is never answered with a traceback."""

import json
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from videomama_client.engine_settings import own_specs
from videomama_client.messages import MatteDone
from videomama_client.setting_spec import specs_of
from videomama_client.settings import MatteSettings
from videomama_server.media import frames


@pytest.fixture
def matte(videomama, server, make_clip):
    """Run `matte` on a clip of one frame with more words."""
    clip = make_clip(count=1)

    def run(*more: object):
        return videomama(*clip.flags("--connection-file", str(server.connection_file)), *more)

    run.clip = clip
    return run


def test_every_setting_is_an_option_with_help(videomama):
    said = videomama("matte", "--help")
    assert [spec.name for spec in specs_of(MatteSettings) if spec.option not in said.out] == []
    assert "--set NAME=VALUE" in said.out


def test_matte_as_text(matte):
    said = matte()
    assert said.code == 0
    assert said.out.startswith("1 frame (1 computed, 0 cached) in ")
    assert "by passthrough, region 0,0,96,64" in said.out
    assert said.out.splitlines()[-1] == matte.clip.out
    np.testing.assert_array_equal(matte.clip.read_alpha(1001), matte.clip.read_mask(1001))


def test_matte_as_json(matte):
    said = matte("--json")
    result = json.loads(said.out)
    kept = {field.name for field in fields(MatteDone)} - {"job", "frame_count"}
    assert result.keys() == {"frames", *kept}
    assert (result["frames"], result["computed"], result["engine"]) == (1, 1, "passthrough")
    assert json.loads(matte("--json").out)["computed"] == 0


def test_matte_says_which_colour_space_was_used(matte):
    assert "plate as lin_rec709" in matte().out
    assert "plate as ACEScg" in matte("--colorspace", "ACEScg").out
    assert json.loads(matte("--json", "--colorspace", "ACEScg").out)["colorspace"] == "ACEScg"


def test_a_view_stands_in_patterns_that_are_read_and_written(videomama, server, make_clip):
    clip = make_clip(count=1)
    clip.file("plate", 1001).rename(clip.folder / "plate.left.1001.exr")
    clip.file("mask", 1001).rename(clip.folder / "mask.l.1001.exr")
    words = ["matte", "--engine", "passthrough", "--connection-file", str(server.connection_file)]
    words += [f"--plate={clip.folder}/plate.%V.####.exr", f"--mask={clip.folder}/mask.%v.####.exr"]
    words += [f"--out={clip.folder}/%V/a.%v.####.exr", f"--foreground={clip.folder}/%V/f.####.exr"]
    assert videomama(*words, "--view", "left").code == 0
    assert sorted(path.name for path in (clip.folder / "left").glob("*.exr")) == ["a.l.1001.exr", "f.1001.exr"]
    said = videomama(*words)
    assert said.code != 0
    assert "--view" in said.err


def test_matte_says_its_warnings(videomama, server, make_clip):
    clip = make_clip(count=2)
    frames.write_picture(clip.file("mask", 1002), np.zeros((64, 96), np.float32), ("A",), "half")
    said = videomama(*clip.flags("--connection-file", str(server.connection_file)))
    assert said.code == 0
    assert "Warning: the mask is empty on frames 1002; alpha is 0 there" in said.err


def test_matte_says_that_a_disk_may_be_too_full(videomama, server, make_clip, small_disk):
    clip, disk = make_clip(count=2), small_disk(8)
    words = ["matte", "--plate", clip.plate, "--mask", clip.mask, "--out", str(disk / "alpha.####.exr")]
    said = videomama(*words, "--engine", "passthrough", "--connection-file", str(server.connection_file))
    assert f"Warning: {disk} has 8.2 kB free, and the job may need 9.8 kB there" in said.err


def test_matte_takes_relative_paths(videomama, server, make_clip, monkeypatch):
    clip = make_clip(count=1)
    monkeypatch.chdir(clip.folder)
    words = [
        "--plate",
        "plate.####.exr",
        "--mask",
        "mask.%04d.exr",
        "--out",
        "new/alpha.####.exr",
        "--engine",
        "passthrough",
    ]
    said = videomama("matte", *words, "--connection-file", server.connection_file)
    assert said.code == 0
    assert (clip.folder / "new" / "alpha.1001.exr").exists()


def test_matte_says_what_the_mask_was_taken_for(matte):
    said = matte("--engine", "classic", "--mask-quality", "good")
    assert "mask taken as good: --mask-slack 8 --trimap-erode 8 --trimap-dilate 20" in said.out
    result = json.loads(matte("--engine", "classic", "--mask-quality", "exact", "--trimap-dilate", "20", "--json").out)
    taken = {"quality": "exact", "mask_slack": 0.0, "trimap_erode": 4.0, "trimap_dilate": 20.0, "offset": 0.0}
    assert result["mask"] == taken
    assert json.loads(matte("--json").out)["mask"] is None  # an engine that leaves outlines alone


def test_auto_is_a_word_for_numbers_that_follow_the_masks_quality(matte):
    said = matte("--engine", "classic", "--mask-quality", "good", "--mask-slack", "auto", "--json")
    assert json.loads(said.out)["mask"]["mask_slack"] == 8.0
    assert matte("--mask-slack", "some").code == 2
    assert "unknown mask-quality 'perfect'" in matte("--engine", "classic", "--mask-quality", "perfect").err


def test_matte_takes_every_setting(matte):
    words = [
        "--engine",
        "classic",
        "--quality",
        "fast",
        "--window",
        "4",
        "--overlap",
        "2",
        "--roi",
        "8,8,64,48",
        "--exposure",
        "1.5",
    ]
    words += ["--mask-channel", "A", "--colorspace", "ACEScg", "--mask-threshold", "0.4", "--trimap-erode", "5"]
    words += ["--trimap-dilate", "20", "--plate-layer", "rgba", "--priority", "batch", "--rehash", "--json"]
    result = json.loads(matte(*words, "--clip", "1001", "--frames", "1001", "--transport", "path").out)
    assert result["roi"] == [8, 8, 64, 48]


BAD = [
    ("--engine", "nonsense", "unknown engine 'nonsense'"),
    ("--quality", "best", "unknown quality 'best'"),
    ("--window", "many", "--window"),
    ("--window", "0", "--window 0 is out of range"),
    ("--window", "99999999999999999999999", "--window 1e+23 is out of range"),
    ("--overlap", "9", "--overlap 9 is out of range"),
    ("--overlap", "1.5", "--overlap"),
    ("--roi", "1,2,3", "is not a valid region of interest"),
    ("--roi", "a,b,c,d", "is not a valid region of interest"),
    ("--plate-layer", "beauty", "beauty"),
    ("--mask-channel", "roto", "roto"),
    ("--colorspace", "nonsense", "unknown colour space 'nonsense'"),
    ("--exposure", "bright", "--exposure"),
    ("--exposure", "nan", "--exposure nan is out of range"),
    ("--exposure", "1e400", "--exposure inf is out of range"),
    ("--mask-threshold", "2", "--mask-threshold 2 is out of range"),
    ("--trimap-erode", "-1", "--trimap-erode -1 is out of range"),
    ("--trimap-dilate", "1e9", "--trimap-dilate 1e+09 is out of range"),
    ("--clip", "now", "'now' is not a valid"),
    ("--clip", "1001-1100", "missing: plate frames 1002-1100"),
    ("--frames", "1-99999999999", "not a valid frame range"),
    ("--frames", "7", "frames 7 are wanted"),
    ("--dtype", "double", "--dtype"),
    ("--dtype", "uint16", ".exr cannot hold uint16"),
    ("--priority", "urgent", "--priority"),
    ("--transport", "pigeon", "--transport"),
    ("--plate", "gone.####.exr", "no frames match"),
    ("--mask", "gone.####.exr", "no frames match"),
    ("--plate", "", "--plate not given"),
    ("--out", "", "--out not given"),
    ("--out", "/dev/null/alpha.####.exr", "/dev/null: a file of that name is in its place"),
    ("--out", "/tmp/alpha.####.gif", "cannot write alphas to /tmp/alpha.####.gif"),
    ("--connection-file", "/dev/null/c.json", "/dev/null"),
    ("--project", "/nonexistent", "--project names plate, mask and output itself"),
]


@pytest.mark.parametrize(("option", "value", "said"), BAD, ids=[f"{option} {value}" for option, value, _ in BAD])
def test_a_bad_value_is_answered_with_one_clean_message(matte, option, value, said):
    engine = ("--engine", "classic") if option[2:].replace("-", "_") in own_specs() else ()
    answer = matte(*engine, option, value)
    assert answer.code in (1, 2)
    assert answer.out == ""
    assert said in answer.err
    assert "Traceback" not in answer.err
    assert not matte.clip.alpha_file(1001).exists()


def test_a_setting_of_another_engine_is_refused_by_name_before_any_server_is_asked(matte, tmp_path):
    for engine, words, said in (
        ("videomama", ("--mask-slack", "3"), "--mask-slack is a setting of classic; the engine videomama has no such"),
        ("classic", ("--seed", "42"), "--seed is a setting of videomama; the engine classic has no such option"),
        (
            "passthrough",
            ("--quality", "fast"),
            "--quality is a setting of videomama and classic; the engine passthrough",
        ),
        ("classic", ("--set", "seed=1"), "--seed is a setting of videomama"),
    ):
        answer = matte("--engine", engine, *words)
        assert (answer.code, answer.out) == (2, "")
        assert said in answer.err
    nowhere = ("--no-start", "--connection-file", tmp_path / "none.json")
    assert "--seed is a setting of videomama" in matte("--engine", "classic", "--seed", "1", *nowhere).err
    assert not matte.clip.alpha_file(1001).exists()


def test_a_setting_that_the_engine_of_auto_does_not_have_is_a_warning_by_name(matte):
    answer = matte("--engine", "auto", "--seed", "7", "--quality", "fast")
    assert answer.code == 0
    assert (
        "--seed has no effect, as auto took the engine classic here; choose --engine videomama to use it" in answer.err
    )
    again = json.loads(matte("--engine", "classic", "--quality", "fast", "--json").out)
    assert again["computed"] == 0  # the seed is in no key of that engine


def test_a_clip_option_of_inline_jobs_is_judged_like_any_other(matte):
    for clip in ("now", "1-99999999999"):
        answer = matte("--transport", "inline", "--clip", clip)
        assert answer.code == 1
        assert "not a valid frame range" in answer.err


def test_matte_without_its_three_patterns_names_those_that_lack(videomama, server):
    said = videomama("matte", "--plate", "p.####.exr", "--connection-file", server.connection_file)
    assert said.code == 2
    assert "--mask, --out not given" in said.err


def test_a_project_that_is_not_there_is_reported(videomama, tmp_path):
    said = videomama("matte", "--project", tmp_path / "none")
    assert said.code == 1
    assert "is not a project" in said.err
    said = videomama("matte", "--project", tmp_path / "none", "--roto", "hero")
    assert said.code == 1
    assert "is not a project" in said.err


def test_bad_input_prints_message_and_hint(videomama, server, make_clip):
    clip = make_clip(count=1)
    clip.file("mask", 1001).write_bytes(b"no picture")
    said = videomama(*clip.flags("--connection-file", str(server.connection_file)))
    assert said.code == 1
    error, hint = said.err.strip().splitlines()[-2:]
    assert error.startswith("Error: mask frame 1001: cannot read ")
    assert hint == "Render or copy the file again."


def test_names_that_are_no_unicode_are_printed_as_far_as_can_be(server, make_clip):
    clip = make_clip(count=1)
    words = clip.flags("--connection-file", str(server.connection_file))
    folder = Path(os.fsdecode(os.fsencode(clip.folder) + b"/caf\xe9"))
    folder.mkdir()
    command = [sys.executable, "-m", "videomama_server", *words, "--out", folder / "alpha.####.exr"]
    strict = {**os.environ, "PYTHONIOENCODING": "utf-8:strict"}
    done = subprocess.run(command, capture_output=True, timeout=60, env=strict)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].endswith(rb"caf\udce9/alpha.####.exr")
    assert sorted(path.name for path in folder.iterdir()) == ["alpha.1001.exr", "job.json"]


@pytest.mark.parametrize(
    ("moved", "which"), [("plate", "plate frame 1001: "), ("mask", "mask frame 1001: "), ("out", "")]
)
def test_what_cannot_be_opened_since_its_name_is_not_utf8_is_named_before_any_work(
    videomama, server, make_clip, moved, which
):
    clip = make_clip(count=1)
    folder = Path(os.fsdecode(os.fsencode(clip.folder) + b"/caf\xe9"))
    folder.mkdir()
    if moved == "out":
        words = ["--out", folder / "alpha.####.tif"]
    else:
        clip.file(moved, 1001).rename(folder / f"{moved}.1001.exr")
        words = [f"--{moved}", folder / f"{moved}.####.exr"]
    said = videomama(*clip.flags("--connection-file", str(server.connection_file)), *words)
    assert said.code == 1
    error, hint = said.err.strip().splitlines()[-2:]
    assert error.startswith(f"Error: {which}the name ")
    assert r"caf\xe9" in error
    assert hint.startswith("Rename the file or the folder")
    assert not list(folder.glob("alpha*"))


def test_a_chain_as_text_and_as_json(matte):
    said = matte("--then", "passthrough window=4 overlap=1", "--then", "passthrough")
    assert said.code == 0, said.err
    assert "by passthrough, then passthrough, then passthrough, region" in said.out
    assert "stage 1, passthrough: 1 computed, 0 cached" in said.out.splitlines()
    result = json.loads(matte("--json", "--then", "passthrough window=4 overlap=1", "--then", "passthrough").out)
    assert [(stage["engine"], stage["computed"], stage["cached"]) for stage in result["stages"]] == [
        ("passthrough", 0, 0),
        ("passthrough", 0, 0),
        ("passthrough", 0, 1),
    ]
    text = matte("--then", "passthrough window=4 overlap=1", "--then", "passthrough").out
    assert "stage 2, passthrough: nothing was needed of it" in text.splitlines()
    two = matte("--then", "passthrough").out.splitlines()
    assert [line.split(":")[0] for line in two if line.startswith("stage")] == [
        "stage 1, passthrough",
        "stage 2, passthrough",
    ]


@pytest.mark.parametrize(
    ("stage", "said"),
    [("nobody", "stage 2, nobody: unknown engine 'nobody'"), ("", "names no engine"), ("x y", "has no value")],
)
def test_a_stage_that_cannot_be_is_one_sentence(matte, stage, said):
    refused = matte("--then", stage)
    assert refused.code != 0
    assert said in refused.err
    assert "Traceback" not in refused.err


def test_a_contact_sheet_and_the_foreground_are_named_where_they_are_asked_for(matte):
    out, sheet = matte.clip.folder / "fg.####.exr", matte.clip.folder / "qc"
    result = json.loads(matte("--json", "--foreground", out, "--qc", sheet).out)
    assert result["foreground"] == str(out)
    assert result["qc"]
    assert (matte.clip.folder / "fg.1001.exr").exists()
    said = matte("--foreground", out)
    assert said.out.splitlines()[-2:] == [matte.clip.out, str(out)]
    assert "QC: " in said.out
    assert sheet.is_dir()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--plate", "p.####.exr"], "--mask, --out not given"),
        (["--project", ".", "--roto", "a", "--mask", "m.####.exr"], "--project names plate, mask and output itself"),
    ],
)
def test_what_is_not_given_or_given_twice_is_named(videomama, words, said):
    answer = videomama("matte", *words)
    assert answer.code != 0
    assert said in answer.err


@pytest.fixture
def prompted(server, videomama, make_clip):
    """Run `matte` with a maker in front and no mask; `prompted.clip` are the files."""

    def run(*words):
        clip = run.clip
        named = ["--plate", clip.plate, "--out", clip.out, "--connection-file", str(server.connection_file)]
        return videomama("matte", *named, *words)

    run.clip = make_clip(count=3)
    return run


def test_prompts_chain_a_maker_in_front(prompted):
    key = ["--maker", "held", "--key-mask", str(prompted.clip.file("mask", 1002))]
    said = prompted(*key, "--engine", "classic", "--quality", "fast", "--then", "adjust grow=2")
    assert said.code == 0, said.err
    assert "by held, then classic, then adjust, region" in said.out
    again = json.loads(prompted(*key, "--engine", "classic", "--quality", "fast", "--json").out)
    assert [(stage["engine"], stage["computed"]) for stage in again["stages"]] == [("held", 0), ("classic", 0)]
    wrong = prompted(*key, "--engine", "classic", "--then", "adjust grow=900")
    assert "stage 3, adjust" in wrong.err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--click", "1001:5,5"], 2, "the click 1001:5,5 needs an engine that makes masks"),
        ([], 2, "--mask not given"),
        (["--maker", "held", "--qc", "qc"], 2, "--qc compares the alpha with --mask"),
        (
            ["--maker", "adjust", "--engine", "passthrough"],
            1,
            "the job has no mask, and its first stage does not make one",
        ),
        (["--maker", "nobody"], 1, "unknown engine 'nobody'"),
    ],
)
def test_prompts_that_cannot_be_are_refused_by_a_sentence(prompted, words, code, said):
    refused = prompted(*words)
    assert refused.code == code
    assert said in refused.err
