"""Does one job inside the worker: read, compute and write window by window, in overlap.

What is in memory is the window in flight, the frames read ahead for the next, and the alphas being written.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent import futures
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
from videomama_client.errors import Cancelled
from videomama_client.messages import FrameDone, JobEvent, MatteDone, MattePlanned

from videomama_server import color, windows
from videomama_server.cache import Cache
from videomama_server.engines.base import EngineFrame
from videomama_server.frames import FloatArray
from videomama_server.geometry import Geometry, Rect
from videomama_server.memo import Memo
from videomama_server.reader import LoadedFrame, cut
from videomama_server.survey import Order, Pause, Survey, finished, look
from videomama_server.windows import Window


@dataclass(frozen=True)
class Services:
    """What all jobs of a worker share."""

    cache: Cache
    memo: Memo
    readers: ThreadPoolExecutor
    writers: ThreadPoolExecutor
    threads: int


class Matte:
    """One job. `run` is a generator so that a more urgent job can go between two windows.

    Args:
        order: what to do.
        services: what is shared with the other jobs.
        emit: takes the job's events; called from several threads.
        cancelled: set from outside to stop the job.
    """

    def __init__(
        self, order: Order, services: Services, emit: Callable[[JobEvent], None], cancelled: threading.Event
    ) -> None:
        self._order = order
        self._services = services
        self._emit = emit
        self._cancelled = cancelled
        self._loads: dict[int, Future[LoadedFrame]] = {}
        self._loaded: dict[int, LoadedFrame] = {}
        self._prepared: dict[int, tuple[Rect, Any]] = {}
        self._sums: dict[int, FloatArray] = {}
        self._writes: deque[Future[None]] = deque()
        self._asked: set[int] = set()  # looked up in the cache, found or not
        self._done: set[int] = set()
        self._cached = 0

    def run(self) -> Iterator[Pause]:
        """Do the job, yielding where another job may go first or nothing can be done yet; ends with `MatteDone`.

        Raises:
            VideoMaMaError, OSError: what went wrong; finished frames are in the cache.
        """
        started = time.monotonic()
        try:
            survey = yield from look(self._order, self._services.readers, self._cancelled)
            out = self._order.delivery.pattern
            self._emit(
                MattePlanned(
                    self._order.job,
                    self._order.engine_name,
                    survey.roi,
                    len(survey.plan.wanted),
                    str(out.folder / f"{out.head}{'#' * out.digits}{out.tail}"),
                )
            )
            with self._services.cache.hold(self._order.job):
                yield from self._windows(survey)
        finally:
            for load in self._loads.values():
                load.cancel()
            futures.wait([write for write in self._writes if not write.cancel()])  # nothing lands after the end
            self._services.memo.save()
        self._emit(self._report(survey, time.monotonic() - started))

    def _windows(self, survey: Survey) -> Iterator[Pause]:
        queue = deque(survey.plan.windows)
        while queue:
            self._read_ahead(survey, queue)
            window = queue.popleft()
            yield from self._read(survey, self._unknown(survey, window))
            self._look_up(survey, window)
            if self._pending(survey, window):
                yield from self._read(survey, window.frames)
                yield None
                self._look_up_again(survey, window)
                self._refine(survey, window, self._pending(survey, window))
            self._release(queue[0].first if queue else None)
            self._check_cancelled()
        self._wait_for_writes(0)

    def _pending(self, survey: Survey, window: Window) -> list[int]:
        return [frame for frame in window.frames if frame in survey.plan.by_frame and frame not in self._done]

    def _read_ahead(self, survey: Survey, queue: deque[Window]) -> None:
        """Start reading what the next windows need, as far as memory is granted."""
        budget = max(survey.plan.shape.length, 2 * self._services.threads)
        coming = {frame for window in list(queue)[:1] for frame in window.frames}
        for window in queue:
            self._look_up(survey, window)
            for frame in window.frames if self._pending(survey, window) else ():
                if len(self._loads.keys() - coming) >= budget and frame not in coming:
                    return
                self._load(survey, frame)

    def _load(self, survey: Survey, frame: int) -> Future[LoadedFrame]:
        if frame not in self._loads:
            read = self._order.reader.load
            self._loads[frame] = self._services.readers.submit(read, frame, survey.region, survey.display)
        return self._loads[frame]

    def _read(self, survey: Survey, frames: Iterable[int]) -> Iterator[Pause]:
        """Wait until frames are in memory."""
        for frame in frames:
            self._loaded[frame] = yield from finished(self._load(survey, frame))
            self._check_cancelled()

    def _unknown(self, survey: Survey, window: Window) -> list[int]:
        """Return the frames without whose digest the pending frames of a window cannot be looked up."""
        contributing = {other for frame in self._pending(survey, window) for other in survey.plan.by_frame[frame]}
        frames = sorted({frame for other in contributing for frame in other.frames})
        return [frame for frame in frames if self._order.reader.plate_facts(frame) is None]

    def _look_up(self, survey: Survey, window: Window) -> None:
        """Deliver the frames of a window that the cache has; those whose key is not known yet are left for later."""
        for frame in self._pending(survey, window):
            if frame in self._asked:
                continue
            key = self._key(survey, frame)
            if key is None:
                continue
            self._asked.add(frame)
            entry = self._services.cache.lookup(key)
            if entry is not None:
                self._done.add(frame)
                self._cached += 1
                self._write(self._deliver, entry, frame, True)

    def _look_up_again(self, survey: Survey, window: Window) -> None:
        """Take what another job or machine has finished since the frames were looked up."""
        self._asked.difference_update(self._pending(survey, window))
        self._look_up(survey, window)

    def _key(self, survey: Survey, frame: int) -> str | None:
        """Return the key of a frame, or None while a plate that it depends on has not been digested."""
        reader = self._order.reader
        rows: list[tuple[Window, list[str]]] = []
        for window in survey.plan.by_frame[frame]:
            digests: list[str] = []
            for number in window.frames:
                plate = reader.plate_facts(number)
                if plate is None:
                    return None
                digests += [plate.digest, reader.mask_facts(number).digest]
            rows.append((window, digests))
        return survey.identity.key(frame, rows)

    def _refine(self, survey: Survey, window: Window, pending: Sequence[int]) -> None:
        """Compute one window and add it to its pending frames; write those that no later window adds to."""
        if not pending:
            return
        settings = survey.identity.settings
        engine = self._order.engine
        loaded = [self._loaded[frame] for frame in window.frames]
        region = survey.region or reduce(Rect.union, (frame.geometry.canvas for frame in loaded))
        states = [self._state(survey, frame, region) for frame in loaded]
        alphas = engine.refine(states, settings)
        for frame in pending:
            contributing = survey.plan.by_frame[frame]
            share = windows.weights(contributing, frame, survey.plan.shape.overlap)[window]
            alpha = alphas[frame - window.first]
            if survey.region is None:
                alpha = cut(alpha, region, self._loaded[frame].geometry.canvas)
            if len(contributing) > 1:
                alpha = self._sums.pop(frame, np.float32(0.0)) + np.float32(share) * alpha
            if window != contributing[-1]:
                self._sums[frame] = alpha
            else:
                self._done.add(frame)
                self._finish(survey, frame, alpha)

    def _state(self, survey: Survey, loaded: LoadedFrame, region: Rect) -> Any:
        """Return what the engine prepared of a frame, made once for as long as the region stays the same."""
        known = self._prepared.get(loaded.number)
        if known is not None and known[0] == region:
            return known[1]
        self._check_cancelled()
        settings = survey.identity.settings
        transform = color.display_transform(settings.colorspace, settings.exposure)
        held = survey.region or loaded.geometry.canvas
        plate, mask = cut(loaded.plate, held, region), cut(loaded.mask, held, region)
        if survey.region is not None:
            loaded.plate = np.zeros((0, 0, 3), np.float32)  # not needed twice: free it before the window is done
        size = (survey.display.h, survey.display.w)
        state = self._order.engine.prepare(EngineFrame(loaded.number, mask, size, lambda: transform(plate)), settings)
        self._prepared[loaded.number] = (region, state)
        return state

    def _finish(self, survey: Survey, frame: int, alpha: FloatArray) -> None:
        """Hand a finished alpha to the writers."""
        loaded = self._loaded[frame]
        key = self._key(survey, frame)
        assert key is not None  # all its windows have been read
        if frame in survey.empty:
            alpha = np.zeros_like(alpha)
        self._write(self._publish, key, _on_canvas(alpha, loaded, survey.region), loaded.geometry, frame)

    def _publish(self, key: str, alpha: FloatArray, geometry: Geometry, frame: int) -> None:
        self._deliver(self._services.cache.publish(key, alpha, geometry), frame, False)

    def _deliver(self, entry: Path, frame: int, cached: bool) -> None:
        path = self._order.delivery.deliver(entry, frame)
        self._emit(FrameDone(self._order.job, frame, cached, str(path)))

    def _write(self, task: Callable[..., None], *arguments: object) -> None:
        self._wait_for_writes(2 * self._services.threads)
        self._writes.append(self._services.writers.submit(task, *arguments))

    def _wait_for_writes(self, allowed: int) -> None:
        """Wait until at most `allowed` writes are under way; raises what a write raised."""
        while len(self._writes) > allowed or (self._writes and self._writes[0].done()):
            self._writes.popleft().result()

    def _release(self, first: int | None) -> None:
        """Forget the frames that no window to come needs."""
        for store in (self._loads, self._loaded, self._prepared):
            for frame in [frame for frame in store if first is None or frame < first]:
                del store[frame]

    def _check_cancelled(self) -> None:
        if self._cancelled.is_set():
            raise Cancelled("the job was cancelled", "What was finished is in the cache.")

    def _report(self, survey: Survey, seconds: float) -> MatteDone:
        frames = len(survey.plan.wanted)
        cache = self._services.cache
        lost = f"the cache folder {cache.folder} cannot be written; alphas are cached only while the server runs"
        return MatteDone(
            job=self._order.job,
            frames=frames,
            computed=frames - self._cached,
            cached=self._cached,
            seconds=seconds,
            engine=self._order.engine_name,
            roi=survey.roi,
            warnings=survey.warnings if cache.lasting else [*survey.warnings, lost],
        )


def _on_canvas(alpha: FloatArray, loaded: LoadedFrame, region: Rect | None) -> FloatArray:
    """Return the alpha on the plate's whole canvas; outside the region the mask passes unchanged."""
    canvas = loaded.geometry.canvas
    alpha = np.clip(np.nan_to_num(alpha, nan=0.0), 0.0, 1.0)
    if region is None or region == canvas:
        return alpha
    full = np.zeros((canvas.h, canvas.w), np.float32) if loaded.outside is None else loaded.outside.copy()
    shared = region.intersect(canvas)
    if not shared.empty:
        full[shared.slices(canvas)] = alpha[shared.slices(region)]
    return full
