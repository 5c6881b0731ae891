"""Renders in the stand-in: lazy evaluation, callbacks, errors in Nuke's words, cancel, and Reads over time."""

from __future__ import annotations

import numpy as np
import pytest
from nuke_standin import child, render, session


@pytest.fixture
def clip(exr, tmp_path):
    """Frames 1001-1005; red is the frame number less 1000, a quarter of it each."""
    for frame in range(1001, 1006):
        exr.flat(tmp_path / "clip" / f"plate.{frame}.exr", ((frame - 1000) / 4, 0, 0, 1))
    return f"{tmp_path}/clip/plate.%04d.exr"


@pytest.fixture
def comp(nuke, clip, tmp_path):
    """Read > Write, over 1001-1005."""
    nuke.root()["first_frame"].setValue(1001)
    nuke.root()["last_frame"].setValue(1005)
    read = nuke.nodes.Read(file=clip, first=1001, last=1005, raw=True)
    write = nuke.nodes.Write(file=f"{tmp_path}/out/out.%04d.exr", raw=True, create_directories=True, inputs=[read])
    write["file_type"].setValue("exr")
    write["datatype"].setValue("32 bit float")
    write["channels"].setValue("rgba")
    return write


def reds(exr, folder):
    return {int(p.name.split(".")[1]): float(exr.read(p).channel("R")[0, 0]) for p in sorted(folder.glob("*.exr"))}


@pytest.fixture
def log(nuke):
    """What happened, in order: (callback, node, frame)."""
    events = []

    def note(kind):
        events.append((kind, nuke.thisNode().name(), int(nuke.frame())))

    nuke.addBeforeRender(note, ("before",))
    nuke.addBeforeFrameRender(note, ("before frame",))
    nuke.addAfterFrameRender(note, ("after frame",))
    nuke.addAfterRender(note, ("after",))
    return events


# execute


def test_execute_writes_every_frame(nuke, comp, exr, tmp_path):
    nuke.execute(comp, 1001, 1003)
    assert reds(exr, tmp_path / "out") == {1001: 0.25, 1002: 0.5, 1003: 0.75}


def test_execute_takes_a_name_an_increment_and_keywords(nuke, comp, exr, tmp_path):
    nuke.execute(comp.fullName(), start=1001, end=1005, incr=2, views=["main"])
    assert sorted(reds(exr, tmp_path / "out")) == [1001, 1003, 1005]


def test_execute_takes_frame_ranges(nuke, comp, exr, tmp_path):
    nuke.execute(comp, nuke.FrameRanges(["1001-1002", "1005"]), ["main"])
    assert sorted(reds(exr, tmp_path / "out")) == [1001, 1002, 1005]


def test_execute_defaults_to_the_roots_range(nuke, comp, exr, tmp_path):
    nuke.execute(comp)
    assert sorted(reds(exr, tmp_path / "out")) == [1001, 1002, 1003, 1004, 1005]


def test_render_is_execute(nuke, comp, exr, tmp_path):
    nuke.render(comp, 1004, 1004)
    assert sorted(reds(exr, tmp_path / "out")) == [1004]


def test_execute_refuses_arguments_that_nuke_does_not_take(nuke, comp):
    with pytest.raises(TypeError):
        nuke.execute(comp, 1001, 1002, frames=2)
    with pytest.raises(TypeError):
        nuke.execute(comp, "1001", "1002")


def test_the_current_frame_is_as_before(nuke, comp):
    nuke.frame(1002)
    nuke.execute(comp, 1001, 1005)
    assert nuke.frame() == 1002


def test_what_is_no_write_cannot_be_executed(nuke, comp):
    with pytest.raises(RuntimeError, match=r"^Read1 cannot be executed$"):
        nuke.execute(comp.input(0), 1001, 1001)


def test_a_switched_off_write_cannot_be_executed(nuke, comp):
    comp["disable"].setValue(True)
    with pytest.raises(RuntimeError, match=r"^Write1 cannot be executed$"):
        nuke.execute(comp, 1001, 1001)


