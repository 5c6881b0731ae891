"""Transform, Tracker, FrameHold, Retime and TimeWarp: where and when a picture is looked at."""

import pytest
from nuke_standin import tracks
from nuke_standin.references import ExpressionError


@pytest.fixture
def ramp(nuke):
    """16x12 pixels: red is x, green is y, blue is the frame."""
    nuke.addFormat("16 12 0 0 16 12 1 small")
    black = nuke.nodes.Constant(channels="rgba", color=[0, 0, 0, 1], format="small", first=1, last=100)
    return nuke.nodes.Expression(inputs=[black], expr0="x", expr1="y", expr2="frame", name="Ramp")


def at(node, x, y, name="red"):
    return node.sample(f"rgba.{name}", x, y)


@pytest.mark.parametrize("kind", ["Impulse", "Cubic", "Keys", "Simon", "Rifman", "Lanczos4", "Lanczos6", "Sinc4"])
def test_whole_pixels_are_moved_as_they_are(nuke, ramp, kind):
    node = nuke.nodes.Transform(inputs=[ramp], translate=[3, -2], filter=kind)
    assert [at(node, 8, 4), at(node, 8, 4, "green")] == [5, 6]
    assert at(node, 1, 4) == 0
    box = node.bbox()
    assert (box.x(), box.y(), box.w(), box.h()) == (2, -3, 18, 14), "one black pixel round what was moved"


def test_without_black_outside_the_edge_is_repeated(nuke, ramp):
    node = nuke.nodes.Transform(inputs=[ramp], translate=[3, 0], black_outside=False)
    assert at(node, 0, 4, "green") == 4
    assert at(nuke.nodes.Transform(inputs=[ramp], translate=[3, 0]), 0, 4, "green") == 0


def test_a_quarter_turn_is_counter_clockwise(nuke, ramp):
    node = nuke.nodes.Transform(inputs=[ramp], rotate=90, center=[8, 6], filter="Impulse")
    assert [at(node, 8, 10), at(node, 8, 10, "green")] == [12, 5]


def test_scaling_about_the_center(nuke, ramp):
    node = nuke.nodes.Transform(inputs=[ramp], scale=[2, 1], center=[8, 6], filter="Impulse")
    assert [at(node, x, 6) for x in (4, 5, 6, 12)] == [6, 6, 7, 10]
    node["invert_matrix"].setValue(True)
    assert [at(node, x, 6) for x in (7, 8)] == [7, 9]


HALF = {"Cubic": 0.5, "Keys": 0.5625, "Simon": 0.59375, "Rifman": 0.625, "Mitchell": 0.534722, "Parzen": 0.479167}


@pytest.mark.parametrize(("kind", "weight"), [*HALF.items(), ("Notch", 0.4375)])
def test_half_a_pixel_goes_through_the_filter(nuke, ramp, kind, weight):
    """A column of ones, moved by half a pixel, leaves the filter's weight of half a pixel on both sides."""
    column = nuke.nodes.Expression(inputs=[ramp], expr0="x == 8")
    node = nuke.nodes.Transform(inputs=[column], translate=[0.5, 0], filter=kind)
    assert [at(node, 8, 4), at(node, 9, 4)] == pytest.approx([weight, weight], abs=1e-5)


def test_a_picture_that_shrinks_keeps_its_mean(nuke, ramp):
    stripes = nuke.nodes.Expression(inputs=[ramp], expr0="x % 2")
    node = nuke.nodes.Transform(inputs=[stripes], scale=0.25, center=[8, 6], filter="Cubic")
    assert at(node, 8, 6) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(
    ("knob", "value", "said"),
    [("skewX", 0.1, "nothing for the knob skewX"), ("motionblur", 1, "nothing for the knob motionblur"),
     ("filter", "Lanczos4", "the filter Lanczos4 for whole pixels only")],
)  # fmt: skip
def test_what_a_transform_cannot_do_is_refused_by_name(nuke, ramp, knob, value, said):
    node = nuke.nodes.Transform(inputs=[ramp], rotate=10)
    node[knob].setValue(value)
    with pytest.raises(RuntimeError, match=said):
        at(node, 4, 4)


