"""Quality control's boundary: whatever goes wrong while frames are judged stops nothing but their judgement.

That goes for memory too. A job would answer `OutOfMemory` with a smaller canvas, which helps no score.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from videomama_client.errors import Cancelled

log = logging.getLogger(__name__)

Result = TypeVar("Result")


def tried(work: Callable[[], Result]) -> Result | Exception:
    """Do something and return what came of it, or the error that it raised; only `Cancelled` is raised on."""
    try:
        return work()
    except Cancelled:
        raise
    except Exception as error:  # noqa: BLE001  (frames are not judged then; whoever asked names them)
        return error


def judging(work: Callable[[], Result], purpose: str) -> Result | None:
    """Do something for a job and return what came of it; None where it failed, which the log says with its traceback.

    Args:
        work: what to do.
        purpose: what for, as in "judge frame 1001".
    """
    found = tried(work)
    if isinstance(found, Exception):
        log.error("quality control could not %s", purpose, exc_info=found)
        return None
    return found
