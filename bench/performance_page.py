"""Writes docs/performance.md: tables from the recorded results, and nothing that is not in them.

python bench/performance_page.py
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
PAGE = ROOT / "docs" / "performance.md"
ELSEWHERE = ("evaluation",)  # results that have a page of their own
HEAD = """# Performance

Ratios measured side by side in one run, on shared and noisy machines; each table is a file of `bench/results/`, written
by `python bench/performance_page.py`. [bench/README.md](../bench/README.md) says what each benchmark does. What no
table shows was not measured: no GPU has been at hand yet, so everything about cards (kernels, number formats,
throughput, the planner's margin) is unmeasured, and only its logic is tested. `python bench/gpu_check.py` measures it
in five minutes on the day a card is at hand.

## Weights in 8 bits, on paper

Not built. The folded model is 2.8 GB in fp16; the UNet's part in 8 bits with a scale per row would save about 1.3
GB. A window at 1024x576 needs several times that for activations, and a small card already keeps blocks off itself.
torch has no convolution in int8 or fp8 for a card, so weights would be widened before each use. Rounding the UNet's
weights alone moves its result, on a tiny network of random weights, by 0.11 of its deviation in int8 and 0.27 in
fp8 in the mean; all of bf16 moves it by 0.07 and fp16 by 0.006. A stage of `gpu_check.py` says the same for the
published sizes.
"""


def page() -> str:
    """Return the page for the results that are recorded."""
    files = [file for file in sorted(RESULTS.glob("*.json")) if file.stem not in ELSEWHERE]
    return HEAD + "".join(section(path.stem, json.loads(path.read_text(encoding="utf-8"))) for path in files)


def section(name: str, record: dict[str, Any]) -> str:
    """Return the section of one results file."""
    rows = "".join(f"| {label} | {shown(value)} |\n" for label, value in flat(record["result"]))
    note = f"\n{record['note']}\n" if "note" in record else ""
    return (
        f"\n## {name}\n\n`{record['command']}`, {record['date']}, {record['machine']}.\n{note}"
        f"\n| figure | value |\n|---|---|\n{rows}"
    )


def flat(result: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (label, value) of all figures, those inside others by both labels."""
    for name, value in result.items():
        label = f"{before}{name.replace('_', ' ')}"
        if isinstance(value, dict):
            yield from flat(value, f"{label}: ")
        else:
            yield label, value


def shown(value: Any) -> str:
    """Return a figure as the page shows it."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
