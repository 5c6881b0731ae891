"""What is read from the graph above a node: the same while nothing changes, another when pixels may, else a doubt."""

import os

import comps
import pytest


@pytest.fixture
def sign(comp):
    """Return the signature of VideoMaMa1 now."""
    from videomama_nuke import walk

    def now() -> str:
        above = walk.read(comp.node())
        return "" if above.unchecked else above.exact

    return now


def test_the_same_tree_has_the_same_signature(comp, sign):
    first = sign()
    assert len(first) == 16
    assert sign() == first


def test_moving_and_selecting_nodes_changes_nothing(comp, sign):
    first = sign()
    read = comp.node("PlateRead")
    read.setXYpos(400, 300)
    read.setSelected(True)
    read["label"].setValue("hero plate")
    assert sign() == first


def test_reopening_the_script_changes_nothing(comp, sign):
    first = sign()
    comp.nuke.scriptSave()
    comp.nuke.scriptOpen(str(comp.script))
    assert sign() == first


@pytest.mark.parametrize(("node", "knob", "value"), [("PlateRead", "before", "black"), ("MaskRead", "last", 1010)])
def test_a_knob_upstream_changes_it(comp, sign, node, knob, value):
    first = sign()
    comp.node(node)[knob].setValue(value)
    assert sign() not in ("", first)


def test_a_new_node_upstream_changes_it(comp, sign):
    first = sign()
    blur = comp.nuke.nodes.Blur(inputs=[comp.node("MaskRead")], size=3)
    comp.node().setInput(1, blur)
    second = sign()
    assert second not in ("", first)
    blur["size"].setValue(4)
    assert sign() not in ("", first, second)


def test_a_dot_in_a_wire_changes_nothing_and_what_lies_behind_it_does(comp, sign):
    first = sign()
    dot = comp.nuke.nodes.Dot(inputs=[comp.nuke.nodes.Dot(inputs=[comp.node("MaskRead")])])
    comp.node().setInput(1, dot)
    assert sign() == first
    comp.node("MaskRead")["before"].setValue("black")
    assert sign() not in ("", first)
    dot.setInput(0, None)
    assert sign() not in ("", first)


def test_the_mask_channel_changes_it(comp, sign):
    first = sign()
    comp.node().setInput(1, comp.node("PlateRead"))
    comp.node()["mask_channel"].setValue("rgba.red")
    assert sign() not in ("", first)


def test_a_file_that_was_written_again_changes_it(comp, sign):
    first = sign()
    path = comp.folder / "mask.1003.exr"
    os.utime(path, ns=(1, 1))
    assert sign() not in ("", first)


def test_a_model_setting_is_not_upstream(comp, sign):
    first = sign()
    comp.node()["quality"].setValue("high")
    assert sign() == first


def test_an_expression_is_compared_by_its_text_and_by_the_node_that_drives_it(comp, sign):
    driver = comp.nuke.nodes.Grade(name="Driver", multiply=1)
    blur = comp.nuke.nodes.Blur(inputs=[comp.node("MaskRead")])
    blur["size"].setExpression("Driver.multiply * 2")
    comp.node().setInput(1, blur)
    first = sign()
    assert first
    driver["multiply"].setValue(3)
    second = sign()
    assert second not in ("", first)
    blur["size"].setExpression("Driver.multiply * 4")
    assert sign() not in ("", first, second)


def test_keyframes_are_compared(comp, sign):
    blur = comp.nuke.nodes.Blur(inputs=[comp.node("MaskRead")], size=3)
    comp.node().setInput(1, blur)
    blur["size"].setAnimated()
    first = sign()
    blur["size"].setValueAt(9, 1005)
    assert sign() not in ("", first)


def grouped(comp, *, size: float = 2.0):
    """Put a group with a Blur above the mask, whose size is that of the group's own knob."""
    group = comp.nuke.nodes.Group(name="Soft1")
    group.addKnob(comp.nuke.Double_Knob("amount"))
    group["amount"].setValue(size)
    with group:
        inner = comp.nuke.nodes.Blur(inputs=[comp.nuke.nodes.Input(name="in")], name="Blur1")
        inner["size"].setExpression("parent.amount")
        comp.nuke.nodes.Output(inputs=[inner])
    group.setInput(0, comp.node("MaskRead"))
    comp.node().setInput(1, group)
    return group


def test_a_group_is_compared_by_its_knobs_and_by_what_it_holds(comp, sign):
    group = grouped(comp)
    first = sign()
    assert first
    group["amount"].setValue(5)
    second = sign()
    assert second not in ("", first)
    group.node("Blur1")["filter"].setValue("box")
    assert sign() not in ("", first, second)


