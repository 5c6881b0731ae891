"""Keeps one server under load and accidents for minutes: does anything grow, who waits how long, who starves whom?

python bench/soak.py --minutes 20 --json
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import fault_rig
import numpy as np
import psutil
import soak_crowd
from fault_rig import Bridge
from soak_slopes import Series, slopes
from videomama_client.client import Client
from videomama_client.errors import VideoMaMaError

SAMPLE_S = 1.0
PROBE_S = 1.0
FAULT_S = 120.0
AFTERMATH_S = 8.0  # a stopped worker is given up after 4 s, and another starts
PASSING = ("entries/*/.*", "sequences/*/.*", "memo/.*", "spool/*", "holds/*")
WARM_UP = 0.2  # of the time: allocators and the book of jobs fill up first


@dataclass
class Observed:
    """What was seen: samples over time, latencies of interactive jobs with their time, and the accidents."""

    begun: float = field(default_factory=time.monotonic)
    samples: list[tuple[float, int, dict[str, float]]] = field(default_factory=list)
    probes: list[tuple[float, float]] = field(default_factory=list)
    failed_probes: int = 0
    faults: list[float] = field(default_factory=list)
    crowd: dict[str, int] = field(default_factory=dict)

    @property
    def now(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self.begun


def sample(bridge: Bridge, worker: int, cache: Path) -> dict[str, float]:
    """Return what server and worker hold at this moment, and the files that are there for a while only."""
    found: dict[str, float] = {}
    for name, pid in (("server", bridge.pid), ("worker", worker)):
        process = psutil.Process(pid)
        found[f"{name} memory, MB"] = process.memory_info().rss / 1e6
        found[f"{name} descriptors"] = process.num_fds()
        found[f"{name} threads"] = process.num_threads()
    hidden = [path for pattern in ("entries/*/.*", "sequences/*/.*", "memo/.*") for path in cache.glob(pattern)]
    left = list(Path(tempfile.gettempdir()).glob("videomama-[cs]*~*"))
    found["temporary files"] = (
        len(hidden) + len(list(cache.glob("spool/*"))) + len(left) + len(list(cache.glob("holds/*")))
    )
    return found


def observe(bridge: Bridge, seen: Observed, over: threading.Event) -> None:
    """Take samples until it is over."""
    with bridge.client() as client:
        while not over.wait(SAMPLE_S):
            with suppress(VideoMaMaError, psutil.Error):
                _observe(bridge, client, seen)


def _observe(bridge: Bridge, client: Client, seen: Observed) -> None:
    pid = client.status().worker_pid
    if pid is not None:
        seen.samples.append((seen.now, pid, sample(bridge, pid, bridge.cache)))


def probe(bridge: Bridge, case: fault_rig.Case, seen: Observed, seconds: float) -> None:
    """Do a small interactive job of pixels that nobody asked for yet, every second or so; note how long it takes."""
    until = time.monotonic() + seconds
    rng = np.random.default_rng(time.time_ns())
    with bridge.client() as client:
        while time.monotonic() < until:
            fresh = soak_crowd.fresh(case, rng)
            started = time.monotonic()
            try:
                fault_rig.run(client, fresh)
                seen.probes.append((seen.now, time.monotonic() - started))
            except VideoMaMaError:
                seen.failed_probes += 1
            time.sleep(max(0.0, PROBE_S - (time.monotonic() - started)))


def hurt(bridge: Bridge, seen: Observed, over: threading.Event, rng: np.random.Generator) -> None:
    """End or stop the worker every now and then."""
    while not over.wait(FAULT_S):
        number = rng.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP])
        with suppress(ProcessLookupError, VideoMaMaError, TimeoutError):
            os.kill(bridge.worker(), int(number))
            seen.faults.append(seen.now)


def percentiles(seconds: list[float]) -> dict[str, float]:
    """Return the median and the 95th percentile in milliseconds, and of how many."""
    if not seconds:
        return {"jobs": 0}
    p50, p95 = (float(np.percentile(seconds, share)) * 1000 for share in (50, 95))
    return {"jobs": len(seconds), "p50_ms": round(p50, 1), "p95_ms": round(p95, 1)}


def under_load(bridge: Bridge, case: fault_rig.Case, folder: Path, seconds: float, seed: int, calm: bool) -> Observed:
    """Have a crowd of clients come and go, accidents happen unless calm, and interactive jobs go in between."""
    seen, over = Observed(), threading.Event()
    rng = np.random.default_rng(seed)
    words = [str(bridge.connection_file), str(folder), str(seconds), str(seed)]
    crowd = subprocess.Popen([sys.executable, str(Path(soak_crowd.__file__)), *words], stdout=subprocess.PIPE)
    others = [
        threading.Thread(target=observe, args=(bridge, seen, over)),
        *([] if calm else [threading.Thread(target=hurt, args=(bridge, seen, over, rng))]),
    ]
    for thread in others:
        thread.start()
    probe(bridge, case, seen, seconds)
    over.set()
    for thread in others:
        thread.join()
    said, _ = crowd.communicate(timeout=120)
    seen.crowd = json.loads(said)
    return seen


def report(alone: Observed, seen: Observed, fair: dict[str, object], seconds: float) -> dict[str, object]:
    """Return all figures."""
    kept = [row for row in seen.samples if row[0] > WARM_UP * seconds]
    names = kept[0][2] if kept else {}
    series = [Series(name, [(at, pid, values[name]) for at, pid, values in kept]) for name in names]

    def calm(at: float) -> bool:
        return not any(0 <= at - fault < AFTERMATH_S for fault in seen.faults)

    quiet = [latency for at, latency in seen.probes if calm(at)]
    return {
        "minutes": round(seconds / 60, 2),
        "crowd": seen.crowd,
        "accidents": len(seen.faults),
        "failed_interactive_jobs": seen.failed_probes,
        "interactive_alone": percentiles([latency for _, latency in alone.probes]),
        "interactive_under_batch_load": percentiles(quiet),
        "interactive_with_accidents": percentiles([latency for _, latency in seen.probes]),
        "slopes": slopes(series),
        "load": fair,
    }


def main() -> None:
    """Soak and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--calm", action="store_true", help="no accidents: one engine process lives all the time")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    fault_rig.impatient()
    folder = Path(tempfile.mkdtemp(prefix="videomama-soak-"))
    flags = ("--cache-limit-gb", "0.05", "--engine-hang-s", "4")
    bridge = Bridge(folder / "server", folder / "cache", flags).start()
    rng = np.random.default_rng(asked.seed)
    case = fault_rig.make_case(folder / "probe", rng, size=(160, 96), count=2, engines=["passthrough"])
    case = replace(case, order=replace(case.order, settings=replace(case.order.settings, window=2)))
    seconds = asked.minutes * 60
    try:
        alone = Observed()
        probe(bridge, case, alone, min(30.0, 0.1 * seconds))
        fair = soak_crowd.compete(bridge, folder, rng)
        seen = under_load(bridge, case, folder, seconds, asked.seed, asked.calm)
        result = report(alone, seen, fair, seconds)
    finally:
        bridge.stop()
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(result) if asked.json else json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