def test_many_frames_need_padding(nuke, comp, tmp_path):
    comp["file"].setValue(f"{tmp_path}/out/still.exr")
    with pytest.raises(RuntimeError, match=r"^Write1 cannot be executed for multiple frames\.$"):
        nuke.execute(comp, 1001, 1002)
    nuke.execute(comp, 1001, 1001)
    assert (tmp_path / "out" / "still.exr").is_file()


@pytest.mark.parametrize("padding", ["%04d", "####", "%d"])
def test_every_kind_of_padding(nuke, comp, padding, tmp_path):
    comp["file"].setValue(f"{tmp_path}/out/a.{padding}.exr")
    nuke.execute(comp, 1001, 1002)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a.1001.exr", "a.1002.exr"]


def test_a_missing_folder_is_an_error_without_create_directories(nuke, comp):
    comp["create_directories"].setValue(False)
    with pytest.raises(RuntimeError, match="No such file or directory"):
        nuke.execute(comp, 1001, 1001)


def test_a_missing_frame_is_an_error_in_nukes_words_and_ends_the_render(nuke, comp, exr, tmp_path):
    (tmp_path / "clip" / "plate.1003.exr").unlink()
    with pytest.raises(RuntimeError) as caught:
        nuke.execute(comp, 1001, 1005)
    assert str(caught.value) == f"Read1: {tmp_path}/clip/plate.1003.exr: No such file or directory"
    assert sorted(reds(exr, tmp_path / "out")) == [1001, 1002]


def test_continue_on_error_renders_the_rest(nuke, comp, exr, tmp_path, capsys):
    (tmp_path / "clip" / "plate.1003.exr").unlink()
    with pytest.raises(RuntimeError, match=r"plate\.1003\.exr"):
        nuke.execute(comp, 1001, 1005, 1, ["main"], True)
    assert sorted(reds(exr, tmp_path / "out")) == [1001, 1002, 1004, 1005]
    assert "plate.1003.exr" in capsys.readouterr().err


def test_a_limited_write_renders_its_range_only(nuke, comp, exr, tmp_path):
    for name, value in (("use_limit", True), ("first", 1002), ("last", 1003)):
        comp[name].setValue(value)
    nuke.execute(comp, 1001, 1005)
    assert sorted(reds(exr, tmp_path / "out")) == [1002, 1003]


# Undo and modified


def test_a_render_changes_neither_undo_nor_the_modified_flag(nuke, comp):
    nuke.root().setModified(False)
    before = session.undo_depth()
    nuke.execute(comp, 1001, 1002)
    assert session.undo_depth() == before
    assert not nuke.root().modified()


# Callbacks


def test_the_order_of_callbacks(nuke, comp, log):
    nuke.execute(comp, 1001, 1002)
    assert [(kind, frame) for kind, _, frame in log if kind != "before"] == [
        ("before frame", 1001),
        ("after frame", 1001),
        ("before frame", 1002),
        ("after frame", 1002),
        ("after", 1002),
    ]
    assert log[0][:2] == ("before", "Write1")


def test_the_nodes_own_script_runs_first(nuke, comp, log):
    session.current().namespace["events"] = log
    comp["beforeRender"].setValue("events.append(('own', nuke.thisNode().name(), 0))")
    nuke.execute(comp, 1001, 1001)
    assert [kind for kind, *_ in log][:2] == ["own", "before"]


def test_an_exception_before_the_render_leaves_nothing_written(nuke, comp, tmp_path):
    nuke.addBeforeRender(failing)
    with pytest.raises(RuntimeError, match="VideoMaMa: 2 frames missing"):
        nuke.execute(comp, 1001, 1002)
    assert not (tmp_path / "out").exists()


def failing():
    raise RuntimeError("VideoMaMa: 2 frames missing")


def test_after_frame_render_is_skipped_when_the_frame_fails(nuke, comp, log, tmp_path):
    (tmp_path / "clip" / "plate.1002.exr").unlink()
    with pytest.raises(RuntimeError):
        nuke.execute(comp, 1001, 1003)
    assert [(kind, frame) for kind, _, frame in log][1:] == [
        ("before frame", 1001),
        ("after frame", 1001),
        ("before frame", 1002),
    ]


