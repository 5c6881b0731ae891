"""The worker's heartbeat: a count that grows with every piece of work, by which the server sees that it gets on."""

from __future__ import annotations

import itertools

_counting = itertools.count(1)
_beats = 0


def beat() -> None:
    """Note that a piece of work is done, or that there is good reason to wait; any thread, cheap enough for any loop.

    Whatever takes longer than minutes beats in between: a frame read or written, a layer of a network run.
    """
    global _beats  # one process, one heart
    _beats = next(_counting)


def beats() -> int:
    """Return how often this process's heart has beaten."""
    return _beats
