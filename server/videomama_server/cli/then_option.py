"""The option `--then` of commands that make alphas: the stages of a job after the first."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click
from videomama_client.engine_settings import AUTO
from videomama_client.errors import BadInput, VideoMaMaError, option_called
from videomama_client.setting_spec import parsed
from videomama_client.settings import MatteSettings
from videomama_client.stages import Stage

from videomama_server.cli.settings_options import SPECS, with_options

if TYPE_CHECKING:
    from videomama_client.client import Client

Command = Callable[..., None]
_WINDOWS = ("window", "overlap")  # what a stage can say beside the options of its engine
_FORM = "Write it as --then 'ENGINE NAME=VALUE …', such as --then classic or --then 'classic window=8'."


def then_option(command: Command) -> Command:
    """Give a command the option `--then`, as the flag `then`."""
    return click.option(
        "--then",
        "then",
        multiple=True,
        metavar="'ENGINE NAME=VALUE …'",
        help="A further stage, whose mask is the alpha of the stage before; repeatable. The values are window, overlap "
        "and what --set takes for the engine. Only the last stage is written; each is cached, so a change of the last "
        "one computes that alone.",
    )(command)


def words_of(stage: str) -> list[str]:
    """Return engine and values of a `--then`; a value with spaces stands in quotes.

    Raises:
        BadInput: there is no engine, or a quote is not closed.
    """
    reading = shlex.shlex(stage, posix=True, punctuation_chars=False)
    reading.whitespace_split, reading.escape, reading.commenters = True, "", ""
    try:
        words = list(reading)
    except ValueError as error:
        raise BadInput(f"--then {stage!r} has a quote that is not closed", _FORM) from error
    if not words or "=" in words[0]:
        raise BadInput(f"--then {stage!r} names no engine", _FORM)
    for word in words[1:]:
        if "=" not in word:
            raise BadInput(f"--then {stage!r}: {word!r} has no value", _FORM)
    if words[0] == AUTO and any(_name(word) not in _WINDOWS for word in words[1:]):
        raise BadInput(f"--then {stage!r} sets an option of one engine, and names none", "Name it in place of auto.")
    return words


def read_stages(client: Client, asked: Sequence[Sequence[str]]) -> tuple[Stage, ...]:
    """Return stages, with the options of their engines read by what is known of these.

    Args:
        client: of the server, which is asked about engines that are not of this project.
        asked: engine and values of each stage.

    Raises:
        BadInput: there is no such engine or option, or it cannot take that value; the message names the stage.
    """
    return tuple(_stage(client, number, *words) for number, words in enumerate(asked, 2))


def _stage(client: Client, number: int, engine: str, *words: str) -> Stage:
    own = [word for word in words if _name(word) not in _WINDOWS]
    try:
        windows = {_name(word): _frames(word) for word in words if _name(word) in _WINDOWS}
        with option_called("--set", "it"):
            options = with_options(client, MatteSettings(engine=engine), own).engine_options
    except VideoMaMaError as error:
        raise error.within(f"stage {number}, {engine}") from error
    return Stage(engine, options, **windows)


def _name(word: str) -> str:
    return word.partition("=")[0]


def _frames(word: str) -> int:
    name, _, text = word.partition("=")
    return int(parsed(SPECS[name], text, name))
