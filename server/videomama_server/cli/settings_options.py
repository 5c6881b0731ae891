"""The settings as options of commands: names, kinds, defaults and help all come from the records of settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click
from videomama_client.engine_options import check_names, read, settled, specs_known
from videomama_client.engine_settings import engines_with, own_specs
from videomama_client.setting_spec import NUMBER, WHOLE_NUMBER, YES_NO, SettingSpec, specs_of
from videomama_client.settings import MatteSettings
from videomama_client.stage_words import specs_at

from videomama_server.cli.help_groups import REST, GroupedCommand, help_all_option
from videomama_server.cli.usage import reading_words

if TYPE_CHECKING:
    from videomama_client.client import Client

SPECS = {spec.name: spec for spec in specs_of(MatteSettings)}
OF_PROMPTS = ("absent",)  # settings whose option stands among the prompts, as it may be of one object
OWN_SPECS = {name: spec for name, spec in own_specs().items() if name not in OF_PROMPTS}
_OPEN = "auto"  # stands for None on the command line
Command = Callable[..., None]


class _Number(click.types.FloatParamType):
    """A float, by the name that people call it."""

    name = "number"


class _NumberOrAuto(_Number):
    """A float, or `auto`."""

    name = "auto|number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number, or `auto`."""
        return value if value == _OPEN else super().convert(value, param, ctx)


_TYPES: dict[str, Any] = {YES_NO: bool, WHOLE_NUMBER: int, NUMBER: _Number()}


class _Own(click.Option):
    """The option of a setting that only some engines have; None where the person did not give it."""

    def __init__(self, *args: Any, engines: tuple[str, ...], **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.engines = engines


class CommandWithSettings(GroupedCommand):
    """A command whose help lists the settings of some engines under the names of these, where no group has them."""

    def heading(self, param: click.Parameter) -> str:
        """Return the group of an option; the engines of a setting that no group names."""
        group = super().heading(param)
        if group != REST or not isinstance(param, _Own):
            return group
        word = "Settings of the engine" if len(param.engines) == 1 else "Settings of the engines"
        return f"{word} {' and '.join(param.engines)}"

    def is_rare(self, param: click.Parameter) -> bool:
        """Whether an option is a setting of some engines that no group names."""
        return isinstance(param, _Own) and super().heading(param) == REST


def settings_options(command: Command) -> Command:
    """Give a command one option for each setting, of all engines first, and `--help-all` for those of single ones."""
    command = help_all_option(command)
    own = sorted(OWN_SPECS.values(), key=lambda spec: -len(engines_with(spec.name)))
    for spec in reversed(own):
        command = _own_option(spec)(command)
    for spec in reversed(SPECS.values()):
        command = _option(spec, spec.explanation)(command)
    return command


def setting_option(name: str) -> Callable[[Command], Command]:
    """Return what gives a command the option of one setting that all engines share."""
    return _option(SPECS[name], SPECS[name].help)


def settings_from(flags: dict[str, Any]) -> MatteSettings:
    """Take the settings out of a command's flags.

    Raises:
        BadInput: the engine is one of this project, and does not have a setting that was given.
    """
    shared = MatteSettings(**{name: flags.pop(name) for name in SPECS})
    given = {name: value for name in OWN_SPECS if (value := flags.pop(name)) is not None}
    known = specs_known(shared.engine)
    if known is not None:
        check_names(shared.engine, known, given)
    return shared.with_options(**{name: value for name, value in given.items() if value != _OPEN})


def set_option(command: Command) -> Command:
    """Give a command the option `--set`, as the flag `own_options`."""
    return click.option(
        "--set",
        "own_options",
        multiple=True,
        metavar="NAME=VALUE",
        help="A setting of the engine that has no option here; repeatable. `videomama engines` lists them.",
    )(command)


def with_options(client: Client, settings: MatteSettings, words: Sequence[str]) -> MatteSettings:
    """Return the settings with all options of the engine, read and checked by what is known of it.

    Args:
        client: of the server, which is asked about an engine that is not of this project.
        settings: of the job.
        words: `NAME=VALUE` each.

    Raises:
        BadInput: there is no such engine or option, or the option cannot take that value.
    """
    if not words and not settings.engine_options:
        return settings
    specs = specs_at(client, settings.engine)
    with reading_words():
        asked = (*settings.engine_options, *read(settings.engine, specs, words))
        return replace(settings, engine_options=settled(settings.engine, specs, asked))


def _option(spec: SettingSpec, help_text: str) -> Callable[[Command], Command]:
    return click.option(
        spec.option,
        default=spec.default,
        show_default=spec.default not in (None, "", False),
        help=help_text,
        **_kind(spec),
    )


def _own_option(spec: SettingSpec) -> Callable[[Command], Command]:
    """Return what gives a command the option of a setting of some engines.

    It has no default here: what the person did not give is no request to an engine that lacks the setting.
    """
    default = "" if spec.default in (None, "", False) else f"  [default: {spec.default}]"
    help_text = f"{spec.explanation}{default}"
    return click.option(
        spec.option, cls=_Own, engines=engines_with(spec.name), default=None, help=help_text, **_kind(spec)
    )


def _kind(spec: SettingSpec) -> dict[str, Any]:
    """Return what click needs to know of the values that a setting can take."""
    return {
        "type": _NumberOrAuto() if (spec.kind, spec.default) == (NUMBER, None) else _TYPES.get(spec.kind, str),
        "is_flag": spec.kind == YES_NO,
        "metavar": f"[{'|'.join(spec.choices)}]" if spec.choices else None,
    }
