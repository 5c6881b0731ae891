"""What operators of several inputs share: masks and mix, boxes, and black where nothing is connected."""

from __future__ import annotations

from typing import Any

import numpy as np

from nuke_standin.pixels.boxes import Box
from nuke_standin.pixels.channel_sets import single
from nuke_standin.pixels.picture import Picture, PictureError, Plane

Step = dict[str, Any]
Inputs = list  # of Picture | None


def blended(base: Picture, made: Picture, step: Step, inputs: Inputs, mask_input: int) -> Picture:
    """`made` where the mask is one, `base` where it is zero; all of `made` when there is neither mask nor mix."""
    mask = inputs[mask_input] if len(inputs) > mask_input else None
    channel = single(step.get("mask_channel", "none")) if mask is not None else None
    mix = step.get("mix", 1.0)
    if channel is None and mix == 1:
        return made

    def fetch(name: str) -> Plane:
        amount: Any = mix
        if mask is not None and channel is not None:
            through = np.clip(mask.plane(channel, made.box), 0, 1)
            amount = mix * (1 - through if step.get("invert_mask") else through)
        return made.whole(name) * amount + base.plane(name, made.box) * (1 - amount)

    return made.derived(fetch)


def chosen_box(choice: str, base: Picture, other: Picture) -> Box:
    """The box of two pictures by the rule of a `bbox` knob."""
    word = choice.split()[0].upper() if choice else "UNION"
    if word == "UNION":
        return base.box.joined(other.box)
    if word in ("INTERSECTION", "INTERSECT"):
        return base.box.common(other.box)
    if word in ("A", "B"):
        return {"A": other, "B": base}[word].box
    raise PictureError(f"no bounding box rule {choice!r}")


def or_black(picture: Picture | None, inputs: Inputs) -> Picture:
    """An unconnected input is black, of the format of an input that is there."""
    if picture is not None:
        return picture
    for other in inputs:
        if other is not None:
            return Picture(other.format, other.format.box, (), _no_channel)
    raise PictureError("an operator without any input has no format")


def _no_channel(name: str) -> Plane:
    raise PictureError(f"no channel {name}")
