"""Renders from the published alphas, in this process and in terminals of their own; on a farm under other paths."""

import os
from pathlib import Path

import comps
import numpy as np
import pytest


@pytest.fixture
def comp(offline_comp):
    return offline_comp


def test_frames_outside_the_range_are_an_error_not_black(comp):
    comp.choose("1001-1004")
    comp.show_alphas()
    with pytest.raises(RuntimeError, match=r"1 frame missing: 1010"):
        comp.render(1010)


def test_saved_reopened_and_rendered_without_a_server(comp, tmp_path):
    comp.show_alphas()
    wanted = comp.render(1004)
    comp.nuke.scriptSave()
    said = comps.in_terminal(
        tmp_path, "-x", "-X", "Write1", "-F", "1001-1012", comp.script, VIDEOMAMA_CONNECTION_FILE=str(tmp_path / "none")
    )
    assert said.returncode == 0, said.stderr + said.stdout
    assert np.array_equal(comps.read_exr(tmp_path / "out" / "comp.1004.exr"), wanted)
    assert len(list((tmp_path / "out").glob("comp.*.exr"))) == 12


def test_a_render_from_an_incomplete_cache_names_the_frame(comp, tmp_path):
    comp.show_alphas()
    comp.nuke.scriptSave()
    Path(comp.node()["result_file"].value() % 1007).unlink()
    said = comps.in_terminal(tmp_path, "-x", "-X", "Write1", "-F", "1001-1012", comp.script)
    assert said.returncode != 0
    assert "VideoMaMa1: 1 frame missing: 1007" in said.stderr + said.stdout
    assert not list((tmp_path / "out").glob("*.exr"))


def test_a_stale_node_does_not_render(comp, tmp_path):
    comp.show_alphas()
    comp.node()["mask_threshold"].setValue(0.7)
    comp.nuke.scriptSave()
    said = comps.in_terminal(tmp_path, "-x", "-X", "Write1", "-F", "1001-1012", comp.script)
    assert said.returncode != 0
    assert "stale, mask threshold changed" in said.stderr + said.stdout


def test_a_blur_above_the_mask_that_was_changed_after_the_refine_ends_a_render(comp, tmp_path):
    blur = comp.nuke.nodes.Blur(inputs=[comp.node("MaskRead")], name="Blur1", size=2)
    comp.node().setInput(1, blur)
    comp.show_alphas()
    blur["size"].setValue(9)
    comp.nuke.scriptSave()
    said = comps.in_terminal(tmp_path, "-x", "-X", "Write1", "-F", "1001-1002", comp.script)
    assert said.returncode != 0
    assert "VideoMaMa1: stale, plate or mask changed" in said.stderr + said.stdout
    assert not list((tmp_path / "out").glob("*.exr"))


def test_a_range_behind_the_script_is_honoured_as_f_is(comp, tmp_path):
    comp.choose("1003-1004")
    comp.show_alphas()
    comp.nuke.scriptSave()
    said = comps.in_terminal(tmp_path, "-x", comp.script, "1003-1004")
    assert said.returncode == 0, said.stderr + said.stdout
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["comp.1003.exr", "comp.1004.exr"]
    said = comps.in_terminal(tmp_path, "-x", comp.script, "1004-1006")
    assert said.returncode != 0
    assert "2 frames missing: 1005-1006" in said.stderr + said.stdout


MAPPING = """import nuke
nuke.pluginAddPath(r"{plugin}")
nuke.addFilenameFilter(lambda path: path.replace("{here}", "{farm}") if path.startswith("{here}") else None)
"""


def farm(folder: Path, to: Path) -> None:
    """Move a shot to where a farm sees it, with times of its own, and map paths as a farm's adaptor does."""
    folder.rename(to)
    for path in to.rglob("*.exr"):
        os.utime(path, (1, 1))
    start = to / ".nuke"
    start.mkdir()
    (start / "init.py").write_text(MAPPING.format(plugin=comps.PLUGIN, here=folder, farm=to))


def test_mapped_paths_are_found_by_the_guard_and_copies_are_no_change(open_nuke, tmp_path):
    shot, there = tmp_path / "shot", tmp_path / "farm"
    shot.mkdir()
    comps.write_clip(shot)
    comp = open_nuke()
    comp.folder = shot
    comp.open(comps.plain_script(shot))
    assert comp.refine() == "refined 1001-1020"
    comp.nuke.scriptSave()
    farm(shot, there)
    said = comps.in_terminal(there, "-x", "-F", "1001-1003", there / "comp.nk", NUKE_PATH="")
    assert said.returncode == 0, said.stderr + said.stdout
    assert "not checked" not in said.stderr
    assert len(list((there / "out").glob("*.exr"))) == 3
    Path(str(comp.node()["result_file"].value() % 1002).replace(str(shot), str(there))).unlink()
    said = comps.in_terminal(there, "-x", "-F", "1001-1003", there / "comp.nk", NUKE_PATH="")
    assert "VideoMaMa1: 1 frame missing: 1002" in said.stderr + said.stdout


def test_a_node_that_was_never_refined_does_not_render(comp):
    with pytest.raises(RuntimeError, match="VideoMaMa1: not refined"):
        comp.render(1001)


def test_bypassed_and_disabled_nodes_render(comp):
    comp.node()["bypass"].setValue(True)
    assert np.array_equal(comp.render(1001)[..., :3], comps.read_exr(comp.folder / "plate.1001.exr"))
    comp.node()["bypass"].setValue(False)
    comp.node()["disable"].setValue(True)
    assert np.array_equal(comp.render(1002)[..., :3], comps.read_exr(comp.folder / "plate.1002.exr"))
