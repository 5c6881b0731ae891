"""Does one job inside the worker, from the survey of its frames to its result.

What is in memory is the window in flight, the frames read ahead for the next, and the alphas being written, of one
stage of one object at a time.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from typing import Any

from videomama_client import __version__
from videomama_client.errors import BadInput, InternalError, OutOfMemory, WeightsError
from videomama_client.messages import JobEvent, MatteDone, MattePlanned
from videomama_client.settings import Resolved

from videomama_server.pipeline import object_report, remade
from videomama_server.pipeline.chain import SurveyedStage
from videomama_server.pipeline.entry_key import Identity
from videomama_server.pipeline.object_region import surveyed_together
from videomama_server.pipeline.object_work import ObjectWork
from videomama_server.pipeline.order import Order
from videomama_server.pipeline.quality_control import QcResult
from videomama_server.pipeline.services import Services
from videomama_server.pipeline.sources import AlphaLost
from videomama_server.pipeline.stages import noted
from videomama_server.pipeline.survey import Pause

log = logging.getLogger(__name__)

_DEFAULT = "the default"
_MOST_LOSSES = 3  # of entries that somebody removes while they are needed
Part = Callable[[ObjectWork], Iterator[Pause]]  # of the work on one object


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
        self._changes: list[str] = []  # what was made smaller so far, for the person
        self._objects = [ObjectWork(one, services, emit, cancelled) for one in order.objects()]

    def run(self) -> Iterator[Pause]:
        """Do the job, yielding where another job may go first or nothing can be done yet; ends with `MatteDone`.

        Raises:
            VideoMaMaError, OSError: what went wrong; finished frames are in the cache.
        """
        started = time.monotonic()
        try:
            with self._services.cache.hold(self._order.job):
                yield from self._survey()
                self._emit(self._planned())
                yield from self._done_for_all(self._compute, self._survey)
                yield from self._finish()
        finally:
            for one in self._objects:
                one.close()  # nothing lands after the end
            self._services.memo.save()
        self._raise_failures()
        self._emit(self._done(time.monotonic() - started))

    def _survey(self) -> Iterator[Pause]:
        """Survey all stages; masks that a job makes are computed on the way, as the region follows from them."""
        yield from self._look()
        yield from self._done_for_all(ObjectWork.make_masks, self._look)

    def _look(self) -> Iterator[Pause]:
        """Survey the stages whose masks are there, or that make some."""
        for one in self._objects:
            yield from one.look()
        surveys = surveyed_together([one.found for one in self._objects])
        for one, survey in zip(self._objects, surveys, strict=True):
            one.take(survey)

    def _done_for_all(self, part: Part, survey: Callable[[], Iterator[Pause]]) -> Iterator[Pause]:
        """Do a part of the work on all objects; after running out of memory, start over once another engine let go.

        Where none holds any memory, start over with what the engine settles for now. The same goes for an entry that
        was removed while it was needed, a few times.

        Args:
            part: what is done.
            survey: surveys again, with what engines settle for now.
        """
        losses, tried = 0, {self._identities()}
        while (trouble := (yield from self._tried(part))) is not None:
            log.warning("%s", trouble[1])
            for one in self._objects:
                yield from one.settle()
            if isinstance(trouble[1], AlphaLost):
                losses += 1
                if losses > _MOST_LOSSES:
                    raise trouble[1]
            elif not self._order.make_room(trouble[0]):
                yield from self._take_less(tried, trouble[1], survey)

    def _tried(self, part: Part) -> Generator[Pause, None, tuple[str, OutOfMemory | AlphaLost] | None]:
        """Do it on one object after the other; return what to start over for, with the engine that was at work."""
        for one in self._objects:
            try:
                yield from part(one)
            except (OutOfMemory, AlphaLost) as error:
                # A copy: the error itself holds on to all that its frames held.
                return one.begun.computing.engine_name, error.at()
            except BaseException:
                one.cancel()
                raise
        return None

    def _compute(self, one: ObjectWork) -> Iterator[Pause]:
        """Compute an object. One of several that cannot be done ends only its own work: the others are finished."""
        one.failure = None
        try:
            yield from one.compute()
        except AlphaLost:
            raise
        except (BadInput, WeightsError, InternalError) as error:
            if len(self._objects) == 1:
                raise
            one.cancel()
            log.warning("%s", error)
            one.failure = error.at()

    def _finish(self) -> Iterator[Pause]:
        for one in self._objects:
            if one.failure is None:
                yield from one.finish(alone=len(self._objects) == 1)

    def _take_less(
        self, tried: set[tuple[Identity, ...]], trouble: OutOfMemory, survey: Callable[[], Iterator[Pause]]
    ) -> Iterator[Pause]:
        """Survey again with an engine's new settings; where they were `tried` already, the trouble is raised."""
        before = [one.attempt for one in self._objects]
        yield from survey()
        settled = self._identities()
        if settled in tried:
            raise trouble
        tried.add(settled)
        for one, was in zip(self._objects, before, strict=True):
            for earlier, now in zip(was, one.stages, strict=True):
                self._changes += noted(one.order.object_label, _changed(earlier, now))

    def _identities(self) -> tuple[Identity, ...]:
        return tuple(identity for one in self._objects for identity in one.identities)

    def _raise_failures(self) -> None:
        """Raise what ended the work on an object, if something did; the message names the others that failed."""
        failed = [one for one in self._objects if one.failure is not None]
        if not failed:
            return
        error = failed[0].failure
        assert error is not None
        others = ", ".join(one.order.object for one in failed[1:])
        if others:
            error.hint = f"{error.hint} Failed as well: {others}.".lstrip()
        raise error

    def _planned(self) -> MattePlanned:
        first = self._objects[0]
        own = object_report.planned(first)
        space = first.first.space
        return MattePlanned(
            self._order.job,
            own.engine,
            object_report.region(first),
            len(first.wanted),
            own.out,
            own.plan,
            [space] if space else [],
            own.mask,
            own.stages,
            [object_report.planned(one) for one in self._objects if one.order.object],
        )

    def _done(self, seconds: float) -> MatteDone:
        """Return the result; the server counts what other workers did."""
        cache, first = self._services.cache, self._objects[0]
        verdicts = [one.verdict() for one in self._objects]
        done = [object_report.done(one, verdict.judged) for one, verdict in zip(self._objects, verdicts, strict=True)]
        computed = max(one.computed for one in done)
        lost = f"{cache.trouble}; alphas are cached only while the server runs"
        return MatteDone(
            job=self._order.job,
            frame_count=len(first.wanted),
            computed=computed,
            cached=len(first.wanted) - computed,
            seconds=seconds,
            engine=done[0].engine,
            roi=object_report.region(first),
            plan=done[0].plan,
            warnings=[*self._warnings(verdicts), *([lost] if cache.trouble else [])],
            judged=min(verdict.judged for verdict in verdicts),
            flags=[
                replace(flag, object=one.order.object)
                for one, verdict in zip(self._objects, verdicts, strict=True)
                for flag in (*one.drifts, *verdict.flags)
            ],
            colorspace=first.first.identity.settings.colorspace,
            mask=done[0].mask,
            stages=done[0].stages,
            side_results=[side for one in self._objects for side in one.output.sides_done()],
            objects=[one for one in done if one.name],
            server=__version__,
            clip=self._order.request.clip or remade.range_text(first.first.plan.clip),
            frame_ranges=remade.range_text(first.wanted),
            plate_digest=remade.plate_digest(first.order.reader, first.first.plan.frames),
            mask_digest=done[0].mask_digest,
        )

    def _warnings(self, verdicts: Sequence[QcResult]) -> list[str]:
        """Return all warnings; what is said of all objects comes first, and once."""
        lists = [one.first.warnings for one in self._objects]
        shared = [warning for warning in lists[0] if all(warning in others for others in lists)]
        own = [
            warning
            for one, warnings in zip(self._objects, lists, strict=True)
            for warning in noted(one.order.object_label, [said for said in warnings if said not in shared])
        ]
        judged = [
            warning
            for one, verdict in zip(self._objects, verdicts, strict=True)
            for warning in noted(one.order.object_label, verdict.warnings)
        ]
        return [*shared, *own, *self._changes, *judged]


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
