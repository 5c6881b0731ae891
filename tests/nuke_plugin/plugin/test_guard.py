"""Which renders the guard refuses, and which it lets pass."""

from pathlib import Path

import comps
import pytest


@pytest.fixture
def comp(offline_comp):
    return offline_comp


def lose(comp, frame: int) -> None:
    Path(comp.node()["result_file"].value() % frame).unlink()


def test_the_writes_own_limits_are_known_before_the_first_frame(comp):
    comp.show_alphas()
    lose(comp, 1004)
    with pytest.raises(RuntimeError, match="1 frame missing: 1004"):
        comp.nuke.execute(limited(comp, 1001, 1005), 1001, 1005)
    assert not list((comp.folder / "out").glob("*.exr"))


def limited(comp, first: int, last: int):
    """Give the Write a range of its own and return it."""
    write = comp.node("Write1")
    for knob, value in (("use_limit", True), ("first", first), ("last", last)):
        write[knob].setValue(value)
    return write


@pytest.mark.parametrize(("lost", "refused"), [(1003, False), (1004, True), (1006, True), (1007, False)])
def test_both_ends_of_the_writes_limit_are_inside_and_what_is_beyond_is_not(comp, lost, refused):
    comp.show_alphas()
    lose(comp, lost)
    write = limited(comp, 1004, 1006)
    if refused:
        with pytest.raises(RuntimeError, match=f"1 frame missing: {lost}"):
            comp.nuke.execute(write, 1005, 1005)
    else:
        comp.nuke.execute(write, 1005, 1005)


@pytest.mark.parametrize(
    ("asked", "span"),
    [
        ("1001-1020", [1004, 1005, 1006]),
        ("1006-1009", [1006]),
        ("1001-1004", [1004]),
        ("1007", []),
        (None, [1004, 1005, 1006]),
    ],
)
def test_of_the_frames_that_are_asked_for_those_within_the_limit_are_rendered(comp, asked, span):
    from videomama_nuke import guard

    comp.nuke.rawArgs[:] = ["nuke", "-t"] if asked is None else ["nuke", "-x", "-F", asked, "shot.nk"]
    assert guard._span(limited(comp, 1004, 1006)) == span


def test_each_render_looks_again(comp):
    comp.show_alphas()
    comp.render(1001)
    comp.node()["exposure"].setValue(1)
    with pytest.raises(RuntimeError, match="VideoMaMa1: stale, exposure changed"):
        comp.render(1001)
    comp.node()["exposure"].setValue(0)
    comp.render(1001)


def test_a_result_that_was_forgotten_is_not_refined(comp):
    comp.show_alphas()
    comp.node()["refined"].setValue(False)
    with pytest.raises(RuntimeError, match="VideoMaMa1: not refined"):
        comp.render(1001)


def test_before_the_plate_begins_its_first_frame_is_shown_and_needed(comp):
    comp.show_alphas()
    comp.render(990)
    lose(comp, 1001)
    with pytest.raises(RuntimeError, match="1 frame missing: 1001"):
        comp.render(991)


def test_frames_that_are_there_render_though_others_are_missing(comp):
    comp.show_alphas()
    lose(comp, 1015)
    comp.nuke.execute(comp.node("Write1"), 1001, 1004)
    assert len(list((comp.folder / "out").glob("*.exr"))) == 4


def test_a_frame_that_is_missing_ends_the_render_there(comp):
    comp.show_alphas()
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
        comp.nuke.nodes.Write(inputs=[inside], name="Inner", file=file, create_directories=True, channels="rgba")
    group.setInput(0, comp.node())
    with pytest.raises(RuntimeError, match="VideoMaMa1: not refined"):
        comp.nuke.execute("Out1.Inner", 1001, 1001)


def test_frames_behind_a_shift_in_time_are_left_to_the_read(comp):
    comp.node()["frame_range"].setValue("custom")
    comp.node()["frames"].setValue("1001-1004")
    comp.show_alphas()
    shift = comp.nuke.nodes.TimeOffset(inputs=[comp.node()], time_offset=100)
    comp.node("Write1").setInput(0, shift)
    comp.nuke.execute(comp.node("Write1"), 1101, 1104)
    with pytest.raises(RuntimeError, match="No such file"):
        comp.nuke.execute(comp.node("Write1"), 1110, 1110)


def test_where_the_plate_holds_its_last_frame_the_alpha_does_too(comp):
    comp.show_alphas()
    last = comp.render(1020)
    assert (comp.render(1050) == last).all()
    assert comps.FIRST + comps.COUNT - 1 == 1020


def blur_mask(comp, **knobs):
    """Put a Blur above the mask."""
    blur = comp.nuke.nodes.Blur(inputs=[comp.node("MaskRead")], name="Blur1", size=2, **knobs)
    comp.node().setInput(1, blur)
    return blur


