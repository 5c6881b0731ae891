"""The server's book of jobs: who asked for what, how far it is, and what to do when the worker dies."""

from __future__ import annotations

import time
import uuid
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from videomama_client.errors import BadInput, Cancelled, VideoMaMaError
from videomama_client.messages import (
    CANCELLED,
    DONE,
    FAILED,
    MASK,
    PLATE,
    RUNNING,
    WAITING,
    FrameDone,
    FrameWanted,
    JobEvent,
    JobState,
    MatteDone,
    MatteFailed,
    MattePlanned,
    QcFlag,
    StageBegun,
    StageFrameDone,
    SubmitMatte,
)
from videomama_client.wording import counted

from videomama_server import pipe
from videomama_server.media.sequences import format_range
from videomama_server.serving.blame import Blame
from videomama_server.serving.stage_progress import StageProgress
from videomama_server.serving.supply import Supply

REMEMBERED = 200
MOST_AT_ONCE = 5000
_SHOWN = 200  # characters of a label, or of a plate's name in a status
_LONGEST_MESSAGE = 500
_REPORTED = 100
_RANK = {RUNNING: 0, WAITING: 1}  # which jobs are told of first when there are too many


@dataclass
class Job:
    """One job.

    Attributes:
        client: the socket identity that its events go to.
        label: what people call it; empty when its client did not say.
        spool: folder of an inline job's frames; empty for a job by path.
        turn: when it is its client's turn among the jobs of its priority; the lowest goes first.
        begun: whether the worker has worked on it.
        cancelled: whether somebody asked the worker to stop it.
        done: file of each finished frame.
        computed: how many of them had to be computed.
        ended_at: on the same clock as `started`; None while it waits or runs.
        failure: why it ended without all frames.
        flags: what quality control found when it was done.
        blame: the deaths of workers that are its fault.
        supply: the inline frames that its client is to send.
        stages: how far it is in them.
    """

    id: str
    client: bytes
    request: SubmitMatte
    spool: str = ""
    turn: int = 0
    begun: bool = False
    cancelled: bool = False
    planned: MattePlanned | None = None
    done: dict[int, str] = field(default_factory=dict)
    computed: int = 0
    started: float = field(default_factory=time.monotonic)
    ended_at: float | None = None
    failure: MatteFailed | None = None
    flags: list[QcFlag] = field(default_factory=list)
    blame: Blame = field(default_factory=Blame)
    supply: Supply = field(default_factory=Supply)
    stages: StageProgress = field(default_factory=StageProgress)
    label: str = field(init=False)

    def __post_init__(self) -> None:
        self.label = one_line(self.request.label, _SHOWN)

    @property
    def ended(self) -> bool:
        """Whether it is over, well or not."""
        return self.ended_at is not None

    @property
    def state(self) -> str:
        """One of the states that a `JobState` tells."""
        if not self.ended:
            return RUNNING if self.begun else WAITING
        if self.failure is None:
            return DONE
        return CANCELLED if self.failure.code == Cancelled.code else FAILED

    @property
    def seconds(self) -> float:
        """Since it was submitted; once it is over, what it took."""
        return (time.monotonic() if self.ended_at is None else self.ended_at) - self.started

    def announced(self, role: str, frame: int) -> str | None:
        """Return the digest of an inline frame's bytes, or None when the job has no such frame."""
        digests = {PLATE: self.request.plate_digests, MASK: self.request.mask_digests}.get(role, [])
        return dict(zip(self.request.inline_frame_numbers, digests, strict=False)).get(frame)

    def note_plan(self, event: MattePlanned) -> MattePlanned | None:
        """Enter what the worker decided; returned where it is news."""
        heard, self.planned, self.begun = self.planned, event, True
        return None if heard else event

    def note_wanted(self, event: FrameWanted) -> FrameWanted:
        """Enter an inline frame that the worker waits for."""
        self.supply.note_wanted(event.role, event.frame)
        return event

    def note_stage(self, event: StageBegun) -> StageBegun:
        """Enter a stage that begins."""
        self.stages.note_begun(event)
        return event

    def note_kept(self, event: StageFrameDone) -> StageFrameDone | None:
        """Enter a frame of a stage before the last; returned where it is news."""
        return event if self.stages.note_kept(event) else None

    def note_frame(self, event: FrameDone) -> FrameDone | None:
        """Enter a finished frame; returned where it is news."""
        if event.frame in self.done:
            return None
        self.done[event.frame] = event.path
        self.computed += not event.cached
        return event

    def describe(self) -> str:
        """Say in one line how far the job is."""
        done = len(self.done)
        of = f"{done} of {counted(self.planned.frame_count, 'frame')}" if self.planned else counted(done, "frame")
        name = self.label or one_line(self.request.plate[-_SHOWN:], _SHOWN)
        return f"{self.id[:8]} {self.request.priority} {of} {name}"

    def report(self) -> JobState:
        """Tell how far the job is, for programs."""
        why = self.failure.message if self.failure and self.state == FAILED else ""
        return JobState(
            job=self.id,
            label=self.label,
            plate=self.request.plate,
            priority=self.request.priority,
            state=self.state,
            engine=self.planned.engine if self.planned else None,
            frame_count=self.planned.frame_count if self.planned else None,
            done=len(self.done),
            computed=self.computed,
            seconds=self.seconds,
            message=one_line(why, _LONGEST_MESSAGE),
            role=self.failure.role if self.failure else "",
            frame=self.failure.frame if self.failure else None,
            stage=self.stages.told(len(self.planned.stages)) if self.planned else "",
            flags=one_line(
                "; ".join(f"{flag.kind} on {format_range(flag.frame_numbers)}" for flag in self.flags), _SHOWN
            ),
        )


