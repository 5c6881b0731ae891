"""What the double does not know of a script: it is kept as text, noted, given back, and makes no picture."""

import pytest
from nuke_standin import callbacks, class_opaque, classes, flags, saving, script, session, words


def test_unknown_classes_load_with_their_knobs_and_are_noted(nuke, tmp_path):
    path = tmp_path / "a.nk"
    path.write_text(
        'NotThere { inputs 0 size 3 file "\\[x]/a" curve {{a.b}} name A }\nBlur { name B }\nOFX.a.b { inputs 0 }\n',
        "utf-8",
    )
    nuke.scriptOpen(str(path))
    assert session.current().load_notes == [
        f"{path}, line 1: NotThere: Unknown command", f"{path}, line 3: OFX.a.b: Unknown command",
    ]  # fmt: skip
    opaque = nuke.toNode("A")
    assert (opaque.Class(), nuke.toNode("B").input(0) is opaque) == ("NotThere", True)
    assert [opaque[name].value() for name in ("size", "file", "curve")] == ["3", "[x]/a", "{a.b}"]
    assert [node.name() for node in nuke.allNodes()] == ["A", "B", "OFX_a_b1"]
    with pytest.raises(AttributeError):
        nuke.nodes.NotThere()


def test_a_render_through_an_unknown_class_names_node_and_class(nuke):
    nuke.scriptReadText("Constant { inputs 0 }\nGroup { name G }\nInput { inputs 0 }\nNotThere { name A }\n"
                        "Output {}\nend_group\nWrite { file /x/a.%04d.exr file_type exr name W }\n")  # fmt: skip
    with pytest.raises(RuntimeError, match=r"G\.A: the stand-in has no pixels for the class NotThere"):
        nuke.execute("W", 1, 1)
    nuke.toNode("G.A")["disable"].setValue(True)
    with pytest.raises(RuntimeError, match="No such file or directory"):
        nuke.execute("W", 1, 1)


def test_what_cannot_be_read_of_a_known_class_is_kept_noted_and_makes_no_picture(nuke):
    nuke.scriptReadText("Constant { inputs 0 }\nBlur { nothing {{a b} c} }\nCopy { inputs 1 to0 roto.alpha }\n")
    assert [note.partition(": ")[2] for note in session.current().load_notes] == [
        "Blur1: no knob named 'nothing'", "Copy1.to0: no channel 'roto.alpha'",
    ]  # fmt: skip
    assert nuke.toNode("Blur1")["nothing"].value() == "{a b} c"
    with pytest.raises(RuntimeError, match=r"Blur1: the stand-in cannot read the knob nothing: '\{a b\} c'"):
        nuke.toNode("Blur1").format()
    with pytest.raises(RuntimeError, match="Copy1: the stand-in cannot read the knob to0"):
        nuke.toNode("Copy1").format()
    nuke.scriptReadText("add_layer {roto roto.alpha}\nCopy { inputs 0 to0 roto.alpha }\n")
    assert session.current().load_notes == []


def test_a_knob_that_was_set_again_is_saved_with_its_new_value(nuke, tmp_path):
    nuke.scriptReadText("Blur { inputs 0 size {{curve i x1 0 s0.5 x9 2}} filter box name B }\n")
    node = nuke.toNode("B")
    assert " size {{curve i x1 0 s0.5 x9 2}}\n filter box\n" in saving.script_text()
    node["size"].clearAnimated()
    node["size"].setValue(3)
    node["filter"].setValue("gaussian")
    assert " size 3\n name B\n" in saving.script_text()


def test_a_link_takes_a_value_that_stands_before_what_it_leads_to(nuke):
    nuke.scriptReadText("Group { inputs 0 name G\n addUserKnob {41 size T Later.size}\n size 7\n}\n"
                        "Blur { inputs 0 name Later size 2 }\nend_group\n"
                        "NoOp { inputs 0 name N\n addUserKnob {41 s T Beside.size}\n s 5\n}\n"
                        "Blur { inputs 0 name Beside }\n")  # fmt: skip
    assert session.current().load_notes == []
    assert (nuke.toNode("G.Later")["size"].value(), nuke.toNode("G")["size"].value()) == (7, 7)
    assert nuke.toNode("Beside")["size"].value() == 5


