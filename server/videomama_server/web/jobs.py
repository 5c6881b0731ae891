"""The Jobs page: the jobs of all clients, live; one job with its log; the history with search."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from videomama_client import objects
from videomama_client.client import Client
from videomama_client.errors import BadInput, ServerUnreachable, VideoMaMaError
from videomama_client.job_records import DONE, STATES, JobState
from videomama_client.messages import PRIORITIES, JobDescribed

from videomama_server.media import sequences
from videomama_server.web import patterns
from videomama_server.web.forms import Form, query, with_form
from videomama_server.web.live import EVERY_S, stream
from videomama_server.web.resubmitting import again
from videomama_server.web.site import Site

_SHOWN = 50  # jobs of a page of the history
_LOG_LINES = 200
_PICTURES = 3  # of the results of a job
_ID = re.compile(r"[0-9a-f]{4,32}")
_LONGEST_SEARCH = 500


def routes(site: Site) -> Sequence[Route]:
    """Return the routes of the page."""
    page = _Jobs(site)
    return [
        Route("/jobs", page.show),
        Route("/jobs/live", lambda _: stream(page.live)),
        Route("/jobs/history", page.history),
        Route("/jobs/{job}", page.one),
        Route("/jobs/{job}/live", page.one_live),
        Route("/jobs/{job}/log/live", page.log_live),
        Route("/jobs/{job}/cancel", with_form(page.cancel), methods=["POST"]),
        Route("/jobs/{job}/priority", with_form(page.set_priority), methods=["POST"]),
        Route("/jobs/{job}/again", with_form(page.run_again), methods=["POST"]),
        Route("/jobs/{job}/resume", with_form(page.resume), methods=["POST"]),
    ]


class _Jobs:
    """Answers the requests of the page."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._lock = Lock()
        self._heard: tuple[float, list[JobState] | None] = (-EVERY_S, None)

    def show(self, request: Request) -> Response:
        """Return the page."""
        return self._site.render(request, "jobs.html", {"jobs": self._now(), "states": STATES})

    def live(self) -> str:
        """Return the list of jobs as it is now."""
        return self._site.text("_jobs.html", {"jobs": self._now()})

    def history(self, request: Request) -> Response:
        """Return a page of the history."""
        asked = query(request)
        search, state = asked.text("search"), asked.text("state")
        if len(search) > _LONGEST_SEARCH:
            raise BadInput("the search is too long", f"Use {_LONGEST_SEARCH} characters or fewer.")
        if state and state not in STATES:
            raise BadInput(f"there is no state {state[:80]!r}", f"Choose one of {', '.join(STATES)}.")
        before = asked.whole("before") if asked.text("before") else None
        with self._site.client(start=True) as client:
            found = client.history(search, before, _SHOWN, [state] if state else [])
        return self._site.render(request, "_history.html", {"found": found, "search": search, "state": state})

    def one(self, request: Request) -> Response:
        """Return the page of one job."""
        return self._site.render(request, "job.html", self._described(_job(request), start=True))

    def one_live(self, request: Request) -> Response:
        """Return how far one job is, as it changes."""
        job = _job(request)
        return stream(lambda: self._told(lambda: self._site.text("_job.html", self._described(job))))

    def log_live(self, request: Request) -> Response:
        """Return the log of one job, as it grows."""
        job = _job(request)
        return stream(lambda: self._told(lambda: self._log(job)))

    def cancel(self, request: Request, _form: Form) -> Response:
        """Cancel a job."""
        return self._changed(request, lambda client, job: client.cancel(job))

    def set_priority(self, request: Request, form: Form) -> Response:
        """Give a job another priority."""
        priority = form.text("priority")
        if priority not in PRIORITIES:
            raise BadInput(f"there is no priority {priority[:80]!r}", f"Choose one of {', '.join(PRIORITIES)}.")
        return self._changed(request, lambda client, job: client.set_priority(job, priority))

    def resume(self, request: Request, _form: Form) -> Response:
        """Have a job done that an earlier server did not finish."""
        return self._changed(request, _resume)

    def run_again(self, request: Request, _form: Form) -> Response:
        """Submit a job once more, and go to the new one."""
        with self._site.client(start=True) as client:
            job = again(self._site, client, _job(request))
        return Response(status_code=204, headers={"HX-Redirect": f"/jobs/{job}"})

    def _changed(self, request: Request, change: Callable[[Client, str], None]) -> Response:
        """Change a job, wait until the server has heard of it, and return how the job is then."""
        job = _job(request)
        with self._site.client(start=True) as client:
            change(client, job)
            described = client.describe_job(job)
        return self._site.render(request, "_job.html", self._context(described))

    def _described(self, job: str, start: bool = False) -> dict[str, Any]:
        """Return what is known of a job; a page that stays open starts no server that a person has stopped."""
        with self._site.client(start) as client:
            described = client.describe_job(job)
        return self._context(described)

    def _context(self, described: JobDescribed) -> dict[str, Any]:
        """Return what the parts of one job show."""
        return {"described": described, "job": described.state, "results": results(self._site, described)}

    def _log(self, job: str) -> str:
        with self._site.client() as client:
            return self._site.text("_log.html", {"lines": client.job_log(job, _LOG_LINES).lines})

    def _told(self, make: Callable[[], str]) -> str:
        """Return what `make` does, or the error in its place: the stream continues."""
        try:
            return make()
        except VideoMaMaError as error:
            return self._site.text("_error.html", {"error": error})

    def _now(self) -> list[JobState] | None:
        """Return the jobs; None where no server runs. Several browsers that ask at once share one answer."""
        with self._lock:
            heard_at, jobs = self._heard
            if time.monotonic() - heard_at < EVERY_S / 2:
                return jobs
            try:
                with self._site.client() as client:
                    jobs = client.jobs()
            except ServerUnreachable:
                jobs = None
            self._heard = time.monotonic(), jobs
            return jobs


def results(site: Site, described: JobDescribed) -> list[int]:
    """Return up to three frames whose alphas are on disk, spread evenly, of a job that is done."""
    asked = described.submitted
    if described.state.state != DONE or asked is None or not asked.out or objects.PLACE in asked.out:
        return []
    try:
        there = patterns.files(site, patterns.permitted(site, asked.out))
        wanted = sequences.parse_range(asked.frame_ranges) if asked.frame_ranges else list(there)
    except VideoMaMaError:  # they were moved, or lie outside
        return []
    return sequences.spread([frame for frame in wanted if frame in there], _PICTURES)


def _resume(client: Client, job: str) -> None:
    left = client.resume_jobs([job]).left
    if left:
        raise BadInput(left[0], "Run it again from its own client.")


def _job(request: Request) -> str:
    """Return the id in an address, or the beginning of one."""
    job: str = request.path_params["job"]
    if not _ID.fullmatch(job):
        raise BadInput(f"{job[:80]!r} is not the id of a job", "Choose one on the Jobs page.")
    return job
