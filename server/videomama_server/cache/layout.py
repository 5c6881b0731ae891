"""How the cache's folder is laid out, and of which version the folder and its entries are.

Servers of several versions may share a folder. They keep to the same format of it, and each knows its own entries by
their keys. What an older version made has its version in its name, so that it can be counted and pruned first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from videomama_client.whole_files import replacing

from videomama_server.config import FOLDED

FORMAT = 1  # of the folder: raised when a server of this version would do harm in it
KEY_VERSION = 2  # of entries: raised when the same work gets other keys, so that no entry of before is found again

README = "README.txt"  # its presence says that a folder is a cache
FORMAT_FILE = "format.txt"  # a number; a folder without it is of format 1
ENTRIES = "entries"
SEQUENCES = "sequences"
SPOOL = "spool"
STATES = "states"
MEMO = "memo"
FOLDERS = (ENTRIES, SEQUENCES, STATES, MEMO, "holds", SPOOL, FOLDED)  # where nobody else writes
NOTES = "[!.]*.json"
KEPT = "[!.]*.state"
_VERSION = re.compile(r"\.v([0-9]{1,9})")


def entry(root: Path, key: str, version: int = KEY_VERSION) -> Path:
    """Return the file of an entry whose key is of a version; version 1 is not named."""
    named = key if version == 1 else f"{key}.v{version}"
    return root / ENTRIES / key[:2] / f"{named}.exr"


def version_of(entry: Path) -> int:
    """Return the version of an entry by the name of its file."""
    named = _VERSION.fullmatch(Path(entry.stem).suffix)
    return int(named[1]) if named else 1


def unknown_format(folder: Path) -> str:
    """Return which format a folder says that it has, where this version does not know it; else an empty text."""
    try:
        said = (folder / FORMAT_FILE).read_text(encoding="ascii", errors="replace").strip()[:20]
    except OSError:  # it says nothing, or cannot be read, as then the entries cannot
        return ""
    known = said.isdecimal() and int(said) <= FORMAT
    return "" if known else said or "without a number"


def say_format(folder: Path) -> None:
    """Have a folder say its format, unless it does; one whose disk is full does not."""
    if not (folder / FORMAT_FILE).exists():
        with suppress(OSError), replacing(folder / FORMAT_FILE, durable=True) as temporary:
            temporary.write_text(f"{FORMAT}\n")


def state(root: Path, key: str) -> Path:
    """Return the file of a state that a walk is resumed from."""
    return root / STATES / key[:2] / f"{key}.state"


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