def test_callbacks_of_a_write_in_a_group_have_it_as_this_node_and_the_group_as_parent(nuke, comp, tmp_path):
    group, _ = grouped(nuke, comp.input(0), tmp_path)
    seen = []
    nuke.addBeforeRender(lambda: seen.append((nuke.thisNode().fullName(), nuke.thisParent().name())))
    nuke.execute(group, 1001, 1001)
    assert seen == [("Group1.Write1", "Group1")]


def grouped(nuke, source, tmp_path):
    group = nuke.nodes.Group(inputs=[source])
    with group:
        inside = nuke.nodes.Input()
        path = f"{tmp_path}/inner/a.%04d.exr"
        write = nuke.nodes.Write(file=path, raw=True, create_directories=True, inputs=[inside], file_type="exr")
        nuke.nodes.Output(inputs=[inside])
    group.setInput(0, source)
    return group, write


def test_a_second_render_from_a_callback_is_refused(nuke, comp):
    caught = []

    def again():
        with pytest.raises(RuntimeError) as error:
            nuke.execute(comp, 1001, 1001)
        caught.append(str(error.value))

    nuke.addBeforeFrameRender(again)
    nuke.execute(comp, 1001, 1001)
    assert caught == ["I'm already executing something else"]


def test_creating_a_node_from_a_callback_is_refused(nuke, comp):
    nuke.addBeforeRender(lambda: nuke.createNode("Blur"))
    with pytest.raises(RuntimeError, match="I'm already executing something else"):
        nuke.execute(comp, 1001, 1001)


def test_executing_tells(nuke, comp):
    seen = []
    nuke.addAfterFrameRender(lambda: seen.append(nuke.executing()))
    nuke.execute(comp, 1001, 1001)
    assert (seen, nuke.executing()) == ([True], False)


def test_a_render_fires_no_knob_changed(nuke, comp):
    seen = []
    nuke.addKnobChanged(lambda: seen.append(nuke.thisKnob().name()), nodeClass="*")
    nuke.execute(comp, 1001, 1003)
    assert seen == []


# Cancel


def test_cancel_in_nukes_words(nuke, comp, exr, tmp_path):
    render.cancel_after(2)
    with pytest.raises(RuntimeError) as caught:
        nuke.execute(comp, 1001, 1005)
    assert caught.value.args[0][0:9] == "Cancelled"
    assert sorted(reds(exr, tmp_path / "out")) == [1001, 1002]
    nuke.execute(comp, 1003, 1003)


def test_a_cancelled_render_gives_the_frame_back(nuke, comp):
    nuke.frame(1005)
    render.cancel_after(1)
    with pytest.raises(RuntimeError):
        nuke.execute(comp, 1001, 1005)
    assert nuke.frame() == 1005


# Several Writes, and groups


def second_write(nuke, comp, tmp_path, **knobs):
    path = f"{tmp_path}/second/b.%04d.exr"
    return nuke.nodes.Write(file=path, raw=True, create_directories=True, inputs=[comp.input(0)], **knobs)


def test_execute_multiple_goes_by_render_order(nuke, comp, log, tmp_path):
    comp["render_order"].setValue(2)
    other = second_write(nuke, comp, tmp_path, render_order=1)
    nuke.executeMultiple([comp, other], [[1001, 1001, 1]])
    assert [name for kind, name, _ in log if kind == "before frame"] == ["Write2", "Write1"]


def test_execute_multiple_without_nodes_renders_all_that_are_on(nuke, comp, log, tmp_path):
    second_write(nuke, comp, tmp_path, disable=True)
    grouped(nuke, comp.input(0), tmp_path)[1]["disable"].setValue(True)
    nuke.executeMultiple([], [[1001, 1001, 1]])
    assert {name for _, name, _ in log} == {"Write1"}


def test_executing_a_group_executes_its_writes(nuke, comp, exr, tmp_path):
    group, _ = grouped(nuke, comp.input(0), tmp_path)
    nuke.execute(group, 1001, 1002)
    assert reds(exr, tmp_path / "inner") == {1001: 0.25, 1002: 0.5}


