"""Read and Write: their knobs, and those that a file type brings."""

from __future__ import annotations

from typing import Any

from nuke_standin import knobs
from nuke_standin.class_knobs import spec
from nuke_standin.flags import FLAGS

_COLORSPACES = ["default", "linear", "sRGB", "sRGBf", "rec709", "Cineon", "Gamma1.8", "Gamma2.2", "raw", "scene_linear",
                "ACES - ACEScg", "ACES - ACES2065-1", "Utility - Raw", "Output - sRGB"]  # fmt: skip
_ENDS = ["hold", "loop", "bounce", "black"]
_TYPES = ["", "exr", "dpx", "cin", "jpeg", "png", "tiff", "targa", "sgi", "hdr", "mov", "pic", "xpm", "yuv"]


def _reload(node: Any) -> None:
    """Make the node read its files again."""
    version = node._knobs["version"]
    version._change(((version._parts[0].number + 1, None, None, ""),))


READ = (
    spec(knobs.EditableEnumeration_Knob, "file_type", "", _TYPES),
    spec(knobs.File_Knob, "file", ""),
    spec(knobs.File_Knob, "proxy", ""),
    spec(knobs.Format_Knob, "format", None),
    spec(knobs.Format_Knob, "proxy_format", None),
    spec(knobs.EditableEnumeration_Knob, "cacheLocal", "auto", ["always", "never", "auto"]),
    spec(knobs.Enumeration_Knob, "localizationPolicy", "from auto-localize path",
         ["on", "from auto-localize path", "on demand", "off"]),
    spec(knobs.Int_Knob, "first", 1),
    spec(knobs.Enumeration_Knob, "before", "hold", _ENDS),
    spec(knobs.Int_Knob, "last", 1),
    spec(knobs.Enumeration_Knob, "after", "hold", _ENDS),
    spec(knobs.Enumeration_Knob, "frame_mode", "expression", ["expression", "start at", "offset"]),
    spec(knobs.String_Knob, "frame", ""),
    spec(knobs.Int_Knob, "origfirst", 1),
    spec(knobs.Int_Knob, "origlast", 1),
    spec(knobs.Boolean_Knob, "origset", False),
    spec(knobs.Enumeration_Knob, "on_error", "error", ["error", "black", "checkerboard", "nearest frame"]),
    spec(knobs.Script_Knob, "reload", "", flags=FLAGS["DO_NOT_WRITE"], action=_reload),
    spec(knobs.EditableEnumeration_Knob, "colorspace", "default", _COLORSPACES),
    spec(knobs.Boolean_Knob, "premultiplied", False),
    spec(knobs.Boolean_Knob, "raw", False),
    spec(knobs.Boolean_Knob, "auto_alpha", False),
    spec(knobs.Unsigned_Knob, "version", 0),
    spec(knobs.MultiView_Knob, "views", "", flags=FLAGS["DO_NOT_WRITE"]),
)  # fmt: skip
_READ_TYPES = {
    "exr": (
        spec(knobs.Boolean_Knob, "offset_negative_display_window", True),
        spec(knobs.Enumeration_Knob, "edge_pixels", "plate detect",
             ["plate detect", "edge detect", "repeat", "black"]),
        spec(knobs.Boolean_Knob, "noprefix", False),
        spec(knobs.Boolean_Knob, "doNotAttachPrefix", False),
    ),
}  # fmt: skip

_SCRIPTS = ("beforeRender", "beforeFrameRender", "afterFrameRender", "afterRender", "renderProgress")
WRITE = (
    spec(knobs.ChannelMask_Knob, "channels", "rgb"),
    spec(knobs.File_Knob, "file", ""),
    spec(knobs.File_Knob, "proxy", ""),
    spec(knobs.Enumeration_Knob, "frame_mode", "expression", ["expression", "start at", "offset"]),
    spec(knobs.String_Knob, "frame", ""),
    spec(knobs.MultiView_Knob, "views", ""),
    spec(knobs.EditableEnumeration_Knob, "colorspace", "default", _COLORSPACES),
    spec(knobs.Boolean_Knob, "premultiplied", False),
    spec(knobs.Boolean_Knob, "raw", False),
    spec(knobs.EditableEnumeration_Knob, "file_type", "", _TYPES),
    spec(knobs.Int_Knob, "render_order", 1),
    spec(knobs.Boolean_Knob, "use_limit", False),
    spec(knobs.Int_Knob, "first", 1),
    spec(knobs.Int_Knob, "last", 1),
    spec(knobs.Boolean_Knob, "reading", False),
    spec(knobs.Boolean_Knob, "checkHashOnRead", True),
    spec(knobs.Boolean_Knob, "create_directories", False),
    spec(knobs.Enumeration_Knob, "on_error", "error", ["error", "black", "checkerboard", "nearest frame"]),
    spec(knobs.PyScript_Knob, "Render", "nuke.execute(nuke.thisNode())", flags=FLAGS["DO_NOT_WRITE"]),
    *(spec(knobs.PythonKnob, name, "") for name in _SCRIPTS),
)
EXR_COMPRESSIONS = ["none", "Zip (1 scanline)", "Zip (16 scanlines)", "PIZ Wavelet (32 scanlines)", "RLE", "B44",
                    "B44A", "DWAA", "DWAB"]  # fmt: skip
