"""The export of plate and mask through the node's own Write."""

import os
import time
from pathlib import Path

import comps
import numpy as np
import pytest
from videomama_client.errors import BadInput, Cancelled, NotPermitted


@pytest.fixture
def comp(offline_comp):
    return offline_comp


def export(comp, frames, found=None) -> int:
    from videomama_nuke import export, order

    return export.export(comp.node(), found or order.read(comp.node()), "main", frames)


@pytest.fixture
def asked(comp):
    from videomama_nuke import order

    return order.read(comp.node())


def files(asked) -> list[str]:
    return sorted(path.name for path in asked.export.rglob("*.exr"))


def test_plate_and_mask_are_in_one_file_to_the_bit(comp, asked):
    assert export(comp, [1003]) == 1
    picture = comps.read_exr(Path(asked.source % 1003))
    assert np.array_equal(picture[..., :3], comps.read_exr(comp.folder / "plate.1003.exr"))
    assert np.array_equal(picture[..., 3], comps.pixels(1003)[1])


def test_only_frames_that_are_not_there_are_exported(comp, asked):
    assert export(comp, [1001, 1002]) == 2
    before = (asked.export / "main" / "source.1001.exr").stat().st_mtime_ns
    assert export(comp, [1001, 1002, 1004]) == 1
    assert export(comp, [1001, 1002, 1004]) == 0
    assert files(asked) == ["source.1001.exr", "source.1002.exr", "source.1004.exr"]
    assert (asked.export / "main" / "source.1001.exr").stat().st_mtime_ns == before


def test_what_is_kept_for_once_is_exported_again(comp):
    comp.nuke.createNode("Tracker4", "name Tracker1", inpanel=False)
    comp.node("Tracker1").setInput(0, comp.node("MaskRead"))
    comp.node().setInput(1, comp.node("Tracker1"))
    assert export(comp, [1001, 1002]) == 2
    assert export(comp, [1002]) == 1
    assert [path.name for path in comp.folder.rglob("source.*.exr")] == ["source.1002.exr"]


def test_a_write_that_wrote_nothing_is_an_error_that_names_the_frames(comp, asked, monkeypatch):
    from videomama_nuke import export as exports

    real = exports._execute
    monkeypatch.setattr(exports, "_execute", lambda write, wanted, view: real(write, wanted[:2], view))
    with pytest.raises(BadInput, match=r"Nuke wrote no file for frames 1003-1004 of .*source\.%04d\.exr") as caught:
        export(comp, [1001, 1002, 1003, 1004])
    assert caught.value.hint.startswith("See Nuke's error console")


def test_what_nuke_cannot_render_is_an_error_with_its_reason(comp, asked):
    (comp.folder / "mask.1002.exr").write_bytes(b"no picture")
    with pytest.raises(BadInput, match=r"Nuke cannot render plate and mask: .*mask\.1002\.exr"):
        export(comp, [1001, 1002])


def test_cancel_in_nuke_is_a_cancel(comp, asked):
    from nuke_standin import render

    render.cancel_after(1)
    with pytest.raises(Cancelled):
        export(comp, [1001, 1002, 1003])
    render.cancel_after(None)


def test_while_nuke_renders_it_is_busy(comp, asked):
    from nuke_standin import session
    from videomama_nuke import export as exports

    with session.current().occupied(), pytest.raises(exports.Busy):
        export(comp, [1001], asked)


def test_a_folder_that_cannot_be_made_is_named(comp, tmp_path):
    from videomama_nuke import order

    (tmp_path / "file").touch()
    comp.node()["cache_folder"].setValue(str(tmp_path / "file"))
    with pytest.raises(NotPermitted, match=r"cannot make .*/file/.*/main"):
        export(comp, [1001], order.read(comp.node()))


def test_the_script_and_the_undo_stack_do_not_notice_the_export(comp):
    from nuke_standin import session

    comp.show_alphas()
    depth = session.current().undo_depth()
    comp.nuke.root().setModified(False)
    assert export(comp, [1001]) == 1
    assert session.current().undo_depth() == depth
    assert not comp.nuke.root().modified()


