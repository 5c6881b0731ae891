"""The option `--person` of commands that make masks: searches the clip, and turns what it finds into a prompt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from videomama_client.engine_options import specs_known

from videomama_server.cli.job_options import with_all
from videomama_server.cli.usage import WrongUse
from videomama_server.submission import Submission

if TYPE_CHECKING:
    from videomama_server.cli.person import Search

MAKER = "sam2"
_ABSENT = "absent"
Command = Callable[..., None]
_OPTIONS = (
    click.option(
        "--person",
        is_flag=True,
        help=f"Find the person of the clip, and take a box around them as a prompt; --maker is {MAKER} then, unless "
        "you name another.",
    ),
    click.option(
        "--person-picture",
        type=click.Path(path_type=Path),
        help="Picture of what --person found: a .png of the frame, with the box.",
    ),
)


@dataclass(frozen=True)
class AskedPerson:
    """What was asked for: whether to search, and the file of a picture of what is found, or None."""

    is_wanted: bool
    picture: Path | None

    def maker(self, named: str) -> str:
        """Return the engine that makes the masks: the named one, else for a person the usual one."""
        return named or (MAKER if self.is_wanted else "")

    def into(self, order: Submission) -> tuple[Submission, Search | None]:
        """Return a job with a box around the person of its wanted frames, and what was found; None where not asked for.

        Raises:
            BadInput: there is nobody, all frames are nearly black, or the picture cannot be written.
            WeightsError: there is no detector.
        """
        if not self.is_wanted:
            return order, None
        from videomama_server.cli import person  # opens pictures, which takes long to import

        found = person.search_for(order, self.picture)
        click.echo(found.sentence, err=True)
        name = order.prompts[0].object if order.prompts else ""
        return replace(order, prompts=(*order.prompts, replace(found.prompt, object=name))), found


def person_options(command: Command) -> Command:
    """Give a command the options that find a person."""
    return with_all(_OPTIONS, command)


def take_person(flags: dict[str, Any]) -> AskedPerson:
    """Take what was said of a person out of a command's flags; raises `BadInput` for a picture of nothing."""
    asked = AskedPerson(flags.pop("person"), flags.pop("person_picture"))
    if asked.picture and not asked.is_wanted:
        raise WrongUse("--person-picture is given without --person", "Give both, or leave it out.")
    return asked


def maker_words(maker: str, words: Sequence[str], found: Search | None) -> tuple[str, ...]:
    """Return the maker's own settings with the black opening, if there is one, as frames without the subject.

    Args:
        maker: the engine.
        words: `NAME=VALUE` each; what a person says of absent frames stands.
        found: the person; None where nobody was searched for.
    """
    is_said = any(word.partition("=")[0].strip() == _ABSENT for word in words)
    has_setting = any(spec.name == _ABSENT for spec in specs_known(maker) or ())
    if found is None or not found.black or is_said or not has_setting:
        return tuple(words)
    return (*words, found.absent)
