"""Scripts: opening, saving, pasting; plug-in paths; what terminal and GUI differ in."""

import sys
from pathlib import Path

import nuke_standin
import pytest
from nuke_standin import api_script, dump, session

GIZMO = """
Gizmo {
 inputs 2
 tile_color 0x5b7f5bff
 addUserKnob {20 tab l Tool}
 addUserKnob {41 size T Blur1.size}
 addUserKnob {7 gain l gain R 0 2}
 gain 0.5
 addUserKnob {1 note +INVISIBLE}
 addUserKnob {26 status T "as made" +DO_NOT_WRITE}
 addUserKnob {41 channel T Copy1.to0}
 addUserKnob {26 ""}
}
 Input {
  inputs 0
  name A
  number 1
 }
set N1 [stack 0]
 Input {
  inputs 0
  name B
 }
 Blur {
  size 3
  name Blur1
 }
push $N1
 Copy {
  inputs 2
  name Copy1
 }
 Switch {
  which {{"\\[exists parent.input1]"}}
  name Switch1
 }
 Output {
  name Output1
 }
end_group
"""
REAL = Path(__file__).parents[3] / "gizmos" / "VideoMaMa.gizmo"
SCRIPT = """version 15.0 v1
Root {
 inputs 0
 first_frame 1001
 last_frame 1020
 format "64 48 0 0 64 48 2 wide"
 views "{left #ff0000}\\n{right #00ff00}"
}
add_layer {roto roto.red roto.alpha}
Read {
 inputs 0
 file_type exr
 file "/a b/ü.%04d.exr"
 first 1001
 origset true
 name Plate
}
set N1 [stack 0]
Grade {
 inputs 1
 white {{"root.first_frame > 5 ? 2 : 1"}}
 add {0.1 0.2 0.3 0}
 name Grade1
 label "two\\nlines \\[value file]"
}
push $N1
Copy {
 inputs 2
 from0 roto.alpha
 to0 roto.red
 name Copy1
 disable {{curve K x1 0 x10 1}}
}
push 0
push $N1
Merge2 {
 inputs 2+1
 operation plus
 name Merge1
}
clone $N1 {
 inputs 0
 xpos 44
}
push $N1
Group {
 name Outer
 addUserKnob {20 User l "My tab"}
 addUserKnob {3 count l Count t "tip \\"q\\"" R 0 9 +INVISIBLE}
 count 4
 addUserKnob {26 ""}
 addUserKnob {4 mode M {one "two words"}}
 mode "two words"
 addUserKnob {41 size T Blur1.size}
 addUserKnob {22 go T "a = \\[1]\\nb = '\\\\n'" -STARTLINE}
}
 Input {
  inputs 0
  name In
 }
 Blur {
  size {{"parent.count + 1"}}
  name Blur1
 }
 Group {
  name Inner
 }
  NoOp {
   inputs 0
   name Deep
  }
 end_group
 Output {
  name Out
 }
end_group
Write {
 file "\\[file dirname \\[value root.name]]/out.%04d.exr"
 file_type exr
 datatype "32 bit float"
 "standard layer name format" true
 name Write1
 disable true
}
"""


def nodes_of(path):
    found = dump.described(Path(path).read_text("utf-8"), "")["nodes"]
    for one in found:
        if one["class"] == "Root":
            one["name"] = one["knobs"].pop("name", None) and "the script"
    return found


@pytest.fixture
def opened(nuke, tmp_path):
    (tmp_path / "first.nk").write_text(SCRIPT, "utf-8")
    nuke.scriptOpen(str(tmp_path / "first.nk"))
    return nuke


@pytest.fixture
def tool(nuke, tmp_path):
    (tmp_path / "Tool.gizmo").write_text(GIZMO, "utf-8")
    nuke.pluginAddPath(str(tmp_path))
    return nuke


def test_a_script_is_there_as_it_was_written(opened):
    assert [node.name() for node in opened.allNodes()] == [
        "Plate",
        "Grade1",
        "Copy1",
        "Merge1",
        "Plate",
        "Outer",
        "Write1",
    ]
    assert opened.root()["first_frame"].value() == 1001
    assert opened.views() == ["left", "right"]
    copy, merge = opened.toNode("Copy1"), opened.toNode("Merge1")
    assert [node.name() for node in copy.real_inputs()] == ["Plate", "Grade1"]
    assert [one and one.name() for one in merge.real_inputs()] == ["Plate", None, "Copy1"]
    assert copy["from0"].value() == "roto.alpha"
    outer = opened.toNode("Outer")
    assert (outer["count"].value(), outer["mode"].value(), outer["go"].value()) == (
        4,
        "two words",
        "a = [1]\nb = '\\n'",
    )
    assert outer.node("Blur1")["size"].value() == 5
    assert outer["size"].value() == 5
    assert opened.toNode("Outer.Inner.Deep").fullName() == "Outer.Inner.Deep"
    assert opened.toNode("Write1")["datatype"].value() == "32 bit float"
    assert opened.toNode("Write1")["standard layer name format"].value() is True
    assert not opened.root().modified()
    assert session.undo_depth() == 0


