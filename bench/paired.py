"""Figures of clips under masks of several qualities: their mean and worst, and what got worse since other figures.

Figures are ratios to the mask's own error: of a method, by quality, by clip, by measure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import fmean, geometric_mean

Measured = dict[str, float]
Figures = dict[str, dict[str, dict[str, Measured]]]
MEASURES = ("mad", "mse", "grad", "dtssd")
RULED = ("mad", "grad", "dtssd")  # that a change of a default may not make worse
ALLOWED = 1.05  # times what it was, of any clip and mask


@dataclass(frozen=True)
class Change:
    """One clip under one mask in one measure: `after` over `before`."""

    clip: str
    quality: str
    measure: str
    before: float
    after: float

    @property
    def times(self) -> float:
        """How many times what it was."""
        return self.after / max(self.before, 1e-9)

    def __str__(self) -> str:
        return f"{self.clip} {self.quality} {self.measure} {self.before:.3f} -> {self.after:.3f} (x {self.times:.3f})"


def summary(of: dict[str, dict[str, Measured]]) -> dict[str, dict[str, float | str]]:
    """Return mean and worst of each measure, and the clip with the worst MAD, by quality, for one method."""
    return {quality: _summary(clips) for quality, clips in of.items()}


def _summary(clips: dict[str, Measured]) -> dict[str, float | str]:
    found: dict[str, float | str] = {}
    for measure in MEASURES:
        ratios = [figures[measure] for figures in clips.values()]
        found |= {measure: round(fmean(ratios), 3), f"worst_{measure}": round(max(ratios), 3)}
    return {**found, "worst_clip": max(clips, key=lambda name: clips[name]["mad"])}


def changes(before: Figures, after: Figures, method: str) -> list[Change]:
    """Return the change of each clip and mask that both have figures of, for one method."""
    return list(_changes(before.get(method, {}), after.get(method, {})))


def _changes(before: dict[str, dict[str, Measured]], after: dict[str, dict[str, Measured]]) -> Iterator[Change]:
    for quality, clips in after.items():
        for clip, figures in clips.items():
            earlier = before.get(quality, {}).get(clip)
            for measure in MEASURES if earlier else ():
                yield Change(clip, quality, measure, earlier[measure], figures[measure])


def worse(found: list[Change]) -> list[Change]:
    """Return the changes that the rule forbids, the largest first."""
    forbidden = [change for change in found if change.measure in RULED and change.times > ALLOWED]
    return sorted(forbidden, key=lambda change: -change.times)


def verdict(found: list[Change]) -> dict[str, object]:
    """Return the geometric mean of all changes by quality and measure, the worst change, and all that are forbidden."""
    means: dict[str, dict[str, float]] = {}
    for quality in dict.fromkeys(change.quality for change in found):
        of = [change for change in found if change.quality == quality]
        times = {measure: [max(one.times, 1e-6) for one in of if one.measure == measure] for measure in MEASURES}
        means[quality] = {measure: round(geometric_mean(values), 3) for measure, values in times.items()}
    worst = max(found, key=lambda change: change.times, default=None)
    return {"pairs": len(found), "times": means, "worst": str(worst), "worse": [str(change) for change in worse(found)]}


def table(of: dict[str, dict[str, Measured]]) -> str:
    """Return lines for people: each quality with mean, and worst in brackets."""
    lines = [f"{'masks':10}" + "".join(f"{measure:>16}" for measure in MEASURES) + "  worst MAD"]
    for quality, row in summary(of).items():
        cells = "".join(f"{row[measure]:>8} ({row[f'worst_{measure}']:>5})" for measure in MEASURES)
        lines.append(f"{quality:10}{cells}  {row['worst_clip']}")
    return "\n".join(lines)
