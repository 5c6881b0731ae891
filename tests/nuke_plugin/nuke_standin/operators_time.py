"""Plans of what shows other frames than it is asked for: TimeOffset, FrameHold, Retime, TimeWarp."""

from __future__ import annotations

from typing import Any, Optional

from nuke_standin.planning import Made, Plan, value


def time_offset(plan: Plan, node: Any, context: Any) -> Optional[Made]:
    """The input later by so many frames."""
    by = float(value(node, "time_offset", context))
    made = plan.input(node, 0, context._replace(frame=context.frame - by))
    return made and made._replace(first=round(made.first + by), last=round(made.last + by))


def frame_hold(plan: Plan, node: Any, context: Any) -> Optional[Made]:
    """One frame, or every so many."""
    names = [name for name in ("first_frame", "firstFrame") if not node._knobs[name]._is_default()]
    if len(names) > 1:
        raise RuntimeError(f"{node._full_name()}: both first_frame and firstFrame are set")
    first = float(value(node, (names or ["first_frame"])[0], context))
    step = float(value(node, "increment", context, 0))
    frame = first + (context.frame - first) // step * step if step else first
    return plan.input(node, 0, context._replace(frame=frame))


def retime(plan: Plan, node: Any, context: Any) -> Optional[Made]:
    """The frames of one range as those of another."""
    plain = plan.input(node, 0, context)
    if plain is None:
        return None
    from_first, from_last = (_end(node, "input", end, context, usual) for end, usual in _ends(plain))
    to_first, to_last = (_end(node, "output", end, context, usual) for end, usual in _ends(plain))
    speed = float(value(node, "speed", context))
    if not node._knobs["output.last"]._is_default():
        speed *= (from_last - from_first) / (to_last - to_first) if to_last != to_first else 1.0
    frame = _held(node, context, context.frame, (to_first, to_last))
    frame = from_last - (frame - to_first) * speed if value(node, "reverse", context) else (
        from_first + (frame - to_first) * speed)  # fmt: skip
    made = plan.input(node, 0, context._replace(frame=_whole(node, frame)))
    return made and made._replace(first=round(to_first), last=round(to_last))


def _ends(made: Made) -> tuple:
    return (("first", made.first), ("last", made.last))


def _end(node: Any, side: str, end: str, context: Any, usual: int) -> float:
    """An end of a range; where nobody set it, what the input offers."""
    knob = f"{side}.{end}"
    return float(usual) if node._knobs[knob]._is_default() else float(value(node, knob, context))


def _held(node: Any, context: Any, frame: float, ends: tuple) -> float:
    """The frame inside the range by the rule of `before` or `after`."""
    if ends[0] <= frame <= ends[1]:
        return frame
    rule = str(value(node, "before" if frame < ends[0] else "after", context))
    if rule == "continue":
        return frame
    if rule in ("hold", "freeze"):
        return min(max(frame, ends[0]), ends[1])
    raise RuntimeError(f"{node._full_name()}: the stand-in has no rule {rule!r} outside a range")


def time_warp(plan: Plan, node: Any, context: Any) -> Optional[Made]:
    """The frame that a curve says."""
    frame = context.frame if node._knobs["lookup"]._is_default() else float(value(node, "lookup", context))
    return plan.input(node, 0, context._replace(frame=_whole(node, frame)))


def _whole(node: Any, frame: float) -> float:
    """Frames between frames would be mixed of several, for which Nuke has filters that are not here."""
    if abs(frame - round(frame)) > 1e-6:
        raise RuntimeError(f"{node._full_name()}: the stand-in mixes no frames, and {frame:g} lies between two")
    return float(round(frame))
