"""The cache of finished alphas on disk: keys, look-up, publishing, verification and pruning.

An entry is an ordinary EXR file whose header carries a seal, the BLAKE3 of its key and the file with the seal's own
digits set to zero: an entry that was cut short, damaged or renamed does not match its seal and counts as missing.
Beside it there may be a note, sealed likewise: text that is kept as long as the entry is, and goes with it.
"""

from __future__ import annotations

import itertools
import json
import logging
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from blake3 import blake3
from videomama_client import private
from videomama_client.errors import BadInput, NotPermitted
from videomama_client.settings import MatteSettings

from videomama_server.config import FOLDED
from videomama_server.frames import FloatArray, write_picture
from videomama_server.geometry import Geometry
from videomama_server.replacing import replacing
from videomama_server.windows import Window

log = logging.getLogger(__name__)

KEY_VERSION = 1
README = "README.txt"  # its presence says that a folder is a cache
FOLDERS = ("entries", "sequences", "memo", "holds", "spool", FOLDED)  # where nobody else writes
_SEAL = "videomama:seal"
_SEAL_BLANK = b"0" * 64
_SEAL_PREFIX = _SEAL.encode() + b"\0string\0\x40\0\0\0"
_HEADER_BYTES = 1 << 16
_NOTES = "[!.]*.json"
_STALE_TEMPORARY_S = 3600.0
_STALE_HOLD_S = 24 * 3600.0
_README = """This folder is the cache of the VideoMaMa server: finished alphas, by digest of what they were made from.
Everything in it can be made again; `videomama cache stat|verify|prune|clear` looks after it.
entries/    one EXR per alpha, and what quality control measured on it
sequences/  the same files under numbered names, for hosts that read sequences
memo/       digests of plates and masks whose stat did not change
folded/     weights of models, made ready for use
"""


