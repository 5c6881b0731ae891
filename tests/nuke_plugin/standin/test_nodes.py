"""Nodes: names, inputs, groups, gizmos, deleting, cloning."""

import nuke_standin
import pytest

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
  size {{"parent.gain * 10" i}}
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


@pytest.fixture
def tool(nuke, tmp_path):
    """Make a gizmo `Tool` known and return the module."""
    (tmp_path / "Tool.gizmo").write_text(GIZMO.replace('size {{"parent.gain * 10" i}}', "size 3"), "utf-8")
    nuke.pluginAddPath(str(tmp_path))
    return nuke


def test_trap_names_do_not_collide(nuke):
    assert [nuke.nodes.Write().name() for _ in range(3)] == ["Write1", "Write2", "Write3"]
    other = nuke.nodes.NoOp(name="Write2")
    assert other.name() == "Write4"
    other.setName("Mine")
    assert nuke.toNode("Mine") is other
    assert nuke.nodes.Write().name() == "Write4"


def test_names_that_are_taken_or_no_names(nuke):
    node, other = nuke.nodes.NoOp(), nuke.nodes.NoOp()
    with pytest.raises(ValueError, match="already"):
        node.setName(other.name(), uncollide=False)
    with pytest.raises(ValueError, match="Invalid"):
        node.setName("two words")


def test_expressions_and_files_follow_a_new_name(nuke):
    node, other = nuke.nodes.NoOp(), nuke.nodes.Read(name="R")
    node["disable"].setExpression("R.raw")
    other["file"].setValue("/x/[value R.first]/R.exr")
    other.setName("Renamed")
    assert "Renamed.raw" in node["disable"].toScript()
    assert other["file"].value() == "/x/[value Renamed.first]/R.exr"


def test_trap_full_names_lead_through_groups(nuke):
    group = nuke.nodes.Group()
    with group:
        write = nuke.nodes.Write()
        assert nuke.toNode("Write1") is write
        assert nuke.toNode("Group1") is None
        assert nuke.toNode("root.Group1") is group
    assert write.fullName() == "Group1.Write1"
    assert nuke.toNode("Group1.Write1") is write
    assert nuke.toNode("Write1") is None
    assert (nuke.root().fullName(), nuke.toNode("root"), group.parent()) == ("root", nuke.root(), nuke.root())
    assert nuke.toNode("preferences") is not None


def test_trap_a_group_is_the_place_for_new_nodes_only_while_it_is_open(nuke):
    group = nuke.nodes.Group()

    def fail():
        with group:
            nuke.createNode("NoOp")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    nuke.createNode("Dot")
    assert [node.Class() for node in group.nodes()] == ["NoOp"]
    group.begin()
    nuke.createNode("Dot")
    group.end()
    assert len(nuke.allNodes()) == 2
    assert len(nuke.allNodes(recurseGroups=True)) == 4
    assert len(nuke.allNodes("Dot", group)) == 1


def test_trap_create_node_connects_to_the_selection_and_nodes_do_not(gui_nuke):
    first = gui_nuke.createNode("Constant")
    second = gui_nuke.createNode("Blur")
    third = gui_nuke.nodes.Blur()
    assert second.input(0) is first
    assert third.input(0) is None
    assert (second.shown(), third.shown()) == (True, False)
    assert gui_nuke.selectedNodes() == [second]
    assert not gui_nuke.createNode("Blur", inpanel=False).shown()


def test_create_node_takes_text_and_nodes_take_names(nuke):
    assert nuke.createNode("Blur", "size 4 label {a b}")["label"].value() == "a b"
    made = nuke.nodes.Blur(size=[3, 4], inputs=[nuke.nodes.Constant()], name="Mine", channels="rgba")
    assert (made["size"].value(), made.input(0).name(), made.name()) == ([3.0, 4.0], "Constant1", "Mine")
    count = len(nuke.allNodes())
    with pytest.raises(NameError):
        nuke.nodes.Blur(nothing=1)
    with pytest.raises(ValueError, match="no knob named"):
        nuke.createNode("Blur", "nothing 1")
    assert len(nuke.allNodes()) == count


def test_classes_that_are_not_known_are_refused(nuke):
    with pytest.raises(RuntimeError, match="NotThere: Unknown command"):
        nuke.createNode("NotThere")
    with pytest.raises(AttributeError):
        nuke.nodes.NotThere()


