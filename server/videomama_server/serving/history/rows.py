"""The rows of the history: jobs, their requests and results, and lines of their logs; bounded by number and size."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import TypeVar

from videomama_client import wire
from videomama_client.errors import BadInput, ProtocolError
from videomama_client.job_records import INTERRUPTED, LEFT, JobState, LogLine, Submitter
from videomama_client.messages import MatteDone, SubmitMatte

MOST_JOBS = 100_000
MOST_DETAILED = 10_000  # jobs whose request, result and lines are kept
MOST_LINES = 200  # of one job
MOST_RESUMED = 1000  # jobs that are offered again at once
MOST_DETAIL_BYTES = 1 << 20  # of one request or result; a larger one is not kept
MOST_DETAILS_BYTES = 256 << 20  # of all of them
_ELSEWHERE = ("job", "state", "phase", "jobs_before", "seconds_left", "resumable")  # in columns, or of a running job
Detail = TypeVar("Detail", SubmitMatte, MatteDone)
SHORTEST_ID = 4  # letters that stand for a whole id, where only one job begins so


@dataclass(frozen=True)
class Page:
    """Jobs of the history, newest first; `next_before` asks for those after them, None where there are none."""

    jobs: list[JobState]
    next_before: int | None = None


@dataclass(frozen=True)
class Details:
    """What is kept of one job; no request and result where they are too long ago or too large."""

    state: JobState
    request: SubmitMatte | None = None
    result: MatteDone | None = None


class Rows:
    """The history in an open file. Not for several threads.

    Args:
        connection: of `file.opened`.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def put(self, state: JobState, request: SubmitMatte | None, result: MatteDone | None) -> None:
        """Enter a job, or what has changed of it."""
        record = json.dumps(_plain(state), separators=(",", ":"))
        self._connection.execute(
            "INSERT INTO jobs (job, state, record) VALUES (?, ?, ?) "
            "ON CONFLICT (job) DO UPDATE SET state = excluded.state, record = excluded.record",
            (state.job, state.state, record),
        )
        number = self._number(state.job)
        self._connection.execute("INSERT OR REPLACE INTO words VALUES (?, ?)", (number, _words(state)))
        for name, message in (("request", request), ("result", result)):
            if message is not None:
                self._keep_detail(number, name, message)

    def note(self, job: str, line: LogLine) -> None:
        """Enter a line of a job's log; of too many, the oldest go."""
        number = self._number(job)
        if number is None:
            return
        self._connection.execute(
            "INSERT INTO lines (number, at, level, text) VALUES (?, ?, ?, ?)",
            (number, line.at, line.level, _text(line.text)),
        )
        self._connection.execute(
            "DELETE FROM lines WHERE number = ? AND line <= "
            "(SELECT line FROM lines WHERE number = ? ORDER BY line DESC LIMIT 1 OFFSET ?)",
            (number, number, MOST_LINES),
        )

    def interrupt(self) -> int:
        """Note that the jobs that wait or run were left by a server that is gone; return how many they are."""
        left = ",".join("?" * len(LEFT))
        self._connection.execute(
            "INSERT INTO lines (number, at, level, text) "  # noqa: S608  (question marks)
            f"SELECT number, ?, 'error', 'interrupted: the server has ended' FROM jobs WHERE state IN ({left})",
            (time.time(), *LEFT),
        )
        return self._connection.execute(
            f"UPDATE jobs SET state = ? WHERE state IN ({left})",  # noqa: S608  (question marks)
            (INTERRUPTED, *LEFT),
        ).rowcount

    def page(self, search: str, states: Sequence[str], before: int | None, limit: int) -> Page:
        """Return jobs that have all words of `search` and one of `states`, newest first.

        Args:
            search: words; empty for every job.
            states: none for every state.
            before: `next_before` of the page before; None for the first.
            limit: the most jobs.
        """
        words = _folded(search).split()
        conditions = ["1"] if before is None else ["number < ?"]
        values: list[object] = [] if before is None else [before]
        if states:
            conditions.append(f"state IN ({','.join('?' * len(states))})")
            values += states
        conditions += ["words.text LIKE ? ESCAPE '\\'"] * len(words)
        source = "words CROSS JOIN jobs USING (number)" if words else "jobs"  # the narrower table is read first
        found = self._connection.execute(
            f"SELECT number, job, state, record FROM {source} "  # noqa: S608  (question marks)
            f"WHERE {' AND '.join(conditions)} ORDER BY number DESC LIMIT ?",
            (*values, *map(_anywhere, words), limit + 1),
        ).fetchall()
        more = found[limit - 1][0] if len(found) > limit else None
        return Page([_state(*row[1:]) for row in found[:limit]], more)

    def details(self, known: str) -> Details | None:
        """Return what is kept of the job whose id begins with `known`; None where there is none.

        Raises:
            BadInput: several ids begin so.
        """
        whole = self._whole(known)
        row = self._connection.execute(
            "SELECT job, state, record, request, result FROM jobs LEFT JOIN details USING (number) WHERE job = ?",
            (whole,),
        ).fetchone()
        if row is None:
            return None
        request, result = _unpacked(row[3], SubmitMatte), _unpacked(row[4], MatteDone)
        state = _state(*row[:3])
        return Details(replace(state, resumable=state.resumable and request is not None), request, result)

    def interrupted(self) -> list[Details]:
        """Return the jobs that an earlier server did not finish, oldest first."""
        found = self._connection.execute(
            "SELECT job FROM jobs WHERE state = ? ORDER BY number DESC LIMIT ?", (INTERRUPTED, MOST_RESUMED)
        ).fetchall()
        known = (self.details(job) for (job,) in reversed(found))
        return [details for details in known if details is not None]

    def lines(self, job: str, limit: int) -> list[LogLine]:
        """Return the last lines of a job's log, oldest first."""
        found = self._connection.execute(
            "SELECT at, text, level FROM lines WHERE number = ? ORDER BY line DESC LIMIT ?",
            (self._number(job), limit),
        ).fetchall()
        return [LogLine(*row) for row in reversed(found)]

    def prune(self) -> None:
        """Remove what is too old to be kept."""
        (newest,) = self._connection.execute("SELECT coalesce(max(number), 0) FROM jobs").fetchone()
        for table in ("jobs", "words"):
            self._connection.execute(f"DELETE FROM {table} WHERE number <= ?", (newest - MOST_JOBS,))  # noqa: S608
        oldest = max(newest - MOST_DETAILED, self._too_much())
        for table in ("details", "lines"):
            self._connection.execute(f"DELETE FROM {table} WHERE number <= ?", (oldest,))  # noqa: S608

    def _too_much(self) -> int:
        """Return the newest of the jobs whose details are beyond what all may take together; 0 for none."""
        held = 0
        sizes = "SELECT number, coalesce(length(request), 0) + coalesce(length(result), 0) FROM details"
        for number, size in self._connection.execute(f"{sizes} ORDER BY number DESC"):
            held += size
            if held > MOST_DETAILS_BYTES:
                return int(number)
        return 0

    def _number(self, job: str) -> int | None:
        row = self._connection.execute("SELECT number FROM jobs WHERE job = ?", (_text(job),)).fetchone()
        return row[0] if row else None

    def _whole(self, known: str) -> str:
        """Return the whole of an id; what is too short to be looked for stays as it is."""
        known = _text(known)
        if len(known) < SHORTEST_ID:
            return known
        found = self._connection.execute(
            "SELECT job FROM jobs WHERE job >= ? AND job < ? LIMIT 2", (known, f"{known}~")
        ).fetchall()
        if len(found) > 1:
            raise several(known)
        return found[0][0] if found else known

    def _keep_detail(self, number: int | None, name: str, message: SubmitMatte | MatteDone) -> None:
        try:
            packed = wire.encode(message)
        except ProtocolError:  # it came through the wire, or is about to be refused there
            packed = b""
        kept = packed if 0 < len(packed) <= MOST_DETAIL_BYTES else None
        self._connection.execute(
            f"INSERT INTO details (number, {name}) VALUES (?, ?) "  # noqa: S608  (one of two names)
            f"ON CONFLICT (number) DO UPDATE SET {name} = excluded.{name}",
            (number, kept),
        )


