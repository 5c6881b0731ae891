"""What the names of a mask's quality stand for: how far its outline may move, and how wide the band around it is."""

from __future__ import annotations

from dataclasses import dataclass, replace

from videomama_client.engine_settings import OutlineSettings
from videomama_client.settings import MatteSettings

EXACT, GOOD, FAIR, ROUGH = "exact", "good", "fair", "rough"


@dataclass(frozen=True)
class Outline:
    """The three settings around a mask's outline, in pixels of a plate 1920 wide; see `OutlineSettings`."""

    mask_slack: float
    trimap_erode: float
    trimap_dilate: float


PRESETS = {
    EXACT: Outline(0.0, 4.0, 12.0),
    GOOD: Outline(8.0, 8.0, 20.0),
    FAIR: Outline(16.0, 8.0, 28.0),
    ROUGH: Outline(32.0, 10.0, 40.0),
}


def outline_of(settings: OutlineSettings) -> Outline:
    """Return the three numbers of some settings: those that are given, else those of the preset that is named.

    Example:
        >>> outline_of(OutlineSettings(mask_quality="exact", trimap_dilate=20))
        Outline(mask_slack=0.0, trimap_erode=4.0, trimap_dilate=20)

    Where nobody looked at the plate yet, `auto` stands for `rough`.
    """
    preset = PRESETS.get(settings.mask_quality, PRESETS[ROUGH])
    slack, erode, dilate = settings.mask_slack, settings.trimap_erode, settings.trimap_dilate
    return Outline(
        preset.mask_slack if slack is None else slack,
        preset.trimap_erode if erode is None else erode,
        preset.trimap_dilate if dilate is None else dilate,
    )


def is_open(settings: OutlineSettings) -> bool:
    """Whether a number is left to the plate: none is given for it, and no preset is named."""
    given = (settings.mask_slack, settings.trimap_erode, settings.trimap_dilate)
    return settings.mask_quality == "auto" and None in given


def with_outline(settings: MatteSettings, quality: str) -> MatteSettings:
    """Return a job's settings with all three numbers: those that are given, else those of the preset `quality`.

    No preset is named in them any more, so that equal numbers are equal settings.
    """
    numbers = outline_of(replace(OutlineSettings.of(settings), mask_quality=quality))
    return settings.with_options(mask_quality=None, **vars(numbers))
