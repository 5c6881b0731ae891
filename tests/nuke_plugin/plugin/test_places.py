"""Views, proxies, odd pixels, odd paths: alpha and geometry are right, and what was set before is set again."""

import os
import shutil
from pathlib import Path

import comps
import numpy as np
import OpenImageIO as oiio
import pytest
from comps import FIRST, HEIGHT, WIDTH
from videomama_server.media.geometry import Geometry, Rect

COUNT = 4
LAST = FIRST + COUNT - 1


def header(path: Path) -> oiio.ImageSpec:
    source = oiio.ImageInput.open(str(path))
    assert source is not None, oiio.geterror()
    spec = source.spec()
    source.close()
    return spec


def agrees(alpha: np.ndarray, frame: int) -> bool:
    return float(np.abs(alpha - comps.pixels(frame)[1]).mean()) < 0.05


def test_stereo_views_are_refined_each(open_nuke, tmp_path):
    for view, mirrored in (("left", False), ("right", True)):
        for frame in range(FIRST, LAST + 1):
            plate, mask = comps.pixels(frame)
            step = -1 if mirrored else 1
            comps.write_exr(
                tmp_path / view / f"plate.{frame}.exr", np.ascontiguousarray(plate[:, ::step]), ("R", "G", "B")
            )
            comps.write_exr(tmp_path / view / f"mask.{frame}.exr", np.ascontiguousarray(mask[:, ::step]), ("A",))
    comp = open_nuke()
    comp.open(
        comps.root_node(comp.script, COUNT, 'views "{left #ff0000}\n{right #00ff00}"')
        + comps.read_node("MaskRead", tmp_path / "%V" / "mask.%04d.exr", COUNT)
        + comps.read_node("PlateRead", tmp_path / "%V" / "plate.%04d.exr", COUNT)
        + comps.node()
        + comps.write_node(tmp_path / "out" / "%V" / "comp.%04d.exr", more="views {left right}")
    )
    assert comp.refine() == f"refined {FIRST}-{LAST}"
    pattern = comp.node()["result_file"].value()
    assert "%V" in pattern
    left, right = (comps.read_exr(Path(pattern.replace("%V", view) % 1002))[..., 0] for view in ("left", "right"))
    assert agrees(left, 1002)
    assert agrees(right[:, ::-1], 1002)
    comp.nuke.execute(comp.node("Write1"), 1002, 1002, 1, ["left", "right"])
    for view, alpha in (("left", left), ("right", right)):
        assert np.array_equal(comps.read_exr(tmp_path / "out" / view / "comp.1002.exr")[..., 3], alpha)


def test_with_the_proxy_on_full_frames_are_exported_and_the_proxy_is_on_again(open_nuke, tmp_path):
    comps.write_clip(tmp_path, COUNT)
    comp = open_nuke()
    comp.open(comps.plain_script(tmp_path, count=COUNT))
    comp.nuke.root()["proxy_type"].setValue("scale")
    comp.nuke.root()["proxy_scale"].setValue(0.5)
    comp.nuke.root().setProxy(True)
    assert comp.refine() == f"refined {FIRST}-{LAST}"
    assert comp.nuke.root().proxy()
    assert comp.alpha(1002).shape[:2] == (HEIGHT, WIDTH)
    assert agrees(comp.alpha(1002)[..., 0], 1002)
    write = comp.node().node("vm_export")
    assert write["disable"].value()
    assert not write["file"].value()
    assert not write["proxy"].value()


def test_an_anamorphic_plate_keeps_its_pixels(open_nuke, tmp_path):
    whole = Rect(0, 0, WIDTH, HEIGHT)
    for frame in range(FIRST, LAST + 1):
        plate, mask = comps.pixels(frame)
        comps.write_exr(tmp_path / f"plate.{frame}.exr", plate, ("R", "G", "B"), Geometry(whole, whole, 2.0))
        comps.write_exr(tmp_path / f"mask.{frame}.exr", mask, ("A",), Geometry(whole, whole, 2.0))
    comp = open_nuke()
    comp.open(comps.plain_script(tmp_path, count=COUNT))
    assert comp.refine() == f"refined {FIRST}-{LAST}"
    out = Path(comp.node()["result_file"].value() % 1002)
    assert header(out).getattribute("PixelAspectRatio") == 2.0
    assert agrees(comp.alpha(1002)[..., 0], 1002)
    comp.render(1002)
    assert header(tmp_path / "out" / "comp.1002.exr").getattribute("PixelAspectRatio") == 2.0


