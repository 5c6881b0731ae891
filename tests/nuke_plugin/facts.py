"""What the plug-in takes for granted of Nuke, each as a small function that fails where it is not so.

The same functions run in the stand-in (test_facts.py) and inside a real Nuke (validate_under_nuke.py): that is how the
stand-in is held against the truth. They use `nuke` and the standard library alone, and work in terminal mode.

Taken for granted too, and checked in no real Nuke, because terminal Python cannot ask for it:
- `nuke.rawArgs` of `nuke -x` has the command line's words in order, so that a range behind the script is its last.
- Whether Nuke reads `1,100` there as a range or as two frames; the guard relies on neither.
- A Write of `rgb` asks a Copy above it for no alpha; a file that is missing there may all the same be an error.
- A folder's name may have spaces, ], { and } in it; %, # and [ stand for something else, so the plug-in refuses these.
- Inside a Precomp the project's settings are those of the script around it; `reading` shows the files of its Write.
- A Precomp's nodes run `onCreate` when it reads its script, and `allNodes` with `recurseGroups` lists them.
- Python's handlers of SIGTERM and SIGINT run in `nuke -t`, during a render at the latest before its next frame.
- `toScript` of a knob that nobody changed gives the same text in every session, that of a Roto's curves included.
- Of a class, a knob or a value that it does not know, a real Nuke says "Unknown command" or the like and leaves it out.
  The stand-in keeps it as text and refuses only the picture, so that scripts with gizmos of other people open in it.
- `addUpdateUI` goes by the whole name of a class; a gizmo made into a group is a Group there.
- What Roto's flags and attributes mean, where hard edges fall between pixels, and how filters shrink a picture.
- Inputs are connected when `onScriptLoad` runs, and the knobs of a script are set when `onCreate` does.
- A Read shows the channel `hero.A` of an EXR as `hero.alpha`, and a Copy with rows of `none` changes nothing.
- Under a farm's path mapping Nuke opens what `nuke.filenameFilter` returns for a path whose frame is still `%04d`.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import facts_scripts

Fact = Callable[[Any, Path], None]


def raises(kind: type[BaseException], call: Callable[[], Any], said: str = "") -> None:
    """Fail unless `call` raises an error of this kind whose text holds `said`."""
    try:
        call()
    except kind as error:
        found = str(error)
    else:
        raise AssertionError(f"no {kind.__name__} was raised")
    assert said in found, f"{said!r} is not in {found:.200}"


def fact_a_missing_knob_is_a_name_error_by_index_and_none_by_name(nuke: Any, folder: Path) -> None:
    node = nuke.nodes.NoOp()
    raises(NameError, lambda: node["no_such_knob"])
    assert node.knob("no_such_knob") is None


def fact_an_enumeration_takes_names_and_positions(nuke: Any, folder: Path) -> None:
    knob = nuke.nodes.Read()["before"]
    knob.setValue("loop")
    assert knob.value() == "loop"
    knob.setValue(0)
    assert knob.value() == "hold"


def fact_booleans_are_booleans(nuke: Any, folder: Path) -> None:
    knob = nuke.nodes.Write()["disable"]
    knob.setValue(True)
    assert knob.value() is True


def fact_names_are_made_unique(nuke: Any, folder: Path) -> None:
    first, second = nuke.nodes.NoOp(name="Same1"), nuke.nodes.NoOp(name="Same1")
    assert first.name() != second.name()


def fact_full_names_lead_into_groups(nuke: Any, folder: Path) -> None:
    group = nuke.nodes.Group(name="Outer1")
    with group:
        inner = nuke.nodes.NoOp(name="Inner1")
    assert inner.fullName() == "Outer1.Inner1"
    assert nuke.toNode("Outer1.Inner1").fullName() == inner.fullName()
    assert nuke.toNode("Inner1") is None


def fact_the_top_of_the_stack_is_the_first_input(nuke: Any, folder: Path) -> None:
    script = folder / "stack.nk"
    script.write_text(
        "Constant {\n inputs 0\n name A\n}\nset NA [stack 0]\nConstant {\n inputs 0\n name B\n}\n"
        "push $NA\nMerge2 {\n inputs 2\n name M\n}\npush 0\npush $NA\nSwitch {\n inputs 2\n name S\n}\n"
    )
    nuke.scriptReadFile(str(script))
    merge, switch = nuke.toNode("M"), nuke.toNode("S")
    assert (merge.input(0).name(), merge.input(1).name()) == ("A", "B")
    assert (switch.input(0).name(), switch.input(1)) == ("A", None)


def fact_raw_file_names_are_kept_and_evaluated_ones_hold_the_frame(nuke: Any, folder: Path) -> None:
    nuke.root()["frame"].setValue(7)
    knob = nuke.nodes.Read(file="/x/plate.####.exr")["file"]
    assert knob.value() == "/x/plate.####.exr"
    assert knob.getEvaluatedValue() == "/x/plate.%04d.exr"
    assert knob.evaluate() == "/x/plate.0007.exr"


def fact_lines_of_a_text_knob_are_kept_in_a_script(nuke: Any, folder: Path) -> None:
    node = nuke.nodes.NoOp(name="Lines1")
    node.addKnob(nuke.Multiline_Eval_String_Knob("then", "further stages"))
    lines = "classic window=8\nown title='a {b}' strength=0.5"
    node["then"].setValue(lines)
    assert node["then"].value().splitlines() == lines.splitlines()
    script = folder / "lines.nk"
    nuke.scriptSaveAs(str(script), 1)
    nuke.scriptClear()
    nuke.scriptOpen(str(script))
    assert nuke.toNode("Lines1")["then"].value().splitlines() == lines.splitlines()


def fact_filename_filters_change_the_path_that_is_opened(nuke: Any, folder: Path) -> None:
    def moved(path: str) -> Any:
        return path.replace("/here/", "/farm/") if path.startswith("/here/") else None

    nuke.addFilenameFilter(moved)
    try:
        assert nuke.filenameFilter("/here/a.%04d.exr") == "/farm/a.%04d.exr"
        assert nuke.filenameFilter("/other/a.exr") == "/other/a.exr"
    finally:
        nuke.removeFilenameFilter(moved)


def fact_a_relative_path_lies_in_the_project_directory(nuke: Any, folder: Path) -> None:
    knob = nuke.root()["project_directory"]
    knob.setValue(folder.as_posix())
    assert knob.evaluate() == folder.as_posix()
    try:
        nuke.execute(_write(nuke, Path("relative.%04d.exr")), 1, 1)
    finally:
        knob.setValue("")
    assert (folder / "relative.0001.exr").is_file()


def fact_tcl_in_a_file_name_is_evaluated(nuke: Any, folder: Path) -> None:
    nuke.nodes.NoOp(name="Place1")["label"].setValue("/shot")
    knob = nuke.nodes.Read(file="[value Place1.label]/a.%04d.exr")["file"]
    assert knob.value() == "[value Place1.label]/a.%04d.exr"
    assert knob.getEvaluatedValue() == "/shot/a.%04d.exr"


def fact_a_driven_knob_says_so_and_names_its_driver(nuke: Any, folder: Path) -> None:
    driver, driven = nuke.nodes.Grade(name="Driver1"), nuke.nodes.Blur(name="Driven1")
    knob = driven["size"]
    assert not knob.isAnimated()
    assert not knob.hasExpression()
    knob.setExpression("Driver1.multiply + frame")
    assert knob.hasExpression()
    assert knob.getValueAt(4) == 5
    assert [node.name() for node in driven.dependencies(nuke.EXPRESSIONS)] == [driver.name()]


def fact_hidden_inputs_are_dependents_of_their_own_kind(nuke: Any, folder: Path) -> None:
    source = nuke.nodes.Constant()
    hidden = nuke.nodes.NoOp(inputs=[source], hide_input=True)
    assert source.dependent(nuke.INPUTS) == []
    assert [node.name() for node in source.dependent(nuke.INPUTS | nuke.HIDDEN_INPUTS)] == [hidden.name()]


def fact_a_group_says_where_it_ends_and_an_input_what_it_stands_for(nuke: Any, folder: Path) -> None:
    source, group = nuke.nodes.Constant(), nuke.nodes.Group(name="Wrapped1")
    with group:
        inside = nuke.nodes.Input(name="in")
        end = nuke.nodes.Output(inputs=[inside])
    group.setInput(0, source)
    assert group.output().name() == end.name()
    assert inside.parent().input(int(inside["number"].value())).name() == source.name()


def fact_a_precomp_holds_the_nodes_of_its_script_which_are_not_saved_around_it(nuke: Any, folder: Path) -> None:
    inside, outside = folder / "inside.nk", folder / "outside.nk"
    inside.write_text("Constant {\n inputs 0\n name Held1\n}\nOutput {\n name Output1\n}\n", encoding="utf-8")
    precomp = nuke.nodes.Precomp(name="Held1Precomp", file=inside.as_posix())
    assert precomp.output().input(0).fullName() == "Held1Precomp.Held1"
    assert precomp.node("Held1").parent() == precomp
    assert "Held1Precomp.Held1" in [node.fullName() for node in nuke.allNodes(recurseGroups=True)]
    precomp.node("Held1")["label"].setValue("changed inside")
    nuke.scriptSaveAs(str(outside), 1)
    nuke.scriptClear()
    nuke.scriptOpen(str(outside))
    assert nuke.toNode("Held1Precomp.Held1")["label"].value() == ""
    assert not nuke.toNode("Held1Precomp")["reading"].value()
    assert not nuke.toNode("Held1Precomp")["useOutput"].value()


def fact_ranges_are_read_as_people_write_them(nuke: Any, folder: Path) -> None:
    assert list(nuke.FrameRanges(["1-5x2", "9"]).toFrameList()) == [1, 3, 5, 9]
    span = nuke.FrameRange("1-10x3")
    assert (span.first(), span.last(), span.increment()) == (1, 10, 3)


def fact_a_deleted_node_is_a_value_error(nuke: Any, folder: Path) -> None:
    node = nuke.nodes.NoOp()
    nuke.delete(node)
    raises(ValueError, lambda: node.name(), "not attached to a node")


def fact_an_unsaved_script_is_called_root(nuke: Any, folder: Path) -> None:
    nuke.scriptClear()
    assert nuke.root().name() == "Root"


def fact_an_unknown_channel_is_a_value_error(nuke: Any, folder: Path) -> None:
    raises(ValueError, lambda: nuke.nodes.Copy()["to0"].setValue("nolayer.nochannel"))


def fact_a_layer_that_was_added_is_known(nuke: Any, folder: Path) -> None:
    nuke.Layer("fact", ["fact.alpha"])
    knob = nuke.nodes.Copy()["to0"]
    knob.setValue("fact.alpha")
    assert knob.value() == "fact.alpha"


def fact_nodes_that_make_no_file_cannot_be_executed(nuke: Any, folder: Path) -> None:
    node = nuke.nodes.Constant()
    raises(RuntimeError, lambda: nuke.execute(node, 1, 1), "cannot be executed")


def fact_many_frames_need_a_number_in_the_name(nuke: Any, folder: Path) -> None:
    write = _write(nuke, folder / "one.exr")
    raises(RuntimeError, lambda: nuke.execute(write, 1, 2), "cannot be executed for multiple frames")


def fact_a_render_writes_every_frame_of_ranges(nuke: Any, folder: Path) -> None:
    write = _write(nuke, folder / "r.%04d.exr")
    nuke.execute(write, nuke.FrameRanges(["1-2", "5"]), ["main"])
    assert sorted(path.name for path in folder.glob("r.*.exr")) == ["r.0001.exr", "r.0002.exr", "r.0005.exr"]


def fact_a_folder_that_is_not_there_is_an_error_unless_asked_for(nuke: Any, folder: Path) -> None:
    write = _write(nuke, folder / "deep" / "r.%04d.exr")
    write["create_directories"].setValue(False)
    raises(RuntimeError, lambda: nuke.execute(write, 1, 1))
    write["create_directories"].setValue(True)
    nuke.execute(write, 1, 1)
    assert (folder / "deep" / "r.0001.exr").is_file()


def fact_a_missing_file_is_an_error_by_default(nuke: Any, folder: Path) -> None:
    read = nuke.nodes.Read(file=(folder / "none.%04d.exr").as_posix(), first=1, last=5)
    assert read["on_error"].value() == "error"
    write = _write(nuke, folder / "r.%04d.exr", read)
    raises(RuntimeError, lambda: nuke.execute(write, 1, 1), "No such file")


def fact_an_error_in_a_callback_ends_the_render(nuke: Any, folder: Path) -> None:
    said: list[str] = []

    def refuse() -> None:
        said.append(nuke.thisNode().name())
        raise RuntimeError("refused on purpose")

    write = _write(nuke, folder / "r.%04d.exr")
    nuke.addBeforeRender(refuse)
    try:
        raises(RuntimeError, lambda: nuke.execute(write, 1, 1), "refused on purpose")
    finally:
        nuke.removeBeforeRender(refuse)
    assert said == [write.name()]
    assert not list(folder.glob("r.*.exr"))


def fact_a_render_cannot_start_another(nuke: Any, folder: Path) -> None:
    outer, inner = _write(nuke, folder / "o.%04d.exr"), _write(nuke, folder / "i.%04d.exr")

    def nest() -> None:
        nuke.execute(inner, 1, 1)

    nuke.addBeforeRender(nest)
    try:
        raises(RuntimeError, lambda: nuke.execute(outer, 1, 1), "already executing")
    finally:
        nuke.removeBeforeRender(nest)


def fact_nuke_says_whether_it_renders(nuke: Any, folder: Path) -> None:
    said: list[bool] = []

    def note() -> None:
        said.append(bool(nuke.executing()))

    write = _write(nuke, folder / "r.%04d.exr")
    nuke.addBeforeFrameRender(note)
    try:
        nuke.execute(write, 1, 1)
    finally:
        nuke.removeBeforeFrameRender(note)
    assert said == [True]
    assert not nuke.executing()


def fact_the_frame_is_known_before_each_frame(nuke: Any, folder: Path) -> None:
    frames: list[int] = []

    def note() -> None:
        frames.append(int(nuke.frame()))

    nuke.addBeforeFrameRender(note)
    try:
        nuke.execute(_write(nuke, folder / "r.%04d.exr"), 3, 5)
    finally:
        nuke.removeBeforeFrameRender(note)
    assert frames == [3, 4, 5]


def fact_a_new_file_under_a_known_name_is_seen_after_reload(nuke: Any, folder: Path) -> None:
    source = nuke.nodes.Constant(channels="rgba", color=[0.25, 0.25, 0.25, 0.25])
    first = _write(nuke, folder / "c.%04d.exr", source)
    read = nuke.nodes.Read(file=(folder / "c.%04d.exr").as_posix(), first=1, last=1, raw=True)
    second = _write(nuke, folder / "d.%04d.exr", read)
    pictures = []
    for value in (0.25, 0.75):
        source["color"].setValue([value] * 4)
        nuke.execute(first, 1, 1)
        read["reload"].execute()
        nuke.execute(second, 1, 1)
        pictures.append((folder / "d.0001.exr").read_bytes())
    assert pictures[0] != pictures[1]


def fact_undo_can_be_switched_off_and_on(nuke: Any, folder: Path) -> None:
    undo = nuke.Undo()
    undo.disable()
    assert undo.disabled()
    undo.enable()
    assert not undo.disabled()


def fact_the_modified_flag_can_be_put_back(nuke: Any, folder: Path) -> None:
    root = nuke.root()
    root.setModified(False)
    nuke.nodes.NoOp()
    root.setModified(False)
    assert not root.modified()


def fact_the_proxy_can_be_switched(nuke: Any, folder: Path) -> None:
    root = nuke.root()
    root.setProxy(True)
    assert root.proxy()
    root.setProxy(False)
    assert not root.proxy()


def fact_the_gizmo_wires_as_drawn(nuke: Any, folder: Path) -> None:
    node = nuke.nodes.VideoMaMa(inputs=[nuke.nodes.Constant(name="Plate"), nuke.nodes.Constant(name="Mask")])
    wires = {
        "MaskSource": ("plate", "mask"),
        "MaskCopy": ("plate", "MaskSource"),
        "KeepRGBA": ("MaskCopy",),
        "vm_export": ("KeepRGBA",),
        "MainAlpha": ("vm_result", "vm_result"),
        "AlphaForColour": ("plate", "MainAlpha"),
        "Colour": ("AlphaForColour",),
        "ColourCopy": ("plate", "Colour"),
        "AlphaCopy": ("ColourCopy", "MainAlpha"),
        "ObjectCopy": ("AlphaCopy", "vm_result"),
        "Bypass": ("ObjectCopy", "plate"),
        "Output1": ("Bypass",),
    }
    for name, inputs in wires.items():
        inner = node.node(name)
        assert tuple(inner.input(index).name() for index in range(len(inputs))) == inputs, name
    assert node.node("vm_export")["disable"].value() is True


def fact_links_reach_the_nodes_inside(nuke: Any, folder: Path) -> None:
    node = nuke.nodes.VideoMaMa()
    node["result_file"].getLinkedKnob().setValue("/x/alpha.%04d.exr")
    assert node.node("vm_result")["file"].value() == "/x/alpha.%04d.exr"
    node["result_first"].getLinkedKnob().setValue(1001)
    assert int(node.node("vm_result")["first"].value()) == 1001


def fact_a_gizmo_saves_its_own_knobs_and_links(nuke: Any, folder: Path) -> None:
    node = nuke.nodes.VideoMaMa(name="Kept1")
    node["result_file"].getLinkedKnob().setValue("/x/alpha.%04d.exr")
    node["record"].setValue('{"clip": "1-2"}')
    node["frame_range"].setValue("custom")
    script = folder / "kept.nk"
    nuke.scriptSaveAs(str(script), 1)
    nuke.scriptClear()
    nuke.scriptOpen(str(script))
    loaded = nuke.toNode("Kept1")
    assert loaded.Class() == "VideoMaMa"
    assert loaded.node("vm_result")["file"].value() == "/x/alpha.%04d.exr"
    assert loaded["record"].value() == '{"clip": "1-2"}'
    assert loaded["frame_range"].value() == "custom"


def fact_the_main_thread_serves_nobody_in_a_terminal(nuke: Any, folder: Path) -> None:
    assert not nuke.GUI
    called = threading.Event()
    worker = threading.Thread(target=lambda: nuke.executeInMainThread(called.set), daemon=True)
    worker.start()
    worker.join(5)
    assert not called.wait(0.3)


def fact_the_box_has_four_numbers(nuke: Any, folder: Path) -> None:
    knob = nuke.nodes.VideoMaMa()["roi_box"]
    knob.setValue([1, 2, 30, 40])
    assert [knob.x(), knob.y(), knob.r(), knob.t()] == [1, 2, 30, 40]


def fact_a_point_has_two_numbers_and_knobs_of_a_gizmo_can_be_hidden(nuke: Any, folder: Path) -> None:
    node = nuke.nodes.VideoMaMa()
    node["point"].setValue([1.5, 2.5])
    assert [node["point"].x(), node["point"].y()] == [1.5, 2.5]
    node["point"].setVisible(True)
    assert node["point"].visible()
    node["point"].setVisible(False)
    assert not node["point"].visible()


def fact_a_link_to_a_channel_takes_a_new_layer_and_none(nuke: Any, folder: Path) -> None:
    node = nuke.nodes.VideoMaMa()
    nuke.Layer("videomama_hero", ["videomama_hero.alpha"])
    for value in ("videomama_hero.alpha", "none"):
        node["object_from0"].setValue(value)
        assert node.node("ObjectCopy")["from0"].value() == value


def _write(nuke: Any, path: Path, source: Any = None) -> Any:
    write = nuke.nodes.Write(file=path.as_posix(), file_type="exr", inputs=[source or nuke.nodes.Constant()])
    write["channels"].setValue("rgba")
    write["raw"].setValue(True)
    return write


def every() -> Iterator[tuple[str, Fact]]:
    """Yield each fact with its name as a sentence, in the order in which they stand here."""
    for module in (globals(), vars(facts_scripts)):
        found = [(name, value) for name, value in module.items() if name.startswith("fact_")]
        for name, fact in sorted(found, key=lambda item: inspect.getsourcelines(item[1])[1]):
            yield name[len("fact_") :].replace("_", " "), fact
