"""Decides which frames a person should look at, and says why. A flag is no proof: it says where to look first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from videomama_client.messages import QcFlag

from videomama_server.media.sequences import whole_range
from videomama_server.qc import changes
from videomama_server.qc.scores import FrameScores
from videomama_server.qc.thresholds import THRESHOLDS, Thresholds, number, unusual

MASK_MISSED, ALPHA_DROPPED, MISMATCH = "mask missed", "alpha dropped", "mismatch"
SPILL, PATCH, HOLE, SOFT = "spill", "patch", "hole", "soft inside"
FLICKER, SEAM = "flicker", "seam"


def sentence(flag: QcFlag) -> str:
    """Return a flag as one line for a person."""
    return f"{flag.kind} on {whole_range(flag.frame_numbers)}: {flag.reason}"


def as_dict(flag: QcFlag) -> dict[str, Any]:
    """Return a flag in the words of `--json` and of `qc.json`, which scripts read."""
    return {"kind": flag.kind, "frames": flag.frame_numbers, "worst": flag.worst, "reason": flag.reason}


def judge(scores: Sequence[FrameScores], limits: Thresholds = THRESHOLDS) -> list[QcFlag]:
    """Return the flags of a clip, shot by shot, in the order in which causes come before what follows from them.

    A frame whose mask or alpha was lost is not judged any further, nor is its change from and to its neighbours.
    """
    return [flag for shot in _shots(scores, limits.cut) for flag in _judge_shot(shot, limits)]


def flags_by_frame(flags: Sequence[QcFlag], places: Mapping[int, int]) -> list[QcFlag]:
    """Return flags with frame numbers, of flags that name the places of frames in a clip.

    Args:
        flags: of scores that were counted by place, so that frames on twos are neighbours.
        places: of each frame; see `sequences.consecutive`.
    """
    numbers = {place: frame for frame, place in places.items()}  # a flag may reach over a gap, where there is no frame
    return [
        replace(
            flag,
            frame_numbers=[numbers[place] for place in flag.frame_numbers if place in numbers],
            worst=numbers[flag.worst],
        )
        for flag in flags
    ]


def _shots(scores: Sequence[FrameScores], cut: float) -> list[list[FrameScores]]:
    """Split at cuts: one frame on which the plate changes as a whole, among others that follow each other.

    What changes along a motion that cannot be followed says nothing of the alpha, there or where several such
    frames make no cut: a flash, a whip pan.
    """
    lost = {found.frame for found in scores if found.alike is not None and found.alike < cut}
    shots: list[list[FrameScores]] = [[]]
    for found in scores:
        if found.frame in lost and not lost & {found.frame - 1, found.frame + 1}:
            shots.append([])
        shots[-1].append(found.by_itself if found.frame in lost else found)
    return shots


def _judge_shot(scores: Sequence[FrameScores], limits: Thresholds) -> list[QcFlag]:
    unmasked = _lost(scores, lambda found: found.mask, limits, ())
    dropped = _lost(scores, lambda found: found.coverage, limits, unmasked)
    lost = unmasked | dropped
    near = {frame + step for frame in lost for step in (0, 1)}
    whole = [found for found in scores if found.frame not in lost]
    steady = [found for found in scores if found.frame not in near]
    come, gone = changes.places(steady, limits)
    flutter = changes.flutter(whole, limits)
    seams = changes.jumps(steady, limits) | (changes.steps(whole, limits) - flutter)
    flicker = (changes.flicker(steady, limits) | flutter) - seams
    flags = [
        _flag(MASK_MISSED, scores, unmasked, lambda found: -found.mask, "the mask is gone, or nearly, all at once"),
        _flag(ALPHA_DROPPED, scores, dropped, lambda found: -found.coverage, "the alpha is gone and the mask is not"),
        *_still_flags(whole, limits, gone),
        _flag(
            PATCH,
            scores,
            come | (changes.bumps(whole, limits) - flutter),
            lambda found: found.coverage,
            "alpha that was not there appears at once and is gone again",
        ),
        _flag(FLICKER, scores, flicker, lambda found: found.flicker, "the alpha changes where the plate does not"),
        _flag(
            SEAM,
            scores,
            seams,
            lambda found: found.flicker,
            "the alpha jumps once and stays: two windows that do not meet",
        ),
    ]
    return [flag for flag in flags if flag is not None]


def _still_flags(scores: Sequence[FrameScores], limits: Thresholds, gone: Collection[int]) -> list[QcFlag | None]:
    """Return the flags of what is wrong with a frame by itself; on those `gone` a place of the alpha went and came."""
    usual_iou = -unusual([-found.iou for found in scores], limits.iou_fall, limits.scatter)
    spill = min(limits.outside, unusual([found.outside for found in scores], limits.outside_rise, limits.scatter))
    soft = unusual([found.softness for found in scores], limits.soft_rise, limits.scatter)
    rules: list[tuple[str, Callable[[FrameScores], float | None], float, str]] = [
        (MISMATCH, lambda found: -found.iou, -usual_iou, "mask and alpha cover different things"),
        (SPILL, lambda found: found.outside, spill, "there is alpha far outside the mask"),
        (HOLE, lambda found: found.hole, limits.hole, "the alpha is near 0 inside the subject"),
        (
            SOFT,
            lambda found: found.softness,
            soft,
            "more transparent deep inside the mask than on the rest of the clip",
        ),
    ]
    poor = {found.frame for found in scores if usual_iou <= found.iou < limits.iou_fair}
    also = {HOLE: gone, MISMATCH: {found.frame for found in scores if _apart(found, limits)}}
    flags: list[QcFlag | None] = []
    for kind, of, limit, reason in rules:
        over = {found.frame for found in scores if number(of(found)) > limit} - poor
        flags.append(_flag(kind, scores, over.union(also.get(kind, ())), of, reason))
    return flags


def _apart(found: FrameScores, limits: Thresholds) -> bool:
    """Whether mask and alpha have little in common; a mask that is only too large has all of the alpha."""
    if found.iou >= limits.iou:
        return False
    both = found.iou / (1 + found.iou) * (found.mask + found.coverage)
    return both < limits.within * min(found.mask, found.coverage)


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


def _flag(
    kind: str, scores: Sequence[FrameScores], frames: set[int], of: Callable[[FrameScores], float | None], reason: str
) -> QcFlag | None:
    """Return a flag, or None for no frames; `of` is highest on the worst."""
    if not frames:
        return None
    worst = max((found for found in scores if found.frame in frames), key=lambda found: number(of(found)))
    return QcFlag(kind, sorted(frames), worst.frame, reason)
