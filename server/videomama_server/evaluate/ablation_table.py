"""Makes one table of an evaluation of several trainings: a line for each training, window, kind of masks and group."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from io import StringIO
from pathlib import Path

from videomama_client.whole_files import replacing

from videomama_server.evaluate.asked import MASK
from videomama_server.evaluate.report.wording import LABELS
from videomama_server.evaluate.summary import Evaluation, Figures

NAME = "ablations"
ALL = "all"
_HEADS = ("group", "data", "masks", "training", "window", "clips")


@dataclass(frozen=True)
class AblationLine:
    """The means of one training's alphas, or of the masks themselves.

    Attributes:
        group: what the clips show, or `all`.
        data, masks: of the clips.
        training: its name, or `mask`.
        window: frames; empty for the engine's own.
        clips: how many.
        figures: by measure.
    """

    group: str
    data: str
    masks: str
    training: str
    window: str
    clips: int
    figures: Figures


def lines_of(evaluation: Evaluation, trainings: Mapping[str, tuple[str, str]]) -> list[AblationLine]:
    """Return all clips' lines, then those of each group.

    Args:
        evaluation: of these trainings.
        trainings: name and window by the engine's name in the evaluation.
    """
    named = {**trainings, MASK: (MASK, "")}
    rows = [(ALL, row) for row in evaluation.overall] + [(row.name, row) for row in evaluation.groups]
    return [
        AblationLine(group, row.data, row.masks, *named[row.engine], row.clips, row.mean)
        for group, row in rows
        if row.engine in named
    ]


def write(folder: Path, lines: Sequence[AblationLine]) -> list[Path]:
    """Write the table as Markdown, CSV and JSON, each whole or not at all; raises OSError."""
    content = {".md": markdown(lines), ".csv": as_csv(lines), ".json": _json(lines)}
    paths = [folder / f"{NAME}{suffix}" for suffix in content]
    for path, text in zip(paths, content.values(), strict=True):
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="")
    return paths


def markdown(lines: Sequence[AblationLine]) -> str:
    """Return a section with a table for all clips, and for each group."""
    measures = _measures(lines)
    heads = ["data", "masks", "training", "window", "clips", *(_head(name) for name in measures)]
    parts = ["# Ablations\n"]
    for group in dict.fromkeys(line.group for line in lines):
        rows = [line for line in lines if line.group == group]
        parts.append(f"\n## {group}\n\n| {' | '.join(heads)} |\n|{'---|' * len(heads)}\n")
        parts += [f"| {' | '.join(_cells(line, measures))} |\n" for line in rows]
    return "".join(parts)


def as_csv(lines: Sequence[AblationLine]) -> str:
    """Return the table as CSV, with figures in full."""
    measures = _measures(lines)
    text = StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow([*_HEADS, *measures])
    for line in lines:
        figures = [line.figures.get(name, "") for name in measures]
        table.writerow([*(getattr(line, head) for head in _HEADS), *figures])
    return text.getvalue()


def _json(lines: Sequence[AblationLine]) -> str:
    return json.dumps([asdict(line) for line in lines], indent=1) + "\n"


def _measures(lines: Sequence[AblationLine]) -> list[str]:
    return [name for name in LABELS if any(name in line.figures for line in lines)]


def _head(name: str) -> str:
    return f"{LABELS[name].name} {LABELS[name].scale}".strip()


def _cells(line: AblationLine, measures: Sequence[str]) -> list[str]:
    words = [line.data, line.masks, line.training, line.window or "-", str(line.clips)]
    return [word.replace("|", "\\|") for word in words] + [
        LABELS[name].text(line.figures.get(name)) for name in measures
    ]
