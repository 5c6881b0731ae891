"""The cache of finished alphas on disk: look-up, publishing, verification and pruning.

An entry is an ordinary EXR file with a seal (`seal.py`): one that was cut short, damaged or renamed counts as missing.
Beside it there may be a note, sealed likewise: text that is kept as long as the entry is, and goes with it.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from videomama_client import private
from videomama_client.errors import BadInput, NotPermitted
from videomama_client.whole_files import mark, replacing

from videomama_server.arrays import FloatArray
from videomama_server.cache import seal
from videomama_server.config import FOLDED
from videomama_server.files import process_marks
from videomama_server.files.replacing import sweep, writing_in
from videomama_server.media.frames import write_picture
from videomama_server.media.geometry import Geometry

log = logging.getLogger(__name__)

README = "README.txt"  # its presence says that a folder is a cache
SPOOL = "spool"
FOLDERS = ("entries", "sequences", "memo", "holds", SPOOL, FOLDED)  # where nobody else writes
_NOTES = "[!.]*.json"
_OVERLAY = "videomama-cache-"
_README = """This folder is the cache of the VideoMaMa server: finished alphas, by digest of what they were made from.
Everything in it can be made again; `videomama cache stat|verify|prune|clear` looks after it.
entries/    one EXR per alpha, and what quality control measured on it
sequences/  the same alphas under numbered names, for hosts that read sequences
memo/       digests of plates and masks whose stat did not change
folded/     weights of models, made ready for use
"""


@dataclass(frozen=True)
class CacheReport:
    """What `stat`, `verify` and `prune` found and did."""

    folder: str
    entries: int
    bytes: int
    removed: int
    freed_bytes: int


class Cache:
    """Entries by key under one folder; several servers and farm processes may share it.

    A folder that cannot be written is still looked up; what is new then goes to a temporary folder of this
    process, which `close` removes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._overlay: Path | None = None
        self._held_since_ns = 0
        self._grown: int | None = None  # bytes since the folder was last looked through; None before the first time
        if not _prepare(folder):
            self._overlay = _make_overlay()
            log.warning("cache folder %s cannot be written; new alphas are kept while this process runs", folder)
        self._mode = stat.S_IMODE(self.write_root.stat().st_mode)

    @property
    def lasting(self) -> bool:
        """Whether new entries outlive this process."""
        return self._overlay is None

    @property
    def write_root(self) -> Path:
        """Where new entries go."""
        return self._overlay or self.folder

    def lookup(self, key: str) -> Path | None:
        """Return the entry's file when it is there and whole; marks it as used."""
        for root in (self.folder, self._overlay):
            path = root and _entry(root, key)
            if path and _intact(path):
                self._touch(path)
                return path
        return None

    def publish(self, key: str, alpha: FloatArray, geometry: Geometry) -> Path:
        """Store an alpha (H, W) on the canvas of `geometry`, visible only when whole; return its file.

        Raises:
            OSError, NotPermitted: the disk is full or failing, or read-only by now; no entry is left behind.
        """
        path = _entry(self.write_root, key)
        writing_in(path.parent, lambda: self._publish(path, key, alpha, geometry), self._make_folder)
        return path

    def _publish(self, path: Path, key: str, alpha: FloatArray, geometry: Geometry) -> None:
        with replacing(path) as temporary:
            write_picture(temporary, alpha, ("A",), "float", geometry, {seal.NAME: seal.BLANK.decode()})
            seal.put(temporary, key)
        now = path.stat()
        self._grown = None if self._grown is None else self._grown + now.st_size
        if now.st_atime_ns < self._held_since_ns:
            self._touch(path)

    def published(self, path: Path, written: bool) -> None:
        """Count a file of a sequence as used, and one of its own that was written now as growth of the folder.

        Raises:
            FileNotFoundError: it is gone.
        """
        now = path.stat()
        if written and now.st_nlink == 1 and self._grown is not None:
            self._grown += now.st_size
        self._touch(path)

    def _make_folder(self, folder: Path) -> None:
        """Make a folder inside; where the cache itself was deleted while it was in use, it is made as it was before."""
        if not (self.write_root / README).exists():
            _prepare(self.write_root)
            with suppress(OSError):  # it cannot be written, which is told where it matters
                self.write_root.chmod(self._mode)
        folder.mkdir(parents=True, exist_ok=True)

    def keep_note(self, entry: Path, text: str) -> None:
        """Keep a text with an entry that was published or looked up, in place of an earlier one.

        Raises:
            OSError: the disk is full or failing, or the entry is in a folder that cannot be written.
        """
        with replacing(_note(entry)) as temporary:
            temporary.write_bytes(seal.sealed(entry.stem, text))

    def note(self, entry: Path) -> str | None:
        """Return the text that was kept with an entry; None when there is none, or it is damaged."""
        try:
            return seal.unsealed(_note(entry))
        except OSError:
            return None

    @contextmanager
    def hold(self, job: str) -> Iterator[None]:
        """Keep `prune`, of any process, from taking what is used while the job runs.

        A disk that is full, or read-only by now, still gives what is on it: the job then goes on without a hold.
        """
        marker = self.write_root / "holds" / f"{mark()}{job}"
        try:
            self._make_folder(marker.parent)
            marker.touch()
            self._held_since_ns = max(self._held_since_ns, marker.stat().st_mtime_ns)
        except OSError as error:
            log.warning("the cache cannot be held for a job: %s", error)
        try:
            yield
        finally:
            with suppress(OSError):  # as above; the hold of a process that is gone does not count
                marker.unlink(missing_ok=True)

    def stat(self) -> CacheReport:
        """Count entries and bytes."""
        files = self._files()
        return CacheReport(str(self.folder), _entry_count(files), sum(size for size, _, _ in files.values()), 0, 0)

    def verify(self) -> CacheReport:
        """Check every entry against its seal and remove what does not match, and what was left half-written.

        Raises:
            NotPermitted: the folder cannot be written.
        """
        self._check_writable()
        removed = freed = 0
        for path in sorted(_within(self.folder / "entries", "*.exr")):
            size = _size(path)
            if path.name.startswith(".") or not _damaged(path):
                continue
            log.warning("removing the damaged entry %s", path)
            with suppress(FileNotFoundError):
                path.unlink()
                removed, freed = removed + 1, freed + size
        for note in _within(self.folder / "entries", _NOTES):
            if _note_damaged(note):
                log.warning("removing the damaged note %s", note)
                note.unlink(missing_ok=True)
        self._sweep()
        left = self.stat()
        return CacheReport(left.folder, left.entries, left.bytes, removed, freed)

    def keep_within(self, limit_bytes: int) -> None:
        """Prune when this process may have taken the folder over its limit: a look through a large one takes long.

        What is there may be over the limit by a hundredth for each process that writes there.
        """
        if self._grown is None or self._grown > limit_bytes / 100:
            self._grown = 0
            self.prune(limit_bytes)

    def prune(self, limit_bytes: int) -> CacheReport:
        """Remove the least recently used until `limit_bytes` are left; what a running job uses stays.

        A folder that cannot be written is left as it is: that is for whoever can.
        """
        if self._overlay is not None:
            return self.stat()
        self._sweep()
        files = self._files()
        total = sum(size for size, _, _ in files.values())
        protected_since = self._oldest_hold()
        removed = freed = 0
        for size, used, paths in sorted(files.values(), key=lambda row: row[1]):
            if total - freed <= limit_bytes or used >= protected_since:
                break
            for path in paths:
                path.unlink(missing_ok=True)
                _note(path).unlink(missing_ok=True)
            removed, freed = removed + 1, freed + size
        left = self.stat()
        return CacheReport(left.folder, left.entries, left.bytes, removed, freed)

    def clear(self) -> CacheReport:
        """Remove everything.

        Raises:
            BadInput: a job uses the folder.
            NotPermitted: the folder cannot be written.
        """
        self._check_writable()
        if self._oldest_hold() < float("inf"):
            raise BadInput(f"a job is using the cache {self.folder}", "Wait for it, or cancel it first.")
        before = self.stat()
        for name in FOLDERS:
            shutil.rmtree(self.folder / name, ignore_errors=True)
        return CacheReport(before.folder, 0, 0, before.entries, before.bytes)

    def close(self) -> None:
        """Remove the temporary folder of a read-only cache."""
        if self._overlay is not None:
            shutil.rmtree(self._overlay, ignore_errors=True)

    def _check_writable(self) -> None:
        if self._overlay is not None:
            raise NotPermitted(f"the cache {self.folder} cannot be written", "Run this as the user who owns it.")

    def _files(self) -> dict[int, tuple[int, float, list[Path]]]:
        """Return (bytes, last use, paths) by inode: a published sequence may share its files with the entries."""
        files: dict[int, tuple[int, float, list[Path]]] = {}
        for name in ("entries", "sequences"):
            for path in _within(self.folder / name, "*.exr"):
                try:
                    now = path.stat()
                except OSError:
                    continue
                if not path.name.startswith("."):
                    files.setdefault(now.st_ino, (now.st_size, now.st_atime, []))[2].append(path)
        return files

    def _oldest_hold(self) -> float:
        """Return since when a running job may be using entries; infinity when none runs."""
        since = float("inf")
        for marker in self.folder.glob("holds/*"):
            if process_marks.left_behind(marker, marker.name, grace_s=0.0):
                marker.unlink(missing_ok=True)
            else:
                since = min(since, _mtime(marker))
        return since

    def _sweep(self) -> None:
        """Remove what processes that were killed left behind, notes without an entry, and folders left empty."""
        for folder in (*_own(self.folder / "entries"), *_own(self.folder / "sequences"), self.folder / "memo"):
            sweep(folder)
        for spool in _own(self.folder / SPOOL):
            if process_marks.left_behind(spool, spool.name):
                shutil.rmtree(spool, ignore_errors=True)
        for note in _within(self.folder / "entries", _NOTES):
            if not note.with_suffix(".exr").exists():
                note.unlink(missing_ok=True)
        for folder in self.folder.glob("sequences/*"):
            with suppress(OSError):  # it is not empty, not a folder, or gone already
                folder.rmdir()

    def _touch(self, path: Path) -> None:
        """Record the use in the access time; the modification time belongs to whoever reads the published link.

        It is never before the hold of the job that uses the entry: clocks jump back, and those of disks go differently.
        """
        try:
            os.utime(path, ns=(max(time.time_ns(), self._held_since_ns), path.stat().st_mtime_ns))
        except OSError:
            log.debug("could not mark %s as used", path)


