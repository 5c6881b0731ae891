"""What "Clear" removes: a node's results and exports on disk, listed with their size before anything goes."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import nuke

from videomama_nuke import frames, knobs, ownership, record, result, sidecar

_KEY = re.compile(r"[0-9a-f]{16}")
_EXPORT = "export"
_UNITS = ("B", "kB", "MB", "GB", "TB")


@dataclass(frozen=True)
class Item:
    """A folder that may be removed.

    Attributes:
        folder: it.
        what: what it holds, in words.
        size: in bytes.
        files: how many there are.
        shown: whether the node shows it now.
        others: scripts that show it, too; it stays.
    """

    folder: Path
    what: str
    size: int
    files: int
    shown: bool
    others: tuple[Path, ...]


def listed(node: nuke.Node) -> list[Item]:
    """Return what a node has on disk.

    Raises:
        BadInput: its files have no place.
    """
    folder = knobs.folder_of(node)
    last, elsewhere = record.read(node), ownership.shown_elsewhere(node)
    names = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    items = []
    for name in names:
        if name == _EXPORT or _KEY.fullmatch(name):
            size, count = _size(folder / name)
            shown = last is not None and f"{folder.name}/{name}/" in result.pattern_of(node)
            what = "exported plates and masks" if name == _EXPORT else _frames(folder / name)
            items.append(Item(folder / name, what, size, count, shown, tuple(elsewhere.get(name, ()))))
    return items


def removable(items: Sequence[Item], old_only: bool = False) -> list[Item]:
    """Return those that no other script shows; with `old_only`, without what the node shows and its exports."""
    free = [item for item in items if not item.others]
    return [item for item in free if not item.shown and item.folder.name != _EXPORT] if old_only else free


def question(node: nuke.Node, gone: Sequence[Item], items: Sequence[Item]) -> str:
    """Return what to ask before some of the items are removed."""
    lines = [f"Remove {text_of(sum(item.size for item in gone))} of {node.fullName()}?", str(gone[0].folder.parent), ""]
    lines += [f"{item.folder.name}: {item.what}, {text_of(item.size)}{_state(item)}" for item in gone]
    kept = [item for item in items if item not in gone]
    if kept:
        lines += ["", "This stays:"]
        lines += [f"{item.folder.name}: {item.what}, {text_of(item.size)}{_state(item)}" for item in kept]
    return "\n".join(lines)


def remove(gone: Sequence[Item]) -> str:
    """Remove items and return how much went, in words."""
    for item in gone:
        shutil.rmtree(item.folder, ignore_errors=True)
    for folder in {item.folder.parent for item in gone}:
        _remove_claim(folder)
    return f"{sum(item.files for item in gone)} files removed, {text_of(sum(item.size for item in gone))}"


def text_of(size: float) -> str:
    """Write a size in bytes as `1.2 GB`."""
    for unit in _UNITS[:-1]:
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} {_UNITS[-1]}"


def _remove_claim(folder: Path) -> None:
    """Remove a node's folder once nothing but the claim of a script is in it."""
    with suppress(OSError):
        if [path.name for path in folder.iterdir()] in ([], [ownership.FILE]):
            shutil.rmtree(folder)


def _state(item: Item) -> str:
    scripts = ", ".join(path.name for path in item.others)
    return (", shown now" if item.shown else "") + (f", shown by {scripts}" if scripts else "")


def _frames(folder: Path) -> str:
    """Return which frames a result has, and of which engine."""
    found = sorted({int(digits[-1]) for path in folder.rglob("*.exr") if (digits := re.findall(r"-?\d+", path.stem))})
    span = f"frames {frames.text(found)}" if found else "no frames"
    last = sidecar.read(folder)
    return f"{span}, {last.engine}" if last is not None else span


def _size(folder: Path) -> tuple[int, int]:
    """Return bytes and number of the files in a folder."""
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return sum(sizes), len(sizes)
