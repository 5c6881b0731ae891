"""Root and Preferences: their knobs."""

from __future__ import annotations

from nuke_standin import knobs
from nuke_standin.class_knobs import spec
from nuke_standin.flags import FLAGS
from nuke_standin.formats import ROOT_FORMAT

_LUTS = ["linear", "sRGB", "rec709", "Cineon", "Gamma1.8", "Gamma2.2"]
_OCIO = ["nuke-default", "aces_1.2", "fn-nuke_cg-config-v1.0.0_aces-v1.3_ocio-v2.1",
         "fn-nuke_studio-config-v1.0.0_aces-v1.3_ocio-v2.1", "custom"]  # fmt: skip
_SCRIPTS = ("onScriptLoad", "onScriptSave", "onScriptClose")
_PROXY_SCALE = (0.5, 0.5)

ROOT = (
    spec(knobs.Double_Knob, "frame", 1.0, flags=FLAGS["NO_UNDO"]),
    spec(knobs.Int_Knob, "first_frame", 1),
    spec(knobs.Int_Knob, "last_frame", 100),
    spec(knobs.Boolean_Knob, "lock_range", False),
    spec(knobs.Double_Knob, "fps", 24.0),
    spec(knobs.Format_Knob, "format", ROOT_FORMAT),
    spec(knobs.Boolean_Knob, "proxy", False),
    spec(knobs.Enumeration_Knob, "proxy_type", "scale", ["format", "scale"]),
    spec(knobs.Format_Knob, "proxy_format", "1024 778 0 0 1024 778 1 1K_Super_35(full-ap)"),
    spec(knobs.Scale_Knob, "proxy_scale", _PROXY_SCALE),
    spec(knobs.Double_Knob, "proxySetting", 0.0, flags=FLAGS["DO_NOT_WRITE"]),
    spec(knobs.Views_Knob, "views", '{main ""}'),
    spec(knobs.String_Knob, "hero_view", "main"),
    spec(knobs.Boolean_Knob, "views_colours", False),
    spec(knobs.EvalString_Knob, "project_directory", ""),
    spec(knobs.Enumeration_Knob, "colorManagement", "Nuke", ["Nuke", "OCIO"]),
    spec(knobs.EditableEnumeration_Knob, "OCIO_config", "nuke-default", _OCIO),
    spec(knobs.File_Knob, "customOCIOConfigPath", ""),
    spec(knobs.String_Knob, "defaultViewerLUT", ""),
    spec(knobs.EditableEnumeration_Knob, "workingSpaceLUT", "linear", ["linear", "scene_linear"]),
    spec(knobs.EditableEnumeration_Knob, "monitorLut", "sRGB", _LUTS),
    spec(knobs.EditableEnumeration_Knob, "monitorOutLUT", "", ["", *_LUTS]),
    spec(knobs.EditableEnumeration_Knob, "viewerLut", "sRGB", _LUTS),
    spec(knobs.EditableEnumeration_Knob, "int8Lut", "sRGB", _LUTS),
    spec(knobs.EditableEnumeration_Knob, "int16Lut", "sRGB", _LUTS),
    spec(knobs.EditableEnumeration_Knob, "logLut", "Cineon", _LUTS),
    spec(knobs.EditableEnumeration_Knob, "floatLut", "linear", _LUTS),
    *(spec(knobs.PythonKnob, name, "") for name in _SCRIPTS),
)
COMMON = (
    spec(knobs.File_Knob, "name", "", flags=FLAGS["ALWAYS_SAVE"]),
    spec(knobs.Multiline_Eval_String_Knob, "help", ""),
    spec(knobs.PythonKnob, "onCreate", ""),
    spec(knobs.PythonKnob, "onDestroy", ""),
    spec(knobs.PythonKnob, "knobChanged", ""),
    spec(knobs.PythonKnob, "updateUI", ""),
    spec(knobs.PythonKnob, "autolabel", ""),
    spec(knobs.Multiline_Eval_String_Knob, "label", ""),
    spec(knobs.ColorChip_Knob, "tile_color", 0),
    spec(knobs.Boolean_Knob, "selected", False, flags=FLAGS["NO_UNDO"]),
    spec(knobs.Disable_Knob, "disable", False),
)
PREFERENCES = (
    spec(knobs.File_Knob, "DiskCachePath", ""),
    spec(knobs.Boolean_Knob, "echoAllCommandsToStandardOut", False),
    spec(knobs.Double_Knob, "UIFontSize", 12.0),
)
