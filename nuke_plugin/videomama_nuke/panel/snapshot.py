"""What the panel shows at one moment, and how sizes, times and progress are put into words; pure, without Qt."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Optional

from videomama_client import messages
from videomama_client.messages import CacheReported, JobState, StatusReported
from videomama_client.phase_words import said_beside
from videomama_client.wording import counted

from videomama_nuke import words

LOOKING = "looking"
RUNNING = "running"
SILENT = "silent"
UNREACHABLE = "unreachable"
SILENT_AFTER_S = 3.0
NEWS_S = 60.0
NOTHING = "\u2013"
_TIE = "\u00a0"  # no line is broken between a number and its unit
_DOT = " \u00b7 "


@dataclass(frozen=True)
class Notice:
    """What came of a command.

    Attributes:
        number: grows with each notice, so that the same words twice are two notices.
        at: when it came, in seconds of `time.time`.
        bad: it is an error.
    """

    number: int
    at: float
    text: str
    hint: str = ""
    bad: bool = False


@dataclass(frozen=True)
class Snapshot:
    """What is known of the server.

    Attributes:
        state: `LOOKING` until the first answer, then `RUNNING` or `UNREACHABLE`.
        since: when that state began, in seconds of `time.time`.
        heard: when the server last answered, likewise; 0 for never.
        asked: when the question was put that has no answer yet; 0 when there is none.
        problem, remedy: why there is no answer, and what to do.
        busy: the commands under way, in words.
    """

    state: str = LOOKING
    since: float = 0.0
    heard: float = 0.0
    asked: float = 0.0
    problem: str = ""
    remedy: str = ""
    status: Optional[StatusReported] = None
    jobs: tuple[JobState, ...] = ()
    cache: Optional[CacheReported] = None
    log_file: str = ""
    log: tuple[str, ...] = ()
    notice: Optional[Notice] = None
    busy: tuple[str, ...] = ()

    def seen(self, now: float) -> str:
        """Return the state as a person sees it: a server that owes an answer for long is `SILENT`."""
        waiting = self.state == RUNNING and self.asked and now - self.asked > SILENT_AFTER_S
        return SILENT if waiting else self.state


def server_line(shot: Snapshot, now: float) -> str:
    """Return the state of the server in a few words."""
    state = shot.seen(now)
    if state == LOOKING:
        return "Looking for a server"
    if state == SILENT:
        return f"No answer for {duration(now - shot.asked)}"
    return f"Running since {_clock(shot, now)}" if state == RUNNING else f"Not reachable since {_clock(shot, now)}"


def server_detail(shot: Snapshot) -> str:
    """Return version, process and age of the server, or why it cannot be reached."""
    status = shot.status
    if status is None:
        return " ".join(part for part in (sentence(shot.problem), shot.remedy) if part)
    return _DOT.join((f"Version {status.server}", f"pid {status.pid}", f"up {duration(status.uptime_s)}"))


def engine_line(status: Optional[StatusReported]) -> str:
    """Return which engines are loaded, on what and in which number format."""
    if status is None:
        return NOTHING
    return status.engines or "Not loaded"


def memory_line(status: Optional[StatusReported]) -> str:
    """Return the memory of the worker process, and of each engine that is loaded that of its device."""
    if status is None:
        return NOTHING
    known = [("worker", status.worker_memory_bytes)]
    for one in status.loaded:
        whose = f"{one.name} " if len(status.loaded) > 1 else ""
        known += [(f"{whose}weights", one.resident_bytes), (f"{whose}peak", one.peak_bytes)]
    parts = (f"{name} {size(count)}".replace(" ", _TIE) for name, count in known if count is not None)
    return _DOT.join(parts) or NOTHING


def jobs_line(jobs: tuple[JobState, ...]) -> str:
    """Return how many jobs run and wait."""
    numbers = [(state, sum(job.state == state for job in jobs)) for state in (messages.RUNNING, messages.WAITING)]
    return ", ".join(f"{count} {state}" for state, count in numbers if count) or "none running"


def cache_line(cache: Optional[CacheReported]) -> str:
    """Return how full the cache is."""
    if cache is None:
        return NOTHING
    limit = f" of {size(cache.limit_bytes)}" if cache.limit_bytes else ""
    older = f"{_DOT}{cache.older_entries} of older versions" if cache.older_entries else ""
    return f"{entries(cache.entries)}{_DOT}{size(cache.bytes)}{limit}{older}"


def job_details(job: JobState) -> tuple[str, ...]:
    """Return state, priority and engine of a job, or what is wrong with it; the longest first, to take what fits."""
    if job.state == messages.FAILED and job.message:
        return (f"failed: {failure(job)}",)
    if job.flags:
        return (_DOT.join((job.state, f"QC: {job.flags}")),)
    short = _DOT.join((job.state, job.priority))
    return (f"{short}{_DOT}{job.engine}", short, job.state) if job.engine else (short, job.state)


def job_progress(job: JobState) -> str:
    """Return how many frames are done, how many of them came from the cache, and what is at work."""
    return _DOT.join(
        part for part in (_frames_done(job), job.side or _stage(job), said_beside(job.phase, job.stage_done)) if part
    )


def _frames_done(job: JobState) -> str:
    if job.frame_count is None and not job.done:
        return ""
    of = "" if job.frame_count is None else f" of {job.frame_count}"
    cached = job.done - job.computed
    return f"{job.done}{of}" + (f"{_DOT}{cached} cached" if cached else "")


def _stage(job: JobState) -> str:
    return f"stage {job.stage}" if job.stage else ""


def _submitted(job: JobState) -> str:
    sent = job.submitter
    return f"submitted by {sent.user}@{sent.host} with {sent.program}" if sent else ""


def job_sentence(job: JobState) -> str:
    """Return all that is known of a job in one sentence, for tooltips and screen readers."""
    parts = [job.title, f"{job.state}, {job.priority}"]
    parts += [] if job.engine is None else [f"engine {job.engine}"]
    parts += [f"{_frames_done(job)} frames, {job.computed} computed"] if job.done or job.frame_count is not None else []
    parts += [job.side or _stage(job), said_beside(job.phase, job.stage_done)]
    parts += [f"QC: {job.flags}"] if job.flags else []
    parts += [] if job.seconds_left is None else [f"about {duration(job.seconds_left)} left"]
    parts += [_submitted(job)]
    parts += [duration(job.seconds), failure(job), words.look_at(job.role, job.frame), job.plate]
    return "\n".join(part for part in parts if part)


def failure(job: JobState) -> str:
    """Return why a job failed, in the words of the node's knobs; empty when it did not."""
    return words.with_knobs(job.message)


