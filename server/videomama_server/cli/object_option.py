"""The option `--object-stage` of commands that make alphas of several objects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import click
from videomama_client import objects
from videomama_client.client import Client
from videomama_client.objects import MaskObject
from videomama_client.stage_words import read_at, words_of
from videomama_client.stages import Stage

from videomama_server.cli.usage import WrongUse, reading_words

Command = Callable[..., None]
Words = Sequence[tuple[str, list[str]]]  # of stages: whose they are, engine and values


def object_stage_option(command: Command) -> Command:
    """Give a command the option, as the flag `object_stages`."""
    return click.option(
        "--object-stage",
        "object_stages",
        multiple=True,
        metavar="'NAME=ENGINE NAME=VALUE …'",
        help="A stage of one object, in place of those of all; repeatable, the first one first. Written as for --then.",
    )(command)


def stage_words(object_stages: Sequence[str], known: Sequence[MaskObject]) -> Words:
    """Return whose stages there are, and the words of each.

    Raises:
        BadInput: one has no object, or of another name than those there are, or no engine.
    """
    found = []
    for text in object_stages:
        name, equals, stage = text.partition("=")
        if not equals or name not in [one.name for one in known]:
            reason = f"--object-stage {text!r} is a stage of no object"
            raise WrongUse(reason, "Write NAME=ENGINE NAME=VALUE …, with a name that --object gives.")
        with reading_words():
            found.append((name, words_of(stage)))
    return found


def with_stages(client: Client, known: Sequence[MaskObject], words: Words) -> tuple[MaskObject, ...]:
    """Return objects with the stages of their own; raises `BadInput` for a stage that cannot be."""
    return tuple(replace(one, stages=_stages(client, one.name, words)) for one in known)


def _stages(client: Client, name: str, words: Words) -> tuple[Stage, ...]:
    own = [stage for whose, stage in words if whose == name]
    with objects.naming(name):
        return tuple(read_at(client, stage, number) for number, stage in enumerate(own, 1))
