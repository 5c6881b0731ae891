import time

import numpy as np
import pytest
from videomama_server.media.frames import write_picture
from videomama_server.qc import files as qc_files
from videomama_server.qc.report import check
from videomama_server.web.clip_files import Clip, ClipFiles
from videomama_server.web.clip_scores import ClipScores

SIZE = (96, 128)


def write(folder, frame, hole=False):
    rng = np.random.default_rng(0)
    plate = rng.random((*SIZE, 3), np.float32)
    mask = np.zeros(SIZE, np.float32)
    mask[16:80, 20:100] = 1
    alpha = mask.copy()
    if hole:
        alpha[30:66, 40:80] = 0
    write_picture(folder / f"plate.{frame}.exr", plate)
    write_picture(folder / f"mask.{frame}.exr", mask, ("A",))
    write_picture(folder / f"alpha.{frame}.exr", alpha, ("A",))


@pytest.fixture
def clip(tmp_path):
    for frame in range(1, 7):
        write(tmp_path, frame, hole=frame == 4)
    return Clip(*(str(tmp_path / f"{role}.#.exr") for role in ("plate", "mask", "alpha")))


@pytest.fixture
def scores():
    return ClipScores(ClipFiles(lambda path: path))


def measured(scores, clip, count):
    end = time.monotonic() + 60
    while (found := scores.report(clip))["measured"] < count:
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


def curve(found, title):
    return next(one for one in found["curves"] if one["title"] == title)


def test_scores_and_flags_are_those_of_quality_control(scores, clip):
    found = measured(scores, clip, 6)
    expected = check(qc_files.refined_clip((clip.plate, clip.mask, clip.alpha)))
    assert found["flags"] == expected.as_dict()["flags"]
    assert "hole" in [flag["kind"] for flag in found["flags"]]
    assert curve(found, "flicker")["values"] == {
        one.frame: one.flicker for one in expected.scores if one.flicker is not None
    }
    assert found["total"] == 6


def test_a_frame_that_comes_later_is_measured_and_the_one_after_it_once_more(scores, clip, tmp_path):
    later = {role: (tmp_path / f"{role}.3.exr").read_bytes() for role in ("plate", "mask", "alpha")}
    (tmp_path / "alpha.3.exr").unlink()
    first = measured(scores, clip, 5)
    assert 4 not in curve(first, "flicker")["values"]
    (tmp_path / "alpha.3.exr").write_bytes(later["alpha"])
    assert {3, 4} <= set(curve(measured(scores, clip, 6), "flicker")["values"])


def test_a_frame_that_was_made_again_is_measured_again(scores, clip, tmp_path):
    assert measured(scores, clip, 6)["flags"]
    write(tmp_path, 4)
    time.sleep(0.01)
    assert measured(scores, clip, 6)["flags"] == []


def test_a_frame_that_cannot_be_read_is_named_and_the_rest_is_measured(scores, clip, tmp_path):
    (tmp_path / "alpha.2.exr").write_bytes(b"no picture")
    found = measured(scores, clip, 6)
    assert list(found["not_judged"]) == [2]
    assert "cannot read" in found["not_judged"][2]
    assert 5 in curve(found, "flicker")["values"]


def test_a_clip_without_a_mask_says_what_scores_need(scores, clip):
    found = scores.report(Clip(plate=clip.plate, alpha=clip.alpha))
    assert found["said"].startswith("Scores need plate, mask and alpha")
    assert (found["measured"], found["total"]) == (0, 0)


def test_measuring_stops_when_nobody_asks_any_more(scores, clip, monkeypatch):
    monkeypatch.setattr("videomama_server.web.clip_scores._PATIENCE_S", -1.0)
    assert scores.report(clip)["measured"] == 0
    time.sleep(0.2)
    assert next(iter(scores._clips.values())).scores == {}


def test_measuring_stops_when_the_page_ends(scores, clip):
    scores.end()
    assert scores.report(clip)["measured"] == 0
    time.sleep(0.2)
    assert scores.report(clip)["measured"] == 0
