"""Answers the requests about jobs that may be over: the history, one job with all that is known of it, and its log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from videomama_client import messages
from videomama_client.errors import BadInput
from videomama_client.job_records import STATES

from videomama_server.serving.dispatch import Dispatch
from videomama_server.serving.history.rows import MOST_RESUMED, SHORTEST_ID, Details, Page, Rows, several
from videomama_server.serving.job_state import state_of
from videomama_server.serving.jobs import Job
from videomama_server.serving.queue_order import places
from videomama_server.serving.router import Answer, Handler, Incoming

Found = TypeVar("Found")
_MOST_JOBS = 500  # of a page
_MOST_LINES = 1000


class HistoryRequests:
    """What answers requests that need the history.

    Args:
        dispatch: the jobs and the history.

    Attributes:
        handlers: by kind of request, what answers it; see `Router`.
    """

    def __init__(self, dispatch: Dispatch) -> None:
        self._dispatch = dispatch
        self.handlers: dict[type, Handler] = {
            messages.ReportHistory: self._report,
            messages.DescribeJob: self._describe,
            messages.ReportLog: self._report_log,
            messages.ResumeJobs: self._resume,
        }

    async def _report(self, incoming: Incoming[messages.ReportHistory]) -> Answer:
        ask = incoming.ask
        _check_limit(ask.limit, _MOST_JOBS)
        unknown = [state for state in ask.states if state not in STATES]
        if unknown:
            raise BadInput(f"unknown state {unknown[0][:80]!r}", f"There are: {', '.join(STATES)}.")
        page = await self._ask(
            partial(Rows.page, search=ask.search, states=ask.states, before=ask.before, limit=ask.limit), Page([])
        )
        before = places(self._dispatch.book.running())
        told = [self._fresh(state, before.get(state.job)) for state in page.jobs]
        return messages.HistoryReported(ask.request, told, page.next_before, self._dispatch.history.trouble), None

    async def _describe(self, incoming: Incoming[messages.DescribeJob]) -> Answer:
        ask = incoming.ask
        found, job = await self._find(ask.job)
        state = self._dispatch.book.report_of(job) if job else found.state
        request = job.bare_request if job else found.request
        return messages.JobDescribed(ask.request, state, request, found.result), None

    async def _report_log(self, incoming: Incoming[messages.ReportLog]) -> Answer:
        ask = incoming.ask
        _check_limit(ask.limit, _MOST_LINES)
        found, _ = await self._find(ask.job)
        whole = found.state.job
        none: list[messages.LogLine] = []
        lines = await self._ask(partial(Rows.lines, job=whole, limit=ask.limit), none)
        return messages.LogReported(ask.request, whole, lines), None

    async def _resume(self, incoming: Incoming[messages.ResumeJobs]) -> Answer:
        ask = incoming.ask
        if ask.jobs:
            _check_limit(len(ask.jobs), MOST_RESUMED)
        known = [(await self._find(job))[0] for job in ask.jobs] if ask.jobs else await self._interrupted()
        resumed, left = [], []
        for details in known:
            reason = self._why_not(details)
            if reason:
                left.append(f"{details.state.job[:8]} {details.state.label or details.state.plate}: {reason}")
            elif details.request is not None:
                job = self._dispatch.book.add(b"", details.request, details.state.job)
                self._dispatch.enter(job, again=True)
                resumed.append(job.id)
        return messages.JobsResumed(ask.request, resumed, left), None

    async def _interrupted(self) -> list[Details]:
        return await self._ask(Rows.interrupted, [])

    def _why_not(self, details: Details) -> str:
        """Return why a job cannot be done once more; empty where it can."""
        state = self._fresh(details.state, None)
        if state.state != messages.INTERRUPTED:
            return f"it is {state.state}, not interrupted"
        if state.inline:
            return (
                "its pictures are with the client that submitted it; submit it there again: finished frames are cached"
            )
        return "" if details.request is not None else "its request is not in the history any more; submit it again"

    async def _find(self, known: str) -> tuple[Details, Job | None]:
        """Return what is known of the job whose id begins with `known`, and the job where this server has it.

        Raises:
            BadInput: there is none, or there are several.
        """
        book = self._dispatch.book
        exact = book.find(known)
        jobs = [exact] if exact else []
        if not jobs and len(known) >= SHORTEST_ID:
            jobs = book.resembling(known)
        if len(jobs) > 1:
            raise several(known)
        found = await self._ask(partial(Rows.details, known=jobs[0].id if jobs else known), None)
        if found is not None:
            return found, book.find(found.state.job)
        if not jobs:
            raise BadInput(f"unknown job {known[:80]}", "`videomama jobs` lists those that are known.")
        return Details(book.report_of(jobs[0])), jobs[0]

    def _fresh(self, state: messages.JobState, jobs_before: int | None) -> messages.JobState:
        """Return what this server knows of a job, where it is one of its own that has not ended: that is newer."""
        job = self._dispatch.book.find(state.job)
        return state_of(job, jobs_before) if job and not job.ended else state

    async def _ask(self, call: Callable[[Rows], Found], otherwise: Found) -> Found:
        return await asyncio.wrap_future(self._dispatch.history.ask(call, otherwise))


def _check_limit(limit: int, most: int) -> None:
    if not 1 <= limit <= most:
        raise BadInput(f"the limit {limit} is not 1 to {most}", "Ask for fewer, page by page.")
