"""Every message of the protocol, as a frozen dataclass; `docs/protocol.md` is the text that this file follows.

Requests are imperative, events past tense. The wire kind is the class name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Optional, Union, get_args

from videomama_client.errors import VideoMaMaError, kind_of
from videomama_client.job_records import CANCELLED as CANCELLED
from videomama_client.job_records import DONE as DONE
from videomama_client.job_records import FAILED as FAILED
from videomama_client.job_records import INTERRUPTED as INTERRUPTED
from videomama_client.job_records import LEFT as LEFT
from videomama_client.job_records import RUNNING as RUNNING
from videomama_client.job_records import WAITING as WAITING
from videomama_client.job_records import JobState as JobState
from videomama_client.job_records import LogLine as LogLine
from videomama_client.job_records import Phase as Phase
from videomama_client.job_records import Submitter as Submitter
from videomama_client.objects import MaskObject, out_of
from videomama_client.prompts import Prompt
from videomama_client.setting_spec import SettingSpec
from videomama_client.settings import MatteSettings
from videomama_client.stages import MATTING, Stage

PROTOCOL_VERSION = 3

INTERACTIVE = "interactive"
BATCH = "batch"
PRIORITIES = (INTERACTIVE, BATCH)
PLATE = "plate"
MASK = "mask"
FOREGROUND = "foreground"


@dataclass(frozen=True)
class Hello:
    """First words of a client.

    Fields:
        client: its name and version, for messages.
    """

    request: str
    protocol: int
    client: str


@dataclass(frozen=True)
class ReportStatus:
    """Ask how the server is; also the client's heartbeat.

    Fields:
        brief: leave out `jobs`, `loaded` and `config`, as heartbeats do.
    """

    request: str
    brief: bool = False


@dataclass(frozen=True)
class ProveFile:
    """Ask the server to show that it reads the very file the client names."""

    request: str
    path: str
    nonce: str


@dataclass(frozen=True)
class SideResult:
    """What else is to be made of each frame once its alpha is there: a map inside `SubmitMatte`.

    Fields:
        kind: ``foreground``: the subject's own colour, from plate and alpha.
        out: pattern of the files to write.
        dtype: pixel type, ``half`` or ``float``; empty for the format's own.
        premultiplied: whether colour is multiplied by alpha.
    """

    kind: str
    out: str
    dtype: str = ""
    premultiplied: bool = False


def sides_of(sides: Sequence[SideResult], name: str) -> tuple[SideResult, ...]:
    """Return the side results of one object, each with the pattern of its own files."""
    return tuple(replace(side, out=out_of(side.out, name)) for side in sides)


@dataclass(frozen=True)
class SubmitMatte:
    """Ask for the alphas of a range.

    Fields:
        plate, mask: patterns such as ``/shots/plate.####.exr``; no mask where the first stage makes masks.
        out: pattern of the files to write; empty publishes a numbered sequence in the cache folder.
        layer, dtype: how alphas are written; empty for the format's own.
        clip: the frames that exist; empty for all from the first plate to the last.
        frame_ranges: the frames wanted, as ``1001-1040``; empty for the whole clip.
        priority: ``interactive`` or ``batch``.
        rehash: read every file again instead of trusting its stat.
        label: what people call the job, such as ``shot010.nk VideoMaMa1``.
        inline: the client sends pixels; then the lists name its files' content.
        inline_frame_numbers: the frames there are.
        plate_digests, mask_digests: BLAKE2b of each file's bytes, in the order of `inline_frame_numbers`.
        then: the stages after the first, in order; `settings` are those of the first.
        side_results: what else is made of each frame from the alpha of the last stage; one of a kind. Of several
            objects each has its own, and their patterns have ``{object}`` in them.
        prompts: what the first stage makes masks of, beside or in place of `mask`.
        objects: that the job makes alphas of, each with a mask of its own in place of `mask`; empty for the one mask.
            They become layers of one file for each frame, or files of their own where `out` has ``{object}`` in it.
        submitter: who submits it; for people, and no part of what is computed.
        compression: of EXR files: ``zip``, ``zips``, ``piz``, ``dwaa`` (or ``dwaa:45``) or ``none``; empty for ``zip``.
    """

    request: str
    plate: str
    mask: str
    out: str
    settings: MatteSettings
    clip: str = ""
    frame_ranges: str = ""
    priority: str = INTERACTIVE
    layer: str = ""
    dtype: str = ""
    rehash: bool = False
    label: str = ""
    inline: bool = False
    inline_frame_numbers: list[int] = field(default_factory=list)
    plate_digests: list[str] = field(default_factory=list)
    mask_digests: list[str] = field(default_factory=list)
    then: tuple[Stage, ...] = ()
    side_results: tuple[SideResult, ...] = ()
    prompts: tuple[Prompt, ...] = ()
    objects: tuple[MaskObject, ...] = ()
    submitter: Optional[Submitter] = None
    compression: str = ""


@dataclass(frozen=True)
class PlanFrames:
    """Ask which frames a job of these would read, before they are on disk.

    Fields:
        settings: of the job; engine, window and overlap decide, and whether the plate is asked how good the mask is.
        clip: the frames that exist, such as ``1001-1100`` or ``1001-1099x2``.
        frame_ranges: the frames wanted; empty for the whole clip.
        then: the stages after the first, in order; `settings` are those of the first.
        prompts: what the first stage makes masks of; the frames that they stand on decide.
        objects: as in `SubmitMatte`; their chains decide.
    """

    request: str
    settings: MatteSettings
    clip: str
    frame_ranges: str
    then: tuple[Stage, ...] = ()
    prompts: tuple[Prompt, ...] = ()
    objects: tuple[MaskObject, ...] = ()


@dataclass(frozen=True)
class ReportJobs:
    """Ask for the jobs of all clients: those that run or wait, and the last ones that ended."""

    request: str


@dataclass(frozen=True)
class ReportHistory:
    """Ask for the jobs of the history, newest first: those that wait or run, and all that ended, page by page.

    Fields:
        search: words that a job must all have in its id, label, paths, user, host, program, engine, state or error;
            empty for every job.
        states: that a job may be in; empty for every state.
        before: the `next_before` of the page before; None for the first page.
        limit: the most jobs of the page, 1..500.
    """

    request: str
    search: str = ""
    states: list[str] = field(default_factory=list)
    before: Optional[int] = None
    limit: int = 50


@dataclass(frozen=True)
class DescribeJob:
    """Ask for all that is known of one job, also one of the history.

    Fields:
        job: its id, or enough of its beginning to be the only one.
    """

    request: str
    job: str


@dataclass(frozen=True)
class ReportLog:
    """Ask for the last lines of a job's log, also of one of the history.

    Fields:
        job: as of `DescribeJob`.
        limit: the most lines, 1..1000.
    """

    request: str
    job: str
    limit: int = 200


@dataclass(frozen=True)
class SetPriority:
    """Ask for another priority of a job that waits or runs, whoever submitted it.

    Fields:
        priority: ``interactive`` or ``batch``.
    """

    request: str
    job: str
    priority: str


@dataclass(frozen=True)
class ResumeJobs:
    """Ask for jobs to be queued once more that an earlier server did not finish; finished frames are in the cache.

    Fields:
        jobs: their ids; empty for all that there are.
    """

    request: str
    jobs: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ReportEngines:
    """Ask which engines there are, and what each one's settings are; seconds for each engine of another package."""

    request: str


