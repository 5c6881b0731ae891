"""Words the log of a job: a line for each thing that happened to it, for the server's log and for the history."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from videomama_client.errors import VideoMaMaError
from videomama_client.job_records import LogLine
from videomama_client.messages import FAILED, JobEvent, MatteDone, MatteFailed, MattePlanned, StageBegun
from videomama_client.stages import place
from videomama_client.wording import counted

from videomama_server.serving.job_state import flag_said, one_line

if TYPE_CHECKING:
    from videomama_server.serving.jobs import Job

log = logging.getLogger(__name__)

INFO, WARNING, ERROR = "info", "warning", "error"
_LONGEST = 1000
_MOST_AT_ONCE = 20  # warnings or flags of one event
_LEVELS = {INFO: logging.INFO, WARNING: logging.WARNING, ERROR: logging.ERROR}


def line(job: Job, text: str, level: str = INFO) -> LogLine:
    """Return a line of a job's log, which is also written to the server's."""
    told = one_line(text, _LONGEST)
    log.log(_LEVELS[level], "job %s: %s", job.id[:8], told)
    return LogLine(time.time(), told, level)


def submitted(job: Job, again: bool) -> LogLine:
    """Return the line of a job that was submitted, or that is done once more after a server's end."""
    sent, request = job.request.submitter, job.request
    by = f" by {sent.user}@{sent.host} with {sent.program} from {sent.folder or 'no folder'}" if sent else ""
    said = "resumed" if again else f"submitted{by}"
    return line(job, f"{said}: {request.priority}, {job.label or request.plate} to {request.out or 'the cache'}")


def of(job: Job, event: JobEvent) -> list[LogLine]:
    """Return the lines of an event; none for those of single frames."""
    if isinstance(event, MattePlanned):
        ran_on = f" ({event.plan})" if event.plan else ""
        roi = ",".join(map(str, event.roi))
        said = f"planned: {counted(event.frame_count, 'frame')} by {event.engine}{ran_on}, region {roi}"
        return [line(job, said), *_warnings(job, event.warnings)]
    if isinstance(event, StageBegun):
        where = place(event.stage, event.engine, job.stage_counts.get(event.object, 1), event.object)
        return [line(job, f"stage {where} begins: {counted(event.frame_count, 'alpha')}")]
    if isinstance(event, MatteDone):
        return [*_warnings(job, event.warnings), *_flags(job, event), line(job, _done(event))]
    if isinstance(event, MatteFailed):
        return [line(job, _failed(job, event.error), ERROR if job.state == FAILED else WARNING)]
    return []


def _done(event: MatteDone) -> str:
    counts = f"{event.computed} computed, {event.cached} cached"
    return f"done: {counted(event.frame_count, 'frame')} ({counts}) in {event.seconds:.1f} s by {event.engine}"


def _failed(job: Job, error: VideoMaMaError) -> str:
    why = f"{job.state} ({error.code})" if job.state == FAILED else job.state
    return f"{why}: {'. '.join(filter(None, (error.message, error.hint)))}"


def _warnings(job: Job, warnings: list[str]) -> list[LogLine]:
    return [line(job, warning, WARNING) for warning in warnings[:_MOST_AT_ONCE]]


def _flags(job: Job, event: MatteDone) -> list[LogLine]:
    return [line(job, f"QC: {flag_said(flag)}: {flag.reason}", WARNING) for flag in event.flags[:_MOST_AT_ONCE]]
