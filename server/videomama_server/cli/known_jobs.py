"""The jobs that are known on this machine: from the server, or from its history where none runs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from videomama_client import launch
from videomama_client.client import Client
from videomama_client.errors import BadInput, ServerUnreachable
from videomama_client.job_records import ENDED, INTERRUPTED, LEFT, STATES, JobState, LogLine

from videomama_server import config
from videomama_server.serving.history import file
from videomama_server.serving.history.rows import Rows

_MOST_LEFT = 500  # jobs that run or wait, of more than a status tells


@dataclass(frozen=True)
class Listing:
    """Jobs as they are listed.

    Attributes:
        left: those that run or wait, in the order in which they go.
        ended: those that ended, newest first.
        next_before: asks for more of those that ended; None where there are none.
        notes: for the person.
    """

    left: list[JobState]
    ended: list[JobState]
    next_before: int | None = None
    notes: tuple[str, ...] = ()


class Asked:
    """The jobs of a server that runs.

    Args:
        client: of the server.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def listing(self, search: str, states: Sequence[str], limit: int) -> Listing:
        """Return the jobs that have all words of `search` and one of `states`; none of both for all.

        Args:
            search: words.
            states: such as ``failed``.
            limit: the most jobs that ended.
        """
        told = self._client.history(search, None, limit, [state for state in states if state in ENDED] or ENDED)
        ended = told.jobs if not states or set(states) & set(ENDED) else []
        left = [job for job in self._left(search) if not states or job.state in states]
        notes = (f"The history is not written: {told.trouble}",) if told.trouble else ()
        return Listing(left, ended, told.next_before, notes)

    def log(self, job: str, limit: int) -> list[LogLine]:
        """Return the last lines of a job's log."""
        return self._client.job_log(job, limit).lines

    def _left(self, search: str) -> list[JobState]:
        """Return the jobs that run or wait; a status has the first ones alone, and also without a history."""
        status = self._client.status()
        if not search and len(status.jobs) == status.jobs_left:
            return status.jobs
        found = self._client.history(search, None, _MOST_LEFT, LEFT).jobs
        return sorted(found, key=lambda job: job.jobs_before or 0)


class Kept:
    """The jobs of a server that does not run, read from its history.

    Args:
        rows: of the history; those that were left are interrupted.
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def listing(self, search: str, states: Sequence[str], limit: int) -> Listing:
        """Return the jobs; see `Asked.listing`."""
        wanted = [state for state in states if state in ENDED]
        if INTERRUPTED in states or not states:
            wanted += LEFT if states else STATES
        if not wanted:
            return Listing([], [])
        page = self._rows.page(search, wanted, None, limit)
        return Listing([], [_left_behind(job) for job in page.jobs], page.next_before, ("No server runs here.",))

    def log(self, job: str, limit: int) -> list[LogLine]:
        """Return the last lines of a job's log; raises `BadInput` for one that is not known."""
        found = self._rows.details(job)
        if found is None:
            raise BadInput(f"unknown job {job[:80]}", "`videomama jobs` lists those that are known.")
        return self._rows.lines(found.state.job, limit)


@contextmanager
def known_jobs(connection_file: Path | None) -> Iterator[Asked | Kept]:
    """Yield the jobs that are known; no server is started.

    Raises:
        ServerUnreachable: no server runs, and none has left a history.
    """
    own = config.load({"connection_file": connection_file})
    try:
        client = launch.connect(own.connection_file, start=False)
    except ServerUnreachable:
        if not own.history_file.is_file():
            raise
        with _kept(own.history_file) as rows:
            yield Kept(rows)
        return
    with client:
        yield Asked(client)


@contextmanager
def _kept(path: Path) -> Iterator[Rows]:
    try:
        connection = file.opened(path)
    except (sqlite3.Error, OSError) as error:
        raise BadInput(
            f"the history of jobs {path} cannot be read: {error}", "Start the server: videomama serve"
        ) from error
    try:
        yield Rows(connection)
    finally:
        connection.close()


def _left_behind(job: JobState) -> JobState:
    """Return a job as the next server will know it."""
    return replace(job, state=INTERRUPTED, resumable=not job.inline) if job.state in LEFT else job