def test_load_save_load_changes_nothing(opened, tmp_path):
    second, third = str(tmp_path / "second.nk"), str(tmp_path / "third.nk")
    opened.scriptSaveAs(second)
    opened.scriptOpen(second)
    opened.scriptSaveAs(third)
    assert nodes_of(second) == nodes_of(third)
    assert len(nodes_of(second)) == len(nodes_of(tmp_path / "first.nk"))
    assert opened.toNode("Grade1")["white"].value() == 2
    assert opened.toNode("Outer")["go"].value() == "a = [1]\nb = '\\n'"
    assert opened.toNode("Plate").isClone()
    assert opened.toNode("Plate")["file"].value() == "/a b/ü.%04d.exr"


def test_knobs_are_written_in_order_and_only_when_they_differ(nuke):
    node = nuke.nodes.Blur(size=3, label="x", inputs=[])
    node.setXYpos(10, 20)
    node.addKnob(nuke.Int_Knob("mine"))
    text = nuke_standin.saving.selection_text([node])
    lines = [line.strip() for line in text.splitlines()]
    assert lines[lines.index("Blur {") + 1 : lines.index("}")] == [
        "inputs 0", "size 3", "name Blur1", "label x", "xpos 10", "ypos 20", "addUserKnob {20 User}",
        "addUserKnob {3 mine}",
    ]  # fmt: skip


def test_an_input_writes_its_number_last(nuke):
    with nuke.nodes.Group() as group:
        node = nuke.nodes.Input(number=1)
    node.setXYpos(1, 2)
    lines = nuke_standin.saving.selection_text(group.nodes()).splitlines()
    assert lines[lines.index("}") - 1] == " number 1"


def test_trap_a_gizmo_saves_its_own_knobs_and_what_was_set_through_links_only(tool, tmp_path):
    node = tool.nodes.Tool(inputs=[tool.nodes.Constant()])
    node["note"].setValue("kept")
    node["channel"].setValue("rgba.green")
    node["status"].setValue("not kept: DO_NOT_WRITE")
    node.node("Copy1")["bbox"].setValue("A")
    with node:
        tool.nodes.Dot(name="Lost")
    path = str(tmp_path / "a.nk")
    tool.scriptSaveAs(path)
    saved = next(one for one in nodes_of(path) if one["class"] == "Tool")
    assert saved["knobs"] == {"name": "Tool1", "note": "kept", "channel": "rgba.green"}
    tool.scriptOpen(path)
    again = tool.toNode("Tool1")
    assert (again["note"].value(), again.node("Copy1")["to0"].value()) == ("kept", "rgba.green")
    assert again["status"].value() == "as made"
    assert again.node("Copy1")["bbox"].value() == "union"
    assert again.node("Lost") is None
    assert again.input(0).name() == "Constant1"


def test_trap_a_format_knob_before_the_file_type_is_lost(nuke):
    nuke.scriptReadText('Write { inputs 0 datatype "32 bit float" file_type exr compression none }\n')
    write = nuke.toNode("Write1")
    assert (write["datatype"].value(), write["compression"].value()) == ("16 bit half", "none")


def test_trap_of_a_knob_that_comes_twice_the_last_wins(nuke):
    nuke.scriptReadText("Copy { inputs 0 to0 rgba.red to0 rgba.blue }\n")
    assert nuke.toNode("Copy1")["to0"].value() == "rgba.blue"


def test_text_that_is_no_script_changes_nothing(nuke, tmp_path):
    (tmp_path / "bad.nk").write_text("Blur {\n", "utf-8")
    with pytest.raises(RuntimeError, match=r"bad.nk: line 1"):
        nuke.scriptReadFile(str(tmp_path / "bad.nk"))
    assert nuke.allNodes() == []
    with pytest.raises(RuntimeError, match=r"none.nk: No such file"):
        nuke.scriptOpen(str(tmp_path / "none.nk"))


def test_trap_pasted_nodes_get_free_names(nuke, tmp_path):
    nuke.nodes.Blur(size=3).setSelected(True)
    path = str(tmp_path / "clip.nk")
    nuke.nodeCopy(path)
    pasted = nuke.nodePaste(path)
    assert (pasted.name(), pasted["size"].value()) == ("Blur2", 3.0)
    assert pasted.isSelected()
    assert not nuke.toNode("Blur1").isSelected()


