"""What is for this user alone: makes folders and logs that nobody else can enter, tells files that others planted.

Modes are POSIX's. On Windows the user's own folders have access lists that keep others out, and nothing is checked.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

LONGEST = 64 * 1024  # bytes of a private file; a connection file has half a thousand
_ROOT = 0


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, with mode 0700 whatever the umask is.

    Raises:
        OSError: it cannot be made, or a file is in its place.
    """
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    for place in reversed(missing):
        place.mkdir(mode=0o700, exist_ok=True)


def check_folder(folder: Path) -> None:
    """Raise PermissionError for a folder in which any user may replace the files of others."""
    mode = folder.stat().st_mode
    if os.name == "posix" and mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        raise PermissionError(errno.EPERM, f"any user may replace files in {folder} (mode {stat.S_IMODE(mode):04o})")


def open_log(path: Path) -> int:
    """Open a log for appending and return its descriptor; a new one has mode 0600, and no link is followed.

    Raises:
        OSError: it cannot be opened, or a link is in its place.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    return os.open(path, flags, 0o600)


def read_text(path: Path) -> str:
    """Return the content of a private file, UTF-8.

    Raises:
        OSError: it cannot be read, is no regular file, is too large, or may have been put there by another user.
        ValueError: it is not UTF-8; the error does not repeat what is in the file.
    """
    with open(path, "rb", opener=_open_at_once) as file:
        _check_file(path, os.fstat(file.fileno()))
        content = file.read(LONGEST + 1)
    if len(content) > LONGEST:
        raise OSError(errno.EFBIG, f"more than {LONGEST} bytes")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        pass  # its text is the whole file, keys and all
    raise ValueError("it is not UTF-8")


def _open_at_once(path: str, flags: int) -> int:
    """Open a file without waiting: a pipe would be waited for without end."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _check_file(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "not a regular file")
    if os.name != "posix":
        return
    if found.st_mode & stat.S_IWOTH:
        raise PermissionError(errno.EPERM, f"any user may write it (mode {stat.S_IMODE(found.st_mode):04o})")
    foreign = found.st_uid not in (os.geteuid(), _ROOT)
    if foreign and path.parent.stat().st_mode & stat.S_IWOTH:  # as /tmp: whoever came first chose what is in it
        raise PermissionError(errno.EPERM, f"another user put it into {path.parent}, where anyone may")