_METADATA = ["no metadata", "default metadata", "default metadata and exr/*", "all metadata except input/*",
             "all metadata"]  # fmt: skip
_WRITE_TYPES = {
    "exr": (
        spec(knobs.Boolean_Knob, "autocrop", False),
        spec(knobs.Boolean_Knob, "write_ACES_compliant_EXR", False),
        spec(knobs.Enumeration_Knob, "datatype", "16 bit half", ["16 bit half", "32 bit float"]),
        spec(knobs.Enumeration_Knob, "compression", "Zip (1 scanline)", EXR_COMPRESSIONS),
        spec(knobs.Double_Knob, "dw_compression_level", 45.0),
        spec(knobs.Boolean_Knob, "write_hash", True),
        spec(knobs.OneView_Knob, "heroview", None, []),
        spec(knobs.Enumeration_Knob, "metadata", "default metadata", _METADATA),
        spec(knobs.Boolean_Knob, "noprefix", False),
        spec(knobs.Enumeration_Knob, "interleave", "channels, layers and views",
             ["channels, layers and views", "channels and layers", "channels"]),
        spec(knobs.Boolean_Knob, "standard layer name format", False),
        spec(knobs.Boolean_Knob, "write_full_layer_names", False),
        spec(knobs.Boolean_Knob, "truncateChannelNames", False),
        spec(knobs.Enumeration_Knob, "first_part", "rgba", ["rgba"]),
    ),
    "png": (spec(knobs.Enumeration_Knob, "datatype", "8 bit", ["8 bit", "16 bit"]),),
    "tiff": (
        spec(knobs.Enumeration_Knob, "datatype", "8 bit", ["8 bit", "16 bit", "32 bit float"]),
        spec(knobs.Enumeration_Knob, "compression", "Deflate", ["none", "PackBits", "LZW", "Deflate"]),
    ),
    "jpeg": (spec(knobs.Double_Knob, "_jpeg_quality", 0.75),),
    "dpx": (spec(knobs.Enumeration_Knob, "datatype", "10 bit", ["8 bit", "10 bit", "12 bit", "16 bit"]),),
}  # fmt: skip
_ALIASES = {"tif": "tiff", "jpg": "jpeg"}
_SAME = object()


def _names(types: dict) -> set:
    return {one.name for specs in types.values() for one in specs}


FORMAT_KNOBS = {"Read": _names(_READ_TYPES), "Write": _names(_WRITE_TYPES)}


def _bring(node: Any, knob: Any, types: dict) -> None:
    """Give the node the knobs of its file type, and take those of another one away."""
    if knob._name != "file_type":
        return
    kind = "" if knob.isAnimated() else knob.at(None).strip()
    wanted = {one.name: one for one in types.get(_ALIASES.get(kind, kind), ())}
    for name in _names(types) - set(wanted):
        node._knobs.pop(name, None)
    for name, one in wanted.items():
        fresh = one.make()
        old = node._knobs.get(name)
        if old is None or getattr(old, "_values", _SAME) != getattr(fresh, "_values", _SAME):
            node._knobs.pop(name, None)
            node._take(fresh)


def read_reacts(node: Any, knob: Any) -> None:
    """React to a knob of a Read."""
    _bring(node, knob, _READ_TYPES)


def write_reacts(node: Any, knob: Any) -> None:
    """React to a knob of a Write."""
    _bring(node, knob, _WRITE_TYPES)
