"""Measures that need no truth of whether a clip that was refined in chunks shows it: seams, overlaps, drift."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from videomama_client.errors import BadInput

from videomama_server.arrays import FloatArray
from videomama_server.metrics.difference import mad


@dataclass(frozen=True)
class SeamTest:
    """How much an alpha changes into the first frames of chunks, and into all others.

    Attributes:
        at_seams: mean of `change` there.
        elsewhere: mean of `change` into the other frames.
    """

    at_seams: float
    elsewhere: float

    @property
    def flagged(self) -> bool:
        """Whether it changes more at the seams; true of one clip in two that has none, so count over many clips."""
        return self.at_seams > self.elsewhere

    @property
    def ratio(self) -> float | None:
        """`at_seams` over `elsewhere`; None when nothing changes elsewhere."""
        return self.at_seams / self.elsewhere if self.elsewhere else None


def change(alpha: FloatArray, previous: FloatArray) -> float:
    """Mean absolute change of an alpha (H, W), 0..1, since the previous frame, times 1e3."""
    return mad(alpha, previous)


def seam_test(changes: Mapping[int, float], seams: Collection[int]) -> SeamTest:
    """Compare the changes at seams with the others.

    Args:
        changes: `change` into each frame, by its number; the first of the clip has none.
        seams: the frames that a chunk begins with; those without a change do not count.

    Raises:
        BadInput: there is no seam among the changes, or nothing but seams.
    """
    at_seams = [size for frame, size in changes.items() if frame in seams]
    elsewhere = [size for frame, size in changes.items() if frame not in seams]
    if not at_seams or not elsewhere:
        raise BadInput(
            f"{len(at_seams)} of {len(changes)} changes are at seams: nothing can be compared",
            "Name the frames that a chunk begins with, after the first of the clip.",
        )
    return SeamTest(fmean(at_seams), fmean(elsewhere))


def overlap_disagreement(pairs: Iterable[tuple[FloatArray, FloatArray]]) -> float:
    """Return the mean `mad` between the alphas of two chunks for the same frames.

    Raises:
        BadInput: there is no pair, or one of different shapes.
    """
    found = [mad(one, other) for one, other in pairs]
    if not found:
        raise BadInput("No frame is in two chunks", "Give the frames in which neighbouring chunks overlap.")
    return fmean(found)


def drift(first: Sequence[float], last: Sequence[float]) -> float | None:
    """Return by how much the error grew, as a share: mean of the last chunk's over that of the first's, minus 1.

    None when the first chunk has no error. The errors are one measure's of each frame: `mad` against the truth,
    or against the mask where there is none.

    Raises:
        BadInput: a chunk has no frame.
    """
    if not first or not last:
        raise BadInput("Drift needs the errors of two chunks", "Give those of the first and of the last.")
    before = fmean(first)
    return fmean(last) / before - 1 if before else None
