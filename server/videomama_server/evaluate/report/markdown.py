"""Writes an evaluation as Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from videomama_client.wording import counted

from videomama_server.evaluate.report import tables
from videomama_server.evaluate.report.tables import Cell, Table, TableLine
from videomama_server.evaluate.report.wording import LABELS
from videomama_server.evaluate.summary import Evaluation


def page(evaluation: Evaluation) -> str:
    """Return the whole report, without plots and pictures."""
    return f"# Alpha quality\n\n{facts(evaluation)}\n{body(evaluation)}"


def facts(evaluation: Evaluation) -> str:
    """Return one paragraph: what was measured, and when."""
    frames = sum(clip.frames for clip in evaluation.clips)
    sizes = ", ".join(dict.fromkeys(clip.data for clip in evaluation.clips))
    engines = ", ".join(_engine(asked, made) for asked, made in evaluation.engines.items())
    text = f"{counted(len(evaluation.clips), 'clip')}, {counted(frames, 'frame')} ({sizes}); engines: {engines}. "
    return _escaped(text + f"VideoMaMa {evaluation.software}, {evaluation.made}.") + "\n"


def body(evaluation: Evaluation) -> str:
    """Return failures, all tables, and what the measures are."""
    parts = list(_failures(evaluation))
    parts += [table(one) for one in tables.overall(evaluation)]
    beside = tables.beside(evaluation)
    parts += ["## Beside published figures\n"] * bool(beside) + [table(one, "###") for one in beside]
    parts += [table(one) for one in tables.per_clip(evaluation)]
    parts.append("## Measures\n\nIn brackets: the ratio to the masks' own figure; below 1 is better than the mask.\n")
    parts.append(
        "".join(
            f"- **{LABELS[name].name}** {LABELS[name].scale}: {LABELS[name].meaning}\n" for name in evaluation.measures
        )
    )
    return "\n".join(parts)


def table(one: Table, level: str = "##") -> str:
    """Return a table with its title and its note."""
    heads = [one.first, *(["masks"] * one.has_masks), one.second]
    names = [f"{label.name} {label.scale}".strip() for label in one.labels] + ["s/frame"] * one.has_seconds
    rule = "|".join(["---"] * len(heads) + ["---:"] * len(names))
    lines = "".join(f"| {' | '.join(_cells(one, line))} |\n" for line in one.lines)
    return (
        f"{level} {_escaped(one.title)}\n\n{_escaped(one.note)}\n\n| {' | '.join(heads + names)} |\n|{rule}|\n{lines}"
    )


def _cells(one: Table, line: TableLine) -> Iterator[str]:
    yield _escaped(f"{line.name} ({line.note})" if line.note else line.name)
    if one.has_masks:
        yield _escaped(line.masks)
    yield _escaped(line.engine)
    yield from map(_figure, line.cells)
    if one.has_seconds:
        yield line.seconds_text


def _figure(cell: Cell) -> str:
    return f"{cell.text} ({cell.ratio_text})" if cell.ratio_text else cell.text


def _failures(evaluation: Evaluation) -> Iterator[str]:
    if evaluation.failures:
        lines = "".join(
            f"- **{_escaped(one.clip)}**, {_escaped(one.masks or 'all')} masks, {_escaped(one.engine)}: "
            f"{_escaped(f'{one.message} {one.hint}')}\n"
            for one in evaluation.failures
        )
        yield f"## Failed\n\n{lines}"


def _engine(asked: str, made: str) -> str:
    return asked if asked.partition(":")[0] == made else f"{asked} ({made})"


def _escaped(text: str) -> str:
    """Keep names from being read as markup."""
    for letter in "\\`*_[]<>|":
        text = text.replace(letter, f"\\{letter}")
    return " ".join(text.split())
