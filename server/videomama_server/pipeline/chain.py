"""Computes the stages of a job: keys from the first to the last, what is lacking backwards, and alphas forwards.

The mask of a later stage is an alpha of the stage before, and its digest is the key of that alpha's entry. So all keys
follow from digests of files alone, and of the stage before only those frames are needed that the cache lacks the
windows of. Each stage computes all that is needed of it before the next begins: never more than one network works.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from videomama_client.messages import StageDone

from videomama_server.engines.base import role_of
from videomama_server.pipeline import plan, plate_digests, remade
from videomama_server.pipeline.alpha_writer import AlphaWriter
from videomama_server.pipeline.computation import Computation
from videomama_server.pipeline.look_ups import key_of
from videomama_server.pipeline.order import Order
from videomama_server.pipeline.plan import Plan
from videomama_server.pipeline.services import Services
from videomama_server.pipeline.sources import EntrySource
from videomama_server.pipeline.stages import within
from videomama_server.pipeline.survey import Pause, Survey, check_cancelled, later_survey, survey_made
from videomama_server.pipeline.walking import Walking, keys_of, walks_of

_KEYS_AT_ONCE = 64  # frames, before another job may go first


@dataclass(frozen=True)
class SurveyedStage:
    """One stage of a job, and what is known of it before anything is computed.

    The reader of a later stage's order has no masks yet: they follow from the keys of the stage before.
    """

    order: Order
    survey: Survey


def survey_stages(order: Order, first: Survey, count: int | None = None) -> list[SurveyedStage]:
    """Return the stages of a job, given its order and the survey of its first stage.

    Args:
        order: of the job.
        first: the survey.
        count: of the stages that are wanted, from the first on; None for all.

    Raises:
        BadInput, OutOfMemory: an engine cannot do it with these settings; the message names the stage.
    """
    return [SurveyedStage(order, first), *later_stages(order, first, 1, first.later, count)]


def later_stages(
    order: Order, before: Survey, start: int, plans: Sequence[Plan], stop: int | None = None
) -> list[SurveyedStage]:
    """Return stages that take the region of an earlier one over.

    Args:
        order: of the job.
        before: the survey of that earlier stage.
        start, stop: the stages from one to before the other; None for the last and all before it.
        plans: of the stages after the first.

    Raises:
        BadInput, OutOfMemory: as `survey_stages`.
    """
    pairs = list(zip(order.stages()[1:], plans, strict=True))[start - 1 : None if stop is None else stop - 1]
    return [SurveyedStage(one, later_survey(one, before, planned)) for one, planned in pairs]


class Chain:
    """The stages of one job, computed with the same settings.

    Args:
        stages: first to last.
        services: what is shared with the other jobs.
        writers: take the alphas of each stage.
        begin: called when a stage begins, with its order and how many of its frames are needed.
        cancelled: set from outside to stop the job.

    Attributes:
        computing: the order of the stage that computes, or was the last to.
        last: the order of the last stage; its reader reads the alphas of the stage before once `run` has begun.
    """

    def __init__(
        self,
        stages: Sequence[SurveyedStage],
        services: Services,
        writers: Sequence[AlphaWriter],
        begin: Callable[[Order, int], None],
        cancelled: threading.Event,
    ) -> None:
        self.stages = list(stages)
        self.computing = stages[0].order
        self.last = stages[-1].order
        self._services = services
        self._writers = writers
        self._begin = begin
        self._cancelled = cancelled
        self._parts: list[_Part] = []  # of the stages that something is needed of, last to first

    @property
    def cached(self) -> int:
        """How many of the wanted frames the cache had."""
        return self._parts[0].computation.cached

    def head_start(self) -> Iterator[Pause]:
        """Begin to compute the only stage before the survey of its masks is done; see `Computation.head_start`."""
        computation = self._add(self.stages[0].order, self.stages[0].survey).computation
        assert isinstance(computation, Computation)
        yield from computation.head_start()

    @property
    def ran_out(self) -> bool:
        """Whether memory ran out in a head start."""
        computation = self._parts[0].computation
        return isinstance(computation, Computation) and computation.ran_out

    def settle(self, stages: Sequence[SurveyedStage]) -> bool:
        """Take over the surveys of the stages after a head start; return whether it holds with them.

        After one that ran out of memory, the engine has settled for less since: `run` tells so, and is to be compared
        with what was tried.
        """
        if self.ran_out:
            return True
        known, found = self.stages[0].survey, stages[0].survey
        self.stages = list(stages)
        return (known.plan, known.region, known.identity) == (found.plan, found.region, found.identity)

    def run(self) -> Iterator[Pause]:
        """Compute what the cache lacks, yielding where another job may go first or nothing can be done yet.

        Raises:
            OutOfMemory: an engine cannot do it with these settings.
            AlphaLost: an entry that a later stage needs was removed meanwhile.
            VideoMaMaError, OSError: what else went wrong; the message names the stage where there are several.
        """
        if len(self.stages) == 1:
            if not self._parts:
                self._add(self.stages[0].order, self.stages[0].survey)
        else:
            orders = yield from self._over_entries()
            self.last = orders[-1]
            yield from self._look_up(orders)
        for part in reversed(self._parts):
            self.computing = part.order
            with within(part.order.label):
                self._begin(part.order, len(part.computation.survey.plan.wanted))
                yield from part.computation.run()

    def done(self) -> list[StageDone]:
        """Return what each stage came to, first to last."""
        found = {part.order.index: part.computation for part in self._parts}
        return [_done(stage, found.get(index)) for index, stage in enumerate(self.stages)]

    def release(self) -> None:
        """Forget all frames; reads that were begun are left to end by themselves."""
        for part in self._parts:
            part.computation.release()

    def cancel(self) -> None:
        """Cancel the reads that have not begun."""
        for part in self._parts:
            part.computation.cancel()

    def stage_after(self, order: Order) -> Generator[Pause, None, SurveyedStage]:
        """Return the stage after these with its survey, over what these make.

        Args:
            order: of that stage.

        Raises:
            AlphaLost: an alpha of these is not in the cache.
            BadInput: a plate cannot be read, which every key depends on.
            VideoMaMaError, OSError: as `survey_made`; the message names the stage.
        """
        first, masks = self.stages[0].survey, (yield from self._masks())
        planned, readers = first.later[len(self.stages) - 1], self._services.readers
        with within(order.label):
            survey = yield from survey_made(order.over(masks), first, planned, readers, self._cancelled)
        return SurveyedStage(order, survey)

    def _masks(self) -> Generator[Pause, None, EntrySource]:
        """Return the alphas of the last of these stages as masks, whether or not they have been computed."""
        last = (yield from self._over_entries())[-1]
        return (yield from self._alphas(last, self.stages[-1].survey))

    def _add(self, order: Order, survey: Survey) -> _Part:
        kind = Computation if order.walking is None else Walking
        self._writers[order.index].take(order)
        computation = kind(order, survey, self._services, self._writers[order.index], self._cancelled)
        self._parts.append(_Part(order, computation))
        return self._parts[-1]

    def _over_entries(self) -> Generator[Pause, None, list[Order]]:
        """Return the orders of all stages, with the keys of each stage's alphas as the masks of the next.

        All plates are digested first: every key of a later stage depends on them.
        """
        first = self.stages[0]
        yield from plate_digests.digest(first.order, first.survey.plan.frames, self._services, self._cancelled)
        orders = [first.order]
        for below, stage in pairwise(self.stages):
            orders.append(stage.order.over((yield from self._alphas(orders[-1], below.survey))))
        return orders

    def _alphas(self, order: Order, survey: Survey) -> Generator[Pause, None, EntrySource]:
        """Return the alphas of a stage by the key of each frame that it may be asked for."""
        keys: dict[int, str] = {}
        for frame, key in _keys(order, survey):
            keys[frame] = key
            if len(keys) % _KEYS_AT_ONCE == 0:
                yield None
                check_cancelled(self._cancelled)
        return EntrySource(order.label, keys, self._services.cache.lookup)

    def _look_up(self, orders: Sequence[Order]) -> Iterator[Pause]:
        """Look up each stage, the last one first, and ask of the one before only what the cache lacks."""
        needed: list[int] = []
        for order, stage in zip(reversed(orders), reversed(self.stages), strict=True):
            survey = stage.survey
            if stage is not self.stages[-1]:
                own = survey.plan
                survey = replace(survey, plan=plan.lay_out(own.clip, needed, own.shape))
            part = self._add(order, survey)
            with within(order.label):
                needed = yield from part.computation.look_up()
            if not needed:
                return


@dataclass(frozen=True)
class _Part:
    """What is needed of one stage."""

    order: Order
    computation: Computation | Walking


def _keys(order: Order, survey: Survey) -> Iterator[tuple[int, str]]:
    """Yield the frames that a stage may be asked for with their keys; all plates have been digested."""
    if order.walking is not None:
        keys = keys_of(order, survey, walks_of(survey))
        yield from ((frame, keys.entry(frame)) for frame in survey.plan.wanted)
    for group in survey.plan.groups:
        for frame in group.wanted:
            key = key_of(frame, group, survey.identity, order.reader)
            assert key is not None
            yield frame, key


def _done(stage: SurveyedStage, computation: Computation | Walking | None) -> StageDone:
    cached = computation.cached if computation else 0
    needed = len(computation.survey.plan.wanted) if computation else 0
    order, identity = stage.order, stage.survey.identity
    return StageDone(
        engine=order.engine_name,
        computed=needed - cached,
        cached=cached,
        plan=order.engine.describe(identity.settings),
        licence=order.licence,
        role=role_of(order.engine),
        settings=remade.settings_of(order, identity),
        fingerprint=remade.fingerprint_of(identity),
    )
