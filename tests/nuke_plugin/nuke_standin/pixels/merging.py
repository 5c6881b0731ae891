"""Merge: every operation by the formula that Foundry's documents give, with hypotheses where they give words.

The documents say of color-burn and color-dodge only that B is darkened or brightened towards A, and of hard-light and
overlay that they multiply or screen: what is here are the usual formulae of those names, which agree with that.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nuke_standin.pixels.channel_sets import ALPHA, in_order, select
from nuke_standin.pixels.combining import Inputs, Step, blended, chosen_box, or_black
from nuke_standin.pixels.picture import Picture, PictureError, Plane


def merge(step: Step, inputs: Inputs) -> Picture:
    """A on B; the box is the union unless another is asked for."""
    base, other = or_black(inputs[0], inputs), inputs[1]
    if other is None:
        return base
    if step["operation"] not in OPERATIONS:
        raise PictureError(f"{step['node']}: the stand-in's Merge2 has no operation {step['operation']!r}")
    rule = OPERATIONS[step["operation"]]
    box = chosen_box(step["bbox"], base, other)
    touched = set(select(step["channels"], in_order((*base.channels, *other.channels))))

    def fetch(name: str) -> Plane:
        below = base.plane(name, box)
        if name not in touched:
            return below
        with np.errstate(all="ignore"):
            return rule(other.plane(name, box), below, other.plane(ALPHA, box), base.plane(ALPHA, box))

    made = base.derived(fetch, channels=(*base.channels, *touched), box=box, padded=base.padded and box == base.box)
    return blended(base, made, step, inputs, 2)


def _divided(above: Plane, below: Plane) -> Plane:
    """0 where the divisor is."""
    return np.where(below != 0, above / np.where(below != 0, below, 1), 0)


def _screen(a: Plane, b: Plane) -> Plane:
    return np.where((a <= 1) | (b <= 1), a + b - a * b, np.maximum(a, b))


def _multiply(a: Plane, b: Plane) -> Plane:
    return np.where((a < 0) & (b < 0), 0, a * b)


def _hard(by: Plane, a: Plane, b: Plane) -> Plane:
    """Twice the product where `by` is dark, and screened where it is bright: the two meet at one half."""
    return np.where(by < 0.5, 2 * _multiply(a, b), 1 - 2 * (1 - a) * (1 - b))


def _soft_light(a: Plane, b: Plane) -> Plane:
    return np.where(a * b < 1, b * (2 * a + b * (1 - a * b)), 2 * a * b)


def _conjoint(a: Plane, b: Plane, alpha: Plane, under: Plane) -> Plane:
    return np.where(alpha > under, a, a + b * (1 - _divided(alpha, under)))


def _disjoint(a: Plane, b: Plane, alpha: Plane, under: Plane) -> Plane:
    return np.where(alpha + under < 1, a + b, a + _divided(b * (1 - alpha), under))


# (A, B, alpha of A, alpha of B)
OPERATIONS: dict[str, Callable[[Plane, Plane, Plane, Plane], Plane]] = {
    "atop": lambda a, b, alpha, under: a * under + b * (1 - alpha),
    "average": lambda a, b, alpha, under: (a + b) / 2,
    "color-burn": lambda a, b, alpha, under: 1 - _divided(1 - b, a),
    "color-dodge": lambda a, b, alpha, under: np.where(a < 1, b / np.where(a < 1, 1 - a, 1), 1),
    "conjoint-over": _conjoint,
    "copy": lambda a, b, alpha, under: a,
    "difference": lambda a, b, alpha, under: np.abs(a - b),
    "disjoint-over": _disjoint,
    "divide": lambda a, b, alpha, under: np.where((a < 0) & (b < 0), 0, _divided(a, b)),
    "exclusion": lambda a, b, alpha, under: a + b - 2 * a * b,
    "from": lambda a, b, alpha, under: b - a,
    "geometric": lambda a, b, alpha, under: _divided(2 * a * b, a + b),
    "hard-light": lambda a, b, alpha, under: _hard(a, a, b),
    "hypot": lambda a, b, alpha, under: np.hypot(a, b),
    "in": lambda a, b, alpha, under: a * under,
    "mask": lambda a, b, alpha, under: b * alpha,
    "matte": lambda a, b, alpha, under: a * alpha + b * (1 - alpha),
    "max": lambda a, b, alpha, under: np.maximum(a, b),
    "min": lambda a, b, alpha, under: np.minimum(a, b),
    "minus": lambda a, b, alpha, under: a - b,
    "multiply": lambda a, b, alpha, under: _multiply(a, b),
    "out": lambda a, b, alpha, under: a * (1 - under),
    "over": lambda a, b, alpha, under: a + b * (1 - alpha),
    "overlay": lambda a, b, alpha, under: _hard(b, a, b),
    "plus": lambda a, b, alpha, under: a + b,
    "screen": lambda a, b, alpha, under: _screen(a, b),
    "soft-light": lambda a, b, alpha, under: _soft_light(a, b),
    "stencil": lambda a, b, alpha, under: b * (1 - alpha),
    "under": lambda a, b, alpha, under: a * (1 - under) + b,
    "xor": lambda a, b, alpha, under: a * (1 - under) + b * (1 - alpha),
}
