"""How far one job is with its side results, such as the foreground's colour."""

from __future__ import annotations

from dataclasses import dataclass, field

from videomama_client import objects
from videomama_client.messages import SideDone, SideFrameDone

Of = tuple[str, str]  # the kind of side results, and the object's name: empty for a job of one mask


@dataclass
class SideProgress:
    """The side results of one job.

    Attributes:
        landed: of each kind and object, the first that was heard of each finished frame.
    """

    landed: dict[Of, dict[int, SideFrameDone]] = field(default_factory=dict)

    @property
    def frame_count(self) -> int:
        """How many are on disk, of all kinds and objects."""
        return sum(map(len, self.landed.values()))

    def note(self, event: SideFrameDone) -> bool:
        """Enter a finished frame; return whether it is news."""
        frames = self.landed.setdefault((event.side_kind, event.object), {})
        return frames.setdefault(event.frame, event) is event

    def path(self, of: Of, frame: int) -> str | None:
        """Return the file of a finished frame; None where it is not finished."""
        known = self.landed.get(of, {}).get(frame)
        return known.path if known else None

    def at_work(self, asked: list[Of], frame_count: int) -> tuple[str, int] | None:
        """Return what the first is called that lacks frames, and how many it has; None where none does.

        Args:
            asked: that were asked for.
            frame_count: how many frames are wanted.
        """
        done = {of: len(self.landed.get(of, {})) for of in asked}
        return next(((objects.called(*of), count) for of, count in done.items() if count < frame_count), None)

    def done(self, asked: list[Of]) -> list[SideDone]:
        """Return what each came to, counted over all workers that had the job."""
        found = []
        for kind, name in asked:
            cached = [event.cached for event in self.landed.get((kind, name), {}).values()]
            found.append(SideDone(kind, cached.count(False), cached.count(True), name))
        return found
