"""How far one job is in its stages: which one computes, and what the cache holds of those before the last."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from videomama_client.messages import MatteDone, StageBegun, StageDone, StageFrameDone
from videomama_client.stages import place


@dataclass
class StageProgress:
    """The stages of one job.

    Attributes:
        begun: the one of several stages that began last; None before the first.
        kept: of each stage before the last, its frames in the cache, and whether they were there before the job.
    """

    begun: StageBegun | None = None
    kept: dict[int, dict[int, bool]] = field(default_factory=dict)

    @property
    def frame_count(self) -> int:
        """How many frames of the stages before the last are in the cache."""
        return sum(map(len, self.kept.values()))

    def note_begun(self, event: StageBegun) -> None:
        """Enter a stage that begins, perhaps again."""
        self.begun = event

    def note_kept(self, event: StageFrameDone) -> bool:
        """Enter a frame of a stage before the last; return whether it is news."""
        frames = self.kept.setdefault(event.stage, {})
        if event.frame in frames:
            return False
        frames[event.frame] = event.cached
        return True

    def told(self, count: int) -> str:
        """Return which of `count` stages computes, such as `1 of 2, classic`; empty where there is only one."""
        return place(self.begun.stage, self.begun.engine, count) if self.begun else ""

    def done(self, event: MatteDone, computed: int) -> list[StageDone]:
        """Return what each stage came to, counted over all workers that had the job.

        Args:
            event: what the last of these workers said.
            computed: how many frames of the last stage were computed.
        """
        if not event.stages:
            return []
        *earlier, last = event.stages
        found = []
        for index, stage in enumerate(earlier):
            known = list(self.kept.get(index, {}).values())
            found.append(replace(stage, computed=known.count(False), cached=known.count(True)))
        return [*found, replace(last, computed=computed, cached=event.frame_count - computed)]
