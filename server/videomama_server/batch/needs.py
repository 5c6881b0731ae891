"""What a shot will need, by its files alone: frames, size, what is missing, and space on the disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from videomama_client import messages
from videomama_client.errors import VideoMaMaError
from videomama_client.messages import SideResult
from videomama_client.objects import called

from videomama_server.files import disk_space
from videomama_server.files.disk_space import Need
from videomama_server.media import frames, sequences
from videomama_server.media.delivery import COLOUR, Delivery
from videomama_server.media.sequences import Pattern
from videomama_server.submission import Submission

_HOLE = ("uint16", 1)  # pixel type and channels that a hole mask is reckoned with
_CLEAN = ("half", 3)


@dataclass(frozen=True)
class Needs:
    """What one shot needs.

    Attributes:
        frames: that are wanted.
        size: of the plate, width and height in pixels.
        missing: frames of the clip that are not there, as a range, by role, such as `mask`, or `mask of hero`.
        lacks_wanted: whether a frame that is wanted is among them.
        disk_bytes: that its files take, as far as they are not there yet.
        free_bytes: of the disk that the alphas go to; None where that cannot be known.
        folder: of the alphas.
    """

    frames: Sequence[int]
    size: tuple[int, int]
    disk_bytes: int
    free_bytes: int | None
    folder: Path
    missing: Mapping[str, str] = field(default_factory=dict)
    lacks_wanted: bool = False

    @property
    def megapixels(self) -> float:
        """Pixels of one plate, in millions."""
        return self.size[0] * self.size[1] / 1e6


def needs_of(order: Submission, wanted: Sequence[int], holes: str = "", clean: str = "") -> Needs:
    """Look at a shot's folders and at the header of its first plate.

    Args:
        order: the job.
        wanted: its frames.
        holes, clean: patterns of the hole masks and clean plates; empty for none.

    Raises:
        BadInput: there is no plate, or it cannot be read.
    """
    plates = sequences.find(sequences.parse(order.plate), messages.PLATE)
    first = next(iter(plates.values()))
    display = frames.probe_plate(first, order.settings.plate_layer, order.settings.view).geometry.display
    size = (display.w, display.h)
    need = _need(order, wanted, size)
    for pattern, (dtype, channels) in ((holes, _HOLE), (clean, _CLEAN)):
        if pattern:
            need += _beside(pattern, dtype, channels, (wanted, size))
    folder = sequences.parse(next(iter(order.outs().values()))).folder
    available = disk_space.free(disk_space.nearest(folder))
    absent = _absent(order, plates)
    named = {role: sequences.format_range(numbers) for role, numbers in absent.items()}
    lacks = any(not numbers.isdisjoint(wanted) for numbers in absent.values())
    return Needs(wanted, size, need.usual, available, folder, named, lacks)


def _need(order: Submission, wanted: Sequence[int], size: tuple[int, int]) -> Need:
    outs = [Delivery(_files_of(sequences.parse(out)), order.layer, order.dtype) for out in order.outs().values()]
    sides = [Delivery(sequences.parse(out), dtype=side.dtype, content=COLOUR) for side, out in _side_files(order)]
    need = Need(0, 0)
    for delivery in (*outs, *sides):
        delivery.check_format()
        need += delivery.need(wanted, size)
    return need


def _side_files(order: Submission) -> list[tuple[SideResult, str]]:
    """Return each side result with the pattern of each object's files."""
    return [(side, out) for side in order.side_results for out in order.outs_of(side.out).values()]


def _files_of(out: Pattern) -> Pattern:
    """Return the pattern of the alphas of an output: those that a movie is made of take about as much as it."""
    return sequences.parse(str(out.folder / "alpha.####.exr")) if out.is_movie else out


def _beside(pattern: str, dtype: str, channels: int, what: tuple[Sequence[int], tuple[int, int]]) -> Need:
    """Return what files take that are made of the alphas; `what` are their frames and size."""
    wanted, size = what
    parsed = sequences.parse(pattern)
    count = sum(not parsed.path(frame).is_file() for frame in wanted)
    return disk_space.needed(parsed.suffix, dtype, size, count, channels)


def _absent(order: Submission, plates: Mapping[int, Path]) -> dict[str, set[int]]:
    """Return which frames of the clip are not there, by role."""
    clip = sequences.clip_frames(order.clip, plates)
    there: dict[str, set[int]] = {messages.PLATE: set(plates)}
    for name, mask in order.masks().items():
        role = called(messages.MASK, name)
        try:
            there[role] = set(sequences.find(sequences.parse(mask), messages.MASK))
        except VideoMaMaError:
            there[role] = set()
    absent = {role: set(clip) - found for role, found in there.items()}
    return {role: numbers for role, numbers in absent.items() if numbers}
