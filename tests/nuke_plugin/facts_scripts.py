"""What the stand-in makes of scripts and of classes that stand above a mask: each is asked of a real Nuke as well."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_FORM = "64 48 0 0 64 48 1 vm_fact"
# Of A = 0.25 with alpha 0.5 over B = 0.5 with alpha 0.75: colour and alpha.
MERGED = {
    "atop": (0.4375, 0.75), "average": (0.375, 0.625), "conjoint-over": (0.416667, 0.75), "copy": (0.25, 0.5),
    "difference": (0.25, 0.25), "disjoint-over": (0.583333, 1.0), "divide": (0.5, 0.666667),
    "exclusion": (0.5, 0.5), "from": (0.25, 0.25), "geometric": (0.333333, 0.6), "hypot": (0.559017, 0.901388),
    "in": (0.1875, 0.375), "mask": (0.25, 0.375), "matte": (0.375, 0.625), "max": (0.5, 0.75), "min": (0.25, 0.5),
    "minus": (-0.25, -0.25), "multiply": (0.125, 0.375), "out": (0.0625, 0.125), "over": (0.5, 0.875),
    "plus": (0.75, 1.25), "screen": (0.625, 0.875), "soft-light": (0.46875, 1.101563), "stencil": (0.25, 0.375),
    "under": (0.5625, 0.875), "xor": (0.3125, 0.5),
}  # fmt: skip
MERGED_BY_USUAL_FORMULAE = {
    "hard-light": (0.25, 0.75), "overlay": (0.25, 0.75), "color-burn": (-1.0, 0.5), "color-dodge": (0.666667, 1.5),
}  # fmt: skip
_ROTO = """Roto {
 inputs 0
 output alpha
 cliptype none
 curves {{{v x3f99999a} {f 0} {n {layer Root {f 2097152} {t x42000000 x41c00000}
  {curvegroup Box 512 bezier
   {{cc {f 8192} {px x3f800000 {0 0} {x41000000 x41000000} {0 0} {0 0} {x42000000 x41000000} {0 0}
    {0 0} {x42000000 x41c00000} {0 0} {0 0} {x41000000 x41c00000} {0 0}}} idem}
   {tx x3f800000 x41a00000 x41800000}
   {a osw x41200000 osf 0 str 1 sb 1 tt x40800000}}}}}}
 name Box
}
"""
_TRACKER = """Tracker4 {
 inputs 0
 tracks { { 1 31 1 }
{ { 5 1 20 enable e 1 } { 3 1 75 name name 1 } { 2 1 58 track_x track_x 1 } { 2 1 58 track_y track_y 1 } }
{ { {curve K x1 1} "track 1" {curve L x1 10 x3 14} {curve x1 20.5} } } }
 name Tracked
}
"""


def fact_views_may_have_colours(nuke: Any, folder: Path) -> None:
    nuke.scriptOpen(_script(folder, 'Root {\n inputs 0\n views "{main \\"\\"}\n{left #ff0000}"\n}\n'))
    assert list(nuke.views()) == ["main", "left"]


def fact_a_script_without_views_has_one(nuke: Any, folder: Path) -> None:
    nuke.scriptOpen(_script(folder, "Root {\n inputs 0\n views {}\n}\n"))
    assert list(nuke.views()) == ["main"]


def fact_a_minus_takes_a_channel_out(nuke: Any, folder: Path) -> None:
    nuke.scriptReadFile(_script(folder, "Remove {\n inputs 0\n channels {-rgba.red rgba.alpha}\n name R\n}\n"))
    knob = nuke.toNode("R")["channels"]
    assert knob.isChannelEnabled("rgba.alpha")
    assert not knob.isChannelEnabled("rgba.red")


def fact_a_link_takes_a_value_before_what_it_leads_to(nuke: Any, folder: Path) -> None:
    text = "Group {\n inputs 0\n name G\n addUserKnob {41 size T Later.size}\n size 7\n}\n"
    text += " Blur {\n  inputs 0\n  name Later\n }\nend_group\n"
    nuke.scriptReadFile(_script(folder, text))
    assert nuke.toNode("G.Later")["size"].value() == 7


def fact_every_knob_has_an_evaluated_value(nuke: Any, folder: Path) -> None:
    node = nuke.nodes.Blur(size=3, label="[value size]")
    assert node["size"].getEvaluatedValue() == 3
    assert node["label"].getEvaluatedValue() == "3"


def fact_merge_follows_the_documents_formulae(nuke: Any, folder: Path) -> None:
    _merged(nuke, MERGED)


def fact_merge_follows_the_usual_formulae_where_the_documents_have_words(nuke: Any, folder: Path) -> None:
    _merged(nuke, MERGED_BY_USUAL_FORMULAE)


def _merged(nuke: Any, formulae: dict[str, tuple[float, float]]) -> None:
    merge = nuke.nodes.Merge2(inputs=[_flat(nuke, 0.5, 0.5, 0.5, 0.75), _flat(nuke, 0.25, 0.25, 0.25, 0.5)])
    for operation, (colour, alpha) in formulae.items():
        merge["operation"].setValue(operation)
        assert _close(merge, "red", colour), operation
        assert _close(merge, "alpha", alpha), operation


def fact_expressions_read_channels_places_and_knobs(nuke: Any, folder: Path) -> None:
    nuke.nodes.Grade(name="Driver", multiply=3)
    node = nuke.nodes.Expression(inputs=[_flat(nuke, 0.1, 0.2, 0.3, 0.4)], temp_name0="luma", temp_expr0="(r+g+b)/3")
    for text, found in {
        "r + g*2 - b/2": 0.35, "1-a": 0.6, "r > 0.05 && g < 0.1 ? 1 : b": 0.3, "clamp(g*10)": 1.0, "luma": 0.2,
        "smoothstep(0, 0.4, g)": 0.5, "lerp(r, b, 0.5)": 0.2, "x/width": 0.3125, "Driver.multiply * r": 0.3,
        "pow(r, 2)": 0.01, "!r": 0.0,
    }.items():  # fmt: skip
        node["expr0"].setValue(text)
        assert _close(node, "red", found), text


def fact_the_old_shuffle_names_its_places_by_colours(nuke: Any, folder: Path) -> None:
    node = nuke.nodes.Shuffle(inputs=[_flat(nuke, 0.1, 0.2, 0.3, 0.4)])
    for name, value in (("red", "alpha"), ("green", "white"), ("blue", "black"), ("alpha", "red")):
        node[name].setValue(value)
    for name, found in (("red", 0.4), ("green", 1.0), ("blue", 0.0), ("alpha", 0.1)):
        assert _close(node, name, found), name


def fact_a_keyers_ramp_is_straight(nuke: Any, folder: Path) -> None:
    node = nuke.nodes.Keyer(inputs=[_flat(nuke, 0.25, 0.5, 0.35, 0)], operation="luminance key")
    node["range"].setValue([0.4, 0.5, 1, 1])
    assert abs(_sample(node, "alpha") - 0.36) < 0.005


def fact_a_transform_by_whole_pixels_keeps_them(nuke: Any, folder: Path) -> None:
    ramp = nuke.nodes.Expression(inputs=[_flat(nuke, 0, 0, 0, 0)], expr0="x", expr1="y")
    node = nuke.nodes.Transform(inputs=[ramp], translate=[3, -2])
    assert _close(node, "red", 17.0)
    assert _close(node, "green", 12.0)
    node["translate"].setValue([0, 0])
    node["center"].setValue([32, 24])
    node["rotate"].setValue(90)
    node["filter"].setValue("Impulse")
    assert _close(node, "red", 18.0), "a turn is counter-clockwise"


def fact_a_frame_hold_holds_its_first_frame(nuke: Any, folder: Path) -> None:
    moving = nuke.nodes.Expression(inputs=[_flat(nuke, 0, 0, 0, 0)], expr0="frame")
    node = nuke.nodes.FrameHold(inputs=[moving])
    (node.knob("first_frame") or node["firstFrame"]).setValue(5)
    nuke.frame(9)
    assert _close(node, "red", 5.0)


def fact_a_time_warp_shows_what_its_lookup_says(nuke: Any, folder: Path) -> None:
    moving = nuke.nodes.Expression(inputs=[_flat(nuke, 0, 0, 0, 0)], expr0="frame")
    node = nuke.nodes.TimeWarp(inputs=[moving])
    node["lookup"].setExpression("frame * 3")
    nuke.frame(4)
    assert _close(node, "red", 12.0)


def fact_a_closed_shape_of_a_roto_is_filled(nuke: Any, folder: Path) -> None:
    nuke.addFormat(_FORM)
    nuke.root()["format"].setValue("vm_fact")
    nuke.scriptReadFile(_script(folder, _ROTO))
    node = nuke.toNode("Box")
    assert _close(node, "alpha", 1.0)
    assert abs(node.sample("rgba.alpha", 50.5, 40.5)) < 1e-4


def fact_expressions_read_the_tracks_of_a_tracker(nuke: Any, folder: Path) -> None:
    nuke.scriptReadFile(_script(folder, _TRACKER))
    nuke.frame(2)
    assert nuke.expression("Tracked.tracks.1.track_x") == 12
    assert nuke.expression("Tracked.tracks.1.track_y") == 20.5


def _script(folder: Path, text: str) -> str:
    path = folder / "fact.nk"
    path.write_text(text, encoding="utf-8")
    return path.as_posix()


def _flat(nuke: Any, *colour: float) -> Any:
    """Make a Constant of 64x48 pixels."""
    if not any(one.name() == "vm_fact" for one in nuke.formats()):
        nuke.addFormat(_FORM)
    return nuke.nodes.Constant(channels="rgba", color=list(colour), format="vm_fact")


def _sample(node: Any, channel: str) -> float:
    """Return the value of one pixel, at its centre."""
    return float(node.sample(f"rgba.{channel}", 20.5, 10.5))


def _close(node: Any, channel: str, value: float) -> bool:
    return abs(_sample(node, channel) - value) < 1e-4
