"""`videomama label`: make alphas of the masks of a large data set, to train on."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import click
from rich.progress import MofNCompleteColumn
from videomama_client.client import Client
from videomama_client.settings import MatteSettings
from videomama_client.stage_words import read_at
from videomama_client.wording import counted

from videomama_server.cli import EXIT_FAILED
from videomama_server.cli.bar import Bar
from videomama_server.cli.cluster_options import Place, cluster_options
from videomama_server.cli.settings_options import (
    CommandWithSettings,
    set_option,
    settings_from,
    settings_options,
    with_options,
)
from videomama_server.cli.then_option import take_then, then_option
from videomama_server.cli.usage import WrongUse, reading_words
from videomama_server.datasets.annotated_layouts import LAYOUTS, find_clips
from videomama_server.label.plan import Chain, LabelPlan, shard_of
from videomama_server.label.records import LABELS, MANIFEST
from videomama_server.label.run import Labeller, LabelOutcome
from videomama_server.qc.report import make_folder

_GROUPS = {
    "Clips": ("--layout", "--licence", "--shard"),
    "Output": ("--out", "--tolerate"),
    "Masks": ("--maker", "--maker-set"),
    "Engine": ("--engine", "--quality", "--mask-quality", "--then", "--set"),
    "Job": ("--on", "--gpus", "--no-start", "--connection-file", "--json"),
    "Help": ("--help-all", "--help"),
}
_EXAMPLES = (
    "sav_train --out labelled --engine classic --licence 'CC BY 4.0'",
    "sav_train --out labelled --maker sam2 --engine videomama --then vitmatte --shard 3/64",
    "sav_train --out /shared/labelled --engine videomama --on ray://head:10001",
)
_OF_FILES = ("plate_layer", "mask_channel", "mask_colour", "view")
_SHARD = re.compile(r"([1-9]\d{0,5})/([1-9]\d{0,5})")


class _Shard(click.ParamType[Any]):
    name = "PART/COUNT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        found = _SHARD.fullmatch(str(value))
        if found is None or int(found[1]) > int(found[2]):
            self.fail(f"{value!r} is not a part of a whole, such as 3/64", param, ctx)
        return int(found[1]), int(found[2])


@click.command(cls=CommandWithSettings, groups=_GROUPS, examples=_EXAMPLES)
@click.argument("data", metavar="SET", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the labels.")
@click.option("--layout", type=click.Choice(list(LAYOUTS)), help="Layout of the folders. By default it is detected.")
@click.option("--licence", default="not stated", show_default=True, help="Licence of the clips, for the manifest.")
@click.option(
    "--shard", type=_Shard(), default="1/1", help="Label one part of the clips, such as 3/64; by default all."
)
@click.option(
    "--tolerate",
    type=click.FloatRange(0, 1),
    default=0.1,
    show_default=True,
    metavar="SHARE",
    help="Share of a label's frames that quality control may flag before the label is rejected.",
)
@click.option(
    "--maker",
    default="",
    metavar="ENGINE",
    help="Engine that makes the masks between annotated frames; without one, annotated frames alone are labelled.",
)
@click.option(
    "--maker-set", "maker_options", multiple=True, metavar="NAME=VALUE", help="A setting of that engine; repeatable."
)
@settings_options
@set_option
@then_option
@cluster_options
@click.option("--no-start", is_flag=True, help="Do not start a server when none runs.")
@click.option("--connection-file", type=click.Path(path_type=Path), help="Connection file of the server to use.")
@click.option("--json", "as_json", is_flag=True, help="Print the statistics as one line of JSON.")
def label(data: Path, out: Path, shard: tuple[int, int], as_json: bool, **flags: Any) -> None:
    """Make alphas of a data set's masks, to train on.

    SET is a folder of SA-V, DAVIS, YouTube-VOS, or of plain folders plate and mask per shot. Each object of a clip
    becomes a label. What an earlier run or another shard finished in the same --out folder is not done again.
    """
    server = Place(*(flags.pop(name) for name in ("on", "gpus", "connection_file", "no_start")))
    folder, place = (Path(os.path.abspath(one)) for one in (data, out))  # noqa: PTH100 - links stay
    layout, licence, tolerate = (flags.pop(name) for name in ("layout", "licence", "tolerate"))
    clips = shard_of(find_clips(folder, layout or ""), *shard)
    with server.connect() as client:
        chain = _chain(client, flags)
    doer = server.doer(chain.engines, place)
    make_folder(place)
    plan = LabelPlan(clips, chain, tolerate, licence, place)
    with _Progress() as progress:
        outcome = Labeller(plan, doer, progress).run()
    _tell(outcome, place, as_json)
    if outcome.failed:
        sys.exit(EXIT_FAILED)


def _chain(client: Client, flags: dict[str, Any]) -> Chain:
    """Return the engines that the flags of the command ask for; raises `BadInput` for what cannot be together."""
    maker, maker_options = flags.pop("maker"), flags.pop("maker_options")
    own_options, words = flags.pop("own_options"), take_then(flags)
    if maker_options and not maker:
        raise WrongUse("--maker-set is given without --maker", "Name the engine that makes the masks with --maker.")
    with reading_words():
        settings = settings_from(flags)
        settings.check()
    _check_of_use(settings)
    settings = with_options(client, settings, own_options)
    then = tuple(read_at(client, stage, number) for number, stage in enumerate(words, 2))
    made = with_options(client, _maker_settings(settings, maker), maker_options) if maker else None
    return Chain(settings, then, made)


def _check_of_use(settings: MatteSettings) -> None:
    """Raise `WrongUse` for settings that say how a file is read: training reads the labels' files without them."""
    for name in _OF_FILES:
        if getattr(settings, name):
            option = f"--{name.replace('_', '-')}"
            raise WrongUse(
                f"{option} is of no use here", "Leave it out: the layouts say how plates and masks are read."
            )


