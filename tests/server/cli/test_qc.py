"""`videomama qc`, and `videomama matte --qc` through a real server."""

import json
import os

import numpy as np
import pytest
from videomama_server.media import frames
from videomama_server.qc.scores import Gauge

SIZE = (96, 160)


def disc(x):
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float32)
    return np.clip((30 - np.hypot(columns - x, rows - 48)) / 3 + 0.5, 0, 1).astype(np.float32)


@pytest.fixture
def clip(tmp_path):
    """Twelve frames of a disc that moves; the flags that name them."""
    behind = np.random.default_rng(2).random((*SIZE, 3), dtype=np.float32) * np.float32(0.2)
    for index in range(12):
        alpha = disc(60 + 2 * index)
        plate = behind * (1 - alpha[..., None]) + alpha[..., None] * np.float32(0.8)
        frames.write_picture(tmp_path / f"plate.{1001 + index}.exr", plate)
        frames.write_picture(tmp_path / f"mask.{1001 + index}.exr", (alpha >= 0.5).astype(np.float32), ("A",))
        frames.write_picture(tmp_path / f"alpha.{1001 + index}.exr", alpha, ("A",), "float")
    return [word for role in ("plate", "mask", "alpha") for word in (f"--{role}", tmp_path / f"{role}.####.exr")]


def spoil(tmp_path, *numbers):
    for number in numbers:
        frames.write_picture(tmp_path / f"alpha.{number}.exr", np.zeros(SIZE, np.float32), ("A",), "float")


def test_a_right_clip(videomama, clip):
    said = videomama("qc", *clip)
    assert (said.code, said.out) == (0, "QC: nothing flagged on 12 frames\n")


def test_flags_and_pictures(videomama, clip, tmp_path):
    spoil(tmp_path, 1004, 1005, 1009)
    out = tmp_path / "new" / "qc"
    said = videomama("qc", *clip, "--out", out)
    assert said.code == 0, said.err
    assert said.out.splitlines() == [
        "QC: alpha dropped on 1004-1005, 1009: the alpha is gone and the mask is not",
        str(out / "qc_sheet.png"),
        str(out / "qc_plot.png"),
    ]
    assert frames.read_plate(out / "qc_sheet.png").pixels.shape[1] > 1000
    assert frames.read_plate(out / "qc_plot.png").pixels.shape[1] > 1000
    assert json.loads((out / "qc.json").read_text())["flags"][0]["frames"] == [1004, 1005, 1009]
    assert sorted(path.name for path in out.iterdir()) == ["qc.json", "qc_plot.png", "qc_sheet.png"]


def test_the_sheet_shows_trimaps_where_some_are_named(videomama, clip, tmp_path):
    videomama("qc", *clip, "--out", tmp_path / "plain")
    for number in range(1001, 1013):
        frames.write_picture(tmp_path / f"trimap.{number}.exr", np.full(SIZE, 0.5, np.float32), ("A",))
    said = videomama("qc", *clip, "--trimap", tmp_path / "trimap.####.exr", "--out", tmp_path / "tuned")
    assert said.code == 0, said.err
    widths = [frames.read_plate(tmp_path / name / "qc_sheet.png").pixels.shape[1] for name in ("plain", "tuned")]
    assert widths[1] > widths[0]
    missing = videomama("qc", *clip, "--trimap", tmp_path / "none.####.exr")
    assert (missing.code, "trimap" in missing.err) == (1, True)


def test_json(videomama, clip, tmp_path):
    spoil(tmp_path, 1004)
    said = videomama("qc", *clip, "--json")
    result = json.loads(said.out)
    assert [(flag["kind"], flag["frames"], flag["worst"]) for flag in result["flags"]] == [
        ("alpha dropped", [1004], 1004)
    ]
    assert [found["frame"] for found in result["scores"]] == list(range(1001, 1013))
    assert result["scores"][0]["flicker"] is None


