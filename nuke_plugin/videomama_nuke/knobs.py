"""The gizmo's knobs: which there are, and what they say."""

from __future__ import annotations

import math
import re
import uuid
from pathlib import Path
from typing import Any, cast

import nuke
from videomama_client.engine_options import specs_known
from videomama_client.engine_settings import own_specs
from videomama_client.errors import BadInput
from videomama_client.setting_spec import CHOICE, NUMBER, TEXT, WHOLE_NUMBER, YES_NO, specs_of
from videomama_client.settings import MatteSettings

from videomama_nuke import paths, precomp, stage_knobs
from videomama_nuke.quiet import no_trace

VERSION_KNOB = "videomama"  # marks a node as ours, also when an artist made a group of it
_LAST_KNOB = "result_origlast"
ROI_AUTO = "auto"
ROI_BOX = "box"
OTHER_ENGINE = "other"  # in the menu of `engine`: the name stands in `other_engine`
_SAME = ("mask_grow", "mask_close_holes", "exposure")  # knobs named as the settings they are
OUTLINE = ("mask_slack", "trimap_erode", "trimap_dilate")  # below 0 follow `mask_quality`
OWN = (  # likewise, for settings that only some engines have
    "quality",
    "canvas",
    "mask_threshold",
    "soft_mask",
    "mask_quality",
    *OUTLINE,
    "seed",
    "feedback",
    "weights",
)
_SIGNS = ("%", "#", "[")
_CASTS = {TEXT: str, CHOICE: str, NUMBER: float, WHOLE_NUMBER: int, YES_NO: bool}
_TYPES = {spec.name: _CASTS[spec.kind] for spec in (*specs_of(MatteSettings), *own_specs().values())}
_PIXELS = """
    engine other_engine window overlap roi_mode roi_box colorspace mask_channel maker other_maker maker_settings prompts
    objects
"""
PIXEL_KNOBS = frozenset((*_SAME, *OWN, *_PIXELS.split(), *stage_knobs.KNOBS))
RANGE_KNOBS = frozenset(("frame_range", "frames", "cache_folder"))
_RESULT = """
    output result_file result_first result_last result_origfirst result_origlast on_error unchecked refined
    connection_file videomama node_id record foreground_file main_alpha
    object_from0 object_from1 object_from2 object_from3 object_to0 object_to1 object_to2 object_to3
"""
_STEADY = tuple(sorted((*PIXEL_KNOBS, *RANGE_KNOBS, *_RESULT.split())))  # have one value for all frames
_FOLDERS = frozenset(("cache_folder", "weights", "connection_file", "foreground_file"))
_FRAME = re.compile(r"\[[^\]]*\bframe\b")  # Tcl that stands for another text at every frame


def is_ours(node: nuke.Node) -> bool:
    """Whether the node is a VideoMaMa node."""
    return node.knob(VERSION_KNOB) is not None and node.knob("node_id") is not None


def is_whole(node: nuke.Node) -> bool:
    """Whether the node is ours and has all of its knobs: those of a group come one by one while a script loads."""
    return is_ours(node) and node.knob(_LAST_KNOB) is not None


def settings_of(node: nuke.Node) -> MatteSettings:
    """Return what the knobs of the first stage say; a region found before is not in it.

    Of the knobs that only some engines have, those count that are not at their defaults and that the engine has. The
    panel shows the others in grey.

    Raises:
        BadInput: a value cannot be used, or a knob has another value at another frame.
    """
    _check_steady(node)
    overlap, engine = int(node["overlap"].value()), _engine(node)
    settings = MatteSettings.of(
        **{name: _value(node, name) for name in (*_SAME, *counting(engine))},
        engine=engine,
        window=int(node["window"].value()) or None,
        overlap=None if overlap < 0 else overlap,
        roi=_region(node),
        mask_channel="A",  # of what is exported
        colorspace=_colorspace(node),
    )
    settings.check()
    return settings.without_defaults()


def counting(engine: str) -> tuple[str, ...]:
    """Return the knobs of `OWN` that an engine has: none for one that plugs into the server, whose own are not here."""
    known = {spec.name for spec in specs_known(engine) or ()}
    return tuple(name for name in OWN if name in known)


def show_counting(node: nuke.Node) -> None:
    """Show the knobs in grey that do nothing for the node's engine."""
    mine = counting(str(node["engine"].value()))
    for name in OWN:
        node[name].setEnabled(name in mine)


def show_region(node: nuke.Node, region: str) -> None:
    """Show a region `x,y,w,h` (y down) in the box knob, whose y points up."""
    x, y, w, h = (int(part) for part in region.split(","))
    top = plate_height(node) - y
    node["roi_box"].setValue([x, top - h, x + w, top])


def folder_of(node: nuke.Node) -> Path:
    """Return the folder of this node's files.

    Raises:
        BadInput: none is named, and the script has no place yet; or its name has what stands for something else.
    """
    named = paths.absolute(path_in(node, "cache_folder"))
    script = precomp.script_of(node)
    if not named and script is None:
        raise BadInput("the script has not been saved yet", "Save it, or choose a cache folder in the Cache tab.")
    base = Path(named) if named or script is None else script.parent / "videomama"
    _check_name(base)
    return base / identity_of(node)


