"""`videomama weights where|check|fold|fetch|import`."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click
from videomama_client.errors import WeightsError

from videomama_server import config, running
from videomama_server.cli import EXIT_FAILED, as_fields
from videomama_server.cli.differing import tell_differing
from videomama_server.cli.transfer import Transfer
from videomama_server.engines.videomama.checkpoint import headers, layouts
from videomama_server.weights import catalogue

_DIR = click.argument("directory", metavar="[DIR]", type=click.Path(path_type=Path), required=False)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
_ADDITIONAL = "videomama_server.weights.additional"
_KEYS = ("weights", "cache_dir", "device", "dtype")  # of the config, that these commands go by
ADDITIONAL = (
    "sam2",
    "sam2-base-plus",
    "sam2-small",
    "sam2-tiny",
    "sam3",
    "person",
    "vitmatte",
    "vitmatte-base",
    "mematte",
)
_WITH = click.option(
    "--with",
    "additional",
    type=click.Choice(ADDITIONAL),
    help="A network of a mask maker or an edge refiner in place of the model's own weights.",
)
_TO = click.option(
    "--to", "target", metavar="DIR", type=click.Path(path_type=Path), help="By default the config's folder."
)


@click.group()
def weights() -> None:
    """Look after the weights of the engines.

    DIR is the folder of the config unless it is given.
    """


@weights.command()
@_JSON
def where(as_json: bool) -> None:
    """Say where weights are looked for, what is there, and which are ready for use."""
    settled = _settled()
    report: dict[str, Any] = {"weights": str(settled.weights), "unet": None, "vae": None, "problem": None}
    try:
        found = layouts.find(settled.weights)
        report.update(unet=str(found.unet), vae=str(found.vae))
    except WeightsError as error:
        report["problem"] = str(error)
    report["folded_dir"] = str(settled.folded_dir)
    report["folded"] = [
        {"file": path.name, "bytes": path.stat().st_size}
        for path in sorted(settled.folded_dir.glob("*.safetensors"))
        if not path.name.startswith(".")
    ]
    if as_json:
        click.echo(json.dumps(report))
        return
    click.echo(f"weights: {report['weights']}")
    if report["problem"]:
        click.echo(report["problem"])
    else:
        click.echo(f"  UNet  {_sized(found.unet)}\n  VAE   {_sized(found.vae)}")
    click.echo(f"ready for use: {report['folded_dir']}")
    for row in report["folded"]:
        click.echo(f"  {row['file']}  {row['bytes'] / 1e6:.1f} MB")
    if not report["folded"]:
        click.echo("  none yet: the first job makes it, or `videomama weights fold`")


@weights.command()
@_DIR
@click.option("--full", is_flag=True, help="Read all the data too, for values that are not finite.")
@_JSON
def check(directory: Path | None, full: bool, as_json: bool) -> None:
    """Check that the weights are VideoMaMa's and whole; the exit code is 1 when they are not."""
    folder = directory or _settled().weights
    passed: list[str] = []
    try:
        for line in _with_torch("checkpoint.checks").run(layouts.find(folder), full):
            passed.append(line)
            if not as_json:
                click.echo(f"ok  {line}")
    except WeightsError as error:
        if not as_json:
            raise
        click.echo(json.dumps({**as_fields(error), "ok": False, "passed": passed, "problem": error.message}))
        sys.exit(EXIT_FAILED)
    if as_json:
        click.echo(json.dumps({"ok": True, "passed": passed, "problem": None, "hint": None}))


@weights.command()
@_DIR
@click.option("--dtype", type=click.Choice(["auto", "fp16", "bf16", "fp32"]), help="By default the config's.")
@_JSON
def fold(directory: Path | None, dtype: str | None, as_json: bool) -> None:
    """Make weights ready for use now, which otherwise the first job does."""
    settled = _settled(dtype=dtype)
    checkpoint = layouts.find(directory or settled.weights)
    engine = _with_torch("checkpoint.weights")
    storage = _with_extra("videomama_server.engines.runtime.device").choose(settled.device, settled.dtype).storage
    if not as_json:
        click.echo(f"reading {checkpoint.unet} and {checkpoint.vae} ...", err=True)
    path = engine.folded(checkpoint, settled.folded_dir, storage)
    size = path.stat().st_size
    click.echo(json.dumps({"file": str(path), "bytes": size}) if as_json else f"{path}  {size / 1e6:.1f} MB")