def test_a_knob_changed_above_the_mask_is_stale(comp):
    blur = blur_mask(comp)
    comp.show_alphas()
    comp.render(1001)
    blur["size"].setValue(9)
    with pytest.raises(RuntimeError, match="VideoMaMa1: stale, plate or mask changed"):
        comp.render(1002)


def test_the_second_of_a_chain_is_stale_once_the_first_was_refined_again(comp):
    second = comp.nuke.nodes.VideoMaMa(inputs=[comp.node(), comp.node()], name="VideoMaMa2")
    second["engine"].setValue("passthrough")
    comp.node("Write1").setInput(0, second)
    comp.show_alphas(name="VideoMaMa1")
    comp.show_alphas(name="VideoMaMa2")
    comp.render(1001)
    comp.node()["mask_grow"].setValue(2)
    comp.show_alphas(name="VideoMaMa1")
    with pytest.raises(RuntimeError, match="VideoMaMa2: stale, plate or mask changed"):
        comp.render(1002)


def doubtful(comp) -> None:
    """Refine below a Tracker, of which nobody can tell whether it changes."""
    comp.nuke.createNode("Tracker4", "name Tracker1", inpanel=False)
    comp.node("Tracker1").setInput(0, comp.node("MaskRead"))
    comp.node().setInput(1, comp.node("Tracker1"))
    assert comp.show_alphas() == "refined 1001-1020; not checked: Tracker1"


def test_what_cannot_be_checked_renders_with_a_warning(comp):
    from nuke_standin import session

    doubtful(comp)
    comp.render(1001)
    warnings = [text for kind, text in session.current().messages if kind == "warning"]
    assert warnings == [
        "VideoMaMa: VideoMaMa1: not checked: Tracker1. The alphas may be older than the plate and the mask."
    ]


def test_what_cannot_be_checked_is_refused_where_the_node_says_so(comp):
    doubtful(comp)
    comp.node()["unchecked"].setValue("refuse")
    with pytest.raises(RuntimeError, match="VideoMaMa1: not checked: Tracker1"):
        comp.render(1001)


def test_a_stale_node_on_the_other_branch_of_a_switch_renders(comp):
    switch = comp.nuke.nodes.Switch(inputs=[comp.node("PlateRead"), comp.node()], name="Switch1")
    comp.node("Write1").setInput(0, switch)
    comp.render(1001)
    switch["which"].setValue(1)
    with pytest.raises(RuntimeError, match="VideoMaMa1: not refined"):
        comp.render(1001)


def test_an_animated_switch_is_asked_at_each_frame(comp):
    switch = comp.nuke.nodes.Switch(inputs=[comp.node("PlateRead"), comp.node()], name="Switch1")
    switch["which"].setExpression("frame > 1003")
    write = comp.node("Write1")
    write.setInput(0, switch)
    for knob, value in (("use_limit", True), ("first", 1001), ("last", 1003)):
        write[knob].setValue(value)
    comp.nuke.execute(write, 1001, 1003)
    write["last"].setValue(1004)
    with pytest.raises(RuntimeError, match="VideoMaMa1: not refined"):
        comp.nuke.execute(write, 1001, 1001)
    write["use_limit"].setValue(False)
    comp.nuke.execute(write, 1002, 1002)


def test_what_a_disabled_merge_would_add_is_not_needed(comp):
    merge = comp.nuke.nodes.Merge2(inputs=[comp.node("PlateRead"), comp.node()], name="Merge1")
    comp.node("Write1").setInput(0, merge)
    with pytest.raises(RuntimeError, match="VideoMaMa1: not refined"):
        comp.render(1001)
    merge["disable"].setValue(True)
    comp.render(1001)


@pytest.mark.parametrize(("channels", "premultiply", "refused"), [("rgb", False, False), ("rgb", True, True)])
def test_a_write_of_rgb_needs_the_alpha_only_where_colour_is_multiplied_by_it(comp, channels, premultiply, refused):
    comp.show_alphas()
    comp.node("Write1")["channels"].setValue(channels)
    comp.node()["premultiply"].setValue(premultiply)
    comp.node()["mask_grow"].setValue(5)
    if refused:
        with pytest.raises(RuntimeError, match="stale, mask grow changed"):
            comp.render(1001)
    else:
        comp.render(1001)


def test_a_merge_between_may_bring_the_alpha_into_rgb(comp):
    merge = comp.nuke.nodes.Merge2(inputs=[comp.node("PlateRead"), comp.node()], name="Merge1")
    comp.node("Write1").setInput(0, merge)
    comp.node("Write1")["channels"].setValue("rgb")
    with pytest.raises(RuntimeError, match="VideoMaMa1: not refined"):
        comp.render(1001)


