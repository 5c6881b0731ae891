"""Which VideoMaMa nodes a render needs at a frame."""

import pytest


@pytest.fixture
def comp(offline_comp):
    return offline_comp


def needed(comp, frame: int = 1001, channels: str = "rgba") -> list[tuple[str, bool]]:
    """Return the nodes that Write1 needs, and whether their frames are others."""
    from videomama_nuke import needs

    comp.node("Write1")["channels"].setValue(channels)
    return [(one.node.fullName(), one.retimed) for one in needs.Walk(frame).needed(comp.node("Write1"))]


OURS = [("VideoMaMa1", False)]


def below(comp, made) -> None:
    comp.node("Write1").setInput(0, made)


def test_the_node_below_the_write_is_needed_and_its_mask_is_not(comp):
    second = comp.nuke.nodes.VideoMaMa(inputs=[comp.node("PlateRead"), comp.node()], name="VideoMaMa2")
    below(comp, second)
    assert needed(comp) == [("VideoMaMa2", False)]
    second.setInput(0, comp.node())
    assert needed(comp) == [("VideoMaMa2", False), *OURS]


@pytest.mark.parametrize("name", ["disable", "bypass"])
def test_a_node_that_lets_the_plate_pass_is_not_needed(comp, name):
    comp.node()[name].setValue(True)
    assert needed(comp) == []
    comp.node()[name].setExpression("frame < 1003")
    assert needed(comp, 1002) == []
    assert needed(comp, 1003) == OURS


@pytest.mark.parametrize(
    ("output", "channels", "takes"),
    [
        ("rgba.alpha", "rgb", False),
        ("rgba.alpha", "alpha", True),
        ("rgba.alpha", "rgba", True),
        ("rgba.alpha", "all", True),
        ("rgba.alpha", "rgba.red", False),
        ("rgba.alpha", "rgba.alpha", True),
        ("rgba.alpha", "rgba.red rgba.alpha", True),
        ("rgba.red", "rgb", True),
        ("rgba.red", "alpha", False),
        ("matte.alpha", "rgba", False),
        ("matte.alpha", "all", True),
    ],
)
def test_only_a_write_of_the_channel_that_the_alpha_goes_to_needs_it(comp, output, channels, takes):
    comp.nuke.Layer("matte", ["matte.alpha"])
    comp.node()["output"].setValue(output)
    assert needed(comp, channels=channels) == (OURS if takes else [])
    comp.node()["premultiply"].setValue(True)
    assert needed(comp, channels=channels) == OURS


def test_an_animated_premultiply_needs_the_alpha_at_its_frames(comp):
    comp.node()["premultiply"].setExpression("frame > 1003")
    assert needed(comp, 1003, "rgb") == []
    assert needed(comp, 1004, "rgb") == OURS
    comp.node()["premultiply"].clearAnimated()
    comp.node()["premultiply"].setValueAt(0, 1001)
    comp.node()["premultiply"].setValueAt(1, 1005)
    assert needed(comp, 1001, "rgb") == []
    assert needed(comp, 1005, "rgb") == OURS


@pytest.mark.parametrize(("name", "value"), [("premultiply", "0"), ("bypass", "1"), ("disable", "1")])
def test_behind_a_shift_in_time_an_animated_switch_may_be_either(comp, name, value):
    channels = "rgb" if name == "premultiply" else "rgba"
    below(comp, comp.nuke.nodes.TimeOffset(inputs=[comp.node()], time_offset=5))
    comp.node()[name].setExpression(value)
    assert needed(comp, channels=channels) == [("VideoMaMa1", True)]
    comp.node()[name].clearAnimated()
    assert needed(comp, channels=channels) == []


