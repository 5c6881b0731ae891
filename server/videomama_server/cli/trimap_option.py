"""The option `--trimap`: a job that delivers the trimaps of another job's edge refiner, over the same cached alphas."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from videomama_client.engine_options import EngineOption
from videomama_client.engine_settings import TRIMAP, engines_with
from videomama_client.objects import MaskObject
from videomama_client.stages import Stage, begun_with, stage_of

from videomama_server.cli.usage import WrongUse
from videomama_server.submission import Submission

_SHOW = "show"


def trimaps_of(order: Submission, out: str) -> Submission:
    """Return the job that delivers what the last edge refiner of a job takes for its trimap.

    Args:
        order: the job; of several objects each has an edge refiner.
        out: pattern of the trimaps' files, absolute; has `{object}` in it where there are several.

    Raises:
        BadInput: no stage is an edge refiner, or the files are those of the alphas.
    """
    if out == order.out:
        raise WrongUse("--trimap and --out name the same files", "Give the trimaps another name.")
    shown = replace(order, out=out, side_results=(), no_job_file=True)
    if order.objects:
        return replace(shown, objects=tuple(_object_shown(order, one) for one in order.objects))
    chain = _chain_shown((stage_of(order.settings), *order.then))
    if not chain:
        raise WrongUse("--trimap was given, and no stage of the job is an edge refiner", _add_refiner())
    return replace(shown, settings=begun_with(order.settings, chain[0]), then=chain[1:])


def _object_shown(order: Submission, one: MaskObject) -> MaskObject:
    """Return an object with a chain of its own that ends with its trimap."""
    chain = _chain_shown(one.stages or (stage_of(order.settings), *order.then))
    if not chain:
        raise WrongUse(f"--trimap was given, and no stage of object {one.name} is an edge refiner", _add_refiner())
    return replace(one, stages=chain)


def _chain_shown(chain: tuple[Stage, ...]) -> tuple[Stage, ...]:
    """Return a chain up to its last edge refiner, which shows its trimap; empty where it has none."""
    refiners = engines_with(_SHOW)
    places = [index for index, stage in enumerate(chain) if stage.engine in refiners]
    if not places:
        return ()
    *before, last = chain[: places[-1] + 1]
    return (*before, _showing(last))


def _add_refiner() -> str:
    return f"Leave it out, or add a stage such as --then {engines_with(_SHOW)[0]}."


def beside_sheet(order: Submission, folder: Path) -> str:
    """Return the pattern of trimaps for the contact sheet in a folder; empty for a job that makes none."""
    engines = {order.settings.engine, *(stage.engine for stage in order.then)}
    refines = not engines.isdisjoint(engines_with(_SHOW))
    return str(folder.absolute() / "trimap.####.exr") if refines and not order.objects else ""


def _showing(stage: Stage) -> Stage:
    options = [option for option in stage.options if option.name != _SHOW]
    return replace(stage, options=(*options, EngineOption(_SHOW, TRIMAP)))
