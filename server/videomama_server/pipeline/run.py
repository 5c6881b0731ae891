"""Does one job inside the worker, from the survey of its frames to its result.

What is in memory is the window in flight, the frames read ahead for the next, and the alphas being written, of one
stage at a time.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Generator, Iterator
from typing import Any

from videomama_client.errors import OutOfMemory
from videomama_client.messages import JobEvent, MatteDone, MattePlanned, StageBegun
from videomama_client.settings import Resolved

from videomama_server.pipeline import small_subject
from videomama_server.pipeline.alpha_writer import AlphaWriter
from videomama_server.pipeline.chain import Chain, SurveyedStage, survey_stages
from videomama_server.pipeline.entry_key import Identity
from videomama_server.pipeline.order import Order
from videomama_server.pipeline.quality_control import Control
from videomama_server.pipeline.rejudge import rejudge
from videomama_server.pipeline.services import Services
from videomama_server.pipeline.sources import AlphaLost
from videomama_server.pipeline.stages import noted
from videomama_server.pipeline.survey import Pause, take_survey

log = logging.getLogger(__name__)

_DEFAULT = "the default"
_MOST_LOSSES = 3  # of entries that somebody removes while they are needed


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
        self._changes: list[str] = []  # what was made smaller so far, for the person
        controls = [Control(services.cache) for _ in order.stages()]
        self._control = controls[-1]  # of what is delivered; what other stages make is not judged
        self._writers = [
            AlphaWriter(stage, services, control, emit) for stage, control in zip(order.stages(), controls, strict=True)
        ]

    def run(self) -> Iterator[Pause]:
        """Do the job, yielding where another job may go first or nothing can be done yet; ends with `MatteDone`.

        Raises:
            VideoMaMaError, OSError: what went wrong; finished frames are in the cache.
        """
        started = time.monotonic()
        readers = self._services.readers
        try:
            self._order = yield from small_subject.settled(self._order, readers)
            stages = yield from self._surveyed()
            self._emit(self._planned(stages))
            with self._services.cache.hold(self._order.job):
                chain = yield from self._computed(stages)
                if chain.last.is_judged:
                    last = chain.stages[-1].survey
                    yield from rejudge(chain.last, last, self._control, readers, self._cancelled)
        finally:
            for writer in self._writers:
                writer.close()  # nothing lands after the end
            self._services.memo.save()
        self._emit(self._done(chain, time.monotonic() - started))

    def _surveyed(self) -> Generator[Pause, None, list[SurveyedStage]]:
        first = yield from take_survey(self._order, self._services.readers, self._cancelled)
        return survey_stages(self._order, first)

    def _computed(self, stages: list[SurveyedStage]) -> Generator[Pause, None, Chain]:
        """Compute all stages; after running out of memory, start over once another engine has let go of some.

        Where none holds any, start over with what the engine settles for now. The same goes for an entry that was
        removed while it was needed, a few times.
        """
        chain = self._chain(stages)
        losses, tried = 0, {_identities(stages)}
        while (trouble := (yield from self._tried(chain))) is not None:
            log.warning("%s", trouble)
            chain.release()
            for writer in self._writers:
                writer.wait()
            if isinstance(trouble, AlphaLost):
                losses += 1
                if losses > _MOST_LOSSES:
                    raise trouble
            elif not self._order.make_room(chain.computing.engine_name):
                stages = yield from self._smaller(stages, tried, trouble)
            chain = self._chain(stages)
        return chain

    def _chain(self, stages: list[SurveyedStage]) -> Chain:
        return Chain(stages, self._services, self._writers, self._begun, self._cancelled)

    def _tried(self, chain: Chain) -> Generator[Pause, None, OutOfMemory | AlphaLost | None]:
        self._control.begin(chain.stages[-1].survey.plan.places)
        try:
            yield from chain.run()
        except (OutOfMemory, AlphaLost) as error:
            return error.at()  # the error itself holds on to all that its frames held
        except BaseException:
            chain.cancel()
            raise
        return None

    def _smaller(
        self, stages: list[SurveyedStage], tried: set[tuple[Identity, ...]], trouble: OutOfMemory
    ) -> Generator[Pause, None, list[SurveyedStage]]:
        """Return surveys with an engine's new settings; where they were `tried` already, the trouble is raised."""
        smaller = yield from self._surveyed()
        settled = _identities(smaller)
        if settled in tried:
            raise trouble
        tried.add(settled)
        for before, after in zip(stages, smaller, strict=True):
            self._changes += _changed(before, after)
        smaller[0].survey.warnings.extend(self._changes)
        return smaller

    def _begun(self, order: Order, frame_count: int) -> None:
        """Tell that one of several stages begins."""
        if order.then:
            self._emit(StageBegun(order.job, order.index, order.engine_name, frame_count))

    def _planned(self, stages: list[SurveyedStage]) -> MattePlanned:
        out = self._order.delivery.pattern
        first = stages[0].survey
        return MattePlanned(
            self._order.job,
            self._order.engine_name,
            first.roi,
            len(stages[-1].survey.plan.wanted),
            str(out.folder / out.name),
            self._order.engine.describe(first.identity.settings),
            [first.space] if first.space else [],
            first.mask,
            [stage.order.engine_name for stage in stages],
        )

    def _done(self, chain: Chain, seconds: float) -> MatteDone:
        first, cache = chain.stages[0].survey, self._services.cache
        wanted = chain.stages[-1].survey.plan.wanted
        verdict = self._control.result(wanted if chain.last.is_judged else ())
        lost = f"{cache.trouble}; alphas are cached only while the server runs"
        return MatteDone(
            job=self._order.job,
            frame_count=len(wanted),
            computed=len(wanted) - chain.cached,
            cached=chain.cached,
            seconds=seconds,
            engine=self._order.engine_name,
            roi=first.roi,
            plan=self._order.engine.describe(first.identity.settings),
            warnings=[*first.warnings, *verdict.warnings, *([lost] if cache.trouble else [])],
            judged=verdict.judged,
            flags=verdict.flags,
            colorspace=first.identity.settings.colorspace,
            mask=first.mask,
            stages=chain.done(),
        )


def _identities(stages: list[SurveyedStage]) -> tuple[Identity, ...]:
    return tuple(stage.survey.identity for stage in stages)


def _changed(before: SurveyedStage, after: SurveyedStage) -> tuple[str, ...]:
    """Return a warning for each setting for which an engine settled otherwise after it ran out of memory."""
    was, now = (_values(stage.survey.identity.settings) for stage in (before, after))
    changed = [name for name in {**was, **now} if was.get(name) != now.get(name)]
    return noted(
        after.order.label,
        [
            f"{name} {was.get(name, _DEFAULT)} did not fit in memory, {now.get(name, _DEFAULT)} was taken instead"
            for name in changed
        ],
    )


def _values(settings: Resolved) -> dict[str, Any]:
    """Return all values by name, those of the engine's own settings among them."""
    plain = settings.plain()
    own: dict[str, Any] = plain.pop("engine_options", {})
    return {**plain, **own}
