"""What the bridge costs: UHD frames through the server, beside a bare loop that reads, digests and writes them.

python bench/bridge.py --json

`efficiency` is that of the clock, a median over rounds, which other work on the machine disturbs;
`processor_efficiency` that of the processor time that both take, the least of each, which it hardly does.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import footage
from private_server import finish, private_server, processor_seconds
from videomama_client.settings import MatteSettings
from videomama_server.cache import memo
from videomama_server.files import settling
from videomama_server.media import frames
from videomama_server.submission import Submission

WIDTH, HEIGHT = 3840, 2160
THREADS = 2  # of the server's config, and of the bare loop


def bare_loop(plate: str, mask: str, out: Path, count: int) -> tuple[float, float]:
    """Return the seconds, and processor seconds, of reading, digesting and writing with nothing around them."""
    frames.use_threads(THREADS)
    out.mkdir(parents=True, exist_ok=True)

    def one(number: int) -> None:
        picture = frames.read_plate(Path(plate.replace("####", f"{number:04d}")))
        memo.pixel_digest(picture)
        alpha = frames.read_mask(Path(mask.replace("####", f"{number:04d}")))
        memo.pixel_digest(alpha)
        frames.write_picture(out / f"bare.{number:04d}.exr", alpha.pixels, ("A",), "float")

    started, busy = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(one, range(1, count + 1)))
    return time.perf_counter() - started, time.process_time() - busy


def bridge(order: Submission, spare: int) -> tuple[float, float]:
    """Return the seconds, and the server's processor seconds, of one job with an empty cache, submitted to done.

    Args:
        order: the job.
        spare: a frame outside the job, refined first so that the server is up and its engine loaded.
    """
    with private_server(["--threads", str(THREADS)]) as (client, folder):
        finish(client, replace(order, clip=str(spare), out=str(folder / "warm.####.exr")))
        started, busy = time.perf_counter(), processor_seconds()
        done = finish(client, replace(order, out=str(folder / "out" / "alpha.####.exr")))
        seconds, processor = time.perf_counter() - started, processor_seconds() - busy
        assert done.computed == done.frame_count
        return seconds, processor


def second_run(order: Submission) -> float:
    """Return the milliseconds per frame of a job that the cache answers."""
    with private_server(["--threads", str(THREADS)]) as (client, folder):
        order = replace(order, out=str(folder / "out" / "alpha.####.exr"))
        finish(client, order)
        started = time.perf_counter()
        done = finish(client, order)
        assert done.cached == done.frame_count
        return (time.perf_counter() - started) * 1000 / done.frame_count


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=24, help="frames of the efficiency measure")
    parser.add_argument("--cached-frames", type=int, default=100, help="frames of the second-run measure")
    parser.add_argument("--rounds", type=int, default=3, help="how often both are timed, in turn")
    parser.add_argument("--roi", default="off", help="region of interest of the job")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="videomama-bench-") as name:
        folder = Path(name)
        spare = max(asked.frames, asked.cached_frames) + 1
        plate, mask = footage.make(folder, spare, WIDTH, HEIGHT)
        time.sleep(settling.SETTLED_S)
        settings = MatteSettings(engine="passthrough", roi=asked.roi)
        order = Submission(plate, mask, "", settings, clip=f"1-{asked.frames}", transport="path")
        bare, through = [], []
        for _ in range(asked.rounds):
            bare.append(bare_loop(plate, mask, folder / "bare", asked.frames))
            through.append(bridge(order, spare))
        cached = second_run(replace(order, clip=f"1-{asked.cached_frames}"))
    bare_s, bridge_s = (statistics.median(seconds for seconds, _ in rounds) for rounds in (bare, through))
    bare_busy, bridge_busy = (min(processor for _, processor in rounds) for rounds in (bare, through))
    report = {
        "efficiency": bare_s / bridge_s,
        "processor_efficiency": bare_busy / bridge_busy,
        "bare_loop_seconds": bare_s,
        "bridge_seconds": bridge_s,
        "bare_loop_processor_ms": 1000 * bare_busy / asked.frames,
        "bridge_processor_ms": 1000 * bridge_busy / asked.frames,
        "cached_ms_per_frame": cached,
        "frames": asked.frames,
    }
    print(json.dumps({key: round(value, 3) for key, value in report.items()}) if asked.json else report)


if __name__ == "__main__":
    main()
