"""Computes the masks of an engine that walks through a clip with a memory, from the nearest kept state on.

Where two walks come to a frame, forward and backward, what the forward one makes is kept as an entry of its own, and
the backward one completes it. So no clip is in memory, and a worker that dies finds all that was finished.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator, Iterator
from concurrent import futures
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from videomama_client.errors import InternalError
from videomama_client.job_records import COMPUTING, Phase

from videomama_server import heartbeat
from videomama_server.arrays import FloatArray
from videomama_server.cache.states import KeptStates
from videomama_server.engines.base import EngineFrame
from videomama_server.engines.sequential import Brief
from videomama_server.media import frames
from videomama_server.media.geometry import Rect
from videomama_server.media.read_ahead import read_ahead
from videomama_server.pipeline import briefing, plate_digests
from videomama_server.pipeline.alpha_writer import AlphaWriter
from videomama_server.pipeline.computation import on_canvas
from videomama_server.pipeline.frame_store import engine_frame
from videomama_server.pipeline.order import Order
from videomama_server.pipeline.reader import LoadedFrame
from videomama_server.pipeline.services import Services
from videomama_server.pipeline.sources import AlphaLost
from videomama_server.pipeline.survey import Pause, Survey, check_cancelled, finished
from videomama_server.pipeline.walk_keys import WalkKeys
from videomama_server.pipeline.walk_states import WalkStates
from videomama_server.pipeline.walks import Walk, Walks, WalkShape

_AHEAD = 2  # frames read while one is worked on
_AT_ONCE = 64  # look-ups, before another job may go first


class Walking:
    """All walks of one stage's survey, as far as the cache lacks what they make.

    Args:
        order: of the stage, whose engine walks.
        survey: what was found out about it.
        services: what is shared with the other jobs.
        writer: takes the masks.
        cancelled: set from outside to stop the job.

    Attributes:
        cached: how many frames the cache had.
    """

    def __init__(
        self, order: Order, survey: Survey, services: Services, writer: AlphaWriter, cancelled: threading.Event
    ) -> None:
        engine = order.walking
        assert engine is not None
        self.survey = survey
        self.cached = 0
        self._order = order
        self._engine = engine
        self._settings = survey.identity.settings
        self._services = services
        self._writer = writer
        self._cancelled = cancelled
        self._walks = walks_of(survey)
        self._keys = keys_of(order, survey, self._walks)
        self._states = WalkStates(engine, self._settings, self._keys, KeptStates(services.cache.write_root))
        self._missing: set[int] | None = None  # None before they were looked up
        self._halves: deque[Future[Path]] = deque()  # on their way to the cache

    def run(self) -> Iterator[Pause]:
        """Compute what the cache lacks, yielding where another job may go first or nothing can be done yet.

        Raises:
            OutOfMemory: the engine cannot do it with these settings.
            AlphaLost: an entry that was half done was removed meanwhile.
            VideoMaMaError, OSError: what else went wrong.
        """
        if self._missing is None:
            yield from plate_digests.digest(self._order, self.survey.plan.frames, self._services, self._cancelled)
            yield from self.look_up()
        try:
            for walk in self._walks.forward:
                yield from self._walk(walk)
            self._keep_halves(0)
            self._writer.wait()
            for walk in self._walks.backward:
                yield from self._walk(walk)
        finally:
            futures.wait([half for half in self._halves if not half.cancel()])
        self._writer.wait()

    def look_up(self) -> Generator[Pause, None, list[int]]:
        """Deliver all that the cache has, and return the frames that the rest depends on; see `Computation.look_up`."""
        self._missing = set()
        for count, frame in enumerate(self.survey.plan.wanted):
            key = self._keys.entry(frame)
            entry = self._services.cache.lookup(key)
            if entry is None:
                self._missing.add(frame)
            else:
                self.cached += 1
                self._writer.deliver_cached(entry, frame, key)
            if count % _AT_ONCE == 0:
                yield None
                check_cancelled(self._cancelled)
        return self._walks.read(self._missing) if self._missing else []

    def release(self) -> None:
        """Hold nothing between two steps of `run`."""

    def cancel(self) -> None:
        """Cancel nothing: what was begun is waited for where it ends."""

    def _walk(self, walk: Walk) -> Iterator[Pause]:
        """Take one walk, as far as something is lacking of it."""
        needed = self._needed(walk)
        if not needed:
            return
        told = briefing.brief(self._order, self.survey, walk, self._encoded)
        for kept, last in self._states.legs(walk, needed):
            yield from self._leg(walk, told, (kept, last), frozenset(needed))

    def _needed(self, walk: Walk) -> list[int]:
        """Return the places of a walk whose frames lack what it makes of them, ascending."""
        assert self._missing is not None
        found = []
        for place, frame in enumerate(walk.frames):
            through = [one for one, _ in self._walks.through(frame)] if frame in self._missing else []
            is_half_done = len(through) > 1 and not walk.backward and self._half(walk, frame) is not None
            if walk in through and not is_half_done:
                found.append(place)
        return found

    def _leg(self, walk: Walk, told: Brief, leg: tuple[int, int], needed: frozenset[int]) -> Iterator[Pause]:
        """Walk from a kept state, or the beginning, to a place."""
        self._reserve()
        state, place = self._states.resumed(walk, told, leg[0])
        coming_frames = walk.frames[place + 1 : leg[1] + 1]
        with read_ahead(coming_frames, self._load, self._services.readers, _AHEAD) as coming:
            for frame, reading in coming:
                loaded, seen = yield from finished(reading)
                check_cancelled(self._cancelled)
                place += 1
                self._order.tell(Phase(COMPUTING, subject=str(frame)))
                self._reserve()
                mask = self._engine.step(state, frame, self._engine.encode(seen, self._settings), self._settings)
                self._check(mask)
                heartbeat.beat()
                if place in needed:
                    self._put(walk, frame, mask, loaded)
                if (place + 1) % self._engine.keep_every == 0 or place == leg[1]:
                    self._states.keep(walk, place, state)
                yield None

    def _reserve(self) -> None:
        """Make room for the engine; another job may have had others loaded meanwhile."""
        self._order.reserve(self._order.engine_name, self._settings)

    def _load(self, frame: int) -> tuple[LoadedFrame, EngineFrame]:
        """Read a frame and make its plate; for the reading threads."""
        check_cancelled(self._cancelled)
        loaded = self._order.reader.load(frame, self._region, self.survey.display)
        pixels = loaded.plate, loaded.mask
        seen = engine_frame(self._order.reader, self.survey, frame, pixels, self._region)
        if self._engine.remembers:
            np.asarray(seen.plate)  # made here, so that the job's own thread need not
        loaded.plate = np.zeros((0, 0, 3), np.float32)
        return loaded, seen

    def _encoded(self, frame: int) -> Any:
        return self._engine.encode(self._load(frame)[1], self._settings)

    def _put(self, walk: Walk, frame: int, mask: FloatArray, loaded: LoadedFrame) -> None:
        """Hand over what a walk made of a frame: the mask itself, or one of two halves of it."""
        through = self._walks.through(frame)
        finish = partial(on_canvas, mask, loaded, self._region)
        if len(through) == 1:
            self._writer.publish(frame, self._keys.entry(frame), None, finish, loaded.geometry)
        elif walk.backward:
            merged = partial(self._merged, finish, through[0][0], frame)
            self._writer.publish(frame, self._keys.entry(frame), None, merged, loaded.geometry)
        else:
            key, cache = self._keys.half(walk, frame), self._services.cache
            self._keep_halves(2 * self._services.threads)
            self._halves.append(self._services.writers.submit(lambda: cache.publish(key, finish(), loaded.geometry)))

    def _keep_halves(self, waiting: int) -> None:
        """Wait until at most so many halves are on their way; raises what writing one raised."""
        while len(self._halves) > waiting:
            self._halves.popleft().result()

    def _merged(self, finish: partial[FloatArray], onward: Walk, frame: int) -> FloatArray:
        """Return the mask of a frame that two walks come to; for the writing threads.

        Raises:
            AlphaLost: the forward walk's half is not in the cache any more.
        """
        half = self._half(onward, frame)
        if half is None:
            raise AlphaLost(
                f"a half of frame {frame} was removed from the cache while the job needed it",
                "Let nothing but the server remove files from its cache folder, then run the job again.",
                frame=frame,
            )
        share = np.float32(dict(self._walks.through(frame))[onward])
        first = frames.read_mask(half, "A").pixels[..., 0]
        return share * first + (np.float32(1.0) - share) * finish()

    def _half(self, walk: Walk, frame: int) -> Path | None:
        return self._services.cache.lookup(self._keys.half(walk, frame))

    @property
    def _region(self) -> Rect:
        return self.survey.region or self.survey.display

    def _check(self, mask: FloatArray) -> None:
        """Raise `InternalError` for a mask that has another size than what the engine saw."""
        if mask.shape != (self._region.h, self._region.w):
            raise InternalError(
                f"the engine {self._order.engine_name} returned a mask of shape {mask.shape}, "
                f"and the plate is {self._region.w}x{self._region.h}",
                "This is a fault of the engine: report it to the engine's author.",
            )


def walks_of(survey: Survey) -> Walks:
    """Return the walks of a stage whose engine walks."""
    shape = survey.plan.shape
    assert isinstance(shape, WalkShape)
    return Walks(survey.plan.clip, shape)


def keys_of(order: Order, survey: Survey, walks: Walks) -> WalkKeys:
    """Return the keys of what a stage's walks make; they can be asked for once the plates have been digested."""
    shape = survey.plan.shape
    assert isinstance(shape, WalkShape)
    reader = order.reader

    def row(frame: int) -> str:
        plate = reader.plate_facts(frame)
        assert plate is not None  # it has been digested
        return f"{frame} {plate.digest} {reader.mask_digest(frame)}"

    def told() -> str:
        return briefing.digest(order, [row(frame) for frame in walks.starts] if shape.remembers else [])

    return WalkKeys(survey.identity, told, walks, shape.remembers, row)
