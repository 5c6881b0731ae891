"""Stages in words, such as `classic window=8`: the command line's `--then` and the node's knob of that name."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Optional

from videomama_client import engine_options
from videomama_client.engine_options import EngineOption, settled, specs_known
from videomama_client.engine_settings import AUTO
from videomama_client.errors import BadInput, naming
from videomama_client.setting_spec import SettingSpec, parsed, specs_of
from videomama_client.settings import MatteSettings
from videomama_client.stages import Stage
from videomama_client.wording import choices

if TYPE_CHECKING:
    from videomama_client.client import Client

_WINDOWS = ("window", "overlap")  # what a stage can say beside the options of its engine
_SPECS = {spec.name: spec for spec in specs_of(MatteSettings)}
_FORM = "Write ENGINE NAME=VALUE …, such as classic or classic window=8."


def words_of(stage: str, option: str = "--then") -> list[str]:
    """Return engine and values of a stage; a value with spaces stands in quotes.

    Args:
        stage: in words.
        option: that errors name.

    Raises:
        BadInput: there is no engine, or a quote is not closed.

    Example:
        >>> words_of("classic window=8")
        ['classic', 'window=8']
    """
    try:
        words = split(stage)
    except ValueError as error:
        raise BadInput(f"{option} {stage!r} has a quote that is not closed", _FORM) from error
    if not words or "=" in words[0]:
        raise BadInput(f"{option} {stage!r} names no engine", _FORM)
    for word in words[1:]:
        if "=" not in word:
            raise BadInput(f"{option} {stage!r}: {word!r} has no value", _FORM)
    if words[0] == AUTO and any(_name(word) not in _WINDOWS for word in words[1:]):
        raise BadInput(f"{option} {stage!r} sets an option of one engine, and names none", "Name it in place of auto.")
    return words


def split(text: str) -> list[str]:
    """Split a text at its spaces; what stands in quotes is one word, and a backslash is a letter, as in paths.

    Raises:
        ValueError: a quote is not closed.

    Example:
        >>> split("classic 'a b'")
        ['classic', 'a b']
    """
    reading = shlex.shlex(text, posix=True, punctuation_chars=False)
    reading.whitespace_split, reading.escape, reading.commenters = True, "", ""
    return list(reading)


def read(words: Sequence[str], specs: Optional[Sequence[SettingSpec]]) -> Stage:
    """Return a stage.

    Args:
        words: engine and values, as `words_of` gives them.
        specs: of the engine's options; None where only the server knows them, and then their values stay text.

    Raises:
        BadInput: the engine has no such option, it is there twice, or it cannot take that value.
    """
    engine, *values = words
    own = [word for word in values if _name(word) not in _WINDOWS]
    windows = {_name(word): _frames(word) for word in values if _name(word) in _WINDOWS}
    if specs is None:
        options = tuple(EngineOption(*word.split("=", 1)) for word in sorted(own))
    else:
        options = settled(engine, specs, engine_options.read(engine, specs, own))
    return Stage(engine, options, **windows)


def read_at(client: Client, words: Sequence[str], number: int) -> Stage:
    """Return a stage, read by what is known of its engine.

    Args:
        client: of the server, which is asked about options of an engine that is not of this project.
        words: as for `read`.
        number: of the stage, from 1, by which an error names it.

    Raises:
        BadInput: as `read`, or there is no such engine.
    """
    engine, *values = words
    with naming(f"stage {number}, {engine}"):
        return read(words, specs_at(client, engine) if any(_name(word) not in _WINDOWS for word in values) else ())


def specs_at(client: Client, engine: str) -> Sequence[SettingSpec]:
    """Return the options of an engine, which the server reports where it is not of this project.

    Raises:
        BadInput: there is no such engine, or it cannot be used.
    """
    known = specs_known(engine)
    if known is not None:
        return known
    states = {state.name: state for state in client.engines().engines}
    state = states.get(engine)
    if state is None:
        raise BadInput(f"unknown engine {engine!r}", choices(engine, [AUTO, *states]))
    if state.message:
        raise BadInput(state.message, state.hint)
    return state.options


def with_types(client: Client, stage: Stage, number: int) -> Stage:
    """Return a stage whose options `read` left as text, read by what the server reports; any other as it is.

    Args:
        client: of the server.
        stage: that a host without a server has read.
        number: of the stage, from 1, by which an error names it.

    Raises:
        BadInput: as `read_at`.
    """
    if specs_known(stage.engine) is not None or not stage.options:
        return stage
    windows: dict[str, Any] = {"window": stage.window, "overlap": stage.overlap}
    words = [f"{option.name}={option.value}" for option in stage.options]
    words += [f"{name}={value}" for name, value in windows.items() if value is not None]
    return read_at(client, [stage.engine, *words], number)


def _name(word: str) -> str:
    return word.partition("=")[0]


def _frames(word: str) -> int:
    name, _, text = word.partition("=")
    return int(parsed(_SPECS[name], text, name))
