"""Jobs whose survey is done, for tests of what comes after it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, wait

import pytest
from videomama_server.pipeline.survey import take_survey

CLIP = range(1001, 1015)


@pytest.fixture
def shot(make_shot):
    """Fourteen frames."""
    return make_shot(CLIP)


@pytest.fixture
def take():
    """Take a generator of steps to its end, waiting where it waits, and return what it returns."""

    def take(steps):
        while True:
            try:
                pause = next(steps)
            except StopIteration as end:
                return end.value
            if pause is not None:
                wait([pause])

    return take


@pytest.fixture
def surveyed(bench, take):
    """Return the order and the survey of a new job; the fields that are asked for are as for `bench.run`."""

    def make(shot, engine, roi="8,8,48,32", **asked):
        order = bench.order(shot, engine, roi=roi, **asked)
        return order, take(take_survey(order, bench.readers, threading.Event()))

    return make


@pytest.fixture
def blocked():
    """A pool of one thread that is busy until `blocked.go` is set; `blocked.given` are the frames it was given."""

    class Blocked(ThreadPoolExecutor):
        def __init__(self):
            super().__init__(1)
            self.go, self.given = threading.Event(), []
            super().submit(self.go.wait)

        def submit(self, work, /, *arguments, **named):
            self.given.append(arguments[0])
            return super().submit(work, *arguments, **named)

    with Blocked() as pool:
        yield pool
        pool.go.set()
