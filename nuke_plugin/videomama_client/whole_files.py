"""Puts a file under its name only when it is whole; the one place that knows how, for the server and its clients."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = ".videomama-"
"""What hidden names begin with."""


@contextmanager
def replacing(path: Path, durable: bool = False) -> Iterator[Path]:
    """Yield a hidden name beside `path`; what was written there takes the place of `path` when the block ends well.

    When it does not, what was written is removed and `path` stays as it was. An `OSError` then names `path`.

    Args:
        path: what to replace.
        durable: the content is on the disk before it gets its name, so that not even a power cut shows part of it.
    """
    temporary = path.with_name(hidden_name() + path.suffix)
    try:
        yield temporary
        if durable:
            _sync(temporary)
        temporary.replace(path)
    except BaseException as error:
        with suppress(OSError):  # it was never made, or its folder is the trouble
            temporary.unlink()
        if isinstance(error, OSError) and error.errno is not None:
            raise _of_target(error, temporary, path) from error
        raise


def hidden_name() -> str:
    """Return a new name for a file of this process; the server removes the file once the process is gone."""
    return f"{PREFIX}{mark()}{uuid.uuid4().hex}"


def mark() -> str:
    """Return what names of this process's files begin with, so that what it leaves behind can be known."""
    import socket  # not before it is needed: Nuke's start loads this module, and should take no time

    return f"{socket.gethostname()}~{os.getpid()}~"


def _of_target(error: OSError, temporary: Path, path: Path) -> OSError:
    """Return an error of the hidden file as one of the file that it was to become, which is the one a person knows."""
    reason = (error.strerror or "").replace(str(temporary), str(path))
    names = [str(name) for name in (error.filename, error.filename2) if name] or [str(temporary)]
    return OSError(error.errno, reason, str(path) if str(temporary) in names else names[0])


def _sync(path: Path) -> None:
    with path.open("r+b") as file:
        os.fsync(file.fileno())
