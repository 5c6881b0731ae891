"""Lays the figures of an evaluation out as tables, for every kind of report alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from videomama_server.evaluate.asked import MASK, MEASURES
from videomama_server.evaluate.published import Published
from videomama_server.evaluate.report.wording import LABELS, Label, shown
from videomama_server.evaluate.report.worst import how_many, worst_frames
from videomama_server.evaluate.summary import Evaluation, Figures, SummaryRow, UnitScores

OURS, THEIRS = "us", "others"


@dataclass(frozen=True)
class Cell:
    """A figure, and its ratio to the masks'; None for none."""

    value: float | None
    ratio: float | None
    label: Label

    @property
    def text(self) -> str:
        """The figure as it is shown."""
        return self.label.text(self.value)

    @property
    def ratio_text(self) -> str:
        """The ratio as it is shown; nothing where there is none."""
        return "" if self.ratio is None else shown(self.ratio)

    @property
    def is_worse(self) -> bool:
        """Whether the alpha is further from the truth than the mask was, as far as it is shown."""
        return self.label.is_error and self.ratio is not None and round(self.ratio, 2) > 1


@dataclass(frozen=True)
class TableLine:
    """A line of a table.

    Attributes:
        name: of the clip, the kind, the data or the published method.
        masks: kind of masks; empty where the table has one kind only.
        engine: that made it.
        note: small print after the name.
        cells: one per measure.
        seconds: per frame; None for none.
        is_base: it is the masks' own line.
    """

    name: str
    masks: str
    engine: str
    note: str
    cells: list[Cell]
    seconds: float | None
    is_base: bool

    @property
    def seconds_text(self) -> str:
        """Seconds per frame as they are shown."""
        return shown(self.seconds)


@dataclass(frozen=True)
class Table:
    """A table; lines are in blocks that have name and masks in common.

    Attributes:
        key: unique on a page, for links.
        first, second: what the names are of, and what stands after them.
        has_masks, has_seconds: whether there are such columns.
    """

    key: str
    title: str
    note: str
    first: str
    labels: list[Label]
    blocks: list[list[TableLine]]
    second: str = "engine"
    has_masks: bool = False
    has_seconds: bool = False

    @property
    def has_ratio(self) -> list[bool]:
        """Whether there are ratios, for every measure."""
        return [any(line.cells[at].ratio is not None for line in self.lines) for at in range(len(self.labels))]

    @property
    def lines(self) -> list[TableLine]:
        """All lines, without blocks."""
        return [line for block in self.blocks for line in block]


def overall(evaluation: Evaluation) -> list[Table]:
    """Return the tables over all clips, and over those of a kind."""
    make = _Maker(evaluation)
    tables = []
    for key, title, first, rows in (
        ("all", "All clips", "data", evaluation.overall),
        ("kinds", "By kind", "kind", evaluation.groups),
    ):
        tables.append(make.table(key, f"{title}, mean", "Mean over clips of each clip's mean.", first, rows))
        if any(row.clips > 1 for row in rows):
            title, note = f"{title}, worst", "The worst clip's mean; the worst of the clips' ratios."
            tables.append(make.table(f"{key}-worst", title, note, first, rows, worst=True))
    if evaluation.spreadsheet:
        note = "Averaged over clips frame by frame, then over 700 frames at most; the first frame's change counts 0."
        tables.append(make.table("rvm", "As RVM's spreadsheet averages", note, "data", evaluation.spreadsheet))
    return tables


def per_clip(evaluation: Evaluation) -> list[Table]:
    """Return the tables of the clips, and of their worst frames where the figures of frames are known."""
    make = _Maker(evaluation)
    return [
        make.table("clips", "By clip, mean", "Mean over the frames.", "clip", evaluation.per_clip),
        make.table("clips-worst", "By clip, worst", "The worst frame.", "clip", evaluation.per_clip, worst=True),
        *([make.worst_frames()] if evaluation.frames else []),
    ]


