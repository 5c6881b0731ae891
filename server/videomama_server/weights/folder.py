"""The folder of weights: held by one process at a time, and its errors told."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock
from videomama_client.errors import NotPermitted

OTHERS = "name another folder with --to DIR (the cache folder: cache_dir in the config)."
_LOCK = ".videomama-weights.lock"
_LEFTOVERS = ".videomama-*"


@contextmanager
def held(folder: Path, waiting: Callable[[], None]) -> Iterator[bool]:
    """Hold `folder`, which is made if need be; yield whether another process had it before.

    Args:
        folder: of weights.
        waiting: called once when another process has it.

    Raises:
        NotPermitted: it cannot be made or written, or its disk is full.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(str(folder / _LOCK))
        waited = False
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            waiting()
            waited = True
            lock.acquire()
        except NotImplementedError:  # a file system without locks: working unlocked beats not working
            pass
        try:
            yield waited
        finally:
            lock.release()


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn the errors of writing into `folder` into NotPermitted."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NotPermitted(
                f"the disk of {folder} is full",
                "Free some space and run the same command again. It continues where it stopped.",
            ) from error
        raise NotPermitted(
            f"cannot write {error.filename or folder}: {error.strerror or error}",
            "Check the folder's permissions, or name another with --to DIR, which the config then has to name too.",
        ) from error


def remove_leftovers(folder: Path) -> None:
    """Remove what a killed process was about to put into place; `folder` is held."""
    for left in folder.rglob(_LEFTOVERS):
        if left.name != _LOCK and left.is_file():
            left.unlink(missing_ok=True)
