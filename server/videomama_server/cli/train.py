"""`videomama train`: train the networks that engines run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import click
from videomama_client.errors import BadInput

from videomama_server.cli.ablations import ablations
from videomama_server.cli.help_groups import GroupedCommand

if TYPE_CHECKING:
    from videomama_server.train.networks import Stage
    from videomama_server.train.recipe import Recipe

_CLIPS = ("--data", "--foregrounds", "--backgrounds", "--validation", "--masks")
_GROUPS = {
    "Networks": ("--unet", "--vae", "--teacher"),
    "Clips": _CLIPS,
    "Run": ("--out", "--stage", "--steps", "--lora", "--size", "--frames", "--batch", "--micro", "--estimate"),
    "Optimiser": ("--learning-rate", "--ema", "--precision", "--seed"),
    "Losses": ("--l1", "--laplacian", "--alignment"),
}
_MATTE_GROUPS = {
    "Network": ("--sam2",),
    "Clips": (*_CLIPS, "--every"),
    "Run": ("--out", "--steps", "--size", "--frames", "--batch", "--micro", "--estimate"),
    "Optimiser": ("--learning-rate", "--encoder-learning-rate", "--ema", "--precision", "--seed"),
    "Losses": ("--l1", "--laplacian"),
}
_EXAMPLES = (
    "--unet svd --vae svd --teacher dinov3 --foregrounds AIM --backgrounds BG20K --out runs/spatial",
    "--stage temporal --unet runs/spatial/result/VideoMaMa --vae svd --data labelled --out runs/temporal --alignment 0",
)
_MATTE_EXAMPLES = (
    "--sam2 sam2.1-hiera-large --foregrounds VideoMatte240K --backgrounds BG20K --data labelled --out runs/matte",
    "--sam2 sam2.1_hiera_base_plus.pt --data finished_shots --every 1 --steps 1000 --out runs/show",
)
_INSTALL = "Install the extra: pip install 'videomama-bridge[train]'."
_FOLDER = click.Path(path_type=Path, file_okay=False)
_CLIP_PLACE = click.Path(path_type=Path)  # a folder, or tar files
_Option = Callable[[Callable[..., None]], Callable[..., None]]  # a decorator of a command


class _Share(click.ParamType[Any]):
    name = "NAME=SHARE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, float]:
        if isinstance(value, tuple):
            return value
        name, _, share = str(value).partition("=")
        try:
            return name, float(share or 1)
        except ValueError:
            self.fail(f"{share!r} is not a share", param, ctx)


@click.group()
def train() -> None:
    """Train the networks of engines."""


train.add_command(ablations)


def _clip_options() -> tuple[_Option, ...]:
    """The options of all trainings that say what is learned from."""
    return (
        click.option(
            "--data",
            "finished",
            type=_CLIP_PLACE,
            multiple=True,
            help="Clips with exact alphas: a folder, or tar files such as set-{00..63}.tar; repeatable.",
        ),
        click.option(
            "--foregrounds", type=_CLIP_PLACE, multiple=True, help="Foregrounds with alphas, likewise; repeatable."
        ),
        click.option(
            "--backgrounds", type=_CLIP_PLACE, multiple=True, help="What foregrounds are composited over; repeatable."
        ),
        click.option(
            "--validation", type=_CLIP_PLACE, multiple=True, help="Clips that are only looked at; repeatable."
        ),
        click.option(
            "--masks",
            type=_Share(),
            multiple=True,
            help="Mask degradation and its share of the samples, such as mixed+temporal=0.5; repeatable.",
        ),
    )


def _run_options(rate: str, batch: int) -> tuple[_Option, ...]:
    """The options of all trainings that say how it is learned; arguments as of `_shared`."""
    return (
        click.option("--out", type=_FOLDER, required=True, help="Folder of the run. One that is there is resumed."),
        click.option("--steps", type=click.IntRange(1), help="Steps of the optimiser; by default 10000."),
        click.option("--batch", type=click.IntRange(1), help=f"Samples of a step, on all devices; by default {batch}."),
        click.option("--micro", type=click.IntRange(1), help="Samples that a device computes at once; by default 1."),
        click.option("--learning-rate", type=click.FloatRange(0, min_open=True), help=f"Of AdamW; by default {rate}."),
        click.option(
            "--ema", type=click.FloatRange(0, 1, max_open=True), help="Decay of averaged weights; 0 for none."
        ),
        click.option("--precision", type=click.Choice(["bf16", "fp32"]), help="Of products; by default bf16."),
        click.option(
            "--checkpointing", is_flag=True, default=None, help="Compute activations twice rather than keep them."
        ),
        click.option("--l1", type=click.FloatRange(0), help="Weight of the mean difference; by default 1."),
        click.option("--laplacian", type=click.FloatRange(0), help="Weight of the Laplacian pyramid; by default 15."),
        click.option("--seed", type=click.IntRange(0), help="Of all that is random; by default 42."),
        click.option("--save-every", type=click.IntRange(1), help="Steps between checkpoints; by default 500."),
        click.option("--validate-every", type=click.IntRange(1), help="Steps between validations; by default 500."),
        click.option("--keep", type=click.IntRange(1), help="Checkpoints that stay; by default 3."),
        click.option(
            "--workers", type=click.IntRange(0), default=2, show_default=True, help="Processes that make samples."
        ),
        click.option("--sharded", is_flag=True, help="Spread weights and optimiser over the devices (FSDP2)."),
        click.option("--estimate", is_flag=True, help="Say how much memory and how many hours it needs, and end."),
        click.option("--device", type=click.Choice(["auto", "cpu"]), default="auto", show_default=True),
    )


def _shared(rate: str, batch: int) -> _Option:
    """Return a decorator with the options that all trainings have.

    Args:
        rate: the learning rate by default.
        batch: samples of a step by default.
    """

    def decorated(command: Callable[..., None]) -> Callable[..., None]:
        for option in reversed((*_clip_options(), *_run_options(rate, batch))):
            command = option(command)
        return command

    return decorated


@train.command(cls=GroupedCommand, groups=_GROUPS, examples=_EXAMPLES)
@click.option(
    "--unet", type=_FOLDER, required=True, help="UNet to begin with: Stable Video Diffusion's or VideoMaMa's."
)
@click.option("--vae", type=_FOLDER, required=True, help="Folder of Stable Video Diffusion, or of its VAE.")
@click.option("--teacher", type=_FOLDER, help="Folder of DINOv3, which features are aligned with.")
@click.option("--stage", type=click.Choice(["spatial", "temporal"]), default="spatial", show_default=True)
@click.option("--size", type=click.IntRange(64), help="Pixels of a side; by default 1024, or 704 for temporal.")
@click.option("--frames", type=click.IntRange(1, 24), help="Frames of a sample; by default 1, or 3 for temporal.")
@click.option("--lora", type=click.IntRange(1), help="Train adapters of this rank, for your own plates.")
@click.option("--alignment", type=click.FloatRange(0), help="Weight of the alignment with DINOv3; by default 1.")
@_shared("5e-5", 64)
def videomama(unet: Path, vae: Path, teacher: Path | None, stage: Stage, **options: Any) -> None:
    """Train VideoMaMa.

    Start it with torchrun to use several devices. A run that ended is resumed by the same command. The result is
    in the run's folder under `result`, and can be given to the engine as its weights.
    """
    run = _training()
    from videomama_server.train.recipe import recipe_of

    clips, options = _split(options)
    inputs = run.Inputs(unet, vae, teacher, **clips)
    result = _train(inputs, recipe_of(stage), options)
    if result:
        click.echo(f"Trained: {result}. Try it: videomama matte --weights {result} ...")


@train.command(cls=GroupedCommand, groups=_MATTE_GROUPS, examples=_MATTE_EXAMPLES)
@click.option(
    "--sam2", type=click.Path(path_type=Path), required=True, help="SAM 2 or 2.1 to begin with: a folder or .pt file."
)
@click.option(
    "--every",
    type=click.FloatRange(0, 1),
    help="Share of the samples with a mask on each frame, not only on the first; by default 0.5.",
)
@click.option("--size", type=click.IntRange(64), help="Height of plates in pixels; by default 1024.")
@click.option("--frames", type=click.IntRange(1, 64), help="Frames of a sample; by default 8.")
@click.option(
    "--encoder-learning-rate", type=click.FloatRange(0), help="Of the image encoder; by default 3e-6. 0: it stays."
)
@_shared("5e-6", 8)
def sam2matte(sam2: Path, **options: Any) -> None:
    """Train SAM2-Matte: a SAM 2 that makes alphas.

    Devices, resuming and the result are as for VideoMaMa. The result is for the engine sam2matte.
    """
    run = _training()
    from videomama_server.train.recipe import matte_recipe

    clips, options = _split(options)
    result = _train(run.MatteInputs(sam2, **clips), matte_recipe(), options)
    if result:
        click.echo(f"Trained: {result}. Try it: videomama matte --engine sam2matte --weights {result} ...")


def _training() -> ModuleType:
    """Import what trains; raises `BadInput` where the extra is not installed."""
    try:
        from videomama_server.train import run
    except ModuleNotFoundError as error:
        raise BadInput(f"training needs {error.name}", _INSTALL) from error
    return run


def _split(options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the folders of clips, and the other options."""
    names = ("finished", "foregrounds", "backgrounds", "validation")
    return {name: options[name] for name in names}, {key: options[key] for key in options.keys() - set(names)}


