"""One picture of a movie as a path: that of the movie, with the place of the picture in it."""

from __future__ import annotations

import sys
from pathlib import Path

if sys.platform == "win32":
    from pathlib import WindowsPath as _Path
else:
    from pathlib import PosixPath as _Path

MOVIES = frozenset({".mov", ".mp4", ".m4v", ".mkv", ".avi", ".mxf", ".webm"})


class MovieFrame(_Path):
    """The path of a movie that stands for one of its pictures: whatever looks at the file looks at the movie.

    Two pictures of a movie are equal as paths. A path that is derived from one (`parent`) is no picture.

    Attributes:
        place: of the picture in the movie, from 0; negative for a path that is no picture.
        number: of its frame, for messages.
    """

    place: int = -1
    number: int = 0

    @classmethod
    def of(cls, movie: Path, place: int, number: int) -> MovieFrame:
        """Return the picture of `movie` at a place, which is the frame `number`."""
        made = cls(movie)
        made.place, made.number = place, number
        return made


def in_movie(path: Path) -> MovieFrame | None:
    """Return a path that is a picture of a movie; None for any other."""
    return path if isinstance(path, MovieFrame) and path.place >= 0 else None


def like(path: Path, file: Path) -> Path:
    """Return another path to the file of `path`: for a picture of a movie, with its place."""
    picture = in_movie(path)
    return file if picture is None else MovieFrame.of(file, picture.place, picture.number)


def is_movie(suffix: str) -> bool:
    """Whether the ending of a file's name, such as `.mov`, is that of a movie that is read."""
    return suffix.lower() in MOVIES
