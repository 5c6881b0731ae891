"""The command line: what it prints, its exit codes, and that a bad value is never answered with a traceback."""

import json
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from videomama_client import __version__
from videomama_client.messages import MatteDone, StatusReported
from videomama_client.settings import MatteSettings
from videomama_server import cli
from videomama_server.cache.entries import Cache, CacheReport
from videomama_server.media import frames
from videomama_server.metrics import MEASURES


@pytest.fixture
def matte(videomama, server, make_clip):
    """Run `matte` on a clip of one frame with more words."""
    clip = make_clip(count=1)

    def run(*more: object):
        return videomama(*clip.flags("--connection-file", str(server.connection_file)), *more)

    run.clip = clip
    return run


def run_process(*words: object, **options) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "videomama_server", *map(str, words)]
    return subprocess.run(command, capture_output=True, timeout=60, **options)


def is_one_clean_message(said) -> bool:
    return bool(said.err.strip()) and "Traceback" not in said.err and len(said.err.splitlines()) <= 8


@pytest.mark.parametrize("words", [["--help"], ["-h"]])
def test_help_lists_every_command(videomama, words):
    said = videomama(*words)
    assert said.code == 0
    assert all(f"  {name} " in said.out for name in cli._COMMANDS)


@pytest.mark.parametrize("command", cli._COMMANDS)
def test_every_command_has_help(videomama, command):
    said = videomama(command, "--help")
    assert said.code == 0
    assert said.out.startswith("Usage: ")
    assert "--help" in said.out


def test_every_setting_is_an_option_with_help(videomama):
    said = videomama("matte", "--help")
    assert [name for name in MatteSettings.__dataclass_fields__ if f"--{name.replace('_', '-')}" not in said.out] == []


def test_version(videomama):
    said = videomama("--version")
    assert (said.code, said.out) == (0, f"videomama, version {__version__}\n")


def test_no_command_shows_the_help(videomama):
    said = videomama()
    assert "Usage: " in said.out + said.err
    assert said.code in (0, 2)


@pytest.mark.parametrize("words", [["nonsense"], ["matte", "--nonsense"], ["cache", "nonsense"], ["status", "extra"]])
def test_words_that_are_no_command_are_a_usage_error(videomama, words):
    said = videomama(*words)
    assert said.code == 2
    assert "Usage: " in said.err
    assert words[-1] in said.err


def test_the_module_and_its_exit_code_as_a_process(tmp_path):
    assert run_process("--version").stdout.decode().strip().endswith(__version__)
    failed = run_process("status", "--connection-file", tmp_path / "none.json")
    assert failed.returncode == 1
    assert b"Error: no server runs here" in failed.stderr
    assert b"videomama serve" in failed.stderr


def test_a_broken_config_file_is_reported(videomama, monkeypatch, tmp_path):
    (tmp_path / "config.toml").write_text("port = [")
    monkeypatch.setenv("VIDEOMAMA_CONFIG", str(tmp_path / "config.toml"))
    said = videomama("cache", "stat")
    assert said.code == 1
    assert str(tmp_path / "config.toml") in said.err


def test_a_bad_environment_variable_is_reported(videomama, monkeypatch):
    monkeypatch.setenv("VIDEOMAMA_PORT", "harbour")
    said = videomama("status")
    assert said.code == 1
    assert "$VIDEOMAMA_PORT" in said.err


def test_status_as_text(videomama, server):
    said = videomama("status", "--connection-file", server.connection_file)
    assert said.code == 0
    assert f"pid  {server.process.pid}" in said.out
    assert str(server.cache_dir) in said.out
    assert "engine  -" in said.out


def test_status_as_json(videomama, server):
    said = videomama("status", "--json", "--connection-file", server.connection_file)
    status = json.loads(said.out)
    assert status.keys() == {field.name for field in fields(StatusReported)} - {"request"} | {"differs"}
    assert (status["config"]["cache_dir"], status["differs"]) == (str(server.cache_dir), {})
    assert status["pid"] == server.process.pid
    assert said.err == ""


