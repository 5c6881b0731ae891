"""Writes the alphas of one stage in other threads: to the cache, then to where they are delivered."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent import futures
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path

from videomama_client.messages import JobEvent

from videomama_server import heartbeat
from videomama_server.arrays import FloatArray
from videomama_server.cache.entries import Look
from videomama_server.media.geometry import Geometry
from videomama_server.pipeline.order import Order
from videomama_server.pipeline.quality_control import Control, JudgedFrame
from videomama_server.pipeline.services import Services
from videomama_server.pipeline.sources import AlphaLost
from videomama_server.qc.sights import Glimpse


class AlphaWriter:
    """The alphas of one stage of a job on their way to files. Only the job's own thread calls it.

    Args:
        order: of the stage.
        services: what is shared with the other jobs.
        control: judges new alphas, and recalls the scores of cached ones.
        emit: takes what clients are told of each frame; called from several threads.
        follow: told of each frame of the last stage, its key and its entry, once it is delivered; called likewise.
    """

    def __init__(
        self,
        order: Order,
        services: Services,
        control: Control,
        emit: Callable[[JobEvent], None],
        follow: Callable[[int, str, Path], None] = lambda *_: None,
    ) -> None:
        self._order = order
        self._cache = services.cache
        self._control = control
        self._emit = emit
        self._follow = follow
        self._writers = services.writers
        self._most_waiting = 2 * services.threads
        self._writes: deque[Future[None]] = deque()

    def take(self, order: Order) -> None:
        """Write for the order of this stage with the engine that takes it in the end."""
        self._order = order

    def publish(
        self, frame: int, key: str, glimpse: Glimpse | None, finish: Callable[[], FloatArray], geometry: Geometry
    ) -> None:
        """Finish a new alpha, put it into the cache, deliver it, and judge it; frames come in ascending order.

        Args:
            frame: its number.
            key: of its entry.
            glimpse: what quality control kept of its plate and mask; None where there is none.
            finish: returns the alpha (H, W), float32, 0..1, on the whole canvas; called in a writing thread.
            geometry: of that canvas.

        Raises:
            OSError, VideoMaMaError: what an earlier write raised.
        """
        scene = self._control.expect(frame, key, glimpse)
        write = self._write(self._publish, key, scene, finish, geometry)
        write.add_done_callback(lambda _: scene.miss())  # of one that never began, or failed

    def allow(self, count: int) -> None:
        """Let so many writes wait, if that is more than twice the threads: as many as are handed over at once."""
        self._most_waiting = max(self._most_waiting, count)

    def deliver_cached(self, entry: Path, frame: int, key: str) -> None:
        """Deliver an alpha that the cache has, and recall its scores; raises what an earlier write raised."""
        self._write(self._deliver_cached, entry, frame, key)

    def wait(self, allowed: int = 0) -> None:
        """Wait until at most `allowed` writes are under way; raises what a write raised."""
        while len(self._writes) > allowed or (self._writes and self._writes[0].done()):
            self._writes.popleft().result()

    def settle(self) -> None:
        """Wait for all writes; an alpha that was lost meanwhile is computed again. Raises what else a write raised."""
        while self._writes:
            with suppress(AlphaLost):
                self._writes.popleft().result()

    def close(self) -> None:
        """Cancel the writes that have not begun and wait for the others, whatever they raise."""
        futures.wait([write for write in self._writes if not write.cancel()])

    def _write(self, task: Callable[..., None], *arguments: object) -> Future[None]:
        self.wait(self._most_waiting)
        self._writes.append(self._writers.submit(task, *arguments))
        return self._writes[-1]

    def _publish(self, key: str, scene: JudgedFrame, finish: Callable[[], FloatArray], geometry: Geometry) -> None:
        alpha = finish()
        self._control.see(scene, alpha)
        entry = self._cache.publish(key, alpha, geometry, Look(attributes=self._order.attributes))
        self._deliver(entry, scene.frame, key, False)
        self._control.judge(scene, entry)

    def _deliver_cached(self, entry: Path, frame: int, key: str) -> None:
        self._deliver(entry, frame, key, True)
        self._control.recall(frame, key, entry)

    def _deliver(self, entry: Path, frame: int, key: str, cached: bool) -> None:
        told = self._order.deliver(entry, frame, cached)
        heartbeat.beat()
        for event in told:
            self._emit(event)
        if self._order.is_last:
            self._follow(frame, key, entry)
