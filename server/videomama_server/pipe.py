"""The pipe between the server and its engine worker: what they say to each other, and how it is framed."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, BinaryIO, Union, get_args

from videomama_client import messages, wire
from videomama_client.errors import ProtocolError

URGENCY = {messages.INTERACTIVE: 0, messages.BATCH: 1}
_LENGTH = struct.Struct("<I")


@dataclass(frozen=True)
class RunJob:
    """Do a job; one that was begun by a worker that died is begun again, and finds its finished frames cached."""

    job: str
    spool: str
    submit: messages.SubmitMatte
    turn: int = 0


@dataclass(frozen=True)
class DropJob:
    """Stop a job."""

    job: str


@dataclass(frozen=True)
class SetPriority:
    """Give a job another priority, and its turn among the jobs of that one."""

    job: str
    priority: str
    turn: int


@dataclass(frozen=True)
class FrameSupplied:
    """A frame that the worker wanted lies in the spool."""

    job: str
    role: str
    frame: int
    object: str = ""


@dataclass(frozen=True)
class WorkerReady:
    """The worker takes jobs."""

    pid: int


@dataclass(frozen=True)
class JobBegun:
    """The worker has begun a window of this job; a death from here on is this job's doing."""

    job: str


@dataclass(frozen=True)
class FilesRead:
    """The files of a job that are being read from now on: if the worker dies, one of them may be why."""

    job: str
    files: list[str]


@dataclass(frozen=True)
class EnginesHold:
    """What the engines hold of their devices; those that hold nothing are left out."""

    loaded: list[messages.LoadedEngine]


@dataclass(frozen=True)
class Pulse:
    """Sent twice a second: how often the worker's heart has beaten, and whether it has a job to get on with."""

    beats: int
    busy: bool


# Asked and answered in the protocol's own words, under ids that the server makes up.
Question = Union[
    messages.PlanFrames, messages.ReportEngines, messages.ReportCache, messages.PruneCache, messages.ClearCache
]
Answer = Union[messages.FramesPlanned, messages.EnginesReported, messages.CacheReported, messages.RequestRefused]

QUESTIONS = get_args(Question)
ANSWERS = get_args(Answer)
_TASKS = (RunJob, DropJob, SetPriority, FrameSupplied)
_NEWS = (WorkerReady, JobBegun, FilesRead, EnginesHold, Pulse)
KINDS = {kind.__name__: kind for kind in (*_TASKS, *QUESTIONS, *_NEWS, *messages.JOB_EVENTS, *ANSWERS)}


def urgency(priority: str, turn: int) -> tuple[int, int]:
    """Return what jobs are sorted by, the most urgent first: server and worker agree on it."""
    return URGENCY.get(priority, URGENCY[messages.BATCH]), turn


def packed(message: Any) -> bytes:
    """Return one message as it goes through the pipe."""
    content = wire.encode(message)
    return _LENGTH.pack(len(content)) + content


def send(stream: BinaryIO, message: Any) -> None:
    """Write one message; raises OSError when the other side is gone."""
    stream.write(packed(message))
    stream.flush()


def receive(stream: BinaryIO) -> Any | None:
    """Read one message, or None when the other side is gone."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    if length > wire.MAX_PACKED_BYTES:
        raise ProtocolError(f"the engine worker's pipe announces {length} bytes")
    content = stream.read(length)
    return wire.decode(content, KINDS) if len(content) == length else None
