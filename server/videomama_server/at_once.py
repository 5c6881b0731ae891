"""Does the same with many things, several at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

Key = TypeVar("Key")
Thing = TypeVar("Thing")


def each(
    things: Mapping[Key, Thing], work: Callable[[Key, Thing], object], done: Callable[[Key], None], most: int
) -> None:
    """Call `work` with each thing in threads of their own. The first error ends it; what has not begun is left out.

    Args:
        things: by what `done` is told of them.
        work: what to do with one.
        done: called with each key when its work is done, in this thread, in any order.
        most: how many at once; never more than there are cores.

    Raises:
        whatever `work` or `done` raises.
    """
    with ThreadPoolExecutor(min(most, os.cpu_count() or 1)) as pool:
        running = {pool.submit(work, key, thing): key for key, thing in things.items()}
        try:
            for future in as_completed(running):
                future.result()
                done(running[future])
        except BaseException:  # also Ctrl-C: what has not begun must not
            pool.shutdown(wait=False, cancel_futures=True)
            raise
