"""The signature of what is upstream: the same while nothing changes, another when pixels may, else none."""

import os

import comps
import pytest


@pytest.fixture
def sign(comp):
    """Return the signature of VideoMaMa1 now."""
    from videomama_nuke import upstream

    return lambda: upstream.signature(comp.node())


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


@pytest.mark.parametrize("expression", ["frame * 2", "PlateRead.first"])
def test_an_expression_upstream_has_none(comp, sign, expression):
    blur = comp.nuke.nodes.Blur(inputs=[comp.node("MaskRead")])
    blur["size"].setExpression(expression)
    comp.node().setInput(1, blur)
    assert sign() == ""


def test_a_group_upstream_has_none(comp, sign):
    group = comp.nuke.nodes.Group(inputs=[comp.node("MaskRead")])
    comp.node().setInput(1, group)
    assert sign() == ""


def test_without_a_signature_every_refine_exports_anew_and_finds_all_alphas(comp):
    group = comp.nuke.nodes.Group()
    with group:
        inner = comp.nuke.nodes.Input(name="in")
        comp.nuke.nodes.Output(inputs=[inner])
    group.setInput(0, comp.node("MaskRead"))
    comp.node().setInput(1, group)
    assert comp.refine() == "refined 1001-1020"
    assert not list((comp.folder / "videomama").glob("*/export/*"))
    assert comp.refine() == "refined 1001-1020"


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