@dataclass(frozen=True)
class CancelJob:
    """Ask for a job to stop, whoever submitted it; its `MatteFailed` with code ``cancelled`` follows."""

    request: str
    job: str


@dataclass(frozen=True)
class SupplyFrame:
    """Answer `FrameWanted`; the file's bytes ride as the bulk frame."""

    job: str
    role: str
    frame: int
    object: str = ""


@dataclass(frozen=True)
class FetchAlpha:
    """Ask for the file of one finished frame.

    Fields:
        side_kind: of a side result; empty for the alpha.
        object: where each object has files, the one whose file it is.
    """

    request: str
    job: str
    frame: int
    side_kind: str = ""
    object: str = ""


@dataclass(frozen=True)
class UnloadEngine:
    """Ask for the memory that the engine holds; refused while a job runs."""

    request: str


@dataclass(frozen=True)
class ReportCache:
    """Ask what the cache holds."""

    request: str


@dataclass(frozen=True)
class PruneCache:
    """Ask for the least recently used entries to go until the rest fits; never those that a running job uses.

    Fields:
        limit_gb: None takes the server's own limit.
    """

    request: str
    limit_gb: Optional[float] = None


@dataclass(frozen=True)
class ClearCache:
    """Ask for everything in the cache to go; refused while a job uses it."""

    request: str