def test_pasting_a_gizmo_and_what_hangs_on_it(tool, tmp_path):
    first = tool.nodes.Tool()
    second = tool.nodes.Blur(inputs=[first])
    for node in (first, second):
        node.setSelected(True)
    tool.nodeCopy(str(tmp_path / "c.nk"))
    tool.invertSelection()
    tool.nodePaste(str(tmp_path / "c.nk"))
    assert tool.toNode("Blur2").input(0).name() == "Tool2"


def test_trap_the_clipboard_is_for_a_gui(nuke):
    nuke.nodes.NoOp().setSelected(True)
    with pytest.raises(RuntimeError, match="clipboard"):
        nuke.nodeCopy("%clipboard%")
    with pytest.raises(RuntimeError, match="clipboard"):
        nuke.nodePaste("%clipboard%")


def test_the_clipboard_of_a_gui(gui_nuke):
    gui_nuke.createNode("Blur", "size 4")
    gui_nuke.nodeCopy("%clipboard%")
    assert gui_nuke.nodePaste("%clipboard%")["size"].value() == 4


def test_trap_an_unsaved_script_is_called_root(nuke, tmp_path):
    assert nuke.root().name() == "Root"
    assert nuke.root()["name"].value() == ""
    with pytest.raises(RuntimeError):
        nuke.scriptName()
    with pytest.raises(RuntimeError):
        nuke.scriptSave()
    nuke.scriptSaveAs(str(tmp_path / "a b ü.nk"))
    assert nuke.root().name() == nuke.scriptName() == str(tmp_path / "a b ü.nk")


def test_saving_over_a_file_must_be_said(nuke, tmp_path):
    path = str(tmp_path / "a.nk")
    nuke.scriptSaveAs(path)
    with pytest.raises(RuntimeError, match="exists"):
        nuke.scriptSaveAs(path)
    nuke.scriptSaveAs(path, 1)


def test_a_failed_save_leaves_name_and_flag(nuke, tmp_path):
    nuke.nodes.NoOp()
    with pytest.raises(RuntimeError, match="No such file"):
        nuke.scriptSaveAs(str(tmp_path / "none" / "a.nk"))
    assert nuke.root().name() == "Root"
    assert nuke.root().modified()