def test_an_overscan_plate_gets_an_overscan_alpha(open_nuke, tmp_path):
    display, data = Rect(0, 0, WIDTH - 16, HEIGHT - 12), Rect(-8, -6, WIDTH, HEIGHT)
    for frame in range(FIRST, LAST + 1):
        plate, mask = comps.pixels(frame)
        comps.write_exr(tmp_path / f"plate.{frame}.exr", plate, ("R", "G", "B"), Geometry(display, data))
        comps.write_exr(tmp_path / f"mask.{frame}.exr", mask, ("A",), Geometry(display, data))
    comp = open_nuke()
    comp.open(comps.plain_script(tmp_path, count=COUNT))
    assert comp.refine() == f"refined {FIRST}-{LAST}"
    comp.render(1002)
    spec = header(tmp_path / "out" / "comp.1002.exr")
    assert (spec.full_width, spec.full_height) == (display.w, display.h)
    rendered = comps.read_exr(tmp_path / "out" / "comp.1002.exr")[..., 3]
    across, down = -8 - spec.x, -6 - spec.y  # the plate's own pixels, inside the border that reading adds
    assert agrees(rendered[down : down + HEIGHT, across : across + WIDTH], 1002)


def test_a_plate_with_an_alpha_needs_no_mask_input(open_nuke, tmp_path):
    for frame in range(FIRST, LAST + 1):
        plate, mask = comps.pixels(frame)
        comps.write_exr(tmp_path / f"plate.{frame}.exr", np.dstack([plate, mask]), ("R", "G", "B", "A"))
    comp = open_nuke()
    comp.open(
        comps.root_node(comp.script, COUNT)
        + comps.read_node("PlateRead", tmp_path / "plate.%04d.exr", COUNT)
        + comps.node(inputs=1)
        + comps.write_node(tmp_path / "out" / "comp.%04d.exr")
    )
    assert comp.refine() == f"refined {FIRST}-{LAST}"
    assert agrees(comp.render(1002)[..., 3], 1002)


def test_a_plate_without_alpha_and_without_mask_says_so(open_nuke, tmp_path):
    comps.write_clip(tmp_path, COUNT)
    comp = open_nuke()
    comp.open(
        comps.root_node(comp.script, COUNT)
        + comps.read_node("PlateRead", tmp_path / "plate.%04d.exr", COUNT)
        + comps.node(inputs=1)
    )
    comp.press("refine")
    assert comp.status().startswith("PlateRead has no channel rgba.alpha")


def test_the_mask_may_be_in_a_layer_of_its_own(open_nuke, tmp_path):
    for frame in range(FIRST, LAST + 1):
        plate, mask = comps.pixels(frame)
        channels = ("R", "G", "B", "A", "roto.alpha", "depth.Z")
        layers = np.dstack([plate, np.ones_like(mask), mask, mask * 7])
        comps.write_exr(tmp_path / f"plate.{frame}.exr", layers.astype(np.float32), channels)
    comp = open_nuke()
    comp.open(
        comps.root_node(comp.script, COUNT)
        + "add_layer {roto roto.alpha}\n"
        + comps.read_node("PlateRead", tmp_path / "plate.%04d.exr", COUNT)
        + comps.node("mask_channel roto.alpha", inputs=1)
        + comps.write_node(tmp_path / "out" / "comp.%04d.exr")
    )
    assert comp.refine() == f"refined {FIRST}-{LAST}"
    assert agrees(comp.render(1002)[..., 3], 1002)


def test_a_script_with_spaces_and_umlauts_in_its_path(open_nuke, tmp_path):
    folder = tmp_path / "Übung mit Leerzeichen" / "shot 010"
    folder.mkdir(parents=True)
    comps.write_clip(folder, COUNT)
    comp = open_nuke()
    comp.folder = folder
    comp.open(comps.plain_script(folder, count=COUNT))
    assert comp.refine() == f"refined {FIRST}-{LAST}"
    assert agrees(comp.render(1002)[..., 3], 1002)
    comp.nuke.scriptSave()
    comp.nuke.scriptOpen(str(comp.script))
    assert agrees(comp.render(1003)[..., 3], 1003)


