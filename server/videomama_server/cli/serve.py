"""`videomama serve`, `status` and `stop`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from videomama_client import launch

from videomama_server import config, logs, running
from videomama_server.cli import job_lines
from videomama_server.cli.differing import tell_differing

_FILE = click.Path(path_type=Path)


@click.command()
@click.option("--cache-dir", type=_FILE, help="Folder of finished alphas.")
@click.option("--cache-limit-gb", type=float, help="Size the cache is pruned to.")
@click.option("--delivery", help="How alphas leave the cache: copy, or link (hard links that share the cache's bytes).")
@click.option("--connection-file", type=_FILE, help="Where to write endpoint and keys.")
@click.option("--host", help="Address to listen at; only this machine by default.")
@click.option("--port", type=int, help="Port to listen at; 0 takes a free one.")
@click.option("--roots", help="Folders that may be opened, separated as in PATH; all by default.")
@click.option("--engine-idle-s", type=float, help="End the engine after this many idle seconds.")
@click.option(
    "--engine-hang-s", type=float, help="Restart an engine that does nothing for this many seconds; 0 for never."
)
@click.option("--read-limit-s", type=float, help="Give up reading a picture file after this many seconds; 0 for never.")
@click.option(
    "--supply-limit-s",
    type=float,
    help="Give up a job whose client takes longer than this to send a frame, in seconds; 0 for never.",
)
@click.option("--server-idle-s", type=float, help="End the server after this many idle seconds; 0 for never.")
@click.option("--threads", type=int, help="Threads that read frames, and as many that write.")
@click.option("--weights", type=_FILE, help="Folder of the model's weights.")
@click.option("--device", help="What the model runs on: auto, cpu, cuda:0, mps.")
@click.option("--dtype", help="Number format that the model computes in: auto, fp16, bf16, fp32.")
@click.option("--max-vram-gb", type=float, help="Memory of the device that engines may use; 0 for all that is free.")
@click.option("--give-back-memory", help="Return unused memory of the device after the last job: on, off.")
@click.option("--compile", help="Compile the model for the device: auto, on, off.")
@click.option("--log", type=_FILE, help="Append the server's log to this file.")
@click.option(
    "--end-with-input", is_flag=True, help="End when standard input is closed: for a program that keeps its own server."
)
def serve(log: Path | None, end_with_input: bool, **flags: Any) -> None:
    """Run the server in the foreground until Ctrl-C."""
    from videomama_server.serving.listener import AlreadyRunning
    from videomama_server.serving.server import serve as run

    if log is not None:
        logs.divert(log)
    logs.set_up("server")
    try:
        run(config.load(flags), end_with_input)
    except AlreadyRunning as error:
        click.echo(f"{error.message}\nTo start one with other values, stop it first: videomama stop", err=True)


@click.command()
@click.option("--connection-file", type=_FILE, help="Connection file of the server to ask.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
def status(connection_file: Path | None, as_json: bool) -> None:
    """Show the state of the server and its jobs."""
    with launch.connect(config.load({"connection_file": connection_file}).connection_file, start=False) as client:
        found = client.status()
    report, differing = asdict(found), running.differing(found.config)
    del report["request"]
    report["config"] = {known.name: known.value for known in found.config}
    report["differs"] = {known.name: asdict(known.caller) for known in differing}
    if as_json:
        click.echo(json.dumps(report))
        return
    config_values, loaded = report.pop("config"), report.pop("loaded")
    del report["differs"], report["jobs"]
    for name, value in report.items():
        click.echo(f"{name.replace('_', ' '):>20}  {_shown(name, value)}")
    for engine in loaded:
        click.echo(f"{'loaded':>20}  {_described(engine)}")
    for name, value in config_values.items():
        click.echo(f"{'config':>20}  {name} = {value or '-'}")
    for job in found.jobs:
        click.echo(f"{'job':>20}  {job_lines.line(job)}")
    tell_differing(differing)


@click.command()
@click.option("--connection-file", type=_FILE, help="Connection file of the server to stop.")
def stop(connection_file: Path | None) -> None:
    """End the running server, whatever its version.

    Jobs under way are dropped; what they finished stays cached.
    """
    with launch.reach(config.load({"connection_file": connection_file}).connection_file) as client:
        client.stop_server()
    click.echo("Stopping the server.")


@click.command()
@click.option("--connection-file", type=_FILE, help="Connection file of the server to ask.")
def unload(connection_file: Path | None) -> None:
    """Free the memory that the engine holds.

    The next job loads it again. Refused while a job runs.
    """
    with launch.connect(config.load({"connection_file": connection_file}).connection_file, start=False) as client:
        client.unload_engine()
    click.echo("The engine is unloaded.")


def _described(engine: dict[str, Any]) -> str:
    """Return an engine that is loaded, and what it holds, in one line."""
    resident, peak = (_shown(name, engine[name]) for name in ("resident_bytes", "peak_bytes"))
    return f"{engine['name']} on {engine['device']}, {engine['dtype']}: {resident} resident, peak {peak}"


def _shown(name: str, value: Any) -> str:
    if value is None:
        return "-"
    if name.endswith("_bytes"):
        return f"{value / 1e6:.0f} MB"
    return f"{value:.1f}" if isinstance(value, float) else str(value)
