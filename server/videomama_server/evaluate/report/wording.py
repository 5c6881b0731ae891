"""What the measures are called on a report, in which units, with how many decimals, and what they mean."""

from __future__ import annotations

from dataclasses import dataclass

from videomama_server.metrics import KERNEL

_DEPTH = "the mask's outline (of a plate 854 wide, in proportion otherwise)"


@dataclass(frozen=True)
class Label:
    """How a measure is shown: its name, its scale, its decimals, a sentence about it; whether it tells an error."""

    name: str
    scale: str
    decimals: int
    meaning: str
    is_error: bool = True

    def text(self, value: float | None) -> str:
        """Return a figure as it is shown; a dash for none."""
        return shown(value, self.decimals)


LABELS = {
    "mad": Label("MAD", "x1e3", 2, "Mean absolute error."),
    "mse": Label("MSE", "x1e3", 2, "Mean squared error."),
    "grad": Label("GRAD", "/1e3", 2, "Squared difference of the gradients, a sum: it grows with the picture."),
    "conn": Label("CONN", "/1e3", 2, "Difference of connectedness, a sum; not taken above 1920x1080 unless asked for."),
    "dtssd": Label("dtSSD", "x1e2", 2, "Root mean square of the wrong change since the frame before."),
    "mad_t": Label(
        "MAD-T", "x1e3", 1, f"MAD where the truth is soft within {KERNEL} pixels. Our definition: none is published."
    ),
    "messddt": Label("MESSDdt", "x1e4", 1, "Change of the squared error along the truth's motion."),
    "flicker": Label(
        "flicker", "x1e3", 2, "Change of the alpha along the plate's motion. No truth is used; it has some too.", False
    ),
    "jf": Label("J&F", "", 3, "Mean of J and F; higher is better.", False),
    "j": Label("J", "", 3, "Intersection over union at one half; higher is better.", False),
    "f": Label("F", "", 3, "Agreement of the outlines at one half; higher is better.", False),
    "foreground_mad": Label(
        "F MAD", "x1e3", 1, "Mean absolute error of the foreground's colour in linear light; masks: the plate's own."
    ),
    "foreground_mse": Label("F MSE", "x1e3", 1, "Its mean squared error."),
    "inside_90": Label("inside < 0.9", "%", 2, f"Pixels at least 3 px inside {_DEPTH} with alpha below 0.9."),
    "inside_50": Label("inside < 0.5", "%", 2, "Of the same pixels, those with alpha below 0.5."),
    "deep_90": Label("deep < 0.9", "%", 2, f"Pixels at least 6 px inside {_DEPTH} with alpha below 0.9."),
    "deep_50": Label("deep < 0.5", "%", 2, "Of the same pixels, those with alpha below 0.5."),
    "haze": Label("haze", "px", 0, f"Pixels more than 6 px outside {_DEPTH} with alpha above 0.02; a count."),
    "chatter": Label("chatter", "x1e3", 2, "Mean change since the frame before, at least 3 px inside both masks."),
}


def shown(value: float | None, decimals: int = 2) -> str:
    """Return a figure with fixed decimals; a dash for none."""
    return "-" if value is None else f"{value:.{decimals}f}"
