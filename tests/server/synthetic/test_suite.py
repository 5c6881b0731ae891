"""Clips on disk: what is written and what is read back."""

import json

import numpy as np
import pytest
from videomama_client.errors import BadInput, NotPermitted
from videomama_server.media import frames, sequences
from videomama_server.synthetic.degrade import parse
from videomama_server.synthetic.kinds import KINDS
from videomama_server.synthetic.render import ClipSpec, render_frame
from videomama_server.synthetic.suite import chosen, read_clip, write_clip, write_suite

SMALL = ClipSpec("motion_blur", "studio", 160, 90, 3)
MASKS = parse("down8+missing", seed=4)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("clips") / "deep" / SMALL.name, SMALL, MASKS)


def test_every_frame_has_four_pictures_that_hold_what_was_rendered(written):
    names = {path.name for path in written.folder.iterdir()}
    kinds = ("plate", "mask", "alpha", "foreground")
    assert names == {f"{kind}.{number}.exr" for kind in kinds for number in (1001, 1002, 1003)} | {"clip.json"}
    frame = render_frame(SMALL, 1002)
    plate = frames.read_plate(written.at("plate", 1002))
    assert plate.is_float
    np.testing.assert_allclose(plate.pixels, frame.plate, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(
        frames.read_plate(written.at("foreground", 1002)).pixels, frame.foreground, rtol=1e-3, atol=1e-4
    )
    np.testing.assert_array_equal(frames.read_mask(written.at("alpha", 1002)).pixels[..., 0], frame.alpha)
    mask = MASKS.of(3).mask(1, frame.alpha)
    np.testing.assert_array_equal(frames.read_mask(written.at("mask", 1002)).pixels[..., 0], mask)


def test_patterns_find_the_frames(written):
    assert list(sequences.find(sequences.parse(written.pattern("alpha")))) == [1001, 1002, 1003]


def test_a_clip_reads_back(written):
    assert read_clip(written.folder) == written
    facts = json.loads((written.folder / "clip.json").read_text())
    assert facts["title"] == "motion blur"
    assert facts["masks"]["name"] == "down8+missing"


@pytest.mark.parametrize("facts", [None, "{", "{}", '{"masks": {}}'])
def test_a_folder_without_a_finished_clip_is_refused(tmp_path, facts):
    if facts is not None:
        (tmp_path / "clip.json").write_text(facts)
    with pytest.raises(BadInput):
        read_clip(tmp_path)


def test_the_same_clip_has_the_same_pixels_and_replaces_an_earlier_one(written, tmp_path):
    (tmp_path / "clip.json").write_text("{}")
    again = write_clip(tmp_path, SMALL, MASKS)
    for what in ("plate", "mask", "alpha", "foreground"):
        one, other = (clip.at(what, 1003) for clip in (written, again))
        read = frames.read_mask if what in ("mask", "alpha") else frames.read_plate
        np.testing.assert_array_equal(read(one).pixels, read(other).pixels)
    assert read_clip(tmp_path).spec == SMALL


def test_a_suite_has_a_folder_per_clip_and_a_sheet(tmp_path):
    specs = [ClipSpec(kind, "city", 128, 72, 3) for kind in ("dark_grain", "lattice")]
    said = []
    written = write_suite(tmp_path, specs, parse("polygon"), said.append)
    assert [clip.folder.name for clip in written] == ["dark_grain_city", "lattice_city"]
    assert len(said) == 2
    assert written[0].masks.seed != written[1].masks.seed  # each draws its own factor and frames
    sheet = frames.read_plate(tmp_path / "contact_sheet.png").pixels
    assert sheet.shape[1] > 6 * 480
    assert sheet.std() > 0.1


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotPermitted):
        write_clip(tmp_path / "file" / "clip", SMALL, MASKS)


def test_chosen_takes_each_kind_over_its_own_or_over_those_named():
    assert len(chosen((), (), 2)) == 20
    assert chosen(("fur",), (), 1) == [("fur", KINDS["fur"].backgrounds[0])]
    assert chosen(("fur", "hair"), ("city", "sky"), 1) == [
        ("fur", "city"), ("fur", "sky"), ("hair", "city"), ("hair", "sky"),
    ]  # fmt: skip
