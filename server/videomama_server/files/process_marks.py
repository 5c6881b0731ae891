"""Names that tell which process a file belongs to, so that what killed ones left behind can be removed."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import psutil

_GRACE_S = 60.0  # processes in another container may be out of sight
_ABANDONED_S = 24 * 3600.0  # how old it is before something of a process of another machine counts as left behind


def left_behind(path: Path, name: str, grace_s: float = _GRACE_S) -> bool:
    """Whether the process that made `path` is gone.

    Args:
        path: a file or folder.
        name: its name from the mark on. Where no mark is in it, age alone decides.
        grace_s: seconds that a file of this machine must be old.
    """
    try:
        age = time.time() - path.stat().st_mtime
    except OSError:
        return False
    host, _, rest = name.partition("~")
    pid = rest.partition("~")[0]
    if host != socket.gethostname() or not pid.isdigit():
        return age > _ABANDONED_S
    return age >= grace_s and not psutil.pid_exists(int(pid))
