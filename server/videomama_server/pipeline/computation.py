"""Computes the alphas of one survey window by window: looks up, reads, estimates, completes, in overlap."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator, Iterator
from functools import partial
from typing import Any

import numpy as np
from videomama_client.errors import InternalError
from videomama_client.wording import counted

from videomama_server.arrays import FloatArray
from videomama_server.media.geometry import Rect
from videomama_server.pipeline.alpha_writer import AlphaWriter
from videomama_server.pipeline.frame_store import FrameStore
from videomama_server.pipeline.look_ups import LookUps
from videomama_server.pipeline.order import Order
from videomama_server.pipeline.plan import Group
from videomama_server.pipeline.reader import LoadedFrame
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
        self._most_ahead = max(survey.plan.shape.length, 2 * services.threads)
        writer.allow(survey.plan.shape.length)  # or the device would wait until most of a window is written

    @property
    def cached(self) -> int:
        """How many frames the cache had."""
        return self._look_ups.cached

    def run(self) -> Iterator[Pause]:
        """Compute what the cache lacks, yielding where another job may go first or nothing can be done yet.

        Raises:
            OutOfMemory: the engine cannot do it with these settings.
            VideoMaMaError, OSError: what else went wrong.
        """
        queue = deque(self.survey.plan.windows)
        while queue:
            self._read_ahead(queue)
            window = queue.popleft()
            if (yield from self._is_needed(window)):
                yield from self._frames.read(window.frames)
                yield None
                self._look_ups.forget(window)  # another job or machine may have finished them meanwhile
                if (yield from self._is_needed(window)):
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
            yield from self._frames.read(self._look_ups.undigested(group))
            self._look_ups.look_up(group)
            if self._look_ups.pending(group):
                return True
        return False

    def _estimate(self, window: Window) -> Iterator[Pause]:
        """Let the engine estimate one window and add it to the frames that wanted ones depend on."""
        states = yield from self._frames.states(window)
        estimates = self._order.engine.refine(states, self.survey.identity.settings)
        if len(estimates) != len(states):
            raise self._wrong(f"{len(estimates)} estimates for a window of {counted(len(states), 'frame')}")
        needed = {frame for group in self._look_ups.pending_groups(window) for frame in group.frames}
        self._frames.add(window, sorted(needed.intersection(window.frames)), estimates)

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
        alphas = self._order.engine.complete(estimates, prepared, positions, self.survey.identity.settings)
        if len(alphas) != len(pending):
            raise self._wrong(f"{counted(len(alphas), 'alpha')} where {len(pending)} were wanted")
        for frame, position, completed in zip(pending, positions, alphas, strict=True):
            key, loaded = self._look_ups.key(frame, group), self._frames.loaded(frame)
            finish = partial(self._finished, completed, prepared[position], loaded)
            self._look_ups.finish(frame)
            self._writer.publish(frame, key, loaded.glimpse, finish, loaded.geometry)

    def _finished(self, completed: FloatArray, prepared: Any, loaded: LoadedFrame) -> FloatArray:
        """Return a frame's alpha on the plate's whole canvas; for the writing threads."""
        alpha = self._order.engine.finish(completed, prepared, self.survey.identity.settings)
        self._check(alpha, self.survey.region or loaded.geometry.canvas)
        blank = loaded.is_empty and not self._order.makes_masks
        return _on_canvas(np.zeros_like(alpha) if blank else alpha, loaded, self.survey.region)

    def _check(self, alpha: FloatArray, area: Rect) -> None:
        """Raise `InternalError` for an alpha that has another size than its region."""
        if alpha.shape != (area.h, area.w):
            raise self._wrong(f"an alpha of shape {alpha.shape}, and the region is {area.w}x{area.h}")

    def _wrong(self, what: str) -> InternalError:
        """Return the error of an engine that does not keep to its Protocol."""
        message = f"the engine {self._order.engine_name} returned {what}"
        return InternalError(message, "This is a fault of the engine: report it to the engine's author.")


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