def test_the_alpha_may_go_to_another_layer_and_colour_may_be_premultiplied(open_nuke, tmp_path):
    comps.write_clip(tmp_path, COUNT)
    comp = open_nuke()
    comp.open("add_layer {matte matte.alpha}\n" + comps.plain_script(tmp_path, "output matte.alpha", COUNT))
    comp.refine()
    comp.node("Write1")["channels"].setValue("all")
    comp.render(1002)
    spec = header(tmp_path / "out" / "comp.1002.exr")
    picture = comps.read_exr(tmp_path / "out" / "comp.1002.exr")
    alpha = picture[..., spec.channelnames.index("matte.alpha")]
    assert agrees(alpha, 1002)
    comp.node()["premultiply"].setValue(True)
    comp.render(1002)
    plate = comps.read_exr(tmp_path / "plate.1002.exr")
    premultiplied = comps.read_exr(tmp_path / "out" / "comp.1002.exr")[..., :3]
    assert np.allclose(premultiplied, plate * alpha[..., None], atol=1e-6)


def test_a_script_that_was_never_saved_asks_for_a_place(open_nuke, tmp_path):
    comps.write_clip(tmp_path, COUNT)
    comp = open_nuke()
    read = comp.nuke.nodes.Read(file=str(tmp_path / "plate.%04d.exr"), first=FIRST, last=LAST)
    made = comp.nuke.nodes.VideoMaMa(inputs=[read], name="VideoMaMa1")
    made["mask_channel"].setValue("rgba.red")
    comp.press("refine")
    assert comp.status().startswith("the script has not been saved yet")
    made["cache_folder"].setValue(str(tmp_path / "cache here"))
    made["engine"].setValue("passthrough")
    assert comp.refine().startswith("refined")


def in_folder(open_nuke, tmp_path, name: str):
    """Open a script in a folder of this name; its plates lie elsewhere."""
    comps.write_clip(tmp_path, COUNT)
    comp = open_nuke()
    comp.folder = tmp_path / name
    comp.folder.mkdir()
    comp.open(comps.plain_script(tmp_path, count=COUNT))
    return comp


@pytest.mark.parametrize("name", ["shot ]1", "shot {1}", "shot (1) & more", "Ünïcödé Ж 中"])
def test_odd_names_of_the_scripts_folder_work(open_nuke, tmp_path, name):
    comp = in_folder(open_nuke, tmp_path, name)
    assert comp.refine() == f"refined {FIRST}-{LAST}"
    assert agrees(comp.render(1002)[..., 3], 1002)
    comp.nuke.scriptSave()
    comp.nuke.scriptOpen(str(comp.script))
    assert agrees(comp.render(1003)[..., 3], 1003)
    assert comp.refine() == f"refined {FIRST}-{LAST}"
    comp.agree()
    comp.press("clear")
    assert not list(comp.folder.rglob("*.exr"))


@pytest.mark.parametrize(("name", "sign"), [("100%", "%"), ("take %04d", "%"), ("shot #3", "#"), ("shot [a]", "[")])
def test_names_that_nuke_reads_otherwise_are_refused_before_anything_is_written(open_nuke, tmp_path, name, sign):
    comp = in_folder(open_nuke, tmp_path, name)
    comp.press("refine")
    assert f"has {sign} in its name" in comp.status()
    assert sorted(path.name for path in comp.folder.iterdir()) == ["comp.nk"]
    comp.node()["cache_folder"].setValue(str(tmp_path / "elsewhere"))
    assert comp.refine() == f"refined {FIRST}-{LAST}"


@pytest.mark.parametrize("name", ["100% {x}.nk", "take %04d #.nk", "shot [a].nk"])
def test_the_scripts_own_name_may_be_anything(open_nuke, tmp_path, name):
    comp = in_folder(open_nuke, tmp_path, "shot")
    comp.nuke.scriptSaveAs(str(comp.folder / name), 1)
    assert comp.refine() == f"refined {FIRST}-{LAST}"
    assert agrees(comp.render(1002)[..., 3], 1002)


