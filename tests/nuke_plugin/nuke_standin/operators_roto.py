"""Plans of Roto and RotoPaint: their shapes over what is connected."""

from __future__ import annotations

from typing import Any

from nuke_standin import curves
from nuke_standin.planning import Made, Plan, inputs_of, masked, proxy_scale, value, words


def roto(plan: Plan, node: Any, context: Any) -> Made:
    """Closed shapes that do not move, with hard edges; all else that may be drawn is an error that names it."""
    if any(one is not None for one in node._inputs[2:]):
        raise RuntimeError(f"{node._full_name()}: the stand-in paints from no second background")
    try:
        shapes = curves.read(str(value(node, "curves", context)))
    except curves.CurveError as error:
        raise RuntimeError(f"{node._full_name()}: the stand-in does not draw {error}") from None
    scale = proxy_scale(context)
    step = masked(node, context, {"op": "roto", "channels": words(node, "output", context)})
    step.update(clip=str(value(node, "cliptype", context)), replace=bool(value(node, "replace", context)))
    opacity = float(value(node, "opacity", context))
    step["shapes"] = [_scaled(shape, scale, opacity) for shape in shapes]
    return plan.combined(step, inputs_of(plan, node, context, 2), context)


def _scaled(shape: curves.Shape, scale: float, opacity: float) -> dict:
    points = [[[number * scale for number in place] for place in triple] for triple in shape.points]
    made: dict[str, Any] = {"points": points, "colour": shape.colour}
    return {**made, "opacity": shape.opacity * opacity, "inverted": shape.inverted}
