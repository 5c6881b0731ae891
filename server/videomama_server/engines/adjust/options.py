"""The options of the engine `adjust`, in the order in which they are applied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from videomama_client.errors import BadInput
from videomama_client.setting_spec import Range, setting, specs_of
from videomama_client.settings import MatteSettings

LONGEST_RADIUS = 8  # frames
_PIXELS = "pixels of a plate 1920 wide"


@dataclass(frozen=True)
class AdjustOptions:
    """What is done to an alpha. At the defaults nothing is, and the alpha keeps its bits."""

    grow: float = setting(
        0.0,
        "Grow the alpha, or shrink it where negative. Fractions of a pixel count, and soft edges stay soft.",
        within=Range(-100, 100, _PIXELS),
    )
    feather: float = setting(
        0.0, "Blur the alpha with a Gaussian of this standard deviation.", within=Range(0, 50, _PIXELS)
    )
    offset_x: float = setting(
        0.0, "Move the alpha to the right, or to the left where negative.", within=Range(-500, 500, _PIXELS)
    )
    offset_y: float = setting(0.0, "Move the alpha down, or up where negative.", within=Range(-500, 500, _PIXELS))
    black: float = setting(0.0, "Black point. This alpha and all below becomes 0.", within=Range(0, 0.999))
    white: float = setting(1.0, "White point. This alpha and all above becomes 1.", within=Range(0.001, 1))
    despeckle: float = setting(
        0.0,
        "Remove islands and fill holes whose area is smaller than this. "
        "What touches the subject's soft edge or the picture's rim stays.",
        within=Range(0, 100_000, f"square {_PIXELS}"),
    )
    deflicker: float = setting(
        0.0,
        "Steady the alpha over time along the motion of the plate. 0 is off, 1 takes the average of the neighbours.",
        within=Range(0, 1),
    )
    deflicker_radius: int = setting(
        2, "How many frames on each side deflicker looks at.", within=Range(1, LONGEST_RADIUS, "frames")
    )

    @classmethod
    def of(cls, settings: MatteSettings) -> AdjustOptions:
        """Return the options that settings hold."""
        return cls(**cast("dict[str, Any]", settings.options_of(specs_of(AdjustOptions))))

    def check(self) -> None:
        """Raise `BadInput` for options that contradict each other."""
        if self.white <= self.black:
            raise BadInput(
                f"engine adjust: the white point {self.white:g} must be above the black point {self.black:g}",
                "Raise white, or lower black.",
            )