def test_an_unsaved_script_with_a_chosen_folder_refines_renders_and_clears(open_nuke, tmp_path):
    comps.write_clip(tmp_path, COUNT)
    comp = open_nuke()
    plate, mask = (
        comp.nuke.nodes.Read(file=str(tmp_path / f"{name}.%04d.exr"), first=FIRST, last=LAST, raw=True)
        for name in ("plate", "mask")
    )
    made = comp.nuke.nodes.VideoMaMa(inputs=[plate, mask], name="VideoMaMa1", engine="classic", quality="fast")
    made["cache_folder"].setValue(str(tmp_path / "cache"))
    assert comp.refine() == f"refined {FIRST}-{LAST}"
    comp.agree()
    comp.press("clear")
    assert comp.status().startswith("not refined; ")
    assert not list((tmp_path / "cache").rglob("*.exr"))


def made_group(comp):
    """Make a group of the gizmo and put it in its place."""
    group = comp.node().makeGroup()
    comp.nuke.delete(comp.node())
    group.setName("VideoMaMa1")
    comp.node("Write1").setInput(0, group)
    return group


def test_a_group_made_of_the_gizmo_refines_renders_and_is_looked_at(open_nuke, tmp_path):
    from nuke_standin import callbacks, session

    comps.write_clip(tmp_path, COUNT)
    comp = open_nuke()
    comp.open(comps.plain_script(tmp_path, count=COUNT))
    group = made_group(comp)
    assert group.Class() == "Group"
    assert session.current().load_errors + session.current().load_notes == []
    assert comp.refine() == f"refined {FIRST}-{LAST}"
    assert agrees(comp.render(1002)[..., 3], 1002)
    comp.nuke.scriptSave()
    comp.nuke.scriptOpen(str(comp.script))
    assert session.current().load_errors + session.current().load_notes == []
    assert comp.node().Class() == "Group"
    assert agrees(comp.render(1003)[..., 3], 1003)
    comp.node("MaskRead")["before"].setValue("black")
    callbacks.idle()
    comp.pump(lambda: comp.status() == "stale: plate or mask changed", "an idle look has seen it")
    comp.node().showControlPanel()
    comp.node("MaskRead")["before"].setValue("hold")
    comp.node()["exposure"].setValue(2)
    assert comp.status() == "stale: exposure changed"


def test_clones_keep_their_common_id_when_a_script_is_opened(open_nuke, tmp_path):
    comps.write_clip(tmp_path, COUNT)
    comp = open_nuke()
    comp.open(comps.plain_script(tmp_path, count=COUNT))
    comp.refine()
    identity = comp.node()["node_id"].value()
    copy = comp.nuke.clone(comp.node())
    for index in (0, 1):
        copy.setInput(index, comp.node().input(index))
    comp.nuke.scriptSave()
    comp.nuke.scriptOpen(str(comp.script))
    assert {node["node_id"].value() for node in comp.nuke.allNodes("VideoMaMa")} == {identity}


def test_bake_reaches_hidden_inputs_and_stays_in_its_group(open_nuke, tmp_path):
    comps.write_clip(tmp_path, COUNT)
    comp = open_nuke()
    comp.open(comps.plain_script(tmp_path, count=COUNT))
    stamp = comp.nuke.nodes.NoOp(inputs=[comp.node()], name="Stamp1", hide_input=True)
    comp.node("Write1").setInput(0, stamp)
    comp.refine()
    comp.press("bake")
    assert stamp.input(0).Class() == "Copy"
    group = comp.nuke.nodes.Group(name="Matte1")
    with group:
        plate = comp.nuke.nodes.Input(name="plate")
        inner = comp.nuke.nodes.VideoMaMa(inputs=[plate, plate], name="VideoMaMa1", engine="passthrough")
        inner["mask_channel"].setValue("rgba.red")
        comp.nuke.nodes.Output(inputs=[inner])
    group.setInput(0, comp.node("PlateRead"))
    comp.refine("Matte1.VideoMaMa1")
    before = len(comp.nuke.root().nodes())
    from videomama_nuke import plain_nodes

    plain_nodes.bake(inner)
    assert len(comp.nuke.root().nodes()) == before
    assert group.output().input(0).Class() == "Copy"


