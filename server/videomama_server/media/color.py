"""Turns plates into what engines were trained on, display-referred sRGB; the only code that speaks OpenColorIO."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
import PyOpenColorIO as ocio
from videomama_client.errors import BadInput
from videomama_client.wording import choices

from videomama_server.arrays import FloatArray
from videomama_server.media.color_table import LARGEST, CurveTable
from videomama_server.media.declared_colour import CINEON, UNDECLARED, Declared
from videomama_server.media.declared_colour import DISPLAY as DISPLAY
from videomama_server.media.declared_colour import LINEAR as LINEAR

if TYPE_CHECKING:
    from videomama_server.media.frames import Picture

# Pinned: another release of the built-in config may give other pixels under the same names.
BUILTIN_CONFIG = "studio-config-v2.1.0_aces-v1.3_ocio-v2.3"
_REFERENCE = "ACES2065-1"  # the space that all others of that config are defined by
_TABLE_ERROR = 1e-4  # display-referred, that a table may be off
_OCIO_ERRORS = (ocio.Exception, ocio.ExceptionMissingFile)  # neither is a kind of the other


@dataclass(frozen=True)
class Lookup:
    """A conversion that is a matrix (3, 3), rows of sums, or none, and then a curve, or none: only held in 0..1."""

    matrix: FloatArray | None
    curve: CurveTable | None


class DisplayTransform:
    """Plate pixels to display-referred sRGB, by OpenColorIO's own numbers.

    What is a curve of each channel, perhaps after a matrix, is looked up in a table that OpenColorIO filled, where
    that is no more than 1e-4 off; any other conversion goes through OpenColorIO itself.

    Args:
        colorspace: a colour space of $OCIO where that is set, else of the built-in ACES studio config.
        exposure: stops added in linear light before the conversion.

    Raises:
        BadInput: no such colour space, or $OCIO cannot be read.
    """

    def __init__(self, colorspace: str, exposure: float) -> None:
        self._exposure = exposure
        self._to_linear = _processor(colorspace, LINEAR) if exposure else None
        self._to_display = _processor(LINEAR if exposure else colorspace, DISPLAY)
        self._unchanged = not exposure and self._to_display.isNoOp()
        self._fast = None if self._unchanged else self._table(colorspace)
        parts = [processor.getCacheID() for processor in (self._to_linear, self._to_display) if processor]
        self.fingerprint = f"{exposure:g} {' '.join(parts)}{' by table' if self._fast else ''}"

    def __call__(self, plate: FloatArray) -> FloatArray:
        """Return (H, W, 3) float32 in 0..1; NaN and negatives become 0, Inf the largest half."""
        if self._unchanged:
            return _held(plate, 1.0)
        if self._fast is not None:
            return self._fast(plate if _is_sane(plate) else _held(plate, LARGEST))
        return self._through_ocio(_held(plate, LARGEST))

    @property
    def lookup(self) -> Lookup | None:
        """The conversion for who does it elsewhere than on the processor; None where OpenColorIO itself is needed."""
        if self._unchanged:
            return Lookup(None, None)
        return Lookup(self._fast.matrix, self._fast.curve) if self._fast is not None else None

    def _through_ocio(self, pixels: FloatArray) -> FloatArray:
        """Convert sane pixels (..., 3), contiguous, in place."""
        if self._to_linear is not None:
            self._to_linear.applyRGB(pixels)
            with np.errstate(over="ignore"):
                pixels *= np.float32(2.0**self._exposure)
        self._to_display.applyRGB(pixels)
        return np.clip(np.nan_to_num(pixels, copy=False), 0.0, 1.0, out=pixels)

    def _table(self, colorspace: str) -> _Fast | None:
        """Return a quicker way to the same pixels; None where there is none."""
        processors = [processor for processor in (self._to_linear, self._to_display) if processor]
        if not any(processor.hasChannelCrosstalk() for processor in processors):
            fast = _Fast(None, CurveTable(self._through_ocio))
        else:
            to_linear = self._to_linear or _processor(colorspace, LINEAR)
            if not _is_linear(to_linear):
                return None
            matrix = _matrix(to_linear) * np.float32(2.0**self._exposure)
            fast = _Fast(matrix, _linear_curve(os.environ.get("OCIO", "")))
        return fast if fast.error(self._through_ocio) <= _TABLE_ERROR else None


@dataclass(frozen=True)
class _Fast:
    """A matrix (3, 3), rows of sums, or none, and then a curve."""

    matrix: FloatArray | None
    curve: CurveTable

    def __call__(self, pixels: FloatArray) -> FloatArray:
        if self.matrix is not None:
            pixels = np.asarray(cv2.transform(pixels, self.matrix), np.float32)
        return self.curve(np.ascontiguousarray(pixels))

    def error(self, exact: Callable[[FloatArray], FloatArray]) -> float:
        """Return the largest difference to the exact pixels, of the curve's steps and of colours of all kinds."""
        rng = np.random.default_rng(0)
        colours = np.float32(2.0) ** rng.uniform(-14, 8, (1, 4096, 3)).astype(np.float32)
        colours[:, ::4, 0] = 0
        found = float(np.abs(self(colours) - exact(colours.copy())).max())
        return max(found, self.curve.error)


