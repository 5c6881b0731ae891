"""The node classes with pixels of their own: each function makes one picture out of a step and its inputs.

A step is a dict of evaluated knobs. `inputs` holds pictures; an unconnected input is None. What the knobs of a class
can ask for beyond what is here raises `PictureError`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nuke_standin.pixels.boxes import Box, Format
from nuke_standin.pixels.channel_sets import ALPHA, RGBA, in_order, select, single
from nuke_standin.pixels.picture import Picture, PictureError, Plane

Step = dict[str, Any]
Inputs = list  # of Picture | None


def constant(step: Step, inputs: Inputs) -> Picture:
    """One colour over the whole format."""
    form = Format.of(step["format"])
    channels = select(step["channels"], RGBA)
    colour = {name: step["color"][index] for index, name in enumerate(RGBA)}
    return Picture(form, form.box, channels, lambda name: np.full((form.height, form.width), colour[name], np.float32))


def checkerboard(step: Step, inputs: Inputs) -> Picture:
    """Four colours in turn, in squares of `boxsize`, centred on the format."""
    form = Format.of(step["format"])
    columns = ((np.arange(form.width) - form.width / 2) // step["boxsize"][0]).astype(int) % 2
    rows = ((np.arange(form.height) - form.height / 2) // step["boxsize"][1]).astype(int) % 2
    index = rows[:, None] * 2 + columns
    colours = np.asarray(step["colors"], np.float32)
    return Picture(form, form.box, RGBA, lambda name: colours[index, RGBA.index(name)])


def copy(step: Step, inputs: Inputs) -> Picture:
    """B with channels of A under other names; a channel that A lacks becomes zero."""
    base, other = _or_black(inputs[0], inputs), _or_black(inputs[1], inputs)
    pairs = {single(to): single(source) for source, to in step["pairs"] if single(to)}
    pairs.update({name: name for name in select(step["channels"], other.channels)})
    pairs = {to: source for to, source in pairs.items() if source}
    box = _chosen_box(step["bbox"], base, other)

    def fetch(name: str) -> Plane:
        return other.plane(pairs[name], box) if name in pairs else base.plane(name, box)

    made = base.derived(fetch, channels=(*base.channels, *pairs), box=box, padded=base.padded and box == base.box)
    return blended(base, made, step, inputs, 2)


def remove(step: Step, inputs: Inputs) -> Picture:
    """Fewer channels."""
    source = _or_black(inputs[0], inputs)
    named = {name for words in step["channels"] for name in select(words, source.channels)}
    keep = step["operation"] == "keep"
    return source.derived(source.whole, channels=tuple(n for n in source.channels if (n in named) == keep))


def premult(step: Step, inputs: Inputs) -> Picture:
    """Colour times alpha, or colour over alpha where alpha is not zero."""
    source = _or_black(inputs[0], inputs)
    alpha = single(step["alpha"])
    if alpha is None:
        return source
    touched = set(select(step["channels"], source.channels)) - {alpha}
    divide = step["op"] == "unpremult"

    def fetch(name: str) -> Plane:
        plane, by = source.whole(name), source.whole(alpha)
        if name not in touched:
            return plane
        return np.where(by != 0, plane / np.where(by != 0, by, 1), plane) if divide else plane * by

    return source.derived(fetch)


def crop(step: Step, inputs: Inputs) -> Picture:
    """Pixels inside a box; with `crop` black outside, as one pixel of padding."""
    source = _or_black(inputs[0], inputs)
    inner = Box(*(round(side) for side in step["box"] or source.format.box))
    inner = inner.common(source.box) if step["intersect"] else inner.common(inner)
    box, width = (inner.grown(1), 1) if step["crop"] else (inner, 0)
    made = source.derived(lambda name: np.pad(source.plane(name, inner), width), box=box, padded=bool(width))
    return _moved_to_origin(made, inner) if step["reformat"] else made


def _moved_to_origin(made: Picture, inner: Box) -> Picture:
    form = Format(inner.width, inner.height, made.format.aspect)
    box = Box(made.box.x - inner.x, made.box.y - inner.y, made.box.r - inner.x, made.box.t - inner.y)
    return Picture(form, box, made.channels, made.fetch, made.padded)


def merge(step: Step, inputs: Inputs) -> Picture:
    """A on B; the box is the union unless another is asked for."""
    base, other = _or_black(inputs[0], inputs), inputs[1]
    if other is None:
        return base
    if step["operation"] not in MERGES:
        raise PictureError(f"{step['node']}: the stand-in's Merge2 has no operation {step['operation']!r}")
    rule = MERGES[step["operation"]]
    box = _chosen_box(step["bbox"], base, other)
    touched = set(select(step["channels"], in_order((*base.channels, *other.channels))))

    def fetch(name: str) -> Plane:
        below = base.plane(name, box)
        if name not in touched:
            return below
        return rule(other.plane(name, box), below, other.plane(ALPHA, box), base.plane(ALPHA, box))

    made = base.derived(fetch, channels=(*base.channels, *touched), box=box, padded=base.padded and box == base.box)
    return blended(base, made, step, inputs, 2)


MERGES: dict[str, Callable[[Plane, Plane, Plane, Plane], Plane]] = {
    "over": lambda above, below, alpha, _: above + below * (1 - alpha),
    "copy": lambda above, below, alpha, _: above,
    "plus": lambda above, below, alpha, _: above + below,
    "multiply": lambda above, below, alpha, _: above * below,
    "max": lambda above, below, alpha, _: np.maximum(above, below),
    "min": lambda above, below, alpha, _: np.minimum(above, below),
    "mask": lambda above, below, alpha, _: below * alpha,
    "stencil": lambda above, below, alpha, _: below * (1 - alpha),
    "in": lambda above, below, _, alpha: above * alpha,
    "out": lambda above, below, _, alpha: above * (1 - alpha),
    "from": lambda above, below, alpha, _: below - above,
    "minus": lambda above, below, alpha, _: above - below,
}


def grade(step: Step, inputs: Inputs) -> Picture:
    """Black and white point, gain, offset and gamma; four values each, for red, green, blue, alpha."""
    source = _or_black(inputs[0], inputs)
    touched = select(step["channels"], source.channels)

    def fetch(name: str) -> Plane:
        plane = source.whole(name)
        return _graded(plane, step, RGBA.index(name) if name in RGBA else 0) if name in touched else plane

    return blended(source, source.derived(fetch), step, inputs, 1)


def _graded(plane: Plane, step: Step, index: int) -> Plane:
    low, high, black, white, multiply, add, gamma = (
        step[k][index] for k in ("blackpoint", "whitepoint", "black", "white", "multiply", "add", "gamma")
    )
    gain = multiply * (white - black) / (high - low)
    plane = plane * gain + (add + black - gain * low)
    if step["black_clamp"]:
        plane = np.maximum(plane, 0)
    if step["white_clamp"]:
        plane = np.minimum(plane, 1)
    return plane if gamma == 1 else np.where(plane > 0, np.maximum(plane, 0) ** (1 / gamma), plane)


def blur(step: Step, inputs: Inputs) -> Picture:
    """A box filter of `size` pixels. Nuke's default is gaussian: only support and mean are comparable."""
    source = _or_black(inputs[0], inputs)
    reach = [max(0, round(size / 2)) for size in step["size"]]
    touched = select(step["channels"], source.channels)
    box = Box(source.box.x - reach[0], source.box.y - reach[1], source.box.r + reach[0], source.box.t + reach[1])

    def fetch(name: str) -> Plane:
        if name not in touched:
            return source.plane(name, box)
        wide = Box(box.x - reach[0], box.y - reach[1], box.r + reach[0], box.t + reach[1])
        plane = source.plane(name, wide).astype(np.float64)
        for axis, width in ((1, reach[0]), (0, reach[1])):
            plane = np.lib.stride_tricks.sliding_window_view(plane, 2 * width + 1, axis).mean(-1)
        return plane.astype(np.float32)

    return blended(source, source.derived(fetch, box=box), step, inputs, 1)


