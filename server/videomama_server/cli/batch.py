"""`videomama batch`: many shots from one file, a project, or a drop folder."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from videomama_client import launch
from videomama_client.client import Client
from videomama_client.errors import BadInput, VideoMaMaError
from videomama_client.wording import counted

from videomama_server import config
from videomama_server.batch import option_file
from videomama_server.batch.drop_folder import DropFolder, Dropped
from videomama_server.batch.option_file import OptionFile
from videomama_server.batch.rates import FILE as RATES
from videomama_server.batch.rates import Rates
from videomama_server.batch.report import CANCELLED, Report, table
from videomama_server.batch.shots import SHOT, TOKENS, Shot, read_defaults, read_shots, shot_of, with_rotos
from videomama_server.cli import EXIT_CANCELLED, EXIT_FAILED, as_fields
from videomama_server.cli.shot_run import AskedShot, asked_shot, check_apart, run_shot, shot_options
from videomama_server.files.disk_space import size_text
from videomama_server.submission import project_rotos

_REPORT = "report.json"
_OUT = "{folder}/alpha/{shot}.####.exr"  # of a drop folder
_LOOK_S = 2.0
_HEAD = ("shot", "frames", "size", "missing", "disk", "time", "")
_RIGHT = (1, 4, 5)


@dataclass(frozen=True)
class _Means:
    """What a batch works with: its server, the rates of this machine, and its report."""

    connection_file: Path
    start: bool
    report: Report

    def connect(self) -> Client:
        """Return a new connection to the server."""
        return launch.connect(self.connection_file, start=self.start)

    @property
    def rates(self) -> Rates:
        """How fast this machine's server was."""
        return Rates(self.connection_file.parent / RATES)


@click.command()
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--project", type=click.Path(path_type=Path), help="Project folder; each roto of it is a shot.")
@click.option("--roto", "rotos", multiple=True, help="The NAME under roto/ of the project; repeatable; by default all.")
@click.option(
    "--watch",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Drop folder: plates and masks in it are taken once they have stopped growing, until Ctrl-C.",
)
@click.option(
    "--settle",
    type=click.FloatRange(0.1, 3600),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="How long nothing may change in a drop folder's sequence before it is taken.",
)
@click.option("--dry-run", is_flag=True, help="Print what the shots need, and do nothing.")
@click.option(
    "--report",
    "report_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="JSON file of the results; by default beside FILE, as shots.report.json.",
)
@click.option("--no-start", is_flag=True, help="Do not start a server when none runs.")
@click.option("--connection-file", type=click.Path(path_type=Path), help="Connection file of the server to use.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one line of JSON.")
def batch(file: Path | None, **flags: Any) -> None:
    """Refine many shots.

    FILE is a .yaml, .json or .csv file of shots. Its keys are the options of `videomama matte`. A shot that fails stops
    no other. Running it again does only what is missing.
    """
    project, watch, as_json = flags["project"], flags["watch"], flags["as_json"]
    if (project is None) == (file is None) and not (watch and project is None):
        raise BadInput("give one of FILE, --project and --watch", "FILE may hold the defaults of --watch.")
    options = None if file is None else option_file.read(file)
    where = config.load({"connection_file": flags["connection_file"]}).connection_file
    place = flags["report_file"] or _report_of(file, project, watch)
    means = _Means(where, not flags["no_start"], Report(None if flags["dry_run"] else place))
    if watch:
        _watch(DropFolder(watch.absolute(), flags["settle"]), options, means, flags["dry_run"])
    else:
        shots = _of_project(project, flags["rotos"]) if options is None else read_shots(options, shot_options())
        asked = _asked(shots)
        if flags["dry_run"]:
            sys.exit(_dry_run(asked, means.rates, as_json))
        _run(asked, means)
    _end(means.report, as_json)


def _report_of(file: Path | None, project: Path | None, watch: Path | None) -> Path:
    if file is not None and watch is None:
        return file.with_suffix(f".{_REPORT}")
    folder = watch or project or Path()
    return folder / f"batch.{_REPORT}"


def _asked(shots: Iterable[Shot]) -> list[AskedShot]:
    asked = [one for shot in shots for one in _with_rotos(shot)]
    check_apart(asked)
    return asked


def _with_rotos(shot: Shot) -> list[AskedShot]:
    try:
        return [asked_shot(one) for one in with_rotos(shot, lambda project: project_rotos(Path(project)))]
    except VideoMaMaError as error:
        return [AskedShot(shot, None, error)]


def _of_project(project: Path, rotos: Sequence[str]) -> list[Shot]:
    options: dict[str, Any] = {"project": str(project.absolute()), "roto": list(rotos) or None}
    return [Shot(project.absolute().name, options, lambda _: str(project), Path())]


