"""Words errors and warnings for somebody in Nuke: knobs instead of options, and the frame to look at."""

from __future__ import annotations

import re

from videomama_client.errors import VideoMaMaError

_OPTION = re.compile(r"(?<![\w/\\.-])--([a-z]+(?:-[a-z]+)*)(?![\w/\\.-]*[/\\])")
_KNOBS = {  # labels of the gizmo's knobs, by the option that sets the same
    "engine": "engine",
    "quality": "quality",
    "canvas": "size",
    "window": "window",
    "overlap": "overlap",
    "mask_threshold": "mask threshold",
    "soft_mask": "soft mask",
    "mask_grow": "mask grow",
    "mask_close_holes": "fill holes",
    "mask_quality": "mask",
    "mask_slack": "mask slack",
    "trimap_erode": "sure inside",
    "trimap_dilate": "sure outside",
    "colorspace": "working space",
    "exposure": "exposure",
    "roi": "region of interest",
    "seed": "seed",
    "feedback": "feedback",
    "weights": "weights",
    "then": "further stages",
    "maker": "mask maker",
    "maker_set": "maker settings",
    "click": "Add point",
    "box": "Add box",
    "say": "Add words",
    "key_mask": "Add this frame's mask",
    "object": "object",
    "absent": "prompts",
    "trimap_mode": "trimap",
    "trimap_preset": "width",
    "trimap_foreground": "certain subject",
    "trimap_background": "certain background",
    "trimap_inside": "trimap inside",
    "trimap_outside": "trimap outside",
    "trimap_widen": "widen",
    "show": "show",
    "steady": "steady",
    "tile": "tile",
    "reuse": "reuse",
    "grow": "grow",
    "feather": "feather",
    "offset_x": "offset x",
    "offset_y": "offset y",
    "black": "black point",
    "white": "white point",
    "despeckle": "despeckle",
    "deflicker": "deflicker",
    "deflicker_radius": "deflicker radius",
    "mask_channel": "mask channel",
    "clip": "frame range",
    "frames": "frame range",
    "connection_file": "connection file",
}


def with_knobs(text: str) -> str:
    """Return a text that names options, such as `--mask-grow`, with the labels of the knobs that set the same."""
    return _OPTION.sub(lambda option: _label(option[1]) or option[0], text)


def said(error: VideoMaMaError) -> str:
    """Return in one line what is wrong, what to do, and which frame to look at."""
    look = look_at(error.role, error.frame)
    message = with_knobs(error.message).rstrip(".")
    more = [part for part in (with_knobs(error.hint), look) if part]
    return f"{message}. {' '.join(more)}" if more else message


def look_at(role: str, frame: int | None) -> str:
    """Return `Look at frame 1003 of the mask.`; nothing where no frame is known."""
    if frame is None:
        return ""
    return f"Look at frame {frame}{f' of the {role}' if role else ''}."


def _label(option: str) -> str:
    label = _KNOBS.get(option.replace("-", "_"), "")
    return f"'{label}'" if label else ""
