"""Plans of what moves pictures across the format: Transform, and Trackers, which move nothing here."""

from __future__ import annotations

import math
from typing import Any, Optional

from nuke_standin.planning import Made, Plan, inputs_of, pair, proxy_scale, value, words


def transform(plan: Plan, node: Any, context: Any) -> Made:
    """Scaled, turned (counter-clockwise, in degrees) and moved, the first two about the center."""
    step = {"op": "transform", "node": node._full_name(), "matrix": _matrix(node, context)}
    step["filter"] = str(value(node, "filter", context))
    step["black_outside"] = bool(value(node, "black_outside", context))
    return plan.combined(step, inputs_of(plan, node, context, 1), context)


def _matrix(node: Any, context: Any) -> list:
    """Return a, b, c, d, e, f: x' = ax + by + c, y' = dx + ey + f."""
    proxy = proxy_scale(context)
    (moved_x, moved_y), (centre_x, centre_y) = (
        [number * proxy for number in pair(value(node, name, context))] for name in ("translate", "center")
    )
    across, up = pair(value(node, "scale", context))
    turn = math.radians(float(value(node, "rotate", context)))
    a, b = math.cos(turn) * across, -math.sin(turn) * up
    d, e = math.sin(turn) * across, math.cos(turn) * up
    c = centre_x + moved_x - a * centre_x - b * centre_y
    f = centre_y + moved_y - d * centre_x - e * centre_y
    matrix = [a, b, c, d, e, f]
    if a * e == b * d:
        raise RuntimeError(f"{node._full_name()}: the stand-in scales nothing to nothing")
    return inverted(matrix) if value(node, "invert_matrix", context) else matrix


def inverted(matrix: list) -> list:
    """Return the way back."""
    a, b, c, d, e, f = matrix
    size = a * e - b * d
    return [e / size, -b / size, (b * f - c * e) / size, -d / size, a / size, (c * d - a * f) / size]


def tracker(plan: Plan, node: Any, context: Any) -> Optional[Made]:
    """The picture as it is: a tracker that only tracks."""
    if words(node, "transform", context, "none") != "none":
        raise RuntimeError(f"{node._full_name()}: the stand-in's trackers move nothing")
    return plan.input(node, 0, context)
