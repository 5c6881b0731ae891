"""Many shots through a real server: one that fails, a server that is killed, a drop folder, and a remover after it."""

import json
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
from videomama_server.media import frames

DOCS = Path(__file__).parents[2] / "docs"
DEFAULTS = {
    "plate": "{shot}/plate.####.exr",
    "mask": "{shot}/mask.####.exr",
    "out": "out/{shot}/{version}/alpha.####.exr",
    "version": "v001",
    "engine": "classic",
    "quality": "fast",
}


@pytest.fixture
def make_shots(make_clip, tmp_path):
    """Write shots of equal clips and their file: `make_shots(8, count=3)` returns the file."""

    def make(shots, **clip):
        folder = tmp_path / "show"
        folder.mkdir()
        for number in range(1, shots + 1):
            make_clip(**clip).folder.rename(folder / f"sh{number:02}")
        file = folder / "shots.json"
        named = {f"sh{number:02}": None for number in range(1, shots + 1)}
        file.write_text(json.dumps({"defaults": DEFAULTS, "shots": named}))
        return file

    return make


@pytest.fixture
def batch(videomama, server):
    """Run a batch on the shared server and return its exit code and result."""

    def run(*words):
        said = videomama("batch", *words, "--json", "--connection-file", server.connection_file)
        return said.code, json.loads(said.out)

    return run


def states(result):
    return {one["shot"]: one["state"] for one in result["shots"]}