def test_inputs(nuke):
    copy, a, b = nuke.nodes.Copy(), nuke.nodes.Constant(), nuke.nodes.Constant()
    assert copy.setInput(1, a)
    assert (copy.inputs(), copy.input(0), copy.input(1), copy.input(7)) == (2, None, a, None)
    assert copy.connectInput(0, b)
    assert copy.real_inputs() == [b, a]
    assert (copy.maxInputs(), copy.minInputs(), copy.optionalInput()) == (3, 2, 2)
    assert not copy.setInput(3, a)
    assert not copy.setInput(-1, a)
    copy.setInput(1, None)
    assert copy.inputs() == 1
    with pytest.raises(TypeError):
        copy.setInput(0, "Constant1")


def test_a_node_cannot_feed_itself_or_come_from_another_group(nuke):
    first, second, group = nuke.nodes.Blur(), nuke.nodes.Blur(), nuke.nodes.Group()
    with group:
        inner = nuke.nodes.Blur()
    second.setInput(0, first)
    assert not first.canSetInput(0, second)
    assert not first.setInput(0, first)
    assert not first.setInput(0, inner)


def test_dependencies_and_dependents(nuke):
    a, b, c = nuke.nodes.Constant(), nuke.nodes.Blur(), nuke.nodes.NoOp()
    b.setInput(0, a)
    b["disable"].setExpression("NoOp1.disable")
    assert b.dependencies(nuke.INPUTS) == [a]
    assert b.dependencies(nuke.EXPRESSIONS) == [c]
    assert b.dependencies() == [a, c]
    assert (a.dependent(nuke.INPUTS), c.dependent()) == ([b], [b])
    assert nuke.dependencies(b) == [a, c]


def test_hidden_inputs_are_dependents_of_their_own_kind(nuke):
    source = nuke.nodes.Constant()
    shown, hidden = nuke.nodes.NoOp(inputs=[source]), nuke.nodes.NoOp(inputs=[source], hide_input=True)
    assert source.dependent(nuke.INPUTS) == [shown]
    assert source.dependent(nuke.HIDDEN_INPUTS) == [hidden]
    assert source.dependent(nuke.INPUTS | nuke.HIDDEN_INPUTS) == [shown, hidden]
    assert nuke.dependentNodes(nuke.INPUTS, source) == [shown]


def test_expressions_of_an_opaque_node_name_what_it_depends_on(nuke):
    nuke.scriptReadText("Blur { inputs 0 name Driver }\nNotThere { inputs 0 amount {{Driver.size*2}} name Driven }\n")
    driver, driven = nuke.toNode("Driver"), nuke.toNode("Driven")
    assert driven.dependencies(nuke.EXPRESSIONS) == [driver]
    driver.setName("Renamed")
    assert driven["amount"].value() == "{Renamed.size*2}"


def test_trap_a_deleted_node_is_a_value_error_whatever_is_asked(nuke):
    node, below = nuke.nodes.Blur(), nuke.nodes.Blur()
    below.setInput(0, node)
    knob = node["size"]
    nuke.delete(node)
    for use in (node.name, node.Class, lambda: node["size"], knob.value, lambda: knob.setValue(3), knob.name):
        with pytest.raises(ValueError, match="A PythonObject is not attached to a node"):
            use()
    assert "deleted" in repr(node)
    assert below.input(0) is None
    assert nuke.toNode("Blur1") is None
    with pytest.raises(ValueError, match="not attached"):
        nuke.delete(node)
    with pytest.raises(ValueError, match="root"):
        nuke.delete(nuke.root())


def test_deleting_a_group_deletes_what_is_inside_and_undo_brings_all_back(nuke):
    group = nuke.nodes.Group()
    with group:
        inner = nuke.nodes.NoOp()
    below = nuke.nodes.Blur(inputs=[])
    nuke.delete(group)
    with pytest.raises(ValueError, match="not attached"):
        inner.name()
    nuke.undo()
    assert inner.fullName() == "Group1.NoOp1"
    assert below.name() == "Blur1"


