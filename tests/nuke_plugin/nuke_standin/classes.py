"""The node classes that the double knows: tables of their knobs, defaults and inputs."""

from __future__ import annotations

from typing import Any, NamedTuple, Optional

from nuke_standin import class_channels, class_files, class_moving, class_opaque, class_precomp, class_root, knobs
from nuke_standin.class_knobs import COMMON, MASKED, Spec, spec


class NodeClass(NamedTuple):
    """What all nodes of a class share."""

    name: str
    specs: tuple
    min_inputs: int = 1
    max_inputs: int = 1
    mask: Optional[int] = None
    outputs: int = 1
    reacts: Any = None  # called with (node, knob) when a knob was set
    file: str = ""  # of a gizmo
    common: tuple = COMMON
    opaque: bool = False  # Nuke has the class, the double has no more than its name
    idle: tuple = ()  # how names of further knobs begin that change no picture

    def keeps(self, name: str) -> bool:
        """Tell whether a knob that is not in the table may be kept as text without a word."""
        return self.opaque or name.endswith("_panelDropped") or name.startswith(self.idle)

    def make_knobs(self) -> list:
        """Return fresh knobs."""
        return [one.make() for one in (*self.specs, *self.common)]

    def on_set(self, node: Any, knob: Any) -> None:
        """Let the class react to a knob: a file type brings its own knobs."""
        if self.reacts is not None:
            self.reacts(node, knob)


_PREMULT = (
    spec(knobs.ChannelMask_Knob, "channels", "rgb"),
    spec(knobs.Channel_Knob, "alpha", "rgba.alpha"),
    spec(knobs.Boolean_Knob, "invert", False),
)
_FOUR = ("0", "1", "2", "3")


def _gray(name: str, value: float) -> Spec:
    return spec(knobs.AColor_Knob, name, value)


def _copy_knobs() -> tuple:
    pairs = [
        (spec(knobs.Channel_Knob, f"from{n}", "rgba.alpha" if n == "0" else "none"),
         spec(knobs.Channel_Knob, f"to{n}", "rgba.alpha" if n == "0" else "none"))
        for n in _FOUR
    ]  # fmt: skip
    return (
        *(one for pair in pairs for one in pair),
        spec(knobs.ChannelMask_Knob, "channels", "none"),
        spec(knobs.Enumeration_Knob, "bbox", "union", ["union", "B", "A", "intersection"]),
        spec(knobs.Enumeration_Knob, "metainput", "B", ["B", "A", "All"]),
        *MASKED,
    )


