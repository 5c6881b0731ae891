"""The movies that are open in this process, shared by all threads that read pictures of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from videomama_server.media.movies.decoder import FAR, Decoder
from videomama_server.media.movies.index import Index

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

_MOST_OPEN = 6
_MOST_OF_ONE = 2  # a job looks at masks ahead of the frames that it computes

_open: list[Decoder] = []  # the one that was used last stands last
_lock = threading.Lock()


def read(path: Path, stamp: tuple[int, ...], index: Index, place: int) -> VideoFrame:
    """Return a picture of a movie, decoded.

    Args:
        path: of the movie.
        stamp: tells the file from any other.
        index: of the movie.
        place: of the picture, from 0; of one that is in the file.

    Raises:
        BadInput, NotPermitted: as `Decoder.read`.
    """
    with _used(stamp, index, place) as decoder, decoder.lock:
        return decoder.read(path, place)


def close_unused() -> None:
    """Close the movies that no thread reads at this moment: an open file cannot be replaced on Windows."""
    with _lock:
        unused = [decoder for decoder in _open if not decoder.users]
        for decoder in unused:
            _open.remove(decoder)
            decoder.close()


@contextmanager
def _used(stamp: tuple[int, ...], index: Index, place: int) -> Iterator[Decoder]:
    with _lock:
        decoder = _chosen(stamp, index, place)
        decoder.users += 1
        _open.remove(decoder)
        _open.append(decoder)
        _close_surplus()
    try:
        yield decoder
    finally:
        with _lock:
            decoder.users -= 1


def _chosen(stamp: tuple[int, ...], index: Index, place: int) -> Decoder:
    """Return the open movie that is nearest to a picture, or a new one; the caller holds the lock."""
    own = [decoder for decoder in _open if decoder.stamp == stamp]
    nearest = min(own, key=lambda decoder: decoder.distance(place), default=None)
    if nearest is not None and (nearest.distance(place) < FAR or len(own) >= _MOST_OF_ONE):
        return nearest if nearest.distance(place) < FAR else own[0]
    made = Decoder(stamp, index)
    _open.append(made)
    return made


def _close_surplus() -> None:
    for decoder in list(_open):
        if len(_open) <= _MOST_OPEN:
            return
        if not decoder.users:
            _open.remove(decoder)
            decoder.close()
