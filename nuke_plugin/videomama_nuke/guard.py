"""Keeps renders from going wrong in silence: missing or stale alphas upstream of a Write are an error.

It computes nothing and executes nothing: a render cannot start another one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import nuke
from videomama_client.errors import BadInput
from videomama_client.wording import counted

from videomama_nuke import frames, freshness, needs, order, record, result, walk, words
from videomama_nuke.freshness import Freshness

_REFUSE = "refuse"
_RANGE = re.compile(r"-?\d+(?:[-,]-?\d+)?(?:[x,]\d+)?$")  # as it may stand behind the script on a command line
_found: dict[str, Freshness] = {}  # by the full name of a node: what this render knows of it


class RefineMissing(RuntimeError):
    """An alpha that a render needs is missing or stale."""


def check_render() -> None:
    """Before a render: refuse nodes that were never refined or whose alphas are stale, and frames known to be missing.

    For `nuke.addBeforeRender`: an exception ends the render. The frames of a render are known beforehand only in a
    terminal's `-x` and from the Write's own limits; else `check_frame` looks at each.

    Raises:
        RefineMissing: names node, frames and what to do.
    """
    _found.clear()
    write = nuke.thisNode()
    span = _span(write)
    if span is None:
        for one in needs.Walk(int(nuke.frame())).needed(write):
            _check_fresh(one)
        return
    wanted: dict[str, tuple[nuke.Node, list[int]]] = {}
    for frame, one in _by_frame(write, span):
        _check_fresh(one)
        if not one.retimed:
            wanted.setdefault(one.node.fullName(), (one.node, []))[1].append(frame)
    for node, needed in wanted.values():
        _check_frames(node, needed)


def check_frame() -> None:
    """Before each frame of a render: refuse a frame whose alpha is missing. For `nuke.addBeforeFrameRender`."""
    frame = int(nuke.frame())
    for one in needs.Walk(frame).needed(nuke.thisNode()):
        _check_fresh(one)
        if not one.retimed:
            _check_frames(one.node, [frame])


def _by_frame(write: nuke.Node, span: Sequence[int]) -> Iterable[tuple[int, needs.Needed]]:
    """Yield what each frame needs; the way up is walked once where no switch on it is animated."""
    found: list[needs.Needed] = []
    varies = True
    for frame in span:
        if varies:
            way = needs.Walk(frame)
            found = list(way.needed(write))
            varies = way.varies
        for one in found:
            yield frame, one


def _check_fresh(one: needs.Needed) -> None:
    """Look once in a render whether a node's alphas still fit, and say what cannot be checked."""
    node, name = one.node, one.node.fullName()
    if name in _found:
        return
    last = record.read(node)
    if last is None or not node["refined"].value():
        raise RefineMissing(f"{name}: not refined. Refine it, bypass it, or disable it.")
    try:
        found = freshness.compare_node(node, last, walk.read(node))
    except BadInput as error:
        raise RefineMissing(words.said(error)) from error
    if found.changes:
        raise RefineMissing(f"{name}: stale, {', '.join(found.changes)} changed. Refine it again.")
    doubts = [*found.unchecked, *(["frames behind a shift in time"] if one.retimed and found.some_frames else [])]
    if doubts:
        _doubt(node, f"{name}: not checked: {freshness.named(doubts)}")
    _found[name] = found


def _doubt(node: nuke.Node, said: str) -> None:
    """Do what the node's knob says where it cannot be checked whether its alphas are stale."""
    knob = node.knob("unchecked")  # which a group that was made of an earlier gizmo does not have
    if knob is not None and str(knob.value()) == _REFUSE:
        raise RefineMissing(f"{said}. Refine it again, or set 'if not checked' to render.")
    nuke.warning(f"VideoMaMa: {said}. The alphas may be older than the plate and the mask.")


def _check_frames(node: nuke.Node, wanted: Sequence[int]) -> None:
    """Refuse frames whose alpha is not there, or was made from another plate or mask."""
    inside = _in_plate(node, wanted)
    pattern = result.pattern_of(node)
    absent = result.missing(pattern, inside)
    if absent:
        missing = f"{counted(len(absent), 'frame')} missing: {frames.text(absent)} of {pattern}"
        raise RefineMissing(f"{node.fullName()}: {missing}. Refine them.")
    stale = [frame for frame in inside if not _found[node.fullName()].holds(frame)]
    if stale:
        raise RefineMissing(
            f"{node.fullName()}: stale, the range of plate or mask changed on {frames.text(stale)}. Refine them again."
        )


def _in_plate(node: nuke.Node, wanted: Sequence[int]) -> list[int]:
    """Return the frames of the plate that a render of some frames shows: beyond its ends it holds, and so do alphas."""
    try:
        first, last = order.clip_of(node)
    except BadInput:
        return sorted(set(wanted))
    return sorted({min(max(frame, first), last) for frame in wanted})


def _span(write: nuke.Node) -> list[int] | None:
    """Return the frames of a render where they are known beforehand."""
    asked = _asked_for()
    if not write["use_limit"].value():
        return asked
    limit = range(int(write["first"].value()), int(write["last"].value()) + 1)
    return list(limit) if asked is None else [frame for frame in asked if frame in limit]


def _asked_for() -> list[int] | None:
    """Return the frames that a command line with -x asks for; None for any other."""
    words = list(nuke.rawArgs)
    if "-x" not in words and "-X" not in words:
        return None
    named = [words[index + 1] for index, word in enumerate(words[:-1]) if word == "-F"]
    named += _trailing(words)
    if named:
        return sorted({frame for text in named for frame in frames.parse(text)})
    root = nuke.root()
    return list(range(int(root["first_frame"].value()), int(root["last_frame"].value()) + 1))


def _trailing(words: Sequence[str]) -> list[str]:
    """Return the ranges that stand behind the script.

    Of `1,100` the two frames are taken: whether Nuke reads a range there is not known, and `check_frame` looks at
    each frame anyway.
    """
    found: list[str] = []
    for word in reversed(words):
        if not _RANGE.match(word):
            break
        found += word.split(",")[:2]
    return found
