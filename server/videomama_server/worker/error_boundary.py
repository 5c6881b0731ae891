"""The worker's boundary: turns whatever goes wrong there into one typed error."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import TypeVar

import cv2
from videomama_client.disk_errors import disk_error
from videomama_client.errors import InternalError, OutOfMemory, VideoMaMaError

from videomama_server.engines.base import DeviceLost

log = logging.getLogger(__name__)

EXIT_DEVICE_LOST = 3
Result = TypeVar("Result")


def result_or_error(work: Callable[[], Result], name: str, log_location: str) -> Result | VideoMaMaError:
    """Do something and return what came of it, or why nothing did; a lost device ends the process.

    Args:
        work: what to do.
        name: of it, for the log.
        log_location: where a person finds the log.
    """
    try:
        return work()
    except VideoMaMaError as error:
        return error
    except MemoryError as error:
        return _out_of_memory(error)
    except OSError as error:
        return _with_notes(disk_error(error, "Finished frames are cached."), error)
    except DeviceLost:
        log.exception("the device is lost, so this worker ends")
        os._exit(EXIT_DEVICE_LOST)
    except Exception as error:
        if isinstance(error, cv2.error) and error.code == cv2.Error.StsNoMem:
            return _out_of_memory(error)
        log.exception("%s failed", name)
        return _with_notes(InternalError(f"{type(error).__name__}: {error}", f"See {log_location}."), error)


def _out_of_memory(error: BaseException) -> VideoMaMaError:
    return _with_notes(OutOfMemory("the job does not fit in memory", "Choose a smaller --window or --roi."), error)


def _with_notes(told: VideoMaMaError, error: BaseException) -> VideoMaMaError:
    """Return what is told of an error with its notes first, such as the stage of the job that it came from."""
    for note in reversed(getattr(error, "__notes__", ())):
        told = told.within(note)
    return told
