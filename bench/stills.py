"""Photographs that come with scikit-image, as scene-linear pictures; only benchmarks and tests need that package.

All are free of copyright by what scikit-image says of each (`skimage/data/_fetchers.py`, 0.26). Nothing is downloaded:
these lie in the package itself.
"""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from videomama_server.media.srgb import to_light

LICENCES = {
    "astronaut": "NASA, released into the public domain",
    "brick": "CC0, CC0Textures",
    "camera": "CC0, Lav Varshney",
    "chelsea": "CC0, Stefan van der Walt",
    "clock_motion": "released into the public domain, Stefan van der Walt",
    "coffee": "CC0, Rachel Michetti",
    "coins": "no known copyright restrictions, Brooklyn Museum Collection",
    "grass": "CC0, linolafett",
    "gravel": "CC0, CC0Textures",
    "hubble_deep_field": "NASA, may be freely used",
    "ihc": "no known copyright restrictions, CMMI",
    "retina": "CC0, Mikael Haggstrom",
    "rocket": "released into the public domain, SpaceX",
}
PATCHES = {  # parts of them that are of one stuff: still, rows, columns
    "wood": ("coffee", slice(150, 400), slice(485, 600)),
    "fur": ("chelsea", slice(5, 80), slice(100, 260)),
    "whiskers": ("chelsea", slice(190, 290), slice(20, 180)),
}


def folder() -> Path:
    """Return where the stills lie; raises `SystemExit` without scikit-image."""
    found = importlib.util.find_spec("skimage")
    if found is None or found.origin is None:
        raise SystemExit("the photographs need scikit-image: pip install -e '.[bench]'")
    return Path(found.origin).parent / "data"


@lru_cache(maxsize=16)
def still(name: str) -> np.ndarray:
    """Return a photograph or a patch of one (h, w, 3), linear, 0..1; grey ones have three equal channels."""
    if name in PATCHES:
        whole, rows, columns = PATCHES[name]
        return still(whole)[rows, columns]
    if name not in LICENCES:
        raise ValueError(f"nobody looked up the licence of {name!r}")
    path = next(path for path in folder().glob(f"{name}.*") if path.suffix in {".png", ".jpg"})
    codes = cv2.imread(str(path), cv2.IMREAD_COLOR)
    assert codes is not None
    return to_light(codes[..., ::-1].astype(np.float32) / 255)


def spread(picture: np.ndarray, size: tuple[int, int], cover: float = 1.0) -> np.ndarray:
    """Return a picture (h, w, 3) that fills (H, W), mirrored where it ends.

    Args:
        picture: what is seen.
        size: (H, W) in pixels.
        cover: how many pictures would cover the width.
    """
    factor = size[1] / (picture.shape[1] * cover)
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    scaled = np.maximum(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=method), 0)
    rows, columns = (_mirrored(wanted, has) for wanted, has in zip(size, scaled.shape[:2], strict=True))
    return np.asarray(scaled[rows][:, columns], np.float32)


def _mirrored(wanted: int, has: int) -> np.ndarray:
    turned = np.arange(wanted) % (2 * has)
    return np.where(turned < has, turned, 2 * has - 1 - turned)


def detail(picture: np.ndarray, strength: float = 1.0) -> np.ndarray:
    """Return what a picture (h, w, 3) does to a colour that it is laid on: a factor (h, w, 3), 1 in the mean."""
    tone = picture / np.maximum(picture.mean(axis=(0, 1)), 1e-4)
    return np.asarray(np.clip(1 + strength * (tone - 1), 0.05, 4), np.float32)
