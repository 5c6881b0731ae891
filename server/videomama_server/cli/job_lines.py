"""Words jobs for a terminal: how far each is, and how long it will take."""

from __future__ import annotations

from videomama_client.job_records import JobState, Submitter
from videomama_client.phase_words import said

SHORT_ID = 8


def frames(job: JobState) -> str:
    """Return how many frames are done, such as `12/40`; empty where nothing is known."""
    if job.frame_count is None:
        return str(job.done) if job.done else ""
    return f"{job.done}/{job.frame_count}"


def doing(job: JobState) -> str:
    """Return what is being done for a job that waits or runs, or why it ended."""
    if not job.left:
        return job.message or (f"QC: {job.flags}" if job.flags else "")
    stage = f"stage {job.stage}" if job.stage else ""
    return ", ".join(filter(None, (stage, said(job.phase) if job.phase else "")))


def rate(job: JobState) -> str:
    """Return the alphas in a second, or the seconds for one where that is slower; empty where it is not known."""
    if not job.frame_rate:
        return ""
    return f"{job.frame_rate:.1f} f/s" if job.frame_rate >= 1 else f"{1 / job.frame_rate:.1f} s/f"


def span(seconds: float | None) -> str:
    """Return a time span as `0:42` or `3:05:12`; empty for None."""
    if seconds is None:
        return ""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def by(sent: Submitter | None) -> str:
    """Return who submitted a job, such as `ann@ws12, nuke`."""
    return f"{sent.user or '?'}@{sent.host}, {sent.program}" if sent else ""


def line(job: JobState) -> str:
    """Return a job in one line, for `videomama status`."""
    left = f"{span(job.seconds_left)} left" if job.seconds_left is not None else ""
    parts = (job.state, job.priority, frames(job), doing(job), rate(job), left, by(job.submitter))
    return f"{job.job[:SHORT_ID]} {job.title}: {', '.join(filter(None, parts))}"
