"""Runs quality control over numbered files, reading some frames ahead of the one that is measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from videomama_client.errors import BadInput, VideoMaMaError, option_called, placed

from videomama_server.arrays import FloatArray
from videomama_server.media import color, frames, sequences
from videomama_server.media.frames import Picture
from videomama_server.media.read_ahead import read_ahead
from videomama_server.qc.boundary import tried
from videomama_server.qc.scores import FrameScores, Gauge, with_seams
from videomama_server.qc.sights import Sight, glimpse, sight

_AHEAD = 2  # frames read while one is measured


@dataclass(frozen=True)
class Reading:
    """How the files are read.

    Attributes:
        plate_layer, mask_channel, alpha_channel: which channels; empty for the usual ones.
        view, mask_colour: of stereo files and masks of colours, as in `MatteSettings`.
        colorspace, exposure: of the plate, as in `MatteSettings`.
    """

    plate_layer: str = ""
    mask_channel: str = ""
    alpha_channel: str = ""
    colorspace: str = "auto"
    exposure: float = 0.0
    view: str = ""
    mask_colour: str = ""

    def space(self, plate: Picture) -> str:
        """Return the colour space that a plate is taken to be in."""
        return color.resolve(self.colorspace, plate.is_float, plate.declared)


AS_USUAL = Reading()


@dataclass(frozen=True)
class RefinedClip:
    """The files of a job by frame number, the same frames of plate, mask and alpha, and how they are read."""

    plate: dict[int, Path]
    mask: dict[int, Path]
    alpha: dict[int, Path]
    how: Reading = AS_USUAL
    trimap: dict[int, Path] = field(default_factory=dict)  # of an edge refiner, for the contact sheet alone
    there: tuple[int, ...] = ()  # all frames of the job that the alphas are of; by default those that are judged

    @cached_property
    def places(self) -> dict[int, int]:
        """For each frame of the job a number, by which neighbours follow each other one by one."""
        return sequences.consecutive(self.there or self.alpha)

    @property
    def numbers(self) -> list[int]:
        """The frame numbers, ascending."""
        return sorted(self.alpha)

    def read(self, frame: int) -> Loaded:
        """Read one frame whole.

        Raises:
            BadInput: unreadable, or the alpha is of another size than the plate.
        """
        plate, mask, alpha = self._pictures(frame)
        return Loaded(frame, self._to_display(plate)(plate.pixels), mask, alpha, self._trimap(frame, plate))

    def with_trimaps(self, pattern: str) -> RefinedClip:
        """Return the clip with the trimaps of a pattern; raises `BadInput` where nothing matches."""
        return replace(self, trimap=sequences.find(sequences.parse(pattern), "trimap"))

    def look(self, frame: int) -> Sight | Exception:
        """Read one frame as far as it is measured; raises as `read`, and returns the error where measuring failed."""
        plate, mask, alpha = self._pictures(frame)
        to_display = self._to_display(plate)
        return tried(lambda: sight(frame, glimpse(plate.pixels, mask, to_display), alpha))

    def _pictures(self, frame: int) -> tuple[Picture, FloatArray, FloatArray]:
        """Return the plate as it is, mask and alpha (H, W), 0..1, all on its display window."""
        how = self.how
        with placed("plate", frame):
            plate = frames.shown(frames.read_plate(self.plate[frame], how.plate_layer, how.view))
        with placed("mask", frame):
            mask = frames.read_mask(self.mask[frame], how.mask_channel, how.view, how.mask_colour)
        with placed("alpha", frame), option_called("--mask-channel", "--alpha-channel"):
            alpha = frames.read_mask(self.alpha[frame], how.alpha_channel, how.view)
        own, wanted = alpha.geometry.display, plate.geometry.display
        if (own.w, own.h) != (wanted.w, wanted.h):
            raise BadInput(
                f"it is {own.w}x{own.h}, the plate is {wanted.w}x{wanted.h}",
                "Give the plate that the alpha was made from.",
            ).at("alpha", frame, self.alpha[frame])
        return plate, frames.conform(_sane(mask), plate.geometry), frames.conform(_sane(alpha), plate.geometry)

    def _trimap(self, frame: int, plate: Picture) -> FloatArray | None:
        """Return a frame's trimap (H, W) on the plate's display window; None where it has none."""
        if frame not in self.trimap:
            return None
        with placed("trimap", frame):
            return frames.conform(_sane(frames.read_mask(self.trimap[frame], "", self.how.view)), plate.geometry)

    def _to_display(self, plate: Picture) -> color.DisplayTransform:
        return color.display_transform(self.how.space(plate), self.how.exposure)


@dataclass(frozen=True)
class Loaded:
    """One frame on the plate's display window: plate (H, W, 3) display-referred, mask and alpha (H, W), all 0..1.

    `trimap` (H, W) is 0 for background, 0.5 for unknown and 1 for subject; None where there is none.
    """

    frame: int
    plate: FloatArray
    mask: FloatArray
    alpha: FloatArray
    trimap: FloatArray | None = None


def refined_clip(patterns: tuple[str, str, str], wanted: Iterable[int] = (), how: Reading = AS_USUAL) -> RefinedClip:
    """Return the clip of the patterns of plate, mask and alpha: all frames of the alpha, or those that are wanted.

    Raises:
        BadInput: nothing matches, or a frame has no plate, no mask or no alpha.
    """
    parsed = {role: sequences.parse(text) for role, text in zip(("plate", "mask", "alpha"), patterns, strict=True)}
    found = {role: sequences.find(pattern, role) for role, pattern in parsed.items()}
    sequences.refuse_stray_frames(parsed)
    numbers = sorted(set(wanted) or found["alpha"])
    for role, files in found.items():
        missing = [frame for frame in numbers if frame not in files]
        if missing:
            raise BadInput(
                f"missing: {role} frames {sequences.format_range(missing)}",
                "Give plate, mask and alpha of one job.",
                role=role,
                frame=missing[0],
            )
    plate, mask, alpha = ({frame: files[frame] for frame in numbers} for files in found.values())
    return RefinedClip(plate, mask, alpha, how, there=tuple(found["alpha"]))


@dataclass(frozen=True)
class Measured:
    """What came of the frames of a clip.

    Attributes:
        scores: of the frames that could be measured, ascending.
        failures: the errors of those that could be read and not measured, by frame.
    """

    scores: list[FrameScores]
    failures: dict[int, Exception]


def measure(clip: RefinedClip, tell: Callable[[int], None] = lambda _: None) -> Measured:
    """Measure every frame, in order; `tell` is called with each frame as it is done.

    Flicker and seams are measured between frames that follow each other in the clip.

    Raises:
        BadInput: as `RefinedClip.read`, or the frames differ in size.
    """
    gauge, runs, failures = Gauge(), [list[FrameScores]()], dict[int, Exception]()
    for frame, seen in _looks(clip):
        if runs[-1] and clip.places[frame] != clip.places[runs[-1][-1].frame] + 1:
            runs.append([])
            gauge = Gauge()
        found = _measured(gauge, seen)
        if isinstance(found, FrameScores):
            runs[-1].append(found)
        elif isinstance(found, VideoMaMaError):
            raise found.at(frame=frame) from found
        else:
            failures[frame] = found
            gauge = Gauge()
        tell(frame)
    return Measured([found for run in runs for found in with_seams(run)], failures)


def _measured(gauge: Gauge, seen: Sight | Exception) -> FrameScores | Exception:
    return seen if isinstance(seen, Exception) else tried(lambda: gauge.take(seen))


def _looks(clip: RefinedClip) -> Iterator[tuple[int, Sight | Exception]]:
    """Yield each frame's number and what was read of it; one that could not be read raises its error."""
    with (
        ThreadPoolExecutor(_AHEAD) as readers,
        read_ahead(clip.numbers, clip.look, readers, _AHEAD) as coming,
    ):
        for frame, reading in coming:
            yield frame, reading.result()


def _sane(cover: Picture) -> Picture:
    """Return a mask or alpha with NaN as 0, and 0..1."""
    return Picture(np.clip(np.nan_to_num(cover.pixels, nan=0.0, posinf=1.0, neginf=0.0), 0.0, 1.0), cover.geometry)
