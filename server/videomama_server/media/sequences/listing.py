"""Which sequences lie in a folder, by the names of its files."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from videomama_client.errors import NotPermitted

from videomama_server.media.sequences.ranges import format_range

_NUMBERED = re.compile(r"(.*?)((?:(?<![0-9A-Za-z])-)?[0-9]{1,15})(\D*)", re.DOTALL)
_VERSION = re.compile(r"[._-]v$", re.IGNORECASE)


@dataclass(frozen=True)
class Listed:
    """Files of one folder whose names differ in their last number alone, or one file.

    Attributes:
        head, tail: of the names, before and after the number.
        digits: of the shortest number.
        names: of the files, in order.
        frames: their numbers; empty for a file without one.
    """

    head: str
    tail: str
    digits: int
    names: tuple[str, ...]
    frames: tuple[int, ...]

    @property
    def pattern(self) -> str:
        """The name of all as a pattern, `plate.####.exr`; a single `#` stands for numbers without padding."""
        return f"{self.head}{'#' * self.digits}{self.tail}" if self.frames else self.names[0]

    @property
    def name(self) -> str:
        """The pattern, or for a file alone its name."""
        return self.pattern if self.is_sequence else self.names[0]

    @property
    def is_sequence(self) -> bool:
        """Whether there are several files, numbered by something other than their version."""
        return len(self.frames) > 1 and not _VERSION.search(self.head)

    def __str__(self) -> str:
        return f"{self.name} ({format_range(self.frames)})" if self.is_sequence else ", ".join(self.names)


def listed(folder: Path, suffixes: Collection[str]) -> list[Listed]:
    """Return the sequences and files of a folder whose endings are among `suffixes`, in order; hidden ones left out.

    Raises:
        NotPermitted: the folder cannot be listed.
    """
    names = sorted(entry.name for entry in folder_content(folder) if not entry.name.startswith("."))
    groups: dict[tuple[str, str, bool], list[tuple[str, str]]] = {}
    for name in names:
        if Path(name).suffix.lower() in suffixes:
            head, number, tail = taken_apart(name)
            groups.setdefault((head, tail, bool(number)), []).append((name, number))
    return [_listed(head, tail, files) for (head, tail, _), files in groups.items()]


def taken_apart(name: str) -> tuple[str, str, str]:
    """Return what stands before the last number of a name, the number, and what stands after; the ending has none."""
    stem, dot, ending = name.rpartition(".")
    found = _NUMBERED.fullmatch(stem)
    return (found[1], found[2], f"{found[3]}{dot}{ending}") if found else (stem, "", f"{dot}{ending}")


def folder_content(folder: Path) -> list[Path]:
    """Return what a folder holds; nothing where there is no such folder.

    Raises:
        NotPermitted: it cannot be listed.
    """
    try:
        return list(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise NotPermitted(f"cannot list {folder}: {error.strerror}", "Check the folder's permissions.") from error


def _listed(head: str, tail: str, files: list[tuple[str, str]]) -> Listed:
    names = tuple(name for name, _ in files)
    numbers = [number for _, number in files if number]
    return Listed(head, tail, min(map(len, numbers), default=0), names, tuple(sorted(map(int, numbers))))
