"""Evaluates one clip with one kind of masks: the unit of work of a run, which may be done on another machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from videomama_client.errors import BadInput, NotPermitted, ServerUnreachable, VideoMaMaError
from videomama_client.messages import FrameDone, JobEvent, MatteDone
from videomama_client.settings import MatteSettings

from videomama_server.datasets.clip import Files, GroundTruthClip
from videomama_server.evaluate import masks as masking
from videomama_server.evaluate import unit_result
from videomama_server.evaluate.asked import MASK, AskedEngine, AskedMasks, Maker
from videomama_server.evaluate.measure import measure
from videomama_server.evaluate.plan import WORK, EvaluationOutcome, EvaluationPlan, Failure, Unit
from videomama_server.evaluate.unit_result import UnitResult, fingerprint
from videomama_server.many_jobs import LastingClient, Listener, job_of
from videomama_server.submission import Submission, submit

ClipAndMasks = tuple[GroundTruthClip, AskedMasks]


def evaluate_clip(
    plan: EvaluationPlan, one: ClipAndMasks, client: LastingClient, listener: Listener
) -> EvaluationOutcome:
    """Measure the masks of a clip, then all engines and other tools with them, where there is no valid result yet.

    Args:
        plan: what the clip is part of.
        one: the clip, and which masks.
        client: of a server; only used where something is to be made.
        listener: receives each frame and each message.
    """
    return _ClipEvaluation(plan, client, listener).run(*one)


class _ClipEvaluation:
    def __init__(self, plan: EvaluationPlan, client: LastingClient, listener: Listener) -> None:
        self._plan, self._client, self._listener = plan, client, listener
        self._outcome = EvaluationOutcome()

    def run(self, clip: GroundTruthClip, masks: AskedMasks) -> EvaluationOutcome:
        given = self._tried(clip, masks, MASK, partial(self._evaluate_masks, clip, masks))
        if given is not None:
            for engine in self._plan.engines:
                self._tried(clip, masks, engine.name, partial(self._evaluate_engine, given, engine, masks))
            for name, alphas in clip.others.items():
                self._tried(clip, masks, name, partial(self._other_unit, given, name, alphas))
        return self._outcome

    def _tried(self, clip: GroundTruthClip, masks: AskedMasks, engine: str, do: Callable[[], Unit]) -> Unit | None:
        """Take in the unit that `do` does, or its failure, and then return None."""
        self._listener.unit(f"{clip.name}, {masks.name} masks" + f", {engine}" * (engine != MASK))
        try:
            unit = do()
        except (VideoMaMaError, OSError) as error:
            if isinstance(error, ServerUnreachable):
                self._client.drop()
            told = error if isinstance(error, VideoMaMaError) else NotPermitted(str(error), "Check the disk.")
            self._outcome.failures.append(Failure(clip.name, masks.name, engine, told.message, told.hint))
            self._listener.say(f"{clip.name}, {engine}: FAILED: {told.message}")
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
            measures=self._plan.measures.decides,
            **self._later(clip, masks),
        )

        def make() -> UnitResult:
            if masks.maker and masking.copied(clip, masks) is None:
                self._follow(clip, masks.maker, targets)
            else:
                masking.write(clip, masks, targets, self._listener.step)
            size, scores = measure(clip, targets, self._plan.measures, True, self._listener.step)
            return UnitResult(mark, "", size, clip.numbers, scores)

        found, again = self._kept_or_made(folder, mark, targets, make)
        return Unit(clip, masks.name, MASK, targets, found, again)

    @staticmethod
    def _later(clip: GroundTruthClip, masks: AskedMasks) -> dict[str, Any]:
        """Return what else decides masks; nothing for kinds without a maker, whose earlier results stay valid."""
        colour = {"colour": clip.colour} if clip.colour else {}
        if masks.maker is None:
            return colour
        found = masking.copied(clip, masks)
        return {**colour, "made": fingerprint((found,)) if found else masks.maker.signature}

    def _follow(self, clip: GroundTruthClip, maker: Maker, targets: Files) -> None:
        """Have the server follow the mask of the first frame through the clip, and cut what comes of it at one half."""
        if maker.missing:
            advice = f"Or put masks of {maker.name} beside the data, see docs/evaluate.md."
            told = f"{clip.name} has no {maker.name} masks, and they cannot be made: {maker.missing.message}"
            raise BadInput(told, f"{maker.missing.hint} {advice}")
        first = clip.numbers[0]
        folder = targets[first].parent
        key = folder / f"key.{first:04d}.exr"
        masking.write_first(clip, key)
        settings = MatteSettings(engine=maker.name)
        self._run_job(job_of(clip.pattern, folder / "soft.####.exr", settings, clip.numbers, {first: key}))
        for number in clip.numbers:
            masking.cut(folder / f"soft.{number:04d}.exr", targets[number])

    def _evaluate_engine(self, given: Unit, asked: AskedEngine, masks: AskedMasks) -> Unit:
        clip, engine = given.clip, asked.guided(masks.guidance)
        folder = self._folder(clip, given.masks, engine.slug)
        targets = {number: folder / f"alpha.{number:04d}.exr" for number in clip.numbers}
        mark = fingerprint(
            (), masks=given.result.fingerprint, settings=engine.settings.plain(), engine=engine.signature
        )

        def make() -> UnitResult:
            done = self._refine(given, engine, folder)
            size, scores = measure(clip, targets, self._plan.measures, False, self._listener.step)
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
            size, scores = measure(clip, alphas, self._plan.measures, False, lambda: self._listener.step(2))
            return UnitResult(mark, name, size, clip.numbers, scores)

        found, again = self._kept_or_made(folder, mark, alphas, make)
        return Unit(clip, given.masks, name, alphas, found, again)

    def _kept_or_made(
        self, folder: Path, mark: str, targets: Files, make: Callable[[], UnitResult]
    ) -> tuple[UnitResult, bool]:
        """Return the result of a unit, and whether an earlier run left it; else `make` it and keep it in `folder`."""
        found = unit_result.load(folder, mark, targets.values())
        if found is not None:
            self._listener.step(2 * len(targets))
            return found, True
        folder.mkdir(parents=True, exist_ok=True)
        unit_result.forget(folder)
        made = make()
        made.save(folder)
        return made, False

    def _refine(self, given: Unit, engine: AskedEngine, folder: Path) -> MatteDone:
        """Have the server write the alphas."""
        clip = given.clip
        mask = given.alphas[clip.numbers[0]]
        order = job_of(clip.pattern, folder / "alpha.####.exr", engine.settings, clip.numbers)
        return self._run_job(replace(order, mask=str((mask.parent / f"mask.####{mask.suffix}").absolute())))

    def _run_job(self, order: Submission) -> MatteDone:
        """Run a job on the server to its end; a Ctrl-C cancels it there."""
        return submit(self._client.get(), order).finish(self._count)

    def _count(self, event: JobEvent) -> None:
        if isinstance(event, FrameDone):
            self._listener.step()

    def _foreground(self, clip: GroundTruthClip) -> Files | None:
        return clip.foreground if self._plan.measures.foreground else None

    def _folder(self, clip: GroundTruthClip, masks: str, engine: str) -> Path:
        return self._plan.folder / WORK / masks / engine / clip.name