def test_python_of_a_script_that_fails_is_noted_and_the_script_opens(nuke):
    nuke.scriptReadText('NoOp { inputs 0 onCreate "1 / 0" knobChanged "nuke.no_such_call()" label x name N }\n')
    assert any("N.onCreate: ZeroDivisionError" in note for note in session.current().load_notes)
    assert nuke.toNode("N")["label"].value() == "x"


WORDS = r"""
{} "" {{}} {{a.b c}} {curve} {{curve x1 1 s2 x3 4}} {curve i} {{curve k x inf}} word "two words" {1 2 3 4 5 6 7 8 9}
-rgba.red {-rgba.red nobody.red} 1e400 0xff {{{parent.x}}} "\[value x]" \[x {a {b c} {d}} true -1 {0 1} {{0} B}
"1920 1080" 99999 inf nan {nan 1} x1 {"quoted \" x" 3} {default 3 left 4} {left {1 2}} "a\nb" {\{} {{1/total i x1 inf}}
{{"a b" i x1 2}} #ff {#ff0000}
"""
NOT_TRIED = ("name", "file_type", *(own for own, _ in callbacks.KINDS.values()))


@pytest.mark.parametrize("cls", sorted({*classes.CLASSES} - class_opaque.NAMES))
def test_any_word_for_any_knob_is_taken_and_given_back(nuke, tmp_path, cls):
    names = [one.name for one in (*classes.known(cls).specs, *classes.known(cls).common) if one.name not in NOT_TRIED]
    end = "end_group\n" if cls in (*script.GROUPS, "LiveGroup") else ""
    bodies = ["".join(f" {name} {written(word)}\n" for name in names) for word in words.split(WORDS)]
    given_back(
        nuke, tmp_path, "".join(f"{cls} {{\n inputs 0\n{body} name N{at}\n}}\n{end}" for at, body in enumerate(bodies))
    )


@pytest.mark.parametrize("kind", sorted({*flags.KINDS, *flags.WITHOUT_CLASS}))
def test_any_word_for_any_user_knob_is_taken_and_given_back(nuke, tmp_path, kind):
    bodies = [f" addUserKnob {{{kind} own l Own}}\n own {written(word)}\n" for word in words.split(WORDS)]
    given_back(
        nuke, tmp_path, "".join(f"NoOp {{\n inputs 0\n name N{at}\n{body}}}\n" for at, body in enumerate(bodies))
    )


def written(word):
    return "{" + word.text + "}" if word.kind == "brace" else words.quoted(word.text)


def given_back(nuke, tmp_path, text):
    """Open a script, save it and open that: what each node says is the same text."""
    first, second = tmp_path / "first.nk", tmp_path / "second.nk"
    first.write_text(text, "utf-8")
    nuke.scriptOpen(str(first))
    nuke.scriptSaveAs(str(second))
    nuke.scriptOpen(str(second))
    assert said(second) == said(first)


def said(path):
    """Return what a file says of its nodes, the last of a name; the script's own settings are not asked for."""
    records = script.parse(path.read_text("utf-8")).records
    return {
        record.value("name"): {item.name: item.word.text for item in record.items}
        for record in records
        if record.cls != "Root"
    }


def test_links_that_lead_in_a_circle_and_defaults_that_cannot_be_read_are_noted(nuke):
    nuke.scriptReadText("add_format {not one}\nknob_default Blur.size {1 2 3}\nBlur { inputs 0 name B }\n"
                        "NoOp { inputs 0 name A\n addUserKnob {41 x T A.x}\n x 3\n}\n")  # fmt: skip
    notes = session.current().load_notes
    assert [note.partition(":")[0] for note in notes[:2]] == ["add_format", "knob_default Blur.size"]
    assert "the links lead round in a circle" in notes[2]
    assert nuke.toNode("A")["x"].value() == "3"


def test_a_file_type_that_an_expression_drives_brings_no_knobs(nuke):
    nuke.scriptReadText("Write { inputs 0 file_type {{parent.kind}} name W }\n")
    assert nuke.toNode("W").knob("datatype") is None


def test_names_that_nuke_would_not_give_are_kept_apart_and_noted(nuke):
    nuke.scriptReadText("Blur { inputs 0 name {a b} }\nBlur { inputs 0 name {a b} }\n")
    assert [node.name() for node in nuke.allNodes()] == ["a b", "a b1"]
    assert len(session.current().load_notes) == 2
