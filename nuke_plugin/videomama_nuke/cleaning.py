"""What "Clear" removes: a node's results and exports on disk, listed with their size before anything goes."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import nuke

from videomama_nuke import frames, knobs, ownership, precomp, record, result, sidecar

_KEY = re.compile(r"[0-9a-f]{16}")
EXPORT = "export"
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
        others: scripts that own, claim or show it, in words; it stays.
    """

    folder: Path
    what: str
    size: int
    files: int
    shown: bool
    others: tuple[str, ...]


def listed(node: nuke.Node) -> list[Item]:
    """Return what a node has on disk.

    Raises:
        BadInput: its files have no place.
    """
    folder, own = knobs.folder_of(node), precomp.script_of(node)
    last, holders = record.read(node), ownership.holders(node)
    items = []
    for part in parts(folder):
        size, count = size_of(part)
        shown = last is not None and f"{folder.name}/{part.name}/" in result.pattern_of(node)
        what = "exported plates and masks" if part.name == EXPORT else _frames(part)
        items.append(Item(part, what, size, count, shown, tuple(_named(path, own) for path in holders.of(part.name))))
    return items


def parts(folder: Path) -> list[Path]:
    """Return the folders of a node's results, and that of its exports. Asks Nuke for nothing."""
    try:
        found = sorted(path for path in folder.iterdir() if path.is_dir())
    except OSError:  # nothing was refined there yet
        return []
    return [path for path in found if path.name == EXPORT or _KEY.fullmatch(path.name)]


def removable(items: Sequence[Item], old_only: bool = False) -> list[Item]:
    """Return those that no other script holds; with `old_only`, without what the node shows and its exports."""
    free = [item for item in items if not item.others]
    return [item for item in free if not item.shown and item.folder.name != EXPORT] if old_only else free


def question(node: nuke.Node, gone: Sequence[Item], items: Sequence[Item]) -> str:
    """Return what to ask before some of the items are removed."""
    script = precomp.script_of(node)
    whose = node.fullName() + (f" in {script.name}" if script is not None else "")
    lines = [f"Remove {text_of(sum(item.size for item in gone))} of {whose}?", str(gone[0].folder.parent), ""]
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
    ownership.forget([item.folder for item in gone])
    for folder in {item.folder.parent for item in gone}:
        _remove_claim(folder)
    return f"{sum(item.files for item in gone)} files removed, {text_of(sum(item.size for item in gone))}"


def kept_for(items: Sequence[Item]) -> str:
    """Return for which other scripts items stay, as the end of a sentence; empty for none."""
    scripts = list(dict.fromkeys(name for item in items for name in item.others))
    return f"; kept what is used by {', '.join(scripts)}" if scripts else ""


def still_there(node: nuke.Node) -> bool:
    """Whether the result that a node shows is on disk, in its own folder or in that of another id."""
    shown = ownership.shown_folder(node)
    return shown is not None and shown.is_dir()


def size_of(folder: Path) -> tuple[int, int]:
    """Return bytes and number of the files in a folder. Asks Nuke for nothing."""
    size = count = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):  # a refine has just removed it
                size += Path(place, name).stat().st_size
                count += 1
    return size, count


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
    scripts = ", ".join(item.others)
    return (", shown now" if item.shown else "") + (f", used by {scripts}" if scripts else "")


def _named(script: Path, own: Path | None) -> str:
    """Return a script's name, with its folder where that is another than one's own."""
    return script.name if own is not None and script.parent == own.parent else str(script)


def _frames(folder: Path) -> str:
    """Return which frames a result has, and of which engine."""
    found = sorted({int(digits[-1]) for path in folder.rglob("*.exr") if (digits := re.findall(r"-?\d+", path.stem))})
    span = f"frames {frames.text(found)}" if found else "no frames"
    last = sidecar.read(folder)
    return f"{span}, {last.engine}" if last is not None else span
