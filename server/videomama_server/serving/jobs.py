"""The server's book of jobs: who asked for what, how far it is, and what to do when the worker dies."""

from __future__ import annotations

import time
import uuid
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from videomama_client import objects
from videomama_client.errors import BadInput, Cancelled, ServerUnreachable, VideoMaMaError
from videomama_client.job_records import COMPUTING
from videomama_client.messages import (
    CANCELLED,
    DONE,
    FAILED,
    INTERRUPTED,
    RUNNING,
    WAITING,
    FrameDone,
    FrameWanted,
    JobEvent,
    JobState,
    MatteDone,
    MatteFailed,
    MattePlanned,
    Phase,
    PhaseChanged,
    QcFlag,
    SideFrameDone,
    StageBegun,
    StageFrameDone,
    SubmitMatte,
)

from videomama_server import pipe
from videomama_server.serving.blame import Blame
from videomama_server.serving.job_state import SHOWN, one_line, state_of
from videomama_server.serving.pace import Pace
from videomama_server.serving.queue_order import in_order, jobs_before, next_turn, places
from videomama_server.serving.side_progress import Of, SideProgress
from videomama_server.serving.stage_progress import StageProgress
from videomama_server.serving.supply import Supply

REMEMBERED = 200
MOST_AT_ONCE = 5000
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
        done: files of each frame, by object; of a job of one mask, or of layers, one without a name.
        made: frames of which an alpha had to be computed.
        ended_at: on the same clock as `started`; None while it waits or runs.
        submitted_at, begun_at: in seconds since 1970; None for a job that the worker has not begun.
        failure: why it ended without all frames.
        flags: what quality control found when it was done.
        warnings: of its plan and its result.
        phase: what is being done for it, as far as that is known.
        pace: how fast it computes.
        blame: the deaths of workers that are its fault.
        supply: the inline frames that its client is to send.
        stages: how far it is in them.
        sides: how far it is with its side results.
    """

    id: str
    client: bytes
    request: SubmitMatte
    spool: str = ""
    turn: int = 0
    begun: bool = False
    cancelled: bool = False
    planned: MattePlanned | None = None
    done: dict[int, dict[str, str]] = field(default_factory=dict)
    made: set[int] = field(default_factory=set)
    started: float = field(default_factory=time.monotonic)
    ended_at: float | None = None
    failure: MatteFailed | None = None
    flags: list[QcFlag] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    submitted_at: float = field(default_factory=time.time)
    begun_at: float | None = None
    phase: Phase | None = None
    pace: Pace = field(default_factory=Pace)
    blame: Blame = field(default_factory=Blame)
    supply: Supply = field(default_factory=Supply)
    stages: StageProgress = field(default_factory=StageProgress)
    sides: SideProgress = field(default_factory=SideProgress)
    label: str = field(init=False)

    def __post_init__(self) -> None:
        self.label = one_line(self.request.label, SHOWN)

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
        return {Cancelled.code: CANCELLED, ServerUnreachable.code: INTERRUPTED}.get(self.failure.code, FAILED)

    @property
    def seconds(self) -> float:
        """Since it was submitted; once it is over, what it took."""
        return (time.monotonic() if self.ended_at is None else self.ended_at) - self.started

    @property
    def done_count(self) -> int:
        """How many frames have all their files."""
        return sum(len(files) == self._files_a_frame for files in self.done.values())

    @property
    def computed(self) -> int:
        """How many of these had to be computed."""
        return sum(len(self.done.get(frame, ())) == self._files_a_frame for frame in self.made)

    @property
    def _files_a_frame(self) -> int:
        apart = objects.PLACE in self.request.out
        return max(1, len(self.request.objects)) if apart else 1

    def note_plan(self, event: MattePlanned) -> MattePlanned | None:
        """Enter what the worker decided; returned where it is news."""
        heard, self.planned, self.begun = self.planned, event, True
        self.warnings = list(event.warnings)
        self.pace.begin()
        return None if heard else event

    def note_phase(self, event: PhaseChanged) -> PhaseChanged | None:
        """Enter what is being done for it; returned where it is news."""
        if event.phase.code == COMPUTING:
            self.pace.note_computing()
        heard, self.phase = self.phase, event.phase
        return event if event.phase != heard else None

    def note_wanted(self, event: FrameWanted) -> FrameWanted:
        """Enter an inline frame that the worker waits for."""
        self.supply.note_wanted(named_role(event.role, event.object), event.frame)
        return event

    def note_stage(self, event: StageBegun) -> StageBegun:
        """Enter a stage that begins."""
        self.pace.begin()
        self.stages.note_begun(event)
        return event

    def note_kept(self, event: StageFrameDone) -> StageFrameDone | None:
        """Enter a frame that has no file of its own; returned where it is news."""
        if not self.stages.note_kept(event):
            return None
        if not event.cached:
            self.pace.note_alpha()
        if event.object and not event.cached and event.stage == self._last_stage(event.object):
            self.made.add(event.frame)
        return event

    def note_frame(self, event: FrameDone) -> FrameDone | None:
        """Enter a finished frame; returned where it is news."""
        files = self.done.setdefault(event.frame, {})
        if event.object in files:
            return None
        files[event.object] = event.path
        if not event.cached:
            self.made.add(event.frame)
            if not self._are_layers:  # whose alphas were counted as they were kept
                self.pace.note_alpha()
        if event.object:
            last = self._last_stage(event.object)
            self.stages.note_kept(StageFrameDone(self.id, last, event.frame, event.cached, event.object))
        return event

    def note_side(self, event: SideFrameDone) -> SideFrameDone | None:
        """Enter a finished side result; returned where it is news."""
        return event if self.sides.note(event) else None

    @property
    def bare_request(self) -> SubmitMatte:
        """What was submitted, without the digests of an inline job's frames."""
        bare = tuple(replace(one, mask_digests=[]) for one in self.request.objects)
        empty: dict[str, Any] = {"inline_frame_numbers": [], "plate_digests": [], "mask_digests": []}
        return replace(self.request, objects=bare, **empty)

    @property
    def sides_asked(self) -> list[Of]:
        """The side results that it was asked for, by kind and object."""
        names = [one.name for one in self.request.objects] or [""]
        return [(asked.kind, name) for name in names for asked in self.request.side_results]

    @property
    def _are_layers(self) -> bool:
        """Whether the alphas of several objects become layers of one file."""
        return bool(self.request.objects) and objects.PLACE not in self.request.out

    def _last_stage(self, name: str) -> int:
        """Return the index of the last stage of an object."""
        return self.stage_counts[name] - 1

    @property
    def stage_counts(self) -> dict[str, int]:
        """How many stages each object has, by name; those of a job of one mask without a name."""
        return objects.stage_counts(self.request.objects, self.request.then)


