"""Names what all jobs of a worker share."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from videomama_server.cache.entries import Cache
from videomama_server.cache.memo import Memo


@dataclass(frozen=True)
class Services:
    """What all jobs of a worker share."""

    cache: Cache
    memo: Memo
    readers: ThreadPoolExecutor
    writers: ThreadPoolExecutor
    threads: int
