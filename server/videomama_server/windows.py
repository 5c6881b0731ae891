"""Which frames an engine sees together, and how much each window counts in each frame: pure functions.

The grid is anchored at absolute frame numbers, never at the requested range, so that any request over the same
clip meets the same windows.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from videomama_client.errors import BadInput
from videomama_client.settings import LONGEST_WINDOW
from videomama_client.wording import counted


@dataclass(frozen=True)
class Clip:
    """The frames that exist, `first` to `last`, both included."""

    first: int
    last: int


@dataclass(frozen=True, order=True)
class Window:
    """Consecutive frames, `first` to `last`, both included."""

    first: int
    last: int

    @property
    def frames(self) -> range:
        """The frame numbers, ascending."""
        return range(self.first, self.last + 1)


def check_shape(length: int, overlap: int) -> None:
    """Raise `BadInput` for a window that cannot be laid."""
    if not 1 <= length <= LONGEST_WINDOW:
        raise BadInput(f"--window {length} is out of range", f"Choose 1 to {LONGEST_WINDOW}.")
    if not 0 <= overlap <= length // 2:
        raise BadInput(
            f"--overlap {overlap} is out of range for a window of {counted(length, 'frame')}",
            f"Choose 0 to {length // 2}, or a longer --window.",
        )


def lay(clip: Clip, length: int, overlap: int) -> list[Window]:
    """Cover `clip` with windows, in ascending order.

    Window k of the grid holds frames k*(length-overlap) to k*(length-overlap)+length-1. One that would run over
    an end of the clip is shifted back inside at full length; a clip shorter than a window is one window.
    """
    check_shape(length, overlap)
    if clip.last - clip.first + 1 <= length:
        return [Window(clip.first, clip.last)]
    stride = length - overlap
    start = -(-clip.first // stride) * stride  # the first grid window that begins inside the clip
    starts = list(range(start, clip.last - length + 2, stride))
    if not starts or starts[0] > clip.first:
        starts.insert(0, clip.first)
    if starts[-1] + length - 1 < clip.last:
        starts.append(clip.last - length + 1)
    return [Window(first, first + length - 1) for first in starts]


def touching(laid: Sequence[Window], first: int, last: int) -> Sequence[Window]:
    """Return those of the windows that `lay` laid which hold a frame from `first` to `last`."""
    begin = bisect_left(laid, first, key=lambda window: window.last)
    end = bisect_right(laid, last, key=lambda window: window.first)
    return laid[begin:end]


def home(laid: Sequence[Window], frame: int) -> Window:
    """Return the window in which `frame` lies most centrally, the earlier of two equals."""
    holding = touching(laid, frame, frame)
    return max(holding, key=lambda window: (min(frame - window.first, window.last - frame), -window.first))


def weights(windows: Iterable[Window], frame: int, overlap: int) -> dict[Window, float]:
    """Return how much each window counts in `frame`; the weights sum to one.

    Each window rises over its first `overlap` frames as (i+1)/(overlap+1) and falls likewise at its end: on the
    plain grid neighbours add up to one, and where a shifted window makes them overlap more, they are normalised.
    """
    raw = {
        window: min(1.0, *((distance + 1) / (overlap + 1) for distance in (frame - window.first, window.last - frame)))
        for window in windows
        if window.first <= frame <= window.last
    }
    total = sum(raw.values())
    return {window: weight / total for window, weight in raw.items()}
