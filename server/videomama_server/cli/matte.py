"""`videomama matte`: refine a clip and follow its progress."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.progress import MofNCompleteColumn, Progress, TextColumn
from videomama_client import launch, messages
from videomama_client.client import Client
from videomama_client.errors import BadInput, Cancelled, VideoMaMaError
from videomama_client.settings import MatteSettings
from videomama_client.stage_words import read_at, words_of
from videomama_client.stages import label, place
from videomama_client.wording import counted

from videomama_server import config
from videomama_server.cli.bar import progress
from videomama_server.cli.settings_options import (
    CommandWithSettings,
    set_option,
    settings_from,
    settings_options,
    with_options,
)
from videomama_server.cli.then_option import then_option
from videomama_server.media import sequences
from videomama_server.submission import Submission, project_paths, submit

if TYPE_CHECKING:
    from videomama_server.cli.qc import Judged


@click.command(cls=CommandWithSettings)
@click.option("--plate", help="Plate frames, such as plate.####.exr.")
@click.option("--mask", help="Mask frames, such as mask.####.exr.")
@click.option("--out", help="Alpha frames to write: .exr, .tif, .png or .dpx.")
@click.option("--project", type=click.Path(path_type=Path), help="Project folder with source/frames and roto/NAME.")
@click.option("--roto", help="The NAME under roto/ of the project; may be left out when there is only one.")
@click.option(
    "--clip",
    default="",
    help="Frames that exist, such as 1001-1100 or 1001-1099x2; by default all from first to last plate.",
)
@click.option(
    "--frames",
    "frame_ranges",
    default="",
    help="Frames wanted, such as 1001-1040 or 1001-1039x2; by default the whole clip.",
)
@click.option("--layer", default="", help="EXR layer to write the alpha to.")
@click.option("--dtype", type=click.Choice(["float", "half", "uint16"]), help="Pixel type to write.")
@click.option(
    "--priority",
    type=click.Choice([messages.INTERACTIVE, messages.BATCH]),
    default=messages.INTERACTIVE,
    help="Batch jobs let others go first.",
)
@click.option("--transport", type=click.Choice(["auto", "path", "inline"]), default="auto", help="How pixels travel.")
@click.option("--rehash", is_flag=True, help="Read every file again instead of trusting its date and size.")
@click.option("--no-start", is_flag=True, help="Do not start a server when none runs.")
@click.option("--connection-file", type=click.Path(path_type=Path), help="Of the server to use.")
@click.option("--foreground", default="", help="Write the subject's own colour too, unpremultiplied: .exr or .tif.")
@click.option(
    "--qc",
    "qc_folder",
    type=click.Path(path_type=Path),
    help="Folder for a contact sheet and a plot of the scores.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as one line of JSON.")
@settings_options
@set_option
@then_option
def matte(as_json: bool, no_start: bool, connection_file: Path | None, **flags: Any) -> None:
    """Refine a rough mask into a soft alpha."""
    foreground = flags.pop("foreground")
    foreground = foreground and _absolute(sequences.with_view(foreground, flags["view"]))
    qc_folder = flags.pop("qc_folder")
    own_options = flags.pop("own_options")
    then = [words_of(stage) for stage in flags.pop("then")]
    order = _submission(flags)
    control = _controlling(order, qc_folder) if qc_folder else None
    colour = _colouring(order, foreground) if foreground else None
    path = config.load({"connection_file": connection_file}).connection_file
    with launch.connect(path, start=not no_start) as client:
        settings = _from_here(with_options(client, order.settings, own_options))
        stages = tuple(read_at(client, words, number) for number, words in enumerate(then, 2))
        order = replace(order, settings=settings, then=stages)
        done = follow(client, order)
    if colour:
        colour(done.colorspace)
    judged = control() if control else None
    if as_json:
        result = _as_dict(done)
        if judged:
            result["qc"] = judged.as_dict()
        if colour:
            result["foreground"] = foreground
        click.echo(json.dumps(result))
        return
    for warning in done.warnings:
        click.echo(f"Warning: {warning}", err=True)
    names = ", then ".join(stage.engine for stage in done.stages) or done.engine
    click.echo(
        f"{counted(done.frame_count, 'frame')} ({done.computed} computed, {done.cached} cached) "
        f"in {done.seconds:.1f} s by {names}, region {','.join(map(str, done.roi))}, plate as {done.colorspace}"
    )
    for line in filter(None, (*_stages_said(done), done.mask and _mask_said(done.mask))):
        click.echo(line)
    if not judged:
        _say_flags(done)
    click.echo(order.out)
    if colour:
        click.echo(foreground)
    if judged:
        judged.say(click.echo)


def _stages_said(done: messages.MatteDone) -> list[str]:
    """Say what the engine ran on, or what each of several stages did."""
    if len(done.stages) < 2:
        return [done.plan]
    return [_stage_said(label(index, stage.engine, 2), stage) for index, stage in enumerate(done.stages)]


def _stage_said(name: str, stage: messages.StageDone) -> str:
    if not stage.computed and not stage.cached:
        return f"{name}: nothing was needed of it"
    ran_on = f"; {stage.plan}" if stage.computed and stage.plan else ""
    return f"{name}: {stage.computed} computed, {stage.cached} cached{ran_on}"


def _mask_said(taken: messages.MaskTaken) -> str:
    """Say what the masks were taken for, so that the numbers can be given again."""
    quality = {"": "as the numbers say", "unsure": "rough, as the plate did not say"}.get(taken.quality, taken.quality)
    return (
        f"mask taken as {quality}: --mask-slack {taken.mask_slack:g} "
        f"--trimap-erode {taken.trimap_erode:g} --trimap-dilate {taken.trimap_dilate:g}"
    )


def _as_dict(done: messages.MatteDone) -> dict[str, Any]:
    """Return a result in the words of `--json`, which scripts read."""
    from videomama_server.qc.flags import as_dict

    result = asdict(done)
    del result["job"]
    return {"frames": result.pop("frame_count"), **result, "flags": [as_dict(flag) for flag in done.flags]}


def _say_flags(done: messages.MatteDone) -> None:
    """Tell what the server's quality control flagged, as `videomama qc` does."""
    from videomama_server.qc.flags import sentence

    for flag in done.flags:
        click.echo(f"QC: {sentence(flag)}")
    if done.judged and not done.flags:
        click.echo(f"QC: nothing flagged on {counted(done.judged, 'frame')}")
    if done.judged < done.frame_count:
        click.echo(f"QC: {counted(done.frame_count - done.judged, 'frame')} not judged")