def test_what_lies_above_a_group_is_compared(comp, sign):
    grouped(comp)
    first = sign()
    comp.node("MaskRead")["before"].setValue("black")
    assert sign() not in ("", first)


def test_time_nodes_are_compared(comp, sign):
    offset = comp.nuke.nodes.TimeOffset(inputs=[comp.node("MaskRead")], time_offset=1)
    comp.node().setInput(1, offset)
    first = sign()
    assert first
    offset["time_offset"].setValue(2)
    assert sign() not in ("", first)


def test_a_path_with_tcl_in_it_is_compared_by_what_it_stands_for(comp, sign):
    comp.nuke.root().addKnob(comp.nuke.String_Knob("shot"))
    comp.nuke.root()["shot"].setValue(str(comp.folder))
    comp.node("MaskRead")["file"].setValue("[value root.shot]/mask.%04d.exr")
    first = sign()
    assert first
    os.utime(comp.folder / "mask.1003.exr", ns=(1, 1))
    assert sign() not in ("", first)


@pytest.mark.parametrize("tcl", ["[python {1 + 1}]", "[getenv SIZE]"])
def test_what_python_or_the_surroundings_decide_nobody_can_tell(comp, tcl, monkeypatch):
    monkeypatch.setenv("SIZE", "2")
    blur = comp.nuke.nodes.Blur(inputs=[comp.node("MaskRead")], name="Blur1")
    blur["size"].setExpression(tcl)
    comp.node().setInput(1, blur)
    from videomama_nuke import walk

    assert walk.read(comp.node()).unchecked == ("Blur1",)


def test_what_sure_commands_say_in_a_number_is_compared_and_in_a_text_nobody_can_tell(comp, sign):
    from videomama_nuke import walk

    blur = comp.nuke.nodes.Blur(inputs=[comp.node("MaskRead")], name="Blur1")
    comp.node().setInput(1, blur)
    blur["size"].setExpression("[value root.first_frame]")
    assert walk.read(comp.node()).unchecked == ()
    assert sign()
    blur.addKnob(comp.nuke.String_Knob("words"))
    blur["words"].setValue("[value root.first_frame]")
    assert walk.read(comp.node()).unchecked == ("Blur1",)


def track(comp):
    """Put a Tracker above the mask, of which nobody can tell whether its pixels change."""
    comp.node("MaskRead").setSelected(True)
    tracker = comp.nuke.createNode("Tracker4", "name Tracker1 tracks {{ 1 31 1 }}", inpanel=False)
    tracker.setInput(0, comp.node("MaskRead"))
    comp.node().setInput(1, tracker)
    return tracker


def test_a_class_that_is_not_known_is_named(comp, sign):
    track(comp)
    from videomama_nuke import walk

    assert walk.read(comp.node()).unchecked == ("Tracker1",)
    assert sign() == ""


def test_a_knob_of_a_class_that_is_not_known_is_compared_all_the_same(comp):
    from videomama_nuke import walk

    tracker = track(comp)
    first = walk.read(comp.node()).nodes
    tracker["tracks"].setValue("{ 1 31 2 }")
    assert walk.read(comp.node()).nodes != first


STUDIO = 'StudioMatte {\n inputs 0\n file "\\[value root.name]/matte.exr"\n grain 3\n name Studio1\n}\n'


def test_a_node_of_a_class_that_nobody_has_is_named(comp, sign):
    from videomama_nuke import walk

    comp.nuke.scriptReadText(STUDIO)
    comp.node("Studio1").setInput(0, comp.node("MaskRead"))
    comp.node().setInput(1, comp.node("Studio1"))
    first = walk.read(comp.node())
    assert first.unchecked == ("Studio1",)
    comp.node("Studio1")["grain"].setValue("4")
    assert walk.read(comp.node()).nodes != first.nodes
    comp.node("Studio1")["disable"].setValue(True)
    comp.node("Studio1")["file"].setValue("")
    assert comp.refine() == "refined 1001-1020; not checked: Studio1"


def test_inside_a_group_such_a_node_is_named_in_full(comp):
    from videomama_nuke import walk

    group = grouped(comp)
    with group:
        comp.nuke.scriptReadText(STUDIO)
        group.output().setInput(0, comp.nuke.toNode("Studio1"))
    assert walk.read(comp.node()).unchecked == ("Soft1.Studio1",)


