"""`videomama foreground`: the subject's own colour, from a plate and its alpha."""

from __future__ import annotations

import json
import time
from typing import Any

import click
from videomama_client.wording import counted

from videomama_server.cli.bar import frames_bar
from videomama_server.cli.settings_options import setting_option
from videomama_server.foreground import Recolour
from videomama_server.media import sequences


@click.command()
@click.option("--plate", required=True, help="Plate frames, such as plate.####.exr.")
@click.option("--alpha", required=True, help="Alpha frames of the plate's size.")
@click.option("--out", required=True, help="Frames to write: .exr or .tif.")
@click.option("--frames", "wanted", default="", help="Frames wanted, such as 1001-1040; by default all alphas.")
@setting_option("plate_layer")
@click.option("--alpha-channel", default="", help="Channel that holds the alpha; by default A, else the only one.")
@setting_option("view")
@click.option(
    "--colorspace",
    default="auto",
    show_default=True,
    help="The plate's; a linear one is kept, any other becomes linear Rec.709.",
)
@click.option("--dtype", type=click.Choice(["half", "float"]), help="By default half in .exr, else float.")
@click.option("--premultiplied", is_flag=True, help="Multiply the colour by the alpha.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one line of JSON.")
def foreground(wanted: str, dtype: str | None, as_json: bool, **flags: Any) -> None:
    """Take the background out of soft edges.

    Writes the subject's own colour in linear light, unpremultiplied, so that it composites clean over a new background.
    """
    for role in ("plate", "alpha", "out"):
        flags[role] = sequences.with_view(flags[role], flags["view"])
    job = Recolour(dtype=dtype or "", **flags)
    job.check()
    started = time.perf_counter()
    files = job.find(sequences.parse_range(wanted) if wanted else None)
    job, doubt = job.settled(files)
    with frames_bar("foreground", len(files)) as tell:
        job.write(files, tell)
    seconds = time.perf_counter() - started
    if as_json:
        result = {"frames": len(files), "seconds": seconds, "colorspace": job.colorspace, "out": job.out}
        click.echo(json.dumps({**result, "warnings": [doubt] if doubt else []}))
        return
    if doubt:
        click.echo(f"Warning: {doubt}", err=True)
    click.echo(f"{counted(len(files), 'frame')} in {seconds:.1f} s, plate as {job.colorspace}")
    click.echo(job.out)
