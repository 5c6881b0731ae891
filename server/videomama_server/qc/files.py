"""Runs quality control over numbered files, reading some frames ahead of the one that is measured."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from videomama_client.errors import BadInput, VideoMaMaError

from videomama_server import color, frames, sequences
from videomama_server.frames import FloatArray, Picture
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
class Clip:
    """The files of a job by frame number, the same frames of plate, mask and alpha, and how they are read."""

    plate: dict[int, Path]
    mask: dict[int, Path]
    alpha: dict[int, Path]
    how: Reading = AS_USUAL

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
        return Loaded(frame, self._to_display(plate)(plate.pixels), mask, alpha)

    def look(self, frame: int) -> Sight:
        """Read one frame as far as it is measured; raises as `read`."""
        plate, mask, alpha = self._pictures(frame)
        return sight(frame, glimpse(plate.pixels, mask, self._to_display(plate)), alpha)

    def _pictures(self, frame: int) -> tuple[Picture, FloatArray, FloatArray]:
        """Return the plate as it is, mask and alpha (H, W), 0..1, all on its display window."""
        how = self.how
        try:
            plate = frames.shown(frames.read_plate(self.plate[frame], how.plate_layer, how.view))
            mask = frames.read_mask(self.mask[frame], how.mask_channel, how.view, how.mask_colour)
            alpha = frames.read_mask(self.alpha[frame], how.alpha_channel, how.view)
        except VideoMaMaError as error:
            raise type(error)(f"frame {frame}: {error.message}", error.hint) from error
        own, wanted = alpha.geometry.display, plate.geometry.display
        if (own.w, own.h) != (wanted.w, wanted.h):
            raise BadInput(
                f"frame {frame}: the alpha is {own.w}x{own.h}, the plate {wanted.w}x{wanted.h}",
                "Give the plate that the alpha was made from.",
            )
        return plate, frames.conform(_sane(mask), plate.geometry), frames.conform(_sane(alpha), plate.geometry)

    def _to_display(self, plate: Picture) -> color.DisplayTransform:
        return color.display_transform(self.how.space(plate), self.how.exposure)


@dataclass(frozen=True)
class Loaded:
    """One frame on the plate's display window: plate (H, W, 3) display-referred, mask and alpha (H, W), all 0..1."""

    frame: int
    plate: FloatArray
    mask: FloatArray
    alpha: FloatArray


def clip_of(patterns: tuple[str, str, str], wanted: Iterable[int] = (), how: Reading = AS_USUAL) -> Clip:
    """Return the clip of the patterns of plate, mask and alpha: all frames of the alpha, or those that are wanted.

    Raises:
        BadInput: nothing matches, or a frame has no plate, no mask or no alpha.
    """
    found = [sequences.find(sequences.parse(pattern)) for pattern in patterns]
    numbers = sorted(set(wanted) or found[2])
    for role, files in zip(("plate", "mask", "alpha"), found, strict=True):
        missing = [frame for frame in numbers if frame not in files]
        if missing:
            raise BadInput(
                f"missing: {role} frames {sequences.format_range(missing)}", "Give plate, mask and alpha of one job."
            )
    plate, mask, alpha = ({frame: files[frame] for frame in numbers} for files in found)
    return Clip(plate, mask, alpha, how)


def measure(clip: Clip, tell: Callable[[int], None] = lambda _: None) -> list[FrameScores]:
    """Return the scores of every frame, in order; `tell` is told each frame as it is done.

    Flicker and seams are measured between frames that follow each other by number.

    Raises:
        BadInput: as `Clip.read`, or the frames differ in size.
    """
    return [found for run in _runs(clip, tell) for found in with_seams(run)]


def _runs(clip: Clip, tell: Callable[[int], None]) -> Iterator[list[FrameScores]]:
    """Yield the scores of frames that follow each other by number."""
    gauge, run = Gauge(), list[FrameScores]()
    for seen in _read_ahead(clip):
        if run and seen.frame != run[-1].frame + 1:
            yield run
            gauge, run = Gauge(), []
        try:
            run.append(gauge.take(seen))
        except BadInput as error:
            raise BadInput(f"frame {seen.frame}: {error.message}", error.hint) from error
        tell(seen.frame)
    yield run


def _read_ahead(clip: Clip) -> Iterator[Sight]:
    coming: deque[Future[Sight]] = deque()
    with ThreadPoolExecutor(_AHEAD) as readers:
        try:
            for frame in clip.numbers:
                coming.append(readers.submit(clip.look, frame))
                if len(coming) > _AHEAD:
                    yield coming.popleft().result()
            while coming:
                yield coming.popleft().result()
        finally:
            for left in coming:
                left.cancel()


def _sane(cover: Picture) -> Picture:
    """Return a mask or alpha with NaN as 0, and 0..1."""
    return Picture(np.clip(np.nan_to_num(cover.pixels, nan=0.0, posinf=1.0, neginf=0.0), 0.0, 1.0), cover.geometry)
