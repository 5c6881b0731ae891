"""From the button to the render: a real server, real EXRs, the plug-in in the stand-in."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import comps
import numpy as np
import pytest
from comps import FIRST
from videomama_client.messages import MattePlanned

STANDIN = Path(comps.__file__).parent


def in_terminal(folder: Path, *words: object, **more: str) -> subprocess.CompletedProcess:
    """Run the stand-in's terminal modes as a process of its own, with the plug-in on NUKE_PATH."""
    environment = {
        **os.environ,
        "NUKE_PATH": str(comps.PLUGIN),
        "PYTHONPATH": str(STANDIN),
        "HOME": str(folder),
        **more,
    }
    command = [sys.executable, "-m", "nuke_standin", *map(str, words)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


def set_range(comp, text: str) -> None:
    comp.node()["frame_range"].setValue("custom")
    comp.node()["frames"].setValue(text)


def test_refine_a_range_and_see_the_caches_alpha_in_the_comp(comp, server):
    set_range(comp, "1001-1012")
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


def test_rgb_is_the_plates_to_the_bit(comp):
    comp.refine()
    picture = comp.render(1003)
    plate = comps.read_exr(comp.folder / "plate.1003.exr")
    assert np.array_equal(picture[..., :3], plate)


def test_frames_outside_the_range_are_an_error_not_black(comp):
    set_range(comp, "1001-1004")
    comp.refine()
    with pytest.raises(RuntimeError, match=r"1 frame missing: 1010"):
        comp.render(1010)


def test_nuke_goes_on_while_the_server_computes(comp):
    begun = time.monotonic()
    comp.press("refine")
    pressed = time.monotonic() - begun
    comp.finish()
    assert comp.status() == "refined 1001-1020"
    assert pressed < 1


def test_cancel_in_mid_job_keeps_what_is_done(long_comp):
    long_comp.press("refine")
    long_comp.pump(lambda: "refining" in long_comp.status(), "frames arrive")
    long_comp.press("cancel")
    long_comp.finish()
    assert long_comp.status().startswith("cancelled; ")
    assert "not refined" in long_comp.status()


def test_cancel_before_anything_was_done(comp):
    comp.press("refine")
    comp.press("cancel")
    comp.finish()
    assert comp.status().startswith("cancelled")


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


@pytest.mark.parametrize(
    ("knob", "value", "said"),
    [("mask_threshold", 0.7, "mask threshold"), ("quality", "high", "quality"), ("seed", 7, "seed")],
)
def test_a_changed_setting_makes_the_result_stale_and_back_makes_it_fresh(comp, knob, value, said):
    comp.refine()
    target = comp.node()[knob]
    before = target.value()
    comp.node().showControlPanel()
    target.setValue(value)
    assert comp.status() == f"stale: {said} changed"
    assert comp.node()["state"].value() == comp.status()
    target.setValue(before)
    assert comp.status() == "refined 1001-1020"


def test_a_longer_range_says_which_frames_are_not_refined(comp):
    set_range(comp, "1001-1004")
    comp.refine()
    comp.node().showControlPanel()
    set_range(comp, "1001-1006")
    assert comp.status() == "1005-1006 not refined"


def test_a_new_mask_makes_the_result_stale(comp):
    comp.refine()
    comps.write_exr(comp.folder / "mask.1005.exr", np.ones((comps.HEIGHT, comps.WIDTH), np.float32), ("A",))
    from videomama_nuke import node_state

    node_state.refresh(comp.node())
    assert comp.status() == "stale: plate or mask changed"


def test_files_written_again_with_the_same_sizes_get_a_sequence_of_their_own(comp):
    comp.refine()
    first = comp.node()["result_file"].value()
    os.utime(comp.folder / "mask.1005.exr", ns=(1, 1))
    assert comp.refine() == "refined 1001-1020"
    assert comp.node()["result_file"].value() != first


def test_what_quality_control_flags_is_in_the_status(comp):
    """It stays while this result is shown, and is no part of the record, which older plug-ins must read."""
    comps.write_exr(comp.folder / "mask.1005.exr", np.zeros((comps.HEIGHT, comps.WIDTH), np.float32), ("A",))
    said = comp.refine()
    assert re.fullmatch(r"refined 1001-10\d\d; QC: mask missed on 1005", said)
    from videomama_nuke import node_state

    node_state.refresh(comp.node())
    assert comp.status() == said
    assert "flags" not in json.loads(comp.node()["record"].value())
    set_range(comp, "1001-1004")
    assert comp.refine() == "refined 1001-1004"


def test_of_many_kinds_the_first_are_named(comp):
    comp.refine()
    from videomama_client.messages import QcFlag
    from videomama_nuke import node_state, record

    node, kinds = comp.node(), ("hole", "spill", "flicker", "seam")
    last = record.read(node)
    flags = [QcFlag(kind, [1003, 1004], 1003, "") for kind in kinds]
    node_state.keep_flags(str(node["node_id"].value()), last.key, flags)
    assert node_state.flagged(node) == "hole on 1003-1004, spill on 1003-1004, 2 more"


def test_the_label_in_the_node_graph_says_how_the_node_is(comp):
    from nuke_standin import callbacks

    assert callbacks.label(comp.node()) == "VideoMaMa1\nnot refined"
    comp.refine()
    assert callbacks.label(comp.node()) == "VideoMaMa1\nrefined 1001-1020"


def test_an_idle_nuke_notices_that_something_upstream_has_changed(comp):
    from nuke_standin import callbacks

    comp.refine()
    comp.node("MaskRead")["before"].setValue("black")
    callbacks.idle()
    comp.pump(lambda: comp.status() == "stale: plate or mask changed", "an idle look has seen it")


def test_an_idle_look_asks_the_disk_nothing_on_the_main_thread(comp, monkeypatch):
    from nuke_standin import callbacks
    from videomama_nuke import files

    comp.refine()
    threads = []
    real = files._stats
    monkeypatch.setattr(files, "_stats", lambda path: threads.append(threading.current_thread()) or real(path))
    comp.node("MaskRead")["before"].setValue("black")
    callbacks.idle()
    comp.pump(lambda: comp.status() == "stale: plate or mask changed", "an idle look has seen it")
    assert threads
    assert threading.main_thread() not in threads


def test_a_changed_setting_asks_the_disk_nothing_once_it_was_looked_at(comp, monkeypatch):
    from videomama_nuke import files, result

    comp.refine()
    comp.node().showControlPanel()
    comp.let_look()
    comp.node()["seed"].setValue(1)
    for module, name in ((files, "_stats"), (result, "_numbers")):
        monkeypatch.setattr(module, name, lambda path: pytest.fail(f"{path} was looked at"))
    comp.node()["seed"].setValue(7)
    assert comp.status() == "stale: seed changed"
    comp.node()["seed"].setValue(42)
    assert comp.status() == "refined 1001-1020"


def test_a_refine_marks_the_script_as_modified_and_a_second_one_does_not(comp):
    comp.nuke.root().setModified(False)
    comp.refine()
    assert comp.nuke.root().modified()
    comp.nuke.root().setModified(False)
    comp.refine()
    assert not comp.nuke.root().modified()


def test_bake_gives_the_same_picture_without_the_plugin(comp):
    comp.refine()
    with_plugin = comp.render(1008)
    comp.press("bake")
    comp.nuke.delete(comp.node())
    assert np.array_equal(comp.render(1008), with_plugin)
    classes = {found.Class() for found in comp.nuke.allNodes()}
    assert classes == {"Read", "Copy", "Write"}


def test_saved_reopened_and_rendered_without_a_server(comp, tmp_path):
    comp.refine()
    wanted = comp.render(1004)
    comp.nuke.scriptSave()
    said = in_terminal(
        tmp_path, "-x", "-X", "Write1", "-F", "1001-1012", comp.script, VIDEOMAMA_CONNECTION_FILE=str(tmp_path / "none")
    )
    assert said.returncode == 0, said.stderr + said.stdout
    assert np.array_equal(comps.read_exr(tmp_path / "out" / "comp.1004.exr"), wanted)
    assert len(list((tmp_path / "out").glob("comp.*.exr"))) == 12


def test_a_render_from_an_incomplete_cache_names_the_frame(comp, tmp_path):
    comp.refine()
    comp.nuke.scriptSave()
    Path(comp.node()["result_file"].value() % 1007).unlink()
    said = in_terminal(tmp_path, "-x", "-X", "Write1", "-F", "1001-1012", comp.script)
    assert said.returncode != 0
    assert "VideoMaMa1: 1 frame missing: 1007" in said.stderr + said.stdout
    assert not list((tmp_path / "out").glob("*.exr"))


def test_a_stale_node_does_not_render(comp, tmp_path):
    comp.refine()
    comp.node()["mask_threshold"].setValue(0.7)
    comp.nuke.scriptSave()
    said = in_terminal(tmp_path, "-x", "-X", "Write1", "-F", "1001-1012", comp.script)
    assert said.returncode != 0
    assert "stale, mask threshold changed" in said.stderr + said.stdout


def test_a_blur_above_the_mask_that_was_changed_after_the_refine_ends_a_render(comp, tmp_path):
    blur = comp.nuke.nodes.Blur(inputs=[comp.node("MaskRead")], name="Blur1", size=2)
    comp.node().setInput(1, blur)
    comp.refine()
    blur["size"].setValue(9)
    comp.nuke.scriptSave()
    said = in_terminal(tmp_path, "-x", "-X", "Write1", "-F", "1001-1002", comp.script)
    assert said.returncode != 0
    assert "VideoMaMa1: stale, plate or mask changed" in said.stderr + said.stdout
    assert not list((tmp_path / "out").glob("*.exr"))


def test_a_range_behind_the_script_is_honoured_as_f_is(comp, tmp_path):
    set_range(comp, "1003-1004")
    comp.refine()
    comp.nuke.scriptSave()
    said = in_terminal(tmp_path, "-x", comp.script, "1003-1004")
    assert said.returncode == 0, said.stderr + said.stdout
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["comp.1003.exr", "comp.1004.exr"]
    said = in_terminal(tmp_path, "-x", comp.script, "1004-1006")
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
    said = in_terminal(there, "-x", "-F", "1001-1003", there / "comp.nk", NUKE_PATH="")
    assert said.returncode == 0, said.stderr + said.stdout
    assert "not checked" not in said.stderr
    assert len(list((there / "out").glob("*.exr"))) == 3
    Path(str(comp.node()["result_file"].value() % 1002).replace(str(shot), str(there))).unlink()
    said = in_terminal(there, "-x", "-F", "1001-1003", there / "comp.nk", NUKE_PATH="")
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


def test_the_script_and_the_undo_stack_do_not_notice_the_export(comp):
    from nuke_standin import session

    comp.refine()
    depth = session.current().undo_depth()
    comp.nuke.root().setModified(False)
    from videomama_nuke import export, order

    asked = order.read(comp.node(), [1001])
    for path in asked.export.rglob("*.exr"):
        path.unlink()
    assert export.export(comp.node(), asked, "main", [1001]) == 1
    assert session.current().undo_depth() == depth
    assert not comp.nuke.root().modified()


def test_deleting_the_node_in_mid_job_is_safe(long_comp):
    long_comp.press("refine")
    long_comp.pump(lambda: "refining" in long_comp.status(), "frames arrive")
    long_comp.nuke.delete(long_comp.node())
    from videomama_nuke import buttons

    long_comp.pump(lambda: not buttons.running_jobs(), "the job has noticed")


def test_renaming_the_node_in_mid_job_is_safe(long_comp):
    long_comp.press("refine")
    long_comp.pump(lambda: "refining" in long_comp.status(), "frames arrive")
    long_comp.node().setName("Hero")
    from videomama_nuke import buttons

    long_comp.pump(lambda: not buttons.running_jobs(), "the refine is over")
    assert long_comp.status("Hero") == "refined 1001-1048"


def test_closing_the_script_in_mid_job_is_safe(long_comp):
    long_comp.press("refine")
    long_comp.pump(lambda: "refining" in long_comp.status(), "frames arrive")
    long_comp.nuke.scriptClear()
    from videomama_nuke import buttons

    until = time.monotonic() + 20
    from nuke_standin import threads

    while buttons.running_jobs() and time.monotonic() < until:
        threads.pump(0.01)
    assert not buttons.running_jobs()


def test_without_a_plate_the_status_says_what_to_do(comp):
    comp.node().setInput(0, None)
    comp.press("refine")
    assert comp.status() == "VideoMaMa1 has no plate. Connect the shot to the input 'plate'."


def test_a_mask_channel_that_is_not_there_is_named(comp):
    comp.node()["mask_channel"].setValue("rgba.red")
    comp.press("refine")
    assert re.match(r"MaskRead has no channel rgba\.red, .* Choose one of: rgba\.alpha", comp.status())


def test_a_server_that_fails_is_seen_in_the_status(comp):
    comp.node()["engine"].setValue("videomama")
    comp.node()["weights"].setValue(str(comp.folder / "no weights here"))
    assert comp.refine().startswith("failed: ")
    assert "no weights here" in comp.status()


def test_a_pasted_node_gets_an_id_of_its_own_and_keeps_its_result(comp):
    comp.refine()
    comp.node().setSelected(True)
    comp.nuke.nodeCopy(str(comp.folder / "clip.nk"))
    comp.nuke.nodePaste(str(comp.folder / "clip.nk"))
    pasted = comp.node("VideoMaMa2")
    assert pasted["node_id"].value() != comp.node()["node_id"].value()
    assert pasted["result_file"].value() == comp.node()["result_file"].value()


def test_clear_removes_the_nodes_files_and_the_node_says_so(comp):
    comp.refine()
    comp.agree()
    comp.press("clear")
    assert comp.status().startswith("not refined; ")
    assert not [path for path in (comp.folder / "videomama").rglob("*") if path.is_file()]


def test_the_record_is_plain_json(comp):
    comp.refine()
    kept = json.loads(comp.node()["record"].value())
    assert kept["engine"] == "classic"
    assert kept["clip"] == f"{FIRST}-{FIRST + comps.COUNT - 1}"


def test_what_may_keep_a_refine_from_ending_well_is_said_at_its_start(comp):
    from videomama_nuke import order
    from videomama_nuke.job import Refine

    said = []
    refine = Refine(comp.node(), order.read(comp.node(), None), tell=said.append)
    refine._note(MattePlanned("j", "classic", [0, 0, 8, 8], 1, "/o.####.exr", "", ["the disk is nearly full"]))
    assert said == ["warning: the disk is nearly full"]
    assert comp.status() == said[0]


def test_asking_the_server_names_what_was_set_here_otherwise(comp, server, monkeypatch):
    monkeypatch.setenv("VIDEOMAMA_CACHE_DIR", "/mine")
    comp.press("server_ask")
    comp.pump(lambda: "version" in comp.node()["server_state"].value(), "the server has answered")
    said = comp.node()["server_state"].value()
    assert f"cache_dir: the running server uses {server.cache_dir}, but $VIDEOMAMA_CACHE_DIR sets /mine" in said
    assert "videomama stop" in said


def render_while_refining(comp, monkeypatch, refuse: bool) -> list[str]:
    """Render while a refine wants to export, and return what the status said meanwhile."""
    from nuke_standin import threads

    said: list[str] = []
    nuke = comp.nuke
    write = nuke.nodes.Write(inputs=[comp.node("PlateRead")], name="Write2", channels="rgb")
    write["file"].setValue(str(comp.folder / "plain.%04d.exr"))
    if refuse:
        monkeypatch.setattr(nuke, "executing", lambda: False)  # the render begins in the moment after the question

    def serve() -> None:
        until = time.monotonic() + 20
        while comp.status() != "waiting for Nuke to finish its render" and time.monotonic() < until:
            threads.pump(0.01)
        said.append(comp.status())

    nuke.addBeforeRender(serve)
    try:
        comp.press("refine")
        nuke.execute(write, 1001, 1001)
    finally:
        nuke.removeBeforeRender(serve)
    return said


@pytest.mark.parametrize("refuse", [False, True])
def test_a_refine_waits_for_a_render_that_runs_and_says_so(comp, monkeypatch, refuse):
    assert render_while_refining(comp, monkeypatch, refuse) == ["waiting for Nuke to finish its render"]
    comp.finish()
    assert comp.status() == "refined 1001-1020"


def test_waiting_for_a_render_ends_with_cancel(comp, monkeypatch):
    from videomama_nuke import job

    monkeypatch.setattr(comp.nuke, "executing", lambda: True)
    comp.press("refine")
    comp.pump(lambda: comp.status() == "waiting for Nuke to finish its render", "it waits")
    comp.press("cancel")
    comp.finish()
    assert comp.status().startswith("cancelled")
    monkeypatch.setattr(job, "_BUSY_S", 0.0)
    assert comp.refine().startswith("failed: Nuke has rendered something else for 0 s")
