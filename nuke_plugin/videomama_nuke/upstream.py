"""A signature of everything that a node's pixels are made from, where that can be known safely.

Nuke's own `opHashes` differ between sessions and versions and do not see files change. This one is made of the nodes
that lead to the inputs, what was set on them, and size and time of the files that they read. It is given only for
trees of nodes whose knobs say all about their pixels: an expression, a script or a class that is not known here gives
none, and then every frame is exported anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import nuke

from videomama_nuke import knobs

_KNOWN = """
    Read Constant CheckerBoard2 ColorBars Dot NoOp Copy Switch Remove Premult Unpremult Crop Reformat TimeOffset
    FrameHold FrameRange Merge2 Grade Blur Shuffle Shuffle2 Invert Clamp Multiply Add Gamma Saturation ColorCorrect
    ColorLookup HueCorrect Keyer Keymix ChannelMerge Dilate Erode FilterErode Defocus Sharpen Median EdgeBlur
    Transform CornerPin2D Position Mirror2 Roto RotoPaint Primatte3 Keylight IBKGizmoV3 IBKColourV3 Colorspace
    OCIOColorSpace OCIOLogConvert Log2Lin JoinViews OneView
"""
_KNOWN_CLASSES = frozenset(_KNOWN.split())
_LOOKS = """
    name xpos ypos selected label icon tile_color note_font note_font_size note_font_color gl_color hide_input
    postage_stamp postage_stamp_frame cached bookmark indicators dope_sheet reload version
"""
_LOOK_KNOBS = frozenset(_LOOKS.split())
_ROOT = ("format", "colorManagement", "OCIO_config", "customOCIOConfigPath", "workingSpaceLUT", "int8Lut", "int16Lut")
_NUMBER = re.compile(r"%0?\d*d|#+")
_OWN_INPUTS = ("node_id", "record", "output", "premultiply", "bypass", "refined")


class _Unknown(Exception):
    """Something that no signature can vouch for."""


def signature(node: nuke.Node) -> str:
    """Return the signature of a VideoMaMa node's inputs; empty where it cannot be known safely. Main thread only."""
    hasher = hashlib.blake2b(digest_size=8)
    try:
        for line in _lines(node):
            hasher.update(json.dumps(line, sort_keys=True, default=str).encode())
    except _Unknown:
        return ""
    return hasher.hexdigest()


def _lines(node: nuke.Node) -> Iterator[object]:
    root = nuke.root()
    yield nuke.NUKE_VERSION_STRING, knobs.mask_channel_of(node), list(nuke.views())
    yield {name: root[name].toScript() for name in _ROOT if root.knob(name) is not None}
    numbers: dict[str, int] = {}
    pending = [node.input(index) for index in (0, 1)]
    yield [child is not None for child in pending]
    while pending:
        found = pending.pop()
        if found is None or found.fullName() in numbers:
            yield None if found is None else numbers[found.fullName()]
            continue
        numbers[found.fullName()] = len(numbers)
        yield found.Class(), _values(found), _files(found)
        pending.extend(found.input(index) for index in range(found.inputs()))


def _values(node: nuke.Node) -> dict[str, str]:
    """Return what was set on a node, by knob."""
    if knobs.is_ours(node):
        return {name: str(knobs.linked(node, name).value()) for name in _OWN_INPUTS}
    if node.Class() not in _KNOWN_CLASSES:
        raise _Unknown
    values = {}
    for name, knob in node.knobs().items():
        changed = getattr(knob, "notDefault", None)  # which not every kind of knob has
        if name in _LOOK_KNOBS or (changed is not None and not changed()):
            continue
        text = knob.toScript()
        if _has_expression(knob) or "[" in text:
            raise _Unknown
        values[name] = text
    return values


def _has_expression(knob: nuke.Knob) -> bool:
    asked = getattr(knob, "hasExpression", None)
    return bool(asked and asked())


def _files(node: nuke.Node) -> list[tuple[str, int, int]]:
    """Return name, size and time of every file that a node may read."""
    if knobs.is_ours(node):
        pattern = str(knobs.linked(node, "result_file").value())
    elif node.knob("file") is not None:
        pattern = str(node["file"].value())
    else:
        return []
    return sorted(stat for view in nuke.views() for stat in _stats(pattern.replace("%V", view)))


def _stats(pattern: str) -> list[tuple[str, int, int]]:
    if "%v" in pattern or "[" in pattern:
        raise _Unknown
    path = Path(pattern)
    numbered = _NUMBER.search(path.name)
    head, tail = (path.name[: numbered.start()], path.name[numbered.end() :]) if numbered else (path.name, "")
    try:
        with os.scandir(path.parent) as entries:
            named = [entry for entry in entries if entry.name.startswith(head) and entry.name.endswith(tail)]
            stats = [(entry.name, entry.stat()) for entry in named]
    except OSError as error:
        raise _Unknown from error
    return [(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats]