def test_a_temporary_copy_leaves_name_and_flag(nuke, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    nuke.nodes.NoOp()
    path = nuke.scriptSaveToTemp("x")
    assert [one["class"] for one in nodes_of(path)] == ["Root", "NoOp"]
    assert (nuke.root().name(), nuke.modified()) == ("Root", True)


def test_trap_pasting_is_one_undo_step_and_modifies_the_script(nuke):
    depth = session.undo_depth()
    nuke.scriptReadText("NoOp { inputs 0 label x }\nGroup { inputs 0 }\nNoOp { inputs 0 }\nend_group\n")
    assert session.undo_depth() == depth + 1
    assert nuke.modified()
    nuke.undo()
    assert nuke.allNodes() == []


def test_the_modified_flag(nuke, tmp_path):
    assert not nuke.modified()
    node = nuke.nodes.NoOp()
    assert nuke.root().modified()
    nuke.scriptSaveAs(str(tmp_path / "a.nk"))
    assert not nuke.modified()
    node["label"].setValue("x")
    assert nuke.modified()
    nuke.root().setModified(False)
    nuke.root().setFrame(9)
    assert not nuke.modified()


def test_clearing_detaches_all_nodes(nuke):
    with nuke.nodes.Group() as group:
        inner = nuke.nodes.NoOp()
    root = nuke.root()
    nuke.scriptClear()
    for node in (group, inner, root):
        with pytest.raises(ValueError, match="not attached"):
            node.name()
    assert nuke.allNodes() == []


def test_views(nuke):
    assert nuke.views() == ["main"]
    nuke.addView("left")
    oc = nuke.OutputContext()
    assert (oc.viewcount(), oc.viewname(1), oc.viewname(2)) == (3, "main", "left")
    oc.setView(2)
    with pytest.raises(ValueError, match="no view 3"):
        oc.setView(3)
    nuke.deleteView("main")
    assert nuke.views() == ["left"]
    with pytest.raises(ValueError, match="no view 'main'"):
        nuke.root().setView("main")
    with pytest.raises(ValueError, match="no view 'right'"):
        nuke.nodes.Write()["views"].setValue("right")


def test_plugin_paths_are_prepended_and_on_sys_path(nuke, tmp_path):
    first, second = str(tmp_path / "a"), str(tmp_path / "b")
    nuke.pluginAddPath(first + "/")
    nuke.pluginAddPath(second)
    nuke.pluginAppendPath(str(tmp_path / "c"), addToSysPath=False)
    assert nuke.pluginPath() == [second, first, str(tmp_path / "c")]
    assert sys.path[:2] == [second, first]
    assert str(tmp_path / "c") not in sys.path


def test_an_init_file_may_add_folders_with_init_files_of_their_own(nuke, tmp_path):
    (tmp_path / "inner").mkdir()
    (tmp_path / "init.py").write_text("import nuke\nnuke.said = ['outer']\nnuke.pluginAddPath('./inner')\n", "utf-8")
    (tmp_path / "inner" / "init.py").write_text("import nuke\nnuke.said.append(__file__)\n", "utf-8")
    assert api_script.run_start_file(str(tmp_path), "init.py")
    assert not api_script.run_start_file(str(tmp_path), "menu.py")
    assert nuke.said == ["outer", str(tmp_path / "inner" / "init.py")]


def test_knob_defaults(nuke):
    nuke.knobDefault("Blur.size", "8")
    nuke.knobDefault("Write.file_type", "exr")
    assert nuke.nodes.Blur()["size"].value() == 8.0
    assert not nuke.nodes.Blur()["size"].notDefault()
    assert nuke.nodes.Write()["datatype"].value() == "16 bit half"


def test_trap_a_terminal_has_no_menus_and_prints_its_messages(nuke, capsys):
    assert (nuke.GUI, nuke.env["gui"], nuke.menu("Nuke")) == (False, False, None)
    nuke.message("hello")
    nuke.warning("careful")
    said = capsys.readouterr()
    assert (said.out, said.err) == ("hello\n", "careful\n")
    with pytest.raises(RuntimeError, match="nobody to ask"):
        nuke.ask("sure?")
    assert "nukescripts" not in sys.modules


def test_a_gui_has_menus_panels_and_a_person(gui_nuke, capsys):
    called = []
    gui_nuke.menu("Nodes").addMenu("Other").addCommand("Deep/Go", lambda: called.append(1), "F9")
    item = gui_nuke.menu("Nodes").findItem("Other/Deep/Go")
    item.invoke()
    assert (called, item.shortcut(), gui_nuke.menu("no such menu")) == ([1], "F9", None)
    gui_nuke.message("hello")
    assert capsys.readouterr().out == ""
    here = session.current()
    here.answers += [True, None]
    assert gui_nuke.ask("sure?")
    assert gui_nuke.getFramesAndViews("range") is None
    assert [kind for kind, _ in here.messages] == ["message", "ask", "frames"]
    from nukescripts import panels

    panels.registerWidgetAsPanel("a.b.Panel", "Name", "id")
    assert here.panels == [("a.b.Panel", "Name", "id")]


def test_trap_what_the_module_lacks_it_says(nuke):
    with pytest.raises(AttributeError, match="stand-in"):
        nuke.noSuchFunction()
    with pytest.raises(TypeError):
        nuke.toNode(3)


def test_a_session_leaves_nothing_behind():
    module = nuke_standin.install()
    node = module.nodes.NoOp()
    nuke_standin.uninstall()
    assert "nuke" not in sys.modules
    fresh = nuke_standin.install()
    assert fresh.allNodes() == []
    assert node not in fresh.allNodes()
    nuke_standin.uninstall()
    with pytest.raises(RuntimeError, match="install"):
        session.current()


def test_versions(nuke):
    nuke_standin.uninstall()
    module = nuke_standin.install(version=(16, 0, 6))
    assert (module.NUKE_VERSION_MAJOR, module.NUKE_VERSION_STRING) == (16, "16.0v6")


def test_our_gizmo_loads_saves_and_loads(nuke, tmp_path):
    nuke.pluginAddPath(str(REAL.parent))
    nuke.onCreateErrors = []
    source = REAL.read_text("utf-8")
    own = tmp_path / "VideoMaMa.gizmo"
    own.write_text(
        "\n".join(line for line in source.splitlines() if "__import__" not in line or "addUser" in line), "utf-8"
    )
    nuke.pluginAddPath(str(tmp_path))
    node = nuke.nodes.VideoMaMa(inputs=[nuke.nodes.Constant(), nuke.nodes.Constant()])
    node["result_file"].setValue("/x/a.%04d.exr")
    node["mask_threshold"].setValue(0.25)
    nuke.scriptSaveAs(str(tmp_path / "a.nk"))
    nuke.scriptOpen(str(tmp_path / "a.nk"))
    again = nuke.toNode("VideoMaMa1")
    assert again.node("vm_result")["file"].value() == "/x/a.%04d.exr"
    assert again["mask_threshold"].value() == 0.25
    assert again.node("vm_export")["disable"].value() is True
    assert again.node("MaskSource")["which"].value() == 1
    saved = next(one for one in nodes_of(tmp_path / "a.nk") if one["class"] == "VideoMaMa")
    assert set(saved["knobs"]) == {"name", "result_file", "mask_threshold"}
