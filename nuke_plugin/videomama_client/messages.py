"""Every message of the protocol, as a frozen dataclass; `docs/protocol.md` is the text that this file follows.

Requests are imperative, events past tense. The wire kind is the class name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional, Union, get_args

from videomama_client.errors import VideoMaMaError, kind_of
from videomama_client.setting_spec import SettingSpec
from videomama_client.settings import MatteSettings
from videomama_client.stages import MATTING, Stage

PROTOCOL_VERSION = 3

INTERACTIVE = "interactive"
BATCH = "batch"
WAITING = "waiting"
RUNNING = "running"
DONE = "done"
FAILED = "failed"
CANCELLED = "cancelled"
PLATE = "plate"
MASK = "mask"


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
    """Ask how the server is; also the client's heartbeat."""

    request: str


@dataclass(frozen=True)
class ProveFile:
    """Ask the server to show that it reads the very file the client names."""

    request: str
    path: str
    nonce: str


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


@dataclass(frozen=True)
class PlanFrames:
    """Ask which frames a job of these would read, before they are on disk.

    Fields:
        settings: of the job; engine, window and overlap decide, and whether the plate is asked how good the mask is.
        clip: the frames that exist, such as ``1001-1100`` or ``1001-1099x2``.
        frame_ranges: the frames wanted; empty for the whole clip.
        then: the stages after the first, in order; `settings` are those of the first.
    """

    request: str
    settings: MatteSettings
    clip: str
    frame_ranges: str
    then: tuple[Stage, ...] = ()


@dataclass(frozen=True)
class ReportJobs:
    """Ask for the jobs of all clients: those that run or wait, and the last ones that ended."""

    request: str


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


@dataclass(frozen=True)
class FetchAlpha:
    """Ask for the file of one finished frame."""

    request: str
    job: str
    frame: int


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
class StatusReported:
    """How the server is. What is not known is None, never a made-up zero.

    Fields:
        device, dtype: what the loaded engine runs on, and computes in.
        resident_bytes: of weights that stay on that device.
        peak_bytes: the most that was in use on it at once.
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
    device: Optional[str] = None
    dtype: Optional[str] = None
    resident_bytes: Optional[int] = None
    peak_bytes: Optional[int] = None
    jobs: list[str] = field(default_factory=list)
    config: list[ConfigValue] = field(default_factory=list)


@dataclass(frozen=True)
class JobState:
    """How far one job is: a map inside `JobsReported`.

    Fields:
        label: what its client called it; empty when it did not say.
        plate: its pattern.
        priority: ``interactive`` or ``batch``.
        state: ``waiting``, ``running``, ``done``, ``failed`` or ``cancelled``.
        engine: None until it is planned.
        frame_count: how many are wanted; None until it is planned.
        done: frames finished, of which `computed` were not in the cache.
        seconds: since it was submitted, or what it took.
        message: why it failed.
        flags: what quality control flagged, in one line; empty for nothing.
        role, frame: of the picture that it failed over, where it was one.
        stage: which of several stages it is at, such as ``1 of 2, classic``; empty for a job of one.
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


@dataclass(frozen=True)
class JobsReported:
    """The jobs of all clients, newest first."""

    request: str
    jobs: list[JobState]


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
    """

    name: str
    options: list[SettingSpec] = field(default_factory=list)
    message: str = ""
    hint: str = ""
    role: str = MATTING


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
    """What the cache holds, and what was removed from it just now."""

    request: str
    folder: str
    entries: int
    bytes: int
    limit_bytes: int
    removed: int = 0
    freed_bytes: int = 0


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
class MattePlanned:
    """What the job came to: its engine, region (x, y, w, h) and the number of frames wanted.

    `plan` says what the engine runs on and how; empty for one that runs anywhere in the same way. `warnings` are of
    what may keep the job from ending well, such as a disk that is nearly full. `mask` is None for an engine that
    leaves outlines alone. `engine`, `plan` and `mask` are of the first stage; `stages` holds the engine of each.
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


@dataclass(frozen=True)
class StageBegun:
    """A stage of a job that has several begins to compute.

    Fields:
        stage: from 0.
        frame_count: how many of its alphas the job needs; those that are cached already are among them.
    """

    job: str
    stage: int
    engine: str
    frame_count: int


@dataclass(frozen=True)
class StageFrameDone:
    """An alpha of a stage before the last is in the cache, computed now or found there."""

    job: str
    stage: int
    frame: int
    cached: bool


@dataclass(frozen=True)
class FrameWanted:
    """The server needs the bytes of one plate or mask frame of an inline job."""

    job: str
    role: str
    frame: int


@dataclass(frozen=True)
class FrameDone:
    """The alpha of one frame is on disk, computed now or found in the cache."""

    job: str
    frame: int
    cached: bool
    path: str


@dataclass(frozen=True)
class QcFlag:
    """Frames that a person should look at: a map inside `MatteDone`.

    Fields:
        kind: what is wrong, in a word or two.
        frame_numbers: on which it is, ascending.
        worst: the one to look at first.
        reason: a sentence for the person.
    """

    kind: str
    frame_numbers: list[int]
    worst: int
    reason: str


@dataclass(frozen=True)
class StageDone:
    """What one stage came to: a map inside `MatteDone`.

    Fields:
        computed, cached: how many of its alphas were made for this job, and how many it took from the cache; a stage
            that nothing was needed of has neither.
        plan: what its engine runs on and how.
    """

    engine: str
    computed: int
    cached: int
    plan: str = ""


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


@dataclass(frozen=True)
class MatteFailed:
    """The job ended without all its frames; those that were done stay in the cache.

    Fields:
        role, frame, file: what the error is about, as far as that is known; see `VideoMaMaError`.
    """

    job: str
    code: str
    message: str
    hint: str
    role: str = ""
    frame: Optional[int] = None
    file: str = ""

    @classmethod
    def by(cls, job: str, error: VideoMaMaError) -> MatteFailed:
        """Return what tells of the error that ended a job."""
        return cls(job, error.code, error.message, error.hint, error.role, error.frame, error.file)

    @property
    def error(self) -> VideoMaMaError:
        """The error that it tells of."""
        return kind_of(self.code)(self.message, self.hint, role=self.role, frame=self.frame, file=self.file)


@dataclass(frozen=True)
class AlphaFetched:
    """The file of one alpha; its bytes ride as the bulk frame."""

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
JobEvent = Union[MattePlanned, FrameWanted, StageBegun, StageFrameDone, FrameDone, MatteDone, MatteFailed]
Reply = Union[
    Greeted,
    StatusReported,
    JobsReported,
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
