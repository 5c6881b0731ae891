"""What a node says of itself: refined, stale, incomplete. Status line and label show it."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Sequence
from contextlib import suppress

import nuke
from videomama_client.errors import BadInput, Cancelled
from videomama_client.messages import QcFlag

from videomama_nuke import (
    defaults,
    disk_use,
    engine_menu,
    frames,
    knobs,
    look,
    ownership,
    precomp,
    prompt_knobs,
    record,
    slices,
    stage_knobs,
    words,
)
from videomama_nuke.look import Look, OnDisk
from videomama_nuke.main_thread import on_main
from videomama_nuke.quiet import no_trace

NOT_REFINED = "not refined"
_IDLE_S = 2.0  # between looks at what is upstream
_SLICE_S = 0.0005  # for which a look keeps the main thread at a time
_PAUSES = 10  # as long as a look took, so that slow disks are asked less often
_busy: set[str] = set()  # node ids whose status a job writes
_next_look: dict[str, float] = {}  # by `_place` of a node, as the next two
_remembered: dict[str, tuple[Look, OnDisk]] = {}  # the last look
_said: dict[str, int] = {}  # how often a text was shown
_looking = threading.Lock()
_flagged: dict[str, str] = {}  # by key of a refine of this session
_KINDS_SHOWN = 2


def begin(node: nuke.Node) -> None:
    """Give a new node its id, a pasted one an id of its own, and show what a loaded one remembers. Clones share theirs.

    Nothing upstream is asked: inputs are not connected yet when a script loads.
    """
    with no_trace():
        if not str(node["node_id"].value()) or _shares_id(node):
            node["node_id"].setValue(uuid.uuid4().hex)
        node["status"].setValue(str(node["state"].value()))
    defaults.pin(node)
    ownership.use(node)
    _show_used(node)


def _show_used(node: nuke.Node) -> None:
    """Hide the knobs of stages that the node does not have, and show in grey what its engine does not look at."""
    knobs.show_counting(node)
    prompt_knobs.show_used(node)
    stage_knobs.show_used(node)


def _shares_id(node: nuke.Node) -> bool:
    """Whether another node of this script has the id of a node, though it is no clone."""
    if precomp.around(node) is not None:
        return False  # its own script says which id it has
    own = str(node["node_id"].value())
    others = (
        other
        for other in nuke.allNodes(group=nuke.root(), recurseGroups=True)
        if other != node and knobs.is_ours(other) and not (node.clones() and other.clones())
    )
    return any(str(other["node_id"].value()) == own and precomp.around(other) is None for other in others)


def note_change(node: nuke.Node, name: str) -> None:
    """Look again after a knob was changed that a result depends on; what lies on disk is what the last look found."""
    if not knobs.is_whole(node):
        return
    if name == "showPanel":
        _show_used(node)
        _look_aside(node)
        disk_use.show()
        for menu in engine_menu.MENUS:
            engine_menu.offer(node, menu)
    elif name in engine_menu.FOUND:
        engine_menu.take(node, engine_menu.FOUND[name])
    elif name == stage_knobs.EDGE_ENGINE:
        _show_used(node)
    elif name in engine_menu.CHOSEN:
        _show_used(node)
        if node.shown():  # not while a script is read
            engine_menu.offer(node, engine_menu.CHOSEN[name])
    if name in engine_menu.FOUND or name in knobs.PIXEL_KNOBS or name in knobs.RANGE_KNOBS:
        refresh(node, _remembered.get(_place(node)))


def look_when_idle() -> None:
    """Look again, now and then, at what is upstream. For `nuke.addUpdateUI`."""
    node = nuke.thisNode()
    if knobs.is_whole(node) and time.monotonic() > _next_look.get(_place(node), 0.0):
        _look_aside(node)


def refresh(node: nuke.Node, known: tuple[Look, OnDisk] | None = None) -> None:
    """Show how a node is; while a job of it runs, that job does."""
    if _may_show(node):
        say(node, describe(node, known))


def _last_look(node: nuke.Node) -> Look | None:
    begun, _ = _remembered.get(_place(node), (None, None))
    return begun


def _place(node: nuke.Node) -> str:
    """Return what tells nodes apart: two Precomps of one script have nodes of the same id."""
    return f"{node.fullName()} {knobs.identity_of(node)}"


def _may_show(node: nuke.Node) -> bool:
    return knobs.identity_of(node) not in _busy and node.input(0) is not None


def _look_aside(node: nuke.Node) -> None:
    """Look at a node, one look at a time, and keep the main thread for a moment only.

    A large comp has many nodes, and the disk of many frames, on a server, is slow.
    """
    if not _may_show(node) or not _looking.acquire(blocking=False):
        return
    place = _place(node)
    _next_look[place] = time.monotonic() + _IDLE_S
    if not look.was_refined(node):
        _looking.release()
        say(node, NOT_REFINED)
        return
    steps = look.steps(node, flagged(node), _last_look(node))
    said = _said.get(place, 0)
    threading.Thread(target=_look, args=(node, place, steps, said), name="VideoMaMa look", daemon=True).start()


def _look(node: nuke.Node, place: str, steps: slices.Steps[Look | None], said: int) -> None:
    """Let the main thread ask Nuke, look at the disk, and show what was found."""
    try:
        with suppress(Cancelled, ValueError):  # Nuke is closing, or the node is gone
            on_main(_show_look, node, said, _outcome(place, steps))
    finally:
        _looking.release()


def _outcome(place: str, steps: slices.Steps[Look | None]) -> str:
    """Return what a look finds. Where the artist changes something while it lasts, the next one sees all of it."""
    done: slices.Done[Look | None] | None = None
    try:
        while done is None:
            done = on_main(slices.advance, steps, _SLICE_S)
    except BadInput as error:
        return words.with_knobs(error.message)
    begun = done.result
    if begun is None:
        return NOT_REFINED
    started = time.monotonic()
    found = begun.at_disk()
    _remembered[place] = begun, found
    text = begun.text(found)
    _next_look[place] = time.monotonic() + max(_IDLE_S, _PAUSES * (time.monotonic() - started))
    return text


def _show_look(node: nuke.Node, said: int, text: str) -> None:
    """Show what a look found, unless something newer was shown since it began."""
    with suppress(ValueError):  # the node is gone
        if _may_show(node) and _said.get(_place(node), 0) == said:
            say(node, text)


def say(node: nuke.Node, text: str) -> None:
    """Show a text in status line and label. Main thread only."""
    place = _place(node)
    _said[place] = _said.get(place, 0) + 1
    changed = [knob for knob in (node["status"], node["state"]) if knob.value() != text]
    if changed:
        with no_trace():
            for knob in changed:
                knob.setValue(text)


def set_busy(identity: str, busy: bool) -> None:
    """Say that a job writes the status of the node of this id, or does no longer."""
    (_busy.add if busy else _busy.discard)(identity)


def is_busy(identity: str) -> bool:
    """Whether a job writes the status of the node of this id."""
    return identity in _busy


def keep_flags(key: str, flags: Sequence[QcFlag]) -> None:
    """Remember, while Nuke runs, what quality control flagged in the refine of a key.

    It is not part of the record: a farm's older plug-in could not read that any more.
    """
    said = [f"{flag.kind} on {frames.text(flag.frame_numbers)}" for flag in flags]
    more = [f"{len(said) - _KINDS_SHOWN} more"] if len(said) > _KINDS_SHOWN else []
    _flagged[key] = ", ".join([*said[:_KINDS_SHOWN], *more])


def flagged(node: nuke.Node) -> str:
    """Return what was flagged in the refine that a node shows, as far as this session knows; empty for nothing."""
    last = record.read(node)
    return "" if last is None else _flagged.get(last.key, "")


def describe(node: nuke.Node, known: tuple[Look, OnDisk] | None = None) -> str:
    """Return in a few words how a node is.

    Args:
        node: a VideoMaMa node.
        known: an earlier look, which is taken where it was at the same files.
    """
    try:
        begun = look.begin(node, flagged(node))
    except BadInput as error:
        return words.with_knobs(error.message)
    if begun is None:
        return NOT_REFINED
    found = begun.remembered(known)
    _remembered[_place(node)] = begun, found
    return begun.text(found)
