"""The settings of a job: all that changes the pixels of an alpha, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from videomama_client.errors import BadInput

QUALITIES = ("high", "fast")


@dataclass(frozen=True)
class MatteSettings:
    """All that changes pixels. Part of the request, and of the key of every cache entry.

    Fields:
        engine: name of the engine, or ``auto``: the best one that can run here.
        quality: ``high`` or ``fast``, for engines that offer both.
        window: frames the engine sees at once; None takes the engine's own.
        overlap: frames shared by neighbouring windows; None takes the engine's own.
        roi: ``auto``, ``off`` or ``x,y,w,h`` in pixels, y down, relative to the display window's origin.
        plate_layer: layer that holds the plate's R, G and B; empty for the main one.
        mask_channel: channel that holds the mask; empty takes A, else the only channel, else R.
        colorspace: OpenColorIO name of the plate's colour space; ``auto`` is linear Rec.709 for float
            pixels and sRGB for integer ones.
        exposure: stops added to the plate before it is shown to the engine.
        mask_threshold: mask value (0..1) from which a pixel counts as subject.
        trimap_erode: certain foreground starts this far inside the mask, in pixels of a plate 1920 wide.
        trimap_dilate: certain background starts this far outside the mask, in the same unit.
    """

    engine: str = "auto"
    quality: str = "high"
    window: Optional[int] = None
    overlap: Optional[int] = None
    roi: str = "auto"
    plate_layer: str = ""
    mask_channel: str = ""
    colorspace: str = "auto"
    exposure: float = 0.0
    mask_threshold: float = 0.5
    trimap_erode: float = 10.0
    trimap_dilate: float = 40.0

    def check(self) -> None:
        """Raise `BadInput` for a value that makes no sense."""
        _within("exposure", self.exposure, -32, 32)
        _within("mask threshold", self.mask_threshold, 0.001, 1)
        _within("trimap erode", self.trimap_erode, 0, 500)
        _within("trimap dilate", self.trimap_dilate, 0, 500)
        if self.quality not in QUALITIES:
            raise BadInput(f"no quality is called {self.quality!r}", f"There are: {', '.join(QUALITIES)}.")


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:  # also true of NaN
        raise BadInput(f"{name} {value:g} is out of range", f"Choose {low:g} to {high:g}.")