def _check_name(folder: Path) -> None:
    """Refuse a folder in whose name Nuke, or whoever reads a sequence, sees a frame number or an expression."""
    wrong = [sign for sign in _SIGNS if sign in folder.as_posix()]
    if wrong:
        raise BadInput(
            f"the cache folder {folder} has {' and '.join(wrong)} in its name; in a sequence that means something else",
            "Choose a cache folder without % # and [ in the Cache tab.",
        )


def identity_of(node: nuke.Node) -> str:
    """Return the node's id; a node that was made without one, as by a script without callbacks, gets one now."""
    if not str(node["node_id"].value()):
        with no_trace():
            node["node_id"].setValue(uuid.uuid4().hex)
    return str(node["node_id"].value())


def connection_file_of(node: nuke.Node) -> Path | None:
    """Return the connection file that the node names; None for the user's own."""
    named = paths.absolute(path_in(node, "connection_file"))
    return Path(named) if named else None


def path_in(node: nuke.Node, name: str) -> str:
    """Return what a file knob names, with expressions in it evaluated; empty where it names nothing."""
    return cast("nuke.File_Knob", node[name]).getEvaluatedValue() or ""


def linked(node: nuke.Node, name: str) -> nuke.Knob:
    """Return the knob inside the gizmo that a link leads to; a link answers for it in words of its own."""
    knob = node[name]
    follow = getattr(knob, "getLinkedKnob", None)
    return (follow() if follow is not None else None) or knob


def may_differ(knob: nuke.Knob) -> bool:
    """Whether a knob is not at its default; not every kind of knob can tell, and those count as set."""
    asked = getattr(knob, "notDefault", None)
    return asked is None or bool(asked())


def mask_channel_of(node: nuke.Node) -> str:
    """Return the channel that is the mask, such as `rgba.alpha`."""
    return str(linked(node, "mask_channel").value())


def plate_of(node: nuke.Node) -> nuke.Node:
    """Return the node that is the plate; raises `BadInput` where there is none."""
    plate = node.input(0)
    if plate is None:
        raise BadInput(f"{node.fullName()} has no plate", "Connect the shot to the input 'plate'.")
    return plate


def inner(node: nuke.Node, name: str) -> nuke.Node:
    """Return a node of the gizmo's own graph; raises `BadInput` where somebody removed it."""
    found = cast("nuke.Group", node).node(name)
    if found is None:
        raise BadInput(f"{node.fullName()} has no {name} inside", "Create the node again.")
    return found


def plate_height(node: nuke.Node) -> int:
    """Return the height of the plate's format in pixels, whatever the proxy mode."""
    return int(plate_of(node).format().height())


def driven(knob: nuke.Knob) -> str:
    """Return what gives a knob another value at other frames, in words; empty for nothing."""
    for question, what in (("hasExpression", "an expression"), ("isAnimated", "keyframes")):
        asked = getattr(knob, question, None)  # which not every kind of knob has
        if asked is not None and asked():
            return what
    return ""


def _check_steady(node: nuke.Node) -> None:
    """Refuse keyframes and expressions: a node has one value of each setting for all of its frames.

    A knob that does nothing for the engine may have them: it is grey, and nobody could remove them there.
    """
    idle = set(OWN).difference(counting(str(node["engine"].value())))
    for name in (name for name in _STEADY if name not in idle):
        if node.knob(name) is None:  # a group that was made of an earlier gizmo
            continue
        knob = linked(node, name)
        what = driven(knob) or ("the frame's number" if name in _FOLDERS and _FRAME.search(str(knob.value())) else "")
        if what:
            raise BadInput(
                f"{node.fullName()}: {name} has {what}",
                "The node needs one value for all frames: remove the animation from this knob.",
            )


def _engine(node: nuke.Node) -> str:
    """Return the engine of the menu, or the one that is named beside it."""
    chosen = str(node["engine"].value())
    if chosen != OTHER_ENGINE:
        return chosen
    name = str(node["other_engine"].value() or "").strip()
    if not name:
        raise BadInput(
            f"{node.fullName()}: the engine is set to {OTHER_ENGINE}, and none is named",
            "Write its name in 'other engine', or choose it in the menu beside.",
        )
    return name


def _value(node: nuke.Node, name: str) -> Any:
    """Return the value of a knob that is named as its setting; None for a number around the outline below 0."""
    if name == "weights":
        return path_in(node, name)
    value = _TYPES[name](node[name].value())
    return None if name in OUTLINE and value < 0 else value


def _region(node: nuke.Node) -> str:
    mode = str(node["roi_mode"].value())
    if mode != ROI_BOX:
        return mode
    box = cast("nuke.BBox_Knob", node["roi_box"])
    x, y, right, top = (float(side()) for side in (box.x, box.y, box.r, box.t))
    if right <= x or top <= y:
        raise BadInput("the region of interest is an empty box", "Draw it, or set the region of interest to auto.")
    left, bottom, height = math.floor(x), math.floor(y), plate_height(node)
    return f"{left},{height - math.ceil(top)},{math.ceil(right) - left},{math.ceil(top) - bottom}"


def _colorspace(node: nuke.Node) -> str:
    """Return the comp's space: what is exported is raw, so it is in the project's working space."""
    named = str(node["colorspace"].value()).strip() or "auto"
    root = nuke.root()
    if named != "auto" or str(root["colorManagement"].value()) != "OCIO":
        return named
    return str(root["workingSpaceLUT"].value())
