"""Means over clips as published tables of the RVM evaluation have them."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from videomama_client.errors import BadInput

_COLUMNS = 700  # what its spreadsheet averages; later frames are ignored


def rvm_table_mean(clips: Sequence[Sequence[float | None]]) -> float:
    """Return the mean over clips of each frame's figure, averaged over the frames up to the 700th.

    With clips of unequal length this is not the mean of the clips' means, which is what to report otherwise. A
    frame without a figure counts 0, as the first one's dtSSD does there.

    Args:
        clips: one measure of each frame, clip by clip.

    Raises:
        BadInput: there is no frame.
    """
    length = min(_COLUMNS, max(map(len, clips), default=0))
    if not length:
        raise BadInput("No frame was measured", "Give the figures of each frame, clip by clip.")
    columns = [[clip[frame] or 0.0 for clip in clips if frame < len(clip)] for frame in range(length)]
    return fmean(map(fmean, columns))
