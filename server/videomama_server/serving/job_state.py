"""Tells how far a job is, or how it ended, in the fields that clients and the history get."""

from __future__ import annotations

from typing import TYPE_CHECKING

from videomama_client.job_records import QUEUED, SIDE_RESULTS, STARTING, JobState, Phase
from videomama_client.messages import FAILED, INTERRUPTED, QcFlag

from videomama_server.media.sequences import format_range

if TYPE_CHECKING:
    from videomama_server.serving.jobs import Job

SHOWN = 200  # characters of a label, of flags and of other words in one line
_LONGEST_MESSAGE = 500
_MOST_WARNINGS = 50


def state_of(job: Job, jobs_before: int | None = None) -> JobState:
    """Return what is told of a job.

    Args:
        job: to be told of.
        jobs_before: how many jobs go before it; None for one that has ended.
    """
    request, failure = job.request, job.failure
    lost = failure if failure and job.state in (FAILED, INTERRUPTED) else None
    index, engine, name = _at_work(job)
    done, needed = _counts(job)
    left = job.pace.seconds_left(needed - done) if needed is not None and not job.ended else None
    return JobState(
        job=job.id,
        label=job.label,
        plate=request.plate,
        priority=request.priority,
        state=job.state,
        engine=job.planned.engine if job.planned else None,
        frame_count=job.planned.frame_count if job.planned else None,
        done=job.done_count,
        computed=job.computed,
        seconds=job.seconds,
        message=one_line(lost.message if lost else "", _LONGEST_MESSAGE),
        role=failure.role if failure else "",
        frame=failure.frame if failure else None,
        stage=job.stages.told(job.stage_counts),
        side=_side(job),
        flags=one_line("; ".join(map(flag_said, job.flags)), SHOWN),
        mask=request.mask,
        out=request.out,
        frame_ranges=request.frame_ranges,
        submitter=request.submitter,
        submitted_at=job.submitted_at,
        begun_at=job.begun_at,
        ended_at=None if job.ended_at is None else job.submitted_at + job.seconds,
        jobs_before=jobs_before,
        phase=_phase(job),
        stage_index=index,
        stage_count=job.stage_counts.get(name, 1),
        stage_engine=engine,
        stage_object=name,
        stage_done=None if needed is None else done,
        stage_frame_count=needed,
        frame_rate=_rate(job),
        seconds_left=left,
        code=failure.code if failure else "",
        hint=one_line(lost.hint if lost else "", _LONGEST_MESSAGE),
        file=failure.file if failure else "",
        warnings=[one_line(warning, _LONGEST_MESSAGE) for warning in job.warnings[:_MOST_WARNINGS]],
        inline=request.inline,
        resumable=job.state == INTERRUPTED and not request.inline,
    )


def queue_phase(jobs_before: int, engine_ready: bool) -> Phase | None:
    """Return what a job waits for that the worker has not begun; None where it is about to be begun.

    Args:
        jobs_before: how many jobs go first.
        engine_ready: whether the worker takes jobs.
    """
    if jobs_before:
        return Phase(QUEUED, jobs_before)
    return None if engine_ready else Phase(STARTING)


def one_line(text: str, longest: int) -> str:
    """Return a text fit for one line: spaces for breaks and tabs, nothing for what cannot be shown, cut to a length."""
    shown = "".join(mark if mark.isprintable() else " " if mark.isspace() else "" for mark in text)
    return shown.strip()[:longest].rstrip()


def flag_said(flag: QcFlag) -> str:
    """Return what was flagged and where, such as `hero: flicker on 1001-1004`."""
    where = f"{flag.kind} on {format_range(flag.frame_numbers)}"
    return f"{flag.object}: {where}" if flag.object else where


def _phase(job: Job) -> Phase | None:
    if job.ended:
        return None
    side = _side_at_work(job)
    if side is not None:
        kind, done = side
        return Phase(SIDE_RESULTS, done, job.planned.frame_count if job.planned else None, kind)
    return job.phase


def _rate(job: Job) -> float | None:
    """Return the alphas in a second: of the stage at work, or of the whole job once it has ended."""
    if not job.ended:
        return job.pace.rate
    seconds = job.submitted_at + job.seconds - (job.begun_at or job.submitted_at)
    return job.computed / seconds if job.computed and seconds > 0 else None


def _at_work(job: Job) -> tuple[int, str, str]:
    """Return the stage at work: its index, its engine, and the object that it is of."""
    begun = job.stages.begun
    if begun is not None:
        return begun.stage, begun.engine, begun.object
    return 0, job.planned.engine if job.planned else "", next(iter(job.stage_counts))


def _counts(job: Job) -> tuple[int, int | None]:
    """Return how many alphas of the stage at work are in the cache, and how many are needed; None for not known."""
    begun = job.stages.begun
    if begun is None:
        return job.done_count, job.planned.frame_count if job.planned else None
    if not begun.object and begun.stage == job.stage_counts[""] - 1:
        return job.done_count, begun.frame_count
    return len(job.stages.kept.get((begun.object, begun.stage), ())), begun.frame_count


def _side(job: Job) -> str:
    """Return how far a job is with its side results, once all alphas are there; empty where none is left to make."""
    at_work = _side_at_work(job)
    return f"{at_work[0]} {at_work[1]} of {job.planned.frame_count}" if at_work and job.planned else ""


def _side_at_work(job: Job) -> tuple[str, int] | None:
    """Return the first kind of side results that lacks frames once all alphas are there, and how many it has."""
    count = job.planned.frame_count if job.planned else 0
    return job.sides.at_work(job.sides_asked, count) if job.done_count == count else None
