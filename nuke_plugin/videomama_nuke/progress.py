"""How far a refine is, told by the events of its jobs, one for each view. Knows no Nuke."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional

from videomama_client import messages
from videomama_client.job_records import Phase
from videomama_client.objects import called
from videomama_client.phase_words import said_beside
from videomama_client.stages import place


@dataclass
class Progress:
    """Counts of frames.

    Attributes:
        total: alphas that are wanted, of all views.
        done: how many of them are on disk.
        stages: of each job, also before it says what it came to: makers of masks compute before that.
    """

    total: int
    done: int = 0
    stages: int = 1
    _of_objects: dict[str, int] = field(default_factory=dict)  # stages of each of several objects
    _stage: str = ""  # that is at work, such as `stage 1 of 2, classic`; empty for the only one
    _before_last: bool = False  # is that stage
    _needed: int = 0  # alphas of that stage
    _ready: int = 0  # how many of them are in the cache
    _sides: int = 0  # frames whose foreground is on disk
    _side: str = ""  # what is left to make once all alphas are there
    _phase: Optional[Phase] = None  # what is being done beside finished frames

    def note(self, event: messages.JobEvent) -> None:
        """Take in an event of a job."""
        if isinstance(event, messages.PhaseChanged):
            self._phase = event.phase
        elif isinstance(event, messages.MattePlanned):
            self.stages, self._stage, self._before_last = len(event.stages), "", False
            self._of_objects = {one.name: len(one.stages) for one in event.objects}
        elif isinstance(event, messages.StageBegun):
            count = self._of_objects.get(event.object, self.stages)
            self._stage = f"stage {place(event.stage, event.engine, count, event.object)}"
            self._before_last = bool(event.object) or event.stage + 1 < self.stages
            self._needed, self._ready = event.frame_count, 0
        elif isinstance(event, messages.StageFrameDone):
            self._ready += 1
        elif isinstance(event, messages.FrameDone):
            self.done += 1
        elif isinstance(event, messages.SideFrameDone):
            self._sides += 1
            self._side = called(event.side_kind, event.object)

    @property
    def phase_code(self) -> str:
        """The kind of what is being done; empty before anything is known of it."""
        return self._phase.code if self._phase is not None else ""

    @property
    def percent(self) -> int:
        """How much is done of the stage that is at work, or of the foreground after the last, 0..100."""
        done, total = self._counts()
        return 100 * done // total if total else 0

    @property
    def text(self) -> str:
        """The same in words, such as `refining: 12 of 100`, with the stage where there are several.

        Before the first alpha of a stage, and while something else is done, it says what that is.
        """
        done, total = self._counts()
        beside = said_beside(self._phase, done)
        if beside:
            return beside
        if self._on_sides:
            return f"{self._side}: {done} of {total}"
        return f"refining{f', {self._stage}' if self._stage else ''}: {done} of {total}"

    @property
    def _on_sides(self) -> bool:
        return self._sides > 0 and self.done == self.total

    def _counts(self) -> tuple[int, int]:
        if self._on_sides:
            return self._sides, self.total * max(1, len(self._of_objects))
        return (self._ready, self._needed) if self._before_last else (self.done, self.total)
