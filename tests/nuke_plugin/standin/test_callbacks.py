"""Callbacks: in which order they run, when they do not, and what they may not do."""

import pytest
from nuke_standin import callbacks, session


@pytest.fixture
def said():
    return []


GIZMO = """Gizmo {
 inputs 0
 onCreate "nuke.said.append('onCreate ' + nuke.thisNode().fullName())"
 onDestroy "nuke.said.append('onDestroy ' + nuke.thisNode().fullName())"
 knobChanged "nuke.said.append('knobChanged ' + nuke.thisKnob().name())"
 addUserKnob {1 note}
 addUserKnob {41 size T Blur1.size}
}
 Blur {
  inputs 0
  onCreate "nuke.said.append('onCreate ' + nuke.thisNode().fullName())"
  onDestroy "nuke.said.append('onDestroy ' + nuke.thisNode().fullName())"
  name Blur1
 }
end_group
"""


@pytest.fixture
def tool(nuke, tmp_path, said):
    (tmp_path / "Tool.gizmo").write_text(GIZMO, "utf-8")
    nuke.pluginAddPath(str(tmp_path))
    nuke.said = said
    return nuke


def test_trap_the_nodes_own_code_runs_first_then_its_class_then_all(nuke, said):
    nuke.said = said
    write = nuke.nodes.Write(beforeRender="nuke.said.append('own')")
    nuke.addBeforeRender(said.append, "all", nodeClass="*")
    nuke.addBeforeRender(said.append, "first")
    nuke.addBeforeRender(said.append, ("second",))
    nuke.addBeforeRender(said.append, "other", nodeClass="Read")
    callbacks.run("beforeRender", write)
    assert said == ["own", "first", "second", "all"]


def test_the_same_callback_twice_is_one_and_can_be_removed(nuke, said):
    write = nuke.nodes.Write()
    for _ in range(2):
        nuke.addBeforeRender(said.append, ("x",))
    nuke.addBeforeRender(said.append, ("y",))
    nuke.removeBeforeRender(said.append, ("x",))
    nuke.removeBeforeRender(said.append, ("never added",))
    callbacks.run("beforeRender", write)
    assert said == ["y"]


def test_defaults_of_the_classes(nuke, said):
    nuke.addBeforeRender(said.append, "render")
    nuke.addOnScriptSave(said.append, "save")
    nuke.addOnCreate(said.append, "create")
    assert [callbacks.registered(kind, None) for kind in ("beforeRender", "onScriptSave")] == [[], []]
    assert callbacks.registered("onScriptSave", nuke.root())
    nuke.nodes.NoOp()
    assert said == ["create"]


def test_autolabels_and_filename_filters_run_newest_first(nuke, said):
    node = nuke.nodes.Read(file="/a/x.exr")
    nuke.addAutolabel(lambda: "first")
    nuke.addAutolabel(lambda: "second")
    assert callbacks.label(node) == "second"
    node["autolabel"].setValue("nuke.thisNode().name() + '!'")
    assert callbacks.label(node) == "Read1!"
    nuke.addFilenameFilter(lambda path: path + ".one")
    nuke.addFilenameFilter(lambda path: path + ".two")
    assert node["file"].evaluate() == "/a/x.exr.two.one"
    assert node["file"].value() == "/a/x.exr"


def test_trap_this_node_is_the_inner_write_and_its_parent_the_gizmo(nuke, said):
    group = nuke.nodes.Group()
    with group:
        write = nuke.nodes.Write()
    nuke.addBeforeRender(lambda: said.extend([nuke.thisNode(), nuke.thisGroup(), nuke.thisParent()]))
    callbacks.run("beforeRender", write)
    assert said == [write, group, group]


def test_trap_an_exception_goes_to_the_caller_and_ends_the_rest(nuke, said):
    def fail():
        raise RuntimeError("no")

    nuke.addBeforeRender(fail)
    nuke.addBeforeRender(said.append, "later")
    with pytest.raises(RuntimeError, match="no"):
        callbacks.run("beforeRender", nuke.nodes.Write())
    assert said == []
    assert session.current().this == []
    assert not nuke.executing()