def test_a_write_in_a_group_by_its_full_name(nuke, comp, exr, tmp_path):
    grouped(nuke, comp.input(0), tmp_path)
    nuke.execute("Group1.Write1", 1001, 1001)
    assert reds(exr, tmp_path / "inner") == {1001: 0.25}


def test_a_group_without_a_live_write_cannot_be_executed(nuke, comp, tmp_path):
    group, write = grouped(nuke, comp.input(0), tmp_path)
    write["disable"].setValue(True)
    with pytest.raises(RuntimeError, match=r"^Group1 cannot be executed$"):
        nuke.execute(group, 1001, 1001)


# Evaluation


def test_what_a_switch_does_not_choose_is_not_read(nuke, comp, exr, tmp_path):
    gone = nuke.nodes.Read(file=f"{tmp_path}/gone.%04d.exr", raw=True)
    switch = nuke.nodes.Switch(inputs=[comp.input(0), gone])
    comp.setInput(0, switch)
    nuke.execute(comp, 1001, 1001)
    switch["which"].setValue(1)
    with pytest.raises(RuntimeError, match="No such file"):
        nuke.execute(comp, 1002, 1002)


def test_a_switched_off_node_passes_input_0(nuke, comp, exr, tmp_path):
    grade = nuke.nodes.Grade(inputs=[comp.input(0)], multiply=2)
    comp.setInput(0, grade)
    nuke.execute(comp, 1001, 1001)
    grade["disable"].setValue(True)
    nuke.execute(comp, 1002, 1002)
    assert reds(exr, tmp_path / "out") == {1001: 0.5, 1002: 0.5}


def test_expressions_are_evaluated_at_the_frame_that_is_rendered(nuke, comp, exr, tmp_path):
    grade = nuke.nodes.Grade(inputs=[comp.input(0)])
    grade["multiply"].setExpression("frame-1000")
    comp.setInput(0, grade)
    nuke.execute(comp, 1001, 1003)
    assert reds(exr, tmp_path / "out") == {1001: 0.25, 1002: 1.0, 1003: 2.25}


@pytest.mark.parametrize("name", ["TimeOffset", "FrameHold"])
def test_time(nuke, comp, exr, tmp_path, name):
    knobs = {"TimeOffset": {"time_offset": 1}, "FrameHold": {"firstFrame": 1004}}[name]
    node = nuke.createNode(name, inpanel=False)
    node.setInput(0, comp.input(0))
    for knob, value in knobs.items():
        node[knob].setValue(value)
    comp.setInput(0, node)
    nuke.execute(comp, 1003, 1003)
    assert reds(exr, tmp_path / "out") == {1003: {"TimeOffset": 0.5, "FrameHold": 1.0}[name]}
    if name == "TimeOffset":
        assert (node.firstFrame(), node.lastFrame()) == (1002, 1006)


def test_copy_through_the_api(nuke, comp, exr, tmp_path):
    constant = nuke.nodes.Constant(channels="rgba", color=[0, 0, 0, 0.5])
    copy = nuke.nodes.Copy(inputs=[comp.input(0), constant], bbox="B")
    comp.setInput(0, copy)
    nuke.execute(comp, 1001, 1001)
    after = exr.read(tmp_path / "out" / "out.1001.exr")
    assert (after.channel("R")[0, 0], after.channel("A")[0, 0]) == (0.25, 0.5)
    assert after.data == after.display == (0, 0, 8, 6)


def test_shuffle_as_a_file_has_it(nuke, comp, exr, tmp_path):
    shuffle = nuke.nodes.Shuffle2(inputs=[comp.input(0)])
    shuffle["mappings"].setValue("2 rgba.red 0 0 rgba.alpha 0 3 black -1 -1 rgba.red 0 0")
    comp.setInput(0, shuffle)
    nuke.execute(comp, 1001, 1001)
    after = exr.read(tmp_path / "out" / "out.1001.exr")
    assert (after.channel("R")[0, 0], after.channel("A")[0, 0]) == (0, 0.25)


