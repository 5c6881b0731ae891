"""The pictures of movies as the rest of the server reads pictures: by path, with a header, channel by channel."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from videomama_client.errors import BadInput

from videomama_server.arrays import FloatArray
from videomama_server.media import limits, orientation
from videomama_server.media.channels import Channel, Header, Part
from videomama_server.media.geometry import Geometry, Rect
from videomama_server.media.movie_frame import MovieFrame
from videomama_server.media.movies import decoders, index_store, library, planes
from videomama_server.media.movies.index import Index

_KIND = "uint16"  # whole numbers, of whatever number of bits
_CHANNELS = ("R", "G", "B", "A")


class OpenPicture:
    """One picture of a movie; its pixels are decoded when they are asked for.

    Args:
        picture: its path and place.
        stamp: of the movie's file.
        index: of the movie.
    """

    def __init__(self, picture: MovieFrame, stamp: tuple[int, ...], index: Index) -> None:
        self._picture = picture
        self._stamp = stamp
        self._index = index

    def read_image(self, _part: int, _level: int, first: int, last: int, _kind: str) -> FloatArray:
        """Return the channels from `first` up to `last`, (H, W, C) float32, as stored; as OpenImageIO's method.

        Raises:
            BadInput: the picture is damaged, missing, or of another size than the others.
        """
        path, place, look = Path(str(self._picture)), self._picture.place, self._index.look
        if place >= self._index.there:
            raise library.unreadable(path, f"it ends early, after {self._index.there} of {self._index.count} pictures")
        if place in self._index.damaged:
            raise library.unreadable(path, "the packet of this picture is not whole")
        frame = decoders.read(path, self._stamp, self._index, place)
        if (frame.width, frame.height) != (look.width, look.height):
            reason = f"this picture is {frame.width}x{frame.height}, the first is {look.width}x{look.height}"
            raise library.unreadable(path, reason)
        try:
            return planes.values(frame, look)[..., first:last]
        except planes.NotReadable as error:
            raise BadInput(
                f"cannot read {path}: its pictures are stored as {error}, which is not read",
                "Convert the movie first, for example to ProRes 4444.",
            ) from error

    def geterror(self) -> str:
        """Return nothing: what is wrong is raised."""
        return ""


@contextmanager
def opened(picture: MovieFrame) -> Iterator[tuple[Header, OpenPicture]]:
    """Give the header of a picture of a movie, and what its pixels are read from.

    Raises:
        BadInput: the movie cannot be read, or is larger than any plate.
        NotPermitted: it may not be read.
    """
    stamp, index = index_store.index_of(picture)
    yield _header(picture, index), OpenPicture(picture, stamp, index)


def _header(picture: MovieFrame, index: Index) -> Header:
    path, look = Path(str(picture)), index.look
    names = _CHANNELS if look.has_alpha else _CHANNELS[:3]
    whole = Rect(0, 0, look.width, look.height)
    geometry = orientation.turned(Geometry(whole, whole, look.aspect), look.orientation)
    limits.check_part(path, 0, geometry, limits.PixelLayout(len(names), 2 * len(names), 0))
    part = Part(geometry, orientation=look.orientation, declared=look.declared)
    return Header(path, tuple(Channel(0, place, name, kind=_KIND) for place, name in enumerate(names)), (part,))
