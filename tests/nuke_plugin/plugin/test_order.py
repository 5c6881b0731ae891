"""What a refine is to do, as the knobs say it."""

import os
from dataclasses import replace

import comps
import numpy as np
import pytest
from videomama_client.engine_options import EngineOption
from videomama_client.errors import BadInput
from videomama_client.stages import Stage


@pytest.fixture
def comp(offline_comp):
    return offline_comp


def project(comp, first: int, last: int) -> None:
    """Refine the project's range, which is this."""
    comp.node()["frame_range"].setValue("global")
    comp.nuke.root()["first_frame"].setValue(first)
    comp.nuke.root()["last_frame"].setValue(last)


def asked(comp, wanted=None):
    from videomama_nuke import order

    return order.read(comp.node(), wanted)


def test_without_a_plate_the_status_says_what_to_do(comp):
    comp.node().setInput(0, None)
    comp.press("refine")
    assert comp.status() == "VideoMaMa1 has no plate. Connect the shot to the input 'plate'."


def test_a_mask_channel_that_is_not_there_is_named(comp):
    comp.node()["mask_channel"].setValue("rgba.red")
    comp.press("refine")
    wrong = "MaskRead has no channel rgba.red, which is the mask channel of VideoMaMa1. Choose one of: rgba.alpha"
    assert comp.status().startswith(wrong)


def test_without_a_mask_the_channel_is_one_of_the_plate(comp):
    comp.node().setInput(1, None)
    comp.node()["mask_channel"].setValue("rgba.red")
    assert asked(comp).record.mask_channel == "rgba.red"


@pytest.mark.parametrize(
    ("span", "wanted"),
    [
        ((990, 1100), (1001, 1020)),
        ((1005, 1006), (1005, 1006)),
        ((900, 1001), (1001, 1001)),
        ((1020, 2000), (1020, 1020)),
    ],
)
def test_of_the_projects_range_the_frames_of_the_plate_are_wanted(comp, span, wanted):
    project(comp, *span)
    assert asked(comp).wanted == tuple(range(wanted[0], wanted[1] + 1))


@pytest.mark.parametrize("span", [(1, 1000), (1021, 1100)])
def test_a_projects_range_without_a_frame_of_the_plate_is_refused(comp, span):
    project(comp, *span)
    comp.press("refine")
    assert comp.status() == (
        f"the project's range {span[0]}-{span[1]} holds no frame of the plate (1001-1020). "
        "Set the frame range to input, or the project's range to the plate's."
    )


@pytest.mark.parametrize(
    ("wanted", "said"), [("1000-1002", "frames 1000 are"), ("1019-1021", "frames 1021 are"), ("5,1003", "frames 5 are")]
)
def test_frames_outside_the_plate_are_named(comp, wanted, said):
    comp.choose(wanted)
    with pytest.raises(BadInput, match=rf"{said} wanted, the plate has 1001-1020"):
        asked(comp)


def test_the_ends_of_the_plate_are_inside(comp):
    comp.choose("1001,1020")
    assert asked(comp).wanted == (1001, 1020)
    assert asked(comp, [1020, 1001, 1001]).wanted == (1001, 1020)


def test_an_adjusted_refine_has_a_folder_of_its_own_and_names_that_of_its_first_stage(comp):
    plain = asked(comp)
    comp.node()["adjust_grow"].setValue(2)
    adjusted = asked(comp)
    assert (plain.then, plain.record.then, plain.record.first_key) == ((), [], "")
    assert adjusted.then == (Stage("adjust", (EngineOption("grow", 2.0),)),)
    assert adjusted.record.first_key == plain.record.key != adjusted.record.key
    assert adjusted.record.key in adjusted.out
    assert adjusted.settings == plain.settings


@pytest.mark.parametrize("then", [0, 2, 3])
def test_a_part_takes_what_was_found_with_other_stages_after_the_same_first_one(comp, then):
    comp.node()["adjust_grow"].setValue(2)
    comp.show_alphas()
    _find(comp, roi="1,2,3,4")
    comp.node()["adjust_grow"].setValue(then)
    assert asked(comp, [1005]).settings.roi == "1,2,3,4"
    assert asked(comp).settings.roi == "auto"
    comp.node()["mask_grow"].setValue(1)
    assert asked(comp, [1005]).settings.roi == "auto"


def test_a_part_takes_what_lies_beside_the_alphas_of_the_first_stage_alone(comp):
    comp.show_alphas()
    _find(comp, roi="1,2,3,4")
    _forget(comp)
    comp.node()["adjust_grow"].setValue(2)
    assert asked(comp, [1005]).settings.roi == "1,2,3,4"
    os.utime(comp.folder / "mask.1005.exr", ns=(1, 1))
    assert asked(comp, [1005]).settings.roi == "auto"