@lru_cache(maxsize=2)
def _linear_curve(_config: str) -> CurveTable:
    """Return the curve from linear Rec.709 to the display."""
    to_display = _processor(LINEAR, DISPLAY)

    def curve(numbers: FloatArray) -> FloatArray:
        to_display.applyRGB(numbers)
        return np.clip(numbers, 0.0, 1.0)

    return CurveTable(curve)


@lru_cache(maxsize=8)
def display_transform(colorspace: str, exposure: float) -> DisplayTransform:
    """Return the transform for these settings, made once."""
    return DisplayTransform(colorspace, exposure)


def displayed(plate: Picture, colorspace: str = "auto", exposure: float = 0.0) -> FloatArray:
    """Return the pixels of a plate, (H, W, 3), display-referred sRGB, 0..1; see `DisplayTransform` for errors.

    Args:
        plate: as `frames.read_plate` reads it.
        colorspace: by default what its file declares; see `resolve`.
        exposure: stops added in linear light.
    """
    space = resolve(colorspace, plate.is_float, plate.declared)
    return display_transform(space, exposure)(plate.pixels)


class LinearLight:
    """Plate pixels to linear light, in which a lens mixes foreground and background, and no further.

    A colour space that is linear already keeps its primaries: mixing is the same in all of them. Any other becomes
    linear Rec.709.

    Args:
        colorspace: as for `DisplayTransform`, which says what is raised.

    Attributes:
        name: the linear colour space of what comes out.
        fingerprint: says what is done to the pixels.
    """

    def __init__(self, colorspace: str) -> None:
        processor = _processor(colorspace, LINEAR)
        self._to_linear = None if _is_linear(processor) else processor
        self.name = colorspace if self._to_linear is None else LINEAR
        self.fingerprint = str(self._to_linear.getCacheID()) if self._to_linear else "kept"

    def __call__(self, plate: FloatArray) -> FloatArray:
        """Return (H, W, 3) float32, of any range; the plate itself where nothing is to be done."""
        if self._to_linear is None:
            return plate
        pixels = np.array(plate, np.float32, order="C")
        self._to_linear.applyRGB(pixels)
        return pixels


@lru_cache(maxsize=8)
def linear_light(colorspace: str) -> LinearLight:
    """Return the transform of a colour space, made once."""
    return LinearLight(colorspace)


def resolve(colorspace: str, is_float: bool, declared: Declared = UNDECLARED) -> str:
    """Turn `auto` into a name: what the file declares, else linear Rec.709 for float pixels, sRGB for integer ones."""
    if colorspace != "auto":
        return colorspace
    return _known(declared) or (LINEAR if is_float else DISPLAY)


def doubt(colorspace: str, is_float: bool, declared: Declared) -> str:
    """Return a sentence where `auto` could not take what the file declares; empty where it could."""
    if colorspace != "auto" or not declared.words or _known(declared):
        return ""
    return (
        f"the plate declares {declared.words}, which OpenColorIO does not know by a name; "
        f"{resolve(colorspace, is_float)} was taken. Name the right space with --colorspace"
    )


def _known(declared: Declared) -> str:
    """Return the first of the declared colour spaces that there is, by its main name; empty for none."""
    return _first_known(declared.names, os.environ.get("OCIO", ""))