def test_a_group_has_the_inputs_that_are_inside(nuke):
    group = nuke.nodes.Group()
    assert not group.setInput(0, nuke.nodes.Constant())
    with group:
        nuke.nodes.Input()
        output = nuke.nodes.Output()
    assert (group.maxInputs(), group.output()) == (1, output)
    assert group.setInput(0, nuke.toNode("Constant1"))


def test_clones_share_all_but_their_place(nuke):
    first = nuke.nodes.Blur()
    second = nuke.clone(first)
    second["size"].setValue(9)
    second.setXYpos(100, 200)
    assert (first["size"].value(), second.name(), first.xpos()) == (9.0, "Blur1", 0)
    assert first.isClone()
    assert second.isClone()
    assert not nuke.nodes.Blur().isClone()


def test_user_knobs_are_added_and_removed(nuke):
    node = nuke.nodes.NoOp()
    knob = nuke.Int_Knob("mine", "Mine")
    node.addKnob(knob)
    assert node["mine"] is knob
    with pytest.raises(ValueError, match="already"):
        node.addKnob(nuke.Int_Knob("mine"))
    with pytest.raises(ValueError, match="no user knob"):
        node.removeKnob(node["label"])
    node.removeKnob(knob)
    assert node.knob("mine") is None


def test_write_knobs_and_read_knobs(nuke):
    node = nuke.nodes.Blur(size=4)
    node.addKnob(nuke.Int_Knob("mine"))
    node["mine"].setValue(3)
    text = node.writeKnobs(nuke.WRITE_NON_DEFAULT_ONLY | nuke.TO_SCRIPT | nuke.WRITE_USER_KNOB_DEFS)
    assert text.splitlines() == ["size 4", "name Blur1", "addUserKnob {20 User}", "addUserKnob {3 mine}", "mine 3"]
    other = nuke.nodes.Blur()
    other.readKnobs("size {1 2} label {a b}")
    assert (other["size"].value(), other["label"].value()) == ([1.0, 2.0], "a b")


def test_what_a_terminal_shows(nuke):
    node = nuke.nodes.NoOp()
    node.showControlPanel()
    assert (node.shown(), node.screenWidth(), node.screenHeight()) == (False, 0, 0)


def test_op_hashes_follow_settings_and_not_names(nuke):
    node, above = nuke.nodes.Blur(), nuke.nodes.Constant()
    node.setInput(0, above)
    before = node.opHashes()
    assert len(before) == len(nuke.views())
    above.setName("Else")
    node.setXYpos(9, 9)
    assert node.opHashes() == before
    above["color"].setValue(1)
    assert node.opHashes() != before


def test_a_gizmo_comes_from_the_plugin_path(tool):
    node = tool.createNode("Tool")
    assert (node.Class(), type(node) is tool.Gizmo, node.name(), node.maxInputs()) == ("Tool", True, "Tool1", 2)
    assert node.filename().endswith("/Tool.gizmo")
    assert [one.name() for one in node.nodes()] == ["A", "B", "Blur1", "Copy1", "Switch1", "Output1"]
    assert node.node("Blur1").input(0).name() == "B"
    assert node.node("Copy1").fullName() == "Tool1.Copy1"
    assert node["gain"].value() == 0.5
    assert node["tile_color"].value() == 0x5B7F5BFF
    assert not node["gain"].notDefault()


def test_a_link_is_the_knob_inside(tool):
    node = tool.nodes.Tool()
    assert node["size"].value() == 3.0
    node["size"].setValue(7)
    assert node.node("Blur1")["size"].value() == 7.0
    node["channel"].setValue("rgba.red")
    assert node.node("Copy1")["to0"].value() == "rgba.red"
    with pytest.raises(ValueError, match=r"nothing\.here"):
        node["channel"].setValue("nothing.here")
    link = node["size"]
    assert (link.Class(), link.getLink(), link.label()) == ("Link_Knob", "Blur1.size", "size")
    assert link.getLinkedKnob() is node.node("Blur1")["size"]
    with pytest.raises(AttributeError):
        link.nothing()


def test_a_link_without_its_target_is_an_error_when_it_is_used(nuke):
    node = nuke.nodes.NoOp()
    node.addKnob(nuke.Link_Knob("link"))
    node["link"].setLink("Nobody.size")
    with pytest.raises(ValueError, match="Nobody"):
        node["link"].value()