_GRADE = (
    spec(knobs.ChannelMask_Knob, "channels", "rgb"),
    _gray("blackpoint", 0.0), _gray("whitepoint", 1.0), _gray("black", 0.0), _gray("white", 1.0),
    _gray("multiply", 1.0), _gray("add", 0.0), _gray("gamma", 1.0),
    spec(knobs.Boolean_Knob, "reverse", False),
    spec(knobs.Boolean_Knob, "black_clamp", True),
    spec(knobs.Boolean_Knob, "white_clamp", False),
    *MASKED,
)  # fmt: skip
_REFORMAT = (
    spec(knobs.Enumeration_Knob, "type", "to format", ["to format", "to box", "scale"]),
    spec(knobs.Format_Knob, "format", None),
    spec(knobs.Int_Knob, "box_width", 200), spec(knobs.Int_Knob, "box_height", 200),
    spec(knobs.Boolean_Knob, "box_fixed", False), spec(knobs.Double_Knob, "box_pixel_aspect", 1.0),
    spec(knobs.WH_Knob, "scale", 1.0),
    spec(knobs.Enumeration_Knob, "resize", "width", ["none", "width", "height", "fit", "fill", "distort"]),
    spec(knobs.Boolean_Knob, "center", True), spec(knobs.Boolean_Knob, "flip", False),
    spec(knobs.Boolean_Knob, "flop", False), spec(knobs.Boolean_Knob, "turn", False),
    spec(knobs.Enumeration_Knob, "filter", "Cubic",
         ["Impulse", "Cubic", "Keys", "Simon", "Rifman", "Mitchell", "Parzen", "Notch", "Lanczos4", "Lanczos6",
          "Sinc4"]),
    spec(knobs.Boolean_Knob, "clamp", False), spec(knobs.Boolean_Knob, "black_outside", False),
    spec(knobs.Boolean_Knob, "pbb", False),
)  # fmt: skip
_CROP = (
    spec(knobs.BBox_Knob, "box", None), spec(knobs.Double_Knob, "softness", 0.0),
    spec(knobs.Boolean_Knob, "reformat", False), spec(knobs.Boolean_Knob, "intersect", False),
    spec(knobs.Boolean_Knob, "crop", True), spec(knobs.Enumeration_Knob, "preset", "format", ["format", "custom"]),
)  # fmt: skip
_BLUR = (
    spec(knobs.ChannelMask_Knob, "channels", "all"), spec(knobs.WH_Knob, "size", 0.0),
    spec(knobs.Enumeration_Knob, "filter", "gaussian", ["box", "triangle", "quadratic", "gaussian"]),
    spec(knobs.Int_Knob, "quality", 15), spec(knobs.Boolean_Knob, "crop", True),
    *MASKED,
)  # fmt: skip
_CONSTANT = (
    spec(knobs.ChannelMask_Knob, "channels", "rgb"), spec(knobs.AColor_Knob, "color", 0.0),
    spec(knobs.Format_Knob, "format", None), spec(knobs.Int_Knob, "first", 1), spec(knobs.Int_Knob, "last", 1),
)  # fmt: skip
_CHECKER = (
    spec(knobs.WH_Knob, "boxsize", 64.0), spec(knobs.AColor_Knob, "color0", (0.1, 0.1, 0.1, 1.0)),
    spec(knobs.AColor_Knob, "color1", (0.5, 0.5, 0.5, 1.0)), spec(knobs.AColor_Knob, "color2", (0.1, 0.1, 0.1, 1.0)),
    spec(knobs.AColor_Knob, "color3", (0.5, 0.5, 0.5, 1.0)), spec(knobs.AColor_Knob, "linecolor", 1.0),
    spec(knobs.WH_Knob, "linewidth", 0.0), spec(knobs.AColor_Knob, "centerlinecolor", (1.0, 1.0, 0.0, 1.0)),
    spec(knobs.WH_Knob, "centerlinewidth", 3.0), spec(knobs.Format_Knob, "format", None),
    spec(knobs.Int_Knob, "first", 1), spec(knobs.Int_Knob, "last", 1),
)  # fmt: skip
_SHUFFLE = (
    spec(knobs.Enumeration_Knob, "fromInput1", "B", ["B", "A"]), spec(knobs.ChannelMask_Knob, "in1", "rgba"),
    spec(knobs.Enumeration_Knob, "fromInput2", "B", ["B", "A"]), spec(knobs.ChannelMask_Knob, "in2", "none"),
    spec(knobs.ChannelMask_Knob, "out1", "rgba"), spec(knobs.ChannelMask_Knob, "out2", "none"),
    spec(knobs.String_Knob, "mappings", ""),
)  # fmt: skip
_VIEWER = (
    spec(knobs.Double_Knob, "frame", 1.0), spec(knobs.String_Knob, "frame_range", "1-100"),
    spec(knobs.Double_Knob, "fps", 24.0), spec(knobs.ChannelMask_Knob, "channels", "rgba"),
    spec(knobs.Boolean_Knob, "frame_range_lock", False), spec(knobs.Double_Knob, "gain", 1.0),
    spec(knobs.Double_Knob, "gamma", 1.0), spec(knobs.String_Knob, "viewerProcess", "sRGB"),
    spec(knobs.Int_Knob, "input_number", 0), spec(knobs.String_Knob, "input_latlong", ""),
    spec(knobs.String_Knob, "colour_sample_bbox", ""), spec(knobs.String_Knob, "samplepoints", ""),
    spec(knobs.Boolean_Knob, "frame_increment", True), spec(knobs.String_Knob, "monitorOutOutputTransform", ""),
)  # fmt: skip
_BACKDROP = (
    spec(knobs.Int_Knob, "bdwidth", 200), spec(knobs.Int_Knob, "bdheight", 200), spec(knobs.Int_Knob, "z_order", 0),
    spec(knobs.Enumeration_Knob, "appearance", "Fill", ["Fill", "Border"]),
    spec(knobs.Double_Knob, "border_width", 2.0),
)  # fmt: skip
_REMOVE = (
    spec(knobs.Enumeration_Knob, "operation", "remove", ["remove", "keep"]),
    spec(knobs.ChannelMask_Knob, "channels", "all"), spec(knobs.ChannelMask_Knob, "channels2", "none"),
    spec(knobs.ChannelMask_Knob, "channels3", "none"), spec(knobs.ChannelMask_Knob, "channels4", "none"),
)  # fmt: skip
_SWITCH = (spec(knobs.Double_Knob, "which", 0.0),)
_LIVE_GROUP = (spec(knobs.File_Knob, "file", ""), spec(knobs.Boolean_Knob, "lock_connections", False))
_ROTO_IDLE = ("toolb", "lifetime", "color", "createNewTrack", "motionblur_", "source", "view")
_MANY = 1000


