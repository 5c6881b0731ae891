"""Draws jobs as a table: those that run or wait in their order, then those that ended."""

from __future__ import annotations

import time

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from videomama_client.job_records import CANCELLED, DONE, FAILED, INTERRUPTED, RUNNING, JobState
from videomama_client.messages import BATCH
from videomama_client.wording import counted

from videomama_server.cli import job_lines
from videomama_server.cli.known_jobs import Listing

_STYLES = {RUNNING: "bold", DONE: "green", FAILED: "red", CANCELLED: "dim", INTERRUPTED: "yellow"}
_DAY_S = 86400.0


def table(listing: Listing) -> RenderableType:
    """Return all jobs with what is to be said of them."""
    jobs = [*listing.left, *listing.ended]
    if not jobs:
        return Group(Text("No jobs."), *_notes(listing))
    drawn = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("job", "state"):
        drawn.add_column(name, no_wrap=True)
    drawn.add_column("what", ratio=2)  # these three give way where a terminal is narrow
    for name in ("frames", "rate", "time"):
        drawn.add_column(name, no_wrap=True, justify="right")
    drawn.add_column("now", ratio=3)
    drawn.add_column("by", ratio=1)
    for job in jobs:
        drawn.add_row(
            *(Text(cell, no_wrap=True, overflow="ellipsis") for cell in _cells(job)), style=_STYLES.get(job.state, "")
        )
    return Group(drawn, *_notes(listing))


def _cells(job: JobState) -> tuple[str, ...]:
    state = f"{job.state}, batch" if job.left and job.priority == BATCH else job.state
    return (
        job.job[: job_lines.SHORT_ID],
        state,
        job.title,
        job_lines.frames(job),
        job_lines.rate(job),
        _time(job),
        job_lines.doing(job),
        job_lines.by(job.submitter),
    )


def _time(job: JobState) -> str:
    """Return how long a job will take, or took; for one that ended on another day, when."""
    if job.left:
        return (
            f"{job_lines.span(job.seconds_left)} left" if job.seconds_left is not None else job_lines.span(job.seconds)
        )
    if job.ended_at is not None and time.time() - job.ended_at > _DAY_S:
        return time.strftime("%d %b %H:%M", time.localtime(job.ended_at))
    return job_lines.span(job.seconds)


def _notes(listing: Listing) -> list[Text]:
    said = list(listing.notes)
    count = sum(job.resumable for job in listing.ended)
    if count:
        said.append(f"{counted(count, 'job')} can be queued again: videomama jobs --resume")
    return [Text(line) for line in said]
