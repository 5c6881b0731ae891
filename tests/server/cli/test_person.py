import json

import numpy as np
import pytest
from videomama_client.errors import BadInput
from videomama_server.cli import person
from videomama_server.engines.segment.people import FoundBox
from videomama_server.media import frames
from videomama_server.media.geometry import Geometry, Rect
from videomama_server.qc.files import Reading


class Standing:
    """A detector that finds what is bright."""

    method = "standing (test)"

    def boxes(self, plate, least_score):
        down, across = np.nonzero(plate.mean(-1) > 0.4)
        if not len(down):
            return []
        return [FoundBox(float(across.min()), float(down.min()), across.max() + 1.0, down.max() + 1.0, 0.9)]


@pytest.fixture
def shot(tmp_path):
    """Write a clip of 20 frames whose first five are black, and in which a bright block moves."""
    for frame in range(1001, 1021):
        pixels = np.zeros((48, 64, 3), np.float32)
        if frame > 1005:
            pixels[:] = 0.05
            pixels[10:40, 10 + (frame - 1006) : 30 + (frame - 1006)] = 0.9
        rect = Rect(0, 0, 64, 48)
        frames.write_picture(tmp_path / f"plate.{frame}.exr", pixels, ("R", "G", "B"), "half", Geometry(rect, rect))
    return str(tmp_path / "plate.####.exr")


def test_a_black_opening_is_skipped_and_said(shot):
    found = person.search(person.Clip.of(shot, "", Reading()), Standing(), 0.5)
    assert (found.requested_start, found.effective_start) == (1001, 1006)
    assert found.found.coverage == 1.0
    assert 1006 <= found.found.frame <= 1020
    x = 10 + found.found.frame - 1006
    assert found.options == f"--box {found.found.frame}:{x},10,20,30 --set absent=1001-1005"
    assert "frames 1001-1005 are nearly black" in found.sentence
    told = found.as_dict()
    assert told["method"] == "standing (test)"
    assert told["boxes"][str(found.found.frame)] == told["box"] == [x, 10, 20, 30]


def test_a_clip_without_a_person_is_an_error(shot):
    standing = Standing()
    standing.boxes = lambda plate, least_score: []
    with pytest.raises(BadInput, match="no person was found in 15 frames from 1006 to 1020"):
        person.search(person.Clip.of(shot, "", Reading()), standing, 0.5)


def test_a_clip_that_is_all_black_is_an_error(shot):
    with pytest.raises(BadInput, match="all 4 frames are nearly black"):
        person.search(person.Clip.of(shot, "1001-1004", Reading()), Standing(), 0.5)


def test_frames_that_are_not_there_are_named(shot):
    with pytest.raises(BadInput, match="missing: plate frames 1021-1022"):
        person.Clip.of(shot, "1015-1022", Reading())


def test_the_command_prints_what_a_mask_maker_takes(shot, videomama, monkeypatch, tmp_path):
    monkeypatch.setattr(person, "_detector", lambda config: Standing())
    said = videomama("person", "--plate", shot, "--picture", tmp_path / "who.png")
    assert frames.read_plate(tmp_path / "who.png").pixels.shape == (48, 64, 3)
    assert said.code == 0
    assert said.out.startswith("--box ")
    assert "by standing (test)" in said.err
    told = json.loads(videomama("person", "--plate", shot, "--json").out)
    assert told["options"] == said.out.strip()


def test_without_a_detector_the_command_says_how_to_get_one(shot, videomama, tmp_path):
    said = videomama("person", "--plate", shot, "--weights", tmp_path / "none")
    assert said.code == 1
    assert "install weights --with person" in said.err
