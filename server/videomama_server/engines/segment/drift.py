"""Tells where a followed mask is no longer that of the subject: it changes too much from one frame to the next."""

from __future__ import annotations

from videomama_server.arrays import BoolArray

AREA_CHANGE = 0.40  # of the area in the frame before
LEAST_IOU = 0.70  # with the frame before


def drifts(before: BoolArray, after: BoolArray) -> bool:
    """Whether a mask (h, w) changed more than a subject does from one frame to the next.

    A subject that was not there may appear; one that is gone has drifted.
    """
    area = int(before.sum())
    if not area:
        return False
    common, union = int((before & after).sum()), int((before | after).sum())
    return abs(int(after.sum()) - area) > AREA_CHANGE * area or common < LEAST_IOU * union
