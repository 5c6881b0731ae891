"""Works out the plots of error over time: points in the coordinates of an SVG picture that the page draws."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from videomama_server.evaluate.report.wording import LABELS, Label
from videomama_server.evaluate.summary import UnitScores

PLOTTED = ("mad", "grad", "dtssd", "inside_90", "haze", "chatter")
WIDTH, HEIGHT = 400, 132  # of the picture
LEFT, RIGHT, TOP, BOTTOM = 40, 6, 8, 20  # around the diagram
_TICKS = 4


@dataclass(frozen=True)
class Curve:
    """One engine's figures: points for each run of frames that have some."""

    engine: str
    runs: list[str]


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: where it is, and what it says."""

    at: float
    text: str


@dataclass(frozen=True)
class Plot:
    """A diagram of one measure over the frames of a clip."""

    label: Label
    curves: list[Curve]
    up: list[Tick]
    along: list[Tick]


def plots(scores: Sequence[UnitScores]) -> list[Plot]:
    """Return the diagrams of one clip with one kind of masks; `scores` are of the masks first, then of the engines."""
    measures = [name for name in PLOTTED if name in scores[0].scores]
    return [_plot(name, scores) for name in measures]


def _plot(name: str, scores: Sequence[UnitScores]) -> Plot:
    frames = scores[0].frames
    top, step = _scale(max((x for one in scores for x in one.scores[name] if x is not None), default=0.0))
    curves = [Curve(one.engine, _runs(one, name, top)) for one in reversed(scores)]  # the masks' lies on top
    up = [Tick(_up(step * count, top), f"{step * count:g}") for count in range(round(top / step) + 1)]
    marked = dict.fromkeys((frames[0], frames[len(frames) // 2], frames[-1]))
    return Plot(LABELS[name], curves, up, [Tick(_along(frame, frames), str(frame)) for frame in marked])


def _runs(one: UnitScores, name: str, top: float) -> list[str]:
    """Return points as SVG takes them; a run ends where a frame has no figure."""
    pairs = list(zip(one.frames, one.scores[name], strict=True))
    runs = []
    for is_there, group in groupby(pairs, lambda pair: pair[1] is not None):
        if is_there:
            points = [(_along(frame, one.frames), _up(value or 0.0, top)) for frame, value in group]
            points += points if len(points) == 1 else []  # a single point is drawn as a dot
            runs.append(" ".join(f"{x:.1f},{y:.1f}" for x, y in points))
    return runs


def _scale(most: float) -> tuple[float, float]:
    """Return a round top of a scale that holds `most`, and a round step."""
    if most <= 0:
        return 1.0, 0.5
    size = 10 ** math.floor(math.log10(most / _TICKS))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor * _TICKS >= most)
    return step * math.ceil(most / step - 1e-9), step


def _along(frame: int, frames: Sequence[int]) -> float:
    share = (frame - frames[0]) / max(1, frames[-1] - frames[0])
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _up(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - value / top * (HEIGHT - BOTTOM - TOP)