@pytest.mark.parametrize("fails", [False, True])
def test_the_write_and_the_proxy_are_as_they_were(comp, asked, fails):
    write = comp.node().node("vm_export")
    comp.nuke.root()["proxy_type"].setValue("scale")
    comp.nuke.root()["proxy_scale"].setValue(0.5)
    comp.nuke.root().setProxy(True)
    if fails:
        (comp.folder / "mask.1002.exr").write_bytes(b"no picture")
        with pytest.raises(BadInput):
            export(comp, [1002], asked)
    else:
        export(comp, [1001], asked)
        assert comps.read_exr(Path(asked.source % 1001)).shape[:2] == (comps.HEIGHT, comps.WIDTH)
    assert comp.nuke.root().proxy()
    assert (write["disable"].value(), write["file"].value(), write["proxy"].value()) == (True, "", "")


def beside(asked, *names: str) -> list[Path]:
    """Make folders of other exports."""
    found = [asked.export.parent / name for name in names]
    for folder in found:
        (folder / "main").mkdir(parents=True)
    return found


def test_exports_of_other_plates_go_and_this_one_stays_where_it_may_serve_again(comp, asked):
    from videomama_nuke import export as exports

    export(comp, [1001], asked)
    old, running, abandoned = beside(asked, "0123456789abcdef", "task-1", "task-2")
    for folder, hours in ((running, 23.9), (abandoned, 24.1)):
        os.utime(folder, (time.time() - hours * 3600,) * 2)
    exports.remove(asked)
    assert [folder.is_dir() for folder in (asked.export, old, running, abandoned)] == [True, False, True, False]


def test_an_export_for_once_goes(comp):
    from videomama_nuke import export as exports
    from videomama_nuke import order

    comp.nuke.createNode("Tracker4", "name Tracker1", inpanel=False)
    comp.node("Tracker1").setInput(0, comp.node("MaskRead"))
    comp.node().setInput(1, comp.node("Tracker1"))
    found = order.read(comp.node())
    export(comp, [1001], found)
    exports.remove_own(found)
    assert found.export.is_dir()
    exports.remove(found)
    assert not found.export.exists()
    exports.remove(found)


def test_a_task_removes_its_own_export(comp, start_nuke):
    text = comps.plain_script(comp.folder)
    terminal = start_nuke(gui=False)
    terminal.open(text)
    from videomama_nuke import export as exports
    from videomama_nuke import order

    found = order.read(terminal.node())
    assert export(terminal, [1001], found) == 1
    (other,) = beside(found, "task-other")
    exports.remove_own(found)
    assert not found.export.exists()
    assert other.is_dir()


def test_what_cannot_be_removed_keeps_nothing_from_going_on(comp, asked, monkeypatch, start_nuke):
    """Another task, or a scanner, may hold a file for a moment."""
    from videomama_nuke import export as exports
    from videomama_nuke import order

    export(comp, [1001], asked)
    (old,) = beside(asked, "0123456789abcdef")
    real = os.rmdir

    def held(*given, **more):
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr(os, "rmdir", held)
    exports.remove(asked)
    assert old.is_dir()
    terminal = start_nuke(gui=False)
    terminal.open(comps.plain_script(comp.folder))
    from videomama_nuke import export as own_exports

    task = order.read(terminal.node())
    assert export(terminal, [1001], task) == 1
    own_exports.remove_own(task)
    assert task.export.is_dir()
    monkeypatch.setattr(os, "rmdir", real)


def test_a_folder_whose_owner_has_just_removed_it_is_not_abandoned(comp, tmp_path):
    from videomama_nuke import export as exports

    assert not exports._abandoned(tmp_path / "gone")


def test_another_export_of_the_same_plates_goes_into_the_same_folder(comp, asked):
    comp.node()["cache_folder"].setValue(str(comp.folder / "a" / "b"))
    from videomama_nuke import order

    deeper = order.read(comp.node())
    assert [export(comp, [1001], deeper), export(comp, [1001, 1002], deeper)] == [1, 1]
    assert files(deeper) == ["source.1001.exr", "source.1002.exr"]
