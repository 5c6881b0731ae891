"""The options by which a person says what the subject is: clicks, boxes, words and painted frames, of named objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import click
from videomama_client import objects
from videomama_client.errors import BadInput
from videomama_client.objects import MaskObject
from videomama_client.prompts import MASK, TEXT, Prompt, read_box, read_click, read_key_mask

from videomama_server.cli.job_options import with_all
from videomama_server.cli.settings_options import CommandWithSettings
from videomama_server.cli.usage import WrongUse, reading_words
from videomama_server.media import sequences

Command = Callable[..., None]
_ORDER = "videomama prompts in order"  # of the command's `meta`
_NAMES, _ABSENT = "object", "absent"
_READ: dict[str, Callable[[str, str], Prompt]] = {
    "click": read_click,
    "box": read_box,
    "say": lambda text, name: Prompt(TEXT, text=text, object=name),
    "key_mask": read_key_mask,
}
_OPTIONS = (
    click.option(
        "--maker",
        default="",
        metavar="ENGINE",
        help="Engine that makes the masks, from the prompts below or by itself; `videomama engines` lists them.",
    ),
    click.option(
        "--click",
        multiple=True,
        metavar="FRAME:X,Y",
        help="A pixel of the subject, such as 1001:640,300, from the plate's upper left corner, y down. "
        "A - before the place makes it a pixel of the background: 1001:-80,40. Repeatable.",
    ),
    click.option(
        "--box",
        multiple=True,
        metavar="FRAME:X,Y,WIDTH,HEIGHT",
        help="A box around the subject, such as 1001:10,10,400,500. Repeatable.",
    ),
    click.option("--say", multiple=True, metavar="WORDS", help="The subject in words, such as 'the dog'."),
    click.option(
        "--key-mask",
        "key_mask",
        multiple=True,
        metavar="[FRAME:]FILE",
        help="A painted frame, such as 1001:roto.png, key.1001.exr or key.####.exr; without a number it is the clip's "
        "first frame. Repeatable.",
    ),
    click.option(
        "--absent",
        multiple=True,
        metavar="FRAMES",
        help="Frames in which the subject is not in the picture, such as 1010-1020; of an object where it stands after "
        "its --object. Repeatable.",
    ),
    click.option(
        "--object",
        multiple=True,
        metavar="NAME[=MASK[:CHANNEL]]",
        help="One of several objects. The prompts after its name belong to it. A mask of its own replaces --mask: "
        "hero=hero.####.exr or hero=roto.####.exr:hero.alpha. Repeatable. The alphas become EXR layers of one file, or "
        "files of their own where --out has {object} in it.",
    ),
)


class CommandWithPrompts(CommandWithSettings):
    """A command that knows in which order its prompts were given, as `--object` is of those after it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words, and keep the prompts in their order."""
        given, _, order = self.make_parser(ctx).parse_args(args=list(args))
        left = {name: iter(given.get(name) or ()) for name in (_NAMES, _ABSENT, *_READ)}
        ctx.meta[_ORDER] = [(param.name, next(left[param.name])) for param in order if param.name in left]
        return super().parse_args(ctx, args)


def prompt_options(command: Command) -> Command:
    """Give a command the option of the maker, and those of its prompts."""
    return with_all(_OPTIONS, command)


def take_prompts(ctx: click.Context, flags: dict[str, object]) -> list[Prompt]:
    """Take the prompts out of a command's flags, in the order in which they were given.

    Raises:
        BadInput: one is not of its form, or an object has none.
    """
    for name in (_NAMES, _ABSENT, *_READ):
        flags.pop(name)
    found: list[Prompt] = []
    name, begun = "", 0
    for option, text in [*ctx.meta[_ORDER], (_NAMES, "")]:
        if option == _ABSENT:
            continue
        if option != _NAMES:
            with reading_words():
                found.append(_READ[option](text, name.partition("=")[0]))
            continue
        if name and "=" not in name and len(found) == begun:
            raise WrongUse(f"no prompt comes after --object {name}", "Give its prompts after its name, or NAME=MASK.")
        name, begun = text, len(found)
    return found


def take_objects(ctx: click.Context, needed: bool) -> tuple[MaskObject, ...]:
    """Return the objects of a command; none where all prompts are of the only subject, which needs no layer.

    Args:
        ctx: of the command.
        needed: whether an only subject is an object too: its name stands in the output's, or for stages of its own.

    Raises:
        BadInput: one has no name, or no mask after a `=`.
    """
    texts = dict.fromkeys(text for option, text in ctx.meta[_ORDER] if option == _NAMES)
    with reading_words():
        found = [objects.read(text) if "=" in text else MaskObject(text, "") for text in texts]
    with_masks = {one.name for one in found if one.mask}
    found = [one for one in found if one.mask or one.name not in with_masks]
    return tuple(found) if needed or with_masks or len(found) > 1 else ()


def take_absent(ctx: click.Context, named: Sequence[MaskObject]) -> tuple[tuple[MaskObject, ...], tuple[str, ...]]:
    """Return objects with the frames in which each is absent, and what is left as a setting of the maker.

    Args:
        ctx: of the command.
        named: its objects, of `take_objects`; perhaps none, as for a single subject.
    """
    absent: dict[str, list[str]] = {}
    name = ""
    for option, text in ctx.meta[_ORDER]:
        if option == _NAMES:
            name = text.partition("=")[0]
        elif option == _ABSENT:
            absent.setdefault(name, []).append(text)
    found = tuple(replace(one, absent=",".join(absent.pop(one.name, ()))) for one in named)
    left = [text for texts in absent.values() for text in texts]
    return found, (f"{_ABSENT}={','.join(left)}",) if left else ()


def with_files(prompts: Sequence[Prompt], clip: Callable[[], Sequence[int]]) -> tuple[Prompt, ...]:
    """Return prompts whose key masks have absolute files and frames.

    Args:
        prompts: as they were given.
        clip: returns the frames of the clip; asked where a key mask names no frame.

    Raises:
        BadInput: a file is not there.
    """
    return tuple(whole for prompt in prompts for whole in _with_files(prompt, clip))


def _with_files(prompt: Prompt, clip: Callable[[], Sequence[int]]) -> Iterator[Prompt]:
    if prompt.kind != MASK:
        yield prompt
        return
    pattern = sequences.parse(str(Path(prompt.file).absolute()))
    files = sequences.find(pattern, prompt.role)
    for number, path in files.items():
        frame = prompt.frame
        if frame is None:
            frame = number if pattern.frames or not pattern.single else clip()[0]
        elif len(files) > 1:
            raise BadInput(
                f"the {prompt.role} {prompt.file} has several files, and one frame was named",
                "Leave the frame out, or name one file.",
            )
        yield replace(prompt, frame=frame, file=str(path))
