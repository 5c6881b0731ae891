"""Runs every unit that has no valid result: engines through the real server, masks by themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

from videomama_client.client import Client
from videomama_client.errors import BadInput, NotPermitted, ServerUnreachable, VideoMaMaError
from videomama_client.messages import BATCH, FrameDone, MatteDone

from videomama_server.evaluate import masks as masking
from videomama_server.evaluate import unit_result
from videomama_server.evaluate.asked import GIVEN, MASK, AskedEngine, AskedMasks, MeasureChoice, parse_masks
from videomama_server.evaluate.clip import Files, GroundTruthClip
from videomama_server.evaluate.measure import measure
from videomama_server.evaluate.unit_result import UnitResult, fingerprint
from videomama_server.media.sequences import whole_range
from videomama_server.submission import Submission, submit

WORK = "work"


class Progress(Protocol):
    """Is told how an evaluation goes on; a step is a frame computed, or a frame measured."""

    def begin(self, steps: int) -> None:
        """So many steps are ahead in all."""

    def unit(self, name: str) -> None:
        """A unit is taken up."""

    def step(self, count: int = 1) -> None:
        """So many steps are done, or need not be."""

    def say(self, text: str) -> None:
        """Something is worth a line."""


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


_OF_DATA = AskedMasks(GIVEN, None)
_MIXED = parse_masks("mixed")


class Runner:
    """Does the units of a plan, one after the other; what has a valid result is not done again.

    Args:
        plan: what to do.
        connect: returns a client of a server that runs; called again when the one before was lost.
        progress: is told.
    """

    def __init__(self, plan: EvaluationPlan, connect: Callable[[], Client], progress: Progress) -> None:
        self._plan, self._connect, self._progress = plan, connect, progress
        self._client: Client | None = None
        self._outcome = EvaluationOutcome()

    def run(self) -> EvaluationOutcome:
        """Do all units; one that fails does not keep the others from being done.

        Raises:
            KeyboardInterrupt: the job under way was cancelled on the server.
        """
        plan = self._plan
        of_clip = {clip.name: 1 + len(plan.engines) + len(clip.others) for clip in plan.clips}
        steps = [2 * len(clip.numbers) * of_clip[clip.name] * len(plan.masks_of(clip)) for clip in plan.clips]
        self._progress.begin(sum(steps))
        try:
            for clip in plan.clips:
                for masks in plan.masks_of(clip):
                    self._all_engines(clip, masks)
        finally:
            self._drop_client()
        return self._outcome

    def _all_engines(self, clip: GroundTruthClip, masks: AskedMasks) -> None:
        given = self._tried(clip, masks, MASK, partial(self._evaluate_masks, clip, masks))
        if given is not None:
            for engine in self._plan.engines:
                self._tried(clip, masks, engine.name, partial(self._evaluate_engine, given, engine))
            for name, alphas in clip.others.items():
                self._tried(clip, masks, name, partial(self._other_unit, given, name, alphas))

    def _tried(self, clip: GroundTruthClip, masks: AskedMasks, engine: str, do: Callable[[], Unit]) -> Unit | None:
        """Take in the unit that `do` does, or its failure, and then return None."""
        self._progress.unit(f"{clip.name}, {masks.name} masks" + f", {engine}" * (engine != MASK))
        try:
            unit = do()
        except (VideoMaMaError, OSError) as error:
            if isinstance(error, ServerUnreachable):
                self._drop_client()
            told = error if isinstance(error, VideoMaMaError) else NotPermitted(str(error), "Check the disk.")
            self._outcome.failures.append(Failure(clip.name, masks.name, engine, told.message, told.hint))
            self._progress.say(f"{clip.name}, {engine}: FAILED: {told.message}")
            return None
        self._outcome.units.append(unit)
        return unit

    def _evaluate_masks(self, clip: GroundTruthClip, masks: AskedMasks) -> Unit:
        folder = self._folder(clip, masks.name, MASK)
        targets = masking.files(clip, masks, folder)
        mark = fingerprint(
            (clip.plate, clip.truth, None if masks.degradation else clip.mask, self._foreground(clip)),
            masks=masks.name,
            clip=clip.name,
            measures=asdict(self._plan.measures),
        )

        def make() -> UnitResult:
            masking.write(clip, masks, targets, self._progress.step)
            size, scores = measure(clip, targets, self._plan.measures, True, self._progress.step)
            return UnitResult(mark, "", size, clip.numbers, scores)

        found, again = self._kept_or_made(folder, mark, targets, make)
        return Unit(clip, masks.name, MASK, targets, found, again)

    def _evaluate_engine(self, given: Unit, engine: AskedEngine) -> Unit:
        clip = given.clip
        folder = self._folder(clip, given.masks, engine.slug)
        targets = {number: folder / f"alpha.{number:04d}.exr" for number in clip.numbers}
        mark = fingerprint(
            (), masks=given.result.fingerprint, settings=engine.settings.plain(), engine=engine.signature
        )

        def make() -> UnitResult:
            done = self._refine(given, engine, folder)
            size, scores = measure(clip, targets, self._plan.measures, False, self._progress.step)
            whole = done.computed == done.frame_count
            seconds = done.seconds / done.frame_count if whole else None
            return UnitResult(mark, done.engine, size, clip.numbers, scores, seconds, done.warnings)

        found, again = self._kept_or_made(folder, mark, targets, make)
        return Unit(clip, given.masks, engine.name, targets, found, again)

    def _other_unit(self, given: Unit, name: str, alphas: Files) -> Unit:
        """Measure the alphas that another tool made; they stay where they are."""
        clip = given.clip
        if name in (MASK, *(engine.name for engine in self._plan.engines)):
            raise BadInput(f"the alphas in {name} have the name of an engine", "Rename their folder.")
        folder = self._folder(clip, given.masks, name)
        mark = fingerprint((alphas,), masks=given.result.fingerprint, tool=name)

        def make() -> UnitResult:
            size, scores = measure(clip, alphas, self._plan.measures, False, lambda: self._progress.step(2))
            return UnitResult(mark, name, size, clip.numbers, scores)

        found, again = self._kept_or_made(folder, mark, alphas, make)
        return Unit(clip, given.masks, name, alphas, found, again)

    def _kept_or_made(
        self, folder: Path, mark: str, targets: Files, make: Callable[[], UnitResult]
    ) -> tuple[UnitResult, bool]:
        """Return the result of a unit, and whether an earlier run left it; else `make` it and keep it in `folder`."""
        found = unit_result.load(folder, mark, targets.values())
        if found is not None:
            self._progress.step(2 * len(targets))
            return found, True
        folder.mkdir(parents=True, exist_ok=True)
        unit_result.forget(folder)
        made = make()
        made.save(folder)
        return made, False

    def _refine(self, given: Unit, engine: AskedEngine, folder: Path) -> MatteDone:
        """Have the server write the alphas; a Ctrl-C cancels the job there."""
        clip = given.clip
        mask = given.alphas[clip.numbers[0]]
        order = Submission(
            plate=str(Path(clip.pattern).absolute()),
            mask=str((mask.parent / f"mask.####{mask.suffix}").absolute()),
            out=str((folder / "alpha.####.exr").absolute()),
            settings=engine.settings,
            clip=whole_range(clip.numbers),
            priority=BATCH,
        )
        if self._client is None:
            self._client = self._connect()
        sent = submit(self._client, order)
        try:
            for event in sent.events():
                if isinstance(event, FrameDone):
                    self._progress.step()
                elif isinstance(event, MatteDone):
                    return event
        except KeyboardInterrupt:
            self._client.cancel(sent.job)
            raise
        raise AssertionError("events end with MatteDone or an error")

    def _foreground(self, clip: GroundTruthClip) -> Files | None:
        return clip.foreground if self._plan.measures.foreground else None

    def _folder(self, clip: GroundTruthClip, masks: str, engine: str) -> Path:
        return self._plan.folder / WORK / masks / engine / clip.name

    def _drop_client(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
