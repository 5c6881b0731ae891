"""From where scores raise a flag: the only place with the thresholds of quality control.

They were chosen on generated clips with exact alpha, so that their alphas, exact and refined, raise nothing or little,
and faults planted in them do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Thresholds:
    """From where a score raises a flag; the words are those of `FrameScores`.

    Attributes:
        least: share of the frame that a mask or alpha must have had for its loss to count.
        lost: a mask or alpha that keeps less than this of what it covered is lost.
        iou: below this mask and alpha disagree, whatever the clip is like, unless one lies within the other.
        within: share of the smaller of the two that must lie in the larger one for that.
        iou_fall: so they do this much below the clip's median.
        iou_fair: below this the mask is too poor to judge the alpha by, and only `iou` and `iou_fall` are looked at.
        outside_rise: spill, as a share of the alpha above the clip's median.
        outside: spill, whatever the clip is like.
        hole: share of the mask.
        soft_rise: softness above the clip's median.
        scatter: what a fall or rise must be at least, in median absolute deviations of the clip: where masks differ
            much in quality from frame to frame, so do the scores.
        cut: where less than this of the plate looks like the frame before, along its motion, that motion says
            nothing; on a single frame it is a cut.
        patch: a place that becomes subject, or background, and changes back, as a share of the subject.
        faded: a place inside that becomes see-through, and solid again, likewise.
        ragged: of a clip whose `ragged` is above this on most frames,
        ragged_share: and above this as a share of what mask and alpha differ by, the inside is faulty,
        unsteady: if it also changes by this share from frame to frame,
        openwork: unless its usual `softness` is above this: a lattice under a mask without its openings.
        see_through: of such a clip, frames above this.
        remains: a clip that has more on most frames has haze, on those frames that have a quarter of it,
        solid: unless its usual `softness` is above this: smoke and glass leave such remains.
        veil_rise, strands_rise: above the clip's median.
        inverse: above this the alpha is the inverse of its mask.
        edge: above this the mask is inverted,
        least_left: if it leaves this share of the frame.
        grey: above this a mask is a picture; it is a plate
        grey_plain, plain: above these two.
        uncovered: share of a side of the frame.
        brief: frames after which it has changed back.
        bump: rise of the coverage for as few frames, as a share of what it is around.
        bump_ratio: so many times what a quarter of the frames differ by from those beside, at least.
        flutter: rise and fall of the coverage in turn, likewise, that is flicker whatever moves.
        step: rise or fall of the coverage that stays, likewise.
        step_ratio: it is as many times what the coverage does beside.
        flicker: above this the alpha flickers, whatever the clip is like.
        flicker_ratio: so it does at this many times the clip's median, from `flicker_least` on.
        seam: a change this many times that of the frames around, and as many times the ones just before
            and after, is a seam, from `flicker_least` on.
    """

    least: float = 0.002
    lost: float = 0.3
    iou: float = 0.4
    within: float = 0.5
    iou_fall: float = 0.22
    iou_fair: float = 0.6
    outside_rise: float = 0.08
    outside: float = 0.5
    hole: float = 0.01
    soft_rise: float = 0.03
    scatter: float = 6.0
    cut: float = 0.7
    patch: float = 0.02
    faded: float = 0.006
    ragged: float = 0.03
    ragged_share: float = 0.4
    unsteady: float = 0.2
    openwork: float = 0.2
    see_through: float = 0.02
    remains: float = 0.003
    solid: float = 0.03
    veil_rise: float = 0.12
    strands_rise: float = 0.008
    inverse: float = 0.6
    edge: float = 0.95
    least_left: float = 0.03
    grey: float = 0.5
    grey_plain: float = 0.15
    plain: float = 0.95
    uncovered: float = 0.02
    brief: int = 3
    bump: float = 0.05
    bump_ratio: float = 6.0
    flutter: float = 0.1
    step: float = 0.15
    step_ratio: float = 2.0
    flicker: float = 0.2
    flicker_ratio: float = 4.0
    flicker_least: float = 0.1
    seam: float = 3.0


THRESHOLDS = Thresholds()


def unusual(values: Sequence[float | None], rise: float, scatter: float) -> float:
    """Return from where a score is unusually high for its clip."""
    usual = usually(values)
    spread = usually([abs(value - usual) for value in values if value is not None])
    return usual + max(rise, scatter * spread)


def usually(values: Sequence[float | None]) -> float:
    """Return the median of the scores that there are; 0 of none."""
    return median([value for value in values if value is not None] or [0.0])


def number(value: float | None) -> float:
    """Return a score so that none is below every limit."""
    return -math.inf if value is None else value
