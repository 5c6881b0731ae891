"""The node classes with pixels of their own: each function makes one picture out of a step and its inputs.

A step is a dict of evaluated knobs. `inputs` holds pictures; an unconnected input is None. What the knobs of a class
can ask for beyond what is here raises `PictureError`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nuke_standin.pixels import computing, drawing, merging, moving
from nuke_standin.pixels.boxes import Box, Format
from nuke_standin.pixels.channel_sets import RGBA, select, single
from nuke_standin.pixels.combining import Inputs, Step, blended, chosen_box, or_black
from nuke_standin.pixels.picture import Picture, Plane


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
    base, other = or_black(inputs[0], inputs), or_black(inputs[1], inputs)
    pairs = {single(to): single(source) for source, to in step["pairs"] if single(to)}
    pairs.update({name: name for name in select(step["channels"], other.channels)})
    pairs = {to: source for to, source in pairs.items() if source}
    box = chosen_box(step["bbox"], base, other)

    def fetch(name: str) -> Plane:
        return other.plane(pairs[name], box) if name in pairs else base.plane(name, box)

    made = base.derived(fetch, channels=(*base.channels, *pairs), box=box, padded=base.padded and box == base.box)
    return blended(base, made, step, inputs, 2)


def remove(step: Step, inputs: Inputs) -> Picture:
    """Fewer channels."""
    source = or_black(inputs[0], inputs)
    named = {name for words in step["channels"] for name in select(words, source.channels)}
    keep = step["operation"] == "keep"
    return source.derived(source.whole, channels=tuple(n for n in source.channels if (n in named) == keep))


def premult(step: Step, inputs: Inputs) -> Picture:
    """Colour times alpha, or colour over alpha where alpha is not zero."""
    source = or_black(inputs[0], inputs)
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
    source = or_black(inputs[0], inputs)
    inner = Box(*(round(side) for side in step["box"] or source.format.box))
    inner = inner.common(source.box) if step["intersect"] else inner.common(inner)
    box, width = (inner.grown(1), 1) if step["crop"] else (inner, 0)
    made = source.derived(lambda name: np.pad(source.plane(name, inner), width), box=box, padded=bool(width))
    return _moved_to_origin(made, inner) if step["reformat"] else made


def _moved_to_origin(made: Picture, inner: Box) -> Picture:
    form = Format(inner.width, inner.height, made.format.aspect)
    box = Box(made.box.x - inner.x, made.box.y - inner.y, made.box.r - inner.x, made.box.t - inner.y)
    return Picture(form, box, made.channels, made.fetch, made.padded)


def grade(step: Step, inputs: Inputs) -> Picture:
    """Black and white point, gain, offset and gamma; four values each, for red, green, blue, alpha."""
    source = or_black(inputs[0], inputs)
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
    source = or_black(inputs[0], inputs)
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
    base = or_black(inputs[0], inputs)
    table = {target: (index, source) for index, source, target in step["mappings"]}

    def fetch(name: str) -> Plane:
        if name not in table:
            return base.whole(name)
        index, source = table[name]
        if source in ("black", "white"):
            return np.full((base.box.height, base.box.width), float(source == "white"), np.float32)
        return or_black(inputs[index], inputs).plane(source, base.box)

    return base.derived(fetch, channels=(*base.channels, *table))


OPERATORS: dict[str, Callable[[Step, Inputs], Picture]] = {
    "constant": constant,
    "checkerboard": checkerboard,
    "copy": copy,
    "remove": remove,
    "premult": premult,
    "unpremult": premult,
    "crop": crop,
    "merge": merging.merge,
    "expression": computing.expression,
    "keyer": computing.keyer,
    "roto": drawing.roto,
    "transform": moving.transform,
    "grade": grade,
    "blur": blur,
    "shuffle": shuffle,
}
