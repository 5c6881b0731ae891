"""Makes the clips with photographs: a suite to develop on, and one that is measured once and reported as it comes.

python bench/suites.py develop|report OUT [--size 960x540] [--frames 24] [--seed 1] [--clips A,B]

The two share no silhouettes, hair, photographs, motion or compositing. Each clip is a folder with `plate.####.exr`
(half, scene-linear) and `truth.####.exr` (float), as `videomama evaluate --layout footage` reads it; masks are made by
who measures. `contact_sheet.png` shows all. The photographs come with scikit-image: see `stills.py`.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
from videomama_server.media import frames
from videomama_server.media.srgb import to_display

SUITES = {"develop": "suite_develop", "report": "suite_report"}
FIRST = 1001
GRAIN = 0.006  # of a plate that a good camera took


@dataclass(frozen=True)
class Asked:
    """What a suite is made with; equal values give equal pixels."""

    suite: str
    size: tuple[int, int] = (960, 540)
    frames: int = 24
    seed: int = 1


def module(suite: str) -> ModuleType:
    """Return the module of a suite: it has `CLIPS` by name, and `shot`."""
    return importlib.import_module(SUITES[suite])


def rendered(asked: Asked, clip: str, index: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the plate (H, W, 3), linear with grain, and the exact alpha (H, W) of one frame."""
    plate, alpha = module(asked.suite).shot(clip, asked.size, asked.seed, float(index))
    rng = np.random.Generator(np.random.PCG64([asked.seed, index, *clip.encode()]))
    noise = rng.standard_normal(plate.shape, dtype=np.float32)
    return plate + noise * GRAIN * np.sqrt(0.05 + np.clip(plate, 0, 1)), alpha


def write(asked: Asked, clip: str, out: Path) -> np.ndarray:
    """Write one clip into `out`, and return its row of the contact sheet (h, w, 3), 8 bits."""
    folder = out / clip
    folder.mkdir(parents=True, exist_ok=True)
    cells = []
    for index in range(asked.frames):
        plate, alpha = rendered(asked, clip, index)
        frames.write_picture(folder / f"plate.{FIRST + index:04d}.exr", plate)
        frames.write_picture(folder / f"truth.{FIRST + index:04d}.exr", alpha, ("A",), dtype="float")
        if index in (asked.frames // 4, (2 * asked.frames) // 3):
            cells += [to_display(np.clip(plate, 0, 1)), np.repeat(alpha[..., None], 3, axis=2)]
    row = np.concatenate([cv2.resize(cell, (480, 270), interpolation=cv2.INTER_AREA) for cell in cells], axis=1)
    row = np.ascontiguousarray(np.round(row * 255).astype(np.uint8))
    return np.asarray(cv2.putText(row, clip, (6, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 0), 1, cv2.LINE_AA))


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Make the clips with photographs.")
    parser.add_argument("suite", choices=list(SUITES))
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--size", default="960x540", help="WxH")
    parser.add_argument("--frames", type=int, default=Asked.frames)
    parser.add_argument("--seed", type=int, default=Asked.seed)
    parser.add_argument("--clips", default="", help="only these, with commas; by default all")
    args = parser.parse_args(words)
    width, height = map(int, args.size.split("x"))
    asked = Asked(args.suite, (width, height), args.frames, args.seed)
    known = module(asked.suite).CLIPS
    wanted = args.clips.split(",") if args.clips else list(known)
    if unknown := sorted(set(wanted) - set(known)):
        parser.error(f"there is no clip {unknown[0]}; there are {', '.join(known)}")
    rows = [write(asked, clip, args.out) for clip in wanted]
    frames.write_picture(args.out / "contact_sheet.png", np.concatenate(rows), dtype="uint8")


if __name__ == "__main__":
    main()
