"""The few transfer curves the stand-in knows; whatever else a script asks for is an error and never a guess."""

from __future__ import annotations

import numpy as np

from nuke_standin.pixels.picture import PictureError, Plane

LINEAR = ("linear", "scene_linear", "raw", "data", "none")


def curve(node: str, colorspace: str, is_float: bool) -> str:
    """`linear`, `srgb` or `rec709` for the value of a `colorspace` knob and the kind of file.

    Nuke's own colour management: `default` is linear for float files and sRGB for files of 8 and 16 bits. With a config
    of OCIO the default of integer files is the config's, which is not known here.
    """
    word = colorspace.strip()
    if word == "default OCIO" and is_float:
        return "linear"
    if word.startswith("default"):
        word = word[len("default") :].strip(" ()") or ("linear" if is_float else "sRGB")
    if word.lower() in LINEAR:
        return "linear"
    if word.lower() in ("srgb", "rec709"):
        return word.lower()
    raise PictureError(f"{node}: the stand-in does not know the colour space {colorspace!r}: use raw, or linear")


def decode(plane: Plane, name: str) -> Plane:
    """Stored values to linear light."""
    if name == "srgb":
        return np.where(plane <= 0.04045, plane / 12.92, ((np.maximum(plane, 0) + 0.055) / 1.055) ** 2.4)
    if name == "rec709":
        return np.where(plane < 0.081, plane / 4.5, ((np.maximum(plane, 0) + 0.099) / 1.099) ** (1 / 0.45))
    return plane


def encode(plane: Plane, name: str) -> Plane:
    """Linear light to stored values."""
    if name == "srgb":
        return np.where(plane <= 0.0031308, plane * 12.92, 1.055 * np.maximum(plane, 0) ** (1 / 2.4) - 0.055)
    if name == "rec709":
        return np.where(plane < 0.018, plane * 4.5, 1.099 * np.maximum(plane, 0) ** 0.45 - 0.099)
    return plane
