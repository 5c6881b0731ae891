"""Sums an evaluation up: every figure of all reports is made here, and written as evaluation.json."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import Any

from videomama_client import __version__
from videomama_client.errors import BadInput

from videomama_server.evaluate import published
from videomama_server.evaluate.asked import JF, MASK, MEASURES, SHAPE
from videomama_server.evaluate.plan import EvaluationOutcome, Failure, Unit
from videomama_server.metrics import rvm_table_mean

SPREADSHEET_DATA = ("VideoMatte", "YouTubeMatte")  # whose published tables are averaged frame by frame first
MIXED_DATA = ("V-HIM60",)  # whose clips have several sizes, and published tables average them all

_BETTER_HIGHER = (*SHAPE, JF)

Figures = dict[str, float]


@dataclass(frozen=True)
class ClipFacts:
    """A clip: its name, what it is averaged with, its data set, size in pixels, and frame numbers."""

    name: str
    group: str
    data: str
    width: int
    height: int
    first: int
    frames: int


@dataclass(frozen=True)
class SummaryRow:
    """One line of a table: a clip, or many, by one engine (or the masks themselves) with one kind of masks.

    Attributes:
        name: of the clip, of the group, or of the data.
        data: see `data_name`.
        masks: kind of masks.
        engine: as asked for, or `mask`.
        clips: how many.
        mean: over frames of a clip; over clips of many.
        worst: of the frames of a clip; of the means of many.
        ratio: of `mean` to the masks'; of many the mean of the clips' ratios. No ratio to a figure of 0.
        worst_ratio: of `worst` to the masks'; of many the worst of the clips' ratios.
        seconds_per_frame: of those computed without a cache; None where there is none.
    """

    name: str
    data: str
    masks: str
    engine: str
    clips: int
    mean: Figures
    worst: Figures
    ratio: Figures = field(default_factory=dict)
    worst_ratio: Figures = field(default_factory=dict)
    seconds_per_frame: float | None = None


@dataclass(frozen=True)
class UnitScores:
    """The figures of every frame of a unit."""

    clip: str
    masks: str
    engine: str
    frames: list[int]
    scores: dict[str, list[float | None]]


@dataclass(frozen=True)
class Evaluation:
    """All figures of an evaluation.

    Attributes:
        software: its version.
        made: when, in UTC.
        measures: that were taken.
        engines: as asked for, with the name that the server gave each.
        clips: that were measured.
        overall: rows of all clips of a data set at one size.
        groups: of all clips of a kind; then of all that show the same, such as people.
        per_clip: of every clip.
        spreadsheet: means as published tables have them, for the data sets that do so.
        published: figures of others that may stand beside these.
        failures: what could not be done.
        warnings: of the server, by clip.
        frames: every frame's figures; empty in an excerpt.
    """

    software: str
    made: str
    measures: list[str]
    engines: dict[str, str]
    clips: list[ClipFacts]
    overall: list[SummaryRow]
    groups: list[SummaryRow]
    per_clip: list[SummaryRow]
    spreadsheet: list[SummaryRow]
    published: list[published.Published]
    failures: list[Failure]
    warnings: list[str]
    frames: list[UnitScores]

    def excerpt(self) -> Evaluation:
        """Return it without the figures of the frames."""
        return replace(self, frames=[])


_PARTS: dict[str, Callable[..., Any]] = {
    "clips": ClipFacts,
    "overall": SummaryRow,
    "groups": SummaryRow,
    "per_clip": SummaryRow,
    "spreadsheet": SummaryRow,
    "published": published.Published,
    "failures": Failure,
    "frames": UnitScores,
}


def to_json(evaluation: Evaluation) -> dict[str, Any]:
    """Return what JSON can hold."""
    return asdict(evaluation)


def from_json(content: Mapping[str, Any]) -> Evaluation:
    """Return the evaluation that `to_json` wrote.

    Raises:
        BadInput: it is none.
    """
    try:
        parts = {name: [kind(**part) for part in content[name]] for name, kind in _PARTS.items()}
        return Evaluation(**{**content, **parts})
    except (KeyError, TypeError) as error:
        raise BadInput(f"this is not an evaluation: {error}", "Give an evaluation.json of this version.") from error


def read(path: Path) -> Evaluation:
    """Read an evaluation.json; raises `BadInput`."""
    try:
        return from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise BadInput(f"cannot read {path}: {error}", "Name an evaluation.json.") from error


def summed_up(outcome: EvaluationOutcome) -> Evaluation:
    """Return all figures of what was done."""
    units = outcome.units
    rows = _clip_rows(units)
    known = {unit.clip.name: unit for unit in units}
    group_of = {name: unit.clip.group for name, unit in known.items()}
    overall = list(_joined(rows, lambda row: row.data))
    taken = {name for unit in units for name in unit.result.scores}
    return Evaluation(
        software=__version__,
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        measures=[name for name in MEASURES if name in taken],
        engines={unit.engine: unit.result.engine for unit in units if unit.engine != MASK},
        clips=[_facts(unit) for unit in known.values()],
        overall=overall,
        groups=[*_joined(rows, lambda row: group_of[row.name]), *_by_subject(rows, known)],
        per_clip=rows,
        spreadsheet=list(_spreadsheet(units)),
        published=_beside(units),
        failures=outcome.failures,
        warnings=[f"{u.clip.name}, {u.engine}: {warning}" for u in units for warning in u.result.warnings],
        frames=[UnitScores(u.clip.name, u.masks, u.engine, u.result.frames, u.result.scores) for u in units],
    )


def data_name(unit: Unit) -> str:
    """Return the data set's name, with the size of its pictures where other sizes are not averaged with it."""
    width, height = unit.result.size
    return unit.clip.data if unit.clip.data in MIXED_DATA else f"{unit.clip.data} {width}x{height}"