def test_a_link_to_a_link_leads_to_the_end_and_is_saved(tool, tmp_path):
    (tmp_path / "Outer.gizmo").write_text(
        'Gizmo {\n addUserKnob {41 blur T Inner1.size}\n addUserKnob {26 ""}\n addUserKnob {26 ""}\n}\n'
        "Tool {\n inputs 0\n name Inner1\n}\nend_group\n",
        "utf-8",
    )
    node = tool.nodes.Outer()
    node["blur"].setValue(12)
    assert node.node("Inner1").node("Blur1")["size"].value() == 12
    assert "blur 12" in nuke_standin.saving.selection_text([node])
    assert "Inner1" not in nuke_standin.saving.selection_text([node])
    node["blur"].setLink("this.blur")
    with pytest.raises(ValueError, match="circle"):
        node["blur"].value()


def test_dividers_share_the_empty_name(nuke):
    node = nuke.nodes.NoOp()
    for _ in range(2):
        node.addKnob(nuke.Text_Knob(""))
    text = nuke_standin.saving.selection_text([node])
    assert text.count('addUserKnob {26 ""}') == 2


def test_a_name_from_a_file_leaves_references_to_other_nodes_alone(nuke):
    nuke.scriptReadText(
        'NoOp {\n inputs 0\n name Z\n disable {{"Blur1.crop"}}\n}\nBlur {\n inputs 0\n name Mine\n}\n'
        "Blur {\n inputs 0\n name Blur1\n}\n"
    )
    assert "Blur1.crop" in nuke.toNode("Z")["disable"].toScript()
    assert [node.name() for node in nuke.allNodes("Blur")] == ["Mine", "Blur1"]


def test_what_the_double_does_not_know_of_a_picture_it_says(nuke):
    with pytest.raises(NotImplementedError):
        nuke.nodes.Constant().metadata("exr/owner")


def test_the_optional_input_test_of_gizmos(tool):
    node = tool.nodes.Tool(inputs=[tool.nodes.Constant()])
    switch = node.node("Switch1")
    assert switch["which"].value() == 0
    node.setInput(1, tool.nodes.Constant())
    assert switch["which"].value() == 1


def test_inside_a_gizmo_expressions_see_its_knobs(nuke, tmp_path):
    (tmp_path / "Tool.gizmo").write_text(GIZMO, "utf-8")
    nuke.pluginAddPath(str(tmp_path))
    node = nuke.nodes.Tool()
    node["gain"].setValue(2)
    assert node.node("Blur1")["size"].value() == 20


def test_make_group_has_the_content_and_the_values(tool):
    node = tool.nodes.Tool(inputs=[tool.nodes.Constant()])
    node["size"].setValue(11)
    group = node.makeGroup()
    assert (group.Class(), group.input(0).name()) == ("Group", "Constant1")
    assert group.node("Blur1")["size"].value() == 11
    assert group["gain"].value() == 0.5


def test_a_broken_gizmo_is_named(nuke, tmp_path):
    (tmp_path / "Broken.gizmo").write_text("Gizmo {\n name x\n", "utf-8")
    (tmp_path / "Wrong.gizmo").write_text("Gizmo {\n nothing 3\n}\nend_group\n", "utf-8")
    nuke.pluginAddPath(str(tmp_path))
    for name, said in (("Broken", "line 1"), ("Wrong", "no knob named 'nothing'")):
        with pytest.raises(RuntimeError, match=said):
            nuke.createNode(name)
        assert nuke.allNodes() == []


def test_selection(gui_nuke):
    nodes = [gui_nuke.nodes.NoOp() for _ in range(3)]
    with pytest.raises(ValueError, match="no node selected"):
        gui_nuke.selectedNode()
    nodes[1].setSelected(True)
    assert gui_nuke.selectedNode() is nodes[1]
    nodes[2].selectOnly()
    assert gui_nuke.selectedNodes() == [nodes[2]]
    gui_nuke.root().setModified(False)
    nodes[0].setSelected(True)
    assert not gui_nuke.root().modified()


def test_creating_and_deleting_are_undo_steps(nuke):
    before = nuke_standin.session.undo_depth()
    node = nuke.nodes.NoOp()
    assert nuke_standin.session.undo_depth() > before
    nuke.undo()
    assert nuke.allNodes() == []
    with pytest.raises(ValueError, match="not attached"):
        node.name()
