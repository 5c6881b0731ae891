"""How far one job is in its stages: which one computes, and what the cache holds of those before the last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from videomama_client.messages import MatteDone, ObjectDone, StageBegun, StageDone, StageFrameDone
from videomama_client.stages import place


@dataclass
class StageProgress:
    """The stages of one job.

    Attributes:
        begun: the one of several stages that began last; None before the first.
        kept: of each object and stage, its frames in the cache, and whether they were there before the job. Of a job of
            one mask, the last stage is not among them: its frames have files.
    """

    begun: StageBegun | None = None
    kept: dict[tuple[str, int], dict[int, bool]] = field(default_factory=dict)

    @property
    def frame_count(self) -> int:
        """How many frames of these are in the cache."""
        return sum(map(len, self.kept.values()))

    def note_begun(self, event: StageBegun) -> None:
        """Enter a stage that begins, perhaps again."""
        self.begun = event

    def note_kept(self, event: StageFrameDone) -> bool:
        """Enter a frame of a stage; return whether it is news."""
        frames = self.kept.setdefault((event.object, event.stage), {})
        if event.frame in frames:
            return False
        frames[event.frame] = event.cached
        return True

    def told(self, counts: Mapping[str, int]) -> str:
        """Return which of several stages computes, such as `1 of 2, classic`, and of which object; else nothing.

        Args:
            counts: how many stages each object has, by name; those of a job of one mask without a name.
        """
        if self.begun is None:
            return ""
        return place(self.begun.stage, self.begun.engine, counts[self.begun.object], self.begun.object)

    def done(self, event: MatteDone, computed: int) -> list[StageDone]:
        """Return what each stage came to, counted over all workers that had the job.

        Args:
            event: what the last of these workers said.
            computed: how many frames of the last stage were computed.
        """
        if not event.stages:
            return []
        *_, last = event.stages
        found = self._counted("", event.stages)
        return [*found[:-1], replace(last, computed=computed, cached=event.frame_count - computed)]

    def objects_done(self, event: MatteDone) -> list[ObjectDone]:
        """Return what each of several objects came to, counted over all workers that had the job."""
        return [self._object_done(one) for one in event.objects]

    def _object_done(self, one: ObjectDone) -> ObjectDone:
        stages = self._counted(one.name, one.stages)
        return replace(one, computed=stages[-1].computed, cached=stages[-1].cached, stages=stages)

    def _counted(self, name: str, stages: Sequence[StageDone]) -> list[StageDone]:
        known = [list(self.kept.get((name, index), {}).values()) for index in range(len(stages))]
        return [
            replace(stage, computed=frames.count(False), cached=frames.count(True))
            for stage, frames in zip(stages, known, strict=True)
        ]
