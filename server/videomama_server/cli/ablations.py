"""`videomama train ablations`: run trainings that differ in one thing each, measure all, and write one table."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from videomama_client.disk_errors import disk_error
from videomama_client.errors import BadInput

from videomama_server.evaluate import ablation_table
from videomama_server.evaluate.report.write import FACTS
from videomama_server.evaluate.summary import read
from videomama_server.qc.report import make_folder
from videomama_server.train.ablations import read_plan

_ERROR_STREAM = 2
_MEASURED = "evaluation"  # folder beside those of the trainings


@click.command()
@click.argument("plan", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of all trainings and of the table.")
@click.option(
    "--launch",
    default="",
    metavar="WORDS",
    help="What starts a training in the place of Python, such as 'torchrun --nproc-per-node 8'.",
)
def ablations(plan: Path, out: Path, launch: str) -> None:
    """Run the trainings of PLAN, measure each result, and write one table.

    PLAN is a YAML file, see docs/training.md. A training that ended stays as it is; one that was cut off is resumed.
    The table has all clips together and each group, as ablations.md, ablations.csv and ablations.json.
    """
    place = Path(os.path.abspath(out))  # noqa: PTH100 - links stay
    asked = read_plan(plan, place)
    make_folder(place)
    starter = shlex.split(launch) or [sys.executable]
    for run in asked.runs:
        if run.is_done():
            click.echo(f"{run.name}: kept from an earlier run", err=True)
            continue
        click.echo(f"{run.name}: training", err=True)
        _start(run.name, [*starter, "-m", "videomama_server", *run.arguments()])
        run.note_done()
    _start("evaluate", [sys.executable, "-m", "videomama_server", *asked.arguments(place / _MEASURED)])
    trainings = {engine: (run.name, window) for engine, (run, window) in asked.engines().items()}
    lines = ablation_table.lines_of(read(place / _MEASURED / FACTS), trainings)
    try:
        paths = ablation_table.write(place, lines)
    except OSError as error:
        raise disk_error(error) from error
    click.echo(ablation_table.markdown(lines))
    for path in paths:
        click.echo(path)


def _start(name: str, command: Sequence[str]) -> None:
    """Run a command to its end; all that it says goes to the error stream."""
    try:
        ended = subprocess.run(command, stdout=_ERROR_STREAM, check=False)
    except OSError as error:
        raise BadInput(f"{command[0]} cannot be started: {error.strerror}", "Check --launch.") from error
    if ended.returncode:
        raise BadInput(f"{name} ended with code {ended.returncode}", "See above. Run the same command again then.")
