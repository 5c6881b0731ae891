"""The node graph at one frame, view and proxy mode ▸ a plan of plain dicts, which the child process turns into pixels.

Evaluation is lazy: what a Switch does not choose, and what is upstream of it, is never looked at.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from nuke_standin import child, session
from nuke_standin.formats import Format
from nuke_standin.operators import REFUSED, RULES
from nuke_standin.planning import Made, Plan, form_words, value


class Facts(NamedTuple):
    """What a node knows of its picture without pixels. `bbox` is x, y, r, t; `error` is the text when there is one."""

    format: Any
    bbox: tuple
    channels: tuple
    first: int
    last: int
    views: tuple
    error: str = ""


def plan(node: Any, context: Any) -> tuple[dict, Made]:
    """Plan a node's picture; black of the root's format when there is nothing."""
    made = Plan(RULES, REFUSED)
    top = made.of(node, context) or made.black(context)
    return {"steps": made.steps[: top.step + 1]}, top


def facts(node: Any, context: Any) -> Facts:
    """Format, box, channels, range and views of a node's picture.

    When a picture upstream cannot be had, the error is in the facts; format and box are the root's then, or those that
    a Read's own knob has.
    """
    here = session.current()
    steps, top = plan(node, context)
    views = tuple(here.views())
    try:
        found = child.ask(here, do="facts", plan=steps)
    except child.PixelError as error:
        form = steps["steps"][-1].get("format") or form_words(value(here.root, "format", context), context)
        return Facts(_format(form), (0, 0, form[0], form[1]), (), top.first, top.last, views, str(error))
    return Facts(_format(found["format"]), tuple(found["bbox"]), tuple(found["channels"]), top.first, top.last, views)


def _format(words: list) -> Format:
    """The known format of that size and aspect, else one without a name."""
    width, height, aspect, name = words
    for known in session.current().formats:
        if (known._size, known._aspect) == ((width, height), aspect) and name in ("", known._name):
            return known
    made = Format(width, height, pixelAspect=aspect)
    made._name = name or None
    return made


def error(node: Any, context: Any) -> str:
    """What is wrong with a node or anything upstream; empty when nothing is."""
    try:
        return facts(node, context).error
    except RuntimeError as problem:
        return str(problem)


def sample(node: Any, channel: str, box: tuple, context: Any) -> float:
    """The mean of a channel over a box (x, y, r, t) of whole pixels."""
    here = session.current()
    steps, _ = plan(node, context)
    return child.ask(here, do="sample", plan=steps, channel=here.layers.channel(channel), box=list(box))
