"""`videomama evaluate` as people run it: once with a real server, killed in the middle, and with what cannot work."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from videomama_server.cli import evaluate as evaluate_command
from videomama_server.media import frames

SIZE = (64, 96)


def write_clip(folder: Path, name: str, count: int = 4, kind: str = "hair") -> Path:
    """Write a clip in the layout of `videomama synthesize`, of a disc that moves."""
    place = folder / name
    place.mkdir(parents=True)
    rng = np.random.default_rng(len(name))
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float32)
    for number in range(1001, 1001 + count):
        alpha = np.clip((14 - np.hypot(columns - 30 - 2 * (number - 1001), rows - 32)) / 4 + 0.5, 0, 1)
        plate = rng.random((*SIZE, 3), dtype=np.float32) * 0.2 + 0.6 * alpha[..., None]
        frames.write_picture(place / f"plate.{number}.exr", plate)
        frames.write_picture(place / f"foreground.{number}.exr", np.full((*SIZE, 3), 0.6, np.float32))
        frames.write_picture(place / f"alpha.{number}.exr", alpha, ("A",), "float")
        frames.write_picture(place / f"mask.{number}.exr", (alpha >= 0.5).astype(np.float32), ("A",))
    facts = {"kind": kind, "background": "wall", "width": 96, "height": 64, "frames": count, "first": 1001, "seed": 1}
    masks = {"shape": "mixed", "hits": [], "times": 1, "seed": 1, "name": "mixed"}
    (place / "clip.json").write_text(json.dumps({**facts, "title": "x", "masks": masks}))
    return place


@pytest.fixture
def suite(tmp_path):
    """A folder of two clips."""
    write_clip(tmp_path / "suite", "hair_wall")
    write_clip(tmp_path / "suite", "fur_wall", kind="fur")
    return tmp_path / "suite"


@pytest.fixture
def footage(tmp_path):
    """A shot without exact alpha, and beside it the alphas of a tool that leaves all half transparent."""
    plate = np.random.default_rng(3).random((64, 96, 3), np.float32)
    mask = np.zeros((64, 96), np.float32)
    mask[20:44, 30:60] = 1
    for number in (1001, 1002):
        for role, pixels in (("plate", plate), ("mask", mask), ("other", mask * 0.4 + 0.1)):
            path = tmp_path / "shot" / role / f"{role}.{number}.exr"
            path.parent.mkdir(parents=True, exist_ok=True)
            frames.write_picture(path, pixels, ("R", "G", "B") if role == "plate" else ("A",), "half")
    return tmp_path / "shot"


@pytest.fixture
def evaluate(videomama, server, tmp_path):
    """Run the command in this process, against the shared server: `evaluate(suite, "--engine", ...)`."""
    return lambda *words: videomama(
        "evaluate", *words, "--out", tmp_path / "out", "--connection-file", server.connection_file
    )


def test_from_clips_to_reports(evaluate, suite, tmp_path):
    said = evaluate(suite, "--engine", "passthrough", "--engine", "classic:fast", "--shape", "--foreground")
    assert said.code == 0, said.err
    assert "6 units, 0 of them from an earlier run" in said.out
    assert "hair_wall, given masks, classic:fast" in said.err
    assert said.err.splitlines()[-1] == "Writing the reports"
    out = tmp_path / "out"
    assert sorted(path.name for path in out.iterdir()) == [
        "evaluation.html", "evaluation.json", "evaluation.md", "work",
    ]  # fmt: skip
    content = json.loads((out / "evaluation.json").read_text())
    assert content["measures"][-4:] == ["j", "f", "foreground_mad", "foreground_mse"]
    (row,) = [row for row in content["overall"] if row["engine"] == "passthrough"]
    assert row["ratio"]["mad"] == pytest.approx(1)
    again = evaluate(suite, "--engine", "passthrough", "--engine", "classic:fast", "--shape", "--foreground")
    assert "6 units, 6 of them from an earlier run" in again.out


def test_one_line_of_json(evaluate, suite):
    said = evaluate(suite, "--engine", "passthrough", "--masks", "box", "--masks", "down8", "--json")
    result = json.loads(said.out)
    assert (result["clips"], result["units"], result["kept"], result["failed"]) == (2, 8, 0, 0)
    assert [(row["masks"], row["engine"]) for row in result["overall"]] == [
        ("box", "mask"), ("box", "passthrough"), ("down8", "mask"), ("down8", "passthrough"),
    ]  # fmt: skip
    text = evaluate(suite, "--engine", "passthrough", "--masks", "box", "--masks", "down8").out
    (heads,) = [line.split() for line in text.splitlines() if "engine" in line]
    assert heads[:2] == ["masks", "engine"]  # what all rows have in common is in no column
    assert [line.split()[:2] for line in text.splitlines() if " passthrough " in line] == [
        ["box", "passthrough"], ["down8", "passthrough"],
    ]  # fmt: skip


def test_conn_can_be_left_out(evaluate, suite, tmp_path):
    evaluate(suite, "--engine", "passthrough", "--no-conn")
    assert "conn" not in json.loads((tmp_path / "out" / "evaluation.json").read_text())["measures"]


def test_a_clip_that_fails_is_in_all_reports_and_in_the_exit_code(evaluate, suite, tmp_path):
    (suite / "fur_wall" / "plate.1002.exr").write_bytes(b"no picture")
    (suite / "unfinished").mkdir()
    (suite / "unfinished" / "plate.1001.exr").touch()
    said = evaluate(suite, "--engine", "passthrough")
    assert said.code == 1
    assert "FAILED: plate frame 1002" in said.err
    assert "2 units" in said.out
    for name in ("evaluation.json", "evaluation.md", "evaluation.html"):
        text = (tmp_path / "out" / name).read_text()
        assert "frame 1002" in text
        assert "unfinished" in text
        assert text.count("hair_wall") + text.count("hair\\_wall") > 2


def test_clips_of_the_same_name_are_told_apart_by_their_folders(evaluate, tmp_path):
    for folder in ("one", "two"):
        write_clip(tmp_path / folder, "hair_wall", 2)
    assert evaluate(tmp_path / "one", tmp_path / "two", "--engine", "passthrough").code == 0
    content = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert [clip["name"] for clip in content["clips"]] == ["one/hair_wall", "two/hair_wall"]
    said = evaluate(tmp_path / "one", tmp_path / "one", "--engine", "passthrough")
    assert said.code == 1
    assert "two clips are called one/hair_wall" in said.err


def test_footage_without_exact_alpha_is_measured_beside_another_tool(evaluate, footage, tmp_path):
    said = evaluate(footage, "--engine", "passthrough")
    assert said.code == 0, said.err
    assert "haze px" in said.out
    content = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    rows = {row["engine"]: row["mean"] for row in content["per_clip"]}
    assert list(rows) == ["mask", "passthrough", "other"]
    assert rows["passthrough"]["inside_90"] == rows["mask"]["haze"] == 0
    assert rows["other"]["inside_90"] > 50
    assert rows["other"]["haze"] > 0
    page = (tmp_path / "out" / "evaluation.html").read_text()
    for title in ("over bright, other", "over dark, passthrough", "difference, other"):
        assert title in page
    assert "truth, whole frame" not in page
    assert "over bright" in page
    assert "| other |" in (tmp_path / "out" / "evaluation.md").read_text()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--engine", "magic"], "magic"),
        (["--engine", "classic:medium"], "medium"),
        (["--masks", "nonsense"], "nonsense"),
        (["--layout", "videomatte"], "no clips were found"),
    ],
)
def test_what_makes_no_sense_is_told_before_any_work(evaluate, suite, tmp_path, words, told):
    said = evaluate(suite, *words)
    assert said.code == 1
    assert told in said.err
    assert not (tmp_path / "out").exists()


def test_other_bad_input(evaluate, videomama, tmp_path, suite):
    assert "is not a folder" in evaluate(tmp_path / "none").err
    assert videomama("evaluate").code == 2
    (tmp_path / "out").touch()
    assert "cannot make" in evaluate(suite, "--engine", "passthrough").err


def test_without_a_server_the_masks_are_measured_all_the_same(videomama, suite, tmp_path):
    words = ["--engine", "passthrough", "--no-start", "--connection-file", tmp_path / "none.json"]
    said = videomama("evaluate", suite, "--out", tmp_path / "out", *words)
    assert said.code == 1
    content = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert [failure["clip"] for failure in content["failures"]] == ["fur_wall", "hair_wall"]
    assert {row["engine"] for row in content["per_clip"]} == {"mask"}


def test_killed_in_the_middle_only_the_rest_is_done(server, eventually, tmp_path):
    suite, out = tmp_path / "suite", tmp_path / "out"
    for index in range(8):
        write_clip(suite, f"clip{index}")
    words = ["evaluate", suite, "--engine", "passthrough", "--out", out, "--connection-file", server.connection_file]
    command = [sys.executable, "-m", "videomama_server", *map(str, words)]

    def records():
        return {path: path.stat().st_mtime_ns for path in out.glob("work/*/*/*/scores.json")}

    with (tmp_path / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        eventually(lambda: len(records()) >= 3 or process.poll() is not None, "some units are done")
        process.kill()
    before = records()
    assert 3 <= len(before) < 16
    assert not (out / "evaluation.html").exists()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"16 units, {len(before)} of them from an earlier run" in done.stdout
    after = records()
    assert len(after) == 16
    assert {path: after[path] for path in before} == before
    assert not list(out.rglob(".videomama-*.json"))


def test_progress_is_a_share_of_all_steps_in_lines_or_in_a_bar(monkeypatch, capsys):
    def work(progress):
        progress.begin(4)
        progress.unit("hair by classic")
        progress.step()
        progress.step(2)
        progress.unit("fur by classic")

    with evaluate_command._Progress() as progress:
        work(progress)
    assert capsys.readouterr().err.splitlines() == ["  0 %  hair by classic", " 75 %  fur by classic"]
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with evaluate_command._Progress() as progress:
        work(progress)
        (task,) = progress.shown.tasks
    assert (task.description, task.completed, task.total) == ("fur by classic", 3, 4)


@pytest.fixture
def hard(makers, tmp_path):
    """A look-alike of V-HIM60 with masks of SAM 2, whose two subjects are people and an animal."""
    root = makers(tmp_path).vhim(subjects=2, radius=20)  # large enough for 32x
    for given in (root / "comp_hard" / "xmem").rglob("*.png"):
        tracked = root / "comp_hard" / "sam2" / given.relative_to(root / "comp_hard" / "xmem")
        tracked.parent.mkdir(parents=True, exist_ok=True)
        tracked.write_bytes(given.read_bytes())
    (root / "groups.csv").write_text("clip,group\ncomp_hard/00012,people\ncomp_hard/00012/01,animals\n")
    return root


def test_a_protocol_from_look_alike_to_table(evaluate, hard, draw, tmp_path):
    results = tmp_path / "matanyone2"
    for index in range(draw.count):
        draw.put(results / "comp_hard" / "00012" / "00" / f"{index:05d}.png", draw.disc(index, radius=20))
    said = evaluate(hard, "--protocol", "v-him60-hard", "--engine", "passthrough", "--beside", f"MatAnyone2={results}")
    assert said.code == 0, said.err
    content = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    kinds = ["down8", "down32", "polygon", "sam2", "sam2+first", "given"]
    assert list(dict.fromkeys(row["masks"] for row in content["overall"])) == kinds
    assert content["measures"] == ["mad", "mse", "grad", "conn", "dtssd", "mad_t"]
    assert {row["name"] for row in content["groups"]} == {"comp_hard", "people", "animals"}
    (theirs,) = [row for row in content["overall"] if (row["masks"], row["engine"]) == ("sam2+first", "MatAnyone2")]
    assert (theirs["clips"], theirs["mean"]["mad"] < 2) == (1, True)
    beside = {(one["masks"], one["method"]) for one in content["published"]}
    assert {("polygon", "VideoMaMa"), ("sam2", "VideoMaMa"), ("sam2+first", "SAM2-Matte")} <= beside
    report = (tmp_path / "out" / "evaluation.md").read_text()
    assert "SAM2-Matte" in report
    assert "MatAnyone2" in report


@pytest.mark.parametrize(("name", "plate"), [("YouTubeMatte", "har"), ("VideoMatte", "com")])
def test_first_frame_guidance_on_a_look_alike(evaluate, makers, tmp_path, name, plate):
    root = makers(tmp_path).rvm(name, plate=plate)
    said = evaluate(root, "--protocol", name.lower(), "--engine", "passthrough", "--masks", "held+first")
    assert said.code == 0, said.err
    content = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert [row["engine"] for row in content["overall"]] == ["mask", "passthrough"]


def test_davis_measures_the_shape_of_every_object(evaluate, makers, tmp_path):
    root = makers(tmp_path).davis(made="sam2")
    said = evaluate(root, "--protocol", "davis", "--engine", "passthrough")
    assert said.code == 0, said.err
    assert "J&F" in said.out
    content = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert [(row["clips"], row["mean"]["jf"], row["masks"]) for row in content["overall"]] == [
        (3, 1, "sam2+first"), (3, 1, "sam2+first"),
    ]  # fmt: skip
    assert content["frames"][0]["scores"]["j"] == [None, 1, None]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--layout", "suite"], "--protocol davis cannot be given with --layout"),
        (["--shape"], "--protocol davis cannot be given with --conn, --shape or --foreground"),
        (["--beside", "results"], "--beside results does not name a tool and a folder"),
        (["--beside", "a/b=results"], "does not name a tool and a folder"),
        ([], "no clips were found in"),
    ],
)
def test_what_a_protocol_cannot_be_given(evaluate, suite, words, message):
    said = evaluate(suite, "--engine", "passthrough", "--protocol", "davis", *words)
    assert said.code != 0
    assert message in said.err
