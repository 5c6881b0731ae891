"""The settings as options of commands: names, kinds, defaults and help all come from `MatteSettings`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click
from videomama_client.engine_options import read
from videomama_client.errors import BadInput
from videomama_client.setting_spec import NUMBER, WHOLE_NUMBER, YES_NO, SettingSpec, specs_of
from videomama_client.settings import MatteSettings
from videomama_client.wording import choices

if TYPE_CHECKING:
    from videomama_client.client import Client

AUTO = MatteSettings().engine
SPECS = {spec.name: spec for spec in specs_of(MatteSettings)}
Command = Callable[..., None]


class _Number(click.types.FloatParamType):
    """A float, by the name that people call it."""

    name = "number"


class _NumberOrAuto(_Number):
    """A float, or `auto`, which is None."""

    name = "auto|number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number; None for `auto`."""
        return None if value == "auto" else super().convert(value, param, ctx)


_TYPES: dict[str, Any] = {YES_NO: bool, WHOLE_NUMBER: int, NUMBER: _Number()}


def settings_options(command: Command) -> Command:
    """Give a command one option for each setting."""
    for spec in reversed(SPECS.values()):
        command = _option(spec, spec.explanation)(command)
    return command


def setting_option(name: str) -> Callable[[Command], Command]:
    """Return what gives a command the option of one setting; its help does not name engines."""
    return _option(SPECS[name], SPECS[name].help)


def settings_from(flags: dict[str, Any]) -> MatteSettings:
    """Take the settings out of a command's flags."""
    return MatteSettings(**{name: flags.pop(name) for name in SPECS})


def set_option(command: Command) -> Command:
    """Give a command the option `--set`, as the flag `own_options`."""
    return click.option(
        "--set",
        "own_options",
        multiple=True,
        metavar="NAME=VALUE",
        help="An option that the engine has of its own; repeatable. `videomama engines` lists them.",
    )(command)


def check_engine_named(engine: str, words: Sequence[str]) -> None:
    """Raise `BadInput` for options of an engine that nobody named."""
    if words and engine == AUTO:
        raise BadInput(f"--set {words[0]} is for one engine, and none is named", "Name the engine with --engine.")


def with_options(client: Client, settings: MatteSettings, words: Sequence[str]) -> MatteSettings:
    """Return the settings with an engine's own options, read by what the server reports of them.

    Args:
        client: of the server.
        settings: of the job; they name the engine.
        words: `NAME=VALUE` each.

    Raises:
        BadInput: there is no such engine or option, or the option cannot take that value.
    """
    if not words:
        return settings
    known = {state.name: state for state in client.engines().engines}
    state = known.get(settings.engine)
    if state is None:
        raise BadInput(f"no engine is called {settings.engine!r}", choices(settings.engine, [AUTO, *known]))
    if state.message:
        raise BadInput(state.message, state.hint)
    return replace(settings, engine_options=read(state.name, state.options, words))


def _option(spec: SettingSpec, help_text: str) -> Callable[[Command], Command]:
    return click.option(
        spec.option,
        type=_NumberOrAuto() if (spec.kind, spec.default) == (NUMBER, None) else _TYPES.get(spec.kind, str),
        is_flag=spec.kind == YES_NO,
        default=spec.default,
        show_default=spec.default not in (None, "", False),
        metavar=f"[{'|'.join(spec.choices)}]" if spec.choices else None,
        help=help_text,
    )