@dataclass(frozen=True)
class StopServer:
    """Ask the server to end."""

    request: str


@dataclass(frozen=True)
class Greeted:
    """The server speaks the same protocol."""

    request: str
    protocol: int
    server: str
    pid: int


@dataclass(frozen=True)
class ConfigValue:
    """One key of the server's config and its value, as it would be written in a variable.

    A map inside `StatusReported`.
    """

    name: str
    value: str


@dataclass(frozen=True)
class LoadedEngine:
    """An engine that holds memory of a device. A map inside `StatusReported`.

    Fields:
        name: of the engine.
        device, dtype: what it runs on, and computes in.
        resident_bytes: of weights that stay on that device.
        peak_bytes: the most that was in use on it at once; None where that cannot be known.
    """

    name: str
    device: str
    dtype: str
    resident_bytes: int
    peak_bytes: Optional[int] = None


@dataclass(frozen=True)
class StatusReported:
    """How the server is. What is not known is None, never a made-up zero.

    Fields:
        engine: of the job that runs.
        jobs_running, jobs_waiting: those that the worker has begun, and those that it has not.
        loaded: every engine that holds memory of a device, by name.
        jobs: those that run or wait, in the order in which they go, 50 at most.
        config: what the server runs with, every key.
    """

    request: str
    server: str
    pid: int
    uptime_s: float
    cache_dir: str
    log_file: str
    worker_pid: Optional[int]
    worker_memory_bytes: Optional[int]
    engine: Optional[str]
    jobs_running: int
    jobs_finished: int
    worker_restarts: int
    loaded: list[LoadedEngine] = field(default_factory=list)
    jobs: list[JobState] = field(default_factory=list)
    config: list[ConfigValue] = field(default_factory=list)
    jobs_waiting: int = 0

    @property
    def jobs_left(self) -> int:
        """How many jobs run or wait."""
        return self.jobs_running + self.jobs_waiting

    @property
    def engines(self) -> str:
        """The engine that runs and all that are loaded, with what they run on, for a person; empty where none is."""
        known = [f"{one.name} on {one.device}, {one.dtype}" for one in self.loaded]
        if self.engine and self.engine not in [one.name for one in self.loaded]:
            known.insert(0, self.engine)
        return "; ".join(known)


@dataclass(frozen=True)
class JobsReported:
    """The jobs of all clients, newest first."""

    request: str
    jobs: list[JobState]


@dataclass(frozen=True)
class HistoryReported:
    """A page of the history, newest first.

    Fields:
        next_before: asks for the page after this one; None where there is none.
        trouble: why jobs are not kept in the history at the moment; empty where they are.
    """

    request: str
    jobs: list[JobState]
    next_before: Optional[int] = None
    trouble: str = ""


@dataclass(frozen=True)
class PrioritySet:
    """The job has its new priority."""

    request: str


@dataclass(frozen=True)
class JobsResumed:
    """These jobs are queued once more, under the ids that they had.

    Fields:
        jobs: their ids, oldest first.
        left: those that could not be, with the reason: inline jobs need the client that has their pictures.
    """

    request: str
    jobs: list[str]
    left: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class LogReported:
    """Lines of a job's log, oldest first.

    Fields:
        job: its whole id.
    """

    request: str
    job: str
    lines: list[LogLine]


@dataclass(frozen=True)
class FramesPlanned:
    """What a job would come to.

    Fields:
        engine: of the first stage: what `auto` stands for; where the masks show a small subject, the job takes a light
            one.
        window, overlap: of the windows of that stage, in frames.
        needed_ranges: the frames that the job would read, such as ``1001-1032``.
    """

    request: str
    engine: str
    window: int
    overlap: int
    needed_ranges: str


