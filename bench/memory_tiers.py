"""What the planner of `videomama` makes of cards of common sizes: canvas, frames a pass, what is away from the card.

python bench/memory_tiers.py --json
python bench/memory_tiers.py --record

No card is needed: peaks are measured on stand-ins, in a minute. A gigabyte of each card is left to other programs, and
what pictures take is left beside the network, as in a job. The network calculates in fp16, and Triton's kernels run, as
on NVIDIA's cards under Linux; torch's own take more memory.
`--record` writes the result where docs/performance.md takes it from.
"""

from __future__ import annotations

import argparse
import json
from functools import partial
from pathlib import Path

import torch
from videomama_client.errors import OutOfMemory
from videomama_client.settings import MatteSettings
from videomama_server.engines.runtime.device import Device
from videomama_server.engines.videomama import canvas, modes, on_device
from videomama_server.engines.videomama.checkpoint.published import PUBLISHED_UNET, PUBLISHED_VAE
from videomama_server.engines.videomama.memory import planner
from videomama_server.engines.videomama.memory.planner import MemoryPlan, Workload
from videomama_server.engines.videomama.network.fused import TRITON, kernels
from videomama_server.engines.videomama.network.shape import shape_of

TIERS = (8, 12, 16, 24, 48, 80)  # GB of the card
OTHERS = 1  # GB of it that other programs hold
REGION = (1080, 1920)  # height, width in pixels of the region of interest
RESULT = Path(__file__).resolve().parent / "results" / "memory_tiers.json"


def workload() -> Workload:
    """Return what a job in the production mode with default settings is, on a card."""
    shape = modes.shape(MatteSettings())
    group = shape.length + max(0, 2 * (shape.context or 0) - shape.overlap)
    card = Device(torch.device("cuda", 0), torch.float16, torch.float16)
    return Workload(shape_of(PUBLISHED_UNET, PUBLISHED_VAE), card, shape.length, group)


def row(tier: int) -> str:
    """Return what is planned on a card of `tier` GB."""
    job, canvases = workload(), list(canvas.candidates(REGION, fast=False))
    pictures = partial(on_device.held_bytes, REGION, window=job.window)
    try:
        plan = planner.plan(job, canvases, (tier - OTHERS) * 10**9, pictures)
    except OutOfMemory as error:
        return f"does not fit: {error.message}"
    return shown(plan)


def shown(plan: MemoryPlan) -> str:
    """Return a plan in one line."""
    height, width = plan.canvas
    passes = "/".join(map(str, plan.passes.values()))
    return f"canvas {width}x{height}, {passes} frames a pass, offload {plan.offload}, {plan.peak_bytes / 1e9:.1f} GB"


def result() -> dict[str, str]:
    """Return the rows of all cards by their labels."""
    before, kernels.name = kernels.name, TRITON
    try:
        return {f"{tier} GB": row(tier) for tier in TIERS}
    finally:
        kernels.name = before


def main() -> None:
    """Plan and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--record", action="store_true", help=f"write the result to {RESULT.name}")
    asked = parser.parse_args()
    rows = result()
    if asked.record:
        record = json.loads(RESULT.read_text(encoding="utf-8"))
        RESULT.write_text(json.dumps({**record, "result": rows}, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(rows) if asked.json else json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
