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
from videomama_client.errors import BadInput
from videomama_client.wording import counted

from videomama_server.cli import EXIT_FAILED
from videomama_server.cli.bar import Bar
from videomama_server.cli.cluster_options import Place, cluster_options
from videomama_server.cli.usage import WrongUse
from videomama_server.datasets.beside import with_alphas
from videomama_server.datasets.clip import Data, GroundTruthClip
from videomama_server.datasets.layouts import LAYOUTS, read_data
from videomama_server.evaluate.asked import (
    FIRST,
    GIVEN,
    MASK,
    MeasureChoice,
    parse_engine,
    parse_masks,
    without_twins,
)
from videomama_server.evaluate.plan import EvaluationOutcome, EvaluationPlan, Failure
from videomama_server.evaluate.protocols import PROTOCOLS, EvaluationProtocol
from videomama_server.evaluate.report import wording
from videomama_server.evaluate.report.write import PAGE, write
from videomama_server.evaluate.run import Runner
from videomama_server.evaluate.summary import Evaluation, summed_up
from videomama_server.qc.report import make_folder
from videomama_server.synthetic.degrade import HITS, SHAPES

_MASKS = (
    f"Kind of masks; repeatable. {GIVEN} for those of the data, or a degradation of the exact alpha: one of "
    f"{', '.join(SHAPES)}, then with a plus each any of {', '.join(HITS)}. Or an engine that "
    f"follows the mask of the first frame, such as sam2; with +{FIRST} that one alone guides engines with a choice. By "
    f"default {GIVEN} where there are some, else mixed; with --protocol its own."
)
_PROTOCOL = "Data, masks and measures as a published comparison has them. Published figures stand beside ours."
_BESIDE = "Alphas of another tool, a folder per clip in FOLDER, such as matanyone2=results; repeatable."
# At the end, in the terminal.
_SHOWN = ("jf", "j", "f", "mad", "grad", "dtssd", "inside_90", "inside_50", "haze", "chatter")


@click.command()
@click.argument("data", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--protocol", type=click.Choice(list(PROTOCOLS)), help=_PROTOCOL)
@click.option("--layout", type=click.Choice(list(LAYOUTS)), help="Layout of the folders. By default it is detected.")
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
@click.option("--beside", multiple=True, metavar="NAME=FOLDER", help=_BESIDE)
@click.option("--conn/--no-conn", default=None, help="Take CONN; by default up to 1920x1080.")
@click.option("--shape", is_flag=True, help="Take J and F too.")
@click.option(
    "--foreground", is_flag=True, help="Make and measure foreground colour too, where the exact one is known."
)
@click.option("--out", type=click.Path(path_type=Path), default=Path("videomama_evaluation"), show_default=True)
@cluster_options
@click.option("--no-start", is_flag=True, help="Do not start a server when none runs.")
@click.option("--connection-file", type=click.Path(path_type=Path), help="Connection file of the server to use.")
@click.option("--json", "as_json", is_flag=True, help="Print the means over all clips as one line of JSON.")
def evaluate(  # noqa: PLR0913 - one parameter per option
    data: tuple[Path, ...],
    protocol: str | None,
    layout: str | None,
    engines: tuple[str, ...],
    masks: tuple[str, ...],
    beside: tuple[str, ...],
    conn: bool | None,
    shape: bool,
    foreground: bool,
    out: Path,
    on: str | None,
    gpus: int | None,
    no_start: bool,
    connection_file: Path | None,
    as_json: bool,
) -> None:
    """Measure engines and other tools on clips.

    DATA are folders of clips: of `videomama synthesize`, V-HIM60, YouTubeMatte, VideoMatte or DAVIS, or plain folders
    of plate, mask and other tools' alphas. What an earlier run finished in the same --out folder is not done again.
    Writes evaluation.json, evaluation.md and evaluation.html.
    """
    server = Place(on, gpus, connection_file, no_start)
    settled, place = server.config, Path(os.path.abspath(out))  # noqa: PTH100 - links stay
    asked = without_twins([parse_engine(text, settled) for text in engines])
    choice = MeasureChoice(conn, shape, foreground)
    named = _protocol(protocol, layout, choice)
    results = _results(beside)
    found = [_read(folder, layout or "", named) for folder in data]
    clips = clips_of(found)
    for name, folder in results:
        clips = with_alphas(clips, name, folder)
    kinds = named.kinds(clips, masks, settled) if named else [parse_masks(text, config=settled) for text in masks]
    plan = EvaluationPlan(clips, asked, without_twins(kinds), named.measures if named else choice, place)
    doer = server.doer(plan.engine_names, place)
    make_folder(out)
    with _Progress() as progress:
        outcome = Runner(plan, doer, progress).run()
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


def _protocol(name: str | None, layout: str | None, choice: MeasureChoice) -> EvaluationProtocol | None:
    """Return the protocol of that name; raises `WrongUse` where another option says what it says."""
    if name is None:
        return None
    if layout or choice != MeasureChoice():
        wrong = "--layout" if layout else "--conn, --shape or --foreground"
        raise WrongUse(f"--protocol {name} cannot be given with {wrong}", "Leave one of them out.")
    return PROTOCOLS[name]


def _read(folder: Path, layout: str, named: EvaluationProtocol | None) -> Data:
    folder = Path(os.path.abspath(folder))  # noqa: PTH100 - links stay
    return named.part(read_data(folder, named.layout)) if named else read_data(folder, layout)


def _results(beside: Sequence[str]) -> list[tuple[str, Path]]:
    """Return name and folder of each other tool; raises `WrongUse`."""
    found = []
    for text in beside:
        name, _, folder = text.partition("=")
        if not folder or not name.replace("-", "").replace("_", "").replace(".", "").isalnum():
            wrong = f"--beside {text} does not name a tool and a folder"
            raise WrongUse(wrong, "Write NAME=FOLDER, such as matanyone2=results; NAME has letters and digits.")
        found.append((name, Path(os.path.abspath(folder))))  # noqa: PTH100 - links stay
    return found


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
        title="Mean over clips",
        caption="in brackets the ratio to the mask; lower is better, but for J and F",
        box=SIMPLE_HEAD,
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
