"""Takes the alphas of one object: to the cache and its files, to its side results, and to quality control."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from videomama_client.messages import JobEvent, SideDone

from videomama_server.pipeline.alpha_writer import AlphaWriter
from videomama_server.pipeline.order import Order
from videomama_server.pipeline.quality_control import Control, QcResult
from videomama_server.pipeline.rejudge import rejudge
from videomama_server.pipeline.services import Services
from videomama_server.pipeline.side_results import SideResults
from videomama_server.pipeline.survey import Pause, Survey


class ObjectOutput:
    """Where the alphas of one object go. Only the job's own thread calls it.

    Args:
        order: of the object.
        services: what is shared with the other jobs.
        emit: takes the job's events; called from several threads.
        cancelled: set from outside to stop the job.

    Attributes:
        writers: take the alphas of each stage, first to last.
    """

    def __init__(
        self, order: Order, services: Services, emit: Callable[[JobEvent], None], cancelled: threading.Event
    ) -> None:
        self._services = services
        self._cancelled = cancelled
        controls = [Control(services.cache) for _ in order.stages()]
        self._control = controls[-1]  # of what is delivered; what other stages make is not judged
        self._sides = SideResults(order, services, emit, cancelled)
        self.writers = [
            AlphaWriter(stage, services, control, emit, self._sides.follow)
            for stage, control in zip(order.stages(), controls, strict=True)
        ]

    def begin(self, first: Survey, last: Survey) -> None:
        """Prepare for the alphas of a computation, given the surveys of its first and last stage."""
        self._control.begin(last.plan.places)
        self._sides.begin(first.identity.settings)

    def finish_sides(self) -> Iterator[Pause]:
        """Wait for the side results; raises as `SideResults.finish`."""
        yield from self._sides.finish()

    def rejudge(self, last: Order, survey: Survey) -> Iterator[Pause]:
        """Judge what the cache had without scores, given the last stage and its survey."""
        yield from rejudge(last, survey, self._control, self._services.readers, self._cancelled)

    def sides_done(self) -> list[SideDone]:
        """Return what each kind of side results came to."""
        return self._sides.done()

    def verdict(self, judged: tuple[int, ...]) -> QcResult:
        """Return what quality control says of the frames that are judged."""
        return self._control.result(judged)

    def settle(self) -> Iterator[Pause]:
        """Wait for the writes and side results, before all is computed again."""
        for writer in self.writers:
            writer.settle()
        yield from self._sides.drop()

    def close(self) -> None:
        """Cancel the writes that have not begun and wait for the others."""
        for writer in self.writers:
            writer.close()
        self._sides.close()
