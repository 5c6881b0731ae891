"""The settings of a job: all that changes the pixels of an alpha, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NewType, Optional

from videomama_client.engine_options import EngineOption, values
from videomama_client.errors import BadInput
from videomama_client.setting_spec import Range, SettingSpec, Value, check, setting, settings_in, specs_of

QUALITIES = ("high", "fast")
MODES = ("production", "reference")
MASK_QUALITIES = ("auto", "exact", "good", "fair", "rough")
LONGEST_WINDOW = 256  # frames
_CANVAS = re.compile(r"auto|[1-9]\d{0,4}x[1-9]\d{0,4}")
_PIXELS = "pixels of a plate 1920 wide"
_CLASSIC = ("classic",)
_MODEL = ("videomama",)
_BOTH = (*_CLASSIC, *_MODEL)


@dataclass(frozen=True)
class MatteSettings:
    """All that changes pixels. Part of the request, and of the key of every cache entry.

    Each field says what it is for, what it can be and which engines read it: see `setting_spec.specs_of`. What one
    engine alone understands is in `engine_options`, where its own specs say the same.
    """

    engine: str = setting("auto", "Engine that computes the alpha. auto takes the best that this machine can run.")
    quality: str = setting("high", "fast is rougher, for engines that offer both.", choices=QUALITIES, engines=_BOTH)
    window: Optional[int] = setting(
        None,
        "How much of the clip the engine sees at once; by default the engine's own.",
        within=Range(1, LONGEST_WINDOW, "frames"),
    )
    overlap: Optional[int] = setting(
        None,
        "How much neighbouring windows share; by default the engine's own.",
        within=Range(0, LONGEST_WINDOW // 2, "frames"),
    )
    roi: str = setting(
        "auto", "Region of interest: auto, off, or x,y,w,h in pixels from the plate's upper left corner, y down."
    )
    plate_layer: str = setting("", "Layer that holds the plate's R, G and B; by default the main one.", in_key=False)
    mask_channel: str = setting(
        "", "Channel that holds the mask; by default A, else the only channel, else R.", in_key=False
    )
    view: str = setting(
        "",
        "View of stereo files, such as left; %V and %v in patterns stand for it and its first letter.",
        in_key=False,
    )
    mask_colour: str = setting(
        "",
        "In a mask of colours, those that are subject, such as '#800000 #008000' or '128,0,0; 0,128,0'; "
        "by default all but black. --mask-channel then names their layer.",
        in_key=False,
    )
    colorspace: str = setting(
        "auto",
        "The plate's OpenColorIO colour space. auto is what the file declares, "
        "else linear Rec.709 for float pixels and sRGB for integer ones.",
    )
    exposure: float = setting(
        0.0,
        "Exposure added before the engine sees the plate, for very dark or bright shots. "
        "The plate itself stays as it is.",
        within=Range(-32, 32, "stops"),
    )
    mask_threshold: float = setting(
        0.5, "Value of the mask from which a pixel counts as subject.", within=Range(0.001, 1), engines=_BOTH
    )
    soft_mask: bool = setting(
        False, "Give the mask's grey values to the model instead of cutting them at the threshold.", engines=_MODEL
    )
    mask_grow: float = setting(
        0.0,
        "Grow the mask, or shrink it where negative, before anything else.",
        within=Range(-200, 200, _PIXELS),
    )
    mask_close_holes: float = setting(
        0.0, "Close holes and gaps of the mask up to this wide, before it grows.", within=Range(0, 200, _PIXELS)
    )
    mask_quality: str = setting(
        "auto",
        "How good the mask is: exact (roto to the pixel), good (SAM, a tracker, a key), fair (some ten pixels off), "
        "rough (a shape). auto asks the plate and says what it found. It decides the next three where they are auto.",
        choices=MASK_QUALITIES,
        engines=_CLASSIC,
        in_key=False,
    )
    mask_slack: Optional[float] = setting(
        None,
        "How far the mask's outline may move to where the colours of the plate say it belongs. "
        "0 keeps it. auto follows the mask's quality.",
        within=Range(0, 200, _PIXELS),
        engines=_CLASSIC,
    )
    trimap_erode: Optional[float] = setting(
        None,
        "The subject is certain this far inside the mask's outline, except where the plate shows gaps. "
        "auto follows the mask's quality.",
        within=Range(0, 500, _PIXELS),
        engines=_CLASSIC,
    )
    trimap_dilate: Optional[float] = setting(
        None,
        "The background is certain this far outside the mask's outline, except where the plate shows strands. "
        "A region of interest that is found reaches at least as far. auto follows the mask's quality.",
        within=Range(0, 500, _PIXELS),
    )
    mode: str = setting(
        "production", "reference is the published inference to the letter.", choices=MODES, engines=_MODEL
    )
    canvas: str = setting(
        "auto", "Size that the model works at: auto, or WIDTHxHEIGHT in pixels such as 1024x576.", engines=_MODEL
    )
    seed: int = setting(
        42, "Random seed. Change it for a different result.", within=Range(0, 2**63 - 1), engines=_MODEL
    )
    feedback: int = setting(
        0,
        "Times that the model runs again with its own alpha in place of the mask.",
        within=Range(0, 4),
        engines=_MODEL,
    )
    weights: str = setting(
        "",
        "Folder of the model's weights, as the server sees it. Empty takes the server's own.",
        engines=_MODEL,
        in_key=False,
    )

    engine_options: tuple[EngineOption, ...] = ()

    def check(self) -> None:
        """Raise `BadInput` for a value that cannot be used; of `engine_options` only the engine knows that."""
        for spec in specs_of(MatteSettings):
            check(spec, getattr(self, spec.name), spec.option)
        parse_colours(self.mask_colour)
        if not _CANVAS.fullmatch(self.canvas):
            raise BadInput(
                f"--canvas {self.canvas!r} is not a valid size", "Write auto, or WIDTHxHEIGHT such as 1024x576."
            )

    def plain(self) -> dict[str, Any]:
        """Return all values by name, as JSON can hold them.

        `engine_options` is there only where there are some: what was written before there were any stays the same.
        """
        plain = {spec.name: getattr(self, spec.name) for spec in specs_of(MatteSettings)}
        if self.engine_options:
            plain["engine_options"] = {option.name: option.value for option in self.engine_options}
        return plain

    def key_fields(self) -> dict[str, Any]:
        """Return the values that are part of the key of a cache entry, by name.

        Which file channels were read is in the digests of what was read; what the weights are, in the fingerprint
        of the engine; how good the mask is, in the three numbers that followed.
        """
        beside = {known.name for known in settings_in(self) if not known.metadata["in_key"]}
        return {name: value for name, value in self.plain().items() if name not in beside}

    def options_of(self, specs: Iterable[SettingSpec]) -> dict[str, Optional[Value]]:
        """Return the value of each of an engine's own options by name: what was asked for, else its default."""
        return values(specs, self.engine_options)


Resolved = NewType("Resolved", MatteSettings)
"""Settings of one job in which an engine has decided all that was left open: nothing in them is `auto` or None.

Only an engine's `resolve` makes them, so that raw ones never get into a computation or a key.
"""


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