def follow(client: Client, order: Submission) -> messages.MatteDone:
    """Submit a job, show its progress on standard error and return its result; Ctrl-C cancels it on the server."""
    counts = TextColumn("{task.fields[computed]} computed, {task.fields[cached]} cached")
    sent = submit(client, order)
    try:
        with progress(MofNCompleteColumn(), counts) as shown:
            return _watch(sent.events(), shown)
    except KeyboardInterrupt as interrupt:
        _cancel(client, sent.job)
        raise Cancelled("cancelled") from interrupt


def _colouring(order: Submission, out: str) -> Callable[[str], None]:
    """Return what writes the foreground's colour to `out` once the job is done; what cannot work is raised now.

    It is called with the colour space that the job took the plate to be in.
    """
    from videomama_server.cli.foreground import of_matte  # opens pictures, which takes long to import

    return of_matte(order, out)


def _controlling(order: Submission, folder: Path) -> Callable[[], Judged]:
    """Return what judges the alphas once the job is done; a folder that cannot be made is told now."""
    from videomama_server.cli.qc import of_matte  # opens pictures, which takes long to import

    return of_matte(order, folder)


def _watch(events: Iterable[messages.JobEvent], shown: Progress) -> messages.MatteDone:
    task = shown.add_task("", total=None, computed=0, cached=0, visible=False)
    counts: Counter[tuple[int, bool]] = Counter()  # of frames, by stage and whether they were cached
    stage = last = 0
    for event in events:
        if isinstance(event, messages.MatteDone):
            return event
        if isinstance(event, messages.MattePlanned):
            last = max(0, len(event.stages) - 1)
            stage = last  # what is cached of it comes first
            shown.update(task, description=event.engine, total=event.frame_count, visible=True)
            for warning in event.warnings:
                click.echo(f"Warning: {warning}", err=True)
        elif isinstance(event, messages.StageBegun):
            stage, name = event.stage, f"stage {place(event.stage, event.engine, last + 1)}"
            shown.update(task, description=name, total=event.frame_count)
        elif isinstance(event, (messages.StageFrameDone, messages.FrameDone)):
            counts[last if isinstance(event, messages.FrameDone) else event.stage, event.cached] += 1
        computed, cached = counts[stage, False], counts[stage, True]
        shown.update(task, completed=computed + cached, computed=computed, cached=cached)
    raise AssertionError("events end with MatteDone or an error")


def _cancel(client: Client, job: str) -> None:
    """Ask the server to stop and wait until it says so."""
    client.cancel(job)
    try:
        for _ in client.events(job):
            continue
    except VideoMaMaError:
        return


def _absolute(pattern: str) -> str:
    """Return a pattern that means the same from any working folder.

    Raises:
        BadInput: it counts from the working folder, which is gone.
    """
    try:
        return os.path.abspath(pattern)  # noqa: PTH100  (a pattern)
    except FileNotFoundError as error:
        reason = f"{pattern} counts from the working folder, which is gone"
        raise BadInput(reason, "Change to a folder that exists, or give the whole path.") from error


def _from_here(settings: MatteSettings) -> MatteSettings:
    """Return the settings with a folder of weights that the server finds, too: it has another working folder."""
    weights = settings.option("weights")
    return settings.with_options(weights=str(Path(weights).absolute())) if isinstance(weights, str) else settings


def _submission(flags: dict[str, Any]) -> Submission:
    settings = settings_from(flags)
    settings.check()
    project, roto = flags.pop("project"), flags.pop("roto")
    if project is not None:
        if any(flags[name] for name in ("plate", "mask", "out")):
            raise BadInput("--project names plate, mask and output itself", "Leave out --plate, --mask and --out.")
        flags["plate"], flags["mask"], flags["out"] = project_paths(project, roto)
        flags["dtype"] = flags["dtype"] or "uint16"
    missing = [f"--{name}" for name in ("plate", "mask", "out") if not flags[name]]
    if missing:
        raise BadInput(f"{', '.join(missing)} not given", "Give --plate, --mask and --out, or a --project.")
    for name in ("plate", "mask", "out"):
        flags[name] = _absolute(sequences.with_view(flags[name], settings.view))
    flags["dtype"] = flags["dtype"] or ""
    return Submission(settings=settings, **flags)
