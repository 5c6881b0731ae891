"""What a chain of stages costs where all is cached: processor time a frame, for one stage and for three.

python bench/chain_cost.py --json
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import footage
from in_process import Matting, in_process
from videomama_client.settings import MatteSettings
from videomama_client.stages import Stage

WIDTH, HEIGHT = 480, 270
LATER = (Stage("passthrough", window=16, overlap=4), Stage("passthrough", window=16, overlap=4))  # as a model's windows


def cached_ms(folder: Path, asked: Matting, runs: int) -> float:
    """Return the processor time of a job that is all cached, in ms a frame: the least of some runs."""
    with in_process(folder) as pipeline:
        pipeline.run(asked)
        again = [pipeline.run(asked) for _ in range(runs)]
    assert all(stage.computed == 0 for one in again for stage in one.done.stages)
    return min(one.seconds for one in again) * 1000 / len(asked.frames)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=400)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="videomama-bench-") as name:
        folder = Path(name)
        plate, mask = footage.make(folder, asked.frames, WIDTH, HEIGHT)
        settings = MatteSettings(engine="passthrough", window=16, overlap=4)
        frames = range(1, asked.frames + 1)
        one = Matting(plate, mask, str(folder / "one" / "a.####.exr"), frames, settings)
        three = Matting(plate, mask, str(folder / "three" / "a.####.exr"), frames, settings, LATER)
        alone, chained = cached_ms(folder / "alone", one, asked.runs), cached_ms(folder / "chained", three, asked.runs)
    report = {
        "one_stage_ms": round(alone, 2),
        "three_stages_ms": round(chained, 2),
        "two_more_stages_ms": round(chained - alone, 2),
        "frames": asked.frames,
    }
    print(json.dumps(report) if asked.json else report)


if __name__ == "__main__":
    main()