def test_a_refine_through_such_a_node_says_which_one_it_is(comp):
    comp.nuke.scriptReadText(STUDIO)
    comp.node("Studio1").setInput(0, comp.node("MaskRead"))
    comp.node().setInput(1, comp.node("Studio1"))
    with pytest.raises(RuntimeError, match="Studio1: the stand-in has no pixels for the class StudioMatte"):
        comp.refine()


def test_without_a_signature_every_refine_exports_anew_and_finds_all_alphas(comp):
    track(comp)
    assert comp.refine() == "refined 1001-1020; not checked: Tracker1"
    assert not list((comp.folder / "videomama").glob("*/export/*"))
    assert comp.refine() == "refined 1001-1020; not checked: Tracker1"


def test_with_a_signature_only_new_frames_are_exported(comp, monkeypatch):
    from videomama_nuke import export

    written = []
    real = export._execute
    monkeypatch.setattr(
        export, "_execute", lambda write, wanted, view: (written.append(len(wanted)), real(write, wanted, view))
    )
    comp.node()["frame_range"].setValue("custom")
    comp.node()["frames"].setValue("1001-1003")
    comp.refine()
    comp.node()["frames"].setValue("1001-1020")
    comp.refine()
    comp.node()["quality"].setValue("high")
    comp.refine()
    assert sum(written) == comps.COUNT
    assert len(written) == 2


def test_a_range_that_drives_an_expression_is_compared(comp, sign):
    blur = comp.nuke.nodes.Blur(inputs=[comp.node("MaskRead")])
    blur["size"].setExpression("PlateRead.last / 1000")
    comp.node().setInput(1, blur)
    from videomama_nuke import upstream, walk

    then = walk.read(comp.node())
    comp.node("PlateRead")["last"].setValue(1010)
    assert upstream.compare(then, walk.read(comp.node())).changed


def test_the_second_of_a_chain_is_compared_the_same_when_the_script_is_opened_again(comp):
    """Text keeps the found numbers of the mask's outline in another order than the refine found them."""
    second = comp.nuke.nodes.VideoMaMa(inputs=[comp.node(), comp.node("MaskRead")], name="VideoMaMa2")
    second["engine"].setValue("passthrough")
    comp.refine()
    assert comp.refine("VideoMaMa2") == "refined 1001-1020"
    comp.nuke.scriptSave()
    from videomama_nuke import node_state, record

    record._parsed.clear()  # as in another process
    comp.nuke.scriptOpen(str(comp.script))
    node_state.refresh(comp.node("VideoMaMa2"))
    assert comp.status("VideoMaMa2") == "refined 1001-1020"


def test_an_animated_bypass_above_is_the_same_at_every_frame(comp, sign):
    second = comp.nuke.nodes.VideoMaMa(inputs=[comp.node(), comp.node("MaskRead")], name="VideoMaMa2")
    comp.node()["bypass"].setExpression("frame > 1010")
    from videomama_nuke import walk

    first = walk.tree(second)
    comp.nuke.root()["frame"].setValue(1015)
    assert walk.tree(second) == first


def test_a_change_that_is_seen_above_what_cannot_be_checked_leaves_no_frame_of_the_old_mask(comp):
    track(comp)
    blur = comp.nuke.nodes.Blur(inputs=[comp.node("MaskRead")], size=2)
    comp.node("Tracker1").setInput(0, blur)
    assert comp.refine() == "refined 1001-1020; not checked: Tracker1"
    blur["size"].setValue(4)
    comp.node()["frame_range"].setValue("custom")
    comp.node()["frames"].setValue("1001-1004")
    comp.refine()
    comp.node()["frame_range"].setValue("input")
    from videomama_nuke import node_state

    node_state.refresh(comp.node())
    assert comp.status() == "1005-1020 not refined; not checked: Tracker1"


@pytest.mark.parametrize("knob", ["first_frame", "last_frame", "fps"])
def test_a_setting_of_the_project_that_drives_an_expression_is_compared(comp, sign, knob):
    blur = comp.nuke.nodes.Blur(inputs=[comp.node("MaskRead")])
    blur["size"].setExpression(f"root.{knob} / 100")
    comp.node().setInput(1, blur)
    first = sign()
    assert first
    comp.nuke.root()[knob].setValue(30)
    assert sign() not in ("", first)


