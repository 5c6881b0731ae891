"""The cache of finished alphas on disk, and of what is made of them: look-up and publishing.

What looks after the folder is in `upkeep.py`.

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
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from videomama_client import private
from videomama_client.errors import NotPermitted
from videomama_client.whole_files import mark, replacing

from videomama_server.arrays import FloatArray
from videomama_server.cache import layout, seal, upkeep
from videomama_server.cache.upkeep import CacheReport
from videomama_server.files import process_marks
from videomama_server.files.replacing import writing_in
from videomama_server.media.frames import write_picture
from videomama_server.media.geometry import Geometry

log = logging.getLogger(__name__)

_OVERLAY = "videomama-cache-"
_README = """This folder is the cache of the VideoMaMa server: finished alphas, by digest of what they were made from.
Everything in it can be made again; `videomama cache stat|verify|prune|clear` looks after it.
entries/    one EXR per alpha, and what quality control measured on it; one per picture of the foreground's colour
states/     where engines that walk through a clip may be resumed
sequences/  the same alphas under numbered names, for hosts that read sequences
memo/       digests of plates and masks whose stat did not change
folded/     weights of models, made ready for use
format.txt  how this folder is laid out; a server that does not know the number leaves it alone
"""


@dataclass(frozen=True)
class Look:
    """How pixels are kept in an entry.

    Attributes:
        channels: their names.
        dtype: `float` or `half`.
        attributes: strings for the header.
    """

    channels: tuple[str, ...] = ("A",)
    dtype: str = "float"
    attributes: Mapping[str, str] = field(default_factory=dict)


AN_ALPHA = Look()


class Cache:
    """Entries by key under one folder; several servers and farm processes may share it, also of several versions.

    A folder that cannot be written is still looked up; what is new then goes to a temporary folder of this
    process, which `close` removes. One of a newer format is left alone: only the temporary folder is used.

    Args:
        folder: of the cache.
        version: of the keys that entries are published and looked up by.
    """

    def __init__(self, folder: Path, version: int = layout.KEY_VERSION) -> None:
        self.folder = folder
        self._version = version
        self._overlay: Path | None = None
        self._held_since_ns = 0
        self._grown: int | None = None  # bytes since the folder was last looked through; None before the first time
        self._trouble = _prepare(folder)
        self._left_alone = _unknown_format(folder) is not None
        if self._trouble:
            self._overlay = _make_overlay()
            log.warning("%s; new alphas are kept while this process runs", self._trouble.message)
        self._mode = stat.S_IMODE(self.write_root.stat().st_mode)

    @property
    def trouble(self) -> str:
        """Why new entries do not outlive this process, as a sentence without its full stop; empty where they do."""
        return self._trouble.message if self._trouble else ""

    @property
    def write_root(self) -> Path:
        """Where new entries go."""
        return self._overlay or self.folder

    def lookup(self, key: str) -> Path | None:
        """Return the entry's file when it is there and whole; marks it as used."""
        for root in (None if self._left_alone else self.folder, self._overlay):
            path = root and layout.entry(root, key, self._version)
            if path and _intact(path):
                self._touch(path)
                return path
        return None

    def publish(self, key: str, pixels: FloatArray, geometry: Geometry, look: Look = AN_ALPHA) -> Path:
        """Store an alpha (H, W), or what was made of one, on the canvas of `geometry`, visible only when whole.

        Args:
            key: that it will be looked up by.
            pixels: (H, W), or (H, W, C) of several channels.
            geometry: of the plate.
            look: how they are kept.

        Returns:
            the entry's file.

        Raises:
            OSError, NotPermitted: the disk is full or failing, or read-only by now; no entry is left behind.
        """
        path = layout.entry(self.write_root, key, self._version)
        writing_in(path.parent, lambda: self._publish(path, pixels, geometry, look), self._make_folder)
        return path

    def _publish(self, path: Path, pixels: FloatArray, geometry: Geometry, look: Look) -> None:
        header = {**look.attributes, seal.NAME: seal.BLANK.decode()}
        with replacing(path) as temporary:
            write_picture(temporary, pixels, look.channels, look.dtype, geometry, header)
            seal.put(temporary, path.stem)
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
        if not (self.write_root / layout.README).exists():
            _prepare(self.write_root)
            with suppress(OSError):  # it cannot be written, which is told where it matters
                self.write_root.chmod(self._mode)
        folder.mkdir(parents=True, exist_ok=True)

    def keep_note(self, entry: Path, text: str) -> None:
        """Keep a text with an entry that was published or looked up, in place of an earlier one.

        Raises:
            OSError: the disk is full or failing, or the entry is in a folder that cannot be written.
        """
        with replacing(layout.note(entry)) as temporary:
            temporary.write_bytes(seal.sealed(entry.stem, text))

    def note(self, entry: Path) -> str | None:
        """Return the text that was kept with an entry; None when there is none, or it is damaged."""
        try:
            return seal.unsealed(layout.note(entry))
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
                marker.unlink()

    def stat(self) -> CacheReport:
        """Count entries and bytes.

        Raises:
            NotPermitted: the folder is of a newer format.
        """
        _check_format(self.folder)
        return upkeep.stat(self.folder, self._version)

    def verify(self) -> CacheReport:
        """Check every entry against its seal and remove what does not match, and what was left half-written.

        Raises:
            NotPermitted: the folder cannot be written, or is of a newer format.
        """
        self._check_writable()
        return upkeep.verify(self.folder, self._version)

    def keep_within(self, limit_bytes: int) -> None:
        """Prune when this process may have taken the folder over its limit: a look through a large one takes long.

        What is there may be over the limit by a hundredth for each process that writes there.
        """
        if self._overlay is None and (self._grown is None or self._grown > limit_bytes / 100):
            self._grown = 0
            unknown = _unknown_format(self.folder)
            if unknown is None:
                self.prune(limit_bytes)
            else:  # a newer server took the folder over, and prunes it
                log.warning("%s; it is not pruned", unknown.message)

    def prune(self, limit_bytes: int) -> CacheReport:
        """Remove entries until `limit_bytes` are left; see `upkeep.prune`.

        A folder that cannot be written is left as it is: that is for whoever can.

        Raises:
            NotPermitted: the folder is of a newer format.
        """
        if self._overlay is not None:
            return self.stat()
        _check_format(self.folder)
        return upkeep.prune(self.folder, limit_bytes, self._version)

    def clear(self) -> CacheReport:
        """Remove everything.

        Raises:
            BadInput: a job uses the folder.
            NotPermitted: the folder cannot be written, or is of a newer format.
        """
        self._check_writable()
        return upkeep.clear(self.folder)

    def close(self) -> None:
        """Remove the temporary folder of a read-only cache."""
        if self._overlay is not None:
            shutil.rmtree(self._overlay, ignore_errors=True)

    def _check_writable(self) -> None:
        _check_format(self.folder)
        if self._trouble:
            raise self._trouble

    def _touch(self, path: Path) -> None:
        """Record the use in the access time; the modification time belongs to whoever reads the published link.

        It is never before the hold of the job that uses the entry: clocks jump back, and those of disks go differently.
        """
        try:
            os.utime(path, ns=(max(time.time_ns(), self._held_since_ns), path.stat().st_mtime_ns))
        except OSError:
            log.debug("could not mark %s as used", path)


