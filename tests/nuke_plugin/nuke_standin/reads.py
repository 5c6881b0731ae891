"""A Read at one frame: which file that is, and what its knobs say about it."""

from __future__ import annotations

import re
from typing import Any

from nuke_standin import session
from nuke_standin.expressions import evaluate
from nuke_standin.planning import Made, Plan, form_words, in_project, proxy_scale, value

_FRAME = re.compile(r"(?<![\w.$])frame(?![\w.])")  # the frame of the script, not the knob that holds the expression


def read(plan: Plan, node: Any, context: Any) -> Made:
    """One file's picture; black before and after the range when the knobs say so."""
    first, last = int(value(node, "first", context)), int(value(node, "last", context))
    wanted = _wanted(node, context, first)
    frame, there = placed(wanted, first, last, _outside(node, context, wanted, first))
    shown = _shown(node, context, first, last)
    if not there:
        black = {"op": "black", "inputs": [], "format": form_words(value(node, "format", context), context)}
        return plan.add(black, *shown)
    return plan.add(_step(node, context, frame, (first, last)), *shown)


def _step(node: Any, context: Any, frame: float, ends: tuple) -> dict:
    path, scale = _path(node, context, frame)
    step = {
        "op": "read",
        "inputs": [],
        "node": node._full_name(),
        "path": path,
        "version": int(value(node, "version", context)),
        "view": context.view,
        "format": form_words(value(node, "format", context), context),
        "scale": scale,
        "colorspace": colorspace(node, context),
    }
    for name in ("raw", "premultiplied", "auto_alpha", "edge_pixels", "offset_negative_display_window", "on_error"):
        step[name] = value(node, name, context, DEFAULTS.get(name))
    if step["on_error"] == "nearest frame":
        step["nearest"] = [_path(node, context, near)[0] for near in _by_distance(frame, *ends)]
    return step


# Knobs of the EXR reader, which a Read of another file type does not have.
DEFAULTS = {"edge_pixels": "plate detect", "offset_negative_display_window": True, "auto_alpha": False}


def colorspace(node: Any, context: Any) -> str:
    """The colour space by name; marked when the project's OCIO config decides what the default is."""
    text = str(value(node, "colorspace", context, "default"))
    if value(node, "raw", context) or not text.startswith("default"):
        return text
    root = session.current().root
    if value(root, "colorManagement", context) == "OCIO":
        return "default OCIO"
    for name in ("int8Lut", "int16Lut", "floatLut"):
        if not root._knobs[name]._is_default():
            raise RuntimeError(
                f"{node._full_name()}: the stand-in knows the default colour spaces with Nuke's own {name} only"
            )
    return text


def _path(node: Any, context: Any, frame: float) -> tuple[str, float]:
    """The file, and the scale that its pixels need: none for a proxy file of its own."""
    at = context._replace(frame=frame)
    proxy = str(value(node, "proxy", at, "")) if context.proxy else ""
    path = in_project(proxy or str(value(node, "file", at)), context)
    return path, 1.0 if proxy else proxy_scale(context)


def _wanted(node: Any, context: Any, first: int) -> float:
    """The frame of the files for the frame of the script."""
    mode, text = value(node, "frame_mode", context), str(value(node, "frame", context)).strip()
    if not text:
        return context.frame
    number = evaluate(_FRAME.sub("t", text), node, context)
    if mode == "start at":
        return context.frame - number + first
    return context.frame + number if mode == "offset" else number


def _shown(node: Any, context: Any, first: int, last: int) -> tuple[int, int]:
    """The range as the script sees it."""
    mode, text = value(node, "frame_mode", context), str(value(node, "frame", context)).strip()
    if not text or mode == "expression":
        return first, last
    by = int(evaluate(text, node, context))
    return (by, by + last - first) if mode == "start at" else (first - by, last - by)


def _outside(node: Any, context: Any, frame: float, first: int) -> str:
    return str(value(node, "before" if frame < first else "after", context))


def placed(frame: float, first: int, last: int, rule: str) -> tuple[float, bool]:
    """The frame of the files for a wanted frame by the rule of `before` or `after`, and whether there is one at all."""
    if first <= frame <= last:
        return frame, True
    if rule == "hold":
        return float(min(max(frame, first), last)), True
    count = last - first + 1
    if rule == "loop":
        return first + (frame - first) % count, True
    if rule == "bounce":
        turn = (frame - first) % max(1, 2 * count - 2)
        return float(first + min(turn, 2 * count - 2 - turn)) if count > 1 else float(first), True
    return frame, False


def _by_distance(frame: float, first: int, last: int) -> list:
    return sorted(range(first, last + 1), key=lambda one: (abs(one - frame), one))
