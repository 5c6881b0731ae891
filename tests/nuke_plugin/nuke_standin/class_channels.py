"""Classes that combine, compute and draw channels: their knobs."""

from __future__ import annotations

from nuke_standin import knobs
from nuke_standin.class_knobs import MASKED, spec

MERGES = ["atop", "average", "color-burn", "color-dodge", "conjoint-over", "copy", "difference", "disjoint-over",
          "divide", "exclusion", "from", "geometric", "hard-light", "hypot", "in", "mask", "matte", "max", "min",
          "minus", "multiply", "out", "over", "overlay", "plus", "screen", "soft-light", "stencil", "under",
          "xor"]  # fmt: skip
MERGE = (
    spec(knobs.Enumeration_Knob, "operation", "over", MERGES),
    spec(knobs.Boolean_Knob, "screen_alpha", False), spec(knobs.Boolean_Knob, "sRGB", False),
    spec(knobs.ChannelMask_Knob, "Achannels", "rgba"), spec(knobs.ChannelMask_Knob, "Bchannels", "rgba"),
    spec(knobs.ChannelMask_Knob, "output", "rgba"), spec(knobs.ChannelMask_Knob, "also_merge", "none"),
    spec(knobs.Enumeration_Knob, "bbox", "union", ["union", "intersection", "A", "B"]),
    spec(knobs.Enumeration_Knob, "metainput", "B", ["B", "A", "All"]),
    spec(knobs.Boolean_Knob, "rangeinput", False),
    *MASKED,
)  # fmt: skip
_SOURCES = ["red", "green", "blue", "alpha", "black", "white", "red2", "green2", "blue2", "alpha2"]
# The knobs are named after their places: red to alpha are the channels of `out`, the next four those of `out2`.
_PLACES = (("red", "red"), ("green", "green"), ("blue", "blue"), ("alpha", "alpha"), ("black", "red"),
           ("white", "green"), ("red2", "blue"), ("green2", "alpha"))  # fmt: skip
SHUFFLE = (
    spec(knobs.ChannelMask_Knob, "in", "rgba"), spec(knobs.ChannelMask_Knob, "in2", "none"),
    *(spec(knobs.Enumeration_Knob, name, value, _SOURCES) for name, value in _PLACES),
    spec(knobs.ChannelMask_Knob, "out", "rgba"), spec(knobs.ChannelMask_Knob, "out2", "none"),
)  # fmt: skip
EXPRESSION = (
    *(one for at in range(4)
      for one in (spec(knobs.String_Knob, f"temp_name{at}", ""), spec(knobs.String_Knob, f"temp_expr{at}", ""))),
    *(one for at, name in enumerate(("red", "green", "blue", "alpha"))
      for one in (spec(knobs.ChannelMask_Knob, f"channel{at}", name), spec(knobs.String_Knob, f"expr{at}", ""))),
    *MASKED,
)  # fmt: skip
KEYER = (
    spec(knobs.Enumeration_Knob, "operation", "luminance key",
         ["luminance key", "red keyer", "green keyer", "blue keyer", "saturation key", "min", "max", "greenscreen",
          "bluescreen"]),
    spec(knobs.Keyer_Knob, "range", (0.0, 1.0, 1.0, 1.0)), spec(knobs.Boolean_Knob, "invert", False),
    spec(knobs.Channel_Knob, "output", "rgba.alpha"), spec(knobs.Boolean_Knob, "premult", False),
    *MASKED,
)  # fmt: skip
ROTO = (
    spec(knobs.ChannelMask_Knob, "output", "rgba"),
    spec(knobs.ChannelMask_Knob, "premultiply", "none"),
    spec(knobs.Enumeration_Knob, "cliptype", "format", ["none", "bbox", "format", "union", "intersect"]),
    spec(knobs.Boolean_Knob, "replace", False), spec(knobs.Double_Knob, "opacity", 1.0),
    spec(knobs.String_Knob, "curves", ""), spec(knobs.Format_Knob, "format", None),
    *MASKED,
)  # fmt: skip
