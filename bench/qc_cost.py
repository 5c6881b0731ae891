"""What quality control costs a job: 4K frames through the pipeline with it and without it, in turn.

python bench/qc_cost.py --json

`device` is an engine that waits 0.15 s per frame and leaves the processor alone, as one on a fast graphics card does;
`passthrough` computes nothing at all, so that all there is competes for the same cores. Without means that nothing is
measured, kept or judged; there is no such setting, so it is patched out here.

`processor_ms_per_frame` is the difference of all processor time, the least of each. Other work on the machine disturbs
it. `own_ms_per_frame` is the processor time of quality control's own calls, of the round where it was least; OpenCV
works in the calling thread then, so that nothing is left out. That figure needs few frames and one round, which is what
is done unless more is asked for; the others want `--frames 32 --rounds 3 --engines device,passthrough` and a quiet
machine.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import cv2
import footage
import numpy as np
from videomama_client import messages
from videomama_client.settings import MatteSettings
from videomama_server.cache.entries import Cache
from videomama_server.cache.memo import Memo
from videomama_server.engines.base import WindowShape
from videomama_server.engines.passthrough import PassthroughEngine
from videomama_server.files import settling
from videomama_server.media import sequences
from videomama_server.media.channels import ChannelChoice
from videomama_server.media.delivery import Delivery
from videomama_server.pipeline import object_output, reader
from videomama_server.pipeline.order import Order
from videomama_server.pipeline.quality_control import Control
from videomama_server.pipeline.reader import Reader
from videomama_server.pipeline.run import Matte
from videomama_server.pipeline.services import Services
from videomama_server.pipeline.sources import DiskSource
from videomama_server.qc.sights import Glimpse

PER_FRAME_S = 0.15


class PretendedDevice(PassthroughEngine):
    """Waits as for a device; the alpha is the mask."""

    name = "device"
    fingerprint = "device-1"
    window = WindowShape(8, 0)

    def refine(self, prepared, settings):
        time.sleep(PER_FRAME_S * len(prepared))
        return super().refine(prepared, settings)


class Uncontrolled(Control):
    """Keeps and judges nothing."""

    def see(self, scene, _alpha):
        scene.miss()


def no_glimpse(_plate, mask, _to_display):
    return Glimpse(mask.shape, np.zeros((1, 1), np.uint8), np.zeros((1, 1), bool), 0.0)


class Clock:
    """Adds up the processor time of calls, whichever thread they are made in."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._lock = threading.Lock()

    def timed(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that does the same and is timed."""

        def work(*arguments: Any) -> Any:
            began = time.thread_time()
            try:
                return call(*arguments)
            finally:
                took = time.thread_time() - began
                with self._lock:
                    self.seconds += took

        return work


@contextmanager
def timed() -> Iterator[Clock]:
    """Time all that quality control does while a job runs; its result for the whole job is no frame's."""
    clock = Clock()
    with (
        mock.patch.object(reader, "glimpse", clock.timed(reader.glimpse)),
        mock.patch.object(Control, "see", clock.timed(Control.see)),
        mock.patch.object(Control, "judge", clock.timed(Control.judge)),
    ):
        yield clock


@contextmanager
def without() -> Iterator[None]:
    """Take quality control out of the pipeline, from the glimpse on."""
    with mock.patch.object(reader, "glimpse", no_glimpse), mock.patch.object(object_output, "Control", Uncontrolled):
        yield


def job(plate: str, mask: str, engine: PassthroughEngine, threads: int) -> tuple[float, float, int]:
    """Do one job with an empty cache; return seconds, processor seconds, and frames that were judged."""
    events: list[object] = []
    with tempfile.TemporaryDirectory(prefix="videomama-bench-") as name, ThreadPoolExecutor(threads) as readers:
        folder = Path(name)
        cache, out = Cache(folder / "cache"), str(folder / "out" / "alpha.####.exr")
        request = messages.SubmitMatte("r", plate, mask, out, MatteSettings(engine=engine.name, roi="off"))
        known = Memo(cache.write_root / "memo")
        source = [DiskSource(role, text, ()) for role, text in ((messages.PLATE, plate), (messages.MASK, mask))]
        delivery = Delivery(sequences.parse(out))
        delivery.check()
        order = Order("job", request, engine.name, engine, Reader(*source, known, ChannelChoice(), False), delivery)
        with ThreadPoolExecutor(threads) as writers:
            services = Services(cache, known, readers, writers, threads)
            started, busy = time.perf_counter(), time.process_time()
            for _ in Matte(order, services, events.append, threading.Event()).run():
                time.sleep(0.001)
            seconds, processor = time.perf_counter() - started, time.process_time() - busy
    done = events[-1]
    assert isinstance(done, messages.MatteDone)
    return seconds, processor, done.judged


def compared(plate: str, mask: str, engine: PassthroughEngine, asked: argparse.Namespace) -> dict[str, float]:
    """Return medians of the time and the least processor time of both, measured in turn."""
    rows: dict[str, list[tuple[float, float, int]]] = {"with": [], "without": []}
    own = []
    for _ in range(asked.rounds):
        with timed() as clock:
            rows["with"].append(job(plate, mask, engine, asked.threads))
        own.append(clock.seconds)
        with without():
            rows["without"].append(job(plate, mask, engine, asked.threads))
    assert all(judged == asked.frames for *_, judged in rows["with"])
    assert all(judged == 0 for *_, judged in rows["without"])
    seconds = {case: statistics.median(row[0] for row in found) for case, found in rows.items()}
    busy = {case: min(row[1] for row in found) for case, found in rows.items()}
    return {
        "time_ratio": round(seconds["with"] / seconds["without"], 3),
        "seconds_with": round(seconds["with"], 2),
        "seconds_without": round(seconds["without"], 2),
        "processor_ms_per_frame": round(1000 * (busy["with"] - busy["without"]) / asked.frames, 1),
        "own_ms_per_frame": round(1000 * min(own) / asked.frames, 1),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=6)
    parser.add_argument("--size", default="3840x2160", help="of the frames")
    parser.add_argument("--rounds", type=int, default=1, help="how often both are timed, in turn")
    parser.add_argument("--engines", default="passthrough", help="which of device and passthrough")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 2, help="of readers, and of writers")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    width, height = map(int, asked.size.split("x"))
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory(prefix="videomama-bench-") as name:
        plate, mask = footage.make(Path(name), asked.frames, width, height)
        time.sleep(settling.SETTLED_S)
        engines = (PretendedDevice(), PassthroughEngine())
        report = {
            engine.name: compared(plate, mask, engine, asked)
            for engine in engines
            if engine.name in asked.engines.split(",")
        }
    whole = {**report, "size": asked.size, "frames": asked.frames, "threads": asked.threads}
    print(json.dumps(whole) if asked.json else json.dumps(whole, indent=1))


if __name__ == "__main__":
    main()