def _table() -> dict[str, NodeClass]:
    rows = [
        NodeClass("Read", class_files.READ, 0, 0, reacts=class_files.read_reacts),
        NodeClass("Write", class_files.WRITE, reacts=class_files.write_reacts),
        NodeClass("Constant", _CONSTANT, 0, 1),
        NodeClass("CheckerBoard2", _CHECKER, 0, 0),
        NodeClass("Copy", _copy_knobs(), 2, 3, mask=2),
        NodeClass("Switch", _SWITCH, 1, _MANY),
        NodeClass("Remove", _REMOVE),
        NodeClass("Premult", _PREMULT),
        NodeClass("Unpremult", _PREMULT),
        NodeClass("Dot", ()),
        NodeClass("NoOp", ()),
        NodeClass("Input", (spec(knobs.Int_Knob, "number", 0),), 0, 0),
        NodeClass("Output", ()),
        NodeClass("Group", (spec(knobs.Boolean_Knob, "lock_connections", False),), 0, 0),
        NodeClass("Gizmo", (spec(knobs.Boolean_Knob, "lock_connections", False),), 0, 0),
        NodeClass("VariableGroup", (spec(knobs.Boolean_Knob, "lock_connections", False),), 0, 0),
        NodeClass("LiveGroup", _LIVE_GROUP, 0, 0),
        NodeClass("Precomp", class_precomp.KNOBS, 0, 0, reacts=class_precomp.reacts),
        NodeClass("Crop", _CROP),
        NodeClass("Reformat", _REFORMAT),
        NodeClass("TimeOffset", class_moving.OFFSET),
        NodeClass("FrameHold", class_moving.HOLD),
        NodeClass("Retime", class_moving.RETIME),
        NodeClass("TimeWarp", class_moving.WARP),
        NodeClass("Transform", class_moving.TRANSFORM),
        NodeClass("Tracker4", class_moving.TRACKER, opaque=True),
        NodeClass("Merge2", class_channels.MERGE, 2, _MANY, mask=2),
        NodeClass("Shuffle", class_channels.SHUFFLE),
        NodeClass("Expression", class_channels.EXPRESSION, 1, 2, mask=1),
        NodeClass("Keyer", class_channels.KEYER, 1, 2, mask=1),
        NodeClass("Roto", class_channels.ROTO, 0, 5, mask=1, idle=_ROTO_IDLE),
        NodeClass("RotoPaint", class_channels.ROTO, 0, 5, mask=1, idle=_ROTO_IDLE),
        NodeClass("Grade", _GRADE, 1, 2, mask=1),
        NodeClass("Blur", _BLUR, 1, 2, mask=1),
        NodeClass("Shuffle2", _SHUFFLE, 1, 2),
        NodeClass("JoinViews", (spec(knobs.String_Knob, "viewassoc", ""),), 1, _MANY),
        NodeClass("OneView", (spec(knobs.String_Knob, "view", "main"),)),
        NodeClass("Viewer", _VIEWER, 1, _MANY, outputs=0, idle=("",)),
        NodeClass("BackdropNode", _BACKDROP, 0, 0, outputs=0, idle=("",)),
        NodeClass("StickyNote", (), 0, 0, outputs=0, idle=("",)),
    ]
    return {row.name: row for row in rows}


CLASSES: dict[str, NodeClass] = _table()
ROOT = NodeClass("Root", class_root.ROOT, 0, 0, outputs=0, common=class_root.COMMON, idle=("",))
PREFERENCES = NodeClass("Preferences", class_root.PREFERENCES, 0, 0, outputs=0, common=class_root.COMMON)


def known(name: str) -> Optional[NodeClass]:
    """Return a built-in class, or None."""
    if name in class_opaque.NAMES and name not in CLASSES:
        CLASSES[name] = opaque(name)
    return CLASSES.get(name)


def opaque(name: str) -> NodeClass:
    """Return a class of which no more than the name is known."""
    return NodeClass(name, (), 1, _MANY, opaque=True)
