"""Which renders the guard refuses, and which it lets pass."""

from pathlib import Path

import comps
import pytest


def lose(comp, frame: int) -> None:
    Path(comp.node()["result_file"].value() % frame).unlink()


def test_the_writes_own_limits_are_known_before_the_first_frame(comp):
    comp.refine()
    lose(comp, 1004)
    write = comp.node("Write1")
    for knob, value in (("use_limit", True), ("first", 1001), ("last", 1005)):
        write[knob].setValue(value)
    with pytest.raises(RuntimeError, match="1 frame missing: 1004"):
        comp.nuke.execute(write, 1001, 1005)
    assert not list((comp.folder / "out").glob("*.exr"))


def test_frames_that_are_there_render_though_others_are_missing(comp):
    comp.refine()
    lose(comp, 1015)
    comp.nuke.execute(comp.node("Write1"), 1001, 1004)
    assert len(list((comp.folder / "out").glob("*.exr"))) == 4


def test_a_frame_that_is_missing_ends_the_render_there(comp):
    comp.refine()
    lose(comp, 1003)
    with pytest.raises(RuntimeError, match="1 frame missing: 1003"):
        comp.nuke.execute(comp.node("Write1"), 1001, 1005)
    assert [path.name for path in sorted((comp.folder / "out").glob("*.exr"))] == ["comp.1001.exr", "comp.1002.exr"]


def test_a_node_inside_a_group_is_found(comp):
    group = comp.nuke.nodes.Group(name="Comp1")
    with group:
        inside = comp.nuke.nodes.Input(name="in")
        inner = comp.nuke.nodes.VideoMaMa(inputs=[inside], name="VideoMaMa9")
        comp.nuke.nodes.Output(inputs=[inner])
    group.setInput(0, comp.node("PlateRead"))
    comp.node("Write1").setInput(0, group)
    with pytest.raises(RuntimeError, match=r"Comp1\.VideoMaMa9: not refined"):
        comp.render(1001)


def test_a_write_inside_a_group_looks_outside(comp):
    group = comp.nuke.nodes.Group(name="Out1")
    with group:
        inside = comp.nuke.nodes.Input(name="in")
        file = (comp.folder / "out" / "inner.%04d.exr").as_posix()
        comp.nuke.nodes.Write(inputs=[inside], name="Inner", file=file, create_directories=True)
    group.setInput(0, comp.node())
    with pytest.raises(RuntimeError, match="VideoMaMa1: not refined"):
        comp.nuke.execute("Out1.Inner", 1001, 1001)


def test_the_export_of_a_node_that_hangs_on_another_is_refused_until_that_one_is_refined(comp):
    second = comp.nuke.nodes.VideoMaMa(inputs=[comp.node(), comp.node("MaskRead")], name="VideoMaMa2")
    second["engine"].setValue("passthrough")
    status = comp.refine("VideoMaMa2")
    assert status.startswith("failed: ")
    assert "VideoMaMa1: not refined" in status
    comp.refine("VideoMaMa1")
    assert comp.refine("VideoMaMa2") == "refined 1001-1020"


def test_frames_behind_a_shift_in_time_are_left_to_the_read(comp):
    comp.node()["frame_range"].setValue("custom")
    comp.node()["frames"].setValue("1001-1004")
    comp.refine()
    shift = comp.nuke.nodes.TimeOffset(inputs=[comp.node()], time_offset=100)
    comp.node("Write1").setInput(0, shift)
    comp.nuke.execute(comp.node("Write1"), 1101, 1104)
    with pytest.raises(RuntimeError, match="No such file"):
        comp.nuke.execute(comp.node("Write1"), 1110, 1110)


def test_where_the_plate_holds_its_last_frame_the_alpha_does_too(comp):
    comp.refine()
    last = comp.render(1020)
    assert (comp.render(1050) == last).all()
    assert comps.FIRST + comps.COUNT - 1 == 1020
