"""How templates write numbers and times."""

from __future__ import annotations

import time

_STEP = 1000.0


def size(count: float | None) -> str:
    """Return a number of bytes for a person.

    Example:
        >>> size(1_500_000)
        '1.5 MB'
    """
    if count is None:
        return "unknown"
    for unit in ("B", "kB", "MB"):
        if count < _STEP:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= _STEP
    return f"{count:.1f} GB"


def duration(seconds: float | None) -> str:
    """Return a time for a person.

    Example:
        >>> duration(3725)
        '1 h 2 min'
    """
    if seconds is None:
        return "unknown"
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def moment(seconds: float | None) -> str:
    """Return a time in seconds since 1970 as this machine's clock shows it; empty for None or 0."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds)) if seconds else ""


FILTERS = {"size": size, "duration": duration, "moment": moment}
