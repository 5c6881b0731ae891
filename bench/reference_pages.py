"""Writes docs/reference/ from the code: every command with its options, every setting, every key of the config.

python bench/reference_pages.py
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, fields
from inspect import cleandoc
from pathlib import Path

import click
from videomama_client import messages
from videomama_client.engine_settings import RECORDS
from videomama_client.setting_spec import specs_of
from videomama_client.settings import MatteSettings
from videomama_server.cli import videomama
from videomama_server.cli.help_groups import GroupedCommand
from videomama_server.cli.serve import serve
from videomama_server.cli.settings_tables import tables
from videomama_server.config import Config

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "reference"
_MADE = "This page is made from the code by `python bench/reference_pages.py`.\n"
_HEAD = "| option | default | what it does |\n|---|---|---|\n"
_ABOUT_SETTINGS = """# Settings

Everything that changes pixels is a setting and part of the cache key. The settings of all engines come first, then
those of each engine.

- A setting that does nothing for the chosen engine is refused by name: `--mask-slack is a setting of classic; the
  engine videomama has no such option`.
- With `--engine auto` you may give settings of `videomama` and of `classic`. Which of the two runs differs between
  machines. Settings that the engine taken does not have change nothing, and a warning names them.
- `--set NAME=VALUE` gives a setting of an engine that plugs in ([own_engine.md](../own_engine.md)). Where its name is
  that of an option below, such as `mask_threshold`, the option works too.
- In Nuke, knobs that do nothing for the chosen engine are grey. They keep their values and are not sent.

This page is made from the code by `python bench/reference_pages.py`. `videomama engines --markdown` prints its
tables, with those of your own engines.
"""
_OF_USERS = {  # what differs from machine to machine
    "cache_dir": "your user cache folder",
    "connection_file": "`connection-HOST.json` in your user state folder",
    "weights": "`weights` in your user data folder",
    "roots": "all folders",
}


def pages() -> dict[str, str]:
    """Return the pages by the names of their files."""
    return {"commands.md": _commands(), "config.md": _config(), "settings.md": _settings()}


def _commands() -> str:
    head = f"# Commands\n\n{_MADE}`videomama COMMAND --help` prints the same in a terminal.\n"
    with videomama.make_context("videomama", [], resilient_parsing=True) as context:
        return head + "".join(_sections(context, 2))


def _sections(parent: click.Context, level: int) -> Iterator[str]:
    """Yield a section for each command of a group, and for the commands of these."""
    group = parent.command
    assert isinstance(group, click.Group)
    for name in group.list_commands(parent):
        command = group.resolve_command(parent, [name])[1]
        assert command is not None
        with click.Context(command, info_name=name, parent=parent) as context:
            yield _section(context, level)
            if isinstance(command, click.Group):
                yield from _sections(context, level + 1)


def _section(context: click.Context, level: int) -> str:
    command = context.command
    usage = " ".join((context.command_path, *command.collect_usage_pieces(context)))
    told = cleandoc(click.unstyle(command.help or "")).replace("\n", " ").replace("  ", "\n\n")
    groups: dict[str, list[str]] = {heading: [] for heading in getattr(command, "groups", ())}
    for param in command.get_params(context):
        heading = command.heading(param) if isinstance(command, GroupedCommand) else ""
        groups.setdefault(heading, []).extend(filter(None, [_option(param, context)]))
    tables = "".join(_table(heading, rows) for heading, rows in groups.items() if rows)
    return f"\n{'#' * level} {context.command_path}\n\n    {usage}\n\n{told}\n{tables}"


def _table(heading: str, rows: list[str]) -> str:
    return f"{f'{chr(10)}**{heading}**{chr(10)}' if heading else ''}\n{_HEAD}{''.join(rows)}"


def _option(param: click.Parameter, context: click.Context) -> str:
    if not isinstance(param, click.Option) or param.hidden or "--help" in param.opts:
        return ""
    names = ", ".join(f"`{name}`" for name in (*param.opts, *param.secondary_opts))
    values = "" if param.is_flag else f" {_escaped(param.make_metavar(context))}"
    default = param.default if isinstance(param.default, str | int | float | Path) and not param.is_flag else ""
    told = _escaped(" ".join((param.help or "").split()))
    return f"| {names}{values} | {f'`{default}`' if default != '' else ''} | {told} |\n"


def _settings() -> str:
    states = [messages.EngineState(name, list(specs_of(record))) for name, record in RECORDS.items()]
    reported = messages.EnginesReported("", list(specs_of(MatteSettings)), states)
    return f"{_ABOUT_SETTINGS}\n{tables(reported)}"


def _config() -> str:
    flags = {param.name: param for param in serve.params if isinstance(param, click.Option)}
    rows = "".join(
        f"| `{known.name}` | `VIDEOMAMA_{known.name.upper()}` | `{flags[known.name].opts[0]}` "
        f"| {_default(known.name)} | {_escaped(flags[known.name].help or '')} |\n"
        for known in fields(Config)
    )
    return (
        f"# The server's config\n\n{_MADE}"
        "A flag of `videomama serve` wins over a variable, a variable over `config.toml`, and that over the default.\n"
        "`config.toml` lies in your user config folder (`~/.config/videomama` on Linux), or where `$VIDEOMAMA_CONFIG` "
        "says.\nRelative paths in it count from its own folder.\n\n"
        "A server that runs keeps the values that it was started with. `videomama status` shows them and says where "
        "yours differ.\n\n"
        "| key | variable | flag | default | what it does |\n|---|---|---|---|---|\n" + rows
    )


def _default(name: str) -> str:
    if name in _OF_USERS:
        return _OF_USERS[name]
    found = next(known for known in fields(Config) if known.name == name)
    assert found.default is not MISSING
    return f"`{found.default:g}`" if isinstance(found.default, float) else f"`{found.default}`"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
