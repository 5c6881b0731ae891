"""The server's book of jobs: who asked for what, how far it is, and what to do when the worker dies."""

from __future__ import annotations

import time
import uuid
from collections import OrderedDict
from dataclasses import dataclass, field, replace

from videomama_client.errors import InternalError
from videomama_client.messages import (
    MASK,
    PLATE,
    FrameDone,
    JobEvent,
    MatteDone,
    MatteFailed,
    MattePlanned,
    SubmitMatte,
)

from videomama_server import pipe

REMEMBERED = 200
DEATHS_WITHOUT_PROGRESS = 2
_SHOWN = 200  # characters of a plate's name in a status


@dataclass
class Job:
    """One job.

    Attributes:
        client: the socket identity that its events go to.
        spool: folder of an inline job's frames; empty for a job by path.
        done: file of each finished frame.
        computed: how many of them had to be computed.
    """

    id: str
    client: bytes
    request: SubmitMatte
    spool: str = ""
    planned: MattePlanned | None = None
    done: dict[int, str] = field(default_factory=dict)
    computed: int = 0
    deaths: int = 0
    done_at_death: int = -1
    started: float = field(default_factory=time.monotonic)
    ended: bool = False

    def announced(self, role: str, frame: int) -> str | None:
        """Return the digest of an inline frame's bytes, or None when the job has no such frame."""
        digests = {PLATE: self.request.plate_digests, MASK: self.request.mask_digests}.get(role, [])
        return dict(zip(self.request.inline_frames, digests, strict=False)).get(frame)

    def describe(self) -> str:
        """Say in one line how far the job is."""
        of = f" of {self.planned.frames}" if self.planned else ""
        return f"{self.id[:8]} {self.request.priority} {len(self.done)}{of} frames {self.request.plate[-_SHOWN:]}"


class JobBook:
    """All jobs that run, and the last ones that ended."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._begun: str | None = None
        self.finished = 0

    def add(self, client: bytes, request: SubmitMatte) -> Job:
        """Enter a job."""
        job = Job(uuid.uuid4().hex, client, request)
        self._jobs[job.id] = job
        return job

    def find(self, job: str) -> Job | None:
        """Return a job that runs or ended not long ago."""
        return self._jobs.get(job)

    def running(self) -> list[Job]:
        """Return the jobs that have not ended, oldest first."""
        return [job for job in self._jobs.values() if not job.ended]

    def note_begun(self, job: str) -> None:
        """Note which job the worker is working on: a death is that one's doing."""
        self._begun = job

    def note(self, event: JobEvent) -> JobEvent | None:
        """Enter an event of the worker; return what the client should hear of it, which is nothing it heard before."""
        job = self._jobs.get(event.job)
        if job is None or job.ended:
            return None
        if isinstance(event, FrameDone):
            return self._note_frame(job, event)
        if isinstance(event, MattePlanned):
            heard, job.planned = job.planned, event
            return None if heard else event
        if isinstance(event, MatteDone):
            self._end(job)
            seconds = time.monotonic() - job.started
            return replace(event, computed=job.computed, cached=event.frames - job.computed, seconds=seconds)
        if isinstance(event, MatteFailed):
            self._end(job)
        return event

    def after_death(self) -> tuple[list[Job], list[MatteFailed]]:
        """Say what follows from the worker's death: the jobs to run again, and those that were given up.

        A job that kills the worker twice without finishing a frame in between would do so for ever.
        """
        failed = []
        job = self._jobs.get(self._begun or "")
        self._begun = None
        if job is None or job.ended:
            job = next(iter(self.running()), None)
        if job is not None:
            job.deaths = job.deaths + 1 if len(job.done) == job.done_at_death else 1
            job.done_at_death = len(job.done)
            if job.deaths >= DEATHS_WITHOUT_PROGRESS:
                error = InternalError(f"the engine died twice after {len(job.done)} frames of this job")
                failed.append(
                    MatteFailed(job.id, error.code, error.message, "See the server's log; try other settings.")
                )
                self._end(job)
        return self.running(), failed

    def _note_frame(self, job: Job, event: FrameDone) -> FrameDone | None:
        if event.frame in job.done:
            return None
        job.done[event.frame] = event.path
        job.computed += not event.cached
        return event

    def _end(self, job: Job) -> None:
        job.ended = True
        self.finished += 1
        ended = [known.id for known in self._jobs.values() if known.ended]
        for stale in ended[:-REMEMBERED]:
            del self._jobs[stale]


def run_message(job: Job) -> pipe.RunJob:
    """Return what the worker is told."""
    return pipe.RunJob(job.id, job.spool, job.request)
