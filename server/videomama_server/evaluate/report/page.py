"""Writes an evaluation as one HTML page that needs nothing else: tables, plots and pictures are all in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from videomama_server.evaluate.asked import MASK
from videomama_server.evaluate.plan import Unit
from videomama_server.evaluate.report import pictures, plots, tables
from videomama_server.evaluate.report.pictures import Strip
from videomama_server.evaluate.report.plots import Plot
from videomama_server.evaluate.report.wipes import Wipe, wipes
from videomama_server.evaluate.report.wording import LABELS, shown
from videomama_server.evaluate.report.worst import MANY, how_many, worst_frames
from videomama_server.evaluate.summary import ClipFacts, Evaluation, UnitScores

_TEMPLATE = "page.html.j2"
_LOOKS = 5  # of engines' curves; a sixth engine begins again


@dataclass(frozen=True)
class Section:
    """What the page shows of one clip with one kind of masks; no pictures where there are too many clips."""

    clip: ClipFacts
    masks: str
    anchor: str
    plots: list[Plot]
    strip: Strip | None
    wipes: list[Wipe]


def page(evaluation: Evaluation, units: Sequence[Unit], tell: Callable[[], None] = lambda: None) -> str:
    """Return the page.

    Args:
        evaluation: all figures.
        units: that they are of, in the same order, for the pictures.
        tell: called after every clip.

    Raises:
        BadInput: a picture cannot be read any more.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"shown": shown, "breakable": _breakable}
    sections = _sections(evaluation, units, tell)
    engines = [MASK, *evaluation.engines]
    return environment.get_template(_TEMPLATE).render(
        evaluation=evaluation,
        frames=sum(clip.frames for clip in evaluation.clips),
        sizes=list(dict.fromkeys(clip.data for clip in evaluation.clips)),
        overall=tables.overall(evaluation),
        beside=tables.beside(evaluation),
        ours=tables.OURS,
        per_clip=tables.per_clip(evaluation),
        sections=sections,
        looks={engine: _look(index) for index, engine in enumerate(engines)},
        anchors={section.clip.name: section.anchor for section in reversed(sections)},
        labels=[LABELS[name] for name in evaluation.measures],
        plot=plots,
        span=pictures.SPAN,
        pictures=pictures.MOST,
    )


def _breakable(name: str) -> Markup:
    """Return a name that may be broken into lines after its slashes and underscores."""
    return Markup("<wbr>").join(re.findall(r"[^/_]*[/_]|[^/_]+$", name))


def _look(index: int) -> int:
    """Return which look the curves have of what stands at `index`: the masks' is their own."""
    return 1 + (index - 1) % _LOOKS if index else 0


def _sections(evaluation: Evaluation, units: Sequence[Unit], tell: Callable[[], None]) -> list[Section]:
    facts = {clip.name: clip for clip in evaluation.clips}
    groups = [list(group) for _, group in groupby(units, lambda unit: (unit.clip.name, unit.masks))]
    pictured = _pictured(groups)
    sections = []
    for index, group in enumerate(groups):
        first = group[0]
        scores = [UnitScores(u.clip.name, u.masks, u.engine, u.result.frames, u.result.scores) for u in group]
        strip, seen = _pictures(group, len(pictured)) if index in pictured else (None, [])
        name = first.clip.name
        sections.append(Section(facts[name], first.masks, f"clip-{index}", plots.plots(scores), strip, seen))
        tell()
    return sections


def _pictures(group: Sequence[Unit], clips: int) -> tuple[Strip, list[Wipe]]:
    """Return the pictures of a clip's worst frame, and the wipes of its worst ones where there are few clips."""
    judged = [unit.result.scores for unit in group[1:] or group]
    numbers = worst_frames(group[0].result.frames, judged, how_many(clips))
    seen = [wipe for number in numbers if clips <= MANY for wipe in wipes(group, number)]
    return pictures.strip(group, numbers[0], clips), seen


def _pictured(groups: Sequence[Sequence[Unit]]) -> set[int]:
    """Return which clips have pictures: all, or those without a truth and those that are furthest from theirs."""

    def error(index: int) -> float:
        if groups[index][0].clip.truth is None:
            return float("inf")
        return max(sum(figure or 0.0 for figure in unit.result.scores["mad"]) for unit in groups[index])

    return set(sorted(range(len(groups)), key=error, reverse=True)[: pictures.MOST])
