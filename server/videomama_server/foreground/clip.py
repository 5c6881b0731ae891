"""Writes the foreground's colour of numbered files, several frames at once; no frame needs another."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from videomama_client.errors import BadInput, NotPermitted, VideoMaMaError

from videomama_server import color, frames, sequences
from videomama_server.delivery import Delivery
from videomama_server.foreground.estimate import estimate, sane_alpha

DEFAULT_DTYPE = {".exr": "half", ".tif": "float", ".tiff": "float"}
_DTYPES = ("half", "float")  # scene values do not fit into integers
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
        spared: patterns besides plate and alpha that the result must not go to.
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
    spared: tuple[str, ...] = ()

    def check(self) -> None:
        """Raise what would keep the result from being written, before any work; the folder is made.

        Raises:
            BadInput: a format or pixel type that cannot hold scene values, an unknown colour space, or the name of a
                source.
            NotPermitted: the folder cannot be made or written.
        """
        suffix = self._target.tail.lower()
        if suffix not in DEFAULT_DTYPE:
            raise BadInput(
                f"cannot write foreground colour to {self.out}", f"Use {', '.join(DEFAULT_DTYPE)}: it is scene-linear."
            )
        if self._dtype not in _DTYPES:
            raise BadInput(f"foreground colour cannot be {self._dtype}", f"Choose {' or '.join(_DTYPES)}.")
        if self.colorspace != "auto":
            color.linear_light(self.colorspace)
        first = self._target.path(1).absolute()
        if any(sequences.parse(text).path(1).absolute() == first for text in (self.plate, self.alpha, *self.spared)):
            raise self._in_place(first)
        Delivery(self._target, dtype=self._dtype).check()

    def find(self, wanted: Iterable[int] | None = None) -> dict[int, Sources]:
        """Return the files of the wanted frames, or of all that have an alpha, by number.

        Raises:
            BadInput: frames are missing, or a result would replace what it is made from.
        """
        plates, alphas = self._found("plate", self.plate), self._found("alpha", self.alpha)
        numbers = sorted(alphas if wanted is None else wanted)
        for role, there in (("plate", plates), ("alpha", alphas)):
            absent = [number for number in numbers if number not in there]
            if absent:
                reason = f"missing: {role} frames {sequences.format_range(absent)}"
                raise BadInput(reason, "Render them, or name the frames that are there.")
        files = {number: Sources(plates[number], alphas[number]) for number in numbers}
        self._check_targets(files)
        return files

    def settled(self, files: Mapping[int, Sources]) -> tuple[Recolour, str]:
        """Return the job with the colour space that `auto` stands for by the first plate, and what is doubtful of it.

        Raises:
            BadInput: the plate is unreadable.
        """
        number, sources = next(iter(files.items()))
        with _named(number):
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
        with ThreadPoolExecutor(min(_AT_ONCE, os.cpu_count() or 1)) as pool:
            running = {pool.submit(self._frame, number, sources): number for number, sources in files.items()}
            try:
                for future in as_completed(running):
                    future.result()
                    done(running[future])
            except BaseException:  # also Ctrl-C: what has not begun must not
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    @cached_property
    def _target(self) -> sequences.Pattern:
        return sequences.parse(self.out)

    @property
    def _dtype(self) -> str:
        return self.dtype or DEFAULT_DTYPE.get(self._target.tail.lower(), "")

    def _found(self, role: str, pattern: str) -> dict[int, Path]:
        try:
            return sequences.find(sequences.parse(pattern))
        except BadInput as error:
            raise BadInput(f"{role}: {error.message}", error.hint) from error

    def _check_targets(self, files: Mapping[int, Sources]) -> None:
        if len(files) > 1 and not self._target.digits:
            raise BadInput(
                f"{self._target.path(1)} has no frame number, and {len(files)} frames are wanted",
                "Write it as foreground.####.exr.",
            )
        for number, sources in files.items():
            target = self._target.path(number)
            if target.exists() and any(target.samefile(file) for file in (sources.plate, sources.alpha)):
                raise self._in_place(target)

    def _in_place(self, target: Path) -> BadInput:
        return BadInput(f"{target} is what the foreground is made from", "Choose another name for the result.")

    def _frame(self, number: int, sources: Sources) -> None:
        with _named(number):
            self._write(self._target.path(number), sources)

    def _write(self, target: Path, sources: Sources) -> None:
        plate = frames.read_plate(sources.plate, self.plate_layer, self.view)
        mask = frames.read_mask(sources.alpha, self.alpha_channel, self.view)
        own, wanted = mask.geometry.display, plate.geometry.display
        if (own.w, own.h) != (wanted.w, wanted.h):
            raise BadInput(
                f"the alpha is {own.w}x{own.h}, the plate is {wanted.w}x{wanted.h}",
                "Render the alpha in the plate's format.",
            )
        alpha = frames.conform(mask, plate.geometry)
        to_linear = color.linear_light(color.resolve(self.colorspace, plate.is_float, plate.declared))
        colour = estimate(to_linear(plate.pixels), alpha)
        if self.premultiplied:
            colour *= sane_alpha(alpha)[..., None]
        frames.write_picture(target, colour, dtype=self._dtype, geometry=plate.geometry)


@contextmanager
def _named(number: int) -> Iterator[None]:
    """Name the frame in what is wrong with it."""
    try:
        yield
    except VideoMaMaError as error:
        raise type(error)(f"frame {number}: {error.message}", error.hint) from error
    except OSError as error:
        raise NotPermitted(f"frame {number}: {error}", "Free some space, or check the disk.") from error
