"""How the cache's folder is laid out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from videomama_server.config import FOLDED

README = "README.txt"  # its presence says that a folder is a cache
ENTRIES = "entries"
SEQUENCES = "sequences"
SPOOL = "spool"
FOLDERS = (ENTRIES, SEQUENCES, "memo", "holds", SPOOL, FOLDED)  # where nobody else writes
NOTES = "[!.]*.json"


def entry(root: Path, key: str) -> Path:
    """Return the file of an entry."""
    return root / ENTRIES / key[:2] / f"{key}.exr"


def note(entry: Path) -> Path:
    """Return the file of the text that is kept with an entry."""
    return entry.with_suffix(".json")


def own(folder: Path) -> Iterator[Path]:
    """Yield what is in `folder`, but no links: what those lead to is nobody's cache."""
    return (inner for inner in folder.glob("*") if not inner.is_symlink())


def within(folder: Path, pattern: str) -> Iterator[Path]:
    """Yield the files of the folders in `folder`, but not of links there."""
    for inner in own(folder):
        yield from inner.glob(pattern)
