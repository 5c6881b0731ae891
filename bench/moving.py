"""A moving texture and a moving mask, made in memory: what the benchmarks of the engine `videomama` look at."""

from __future__ import annotations

import cv2
import numpy as np

OCTAVES = ((5, 0.5), (17, 0.3), (51, 0.2))  # cells across, amplitude
DRIFT = 0.5  # pixels per frame of a picture 256 wide


def clip(frames: int, height: int, width: int, seed: int = 0) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return plates (height, width, 3) and masks (height, width), float32, 0..1; the same for the same arguments."""
    rng = np.random.default_rng(seed)
    size = (2 * width, 2 * height)
    texture = sum(
        amplitude * cv2.resize(rng.random((cells, cells, 3), np.float32), size, interpolation=cv2.INTER_CUBIC)
        for cells, amplitude in OCTAVES
    )
    texture = np.clip(texture, 0, 1)
    step = DRIFT * width / 256
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    plates, masks = [], []
    for t in range(frames):
        shift = np.float32([[1, 0, -step * t - width / 4], [0, 1, -step * t / 2 - height / 4]])
        plates.append(np.clip(cv2.warpAffine(texture, shift, (width, height), flags=cv2.INTER_LINEAR), 0, 1))
        inside = ((x - 0.4 * width - step * t) / (0.22 * width)) ** 2 + ((y - 0.5 * height) / (0.35 * height)) ** 2
        masks.append((inside < 1).astype(np.float32))
    return plates, masks