@lru_cache(maxsize=32)
def _first_known(names: tuple[str, ...], _config: str) -> str:
    for name in names:
        if name in (DISPLAY, LINEAR):
            return name
        for config in (_environment_config(), _builtin_config()):
            found = config and config.getColorSpace(name)
            if found:
                return str(found.getName())
    return ""


def _is_linear(processor: ocio.CPUProcessor) -> bool:
    """Whether a conversion to linear light is a matrix: four times the light is four times the light."""
    once = np.array([[0.02, 0.02, 0.02], [0.2, 0.05, 0.1], [0.1, 0.25, 0.2]], np.float32)
    more = 4 * once
    for pixels in (once, more):
        processor.applyRGB(pixels)
    return np.allclose(more, 4 * once, rtol=1e-3, atol=1e-4)


def _matrix(processor: ocio.CPUProcessor) -> FloatArray:
    """Return the matrix (3, 3) of a conversion that is one: what it makes of each primary is a column."""
    primaries = np.eye(3, dtype=np.float32)
    processor.applyRGB(primaries)
    return np.ascontiguousarray(primaries.T)


def _is_sane(plate: FloatArray) -> bool:
    """Whether a plate has no NaN and nothing out of the range that tables hold."""
    return bool(plate.size and plate.min() >= 0.0 and plate.max() <= LARGEST)  # false for NaN


def _held(plate: FloatArray, most: float) -> FloatArray:
    """Return a copy of a plate in 0..most: NaN and negatives become 0."""
    if plate.size and not np.isnan(plate.max()):
        return np.asarray(np.clip(plate, 0.0, np.float32(most)), np.float32)
    return np.clip(np.nan_to_num(plate, nan=0.0, posinf=most, neginf=0.0), 0.0, most)


def _processor(source: str, destination: str) -> ocio.CPUProcessor:
    own, builtin = _environment_config(), _builtin_config()
    config = own if own is not None and own.getColorSpace(source) else builtin
    if config.getColorSpace(source) is None:
        names = list((own or config).getColorSpaceNames())
        raise BadInput(f"unknown colour space {source!r}", choices(source, names))
    try:
        processor = ocio.Config.GetProcessorFromConfigs(config, source, builtin, destination)
    except _OCIO_ERRORS as error:
        reason = f"colour space {source!r} cannot be converted: {error}"
        raise BadInput(reason, "Check the config that $OCIO names.") from error
    return processor.getDefaultCPUProcessor()


@cache
def _builtin_config() -> ocio.Config:
    """Return the built-in config, which takes 20 ms to parse, with the space that it lacks and film scans declare."""
    config = ocio.Config.CreateFromBuiltinConfig(BUILTIN_CONFIG)
    config.addColorSpace(_cineon())
    return config


def _cineon() -> ocio.ColorSpace:
    """Return Kodak's printing density curve over Rec.709: white at code 685 of 1023, black at 95, 0.002 a step, 0.6.

    Source: Kodak, Cineon digital film system; the same numbers as in Nuke's and OpenColorIO's own configs.
    """
    black = 10 ** ((95 - 685) * 0.002 / 0.6)
    to_linear = ocio.LogAffineTransform(
        logSideSlope=[0.6 / 0.002 / 1023] * 3,
        logSideOffset=[685 / 1023] * 3,
        linSideSlope=[1 - black] * 3,
        linSideOffset=[black] * 3,
        direction=ocio.TRANSFORM_DIR_INVERSE,
    )
    to_linear.setBase(10.0)
    to_reference = ocio.ColorSpaceTransform(src=LINEAR, dst=_REFERENCE)
    space = ocio.ColorSpace(ocio.REFERENCE_SPACE_SCENE, CINEON, family="Film", encoding="log", isData=False)
    space.setTransform(ocio.GroupTransform([to_linear, to_reference]), ocio.COLORSPACE_DIR_TO_REFERENCE)
    return space


def _environment_config() -> ocio.Config | None:
    path = os.environ.get("OCIO", "")
    if not path:
        return None
    try:
        return ocio.Config.CreateFromFile(path)
    except _OCIO_ERRORS as error:
        raise BadInput(f"$OCIO names {path}, which cannot be read: {error}", "Correct or unset $OCIO.") from error
