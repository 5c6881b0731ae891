"""Reads some items ahead of the one that is worked on, in threads, in order and within a bound."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")
Read = TypeVar("Read")


@contextmanager
def read_ahead(
    items: Iterable[Item], read: Callable[[Item], Read], readers: Executor, count: int
) -> Iterator[Iterator[tuple[Item, Future[Read]]]]:
    """Give each item in order with the future that reads it, while at most `count` further ones are read.

    What is not begun when the block ends is never begun.

    Args:
        items: what is to be read; asked for the next one only when that may begin.
        read: reads one item, in a thread of `readers`.
        readers: threads to read in; they stay open.
        count: how many items are read beside the one that was given last, 1 or more.
    """
    coming: deque[tuple[Item, Future[Read]]] = deque()

    def in_order() -> Iterator[tuple[Item, Future[Read]]]:
        for item in items:
            coming.append((item, readers.submit(read, item)))
            if len(coming) > count:
                yield coming.popleft()
        while coming:
            yield coming.popleft()

    try:
        yield in_order()
    finally:
        for _, left in coming:
            left.cancel()
