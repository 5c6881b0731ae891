"""What each engine of this project can be told beside `MatteSettings`, known here so that hosts import no engine.

An engine of another package reports its own settings through the server; see `messages.EngineState`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Optional, TypeVar

from videomama_client.errors import BadInput
from videomama_client.setting_spec import Range, SettingSpec, setting, specs_of

if TYPE_CHECKING:
    from videomama_client.settings import MatteSettings

AUTO = "auto"
AUTO_MEANS = ("videomama", "classic")
"""The engines that `auto` may take, the preferred one first; the last runs on any machine."""
QUALITIES = ("high", "fast")
MODES = ("production", "reference")
NOISES = ("host", "device")
MASK_QUALITIES = ("auto", "exact", "good", "fair", "rough")
MASK_THRESHOLD = 0.5
LONGEST_RADIUS = 8  # frames
PIXELS = "pixels of a plate 1920 wide"
_CANVAS = re.compile(r"auto|[1-9]\d{0,4}x[1-9]\d{0,4}")
Own = TypeVar("Own", bound="EngineSettings")


@dataclass(frozen=True)
class EngineSettings:
    """The settings that one engine has of its own: none, unless a subclass adds fields made by `setting`.

    Example:
        >>> from videomama_client.settings import MatteSettings
        >>> ClassicSettings.of(MatteSettings.of(engine="classic", mask_slack=3.0)).mask_slack
        3.0
    """

    @classmethod
    def of(cls: type[Own], settings: MatteSettings) -> Own:
        """Return this engine's part of a job's settings: what was asked for, else the defaults."""
        values: dict[str, Any] = settings.options_of(specs_of(cls))
        return cls(**values)

    def check(self) -> None:
        """Raise `BadInput` for a value within its bounds that can still not be used."""


@dataclass(frozen=True)
class MattingSettings(EngineSettings):
    """What `classic` and `videomama` both have."""

    quality: str = setting("high", "fast is rougher and quicker.", choices=QUALITIES)
    mask_threshold: float = setting(
        MASK_THRESHOLD, "Value of the mask from which a pixel counts as subject.", within=Range(0.001, 1)
    )


@dataclass(frozen=True)
class OutlineSettings(EngineSettings):
    """What an engine has that moves the outline of the mask; `mask_presets` says what the names of quality stand for.

    The pipeline decides the three numbers for an engine that has all four settings, and leaves nothing open.
    """

    mask_quality: str = setting(
        "auto",
        "How good the mask is: exact (roto to the pixel), good (SAM, a tracker, a key), fair (some ten pixels off), "
        "rough (a shape). auto asks the plate and says what it found. It decides the next three where they are auto.",
        choices=MASK_QUALITIES,
    )
    mask_slack: Optional[float] = setting(
        None,
        "How far the mask's outline may move to where the colours of the plate say it belongs. "
        "0 keeps it. auto follows the mask's quality.",
        within=Range(0, 200, PIXELS),
    )
    trimap_erode: Optional[float] = setting(
        None,
        "The subject is certain this far inside the mask's outline, except where the plate shows gaps. "
        "auto follows the mask's quality.",
        within=Range(0, 500, PIXELS),
    )
    trimap_dilate: Optional[float] = setting(
        None,
        "The background is certain this far outside the mask's outline, except where the plate shows strands. "
        "A region of interest that is found reaches at least as far. auto follows the mask's quality.",
        within=Range(0, 500, PIXELS),
    )


@dataclass(frozen=True)
class ClassicSettings(OutlineSettings, MattingSettings):
    """The settings of the engine `classic`."""


@dataclass(frozen=True)
class VideoMaMaSettings(MattingSettings):
    """The settings of the engine `videomama`."""

    soft_mask: bool = setting(
        False, "Give the mask's grey values to the model instead of cutting them at the threshold."
    )
    mode: str = setting("production", "reference is the published inference to the letter.", choices=MODES)
    canvas: str = setting("auto", "Size that the model works at: auto, or WIDTHxHEIGHT in pixels such as 1024x576.")
    seed: int = setting(42, "Random seed. Change it for a different result.", within=Range(0, 2**63 - 1))
    feedback: int = setting(
        0, "Times that the model runs again with its own alpha in place of the mask.", within=Range(0, 4)
    )
    noise: str = setting(
        "host",
        "Where the reference mode draws its noise. host is the same for every device. device is the published draw, "
        "in fp16 on the device, which differs between devices.",
        choices=NOISES,
    )
    weights: str = setting("", "Folder of the model's weights, as the server sees it. Empty takes the server's own.")

    def check(self) -> None:
        """Raise `BadInput` for a canvas that is not a size."""
        if not _CANVAS.fullmatch(self.canvas):
            raise BadInput(
                f"--canvas {self.canvas!r} is not a valid size", "Write auto, or WIDTHxHEIGHT such as 1024x576."
            )


@dataclass(frozen=True)
class AdjustSettings(EngineSettings):
    """The settings of the engine `adjust`, in the order in which it applies them. At the defaults nothing changes."""

    grow: float = setting(
        0.0,
        "Grow the alpha, or shrink it where negative. Fractions of a pixel count, and soft edges stay soft.",
        within=Range(-100, 100, PIXELS),
    )
    feather: float = setting(
        0.0, "Blur the alpha with a Gaussian of this standard deviation.", within=Range(0, 50, PIXELS)
    )
    offset_x: float = setting(
        0.0, "Move the alpha to the right, or to the left where negative.", within=Range(-500, 500, PIXELS)
    )
    offset_y: float = setting(0.0, "Move the alpha down, or up where negative.", within=Range(-500, 500, PIXELS))
    black: float = setting(0.0, "Black point. This alpha and all below becomes 0.", within=Range(0, 0.999))
    white: float = setting(1.0, "White point. This alpha and all above becomes 1.", within=Range(0.001, 1))
    despeckle: float = setting(
        0.0,
        "Remove islands and fill holes whose area is smaller than this. "
        "What touches the subject's soft edge or the picture's rim stays.",
        within=Range(0, 100_000, f"square {PIXELS}"),
    )
    deflicker: float = setting(
        0.0,
        "Steady the alpha over time along the motion of the plate. 0 is off, 1 takes the average of the neighbours.",
        within=Range(0, 1),
    )
    deflicker_radius: int = setting(
        2, "How many frames on each side deflicker looks at.", within=Range(1, LONGEST_RADIUS, "frames")
    )

    def check(self) -> None:
        """Raise `BadInput` for options that contradict each other."""
        if self.white <= self.black:
            raise BadInput(
                f"engine adjust: the white point {self.white:g} must be above the black point {self.black:g}",
                "Raise white, or lower black.",
            )


RECORDS: Mapping[str, type[EngineSettings]] = {
    "videomama": VideoMaMaSettings,
    "classic": ClassicSettings,
    "adjust": AdjustSettings,
    "passthrough": EngineSettings,
}
"""The engines of this project with their records."""


def records_of(engine: str) -> tuple[type[EngineSettings], ...]:
    """Return the records that a job for an engine may be read by: several for `auto`, none for another package's."""
    names = AUTO_MEANS if engine == AUTO else (engine,)
    return tuple(RECORDS[name] for name in names if name in RECORDS)


def own_specs() -> dict[str, SettingSpec]:
    """Return what is known of the settings that only some engines of this project have, by name.

    Two engines give one name the same meaning.
    """
    return {spec.name: spec for record in RECORDS.values() for spec in specs_of(record)}


def engines_with(name: str) -> tuple[str, ...]:
    """Return the engines of this project that have a setting of that name."""
    return tuple(engine for engine, record in RECORDS.items() if any(spec.name == name for spec in specs_of(record)))


def explanation(spec: SettingSpec) -> str:
    """Return help, unit and engines of a setting, as Nuke shows them; engines only where not all have it."""
    engines = engines_with(spec.name)
    if not engines:
        return spec.explanation
    return f"{spec.explanation} {'Engine' if len(engines) == 1 else 'Engines'}: {', '.join(engines)}."
