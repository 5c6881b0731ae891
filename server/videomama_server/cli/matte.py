"""`videomama matte`: refine a clip."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from videomama_client import launch

from videomama_server import config
from videomama_server.cli.job_file import CommandWithJobFile, job_file_option
from videomama_server.cli.job_options import first_frame_option, frames_options, job_options, preview_option
from videomama_server.cli.matte_job import asked_of, refined
from videomama_server.cli.movie_out import movie_options
from videomama_server.cli.object_option import object_stage_option
from videomama_server.cli.person_option import person_options
from videomama_server.cli.prompt_options import (
    prompt_options,
)
from videomama_server.cli.removal_options import (
    REMOVAL_OPTIONS,
    removal_options,
)
from videomama_server.cli.settings_options import (
    set_option,
    settings_options,
)
from videomama_server.cli.then_option import then_option

_GROUPS = {
    "Inputs": (
        "--plate",
        "--mask",
        "--project",
        "--roto",
        "--clip",
        "--frames",
        "--first-frame",
        "--preview",
        "--plate-layer",
        "--view",
        "--colorspace",
        "--exposure",
    ),
    "Output": (
        "--out",
        "--no-job-file",
        "--layer",
        "--dtype",
        "--compression",
        "--alpha-movie",
        "--preview-movie",
        "--preview-shows",
        "--fps",
        "--foreground",
        "--foreground-dtype",
        "--foreground-premultiplied",
        "--trimap",
        "--qc",
    ),
    "Removal": REMOVAL_OPTIONS,
    "Prompts": (
        "--maker",
        "--maker-set",
        "--click",
        "--box",
        "--say",
        "--key-mask",
        "--absent",
        "--person",
        "--person-picture",
    ),
    "Objects": ("--object", "--object-stage"),
    "Mask": ("--mask-quality", "--mask-channel", "--mask-colour", "--mask-grow", "--mask-close-holes"),
    "Engine": ("--engine", "--quality", "--then", "--set"),
    "Region and windows": ("--roi", "--window", "--overlap"),
    "Job": ("--job", "--priority", "--notify", "--transport", "--rehash", "--no-start", "--connection-file", "--json"),
    "Help": ("--help-all", "--help"),
}
_EXAMPLES = (
    "--plate plate.####.exr --mask roto.####.exr --out alpha.####.exr",
    "--plate plate.####.exr --mask roto.####.exr --out alpha.####.exr --frames 1010-1020 --mask-quality good",
    "--plate plate.####.exr --mask alpha.####.exr --out soft.####.exr --engine adjust --feather 1.5",
    "--job job.json --out again/alpha.####.exr",
)


@click.command(cls=CommandWithJobFile, groups=_GROUPS, examples=_EXAMPLES)
@click.option("--plate", help="Plate frames, such as plate.####.exr, or a movie.")
@click.option("--mask", help="Mask frames, such as mask.####.exr, or a movie.")
@click.option("--out", help="Alpha frames to write: .exr, .tif, .png or .dpx; or one movie, .mov.")
@click.option("--project", type=click.Path(path_type=Path), help="Project folder with source/frames and roto/NAME.")
@click.option("--roto", help="The NAME under roto/ of the project; may be left out when there is only one.")
@frames_options
@first_frame_option
@preview_option
@job_options
@movie_options
@click.option(
    "--compression",
    default="",
    metavar="NAME",
    help="Of .exr files: zip (the default), zips, piz, none, or dwaa, perhaps with its level: dwaa:45.",
)
@click.option(
    "--foreground", default="", help="Write the subject's own colour too: .exr or .tif. {object} for several."
)
@click.option("--foreground-dtype", type=click.Choice(["half", "float"]), help="By default half in .exr, else float.")
@click.option("--foreground-premultiplied", is_flag=True, help="Multiply the subject's own colour by the alpha.")
@click.option(
    "--trimap", default="", help="Write the trimaps of the edge refiner too: .exr or .png. {object} for several."
)
@click.option(
    "--qc",
    "qc_folder",
    type=click.Path(path_type=Path),
    help="Folder for a contact sheet and a plot of the scores.",
)
@prompt_options
@click.option(
    "--maker-set",
    "maker_options",
    multiple=True,
    metavar="NAME=VALUE",
    help="A setting of the engine that makes the masks; repeatable. `videomama engines` lists them.",
)
@person_options
@settings_options
@set_option
@then_option
@object_stage_option
@removal_options
@job_file_option
@click.pass_context
def matte(ctx: click.Context, /, as_json: bool, no_start: bool, connection_file: Path | None, **flags: Any) -> None:
    """Refine a rough mask into a soft alpha."""
    asked = asked_of(ctx, flags)
    path = config.load({"connection_file": connection_file}).connection_file
    with launch.connect(path, start=not no_start) as client:
        made = refined(client, asked)
    if as_json:
        click.echo(json.dumps(made.as_result()))
        return
    made.say()
