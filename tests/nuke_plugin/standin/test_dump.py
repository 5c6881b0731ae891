"""`python -m nuke_standin dump`: any well-formed gizmo or script, and nothing half-built."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from nuke_standin import dump

GIZMO = Path(__file__).parents[3] / "gizmos" / "VideoMaMa.gizmo"
PACKAGE = Path(__file__).parents[1]
ODD = """#! C:/Nuke -nx
version 12.2 v11
define_window_layout_xml {<?xml version="1.0"?>
<layout x="{1}"/>
}
Root {
 inputs 0
 name "D:/a b/ü.nk"
}
add_layer {mine mine.red mine.alpha}; push 0
h_gizmo {
 inputs 1+1
 channels {rgba.red -rgba.green none}
 file "\\[value parent.dir]/x.%04d.exr"
 which {{"parent.output == 1" i}}
 label "two
lines"
 size 1
 size 2
 addUserKnob {20 tab}
 name Odd1
}
VariableGroup {
 name V
 addUserKnob {41 size T Odd1.size}
}
 LiveGroup {
  inputs 0
  name L
 }
 end_group
end_group
set N1 [stack 0]
clone $N1 {
 xpos 40
}
"""


def run(*words, cwd=None):
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE)}
    command = [sys.executable, "-m", "nuke_standin", "dump", *map(str, words)]
    return subprocess.run(command, capture_output=True, env=environment, timeout=60, cwd=cwd, check=False)


def test_it_describes_nodes_inputs_knobs_and_groups():
    nodes = dump.described(ODD, "odd.nk")["nodes"]
    assert [(n["class"], n["name"], n["inputs"], n["group"]) for n in nodes] == [
        ("Root", "D:/a b/ü.nk", [], None),
        ("h_gizmo", "Odd1", [None, None], None),
        ("VariableGroup", "V", [1], None),
        ("LiveGroup", "L", [], 2),
        ("VariableGroup", "V", [2], None),
    ]
    assert nodes[1]["knobs"] == {
        "channels": "rgba.red -rgba.green none",
        "file": "[value parent.dir]/x.%04d.exr",
        "which": '{"parent.output == 1" i}',
        "label": "two\nlines",
        "size": "2",
        "name": "Odd1",
    }
    assert nodes[4]["knobs"] == {"name": "V", "xpos": "40"}


@pytest.mark.parametrize("change", [lambda text: text.replace("\n", "\r\n"), lambda text: text.replace("\n ", "\n\t")])
def test_line_ends_and_tabs_make_no_difference(change):
    def nodes(text):
        return [{**n, "knobs": {**n["knobs"], "label": ""}} for n in dump.described(text, "")["nodes"]]

    assert nodes(change(ODD)) == nodes(ODD)


def test_deep_nesting_is_no_matter():
    text = "".join(f"Group {{\n inputs 0\n name g{n}\n}}\n" for n in range(3000)) + "end_group\n" * 3000
    nodes = dump.described(text, "")["nodes"]
    assert nodes[-1]["group"] == 2998


def test_an_old_file_in_latin_1_is_taken(tmp_path):
    (tmp_path / "old.gizmo").write_bytes("Gizmo {\n label {caf\u00e9}\n}\nend_group\n".encode("latin-1"))
    said = run("old.gizmo", cwd=tmp_path)
    assert json.loads(said.stdout)["nodes"][0]["knobs"] == {"label": "café"}


def test_our_gizmo_is_wired_as_it_is_meant():
    nodes = dump.described(GIZMO.read_text("utf-8"), "x")["nodes"]
    by_name = {one["name"]: one for one in nodes[1:]}
    wires = {name: [nodes[i]["name"] for i in one["inputs"] if i is not None] for name, one in by_name.items()}
    assert nodes[0]["class"] == "Gizmo"
    assert wires["MaskCopy"][0] == "plate"
    assert wires["vm_export"] == ["KeepRGBA"]
    assert wires["Bypass"][1] == "plate"
    assert by_name["vm_export"]["knobs"]["disable"] == "true"


def test_the_command_prints_one_object_per_file(tmp_path):
    for name in ("a.nk", "b.nk"):
        (tmp_path / name).write_text(ODD, "utf-8")
    said = run(tmp_path / "a.nk", tmp_path / "b.nk")
    objects = [json.loads(line) for line in said.stdout.decode("utf-8").splitlines()]
    assert said.returncode == 0
    assert [one["file"] for one in objects] == [str(tmp_path / "a.nk"), str(tmp_path / "b.nk")]
    assert objects[0]["nodes"] == objects[1]["nodes"]


def test_a_malformed_file_is_named_and_the_others_are_printed(tmp_path):
    (tmp_path / "bad.nk").write_text("Blur {\n size 3\n", "utf-8")
    (tmp_path / "good.nk").write_text("Dot {}\n", "utf-8")
    said = run("bad.nk", "good.nk", "none.nk", cwd=tmp_path)
    assert said.returncode == 1
    assert [json.loads(line)["file"] for line in said.stdout.splitlines()] == ["good.nk"]
    assert b"bad.nk: line 1: the brace" in said.stderr
    assert b"none.nk: " in said.stderr
