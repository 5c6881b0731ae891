import logging

import cv2
import numpy as np
import pytest
from videomama_client.errors import BadInput, Cancelled, OutOfMemory
from videomama_server.qc.boundary import judging, tried


def raising(error):
    def work():
        raise error

    return work


def test_what_came_of_the_work_is_returned():
    assert tried(lambda: 3) == judging(lambda: 3, "count") == 3


@pytest.mark.parametrize(
    "error",
    [ValueError("shapes"), MemoryError(), OutOfMemory("too large", ""), BadInput("sizes", ""), OSError(5, "disk")],
)
def test_every_error_is_returned_and_logged_with_its_traceback(error, caplog):
    assert tried(raising(error)) is error
    with caplog.at_level(logging.ERROR):
        assert judging(raising(error), "judge frame 1003") is None
    (record,) = caplog.records
    assert record.message == "quality control could not judge frame 1003"
    assert record.exc_info[1] is error
    assert record.exc_info[2] is not None


def test_an_error_of_the_picture_library_is_caught():
    failure = tried(lambda: cv2.resize(np.zeros((0, 0), np.float32), (3, 3)))
    assert isinstance(failure, cv2.error)


@pytest.mark.parametrize("error", [Cancelled("stop", ""), KeyboardInterrupt(), SystemExit(3)])
def test_whoever_stops_the_job_is_heard(error):
    for boundary in (tried, lambda work: judging(work, "judge")):
        with pytest.raises(type(error)):
            boundary(raising(error))
