"""Decides which frames a person should look at, and says why. A flag is no proof: it says where to look first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from videomama_client.messages import QcFlag

from videomama_server.media.sequences import whole_range
from videomama_server.qc import changes, given
from videomama_server.qc.scores import FrameScores
from videomama_server.qc.thresholds import THRESHOLDS, Thresholds, number, unusual, usually

MASK_MISSED, ALPHA_DROPPED, MISMATCH = "mask missed", "alpha dropped", "mismatch"
SPILL, PATCH, HOLE = "spill", "patch", "hole"
FLICKER, SEAM = "flicker", "seam"
SWAPPED, INVERTED, SHORT = "swapped", "inverted", "mask ends early"
SEE_THROUGH, HAZE, STRANDS = "see-through", "haze", "false strands"
DRIFT = "drift"  # of masks that an engine made, which the pipeline flags
_LEAST_APART = 0.02  # that mask and alpha are taken to differ by


def sentence(flag: QcFlag) -> str:
    """Return a flag as one line for a person."""
    said = f"{flag.kind} on {whole_range(flag.frame_numbers)}: {flag.reason}"
    return f"{flag.object}: {said}" if flag.object else said


def as_dict(flag: QcFlag) -> dict[str, Any]:
    """Return a flag in the words of `--json` and of `qc.json`, which scripts read."""
    said = {"kind": flag.kind, "frames": flag.frame_numbers, "worst": flag.worst, "reason": flag.reason}
    return {"object": flag.object, **said} if flag.object else said


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
    wrong, given_flags = _given_flags(scores, limits)
    unmasked = _lost(scores, lambda found: found.mask, limits, wrong)
    dropped = _lost(scores, lambda found: found.coverage, limits, wrong | unmasked)
    lost = wrong | unmasked | dropped
    near = {frame + step for frame in lost for step in (0, 1)}
    whole = [found for found in scores if found.frame not in lost]
    steady = [found for found in scores if found.frame not in near]
    come, gone = changes.places(steady, limits)
    flutter = changes.flutter(whole, limits)
    seams = changes.jumps(steady, limits) | (changes.steps(whole, limits) - flutter)
    flicker = (changes.flicker(steady, limits) | flutter) - seams
    flags = [
        *given_flags,
        _flag(MASK_MISSED, scores, unmasked, lambda found: -found.mask, "the mask is gone, or nearly, all at once"),
        _flag(ALPHA_DROPPED, scores, dropped, lambda found: -found.coverage, "the alpha is gone and the mask is not"),
        *_still_flags(whole, limits, gone),
        *_texture_flags(whole, limits, changes.faded(steady, limits), gone),
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


def _given_flags(scores: Sequence[FrameScores], limits: Thresholds) -> tuple[set[int], list[QcFlag | None]]:
    """Return the frames whose plate, mask or alpha is not what it should be, and the flags of these and of others."""
    swapped = given.swapped(scores, limits)
    masks = given.inverted_masks(scores, limits) - swapped
    alphas = given.inverted_alphas(scores, limits) - swapped - masks
    return swapped | masks | alphas, [
        _flag(
            SWAPPED,
            scores,
            swapped,
            lambda found: found.grey,
            "the mask looks like a picture and not like a mask; check that plate and mask are not swapped",
        ),
        _flag(
            INVERTED,
            scores,
            masks,
            lambda found: found.edge,
            "the mask covers the frame's sides and leaves out what is within; invert it if that is the subject",
        ),
        _flag(
            INVERTED,
            scores,
            alphas,
            lambda found: found.inverse,
            "the alpha covers what the mask leaves out; invert one",
        ),
        _flag(
            SHORT,
            scores,
            given.short_masks(scores, limits) - swapped,
            lambda found: found.uncovered,
            "mask and alpha end just before the frame does, and the plate does not; draw the mask beyond the frame",
        ),
    ]


def _texture_flags(
    scores: Sequence[FrameScores], limits: Thresholds, faded: Collection[int], gone: Collection[int]
) -> list[QcFlag | None]:
    """Return the flags of what no clean alpha has, within the mask and around it.

    Args:
        scores: of a shot, without frames that are judged no further.
        limits: from where they raise a flag.
        faded: the frames on which a place inside became see-through for a while.
        gone: those on which it became a hole, which says more.
    """
    soft = unusual([found.softness for found in scores], limits.soft_rise, limits.scatter)
    poor = _poor(scores, limits)
    see_through = {found.frame for found in scores if number(found.softness) > soft} - poor
    see_through |= _ragged(scores, limits).union(faded)
    holes = {found.frame for found in scores if number(found.hole) > limits.hole}.union(gone)
    strands = unusual([found.strands for found in scores], limits.strands_rise, limits.scatter)
    return [
        _flag(
            SEE_THROUGH,
            scores,
            see_through - holes,
            lambda found: found.see_through,
            "the subject is half transparent well inside the mask; set mask quality to good, or draw the mask closer",
        ),
        _flag(
            HAZE,
            scores,
            _hazy(scores, limits),
            lambda found: found.veil + found.remains,
            "faint alpha surrounds the subject; set mask quality to good, lower trimap dilate, or draw the mask closer",
        ),
        _flag(
            STRANDS,
            scores,
            {found.frame for found in scores if found.strands > strands},
            lambda found: found.strands,
            "far more thin strands than on the rest of the clip; check that they are not the background's",
        ),
    ]


def _ragged(scores: Sequence[FrameScores], limits: Thresholds) -> set[int]:
    """Return the frames that are see-through inside, of a clip whose inside is ragged, now here and now there.

    Where mask and alpha differ much, the mask is rough, and some of its inside is none of the subject's. What is as
    ragged from frame to frame is the subject: gaps in hair.
    """
    shares = [found.ragged / (_LEAST_APART + 1 - found.iou) for found in scores]
    ragged = [found.ragged for found in scores]
    is_ragged = usually(ragged) > limits.ragged and usually(shares) > limits.ragged_share
    is_unsteady = usually([abs(now - before) for before, now in pairwise(ragged)]) > limits.unsteady * usually(ragged)
    if not (is_ragged and is_unsteady) or usually([found.softness for found in scores]) > limits.openwork:
        return set()
    return {found.frame for found in scores if number(found.see_through) > limits.see_through}


def _hazy(scores: Sequence[FrameScores], limits: Thresholds) -> set[int]:
    veil = unusual([found.veil for found in scores], limits.veil_rise, limits.scatter)
    hazy = {found.frame for found in scores if found.veil > veil}
    is_solid = usually([found.softness for found in scores]) <= limits.solid
    if is_solid and usually([found.remains for found in scores]) > limits.remains:
        hazy |= {found.frame for found in scores if found.remains > limits.remains / 4}
    return hazy


def _still_flags(scores: Sequence[FrameScores], limits: Thresholds, gone: Collection[int]) -> list[QcFlag | None]:
    """Return the flags of what is wrong with a frame by itself; on those `gone` a place of the alpha went and came."""
    spill = min(limits.outside, unusual([found.outside for found in scores], limits.outside_rise, limits.scatter))
    rules: list[tuple[str, Callable[[FrameScores], float | None], float, str]] = [
        (MISMATCH, lambda found: -found.iou, -_usual_iou(scores, limits), "mask and alpha cover different things"),
        (SPILL, lambda found: found.outside, spill, "there is alpha far outside the mask"),
        (HOLE, lambda found: found.hole, limits.hole, "the alpha is near 0 inside the subject"),
    ]
    poor = _poor(scores, limits)
    also = {HOLE: gone, MISMATCH: {found.frame for found in scores if _apart(found, limits)}}
    flags: list[QcFlag | None] = []
    for kind, of, limit, reason in rules:
        over = {found.frame for found in scores if number(of(found)) > limit} - poor
        flags.append(_flag(kind, scores, over.union(also.get(kind, ())), of, reason))
    return flags


def _usual_iou(scores: Sequence[FrameScores], limits: Thresholds) -> float:
    """Return the least `iou` that is usual for a clip."""
    return -unusual([-found.iou for found in scores], limits.iou_fall, limits.scatter)


def _poor(scores: Sequence[FrameScores], limits: Thresholds) -> set[int]:
    """Return the frames whose mask is too poor to judge an alpha by, as on the rest of their clip."""
    usual = _usual_iou(scores, limits)
    return {found.frame for found in scores if usual <= found.iou < limits.iou_fair}


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
