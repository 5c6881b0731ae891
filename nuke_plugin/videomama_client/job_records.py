"""What is told of a job: who submitted it, what is being done, how far it is, and lines of its log.

These are maps inside messages; the codes in them are for programs, and `phase_words` has the words for people.
"""

from __future__ import annotations

import ntpath
import os
import posixpath
from dataclasses import dataclass, field
from typing import Optional

WAITING = "waiting"
RUNNING = "running"
DONE = "done"
FAILED = "failed"
CANCELLED = "cancelled"
INTERRUPTED = "interrupted"  # the server ended before the job did
LEFT = (WAITING, RUNNING)  # the states of a job that has not ended
ENDED = (DONE, FAILED, CANCELLED, INTERRUPTED)
STATES = (*LEFT, *ENDED)

# The codes of phases. What `done`, `total` and `subject` hold stands beside each.
QUEUED = "queued"  # done: jobs that go first
STARTING = "starting"  # the engine process starts; nothing
LOADING = "loading"  # bytes of weights, where known; subject: the engine
READING_MASKS = "reading-masks"  # frames
JUDGING_MASKS = "judging-masks"  # frames that the quality of the masks is judged by
READING_PLATES = "reading-plates"  # frames
COMPUTING = "computing"  # nothing; subject: the frames at hand, such as 1001-1016
CHECKING = "checking"  # alphas of the cache that quality control looks at
SIDE_RESULTS = "side-results"  # frames; subject: the kind, such as foreground

CLI = "cli"
NUKE = "nuke"
BATCH = "batch"
WEB = "web"
SCRIPT = "script"  # a program of somebody else that uses the client


@dataclass(frozen=True)
class Submitter:
    """Who submitted a job, and from where.

    Fields:
        user, host: of the program.
        program: ``cli``, ``nuke``, ``batch``, ``web`` or ``script``.
        folder: that it worked in; empty where it is not known.
    """

    user: str = ""
    host: str = ""
    program: str = SCRIPT
    folder: str = ""


def this_submitter(program: str = SCRIPT) -> Submitter:
    """Return this process as a submitter of jobs."""
    import getpass  # not before a job: a host that only starts needs neither
    import socket

    try:
        user = getpass.getuser()
    except (ImportError, KeyError, OSError):  # no name is known for this user's number
        user = ""
    try:
        folder = os.getcwd()  # noqa: PTH109  (text for a message)
    except OSError:  # it was removed
        folder = ""
    return Submitter(user, socket.gethostname(), program, folder)


@dataclass(frozen=True)
class Phase:
    """What is being done for a job, beside finished frames.

    Fields:
        code: one of the codes above; take others for what they say.
        done: how much of it is done; what is counted follows from the code.
        total: how much there is; None where that is not known.
        subject: what it is done to or with, such as an engine.
    """

    code: str
    done: int = 0
    total: Optional[int] = None
    subject: str = ""


@dataclass(frozen=True)
class LogLine:
    """One line of a job's log.

    Fields:
        at: when, in seconds since 1970.
        text: what happened.
        level: ``info``, ``warning`` or ``error``.
    """

    at: float
    text: str
    level: str = "info"


@dataclass(frozen=True)
class JobState:
    """How far one job is, or how it ended: a map inside `JobsReported`, `HistoryReported` and others.

    Fields:
        job: its id.
        label: what its client called it; empty when it did not say.
        plate: its pattern.
        priority: ``interactive`` or ``batch``.
        state: ``waiting``, ``running``, ``done``, ``failed``, ``cancelled``, or ``interrupted`` where the server ended
            before the job did.
        engine: None until it is planned.
        frame_count: how many are wanted; None until it is planned.
        done: frames finished, of which `computed` were not in the cache.
        seconds: since it was submitted, or what it took.
        message: why it failed.
        flags: what quality control flagged, in one line; empty for nothing.
        role, frame: of the picture that it failed over, where it was one.
        stage: which of several stages it is at, such as ``1 of 2, classic``, and with which of several objects, as
            ``hero, 1 of 2, classic``; empty for a job of one stage and mask.
        side: once all alphas are there, how far it is with its side results, such as ``foreground 3 of 10``; empty
            where none is left to make.
        mask, out, frame_ranges: as of its `SubmitMatte`.
        submitter: who submitted it; None where the client did not say.
        submitted_at, begun_at, ended_at: in seconds since 1970; None for what has not happened.
        jobs_before: how many jobs go before it; None for one that has ended.
        phase: what is being done; None where nothing is, or nothing is known.
        stage_index, stage_count, stage_engine, stage_object: of the stage at work, from 0; the only one is 0 of 1.
        stage_done, stage_frame_count: alphas of that stage that are in the cache, and that are needed; None until
            they are known.
        frame_rate: alphas that this stage computes in a second; None until two are done, and at the end what the
            whole job came to.
        seconds_left: until this stage has all its alphas, at that rate; None where there is no rate.
        code, hint, file: of the error that it failed with; see `MatteFailed`.
        warnings: of its plan and its result.
        inline: whether its client sends the pictures: without that client nobody can do it once more.
        resumable: whether `ResumeJobs` can submit it once more.
    """

    job: str
    label: str
    plate: str
    priority: str
    state: str
    engine: Optional[str]
    frame_count: Optional[int]
    done: int
    computed: int
    seconds: float
    message: str = ""
    flags: str = ""
    role: str = ""
    frame: Optional[int] = None
    stage: str = ""
    side: str = ""
    mask: str = ""
    out: str = ""
    frame_ranges: str = ""
    submitter: Optional[Submitter] = None
    submitted_at: float = 0.0
    begun_at: Optional[float] = None
    ended_at: Optional[float] = None
    jobs_before: Optional[int] = None
    phase: Optional[Phase] = None
    stage_index: int = 0
    stage_count: int = 1
    stage_engine: str = ""
    stage_object: str = ""
    stage_done: Optional[int] = None
    stage_frame_count: Optional[int] = None
    frame_rate: Optional[float] = None
    seconds_left: Optional[float] = None
    code: str = ""
    hint: str = ""
    file: str = ""
    warnings: list[str] = field(default_factory=list)
    inline: bool = False
    resumable: bool = False

    @property
    def title(self) -> str:
        """What people call it: its label, else its plate's folder and name, whichever system's path that is."""
        if self.label:
            return self.label
        flavour = ntpath if "\\" in self.plate else posixpath
        folder, name = flavour.split(self.plate)
        return f"{flavour.basename(folder)}/{name}" if folder.strip("/\\") else name

    @property
    def left(self) -> bool:
        """Whether it has not ended."""
        return self.state in LEFT
