"""The settings as options of commands: names, kinds, defaults and help all come from `MatteSettings`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
from videomama_client.setting_spec import NUMBER, WHOLE_NUMBER, YES_NO, SettingSpec, specs_of
from videomama_client.settings import MatteSettings

SPECS = {spec.name: spec for spec in specs_of(MatteSettings)}
Command = Callable[..., None]


class _Number(click.types.FloatParamType):
    """A float, by the name that people call it."""

    name = "number"


_TYPES: dict[str, Any] = {YES_NO: bool, WHOLE_NUMBER: int, NUMBER: _Number()}


def settings_options(command: Command) -> Command:
    """Give a command one option for each setting."""
    for spec in reversed(SPECS.values()):
        command = _option(spec, spec.explanation)(command)
    return command


def setting_option(name: str) -> Callable[[Command], Command]:
    """Return what gives a command the option of one setting; it does so whichever engine computed."""
    return _option(SPECS[name], SPECS[name].help)


def settings_from(flags: dict[str, Any]) -> MatteSettings:
    """Take the settings out of a command's flags."""
    return MatteSettings(**{name: flags.pop(name) for name in SPECS})


def _option(spec: SettingSpec, help_text: str) -> Callable[[Command], Command]:
    return click.option(
        spec.option,
        type=_TYPES.get(spec.kind, str),
        is_flag=spec.kind == YES_NO,
        default=spec.default,
        show_default=spec.default not in (None, "", False),
        metavar=f"[{'|'.join(spec.choices)}]" if spec.choices else None,
        help=help_text,
    )
