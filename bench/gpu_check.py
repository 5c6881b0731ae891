"""One run on a card, five minutes at most: what the engine `videomama` does there, stage by stage. No weights needed.

python bench/gpu_check.py --out bench/results/gpu_check.json
python bench/gpu_check.py --tiny --out /tmp/gpu_check.json

Each stage runs in a process of its own with a limit in seconds, and the file is written after each, so that a stage
that hangs, dies or takes the card's context with it costs its own figures alone. On Linux these processes are forks of
this one, which imports torch once for all of them and never uses it. Stages of the network need torch and this
repository; others say what they lack and are skipped. `--tiny` runs everything small, on a CPU too.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
STAGES = {  # in their order, and the seconds that each may take
    "machine": 30,
    "norms": 40,
    "time_convolution": 30,
    "attention": 40,
    "formats": 60,
    "parts": 90,
    "pictures": 60,
    "graph": 50,
    "offload": 50,
    "weights_in_8_bits": 50,
    "out_of_memory": 30,
    "lost_context": 30,
    "uhd_canvas": 60,
    "stock": 90,
    "overlap": 90,
}
ALL_S = 290
TINY_S = 300  # of each stage, where only the program is tried and the machine may be busy


def run_stage(name: str, limit: float, asked: argparse.Namespace) -> dict[str, Any]:
    """Return what a stage found in a process of its own, or why it found nothing."""
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    with tempfile.TemporaryDirectory(prefix="videomama-bench-") as folder:
        process = context.Process(target=_write_found, args=(name, asked.device, asked.tiny, Path(folder)))
        process.start()
        process.join(limit)
        if process.exitcode is None:
            process.kill()
            process.join()
            return {"failed": f"it did not end within {limit:.0f} s"}
        found, errors = Path(folder, "found.json"), Path(folder, "errors.txt")
        if process.exitcode == 0 and found.exists():
            return json.loads(found.read_text(encoding="utf-8"))
        written = errors.read_text(encoding="utf-8", errors="replace") if errors.exists() else ""
    last = [line for line in written.splitlines() if line.strip()][-1:]
    return {"failed": f"it ended with {process.exitcode}: {''.join(last)[:300]}"}


def _write_found(name: str, device: str, tiny: bool, folder: Path) -> None:
    """Run a stage here; what it found and what it wrote as errors, the dying words of libraries too, go to `folder`."""
    errors = os.open(folder / "errors.txt", os.O_WRONLY | os.O_CREAT)
    os.dup2(errors, sys.__stderr__.fileno())
    sys.stderr = sys.__stderr__
    import gpu_stages

    found = gpu_stages.found_by(name, device, tiny=tiny)
    (folder / "found.json").write_text(json.dumps(found), encoding="utf-8")


def main() -> int:
    """Run the stages, print a line for each, and return 1 when one failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("gpu_check.json"), help="the file that results are written to")
    parser.add_argument("--tiny", action="store_true", help="everything small: tries the program, not the card")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda:N")
    parser.add_argument("--stages", default=",".join(STAGES), help="those to run, with commas between them")
    asked = parser.parse_args()
    unknown = set(asked.stages.split(",")) - set(STAGES)
    if unknown:
        parser.error(f"unknown stages: {', '.join(sorted(unknown))}; there are {', '.join(STAGES)}")
    started, found = time.monotonic(), {}
    if sys.platform == "linux":
        import gpu_stages  # noqa: F401  the stages' forks have it then
    for name in asked.stages.split(","):
        began = time.monotonic()
        limit = TINY_S if asked.tiny else min(STAGES[name], ALL_S - (began - started))
        found[name] = run_stage(name, limit, asked) if limit > 1 else {"skipped": "no time is left"}
        found[name]["stage_seconds"] = round(time.monotonic() - began, 1)
        print(f"{name}: {json.dumps(found[name])}", flush=True)
        record = {
            "command": "python bench/gpu_check.py" + " --tiny" * asked.tiny,
            "date": time.strftime("%Y-%m-%d"),
            "machine": f"{platform.platform()}, Python {platform.python_version()}",
            "result": found,
        }
        asked.out.write_text(json.dumps(record, indent=1), encoding="utf-8")
    return 1 if any("failed" in result for result in found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
