"""The order in which the worker takes jobs: by priority, and clients of one priority take turns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from videomama_server import pipe

if TYPE_CHECKING:
    from videomama_server.serving.jobs import Job


def in_order(running: Iterable[Job]) -> list[Job]:
    """Return jobs in the order in which the worker takes them; of equal urgency, in the order given."""
    return sorted(running, key=_urgency)


def places(running: Iterable[Job]) -> dict[str, int]:
    """Return how many jobs go before each, by id."""
    return {job.id: place for place, job in enumerate(in_order(running))}


def jobs_before(job: Job, running: Iterable[Job]) -> int | None:
    """Return how many jobs go before one; None where it has ended.

    Args:
        job: one of those that run or wait, unless it has ended.
        running: the jobs that run or wait, oldest first.
    """
    if job.ended:
        return None
    own, before, passed = _urgency(job), 0, False
    for other in running:
        passed = passed or other is job
        urgency = _urgency(other)
        before += urgency < own or (urgency == own and not passed)
    return before


def next_turn(running: Iterable[Job], client: bytes, priority: str) -> int:
    """Return the turn of a new job: clients take turns, so that one with many jobs does not starve the others.

    Start-time fair queuing (Goyal, Vin and Cheng, 1996) with every job of one size: after the client's own last
    job, or with the one whose turn it is.

    Args:
        running: the jobs that run or wait.
        client: the socket identity of the new job's client.
        priority: of the new job.
    """
    rivals = [job for job in running if job.request.priority == priority]
    own = [job.turn for job in rivals if job.client == client]
    return max(own) + 1 if own else min((job.turn for job in rivals), default=0)


def _urgency(job: Job) -> tuple[int, int]:
    return pipe.urgency(job.request.priority, job.turn)
