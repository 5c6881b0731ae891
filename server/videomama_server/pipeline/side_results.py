"""Makes the side results of one job, such as the foreground's colour, while its alphas land.

Each frame is a task of its own that begins when its alpha is there: it is looked up in the cache, else its plate is
read by a reading thread and it is made by a writing one. So the job's own thread only waits at the end. A frame that
fails holds up neither its alpha nor the others; what failed is raised at the end.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent import futures
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Optional

import cv2
from videomama_client.disk_errors import disk_error
from videomama_client.errors import InternalError, OutOfMemory, VideoMaMaError
from videomama_client.messages import JobEvent, SideDone, SideFrameDone
from videomama_client.settings import Resolved

from videomama_server import heartbeat
from videomama_server.cache.entries import Look
from videomama_server.media import frames, sequences
from videomama_server.media.delivery import Delivery
from videomama_server.media.frames import Picture
from videomama_server.pipeline.entry_key import side_key
from videomama_server.pipeline.order import Order
from videomama_server.pipeline.services import Services
from videomama_server.pipeline.side_kinds import Side, SideStep, kind_of
from videomama_server.pipeline.survey import Pause, check_cancelled, finished

log = logging.getLogger(__name__)

_AT_ONCE = 4  # frames: each takes about 100 bytes per pixel

Part = Callable[[], Optional["Following"]]  # of a task; returns what follows, or None at the end
Following = tuple[Executor, Part]


@dataclass(frozen=True)
class _Making:
    """How one side result of a job is made and delivered; its settings are settled."""

    side: Side
    step: SideStep
    delivery: Delivery

    @property
    def kind(self) -> str:
        return self.side.asked.kind

    @classmethod
    def of(cls, side: Side, settings: Resolved) -> _Making:
        step = kind_of(side.asked).step(side.asked, settings)
        return cls(side, step, side.delivery.saying(step.attributes()))

    @property
    def look(self) -> Look:
        content = self.delivery.content
        return Look(content.channels, content.stored or self.delivery.pixel_type, self.step.attributes())


@dataclass
class _Task:
    """One frame of one side result.

    Attributes:
        key, alpha: of the entry that it is made from, and that entry's file.
        error: why it could not be made; without a traceback, which would hold on to pixels.
        done: when it is over, well or not.
    """

    making: _Making
    frame: int
    key: str
    alpha: Path
    error: VideoMaMaError | None = None
    done: Future[None] = field(default_factory=Future)


class SideResults:
    """The side results of one job. `follow` may be called from any thread, the rest by the job's own.

    Args:
        order: of the job.
        services: what is shared with the other jobs.
        emit: takes what clients are told of each frame; called from several threads.
        cancelled: set from outside to stop the job.
    """

    def __init__(
        self, order: Order, services: Services, emit: Callable[[JobEvent], None], cancelled: threading.Event
    ) -> None:
        self._order = order
        self._services = services
        self._emit = emit
        self._cancelled = cancelled
        self._makings: list[_Making] = []
        self._tasks: list[_Task] = []
        self._waiting: deque[_Task] = deque()
        self._under_way = 0
        self._writing: set[Future[None]] = set()
        self._closed = False
        self._counts: dict[str, dict[int, bool]] = {side.asked.kind: {} for side in order.sides}  # whether cached
        self._lock = threading.Lock()

    def begin(self, settings: Resolved) -> None:
        """Settle how each is made; raises `BadInput` for a colour space that is not there."""
        self._makings = [_Making.of(side, settings) for side in self._order.sides]

    def follow(self, frame: int, key: str, alpha: Path) -> None:
        """Have the side results of a frame made: its alpha is there.

        Args:
            frame: its number.
            key: of the alpha's entry.
            alpha: that entry's file.
        """
        tasks = [_Task(making, frame, key, alpha) for making in self._makings]
        with self._lock:
            self._tasks += tasks
            self._waiting += tasks
        self._begin_more()

    def finish(self) -> Iterator[Pause]:
        """Wait for all, yielding what is under way.

        Raises:
            VideoMaMaError: why the first frame that failed could not be made; all others are.
            Cancelled: the job was cancelled.
        """
        yield from self._settled()
        failed = [task for task in self._tasks if task.error is not None]
        if failed:
            raise _failure(failed)

    def drop(self) -> Iterator[Pause]:
        """Forget all that was followed, yielding what is still under way: the alphas are about to be made again."""
        self._forget_waiting()
        yield from self._settled()
        self._tasks.clear()

    def close(self) -> None:
        """Begin nothing any more, and wait for what is being written; a read that waits for a client is left alone."""
        with self._lock:
            self._closed = True
            writing = list(self._writing)
        self._forget_waiting()
        futures.wait([write for write in writing if not write.cancel()])

    def done(self) -> list[SideDone]:
        """Return what each kind came to."""
        return [
            SideDone(kind, list(known.values()).count(False), list(known.values()).count(True), self._order.object)
            for kind, known in self._counts.items()
        ]

    def _settled(self) -> Iterator[Pause]:
        for task in self._tasks:
            yield from finished(task.done)
            check_cancelled(self._cancelled)

    def _begin_more(self) -> None:
        """Begin as many of the tasks that wait as may be under way; those of a job that stops are over."""
        if self._stops:
            self._forget_waiting()
            return
        with self._lock:
            count = min(min(_AT_ONCE, self._services.threads) - self._under_way, len(self._waiting))
            begun = [self._waiting.popleft() for _ in range(count)]
            self._under_way += count
        for task in begun:
            self._submit(task, self._services.writers, partial(self._look_up, task))

    def _forget_waiting(self) -> None:
        """End all tasks that have not begun."""
        with self._lock:
            dropped = list(self._waiting)
            self._waiting.clear()
        for task in dropped:
            task.done.set_result(None)

    def _submit(self, task: _Task, pool: Executor, part: Part) -> None:
        """Have a part of a task done; that of a job that stops ends."""
        with self._lock:
            if not self._stops:
                running = pool.submit(self._do, task, part)
                if pool is self._services.writers:
                    self._writing.add(running)
                    running.add_done_callback(self._writing.discard)
                return
        self._end(task)

    @property
    def _stops(self) -> bool:
        return self._closed or self._cancelled.is_set()

    def _do(self, task: _Task, part: Part) -> None:
        following = None
        try:
            following = part()
        except Exception as error:  # noqa: BLE001  (told at the end, by its kind)
            task.error = _told(error, task)
        if following is None:
            self._end(task)
        else:
            self._submit(task, *following)

    def _end(self, task: _Task) -> None:
        with self._lock:
            self._under_way -= 1
        task.done.set_result(None)
        self._begin_more()

    def _look_up(self, task: _Task) -> Following | None:
        """Deliver what the cache has, else go on with the plate."""
        facts = self._order.reader.plate_facts(task.frame)
        assert facts is not None  # the key of the alpha depends on it
        making = task.making
        key = side_key(making.kind, task.key, facts.digest, making.look.dtype, making.step.key_fields())
        entry = self._services.cache.lookup(key)
        if entry is None:
            return self._services.readers, partial(self._read, task, key)
        self._deliver(task, entry, cached=True)
        return None

    def _read(self, task: _Task, key: str) -> Following:
        plate = self._order.reader.read_plate(task.frame)
        return self._services.writers, partial(self._make, task, key, plate)

    def _make(self, task: _Task, key: str, plate: Picture) -> None:
        alpha = frames.conform(frames.read_mask(task.alpha, "A"), plate.geometry)
        pixels = task.making.step.make(plate.pixels, alpha)
        entry = self._services.cache.publish(key, pixels, plate.geometry, task.making.look)
        self._deliver(task, entry, cached=False)

    def _deliver(self, task: _Task, entry: Path, cached: bool) -> None:
        making, frame = task.making, task.frame
        path = making.delivery.deliver(entry, frame)
        heartbeat.beat()
        with self._lock:
            self._counts[making.kind].setdefault(frame, cached)
        self._emit(SideFrameDone(self._order.job, making.kind, frame, cached, str(path), self._order.object))


def _told(error: Exception, task: _Task) -> VideoMaMaError:
    """Return what a person is told of a frame that could not be made."""
    path = task.making.delivery.pattern.path(task.frame)
    return _typed(error).at(task.making.kind, task.frame, path)


def _typed(error: Exception) -> VideoMaMaError:
    if isinstance(error, VideoMaMaError):
        return error
    if isinstance(error, OSError):
        return disk_error(error)
    if isinstance(error, MemoryError) or (isinstance(error, cv2.error) and error.code == cv2.Error.StsNoMem):
        return OutOfMemory("it does not fit in memory", "Crop the plate, or give the server more memory.")
    log.error("a side result failed", exc_info=error)
    return InternalError(f"{type(error).__name__}: {error}", "See the server's log.")


def _failure(failed: list[_Task]) -> VideoMaMaError:
    """Return the error of the first frame that failed, with the frames that lack the same side result."""
    first = min(failed, key=lambda task: task.frame)
    error, kind = first.error, first.making.kind
    assert error is not None
    lacking = sorted(task.frame for task in failed if task.making.kind == kind)
    error.hint = f"{error.hint} All alphas are done; {kind} frames {sequences.format_range(lacking)} are not.".lstrip()
    return error