@pytest.mark.parametrize("command", [["status"], ["status", "--json"], ["stop"], ["matte", "--no-start"]], ids=" ".join)
def test_no_server_is_one_message_that_says_how_to_start_one(videomama, make_clip, tmp_path, command):
    words = [*make_clip(count=1).flags(), "--no-start"] if command[0] == "matte" else command
    said = videomama(*words, "--connection-file", tmp_path / "none.json")
    assert said.code == 1
    if "--json" in command:
        assert json.loads(said.out)["code"] == "server-unreachable"
        return
    assert said.out == ""
    assert (
        said.err
        == f"Error: no server runs here (there is no {tmp_path / 'none.json'})\nStart one with `videomama serve`.\n"
    )


def test_garbage_in_the_connection_file_is_one_message(videomama, tmp_path):
    (tmp_path / "c.json").write_text("{}")
    said = videomama("status", "--connection-file", tmp_path / "c.json")
    assert said.code == 1
    assert is_one_clean_message(said)


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
    assert sorted(path.name for path in (clip.folder / "left").iterdir()) == ["a.l.1001.exr", "f.1001.exr"]
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


def test_matte_takes_every_setting(matte):
    words = ["--quality", "fast", "--window", "4", "--overlap", "2", "--roi", "8,8,64,48", "--exposure", "1.5"]
    words += ["--mask-channel", "A", "--colorspace", "ACEScg", "--mask-threshold", "0.4", "--trimap-erode", "5"]
    words += ["--trimap-dilate", "20", "--plate-layer", "rgba", "--priority", "batch", "--rehash", "--json"]
    result = json.loads(matte(*words, "--clip", "1001", "--frames", "1001", "--transport", "path").out)
    assert result["roi"] == [8, 8, 64, 48]


