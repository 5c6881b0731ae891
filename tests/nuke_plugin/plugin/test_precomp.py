"""VideoMaMa inside a Precomp, above one, and above files that a Write has rendered."""

import os

import comps
import pytest
from comps import FIRST

COUNT = 4
LAST = FIRST + COUNT - 1
INNER = "Precomp1.VideoMaMa1"


def precomp_script(folder, more: str = "", write: str = "") -> str:
    """Return the script of the Precomp: plate, mask, VideoMaMa1, a Write and an Output."""
    return (
        comps.root_node(folder / "precomp.nk", COUNT, more)
        + comps.read_node("MaskRead", folder / "mask.%04d.exr", COUNT)
        + comps.read_node("PlateRead", folder / "plate.%04d.exr", COUNT)
        + comps.node()
        + comps.write_node(folder / "pre" / "pre.%04d.exr", "PreWrite", write)
        + "Output {\n name Output1\n}\n"
    )


def parent_script(folder, words: str = "", more: str = "") -> str:
    """Return the script around it: Precomp1 and Write1."""
    inside = f'Precomp {{\n inputs 0\n file "{folder / "pre" / "precomp.nk"}"\n {words}\n name Precomp1\n}}\n'
    return (
        comps.root_node(folder / "comp.nk", COUNT, more) + inside + comps.write_node(folder / "out" / "comp.%04d.exr")
    )


def as_precomp(comp, text: str) -> None:
    """Open the Precomp's script on its own."""
    path = comp.folder / "pre" / "precomp.nk"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    comp.nuke.scriptOpen(str(path))


@pytest.fixture
def alone(open_nuke, tmp_path):
    """The Precomp's script, open on its own with a window."""
    comps.write_clip(tmp_path, COUNT)
    comp = open_nuke()
    as_precomp(comp, precomp_script(tmp_path))
    return comp


@pytest.fixture
def refined(alone):
    """The same, refined and saved."""
    assert alone.refine() == f"refined {FIRST}-{LAST}"
    alone.nuke.scriptSave()
    return alone


def look(comp, name: str = INNER) -> str:
    from videomama_nuke import node_state

    node_state.refresh(comp.node(name))
    return comp.status(name)


def same_alpha(comp, rendered) -> bool:
    found = rendered[..., 3] - comp.alpha(FIRST + 1, INNER)[..., 0]
    return float(abs(found).max()) < 1e-6 and float(rendered[..., 3].max()) > 0.9


@pytest.mark.parametrize("gui", [True, False])
def test_what_was_refined_in_its_own_script_shows_and_renders_through_the_precomp(refined, open_nuke, gui):
    if not gui:
        comps.end()
        refined = open_nuke(gui=False)
    refined.open(parent_script(refined.folder))
    assert look(refined) == f"refined {FIRST}-{LAST}"
    assert same_alpha(refined, refined.render(FIRST + 1))


def test_a_mask_that_was_changed_inside_is_refused_through_the_precomp(refined):
    refined.node("MaskRead")["before"].setValue("black")
    refined.nuke.scriptSave()
    refined.open(parent_script(refined.folder))
    assert look(refined) == "stale: plate or mask changed"
    with pytest.raises(RuntimeError, match=r"Precomp1\.VideoMaMa1: stale, plate or mask changed"):
        refined.render(FIRST + 1)


def test_a_precomp_that_was_never_refined_is_refused(alone):
    alone.nuke.scriptSave()
    alone.open(parent_script(alone.folder))
    with pytest.raises(RuntimeError, match=r"Precomp1\.VideoMaMa1: not refined"):
        alone.render(FIRST + 1)


def test_what_was_refined_through_the_precomp_is_found_again_by_both_scripts_and_the_farm(alone, open_nuke):
    alone.nuke.scriptSave()
    parent = parent_script(alone.folder)
    alone.open(parent)
    assert alone.refine(INNER) == f"refined {FIRST}-{LAST}"
    said = [text for kind, text in messages() if kind == "warning"]
    assert any("Precomp1 is not saved with this script" in text and "precomp.nk" in text for text in said)
    assert not (alone.folder / "videomama").exists()
    assert list((alone.folder / "pre" / "videomama").rglob("alpha.*.exr"))
    alone.open(parent)
    assert same_alpha(alone, alone.render(FIRST + 1))
    alone.nuke.scriptOpen(str(alone.folder / "pre" / "precomp.nk"))
    assert look(alone, "VideoMaMa1") == f"refined {FIRST}-{LAST}"
    comps.end()
    farm = open_nuke(gui=False)
    farm.open(parent)
    assert same_alpha(farm, farm.render(FIRST + 1))


def messages() -> list[tuple[str, str]]:
    from nuke_standin import session

    return session.current().messages


