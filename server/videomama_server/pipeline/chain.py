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

from videomama_server.engines.base import needs_device
from videomama_server.media.read_ahead import read_ahead
from videomama_server.pipeline import plan
from videomama_server.pipeline.alpha_writer import AlphaWriter
from videomama_server.pipeline.computation import Computation
from videomama_server.pipeline.look_ups import key_of
from videomama_server.pipeline.order import Order
from videomama_server.pipeline.services import Services
from videomama_server.pipeline.sources import EntrySource
from videomama_server.pipeline.stages import within
from videomama_server.pipeline.survey import Pause, Survey, check_cancelled, finished, later_survey

_KEYS_AT_ONCE = 64  # frames, before another job may go first


@dataclass(frozen=True)
class SurveyedStage:
    """One stage of a job, and what is known of it before anything is computed.

    The reader of a later stage's order has no masks yet: they follow from the keys of the stage before.
    """

    order: Order
    survey: Survey


def survey_stages(order: Order, first: Survey) -> list[SurveyedStage]:
    """Return all stages of a job, given its order and the survey of its first stage.

    Raises:
        BadInput, OutOfMemory: an engine cannot do it with these settings; the message names the stage.
    """
    _, *later = order.stages()
    surveyed = [SurveyedStage(order, first)]
    for one, planned in zip(later, first.later, strict=True):
        surveyed.append(SurveyedStage(one, later_survey(one, first, planned)))
    return surveyed


class Chain:
    """The stages of one job, computed with the same settings.

    Args:
        stages: first to last.
        services: what is shared with the other jobs.
        writers: take the alphas of each stage.
        begin: called when a stage begins, with its order and how many of its frames are needed.
        cancelled: set from outside to stop the job.

    Attributes:
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

    def run(self) -> Iterator[Pause]:
        """Compute what the cache lacks, yielding where another job may go first or nothing can be done yet.

        Raises:
            OutOfMemory: an engine cannot do it with these settings.
            AlphaLost: an entry that a later stage needs was removed meanwhile.
            VideoMaMaError, OSError: what else went wrong; the message names the stage where there are several.
        """
        if len(self.stages) == 1:
            self._add(self.stages[0].order, self.stages[0].survey)
        else:
            yield from self._digest()
            orders = yield from self._over_entries()
            self.last = orders[-1]
            yield from self._look_up(orders)
        for part in reversed(self._parts):
            with within(part.order.label):
                self._make_room(part)
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

    def _add(self, order: Order, survey: Survey) -> _Part:
        writer = self._writers[order.index]
        self._parts.append(_Part(order, Computation(order, survey, self._services, writer, self._cancelled)))
        return self._parts[-1]

    def _digest(self) -> Iterator[Pause]:
        """Digest the plates that nothing is known of: every key of a later stage depends on them."""
        reader, frames = self.stages[0].order.reader, self.stages[0].survey.plan.frames
        unknown = [frame for frame in frames if reader.plate_facts(frame) is None]
        with read_ahead(unknown, reader.digest_plate, self._services.readers, self._services.threads) as coming:
            for _, reading in coming:
                yield from finished(reading)
                check_cancelled(self._cancelled)

    def _over_entries(self) -> Generator[Pause, None, list[Order]]:
        """Return the orders of all stages, with the keys of each stage's alphas as the masks of the next."""
        orders = [self.stages[0].order]
        for below, stage in pairwise(self.stages):
            keys = yield from self._keys(orders[-1], below.survey)
            orders.append(stage.order.over(EntrySource(orders[-1].label, keys, self._services.cache.lookup)))
        return orders

    def _keys(self, order: Order, survey: Survey) -> Generator[Pause, None, dict[int, str]]:
        """Return the key of each frame that a stage may be asked for."""
        keys: dict[int, str] = {}
        for group in survey.plan.groups:
            for frame in group.wanted:
                key = key_of(frame, group, survey.identity, order.reader)
                assert key is not None  # all plates have been digested
                keys[frame] = key
            if len(keys) % _KEYS_AT_ONCE == 0:
                yield None
                check_cancelled(self._cancelled)
        return keys

    def _look_up(self, orders: Sequence[Order]) -> Iterator[Pause]:
        """Look up each stage, the last one first, and ask of the one before only what the cache lacks."""
        needed: list[int] = []
        for order, stage in zip(reversed(orders), reversed(self.stages), strict=True):
            survey = stage.survey
            if not order.is_last:
                own = survey.plan
                survey = replace(survey, plan=plan.lay_out(own.clip, needed, own.shape))
            part = self._add(order, survey)
            with within(order.label):
                needed = yield from part.computation.look_up()
            part.computes = bool(needed)
            if not needed:
                return

    def _make_room(self, part: _Part) -> None:
        """Release the engines of other stages that hold a device, before one that needs it computes."""
        if not part.computes or not needs_device(part.order.engine):
            return
        for other in self.stages:
            if other.order.engine is not part.order.engine and other.order.engine.usage() is not None:
                other.order.engine.release()


@dataclass
class _Part:
    """What is needed of one stage; `computes` says whether the cache lacks some of it, as far as that is known."""

    order: Order
    computation: Computation
    computes: bool = False


def _done(stage: SurveyedStage, computation: Computation | None) -> StageDone:
    cached = computation.cached if computation else 0
    needed = len(computation.survey.plan.wanted) if computation else 0
    plan_text = stage.order.engine.describe(stage.survey.identity.settings)
    return StageDone(stage.order.engine_name, needed - cached, cached, plan_text)
