"""What has taken too long among jobs: a file that the worker reads, a frame that a client is to send."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from videomama_server.serving.jobs import Job


def overdue(jobs: Iterable[Job], seconds: float, worker_started: float) -> tuple[Job, str] | None:
    """Return the file that has been read the longest, with its job, if that is for more than `seconds`.

    Args:
        jobs: all there are, those that ended included: their files may still be read.
        seconds: how long reading a file may take; 0 for no limit.
        worker_started: when the worker was started; what an earlier one read does not count.
    """
    reads = [(since, name, job) for job in jobs for name, since in job.blame.files.items()]
    since, name, job = min(reads, key=lambda read: read[0], default=(0.0, "", None))
    if job is None or seconds <= 0 or since < worker_started or time.monotonic() - since <= seconds:
        return None
    return job, name


def unsent(jobs: Iterable[Job], seconds: float) -> tuple[Job, str, int] | None:
    """Return the job, role and number of the frame waited for the longest, if that is for more than `seconds`.

    A new worker asks again for what was not sent, and that does not begin the wait again.

    Args:
        jobs: all there are.
        seconds: how long sending a frame may take; 0 for no limit.
    """
    waits = [(since, key, job) for job in jobs for key, since in job.supply.wanted.items()]
    since, key, job = min(waits, key=lambda wait: wait[0], default=(0.0, ("", 0), None))
    if job is None or seconds <= 0 or time.monotonic() - since <= seconds:
        return None
    return job, *key
