"""`videomama evaluate`: say how good engines are on clips, with or without exact alpha."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import TaskProgressColumn
from rich.table import Table
from rich.text import Text
from videomama_client import launch
from videomama_client.client import Client
from videomama_client.errors import BadInput
from videomama_client.wording import counted

from videomama_server import config
from videomama_server.cli import EXIT_FAILED
from videomama_server.cli.bar import Bar
from videomama_server.evaluate.asked import GIVEN, MASK, MeasureChoice, parse_engine, parse_masks, without_twins
from videomama_server.evaluate.clip import Data, GroundTruthClip
from videomama_server.evaluate.layouts import LAYOUTS, read_data
from videomama_server.evaluate.report import wording
from videomama_server.evaluate.report.write import PAGE, write
from videomama_server.evaluate.run import EvaluationOutcome, EvaluationPlan, Failure, Runner
from videomama_server.evaluate.summary import Evaluation, summed_up
from videomama_server.qc.report import make_folder
from videomama_server.synthetic.degrade import HITS, SHAPES

_MASKS = (
    f"Kind of masks; repeatable. {GIVEN} for those of the data, or a degradation of the exact alpha: one of "
    f"{', '.join(SHAPES)}, then with a plus each any of {', '.join(HITS)}. By default {GIVEN} where there are some, "
    "else mixed."
)
_SHOWN = ("mad", "grad", "dtssd", "inside_90", "inside_50", "haze", "chatter")  # at the end, in the terminal


@click.command()
@click.argument("data", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--layout", type=click.Choice(list(LAYOUTS)), help="Of the folders; by default it is found out.")
@click.option(
    "--engine",
    "engines",
    multiple=True,
    default=("auto",),
    show_default=True,
    metavar="NAME[:SETTINGS]",
    help="Such as classic, classic:fast, videomama:canvas=1024x576,feedback=1; repeatable.",
)
@click.option("--masks", multiple=True, metavar="KIND", help=_MASKS)
@click.option("--conn/--no-conn", default=None, help="Take CONN; by default up to 1920x1080.")
@click.option("--shape", is_flag=True, help="Take J and F too.")
@click.option(
    "--foreground", is_flag=True, help="Make and measure foreground colour too, where the exact one is known."
)
@click.option("--out", type=click.Path(path_type=Path), default=Path("videomama_evaluation"), show_default=True)
@click.option("--no-start", is_flag=True, help="Do not start a server when none runs.")
@click.option("--connection-file", type=click.Path(path_type=Path), help="Of the server to use.")
@click.option("--json", "as_json", is_flag=True, help="Print the means over all clips as one line of JSON.")
def evaluate(  # noqa: PLR0913 - one parameter per option
    data: tuple[Path, ...],
    layout: str | None,
    engines: tuple[str, ...],
    masks: tuple[str, ...],
    conn: bool | None,
    shape: bool,
    foreground: bool,
    out: Path,
    no_start: bool,
    connection_file: Path | None,
    as_json: bool,
) -> None:
    """Say how good engines are on clips, and other tools beside them.

    DATA are folders of clips: of `videomama clips`, V-HIM60, YouTubeMatte or VideoMatte, or plain folders of plate,
    mask and other tools' alphas. What an earlier run finished in the same --out folder is not done again. Writes
    evaluation.json, evaluation.md and evaluation.html.
    """
    settled = config.load({"connection_file": connection_file})
    asked = without_twins([parse_engine(text, settled) for text in engines])
    kinds = without_twins([parse_masks(text) for text in masks])
    found = [read_data(Path(os.path.abspath(folder)), layout or "") for folder in data]  # noqa: PTH100 - links stay
    make_folder(out)
    plan = EvaluationPlan(clips_of(found), asked, kinds, MeasureChoice(conn, shape, foreground), out)

    def connect() -> Client:
        return launch.connect(settled.connection_file, start=not no_start)

    with _Progress() as progress:
        outcome = Runner(plan, connect, progress).run()
        outcome.failures[:0] = [
            Failure(broken.name, "", MASK, broken.error.message, broken.error.hint)
            for one in found
            for broken in one.broken
        ]
        evaluation = summed_up(outcome)
        progress.say("Writing the reports")
        write(out, evaluation, outcome.units)
    _tell(evaluation, outcome, out, as_json)
    if evaluation.failures:
        sys.exit(EXIT_FAILED)


def clips_of(found: Sequence[Data]) -> list[GroundTruthClip]:
    """Return the clips of all folders with names that differ: where two are alike, the folder's stands before.

    Raises:
        BadInput: they are alike even so.
    """
    counts = Counter(clip.name for data in found for clip in data.clips)
    clips = [
        replace(clip, name=f"{data.folder.name}/{clip.name}") if counts[clip.name] > 1 else clip
        for data in found
        for clip in data.clips
    ]
    twins = [name for name, count in Counter(clip.name for clip in clips).items() if count > 1]
    if twins:
        raise BadInput(f"two clips are called {twins[0]}", "Name folders that differ in their names, each once.")
    return clips


def _tell(evaluation: Evaluation, outcome: EvaluationOutcome, out: Path, as_json: bool) -> None:
    again = sum(unit.again for unit in outcome.units)
    if as_json:
        facts = {"clips": len(evaluation.clips), "units": len(outcome.units), "kept": again}
        overall = [asdict(row) for row in evaluation.overall]
        click.echo(json.dumps({**facts, "failed": len(evaluation.failures), "out": str(out), "overall": overall}))
        return
    if evaluation.overall:
        Console().print(_table(evaluation))
    for failure in evaluation.failures:
        click.echo(f"FAILED: {failure.clip}: {failure.message}", err=True)
    click.echo(f"{counted(len(outcome.units), 'unit')}, {again} of them from an earlier run. Look at {out / PAGE}.")


def _table(evaluation: Evaluation) -> Table:
    table = Table(
        title="Mean over clips", caption="in brackets the ratio to the mask; lower is better", box=SIMPLE_HEAD
    )
    names = [name for name in _SHOWN if name in evaluation.measures]
    heads = [head for head in ("data", "masks") if len({getattr(row, head) for row in evaluation.overall}) > 1]
    for head in (*heads, "engine"):
        table.add_column(head, no_wrap=head == "engine", overflow="fold")
    for name in names:
        table.add_column(f"{wording.LABELS[name].name} {wording.LABELS[name].scale}", justify="right")
    table.add_column("s/frame", justify="right")
    for row in evaluation.overall:
        ratios = {name: f" ({row.ratio[name]:.2f})" if name in row.ratio else "" for name in names}
        figures = [wording.LABELS[name].text(row.mean.get(name)) + ratios[name] for name in names]
        words = [getattr(row, head) for head in heads]
        table.add_row(*map(Text, (*words, row.engine, *figures, wording.shown(row.seconds_per_frame))))
    return table


class _Progress(Bar):
    """Shows an evaluation on the error stream: a bar in a terminal, a line per unit elsewhere."""

    def __init__(self) -> None:
        super().__init__(TaskProgressColumn())
        self._total = self._done = 0

    def begin(self, steps: int) -> None:
        """See `run.Progress`."""
        self._total = steps
        if self.shown:
            self.shown.add_task("", total=steps)

    def unit(self, name: str) -> None:
        """See `run.Progress`."""
        if self.shown:
            self.shown.update(self.shown.task_ids[-1], description=name)
        else:
            click.echo(f"{100 * self._done // max(1, self._total):3} %  {name}", err=True)

    def step(self, count: int = 1) -> None:
        """See `run.Progress`."""
        self._done += count
        if self.shown:
            self.shown.update(self.shown.task_ids[-1], advance=count)
