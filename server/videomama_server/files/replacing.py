"""Puts a file under its name only when it is whole; the one place that knows how."""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from videomama_client.errors import NotPermitted

from videomama_server.files import process_marks

log = logging.getLogger(__name__)

_PREFIX = ".videomama-"
Result = TypeVar("Result")


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
    """Return a new name for a file of this process; `sweep` removes the file once the process is gone."""
    return f"{_PREFIX}{process_marks.mark()}{uuid.uuid4().hex}"


def writing_in(folder: Path, work: Callable[[], Result], make: Callable[[Path], None], tries: int = 3) -> Result:
    """Make a folder and do work that writes there; once more when somebody removed the folder meanwhile.

    Args:
        folder: where `work` writes.
        work: what to do; it raises `FileNotFoundError` or `NotPermitted` where the folder is not there.
        make: makes the folder unless it is there.
        tries: how often.
    """
    make(folder)
    try:
        return work()
    except (FileNotFoundError, NotPermitted):
        if tries == 1 or folder.is_dir():
            raise
    log.warning("%s was removed while it was written to", folder)
    return writing_in(folder, work, make, tries - 1)


def sweep(folder: Path) -> None:
    """Remove what `replacing` left behind in a folder when its process was killed."""
    for path in folder.glob(f"{_PREFIX}*"):
        if process_marks.left_behind(path, path.name.removeprefix(_PREFIX)):
            log.info("removing %s, which a process that is gone was writing", path)
            with suppress(OSError):  # the folder may be read-only by now; another process may be first
                path.unlink()


def _of_target(error: OSError, temporary: Path, path: Path) -> OSError:
    """Return an error of the hidden file as one of the file that it was to become, which is the one a person knows."""
    reason = (error.strerror or "").replace(str(temporary), str(path))
    names = [str(name) for name in (error.filename, error.filename2) if name] or [str(temporary)]
    return OSError(error.errno, reason, str(path) if str(temporary) in names else names[0])


def _sync(path: Path) -> None:
    with path.open("r+b") as file:
        os.fsync(file.fileno())
