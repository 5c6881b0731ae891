"""Every construct of real scripts: opened, saved and opened again it is the same, down to the text of each knob."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections import Counter
from pathlib import Path

import pytest
from nuke_standin import session
from nuke_standin.class_channels import MERGES
from nuke_standin.script import parse
from nuke_standin.words import decoded

FILES = sorted((Path(__file__).parent / "corpus").iterdir())


def nodes(path):
    """Count what a file says of each node: where it is, class, inputs, knobs, definitions; the last of a name wins."""
    records = parse(decoded(Path(path).read_bytes())).records
    return Counter(repr(said(record, records)) for record in records)


def said(record, records):
    knobs = {item.name: item.word.text for item in record.items if item.name != "addUserKnob"}
    definitions = sorted(item.word.text for item in record.items if item.name == "addUserKnob")
    knobs.pop("name", None)
    inputs = [None if one is None else title(records[one]) for one in record.inputs]
    while inputs and inputs[-1] is None:
        inputs.pop()
    original = record.clone_of is not None and title(records[record.clone_of])
    own = "" if record.clone_of is not None or record.cls == "Root" else title(record)
    return where(record, records), record.cls, own, inputs, original, sorted(knobs.items()), definitions


def title(record):
    """Return the name, or the one that the only node of a class gets when it has none."""
    return record.value("name") or f"{record.cls}1"


def where(record, records):
    around = []
    while record.group is not None:
        record = records[record.group]
        around.append(title(record))
    return around


def graph(nuke):
    """Return all that the session holds: nodes, wires, and the state of each knob."""
    root = nuke.root()
    found = {node._full_name(): described(node) for node in root._descendants()}
    found["root"] = states(root)
    found["root"].pop("name")
    return found


def described(node):
    inputs = [None if above is None else above._full_name() for above in node.real_inputs()]
    original = node._original._full_name() if node._original is not None else None
    return node.Class(), inputs, original, states(node)


def states(node):
    return {name: (knob.Class(), knob._state(), knob.label()) for name, knob in node._knobs.items()}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_script_that_is_opened_and_saved_says_the_same(nuke, tmp_path, path):
    nuke.scriptOpen(str(path))
    before = graph(nuke)
    first, second = tmp_path / "first.nk", tmp_path / "second.nk"
    nuke.scriptSaveAs(str(first))
    nuke.scriptOpen(str(first))
    assert graph(nuke) == before
    nuke.scriptSaveAs(str(second))
    assert second.read_text("utf-8").replace("second.nk", "first.nk") == first.read_text("utf-8")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_node_is_saved_with_the_text_that_it_had(nuke, tmp_path, path):
    nuke.scriptOpen(str(path))
    saved = tmp_path / "saved.nk"
    nuke.scriptSaveAs(str(saved))
    then, now = nodes(path), nodes(saved)
    assert then - now == Counter()
    assert {text for text in now - then if not text.startswith("([], 'Root'")} == set()


@pytest.mark.parametrize("ends", [b"\r\n", b"\r"], ids=["windows", "old mac"])
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_line_ends_and_a_byte_order_mark_change_nothing(nuke, tmp_path, path, ends):
    nuke.scriptOpen(str(path))
    before = graph(nuke)
    other = tmp_path / path.name
    other.write_bytes(BOM_UTF8 + path.read_bytes().removeprefix(BOM_UTF8).replace(b"\n", ends))
    nuke.scriptOpen(str(other))
    assert graph(nuke) == before


CONSTRUCTS = (
    r"views \{\}", r"#[0-9a-f]{6}|views_colours", r"FrameHold \{\n first_frame ", r" color_panelDropped ",
    r" defaultViewerLUT \S+ ?\S+|defaultViewerLUT \"\S+ \S+", r" channels \{[^}]*-rgba",
    r"addUserKnob \{41 \w+ [^}]*T \w+\.\w+",
    r"Roto \{", r"RotoPaint \{", r"Transform \{", r"Tracker4 \{", r"Retime \{", r"TimeOffset \{", r"Keyer \{",
    r"Shuffle \{", r"Shuffle1 \{", r"Shuffle2 \{", r"Expression \{", r"Precomp \{", r"LiveGroup \{", r"Group \{",
    r"clone ", r"push 0", r"inputs \d\+1", r"\[value ", r"\{curve ", r"end_group", r"version \d+\.\d",
    *(rf"Merge2 \{{\n inputs 2\n operation {operation}\n" for operation in MERGES),
)  # fmt: skip


@pytest.mark.parametrize("construct", CONSTRUCTS)
def test_each_construct_is_in_a_file(construct):
    assert any(re.search(construct, decoded(path.read_bytes())) for path in FILES)


def opened(nuke, name):
    nuke.scriptOpen(str(Path(__file__).parent / "corpus" / name))


def test_channels_with_a_minus_are_left_out(nuke):
    opened(nuke, "values.nk")
    channels = nuke.toNode("G")["channels"]
    assert channels.value() == "rgba.red rgba.green rgba.blue -rgba.alpha"
    assert [channels.isChannelEnabled(f"rgba.{name}") for name in ("red", "alpha")] == [True, False]
    assert nuke.toNode("G")["maskChannelMask"].value() == "none"
    opened(nuke, "layers.nk")
    found = nuke.toNode("Re")["channels"]
    assert [found.isChannelEnabled(f"rgba.{name}") for name in ("red", "alpha")] == [False, True]


@pytest.mark.parametrize(
    ("name", "views"), [("views.nk", ["main", "left", "right"]), ("no_views.nk", ["main"]), ("old_header.nk", ["main"])]
)
def test_views_by_name_with_and_without_colours(nuke, name, views):
    opened(nuke, name)
    assert nuke.views() == views


def test_what_was_pasted_together_by_other_tools_is_read_as_nuke_would(nuke):
    opened(nuke, "pasted.nk")
    group = nuke.toNode("Unindented")
    assert {node.name() for node in group.nodes()} == {"Input", "Blink", "M", "Output1"}
    assert [nuke.toNode("Unindented.M").input(index) for index in (0, 1)] == [None, nuke.toNode("Unindented.Blink")]
    assert nuke.toNode("Keyed").input(0) == group
    assert group["padded"].value() == "Cubic "
    assert group["padded"].values() == ["Cubic ", "a/b", "", "", ""]
    assert nuke.toNode("Unindented.Blink")["kernel_Two Words"].toScript() == "4"
    assert group["button"].tooltip() == "flags come first"
    assert group["button"].value().startswith("\ntry:\n  import a\n")
    assert not group["seen"].enabled()
    assert nuke.toNode("Dotted")["highlights.gain"].toScript() == "3"
    assert nuke.toNode("Last").Class() == "IBK"
    assert "tool_active" in nuke.layers()


def test_what_a_header_says_holds(nuke):
    opened(nuke, "header.nk")
    assert nuke.root().format().name() == "tiny"
    assert nuke.root()["defaultViewerLUT"].value() == "OCIO LUTs"
    assert nuke.nodes.Blur()["size"].value() == 4
    opened(nuke, "old_header.nk")
    assert nuke.root()["defaultViewerLUT"].value() == "linear sRGB"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_note_is_of_something_that_the_double_lacks(nuke, path):
    nuke.scriptOpen(str(path))
    known = ("Unknown command", "no knob named", "is none of", "no channel", "links to", "a user knob of kind",
             "RuntimeError: of the studio", "layers", "values for", "no format")  # fmt: skip
    assert [note for note in session.current().load_notes if not any(one in note for one in known)] == []
