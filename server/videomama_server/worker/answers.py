"""Answers clients' questions in the worker, beside the jobs: what a job would read, which engines, what is cached."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from videomama_client import messages, objects, prompts, wire
from videomama_client.errors import BadInput, VideoMaMaError
from videomama_client.objects import MaskObject
from videomama_client.prompts import Prompt
from videomama_client.setting_spec import specs_of
from videomama_client.settings import MatteSettings
from videomama_client.stages import MAKER
from videomama_client.wording import counted

from videomama_server import engines, pipe
from videomama_server.cache.entries import Cache
from videomama_server.cache.upkeep import CacheReport
from videomama_server.engines.base import EngineConfig, WindowShape
from videomama_server.engines.engine_state import engine_state
from videomama_server.media import sequences
from videomama_server.pipeline import mask_choice, plan, stages
from videomama_server.pipeline.stages import ChosenStage
from videomama_server.worker.error_boundary import result_or_error

_MOST_BYTES = 2**63 - 1  # that a message can hold


@dataclass(frozen=True)
class WorkerFacts:
    """What the worker knows that answers need.

    Attributes:
        cache: to report on.
        limit_gb: size that the cache is pruned to.
        log_location: where a person finds the log.
        engine_config: returns what an engine is told of this machine for settings.
        clear: clears the cache, or raises `BadInput` while a job is there.
    """

    cache: Cache
    limit_gb: float
    log_location: str
    engine_config: Callable[[MatteSettings], EngineConfig]
    clear: Callable[[], CacheReport]


class Answers:
    """Takes questions as they come and answers each in a thread that no window of a job holds up.

    Plans, the cache and engines have a thread each: a large cache on a slow disk takes minutes to look through, and
    the engines of other packages may take as long to import.

    Args:
        facts: what the worker knows.
        emit: takes the answers; called from other threads.
    """

    def __init__(self, facts: WorkerFacts, emit: Callable[[Any], None]) -> None:
        self._facts = facts
        self._emit = emit
        self._cache = ThreadPoolExecutor(1, "cache questions")
        self._others = {
            messages.PlanFrames: ThreadPoolExecutor(1, "plans"),
            messages.ReportEngines: ThreadPoolExecutor(1, "engine questions"),
        }
        self._answers: dict[type, Callable[[Any], pipe.Answer]] = {
            messages.PlanFrames: lambda ask: planned_frames(ask, facts.engine_config),
            messages.ReportEngines: reported_engines,
            messages.ReportCache: lambda ask: self._told(ask, facts.cache.stat),
            messages.ClearCache: lambda ask: self._told(ask, facts.clear),
            messages.PruneCache: lambda ask: self._told(ask, lambda: facts.cache.prune(self._limit_of(ask))),
        }

    def take(self, question: pipe.Question) -> None:
        """Take a question in; its answer, or its refusal, is emitted when it is there."""
        self._others.get(type(question), self._cache).submit(self._settle, question)

    def _settle(self, question: pipe.Question) -> None:
        name = type(question).__name__
        answer = result_or_error(lambda: self._answers[type(question)](question), name, self._facts.log_location)
        if isinstance(answer, VideoMaMaError):
            self._emit(messages.RequestRefused.by(question.request, answer))
        else:
            self._emit(answer)

    def _limit_of(self, ask: messages.PruneCache) -> int:
        return _limit_bytes(self._facts.limit_gb if ask.limit_gb is None else ask.limit_gb)

    def _told(self, ask: pipe.Question, look: Callable[[], CacheReport]) -> messages.CacheReported:
        limit, report = _limit_bytes(self._facts.limit_gb), look()
        return messages.CacheReported(
            request=ask.request,
            folder=report.folder,
            entries=report.entries,
            bytes=report.bytes,
            limit_bytes=limit,
            removed=report.removed,
            freed_bytes=report.freed_bytes,
            older_entries=report.older_entries,
            older_bytes=report.older_bytes,
        )


def planned_frames(
    ask: messages.PlanFrames, config_of: Callable[[MatteSettings], EngineConfig]
) -> messages.FramesPlanned:
    """Return which frames a job would read; no file of the clip is looked at, and no weights are loaded.

    Args:
        ask: what the job would be; its masks are taken to be there.
        config_of: returns what an engine is told of this machine for settings.

    Raises:
        BadInput: settings, stages or ranges that cannot be used, or frames outside the clip.
        WeightsError: an engine cannot run here.
    """
    objects.check_prompts(ask.objects, ask.prompts)
    read: set[int] = set()
    answers = []
    for one in ask.objects or (MaskObject("", ""),):
        with stages.within(objects.label(one.name), one.name):
            engine, shape, frames = _planned(ask, one, config_of)
        answers.append((engine, shape.length, shape.overlap))
        read.update(frames)
    needed = sequences.whole_range(sorted(read))
    if len(needed) > wire.MAX_TEXT_BYTES:
        raise BadInput(
            f"{counted(len(read), 'frame')} in too many pieces to be named are needed",
            "Ask for fewer frames at once.",
        )
    return messages.FramesPlanned(ask.request, *answers[0], needed)


def _planned(
    ask: messages.PlanFrames, one: MaskObject, config_of: Callable[[MatteSettings], EngineConfig]
) -> tuple[str, WindowShape, set[int]]:
    """Return engine and windows of the first stage of one object's chain, and the frames that it would read."""
    settings, then = objects.settings_of(ask.settings, one), objects.then_of(ask.then, one)
    told = [prompt for prompt in ask.prompts if prompt.object == one.name] if ask.objects else ask.prompts
    chosen = stages.chosen(settings, then, config_of, has_mask=True, told=told)
    first, shapes = chosen[0], [_shape(stage, told) for stage in chosen]
    clip, looked_at = sequences.parse_range(ask.clip), _looked_at(chosen)
    prompts.check_frames(told, set(clip), sequences.format_range(clip))
    laid = plan.plan_stages(clip, ask.frame_ranges, shapes, looked_at)[0]
    read = {*laid.frames, *mask_choice.frames_to_look_at(first.settings, engines.moves_outlines(first.name), laid.clip)}
    light = engines.for_small_subjects(settings.engine, first.name)
    if light:  # which engine it is, only masks say: name what either of them reads
        lighter = engines.settled(light, settings).settings
        shapes[0] = plan.window_shape(lighter, engines.shape(light, first.config, lighter))
        other = plan.plan_stages(laid.clip, ask.frame_ranges, shapes, looked_at)[0]
        read.update(other.frames, mask_choice.fixed_places(laid.clip))
    return first.name, laid.shape, read


