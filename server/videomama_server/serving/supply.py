"""The frames that the client of an inline job was asked for and has not sent yet."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass
class Supply:
    """What is awaited from one job's client.

    Attributes:
        wanted: since when each frame is awaited, by role and frame, on the monotonic clock.
    """

    wanted: dict[tuple[str, int], float] = field(default_factory=dict)

    def note_wanted(self, role: str, frame: int) -> None:
        """Note that the client was asked for a frame; one that is asked for again is awaited since the first time."""
        self.wanted.setdefault((role, frame), time.monotonic())

    def note_arrived(self, role: str, frame: int) -> None:
        """Note that a frame arrived."""
        self.wanted.pop((role, frame), None)

    def forget(self) -> None:
        """Await nothing any more."""
        self.wanted = {}
