"""Jobs whose survey is done, for tests of what comes after it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, wait

import cv2
import numpy as np
import pytest
from videomama_server.engines.passthrough import PassthroughEngine
from videomama_server.pipeline import quality_control
from videomama_server.pipeline.object_region import surveyed_together
from videomama_server.pipeline.object_work import ObjectWork
from videomama_server.pipeline.survey import take_look

CLIP = range(1001, 1015)
SIZE = (90, 160)


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


def steps_of_survey(order, readers, cancelled):
    look = yield from take_look(order, readers, cancelled)
    (survey,) = surveyed_together([look])
    return survey


@pytest.fixture(scope="session")
def take_survey():
    """The survey of a job of one mask, as the pipeline takes it: `take_survey(order, readers, cancelled)`."""
    return steps_of_survey


@pytest.fixture
def surveyed(bench, take, take_survey):
    """Return the order and the survey of a new job; the fields that are asked for are as for `bench.run`."""

    def make(shot, engine, roi="8,8,48,32", **asked):
        order = bench.order(shot, engine, roi=roi, **asked)
        return order, take(take_survey(order, bench.readers, threading.Event()))

    return make


@pytest.fixture
def object_work(bench, take):
    """Return the surveyed work on a job of one mask; the arguments are those of `bench.order`."""
    made = []

    def make(shot, *engines, **asked):
        order = bench.order(shot, *engines, **asked)
        work = ObjectWork(order, bench.services, bench.events.append, threading.Event())
        made.append(work)
        take(work.look())
        work.take(*surveyed_together([work.found]))
        take(work.make_masks())
        return work

    yield make
    for work in made:
        work.close()


@pytest.fixture
def blocked():
    """A pool of one thread that is busy until `blocked.go` is set; `blocked.given` are the frames it was given."""

    class Blocked(ThreadPoolExecutor):
        def __init__(self):
            super().__init__(1)
            self.go, self.given = threading.Event(), []
            super().submit(self.go.wait)

        def submit(self, work, /, *arguments, **named):
            self.given.extend(arguments[:1])
            return super().submit(work, *arguments, **named)

    with Blocked() as pool:
        yield pool
        pool.go.set()


class Spoiling(PassthroughEngine):
    """Passes masks through, but for frames on which it drops, or dims, what it was given."""

    name = "spoiling"
    fingerprint = "spoiling-1"

    def __init__(self, **spoilt):
        self.spoilt = {int(frame[1:]): factor for frame, factor in spoilt.items()}

    def prepare(self, frame, settings):
        return frame.mask * np.float32(self.spoilt.get(frame.number, 1.0))


@pytest.fixture(scope="session")
def spoiling():
    """An engine that drops or dims frames: `spoiling(f1005=0.7)`."""
    return Spoiling


def head(x):
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float32)
    return np.clip((26 - np.hypot(columns - x, rows - 45)) / 3 + 0.5, 0, 1).astype(np.float32)


@pytest.fixture
def moving_shot(make_shot):
    """A disc with a texture that moves over another, as plates and masks on disk."""
    noise = np.random.default_rng(5).random((*SIZE, 3), dtype=np.float32)
    behind = cv2.GaussianBlur(noise, (0, 0), 2)
    made = make_shot([])
    for index, number in enumerate(range(1001, 1017)):
        alpha = head(55 + 2 * index)
        own = np.roll(behind[::-1], 2 * index, axis=1) + np.float32(0.3)
        made.put_plate(number, behind + (own - behind) * alpha[..., None])
        made.put_mask(number, alpha)
    return made


@pytest.fixture
def judged(monkeypatch):
    """List the scores by which each job is judged."""
    found = []
    real = quality_control.flags.judge
    monkeypatch.setattr(quality_control.flags, "judge", lambda scored: (found.append(scored), real(scored))[1])
    return found
