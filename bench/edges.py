"""Seconds and peak memory of the edge refiners, by plate and tile, with random weights; each case in its own process.

python bench/edges.py --json edges.json
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

sys.path.append(str(Path(__file__).parent))
SIZES = {"1080p": (1080, 1920), "UHD": (2160, 3840), "8K": (4320, 7680)}
TILES = {"vitmatte": (512, 768, 1024), "mematte": (512, 1024)}
_AREA = 1 / 300  # of the plate, that the subject covers: a few tiles have its edge


def one(weights: Path, engine_name: str, size_name: str, tile: int) -> dict[str, Any]:
    """Refine one frame and return what it took; loading the network counts as memory, not as time."""
    from videomama_client.settings import MatteSettings
    from videomama_server import engines
    from videomama_server.engines.base import EngineConfig

    size = SIZES[size_name]
    engine = engines.load(engine_name, EngineConfig(weights, weights, device="cpu"))
    settings = engine.resolve(MatteSettings.of(engine=engine_name, window=1, overlap=0, tile=tile), size)
    _warm(engine, settings)
    started = time.perf_counter()
    prepared = engine.prepare(_frame(size), settings)
    ready = time.perf_counter()
    estimates = engine.refine([prepared], settings)
    engine.complete(list(estimates), [prepared], [0], settings)
    ended = time.perf_counter()
    return {
        "engine": engine_name,
        "plate": size_name,
        "tile": tile,
        "tiles": _tiles(prepared.unknown, tile),
        "band_share": round(float(prepared.unknown.mean()), 5),
        "trimap_s": round(ready - started, 2),
        "refine_s": round(ended - ready, 2),
        "peak_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9, 3),
    }


def _frame(size: tuple[int, int]) -> Any:
    from videomama_server.engines.base import EngineFrame

    height, width = size
    radius = (height * width * _AREA / np.pi) ** 0.5
    columns = np.arange(width, dtype=np.float32) - np.float32(width / 2)
    alpha = np.empty(size, np.float32)
    for row in range(height):
        away = np.hypot(columns, np.float32(row - height / 2))
        alpha[row] = np.clip((np.float32(radius) - away) / np.float32(width / 480) + np.float32(0.5), 0, 1)
    return EngineFrame(1, alpha, size, lambda: _plate(alpha))


def _plate(alpha: Any) -> Any:
    """Return a plate (H, W, 3) made row by row, so that making it takes no memory beside itself."""
    made = np.empty((*alpha.shape, 3), np.float32)
    grain = np.random.default_rng(0).random(alpha.shape[1], np.float32) * np.float32(0.2)
    for row in range(alpha.shape[0]):
        made[row] = (0.1 + 0.6 * alpha[row] + np.roll(grain, 7 * row))[:, None]
    return made


def _warm(engine: Any, settings: Any) -> None:
    """Load the network, by the smallest tile that there is."""
    runner = engine._runner(settings)
    runner.estimate(np.zeros((64, 64, 3), np.float32), np.full((64, 64), 128, np.uint8))


def _tiles(unknown: Any, tile: int) -> int:
    from videomama_server.engines.edges.refining import busy_tiles

    return len(busy_tiles(unknown, tile))


def _case(weights: Path, words: list[str]) -> dict[str, Any]:
    command = [sys.executable, __file__, "--weights", str(weights), "--one", *words]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        return dict(zip(("engine", "plate", "tile"), words, strict=True)) | {"error": ran.stderr.strip()[-300:]}
    return json.loads(ran.stdout.splitlines()[-1])


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--weights", type=Path, help="folder of weights; by default random ones are made")
    parser.add_argument("--engines", nargs="+", default=list(TILES), choices=list(TILES))
    parser.add_argument("--plates", nargs="+", default=list(SIZES), choices=list(SIZES))
    parser.add_argument("--tiles", nargs="+", type=int, help="only these")
    parser.add_argument("--one", nargs=3, metavar=("ENGINE", "PLATE", "TILE"), help=argparse.SUPPRESS)
    return parser.parse_args()


def _all(options: argparse.Namespace, weights: Path) -> None:
    rows = []
    asked = [(engine, tile) for engine in options.engines for tile in options.tiles or TILES[engine]]
    for (engine, tile), plate in product(asked, options.plates):
        rows.append(_case(weights, [engine, plate, str(tile)]))
        print(json.dumps(rows[-1]), flush=True)
        if options.json:
            options.json.write_text(json.dumps(rows, indent=2) + "\n")


def main() -> None:
    """Run one case, or all in processes of their own."""
    options = _parsed()
    if options.one:
        engine, plate, tile = options.one
        print(json.dumps(one(options.weights, engine, plate, int(tile))))
        return
    with tempfile.TemporaryDirectory() as folder:
        weights = options.weights or Path(folder)
        if options.weights is None:
            maker = [sys.executable, str(Path(__file__).with_name("make_edge_networks.py")), folder, "--size", "small"]
            subprocess.run(maker, check=True)
        _all(options, weights)


if __name__ == "__main__":
    main()
