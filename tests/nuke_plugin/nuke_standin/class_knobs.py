"""How a table of node classes names a knob, and the knobs that every node has."""

from __future__ import annotations

from typing import Any, NamedTuple

from nuke_standin import knobs
from nuke_standin.flags import FLAGS


class Spec(NamedTuple):
    """One knob of a class: its class, name, default, the words of an enumeration, flags and a button's action."""

    cls: Any
    name: str
    value: Any
    values: Any
    flags: int
    action: Any

    def make(self) -> Any:
        """Return a fresh knob at its default."""
        knob = self.cls(self.name, None, self.values) if self.values is not None else self.cls(self.name)
        knob._flags = self.flags
        if self.value is not None:
            _put(knob, self.value)
        if self.action is not None:
            knob._action = self.action
        knob._freeze()
        return knob


def _put(knob: Any, value: Any) -> None:
    if isinstance(knob, knobs.Enumeration_Knob):
        knob._load(str(value))
    elif isinstance(knob, knobs.Array_Knob):
        words = value if isinstance(value, (list, tuple)) else [value]
        knob._load(" ".join("true" if word is True else "false" if word is False else repr(word) for word in words))
    elif isinstance(knob, knobs.Channel_Knob):
        knob._text = value
    else:
        knob._load(value)


def spec(cls: Any, name: str, value: Any = None, values: Any = None, flags: int = 0, action: Any = None) -> Spec:
    """Name a knob of a class."""
    return Spec(cls, name, value, values, flags, action)


_SCRIPTS = ("onCreate", "onDestroy", "knobChanged", "updateUI", "autolabel")
_QUIET = FLAGS["NO_UNDO"]
# In the order in which they are written: name, then the rest, then the place.
COMMON = (
    spec(knobs.String_Knob, "name", "", flags=FLAGS["ALWAYS_SAVE"]),
    spec(knobs.Multiline_Eval_String_Knob, "help", ""),
    *(spec(knobs.PythonKnob, name, "") for name in _SCRIPTS),
    spec(knobs.ColorChip_Knob, "tile_color", 0),
    spec(knobs.ColorChip_Knob, "gl_color", 0),
    spec(knobs.Multiline_Eval_String_Knob, "label", ""),
    spec(knobs.String_Knob, "note_font", "Verdana"),
    spec(knobs.Double_Knob, "note_font_size", 11.0),
    spec(knobs.ColorChip_Knob, "note_font_color", 0),
    spec(knobs.Boolean_Knob, "selected", False, flags=_QUIET),
    spec(knobs.Boolean_Knob, "hide_input", False),
    spec(knobs.Boolean_Knob, "cached", False),
    spec(knobs.Disable_Knob, "disable", False),
    spec(knobs.Boolean_Knob, "dope_sheet", False),
    spec(knobs.Boolean_Knob, "postage_stamp", False),
    spec(knobs.Double_Knob, "postage_stamp_frame", 0.0),
    spec(knobs.Range_Knob, "lifetime", None),
    spec(knobs.Boolean_Knob, "useLifetime", False),
    spec(knobs.Double_Knob, "lifetimeStart", 0.0),
    spec(knobs.Double_Knob, "lifetimeEnd", 0.0),
    spec(knobs.Boolean_Knob, "bookmark", False),
    spec(knobs.File_Knob, "icon", ""),
    spec(knobs.Double_Knob, "indicators", 0.0, flags=FLAGS["DO_NOT_WRITE"]),
    spec(knobs.Tab_Knob, "panelDropped", flags=FLAGS["INVISIBLE"]),
    spec(knobs.Int_Knob, "xpos", 0),
    spec(knobs.Int_Knob, "ypos", 0),
)
NAMES = frozenset(one.name for one in COMMON)
# What classes with a mask input have.
MASKED = (
    spec(knobs.Channel_Knob, "maskChannelInput", "none"),
    spec(knobs.Channel_Knob, "maskChannelMask", "none"),
    spec(knobs.Boolean_Knob, "maskFromFlag", False),
    spec(knobs.Boolean_Knob, "invert_mask", False),
    spec(knobs.Boolean_Knob, "fringe", False),
    spec(knobs.Channel_Knob, "unpremult", "none"),
    spec(knobs.Double_Knob, "mix", 1.0),
)
