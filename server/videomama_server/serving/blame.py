"""What a job is blamed for: deaths of the engine worker, and the files that were being read then."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from videomama_client.errors import InternalError
from videomama_client.wording import counted

DEATHS_WITHOUT_PROGRESS = 2
_SUSPECTS = 4


@dataclass
class Blame:
    """The deaths of workers that are one job's fault.

    Attributes:
        files: what the worker is reading for the job at this moment, as a person is told of it, and since when.
        suspects: those of them that were being read at each of its deaths so far.
        deaths: how often a worker died over it without finishing a frame in between.
        done_at_death: how many of its frames were done at the last death; -1 before the first.
    """

    files: dict[str, float] = field(default_factory=dict)
    suspects: list[str] = field(default_factory=list)
    deaths: int = 0
    done_at_death: int = -1

    def note_files(self, names: Sequence[str]) -> None:
        """Note which files are being read now; one that was being read before is counted from then."""
        now = time.monotonic()
        self.files = {name: self.files.get(name, now) for name in names}

    def forget_files(self) -> None:
        """Note that nothing is being read any more."""
        self.files = {}

    def note_death(self, done: int) -> None:
        """Note that the worker died over the job.

        Args:
            done: how many of its frames are done.
        """
        again = done == self.done_at_death
        self.deaths = self.deaths + 1 if again else 1
        self.done_at_death = done
        self.suspects = [name for name in self.files if not again or name in self.suspects]

    def verdict(self) -> InternalError | None:
        """Return why the job is given up; None for one that may run again."""
        if self.deaths < DEATHS_WITHOUT_PROGRESS:
            return None
        died = f"the engine died twice after {counted(self.done_at_death, 'frame')} of this job"
        if not self.suspects:
            return InternalError(died, "See the server's log; try other settings.")
        named = "; ".join(self.suspects[:_SUSPECTS])
        return InternalError(
            f"{died}, while it read {named}", "Render or copy what it read again; see the server's log."
        )
