"""Whose a node's folder is: versions of a script have nodes of one id, and none may clear another's alphas."""

from __future__ import annotations

import re
import uuid
from contextlib import suppress
from pathlib import Path

import nuke

from videomama_nuke import knobs, precomp
from videomama_nuke.quiet import no_undo

FILE = "script.txt"
_KEY = r"[0-9a-f]{16}"


def settle(node: nuke.Node) -> None:
    """Give a node an id of its own where another script refines into its folder.

    Only with a window: what a farm opens is a copy of the artist's script, and its alphas are for that one.

    Raises:
        BadInput: the files have no place yet.
    """
    own, claimed = precomp.script_of(node), _claimed(knobs.folder_of(node))
    if nuke.GUI and own is not None and claimed not in (None, own) and Path(str(claimed)).is_file():
        renew(node)


def claim(node: nuke.Node) -> None:
    """Say that this script refines into the node's folder."""
    own, folder = precomp.script_of(node), knobs.folder_of(node)
    if not nuke.GUI or own is None:
        return
    with suppress(OSError):  # the refine says better what is wrong with the folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILE).write_text(str(own), encoding="utf-8")


def renew(node: nuke.Node) -> None:
    """Give a node another id. What it shows stays where it is."""
    with no_undo():
        node["node_id"].setValue(uuid.uuid4().hex)


def shown_elsewhere(node: nuke.Node) -> dict[str, list[Path]]:
    """Return the keys of the node's folder that other scripts show, and which scripts these are.

    Looked at are the scripts beside this one, and the one that claims the folder. The script of a Precomp is another
    one: what changes inside the Precomp does not change that script.
    """
    found: dict[str, list[Path]] = {}
    for other in _others(node):
        with suppress(OSError):
            text = other.read_text(encoding="utf-8", errors="replace")
            for key in set(re.findall(rf"{knobs.identity_of(node)}/({_KEY})", text)):
                found.setdefault(key, []).append(other)
    return found


def _others(node: nuke.Node) -> list[Path]:
    own, claimed = precomp.script_of(node), _claimed(knobs.folder_of(node))
    beside = sorted(own.parent.glob("*.nk")) if own is not None else []
    every = dict.fromkeys((*beside, *(path for path in (own, claimed) if path is not None)))
    return [path for path in every if path != own or precomp.around(node) is not None]


def _claimed(folder: Path) -> Path | None:
    """Return the script that refines into a folder; None for none."""
    try:
        return Path((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