def test_trap_while_a_callback_of_a_render_runs_nuke_is_busy(gui_nuke, said):
    write = gui_nuke.nodes.Write()

    def try_all():
        assert gui_nuke.executing()
        calls = (
            lambda: gui_nuke.execute(write, 1, 1), lambda: gui_nuke.createNode("NoOp"), lambda: gui_nuke.nodes.NoOp(),
            lambda: gui_nuke.delete(write), lambda: gui_nuke.message("x"), lambda: gui_nuke.scriptClear(),
        )  # fmt: skip
        for call in calls:
            with pytest.raises(RuntimeError, match="I'm already executing something else"):
                call()
            said.append(call)

    gui_nuke.addBeforeRender(try_all)
    callbacks.run("beforeRender", write)
    assert len(said) == 6
    gui_nuke.createNode("NoOp")


def test_trap_a_knob_changed_cannot_execute_either(gui_nuke):
    node = gui_nuke.createNode(
        "NoOp", "knobChanged {nuke.thisKnob().name() == 'label' and nuke.execute('Write1', 1, 1)}"
    )
    with pytest.raises(RuntimeError, match="I'm already executing something else"):
        node["label"].setValue("x")


def test_a_button_is_free_to_do_anything(nuke, said):
    nuke.said = said
    node = nuke.nodes.NoOp()
    node.addKnob(
        nuke.PyScript_Knob("go", "Go", "nuke.said.append((nuke.thisNode(), nuke.thisKnob().name()))\nnuke.nodes.Dot()")
    )
    node["go"].execute()
    assert said == [(node, "go")]
    assert nuke.toNode("Dot1") is not None


def test_an_error_in_a_button_reaches_who_pressed_it(nuke):
    node = nuke.nodes.NoOp()
    node.addKnob(nuke.PyScript_Knob("go", "Go", "1 / 0"))
    with pytest.raises(ZeroDivisionError):
        node["go"].execute()


def test_trap_knob_changed_runs_with_the_panel_open_only(gui_nuke, said):
    node = gui_nuke.nodes.NoOp()
    gui_nuke.addKnobChanged(lambda: said.append(gui_nuke.thisKnob().name()))
    node["label"].setValue("closed")
    assert said == []
    node.showControlPanel()
    node["label"].setValue("open")
    node["label"].setValue("open")
    node.hideControlPanel()
    node["label"].setValue("closed again")
    assert said == ["showPanel", "label", "hidePanel"]


def test_knob_changed_of_one_node_is_told_by_identity(gui_nuke, said):
    node, other = gui_nuke.createNode("NoOp"), gui_nuke.createNode("NoOp")
    gui_nuke.addKnobChanged(said.append, ("one",), node=node)
    other["label"].setValue("x")
    assert said == []
    node["label"].setValue("x")
    assert said == ["one"]


def test_trap_knob_changed_is_not_recursive_unless_the_knob_says_so(gui_nuke, said):
    node = gui_nuke.createNode("NoOp")

    def change():
        said.append(gui_nuke.thisKnob().name())
        if len(said) < 5:
            gui_nuke.thisNode()["help"].setValue(gui_nuke.thisNode()["label"].value() + str(len(said)))

    gui_nuke.addKnobChanged(change)
    node["label"].setValue("x")
    assert said == ["label"]
    node["help"].setFlag(gui_nuke.KNOB_CHANGED_RECURSIVE)
    said.clear()
    node["label"].setValue("y")
    assert said == ["label", "help", "help", "help", "help"]


def test_trap_an_input_change_is_reported_with_the_panel_closed(nuke, said):
    node = nuke.nodes.Blur()
    nuke.addKnobChanged(lambda: said.append((nuke.thisNode().name(), nuke.thisKnob().name())))
    node.setInput(0, nuke.nodes.Constant())
    assert said == [("Blur1", "inputChange")]


