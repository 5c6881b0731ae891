"""`videomama doctor`: what a refine on this machine needs, how it is, and what to do about it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from videomama_server.doctor.lines import as_fields, as_text, can_refine
from videomama_server.doctor.report import examine


@click.command()
@click.option("--connection-file", type=click.Path(path_type=Path), help="Connection file of the server to ask.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
def doctor(connection_file: Path | None, as_json: bool) -> None:
    """Check all that a refine needs.

    The exit code is 0 when some engine can refine on this machine, else 1.
    """
    if sys.stderr.isatty():
        click.echo("Looking at everything; this takes some seconds ...", err=True)
    lines = examine(connection_file)
    click.echo(json.dumps(as_fields(lines)) if as_json else as_text(lines))
    if not can_refine(lines):
        sys.exit(1)
