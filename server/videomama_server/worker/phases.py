"""Tells the server what is being done for a job, and not more often than a person can read."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from videomama_client.messages import Phase, PhaseChanged

_LEAST_S = 0.2  # between two phases of one kind


class Phases:
    """What was told last of each job. Every method may be called from any thread.

    Args:
        emit: takes `PhaseChanged`.
    """

    def __init__(self, emit: Callable[[PhaseChanged], None]) -> None:
        self._emit = emit
        self._told: dict[str, tuple[str, float]] = {}  # kind and time, by job
        self._lock = threading.Lock()

    def tell(self, job: str, phase: Phase) -> None:
        """Tell a phase; the next of its kind is left out where it comes too soon."""
        now = time.monotonic()
        with self._lock:
            code, at = self._told.get(job, ("", 0.0))
            if code == phase.code and now - at < _LEAST_S:
                return
            self._told[job] = (phase.code, now)
        self._emit(PhaseChanged(job, phase))

    def forget(self, job: str) -> None:
        """Forget a job that has ended."""
        with self._lock:
            self._told.pop(job, None)
