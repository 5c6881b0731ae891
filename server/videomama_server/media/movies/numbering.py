"""Which frame number each picture of a movie has, and which of them cannot be had; no pixels in sight."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from videomama_server.media.movie_frame import MovieFrame, in_movie
from videomama_server.media.movies import index_store


def frames_of(movie: Path, first: int | None) -> dict[int, Path]:
    """Return the pictures of a movie by frame number, ascending; also those that are damaged or missing at its end.

    Args:
        movie: its file.
        first: number of the first frame; None for what its timecode says, else 1.

    Raises:
        BadInput, NotPermitted: as `index_store.index_of`.
    """
    _, index = index_store.index_of(movie)
    begin = index.first if first is None else first
    return {begin + place: MovieFrame.of(movie, place, begin + place) for place in range(index.count)}


def lost_of(files: Mapping[int, Path]) -> list[int]:
    """Return the numbers of the frames that are known to be damaged, or missing at the end of a movie, ascending."""
    pictures = {number: picture for number, path in files.items() if (picture := in_movie(path)) is not None}
    if not pictures:
        return []
    _, index = index_store.index_of(next(iter(pictures.values())))
    return [number for number, one in pictures.items() if one.place >= index.there or one.place in index.damaged]
