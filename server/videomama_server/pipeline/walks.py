"""How an engine with a memory goes through a clip: which walks there are, and which of them a frame comes from.

Pure functions. Nothing here depends on which frames a job asked for.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from videomama_server.engines.base import WindowShape


@dataclass(frozen=True)
class WalkShape(WindowShape):
    """What a stage has in place of windows where its engine walks.

    Attributes:
        starts: the frames with prompts, ascending; where there is none, walks begin on the clip's first frame.
        remembers: whether a frame depends on those that were walked over before it.
    """

    starts: tuple[int, ...] = ()
    remembers: bool = True


@dataclass(frozen=True)
class Walk:
    """One way through a clip, forward or backward, from one frame with prompts until before the next.

    Attributes:
        start: the frame that it begins on, which is its first.
        backward: whether it goes to lower numbers.
        frames: in the order in which it takes them.
    """

    start: int
    backward: bool
    frames: tuple[int, ...]


class Walks:
    """The walks of one object over a clip.

    Args:
        clip: the frames that exist, ascending; walks step over its gaps.
        shape: where they begin. All starts are in the clip.
    """

    def __init__(self, clip: Sequence[int], shape: WalkShape) -> None:
        self._remembers = shape.remembers
        self.starts = shape.starts or (clip[0],)
        place = {frame: index for index, frame in enumerate(clip)}
        laid = [place[start] for start in self.starts]
        ends, begins = [*laid[1:], len(clip)], [-1, *laid[:-1]]
        self.forward = [Walk(clip[at], False, tuple(clip[at:end])) for at, end in zip(laid, ends, strict=True)]
        self.backward = [
            Walk(clip[at], True, tuple(clip[at - back] for back in range(at - begin)))
            for at, begin in zip(laid, begins, strict=True)
        ]
        self._place: dict[Walk, dict[int, int]] = {}
        self._through: dict[int, tuple[tuple[Walk, float], ...]] = {}
        for walk in (*self.forward, *self.backward):
            self._place[walk] = {frame: index for index, frame in enumerate(walk.frames)}
        for frame in clip:
            self._through[frame] = self._weighed(frame)

    def through(self, frame: int) -> tuple[tuple[Walk, float], ...]:
        """Return the one or two walks that a frame comes from, and how much each counts; that sums to one.

        Between two frames with prompts the nearer one's walk counts more, and on such a frame its own alone.
        """
        return self._through[frame]

    def place(self, walk: Walk, frame: int) -> int:
        """Return how many steps of a walk come before a frame of it."""
        return self._place[walk][frame]

    def read(self, wanted: Iterable[int]) -> list[int]:
        """Return the frames that wanted ones depend on, ascending; those with prompts are always among them."""
        asked = list(wanted)
        found = {*self.starts, *asked}
        if self._remembers:
            farthest: dict[Walk, int] = {}
            for frame in asked:
                for walk, _ in self.through(frame):
                    farthest[walk] = max(farthest.get(walk, 0), self.place(walk, frame))
            found.update(frame for walk, last in farthest.items() for frame in walk.frames[: last + 1])
        return sorted(found)

    def _weighed(self, frame: int) -> tuple[tuple[Walk, float], ...]:
        before, after = bisect_right(self.starts, frame) - 1, bisect_left(self.starts, frame)
        onward = self.forward[before] if before >= 0 else None
        back = self.backward[after] if after < len(self.starts) else None
        if onward is None or back is None or onward.start == frame:
            only = onward or back
            assert only is not None  # there is a start before or after it
            return ((only, 1.0),)
        share = (frame - onward.start) / (back.start - onward.start)
        return (onward, 1.0 - share), (back, share)
