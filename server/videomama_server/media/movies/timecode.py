"""Turns timecode into frame numbers and back; pure functions.

Source: SMPTE ST 12-1. In drop-frame timecode, two numbers are left out at 30 frames a second (four at 60) at the
beginning of each minute but every tenth.
"""

from __future__ import annotations

import re
from fractions import Fraction

_TIMECODE = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})([:;.])(\d{2,3})")


def nominal(rate: Fraction) -> int:
    """Return the whole number of frames that timecode counts in a second: 24 for 23.976."""
    return max(1, round(rate))


def to_frame(text: str, rate: Fraction) -> int | None:
    """Return the frame number of a timecode; None where it is not valid.

    Example:
        >>> to_frame("01:00:00:10", Fraction(24))
        86410
    """
    found = _TIMECODE.fullmatch(text.strip())
    if found is None:
        return None
    hours, minutes, seconds, frames = (int(found[group]) for group in (1, 2, 3, 5))
    base = nominal(rate)
    if minutes > 59 or seconds > 59 or frames >= base:
        return None
    number = ((hours * 60 + minutes) * 60 + seconds) * base + frames
    if found[4] == ":":
        return number
    all_minutes = hours * 60 + minutes
    return number - _dropped(base) * (all_minutes - all_minutes // 10)


def from_frame(number: int, rate: Fraction) -> str:
    """Return the timecode, not drop-frame, of a frame number that is not negative.

    Example:
        >>> from_frame(86410, Fraction(24))
        '01:00:00:10'
    """
    seconds, frames = divmod(number, nominal(rate))
    return f"{seconds // 3600 % 24:02}:{seconds // 60 % 60:02}:{seconds % 60:02}:{frames:02}"


def _dropped(base: int) -> int:
    return base // 15
