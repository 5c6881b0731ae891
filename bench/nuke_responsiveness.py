"""How long a refine keeps Nuke's main thread, in the stand-in with a real server: the press, the export, all the rest.

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


class Clock:
    """Adds up the seconds of the exports, which are Nuke's own rendering."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def around(self, call):
        """Return `call` with its time taken."""

        def timed(*args):
            begun = time.perf_counter()
            try:
                return call(*args)
            finally:
                self.seconds += time.perf_counter() - begun

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
    longest = 0.0
    while buttons.running_jobs():
        begun, exported = time.perf_counter(), clock.seconds
        threads.pump(0.0)
        longest = max(longest, time.perf_counter() - begun - (clock.seconds - exported))
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
    }


def main() -> None:
    """Measure with a private server that ends with the run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=48)
    parser.add_argument("--size", default="480x270", help="WIDTHxHEIGHT")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    width, height = (int(side) for side in asked.size.split("x"))
    with private_server() as (_, folder):
        os.environ["VIDEOMAMA_CONNECTION_FILE"] = str(folder / "connection.json")
        found = measure(folder / "comp", asked.frames, width, height)
    print(json.dumps(found) if asked.json else "\n".join(f"{name:24} {value}" for name, value in found.items()))


if __name__ == "__main__":
    main()