def shuffle(step: Step, inputs: Inputs) -> Picture:
    """Channels under other names: `mappings` holds (input, source, target); `black` and `white` are sources too."""
    base = _or_black(inputs[0], inputs)
    table = {target: (index, source) for index, source, target in step["mappings"]}

    def fetch(name: str) -> Plane:
        if name not in table:
            return base.whole(name)
        index, source = table[name]
        if source in ("black", "white"):
            return np.full((base.box.height, base.box.width), float(source == "white"), np.float32)
        return _or_black(inputs[index], inputs).plane(source, base.box)

    return base.derived(fetch, channels=(*base.channels, *table))


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


def _chosen_box(choice: str, base: Picture, other: Picture) -> Box:
    word = choice.split()[0].upper() if choice else "UNION"
    if word == "UNION":
        return base.box.joined(other.box)
    if word in ("INTERSECTION", "INTERSECT"):
        return base.box.common(other.box)
    if word in ("A", "B"):
        return {"A": other, "B": base}[word].box
    raise PictureError(f"no bounding box rule {choice!r}")


def _or_black(picture: Picture | None, inputs: Inputs) -> Picture:
    """An unconnected input is black, of the format of an input that is there."""
    if picture is not None:
        return picture
    for other in inputs:
        if other is not None:
            return Picture(other.format, other.format.box, (), _no_channel)
    raise PictureError("an operator without any input has no format")


def _no_channel(name: str) -> Plane:
    raise PictureError(f"no channel {name}")


OPERATORS: dict[str, Callable[[Step, Inputs], Picture]] = {
    "constant": constant,
    "checkerboard": checkerboard,
    "copy": copy,
    "remove": remove,
    "premult": premult,
    "unpremult": premult,
    "crop": crop,
    "merge": merge,
    "grade": grade,
    "blur": blur,
    "shuffle": shuffle,
}
