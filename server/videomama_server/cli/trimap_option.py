"""The option `--trimap`: a job that delivers the trimaps of another job's edge refiner, over the same cached alphas."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from videomama_client.engine_options import EngineOption
from videomama_client.engine_settings import TRIMAP, engines_with
from videomama_client.stages import Stage

from videomama_server.cli.usage import WrongUse
from videomama_server.submission import Submission

_SHOW = "show"


def trimaps_of(order: Submission, out: str) -> Submission:
    """Return the job that delivers what the last edge refiner of a job takes for its trimap.

    Args:
        order: the job.
        out: pattern of the trimaps' files, absolute.

    Raises:
        BadInput: no stage is an edge refiner, or the files are those of the alphas.
    """
    refiners = engines_with(_SHOW)
    if out == order.out:
        raise WrongUse("--trimap and --out name the same files", "Give the trimaps another name.")
    shown = replace(order, out=out, side_results=(), no_job_file=True)
    places = [index for index, stage in enumerate(order.then) if stage.engine in refiners]
    if places:
        *before, last = order.then[: places[-1] + 1]
        return replace(shown, then=(*before, _showing(last)))
    if order.settings.engine in refiners:
        return replace(shown, settings=order.settings.with_options(show=TRIMAP), then=())
    raise WrongUse(
        "--trimap was given, and no stage of the job is an edge refiner",
        f"Leave it out, or add a stage such as --then {refiners[0]}.",
    )


def beside_sheet(order: Submission, folder: Path) -> str:
    """Return the pattern of trimaps for the contact sheet in a folder; empty for a job that makes none."""
    engines = {order.settings.engine, *(stage.engine for stage in order.then)}
    refines = not engines.isdisjoint(engines_with(_SHOW))
    return str(folder.absolute() / "trimap.####.exr") if refines and not order.objects else ""


def _showing(stage: Stage) -> Stage:
    options = [option for option in stage.options if option.name != _SHOW]
    return replace(stage, options=(*options, EngineOption(_SHOW, TRIMAP)))