def test_the_projects_size_in_an_expression_is_the_same_with_the_proxy_on(comp, sign):
    blur = comp.nuke.nodes.Blur(inputs=[comp.node("MaskRead")])
    blur["size"].setExpression("root.width / 100")
    comp.node().setInput(1, blur)
    first = sign()
    comp.nuke.root()["proxy_type"].setValue("scale")
    comp.nuke.root()["proxy_scale"].setValue(0.5)
    comp.nuke.root().setProxy(True)
    assert sign() == first


def test_a_node_that_cannot_be_checked_is_named_as_it_is_called_now(comp):
    tracker = track(comp)
    assert comp.refine() == "refined 1001-1020; not checked: Tracker1"
    tracker.setName("HeadTrack")
    from videomama_nuke import node_state

    node_state.refresh(comp.node())
    assert comp.status() == "refined 1001-1020; not checked: HeadTrack"


def test_a_text_that_only_looks_like_the_project_is_no_doubt(comp):
    from videomama_nuke import walk

    blur = comp.nuke.nodes.Blur(inputs=[comp.node("MaskRead")], name="Blur1")
    blur.addKnob(comp.nuke.String_Knob("note_of_mine"))
    blur["note_of_mine"].setValue("see root.first_frame")
    comp.node().setInput(1, blur)
    assert walk.read(comp.node()).unchecked == ()


def chained(comp, *kinds: str):
    """Put nodes above the mask, the first of them nearest to ours, and return them."""
    made = [getattr(comp.nuke.nodes, kind)() for kind in kinds]
    comp.node().setInput(1, made[0])
    for below, above in zip(made, [*made[1:], comp.node("MaskRead")], strict=True):
        below.setInput(0, above)
    return made


@pytest.mark.parametrize("which", [0, 1, 2])
def test_each_node_of_a_chain_counts_however_far_above(comp, sign, which):
    made = chained(comp, "Blur", "Blur", "Blur")
    first = sign()
    made[which]["size"].setValue(7)
    second = sign()
    assert second not in ("", first)
    made[which]["size"].setValue(made[which]["size"].defaultValue())
    assert sign() == first
    chained(comp, "Blur", "Blur")
    assert sign() not in ("", first, second)


def test_which_input_a_node_hangs_on_counts(comp, sign):
    merge = comp.nuke.nodes.Merge2(inputs=[comp.node("MaskRead"), comp.node("PlateRead")])
    comp.node().setInput(1, merge)
    first = sign()
    for index, name in enumerate(("PlateRead", "MaskRead")):
        merge.setInput(index, comp.node(name))
    assert sign() not in ("", first)
    merge.setInput(1, None)
    assert sign() not in ("", first)


def test_plate_and_mask_are_not_the_same(comp, sign):
    comp.node("MaskRead")["before"].setValue("black")
    first = sign()
    inputs = [comp.node().input(index) for index in (1, 0)]
    for index, found in enumerate(inputs):
        comp.node().setInput(index, found)
    comp.node()["mask_channel"].setValue("rgba.red")
    comp.node()["mask_channel"].setValue("rgba.alpha")
    assert sign() not in ("", first)


def test_without_a_mask_only_the_plate_is_read(comp):
    from videomama_nuke import walk

    comp.node().setInput(1, None)
    assert [source.node for source in walk.read(comp.node()).sources] == ["PlateRead"]


def test_what_a_write_above_names_is_no_source(comp):
    from videomama_nuke import walk

    write = comp.nuke.nodes.Write(inputs=[comp.node("MaskRead")], file="/out/mask.%04d.exr")
    comp.node().setInput(1, write)
    assert sorted(source.node for source in walk.read(comp.node()).sources) == ["MaskRead", "PlateRead"]


def test_a_read_has_its_own_range_and_other_nodes_that_of_the_project(comp):
    from videomama_nuke import walk

    (source,) = [one for one in walk.read(comp.node()).sources if one.node == "MaskRead"]
    assert (source.first, source.last) == (1001, 1020)
    assert (source.text, source.path) == (comp.node("MaskRead")["file"].value(),) * 2
    assert source.seen
    comp.node("MaskRead")["last"].setValue(5)
    (source,) = [one for one in walk.tree(comp.node()).sources if one.node == "MaskRead"]
    assert (source.first, source.last, source.seen) == (1001, 1001, False)
    still = comp.nuke.nodes.Read(file=str(comp.folder / "plate.1001.exr"), first=1, last=9, name="Still1")
    comp.node().setInput(1, still)
    (source,) = [one for one in walk.tree(comp.node()).sources if one.node == "Still1"]
    assert (source.first, source.last) == (0, 0)