@pytest.mark.parametrize(("kind", "takes"), [("Dot", False), ("Crop", False), ("Copy", True), ("Grade", True)])
def test_between_them_a_node_may_bring_the_alpha_into_other_channels(comp, kind, takes):
    made = getattr(comp.nuke.nodes, kind)(inputs=[comp.node()])
    below(comp, made)
    assert needed(comp, channels="rgb") == (OURS if takes else [])
    if kind != "Dot":
        made["disable"].setValue(True)
        assert needed(comp, channels="rgb") == []
    assert needed(comp) == OURS


@pytest.mark.parametrize(("which", "takes"), [(-1, False), (0, False), (1, True), (2, False), (9, False)])
def test_a_switch_needs_the_input_that_it_shows(comp, which, takes):
    plate = comp.node("PlateRead")
    below(comp, comp.nuke.nodes.Switch(inputs=[plate, comp.node(), plate], which=which))
    assert needed(comp) == (OURS if takes else [])


def test_an_animated_switch_varies_and_behind_a_shift_all_its_inputs_count(comp):
    from videomama_nuke import needs

    switch = comp.nuke.nodes.Switch(inputs=[comp.node("PlateRead"), comp.node()])
    switch["which"].setExpression("frame > 1003")
    below(comp, switch)
    assert needed(comp, 1003) == []
    assert needed(comp, 1004) == OURS
    walk = needs.Walk(1003)
    list(walk.needed(comp.node("Write1")))
    assert walk.varies
    below(comp, comp.nuke.nodes.TimeOffset(inputs=[switch], time_offset=5))
    assert needed(comp, 1001) == [("VideoMaMa1", True)]
    switch["which"].clearAnimated()
    switch["which"].setValue(0)
    assert needed(comp, 1001) == []


def test_a_steady_way_does_not_vary(comp):
    from videomama_nuke import needs

    walk = needs.Walk(1001)
    assert [one.node for one in walk.needed(comp.node("Write1"))] == [comp.node()]
    assert not walk.varies


def test_a_shift_in_time_is_noted_unless_it_is_disabled(comp):
    shift = comp.nuke.nodes.TimeOffset(inputs=[comp.node()], time_offset=5)
    below(comp, shift)
    assert needed(comp) == [("VideoMaMa1", True)]
    shift["disable"].setValue(True)
    assert needed(comp) == OURS


def test_a_node_that_is_reached_twice_is_named_once(comp):
    below(comp, comp.nuke.nodes.Merge2(inputs=[comp.node(), comp.node()]))
    assert needed(comp) == OURS


def test_of_a_disabled_node_only_the_first_input_counts(comp):
    merge = comp.nuke.nodes.Merge2(inputs=[comp.node("PlateRead"), comp.node()])
    below(comp, merge)
    assert needed(comp) == OURS
    merge["disable"].setValue(True)
    assert needed(comp) == []
    merge.setInput(0, comp.node())
    assert needed(comp) == OURS


def test_into_a_group_and_out_of_it_again(comp):
    group = comp.nuke.nodes.Group(name="Group1")
    with group:
        entries = [comp.nuke.nodes.Input(name=f"in{number}", number=number) for number in (0, 1)]
        output = comp.nuke.nodes.Output(inputs=[entries[1]])
    group.setInput(0, comp.node("PlateRead"))
    group.setInput(1, comp.node())
    below(comp, group)
    assert needed(comp) == OURS
    output.setInput(0, entries[0])
    assert needed(comp) == []


def test_a_write_that_shows_its_rendered_files_needs_nothing_above_it(comp):
    between = comp.nuke.nodes.Write(inputs=[comp.node()], name="Between")
    between["file"].setValue(str(comp.folder / "rendered.%04d.exr"))
    below(comp, between)
    assert needed(comp) == OURS
    between["reading"].setValue(True)
    assert needed(comp) == []
    comp.node("Write1")["reading"].setValue(True)
    below(comp, comp.node())
    assert needed(comp) == OURS  # it is rendered itself


def test_what_is_left_out_stands_for_these_values(offline_comp, numbers_left_out):
    from videomama_nuke import needs

    assert numbers_left_out(needs.Walk) == {"varies": False}
