"""The stack rules of scripts: who is connected to whom."""

import pytest
from nuke_standin.script import parse
from nuke_standin.words import TclError


def wiring(text):
    """Return {name: names of the inputs}."""
    records = parse(text).records
    names = [record.value("name") for record in records]
    return {names[at]: [None if i is None else names[i] for i in one.inputs] for at, one in enumerate(records)}


def node(name, inputs=None, cls="NoOp", more=""):
    count = "" if inputs is None else f"inputs {inputs}"
    return f"{cls} {{ {count} {more} name {name} }}\n"


def test_a_node_has_one_input_by_default():
    assert wiring(node("a", 0) + node("b"))["b"] == ["a"]


def test_the_top_of_the_stack_is_input_0():
    assert wiring(node("a", 0) + node("b", 0) + node("m", 2))["m"] == ["b", "a"]


def test_the_mask_is_popped_last():
    text = node("mask", 0) + node("a", 0) + node("b", 0) + node("m", "2+1")
    assert wiring(text)["m"] == ["b", "a", "mask"]
    assert parse(text).records[3].main_inputs == 2


def test_an_empty_stack_gives_open_inputs():
    assert wiring(node("a") + node("b", 3)) == {"a": [None], "b": ["a", None, None]}


def test_push_0_is_an_open_input():
    assert wiring(node("a", 0) + "push 0\n" + node("m", 2))["m"] == [None, "a"]


def test_set_binds_without_popping_and_push_brings_back():
    text = node("a", 0) + "set N1 [stack 0]\n" + node("b") + "push $N1\n" + node("m", 2)
    assert wiring(text)["m"] == ["a", "b"]


def test_set_of_a_deeper_place_and_of_an_empty_stack():
    text = node("a", 0) + node("b", 0) + "set N [stack 1]\nset E [stack 9]\npush $N\npush $E\n" + node("m", 2)
    assert wiring(text)["m"] == [None, "a"]


def test_a_paste_starts_from_what_is_selected():
    assert wiring("set cut_paste_input [stack 0]\nversion 13.2 v1\npush $cut_paste_input\n" + node("a"))["a"] == [None]
    assert wiring("push $cut_paste_input\n" + node("a"))["a"] == [None]


def test_pop_dup_exch_and_roll():
    assert wiring(node("a", 0) + node("b", 0) + "pop\n" + node("m"))["m"] == ["a"]
    assert wiring(node("a", 0) + "dup\n" + node("m", 2))["m"] == ["a", "a"]
    assert wiring(node("a", 0) + node("b", 0) + "exch\n" + node("m", 2))["m"] == ["a", "b"]
    rolled = node("a", 0) + node("b", 0) + node("c", 0) + "roll 3 1\n" + node("m", 3)
    assert wiring(rolled)["m"] == ["b", "a", "c"]


def test_a_group_has_a_stack_of_its_own_and_is_on_the_outer_one_afterwards():
    text = node("a", 0) + node("g", 1, "Group") + node("in", 0, "Input") + node("out") + "end_group\n" + node("after")
    script = parse(text)
    found = wiring(text)
    assert found["g"] == ["a"]
    assert found["out"] == ["in"]
    assert found["after"] == ["g"]
    assert [record.group for record in script.records] == [None, None, 1, 1, None]


def test_a_group_sees_nothing_of_the_outer_stack():
    assert wiring(node("a", 0) + node("g", 0, "Group") + node("b") + "end_group\n")["b"] == [None]


def test_groups_nest():
    text = node("g", 0, "Group") + node("h", 0, "Group") + node("x", 0) + "end_group\nend_group\n"
    assert [record.group for record in parse(text).records] == [None, 0, 1]


def test_viewers_outputs_and_backdrops_push_and_root_does_not():
    text = node("a", 0) + "Root { inputs 0 name r }\n" + node("v", None, "Viewer") + node("b")
    assert wiring(text) == {"a": [], "r": [], "v": ["a"], "b": ["v"]}


def test_clones_name_their_original_in_both_notations():
    new = node("a", 0) + "set N1 [stack 0]\npush $N1\nclone $N1 {\n xpos 3\n}\n"
    records = parse(new).records
    assert (records[1].clone_of, records[1].inputs, records[1].cls) == (0, [0], "NoOp")
    old = "clone node7f3a|Blur|12 Blur { inputs 0 size 3 name B }\nclone node7f3a|Blur|12 Blur { inputs 0 xpos 4 }\n"
    assert [record.clone_of for record in parse(old).records] == [None, 0]


def test_a_clone_of_a_group_brings_no_children():
    text = (
        node("g", 0, "Group")
        + node("in", 0, "Input")
        + "end_group\nset N [stack 0]\nclone $N { inputs 0 }\n"
        + node("z")
    )
    assert [record.group for record in parse(text).records] == [None, 0, None, None]


def test_layers_defaults_and_version_are_collected():
    script = parse("version 13.2 v8\nadd_layer {m m.red m.alpha}\nknob_default Blur.size 4\n")
    assert (script.version, script.layers, script.defaults) == (
        "13.2 v8", [["m", "m.red", "m.alpha"]], [("Blur.size", "4")],
    )  # fmt: skip


def test_window_layouts_are_skipped():
    assert (
        parse('define_window_layout_xml {<?xml version="1.0"?>\n<a b="{c}"/>\n}\n' + node("a", 0)).records[0].cls
        == "NoOp"
    )


def test_a_live_group_holds_its_content_only_when_the_file_closes_it():
    assert [r.group for r in parse(node("l", 0, "LiveGroup") + node("x", 0) + "end_group\n").records] == [None, 0]
    assert [r.group for r in parse(node("l", 0, "LiveGroup") + node("x", 0)).records] == [None, None]


def test_lower_case_gizmos_and_nodes_without_knobs_are_nodes():
    assert [record.cls for record in parse("bm_Lightwrap { inputs 0 }\nDot\nDot {}\n").records] == [
        "bm_Lightwrap",
        "Dot",
        "Dot",
    ]


def test_the_last_of_a_knob_that_comes_twice_wins():
    assert parse("Copy { to0 a to0 b }").records[0].value("to0") == "b"


def test_user_knobs_keep_their_place_and_may_span_lines():
    text = 'Group {\n addUserKnob {\n 20 tab\n l "A\nB"\n}\n tab 1\n addUserKnob {26 ""}\n}\nend_group'
    assert [item.name for item in parse(text).records[0].items] == ["addUserKnob", "tab", "addUserKnob"]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("\nGroup { name g }\n", 2, "no end_group"),
        ("end_group", 1, "without a group"),
        ("\n\nBlur { size }", 3, "without a value"),
        ("push $N1", 1, "no variable"),
        ("push 5", 1, "neither a node nor 0"),
        ("Blur { inputs x }", 1, "no number of inputs"),
        ("this is no script", 1, "unknown command"),
        ("clone 0 { xpos 1 }", 1, "clone of no node"),
        ("set N [python 1]", 1, "unknown command [python 1]"),
    ],
)
def test_what_is_malformed_is_refused_with_its_line(text, line, said):
    with pytest.raises(TclError) as caught:
        parse(text)
    assert caught.value.line == line
    assert said in str(caught.value)
