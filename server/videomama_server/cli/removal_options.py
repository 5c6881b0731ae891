"""The options of `matte` that prepare the removal of a subject: hole masks, and a program that paints clean plates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from videomama_client import messages
from videomama_client.errors import BadInput
from videomama_client.stage_words import split

from videomama_server.cli.bar import frames_bar
from videomama_server.cli.job_options import with_all
from videomama_server.media import sequences
from videomama_server.submission import Submission

if TYPE_CHECKING:
    from videomama_server.hand_over import HandOver
    from videomama_server.hole_masks import HoleMasks

REMOVAL_OPTIONS = (
    "--hole-masks",
    "--hole-threshold",
    "--hole-close",
    "--hole-grow",
    "--then-run",
    "--clean-plate",
)
_WIDEST = click.FloatRange(0, 500)
_OPTIONS = (
    click.option(
        "--hole-masks", default="", help="Write binary masks of the hole that a removal leaves: .png or .exr."
    ),
    click.option(
        "--hole-threshold",
        type=click.FloatRange(0.0001, 1),
        default=0.02,
        show_default=True,
        help="Alpha from which a pixel belongs to the hole.",
    ),
    click.option(
        "--hole-close",
        type=_WIDEST,
        default=8.0,
        show_default=True,
        help="Close gaps of the hole up to this wide. Unit: pixels of a plate 1920 wide.",
    ),
    click.option(
        "--hole-grow",
        type=_WIDEST,
        default=8.0,
        show_default=True,
        help="Grow the hole by this much afterwards. Unit: pixels of a plate 1920 wide.",
    ),
    click.option(
        "--then-run",
        default="",
        metavar="'PROGRAM ARGUMENT …'",
        help="A program that paints the subject out, run without a shell once the hole masks are there. It is given "
        "{plate}, {hole_masks} and {output}, which are patterns, or their folders: {plate_folder} and so on.",
    ),
    click.option(
        "--clean-plate",
        type=click.Path(file_okay=False, path_type=Path),
        help="Folder for the clean plates of --then-run, which have the names of the plates.",
    ),
)
Command = Callable[..., None]


@dataclass(frozen=True)
class Removal:
    """What was asked for: hole masks, and perhaps a program to hand them over to."""

    holes: HoleMasks
    hand_over: HandOver | None = None

    def outputs(self) -> list[str]:
        """Return the patterns of all that it writes."""
        clean = [self.hand_over.output.text] if self.hand_over else []
        return [self.holes.out, *clean]

    def beside(self) -> dict[str, Any]:
        """Return the options that ask for the same again, by name."""
        how = self.holes
        found: dict[str, Any] = {"hole-masks": how.out, "hole-threshold": how.threshold}
        found.update({"hole-close": how.close, "hole-grow": how.grow})
        if self.hand_over:
            found.update({"then-run": list(self.hand_over.words), "clean-plate": str(self.hand_over.folder)})
        return found

    def as_result(self) -> dict[str, str]:
        """Return where things lie, in the words of `--json`."""
        clean = {"clean_plate": self.hand_over.output.text} if self.hand_over else {}
        return {"hole_masks": self.holes.out, **clean}

    def check(self, order: Submission) -> None:
        """Raise `BadInput` or `NotPermitted` for what would fail once the alphas are done; folders are made."""
        wanted = order.wanted()
        self.holes.check(wanted)
        if self.hand_over:
            self.hand_over.check()
        read = {role: sequences.find(sequences.parse(text), role) for role, text in _read_by(order).items()}
        written = {"hole masks": sequences.parse(self.holes.out)}
        if self.hand_over:
            written["clean plates"] = self.hand_over.output
        for pattern in written.values():
            sequences.refuse_overwriting(pattern, read)
        sides = {called: sequences.parse(out) for called, out in order.side_outs().items()}
        sequences.refuse_sharing({"alphas": sequences.parse(order.out), **sides, **written}, wanted)

    def make(self, order: Submission) -> None:
        """Write the hole masks of a job that is done, and run the program; raises as `write` and `run` of these."""
        pattern, wanted = sequences.parse(order.out), order.wanted()
        with frames_bar("hole masks", len(wanted)) as tell:
            channel = f"{order.layer}.A" if order.layer else ""
            self.holes.write({frame: pattern.path(frame) for frame in wanted}, channel, tell)
        if self.hand_over:
            click.echo(f"Running {self.hand_over.words[0]}", err=True)
            self.hand_over.run(wanted)


def removal_options(command: Command) -> Command:
    """Add the options of a removal to a command."""
    return with_all(_OPTIONS, command)


def removal_flags() -> list[str]:
    """Return the names of the flags of a command that say something of a removal."""
    return [name.lstrip("-").replace("-", "_") for name in REMOVAL_OPTIONS]


def take_removal(given: Mapping[str, Any], plate: str) -> Removal | None:
    """Return what was asked for; None where nothing was.

    Args:
        given: the flags of a removal.
        plate: pattern of the plates, absolute.

    Raises:
        BadInput: a program without hole masks or a place for its clean plates, or the other way round.
    """
    words, folder = _words(given["then_run"]), given["clean_plate"]
    if bool(words) != bool(folder):
        lacks = "--clean-plate" if words else "--then-run"
        raise BadInput(f"{lacks} is not given", "Give --hole-masks, --then-run and --clean-plate together.")
    if words and not given["hole_masks"]:
        raise BadInput("--then-run is given without --hole-masks", "Say with --hole-masks where the masks go.")
    if not given["hole_masks"]:
        return None
    from videomama_server.hand_over import HandOver  # opens pictures, which takes long to import
    from videomama_server.hole_masks import HoleMasks

    holes = HoleMasks(given["hole_masks"], given["hole_threshold"], given["hole_close"], given["hole_grow"])
    return Removal(holes, HandOver(words, plate, holes.out, Path(folder).absolute()) if words else None)


def _read_by(order: Submission) -> dict[str, str]:
    """Return the patterns of the files that a job of one mask reads, by role."""
    painted = {f"{one.role} of frame {one.frame}": one.file for one in order.prompts if one.file}
    masks = {messages.MASK: order.mask} if order.mask else {}
    return {messages.PLATE: order.plate, **masks, **painted}


def _words(text: str) -> tuple[str, ...]:
    try:
        return tuple(split(text))
    except ValueError as error:
        raise BadInput(f"--then-run {text!r} has a quote that is not closed", "Close it.") from error
