"""The stat memo: what is known of a picture file's pixels without opening it, as long as its stat is unchanged."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from blake3 import blake3
from videomama_client.whole_files import replacing

from videomama_server.files.settling import is_settled
from videomama_server.media.declared_colour import UNDECLARED, Declared
from videomama_server.media.frames import Picture
from videomama_server.media.geometry import EMPTY, Geometry, Rect
from videomama_server.media.mask_values import NO_LOOK, MaskLook
from videomama_server.media.movie_frame import in_movie
from videomama_server.media.orientation import UPRIGHT

log = logging.getLogger(__name__)

_LOOKS = ("largest", "edge", "outside", "sure")  # numbers of a `MaskLook`, as they stand in a row
_VERSION = 2  # of a row; one of another version may be of pixels that are read otherwise now
_MOST_ROWS = 10_000  # of one folder: each save writes them all; of more, those learned longest ago are forgotten
_MOST_BOOKS = 64  # in memory; more are read again when they are needed


@dataclass(frozen=True)
class Facts:
    """What the pipeline asks of a frame before it needs the pixels.

    Attributes:
        digest: BLAKE3 of the pixels and their geometry, hexadecimal.
        geometry: the windows and the shape of the pixels.
        is_float: whether the file stores these channels as floats.
        declared: what the file says of its colours; only kept for plates.
        orientation: how the file's pixels were turned, 1 for not at all.
        support: the smallest rectangle around all that is not zero; only kept for masks.
        low, peak: the smallest and largest value, as far as 0 and 1; only kept for masks.
        look: what the values say about the mask; only kept for masks.
    """

    digest: str
    geometry: Geometry
    is_float: bool = True
    declared: Declared = UNDECLARED
    orientation: int = UPRIGHT
    support: Rect = EMPTY
    low: float = 0.0
    peak: float = 0.0
    look: MaskLook = NO_LOOK


@dataclass(frozen=True)
class Stamp:
    """What a stat says of a file; equal stamps stand for equal pixels (an edit that keeps all three is not seen)."""

    size: int
    mtime_ns: int
    inode: int
    taken: float = field(default_factory=time.time, compare=False)  # seconds since 1970

    @classmethod
    def of(cls, path: Path) -> Stamp:
        """Stat `path`."""
        stat = path.stat()
        return cls(stat.st_size, stat.st_mtime_ns, stat.st_ino)

    @property
    def settled(self) -> bool:
        """Whether the file was old enough, when its stat was taken, for that to be trusted."""
        return is_settled(self.mtime_ns / 1e9, self.taken)


def pixel_digest(picture: Picture) -> str:
    """Digest pixels and geometry, not file bytes: hosts stamp dates into headers."""
    hasher = blake3(repr((picture.geometry, picture.pixels.shape)).encode())
    hasher.update(picture.pixels.view("uint8").data)
    return hasher.hexdigest(length=16)


@dataclass(frozen=True)
class FileId:
    """A file as the memo knows it: the folder its facts are kept under, its name there, and its stamp."""

    folder: Path
    name: str
    stamp: Stamp

    @classmethod
    def of(cls, path: Path) -> FileId:
        """Return the id of a file on disk, or of a picture in a movie; raises OSError when it cannot be stat'ed."""
        picture = in_movie(path)
        if picture is not None:  # a movie has as many as a folder
            return cls(Path(str(path)), str(picture.place), Stamp.of(path))
        return cls(path.parent, path.name, Stamp.of(path))