@dataclass(frozen=True)
class EngineState:
    """What one engine is: a map inside `EnginesReported`.

    Fields:
        name: that jobs ask for.
        options: its own, beside the fields of `MatteSettings`.
        message, hint: why it cannot be used and what to do; empty where it can, as far as that is known without its
            packages and weights.
        role: its part in a chain of stages: ``maker``, ``matting``, ``refiner`` or ``adjustment``.
        prompts: the kinds of prompts that it takes: ``point``, ``box``, ``text``, ``mask``.
    """

    name: str
    options: list[SettingSpec] = field(default_factory=list)
    message: str = ""
    hint: str = ""
    role: str = MATTING
    prompts: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class EnginesReported:
    """The engines that jobs can ask for, and all settings.

    Fields:
        settings: the fields of `MatteSettings`, as the server knows them.
        engines: with the options of each.
    """

    request: str
    settings: list[SettingSpec]
    engines: list[EngineState]


@dataclass(frozen=True)
class CacheReported:
    """What the cache holds, and what was removed from it just now.

    Fields:
        older_entries, older_bytes: of what it holds, those of older versions, which are pruned first.
    """

    request: str
    folder: str
    entries: int
    bytes: int
    limit_bytes: int
    removed: int = 0
    freed_bytes: int = 0
    older_entries: int = 0
    older_bytes: int = 0


@dataclass(frozen=True)
class FileProved:
    """BLAKE2b of nonce and file as the server reads it; empty when it cannot."""

    request: str
    digest: str


@dataclass(frozen=True)
class JobAccepted:
    """The job is queued."""

    request: str
    job: str


@dataclass(frozen=True)
class MaskTaken:
    """How good a job took its masks to be: a map inside `MattePlanned` and `MatteDone`.

    A job with these three numbers gives the same alphas.

    Fields:
        quality: ``exact``, ``good``, ``fair`` or ``rough``; ``unsure`` where the plate did not say, and then they were
            taken as rough; empty where all three numbers were given.
        mask_slack, trimap_erode, trimap_dilate: what followed, as settings have them.
        offset: how much too large the masks are, in pixels of a plate 1920 wide; negative for too small, 0 for neither
            or not known.
    """

    quality: str
    mask_slack: float
    trimap_erode: float
    trimap_dilate: float
    offset: float = 0.0


@dataclass(frozen=True)
class ObjectPlanned:
    """What one of several objects came to: a map inside `MattePlanned`; the fields are those of `MattePlanned`.

    Fields:
        out: where its alphas go; the same for all where they become layers.
    """

    name: str
    engine: str
    out: str
    plan: str = ""
    mask: Optional[MaskTaken] = None
    stages: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class MattePlanned:
    """What the job came to: its engine, region (x, y, w, h) and the number of frames wanted.

    `plan` says what the engine runs on and how; empty for one that runs anywhere in the same way. `warnings` are of
    what may keep the job from ending well, such as a disk that is nearly full. `mask` is None for an engine that
    leaves outlines alone. `engine`, `plan` and `mask` are of the first stage; `stages` holds the engine of each. Of
    several objects, all of these are the first one's, and `objects` says it of each.
    """

    job: str
    engine: str
    roi: list[int]
    frame_count: int
    out: str
    plan: str = ""
    warnings: list[str] = field(default_factory=list)
    mask: Optional[MaskTaken] = None
    stages: list[str] = field(default_factory=list)
    objects: list[ObjectPlanned] = field(default_factory=list)


@dataclass(frozen=True)
class StageBegun:
    """A stage of a job that has several stages or objects begins to compute.

    Fields:
        stage: from 0.
        frame_count: how many of its alphas the job needs; those that are cached already are among them.
        object: whose stage it is, where there are several.
    """

    job: str
    stage: int
    engine: str
    frame_count: int
    object: str = ""


@dataclass(frozen=True)
class StageFrameDone:
    """An alpha is in the cache, computed now or found there, and has no file of its own.

    It is one of a stage before the last, or one that becomes a layer of a file.
    """

    job: str
    stage: int
    frame: int
    cached: bool
    object: str = ""


