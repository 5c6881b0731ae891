"""Turns a request into a plan: which frames are wanted, which windows they need, and which frames those read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from videomama_client.errors import BadInput
from videomama_client.messages import SubmitMatte
from videomama_client.settings import MatteSettings

from videomama_server import sequences, windows
from videomama_server.engines.base import WindowShape
from videomama_server.sources import Source
from videomama_server.windows import Clip, Window


@dataclass(frozen=True)
class Group:
    """Frames whose estimates are completed together.

    Attributes:
        frames: consecutive; those wanted and those looked at around them.
        wanted: of them, the ones that were asked for.
        windows: every window that contributes to one of the frames, ascending: what the alphas depend on.
    """

    frames: range
    wanted: tuple[int, ...]
    windows: tuple[Window, ...]


@dataclass(frozen=True)
class Plan:
    """What a job has to do.

    Attributes:
        wanted: the frames asked for, ascending.
        groups: that hold them, ascending.
        windows: the windows that those depend on, ascending.
        frames: every frame that those windows read, ascending.
        by_frame: for each frame of the groups, the windows that contribute to it, ascending.
        shape: of the windows.
    """

    wanted: tuple[int, ...]
    groups: tuple[Group, ...]
    windows: tuple[Window, ...]
    frames: tuple[int, ...]
    by_frame: dict[int, tuple[Window, ...]]
    shape: WindowShape

    @cached_property
    def asked(self) -> frozenset[int]:
        """The frames asked for."""
        return frozenset(self.wanted)

    @cached_property
    def groups_of(self) -> dict[Window, tuple[Group, ...]]:
        """For each window, the groups that it contributes to, ascending."""
        groups: dict[Window, list[Group]] = {window: [] for window in self.windows}
        for group in self.groups:
            for window in group.windows:
                groups[window].append(group)
        return {window: tuple(found) for window, found in groups.items()}


def window_shape(settings: MatteSettings, default: WindowShape) -> WindowShape:
    """Return the shape that the settings ask for, else the engine's own; raises `BadInput`."""
    length = default.length if settings.window is None else settings.window
    overlap = min(default.overlap, length // 2) if settings.overlap is None else settings.overlap
    windows.check_shape(length, overlap)
    return WindowShape(length, overlap, default.context)


def make(request: SubmitMatte, shape: WindowShape, plate: Source, mask: Source) -> Plan:
    """Lay the windows over the clip and check that every frame they read is there.

    Raises:
        BadInput: a range that makes no sense, or frames that are missing (all of them are named).
    """
    there = list(plate.frames())
    clip = named_clip(request.clip) if request.clip else Clip(min(there), max(there))
    made = lay(clip, request.frames, shape)
    _check_there(made.frames, plate, mask)
    return made


def named_clip(text: str) -> Clip:
    """Read the range of a clip, such as `1001-1100`; raises `BadInput`."""
    named = sequences.parse_range(text)
    return Clip(named[0], named[-1])


def lay(clip: Clip, frames: str, shape: WindowShape) -> Plan:
    """Return what `frames` of `clip` depend on, whether or not they are there: no file is looked at.

    Args:
        clip: that the windows are laid over.
        frames: the range wanted; empty for the whole clip.
        shape: of the windows.

    Raises:
        BadInput: a range that makes no sense, or that leaves the clip.
    """
    wanted = sequences.parse_range(frames) if frames else list(range(clip.first, clip.last + 1))
    outside = [frame for frame in wanted if not clip.first <= frame <= clip.last]
    if outside:
        raise BadInput(
            f"frames {sequences.format_range(outside)} are wanted, the clip is {clip.first}-{clip.last}",
            "Give --frames inside the clip, or a longer --clip.",
        )
    laid = windows.lay(clip, shape.length, shape.overlap)
    groups = _groups(laid, wanted, clip, shape.context)
    needed = sorted({window for group in groups for window in group.windows})
    read = sorted({frame for window in needed for frame in window.frames})
    estimated = sorted({frame for group in groups for frame in group.frames})
    by_frame = {frame: tuple(windows.touching(needed, frame, frame)) for frame in estimated}
    return Plan(tuple(wanted), groups, tuple(needed), tuple(read), by_frame, shape)


def _groups(laid: list[Window], wanted: list[int], clip: Clip, context: int | None) -> tuple[Group, ...]:
    """Return which frames are completed together: each on its own, or those at home in one window."""
    if context is None:
        touching = {frame: tuple(windows.touching(laid, frame, frame)) for frame in wanted}
        return tuple(Group(range(frame, frame + 1), (frame,), touching[frame]) for frame in wanted)
    at_home: dict[Window, list[int]] = {}
    for frame in range(clip.first, clip.last + 1):
        at_home.setdefault(windows.home(laid, frame), []).append(frame)
    asked = set(wanted)
    groups = []
    for core in at_home.values():
        frames = range(max(clip.first, core[0] - context), min(clip.last, core[-1] + context) + 1)
        held = tuple(frame for frame in core if frame in asked)
        if held:
            groups.append(Group(frames, held, tuple(windows.touching(laid, frames[0], frames[-1]))))
    return tuple(groups)


def _check_there(frames: Iterable[int], plate: Source, mask: Source) -> None:
    missing = []
    first = None
    for source in (plate, mask):
        there = set(source.frames())
        absent = [frame for frame in frames if frame not in there]
        if absent:
            missing.append(f"{source.role} frames {sequences.format_range(absent)} of {source.text}")
            first = first or (source.role, absent[0])
    if first:
        raise BadInput(
            f"missing: {'; '.join(missing)}",
            "Render them, or name the range that exists with --clip (neighbouring frames are read too).",
            role=first[0],
            frame=first[1],
        )