def test_a_longer_range_refuses_only_the_frames_that_are_missing(comp):
    comp.node()["frame_range"].setValue("custom")
    comp.node()["frames"].setValue("1001-1010")
    comp.show_alphas()
    for name in ("PlateRead", "MaskRead"):
        comp.node(name)["last"].setValue(1022)
    comp.nuke.root()["last_frame"].setValue(1022)
    comp.render(1010)
    with pytest.raises(RuntimeError, match="1 frame missing: 1021"):
        comp.render(1021)


def test_a_trimmed_read_leaves_the_frames_that_it_still_has(comp):
    comp.show_alphas()
    comp.node("MaskRead")["last"].setValue(1018)
    comp.render(1018)
    with pytest.raises(RuntimeError, match="the range of plate or mask changed on 1019"):
        comp.render(1019)
    from videomama_nuke import node_state

    node_state.refresh(comp.node())
    assert comp.status() == "1019-1020 not refined"


@pytest.mark.parametrize("name", ["mask_grow", "engine", "roi_mode"])
def test_a_keyframed_setting_is_refused_by_name(comp, name):
    comp.node()[name].setAnimated()
    comp.press("refine")
    assert comp.status().startswith(f"VideoMaMa1: {name} has keyframes")


def test_an_expression_on_a_setting_is_refused_in_the_status_and_in_a_render(comp):
    comp.show_alphas()
    comp.node()["exposure"].setExpression("frame / 1000")
    from videomama_nuke import node_state

    node_state.refresh(comp.node())
    assert comp.status() == "VideoMaMa1: exposure has an expression"
    with pytest.raises(RuntimeError, match="exposure has an expression"):
        comp.render(1001)


def test_an_animated_bypass_holds_for_its_frames(comp):
    comp.node()["frame_range"].setValue("custom")
    comp.node()["frames"].setValue("1001-1004")
    comp.show_alphas()
    comp.node()["bypass"].setExpression("frame > 1004")
    write = comp.node("Write1")
    for knob, value in (("use_limit", True), ("first", 1001), ("last", 1008)):
        write[knob].setValue(value)
    comp.nuke.execute(write, 1001, 1008)
    comp.node()["bypass"].setExpression("frame > 1006")
    with pytest.raises(RuntimeError, match="2 frames missing: 1005-1006"):
        comp.nuke.execute(write, 1001, 1008)


def test_the_frames_of_a_render_are_those_of_the_command_line_within_the_limit(comp):
    comp.show_alphas()
    lose(comp, 1004)
    write = comp.node("Write1")
    for knob, value in (("use_limit", True), ("first", 1003), ("last", 1010)):
        write[knob].setValue(value)
    comp.nuke.rawArgs[:] = ["nuke", "-x", "-X", "Write1", str(comp.script), "1001-1003"]
    comp.nuke.execute(write, 1003, 1003)
    comp.nuke.rawArgs[:] = ["nuke", "-x", "-F", "1001", "-F", "1004", str(comp.script)]
    with pytest.raises(RuntimeError, match="1 frame missing: 1004"):
        comp.nuke.execute(write, 1003, 1003)


@pytest.mark.parametrize(
    ("words", "span"),
    [
        (["nuke", "-x", "shot.nk", "1003-1004"], [1003, 1004]),
        (["nuke", "-x", "shot.nk", "1003,1004"], [1003, 1004]),
        (["nuke", "-x", "shot.nk", "1003", "1007-1009x2"], [1003, 1007, 1009]),
        (["nuke", "-x", "-F", "1001-1002", "shot.nk"], [1001, 1002]),
        (["nuke", "-x", "-m", "4", "shot.nk"], list(range(1001, 1021))),
        (["nuke", "-t", "batch.py", "1003-1004"], None),
        (["nuke", "-X", "Write1", "-F", "1003", "-F", "1001", "shot.nk"], [1001, 1003]),
        (["nuke", "-x", "shot.nk", "-F"], list(range(1001, 1021))),
    ],
)
def test_which_frames_a_command_line_asks_for(comp, words, span):
    from videomama_nuke import guard

    comp.nuke.rawArgs[:] = words
    assert guard._span(comp.node("Write1")) == span


def test_behind_a_shift_in_time_frames_of_another_mask_are_a_doubt(comp):
    comp.show_alphas()
    comp.node("MaskRead")["last"].setValue(1018)
    shift = comp.nuke.nodes.TimeOffset(inputs=[comp.node()], time_offset=100)
    comp.node("Write1").setInput(0, shift)
    comp.render(1101)
    comp.node()["unchecked"].setValue("refuse")
    with pytest.raises(RuntimeError, match="not checked: frames behind a shift in time"):
        comp.render(1102)


def test_of_a_node_without_a_plate_every_frame_is_asked_for(comp):
    from videomama_nuke import guard

    assert guard._in_plate(comp.node(), [1030, 1001, 1030]) == [1001, 1020]
    comp.node().setInput(0, None)
    assert guard._in_plate(comp.node(), [1030, 1001, 1030]) == [1001, 1030]
