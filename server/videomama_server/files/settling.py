"""Tells whether a file is old enough for its stat to stand for its content."""

from __future__ import annotations

SETTLED_S = 1.0


def is_settled(mtime: float, begun: float) -> bool:
    """Whether a file was old enough, when its reading began, for its stat to be trusted.

    A younger one may change again within one tick of its clock, unseen by its stat. An edit in the same tick follows
    at once, however long the reading takes, so that the time of its end says nothing.

    Args:
        mtime: when the file was changed last, seconds since 1970.
        begun: when its reading began, or before.
    """
    return begun - mtime > SETTLED_S