def _train(inputs: Any, recipe: Recipe, options: dict[str, Any]) -> Path | None:
    """Train, and return the folder of the result in the process that leads; None where it is only estimated."""
    from videomama_server.train import run
    from videomama_server.train.processes import joined
    from videomama_server.train.trainer import Means

    out, device, only_estimate = (options.pop(name) for name in ("out", "device", "estimate"))
    means = Means(options.pop("workers"), options.pop("sharded"))
    with joined("cpu" if device == "cpu" else "") as processes:
        wanted = _recipe(inputs, recipe, options)
        if only_estimate:
            if processes.leads:
                run.tell_needs(inputs.objective(wanted), wanted, processes, _say)
            return None
        result: Path = run.train(out, inputs, wanted, processes, means, _say)
        return result if processes.leads else None


def _recipe(inputs: Any, recipe: Recipe, values: dict[str, Any]) -> Recipe:
    given = {name: value for name, value in values.items() if value not in (None, ())}
    folders = tuple((name, str(folder)) for name, some in vars(inputs).items() for folder in _listed(some))
    return replace(recipe, inputs=folders, **given)


def _listed(some: Any) -> tuple[Path, ...]:
    if isinstance(some, Path):
        return (some,)
    return some or ()


def _say(line: str) -> None:
    click.echo(line, err=True)
