import errno
import os

import cv2
import pytest
from videomama_client.errors import BadInput, InternalError, NotPermitted, OutOfMemory
from videomama_server.engines.base import DeviceLost
from videomama_server.worker.error_boundary import EXIT_DEVICE_LOST, result_or_error


def failing(error):
    def work():
        raise error

    return result_or_error(work, "job 1", "/log")


def test_what_comes_of_the_work_is_returned():
    assert result_or_error(lambda: 5, "job 1", "/log") == 5


def test_a_typed_error_is_told_as_it_is():
    error = BadInput("message", "hint")
    assert failing(error) is error


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (MemoryError(), OutOfMemory, "does not fit in memory"),
        (OSError(errno.ENOSPC, "no space"), NotPermitted, "no space is left"),
        (OSError(errno.EROFS, "read-only"), NotPermitted, "the disk is read-only"),
        (FileNotFoundError(errno.ENOENT, "gone"), NotPermitted, "was removed meanwhile"),
        (OSError(errno.EIO, "broken"), NotPermitted, "the disk failed"),
        (ZeroDivisionError("by zero"), InternalError, "ZeroDivisionError: by zero"),
    ],
    ids=str,
)
def test_anything_else_becomes_a_typed_error_that_says_what_to_do(error, kind, said):
    told = failing(error)
    assert type(told) is kind
    assert said in told.message
    assert told.hint


def test_what_nobody_foresaw_is_logged_with_its_place(caplog):
    assert "/log" in failing(KeyError("x")).hint
    assert "job 1 failed" in caplog.text
    assert "Traceback" in caplog.text


def test_what_opencv_cannot_allocate_is_out_of_memory():
    lacking = cv2.error("Insufficient memory")
    lacking.code = cv2.Error.StsNoMem
    assert type(failing(lacking)) is OutOfMemory


@pytest.mark.parametrize(
    "error", [MemoryError(), OSError(errno.ENOSPC, "no space", "/out"), ZeroDivisionError("by zero")], ids=str
)
def test_the_stage_of_a_job_that_an_error_came_from_is_named(error):
    plain = failing(error)
    error.add_note("stage 2, classic")
    told = failing(error)
    assert told.message == f"stage 2, classic: {plain.message}"
    assert (type(told), told.hint, told.file) == (type(plain), plain.hint, plain.file)


def test_a_lost_device_ends_the_process_with_a_code_of_its_own(monkeypatch, caplog):
    def leave(code):
        raise SystemExit(code)

    monkeypatch.setattr(os, "_exit", leave)
    with pytest.raises(SystemExit) as left:
        failing(DeviceLost("the card is gone"))
    assert left.value.code == EXIT_DEVICE_LOST == 3
    assert "the device is lost" in caplog.text


def test_another_error_of_opencv_is_a_fault():
    odd = cv2.error("bad argument")
    odd.code = cv2.Error.StsBadArg
    assert type(failing(odd)) is InternalError
