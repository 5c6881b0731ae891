"""Alphas that a farm refined are shown where they fit: on load, on Refine, by a button; without a server."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import comps
import numpy as np
import pytest

STANDIN = Path(comps.__file__).parent


@pytest.fixture
def refine_on_farm(comp, server):
    """Refine the saved script in a process of its own, which saves nothing, and forget the connection to the server."""

    def run(*words: str) -> None:
        comp.nuke.scriptSave()
        environment = {
            **os.environ,
            "NUKE_PATH": str(comps.PLUGIN),
            "PYTHONPATH": str(STANDIN),
            "HOME": str(comp.folder),
            "VIDEOMAMA_CONNECTION_FILE": str(server.connection_file),
        }
        command = [sys.executable, "-m", "nuke_standin", "-t", str(comps.PLUGIN / "videomama_batch.py")]
        said = subprocess.run(
            [*command, str(comp.script), *words], env=environment, capture_output=True, text=True, timeout=120
        )
        assert said.returncode == 0, said.stdout + said.stderr

    return run


@pytest.fixture
def no_server(comp, monkeypatch):
    monkeypatch.setenv("VIDEOMAMA_CONNECTION_FILE", str(comp.folder / "none" / "connection.json"))
    monkeypatch.setenv("VIDEOMAMA_COMMAND", "/nowhere/videomama")


def reopen(comp) -> None:
    comp.nuke.scriptOpen(str(comp.script))


def status(comp) -> str:
    from videomama_nuke import node_state

    node_state.refresh(comp.node())
    return comp.status()


def test_opening_the_script_shows_what_the_farm_refined(comp, refine_on_farm, no_server):
    refine_on_farm()
    reopen(comp)
    assert status(comp) == "refined 1001-1020"
    assert np.abs(comp.render(1004)[..., 3] - comps.pixels(1004)[1]).mean() < 0.05


def test_refine_takes_what_the_farm_refined_and_asks_no_server(comp, refine_on_farm, no_server):
    refine_on_farm()
    assert comp.refine() == "refined 1001-1020"


def test_the_button_takes_a_part_and_says_what_is_missing(comp, refine_on_farm, no_server):
    refine_on_farm("--frames=1001-1010")
    comp.press("take_from_disk")
    assert comp.status() == "1011-1020 not refined"


def test_where_there_is_nothing_the_button_says_so(comp, no_server):
    comp.press("take_from_disk")
    assert comp.status() == "there are no alphas on disk that fit VideoMaMa1. Press Refine."


def test_alphas_of_other_settings_or_of_another_mask_are_not_taken(comp, refine_on_farm, no_server):
    refine_on_farm()
    comp.node()["mask_grow"].setValue(3)
    comp.press("take_from_disk")
    assert comp.status().startswith("there are no alphas on disk that fit")
    comp.node()["mask_grow"].setValue(0)
    comps.write_exr(comp.folder / "mask.1005.exr", np.ones((comps.HEIGHT, comps.WIDTH), np.float32), ("A",))
    reopen(comp)
    assert status(comp) == "not refined"


def test_copies_on_a_farm_count_as_the_plates(comp, refine_on_farm, no_server, tmp_path):
    refine_on_farm()
    (path,) = (comp.folder / "videomama").glob("*/*/record.json")
    text = path.read_text()
    path.write_text(text.replace(f'"path": "{comp.folder}', '"path": "/farm'))
    for file in comp.folder.glob("*.exr"):
        os.utime(file, (1, 1))
    reopen(comp)
    assert status(comp) == "refined 1001-1020"


def test_a_doubt_is_left_to_the_button(comp, refine_on_farm, no_server):
    comp.nuke.createNode("Tracker4", "name Tracker1", inpanel=False)
    comp.node("Tracker1").setInput(0, comp.node("MaskRead"))
    comp.node().setInput(1, comp.node("Tracker1"))
    refine_on_farm()
    reopen(comp)
    assert status(comp) == "not refined"
    comp.press("take_from_disk")
    assert comp.status() == "refined 1001-1020; not checked: Tracker1"


def test_a_node_that_shows_all_of_its_frames_keeps_them(comp, refine_on_farm):
    comp.refine()
    shown = comp.node()["result_file"].value()
    refine_on_farm()
    reopen(comp)
    assert comp.node()["result_file"].value() == shown


def test_the_record_on_disk_is_as_open_as_any_other_new_file(comp):
    comp.refine()  # a farm's user, and other artists, look for it
    (path,) = (comp.folder / "videomama").glob("*/*/record.json")
    (comp.folder / "new").touch()
    assert path.stat().st_mode == (comp.folder / "new").stat().st_mode
    assert not list(path.parent.glob(".videomama-*"))


def test_a_script_with_a_broken_record_on_disk_opens(comp, refine_on_farm):
    refine_on_farm()
    (path,) = (comp.folder / "videomama").glob("*/*/record.json")
    path.write_text("{")
    reopen(comp)
    assert status(comp) == "not refined"


def test_without_a_window_what_was_saved_stays_though_older_alphas_fit_older_plates(comp, open_nuke):
    mask = comp.folder / "mask.1005.exr"
    older = mask.read_bytes()
    comp.refine()
    comps.write_exr(mask, np.ones((comps.HEIGHT, comps.WIDTH), np.float32), ("A",))
    comp.refine()
    comp.nuke.scriptSave()
    shown = comp.node()["result_file"].value()
    mask.write_bytes(older)
    terminal = open_nuke(gui=False)
    terminal.nuke.scriptOpen(str(terminal.script))
    assert terminal.node()["result_file"].value() == shown
    with pytest.raises(RuntimeError, match="stale, plate or mask changed"):
        terminal.render(1001)


def test_a_part_uses_what_the_farm_found_for_the_same_settings(comp, refine_on_farm):
    from videomama_client.engine_settings import OutlineSettings
    from videomama_client.mask_presets import is_open
    from videomama_nuke import order

    refine_on_farm()
    (path,) = (comp.folder / "videomama").glob("*/*/record.json")
    region = json.loads(path.read_text())["roi"]
    assert region
    found = json.loads(path.read_text())["outline"]
    part, whole = order.read(comp.node(), [1005]).settings, order.read(comp.node()).settings
    assert (part.roi, whole.roi) == (region, "auto")
    assert {name: part.option(name) for name in found} == found != {}
    assert not is_open(OutlineSettings.of(part))  # so no frame is exported for the sake of a look
    assert is_open(OutlineSettings.of(whole))
    comp.node()["trimap_dilate"].setValue(25)
    other = order.read(comp.node(), [1005]).settings
    assert is_open(OutlineSettings.of(other))  # of other settings nothing was found


def left_on_disk(comp, *frames: int) -> None:
    """Leave alphas of these frames on disk, by default of all, and a node that knows nothing of them."""
    from videomama_nuke import result

    comp.show_alphas(frames or None)
    result.forget(comp.node())


def best(comp, wanted=None):
    from videomama_nuke import adopt

    return adopt.best(comp.node(), wanted)


def test_most_frames_count_and_of_as_many_the_newest(offline_comp):
    comp = offline_comp
    assert best(comp) is None
    left_on_disk(comp, 1001, 1002)
    (first,) = (comp.folder / "videomama").glob("*/*/record.json")
    found = best(comp)
    assert (found.frames, found.absent, found.doubtful) == (2, 18, False)
    assert found.record.key == first.parent.name
    another = first.parent.parent / ("f" * 16)
    shutil.copytree(first.parent, another)
    for path, time in ((first, 2000), (another / "record.json", 1000)):
        os.utime(path, (time, time))
    assert best(comp).record.out.startswith(first.parent.as_posix())
    os.utime(another / "record.json", (3000, 3000))
    assert best(comp).record.out.startswith(another.as_posix())
    (another / "main" / "alpha.1002.exr").unlink()
    assert best(comp).record.out.startswith(first.parent.as_posix())
    assert best(comp, [1001]).record.out.startswith(another.as_posix())
    assert best(comp, [1001]).absent == 0


def test_what_fits_only_doubtfully_comes_last(offline_comp):
    comp = offline_comp
    left_on_disk(comp, 1001)
    (sure,) = (comp.folder / "videomama").glob("*/*/record.json")
    doubtful = sure.parent.parent / ("f" * 16)
    shutil.copytree(sure.parent, doubtful)
    record = json.loads(sure.read_text())
    (doubtful / "record.json").write_text(json.dumps({**record, "upstream": None}))
    (doubtful / "main" / "alpha.1002.exr").write_bytes(b"x")
    found = best(comp)
    assert (found.doubtful, found.frames) == (False, 1)
    sure.unlink()
    found = best(comp)
    assert (found.doubtful, found.frames, found.record.upstream) == (True, 2, None)
    assert found.record.out == (doubtful / "main" / "alpha.%04d.exr").as_posix()


def test_what_was_found_is_shown_with_the_files_of_this_machine(offline_comp):
    from videomama_nuke import adopt, record, walk

    comp = offline_comp
    left_on_disk(comp)
    found = best(comp)
    assert found.record.upstream == walk.read(comp.node())
    adopt.take(comp.node(), found)
    assert record.read(comp.node()) == found.record
    assert [comp.node()[name].value() for name in ("result_first", "result_last")] == [1001, 1020]


def opened_again(comp) -> str:
    comp.nuke.scriptSave()
    reopen(comp)
    return str(comp.node()["result_file"].value())


def test_on_load_nothing_is_taken_that_has_no_frame_of_the_range(offline_comp):
    left_on_disk(offline_comp, 1003)
    offline_comp.choose("1001-1002")
    assert opened_again(offline_comp) == ""
    offline_comp.choose("1001-1003")
    assert "alpha" in opened_again(offline_comp)


def test_on_load_a_stale_result_makes_room_for_one_that_fits(offline_comp):
    comp = offline_comp
    comp.show_alphas()
    fits = str(comp.node()["result_file"].value())
    comp.node()["exposure"].setValue(1)
    comp.show_alphas()
    comp.node()["exposure"].setValue(0)
    assert opened_again(comp) == fits


def test_on_load_a_result_that_has_as_many_frames_stays(offline_comp):
    comp = offline_comp
    comp.show_alphas()
    shown = Path(comp.node()["result_file"].value())
    other = shown.parents[2] / ("f" * 16)
    shutil.copytree(shown.parents[1], other)
    assert opened_again(comp) == str(shown)
    Path(str(shown) % 1005).unlink()
    assert opened_again(comp) == (other / "main" / "alpha.%04d.exr").as_posix()


def test_a_node_with_a_broken_range_does_not_keep_a_script_from_opening(offline_comp):
    left_on_disk(offline_comp)
    offline_comp.node()["frame_range"].setValue("custom")
    offline_comp.node()["frames"].setValue("no range")
    assert opened_again(offline_comp) == ""


def test_on_load_plates_are_looked_at_only_where_there_is_another_result(offline_comp, monkeypatch):
    from videomama_nuke import adopt

    comp, looked = offline_comp, []
    real = adopt.best
    monkeypatch.setattr(adopt, "best", lambda node: looked.append(node.name()) or real(node))
    comp.show_alphas()
    shown = Path(comp.node()["result_file"].value())
    assert opened_again(comp) == str(shown)
    assert looked == []
    other = shown.parents[2] / ("f" * 16)
    shown.parents[1].rename(other)
    assert opened_again(comp) == (other / "main" / "alpha.%04d.exr").as_posix()
    assert looked == ["VideoMaMa1"]


def test_without_a_window_a_saved_result_stays_and_a_node_without_one_takes_what_fits(offline_comp, start_nuke):
    comp = offline_comp
    comp.show_alphas()
    fits = str(comp.node()["result_file"].value())
    comp.node()["exposure"].setValue(1)
    comp.show_alphas()
    saved = str(comp.node()["result_file"].value())
    comp.node()["exposure"].setValue(0)
    comp.nuke.scriptSave()
    terminal = start_nuke(gui=False)
    reopen(terminal)
    assert terminal.node()["result_file"].value() == saved != fits
    terminal.node()["refined"].setValue(False)
    assert opened_again(terminal) == fits
