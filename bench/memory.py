"""Whether memory grows with the length of a clip: peak resident memory of all processes, long clip over short.

python bench/memory.py --json
python bench/memory.py --json --engine videomama --long 300
python bench/memory.py --json --then passthrough --then classic --size 480x270
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

import footage
import psutil
from private_server import finish, private_server
from videomama_client.engine_settings import engines_with
from videomama_client.settings import MatteSettings
from videomama_client.stages import Stage
from videomama_server.submission import Submission

WIDTH, HEIGHT = 1920, 1080
SAMPLE_S = 0.05


class Peak:
    """Samples the resident memory of some processes until stopped."""

    def __init__(self, pids: list[int]) -> None:
        self._processes = [psutil.Process(pid) for pid in pids]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample)
        self.bytes = 0
        self._thread.start()

    def stop(self) -> int:
        """Return the largest sum seen."""
        self._ended.set()
        self._thread.join()
        return self.bytes

    def _sample(self) -> None:
        while not self._ended.wait(SAMPLE_S):
            self.bytes = max(self.bytes, sum(process.memory_info().rss for process in self._processes))


def peak_of(order: Submission, count: int) -> int:
    """Return the peak memory of client, server and worker over one job of so many frames, in bytes."""
    with private_server() as (client, folder):
        status = client.status()
        assert status.worker_pid is not None
        peak = Peak([os.getpid(), status.pid, status.worker_pid])
        out = str(folder / "out" / "alpha.####.exr")
        try:
            finish(client, replace(order, out=out, clip=f"1-{count}"))
        finally:
            peak.stop()
        return peak.bytes


def chosen(asked: argparse.Namespace, folder: Path) -> MatteSettings:
    """Return the settings of both jobs; the model has random weights, tiny, and a small canvas."""
    if asked.engine != "videomama":
        quality = asked.quality if asked.engine in engines_with("quality") else None
        return MatteSettings.of(engine=asked.engine, quality=quality)
    import make_checkpoint

    make_checkpoint.make("tiny", folder / "weights")
    return MatteSettings.of(engine="videomama", weights=str(folder / "weights"), canvas="256x128", roi="off")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", type=int, default=40)
    parser.add_argument("--long", type=int, default=400)
    parser.add_argument("--engine", default="classic")
    parser.add_argument("--quality", default="fast")
    parser.add_argument("--then", action="append", default=[], help="engine of a further stage")
    parser.add_argument("--size", default=f"{WIDTH}x{HEIGHT}", help="of the frames")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="videomama-bench-") as name:
        settings = chosen(asked, Path(name))
        width, height = map(int, asked.size.split("x"))
        plate, mask = footage.make(Path(name), max(asked.short, asked.long), width, height)
        order = Submission(plate, mask, "", settings, transport="path", then=tuple(map(Stage, asked.then)))
        short = peak_of(order, asked.short)
        long = peak_of(order, asked.long)
    report = {
        "ratio": round(long / short, 3),
        "short_mb": round(short / 1e6),
        "long_mb": round(long / 1e6),
        "short_frames": asked.short,
        "long_frames": asked.long,
    }
    print(json.dumps(report) if asked.json else report)


if __name__ == "__main__":
    main()
