"""How fast a job computes: alphas in a second, measured over the last ones of the stage at work."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field

_MARKS = 64  # alphas that the rate is measured over


@dataclass
class Pace:
    """When the last alphas of a stage were computed, on the monotonic clock; the first mark is when it began."""

    marks: deque[float] = field(default_factory=lambda: deque(maxlen=_MARKS + 1))
    _computes: bool = False

    def begin(self) -> None:
        """Note that a stage begins to compute."""
        self.marks.clear()
        self.marks.append(time.monotonic())
        self._computes = False

    def note_computing(self) -> None:
        """Note that the engine computes a window: what came before the first one of a stage does not count."""
        if not self._computes and len(self.marks) < 2:
            self.begin()
        self._computes = True

    def note_alpha(self) -> None:
        """Note that an alpha was computed."""
        self.marks.append(time.monotonic())

    @property
    def rate(self) -> float | None:
        """Alphas in a second; None until two are done."""
        if len(self.marks) < 3:
            return None
        took = self.marks[-1] - self.marks[0]
        return (len(self.marks) - 1) / took if took > 0 else None

    def seconds_left(self, count: int) -> float | None:
        """Return the seconds that `count` more alphas will take; None where that is not known."""
        rate = self.rate
        return None if rate is None else max(0, count) / rate
