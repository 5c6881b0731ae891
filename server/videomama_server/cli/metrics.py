"""`videomama metrics`: measure an alpha against the truth, and against itself over time."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import click
from videomama_client.errors import BadInput, option_called, placed

from videomama_server import metrics as measures
from videomama_server.arrays import FloatArray
from videomama_server.cli.settings_options import setting_option
from videomama_server.cli.usage import WrongUse
from videomama_server.media import color, frames, sequences

_NOTES = {"mad_t": f"our definition: inside a band made with an ellipse of {measures.KERNEL} pixels"}
_DECIMALS = 4

Shown = dict[str, float | int | bool | str | None]


@dataclass(frozen=True)
class _Wanted:
    """What the flags ask for."""

    channel: str
    view: str
    convention: measures.Convention
    only: tuple[str, ...]
    foreground: tuple[str, str] | None
    plate: str | None
    seams: str

    @property
    def measures(self) -> tuple[str, ...]:
        """Names of the measures to take; those of colour only where there is colour."""
        every = self.only or measures.MEASURES
        return tuple(name for name in every if self.foreground or not name.startswith("foreground_"))


@dataclass(frozen=True)
class _Files:
    """The files of every role, by frame; each role has the same frames."""

    alpha: dict[int, Path]
    truth: dict[int, Path]
    colour: tuple[dict[int, Path], dict[int, Path]] | None
    plate: dict[int, Path] | None

    @property
    def alphas(self) -> tuple[dict[int, Path], dict[int, Path]]:
        """Those to judge and the exact ones."""
        return self.alpha, self.truth


class _Unaided:
    """Collects figures that need no truth, by frame, and the MAD that drift needs."""

    def __init__(self) -> None:
        self.change: dict[int, float] = {}
        self.flicker: dict[int, float] = {}
        self.mad: dict[int, float] = {}
        self._previous: tuple[FloatArray, FloatArray | None] | None = None

    def add(self, frame: int, alpha: FloatArray, truth: FloatArray, view: FloatArray | None) -> None:
        """Measure the next frame, in clip order; `view` is its plate as a display shows it."""
        self.mad[frame] = measures.mad(alpha, truth)
        if self._previous is not None:
            before, view_before = self._previous
            self.change[frame] = measures.change(alpha, before)
            if view is not None and view_before is not None:
                flicker = measures.flicker(alpha, before, view, view_before)
                self.flicker.update({} if flicker is None else {frame: flicker})
        self._previous = alpha, view


@click.command()
@click.argument("prediction")
@click.argument("truth")
@click.option("--channel", default="", help="Channel to read of both; by default A, else the only one, else R.")
@setting_option("view")
@click.option(
    "--convention",
    type=click.Choice(sorted(measures.CONVENTIONS)),
    default="rvm",
    show_default=True,
    help="Whose scales: rvm (also MatAnyone's), or maggie.",
)
@click.option("--only", multiple=True, type=click.Choice(measures.MEASURES), help="Take this measure; repeatable.")
@click.option("--foreground", nargs=2, metavar="PREDICTION TRUTH", help="Measure foreground colour too, as in files.")
@click.option("--plate", help="Plate frames; measures flicker beside their motion.")
@click.option("--seams", default="", help="Frames that a chunk begins with, such as 17,33; measures seams and drift.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
def metrics(prediction: str, truth: str, as_json: bool, **flags: Any) -> None:
    """Measure an alpha against the exact one.

    PREDICTION and TRUTH are patterns such as alpha.####.exr. Prints MAD, MSE, SAD, GRAD, CONN, dtSSD, MESSDdt and
    MAD-T, where lower is better, and J and F, where higher is.
    """
    wanted = _Wanted(**flags)
    if not wanted.measures:
        raise WrongUse(f"{wanted.only[0]} is of colour, and there is none", "Add --foreground PREDICTION TRUTH.")
    files = _found(prediction, truth, wanted)
    shown = _measured(files, wanted)
    if as_json:
        click.echo(json.dumps(shown))
        return
    width = max(map(len, shown))
    for name, value in shown.items():
        note = f"  ({_NOTES[name]})" if name in _NOTES else ""
        click.echo(f"{name:>{width}}  {_text(value)}{note}")


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.{_DECIMALS}f}"
    return "-" if value is None else str(value)


def _found(prediction: str, truth: str, wanted: _Wanted) -> _Files:
    def parsed(pattern: str) -> sequences.Pattern:
        return sequences.parse(sequences.with_view(pattern, wanted.view))

    alpha = sequences.find(parsed(prediction), "prediction")
    sequences.refuse_stray_frames({"prediction": parsed(prediction), "truth": parsed(truth)})

    def same_frames(pattern: str) -> dict[int, Path]:
        found = sequences.find(parsed(pattern))
        missing = sorted(found.keys() ^ alpha.keys())
        if missing:
            raise BadInput(
                f"frames {sequences.format_range(missing)} are in only one of the two sequences",
                "Measure the same frames of both.",
            )
        return found

    colour = wanted.foreground and (same_frames(wanted.foreground[0]), same_frames(wanted.foreground[1]))
    return _Files(alpha, same_frames(truth), colour, same_frames(wanted.plate) if wanted.plate else None)


def _measured(files: _Files, wanted: _Wanted) -> Shown:
    scorer = measures.Scorer(wanted.convention, wanted.measures)
    unaided = _Unaided()
    for frame in sorted(files.alpha):
        with placed(frame=frame), option_called("--mask-channel", "--channel"):
            alpha, truth = (_alpha(of[frame], wanted) for of in files.alphas)
            scorer.add(alpha, truth, _colours(files, frame, wanted.view))
            unaided.add(frame, alpha, truth, _display(files.plate[frame], wanted.view) if files.plate else None)
    taken = {name: value for name, value in asdict(scorer.mean()).items() if name in wanted.measures}
    return {**taken, **_over_time(unaided, wanted), "frames": len(scorer.frames), "convention": wanted.convention}


def _over_time(unaided: _Unaided, wanted: _Wanted) -> Shown:
    shown: Shown = {}
    if wanted.plate:
        shown["flicker"] = fmean(unaided.flicker.values()) if unaided.flicker else None
    if wanted.seams:
        seams = sorted(unaided.change.keys() & set(sequences.parse_range(wanted.seams)))
        test = measures.seam_test(unaided.change, seams)
        first = [error for frame, error in unaided.mad.items() if frame < seams[0]]
        last = [error for frame, error in unaided.mad.items() if frame >= seams[-1]]
        shown |= {"seam_change": test.at_seams, "other_change": test.elsewhere, "seam_flagged": test.flagged}
        shown["drift"] = measures.drift(first, last)
    return shown


def _alpha(path: Path, wanted: _Wanted) -> FloatArray:
    """Return an alpha on its display window: data windows differ from frame to frame."""
    return frames.shown(frames.read_mask(path, wanted.channel, wanted.view)).pixels[..., 0]


def _colours(files: _Files, frame: int, view: str) -> tuple[FloatArray, FloatArray] | None:
    if files.colour is None:
        return None
    pred, truth = (frames.shown(frames.read_plate(of[frame], view=view)) for of in files.colour)
    return pred.pixels, truth.pixels


def _display(path: Path, view: str) -> FloatArray:
    return color.displayed(frames.shown(frames.read_plate(path, view=view)))