def _maker_settings(settings: MatteSettings, maker: str) -> MatteSettings:
    return MatteSettings(engine=maker, colorspace=settings.colorspace, exposure=settings.exposure)


def _tell(outcome: LabelOutcome, out: Path, as_json: bool) -> None:
    facts = {"made": len(outcome.made), "kept": len(outcome.kept), "failed_now": len(outcome.failed)}
    if as_json:
        sheets = [str(path) for path in outcome.sheets]
        click.echo(json.dumps({**facts, **outcome.statistics, "out": str(out), "sheets": sheets}))
        return
    for one in outcome.made:
        for reason in one.reasons:
            click.echo(f"Rejected {one.name}: {reason}")
    rejected = sum(bool(one.reasons) for one in (*outcome.made, *outcome.kept))
    count = counted(len(outcome.made) + len(outcome.kept), "object")
    click.echo(f"{count}, {len(outcome.kept)} from an earlier run: {rejected} rejected, {len(outcome.failed)} failed.")
    click.echo(f"Train with --data {out / LABELS}. All are listed in {out / MANIFEST}.")
    for sheet in outcome.sheets:
        click.echo(sheet)


class _Progress(Bar):
    """Shows labelling on the error stream: a bar of clips in a terminal, a line per clip elsewhere."""

    def __init__(self) -> None:
        super().__init__(MofNCompleteColumn())
        self._name, self._frames = "", 0

    def begin(self, clips: int) -> None:
        """See `run.Progress`."""
        if self.shown:
            self.shown.add_task("", total=clips)

    def unit(self, name: str) -> None:
        """See `run.Progress`."""
        self._name, self._frames = name, 0
        if self.shown:
            self.shown.update(self.shown.task_ids[-1], description=name)
        else:
            click.echo(name, err=True)

    def step(self, count: int = 1) -> None:
        """See `run.Progress`."""
        self._frames += count
        if self.shown:
            self.shown.update(self.shown.task_ids[-1], description=f"{self._name}, {counted(self._frames, 'frame')}")

    def done(self) -> None:
        """See `run.Progress`."""
        if self.shown:
            self.shown.advance(self.shown.task_ids[-1])
