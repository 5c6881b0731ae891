"""Writes docs/images/hero.png, the picture at the top of the README: one frame of the demo's clip.

videomama demo --out DEMO
python bench/readme_picture.py DEMO
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from videomama_server.arrays import ByteArray, FloatArray
from videomama_server.foreground import estimate
from videomama_server.media import contact_sheet as sheets
from videomama_server.media import frames
from videomama_server.media.srgb import to_display

PICTURE = Path(__file__).resolve().parents[1] / "docs" / "images" / "hero.png"
BRIGHT, DARK = (np.full(3, grey, np.float32) for grey in (0.75, 0.02))  # linear
_PART = (slice(0, 540), slice(240, 840))  # of the clip's 960x540: the subject
_SIZE = (400, 360)  # of a cell, pixels


def picture(demo: Path, frame: int) -> ByteArray:
    """Return plate, mask, alpha, and the alpha over a bright and a dark plate, side by side: (h, w, 3), 8-bit sRGB."""
    light = frames.read_plate(demo / f"plate.{frame}.exr").pixels.clip(0, 1)
    mask, alpha = (frames.read_mask(demo / f"{name}.{frame}.exr").pixels[..., 0] for name in ("mask", "alpha"))
    foreground = estimate(light, alpha)
    comps = [_over(grey, foreground, alpha) for grey in (BRIGHT, DARK)]
    flats = [to_display(light), *(np.dstack([grey] * 3) for grey in (mask, alpha))]
    titles = ("plate", "mask", "alpha", "over a bright plate", "over a dark plate")
    return np.concatenate([_cell(title, shown) for title, shown in zip(titles, [*flats, *comps], strict=True)], axis=1)


def _over(grey: FloatArray, foreground: FloatArray, alpha: FloatArray) -> FloatArray:
    comp = foreground * alpha[..., None] + grey * (1 - alpha[..., None])
    return np.asarray(to_display(comp.clip(0, 1)), np.float32)


def _cell(title: str, shown: FloatArray) -> ByteArray:
    small = cv2.resize(shown[_PART], _SIZE, interpolation=cv2.INTER_AREA)
    header = sheets.blank(sheets.HEADER, _SIZE[0])
    sheets.label(header, title, (8, sheets.HEADER - 11))
    return np.concatenate([header, np.round(small.clip(0, 1) * 255).astype(np.uint8)])


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the README's picture.")
    parser.add_argument("demo", type=Path, help="folder that `videomama demo` wrote")
    parser.add_argument("--frame", type=int, default=1007)
    asked = parser.parse_args()
    frames.write_picture(PICTURE, picture(asked.demo, asked.frame), dtype="uint8")


if __name__ == "__main__":
    main()
