"""The client: one socket to the server, requests with answers, and the events of the jobs it submitted."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
import uuid
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Optional, TypeVar

from videomama_client import __version__, messages, wire
from videomama_client.connection import Connection
from videomama_client.errors import BadInput, ProtocolError, ServerUnreachable, VideoMaMaError
from videomama_client.settings import MatteSettings
from videomama_client.zeromq import zmq

ANSWER_S = 10.0
PLAN_S = 60.0  # the engine may have to be imported first
CACHE_S = 120.0  # a large folder on a slow disk
SILENCE_S = 10.0
PING_EVERY_S = 1.0
MAX_BULK_BYTES = 1 << 30
_NONCE_BYTES = 32
_PARENTS: list[object] = []  # ZeroMQ's, in a forked child: kept, because some versions wait for ever when they go

Reply = TypeVar("Reply")


@dataclass(frozen=True)
class InlineFrames:
    """The files of an inline job on the client's side, by role and frame number.

    Attributes:
        plate, mask: file of each frame; both hold the same frame numbers.
    """

    plate: Mapping[int, Path] = field(default_factory=dict)
    mask: Mapping[int, Path] = field(default_factory=dict)

    def file(self, role: str, frame: int) -> Path:
        """Return the file that the server asks for."""
        return (self.plate if role == messages.PLATE else self.mask)[frame]


class Client:
    """A connection to the server; use it in the thread that made it, and close it there.

    A forked child has to make its own: ZeroMQ's threads stay in the parent, so that nothing would ever be answered.

    Args:
        connection: from the connection file.

    Raises:
        ServerUnreachable: its keys or endpoint make no sense; from any use, that this is a forked child.
    """

    def __init__(self, connection: Connection) -> None:
        self.endpoint = connection.endpoint
        self._pid = os.getpid()
        self._context = zmq.Context()  # our own: Nuke uses the global one
        self._socket = self._context.socket(zmq.DEALER)
        self._events: dict[str, deque[messages.JobEvent]] = {}
        self._heard = time.monotonic()
        self._pinged = 0.0
        self._unanswered = 0.0
        options = {zmq.LINGER: 0, zmq.SNDHWM: 0, zmq.RCVHWM: 0, zmq.MAXMSGSIZE: MAX_BULK_BYTES, zmq.SNDTIMEO: 5000}
        for option, value in options.items():
            self._socket.setsockopt(option, value)
        try:
            self._socket.curve_serverkey = connection.server_public.encode()
            self._socket.curve_publickey = connection.client_public.encode()
            self._socket.curve_secretkey = connection.client_secret.encode()
            self._socket.connect(connection.endpoint)
        except (zmq.ZMQError, ValueError) as error:
            self.close()
            reason = f"the connection file's keys or endpoint {connection.endpoint!r} make no sense: {error}"
            raise ServerUnreachable(reason, "Start the server again: videomama serve") from error

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the socket; safe to call twice. In a forked child nothing is closed: the socket is the parent's."""
        if self._pid == os.getpid():
            self._context.destroy(linger=0)
        else:
            _PARENTS.append((self._context, self._socket))

    def hello(self, timeout: float = ANSWER_S) -> messages.Greeted:
        """Greet the server; raises `ProtocolError` when the two sides speak different versions."""
        hello = messages.Hello(_new_id(), messages.PROTOCOL_VERSION, f"videomama-client {__version__}")
        return self._ask(hello, messages.Greeted, timeout)

    def status(self) -> messages.StatusReported:
        """Return how the server is."""
        return self._ask(messages.ReportStatus(_new_id()), messages.StatusReported)

    def jobs(self) -> list[messages.JobState]:
        """Return the jobs of all clients, newest first."""
        return self._ask(messages.ReportJobs(_new_id()), messages.JobsReported).jobs

    def plan_frames(self, settings: MatteSettings, clip: str, frame_ranges: str) -> messages.FramesPlanned:
        """Return which frames a job would read; raises `BadInput` for ranges or settings that make no sense."""
        request = messages.PlanFrames(_new_id(), settings, clip, frame_ranges)
        return self._ask(request, messages.FramesPlanned, PLAN_S)

    def cache_report(self) -> messages.CacheReported:
        """Return what the cache holds."""
        return self._ask(messages.ReportCache(_new_id()), messages.CacheReported, CACHE_S)

    def prune_cache(self, limit_gb: Optional[float] = None) -> messages.CacheReported:
        """Ask for the least recently used entries to go, by default those over the server's limit."""
        return self._ask(messages.PruneCache(_new_id(), limit_gb), messages.CacheReported, CACHE_S)

    def clear_cache(self) -> messages.CacheReported:
        """Ask for everything in the cache to go; raises `BadInput` while a job uses it."""
        return self._ask(messages.ClearCache(_new_id()), messages.CacheReported, CACHE_S)

    def unload_engine(self) -> None:
        """Ask for the memory that the engine holds; raises `BadInput` while a job runs."""
        self._ask(messages.UnloadEngine(_new_id()), messages.EngineUnloaded)

    def stop_server(self) -> None:
        """Ask the server to end."""
        self._ask(messages.StopServer(_new_id()), messages.ServerStopping)

    def sees_file(self, path: Path) -> bool:
        """Whether the server reads the very file that this side reads at `path`: a proof, not a guess."""
        nonce = uuid.uuid4().hex
        request = messages.ProveFile(_new_id(), str(path.absolute()), nonce)
        return self._ask(request, messages.FileProved).digest == file_proof(path, nonce)

    def sees_folder(self, folder: Path) -> bool:
        """Whether the server sees what this side writes into `folder`, by a file of random bytes put there.

        Raises:
            OSError: this side cannot write there; it names the folder.
        """
        try:
            handle, name = tempfile.mkstemp(prefix=".videomama-", dir=folder)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(folder)) from error
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(os.urandom(_NONCE_BYTES))
            return self.sees_file(Path(name))
        finally:
            Path(name).unlink()

    def submit(self, job: messages.SubmitMatte) -> str:
        """Queue a job and return its id; follow it with `events`."""
        accepted = self._ask(job, messages.JobAccepted)
        self._events.setdefault(accepted.job, deque())
        return accepted.job

    def cancel(self, job: str) -> None:
        """Ask the server to stop a job; its events end with `Cancelled`."""
        self._send(messages.CancelJob(_new_id(), job))

    def fetch_alpha(self, job: str, frame: int) -> bytes:
        """Return the bytes of a finished frame's file, for a client that does not share a disk with the server."""
        request = messages.FetchAlpha(_new_id(), job, frame)
        self._send(request)
        reply, bulk = self._await(request.request, ANSWER_S)
        if not isinstance(reply, messages.AlphaFetched) or bulk is None:
            raise ProtocolError(f"the server answered {type(reply).__name__} to FetchAlpha")
        return bulk

    def events(self, job: str, inline: Optional[InlineFrames] = None) -> Iterator[messages.JobEvent]:
        """Yield what happens to a job, ending with its `MatteDone`; frames the server wants are sent on the way.

        Raises:
            VideoMaMaError: of the kind the job failed with; `Cancelled` after `cancel`.
            ServerUnreachable: the server fell silent.
        """
        event: Optional[messages.JobEvent] = None
        while not isinstance(event, messages.MatteDone):
            event = self.attended(self.next_event(job, SILENCE_S), inline)
            if event is not None:
                yield event

    def next_event(self, job: str, timeout: float) -> Optional[messages.JobEvent]:
        """Return the next event of a job, or None when none came within `timeout` seconds.

        Raises:
            ServerUnreachable: nothing at all was heard for `SILENCE_S`, though asked.
        """
        self._check_process()
        queue = self._events.setdefault(job, deque())
        until = time.monotonic() + timeout
        while not queue and time.monotonic() < until:
            self._ping()
            self._receive(min(PING_EVERY_S, until - time.monotonic()))
        return queue.popleft() if queue else None

    def attended(
        self, event: Optional[messages.JobEvent], inline: Optional[InlineFrames] = None
    ) -> Optional[messages.JobEvent]:
        """Do what an event asks of this side, and return what there is to tell of it; see `events`."""
        if isinstance(event, messages.FrameWanted):
            self.supply(event, inline or InlineFrames())
            return None
        if isinstance(event, messages.MatteFailed):
            raise failure(event, inline)
        return event

    def supply(self, wanted: messages.FrameWanted, inline: InlineFrames) -> None:
        """Send the file that the server asks for; one that cannot be read cancels the job and raises `BadInput`."""
        path: object = ""
        try:
            path = inline.file(wanted.role, wanted.frame)
            content = path.read_bytes()
        except (KeyError, OSError) as error:
            self.cancel(wanted.job)
            never = BadInput("it was never offered", "Check the file.")
            refused = unreadable(path, error) if isinstance(error, OSError) else never
            raise refused.at(wanted.role, wanted.frame, path) from error
        self._send(messages.SupplyFrame(wanted.job, wanted.role, wanted.frame), content)

    def _ask(self, request: Any, kind: type[Reply], timeout: float = ANSWER_S) -> Reply:
        self._send(request)
        reply, _ = self._await(request.request, timeout)
        if not isinstance(reply, kind):
            raise ProtocolError(f"the server answered {type(reply).__name__} to {type(request).__name__}")
        return reply

    def _check_process(self) -> None:
        """Raise `ServerUnreachable` in a forked child of the process that made this client."""
        if self._pid != os.getpid():
            raise ServerUnreachable(
                f"this client belongs to process {self._pid} and cannot be used in its forked child {os.getpid()}",
                "Make a new client in the child: videomama_client.launch.connect().",
            )

    def _send(self, message: messages.Request, bulk: Optional[bytes] = None) -> None:
        self._check_process()
        parts = [wire.encode(message)] if bulk is None else [wire.encode(message), bulk]
        try:
            self._socket.send_multipart(parts)
        except zmq.Again as error:
            raise ServerUnreachable("the server does not take messages", "Start it again: videomama serve") from error

    def _await(self, request: str, timeout: float) -> tuple[messages.Message, Optional[bytes]]:
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            received = self._receive(until - time.monotonic())
            if received is None or getattr(received[0], "request", None) not in (request, ""):
                continue
            if isinstance(received[0], messages.RequestRefused):
                raise received[0].error
            return received
        raise ServerUnreachable(f"the server did not answer within {timeout:g} s", "Start it again: videomama serve")

    def _receive(self, timeout: float) -> Optional[tuple[messages.Message, Optional[bytes]]]:
        """Take one message: events go to their job's queue, anything else is returned."""
        self._check_process()
        if not self._socket.poll(max(0, int(timeout * 1000))):
            return None
        parts = self._socket.recv_multipart()
        self._heard = time.monotonic()
        message: Any = wire.decode(parts[0], messages.KINDS)
        if isinstance(message, messages.JOB_EVENTS):
            self._events.setdefault(message.job, deque()).append(message)
        return message, parts[1] if len(parts) > 1 else None

    def _ping(self) -> None:
        """Keep hearing from the server while a job is quiet; give up when pings stay without an answer.

        Silence counts from the first ping that was not answered: a host may come back late to a queue full of news.
        """
        now = time.monotonic()
        unanswered = self._pinged > self._heard
        if unanswered and now - self._unanswered > SILENCE_S:
            raise ServerUnreachable(
                f"the server has not been heard of for {SILENCE_S:g} s",
                "It may have been ended. Run again: what was finished is in the cache.",
            )
        if now - max(self._pinged, self._heard) > PING_EVERY_S:
            self._unanswered = self._unanswered if unanswered else now
            self._pinged = now
            self._send(messages.ReportStatus(_new_id()))


