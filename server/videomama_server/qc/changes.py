"""Finds the frames on which an alpha changes over time as no subject does: places, coverage, flicker, jumps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from videomama_server.qc.scores import FrameScores, runs
from videomama_server.qc.thresholds import Thresholds, unusual, usually

_BESIDE = 4  # changes on either side that a step is compared with
_LEAST_BESIDE = 3  # of them on each side


def places(scores: Sequence[FrameScores], limits: Thresholds) -> tuple[set[int], set[int]]:
    """Return the frames on which a place has become subject for a while, and those on which one has ceased to be.

    Both changes must be there, the one and, a few frames later, the one back: what moves changes once.
    """
    gains = {found.frame: found.gain or 0.0 for found in scores}
    losses = {found.frame: found.loss or 0.0 for found in scores}
    return (
        _there_and_back(gains, losses, limits.patch, limits),
        _there_and_back(losses, gains, limits.patch, limits),
    )


def faded(scores: Sequence[FrameScores], limits: Thresholds) -> set[int]:
    """Return the frames on which a place inside the mask has become see-through for a while."""
    there = {found.frame: found.faded or 0.0 for found in scores}
    back = {found.frame: found.restored or 0.0 for found in scores}
    return _there_and_back(there, back, limits.faded, limits)


def _there_and_back(there: dict[int, float], back: dict[int, float], rise: float, limits: Thresholds) -> set[int]:
    least_there, least_back = (unusual([*of.values()], rise, limits.scatter) for of in (there, back))
    frames: set[int] = set()
    for first in (frame for frame, value in there.items() if value > least_there):
        ends = range(first + 1, first + 1 + limits.brief)
        last = next((frame for frame in ends if back.get(frame, 0.0) > least_back), None)
        if last is not None:
            frames.update(range(first, last))
    return frames


def bumps(scores: Sequence[FrameScores], limits: Thresholds) -> set[int]:
    """Return the frames on which the coverage is higher, all at once and for a few frames, than before and after.

    What the mask's is higher by, too, is the subject's own.
    """
    frames: set[int] = set()
    for run in runs(scores):
        covered, masked = [found.coverage for found in run], [found.mask for found in run]
        swings = sorted(abs(swing) for swing in _swings(covered, limits.least))
        least = max(limits.bump, limits.bump_ratio * swings[len(swings) * 3 // 4])
        spans = [
            slice(first, first + length)
            for length in range(1, limits.brief + 1)
            for first in range(1, len(run) - length)
        ]
        for span in spans:
            around, mask_around = ((levels[span.start - 1], levels[span.stop]) for levels in (covered, masked))
            own = max(0.0, max(masked[span]) - min(mask_around))
            above = min(covered[span]) - max(around) - own
            if min(around) >= limits.least and above > least * max(around):
                frames.update(found.frame for found in run[span])
    return frames


def flutter(scores: Sequence[FrameScores], limits: Thresholds) -> set[int]:
    """Return the frames, and those after them, on which the coverage goes up and down in turn, three times or more."""
    frames: set[int] = set()
    for run in runs(scores):
        swings = _swings([found.coverage for found in run], limits.least)
        turns: list[int] = []
        for index, swing in enumerate([*swings, 0.0]):
            if turns and abs(swing) > limits.flutter and swing * swings[turns[-1]] < 0:
                turns.append(index)
                continue
            if len(turns) >= 3:
                frames.update(found.frame for found in run[turns[0] : turns[-1] + 2])
            turns = [index] if abs(swing) > limits.flutter else []
    return frames


def steps(scores: Sequence[FrameScores], limits: Thresholds) -> set[int]:
    """Return the frames on which the coverage rises or falls as on no frame around, and the mask's does not."""
    frames: set[int] = set()
    for run in runs(scores):
        moves, mask_moves = (
            _moves(levels, limits.least)
            for levels in ([found.coverage for found in run], [found.mask for found in run])
        )
        for index in range(_LEAST_BESIDE, len(moves) - _LEAST_BESIDE):
            others = [*moves[max(0, index - _BESIDE) : index], *moves[index + 1 : index + 1 + _BESIDE]]
            usual = usually(others)
            widest = max(abs(move - usual) for move in others)
            step = moves[index] - usual
            own = abs(step) - max(0.0, math.copysign(1.0, step) * (mask_moves[index] - usual))
            if own > max(limits.step, limits.step_ratio * widest):
                frames.add(run[index + 1].frame)
    return frames


def _moves(covered: Sequence[float], least: float) -> list[float]:
    """Return by how much the coverage rises from each frame to the next, as a logarithm."""
    return [after - before for before, after in pairwise(math.log(max(one, least)) for one in covered)]


def flicker(scores: Sequence[FrameScores], limits: Thresholds) -> set[int]:
    """Return the frames on which the alpha changes along the plate's motion more than anywhere, or than usually."""
    usual = usually([found.flicker for found in scores])
    least = min(limits.flicker, max(limits.flicker_least, limits.flicker_ratio * usual))
    return {found.frame for found in scores if (found.flicker or 0.0) > least}


def jumps(scores: Sequence[FrameScores], limits: Thresholds) -> set[int]:
    """Return the frames on which it changes once, and neither just before nor just after."""
    levels = {found.frame: found.flicker or 0.0 for found in scores}
    frames = set()
    for found in scores:
        here, beside = levels[found.frame], max(levels.get(found.frame + step, 0.0) for step in (-1, 1))
        stands_out = found.seam is not None and found.seam >= limits.seam
        if stands_out and here >= max(limits.flicker_least, limits.seam * beside):
            frames.add(found.frame)
    return frames


def _swings(covered: Sequence[float], least: float) -> list[float]:
    """Return by how much the coverage is above both its neighbours, or below (negative), as a share of theirs."""
    swings = [0.0] * len(covered)
    for index in range(1, len(covered) - 1):
        low, high = sorted((covered[index - 1], covered[index + 1]))
        if low >= least:
            swings[index] = max(0.0, covered[index] / high - 1) + min(0.0, covered[index] / low - 1)
    return swings
