"""Whether seams show: how much alphas change from frame to frame where windows or decode groups meet, over elsewhere.

python bench/seams.py --json

A network of random weights looks at a moving texture, once through a server and its whole pipeline, and once as the
published inference is run on long clips. No ground truth is needed: a seam is a change that is larger than its
neighbours. Random weights know nothing of matting and vary more from frame to frame than trained ones, so a seam has to
be large to show here.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import make_checkpoint
import moving
import numpy as np
import straight
import torch
from private_server import finish, private_server
from videomama_client.settings import MatteSettings
from videomama_server import engines
from videomama_server.engines.base import EngineConfig, EngineFrame
from videomama_server.media import frames
from videomama_server.pipeline import window_grid
from videomama_server.submission import Submission

WINDOW, OVERLAP = 16, 4
GROUP = 8
FIRST = 1  # frame number


def ratio(alphas: np.ndarray, seams: set[int]) -> float:
    """Return the mean change into the frames `seams` over the mean change into all others.

    Args:
        alphas: (T, H, W), frames `FIRST` on.
        seams: frame numbers.
    """
    change = np.abs(np.diff(alphas, axis=0)).mean(axis=(1, 2))
    at_seam = np.array([FIRST + 1 + index in seams for index in range(len(change))])
    return float(change[at_seam].mean() / change[~at_seam].mean())


def our_seams(count: int) -> set[int]:
    """Return the frames that a window or a decode group begins with, or that are the first after one."""
    laid = window_grid.lay(range(FIRST, FIRST + count), WINDOW, OVERLAP)
    homes = {frame: window_grid.home(laid, frame) for frame in range(FIRST, FIRST + count)}
    seams = {after for before, after in pairwise(homes) if homes[before] != homes[after]}
    return seams | {window.first for window in laid} | {window.last + 1 for window in laid}


def published_seams(count: int) -> set[int]:
    """Return the frames that a window or a decode group begins with."""
    return set(range(FIRST, FIRST + count, GROUP)) | set(range(FIRST, FIRST + count, WINDOW))


def disagreement(pairs: Iterable[tuple[np.ndarray, np.ndarray]]) -> float:
    """Return the mean difference of alphas of the same frames, times 1000."""
    return 1000 * float(np.mean([np.abs(one - other).mean() for one, other in pairs]))


def written(folder: Path, count: int, height: int, width: int) -> tuple[str, str]:
    """Write the clip as PNGs of 16 bits, plate.####.png and mask.####.png; return the two patterns."""
    for number, (plate, mask) in enumerate(zip(*moving.clip(count, height, width), strict=True), FIRST):
        frames.write_picture(folder / f"plate.{number:04d}.png", plate, ("R", "G", "B"), "uint16")
        frames.write_picture(folder / f"mask.{number:04d}.png", mask, ("Y",), "uint16")
    return str(folder / "plate.####.png"), str(folder / "mask.####.png")


def through_server(order: Submission, wanted: range) -> np.ndarray:
    """Return alphas (T, H, W) of a job on a new server with an empty cache."""
    with private_server() as (client, folder):
        out = folder / "out" / "alpha.####.exr"
        span = f"{wanted[0]}-{wanted[-1]}"
        finish(client, Submission(**{**vars(order), "out": str(out), "frame_ranges": span, "dtype": "float"}))
        paths = [out.with_name(f"alpha.{number:04d}.exr") for number in wanted]
        return np.stack([frames.read_mask(path).pixels for path in paths])


