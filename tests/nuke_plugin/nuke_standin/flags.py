"""Flags of knobs, kinds of knobs and the other numbers of the module `nuke`."""

from __future__ import annotations

# Knob flags. Only the names are documented for Python; the values follow the plug-in kit's header.
FLAGS = {
    "DISABLED": 0x80,
    "NO_ANIMATION": 0x100,
    "DO_NOT_WRITE": 0x200,
    "INVISIBLE": 0x400,
    "STARTLINE": 0x1000,
    "ENDLINE": 0x2000,
    "NO_UNDO": 0x80000,
    "ALWAYS_SAVE": 0x100000,
    "NO_MULTIVIEW": 0x40000000,
    "KNOB_CHANGED_RECURSIVE": 0x8000000,
    "READ_ONLY": 0x10000000,
    "HIDDEN": 0x8000,
}
OTHERS = {
    "TABBEGINGROUP": 1, "TABBEGINCLOSEDGROUP": 2, "TABENDGROUP": -1, "TABKNOB": 0,
    "WRITE_ALL": 8, "WRITE_NON_DEFAULT_ONLY": 16, "WRITE_USER_KNOB_DEFS": 4, "TO_SCRIPT": 1, "TO_VALUE": 2,
    "EXPRESSIONS": 1, "INPUTS": 4, "HIDDEN_INPUTS": 8, "LINKINPUTS": 2,
    "REPLACE": 1, "PREPEND": 2, "INVALIDHINT": -1,
}  # fmt: skip
KINDS = {
    0: "Obsolete_Knob", 1: "String_Knob", 2: "File_Knob", 3: "Int_Knob", 4: "Enumeration_Knob", 5: "Bitmask_Knob",
    6: "Boolean_Knob", 7: "Double_Knob", 8: "Double_Knob", 9: "Array_Knob", 10: "ChannelMask_Knob", 11: "Channel_Knob",
    12: "XY_Knob", 13: "XYZ_Knob", 14: "WH_Knob", 15: "BBox_Knob", 16: "WH_Knob", 17: "Format_Knob",
    18: "Color_Knob", 19: "AColor_Knob", 20: "Tab_Knob", 21: "PyCustom_Knob", 22: "PyScript_Knob",
    23: "Multiline_Eval_String_Knob", 25: "Text_Knob", 26: "Text_Knob", 27: "Help_Knob",
    28: "Multiline_Eval_String_Knob", 30: "UV_Knob", 31: "Box3_Knob", 32: "Script_Knob", 34: "Help_Knob",
    35: "Pulldown_Knob", 36: "AColor_Knob", 37: "Range_Knob", 38: "Text_Knob", 40: "ColorChip_Knob", 41: "Link_Knob",
    42: "Scale_Knob", 43: "Multiline_Eval_String_Knob", 44: "OneView_Knob", 45: "MultiView_Knob", 46: "MultiView_Knob",
    47: "Pulldown_Knob", 52: "PyCustom_Knob", 54: "Double_Knob", 57: "Tab_Knob", 58: "PyCustom_Knob",
    61: "Password_Knob", 68: "CascadingEnumeration_Knob", 72: "File_Knob", 76: "Text_Knob", 78: "Array_Knob",
    80: "Disable_Knob", 83: "Radio_Knob", 85: "EditableEnumeration_Knob", 86: "Enumeration_Knob", 90: "File_Knob",
}  # fmt: skip
# Kinds whose knobs have no Python class of their own and no value that a script could use.
WITHOUT_CLASS = (24, 29, 33, 39, 49, 50, 51, 53, 55, 56, 59, 60, 82)