def _facts(unit: Unit) -> ClipFacts:
    clip = unit.clip
    return ClipFacts(clip.name, clip.group, data_name(unit), *unit.result.size, clip.numbers[0], len(clip.numbers))


def _clip_rows(units: Iterable[Unit]) -> list[SummaryRow]:
    rows: list[SummaryRow] = []
    baseline: dict[tuple[str, str], SummaryRow] = {}
    for unit in units:
        scores = unit.result.scores
        present = {name: [x for x in figures if x is not None] for name, figures in scores.items()}
        mean = {name: fmean(figures) for name, figures in present.items() if figures}
        worst = {name: _worst(name, figures) for name, figures in present.items() if figures}
        row = SummaryRow(unit.clip.name, data_name(unit), unit.masks, unit.engine, 1, mean, worst)
        row = replace(row, seconds_per_frame=unit.result.seconds_per_frame)
        base = baseline.setdefault((row.name, row.masks), row)  # masks come first
        if unit.engine != MASK:
            row = replace(row, ratio=_ratio(mean, base.mean), worst_ratio=_ratio(worst, base.worst))
        rows.append(row)
    return rows


def _joined(rows: Sequence[SummaryRow], key: Callable[[SummaryRow], str]) -> Iterator[SummaryRow]:
    """Yield a row for all clips of one key, data set, kind of masks and engine."""
    kinds = dict.fromkeys((key(row), row.data, row.masks, row.engine) for row in rows)
    order = list(dict.fromkeys(kind[:3] for kind in kinds))
    for name, data, masks, engine in sorted(kinds, key=lambda kind: order.index(kind[:3])):
        of = [row for row in rows if (key(row), row.data, row.masks, row.engine) == (name, data, masks, engine)]
        speeds = [row.seconds_per_frame for row in of if row.seconds_per_frame is not None]
        yield SummaryRow(
            name,
            data,
            masks,
            engine,
            len(of),
            mean=_over([row.mean for row in of], lambda _, figures: fmean(figures)),
            worst=_over([row.mean for row in of], _worst),
            ratio=_over([row.ratio for row in of], lambda _, figures: fmean(figures)),
            worst_ratio=_over([row.ratio for row in of], _worst),
            seconds_per_frame=fmean(speeds) if speeds else None,
        )


def _by_subject(rows: Sequence[SummaryRow], known: Mapping[str, Unit]) -> Iterator[SummaryRow]:
    """Yield rows of the clips that show the same, where the data says what they show."""
    subject_of = {name: unit.clip.subject for name, unit in known.items()}
    yield from _joined([row for row in rows if subject_of[row.name]], lambda row: subject_of[row.name])


def _over(rows: Sequence[Figures], join: Callable[[str, list[float]], float]) -> Figures:
    names = [name for name in MEASURES if any(name in row for row in rows)]
    return {name: join(name, [row[name] for row in rows if name in row]) for name in names}


def _worst(name: str, figures: list[float]) -> float:
    return min(figures) if name in _BETTER_HIGHER else max(figures)


def _ratio(figures: Figures, base: Figures) -> Figures:
    """Return each error over the masks'; J and F are no errors."""
    return {
        name: value / base[name] for name, value in figures.items() if base.get(name) and name not in _BETTER_HIGHER
    }


def _spreadsheet(units: Sequence[Unit]) -> Iterator[SummaryRow]:
    own = [unit for unit in units if unit.clip.data in SPREADSHEET_DATA]
    for data, masks, engine in dict.fromkeys((data_name(unit), unit.masks, unit.engine) for unit in own):
        of = [unit.result.scores for unit in own if (data_name(unit), unit.masks, unit.engine) == (data, masks, engine)]
        names = [name for name in MEASURES if all(name in scores for scores in of)]
        mean = {name: rvm_table_mean([scores[name] for scores in of]) for name in names}
        yield SummaryRow(data, data, masks, engine, len(of), mean, {})


def _beside(units: Sequence[Unit]) -> list[published.Published]:
    """Return the published figures of the same data, size and masks; a size counts only where all clips have it."""
    sizes: dict[str, set[tuple[int, int]]] = {}
    for unit in units:
        sizes.setdefault(data_name(unit), set()).add(unit.result.size)
    only = {name: next(iter(of)) if len(of) == 1 else None for name, of in sizes.items()}
    facts = dict.fromkeys((unit.clip.data, unit.clip.group, only[data_name(unit)], unit.masks) for unit in units)
    found = [one for fact in facts for one in published.beside(*fact)]
    return [one for place, one in enumerate(found) if one not in found[:place]]