def test_views_with_files_of_their_own_are_a_source_each(comp):
    from videomama_nuke import walk

    comp.nuke.root()["views"].fromScript("{left #ff0000}\n{right #00ff00}")
    assert len(walk.tree(comp.node()).sources) == 2
    comp.node("MaskRead")["file"].setValue(str(comp.folder / "%V" / "mask.%04d.exr"))
    paths = [source.path for source in walk.tree(comp.node()).sources if source.node == "MaskRead"]
    assert paths == [str(comp.folder / view / "mask.%04d.exr") for view in ("left", "right")]


@pytest.mark.parametrize(("kind", "shifted"), [("TimeOffset", True), ("FrameHold", True), ("Blur", False)])
def test_a_node_that_shifts_time_is_noted(comp, kind, shifted):
    from videomama_nuke import walk

    chained(comp, "Dot", kind)
    assert walk.tree(comp.node()).shifted is shifted


@pytest.mark.parametrize(("frame", "shifted"), [("", False), ("  ", False), ("frame + 10", True)])
def test_a_read_that_shows_other_frames_shifts_time(comp, frame, shifted):
    from videomama_nuke import walk

    comp.node("MaskRead")["frame"].setValue(frame)
    assert walk.tree(comp.node()).shifted is shifted


@pytest.mark.parametrize("name", ["first_frame", "format"])
def test_of_the_project_its_format_counts_and_its_range_does_not(comp, sign, name):
    first = sign()
    if name == "format":
        comp.nuke.root()["format"].setValue(comp.nuke.addFormat("100 80 0 0 100 80 1 other").name())
        assert sign() not in ("", first)
    else:
        comp.nuke.root()["first_frame"].setValue(990)
        assert sign() == first


def test_of_another_node_of_ours_what_it_shows_counts(comp, sign):
    from videomama_nuke import walk

    second = comp.nuke.nodes.VideoMaMa(inputs=[comp.node(), comp.node()], name="VideoMaMa2")
    found = [walk.read(second).nodes]
    comp.show_alphas()
    found.append(walk.read(second).nodes)
    comp.node()["exposure"].setValue(1)  # changes nothing that is shown
    assert walk.read(second).nodes == found[-1]
    comp.show_alphas()
    found.append(walk.read(second).nodes)
    for name, value in (("bypass", True), ("premultiply", True), ("output", "rgba.red"), ("disable", True)):
        comp.node()[name].setValue(value)
        found.append(walk.read(second).nodes)
    assert len(set(found)) == len(found)
    assert walk.read(second).unchecked == ()


def test_a_driver_that_is_above_anyway_is_read_once(comp, sign):
    blur, grade = chained(comp, "Blur", "Grade")
    blur["size"].setExpression(f"{grade.name()}.multiply * 2")
    first = sign()
    assert first
    grade["multiply"].setValue(3)
    assert sign() not in ("", first)


def test_a_write_that_shows_its_files_has_nothing_above_it(comp):
    from videomama_nuke import walk

    write = comp.node("Write1")
    assert walk.above(write) == [comp.node()]
    write["reading"].setValue(True)
    assert walk.above(write) == []


def test_a_write_without_limits_has_the_projects_range(comp):
    from videomama_nuke import walk

    write = comp.node("Write1")
    root = comp.nuke.root()
    root["first_frame"].setValue(11)
    root["last_frame"].setValue(14)
    write["first"].setValue(3)
    write["last"].setValue(5)
    assert walk._frames(write) == (11, 14)
    write["use_limit"].setValue(True)
    assert walk._frames(write) == (3, 5)
    write["last"].setValue(1)
    assert walk._frames(write) == (3, 3)


def test_the_order_in_which_a_node_lists_its_knobs_changes_nothing(comp):
    from videomama_nuke import walk

    assert walk._digest([{"size": "3", "mix": "0.5"}]) == walk._digest([{"mix": "0.5", "size": "3"}])
    assert walk._digest([{"size": "3"}]) != walk._digest([{"size": "4"}])
    assert walk._digest(["a", "b"]) != walk._digest(["b", "a"])


def test_the_digest_is_that_of_the_scripts_that_were_saved(comp):
    """Another one would make every node that was ever refined stale."""
    from videomama_nuke import walk

    assert walk._digest(["rgba.alpha", {"format": "x"}, [None, 1]]) == "5efd00a605532ce1"


def test_what_is_left_out_stands_for_these_values(offline_comp, numbers_left_out):
    from videomama_nuke import walk

    assert numbers_left_out(walk._Walk) == {"shifted": False}
