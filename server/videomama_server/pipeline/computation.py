"""Computes the alphas of one survey window by window: looks up, reads, estimates, completes, in overlap."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator, Iterator
from functools import partial
from typing import Any

import numpy as np
from videomama_client.errors import InternalError, OutOfMemory
from videomama_client.job_records import COMPUTING, READING_PLATES, Phase
from videomama_client.wording import counted

from videomama_server.arrays import FloatArray
from videomama_server.engines.base import Engine, FrameRefused
from videomama_server.media.geometry import Rect
from videomama_server.media.sequences import format_range
from videomama_server.pipeline.alpha_writer import AlphaWriter
from videomama_server.pipeline.frame_store import FrameStore
from videomama_server.pipeline.look_ups import LookUps
from videomama_server.pipeline.order import Order
from videomama_server.pipeline.plan import Group
from videomama_server.pipeline.reader import LoadedFrame, in_range
from videomama_server.pipeline.services import Services
from videomama_server.pipeline.survey import Pause, Survey, check_cancelled
from videomama_server.pipeline.window_grid import Window


class Computation:
    """All windows of one stage's survey, computed with the same settings.

    Args:
        order: of the stage.
        survey: what was found out about it.
        services: what is shared with the other jobs.
        writer: takes the alphas.
        cancelled: set from outside to stop the job.
    """

    def __init__(
        self, order: Order, survey: Survey, services: Services, writer: AlphaWriter, cancelled: threading.Event
    ) -> None:
        self.survey = survey
        self._order = order
        self._writer = writer
        self._cancelled = cancelled
        self._look_ups = LookUps(order, survey, services.cache, writer)
        judged = self._look_ups.is_wanted if order.is_judged else lambda _: False
        self._frames = FrameStore(order, survey, services.readers, judged, cancelled)
        self._estimated: set[Window] = set()  # by the head start
        self._trouble: OutOfMemory | None = None  # that the head start met
        self._most_ahead = max(survey.plan.shape.length, 2 * services.threads)
        writer.allow(survey.plan.shape.length)  # or the device would wait until most of a window is written

    @property
    def cached(self) -> int:
        """How many frames the cache had."""
        return self._look_ups.cached

    def head_start(self) -> Iterator[Pause]:
        """Estimate the windows of the first group, where the cache lacks a frame of it, and read ahead.

        No more is held than while `run` completes that group. Nothing is delivered or cached. Once memory runs out,
        `run` says so.

        Raises:
            VideoMaMaError, OSError: what else went wrong.
        """
        plan = self.survey.plan
        group = plan.groups[0]
        undigested = self._look_ups.undigested(group)
        for frame in undigested:
            self._frames.load(frame)
        yield from self._frames.read(undigested)
        if not self._look_ups.lacks(group):
            return
        ahead = [frame for frame in plan.frames if frame > group.windows[-1].last][: self._most_ahead]
        for frame in group.read:
            self._frames.prepare(frame)
        for frame in ahead:
            self._frames.prepare(frame)  # or the device would wait for these once the survey is done
        for window in group.windows:
            yield from self._frames.read(window.frames)
            yield None
            try:
                yield from self._estimate(window)
            except OutOfMemory as error:
                self._trouble = error.at()
                return
            self._estimated.add(window)

    @property
    def ran_out(self) -> bool:
        """Whether memory ran out in the head start."""
        return self._trouble is not None

    def run(self) -> Iterator[Pause]:
        """Compute what the cache lacks, yielding where another job may go first or nothing can be done yet.

        Raises:
            OutOfMemory: the engine cannot do it with these settings.
            VideoMaMaError, OSError: what else went wrong.
        """
        if self._trouble is not None:
            raise self._trouble
        queue = deque(self.survey.plan.windows)
        while queue:
            self._read_ahead(queue)
            window = queue.popleft()
            if (yield from self._is_needed(window)):
                yield from self._frames.read(window.frames)
                yield None
                self._look_ups.forget(window)  # another job or machine may have finished them meanwhile
                if (yield from self._is_needed(window)) and window not in self._estimated:
                    yield from self._estimate(window)
            for group in self.survey.plan.groups_of[window]:
                if group.windows[-1] == window:
                    yield from self._complete(group)
            self._frames.release(queue[0] if queue else None)
            check_cancelled(self._cancelled)
        self._writer.wait()

    def look_up(self) -> Generator[Pause, None, list[int]]:
        """Deliver all that the cache has, and return the frames that the rest is computed of, ascending.

        Only those are needed of the stage before. The plates have to be digested.

        Raises:
            VideoMaMaError, OSError: an alpha cannot be delivered.
        """
        for window in self.survey.plan.windows:
            self._look_ups.look_up_all(window)
            yield None
            check_cancelled(self._cancelled)
        pending = [window for window in self.survey.plan.windows if self._look_ups.pending_groups(window)]
        return sorted({frame for window in pending for frame in window.frames})

    def release(self) -> None:
        """Forget all frames; reads that were begun are left to end by themselves."""
        self._frames.release(None)

    def cancel(self) -> None:
        """Cancel the reads that have not begun."""
        self._frames.cancel()

    def _read_ahead(self, queue: deque[Window]) -> None:
        """Start reading what the next windows need, as far as memory is granted.

        Frames of a window that is sure to be computed are prepared, too.
        """
        for window in queue:
            self._look_ups.look_up_all(window)
            begin = self._frames.prepare if self._look_ups.has_missing(window) else self._frames.load
            for frame in window.frames if self._look_ups.pending_groups(window) else ():
                if frame > queue[0].last and self._frames.count_ahead(queue[0]) >= self._most_ahead:
                    return
                begin(frame)

    def _is_needed(self, window: Window) -> Generator[Pause, None, bool]:
        """Whether a frame that the window contributes to has to be computed; delivers what the cache has.

        Plates are read for the sake of their digests only as long as all that is known is in the cache.
        """
        self._look_ups.look_up_all(window)
        if self._look_ups.has_missing(window):
            return True
        for group in self._look_ups.pending_groups(window):
            undigested = self._look_ups.undigested(group)
            if undigested:
                frames = self.survey.plan.frames
                self._order.tell(Phase(READING_PLATES, frames.index(undigested[0]), len(frames)))
            yield from self._frames.read(undigested)
            self._look_ups.look_up(group)
            if self._look_ups.pending(group):
                return True
        return False

    def _estimate(self, window: Window) -> Iterator[Pause]:
        """Let the engine estimate one window and add it to the frames that wanted ones depend on."""
        self._order.tell(Phase(COMPUTING, subject=format_range(window.frames)))
        try:
            states = yield from self._frames.states(window)
        except FrameRefused as error:
            raise (yield from self._with_others(error, window)) from error
        estimates = self._ready().refine(states, self.survey.identity.settings)
        if len(estimates) != len(states):
            raise self._wrong(f"{len(estimates)} estimates for a window of {counted(len(states), 'frame')}")
        needed = {frame for group in self._look_ups.pending_groups(window) for frame in group.frames}
        self._frames.add(window, sorted(needed.intersection(window.frames)), estimates)

    def _with_others(self, error: FrameRefused, window: Window) -> Generator[Pause, None, FrameRefused]:
        """Return an error with all frames that the engine refuses among those of a window and of the ones after it."""
        refused = set()
        windows = self.survey.plan.windows
        for later in windows[windows.index(window) :]:
            self._frames.release(later)
            for frame in later.frames if self._look_ups.pending_groups(later) else ():
                if (yield from self._frames.is_refused(frame)):
                    refused.add(frame)
        if len(refused) < 2:
            return error
        named = format_range(sorted(refused))
        message = error.message.replace(f"frame {error.frame}:", f"frames {named}:", 1)
        return FrameRefused(message, error.hint, role=error.role, frame=error.frame, file=error.file)

    def _complete(self, group: Group) -> Iterator[Pause]:
        """Turn the estimates of a group into alphas and hand those that are pending to the writers."""
        self._look_ups.look_up(group)
        pending = self._look_ups.pending(group)
        if not pending:
            return
        if len(group.frames) > 1:
            yield None
        estimates, prepared = self._frames.estimated(group.frames)
        positions = [group.frames.index(frame) for frame in pending]
        alphas = self._ready().complete(estimates, prepared, positions, self.survey.identity.settings)
        if len(alphas) != len(pending):
            raise self._wrong(f"{counted(len(alphas), 'alpha')} where {len(pending)} were wanted")
        for frame, position, completed in zip(pending, positions, alphas, strict=True):
            key, loaded = self._look_ups.key(frame, group), self._frames.loaded(frame)
            finish = partial(self._finished, completed, prepared[position], loaded)
            self._look_ups.finish(frame)
            self._writer.publish(frame, key, loaded.glimpse, finish, loaded.geometry)

    def _ready(self) -> Engine:
        """Return the engine, for which there is room; another job may have had others loaded meanwhile."""
        self._order.reserve(self._order.engine_name, self.survey.identity.settings)
        return self._order.windowed

    def _finished(self, completed: FloatArray, prepared: Any, loaded: LoadedFrame) -> FloatArray:
        """Return a frame's alpha on the plate's whole canvas; for the writing threads."""
        alpha = self._order.windowed.finish(completed, prepared, self.survey.identity.settings)
        self._check(alpha, self.survey.region or loaded.geometry.canvas)
        blank = loaded.is_empty and not self._order.makes_masks
        return on_canvas(np.zeros_like(alpha) if blank else alpha, loaded, self.survey.region)

    def _check(self, alpha: FloatArray, area: Rect) -> None:
        """Raise `InternalError` for an alpha that has another size than its region."""
        if alpha.shape != (area.h, area.w):
            raise self._wrong(f"an alpha of shape {alpha.shape}, and the region is {area.w}x{area.h}")

    def _wrong(self, what: str) -> InternalError:
        """Return the error of an engine that does not keep to its Protocol."""
        message = f"the engine {self._order.engine_name} returned {what}"
        return InternalError(message, "This is a fault of the engine: report it to the engine's author.")


def on_canvas(alpha: FloatArray, loaded: LoadedFrame, region: Rect | None) -> FloatArray:
    """Return the alpha on the plate's whole canvas; outside the region the mask passes unchanged."""
    canvas = loaded.geometry.canvas
    alpha = in_range(alpha)
    if region is None or region == canvas:
        return alpha
    full = np.zeros((canvas.h, canvas.w), np.float32) if loaded.outside is None else loaded.outside.copy()
    shared = region.intersect(canvas)
    if not shared.empty:
        full[shared.slices(canvas)] = alpha[shared.slices(region)]
    return full