class OurWindows:
    """The engine itself, window by window, without what the pipeline does to join windows."""

    def __init__(self, checkpoint: Path, folded: Path, settings: MatteSettings) -> None:
        self._engine = engines.load("videomama", EngineConfig(weights=checkpoint, folded_dir=folded, device="cpu"))
        self._settings = settings

    def matte(self, numbers: range, plates: list[np.ndarray], masks: list[np.ndarray]) -> np.ndarray:
        """Return alphas (T, H, W) of one window, from its own estimates alone."""
        size = masks[0].shape
        settings = self._engine.resolve(self._settings, size)
        ready = []
        for number in numbers:
            plate, mask = plates[number - FIRST], masks[number - FIRST]
            ready.append(self._engine.prepare(EngineFrame(number, mask, size, lambda plate=plate: plate), settings))
        estimates = list(self._engine.refine(ready, settings))
        completed = self._engine.complete(estimates, ready, range(len(ready)), settings)
        return np.stack(
            [self._engine.finish(alpha, frame, settings) for alpha, frame in zip(completed, ready, strict=True)]
        )


def overlapping(count: int) -> list[range]:
    """Return windows that overlap, of the same length, from the first frame on."""
    starts = range(FIRST, FIRST + count - WINDOW + 1, WINDOW - OVERLAP)
    return [range(start, start + WINDOW) for start in starts]


def shared(parts: list[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return what each two neighbours of overlapping windows say of the frames that they share."""
    return [(one[-OVERLAP:], other[:OVERLAP]) for one, other in pairwise(parts)]


def measure(asked: argparse.Namespace, folder: Path) -> dict[str, object]:
    """Return all figures."""
    count = asked.frames
    width, height = (int(part) for part in asked.canvas.split("x"))
    checkpoint = folder / "checkpoint"
    make_checkpoint.make("tiny", checkpoint, asked.seed)
    plate, mask = written(folder, count, height, width)
    settings = MatteSettings.of(
        engine="videomama", weights=str(checkpoint), canvas=asked.canvas, roi="off", window=WINDOW, overlap=OVERLAP
    )
    order = Submission(plate, mask, "", settings, transport="path")
    everything, part = range(FIRST, FIRST + count), range(FIRST + count // 3, FIRST + 2 * count // 3)
    ours = through_server(order, everything)
    again = through_server(order, part)

    plates, masks = moving.clip(count, height, width)
    engine = OurWindows(checkpoint, folder / "folded", settings)
    our_windows = [engine.matte(window, plates, masks) for window in overlapping(count)]
    models, options = straight.load(checkpoint, torch.float32), {"canvas": (height, width)}
    chunks = straight.published_chunks(models, plates, masks, WINDOW, **options)
    spans = [slice(window.start - FIRST, window.stop - FIRST) for window in overlapping(count)]
    published_windows = [straight.published(models, plates[span], masks[span], **options) for span in spans]
    return {
        "ours": ratio(ours, our_seams(count)),
        "published_chunks": ratio(chunks, published_seams(count)),
        "overlap_disagreement": {
            "ours_two_jobs": disagreement([(ours[part.start - FIRST : part.stop - FIRST], again)]),
            "ours_windows_before_joining": disagreement(shared(our_windows)),
            "published": disagreement(shared(published_windows)),
        },
        "mean_change": {
            name: float(np.abs(np.diff(a, axis=0)).mean()) for name, a in (("ours", ours), ("published_chunks", chunks))
        },
        "alpha_std": {"ours": float(ours.std()), "published_chunks": float(chunks.std())},
    }


def rounded(value: object) -> object:
    """Return figures with four digits behind the point."""
    if isinstance(value, dict):
        return {name: rounded(part) for name, part in value.items()}
    return round(value, 4) if isinstance(value, float) else value


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=64)
    parser.add_argument("--canvas", default="192x128", help="WIDTHxHEIGHT of the clip and of the work")
    parser.add_argument("--seed", type=int, default=0, help="of the weights")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="videomama-bench-") as name:
        report = measure(asked, Path(name))
    report |= {"frames": asked.frames, "canvas": asked.canvas, "seed": asked.seed}
    print(json.dumps(rounded(report)) if asked.json else json.dumps(rounded(report), indent=2))


if __name__ == "__main__":
    main()
