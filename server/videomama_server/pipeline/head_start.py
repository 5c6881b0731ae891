"""Lets a device compute the first windows of a job while the masks of its other frames are still looked at."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from videomama_client.errors import VideoMaMaError

from videomama_server.engines.base import needs_device
from videomama_server.pipeline.chain import Chain, SurveyedStage
from videomama_server.pipeline.order import Order
from videomama_server.pipeline.services import Services
from videomama_server.pipeline.sources import DiskSource
from videomama_server.pipeline.survey import Pause, foresee

log = logging.getLogger(__name__)


def head_start(
    order: Order, services: Services, chain_of: Callable[[list[SurveyedStage]], Chain]
) -> Generator[Pause, None, Chain | None]:
    """Return a chain whose first windows are computed and not delivered; None where that cannot be.

    One of several objects has none: its region follows from the masks of all.
    What goes wrong meanwhile is left to the survey, and to the job after it, which meet it again.

    Args:
        order: of the job, before its survey.
        services: what is shared with the other jobs.
        chain_of: makes the chain of a job's stages.
    """
    reader = order.reader
    on_disk = isinstance(reader.plate, DiskSource) and isinstance(reader.mask, DiskSource)
    one_of_windows = not order.object and order.walking is None
    if not needs_device(order.engine) or not on_disk or not one_of_windows:
        return None
    chain = None
    try:
        early = yield from foresee(order, services.readers)
        if early is None:
            return None
        chain = chain_of([SurveyedStage(order, early)])
        with in_background(reader.mask_facts, early.plan.frames, services.readers, services.threads):
            yield from chain.head_start()
    except (VideoMaMaError, OSError) as error:
        log.info("job %s got no head start: %s", order.job, error)
        abandon(chain)
        return None
    except BaseException:
        abandon(chain)
        raise
    return chain


def abandon(chain: Chain | None) -> None:
    """Forget what a chain has read and computed, if there is one."""
    if chain is not None:
        chain.cancel()
        chain.release()


@contextmanager
def in_background(
    work: Callable[[int], object], frames: Iterable[int], threads: Executor, count: int
) -> Iterator[None]:
    """Do work on frames, one after the other, while the block runs, until one fails.

    Each waits behind all that the threads were given before, so that whatever else they have to do comes first.

    Args:
        work: what is done; what it raises is dropped.
        frames: to do it on.
        threads: that do it.
        count: on how many at a time.
    """
    left, lock, ended = iter(frames), threading.Lock(), threading.Event()

    def step() -> None:
        with lock:
            frame = next(left, None)
        if frame is None or ended.is_set():
            return
        try:
            work(frame)
        except (VideoMaMaError, OSError):
            ended.set()
        if not ended.is_set():
            threads.submit(step)

    for _ in range(count):
        threads.submit(step)
    try:
        yield
    finally:
        ended.set()
