"""What others make of the same pairs of plate and mask: guided filter, and closed form and KNN matting of pymatting.

Each frame is solved on its own. Both solvers get a trimap that knows how good the mask is; `classic` has to find out.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from videomama_client.mask_presets import PRESETS
from videomama_server.engines.classic.matte import fast_lines

BANDS = {name: (preset.trimap_erode, preset.trimap_dilate) for name, preset in PRESETS.items()}  # pixels at 1920
BAND = (10.0, 24.0)  # inside and outside the outline, of masks whose quality is no preset

Solve = Callable[[np.ndarray, np.ndarray, str], np.ndarray]  # display-referred plate (H, W, 3), mask (H, W), quality


def trimap_of(mask: np.ndarray, quality: str) -> np.ndarray:
    """Return 0 for background, 1 for foreground and 0.5 between, (H, W)."""
    scale = max(mask.shape) / 1920
    inside, outside = (reach * scale for reach in BANDS.get(quality, BAND))
    subject = (mask >= 0.5).astype(np.uint8)
    deep, far = (cv2.distanceTransform(part, cv2.DIST_L2, 5) for part in (subject, 1 - subject))
    return np.where(deep > inside, 1.0, np.where(far > outside, 0.0, 0.5))


def guided(plate: np.ndarray, mask: np.ndarray, quality: str) -> np.ndarray:
    """Bend the mask to the edges of the plate; it needs no trimap."""
    del quality
    return fast_lines(plate, mask, max(mask.shape) / 1920).of(plate)


def closed_form(plate: np.ndarray, mask: np.ndarray, quality: str) -> np.ndarray:
    from pymatting import estimate_alpha_cf

    return _solved(estimate_alpha_cf, plate, mask, quality)


def knn(plate: np.ndarray, mask: np.ndarray, quality: str) -> np.ndarray:
    from pymatting import estimate_alpha_knn

    return _solved(estimate_alpha_knn, plate, mask, quality)


def _solved(solve: Callable[..., np.ndarray], plate: np.ndarray, mask: np.ndarray, quality: str) -> np.ndarray:
    trimap = trimap_of(mask, quality)
    if len(np.unique(trimap)) < 3:  # without certain pixels of both kinds there is nothing to solve
        return mask
    return np.clip(solve(plate.astype(np.float64), trimap), 0, 1).astype(np.float32)


METHODS: dict[str, Solve] = {"guided": guided, "closed_form": closed_form, "knn": knn}
