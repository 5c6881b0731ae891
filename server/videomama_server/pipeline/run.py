"""Does one job inside the worker: read, compute and write window by window, in overlap.

What is in memory is the window in flight, the frames read ahead for the next, and the alphas being written.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent import futures
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
from videomama_client.errors import Cancelled, OutOfMemory
from videomama_client.messages import FrameDone, JobEvent, MatteDone, MattePlanned

from videomama_server import heartbeat
from videomama_server.arrays import FloatArray
from videomama_server.cache.entries import Cache
from videomama_server.cache.memo import Memo
from videomama_server.engines.base import EngineFrame
from videomama_server.media import color
from videomama_server.media.geometry import Geometry, Rect
from videomama_server.pipeline import morphology, windows
from videomama_server.pipeline import region as regions
from videomama_server.pipeline.plan import Group
from videomama_server.pipeline.quality_control import Control, Scene
from videomama_server.pipeline.reader import LoadedFrame, cut
from videomama_server.pipeline.rejudge import rejudge
from videomama_server.pipeline.survey import Order, Pause, Survey, finished, look
from videomama_server.pipeline.windows import Window

log = logging.getLogger(__name__)


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
        self._sums: dict[int, FloatArray] = {}  # estimates, cross-faded as far as their windows were seen
        self._writes: deque[Future[None]] = deque()
        self._asked: set[int] = set()  # looked up in the cache, found or not
        self._done: set[int] = set()
        self._cached = 0
        self._control = Control(services.cache)

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
                    str(out.folder / out.name),
                    self._order.engine.describe(survey.identity.settings),
                    [survey.space] if survey.space else [],
                )
            )
            with self._services.cache.hold(self._order.job):
                survey = yield from self._windows_that_fit(survey)
                readers = self._services.readers
                yield from rejudge(self._order, survey, self._control, readers, self._cancelled)
        finally:
            for load in self._loads.values():
                load.cancel()
            futures.wait([write for write in self._writes if not write.cancel()])  # nothing lands after the end
            self._services.memo.save()
        self._emit(self._report(survey, time.monotonic() - started))

    def _windows_that_fit(self, survey: Survey) -> Generator[Pause, None, Survey]:
        """Compute all windows; out of memory, begin anew with what the engine settles for now."""
        while (trouble := (yield from self._tried(survey))) is not None:
            log.warning("%s", trouble)
            self._forget()
            survey = yield from self._smaller(survey, trouble)
        return survey

    def _tried(self, survey: Survey) -> Generator[Pause, None, OutOfMemory | None]:
        self._control.begin(survey.plan.places)
        try:
            yield from self._windows(survey)
        except OutOfMemory as error:
            return error
        return None

    def _smaller(self, survey: Survey, trouble: OutOfMemory) -> Generator[Pause, None, Survey]:
        """Return a survey with the engine's new settings; with none, the trouble is raised."""
        smaller = yield from look(self._order, self._services.readers, self._cancelled)
        if smaller.identity == survey.identity:
            raise trouble
        before, after = (found.identity.settings.canvas for found in (survey, smaller))
        smaller.warnings.append(f"a canvas of {before} did not fit in memory, {after} was taken instead")
        return smaller

    def _forget(self) -> None:
        """Begin anew: all frames of a job are computed with the same settings."""
        for store in (self._loads, self._loaded, self._prepared, self._sums):
            store.clear()
        self._wait_for_writes(0)
        self._asked.clear()
        self._done.clear()
        self._cached = 0

    def _windows(self, survey: Survey) -> Iterator[Pause]:
        queue = deque(survey.plan.windows)
        while queue:
            self._read_ahead(survey, queue)
            window = queue.popleft()
            if (yield from self._needed(survey, window)):
                yield from self._read(survey, window.frames)
                yield None
                self._forget_look_ups(survey, window)  # another job or machine may have finished them meanwhile
                if (yield from self._needed(survey, window)):
                    self._estimate(survey, window)
            for group in survey.plan.groups_of[window]:
                if group.windows[-1] == window:
                    yield from self._complete(survey, group)
            self._release(survey, queue[0] if queue else None)
            self._check_cancelled()
        self._wait_for_writes(0)

    def _pending(self, group: Group) -> list[int]:
        return [frame for frame in group.wanted if frame not in self._done]

    def _needed(self, survey: Survey, window: Window) -> Generator[Pause, None, bool]:
        """Whether a frame that the window contributes to has to be computed; delivers what the cache has.

        Plates are read for the sake of their digests only as long as all that is known is in the cache.
        """
        groups = survey.plan.groups_of[window]
        for group in groups:
            self._look_up(survey, group)
        if any(frame in self._asked for group in groups for frame in self._pending(group)):
            return True
        for group in groups:
            if self._pending(group):
                yield from self._read(survey, self._undigested(group))
                self._look_up(survey, group)
            if self._pending(group):
                return True
        return False

    def _read_ahead(self, survey: Survey, queue: deque[Window]) -> None:
        """Start reading what the next windows need, as far as memory is granted."""
        budget = max(survey.plan.shape.length, 2 * self._services.threads)
        coming = {frame for window in list(queue)[:1] for frame in window.frames}
        for window in queue:
            for group in survey.plan.groups_of[window]:
                self._look_up(survey, group)
            wanted = any(self._pending(group) for group in survey.plan.groups_of[window])
            for frame in window.frames if wanted else ():
                if len(self._loads.keys() - coming) >= budget and frame not in coming:
                    return
                self._load(survey, frame)

    def _load(self, survey: Survey, frame: int) -> Future[LoadedFrame]:
        if frame not in self._loads:
            settings = survey.identity.settings
            judged = frame in survey.plan.asked and frame not in self._done
            to_display = color.display_transform(settings.colorspace, settings.exposure) if judged else None
            read = self._order.reader.load
            self._loads[frame] = self._services.readers.submit(read, frame, survey.region, survey.display, to_display)
        return self._loads[frame]

    def _read(self, survey: Survey, frames: Iterable[int]) -> Iterator[Pause]:
        """Wait until frames are in memory."""
        for frame in frames:
            self._loaded[frame] = yield from finished(self._load(survey, frame))
            self._check_cancelled()

    def _undigested(self, group: Group) -> list[int]:
        """Return the frames without whose plates' digest a group cannot be looked up."""
        frames = sorted({frame for window in group.windows for frame in window.frames})
        return [frame for frame in frames if self._order.reader.plate_facts(frame) is None]

    def _look_up(self, survey: Survey, group: Group) -> None:
        """Deliver the frames of a group that the cache has; where its key is not known yet, that is left for later."""
        for frame in self._pending(group):
            if frame in self._asked:
                continue
            key = self._key(survey, frame, group)
            if key is None:
                return
            self._asked.add(frame)
            entry = self._services.cache.lookup(key)
            if entry is not None:
                self._done.add(frame)
                self._cached += 1
                self._write(self._deliver_cached, entry, frame, key)

    def _forget_look_ups(self, survey: Survey, window: Window) -> None:
        for group in survey.plan.groups_of[window]:
            self._asked.difference_update(self._pending(group))

    def _key(self, survey: Survey, frame: int, group: Group) -> str | None:
        """Return the key of a frame, or None while a plate that it depends on has not been digested."""
        reader = self._order.reader
        rows: list[tuple[Window, list[str]]] = []
        for window in group.windows:
            digests: list[str] = []
            for number in window.frames:
                plate = reader.plate_facts(number)
                if plate is None:
                    return None
                digests += [plate.digest, reader.mask_facts(number).digest]
            rows.append((window, digests))
        return survey.identity.key(frame, rows)

    def _estimate(self, survey: Survey, window: Window) -> None:
        """Let the engine estimate one window and add it to the frames that wanted ones depend on."""
        plan = survey.plan
        loaded = [self._loaded[frame] for frame in window.frames]
        region = survey.region or reduce(Rect.union, (frame.geometry.canvas for frame in loaded))
        states = [self._state(survey, frame, region) for frame in loaded]
        estimates = self._order.engine.refine(states, survey.identity.settings)
        needed = {frame for group in plan.groups_of[window] if self._pending(group) for frame in group.frames}
        for frame in sorted(needed.intersection(window.frames)):
            estimate = estimates[window.frames.index(frame)]
            if survey.region is None:
                estimate = cut(estimate, region, self._loaded[frame].geometry.canvas)
            contributing = plan.by_frame[frame]
            if len(contributing) > 1:
                share = np.float32(windows.weights(contributing, frame, plan.shape.overlap)[window])
                estimate = self._sums.get(frame, np.float32(0.0)) + share * estimate
            self._sums[frame] = estimate

    def _complete(self, survey: Survey, group: Group) -> Iterator[Pause]:
        """Turn the estimates of a group into alphas and hand those that are pending to the writers."""
        self._look_up(survey, group)
        pending = self._pending(group)
        if not pending:
            return
        if len(group.frames) > 1:
            yield None
        estimates = [self._sums[frame] for frame in group.frames]
        prepared = [self._prepared[frame][1] for frame in group.frames]
        positions = [group.frames.index(frame) for frame in pending]
        alphas = self._order.engine.complete(estimates, prepared, positions, survey.identity.settings)
        for frame, alpha in zip(pending, alphas, strict=True):
            key = self._key(survey, frame, group)
            assert key is not None  # all its windows have been read
            loaded = self._loaded[frame]
            whole = _on_canvas(np.zeros_like(alpha) if frame in survey.empty else alpha, loaded, survey.region)
            self._done.add(frame)
            scene = self._control.see(frame, key, loaded.glimpse, whole)
            self._write(self._publish, frame, key, scene, whole, loaded.geometry)

    def _state(self, survey: Survey, loaded: LoadedFrame, region: Rect) -> Any:
        """Return what the engine prepared of a frame, made once for as long as the region stays the same."""
        known = self._prepared.get(loaded.number)
        if known is not None and known[0] == region:
            return known[1]
        self._check_cancelled()
        settings = survey.identity.settings
        held = survey.region or loaded.geometry.canvas
        plate, mask = cut(loaded.plate, held, region), cut(loaded.mask, held, region)
        if survey.region is not None:
            loaded.plate = np.zeros((0, 0, 3), np.float32)  # not needed twice: free it before the window is done
        state = self._order.engine.prepare(self._engine_frame(survey, loaded.number, region, plate, mask), settings)
        self._prepared[loaded.number] = (region, state)
        heartbeat.beat()
        return state

    def _engine_frame(
        self, survey: Survey, number: int, region: Rect, plate: FloatArray, mask: FloatArray
    ) -> EngineFrame:
        settings, reader = survey.identity.settings, self._order.reader
        transform = color.display_transform(settings.colorspace, settings.exposure)
        size = (survey.display.h, survey.display.w)
        close, grow = settings.mask_close_holes, settings.mask_grow
        facts = reader.plate_facts(number)
        assert facts is not None  # it has been read
        where = regions.format_region(region)
        return EngineFrame(
            number=number,
            mask=morphology.shaped(mask, close, grow, max(size)),
            full_size=size,
            plate_key=f"{facts.digest} {where} {transform.fingerprint}",
            mask_key=f"{reader.mask_facts(number).digest} {where} {close:g} {grow:g}",
            load_plate=lambda: transform(plate),
        )

    def _publish(self, frame: int, key: str, scene: Scene | None, alpha: FloatArray, geometry: Geometry) -> None:
        entry = self._services.cache.publish(key, alpha, geometry)
        self._deliver(entry, frame, False)
        if scene is not None:
            self._control.judge(scene, entry)

    def _deliver_cached(self, entry: Path, frame: int, key: str) -> None:
        self._deliver(entry, frame, True)
        self._control.recall(frame, key, entry)

    def _deliver(self, entry: Path, frame: int, cached: bool) -> None:
        path = self._order.delivery.deliver(entry, frame)
        heartbeat.beat()
        self._emit(FrameDone(self._order.job, frame, cached, str(path)))

    def _write(self, task: Callable[..., None], *arguments: object) -> None:
        self._wait_for_writes(2 * self._services.threads)
        self._writes.append(self._services.writers.submit(task, *arguments))

    def _wait_for_writes(self, allowed: int) -> None:
        """Wait until at most `allowed` writes are under way; raises what a write raised."""
        while len(self._writes) > allowed or (self._writes and self._writes[0].done()):
            self._writes.popleft().result()

    def _release(self, survey: Survey, coming: Window | None) -> None:
        """Forget the frames that neither a window to come nor a group to complete needs."""
        first = None
        if coming is not None:
            first = min([coming.first, *(group.frames[0] for group in survey.plan.groups_of[coming])])
        for store in (self._loads, self._loaded, self._prepared, self._sums):
            for frame in [frame for frame in store if first is None or frame < first]:
                del store[frame]

    def _check_cancelled(self) -> None:
        if self._cancelled.is_set():
            raise Cancelled("the job was cancelled", "What was finished is in the cache.")

    def _report(self, survey: Survey, seconds: float) -> MatteDone:
        frames = len(survey.plan.wanted)
        cache = self._services.cache
        verdict = self._control.result(survey.plan.wanted)
        lost = f"the cache folder {cache.folder} cannot be written; alphas are cached only while the server runs"
        return MatteDone(
            job=self._order.job,
            frames=frames,
            computed=frames - self._cached,
            cached=self._cached,
            seconds=seconds,
            engine=self._order.engine_name,
            roi=survey.roi,
            plan=self._order.engine.describe(survey.identity.settings),
            warnings=[*survey.warnings, *verdict.warnings, *([] if cache.lasting else [lost])],
            judged=verdict.judged,
            flags=verdict.flags,
            colorspace=survey.identity.settings.colorspace,
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
