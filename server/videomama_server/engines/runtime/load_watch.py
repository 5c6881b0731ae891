"""Tells how much of a network is in memory while it is loaded; the libraries that load it do not say."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil

_EVERY_S = 0.25


@contextmanager
def loading(tell: Callable[[int, int], None], total: int) -> Iterator[None]:
    """Tell, while the block runs, how many of `total` bytes are there: by how much this process has grown.

    That is an estimate. It never says more than `total`, and never less than it said before.

    Args:
        tell: takes the bytes that are there, and `total`; called from another thread.
        total: bytes of the weights.
    """
    ended = threading.Event()
    before = _held()

    def watch() -> None:
        most = 0
        while True:
            most = max(most, min(total, _held() - before))
            tell(most, total)
            if ended.wait(_EVERY_S):
                return

    watcher = threading.Thread(target=watch, name="load watch", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def _held() -> int:
    return int(psutil.Process().memory_info().rss)
