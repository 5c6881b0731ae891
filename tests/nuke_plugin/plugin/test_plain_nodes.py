"""Bake: plain nodes in the place of ours."""

import numpy as np
import pytest


@pytest.fixture
def comp(offline_comp):
    return offline_comp


def baked(comp, frame: int) -> list[np.ndarray]:
    """Return a frame's picture with the node, and with plain nodes instead of it."""
    before = comp.render(frame)
    comp.press("bake")
    comp.nuke.delete(comp.node())
    return [before, comp.render(frame)]


def test_bake_gives_the_same_picture_without_the_plugin(comp):
    comp.show_alphas()
    with_plugin, plain = baked(comp, 1008)
    assert np.array_equal(with_plugin, plain)
    assert {found.Class() for found in comp.nuke.allNodes()} == {"Read", "Copy", "Write"}


def test_a_premultiplied_node_is_baked_with_a_premult(comp):
    comp.show_alphas()
    comp.node()["premultiply"].setValue(True)
    with_plugin, plain = baked(comp, 1008)
    assert np.array_equal(with_plugin, plain)
    classes = sorted(found.Class() for found in comp.nuke.allNodes())
    assert classes == ["Copy", "Copy", "Copy", "Premult", "Read", "Read", "Read", "Write"]


@pytest.mark.parametrize("name", ["premultiply", "bypass", "disable"])
def test_an_animated_switch_is_baked_with_its_animation(comp, name):
    comp.show_alphas()
    comp.node()[name].setExpression("frame > 1008")
    with_plugin = [comp.render(frame) for frame in (1008, 1009)]
    assert not np.array_equal(*with_plugin)
    comp.press("bake")
    comp.nuke.delete(comp.node())
    assert all(np.array_equal(then, comp.render(frame)) for then, frame in zip(with_plugin, (1008, 1009), strict=True))


@pytest.mark.parametrize("name", ["bypass", "disable"])
def test_a_node_that_lets_the_plate_pass_is_baked_so(comp, name):
    comp.show_alphas()
    comp.node()[name].setValue(True)
    with_plugin, plain = baked(comp, 1008)
    assert np.array_equal(with_plugin, plain)


def test_beside_its_colour_the_plates_own_alpha_is_what_the_node_leaves(comp):
    """With another output, premultiply multiplies colour by ours, and the plate's alpha stays as it was."""
    comp.nuke.Layer("matte", ["matte.alpha"])
    comp.show_alphas()
    comp.node()["output"].setValue("matte.alpha")
    comp.node()["premultiply"].setValue(True)
    comp.node("Write1")["channels"].setValue("all")
    with_plugin, plain = baked(comp, 1008)
    assert with_plugin.shape == plain.shape
    assert np.array_equal(with_plugin, plain)


def test_the_read_has_the_range_and_ends_at_a_missing_frame_as_the_node_did(comp):
    comp.show_alphas()
    comp.node()["on_error"].setValue("black")
    comp.press("bake")
    (read,) = [found for found in comp.nuke.allNodes("Read") if "alpha" in found["file"].value()]
    assert read["file"].value() == comp.node()["result_file"].value()
    values = [read[name].value() for name in ("first", "last", "origfirst", "origlast", "origset", "raw", "on_error")]
    assert values == [1001, 1020, 1001, 1020, True, True, "black"]


def test_the_new_nodes_stand_beside_and_below_the_old_one(comp):
    comp.show_alphas()
    comp.node().setXYpos(400, 300)
    comp.press("bake")
    (copy,) = comp.nuke.allNodes("Copy")
    assert (copy.xpos(), copy.ypos()) == (400, 360)
    assert (copy.input(1).xpos(), copy.input(1).ypos()) == (290, 300)


def test_all_that_hung_on_the_node_hangs_on_the_copy_and_one_undo_takes_it_back(comp):
    from nuke_standin import session

    merge = comp.nuke.nodes.Merge2(inputs=[comp.node("PlateRead"), comp.node()], name="Merge1")
    comp.show_alphas()
    nodes, depth = len(comp.nuke.allNodes()), session.current().undo_depth()
    comp.press("bake")
    (copy,) = comp.nuke.allNodes("Copy")
    assert comp.node("Write1").input(0) == merge.input(1) == copy
    assert merge.input(0) == comp.node("PlateRead")
    assert session.current().undo_depth() == depth + 1
    comp.nuke.undo()
    assert len(comp.nuke.allNodes()) == nodes
    assert comp.node("Write1").input(0) == merge.input(1) == comp.node()


def test_a_node_that_was_never_refined_is_left(comp):
    comp.press("bake")
    assert comp.status() == "VideoMaMa1 has not been refined. Press Refine first."
    assert not comp.nuke.allNodes("Copy")


def test_a_result_that_was_forgotten_is_not_baked(comp):
    comp.show_alphas()
    comp.node()["refined"].setValue(False)
    comp.press("bake")
    assert comp.status() == "VideoMaMa1 has not been refined. Press Refine first."
