"""The client: a method for each request to the server, and the events of the jobs it submitted."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Optional

from videomama_client import __version__, channel, messages
from videomama_client.channel import ANSWER_S, Channel, new_id
from videomama_client.connection import Connection
from videomama_client.digests import file_proof
from videomama_client.errors import ProtocolError
from videomama_client.inline import InlineFrames, attended
from videomama_client.job_records import this_submitter
from videomama_client.objects import MaskObject
from videomama_client.prompts import Prompt
from videomama_client.settings import MatteSettings
from videomama_client.stages import Stage

PLAN_S = 60.0  # the engine may have to be imported first
ENGINES_S = 180.0  # each engine of another package is imported, perhaps from a slow disk
CACHE_S = 120.0  # a large folder on a slow disk
_NONCE_BYTES = 32


class Client:
    """A connection to the server; use it in the thread that made it, and close it there.

    A forked child has to make its own: ZeroMQ's threads stay in the parent, so that nothing would ever be answered.

    Args:
        connection: from the connection file.
        channel: the socket to use, by default a new one.

    Raises:
        ServerUnreachable: its keys or endpoint make no sense; from any use, that this is a forked child.
    """

    def __init__(self, connection: Connection, channel: Optional[Channel] = None) -> None:
        self.endpoint = connection.endpoint
        self._channel = channel or Channel(connection)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the socket; safe to call twice. In a forked child nothing is closed: the socket is the parent's."""
        self._channel.close()

    def hello(self, timeout: float = ANSWER_S) -> messages.Greeted:
        """Greet the server; raises `ProtocolError` when the two sides speak different versions."""
        hello = messages.Hello(new_id(), messages.PROTOCOL_VERSION, f"videomama-client {__version__}")
        return self._channel.ask(hello, messages.Greeted, timeout)

    def status(self) -> messages.StatusReported:
        """Return how the server is."""
        return self._channel.ask(messages.ReportStatus(new_id()), messages.StatusReported)

    def jobs(self) -> list[messages.JobState]:
        """Return the jobs of all clients, newest first."""
        return self._channel.ask(messages.ReportJobs(new_id()), messages.JobsReported).jobs

    def history(
        self, search: str = "", before: Optional[int] = None, limit: int = 50, states: Sequence[str] = ()
    ) -> messages.HistoryReported:
        """Return a page of the history of jobs, newest first.

        Args:
            search: words that a job must all have; see `ReportHistory`.
            before: the `next_before` of the page before; None for the first one.
            limit: the most jobs of the page, 1..500.
            states: that a job may be in, such as ``failed``; none for all.
        """
        request = messages.ReportHistory(new_id(), search, list(states), before, limit)
        return self._channel.ask(request, messages.HistoryReported)

    def describe_job(self, job: str) -> messages.JobDescribed:
        """Return all that is known of a job, with its request; `job` may be the beginning of an id.

        Raises:
            BadInput: no job has such an id, or several have.
        """
        return self._channel.ask(messages.DescribeJob(new_id(), job), messages.JobDescribed)

    def job_log(self, job: str, limit: int = 200) -> messages.LogReported:
        """Return the last lines of a job's log, oldest first; raises as `describe_job`."""
        return self._channel.ask(messages.ReportLog(new_id(), job, limit), messages.LogReported)

    def set_priority(self, job: str, priority: str) -> None:
        """Give a job that waits or runs another priority; raises `BadInput` for one that has ended."""
        self._channel.ask(messages.SetPriority(new_id(), job, priority), messages.PrioritySet)

    def resume_jobs(self, jobs: Sequence[str] = ()) -> messages.JobsResumed:
        """Have jobs done that an earlier server did not finish: those named, or all that there are."""
        return self._channel.ask(messages.ResumeJobs(new_id(), list(jobs)), messages.JobsResumed)

    def plan_frames(
        self,
        settings: MatteSettings,
        clip: str,
        frame_ranges: str,
        then: tuple[Stage, ...] = (),
        prompts: tuple[Prompt, ...] = (),
        objects: tuple[MaskObject, ...] = (),
    ) -> messages.FramesPlanned:
        """Return which frames a job would read; raises `BadInput` for what cannot be used."""
        request = messages.PlanFrames(new_id(), settings, clip, frame_ranges, then, prompts, objects)
        return self._channel.ask(request, messages.FramesPlanned, PLAN_S)

    def engines(self) -> messages.EnginesReported:
        """Return which engines there are, and the settings of each."""
        return self._channel.ask(messages.ReportEngines(new_id()), messages.EnginesReported, ENGINES_S)

    def cache_report(self) -> messages.CacheReported:
        """Return what the cache holds."""
        return self._channel.ask(messages.ReportCache(new_id()), messages.CacheReported, CACHE_S)

    def prune_cache(self, limit_gb: Optional[float] = None) -> messages.CacheReported:
        """Ask for the least recently used entries to go, by default those over the server's limit."""
        return self._channel.ask(messages.PruneCache(new_id(), limit_gb), messages.CacheReported, CACHE_S)

    def clear_cache(self) -> messages.CacheReported:
        """Ask for everything in the cache to go; raises `BadInput` while a job uses it."""
        return self._channel.ask(messages.ClearCache(new_id()), messages.CacheReported, CACHE_S)

    def unload_engine(self) -> None:
        """Ask for the memory that the engine holds; raises `BadInput` while a job runs."""
        self._channel.ask(messages.UnloadEngine(new_id()), messages.EngineUnloaded)

    def stop_server(self) -> None:
        """Ask the server to end."""
        self._channel.ask(messages.StopServer(new_id()), messages.ServerStopping)

    def sees_file(self, path: Path) -> bool:
        """Whether the server reads the very file that this side reads at `path`: a proof, not a guess."""
        nonce = uuid.uuid4().hex
        request = messages.ProveFile(new_id(), str(path.absolute()), nonce)
        return self._channel.ask(request, messages.FileProved).digest == file_proof(path, nonce)

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
        """Queue a job and return its id; follow it with `events`. A job without a submitter gets this process."""
        job = job if job.submitter else replace(job, submitter=this_submitter())
        return self._channel.ask(job, messages.JobAccepted).job

    def cancel(self, job: str) -> None:
        """Ask the server to stop a job; its events end with `Cancelled`."""
        self._channel.send(messages.CancelJob(new_id(), job))

    def fetch_alpha(self, job: str, frame: int, side_kind: str = "", name: str = "") -> bytes:
        """Return the bytes of a finished frame's file, for a client that does not share a disk with the server.

        Args:
            job: its id.
            frame: its number.
            side_kind: of a side result; empty for the alpha.
            name: of the object, where each has files of its own.
        """
        request = messages.FetchAlpha(new_id(), job, frame, side_kind, name)
        self._channel.send(request)
        reply, bulk = self._channel.answer(request.request, channel.ANSWER_S)
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
            event = attended(self, self.next_event(job, channel.SILENCE_S), inline)
            if event is not None:
                yield event

    def next_event(self, job: str, timeout: float) -> Optional[messages.JobEvent]:
        """Return the next event of a job, or None when none came within `timeout` seconds.

        Raises:
            ServerUnreachable: nothing at all was heard for `SILENCE_S`, though asked.
        """
        return self._channel.next_event(job, timeout)

    def send_frame(self, frame: messages.SupplyFrame, content: bytes) -> None:
        """Send the bytes of a frame's file that the server asked for."""
        self._channel.send(frame, content)
