"""`videomama batch`: what it prints, its exit codes, and what it refuses."""

import json
import shutil
from functools import partial
from pathlib import Path

import pytest
from videomama_server.batch.drop_folder import DropFolder
from videomama_server.batch.report import Report, ShotResult
from videomama_server.batch.shots import Shot
from videomama_server.cli import batch as batch_command
from videomama_server.cli.shot_run import AskedShot


@pytest.fixture
def batch(videomama, server):
    def run(*words):
        return videomama("batch", *words, "--connection-file", server.connection_file)

    return run


@pytest.fixture
def shots(make_clip, tmp_path):
    """Write two shots of one clip each, and their file."""
    for name in ("a", "b"):
        make_clip(count=3).folder.rename(tmp_path / name)
    defaults = {"plate": "{shot}/plate.####.exr", "mask": "{shot}/mask.####.exr", "out": "out/{shot}.####.exr"}
    file = tmp_path / "shots.json"
    file.write_text(json.dumps({"defaults": {**defaults, "engine": "passthrough", "roi": "off"}, "shots": ["a", "b"]}))
    return file


def test_shots_end_with_a_table_and_a_report(batch, shots):
    said = batch(shots)
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert lines[0].split() == ["shot", "state", "frames", "computed", "cached", "seconds", "flags"]
    assert lines[1].split()[:5] == ["a", "done", "3", "3", "0"]
    assert lines[3] == "2 shots: 2 done"
    assert lines[4] == str(shots.with_suffix(".report.json"))
    assert "a (1 of 2)" in said.err
    assert (shots.parent / "out" / "job.json").exists()
    assert (shots.parent / "out" / "b.job.json").exists()
    assert batch(shots).out.splitlines()[3] == "2 shots: 2 kept"


def test_a_failed_shot_is_told_with_its_hint_and_ends_with_1(batch, shots, tmp_path):
    (tmp_path / "a" / "mask.1002.exr").unlink()
    said = batch(shots, "--report", tmp_path / "new" / "r.json")
    assert said.code == 1
    assert "Error: missing: mask frames 1002" in said.err
    assert "Render them" in said.err
    assert "2 shots: 1 done, 1 failed" in said.out
    assert json.loads((tmp_path / "new" / "r.json").read_text())["counts"]["failed"] == 1


def test_a_dry_run_does_nothing_and_tells_what_is_needed(batch, shots, tmp_path):
    (tmp_path / "b" / "mask.1002.exr").unlink()
    before = sorted(tmp_path.rglob("*"))
    said = batch(shots, "--dry-run")
    assert said.code == 1
    assert [line.split()[:4] for line in said.out.splitlines()[1:3]] == [
        ["a", "3", "96x64", "14.7"],
        ["b", "3", "96x64", "mask"],
    ]
    assert "mask 1002" in said.out
    told = json.loads(batch(shots, "--dry-run", "--json").out)
    assert told["shots"][1]["missing"] == {"mask": "1002"}
    assert (told["shots"][0]["frames"], told["shots"][0]["size"]) == (3, [96, 64])
    assert told["total"]["disk_bytes"] == sum(one["disk_bytes"] for one in told["shots"])
    assert sorted(tmp_path.rglob("*")) == before


def test_the_time_of_a_dry_run_is_that_of_a_measured_rate(batch, shots, tmp_path):
    (tmp_path / "b" / "mask.1002.exr").rename(tmp_path / "held")
    batch(shots)
    (tmp_path / "held").rename(tmp_path / "b" / "mask.1002.exr")
    said = batch(shots, "--dry-run", "--json")
    a, b = json.loads(said.out)["shots"]
    assert said.code == 0
    assert (a["finished"], a["seconds"], a["disk_bytes"]) == (True, 0.0, 0)
    assert (b["finished"], b["seconds"] > 0) == (False, True)
    assert "finished" in batch(shots, "--dry-run").out