def test_a_class_without_pixels_is_an_error_that_names_it(nuke, comp):
    note = nuke.nodes.StickyNote()
    comp._connect(0, note)
    with pytest.raises(RuntimeError, match="no pixels for the class StickyNote"):
        nuke.execute(comp, 1001, 1001)


# A Read and time


def reading(nuke, clip, **knobs):
    node = nuke.nodes.Read(file=clip, first=1001, last=1005, raw=True)
    for name, value in knobs.items():
        node[name].setValue(value)
    return node


def red_at(nuke, node, frame):
    write = nuke.nodes.Write(inputs=[node], file_type="exr", raw=True)
    write["file"].setValue(f"{session.current().namespace['folder']}/probe.%04d.exr")
    nuke.execute(write, frame, frame)
    path = write["file"].evaluate(frame)
    nuke.delete(write)
    return path


@pytest.fixture
def red(nuke, exr, tmp_path):
    """Red of a node at a frame, by rendering it."""
    session.current().namespace["folder"] = str(tmp_path)
    return lambda node, frame: float(exr.read(red_at(nuke, node, frame)).channel("R")[0, 0])


@pytest.mark.parametrize(
    ("rule", "before", "after"), [("hold", 0.25, 1.25), ("loop", 1.0, 0.5), ("bounce", 0.75, 0.75)]
)
def test_before_and_after(nuke, clip, red, rule, before, after):
    node = reading(nuke, clip, before=rule, after=rule)
    assert red(node, 999) == before
    assert red(node, 1007) == after


def test_black_before_the_range_has_no_channels(nuke, clip, red):
    node = reading(nuke, clip, before="black")
    assert red(node, 1001) == 0.25
    with pytest.raises(RuntimeError, match=r"No channels selected \(or available\)"):
        red(node, 1000)


@pytest.mark.parametrize(
    ("mode", "text", "frame"), [("start at", "1", 2), ("offset", "1000", 2), ("expression", "frame+1", 1001)]
)
def test_frame_mode(nuke, clip, red, mode, text, frame):
    assert red(reading(nuke, clip, frame_mode=mode, frame=text), frame) == 0.5


def test_the_range_that_a_read_offers(nuke, clip):
    node = reading(nuke, clip)
    assert (node.firstFrame(), node.lastFrame()) == (1001, 1005)
    moved = reading(nuke, clip, frame_mode="start at", frame="1")
    assert (moved.firstFrame(), moved.lastFrame()) == (1, 5)


@pytest.mark.parametrize(("mode", "value"), [("nearest frame", 0.5), ("error", None)])
def test_on_error(nuke, clip, red, tmp_path, mode, value):
    (tmp_path / "clip" / "plate.1003.exr").unlink()
    node = reading(nuke, clip, on_error=mode)
    if value is None:
        with pytest.raises(RuntimeError, match=r"Read1: .*plate\.1003\.exr: No such file or directory"):
            red(node, 1003)
    else:
        assert red(node, 1003) == value


def test_the_overwrite_trap_and_reload(nuke, clip, red, exr, tmp_path):
    node = reading(nuke, clip)
    assert red(node, 1001) == 0.25
    exr.flat(tmp_path / "clip" / "plate.1001.exr", (4, 0, 0, 1))
    assert red(node, 1001) == 0.25, "the path was read already"
    node["reload"].execute()
    assert red(node, 1001) == 4


def test_another_session_has_read_nothing_yet(nuke, clip, red, exr, tmp_path):
    assert red(reading(nuke, clip), 1001) == 0.25
    exr.flat(tmp_path / "clip" / "plate.1001.exr", (4, 0, 0, 1))
    nuke.scriptClear()
    session.current().namespace["folder"] = str(tmp_path)
    assert red(reading(nuke, clip), 1001) in (0.25, 4), "whether clearing a script empties Nuke's cache is not known"


# Facts


