"""The settings of a job: all that changes the pixels of an alpha, and nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Optional

from videomama_client.errors import BadInput
from videomama_client.wording import choices

QUALITIES = ("high", "fast")
MODES = ("production", "reference")
LONGEST_WINDOW = 256  # frames
_CANVAS = re.compile(r"auto|[1-9]\d{0,4}x[1-9]\d{0,4}")


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
        view: of plate and mask in stereo files, such as ``left``; empty takes each file's main one.
        mask_colour: the colours that are subject in a mask of colours, such as ``#800000 #008000`` or
            ``128,0,0; 0,128,0``; empty takes every colour but black. ``mask_channel`` then names their layer.
        colorspace: OpenColorIO name of the plate's colour space; ``auto`` is what the plate's file declares, else
            linear Rec.709 for float pixels and sRGB for integer ones.
        exposure: stops added to the plate before it is shown to the engine.
        mask_threshold: mask value (0..1) from which a pixel counts as subject.
        soft_mask: give the mask to the model with its grey values instead of cutting it at the threshold.
        mask_grow: grows the mask (negative: shrinks it) by so many pixels of a plate 1920 wide, before anything else.
        mask_close_holes: closes holes and gaps of the mask up to this wide, in the same unit, before it grows.
        mask_slack: how far the mask's outline may be off, in pixels of a plate 1920 wide: it is moved to where colours
            say it belongs; 0 takes it as it is (engine ``classic``).
        trimap_erode: certain foreground starts this far inside the mask, in pixels of a plate 1920 wide.
        trimap_dilate: certain background starts this far outside the mask, in the same unit.
        mode: ``production``, or ``reference``: the published inference to the letter (engine ``videomama``).
        canvas: size the model works at, ``auto`` or WIDTHxHEIGHT in pixels (engine ``videomama``).
        seed: of the noise that the model starts from.
        feedback: times the model runs again with its own alpha in place of the mask.
        weights: folder of the model's weights as the server sees it; empty takes the server's own.
    """

    engine: str = "auto"
    quality: str = "high"
    window: Optional[int] = None
    overlap: Optional[int] = None
    roi: str = "auto"
    plate_layer: str = ""
    mask_channel: str = ""
    view: str = ""
    mask_colour: str = ""
    colorspace: str = "auto"
    exposure: float = 0.0
    mask_threshold: float = 0.5
    soft_mask: bool = False
    mask_grow: float = 0.0
    mask_close_holes: float = 0.0
    mask_slack: float = 32.0
    trimap_erode: float = 10.0
    trimap_dilate: float = 40.0
    mode: str = "production"
    canvas: str = "auto"
    seed: int = 42
    feedback: int = 0
    weights: str = ""

    def check(self) -> None:
        """Raise `BadInput` for a value that cannot be used."""
        _within("--exposure", self.exposure, -32, 32)
        _within("--mask-threshold", self.mask_threshold, 0.001, 1)
        _within("--mask-slack", self.mask_slack, 0, 200)
        _within("--trimap-erode", self.trimap_erode, 0, 500)
        _within("--trimap-dilate", self.trimap_dilate, 0, 500)
        _within("--mask-grow", self.mask_grow, -200, 200)
        _within("--mask-close-holes", self.mask_close_holes, 0, 200)
        _within("--window", 1 if self.window is None else self.window, 1, LONGEST_WINDOW)
        _within("--overlap", 0 if self.overlap is None else self.overlap, 0, LONGEST_WINDOW // 2)
        _within("--seed", self.seed, 0, 2**63 - 1)
        _within("--feedback", self.feedback, 0, 4)
        _among("quality", self.quality, QUALITIES)
        _among("mode", self.mode, MODES)
        parse_colours(self.mask_colour)
        if not _CANVAS.fullmatch(self.canvas):
            raise BadInput(
                f"--canvas {self.canvas!r} is not a valid size", "Write auto, or WIDTHxHEIGHT such as 1024x576."
            )


def parse_colours(text: str) -> tuple[tuple[int, int, int], ...]:
    """Read colours such as ``#800000 #008000`` or ``128,0,0; 0,128,0`` as red, green and blue, 0..255 each.

    Raises:
        BadInput: not colours.
    """
    return tuple(_colour(word) for word in re.split(r"[;\s]+|,(?=#)", re.sub(r",\s+", ",", text)) if word)


def _colour(word: str) -> tuple[int, int, int]:
    if re.fullmatch(r"#[0-9a-fA-F]{6}", word):
        red, green, blue = bytes.fromhex(word[1:])
        return red, green, blue
    numbers = [int(number) for number in word.split(",")] if re.fullmatch(r"\d{1,3}(,\d{1,3}){2}", word) else [256]
    if max(numbers) > 255:
        raise BadInput(
            f"mask colour {word!r} is not a colour", "Write it as #800000 or 128,0,0; separate several by spaces."
        )
    return numbers[0], numbers[1], numbers[2]


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:  # also true of NaN
        raise BadInput(f"{name} {value:g} is out of range", f"Choose {low:g} to {high:g}.")


def _among(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise BadInput(f"no {name} is called {value!r}", choices(value, known))
