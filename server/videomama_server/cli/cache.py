"""`videomama cache stat|verify|prune|clear`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click
from videomama_client.errors import BadInput
from videomama_client.wording import counted

from videomama_server import config
from videomama_server.cache import README, Cache, CacheReport


@click.group()
@click.option("--cache-dir", type=click.Path(path_type=Path), help="Folder of finished alphas.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
@click.pass_context
def cache(context: click.Context, cache_dir: Path | None, as_json: bool) -> None:
    """Look after the cache of finished alphas."""
    folder = config.load({"cache_dir": cache_dir}).cache_dir
    if folder.is_dir() and any(folder.iterdir()) and not (folder / README).is_file():
        raise BadInput(f"{folder} is not a cache of alphas", "Name the folder with --cache-dir.")
    context.obj = (Cache(folder), as_json)
    context.call_on_close(context.obj[0].close)


@cache.command()
@click.pass_obj
def stat(found: tuple[Cache, bool]) -> None:
    """Count entries and bytes."""
    _show(found[0].stat(), found[1])


@cache.command()
@click.pass_obj
def verify(found: tuple[Cache, bool]) -> None:
    """Check every entry and remove the damaged ones; they are computed again when they are needed."""
    _show(found[0].verify(), found[1])


@cache.command()
@click.option("--limit-gb", type=float, help="Size to prune to; by default the config's.")
@click.pass_obj
def prune(found: tuple[Cache, bool], limit_gb: float | None) -> None:
    """Remove the least recently used entries; never those that a running job uses."""
    limit = config.load({"cache_limit_gb": limit_gb}).cache_limit_gb
    _show(found[0].prune(int(limit * 1e9)), found[1])


@cache.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def clear(found: tuple[Cache, bool], yes: bool) -> None:
    """Remove everything in the cache folder."""
    if not yes and not _agreed(f"Remove all alphas in {found[0].folder}?"):
        click.echo("Nothing was removed.", err=True)
        return
    _show(found[0].clear(), found[1])


def _agreed(question: str) -> bool:
    try:
        return click.confirm(question, err=True)
    except click.Abort:  # nobody there to answer
        click.echo(err=True)
        return False


def _show(report: CacheReport, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(asdict(report)))
        return
    click.echo(f"{report.folder}: {counted(report.entries, 'entry', 'entries')}, {report.bytes / 1e6:.1f} MB")
    if report.removed:
        click.echo(f"removed {report.removed}, {report.freed_bytes / 1e6:.1f} MB")
