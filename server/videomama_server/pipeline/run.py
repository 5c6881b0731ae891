"""Does one job inside the worker, from the survey of its frames to its result.

What is in memory is the window in flight, the frames read ahead for the next, and the alphas being written.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Generator, Iterator

from videomama_client.errors import OutOfMemory
from videomama_client.messages import JobEvent, MatteDone, MattePlanned

from videomama_server.pipeline import small_subject
from videomama_server.pipeline.alpha_writer import AlphaWriter
from videomama_server.pipeline.computation import Computation
from videomama_server.pipeline.quality_control import Control
from videomama_server.pipeline.rejudge import rejudge
from videomama_server.pipeline.services import Services
from videomama_server.pipeline.survey import Order, Pause, Survey, take_survey

log = logging.getLogger(__name__)


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
        self._control = Control(services.cache)
        self._writer = AlphaWriter(order, services, self._control, emit)

    def run(self) -> Iterator[Pause]:
        """Do the job, yielding where another job may go first or nothing can be done yet; ends with `MatteDone`.

        Raises:
            VideoMaMaError, OSError: what went wrong; finished frames are in the cache.
        """
        started = time.monotonic()
        readers = self._services.readers
        try:
            self._order = yield from small_subject.settled(self._order, readers)
            survey = yield from take_survey(self._order, readers, self._cancelled)
            self._emit(self._planned(survey))
            with self._services.cache.hold(self._order.job):
                computed = yield from self._computed(survey)
                yield from rejudge(self._order, computed.survey, self._control, readers, self._cancelled)
        finally:
            self._writer.close()  # nothing lands after the end
            self._services.memo.save()
        self._emit(self._done(computed, time.monotonic() - started))

    def _computed(self, survey: Survey) -> Generator[Pause, None, Computation]:
        """Compute all windows; after running out of memory, start over with what the engine settles for now."""
        computation = self._computation(survey)
        while (trouble := (yield from self._tried(computation))) is not None:
            log.warning("%s", trouble)
            computation.release()
            self._writer.wait()
            survey = yield from self._smaller(survey, trouble)
            computation = self._computation(survey)
        return computation

    def _computation(self, survey: Survey) -> Computation:
        return Computation(self._order, survey, self._services, self._writer, self._cancelled)

    def _tried(self, computation: Computation) -> Generator[Pause, None, OutOfMemory | None]:
        self._control.begin(computation.survey.plan.places)
        try:
            yield from computation.run()
        except OutOfMemory as error:
            return OutOfMemory(error.message, error.hint)  # the error itself holds on to all that its frames held
        except BaseException:
            computation.cancel()
            raise
        return None

    def _smaller(self, survey: Survey, trouble: OutOfMemory) -> Generator[Pause, None, Survey]:
        """Return a survey with the engine's new settings; with none, the trouble is raised."""
        smaller = yield from take_survey(self._order, self._services.readers, self._cancelled)
        if smaller.identity == survey.identity:
            raise trouble
        before, after = (found.identity.settings.option("canvas") for found in (survey, smaller))
        smaller.warnings.append(f"a canvas of {before} did not fit in memory, {after} was taken instead")
        return smaller

    def _planned(self, survey: Survey) -> MattePlanned:
        out = self._order.delivery.pattern
        return MattePlanned(
            self._order.job,
            self._order.engine_name,
            survey.roi,
            len(survey.plan.wanted),
            str(out.folder / out.name),
            self._order.engine.describe(survey.identity.settings),
            [survey.space] if survey.space else [],
            survey.mask,
        )

    def _done(self, computed: Computation, seconds: float) -> MatteDone:
        survey, cache = computed.survey, self._services.cache
        frames = len(survey.plan.wanted)
        verdict = self._control.result(survey.plan.wanted)
        lost = f"the cache folder {cache.folder} cannot be written; alphas are cached only while the server runs"
        return MatteDone(
            job=self._order.job,
            frame_count=frames,
            computed=frames - computed.cached,
            cached=computed.cached,
            seconds=seconds,
            engine=self._order.engine_name,
            roi=survey.roi,
            plan=self._order.engine.describe(survey.identity.settings),
            warnings=[*survey.warnings, *verdict.warnings, *([] if cache.lasting else [lost])],
            judged=verdict.judged,
            flags=verdict.flags,
            colorspace=survey.identity.settings.colorspace,
            mask=survey.mask,
        )
