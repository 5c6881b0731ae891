"""Which picture files the worker is reading: for the server to name one that kills it or holds it up."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Reads:
    """The files that are being read for jobs. Every method may be called from several threads.

    Args:
        tell: called with a job and the names of all its files under way, whenever one is begun or done.
    """

    def __init__(self, tell: Callable[[str, list[str]], None]) -> None:
        self._tell = tell
        self._under_way: list[tuple[str, str]] = []
        self._lock = threading.Lock()

    @contextmanager
    def noted(self, job: str, name: str) -> Iterator[None]:
        """Keep a file noted while it is read.

        Args:
            job: whose it is.
            name: role, frame and path, as a person is told of it.
        """
        with self._lock:
            self._under_way.append((job, name))
            self._tell(job, self._of(job))
        try:
            yield
        finally:
            with self._lock:
                self._under_way.remove((job, name))
                self._tell(job, self._of(job))

    def _of(self, job: str) -> list[str]:
        return [name for whose, name in self._under_way if whose == job]
