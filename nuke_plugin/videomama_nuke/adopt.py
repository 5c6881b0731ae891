"""Alphas on disk that fit a node, whoever refined them: a farm, a colleague, or this script before it was saved.

Beside the alphas of each key lies their record. What fits is asked of that, so no server has to know them.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import nuke
from videomama_client.errors import BadInput

from videomama_nuke import freshness, knobs, order, record, result, sidecar, walk
from videomama_nuke.record import Record
from videomama_nuke.upstream import Upstream


@dataclass(frozen=True)
class Found:
    """Alphas that fit a node.

    Attributes:
        record: of their refine, with what is upstream and where the files are as this machine sees it.
        doubtful: whether it cannot be checked if something upstream has changed since.
        frames: how many of the wanted frames there are.
        absent: how many there are not.
        time: of the record.
    """

    record: Record
    doubtful: bool
    frames: int
    absent: int
    time: float


def best(node: nuke.Node, wanted: list[int] | None = None) -> Found | None:
    """Return the alphas on disk that fit a node best: without a doubt, then most frames, then newest.

    Args:
        node: a VideoMaMa node.
        wanted: by default the frames of its range knob.

    Raises:
        BadInput: the node's settings or its range cannot be used, or its files have no place.
    """
    asked = order.wanted_of(node, order.clip_of(node)) if wanted is None else wanted
    above = walk.read(node)
    folders = sidecar.folders(knobs.folder_of(node))
    every = [one for folder in folders if (one := _found(node, folder, above, asked)) is not None]
    return max(every, key=lambda one: (not one.doubtful, one.frames, one.time), default=None)


def take(node: nuke.Node, found: Found) -> None:
    """Let a node show alphas that were found."""
    first, last = order.clip_of(node)
    result.show(node, found.record, (first, last))


def take_all() -> None:
    """Let the nodes of a script that was just opened show alphas that fit and that they do not know of."""
    for node in nuke.allNodes(group=nuke.root(), recurseGroups=True):
        if knobs.is_ours(node):
            with suppress(BadInput, OSError, RuntimeError):  # a script opens whatever is wrong with its plates
                _take_on_load(node)


def _take_on_load(node: nuke.Node) -> None:
    """Take what fits, but without a window nothing in place of what was saved: a farm's plates may be older copies."""
    last = record.read(node) if node["refined"].value() else None
    if last is not None and not nuke.GUI:
        return
    folders = sidecar.folders(knobs.folder_of(node))
    if all(last is not None and folder.name == last.key for folder in folders):
        return  # nothing but what the node shows: its plates need no look
    found = best(node)
    if found is None or found.doubtful or not found.frames:
        return
    if last is not None:
        now = freshness.compare_node(node, last, walk.read(node))
        wanted = order.wanted_of(node, order.clip_of(node))
        if not now.changes and len(result.missing(result.pattern_of(node), wanted)) <= found.absent:
            return
    take(node, found)


def _found(node: nuke.Node, folder: Path, above: Upstream, wanted: list[int]) -> Found | None:
    """Return what a record on disk stands for; None where its alphas do not fit or are not there."""
    last = sidecar.read(folder)
    if last is None:
        return None
    now = freshness.compare_node(node, last, above)
    if now.changes:
        return None
    out = "/".join((folder.as_posix(), *last.out.split("/")[-2:]))  # the paths of the machine that refined
    absent = {*result.missing(out, wanted), *(frame for frame in wanted if not now.holds(frame))}
    mine = replace(last, out=out) if now.unchecked else replace(last, out=out, upstream=above)
    return Found(mine, bool(now.unchecked), len(wanted) - len(absent), len(absent), sidecar.time_of(folder))
