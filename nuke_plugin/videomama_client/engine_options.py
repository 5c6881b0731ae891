"""What a job asks of its engine beside `MatteSettings`: names and values, checked by what the engine says of itself.

An option that the engine does not have is refused by name, never ignored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Optional, cast

from videomama_client.engine_settings import AUTO, engines_with, own_specs, records_of
from videomama_client.errors import BadInput
from videomama_client.setting_spec import NUMBER, Number, SettingSpec, Value, check, parsed, specs_of
from videomama_client.wording import choices


@dataclass(frozen=True)
class EngineOption:
    """The value of one option of an engine: a record inside `MatteSettings`."""

    name: str
    value: Value


def specs_known(engine: str) -> Optional[tuple[SettingSpec, ...]]:
    """Return the options of an engine of this project, of all that it may take for `auto`; None for another's."""
    records = records_of(engine)
    if not records:
        return None
    return tuple({spec.name: spec for record in records for spec in specs_of(record)}.values())


def check_names(engine: str, specs: Iterable[SettingSpec], names: Iterable[str]) -> None:
    """Raise `BadInput` for the first name that is not one of an engine's options."""
    known = {spec.name: spec for spec in specs}
    for name in names:
        _spec(engine, known, name)


def read(engine: str, specs: Iterable[SettingSpec], words: Iterable[str]) -> tuple[EngineOption, ...]:
    """Return what `NAME=VALUE` words ask of an engine.

    Args:
        engine: its name.
        specs: of its options.
        words: as the person wrote them.

    Raises:
        BadInput: a word is not of that form, the engine has no such option, or the option cannot take that value.
    """
    known = {spec.name: spec for spec in specs}
    return tuple(_read(engine, known, word) for word in words)


def settled(engine: str, specs: Iterable[SettingSpec], asked: Sequence[EngineOption]) -> tuple[EngineOption, ...]:
    """Return the options that are not at their defaults, by name, so that the same pixels have the same settings.

    Args:
        engine: its name; `auto` where it is not decided yet.
        specs: of its options.
        asked: what the request says.

    Raises:
        BadInput: the engine has no such option, the option is there twice, or it cannot take that value.
    """
    known = {spec.name: spec for spec in specs}
    values: dict[str, Value] = {}
    for option in asked:
        spec = _spec(engine, known, option.name)
        written = _written(engine, option.name)
        if option.name in values:
            raise BadInput(f"engine {engine}: the option {written} is set twice", "Set it once.")
        try:
            check(spec, option.value, written)
        except BadInput as error:
            raise _of_engine(engine, error) from error
        values[option.name] = float(cast("Number", option.value)) if spec.kind == NUMBER else option.value
    return tuple(EngineOption(name, values[name]) for name in sorted(values) if values[name] != known[name].default)


def values(specs: Iterable[SettingSpec], asked: Iterable[EngineOption]) -> dict[str, Optional[Value]]:
    """Return the value of every option by name: what was asked for, else its default."""
    given = {option.name: option.value for option in asked}
    return {spec.name: given.get(spec.name, spec.default) for spec in specs}


def _read(engine: str, known: Mapping[str, SettingSpec], word: str) -> EngineOption:
    name, is_set, text = word.partition("=")
    if not is_set:
        raise BadInput(f"--set {word or repr(word)} has no value", "Write NAME=VALUE, such as strength=0.5.")
    spec = _spec(engine, known, name)
    try:
        return EngineOption(name, parsed(spec, text, _written(engine, name)))
    except BadInput as error:
        raise _of_engine(engine, error) from error


def _spec(engine: str, known: Mapping[str, SettingSpec], name: str) -> SettingSpec:
    if name in known:
        return known[name]
    owners = engines_with(name)
    if owners:
        none = "auto never takes that engine" if engine == AUTO else f"the engine {engine} has no such option"
        raise BadInput(
            f"{own_specs()[name].option} is a setting of {' and '.join(owners)}; {none}",
            f"Leave it out, or choose --engine {owners[0]}.",
        )
    if engine == AUTO:
        raise BadInput(
            f"no engine that auto may take has an option {name!r}",
            f"{choices(name, known)} Name the engine with --engine to set an option of another.",
        )
    hint = choices(name, known) if known else "This engine has no options of its own; leave it out."
    raise BadInput(f"the engine {engine} has no option {name!r}", hint)


def _written(engine: str, name: str) -> str:
    """Return an option as the person wrote it: as one of the command line where the engine is of this project."""
    return own_specs()[name].option if records_of(engine) and name in own_specs() else name


def _of_engine(engine: str, error: BadInput) -> BadInput:
    return error if records_of(engine) else BadInput(f"engine {engine}: {error.message}", error.hint)
