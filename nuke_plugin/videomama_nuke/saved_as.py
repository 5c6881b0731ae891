"""Keeps the nodes of a script apart from those of its copies when it is opened, saved, and saved under another name.

Only with a window. Whether a callback of a save sees the old name or the new one is not known of a real Nuke, so the
name is also compared while Nuke is idle.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import nuke
from videomama_client.errors import BadInput

from videomama_nuke import knobs, node_state, ownership, precomp

_last: list[Path] = []  # the file of the open script, once that was seen


def script_loaded() -> None:
    """Let nodes whose folder belongs to another script have ids of their own, and claim what they show."""
    _remember(precomp.opened_script())
    ownership.claim_again()
    for node in _nodes():
        with suppress(BadInput, OSError):  # a script opens whatever is wrong with its folders
            if precomp.around(node) is None:
                ownership.settle(node)
            ownership.use(node)


def script_saved() -> None:
    """Follow another name, and claim what the script shows now."""
    follow_name()
    ownership.claim_again()
    for node in _nodes():
        ownership.use(node)


def script_closed() -> None:
    """Forget the script's name."""
    _remember(None)


def follow_name() -> None:
    """Give nodes ids of their own once their script has another name and the script of the old name has these nodes.

    A node that is being refined keeps its id until the script is opened again.
    """
    now = precomp.opened_script()
    before = _last[0] if _last else None
    if now == before:
        return
    _remember(now)
    if not nuke.GUI or before is None or now is None:
        return
    try:
        text = before.read_text(encoding="utf-8", errors="replace")
    except OSError:  # it was moved, not copied
        return
    for node in _nodes():
        identity = knobs.identity_of(node)
        if identity in text and precomp.around(node) is None and not node_state.is_busy(identity):
            ownership.renew(node)


def _nodes() -> Iterator[nuke.Node]:
    if nuke.GUI:
        every = nuke.allNodes(group=nuke.root(), recurseGroups=True)
        yield from (node for node in every if knobs.is_whole(node))


def _remember(script: Path | None) -> None:
    _last[:] = [] if script is None else [script]