def test_other_project_settings_around_a_precomp_are_a_doubt_and_no_change(refined):
    refined.open(parent_script(refined.folder, more='format "640 480 0 0 640 480 1 other"'))
    assert look(refined) == f"refined {FIRST}-{LAST}; not checked: Precomp1 (other project settings)"
    assert same_alpha(refined, refined.render(FIRST + 1))
    refined.node("Precomp1.MaskRead")["before"].setValue("black")
    assert look(refined) == "stale: plate or mask changed"


def test_other_project_settings_of_the_nodes_own_script_are_a_change(refined):
    refined.nuke.root()["colorManagement"].setValue("OCIO")
    refined.node()["colorspace"].setValue("auto")
    assert look(refined, "VideoMaMa1").startswith("stale: ")


def test_bake_inside_a_precomp_is_refused_and_makes_nothing(refined):
    refined.open(parent_script(refined.folder))
    before = len(refined.node("Precomp1").nodes())
    refined.press("bake", INNER)
    assert "Precomp1 is not saved with this script" in refined.status(INNER)
    assert "precomp.nk" in refined.status(INNER)
    assert len(refined.node("Precomp1").nodes()) == before


def test_clear_inside_a_precomp_keeps_what_its_script_shows(refined):
    refined.open(parent_script(refined.folder))
    refined.agree()
    refined.press("clear", INNER)
    assert refined.alpha(FIRST, INNER).size
    assert same_alpha(refined, refined.render(FIRST + 1))


def test_two_precomps_of_one_script_and_a_copy_of_its_node_keep_their_ids(refined):
    identity = refined.node()["node_id"].value()
    body = comps.node(f"node_id {identity}", inputs=0)
    text = parent_script(refined.folder)
    second = text[text.index("Precomp {") : text.index("Write {")].replace("name Precomp1", "name Precomp2")
    refined.open(text + second + body)
    names = (INNER, "Precomp2.VideoMaMa1", "VideoMaMa1")
    assert [refined.node(name)["node_id"].value() for name in names] == [identity] * 3


def test_idle_looks_reach_the_same_node_in_two_precomps(refined):
    from nuke_standin import callbacks

    text = parent_script(refined.folder)
    second = text[text.index("Precomp {") : text.index("Write {")].replace("name Precomp1", "name Precomp2")
    refined.open(text + second)
    for name in ("Precomp1", "Precomp2"):
        refined.node(f"{name}.MaskRead")["before"].setValue("black")
    for _ in range(2):
        callbacks.idle()
        refined.let_look()
    for name in ("Precomp1", "Precomp2"):
        assert refined.status(f"{name}.VideoMaMa1") == "stale: plate or mask changed"


def below_precomp(comp, words: str = ""):
    """Open a script whose VideoMaMa1 has its mask from Precomp1, which holds a Blur."""
    path = comp.folder / "blur.nk"
    path.write_text(
        comps.read_node("MaskRead", comp.folder / "mask.%04d.exr", COUNT)
        + "Blur {\n size 3\n name Blur1\n}\n"
        + comps.write_node(comp.folder / "pre.%04d.exr", "PreWrite")
        + "Output {\n name Output1\n}\n",
        encoding="utf-8",
    )
    comp.open(
        comps.root_node(comp.script, COUNT)
        + f'Precomp {{\n inputs 0\n file "{path}"\n {words}\n name Precomp1\n}}\n'
        + comps.read_node("PlateRead", comp.folder / "plate.%04d.exr", COUNT)
        + comps.node()
        + comps.write_node(comp.folder / "out" / "comp.%04d.exr")
    )
    return path


def test_a_changed_script_of_a_precomp_above_is_stale_and_a_moved_node_in_it_is_not(comp):
    path = below_precomp(comp)
    assert comp.refine().startswith("refined")
    comp.nuke.scriptSave()
    for before, after, stale in ((" name Blur1", " name Blur1\n xpos 900", False), ("size 3", "size 4", True)):
        path.write_text(path.read_text().replace(before, after), encoding="utf-8")
        comp.node("Precomp1").reload()
        assert look(comp, "VideoMaMa1").startswith("stale") == stale
        comp.nuke.scriptOpen(str(comp.script))
        assert look(comp, "VideoMaMa1").startswith("stale") == stale


def test_a_precomp_that_reads_its_files_is_compared_by_them(comp):
    path = below_precomp(comp)
    comp.nuke.execute(comp.node("Precomp1.PreWrite"), FIRST, LAST)
    comp.nuke.frame(FIRST)
    comp.node("Precomp1")["reading"].setValue(True)
    assert comp.refine().startswith("refined")
    comp.node("Precomp1.Blur1")["size"].setValue(9)
    assert look(comp, "VideoMaMa1").startswith("refined")
    os.utime(path.parent / f"pre.{FIRST}.exr", ns=(1, 1))
    assert look(comp, "VideoMaMa1") == "stale: plate or mask changed"