class JobBook:
    """All jobs that run, and the last ones that ended."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._ended: deque[str] = deque()
        self._begun: str | None = None
        self._ignores_death = False
        self.finished = 0
        self._event_handlers: dict[type, Callable[[Job, Any], JobEvent | None]] = {
            PhaseChanged: Job.note_phase,
            MattePlanned: Job.note_plan,
            FrameWanted: Job.note_wanted,
            StageBegun: Job.note_stage,
            StageFrameDone: Job.note_kept,
            FrameDone: Job.note_frame,
            SideFrameDone: Job.note_side,
            MatteDone: self._note_done,
            MatteFailed: self._note_failed,
        }

    def add(self, client: bytes, request: SubmitMatte, known: str = "") -> Job:
        """Enter a job.

        Args:
            client: the socket identity that its events go to; empty where nobody listens.
            request: what it is to do.
            known: its id, for a job that an earlier server did not finish.

        Raises:
            BadInput: too many wait already.
        """
        if len(self.running()) >= MOST_AT_ONCE:
            raise BadInput(f"{MOST_AT_ONCE} jobs wait or run already", "Submit again when some of them are done.")
        job = Job(known or uuid.uuid4().hex, client, request, turn=next_turn(self.running(), client, request.priority))
        self._jobs[job.id] = job
        return job

    def find(self, job: str) -> Job | None:
        """Return a job that runs or ended not long ago."""
        return self._jobs.get(job)

    def running(self) -> list[Job]:
        """Return the jobs that have not ended, oldest first."""
        return [job for job in self._jobs.values() if not job.ended]

    def jobs(self) -> list[Job]:
        """Return the jobs there are, those that ended included, oldest first."""
        return list(self._jobs.values())

    def queue(self) -> list[Job]:
        """Return the jobs that have not ended, in the order in which the worker takes them."""
        return in_order(self.running())

    def report(self) -> list[JobState]:
        """Tell of the jobs there are, newest first; of too many, those that run before those that wait or ended."""
        newest = list(reversed(self._jobs.values()))
        told = {job.id for job in sorted(newest, key=lambda job: _RANK.get(job.state, len(_RANK)))[:_REPORTED]}
        before = places(self.running())
        return [state_of(job, before.get(job.id)) for job in newest if job.id in told]

    def report_of(self, job: Job) -> JobState:
        """Tell of one job."""
        return state_of(job, jobs_before(job, self.running()))

    def resembling(self, known: str) -> list[Job]:
        """Return the jobs whose id begins so."""
        return [job for name, job in self._jobs.items() if name.startswith(known)]

    def set_priority(self, job: Job, priority: str) -> None:
        """Give a job another priority; it takes its turn among the jobs of that one."""
        job.turn = next_turn(self.running(), job.client, priority)
        job.request = replace(job.request, priority=priority)

    def note_begun(self, job: str) -> bool:
        """Note which job the worker is working on: a death is that one's doing. Returns whether it is the first time.

        Args:
            job: its id.
        """
        self._begun = job
        known = self._jobs.get(job)
        if known is None:
            return False
        first = known.begun_at is None
        known.begun, known.begun_at = True, known.begun_at or time.time()
        return first

    def note_files(self, job: str, files: list[str]) -> None:
        """Note which files of a job the worker is reading."""
        if job in self._jobs:
            self._jobs[job].blame.note_files(files)

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
            files = sum(map(len, job.done.values()))
            job.blame.note_death(files + job.stages.frame_count + job.sides.frame_count)
            reason = job.blame.verdict()
            if reason is not None:
                failed.append(self._stopped(job, reason))
        for left in self._jobs.values():
            left.blame.forget_files()
        return self.running(), failed

    def _blamed(self) -> Job | None:
        job = self._jobs.get(self._begun or "")
        return next(iter(self.running()), None) if job is None or job.ended else job

    def _note_done(self, job: Job, event: MatteDone) -> MatteDone:
        self._end(job)
        job.flags = event.flags
        job.warnings += [warning for warning in event.warnings if warning not in job.warnings]
        apart = job.stages.objects_done(event)
        return replace(
            event,
            computed=job.computed,
            cached=event.frame_count - job.computed,
            seconds=job.seconds,
            stages=apart[0].stages if apart else job.stages.done(event, job.computed),
            objects=apart,
            side_results=job.sides.done(job.sides_asked),
        )

    def _note_failed(self, job: Job, event: MatteFailed) -> MatteFailed:
        self._end(job, event)
        return event

    def _stopped(self, job: Job, error: VideoMaMaError) -> MatteFailed:
        return self._note_failed(job, MatteFailed.by(job.id, error))

    def _end(self, job: Job, failure: MatteFailed | None = None) -> None:
        job.ended_at, job.failure = time.monotonic(), failure
        job.supply.forget()
        job.request = job.bare_request  # up to 16 MiB less
        self.finished += 1
        self._ended.append(job.id)
        if len(self._ended) > REMEMBERED:  # by when they ended: one that was submitted long ago may end only now
            self._jobs.pop(self._ended.popleft(), None)  # one that was resumed may have ended twice


def named_role(role: str, name: str) -> str:
    """Return a role with the object that it is one's of, such as `object hero: mask`."""
    return f"{objects.label(name)}: {role}" if name else role


def run_message(job: Job) -> pipe.RunJob:
    """Return what the worker is told."""
    return pipe.RunJob(job.id, job.spool, job.request, job.turn)