def sample(folder: Path, count: int) -> tuple[int, list[Path]]:
    """Check up to `count` entries, spread over the cache, and change nothing.

    Returns:
        how many were checked, and those of them that do not match their seal.
    """
    there = sorted(path for path in _within(folder / "entries", "*.exr") if not path.name.startswith("."))
    chosen = [there[index * len(there) // count] for index in range(count)] if len(there) > count else there
    return len(chosen), [path for path in chosen if _damaged(path)]


def _prepare(folder: Path) -> bool:
    """Make the cache folder, for this user only; return whether it can be written."""
    try:
        private.make_folder(folder)
        with tempfile.TemporaryFile(dir=folder):
            _write_readme(folder / README)
    except OSError as error:
        return error.errno == errno.ENOSPC and folder.is_dir()  # what is full is not read-only
    return True


def _own(folder: Path) -> Iterator[Path]:
    """Yield what is in `folder`, but no links: what those lead to is nobody's cache."""
    return (inner for inner in folder.glob("*") if not inner.is_symlink())


def _within(folder: Path, pattern: str) -> Iterator[Path]:
    """Yield the files of the folders in `folder`, but not of links there."""
    for inner in _own(folder):
        yield from inner.glob(pattern)


def _write_readme(path: Path) -> None:
    with suppress(FileExistsError), path.open("x", encoding="utf-8") as readme:  # never through a link
        readme.write(_README)


def _make_overlay() -> Path:
    """Return a new temporary folder; those that killed processes left behind are removed."""
    for left in Path(tempfile.gettempdir()).glob(f"{_OVERLAY}*"):
        if process_marks.left_behind(left, left.name.removeprefix(_OVERLAY)):
            shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{_OVERLAY}{mark()}"))


def _entry(root: Path, key: str) -> Path:
    return root / "entries" / key[:2] / f"{key}.exr"


def _note(entry: Path) -> Path:
    return entry.with_suffix(".json")


def _entry_count(files: dict[int, tuple[int, float, list[Path]]]) -> int:
    return sum(any(path.parent.parent.name == "entries" for path in paths) for _, _, paths in files.values())


def _intact(path: Path) -> bool:
    """Whether the file is there, can be read and matches its seal."""
    try:
        return seal.matches(path)
    except FileNotFoundError:
        return False
    except OSError as error:
        log.warning("the entry %s cannot be read and counts as missing: %s", path, error)
        return False


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
