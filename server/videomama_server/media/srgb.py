"""Takes display-referred colour to linear light, in which a lens mixes foreground and background, and back."""

from __future__ import annotations

import numpy as np

from videomama_server.arrays import FloatArray


def to_light(display: FloatArray) -> FloatArray:
    """Decode the sRGB curve (IEC 61966-2-1); any shape, 0..1."""
    return np.where(display <= 0.04045, display / 12.92, ((display + 0.055) / 1.055) ** 2.4).astype(np.float32)


def to_display(light: FloatArray) -> FloatArray:
    """Encode with the sRGB curve; any shape, 0..1."""
    bright = 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055
    return np.where(light <= 0.0031308, light * 12.92, bright).astype(np.float32)
