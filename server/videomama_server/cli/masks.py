"""`videomama masks`: make masks of clicks, boxes, words or painted frames, to look at, to edit, or to refine later."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from videomama_client import launch, messages, objects
from videomama_client.settings import MatteSettings
from videomama_client.wording import counted

from videomama_server import config
from videomama_server.cli.follow import follow
from videomama_server.cli.job_file import CommandWithJobFile, job_file_option
from videomama_server.cli.job_options import (
    first_frame_option,
    frames_options,
    job_options,
    numbered_from,
    preview_option,
    previewed,
)
from videomama_server.cli.job_result import as_result, say_drift
from videomama_server.cli.matte_job import absolute
from videomama_server.cli.notify import notifying
from videomama_server.cli.person_option import maker_words, person_options, take_person
from videomama_server.cli.prompt_options import (
    prompt_options,
    take_absent,
    take_objects,
    take_prompts,
    with_files,
)
from videomama_server.cli.settings_options import set_option, setting_option, with_options
from videomama_server.cli.usage import WrongUse, reading_words
from videomama_server.submission import Submission

_SETTINGS = (
    "plate_layer",
    "mask_channel",
    "view",
    "mask_colour",
    "colorspace",
    "exposure",
    "mask_grow",
    "mask_close_holes",
)


def _settings(command: Any) -> Any:
    for name in reversed(_SETTINGS):
        command = setting_option(name)(command)
    return command


@click.command(cls=CommandWithJobFile)
@click.option("--plate", required=True, help="Plate frames, such as plate.####.exr, or a movie.")
@click.option("--out", required=True, help="Mask frames to write: .exr, .tif, .png or .dpx.")
@prompt_options
@person_options
@frames_options
@first_frame_option
@preview_option
@job_options
@_settings
@set_option
@job_file_option
@click.pass_context
def masks(ctx: click.Context, /, as_json: bool, no_start: bool, connection_file: Path | None, **flags: Any) -> None:
    """Make masks from clicks, boxes, words or painted frames."""
    own_options, preview, notify = flags.pop("own_options"), flags.pop("preview"), flags.pop("notify")
    given, named = take_prompts(ctx, flags), take_objects(ctx, objects.PLACE in flags["out"])
    named, absent = take_absent(ctx, named)
    sought = take_person(flags)
    maker = sought.maker(flags.pop("maker"))
    if not maker:
        raise WrongUse("--maker not given", "Name the engine that makes the masks; `videomama engines` lists them.")
    settings = MatteSettings(engine=maker, **{name: flags.pop(name) for name in _SETTINGS})
    with reading_words():
        settings.check()
    for name in ("plate", "out"):
        flags[name] = absolute(flags[name], settings.view)
    flags["dtype"] = flags["dtype"] or ""
    own = [one.mask and absolute(one.mask, settings.view) for one in named]
    flags["plate"], *own = numbered_from((flags["plate"], *own), flags.pop("first_frame"))
    named = tuple(replace(one, mask=mask) for one, mask in zip(named, own, strict=True))
    order = Submission(mask="", settings=settings, objects=named, **flags)
    order = replace(order, prompts=with_files(given, order.clip_frames))
    order, person = sought.into(order)
    words = maker_words(maker, (*own_options, *absent), person)
    path = config.load({"connection_file": connection_file}).connection_file
    with launch.connect(path, start=not no_start) as client:
        order = replace(previewed(order, preview), settings=with_options(client, settings, words))
        with notifying(notify, Path(order.out).name):
            done = follow(client, order)
    if as_json:
        click.echo(json.dumps(as_result(done, person)))
        return
    _say(done, order.out)


def _say(done: messages.MatteDone, out: str) -> None:
    for warning in done.warnings:
        click.echo(f"Warning: {warning}", err=True)
    count, computed = counted(done.frame_count, "mask"), f"{done.computed} computed, {done.cached} cached"
    click.echo(f"{count} ({computed}) in {done.seconds:.1f} s by {done.engine}, plate as {done.colorspace}")
    if done.plan:
        click.echo(done.plan)
    say_drift(done)
    click.echo(out)