@dataclass(frozen=True)
class FrameWanted:
    """The server needs the bytes of one plate or mask frame of an inline job; of an object's mask, `object` says."""

    job: str
    role: str
    frame: int
    object: str = ""


@dataclass(frozen=True)
class FrameDone:
    """The file of one frame is on disk, its alphas computed now or found in the cache.

    Where each object has files, there is one for each, which `object` names. A file of layers has all objects in it.
    """

    job: str
    frame: int
    cached: bool
    path: str
    object: str = ""


@dataclass(frozen=True)
class SideFrameDone:
    """A side result of one frame is on disk, computed now or found in the cache; its alpha came before.

    Fields:
        object: whose alpha it is made of, where there are several.
    """

    job: str
    side_kind: str
    frame: int
    cached: bool
    path: str
    object: str = ""


@dataclass(frozen=True)
class QcFlag:
    """Frames that a person should look at: a map inside `MatteDone`.

    Fields:
        kind: what is wrong, in a word or two.
        frame_numbers: on which it is, ascending.
        worst: the one to look at first.
        reason: a sentence for the person.
        object: whose alpha it is about, where there are several.
    """

    kind: str
    frame_numbers: list[int]
    worst: int
    reason: str
    object: str = ""


@dataclass(frozen=True)
class StageDone:
    """What one stage came to: a map inside `MatteDone`.

    Fields:
        computed, cached: how many of its alphas were made for this job, and how many it took from the cache; a stage
            that nothing was needed of has neither.
        plan: what its engine runs on and how.
        licence: of the weights that it works with; empty where none is known.
        role: of its engine, as in `EngineState`.
        settings: that ask for the same pixels again, with nothing left open; None from an older server.
        fingerprint: of its engine, with a digest of its weights; another one may give other pixels.
    """

    engine: str
    computed: int
    cached: int
    plan: str = ""
    licence: str = ""
    role: str = MATTING
    settings: Optional[MatteSettings] = None
    fingerprint: str = ""


@dataclass(frozen=True)
class SideDone:
    """What one kind of side results came to: a map inside `MatteDone`.

    Fields:
        computed, cached: how many were made for this job, and how many the cache had.
        object: whose alphas they are made of, where there are several.
    """

    kind: str
    computed: int
    cached: int
    object: str = ""


@dataclass(frozen=True)
class ObjectDone:
    """What one of several objects came to: a map inside `MatteDone`; the fields are those of `MatteDone`."""

    name: str
    computed: int
    cached: int
    engine: str
    plan: str = ""
    judged: int = 0
    mask: Optional[MaskTaken] = None
    stages: list[StageDone] = field(default_factory=list)
    mask_digest: str = ""


@dataclass(frozen=True)
class MatteDone:
    """Every wanted frame is done.

    Fields:
        computed, cached: how many were made for this job, and how many the cache had.
        seconds: from the submission on.
        engine, plan: of the first stage, and what it ran on and how.
        judged: frames that quality control has scores of; a warning names the others.
        flags: what it found.
        colorspace: that the plate was taken to be in.
        mask: how good the masks were taken to be; None for an engine that leaves outlines alone.
        stages: what each stage came to, in order; `computed` and `cached` above are of the last.
        side_results: what each kind of side results came to.
        objects: what each of several objects came to. Then `engine`, `plan`, `mask` and `stages` above are the first
            one's. A frame counts as cached where all its alphas are, `judged` is that of the object with the fewest,
            and `flags` are those of all.
        server: version of the server.
        clip, frame_ranges: what the clip and the frames wanted came to, where that can be said in a text.
        plate_digest, mask_digest: of the pixels of all frames that were read; empty where there are none.
    """

    job: str
    frame_count: int
    computed: int
    cached: int
    seconds: float
    engine: str
    roi: list[int]
    warnings: list[str] = field(default_factory=list)
    plan: str = ""
    judged: int = 0
    flags: list[QcFlag] = field(default_factory=list)
    colorspace: str = ""
    mask: Optional[MaskTaken] = None
    stages: list[StageDone] = field(default_factory=list)
    side_results: list[SideDone] = field(default_factory=list)
    objects: list[ObjectDone] = field(default_factory=list)
    server: str = ""
    clip: str = ""
    frame_ranges: str = ""
    plate_digest: str = ""
    mask_digest: str = ""