def several(known: str) -> BadInput:
    """Return the error of an id that several jobs begin with."""
    return BadInput(f"several jobs begin with {known[:80]}", "Give more of the id.")


def _plain(state: JobState) -> dict[str, object]:
    """Return a job's fields as JSON holds them, without those at their defaults and those of a running job."""
    usual = {field.name: field.default for field in fields(JobState)}
    plain = {name: value for name, value in asdict(state).items() if name not in _ELSEWHERE}
    return {name: value for name, value in plain.items() if value not in (usual[name], [])}


def _state(job: str, state: str, record: str) -> JobState:
    """Read a row; fields that this version does not know are left out."""
    known = {field.name for field in fields(JobState)}
    found = {name: value for name, value in json.loads(record).items() if name in known}
    sent = found.pop("submitter", None)
    if sent:
        own = {field.name for field in fields(Submitter)}
        found["submitter"] = Submitter(**{name: value for name, value in sent.items() if name in own})
    resumable = state == INTERRUPTED and not found.get("inline", False)
    return JobState(job=job, state=state, resumable=resumable, **found)


def _words(state: JobState) -> str:
    """Return what a job is searched by."""
    sent = state.submitter or Submitter(program="")
    said = (state.job, state.label, state.plate, state.mask, state.out, state.engine or "", state.message, state.code)
    text = " ".join((*said, sent.user, sent.host, sent.program))
    return _folded(text)


def _folded(text: str) -> str:
    return _text(text.casefold())


def _anywhere(word: str) -> str:
    """Return a pattern of LIKE for a word that stands anywhere, its own signs taken as they are."""
    return "%" + re.sub(r"([%_\\])", r"\\\1", word) + "%"


def _text(text: str) -> str:
    """Return text as SQLite takes it: a name of a file may hold bytes that are no UTF-8."""
    return text.encode(errors="replace").decode()


def _unpacked(packed: bytes | None, kind: type[Detail]) -> Detail | None:
    """Return a message that was kept; None for one that this version cannot read."""
    if packed is None:
        return None
    try:
        found: Detail = wire.decode(packed, {kind.__name__: kind})
    except ProtocolError:
        return None
    return found
