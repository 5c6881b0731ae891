"""`videomama qc`: judge an alpha from plate, mask and alpha alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
from videomama_client.wording import counted

from videomama_server.cli.bar import frames_bar
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
@click.option("--plate-layer", default="", help="Layer that holds the plate.")
@click.option("--mask-channel", default="", help="Channel that holds the mask.")
@click.option("--alpha-channel", default="", help="Channel that holds the alpha.")
@click.option("--view", default="", help="View of stereo files, as in matte.")
@click.option("--mask-colour", default="", help="Colours that are subject in a mask of colours, as in matte.")
@click.option("--colorspace", default="auto", show_default=True, help="The plate's colour space, as in matte.")
@click.option("--exposure", default=0.0, help="Stops added to the plate before its motion is followed.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for a contact sheet, a plot and the figures.")
@click.option("--json", "as_json", is_flag=True, help="Print flags and scores as one line of JSON.")
def qc(frames: str, out: Path | None, as_json: bool, **how: Any) -> None:
    """Flag the frames of an alpha that a person should look at, and say why.

    No truth is needed: plate, mask and alpha are compared with each other and over time.
    """
    plate, mask, alpha = (sequences.with_view(how.pop(role), how["view"]) for role in ("plate", "mask", "alpha"))
    clip = refined_clip((plate, mask, alpha), sequences.parse_range(frames) if frames else (), Reading(**how))
    found = control(clip, out)
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


def of_matte(order: Submission, folder: Path) -> Callable[[], Judged]:
    """Return what judges the alphas of a job when it is done.

    Raises:
        NotPermitted: the folder cannot be made.
    """
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

    def judge() -> Judged:
        clip = refined_clip((order.plate, order.mask, order.out), order.wanted(), how)
        return control(replace(clip, there=tuple(order.clip_frames())), folder)  # older alphas may lie beside the job's

    return judge