def test_inside_a_live_group_it_refines_renders_and_is_guarded(open_nuke, tmp_path):
    comps.write_clip(tmp_path, COUNT)
    comp = open_nuke()
    comp.open(comps.plain_script(tmp_path, count=COUNT))
    group = comp.nuke.nodes.LiveGroup(name="Live1")
    with group:
        plate, mask = (comp.nuke.nodes.Input(name=name, number=number) for number, name in enumerate(("a", "b")))
        inner = comp.nuke.nodes.VideoMaMa(inputs=[plate, mask], name="VideoMaMa1", engine="passthrough")
        comp.nuke.nodes.Output(inputs=[inner])
    group.setInput(0, comp.node("PlateRead"))
    group.setInput(1, comp.node("MaskRead"))
    comp.node("Write1").setInput(0, group)
    assert comp.refine("Live1.VideoMaMa1") == f"refined {FIRST}-{LAST}"
    assert agrees(comp.render(1002)[..., 3], 1002)
    comp.node("MaskRead")["before"].setValue("black")
    with pytest.raises(RuntimeError, match=r"Live1\.VideoMaMa1: stale, plate or mask changed"):
        comp.render(1003)


def test_a_group_made_of_an_earlier_gizmo_lacks_later_knobs_and_renders(open_nuke, tmp_path):
    comps.write_clip(tmp_path, COUNT)
    comp = open_nuke()
    comp.open(comps.plain_script(tmp_path, count=COUNT))
    group = made_group(comp)
    for name in ("unchecked", "take_from_disk", "clear_old"):
        group.removeKnob(group[name])
    comp.nuke.createNode("Tracker4", "name Tracker1", inpanel=False)
    comp.node("Tracker1").setInput(0, comp.node("MaskRead"))
    group.setInput(1, comp.node("Tracker1"))
    assert comp.refine() == f"refined {FIRST}-{LAST}; not checked: Tracker1"
    assert agrees(comp.render(1002)[..., 3], 1002)


def relative(comp, *, cache: str = "") -> None:
    """Open a comp whose paths are relative to the script's folder, as the button Script Directory has it."""
    comps.write_clip(comp.folder / "in", COUNT)
    comp.open(
        comps.root_node(comp.script, COUNT, 'project_directory "\\[python \\{nuke.script_directory()\\}]"')
        + comps.read_node("MaskRead", "in/mask.%04d.exr", COUNT)
        + comps.read_node("PlateRead", "in/plate.%04d.exr", COUNT)
        + comps.node(f'cache_folder "{cache}"' if cache else "")
        + comps.write_node("out/comp.%04d.exr")
    )


@pytest.mark.parametrize("cache", ["", "alphas here"])
def test_paths_relative_to_the_project_are_refined_compared_and_rendered(open_nuke, tmp_path, cache):
    comp = open_nuke()
    relative(comp, cache=cache)
    assert comp.refine() == f"refined {FIRST}-{LAST}"
    assert list((tmp_path / (cache or "videomama")).rglob("alpha.*.exr"))
    comp.nuke.execute(comp.node("Write1"), FIRST, FIRST)
    assert agrees(comps.read_exr(tmp_path / "out" / f"comp.{FIRST}.exr")[..., 3], FIRST)
    os.utime(tmp_path / "in" / f"mask.{FIRST}.exr", ns=(1, 1))
    with pytest.raises(RuntimeError, match="stale, plate or mask changed"):
        comp.nuke.execute(comp.node("Write1"), FIRST, FIRST)


def test_a_copy_of_a_project_with_relative_paths_finds_its_own_files_unchanged(open_nuke, tmp_path):
    comp = open_nuke()
    comp.folder = tmp_path / "here"
    comp.folder.mkdir()
    relative(comp)
    comp.refine()
    comp.nuke.scriptSave()
    shutil.copytree(comp.folder, tmp_path / "there")
    comp.nuke.scriptOpen(str(tmp_path / "there" / "comp.nk"))
    from videomama_nuke import node_state

    node_state.refresh(comp.node())
    assert comp.status() == f"refined {FIRST}-{LAST}"
