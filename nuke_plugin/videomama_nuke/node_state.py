"""What a node says of itself: refined, stale, incomplete. Status line and label show it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence

import nuke
from videomama_client.errors import BadInput
from videomama_client.messages import QcFlag

from videomama_nuke import frames, freshness, knobs, order, record, result, walk
from videomama_nuke.quiet import no_trace
from videomama_nuke.record import Record

NOT_REFINED = "not refined"
_IDLE_S = 2.0  # between looks at what is upstream
_busy: set[str] = set()  # node ids whose status a job writes
_looked: dict[str, float] = {}
_flagged: dict[str, tuple[str, str]] = {}  # by node id: key of a refine of this session, and what was flagged
_KINDS_SHOWN = 2


def begin(node: nuke.Node) -> None:
    """Give a new node its id, a pasted one an id of its own, and show what a loaded one remembers.

    Nothing upstream is asked: inputs are not connected yet when a script loads.
    """
    own = str(node["node_id"].value())
    others = (
        other
        for other in nuke.allNodes(group=nuke.root(), recurseGroups=True)
        if other is not node and knobs.is_ours(other)
    )
    with no_trace():
        if not own or any(str(other["node_id"].value()) == own for other in others):
            node["node_id"].setValue(uuid.uuid4().hex)
        node["status"].setValue(str(node["state"].value()))


def note_change(node: nuke.Node, name: str) -> None:
    """Look again after a knob was changed that a result depends on."""
    if name in knobs.PIXEL_KNOBS or name in knobs.RANGE_KNOBS or name == "showPanel":
        refresh(node)


def look_when_idle() -> None:
    """Look again, now and then, at what is upstream. For `nuke.addUpdateUI`."""
    node = nuke.thisNode()
    identity = str(node["node_id"].value())
    if time.monotonic() - _looked.get(identity, 0.0) > _IDLE_S:
        _looked[identity] = time.monotonic()
        refresh(node)


def refresh(node: nuke.Node) -> None:
    """Show how a node is; while a job of it runs, that job does."""
    if str(node["node_id"].value()) not in _busy and node.input(0) is not None:
        say(node, describe(node))


def say(node: nuke.Node, text: str) -> None:
    """Show a text in status line and label. Main thread only."""
    with no_trace():
        if node["status"].value() != text:
            node["status"].setValue(text)
        if node["state"].value() != text:
            node["state"].setValue(text)


def set_busy(identity: str, busy: bool) -> None:
    """Say that a job writes the status of the node of this id, or does no longer."""
    (_busy.add if busy else _busy.discard)(identity)


def keep_flags(identity: str, key: str, flags: Sequence[QcFlag]) -> None:
    """Remember, while Nuke runs, what quality control flagged in a refine of the node of this id.

    It is not part of the record: a farm's older plug-in could not read that any more.
    """
    said = [f"{flag.kind} on {frames.text(flag.frames)}" for flag in flags]
    more = [f"{len(said) - _KINDS_SHOWN} more"] if len(said) > _KINDS_SHOWN else []
    _flagged[identity] = key, ", ".join([*said[:_KINDS_SHOWN], *more])


def flagged(node: nuke.Node, last: Record) -> str:
    """Return what was flagged in the refine that a node shows, as far as this session knows; empty for nothing."""
    key, said = _flagged.get(str(node["node_id"].value()), ("", ""))
    return said if key == last.key else ""


def describe(node: nuke.Node) -> str:
    """Return in a few words how a node is."""
    last = record.read(node)
    if last is None or not node["refined"].value():
        return NOT_REFINED
    try:
        found = freshness.judge(node, last, walk.read(node))
        wanted = order.wanted_of(node, order.clip_of(node))
    except BadInput as error:
        return error.message
    if found.changes:
        return f"stale: {', '.join(found.changes)} changed"
    doubt = f"; not checked: {freshness.named(found.unchecked)}" if found.unchecked else ""
    absent = [*result.missing(result.pattern_of(node), wanted), *(one for one in wanted if not found.holds(one))]
    if absent:
        return f"{frames.text(absent)} not refined{doubt}"
    flags = flagged(node, last)
    return f"refined {frames.text(wanted)}" + doubt + (f"; QC: {flags}" if flags else "")