def test_only_some_frames(videomama, clip, tmp_path):
    spoil(tmp_path, 1004)
    result = json.loads(videomama("qc", *clip, "--frames", "1005-1008,1010", "--json").out)
    assert result["flags"] == []
    assert [found["flicker"] is None for found in result["scores"]] == [True, False, False, False, True]


def test_masks_of_another_size_and_pixels_that_are_no_numbers(videomama, clip, tmp_path):
    broken = np.full(SIZE, np.nan, np.float32)
    frames.write_picture(tmp_path / "alpha.1006.exr", broken, ("A",), "float")
    frames.write_picture(tmp_path / "plate.1010.exr", np.repeat(broken[..., None], 3, axis=2))
    for number in range(1001, 1013):
        half = frames.read_mask(tmp_path / f"mask.{number}.exr").pixels[::2, ::2, 0]
        frames.write_picture(tmp_path / f"mask.{number}.exr", half, ("A",))
    result = json.loads(videomama("qc", *clip, "--json").out)
    assert [(flag["kind"], flag["frames"]) for flag in result["flags"]] == [("alpha dropped", [1006])]


def test_what_is_missing_is_named(videomama, clip, tmp_path):
    (tmp_path / "mask.1003.exr").unlink()
    said = videomama("qc", *clip)
    assert said.code == 1
    assert "missing: mask frames 1003" in said.err
    assert videomama("qc", *clip[:4]).code == 2
    assert "no frames match" in videomama("qc", *clip[:5], tmp_path / "none.####.exr").err


def test_an_alpha_of_another_size_names_the_frame(videomama, clip, tmp_path):
    frames.write_picture(tmp_path / "alpha.1002.exr", np.ones((48, 80), np.float32), ("A",), "float")
    said = videomama("qc", *clip)
    assert said.code == 1
    assert "alpha frame 1002: it is 80x48, the plate is 160x96" in said.err


def test_a_damaged_file_names_the_frame(videomama, clip, tmp_path):
    (tmp_path / "plate.1007.exr").write_bytes(b"no picture")
    said = videomama("qc", *clip)
    assert said.code == 1
    assert "frame 1007: cannot read" in said.err


def test_a_folder_that_cannot_be_made_is_told_first(videomama, clip, tmp_path):
    (tmp_path / "file").touch()
    said = videomama("qc", *clip, "--out", tmp_path / "file" / "qc")
    assert said.code == 1
    assert "cannot make" in said.err


@pytest.fixture
def matte(videomama, server, clip, tmp_path):
    """Refine the clip by passing its masks through: `matte("--qc", folder)`."""
    words = [*clip[:4], "--out", tmp_path / "refined" / "a.####.exr", "--engine", "passthrough"]
    return lambda *more: videomama("matte", *words, "--connection-file", server.connection_file, *more)


def test_matte_says_what_is_wrong(matte, tmp_path):
    frames.write_picture(tmp_path / "mask.1006.exr", np.zeros(SIZE, np.float32), ("A",))
    said = matte("--qc", tmp_path / "qc")
    assert said.code == 0, said.err
    assert said.out.splitlines()[-3:] == [
        "QC: mask missed on 1006: the mask is gone, or nearly, all at once",
        str(tmp_path / "qc" / "qc_sheet.png"),
        str(tmp_path / "qc" / "qc_plot.png"),
    ]
    assert (tmp_path / "qc" / "qc_sheet.png").exists()


def test_matte_says_so_without_being_asked(matte, tmp_path):
    """The server's own judgement: first of frames that it computes, then of the same from its cache."""
    frames.write_picture(tmp_path / "mask.1006.exr", np.zeros(SIZE, np.float32), ("A",))
    for _ in range(2):
        said = matte()
        assert said.out.splitlines()[1:] == [
            "QC: mask missed on 1006: the mask is gone, or nearly, all at once",
            str(tmp_path / "refined" / "a.####.exr"),
        ]
    result = json.loads(matte("--json").out)
    assert (result["judged"], result["cached"]) == (12, 12)
    assert result["flags"] == [
        {
            "kind": "mask missed",
            "frames": [1006],
            "worst": 1006,
            "reason": "the mask is gone, or nearly, all at once",
        }
    ]


