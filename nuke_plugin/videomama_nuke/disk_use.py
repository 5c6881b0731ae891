"""What the nodes of a script take on disk, for the artist to see: counted in a thread, shown on every node."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import nuke
from videomama_client.errors import BadInput, Cancelled
from videomama_client.wording import counted

from videomama_nuke import cleaning, knobs
from videomama_nuke.main_thread import on_main
from videomama_nuke.quiet import no_trace

KNOB = "disk_use"
_OTHERS_SHOWN = 8
_counting = threading.Lock()
_again = threading.Event()  # set when somebody asked while a count ran


@dataclass(frozen=True)
class Use:
    """What lies in a node's folder: the number of results, and the bytes of these and of the exports."""

    results: int = 0
    size: int = 0
    exports: int = 0

    @property
    def total(self) -> int:
        """All bytes."""
        return self.size + self.exports

    @property
    def text(self) -> str:
        """The same in words."""
        exports = f"; exports, {cleaning.text_of(self.exports)}" if self.exports else ""
        return f"{counted(self.results, 'result')}, {cleaning.text_of(self.size)}{exports}"


def count(folder: Path) -> Use:
    """Count what lies in a node's folder. Asks Nuke for nothing: any thread may call it."""
    parts = cleaning.parts(folder)
    sizes = [cleaning.size_of(part)[0] for part in parts if part.name != cleaning.EXPORT]
    exports = sum(cleaning.size_of(part)[0] for part in parts if part.name == cleaning.EXPORT)
    return Use(len(sizes), sum(sizes), exports)


def show() -> None:
    """Count in a thread, then show on every node of the script what there is; nothing without a window.

    Main thread only.
    """
    if not nuke.GUI:
        return
    if not _counting.acquire(blocking=False):
        _again.set()
        return
    placed = _placed()
    nodes = {node.fullName(): node for node, _ in placed}
    folders = {node.fullName(): folder for node, folder in placed}
    threading.Thread(target=_count, args=(nodes, folders), name="VideoMaMa sizes", daemon=True).start()


def text(name: str, folders: Mapping[str, Path], uses: Mapping[Path, Use]) -> str:
    """Return what a node shows: its own use and folder, the total, and which other nodes take most.

    Args:
        name: full name of the node.
        folders: of all nodes, by full name; clones share theirs.
        uses: what lies in each folder.
    """
    own = folders[name]
    lines = [uses[own].text, str(own)]
    others = [(other, uses[folder]) for other, folder in folders.items() if folder != own]
    if not others:
        return "\n".join(lines)
    total = sum(uses[folder].total for folder in set(folders.values()))
    lines.append(f"all {len(folders)} VideoMaMa nodes of this script: {cleaning.text_of(total)}")
    ranked = sorted(others, key=lambda one: -one[1].total)
    lines += [f"{other}: {use.text}" for other, use in ranked[:_OTHERS_SHOWN]]
    if len(ranked) > _OTHERS_SHOWN:
        lines.append(f"{len(ranked) - _OTHERS_SHOWN} more with less")
    return "\n".join(lines)


def _placed() -> list[tuple[nuke.Node, Path]]:
    """Return the script's nodes with their folders; nodes without a place are left out."""
    found = []
    for node in nuke.allNodes(group=nuke.root(), recurseGroups=True):
        if knobs.is_whole(node):
            with suppress(BadInput):
                found.append((node, knobs.folder_of(node)))
    return found


def _count(nodes: dict[str, nuke.Node], folders: dict[str, Path]) -> None:
    try:
        uses = {folder: count(folder) for folder in set(folders.values())}
    finally:
        _counting.release()
    with suppress(Cancelled):  # Nuke is closing
        on_main(_show, nodes, folders, uses)


def _show(nodes: dict[str, nuke.Node], folders: dict[str, Path], uses: dict[Path, Use]) -> None:
    for name, node in nodes.items():
        with suppress(ValueError):  # the node is gone
            _say(node, text(name, folders, uses))
    if _again.is_set():
        _again.clear()
        show()


def _say(node: nuke.Node, words: str) -> None:
    knob = node.knob(KNOB)
    if knob is not None:  # a group that was made of an earlier gizmo has none
        with no_trace():
            knob.setValue(words)
