"""What each node class adds to a plan: its knobs at a context, as the steps of `nuke_standin.pixels` have them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Optional

from nuke_standin import operators_channels, operators_roto, operators_space, operators_time, precomp, reads, session
from nuke_standin.planning import Made, Plan, form_words, four, inputs_of, masked, pair, proxy_scale, value, words


def through(plan: Plan, node: Any, context: Any) -> Optional[Made]:
    """Nothing of its own: the picture of input 0."""
    return plan.input(node, 0, context)


def group_input(plan: Plan, node: Any, context: Any) -> Optional[Made]:
    """What is connected to the group, or to the Input itself inside a group that nobody connected."""
    outside = node._group._input(int(value(node, "number", context, 0))) if node._group is not None else None
    return plan.of(outside, context) if outside is not None else plan.input(node, 0, context)


def write(plan: Plan, node: Any, context: Any) -> Optional[Made]:
    """A Write passes its input through, or reads what it rendered; with a limited range, it offers that range."""
    if value(node, "reading", context):
        return precomp.read_back(plan, node, value(node, "on_error", context), context)
    made = plan.input(node, 0, context)
    if made is None or not value(node, "use_limit", context, False):
        return made
    return made._replace(first=int(value(node, "first", context)), last=int(value(node, "last", context)))


def constant(plan: Plan, node: Any, context: Any) -> Made:
    """One colour."""
    step = {"op": "constant", "inputs": [], "channels": words(node, "channels", context)}
    step["color"] = four(value(node, "color", context))
    return _source(plan, node, context, step)


def checkerboard(plan: Plan, node: Any, context: Any) -> Made:
    """Four colours in squares, without the lines that Nuke draws between and across them."""
    colors = [four(value(node, f"color{index}", context)) for index in range(4)]
    scale = proxy_scale(context)
    boxsize = [max(1.0, size * scale) for size in pair(value(node, "boxsize", context))]
    return _source(plan, node, context, {"op": "checkerboard", "inputs": [], "colors": colors, "boxsize": boxsize})


def _source(plan: Plan, node: Any, context: Any, step: dict) -> Made:
    """A picture out of nothing has the root's range, unless its own knobs say otherwise."""
    root = session.current().root
    step["format"] = form_words(value(node, "format", context), context)
    first, last = (
        int(value(node, own, context, 0)) or int(value(root, whole, context))
        for own, whole in (("first", "first_frame"), ("last", "last_frame"))
    )
    return plan.add(step, first, last)


def copy(plan: Plan, node: Any, context: Any) -> Made:
    """B with channels of A."""
    pairs = [
        [str(value(node, f"from{index}", context)), str(value(node, f"to{index}", context))]
        for index in range(8)
        if f"from{index}" in node._knobs
    ]
    step = masked(node, context, {"op": "copy", "pairs": pairs})
    step.update(channels=words(node, "channels", context, "none"), bbox=str(value(node, "bbox", context)))
    return plan.combined(step, inputs_of(plan, node, context, 3), context)


def switch(plan: Plan, node: Any, context: Any) -> Optional[Made]:
    """The chosen input alone; the others are not looked at."""
    count = max(1, len(node._inputs))
    return plan.input(node, min(max(int(value(node, "which", context)), 0), count - 1), context)


def remove(plan: Plan, node: Any, context: Any) -> Made:
    """Fewer channels."""
    names = [name for name in ("channels", "channels2", "channels3", "channels4") if name in node._knobs]
    step = {"op": "remove", "operation": value(node, "operation", context)}
    step["channels"] = [words(node, name, context) for name in names]
    return plan.combined(step, inputs_of(plan, node, context, 1), context)


def premult(plan: Plan, node: Any, context: Any) -> Made:
    """Times alpha, or over alpha."""
    step = {"op": node._class_name().lower(), "channels": words(node, "channels", context)}
    step["alpha"] = words(node, "alpha", context)
    return plan.combined(step, inputs_of(plan, node, context, 1), context)


def crop(plan: Plan, node: Any, context: Any) -> Made:
    """A box, in pixels of the full-size picture; the whole format when nobody set one."""
    scale = proxy_scale(context)
    box = None if node._knobs["box"]._is_default() else [side * scale for side in value(node, "box", context)]
    step = {"op": "crop", "node": node._full_name(), "box": box}
    for name in ("intersect", "crop", "reformat"):
        step[name] = value(node, name, context)
    return plan.combined(step, inputs_of(plan, node, context, 1), context)


