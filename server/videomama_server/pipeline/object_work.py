"""The work of a job on one of its objects, or on its only mask: its stages, and what ended them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from videomama_client.errors import Cancelled, VideoMaMaError
from videomama_client.messages import JobEvent, QcFlag, StageBegun, StageDone

from videomama_server.pipeline import drift, mask_choice, small_subject
from videomama_server.pipeline.chain import Chain, SurveyedStage, later_stages, survey_stages
from videomama_server.pipeline.entry_key import Identity
from videomama_server.pipeline.head_start import abandon, head_start
from videomama_server.pipeline.object_output import ObjectOutput
from videomama_server.pipeline.order import Order
from videomama_server.pipeline.quality_control import QcResult
from videomama_server.pipeline.services import Services
from videomama_server.pipeline.sources import AlphaLost
from videomama_server.pipeline.survey import Look, Pause, Survey, take_look


class ObjectWork:
    """One object of a job. Only the job's own thread calls it.

    Args:
        order: of the object.
        services: what is shared with the other jobs.
        emit: takes the job's events; called from several threads.
        cancelled: set from outside to stop the job.

    Attributes:
        order: with the light engine, once that took over.
        stages: as surveyed; the makers of masks alone until these were made.
        attempt: the same as they are computed next, or were last; those of a head start are foreseen.
        chain: that computes them, or did.
        failure: what ended this object's work; None where nothing did.
        drifts: where the masks of an engine that walks seem to leave the subject.
        output: where its alphas go.
    """

    def __init__(
        self, order: Order, services: Services, emit: Callable[[JobEvent], None], cancelled: threading.Event
    ) -> None:
        self.order = order
        self.stages: list[SurveyedStage] = []
        self.attempt: list[SurveyedStage] = []
        self._early: Chain | None = None  # that had a head start and is not begun yet
        self.chain: Chain | None = None
        self.failure: VideoMaMaError | None = None
        self.drifts: list[QcFlag] = []
        self._look: Look | None = None
        self._made: list[StageDone] = []  # what the makers came to, where they were computed for the survey
        self._services = services
        self._emit = emit
        self._cancelled = cancelled
        self.output = ObjectOutput(order, services, emit, cancelled)

    @property
    def first(self) -> Survey:
        """The survey of the first stage."""
        return self.stages[0].survey

    @property
    def wanted(self) -> tuple[int, ...]:
        """The frames that are delivered."""
        return self.stages[-1].survey.plan.wanted

    @property
    def identities(self) -> tuple[Identity, ...]:
        """What the entries of each stage share."""
        return tuple(stage.survey.identity for stage in self.attempt)

    @property
    def begun(self) -> Chain:
        """The chain that computes, or was the last to."""
        assert self.chain is not None
        return self.chain

    @property
    def found(self) -> Look:
        """What `look` found."""
        assert self._look is not None
        return self._look

    def look(self) -> Iterator[Pause]:
        """Look at the masks and plates; a small subject goes to the light engine. Raises as `take_look`."""
        with self.order.named():
            self.order = yield from small_subject.settled(self.order, self._services.readers)
            if self._look is None:
                self._early = yield from head_start(self.order, self._services, self._chain_of)
            self._look = yield from take_look(self.order, self._services.readers, self._cancelled)

    def take(self, survey: Survey) -> None:
        """Take the survey of the first stage, and survey those that need no masks of a maker.

        Raises:
            VideoMaMaError: as `survey_stages`.
        """
        self._made = []
        with self.order.named():
            self.attempt = self.stages = survey_stages(self.order, survey, self._makers or None)
        if self._early is not None and self._early.settle(self.stages):
            self.attempt = self._early.stages
        else:
            self._abandon_early()

    def make_masks(self) -> Iterator[Pause]:
        """Survey the stages after the makers of masks; what these make is computed where it has to be known.

        Raises:
            AlphaLost: a mask that was just made was removed meanwhile.
            VideoMaMaError, OSError: as `Chain.run` and `Chain.stage_after`.
        """
        if len(self.stages) == len(self.order.stages()):
            return
        self.chain, following = self._chain_of(self.stages), self.order.stages()[len(self.stages)]
        with self.order.named():
            try:
                after = yield from self.chain.stage_after(following)
            except AlphaLost:
                yield from self.chain.run()
                self._made = self.chain.done()
                after = yield from self.chain.stage_after(following)
            self.first.warnings.extend(after.survey.warnings)
            rest = later_stages(self.order, after.survey, len(self.stages) + 1, self.first.later)
            self.attempt = self.stages = [*self.stages, after, *rest]

    def compute(self) -> Iterator[Pause]:
        """Compute all stages; raises as `Chain.run`."""
        self.output.begin(self.first, self.stages[-1].survey)
        self.chain = self._early or self._chain_of(self.stages)
        self.attempt, self._early = self.chain.stages, None
        with self.order.named():
            yield from self.chain.run()

    def _abandon_early(self) -> None:
        abandon(self._early)
        self._early = None

    def _chain_of(self, stages: list[SurveyedStage]) -> Chain:
        return Chain(stages, self._services, self.output.writers, self._tell_begin, self._cancelled)

    def finish(self, alone: bool = True) -> Iterator[Pause]:
        """Wait for the side results, look where masks drift, and judge what the cache had without scores.

        Args:
            alone: whether it is the job's only mask; else a side result that failed is this object's failure, and the
                others are finished.

        Raises:
            VideoMaMaError, OSError: as `SideResults.finish`.
        """
        try:
            with self.order.named():
                yield from self.output.finish_sides()
        except Cancelled:
            raise
        except VideoMaMaError as error:
            if alone:
                raise
            self.failure = error.at()
        walked = self.stages[0]
        self.drifts = yield from drift.flags(walked.order, walked.survey, self._services, self._cancelled)
        last = self.begun.last
        if last.is_judged:
            yield from self.output.rejudge(last, self.stages[-1].survey)

    def verdict(self) -> QcResult:
        """Return what quality control says of the object."""
        return self.output.verdict(self.wanted if self.begun.last.is_judged else ())

    def settle(self) -> Iterator[Pause]:
        """Forget all frames and wait for the writes and side results, before it is computed again."""
        if self.chain is not None:
            self.chain.release()
        yield from self.output.settle()

    def cancel(self) -> None:
        """Cancel the reads that have not begun."""
        if self.chain is not None:
            self.chain.cancel()

    def close(self) -> None:
        """Cancel the writes that have not begun and wait for the others; what had a head start is forgotten."""
        self._abandon_early()
        self.output.close()

    def stages_done(self) -> list[StageDone]:
        """Return what each stage came to, first to last."""
        return [*self._made, *self.begun.done()[len(self._made) :]]

    @property
    def _makers(self) -> int:
        """How many makers of masks the chain begins with."""
        return mask_choice.leading([stage.makes_masks for stage in self.order.stages()])

    def _tell_begin(self, order: Order, frame_count: int) -> None:
        """Tell that one of several stages or objects begins."""
        if order.then or order.object:
            self._emit(StageBegun(order.job, order.index, order.engine_name, frame_count, order.object))
