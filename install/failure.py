"""The one error that the installer shows to a person, and how it is told: what went wrong and what to do about it."""

from __future__ import annotations

import sys
from typing import Callable

_INTERRUPTED = 130


class InstallError(Exception):
    """A failure that is told in `message`, with `hint` saying what the person can do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def told(work: Callable[[], int]) -> int:
    """Do `work` and return its exit code, as shells have it; tell a failure in sentences, without a traceback."""
    try:
        code = work()
    except InstallError as error:
        print(f"error: {error.message}\n{error.hint}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {error}\nCheck the folder's permissions and that the disk is not full.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    # A negative code is the signal that killed the child; the shell's convention for it is 128 and up.
    return code if code >= 0 else 128 - code
