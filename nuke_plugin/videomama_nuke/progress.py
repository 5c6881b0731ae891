"""How far a refine is, told by the events of its jobs, one for each view. Knows no Nuke."""

from __future__ import annotations

from dataclasses import dataclass

from videomama_client import messages
from videomama_client.stages import place


@dataclass
class Progress:
    """Counts of frames.

    Attributes:
        total: alphas that are wanted, of all views.
        done: how many of them are on disk.
    """

    total: int
    done: int = 0
    _stages: int = 1
    _stage: str = ""  # that is at work, such as `stage 1 of 2, classic`; empty for the only one
    _before_last: bool = False  # is that stage
    _needed: int = 0  # alphas of that stage
    _ready: int = 0  # how many of them are in the cache

    def note(self, event: messages.JobEvent) -> None:
        """Take in an event of a job."""
        if isinstance(event, messages.MattePlanned):
            self._stages, self._stage, self._before_last = len(event.stages), "", False
        elif isinstance(event, messages.StageBegun):
            self._stage = f"stage {place(event.stage, event.engine, self._stages)}"
            self._before_last = event.stage + 1 < self._stages
            self._needed, self._ready = event.frame_count, 0
        elif isinstance(event, messages.StageFrameDone):
            self._ready += 1
        elif isinstance(event, messages.FrameDone):
            self.done += 1

    @property
    def percent(self) -> int:
        """How much is done of the stage that is at work, 0..100."""
        done, total = self._counts()
        return 100 * done // total if total else 0

    @property
    def text(self) -> str:
        """The same in words, such as `refining: 12 of 100`, with the stage where there are several."""
        done, total = self._counts()
        return f"refining{f', {self._stage}' if self._stage else ''}: {done} of {total}"

    def _counts(self) -> tuple[int, int]:
        return (self._ready, self._needed) if self._before_last else (self.done, self.total)