def _shape(stage: ChosenStage, told: Sequence[Prompt]) -> WindowShape:
    with stages.within(stage.label):
        own = engines.shape(stage.name, stage.config, stage.settings)
        if engines.is_sequential(stage.name):
            return plan.walk_shape(stage.settings, told, engines.remembers(stage.name))
        return plan.window_shape(stage.settings, own)


def _looked_at(chosen: Sequence[ChosenStage]) -> int | None:
    """Return which stage says how good the masks of the next are; see `mask_choice.looked_at`."""
    settings = [stage.settings for stage in chosen]
    makers = [engines.role(stage.name) == MAKER for stage in chosen]
    return mask_choice.looked_at(makers, settings, [engines.moves_outlines(stage.name) for stage in chosen])


def reported_engines(ask: messages.ReportEngines) -> messages.EnginesReported:
    """Return the engines that there are here, each with its own options or why it cannot be used."""
    states = [engine_state(name) for name in engines.names()]
    return messages.EnginesReported(ask.request, list(specs_of(MatteSettings)), states)


def _limit_bytes(gigabytes: float) -> int:
    limit = gigabytes * 1e9
    if not 0 <= limit < float("inf"):  # false for NaN
        raise BadInput(f"the cache cannot be pruned to {gigabytes:g} GB", "Give a number, 0 or more.")
    return min(int(limit), _MOST_BYTES)