def _find(comp, **found) -> None:
    """Let the last refine have found something, in the node's record and beside its alphas."""
    from videomama_nuke import record, sidecar

    last = replace(record.read(comp.node()), **found)
    record.write(comp.node(), last)
    sidecar.leave(last, asked(comp).folder / last.key)


def _forget(comp) -> None:
    from videomama_nuke import result

    result.forget(comp.node())


def test_what_a_job_needs_is_read_once(comp):
    found = asked(comp)
    node = comp.node()
    assert found.label == "comp.nk VideoMaMa1"
    assert (found.clip, found.clip_text) == ((1001, 1020), "1001-1020")
    assert found.views == ("main",)
    assert found.folder == comp.folder / "videomama" / node["node_id"].value()
    assert found.out == f"{found.folder.as_posix()}/{found.record.key}/main/alpha.%04d.exr"
    assert found.source == str(found.export / "main" / "source.%04d.exr")
    assert found.export.parent == found.folder / "export"
    assert (found.record.clip, found.record.version, found.record.gizmo) == ("1001-1020", 3, 2)
    assert found.record.settings["engine_options"]["quality"] == "fast"
    assert str(found.connection_file) == "None"


def test_several_views_have_folders_each(comp):
    comp.nuke.root()["views"].fromScript("{left #ff0000}\n{right #00ff00}")
    found = asked(comp)
    assert found.views == ("left", "right")
    assert found.out.endswith("/%V/alpha.%04d.exr")
    assert found.source.endswith("/%V/source.%04d.exr")


def test_the_same_sizes_and_yet_other_pixels_get_another_key(comp):
    first = asked(comp).record.key
    comp.show_alphas()
    assert asked(comp).record.key == first
    mask = np.ones((comps.HEIGHT, comps.WIDTH), np.float32)
    comps.write_exr(comp.folder / "mask.1005.exr", mask, ("A",))
    assert asked(comp).record.key != first


def test_a_part_uses_the_region_of_an_earlier_refine_and_the_whole_does_not(comp):
    from videomama_nuke import record

    comp.show_alphas()
    last = replace(record.read(comp.node()), roi="1,2,30,40")
    record.write(comp.node(), last)
    whole = range(1001, 1021)
    assert asked(comp).settings.roi == asked(comp, whole).settings.roi == "auto"
    assert asked(comp, [1003]).settings.roi == asked(comp, whole[1:]).settings.roi == "1,2,30,40"
    comp.node()["roi_mode"].setValue("off")
    assert asked(comp, [1003]).settings.roi == "off"
    comp.node()["roi_mode"].setValue("auto")
    comp.node()["exposure"].setValue(1)  # another key: the record beside alphas of that key counts, and there is none
    assert asked(comp, [1003]).settings.roi == "auto"


def test_exports_are_kept_under_what_they_were_made_from_and_else_for_once(comp):
    found = asked(comp)
    assert found.export.name == found.record.upstream.exact
    assert (found.own_export, found.keeps_export) == (False, True)
    comp.nuke.createNode("Tracker4", "name Tracker1", inpanel=False)
    comp.node("Tracker1").setInput(0, comp.node("MaskRead"))
    comp.node().setInput(1, comp.node("Tracker1"))
    found = asked(comp)
    assert found.export.name == "last"
    assert (found.own_export, found.keeps_export) == (False, False)


def test_a_task_without_a_window_has_exports_of_its_own(comp, start_nuke):
    text = comps.plain_script(comp.folder)
    terminal = start_nuke(gui=False)
    terminal.open(text)
    one, other = asked(terminal), asked(terminal)
    assert one.export.name.startswith("task-")
    assert one.export != other.export
    assert (one.own_export, one.keeps_export) == (True, False)


def test_the_server_is_the_one_that_the_node_names(comp):
    comp.node()["connection_file"].setValue("/somewhere/connection.json")
    assert str(asked(comp).connection_file) == "/somewhere/connection.json"


def test_a_mask_that_was_written_again_with_the_same_sizes_has_alphas_of_its_own(comp):
    first = asked(comp)
    comp.show_alphas()
    assert asked(comp).record.key == first.record.key
    mask = comp.folder / "mask.1005.exr"
    os.utime(mask, (1, 1))
    again = asked(comp)
    assert again.record.key != first.record.key
    assert again.record.upstream.signature == first.record.upstream.signature
    assert asked(comp).record.key == again.record.key
