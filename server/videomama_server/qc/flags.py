"""Decides which frames a person should look at, and says why: the only place with the thresholds of quality control.

The thresholds were chosen on generated clips with exact alpha, so that their alphas, exact and refined, raise nothing
and every fault that the tests plant does. A flag is no proof: it says where to look first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from statistics import median

from videomama_server.qc.scores import FrameScores
from videomama_server.sequences import whole_range

MASK_MISSED, ALPHA_DROPPED, MISMATCH = "mask missed", "alpha dropped", "mismatch"
SPILL, HOLE, SOFT, FLICKER, SEAM = "spill", "hole", "soft inside", "flicker", "seam"


@dataclass(frozen=True)
class Thresholds:
    """From where a score raises a flag; the words are those of `FrameScores`.

    Attributes:
        least: share of the frame that a mask or alpha must have had for its loss to count.
        lost: a mask or alpha that keeps less than this of what it covered is lost.
        iou: below this mask and alpha disagree, whatever the clip is like.
        iou_fall: so they do this much below the clip's median.
        iou_fair: below this the mask is too poor to judge the alpha by, and only `iou` and `iou_fall` are looked at.
        outside_rise: spill, as a share of the alpha above the clip's median.
        outside: spill, whatever the clip is like.
        hole: share of the mask.
        soft_rise: softness above the clip's median.
        scatter: what a fall or rise must be at least, in median absolute deviations of the clip: where masks differ
            much in quality from frame to frame, so do the scores.
        flicker: above this the alpha flickers, whatever the clip is like.
        flicker_ratio: so it does at this many times the clip's median, from `flicker_least` on.
        seam: a change this many times that of the frames around, and as many times the ones just before
            and after, is a seam, from `flicker_least` on.
    """

    least: float = 0.002
    lost: float = 0.3
    iou: float = 0.4
    iou_fall: float = 0.15
    iou_fair: float = 0.6
    outside_rise: float = 0.03
    outside: float = 0.5
    hole: float = 0.01
    soft_rise: float = 0.08
    scatter: float = 6.0
    flicker: float = 0.2
    flicker_ratio: float = 3.0
    flicker_least: float = 0.06
    seam: float = 3.0


THRESHOLDS = Thresholds()


@dataclass(frozen=True)
class Flag:
    """Frames that have one thing wrong with them.

    Attributes:
        kind: what, in a word or two.
        frames: their numbers, ascending.
        worst: the one to look at first.
        reason: a sentence for the person.
    """

    kind: str
    frames: list[int]
    worst: int
    reason: str

    def __str__(self) -> str:
        return f"{self.kind} on {whole_range(self.frames)}: {self.reason}"


def judge(scores: Sequence[FrameScores], limits: Thresholds = THRESHOLDS) -> list[Flag]:
    """Return the flags of a clip, in the order in which causes come before what follows from them.

    A frame whose mask or alpha was lost is not judged any further, nor is its change from and to its neighbours.
    """
    unmasked = _lost(scores, lambda found: found.mask, limits, ())
    dropped = _lost(scores, lambda found: found.coverage, limits, unmasked)
    lost = unmasked | dropped
    near = {frame + step for frame in lost for step in (0, 1)}
    whole = [found for found in scores if found.frame not in lost]
    steady = [found for found in scores if found.frame not in near]
    flags = [
        _flag(MASK_MISSED, scores, unmasked, lambda found: -found.mask, "the mask is gone, or nearly, all at once"),
        _flag(ALPHA_DROPPED, scores, dropped, lambda found: -found.coverage, "the alpha is gone and the mask is not"),
        *_still_flags(whole, limits),
        *_change_flags(steady, limits),
    ]
    return [flag for flag in flags if flag is not None]


def _still_flags(scores: Sequence[FrameScores], limits: Thresholds) -> list[Flag | None]:
    """Return the flags of what is wrong with a frame by itself."""
    least_iou = max(limits.iou, -_unusual([-found.iou for found in scores], limits.iou_fall, limits.scatter))
    spill = min(limits.outside, _unusual([found.outside for found in scores], limits.outside_rise, limits.scatter))
    soft = _unusual([found.softness for found in scores], limits.soft_rise, limits.scatter)
    rules: list[tuple[str, Callable[[FrameScores], float | None], float, str]] = [
        (MISMATCH, lambda found: -found.iou, -least_iou, "mask and alpha cover different things"),
        (SPILL, lambda found: found.outside, spill, "there is alpha far outside the mask"),
        (HOLE, lambda found: found.hole, limits.hole, "the alpha is near 0 deep inside the mask"),
        (
            SOFT,
            lambda found: found.softness,
            soft,
            "more transparent deep inside the mask than on the rest of the clip",
        ),
    ]
    poor = _where(scores, lambda found: least_iou <= found.iou < limits.iou_fair)
    flags: list[Flag | None] = []
    for kind, of, limit, reason in rules:
        over = {found.frame for found in scores if _number(of(found)) > limit} - poor
        flags.append(_flag(kind, scores, over, of, reason))
    return flags


def _change_flags(scores: Sequence[FrameScores], limits: Thresholds) -> list[Flag | None]:
    """Return the flags of what is wrong between a frame and the one before it."""
    usual = _median([found.flicker for found in scores])
    flicker = {found.frame: found.flicker or 0.0 for found in scores}

    def jumps(found: FrameScores) -> bool:
        here = flicker[found.frame]
        beside = max(flicker.get(found.frame + step, 0.0) for step in (-1, 1))
        stands_out = here >= limits.flicker_least and found.seam is not None and found.seam >= limits.seam
        return stands_out and here >= limits.seam * beside

    def flickers(found: FrameScores) -> bool:
        here = flicker[found.frame]
        return here > limits.flicker or here > max(limits.flicker_least, limits.flicker_ratio * usual)

    seams = _where(scores, jumps)
    return [
        _flag(
            FLICKER,
            scores,
            _where(scores, flickers) - seams,
            lambda found: found.flicker,
            "the alpha changes where the plate does not",
        ),
        _flag(
            SEAM,
            scores,
            seams,
            lambda found: found.seam,
            "the alpha jumps once and stays: two windows that do not meet",
        ),
    ]


def _lost(
    scores: Sequence[FrameScores],
    of: Callable[[FrameScores], float],
    limits: Thresholds,
    known: Collection[int],
) -> set[int]:
    """Return the frames on which what is covered fell at once, until it is back; `known` ones have their reason.

    What shrinks already may go on as it did: a subject that leaves the frame is not lost.
    """
    lost: set[int] = set()
    before = good = 0.0
    for found in scores:
        if found.frame in known:
            continue
        expected = good - max(0.0, before - good)
        if expected >= limits.least and of(found) < limits.lost * expected:
            lost.add(found.frame)
        else:
            before, good = good, of(found)
    return lost


def _where(scores: Sequence[FrameScores], wrong: Callable[[FrameScores], bool]) -> set[int]:
    return {found.frame for found in scores if wrong(found)}


def _flag(
    kind: str, scores: Sequence[FrameScores], frames: set[int], of: Callable[[FrameScores], float | None], reason: str
) -> Flag | None:
    """Return a flag, or None for no frames; `of` is highest on the worst."""
    if not frames:
        return None
    worst = max((found for found in scores if found.frame in frames), key=lambda found: _number(of(found)))
    return Flag(kind, sorted(frames), worst.frame, reason)


def _unusual(values: Sequence[float | None], rise: float, scatter: float) -> float:
    """Return from where a score is unusually high for its clip."""
    usual = _median(values)
    spread = _median([abs(value - usual) for value in values if value is not None])
    return usual + max(rise, scatter * spread)


def _number(value: float | None) -> float:
    """Return a score so that none is below every limit."""
    return -math.inf if value is None else value


def _median(values: Sequence[float | None]) -> float:
    """Return the median of the scores that there are; 0 of none."""
    return median([value for value in values if value is not None] or [0.0])