def test_an_unknown_key_stops_the_batch_before_any_shot(batch, shots):
    said = json.loads(shots.read_text())
    said["defaults"]["mask_qualiti"] = "good"
    shots.write_text(json.dumps(said))
    told = batch(shots)
    assert told.code == 1
    assert "unknown key 'mask_qualiti'" in told.err
    assert "Did you mean mask-quality?" in told.err
    assert not shots.with_suffix(".report.json").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "give one of FILE, --project and --watch"),
        (("{file}", "--project", "x"), "give one of FILE, --project and --watch"),
        (("none.yaml",), "none.yaml is not there"),
        (("--watch", "{folder}", "--dry-run"), "--dry-run looks at shots that are there"),
    ],
)
def test_what_cannot_be_together_is_said(batch, shots, words, said):
    told = batch(*(word.format(file=shots, folder=shots.parent) for word in words))
    assert told.code == 1
    assert said in told.err


def test_a_project_that_is_none_fails_as_a_shot(batch, tmp_path):
    told = batch("--project", tmp_path)
    assert told.code == 1
    assert "is not a project" in told.err
    assert "1 shot: 1 failed" in told.out


def test_json_is_one_line_with_the_report(batch, shots):
    said = batch(shots, "--json")
    result = json.loads(said.out)
    assert result["report"] == str(shots.with_suffix(".report.json"))
    assert [one["shot"] for one in result["shots"]] == ["a", "b"]


def result(name, state, **more):
    return ShotResult(name, state, **more)


@pytest.mark.parametrize(
    ("states", "code"), [(["done", "kept"], 0), (["done", "failed"], 1), (["failed", "cancelled"], 130), ([], 0)]
)
def test_the_exit_code_says_whether_a_shot_failed_or_was_cancelled(tmp_path, capsys, states, code):
    report = Report(tmp_path / "r.json")
    for state in states:
        report.add(result(state, state))
    with pytest.raises(SystemExit) as left:
        batch_command._end(report, as_json=False)
    assert left.value.code == code
    assert (str(tmp_path / "r.json") in capsys.readouterr().out) == bool(states)
    with pytest.raises(SystemExit):
        batch_command._end(Report(None), as_json=True)
    assert json.loads(capsys.readouterr().out)["report"] is None


def test_after_a_cancelled_shot_no_other_is_begun(monkeypatch, capsys):
    states = iter(["done", "cancelled", "done"])
    monkeypatch.setattr(
        batch_command,
        "run_shot",
        lambda one, connect, rates: result(one.shot.name, next(states), error={"message": "odd", "hint": ""}),
    )
    asked = [AskedShot(Shot(name, {}, str, Path()), None) for name in "abc"]
    means = batch_command._Means(Path("nobody.json"), False, Report())
    batch_command._run(asked, means)
    assert [one.shot for one in means.report.results] == ["a", "b"]
    assert capsys.readouterr().err == "a (1 of 3)\nError: odd\nb (2 of 3)\nError: odd\n"


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ((Path("shots.yaml"), None, None), Path("shots.report.json")),
        ((Path("defaults.yaml"), None, Path("drop")), Path("drop/batch.report.json")),
        ((None, Path("film"), None), Path("film/batch.report.json")),
        ((None, None, Path("drop")), Path("drop/batch.report.json")),
    ],
)
def test_the_report_lies_beside_what_was_named(words, place):
    assert batch_command._report_of(*words) == place


@pytest.mark.parametrize(
    ("seconds", "said"), [(None, "unknown"), (0, "0:00:00"), (59.6, "0:01:00"), (3_725, "1:02:05"), (7_200, "2:00:00")]
)
def test_a_time_is_in_hours_minutes_and_seconds(seconds, said):
    assert batch_command._time(seconds) == said


NEEDED = {"shot": "a", "frames": 3, "size": [96, 64], "missing": {}, "disk_bytes": 2_000_000, "free_bytes": 9_000_000}
NEEDED |= {"seconds": 61.0, "finished": False, "lacks_wanted": False, "error": None}


