"""Finds what is wrong with a clip's plates and masks themselves: inverted, swapped, ending before the frame does."""

from __future__ import annotations

from collections.abc import Sequence

from videomama_server.qc.scores import FrameScores
from videomama_server.qc.thresholds import Thresholds


def inverted_masks(scores: Sequence[FrameScores], limits: Thresholds) -> set[int]:
    """Return the frames whose mask covers the frame's sides and leaves something within."""
    return {found.frame for found in scores if found.edge >= limits.edge and 1 - found.mask >= limits.least_left}


def inverted_alphas(scores: Sequence[FrameScores], limits: Thresholds) -> set[int]:
    """Return the frames whose alpha covers what the mask leaves."""
    return {found.frame for found in scores if found.inverse > limits.inverse and found.iou < limits.iou}


def swapped(scores: Sequence[FrameScores], limits: Thresholds) -> set[int]:
    """Return the frames whose mask is a picture, or whose plate looks like a mask and the mask like a picture."""
    return {
        found.frame
        for found in scores
        if found.grey > limits.grey or (found.plain > limits.plain and found.grey > limits.grey_plain)
    }


def short_masks(scores: Sequence[FrameScores], limits: Thresholds) -> set[int]:
    """Return the frames on which mask and alpha end just before the frame does."""
    return {found.frame for found in scores if found.uncovered > limits.uncovered}
