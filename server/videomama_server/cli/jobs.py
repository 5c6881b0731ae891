"""`videomama jobs`, `cancel`, `priority` and `log`: see and order the jobs of all clients, from any terminal."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.live import Live
from rich.text import Text
from videomama_client import launch, messages
from videomama_client.client import Client
from videomama_client.errors import BadInput, ServerUnreachable
from videomama_client.job_records import STATES, JobState
from videomama_client.wording import counted

from videomama_server import config
from videomama_server.cli import job_lines, job_table
from videomama_server.cli.known_jobs import Listing, known_jobs

_EVERY_S = 1.0
_END_S = 30.0  # that cancelled jobs are waited for
_LOOK_S = 0.2
_WIDE = 240  # columns where no terminal says how many it has
_FILE = click.option("--connection-file", type=click.Path(path_type=Path), help="Connection file of the server to ask.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")


@click.command()
@click.option("--watch", is_flag=True, help="Show the jobs until Ctrl-C, and what becomes of them.")
@click.option(
    "--search", default="", help="Words that a job must have in its name, paths, user, host, engine or error."
)
@click.option(
    "--state", "states", multiple=True, type=click.Choice(STATES), help="Only jobs in this state; repeatable."
)
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True, help="The most jobs that ended.")
@click.option("--resume", is_flag=True, help="Queue the jobs again that a server did not finish, all or those named.")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@_FILE
@_JSON
def jobs(
    ids: tuple[str, ...], watch: bool, resume: bool, as_json: bool, connection_file: Path | None, **wanted: Any
) -> None:
    """List the jobs of all clients, those that ended too.

    With --resume, finished frames come from the cache.
    """
    if resume:
        _resume(connection_file, ids, as_json)
        if not watch:
            return
    elif ids:
        raise BadInput("ids are given without --resume", "Name jobs for --resume, or use `videomama log ID`.")
    if watch:
        _watch(connection_file, wanted, as_json)
        return
    _tell(_listed(connection_file, wanted), as_json)


@click.command()
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Stop all jobs that wait or run.")
@_FILE
@_JSON
def cancel(ids: tuple[str, ...], everything: bool, connection_file: Path | None, as_json: bool) -> None:
    """Stop jobs, whoever submitted them; finished frames stay.

    An ID may be cut short, as `videomama jobs` shows it.
    """
    if everything == bool(ids):
        raise BadInput("name the jobs to stop, or give --all", "`videomama jobs` lists them.")
    with _connected(connection_file) as client:
        stopped = _stop_all(client) if everything else _stop(client, [_left(client, known) for known in ids])
    if as_json:
        click.echo(json.dumps({"jobs": [asdict(job) for job in stopped]}))
        return
    for job in stopped:
        said = f"is {job.state}" if not job.left else "is asked to stop; it finishes its window first"
        click.echo(f"{_named(job)} {said}.")
    if not stopped:
        click.echo("No job waits or runs.")


@click.command()
@click.argument("known", metavar="ID")
@click.argument("level", metavar="PRIORITY", type=click.Choice(messages.PRIORITIES))
@_FILE
def priority(known: str, level: str, connection_file: Path | None) -> None:
    """Change the priority of a job: interactive or batch.

    Interactive jobs go before batch jobs. A job that runs lets the others go first after its window.
    """
    with _connected(connection_file) as client:
        job = _left(client, known)
        client.set_priority(job.job, level)
    click.echo(f"{_named(job)} is {level} now.")


@click.command()
@click.argument("known", metavar="ID")
@click.option("--limit", type=click.IntRange(1, 1000), default=200, show_default=True, help="The most lines.")
@_FILE
@_JSON
def log(known: str, limit: int, connection_file: Path | None, as_json: bool) -> None:
    """Print what happened to a job, also to one that ended."""
    with known_jobs(connection_file) as source:
        lines = source.log(known, limit)
    if as_json:
        click.echo(json.dumps({"lines": [asdict(line) for line in lines]}))
        return
    for line in lines:
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(line.at))
        click.echo(f"{at} {line.level:7} {line.text}")


def _connected(connection_file: Path | None, start: bool = False) -> Client:
    return launch.connect(config.load({"connection_file": connection_file}).connection_file, start=start)


def _listed(connection_file: Path | None, wanted: dict[str, Any]) -> Listing:
    with known_jobs(connection_file) as source:
        return source.listing(**wanted)


def _tell(listing: Listing, as_json: bool) -> None:
    if as_json:
        found = [asdict(job) for job in (*listing.left, *listing.ended)]
        click.echo(json.dumps({"jobs": found, "next_before": listing.next_before, "notes": list(listing.notes)}))
        return
    _console().print(job_table.table(listing))


def _console() -> Console:
    return Console() if sys.stdout.isatty() else Console(width=_WIDE)


def _watch(connection_file: Path | None, wanted: dict[str, Any], as_json: bool) -> None:
    """Show the jobs until Ctrl-C. A server that ends meanwhile is waited for."""
    if as_json or not sys.stdout.isatty():
        while True:
            _tell(_listed(connection_file, wanted), as_json)
            sys.stdout.flush()
            time.sleep(_EVERY_S)
    with Live(console=_console(), screen=True, auto_refresh=False) as shown:
        while True:
            try:
                drawn = job_table.table(_listed(connection_file, wanted))
            except ServerUnreachable as error:
                drawn = Text(f"{error.message}\n{error.hint}")
            shown.update(drawn, refresh=True)
            time.sleep(_EVERY_S)


def _resume(connection_file: Path | None, ids: Sequence[str], as_json: bool) -> None:
    with _connected(connection_file, start=True) as client:
        told = client.resume_jobs(ids)
    if as_json:
        click.echo(json.dumps({"resumed": told.jobs, "left": told.left}))
        return
    for why in told.left:
        click.echo(f"Not queued: {why}", err=True)
    click.echo(f"{counted(len(told.jobs), 'job')} queued again." if told.jobs else "No job had to be queued again.")


def _left(client: Client, known: str) -> JobState:
    """Return a job by its id or the beginning of it; raises `BadInput` where it has ended."""
    job = client.describe_job(known).state
    if not job.left:
        raise BadInput(f"job {_named(job)} has ended: {job.state}", "Only jobs that wait or run can be changed.")
    return job


def _stop(client: Client, left: Sequence[JobState]) -> list[JobState]:
    """Ask for jobs to stop, and return how they are once they have, or after a while."""
    for job in left:
        client.cancel(job.job)
    until = time.monotonic() + _END_S
    while True:
        now = [client.describe_job(job.job).state for job in left]
        if not any(job.left for job in now) or time.monotonic() > until:
            return now
        time.sleep(_LOOK_S)


def _stop_all(client: Client) -> list[JobState]:
    """Stop all jobs: those that wait first, so that none begins meanwhile."""
    stopped: list[JobState] = []
    while left := client.status().jobs:
        stopped += _stop(client, list(reversed(left)))
        if any(job.left for job in stopped):
            break
    return stopped


def _named(job: JobState) -> str:
    return f"{job.job[: job_lines.SHORT_ID]} {job.title}"
