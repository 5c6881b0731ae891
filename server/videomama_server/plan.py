"""Turns a request into a plan: which frames are wanted, which windows they need, and which frames those read."""

from __future__ import annotations

from dataclasses import dataclass

from videomama_client.errors import BadInput
from videomama_client.messages import SubmitMatte
from videomama_client.settings import MatteSettings

from videomama_server import sequences, windows
from videomama_server.engines.base import WindowShape
from videomama_server.sources import Source
from videomama_server.windows import Clip, Window


@dataclass(frozen=True)
class Plan:
    """What a job has to do.

    Attributes:
        wanted: the frames asked for, ascending.
        windows: the windows that hold a wanted frame, ascending.
        frames: every frame that those windows read, ascending.
        by_frame: for each wanted frame, the windows that contribute to it, ascending.
        shape: length and overlap of the windows.
    """

    wanted: tuple[int, ...]
    windows: tuple[Window, ...]
    frames: tuple[int, ...]
    by_frame: dict[int, tuple[Window, ...]]
    shape: WindowShape


def window_shape(settings: MatteSettings, default: WindowShape) -> WindowShape:
    """Return the shape that the settings ask for, else the engine's own; raises `BadInput`."""
    length = default.length if settings.window is None else settings.window
    overlap = min(default.overlap, length // 2) if settings.overlap is None else settings.overlap
    windows.check_shape(length, overlap)
    return WindowShape(length, overlap)


def make(request: SubmitMatte, shape: WindowShape, plate: Source, mask: Source) -> Plan:
    """Lay the windows over the clip and check that every frame they read is there.

    Raises:
        BadInput: a range that makes no sense, or frames that are missing (all of them are named).
    """
    there = sorted(plate.frames())
    named = sequences.parse_range(request.clip) if request.clip else there
    clip = Clip(named[0], named[-1])
    wanted = sequences.parse_range(request.frames) if request.frames else list(range(clip.first, clip.last + 1))
    outside = [frame for frame in wanted if not clip.first <= frame <= clip.last]
    if outside:
        raise BadInput(
            f"frames {sequences.format_range(outside)} are wanted, the clip is {clip.first}-{clip.last}",
            "Ask for frames inside the clip, or name a longer clip.",
        )
    laid = windows.lay(clip, shape.length, shape.overlap)
    needed = windows.touching(laid, wanted)
    frames = sorted({frame for window in needed for frame in window.frames})
    _check_there(frames, plate, mask)
    by_frame = {frame: tuple(window for window in needed if frame in window.frames) for frame in wanted}
    return Plan(tuple(wanted), tuple(needed), tuple(frames), by_frame, shape)


def _check_there(frames: list[int], plate: Source, mask: Source) -> None:
    missing = []
    for source in (plate, mask):
        there = set(source.frames())
        absent = [frame for frame in frames if frame not in there]
        if absent:
            missing.append(f"{source.role} frames {sequences.format_range(absent)} of {source.text}")
    if missing:
        raise BadInput(
            f"missing: {'; '.join(missing)}",
            "Render them, or name the range that exists with the clip setting (neighbouring frames are read too).",
        )