def test_facts_of_nodes(nuke, exr, tmp_path):
    path = exr.write(
        tmp_path / "a.exr", np.ones((4, 5, 2)), ["R", "roto.alpha"], display=(0, 0, 8, 6), origin=(1, 1), aspect=2
    )
    node = nuke.nodes.Read(file=path, raw=True)
    assert (node.width(), node.height(), node.pixelAspect()) == (8, 6, 2.0)
    box = node.bbox()
    assert (box.x(), box.y(), box.w(), box.h()) == (0, 0, 7, 6)
    assert node.channels() == ["rgba.red", "roto.alpha"]
    assert not node.error()


def test_a_missing_file_is_an_error_of_the_node_but_its_format_still_answers(nuke, tmp_path):
    node = nuke.nodes.Read(file=f"{tmp_path}/gone.exr", raw=True)
    assert node.hasError()
    assert (node.width(), node.height()) == (nuke.root().width(), nuke.root().height())


def test_an_unconnected_node_is_black_of_the_roots_format(nuke):
    node = nuke.nodes.Grade()
    assert (node.width(), node.channels()) == (nuke.root().width(), [])


def test_sample(nuke, clip):
    node = reading(nuke, clip)
    nuke.frame(1002)
    assert node.sample("red", 4.5, 3.5) == 0.5


def test_sample_takes_the_mean_around_a_place(nuke, exr, tmp_path):
    path = exr.write(tmp_path / "a.exr", np.arange(48, dtype=np.float32).reshape(6, 8, 1), "A")
    node = nuke.nodes.Read(file=path, raw=True)
    assert node.sample("alpha", 0.5, 0.5) == 40, "the lowest row is the last of the file"
    assert node.sample("rgba.alpha", 1.5, 0.5, 3, 1) == 41


# What the double does not do is an error, never a wrong picture


@pytest.mark.parametrize(
    ("kind", "knob", "value"),
    [("Reformat", "flip", True), ("Merge2", "sRGB", True), ("Premult", "invert", True), ("Crop", "softness", 3)],
)
def test_knobs_without_effect_here_are_refused(nuke, clip, kind, knob, value):
    node = getattr(nuke.nodes, kind)(inputs=[reading(nuke, clip)])
    assert not node.error()
    node[knob].setValue(value)
    assert node.error()
    with pytest.raises(RuntimeError, match=f"the stand-in does nothing for the knob {knob}"):
        node.format()


def test_a_write_in_several_parts_is_refused(nuke, comp):
    comp["interleave"].setValue("channels")
    with pytest.raises(RuntimeError, match="the stand-in does nothing for the knob interleave"):
        nuke.execute(comp, 1001, 1001)


def test_changed_defaults_of_colour_are_refused_unless_raw(nuke, clip):
    node = reading(nuke, clip)
    nuke.root()["floatLut"].setValue("sRGB")
    assert not node.error()
    node["raw"].setValue(False)
    with pytest.raises(RuntimeError, match="floatLut"):
        node.format()


def test_ocio_projects_read_float_files_as_they_are(nuke, clip):
    nuke.root()["colorManagement"].setValue("OCIO")
    node = reading(nuke, clip, raw=False)
    nuke.frame(1002)
    assert node.sample("red", 0.5, 0.5) == 0.5
    node["colorspace"].setValue("ACES - ACEScg")
    assert node.error()


# Groups and gizmos


@pytest.fixture
def gizmo(nuke, tmp_path):
    """A gizmo that gives the alpha of its second input to its first, or of the first itself when there is no second."""
    (tmp_path / "gizmos").mkdir()
    (tmp_path / "gizmos" / "Alpha.gizmo").write_text(
        """Gizmo {
 inputs 2
 addUserKnob {20 tab l Alpha}
 addUserKnob {6 bypass +STARTLINE}
}
 Input {
  inputs 0
  name mask
  number 1
 }
set Nmask [stack 0]
 Input {
  inputs 0
  name plate
 }
set Nplate [stack 0]
push $Nmask
push $Nplate
 Switch {
  inputs 2
  which {{"\\[exists parent.input1]"}}
  name Chosen
 }
push $Nplate
 Copy {
  inputs 2
  from0 rgba.alpha
  to0 rgba.alpha
  bbox B
  name Copy1
 }
set Ncopy [stack 0]
push $Nplate
push $Ncopy
 Switch {
  inputs 2
  which {{parent.bypass}}
  name Bypass
 }
 Output {
  name Output1
 }
end_group
"""
    )
    nuke.pluginAddPath(str(tmp_path / "gizmos"))


