"""The seal of a cache entry: the digest of its key and its content, by which damage shows.

An entry is an EXR file whose header carries the seal as a string, made with the seal's own digits set to zero.
Beside it there may be a note, sealed likewise by its first line.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

from blake3 import blake3

log = logging.getLogger(__name__)

NAME = "videomama:seal"
BLANK = b"0" * 64
_PREFIX = NAME.encode() + b"\0string\0\x40\0\0\0"
_HEADER_BYTES = 1 << 16


def put(path: Path, key: str) -> None:
    """Write the seal into the header of a file that holds a blank one, and make the file durable."""
    with path.open("r+b") as file:
        content = file.read()
        start = content.find(_PREFIX, 0, _HEADER_BYTES) + len(_PREFIX)
        file.seek(start)
        file.write(_digest(key, content))
        file.flush()
        os.fsync(file.fileno())


def matches(path: Path) -> bool:
    """Whether an entry matches its seal.

    Raises:
        OSError: it is not there, or cannot be read now, which says nothing of what is in it.
    """
    content = bytearray(path.read_bytes())
    start = content.find(_PREFIX, 0, _HEADER_BYTES) + len(_PREFIX)
    known = bytes(content[start : start + 64])
    content[start : start + 64] = BLANK
    intact = _digest(path.stem, content) == known
    if not intact:
        log.warning("the entry %s is damaged and counts as missing", path)
    return intact


def sealed(name: str, text: str) -> bytes:
    """Return a note's bytes for its text; `name` is the entry's key."""
    return sealed_bytes(name, text.encode())


def sealed_bytes(name: str, content: bytes) -> bytes:
    """Return what a file holds whose name, without its ending, is `name`: the seal in a line, then its content."""
    return _digest(name, content) + b"\n" + content


def unsealed_bytes(path: Path) -> bytes | None:
    """Return the content of such a file; None when it is damaged, or has another name than it was sealed for.

    Raises:
        OSError: it is not there, or cannot be read now.
    """
    known, _, content = path.read_bytes().partition(b"\n")
    return content if _digest(path.stem, content) == known else None


def unsealed(note: Path) -> str | None:
    """Return a note's text; None when it is damaged.

    Raises:
        OSError: it is not there, or cannot be read now.
    """
    content = unsealed_bytes(note)
    if content is None:
        return None
    try:
        return content.decode()
    except ValueError:
        return None


def _digest(key: str, content: bytes | bytearray) -> bytes:
    return blake3(key.encode()).update(content).hexdigest().encode()
