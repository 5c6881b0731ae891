"""Footage for the benchmarks: UHD or HD plates with grain, and a soft mask, as numbered half EXRs."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from videomama_server.media.frames import write_picture

DISTINCT = 8  # pictures that are really made; further frame numbers are hard links to them


def make(folder: Path, frames: int, width: int, height: int) -> tuple[str, str]:
    """Write plate.####.exr and mask.####.exr, frames 1 to `frames`; return the two patterns."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, frames + 1):
        for name, channels in (("plate", ("R", "G", "B")), ("mask", ("A",))):
            path = folder / f"{name}.{number:04d}.exr"
            first = folder / f"{name}.{(number - 1) % DISTINCT + 1:04d}.exr"
            if number <= DISTINCT:
                plate, mask = _frame(number, width, height)
                write_picture(path, plate if name == "plate" else mask, channels, "half")
            else:
                path.unlink(missing_ok=True)
                os.link(first, path)
    return str(folder / "plate.####.exr"), str(folder / "mask.####.exr")


def _frame(number: int, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(number)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    waves = 0.4 + 0.3 * np.sin(x / 97 + number) * np.cos(y / 61)
    plate = np.stack([waves, waves * 0.8, waves * 0.6], axis=-1).astype(np.float32)
    plate += rng.normal(0, 0.01, plate.shape).astype(np.float32)
    distance = np.hypot(x - width / 2 - 4 * number, y - height / 2) - height / 4
    return plate, np.clip(0.5 - distance / 40, 0, 1).astype(np.float32)