def test_a_gizmo_with_an_optional_input(nuke, gizmo, clip):
    plate = reading(nuke, clip)
    mask = nuke.nodes.Constant(channels="rgba", color=[0, 0, 0, 0.25])
    node = nuke.nodes.Alpha(inputs=[plate])
    nuke.frame(1001)
    assert node.sample("alpha", 1.5, 1.5) == 1
    node.setInput(1, mask)
    assert node.sample("alpha", 1.5, 1.5) == 0.25
    assert node.sample("red", 1.5, 1.5) == 0.25
    node["bypass"].setValue(True)
    assert node.sample("alpha", 1.5, 1.5) == 1
    node["bypass"].setValue(False)
    node["disable"].setValue(True)
    assert node.sample("alpha", 1.5, 1.5) == 1


def test_a_gizmo_keeps_format_and_box_of_its_plate(nuke, gizmo, exr, tmp_path):
    path = exr.write(tmp_path / "a.exr", np.ones((4, 5, 4)), display=(0, 0, 8, 6), origin=(1, 1))
    node = nuke.nodes.Alpha(inputs=[nuke.nodes.Read(file=path, raw=True), nuke.nodes.Constant(channels="rgba")])
    box = node.bbox()
    assert (node.width(), node.height(), box.x(), box.y(), box.w(), box.h()) == (8, 6, 0, 0, 7, 6)


def test_the_same_node_twice_in_a_plan_is_read_once(nuke, gizmo, clip):
    from nuke_standin import evaluate, knobs

    node = nuke.nodes.Alpha(inputs=[reading(nuke, clip)])
    steps, _ = evaluate.plan(node, knobs.Context(1001.0))
    assert [step["op"] for step in steps["steps"]] == ["read", "copy"]


def test_a_loop_is_an_error(nuke):
    one, two = nuke.nodes.Grade(), nuke.nodes.Grade()
    one._connect(0, two)
    two._connect(0, one)
    with pytest.raises(RuntimeError, match="upstream of itself"):
        one.format()


# GUI


def test_a_render_in_the_gui_prints_no_frames(gui_nuke, clip, tmp_path, capsys):
    read = gui_nuke.nodes.Read(file=clip, first=1001, last=1005, raw=True)
    write = gui_nuke.nodes.Write(file=f"{tmp_path}/a.%04d.exr", file_type="exr", inputs=[read])
    gui_nuke.execute(write, 1001, 1001)
    assert capsys.readouterr().out == ""


def test_cancel_pressed_while_a_frame_is_rendered(nuke, comp, exr, tmp_path):
    nuke.addAfterFrameRender(render.cancel)
    with pytest.raises(RuntimeError, match=r"^Cancelled"):
        nuke.execute(comp, 1001, 1005)
    assert sorted(reds(exr, tmp_path / "out")) == [1001]


# The process with the pixels


def test_the_pixels_begin_anew_when_their_process_was_killed(nuke, comp, exr, tmp_path):
    nuke.execute(comp, 1001, 1001)
    child._child._process.kill()
    child._child._process.wait()
    nuke.execute(comp, 1002, 1002)
    assert sorted(reds(exr, tmp_path / "out")) == [1001, 1002]


def test_nothing_is_left_of_the_pixels_after_close(nuke, comp):
    nuke.execute(comp, 1001, 1001)
    process = child._child._process
    child.close()
    assert process.poll() == 0
    child.close()


def test_a_file_that_appears_later_is_read(nuke, clip, red, exr, tmp_path):
    node = nuke.nodes.Read(file=f"{tmp_path}/late.exr", raw=True)
    assert node.error()
    exr.flat(tmp_path / "late.exr", (0.5, 0, 0, 1))
    assert red(node, 1) == 0.5