def report_of(file):
    try:
        return json.loads(file.with_suffix(".report.json").read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {"shots": []}


def test_one_of_eight_shots_fails_and_the_second_run_does_only_that_one(make_shots, batch):
    file = make_shots(8, count=3)
    missing = file.parent / "sh05" / "mask.1002.exr"
    missing.rename(missing.with_suffix(".held"))
    code, first = batch(file)
    assert code == 1
    assert first["counts"] == {"done": 7, "kept": 0, "failed": 1, "cancelled": 0}
    (failed,) = [one for one in first["shots"] if one["state"] == "failed"]
    assert (failed["shot"], failed["error"]["code"], failed["error"]["frame"]) == ("sh05", "bad-input", 1002)
    assert {key: first[key] for key in ("shots", "counts")} == report_of(file)
    missing.with_suffix(".held").rename(missing)
    code, second = batch(file)
    assert code == 0
    assert [name for name, state in states(second).items() if state == "done"] == ["sh05"]
    assert second["counts"] == {"done": 1, "kept": 7, "failed": 0, "cancelled": 0}
    assert batch(file)[1]["counts"]["kept"] == 8


def test_only_what_changed_is_done_again(make_shots, batch):
    file = make_shots(4, count=2)
    batch(file)
    (file.parent / "out/sh01/v001/alpha.1002.exr").unlink()
    shutil.copy(file.parent / "sh02/mask.1001.exr", file.parent / "sh02/mask.1002.exr")
    said = json.loads(file.read_text())
    said["shots"]["sh03"] = {"mask_grow": 3}
    file.write_text(json.dumps(said))
    _, result = batch(file)
    assert states(result) == {"sh01": "done", "sh02": "done", "sh03": "done", "sh04": "kept"}
    assert result["shots"][0]["computed"] == 0


@pytest.mark.slow
def test_a_killed_server_costs_no_finished_frame(make_shots, start_server, run_command, eventually):
    server, file = start_server("--threads", "1"), make_shots(3, count=24, size=(384, 216))
    alphas = file.parent / "out/sh02/v001"
    words = ("batch", file, "--no-start", "--connection-file", server.connection_file)
    running = run_command(*words)
    eventually(lambda: len(list(alphas.glob("alpha.*"))) >= 3, "the second shot has alphas", 120)
    server.kill()
    code, out, err = running.end(60)
    delivered = len(list(alphas.glob("alpha.*.exr")))
    assert code == 1, out + err
    first = report_of(file)
    assert states(first) == {"sh01": "done", "sh02": "failed", "sh03": "failed"}
    assert 3 <= delivered < 24
    server.start()
    code, out, err = run_command(*words).end(180)
    assert code == 0, out + err
    second = report_of(file)
    assert states(second) == {"sh01": "kept", "sh02": "done", "sh03": "done"}
    interrupted = second["shots"][1]
    assert interrupted["cached"] >= delivered
    assert interrupted["computed"] + interrupted["cached"] == 24


def test_a_drop_folder_is_taken_once_it_has_stopped_growing(make_clip, server, run_command, eventually, tmp_path):
    drop, clip = tmp_path / "drop", make_clip(count=4)
    drop.mkdir()
    defaults = tmp_path / "defaults.json"
    defaults.write_text(json.dumps({"defaults": {"engine": "passthrough", "roi": "off"}}))
    words = ("batch", defaults, "--watch", drop, "--settle", "2", "--connection-file", server.connection_file)
    running = run_command(*words)
    (drop / "sh07").mkdir()
    for frame in clip.numbers:
        for role in ("plate", "mask"):
            shutil.copy(clip.file(role, frame), drop / "sh07")
    made = drop / "sh07" / "alpha"
    eventually(lambda: (drop / "batch.report.json").exists(), "the shot is done", 60)
    running.process.send_signal(signal.SIGINT)
    code, out, err = running.end()
    assert code == 0, out + err
    assert "1 shot: 1 done" in out
    assert sorted(path.name for path in made.glob("*.exr")) == [f"sh07.{frame}.exr" for frame in clip.numbers]
    assert json.loads((drop / "batch.report.json").read_text())["counts"]["done"] == 1


def test_each_roto_of_a_project_is_a_shot(make_clip, batch, tmp_path):
    clip, project = make_clip(count=2), tmp_path / "project"
    (project / "source/frames").mkdir(parents=True)
    for name in ("hero", "dog", "cat"):
        (project / "roto" / name).mkdir(parents=True)
        for frame in clip.numbers:
            frames.write_picture(project / f"roto/{name}/{frame}.png", clip.read_mask(frame), ("A",), "uint16")
    for frame in clip.numbers:
        picture = frames.read_plate(clip.file("plate", frame)).pixels.clip(0, 1)
        frames.write_picture(project / f"source/frames/{frame}.png", picture, dtype="uint16")
    for name in ("hero", "dog", "cat"):
        for path in (project / "roto" / name).iterdir():
            path.rename(path.with_name(f"r.{path.name}"))
    for path in (project / "source/frames").iterdir():
        path.rename(path.with_name(f"p.{path.name}"))
    code, result = batch("--project", project, "--roto", "hero", "--roto", "dog")
    assert (code, list(states(result))) == (0, ["project hero", "project dog"])
    code, result = batch("--project", project)
    assert states(result) == {"project cat": "done", "project dog": "kept", "project hero": "kept"}
    assert len(list((project / "roto/cat_mama").glob("*.png"))) == 2


def test_the_remover_of_the_docs_paints_the_subject_out_and_keeps_all_else(make_clip, videomama, server):
    clip = make_clip(count=2)
    for frame in clip.numbers:
        plate = np.full((64, 96, 3), (0.25, 1.5, 4.0), np.float32)
        plate[20:40, 30:60] = 0
        mask = np.zeros((64, 96), np.float32)
        mask[20:40, 30:60] = 1
        frames.write_picture(clip.file("plate", frame), plate, dtype="float")
        frames.write_picture(clip.file("mask", frame), mask, ("A",), "half")
    job = DOCS / "examples" / "removal.yaml"
    words = ("--plate", clip.plate, "--mask", clip.mask, "--out", clip.out, "--clean-plate", clip.folder / "clean")
    words += ("--hole-masks", clip.folder / "holes" / "hole.####.png", "--roi", "off", "--json")
    said = videomama("matte", "--job", job, *words, "--connection-file", server.connection_file)
    assert said.code == 0, said.err + said.out
    assert json.loads(said.out)["clean_plate"] == str(clip.folder / "clean" / "plate.####.exr")
    for frame in clip.numbers:
        clean = frames.read_plate(clip.folder / "clean" / f"plate.{frame}.exr").pixels
        hole = frames.read_mask(clip.folder / "holes" / f"hole.{frame}.png").pixels[..., 0]
        assert set(np.unique(hole)) == {0, 1}
        assert hole[20:40, 30:60].all()
        np.testing.assert_array_equal(clean[hole == 0], frames.read_plate(clip.file("plate", frame)).pixels[hole == 0])
        np.testing.assert_allclose(
            clean[hole == 1], np.broadcast_to((0.25, 1.5, 4.0), clean[hole == 1].shape), rtol=0.05
        )
    left = json.loads((clip.folder / "out" / "job.json").read_text())
    assert left["then-run"][:2] == ["{python}", str(DOCS / "examples" / "inpaint.py")]