def test_matte_says_how_many_frames_were_not_judged(videomama, start_server, clip, tmp_path):
    """Scores are lost, and of one frame the plate is too, though nothing in its folder shows it."""
    for path in tmp_path.glob("*.exr"):
        settle(path)
    server = start_server()
    words = [*clip[:4], "--out", tmp_path / "a.####.exr", "--engine", "passthrough"]
    words += ["--connection-file", server.connection_file]
    assert "QC: nothing flagged on 12 frames" in videomama("matte", *words).out.splitlines()
    for note in server.cache_dir.glob("entries/*/*.json"):
        note.unlink()
    plate = tmp_path / "plate.1004.exr"
    plate.write_bytes(b"?" * plate.stat().st_size)
    settle(plate)
    said = videomama("matte", *words)
    assert [line for line in said.out.splitlines() if line.startswith("QC")] == [
        "QC: nothing flagged on 11 frames",
        "QC: 1 frame not judged",
    ]
    assert "Warning: quality control could not judge frames 1004; see the server log" in said.err


def settle(path):
    """Date a file so that its stat is trusted."""
    os.utime(path, (1_700_000_000, 1_700_000_000))


def test_a_frame_that_cannot_be_measured_is_a_warning(videomama, clip, tmp_path, monkeypatch):
    real = Gauge.take

    def take(gauge, now):
        if now.frame == 1004:
            raise ValueError("shapes")
        return real(gauge, now)

    monkeypatch.setattr(Gauge, "take", take)
    said = videomama("qc", *clip, "--json", "--out", tmp_path / "qc")
    assert said.code == 0
    assert "Warning: quality control could not judge frame 1004: ValueError: shapes" in said.err
    assert "Traceback" not in said.err
    result = json.loads(said.out)
    assert (len(result["scores"]), result["not_judged"]) == (11, [1004])
    assert "QC: 1 frame not judged" in videomama("qc", *clip).out.splitlines()


def test_the_server_and_the_files_say_the_same(videomama, start_server, clip, tmp_path):
    """Of a job that has none of its frames in the cache."""
    for number in (1004, 1006, 1008):
        mask = frames.read_mask(tmp_path / f"mask.{number}.exr").pixels[..., 0] * np.float32(0.6)
        frames.write_picture(tmp_path / f"mask.{number}.exr", mask, ("A",))
    out, engine = tmp_path / "a.####.exr", ("--engine", "passthrough")
    server = ("--connection-file", start_server().connection_file)
    result = json.loads(videomama("matte", *clip[:4], "--out", out, *engine, *server, "--json").out)
    judged = json.loads(videomama("qc", *clip[:4], "--alpha", out, "--json").out)
    assert result["flags"] == judged["flags"] != []


def test_matte_puts_it_into_its_result(matte, tmp_path):
    result = json.loads(matte("--json", "--frames", "1003-1005", "--qc", tmp_path / "qc", "--layer", "matte").out)
    assert result["qc"]["flags"] == []
    assert [found["frame"] for found in result["qc"]["scores"]] == [1003, 1004, 1005]
    assert [found["iou"] for found in result["qc"]["scores"]] == [1, 1, 1]
    assert result["qc"]["folder"] == str(tmp_path / "qc")


def test_matte_is_not_begun_where_the_folder_cannot_be(matte, tmp_path):
    (tmp_path / "file").touch()
    said = matte("--qc", tmp_path / "file" / "qc")
    assert said.code == 1
    assert "cannot make" in said.err
    assert not (tmp_path / "refined").exists()


def test_a_view_stands_in_patterns(videomama, clip, tmp_path):
    for path in list(tmp_path.glob("*.exr")):
        path.rename(path.with_name(path.name.replace(".", ".left.", 1)))
    words = [str(word).replace(".####", ".%V.####") for word in clip]
    assert videomama("qc", *words, "--view", "left").code == 0
