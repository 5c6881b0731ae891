"""Turns plates into what engines were trained on, display-referred sRGB; the only code that speaks OpenColorIO."""

from __future__ import annotations

import os
from functools import cache, lru_cache

import numpy as np
import PyOpenColorIO as ocio
from numpy.typing import NDArray
from videomama_client.errors import BadInput
from videomama_client.wording import choices

FloatArray = NDArray[np.float32]

# Pinned: another release of the built-in config may give other pixels under the same names.
BUILTIN_CONFIG = "studio-config-v2.1.0_aces-v1.3_ocio-v2.3"
DISPLAY = "srgb_tx"
LINEAR = "lin_rec709"
_LARGEST_HALF = 65504.0
_OCIO_ERRORS = (ocio.Exception, ocio.ExceptionMissingFile)  # neither is a kind of the other


class DisplayTransform:
    """Plate pixels to display-referred sRGB, through OpenColorIO.

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
        parts = [processor.getCacheID() for processor in (self._to_linear, self._to_display) if processor]
        self.fingerprint = f"{exposure:g} {' '.join(parts)}"

    def __call__(self, plate: FloatArray) -> FloatArray:
        """Return (H, W, 3) float32 in 0..1; NaN and negatives become 0, Inf the largest half."""
        pixels = np.nan_to_num(plate, nan=0.0, posinf=_LARGEST_HALF, neginf=0.0)
        np.clip(pixels, 0.0, _LARGEST_HALF, out=pixels)
        if self._to_linear is not None:
            self._to_linear.applyRGB(pixels)
            pixels *= np.float32(2.0**self._exposure)
        self._to_display.applyRGB(pixels)
        return np.clip(np.nan_to_num(pixels, copy=False), 0.0, 1.0, out=pixels)


@lru_cache(maxsize=8)
def display_transform(colorspace: str, exposure: float) -> DisplayTransform:
    """Return the transform for these settings, made once."""
    return DisplayTransform(colorspace, exposure)


class LinearLight:
    """Plate pixels to linear light, in which a lens mixes foreground and background, and no further.

    A colour space that is linear already keeps its primaries: mixing is the same in all of them. Any other becomes
    linear Rec.709.

    Args:
        colorspace: as for `DisplayTransform`, which says what is raised.
    """

    def __init__(self, colorspace: str) -> None:
        processor = _processor(colorspace, LINEAR)
        self._to_linear = None if _is_linear(processor) else processor

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


def resolve(colorspace: str, is_float: bool) -> str:
    """Turn `auto` into a name: linear Rec.709 for float pixels, sRGB for integer ones."""
    if colorspace != "auto":
        return colorspace
    return LINEAR if is_float else DISPLAY


def _is_linear(processor: ocio.CPUProcessor) -> bool:
    """Whether a conversion to linear light is a matrix: four times the light is four times the light."""
    once = np.array([[0.02, 0.02, 0.02], [0.2, 0.05, 0.1], [0.1, 0.25, 0.2]], np.float32)
    more = 4 * once
    for pixels in (once, more):
        processor.applyRGB(pixels)
    return np.allclose(more, 4 * once, rtol=1e-3, atol=1e-4)


def _processor(source: str, destination: str) -> ocio.CPUProcessor:
    own, builtin = _environment_config(), _builtin_config()
    config = own if own is not None and own.getColorSpace(source) else builtin
    if config.getColorSpace(source) is None:
        names = list((own or config).getColorSpaceNames())
        raise BadInput(f"no colour space is called {source!r}", choices(source, names))
    try:
        processor = ocio.Config.GetProcessorFromConfigs(config, source, builtin, destination)
    except _OCIO_ERRORS as error:
        reason = f"colour space {source!r} cannot be converted: {error}"
        raise BadInput(reason, "Check the config that $OCIO names.") from error
    return processor.getDefaultCPUProcessor()


@cache
def _builtin_config() -> ocio.Config:
    """Return the built-in config, which takes 20 ms to parse."""
    return ocio.Config.CreateFromBuiltinConfig(BUILTIN_CONFIG)


def _environment_config() -> ocio.Config | None:
    path = os.environ.get("OCIO", "")
    if not path:
        return None
    try:
        return ocio.Config.CreateFromFile(path)
    except _OCIO_ERRORS as error:
        raise BadInput(f"$OCIO names {path}, which cannot be read: {error}", "Correct or unset $OCIO.") from error
