"""A Write at one frame: its knobs as the order that the child process carries out."""

from __future__ import annotations

from typing import Any

from nuke_standin.operators import words
from nuke_standin.planning import in_project, value
from nuke_standin.reads import colorspace

# What a Write has of these depends on its file type.
_OPTIONS = {
    "compression": "Zip (1 scanline)",
    "dw_compression_level": 45.0,
    "write_full_layer_names": False,
}
_TYPES = {"exr": "exr", "png": "png", "tif": "tiff", "tiff": "tiff"}


def write_order(node: Any, context: Any) -> dict:
    """The file, the channels and the format of what a Write writes at a context."""
    if value(node, "reading", context):
        raise RuntimeError(f"{node._full_name()}: the stand-in renders no Write that reads its own files")
    path = _file(node, context)
    kind = _file_type(node, path, context)
    order = {"node": node._full_name(), "path": path, "file_type": kind, "colorspace": colorspace(node, context)}
    order["channels"] = words(node, "channels", context)
    order["datatype"] = value(node, "datatype", context, "16 bit half" if kind == "exr" else "8 bit")
    for name in ("raw", "premultiplied", "create_directories"):
        order[name] = value(node, name, context)
    for name, usual in _OPTIONS.items():
        order[name] = value(node, name, context, usual)
    return order


def _file(node: Any, context: Any) -> str:
    """The path; in proxy mode the proxy's.

    Hypothesis: without a proxy path a render in proxy mode overwrites the full-size file with a small one.
    """
    proxy = str(value(node, "proxy", context)) if context.proxy else ""
    return in_project(proxy or str(value(node, "file", context)), context)


def _file_type(node: Any, path: str, context: Any) -> str:
    kind = str(value(node, "file_type", context)).strip() or path.rpartition(".")[2].lower()
    if kind not in _TYPES:
        raise RuntimeError(f"{node._full_name()}: the stand-in writes no files of type {kind!r}")
    return _TYPES[kind]
