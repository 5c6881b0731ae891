"""Looks after the cache's folder: counts, checks, prunes and clears what is in it, whoever put it there."""

from __future__ import annotations

import logging
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from videomama_client.errors import BadInput

from videomama_server.cache import layout, seal
from videomama_server.files import process_marks
from videomama_server.files.replacing import sweep

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CacheReport:
    """What `stat`, `verify` and `prune` found and did.

    Attributes:
        folder: of the cache.
        entries, bytes: that it holds.
        removed, freed_bytes: that it held before.
        older_entries, older_bytes: that it holds of older versions, which are never found again.
    """

    folder: str
    entries: int
    bytes: int
    removed: int = 0
    freed_bytes: int = 0
    older_entries: int = 0
    older_bytes: int = 0


def stat(folder: Path, version: int = layout.KEY_VERSION) -> CacheReport:
    """Count entries and bytes, and apart those of older versions than `version`."""
    files = _files(folder)
    older = {inode: file for inode, file in files.items() if _is_older(file[2], version)}
    return CacheReport(
        folder=str(folder),
        entries=_entry_count(files),
        bytes=_bytes(files),
        older_entries=_entry_count(older),
        older_bytes=_bytes(older),
    )


def verify(folder: Path, version: int = layout.KEY_VERSION) -> CacheReport:
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
    beside = (
        *layout.within(folder / layout.ENTRIES, layout.NOTES),
        *layout.within(folder / layout.STATES, layout.KEPT),
    )
    for sealed in beside:
        if _content_damaged(sealed):
            log.warning("removing the damaged file %s", sealed)
            sealed.unlink(missing_ok=True)
    _sweep(folder)
    return replace(stat(folder, version), removed=removed, freed_bytes=freed)


def prune(folder: Path, limit_bytes: int, version: int = layout.KEY_VERSION) -> CacheReport:
    """Remove entries until `limit_bytes` are left; what a running job of any version uses stays.

    Those of older versions than `version` go first, then the least recently used.
    """
    _sweep(folder)
    files = _files(folder)
    total = _bytes(files)
    protected_since = oldest_hold(folder)
    removed = freed = 0
    unused = [file for file in files.values() if file[1] < protected_since]
    for size, _, paths in sorted(unused, key=lambda file: (not _is_older(file[2], version), file[1])):
        if total - freed <= limit_bytes:
            break
        for path in paths:
            path.unlink(missing_ok=True)
            layout.note(path).unlink(missing_ok=True)
        removed, freed = removed + 1, freed + size
    return replace(stat(folder, version), removed=removed, freed_bytes=freed)


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
    for name, pattern in ((layout.ENTRIES, "*.exr"), (layout.SEQUENCES, "*.exr"), (layout.STATES, layout.KEPT)):
        for path in layout.within(folder / name, pattern):
            try:
                now = path.stat()
            except OSError:
                continue
            if not path.name.startswith("."):
                files.setdefault(now.st_ino, (now.st_size, now.st_atime, []))[2].append(path)
    return files


def _sweep(folder: Path) -> None:
    """Remove what processes that were killed left behind, notes without an entry, and folders left empty."""
    for name in (layout.ENTRIES, layout.SEQUENCES, layout.STATES):
        for inner in layout.own(folder / name):
            sweep(inner)
    sweep(folder / layout.MEMO)
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
    return sum(any(_is_entry(path) for path in paths) for _, _, paths in files.values())


def _bytes(files: dict[int, tuple[int, float, list[Path]]]) -> int:
    return sum(size for size, _, _ in files.values())


def _is_entry(path: Path) -> bool:
    return path.parent.parent.name == layout.ENTRIES


def _is_older(paths: list[Path], version: int) -> bool:
    return any(_is_entry(path) and layout.version_of(path) < version for path in paths)


def _damaged(path: Path) -> bool:
    """Whether the file does not match its seal; one that cannot be read now may be whole."""
    try:
        return not seal.matches(path)
    except OSError as error:
        if not isinstance(error, FileNotFoundError):
            log.warning("the entry %s cannot be checked: %s", path, error)
        return False


def _content_damaged(sealed: Path) -> bool:
    try:
        return seal.unsealed_bytes(sealed) is None
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
