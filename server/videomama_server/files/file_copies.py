"""Gives one file's content to another file, sharing blocks where the file system can; the one place that knows how."""

from __future__ import annotations

import ctypes
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from videomama_client.whole_files import hidden_name

from videomama_server.files.access import open_plain

_FICLONE = 0x40049409  # linux/fs.h; fcntl.FICLONE from Python 3.12 on
_CLONE_NOFOLLOW = 1  # sys/clonefile.h
_CHUNK = 1 << 20


def copy(source: Path, target: Path) -> None:
    """Make `target` a file of its own with the content of `source`, the mode of any new file and the time of now.

    A reflink where the file system has them (btrfs, XFS, APFS, some network disks): the two share blocks until either
    is written to. Otherwise the kernel copies, which a network disk may do on its own side, or else this process.

    Args:
        source: a file that nobody writes to meanwhile.
        target: what is there already is overwritten.

    Raises:
        FileNotFoundError: `source` or the folder of `target` is gone.
        OSError: the disk is full or failing; part of `target` may be there.
    """
    if not (clone(source, target) or _copied_by_kernel(source, target)):
        shutil.copyfile(source, target)


def clone(source: Path, target: Path) -> bool:
    """Make `target` a reflink of `source`, with the mode of any new file and the time of now; return whether it is.

    Raises:
        OSError: `source` cannot be read, or `target` cannot be made.
    """
    if sys.platform == "win32":
        return False
    return _cloned_on_macos(source, target) if sys.platform == "darwin" else _cloned_on_linux(source, target)


def can_clone(from_folder: Path, to_folder: Path) -> bool:
    """Whether files of one folder can be cloned into the other, found out by doing so with a small one."""
    trial = to_folder / hidden_name()
    try:
        with tempfile.NamedTemporaryFile(dir=from_folder) as source:
            source.write(bytes(4096))
            source.flush()
            return clone(Path(source.name), trial)
    except OSError:
        return False
    finally:
        with suppress(OSError):
            trial.unlink()


def is_own_copy(target: Path, source: Path) -> bool:
    """Whether `target` is a file of its own, under no other name, with the content of `source`.

    Every byte is compared: size and time say nothing of a file that a tool wrote over and dated back. That costs
    a read of both, less than writing the file again; `filecmp` would trust size and time for files it has seen.
    """
    try:
        with open_plain(target) as there, source.open("rb") as wanted:
            now = os.fstat(there.fileno())
            if now.st_nlink > 1 or now.st_size != os.fstat(wanted.fileno()).st_size:
                return False
            return _same_bytes(there, wanted)
    except OSError:  # not there, a link, not readable
        return False


def _same_bytes(one: BinaryIO, other: BinaryIO) -> bool:
    """Whether two files hold the same from here on."""
    while (content := one.read(_CHUNK)) == other.read(_CHUNK):
        if not content:
            return True
    return False


def _cloned_on_linux(source: Path, target: Path) -> bool:
    assert sys.platform != "win32"
    import fcntl

    with source.open("rb") as wanted, target.open("wb") as made, suppress(OSError):  # not this file system, or too full
        fcntl.ioctl(made.fileno(), _FICLONE, wanted.fileno())
        return True
    return False


def _cloned_on_macos(source: Path, target: Path) -> bool:
    clonefile: Callable[[bytes, bytes, int], int] | None = getattr(ctypes.CDLL(None), "clonefile", None)
    if clonefile is None:
        return False
    target.touch()
    mode = stat.S_IMODE(target.stat().st_mode)
    target.unlink()  # a clone takes no name that is taken, and brings the mode and times of its source along
    if clonefile(os.fsencode(source), os.fsencode(target), _CLONE_NOFOLLOW) != 0:
        return False
    target.chmod(mode)
    os.utime(target)
    return True


def _copied_by_kernel(source: Path, target: Path) -> bool:
    """Have the kernel copy; return whether all arrived. Some file systems refuse, and some end early without a word."""
    if sys.platform != "linux":
        return False
    with source.open("rb") as wanted, target.open("wb") as made:
        size = os.fstat(wanted.fileno()).st_size
        with suppress(OSError):  # what is really wrong, the plain copy meets again
            while os.copy_file_range(wanted.fileno(), made.fileno(), size):
                pass
        return os.fstat(made.fileno()).st_size == size
