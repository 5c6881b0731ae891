"""Looks after the cache's folder: counts, checks, prunes and clears what is in it, whoever put it there."""

from __future__ import annotations

import logging
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from videomama_client.errors import BadInput

from videomama_server.cache import layout, seal
from videomama_server.files import process_marks
from videomama_server.files.replacing import sweep

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CacheReport:
    """What `stat`, `verify` and `prune` found and did."""

    folder: str
    entries: int
    bytes: int
    removed: int
    freed_bytes: int


def stat(folder: Path) -> CacheReport:
    """Count entries and bytes."""
    files = _files(folder)
    return CacheReport(str(folder), _entry_count(files), sum(size for size, _, _ in files.values()), 0, 0)


def verify(folder: Path) -> CacheReport:
    """Check every entry against its seal and remove what does not match, and what was left half-written."""
    removed = freed = 0
    for path in sorted(layout.within(folder / layout.ENTRIES, "*.exr")):
        size = _size(path)
        if path.name.startswith(".") or not _damaged(path):
            continue
        log.warning("removing the damaged entry %s", path)
        with suppress(FileNotFoundError):
            path.unlink()
            removed, freed = removed + 1, freed + size
    for note in layout.within(folder / layout.ENTRIES, layout.NOTES):
        if _note_damaged(note):
            log.warning("removing the damaged note %s", note)
            note.unlink(missing_ok=True)
    _sweep(folder)
    left = stat(folder)
    return CacheReport(left.folder, left.entries, left.bytes, removed, freed)


def prune(folder: Path, limit_bytes: int) -> CacheReport:
    """Remove the least recently used until `limit_bytes` are left; what a running job uses stays."""
    _sweep(folder)
    files = _files(folder)
    total = sum(size for size, _, _ in files.values())
    protected_since = oldest_hold(folder)
    removed = freed = 0
    for size, used, paths in sorted(files.values(), key=lambda row: row[1]):
        if total - freed <= limit_bytes or used >= protected_since:
            break
        for path in paths:
            path.unlink(missing_ok=True)
            layout.note(path).unlink(missing_ok=True)
        removed, freed = removed + 1, freed + size
    left = stat(folder)
    return CacheReport(left.folder, left.entries, left.bytes, removed, freed)


def clear(folder: Path) -> CacheReport:
    """Remove everything.

    Raises:
        BadInput: a job uses the folder.
    """
    if oldest_hold(folder) < float("inf"):
        raise BadInput(f"a job is using the cache {folder}", "Wait for it, or cancel it first.")
    before = stat(folder)
    for name in layout.FOLDERS:
        shutil.rmtree(folder / name, ignore_errors=True)
    return CacheReport(before.folder, 0, 0, before.entries, before.bytes)


def sample(folder: Path, count: int) -> tuple[int, list[Path]]:
    """Check up to `count` entries, spread over the cache, and change nothing.

    Returns:
        how many were checked, and those of them that do not match their seal.
    """
    there = sorted(path for path in layout.within(folder / layout.ENTRIES, "*.exr") if not path.name.startswith("."))
    chosen = [there[index * len(there) // count] for index in range(count)] if len(there) > count else there
    return len(chosen), [path for path in chosen if _damaged(path)]


def oldest_hold(folder: Path) -> float:
    """Return since when a running job may be using entries; infinity when none runs."""
    since = float("inf")
    for marker in folder.glob("holds/*"):
        if process_marks.left_behind(marker, marker.name, grace_s=0.0):
            marker.unlink(missing_ok=True)
        else:
            since = min(since, _mtime(marker))
    return since


def _files(folder: Path) -> dict[int, tuple[int, float, list[Path]]]:
    """Return (bytes, last use, paths) by inode: a published sequence may share its files with the entries."""
    files: dict[int, tuple[int, float, list[Path]]] = {}
    for name in (layout.ENTRIES, layout.SEQUENCES):
        for path in layout.within(folder / name, "*.exr"):
            try:
                now = path.stat()
            except OSError:
                continue
            if not path.name.startswith("."):
                files.setdefault(now.st_ino, (now.st_size, now.st_atime, []))[2].append(path)
    return files


def _sweep(folder: Path) -> None:
    """Remove what processes that were killed left behind, notes without an entry, and folders left empty."""
    for inner in (*layout.own(folder / layout.ENTRIES), *layout.own(folder / layout.SEQUENCES), folder / "memo"):
        sweep(inner)
    for spool in layout.own(folder / layout.SPOOL):
        if process_marks.left_behind(spool, spool.name):
            shutil.rmtree(spool, ignore_errors=True)
    for note in layout.within(folder / layout.ENTRIES, layout.NOTES):
        if not note.with_suffix(".exr").exists():
            note.unlink(missing_ok=True)
    for published in layout.own(folder / layout.SEQUENCES):
        with suppress(OSError):  # it is not empty, not a folder, or gone already
            published.rmdir()


def _entry_count(files: dict[int, tuple[int, float, list[Path]]]) -> int:
    return sum(any(path.parent.parent.name == layout.ENTRIES for path in paths) for _, _, paths in files.values())


def _damaged(path: Path) -> bool:
    """Whether the file does not match its seal; one that cannot be read now may be whole."""
    try:
        return not seal.matches(path)
    except OSError as error:
        if not isinstance(error, FileNotFoundError):
            log.warning("the entry %s cannot be checked: %s", path, error)
        return False


def _note_damaged(note: Path) -> bool:
    try:
        return seal.unsealed(note) is None
    except OSError:
        return False


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _mtime(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return time.time()
