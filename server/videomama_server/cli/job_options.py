"""The options of commands that submit a job: which frames, how it is done, and how its result is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import click
from videomama_client import messages
from videomama_client.errors import BadInput

from videomama_server import config
from videomama_server.cache.layout import MEMO
from videomama_server.media import sequences
from videomama_server.submission import Submission

Command = Callable[..., None]
_FRAMES = (
    click.option(
        "--clip",
        default="",
        help="Frames that exist, such as 1001-1100 or 1001-1099x2; by default all from first to last plate.",
    ),
    click.option(
        "--frames",
        "frame_ranges",
        default="",
        help="Frames wanted, such as 1001-1040 or 1001-1039x2; by default the whole clip.",
    ),
)
_FIRST = click.option(
    "--first-frame",
    type=int,
    metavar="NUMBER",
    help="Number of a movie's first frame; by default its timecode, else 1. Also written plate.mov@1001.",
)
_PREVIEW = click.option(
    "--preview",
    type=click.IntRange(min=1),
    metavar="COUNT",
    help="Make only some of the wanted frames, spread evenly, to look at first. The cache keeps them for the rest.",
)
_JOB = (
    click.option("--layer", default="", help="EXR layer to write the alpha to."),
    click.option("--dtype", type=click.Choice(["float", "half", "uint16"]), help="Pixel type to write."),
    click.option(
        "--priority",
        type=click.Choice(messages.PRIORITIES),
        default=messages.INTERACTIVE,
        help="batch lets other jobs go first.",
    ),
    click.option(
        "--transport",
        type=click.Choice(["auto", "path", "inline"]),
        default="auto",
        help="How the server gets pixels: it reads the files (path), or they are sent to it (inline).",
    ),
    click.option("--rehash", is_flag=True, help="Read every file again instead of trusting its date and size."),
    click.option("--notify", is_flag=True, help="Notify the desktop when a job of ten seconds or more has ended."),
    click.option("--no-start", is_flag=True, help="Do not start a server when none runs."),
    click.option("--connection-file", type=click.Path(path_type=Path), help="Connection file of the server to use."),
    click.option("--json", "as_json", is_flag=True, help="Print the result as one line of JSON."),
)


def frames_options(command: Command) -> Command:
    """Add the options `--clip` and `--frames` to a command."""
    return with_all(_FRAMES, command)


def first_frame_option(command: Command) -> Command:
    """Give a command the option that numbers the frames of movies; see `numbered_from`."""
    return _FIRST(command)


def numbered_from(patterns: Iterable[str], first: int | None) -> list[str]:
    """Return patterns with the number of the first frame at each movie; from now on they are read by known indices.

    Raises:
        BadInput: a number is given, and none of them is a movie.
    """
    texts = list(patterns)
    if any(text and sequences.parse(text).is_movie for text in texts):
        _use_known_indices()
    numbered = [sequences.with_first(text, first) for text in texts]
    if first is not None and numbered == texts and not any("@" in text for text in texts):
        raise BadInput("--first-frame is given without a movie", "Leave it out: pictures have numbers in their names.")
    return numbered


def _use_known_indices() -> None:
    """Read movies by the indices that the server keeps: a long movie takes long to look through."""
    from videomama_server.media.movies import index_store

    folder = config.load({}).cache_dir / MEMO
    index_store.keep_in(folder if folder.is_dir() else None)


def preview_option(command: Command) -> Command:
    """Give a command the option that makes a few spread frames; see `previewed`."""
    return _PREVIEW(command)


def previewed(order: Submission, count: int | None) -> Submission:
    """Return a job that makes only `count` of its frames, spread evenly; None for all.

    Raises:
        BadInput: not a range, or no plate is there.
    """
    return order if count is None else order.preview(count)


def job_options(command: Command) -> Command:
    """Add the options of a job to a command: its output files, its priority, its server and `--json`."""
    return with_all(_JOB, command)


def with_all(options: Iterable[Callable[[Command], Command]], command: Command) -> Command:
    """Add options to a command, in the order that its help shows them in."""
    for option in reversed(tuple(options)):
        command = option(command)
    return command
