"""Which paths may be opened: those under the configured roots, none of the system's own, and plain files only."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from videomama_client.errors import BadInput, NotPermitted

_NO_PICTURES = (Path("/proc"), Path("/sys"), Path("/dev"))
_MEMORY_DISK = Path("/dev/shm")  # noqa: S108  (a disk in memory: pictures may be there)
_OPEN = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def permit(path: Path, roots: Iterable[Path]) -> Path:
    """Return `path` with links and `..` resolved.

    No roots at all stand for everything that the user may open, but for devices and what the system shows of itself.

    Raises:
        NotPermitted: it lies under none of `roots`, or among the system's own.
        BadInput: no file can have such a name.
    """
    if not path.is_absolute():
        raise NotPermitted(f"{path} is a relative path", "Clients send absolute paths.")
    try:
        resolved = path.resolve()
    except (ValueError, OSError, RuntimeError) as error:  # a null, letters no disk takes, links in a circle
        raise BadInput(f"{str(path)!r} is not a valid path: {error}", "Check the name.") from error
    if any(map(resolved.is_relative_to, _NO_PICTURES)) and not resolved.is_relative_to(_MEMORY_DISK):
        raise NotPermitted(f"{path} lies among the system's own files", "Put the files on a disk.")
    allowed = tuple(roots)
    if allowed and not any(resolved.is_relative_to(root) for root in allowed):
        raise NotPermitted(f"{path} lies outside the server's roots", "Add its folder to `roots` in config.toml.")
    return resolved


def refuse_inside(folder: Path, kept: Iterable[Path], whose: str) -> None:
    """Raise `NotPermitted` where `folder`, links resolved, is one of the folders `kept` or lies in one.

    Args:
        folder: it need not exist yet.
        kept: folders that nobody else writes in; those that do not exist are compared by name.
        whose: for the message.
    """
    resolved = folder.resolve()
    for own in kept:
        above = [place for place in (resolved, *resolved.parents) if place.exists()]
        # By identity too: one folder may be mounted twice, and some disks do not tell upper from lower case.
        if resolved.is_relative_to(own.resolve()) or (own.exists() and any(map(own.samefile, above))):
            raise NotPermitted(f"{folder} is inside {whose}", "Choose another output folder.")


def name_for_libraries(path: Path) -> str:
    """Return the name of a file for a library that takes names in UTF-8 alone.

    Raises:
        BadInput: the name is in another encoding, as an older system may have written it.
    """
    name = str(path)
    try:
        name.encode()
    except UnicodeEncodeError as error:
        shown = os.fsencode(path).decode(errors="backslashreplace")
        hint = "Rename the file or the folder."
        raise BadInput(
            f"the name {shown} is not UTF-8, so the library that reads and writes it cannot open it", hint
        ) from error
    return name


def open_plain(path: Path) -> BinaryIO:
    """Open a regular file for reading; never follows a link in its place, never waits for a pipe's other end.

    Raises:
        OSError: it cannot be opened, or is no regular file.
    """
    handle = os.open(path, _OPEN)
    if stat.S_ISREG(os.fstat(handle).st_mode):
        return os.fdopen(handle, "rb")
    os.close(handle)
    raise OSError(errno.EINVAL, "not a regular file", str(path))
