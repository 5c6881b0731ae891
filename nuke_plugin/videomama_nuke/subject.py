"""What a node says of its subjects: a mask maker with prompts, and objects, as a job takes them. Knows no Nuke."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Optional

from videomama_client import objects
from videomama_client.objects import MaskObject
from videomama_client.prompts import MASK, Prompt, objects_of
from videomama_client.settings import MatteSettings
from videomama_client.stages import Stage

MOST_OBJECTS = 4  # of one node: the gizmo's graph has a row for each
_OF_THE_EXPORT = "A"  # the channel that holds the mask in every exported file


@dataclass(frozen=True)
class Subject:
    """What the masks of a node come from, beside the mask input.

    Attributes:
        maker: the stage that makes masks; None where the mask input is the mask.
        prompts: of the maker. The file of a painted frame is not known yet.
        channels: of the mask input, by the object whose mask it is.
        absent: frames in which an object is not in the picture, by its name; by an empty one for the only subject.
    """

    maker: Optional[Stage] = None
    prompts: tuple[Prompt, ...] = ()
    channels: tuple[tuple[str, str], ...] = ()
    absent: tuple[tuple[str, str], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the objects, in the order of their layers; empty where there is one subject without a name."""
        told = [name for name in objects_of(self.prompts) if name]
        return tuple(dict.fromkeys([*(name for name, _ in self.channels), *told]))

    @property
    def by_mask_input(self) -> bool:
        """Whether the mask channel of the node is the mask of the job."""
        return self.maker is None and not self.channels

    @property
    def number_after(self) -> int:
        """The number of the stage after the engine's, counted from 1: a maker is a stage before it."""
        return 3 if self.maker else 2

    @property
    def kept(self) -> dict[str, Any]:
        """All of it as records and keys have it; empty where the mask input is all there is."""
        if self.by_mask_input:
            return {}
        told = [{**asdict(one), "place": list(one.place)} for one in self.prompts]
        found = {"maker": _kept(self.maker), "prompts": told, "objects": dict(self.channels), "names": list(self.names)}
        return {**found, "absent": dict(self.absent)}


@dataclass(frozen=True)
class Chain:
    """What a job is told of its stages and masks; see `SubmitMatte` for the fields."""

    settings: MatteSettings
    then: tuple[Stage, ...] = ()
    prompts: tuple[Prompt, ...] = ()
    objects: tuple[MaskObject, ...] = ()


def chain_of(
    subject: Subject,
    settings: MatteSettings,
    then: tuple[Stage, ...],
    painted: str = "",
    masks: Optional[Mapping[str, str]] = None,
) -> Chain:
    """Return what a job is told.

    Args:
        subject: of the node.
        settings: of the engine that refines; `then` are the stages after it.
        painted: pattern of the exported frames, whose mask is what a painted frame shows.
        masks: pattern of the exported masks by channel of the mask input.
    """
    told = tuple(
        replace(one, file=painted % one.frame) if one.kind == MASK and one.frame is not None and painted else one
        for one in subject.prompts
    )
    channels, absent, patterns = dict(subject.channels), dict(subject.absent), masks or {}
    named = tuple(
        MaskObject(
            name,
            patterns.get(channels[name], channels[name]) if name in channels else "",
            mask_channel=_OF_THE_EXPORT if name in channels else "",
            absent=absent.get(name, ""),
        )
        for name in subject.names
    )
    chain = Chain(settings, then, told, named)
    if subject.maker is None:
        return chain
    first, later, named = objects.behind_maker(subject.maker, settings, then, named, told)
    alone = absent.get("", "")
    return Chain(first.with_options(absent=alone) if alone else first, later, told, named)


def _kept(stage: Optional[Stage]) -> Optional[dict[str, Any]]:
    if stage is None:
        return None
    return {**asdict(stage), "options": {option.name: option.value for option in stage.options}}
