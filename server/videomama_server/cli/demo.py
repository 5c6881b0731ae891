"""`videomama demo`: see the whole system work on a clip that it makes itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from videomama_client.wording import counted

from videomama_server.cli.follow import follow
from videomama_server.demo.run import DemoReport, run
from videomama_server.synthetic.demo_clip import ClipShape

_NAMES = {"mad": "MAD x1e3", "grad": "GRAD /1e3", "dtssd": "dtSSD x1e2"}


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("videomama_demo"), show_default=True)
@click.option("--frames", type=click.IntRange(1, 240), default=ClipShape.frames, show_default=True)
@click.option("--seed", type=int, default=ClipShape.seed, show_default=True)
def demo(out: Path, frames: int, seed: int) -> None:
    """Refine a generated clip and measure the result.

    The clip has an exact alpha. Its rough mask is refined twice; the second time comes from the cache.
    """
    out = out.absolute()
    report = run(out, replace(ClipShape(), frames=frames, seed=seed), follow, lambda line: click.echo(line, err=True))
    Console().print(_table(report))
    again, cached = report.second_run["seconds"], report.second_run["cached"]
    click.echo(f"{report.seconds_per_frame:.2f} s per frame by {report.engine}.")
    click.echo(f"The second run took {again:.2f} s, {cached} of {counted(report.frames, 'frame')} from the cache.")
    click.echo(f"Look at {out / 'contact_sheet.png'}; the figures are in {out / 'report.json'}.")


def _table(report: DemoReport) -> Table:
    table = Table(title="Error against the exact alpha", caption="lower is better")
    for name in ("measure", "mask", "alpha", "alpha / mask"):
        table.add_column(name, justify="left" if name == "measure" else "right")
    for name, label in _NAMES.items():
        values = [getattr(report.mask, name), getattr(report.alpha, name), report.ratio(name)]
        table.add_row(label, *("-" if value is None else f"{value:.2f}" for value in values))
    return table
