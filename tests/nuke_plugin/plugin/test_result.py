"""The alphas that a node shows: read again when they are new, and forgotten as a whole."""

from pathlib import Path

import comps
import numpy as np
import pytest


@pytest.fixture
def comp(offline_comp):
    return offline_comp


def overwrite(comp, frame: int, value: float) -> None:
    """Write another alpha under a path that the node shows already."""
    flat = np.full((comps.HEIGHT, comps.WIDTH), value, np.float32)
    comps.write_exr(Path(comp.node()["result_file"].value() % frame), flat, ("A",))


def test_a_refine_marks_the_script_as_modified_and_a_second_one_does_not(comp):
    comp.nuke.root().setModified(False)
    comp.show_alphas()
    assert comp.nuke.root().modified()
    comp.nuke.root().setModified(False)
    comp.show_alphas()
    assert not comp.nuke.root().modified()


def test_an_alpha_that_is_new_under_its_path_is_read_again(comp):
    """Nuke goes on showing what it read before, until the Read is told: a second refine of a frame tells it."""
    from videomama_nuke import record, result

    comp.show_alphas()
    comp.render(1003)
    overwrite(comp, 1003, 0.25)
    assert comp.render(1003)[..., 3].max() > 0.9
    result.show(comp.node(), record.read(comp.node()), (1001, 1020))
    assert np.allclose(comp.render(1003)[..., 3], 0.25)


def test_the_button_reads_the_alphas_again(comp):
    comp.show_alphas()
    comp.render(1003)
    overwrite(comp, 1003, 0.5)
    comp.press("reload")
    assert np.allclose(comp.render(1003)[..., 3], 0.5)
    assert comp.status() == "refined 1001-1020"


def test_showing_points_the_read_at_the_whole_clip(comp):
    comp.show_alphas()
    inner = comp.node().node("vm_result")
    assert [inner[name].value() for name in ("first", "last", "origfirst", "origlast")] == [1001, 1020, 1001, 1020]
    assert inner["file"].value() == comp.node()["result_file"].value()
    assert comp.node()["refined"].value()


def test_what_is_shown_is_not_on_the_undo_stack(comp):
    from nuke_standin import session

    depth = session.current().undo_depth()
    comp.show_alphas()
    assert session.current().undo_depth() == depth


@pytest.mark.parametrize(("mode", "box"), [("auto", [10, 20, 40, 40]), ("off", [0, 0, 0, 0])])
def test_the_region_that_was_found_is_shown_in_auto_alone(comp, mode, box):
    from dataclasses import replace

    from videomama_nuke import record, result

    comp.show_alphas()
    comp.node()["roi_mode"].setValue(mode)
    found = replace(record.read(comp.node()), roi="10,8,30,20")
    result.show(comp.node(), found, (1001, 1020))
    assert [comp.node()["roi_box"].value(index) for index in range(4)] == box


def test_forgetting_leaves_nothing_of_the_result_and_no_step_to_undo(comp):
    from nuke_standin import session
    from videomama_nuke import record, result

    comp.show_alphas()
    depth = session.current().undo_depth()
    result.forget(comp.node())
    assert record.read(comp.node()) is None
    assert not comp.node()["record"].value()
    assert not comp.node()["refined"].value()
    assert not comp.node()["result_file"].value()
    assert session.current().undo_depth() == depth
    with pytest.raises(RuntimeError, match="VideoMaMa1: not refined"):
        comp.render(1001)


def test_which_frames_are_on_disk(comp, tmp_path):
    from videomama_nuke import result

    comp.show_alphas([1001, 1002, 1005])
    pattern = result.pattern_of(comp.node())
    folder = Path(pattern).parent
    for name in ("alpha.exr", "alpha.10x3.exr", "alpha.1003.exr.tmp", "beta.1003.exr"):
        (folder / name).touch()
    (folder / "alpha.-005.exr").touch()
    assert result.there(result.places(pattern)) == {-5, 1001, 1002, 1005}
    assert result.missing(pattern, [1006, 1001, 1003, 1003]) == [1003, 1006]
    assert result.missing(str(tmp_path / "nowhere" / "alpha.%04d.exr"), [1]) == [1]
    assert result.missing(str(folder / "alpha.1001.exr"), [1001]) == [1001]  # no place for a number
    assert result.there([]) == frozenset()


def test_of_several_views_every_one_must_be_there(comp, tmp_path):
    from videomama_nuke import result

    for view, frames in (("left", (1, 2)), ("right", (2, 3))):
        (tmp_path / view).mkdir()
        for frame in frames:
            (tmp_path / view / f"alpha.{frame:04d}.exr").touch()
    places = [tmp_path / view / "alpha.%04d.exr" for view in ("left", "right")]
    assert result.there(places) == {2}
