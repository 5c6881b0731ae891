"""Opens the history's file: private, of a known version, with the journal that its file system can bear."""

from __future__ import annotations

import logging
import os
import sqlite3
from pathlib import Path

import psutil
from videomama_client import private

log = logging.getLogger(__name__)

# Steps from each version to the next. A step that was released is never changed.
_STEPS = (
    """
    CREATE TABLE jobs (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        job TEXT UNIQUE NOT NULL,
        state TEXT NOT NULL,
        record TEXT NOT NULL
    );
    CREATE INDEX jobs_by_state ON jobs (state, number);
    CREATE TABLE words (number INTEGER PRIMARY KEY, text TEXT NOT NULL);
    CREATE TABLE details (number INTEGER PRIMARY KEY, request BLOB, result BLOB);
    """,
    """
    CREATE TABLE lines (
        line INTEGER PRIMARY KEY, number INTEGER NOT NULL, at REAL NOT NULL, level TEXT NOT NULL, text TEXT NOT NULL
    );
    CREATE INDEX lines_by_job ON lines (number, line);
    """,
)
VERSION = len(_STEPS)
_LOCAL = frozenset(
    ["apfs", "btrfs", "zfs", "ext2", "ext3", "ext4", "f2fs", "hfs", "ntfs", "overlay", "refs", "tmpfs", "vfat", "xfs"]
)
_WAIT_S = 5.0


class NewerHistory(OSError):
    """The file was written by a later version of the server, and is left as it is."""


def opened(path: Path) -> sqlite3.Connection:
    """Open the history, bring it to this version, and return it; one that is damaged is moved aside.

    Raises:
        NewerHistory: a later version wrote it.
        OSError, sqlite3.Error: it cannot be opened or written.
    """
    private.make_folder(path.parent)
    os.close(private.open_log(path))  # mode 0600 from the first byte on; SQLite gives its journals the same
    try:
        return _usable(path)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):  # no space, no permission, locked: the file itself is well
            raise
        aside = path.with_name(f"{path.name}.damaged")
        log.error("the history of jobs %s is damaged and moved to %s: %s", path, aside, error)
        _move(path, aside)
        os.close(private.open_log(path))
        return _usable(path)


def is_local(folder: Path) -> bool:
    """Whether a folder surely lies on a disk of this machine; False where that is not known."""
    try:
        place = folder.resolve()
        mounts = [known for known in psutil.disk_partitions(all=True) if place.is_relative_to(known.mountpoint)]
    except (OSError, psutil.Error):
        return False
    nearest = max(mounts, key=lambda known: len(Path(known.mountpoint).parts), default=None)
    return nearest is not None and nearest.fstype.lower() in _LOCAL and "remote" not in nearest.opts.split(",")


def _usable(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_WAIT_S, isolation_level=None, check_same_thread=False)
    try:
        _prepare(connection, path)
    except (sqlite3.Error, OSError):
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise NewerHistory(f"{path} is of version {version}, and this server knows {VERSION}")
    # A network's file system does not share the memory that WAL needs; see https://sqlite.org/wal.html
    journal, sync = ("WAL", "NORMAL") if is_local(path.parent) else ("DELETE", "FULL")
    connection.execute(f"PRAGMA journal_mode = {journal}")
    connection.execute(f"PRAGMA synchronous = {sync}")  # WAL is never corrupted by less; it may lose the last commits
    for number, step in enumerate(_STEPS[version:], version + 1):
        connection.executescript(f"BEGIN IMMEDIATE; {step} PRAGMA user_version = {number}; COMMIT;")
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise sqlite3.DatabaseError(found)


def _move(path: Path, aside: Path) -> None:
    for end in ("", "-wal", "-shm", "-journal"):
        old = path.with_name(f"{path.name}{end}")
        if old.exists():
            old.replace(aside.with_name(f"{aside.name}{end}"))