@pytest.mark.parametrize(
    ("changes", "row"),
    [
        ({}, ("a", "3", "96x64", "", "2.0 MB", "0:01:01", "")),
        ({"missing": {"mask": "7", "plate": "9"}}, ("a", "3", "96x64", "mask 7; plate 9", "2.0 MB", "0:01:01", "")),
        ({"free_bytes": 1_000_000}, ("a", "3", "96x64", "", "2.0 MB", "0:01:01", "only 1.0 MB free")),
        ({"free_bytes": 2_000_000}, ("a", "3", "96x64", "", "2.0 MB", "0:01:01", "")),
        ({"free_bytes": None, "seconds": None}, ("a", "3", "96x64", "", "2.0 MB", "unknown", "")),
        ({"finished": True}, ("a", "3", "96x64", "", "2.0 MB", "", "finished")),
        ({"size": None, "frames": 0, "error": {"message": "odd\nmore"}}, ("a", "", "", "", "2.0 MB", "", "odd")),
    ],
)
def test_a_row_of_a_dry_run_says_what_a_shot_needs(changes, row):
    assert batch_command._needs_row({**NEEDED, **changes}) == row


def test_a_dry_run_sums_what_is_known_and_fails_for_a_shot_that_cannot_be_done(monkeypatch, capsys):
    told = iter([NEEDED, {**NEEDED, "seconds": 9.0}, NEEDED, {**NEEDED, "seconds": None}])
    monkeypatch.setattr(batch_command, "_needed", lambda one, rates: next(told))
    assert batch_command._dry_run([1, 2], None, as_json=True) == 0
    assert json.loads(capsys.readouterr().out)["total"] == {"disk_bytes": 4_000_000, "seconds": 70.0}
    assert batch_command._dry_run([1, 2], None, as_json=False) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[-2:] == [
        "2 shots: 4.0 MB on disk, time unknown",
        "A time is unknown until a shot with the same engines has been done on this machine.",
    ]
    for odd in ({"error": {"message": "odd"}}, {"lacks_wanted": True}):
        monkeypatch.setattr(batch_command, "_needed", lambda one, rates, odd=odd: {**NEEDED, **odd})
        assert batch_command._dry_run([1], None, as_json=True) == 1


def test_a_drop_folder_is_watched_until_ctrl_c(batch, shots, tmp_path, monkeypatch):
    """Real shots of a folder; sleeping stands for the time between looks, and the last one for Ctrl-C."""
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        if len(slept) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(batch_command.time, "sleep", sleep)
    ticks = iter(range(0, 100, 20))
    monkeypatch.setattr(batch_command, "DropFolder", partial(DropFolder, clock=lambda: next(ticks)))
    file = tmp_path / "defaults.json"
    file.write_text(json.dumps({"defaults": {"engine": "passthrough", "roi": "off", "tokens": {"show": "film"}}}))
    shutil.rmtree(tmp_path / "b")
    said = batch(file, "--watch", tmp_path, "--settle", "4")
    assert said.code == 0, said.err
    assert said.err.startswith(f"Watching {tmp_path}. Ctrl-C ends it.\na (1 of 1)\n")
    assert slept == [1.0, 1.0, 1.0]
    assert "1 shot: 1 done" in said.out
    assert len(list((tmp_path / "a" / "alpha").glob("a.*.exr"))) == 3
    assert (tmp_path / "batch.report.json").exists()


def test_a_watch_ends_with_a_cancelled_shot(monkeypatch, tmp_path):
    report = Report()
    report.add(result("a", "cancelled"))
    means = batch_command._Means(Path("nobody.json"), False, report)
    monkeypatch.setattr(batch_command.time, "sleep", lambda _: pytest.fail("it goes on"))
    batch_command._watch(DropFolder(tmp_path, 1.0), None, means, dry_run=False)
