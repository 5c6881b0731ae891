"""Answers clients' questions inside the worker, beside the jobs: what a job would read, and what the cache holds."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from videomama_client import messages, wire
from videomama_client.errors import BadInput, VideoMaMaError
from videomama_client.settings import MatteSettings
from videomama_client.wording import counted

from videomama_server import engines, pipe
from videomama_server.cache.entries import Cache, CacheReport
from videomama_server.engines.base import EngineConfig
from videomama_server.media import sequences
from videomama_server.pipeline import plan
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

    Plans have a thread of their own, as a large cache on a slow disk takes minutes to look through.

    Args:
        facts: what the worker knows.
        emit: takes the answers; called from other threads.
    """

    def __init__(self, facts: WorkerFacts, emit: Callable[[Any], None]) -> None:
        self._facts = facts
        self._emit = emit
        self._plans = ThreadPoolExecutor(1, "plans")
        self._cache = ThreadPoolExecutor(1, "cache questions")

    def take(self, question: pipe.Question) -> None:
        """Take a question in; its answer, or its refusal, is emitted when it is there."""
        thread = self._plans if isinstance(question, messages.PlanFrames) else self._cache
        thread.submit(self._settle, question)

    def _settle(self, question: pipe.Question) -> None:
        name = type(question).__name__
        answer = result_or_error(lambda: self._answer(question), name, self._facts.log_location)
        if isinstance(answer, VideoMaMaError):
            self._emit(messages.RequestRefused.by(question.request, answer))
        else:
            self._emit(answer)

    def _answer(self, question: pipe.Question) -> messages.FramesPlanned | messages.CacheReported:
        if isinstance(question, messages.PlanFrames):
            return planned_frames(question, self._facts.engine_config(question.settings))
        limit = _limit_bytes(self._facts.limit_gb)
        if isinstance(question, messages.ReportCache):
            return _told(question.request, self._facts.cache.stat(), limit)
        if isinstance(question, messages.ClearCache):
            return _told(question.request, self._facts.clear(), limit)
        asked = limit if question.limit_gb is None else _limit_bytes(question.limit_gb)
        return _told(question.request, self._facts.cache.prune(asked), limit)


def planned_frames(ask: messages.PlanFrames, engine_config: EngineConfig) -> messages.FramesPlanned:
    """Return which frames a job would read; no file of the clip is looked at, and no weights are loaded.

    Raises:
        BadInput: settings or ranges that make no sense, or frames outside the clip.
        WeightsError: the engine cannot run here.
    """
    ask.settings.check()
    name = engines.resolve(ask.settings.engine, engine_config)
    shape = plan.window_shape(ask.settings, engines.shape(name, engine_config, ask.settings))
    laid = plan.plan_frames(sequences.parse_range(ask.clip), ask.frame_ranges, shape)
    needed = sequences.whole_range(laid.frames)
    if len(needed) > wire.MAX_TEXT_BYTES:
        raise BadInput(
            f"{counted(len(laid.frames), 'frame')} in too many pieces to be named are needed",
            "Ask for fewer frames at once.",
        )
    return messages.FramesPlanned(ask.request, name, shape.length, shape.overlap, needed)


def _limit_bytes(gigabytes: float) -> int:
    limit = gigabytes * 1e9
    if not 0 <= limit < float("inf"):  # false for NaN
        raise BadInput(f"the cache cannot be pruned to {gigabytes:g} GB", "Give a number, 0 or more.")
    return min(int(limit), _MOST_BYTES)


def _told(request: str, report: CacheReport, limit: int) -> messages.CacheReported:
    return messages.CacheReported(
        request=request,
        folder=report.folder,
        entries=report.entries,
        bytes=report.bytes,
        limit_bytes=limit,
        removed=report.removed,
        freed_bytes=report.freed_bytes,
    )