@dataclass(frozen=True)
class Identity:
    """What every entry of one job shares in its key.

    Attributes:
        engine: the engine's fingerprint.
        color: the colour transform's fingerprint.
        settings: fully resolved; nothing in it is `auto` or None.
    """

    engine: str
    color: str
    settings: MatteSettings

    def key(self, frame: int, windows: Sequence[tuple[Window, Sequence[str]]]) -> str:
        """Return the key of the alpha of `frame`.

        Args:
            frame: absolute frame number.
            windows: every window that contributes, with the digests of its frames in order.
        """
        settings = asdict(self.settings)
        # Which file channels were read is in the digests of what was read, what the weights are in the fingerprint.
        del settings["plate_layer"], settings["mask_channel"], settings["weights"]
        content = {
            "version": KEY_VERSION,
            "engine": self.engine,
            "color": self.color,
            "settings": settings,
            "frame": frame,
            "windows": [[window.first, window.last, list(digests)] for window, digests in windows],
        }
        return blake3(json.dumps(content, sort_keys=True).encode()).hexdigest(length=20)


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
        if not _prepare(folder):
            self._overlay = Path(tempfile.mkdtemp(prefix="videomama-cache-"))
            log.warning("cache folder %s cannot be written; new alphas are kept while this process runs", folder)

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
                _touch(path)
                return path
        return None

    def publish(self, key: str, alpha: FloatArray, geometry: Geometry) -> Path:
        """Store an alpha (H, W) on the canvas of `geometry`, visible only when whole; return its file.

        Raises:
            OSError: the disk is full or failing; no entry is left behind.
        """
        path = _entry(self.write_root, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            write_picture(temporary, alpha, ("A",), "float", geometry, {_SEAL: _SEAL_BLANK.decode()})
            _seal(temporary, key)
        return path

    def keep_note(self, entry: Path, text: str) -> None:
        """Keep a text with an entry that was published or looked up, in place of an earlier one.

        Raises:
            OSError: the disk is full or failing, or the entry is in a folder that cannot be written.
        """
        with replacing(_note(entry)) as temporary:
            temporary.write_bytes(_digest(entry.stem, text.encode()) + b"\n" + text.encode())

    def note(self, entry: Path) -> str | None:
        """Return the text that was kept with an entry; None when there is none, or it is damaged."""
        return _read_note(_note(entry))

    @contextmanager
    def hold(self, job: str) -> Iterator[None]:
        """Keep `prune`, of any process, from taking what is used while the job runs."""
        marker = self.write_root / "holds" / f"{socket.gethostname()}~{os.getpid()}~{job}"
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()
        try:
            yield
        finally:
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
            if path.name.startswith(".") or _intact(path) or not os.access(path, os.R_OK):
                continue
            log.warning("removing the damaged entry %s", path)
            path.unlink(missing_ok=True)
            removed, freed = removed + 1, freed + size
        for note in _within(self.folder / "entries", _NOTES):
            if _read_note(note) is None and os.access(note, os.R_OK):
                log.warning("removing the damaged note %s", note)
                note.unlink(missing_ok=True)
        self._sweep()
        left = self.stat()
        return CacheReport(left.folder, left.entries, left.bytes, removed, freed)

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
        """Return (bytes, last use, paths) by inode: a published sequence shares its files with the entries."""
        files: dict[int, tuple[int, float, list[Path]]] = {}
        for name in ("entries", "sequences"):
            for path in _within(self.folder / name, "*.exr"):
                try:
                    stat = path.stat()
                except FileNotFoundError:
                    continue
                if not path.name.startswith("."):
                    files.setdefault(stat.st_ino, (stat.st_size, stat.st_atime, []))[2].append(path)
        return files

    def _oldest_hold(self) -> float:
        """Return since when a running job may be using entries; infinity when none runs."""
        since = float("inf")
        for marker in self.folder.glob("holds/*"):
            host, _, rest = marker.name.partition("~")
            pid = rest.partition("~")[0]
            started = _mtime(marker)
            here = host == socket.gethostname() and pid.isdigit()
            stale = not psutil.pid_exists(int(pid)) if here else time.time() - started > _STALE_HOLD_S
            if stale:
                marker.unlink(missing_ok=True)
            else:
                since = min(since, started)
        return since

    def _sweep(self) -> None:
        """Remove the temporary files of processes that were killed, notes without an entry, and folders left empty."""
        left = [_within(self.folder / name, ".*") for name in ("entries", "sequences")]
        for path in itertools.chain(*left, self.folder.glob("memo/.*")):
            if time.time() - _mtime(path) > _STALE_TEMPORARY_S:
                path.unlink(missing_ok=True)
        for note in _within(self.folder / "entries", _NOTES):
            if not note.with_suffix(".exr").exists():
                note.unlink(missing_ok=True)
        for folder in self.folder.glob("sequences/*"):
            with suppress(OSError):  # it is not empty, not a folder, or gone already
                folder.rmdir()


def sample(folder: Path, count: int) -> tuple[int, list[Path]]:
    """Check up to `count` entries, spread over the cache, and change nothing.

    Returns:
        how many were checked, and those of them that do not match their seal.
    """
    there = sorted(path for path in _within(folder / "entries", "*.exr") if not path.name.startswith("."))
    chosen = [there[index * len(there) // count] for index in range(count)] if len(there) > count else there
    return len(chosen), [path for path in chosen if not _intact(path) and path.exists()]


def _prepare(folder: Path) -> bool:
    """Make the cache folder, for this user only; return whether it can be written."""
    try:
        private.make_folder(folder)
        with tempfile.TemporaryFile(dir=folder):
            _write_readme(folder / README)
    except OSError:
        return False
    return True


def _within(folder: Path, pattern: str) -> Iterator[Path]:
    """Yield the files of the folders in `folder`, but not of links there: what those lead to is nobody's cache."""
    for inner in folder.glob("*"):
        if not inner.is_symlink():
            yield from inner.glob(pattern)


def _write_readme(path: Path) -> None:
    with suppress(FileExistsError), path.open("x", encoding="utf-8") as readme:  # never through a link
        readme.write(_README)


def _entry(root: Path, key: str) -> Path:
    return root / "entries" / key[:2] / f"{key}.exr"


def _note(entry: Path) -> Path:
    return entry.with_suffix(".json")


def _read_note(note: Path) -> str | None:
    """Return a note's text when it is there and whole."""
    try:
        seal, _, content = note.read_bytes().partition(b"\n")
        return content.decode() if _digest(note.stem, content) == seal else None
    except (OSError, ValueError):
        return None


def _entry_count(files: dict[int, tuple[int, float, list[Path]]]) -> int:
    return sum(any(path.parent.parent.name == "entries" for path in paths) for _, _, paths in files.values())


def _seal(path: Path, key: str) -> None:
    """Write the digest of the file into its header and make it durable."""
    with path.open("r+b") as file:
        content = file.read()
        start = content.find(_SEAL_PREFIX, 0, _HEADER_BYTES) + len(_SEAL_PREFIX)
        file.seek(start)
        file.write(_digest(key, content))
        file.flush()
        os.fsync(file.fileno())


def _intact(path: Path) -> bool:
    """Whether the file is there and matches its seal."""
    try:
        content = bytearray(path.read_bytes())
    except OSError:
        return False
    start = content.find(_SEAL_PREFIX, 0, _HEADER_BYTES) + len(_SEAL_PREFIX)
    seal = bytes(content[start : start + 64])
    content[start : start + 64] = _SEAL_BLANK
    intact = _digest(path.stem, content) == seal
    if not intact:
        log.warning("the entry %s is damaged and counts as missing", path)
    return intact


def _digest(key: str, content: bytes | bytearray) -> bytes:
    return blake3(key.encode()).update(content).hexdigest().encode()


def _touch(path: Path) -> None:
    """Record the use in the access time; the modification time belongs to whoever reads the published link."""
    try:
        os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))
    except OSError:
        log.debug("could not mark %s as used", path)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _mtime(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return time.time()
