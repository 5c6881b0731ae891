"""What the names of a trimap's width stand for: two thresholds of alpha, and two distances from its outline."""

from __future__ import annotations

from dataclasses import dataclass

from videomama_client.engine_settings import TrimapSettings
from videomama_client.settings import MatteSettings


@dataclass(frozen=True)
class TrimapNumbers:
    """The four numbers of a trimap; see `TrimapSettings`.

    Attributes:
        foreground, background: alphas, 0..1.
        inside, outside: pixels of a plate 1920 wide.
    """

    foreground: float
    background: float
    inside: float
    outside: float


PRESETS = {
    "balanced": TrimapNumbers(0.90, 0.10, 8.0, 12.0),
    "wide": TrimapNumbers(0.94, 0.06, 12.0, 18.0),
    "wider": TrimapNumbers(0.97, 0.03, 16.0, 24.0),
    "maximum": TrimapNumbers(0.99, 0.01, 24.0, 36.0),
}


def numbers_of(settings: TrimapSettings) -> TrimapNumbers:
    """Return the numbers of some settings: those that are given, else those of the preset.

    Example:
        >>> numbers_of(TrimapSettings(trimap_preset="wide", trimap_inside=3.0))
        TrimapNumbers(foreground=0.94, background=0.06, inside=3.0, outside=18.0)
    """
    preset = PRESETS[settings.trimap_preset]
    above, below = settings.trimap_foreground, settings.trimap_background
    inside, outside = settings.trimap_inside, settings.trimap_outside
    return TrimapNumbers(
        preset.foreground if above is None else above,
        preset.background if below is None else below,
        preset.inside if inside is None else inside,
        preset.outside if outside is None else outside,
    )


def with_numbers(settings: MatteSettings) -> MatteSettings:
    """Return a job's settings with all four numbers and without the preset, so that equal numbers are equal settings.

    A number that the mode does not look at is left out.
    """
    own = TrimapSettings.of(settings)
    numbers = numbers_of(own)
    looks_at_alpha, looks_at_distance = own.trimap_mode != "distance", own.trimap_mode != "probability"
    return settings.with_options(
        trimap_preset=None,
        trimap_foreground=numbers.foreground if looks_at_alpha else None,
        trimap_background=numbers.background if looks_at_alpha else None,
        trimap_inside=numbers.inside if looks_at_distance else None,
        trimap_outside=numbers.outside if looks_at_distance else None,
    )
