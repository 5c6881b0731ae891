"""What is evaluated, with what, and what comes of it: units, and those that failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from videomama_server.datasets.clip import Files, GroundTruthClip
from videomama_server.evaluate.asked import GIVEN, AskedEngine, AskedMasks, MeasureChoice, parse_masks
from videomama_server.evaluate.unit_result import UnitResult

WORK = "work"
_OF_DATA = AskedMasks(GIVEN)
_MIXED = parse_masks("mixed")


@dataclass(frozen=True)
class EvaluationPlan:
    """What is to be evaluated.

    Attributes:
        clips: with names that differ.
        engines: at least one.
        masks: empty for those of the data where a clip has some, else `mixed`.
        measures: to take.
        folder: of the results; alphas and results go to `work` in it.
    """

    clips: Sequence[GroundTruthClip]
    engines: Sequence[AskedEngine]
    masks: Sequence[AskedMasks]
    measures: MeasureChoice
    folder: Path

    @property
    def engine_names(self) -> list[str]:
        """The names of all engines that take part, those that make masks as well."""
        makers = [kind.maker.name for kind in self.masks if kind.maker]
        return [*makers, *(asked.settings.engine for asked in self.engines)]

    def masks_of(self, clip: GroundTruthClip) -> Sequence[AskedMasks]:
        """Return which masks a clip is evaluated with; one without exact alpha has none but its own."""
        if clip.truth is None:
            return [_OF_DATA]
        return self.masks or [_OF_DATA if clip.mask is not None else _MIXED]


@dataclass(frozen=True)
class Unit:
    """One engine, another tool, or the masks, on one clip with one kind of masks; and what came of it.

    Attributes:
        clip: measured on.
        masks: name of their kind.
        engine: as asked for, the name of another tool, or `mask`.
        alphas: where its alphas are, or its masks.
        result: its scores.
        again: whether they were there before.
    """

    clip: GroundTruthClip
    masks: str
    engine: str
    alphas: Files
    result: UnitResult
    again: bool


@dataclass(frozen=True)
class Failure:
    """A unit that could not be done, and why; `engine` is `mask` where that is so for all engines."""

    clip: str
    masks: str
    engine: str
    message: str
    hint: str


@dataclass(frozen=True)
class EvaluationOutcome:
    """All units that were done, in the order of the plan, and those that failed."""

    units: list[Unit] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
