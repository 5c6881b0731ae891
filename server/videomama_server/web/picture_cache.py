"""Keeps what was made of pictures as long as it fits a number of bytes; makes each thing once, whoever asks."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

Value = TypeVar("Value")


class PictureCache(Generic[Value]):
    """Values by key, the least recently used let go first. Threads may share it.

    Args:
        limit: bytes that all values may have together.
        size: returns the bytes of one value.
    """

    def __init__(self, limit: int, size: Callable[[Value], int]) -> None:
        self._limit = limit
        self._size = size
        self._kept: OrderedDict[Hashable, Value] = OrderedDict()
        self._coming: dict[Hashable, Future[Value]] = {}
        self._bytes = 0
        self._lock = threading.Lock()

    @property
    def bytes(self) -> int:
        """How much is kept."""
        with self._lock:
            return self._bytes

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Return the value of a key, made where it is not kept; who asks meanwhile waits for the same one.

        A value larger than the limit is returned and not kept. What `make` raises is raised, and not kept.
        """
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            coming = self._coming.get(key)
            if coming is None:
                own = self._coming[key] = Future[Value]()
        if coming is not None:
            return coming.result()
        return self._make(key, make, own)

    def _make(self, key: Hashable, make: Callable[[], Value], own: Future[Value]) -> Value:
        try:
            value = make()
        except BaseException as error:
            self._end(key)
            own.set_exception(error)
            raise
        self._keep(key, value)
        own.set_result(value)
        return value

    def _end(self, key: Hashable) -> None:
        with self._lock:
            del self._coming[key]

    def _keep(self, key: Hashable, value: Value) -> None:
        size = self._size(value)
        with self._lock:
            del self._coming[key]
            if size > self._limit:
                return
            self._kept[key] = value
            self._bytes += size
            while self._bytes > self._limit:
                _, oldest = self._kept.popitem(last=False)
                self._bytes -= self._size(oldest)