@dataclass(frozen=True)
class MatteFailed:
    """The job ended without all its frames; those that were done stay in the cache.

    Fields:
        role, frame, file, object: what the error is about, as far as that is known; see `VideoMaMaError`.
    """

    job: str
    code: str
    message: str
    hint: str
    role: str = ""
    frame: Optional[int] = None
    file: str = ""
    object: str = ""

    @classmethod
    def by(cls, job: str, error: VideoMaMaError) -> MatteFailed:
        """Return what tells of the error that ended a job."""
        return cls(job, error.code, error.message, error.hint, error.role, error.frame, error.file, error.object)

    @property
    def error(self) -> VideoMaMaError:
        """The error that it tells of."""
        told = kind_of(self.code)(self.message, self.hint, role=self.role, frame=self.frame, file=self.file)
        return told.of_object(self.object)


@dataclass(frozen=True)
class PhaseChanged:
    """What is being done for a job is another thing now, or further; beside the events of its frames."""

    job: str
    phase: Phase


@dataclass(frozen=True)
class JobDescribed:
    """All that is known of a job.

    Fields:
        submitted: its request, to submit it once more, perhaps with other settings; digests of inline frames are left
            out. None where it is too long ago.
        result: what it came to; None for a job that is not done, or too long ago.
    """

    request: str
    state: JobState
    submitted: Optional[SubmitMatte] = None
    result: Optional[MatteDone] = None


@dataclass(frozen=True)
class AlphaFetched:
    """The file of one alpha, or of one side result; its bytes ride as the bulk frame."""

    request: str
    job: str
    frame: int


@dataclass(frozen=True)
class EngineUnloaded:
    """The engine holds nothing; the next job loads it again."""

    request: str


@dataclass(frozen=True)
class ServerStopping:
    """The server is about to end."""

    request: str


@dataclass(frozen=True)
class RequestRefused:
    """A request could not be taken; `request` is empty when it could not even be read.

    Fields:
        role, frame, file: as of `MatteFailed`.
    """

    request: str
    code: str
    message: str
    hint: str
    role: str = ""
    frame: Optional[int] = None
    file: str = ""

    @classmethod
    def by(cls, request: str, error: VideoMaMaError) -> RequestRefused:
        """Return what tells of the error that kept a request from being taken."""
        return cls(request, error.code, error.message, error.hint, error.role, error.frame, error.file)

    @property
    def error(self) -> VideoMaMaError:
        """The error that it tells of."""
        return kind_of(self.code)(self.message, self.hint, role=self.role, frame=self.frame, file=self.file)


Request = Union[
    Hello,
    ReportStatus,
    ReportJobs,
    ReportHistory,
    DescribeJob,
    ReportLog,
    SetPriority,
    ResumeJobs,
    ReportCache,
    ReportEngines,
    ProveFile,
    PlanFrames,
    SubmitMatte,
    CancelJob,
    SupplyFrame,
    FetchAlpha,
    PruneCache,
    ClearCache,
    UnloadEngine,
    StopServer,
]
JobEvent = Union[
    PhaseChanged,
    MattePlanned,
    FrameWanted,
    StageBegun,
    StageFrameDone,
    FrameDone,
    SideFrameDone,
    MatteDone,
    MatteFailed,
]
Reply = Union[
    Greeted,
    StatusReported,
    JobsReported,
    HistoryReported,
    JobDescribed,
    LogReported,
    PrioritySet,
    JobsResumed,
    CacheReported,
    EnginesReported,
    FileProved,
    FramesPlanned,
    JobAccepted,
    AlphaFetched,
    EngineUnloaded,
    ServerStopping,
    RequestRefused,
]
Message = Union[Request, JobEvent, Reply]

JOB_EVENTS = get_args(JobEvent)
KINDS = {kind.__name__: kind for union in (Request, JobEvent, Reply) for kind in get_args(union)}