def failure(event: messages.MatteFailed, inline: Optional[InlineFrames]) -> VideoMaMaError:
    """Return the error that a job ended with; of a frame that this side sent, it names this side's own file."""
    try:
        own = str(inline.file(event.role, event.frame)) if inline and event.role and event.frame is not None else ""
    except KeyError:
        own = ""
    if not own or not event.file:
        return event.error
    return replace(event, message=event.message.replace(event.file, own), file=own).error


def unreadable(path: object, error: OSError) -> BadInput:
    """Return what a person is told of a frame that this side cannot read."""
    return BadInput(f"cannot read {path}: {error.strerror}", "Check the file.")


def file_proof(path: Path, nonce: str) -> str:
    """Return the proof that this side reads a file now."""
    with path.open("rb") as file:
        return proof(file, nonce)


def proof(file: BinaryIO, nonce: str) -> str:
    """Return BLAKE2b of the nonce and the first MiB of an open file: only who reads the file now can know it."""
    return hashlib.blake2b(nonce.encode() + file.read(1 << 20), digest_size=16).hexdigest()


def content_digest(path: Path) -> str:
    """Return BLAKE2b of a file's bytes, by which the server knows an inline frame again."""
    hasher = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            hasher.update(block)
    return hasher.hexdigest()


def _new_id() -> str:
    return uuid.uuid4().hex