def _run(asked: Sequence[AskedShot], means: _Means) -> None:
    """Do shots one after the other; the server lets interactive jobs go between. Ctrl-C ends the shot and the rest."""
    for number, one in enumerate(asked, 1):
        click.echo(f"{one.shot.name} ({number} of {len(asked)})", err=True)
        result = run_shot(one, means.connect, means.rates)
        means.report.add(result)
        if result.error:
            _say_error(result.error)
        if result.state == CANCELLED:
            return


def _say_error(error: dict[str, Any]) -> None:
    for line in filter(None, (f"Error: {error['message']}", error["hint"])):
        click.echo(line, err=True)


def _end(report: Report, as_json: bool) -> None:
    """Tell what came of the shots, and leave with 1 where one failed."""
    if as_json:
        click.echo(json.dumps({**report.as_dict(), "report": str(report.path) if report.path else None}))
    else:
        for line in report.lines():
            click.echo(line)
        if report.path and report.results:
            click.echo(report.path)
    if any(one.state == CANCELLED for one in report.results):
        sys.exit(EXIT_CANCELLED)
    sys.exit(EXIT_FAILED if report.has_failed else 0)


def _watch(drop: DropFolder, file: OptionFile | None, means: _Means, dry_run: bool) -> None:
    """Take shots of a drop folder as they come, until Ctrl-C; those that were finished before are kept."""
    if dry_run:
        raise BadInput("--dry-run looks at shots that are there, and --watch waits", "Leave one of them out.")
    whole = file or OptionFile(drop.folder / "defaults", {})
    defaults = read_defaults(whole, shot_options()) if file else {}
    click.echo(f"Watching {drop.folder}. Ctrl-C ends it.", err=True)
    with suppress(KeyboardInterrupt):
        while True:
            shots = [_of_drop(whole, defaults, dropped) for dropped in drop.ready()]
            _run([asked_shot(shot) for shot in shots], means)
            if any(one.state == CANCELLED for one in means.report.results):
                return
            time.sleep(min(_LOOK_S, drop.settle_s / 4))


def _of_drop(file: OptionFile, defaults: dict[str, Any], dropped: Dropped) -> Shot:
    tokens = {**(defaults.get(TOKENS) or {}), "folder": str(dropped.folder)}
    own = {SHOT: dropped.name, "plate": dropped.plate, "mask": dropped.mask, TOKENS: tokens}
    return shot_of(file, {"out": _OUT, **defaults}, own)


def _dry_run(asked: Sequence[AskedShot], rates: Rates, as_json: bool) -> int:
    """Print what shots need; return 1 where one cannot be done, else 0."""
    told = [_needed(one, rates) for one in asked]
    seconds = [one["seconds"] for one in told]
    total = {
        "disk_bytes": sum(one["disk_bytes"] for one in told),
        "seconds": None if None in seconds else sum(seconds),
    }
    if as_json:
        click.echo(json.dumps({"shots": told, "total": total}))
    else:
        for line in table(_HEAD, [_needs_row(one) for one in told], _RIGHT):
            click.echo(line)
        known = _time(total["seconds"])
        click.echo(f"{counted(len(told), 'shot')}: {size_text(total['disk_bytes'])} on disk, time {known}")
        if None in seconds:
            click.echo("A time is unknown until a shot with the same engines has been done on this machine.")
    return EXIT_FAILED if any(one["error"] or one["lacks_wanted"] for one in told) else 0


def _needed(one: AskedShot, rates: Rates) -> dict[str, Any]:
    """Return what a shot needs, by name; what is done already needs nothing."""
    told: dict[str, Any] = {"shot": one.shot.name, "frames": 0, "size": None, "missing": {}, "disk_bytes": 0}
    told.update(free_bytes=None, seconds=0.0, finished=False, lacks_wanted=False, error=None)
    try:
        needs = one.needs()
    except VideoMaMaError as error:
        return {**told, "error": as_fields(error)}
    told.update(frames=len(needs.frames), size=needs.size, missing=dict(needs.missing), free_bytes=needs.free_bytes)
    told.update(lacks_wanted=needs.lacks_wanted)
    if one.is_finished():
        return {**told, "finished": True}
    seconds = rates.seconds(one.kind, len(needs.frames), needs.megapixels)
    return {**told, "disk_bytes": needs.disk_bytes, "seconds": seconds}


def _needs_row(one: dict[str, Any]) -> tuple[str, ...]:
    missing = "; ".join(f"{role} {frames}" for role, frames in one["missing"].items())
    size = "x".join(map(str, one["size"])) if one["size"] else ""
    note = one["error"]["message"].splitlines()[0] if one["error"] else "finished" if one["finished"] else ""
    if one["free_bytes"] is not None and one["free_bytes"] < one["disk_bytes"]:
        note = f"only {size_text(one['free_bytes'])} free"
    time_needed = "" if one["error"] or one["finished"] else _time(one["seconds"])
    return (one["shot"], str(one["frames"] or ""), size, missing, size_text(one["disk_bytes"]), time_needed, note)


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "unknown"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
