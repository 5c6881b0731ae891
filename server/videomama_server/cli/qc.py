"""`videomama qc`: judge an alpha from plate, mask and alpha alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
from videomama_client.objects import out_of
from videomama_client.wording import counted

from videomama_server.cli.bar import frames_bar
from videomama_server.cli.settings_options import setting_option
from videomama_server.media import sequences
from videomama_server.qc import report
from videomama_server.qc.files import Reading, RefinedClip, refined_clip
from videomama_server.qc.flags import sentence
from videomama_server.qc.report import QcReport
from videomama_server.submission import Submission


@click.command()
@click.option("--plate", required=True, help="Plate frames, such as plate.####.exr.")
@click.option("--mask", required=True, help="Mask frames that the alpha was made from.")
@click.option("--alpha", required=True, help="Alpha frames to judge.")
@click.option("--frames", default="", help="Frames to judge, such as 1001-1040; by default all alphas on disk.")
@setting_option("plate_layer")
@setting_option("mask_channel")
@click.option("--alpha-channel", default="", help="Channel that holds the alpha.")
@setting_option("view")
@setting_option("mask_colour")
@setting_option("colorspace")
@click.option("--exposure", default=0.0, help="Stops added to the plate before its motion is followed.")
@click.option("--trimap", default="", help="Trimap frames of the edge refiner, for the contact sheet.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for a contact sheet, a plot and the figures.")
@click.option("--json", "as_json", is_flag=True, help="Print flags and scores as one line of JSON.")
def qc(frames: str, trimap: str, out: Path | None, as_json: bool, **how: Any) -> None:
    """Flag the frames of an alpha that need a look.

    No truth is needed: plate, mask and alpha are compared with each other and over time.
    """
    plate, mask, alpha = (sequences.with_view(how.pop(role), how["view"]) for role in ("plate", "mask", "alpha"))
    clip = refined_clip((plate, mask, alpha), sequences.parse_range(frames) if frames else (), Reading(**how))
    found = control(clip.with_trimaps(sequences.with_view(trimap, how["view"])) if trimap else clip, out)
    if as_json:
        click.echo(json.dumps(found.as_dict()))
        return
    found.say(click.echo)


@dataclass(frozen=True)
class Judged:
    """What came of quality control, and the folder with its pictures, if there is one."""

    report: QcReport
    folder: Path | None

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {**self.report.as_dict(), "folder": str(self.folder) if self.folder else None}

    def say(self, say: Callable[[str], None]) -> None:
        """Tell the flags, one per line, and where the pictures are."""
        for flag in self.report.flags:
            say(f"QC: {sentence(flag)}")
        if not self.report.flags:
            say(f"QC: nothing flagged on {counted(len(self.report.scores), 'frame')}")
        if self.report.not_judged:
            say(f"QC: {counted(len(self.report.not_judged), 'frame')} not judged")
        if self.folder is not None:
            say(str(self.folder / report.SHEET))
            say(str(self.folder / report.PLOT))


@dataclass(frozen=True)
class JudgedObjects:
    """What came of quality control of each object, by name; the methods are those of `Judged`."""

    by_name: dict[str, Judged]

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {name: judged.as_dict() for name, judged in self.by_name.items()}

    def say(self, say: Callable[[str], None]) -> None:
        """Tell of each object what `Judged` tells."""
        for name, judged in self.by_name.items():
            judged.say(lambda line, name=name: say(f"{name}: {line}"))  # type: ignore[misc]


def control(clip: RefinedClip, folder: Path | None) -> Judged:
    """Judge a clip, showing progress and warnings on standard error, and write the report where a folder is named.

    Raises:
        VideoMaMaError: see `report.check` and `report.write`.
    """
    if folder is not None:
        report.make_folder(folder)  # before any work
    with frames_bar("qc", len(clip.numbers)) as tell:
        found = report.check(clip, tell)
    for frame, reason in found.not_judged.items():
        click.echo(f"Warning: quality control could not judge frame {frame}: {reason}", err=True)
    if folder is not None:
        report.write(folder, clip, found)
    return Judged(found, folder)


def of_matte(order: Submission, folder: Path) -> Callable[[str], Judged | JudgedObjects]:
    """Return what judges the alphas of a job when it is done; each of several objects has a folder in `folder`.

    It takes the pattern of the job's trimaps, empty where there are none; of several objects, with `{object}` in it.

    Raises:
        NotPermitted: the folder cannot be made.
    """
    if not order.objects:
        return _of_one(order, folder)
    parts = {name: _of_one(one, folder / name) for name, one in order.by_object().items()}
    return lambda trimap: JudgedObjects({name: judge(out_of(trimap, name)) for name, judge in parts.items()})


def _of_one(order: Submission, folder: Path) -> Callable[[str], Judged]:
    report.make_folder(folder)
    settings = order.settings
    channel = "" if not order.layer else f"{order.layer}.A"
    how = Reading(
        plate_layer=settings.plate_layer,
        mask_channel=settings.mask_channel,
        alpha_channel=channel,
        colorspace=settings.colorspace,
        exposure=settings.exposure,
        view=settings.view,
        mask_colour=settings.mask_colour,
    )

    def judge(trimap: str) -> Judged:
        clip = refined_clip((order.plate, order.mask, order.out), order.wanted(), how)
        clip = clip.with_trimaps(trimap) if trimap else clip
        return control(replace(clip, there=tuple(order.clip_frames())), folder)  # older alphas may lie beside the job's

    return judge
