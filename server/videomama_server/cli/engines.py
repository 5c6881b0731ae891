"""`videomama engines`: which engines the server has, and the settings of each."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from videomama_client import launch, messages
from videomama_client.engine_settings import RECORDS
from videomama_client.prompts import listed
from videomama_client.setting_spec import CHOICE, NUMBER, TEXT, WHOLE_NUMBER, YES_NO, SettingSpec
from videomama_client.stages import MATTING

from videomama_server import config
from videomama_server.cli.settings_tables import bounds, tables

_VALUE = {NUMBER: "NUMBER", WHOLE_NUMBER: "INTEGER", TEXT: "TEXT", CHOICE: "CHOICE", YES_NO: "yes|no"}


@click.command()
@click.option("--no-start", is_flag=True, help="Do not start a server when none runs.")
@click.option("--connection-file", type=click.Path(path_type=Path), help="Connection file of the server to ask.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
@click.option("--markdown", is_flag=True, help="Print tables for a page of documentation.")
def engines(no_start: bool, connection_file: Path | None, as_json: bool, markdown: bool) -> None:
    """List the engines of the server and their settings.

    Engines that other packages bring are listed too.
    """
    path = config.load({"connection_file": connection_file}).connection_file
    with launch.connect(path, start=not no_start) as client:
        found = client.engines()
    if as_json:
        click.echo(json.dumps(_as_dict(found)))
        return
    click.echo(tables(found) if markdown else _listed(found), nl=False)


def _as_dict(found: messages.EnginesReported) -> dict[str, Any]:
    content = asdict(found)
    del content["request"]
    return content


def _listed(found: messages.EnginesReported) -> str:
    shown = click.HelpFormatter()
    _list(shown, "Settings for every engine", ((_option(spec), spec) for spec in found.settings))
    for state in found.engines:
        _show(shown, state)
    return shown.getvalue()


def _show(shown: click.HelpFormatter, state: messages.EngineState) -> None:
    if state.message:
        with shown.section(state.name):
            shown.write_text(f"{state.message}. {state.hint}")
        return
    written = _option if state.name in RECORDS else _word
    _list(shown, f"{state.name}{_part(state)}", ((written(spec), spec) for spec in state.options))


def _part(state: messages.EngineState) -> str:
    """Say which part an engine plays in a chain, and what prompts it takes; nothing of one that makes alphas."""
    role = "" if state.role == MATTING else state.role
    if state.prompts:
        made = f"{role} of masks" if role else "alphas too"
        role = f"{made} from {listed(state.prompts)}"
    return f" ({role})" if role else ""


def _list(shown: click.HelpFormatter, heading: str, settings: Iterable[tuple[str, SettingSpec]]) -> None:
    rows = [(written, _said(spec)) for written, spec in settings]
    with shown.section(heading):
        if rows:
            shown.write_dl(rows)
        else:
            shown.write_text("No settings of its own.")


def _option(spec: SettingSpec) -> str:
    return spec.option if spec.kind == YES_NO else f"{spec.option} {_value(spec)}"


def _word(spec: SettingSpec) -> str:
    """Return how an option is set that the command line has none for."""
    return f"--set {spec.name}={_value(spec)}"


def _value(spec: SettingSpec) -> str:
    return "|".join(spec.choices) if spec.kind == CHOICE else _VALUE[spec.kind]


def _said(spec: SettingSpec) -> str:
    """Return help, bounds and default of a setting in one text."""
    default = [] if spec.default in (None, "") or spec.default is False else [f"default: {spec.default}"]
    facts = [part for part in (bounds(spec), *default) if part]
    return f"{spec.help} [{'; '.join(facts)}]" if facts else spec.help
