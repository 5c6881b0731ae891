"""What each node class adds to a plan: its knobs at a context, as the steps of `nuke_standin.pixels` have them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Optional

from nuke_standin import precomp, reads, session
from nuke_standin.planning import Made, Plan, form_words, proxy_scale, value


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
    step = _masked(node, context, {"op": "copy", "pairs": pairs})
    step.update(channels=words(node, "channels", context, "none"), bbox=str(value(node, "bbox", context)))
    return plan.combined(step, _inputs(plan, node, context, 3), context)


def merge(plan: Plan, node: Any, context: Any) -> Made:
    """A on B."""
    if len(node._inputs) > 3:
        raise RuntimeError(f"{node._full_name()}: the stand-in's Merge2 has one A only")
    step = _masked(node, context, {"op": "merge", "operation": value(node, "operation", context)})
    step.update(channels=words(node, "output", context, "rgba"), bbox=str(value(node, "bbox", context)))
    return plan.combined(step, _inputs(plan, node, context, 3), context)


def switch(plan: Plan, node: Any, context: Any) -> Optional[Made]:
    """The chosen input alone; the others are not looked at."""
    count = max(1, len(node._inputs))
    return plan.input(node, min(max(int(value(node, "which", context)), 0), count - 1), context)


def remove(plan: Plan, node: Any, context: Any) -> Made:
    """Fewer channels."""
    names = [name for name in ("channels", "channels2", "channels3", "channels4") if name in node._knobs]
    step = {"op": "remove", "operation": value(node, "operation", context)}
    step["channels"] = [words(node, name, context) for name in names]
    return plan.combined(step, _inputs(plan, node, context, 1), context)


def premult(plan: Plan, node: Any, context: Any) -> Made:
    """Times alpha, or over alpha."""
    step = {"op": node._class_name().lower(), "channels": words(node, "channels", context)}
    step["alpha"] = words(node, "alpha", context)
    return plan.combined(step, _inputs(plan, node, context, 1), context)


def crop(plan: Plan, node: Any, context: Any) -> Made:
    """A box, in pixels of the full-size picture; the whole format when nobody set one."""
    scale = proxy_scale(context)
    box = None if node._knobs["box"]._is_default() else [side * scale for side in value(node, "box", context)]
    step = {"op": "crop", "node": node._full_name(), "box": box}
    for name in ("intersect", "crop", "reformat"):
        step[name] = value(node, name, context)
    return plan.combined(step, _inputs(plan, node, context, 1), context)


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
    return plan.combined(step, _inputs(plan, node, context, 1), context)


def grade(plan: Plan, node: Any, context: Any) -> Made:
    """Black and white point, gain, offset, gamma."""
    step = _masked(node, context, {"op": "grade", "channels": words(node, "channels", context)})
    for name in ("blackpoint", "whitepoint", "black", "white", "multiply", "add", "gamma"):
        step[name] = four(value(node, name, context))
    for name in ("black_clamp", "white_clamp"):
        step[name] = value(node, name, context)
    return plan.combined(step, _inputs(plan, node, context, 2), context)


def blur(plan: Plan, node: Any, context: Any) -> Made:
    """A box filter where Nuke's default is gaussian."""
    step = _masked(node, context, {"op": "blur", "channels": words(node, "channels", context)})
    step["size"] = [size * proxy_scale(context) for size in pair(value(node, "size", context))]
    return plan.combined(step, _inputs(plan, node, context, 2), context)


def shuffle(plan: Plan, node: Any, context: Any) -> Made:
    """Channels under other names, as the text of `mappings` says."""
    sources = [_from_input(words(node, f"fromInput{index}", context)) for index in (1, 2)]
    step = {"op": "shuffle", "mappings": mappings(words(node, "mappings", context, ""), sources)}
    return plan.combined(step, _inputs(plan, node, context, 2), context)


def _from_input(text: str) -> int:
    """Read `B`, `A`, or `{0} B` as files have it: the number of the input that in1 or in2 stands for."""
    return {"B": 0, "A": 1}[text.split()[-1]]