def _unknown_format(folder: Path) -> NotPermitted | None:
    """Return the error for a folder whose format this version does not know; asked at each use, as it may change."""
    said = layout.unknown_format(folder)
    if not said:
        return None
    return NotPermitted(
        f"the cache {folder} has format {said}, and this version of VideoMaMa knows format {layout.FORMAT}",
        "Update VideoMaMa, or name another folder with --cache-dir.",
    )


def _check_format(folder: Path) -> None:
    unknown = _unknown_format(folder)
    if unknown is not None:
        raise unknown


def _prepare(folder: Path) -> NotPermitted | None:
    """Make the cache folder, for this user only; return why nothing may be written there."""
    try:
        private.make_folder(folder)
        unknown = _unknown_format(folder)
        if unknown is not None:
            return unknown
        with tempfile.TemporaryFile(dir=folder):
            _write_readme(folder / layout.README)
            layout.say_format(folder)
    except OSError as error:
        if error.errno == errno.ENOSPC and folder.is_dir():  # what is full is not read-only
            return None
        return NotPermitted(f"the cache {folder} cannot be written", "Run this as the user who owns it.")
    return None


def _write_readme(path: Path) -> None:
    with suppress(FileExistsError), path.open("x", encoding="utf-8") as readme:  # never through a link
        readme.write(_README)


def _make_overlay() -> Path:
    """Return a new temporary folder; those that killed processes left behind are removed."""
    for left in Path(tempfile.gettempdir()).glob(f"{_OVERLAY}*"):
        if process_marks.left_behind(left, left.name.removeprefix(_OVERLAY)):
            shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{_OVERLAY}{mark()}"))


def _intact(path: Path) -> bool:
    """Whether the file is there, can be read and matches its seal."""
    try:
        return seal.matches(path)
    except FileNotFoundError:
        return False
    except OSError as error:
        log.warning("the entry %s cannot be read and counts as missing: %s", path, error)
        return False
