"""The marked block in an init.py, as bytes: put in, replaced, and taken out so that all around it stays as it was."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

from failure import InstallError

_BEGIN = b"# >>> VideoMaMa >>>"
_END = b"# <<< VideoMaMa <<<"
_BEGIN_LINE = re.compile(re.escape(_BEGIN) + rb" written by python install nuke \[([a-z ]*)\]\s*")
_END_LINE = re.compile(re.escape(_END) + rb" ([0-9a-f]{12})\s*")
_NEWLINE = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"

# What the installer did beside the block, kept in its first line so that taking it out undoes exactly that.
ENDED_LINE = "newline"  # the file's last line had no end
MADE_FILE = "file"
MADE_FOLDER = "folder"


@dataclass(frozen=True)
class _Found:
    """Where a block is, its notes and its lines without their ends."""

    start: int
    stop: int
    notes: tuple[str, ...]
    lines: tuple[bytes, ...]


def insert(content: bytes, lines: Sequence[str], notes: Sequence[str] = ()) -> bytes:
    """Return `content` with a block of the ASCII `lines`: at its end, or in the place of the block that it has.

    The same bytes come back when the block says the same already.

    Raises:
        InstallError: its block is damaged or was edited.
    """
    wanted = tuple(line.encode("ascii") for line in lines)
    newline = _newline(content)
    found = _find(content)
    if found:
        if found.lines == wanted:
            return content
        return content[: found.start] + _block(wanted, found.notes, newline) + content[found.stop :]
    if content.removeprefix(_BOM) and not content.endswith((b"\n", b"\r")):
        return content + newline + _block(wanted, (*notes, ENDED_LINE), newline)
    return content + _block(wanted, tuple(notes), newline)


def remove(content: bytes) -> Optional[tuple[bytes, tuple[str, ...]]]:
    """Return `content` without its block, and the block's notes; None when it has none.

    Raises:
        InstallError: its block is damaged or was edited.
    """
    found = _find(content)
    if found is None:
        return None
    head, tail = content[: found.start], content[found.stop :]
    if ENDED_LINE in found.notes and not tail:
        # With lines of the person's own behind the block, the line's end that was put in has become theirs.
        head = re.sub(rb"(\r\n|\n|\r)\Z", b"", head)
    return head + tail, found.notes


def has_block(content: bytes) -> bool:
    """Whether there is any sign of a block, damaged ones included."""
    return _BEGIN in content or _END in content


def _block(lines: Sequence[bytes], notes: Sequence[str], newline: bytes) -> bytes:
    begin = _BEGIN + b" written by python install nuke [%s]" % " ".join(notes).encode("ascii")
    return b"".join(line + newline for line in (begin, *lines, _END + b" " + _digest(lines)))


def _digest(lines: Sequence[bytes]) -> bytes:
    return hashlib.sha256(b"\n".join(lines)).hexdigest()[:12].encode("ascii")


def _find(content: bytes) -> Optional[_Found]:
    if not has_block(content):
        return None
    lines = content.removeprefix(_BOM).splitlines(keepends=True)
    begins = [number for number, line in enumerate(lines) if _BEGIN in line]
    ends = [number for number, line in enumerate(lines) if _END in line]
    if len(begins) != 1 or len(ends) != 1 or begins > ends:
        raise _damaged("its first and last line do not belong together")
    begin, end = _BEGIN_LINE.fullmatch(lines[begins[0]]), _END_LINE.fullmatch(lines[ends[0]])
    if not begin or not end:
        raise _damaged("its first or last line was changed")
    # Editors change the ends of lines, which changes nothing.
    inside = tuple(line.rstrip() for line in lines[begins[0] + 1 : ends[0]])
    if _digest(inside) != end[1]:
        raise _damaged("the lines in it were edited")
    offset = len(content) - len(content.removeprefix(_BOM))
    start = offset + sum(map(len, lines[: begins[0]]))
    stop = offset + sum(map(len, lines[: ends[0] + 1]))
    return _Found(start, stop, tuple(begin[1].decode("ascii").split()), inside)


def _damaged(how: str) -> InstallError:
    return InstallError(
        f"The block of VideoMaMa is damaged: {how}.",
        f"Move lines of your own out of it, delete it from {_BEGIN.decode()} to {_END.decode()}, and run this again.",
    )


def _newline(content: bytes) -> bytes:
    """The end of line that the file uses; the plain one, which every Nuke reads, for a file without any."""
    first = _NEWLINE.search(content)
    return first.group() if first else b"\n"