def test_a_write_that_reads_its_files_is_compared_by_them(comp):
    write = comp.nuke.createNode("Write", inpanel=False)
    write.setInput(0, comp.node("MaskRead"))
    write["file"].setValue(str(comp.folder / "pre.%04d.exr"))
    write["file_type"].setValue("exr")
    write["channels"].setValue("rgba")
    comp.nuke.execute(write, FIRST, FIRST + comps.COUNT - 1)
    comp.nuke.frame(FIRST)
    write["reading"].setValue(True)
    comp.node().setInput(1, write)
    assert comp.refine().startswith("refined")
    comp.node("MaskRead")["before"].setValue("black")
    assert look(comp, "VideoMaMa1").startswith("refined")
    os.utime(comp.folder / f"pre.{FIRST}.exr", ns=(1, 1))
    assert look(comp, "VideoMaMa1") == "stale: plate or mask changed"


def test_a_render_does_not_ask_for_the_alphas_behind_files_that_were_rendered(refined):
    refined.nuke.execute(refined.node("PreWrite"), FIRST, LAST)
    refined.node("MaskRead")["before"].setValue("black")
    refined.nuke.scriptSave()
    refined.open(parent_script(refined.folder, "reading true"))
    assert refined.render(FIRST + 1)[..., 3].max() > 0.9
    refined.node("Precomp1")["reading"].setValue(False)
    with pytest.raises(RuntimeError, match="stale"):
        refined.render(FIRST + 1)


def test_a_precomp_shows_the_node_that_it_names(refined):
    refined.open(parent_script(refined.folder, "output PlateRead\n useOutput true"))
    assert refined.render(FIRST + 1).shape[-1] == 3
    refined.node(INNER)["refined"].setValue(False)
    refined.render(FIRST + 2)
    refined.node("Precomp1")["output"].setValue("PreWrite")
    with pytest.raises(RuntimeError, match="not refined"):
        refined.render(FIRST + 1)


def test_a_precomp_without_an_output_shows_its_write(refined):
    path = refined.folder / "pre" / "precomp.nk"
    text = path.read_text()
    path.write_text(text[: text.index("Output {")], encoding="utf-8")
    refined.open(parent_script(refined.folder))
    assert refined.node("Precomp1").output() is None
    assert same_alpha(refined, refined.render(FIRST + 1))
    refined.node(INNER)["refined"].setValue(False)
    with pytest.raises(RuntimeError, match="not refined"):
        refined.render(FIRST + 1)


def test_a_batch_refines_what_lies_in_a_group_above_first(comp):
    group = comp.nuke.nodes.Group(name="Zed1")
    with group:
        plate, mask = (comp.nuke.nodes.Input(name=name, number=number) for number, name in enumerate(("a", "b")))
        inner = comp.nuke.nodes.VideoMaMa(inputs=[plate, mask], name="VideoMaMa1")
        comp.nuke.nodes.Output(inputs=[inner])
    group.setInput(0, comp.node("PlateRead"))
    group.setInput(1, comp.node("MaskRead"))
    comp.node().setInput(0, group)
    from videomama_nuke import batch

    assert [node.fullName() for node in batch.find(())] == ["Zed1.VideoMaMa1", "VideoMaMa1"]


def in_gizmo(comp, links: str = "") -> None:
    """Put VideoMaMa1 inside a gizmo of the studio's own."""
    inputs = "Input {\n inputs 0\n name mask\n number 1\n}\nInput {\n inputs 0\n name plate\n}\n"
    inside = f"{inputs}{comps.node()}Output {{\n name Output1\n}}\n"
    text = f"Gizmo {{\n inputs 2\n addUserKnob {{20 tab}}\n{links}}}\n{inside}end_group\n"
    (comp.folder / "StudioMatte.gizmo").write_text(text, encoding="utf-8")
    comp.nuke.pluginAddPath(str(comp.folder))
    comp.open(
        comps.root_node(comp.script)
        + comps.read_node("MaskRead", comp.folder / "mask.%04d.exr")
        + comps.read_node("PlateRead", comp.folder / "plate.%04d.exr")
        + "StudioMatte {\n inputs 2\n name Studio1\n}\n"
    )


def test_a_refine_inside_a_gizmo_warns_that_it_will_be_lost(comp):
    in_gizmo(comp)
    assert comp.refine("Studio1.VideoMaMa1").startswith("refined")
    assert any("Studio1 is a gizmo" in text for kind, text in messages() if kind == "warning")


def test_a_gizmo_that_links_the_record_keeps_the_result(comp):
    names = ("node_id", "record", "refined", "result_file", "result_first", "result_last", "result_origfirst")
    in_gizmo(comp, "".join(f" addUserKnob {{41 {name} T VideoMaMa1.{name}}}\n" for name in names))
    shown = comp.refine("Studio1.VideoMaMa1")
    assert shown.startswith("refined")
    assert not [text for kind, text in messages() if kind == "warning"]
    comp.nuke.scriptSave()
    comp.nuke.scriptOpen(str(comp.script))
    assert look(comp, "Studio1.VideoMaMa1") == shown
