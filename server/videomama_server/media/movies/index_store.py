"""Keeps the indices of movies that did not change, in memory and, where a folder is named, on disk."""

from __future__ import annotations

import json
import logging
import threading
import time
from dataclasses import astuple
from fractions import Fraction
from pathlib import Path
from typing import Any

from blake3 import blake3
from videomama_client.whole_files import replacing

from videomama_server.files.settling import is_settled
from videomama_server.media import limits
from videomama_server.media.movies import index as indices
from videomama_server.media.movies.index import Index
from videomama_server.media.movies.look import Look

log = logging.getLogger(__name__)

_VERSION = 1  # of a file; one of another version may be of pictures that are counted otherwise now
_MOST_IN_MEMORY = 64

_known: dict[tuple[int, ...], Index] = {}
_lock = threading.Lock()
_building = threading.Lock()
_folder: Path | None = None


def keep_in(folder: Path | None) -> None:
    """Keep indices in a folder from now on; None for in memory alone."""
    global _folder
    _folder = folder


def stamp_of(path: Path) -> tuple[int, ...]:
    """Return what tells a file from any other, under whatever name, and from itself once it has changed."""
    stat = path.stat()
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns


def index_of(path: Path) -> tuple[tuple[int, ...], Index]:
    """Return the stamp and the index of a movie, which is read where it is not known.

    Raises:
        BadInput, NotPermitted: as `limits.check_plain` and `index.build`.
    """
    limits.check_plain(path)
    stamp = stamp_of(path)
    with _lock:
        known = _known.get(stamp)
    if known is not None:
        return stamp, known
    with _building:  # several threads want the same movie at the same time
        with _lock:
            known = _known.get(stamp)
        if known is None:
            known = _loaded(stamp) or _built(path, stamp)
        with _lock:
            _known[stamp] = known
            while len(_known) > _MOST_IN_MEMORY:
                del _known[next(iter(_known))]
    return stamp, known


def _built(path: Path, stamp: tuple[int, ...]) -> Index:
    begun = time.time()
    made = indices.build(path)
    if _folder is not None and is_settled(stamp[3] / 1e9, begun):
        _save(_folder, stamp, made)
    return made


def _file(folder: Path, stamp: tuple[int, ...]) -> Path:
    return folder / f"{blake3(repr(stamp).encode()).hexdigest(length=16)}.movie"


def _save(folder: Path, stamp: tuple[int, ...], index: Index) -> None:
    row = {
        "version": _VERSION,
        "look": astuple(index.look),
        "count": index.count,
        "times": index.times,
        "positions": index.positions,
        "keys": index.keys,
        "damaged": sorted(index.damaged),
        "lost": index.lost,
        "first": index.first,
        "rate": [index.rate.numerator, index.rate.denominator],
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(_file(folder, stamp)) as temporary:
            temporary.write_text(json.dumps(row, separators=(",", ":")), encoding="utf-8")
    except OSError as error:
        log.warning("the index of a movie was not kept: %s", error)


def _loaded(stamp: tuple[int, ...]) -> Index | None:
    """Return the index that is kept; None where there is none that is valid."""
    if _folder is None:
        return None
    try:
        row: Any = json.loads(_file(_folder, stamp).read_text(encoding="utf-8"))
        return _index(row) if row["version"] == _VERSION else None
    except (OSError, ValueError, TypeError, KeyError, ZeroDivisionError):
        return None


def _index(row: dict[str, Any]) -> Index:
    index = Index(
        look=Look(*row["look"]),
        count=int(row["count"]),
        times=tuple(map(int, row["times"])),
        positions=tuple(map(int, row["positions"])),
        keys=tuple((int(position), int(shown), int(decoded)) for position, shown, decoded in row["keys"]),
        damaged=frozenset(map(int, row["damaged"])),
        lost=int(row["lost"]),
        first=int(row["first"]),
        rate=Fraction(*map(int, row["rate"])),
    )
    if len(index.positions) != len(index.times) or not 0 <= index.lost <= index.count <= indices.MOST_PICTURES:
        raise ValueError("not an index")
    return index