def reformat(plan: Plan, node: Any, context: Any) -> Made:
    """Another format."""
    kind = value(node, "type", context)
    step = {"op": "reformat", "node": node._full_name(), "type": kind, "scale": pair(value(node, "scale", context))}
    if kind == "to box":
        scale = proxy_scale(context)
        size = [round(value(node, name, context) * scale) for name in ("box_width", "box_height")]
        step["format"] = [*size, float(value(node, "box_pixel_aspect", context)), ""]
    else:
        step["format"] = form_words(value(node, "format", context), context)
    for name in ("resize", "center", "pbb"):
        step[name] = value(node, name, context)
    return plan.combined(step, inputs_of(plan, node, context, 1), context)


def grade(plan: Plan, node: Any, context: Any) -> Made:
    """Black and white point, gain, offset, gamma."""
    step = masked(node, context, {"op": "grade", "channels": words(node, "channels", context)})
    for name in ("blackpoint", "whitepoint", "black", "white", "multiply", "add", "gamma"):
        step[name] = four(value(node, name, context))
    for name in ("black_clamp", "white_clamp"):
        step[name] = value(node, name, context)
    return plan.combined(step, inputs_of(plan, node, context, 2), context)


def blur(plan: Plan, node: Any, context: Any) -> Made:
    """A box filter where Nuke's default is gaussian."""
    step = masked(node, context, {"op": "blur", "channels": words(node, "channels", context)})
    step["size"] = [size * proxy_scale(context) for size in pair(value(node, "size", context))]
    return plan.combined(step, inputs_of(plan, node, context, 2), context)


def one_view(plan: Plan, node: Any, context: Any) -> Optional[Made]:
    """One view's picture in all views."""
    return plan.input(node, 0, context._replace(view=str(value(node, "view", context))))


def join_views(plan: Plan, node: Any, context: Any) -> Optional[Made]:
    """Each view from an input of its own, in the order of `viewassoc`, else of the project's views."""
    names = words(node, "viewassoc", context, "").split() or session.current().views()
    if context.view not in names:
        raise RuntimeError(f"{node._full_name()}: no input for the view {context.view}")
    return plan.input(node, names.index(context.view), context)


_MASKED = ("maskChannelMask", "maskFromFlag", "fringe", "unpremult")
REFUSED: dict[str, tuple] = {
    "Read": ("noprefix",),
    "Write": (
        "frame",
        "autocrop",
        "interleave",
        "write_ACES_compliant_EXR",
        "truncateChannelNames",
        "standard layer name format",
    ),
    "Copy": _MASKED,
    "Merge2": ("screen_alpha", "sRGB", *_MASKED),
    "Expression": _MASKED,
    "Keyer": ("premult", *_MASKED),
    "Shuffle": ("in2", "out2"),
    "Transform": ("skewX", "skewY", "clamp", "motionblur"),
    "Retime": ("time",),
    "TimeWarp": ("time",),
    "Roto": ("premultiply", "format", *_MASKED),
    "RotoPaint": ("premultiply", "format", *_MASKED),
    "Premult": ("invert",),
    "Unpremult": ("invert",),
    "Crop": ("softness",),
    "Reformat": ("flip", "flop", "turn", "clamp", "black_outside"),
    "Grade": ("reverse", *_MASKED),
    "Blur": _MASKED,
    "TimeOffset": ("reverse_input", "time"),
    "CheckerBoard2": ("linecolor", "linewidth", "centerlinecolor", "centerlinewidth"),
}

RULES: dict[str, Callable[[Plan, Any, Any], Optional[Made]]] = {
    **dict.fromkeys(("Dot", "NoOp", "Viewer", "Output"), through),
    "Input": group_input,
    "Write": write,
    "Read": reads.read,
    "Precomp": precomp.picture,
    "Constant": constant,
    "CheckerBoard2": checkerboard,
    "Copy": copy,
    "Merge2": operators_channels.merge,
    "Switch": switch,
    "Remove": remove,
    "Premult": premult,
    "Unpremult": premult,
    "Crop": crop,
    "Reformat": reformat,
    "Grade": grade,
    "Blur": blur,
    "Shuffle": operators_channels.old_shuffle,
    "Shuffle2": operators_channels.shuffle,
    "Expression": operators_channels.expression,
    "Keyer": operators_channels.keyer,
    "Roto": operators_roto.roto,
    "RotoPaint": operators_roto.roto,
    "Transform": operators_space.transform,
    "Tracker4": operators_space.tracker,
    "TimeOffset": operators_time.time_offset,
    "FrameHold": operators_time.frame_hold,
    "Retime": operators_time.retime,
    "TimeWarp": operators_time.time_warp,
    "OneView": one_view,
    "JoinViews": join_views,
}
