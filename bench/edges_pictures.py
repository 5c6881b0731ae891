"""Draws the pictures of docs/edges.md, and measures what steadying does to a network that flickers.

python bench/edges_pictures.py --weights FOLDER
"""

from __future__ import annotations

import argparse
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
sys.path.append(str(Path(__file__).parent))
_FRAMES = 6
_SIZE = (540, 960)


def clip(count: int) -> list[tuple[Any, Any]]:
    """Return plates (H, W, 3), display-referred, and exact alphas (H, W) of the demo's clip."""
    from videomama_server.media.srgb import to_display
    from videomama_server.synthetic.demo_clip import ClipShape, render_frame

    shape = ClipShape(width=_SIZE[1], height=_SIZE[0], frames=count)
    drawn = [render_frame(shape, number) for number in shape.numbers]
    return [(to_display(np.clip(frame.plate, 0, 1)).astype(np.float32), frame.alpha) for frame in drawn]


def draw_trimaps(plate: Any, alpha: Any, path: Path) -> None:
    """Draw the trimaps of the four presets over the plate, at the edge of the subject."""
    from videomama_client.engine_settings import TRIMAP_PRESETS, TrimapSettings
    from videomama_server.engines.edges.trimap import UNKNOWN, Widths, trimap_of

    cells = []
    for preset in TRIMAP_PRESETS:
        trimap = trimap_of(alpha, plate, Widths.of(TrimapSettings(trimap_preset=preset), _SIZE[1] / 1920))
        shown = np.where((trimap == UNKNOWN)[..., None], 0.4 * plate + np.float32([0.55, 0.45, 0.0]), plate * 0.8)
        shown = np.where((trimap == 255)[..., None], 0.7 * plate + 0.3, shown)
        cells.append(_captioned(_edge_of(shown, alpha), preset))
    _write(path, np.concatenate(cells, axis=1))


def draw_tiles(plate: Any, alpha: Any, runner: Any, path: Path) -> dict[str, float]:
    """Draw what two networks make of the edge as a whole and in tiles, and return how far they differ in the band."""
    from videomama_client.engine_settings import TrimapSettings
    from videomama_server.engines.edges.refining import refined
    from videomama_server.engines.edges.trimap import UNKNOWN, Widths, trimap_of

    trimap = trimap_of(alpha, plate, Widths.of(TrimapSettings(trimap_preset="maximum"), _SIZE[1] / 1920))
    cells, apart = [], {}
    networks = {"identity": lambda plate, _: np.clip(plate.mean(axis=2) * 1.5, 0, 1), "random": runner.estimate}
    for name, estimate in networks.items():
        whole, tiles = (refined(alpha, plate, trimap, estimate, side, 0.5) for side in (1024, 384))
        difference = np.abs(tiles - whole)
        apart[name] = float(difference[trimap == UNKNOWN].max())
        for picture, caption in ((whole, f"{name}, whole"), (tiles, f"{name}, tiles"), (4 * difference, "4 x apart")):
            cells.append(_captioned(_edge_of(np.repeat(picture[..., None], 3, axis=2), alpha), caption))
    rows = [np.concatenate(cells[start : start + 3], axis=1) for start in (0, 3)]
    _write(path, np.concatenate(rows))
    return apart


def measure(frames: list[tuple[Any, Any]], weights: Path) -> dict[str, dict[str, float]]:
    """Return how unsteady a clip is with and without the filter; the random network flickers with the plate's grain."""
    from videomama_client.settings import MatteSettings
    from videomama_server import engines
    from videomama_server.engines.base import EngineConfig, EngineFrame
    from videomama_server.metrics.flicker import flicker
    from videomama_server.metrics.temporal import dtssd
    from videomama_server.metrics.without_truth import chatter_inside

    engine = engines.load("vitmatte", EngineConfig(weights, weights, device="cpu"))
    found = {}
    for steady in (0.0, 1.0):
        asked = MatteSettings.of(engine="vitmatte", window=1, overlap=0, tile=384, steady=steady)
        settings = engine.resolve(asked, _SIZE)
        prepared = [
            engine.prepare(EngineFrame(number, alpha, _SIZE, lambda plate=plate: plate), settings)
            for number, (plate, alpha) in enumerate(frames)
        ]
        estimates = [engine.refine([frame], settings)[0] for frame in prepared]
        alphas = engine.complete(estimates, prepared, range(len(frames)), settings)
        steps = list(pairwise(zip(alphas, frames, strict=True)))
        errors = [dtssd(now, truth, before, old) for (before, (_, old)), (now, (_, truth)) in steps]
        along = [flicker(now, before, plate, old) for (before, (old, _)), (now, (plate, _)) in steps]
        chatter = [chatter_inside(now, before, truth, old) for (before, (_, old)), (now, (_, truth)) in steps]
        measures = {"dtssd": errors, "flicker": along, "chatter": chatter}
        found[f"steady {steady:g}"] = {
            name: float(np.mean([one for one in values if one is not None])) for name, values in measures.items()
        }
    return found


def _edge_of(picture: Any, alpha: Any) -> Any:
    """Return a part of a picture around the top of the subject."""
    rows, columns = np.nonzero(alpha > 0.5)
    top = max(0, int(rows.min()) - 40)
    left = max(0, min(int(np.median(columns[rows < rows.min() + 60])) - 150, picture.shape[1] - 300))
    return picture[top : top + 260, left : left + 300]


def _captioned(picture: Any, text: str) -> Any:
    shown = np.ascontiguousarray(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    shown = cv2.copyMakeBorder(shown, 26, 4, 4, 4, cv2.BORDER_CONSTANT, value=(24, 24, 24))
    return cv2.putText(shown, text, (8, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (230, 230, 230), 1, cv2.LINE_AA)


def _write(path: Path, picture: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), picture[..., ::-1])


def main() -> None:
    """Draw and measure."""
    from videomama_server.engines.base import EngineConfig
    from videomama_server.engines.edges.runner import TileRunner
    from videomama_server.engines.vitmatte import files, network

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, required=True, help="of make_edge_networks.py, tiny")
    parser.add_argument("--out", type=Path, default=IMAGES)
    options = parser.parse_args()
    frames = clip(_FRAMES)
    plate, alpha = frames[0]
    draw_trimaps(plate, alpha, options.out / "trimap.png")
    found = files.find(options.weights, "small")
    config = EngineConfig(options.weights, options.weights, device="cpu")
    runner = TileRunner(config, lambda: network.load(*found), network.footprint(found[0]))
    print(draw_tiles(plate, alpha, runner, options.out / "edge_tiles.png"))
    print(measure(frames, options.weights))


if __name__ == "__main__":
    main()
