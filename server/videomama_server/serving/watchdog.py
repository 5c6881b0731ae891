"""Tells a worker that hangs from one that is slow, by its heartbeats and by the processor time that it uses."""

from __future__ import annotations

import time

from videomama_server import pipe

PATIENCE = 30  # times as long for a worker that computes without getting on as for one that does nothing
_AT_WORK = 0.01  # of one core's time: waiting and sending pulses take a tenth of that
_LEAST_S = 0.05  # of processor time; systems count it in hundredths
_BLIND_S = 10.0


class Watchdog:
    """Watches one worker process.

    A worker that is told to end by this was in the middle of a job and had, for `limit_s`, neither finished the least
    piece of work nor used a hundredth of a core: it is stopped, or waits for what never comes. One that does use the
    processor is given `PATIENCE` times as long, for it may be computing: a piece of work is a frame, or one layer
    of a network, never a window or a job. A slow engine beats, and meets no limit.

    Args:
        limit_s: 0 for never.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._beats = -1
        self._cpu_s = 0.0
        self._got_on = self._worked = self._looked = time.monotonic()

    def heard(self, pulse: pipe.Pulse) -> None:
        """Take a pulse in; one without a job has nothing to get on with."""
        if not pulse.busy or pulse.beats != self._beats:
            self._beats = pulse.beats
            self._got_on = time.monotonic()

    def verdict(self, cpu_s: float) -> str:
        """Say why the worker is to be ended; empty for one that is well. Ask every second or so.

        Args:
            cpu_s: processor time that the worker has used since it was started.
        """
        now = time.monotonic()
        if now - self._looked > _BLIND_S:  # nobody looked, or this process was held up itself: begin anew
            self._got_on = self._worked = now
        self._looked = now
        if cpu_s - self._cpu_s >= max(_LEAST_S, _AT_WORK * (now - self._worked)):
            self._cpu_s, self._worked = cpu_s, now
        if not self._limit_s:
            return ""
        if now - max(self._got_on, self._worked) > self._limit_s:
            return f"it has done nothing for {self._limit_s:g} s"
        if now - self._got_on > PATIENCE * self._limit_s:
            return f"it computes, but has come no further for {PATIENCE * self._limit_s:g} s"
        return ""
