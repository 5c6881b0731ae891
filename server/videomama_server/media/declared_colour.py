"""Reads what a picture file's header says of its colours, in names that OpenColorIO may know."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

LINEAR = "lin_rec709"  # what undeclared float pixels are taken for
DISPLAY = "srgb_tx"  # what undeclared whole numbers are taken for
CINEON = "Cineon"  # Kodak's printing density curve
REC709_WEIGHTS = (0.2126, 0.7152, 0.0722)

Ask = Callable[[str], Any]  # the value of a header attribute, or None
Weights = tuple[float, float, float]


@dataclass(frozen=True)
class Declared:
    """What a file says of its colours.

    Attributes:
        words: for people; empty where the file says nothing.
        names: colour spaces that mean the same, best first.
    """

    words: str = ""
    names: tuple[str, ...] = ()


UNDECLARED = Declared()

# Red, green and blue, x and y each, and the linear colour space that has them. White is not compared: files round it.
_PRIMARIES: dict[str, tuple[float, ...]] = {
    LINEAR: (0.64, 0.33, 0.30, 0.60, 0.15, 0.06),
    "ACES2065-1": (0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.077),
    "ACEScg": (0.713, 0.293, 0.165, 0.830, 0.128, 0.044),
    "Linear P3-D65": (0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
    "Linear Rec.2020": (0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    "Linear ARRI Wide Gamut 3": (0.684, 0.313, 0.221, 0.848, 0.0861, -0.102),
    "Linear ARRI Wide Gamut 4": (0.7347, 0.2653, 0.1424, 0.8576, 0.0991, -0.0308),
    "Linear REDWideGamutRGB": (0.780308, 0.304253, 0.121595, 1.493994, 0.095612, -0.084589),
    "Linear S-Gamut3": (0.73, 0.28, 0.14, 0.855, 0.1, -0.05),
    "Linear S-Gamut3.Cine": (0.766, 0.275, 0.225, 0.8, 0.089, -0.087),
    "Linear V-Gamut": (0.73, 0.28, 0.165, 0.84, 0.1, -0.03),
    "Linear CinemaGamut D55": (0.74, 0.27, 0.17, 1.14, 0.08, -0.1),
    "Linear BMD WideGamut Gen5": (0.7177215, 0.3171181, 0.228041, 0.861569, 0.1005841, -0.0820452),
    "Linear DaVinci WideGamut": (0.8, 0.313, 0.1682, 0.9877, 0.079, -0.1155),
}
INTEROP_IDS = {  # of scene-linear spaces, by the names that are used here; source: the Color Interop Forum
    LINEAR: "lin_rec709_scene",
    "Linear Rec.709 (sRGB)": "lin_rec709_scene",
    "ACEScg": "lin_ap1_scene",
    "ACES2065-1": "lin_ap0_scene",
    "Linear P3-D65": "lin_p3d65_scene",
    "Linear Rec.2020": "lin_rec2020_scene",
}
_CLOSE = 0.002
_MOST_LETTERS = 80  # of a name that goes into a message
_D65, _D60 = (0.3127, 0.3290), (0.32168, 0.33767)
_WHITES = {"Linear P3-D65": _D65, "ACEScg": _D60, "ACES2065-1": _D60}  # spaces whose primaries others share
_TRANSFERS = {
    "Logarithmic": Declared("logarithmic (Cineon)", (CINEON,)),
    "Printing density": Declared("printing density (Cineon)", (CINEON,)),
    "Linear": Declared("linear", (LINEAR,)),
    "SMPTE 274M": Declared("SMPTE 274M video", ("Camera Rec.709",)),
    "ITU-R 709-4": Declared("Rec.709 video", ("Camera Rec.709",)),
}
_SAYS_NOTHING = frozenset({"", "Undefined", "User defined", "Unspecified video"})
_GAMMAS = {1.0: LINEAR, 1.8: "g18_rec709", 2.2: "g22_rec709", 2.4: "g24_rec709"}
_INTEROP = {"srgb_rec709": DISPLAY, "srgb": DISPLAY, "lin_rec709": LINEAR, "lin_srgb": LINEAR, "linear": LINEAR}
_PROFILES = (  # parts of an ICC profile's description, in lower case; the first that fits counts
    (re.compile(r"linear.*(srgb|709)|(srgb|709).*linear"), LINEAR),
    (re.compile(r"\bsrgb"), DISPLAY),
    (re.compile(r"\bdisplay ?p3\b"), "srgb_p3d65"),
    (re.compile(r"\bacescg\b"), "ACEScg"),
    (re.compile(r"\baces ?2065"), "ACES2065-1"),
    (re.compile(r"\b(rec\.? ?709|bt\.? ?709)"), "g24_rec709"),
)


def read(suffix: str, ask: Ask) -> Declared:
    """Return what a header says of its colours.

    Args:
        suffix: of the file's name, such as `.exr`.
        ask: gives the header's attributes by OpenImageIO's names.
    """
    suffix = suffix.lower()
    if suffix == ".dpx":
        return _of_dpx(ask)
    if suffix in (".exr", ".sxr"):
        return _of_exr(ask)
    return _of_plain(ask)


def luminance_weights(ask: Ask) -> Weights:
    """Return how much red, green and blue weigh in the luminance of an EXR file, as OpenEXR computes it.

    Source: OpenEXR, ImfRgbaYca.cpp, `computeYw`: the middle row of the matrix from RGB to XYZ.
    """
    values = _chromaticities(ask)
    if values is None:
        return REC709_WEIGHTS
    red, green, blue, white = (_xyz(*values[start : start + 2]) for start in (0, 2, 4, 6))
    whole = _determinant(red, green, blue)
    if abs(whole) < 1e-6:
        return REC709_WEIGHTS
    found = (
        _determinant(white, green, blue) / whole,
        _determinant(red, white, blue) / whole,
        _determinant(red, green, white) / whole,
    )
    return found if min(found) > 1e-3 else REC709_WEIGHTS


def text_of(value: Any) -> str:
    """Return an attribute's text; empty for anything else: a damaged header may hold any type under any name."""
    return value if isinstance(value, str) else ""


