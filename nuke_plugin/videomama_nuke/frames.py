"""Frame ranges as Nuke reads and people write them."""

from __future__ import annotations

from collections.abc import Iterable

import nuke
from videomama_client.errors import BadInput


def parse(text: str) -> list[int]:
    """Return the frames of `1001-1050x2, 1060`, ascending; raises `BadInput`."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    try:
        found = sorted(set(nuke.FrameRanges(parts).toFrameList())) if parts else []
    except (RuntimeError, ValueError, TypeError) as error:
        raise BadInput(f"{text!r} is not a frame range: {error}", "Write it as 1001-1050x2, 1060.") from error
    if not found:
        raise BadInput("the custom frame range is empty", "Write it as 1001-1050x2, 1060.")
    return found


def text(frames: Iterable[int]) -> str:
    """Write frames as `1001-1003,1007`."""
    numbers = sorted(set(frames))
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)