def beside(evaluation: Evaluation) -> list[Table]:
    """Return a table for every published one that ours may stand beside, ours below theirs."""
    tables = []
    for index, (_, group) in enumerate(groupby(evaluation.published, _place)):
        theirs = list(group)
        names = [name for name in MEASURES if any(name in one.figures for one in theirs)]
        lines = [_line(one.method, THEIRS, "", one.figures, {}, names) for one in theirs]
        rows = _ours(evaluation, theirs[0])
        lines += [_line(row.engine, OURS, f"{row.clips} clips", row.mean, {}, names) for row in rows]
        title = " ".join(filter(None, (theirs[0].data, theirs[0].group, f"with {theirs[0].masks} masks")))
        note = f"Source: {theirs[0].source}. What differs: {theirs[0].differs}"
        labels = [LABELS[name] for name in names]
        blocks = [[line] for line in lines]
        tables.append(Table(f"published-{index}", title, note, "method", labels, blocks, "by"))
    return tables


class _Maker:
    def __init__(self, evaluation: Evaluation) -> None:
        self._evaluation = evaluation
        self._names = evaluation.measures
        self._many_masks = len({row.masks for row in evaluation.per_clip}) > 1

    def table(
        self, key: str, title: str, note: str, first: str, rows: Sequence[SummaryRow], worst: bool = False
    ) -> Table:
        blocks = [
            [self._of(row, worst) for row in block]
            for _, block in groupby(rows, lambda row: (row.name, row.data, row.masks))
        ]
        speed = not worst and any(row.seconds_per_frame is not None for row in rows)
        labels = [LABELS[name] for name in self._names]
        return Table(key, title, note, first, labels, blocks, "engine", self._many_masks, speed)

    def worst_frames(self) -> Table:
        """Return the table of single frames; changes are those since the frame before."""
        by_clip = groupby(self._evaluation.frames, lambda unit: (unit.clip, unit.masks))
        groups = [list(group) for _, group in by_clip]
        blocks = [block for group in groups for block in self._worst_of(group, how_many(len(groups)))]
        labels = [LABELS[name] for name in self._names]
        note = "Over all engines together. Where there are many clips, one of each."
        return Table("frames-worst", "Worst frames", note, "clip", labels, blocks, has_masks=self._many_masks)

    def _worst_of(self, group: Sequence[UnitScores], count: int) -> Iterator[list[TableLine]]:
        """Return a block for each of the worst frames of one clip with one kind of masks."""
        judged = [unit.scores for unit in group if unit.engine != MASK]
        for number in worst_frames(group[0].frames, judged or [group[0].scores], count):
            yield [self._at(unit, number) for unit in group]

    def _at(self, unit: UnitScores, number: int) -> TableLine:
        place = unit.frames.index(number)
        figures = {name: value for name, of in unit.scores.items() if (value := of[place]) is not None}
        line = _line(unit.clip, unit.engine, f"frame {number}", figures, {}, self._names)
        return replace(line, masks=unit.masks if self._many_masks else "")

    def _of(self, row: SummaryRow, worst: bool) -> TableLine:
        figures, ratios = (row.worst, row.worst_ratio) if worst else (row.mean, row.ratio)
        note = f"{row.clips} clip{'s' * (row.clips != 1)}" if row.name not in self._clips else ""
        line = _line(row.name, row.engine, note, figures, ratios, self._names)
        masks = row.masks if self._many_masks else ""
        return TableLine(line.name, masks, line.engine, note, line.cells, row.seconds_per_frame, row.engine == MASK)

    @property
    def _clips(self) -> set[str]:
        return {clip.name for clip in self._evaluation.clips}


def _line(name: str, engine: str, note: str, figures: Figures, ratios: Figures, names: Iterable[str]) -> TableLine:
    cells = [Cell(figures.get(measure), ratios.get(measure), LABELS[measure]) for measure in names]
    return TableLine(name, "", engine, note, cells, None, engine == MASK)


def _place(one: Published) -> tuple[str, ...]:
    return one.data, one.group, one.masks, one.source


def _ours(evaluation: Evaluation, theirs: Published) -> list[SummaryRow]:
    """Return our rows of the same data: averaged as published tables are, where they are."""
    if theirs.group:
        rows = [row for row in evaluation.groups if row.name == theirs.group]
    else:
        rows = evaluation.spreadsheet or evaluation.overall
    sized = theirs.data if theirs.size is None else "{} {}x{}".format(theirs.data, *theirs.size)
    return [row for row in rows if row.data in (theirs.data, sized) and row.masks == theirs.masks]
