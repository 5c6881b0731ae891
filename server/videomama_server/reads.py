"""Which picture files are being read, and since when: to name one that kills its reader or holds it up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Reads:
    """The files that are being read for jobs. Every method may be called from several threads.

    Args:
        tell: called with a job and the names of all its files under way, whenever one is begun or done.
    """

    def __init__(self, tell: Callable[[str, list[str]], None]) -> None:
        self._tell = tell
        self._since: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()

    @contextmanager
    def noted(self, job: str, name: str) -> Iterator[None]:
        """Keep a file noted while it is read.

        Args:
            job: whose it is.
            name: role, frame and path, as a person is told of it.
        """
        with self._lock:
            self._since[job, name] = time.monotonic()
            self._tell(job, self._of(job))
        try:
            yield
        finally:
            with self._lock:
                self._since.pop((job, name), None)
                self._tell(job, self._of(job))

    def overdue(self, seconds: float) -> tuple[str, str] | None:
        """Return job and name of the file that has been read the longest, if that is for more than `seconds`."""
        with self._lock:
            oldest = min(self._since.items(), key=lambda row: row[1], default=None)
        if oldest is None or time.monotonic() - oldest[1] <= seconds:
            return None
        return oldest[0]

    def _of(self, job: str) -> list[str]:
        return [name for whose, name in self._since if whose == job]