def shares(job: JobState) -> tuple[float, float]:
    """Return which parts of a job's frames came from the cache and were computed, both 0..1."""
    if not job.frame_count:
        return 0.0, 0.0
    return min(1.0, (job.done - job.computed) / job.frame_count), min(1.0, job.computed / job.frame_count)


def stoppable(job: JobState) -> bool:
    """Whether the job can still be cancelled."""
    return job.left


def entries(count: int) -> str:
    """Return a number of cache entries in words."""
    return counted(count, "entry", "entries")


def size(count: int) -> str:
    """Return a number of bytes with three digits or so."""
    value, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} {unit}" if value >= 100 or unit == "B" else f"{value:.1f} {unit}"


def duration(seconds: float) -> str:
    """Return a time span in its two largest units."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"


def stopwatch(seconds: float) -> str:
    """Return a time span as narrow as a table column: ``0:42``, ``12:05``, ``3:05:12``."""
    whole = max(0, int(seconds))
    minutes = f"{whole // 60 % 60}:{whole % 60:02d}"
    return minutes if whole < 3600 else f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def notice_line(shot: Snapshot, now: float) -> str:
    """Return what is under way, else what came of the last command as long as that is news."""
    if shot.busy:
        return f"{shot.busy[-1]}\u2026"
    notice = shot.notice
    if notice is None or now - notice.at > NEWS_S:
        return ""
    return " ".join(part for part in (sentence(notice.text), notice.hint) if part)


def sentence(words: str) -> str:
    """Return words with a capital and a full stop."""
    whole = words[:1].upper() + words[1:]
    return whole if not whole or whole.endswith((".", "!", "?")) else f"{whole}."


def _clock(shot: Snapshot, now: float) -> str:
    today = time.localtime(now)[:3] == time.localtime(shot.since)[:3]
    return time.strftime("%H:%M:%S" if today else "%d %b %H:%M", time.localtime(shot.since))