class JobBook:
    """All jobs that run, and the last ones that ended."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._ended: deque[str] = deque()
        self._begun: str | None = None
        self._ignores_death = False
        self.finished = 0
        self._event_handlers: dict[type, Callable[[Job, Any], JobEvent | None]] = {
            MattePlanned: Job.note_plan,
            FrameWanted: Job.note_wanted,
            StageBegun: Job.note_stage,
            StageFrameDone: Job.note_kept,
            FrameDone: Job.note_frame,
            MatteDone: self._note_done,
            MatteFailed: self._note_failed,
        }

    def add(self, client: bytes, request: SubmitMatte) -> Job:
        """Enter a job; raises `BadInput` when too many wait already."""
        if len(self.running()) >= MOST_AT_ONCE:
            raise BadInput(f"{MOST_AT_ONCE} jobs wait or run already", "Submit again when some of them are done.")
        job = Job(uuid.uuid4().hex, client, request, turn=self._turn(client, request.priority))
        self._jobs[job.id] = job
        return job

    def find(self, job: str) -> Job | None:
        """Return a job that runs or ended not long ago."""
        return self._jobs.get(job)

    def running(self) -> list[Job]:
        """Return the jobs that have not ended, oldest first."""
        return [job for job in self._jobs.values() if not job.ended]

    def spools(self) -> list[str]:
        """Return the folders of the inline jobs there are, those that ended included."""
        return [job.spool for job in self._jobs.values() if job.spool]

    def report(self) -> list[JobState]:
        """Tell of the jobs there are, newest first; of too many, those that run before those that wait or ended."""
        newest = list(reversed(self._jobs.values()))
        told = {job.id for job in sorted(newest, key=lambda job: _RANK.get(job.state, len(_RANK)))[:_REPORTED]}
        return [job.report() for job in newest if job.id in told]

    def note_begun(self, job: str) -> None:
        """Note which job the worker is working on: a death is that one's doing."""
        self._begun = job
        if job in self._jobs:
            self._jobs[job].begun = True

    def note_files(self, job: str, files: list[str]) -> None:
        """Note which files of a job the worker is reading."""
        if job in self._jobs:
            self._jobs[job].blame.note_files(files)

    def overdue(self, seconds: float, worker_started: float) -> tuple[Job, str] | None:
        """Return the file that has been read the longest, with its job, if that is for more than `seconds`.

        Args:
            seconds: how long reading a file may take; 0 for no limit.
            worker_started: when the worker was started; what an earlier one read does not count.
        """
        reads = [(since, name, job) for job in self._jobs.values() for name, since in job.blame.files.items()]
        since, name, job = min(reads, key=lambda read: read[0], default=(0.0, "", None))
        if job is None or seconds <= 0 or since < worker_started or time.monotonic() - since <= seconds:
            return None
        return job, name

    def unsent(self, seconds: float) -> tuple[Job, str, int] | None:
        """Return the job, role and number of the frame waited for the longest, if that is for more than `seconds`.

        A new worker asks again for what was not sent, and that does not begin the wait anew.
        """
        waits = [(since, key, job) for job in self._jobs.values() for key, since in job.supply.wanted.items()]
        since, key, job = min(waits, key=lambda wait: wait[0], default=(0.0, ("", 0), None))
        if job is None or seconds <= 0 or time.monotonic() - since <= seconds:
            return None
        return job, *key

    def ignore_next_death(self) -> None:
        """Blame no running job for the next death: the worker is about to be ended for a reason that is known."""
        self._ignores_death = True

    def note(self, event: JobEvent) -> JobEvent | None:
        """Enter an event of the worker; return what the client should hear of it, which is nothing it heard before."""
        job = self._jobs.get(event.job)
        if job is None or job.ended:
            return None
        return self._event_handlers[type(event)](job, event)

    def after_death(self) -> tuple[list[Job], list[MatteFailed]]:
        """Say what follows from the worker's death: the jobs to run again, and those that end.

        A job that kills the worker twice without finishing a frame in between would do so for ever. One that was
        cancelled ends: the worker may not have heard of it.
        """
        job = None if self._ignores_death else self._blamed()
        self._begun, self._ignores_death = None, False
        stopped = [left for left in self.running() if left.cancelled]
        failed = [self._stopped(left, Cancelled("the job was cancelled")) for left in stopped]
        if job is not None and not job.ended:
            job.blame.note_death(len(job.done) + job.stages.frame_count)
            reason = job.blame.verdict()
            if reason is not None:
                failed.append(self._stopped(job, reason))
        for left in self._jobs.values():
            left.blame.forget_files()
        return self.running(), failed

    def _turn(self, client: bytes, priority: str) -> int:
        """Return the turn of a new job: clients take turns, so that one with many jobs does not starve the others.

        Start-time fair queuing (Goyal, Vin and Cheng, 1996) with every job of one size: after the client's own last
        job, or with the one whose turn it is.
        """
        rivals = [job for job in self.running() if job.request.priority == priority]
        own = [job.turn for job in rivals if job.client == client]
        return max(own) + 1 if own else min((job.turn for job in rivals), default=0)

    def _blamed(self) -> Job | None:
        job = self._jobs.get(self._begun or "")
        return next(iter(self.running()), None) if job is None or job.ended else job

    def _note_done(self, job: Job, event: MatteDone) -> MatteDone:
        self._end(job)
        job.flags = event.flags
        return replace(
            event,
            computed=job.computed,
            cached=event.frame_count - job.computed,
            seconds=job.seconds,
            stages=job.stages.done(event, job.computed),
        )

    def _note_failed(self, job: Job, event: MatteFailed) -> MatteFailed:
        self._end(job, event)
        return event

    def _stopped(self, job: Job, error: VideoMaMaError) -> MatteFailed:
        return self._note_failed(job, MatteFailed.by(job.id, error))

    def _end(self, job: Job, failure: MatteFailed | None = None) -> None:
        job.ended_at, job.failure = time.monotonic(), failure
        job.supply.forget()
        job.request = replace(job.request, inline_frame_numbers=[], plate_digests=[], mask_digests=[])  # up to 16 MiB
        self.finished += 1
        self._ended.append(job.id)
        if len(self._ended) > REMEMBERED:  # by when they ended: one that was submitted long ago may end only now
            del self._jobs[self._ended.popleft()]


def one_line(text: str, longest: int) -> str:
    """Return a text fit for one line: spaces for breaks and tabs, nothing for what cannot be shown, cut to a length."""
    shown = "".join(mark if mark.isprintable() else " " if mark.isspace() else "" for mark in text)
    return shown.strip()[:longest].rstrip()


def run_message(job: Job) -> pipe.RunJob:
    """Return what the worker is told."""
    return pipe.RunJob(job.id, job.spool, job.request, job.turn)