class Memo:
    """Facts by (file, channels), kept in one JSON file per source folder; safe to share, losing a line costs a read.

    Args:
        folder: where the JSON files lie, or None to remember nothing across processes.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._books: dict[Path, dict[str, object]] = {}
        self._dirty: set[Path] = set()
        self._lock = threading.Lock()

    def get(self, file: FileId, channels: str) -> Facts | None:
        """Return what is known of `file`, or None when it changed or was never seen."""
        stamp = file.stamp
        with self._lock:
            row = self._book(file.folder).get(f"{file.name}|{channels}")
        if not isinstance(row, list) or row[:3] != [stamp.size, stamp.mtime_ns, stamp.inode]:
            return None
        return _facts(row[3:])

    def put(self, file: FileId, channels: str, facts: Facts) -> None:
        """Remember facts of the pixels read after the stamp of `file` was taken."""
        self._learn(file, channels, _row(facts))

    def _learn(self, file: FileId, what: str, values: Sequence[object]) -> None:
        stamp = file.stamp
        if not stamp.settled:
            return
        row: list[object] = [stamp.size, stamp.mtime_ns, stamp.inode, *values]
        name = f"{file.name}|{what}"
        with self._lock:
            book = self._book(file.folder)
            book.pop(name, None)  # what was learned last stands last
            book[name] = row
            self._dirty.add(file.folder)

    def numbers(self, file: FileId, what: str) -> list[float] | None:
        """Return numbers that were measured on a file's pixels, or None when it changed or they were not."""
        stamp = file.stamp
        with self._lock:
            row = self._book(file.folder).get(f"{file.name}|{what}")
        if not isinstance(row, list) or row[:3] != [stamp.size, stamp.mtime_ns, stamp.inode]:
            return None
        return _numbers(row[3:], len(row) - 3)

    def put_numbers(self, file: FileId, what: str, numbers: Sequence[float]) -> None:
        """Remember numbers measured on the pixels read after the stamp of `file` was taken; `what` says which."""
        self._learn(file, what, numbers)

    def save(self) -> None:
        """Write what was learned; another process's lines are kept."""
        with self._lock:
            dirty, self._dirty = self._dirty, set()
            for source in dirty:
                self._save(source)
            while self._folder is not None and len(self._books) > _MOST_BOOKS:
                del self._books[next(iter(self._books))]

    def _save(self, source: Path) -> None:
        if self._folder is None:
            return
        own = self._books[source]
        others = {name: row for name, row in _load(self._file(source)).items() if name not in own}
        merged = dict([*others.items(), *own.items()][-_MOST_ROWS:])
        self._books[source] = merged
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with replacing(self._file(source)) as temporary:
                temporary.write_text(json.dumps(merged, separators=(",", ":")), encoding="utf-8")
        except OSError as error:
            log.warning("the stat memo of %s was not saved: %s", source, error)

    def _book(self, source: Path) -> dict[str, object]:
        if source not in self._books:
            self._books[source] = _load(self._file(source)) if self._folder else {}
        return self._books[source]

    def _file(self, source: Path) -> Path:
        assert self._folder is not None  # only asked for where there is one
        name = blake3(str(source.absolute()).encode(errors="surrogateescape")).hexdigest(length=16)
        return self._folder / f"{name}.json"


def _load(path: Path) -> dict[str, object]:
    try:
        book = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return book if isinstance(book, dict) else {}


def _row(facts: Facts) -> list[object]:
    """Return the facts as JSON can hold them; read by `_facts`."""
    geometry = facts.geometry
    row: list[object] = [_VERSION, facts.digest, facts.is_float, facts.orientation]
    row += [[facts.declared.words, *facts.declared.names], list(facts.look.colours), facts.look.is_picture]
    row += [[getattr(facts.look, name) for name in _LOOKS], geometry.pixel_aspect, facts.low, facts.peak]
    for rect in (geometry.display, geometry.data, facts.support):
        row += [rect.x, rect.y, rect.w, rect.h]
    return row


def _facts(row: list[object]) -> Facts | None:
    """Read the row of a memo, or return None where it is not valid: any process may have written it."""
    if len(row) != 23 or row[0] != _VERSION or not isinstance(row[1], str) or not isinstance(row[2], bool):
        return None
    words, colours, looks = _texts(row[4]), _texts(row[5]), _numbers(row[7], len(_LOOKS))
    numbers, corners = _numbers(row[8:11], 3), [value for value in row[11:] if isinstance(value, int)]
    orientation, is_picture = row[3], row[6]
    if not words or colours is None or not looks or not numbers or len(corners) != 12:
        return None
    if not isinstance(orientation, int) or not isinstance(is_picture, bool):
        return None
    aspect, low, peak = numbers
    return Facts(
        digest=row[1],
        geometry=Geometry(Rect(*corners[:4]), Rect(*corners[4:8]), aspect),
        is_float=row[2],
        declared=Declared(words[0], words[1:]),
        orientation=orientation,
        support=Rect(*corners[8:]),
        low=low,
        peak=peak,
        look=MaskLook(colours=colours, is_picture=is_picture, **dict(zip(_LOOKS, looks, strict=True))),
    )


def _texts(value: object) -> tuple[str, ...] | None:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        return None
    return tuple(value)


def _numbers(value: object, count: int) -> list[float] | None:
    """Return a list of `count` numbers, or None for anything else."""
    if not isinstance(value, list):
        return None
    found = [float(number) for number in value if isinstance(number, (int, float))]
    return found if len(found) == count == len(value) else None
