"""Finds the frames of a clip that are worth a look: the worst ones, over all engines, apart from each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from videomama_server.arrays import FloatArray
from videomama_server.evaluate.measure import Scores

SHOWN = 3  # worst frames of a clip, and
MANY = 24  # clips with one kind of masks from which on only one is, so that the report stays small
_WRONG = ("inside_90", "haze", "chatter")  # what should be 0, of clips without a truth
_APART = 12  # a twelfth of the clip between two of them: neighbours show the same


def how_many(clips: int) -> int:
    """Return how many worst frames a report of so many clips shows of each."""
    return SHOWN if clips <= MANY else 1


def worst_frames(frames: Sequence[int], judged: Sequence[Scores], count: int = 1) -> list[int]:
    """Return the worst frames of a clip, the worst one first.

    They have the greatest MAD, summed over engines; without a truth the most of what should not be, each measure by
    its mean over all frames.

    Args:
        frames: of the clip.
        judged: the scores of each engine, by frame.
        count: how many are wanted; short clips have fewer that are apart.
    """
    names = ("mad",) if "mad" in judged[0] else _WRONG
    wrong = np.sum([_by_mean([scores[name] for scores in judged]) for name in names], axis=0)
    apart = len(frames) // _APART
    found: list[int] = []
    for place in np.argsort(-wrong, kind="stable").tolist():
        if all(abs(place - other) > apart for other in found):
            found.append(place)
    return [frames[place] for place in found[:count]]


def _by_mean(figures: Sequence[Sequence[float | None]]) -> FloatArray:
    """Return one measure of every frame, summed over engines, in shares of its mean over the frames."""
    sums = np.sum([[figure or 0.0 for figure in of_engine] for of_engine in figures], axis=0)
    return np.asarray(sums / max(float(sums.mean()), 1e-9), np.float32)
