"""A job as the worker took it in: the request, its stages, and what they stand for on this machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import cast

from videomama_client import objects
from videomama_client.job_records import Phase
from videomama_client.messages import FrameDone, JobEvent, StageFrameDone, SubmitMatte
from videomama_client.prompts import Prompt
from videomama_client.settings import MatteSettings, Resolved
from videomama_client.stages import MAKER, label

from videomama_server.engines.base import Engine, Loaded, licence_of, role_of
from videomama_server.engines.sequential import SequentialEngine, is_sequential
from videomama_server.media.delivery import Delivery
from videomama_server.pipeline.object_layers import ObjectLayers
from videomama_server.pipeline.reader import Reader
from videomama_server.pipeline.side_kinds import Side
from videomama_server.pipeline.sources import Source
from videomama_server.pipeline.stages import within

LICENCE = "videomama:licence"  # in the header of alphas


@dataclass(frozen=True)
class LightEngine:
    """The engine that takes a job where its subject is small: its name, the job's settings and notes for it."""

    name: str
    engine: Loaded
    settings: MatteSettings
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class LaterStage:
    """A stage after the first: its engine, the name that jobs ask for it by, its settings and notes for the person."""

    name: str
    engine: Loaded
    settings: MatteSettings
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Order:
    """One job as the worker took it in, or one later stage of it, or one of its objects.

    Attributes:
        request: its settings are those of this stage.
        engine_name, engine: of this stage.
        reader: of the plates and this stage's masks.
        delivery: of the last stage's alphas.
        light: None where the engine stays, however small the subject is.
        notes: for the person, of this stage.
        then: the stages after the first.
        index: of this stage, from 0.
        sides: what else is made of each frame once the alpha of the last stage is there.
        prompts: what the first stage is told of its object; none in later stages.
        key_masks: reads the painted frames among them, by frame.
        earlier: what the stages before this one say of their licences.
        make_room: has an engine other than the named one let go of memory; returns whether there was one.
        object: whose alphas these are, where a job has several objects; empty where it has one mask.
        siblings: the orders of the job's other objects, in the first one's.
        other_deliveries: of the job's other objects, where each has files of its own.
        layers: takes the alphas of all objects, where they become layers of one file.
        tell: takes what is being done beside finished frames; may be called from any thread.
        reserve: has other engines let go until the named one, which is about to compute with these settings, fits.
    """

    job: str
    request: SubmitMatte
    engine_name: str
    engine: Loaded
    reader: Reader
    delivery: Delivery
    light: LightEngine | None = None
    notes: tuple[str, ...] = ()
    then: tuple[LaterStage, ...] = ()
    index: int = 0
    sides: tuple[Side, ...] = ()
    prompts: tuple[Prompt, ...] = ()
    key_masks: Mapping[int, Reader] = field(default_factory=dict)
    object: str = ""
    siblings: tuple[Order, ...] = ()
    other_deliveries: tuple[Delivery, ...] = ()
    layers: ObjectLayers | None = None
    earlier: tuple[str, ...] = ()
    make_room: Callable[[str], bool] = lambda _: False
    reserve: Callable[[str, Resolved], None] = lambda _, __: None
    tell: Callable[[Phase], None] = lambda _: None

    @property
    def label(self) -> str:
        """What a person knows this stage by; empty for the only one."""
        return label(self.index, self.engine_name, 1 + len(self.then))

    @property
    def windowed(self) -> Engine:
        """This stage's engine, as one of windows."""
        return cast("Engine", self.engine)

    @property
    def walking(self) -> SequentialEngine | None:
        """This stage's engine where it is one that walks through the clip."""
        return self.engine if is_sequential(self.engine) else None

    @property
    def object_label(self) -> str:
        """What a person knows this object by; empty for a job of one mask."""
        return objects.label(self.object)

    def named(self) -> AbstractContextManager[None]:
        """Name the object in whatever goes wrong meanwhile."""
        return within(self.object_label, self.object)

    @property
    def is_last(self) -> bool:
        """Whether this stage's alphas are those that are delivered and judged."""
        return self.index == len(self.then)

    @property
    def is_judged(self) -> bool:
        """Whether quality control looks at this stage's alphas: they are delivered, and there are masks to compare.

        What an engine makes that walks from prompts is compared with nothing.
        """
        return self.is_last and self.reader.has_masks and self.walking is None

    @property
    def makes_masks(self) -> bool:
        """Whether this stage's alphas may lie where its own masks are empty."""
        return role_of(self.engine) == MAKER

    @property
    def licence(self) -> str:
        """The licence of the weights that this stage's engine works with; empty where it says none."""
        return licence_of(self.engine, self.request.settings)

    @property
    def attributes(self) -> dict[str, str]:
        """Strings for the header of this stage's alphas: the licences of all that made them, where some are known."""
        said = "; ".join((*self.earlier, *_said(self.engine_name, self.licence)))
        return {LICENCE: said} if said else {}

    def stages(self) -> tuple[Order, ...]:
        """Return an order for each stage of the job, first to last. Later ones read masks only `over` a source."""
        later = (
            replace(
                self,
                request=replace(self.request, settings=stage.settings),
                engine_name=stage.name,
                engine=stage.engine,
                light=None,
                notes=stage.notes,
                index=index,
                prompts=(),
                key_masks={},
                earlier=self._before(index),
            )
            for index, stage in enumerate(self.then, 1)
        )
        return (self, *later)

    def objects(self) -> tuple[Order, ...]:
        """Return the order of each object of the job; this one alone where it has one mask."""
        return (replace(self, siblings=()), *self.siblings)

    def _before(self, index: int) -> tuple[str, ...]:
        """Return what the stages before one say of their licences; this order is that of the first."""
        said = [_said(self.engine_name, self.licence)]
        said += [_said(stage.name, licence_of(stage.engine, stage.settings)) for stage in self.then[: index - 1]]
        return tuple(chain.from_iterable(said))

    def over(self, masks: Source) -> Order:
        """Return the order of a later stage with the source of its masks."""
        return replace(self, reader=self.reader.over(masks))

    def deliver(self, entry: Path, frame: int, cached: bool) -> list[JobEvent]:
        """Deliver an alpha of this stage, if it is the last, and return what clients are told.

        Raises:
            FileNotFoundError: the entry is gone.
            AlphaLost: that of another object is gone.
            OSError, NotPermitted: the disk is full or failing.
        """
        kept = StageFrameDone(self.job, self.index, frame, cached, self.object)
        if not self.is_last:
            return [kept]
        if self.layers is None:
            path = self.delivery.saying(self.attributes).deliver(entry, frame)
            return [FrameDone(self.job, frame, cached, str(path), self.object)]
        whole = self.layers.add(self.object, frame, entry, cached, self.attributes)
        return [kept, FrameDone(self.job, frame, whole.cached, str(whole.path))] if whole else [kept]


def _said(name: str, licence: str) -> tuple[str, ...]:
    """Return the licence of an engine with its name; nothing where none is known."""
    return (f"{name}: {licence}",) if licence else ()
