"""Turns the stages of a request into engines and settings, and refuses chains that cannot be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

from videomama_client import prompts
from videomama_client.errors import BadInput, VideoMaMaError, naming
from videomama_client.prompts import Prompt
from videomama_client.settings import MatteSettings
from videomama_client.stages import (
    ADJUSTMENT,
    MAKER,
    MATTING,
    MOST_STAGES,
    REFINER,
    ROLES,
    Stage,
    label,
    settings_of,
)

from videomama_server import engines
from videomama_server.engines.base import EngineConfig

_SPOKEN = {
    MAKER: "a mask maker",
    MATTING: "a matting engine",
    REFINER: "an edge refiner",
    ADJUSTMENT: "an adjustment",
}


@dataclass(frozen=True)
class ChosenStage:
    """What one stage stands for on this machine.

    Attributes:
        name: of its engine, never `auto`.
        settings: with those of the engine's options that are not at their defaults.
        config: what the engine is told of this machine.
        label: what a person knows it by; empty for the only stage of a job.
        notes: for the person.
    """

    name: str
    settings: MatteSettings
    config: EngineConfig
    label: str
    notes: tuple[str, ...] = ()


def chosen(
    settings: MatteSettings,
    then: Sequence[Stage],
    config_of: Callable[[MatteSettings], EngineConfig],
    has_mask: bool,
    told: Sequence[Prompt] = (),
) -> list[ChosenStage]:
    """Return the stages of a job, first to last.

    Args:
        settings: of the first.
        then: the others.
        config_of: returns what an engine is told of this machine for settings.
        has_mask: whether the job has masks on disk, or sent by its client.
        told: the prompts of the first stage.

    Raises:
        BadInput: too many stages, or one that cannot be or cannot come where it stands; the message names the stage.
            Prompts that cannot be, or that the first stage does not take.
        NotPermitted: weights outside of the server's roots.
    """
    count = 1 + len(then)
    if count > MOST_STAGES:
        raise BadInput(f"the job has {count} stages", f"Use {MOST_STAGES} stages or fewer.")
    asked = [settings, *(settings_of(settings, stage) for stage in then)]
    found = []
    for index, own in enumerate(asked):
        with within(label(index, own.engine, count)):
            own.check()
            config = config_of(own)
            name = engines.resolve(own.engine, config, walks=index == 0 and has_mask and not told)
            settled, known_by = engines.settled(name, own), label(index, name, count)
            found.append(ChosenStage(name, settled.settings, config, known_by, noted(known_by, settled.notes)))
    _check_prompts(found, has_mask, told)
    _check_order(found, has_mask or bool(told))
    return found


def noted(stage: str, notes: Iterable[str]) -> tuple[str, ...]:
    """Return notes for the person, each of which names its stage; `stage` is as in `within`."""
    return tuple(f"{stage}: {note}" if stage else note for note in notes)


@contextmanager
def within(stage: str, name: str = "") -> Iterator[None]:
    """Name a stage in whatever goes wrong meanwhile.

    Args:
        stage: its label, or that of an object; empty for the only one of a job, which needs no name.
        name: of the object, where the label is one's.
    """
    try:
        with naming(stage, name):
            yield
    except BaseException as error:
        if stage and not isinstance(error, VideoMaMaError):
            error.add_note(stage)  # `error_boundary` puts it into the message
        raise


def _check_prompts(found: Sequence[ChosenStage], has_mask: bool, told: Sequence[Prompt]) -> None:
    """Raise `BadInput` for prompts that cannot be, or that the first stage does not take, and for those it lacks."""
    first, *later = found
    prompts.check(told)
    with within(first.label):
        prompts.check_kinds(told, first.name, engines.takes(first.name), has_mask)
    names = prompts.objects_of(told)
    if len(names) > 1:
        shown = ", ".join(name or "one without a name" for name in names)
        raise BadInput(
            f"the prompts are of several objects: {shown}", "Name them with --object, or submit a job for each."
        )
    for stage in later:
        if engines.is_sequential(stage.name):
            raise BadInput(
                f"{stage.label}: an engine that walks through the clip from prompts can only come first",
                "Make it the first stage, or a job of its own whose masks the next job takes.",
            )


def _check_order(found: Sequence[ChosenStage], has_mask: bool) -> None:
    """Raise `BadInput` where roles go backwards, or there is neither a mask nor an engine that makes one."""
    if len(found) == 1 and has_mask:
        return
    roles = [engines.role(stage.name) for stage in found]
    if not has_mask and roles[0] != MAKER:
        raise BadInput(
            "the job has no mask, and its first stage does not make one",
            "Give it a mask, or begin with an engine that makes masks (--maker).",
        )
    for (before, earlier), (stage, role) in pairwise(zip(found, roles, strict=True)):
        if ROLES.index(role) < ROLES.index(earlier):
            raise BadInput(
                f"{stage.label}: {_SPOKEN[role]} cannot come after {before.name}, which is {_SPOKEN[earlier]}",
                f"Put the stages into this order: {', '.join(ROLES)}.",
            )
