"""How long a refine keeps Nuke's main thread, in the stand-in with a real server: the press, the export, all the rest.

And how long a look at an idle node of many frames does.

python bench/nuke_responsiveness.py --json
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "nuke_plugin"), str(ROOT / "nuke_plugin")]

import comps  # noqa: E402  (found by the path above)
from private_server import private_server  # noqa: E402

_LOOKS = 15


class Clock:
    """Adds up the seconds of the exports, which are Nuke's own rendering, and those that this thread worked in them."""

    def __init__(self) -> None:
        self.seconds = self.worked = 0.0

    def around(self, call):
        """Return `call` with its time taken."""

        def timed(*args):
            begun, worked = time.perf_counter(), time.thread_time()
            try:
                return call(*args)
            finally:
                self.seconds += time.perf_counter() - begun
                self.worked += time.thread_time() - worked

        return timed


def measure(folder: Path, frames: int, width: int, height: int) -> dict[str, float]:
    """Refine a clip with a window open and return what the main thread was kept for."""
    from nuke_standin import threads

    comps.write_clip(folder, frames, width, height)
    comp = comps.start(folder, gui=True)
    comp.open(comps.plain_script(folder, count=frames))
    from videomama_nuke import buttons, export

    clock = Clock()
    export.export = clock.around(export.export)
    begun = time.perf_counter()
    comp.press("refine")
    pressed = time.perf_counter() - begun
    longest = busiest = 0.0
    while buttons.running_jobs():
        exported = clock.seconds, clock.worked
        block, work = _timed(lambda: threads.pump(0.0))
        longest = max(longest, block - (clock.seconds - exported[0]))
        busiest = max(busiest, work - (clock.worked - exported[1]))
        time.sleep(0.01)
    status = comp.status()
    comps.end()
    if not status.startswith("refined"):
        raise SystemExit(f"the refine ended with: {status}")
    return {
        "frames": frames,
        "press_ms": round(1000 * pressed, 1),
        "export_ms": round(1000 * clock.seconds, 1),
        "longest_other_block_ms": round(1000 * longest, 1),
        "busiest_other_block_processor_ms": round(1000 * busiest, 1),
    }


def idle(folder: Path, frames: int) -> dict[str, float]:
    """Let Nuke be idle with a refined node of many frames and return what a look at it kept the main thread for."""
    from nuke_standin import callbacks, threads

    comps.write_clip(folder, 1)
    for frame in range(comps.FIRST + 1, comps.FIRST + frames):
        for role in ("plate", "mask"):
            os.link(folder / f"{role}.{comps.FIRST}.exr", folder / f"{role}.{frame}.exr")
    comp = comps.start(folder, gui=True)
    comp.open(comps.plain_script(folder, count=frames))
    from videomama_nuke import node_state, order, result

    asked = order.read(comp.node())
    result.show(comp.node(), asked.record, asked.clip)
    blocks: list[tuple[float, float]] = []
    for _ in range(_LOOKS):
        node_state._next_look.clear()
        blocks.append(_timed(callbacks.idle))
        while node_state._looking.locked():
            blocks.append(_timed(lambda: threads.pump(0.0)))
            time.sleep(0.01)
    comps.end()
    longest, busiest = (max(of_one_kind) for of_one_kind in zip(*blocks, strict=True))
    return {
        "idle_frames": frames,
        "idle_look_ms": round(1000 * longest, 2),
        "idle_look_processor_ms": round(1000 * busiest, 2),
    }


def _timed(call) -> tuple[float, float]:
    """Return the seconds that a call took, and those that this thread worked: other processes make the first longer."""
    begun, worked = time.perf_counter(), time.thread_time()
    call()
    return time.perf_counter() - begun, time.thread_time() - worked


def main() -> None:
    """Measure with a private server that ends with the run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=48)
    parser.add_argument("--size", default="480x270", help="WIDTHxHEIGHT")
    parser.add_argument("--idle-frames", type=int, default=4000)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    width, height = (int(side) for side in asked.size.split("x"))
    with private_server() as (_, folder):
        os.environ["VIDEOMAMA_CONNECTION_FILE"] = str(folder / "connection.json")
        found = measure(folder / "comp", asked.frames, width, height)
        found |= idle(folder / "idle", asked.idle_frames)
    print(json.dumps(found) if asked.json else "\n".join(f"{name:24} {value}" for name, value in found.items()))


if __name__ == "__main__":
    main()