def test_trap_knob_changed_runs_while_a_script_is_read(tool, said):
    tool.nodes.Tool()
    assert "knobChanged note" not in said
    said.clear()
    tool.scriptReadText("Tool {\n inputs 0\n note hello\n size 9\n name T\n}\n")
    assert [one for one in said if one.startswith("knobChanged")] == [
        "knobChanged note",
        "knobChanged size",
        "knobChanged name",
    ]


def test_trap_on_create_runs_for_inner_nodes_first_and_on_destroy_for_the_group_first(tool, said):
    node = tool.nodes.Tool()
    assert said == ["onCreate Tool1.Blur1", "onCreate Tool1"]
    said.clear()
    tool.delete(node)
    assert said == ["onDestroy Tool1", "onDestroy Tool1.Blur1"]


def test_trap_on_user_create_runs_for_people_only(gui_nuke, said):
    gui_nuke.addOnUserCreate(lambda: said.append(gui_nuke.thisNode().name()))
    gui_nuke.createNode("NoOp")
    gui_nuke.nodes.NoOp()
    gui_nuke.scriptReadText("NoOp { inputs 0 }\n")
    assert said == ["NoOp1"]


def test_trap_on_user_create_never_runs_in_a_terminal(nuke, said):
    nuke.addOnUserCreate(said.append, "x")
    nuke.createNode("NoOp")
    assert said == []


def test_on_create_runs_on_load_too_and_its_errors_are_load_errors(nuke, said):
    nuke.addOnCreate(lambda: said.append(nuke.thisNode().name()))
    nuke.scriptReadText("NoOp { inputs 0 name A }\nGroup { name G }\nNoOp { inputs 0 name B }\nend_group\n")
    assert said == ["A", "B", "G"]
    nuke.addOnCreate(lambda: 1 / 0)
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        nuke.scriptReadText("NoOp { inputs 0 name C }\n")
    assert nuke.toNode("C") is not None


def test_script_callbacks(nuke, tmp_path, said):
    for kind in ("Load", "Save", "Close"):
        getattr(nuke, f"addOnScript{kind}")(lambda kind=kind: said.append((kind, nuke.thisNode() is nuke.root())))
    path = str(tmp_path / "a.nk")
    nuke.scriptSaveAs(path)
    nuke.scriptOpen(path)
    nuke.scriptClear()
    assert said == [("Save", True), ("Close", True), ("Load", True), ("Close", True)]


def test_update_ui_runs_when_the_main_loop_is_idle(gui_nuke, said):
    gui_nuke.addUpdateUI(lambda: said.append(gui_nuke.thisNode().name()), nodeClass="NoOp")
    gui_nuke.nodes.NoOp()
    gui_nuke.nodes.Dot()
    callbacks.idle()
    assert said == ["NoOp1"]


@pytest.mark.parametrize(
    ("named", "count"), [("Blur", 1), ("Bl", 0), ("Blur*", 0), ("blur", 0), ("*", 2), ("Group", 1)]
)
def test_update_ui_goes_by_the_whole_name_of_a_class(gui_nuke, said, named, count):
    gui_nuke.addUpdateUI(said.append, 1, nodeClass=named)
    gui_nuke.nodes.Blur()
    gui_nuke.nodes.Group(name="Blur")
    callbacks.idle()
    assert len(said) == count


def test_callbacks_of_one_node(gui_nuke, said):
    node = gui_nuke.createNode("NoOp")
    node.addCallback("knobChanged", lambda: said.append(gui_nuke.thisKnob().name()))
    node["label"].setValue("x")
    node.clearCallbacks()
    node["label"].setValue("y")
    assert said == ["label"]
    with pytest.raises(ValueError, match="no callback"):
        node.addCallback("nothing", said.append)


def test_only_callables_are_taken(nuke):
    with pytest.raises(ValueError, match="callable"):
        nuke.addOnCreate("print(1)")
    with pytest.raises(TypeError):
        nuke.addOnCreate(print, nodeclass="Write")
