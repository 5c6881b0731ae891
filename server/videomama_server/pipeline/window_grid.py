"""Which frames an engine sees together, and how much each window counts in each frame: pure functions.

The grid is anchored at absolute frame numbers, never at the requested range, so that any request over the same
clip meets the same windows. Of a clip whose frames are `step` apart it counts the frames that exist: frame f stands
at place f // step, which for a step of 1 is its number.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from videomama_client.errors import BadInput
from videomama_client.settings import LONGEST_WINDOW
from videomama_client.wording import counted


@dataclass(frozen=True, order=True)
class Window:
    """Frames of a clip that follow each other: `first` to `last`, both included, `step` apart."""

    first: int
    last: int
    step: int = 1

    @property
    def frames(self) -> range:
        """The frame numbers, ascending."""
        return range(self.first, self.last + 1, self.step)


def check_shape(length: int, overlap: int) -> None:
    """Raise `BadInput` for a window that cannot be laid."""
    if not 1 <= length <= LONGEST_WINDOW:
        raise BadInput(f"--window {length} is out of range", f"Choose 1 to {LONGEST_WINDOW}.")
    if not 0 <= overlap <= length // 2:
        raise BadInput(
            f"--overlap {overlap} is out of range for a window of {counted(length, 'frame')}",
            f"Choose 0 to {length // 2}, or a longer --window.",
        )


def lay(clip: range, length: int, overlap: int) -> list[Window]:
    """Cover `clip`, frames of equal step that all exist, with windows, in ascending order.

    Window k of the grid holds places k*(length-overlap) to k*(length-overlap)+length-1. One that would run over
    an end of the clip is shifted back inside at full length; a clip shorter than a window is one window.
    """
    check_shape(length, overlap)
    step, phase = clip.step, clip[0] % clip.step
    begin, end = clip[0] // step, clip[-1] // step
    length = min(length, end - begin + 1)
    return [
        Window(place * step + phase, (place + length - 1) * step + phase, step)
        for place in _starts(begin, end, length, overlap)
    ]


def _starts(begin: int, end: int, length: int, overlap: int) -> list[int]:
    """Return the places at which windows begin that cover `begin` to `end`, both included."""
    if end - begin < length:
        return [begin]
    stride = length - overlap
    start = -(-begin // stride) * stride  # the first grid window that begins inside the clip
    starts = list(range(start, end - length + 2, stride))
    if not starts or starts[0] > begin:
        starts.insert(0, begin)
    if starts[-1] + length - 1 < end:
        starts.append(end - length + 1)
    return starts


def touching(laid: Sequence[Window], first: int, last: int) -> Sequence[Window]:
    """Return those of the windows that `lay` laid which hold a frame from `first` to `last`."""
    begin = bisect_left(laid, first, key=lambda window: window.last)
    end = bisect_right(laid, last, key=lambda window: window.first)
    return laid[begin:end]


def home(laid: Sequence[Window], frame: int) -> Window:
    """Return the window in which `frame` lies most centrally, the earlier of two equals."""
    holding = touching(laid, frame, frame)
    return max(holding, key=lambda window: (min(_to_ends(window, frame)), -window.first))


def blend_weights(windows: Iterable[Window], frame: int, overlap: int) -> dict[Window, float]:
    """Return how much each window counts in `frame`; the weights sum to one.

    Each window rises over its first `overlap` frames as (i+1)/(overlap+1) and falls likewise at its end: on the
    plain grid neighbours add up to one, and where a shifted window makes them overlap more, they are normalised.
    """
    raw = {
        window: min(1.0, *((distance // window.step + 1) / (overlap + 1) for distance in _to_ends(window, frame)))
        for window in windows
        if frame in window.frames
    }
    total = sum(raw.values())
    return {window: weight / total for window, weight in raw.items()}


def _to_ends(window: Window, frame: int) -> tuple[int, int]:
    return frame - window.first, window.last - frame
