"""What a camera does to a composite: blur of motion and focus, grain, and the compression of its file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from videomama_server.arrays import FloatArray

_DEFOCUS = (0.004, 0.02)  # radius of a point, of the picture's height
_GRAIN = (0.002, 0.03)  # deviation at mid-grey, display-referred
_QUALITY = (55, 96)  # of JPEG


@dataclass(frozen=True)
class Camera:
    """One camera, drawn once for a sample.

    Attributes:
        shutter: share of a frame's time that it is open.
        defocus: radius in pixels that the subject is out of focus by; 0 for sharp.
        behind: the same for what is behind it.
        grain: deviation of the noise; 0 for none.
        quality: of JPEG, 0 for no compression.
    """

    shutter: float
    defocus: float
    behind: float
    grain: float
    quality: int

    @classmethod
    def draw(cls, rng: np.random.Generator, height: int) -> Camera:
        """Draw a camera for pictures of a height; each of its faults is in some samples only."""
        has = rng.random(5) < (0.6, 0.2, 0.4, 0.6, 0.5)
        return cls(
            shutter=float(rng.uniform(0.2, 0.8)) if has[0] else 0.0,
            defocus=float(rng.uniform(*_DEFOCUS)) * height if has[1] else 0.0,
            behind=float(rng.uniform(*_DEFOCUS)) * height if has[2] else 0.0,
            grain=float(rng.uniform(*_GRAIN)) if has[3] else 0.0,
            quality=int(rng.integers(*_QUALITY)) if has[4] else 0,
        )

    def instants(self, frame: int) -> list[float]:
        """Return the times, in frames, whose mean is what the open shutter sees."""
        if not self.shutter:
            return [float(frame)]
        return [float(frame + at) for at in np.linspace(-self.shutter / 2, self.shutter / 2, 9)]

    def recorded(self, display: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Return a picture (H, W, 3), display-referred, 0..1, with grain and as its file keeps it."""
        if self.grain:
            noise = cv2.GaussianBlur(rng.standard_normal(display.shape, dtype=np.float32), (0, 0), 0.6)
            display = np.asarray(display + self.grain / 0.47 * noise, np.float32)  # 0.47: what the blur leaves
        display = np.clip(display, 0, 1)
        return _compressed(display, self.quality) if self.quality else display


def out_of_focus(picture: FloatArray, radius: float) -> FloatArray:
    """Spread each point of a picture (H, W, C), scene-linear and multiplied by alpha, over a disc."""
    if radius < 0.5:
        return picture
    reach = int(np.ceil(radius))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disc = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1).astype(np.float32)
    return np.asarray(cv2.filter2D(picture, -1, disc / disc.sum(), borderType=cv2.BORDER_REPLICATE), np.float32)


def _compressed(display: FloatArray, quality: int) -> FloatArray:
    bgr = np.ascontiguousarray(np.round(display[..., ::-1] * 255).astype(np.uint8))
    _, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded: Any = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    return np.asarray(decoded[..., ::-1] / np.float32(255), np.float32)
