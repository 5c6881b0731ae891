"""`videomama synthesize`: make the suite of test clips."""

from __future__ import annotations

from pathlib import Path

import click
from videomama_client.wording import counted

from videomama_server.cli.usage import WrongUse
from videomama_server.synthetic.degrade import HITS, SHAPES, parse
from videomama_server.synthetic.kinds import KINDS
from videomama_server.synthetic.paint.backgrounds import BACKGROUNDS
from videomama_server.synthetic.render import MAX_FRAMES, MIN_FRAMES, ClipSpec
from videomama_server.synthetic.suite import SHEET, chosen, write_suite

_MASKS = f"Mask degradation: one of {', '.join(SHAPES)}, then with a plus each any of {', '.join(HITS)}."


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("synthetic_clips"), show_default=True)
@click.option(
    "--kind", "kinds", multiple=True, type=click.Choice(list(KINDS)), help="Kinds of clips to make; by default all."
)
@click.option(
    "--background",
    "backgrounds",
    multiple=True,
    type=click.Choice(BACKGROUNDS),
    help="Backgrounds for every kind; by default each kind has its own.",
)
@click.option("--each", type=click.IntRange(1, 3), default=2, show_default=True, help="How many of its own.")
@click.option("--size", default="960x540", show_default=True, metavar="WxH")
@click.option("--frames", type=click.IntRange(MIN_FRAMES, MAX_FRAMES), default=ClipSpec.frames, show_default=True)
@click.option("--first", type=click.IntRange(0), default=ClipSpec.first, show_default=True, help="First frame number.")
@click.option("--seed", type=click.IntRange(0), default=ClipSpec.seed, show_default=True)
@click.option("--masks", default="mixed", show_default=True, help=_MASKS)
def synthesize(  # noqa: PLR0913 - one parameter per option
    out: Path,
    kinds: tuple[str, ...],
    backgrounds: tuple[str, ...],
    each: int,
    size: str,
    frames: int,
    first: int,
    seed: int,
    masks: str,
) -> None:
    """Make test clips with exact alpha.

    Writes a folder per clip with plate, mask, alpha and foreground as scene-linear EXRs, and a contact sheet.
    The same options give the same pixels.
    """
    width, height = _sides(size)
    pairs = chosen(kinds, backgrounds, each)
    specs = [ClipSpec(kind, behind, width, height, frames, first, seed) for kind, behind in pairs]
    written = write_suite(out, specs, parse(masks, seed), lambda line: click.echo(line, err=True))
    click.echo(f"{counted(len(written), 'clip')} in {out}; look at {out / SHEET}.")


def _sides(size: str) -> tuple[int, int]:
    words = size.lower().split("x")
    if len(words) != 2 or not all(word.isdecimal() for word in words):
        raise WrongUse(f"{size!r} is not a valid size", "Write it as 1920x1080.")
    return int(words[0]), int(words[1])
