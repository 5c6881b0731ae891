"""From the button to the picture: a real server, real EXRs, the plug-in in the stand-in."""

import json
import os
import re
from pathlib import Path

import comps
import numpy as np


def test_refine_a_range_and_see_the_caches_alpha_in_the_comp(comp, server):
    comp.choose("1001-1012")
    assert comp.refine() == "refined 1001-1012"
    for frame in (1001, 1006, 1012):
        picture, (plate, mask) = comp.render(frame), comps.pixels(frame)
        published = comp.alpha(frame)
        assert np.array_equal(picture[..., 3], published[..., 0])
        assert np.abs(picture[..., 3] - mask).mean() < 0.05
        assert np.count_nonzero((published > 0.01) & (published < 0.99)) > 0
        assert picture[..., :3].shape == plate.shape
    assert (comp.folder / "videomama").is_dir()
    out = Path(comp.node()["result_file"].value() % 1006)
    assert out.stat().st_nlink == 1  # a file of its own, whatever becomes of the cache


def test_a_refine_leaves_how_its_alphas_were_made_beside_them(comp):
    comp.choose("1001-1004")
    comp.refine()
    said = json.loads((Path(comp.node()["result_file"].value()).parent / "job.json").read_text())
    assert (said["frames"], said["made"]["effective"]["frame_count"]) == ("1001-1004", 4)
    assert said["engine"] == said["made"]["stages"][0]["engine"] != "auto"
    assert said["made"]["digests"]["plate"]


def test_rgb_is_the_plates_to_the_bit(comp):
    comp.refine()
    picture = comp.render(1003)
    plate = comps.read_exr(comp.folder / "plate.1003.exr")
    assert np.array_equal(picture[..., :3], plate)


def test_a_second_refine_computes_nothing(comp, monkeypatch):
    from videomama_nuke import job

    ends = []
    monkeypatch.setattr(job.Refine, "_show_end", lambda self, node: ends.append((self.computed, self.cached)))
    comp.refine()
    comp.refine()
    assert ends == [(20, 0), (0, 20)]


def test_a_partial_refine_gives_the_same_pixels_as_the_whole(comp):
    comp.refine()
    whole = comp.alpha(1010)
    comp.agree()
    comp.press("clear")
    comp.node()["roi_mode"].setValue("auto")
    comp.nuke.root()["frame"].setValue(1010)
    region = [comp.node()["roi_box"].value(index) for index in range(4)]
    comp.node()["roi_mode"].setValue("box")
    assert region[2] > region[0]
    comp.press("refine_frame")
    comp.finish()
    assert np.array_equal(comp.alpha(1010), whole)


def test_after_a_whole_refine_one_frame_uses_the_region_that_was_found(comp):
    comp.refine()
    box = [comp.node()["roi_box"].value(index) for index in range(4)]
    whole = comp.alpha(1010)
    Path(comp.node()["result_file"].value() % 1010).unlink()
    comp.nuke.root()["frame"].setValue(1010)
    comp.press("refine_frame")
    comp.finish()
    assert [comp.node()["roi_box"].value(index) for index in range(4)] == box
    assert np.array_equal(comp.alpha(1010), whole)
    assert comp.status() == "refined 1001-1020"


def test_files_written_again_with_the_same_sizes_get_a_sequence_of_their_own(comp):
    comp.refine()
    first = comp.node()["result_file"].value()
    os.utime(comp.folder / "mask.1005.exr", ns=(1, 1))
    assert comp.refine() == "refined 1001-1020"
    assert comp.node()["result_file"].value() != first


def test_the_export_of_a_node_that_hangs_on_another_is_refused_until_that_one_is_refined(comp):
    second = comp.nuke.nodes.VideoMaMa(inputs=[comp.node(), comp.node("MaskRead")], name="VideoMaMa2")
    second["engine"].setValue("passthrough")
    status = comp.refine("VideoMaMa2")
    assert status.startswith("failed: ")
    assert "VideoMaMa1: not refined" in status
    comp.refine("VideoMaMa1")
    assert comp.refine("VideoMaMa2") == "refined 1001-1020"


def test_what_quality_control_flags_is_in_the_status(comp):
    """It stays while this result is shown, and is no part of the record, which older plug-ins must read."""
    comps.write_exr(comp.folder / "mask.1005.exr", np.zeros((comps.HEIGHT, comps.WIDTH), np.float32), ("A",))
    said = comp.refine()
    assert re.fullmatch(r"refined 1001-10\d\d; QC: mask missed on 1005", said)
    from videomama_nuke import node_state

    node_state.refresh(comp.node())
    assert comp.status() == said
    assert "flags" not in json.loads(comp.node()["record"].value())
    comp.choose("1001-1004")
    assert comp.refine() == "refined 1001-1004"