TRACKS = """{ 1 31 2 }
{ { 5 1 20 enable e 1 } { 3 1 75 name name 1 } { 2 1 58 track_x track_x 1 } { 2 1 58 track_y track_y 1 } }
{ { {curve K x1 1} "track 1" {curve L x1 10 x3 14} 20.5 } { 0 two {} {{frame * 2}} } }"""


def test_a_tracker_keeps_its_tracks_and_expressions_read_them(nuke):
    nuke.scriptReadText(f"Tracker4 {{ inputs 0 tracks {{{TRACKS}}} reference_frame 1 name T }}\n")
    assert nuke.toNode("T")["tracks"].value() == TRACKS
    assert [track["name"].text for track in tracks.read(TRACKS)] == ["track 1", "two"]
    nuke.frame(2)
    assert nuke.expression("T.tracks.1.track_x + T.tracks.1.track_y") == 32.5
    assert nuke.expression("T.tracks.1.enable") == 1
    for text, said in (("T.tracks.3.track_x", "no track '3.track_x'"), ("T.tracks.1.size", "no column 'size'")):
        with pytest.raises(ExpressionError, match=said):
            nuke.expression(text)


def test_a_tracker_passes_its_picture_on_until_it_is_to_move_it(nuke, ramp):
    node = nuke.createNode("Tracker4", "name T", inpanel=False)
    node.setInput(0, ramp)
    assert at(node, 5, 4) == 5
    node["transform"].setValue("stabilize")
    with pytest.raises(RuntimeError, match="T: the stand-in's trackers move nothing"):
        node.format()


@pytest.mark.parametrize("name", ["first_frame", "firstFrame"])
def test_frame_hold_by_its_old_and_its_new_name(nuke, ramp, name):
    nuke.frame(9)
    node = nuke.nodes.FrameHold(inputs=[ramp], **{name: 5})
    assert at(node, 4, 4, "blue") == 5
    node["firstFrame" if name == "first_frame" else "first_frame"].setValue(6)
    with pytest.raises(RuntimeError, match="both first_frame and firstFrame are set"):
        node.format()


def test_retime_shows_one_range_as_another(nuke, ramp):
    knobs = {"input.first": 1, "input.last": 21, "output.first": 101, "output.last": 111, "before": "hold"}
    node = nuke.nodes.Retime(inputs=[ramp])
    for name, value in knobs.items():
        node[name].setValue(value)
    assert (node.firstFrame(), node.lastFrame()) == (101, 111)
    shown = {}
    for frame in (90, 101, 103, 111, 113):
        nuke.frame(frame)
        shown[frame] = at(node, 4, 4, "blue")
    assert shown == {90: 1, 101: 1, 103: 5, 111: 21, 113: 25}
    node["reverse"].setValue(True)
    nuke.frame(103)
    assert at(node, 4, 4, "blue") == 17


def test_retime_and_time_warp_mix_no_frames(nuke, ramp):
    slow = nuke.nodes.Retime(inputs=[ramp], speed=0.5)
    nuke.frame(3)
    assert at(slow, 4, 4, "blue") == 2
    nuke.frame(4)
    with pytest.raises(RuntimeError, match=r"Retime1: the stand-in mixes no frames, and 2\.5 lies between two"):
        slow.format()
    warp = nuke.nodes.TimeWarp(inputs=[ramp])
    assert at(warp, 4, 4, "blue") == 4
    warp["lookup"].setExpression("frame * 3")
    assert at(warp, 4, 4, "blue") == 12
    slow["before"].setValue("loop")
    slow["output.first"].setValue(50)
    with pytest.raises(RuntimeError, match="Retime1: the stand-in has no rule 'loop'"):
        slow.format()
