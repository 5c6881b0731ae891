"""The worker's boundary: turns whatever goes wrong there into one typed error."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable
from typing import TypeVar

import cv2
from videomama_client.errors import InternalError, NotPermitted, OutOfMemory, VideoMaMaError

from videomama_server.engines.base import DeviceLost

log = logging.getLogger(__name__)

EXIT_DEVICE_LOST = 3
_DISK = {  # why a file could not be used, and what to do
    errno.ENOSPC: ("no space is left on the disk", "Free some space and run again."),
    errno.EDQUOT: ("your quota of the disk is used up", "Free some space and run again."),
    errno.EROFS: ("the disk is read-only", "Make it writable, or choose another folder, and run again."),
    errno.ENOENT: ("the file or its folder was removed meanwhile", "Run again."),
    errno.EACCES: ("permission was denied", "Check the permissions of its folder and run again."),
    errno.EPERM: ("permission was denied", "Check the permissions of its folder and run again."),
    errno.ENAMETOOLONG: ("the name is too long for the disk", "Choose a shorter name and run again."),
    errno.EISDIR: ("a folder of that name is in its place", "Choose another name, or move the folder, and run again."),
    errno.ENOTDIR: ("a part of its path is a file, not a folder", "Choose another folder and run again."),
}
Result = TypeVar("Result")


def attempt(work: Callable[[], Result], name: str, log_place: str) -> Result | VideoMaMaError:
    """Do something and return what came of it, or why nothing did; a lost device ends the process.

    Args:
        work: what to do.
        name: of it, for the log.
        log_place: where a person finds the log.
    """
    try:
        return work()
    except VideoMaMaError as error:
        return error
    except MemoryError:
        return _out_of_memory()
    except OSError as error:
        return disk_error(error, "Finished frames are cached.")
    except DeviceLost:
        log.exception("the device is lost, so this worker ends")
        os._exit(EXIT_DEVICE_LOST)
    except Exception as error:
        if isinstance(error, cv2.error) and error.code == cv2.Error.StsNoMem:
            return _out_of_memory()
        log.exception("%s failed", name)
        return InternalError(f"{type(error).__name__}: {error}", f"See {log_place}.")


def _out_of_memory() -> OutOfMemory:
    return OutOfMemory("the job does not fit in memory", "Choose a smaller --window or --roi.")


def disk_error(error: OSError, kept: str = "") -> VideoMaMaError:
    """Return what a person is told when a file could not be written, or was removed while it was needed.

    Args:
        error: what the system said.
        kept: a sentence on what is there all the same.
    """
    failed = f"the disk failed ({error.strerror or error})", "Check the disk and run again."
    what, hint = _DISK.get(error.errno or 0, failed)
    file = str(error.filename or "")
    return NotPermitted(f"{f'{file}: ' if file else ''}{what}", f"{hint} {kept}".rstrip(), file=file)
