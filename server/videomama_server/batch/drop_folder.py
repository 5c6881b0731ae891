"""A drop folder: which plates and masks lie in it, and which of them have stopped growing."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from videomama_client.errors import VideoMaMaError
from videomama_client.job_file import NAME

from videomama_server.media import sequences
from videomama_server.media.limits import READABLE

_PLATE = re.compile(r"(?<![a-z])(?:plates?|source|frames)(?![a-z])", re.IGNORECASE)
_MASK = re.compile(r"(?<![a-z])(?:masks?|rotos?|mattes?)(?![a-z])", re.IGNORECASE)
_SEPARATORS = " ._-"
State = tuple[tuple[str, int, int], ...]  # names, sizes and times of files


@dataclass(frozen=True)
class Dropped:
    """Plates with masks of the same name in a drop folder.

    Attributes:
        name: of the shot: what the names of the files share, else that of their folder.
        folder: of the shot.
        plate, mask: patterns, absolute.
    """

    name: str
    folder: Path
    plate: str
    mask: str


@dataclass
class DropFolder:
    """A folder that others copy sequences into.

    Args:
        folder: the drop folder. Its sequences are taken, and those of the folders in it.
        settle_s: seconds that nothing may change before a shot is taken.
        clock: returns seconds that only grow.
    """

    folder: Path
    settle_s: float
    clock: Callable[[], float] = time.monotonic
    _seen: dict[str, tuple[State, float]] = field(default_factory=dict)
    _taken: dict[str, State] = field(default_factory=dict)

    def ready(self) -> list[Dropped]:
        """Return the shots that have stopped growing since they were last returned, by name.

        Raises:
            NotPermitted: the folder cannot be listed.
        """
        found = []
        for dropped in self.shots():
            state, now = _state(dropped), self.clock()
            known, since = self._seen.get(dropped.name, (None, now))
            if state != known:
                self._seen[dropped.name] = (state, now)
            elif now - since >= self.settle_s and self._taken.get(dropped.name) != state:
                self._taken[dropped.name] = state
                found.append(dropped)
        return found

    def shots(self) -> list[Dropped]:
        """Return the shots that have both plates and masks now, by name; what has only one of them is left alone."""
        inner = sorted(path for path in self.folder.iterdir() if path.is_dir() and not path.name.startswith("."))
        found: dict[str, Dropped] = {}
        for folder in (self.folder, *inner):
            if (folder / NAME).exists() and folder != self.folder:
                continue  # alphas of ours
            try:
                for dropped in _pairs(folder):
                    found.setdefault(dropped.name, dropped)
            except VideoMaMaError:  # it was removed meanwhile, or others may not look at it
                continue
        return list(found.values())


def _pairs(folder: Path) -> Iterator[Dropped]:
    """Yield the plates and masks of a folder whose names differ in these words alone."""
    plates: dict[str, list[str]] = {}
    masks: dict[str, list[str]] = {}
    for group in sequences.listed(folder, READABLE):
        is_mask = _MASK.search(group.head) is not None
        stem = (_MASK if is_mask else _PLATE).sub("", group.head).strip(_SEPARATORS)
        (masks if is_mask else plates).setdefault(stem, []).append(str(folder / group.pattern))
    for stem, patterns in plates.items():
        if len(patterns) == 1 and len(masks.get(stem, ())) == 1:
            yield Dropped(stem or folder.name, folder, patterns[0], masks[stem][0])


def _state(dropped: Dropped) -> State:
    """Return what tells whether files still change or come; what is gone meanwhile counts as changed later."""
    found = []
    for text in (dropped.plate, dropped.mask):
        for path in sequences.find(sequences.parse(text)).values():
            try:
                stat = path.stat()
            except OSError:
                continue
            found.append((str(path), stat.st_size, stat.st_mtime_ns))
    return tuple(found)
