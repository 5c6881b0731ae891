"""The option `--then` of commands that make alphas: the stages of a job after the first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
from videomama_client.stage_words import words_of

from videomama_server.cli.usage import reading_words

Command = Callable[..., None]


def then_option(command: Command) -> Command:
    """Give a command the option `--then`, as the flag `then`; `videomama_client.stage_words` reads its values."""
    return click.option(
        "--then",
        "then",
        multiple=True,
        metavar="'ENGINE NAME=VALUE …'",
        help="A further stage, whose mask is the alpha of the stage before; repeatable. The values are window, overlap "
        "and what --set takes for the engine. Only the last stage is written; each is cached, so a change of the last "
        "one computes that alone.",
    )(command)


def take_then(flags: dict[str, Any]) -> list[list[str]]:
    """Take the stages after the first out of a command's flags, as engine and values; raises `WrongUse`."""
    with reading_words():
        return [words_of(stage) for stage in flags.pop("then")]