BAD = [
    ("--engine", "nonsense", "no engine is called 'nonsense'"),
    ("--quality", "best", "no quality is called 'best'"),
    ("--window", "many", "--window"),
    ("--window", "0", "--window 0 is out of range"),
    ("--window", "99999999999999999999999", "--window 1e+23 is out of range"),
    ("--overlap", "9", "--overlap 9 is out of range"),
    ("--overlap", "1.5", "--overlap"),
    ("--roi", "1,2,3", "is not a valid region of interest"),
    ("--roi", "a,b,c,d", "is not a valid region of interest"),
    ("--plate-layer", "beauty", "beauty"),
    ("--mask-channel", "roto", "roto"),
    ("--colorspace", "nonsense", "no colour space is called 'nonsense'"),
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
    answer = matte(option, value)
    assert answer.code in (1, 2)
    assert answer.out == ""
    assert said in answer.err
    assert "Traceback" not in answer.err
    assert not matte.clip.alpha_file(1001).exists()


def test_a_clip_option_of_inline_jobs_is_judged_like_any_other(matte):
    for clip in ("now", "1-99999999999"):
        answer = matte("--transport", "inline", "--clip", clip)
        assert answer.code == 1
        assert "not a valid frame range" in answer.err


def test_matte_without_its_three_patterns_names_those_that_lack(videomama, server):
    said = videomama("matte", "--plate", "p.####.exr", "--connection-file", server.connection_file)
    assert said.code == 1
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
    assert [path.name for path in folder.iterdir()] == ["alpha.1001.exr"]


@pytest.mark.parametrize("verb", ["stat", "verify", "prune", "clear"])
def test_cache_verbs_as_json_and_text(videomama, tmp_path, verb):
    Cache(tmp_path / "cache").close()
    words = ["cache", "--cache-dir", tmp_path / "cache"]
    more = ["--yes"] if verb == "clear" else []
    report = json.loads(videomama(*words, "--json", verb, *more).out)
    assert report.keys() == {field.name for field in fields(CacheReport)}
    assert (report["entries"], report["bytes"]) == (0, 0)
    said = videomama(*words, verb, *more)
    assert said.code == 0
    assert said.out == f"{tmp_path / 'cache'}: 0 entries, 0.0 MB\n"


def test_cache_counts_verifies_prunes_and_clears_what_a_server_made(videomama, start_server, make_clip):
    server, clip = start_server(), make_clip(count=3)
    server.refine(clip)
    server.entries()[0].write_bytes(b"garbage")

    def report(*words):
        return json.loads(videomama("cache", "--json", "--cache-dir", server.cache_dir, *words).out)

    assert report("stat")["entries"] == 3
    assert (report("verify")["removed"], report("stat")["entries"]) == (1, 2)
    assert report("prune", "--limit-gb", "100")["entries"] == 2
    assert report("prune", "--limit-gb", "0")["removed"] == 2
    server.refine(clip)
    assert report("clear", "--yes")["removed"] == 3
    assert server.refine(clip).done.computed == 3


def test_cache_clear_asks_first_and_takes_no_for_an_answer(videomama, tmp_path, monkeypatch):
    Cache(tmp_path).close()
    monkeypatch.setattr(sys, "stdin", open(os.devnull))  # noqa: PTH123, SIM115
    with sys.stdin:
        said = videomama("cache", "--cache-dir", tmp_path, "clear")
    assert said.code == 0
    assert "Remove all alphas in" in said.err
    assert said.err.endswith("\nNothing was removed.\n")
    assert said.out == ""


@pytest.mark.parametrize(
    ("limit", "named"), [("-1", "-1"), ("nan", "nan"), ("inf", "inf"), ("1e400", "inf"), ("much", "much")]
)
def test_cache_prune_refuses_a_limit_that_makes_no_sense(videomama, tmp_path, limit, named):
    Cache(tmp_path).close()
    (tmp_path / "entries" / "ab").mkdir(parents=True)
    (tmp_path / "entries" / "ab" / "abc.exr").write_bytes(b"an entry")
    said = videomama("cache", "--cache-dir", tmp_path, "prune", "--limit-gb", limit)
    assert said.code in (1, 2)
    assert named in said.err
    assert (tmp_path / "entries" / "ab" / "abc.exr").exists()


@pytest.mark.parametrize("verb", [["stat"], ["verify"], ["prune"], ["clear", "--yes"]])
def test_cache_verbs_leave_a_folder_that_is_no_cache_alone(videomama, tmp_path, verb):
    (tmp_path / "entries").mkdir()
    said = videomama("cache", "--cache-dir", tmp_path, *verb)
    assert said.code == 1
    assert is_one_clean_message(said)
    assert [path.name for path in tmp_path.iterdir()] == ["entries"]


def test_metrics_of_an_alpha_against_itself(videomama, make_clip):
    clip = make_clip(count=3)
    said = videomama("metrics", clip.mask, clip.mask, "--json")
    result = json.loads(said.out)
    of_alpha = {name for name in MEASURES if not name.startswith("foreground_")}
    assert result.keys() == of_alpha | {"frames", "convention"}
    assert (result["frames"], result["mad"], result["dtssd"]) == (3, 0.0, 0.0)
    said = videomama("metrics", clip.mask, clip.mask)
    assert said.code == 0
    assert ["frames", "3"] in [line.split() for line in said.out.splitlines()]


def test_metrics_of_one_frame_has_no_change_over_time(videomama, make_clip):
    clip = make_clip(count=1)
    assert json.loads(videomama("metrics", clip.mask, clip.mask, "--json").out)["dtssd"] is None


def test_metrics_refuses_what_cannot_be_compared(videomama, make_clip):
    long, short, large = make_clip(count=3), make_clip(count=2), make_clip(count=3, size=(128, 96))
    said = videomama("metrics", long.mask, short.mask)
    assert said.code == 1
    assert "frames 1003 are only on one side" in said.err
    assert videomama("metrics", long.mask, large.mask).code == 1
    assert "no frames match" in videomama("metrics", long.mask, "gone.####.exr").err
    said = videomama("metrics", long.mask, long.mask, "--channel", "roto")
    assert said.code == 1
    assert "no channel 'roto'" in said.err
    long.file("mask", 1002).write_bytes(b"no picture")
    assert f"cannot read {long.file('mask', 1002)}" in videomama("metrics", long.mask, long.mask).err


@pytest.mark.parametrize("words", [[], ["one"], ["one", "two", "three"]], ids=str)
def test_metrics_without_two_patterns_is_a_usage_error(videomama, words):
    assert videomama("metrics", *words).code == 2
