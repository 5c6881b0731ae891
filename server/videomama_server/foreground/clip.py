"""Writes the foreground's colour of numbered files, several frames at once; no frame needs another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from videomama_client.disk_errors import disk_error
from videomama_client.errors import BadInput, option_called, placed
from videomama_client.wording import counted

from videomama_server import at_once
from videomama_server.arrays import FloatArray
from videomama_server.foreground.colouring import Colouring
from videomama_server.media import color, frames, sequences
from videomama_server.media.delivery import COLOUR, Delivery

_AT_ONCE = 4  # frames; each takes about 100 bytes per pixel


@dataclass(frozen=True)
class Sources:
    """The files of one frame."""

    plate: Path
    alpha: Path


@dataclass(frozen=True)
class Recolour:
    """Which files the foreground's colour is made from, and where it goes.

    Attributes:
        plate: pattern of the plates.
        alpha: pattern of their alphas.
        out: pattern of what is written, .exr or .tif: R, G and B in linear light, with the plate's geometry.
        plate_layer: that holds the plate.
        alpha_channel: that holds the alpha; by default A, else the only one.
        view: of stereo files; empty for their main one.
        colorspace: the plate's; see `color.LinearLight` for what it becomes.
        dtype: `half` or `float`; empty for the format's usual one.
        premultiplied: whether colour is multiplied by alpha.
    """

    plate: str
    alpha: str
    out: str
    plate_layer: str = ""
    alpha_channel: str = ""
    view: str = ""
    colorspace: str = "auto"
    dtype: str = ""
    premultiplied: bool = False

    def check(self) -> None:
        """Raise what would keep the result from being written, before any work; the folder is made.

        Raises:
            BadInput: a format or pixel type that cannot hold scene values, an unknown colour space, or the name of a
                source.
            NotPermitted: the folder cannot be made or written.
        """
        if self.colorspace != "auto":
            color.linear_light(self.colorspace)
        first = self._target.path(1).absolute()
        if any(sequences.parse(text).path(1).absolute() == first for text in (self.plate, self.alpha)):
            raise self._in_place(first)
        self._delivery.check()

    def find(self, wanted: Iterable[int] | None = None) -> dict[int, Sources]:
        """Return the files of the wanted frames, or of all that have an alpha, by number.

        Raises:
            BadInput: frames are missing, or a result would replace what it is made from.
        """
        patterns = {"plate": sequences.parse(self.plate), "alpha": sequences.parse(self.alpha)}
        plates, alphas = (sequences.find(pattern, role) for role, pattern in patterns.items())
        sequences.refuse_stray_frames(patterns)
        numbers = sorted(alphas if wanted is None else wanted)
        for role, there in (("plate", plates), ("alpha", alphas)):
            absent = [number for number in numbers if number not in there]
            if absent:
                reason = f"missing: {role} frames {sequences.format_range(absent)}"
                hint = "Render them, or name the frames that are there with --frames."
                raise BadInput(reason, hint, role=role, frame=absent[0])
        files = {number: Sources(plates[number], alphas[number]) for number in numbers}
        self._check_targets(files)
        return files

    def settled(self, files: Mapping[int, Sources]) -> tuple[Recolour, str]:
        """Return the job with the colour space that `auto` stands for by the first plate, and what is doubtful of it.

        Raises:
            BadInput: the plate is unreadable.
        """
        number, sources = next(iter(files.items()))
        with placed("plate", number):
            seen = frames.probe_plate(sources.plate, self.plate_layer, self.view)
        space = color.resolve(self.colorspace, seen.is_float, seen.declared)
        return replace(self, colorspace=space), color.doubt(self.colorspace, seen.is_float, seen.declared)

    def write(self, files: Mapping[int, Sources], done: Callable[[int], None]) -> None:
        """Write a result for each frame that was found; older ones are replaced.

        Args:
            files: as `find` returned them.
            done: called with each frame's number when it is written, in this thread, in any order.

        Raises:
            BadInput: a frame is unreadable, or its alpha does not fit.
            NotPermitted: a result cannot be written, or the disk is full.
        """
        at_once.each(files, self._frame, done, _AT_ONCE)

    @cached_property
    def _target(self) -> sequences.Pattern:
        return sequences.parse(self.out)

    @property
    def _delivery(self) -> Delivery:
        return Delivery(self._target, dtype=self.dtype, content=COLOUR)

    def _check_targets(self, files: Mapping[int, Sources]) -> None:
        if len(files) > 1 and self._target.single:
            raise BadInput(
                f"{self.out} is a single file, and {counted(len(files), 'frame')} are wanted",
                "Write it as foreground.####.exr.",
            )
        for number, sources in files.items():
            target = self._target.path(number)
            if target.exists() and any(target.samefile(file) for file in (sources.plate, sources.alpha)):
                raise self._in_place(target)

    def _in_place(self, target: Path) -> BadInput:
        return BadInput(f"{target} is what the foreground is made from", "Choose another name for the result.")

    def _frame(self, number: int, sources: Sources) -> None:
        with placed("plate", number):
            plate = frames.read_plate(sources.plate, self.plate_layer, self.view)
        with placed("alpha", number, sources.alpha), option_called("--mask-channel", "--alpha-channel"):
            alpha = self._alpha(sources, plate)
        target = self._target.path(number)
        with placed("foreground", number, target):
            try:
                self._write(target, plate, alpha)
            except OSError as error:
                raise disk_error(error) from error

    def _alpha(self, sources: Sources, plate: frames.Picture) -> FloatArray:
        mask = frames.read_mask(sources.alpha, self.alpha_channel, self.view)
        own, wanted = mask.geometry.display, plate.geometry.display
        if (own.w, own.h) != (wanted.w, wanted.h):
            raise BadInput(
                f"it is {own.w}x{own.h}, the plate is {wanted.w}x{wanted.h}",
                "Render the alpha in the plate's format.",
            )
        return frames.conform(mask, plate.geometry)

    def _write(self, target: Path, plate: frames.Picture, alpha: FloatArray) -> None:
        space = color.resolve(self.colorspace, plate.is_float, plate.declared)
        how = Colouring(space, self.premultiplied)
        colour = how.make(plate.pixels, alpha)
        frames.write_picture(
            target,
            colour,
            dtype=self._delivery.pixel_type,
            geometry=plate.geometry,
            attributes=how.attributes(),
        )
