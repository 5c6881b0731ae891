"""The option `--then` of commands that make alphas: the stages of a job after the first."""

from __future__ import annotations

from collections.abc import Callable

import click

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
