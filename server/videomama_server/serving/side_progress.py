"""How far one job is with its side results, such as the foreground's colour."""

from __future__ import annotations

from dataclasses import dataclass, field

from videomama_client.messages import SideDone, SideFrameDone


@dataclass
class SideProgress:
    """The side results of one job.

    Attributes:
        landed: of each kind, the first that was heard of each finished frame.
    """

    landed: dict[str, dict[int, SideFrameDone]] = field(default_factory=dict)

    @property
    def frame_count(self) -> int:
        """How many are on disk, of all kinds."""
        return sum(map(len, self.landed.values()))

    def note(self, event: SideFrameDone) -> bool:
        """Enter a finished frame; return whether it is news."""
        frames = self.landed.setdefault(event.side_kind, {})
        return frames.setdefault(event.frame, event) is event

    def path(self, kind: str, frame: int) -> str | None:
        """Return the file of a finished frame; None where it is not finished."""
        known = self.landed.get(kind, {}).get(frame)
        return known.path if known else None

    def at_work(self, kinds: list[str], frame_count: int) -> tuple[str, int] | None:
        """Return the first kind that lacks frames, and how many it has; None where none does.

        Args:
            kinds: that were asked for.
            frame_count: how many frames are wanted.
        """
        done = {kind: len(self.landed.get(kind, {})) for kind in kinds}
        return next(((kind, count) for kind, count in done.items() if count < frame_count), None)

    def done(self, kinds: list[str]) -> list[SideDone]:
        """Return what each kind came to, counted over all workers that had the job."""
        found = []
        for kind in kinds:
            cached = [event.cached for event in self.landed.get(kind, {}).values()]
            found.append(SideDone(kind, cached.count(False), cached.count(True)))
        return found
