"""Words a phase of a job for a person, such as `loading sam2, 0.9 of 2.4 GB`."""

from __future__ import annotations

from typing import Optional

from videomama_client import job_records
from videomama_client.job_records import Phase
from videomama_client.wording import counted

_GIGABYTE = 1e9


def said(phase: Phase) -> str:
    """Return what is being done for a job.

    Example:
        >>> said(Phase("reading-masks", 12, 40))
        'reading 40 masks, 12/40'
    """
    worded = _WORDS.get(phase.code)
    return worded(phase) if worded else " ".join(filter(None, (phase.code.replace("-", " "), phase.subject)))


def said_beside(phase: Optional[Phase], done: Optional[int]) -> str:
    """Return the same where the counts of finished frames do not say it; else nothing.

    Args:
        phase: None where nothing is known to be done.
        done: alphas that the stage at work has; while there are some, that it computes goes without saying.
    """
    if phase is None or phase.code == job_records.SIDE_RESULTS or (phase.code == job_records.COMPUTING and done):
        return ""
    return said(phase)


def _queued(phase: Phase) -> str:
    return f"waiting behind {counted(phase.done, 'job')}"


def _starting(_: Phase) -> str:
    return "starting the engine process"


def _loading(phase: Phase) -> str:
    if phase.total is None:
        return f"loading {phase.subject}"
    return f"loading {phase.subject}, {phase.done / _GIGABYTE:.1f} of {phase.total / _GIGABYTE:.1f} GB"


def _reading_masks(phase: Phase) -> str:
    return _read(phase, "mask")


def _reading_plates(phase: Phase) -> str:
    return _read(phase, "plate")


def _judging_masks(phase: Phase) -> str:
    return f"judging how good the masks are, {phase.done}/{phase.total}"


def _checking(phase: Phase) -> str:
    return f"checking cached alphas, {phase.done}/{phase.total}"


def _computing(phase: Phase) -> str:
    return f"computing {phase.subject}".rstrip()


def _side_results(phase: Phase) -> str:
    of = "" if phase.total is None else f" of {phase.total}"
    return f"{phase.subject}: {phase.done}{of}"


def _read(phase: Phase, role: str) -> str:
    if phase.total is None:
        return f"reading {role}s, {phase.done}"
    return f"reading {counted(phase.total, role)}, {phase.done}/{phase.total}"


_WORDS = {
    job_records.QUEUED: _queued,
    job_records.STARTING: _starting,
    job_records.LOADING: _loading,
    job_records.READING_MASKS: _reading_masks,
    job_records.JUDGING_MASKS: _judging_masks,
    job_records.READING_PLATES: _reading_plates,
    job_records.COMPUTING: _computing,
    job_records.CHECKING: _checking,
    job_records.SIDE_RESULTS: _side_results,
}
