"""Keeps renders from going wrong in silence: missing or stale alphas upstream of a Write are an error.

It computes nothing and executes nothing: a render cannot start another one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import nuke
from videomama_client.wording import counted

from videomama_nuke import frames, knobs, node_state, record, result

_SHIFT_TIME = """
    TimeOffset FrameHold FrameRange Retime TimeWarp TimeClip AppendClip Kronos OFlow2 TimeBlur TimeEcho FrameBlend
    TemporalMedian NoTimeBlur SmartVector VectorDistort
"""
_TIME_CLASSES = frozenset(_SHIFT_TIME.split())


class RefineMissing(RuntimeError):
    """An alpha that a render needs is missing or stale."""


def check_render() -> None:
    """Before a render: refuse nodes that were never refined or whose settings changed, and frames known to be missing.

    For `nuke.addBeforeRender`: an exception ends the render. The frames of a render are known beforehand only in a
    terminal's `-x -F` and from the Write's own limits; else `check_frame` looks at each.

    Raises:
        RefineMissing: names node, frames and what to do.
    """
    write = nuke.thisNode()
    span = _span(write)
    for node, retimed in _upstream(write):
        _check_fresh(node)
        if span is not None and not retimed:
            _check_frames(node, span)


def check_frame() -> None:
    """Before each frame of a render: refuse a frame whose alpha is missing. For `nuke.addBeforeFrameRender`."""
    frame = int(nuke.frame())
    for node, retimed in _upstream(nuke.thisNode()):
        if not retimed:
            _check_frames(node, [frame])


def _check_fresh(node: nuke.Node) -> None:
    last = record.read(node)
    if last is None or not node["refined"].value():
        raise RefineMissing(f"{node.fullName()}: not refined. Refine it, bypass it, or disable it.")
    changes = node_state.stale(node, last, look_upstream=False)
    if changes:
        raise RefineMissing(f"{node.fullName()}: stale, {', '.join(changes)} changed. Refine it again.")


def _check_frames(node: nuke.Node, wanted: Sequence[int]) -> None:
    last = record.read(node)
    if last is None:
        return  # `_check_fresh` says more
    first, last_frame = (int(part) for part in _ends(last.clip))
    inside = sorted({min(max(frame, first), last_frame) for frame in wanted})  # the alpha holds where the plate does
    absent = result.missing(last, inside, nuke.views())
    if absent:
        missing = f"{counted(len(absent), 'frame')} missing: {frames.text(absent)} of {last.out}"
        raise RefineMissing(f"{node.fullName()}: {missing}. Refine them.")


def _ends(clip: str) -> tuple[str, str]:
    """Split `1001-1100`, also where a number is negative."""
    middle = clip.index("-", 1)
    return clip[:middle], clip[middle + 1 :]


def _span(write: nuke.Node) -> list[int] | None:
    """Return the frames of a render where they are known beforehand."""
    if write["use_limit"].value():
        return list(range(int(write["first"].value()), int(write["last"].value()) + 1))
    words = list(nuke.rawArgs)
    if "-x" not in words and "-X" not in words:
        return None
    named = [words[index + 1] for index, word in enumerate(words[:-1]) if word == "-F"]
    if not named:
        root = nuke.root()
        return list(range(int(root["first_frame"].value()), int(root["last_frame"].value()) + 1))
    return frames.parse(",".join(named))


def _upstream(write: nuke.Node) -> Iterator[tuple[nuke.Node, bool]]:
    """Yield the VideoMaMa nodes whose alpha a Write renders, and whether something between shifts time."""
    seen: set[tuple[str, bool]] = set()
    pending = [(write, False)]
    while pending:
        node, retimed = pending.pop()
        if (node.fullName(), retimed) in seen:
            continue
        seen.add((node.fullName(), retimed))
        if knobs.is_ours(node) and not _passes(node):
            yield node, retimed
        retimed = retimed or node.Class() in _TIME_CLASSES
        pending.extend((found, retimed) for found in _sources(node))


def _passes(node: nuke.Node) -> bool:
    return bool(node["disable"].value() or node["bypass"].value())


def _sources(node: nuke.Node) -> Iterator[nuke.Node]:
    """Yield what a node reads: its inputs, what is inside a group, and what an Input stands for."""
    inner = getattr(node, "output", None)
    if inner is not None and not knobs.is_ours(node) and inner() is not None:
        yield inner()
    if node.Class() == "Input":
        outer = node.parent().input(int(node["number"].value()))
        if outer is not None:
            yield outer
    for index in range(node.inputs()):
        found = node.input(index)
        if found is not None:
            yield found
