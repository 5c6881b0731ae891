"""Classes that move pictures in time and space: their knobs."""

from __future__ import annotations

from nuke_standin import knobs, tracks
from nuke_standin.class_knobs import spec

FILTERS = ["Impulse", "Cubic", "Keys", "Simon", "Rifman", "Mitchell", "Parzen", "Notch", "Lanczos4", "Lanczos6",
           "Sinc4"]  # fmt: skip
_OUTSIDE = ["continue", "freeze", "hold", "loop", "bounce", "black"]

# Newer scripts have first_frame where older ones have firstFrame; either may be set.
HOLD = (
    spec(knobs.Int_Knob, "first_frame", 1), spec(knobs.Int_Knob, "firstFrame", 1), spec(knobs.Int_Knob, "increment", 0),
)  # fmt: skip
OFFSET = (
    spec(knobs.Int_Knob, "time_offset", 0), spec(knobs.Boolean_Knob, "reverse_input", False),
    spec(knobs.String_Knob, "time", ""),
)  # fmt: skip
RETIME = (
    spec(knobs.Double_Knob, "input.first", 1.0), spec(knobs.Boolean_Knob, "input.first_lock", False),
    spec(knobs.Double_Knob, "input.last", 1.0), spec(knobs.Boolean_Knob, "input.last_lock", False),
    spec(knobs.Boolean_Knob, "reverse", False), spec(knobs.Double_Knob, "speed", 1.0),
    spec(knobs.Double_Knob, "output.first", 1.0), spec(knobs.Boolean_Knob, "output.first_lock", False),
    spec(knobs.Double_Knob, "output.last", 1.0), spec(knobs.Boolean_Knob, "output.last_lock", False),
    spec(knobs.EditableEnumeration_Knob, "before", "continue", _OUTSIDE),
    spec(knobs.EditableEnumeration_Knob, "after", "continue", _OUTSIDE),
    spec(knobs.EditableEnumeration_Knob, "filter", "box", ["none", "nearest", "box", "linear"]),
    spec(knobs.Double_Knob, "shutter", 1.0), spec(knobs.String_Knob, "time", ""),
)  # fmt: skip
WARP = (
    spec(knobs.Double_Knob, "lookup", 0.0), spec(knobs.String_Knob, "time", ""),
    spec(knobs.EditableEnumeration_Knob, "filter", "linear", ["none", "nearest", "linear"]),
    spec(knobs.Int_Knob, "length", 0), spec(knobs.Boolean_Knob, "extrapolate", False),
)  # fmt: skip
TRANSFORM = (
    spec(knobs.XY_Knob, "translate", (0.0, 0.0)), spec(knobs.Double_Knob, "rotate", 0.0),
    spec(knobs.WH_Knob, "scale", 1.0), spec(knobs.Double_Knob, "skewX", 0.0), spec(knobs.Double_Knob, "skewY", 0.0),
    spec(knobs.Enumeration_Knob, "skew_order", "XY", ["XY", "YX"]), spec(knobs.XY_Knob, "center", (0.0, 0.0)),
    spec(knobs.Boolean_Knob, "invert_matrix", False), spec(knobs.Enumeration_Knob, "filter", "Cubic", FILTERS),
    spec(knobs.Boolean_Knob, "clamp", False), spec(knobs.Boolean_Knob, "black_outside", True),
    spec(knobs.Double_Knob, "motionblur", 0.0), spec(knobs.Double_Knob, "shutter", 0.5),
    spec(knobs.EditableEnumeration_Knob, "shutteroffset", "start", ["centred", "start", "end", "custom"]),
    spec(knobs.Double_Knob, "shuttercustomoffset", 0.0),
)  # fmt: skip
TRACKER = (
    spec(tracks.Table_Knob, "tracks", ""),
    spec(knobs.EditableEnumeration_Knob, "transform", "none",
         ["none", "stabilize", "match-move", "remove jitter", "add jitter"]),
)  # fmt: skip
