"""Alphas on disk that fit a node, whoever refined them: a farm, a colleague, or this script before it was saved.

Beside the alphas of each key lies their record. What fits is asked of that, so no server has to know them.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import nuke
from videomama_client.errors import BadInput

from videomama_nuke import freshness, knobs, order, record, result, walk
from videomama_nuke.record import Record
from videomama_nuke.upstream import Upstream

FILE = "record.json"


@dataclass(frozen=True)
class Found:
    """Alphas that fit a node.

    Attributes:
        record: of their refine, with the paths of this machine.
        doubtful: whether nobody can tell if something upstream has changed since.
        frames: how many of the wanted frames there are.
        absent: how many there are not.
        time: of the record.
    """

    record: Record
    doubtful: bool
    frames: int
    absent: int
    time: float


def leave(last: Record, folder: Path) -> None:
    """Put a record beside its alphas, which lie in `folder`. Asks Nuke for nothing: any thread may call it."""
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".videomama-", dir=folder)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(record.text_of(last))
        os.replace(name, folder / FILE)  # noqa: PTH105  (one name for both sides)
    except OSError:
        with suppress(OSError):
            Path(name).unlink()
        raise


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
    paths = sorted(knobs.folder_of(node).glob(f"*/{FILE}"))
    every = [one for path in paths if (one := _found(node, path, above, asked)) is not None]
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
    found = best(node)
    if found is None or found.doubtful or not found.frames:
        return
    last = record.read(node)
    if last is not None and node["refined"].value():
        now = freshness.judge(node, last, walk.read(node))
        wanted = order.wanted_of(node, order.clip_of(node))
        if not now.changes and len(result.missing(result.pattern_of(node), wanted)) <= found.absent:
            return
    take(node, found)


def _found(node: nuke.Node, path: Path, above: Upstream, wanted: list[int]) -> Found | None:
    """Return what a record on disk stands for; None where its alphas do not fit or are not there."""
    try:
        last, time = record.parse(path.read_text(encoding="utf-8")), path.stat().st_mtime
    except OSError:  # somebody clears the node at this moment
        return None
    if last is None:
        return None
    now = freshness.judge(node, last, above)
    if now.changes:
        return None
    out = "/".join((path.parent.as_posix(), *last.out.split("/")[-2:]))  # the paths of the machine that refined
    absent = {*result.missing(out, wanted), *(frame for frame in wanted if not now.holds(frame))}
    return Found(replace(last, out=out), bool(now.unchecked), len(wanted) - len(absent), len(absent), time)
