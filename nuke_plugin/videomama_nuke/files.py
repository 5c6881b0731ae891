"""Files under numbered names: which a node reads, how big and how old each frame's is. Asks Nuke for nothing."""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

_NUMBER = re.compile(r"%0?\d*d|#+")
_LONE = 4  # digits that a single # stands for where a file is written
_ABSENT = "----"  # in place of a mark, for a frame that has no file
_MARK = len(_ABSENT)


@dataclass(frozen=True)
class FileSequence:
    """The files of one node in one view.

    Attributes:
        node: its full name.
        text: of the knob.
        path: pattern that Nuke opens.
        first, last: the frames; 0 and 0 for a still.
        sizes, times: four letters for each frame's file, made of its size, and of the time of its last change.
    """

    node: str
    text: str
    path: str
    first: int
    last: int
    sizes: str = ""
    times: str = ""

    @property
    def name(self) -> str:
        """The files' name without a folder."""
        return PurePath(self.path).name

    @property
    def seen(self) -> bool:
        """Whether any of the files was found."""
        return bool(self.sizes.replace("-", ""))

    def common(self, other: FileSequence) -> range:
        """Return the frames that both have."""
        return range(max(self.first, other.first), min(self.last, other.last) + 1)

    def marks(self, frame: int) -> tuple[str, str] | None:
        """Return what stands for size and time of a frame's file; None where there was none."""
        place = slice((frame - self.first) * _MARK, (frame - self.first + 1) * _MARK)
        return None if self.sizes[place] in ("", _ABSENT) else (self.sizes[place], self.times[place])

    def looked_at(self) -> FileSequence:
        """Return it with size and time of every file."""
        sizes, times = {}, {}
        for frame, stat in _stats(self.path):
            sizes[frame] = _mark(stat.st_size)
            # Not every file system keeps nanoseconds, and a copy to another one may round.
            times[frame] = _mark(stat.st_mtime_ns // 1000)
        numbers = range(self.first, self.last + 1)
        found = ["".join(marks.get(frame, _ABSENT) for frame in numbers) for marks in (sizes, times)]
        return replace(self, sizes=found[0], times=found[1])


def numbered(path: str) -> bool:
    """Whether a pattern has a place for the frame's number."""
    return _NUMBER.search(PurePath(path).name) is not None


def file_of(pattern: str, frame: int) -> Path:
    """Return the file of a frame by a pattern that has a place for its number, as the server writes it."""
    path = Path(pattern)
    place = list(_NUMBER.finditer(path.name))[-1]
    sign = place[0]
    width = _LONE if sign == "#" else len(sign) if "#" in sign else int(sign[1:-1] or 0)
    return path.with_name(f"{path.name[: place.start()]}{frame:0{width}d}{path.name[place.end() :]}")


def known_by(pattern: str) -> str:
    """Return a text that patterns share that name the same files, however the number is written."""
    folder, name = os.path.split(os.path.normcase(os.path.normpath(pattern)))
    return f"{folder}/{_NUMBER.sub('#', name)}"


def _mark(number: int) -> str:
    return f"{zlib.crc32(str(number).encode()) & 0xFFFF:04x}"


def _stats(path: str) -> Iterator[tuple[int, os.stat_result]]:
    """Yield frame and facts of every file of a pattern; of a still, as frame 0."""
    folder, name = os.path.split(path)
    place = _NUMBER.search(name)
    head, tail = (name[: place.start()], name[place.end() :]) if place else (name, "")
    number = "(-?[0-9]+)" if place else "()"
    matcher = re.compile(re.escape(head) + number + re.escape(tail))
    with suppress(OSError), os.scandir(folder or ".") as entries:
        for entry in entries:
            match = matcher.fullmatch(entry.name)
            if match is None:
                continue
            with suppress(
                OSError
            ):  # gone since the folder was listed, or a link to nowhere: the other frames are there
                yield int(match[1] or 0), entry.stat()
