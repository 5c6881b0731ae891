"""`videomama cache stat|verify|prune|clear`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import click
from videomama_client.errors import BadInput
from videomama_client.wording import counted

from videomama_server import config, running
from videomama_server.cache.entries import Cache
from videomama_server.cache.layout import README
from videomama_server.cache.upkeep import CacheReport
from videomama_server.cli.differing import tell_differing

_REMOVING = ("prune", "clear")
_NAME_ONE = "Name the folder that you mean with --cache-dir."


@dataclass(frozen=True)
class _Chosen:
    """The cache that a command is about, and the size that its server keeps it to."""

    cache: Cache
    limit_gb: float
    as_json: bool


@click.group()
@click.option("--cache-dir", type=click.Path(path_type=Path), help="Folder of finished alphas.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
@click.pass_context
def cache(context: click.Context, cache_dir: Path | None, as_json: bool) -> None:
    """Look after the cache of finished alphas.

    Where a server runs, this is its cache.
    """
    settled = running.settle({"cache_dir": cache_dir})
    folder = settled.config.cache_dir
    differing = [] if cache_dir else settled.differing
    if context.invoked_subcommand in _REMOVING and any(known.name == "cache_dir" for known in differing):
        raise BadInput(str(next(known for known in differing if known.name == "cache_dir")), _NAME_ONE)
    tell_differing(differing, "cache_dir", "cache_limit_gb")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / README).is_file():
        raise BadInput(f"{folder} is not a cache of alphas", "Name the folder with --cache-dir.")
    context.obj = _Chosen(Cache(folder), settled.config.cache_limit_gb, as_json)
    context.call_on_close(context.obj.cache.close)


@cache.command()
@click.pass_obj
def stat(chosen: _Chosen) -> None:
    """Count entries and bytes."""
    _show(chosen.cache.stat(), chosen.as_json)


@cache.command()
@click.pass_obj
def verify(chosen: _Chosen) -> None:
    """Check every entry and remove the damaged ones; they are computed again when they are needed."""
    _show(chosen.cache.verify(), chosen.as_json)


@cache.command()
@click.option("--limit-gb", type=float, help="Size to prune to; by default the server's, or the config's.")
@click.pass_obj
def prune(chosen: _Chosen, limit_gb: float | None) -> None:
    """Remove entries of older versions, then the least recently used; never those that a running job uses."""
    limit = chosen.limit_gb if limit_gb is None else config.load({"cache_limit_gb": limit_gb}).cache_limit_gb
    _show(chosen.cache.prune(int(limit * 1e9)), chosen.as_json)


@cache.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def clear(chosen: _Chosen, yes: bool) -> None:
    """Remove everything in the cache folder."""
    if not yes and not _agreed(f"Remove all alphas in {chosen.cache.folder}?"):
        click.echo("Nothing was removed.", err=True)
        return
    _show(chosen.cache.clear(), chosen.as_json)


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
    if report.older_entries:
        older = counted(report.older_entries, "entry", "entries")
        click.echo(f"of these, {older} of older versions, {report.older_bytes / 1e6:.1f} MB; they are pruned first")
    if report.removed:
        click.echo(f"removed {report.removed}, {report.freed_bytes / 1e6:.1f} MB")