def mappings(text: str, sources: list) -> list:
    """Read `COUNT (source layer index target layer index)...` into (input, source, target).

    That is how scripts of Nuke 13 and later have it. A source's layer is 0 for in1, 1 for in2, and -1 for `black` and
    `white`; `sources` are the inputs of in1 and in2.
    """
    items = text.replace("{", " ").replace("}", " ").replace('"', " ").split()
    if not items:
        return []
    rows = [items[at : at + 6] for at in range(1, len(items), 6)]
    if len(rows) != int(items[0]) or any(len(row) != 6 for row in rows):
        raise RuntimeError(f"mappings that cannot be read: {text!r}")
    return [[sources[max(0, int(row[1]))], row[0], row[3]] for row in rows]


def time_offset(plan: Plan, node: Any, context: Any) -> Optional[Made]:
    """The input later by so many frames."""
    by = float(value(node, "time_offset", context))
    made = plan.input(node, 0, context._replace(frame=context.frame - by))
    return made and made._replace(first=round(made.first + by), last=round(made.last + by))


def frame_hold(plan: Plan, node: Any, context: Any) -> Optional[Made]:
    """One frame, or every so many."""
    name = "firstFrame" if "firstFrame" in node._knobs else "first_frame"
    first, step = float(value(node, name, context)), float(value(node, "increment", context, 0))
    frame = first + (context.frame - first) // step * step if step else first
    return plan.input(node, 0, context._replace(frame=frame))


def tracker(plan: Plan, node: Any, context: Any) -> Optional[Made]:
    """The picture as it is: a tracker that only tracks."""
    if words(node, "transform", context, "none") != "none":
        raise RuntimeError(f"{node._full_name()}: the stand-in's trackers move nothing")
    return plan.input(node, 0, context)


def one_view(plan: Plan, node: Any, context: Any) -> Optional[Made]:
    """One view's picture in all views."""
    return plan.input(node, 0, context._replace(view=str(value(node, "view", context))))


def join_views(plan: Plan, node: Any, context: Any) -> Optional[Made]:
    """Each view from an input of its own, in the order of `viewassoc`, else of the project's views."""
    names = words(node, "viewassoc", context, "").split() or session.current().views()
    if context.view not in names:
        raise RuntimeError(f"{node._full_name()}: no input for the view {context.view}")
    return plan.input(node, names.index(context.view), context)


def _inputs(plan: Plan, node: Any, context: Any, count: int) -> list:
    return [plan.input(node, index, context) for index in range(count)]


def _masked(node: Any, context: Any, step: dict) -> dict:
    step["node"] = node._full_name()
    step["mask_channel"] = words(node, "maskChannelInput", context, "none")
    step["invert_mask"] = bool(value(node, "invert_mask", context, False))
    step["mix"] = float(value(node, "mix", context, 1.0))
    return step


def words(node: Any, name: str, context: Any, default: Any = None) -> str:
    """A knob's value as the words of a channel set."""
    found = value(node, name, context, default)
    return " ".join(found) if isinstance(found, (list, tuple)) else str(found)


def four(found: Any) -> list:
    """Red, green, blue, alpha out of one, three or four numbers."""
    if not isinstance(found, (list, tuple)):
        return [float(found)] * 4
    numbers = [float(number) for number in found]
    return numbers if len(numbers) == 4 else [*numbers, numbers[0]]


def pair(found: Any) -> list:
    """Two numbers out of one or two."""
    return [float(n) for n in found] if isinstance(found, (list, tuple)) else [float(found)] * 2


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
    "Merge2": ("Achannels", "Bchannels", "also_merge", *_MASKED),
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
    "Merge2": merge,
    "Switch": switch,
    "Remove": remove,
    "Premult": premult,
    "Unpremult": premult,
    "Crop": crop,
    "Reformat": reformat,
    "Grade": grade,
    "Blur": blur,
    "Shuffle2": shuffle,
    "TimeOffset": time_offset,
    "FrameHold": frame_hold,
    "Tracker4": tracker,
    "OneView": one_view,
    "JoinViews": join_views,
}