def _number(value: Any) -> float:
    """Return an attribute's number; 0 for anything else, and for what is not finite."""
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else 0.0


def _of_dpx(ask: Ask) -> Declared:
    transfer = text_of(ask("dpx:Transfer"))
    if transfer in _TRANSFERS:
        return _TRANSFERS[transfer]
    gamma = _number(ask("oiio:Gamma"))
    if gamma:
        return _of_gamma(gamma)
    return UNDECLARED if transfer in _SAYS_NOTHING else Declared(repr(transfer[:_MOST_LETTERS]))


def _of_exr(ask: Ask) -> Declared:
    named = _of_name(text_of(ask("colorInteropID")) or text_of(ask("oiio:ColorSpace")))
    if named.words:
        return named
    values = _chromaticities(ask)
    if values is None:
        return Declared("ACES", ("ACES2065-1",)) if _number(ask("acesImageContainerFlag")) == 1 else UNDECLARED
    for name, primaries in _PRIMARIES.items():
        if _near(values[:6], primaries) and _near(values[6:], _WHITES.get(name, values[6:])):
            return UNDECLARED if name == LINEAR else Declared(f"the primaries of {name}", (name,))
    listed = ", ".join(f"{value:.4g}" for value in values[:6])
    return Declared(f"primaries at {listed}")


def _of_plain(ask: Ask) -> Declared:
    """Read PNG, TIFF and JPEG: what is more exact counts."""
    if ask("CICP") is None:
        profile = text_of(ask("ICCProfile:profile_description"))
        if profile:
            return _of_profile(profile)
        if ask("ICCProfile") is not None:
            return Declared("an ICC profile without a name")
    gamma = _number(ask("oiio:Gamma")) or _number(ask("Exif:Gamma"))
    if gamma:
        return _of_gamma(gamma)
    if _number(ask("Exif:ColorSpace")) == 2:
        return Declared("Adobe RGB", ("Adobe RGB", "g22_adobergb"))
    return _of_name(text_of(ask("oiio:ColorSpace")))


def _of_profile(description: str) -> Declared:
    words = f"the ICC profile {description[:_MOST_LETTERS]!r}"
    for pattern, name in _PROFILES:
        if pattern.search(description.lower()):
            return Declared(words, (name,))
    return Declared(words, (description,))


def _of_gamma(gamma: float) -> Declared:
    near = [name for known, name in _GAMMAS.items() if abs(gamma - known) <= 0.02]
    return Declared(f"gamma {gamma:.3g}", tuple(near))


def _of_name(name: str) -> Declared:
    """Read the name of a colour space as the Color Interop Forum or a config writes it."""
    if name.lower() in ("", "unknown", "data", "raw"):
        return UNDECLARED
    short = re.sub(r"_(scene|display)$", "", name)
    known = _INTEROP.get(short.lower())
    return Declared(repr(name[:_MOST_LETTERS]), (known,) if known else (name, short))


def _chromaticities(ask: Ask) -> tuple[float, ...] | None:
    values = ask("chromaticities")
    if not isinstance(values, tuple) or len(values) != 8:
        return None
    numbers = tuple(_number(value) for value in values)
    return numbers if any(numbers) and all(abs(number) < 10 for number in numbers) else None


def _xyz(x: float, y: float) -> tuple[float, float, float]:
    """Return a colour of luminance 1 by its chromaticity."""
    return (x / y, 1.0, (1 - x - y) / y) if y else (0.0, 1.0, 0.0)


def _near(values: Sequence[float], wanted: Sequence[float]) -> bool:
    return all(abs(value - other) <= _CLOSE for value, other in zip(values, wanted, strict=True))


def _determinant(a: Sequence[float], b: Sequence[float], c: Sequence[float]) -> float:
    return a[0] * (b[1] * c[2] - b[2] * c[1]) - b[0] * (a[1] * c[2] - a[2] * c[1]) + c[0] * (a[1] * b[2] - a[2] * b[1])
