"""Holds what a stage has of its frames in memory: pixels, what the engine prepared of them, and its estimates.

Frames are read and prepared by the reading threads, several at a time, so that the job's own thread only feeds the
engine. What comes of it does not depend on the order.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import reduce
from typing import Any

import numpy as np

from videomama_server import heartbeat
from videomama_server.arrays import FloatArray
from videomama_server.engines.base import EngineFrame, FrameRefused
from videomama_server.media import color
from videomama_server.media.geometry import Rect
from videomama_server.pipeline import morphology, window_grid
from videomama_server.pipeline import region as regions
from videomama_server.pipeline.order import Order
from videomama_server.pipeline.reader import LoadedFrame, Reader, cut
from videomama_server.pipeline.survey import Pause, Survey, check_cancelled, finished
from videomama_server.pipeline.window_grid import Window


class FrameStore:
    """The frames of one stage in memory. Only the job's own thread calls it.

    Args:
        order: of the stage.
        survey: what was found out about it.
        readers: threads to read and prepare in.
        judged: whether quality control will want to see a frame; asked when its read begins.
        cancelled: set from outside to stop the job.
    """

    def __init__(
        self,
        order: Order,
        survey: Survey,
        readers: ThreadPoolExecutor,
        judged: Callable[[int], bool],
        cancelled: threading.Event,
    ) -> None:
        self._order = order
        self._survey = survey
        self._readers = readers
        self._judged = judged
        self._cancelled = cancelled
        self._loads: dict[int, Future[LoadedFrame]] = {}
        self._loaded: dict[int, LoadedFrame] = {}
        self._prepared: dict[int, tuple[Rect, Future[Any]]] = {}
        self._sums: dict[int, FloatArray] = {}  # estimates, cross-faded as far as their windows were seen

    def load(self, frame: int) -> Future[LoadedFrame]:
        """Begin to read a frame, unless that was done, and return its read."""
        if frame not in self._loads:
            survey = self._survey
            to_display = self._to_display() if self._judged(frame) else None
            read = self._order.reader.load
            self._loads[frame] = self._readers.submit(read, frame, survey.region, survey.display, to_display)
        return self._loads[frame]

    def prepare(self, frame: int) -> None:
        """Begin to read a frame, and let the engine prepare it as soon as it is there where its region is known."""
        if self._survey.region is None:
            self.load(frame)
        else:
            self._prepare(frame, self._survey.region)

    def count_ahead(self, window: Window) -> int:
        """Return how many frames after those of a window are in memory or being read."""
        return sum(frame > window.last for frame in self._loads)

    def read(self, frames: Iterable[int]) -> Iterator[Pause]:
        """Wait until frames are in memory, yielding each read that is under way.

        Raises:
            BadInput: a frame cannot be read.
            Cancelled: the job was cancelled.
        """
        for frame in frames:
            self._loaded[frame] = yield from finished(self.load(frame))
            check_cancelled(self._cancelled)

    def loaded(self, frame: int) -> LoadedFrame:
        """Return a frame that was read."""
        return self._loaded[frame]

    def states(self, window: Window) -> Generator[Pause, None, list[Any]]:
        """Return what the engine prepared of a window's frames, which were read; yields what is still under way.

        Raises:
            Cancelled: the job was cancelled.
        """
        check_cancelled(self._cancelled)
        canvases = (self._loaded[frame].geometry.canvas for frame in window.frames)
        region = self._survey.region or reduce(Rect.union, canvases)
        begun = [self._prepare(frame, region) for frame in window.frames]
        for preparing in begun:
            yield from finished(preparing)
        return [preparing.result() for preparing in begun]

    def is_refused(self, frame: int) -> Generator[Pause, None, bool]:
        """Return whether the engine refuses a frame; raises as `read`, and whatever else goes wrong."""
        yield from self.read([frame])
        try:
            yield from finished(self._prepare(frame, self._survey.region or self._loaded[frame].geometry.canvas))
        except FrameRefused:
            return True
        return False

    def add(self, window: Window, frames: Iterable[int], estimates: FloatArray) -> None:
        """Add what the engine estimated of a window to some of its frames, by the weight of the window in each.

        Args:
            window: whose states were made just before.
            frames: those of the window whose estimates are needed, ascending.
            estimates: (T, ...) float32, one for each frame of the window.
        """
        plan = self._survey.plan
        for frame in frames:
            estimate = estimates[window.frames.index(frame)]
            if self._survey.region is None:
                estimate = cut(estimate, self._prepared[frame][0], self._loaded[frame].geometry.canvas)
            contributing = plan.by_frame[frame]
            if len(contributing) > 1:
                share = np.float32(window_grid.blend_weights(contributing, frame, plan.shape.overlap)[window])
                estimate = self._sums.get(frame, np.float32(0.0)) + share * estimate
            self._sums[frame] = estimate

    def estimated(self, frames: Sequence[int]) -> tuple[list[FloatArray], list[Any]]:
        """Return the cross-faded estimates of frames, and what the engine prepared of them."""
        return [self._sums[frame] for frame in frames], [self._prepared[frame][1].result() for frame in frames]

    def release(self, coming: Window | None) -> None:
        """Forget the frames that neither a window to come nor a group to complete needs.

        Args:
            coming: the next window; None to forget all frames.
        """
        first = None
        if coming is not None:
            first = min([coming.first, *(group.frames[0] for group in self._survey.plan.groups_of[coming])])
        for store in (self._loads, self._loaded, self._prepared, self._sums):
            for frame in [frame for frame in store if first is None or frame < first]:
                del store[frame]

    def cancel(self) -> None:
        """Cancel the reads and preparations that have not begun."""
        for load in self._loads.values():
            load.cancel()
        for _, preparing in self._prepared.values():
            preparing.cancel()

    def _prepare(self, frame: int, region: Rect) -> Future[Any]:
        """Return the preparation of a frame, begun once for as long as the region stays the same."""
        known = self._prepared.get(frame)
        if known is None or known[0] != region:
            known = region, _after(self.load(frame), lambda loaded: self._state(loaded, region), self._readers)
            self._prepared[frame] = known
        return known[1]

    def _state(self, loaded: LoadedFrame, region: Rect) -> Any:
        """Return what the engine prepares of a frame; for the reading threads."""
        check_cancelled(self._cancelled)
        held = self._survey.region or loaded.geometry.canvas
        plate, mask = cut(loaded.plate, held, region), cut(loaded.mask, held, region)
        if self._survey.region is not None:
            loaded.plate = np.zeros((0, 0, 3), np.float32)  # not needed twice: free it before the window is done
        frame = engine_frame(self._order.reader, self._survey, loaded.number, (plate, mask), region)
        state = self._order.windowed.prepare(frame, self._survey.identity.settings)
        heartbeat.beat()
        return state

    def _to_display(self) -> color.DisplayTransform:
        settings = self._survey.identity.settings
        return color.display_transform(settings.colorspace, settings.exposure)


def engine_frame(
    reader: Reader, survey: Survey, number: int, pixels: tuple[FloatArray, FloatArray], region: Rect
) -> EngineFrame:
    """Return a frame as engines see it.

    Args:
        reader: has read it.
        survey: of the stage.
        number: of the frame.
        pixels: plate (H, W, 3) as read, and mask (H, W), on the region.
        region: in the plate's coordinates.
    """
    plate, mask = pixels
    settings = survey.identity.settings
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
        mask_key=f"{reader.mask_digest(number)} {where} {close:g} {grow:g}",
        load_plate=lambda: transform(plate),
        as_read=plate,
        lookup=transform.lookup,
    )


def _after(load: Future[LoadedFrame], work: Callable[[LoadedFrame], Any], threads: ThreadPoolExecutor) -> Future[Any]:
    """Return the future of work on a frame: done by the thread that reads it, at once when it was read already."""
    if load.done():
        return threads.submit(lambda: work(load.result()))
    following: Future[Any] = Future()

    def follow(read: Future[LoadedFrame]) -> None:
        if not following.set_running_or_notify_cancel():
            return
        try:
            following.set_result(work(read.result()))
        except BaseException as error:  # noqa: BLE001  (raised where the result is asked for, as by a pool of threads)
            following.set_exception(error)

    load.add_done_callback(follow)
    return following
