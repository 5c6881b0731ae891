"""A job as the worker took it in: the request, its stages, and what they stand for on this machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from videomama_client.messages import FrameDone, JobEvent, StageFrameDone, SubmitMatte
from videomama_client.settings import MatteSettings
from videomama_client.stages import MAKER, label

from videomama_server.engines.base import Engine, role_of
from videomama_server.media.delivery import Delivery
from videomama_server.pipeline.reader import Reader
from videomama_server.pipeline.sources import Source


@dataclass(frozen=True)
class LightEngine:
    """The engine that takes a job where its subject is small: its name, the job's settings and notes for it."""

    name: str
    engine: Engine
    settings: MatteSettings
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class LaterStage:
    """A stage after the first: its engine, the name that jobs ask for it by, its settings and notes for the person."""

    name: str
    engine: Engine
    settings: MatteSettings
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Order:
    """One job as the worker took it in, or one later stage of it.

    Attributes:
        request: its settings are those of this stage.
        engine_name, engine: of this stage.
        reader: of the plates and this stage's masks.
        delivery: of the last stage's alphas.
        light: None where the engine stays, however small the subject is.
        notes: for the person, of this stage.
        then: the stages after the first.
        index: of this stage, from 0.
        make_room: has an engine other than the named one let go of memory; returns whether there was one.
    """

    job: str
    request: SubmitMatte
    engine_name: str
    engine: Engine
    reader: Reader
    delivery: Delivery
    light: LightEngine | None = None
    notes: tuple[str, ...] = ()
    then: tuple[LaterStage, ...] = ()
    index: int = 0
    make_room: Callable[[str], bool] = lambda _: False

    @property
    def label(self) -> str:
        """What a person knows this stage by; empty for the only one."""
        return label(self.index, self.engine_name, 1 + len(self.then))

    @property
    def is_last(self) -> bool:
        """Whether this stage's alphas are those that are delivered and judged."""
        return self.index == len(self.then)

    @property
    def is_judged(self) -> bool:
        """Whether quality control looks at this stage's alphas: they are delivered, and there are masks to compare."""
        return self.is_last and self.reader.has_masks

    @property
    def makes_masks(self) -> bool:
        """Whether this stage's alphas may lie where its own masks are empty."""
        return role_of(self.engine) == MAKER

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
            )
            for index, stage in enumerate(self.then, 1)
        )
        return (self, *later)

    def over(self, masks: Source) -> Order:
        """Return the order of a later stage with the source of its masks."""
        return replace(self, reader=self.reader.over(masks))

    def deliver(self, entry: Path, frame: int, cached: bool) -> JobEvent:
        """Deliver an alpha of this stage, if it is the last, and return what clients are told.

        Raises:
            FileNotFoundError: the entry is gone.
            OSError, NotPermitted: the disk is full or failing.
        """
        if not self.is_last:
            return StageFrameDone(self.job, self.index, frame, cached)
        return FrameDone(self.job, frame, cached, str(self.delivery.deliver(entry, frame)))
