"""How templates word a job: what is being done for it, how fast it is, and how long it will take."""

from __future__ import annotations

from videomama_client import phase_words
from videomama_client.job_records import JobState


def doing(job: JobState) -> str:
    """Return what is being done for a job that waits or runs; empty for one that has ended."""
    if not job.left:
        return ""
    stage = f"stage {job.stage}" if job.stage else job.engine or ""
    return ", ".join(filter(None, (stage, phase_words.said(job.phase) if job.phase else "")))


def rate(job: JobState) -> str:
    """Return alphas in a second, or seconds for one where that is slower; empty where it is not known."""
    if not job.frame_rate:
        return ""
    return f"{job.frame_rate:.1f} frames/s" if job.frame_rate >= 1 else f"{1 / job.frame_rate:.1f} s/frame"


def done(job: JobState) -> tuple[int, int] | None:
    """Return how many alphas of the stage at work are done, and of how many; None where that is not known."""
    if job.left and job.stage_frame_count:
        return job.stage_done or 0, job.stage_frame_count
    return (job.done, job.frame_count) if job.frame_count else None


FILTERS = {"doing": doing, "rate": rate, "done_of": done}
