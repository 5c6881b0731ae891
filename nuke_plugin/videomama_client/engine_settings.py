"""The settings that each engine of this project has beside `MatteSettings`, kept here so that hosts import no engine.

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
AUTO_ON_SMALL_CARDS = "sam2matte"
"""The engine that `auto` takes before these as the first stage of a job with masks, where it runs well."""
QUALITIES = ("high", "fast")
MODES = ("production", "reference")
NOISES = ("host", "device")
GUIDANCES = ("first", "every")
MASK_QUALITIES = ("auto", "exact", "good", "fair", "rough")
ALPHA, TRIMAP = "alpha", "trimap"
SMALL, BASE = "small", "base"
TILE_STEP = 32  # pixels
TRIMAP_MODES = ("both", "distance", "probability")
TRIMAP_PRESETS = ("balanced", "wide", "wider", "maximum")
MASK_THRESHOLD = 0.5
LONGEST_RADIUS = 8  # frames
PIXELS = "pixels of a plate 1920 wide"
WEIGHTS_HELP = "Folder of the model's weights, as the server sees it. Empty takes the server's own."
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
    """The settings that `classic` and `videomama` share."""

    quality: str = setting("high", "fast gives a rougher alpha in less time.", choices=QUALITIES)
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
        "rough (a shape). auto asks the plate and says what it found. It sets the slack and both trimap distances "
        "where those are auto.",
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
class TrimapSettings(EngineSettings):
    """What an edge refiner has that decides its trimap; `trimap_presets` says what the names stand for."""

    trimap_mode: str = setting(
        "both",
        "What makes a pixel unknown. distance: it lies near the alpha's outline. probability: its alpha lies between "
        "the two thresholds. both: either of them.",
        choices=TRIMAP_MODES,
    )
    trimap_preset: str = setting(
        "balanced",
        "How wide the unknown band is: .90/.10, .94/.06, .97/.03 or .99/.01, each with wider distances. "
        "It decides the next four where they are auto.",
        choices=TRIMAP_PRESETS,
    )
    trimap_foreground: Optional[float] = setting(
        None,
        "This alpha and all above is certain subject. auto follows the preset.",
        within=Range(0.5, 1),
    )
    trimap_background: Optional[float] = setting(
        None,
        "This alpha and all below is certain background. auto follows the preset.",
        within=Range(0, 0.5),
    )
    trimap_inside: Optional[float] = setting(
        None,
        "The subject is certain this far inside the alpha's outline. auto follows the preset.",
        within=Range(0, 200, PIXELS),
    )
    trimap_outside: Optional[float] = setting(
        None,
        "The background is certain this far outside the alpha's outline. auto follows the preset.",
        within=Range(0, 200, PIXELS),
    )
    trimap_widen: float = setting(
        16.0,
        "How much further the unknown band may reach where the alpha is soft or the plate busy along the edge. "
        "0 never widens it.",
        within=Range(0, 200, PIXELS),
    )

    def check(self) -> None:
        """Raise `BadInput` for thresholds that leave nothing between them."""
        above, below = self.trimap_foreground, self.trimap_background
        if above is not None and below is not None and above <= below:
            raise BadInput(
                f"--trimap-foreground {above:g} must be above --trimap-background {below:g}",
                "Raise the first, or lower the second.",
            )


@dataclass(frozen=True)
class EdgeSettings(TrimapSettings):
    """The settings that all edge refiners share."""

    show: str = setting(
        ALPHA,
        "trimap returns the trimap in place of the alpha, to tune it by eye: 0 is background, 0.5 unknown, 1 subject. "
        "Nothing is refined then, and it takes a fraction of a second a frame.",
        choices=(ALPHA, TRIMAP),
    )
    steady: float = setting(
        1.0,
        "Steady the refined edge over time along the motion of the plate. 0 leaves each frame as the network made it.",
        within=Range(0, 1),
    )
    tile: Optional[int] = setting(
        None,
        "Side of the tiles that the network sees, a multiple of 32. auto takes the largest that fits in memory.",
        within=Range(384, 2048, "pixels"),
    )
    reuse: float = setting(
        0.0,
        "Take over the edge of an earlier frame where neither the alpha nor the plate changed by more than this. "
        "0 is off. The result says how many frames were reused, and how far they may be off.",
        within=Range(0, 0.1),
    )

    def check(self) -> None:
        """Raise `BadInput` for numbers that contradict each other, or a tile that is not of whole steps."""
        super().check()
        if self.tile is not None and self.tile % TILE_STEP:
            raise BadInput(
                f"--tile {self.tile} is not a multiple of {TILE_STEP}",
                f"Choose {self.tile // TILE_STEP * TILE_STEP}, for example.",
            )


@dataclass(frozen=True)
class ViTMatteSettings(EdgeSettings):
    """The settings of the engine `vitmatte`."""

    model: str = setting(SMALL, "Which of the published networks. base is larger and slower.", choices=(SMALL, BASE))
    weights: str = setting("", WEIGHTS_HELP)


@dataclass(frozen=True)
class MEMatteSettings(EdgeSettings):
    """The settings of the engine `mematte`."""

    weights: str = setting("", WEIGHTS_HELP)


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
        0, "How often the model runs again, with its own alpha in place of the mask.", within=Range(0, 4)
    )
    noise: str = setting(
        "host",
        "Where the reference mode draws its noise. host is the same for every device. device is the published draw, "
        "in fp16 on the device, which differs between devices.",
        choices=NOISES,
    )
    weights: str = setting("", WEIGHTS_HELP)

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


@dataclass(frozen=True)
class TrackingSettings(EngineSettings):
    """What the engines have that follow a subject through the clip from prompts: `sam2`, `sam3`."""

    absent: str = setting(
        "", "Frames in which the subject is not in the picture, such as 1010-1020. Its mask is 0 there."
    )
    reanchor: bool = setting(
        False,
        "Where the mask changes suddenly, use the frame before as a prompt, and follow the subject again from there. "
        "This happens at most twice between two prompts.",
    )
    weights: str = setting("", "Folder of the model's weights, as the server sees it. Empty takes the server's own.")


@dataclass(frozen=True)
class SamMatteSettings(EngineSettings):
    """The settings of the engine `sam2matte`."""

    guidance: str = setting(
        "first",
        "Which masks guide it where there are no prompts. first follows the clip's first mask that is not empty. "
        "every takes each frame's own.",
        choices=GUIDANCES,
    )
    weights: str = setting("", "Folder of the model's weights, as the server sees it. Empty takes the server's own.")


RECORDS: Mapping[str, type[EngineSettings]] = {
    "videomama": VideoMaMaSettings,
    "classic": ClassicSettings,
    "vitmatte": ViTMatteSettings,
    "mematte": MEMatteSettings,
    "adjust": AdjustSettings,
    "passthrough": EngineSettings,
    "held": EngineSettings,
    "sam2": TrackingSettings,
    "sam3": TrackingSettings,
    "sam2matte": SamMatteSettings,
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