@weights.command()
@_TO
@_WITH
@click.option("--accept-licence", "--accept-license", "accepted", is_flag=True, help="Accept the weights' licence.")
@click.option("--verify", is_flag=True, help="Read what is there, and fetch again what is damaged.")
@_JSON
def fetch(target: Path | None, additional: str | None, accepted: bool, verify: bool, as_json: bool) -> None:
    """Fetch the published weights, or what is missing of them; it continues where an earlier run stopped."""
    settled = config.load({"weights": target})
    fetching = _with_extra("videomama_server.weights.fetch")
    network = _additional(additional)
    offer, licence, place = catalogue.PUBLISHED, catalogue.LICENCE, settled.weights
    if network:
        offer, licence, place = network.offer(), network.licence, settled.weights / network.folder
    with Transfer() as transfer:
        order = fetching.FetchOrder(
            offer,
            place,
            settled.folded_dir,
            lambda: _accepts(licence, accepted, transfer),
            verify,
            check=network.check if network else None,
        )
        outcome = fetching.fetch(order, transfer, transfer.say)
    _tell(outcome, place, as_json)


@weights.command("import")
@click.argument("origin", metavar="DIR", type=click.Path(path_type=Path))
@_TO
@_WITH
@click.option("--copy", is_flag=True, help="Copy the files; otherwise they are linked.")
@_JSON
def import_(origin: Path, target: Path | None, additional: str | None, copy: bool, as_json: bool) -> None:
    """Take over weights that are on this machine, in any layout they are met in; DIR may be a file too."""
    settled = config.load({"weights": target})
    importing = _with_extra("videomama_server.weights.importing")
    network = _additional(additional)
    if network:
        with Transfer() as transfer:
            outcome = _with_extra(_ADDITIONAL).adopt(network, origin.absolute(), settled.weights, transfer)
        _tell(outcome, settled.weights, as_json)
        return
    with Transfer() as transfer:
        order = importing.Import(catalogue.PUBLISHED, origin.absolute(), settled.weights, copy)
        outcome = importing.adopt(order, transfer, transfer.say)
    _tell(outcome, settled.weights, as_json)


def _settled(**flags: Any) -> config.Config:
    """Return the config that holds, the running server's where one runs, and tell in what the caller's differs."""
    found = running.settle(flags)
    tell_differing(found.differing, *_KEYS)
    return found.config


def _additional(name: str | None) -> Any:
    """Return the network that `--with` names; None for the model's own weights."""
    return _with_extra(_ADDITIONAL).NETWORKS[name] if name else None


def _accepts(licence: Path, flag: bool, transfer: Transfer) -> bool:
    """Show the licence, and ask for it unless that was answered by a flag; where nobody can answer it is a no."""
    transfer.say(licence.read_text(encoding="utf-8"))
    if flag:
        transfer.say("Accepted with --accept-licence.")
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    with transfer.paused():
        return click.confirm("Do you accept it?", default=False, err=True)


def _tell(outcome: Any, folder: Path, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"weights": str(folder), "fetched": outcome.fetched, "lines": outcome.lines}))
        return
    for line in outcome.lines:
        click.echo(f"ok  {line}")


def _sized(path: Path) -> str:
    size = sum(shard.stat().st_size for shard in headers.shards(path))
    return f"{path}  {size / 1e6:.1f} MB"


def _with_torch(name: str) -> Any:
    """Import a module of the engine that needs torch."""
    return _with_extra(f"videomama_server.engines.videomama.{name}")


def _with_extra(name: str) -> Any:
    """Import a module that needs the extra, which not every installation has."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise WeightsError(
            f"the engine videomama needs {error.name}, which is not installed",
            "Run `python install server`.",
        ) from error
