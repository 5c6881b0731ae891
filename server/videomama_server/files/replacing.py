"""Whole files where others work too: what killed processes left is swept, a folder that was removed is made again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from videomama_client.errors import NotPermitted
from videomama_client.whole_files import PREFIX

from videomama_server.files import process_marks

log = logging.getLogger(__name__)

Result = TypeVar("Result")


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
    for path in folder.glob(f"{PREFIX}*"):
        if process_marks.left_behind(path, path.name.removeprefix(PREFIX)):
            log.info("removing %s, which a process that is gone was writing", path)
            with suppress(OSError):  # the folder may be read-only by now; another process may be first
                path.unlink()
