"""A lock between processes on one file, which the system releases even when its holder is killed."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_POLL_SECONDS = 0.2

if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _try_lock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the lock file `path`, made along with its folder, for the length of the block; wait while another has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        waiting = False
        while not _acquired(file):
            if not waiting:
                print(f"Another install is working in {path.parent}; waiting for it.", flush=True)
            waiting = True
            time.sleep(_POLL_SECONDS)
        yield


def _acquired(file: IO[bytes]) -> bool:
    try:
        _try_lock(file)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        # A file system without locks (some network mounts): working unlocked beats not working.
        return True
    return True
