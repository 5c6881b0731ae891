"""A chain of stages: engines that work one after the other, each on the alphas of the one before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Optional

from videomama_client.engine_options import EngineOption
from videomama_client.settings import MatteSettings

MOST_STAGES = 8  # of one job
MAKER = "maker"  # makes a mask per frame of little: a click, one painted frame
MATTING = "matting"  # makes an alpha of a plate and a rough mask
REFINER = "refiner"  # sharpens an alpha
ADJUSTMENT = "adjustment"  # changes a finished alpha
ROLES = (MAKER, MATTING, REFINER, ADJUSTMENT)  # of engines, in the order in which they may follow each other
# What says how a mask on disk is read and shaped. The mask of a later stage is an alpha of the stage before.
_OF_THE_FILE = ("mask_channel", "mask_colour", "mask_grow", "mask_close_holes")


@dataclass(frozen=True)
class Stage:
    """A stage after the first: a record inside `SubmitMatte` and `PlanFrames`.

    Fields:
        engine: as in `MatteSettings`.
        options: that the engine has of its own.
        window, overlap: in frames; None for the engine's own.
    """

    engine: str
    options: tuple[EngineOption, ...] = ()
    window: Optional[int] = None
    overlap: Optional[int] = None


def stage_of(settings: MatteSettings) -> Stage:
    """Return the stage that settings are of, without what all stages share."""
    return Stage(settings.engine, settings.engine_options, settings.window, settings.overlap)


def begun_with(settings: MatteSettings, stage: Stage) -> MatteSettings:
    """Return the settings of a job that begins with another stage; what all stages share, and the mask, stay."""
    return replace(
        settings, engine=stage.engine, engine_options=stage.options, window=stage.window, overlap=stage.overlap
    )


def settings_of(first: MatteSettings, stage: Stage) -> MatteSettings:
    """Return the settings of a later stage: what it says itself, and what all stages share.

    What shapes the mask on disk is at its default: this stage never sees that mask.

    Args:
        first: the settings of the job, which are those of its first stage.
        stage: the later one.
    """
    plain = MatteSettings()
    return replace(begun_with(first, stage), **{name: getattr(plain, name) for name in _OF_THE_FILE})


def label(index: int, engine: str, count: int) -> str:
    """Return what a person knows a stage by, such as `stage 2, classic`; empty for the only one.

    Args:
        index: of the stage, from 0.
        engine: of it.
        count: of the job's stages.

    Example:
        >>> label(1, "classic", 3)
        'stage 2, classic'
    """
    return f"stage {index + 1}, {engine}" if count > 1 else ""


def place(index: int, engine: str, count: int, name: str = "") -> str:
    """Return which of several stages one is, such as `1 of 2, classic`; of the only one, its engine.

    Args:
        index, engine, count: as of `label`.
        name: of the object whose stage it is, such as `hero`; empty for a job of one mask.
    """
    said = f"{index + 1} of {count}, {engine}" if count > 1 else engine
    return f"{name}, {said}" if name else said
