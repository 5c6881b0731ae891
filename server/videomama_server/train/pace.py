"""Says how long a run will still take, from the seconds of its first steps."""

from __future__ import annotations

import time
from collections.abc import Callable

_TELL = (4, 20)  # steps of this start after which it is said
_WARMING = 1  # steps that do not count: kernels are chosen and workers start


class Pace:
    """The pace of a run since it was started or resumed."""

    def __init__(self, first: int, last: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin to measure.

        Args:
            first: steps that are done.
            last: steps of the whole run.
            clock: returns seconds.
        """
        self._first, self._last, self._clock, self._begun = first, last, clock, 0.0

    def after(self, step: int) -> str:
        """Return a sentence where one is due after a step; else nothing."""
        done = step - self._first
        if done == _WARMING:
            self._begun = self._clock()
        if done not in _TELL or step == self._last:
            return ""
        seconds = (self._clock() - self._begun) / (done - _WARMING)
        hours = seconds * (self._last - step) / 3600
        counted = f"steps {self._first + _WARMING + 1} to {step}"
        return f"Measured in {counted}: {seconds:.2f} s a step, about {hours:.2g} hours left up to step {self._last}."
